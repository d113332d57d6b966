/* enqueue, heartbeat, visit and release: what visitors do, one script call at a time. */
#include "support/cmocka.h"
#include "support/room.h"
#include "support/shared_redis.h"
#include "waitingroom/clock.h"

#include <stdlib.h>
#include <string.h>

/* ---- joining ---- */

static void joining_twice_keeps_the_first_place(void **state)
{
	(void)state;
	struct room *room = room_open(client, "capacity=0");
	assert_string_equal(room_join(room, "ann bob"), "new:w:1:1 new:w:2:2");
	room_pass(room, 1000);
	assert_string_equal(room_join(room, "bob ann"), "same:w:2:0 same:w:1:0");
	assert_string_equal(room_events(room), "enqueued ann, enqueued bob");
	assert_string_equal(room_list(room, "main"), "ann bob");
	room_free(room);
}

static void joining_twice_in_one_batch_makes_one_place(void **state)
{
	(void)state;
	struct room *room = room_open(client, "capacity=0");
	assert_string_equal(room_join(room, "ann#1 ann#1 ann#2 bob#1"),
						"new:w:1:1 same:w:1:1 reused:w:1:1 new:w:2:2");
	assert_string_equal(room_events(room), "enqueued ann, enqueued bob");
	assert_string_equal(room_list(room, "main"), "ann bob");
	assert_string_equal(room_set_of(room, "heartbeats"), "ann bob");
	room_free(room);
}

static void a_known_key_with_another_request_is_told_apart(void **state)
{
	(void)state;
	struct room *room = room_open(client, "capacity=0");
	room_join(room, "ann#first");
	assert_string_equal(room_join(room, "ann#second"), "reused:w:1:0");
	assert_string_equal(room_join(room, "ann#first"), "same:w:1:0");
	room_free(room);
}

static void a_key_is_remembered_after_its_place_has_ended(void **state)
{
	(void)state;
	struct room *room = room_open(client, "capacity=0");
	room_join(room, "ann");
	room_release(room, "leave", "ann");
	assert_string_equal(room_join(room, "ann"), "same:l:1:0");
	room_free(room);
}

static void a_closed_queue_takes_nobody_and_still_knows_its_people(void **state)
{
	(void)state;
	struct room *room = room_open(client, "capacity=0");
	room_join(room, "ann");
	room_set(room, "state=closed");
	assert_string_equal(room_join(room, "ann bob"), "same:w:1:0 closed:-:0:0");
	assert_string_equal(room_look(room, "bob"), "-");
	room_free(room);
}

static void paused_and_hold_take_people_and_let_nobody_in(void **state)
{
	(void)state;
	static const char *const states[] = {"state=paused", "state=hold"};
	for (int i = 0; i < 2; i++) {
		struct room *room = room_open(client, states[i]);
		assert_string_equal(room_join(room, "ann"), "new:w:1:1");
		room_beat(room, "ann");
		assert_string_equal(room_admit(room), "0 in 0 aside");
		room_free(room);
	}
}

static void a_full_line_refuses_whoever_is_over_it(void **state)
{
	(void)state;
	struct room *room = room_open(client, "capacity=0 max_waiting=2");
	assert_string_equal(room_join(room, "ann bob cid"), "new:w:1:1 new:w:2:2 full:-:0:0");
	room_release(room, "leave", "ann");
	assert_string_equal(room_join(room, "cid dan"), "new:w:3:2 full:-:0:0");
	room_free(room);
}

static void a_line_of_nobody_still_lets_in_while_there_is_room(void **state)
{
	(void)state;
	struct room *room = room_open(client, "capacity=1 max_waiting=0");
	assert_string_equal(room_join(room, "ann bob"), "new:a:1:0 full:-:0:0");
	room_free(room);
}

static void an_outbox_over_its_limit_refuses_joins_and_nothing_else(void **state)
{
	(void)state;
	struct room *room = room_open(client, "capacity=0");
	room_join(room, "ann");
	static const char *const argv[] = {"1", "", "0", "bob", "main", "", "", "", "", ""};
	assert_non_null(strstr(room_call(room, "enqueue", 10, argv), " busy - main 0 0 0 -"));
	assert_string_equal(room_beat(room, "ann"), "");
	assert_string_equal(room_release(room, "leave", "ann"), "l");
	room_free(room);
}

