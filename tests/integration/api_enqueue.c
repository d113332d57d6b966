/* POST /enqueue: what a visitor who joins gets, and what is refused.
 *
 * One stack for all tests; nobody is let in from the queues that are held, so places stay.
 */
#include "support/api.h"
#include "support/cmocka.h"
#include "support/shared_stack.h"
#include "waitingroom/memory.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define WAITING_MEMBERS                                                                            \
	"status:s queue_id:s position_id:s position:n ahead:n waiting:n estimated_wait_s:o0 paused:b " \
	"message:s poll_after_ms:n hold_ms:n as_of_ms:n token:s state:s"

/* clang-format off */
static const char queues[] = QUEUES(
	QUEUE("members", HELD) ","
	QUEUE("acme/keys", HELD) ","
	QUEUE("reuse", HELD) ","
	QUEUE("targets", HELD ",\"allowed_targets\":[\"https://shop.example/sale\"]") ","
	QUEUE("same-site", HELD) ","
	QUEUE("user", HELD) ","
	QUEUE("lanes", HELD ",\"lanes\":["
		"{\"name\":\"main\",\"weight\":1,\"open\":true},"
		"{\"name\":\"fast\",\"weight\":2,\"open\":true},"
		"{\"name\":\"vip\",\"weight\":3,\"open\":false}]") ","
	QUEUE("paused", "\"state\":\"paused\",\"message\":\"Back at ten.\"") ","
	QUEUE("closed", "\"state\":\"closed\"") ","
	QUEUE("sold-out", "\"state\":\"closed\",\"message\":\"Sold out.\",\"messages\":{\"de\":\"Ausverkauft.\"}") ","
	QUEUE("checked", "\"state\":\"closed\",\"challenge\":\"pow\",\"message\":\"Sold out.\"") ","
	QUEUE("full", HELD ",\"max_waiting\":2,\"message\":\"More at noon.\"") ","
	QUEUE("crowded-network", HELD ",\"joins_per_network_per_minute\":2"));
/* clang-format on */

static const char *url;

static int open_room(void **state)
{
	(void)state;
	stack = stack_start(&(struct stack_options){.pods = 1, .without_nats = true, .queues = queues});
	url = stack_url(stack, 0);
	return 0;
}

static struct http_answer *post(const char *headers, const char *body)
{
	return http_call(url, "POST", "/enqueue", headers, body);
}

static void expect_post(const char *headers, const char *body, int status, const char *code)
{
	WR_AUTO(http_answer_free_at) struct http_answer *answer = post(headers, body);
	if (code)
		api_expect_problem(answer, status, code);
	else
		api_expect_status(answer, status);
}

static void expect_detail(const char *headers, const char *body, const char *field)
{
	WR_AUTO(http_answer_free_at) struct http_answer *answer = post(headers, body);
	api_expect_problem(answer, 422, "invalid_value");
	WR_AUTO(mem_free_at) char *detail = http_answer_text(answer, "detail");
	if (strncmp(detail, field, strlen(field)) != 0)
		fail_msg("\"%s\" does not begin with the field %s", detail, field);
}

/* ---- the place ---- */

static void a_new_place_is_answered_with_all_its_members(void **state)
{
	(void)state;
	int64_t store_ms = api_store_number(stack, "EVAL \"return redis.call('TIME')[1]\" 0") * 1000;
	WR_AUTO(http_answer_free_at) struct http_answer *answer = api_join_answer(url, "members");
	assert_int_equal(answer->status, 201);
	assert_string_equal(http_answer_header(answer, "Content-Type"), "application/json");
	assert_string_equal(http_answer_header(answer, "Cache-Control"), "no-store");
	api_expect_members(answer, WAITING_MEMBERS);
	WR_AUTO(mem_free_at) char *queue = http_answer_text(answer, "queue_id");
	assert_string_equal(queue, "default/members");
	WR_AUTO(mem_free_at) char *id = http_answer_text(answer, "position_id");
	assert_int_equal(strlen(id), 16);
	WR_AUTO(mem_free_at) char *message = http_answer_text(answer, "message");
	assert_string_equal(message, "");
	assert_int_equal(http_answer_number(answer, "position"), 1);
	assert_int_equal(http_answer_number(answer, "ahead"), 0);
	assert_false(http_answer_flag(answer, "paused"));
	assert_int_equal(http_answer_number(answer, "hold_ms"), 300000);
	/* A place counts only from its first heartbeat, so that is asked for soon. */
	assert_in_range(http_answer_number(answer, "poll_after_ms"), 1000, 2000);
	assert_in_range(http_answer_number(answer, "as_of_ms"), store_ms - 5000, store_ms + 60000);
}

