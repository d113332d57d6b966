/* NATS dies under load and comes back. Visitors notice nothing; events wait in the outbox, and in
 * the end each change is in the stream, once.
 *
 * The broker is stopped for a moment before it is killed, so that events are certainly on their
 * way to it, unconfirmed, when it dies.
 */
#include "support/api.h"
#include "support/cmocka.h"
#include "support/crowd.h"
#include "support/events.h"
#include "support/process.h"
#include "support/wait.h"

#define QUEUE_NAME "default/demo"
#define VISITORS 400

static const char queues[] =
	QUEUES(QUEUE("demo", "\"rate_per_minute\":3000,\"burst\":20,\"capacity\":80,"
						 "\"poll_min_ms\":400,\"poll_max_ms\":1000,\"absent_after_ms\":1200,"
						 "\"heartbeat_ttl_ms\":4000,\"first_heartbeat_ms\":10000,"
						 "\"claim_ttl_ms\":5000,\"session_ttl_ms\":3000"));

static int64_t outbox(struct stack *stack)
{
	return api_store_number(stack, "XLEN wr:{" QUEUE_NAME "}:outbox");
}

static double all_relays(struct stack *stack, const char *metric)
{
	double sum = 0;
	for (int pod = 0; pod < stack->pod_count; pod++)
		sum += stack_metric(stack_internal_url(stack, pod), metric);
	return sum + stack_metric(stack_admitter_url(stack, 0), metric);
}

static bool is_quiet(struct stack *stack)
{
	return api_store_number(stack, "ZCARD wr:{" QUEUE_NAME "}:sessions") == 0 &&
		   api_store_number(stack, "ZCARD wr:{" QUEUE_NAME "}:heartbeats") == 0;
}

static void no_event_is_lost_with_the_broker(void **state)
{
	(void)state;
	const char *const env[] = {"WR_REAP_INTERVAL_MS=200", "WR_SYNC_INTERVAL_MS=100", NO_RATE_LIMITS,
							   NULL};
	struct stack *stack = stack_start(
		&(struct stack_options){.pods = 2, .admitters = 1, .queues = queues, .env = env});
	struct crowd_process *crowd = crowd_start(
		stack, QUEUE_NAME,
		(const char *const[]){"--visitors=400", "--arrive-per-s=100", "--stay-ms=300",
							  "--vanish=0.1", "--sleep=0.05", "--sleep-ms=2000", "--leave=0.1",
							  "--capacity=80", "--rate-per-minute=3000", "--burst=20", NULL});
	WAIT_UNTIL(20000, all_relays(stack, "wr_events_acked_total") > 50, "events are published");
	nats_pause(stack->nats);
	int64_t before = outbox(stack);
	WAIT_UNTIL(20000, outbox(stack) > before + 20, "the outbox grows");
	nats_kill(stack->nats);
	WAIT_UNTIL(20000, outbox(stack) > before + 40, "the outbox grows on");
	nats_restart(stack->nats);
	crowd_await(crowd, 40000);

	assert_int_equal(crowd_count(crowd, "counts.transport_errors"), 0);
	assert_int_equal(crowd_count(crowd, "counts.answers_5xx"), 0);
	assert_int_equal(crowd_count(crowd, "counts.joined"), VISITORS);
	assert_int_equal(crowd_count(crowd, "counts.lost"), 0);
	crowd_close(crowd);
	WAIT_UNTIL(20000, is_quiet(stack), "everybody's place has ended");
	events_await_drained(stack, QUEUE_NAME, 20000);
	assert_true(all_relays(stack, "wr_events_republished_total") > 0);

	process_stop(stack_admitter(stack, 0), 10000);
	struct story story;
	events_check(stack,
				 &(struct story_rules){
					 .queue = QUEUE_NAME, .capacity = 80, .rate_per_minute = 3000, .burst = 20},
				 &story);
	assert_int_equal(story.enqueued, VISITORS);
	assert_true(story.left > 0 && story.ended > 0);
	assert_true(story.expired + story.missed > 0);
	story_free(&story);
	stack_free(stack);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(no_event_is_lost_with_the_broker),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
