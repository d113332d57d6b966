/* reap and the clock of patience: who runs out, when, and who must not pay for our outages. */
#include "support/cmocka.h"
#include "support/room.h"
#include "support/shared_redis.h"

/* ---- what runs out ---- */

static void silence_ends_a_place_after_its_full_time(void **state)
{
	(void)state;
	struct room *room = room_open(client, "capacity=0");
	room_join(room, "ann bob");
	room_pass(room, 1000);
	room_beat(room, "ann bob");
	room_pass(room, 299999);
	room_beat(room, "bob");
	assert_string_equal(room_reap(room), "0 expired 0 missed 0 ended");
	room_pass(room, 1);
	room_events(room);
	assert_string_equal(room_reap(room), "1 expired 0 missed 0 ended");
	assert_string_equal(room_events(room), "expired ann silent");
	assert_string_equal(room_look(room, "ann bob"), "x w");
	assert_int_equal(room_in_line(room, "main"), 1);
	assert_string_equal(room_departures(room), "main:1-1");
	assert_in_range(redis_number(client, "PTTL %sposition:ann", room->prefix), 3590000, 3600000);
	assert_string_equal(room_reap(room), "0 expired 0 missed 0 ended");
	room_free(room);
}

static void a_ghost_expires_unless_it_is_heard_in_time(void **state)
{
	(void)state;
	struct room *room = room_open(client, "capacity=0");
	room_pass(room, 60000);
	room_join(room, "ann bob");
	room_pass(room, 29999);
	assert_string_equal(room_reap(room), "0 expired 0 missed 0 ended");
	room_beat(room, "bob");
	room_pass(room, 1);
	room_events(room);
	assert_string_equal(room_reap(room), "1 expired 0 missed 0 ended");
	assert_string_equal(room_events(room), "expired ann ghost");
	room_free(room);
}

static void the_absent_and_the_returned_expire_too(void **state)
{
	(void)state;
	struct room *room = room_open(client, "capacity=1");
	room_join(room, "eve ann bob");
	room_beat(room, "ann bob");
	room_pass(room, 100000);
	room_release(room, "leave", "eve");
	assert_string_equal(room_admit(room), "0 in 2 aside");
	assert_string_equal(room_poll(room, "bob"), "w^");
	assert_int_equal(room_in_line(room, "main"), 0);
	room_pass(room, 300001);
	assert_string_equal(room_reap(room), "2 expired 0 missed 0 ended");
	assert_string_equal(room_set_of(room, "absent"), "");
	assert_string_equal(room_set_of(room, "returned"), "");
	assert_int_equal(room_in_line(room, "main"), 0);
	room_free(room);
}

static void a_turn_that_nobody_takes_up_is_missed(void **state)
{
	(void)state;
	struct room *room = room_open(client, "capacity=2");
	room_join(room, "ann bob cid");
	room_pass(room, 1);
	room_poll(room, "bob");
	room_beat(room, "cid");
	room_pass(room, 599998);
	assert_string_equal(room_reap(room), "1 expired 0 missed 0 ended"); /* cid */
	room_pass(room, 1);
	room_events(room);
	assert_string_equal(room_reap(room), "0 expired 1 missed 0 ended");
	assert_string_equal(room_events(room), "missed ann");
	assert_string_equal(room_poll(room, "ann bob"), "m c");
	assert_string_equal(room_set_of(room, "sessions"), "bob");
	room_free(room);
}

static void a_session_ends_when_its_token_does(void **state)
{
	(void)state;
	struct room *room = room_open(client, "capacity=1");
	room_join(room, "ann");
	room_poll(room, "ann");
	room_pass(room, 899999);
	assert_string_equal(room_reap(room), "0 expired 0 missed 0 ended");
	room_pass(room, 1);
	room_events(room);
	assert_string_equal(room_reap(room), "0 expired 0 missed 1 ended");
	assert_string_equal(room_events(room), "session-expired ann");
	assert_string_equal(room_look(room, "ann"), "e");
	assert_string_equal(room_join(room, "bob"), "new:a:2:0");
	room_free(room);
}

static void one_call_ends_no_more_than_its_limit_and_says_so(void **state)
{
	(void)state;
	struct room *room = room_open(client, "capacity=3");
	room_join(room, "a b c d e f g");
	room_pass(room, 600001);
	room->limit = 2;
	assert_string_equal(room_reap(room), "2 expired 2 missed 0 ended more");
	assert_string_equal(room_reap(room), "2 expired 1 missed 0 ended more");
	assert_string_equal(room_reap(room), "0 expired 0 missed 0 ended");
	assert_int_equal(room_in_line(room, "main"), 0);
	room_free(room);
}

