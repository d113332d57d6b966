/* What ends before its token, every pod knows: within a second, and when it starts, before it
 * answers. */
#include "support/api.h"
#include "support/cmocka.h"
#include "support/shared_stack.h"
#include "support/wait.h"
#include "waitingroom/memory.h"

#include <cjson/cJSON.h>
#include <stdio.h>
#include <string.h>

#define WITHIN_MS 1000

static int open_pods(void **state)
{
	(void)state;
	static const char *const env[] = {NO_RATE_LIMITS, NULL};
	stack = stack_start(&(struct stack_options){
		.pods = 3,
		.without_nats = true,
		.admin_keys = API_ADMIN_KEYS_FILE,
		.env = env,
		.queues = QUEUES(QUEUE("released", "\"capacity\":100,\"burst\":100") "," QUEUE(
			"revoked", "\"capacity\":100,\"burst\":100") "," QUEUE("line", HELD))});
	return 0;
}

/* How many revocations the pod knows of in a queue; -1: it does not show the queue. */
static int known_to(int pod, const char *queue)
{
	WR_AUTO(http_answer_free_at)
	struct http_answer *answer =
		http_call(stack_internal_url(stack, pod), "GET", "/debug/state", NULL, NULL);
	cJSON *state = cJSON_Parse(answer->body);
	const cJSON *one;
	int count = -1;
	cJSON_ArrayForEach(one, cJSON_GetObjectItem(state, "queues"))
	{
		if (strcmp(cJSON_GetObjectItem(one, "queue")->valuestring, queue) == 0)
			count = cJSON_GetObjectItem(one, "revocations")->valueint;
	}
	cJSON_Delete(state);
	return count;
}

static bool all_know(const char *queue, int count)
{
	for (int pod = 0; pod < stack->pod_count; pod++)
		if (known_to(pod, queue) != count)
			return false;
	return true;
}

/* The session of somebody who walked in. gives */
static struct http_answer *enter(const char *queue)
{
	struct http_answer *answer = api_enqueue(stack_url(stack, 0), queue, NULL);
	api_expect_place(answer, "admitted");
	return answer;
}

static void a_released_session_is_known_to_every_pod_within_a_second(void **state)
{
	(void)state;
	WR_AUTO(http_answer_free_at) struct http_answer *in = enter("released");
	WR_AUTO(mem_free_at) char *session = http_answer_text(in, "session_token");
	assert_true(all_know("default/released", 0));
	WR_AUTO(http_answer_free_at)
	struct http_answer *answer = api_poll(stack_url(stack, 1), "/session/release", session);
	api_expect_status(answer, 200);
	WAIT_UNTIL(WITHIN_MS, all_know("default/released", 1), "every pod knows of the release");
	assert_int_equal(
		stack_metric(stack_internal_url(stack, 2), "wr_revocations{queue=\"default/released\"}"),
		1);
	/* releasing it once more tells nobody */
	http_answer_free(api_poll(stack_url(stack, 2), "/session/release", session));
	assert_int_equal(api_store_number(stack, "XLEN wr:{default/released}:revocations"), 1);
}

static struct http_answer *revoke(const char *body)
{
	return api_admin(stack, 0, "POST", "/default/revoked/revoke", body);
}

static struct http_answer *revoke_id(const char *id)
{
	char body[64];
	print_into(body, "{\"position_id\":\"%s\"}", id);
	return revoke(body);
}

static void an_operator_ends_a_session_on_every_pod_within_a_second(void **state)
{
	(void)state;
	int before = known_to(0, "default/revoked");
	WR_AUTO(http_answer_free_at) struct http_answer *in = enter("revoked");
	WR_AUTO(mem_free_at) char *id = http_answer_text(in, "position_id");
	WR_AUTO(mem_free_at) char *token = http_answer_text(in, "token");
	WR_AUTO(http_answer_free_at) struct http_answer *answer = revoke_id(id);
	api_expect_status(answer, 200);
	api_expect_members(answer, "position_id:s status:s");
	WR_AUTO(mem_free_at) char *status = http_answer_text(answer, "status");
	assert_string_equal(status, "ended");
	WAIT_UNTIL(WITHIN_MS, all_know("default/revoked", before + 1), "every pod knows");
	WR_AUTO(http_answer_free_at)
	struct http_answer *poll = api_poll(stack_url(stack, 2), "/heartbeat", token);
	api_expect_problem(poll, 410, "session_ended");
	assert_int_equal(api_store_number(stack, "ZCARD wr:{default/revoked}:sessions"), 0);
}

