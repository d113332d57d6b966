/* The client's steps of whole queues, against the real scripts in a real Redis: make, change,
 * revive, delete, lease; and what is said when a key is not what it should be. */
#include "support/cmocka.h"
#include "support/demo_queue.h"

/* ---- make, change, delete ---- */

static void a_put_makes_changes_or_leaves_a_queue(void **state)
{
	(void)state;
	struct queue_settings settings = demo_held_settings();
	const struct ask_queue *answer = ask_put(ask, &demo, &settings, 0, NULL);
	assert_int_equal(answer->err, WR_OK);
	assert_int_equal(answer->put, PUT_CREATED);
	assert_int_equal(answer->version, 1);
	assert_int_equal(ask_put(ask, &demo, &settings, UINT64_MAX, NULL)->put, PUT_SAME);
	assert_int_equal(ask->queue.version, 1);
	settings.capacity = 7;
	assert_int_equal(ask_put(ask, &demo, &settings, 1, NULL)->put, PUT_CHANGED);
	assert_int_equal(ask->queue.version, 2);
	assert_int_equal(ask_put(ask, &demo, &settings, 1, NULL)->err, WR_CONFLICT);
	assert_int_equal(ask_put(ask, &demo, &settings, 0, NULL)->err, WR_CONFLICT);
	assert_int_equal(ask_sync(ask, &demo, "", 0, 10)->synced.settings.capacity, 7);
}

static void a_patch_changes_one_field_of_a_queue_that_exists(void **state)
{
	(void)state;
	assert_int_equal(ask_patch(ask, &demo, "state", "paused")->err, WR_NO_QUEUE);
	demo_put_held();
	assert_int_equal(ask_patch(ask, &demo, "state", "paused")->put, PUT_CHANGED);
	assert_int_equal(ask->queue.version, 2);
	assert_int_equal(ask_patch(ask, &demo, "state", "paused")->put, PUT_SAME);
	const struct synced *synced = &ask_sync(ask, &demo, "", 0, 10)->synced;
	assert_int_equal(synced->settings.state, QUEUE_PAUSED);
	assert_int_equal(synced->settings.rate_per_minute, 6000000);
}

static void a_queue_is_listed_once_it_was_put(void **state)
{
	(void)state;
	assert_int_equal(ask_queues(ask)->name_count, 0);
	demo_put_held();
	ask_do(ask, "SADD wr:queues Not-A-Name acme/x");
	const struct ask_queue *answer = ask_queues(ask);
	assert_int_equal(answer->err, WR_OK);
	assert_int_equal(answer->name_count, 2);
	bool has_demo =
		queue_name_equal(&answer->names[0], &demo) || queue_name_equal(&answer->names[1], &demo);
	assert_true(has_demo);
}

static void a_lost_queue_is_revived_with_its_tickets_and_frozen(void **state)
{
	(void)state;
	struct queue_settings settings = demo_held_settings();
	settings.state = QUEUE_OPEN;
	struct seen_ticket seen[] = {{.lane = "main", .ticket = 77}};
	struct queue_revival revival = {.lost_epochs = "formerepoch", .seen = seen, .seen_count = 1};
	assert_int_equal(ask_put(ask, &demo, &settings, UINT64_MAX, &revival)->put, PUT_CREATED);
	assert_int_equal(ask_put(ask, &demo, &settings, UINT64_MAX, &revival)->put, PUT_SAME);
	const struct synced *synced = &ask_sync(ask, &demo, "", 0, 10)->synced;
	assert_true(synced->recovering);
	assert_string_equal(synced->lost_epochs, "formerepoch");
	assert_int_equal(synced->lanes[0].ticket, 77);
	struct lost_place lost = {.position_id = "person0000000002",
							  .lane = "main",
							  .ticket = 70,
							  .joined_ms = 1,
							  .epoch = "formerepoch"};
	assert_int_equal(ask_restore(ask, &demo, &lost, 1)->states[0], PLACE_WAITING);
	assert_int_equal(ask_admit(ask, &demo, 500, 0)->admitted.admitted, 0);
}

/* A DragonflyDB replica that was promoted may hold only the first writes of a put. */
static void a_half_written_queue_can_still_be_revived(void **state)
{
	(void)state;
	ask_do(ask, "SET " DEMO "epoch halfwritten");
	assert_int_equal(ask_sync(ask, &demo, "", 0, 10)->err, WR_NOT_FOUND);
	struct queue_settings settings = demo_held_settings();
	struct queue_revival revival = {.lost_epochs = "formerepoch"};
	assert_int_equal(ask_put(ask, &demo, &settings, UINT64_MAX, &revival)->put, PUT_CREATED);
	assert_int_equal(ask_sync(ask, &demo, "", 0, 10)->err, WR_OK);
}

