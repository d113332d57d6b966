/* The programs start before their servers: they serve what they can, say that they are not ready
 * rather than that they are ill, and need no restart when the servers come.
 */
#include "support/api.h"
#include "support/cmocka.h"
#include "support/events.h"
#include "support/http.h"
#include "support/people.h"
#include "support/process.h"
#include "support/wait.h"
#include "waitingroom/memory.h"

#define QUEUE_NAME "default/demo"
#define PEOPLE 5

static const char queues[] =
	QUEUES(QUEUE("demo", "\"rate_per_minute\":6000,\"burst\":10,\"capacity\":0,"
						 "\"poll_min_ms\":200,\"poll_max_ms\":500,\"absent_after_ms\":60000"));

static int status_of(const char *url, const char *path)
{
	WR_AUTO(http_answer_free_at)
	struct http_answer *answer = http_call(url, "GET", path, NULL, NULL);
	return answer->status;
}

static struct stack *stack_of_nobody(void)
{
	return stack_start(
		&(struct stack_options){.queues = queues, .admin_keys = API_ADMIN_KEYS_FILE});
}

static bool all_admitted(struct people *people)
{
	return people_poll(people, 0, 0).admitted == PEOPLE;
}

/* The whole way: joined, let in by the admitter, told to the broker. */
static void expect_service(struct stack *stack)
{
	struct people *people = people_join(stack, QUEUE_NAME, PEOPLE);
	WR_AUTO(http_answer_free_at)
	struct http_answer *answer =
		api_admin(stack, 0, "PUT", "/" QUEUE_NAME,
				  "{\"rate_per_minute\":6000,\"burst\":10,\"capacity\":50,"
				  "\"poll_min_ms\":200,\"poll_max_ms\":500,\"absent_after_ms\":60000}");
	api_expect_status(answer, 200);
	WAIT_UNTIL(5000, all_admitted(people), "everybody is let in");
	people_free(people);
}

static void expect_events(struct stack *stack)
{
	process_stop(stack_admitter(stack, 0), 10000);
	struct story story;
	events_check(stack,
				 &(struct story_rules){
					 .queue = QUEUE_NAME, .capacity = 0, .rate_per_minute = 6000, .burst = 10},
				 &story);
	assert_int_equal(story.claimed, PEOPLE);
	story_free(&story);
}

static bool is_ready(const char *internal_url)
{
	return status_of(internal_url, "/readyz") == 200;
}

static void programs_wait_for_a_store_that_comes_later(void **state)
{
	(void)state;
	struct stack *stack = stack_of_nobody();
	redis_kill(stack->redis);
	stack_launch_pod(stack);
	stack_launch_admitter(stack);

	assert_int_equal(status_of(stack_internal_url(stack, 0), "/livez"), 200);
	assert_int_equal(status_of(stack_internal_url(stack, 0), "/readyz"), 503);
	assert_int_equal(status_of(stack_admitter_url(stack, 0), "/livez"), 200);
	assert_int_equal(status_of(stack_admitter_url(stack, 0), "/readyz"), 503);
	WR_AUTO(http_answer_free_at)
	struct http_answer *answer = api_enqueue(stack_url(stack, 0), "demo", NULL);
	api_expect_problem(answer, 503, "store_unavailable");
	assert_non_null(http_answer_header(answer, "Retry-After"));

	redis_restart(stack->redis);
	WAIT_UNTIL(10000, is_ready(stack_internal_url(stack, 0)), "the pod is ready");
	WAIT_UNTIL(10000, is_ready(stack_admitter_url(stack, 0)), "the admitter is ready");
	expect_service(stack);
	expect_events(stack);
	stack_free(stack);
}

static void programs_do_without_a_broker_until_it_comes(void **state)
{
	(void)state;
	struct stack *stack = stack_of_nobody();
	nats_kill(stack->nats);
	stack_add_pod(stack); /* ready, for visitors need no broker */
	stack_add_admitter(stack);
	expect_service(stack);
	assert_true(api_store_number(stack, "XLEN wr:{" QUEUE_NAME "}:outbox") > 2);
	assert_true(stack_metric(stack_internal_url(stack, 0), "wr_broker_connected") == 0);
	nats_restart(stack->nats);
	events_await_drained(stack, QUEUE_NAME, 15000);
	expect_events(stack);
	stack_free(stack);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(programs_wait_for_a_store_that_comes_later),
		cmocka_unit_test(programs_do_without_a_broker_until_it_comes),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