static void an_unknown_lane_is_refused(void **state)
{
	(void)state;
	struct room *room = room_open(client, "capacity=0 lanes=main:1:open,vip:3:signed");
	assert_string_equal(room_join(room, "ann@gold bob@vip cid@main"),
						"lane:-:0:0 new:w:1:1 new:w:1:1");
	room_free(room);
}

static void a_queue_that_is_not_there_is_said_to_be_so(void **state)
{
	(void)state;
	struct room *room = room_of_nobody(client);
	assert_string_equal(room_join(room, "ann"), "noqueue");
	assert_string_equal(room_beat(room, "ann"), "noqueue");
	assert_string_equal(room_poll(room, "ann"), "noqueue");
	assert_string_equal(room_release(room, "leave", "ann"), "noqueue");
	assert_string_equal(room_restore(room, "E1", "ann:1"), "noqueue");
	assert_string_equal(room_admit(room), "noqueue");
	assert_string_equal(room_reap(room), "noqueue");
	assert_int_equal(redis_number(client, "EXISTS %soutbox %sclock", room->prefix, room->prefix),
					 0);
	room_free(room);
}

/* ---- walking straight in ---- */

static void an_empty_room_is_invisible(void **state)
{
	(void)state;
	struct room *room = room_open(client, "capacity=2");
	assert_string_equal(room_join(room, "ann bob cid"), "new:a:1:0 new:a:2:0 new:w:3:1");
	assert_string_equal(room_events(room), "enqueued ann, enqueued bob, enqueued cid, "
										   "admitted ann immediate, admitted bob immediate");
	assert_string_equal(room_set_of(room, "sessions"), "ann bob");
	assert_string_equal(room_list(room, "main"), "cid");
	assert_int_equal(room_in_line(room, "main"), 1);
	assert_string_equal(room_departures(room), "main:1-2");
	assert_int_equal(room_ends_in(room, "ann"), 600000);
	room_free(room);
}

static void nobody_walks_past_somebody_who_waits(void **state)
{
	(void)state;
	struct room *room = room_open(client, "capacity=1 lanes=main:1:open,vip:1:open");
	room_join(room, "ann bob");
	room_poll(room, "ann");
	room_release(room, "release", "ann");
	assert_string_equal(room_join(room, "cid dan@vip"), "new:w:3:2 new:w:1:1");
	room_free(room);
}

static void nobody_walks_past_somebody_who_came_back(void **state)
{
	(void)state;
	struct room *room = room_open(client, "capacity=1");
	room_join(room, "ann bob");
	room_release(room, "leave", "ann");
	assert_string_equal(room_admit(room), "0 in 0 aside");
	room_pass(room, 3000); /* no newcomer any more */
	assert_string_equal(room_admit(room), "0 in 1 aside");
	assert_string_equal(room_poll(room, "bob"), "w^");
	assert_string_equal(room_join(room, "cid"), "new:w:3:1");
	room_free(room);
}

static void nobody_walks_in_without_a_token_of_the_bucket(void **state)
{
	(void)state;
	struct room *room = room_open(client, "capacity=10 rate_per_minute=60 burst=2");
	assert_string_equal(room_join(room, "ann bob cid"), "new:a:1:0 new:a:2:0 new:w:3:1");
	room_release(room, "leave", "cid");
	room_pass(room, 999);
	assert_string_equal(room_join(room, "dan"), "new:w:4:1");
	room_release(room, "leave", "dan");
	room_pass(room, 1);
	assert_string_equal(room_join(room, "eve fay"), "new:a:5:0 new:w:6:1");
	room_free(room);
}

