/* The store loses everything. The pods make the queue again from memory, its visitors' polls put
 * their places back, nobody goes in while they do, and then the line moves on in ticket order.
 * Who did not report in time has lost the place. A queue that an operator has deleted stays
 * deleted.
 */
#include "support/api.h"
#include "support/cmocka.h"
#include "support/events.h"
#include "support/http.h"
#include "support/people.h"
#include "support/process.h"
#include "support/wait.h"
#include "waitingroom/memory.h"

#include <stdio.h>
#include <string.h>

#define QUEUE_NAME "default/demo"
#define DELETED_QUEUE "default/old"
#define PEOPLE 10
#define POLL_MAX_MS 800
#define WINDOW_MS (3 * POLL_MAX_MS)
#define NEWCOMERS 2

#define SETTINGS                                                                                   \
	"\"rate_per_minute\":600,\"burst\":1,\"capacity\":100,\"poll_min_ms\":200,"                    \
	"\"poll_max_ms\":800,\"absent_after_ms\":20000,\"first_heartbeat_ms\":15000"

static const char *const env[] = {"WR_REAP_INTERVAL_MS=100", "WR_WORKERS=2", NULL};

/* Of a pod, before the store went away. */
static double connections;

static bool is_recovering(struct stack *stack, int pod)
{
	WR_AUTO(http_answer_free_at)
	struct http_answer *answer =
		http_call(stack_internal_url(stack, pod), "GET", "/debug/state", NULL, NULL);
	return strstr(answer->body, "\"recovering\":true");
}

/* 503: the pod's connection for operators is not back yet. */
static bool sets_state(struct stack *stack, const char *state)
{
	char body[400];
	snprintf(body, sizeof(body), "{\"state\":\"%s\"," SETTINGS "}", state);
	WR_AUTO(http_answer_free_at)
	struct http_answer *answer = api_admin(stack, 0, "PUT", "/" QUEUE_NAME, body);
	if (answer->status != 503)
		api_expect_status(answer, 200);
	return answer->status == 200;
}

static void set_state(struct stack *stack, const char *state)
{
	WAIT_UNTIL(5000, sets_state(stack, state), "an operator is heard");
}

static bool queue_exists(struct stack *stack, const char *queue)
{
	return api_store_number(stack, "EXISTS wr:{%s}:settings", queue) == 1;
}

static int64_t admitted(struct stack *stack)
{
	int64_t count = api_store_number(stack, "HGET wr:{" QUEUE_NAME "}:counts admitted:main");
	return count == INT64_MIN ? 0 : count;
}

static bool reporters_wait(struct people *people)
{
	return people_poll(people, 0, PEOPLE - 1).waiting == PEOPLE - 1;
}

static int64_t restored(struct stack *stack)
{
	return api_store_number(stack, "ZCARD wr:{" QUEUE_NAME "}:restored:main");
}

/* Each pod has several connections to the store, and the last is back a second after the first:
 * whoever joins by way of it is told to try again until then. */
static bool is_connected(struct stack *stack, double wanted)
{
	return stack_metric(stack_internal_url(stack, 0), "wr_store_connected") >= wanted &&
		   stack_metric(stack_internal_url(stack, 1), "wr_store_connected") >= wanted;
}

static struct people *join_behind(struct stack *stack)
{
	WAIT_UNTIL(WINDOW_MS, is_connected(stack, connections),
			   "pods have all their connections again");
	return people_join(stack, QUEUE_NAME, NEWCOMERS);
}

/* Everybody but the last reports, as browsers do, again and again, and newcomers stand behind. */
static struct people *report(struct stack *stack, struct people *people)
{
	WAIT_UNTIL(WINDOW_MS, reporters_wait(people) && restored(stack) == PEOPLE - 1,
			   "people have reported");
	/* Their numbers are of before the loss, and not of the same moment in each pod. */
	assert_int_equal(people_poll(people, 0, PEOPLE - 1).stale, PEOPLE - 1);
	struct people *newcomers = join_behind(stack);
	for (size_t i = 0; i < NEWCOMERS; i++)
		assert_true(newcomers->all[i].ticket > people->all[PEOPLE - 1].ticket);
	assert_true(is_recovering(stack, 0));
	assert_int_equal(admitted(stack), 0);
	return newcomers;
}

