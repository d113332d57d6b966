/* GET /.well-known/jwks.json: the public keys of session tokens, for the proxies of sites. */
#include "endpoints.h"

void jwks_serve(void *ctx, struct http_request *request, const struct route_match *match)
{
	struct worker *worker = ctx;
	char text[8192];
	struct json_out out;
	(void)match;
	((struct parked *)http_request_notes(request))->endpoint = ENDPOINT_JWKS;
	json_out_init(&out, text, sizeof(text));
	keys_print_jwks(atomic_load_explicit(&worker->app->keys, memory_order_acquire), &out);
	http_reply_header(request, "Cache-Control", "public, max-age=300, stale-if-error=86400");
	http_reply(request, 200, "application/jwk-set+json", text, out.len);
}
