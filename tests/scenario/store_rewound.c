/* The store comes back as it was a while ago, as after a failover to a replica that lagged: places
 * that were confirmed since are not in it.
 *
 * Their visitors' next polls put them back with their own tickets; whoever joins meanwhile gets a
 * higher number than any that was ever given; and people go in in ticket order as if nothing had
 * been.
 */
#include "support/api.h"
#include "support/cmocka.h"
#include "support/events.h"
#include "support/http.h"
#include "support/people.h"
#include "support/process.h"
#include "support/temp.h"
#include "support/wait.h"
#include "waitingroom/memory.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define QUEUE_NAME "default/demo"
#define EARLY 6
#define LATE 8
#define WORKERS 2
#define SETTINGS                                                                                   \
	"\"rate_per_minute\":600,\"burst\":1,\"capacity\":100,\"poll_min_ms\":200,"                    \
	"\"poll_max_ms\":1000,\"absent_after_ms\":20000,\"first_heartbeat_ms\":15000"

static const char *const env[] = {"WR_REAP_INTERVAL_MS=200", "WR_WORKERS=2", NULL};

static void run(const char *const argv[])
{
	struct process *process = process_start(argv[0], argv, NULL);
	assert_int_equal(process_wait(process, 10000), 0);
	process_free(process);
}

/* What a replica has that hears nothing more from now on. */
static char *copy_of_now(struct redis_server *redis)
{
	char *copy = temp_path("copy");
	redis_pause(redis);
	run((const char *const[]){"cp", "-a", redis_directory(redis), copy, NULL});
	redis_continue(redis);
	return copy;
}

static void come_back_as(struct redis_server *redis, const char *copy)
{
	redis_kill(redis);
	run((const char *const[]){"rm", "-r", redis_directory(redis), NULL});
	run((const char *const[]){"mv", copy, redis_directory(redis), NULL});
	redis_restart(redis);
}

static bool all_wait(struct people *people)
{
	struct poll_counts counts = people_poll(people, 0, 0);
	assert_int_equal(counts.gone + counts.admitted, 0);
	return counts.waiting == people->count && counts.stale == 0;
}

static bool all_stored(struct stack *stack, const struct people *people)
{
	for (size_t i = 0; i < people->count; i++) {
		int64_t ticket = api_store_number(stack, "HGET wr:{" QUEUE_NAME "}:position:%s t",
										  people->all[i].position_id);
		if (ticket != (int64_t)people->all[i].ticket)
			return false;
	}
	return true;
}

static bool has_reconnected(struct stack *stack, int pod)
{
	const char *url = stack_internal_url(stack, pod);
	return stack_metric(url, "wr_store_reconnects_total") >= WORKERS;
}

static void open_the_queue(struct stack *stack)
{
	WR_AUTO(http_answer_free_at)
	struct http_answer *answer =
		api_admin(stack, 0, "PUT", "/" QUEUE_NAME, "{\"state\":\"open\"," SETTINGS "}");
	api_expect_status(answer, 200);
}

static bool all_admitted(struct people *people)
{
	struct poll_counts counts = people_poll(people, 0, 0);
	assert_int_equal(counts.gone, 0);
	return counts.admitted == people->count;
}

/* The newcomers come before the late ones report: theirs is the first call that the store hears. */
static void expect_higher_tickets(const struct people *newcomers, uint64_t highest)
{
	for (size_t i = 0; i < newcomers->count; i++)
		assert_true(newcomers->all[i].ticket > highest);
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
	assert_int_equal(story.restored, LATE);
	assert_int_equal(story.admitted, EARLY + LATE + 2);
	assert_int_equal(story.returned, 0);
	assert_int_equal(story.expired, 0);
	story_free(&story);
}

static void places_that_the_store_has_forgotten_come_back_in_order(void **state)
{
	(void)state;
	struct stack *stack =
		stack_start(&(struct stack_options){.pods = 2,
											.admitters = 1,
											.queues = QUEUES(QUEUE("demo", HELD "," SETTINGS)),
											.admin_keys = API_ADMIN_KEYS_FILE,
											.env = env,
											.redis = {.append_only = true}});
	struct people *early = people_join(stack, QUEUE_NAME, EARLY);
	WR_AUTO(mem_free_at) char *copy = copy_of_now(stack->redis);
	struct people *late = people_join(stack, QUEUE_NAME, LATE);
	people_await_known(late);
	uint64_t highest = late->all[LATE - 1].ticket;
	events_await_drained(stack, QUEUE_NAME, 10000);

	come_back_as(stack->redis, copy);
	assert_false(all_stored(stack, late)); /* it did lose them */
	for (int pod = 0; pod < 2; pod++)
		WAIT_UNTIL(10000, has_reconnected(stack, pod), "the pod has found the store");
	struct people *newcomers = people_join(stack, QUEUE_NAME, 2);
	expect_higher_tickets(newcomers, highest);
	WAIT_UNTIL(5000, all_wait(late), "the late ones wait");
	WAIT_UNTIL(5000, all_stored(stack, late), "and the store has them with their tickets");
	WAIT_UNTIL(5000, all_wait(early) && all_wait(newcomers), "the others wait, too");

	open_the_queue(stack);
	WAIT_UNTIL(10000, all_admitted(early), "the early ones go in");
	WAIT_UNTIL(10000, all_admitted(late), "the late ones go in");
	WAIT_UNTIL(10000, all_admitted(newcomers), "the newcomers go in");
	check_events(stack);
	people_free(early);
	people_free(late);
	people_free(newcomers);
	stack_free(stack);
}

