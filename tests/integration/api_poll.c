/* What a visitor with a place can do: poll, look, leave; be let in, and end the session.
 *
 * One stack for all tests. People are let in by an operator's order, so that nothing depends on how
 * fast the admitter is; the admitter expires what has run out. The pod has one worker, so that
 * requests on one connection and the heartbeats that go out are in one order.
 */
#include "support/api.h"
#include "support/cmocka.h"
#include "support/shared_stack.h"
#include "support/wait.h"
#include "waitingroom/memory.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PLACE "status:s queue_id:s position_id:s "
#define WAITING_MEMBERS                                                                            \
	PLACE "position:n ahead:n waiting:n estimated_wait_s:o0 paused:b message:s poll_after_ms:n "   \
		  "hold_ms:n as_of_ms:n state:s"
#define ADMITTED_MEMBERS                                                                           \
	PLACE "position:0 ahead:0 waiting:n estimated_wait_s:0 paused:b message:s poll_after_ms:n "    \
		  "hold_ms:n enter_within_ms:n as_of_ms:n redirect_url:s0"
#define QUICK ",\"poll_min_ms\":100,\"poll_max_ms\":400,\"absent_after_ms\":500"

static const char *url;

/* clang-format off */
static const char queues[] =
	"{\"queues\":["
	QUEUE("held", HELD) ","
	QUEUE("other", HELD) ","
	QUEUE("acme/held", HELD) ","
	QUEUE("fresh", HELD) ","
	QUEUE("enter", HELD) ","
	QUEUE("stay", HELD) ","
	QUEUE("release", HELD) ","
	QUEUE("leave-inside", HELD) ","
	QUEUE("kinds", HELD) ","
	QUEUE("short-sessions", HELD ",\"session_ttl_ms\":500") ","
	QUEUE("short-turns", HELD ",\"claim_ttl_ms\":500") ","
	QUEUE("impatient", HELD ",\"heartbeat_ttl_ms\":1000,\"first_heartbeat_ms\":2500" QUICK)
	"]}";
/* clang-format on */

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

static void expect_waiting(const char *method, const char *path, const char *headers,
						   const char *body)
{
	WR_AUTO(http_answer_free_at)
	struct http_answer *answer = http_call(url, method, path, headers, body);
	api_expect_status(answer, 200);
	api_expect_place(answer, "waiting");
	api_expect_members(answer, WAITING_MEMBERS);
}

static void expect_problem(const char *method, const char *path, const char *headers, int status,
						   const char *code)
{
	const char *body = strcmp(method, "POST") == 0 ? "" : NULL;
	WR_AUTO(http_answer_free_at)
	struct http_answer *answer = http_call(url, method, path, headers, body);
	api_expect_problem(answer, status, code);
}

static void expect_poll(const char *path, const char *token, int status, const char *code)
{
	WR_AUTO(http_answer_free_at) struct http_answer *answer = api_poll(url, path, token);
	api_expect_problem(answer, status, code);
}

/* ---- credentials ---- */

static void a_heartbeat_takes_the_token_as_bearer_or_as_plain_text(void **state)
{
	(void)state;
	WR_AUTO(mem_free_at) char *token = api_join(url, "held");
	api_await_position(stack, 0, token);
	char headers[2048];
	snprintf(headers, sizeof(headers), "Authorization: Bearer %s\r\n", token);
	expect_waiting("POST", "/heartbeat", headers, "");
	expect_waiting("GET", "/status", headers, NULL);
	snprintf(headers, sizeof(headers), "authorization: bearer %s\r\n", token);
	expect_waiting("POST", "/heartbeat", headers, "");
	expect_waiting("POST", "/heartbeat", "Content-Type: text/plain;charset=UTF-8\r\n", token);
	expect_waiting("GET", "/status", "Content-Type: text/plain\r\n", token);
	snprintf(headers, sizeof(headers), "%s\r\n", token); /* as a file has it */
	expect_waiting("POST", "/heartbeat", "Content-Type: text/plain\r\n", headers);
}

