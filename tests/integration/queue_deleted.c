/* A deleted queue leaves nothing behind: not a name on the list that every pod and admitter would
 * ask about for ever, and no people when the pod that was deleting it has died.
 */
#include "support/api.h"
#include "support/cmocka.h"
#include "support/shared_stack.h"
#include "support/wait.h"
#include "waitingroom/memory.h"

#include <stdlib.h>

static int open_room(void **state)
{
	(void)state;
	stack =
		stack_start(&(struct stack_options){.pods = 1,
											.admitters = 2,
											.admin_keys = API_ADMIN_KEYS_FILE,
											.queues = QUEUES(QUEUE("demo", HELD)),
											.env = (const char *const[]){NO_RATE_LIMITS, NULL}});
	return 0;
}

static bool is_listed(void)
{
	return api_store_number(stack, "SISMEMBER wr:queues default/demo") == 1;
}

static void join_three(void)
{
	for (int i = 0; i < 3; i++) {
		WR_AUTO(mem_free_at) char *token = api_join(stack_url(stack, 0), "demo");
	}
}

static void put_again(void)
{
	WR_AUTO(http_answer_free_at)
	struct http_answer *answer = api_admin(stack, 0, "PUT", "/default/demo", "{" HELD "}");
	api_expect_status(answer, 201);
	assert_true(is_listed());
	WAIT_UNTIL(5000, api_store_number(stack, "EXISTS wr:{default/demo}:settings") == 1,
			   "the queue");
}

static void a_deleted_queue_is_forgotten_once_its_events_are_out(void **state)
{
	(void)state;
	join_three();
	WR_AUTO(http_answer_free_at)
	struct http_answer *answer = api_admin(stack, 0, "DELETE", "/default/demo", NULL);
	api_expect_status(answer, 204);
	WAIT_UNTIL(10000, !is_listed(), "the name to leave the list");
	assert_int_equal(api_store_number(stack, "XLEN wr:{default/demo}:outbox"), 0);
	put_again();
}

static void a_delete_that_its_pod_did_not_finish_is_finished(void **state)
{
	(void)state;
	WAIT_UNTIL(
		5000,
		stack_metric(stack_internal_url(stack, 0), "wr_queue_capacity{queue=\"default/demo\"}") > 0,
		"the pod to see the new queue");
	join_three();
	assert_true(api_store_number(stack, "ZCARD wr:{default/demo}:heartbeats") == 3);
	/* What the first step of queue_delete.lua leaves. */
	free(redis_do(stack->redis, "SET wr:{default/demo}:epoch deleted:before"));
	free(redis_do(stack->redis,
				  "RENAME wr:{default/demo}:settings wr:{default/demo}:settings_were"));
	WAIT_UNTIL(10000, !is_listed(), "the name to leave the list");
	assert_int_equal(api_store_number(stack, "EXISTS wr:{default/demo}:heartbeats"), 0);
	assert_int_equal(api_store_number(stack, "EXISTS wr:{default/demo}:settings_were"), 0);
	put_again();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_deleted_queue_is_forgotten_once_its_events_are_out),
		cmocka_unit_test(a_delete_that_its_pod_did_not_finish_is_finished),
	};
	return cmocka_run_group_tests_name("queue_deleted", tests, open_room, shared_stack_close);
}
