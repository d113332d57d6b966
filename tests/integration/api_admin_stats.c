/* The figures of a queue, held against what the test itself has done.
 *
 * The test may run over the end of a minute: sums of the series are exact whatever the minute, and
 * a sliding minute holds at most what was done.
 */
#include "support/api.h"
#include "support/cmocka.h"
#include "support/shared_stack.h"
#include "support/wait.h"
#include "waitingroom/json_in.h"
#include "waitingroom/memory.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int open_room(void **state)
{
	(void)state;
	stack = stack_start(
		&(struct stack_options){.pods = 2,
								.admitters = 1,
								.without_nats = true,
								.admin_keys = API_ADMIN_KEYS_FILE,
								.env = (const char *const[]){NO_RATE_LIMITS, "WR_RELAY=0",
															 "WR_REAP_INTERVAL_MS=200", NULL}});
	return 0;
}

/* gives */
static struct http_answer *stats_of(int pod, const char *name)
{
	char path[96];
	snprintf(path, sizeof(path), "/default/%s/stats", name);
	struct http_answer *answer = api_admin(stack, pod, "GET", path, NULL);
	api_expect_status(answer, 200);
	return answer;
}

/* Sum of a series; those of samples: the last number. */
static int64_t sum_of(const struct http_answer *answer, const char *name, bool last)
{
	WR_AUTO(json_free_at) struct json_value *document = NULL;
	assert_int_equal(json_parse(answer->body, answer->body_len, &document, NULL), WR_OK);
	const struct json_value *list = json_member(json_member(document, "series"), name);
	assert_int_equal(json_count(list), 60);
	int64_t sum = 0, number = 0;
	for (size_t i = 0; i < 60; i++) {
		if (!json_int(json_at(list, i), &number) && !last)
			fail_msg("%s has no number in minute %zu", name, i);
		sum = last ? number : sum + number;
	}
	return sum;
}

static int64_t told(int pod, const char *queue, const char *series)
{
	WR_AUTO(http_answer_free_at) struct http_answer *answer = stats_of(pod, queue);
	return sum_of(answer, series, false);
}

static void make_queue(const char *name, const char *settings)
{
	char queue[96];
	print_into(queue, "default/%s", name);
	api_make_queue(stack, queue, settings);
}

static void the_figures_are_what_happened(void **state)
{
	(void)state;
	make_queue("sale", "{\"state\":\"hold\",\"capacity\":20,"
					   "\"lanes\":[{\"name\":\"main\",\"weight\":1,\"open\":true},"
					   "{\"name\":\"vip\",\"weight\":1,\"open\":true}]}");
	char *tokens[8];
	for (int i = 0; i < 8; i++)
		tokens[i] = api_join_present(stack, i % 2, "sale");
	api_admit(stack, "default/sale", 3);
	api_await(stack_url(stack, 0), tokens[0], 5000, "admitted"); /* claims */
	WR_AUTO(http_answer_free_at)
	struct http_answer *left = api_poll(stack_url(stack, 0), "/leave", tokens[7]);
	api_expect_status(left, 200);
	WR_AUTO(mem_free_at) char *id = api_position_id(tokens[1]);
	char body[64];
	snprintf(body, sizeof(body), "{\"position_id\":\"%s\"}", id);
	WR_AUTO(http_answer_free_at)
	struct http_answer *revoked = api_admin(stack, 0, "POST", "/default/sale/revoke", body);
	api_expect_status(revoked, 200);

	WR_AUTO(http_answer_free_at) struct http_answer *answer = stats_of(1, "sale");
	assert_int_equal(http_answer_number(answer, "waiting"), 4);
	assert_int_equal(http_answer_number(answer, "active"), 2);
	assert_int_equal(http_answer_number(answer, "capacity"), 20);
	assert_int_equal(http_answer_number(answer, "absent"), 0);
	assert_true(http_answer_number(answer, "oldest_wait_ms") > 0);
	assert_true(http_answer_number(answer, "oldest_wait_ms") < 30000);
	assert_non_null(strstr(answer->body, "\"lanes\":[{\"lane\":\"main\",\"waiting\":4},"
										 "{\"lane\":\"vip\",\"waiting\":0}]"));
	assert_int_equal(sum_of(answer, "joined", false), 8);
	assert_int_equal(sum_of(answer, "admitted", false), 3);
	assert_int_equal(sum_of(answer, "left", false), 1);
	assert_int_equal(sum_of(answer, "missed", false), 1); /* let in and revoked before claiming */
	assert_int_equal(sum_of(answer, "expired", false), 0);
	assert_int_equal(sum_of(answer, "waiting", true), 4);
	assert_int_equal(sum_of(answer, "active", true), 2);
	assert_non_null(strstr(answer->body, "\"no_show_share\":0.333,"));
	const char *rate = strstr(answer->body, "\"joined_per_minute\":");
	double per_minute = strtod(rate + strlen("\"joined_per_minute\":"), NULL);
	assert_true(per_minute > 0 && per_minute <= 8);
	for (int i = 0; i < 8; i++)
		free(tokens[i]);
}

