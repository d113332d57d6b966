/* Router and middleware chain: from a request to the function that serves it.
 *
 *     request id and time → CORS → rate limit → recovery → (auth → validation → handler in cmd/)
 *
 * Each piece is a small file of lib/http (request_id.c, cors.c, rate_limit.c, recovery.c,
 * router.c); chain.c puts them in this order.
 *
 * What     Exact paths and patterns of whole segments: "/queues/{}/{}"; a last segment "{...}" takes
 *          all that follows, with the slash before it, or nothing: "/authz/envoy/{...}".
 * Used by  cmd/api, cmd/admitter.
 * Threads  the chain of one server belongs to its loop's thread; route tables are constant.
 */
#ifndef WAITINGROOM_ROUTER_H
#define WAITINGROOM_ROUTER_H

#include "waitingroom/http.h"

#define ROUTE_SEGMENTS_MAX 4
struct route;
struct route_match {
	const struct route *route;				 /* the row that was taken */
	const char *segment[ROUTE_SEGMENTS_MAX]; /* borrowed from the path; not NUL-terminated */
	size_t len[ROUTE_SEGMENTS_MAX];
	int count;
};

typedef void (*route_fn)(void *ctx, struct http_request *request, const struct route_match *match);

/* In a route: serves every method. A route that names the method is preferred. */
#define ROUTE_ANY_METHOD HTTP_METHOD_COUNT

enum route_limit { ROUTE_NOT_LIMITED, ROUTE_LIMITED }; /* the per-network sliding window applies */

struct route {
	enum http_method method; /* HTTP_GET serves HEAD too */
	const char *pattern;
	route_fn serve;
	enum route_limit limit;
	bool cross_origin; /* CORS applies: answers to allowed origins, preflight answered */
};

/* The pure part of routing. The first route in the order of the table that fits is taken. */
struct router;
struct router *router_new(const struct route *routes, size_t count); /* gives; borrows routes */
void router_free(struct router *router);

struct router_find {
	const struct route *route; /* NULL: nothing serves this method here */
	struct route_match match;
	unsigned methods;  /* bit per http_method that the path takes; 0: there is no such path */
	bool cross_origin; /* a route of this path is */
};
/* 'path' as in http_request_path; ret borrows from it. */
void router_find(const struct router *router, enum http_method method, const char *path,
				 struct router_find *ret_find);

struct cors_options {
	const char *const *origins; /* exact, "https://shop.example"; count 0: CORS off */
	size_t count;
};

struct rate_limit_options {
	uint32_t
		per_address; /* requests per window from one address (IPv4 /32, IPv6 /64); 0: no limit */
	uint32_t per_network; /* the same for IPv4 /24, IPv6 /48; 0: no limit */
	uint32_t window_s;
	uint32_t table_slots; /* memory is fixed; when full, the oldest entries of a bucket go */
};

struct trusted_proxies; /* client_ip.h */

struct chain_options {
	const struct route *routes;
	size_t route_count;
	struct cors_options cors;
	struct rate_limit_options rate_limit;
	const struct trusted_proxies *proxies; /* may be NULL: the peer is the client */
	const char *get_with_body; /* the one path that takes a body with GET; may be NULL */
	void *ctx;				   /* given to route_fn */
};
struct chain;
struct chain *chain_new(const struct chain_options *options); /* gives; borrows what it points to */
void chain_free(struct chain *chain);
/* An http_handler_fn with ctx = the chain: 404, 405 with Allow, 429, preflight, or the route. */
void chain_handle(void *chain, struct http_request *request);
/* The template of the path that the request was for; NULL: no route. Lends, while the table is
 * there. */
const char *chain_route_of(const struct chain *chain, const struct http_request *request);

/* The pure part of the limiter: Cloudflare's two-counter sliding window. Counts this request
 * and says whether it passes; fills what the RateLimit fields need. */
struct rate_limiter;
struct rate_limiter *rate_limiter_new(uint32_t limit, uint32_t window_s, uint32_t slots);
void rate_limiter_free(struct rate_limiter *limiter);
bool rate_limiter_take(struct rate_limiter *limiter, uint64_t key_hash, int64_t now_ms,
					   uint32_t *ret_remaining, uint32_t *ret_reset_s);
uint64_t rate_limiter_evictions(const struct rate_limiter *limiter);

#endif