static bool has_seen_leave(struct stack *stack, int pod, int count)
{
	WR_AUTO(http_answer_free_at)
	struct http_answer *answer =
		http_call(stack_internal_url(stack, pod), "GET", "/debug/state", NULL, NULL);
	char wanted[32];
	snprintf(wanted, sizeof(wanted), "\"gone\":%d,", count);
	return strstr(answer->body, wanted);
}

/* They are first in line again, and a pod that reads the store's bitmap would count them before the
 * others, who have been told numbers without them. People's polls, to all pods in turn, fail on a
 * number that grows. */
static void nobody_is_told_a_higher_number_because_of_those_who_are_in_line_again(void **state)
{
	(void)state;
	struct stack *stack =
		stack_start(&(struct stack_options){.pods = 2,
											.admitters = 1,
											.queues = QUEUES(QUEUE("demo", HELD "," SETTINGS)),
											.admin_keys = API_ADMIN_KEYS_FILE,
											.env = env,
											.redis = {.append_only = true}});
	struct people *people = people_join(stack, QUEUE_NAME, EARLY);
	people_await_known(people);
	WR_AUTO(mem_free_at) char *copy = copy_of_now(stack->redis);
	api_admit(stack, QUEUE_NAME, 2);
	for (int pod = 0; pod < 2; pod++)
		WAIT_UNTIL(5000, has_seen_leave(stack, pod, 2), "the pod has seen them leave the line");
	assert_int_equal(people_poll(people, 2, 0).waiting, EARLY - 2);

	come_back_as(stack->redis, copy);
	WAIT_UNTIL(10000, api_store_number(stack, "HGET wr:{" QUEUE_NAME "}:counts gone:main") == 2,
			   "a pod tells the store");
	stack_restart_pod(stack, 1); /* its picture comes from there */
	WAIT_UNTIL(10000, people_poll(people, 2, 0).stale == 0, "and all pods know enough");
	for (int times = 0; times < 4; times++)
		assert_int_equal(people_poll(people, 2, 0).waiting, EARLY - 2);
	people_free(people);
	stack_free(stack);
}

static bool has_revocation(struct stack *stack, int pod)
{
	WR_AUTO(http_answer_free_at)
	struct http_answer *answer =
		http_call(stack_internal_url(stack, pod), "GET", "/debug/state", NULL, NULL);
	return strstr(answer->body, "\"revocations\":1");
}

static void expect_ended(struct stack *stack, const char *token)
{
	for (int pod = 0; pod < 2; pod++) {
		WR_AUTO(http_answer_free_at)
		struct http_answer *answer = api_poll(stack_url(stack, pod), "/heartbeat", token);
		api_expect_problem(answer, 410, "session_ended");
	}
}

/* Who has left the site would be told "admitted" by the store, and the gate would send them back,
 * for ever. */
static void a_session_that_the_store_has_forgotten_to_have_ended_is_over(void **state)
{
	(void)state;
	struct stack *stack =
		stack_start(&(struct stack_options){.pods = 2,
											.admitters = 1,
											.queues = QUEUES(QUEUE("demo", SETTINGS)),
											.env = env,
											.redis = {.append_only = true}});
	WR_AUTO(http_answer_free_at)
	struct http_answer *in = api_enqueue(stack_url(stack, 0), "demo", NULL);
	api_expect_place(in, "admitted");
	WR_AUTO(mem_free_at) char *token = http_answer_text(in, "token");
	WR_AUTO(mem_free_at) char *session = http_answer_text(in, "session_token");
	WR_AUTO(mem_free_at) char *copy = copy_of_now(stack->redis);
	WR_AUTO(http_answer_free_at)
	struct http_answer *released = api_poll(stack_url(stack, 0), "/session/release", session);
	api_expect_status(released, 200);
	for (int pod = 0; pod < 2; pod++)
		WAIT_UNTIL(5000, has_revocation(stack, pod), "the pod has heard that the session is over");
	expect_ended(stack, token);

	come_back_as(stack->redis, copy);
	for (int pod = 0; pod < 2; pod++)
		WAIT_UNTIL(10000, has_reconnected(stack, pod), "the pod has found the store");
	assert_int_equal(api_store_number(stack, "ZCARD wr:{" QUEUE_NAME "}:sessions"), 1);
	expect_ended(stack, token);

	free(redis_do(stack->redis, "FLUSHALL")); /* and now it has lost everything */
	WAIT_UNTIL(10000, api_store_number(stack, "EXISTS wr:{" QUEUE_NAME "}:settings") == 1,
			   "a pod makes the queue again");
	expect_ended(stack, token);
	stack_free(stack);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(places_that_the_store_has_forgotten_come_back_in_order),
		cmocka_unit_test(nobody_is_told_a_higher_number_because_of_those_who_are_in_line_again),
		cmocka_unit_test(a_session_that_the_store_has_forgotten_to_have_ended_is_over),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
