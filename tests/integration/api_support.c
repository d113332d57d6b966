/* Support: what has happened to a place, and putting a lost one back. Finding them:
 * api_support_find.c.
 *
 * Nobody waits five minutes here: somebody who was silent has a last heartbeat in the past, put
 * into the store by hand. The relay is off.
 */
#include "support/api.h"
#include "support/browser.h"
#include "support/cmocka.h"
#include "support/shared_stack.h"
#include "support/wait.h"
#include "waitingroom/clock.h"
#include "waitingroom/memory.h"
#include "waitingroom/support_code.h"
#include "waitingroom/token.h"

#include <stdio.h>
#include <string.h>

#define FAST "\"rate_per_minute\":6000000,\"burst\":1000"
#define SHUT "\"capacity\":0," FAST

static const char *url;

static int open_room(void **state)
{
	(void)state;
	stack = stack_start(&(struct stack_options){
		.pods = 1,
		.admitters = 1,
		.without_nats = true,
		.admin_keys = API_ADMIN_KEYS_FILE,
		.env = (const char *const[]){NO_RATE_LIMITS, "WR_RELAY=0", "WR_REAP_INTERVAL_MS=50",
									 "WR_TRUSTED_PROXIES=127.0.0.0/8", NULL},
		.queues =
			QUEUES(QUEUE("past", SHUT) "," QUEUE("lost", SHUT) "," QUEUE("passed", SHUT) "," QUEUE(
				"browser", SHUT) "," QUEUE("plain", SHUT) "," QUEUE("order",
																	SHUT) "," QUEUE("gat"
																					"e",
																					"\"ca"
																					"paci"
																					"ty\""
																					":10"
																					"," FAST))});
	url = stack_url(stack, 0);
	return 0;
}

/* ---- what happens to people ---- */

/* They were last heard so long ago; and so long has somebody listened. */
static void be_silent_for(const char *queue, const char *id, int64_t ms)
{
	WAIT_UNTIL(5000,
			   api_store_number(stack,
								"EVAL \"local c = redis.call('HMGET','wr:{default/%s}:clock',"
								"'since_ms','tick_ms') return c[1] and c[1] < c[2] and 1 or 0\" 0",
								queue) == 1,
			   "pods and admitters listen");
	int64_t heard_ms = clock_wall().ms - ms;
	api_store_number(stack, "HSET wr:{default/%s}:clock since_ms 1", queue);
	api_store_number(stack, "ZADD wr:{default/%s}:heartbeats XX %lld %s", queue,
					 (long long)heard_ms, id);
}

static void set_capacity(const char *queue, int capacity)
{
	char path[64], body[128];
	print_into(path, "/default/%s", queue);
	print_into(body, "{\"capacity\":%d," FAST "}", capacity);
	WR_AUTO(http_answer_free_at)
	struct http_answer *answer = api_admin(stack, 0, "PUT", path, body);
	api_expect_status(answer, 200);
}

static bool has_state(const char *queue, const char *id, char letter)
{
	return api_store_number(stack,
							"EVAL \"return redis.call('HGET','wr:{default/%s}:position:%s','s')"
							"=='%c' and 1 or 0\" 0",
							queue, id, letter) == 1;
}

static char *join_in(const char *queue)
{
	char name[64];
	print_into(name, "default/%s", queue);
	return api_join_present(stack, 0, name);
}

static void expire(const char *queue, const char *id)
{
	be_silent_for(queue, id, 400000);
	WAIT_UNTIL(5000, has_state(queue, id, 'x'), "the place has expired");
}

/* ---- what support does ---- */

static struct http_answer *look(const char *queue, const char *query)
{
	char path[512];
	print_into(path, "/default/%s/places?%s", queue, query);
	return api_admin(stack, 0, "GET", path, NULL);
}

static struct http_answer *look_id(const char *queue, const char *id)
{
	char query[64];
	print_into(query, "id=%s", id);
	return look(queue, query);
}

static struct http_answer *restore(const char *queue, const char *id, const char *more)
{
	char path[64], body[256];
	print_into(path, "/default/%s/restore", queue);
	print_into(body, "{\"position_id\":\"%s\",\"reason\":\"their phone died\"%s}", id, more);
	return api_admin(stack, 0, "POST", path, body);
}