static void a_heartbeat_takes_the_token_from_the_cookie_of_the_queue(void **state)
{
	(void)state;
	WR_AUTO(mem_free_at) char *held = api_join(url, "held");
	WR_AUTO(mem_free_at) char *other = api_join(url, "other");
	WR_AUTO(mem_free_at) char *acme = api_join(url, "acme/held");
	char cookies[4096];
	snprintf(cookies, sizeof(cookies),
			 "Cookie: theme=dark; wr-place-held=%s; wr-place-other=%s; wr-place-acme.held=%s\r\n",
			 held, other, acme);
	static const char *const names[][2] = {
		{"/heartbeat", "default/held"},
		{"/heartbeat?queue=held", "default/held"},
		{"/heartbeat?a=b&queue=default%2Fother", "default/other"},
		{"/heartbeat?queue=acme/held", "acme/held"}};
	for (size_t i = 0; i < COUNT(names); i++) {
		WR_AUTO(http_answer_free_at)
		struct http_answer *answer = http_call(url, "POST", names[i][0], cookies, "");
		api_expect_place(answer, "waiting");
		WR_AUTO(mem_free_at) char *queue = http_answer_text(answer, "queue_id");
		assert_string_equal(queue, names[i][1]);
	}
	expect_problem("POST", "/heartbeat?queue=nowhere", cookies, 401, "bad_token");
	snprintf(cookies, sizeof(cookies), "Cookie: __Host-wr-place-other=%s\r\n", other);
	expect_waiting("POST", "/heartbeat", cookies, "");
	expect_waiting("POST", "/heartbeat?queue=other", cookies, "");
}

static void a_cookie_does_not_count_on_a_cross_site_request(void **state)
{
	(void)state;
	WR_AUTO(mem_free_at) char *token = api_join(url, "held");
	api_await_position(stack, 0, token);
	char headers[2048];
	snprintf(headers, sizeof(headers), "Cookie: wr-place-held=%s\r\nSec-Fetch-Site: cross-site\r\n",
			 token);
	expect_problem("POST", "/heartbeat", headers, 403, "forbidden");
	expect_problem("POST", "/leave", headers, 403, "forbidden");
	snprintf(headers, sizeof(headers),
			 "Cookie: wr-place-held=%s\r\nSec-Fetch-Site: same-origin\r\n", token);
	expect_waiting("POST", "/heartbeat", headers, "");
	/* A bearer is put there by a script on purpose. */
	snprintf(headers, sizeof(headers), "Authorization: Bearer %s\r\nSec-Fetch-Site: cross-site\r\n",
			 token);
	expect_waiting("POST", "/heartbeat", headers, "");
}

static void a_token_of_another_queue_than_the_named_one_is_refused(void **state)
{
	(void)state;
	WR_AUTO(mem_free_at) char *token = api_join(url, "held");
	expect_poll("/heartbeat?queue=other", token, 401, "bad_token");
	expect_poll("/status?queue=acme/held", token, 401, "bad_token");
	expect_poll("/leave?queue=other", token, 401, "bad_token");
	WR_AUTO(http_answer_free_at)
	struct http_answer *answer = api_poll(url, "/heartbeat?queue=default/held", token);
	api_expect_place(answer, "waiting");
}

/* The pod's picture does not have the place yet; the store has. */
static void whoever_has_just_joined_is_told_the_position_by_the_first_poll(void **state)
{
	(void)state;
	for (int i = 0; i < 5; i++) {
		int64_t now_ms =
			api_store_number(stack, "EVAL \"local t = redis.call('TIME') "
									"return t[1] * 1000 + math.floor(t[2] / 1000)\" 0");
		WR_AUTO(http_answer_free_at) struct http_answer *join = api_join_answer(url, "fresh");
		WR_AUTO(mem_free_at) char *token = http_answer_text(join, "token");
		WR_AUTO(http_answer_free_at) struct http_answer *poll = api_poll(url, "/heartbeat", token);
		api_expect_members(poll, WAITING_MEMBERS);
		assert_int_equal(http_answer_number(join, "position"), i + 1);
		assert_int_equal(http_answer_number(poll, "position"), i + 1);
		assert_true(http_answer_number(join, "waiting") > i);
		assert_true(http_answer_number(poll, "waiting") > i);
		/* Each is as of its own moment, not of a picture that does not have the place. */
		assert_true(http_answer_number(join, "as_of_ms") >= now_ms);
		assert_true(http_answer_number(poll, "as_of_ms") >= now_ms);
	}
}

