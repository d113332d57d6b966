/* The client's steps of queues, against the real scripts in a real Redis: admit, reap, sync, make,
 * change, delete, lease. */
#include "support/cmocka.h"
#include "support/demo_queue.h"

#include <stdlib.h>
#include <string.h>

/* ---- helpers ---- */

static void set_key(const char *name, const char *value)
{
	assert_int_equal(ask_do(ask, "HSET " DEMO "settings %s %s", name, value)->err, WR_OK);
}

/* ---- admit ---- */

static void admit_tells_what_it_did_and_what_is_left(void **state)
{
	(void)state;
	demo_put_held();
	demo_join("main", 1, 2, false);
	demo_make_older(2);
	demo_join("main", 3, 9, true);
	ask_patch(ask, &demo, "state", "open");
	ask_patch(ask, &demo, "capacity", "5");
	const struct ask_queue *answer = ask_admit(ask, &demo, 500, 0);
	assert_int_equal(answer->err, WR_OK);
	assert_false(answer->admitted.other);
	assert_int_equal(answer->admitted.admitted, 5);
	assert_int_equal(answer->admitted.set_aside, 2);
	assert_int_equal(answer->admitted.in_line, 9);
	assert_int_equal(answer->admitted.free, 0);
	assert_false(answer->admitted.more);
	assert_int_equal(ask_admit(ask, &demo, 500, 0)->admitted.admitted, 0);
}

static void admit_says_when_only_its_limit_ended_it(void **state)
{
	(void)state;
	demo_put_held();
	demo_join("main", 1, 9, true);
	ask_patch(ask, &demo, "state", "open");
	assert_int_equal(ask_admit(ask, &demo, 4, 0)->admitted.admitted, 4);
	assert_true(ask->queue.admitted.more);
}

static void on_admitted(void *ctx, enum wr_err err, const struct admitted *result)
{
	assert_int_equal(err, WR_OK);
	*(int *)ctx = result->other ? 1 : 2;
}

static void one_admitter_at_a_time_has_the_lease(void **state)
{
	(void)state;
	demo_put_held();
	demo_join("main", 1, 3, true);
	ask_patch(ask, &demo, "state", "open");
	assert_int_equal(ask_admit(ask, &demo, 1, 0)->admitted.admitted, 1);
	int other = 0;
	store_admit(ask->store, &demo, "somebody-else", 60000, 500, 60000, 0, on_admitted, &other);
	while (!other)
		loop_turn(ask->loop, -1);
	assert_int_equal(other, 1);
	/* an operator's order does not ask for the lease */
	other = 0;
	store_admit(ask->store, &demo, "operator", 0, 500, 60000, 1, on_admitted, &other);
	while (!other)
		loop_turn(ask->loop, -1);
	assert_int_equal(other, 2);
}

static void the_last_heard_of_two_lanes_share_by_weight(void **state)
{
	(void)state;
	struct queue_settings settings = demo_held_settings();
	settings.lane_count = 2;
	settings.lanes[0] = (struct queue_lane){.name = "main", .weight = 1, .open = true};
	settings.lanes[1] = (struct queue_lane){.name = "vip", .weight = 3, .open = false};
	assert_int_equal(ask_put(ask, &demo, &settings, 0, NULL)->err, WR_OK);
	demo_join("main", 1, 40, true);
	demo_join("vip", 101, 140, true);
	assert_int_equal(ask_admit(ask, &demo, 500, 20)->admitted.admitted, 20);
	const struct synced *synced = &ask_sync(ask, &demo, "", 0, 100)->synced;
	assert_string_equal(synced->lanes[0].lane, "main");
	assert_int_equal(synced->lanes[0].admitted, 5);
	assert_string_equal(synced->lanes[1].lane, "vip");
	assert_int_equal(synced->lanes[1].admitted, 15);
	/* one lane alone then gets everything, down to its last */
	assert_int_equal(ask_admit(ask, &demo, 500, 500)->admitted.admitted, 60);
	assert_int_equal(ask_admit(ask, &demo, 500, 500)->admitted.admitted, 0);
}