/* The words of the timeline, "joined gap set_aside". gives */
static char *timeline_of(const struct http_answer *answer)
{
	char *words = mem_alloc_zero(1, answer->body_len + 1);
	const char *at = strstr(answer->body, "\"timeline\":");
	while (at != NULL && (at = strstr(at, "\"what\":\"")) != NULL) {
		at += 8;
		if (words[0] != '\0')
			strcat(words, " ");
		strncat(words, at, strcspn(at, "\""));
	}
	return words;
}

static void expect_text(const struct http_answer *answer, const char *text)
{
	if (strstr(answer->body, text) == NULL)
		fail_msg("%s is not in %s", text, answer->body);
}

/* ---- the timeline ---- */

static bool line_is_empty(const char *queue)
{
	char path[64];
	print_into(path, "/queues/default/%s", queue);
	WR_AUTO(http_answer_free_at)
	struct http_answer *answer = http_call(url, "GET", path, NULL, NULL);
	return http_answer_number(answer, "waiting") == 0;
}

static void everything_that_happened_to_somebody_is_told_in_order(void **state)
{
	(void)state;
	WR_AUTO(mem_free_at) char *token = join_in("past");
	WR_AUTO(mem_free_at) char *id = api_position_id(token);
	be_silent_for("past", id, 80000);
	int64_t then = api_score(stack, "default/past", id);
	http_answer_free(api_poll(url, "/heartbeat", token));
	WAIT_UNTIL(5000, api_score(stack, "default/past", id) > then, "they were heard again");
	be_silent_for("past", id, 100000);
	set_capacity("past", 1);
	WAIT_UNTIL(5000, api_store_number(stack, "ZCARD wr:{default/past}:absent") == 1,
			   "they are set aside");
	WAIT_UNTIL(5000, line_is_empty("past"), "the pod's picture knows it");
	WR_AUTO(http_answer_free_at) struct http_answer *aside = look_id("past", id);
	expect_text(aside, "\"state\":\"waiting\"");
	expect_text(aside, "\"stands\":\"aside\",\"position\":null");
	http_answer_free(api_poll(url, "/heartbeat", token));
	WAIT_UNTIL(5000, has_state("past", id, 'a'), "they are let in");
	WR_AUTO(http_answer_free_at) struct http_answer *in = api_poll(url, "/heartbeat", token);
	api_expect_place(in, "admitted");
	WR_AUTO(http_answer_free_at) struct http_answer *claimed = look_id("past", id);
	expect_text(claimed, "\"state\":\"claimed\"");
	WR_AUTO(mem_free_at) char *session = http_answer_text(in, "session_token");
	http_answer_free(api_poll(url, "/session/release", session));
	WAIT_UNTIL(5000, has_state("past", id, 'e'), "the session has ended");

	WR_AUTO(http_answer_free_at) struct http_answer *answer = look_id("past", id);
	api_expect_status(answer, 200);
	api_expect_members(answer, "places:a complete:b as_of_ms:n");
	WR_AUTO(mem_free_at) char *words = timeline_of(answer);
	assert_string_equal(words, "joined gap set_aside returned admitted claimed released");
	expect_text(answer, "\"what\":\"gap\",\"detail\":\"80 s\"");
	expect_text(answer, "\"state\":\"ended\"");
	expect_text(answer, "\"put_back\":0");
}

/* ---- putting back ---- */

/* Of somebody in line; 0: not told yet. */
static int64_t position_of(const char *token)
{
	WR_AUTO(http_answer_free_at) struct http_answer *answer = api_poll(url, "/heartbeat", token);
	api_expect_place(answer, "waiting");
	return http_answer_has(answer, "stale") ? 0 : http_answer_number(answer, "position");
}

