/* admit: people who are not there when their turn comes, or not in line any more. */
#include "support/cmocka.h"
#include "support/room.h"
#include "support/shared_redis.h"

#define NEWCOMER_MS 3000 /* so long nobody is passed for want of a first heartbeat */

/* Time passes that counts, while nobody is let in: patience begins with the first tick. */
static void stay(struct room *room, int64_t ms)
{
	assert_string_equal(room_admit(room), "0 in 0 aside");
	room_pass(room, ms);
}

/* ---- absence ---- */

static void the_absent_are_set_aside_and_cost_no_slot(void **state)
{
	(void)state;
	struct room *room = room_open(client, "capacity=0");
	room_join(room, "ann bob cid dan");
	room_beat(room, "ann bob cid dan");
	room_pass(room, 90001);
	room_beat(room, "cid dan");
	room_set(room, "capacity=1");
	room_events(room);
	assert_string_equal(room_admit(room), "1 in 2 aside");
	assert_string_equal(room_events(room), "admitted cid line");
	assert_string_equal(room_set_of(room, "absent"), "ann bob");
	assert_string_equal(room_look(room, "ann bob dan"), "w^ w^ w");
	assert_int_equal(room_in_line(room, "main"), 1);
	room_free(room);
}

static void whoever_was_heard_just_in_time_is_not_absent(void **state)
{
	(void)state;
	struct room *room = room_open(client, "capacity=0");
	room_join(room, "ann");
	room_beat(room, "ann");
	room_pass(room, 90000);
	room_set(room, "capacity=1");
	assert_string_equal(room_admit(room), "1 in 0 aside");
	room_free(room);
}

static void the_absent_go_to_the_front_when_they_return(void **state)
{
	(void)state;
	struct room *room = room_open(client, "capacity=0 lanes=main:1:open,vip:9:open");
	room_join(room, "ann bob cid vic@vip");
	room_beat(room, "ann bob cid vic");
	room_pass(room, 90001);
	room_beat(room, "cid vic");
	room_set(room, "capacity=1");
	assert_string_equal(room_admit(room), "1 in 2 aside"); /* vic */
	room_set(room, "capacity=2");
	assert_string_equal(room_admit(room), "1 in 0 aside"); /* cid */
	assert_string_equal(room_poll(room, "bob ann"), "w^ w^");
	assert_string_equal(room_set_of(room, "returned"), "ann bob");
	assert_string_equal(room_set_of(room, "absent"), "");
	room_join(room, "dan@vip eve");
	room_beat(room, "dan eve");
	room_set(room, "capacity=5");
	room_events(room);
	assert_string_equal(room_admit(room), "3 in 0 aside");
	assert_string_equal(room_events(room),
						"admitted ann returned, admitted bob returned, admitted dan line");
	assert_string_equal(room_set_of(room, "returned"), "");
	room_free(room);
}

static void all_who_came_back_go_before_the_line_also_past_absent_ones(void **state)
{
	(void)state;
	struct room *room = room_open(client, "capacity=0");
	room_join(room, "ann bob cid dan");
	stay(room, NEWCOMER_MS);
	room_beat(room, "dan");
	room_set(room, "capacity=1");
	assert_string_equal(room_admit(room), "1 in 3 aside");
	room_poll(room, "ann bob cid");
	room_join(room, "eve");
	room_pass(room, 90001);
	room_beat(room, "cid eve");
	room_set(room, "capacity=2");
	room_events(room);
	assert_string_equal(room_admit(room), "1 in 2 aside");
	assert_string_equal(room_events(room), "admitted cid returned");
	assert_string_equal(room_set_of(room, "absent"), "ann bob");
	assert_string_equal(room_look(room, "ann eve"), "w^ w");
	room_free(room);
}

static void ghosts_never_take_a_slot(void **state)
{
	(void)state;
	struct room *room = room_open(client, "capacity=0");
	room_join(room, "ann bob");
	stay(room, NEWCOMER_MS);
	room_set(room, "capacity=5");
	assert_string_equal(room_admit(room), "0 in 2 aside");
	room_pass(room, 1000);
	assert_string_equal(room_poll(room, "bob"), "w^");
	assert_string_equal(room_admit(room), "1 in 0 aside");
	assert_string_equal(room_look(room, "ann bob"), "w^ a^");
	room_free(room);
}

static void a_call_full_of_absent_people_goes_on_in_the_next(void **state)
{
	(void)state;
	struct room *room = room_open(client, "capacity=0");
	room_join(room, room_crowd(room, "g", 0, 30, ""));
	room_join(room, "ann");
	stay(room, NEWCOMER_MS);
	room_beat(room, "ann");
	room_set(room, "capacity=1");
	room->limit = 20;
	assert_string_equal(room_admit(room), "0 in 20 aside more");
	assert_string_equal(room_admit(room), "1 in 10 aside");
	room_free(room);
}

/* ---- the list holds people who are not in line any more ---- */

static void people_who_have_left_or_expired_are_passed_over(void **state)
{
	(void)state;
	struct room *room = room_open(client, "capacity=0 heartbeat_ttl_ms=1000 absent_after_ms=1000");
	room_join(room, "ann bob cid dan");
	room_beat(room, "ann bob cid dan");
	room_release(room, "leave", "ann");
	room_pass(room, 1001);
	room_beat(room, "cid dan");
	assert_string_equal(room_reap(room), "1 expired 0 missed 0 ended");
	assert_string_equal(room_list(room, "main"), "ann bob cid dan");
	room_set(room, "capacity=1");
	assert_string_equal(room_admit(room), "1 in 0 aside");
	assert_string_equal(room_look(room, "ann bob cid dan"), "l x a w");
	assert_string_equal(room_list(room, "main"), "dan");
	assert_int_equal(room_in_line(room, "main"), 1);
	room_free(room);
}

static void people_whom_the_store_has_forgotten_are_passed_over(void **state)
{
	(void)state;
	struct room *room = room_open(client, "capacity=0");
	room_join(room, "ann bob");
	room_release(room, "leave", "ann");
	redis_number(client, "DEL %sposition:ann", room->prefix);
	room_beat(room, "bob");
	room_set(room, "capacity=1");
	assert_string_equal(room_admit(room), "1 in 0 aside");
	assert_string_equal(room_look(room, "ann bob"), "- a");
	room_free(room);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_absent_are_set_aside_and_cost_no_slot),
		cmocka_unit_test(whoever_was_heard_just_in_time_is_not_absent),
		cmocka_unit_test(the_absent_go_to_the_front_when_they_return),
		cmocka_unit_test(all_who_came_back_go_before_the_line_also_past_absent_ones),
		cmocka_unit_test(ghosts_never_take_a_slot),
		cmocka_unit_test(a_call_full_of_absent_people_goes_on_in_the_next),
		cmocka_unit_test(people_who_have_left_or_expired_are_passed_over),
		cmocka_unit_test(people_whom_the_store_has_forgotten_are_passed_over),
	};
	return cmocka_run_group_tests(tests, shared_redis_open, shared_redis_close);
}
