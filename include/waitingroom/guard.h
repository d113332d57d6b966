/* Request guard: refuses requests that two HTTP parsers could read differently.
 *
 * libmicrohttpd 0.9.75 parses leniently: a request with two lengths, or with a length and a
 * transfer coding, lets a client hide a second request in the first one's body behind a proxy that
 * reads it the other way ("request smuggling"). The guard sees the head of a request as the library
 * understood it, before any byte of the body is taken; what it refuses is answered, the connection
 * is closed, and nothing behind it is ever parsed.
 *
 * It cannot see what the library has already lost: folded header lines, bare LF, text behind a NUL,
 * headers without a name. Those are the business of the normalising proxy in front.
 *
 * What     One pure function over a small struct.
 * Used by  lib/http, tests.
 * Threads  any.
 */
#ifndef WAITINGROOM_GUARD_H
#define WAITINGROOM_GUARD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "waitingroom/err.h"
#include "waitingroom/http.h"

struct guard_header { /* lengths count every byte, NUL too */
	const char *name;
	const char *value; /* NULL counts as empty */
	size_t name_len, value_len;
};

struct guard_request {
	const char *method, *version; /* NUL-terminated, as sent */
	const char *target;			  /* raw, not decoded, with the query */
	size_t target_len;
	const struct guard_header *headers;
	size_t header_count; /* may say more than are in the array: then there are too many */
	size_t headers_max;	 /* room of the array */
	uint64_t body_max_bytes;
};

struct guard_verdict {
	bool refused;
	enum http_refusal reason; /* only when refused */
	enum wr_err err;		  /* what to answer when refused */
	enum http_method method;  /* only when not refused */
	uint64_t body_bytes;	  /* announced by Content-Length, 0 without; only when not refused */
};

struct guard_verdict guard_check(const struct guard_request *request);

#endif
