/* visit: where somebody stands whom no pod's picture has yet, counted from the store's own bitmap
 * and counters.
 */
#include "support/cmocka.h"
#include "support/room.h"
#include "support/shared_redis.h"

static int64_t position(struct room *room, const char *person)
{
	const char *argv[] = {"look", person};
	redisReply *reply = redis_script(client, "visit", room->settings_key, room->now_ms, 2, argv);
	int64_t told = reply->element[2 + 5]->integer;
	freeReplyObject(reply);
	return told;
}

static void a_look_tells_where_somebody_stands_as_the_store_counts(void **state)
{
	(void)state;
	struct room *room = room_open(client, "capacity=0");
	room_join(room, "ann bob cid dan eve");
	assert_int_equal(position(room, "ann"), 1);
	assert_int_equal(position(room, "dan"), 4);
	room_release(room, "leave", "bob eve");
	assert_int_equal(position(room, "ann"), 1);
	assert_int_equal(position(room, "cid"), 2);
	assert_int_equal(position(room, "dan"), 3);
	assert_int_equal(position(room, "eve"), 0); /* waits no more */
	room_free(room);
}

/* With tickets over the end of a chunk of the bitmap, and too far behind it to be counted. */
static void a_look_counts_at_most_two_chunks(void **state)
{
	(void)state;
	struct room *room = room_open(client, "capacity=0");
	room_join(room, "ann");
	freeReplyObject(redis_run(client, "SET %sticket:main 131071", room->prefix));
	room_join(room, "bob cid dan");
	room_release(room, "leave", "ann bob cid");
	assert_int_equal(position(room, "dan"), 131071);
	freeReplyObject(redis_run(client, "SET %sticket:main 300000", room->prefix));
	assert_int_equal(position(room, "dan"), 131071);
	freeReplyObject(redis_run(client, "SET %sticket:main 400000", room->prefix));
	assert_int_equal(position(room, "dan"), 0);
	room_free(room);
}

static void who_stands_before_the_line_is_first(void **state)
{
	(void)state;
	struct room *room = room_open(client, "capacity=1");
	room_join(room, "ann bob cid");
	room_release(room, "leave", "ann");
	room_pass(room, 3000);
	room_beat(room, "cid");
	room_admit(room);
	assert_string_equal(room_set_of(room, "absent"), "bob");
	assert_int_equal(position(room, "bob"), 1);
	assert_int_equal(position(room, "cid"), 0); /* let in */
	room_free(room);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_look_tells_where_somebody_stands_as_the_store_counts),
		cmocka_unit_test(a_look_counts_at_most_two_chunks),
		cmocka_unit_test(who_stands_before_the_line_is_first),
	};
	return cmocka_run_group_tests(tests, shared_redis_open, shared_redis_close);
}
