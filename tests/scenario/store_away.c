/* The store is killed, or stops answering, for longer than a place is held.
 *
 * Meanwhile joins are refused with Retry-After and polls are answered from the last picture, marked
 * stale; nothing hangs and nothing piles up in the pods. Afterwards all goes on without a restart,
 * and nobody has lost a place for the time in which nobody could be heard: neither those who polled
 * all the time, nor those who did not, until they have been silent for a full term again.
 *
 * A crowd in another queue joins and goes in all the while, so that there are requests under way
 * when it happens, and places that were confirmed a moment before.
 */
#include "support/api.h"
#include "support/cmocka.h"
#include "support/crowd.h"
#include "support/events.h"
#include "support/http.h"
#include "support/people.h"
#include "support/process.h"
#include "support/wait.h"
#include "waitingroom/memory.h"

#include <stdlib.h>

#define SILENT_QUEUE "default/silent"
#define BUSY_QUEUE "default/busy"
#define PEOPLE 12
#define TTL_MS 3000
#define STORE_TIMEOUT_MS 1000
#define CROWD 250

static const char queues[] =
	QUEUES(QUEUE("silent", HELD ",\"heartbeat_ttl_ms\":3000,\"absent_after_ms\":700,"
								"\"first_heartbeat_ms\":2500,\"poll_min_ms\":200,\"poll_max_ms\":"
								"500") "," QUEUE("busy", "\"rate_per_minute\":3000,\"burst\":10,"
														 "\"capacity\":60,"
														 "\"poll_min_ms\":400,\"poll_max_ms\":1000,"
														 "\"absent_after_ms\":3000,"
														 "\"heartbeat_ttl_ms\":60000,\"first_"
														 "heartbeat_ms\":30000"));

static const char *const env[] = {"WR_REAP_INTERVAL_MS=100", "WR_DEAF_AFTER_MS=1000",
								  "WR_SYNC_INTERVAL_MS=100", NO_RATE_LIMITS, NULL};

/* How long the store is away: longer than TTL_MS, and much longer when there is time. */
static int64_t outage_ms(void)
{
	return getenv("WR_TEST_LONG") ? 20000 : 4000;
}

struct footprint { /* of a pod */
	double bytes, descriptors, connections;
};

static struct footprint footprint_of(struct stack *stack, int pod)
{
	const char *url = stack_internal_url(stack, pod);
	return (struct footprint){
		.bytes = stack_metric(url, "process_resident_memory_bytes"),
		.descriptors = stack_metric(url, "process_open_fds"),
		.connections = stack_metric(url, "wr_http_connections"),
	};
}

static void expect_join_refused(struct stack *stack)
{
	struct mono_time began = clock_mono();
	WR_AUTO(http_answer_free_at)
	struct http_answer *answer = api_enqueue(stack_url(stack, 0), "silent", "refused");
	int64_t took_ms = mono_diff_ms(began, clock_mono());
	api_expect_problem(answer, 503, "store_unavailable");
	const char *retry = http_answer_header(answer, "Retry-After");
	assert_non_null(retry);
	assert_in_range(atoi(retry), 1, 60);
	assert_true(took_ms < STORE_TIMEOUT_MS + 500);
}

/* Half of the people poll all the time; true when the outage has lasted long enough. */
static bool outage_is_over(struct people *people, struct mono_time began, size_t *stale)
{
	struct poll_counts counts = people_poll(people, 0, PEOPLE / 2);
	assert_int_equal(counts.waiting, PEOPLE / 2);
	assert_true(counts.slowest_ms < STORE_TIMEOUT_MS);
	*stale += counts.stale;
	return mono_diff_ms(began, clock_mono()) >= outage_ms();
}

static void sit_the_outage_out(struct stack *stack, struct people *people)
{
	struct footprint before = footprint_of(stack, 0);
	struct mono_time began = clock_mono();
	size_t stale = 0;
	expect_join_refused(stack);
	WAIT_UNTIL(outage_ms() + 5000, outage_is_over(people, began, &stale), "the outage is over");
	expect_join_refused(stack);
	assert_true(stale > PEOPLE);
	struct footprint after = footprint_of(stack, 0);
	assert_true(stack_metric(stack_internal_url(stack, 0), "wr_http_requests_parked") < CROWD);
	if (!getenv("WR_TEST_SLOWNESS") || atoi(getenv("WR_TEST_SLOWNESS")) <= 1)
		assert_true(after.bytes < before.bytes + 16e6); /* sanitizers keep what is freed */
	assert_true(after.descriptors < before.descriptors + CROWD);
}

static double reaps(struct stack *stack)
{
	return stack_metric(stack_admitter_url(stack, 0),
						"wr_admitter_steps_total{kind=\"reap\",result=\"done\"}");
}

static bool is_fresh(struct people *people, size_t from, size_t count)
{
	struct poll_counts counts = people_poll(people, from, count);
	assert_int_equal(counts.gone, 0);
	return counts.waiting == (count ? count : PEOPLE) && counts.stale == 0;
}

static bool all_gone(struct people *people)
{
	return people_poll(people, 0, 0).gone == PEOPLE;
}

static bool nobody_is_left(struct stack *stack)
{
	return api_store_number(stack, "ZCARD wr:{" SILENT_QUEUE "}:heartbeats") == 0;
}

/* For how long somebody has been listening again: patience counts from there, which may be a moment
 * before the last pod has found the store, and begins anew while no pod has told what it heard. */
