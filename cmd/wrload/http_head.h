/* Head of an HTTP/1.1 answer: as much of it as the crowd needs.
 *
 * What     Pure; status line, Content-Length, Connection: close, Retry-After in seconds.
 * Used by  client, tests.
 * Threads  any.
 */
#ifndef WRLOAD_HTTP_HEAD_H
#define WRLOAD_HTTP_HEAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct http_head {
	int status;
	size_t head_len; /* with the empty line */
	size_t body_len;
	int64_t retry_after_s; /* -1: not given, or a date */
	bool must_close;
};

enum http_head_result {
	HTTP_HEAD_PART,	 /* more bytes are needed; nothing filled */
	HTTP_HEAD_WHOLE, /* head and body are there */
	HTTP_HEAD_BAD,	 /* not an answer that this client can read */
};
enum http_head_result http_head_read(const char *text, size_t len, struct http_head *ret_head);

#endif
