/* HTTP client for tests: writes a request, reads an answer, tells precisely what is wrong.
 *
 * A connection keeps what arrived behind an answer, so pipelined answers come out one by one.
 */
#include "support/http.h"

#include "support/cmocka.h"
#include "support/process.h"
#include "support/record.h"
#include "support/wait.h"
#include "waitingroom/memory.h"

#include <arpa/inet.h>
#include <cjson/cJSON.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define CALL_DEADLINE_MS 5000

struct http_client {
	int fd;
	char *host;		/* "127.0.0.1:8080" */
	char *received; /* not yet taken; NUL-terminated */
	size_t len, room;
	bool closed;			/* by the peer */
	const char *kind;		/* for the record; NULL: nothing is noted */
	struct record *pending; /* requests without an answer yet, oldest first */
};

struct http_answer_field {
	char *name, *value; /* in one allocation that begins at the first name */
};

/* ---- connections ---- */

struct http_client *http_client_try_open(const char *address)
{
	if (strncmp(address, "http://", 7) == 0)
		address += 7;
	char ip[64];
	int port;
	if (sscanf(address, "%63[0-9.]:%d", ip, &port) != 2)
		fail_msg("not an address: %s", address);
	struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
	inet_pton(AF_INET, ip, &to.sin_addr);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (connect(fd, (struct sockaddr *)&to, sizeof(to))) {
		close(fd);
		return NULL;
	}
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
	struct http_client *client = mem_alloc_zero(1, sizeof(*client));
	*client = (struct http_client){.fd = fd, .room = 8192};
	client->received = mem_alloc_zero(client->room + 1, 1);
	if (asprintf(&client->host, "%s:%d", ip, port) < 0)
		abort();
	client->kind = record_kind(client->host);
	return client;
}

struct http_client *http_client_open(const char *address)
{
	struct http_client *client = http_client_try_open(address);
	if (client)
		return client;
	int why = errno;
	process_show_logs();
	fail_msg("cannot connect to %s: %s", address, strerror(why));
	return NULL;
}

static struct record *take_pending(struct http_client *client)
{
	struct record *record = client->pending;
	if (record)
		client->pending = record->next;
	return record;
}

static void forget_pending(struct http_client *client)
{
	for (struct record *record; (record = take_pending(client));)
		record_free(record);
}

void http_client_close(struct http_client *client)
{
	if (!client)
		return;
	forget_pending(client);
	close(client->fd);
	free(client->host);
	free(client->received);
	free(client);
}

/* ---- sending ---- */

static bool send_all(struct http_client *client, const void *bytes, size_t len)
{
	for (size_t sent = 0; sent < len;) {
		ssize_t now = send(client->fd, (const char *)bytes + sent, len - sent, MSG_NOSIGNAL);
		if (now < 0 && errno != EINTR)
			return false;
		if (now > 0)
			sent += (size_t)now;
	}
	return true;
}

static void note_request(struct http_client *client, const char *head, const char *body)
{
	struct record **last = &client->pending;
	while (*last)
		last = &(*last)->next;
	*last = record_request(head, body);
}

/* Is it a head and nothing else? Of anything stranger it is not known which answer belongs to
 * it. */
static bool is_plain_head(const char *bytes, size_t len)
{
	const char *end = memmem(bytes, len, "\r\n\r\n", 4);
	return end && end + 4 == bytes + len && !memchr(bytes, '\0', len);
}

bool http_client_send_raw(struct http_client *client, const void *bytes, size_t len)
{
	if (client->kind && is_plain_head(bytes, len)) {
		WR_AUTO(mem_free_at) char *head = mem_copy(bytes, len);
		note_request(client, head, NULL);
	} else {
		client->kind = NULL;
		forget_pending(client);
	}
	return send_all(client, bytes, len);
}

void http_client_send(struct http_client *client, const char *method, const char *path,
					  const char *headers, const char *body)
{
	char length[48] = "";
	if (body)
		snprintf(length, sizeof(length), "Content-Length: %zu\r\n", strlen(body));
	char *request;
	int len = asprintf(&request, "%s %s HTTP/1.1\r\nHost: %s\r\n%s%s\r\n", method, path,
					   client->host, length, headers ? headers : "");
	if (len < 0)
		abort();
	if (client->kind)
		note_request(client, request, body);
	if (body) {
		request = mem_grow(request, (size_t)len + strlen(body) + 1, 1);
		strcpy(request + len, body);
		len += (int)strlen(body);
	}
	bool sent = send_all(client, request, (size_t)len);
	free(request);
	if (!sent)
		fail_msg("%s %s: the peer has closed the connection", method, path);
}

/* ---- receiving ---- */