static void a_place_that_was_lost_is_put_back_and_let_in_in_order(void **state)
{
	(void)state;
	WR_AUTO(mem_free_at) char *first = join_in("order");
	WR_AUTO(mem_free_at) char *second = join_in("order");
	WR_AUTO(mem_free_at) char *third = join_in("order");
	WR_AUTO(mem_free_at) char *id = api_position_id(second);
	WR_AUTO(mem_free_at) char *third_id = api_position_id(third);
	expire("order", id);
	api_await(url, second, 5000, "place_expired");
	WR_AUTO(http_answer_free_at) struct http_answer *answer = restore("order", id, "");
	api_expect_status(answer, 200);
	api_expect_members(answer, "position_id:s code:s status:s lane:s ticket:n stands:s");
	expect_text(answer,
				"\"status\":\"waiting\",\"lane\":\"main\",\"ticket\":2,\"stands\":\"line\"");
	/* Their token is good again, and their number is what it was. */
	WAIT_UNTIL(5000, position_of(second) == 2, "their number is what it was");
	set_capacity("order", 2);
	WAIT_UNTIL(5000, has_state("order", id, 'a'), "they are let in");
	assert_true(has_state("order", third_id, 'w'));
	WR_AUTO(http_answer_free_at) struct http_answer *shown = look_id("order", id);
	WR_AUTO(mem_free_at) char *words = timeline_of(shown);
	assert_string_equal(words, "joined expired restored admitted");
	expect_text(shown, "\"what\":\"restored\",\"detail\":\"operator\"");
	expect_text(shown, "\"put_back\":1");
}

static void a_place_that_was_passed_goes_to_the_front(void **state)
{
	(void)state;
	WR_AUTO(mem_free_at) char *first = join_in("passed");
	WR_AUTO(mem_free_at) char *id = api_position_id(first);
	WR_AUTO(mem_free_at) char *second = join_in("passed");
	WR_AUTO(mem_free_at) char *second_id = api_position_id(second);
	expire("passed", id);
	set_capacity("passed", 1);
	WAIT_UNTIL(5000, has_state("passed", second_id, 'a'), "the second is let in");
	WR_AUTO(http_answer_free_at) struct http_answer *answer = restore("passed", id, "");
	expect_text(answer, "\"stands\":\"front\"");
	WR_AUTO(http_answer_free_at) struct http_answer *poll = api_poll(url, "/heartbeat", first);
	api_expect_place(poll, "waiting");
	assert_int_equal(http_answer_number(poll, "position"), 1);
}

static void what_cannot_be_put_back_is_said(void **state)
{
	(void)state;
	WR_AUTO(mem_free_at) char *token = join_in("lost");
	WR_AUTO(mem_free_at) char *id = api_position_id(token);
	WR_AUTO(http_answer_free_at) struct http_answer *there = restore("lost", id, "");
	api_expect_problem(there, 409, "conflict");
	WR_AUTO(http_answer_free_at)
	struct http_answer *unknown = restore("lost", "AAAAAAAAAAAAAAAA", "");
	api_expect_problem(unknown, 404, "no_such_place");
	static const char *const more[] = {",\"lane\":\"vip\",\"ticket\":1",
									   ",\"lane\":\"main\",\"ticket\":99",
									   ",\"ticket\":1",
									   ",\"lane\":\"main\",\"ticket\":0",
									   ",\"joined_ms\":\"x\"",
									   ",\"more\":1"};
	for (size_t i = 0; i < COUNT(more); i++) {
		WR_AUTO(http_answer_free_at)
		struct http_answer *answer = restore("lost", "AAAAAAAAAAAAAAAA", more[i]);
		api_expect_problem(answer, 422, "invalid_value");
	}
	WR_AUTO(http_answer_free_at)
	struct http_answer *no_reason = api_admin(stack, 0, "POST", "/default/lost/restore",
											  "{\"position_id\":\"AAAAAAAAAAAAAAAA\"}");
	api_expect_problem(no_reason, 422, "invalid_value");
	WR_AUTO(http_answer_free_at)
	struct http_answer *no_queue = restore("nowhere", "AAAAAAAAAAAAAAAA", "");
	api_expect_problem(no_queue, 404, "no_such_queue");
}