static int64_t listened_ms(struct stack *stack)
{
	return api_store_number(
		stack, "EVAL \"local t = redis.call('TIME') return t[1] * 1000 + math.floor(t[2] / 1000) - "
			   "redis.call('HGET', 'wr:{" SILENT_QUEUE "}:clock', 'since_ms')\" 0");
}

/* The silent half says nothing for two thirds of a term after the store is back, while places
 * are looked at all the time: they are still in line. Then a full term passes for everybody. */
static void expect_amnesty(struct stack *stack, struct people *people)
{
	double before = reaps(stack);
	WAIT_UNTIL(10000, is_fresh(people, 0, PEOPLE / 2), "the pods hear the store again");
	WAIT_UNTIL(10000, listened_ms(stack) < outage_ms(), "an admitter knows that nobody was heard");
	WAIT_UNTIL(10000, listened_ms(stack) >= TTL_MS * 2 / 3, "most of a term has passed");
	assert_true(reaps(stack) > before + 4);
	WAIT_UNTIL(1000, is_fresh(people, 0, 0),
			   "everybody is in line, of whom nobody was heard either");
	WAIT_UNTIL(TTL_MS * 3, nobody_is_left(stack), "silence counts again");
	WAIT_UNTIL(5000, all_gone(people), "and their places are given up");
}

static void expect_crowd_unharmed(struct crowd_process *crowd)
{
	crowd_await(crowd, 60000);
	assert_true(crowd_count(crowd, "counts.answers_5xx") > 0);			/* it was under way */
	assert_int_equal(crowd_count(crowd, "counts.transport_errors"), 0); /* nothing hung */
	assert_int_equal(crowd_count(crowd, "counts.joined"), CROWD);
	crowd_expect_nobody_lost(crowd);
	crowd_close(crowd);
}

static void check_events(struct stack *stack)
{
	process_stop(stack_admitter(stack, 0), 10000);
	struct story story;
	events_check(stack,
				 &(struct story_rules){
					 .queue = BUSY_QUEUE, .capacity = 60, .rate_per_minute = 3000, .burst = 10},
				 &story);
	assert_int_equal(story.enqueued, CROWD);
	assert_int_equal(story.expired + story.missed, 0);
	story_free(&story);
	events_check(stack, &(struct story_rules){.queue = SILENT_QUEUE}, &story);
	/* A store that hangs may take a join up later, whose visitor was told to try again. */
	assert_in_range(story.expired, PEOPLE, PEOPLE + 1);
	assert_int_equal(story.admitted + story.restored, 0);
	story_free(&story);
}

static void suffer(void (*fault)(struct redis_server *), void (*remedy)(struct redis_server *))
{
	struct stack *stack = stack_start(&(struct stack_options){
		.pods = 2, .admitters = 1, .queues = queues, .env = env, .redis = {.append_only = true}});
	struct people *people = people_join(stack, SILENT_QUEUE, PEOPLE);
	struct crowd_process *crowd = crowd_start(
		stack, BUSY_QUEUE,
		(const char *const[]){"--visitors=250", "--arrive-per-s=100", "--stay-ms=300",
							  "--capacity=60", "--rate-per-minute=3000", "--burst=10", NULL});
	WAIT_UNTIL(20000, api_store_number(stack, "GET wr:{" BUSY_QUEUE "}:ticket:main") >= 80,
			   "the crowd joins");
	WAIT_UNTIL(2000, is_fresh(people, 0, 0), "the pods know everybody");
	fault(stack->redis);
	sit_the_outage_out(stack, people);
	remedy(stack->redis);
	expect_amnesty(stack, people);
	expect_crowd_unharmed(crowd);
	assert_true(
		stack_metric(stack_internal_url(stack, 0), "wr_heartbeats_total{source=\"stale\"}") > 0);
	assert_true(stack_metric(stack_internal_url(stack, 0), "wr_store_reconnects_total") > 0);
	check_events(stack);
	people_free(people);
	stack_free(stack);
}

static void a_killed_store_costs_nobody_the_place(void **state)
{
	(void)state;
	suffer(redis_kill, redis_restart);
}

static void a_store_that_hangs_costs_nobody_the_place(void **state)
{
	(void)state;
	suffer(redis_pause, redis_continue);
}

static bool says_stale(const char *url, const char *token)
{
	WR_AUTO(http_answer_free_at) struct http_answer *answer = api_poll(url, "/heartbeat", token);
	api_expect_place(answer, "waiting");
	return http_answer_has(answer, "stale");
}

/* Else a number that one pod has told a moment before could be smaller than that of a picture which
 * another pod took before the store hung. */
static void a_picture_is_stale_when_it_is_older_than_polls_are_apart(void **state)
{
	(void)state;
	struct stack *stack = stack_start(
		&(struct stack_options){.pods = 1,
								.without_nats = true,
								.queues = QUEUES(QUEUE("often", HELD ",\"poll_min_ms\":600")),
								.env = (const char *const[]){NO_RATE_LIMITS, "WR_RELAY=0",
															 "WR_STALE_AFTER_MS=60000", NULL}});
	const char *url = stack_url(stack, 0);
	WR_AUTO(mem_free_at) char *token = api_join(url, "often");
	api_await_position(stack, 0, token);
	redis_pause(stack->redis);
	WAIT_UNTIL(10000, says_stale(url, token), "the answer says that it is old");
	redis_continue(stack->redis);
	WAIT_UNTIL(10000, !says_stale(url, token), "and then not any more");
	stack_free(stack);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_killed_store_costs_nobody_the_place),
		cmocka_unit_test(a_store_that_hangs_costs_nobody_the_place),
		cmocka_unit_test(a_picture_is_stale_when_it_is_older_than_polls_are_apart),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
