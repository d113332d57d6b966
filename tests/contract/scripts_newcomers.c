/* admit: who has joined a moment ago and could not send a first heartbeat yet is not absent, for
 * otherwise a rush would begin with everybody set aside; but nor do newcomers hold the line up.
 */
#include "support/cmocka.h"
#include "support/room.h"
#include "support/shared_redis.h"

#define NEWCOMER_MS 3000

/* Patience has begun long ago, and nobody can be let in. */
static struct room *old_room(const char *settings)
{
	struct room *room = room_open(client, settings);
	assert_string_equal(room_admit(room), "0 in 0 aside");
	room_pass(room, 60000);
	return room;
}

static void nobody_goes_past_a_newcomer(void **state)
{
	(void)state;
	struct room *room = old_room("capacity=0");
	room_join(room, "ann bob cid");
	room_beat(room, "bob");
	room_set(room, "capacity=5");
	room_pass(room, NEWCOMER_MS - 1);
	assert_string_equal(room_admit(room), "0 in 0 aside");
	room_beat(room, "ann");
	assert_string_equal(room_admit(room), "2 in 0 aside");
	assert_string_equal(room_look(room, "ann bob cid"), "a a w");
	room_free(room);
}

static void a_newcomer_who_stays_silent_is_set_aside(void **state)
{
	(void)state;
	struct room *room = old_room("capacity=0");
	room_join(room, "ann bob");
	room_beat(room, "bob");
	room_set(room, "capacity=5");
	room_pass(room, NEWCOMER_MS);
	assert_string_equal(room_admit(room), "1 in 1 aside");
	assert_string_equal(room_look(room, "ann bob"), "w^ a");
	room_free(room);
}

static void a_newcomer_holds_up_only_the_lane(void **state)
{
	(void)state;
	struct room *room = old_room("capacity=0 lanes=main:1:open,vip:1:open");
	room_join(room, "ann bob@vip cid@vip");
	room_beat(room, "bob cid");
	room_set(room, "capacity=5");
	assert_string_equal(room_admit(room), "2 in 0 aside");
	assert_string_equal(room_look(room, "ann bob cid"), "w a a");
	room_free(room);
}

static void who_joined_before_an_outage_is_a_newcomer_after_it(void **state)
{
	(void)state;
	struct room *room = old_room("capacity=0");
	room_join(room, "ann bob");
	room_set(room, "capacity=5");
	room_pass_unheard(room, 20000);
	assert_string_equal(room_admit(room), "0 in 0 aside");
	room_pass(room, NEWCOMER_MS);
	assert_string_equal(room_admit(room), "0 in 2 aside");
	room_free(room);
}

static void a_clock_that_steps_back_makes_nobody_a_newcomer(void **state)
{
	(void)state;
	struct room *room = old_room("capacity=0");
	room_join(room, "ann");
	room_join(room, "bob");
	room_beat(room, "bob");
	room_set(room, "capacity=5");
	room_pass(room, -3000);
	assert_string_equal(room_admit(room), "1 in 1 aside");
	room_free(room);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nobody_goes_past_a_newcomer),
		cmocka_unit_test(a_newcomer_who_stays_silent_is_set_aside),
		cmocka_unit_test(a_newcomer_holds_up_only_the_lane),
		cmocka_unit_test(who_joined_before_an_outage_is_a_newcomer_after_it),
		cmocka_unit_test(a_clock_that_steps_back_makes_nobody_a_newcomer),
	};
	return cmocka_run_group_tests(tests, shared_redis_open, shared_redis_close);
}
