/* In line without scripts: the page shows the place and keeps it, the turn comes, the place is
 * given up.
 *
 * One pod with one worker; people are let in by an operator's order.
 */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "support/api.h"
#include "support/browser.h"
#include "support/cmocka.h"
#include "support/shared_stack.h"
#include "support/wait.h"
#include "waitingroom/memory.h"
#include "waitingroom/text.h"

#define TARGETS "\"allowed_targets\":[\"https://shop.example/\"]"
#define SHORT                                                                                      \
	HELD ",\"heartbeat_ttl_ms\":6000,\"absent_after_ms\":3000,\"poll_min_ms\":500,\"poll_max_"     \
		 "ms\":1000"

/* clang-format off */
static const char queues_format[] = QUEUES(
	QUEUE("held", HELD "," TARGETS) ","
	QUEUE("turn", HELD "," TARGETS) ","
	QUEUE("nowhere", HELD) ","
	QUEUE("noon", "\"opens_at_ms\":%lld") ","
	QUEUE("short", SHORT));
/* clang-format on */

static const char *url;

static int open_room(void **state)
{
	(void)state;
	char queues[sizeof(queues_format) + 32];
	snprintf(queues, sizeof(queues), queues_format, ((long long)time(NULL) + 25 * 60) * 1000);
	stack = stack_start(
		&(struct stack_options){.pods = 1,
								.admitters = 1,
								.without_nats = true,
								.admin_keys = API_ADMIN_KEYS_FILE,
								.env = (const char *const[]){NO_RATE_LIMITS, "WR_WORKERS=1",
															 "WR_REAP_INTERVAL_MS=50", NULL},
								.queues = queues});
	url = stack_url(stack, 0);
	return 0;
}

#define FIRST(queue) "/q/default/" queue "?nojs=1"
/* base64url of https://shop.example/checkout?x=1&y=2 */
#define TARGET "aHR0cHM6Ly9zaG9wLmV4YW1wbGUvY2hlY2tvdXQ_eD0xJnk9Mg"

/* Lets the browser's place in: it has to be there when its turn comes. */
static void let_in(struct browser *browser, const char *path, const char *queue)
{
	WR_AUTO(mem_free_at) char *token = mem_copy_string(browser_place(browser));
	WR_AUTO(mem_free_at) char *id = api_position_id(token);
	WR_AUTO(http_answer_free_at) struct http_answer *seen = browser_look(browser, path);
	api_expect_status(seen, 200);
	WAIT_UNTIL(5000, api_score(stack, queue, id) > 0, "the place is known to be there");
	api_admit(stack, queue, 1);
}

/* ---- in line ---- */

static void a_form_takes_a_place_and_the_page_shows_it(void **state)
{
	(void)state;
	struct browser browser = {.url = url, .site = "same-origin"};
	browser_join(&browser, FIRST("held"));
	/* For a moment the pod's picture does not have the place, and no number can be told. */
	WR_AUTO(http_answer_free_at) struct http_answer *page = browser_look(&browser, FIRST("held"));
	if (strstr(page->body, "One moment") != NULL) {
		page_expect_no_text(page, "We cannot be reached");
		assert_string_equal(http_answer_header(page, "Refresh"), "1");
	}
	api_await_position(stack, 0, browser_place(&browser));
	http_answer_free(page);
	page = browser_look(&browser, FIRST("held"));
	page_expect(page, 200, "We open soon"); /* the queue is on hold */
	page_expect_no_text(page, "Expected wait");
	page_expect_text(page, "<dt>people ahead of you</dt>");
	page_expect_text(page, "Leave the line");
	assert_string_equal(http_answer_header(page, "Refresh"), "20");
}