/* ---- reap ---- */

static void reap_counts_each_kind_of_end(void **state)
{
	(void)state;
	demo_put_held();
	demo_join("main", 1, 6, true);
	demo_join("main", 7, 9, false);
	ask_admit(ask, &demo, 500, 3); /* 1, 2, 3 */
	store_id claimed = "person0000000003";
	ask_visit(ask, &demo, true, &claimed, 1);
	ask_reap(ask, &demo, 500); /* starts the clock of patience */
	assert_int_equal(ask->queue.reaped.expired + ask->queue.reaped.missed, 0);
	/* long ago now: the admissions, the session, one heartbeat, the ghosts; and the patience */
	ask_do(ask, "ZADD " DEMO "sessions 1 person0000000001 1 person0000000002 1 %s", claimed);
	ask_do(ask, "HSET " DEMO "position:%s e 1", claimed);
	ask_do(ask, "ZADD " DEMO "heartbeats 1 person0000000004 -1 person0000000007 -1 "
				"person0000000008 -1 person0000000009");
	ask_do(ask, "HSET " DEMO "clock since_ms 1");
	const struct ask_queue *answer = ask_reap(ask, &demo, 500);
	assert_int_equal(answer->err, WR_OK);
	assert_int_equal(answer->reaped.missed, 2);
	assert_int_equal(answer->reaped.ended, 1);
	assert_int_equal(answer->reaped.expired, 4);
	assert_false(answer->reaped.more);
	ask_do(ask, "ZADD " DEMO "heartbeats 1 person0000000005 1 person0000000006");
	assert_true(ask_reap(ask, &demo, 1)->reaped.more);
}

static void after_a_new_life_of_the_store_nobody_expires_at_once(void **state)
{
	(void)state;
	demo_put_held();
	demo_join("main", 1, 1, true);
	ask_reap(ask, &demo, 500);
	ask_do(ask, "HSET " DEMO "clock since_ms 1 life another");
	ask_do(ask, "ZADD " DEMO "heartbeats 1 person0000000001");
	assert_int_equal(ask_reap(ask, &demo, 500)->reaped.expired, 0);
	ask_do(ask, "HGET " DEMO "clock life");
	assert_string_equal(ask->raw.text, store_life(ask->store));
	assert_int_equal(strlen(store_life(ask->store)), 40);
}

/* ---- sync ---- */

static void sync_gives_the_settings_only_when_they_are_new(void **state)
{
	(void)state;
	struct queue_settings settings = demo_held_settings();
	strcpy(settings.message, "Back at 10:00 – sorry");
	settings.target_count = 2;
	strcpy(settings.targets[0], "https://shop.example");
	strcpy(settings.targets[1], "https://shop.example/b");
	assert_int_equal(ask_put(ask, &demo, &settings, 0, NULL)->version, 1);
	const struct synced *synced = &ask_sync(ask, &demo, "", 0, 10)->synced;
	assert_int_equal(ask->queue.err, WR_OK);
	assert_true(synced->has_settings);
	assert_int_equal(synced->version, 1);
	assert_int_equal(synced->settings.version, 1);
	assert_string_equal(synced->settings.message, settings.message);
	assert_int_equal(synced->settings.rate_per_minute, 6000000);
	assert_int_equal(synced->settings.state, QUEUE_HOLD);
	assert_int_equal(synced->settings.target_count, 2);
	assert_string_equal(synced->settings.targets[1], settings.targets[1]);
	assert_int_equal(synced->settings.lane_count, 1);
	assert_int_equal(strlen(synced->epoch), EPOCH_CHARS);
	assert_string_equal(synced->lost_epoch, "");
	assert_int_equal(synced->outbox_length, 1);
	assert_false(ask_sync(ask, &demo, "", 1, 10)->synced.has_settings);
	ask_patch(ask, &demo, "message", "soon");
	assert_true(ask_sync(ask, &demo, "", 1, 10)->synced.has_settings);
}

