/* A crowd on two pods and two admitters: everybody gets what was promised, and wrload, which says
 * so, also says when it is not so.
 *
 * That wrload finds things is shown with claims that the room does not keep: a capacity and a rate
 * lower than the configured ones. What else it finds, unit tests show with planted histories.
 */
#include "support/crowd.h"
#include "support/api.h"
#include "support/cmocka.h"
#include "support/process.h"
#include "support/shared_stack.h"
#include "support/temp.h"
#include "support/wait.h"
#include "waitingroom/json_in.h"
#include "waitingroom/memory.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define QUEUE_NAME "default/demo"
#define ARGUMENTS_MAX 32

/* Somebody who vanishes just before the turn comes holds a slot until the claim's time is over. */
static const char queues[] =
	QUEUES(QUEUE("demo", "\"rate_per_minute\":6000,\"burst\":20,\"capacity\":60,"
						 "\"poll_min_ms\":400,\"poll_max_ms\":1000,\"absent_after_ms\":1500,"
						 "\"heartbeat_ttl_ms\":20000,\"first_heartbeat_ms\":15000,"
						 "\"claim_ttl_ms\":5000"));

static int start(void **state)
{
	(void)state;
	stack = stack_start(&(struct stack_options){.pods = 2, .admitters = 2, .queues = queues});
	return 0;
}

/* wrload with its report in '*ret_report'; arguments end in NULL. gives both. */
static struct process *start_wrload(const char *const arguments[], char **ret_report)
{
	static int runs;
	char name[32]; /* of its log, which must be its own */
	snprintf(name, sizeof(name), "wrload-alone%d", ++runs);
	*ret_report = temp_path("%s.json", name);
	WR_AUTO(mem_free_at) char *binary = process_binary("wrload");
	const char *argv[ARGUMENTS_MAX] = {binary, "--queue", QUEUE_NAME, "--report", *ret_report};
	for (int count = 5; *arguments; arguments++) {
		assert_in_range(count, 0, ARGUMENTS_MAX - 2);
		argv[count++] = *arguments;
	}
	return process_start(name, argv, NULL);
}

static struct json_value *read_report(const char *path)
{
	size_t len = 0;
	WR_AUTO(mem_free_at) char *text = temp_read(path, &len);
	assert_non_null(text);
	struct json_value *report;
	assert_int_equal(json_parse(text, len, &report, NULL), WR_OK);
	return report;
}

static int64_t number_at(const struct json_value *report, const char *object, const char *name)
{
	int64_t number = -1;
	assert_true(json_int(json_member(json_member(report, object), name), &number));
	return number;
}

static int64_t count_lines(const char *path)
{
	WR_AUTO(mem_free_at) char *text = temp_read(path, NULL);
	assert_non_null(text);
	int64_t lines = 0;
	for (const char *at = text; (at = strchr(at, '\n')); at++)
		lines++;
	return lines;
}

static void people_of_all_kinds_get_what_they_were_promised(void **state)
{
	(void)state;
	WR_AUTO(mem_free_at) char *history = temp_path("history.jsonl");
	struct crowd_process *crowd = crowd_start(
		stack, QUEUE_NAME,
		(const char *const[]){"--visitors=500", "--arrive-per-s=200", "--stay-ms=1000", "--seed=7",
							  "--vanish=0.05", "--leave=0.05", "--sleep=0.1", "--sleep-ms=2500",
							  "--early-poll=0.1", "--capacity=60", "--rate-per-minute=6000",
							  "--burst=20", "--history", history, NULL});
	crowd_await(crowd, 50000);
	assert_int_equal(crowd_count(crowd, "counts.joined"), 500);
	assert_int_equal(crowd_count(crowd, "counts.released"), crowd_count(crowd, "counts.admitted"));
	assert_int_equal(crowd_count(crowd, "counts.admitted") + crowd_count(crowd, "counts.left") +
						 crowd_count(crowd, "counts.vanished"),
					 500);
	crowd_expect_nobody_lost(crowd);
	assert_int_equal(crowd_count(crowd, "counts.answers_5xx"), 0);
	assert_int_equal(crowd_count(crowd, "counts.transport_errors"), 0);
	/* The checks had something to compare, and every request is in the history. */
	assert_true(crowd_count(crowd, "checked.positions_compared") > 500);
	assert_true(crowd_count(crowd, "checked.orders_compared") > 50);
	assert_true(crowd_count(crowd, "checked.repeats_compared") > 0);
	assert_true(crowd_count(crowd, "checked.gone_places_polled") > 0);
	assert_true(crowd_count(crowd, "checked.sessions_compared") > 0);
	assert_int_equal(count_lines(history), crowd_count(crowd, "counts.requests"));
	crowd_close(crowd);
}

