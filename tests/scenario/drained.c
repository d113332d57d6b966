/* The end of a sale: the line is slow, and the operator drains it.
 *
 * Hundreds of people wait in a line that would take hours. After one order they are all let in as
 * others leave, never more than the site can take; nobody is lost, and the operator's figures say
 * what happened.
 */
#include "support/api.h"
#include "support/cmocka.h"
#include "support/crowd.h"
#include "support/shared_stack.h"
#include "support/wait.h"
#include "waitingroom/json_in.h"
#include "waitingroom/memory.h"

#define QUEUE_NAME "default/late"
#define PEOPLE 400

static const char queues[] =
	QUEUES(QUEUE("late", "\"rate_per_minute\":1,\"burst\":1,\"capacity\":50,"
						 "\"poll_min_ms\":400,\"poll_max_ms\":1000,\"absent_after_ms\":5000,"
						 "\"heartbeat_ttl_ms\":30000,\"first_heartbeat_ms\":15000,"
						 "\"claim_ttl_ms\":5000"));

static int start(void **state)
{
	(void)state;
	stack =
		stack_start(&(struct stack_options){.pods = 2,
											.admitters = 2,
											.queues = queues,
											.admin_keys = API_ADMIN_KEYS_FILE,
											.env = (const char *const[]){NO_RATE_LIMITS, NULL}});
	return 0;
}

/* gives */
static struct http_answer *stats(int pod)
{
	struct http_answer *answer = api_admin(stack, pod, "GET", "/default/late/stats", NULL);
	api_expect_status(answer, 200);
	return answer;
}

static int64_t figure(const char *name)
{
	WR_AUTO(http_answer_free_at) struct http_answer *answer = stats(0);
	return http_answer_number(answer, name);
}

static int64_t in_an_hour(const char *series)
{
	WR_AUTO(http_answer_free_at) struct http_answer *answer = stats(1);
	WR_AUTO(json_free_at) struct json_value *document = NULL;
	assert_int_equal(json_parse(answer->body, answer->body_len, &document, NULL), WR_OK);
	const struct json_value *list = json_member(json_member(document, "series"), series);
	int64_t sum = 0, number = 0;
	for (size_t i = 0; i < json_count(list); i++)
		if (json_int(json_at(list, i), &number))
			sum += number;
	return sum;
}

static void a_slow_line_is_drained_as_fast_as_the_site_can_take_it(void **state)
{
	(void)state;
	struct crowd_process *crowd =
		crowd_start(stack, QUEUE_NAME,
					(const char *const[]){"--visitors=400", "--arrive-per-s=400", "--stay-ms=500",
										  "--seed=5", "--capacity=50", NULL});
	WAIT_UNTIL(20000, in_an_hour("joined") == PEOPLE, "everybody has joined");
	assert_true(figure("waiting") > PEOPLE - 5); /* two or three may have gone in by the rate */
	WR_AUTO(http_answer_free_at)
	struct http_answer *drain =
		api_admin(stack, 0, "POST", "/default/late/drain", "{\"message\":\"The last ones.\"}");
	api_expect_status(drain, 200);
	crowd_await(crowd, 60000);
	crowd_expect_nobody_lost(crowd);
	assert_int_equal(crowd_count(crowd, "counts.admitted"), PEOPLE);
	crowd_close(crowd);
	assert_int_equal(figure("waiting"), 0);
	assert_int_equal(in_an_hour("admitted"), PEOPLE);
	assert_int_equal(in_an_hour("expired"), 0);
	assert_int_equal(api_store_number(stack, "HEXISTS wr:{default/late}:counts violated:capacity"),
					 0);
	WR_AUTO(http_answer_free_at)
	struct http_answer *late = api_enqueue(stack_url(stack, 0), QUEUE_NAME, NULL);
	api_expect_problem(late, 410, "queue_closed");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_slow_line_is_drained_as_fast_as_the_site_can_take_it),
	};
	return cmocka_run_group_tests(tests, start, shared_stack_close);
}
