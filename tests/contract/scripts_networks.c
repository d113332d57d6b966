/* How many may join from one network and from one address in a minute. */
#include "support/cmocka.h"
#include "support/room.h"
#include "support/shared_redis.h"

static void a_network_joins_no_more_than_its_limit_in_any_minute(void **state)
{
	(void)state;
	struct room *room = room_open(client, "capacity=0 joins_per_network_per_minute=3");
	assert_string_equal(room_join(room, "a1%n b1%m a2%n a3%n a4%n x1"),
						"new:w:1:1 new:w:2:2 new:w:3:3 new:w:4:4 rate:-:0:0 new:w:5:5");
	assert_string_equal(room_join(room, "a1%n"), "same:w:1:0");
	/* 1700000000000 is 20 s into its minute; 40 s into the next one a third of it still counts. */
	room_pass(room, 39999);
	assert_string_equal(room_join(room, "a5%n"), "rate:-:0:0");
	room_pass(room, 40001);
	assert_string_equal(room_join(room, "a5%n a6%n a7%n"), "new:w:6:6 new:w:7:7 rate:-:0:0");
	room_pass(room, 120000);
	assert_string_equal(room_join(room, "a7%n a8%n a9%n"), "new:w:8:8 new:w:9:9 new:w:10:10");
	room_free(room);
}

static void an_address_joins_no_more_than_its_limit(void **state)
{
	(void)state;
	struct room *room = room_open(client, "capacity=0 joins_per_address_per_minute=2");
	assert_string_equal(room_join(room, "a1%n/x a2%n/x a3%n/x a4%n/y a5%n"),
						"new:w:1:1 new:w:2:2 rate:-:0:0 new:w:3:3 new:w:4:4");
	assert_string_equal(room_join(room, "a6%n/x a6%n/y a7%n/y"), "rate:-:0:0 new:w:5:5 rate:-:0:0");
	room_pass(room, 120000);
	assert_string_equal(room_join(room, "a7%n/x"), "new:w:6:6");
	room_free(room);
}

static void whoever_is_over_one_limit_does_not_use_up_the_other(void **state)
{
	(void)state;
	struct room *room = room_open(
		client, "capacity=0 joins_per_address_per_minute=2 joins_per_network_per_minute=4");
	/* Ten tries of one address leave half of the network's share to its neighbours. */
	for (int i = 0; i < 5; i++)
		room_join(room, room_crowd(room, "a", 2 * i, 2, "%n/x"));
	assert_string_equal(room_join(room, "b1%n/y b2%n/z b3%n/v"), "new:w:3:3 new:w:4:4 rate:-:0:0");
	/* And the network's limit does not count against an address that may move on. */
	assert_string_equal(room_join(room, "b3%m/v b4%m/v"), "new:w:5:5 new:w:6:6");
	room_free(room);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_network_joins_no_more_than_its_limit_in_any_minute),
		cmocka_unit_test(an_address_joins_no_more_than_its_limit),
		cmocka_unit_test(whoever_is_over_one_limit_does_not_use_up_the_other),
	};
	return cmocka_run_group_tests(tests, shared_redis_open, shared_redis_close);
}
