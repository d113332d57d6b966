/* After the store has lost everything: visitors are told to try again, never that there is no such
 * queue, and their tokens are exchanged for ones of the new life of its data.
 */
#include "support/api.h"
#include "support/cmocka.h"
#include "support/shared_stack.h"
#include "support/wait.h"
#include "waitingroom/memory.h"

#define WINDOW_MS 3000 /* 3 x poll_max_ms */
#define SETTINGS HELD ",\"poll_min_ms\":200,\"poll_max_ms\":1000"

static int open_room(void **state)
{
	(void)state;
	stack = stack_start(&(struct stack_options){
		.pods = 1,
		.admitters = 1,
		.without_nats = true,
		.queues = QUEUES(QUEUE("demo", SETTINGS)),
		.env = (const char *const[]){NO_RATE_LIMITS, "WR_REAP_INTERVAL_MS=100", NULL}});
	return 0;
}

/* A join works again; if it does not yet, the answer must be worth another try. */
static bool joins(int *refused)
{
	WR_AUTO(http_answer_free_at)
	struct http_answer *answer = api_enqueue(stack_url(stack, 0), "demo", NULL);
	assert_true(answer->status == 201 || answer->status == 503);
	*refused += answer->status == 503;
	return answer->status == 201;
}

/* Polls with a token; gives the one in the answer, NULL when there is none. */
static char *exchange(const char *token, const char *position_id)
{
	WR_AUTO(http_answer_free_at)
	struct http_answer *answer = api_poll(stack_url(stack, 0), "/heartbeat", token);
	api_expect_place(answer, "waiting");
	WR_AUTO(mem_free_at) char *id = http_answer_text(answer, "position_id");
	assert_string_equal(id, position_id);
	return http_answer_has(answer, "token") ? http_answer_text(answer, "token") : NULL;
}

static void a_token_from_before_the_loss_is_exchanged(void **state)
{
	(void)state;
	WR_AUTO(http_answer_free_at)
	struct http_answer *joined = api_join_answer(stack_url(stack, 0), "demo");
	WR_AUTO(mem_free_at) char *old = http_answer_text(joined, "token");
	WR_AUTO(mem_free_at) char *id = http_answer_text(joined, "position_id");
	api_await_position(stack, 0, old);
	assert_null(exchange(old, id));

	redis_restart(stack->redis); /* it keeps nothing */
	int refused = 0;
	WAIT_UNTIL(10000, joins(&refused), "a join to work again");
	assert_true(refused > 0);
	WR_AUTO(mem_free_at) char *fresh = NULL;
	WAIT_UNTIL(WINDOW_MS + 10000, (fresh = exchange(old, id)) != NULL, "a new token");
	assert_string_not_equal(fresh, old);
	assert_null(exchange(fresh, id));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_token_from_before_the_loss_is_exchanged),
	};
	return cmocka_run_group_tests_name("api_new_life", tests, open_room, shared_stack_close);
}