static bool reporters_are_in(struct people *people)
{
	struct poll_counts counts = people_poll(people, 0, PEOPLE - 1);
	assert_int_equal(counts.gone, 0);
	return counts.admitted == PEOPLE - 1;
}

static bool newcomers_are_in(struct people *newcomers)
{
	return people_poll(newcomers, 0, 0).admitted == NEWCOMERS;
}

static void lose_everything(struct stack *stack, int64_t last_ticket)
{
	connections = stack_metric(stack_internal_url(stack, 0), "wr_store_connected");
	assert_true(connections > 1);
	redis_restart(stack->redis); /* it keeps nothing */
	WAIT_UNTIL(10000, queue_exists(stack, QUEUE_NAME), "a pod makes the queue again");
	WAIT_UNTIL(5000, is_recovering(stack, 0) && is_recovering(stack, 1), "the pods say so");
	WAIT_UNTIL(5000, api_store_number(stack, "GET wr:{" QUEUE_NAME "}:ticket:main") == last_ticket,
			   "each has said what it knows of the numbers that were given out");
}

static bool is_forgotten(struct stack *stack, int pod)
{
	WR_AUTO(http_answer_free_at)
	struct http_answer *answer =
		http_call(stack_url(stack, pod), "GET", "/queues/" DELETED_QUEUE, NULL, NULL);
	return answer->status == 404;
}

static void delete_queue(struct stack *stack)
{
	WR_AUTO(http_answer_free_at)
	struct http_answer *answer = api_admin(stack, 0, "DELETE", "/" DELETED_QUEUE, NULL);
	assert_in_range(answer->status, 200, 204);
	assert_false(queue_exists(stack, DELETED_QUEUE));
	for (int pod = 0; pod < 2; pod++)
		WAIT_UNTIL(5000, is_forgotten(stack, pod), "the pod knows that the queue is deleted");
}

static void check_events(struct stack *stack)
{
	process_stop(stack_admitter(stack, 0), 10000);
	struct story story;
	events_check(
		stack,
		&(struct story_rules){
			.queue = QUEUE_NAME, .capacity = 100, .rate_per_minute = -1, .store_lost = true},
		&story);
	assert_int_equal(story.restored, PEOPLE - 1);
	assert_int_equal(story.admitted, PEOPLE - 1 + NEWCOMERS);
	assert_int_equal(story.returned, 0);
	story_free(&story);
}

static void a_line_is_made_again_from_what_visitors_hold(void **state)
{
	(void)state;
	const char *queues =
		QUEUES(QUEUE("demo", HELD "," SETTINGS) "," QUEUE("old", HELD "," SETTINGS));
	struct stack *stack = stack_start(&(struct stack_options){.pods = 2,
															  .admitters = 1,
															  .queues = queues,
															  .admin_keys = API_ADMIN_KEYS_FILE,
															  .env = env});
	struct people *people = people_join(stack, QUEUE_NAME, PEOPLE);
	people_await_known(people);
	struct people *dropped = people_join(stack, DELETED_QUEUE, 1);
	delete_queue(stack);
	events_await_drained(stack, QUEUE_NAME, 10000);

	lose_everything(stack, PEOPLE);
	struct people *newcomers = report(stack, people);
	set_state(stack, "open");
	WAIT_UNTIL(WINDOW_MS + 10000, reporters_are_in(people), "they go in after the window");
	WAIT_UNTIL(10000, newcomers_are_in(newcomers), "then the newcomers");
	assert_int_equal(people_poll(people, PEOPLE - 1, 1).gone, 1);
	assert_false(queue_exists(stack, DELETED_QUEUE));
	check_events(stack);
	people_free(people);
	people_free(dropped);
	people_free(newcomers);
	stack_free(stack);
}

