/* Recovery: what happens when a handler of ours is wrong.
 *
 * A handler that returns without an answer and without parking the request would leave the client
 * waiting until its own time-out. It gets 500 instead, once, and the log names the request. What
 * cannot be continued safely (a second answer, a broken invariant) ends the process by assert.
 */
#include "internal.h"

#include "waitingroom/log.h"

void http_reply_recover(struct http_request *request)
{
	http_count(&request->server->counters.bugs, 1);
	log_event(LOG_LEVEL_ERROR, "http_no_answer", LOG_TEXT("request_id", request->id),
			  LOG_TEXT("method", http_method_word(request->method)));
	http_reply_problem(request, WR_BUG, NULL, 0);
}

void http_header_recover(struct http_request *request, const char *name)
{
	http_count(&request->server->counters.bugs, 1);
	log_event(LOG_LEVEL_ERROR, "http_bad_reply_header", LOG_TEXT("request_id", request->id),
			  LOG_TEXT("name", name));
}
