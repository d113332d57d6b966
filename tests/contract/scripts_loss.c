/* A store that has lost its last moments, or everything: counters, restore, revive. */
#include "support/cmocka.h"
#include "support/room.h"
#include "support/shared_redis.h"
#include "waitingroom/memory.h"

#include <stdio.h>
#include <string.h>

/* A failover: the last joins are gone from the store, their visitors have tokens. */
static void forget(struct room *room, const char *person)
{
	redis_number(client, "DEL %sposition:%s", room->prefix, person);
	redis_number(client, "ZREM %sheartbeats %s", room->prefix, person);
	redis_number(client, "LREM %swaiting:main 1 %s", room->prefix, person);
	redis_number(client, "DECR %sticket:main", room->prefix);
}

static void see(struct room *room, const char *seen)
{
	snprintf(room->seen_epoch, sizeof(room->seen_epoch), "%s", room->epoch);
	snprintf(room->seen, sizeof(room->seen), "%s", seen);
}

/* ---- the last moments are lost ---- */

static void a_number_that_a_pod_has_seen_is_never_given_again(void **state)
{
	(void)state;
	struct room *room = room_open(client, "capacity=0");
	room_join(room, "ann bob");
	forget(room, "bob");
	see(room, "main 2");
	assert_string_equal(room_join(room, "cid"), "new:w:3:3");
	see(room, "main 1");
	assert_string_equal(room_join(room, "dan"), "new:w:4:4");
	room_free(room);
}

static void what_was_seen_in_another_life_counts_for_nothing(void **state)
{
	(void)state;
	struct room *room = room_open(client, "capacity=0");
	see(room, "main 1000");
	snprintf(room->seen_epoch, sizeof(room->seen_epoch), "other");
	assert_string_equal(room_join(room, "ann"), "new:w:1:1");
	room_free(room);
}

static void a_lost_place_comes_back_with_its_own_ticket_and_in_order(void **state)
{
	(void)state;
	struct room *room = room_open(client, "capacity=0");
	room_join(room, "ann bob cid");
	forget(room, "cid");
	forget(room, "bob");
	see(room, "main 3");
	assert_string_equal(room_join(room, "dan"), "new:w:4:4");
	assert_string_equal(room_beat(room, "ann bob cid dan"), "bob cid");
	room_events(room);
	assert_string_equal(room_restore(room, room->epoch, "cid:3"), "w");
	assert_string_equal(room_restore(room, room->epoch, "bob:2 bob:2 cid:3"), "w w w");
	assert_string_equal(room_events(room), "restored cid failover, restored bob failover");
	assert_string_equal(room_set_of(room, "restored:main"), "bob cid");
	assert_string_equal(room_field(room, "bob", "j"), "1699999990000");
	room_events(room);
	for (int capacity = 1; capacity <= 4; capacity++) {
		char text[32];
		snprintf(text, sizeof(text), "capacity=%d", capacity);
		room_set(room, text);
		assert_string_equal(room_admit(room), "1 in 0 aside");
	}
	assert_string_equal(room_events(room),
						"queue-updated, admitted ann line, queue-updated, admitted bob line, "
						"queue-updated, admitted cid line, queue-updated, admitted dan line");
	assert_int_equal(room_in_line(room, "main"), 0);
	assert_string_equal(room_set_of(room, "restored:main"), "");
	room_free(room);
}

static void one_call_merges_the_list_and_those_who_came_back(void **state)
{
	(void)state;
	struct room *room = room_open(client, "capacity=0");
	room_join(room, "a1 a2 a3 a4 a5 a6");
	room_beat(room, "a1 a2 a3 a4 a5 a6");
	static const char *const lost[] = {"a2", "a4", "a5"};
	for (int i = 0; i < 3; i++) {
		forget(room, lost[i]);
		redis_number(client, "INCR %sticket:main", room->prefix);
	}
	room_restore(room, room->epoch, "a5:5 a2:2 a4:4");
	room_set(room, "capacity=5");
	room_events(room);
	assert_string_equal(room_admit(room), "5 in 0 aside");
	assert_string_equal(room_events(room), "admitted a1 line, admitted a2 line, admitted a3 line, "
										   "admitted a4 line, admitted a5 line");
	assert_string_equal(room_list(room, "main"), "a6");
	room_free(room);
}

