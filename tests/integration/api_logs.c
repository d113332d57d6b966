/* What operators can ask of the log while programs run: other levels, and which requests are
 * written. That each line is as the schema says is tests/openapi/log.test.js's to say.
 */
#include "support/api.h"
#include "support/cmocka.h"
#include "support/process.h"
#include "support/shared_stack.h"
#include "support/wait.h"
#include "waitingroom/memory.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>

#define LEVEL_PATH "/admin/v1/log-level"
#define SAMPLE 50
#define LINES_PER_S 20
#define FLOOD 1000

static int open_room(void **state)
{
	(void)state;
	stack = stack_start(&(struct stack_options){
		.pods = 2,
		.admitters = 1,
		.without_nats = true,
		.queues = QUEUES(QUEUE("demo", HELD)),
		.admin_keys = API_ADMIN_KEYS_FILE,
		.env = (const char *const[]){NO_RATE_LIMITS, "WR_RELAY=0", "WR_WORKERS=1",
									 "WR_ACCESS_LOG_SAMPLE=50", "WR_LOG_LINES_PER_S=20", NULL}});
	return 0;
}

static size_t lines_with(struct process *process, const char *text, const char *also)
{
	WR_AUTO(mem_free_at) char *log = process_log(process);
	size_t count = 0;
	char *rest = log;
	for (char *line; (line = strsep(&rest, "\n")) != NULL;)
		count += strstr(line, text) != NULL && strstr(line, also) != NULL;
	return count;
}

static bool has_gone_to(struct process *process, const char *level, size_t times)
{
	char to[32];
	snprintf(to, sizeof(to), "\"wr.to\":\"%s\"", level);
	return lines_with(process, "\"log_level_changed\"", to) >= times;
}

static struct http_answer *put_level(const char *body)
{
	return api_admin_as(stack, 0, API_ADMIN_KEY, "PUT", LEVEL_PATH, body);
}

static void expect_level(int pod, const char *level)
{
	WR_AUTO(http_answer_free_at)
	struct http_answer *answer = api_admin_as(stack, pod, API_ADMIN_KEY, "GET", LEVEL_PATH, NULL);
	WR_AUTO(mem_free_at) char *word = http_answer_text(answer, "level");
	assert_string_equal(word, level);
}

/* Until each process has gone to this level so many times. */
static void await_all(const char *level, int times)
{
	struct process *all[] = {stack_pod(stack, 0), stack_pod(stack, 1), stack_admitter(stack, 0)};
	for (size_t i = 0; i < COUNT(all); i++)
		WAIT_UNTIL(10000, has_gone_to(all[i], level, times), level);
}

static void every_process_says_more_for_a_while_and_then_not(void **state)
{
	(void)state;
	WR_AUTO(http_answer_free_at)
	struct http_answer *answer = put_level("{\"level\":\"debug\",\"seconds\":2}");
	api_expect_status(answer, 200);
	assert_true(http_answer_flag(answer, "everywhere"));
	expect_level(0, "debug"); /* who was asked has not waited for anybody */
	await_all("debug", 1);
	await_all("info", 1);
	expect_level(0, "info");
	expect_level(1, "info");
}

static void an_end_can_be_told_before_its_time(void **state)
{
	(void)state;
	WR_AUTO(http_answer_free_at)
	struct http_answer *loud = put_level("{\"level\":\"debug\"}");
	assert_int_equal(http_answer_number(loud, "seconds"), 600);
	await_all("debug", 2);
	WR_AUTO(http_answer_free_at)
	struct http_answer *calm = put_level("{\"level\":\"debug\",\"seconds\":0}");
	WR_AUTO(mem_free_at) char *word = http_answer_text(calm, "level");
	assert_string_equal(word, "info");
	await_all("info", 2);
}

static void who_changed_the_level_is_written_down(void **state)
{
	(void)state;
	WR_AUTO(mem_free_at)
	char *entries = redis_do(stack->redis, "XRANGE wr:{system/admin}:audit - +");
	assert_non_null(strstr(entries, "log.level"));
	assert_non_null(strstr(entries, "{\"level\":\"debug\",\"seconds\":2}"));
}

static void a_level_that_does_not_exist_is_refused(void **state)
{
	(void)state;
	static const char *const bodies[] = {"{\"level\":\"loud\"}",
										 "{\"seconds\":5}",
										 "{\"level\":\"info\",\"seconds\":-1}",
										 "{\"level\":\"info\",\"seconds\":86401}",
										 "{\"level\":\"info\",\"until\":5}",
										 "{\"level\":\"info\",\"seconds\":\"5\"}",
										 "[]"};
	for (size_t i = 0; i < COUNT(bodies); i++) {
		WR_AUTO(http_answer_free_at) struct http_answer *answer = put_level(bodies[i]);
		api_expect_problem(answer, 422, "invalid_value");
	}
	expect_level(0, "info");
}

/* Sends it, and waits until the level has changed so. */
static void expect_step(struct process *process, int number, const char *from, const char *to)
{
	char from_text[32], to_text[32];
	snprintf(from_text, sizeof(from_text), "\"wr.from\":\"%s\"", from);
	snprintf(to_text, sizeof(to_text), "\"wr.to\":\"%s\"", to);
	size_t before = lines_with(process, from_text, to_text);
	kill(process_pid(process), number);
	WAIT_UNTIL(5000, lines_with(process, from_text, to_text) == before + 1, to);
}

static void signals_step_the_level_of_one_process(void **state)
{
	(void)state;
	struct process *admitter = stack_admitter(stack, 0);
	expect_step(admitter, SIGUSR1, "info", "debug");
	expect_step(admitter, SIGUSR2, "debug", "info");
	expect_step(admitter, SIGUSR2, "info", "warn");
	expect_step(admitter, SIGUSR1, "warn", "info");
	expect_level(0, "info");
}

