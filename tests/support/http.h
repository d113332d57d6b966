/* A small HTTP/1.1 client for tests: blocking, with deadlines, and able to send nonsense.
 *
 * Functions fail the running test (cmocka) on network trouble, unless they say otherwise.
 */
#ifndef SUPPORT_HTTP_H
#define SUPPORT_HTTP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct http_client; /* one connection */

/* address  "127.0.0.1:8080" or "http://127.0.0.1:8080"; gives; http_client_close() */
struct http_client *http_client_open(const char *address);
/* NULL when nobody listens. */
struct http_client *http_client_try_open(const char *address);
void http_client_close(struct http_client *client); /* NULL is fine */

/* Bytes as they are. False when the peer has closed. */
bool http_client_send_raw(struct http_client *client, const void *bytes, size_t len);

/* headers  lines "Name: value\r\n", or NULL; Host and Content-Length are added
 * body     NULL: none */
void http_client_send(struct http_client *client, const char *method, const char *path,
					  const char *headers, const char *body);

struct http_answer {
	int status;
	char *head; /* status line and headers, as received; NUL-terminated */
	char *body; /* NUL-terminated */
	size_t body_len;
	struct http_answer_field *fields; /* for http_answer_header */
	size_t field_count;
};

/* The next answer on this connection; gives. Knows Content-Length, chunked and until-close bodies.
 * http_client_read_head() is for the answer to HEAD, which has no body. */
struct http_answer *http_client_read(struct http_client *client, int deadline_ms);
struct http_answer *http_client_read_head(struct http_client *client, int deadline_ms);
/* The same, but NULL when the connection ends or the deadline passes before a whole answer. */
struct http_answer *http_client_try_read(struct http_client *client, int deadline_ms);
/* The next 'len' bytes as they are, after an upgrade; false when they do not come. */
bool http_client_read_raw(struct http_client *client, void *ret_bytes, size_t len, int deadline_ms);
/* Waits for the peer to close; bytes that arrive first are thrown away. */
void http_client_expect_close(struct http_client *client, int deadline_ms);

/* Value of a header, name in any case; NULL when absent. Lends. */
const char *http_answer_header(const struct http_answer *answer, const char *name);
void http_answer_free(struct http_answer *answer);
void http_answer_free_at(struct http_answer **answer); /* for WR_AUTO */

/* Open, send, read, close. */
struct http_answer *http_call(const char *address, const char *method, const char *path,
							  const char *headers, const char *body);

/* Members of a JSON answer; "estimated_wait_s.low" looks inside. The first fails the test when
 * there is no such string, the second when there is no such number. http_answer_has tells. */
char *http_answer_text(const struct http_answer *answer, const char *member); /* gives */
int64_t http_answer_number(const struct http_answer *answer, const char *member);
bool http_answer_flag(const struct http_answer *answer, const char *member);
bool http_answer_has(const struct http_answer *answer, const char *member); /* and not null */

#endif
