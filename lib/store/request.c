/* Request: the bytes of a command, written once into a buffer that its call keeps.
 *
 * RESP (https://redis.io/docs/reference/protocol-spec): "*<count>" and then each argument as
 * "$<length>" and its bytes, every line ended by \r\n. A batch has up to 3000 arguments, so they
 * are written straight into place: no array of pointers, no second formatting pass. The buffer
 * stays with the call until the answer, because a script that the server has forgotten is sent
 * again.
 */
#include "lib/store/client.h"

#include "waitingroom/memory.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#define HEADER_BYTES 32 /* "$<length>\r\n" or "*<count>\r\n", and the \r\n behind the bytes */
#define FIRST_ROOM 512

static void reserve(struct call *call, size_t more)
{
	if (call->room - call->len >= more)
		return;
	size_t room = call->room ? call->room : FIRST_ROOM;
	while (room - call->len < more)
		room *= 2;
	call->bytes = mem_grow(call->bytes, room, 1);
	call->room = room;
}

static void put_header(struct call *call, char kind, size_t number)
{
	char *at = call->bytes + call->len;
	*at++ = kind;
	at += text_from_u64(number, at);
	*at++ = '\r';
	*at++ = '\n';
	call->len = (size_t)(at - call->bytes);
}

void request_begin(struct call *call, int arguments)
{
	call->len = 0;
	reserve(call, HEADER_BYTES);
	put_header(call, '*', (size_t)arguments);
}

void request_add(struct call *call, const char *bytes, size_t len)
{
	reserve(call, HEADER_BYTES + len);
	put_header(call, '$', len);
	char *at = call->bytes + call->len;
	if (len)
		memcpy(at, bytes, len);
	at[len] = '\r';
	at[len + 1] = '\n';
	call->len += len + 2;
}

void call_add(struct call *call, const char *bytes, size_t len)
{
	assert(call->arguments_left > 0 && "more arguments than were announced");
	call->arguments_left--;
	if (!call->refused)
		request_add(call, bytes, len);
}

void call_add_text(struct call *call, const char *text)
{
	call_add(call, text, text ? strlen(text) : 0);
}

void call_add_count(struct call *call, uint64_t number)
{
	char text[20];
	call_add(call, text, text_from_u64(number, text));
}

void call_add_int(struct call *call, int64_t number)
{
	char text[24];
	call_add(call, text, (size_t)snprintf(text, sizeof(text), "%lld", (long long)number));
}

void call_add_key(struct call *call, const struct queue_name *queue, const char *rest)
{
	char name[QUEUE_NAME_TEXT_BYTES], key[QUEUE_NAME_TEXT_BYTES + 160];
	queue_name_print(queue, name);
	int len = snprintf(key, sizeof(key), "wr:{%s}:%s", name, rest);
	assert(len > 0 && (size_t)len < sizeof(key));
	call_add(call, key, (size_t)len);
}