/* ---- what counts as being there ---- */

static struct http_answer *poll_on(struct http_client *client, const char *path, const char *token)
{
	api_send_poll(client, path, token);
	return http_client_read(client, 5000);
}

static void status_is_not_a_heartbeat(void **state)
{
	(void)state;
	WR_AUTO(mem_free_at) char *looker = api_join(url, "held");
	WR_AUTO(mem_free_at) char *looker_id = api_position_id(looker);
	WR_AUTO(mem_free_at) char *beater = api_join(url, "held");
	WR_AUTO(mem_free_at) char *beater_id = api_position_id(beater);
	int64_t joined = api_score(stack, "held", looker_id);
	assert_true(joined < 0);
	api_await_position(stack, 0, looker); /* looks that ask the store, and one that does not */
	struct http_client *client = http_client_open(url);
	http_answer_free(poll_on(client, "/status", looker));
	http_answer_free(poll_on(client, "/heartbeat", beater));
	http_client_close(client);
	/* What was asked before it would have gone out with it. */
	WAIT_UNTIL(5000, api_score(stack, "held", beater_id) > 0, "the heartbeat is in the store");
	assert_true(api_score(stack, "held", looker_id) == joined);
}

static void a_heartbeat_is_noted_with_the_time_of_the_store(void **state)
{
	(void)state;
	WR_AUTO(mem_free_at) char *token = api_join_present(stack, 0, "held");
	WR_AUTO(mem_free_at) char *id = api_position_id(token);
	int64_t store_s = api_store_number(stack, "EVAL \"return redis.call('TIME')[1]\" 0");
	assert_in_range(api_score(stack, "held", id), (store_s - 10) * 1000, (store_s + 1) * 1000);
}

/* ---- leaving ---- */

static void leaving_twice_is_fine_and_the_place_is_gone(void **state)
{
	(void)state;
	WR_AUTO(mem_free_at) char *token = api_join(url, "held");
	for (int i = 0; i < 2; i++) {
		WR_AUTO(http_answer_free_at) struct http_answer *answer = api_poll(url, "/leave", token);
		api_expect_status(answer, 200);
		assert_string_equal(answer->body, "{\"status\":\"left\"}");
		assert_string_equal(http_answer_header(answer, "Set-Cookie"),
							"wr-place-held=; Path=/; Max-Age=0; HttpOnly; SameSite=Lax");
	}
	api_await(url, token, 5000, "place_left");
	expect_poll("/heartbeat", token, 410, "place_left");
}

static void whoever_leaves_moves_the_others_up(void **state)
{
	(void)state;
	WR_AUTO(mem_free_at) char *first = api_join(url, "other");
	WR_AUTO(http_answer_free_at) struct http_answer *joined = api_join_answer(url, "other");
	WR_AUTO(mem_free_at) char *second = http_answer_text(joined, "token");
	api_await_position(stack, 0, second);
	http_answer_free(api_poll(url, "/leave", first));
	api_await(url, first, 5000, "place_left");
	WR_AUTO(http_answer_free_at) struct http_answer *answer = api_poll(url, "/heartbeat", second);
	assert_int_equal(http_answer_number(answer, "position"),
					 http_answer_number(joined, "position") - 1);
}

/* ---- being let in ---- */

/* The part of a token that is not drawn anew with each signature. */
static char *payload_of(const struct http_answer *answer)
{
	WR_AUTO(mem_free_at) char *token = http_answer_text(answer, "session_token");
	*strrchr(token, '.') = '\0';
	return mem_copy_string(token);
}