static void a_restored_place_that_is_next_stays_next(void **state)
{
	(void)state;
	struct room *room = room_open(client, "capacity=0 lanes=main:1:open,vip:5:open");
	room_join(room, "a1 v1@vip v2@vip");
	room_beat(room, "a1 v1 v2");
	forget(room, "a1");
	room_restore(room, room->epoch, "a1:1");
	room_set(room, "capacity=1");
	assert_string_equal(room_admit(room), "1 in 0 aside");
	assert_string_equal(room_set_of(room, "restored:main"), "a1");
	room_set(room, "capacity=3");
	assert_string_equal(room_admit(room), "2 in 0 aside");
	assert_string_equal(room_look(room, "a1 v1 v2"), "a a a");
	room_free(room);
}

static void restoring_what_is_there_changes_nothing(void **state)
{
	(void)state;
	struct room *room = room_open(client, "capacity=1");
	room_join(room, "ann bob cid");
	room_beat(room, "bob");
	room_release(room, "leave", "cid");
	room_events(room);
	assert_string_equal(room_restore(room, room->epoch, "ann:1 bob:2 cid:3"), "a w l");
	assert_string_equal(room_events(room), "");
	assert_string_equal(room_set_of(room, "restored:main"), "");
	room_free(room);
}

static void a_place_that_was_half_written_is_completed_by_its_visitor(void **state)
{
	(void)state;
	struct room *room = room_open(client, "capacity=0");
	room_join(room, "ann bob");
	room_beat(room, "ann");
	/* Bob's hash is there; his entries and the counter were lost. */
	redis_number(client, "ZREM %sheartbeats bob", room->prefix);
	redis_number(client, "LREM %swaiting:main 1 bob", room->prefix);
	redis_number(client, "DECR %sticket:main", room->prefix);
	assert_string_equal(room_beat(room, "bob"), "bob");
	assert_string_equal(room_restore(room, room->epoch, "bob:2"), "w");
	assert_int_equal(room_in_line(room, "main"), 2);
	room_set(room, "capacity=2");
	assert_string_equal(room_admit(room), "2 in 0 aside");
	assert_string_equal(room_history(room, "bob"), "enqueued admitted");
	room_free(room);
}

static void somebody_in_both_the_list_and_the_restored_is_let_in_once(void **state)
{
	(void)state;
	struct room *room = room_open(client, "capacity=0");
	room_join(room, "ann bob");
	room_beat(room, "bob");
	redis_number(client, "ZREM %sheartbeats ann", room->prefix);
	assert_string_equal(room_restore(room, room->epoch, "ann:1"), "w");
	room_set(room, "capacity=1");
	assert_string_equal(room_admit(room), "1 in 0 aside");
	room_set(room, "capacity=2");
	assert_string_equal(room_admit(room), "1 in 0 aside");
	room_join(room, "cid dan eve");
	room_beat(room, "cid eve");
	redis_number(client, "ZREM %sheartbeats dan", room->prefix);
	assert_string_equal(room_restore(room, room->epoch, "dan:4"), "w");
	room_set(room, "capacity=9");
	assert_string_equal(room_admit(room), "3 in 0 aside");
	assert_string_equal(room_history(room, "ann"), "enqueued admitted");
	assert_string_equal(room_history(room, "dan"), "enqueued admitted");
	assert_string_equal(room_set_of(room, "restored:main"), "");
	assert_int_equal(room_in_line(room, "main"), 0);
	room_free(room);
}

