/* /authz/envoy/<tenant>/<queue>/…: ext_authz of Envoy, of Istio, and of the Gateway API.
 *
 * Envoy sends the site's own request with a prefix before its path, so everything is read from the
 * request itself; its query is the visitor's, and therefore the queue is named in the prefix
 * (path_prefix: /authz/envoy/default/demo). Only 200 is a yes. A body is not looked at.
 */
#include "authz.h"

#include <string.h>

#include "endpoints.h"

#define PREFIX "/authz/envoy/"

static bool read_queue(const char *path, struct queue_name *ret_queue, const char **ret_rest)
{
	size_t tenant = strcspn(path, "/");
	if (path[tenant] == '\0')
		return false;
	size_t len = tenant + 1 + strcspn(path + tenant + 1, "/");
	*ret_rest = path + len;
	return queue_name_parse(path, len, ret_queue);
}

enum wr_err authz_read_envoy(const struct http_request *request,
							 struct authz_question *ret_question, struct err_detail *ret_detail)
{
	const char *rest = "", *scheme = http_request_header(request, "X-Forwarded-Proto");
	struct gate_url *url = &ret_question->url;
	if (!read_queue(http_request_path(request) + strlen(PREFIX), &ret_question->queue, &rest))
		return err_say(
			ret_detail, WR_NO_QUEUE,
			"The proxy's path_prefix must name the queue: /authz/envoy/<tenant>/<queue>.");
	if (scheme == NULL || !gate_url_parse_scheme(scheme, &url->is_https))
		return err_say(ret_detail, WR_MALFORMED,
					   "The proxy must send X-Forwarded-Proto (http or https): name it among the "
					   "allowed headers of the check.");
	url->host = http_request_header(request, "Host");
	url->host_len = url->host != NULL ? strlen(url->host) : 0;
	url->path = rest;
	url->path_len = strlen(rest);
	url->query = http_request_query_text(request);
	url->query_len = url->query != NULL ? strlen(url->query) : 0;
	ret_question->mount = AUTHZ_ENVOY;
	ret_question->method = http_method_word(http_request_method(request));
	return WR_OK;
}

void authz_envoy_serve(void *ctx, struct http_request *request, const struct route_match *match)
{
	(void)match;
	authz_serve(ctx, request, AUTHZ_ENVOY);
}
