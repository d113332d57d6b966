/* A deleted queue leaves nothing behind: not a name on the list that every pod and admitter would
 * ask about for ever, and no people when the pod that was deleting it has died.
 */
#include "support/api.h"
#include "support/cmocka.h"
#include "support/process.h"
#include "support/shared_stack.h"
#include "support/wait.h"
#include "waitingroom/memory.h"

#include <stdio.h>
#include <stdlib.h>

#define LISTED_NAMES 300
#define ROUNDS 6

static int open_room(void **state)
{
	(void)state;
	stack = stack_start(&(struct stack_options){
		.pods = 1,
		.admitters = 2,
		.admin_keys = API_ADMIN_KEYS_FILE,
		.queues = QUEUES(QUEUE("demo", HELD)),
		.env = (const char *const[]){NO_RATE_LIMITS, "WR_TENANT_QUEUES_MAX=1000", NULL}});
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

static void pause_admitters(bool pauses)
{
	for (int i = 0; i < 2; i++)
		(pauses ? process_pause : process_continue)(stack_admitter(stack, i));
}

static void make_queue(int number)
{
	char path[64];
	print_into(path, "/default/new-%d", number);
	WR_AUTO(http_answer_free_at)
	struct http_answer *answer = api_admin(stack, 0, "PUT", path, "{" HELD "}");
	api_expect_status(answer, 201);
}

/* Names are listed before their queues are made. Some are made when admitters have found none of
 * that name and have not come to clearing what a deleting may have left. */
static void
a_queue_that_is_made_while_admitters_look_for_it_is_not_taken_for_a_deleted_one(void **state)
{
	(void)state;
	char command[64];
	int made = 0;
	for (int i = 0; i < LISTED_NAMES; i++) {
		print_into(command, "SADD wr:queues default/new-%d", i);
		free(redis_do(stack->redis, command));
	}
	for (int round = 0; round < ROUNDS; round++) {
		pause_admitters(true);
		while (made < (round + 1) * LISTED_NAMES / ROUNDS)
			make_queue(made++);
		pause_admitters(false);
		WAIT_UNTIL(5000, api_store_number(stack, "EXISTS wr:{default/new-%d}:clock", made - 1),
				   "an admitter has come to the last one");
	}
	for (int i = 0; i < made; i++) {
		if (api_store_number(stack, "EXISTS wr:{default/new-%d}:settings", i) != 1)
			fail_msg("default/new-%d was deleted", i);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_deleted_queue_is_forgotten_once_its_events_are_out),
		cmocka_unit_test(a_delete_that_its_pod_did_not_finish_is_finished),
		cmocka_unit_test(
			a_queue_that_is_made_while_admitters_look_for_it_is_not_taken_for_a_deleted_one),
	};
	return cmocka_run_group_tests_name("queue_deleted", tests, open_room, shared_stack_close);
}
