/* The end of a deleted queue: its name leaves the list of queues, and a new queue of that name
 * never does with it. */
#include "support/cmocka.h"
#include "support/demo_queue.h"
#include "support/wait.h"

#include <stdlib.h>
#include <string.h>

static void put_demo(void)
{
	struct queue_settings settings;
	queue_settings_default(&settings);
	assert_int_equal(ask_put(ask, &demo, &settings, 0, NULL)->err, WR_OK);
}

static unsigned long scripts_run(void)
{
	const char *calls = strstr(ask_do(ask, "INFO commandstats")->text, "cmdstat_evalsha:calls=");
	return calls ? strtoul(calls + strlen("cmdstat_evalsha:calls="), NULL, 10) : 0;
}

static void on_forgotten(void *ctx, enum wr_err err, bool is_off)
{
	assert_int_equal(err, WR_OK);
	*(int *)ctx = is_off;
}

/* The admitter has been told that nothing is left of the queue, and is slow to act on it. */
static void a_queue_that_is_made_while_its_name_is_taken_off_stays_listed(void **state)
{
	(void)state;
	struct ask *admitter = ask_open(shared_ask_url(), NULL);
	put_demo();
	while (ask_delete(ask, &demo, 500)->more)
		;
	ask_do(ask, "DEL " DEMO "outbox");
	int is_off = -1;
	unsigned long before = scripts_run();
	store_forget_queue(admitter->store, &demo, on_forgotten, &is_off);
	loop_turn(admitter->loop, 0);
	WAIT_UNTIL(5000, scripts_run() > before, "the admitter has asked");
	assert_int_equal(is_off, -1);
	put_demo();
	assert_int_equal(ask_queues(ask)->name_count, 1);
	while (is_off == -1)
		loop_turn(admitter->loop, 1000);
	assert_int_equal(is_off, 0);
	assert_int_equal(ask_queues(ask)->name_count, 1);
	ask_close(admitter);
}

static void a_deleted_queue_is_taken_off_the_list(void **state)
{
	(void)state;
	put_demo();
	while (ask_delete(ask, &demo, 500)->more)
		;
	int is_off = -1;
	store_forget_queue(ask->store, &demo, on_forgotten, &is_off);
	while (is_off == -1)
		loop_turn(ask->loop, 1000);
	assert_int_equal(is_off, 0); /* its outbox is not empty */
	ask_do(ask, "DEL " DEMO "outbox");
	is_off = -1;
	store_forget_queue(ask->store, &demo, on_forgotten, &is_off);
	while (is_off == -1)
		loop_turn(ask->loop, 1000);
	assert_int_equal(is_off, 1);
	assert_int_equal(ask_queues(ask)->name_count, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(a_deleted_queue_is_taken_off_the_list, shared_ask_empty),
		cmocka_unit_test_setup(a_queue_that_is_made_while_its_name_is_taken_off_stays_listed,
							   shared_ask_empty),
	};
	return cmocka_run_group_tests(tests, shared_ask_open, shared_ask_close);
}
