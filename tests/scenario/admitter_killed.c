/* One of two admitters goes away while people are let in: killed, and the other goes on when the
 * lease has run out; told to stop, and the other goes on at once.
 */
#include "support/api.h"
#include "support/cmocka.h"
#include "support/crowd.h"
#include "support/events.h"
#include "support/process.h"
#include "support/wait.h"
#include "waitingroom/memory.h"

#include <stdio.h>
#include <string.h>

#define QUEUE_NAME "default/demo"
#define LEASE "GET wr:{" QUEUE_NAME "}:lease:"
#define TAKEOVER_MS 2000

static const char queues[] =
	QUEUES(QUEUE("demo", "\"rate_per_minute\":4800,\"burst\":5,\"capacity\":100000,"
						 "\"poll_min_ms\":200,\"poll_max_ms\":1000,\"absent_after_ms\":5000,"
						 "\"heartbeat_ttl_ms\":20000,\"first_heartbeat_ms\":15000"));

/* People in line let in by this process; a join that finds the room empty needs no admitter. */
static double admitted_by(struct stack *stack, int admitter)
{
	return stack_metric(stack_admitter_url(stack, admitter), "wr_admitter_admitted_total");
}

/* Is the lease of this role held by one of the admitter's clients ("admitter-<pid>…",
 * "relay-…")? */
static bool has_lease(struct stack *stack, int admitter, const char *role, const char *owner)
{
	char command[64], mark[32];
	snprintf(command, sizeof(command), LEASE "%s", role);
	snprintf(mark, sizeof(mark), "%s-%08x", owner,
			 (unsigned)process_pid(stack_admitter(stack, admitter)));
	WR_AUTO(mem_free_at) char *reply = redis_do(stack->redis, command);
	return reply && strstr(reply, mark);
}

static int holder(struct stack *stack)
{
	for (;;)
		for (int admitter = 0; admitter < 2; admitter++)
			if (has_lease(stack, admitter, "admit", "admitter"))
				return admitter;
}

/* This admitter goes on letting people in, within the time that is promised. */
static void expect_takeover(struct stack *stack, int admitter)
{
	double before = admitted_by(stack, admitter);
	WAIT_UNTIL(TAKEOVER_MS, admitted_by(stack, admitter) > before, "the other lets people in");
	assert_int_equal(holder(stack), admitter);
}

static void the_other_admitter_goes_on(void **state)
{
	(void)state;
	const char *const env[] = {NO_RATE_LIMITS, NULL};
	struct stack *stack = stack_start(
		&(struct stack_options){.pods = 1, .admitters = 2, .queues = queues, .env = env});
	struct crowd_process *crowd =
		crowd_start(stack, QUEUE_NAME,
					(const char *const[]){"--visitors=300", "--arrive-per-s=150", "--stay-ms=200",
										  "--rate-per-minute=4800", "--burst=5", NULL});
	int killed = holder(stack);
	WAIT_UNTIL(20000, admitted_by(stack, killed) >= 20, "people are let in");
	process_kill(stack_admitter(stack, killed));
	expect_takeover(stack, !killed);

	stack_restart_admitter(stack, killed);
	process_stop(stack_admitter(stack, !killed), 10000);
	assert_false(has_lease(stack, !killed, "admit", "admitter"));
	assert_false(has_lease(stack, !killed, "relay", "relay"));
	expect_takeover(stack, killed);

	/* With nobody left to take it, it can be seen that the lease does not have to run out. */
	process_stop(stack_admitter(stack, killed), 10000);
	assert_int_equal(api_store_number(stack, "EXISTS wr:{" QUEUE_NAME "}:lease:admit"), 0);
	stack_restart_admitter(stack, killed);
	crowd_await(crowd, 30000);
	assert_int_equal(crowd_count(crowd, "counts.admitted"), 300);
	crowd_expect_nobody_lost(crowd);
	crowd_close(crowd);

	process_stop(stack_admitter(stack, killed), 10000);
	struct story story;
	events_check(stack,
				 &(struct story_rules){
					 .queue = QUEUE_NAME, .capacity = 100000, .rate_per_minute = 4800, .burst = 5},
				 &story);
	assert_int_equal(story.admitted, 300);
	story_free(&story);
	stack_free(stack);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_other_admitter_goes_on),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