static void a_token_of_somebody_who_has_left_restores_nothing(void **state)
{
	(void)state;
	struct room *room = room_open(client, "capacity=0");
	room_join(room, "ann bob");
	room_release(room, "leave", "ann");
	redis_number(client, "DEL %sposition:ann", room->prefix); /* forgotten after ended_keep_ms */
	room_pass(room, 600000);
	assert_string_equal(room_restore(room, room->epoch, "ann:1"), "-");
	assert_string_equal(room_restore(room, "older", "eve:2"), "-");
	assert_string_equal(room_restore(room, room->epoch, "eve@gone:2"), "-");
	assert_string_equal(room_look(room, "ann eve"), "- -");
	room_free(room);
}

static void lost_tickets_that_nobody_reports_leave_the_line_after_the_window(void **state)
{
	(void)state;
	struct room *room = room_open(client, "capacity=0");
	room_join(room, "a1 a2 a3 a4 a5 a6");
	room_beat(room, "a1 a2 a3 a4 a5 a6");
	forget(room, "a6");
	forget(room, "a5");
	forget(room, "a4");
	forget(room, "a3");
	see(room, "main 6");
	assert_string_equal(room_join(room, "b7"), "new:w:7:7");
	room_beat(room, "b7");
	assert_string_equal(room_restore(room, room->epoch, "a4:4"), "w");
	room_pass(room, 89999);
	room_beat(room, "a1 a2 a4 b7");
	room_reap(room);
	assert_int_equal(room_in_line(room, "main"), 7);
	room_pass(room, 1);
	assert_string_equal(room_reap(room), "0 expired 0 missed 0 ended more");
	assert_int_equal(room_in_line(room, "main"), 4);
	assert_string_equal(room_departures(room), "main:3-3,main:5-6");
	assert_string_equal(room_reap(room), "0 expired 0 missed 0 ended");
	assert_string_equal(room_restore(room, room->epoch, "a5:5"), "-");
	room_set(room, "capacity=9");
	room_events(room);
	assert_string_equal(room_admit(room), "4 in 0 aside");
	assert_string_equal(room_events(room), "admitted a1 line, admitted a2 line, admitted a4 line, "
										   "admitted b7 line");
	assert_int_equal(room_in_line(room, "main"), 0);
	room_free(room);
}

static void tickets_given_out_between_two_reports_are_not_taken_for_lost(void **state)
{
	(void)state;
	struct room *room = room_open(client, "capacity=0");
	room_join(room, "a1 a2 a3 a4 a5");
	for (int i = 5; i > 1; i--) {
		char person[16];
		snprintf(person, sizeof(person), "a%d", i);
		forget(room, person);
	}
	assert_string_equal(room_restore(room, room->epoch, "a2:2 a3:3"), "w w");
	assert_string_equal(room_join(room, "b4"), "new:w:4:4"); /* its pod had not seen a4 */
	room_beat(room, "b4");
	assert_string_equal(room_restore(room, room->epoch, "a5:5"), "w");
	WR_AUTO(mem_free_at)
	char *lost = redis_text(client, "HGET %scounts lost:main", room->prefix);
	assert_string_equal(lost, "2-3,5-5");
	room_pass(room, 90000);
	assert_string_equal(room_reap(room), "1 expired 0 missed 0 ended more"); /* a1, a ghost */
	room_beat(room, "a2 a3 b4 a5");
	assert_string_equal(room_reap(room), "0 expired 0 missed 0 ended more");
	assert_string_equal(room_reap(room), "0 expired 0 missed 0 ended");
	assert_int_equal(room_in_line(room, "main"), 4);
	room_free(room);
}

static void a_long_gap_is_closed_a_stretch_a_call(void **state)
{
	(void)state;
	struct room *room = room_open(client, "capacity=0");
	see(room, "main 140000");
	assert_string_equal(room_join(room, "ann"), "new:w:140001:140001");
	room_beat(room, "ann");
	assert_string_equal(room_restore(room, room->epoch, "bob:131072 cid:131073"), "w w");
	room_pass(room, 90000);
	room_beat(room, "ann bob cid");
	int calls = 0;
	while (strstr(room_reap(room), "more"))
		assert_in_range(++calls, 1, 50);
	assert_in_range(calls, 30, 50);
	assert_int_equal(room_in_line(room, "main"), 3);
	assert_int_equal(redis_number(client, "GETBIT %sgone:main:0 131071", room->prefix), 0);
	assert_int_equal(redis_number(client, "GETBIT %sgone:main:1 0", room->prefix), 0);
	assert_int_equal(redis_number(client, "HEXISTS %scounts recover_until", room->prefix), 0);
	room_free(room);
}