static void a_capacity_and_a_rate_that_are_not_kept_are_found(void **state)
{
	(void)state;
	WR_AUTO(mem_free_at) char *report_file = NULL;
	struct process *wrload =
		start_wrload((const char *const[]){"--visitors=100", "--arrive-per-s=100", "--capacity=3",
										   "--rate-per-minute=60", "--burst=1", "--stay-ms=2000",
										   stack_url(stack, 0), stack_url(stack, 1), NULL},
					 &report_file);
	assert_int_equal(process_wait(wrload, 30000), 1);
	process_free(wrload);
	struct json_value *report = read_report(report_file);
	assert_true(number_at(report, "violation_counts", "I4") > 0);
	assert_true(number_at(report, "violation_counts", "I5") > 0);
	int64_t all = 0;
	assert_true(json_int(json_member(report, "violation_count"), &all));
	assert_int_equal(all, number_at(report, "violation_counts", "I4") +
							  number_at(report, "violation_counts", "I5"));
	json_free(report);
}

static void an_interrupted_run_still_reports(void **state)
{
	(void)state;
	WR_AUTO(mem_free_at) char *report_file = NULL;
	struct process *wrload =
		start_wrload((const char *const[]){"--visitors=50", "--arrive-per-s=50", "--forever",
										   stack_url(stack, 0), NULL},
					 &report_file);
	WAIT_UNTIL(10000, process_log_has(wrload, "2.0 s  joined"), "a line of progress");
	process_signal(wrload, SIGINT);
	assert_int_equal(process_wait(wrload, 5000), 0);
	process_free(wrload);
	struct json_value *report = read_report(report_file);
	bool was_interrupted = false;
	assert_true(json_bool(json_member(report, "interrupted"), &was_interrupted));
	assert_true(was_interrupted);
	assert_true(number_at(report, "counts", "joined") > 0);
	json_free(report);
}

static void nobody_there_and_wrong_use_have_their_own_exit_codes(void **state)
{
	(void)state;
	char *report_file = NULL, url[64];
	snprintf(url, sizeof(url), "http://127.0.0.1:%d", free_port());
	struct process *wrload = start_wrload(
		(const char *const[]){"--visitors=3", "--duration-s=1", url, NULL}, &report_file);
	assert_int_equal(process_wait(wrload, 5000), 3);
	process_free(wrload);
	struct json_value *report = read_report(report_file);
	assert_true(number_at(report, "outcomes", "refused") > 0);
	json_free(report);
	free(report_file);

	wrload = start_wrload((const char *const[]){"--visitors=0", url, NULL}, &report_file);
	assert_int_equal(process_wait(wrload, 5000), 2);
	process_free(wrload);
	free(report_file);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(people_of_all_kinds_get_what_they_were_promised),
		cmocka_unit_test(a_capacity_and_a_rate_that_are_not_kept_are_found),
		cmocka_unit_test(an_interrupted_run_still_reports),
		cmocka_unit_test(nobody_there_and_wrong_use_have_their_own_exit_codes),
	};
	return cmocka_run_group_tests(tests, start, shared_stack_close);
}
