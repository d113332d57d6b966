/* CORS: which scripts of other origins may talk to us (the Fetch standard, section 3.2).
 *
 * The origins are an exact list from the settings. An origin on it is echoed, never "*", because
 * credentials are allowed; an origin that is not gets an ordinary answer that its browser hides
 * from it. Vary says so to caches, also when the request had no Origin.
 */
#include "chain.h"

#include <string.h>

#define MAX_AGE_S "7200" /* as much as Chromium takes */
#define EXPOSED_HEADERS                                                                            \
	"Location, RateLimit, RateLimit-Policy, Retry-After, X-Request-Id, X-WaitingRoom-Location"
#define ALLOWED_HEADERS "Authorization, Content-Type, Idempotency-Key, traceparent, X-Request-Id"

/* The Origin of the request when it is on the list, otherwise NULL. */
static const char *allowed_origin(const struct cors_options *cors,
								  const struct http_request *request)
{
	const char *origin = http_request_header(request, "origin");
	for (size_t i = 0; origin && i < cors->count; i++) {
		if (!strcmp(origin, cors->origins[i]))
			return cors->origins[i];
	}
	return NULL;
}

static void add_origin(struct http_request *request, const char *origin)
{
	http_reply_header(request, "Access-Control-Allow-Origin", origin);
	http_reply_header(request, "Access-Control-Allow-Credentials", "true");
}

void cors_add_headers(const struct cors_options *cors, struct http_request *request)
{
	if (!cors->count)
		return;
	http_reply_header(request, "Vary", "Origin");
	const char *origin = allowed_origin(cors, request);
	if (!origin)
		return;
	add_origin(request, origin);
	http_reply_header(request, "Access-Control-Expose-Headers", EXPOSED_HEADERS);
}

void cors_answer_options(const struct cors_options *cors, struct http_request *request,
						 const struct router_find *find)
{
	char methods[METHODS_TEXT_BYTES];
	methods_print(find->methods, methods);
	if (!cors->count || !find->cross_origin ||
		!http_request_header(request, "access-control-request-method")) {
		http_reply_header(request, "Allow", methods);
		http_reply(request, 204, NULL, "", 0);
		return;
	}
	const char *origin = allowed_origin(cors, request);
	http_reply_header(request, "Vary", "Origin");
	if (!origin) {
		http_reply_problem(request, WR_FORBIDDEN, NULL, 0);
		return;
	}
	add_origin(request, origin);
	http_reply_header(request, "Access-Control-Allow-Methods", methods);
	http_reply_header(request, "Access-Control-Allow-Headers", ALLOWED_HEADERS);
	http_reply_header(request, "Access-Control-Max-Age", MAX_AGE_S);
	http_reply(request, 204, NULL, "", 0);
}
