/* Who is there: every process reports itself, and GET /admin/v1/pods lists them. */
#include "support/api.h"
#include "support/cmocka.h"
#include "support/process.h"
#include "support/shared_stack.h"
#include "support/wait.h"
#include "waitingroom/memory.h"

#include <stdio.h>
#include <string.h>

static int open_room(void **state)
{
	(void)state;
	stack = stack_start(&(struct stack_options){
		.pods = 2,
		.admitters = 1,
		.admin_keys = API_ADMIN_KEYS_FILE,
		.queues = QUEUES(QUEUE("demo", HELD)),
		.env = (const char *const[]){NO_RATE_LIMITS, "WR_REPORT_INTERVAL_MS=1000", NULL}});
	return 0;
}

static struct http_answer *ask_pods(int pod)
{
	struct http_answer *answer =
		api_admin_as(stack, pod, API_ADMIN_KEY, "GET", "/admin/v1/pods", NULL);
	api_expect_status(answer, 200);
	return answer;
}

static int count_text(const char *text, const char *part)
{
	int count = 0;
	for (const char *at = strstr(text, part); at; at = strstr(at + 1, part))
		count++;
	return count;
}

static bool lists(const char *part, int times)
{
	WR_AUTO(http_answer_free_at) struct http_answer *answer = ask_pods(0);
	return count_text(answer->body, part) == times;
}

/* Of the process whose row has this internal address. */
static bool row_has(const char *url, const char *part)
{
	WR_AUTO(http_answer_free_at) struct http_answer *answer = ask_pods(0);
	char address[96];
	snprintf(address, sizeof(address), "\"address\":\"%s\"", url + strlen("http://"));
	for (char *rest = answer->body, *row; (row = strsep(&rest, "}")) != NULL;)
		if (strstr(row, address))
			return strstr(row, part) != NULL;
	return false;
}

static void every_process_is_listed_with_what_it_is(void **state)
{
	(void)state;
	WAIT_UNTIL(10000, lists("\"kind\":\"api\"", 2), "two pods");
	WAIT_UNTIL(10000, lists("\"kind\":\"admitter\"", 1), "an admitter");
	WAIT_UNTIL(10000, lists("\"state\":\"ok\"", 3), "all are well");
	WAIT_UNTIL(10000, lists("\"nats\":true", 3), "all have a connection to NATS");
	assert_true(row_has(stack_internal_url(stack, 1), "\"kind\":\"api\""));
	assert_true(row_has(stack_admitter_url(stack, 0), "\"kind\":\"admitter\""));
	WAIT_UNTIL(10000, !row_has(stack_admitter_url(stack, 0), "\"steps_per_s\":0"),
			   "the admitter's steps are counted");
}

static bool works(const char *token)
{
	for (int i = 0; i < 20; i++)
		http_answer_free(api_poll(stack_url(stack, 1), "/heartbeat", token));
	return !row_has(stack_internal_url(stack, 1), "\"requests_per_s\":0") &&
		   !row_has(stack_internal_url(stack, 1), "\"heartbeats_per_s\":0");
}

static void work_is_shown_as_rates(void **state)
{
	(void)state;
	WR_AUTO(mem_free_at) char *token = api_join(stack_url(stack, 1), "demo");
	WAIT_UNTIL(10000, works(token), "polls are counted");
}

static void pods_with_the_same_files_have_the_same_fingerprints(void **state)
{
	(void)state;
	WR_AUTO(http_answer_free_at) struct http_answer *answer = ask_pods(1);
	static const char member[] = "\"keys\":\"";
	const char *first = strstr(answer->body, member);
	assert_non_null(first);
	char same[64];
	snprintf(same, sizeof(same), "%.*s", (int)(sizeof(member) - 1 + 17), first);
	assert_int_equal(strlen(same), sizeof(member) - 1 + 17);
	assert_int_equal(count_text(answer->body, same), 2);
}

static void whoever_ends_in_good_order_is_gone_at_once(void **state)
{
	(void)state;
	int pod = stack_add_pod(stack);
	WAIT_UNTIL(10000, lists("\"kind\":\"api\"", 3), "the new pod is listed");
	process_stop(stack_pod(stack, pod), 10000);
	assert_true(lists("\"kind\":\"api\"", 2));
}

static void whoever_is_killed_falls_silent(void **state)
{
	(void)state;
	process_kill(stack_admitter(stack, 0));
	WAIT_UNTIL(10000, lists("\"state\":\"silent\"", 1), "the admitter is silent");
	assert_true(row_has(stack_admitter_url(stack, 0), "\"state\":\"silent\""));
	stack_restart_admitter(stack, 0);
	WAIT_UNTIL(10000, lists("\"kind\":\"admitter\"", 2), "the next one stands beside it");
}

static void only_keys_for_all_tenants_see_the_processes(void **state)
{
	(void)state;
	WR_AUTO(http_answer_free_at)
	struct http_answer *answer =
		http_call(stack_internal_url(stack, 0), "GET", "/admin/v1/pods", NULL, NULL);
	api_expect_problem(answer, 401, "bad_token");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_process_is_listed_with_what_it_is),
		cmocka_unit_test(work_is_shown_as_rates),
		cmocka_unit_test(pods_with_the_same_files_have_the_same_fingerprints),
		cmocka_unit_test(whoever_ends_in_good_order_is_gone_at_once),
		cmocka_unit_test(whoever_is_killed_falls_silent),
		cmocka_unit_test(only_keys_for_all_tenants_see_the_processes),
	};
	return cmocka_run_group_tests(tests, open_room, shared_stack_close);
}
