/* A campus: thousands of people behind one address join at once, and each has to solve a challenge.
 *
 * It becomes harder for them and stays easy for everybody else; all of them get in, and whoever has
 * a place is not asked for anything, nor limited. The promises of the design are checked by wrload.
 */
#include "support/api.h"
#include "support/cmocka.h"
#include "support/crowd.h"
#include "support/shared_stack.h"
#include "support/wait.h"
#include "waitingroom/memory.h"

#include <stdio.h>

#define QUEUE_NAME "default/campus"
#define PEOPLE 1500

static const char queues[] =
	QUEUES(QUEUE("campus", "\"rate_per_minute\":60000,\"burst\":100,\"capacity\":1000,"
						   "\"poll_min_ms\":400,\"poll_max_ms\":1000,\"absent_after_ms\":1500,"
						   "\"heartbeat_ttl_ms\":20000,\"first_heartbeat_ms\":15000,"
						   "\"claim_ttl_ms\":5000,\"challenge\":\"pow\",\"challenge_bits_min\":3,"
						   "\"challenge_bits_max\":9,\"challenge_puzzles\":6"));

static int start(void **state)
{
	(void)state;
	stack = stack_start(&(struct stack_options){
		.pods = 2,
		.admitters = 1,
		.queues = queues,
		.env = (const char *const[]){NO_RATE_LIMITS, "WR_TRUSTED_PROXIES=127.0.0.1", NULL}});
	return 0;
}

static int64_t bits_for(const char *address)
{
	char headers[64];
	snprintf(headers, sizeof(headers), "X-Forwarded-For: %s\r\n", address);
	WR_AUTO(http_answer_free_at)
	struct http_answer *answer =
		http_call(stack_url(stack, 0), "GET", "/challenge?queue=" QUEUE_NAME, headers, NULL);
	api_expect_status(answer, 200);
	return http_answer_number(answer, "bits");
}

static void everybody_on_a_campus_gets_in_and_nobody_else_notices(void **state)
{
	(void)state;
	assert_int_equal(bits_for("127.0.0.1"), 3);
	struct crowd_process *crowd = crowd_start(
		stack, QUEUE_NAME,
		(const char *const[]){"--visitors=1500", "--arrive-per-s=300", "--stay-ms=500", "--seed=3",
							  "--capacity=1000", "--rate-per-minute=60000", "--burst=100", NULL});
	WAIT_UNTIL(20000, bits_for("127.0.0.99") >= 5, "it is harder for the campus");
	assert_int_equal(bits_for("203.0.113.9"), 3);
	crowd_await(crowd, 60000);
	assert_int_equal(crowd_count(crowd, "counts.joined"), PEOPLE);
	assert_true(crowd_count(crowd, "counts.challenged") >= PEOPLE);
	assert_int_equal(crowd_count(crowd, "counts.refused"), 0);
	crowd_expect_nobody_lost(crowd);
	/* No heartbeat was limited, or asked to prove anything. */
	assert_int_equal(crowd_count(crowd, "counts.answers_429"), 0);
	assert_int_equal(crowd_count(crowd, "counts.answers_5xx"), 0);
	crowd_close(crowd);
	double solved = 0;
	for (int pod = 0; pod < 2; pod++)
		solved +=
			stack_metric(stack_internal_url(stack, pod), "wr_challenges_total{outcome=\"solved\"}");
	assert_true(solved >= PEOPLE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(everybody_on_a_campus_gets_in_and_nobody_else_notices),
	};
	return cmocka_run_group_tests(tests, start, shared_stack_close);
}