static void whoever_is_let_in_gets_a_session_with_the_next_heartbeat(void **state)
{
	(void)state;
	WR_AUTO(mem_free_at) char *token = api_join_present(stack, 0, "enter");
	api_admit(stack, "default/enter", 1);
	api_await(url, token, 5000, "admitted");
	WR_AUTO(http_answer_free_at) struct http_answer *look = api_poll(url, "/status", token);
	api_expect_members(look, ADMITTED_MEMBERS); /* a look takes nothing: no session token */
	WR_AUTO(http_answer_free_at) struct http_answer *beat = api_poll(url, "/heartbeat", token);
	api_expect_place(beat, "admitted");
	api_expect_members(beat, ADMITTED_MEMBERS " session_token:s");
	/* of 900000; the pod knows the time of the store to a few milliseconds */
	assert_in_range(http_answer_number(beat, "enter_within_ms"), 890000, 900100);
	WR_AUTO(http_answer_free_at) struct http_answer *again = api_poll(url, "/heartbeat", token);
	WR_AUTO(mem_free_at) char *payload = payload_of(beat);
	WR_AUTO(mem_free_at) char *payload_again = payload_of(again);
	assert_string_equal(payload, payload_again);
}

static char *join_and_claim(const char *queue, char **ret_token)
{
	*ret_token = api_join_present(stack, 0, queue);
	char name[80];
	snprintf(name, sizeof(name), "default/%s", queue);
	api_admit(stack, name, 1);
	api_await(url, *ret_token, 5000, "admitted");
	WR_AUTO(http_answer_free_at) struct http_answer *beat = api_poll(url, "/heartbeat", *ret_token);
	return http_answer_text(beat, "session_token");
}

static void a_heartbeat_that_does_not_claim_keeps_the_turn_for_later(void **state)
{
	(void)state;
	WR_AUTO(mem_free_at) char *token = api_join_present(stack, 0, "stay");
	api_admit(stack, "default/stay", 1);
	api_await(url, token, 5000, "admitted");
	for (int i = 0; i < 2; i++) {
		WR_AUTO(http_answer_free_at)
		struct http_answer *answer = api_poll(url, "/heartbeat?queue=stay&claim=0", token);
		api_expect_place(answer, "admitted");
		api_expect_members(answer, ADMITTED_MEMBERS);
	}
	WR_AUTO(http_answer_free_at) struct http_answer *answer = api_poll(url, "/heartbeat", token);
	api_expect_members(answer, ADMITTED_MEMBERS " session_token:s");
}

static void a_page_without_a_place_is_told_so_without_an_error(void **state)
{
	(void)state;
	static const char *const headers[] = {"", "Cookie: wr-place-other=x\r\n",
										  "Cookie: wr-place-held=x.y.z\r\n"};
	for (size_t i = 0; i < COUNT(headers); i++) {
		WR_AUTO(http_answer_free_at)
		struct http_answer *answer =
			http_call(url, "POST", "/heartbeat?queue=held&claim=0", headers[i], "");
		api_expect_status(answer, 204);
	}
	expect_problem("POST", "/heartbeat?queue=held", "", 401, "bad_token");
}

static void releasing_a_session_twice_is_fine_and_frees_the_slot(void **state)
{
	(void)state;
	WR_AUTO(mem_free_at) char *token = NULL;
	WR_AUTO(mem_free_at) char *session = join_and_claim("release", &token);
	assert_int_equal(api_store_number(stack, "ZCARD wr:{default/release}:sessions"), 1);
	for (int i = 0; i < 2; i++) {
		WR_AUTO(http_answer_free_at)
		struct http_answer *answer = api_poll(url, "/session/release", session);
		api_expect_status(answer, 200);
		assert_string_equal(answer->body, "{\"status\":\"ended\"}");
		assert_int_equal(api_store_number(stack, "ZCARD wr:{default/release}:sessions"), 0);
	}
	expect_poll("/heartbeat", token, 410, "session_ended");
}