static void one_in_so_many_polls_is_written(void **state)
{
	(void)state;
	struct process *pod = stack_pod(stack, 1);
	const char *url = stack_url(stack, 1);
	WR_AUTO(mem_free_at) char *token = api_join(url, "demo");
	struct http_client *client = http_client_open(url);
	size_t before = lines_with(pod, "\"http.route\":\"/heartbeat\"", "\"wr.stands_for\":50");
	for (int i = 0; i < 10 * SAMPLE; i++) {
		api_send_poll(client, "/heartbeat", token);
		WR_AUTO(http_answer_free_at) struct http_answer *answer = http_client_read(client, 5000);
		api_expect_status(answer, 200);
	}
	http_client_close(client);
	WAIT_UNTIL(5000,
			   lines_with(pod, "\"http.route\":\"/heartbeat\"", "\"wr.stands_for\":50") >=
				   before + 10,
			   "ten lines");
	assert_int_equal(lines_with(pod, "\"http.route\":\"/heartbeat\"", "request"), before + 10);
}

static void refused_requests_are_written_but_not_all_of_a_flood(void **state)
{
	(void)state;
	struct process *pod = stack_pod(stack, 1);
	struct http_client *client = http_client_open(stack_url(stack, 1));
	struct mono_time began = clock_mono();
	for (int i = 0; i < FLOOD; i++) {
		http_client_send(client, "GET", "/nowhere", NULL, NULL);
		WR_AUTO(http_answer_free_at) struct http_answer *answer = http_client_read(client, 5000);
		api_expect_status(answer, 404);
	}
	http_client_close(client);
	WAIT_UNTIL(5000,
			   process_log_has(pod, "\"event.action\":\"log_repeated\",\"wr.event\":\"request\""),
			   "the sum of those that were not written");
	size_t written =
		lines_with(pod, "\"http.route\":\"other\"", "\"http.response.status_code\":404");
	size_t seconds = (size_t)(mono_diff_ms(began, clock_mono()) / 1000) + 2; /* begun ones count */
	assert_in_range(written, LINES_PER_S, LINES_PER_S * seconds);
	assert_true(stack_metric(stack_internal_url(stack, 1),
							 "wr_log_lines_dropped_total{reason=\"repeated\"}") >=
				(double)FLOOD - (double)written);
}

static void admin_requests_are_always_written_and_machines_are_sampled(void **state)
{
	(void)state;
	struct process *pod = stack_pod(stack, 0);
	for (int i = 0; i < 5; i++)
		expect_level(0, "info");
	WAIT_UNTIL(5000, lines_with(pod, "\"http.route\":\"" LEVEL_PATH "\"", "\"GET\"") >= 5,
			   "five lines");
	for (int i = 0; i < SAMPLE; i++)
		stack_metric(stack_internal_url(stack, 0), "wr_draining");
	WAIT_UNTIL(5000, lines_with(pod, "\"http.route\":\"/metrics\"", "\"wr.stands_for\":50") > 0,
			   "a sample of the scrapes");
	assert_in_range(lines_with(pod, "\"http.route\":\"/metrics\"", "request"), 1, 3);
}

/* Last: it takes the store away. */
static double failed_steps(void)
{
	return stack_metric(stack_admitter_url(stack, 0),
						"wr_admitter_steps_total{kind=\"admit\",result=\"failed\"}");
}

static void a_step_that_the_store_refuses_is_said_with_the_reason_but_not_each_time(void **state)
{
	(void)state;
	double before = failed_steps();
	WR_AUTO(mem_free_at)
	char *kept = redis_do(stack->redis, "SET wr:{default/demo}:sessions not-a-set");
	WAIT_UNTIL(10000, failed_steps() >= before + 5, "an admitter that fails");
	struct process *admitter = stack_admitter(stack, 0);
	WAIT_UNTIL(2000, lines_with(admitter, "\"store_refused\"", "\"wr.step\":\"admit\"") > 0,
			   "a line that says so");
	assert_int_equal(lines_with(admitter, "\"wr.step\":\"admit\"", "WRONGTYPE"), 1);
	WR_AUTO(mem_free_at) char *gone = redis_do(stack->redis, "DEL wr:{default/demo}:sessions");
}

static void a_pod_obeys_without_a_store(void **state)
{
	(void)state;
	redis_stop(stack->redis);
	WR_AUTO(http_answer_free_at)
	struct http_answer *answer = put_level("{\"level\":\"warn\",\"seconds\":300}");
	api_expect_status(answer, 200);
	assert_false(http_answer_flag(answer, "everywhere"));
	expect_level(0, "warn");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_process_says_more_for_a_while_and_then_not),
		cmocka_unit_test(an_end_can_be_told_before_its_time),
		cmocka_unit_test(who_changed_the_level_is_written_down),
		cmocka_unit_test(a_level_that_does_not_exist_is_refused),
		cmocka_unit_test(signals_step_the_level_of_one_process),
		cmocka_unit_test(one_in_so_many_polls_is_written),
		cmocka_unit_test(refused_requests_are_written_but_not_all_of_a_flood),
		cmocka_unit_test(admin_requests_are_always_written_and_machines_are_sampled),
		cmocka_unit_test(a_step_that_the_store_refuses_is_said_with_the_reason_but_not_each_time),
		cmocka_unit_test(a_pod_obeys_without_a_store),
	};
	return cmocka_run_group_tests(tests, open_room, shared_stack_close);
}