/* A pod has told visitors numbers without them. */
static void tickets_that_a_pod_saw_leaving_are_counted_no_more(void **state)
{
	(void)state;
	struct room *room = room_open(client, "capacity=0");
	room_join(room, "ann bob cid dan eve");
	forget(room, "eve");
	forget(room, "dan");
	room_restore(room, room->epoch, "eve:5"); /* 4 and 5 are lost tickets */
	room_events(room);
	const char *const other[] = {"older", "main", "1", "3"};
	assert_memory_equal(room_call(room, "depart", 4, other), "ok", 2);
	assert_int_equal(room_in_line(room, "main"), 5);
	const char *const argv[] = {room->epoch, "main", "1", "2", "4", "9"};
	assert_memory_equal(room_call(room, "depart", 6, argv), "ok", 2);
	assert_memory_equal(room_call(room, "depart", 6, argv), "ok", 2);
	assert_int_equal(room_in_line(room, "main"), 1);
	assert_string_equal(room_restore(room, room->epoch, "dan:4"),
						"w"); /* comes back all the same */
	room_beat(room, "ann bob cid dan eve");
	room_set(room, "capacity=9");
	room_events(room);
	room_admit(room);
	assert_string_equal(room_events(room),
						"admitted dan returned, admitted ann line, admitted bob line, "
						"admitted cid line, admitted eve line");
	assert_int_equal(room_in_line(room, "main"), 0);
	room_free(room);
}

/* ---- everything is lost ---- */

static void a_lost_queue_is_rebuilt_in_order_from_its_visitors_tokens(void **state)
{
	(void)state;
	struct room *room = room_open(client, "capacity=1 lanes=main:1:open,vip:1:open");
	room_join(room, "z0 ann bob cid vic@vip");
	room_beat(room, "ann bob cid vic");
	char lost_epoch[sizeof(room->epoch)];
	memcpy(lost_epoch, room->epoch, sizeof(lost_epoch));
	room_lose_everything(room);
	assert_string_equal(room_beat(room, "ann"), "noqueue");

	char rest[64];
	snprintf(rest, sizeof(rest), "%s main 4 vip 1", lost_epoch);
	static const char settings[] =
		"state=open lanes=main:1:open,vip:1:open capacity=2 "
		"rate_per_minute=60000 burst=100 max_waiting=100 poll_max_ms=5000";
	const char *made = room_put(room, "revive", "", settings, rest);
	assert_memory_equal(made, "created 1 ", 10);
	assert_memory_equal(room_put(room, "revive", "", settings, rest), "same 1 ", 7);

	/* For a moment other pods may say which numbers they gave out, and no new one is. */
	assert_string_equal(room_join(room, "dan"), "busy:-:0:0");
	room_pass(room, 999);
	assert_string_equal(room_join(room, "dan"), "busy:-:0:0");
	room_pass(room, 1);
	/* Frozen: nobody is let in, whoever comes stands behind everybody. */
	assert_string_equal(room_join(room, "dan"), "new:w:5:5");
	assert_string_equal(room_beat(room, "dan ann"), "ann");
	assert_string_equal(room_restore(room, lost_epoch, "cid:4 ann:2"), "w w");
	assert_string_equal(room_restore(room, lost_epoch, "vic@vip:1"), "w");
	assert_string_equal(room_admit(room), "0 in 0 aside");
	room_pass(room, 14999);
	assert_string_equal(room_admit(room), "0 in 0 aside");
	assert_string_equal(room_reap(room), "0 expired 0 missed 0 ended");
	assert_string_equal(room_restore(room, lost_epoch, "bob:3"), "w");

	room_pass(room, 1);
	room_settle(room);
	assert_string_equal(room_events(room),
						"queue-created, enqueued dan, restored cid rebuilt, restored ann rebuilt, "
						"restored vic rebuilt, restored bob rebuilt, admitted ann line, "
						"admitted vic line");
	assert_int_equal(room_in_line(room, "main"), 3);
	room_set(room, "capacity=9");
	room_events(room);
	assert_string_equal(room_admit(room), "3 in 0 aside");
	assert_string_equal(room_events(room),
						"admitted bob line, admitted cid line, admitted dan line");
	assert_int_equal(room_in_line(room, "main"), 0);
	assert_int_equal(room_in_line(room, "vip"), 0);
	assert_string_equal(room_restore(room, lost_epoch, "z0:1"), "-");
	room_free(room);
}