static void the_token_names_the_place_and_the_next_one_stands_behind_it(void **state)
{
	(void)state;
	WR_AUTO(http_answer_free_at) struct http_answer *first = api_join_answer(url, "members");
	WR_AUTO(http_answer_free_at) struct http_answer *second = api_join_answer(url, "members");
	assert_int_equal(http_answer_number(second, "position"),
					 http_answer_number(first, "position") + 1);
	WR_AUTO(mem_free_at) char *token = http_answer_text(second, "token");
	WR_AUTO(mem_free_at) char *id = http_answer_text(second, "position_id");
	WR_AUTO(mem_free_at) char *named = api_position_id(token);
	assert_string_equal(named, id);
}

static void the_cookie_over_plain_http_is_named_after_the_queue(void **state)
{
	(void)state;
	WR_AUTO(http_answer_free_at) struct http_answer *answer = api_join_answer(url, "members");
	WR_AUTO(mem_free_at) char *token = http_answer_text(answer, "token");
	char cookie[2048];
	snprintf(cookie, sizeof(cookie),
			 "wr-place-members=%s; Path=/; Max-Age=172800; HttpOnly; SameSite=Lax", token);
	assert_string_equal(http_answer_header(answer, "Set-Cookie"), cookie);
}

static void the_cookie_of_another_tenant_has_the_tenant_in_its_name(void **state)
{
	(void)state;
	WR_AUTO(http_answer_free_at) struct http_answer *answer = api_enqueue(url, "acme/keys", NULL);
	api_expect_status(answer, 201);
	static const char begin[] = "wr-place-acme.keys=";
	assert_memory_equal(http_answer_header(answer, "Set-Cookie"), begin, sizeof(begin) - 1);
}

static void a_paused_queue_says_so_with_its_message(void **state)
{
	(void)state;
	WR_AUTO(http_answer_free_at) struct http_answer *answer = api_join_answer(url, "paused");
	assert_true(http_answer_flag(answer, "paused"));
	WR_AUTO(mem_free_at) char *message = http_answer_text(answer, "message");
	assert_string_equal(message, "Back at ten.");
}

/* ---- keys ---- */

static void expect_same_place(const struct http_answer *first, const struct http_answer *second)
{
	static const char *const texts[] = {"position_id", "token", "queue_id"};
	for (size_t i = 0; i < COUNT(texts); i++) {
		WR_AUTO(mem_free_at) char *one = http_answer_text(first, texts[i]);
		WR_AUTO(mem_free_at) char *two = http_answer_text(second, texts[i]);
		assert_string_equal(one, two);
	}
}

static void a_repeated_key_gets_the_same_place_with_200(void **state)
{
	(void)state;
	WR_AUTO(http_answer_free_at)
	struct http_answer *first = api_enqueue(url, "acme/keys", "repeated");
	WR_AUTO(http_answer_free_at)
	struct http_answer *again = api_enqueue(url, "acme/keys", "repeated");
	api_expect_status(first, 201);
	api_expect_status(again, 200);
	expect_same_place(first, again);
}

static void a_quoted_key_is_the_same_as_a_bare_one(void **state)
{
	(void)state;
	WR_AUTO(http_answer_free_at) struct http_answer *bare = api_enqueue(url, "acme/keys", "k-1");
	WR_AUTO(http_answer_free_at)
	struct http_answer *quoted = api_enqueue(url, "acme/keys", "\"k-1\"");
	api_expect_status(bare, 201);
	api_expect_status(quoted, 200);
	expect_same_place(bare, quoted);
}

static void one_key_in_two_queues_is_two_places(void **state)
{
	(void)state;
	WR_AUTO(http_answer_free_at) struct http_answer *one = api_enqueue(url, "acme/keys", "shared");
	WR_AUTO(http_answer_free_at) struct http_answer *other = api_enqueue(url, "reuse", "shared");
	api_expect_status(one, 201);
	api_expect_status(other, 201);
	WR_AUTO(mem_free_at) char *one_id = http_answer_text(one, "position_id");
	WR_AUTO(mem_free_at) char *other_id = http_answer_text(other, "position_id");
	assert_string_not_equal(one_id, other_id);
}

