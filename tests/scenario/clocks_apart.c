/* The clock of one pod is an hour wrong. Whatever another pod has dated is good there too, and the
 * other way round: all go by the store's time.
 */
#include "support/api.h"
#include "support/cmocka.h"
#include "support/process.h"
#include "support/temp.h"
#include "support/wait.h"
#include "waitingroom/memory.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HOUR "3600"
#define RIGHT 0 /* numbers of the pods */
#define WRONG 1

static struct stack *stack;

static double clock_offset_s(int pod)
{
	return stack_metric(stack_internal_url(stack, pod), "wr_store_clock_offset_seconds");
}

/* AddressSanitizer wants to be the first library, but does not need to be. */
static void let_others_come_first(void)
{
	char options[1024];
	const char *before = getenv("ASAN_OPTIONS");
	snprintf(options, sizeof(options), "%s:verify_asan_link_order=0", before ? before : "");
	setenv("ASAN_OPTIONS", options, 1);
}

/* Beside the programs: build/tests/preload. */
static void start_room(const char *ahead_s)
{
	stack = stack_start(&(struct stack_options){
		.pods = 1,
		.admitters = 1,
		.without_nats = true,
		.queues = QUEUES(
			QUEUE("open", "\"capacity\":10,\"session_ttl_ms\":600000") "," QUEUE("held", HELD)),
		.env = (const char *const[]){NO_RATE_LIMITS, "WR_RELAY=0", NULL}});
	char library[4096];
	snprintf(library, sizeof(library), "%s/../tests/preload/skewed_clock.so",
			 getenv("WR_TEST_BIN_DIR"));
	let_others_come_first();
	setenv("LD_PRELOAD", library, 1);
	setenv("WR_TEST_CLOCK_AHEAD_S", ahead_s, 1);
	stack_add_pod(stack);
	unsetenv("LD_PRELOAD");
	unsetenv("WR_TEST_CLOCK_AHEAD_S");
	double off_s = clock_offset_s(WRONG); /* the fault bit */
	assert_true((off_s < 0 ? -off_s : off_s) > 3000);
}

static void expect_place_of(int joined, int asked)
{
	WR_AUTO(mem_free_at) char *token = api_join(stack_url(stack, joined), "held");
	WR_AUTO(http_answer_free_at)
	struct http_answer *answer = api_poll(stack_url(stack, asked), "/heartbeat", token);
	api_expect_place(answer, "waiting");
}

/* An empty room: the session is in the answer to the join. */
static void expect_session_of(int joined, int asked)
{
	WR_AUTO(http_answer_free_at)
	struct http_answer *place = api_enqueue(stack_url(stack, joined), "open", NULL);
	api_expect_place(place, "admitted");
	WR_AUTO(mem_free_at) char *session = http_answer_text(place, "session_token");
	WR_AUTO(http_answer_free_at)
	struct http_answer *released = api_poll(stack_url(stack, asked), "/session/release", session);
	api_expect_status(released, 200);
}

static void expect_nobody_notices(const char *ahead_s)
{
	start_room(ahead_s);
	expect_place_of(RIGHT, WRONG);
	expect_place_of(WRONG, RIGHT);
	expect_place_of(WRONG, WRONG);
	expect_session_of(RIGHT, WRONG);
	expect_session_of(WRONG, RIGHT);
	expect_session_of(WRONG, WRONG);
	stack_free(stack);
}

static void a_pod_that_is_an_hour_behind_serves_as_the_others_do(void **state)
{
	(void)state;
	expect_nobody_notices("-" HOUR);
}

static void a_pod_that_is_an_hour_ahead_serves_as_the_others_do(void **state)
{
	(void)state;
	expect_nobody_notices(HOUR);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_pod_that_is_an_hour_behind_serves_as_the_others_do),
		cmocka_unit_test(a_pod_that_is_an_hour_ahead_serves_as_the_others_do),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