static void nobody_walks_in_or_is_let_in_by_order_while_the_line_is_rebuilt(void **state)
{
	(void)state;
	struct room *room = room_of_nobody(client);
	room_put(room, "revive", "",
			 "state=open lanes=main:1:open capacity=9 rate_per_minute=60000 burst=100 "
			 "max_waiting=100 poll_max_ms=5000",
			 "lost main 0");
	room_pass(room, 1000);
	assert_string_equal(room_join(room, "ann"), "new:w:1:1");
	room_beat(room, "ann");
	assert_string_equal(room_admit_extra(room, 5), "0 in 0 aside");
	static const char *const argv[] = {"0", "0", "100"};
	assert_non_null(strstr(room_call(room, "sync", 3, argv), " lost 1 1 "));
	room_pass(room, 15000);
	room_settle(room);
	assert_string_equal(room_look(room, "ann"), "a");
	assert_non_null(strstr(room_call(room, "sync", 3, argv), " lost 0 1 "));
	room_free(room);
}

static void seen_tickets_of_the_lost_life_raise_the_counter_of_the_new_one(void **state)
{
	(void)state;
	struct room *room = room_of_nobody(client);
	room_put(room, "revive", "",
			 "state=open lanes=main:1:open capacity=0 max_waiting=1000 poll_max_ms=5000",
			 "lost main 10");
	room_pass(room, 1000);
	snprintf(room->seen_epoch, sizeof(room->seen_epoch), "lost");
	snprintf(room->seen, sizeof(room->seen), "main 25");
	assert_string_equal(room_join(room, "ann"), "new:w:26:26");
	WR_AUTO(mem_free_at)
	char *lost = redis_text(client, "HGET %scounts lost:main", room->prefix);
	assert_string_equal(lost, "1-25");
	room_free(room);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_number_that_a_pod_has_seen_is_never_given_again),
		cmocka_unit_test(what_was_seen_in_another_life_counts_for_nothing),
		cmocka_unit_test(a_lost_place_comes_back_with_its_own_ticket_and_in_order),
		cmocka_unit_test(one_call_merges_the_list_and_those_who_came_back),
		cmocka_unit_test(a_restored_place_that_is_next_stays_next),
		cmocka_unit_test(restoring_what_is_there_changes_nothing),
		cmocka_unit_test(a_place_that_was_half_written_is_completed_by_its_visitor),
		cmocka_unit_test(somebody_in_both_the_list_and_the_restored_is_let_in_once),
		cmocka_unit_test(a_token_of_somebody_who_has_left_restores_nothing),
		cmocka_unit_test(lost_tickets_that_nobody_reports_leave_the_line_after_the_window),
		cmocka_unit_test(tickets_given_out_between_two_reports_are_not_taken_for_lost),
		cmocka_unit_test(a_long_gap_is_closed_a_stretch_a_call),
		cmocka_unit_test(tickets_that_a_pod_saw_leaving_are_counted_no_more),
		cmocka_unit_test(a_lost_queue_is_rebuilt_in_order_from_its_visitors_tokens),
		cmocka_unit_test(nobody_walks_in_or_is_let_in_by_order_while_the_line_is_rebuilt),
		cmocka_unit_test(seen_tickets_of_the_lost_life_raise_the_counter_of_the_new_one),
	};
	return cmocka_run_group_tests(tests, shared_redis_open, shared_redis_close);
}
