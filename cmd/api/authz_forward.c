/* GET /authz/forward?queue=<tenant>/<queue>: Traefik's ForwardAuth, Caddy's forward_auth, HAProxy
 * with our Lua action or the auth-request script.
 *
 * All of them describe the request in X-Forwarded-Method, -Proto, -Host and -Uri, and hand our
 * answer to the visitor as it is, so no means a redirect.
 */
#include "authz.h"

#include <string.h>

#include "endpoints.h"

enum wr_err authz_read_forward(const struct http_request *request,
							   struct authz_question *ret_question, struct err_detail *ret_detail)
{
	const char *method = http_request_header(request, "X-Forwarded-Method");
	const char *scheme = http_request_header(request, "X-Forwarded-Proto");
	const char *host = http_request_header(request, "X-Forwarded-Host");
	const char *uri = http_request_header(request, "X-Forwarded-Uri");
	struct gate_url *url = &ret_question->url;
	if (scheme == NULL || host == NULL || uri == NULL ||
		!gate_url_parse_scheme(scheme, &url->is_https))
		return err_say(ret_detail, WR_MALFORMED,
					   "The proxy must say what it asks about, in X-Forwarded-Proto (http or "
					   "https), X-Forwarded-Host and X-Forwarded-Uri.");
	url->host = host;
	url->host_len = strlen(host);
	gate_url_set_path(url, uri);
	ret_question->mount = AUTHZ_FORWARD;
	ret_question->method = method != NULL ? method : "GET";
	return authz_read_queue(request, &ret_question->queue, ret_detail);
}

void authz_forward_serve(void *ctx, struct http_request *request, const struct route_match *match)
{
	(void)match;
	authz_serve(ctx, request, AUTHZ_FORWARD);
}
