/* Direct answers: to a client that has half-closed while its request was parked.
 *
 * Somebody may send a request, say that nothing more will come (shutdown), and read until the end.
 * When the library hears of that end while a connection is suspended, it reads first after resuming
 * it, finds the end, and drops request, answer, and whatever was pipelined behind. So the answer is
 * written to the socket here, as the library would, and the socket is shut down: the library cannot
 * answer once more. An end that came with the request it does not hear of (edge-triggered events;
 * connection.c has the exception), and then it answers by itself. A client that is gone altogether
 * looks the same, and what is written to it goes nowhere.
 */
#include "internal.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>

#define HEAD_BYTES (REPLY_HEADER_BYTES + 1024)

struct head {
	char text[HEAD_BYTES];
	size_t len;
	bool fits;
};

static __attribute__((format(printf, 2, 3))) void add(struct head *head, const char *format, ...)
{
	va_list list;
	va_start(list, format);
	int len = vsnprintf(head->text + head->len, sizeof(head->text) - head->len, format, list);
	va_end(list);
	head->fits = head->fits && len >= 0 && (size_t)len < sizeof(head->text) - head->len;
	if (head->fits)
		head->len += (size_t)len;
}

static enum MHD_Result add_header(void *ctx, enum MHD_ValueKind kind, const char *name,
								  const char *value)
{
	(void)kind;
	if (strcasecmp(name, MHD_HTTP_HEADER_CONNECTION) != 0)
		add(ctx, "%s: %s\r\n", name, value);
	return MHD_YES;
}

void http_reply_direct(struct http_request *request, const char *body, size_t len)
{
	struct head head = {.len = 0, .fits = true};
	add(&head, "HTTP/1.1 %d %s\r\n", request->status,
		MHD_get_reason_phrase_for((unsigned)request->status));
	MHD_get_response_headers(request->response, add_header, &head);
	add(&head, "Content-Length: %zu\r\nConnection: close\r\n\r\n", len);
	if (!head.fits)
		return;
	bool has_body = request->method != HTTP_HEAD && request->status != MHD_HTTP_NO_CONTENT &&
					request->status != MHD_HTTP_NOT_MODIFIED;
	struct iovec parts[2] = {{head.text, head.len}, {(char *)body, len}};
	struct msghdr message = {.msg_iov = parts, .msg_iovlen = has_body ? 2 : 1};
	/* Nothing else of this connection is under way. What does not fit into the socket's buffer is
	 * for somebody who does not read. */
	ssize_t ignored = sendmsg(request->connection->fd, &message, MSG_DONTWAIT | MSG_NOSIGNAL);
	(void)ignored;
	shutdown(request->connection->fd, SHUT_RDWR);
}
