/* The waiting page without scripts.
 *
 *     ?nojs=1, no place ─► a form ─► POST do=join ─► enqueue.c ─► 303 to ?nojs=1
 *     ?nojs=1, a place  ─► counts as a heartbeat ─► where one stands, with Refresh: 20
 *         &stop=1           the same without Refresh (WCAG 2.2.2: it can be turned off)
 *         your turn         a button ─► POST do=enter ─► 303 to the site
 *         leaving           &leave=1 asks ─► POST do=leave ─► 303 to &left=1
 *
 * The place is in the same cookie as with scripts, so switching between the two keeps it. A form
 * changes something, so it must come from our own page: the browser says so (Sec-Fetch-Site), or,
 * where it does not (old, or plain HTTP), it brings a cookie that is only sent on same-site
 * requests.
 */
#include "noscript.h"

#include <stdio.h>
#include <string.h>

#include "credentials.h"
#include "endpoints.h"
#include "noscript_pages.h"
#include "waitingroom/memory.h"
#include "waitingroom/pacing.h"
#include "waitingroom/support_code.h"

#define REFRESH_MOST_S 20

/* ---- is it our own form? ---- */

static bool is_own_form(const struct worker *worker, const struct http_request *request)
{
	const char *site = http_request_header(request, "Sec-Fetch-Site"), *value;
	size_t len;
	if (site != NULL)
		return strcmp(site, "same-origin") == 0;
	return http_request_cookie(request, view_form_cookie(worker), &value, &len);
}

/* ---- pages ---- */

static bool asks(const struct http_request *request, const char *name)
{
	char value[8];
	return http_request_query(request, name, value, sizeof(value));
}

static void ask_leave(struct view *view)
{
	view_heading(view, "leave.h");
	view_paragraph(view, "leave.p");
	view_button(view, "leave", "leave");
	view_anchor(view, "", "leave.stay");
	view_reply(view, 200);
}

static void redirect(struct http_request *request, const char *url)
{
	http_reply_header(request, "Location", url);
	http_reply(request, 303, "text/plain; charset=utf-8", "", 0);
}

static void redirect_back(struct worker *worker, struct http_request *request,
						  const struct queue_snapshot *snapshot, const char *more)
{
	struct view view;
	char link[VIEW_LINK_BYTES];
	view_init(&view, worker, request, snapshot);
	view_link(&view, more, link);
	redirect(request, link);
}

/* ---- a place ---- */

/* Often enough that the place is held, however short that is. */
static int64_t refresh_s(const struct queue_settings *settings)
{
	int64_t third = settings->heartbeat_ttl_ms / 3000;
	return third < 1 ? 1 : third < REFRESH_MOST_S ? third : REFRESH_MOST_S;
}

static void put_refresh(struct view *view, int64_t seconds)
{
	char text[24];
	if (asks(view->request, "stop")) {
		view_paragraph(view, "nojs.stopped");
		view_number_paragraph(view, "nojs.held",
							  view->snapshot->settings->heartbeat_ttl_ms / 60000);
		view_anchor(view, "", "nojs.start");
		return;
	}
	snprintf(text, sizeof(text), "%lld", (long long)seconds);
	http_reply_header(view->request, "Refresh", text);
	if (seconds > 1)
		view_number_paragraph(view, "nojs.refreshes", seconds);
	view_anchor(view, "&stop=1", "nojs.stop");
}

static const char *page_of(enum queue_state state)
{
	return state == QUEUE_PAUSED ? "paused" : state == QUEUE_HOLD ? "prequeue" : NULL;
}

/* A place that is newer than the picture here: the next one has it. */
static bool is_new(const struct view *view, const struct place_look *look)
{
	const struct worker *worker = view->worker;
	return look->position == 0 && !place_picture_is_stale(worker, look->snapshot);
}

static void show_place(struct view *view, const struct place_look *look)
{
	const char *page = is_new(view, look) ? "joining" : page_of(view_state(view));
	if (page != NULL) {
		view_page(view, page);
	} else {
		view_heading(view, "waiting.h");
		view_paragraph(view, "intro");
	}
	view_message(view);
	if (!is_new(view, look))
		view_place(view, look);
	if (look->stale && !is_new(view, look))
		view_paragraph(view, "reconnecting.new");
	put_refresh(view, is_new(view, look) ? 1 : refresh_s(look->snapshot->settings));
	view_anchor(view, asks(view->request, "stop") ? "&stop=1" : "", "nojs.check");
	view_anchor(view, "&leave=1", "leave");
	const struct parked *notes = http_request_notes(view->request);
	char code[SUPPORT_CODE_CHARS + 1];
	support_code_print(notes->claims.position_id, code);
	view_support_code(view, code);
	view_reply(view, 200);
}

void noscript_in_line(struct worker *worker, struct http_request *request,
					  const struct place_look *look)
{
	const struct parked *notes = http_request_notes(request);
	if (notes->page != PAGE_LOOK) { /* joined, or wanted in too early */
		redirect_back(worker, request, look->snapshot, "");
		return;
	}
	WR_AUTO(view_free) struct view view;
	view_init(&view, worker, request, look->snapshot);
	show_place(&view, look);
}

