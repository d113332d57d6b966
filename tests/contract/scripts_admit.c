/* admit: who is let in, in which order, how many at a time. */
#include "support/cmocka.h"
#include "support/room.h"
#include "support/room_text.h"
#include "support/shared_redis.h"
#include "support/wait.h"
#include "waitingroom/memory.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* The people of the newest outbox entry. gives */
static char *last_lines(const struct room *room)
{
	return redis_text(
		client, "EVAL %s 1 %soutbox",
		"local e = redis.call('XREVRANGE', KEYS[1], '+', '-', 'COUNT', '1') return e[1][2][8]",
		room->prefix);
}

/* ---- capacity and rate ---- */

static void people_are_let_in_in_the_order_of_their_tickets(void **state)
{
	(void)state;
	struct room *room = room_open(client, "capacity=0");
	room_join(room, "ann bob");
	room_join(room, "cid");
	room_beat(room, "cid bob ann");
	room_set(room, "capacity=2");
	room_events(room);
	assert_string_equal(room_admit(room), "2 in 0 aside");
	assert_string_equal(room_events(room), "admitted ann line, admitted bob line");
	assert_string_equal(room_look(room, "ann bob cid"), "a a w");
	assert_string_equal(room_list(room, "main"), "cid");
	assert_string_equal(room_set_of(room, "heartbeats"), "cid");
	assert_int_equal(room_in_line(room, "main"), 1);
	assert_string_equal(room_departures(room), "main:1-2");
	room_free(room);
}

static void an_event_says_since_when_somebody_has_waited(void **state)
{
	(void)state;
	struct room *room = room_open(client, "capacity=0");
	room_join(room, "ann");
	room_pass(room, 7000);
	room_beat(room, "ann");
	room_set(room, "capacity=1");
	room_admit(room);
	WR_AUTO(mem_free_at) char *last = last_lines(room);
	assert_string_equal(last, "ann main 1 1700000000000 line");
	room_free(room);
}

static void an_event_of_somebody_who_is_traced_carries_the_trace(void **state)
{
	(void)state;
	struct room *room = room_open(client, "capacity=0");
	room_join(room, "ann bob!t:00-b-01");
	room_beat(room, "ann bob");
	room_set(room, "capacity=2");
	room_admit(room);
	WR_AUTO(mem_free_at) char *last = last_lines(room);
	assert_string_equal(last, "ann main 1 1700000000000 line\n"
							  "bob main 2 1700000000000 line tp=00-b-01");
	assert_int_equal(redis_number(client, "HEXISTS %scounts traced", room->prefix), 1);
	room_admit(room);
	assert_int_equal(redis_number(client, "HEXISTS %scounts traced", room->prefix), 0);
	room_free(room);
}

static void a_trace_outlives_the_absence_of_its_visitor(void **state)
{
	(void)state;
	struct room *room = room_open(client, "capacity=0");
	room_join(room, "ann!t:00-a-01");
	room_beat(room, "ann");
	room_admit(room);
	room_pass(room, 90001);
	room_set(room, "capacity=1");
	assert_string_equal(room_admit(room), "0 in 1 aside");
	room_admit(room); /* nobody is in line: the mark of traces goes */
	assert_int_equal(redis_number(client, "HEXISTS %scounts traced", room->prefix), 0);
	room_poll(room, "ann");
	assert_string_equal(room_admit(room), "1 in 0 aside");
	WR_AUTO(mem_free_at) char *last = last_lines(room);
	assert_string_equal(last, "ann main 1 1700000000000 returned tp=00-a-01");
	room_free(room);
}

