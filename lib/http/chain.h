/* Internals of the middleware chain: what its files share. Nobody outside lib/http includes
 * this. */
#ifndef WAITINGROOM_HTTP_CHAIN_H
#define WAITINGROOM_HTTP_CHAIN_H

#include "waitingroom/client_ip.h"
#include "waitingroom/router.h"

/* ---- router.c ---- */

#define METHODS_TEXT_BYTES 64
/* "GET, HEAD, OPTIONS" from a set of router_find; OPTIONS is always answered. */
void methods_print(unsigned methods, char ret_text[METHODS_TEXT_BYTES]);

/* ---- cors.c ---- */

/* Headers that let a script of another origin read the answer, when it may. */
void cors_add_headers(const struct cors_options *cors, struct http_request *request);
/* OPTIONS on a path that takes 'methods': a preflight, or somebody who is curious. */
void cors_answer_options(const struct cors_options *cors, struct http_request *request,
						 const struct router_find *find);

/* ---- rate_limit.c ---- */

struct rate_limits {
	struct rate_limiter *address, *network; /* NULL: no such limit */
	struct rate_limit_options options;
	uint64_t random; /* for the jitter of Retry-After */
};
void rate_limits_init(struct rate_limits *limits, const struct rate_limit_options *options);
void rate_limits_fini(struct rate_limits *limits);
/* False: too many, and 429 has been answered. Otherwise the RateLimit fields have been added. */
bool rate_limits_pass(struct rate_limits *limits, struct http_request *request,
					  const struct client_ip *client);

#endif
