/* All pods are down for longer than a place is held, while the admitter goes on looking. Nobody
 * could be heard, so nobody has been silent: places are held for a full term after the pods are
 * back, and only then given up.
 */
#include "support/api.h"
#include "support/cmocka.h"
#include "support/events.h"
#include "support/people.h"
#include "support/process.h"
#include "support/wait.h"

#define QUEUE_NAME "default/demo"
#define PEOPLE 10
#define TTL_MS 3000

static const char queues[] = QUEUES(
	QUEUE("demo", HELD ",\"heartbeat_ttl_ms\":3000,\"absent_after_ms\":700,"
					   "\"first_heartbeat_ms\":2500,\"poll_min_ms\":200,\"poll_max_ms\":500"));

static double reaps(struct stack *stack)
{
	return stack_metric(stack_admitter_url(stack, 0),
						"wr_admitter_steps_total{kind=\"reap\",result=\"done\"}");
}

static int64_t places(struct stack *stack)
{
	return api_store_number(stack, "ZCARD wr:{" QUEUE_NAME "}:heartbeats");
}

/* True when this long has passed since 'began'. No place may be given up meanwhile. */
static bool held_for(struct stack *stack, struct mono_time began, int64_t ms)
{
	assert_int_equal(places(stack), PEOPLE);
	return mono_diff_ms(began, clock_mono()) >= ms;
}

static bool talkers_wait(struct people *people)
{
	return people_poll(people, 0, PEOPLE / 2).waiting == PEOPLE / 2;
}

static bool only_talkers_are_left(struct people *people)
{
	assert_true(talkers_wait(people));
	return places(people->stack) == PEOPLE / 2;
}

static bool silent_are_told(struct people *people)
{
	return people_poll(people, PEOPLE / 2, PEOPLE / 2).gone == PEOPLE / 2;
}

static void nobody_expires_because_all_pods_were_down(void **state)
{
	(void)state;
	const char *const env[] = {"WR_REAP_INTERVAL_MS=100", "WR_DEAF_AFTER_MS=1000", NULL};
	struct stack *stack = stack_start(
		&(struct stack_options){.pods = 2, .admitters = 1, .queues = queues, .env = env});
	struct people *people = people_join(stack, QUEUE_NAME, PEOPLE);
	process_kill(stack_pod(stack, 0));
	process_kill(stack_pod(stack, 1));
	struct mono_time down = clock_mono();
	double before = reaps(stack);
	WAIT_UNTIL(TTL_MS * 3, held_for(stack, down, TTL_MS + 1000), "a term and more has passed");
	assert_true(reaps(stack) > before + 20);
	assert_int_equal(people_poll(people, 0, 0).unavailable, PEOPLE);

	stack_restart_pod(stack, 0);
	stack_restart_pod(stack, 1);
	struct mono_time back = clock_mono();
	WAIT_UNTIL(5000, talkers_wait(people), "half of the people poll again");
	WAIT_UNTIL(TTL_MS, held_for(stack, back, TTL_MS * 3 / 4), "most of a term has passed");
	WAIT_UNTIL(TTL_MS * 2, only_talkers_are_left(people), "the silent half is given up");
	WAIT_UNTIL(2000, silent_are_told(people), "and told so");

	process_stop(stack_admitter(stack, 0), 10000);
	struct story story;
	events_check(stack, &(struct story_rules){.queue = QUEUE_NAME}, &story);
	assert_int_equal(story.expired, PEOPLE / 2);
	story_free(&story);
	people_free(people);
	stack_free(stack);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nobody_expires_because_all_pods_were_down),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
