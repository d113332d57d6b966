/* GET /openapi.yaml: the contract of all that is served, the same for everybody. Compressed once,
 * at start.
 */
#include "contract.h"

#include "endpoints.h"
#include "page.h"

struct page *contract_build(void)
{
	return page_build_file("openapi.yaml", "default-src 'none'", COMPRESS_QUICK);
}

void contract_serve(void *ctx, struct http_request *request, const struct route_match *match)
{
	struct worker *worker = ctx;
	(void)match;
	((struct parked *)http_request_notes(request))->endpoint = ENDPOINT_CONTRACT;
	http_reply_header(request, "Vary", "Accept-Encoding");
	page_reply(request, worker->app->contract, "application/yaml", "public, max-age=3600");
}