static void a_forgotten_place_is_put_back_by_lane_and_ticket(void **state)
{
	(void)state;
	WR_AUTO(mem_free_at) char *token = join_in("lost");
	WR_AUTO(mem_free_at) char *id = api_position_id(token);
	int64_t ticket = api_store_number(stack,
									  "EVAL \"return tonumber(redis.call('HGET',"
									  "'wr:{default/lost}:position:%s','t'))\" 0",
									  id);
	expire("lost", id);
	api_store_number(stack, "DEL wr:{default/lost}:position:%s", id);
	char more[64];
	print_into(more, ",\"lane\":\"main\",\"ticket\":%lld", (long long)ticket);
	WR_AUTO(http_answer_free_at) struct http_answer *answer = restore("lost", id, more);
	api_expect_status(answer, 200);
	WR_AUTO(http_answer_free_at) struct http_answer *poll = api_poll(url, "/heartbeat", token);
	api_expect_place(poll, "waiting");
}

static void putting_back_is_in_the_audit_with_its_reason(void **state)
{
	(void)state;
	WR_AUTO(mem_free_at) char *token = join_in("lost");
	WR_AUTO(mem_free_at) char *id = api_position_id(token);
	http_answer_free(api_poll(url, "/leave", token));
	http_answer_free(restore("lost", id, ""));
	WR_AUTO(http_answer_free_at)
	struct http_answer *answer =
		api_admin_as(stack, 0, API_ADMIN_KEY, "GET", "/admin/v1/audit?queue=default/lost", NULL);
	api_expect_status(answer, 200);
	expect_text(answer, "\"action\":\"place.restore\"");
	expect_text(answer, "\"before\":{\"state\":\"left\"}");
	char after[160];
	print_into(
		after,
		"\"after\":{\"position_id\":\"%s\",\"state\":\"waiting\",\"reason\":\"their phone died\"}",
		id);
	expect_text(answer, after);
}

/* ---- sessions ---- */

static int at_the_gate(const char *session)
{
	char headers[2048];
	print_into(headers, "X-Original-URL: https://shop.example/\r\nCookie: wr-session-gate=%s\r\n",
			   session);
	WR_AUTO(http_answer_free_at)
	struct http_answer *answer =
		http_call(url, "GET", "/authz/nginx?queue=default/gate", headers, NULL);
	return answer->status;
}

static void whoever_was_sent_away_by_mistake_is_let_in_with_a_new_session(void **state)
{
	(void)state;
	WR_AUTO(http_answer_free_at) struct http_answer *in = api_enqueue(url, "gate", NULL);
	WR_AUTO(mem_free_at) char *session = http_answer_text(in, "session_token");
	WR_AUTO(mem_free_at) char *token = http_answer_text(in, "token");
	WR_AUTO(mem_free_at) char *id = api_position_id(token);
	assert_int_equal(at_the_gate(session), 200);
	char body[64];
	print_into(body, "{\"position_id\":\"%s\"}", id);
	http_answer_free(api_admin(stack, 0, "POST", "/default/gate/revoke", body));
	WAIT_UNTIL(5000, at_the_gate(session) == 401, "the session is refused");
	http_answer_free(restore("gate", id, ""));
	WAIT_UNTIL(5000, has_state("gate", id, 'a'), "they are let in");
	assert_int_equal(at_the_gate(session), 401);
	WR_AUTO(http_answer_free_at) struct http_answer *again = api_poll(url, "/heartbeat", token);
	api_expect_place(again, "admitted");
	WR_AUTO(mem_free_at) char *fresh = http_answer_text(again, "session_token");
	WAIT_UNTIL(5000, at_the_gate(fresh) == 200, "the new session is good");
}

/* ---- the visitor's own page ---- */

static struct http_answer *beat(struct browser *browser)
{
	return browser_request(browser, "POST", "/heartbeat?queue=default/browser&claim=0", "", "");
}