static void active_people_never_exceed_the_capacity(void **state)
{
	(void)state;
	struct room *room = room_open(client, "capacity=3");
	room_join(room, room_crowd(room, "a", 0, 10, ""));
	room_beat(room, room_crowd(room, "a", 0, 10, ""));
	assert_string_equal(room_admit(room), "0 in 0 aside");
	room_poll(room, "a0 a1");
	assert_string_equal(room_release(room, "release", "a0"), "e");
	assert_string_equal(room_admit(room), "1 in 0 aside");
	assert_string_equal(room_set_of(room, "sessions"), "a2 a3 a1");
	room_set(room, "capacity=1");
	assert_string_equal(room_admit(room), "0 in 0 aside");
	assert_string_equal(room_release(room, "leave", "a1 a2"), "e m");
	assert_string_equal(room_admit(room), "0 in 0 aside");
	room_set(room, "capacity=2");
	assert_string_equal(room_admit(room), "1 in 0 aside");
	room_free(room);
}

static void a_minute_lets_in_the_rate_and_not_one_more(void **state)
{
	(void)state;
	struct room *room = room_open(client, "capacity=1000 rate_per_minute=120 burst=5");
	room_set(room, "state=paused");
	room_join(room, room_crowd(room, "a", 0, 200, ""));
	room_beat(room, room_crowd(room, "a", 0, 200, ""));
	room_set(room, "state=open");
	assert_string_equal(room_admit(room), "5 in 0 aside");
	int in = 0;
	for (int tick = 0; tick < 600; tick++) {
		int now = 0;
		room_pass(room, 100);
		assert_int_equal(sscanf(room_admit(room), "%d in 0 aside", &now), 1);
		in += now;
	}
	assert_int_equal(in, 120);
	room_free(room);
}

static void a_pause_of_the_ticks_leaves_no_backlog_above_the_burst(void **state)
{
	(void)state;
	struct room *room = room_open(client, "capacity=1000 rate_per_minute=6000 burst=10");
	room_set(room, "state=hold");
	room_join(room, room_crowd(room, "a", 0, 100, ""));
	room_set(room, "state=open");
	room_beat(room, room_crowd(room, "a", 0, 100, ""));
	assert_string_equal(room_admit(room), "10 in 0 aside");
	room_pass(room, 60000);
	assert_string_equal(room_admit(room), "10 in 0 aside");
	assert_string_equal(room_admit(room), "0 in 0 aside");
	room_free(room);
}

static void a_clock_that_steps_back_gives_no_tokens(void **state)
{
	(void)state;
	struct room *room = room_open(client, "capacity=1000 rate_per_minute=60 burst=1");
	room_set(room, "state=hold");
	room_join(room, room_crowd(room, "a", 0, 10, ""));
	room_set(room, "state=open");
	room_beat(room, room_crowd(room, "a", 0, 10, ""));
	assert_string_equal(room_admit(room), "1 in 0 aside");
	room->now_ms -= 500;
	assert_string_equal(room_admit(room), "0 in 0 aside");
	room->now_ms += 999;
	assert_string_equal(room_admit(room), "0 in 0 aside");
	room->now_ms += 1;
	assert_string_equal(room_admit(room), "1 in 0 aside");
	room_free(room);
}

static void one_call_does_no_more_than_its_limit_and_says_so(void **state)
{
	(void)state;
	struct room *room = room_open(client, "capacity=0");
	room_join(room, room_crowd(room, "a", 0, 25, ""));
	room_beat(room, room_crowd(room, "a", 0, 25, ""));
	room_set(room, "capacity=100");
	room->limit = 10;
	assert_string_equal(room_admit(room), "10 in 0 aside more");
	assert_string_equal(room_admit(room), "10 in 0 aside more");
	assert_string_equal(room_admit(room), "5 in 0 aside");
	assert_string_equal(room_admit(room), "0 in 0 aside");
	room_free(room);
}

