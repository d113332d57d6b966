/* The whole way through the room for a browser without scripts: forms, links, cookies.
 *
 * One pod with one worker; people are let in by an operator's order. The browser of these tests keeps
 * cookies and follows what the pages say: it knows no address but the first.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/api.h"
#include "support/cmocka.h"
#include "support/entry_sign.h"
#include "support/wait.h"
#include "waitingroom/memory.h"
#include "waitingroom/text.h"

#define TARGETS "\"allowed_targets\":[\"https://shop.example/\"]"
#define INVITED "\"entry\":\"signed\",\"entry_keys\":" ENTRY_KEYS_JSON
#define SHORT                                                                                      \
	HELD ",\"heartbeat_ttl_ms\":6000,\"absent_after_ms\":3000,\"poll_min_ms\":500,\"poll_max_"     \
		 "ms\":1000"

/* clang-format off */
static const char queues[] = QUEUES(
	QUEUE("held", HELD "," TARGETS) ","
	QUEUE("turn", HELD "," TARGETS) ","
	QUEUE("checked", HELD ",\"challenge\":\"pow\"") ","
	QUEUE("invited", HELD "," INVITED) ","
	QUEUE("nowhere", HELD) ","
	QUEUE("short", SHORT) ","
	QUEUE("open", TARGETS) ","
	QUEUE("wide", TARGETS) ","
	QUEUE("closed", "\"state\":\"closed\""));
/* clang-format on */

static struct stack *stack;
static const char *url;

