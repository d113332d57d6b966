/* The middleware chain: the order in which every request passes the pieces of this directory.
 *
 *     request id and time (server.c, request_id.c)
 *       → route → CORS → 404, 405, preflight → rate limit → the route's function in cmd/
 *     and behind it recovery.c, when that function forgets to answer
 *
 * The route is looked up first because it decides whether CORS and the limit apply; a refusal by
 * the limit still carries the CORS headers, or a script on the customer's site could not read why.
 */
#include "chain.h"

#include "waitingroom/memory.h"

#include <stdlib.h>
#include <string.h>

struct chain {
	struct chain_options options;
	struct router *router;
	struct rate_limits limits;
};

struct chain *chain_new(const struct chain_options *options)
{
	struct chain *chain = mem_alloc_zero(1, sizeof(*chain));
	chain->options = *options;
	chain->router = router_new(options->routes, options->route_count);
	rate_limits_init(&chain->limits, &options->rate_limit);
	return chain;
}

void chain_free(struct chain *chain)
{
	if (!chain)
		return;
	rate_limits_fini(&chain->limits);
	router_free(chain->router);
	free(chain);
}

static void answer_no_route(struct http_request *request, const struct router_find *find)
{
	if (!find->methods) {
		http_reply_problem(request, WR_NO_ROUTE, NULL, 0);
		return;
	}
	char methods[METHODS_TEXT_BYTES];
	methods_print(find->methods, methods);
	http_reply_header(request, "Allow", methods);
	http_reply_problem(request, WR_BAD_METHOD, NULL, 0);
}

static bool passes_limit(struct chain *chain, struct http_request *request)
{
	if (!chain->limits.address && !chain->limits.network)
		return true;
	struct client_ip client = http_request_client(request, chain->options.proxies);
	return rate_limits_pass(&chain->limits, request, &client);
}

static bool has_needless_body(const struct chain *chain, const struct http_request *request)
{
	size_t len = 0;
	http_request_body(request, &len);
	if (!len || http_request_method(request) != HTTP_GET)
		return false;
	const char *path = chain->options.get_with_body;
	return !path || strcmp(path, http_request_path(request)) != 0;
}

void chain_handle(void *ctx, struct http_request *request)
{
	struct chain *chain = ctx;
	struct router_find find;
	enum http_method method = http_request_method(request);
	router_find(chain->router, method, http_request_path(request), &find);
	if (!find.route && find.methods && method == HTTP_OPTIONS) {
		cors_answer_options(&chain->options.cors, request, &find);
		return;
	}
	if (find.cross_origin)
		cors_add_headers(&chain->options.cors, request);
	if (!find.route) {
		answer_no_route(request, &find);
		return;
	}
	if (has_needless_body(chain, request)) {
		static const struct err_detail detail = {"Content-Length: this address takes no body."};
		http_reply_problem(request, WR_MALFORMED, &detail, 0);
		return;
	}
	if (find.route->limit == ROUTE_LIMITED && !passes_limit(chain, request))
		return;
	find.route->serve(chain->options.ctx, request, &find.match);
}

const char *chain_route_of(const struct chain *chain, const struct http_request *request)
{
	struct router_find find;
	router_find(chain->router, http_request_method(request), http_request_path(request), &find);
	return find.route ? find.route->pattern : NULL;
}
