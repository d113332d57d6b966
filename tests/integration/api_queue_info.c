/* GET /queues/<tenant>/<queue>: what everybody may know before they join. */
#include "support/api.h"
#include "support/cmocka.h"
#include "support/wait.h"
#include "waitingroom/memory.h"

#include <stdlib.h>

#define LANES                                                                                      \
	"\"lanes\":[{\"name\":\"main\",\"weight\":1,\"open\":true},"                                   \
	"{\"name\":\"slow\",\"weight\":1,\"open\":true}]"

static struct http_answer *ask(struct stack *stack)
{
	return http_call(stack_url(stack, 0), "GET", "/queues/default/demo", NULL, NULL);
}

static bool shows(struct stack *stack, int64_t waiting)
{
	WR_AUTO(http_answer_free_at) struct http_answer *answer = ask(stack);
	return http_answer_number(answer, "waiting") == waiting &&
		   http_answer_has(answer, "estimated_wait_s");
}

static void join_slow(struct stack *stack)
{
	WR_AUTO(http_answer_free_at)
	struct http_answer *answer =
		http_call(stack_url(stack, 0), "POST", "/enqueue", "Content-Type: application/json\r\n",
				  "{\"queue_id\":\"demo\",\"lane\":\"slow\"}");
	api_expect_status(answer, 201);
}

/* Two go in per minute, one of each lane: who joins the default lane has one person ahead there,
 * and not the eleven of the other lane as well. */
static void the_wait_is_that_of_the_lane_that_one_would_join(void **state)
{
	(void)state;
	struct stack *stack = stack_start(&(struct stack_options){
		.pods = 1,
		.without_nats = true,
		.queues = QUEUES(QUEUE("demo", "\"rate_per_minute\":2,\"burst\":1," LANES)),
		.env = (const char *const[]){NO_RATE_LIMITS, "WR_RELAY=0", NULL}});
	WR_AUTO(http_answer_free_at)
	struct http_answer *first = api_enqueue(stack_url(stack, 0), "demo", NULL);
	api_expect_place(first, "admitted"); /* the room was empty, and is not any more */
	free(api_join(stack_url(stack, 0), "demo"));
	for (int i = 0; i < 11; i++)
		join_slow(stack);
	WAIT_UNTIL(5000, shows(stack, 12), "the picture with all of them");
	WR_AUTO(http_answer_free_at) struct http_answer *answer = ask(stack);
	assert_in_range(http_answer_number(answer, "estimated_wait_s.high"), 60, 240);
	stack_free(stack);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_wait_is_that_of_the_lane_that_one_would_join),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