/* Somebody who looks is shown a button, because a page that reloads by itself does not know whether
 * anybody sees it; whoever has just pressed one goes on. */
void noscript_admitted(struct worker *worker, struct http_request *request,
					   const struct place_look *look, const char *redirect_url, int64_t left_ms)
{
	const struct parked *notes = http_request_notes(request);
	bool has_target = redirect_url != NULL && redirect_url[0] != '\0';
	if (notes->page != PAGE_LOOK && has_target) {
		redirect(request, redirect_url);
		return;
	}
	WR_AUTO(view_free) struct view view;
	view_init(&view, worker, request, look->snapshot);
	view_heading(&view, "your_turn.h");
	view_message(&view);
	if (has_target) {
		if (left_ms >= 60000)
			view_number_paragraph(&view, "nojs.enter_within", left_ms / 60000);
		view_button(&view, "enter", "your_turn.enter");
	} else {
		view_paragraph(&view, "your_turn.nowhere");
	}
	view_anchor(&view, "&leave=1", "leave");
	view_reply(&view, 200);
}

void noscript_left(struct worker *worker, struct http_request *request)
{
	const struct parked *notes = http_request_notes(request);
	credentials_retire_cookie(worker, request, &notes->claims);
	redirect_back(worker, request, NULL, "&left=1");
}

/* ---- requests ---- */

/* Looks the place of the cookie up: where it stands is answered at once or by the store. */
static void look_up(struct worker *worker, struct http_request *request)
{
	const struct parked *notes = http_request_notes(request);
	const struct queue_snapshot *unsure = place_beat(worker, request);
	/* Only whoever presses the button takes the turn up. */
	if (unsure != NULL)
		place_ask(worker, request, unsure, notes->page == PAGE_LOOK ? GATHER_STAY : GATHER_POLL);
}

void noscript_nobody(struct worker *worker, struct http_request *request)
{
	const struct parked *notes = http_request_notes(request);
	WR_AUTO(view_free) struct view view;
	view_init(&view, worker, request, queue_table_find(worker->app->queues, &notes->claims.queue));
	if (view.snapshot != NULL)
		noscript_show_join(&view, "nojs.join", "nojs.join");
	else
		view_page(&view, "error");
	view_reply(&view, 200);
}

void noscript_serve(struct worker *worker, struct http_request *request,
					const struct queue_snapshot *snapshot)
{
	struct parked *notes = http_request_notes(request);
	WR_AUTO(view_free) struct view view;
	struct position_claims claims;
	view_init(&view, worker, request, snapshot);
	notes->page = PAGE_LOOK;
	notes->status = 200;
	if (asks(request, "left")) {
		noscript_show_join(&view, "left.h", "join");
		view_reply(&view, 200);
	} else if (credentials_place_cookie(worker, request, &snapshot->name, &claims) != WR_OK) {
		notes->was_lost =
			credentials_was_cookie(worker, request, &snapshot->name, &notes->claims) == WR_OK;
		if (notes->was_lost) {
			look_up(worker, request);
		} else {
			noscript_show_join(&view, "nojs.join", "nojs.join");
			view_reply(&view, 200);
		}
	} else if (asks(request, "leave")) {
		ask_leave(&view);
	} else {
		notes->claims = claims;
		look_up(worker, request);
	}
}

void noscript_post_serve(void *ctx, struct http_request *request, const struct route_match *match)
{
	struct worker *worker = ctx;
	struct parked *notes = http_request_notes(request);
	const struct queue_snapshot *snapshot = NULL;
	char what[8] = "";
	notes->endpoint = ENDPOINT_PAGE;
	notes->page = PAGE_JOIN;
	enum wr_err err = page_find_queue(worker, match, &notes->claims.queue, &snapshot);
	if (err == WR_OK && !is_own_form(worker, request))
		err = WR_FORBIDDEN;
	if (err != WR_OK || !http_request_form(request, "do", what, sizeof(what))) {
		worker_problem(worker, request, err != WR_OK ? err : WR_MALFORMED, NULL);
		return;
	}
	struct position_claims claims;
	bool has_place = credentials_place_cookie(worker, request, &snapshot->name, &claims) == WR_OK;
	WR_AUTO(view_free) struct view view;
	view_init(&view, worker, request, snapshot);
	if (strcmp(what, "join") == 0 && !has_place) {
		err = noscript_join(&view);
	} else if (strcmp(what, "enter") == 0 && has_place) {
		notes->page = PAGE_ENTER;
		notes->claims = claims;
		look_up(worker, request);
	} else if (strcmp(what, "leave") == 0 && has_place) {
		notes->page = PAGE_LEAVE;
		notes->claims = claims;
		err = gather_request(worker->gather, snapshot->slot, GATHER_LEAVE, request);
	} else {
		redirect_back(worker, request, snapshot, "");
	}
	if (err != WR_OK)
		worker_problem(worker, request, err, NULL);
}