static void a_key_used_with_another_request_is_refused(void **state)
{
	(void)state;
	static const char key[] = "Idempotency-Key: reused\r\n";
	expect_post(key, "{\"queue_id\":\"reuse\",\"target\":\"/a\"}", 201, NULL);
	expect_post(key, "{\"queue_id\":\"reuse\",\"target\":\"/a\"}", 200, NULL);
	expect_post(key, "{\"queue_id\":\"reuse\",\"target\":\"/b\"}", 422, "idempotency_key_reused");
	expect_post(key, "{\"queue_id\":\"reuse\",\"target\":\"/a\",\"user\":{\"n\":1}}", 422,
				"idempotency_key_reused");
}

/* ---- target, user, lane ---- */

static void a_target_below_an_allowed_one_is_taken(void **state)
{
	(void)state;
	expect_post(NULL, "{\"queue_id\":\"targets\",\"target\":\"https://shop.example/sale\"}", 201,
				NULL);
	expect_post(NULL, "{\"queue_id\":\"targets\",\"target\":\"https://shop.example/sale/x?a=b\"}",
				201, NULL);
	expect_post(NULL, "{\"queue_id\":\"targets\",\"target\":null}", 201, NULL);
	expect_post(NULL, "{\"queue_id\":\"same-site\",\"target\":\"/sale\"}", 201, NULL);
}

static void a_target_that_is_not_allowed_is_refused(void **state)
{
	(void)state;
	static const char *const targets[] = {
		"https://evil.example/sale",
		"http://shop.example/sale",
		"https://shop.example/other",
		"https://shop.example.evil.example/sale",
		"https://shop.example@evil.example/",
		"https://shop.example:444/sale",
		"//evil.example/sale",
		"javascript:alert(1)",
		"/sale",
		"https://shop.example/sale/../other",
	};
	for (size_t i = 0; i < COUNT(targets); i++) {
		char body[256];
		snprintf(body, sizeof(body), "{\"queue_id\":\"targets\",\"target\":\"%s\"}", targets[i]);
		expect_detail(NULL, body, "target");
	}
	expect_detail(NULL, "{\"queue_id\":\"same-site\",\"target\":\"https://shop.example/\"}",
				  "target");
	expect_detail(NULL, "{\"queue_id\":\"same-site\",\"target\":\"//evil.example\"}", "target");
}

static void user_data_is_kept_with_the_place(void **state)
{
	(void)state;
	WR_AUTO(http_answer_free_at)
	struct http_answer *answer =
		post(NULL, "{\"queue_id\":\"user\", \"user\": {\"vip\": true, \"name\": \"Zo\xc3\xab\"}}");
	api_expect_status(answer, 201);
	WR_AUTO(mem_free_at) char *id = http_answer_text(answer, "position_id");
	char command[128];
	snprintf(command, sizeof(command), "HGET wr:{default/user}:position:%s u", id);
	WR_AUTO(mem_free_at) char *kept = redis_do(stack->redis, command);
	assert_non_null(strstr(kept, "{\"vip\":true,\"name\":\"Zo\xc3\xab\"}"));
}

static void null_is_the_same_as_not_given(void **state)
{
	(void)state;
	static const char *const members[] = {"target",	  "lane",	 "user", "challenge",
										  "solution", "captcha", "entry"};
	for (size_t i = 0; i < COUNT(members); i++) {
		char body[100];
		snprintf(body, sizeof(body), "{\"queue_id\":\"user\",\"%s\":null}", members[i]);
		expect_post(NULL, body, 201, NULL);
	}
}

static void user_data_over_a_kilobyte_is_refused(void **state)
{
	(void)state;
	char body[1400], text[1201];
	memset(text, 'x', 1200);
	text[1200] = '\0';
	snprintf(body, sizeof(body), "{\"queue_id\":\"user\",\"user\":{\"a\":\"%s\"}}", text);
	expect_detail(NULL, body, "user");
}

static void an_open_lane_can_be_chosen_and_others_cannot(void **state)
{
	(void)state;
	expect_post(NULL, "{\"queue_id\":\"lanes\"}", 201, NULL);
	WR_AUTO(http_answer_free_at)
	struct http_answer *fast = post(NULL, "{\"queue_id\":\"lanes\",\"lane\":\"fast\"}");
	api_expect_status(fast, 201);
	assert_int_equal(http_answer_number(fast, "position"), 1); /* each lane counts its own */
	expect_detail(NULL, "{\"queue_id\":\"lanes\",\"lane\":\"vip\"}", "lane");
	expect_detail(NULL, "{\"queue_id\":\"lanes\",\"lane\":\"none\"}", "lane");
}

/* ---- queues that take nobody ---- */

static void a_closed_queue_answers_410(void **state)
{
	(void)state;
	expect_post(NULL, "{\"queue_id\":\"closed\"}", 410, "queue_closed");
}

