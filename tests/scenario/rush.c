/* The first seconds of a rush: slots are free, people join by the hundred, and none of them has
 * polled yet. Their places must not be treated as those of absent people: each is told the number
 * that the ticket gives, and they go in in order.
 */
#include "support/api.h"
#include "support/cmocka.h"
#include "support/events.h"
#include "support/http.h"
#include "support/process.h"
#include "support/wait.h"
#include "waitingroom/memory.h"

#include <stdlib.h>

#define QUEUE_NAME "default/demo"
#define PEOPLE 40
#define CAPACITY 3
#define SETTINGS(capacity)                                                                         \
	"\"rate_per_minute\":60000,\"burst\":100,\"capacity\":" #capacity ",\"poll_min_ms\":200,"      \
	"\"poll_max_ms\":500,\"absent_after_ms\":20000"

static double steps(struct stack *stack)
{
	return stack_metric(stack_admitter_url(stack, 0),
						"wr_admitter_steps_total{kind=\"admit\",result=\"done\"}");
}

static void make_room(struct stack *stack)
{
	WR_AUTO(http_answer_free_at)
	struct http_answer *answer = api_admin(stack, 0, "PUT", "/" QUEUE_NAME, "{" SETTINGS(3) "}");
	api_expect_status(answer, 200);
	double before = steps(stack);
	WAIT_UNTIL(2000, steps(stack) >= before + 4, "the admitter has looked for people");
}

static int64_t position_of(struct stack *stack, const char *token)
{
	WR_AUTO(http_answer_free_at)
	struct http_answer *answer = api_poll(stack_url(stack, 0), "/heartbeat", token);
	api_expect_place(answer, "waiting");
	return http_answer_number(answer, "position");
}

static void somebody_who_has_just_joined_is_not_absent(void **state)
{
	(void)state;
	struct stack *stack =
		stack_start(&(struct stack_options){.pods = 1,
											.admitters = 1,
											.queues = QUEUES(QUEUE("demo", SETTINGS(0))),
											.admin_keys = API_ADMIN_KEYS_FILE});
	char *tokens[PEOPLE];
	for (int i = 0; i < PEOPLE; i++)
		tokens[i] = api_join(stack_url(stack, 0), "demo");
	make_room(stack);
	for (int i = PEOPLE - 1; i >= CAPACITY; i--)
		assert_int_equal(position_of(stack, tokens[i]), i + 1);
	assert_true(stack_metric(stack_admitter_url(stack, 0), "wr_admitter_set_aside_total") == 0);
	for (int i = 0; i < CAPACITY; i++)
		position_of(stack, tokens[i]);
	for (int i = 0; i < CAPACITY; i++)
		api_await(stack_url(stack, 0), tokens[i], 5000, "admitted");

	process_stop(stack_admitter(stack, 0), 10000);
	struct story story;
	events_check(stack,
				 &(struct story_rules){
					 .queue = QUEUE_NAME, .capacity = 0, .rate_per_minute = 60000, .burst = 100},
				 &story);
	assert_int_equal(story.admitted, CAPACITY);
	assert_int_equal(story.returned, 0);
	story_free(&story);
	for (int i = 0; i < PEOPLE; i++)
		free(tokens[i]);
	stack_free(stack);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(somebody_who_has_just_joined_is_not_absent),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
