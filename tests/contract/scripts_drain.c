/* A queue that drains: nobody joins, and the line goes in as fast as the capacity allows. */
#include "support/cmocka.h"
#include "support/room.h"
#include "support/shared_redis.h"

/* Somebody on the site, and a line behind them of which everybody is there. */
static struct room *line_of(const char *settings, const char *people)
{
	struct room *room = room_open(client, settings);
	room_join(room, people);
	room_beat(room, people);
	room_events(room);
	return room;
}

static void the_line_goes_in_whatever_the_rate(void **state)
{
	(void)state;
	struct room *room = line_of("state=hold rate_per_minute=0 burst=1", "ann bob cid dan");
	room_set(room, "state=closed");
	room_pass(room, 60000);
	room_beat(room, "ann bob cid dan");
	assert_string_equal(room_admit(room), "1 in 0 aside"); /* the burst */
	assert_string_equal(room_admit(room), "0 in 0 aside");
	room_events(room);
	room_set(room, "state=draining");
	assert_string_equal(room_admit(room), "3 in 0 aside");
	assert_string_equal(room_events(room), "queue-updated, admitted bob operator, "
										   "admitted cid operator, admitted dan operator");
	assert_int_equal(room_in_line(room, "main"), 0);
	room_free(room);
}

static void the_capacity_holds_and_slots_that_become_free_are_given_at_once(void **state)
{
	(void)state;
	struct room *room = line_of("state=hold rate_per_minute=0 burst=1 capacity=2", "ann bob cid");
	room_set(room, "state=draining");
	assert_string_equal(room_admit(room), "2 in 0 aside");
	assert_string_equal(room_admit(room), "0 in 0 aside");
	room_poll(room, "ann");
	room_release(room, "release", "ann");
	assert_string_equal(room_admit(room), "1 in 0 aside");
	assert_int_equal(redis_number(client, "ZCARD %ssessions", room->prefix), 2);
	assert_int_equal(redis_number(client, "HEXISTS %scounts violated:capacity", room->prefix), 0);
	room_free(room);
}

static void nobody_joins_and_who_is_known_keeps_the_place(void **state)
{
	(void)state;
	struct room *room = line_of("state=hold capacity=0", "ann");
	room_set(room, "state=draining");
	assert_string_equal(room_join(room, "bob ann"), "closed:-:0:0 same:w:1:0");
	room_free(room);
}

static void what_was_let_in_is_not_owed_when_the_queue_opens_again(void **state)
{
	(void)state;
	struct room *room = line_of("state=hold rate_per_minute=60 burst=2", "ann bob cid dan");
	room_set(room, "state=draining");
	assert_string_equal(room_admit(room), "4 in 0 aside");
	room_set(room, "state=open");
	assert_string_equal(room_join(room, "eve fay gus"), "new:a:5:0 new:a:6:0 new:w:7:1");
	room_free(room);
}

static void draining_does_not_wait_for_the_opening_time_but_for_a_rebuilt_line(void **state)
{
	(void)state;
	struct room *room = line_of("state=hold opens_at_ms=4000000000000", "ann bob");
	room_set(room, "state=draining");
	redis_number(client, "HSET %scounts rebuild 1", room->prefix);
	assert_string_equal(room_admit(room), "0 in 0 aside");
	redis_number(client, "HDEL %scounts rebuild", room->prefix);
	assert_string_equal(room_admit(room), "2 in 0 aside");
	room_free(room);
}

static void the_absent_are_set_aside_and_go_in_when_they_come_back(void **state)
{
	(void)state;
	struct room *room = line_of("state=hold rate_per_minute=0", "ann bob");
	room_pass(room, 100000);
	room_beat(room, "bob");
	room_set(room, "state=draining");
	assert_string_equal(room_admit(room), "1 in 1 aside");
	assert_string_equal(room_poll(room, "ann"), "w^");
	assert_string_equal(room_admit(room), "1 in 0 aside");
	room_free(room);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_line_goes_in_whatever_the_rate),
		cmocka_unit_test(the_capacity_holds_and_slots_that_become_free_are_given_at_once),
		cmocka_unit_test(nobody_joins_and_who_is_known_keeps_the_place),
		cmocka_unit_test(what_was_let_in_is_not_owed_when_the_queue_opens_again),
		cmocka_unit_test(draining_does_not_wait_for_the_opening_time_but_for_a_rebuilt_line),
		cmocka_unit_test(the_absent_are_set_aside_and_go_in_when_they_come_back),
	};
	return cmocka_run_group_tests(tests, shared_redis_open, shared_redis_close);
}
