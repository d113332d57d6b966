/* A room that is always open: everybody who ever came had a ticket, and nearly all have left. A pod
 * that starts must neither read all of that nor run out of room for the next one.
 */
#include "support/api.h"
#include "support/cmocka.h"
#include "waitingroom/memory.h"
#include "waitingroom/position_index.h"

#include <stdlib.h>

#define CHUNKS (INDEX_CHUNKS_MAX + 64)
#define TICKETS ((unsigned long long)CHUNKS * INDEX_CHUNK_TICKETS)

/* As if so many had come and left, but for the last 'in_line'. */
static void let_them_have_been(struct stack *stack, unsigned in_line)
{
	api_store_number(stack,
					 "EVAL \"local all = string.rep(string.char(255), %u) for i = 0, %u do "
					 "redis.call('SET', 'wr:{default/demo}:gone:main:' .. i, all) end return 1\" 0",
					 INDEX_CHUNK_BYTES, CHUNKS - 1);
	for (unsigned i = 0; i < in_line; i++)
		api_store_number(stack, "SETBIT wr:{default/demo}:gone:main:%u %u 0", CHUNKS - 1,
						 INDEX_CHUNK_TICKETS - 1 - i);
	api_store_number(stack, "HSET wr:{default/demo}:counts gone:main %llu", TICKETS - in_line);
	api_store_number(stack,
					 "EVAL \"return #redis.call('SET', KEYS[1], ARGV[1])\" 1 "
					 "wr:{default/demo}:ticket:main %llu",
					 TICKETS);
}

static void a_room_that_half_a_billion_have_been_in_still_tells_positions(void **state)
{
	(void)state;
	struct stack *stack =
		stack_start(&(struct stack_options){.pods = 1,
											.without_nats = true,
											.queues = QUEUES(QUEUE("demo", HELD)),
											.env = (const char *const[]){"WR_RELAY=0", NULL}});
	let_them_have_been(stack, 2);
	stack_restart_pod(stack, 0);
	WR_AUTO(mem_free_at) char *token = api_join(stack_url(stack, 0), "demo");
	api_await_position(stack, 0, token);
	WR_AUTO(http_answer_free_at)
	struct http_answer *answer = api_poll(stack_url(stack, 0), "/heartbeat", token);
	assert_int_equal(http_answer_number(answer, "position"), 3);
	assert_int_equal(http_answer_number(answer, "waiting"), 3);
	/* Two chunks, not four thousand. */
	assert_true(stack_metric(stack_internal_url(stack, 0),
							 "wr_index_bytes{queue=\"default/demo\"}") < 100000);
	stack_free(stack);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_room_that_half_a_billion_have_been_in_still_tells_positions),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