static void a_full_call_of_500_keeps_the_order(void **state)
{
	(void)state;
	struct room *room = room_open(client, "capacity=0");
	for (int i = 0; i < 3; i++) {
		room_join(room, room_crowd(room, "a", i * 400, 400, ""));
		room_beat(room, room_crowd(room, "a", i * 400, 400, ""));
	}
	room_set(room, "capacity=2000");
	assert_string_equal(room_admit(room), "500 in 0 aside more");
	assert_string_equal(room_look(room, "a499 a500"), "a w");
	assert_string_equal(room_admit(room), "500 in 0 aside more");
	assert_string_equal(room_admit(room), "200 in 0 aside");
	assert_int_equal(room_in_line(room, "main"), 0);
	assert_string_equal(room_departures(room), "main:1-500 main:501-1000 main:1001-1200");
	room_free(room);
}

/* ---- lanes ---- */

/* Which lanes the last admissions came from: "vmvv…", the first letter of each person. */
static const char *order_of(struct room *room)
{
	static char text[512];
	size_t len = 0;
	for (const char *at = room_events(room); (at = strstr(at, "admitted ")); at++)
		text[len++] = at[strlen("admitted ")];
	text[len] = 0;
	return text;
}

static void lanes_are_served_by_weight_and_smoothly(void **state)
{
	(void)state;
	struct room *room = room_open(client, "capacity=0 lanes=main:1:open,vip:3:open");
	room_join(room, room_crowd(room, "m", 0, 20, ""));
	room_join(room, room_crowd(room, "v", 0, 20, "@vip"));
	room_beat(room, room_crowd(room, "m", 0, 20, ""));
	room_beat(room, room_crowd(room, "v", 0, 20, ""));
	room_set(room, "capacity=16");
	room_events(room);
	assert_string_equal(room_admit(room), "16 in 0 aside");
	assert_string_equal(order_of(room), "vmvvvmvvvmvvvmvv");
	room_free(room);
}

static void weights_hold_when_people_are_let_in_one_at_a_time(void **state)
{
	(void)state;
	struct room *room = room_open(client, "capacity=0 lanes=main:1:open,vip:3:open");
	room_join(room, room_crowd(room, "m", 0, 20, ""));
	room_join(room, room_crowd(room, "v", 0, 20, "@vip"));
	room_beat(room, room_crowd(room, "m", 0, 20, ""));
	room_beat(room, room_crowd(room, "v", 0, 20, ""));
	room_events(room);
	for (int capacity = 1; capacity <= 16; capacity++) {
		char text[32];
		snprintf(text, sizeof(text), "capacity=%d", capacity);
		room_set(room, text);
		assert_string_equal(room_admit(room), "1 in 0 aside");
	}
	assert_string_equal(order_of(room), "vmvvvmvvvmvvvmvv");
	room_free(room);
}

static void an_empty_lane_leaves_its_share_to_the_others(void **state)
{
	(void)state;
	struct room *room = room_open(client, "capacity=0 lanes=main:1:open,vip:3:open,gold:5:open");
	room_join(room, room_crowd(room, "m", 0, 6, ""));
	room_join(room, room_crowd(room, "v", 0, 2, "@vip"));
	room_beat(room, room_crowd(room, "m", 0, 6, ""));
	room_beat(room, room_crowd(room, "v", 0, 2, ""));
	room_set(room, "capacity=100");
	room_events(room);
	assert_string_equal(room_admit(room), "8 in 0 aside");
	assert_string_equal(order_of(room), "vmvmmmmm");
	room_free(room);
}

/* ---- states of the queue, orders of the operator, leases ---- */

static void a_closed_queue_drains(void **state)
{
	(void)state;
	struct room *room = room_open(client, "capacity=0");
	room_join(room, "ann");
	room_beat(room, "ann");
	room_set(room, "state=closed capacity=1");
	assert_string_equal(room_admit(room), "1 in 0 aside");
	room_free(room);
}

