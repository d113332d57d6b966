/* The client's steps of admitters, against the real scripts in a real Redis: admit and reap. */
#include "support/cmocka.h"
#include "support/demo_queue.h"

#include <string.h>

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

static void admit_says_when_nobody_is_there_who_could_wait_for_it(void **state)
{
	(void)state;
	demo_put_held();
	assert_true(ask_admit(ask, &demo, 500, 0)->admitted.calm);
	demo_join("main", 1, 1, false);
	assert_false(ask_admit(ask, &demo, 500, 0)->admitted.calm);
	demo_make_older(1);
	ask_patch(ask, &demo, "state", "open");
	assert_int_equal(ask_admit(ask, &demo, 500, 0)->admitted.set_aside, 1);
	assert_int_equal(ask_admit(ask, &demo, 500, 0)->admitted.in_line, 0);
	assert_false(ask->queue.admitted.calm); /* whoever comes back is not to wait for a tick */
}

static void on_held(void *ctx, enum wr_err err, int64_t held)
{
	assert_int_equal(err, WR_OK);
	*(int64_t *)ctx = held;
}

static int64_t is_held(const char *role)
{
	int64_t held = -1;
	store_lease_held(ask->store, &demo, role, on_held, &held);
	while (held < 0)
		loop_turn(ask->loop, -1);
	return held;
}

static void a_lease_is_held_until_it_is_given_up(void **state)
{
	(void)state;
	demo_put_held();
	assert_int_equal(is_held("admit"), 0);
	ask_admit(ask, &demo, 500, 0);
	assert_int_equal(is_held("admit"), 1);
	assert_int_equal(is_held("relay"), 0);
	ask_lease(ask, &demo, "relay", "me", 60000);
	assert_int_equal(is_held("relay"), 1);
	ask_lease(ask, &demo, "relay", "me", 0);
	assert_int_equal(is_held("relay"), 0);
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

#define TEST(name) cmocka_unit_test_setup(name, shared_ask_empty)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(admit_tells_what_it_did_and_what_is_left),
		TEST(admit_says_when_only_its_limit_ended_it),
		TEST(admit_says_when_nobody_is_there_who_could_wait_for_it),
		TEST(a_lease_is_held_until_it_is_given_up),
		TEST(one_admitter_at_a_time_has_the_lease),
		TEST(the_last_heard_of_two_lanes_share_by_weight),
		TEST(reap_counts_each_kind_of_end),
		TEST(after_a_new_life_of_the_store_nobody_expires_at_once),
	};
	return cmocka_run_group_tests(tests, shared_ask_open, shared_ask_close);
}
