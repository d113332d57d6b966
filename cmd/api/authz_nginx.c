/* GET /authz/nginx?queue=<tenant>/<queue>: auth_request of nginx, and of ingress-nginx.
 *
 * The configuration sets X-Original-URL to the whole address, or X-Original-URI to path and query
 * with X-Forwarded-Proto and X-Forwarded-Host beside it, and X-Original-Method. nginx can pass on
 * only 200, 401 and 403; it makes a redirect of the 401 itself, from our Location.
 */
#include "authz.h"

#include "endpoints.h"

static bool read_uri(const struct http_request *request, struct gate_url *ret_url)
{
	const char *uri = http_request_header(request, "X-Original-URI");
	const char *scheme = http_request_header(request, "X-Forwarded-Proto");
	const char *host = http_request_header(request, "X-Forwarded-Host");
	if (uri == NULL || host == NULL || scheme == NULL ||
		!gate_url_parse_scheme(scheme, &ret_url->is_https))
		return false;
	ret_url->host = host;
	ret_url->host_len = __builtin_strlen(host);
	gate_url_set_path(ret_url, uri);
	return true;
}

enum wr_err authz_read_nginx(const struct http_request *request,
							 struct authz_question *ret_question, struct err_detail *ret_detail)
{
	const char *url = http_request_header(request, "X-Original-URL");
	const char *method = http_request_header(request, "X-Original-Method");
	if (url != NULL ? !gate_url_parse(url, &ret_question->url)
					: !read_uri(request, &ret_question->url))
		return err_say(ret_detail, WR_MALFORMED,
					   "The proxy must say what it asks about: proxy_set_header X-Original-URL "
					   "$scheme://$http_host$request_uri; (or X-Original-URI with "
					   "X-Forwarded-Proto and X-Forwarded-Host).");
	ret_question->mount = AUTHZ_NGINX;
	ret_question->method = method != NULL ? method : "GET";
	return authz_read_queue(request, &ret_question->queue, ret_detail);
}

void authz_nginx_serve(void *ctx, struct http_request *request, const struct route_match *match)
{
	(void)match;
	authz_serve(ctx, request, AUTHZ_NGINX);
}
