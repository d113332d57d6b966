/* support_restore: an operator puts a place back that was lost by mistake. */
#include "support/cmocka.h"
#include "support/room.h"
#include "support/shared_redis.h"

#include <string.h>

#define AUDIT "{\"action\":\"place.restore\"}"

/* "restored w main 2 0": outcome, state, lane, ticket, front; without the time before it. */
static const char *put_back_known(struct room *room, const char *id, const char *lane,
								  const char *ticket, const char *joined)
{
	const char *argv[] = {id, lane, ticket, joined, AUDIT, "1000"};
	const char *text = room_call(room, "support_restore", 6, argv);
	assert_memory_equal(text, "ok ", 3);
	return strchr(text + 3, ' ') + 1;
}

static const char *put_back(struct room *room, const char *id)
{
	return put_back_known(room, id, "", "", "");
}

/* Ann, Bob and Cid wait; Bob was silent and has expired; Dan has joined since. */
static struct room *bob_has_expired(const char *settings)
{
	struct room *room = room_open(client, settings);
	room_join(room, "ann bob cid");
	room_beat(room, "ann bob cid");
	for (int i = 0; i < 4; i++) {
		room_pass(room, 100000);
		room_beat(room, "ann cid");
	}
	assert_string_equal(room_reap(room), "1 expired 0 missed 0 ended");
	assert_string_equal(room_look(room, "ann bob cid"), "w x w");
	room_join(room, "dan");
	room_beat(room, "dan");
	room_events(room);
	return room;
}

/* ---- where it stands ---- */

static void a_place_that_was_put_back_goes_before_everybody_who_joined_later(void **state)
{
	(void)state;
	struct room *room = bob_has_expired("capacity=0");
	assert_string_equal(put_back(room, "bob"), "restored w main 2 0");
	assert_string_equal(room_events(room), "audit, restored bob~1 operator");
	room_set(room, "capacity=1");
	assert_string_equal(room_admit(room), "1 in 0 aside"); /* ann */
	room_set(room, "capacity=4");
	room_events(room);
	assert_string_equal(room_admit(room), "3 in 0 aside");
	assert_string_equal(room_events(room),
						"admitted bob~1 line, admitted cid line, admitted dan line");
	assert_int_equal(room_in_line(room, "main"), 0);
	room_free(room);
}

static void a_place_that_was_passed_goes_to_the_front(void **state)
{
	(void)state;
	struct room *room = bob_has_expired("capacity=0");
	room_set(room, "capacity=2");
	assert_string_equal(room_admit(room), "2 in 0 aside"); /* ann, cid */
	room_events(room);
	assert_string_equal(put_back(room, "bob"), "restored w main 2 1");
	assert_string_equal(room_set_of(room, "returned"), "bob");
	assert_string_equal(room_poll(room, "bob"), "w^");
	room_set(room, "capacity=4");
	room_events(room);
	assert_string_equal(room_admit(room), "2 in 0 aside");
	assert_string_equal(room_events(room), "admitted bob~1 returned, admitted dan line");
	room_free(room);
}

static void nobody_elses_number_grows(void **state)
{
	(void)state;
	struct room *room = bob_has_expired("capacity=0");
	int64_t before = room_in_line(room, "main");
	put_back(room, "bob");
	assert_int_equal(room_in_line(room, "main"), before);
	room_free(room);
}

static void nobody_walks_past_it_into_an_empty_room(void **state)
{
	(void)state;
	struct room *room = room_open(client, "capacity=0");
	room_join(room, "ann");
	room_beat(room, "ann");
	room_release(room, "leave", "ann");
	put_back(room, "ann");
	room_set(room, "capacity=2");
	assert_string_equal(room_join(room, "bob"), "new:w:2:1");
	room_beat(room, "bob");
	assert_string_equal(room_admit(room), "2 in 0 aside");
	room_free(room);
}

/* ---- its life from then on ---- */

static void it_has_the_time_of_a_heartbeat_to_come_back(void **state)
{
	(void)state;
	struct room *room = bob_has_expired("capacity=0");
	put_back(room, "bob");
	assert_string_equal(room_reap(room), "0 expired 0 missed 0 ended");
	room_pass(room, 299999);
	room_beat(room, "ann cid dan");
	assert_string_equal(room_reap(room), "0 expired 0 missed 0 ended");
	assert_string_equal(room_beat(room, "bob"), "");
	room_pass(room, 200000);
	room_beat(room, "ann cid dan");
	assert_string_equal(room_reap(room), "0 expired 0 missed 0 ended");
	assert_string_equal(room_look(room, "bob"), "w");
	room_free(room);
}

static void whoever_does_not_come_back_expires_a_second_time_under_another_name(void **state)
{
	(void)state;
	struct room *room = bob_has_expired("capacity=0");
	put_back(room, "bob");
	for (int i = 0; i < 4; i++) {
		room_pass(room, 100000);
		room_beat(room, "ann cid dan");
	}
	room_events(room);
	assert_string_equal(room_reap(room), "1 expired 0 missed 0 ended");
	assert_string_equal(room_events(room), "expired bob~1 silent");
	assert_string_equal(put_back(room, "bob"), "restored w main 2 0");
	assert_string_equal(room_events(room), "audit, restored bob~2 operator");
	room_free(room);
}

static void its_hash_is_kept_as_long_as_it_waits(void **state)
{
	(void)state;
	struct room *room = bob_has_expired("capacity=0");
	assert_true(redis_number(client, "PTTL %sposition:bob", room->prefix) > 0);
	put_back(room, "bob");
	assert_int_equal(redis_number(client, "PTTL %sposition:bob", room->prefix), -1);
	room_free(room);
}

