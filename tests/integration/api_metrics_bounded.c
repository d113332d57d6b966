/* Queues cost Prometheus a series each, so only the first by name have some of their own. */
#include "support/api.h"
#include "support/cmocka.h"
#include "support/shared_stack.h"
#include "support/wait.h"
#include "waitingroom/memory.h"

#include <stdlib.h>
#include <string.h>

static int open_room(void **state)
{
	(void)state;
	stack = stack_start(&(struct stack_options){
		.pods = 1,
		.queues =
			QUEUES(QUEUE("c-third", HELD) "," QUEUE("a-first", HELD) "," QUEUE("b-second", HELD)),
		.env = (const char *const[]){"WR_METRIC_QUEUES=1", NULL}});
	return 0;
}

static double metric(const char *name)
{
	return stack_metric(stack_internal_url(stack, 0), name);
}

static void queues_beyond_the_limit_are_counted_together(void **state)
{
	(void)state;
	const char *url = stack_url(stack, 0);
	static const char *const joins[] = {"a-first", "b-second", "b-second", "c-third"};
	for (size_t i = 0; i < COUNT(joins); i++)
		free(api_join(url, joins[i]));
	WAIT_UNTIL(5000, metric("wr_queue_waiting{queue=\"other\"}") == 3, "three wait elsewhere");
	assert_true(metric("wr_queue_waiting{queue=\"default/a-first\"}") == 1);
	assert_true(metric("wr_queue_capacity{queue=\"other\"}") == 200);
	assert_true(metric("wr_queue_joined_total{queue=\"other\"}") == 3);
	assert_true(metric("wr_queue_oldest_wait_seconds{queue=\"other\"}") > 0);
	WR_AUTO(http_answer_free_at)
	struct http_answer *page =
		http_call(stack_internal_url(stack, 0), "GET", "/metrics", NULL, NULL);
	assert_null(strstr(page->body, "b-second"));
	assert_null(strstr(page->body, "c-third"));
	assert_non_null(strstr(page->body, "wr_invariant_violations_total{queue=\"other\",kind="));
	assert_non_null(strstr(page->body, "wr_wait_estimate_ratio_bucket{queue=\"other\",le="));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(queues_beyond_the_limit_are_counted_together),
	};
	return cmocka_run_group_tests(tests, open_room, shared_stack_close);
}