static void a_session_that_the_store_does_not_know_is_revoked_all_the_same(void **state)
{
	(void)state;
	int before = known_to(0, "default/revoked");
	WR_AUTO(http_answer_free_at) struct http_answer *answer = revoke_id("AAAAAAAAAAAAAAAA");
	api_expect_status(answer, 200);
	WAIT_UNTIL(WITHIN_MS, all_know("default/revoked", before + 1), "every pod knows");
}

static void a_place_in_line_has_nothing_to_revoke(void **state)
{
	(void)state;
	WR_AUTO(mem_free_at) char *token = api_join(stack_url(stack, 0), "line");
	WR_AUTO(mem_free_at) char *id = api_position_id(token);
	char body[64];
	print_into(body, "{\"position_id\":\"%s\"}", id);
	WR_AUTO(http_answer_free_at)
	struct http_answer *answer = api_admin(stack, 0, "POST", "/default/line/revoke", body);
	api_expect_problem(answer, 409, "conflict");
	assert_int_equal(api_store_number(stack, "EXISTS wr:{default/line}:revocations"), 0);
}

static void what_is_not_an_id_is_not_revoked(void **state)
{
	(void)state;
	static const struct {
		const char *body;
		int status;
		const char *code;
	} rows[] = {{"{}", 422, "invalid_value"},
				{"{\"position_id\":\"short\"}", 422, "invalid_value"},
				{"{\"position_id\":\"AAAAAAAAAAAAAAA!\"}", 422, "invalid_value"},
				{"{\"position_id\":7}", 422, "invalid_value"},
				{"{\"position_id\":\"AAAAAAAAAAAAAAAA\",\"all\":true}", 422, "invalid_value"},
				{"[]", 422, "invalid_value"},
				{"", 400, "malformed"}};
	for (size_t i = 0; i < COUNT(rows); i++) {
		WR_AUTO(http_answer_free_at) struct http_answer *answer = revoke(rows[i].body);
		api_expect_problem(answer, rows[i].status, rows[i].code);
	}
	WR_AUTO(http_answer_free_at)
	struct http_answer *nowhere = api_admin(stack, 0, "POST", "/default/nowhere/revoke",
											"{\"position_id\":\"AAAAAAAAAAAAAAAA\"}");
	api_expect_problem(nowhere, 404, "no_such_queue");
}

static void a_pod_that_starts_knows_them_all_before_it_shows_the_queue(void **state)
{
	(void)state;
	char body[64];
	int before = known_to(0, "default/revoked");
	for (int i = 0; i < 40; i++) {
		snprintf(body, sizeof(body), "BAAAAAAAAAAA%04d", i);
		WR_AUTO(http_answer_free_at) struct http_answer *answer = revoke_id(body);
		api_expect_status(answer, 200);
	}
	int pod = stack_launch_pod(stack), count;
	WAIT_UNTIL(10000, (count = known_to(pod, "default/revoked")) >= 0, "the pod shows the queue");
	assert_int_equal(count, before + 40);
}

static void pods_that_find_another_store_read_the_stream_again(void **state)
{
	(void)state;
	int before = known_to(0, "default/released");
	/* As a replica that took over would: its entry stands before those that are known. */
	assert_int_equal(api_store_number(stack, "DEL wr:{default/released}:revocations"), 1);
	WR_AUTO(mem_free_at)
	char *added = redis_do(stack->redis, "XADD wr:{default/released}:revocations 1-1 r "
										 "\"s CAAAAAAAAAAAAAAA 4000000000\" u 4000000000");
	assert_non_null(strstr(added, "1-1"));
	assert_true(api_store_number(stack, "CLIENT KILL TYPE normal") > 0);
	WAIT_UNTIL(10000, all_know("default/released", before + 1), "every pod knows");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_released_session_is_known_to_every_pod_within_a_second),
		cmocka_unit_test(an_operator_ends_a_session_on_every_pod_within_a_second),
		cmocka_unit_test(a_session_that_the_store_does_not_know_is_revoked_all_the_same),
		cmocka_unit_test(a_place_in_line_has_nothing_to_revoke),
		cmocka_unit_test(what_is_not_an_id_is_not_revoked),
		cmocka_unit_test(a_pod_that_starts_knows_them_all_before_it_shows_the_queue),
		cmocka_unit_test(pods_that_find_another_store_read_the_stream_again),
	};
	return cmocka_run_group_tests(tests, open_pods, shared_stack_close);
}