static void whoever_is_not_taken_in_hears_what_the_operator_says(void **state)
{
	(void)state;
	WR_AUTO(http_answer_free_at)
	struct http_answer *answer = post(NULL, "{\"queue_id\":\"sold-out\"}");
	api_expect_problem(answer, 410, "queue_closed");
	assert_non_null(strstr(answer->body, "\"queue\":{\"message\":\"Sold out.\","
										 "\"messages\":{\"de\":\"Ausverkauft.\"}}"));
	/* Nobody is asked for a proof of work first. */
	WR_AUTO(http_answer_free_at)
	struct http_answer *checked = post(NULL, "{\"queue_id\":\"checked\"}");
	api_expect_problem(checked, 410, "queue_closed");
	assert_non_null(strstr(checked->body, "\"queue\":{\"message\":\"Sold out.\"}"));
}

static void a_full_queue_answers_503_with_retry_after(void **state)
{
	(void)state;
	expect_post("Idempotency-Key: first\r\n", "{\"queue_id\":\"full\"}", 201, NULL);
	expect_post(NULL, "{\"queue_id\":\"full\"}", 201, NULL);
	WR_AUTO(http_answer_free_at) struct http_answer *answer = post(NULL, "{\"queue_id\":\"full\"}");
	api_expect_problem(answer, 503, "queue_full");
	long seconds = strtol(http_answer_header(answer, "Retry-After"), NULL, 10);
	assert_in_range(seconds, 1, 60);
	assert_int_equal(http_answer_number(answer, "retry_after_ms"), seconds * 1000);
	assert_non_null(strstr(answer->body, "\"queue\":{\"message\":\"More at noon.\"}"));
	/* Whoever has a place already is told so all the same. */
	expect_post("Idempotency-Key: first\r\n", "{\"queue_id\":\"full\"}", 200, NULL);
}

static void a_network_that_joins_too_often_is_refused_whatever_it_claims_to_be(void **state)
{
	(void)state;
	/* We are not behind a trusted proxy, so X-Forwarded-For is only a claim. */
	static const char body[] = "{\"queue_id\":\"crowded-network\"}";
	expect_post("X-Forwarded-For: 192.0.2.1\r\n", body, 201, NULL);
	expect_post("X-Forwarded-For: 198.51.100.1\r\n", body, 201, NULL);
	WR_AUTO(http_answer_free_at)
	struct http_answer *third = post("X-Forwarded-For: 203.0.113.1\r\n", body);
	api_expect_problem(third, 429, "rate_limited");
	assert_non_null(http_answer_header(third, "Retry-After"));
}

static void an_unknown_queue_answers_404(void **state)
{
	(void)state;
	expect_post(NULL, "{\"queue_id\":\"nowhere\"}", 404, "no_such_queue");
	expect_post(NULL, "{\"queue_id\":\"acme/members\"}", 404, "no_such_queue");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_new_place_is_answered_with_all_its_members),
		cmocka_unit_test(the_token_names_the_place_and_the_next_one_stands_behind_it),
		cmocka_unit_test(the_cookie_over_plain_http_is_named_after_the_queue),
		cmocka_unit_test(the_cookie_of_another_tenant_has_the_tenant_in_its_name),
		cmocka_unit_test(a_paused_queue_says_so_with_its_message),
		cmocka_unit_test(a_repeated_key_gets_the_same_place_with_200),
		cmocka_unit_test(a_quoted_key_is_the_same_as_a_bare_one),
		cmocka_unit_test(one_key_in_two_queues_is_two_places),
		cmocka_unit_test(a_key_used_with_another_request_is_refused),
		cmocka_unit_test(a_target_below_an_allowed_one_is_taken),
		cmocka_unit_test(a_target_that_is_not_allowed_is_refused),
		cmocka_unit_test(user_data_is_kept_with_the_place),
		cmocka_unit_test(null_is_the_same_as_not_given),
		cmocka_unit_test(user_data_over_a_kilobyte_is_refused),
		cmocka_unit_test(an_open_lane_can_be_chosen_and_others_cannot),
		cmocka_unit_test(a_closed_queue_answers_410),
		cmocka_unit_test(whoever_is_not_taken_in_hears_what_the_operator_says),
		cmocka_unit_test(a_full_queue_answers_503_with_retry_after),
		cmocka_unit_test(a_network_that_joins_too_often_is_refused_whatever_it_claims_to_be),
		cmocka_unit_test(an_unknown_queue_answers_404),
	};
	return cmocka_run_group_tests(tests, open_room, shared_stack_close);
}