static void a_page_that_is_loaded_again_shows_the_place_that_was_put_back(void **state)
{
	(void)state;
	struct browser browser = {.url = url, .site = "same-origin"};
	browser_join(&browser, "/q/default/browser?nojs=1");
	WR_AUTO(mem_free_at) char *id = api_position_id(browser_place(&browser));
	WR_AUTO(http_answer_free_at) struct http_answer *before = beat(&browser);
	api_expect_place(before, "waiting");
	expire("browser", id);
	api_await(url, browser_place(&browser), 5000, "place_expired");
	WR_AUTO(http_answer_free_at) struct http_answer *over = beat(&browser);
	api_expect_problem(over, 410, "place_expired");
	assert_null(browser_place(&browser));
	WR_AUTO(http_answer_free_at) struct http_answer *none = beat(&browser);
	api_expect_status(none, 204); /* whoever comes again joins as anybody does */
	http_answer_free(restore("browser", id, ""));
	WR_AUTO(http_answer_free_at) struct http_answer *back = beat(&browser);
	api_expect_place(back, "waiting");
	WR_AUTO(mem_free_at) char *own = http_answer_text(back, "position_id");
	assert_string_equal(own, id);
	assert_non_null(browser_place(&browser));
	WR_AUTO(http_answer_free_at) struct http_answer *again = beat(&browser);
	api_expect_place(again, "waiting");
}

static void whoever_joins_again_right_after_leaving_has_no_place(void **state)
{
	(void)state;
	for (int i = 0; i < 10; i++) { /* most of the time the pod's picture still has them in line */
		struct browser browser = {.url = url, .site = "same-origin"};
		browser_join(&browser, "/q/default/browser?nojs=1");
		api_await_position(stack, 0, browser_place(&browser));
		WR_AUTO(http_answer_free_at)
		struct http_answer *left =
			browser_request(&browser, "POST", "/leave?queue=default/browser", "", "");
		api_expect_status(left, 200);
		WR_AUTO(http_answer_free_at) struct http_answer *none = beat(&browser);
		api_expect_status(none, 204);
	}
}

static void a_page_without_scripts_does_so_too_and_names_the_code(void **state)
{
	(void)state;
	struct browser browser = {.url = url, .site = "same-origin"};
	browser_join(&browser, "/q/default/plain?nojs=1");
	WR_AUTO(mem_free_at) char *id = api_position_id(browser_place(&browser));
	char code[SUPPORT_CODE_CHARS + 1];
	support_code_print(id, code);
	http_answer_free(api_poll(url, "/heartbeat", browser_place(&browser)));
	WR_AUTO(http_answer_free_at)
	struct http_answer *waits = browser_look(&browser, "/q/default/plain?nojs=1");
	page_expect_text(waits, code);
	expire("plain", id);
	api_await(url, browser_place(&browser), 5000, "place_expired");
	WR_AUTO(http_answer_free_at)
	struct http_answer *over = browser_look(&browser, "/q/default/plain?nojs=1");
	api_expect_status(over, 410);
	page_expect_text(over, code);
	WR_AUTO(http_answer_free_at)
	struct http_answer *none = browser_look(&browser, "/q/default/plain?nojs=1");
	api_expect_status(none, 200);
	page_expect_no_text(none, code);
	http_answer_free(restore("plain", id, ""));
	WR_AUTO(http_answer_free_at)
	struct http_answer *back = browser_look(&browser, "/q/default/plain?nojs=1");
	page_expect_text(back, code);
	assert_non_null(browser_place(&browser));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(everything_that_happened_to_somebody_is_told_in_order),
		cmocka_unit_test(a_place_that_was_lost_is_put_back_and_let_in_in_order),
		cmocka_unit_test(a_place_that_was_passed_goes_to_the_front),
		cmocka_unit_test(what_cannot_be_put_back_is_said),
		cmocka_unit_test(a_forgotten_place_is_put_back_by_lane_and_ticket),
		cmocka_unit_test(putting_back_is_in_the_audit_with_its_reason),
		cmocka_unit_test(whoever_was_sent_away_by_mistake_is_let_in_with_a_new_session),
		cmocka_unit_test(a_page_that_is_loaded_again_shows_the_place_that_was_put_back),
		cmocka_unit_test(whoever_joins_again_right_after_leaving_has_no_place),
		cmocka_unit_test(a_page_without_scripts_does_so_too_and_names_the_code),
	};
	return cmocka_run_group_tests(tests, open_room, shared_stack_close);
}
