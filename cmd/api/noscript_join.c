/* Joining without scripts.
 *
 * A queue that asks for a challenge takes it unsolved, too, after a wait. So the page waits in the
 * visitor's place: it comes with a challenge, reloads itself when the wait is over, and only then
 * has a button.
 *
 *     no challenge ─► a fresh one, Refresh: 5 ─► ?nojs=1&challenge=… ─► a button ─► POST do=join
 */
#include <stdio.h>
#include <string.h>

#include "challenge.h"
#include "enqueue.h"
#include "noscript_pages.h"

#define WAIT_LINK_BYTES (VIEW_LINK_BYTES + CHALLENGE_CHARS + 16)

/* Seconds until the challenge that was brought may be redeemed unsolved; negative: it is no
 * good. */
static int64_t wait_left_s(const struct view *view)
{
	struct worker *worker = view->worker;
	struct challenge challenge;
	if (view->challenge[0] == '\0' ||
		challenge_read(worker->signer, &view->snapshot->name,
					   challenge_network(worker, view->request), view->challenge,
					   strlen(view->challenge), worker->wall, &challenge) != CHALLENGE_SOLVED)
		return -1;
	if (challenge_was_waited_for(&challenge, worker->wall))
		return 0;
	int64_t left_s = challenge.issued_s + challenge.wait_s - worker->wall.ms / 1000;
	return left_s > 1 ? left_s : 1;
}

static void show_wait(struct view *view, int64_t wait_s)
{
	char more[CHALLENGE_CHARS + 16], link[VIEW_LINK_BYTES], refresh[WAIT_LINK_BYTES];
	snprintf(more, sizeof(more), "&challenge=%s", view->challenge);
	view_link(view, more, link);
	snprintf(refresh, sizeof(refresh), "%lld;url=%s", (long long)wait_s, link);
	http_reply_header(view->request, "Refresh", refresh);
	view_number_paragraph(view, "nojs.wait_first", wait_s);
	view_anchor(view, more, "nojs.join");
}

/* A challenge that can be redeemed now needs no more than a button. One that was refused although
 * it was time is of no more use, and gets a successor. */
static void show_challenge(struct view *view, const char *button)
{
	int64_t wait_s = wait_left_s(view);
	bool was_refused = http_request_method(view->request) == HTTP_POST && wait_s == 0;
	if (wait_s < 0 || was_refused) {
		struct challenge_offer offer;
		challenge_offer_make(view->worker, view->request, view->snapshot, true, &offer);
		memcpy(view->challenge, offer.text, sizeof(view->challenge));
		wait_s = offer.wait_ms / 1000;
	}
	if (wait_s > 0)
		show_wait(view, wait_s);
	else
		view_button(view, "join", button);
}

void noscript_put_join(struct view *view, const char *button)
{
	if (challenge_is_needed(view->worker, view->snapshot))
		show_challenge(view, button);
	else
		view_button(view, "join", button);
}

void noscript_show_join(struct view *view, const char *heading, const char *button)
{
	const struct queue_settings *settings = view->snapshot->settings;
	bool is_closed = queue_state_is_closed(view_state(view));
	bool needs_invitation = settings->entry == QUEUE_ENTRY_SIGNED && view->entry[0] == '\0';
	if (is_closed) {
		view_page(view, "closed");
		view_message(view);
		view_anchor(view, "", "again");
	} else if (needs_invitation) {
		view_page(view, "invite");
	} else {
		view_heading(view, heading);
		view_message(view);
		view_paragraph(view, "nojs.join_intro");
		noscript_put_join(view, button);
	}
}

enum wr_err noscript_join(struct view *view)
{
	struct parked *notes = http_request_notes(view->request);
	char target[VISIT_TARGET_MAX_BYTES + 1], key[POSITION_ID_CHARS + 1];
	size_t target_len = 0;
	if (view->target[0] != '\0' && !base64url_decode(view->target, strlen(view->target), target,
													 sizeof(target) - 1, &target_len))
		return WR_INVALID;
	target[target_len] = '\0';
	if (strlen(target) != target_len)
		return WR_INVALID;
	struct join_wish wish = {.target = target};
	if (http_request_form(view->request, "key", key, sizeof(key)) && key[0] != '\0') {
		wish.key = key;
		wish.key_len = strlen(key);
	}
	if (view->challenge[0] != '\0')
		wish.challenge = view->challenge;
	if (view->entry[0] != '\0')
		wish.entry = view->entry;
	notes->page = PAGE_JOIN;
	return enqueue_try(view->worker, view->request, &wish, NULL);
}