static void who_is_silent_is_counted_as_expired(void **state)
{
	(void)state;
	make_queue("silent", "{\"state\":\"hold\",\"first_heartbeat_ms\":2500}");
	WR_AUTO(mem_free_at) char *ghost = api_join(stack_url(stack, 0), "silent");
	WAIT_UNTIL(15000, told(1, "silent", "expired") == 1, "the ghost is counted");
	assert_int_equal(told(0, "silent", "joined"), 1);
	WR_AUTO(http_answer_free_at) struct http_answer *answer = stats_of(0, "silent");
	assert_non_null(strstr(answer->body, "\"no_show_share\":null"));
	assert_int_equal(http_answer_number(answer, "oldest_wait_ms"), 0);
}

static void an_hour_has_sixty_minutes_of_which_the_last_is_now(void **state)
{
	(void)state;
	make_queue("hour", "{\"state\":\"hold\"}");
	WR_AUTO(http_answer_free_at) struct http_answer *answer = stats_of(0, "hour");
	int64_t now_ms = http_answer_number(answer, "as_of_ms");
	assert_int_equal(http_answer_number(answer, "series.step_ms"), 60000);
	int64_t age_ms = now_ms - http_answer_number(answer, "series.from_ms");
	assert_in_range(age_ms, 59 * 60000, 61 * 60000);
	WR_AUTO(http_answer_free_at)
	struct http_answer *none = api_admin(stack, 0, "GET", "/default/nowhere/stats", NULL);
	api_expect_problem(none, 404, "no_such_queue");
}

static bool was_sampled(const char *queue)
{
	return api_store_number(stack,
							"EVAL \"local n = 0 for _, k in ipairs(redis.call('KEYS', "
							"'wr:{default/%s}:stats:*')) do n = n + redis.call('HEXISTS', "
							"k, 'waiting') end return n\" 0",
							queue) > 0;
}

static void the_admitter_samples_how_many_there_are(void **state)
{
	(void)state;
	make_queue("sampled", "{\"state\":\"hold\"}");
	WAIT_UNTIL(15000, was_sampled("sampled"), "there is a sample");
}

static int64_t judged(int pod)
{
	WR_AUTO(http_answer_free_at) struct http_answer *answer = stats_of(pod, "judged");
	int64_t count = http_answer_number(answer, "eta_accuracy.judged");
	assert_int_equal(count, http_answer_number(answer, "eta_accuracy.within") +
								http_answer_number(answer, "eta_accuracy.early") +
								http_answer_number(answer, "eta_accuracy.late"));
	bool has_shares = http_answer_has(answer, "eta_accuracy.mean_ratio") &&
					  http_answer_has(answer, "eta_accuracy.within_share");
	assert_int_equal(has_shares, count > 0);
	return count;
}

/* A line that moves at its rate: probes are sent into it and come out at its front. */
static void predictions_are_judged_by_what_came_of_them(void **state)
{
	(void)state;
	make_queue("judged", "{\"state\":\"hold\",\"rate_per_minute\":120,\"burst\":1}");
	for (int i = 0; i < 10; i++) {
		WR_AUTO(mem_free_at) char *token = api_join_present(stack, 0, "judged");
	}
	WR_AUTO(http_answer_free_at)
	struct http_answer *open = api_admin(stack, 0, "POST", "/default/judged/open", NULL);
	api_expect_status(open, 200);
	WAIT_UNTIL(30000, judged(1) > 0, "a prediction has been judged");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_figures_are_what_happened),
		cmocka_unit_test(who_is_silent_is_counted_as_expired),
		cmocka_unit_test(an_hour_has_sixty_minutes_of_which_the_last_is_now),
		cmocka_unit_test(the_admitter_samples_how_many_there_are),
		cmocka_unit_test(predictions_are_judged_by_what_came_of_them),
	};
	return cmocka_run_group_tests(tests, open_room, shared_stack_close);
}
