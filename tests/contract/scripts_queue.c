/* queue_put, queue_delete and sync: the life of a queue, and what pods hear of it. */
#include "support/cmocka.h"
#include "support/room.h"
#include "support/shared_redis.h"

#include <stdio.h>
#include <string.h>

/* ---- making and changing ---- */

static void a_queue_is_made_once(void **state)
{
	(void)state;
	struct room *room = room_of_nobody(client);
	const char *made = room_put(room, "put", "0", "state=open lanes=main:1:open", "");
	char expected[64];
	snprintf(expected, sizeof(expected), "created 1 %s", room->epoch);
	assert_string_equal(made, expected);
	assert_string_equal(room_put(room, "put", "0", "state=open", ""), "conflict 1");
	snprintf(expected, sizeof(expected), "same 1 %s", room->epoch);
	assert_string_equal(room_put(room, "put", "", "state=open lanes=main:1:open", ""), expected);
	assert_string_equal(room_events(room), "queue-created");
	room_free(room);
}

static void a_change_raises_the_version_and_keeps_the_epoch(void **state)
{
	(void)state;
	struct room *room = room_open(client, "");
	char expected[64];
	snprintf(expected, sizeof(expected), "changed 2 %s", room->epoch);
	assert_string_equal(room_put(room, "put", "1", "capacity=7", ""), expected);
	assert_string_equal(room_put(room, "put", "1", "capacity=8", ""), "conflict 2");
	assert_int_equal(redis_number(client, "HGET %s capacity", room->settings_key), 7);
	assert_string_equal(room_events(room), "queue-updated");
	room_free(room);
}

static void a_patch_changes_only_what_it_names(void **state)
{
	(void)state;
	struct room *room = room_open(client, "capacity=5");
	room_set(room, "message=soon");
	assert_int_equal(redis_number(client, "HGET %s capacity", room->settings_key), 5);
	room_free(room);
	struct room *nobody = room_of_nobody(client);
	assert_string_equal(room_put(nobody, "patch", "", "message=soon", ""), "noqueue");
	assert_string_equal(room_events(nobody), "");
	room_free(nobody);
}

static void a_lane_goes_only_when_nobody_stands_in_it(void **state)
{
	(void)state;
	struct room *room = room_open(client, "capacity=0 lanes=main:1:open,vip:2:signed");
	room_join(room, "ann bob@vip");
	assert_string_equal(room_put(room, "put", "", "lanes=main:1:open", ""), "lane 1");
	assert_string_equal(room_put(room, "patch", "1", "lanes=vip:1:open", ""), "lane 1");
	room_set(room, "lanes=main:1:open,vip:7:open,new:1:open");
	room_release(room, "leave", "bob");
	room_set(room, "lanes=main:1:open");
	assert_string_equal(room_look(room, "ann"), "w");
	room_free(room);
}

static void pausing_and_resuming_are_told_as_such(void **state)
{
	(void)state;
	struct room *room = room_open(client, "");
	room_set(room, "state=paused message=soon");
	room_set(room, "message=later");
	room_set(room, "state=open");
	room_set(room, "state=closed");
	assert_string_equal(room_events(room), "queue-paused, queue-updated, queue-resumed, "
										   "queue-updated");
	room_free(room);
}

/* ---- deleting ---- */

