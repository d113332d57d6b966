/* A pod dies under load: its visitors go on over the other pod, nobody loses a place, nobody gets
 * two, and the pod comes back and serves.
 *
 * It is stopped for a moment before it is killed, so that requests are certainly under way in it.
 */
#include "support/api.h"
#include "support/cmocka.h"
#include "support/crowd.h"
#include "support/events.h"
#include "support/process.h"
#include "support/wait.h"

#define QUEUE_NAME "default/demo"
#define VISITORS 300
#define CAPACITY 60
#define RATE_PER_MINUTE 6000
#define BURST 20

static const char queues[] =
	QUEUES(QUEUE("demo", "\"rate_per_minute\":6000,\"burst\":20,\"capacity\":60,"
						 "\"poll_min_ms\":400,\"poll_max_ms\":1000,\"absent_after_ms\":3000,"
						 "\"heartbeat_ttl_ms\":20000,\"first_heartbeat_ms\":15000"));

static int64_t tickets(struct stack *stack)
{
	return api_store_number(stack, "GET wr:{" QUEUE_NAME "}:ticket:main");
}

static void await_tickets(struct stack *stack, int64_t count)
{
	WAIT_UNTIL(20000, tickets(stack) >= count, "more people have joined");
}

static void a_killed_pod_costs_nobody_the_place(void **state)
{
	(void)state;
	/* Pictures of two pods must differ by less than a visitor's shortest time between polls. */
	const char *const env[] = {"WR_SYNC_INTERVAL_MS=100", NO_RATE_LIMITS, NULL};
	struct stack *stack = stack_start(
		&(struct stack_options){.pods = 2, .admitters = 1, .queues = queues, .env = env});
	struct crowd_process *crowd = crowd_start(
		stack, QUEUE_NAME,
		(const char *const[]){"--visitors=300", "--arrive-per-s=75", "--stay-ms=300",
							  "--capacity=60", "--rate-per-minute=6000", "--burst=20", NULL});
	await_tickets(stack, 100);
	process_pause(stack_pod(stack, 0));
	await_tickets(stack, 130);
	process_kill(stack_pod(stack, 0));
	await_tickets(stack, 170);
	stack_restart_pod(stack, 0);
	crowd_await(crowd, 40000);

	assert_true(crowd_count(crowd, "outcomes.reset") > 0);	 /* were under way when it died */
	assert_true(crowd_count(crowd, "outcomes.refused") > 0); /* came while it was away */
	assert_int_equal(crowd_count(crowd, "counts.joined"), VISITORS);
	assert_int_equal(crowd_count(crowd, "counts.admitted"), VISITORS);
	crowd_expect_nobody_lost(crowd);
	crowd_close(crowd);
	assert_true(stack_metric(stack_internal_url(stack, 0), "wr_joins_total{kind=\"new\"}") > 0);

	process_stop(stack_admitter(stack, 0), 10000);
	struct story story;
	events_check(stack,
				 &(struct story_rules){.queue = QUEUE_NAME,
									   .capacity = CAPACITY,
									   .rate_per_minute = RATE_PER_MINUTE,
									   .burst = BURST},
				 &story);
	/* A join whose answer was lost was repeated with its key, and found the first place. */
	assert_int_equal(story.enqueued, VISITORS);
	assert_int_equal(story.admitted, VISITORS);
	assert_int_equal(story.expired + story.missed, 0);
	story_free(&story);
	stack_free(stack);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_killed_pod_costs_nobody_the_place),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
