/* Joining without scripts: the form, what it brings along, and whose form it is. */
#include <stdio.h>
#include <string.h>

#include "support/api.h"
#include "support/browser.h"
#include "support/cmocka.h"
#include "support/entry_sign.h"
#include "support/shared_stack.h"
#include "support/wait.h"
#include "waitingroom/memory.h"
#include "waitingroom/text.h"

#define TARGETS "\"allowed_targets\":[\"https://shop.example/\"]"
#define INVITED "\"entry\":\"signed\",\"entry_keys\":" ENTRY_KEYS_JSON

/* clang-format off */
static const char queues[] = QUEUES(
	QUEUE("held", HELD "," TARGETS) ","
	QUEUE("checked", HELD ",\"challenge\":\"pow\"") ","
	QUEUE("invited", HELD "," INVITED) ","
	QUEUE("open", TARGETS) ","
	QUEUE("wide", TARGETS) ","
	QUEUE("full", HELD ",\"max_waiting\":0,\"message\":\"More at noon.\"") ","
	QUEUE("closed", "\"state\":\"closed\",\"message\":\"Sold out.\""));
/* clang-format on */

static const char *url;

static int open_room(void **state)
{
	(void)state;
	stack = stack_start(
		&(struct stack_options){.pods = 1,
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

/* ---- joining ---- */

static void pressing_twice_is_one_place(void **state)
{
	(void)state;
	struct browser browser = {.url = url, .site = "same-origin"},
				   impatient = {.url = url, .site = "same-origin"};
	WR_AUTO(http_answer_free_at) struct http_answer *first = browser_look(&browser, FIRST("held"));
	WR_AUTO(http_answer_free_at)
	struct http_answer *one = browser_press(&browser, FIRST("held"), first, "join");
	/* The first answer has not arrived yet: no cookie. */
	WR_AUTO(http_answer_free_at)
	struct http_answer *two = browser_press(&impatient, FIRST("held"), first, "join");
	page_expect_redirect(one, "?nojs=1");
	page_expect_redirect(two, "?nojs=1");
	WR_AUTO(mem_free_at) char *a = api_position_id(browser_place(&browser));
	WR_AUTO(mem_free_at) char *b = api_position_id(browser_place(&impatient));
	assert_string_equal(a, b);
	/* And later, from an old page in the history, with the cookie. */
	WR_AUTO(mem_free_at) char *before = mem_copy_string(browser_place(&browser));
	WR_AUTO(http_answer_free_at)
	struct http_answer *three = browser_post(&browser, FIRST("held"), "do=join&lang=en");
	page_expect_redirect(three, "?nojs=1");
	assert_string_equal(browser_place(&browser), before);
}

static void a_closed_queue_offers_no_form(void **state)
{
	(void)state;
	struct browser browser = {.url = url, .site = "same-origin"};
	WR_AUTO(http_answer_free_at) struct http_answer *page = browser_look(&browser, FIRST("closed"));
	page_expect(page, 200, "The line is closed");
	page_expect_text(page, "Sold out.");
	page_expect_text(page, "Try again");
	assert_null(browser_form(page, "join"));
	WR_AUTO(http_answer_free_at)
	struct http_answer *tried = browser_post(&browser, FIRST("closed"), "do=join&lang=en");
	page_expect(tried, 410, "The line is closed");
	page_expect_text(tried, "Sold out.");
}

static void a_full_queue_says_what_the_operator_says_and_offers_another_try(void **state)
{
	(void)state;
	struct browser browser = {.url = url, .site = "same-origin"};
	WR_AUTO(http_answer_free_at) struct http_answer *first = browser_look(&browser, FIRST("full"));
	WR_AUTO(http_answer_free_at)
	struct http_answer *page = browser_press(&browser, FIRST("full"), first, "join");
	page_expect(page, 503, "The line is full");
	page_expect_text(page, "More at noon.");
	WR_AUTO(mem_free_at) char *form = browser_form(page, "join");
	assert_non_null(form);
	/* It says nothing that it does not do: a form is not posted again by itself. */
	page_expect_no_text(page, "keeps trying");
	assert_null(http_answer_header(page, "Refresh"));
}

static void a_queue_by_invitation_offers_no_form_without_one(void **state)
{
	(void)state;
	struct browser browser = {.url = url, .site = "same-origin"};
	WR_AUTO(http_answer_free_at)
	struct http_answer *page = browser_look(&browser, FIRST("invited"));
	page_expect(page, 200, "By invitation only");
	assert_null(browser_form(page, "join"));
}

static void an_invitation_takes_the_place_along_from_browser_to_browser(void **state)
{
	(void)state;
	struct browser laptop = {.url = url, .site = "same-origin"},
				   phone = {.url = url, .site = "same-origin"};
	char payload[256], path[1200];
	struct entry_text entry;
	int64_t now_s = clock_wall().ms / 1000;
	int len = snprintf(payload, sizeof(payload),
					   "{\"aud\":\"default/invited\",\"jti\":\"t1\",\"iat\":%lld,\"exp\":%lld,"
					   "\"identity\":\"ada\",\"reusable\":true}",
					   (long long)now_s, (long long)now_s + 60);
	entry_sign_hs256(ENTRY_HEADER_HS256, payload, (size_t)len, &entry);
	assert_true(entry.len < 1000);
	snprintf(path, sizeof(path), "%s&entry=%.1000s", FIRST("invited"), entry.bytes);
	browser_join(&laptop, path);
	browser_join(&phone, path);
	WR_AUTO(mem_free_at) char *first = api_position_id(browser_place(&laptop));
	WR_AUTO(mem_free_at) char *second = api_position_id(browser_place(&phone));
	assert_string_equal(first, second);

	WR_AUTO(http_answer_free_at) struct http_answer *page = NULL;
	WAIT_UNTIL(5000,
			   (http_answer_free(page), page = browser_look(&laptop, path), page->status == 409),
			   "the laptop is told that the place has moved");
	page_expect(page, 409, "Your place has moved");
	WR_AUTO(http_answer_free_at)
	struct http_answer *back = browser_press(&laptop, path, page, "join");
	page_expect_redirect(back, "?nojs=1");
	WR_AUTO(http_answer_free_at) struct http_answer *taken = NULL;
	WAIT_UNTIL(5000,
			   (http_answer_free(taken), taken = browser_look(&phone, FIRST("invited")),
				taken->status == 409),
			   "now the phone is told");
	/* Without the invitation there is nothing to take it back with. */
	page_expect(taken, 409, "Your place has moved");
	assert_null(browser_form(taken, "join"));
}

/* ---- a challenge ---- */

/* The link that Refresh names; "" none. */
static void refresh_link(const struct http_answer *page, char ret_path[256])
{
	const char *refresh = http_answer_header(page, "Refresh");
	const char *link = refresh != NULL ? strstr(refresh, ";url=") : NULL;
	snprintf(ret_path, 256, "%s%s", link != NULL ? "/q/default/checked" : "",
			 link != NULL ? link + 5 : "");
}

static void whoever_cannot_solve_a_challenge_waits_and_then_gets_a_button(void **state)
{
	(void)state;
	struct browser browser = {.url = url, .site = "same-origin"};
	char path[256], waiting[256], again[256];
	WR_AUTO(http_answer_free_at)
	struct http_answer *first = browser_look(&browser, FIRST("checked"));
	page_expect(first, 200, "Join the line");
	page_expect_text(first, "please wait 5 seconds");
	assert_null(browser_form(first, "join"));
	refresh_link(first, path);
	assert_non_null(strstr(path, "&challenge="));
	/* Too early: the same challenge goes on, so that nobody waits longer for having looked. */
	WR_AUTO(http_answer_free_at) struct http_answer *early = browser_look(&browser, path);
	refresh_link(early, waiting);
	assert_string_equal(waiting, path);
	char form[256];
	snprintf(form, sizeof(form), "do=join&lang=en&challenge=%s", strstr(path, "challenge=") + 10);
	WR_AUTO(http_answer_free_at) struct http_answer *pressed = browser_post(&browser, path, form);
	page_expect(pressed, 403, "A quick check");
	refresh_link(pressed, again);
	assert_string_equal(again, path);
	assert_null(browser_place(&browser));

	WR_AUTO(http_answer_free_at) struct http_answer *page = NULL;
	WAIT_UNTIL(10000,
			   (http_answer_free(page), page = browser_look(&browser, path),
				strstr(page->body, ">Join the line</button>") != NULL),
			   "the page has a button");
	assert_null(http_answer_header(page, "Refresh"));
	WR_AUTO(http_answer_free_at)
	struct http_answer *joined = browser_press(&browser, path, page, "join");
	page_expect_redirect(joined, "?nojs=1");
	assert_non_null(browser_place(&browser));

	/* It is redeemed: somebody else gets a fresh one. */
	struct browser thief = {.url = url, .site = "same-origin"};
	WR_AUTO(http_answer_free_at) struct http_answer *stolen = browser_post(&thief, path, form);
	page_expect(stolen, 403, "A quick check");
	assert_null(browser_place(&thief));
	refresh_link(stolen, again);
	assert_string_not_equal(again, path);
}

static void a_challenge_that_is_not_ours_is_replaced(void **state)
{
	(void)state;
	struct browser browser = {.url = url, .site = "same-origin"};
	char path[256];
	WR_AUTO(http_answer_free_at)
	struct http_answer *page = browser_look(
		&browser, FIRST("checked") "&challenge=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA");
	refresh_link(page, path);
	assert_non_null(strstr(path, "&challenge="));
	assert_null(strstr(path, "AAAAAAAAAAAAAAAA"));
	assert_null(browser_form(page, "join"));
}

/* ---- the target ---- */

static void the_target_is_carried_from_page_to_page(void **state)
{
	(void)state;
	struct browser browser = {.url = url, .site = "same-origin"};
	WR_AUTO(http_answer_free_at)
	struct http_answer *first = browser_look(&browser, FIRST("open") "&t=" TARGET);
	page_expect_text(first, "name=\"t\" value=\"" TARGET "\"");
	/* An empty room: let in at once. */
	WR_AUTO(http_answer_free_at)
	struct http_answer *joined = browser_press(&browser, FIRST("open"), first, "join");
	page_expect_way_in(joined, "&x=1&y=2");
}

static void the_longest_target_fits_into_the_way_in(void **state)
{
	(void)state;
	struct browser browser = {.url = url, .site = "same-origin"};
	char target[2049], form[3072] = "do=join&lang=en&t=";
	memset(target, 'x', sizeof(target));
	memcpy(target, "https://shop.example/checkout?", 30);
	size_t at = strlen(form);
	at += base64url_encode(target, 2048, form + at);
	form[at] = '\0';
	WR_AUTO(http_answer_free_at)
	struct http_answer *joined = browser_post(&browser, FIRST("wide"), form);
	target[2048] = '\0';
	page_expect_way_in(joined, target + 30);
	assert_non_null(browser_place(&browser));
}

static void the_page_that_led_here_says_the_target_in_its_address(void **state)
{
	(void)state;
	struct browser browser = {.url = url, .site = "same-origin"};
	WR_AUTO(http_answer_free_at)
	struct http_answer *page = browser_request(
		&browser, "GET", FIRST("held"),
		"Referer: http://room.example/q/default/held?lang=en&t=" TARGET "\r\n", NULL);
	page_expect_text(page, "name=\"t\" value=\"" TARGET "\"");
}

static void the_page_that_led_here_says_the_language_unless_the_address_does(void **state)
{
	(void)state;
	struct browser browser = {.url = url, .site = "same-origin"};
	static const char header[] = "Accept-Language: fr\r\n"
								 "Referer: http://room.example/q/default/held?lang=de\r\n";
	WR_AUTO(http_answer_free_at)
	struct http_answer *led = browser_request(&browser, "GET", FIRST("held"), header, NULL);
	page_expect_text(led, "<html lang=\"de\"");
	WR_AUTO(http_answer_free_at)
	struct http_answer *named =
		browser_request(&browser, "GET", FIRST("held") "&lang=nl", header, NULL);
	page_expect_text(named, "<html lang=\"nl\"");
	/* A cache does not look at the Referer, so the page with scripts must not either. */
	WR_AUTO(http_answer_free_at)
	struct http_answer *cached = browser_request(&browser, "GET", "/q/default/held", header, NULL);
	page_expect_text(cached, "<html lang=\"fr\"");
}

static void every_language_is_a_link_on_the_page(void **state)
{
	(void)state;
	struct browser browser = {.url = url, .site = "same-origin"};
	WR_AUTO(http_answer_free_at)
	struct http_answer *page = browser_look(&browser, FIRST("held") "&t=" TARGET);
	page_expect_text(page, "lang=\"de\" href=\"?nojs=1&amp;lang=de&amp;t=" TARGET "\">Deutsch</a>");
	page_expect_text(page, "lang=\"en\" aria-current=\"true\"");
}

static void a_target_that_is_not_allowed_is_refused_in_words(void **state)
{
	/* https://evil.example/, "nonsense" that is no URL, and text that is not base64url */
	static const char *const targets[] = {"aHR0cHM6Ly9ldmlsLmV4YW1wbGUv", "bm9uc2Vuc2U", "A"};
	(void)state;
	for (size_t i = 0; i < COUNT(targets); i++) {
		struct browser browser = {.url = url, .site = "same-origin"};
		char form[128];
		snprintf(form, sizeof(form), "do=join&lang=en&t=%s", targets[i]);
		WR_AUTO(http_answer_free_at)
		struct http_answer *answer = browser_post(&browser, FIRST("held"), form);
		page_expect(answer, 422, "This link does not work here");
		assert_null(browser_place(&browser));
	}
}

static void what_is_brought_along_cannot_break_out_of_the_page(void **state)
{
	static const char *const values[] = {"&t=%22%3E%3Cscript%3E", "&entry=%22onload=x", "&t='>",
										 "&lang=%22%3E", "&stop=%3Cb%3E"};
	(void)state;
	for (size_t i = 0; i < COUNT(values); i++) {
		struct browser browser = {.url = url, .site = "same-origin"};
		char path[128];
		snprintf(path, sizeof(path), "%s%s", FIRST("held"), values[i]);
		WR_AUTO(http_answer_free_at) struct http_answer *page = browser_look(&browser, path);
		page_expect(page, 200, "Join the line");
		page_expect_no_text(page, "<script");
		page_expect_no_text(page, "onload");
		page_expect_no_text(page, "<b>\"");
	}
}

/* ---- forms of others ---- */

static void a_form_on_another_site_changes_nothing(void **state)
{
	static const char *const sites[] = {"cross-site", "same-site", "none", ""};
	static const char *const forms[] = {"do=join&lang=en", "do=leave&lang=en", "do=enter&lang=en"};
	(void)state;
	struct browser browser = {.url = url, .site = "same-origin"};
	browser_join(&browser, FIRST("held"));
	WR_AUTO(mem_free_at) char *token = mem_copy_string(browser_place(&browser));
	for (size_t i = 0; i < COUNT(sites); i++)
		for (size_t k = 0; k < COUNT(forms); k++) {
			browser.site = sites[i];
			WR_AUTO(http_answer_free_at)
			struct http_answer *answer = browser_post(&browser, FIRST("held"), forms[k]);
			page_expect(answer, 403, "This was not asked on our page");
			assert_string_equal(browser_place(&browser), token);
		}
	WR_AUTO(http_answer_free_at) struct http_answer *place = api_poll(url, "/status", token);
	api_expect_place(place, "waiting");
}

static void an_old_browser_proves_by_a_strict_cookie_that_the_form_is_ours(void **state)
{
	(void)state;
	struct browser stranger = {.url = url, .site = NULL}, visitor = {.url = url, .site = NULL};
	WR_AUTO(http_answer_free_at)
	struct http_answer *refused = browser_post(&stranger, FIRST("held"), "do=join&lang=en");
	page_expect(refused, 403, "This was not asked on our page");
	WR_AUTO(http_answer_free_at) struct http_answer *first = browser_look(&visitor, FIRST("held"));
	const char *cookie = strstr(first->head, "wr-form=1;");
	assert_non_null(cookie);
	assert_non_null(strstr(cookie, "HttpOnly; SameSite=Strict"));
	WR_AUTO(http_answer_free_at)
	struct http_answer *joined = browser_press(&visitor, FIRST("held"), first, "join");
	page_expect_redirect(joined, "?nojs=1");
}

static void a_body_that_is_no_form_of_ours_is_refused_in_words(void **state)
{
	static const char *const bodies[] = {"", "do=", "lang=en", "do=dance-dance-dance",
										 "{\"do\":1}"};
	(void)state;
	for (size_t i = 0; i < COUNT(bodies); i++) {
		struct browser browser = {.url = url, .site = "same-origin"};
		WR_AUTO(http_answer_free_at)
		struct http_answer *answer = browser_post(&browser, FIRST("held"), bodies[i]);
		if (strcmp(bodies[i], "do=") == 0)
			page_expect_redirect(answer, "?nojs=1");
		else
			page_expect(answer, 400, "This link does not work here");
		assert_null(browser_place(&browser));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pressing_twice_is_one_place),
		cmocka_unit_test(a_closed_queue_offers_no_form),
		cmocka_unit_test(a_full_queue_says_what_the_operator_says_and_offers_another_try),
		cmocka_unit_test(a_queue_by_invitation_offers_no_form_without_one),
		cmocka_unit_test(an_invitation_takes_the_place_along_from_browser_to_browser),
		cmocka_unit_test(whoever_cannot_solve_a_challenge_waits_and_then_gets_a_button),
		cmocka_unit_test(a_challenge_that_is_not_ours_is_replaced),
		cmocka_unit_test(the_target_is_carried_from_page_to_page),
		cmocka_unit_test(the_longest_target_fits_into_the_way_in),
		cmocka_unit_test(the_page_that_led_here_says_the_target_in_its_address),
		cmocka_unit_test(the_page_that_led_here_says_the_language_unless_the_address_does),
		cmocka_unit_test(every_language_is_a_link_on_the_page),
		cmocka_unit_test(a_target_that_is_not_allowed_is_refused_in_words),
		cmocka_unit_test(what_is_brought_along_cannot_break_out_of_the_page),
		cmocka_unit_test(a_form_on_another_site_changes_nothing),
		cmocka_unit_test(an_old_browser_proves_by_a_strict_cookie_that_the_form_is_ours),
		cmocka_unit_test(a_body_that_is_no_form_of_ours_is_refused_in_words),
	};
	return cmocka_run_group_tests(tests, open_room, shared_stack_close);
}