static void deleting_goes_in_steps_and_tells_everybodys_end(void **state)
{
	(void)state;
	struct room *room = room_open(client, "capacity=2");
	room_join(room, "ann bob cid dan eve fay");
	room_poll(room, "ann");
	room_beat(room, "cid");
	room_release(room, "leave", "fay");
	room_events(room);
	room->limit = 2;
	assert_string_equal(room_delete(room), "more");
	assert_string_equal(room_events(room), "queue-deleted");
	assert_string_equal(room_join(room, "gus"), "noqueue");
	assert_string_equal(room_admit(room), "noqueue");
	assert_string_equal(room_poll(room, "ann"), "noqueue");
	assert_string_equal(room_delete(room), "more");
	assert_string_equal(room_delete(room), "more");
	assert_string_equal(room_delete(room), "more");
	assert_string_equal(room_delete(room), "done");
	assert_string_equal(room_history(room, "ann"), "enqueued admitted claimed session-revoked");
	assert_string_equal(room_history(room, "bob"), "enqueued admitted missed");
	assert_string_equal(room_history(room, "cid"), "enqueued expired");
	assert_string_equal(room_history(room, "fay"), "enqueued left");
	assert_string_equal(room_delete(room), "noqueue");
	/* What is left: the outbox, the tombstone, the counts, and fay, who is forgotten in time. */
	redisReply *keys = redis_run(client, "KEYS wr:{tests/%s*", strchr(room->prefix, '/') + 1);
	for (size_t i = 0; i < keys->elements; i++) {
		const char *key = keys->element[i]->str + strlen(room->prefix);
		if (strcmp(key, "outbox") && strcmp(key, "epoch") && strcmp(key, "counts") &&
			strcmp(key, "lease:admit") && strcmp(key, "position:fay"))
			fail_msg("%s is left", key);
	}
	freeReplyObject(keys);
	room_free(room);
}

static void a_queue_of_another_version_than_expected_is_not_deleted(void **state)
{
	(void)state;
	struct room *room = room_open(client, "capacity=0");
	room_join(room, "ann");
	room_set(room, "capacity=1");
	room_events(room);
	const char *late[] = {"500", "{}", "1", "{}", "100", "3600"};
	const char *good[] = {"500", "{}", "2", "{}", "100", "3600"};
	assert_string_equal(room_call(room, "queue_delete", 6, late), "conflict");
	assert_string_equal(room_events(room), "");
	assert_string_equal(room_look(room, "ann"), "w");
	assert_int_equal(redis_number(client, "EXISTS %saudit", room->prefix), 0);
	assert_string_equal(room_call(room, "queue_delete", 6, good), "more");
	/* The version is gone with the settings: what is left is cleared for whoever comes. */
	assert_string_equal(room_call(room, "queue_delete", 6, late), "more");
	room_free(room);
}

static void a_deleted_queue_leaves_a_tombstone(void **state)
{
	(void)state;
	struct room *room = room_open(client, "");
	static const char *const argv[] = {"0", "0", "100"};
	char expected[64];
	room_delete(room);
	snprintf(expected, sizeof(expected), "noqueue deleted:%s", room->epoch);
	assert_string_equal(room_call(room, "sync", 3, argv), expected);
	assert_string_equal(room_delete(room), "done");
	assert_string_equal(room_call(room, "sync", 3, argv), expected);
	assert_non_null(strstr(room_put(room, "revive", "", "state=open", "gone main 5"), "same 0"));
	room_free(room);
}

static void a_name_is_free_only_when_its_former_queue_is_cleared(void **state)
{
	(void)state;
	struct room *room = room_open(client, "capacity=1");
	room_join(room, "ann bob");
	char former[sizeof(room->epoch)];
	memcpy(former, room->epoch, sizeof(former));
	assert_string_equal(room_delete(room), "more");
	assert_string_equal(room_put(room, "put", "", "state=open lanes=main:1:open", ""), "busy");
	assert_string_equal(room_delete(room), "more");
	assert_string_equal(room_delete(room), "more");
	assert_string_equal(room_put(room, "put", "", "state=open lanes=main:1:open", ""), "busy");
	assert_string_equal(room_delete(room), "done");
	const char *made = room_put(room, "put", "0", "state=open lanes=main:1:open max_waiting=9", "");
	assert_non_null(strstr(made, "created 2 "));
	assert_string_not_equal(room->epoch, former);
	assert_string_equal(room_join(room, "ann"), "new:w:1:1");
	assert_string_equal(room_delete(room), "more");
	room_free(room);
}