/* ---- amnesty ---- */

static void nobody_expires_for_a_full_time_after_nobody_ticked(void **state)
{
	(void)state;
	struct room *room = room_open(client, "capacity=0");
	room_join(room, "ann ghost");
	room_beat(room, "ann");
	room_pass_unheard(room, 3600000);
	room_beat(room, ""); /* the pods are back; the admitters come now */
	assert_string_equal(room_reap(room), "0 expired 0 missed 0 ended");
	room_pass(room, 30000);
	assert_string_equal(room_reap(room), "0 expired 0 missed 0 ended");
	room_pass(room, 1);
	assert_string_equal(room_reap(room), "1 expired 0 missed 0 ended"); /* the ghost */
	room_pass(room, 269999);
	assert_string_equal(room_reap(room), "0 expired 0 missed 0 ended");
	room_pass(room, 1);
	assert_string_equal(room_reap(room), "1 expired 0 missed 0 ended");
	assert_string_equal(room_look(room, "ann"), "x");
	room_free(room);
}

static void nobody_expires_while_no_pod_flushes_and_for_a_full_time_after(void **state)
{
	(void)state;
	struct room *room = room_open(client, "capacity=0");
	room_join(room, "ann");
	room_beat(room, "ann");
	for (int i = 0; i < 400; i++) { /* an admitter ticks every second, the pods are cut off */
		room_pass_unheard(room, 1000);
		assert_string_equal(room_reap(room), "0 expired 0 missed 0 ended");
	}
	room_beat(room, "");
	room_pass(room, 300000);
	assert_string_equal(room_reap(room), "0 expired 0 missed 0 ended");
	room_pass(room, 1);
	assert_string_equal(room_reap(room), "1 expired 0 missed 0 ended");
	room_free(room);
}

static void nobody_expires_for_a_full_time_after_a_restart_of_the_store(void **state)
{
	(void)state;
	struct room *room = room_open(client, "capacity=0");
	room_join(room, "ann");
	room_beat(room, "ann");
	room_pass(room, 299999);
	room_reap(room);
	room_restart_store(room);
	room_pass(room, 5000);
	assert_string_equal(room_reap(room), "0 expired 0 missed 0 ended");
	room_pass(room, 300000);
	assert_string_equal(room_reap(room), "0 expired 0 missed 0 ended");
	room_pass(room, 1);
	assert_string_equal(room_reap(room), "1 expired 0 missed 0 ended");
	room_free(room);
}

static void a_gap_within_bounds_is_no_outage(void **state)
{
	(void)state;
	struct room *room = room_open(client, "capacity=0");
	room_pass(room, 1);
	room_join(room, "ann");
	room_beat(room, "ann");
	for (int i = 0; i < 30; i++) {
		room_pass_unheard(room, 10000);
		assert_string_equal(room_reap(room),
							i < 29 ? "0 expired 0 missed 0 ended" : "1 expired 0 missed 0 ended");
		room_beat(room, "");
	}
	room_free(room);
}

static void nobody_is_absent_for_its_time_after_an_outage(void **state)
{
	(void)state;
	struct room *room = room_open(client, "capacity=0");
	room_join(room, "ann bob");
	room_beat(room, "ann bob");
	room_pass_unheard(room, 200000);
	room_beat(room, "");
	room_set(room, "capacity=1");
	assert_string_equal(room_admit(room), "1 in 0 aside");
	room_pass(room, 90001);
	room_set(room, "capacity=2");
	assert_string_equal(room_admit(room), "0 in 1 aside");
	room_free(room);
}

static void a_session_that_slides_waits_for_the_renewals_that_pods_could_not_tell(void **state)
{
	(void)state;
	struct room *room = room_open(client, "session_renewal=1");
	room_join(room, "ann bob");
	room_poll(room, "ann bob");
	room_pass_unheard(room, 900000); /* both were renewed by the pods meanwhile */
	assert_string_equal(room_reap(room), "0 expired 0 missed 0 ended");
	room_pass(room, 9999);
	assert_string_equal(room_reap(room), "0 expired 0 missed 0 ended");
	assert_string_equal(room_release(room, "renew", "ann"), "c");
	room_pass(room, 1);
	assert_string_equal(room_reap(room), "0 expired 0 missed 1 ended");
	assert_string_equal(room_set_of(room, "sessions"), "ann");
	room_free(room);
}