static void passthrough_lets_everybody_in_whatever_the_limits(void **state)
{
	(void)state;
	struct room *room =
		room_open(client, "state=passthrough capacity=1 rate_per_minute=1 burst=1 max_waiting=0");
	assert_string_equal(room_join(room, "ann bob cid"), "new:a:1:0 new:a:2:0 new:a:3:0");
	assert_string_equal(room_events(room),
						"enqueued ann, enqueued bob, enqueued cid, admitted ann passthrough, "
						"admitted bob passthrough, admitted cid passthrough");
	room_free(room);
}

/* ---- heartbeats ---- */

static void the_first_heartbeat_turns_a_ghost_into_a_visitor(void **state)
{
	(void)state;
	struct room *room = room_open(client, "capacity=0");
	room_join(room, "ann");
	assert_int_equal(redis_number(client, "ZSCORE %sheartbeats ann", room->prefix), -ROOM_START_MS);
	room_pass(room, 2000);
	assert_string_equal(room_beat(room, "ann"), "");
	assert_int_equal(redis_number(client, "ZSCORE %sheartbeats ann", room->prefix),
					 ROOM_START_MS + 2000);
	room_free(room);
}

static void a_late_heartbeat_brings_nobody_back(void **state)
{
	(void)state;
	struct room *room = room_open(client, "capacity=0 heartbeat_ttl_ms=1000");
	room_join(room, "ann bob");
	room_beat(room, "ann bob");
	room_pass(room, 1500);
	room_beat(room, "bob");
	assert_string_equal(room_reap(room), "1 expired 0 missed 0 ended");
	assert_string_equal(room_beat(room, "bob ann eve"), "ann eve");
	assert_string_equal(room_look(room, "ann"), "x");
	assert_string_equal(room_set_of(room, "heartbeats"), "bob");
	room_free(room);
}

static void two_heartbeats_of_one_moment_are_nobody_missing(void **state)
{
	(void)state;
	struct room *room = room_open(client, "capacity=0");
	room_join(room, "ann bob");
	assert_string_equal(room_beat(room, "ann bob ann"), "");
	assert_string_equal(room_beat(room, "ann"), "");
	room_free(room);
}

/* ---- polls ---- */

static void a_poll_claims_an_admission_once(void **state)
{
	(void)state;
	struct room *room = room_open(client, "capacity=1");
	room_join(room, "ann");
	assert_string_equal(room_look(room, "ann"), "a");
	room_pass(room, 5000);
	assert_string_equal(room_poll(room, "ann"), "c");
	assert_int_equal(room_ends_in(room, "ann"), 900000);
	room_pass(room, 5000);
	assert_string_equal(room_poll(room, "ann"), "c");
	assert_int_equal(room_ends_in(room, "ann"), 895000);
	assert_string_equal(room_history(room, "ann"), "enqueued admitted claimed");
	room_free(room);
}

static void two_polls_in_one_batch_claim_once(void **state)
{
	(void)state;
	struct room *room = room_open(client, "capacity=1");
	room_join(room, "ann");
	assert_string_equal(room_poll(room, "ann ann"), "c c");
	assert_string_equal(room_history(room, "ann"), "enqueued admitted claimed");
	room_free(room);
}

static void a_look_changes_nothing(void **state)
{
	(void)state;
	struct room *room = room_open(client, "capacity=1");
	room_join(room, "ann bob");
	room_release(room, "leave", "ann");
	room_admit(room);
	room_pass(room, 3000); /* no newcomer any more */
	room_admit(room);
	room_events(room);
	assert_string_equal(room_look(room, "ann bob eve"), "m w^ -");
	assert_string_equal(room_set_of(room, "absent"), "bob");
	assert_string_equal(room_events(room), "");
	room_free(room);
}

static void somebody_who_stays_keeps_the_turn_and_claims_it_later(void **state)
{
	(void)state;
	struct room *room = room_open(client, "capacity=1 claim_ttl_ms=600000 session_ttl_ms=900000");
	room_join(room, "ann");
	room_pass(room, 60000);
	assert_string_equal(room_stay(room, "ann"), "a");
	assert_int_equal(room_ends_in(room, "ann"), 540000);
	assert_string_equal(room_history(room, "ann"), "enqueued admitted");
	assert_string_equal(room_poll(room, "ann"), "c");
	assert_string_equal(room_stay(room, "ann"), "c");
	assert_int_equal(room_ends_in(room, "ann"), 900000);
	room_free(room);
}