static void a_deleted_queue_is_forgotten_when_nothing_of_it_is_left_to_do(void **state)
{
	(void)state;
	struct room *room = room_open(client, "capacity=0");
	assert_string_equal(room_call(room, "queue_forget", 0, NULL), "0");
	room_join(room, "ann");
	assert_string_equal(room_delete(room), "more");
	assert_string_equal(room_call(room, "queue_forget", 0, NULL), "0");
	while (strcmp(room_delete(room), "more") == 0)
		continue;
	assert_string_equal(room_call(room, "queue_forget", 0, NULL), "0");
	redis_number(client, "XTRIM %soutbox MAXLEN 0", room->prefix); /* the relay has been there */
	assert_string_equal(room_call(room, "queue_forget", 0, NULL), "1");
	room_put(room, "put", "", "state=open lanes=main:1:open", "");
	assert_string_equal(room_call(room, "queue_forget", 0, NULL), "0");
	room_free(room);
	struct room *nobody = room_of_nobody(client);
	assert_string_equal(room_call(nobody, "queue_forget", 0, NULL), "0");
	room_free(nobody);
}

static void deleting_what_never_was_is_said_to_be_so(void **state)
{
	(void)state;
	struct room *room = room_of_nobody(client);
	assert_string_equal(room_delete(room), "noqueue");
	assert_string_equal(room_events(room), "");
	room_free(room);
}

/* ---- sync ---- */

static const char *sync_of(struct room *room, const char *after, const char *version)
{
	const char *argv[] = {after, version, "100"};
	return room_call(room, "sync", 3, argv);
}

static void a_pod_hears_everything_at_first_and_then_what_changed(void **state)
{
	(void)state;
	struct room *room = room_open(client, "capacity=1 lanes=main:1:open,vip:2:signed");
	room_join(room, "ann bob cid@vip");
	room_release(room, "leave", "bob");
	char expected[256];
	snprintf(expected, sizeof(expected),
			 "ok 1700000000000 %s  0 1 1 0 0 4 [main 2 2 1 vip 1 0 0] [", room->epoch);
	const char *first = sync_of(room, "0", "0");
	assert_memory_equal(first, expected, strlen(expected));
	assert_non_null(strstr(first, "capacity 1"));
	assert_non_null(strstr(first, " main:1-1 "));
	const char *last =
		strstr(first, " main:2-2]"); /* "… <id> main:2-2]": the id before the range */
	while (last[-1] != ' ')
		last--;
	char after[48];
	snprintf(after, sizeof(after), "%.*s", (int)strcspn(last, " "), last);
	const char *second = sync_of(room, after, "1");
	assert_non_null(strstr(second, "] [] [] [] [0 0 0] 1700000000000"));
	room_release(room, "leave", "cid");
	room_set(room, "capacity=3");
	const char *third = sync_of(room, after, "1");
	assert_non_null(strstr(third, " 0 2 1 "));
	assert_non_null(strstr(third, "capacity 3"));
	assert_non_null(strstr(third, " vip:1-1] [] [0 0 0] 0"));
	room_free(room);
}

static void a_pod_hears_since_when_the_head_of_the_line_waits(void **state)
{
	(void)state;
	struct room *room = room_open(client, "capacity=0 lanes=main:1:open,vip:2:signed");
	room_join(room, "ann");
	room_pass(room, 1000);
	room_join(room, "bob cid@vip");
	assert_non_null(strstr(sync_of(room, "0", "1"), " [0 0 0] 1700000000000"));
	room_release(room, "leave", "ann"); /* and stays in the list until admission comes by */
	assert_non_null(strstr(sync_of(room, "0", "1"), " [0 0 0] 1700000001000"));
	room_release(room, "leave", "bob cid");
	assert_non_null(strstr(sync_of(room, "0", "1"), " [0 0 0] 0"));
	room_free(room);
}