/* Waits for more bytes; false at the deadline or when the peer has closed. */
static bool receive(struct http_client *client, struct mono_time deadline)
{
	struct pollfd readable = {.fd = client->fd, .events = POLLIN};
	while (!client->closed && poll(&readable, 1, wait_left_ms(deadline)) == 1) {
		if (client->len == client->room)
			client->received = mem_grow(client->received, (client->room *= 2) + 1, 1);
		ssize_t got =
			recv(client->fd, client->received + client->len, client->room - client->len, 0);
		if (got < 0 && errno == EINTR)
			continue;
		client->closed = got <= 0;
		client->len += got > 0 ? (size_t)got : 0;
		client->received[client->len] = '\0';
		return got > 0;
	}
	return false;
}

/* The first 'len' bytes; gives, NUL-terminated. */
static char *take(struct http_client *client, size_t len)
{
	char *taken = mem_copy(client->received, len);
	client->len -= len;
	memmove(client->received, client->received + len, client->len + 1);
	return taken;
}

static void parse_fields(struct http_answer *answer)
{
	char *at = strstr(answer->head, "\r\n");
	if (!at)
		return;
	char *copy = mem_copy_string(at + 2), *rest = copy;
	answer->fields = mem_alloc_zero(1, sizeof(*answer->fields));
	answer->fields[0].name = copy;
	for (char *line; (line = strsep(&rest, "\n"));) {
		line[strcspn(line, "\r")] = '\0';
		char *colon = strchr(line, ':');
		if (!colon)
			continue;
		*colon = '\0';
		size_t count = ++answer->field_count;
		answer->fields = mem_grow(answer->fields, count + 1, sizeof(*answer->fields));
		answer->fields[count] =
			(struct http_answer_field){.name = line, .value = colon + 1 + strspn(colon + 1, " \t")};
	}
}

const char *http_answer_header(const struct http_answer *answer, const char *name)
{
	for (size_t i = 1; i <= answer->field_count; i++) {
		if (strcasecmp(answer->fields[i].name, name) == 0)
			return answer->fields[i].value;
	}
	return NULL;
}

/* Status line and headers of a final answer; 100 Continue is skipped. */
static bool read_head(struct http_client *client, struct mono_time deadline,
					  struct http_answer *answer)
{
	do {
		const char *end;
		while (!(end = memmem(client->received, client->len, "\r\n\r\n", 4))) {
			if (!receive(client, deadline))
				return false;
		}
		free(answer->head);
		answer->head = take(client, (size_t)(end - client->received) + 4);
		if (sscanf(answer->head, "HTTP/1.%*1[01] %3d ", &answer->status) != 1)
			fail_msg("not an HTTP answer: %.200s", answer->head);
	} while (answer->status == 100);
	parse_fields(answer);
	return true;
}

static bool need(struct http_client *client, size_t len, struct mono_time deadline)
{
	while (client->len < len) {
		if (!receive(client, deadline))
			return false;
	}
	return true;
}

static bool read_chunks(struct http_client *client, struct mono_time deadline,
						struct http_answer *answer)
{
	for (;;) {
		const char *line_end;
		while (!(line_end = memmem(client->received, client->len, "\r\n", 2))) {
			if (!receive(client, deadline))
				return false;
		}
		size_t size = strtoul(client->received, NULL, 16);
		size_t line = (size_t)(line_end + 2 - client->received);
		if (!need(client, line + size + 2, deadline))
			return false;
		free(take(client, line));
		WR_AUTO(mem_free_at) char *chunk = take(client, size + 2);
		if (!size)
			return true;
		answer->body = mem_grow(answer->body, answer->body_len + size + 1, 1);
		memcpy(answer->body + answer->body_len, chunk, size);
		answer->body[answer->body_len += size] = '\0';
	}
}

static bool read_body(struct http_client *client, struct mono_time deadline,
					  struct http_answer *answer)
{
	answer->body = mem_copy_string("");
	if (answer->status < 200 || answer->status == 204 || answer->status == 304)
		return true;
	const char *coding = http_answer_header(answer, "Transfer-Encoding");
	if (coding && strcasecmp(coding, "chunked") == 0)
		return read_chunks(client, deadline, answer);
	const char *length = http_answer_header(answer, "Content-Length");
	if (length) {
		answer->body_len = strtoul(length, NULL, 10);
		if (!need(client, answer->body_len, deadline))
			return false;
	} else {
		while (receive(client, deadline))
			;
		if (!client->closed)
			return false;
		answer->body_len = client->len;
	}
	free(answer->body);
	answer->body = take(client, answer->body_len);
	return true;
}