static void a_setting_of_another_version_does_not_stop_the_rest(void **state)
{
	(void)state;
	demo_put_held();
	set_key("some_new_setting", "1");
	set_key("capacity", "lots");
	const struct synced *synced = &ask_sync(ask, &demo, "", 0, 10)->synced;
	struct queue_settings settings;
	queue_settings_default(&settings);
	assert_int_equal(ask->queue.err, WR_OK);
	assert_int_equal(synced->settings.capacity, settings.capacity);
	assert_int_equal(synced->settings.rate_per_minute, 6000000);
}

/* Bit t: ticket t is among the departures, however they are cut into ranges. */
static unsigned departed_tickets(const struct synced *synced)
{
	unsigned tickets = 0;
	for (size_t i = 0; i < synced->departure_count; i++) {
		const struct departure *departure = &synced->departures[i];
		assert_int_equal(departure->lane, 0);
		assert_in_range(departure->range.last, departure->range.first, 31);
		for (uint64_t t = departure->range.first; t <= departure->range.last; t++)
			tickets |= 1u << t;
	}
	return tickets;
}

static void sync_tells_who_left_the_line_since_last_time(void **state)
{
	(void)state;
	demo_put_held();
	demo_join("main", 1, 10, true);
	const struct synced *synced = &ask_sync(ask, &demo, "", 0, 10)->synced;
	assert_int_equal(synced->departure_count, 0);
	assert_string_equal(synced->last_departure, "");
	store_id ids[] = {"person0000000002", "person0000000007"};
	ask_admit(ask, &demo, 500, 1);
	ask_release(ask, &demo, STORE_LEAVE, ids, 2);
	ask_admit(ask, &demo, 500, 3);

	synced = &ask_sync(ask, &demo, "", 1, 10)->synced;
	assert_int_equal(departed_tickets(synced), 1 << 1 | 1 << 2 | 1 << 7 | 1 << 3 | 1 << 4 | 1 << 5);
	assert_int_equal(synced->lanes[0].ticket, 10);
	assert_int_equal(synced->lanes[0].gone, 6);
	assert_int_equal(synced->lanes[0].admitted, 4);
	assert_int_equal(synced->active, 4);
	assert_false(synced->more);
	assert_int_equal(ask_sync(ask, &demo, synced->last_departure, 1, 10)->synced.departure_count,
					 0);

	/* in steps of one entry */
	assert_true(ask_sync(ask, &demo, "", 1, 1)->synced.more);
	assert_int_equal(departed_tickets(&ask->queue.synced), 1 << 1);
	ask_sync(ask, &demo, ask->queue.synced.last_departure, 1, 1);
	assert_int_equal(departed_tickets(&ask->queue.synced), 1 << 2 | 1 << 7);
}

static void sync_counts_the_absent_and_the_returned(void **state)
{
	(void)state;
	demo_put_held();
	demo_join("main", 1, 3, false);
	demo_make_older(3);
	ask_admit(ask, &demo, 500, 1);
	assert_int_equal(ask_sync(ask, &demo, "", 1, 10)->synced.absent, 3);
	store_id id = "person0000000001";
	ask_visit(ask, &demo, true, &id, 1);
	assert_int_equal(ask_sync(ask, &demo, "", 1, 10)->synced.absent, 2);
	assert_int_equal(ask->queue.synced.returned, 1);
}

static void a_lane_that_is_gone_is_passed_over_in_departures(void **state)
{
	(void)state;
	demo_put_held();
	ask_do(ask, "XADD " DEMO "departures * d old-lane:1-4,main:5-6");
	const struct synced *synced = &ask_sync(ask, &demo, "", 1, 10)->synced;
	assert_int_equal(ask->queue.err, WR_OK);
	assert_int_equal(synced->departure_count, 1);
	assert_int_equal(synced->departures[0].range.first, 5);
}