static void a_turn_waits_its_full_time_after_an_outage_and_a_session_does_not(void **state)
{
	(void)state;
	struct room *room = room_open(client, "capacity=2");
	room_join(room, "ann bob");
	room_poll(room, "bob");
	room_pass_unheard(room, 3600000);
	room_beat(room, "");
	assert_string_equal(room_reap(room), "0 expired 0 missed 1 ended");
	room_pass(room, 599999);
	assert_string_equal(room_reap(room), "0 expired 0 missed 0 ended");
	assert_string_equal(room_look(room, "ann bob"), "a e");
	room_pass(room, 1);
	assert_string_equal(room_reap(room), "0 expired 1 missed 0 ended");
	room_free(room);
}

static void a_clock_that_steps_back_is_an_outage_and_ends_nobody(void **state)
{
	(void)state;
	struct room *room = room_open(client, "capacity=0");
	room_join(room, "ann");
	room_beat(room, "ann");
	room_pass(room, 100000);
	room_reap(room);
	room_pass_unheard(room, -60000);
	assert_string_equal(room_reap(room), "0 expired 0 missed 0 ended");
	room_pass(room, 300000);
	assert_string_equal(room_reap(room), "0 expired 0 missed 0 ended");
	room_pass(room, 1);
	assert_string_equal(room_reap(room), "1 expired 0 missed 0 ended");
	room_free(room);
}

/* ---- heartbeats that come in between ---- */

static void a_heartbeat_between_two_reaps_wins(void **state)
{
	(void)state;
	struct room *room = room_open(client, "capacity=0");
	room_join(room, "a b c");
	room_beat(room, "a b c");
	room_pass(room, 300001);
	room->limit = 1;
	assert_string_equal(room_reap(room), "1 expired 0 missed 0 ended more");
	assert_string_equal(room_beat(room, "b"), "");
	assert_string_equal(room_reap(room), "1 expired 0 missed 0 ended more");
	assert_string_equal(room_reap(room), "0 expired 0 missed 0 ended");
	assert_string_equal(room_look(room, "a b c"), "x w x");
	room_free(room);
}

/* ---- what a promoted replica may lack ---- */

static void an_admission_without_its_slot_gets_one(void **state)
{
	(void)state;
	struct room *room = room_open(client, "capacity=0");
	room_join(room, "ann bob");
	room_beat(room, "ann bob");
	redis_number(client, "HSET %sposition:ann s a", room->prefix);
	room_set(room, "capacity=1");
	assert_string_equal(room_admit(room), "1 in 0 aside");
	assert_string_equal(room_look(room, "ann bob"), "a a");
	assert_int_equal(room_in_line(room, "main"), 0);
	room_pass(room, 300001);
	assert_string_equal(room_reap(room), "0 expired 0 missed 0 ended");
	assert_string_equal(room_set_of(room, "sessions"), "bob ann");
	assert_string_equal(room_set_of(room, "heartbeats"), "");
	room_free(room);
}

static void a_session_lasts_as_long_as_its_place_says(void **state)
{
	(void)state;
	struct room *room = room_open(client, "capacity=1");
	room_join(room, "ann");
	room_poll(room, "ann");
	/* Claimed, but the slot still ends with the time to take up the turn. */
	room_set_score(room, "sessions", "ann", ROOM_START_MS + 600000);
	room_pass(room, 600000);
	assert_string_equal(room_reap(room), "0 expired 0 missed 0 ended");
	room_pass(room, 300000);
	assert_string_equal(room_reap(room), "0 expired 0 missed 1 ended");
	room_free(room);
}

static void a_slot_whose_place_has_ended_is_free(void **state)
{
	(void)state;
	struct room *room = room_open(client, "capacity=1");
	room_join(room, "ann");
	redis_number(client, "HSET %sposition:ann s m", room->prefix);
	room_pass(room, 600001);
	assert_string_equal(room_reap(room), "0 expired 0 missed 0 ended");
	assert_string_equal(room_set_of(room, "sessions"), "");
	assert_string_equal(room_history(room, "ann"), "enqueued admitted");
	room_free(room);
}

static void an_ended_place_is_taken_out_of_every_set(void **state)
{
	(void)state;
	struct room *room = room_open(client, "capacity=1");
	room_join(room, "eve ann");
	room_pass(room, 5000);
	room_release(room, "leave", "eve");
	assert_string_equal(room_admit(room), "0 in 1 aside");
	redis_number(client, "HSET %sposition:ann s x", room->prefix);
	room_pass(room, 300001);
	assert_string_equal(room_reap(room), "0 expired 0 missed 0 ended");
	assert_string_equal(room_set_of(room, "heartbeats"), "");
	assert_string_equal(room_set_of(room, "absent"), "");
	room_free(room);
}