static struct http_answer *read_answer(struct http_client *client, int deadline_ms, bool has_body)
{
	struct mono_time deadline = wait_deadline(deadline_ms);
	struct http_answer *answer = mem_alloc_zero(1, sizeof(*answer));
	bool whole = read_head(client, deadline, answer);
	if (whole && has_body)
		whole = read_body(client, deadline, answer);
	else if (whole)
		answer->body = mem_copy_string("");
	struct record *record = take_pending(client);
	if (whole && record)
		record_answer(client->kind, record, answer->head, answer->body, answer->body_len);
	record_free(record);
	if (whole)
		return answer;
	http_answer_free(answer);
	return NULL;
}

static struct http_answer *must_have(struct http_client *client, struct http_answer *answer,
									 int deadline_ms)
{
	if (answer)
		return answer;
	process_show_logs();
	fail_msg("%s after %d ms, received: \"%.300s\"",
			 client->closed ? "connection closed" : "no whole answer", deadline_ms,
			 client->received);
	return NULL;
}

struct http_answer *http_client_try_read(struct http_client *client, int deadline_ms)
{
	return read_answer(client, deadline_ms, true);
}

struct http_answer *http_client_read(struct http_client *client, int deadline_ms)
{
	return must_have(client, read_answer(client, deadline_ms, true), deadline_ms);
}

struct http_answer *http_client_read_head(struct http_client *client, int deadline_ms)
{
	return must_have(client, read_answer(client, deadline_ms, false), deadline_ms);
}

bool http_client_read_raw(struct http_client *client, void *ret_bytes, size_t len, int deadline_ms)
{
	if (!need(client, len, wait_deadline(deadline_ms)))
		return false;
	WR_AUTO(mem_free_at) char *bytes = take(client, len);
	memcpy(ret_bytes, bytes, len);
	return true;
}

void http_client_expect_close(struct http_client *client, int deadline_ms)
{
	struct mono_time deadline = wait_deadline(deadline_ms);
	while (receive(client, deadline))
		client->len = 0;
	if (!client->closed)
		fail_msg("the connection is still open after %d ms", deadline_ms);
}

void http_answer_free(struct http_answer *answer)
{
	if (!answer)
		return;
	if (answer->fields)
		free(answer->fields[0].name);
	free(answer->fields);
	free(answer->head);
	free(answer->body);
	free(answer);
}

void http_answer_free_at(struct http_answer **answer)
{
	http_answer_free(*answer);
}

struct http_answer *http_call(const char *address, const char *method, const char *path,
							  const char *headers, const char *body)
{
	struct http_client *client = http_client_open(address);
	http_client_send(client, method, path, headers, body);
	struct http_answer *answer = strcmp(method, "HEAD")
									 ? http_client_read(client, CALL_DEADLINE_MS)
									 : http_client_read_head(client, CALL_DEADLINE_MS);
	http_client_close(client);
	return answer;
}

/* ---- JSON members ---- */

/* Finds "a.b" in 'document'; NULL when absent. */
static const cJSON *find(const cJSON *document, const char *member)
{
	while (document && *member) {
		WR_AUTO(mem_free_at) char *name = mem_copy(member, strcspn(member, "."));
		document = cJSON_GetObjectItemCaseSensitive(document, name);
		member += strlen(name);
		member += *member == '.';
	}
	return document;
}

static void free_document(cJSON **document)
{
	cJSON_Delete(*document);
}

char *http_answer_text(const struct http_answer *answer, const char *member)
{
	WR_AUTO(free_document) cJSON *document = cJSON_Parse(answer->body);
	const cJSON *value = find(document, member);
	if (!cJSON_IsString(value))
		fail_msg("no string \"%s\" in %d %s", member, answer->status, answer->body);
	return mem_copy_string(value->valuestring);
}

int64_t http_answer_number(const struct http_answer *answer, const char *member)
{
	WR_AUTO(free_document) cJSON *document = cJSON_Parse(answer->body);
	const cJSON *value = find(document, member);
	if (!cJSON_IsNumber(value))
		fail_msg("no number \"%s\" in %d %s", member, answer->status, answer->body);
	return (int64_t)value->valuedouble;
}

bool http_answer_flag(const struct http_answer *answer, const char *member)
{
	WR_AUTO(free_document) cJSON *document = cJSON_Parse(answer->body);
	const cJSON *value = find(document, member);
	if (!cJSON_IsBool(value))
		fail_msg("no true or false \"%s\" in %d %s", member, answer->status, answer->body);
	return cJSON_IsTrue(value);
}

bool http_answer_has(const struct http_answer *answer, const char *member)
{
	WR_AUTO(free_document) cJSON *document = cJSON_Parse(answer->body);
	const cJSON *value = find(document, member);
	return value && !cJSON_IsNull(value);
}