static int open_room(void **state)
{
	(void)state;
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

static int close_room(void **state)
{
	(void)state;
	stack_free(stack);
	return 0;
}

/* ---- a browser ---- */

struct browser {
	char cookies[8][1200]; /* "name=value"; "" is a free one */
	const char *site;	   /* Sec-Fetch-Site of what it posts; NULL: an old browser */
};

static void keep_cookie(struct browser *browser, const char *field)
{
	size_t name = strcspn(field, "=") + 1, len = strcspn(field, ";"), free_one = 0;
	for (size_t i = COUNT(browser->cookies); i-- > 0;) {
		if (strncmp(browser->cookies[i], field, name) == 0)
			browser->cookies[i][0] = '\0';
		if (browser->cookies[i][0] == '\0')
			free_one = i;
	}
	if (strstr(field, "Max-Age=0") == NULL)
		snprintf(browser->cookies[free_one], sizeof(browser->cookies[0]), "%.*s", (int)len, field);
}

/* Every Set-Cookie line of the answer. */
static void keep_cookies(struct browser *browser, const struct http_answer *answer)
{
	static const char name[] = "\r\nSet-Cookie: ";
	for (const char *at = answer->head; (at = strstr(at, name)) != NULL; at++)
		keep_cookie(browser, at + sizeof(name) - 1);
}

static struct http_answer *request(struct browser *browser, const char *method, const char *path,
								   const char *more, const char *body)
{
	char headers[8192];
	int len = snprintf(headers, sizeof(headers), "%sCookie: theme=dark", more);
	for (size_t i = 0; i < COUNT(browser->cookies); i++)
		if (browser->cookies[i][0] != '\0')
			len +=
				snprintf(headers + len, sizeof(headers) - (size_t)len, "; %s", browser->cookies[i]);
	snprintf(headers + len, sizeof(headers) - (size_t)len, "\r\n");
	struct http_answer *answer = http_call(url, method, path, headers, body);
	keep_cookies(browser, answer);
	return answer;
}

static struct http_answer *look(struct browser *browser, const char *path)
{
	return request(browser, "GET", path, "", NULL);
}

static struct http_answer *post(struct browser *browser, const char *path, const char *form)
{
	char more[160];
	snprintf(more, sizeof(more), "Content-Type: application/x-www-form-urlencoded\r\n%s%s%s",
			 browser->site != NULL ? "Sec-Fetch-Site: " : "",
			 browser->site != NULL ? browser->site : "", browser->site != NULL ? "\r\n" : "");
	return request(browser, "POST", path, more, form);
}

/* The fields of the form whose "do" is this, as a browser would send them; gives. NULL: none. */
static char *form_of(const struct http_answer *page, const char *what)
{
	char *form = mem_alloc_zero(1, 4096);
	for (const char *at = page->body; (at = strstr(at, "<form")) != NULL; at++) {
		const char *end = strstr(at, "</form>");
		form[0] = '\0';
		for (const char *field = at; (field = strstr(field, "name=\"")) != NULL && field < end;) {
			field += 6;
			size_t name = strcspn(field, "\"");
			const char *value = strstr(field, "value=\"") + 7;
			size_t len = strlen(form);
			snprintf(form + len, 4096 - len, "%s%.*s=%.*s", len > 0 ? "&" : "", (int)name, field,
					 (int)strcspn(value, "\""), value);
		}
		char wanted[32];
		snprintf(wanted, sizeof(wanted), "do=%s&", what);
		if (strncmp(form, wanted, strlen(wanted)) == 0)
			return form;
	}
	free(form);
	return NULL;
}

/* Presses the button of a page. */
static struct http_answer *press(struct browser *browser, const char *path,
								 const struct http_answer *page, const char *what)
{
	WR_AUTO(mem_free_at) char *form = form_of(page, what);
	assert_non_null(form);
	return post(browser, path, form);
}

static void expect_text(const struct http_answer *page, const char *text)
{
	if (strstr(page->body, text) == NULL)
		fail_msg("no \"%s\" in: %s", text, page->body);
}

static void expect_no_text(const struct http_answer *page, const char *text)
{
	if (strstr(page->body, text) != NULL)
		fail_msg("\"%s\" in: %s", text, page->body);
}

static void expect_page(const struct http_answer *page, int status, const char *heading)
{
	char element[256];
	api_expect_status(page, status);
	assert_string_equal(http_answer_header(page, "Content-Type"), "text/html; charset=utf-8");
	assert_string_equal(http_answer_header(page, "Cache-Control"), "no-store");
	snprintf(element, sizeof(element), "<h1>%s</h1>", heading);
	expect_text(page, element);
}

static void expect_redirect(const struct http_answer *answer, const char *where)
{
	api_expect_status(answer, 303);
	const char *location = http_answer_header(answer, "Location");
	assert_non_null(location);
	if (strncmp(location, where, strlen(where)) != 0)
		fail_msg("led to %s instead of %s", location, where);
}

/* To the site, with a pass in the address and the rest as it was asked for. */
static void expect_way_in(const struct http_answer *answer, const char *end)
{
	expect_redirect(answer, "https://shop.example/checkout?wr_pass=");
	const char *location = http_answer_header(answer, "Location");
	size_t len = strlen(location), end_len = strlen(end);
	assert_true(len > end_len);
	assert_string_equal(location + len - end_len, end);
}

static const char *place_cookie(const struct browser *browser)
{
	for (size_t i = 0; i < COUNT(browser->cookies); i++)
		if (strncmp(browser->cookies[i], "wr-place-", 9) == 0)
			return strchr(browser->cookies[i], '=') + 1;
	return NULL;
}

/* From the first address to a place in line. */
static void join(struct browser *browser, const char *path)
{
	WR_AUTO(http_answer_free_at) struct http_answer *first = look(browser, path);
	expect_page(first, 200, "Join the line");
	WR_AUTO(http_answer_free_at) struct http_answer *joined = press(browser, path, first, "join");
	expect_redirect(joined, "?nojs=1&lang=en");
	assert_non_null(place_cookie(browser));
}

/* Lets the browser's place in: it has to be there when its turn comes. */
static void let_in(struct browser *browser, const char *path, const char *queue)
{
	WR_AUTO(mem_free_at) char *token = mem_copy_string(place_cookie(browser));
	WR_AUTO(mem_free_at) char *id = api_position_id(token);
	WR_AUTO(http_answer_free_at) struct http_answer *seen = look(browser, path);
	api_expect_status(seen, 200);
	WAIT_UNTIL(5000, api_score(stack, queue, id) > 0, "the place is known to be there");
	api_admit(stack, queue, 1);
}

#define FIRST(queue) "/q/default/" queue "?nojs=1"
/* base64url of https://shop.example/checkout?x=1&y=2 */
#define TARGET "aHR0cHM6Ly9zaG9wLmV4YW1wbGUvY2hlY2tvdXQ_eD0xJnk9Mg"

/* ---- joining ---- */

static void a_form_takes_a_place_and_the_page_shows_it(void **state)
{
	(void)state;
	struct browser browser = {.site = "same-origin"};
	join(&browser, FIRST("held"));
	/* For a moment the pod's picture does not have the place, and no number can be told. */
	WR_AUTO(http_answer_free_at) struct http_answer *page = look(&browser, FIRST("held"));
	if (strstr(page->body, "One moment") != NULL) {
		expect_no_text(page, "We cannot be reached");
		assert_string_equal(http_answer_header(page, "Refresh"), "1");
	}
	api_await_position(url, place_cookie(&browser));
	http_answer_free(page);
	page = look(&browser, FIRST("held"));
	expect_page(page, 200, "We open soon"); /* the queue is on hold */
	expect_text(page, "<dt>people ahead of you</dt>");
	expect_text(page, "Leave the line");
	assert_string_equal(http_answer_header(page, "Refresh"), "20");
}

static void looking_keeps_the_place_as_a_heartbeat_does(void **state)
{
	(void)state;
	struct browser browser = {.site = "same-origin"};
	join(&browser, FIRST("held"));
	WR_AUTO(mem_free_at) char *id = api_position_id(place_cookie(&browser));
	assert_true(api_score(stack, "default/held", id) < 0);
	WR_AUTO(http_answer_free_at) struct http_answer *page = look(&browser, FIRST("held"));
	api_expect_status(page, 200);
	WAIT_UNTIL(5000, api_score(stack, "default/held", id) > 0, "the look was a heartbeat");
}

static void pressing_twice_is_one_place(void **state)
{
	(void)state;
	struct browser browser = {.site = "same-origin"}, impatient = {.site = "same-origin"};
	WR_AUTO(http_answer_free_at) struct http_answer *first = look(&browser, FIRST("held"));
	WR_AUTO(http_answer_free_at)
	struct http_answer *one = press(&browser, FIRST("held"), first, "join");
	/* The first answer has not arrived yet: no cookie. */
	WR_AUTO(http_answer_free_at)
	struct http_answer *two = press(&impatient, FIRST("held"), first, "join");
	expect_redirect(one, "?nojs=1");
	expect_redirect(two, "?nojs=1");
	WR_AUTO(mem_free_at) char *a = api_position_id(place_cookie(&browser));
	WR_AUTO(mem_free_at) char *b = api_position_id(place_cookie(&impatient));
	assert_string_equal(a, b);
	/* And later, from an old page in the history, with the cookie. */
	WR_AUTO(mem_free_at) char *before = mem_copy_string(place_cookie(&browser));
	WR_AUTO(http_answer_free_at)
	struct http_answer *three = post(&browser, FIRST("held"), "do=join&lang=en");
	expect_redirect(three, "?nojs=1");
	assert_string_equal(place_cookie(&browser), before);
}

static void a_closed_queue_offers_no_form(void **state)
{
	(void)state;
	struct browser browser = {.site = "same-origin"};
	WR_AUTO(http_answer_free_at) struct http_answer *page = look(&browser, FIRST("closed"));
	expect_page(page, 200, "The line is closed");
	assert_null(form_of(page, "join"));
	WR_AUTO(http_answer_free_at)
	struct http_answer *tried = post(&browser, FIRST("closed"), "do=join&lang=en");
	expect_page(tried, 410, "The line is closed");
}

static void a_queue_by_invitation_offers_no_form_without_one(void **state)
{
	(void)state;
	struct browser browser = {.site = "same-origin"};
	WR_AUTO(http_answer_free_at) struct http_answer *page = look(&browser, FIRST("invited"));
	expect_page(page, 200, "By invitation only");
	assert_null(form_of(page, "join"));
}

static void an_invitation_takes_the_place_along_from_browser_to_browser(void **state)
{
	(void)state;
	struct browser laptop = {.site = "same-origin"}, phone = {.site = "same-origin"};
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
	join(&laptop, path);
	join(&phone, path);
	WR_AUTO(mem_free_at) char *first = api_position_id(place_cookie(&laptop));
	WR_AUTO(mem_free_at) char *second = api_position_id(place_cookie(&phone));
	assert_string_equal(first, second);

	WR_AUTO(http_answer_free_at) struct http_answer *page = NULL;
	WAIT_UNTIL(5000, (http_answer_free(page), page = look(&laptop, path), page->status == 409),
			   "the laptop is told that the place has moved");
	expect_page(page, 409, "Your place has moved");
	WR_AUTO(http_answer_free_at) struct http_answer *back = press(&laptop, path, page, "join");
	expect_redirect(back, "?nojs=1");
	WR_AUTO(http_answer_free_at) struct http_answer *taken = NULL;
	WAIT_UNTIL(
		5000,
		(http_answer_free(taken), taken = look(&phone, FIRST("invited")), taken->status == 409),
		"now the phone is told");
	/* Without the invitation there is nothing to take it back with. */
	expect_page(taken, 409, "Your place has moved");
	assert_null(form_of(taken, "join"));
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
	struct browser browser = {.site = "same-origin"};
	char path[256], waiting[256], again[256];
	WR_AUTO(http_answer_free_at) struct http_answer *first = look(&browser, FIRST("checked"));
	expect_page(first, 200, "Join the line");
	expect_text(first, "please wait 5 seconds");
	assert_null(form_of(first, "join"));
	refresh_link(first, path);
	assert_non_null(strstr(path, "&challenge="));
	/* Too early: the same challenge goes on, so that nobody waits longer for having looked. */
	WR_AUTO(http_answer_free_at) struct http_answer *early = look(&browser, path);
	refresh_link(early, waiting);
	assert_string_equal(waiting, path);
	char form[256];
	snprintf(form, sizeof(form), "do=join&lang=en&challenge=%s", strstr(path, "challenge=") + 10);
	WR_AUTO(http_answer_free_at) struct http_answer *pressed = post(&browser, path, form);
	expect_page(pressed, 403, "A quick check");
	refresh_link(pressed, again);
	assert_string_equal(again, path);
	assert_null(place_cookie(&browser));

	WR_AUTO(http_answer_free_at) struct http_answer *page = NULL;
	WAIT_UNTIL(10000,
			   (http_answer_free(page), page = look(&browser, path),
				strstr(page->body, ">Join the line</button>") != NULL),
			   "the page has a button");
	assert_null(http_answer_header(page, "Refresh"));
	WR_AUTO(http_answer_free_at) struct http_answer *joined = press(&browser, path, page, "join");
	expect_redirect(joined, "?nojs=1");
	assert_non_null(place_cookie(&browser));

	/* It is redeemed: somebody else gets a fresh one. */
	struct browser thief = {.site = "same-origin"};
	WR_AUTO(http_answer_free_at) struct http_answer *stolen = post(&thief, path, form);
	expect_page(stolen, 403, "A quick check");
	assert_null(place_cookie(&thief));
	refresh_link(stolen, again);
	assert_string_not_equal(again, path);
}

static void a_challenge_that_is_not_ours_is_replaced(void **state)
{
	(void)state;
	struct browser browser = {.site = "same-origin"};
	char path[256];
	WR_AUTO(http_answer_free_at)
	struct http_answer *page =
		look(&browser, FIRST("checked") "&challenge=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA");
	refresh_link(page, path);
	assert_non_null(strstr(path, "&challenge="));
	assert_null(strstr(path, "AAAAAAAAAAAAAAAA"));
	assert_null(form_of(page, "join"));
}

/* ---- the target ---- */

static void the_target_is_carried_from_page_to_page(void **state)
{
	(void)state;
	struct browser browser = {.site = "same-origin"};
	WR_AUTO(http_answer_free_at)
	struct http_answer *first = look(&browser, FIRST("open") "&t=" TARGET);
	expect_text(first, "name=\"t\" value=\"" TARGET "\"");
	/* An empty room: let in at once. */
	WR_AUTO(http_answer_free_at)
	struct http_answer *joined = press(&browser, FIRST("open"), first, "join");
	expect_way_in(joined, "&x=1&y=2");
}

static void the_longest_target_fits_into_the_way_in(void **state)
{
	(void)state;
	struct browser browser = {.site = "same-origin"};
	char target[2049], form[3072] = "do=join&lang=en&t=";
	memset(target, 'x', sizeof(target));
	memcpy(target, "https://shop.example/checkout?", 30);
	size_t at = strlen(form);
	at += base64url_encode(target, 2048, form + at);
	form[at] = '\0';
	WR_AUTO(http_answer_free_at) struct http_answer *joined = post(&browser, FIRST("wide"), form);
	target[2048] = '\0';
	expect_way_in(joined, target + 30);
	assert_non_null(place_cookie(&browser));
}

static void the_page_that_led_here_says_the_target_in_its_address(void **state)
{
	(void)state;
	struct browser browser = {.site = "same-origin"};
	WR_AUTO(http_answer_free_at)
	struct http_answer *page =
		request(&browser, "GET", FIRST("held"),
				"Referer: http://room.example/q/default/held?lang=en&t=" TARGET "\r\n", NULL);
	expect_text(page, "name=\"t\" value=\"" TARGET "\"");
}

static void the_page_that_led_here_says_the_language_unless_the_address_does(void **state)
{
	(void)state;
	struct browser browser = {.site = "same-origin"};
	static const char header[] = "Accept-Language: fr\r\n"
								 "Referer: http://room.example/q/default/held?lang=de\r\n";
	WR_AUTO(http_answer_free_at)
	struct http_answer *led = request(&browser, "GET", FIRST("held"), header, NULL);
	expect_text(led, "<html lang=\"de\"");
	WR_AUTO(http_answer_free_at)
	struct http_answer *named = request(&browser, "GET", FIRST("held") "&lang=nl", header, NULL);
	expect_text(named, "<html lang=\"nl\"");
	/* A cache does not look at the Referer, so the page with scripts must not either. */
	WR_AUTO(http_answer_free_at)
	struct http_answer *cached = request(&browser, "GET", "/q/default/held", header, NULL);
	expect_text(cached, "<html lang=\"fr\"");
}

static void every_language_is_a_link_on_the_page(void **state)
{
	(void)state;
	struct browser browser = {.site = "same-origin"};
	WR_AUTO(http_answer_free_at)
	struct http_answer *page = look(&browser, FIRST("held") "&t=" TARGET);
	expect_text(page, "lang=\"de\" href=\"?nojs=1&amp;lang=de&amp;t=" TARGET "\">Deutsch</a>");
	expect_text(page, "lang=\"en\" aria-current=\"true\"");
}

static void a_target_that_is_not_allowed_is_refused_in_words(void **state)
{
	/* https://evil.example/, "nonsense" that is no URL, and text that is not base64url */
	static const char *const targets[] = {"aHR0cHM6Ly9ldmlsLmV4YW1wbGUv", "bm9uc2Vuc2U", "A"};
	(void)state;
	for (size_t i = 0; i < COUNT(targets); i++) {
		struct browser browser = {.site = "same-origin"};
		char form[128];
		snprintf(form, sizeof(form), "do=join&lang=en&t=%s", targets[i]);
		WR_AUTO(http_answer_free_at)
		struct http_answer *answer = post(&browser, FIRST("held"), form);
		expect_page(answer, 422, "This link does not work here");
		assert_null(place_cookie(&browser));
	}
}

static void what_is_brought_along_cannot_break_out_of_the_page(void **state)
{
	static const char *const values[] = {"&t=%22%3E%3Cscript%3E", "&entry=%22onload=x", "&t='>",
										 "&lang=%22%3E", "&stop=%3Cb%3E"};
	(void)state;
	for (size_t i = 0; i < COUNT(values); i++) {
		struct browser browser = {.site = "same-origin"};
		char path[128];
		snprintf(path, sizeof(path), "%s%s", FIRST("held"), values[i]);
		WR_AUTO(http_answer_free_at) struct http_answer *page = look(&browser, path);
		expect_page(page, 200, "Join the line");
		expect_no_text(page, "<script");
		expect_no_text(page, "onload");
		expect_no_text(page, "<b>\"");
	}
}

/* ---- stopping the refresh ---- */

static void the_refresh_can_be_stopped_and_started_again(void **state)
{
	(void)state;
	struct browser browser = {.site = "same-origin"};
	join(&browser, FIRST("held"));
	api_await_position(url, place_cookie(&browser));
	WR_AUTO(http_answer_free_at) struct http_answer *moving = look(&browser, FIRST("held"));
	expect_text(moving, "&amp;stop=1\">Stop automatic refresh</a>");
	WR_AUTO(http_answer_free_at)
	struct http_answer *still = look(&browser, FIRST("held") "&stop=1");
	assert_null(http_answer_header(still, "Refresh"));
	expect_text(still, "Automatic refresh is off.");
	expect_text(still, "at least every 5 min");
	expect_text(still, "\">Refresh automatically</a>");
	expect_text(still, "\">Check my place now</a>");
}

static void a_place_that_is_held_shortly_is_refreshed_often(void **state)
{
	(void)state;
	struct browser browser = {.site = "same-origin"};
	join(&browser, FIRST("short"));
	api_await_position(url, place_cookie(&browser));
	WR_AUTO(http_answer_free_at) struct http_answer *page = look(&browser, FIRST("short"));
	assert_string_equal(http_answer_header(page, "Refresh"), "2");
}

/* ---- the turn ---- */

static void the_turn_is_a_button_that_leads_to_the_site(void **state)
{
	(void)state;
	struct browser browser = {.site = "same-origin"};
	join(&browser, FIRST("turn") "&t=" TARGET);
	let_in(&browser, FIRST("turn"), "default/turn");
	WR_AUTO(http_answer_free_at) struct http_answer *page = NULL;
	WAIT_UNTIL(5000,
			   (http_answer_free(page), page = look(&browser, FIRST("turn")),
				strstr(page->body, "It is your turn") != NULL),
			   "the page says that it is the turn");
	expect_page(page, 200, "It is your turn");
	expect_no_text(page, "wr_pass"); /* a pass lives for two minutes only; the button makes one */
	/* Chromium holds a form's redirect against the policy, too. */
	assert_non_null(
		strstr(http_answer_header(page, "Content-Security-Policy"), "form-action 'self' https:;"));
	WR_AUTO(http_answer_free_at)
	struct http_answer *entered = press(&browser, FIRST("turn"), page, "enter");
	expect_way_in(entered, "&x=1&y=2");
}

static void a_turn_without_a_target_says_that_one_may_go(void **state)
{
	(void)state;
	struct browser browser = {.site = "same-origin"};
	join(&browser, FIRST("nowhere"));
	let_in(&browser, FIRST("nowhere"), "default/nowhere");
	WAIT_UNTIL(5000, ({
				   WR_AUTO(http_answer_free_at)
				   struct http_answer *page = look(&browser, FIRST("nowhere"));
				   strstr(page->body, "You can go back to the site now.") != NULL;
			   }),
			   "the page says that one may go");
}

static void wanting_in_too_early_leads_back_to_the_place(void **state)
{
	(void)state;
	struct browser browser = {.site = "same-origin"};
	join(&browser, FIRST("held"));
	WR_AUTO(http_answer_free_at)
	struct http_answer *answer = post(&browser, FIRST("held"), "do=enter&lang=en");
	expect_redirect(answer, "?nojs=1&lang=en");
}

/* ---- leaving, and being too late ---- */

static void leaving_asks_first_and_then_gives_the_place_up(void **state)
{
	(void)state;
	struct browser browser = {.site = "same-origin"};
	join(&browser, FIRST("held"));
	WR_AUTO(mem_free_at) char *token = mem_copy_string(place_cookie(&browser));
	WR_AUTO(http_answer_free_at)
	struct http_answer *asked = look(&browser, FIRST("held") "&leave=1");
	expect_page(asked, 200, "Leave the line?");
	expect_text(asked, "\">Stay in line</a>");
	assert_non_null(place_cookie(&browser));
	WR_AUTO(http_answer_free_at)
	struct http_answer *left = press(&browser, FIRST("held"), asked, "leave");
	expect_redirect(left, "?nojs=1&lang=en&left=1");
	assert_null(place_cookie(&browser));
	api_await(url, token, 5000, "place_left");
	WR_AUTO(http_answer_free_at)
	struct http_answer *after = look(&browser, FIRST("held") "&left=1");
	expect_page(after, 200, "You have left the line");
	WR_AUTO(http_answer_free_at)
	struct http_answer *again = press(&browser, FIRST("held"), after, "join");
	expect_redirect(again, "?nojs=1");
}

static void a_place_that_was_given_up_is_explained_and_can_be_taken_anew(void **state)
{
	(void)state;
	struct browser browser = {.site = "same-origin"};
	join(&browser, FIRST("held"));
	WR_AUTO(http_answer_free_at)
	struct http_answer *left =
		api_poll(url, "/leave", place_cookie(&browser)); /* in another window, with scripts */
	api_expect_status(left, 200);
	WR_AUTO(http_answer_free_at) struct http_answer *page = NULL;
	WAIT_UNTIL(5000,
			   (http_answer_free(page), page = look(&browser, FIRST("held")), page->status == 410),
			   "the page says that the place is gone");
	expect_page(page, 410, "You have left the line");
	assert_null(place_cookie(&browser));
	WR_AUTO(http_answer_free_at)
	struct http_answer *again = press(&browser, FIRST("held"), page, "join");
	expect_redirect(again, "?nojs=1");
	assert_non_null(place_cookie(&browser));
}

/* ---- forms of others ---- */

static void a_form_on_another_site_changes_nothing(void **state)
{
	static const char *const sites[] = {"cross-site", "same-site", "none", ""};
	static const char *const forms[] = {"do=join&lang=en", "do=leave&lang=en", "do=enter&lang=en"};
	(void)state;
	struct browser browser = {.site = "same-origin"};
	join(&browser, FIRST("held"));
	WR_AUTO(mem_free_at) char *token = mem_copy_string(place_cookie(&browser));
	for (size_t i = 0; i < COUNT(sites); i++)
		for (size_t k = 0; k < COUNT(forms); k++) {
			browser.site = sites[i];
			WR_AUTO(http_answer_free_at)
			struct http_answer *answer = post(&browser, FIRST("held"), forms[k]);
			expect_page(answer, 403, "This was not asked on our page");
			assert_string_equal(place_cookie(&browser), token);
		}
	WR_AUTO(http_answer_free_at) struct http_answer *place = api_poll(url, "/status", token);
	api_expect_place(place, "waiting");
}

static void an_old_browser_proves_by_a_strict_cookie_that_the_form_is_ours(void **state)
{
	(void)state;
	struct browser stranger = {.site = NULL}, visitor = {.site = NULL};
	WR_AUTO(http_answer_free_at)
	struct http_answer *refused = post(&stranger, FIRST("held"), "do=join&lang=en");
	expect_page(refused, 403, "This was not asked on our page");
	WR_AUTO(http_answer_free_at) struct http_answer *first = look(&visitor, FIRST("held"));
	const char *cookie = strstr(first->head, "wr-form=1;");
	assert_non_null(cookie);
	assert_non_null(strstr(cookie, "HttpOnly; SameSite=Strict"));
	WR_AUTO(http_answer_free_at)
	struct http_answer *joined = press(&visitor, FIRST("held"), first, "join");
	expect_redirect(joined, "?nojs=1");
}

static void a_body_that_is_no_form_of_ours_is_refused_in_words(void **state)
{
	static const char *const bodies[] = {"", "do=", "lang=en", "do=dance-dance-dance",
										 "{\"do\":1}"};
	(void)state;
	for (size_t i = 0; i < COUNT(bodies); i++) {
		struct browser browser = {.site = "same-origin"};
		WR_AUTO(http_answer_free_at)
		struct http_answer *answer = post(&browser, FIRST("held"), bodies[i]);
		if (strcmp(bodies[i], "do=") == 0)
			expect_redirect(answer, "?nojs=1");
		else
			expect_page(answer, 400, "This link does not work here");
		assert_null(place_cookie(&browser));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_form_takes_a_place_and_the_page_shows_it),
		cmocka_unit_test(looking_keeps_the_place_as_a_heartbeat_does),
		cmocka_unit_test(pressing_twice_is_one_place),
		cmocka_unit_test(a_closed_queue_offers_no_form),
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
		cmocka_unit_test(the_refresh_can_be_stopped_and_started_again),
		cmocka_unit_test(a_place_that_is_held_shortly_is_refreshed_often),
		cmocka_unit_test(the_turn_is_a_button_that_leads_to_the_site),
		cmocka_unit_test(a_turn_without_a_target_says_that_one_may_go),
		cmocka_unit_test(wanting_in_too_early_leads_back_to_the_place),
		cmocka_unit_test(leaving_asks_first_and_then_gives_the_place_up),
		cmocka_unit_test(a_place_that_was_given_up_is_explained_and_can_be_taken_anew),
		cmocka_unit_test(a_form_on_another_site_changes_nothing),
		cmocka_unit_test(an_old_browser_proves_by_a_strict_cookie_that_the_form_is_ours),
		cmocka_unit_test(a_body_that_is_no_form_of_ours_is_refused_in_words),
	};
	return cmocka_run_group_tests(tests, open_room, close_room);
}