static void an_ended_session_can_be_put_back_and_claimed_again(void **state)
{
	(void)state;
	struct room *room = room_open(client, "capacity=1");
	room_join(room, "ann");
	room_poll(room, "ann");
	room_release(room, "revoke", "ann");
	room_events(room);
	assert_string_equal(put_back(room, "ann"), "restored w main 1 0");
	assert_string_equal(room_admit(room), "1 in 0 aside");
	assert_string_equal(room_poll(room, "ann"), "c");
	assert_string_equal(room_events(room), "audit, restored ann~1 operator, admitted ann~1 line, "
										   "claimed ann~1");
	room_release(room, "release", "ann");
	assert_string_equal(room_events(room), "session-released ann~1");
	room_free(room);
}

static void its_new_session_is_not_refused_for_the_old_ones_end(void **state)
{
	(void)state;
	struct room *room = room_open(client, "capacity=1");
	room_join(room, "ann");
	room_poll(room, "ann");
	room_release(room, "revoke", "ann");
	put_back(room, "ann");
	assert_int_equal(redis_number(client, "XLEN %srevocations", room->prefix), 1);
	room_admit(room);
	room_poll(room, "ann");
	redisReply *told = redis_run(client, "XREVRANGE %srevocations + - COUNT 1", room->prefix);
	assert_memory_equal(told->element[0]->element[1]->element[1]->str, "p ann ", 6);
	freeReplyObject(told);
	room_free(room);
}

/* ---- what cannot be put back ---- */

static void whoever_waits_or_is_let_in_is_not_lost(void **state)
{
	(void)state;
	struct room *room = room_open(client, "capacity=1");
	room_join(room, "ann bob");
	room_events(room);
	assert_string_equal(put_back(room, "ann"), "there a main 1 0");
	room_poll(room, "ann");
	assert_string_equal(put_back(room, "ann"), "there c main 1 0");
	assert_string_equal(put_back(room, "bob"), "there w main 2 0");
	assert_string_equal(room_events(room), "claimed ann");
	room_free(room);
}

static void a_forgotten_place_needs_its_lane_and_ticket(void **state)
{
	(void)state;
	struct room *room = bob_has_expired("capacity=0");
	freeReplyObject(redis_run(client, "DEL %sposition:bob", room->prefix));
	assert_string_equal(put_back(room, "bob"), "unknown -  0 0");
	assert_string_equal(put_back_known(room, "bob", "vip", "2", "1"), "lane - vip 2 0");
	assert_string_equal(put_back_known(room, "bob", "main", "5", "1"), "ticket - main 5 0");
	assert_string_equal(put_back_known(room, "bob", "main", "0", "1"), "ticket - main 0 0");
	assert_string_equal(room_events(room), "");
	assert_string_equal(put_back_known(room, "bob", "main", "2", "1699999990000"),
						"restored w main 2 0");
	assert_string_equal(room_field(room, "bob", "j"), "1699999990000");
	assert_string_equal(room_events(room), "audit, restored bob~1 operator");
	room_free(room);
}

static void a_place_of_a_lane_that_is_no_more_goes_to_the_front(void **state)
{
	(void)state;
	struct room *room = room_open(client, "capacity=0 lanes=main:1:open,vip:9:open");
	room_join(room, "vic@vip");
	room_release(room, "leave", "vic");
	room_set(room, "lanes=main:1:open");
	assert_string_equal(put_back(room, "vic"), "restored w vip 1 1");
	room_free(room);
}

static void nobody_knows_of_places_where_there_is_no_queue(void **state)
{
	(void)state;
	struct room *room = room_of_nobody(client);
	const char *argv[] = {"ann", "", "", "", AUDIT, "1000"};
	assert_string_equal(room_call(room, "support_restore", 6, argv), "noqueue");
	assert_string_equal(room_call(room, "support_look", 2, (const char *[]){"id", "ann"}),
						"noqueue");
	room_free(room);
}

static void it_is_in_the_audit(void **state)
{
	(void)state;
	struct room *room = bob_has_expired("capacity=0");
	put_back(room, "bob");
	assert_int_equal(redis_number(client, "XLEN %saudit", room->prefix), 1);
	put_back(room, "bob");
	assert_int_equal(redis_number(client, "XLEN %saudit", room->prefix), 1);
	room_free(room);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_place_that_was_put_back_goes_before_everybody_who_joined_later),
		cmocka_unit_test(a_place_that_was_passed_goes_to_the_front),
		cmocka_unit_test(nobody_elses_number_grows),
		cmocka_unit_test(nobody_walks_past_it_into_an_empty_room),
		cmocka_unit_test(it_has_the_time_of_a_heartbeat_to_come_back),
		cmocka_unit_test(whoever_does_not_come_back_expires_a_second_time_under_another_name),
		cmocka_unit_test(its_hash_is_kept_as_long_as_it_waits),
		cmocka_unit_test(an_ended_session_can_be_put_back_and_claimed_again),
		cmocka_unit_test(its_new_session_is_not_refused_for_the_old_ones_end),
		cmocka_unit_test(whoever_waits_or_is_let_in_is_not_lost),
		cmocka_unit_test(a_forgotten_place_needs_its_lane_and_ticket),
		cmocka_unit_test(a_place_of_a_lane_that_is_no_more_goes_to_the_front),
		cmocka_unit_test(nobody_knows_of_places_where_there_is_no_queue),
		cmocka_unit_test(it_is_in_the_audit),
	};
	return cmocka_run_group_tests(tests, shared_redis_open, shared_redis_close);
}