static void somebody_set_aside_who_stays_comes_back_to_the_front(void **state)
{
	(void)state;
	struct room *room = room_open(client, "capacity=1");
	room_join(room, "ann bob");
	room_release(room, "leave", "ann");
	room_pass(room, 3000);
	room_admit(room);
	assert_string_equal(room_set_of(room, "absent"), "bob");
	assert_string_equal(room_stay(room, "bob"), "w^");
	assert_string_equal(room_set_of(room, "absent"), "");
	room_free(room);
}

static void a_poll_counts_as_a_heartbeat(void **state)
{
	(void)state;
	struct room *room = room_open(client, "capacity=0");
	room_join(room, "ann");
	room_pass(room, 1000);
	assert_string_equal(room_poll(room, "ann"), "w");
	assert_int_equal(redis_number(client, "ZSCORE %sheartbeats ann", room->prefix),
					 ROOM_START_MS + 1000);
	room_free(room);
}

static void an_answer_carries_the_target_and_the_time_of_joining(void **state)
{
	(void)state;
	struct room *room = room_open(client, "capacity=0");
	room_join(room, "ann");
	room_pass(room, 1000);
	static const char *const argv[] = {"look", "ann"};
	assert_string_equal(room_call(room, "visit", 2, argv),
						"ok 1700000001000 w main 1 1700000000000 0 1 https://shop.test/ 0 -");
	room_free(room);
}

/* ---- leaving, releasing, revoking, renewing ---- */

static void leaving_ends_each_state_in_its_own_way(void **state)
{
	(void)state;
	struct room *room = room_open(client, "capacity=2");
	room_join(room, "ann bob cid");
	room_poll(room, "ann");
	assert_string_equal(room_release(room, "leave", "ann bob cid eve"), "e m l -");
	assert_string_equal(room_release(room, "leave", "ann bob cid eve"), "e m l -");
	assert_string_equal(room_history(room, "ann"), "enqueued admitted claimed session-released");
	assert_string_equal(room_history(room, "bob"), "enqueued admitted missed");
	assert_string_equal(room_history(room, "cid"), "enqueued left");
	assert_string_equal(room_set_of(room, "sessions"), "");
	assert_string_equal(room_set_of(room, "heartbeats"), "");
	assert_int_equal(room_in_line(room, "main"), 0);
	assert_in_range(redis_number(client, "PTTL %sposition:cid", room->prefix), 3590000, 3600000);
	room_free(room);
}

static void leaving_twice_in_one_batch_is_told_once(void **state)
{
	(void)state;
	struct room *room = room_open(client, "capacity=0");
	room_join(room, "ann");
	assert_string_equal(room_release(room, "leave", "ann ann"), "l l");
	assert_string_equal(room_history(room, "ann"), "enqueued left");
	assert_int_equal(room_in_line(room, "main"), 0);
	room_free(room);
}

static void a_release_frees_the_slot_of_a_session_only(void **state)
{
	(void)state;
	struct room *room = room_open(client, "capacity=2");
	room_join(room, "ann bob cid");
	room_poll(room, "ann");
	assert_string_equal(room_release(room, "release", "ann bob cid"), "e a w");
	assert_string_equal(room_release(room, "release", "ann"), "e");
	assert_string_equal(room_history(room, "ann"), "enqueued admitted claimed session-released");
	assert_string_equal(room_set_of(room, "sessions"), "bob");
	room_free(room);
}

static void a_revocation_takes_sessions_and_turns_and_leaves_the_line_alone(void **state)
{
	(void)state;
	struct room *room = room_open(client, "capacity=2");
	room_join(room, "ann bob cid");
	room_poll(room, "ann");
	assert_string_equal(room_release(room, "revoke", "ann bob cid"), "e m w");
	assert_string_equal(room_release(room, "revoke", "ann bob cid"), "e m w");
	assert_string_equal(room_history(room, "ann"), "enqueued admitted claimed session-revoked");
	assert_string_equal(room_history(room, "bob"), "enqueued admitted missed");
	room_free(room);
}

