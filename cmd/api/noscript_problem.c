/* Errors as pages: what went wrong, in the visitor's words, and what can be done about it. */
#include <stdio.h>

#include "credentials.h"
#include "noscript_pages.h"
#include "waitingroom/memory.h"
#include "waitingroom/pacing.h"
#include "waitingroom/support_code.h"

static bool may_rejoin(enum wr_err err)
{
	return err == WR_PLACE_EXPIRED || err == WR_PLACE_LEFT || err == WR_TURN_MISSED ||
		   err == WR_SESSION_ENDED;
}

/* What the page is called in the language files: "missed" has "missed.h" and "missed.p". Errors
 * without a page of their own share one. */
static const char *page_of(enum wr_err err)
{
	switch (err) {
	case WR_NO_QUEUE:
		return "nojs.no_queue";
	case WR_PLACE_EXPIRED:
		return "expired";
	case WR_PLACE_LEFT:
		return "left";
	case WR_TURN_MISSED:
		return "missed";
	case WR_SESSION_ENDED:
		return "ended";
	case WR_PLACE_MOVED:
		return "moved";
	case WR_ENTRY_REQUIRED:
		return "invite";
	case WR_QUEUE_CLOSED:
		return "closed";
	case WR_QUEUE_FULL:
		return "full";
	case WR_RATE_LIMITED:
		return "nojs.rate_limited";
	case WR_FORBIDDEN:
		return "nojs.forbidden";
	case WR_INVALID:
	case WR_MALFORMED:
		return "nojs.invalid";
	default:
		return "error";
	}
}

/* When to come again; what was posted is not posted again by itself. */
static void put_retry(struct view *view)
{
	char seconds[24];
	int64_t wait_s = retry_after_s(5, worker_random(view->worker));
	snprintf(seconds, sizeof(seconds), "%lld", (long long)wait_s);
	http_reply_header(view->request, "Retry-After", seconds);
	if (http_request_method(view->request) == HTTP_POST)
		return;
	http_reply_header(view->request, "Refresh", seconds);
	view_paragraph(view, "nojs.retry");
}

/* The place is joined once more with the token that led to it; the cookie that says "I have one"
 * must go first. */
static void put_take_back(struct view *view)
{
	credentials_drop_cookie(view->worker, view->request, &view->snapshot->name);
	noscript_put_join(view, "moved.b");
}

/* Somebody had one: its code finds it. Otherwise the request is all that there is. */
static bool is_about_a_place(enum wr_err err)
{
	return err == WR_PLACE_EXPIRED || err == WR_PLACE_LEFT || err == WR_TURN_MISSED ||
		   err == WR_SESSION_ENDED || err == WR_PLACE_MOVED;
}

void page_problem(struct worker *worker, struct http_request *request, enum wr_err err)
{
	const struct parked *notes = http_request_notes(request);
	WR_AUTO(view_free) struct view view;
	view_init(&view, worker, request, queue_table_find(worker->app->queues, &notes->claims.queue));
	if (err == WR_CHALLENGE_REQUIRED && view.snapshot != NULL) {
		noscript_show_join(&view, "challenge.h", "nojs.join");
		view_reply(&view, err_http_status(err));
		return;
	}
	bool is_refused = err == WR_QUEUE_CLOSED || err == WR_QUEUE_FULL;
	view_page(&view, page_of(err));
	if (view.snapshot != NULL && is_refused)
		view_message(&view);
	if (err_is_retryable(err))
		put_retry(&view);
	if (view.snapshot != NULL && may_rejoin(err))
		noscript_put_join(&view, "join");
	else if (view.snapshot != NULL && err == WR_QUEUE_FULL)
		noscript_put_join(&view, "again");
	else if (view.snapshot != NULL && err == WR_PLACE_MOVED && view.entry[0] != '\0')
		put_take_back(&view);
	else if (view.snapshot != NULL)
		view_anchor(&view, "", is_refused ? "again" : "nojs.check");
	char code[SUPPORT_CODE_CHARS + 1];
	support_code_print(notes->claims.position_id, code);
	view_support_code(&view, is_about_a_place(err) ? code : http_request_id(request));
	view_reply(&view, err_http_status(err));
}
