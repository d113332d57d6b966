/* An admitter is stopped in the middle of its work for longer than its lease, and the capacity is
 * lowered meanwhile. When it wakes up its plans are out of date: nobody more goes in by them.
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
#define HIGH 40
#define LOW 8
#define SETTINGS(capacity)                                                                         \
	"\"rate_per_minute\":12000,\"burst\":20,\"capacity\":" #capacity ",\"poll_min_ms\":100,"       \
	"\"poll_max_ms\":500,\"absent_after_ms\":5000,\"first_heartbeat_ms\":15000"

static int64_t sessions(struct stack *stack)
{
	return api_store_number(stack, "ZCARD wr:{" QUEUE_NAME "}:sessions");
}

static bool has_lease(struct stack *stack, int admitter)
{
	char mark[32];
	snprintf(mark, sizeof(mark), "admitter-%08x",
			 (unsigned)process_pid(stack_admitter(stack, admitter)));
	WR_AUTO(mem_free_at)
	char *reply = redis_do(stack->redis, "GET wr:{" QUEUE_NAME "}:lease:admit");
	return reply && strstr(reply, mark);
}

static double steps(struct stack *stack, int admitter, const char *result)
{
	char name[80];
	snprintf(name, sizeof(name), "wr_admitter_steps_total{kind=\"admit\",result=\"%s\"}", result);
	return stack_metric(stack_admitter_url(stack, admitter), name);
}

static void lower_the_capacity(struct stack *stack)
{
	WR_AUTO(http_answer_free_at)
	struct http_answer *answer = api_admin(stack, 0, "PUT", "/" QUEUE_NAME, "{" SETTINGS(8) "}");
	api_expect_status(answer, 200);
}

/* negative: nobody, for a moment: it has run out on a busy machine */
static int who_has_lease(struct stack *stack)
{
	return has_lease(stack, 0) ? 0 : has_lease(stack, 1) ? 1 : -1;
}

/* Stopped with the lease, and with people to let in; gives its number. */
static int put_to_sleep(struct stack *stack)
{
	int sleeper = -1;
	WAIT_UNTIL(5000, (sleeper = who_has_lease(stack)) >= 0, "an admitter has the lease");
	process_pause(stack_admitter(stack, sleeper));
	WAIT_UNTIL(5000, has_lease(stack, !sleeper), "the other admitter takes over");
	return sleeper;
}

static void an_admitter_that_wakes_up_keeps_to_the_new_capacity(void **state)
{
	(void)state;
	const char *const env[] = {NO_RATE_LIMITS, NULL};
	struct stack *stack =
		stack_start(&(struct stack_options){.pods = 1,
											.admitters = 2,
											.queues = QUEUES(QUEUE("demo", SETTINGS(40))),
											.env = env,
											.admin_keys = API_ADMIN_KEYS_FILE});
	struct crowd_process *crowd =
		crowd_start(stack, QUEUE_NAME,
					(const char *const[]){"--visitors=250", "--arrive-per-s=250", "--stay-ms=1000",
										  "--capacity=40", NULL});
	WAIT_UNTIL(20000, sessions(stack) == HIGH, "the site is full");
	int sleeper = put_to_sleep(stack);
	lower_the_capacity(stack);
	WAIT_UNTIL(10000, sessions(stack) <= LOW, "fewer people are on the site");

	process_continue(stack_admitter(stack, sleeper));
	double seen = steps(stack, sleeper, "other");
	WAIT_UNTIL(5000, steps(stack, sleeper, "other") > seen, "it finds that it has no lease");
	process_stop(stack_admitter(stack, !sleeper), 10000);
	double done = steps(stack, sleeper, "done");
	WAIT_UNTIL(5000, steps(stack, sleeper, "done") > done + 5, "it works again");
	assert_true(api_store_number(stack, "ZCARD wr:{" QUEUE_NAME "}:heartbeats") > 0);
	assert_true(sessions(stack) <= LOW);

	crowd_end(crowd, 10000);
	crowd_close(crowd);
	process_stop(stack_admitter(stack, sleeper), 10000);
	struct story story;
	events_check(stack,
				 &(struct story_rules){
					 .queue = QUEUE_NAME, .capacity = HIGH, .rate_per_minute = 12000, .burst = 20},
				 &story);
	assert_int_equal(story.active_most, HIGH);
	assert_true(story.active_last <= LOW);
	story_free(&story);
	stack_free(stack);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_admitter_that_wakes_up_keeps_to_the_new_capacity),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