static void a_session_is_renewed_where_the_queue_says_so(void **state)
{
	(void)state;
	struct room *room = room_open(client, "capacity=1");
	room_join(room, "ann bob");
	room_poll(room, "ann");
	room_pass(room, 60000);
	assert_string_equal(room_release(room, "renew", "ann bob"), "c w");
	assert_int_equal(room_ends_in(room, "ann"), 840000);
	room_set(room, "session_renewal=1");
	assert_string_equal(room_release(room, "renew", "ann bob eve"), "c w -");
	assert_int_equal(room_ends_in(room, "ann"), 900000);
	room_pass(room, 899999);
	assert_string_equal(room_reap(room), "1 expired 0 missed 0 ended"); /* bob, a ghost */
	assert_string_equal(room_look(room, "ann"), "c");
	assert_string_equal(room_history(room, "ann"), "enqueued admitted claimed");
	room_free(room);
}

static void the_time_is_that_of_the_store(void **state)
{
	(void)state;
	struct room *room = room_open(client, "capacity=0");
	int64_t before = clock_wall().ms;
	redisReply *reply = redis_script(client, "heartbeat", room->settings_key, 0, 0, NULL);
	assert_in_range(strtoll(reply->element[1]->str, NULL, 10), before - 1000,
					clock_wall().ms + 1000);
	freeReplyObject(reply);
	room_free(room);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(joining_twice_keeps_the_first_place),
		cmocka_unit_test(joining_twice_in_one_batch_makes_one_place),
		cmocka_unit_test(a_known_key_with_another_request_is_told_apart),
		cmocka_unit_test(a_key_is_remembered_after_its_place_has_ended),
		cmocka_unit_test(a_closed_queue_takes_nobody_and_still_knows_its_people),
		cmocka_unit_test(paused_and_hold_take_people_and_let_nobody_in),
		cmocka_unit_test(a_full_line_refuses_whoever_is_over_it),
		cmocka_unit_test(a_line_of_nobody_still_lets_in_while_there_is_room),
		cmocka_unit_test(an_outbox_over_its_limit_refuses_joins_and_nothing_else),
		cmocka_unit_test(an_unknown_lane_is_refused),
		cmocka_unit_test(a_queue_that_is_not_there_is_said_to_be_so),
		cmocka_unit_test(an_empty_room_is_invisible),
		cmocka_unit_test(nobody_walks_past_somebody_who_waits),
		cmocka_unit_test(nobody_walks_past_somebody_who_came_back),
		cmocka_unit_test(nobody_walks_in_without_a_token_of_the_bucket),
		cmocka_unit_test(passthrough_lets_everybody_in_whatever_the_limits),
		cmocka_unit_test(the_first_heartbeat_turns_a_ghost_into_a_visitor),
		cmocka_unit_test(a_late_heartbeat_brings_nobody_back),
		cmocka_unit_test(two_heartbeats_of_one_moment_are_nobody_missing),
		cmocka_unit_test(a_poll_claims_an_admission_once),
		cmocka_unit_test(two_polls_in_one_batch_claim_once),
		cmocka_unit_test(a_look_changes_nothing),
		cmocka_unit_test(somebody_who_stays_keeps_the_turn_and_claims_it_later),
		cmocka_unit_test(somebody_set_aside_who_stays_comes_back_to_the_front),
		cmocka_unit_test(a_poll_counts_as_a_heartbeat),
		cmocka_unit_test(an_answer_carries_the_target_and_the_time_of_joining),
		cmocka_unit_test(leaving_ends_each_state_in_its_own_way),
		cmocka_unit_test(leaving_twice_in_one_batch_is_told_once),
		cmocka_unit_test(a_release_frees_the_slot_of_a_session_only),
		cmocka_unit_test(a_revocation_takes_sessions_and_turns_and_leaves_the_line_alone),
		cmocka_unit_test(a_session_is_renewed_where_the_queue_says_so),
		cmocka_unit_test(the_time_is_that_of_the_store),
	};
	return cmocka_run_group_tests(tests, shared_redis_open, shared_redis_close);
}