static void passthrough_drains_the_line_whatever_the_limits(void **state)
{
	(void)state;
	struct room *room = room_open(client, "capacity=0 rate_per_minute=0 burst=1");
	room_join(room, "ann bob cid");
	room_admit(room);
	room_pass(room, 3000); /* no newcomers any more */
	room_beat(room, "ann cid");
	room_set(room, "state=passthrough");
	room_events(room);
	assert_string_equal(room_admit(room), "2 in 1 aside");
	assert_string_equal(room_events(room), "admitted ann passthrough, admitted cid passthrough");
	assert_string_equal(room_set_of(room, "sessions"), "ann cid");
	room_free(room);
}

static void an_operator_lets_more_in_within_the_capacity(void **state)
{
	(void)state;
	struct room *room = room_open(client, "capacity=0 rate_per_minute=0 burst=1 state=paused");
	room_join(room, "ann bob cid");
	room_beat(room, "ann bob cid");
	room_set(room, "capacity=2");
	room_events(room);
	assert_string_equal(room_admit(room), "0 in 0 aside");
	assert_string_equal(room_admit_extra(room, 1), "1 in 0 aside");
	assert_string_equal(room_admit_extra(room, 5), "1 in 0 aside");
	assert_string_equal(room_admit_extra(room, 5), "0 in 0 aside");
	assert_string_equal(room_events(room), "admitted ann operator, admitted bob operator");
	room_free(room);
}

static void an_operators_order_costs_no_token_and_needs_no_lease(void **state)
{
	(void)state;
	struct room *room = room_open(client, "capacity=0 rate_per_minute=60 burst=1");
	room_join(room, "ann bob cid");
	room_beat(room, "ann bob cid");
	room_set(room, "capacity=9");
	freeReplyObject(redis_run(client, "SET %slease:admit somebody", room->prefix));
	assert_string_equal(room_admit(room), "other");
	assert_string_equal(room_admit_extra(room, 1), "1 in 0 aside");
	redis_number(client, "DEL %slease:admit", room->prefix);
	assert_string_equal(room_admit(room), "1 in 0 aside");
	assert_string_equal(room_admit(room), "0 in 0 aside");
	room_free(room);
}

static void another_admitter_waits_for_the_lease_to_end(void **state)
{
	(void)state;
	struct room *room = room_open(client, "capacity=0");
	const char *first[] = {"first", "60000", "500", "life", "10000", "0"};
	const char *second[] = {"second", "100", "500", "life", "10000", "0"};
	assert_non_null(strstr(room_call(room, "admit", 6, first), "ok "));
	assert_string_equal(room_call(room, "admit", 6, second), "other");
	assert_in_range(redis_number(client, "PTTL %slease:admit", room->prefix), 50000, 60000);
	/* Its end is by the real clock of Redis; here it comes at once. */
	freeReplyObject(redis_run(client, "DEL %slease:admit", room->prefix));
	assert_non_null(strstr(room_call(room, "admit", 6, second), "ok "));
	assert_in_range(redis_number(client, "PTTL %slease:admit", room->prefix), 1, 100);
	WAIT_UNTIL(5000, strcmp(room_call(room, "admit", 6, first), "other") != 0,
			   "a lease of 100 ms ends");
	room_free(room);
}

static void a_lease_has_one_owner_and_a_number_that_rises(void **state)
{
	(void)state;
	struct room *room = room_open(client, "");
	const char *mine[] = {"relay", "me", "60000"}, *yours[] = {"relay", "you", "60000"};
	const char *given_up[] = {"relay", "me", "0"};
	assert_string_equal(room_call(room, "lease", 3, mine), "1 1");
	assert_string_equal(room_call(room, "lease", 3, mine), "1 1");
	assert_string_equal(room_call(room, "lease", 3, yours), "0 1");
	assert_string_equal(room_call(room, "lease", 3, given_up), "0 1");
	assert_string_equal(room_call(room, "lease", 3, yours), "1 2");
	assert_string_equal(room_call(room, "lease", 3, given_up), "0 2");
	assert_string_equal(room_call(room, "lease", 3, yours), "1 2");
	room_free(room);
}