static void before_an_announced_opening_the_page_says_how_long_that_is(void **state)
{
	(void)state;
	struct browser browser = {.url = url, .site = "same-origin"};
	browser_join(&browser, FIRST("noon"));
	api_await_position(stack, 0, browser_place(&browser));
	WR_AUTO(http_answer_free_at) struct http_answer *page = browser_look(&browser, FIRST("noon"));
	page_expect(page, 200, "We open soon");
	page_expect_text(page, "<dt>until we open</dt><dd>24 to 25 min</dd>");
}

static void looking_keeps_the_place_as_a_heartbeat_does(void **state)
{
	(void)state;
	struct browser browser = {.url = url, .site = "same-origin"};
	browser_join(&browser, FIRST("held"));
	WR_AUTO(mem_free_at) char *id = api_position_id(browser_place(&browser));
	assert_true(api_score(stack, "default/held", id) < 0);
	WR_AUTO(http_answer_free_at) struct http_answer *page = browser_look(&browser, FIRST("held"));
	api_expect_status(page, 200);
	WAIT_UNTIL(5000, api_score(stack, "default/held", id) > 0, "the look was a heartbeat");
}

/* ---- stopping the refresh ---- */

static void the_refresh_can_be_stopped_and_started_again(void **state)
{
	(void)state;
	struct browser browser = {.url = url, .site = "same-origin"};
	browser_join(&browser, FIRST("held"));
	api_await_position(stack, 0, browser_place(&browser));
	WR_AUTO(http_answer_free_at) struct http_answer *moving = browser_look(&browser, FIRST("held"));
	page_expect_text(moving, "&amp;stop=1\">Stop automatic refresh</a>");
	WR_AUTO(http_answer_free_at)
	struct http_answer *still = browser_look(&browser, FIRST("held") "&stop=1");
	assert_null(http_answer_header(still, "Refresh"));
	page_expect_text(still, "Automatic refresh is off.");
	page_expect_text(still, "at least every 5 min");
	page_expect_text(still, "\">Refresh automatically</a>");
	page_expect_text(still, "\">Check my place now</a>");
}

static void a_place_that_is_held_shortly_is_refreshed_often(void **state)
{
	(void)state;
	struct browser browser = {.url = url, .site = "same-origin"};
	browser_join(&browser, FIRST("short"));
	api_await_position(stack, 0, browser_place(&browser));
	WR_AUTO(http_answer_free_at) struct http_answer *page = browser_look(&browser, FIRST("short"));
	assert_string_equal(http_answer_header(page, "Refresh"), "2");
}

/* ---- the turn ---- */

static void the_turn_is_a_button_that_leads_to_the_site(void **state)
{
	(void)state;
	struct browser browser = {.url = url, .site = "same-origin"};
	browser_join(&browser, FIRST("turn") "&t=" TARGET);
	let_in(&browser, FIRST("turn"), "default/turn");
	WR_AUTO(http_answer_free_at) struct http_answer *page = NULL;
	WAIT_UNTIL(5000,
			   (http_answer_free(page), page = browser_look(&browser, FIRST("turn")),
				strstr(page->body, "It is your turn") != NULL),
			   "the page says that it is the turn");
	page_expect(page, 200, "It is your turn");
	page_expect_no_text(page,
						"wr_pass"); /* a pass lives for two minutes only; the button makes one */
	/* Chromium holds a form's redirect against the policy, too. */
	assert_non_null(
		strstr(http_answer_header(page, "Content-Security-Policy"), "form-action 'self' https:;"));
	WR_AUTO(http_answer_free_at)
	struct http_answer *entered = browser_press(&browser, FIRST("turn"), page, "enter");
	page_expect_way_in(entered, "&x=1&y=2");
}

static void a_turn_without_a_target_says_that_one_may_go(void **state)
{
	(void)state;
	struct browser browser = {.url = url, .site = "same-origin"};
	browser_join(&browser, FIRST("nowhere"));
	let_in(&browser, FIRST("nowhere"), "default/nowhere");
	WAIT_UNTIL(5000, ({
				   WR_AUTO(http_answer_free_at)
				   struct http_answer *page = browser_look(&browser, FIRST("nowhere"));
				   strstr(page->body, "You can go back to the site now.") != NULL;
			   }),
			   "the page says that one may go");
}