static void a_pod_is_given_departures_in_portions(void **state)
{
	(void)state;
	struct room *room = room_open(client, "capacity=0");
	room_join(room, "a b c d e");
	room_release(room, "leave", "a");
	room_release(room, "leave", "c d");
	room_release(room, "leave", "e");
	static const char *const two[] = {"0", "1", "2"};
	const char *text = room_call(room, "sync", 3, two);
	assert_non_null(strstr(text, " main:1-1 "));
	assert_non_null(strstr(text, " main:3-4] []"));
	assert_null(strstr(text, "main:5-5"));
	room_free(room);
}

static void departures_are_forgotten_after_a_minute(void **state)
{
	(void)state;
	struct room *room = room_open(client, "capacity=0");
	/* By the real clock, like the ids of the stream. Redis drops whole nodes of 100 entries. */
	room->now_ms = 0;
	freeReplyObject(redis_run(
		client, "EVAL %s 1 %sdepartures",
		"for i = 1, 250 do redis.call('XADD', KEYS[1], '1600000000000-*', 'd', 'main:9-9') end",
		room->prefix));
	freeReplyObject(redis_run(client, "SET %sticket:main 5", room->prefix));
	freeReplyObject(redis_run(client, "HSET %sposition:ann s w l main t 3", room->prefix));
	static const char *const argv[] = {"leave", "ann"};
	freeReplyObject(redis_script(client, "release", room->settings_key, 0, 2, argv));
	assert_in_range(redis_number(client, "XLEN %sdepartures", room->prefix), 1, 100);
	assert_non_null(strstr(room_departures(room), "main:3-3"));
	room_free(room);
}

static void long_stretches_of_departures_are_marked_over_the_end_of_a_chunk(void **state)
{
	(void)state;
	struct room *room = room_open(client, "capacity=0");
	freeReplyObject(redis_run(client, "SET %sticket:main 131052", room->prefix));
	freeReplyObject(redis_run(client, "HSET %scounts gone:main 131052", room->prefix));
	char people[1024] = "";
	for (int i = 0; i < 40; i++)
		snprintf(people + strlen(people), sizeof(people) - strlen(people), "%sp%d", i ? " " : "",
				 i);
	assert_non_null(strstr(room_join(room, people), "new:w:131092:40"));
	room_release(room, "leave", people);
	assert_string_equal(room_departures(room), "main:131053-131072,main:131073-131092");
	assert_int_equal(redis_number(client, "BITCOUNT %sgone:main:0", room->prefix), 20);
	assert_int_equal(redis_number(client, "BITCOUNT %sgone:main:1", room->prefix), 20);
	assert_int_equal(redis_number(client, "HGET %scounts gone:main", room->prefix), 131092);
	room_free(room);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_queue_is_made_once),
		cmocka_unit_test(a_change_raises_the_version_and_keeps_the_epoch),
		cmocka_unit_test(a_patch_changes_only_what_it_names),
		cmocka_unit_test(a_lane_goes_only_when_nobody_stands_in_it),
		cmocka_unit_test(pausing_and_resuming_are_told_as_such),
		cmocka_unit_test(deleting_goes_in_steps_and_tells_everybodys_end),
		cmocka_unit_test(a_queue_of_another_version_than_expected_is_not_deleted),
		cmocka_unit_test(a_deleted_queue_leaves_a_tombstone),
		cmocka_unit_test(a_name_is_free_only_when_its_former_queue_is_cleared),
		cmocka_unit_test(a_deleted_queue_is_forgotten_when_nothing_of_it_is_left_to_do),
		cmocka_unit_test(deleting_what_never_was_is_said_to_be_so),
		cmocka_unit_test(a_pod_hears_everything_at_first_and_then_what_changed),
		cmocka_unit_test(a_pod_hears_since_when_the_head_of_the_line_waits),
		cmocka_unit_test(a_pod_is_given_departures_in_portions),
		cmocka_unit_test(departures_are_forgotten_after_a_minute),
		cmocka_unit_test(long_stretches_of_departures_are_marked_over_the_end_of_a_chunk),
	};
	return cmocka_run_group_tests(tests, shared_redis_open, shared_redis_close);
}