static void leaving_ends_a_session_too(void **state)
{
	(void)state;
	WR_AUTO(mem_free_at) char *token = NULL;
	free(join_and_claim("leave-inside", &token));
	http_answer_free(api_poll(url, "/leave", token));
	expect_poll("/heartbeat", token, 410, "session_ended");
	assert_int_equal(api_store_number(stack, "ZCARD wr:{default/leave-inside}:sessions"), 0);
}

static void the_two_kinds_of_tokens_are_not_taken_for_each_other(void **state)
{
	(void)state;
	WR_AUTO(mem_free_at) char *token = NULL;
	WR_AUTO(mem_free_at) char *session = join_and_claim("kinds", &token);
	expect_poll("/heartbeat", session, 401, "bad_token");
	expect_poll("/session/release", token, 401, "bad_token");
}

/* ---- what runs out ---- */

static void places_that_run_out_say_how(void **state)
{
	(void)state;
	WR_AUTO(mem_free_at) char *ghost = api_join(url, "impatient");
	WR_AUTO(mem_free_at) char *silent = api_join_present(stack, 0, "impatient");
	WR_AUTO(mem_free_at) char *turn = api_join_present(stack, 0, "short-turns");
	WR_AUTO(mem_free_at) char *claimed = NULL;
	free(join_and_claim("short-sessions", &claimed));
	api_admit(stack, "default/short-turns", 1);
	api_await(url, turn, 5000, "turn_missed");
	expect_poll("/heartbeat", turn, 410, "turn_missed");
	api_await(url, claimed, 5000, "session_ended");
	expect_poll("/heartbeat", claimed, 410, "session_ended");
	api_await(url, silent, 10000, "place_expired");
	expect_poll("/heartbeat", silent, 410, "place_expired");
	api_await(url, ghost, 10000, "place_expired");
	expect_poll("/heartbeat", ghost, 410, "place_expired");
}

static void a_410_takes_the_cookie_away(void **state)
{
	(void)state;
	WR_AUTO(mem_free_at) char *token = api_join(url, "held");
	http_answer_free(api_poll(url, "/leave", token));
	api_await(url, token, 5000, "place_left");
	WR_AUTO(http_answer_free_at) struct http_answer *answer = api_poll(url, "/heartbeat", token);
	api_expect_problem(answer, 410, "place_left");
	assert_string_equal(http_answer_header(answer, "Set-Cookie"),
						"wr-place-held=; Path=/; Max-Age=0; HttpOnly; SameSite=Lax");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_heartbeat_takes_the_token_as_bearer_or_as_plain_text),
		cmocka_unit_test(a_heartbeat_takes_the_token_from_the_cookie_of_the_queue),
		cmocka_unit_test(a_cookie_does_not_count_on_a_cross_site_request),
		cmocka_unit_test(whoever_has_just_joined_is_told_the_position_by_the_first_poll),
		cmocka_unit_test(a_token_of_another_queue_than_the_named_one_is_refused),
		cmocka_unit_test(status_is_not_a_heartbeat),
		cmocka_unit_test(a_heartbeat_is_noted_with_the_time_of_the_store),
		cmocka_unit_test(leaving_twice_is_fine_and_the_place_is_gone),
		cmocka_unit_test(whoever_leaves_moves_the_others_up),
		cmocka_unit_test(whoever_is_let_in_gets_a_session_with_the_next_heartbeat),
		cmocka_unit_test(a_heartbeat_that_does_not_claim_keeps_the_turn_for_later),
		cmocka_unit_test(a_page_without_a_place_is_told_so_without_an_error),
		cmocka_unit_test(releasing_a_session_twice_is_fine_and_frees_the_slot),
		cmocka_unit_test(leaving_ends_a_session_too),
		cmocka_unit_test(the_two_kinds_of_tokens_are_not_taken_for_each_other),
		cmocka_unit_test(places_that_run_out_say_how),
		cmocka_unit_test(a_410_takes_the_cookie_away),
	};
	return cmocka_run_group_tests(tests, open_room, shared_stack_close);
}