/* ---- opening time ---- */

static void nobody_is_let_in_before_the_opening_time(void **state)
{
	(void)state;
	static const char *const states[] = {"open", "closed"};
	for (size_t i = 0; i < 2; i++) {
		struct room *room = room_open(client, "capacity=5 state=hold");
		room_set(room, room_lend_print(room, "opens_at_ms=%" PRId64, room->now_ms + 10000));
		assert_string_equal(room_join(room, "ann"), "new:w:1:1");
		room_beat(room, "ann");
		room_set(room, room_lend_print(room, "state=%s", states[i]));
		room_pass(room, 9999);
		room_beat(room, "ann");
		assert_string_equal(room_admit(room), "0 in 0 aside");
		room_pass(room, 1);
		assert_string_equal(room_admit(room), "1 in 0 aside");
		room_free(room);
	}
}

static void from_the_opening_time_on_an_empty_room_is_invisible(void **state)
{
	(void)state;
	struct room *room = room_open(client, "capacity=5");
	room_set(room, room_lend_print(room, "opens_at_ms=%" PRId64, room->now_ms + 10000));
	room_pass(room, 10000);
	assert_string_equal(room_join(room, "ann"), "new:a:1:0");
	room_free(room);
}

static void an_operator_and_passthrough_do_not_wait_for_the_opening_time(void **state)
{
	(void)state;
	struct room *room = room_open(client, "capacity=5");
	room_set(room, room_lend_print(room, "opens_at_ms=%" PRId64, room->now_ms + 10000));
	room_join(room, "ann bob");
	room_beat(room, "ann bob");
	assert_string_equal(room_admit_extra(room, 1), "1 in 0 aside");
	room_set(room, "state=passthrough");
	assert_string_equal(room_admit(room), "1 in 0 aside");
	assert_string_equal(room_join(room, "cid"), "new:a:3:0");
	room_free(room);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(people_are_let_in_in_the_order_of_their_tickets),
		cmocka_unit_test(an_event_says_since_when_somebody_has_waited),
		cmocka_unit_test(an_event_of_somebody_who_is_traced_carries_the_trace),
		cmocka_unit_test(a_trace_outlives_the_absence_of_its_visitor),
		cmocka_unit_test(active_people_never_exceed_the_capacity),
		cmocka_unit_test(a_minute_lets_in_the_rate_and_not_one_more),
		cmocka_unit_test(a_pause_of_the_ticks_leaves_no_backlog_above_the_burst),
		cmocka_unit_test(a_clock_that_steps_back_gives_no_tokens),
		cmocka_unit_test(one_call_does_no_more_than_its_limit_and_says_so),
		cmocka_unit_test(a_full_call_of_500_keeps_the_order),
		cmocka_unit_test(lanes_are_served_by_weight_and_smoothly),
		cmocka_unit_test(weights_hold_when_people_are_let_in_one_at_a_time),
		cmocka_unit_test(an_empty_lane_leaves_its_share_to_the_others),
		cmocka_unit_test(a_closed_queue_drains),
		cmocka_unit_test(passthrough_drains_the_line_whatever_the_limits),
		cmocka_unit_test(an_operator_lets_more_in_within_the_capacity),
		cmocka_unit_test(an_operators_order_costs_no_token_and_needs_no_lease),
		cmocka_unit_test(another_admitter_waits_for_the_lease_to_end),
		cmocka_unit_test(a_lease_has_one_owner_and_a_number_that_rises),
		cmocka_unit_test(nobody_is_let_in_before_the_opening_time),
		cmocka_unit_test(from_the_opening_time_on_an_empty_room_is_invisible),
		cmocka_unit_test(an_operator_and_passthrough_do_not_wait_for_the_opening_time),
	};
	return cmocka_run_group_tests(tests, shared_redis_open, shared_redis_close);
}
