/* Whoever leaves the line is marked in the bitmap, counted and told to the pods exactly once,
 * however the tickets lie: in one stretch, scattered close together, far apart, in any order, over
 * the end of a chunk, and where some had been marked before. Each way of marking has its own kind
 * of test here; what is asserted is the same, ticket by ticket.
 */
#include "support/cmocka.h"
#include "support/dice.h"
#include "support/room.h"
#include "support/shared_redis.h"

#include <stdio.h>
#include <string.h>

#define PEOPLE 240
#define CHUNK 131072

static struct room *room;
static int64_t before; /* the ticket before the first of ours */
static bool is_gone[PEOPLE];

/* Joins people p0, p1, … whose first ticket is the one after 'last'. */
static void begin(int64_t last)
{
	char people[PEOPLE * 8] = "";
	size_t len = 0;
	room = room_open(client, "capacity=0");
	before = last;
	memset(is_gone, 0, sizeof(is_gone));
	if (last > 0) {
		freeReplyObject(redis_run(client, "SET %sticket:main %lld", room->prefix, (long long)last));
		freeReplyObject(
			redis_run(client, "HSET %scounts gone:main %lld", room->prefix, (long long)last));
	}
	for (int i = 0; i < PEOPLE; i++)
		len += (size_t)snprintf(people + len, sizeof(people) - len, "p%d ", i);
	room_join(room, people);
}

static void read_told(bool told[PEOPLE])
{
	const char *at = room_departures(room);
	long long first, last;
	while ((at = strstr(at, "main:"))) {
		assert_int_equal(sscanf(at, "main:%lld-%lld", &first, &last), 2);
		for (long long ticket = first; ticket <= last; ticket++) {
			assert_in_range(ticket, before + 1, before + PEOPLE);
			assert_false(told[ticket - before - 1]);
			told[ticket - before - 1] = true;
		}
		at++;
	}
}

/* These people, in this order, leave in one step; those of them who were in line are told. */
static void leave(const int *people, size_t count)
{
	char names[PEOPLE * 8] = "";
	bool expected[PEOPLE] = {false}, told[PEOPLE] = {false};
	size_t len = 0;
	int64_t gone = before;
	for (size_t i = 0; i < count; i++) {
		len += (size_t)snprintf(names + len, sizeof(names) - len, "p%d ", people[i]);
		expected[people[i]] = !is_gone[people[i]];
		is_gone[people[i]] = true;
	}
	redis_number(client, "XTRIM %sdepartures MAXLEN 0", room->prefix);
	room_release(room, "leave", names);
	read_told(told);
	for (int i = 0; i < PEOPLE; i++) {
		int64_t bit = before + i;
		assert_int_equal(told[i], expected[i]);
		assert_int_equal(redis_number(client, "GETBIT %sgone:main:%lld %lld", room->prefix,
									  (long long)(bit / CHUNK), (long long)(bit % CHUNK)),
						 is_gone[i]);
		gone += is_gone[i];
	}
	assert_int_equal(redis_number(client, "HGET %scounts gone:main", room->prefix), gone);
}

static void one_stretch_in_any_order_is_told_once(void **state)
{
	static const int people[] = {12, 10, 11, 13, 30, 29, 28, 27, 26, 25, 24,
								 23, 22, 21, 20, 19, 18, 17, 16, 15, 14};
	(void)state;
	begin(0);
	leave(people, sizeof(people) / sizeof(*people));
	room_free(room);
}

static void tickets_far_apart_in_any_order_are_told_once(void **state)
{
	static const int people[] = {200, 3, 120, 60, 239};
	(void)state;
	begin(0);
	leave(people, sizeof(people) / sizeof(*people));
	room_free(room);
}

/* Every third, then a random half of all, then the rest: most ranges meet bytes that have bits
 * set. */
static void scattered(int64_t last)
{
	int people[PEOPLE];
	size_t count = 0;
	begin(last);
	for (int i = PEOPLE - 1; i >= 0; i -= 3)
		people[count++] = i;
	leave(people, count);
	count = 0;
	for (int i = 0; i < PEOPLE; i++) {
		if (!is_gone[i] && dice(2) == 0)
			people[count++] = i;
	}
	leave(people, count);
	count = 0;
	for (int i = 0; i < PEOPLE; i++) {
		if (!is_gone[i])
			people[count++] = i;
	}
	leave(people, count);
	room_free(room);
}

static void scattered_tickets_are_told_once(void **state)
{
	(void)state;
	scattered(0);
	scattered(5);
}

static void scattered_tickets_over_the_end_of_a_chunk_are_told_once(void **state)
{
	(void)state;
	scattered(CHUNK - 101);
}

/* A replica that took over without a step's end: the bits are there, the states are not. */
static void tickets_that_were_marked_before_are_neither_counted_nor_told_again(void **state)
{
	int people[PEOPLE];
	size_t count = 0;
	(void)state;
	begin(0);
	for (int i = 0; i < PEOPLE; i += 2) {
		people[count++] = i;
		if (i % 4 == 0) {
			redis_number(client, "SETBIT %sgone:main:0 %d 1", room->prefix, i);
			redis_number(client, "HINCRBY %scounts gone:main 1", room->prefix);
			is_gone[i] = true;
		}
	}
	leave(people, count);
	room_free(room);
}

int main(void)
{
	dice_start();
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_stretch_in_any_order_is_told_once),
		cmocka_unit_test(tickets_far_apart_in_any_order_are_told_once),
		cmocka_unit_test(scattered_tickets_are_told_once),
		cmocka_unit_test(scattered_tickets_over_the_end_of_a_chunk_are_told_once),
		cmocka_unit_test(tickets_that_were_marked_before_are_neither_counted_nor_told_again),
	};
	return cmocka_run_group_tests(tests, shared_redis_open, shared_redis_close);
}