static void departures_that_make_no_sense_are_an_error(void **state)
{
	(void)state;
	static const char *const nonsense[] = {"main",	   "main:5",	"main:6-5",		"main:0-1",
										   "main:5-x", "main:1-2,", "main:1-2,main"};
	for (size_t i = 0; i < sizeof(nonsense) / sizeof(nonsense[0]); i++) {
		shared_ask_empty(NULL);
		demo_put_held();
		ask_do(ask, "XADD " DEMO "departures * d %s", nonsense[i]);
		enum wr_err err = ask_sync(ask, &demo, "", 1, 10)->err;
		bool trailing_comma = i == 5;
		assert_int_equal(err, trailing_comma ? WR_OK : WR_STORE_AWAY);
	}
}

static void a_chunk_is_the_bitmap_of_who_left(void **state)
{
	(void)state;
	demo_put_held();
	demo_join("main", 1, 20, true);
	assert_int_equal(ask_chunk(ask, &demo, "main", 0)->err, WR_OK);
	assert_int_equal(ask->queue.chunk_bytes, 0);
	store_id id = "person0000000018";
	ask_release(ask, &demo, STORE_LEAVE, &id, 1);
	ask_admit(ask, &demo, 500, 10);
	const struct ask_queue *answer = ask_chunk(ask, &demo, "main", 0);
	assert_int_equal(answer->chunk_bytes, 3);
	assert_int_equal(answer->chunk[0], 0xff);
	assert_int_equal(answer->chunk[1], 0xc0); /* tickets 9 and 10: from the top bit */
	assert_int_equal(answer->chunk[2], 0x40); /* 18 */
}

static void sync_tells_a_deleted_queue_from_a_lost_one(void **state)
{
	(void)state;
	assert_int_equal(ask_sync(ask, &demo, "", 0, 10)->err, WR_NOT_FOUND);
	demo_put_held();
	while (ask_delete(ask, &demo, 500)->more)
		;
	assert_int_equal(ask_sync(ask, &demo, "", 0, 10)->err, WR_NO_QUEUE);
}

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
	struct queue_revival revival = {.lost_epoch = "formerepoch", .seen = seen, .seen_count = 1};
	assert_int_equal(ask_put(ask, &demo, &settings, UINT64_MAX, &revival)->put, PUT_CREATED);
	assert_int_equal(ask_put(ask, &demo, &settings, UINT64_MAX, &revival)->put, PUT_SAME);
	const struct synced *synced = &ask_sync(ask, &demo, "", 0, 10)->synced;
	assert_true(synced->recovering);
	assert_string_equal(synced->lost_epoch, "formerepoch");
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
	struct queue_revival revival = {.lost_epoch = "formerepoch"};
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
	struct queue_revival revival = {.lost_epoch = "formerepoch"};
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
		TEST(admit_tells_what_it_did_and_what_is_left),
		TEST(admit_says_when_only_its_limit_ended_it),
		TEST(one_admitter_at_a_time_has_the_lease),
		TEST(the_last_heard_of_two_lanes_share_by_weight),
		TEST(reap_counts_each_kind_of_end),
		TEST(after_a_new_life_of_the_store_nobody_expires_at_once),
		TEST(sync_gives_the_settings_only_when_they_are_new),
		TEST(a_setting_of_another_version_does_not_stop_the_rest),
		TEST(sync_tells_who_left_the_line_since_last_time),
		TEST(sync_counts_the_absent_and_the_returned),
		TEST(a_lane_that_is_gone_is_passed_over_in_departures),
		TEST(departures_that_make_no_sense_are_an_error),
		TEST(a_chunk_is_the_bitmap_of_who_left),
		TEST(sync_tells_a_deleted_queue_from_a_lost_one),
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
	return cmocka_run_group_tests_name("store_client_queues", tests, shared_ask_open,
									   shared_ask_close);
}
