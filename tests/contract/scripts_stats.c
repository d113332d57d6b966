/* The figures by the minute: what the steps count, and what stats says of them. */
#include "support/cmocka.h"
#include "support/room.h"
#include "support/shared_redis.h"

#include <stdio.h>
#include <string.h>

/* A figure 'back' minutes ago; 0 when it was not noted. */
static int64_t figure(struct room *room, int back, const char *name)
{
	char minute[32];
	snprintf(minute, sizeof(minute), "stats:%lld", (long long)(room->now_ms / 60000 - back));
	if (redis_number(client, "HEXISTS %s%s %s", room->prefix, minute, name) == 0)
		return 0;
	return redis_number(client, "HGET %s%s %s", room->prefix, minute, name);
}

static void note(struct room *room, const char *how, const char *name, const char *n)
{
	const char *argv[] = {how, name, n};
	assert_non_null(strstr(room_call(room, "stats_note", name ? 3 : 1, argv), "ok "));
}

static void each_step_counts_what_it_moves(void **state)
{
	(void)state;
	struct room *room = room_open(client, "capacity=3");
	room_join(room, "ann bob cid dan eve fay gus");
	assert_int_equal(figure(room, 0, "joined"), 7);
	assert_int_equal(figure(room, 0, "admitted"), 3);
	room_release(room, "leave", "gus");
	room_release(room, "leave", "gus");
	assert_int_equal(figure(room, 0, "left"), 1);
	room_release(room, "revoke", "ann");
	room_release(room, "leave", "bob");
	assert_int_equal(figure(room, 0, "missed"), 2);
	room_beat(room, "dan");
	room_admit(room);
	assert_int_equal(figure(room, 0, "admitted"), 4);
	room_pass(room, 60000);
	assert_non_null(strstr(room_reap(room), "2 expired")); /* eve and fay, never heard */
	assert_int_equal(figure(room, 0, "expired"), 2);
	assert_int_equal(figure(room, 0, "joined"), 0);
	assert_int_equal(figure(room, 1, "joined"), 7);
	room_pass(room, 600000);
	assert_non_null(strstr(room_reap(room), "2 missed"));
	assert_int_equal(figure(room, 0, "missed"), 2);
	room_free(room);
}

static void a_repeated_or_refused_join_is_not_counted(void **state)
{
	(void)state;
	struct room *room = room_open(client, "capacity=0 max_waiting=1");
	room_join(room, "ann ann bob");
	room_join(room, "ann");
	assert_int_equal(figure(room, 0, "joined"), 1);
	room_free(room);
}

static void a_minute_is_forgotten_after_two_hours_and_with_its_queue(void **state)
{
	(void)state;
	struct room *room = room_open(client, "capacity=0");
	char minute[32];
	snprintf(minute, sizeof(minute), "stats:%lld", (long long)(room->now_ms / 60000));
	room_join(room, "ann");
	assert_in_range(redis_number(client, "PTTL %s%s", room->prefix, minute), 7190000, 7200000);
	room_pass(room, 60000);
	while (strcmp(room_delete(room), "more") == 0)
		continue;
	assert_int_equal(redis_number(client, "EXISTS %s%s", room->prefix, minute), 0);
	room_free(room);
}

static void a_sample_says_how_many_there_are(void **state)
{
	(void)state;
	struct room *room = room_open(client, "capacity=1 lanes=main:1:open,vip:1:open");
	room_join(room, "ann bob cid@vip");
	note(room, "sample", NULL, NULL);
	assert_int_equal(figure(room, 0, "waiting"), 2);
	assert_int_equal(figure(room, 0, "active"), 1);
	room_release(room, "leave", "bob");
	note(room, "sample", NULL, NULL);
	assert_int_equal(figure(room, 0, "waiting"), 1);
	room_free(room);
}

static void what_pods_note_adds_up(void **state)
{
	(void)state;
	struct room *room = room_open(client, "");
	note(room, "", "eta_within", "3");
	note(room, "", "eta_within", "4");
	assert_int_equal(figure(room, 0, "eta_within"), 7);
	room_free(room);
}

static void the_last_minutes_are_told_in_order(void **state)
{
	(void)state;
	struct room *room = room_open(client, "capacity=0");
	room_join(room, "ann bob");
	room_pass(room, 120000);
	room_join(room, "cid");
	static const char *const argv[] = {"3"};
	char expected[64];
	snprintf(expected, sizeof(expected), "ok %lld [joined 2] [] [joined 1]",
			 (long long)room->now_ms);
	assert_string_equal(room_call(room, "stats", 1, argv), expected);
	room_free(room);
	struct room *nobody = room_of_nobody(client);
	assert_string_equal(room_call(nobody, "stats", 1, argv), "noqueue");
	assert_string_equal(room_call(nobody, "stats_note", 1, argv), "noqueue");
	room_free(nobody);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_step_counts_what_it_moves),
		cmocka_unit_test(a_repeated_or_refused_join_is_not_counted),
		cmocka_unit_test(a_minute_is_forgotten_after_two_hours_and_with_its_queue),
		cmocka_unit_test(a_sample_says_how_many_there_are),
		cmocka_unit_test(what_pods_note_adds_up),
		cmocka_unit_test(the_last_minutes_are_told_in_order),
	};
	return cmocka_run_group_tests(tests, shared_redis_open, shared_redis_close);
}