static void a_deleted_queue_is_not_revived(void **state)
{
	(void)state;
	demo_put_held();
	while (ask_delete(ask, &demo, 500)->more)
		;
	struct queue_settings settings = demo_held_settings();
	struct queue_revival revival = {.lost_epochs = "formerepoch"};
	assert_int_equal(ask_put(ask, &demo, &settings, UINT64_MAX, &revival)->put, PUT_SAME);
	assert_int_equal(ask_sync(ask, &demo, "", 0, 10)->err, WR_NO_QUEUE);
}

static void deleting_takes_steps_until_everybody_is_gone(void **state)
{
	(void)state;
	assert_int_equal(ask_delete(ask, &demo, 10)->err, WR_NO_QUEUE);
	demo_put_held();
	demo_join("main", 1, 25, true);
	ask_admit(ask, &demo, 500, 5);
	int steps = 0;
	struct queue_settings settings = demo_held_settings();
	while (ask_delete(ask, &demo, 10)->more) {
		steps++;
		assert_int_equal(ask_put(ask, &demo, &settings, 0, NULL)->err, WR_BUSY);
	}
	assert_int_equal(ask->queue.err, WR_OK);
	assert_int_equal(steps, 4); /* the settings; 10 + 10 who wait; 5 who were let in */
	assert_int_equal(ask_delete(ask, &demo, 10)->err, WR_NO_QUEUE);
	ask_do(ask, "EXISTS " DEMO "waiting:main " DEMO "ticket:main " DEMO "heartbeats " DEMO
				"sessions " DEMO "gone:main:0 " DEMO "tokens " DEMO "settings");
	assert_int_equal(ask->raw.number, 0);
	assert_int_equal(ask_put(ask, &demo, &settings, 0, NULL)->put, PUT_CREATED);
	assert_int_equal(ask->queue.version, 2); /* goes on counting: event ids stay unique */
}

/* ---- leases ---- */

static void a_lease_has_one_holder_and_a_rising_fence(void **state)
{
	(void)state;
	assert_true(ask_lease(ask, &demo, "relay", "a", 60000)->mine);
	uint64_t fence = ask->queue.fence;
	assert_true(ask_lease(ask, &demo, "relay", "a", 60000)->mine);
	assert_int_equal(ask->queue.fence, fence);
	assert_false(ask_lease(ask, &demo, "relay", "b", 60000)->mine);
	assert_true(ask_lease(ask, &demo, "other", "b", 60000)->mine);
	ask_lease(ask, &demo, "relay", "b", 0); /* only the holder gives up */
	assert_false(ask_lease(ask, &demo, "relay", "b", 60000)->mine);
	assert_false(ask_lease(ask, &demo, "relay", "a", 0)->mine);
	assert_true(ask_lease(ask, &demo, "relay", "b", 60000)->mine);
	assert_int_equal(ask->queue.fence, fence + 1);
}

/* ---- the probe, and answers of the wrong shape ---- */

static void the_probe_is_content_with_redis(void **state)
{
	(void)state;
	struct err_detail detail = {0};
	assert_int_equal(store_probe(ask->store, &detail), WR_OK);
}

/* Something else under one of our keys: the script fails, and says so as an error. */
static void a_key_of_the_wrong_type_is_the_store_away(void **state)
{
	(void)state;
	ask_do(ask, "SET " DEMO "settings text");
	assert_int_equal(ask_admit(ask, &demo, 500, 0)->err, WR_STORE_AWAY);
	assert_int_equal(ask_reap(ask, &demo, 500)->err, WR_STORE_AWAY);
	assert_int_equal(ask_sync(ask, &demo, "", 0, 10)->err, WR_STORE_AWAY);
	ask_do(ask, "SET wr:queues text");
	assert_int_equal(ask_queues(ask)->err, WR_STORE_AWAY);
	struct queue_settings settings = demo_held_settings();
	assert_int_equal(ask_put(ask, &demo, &settings, 0, NULL)->err, WR_STORE_AWAY);
	assert_true(store_is_ready(ask->store));
}

#define TEST(name) cmocka_unit_test_setup(name, shared_ask_empty)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_put_makes_changes_or_leaves_a_queue),
		TEST(a_patch_changes_one_field_of_a_queue_that_exists),
		TEST(a_queue_is_listed_once_it_was_put),
		TEST(a_lost_queue_is_revived_with_its_tickets_and_frozen),
		TEST(a_half_written_queue_can_still_be_revived),
		TEST(a_deleted_queue_is_not_revived),
		TEST(deleting_takes_steps_until_everybody_is_gone),
		TEST(a_lease_has_one_holder_and_a_rising_fence),
		TEST(the_probe_is_content_with_redis),
		TEST(a_key_of_the_wrong_type_is_the_store_away),
	};
	return cmocka_run_group_tests(tests, shared_ask_open, shared_ask_close);
}
