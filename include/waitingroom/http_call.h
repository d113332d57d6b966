/* HTTP call: asks another server and waits for the whole answer, with a deadline.
 *
 * What     Blocking HTTP/1.1 over http and https (libcurl behind it). A caller keeps its connections
 *          between calls. Redirects are not followed, proxies of the environment are not used: who is
 *          named is asked, and nobody else sees the request.
 * Used by  cmd/wrctl; threads of their own in the other programs. Never a loop's thread: it waits.
 * Threads  a caller belongs to one thread.
 */
#ifndef WAITINGROOM_HTTP_CALL_H
#define WAITINGROOM_HTTP_CALL_H

#include <stddef.h>
#include <stdint.h>

#include "waitingroom/err.h"

struct http_caller;

struct http_caller *http_caller_new(void);		   /* gives */
void http_caller_free(struct http_caller *caller); /* NULL is fine */

struct http_call {
	const char *method;			/* "GET" */
	const char *url;			/* "https://host[:port]/path?query" */
	const char *const *headers; /* "Name: value" each, ends in NULL; may be NULL itself */
	const void *body;			/* NULL: none */
	size_t body_len;
	int64_t connect_ms;		 /* for getting a connection; 0: as long as for all */
	int64_t deadline_ms;	 /* for all of it, from the look-up of the name on */
	size_t body_max;		 /* largest body of an answer that is taken */
	const char *ca_file;	 /* PEM; NULL: the system's authorities */
	void (*tick)(void *ctx); /* called now and then while it waits; may be NULL */
	void *ctx;				 /* of 'tick' */
};

struct http_call_header {
	char *name, *value;
};

struct http_call_answer {
	int status;
	char *body; /* a NUL stands behind it */
	size_t body_len;
	struct http_call_header *headers; /* of the last answer, without 1xx before it */
	size_t header_count;
};

/* Asks and waits. Any status is WR_OK.
 *
 * call  borrows.
 * ret   fills, only on WR_OK; end it with http_call_answer_clear.
 *
 * WR_BAD_CONFIG  the url or the CA file cannot be used, or the server's certificate is not trusted.
 * WR_IO          no connection, so nothing was asked: name not found, refused, nobody answers there.
 * WR_TIMEOUT     asked, and no whole answer came in time or before the connection broke: what was
 *                asked for may have been done.
 * WR_LIMIT       the answer's body is larger than body_max.
 * The detail says why in words, without the url.
 */
WR_MUST_USE enum wr_err http_caller_call(struct http_caller *caller, const struct http_call *call,
										 struct http_call_answer *ret_answer,
										 struct err_detail *ret_detail);

/* Value of a header, name in any case, the first of several; NULL: there is none. Lends. */
const char *http_call_answer_header(const struct http_call_answer *answer, const char *name);
/* Frees what the answer owns and zeroes it; fine on a zeroed one. For WR_AUTO, too. */
void http_call_answer_clear(struct http_call_answer *answer);

#endif