static void wanting_in_too_early_leads_back_to_the_place(void **state)
{
	(void)state;
	struct browser browser = {.url = url, .site = "same-origin"};
	browser_join(&browser, FIRST("held"));
	WR_AUTO(http_answer_free_at)
	struct http_answer *answer = browser_post(&browser, FIRST("held"), "do=enter&lang=en");
	page_expect_redirect(answer, "?nojs=1&lang=en");
}

/* ---- leaving, and being too late ---- */

static void leaving_asks_first_and_then_gives_the_place_up(void **state)
{
	(void)state;
	struct browser browser = {.url = url, .site = "same-origin"};
	browser_join(&browser, FIRST("held"));
	WR_AUTO(mem_free_at) char *token = mem_copy_string(browser_place(&browser));
	WR_AUTO(http_answer_free_at)
	struct http_answer *asked = browser_look(&browser, FIRST("held") "&leave=1");
	page_expect(asked, 200, "Leave the line?");
	page_expect_text(asked, "\">Stay in line</a>");
	assert_non_null(browser_place(&browser));
	WR_AUTO(http_answer_free_at)
	struct http_answer *left = browser_press(&browser, FIRST("held"), asked, "leave");
	page_expect_redirect(left, "?nojs=1&lang=en&left=1");
	assert_null(browser_place(&browser));
	api_await(url, token, 5000, "place_left");
	WR_AUTO(http_answer_free_at)
	struct http_answer *after = browser_look(&browser, FIRST("held") "&left=1");
	page_expect(after, 200, "You have left the line");
	WR_AUTO(http_answer_free_at)
	struct http_answer *again = browser_press(&browser, FIRST("held"), after, "join");
	page_expect_redirect(again, "?nojs=1");
}

static void a_place_that_was_given_up_is_explained_and_can_be_taken_anew(void **state)
{
	(void)state;
	struct browser browser = {.url = url, .site = "same-origin"};
	browser_join(&browser, FIRST("held"));
	WR_AUTO(http_answer_free_at)
	struct http_answer *left =
		api_poll(url, "/leave", browser_place(&browser)); /* in another window, with scripts */
	api_expect_status(left, 200);
	WR_AUTO(http_answer_free_at) struct http_answer *page = NULL;
	WAIT_UNTIL(
		5000,
		(http_answer_free(page), page = browser_look(&browser, FIRST("held")), page->status == 410),
		"the page says that the place is gone");
	page_expect(page, 410, "You have left the line");
	assert_null(browser_place(&browser));
	WR_AUTO(http_answer_free_at)
	struct http_answer *again = browser_press(&browser, FIRST("held"), page, "join");
	page_expect_redirect(again, "?nojs=1");
	assert_non_null(browser_place(&browser));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_form_takes_a_place_and_the_page_shows_it),
		cmocka_unit_test(before_an_announced_opening_the_page_says_how_long_that_is),
		cmocka_unit_test(looking_keeps_the_place_as_a_heartbeat_does),
		cmocka_unit_test(the_refresh_can_be_stopped_and_started_again),
		cmocka_unit_test(a_place_that_is_held_shortly_is_refreshed_often),
		cmocka_unit_test(the_turn_is_a_button_that_leads_to_the_site),
		cmocka_unit_test(a_turn_without_a_target_says_that_one_may_go),
		cmocka_unit_test(wanting_in_too_early_leads_back_to_the_place),
		cmocka_unit_test(leaving_asks_first_and_then_gives_the_place_up),
		cmocka_unit_test(a_place_that_was_given_up_is_explained_and_can_be_taken_anew),
	};
	return cmocka_run_group_tests(tests, open_room, shared_stack_close);
}