static bool all_wait(struct people *people)
{
	return people_poll(people, 0, 0).waiting == people->count;
}

static bool all_are_in(struct people *people)
{
	struct poll_counts counts = people_poll(people, 0, 0);
	assert_int_equal(counts.gone, 0);
	return counts.admitted == people->count;
}

/* Some have reported by then, some have not, and some are new: all hold tokens, of one life or the
 * other. */
static void a_line_that_is_lost_again_while_it_is_made_again_loses_nobody(void **state)
{
	(void)state;
	struct stack *stack = stack_start(
		&(struct stack_options){.pods = 2,
								.admitters = 1,
								.queues = QUEUES(QUEUE("demo", SETTINGS ",\"state\":\"hold\"")),
								.admin_keys = API_ADMIN_KEYS_FILE,
								.env = env});
	struct people *people = people_join(stack, QUEUE_NAME, PEOPLE);
	people_await_known(people);
	lose_everything(stack, PEOPLE);
	WAIT_UNTIL(WINDOW_MS,
			   people_poll(people, 0, PEOPLE / 2).waiting == PEOPLE / 2 &&
				   restored(stack) == PEOPLE / 2,
			   "half of them have reported");
	struct people *newcomers = join_behind(stack);

	lose_everything(stack, PEOPLE + NEWCOMERS);
	WAIT_UNTIL(WINDOW_MS,
			   all_wait(people) && all_wait(newcomers) && restored(stack) == PEOPLE + NEWCOMERS,
			   "all have reported");
	set_state(stack, "open");
	WAIT_UNTIL(WINDOW_MS + 10000, all_are_in(people), "they go in after the window");
	WAIT_UNTIL(10000, all_are_in(newcomers), "then the newcomers");
	people_free(people);
	people_free(newcomers);
	stack_free(stack);
}

/* Nobody but the visitors knows what was: the pods make the queue of their file, where nothing
 * is. */
static void a_line_is_made_again_from_tokens_alone_when_the_pods_have_started_anew(void **state)
{
	(void)state;
	const char *queues = QUEUES(QUEUE("demo", HELD "," SETTINGS));
	struct stack *stack = stack_start(&(struct stack_options){.pods = 2,
															  .admitters = 1,
															  .queues = queues,
															  .admin_keys = API_ADMIN_KEYS_FILE,
															  .env = env});
	struct people *people = people_join(stack, QUEUE_NAME, PEOPLE);
	people_await_known(people);
	for (int pod = 0; pod < 2; pod++)
		process_kill(stack_pod(stack, pod));
	redis_restart(stack->redis);
	for (int pod = 0; pod < 2; pod++)
		stack_restart_pod(stack, pod);
	WAIT_UNTIL(WINDOW_MS, all_wait(people) && restored(stack) == PEOPLE, "all have reported");
	set_state(stack, "open");
	assert_int_equal(admitted(stack), 0);
	WAIT_UNTIL(WINDOW_MS + 10000, all_are_in(people), "they go in after the window");
	process_stop(stack_admitter(stack, 0), 10000);
	struct story story;
	events_check(
		stack,
		&(struct story_rules){
			.queue = QUEUE_NAME, .capacity = 100, .rate_per_minute = -1, .store_lost = true},
		&story);
	assert_int_equal(story.admitted, PEOPLE);
	story_free(&story);
	people_free(people);
	stack_free(stack);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_line_is_made_again_from_what_visitors_hold),
		cmocka_unit_test(a_line_that_is_lost_again_while_it_is_made_again_loses_nobody),
		cmocka_unit_test(a_line_is_made_again_from_tokens_alone_when_the_pods_have_started_anew),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