static void a_place_that_never_got_into_line_gets_there_by_a_poll(void **state)
{
	(void)state;
	struct room *room = room_open(client, "capacity=0");
	room_join(room, "ann bob");
	room_beat(room, "ann");
	redis_number(client, "ZREM %sheartbeats bob", room->prefix);
	redis_number(client, "LREM %swaiting:main 1 bob", room->prefix);
	redis_number(client, "DECR %sticket:main", room->prefix);
	/* His join was not answered, so he repeats it: his number is taken, the next gets another. */
	assert_string_equal(room_join(room, "bob cid"), "same:w:2:0 new:w:3:3");
	room_beat(room, "cid");
	assert_string_equal(room_poll(room, "bob"), "w");
	assert_string_equal(room_set_of(room, "restored:main"), "bob");
	room_set(room, "capacity=3");
	room_events(room);
	assert_string_equal(room_admit(room), "3 in 0 aside");
	assert_string_equal(room_events(room),
						"admitted ann line, admitted bob line, admitted cid line");
	room_free(room);
}

static void a_lane_at_its_end_counts_nobody(void **state)
{
	(void)state;
	struct room *room = room_open(client, "capacity=0");
	room_join(room, "ann bob");
	room_beat(room, "ann bob");
	room_release(room, "leave", "ann");
	/* The marks of her departure were lost. */
	redis_number(client, "DEL %sgone:main:0", room->prefix);
	redis_number(client, "HDEL %scounts gone:main", room->prefix);
	room_set(room, "capacity=5");
	assert_string_equal(room_admit(room), "1 in 0 aside");
	assert_int_equal(room_in_line(room, "main"), 0);
	/* Only the count was lost. */
	redis_number(client, "HSET %scounts gone:main 0", room->prefix);
	assert_string_equal(room_admit(room), "0 in 0 aside");
	room_settle(room);
	assert_int_equal(room_in_line(room, "main"), 0);
	/* Only the marks were lost: nobody is in the list any more to be dropped from it. */
	redis_number(client, "DEL %sgone:main:0", room->prefix);
	redis_number(client, "HSET %scounts gone:main 0", room->prefix);
	assert_string_equal(room_admit(room), "0 in 0 aside");
	room_settle(room);
	assert_int_equal(room_in_line(room, "main"), 0);
	assert_int_equal(redis_number(client, "HEXISTS %scounts recover_until", room->prefix), 0);
	assert_string_equal(room_join(room, "cid"), "new:a:3:0");
	room_free(room);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(silence_ends_a_place_after_its_full_time),
		cmocka_unit_test(a_ghost_expires_unless_it_is_heard_in_time),
		cmocka_unit_test(the_absent_and_the_returned_expire_too),
		cmocka_unit_test(a_turn_that_nobody_takes_up_is_missed),
		cmocka_unit_test(a_session_ends_when_its_token_does),
		cmocka_unit_test(one_call_ends_no_more_than_its_limit_and_says_so),
		cmocka_unit_test(nobody_expires_for_a_full_time_after_nobody_ticked),
		cmocka_unit_test(nobody_expires_while_no_pod_flushes_and_for_a_full_time_after),
		cmocka_unit_test(nobody_expires_for_a_full_time_after_a_restart_of_the_store),
		cmocka_unit_test(a_gap_within_bounds_is_no_outage),
		cmocka_unit_test(nobody_is_absent_for_its_time_after_an_outage),
		cmocka_unit_test(a_session_that_slides_waits_for_the_renewals_that_pods_could_not_tell),
		cmocka_unit_test(a_turn_waits_its_full_time_after_an_outage_and_a_session_does_not),
		cmocka_unit_test(a_clock_that_steps_back_is_an_outage_and_ends_nobody),
		cmocka_unit_test(a_heartbeat_between_two_reaps_wins),
		cmocka_unit_test(an_admission_without_its_slot_gets_one),
		cmocka_unit_test(a_session_lasts_as_long_as_its_place_says),
		cmocka_unit_test(a_slot_whose_place_has_ended_is_free),
		cmocka_unit_test(an_ended_place_is_taken_out_of_every_set),
		cmocka_unit_test(a_place_that_never_got_into_line_gets_there_by_a_poll),
		cmocka_unit_test(a_lane_at_its_end_counts_nobody),
	};
	return cmocka_run_group_tests(tests, shared_redis_open, shared_redis_close);
}
