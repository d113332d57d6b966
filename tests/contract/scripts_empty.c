/* queue_empty: everybody in line goes, and nobody else. */
#include "support/cmocka.h"
#include "support/room.h"
#include "support/shared_redis.h"

#include <stdio.h>
#include <string.h>

static const char *empty(struct room *room, int limit, const char *how_far)
{
	char limit_text[16];
	snprintf(limit_text, sizeof(limit_text), "%d", limit);
	const char *argv[] = {limit_text, room->epoch, how_far};
	return room_call(room, "queue_empty", 3, argv);
}

static void everybody_who_waits_is_told_so_and_the_others_stay(void **state)
{
	(void)state;
	struct room *room = room_open(client, "capacity=2 lanes=main:1:open,vip:2:signed");
	room_join(room, "ann bob"); /* walk in */
	room_join(room, "cid dan@vip eve");
	room_release(room, "leave", "eve");
	room_poll(room, "ann");
	room_beat(room, "cid dan");
	room_events(room);
	assert_string_equal(empty(room, 500, ""), "done 2 main:4,vip:1");
	assert_string_equal(room_events(room), "expired cid emptied, expired dan emptied");
	assert_string_equal(room_look(room, "ann bob cid dan eve"), "c a x x l");
	assert_string_equal(strchr(room_field(room, "cid", "x"), ' '), " emptied");
	assert_string_equal(strchr(room_field(room, "eve", "x"), ' '), " left");
	assert_in_range(redis_number(client, "PTTL %sposition:cid", room->prefix), 3590000, 3600000);
	assert_int_equal(room_in_line(room, "main"), 0);
	assert_int_equal(room_in_line(room, "vip"), 0);
	assert_string_equal(room_set_of(room, "heartbeats"), "");
	assert_string_equal(room_list(room, "main"), "");
	assert_non_null(strstr(room_departures(room), "main:3-3"));
	assert_string_equal(empty(room, 500, ""), "done 0 main:4,vip:1");
	assert_string_equal(room_events(room), "");
	room_free(room);
}

static void those_set_aside_and_back_go_too(void **state)
{
	(void)state;
	struct room *room = room_open(client, "capacity=100 state=hold");
	room_join(room, "ann bob cid");
	room_beat(room, "ann bob cid");
	room_pass(room, 100000);
	room_beat(room, "cid");
	room_set(room, "state=open capacity=1");
	assert_string_equal(room_admit(room), "1 in 2 aside");
	assert_string_equal(room_poll(room, "bob"), "w^");
	assert_string_equal(empty(room, 500, ""), "done 2 main:3");
	assert_string_equal(room_look(room, "ann bob cid"), "x^ x^ a");
	assert_string_equal(room_set_of(room, "absent"), "");
	assert_string_equal(room_set_of(room, "returned"), "");
	assert_int_equal(room_in_line(room, "main"), 0);
	room_free(room);
}

static void it_goes_in_steps_and_who_joins_meanwhile_stays(void **state)
{
	(void)state;
	struct room *room = room_open(client, "capacity=0");
	room_join(room, "ann bob cid dan eve");
	room_beat(room, "ann bob cid dan eve");
	assert_string_equal(empty(room, 2, ""), "more 2 main:5");
	room_join(room, "fay");
	assert_string_equal(empty(room, 2, "main:5"), "more 2 main:5");
	assert_string_equal(empty(room, 2, "main:5"), "done 1 main:5");
	assert_string_equal(room_look(room, "ann bob cid dan eve fay"), "x x x x x w");
	assert_string_equal(room_list(room, "main"), "fay");
	assert_int_equal(room_in_line(room, "main"), 1);
	room_free(room);
}

static void those_put_back_after_a_loss_go_too(void **state)
{
	(void)state;
	struct room *room = room_open(client, "capacity=0");
	room_join(room, "ann bob");
	room_restore(room, room->epoch, "cid@main:3");
	assert_string_equal(empty(room, 500, ""), "done 3 main:3");
	assert_string_equal(room_look(room, "ann bob cid"), "x x x");
	assert_string_equal(room_set_of(room, "restored:main"), "");
	room_free(room);
}

static void another_life_of_the_queue_or_one_that_is_rebuilt_is_left_alone(void **state)
{
	(void)state;
	struct room *room = room_open(client, "capacity=0");
	room_join(room, "ann");
	static const char *const argv[] = {"500", "another", ""};
	assert_string_equal(room_call(room, "queue_empty", 3, argv), "conflict");
	redis_number(client, "HSET %scounts rebuild 1", room->prefix);
	assert_string_equal(empty(room, 500, ""), "recovering");
	assert_string_equal(room_look(room, "ann"), "w");
	room_free(room);
	struct room *nobody = room_of_nobody(client);
	assert_string_equal(room_call(nobody, "queue_empty", 3, argv), "noqueue");
	room_free(nobody);
}

static void who_was_emptied_may_join_again_at_the_end(void **state)
{
	(void)state;
	struct room *room = room_open(client, "capacity=0");
	room_join(room, "ann bob");
	empty(room, 500, "");
	assert_string_equal(room_beat(room, "ann"), "ann");
	assert_string_equal(room_join(room, "cid"), "new:w:3:1");
	room_beat(room, "cid");
	room_set(room, "capacity=5");
	assert_string_equal(room_admit(room), "1 in 0 aside");
	assert_string_equal(room_look(room, "ann bob cid"), "x x a");
	room_free(room);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(everybody_who_waits_is_told_so_and_the_others_stay),
		cmocka_unit_test(those_set_aside_and_back_go_too),
		cmocka_unit_test(it_goes_in_steps_and_who_joins_meanwhile_stays),
		cmocka_unit_test(those_put_back_after_a_loss_go_too),
		cmocka_unit_test(another_life_of_the_queue_or_one_that_is_rebuilt_is_left_alone),
		cmocka_unit_test(who_was_emptied_may_join_again_at_the_end),
	};
	return cmocka_run_group_tests(tests, shared_redis_open, shared_redis_close);
}
