/* Position index: held to a naive model by random histories, and watched by readers on threads. */
#include "waitingroom/position_index.h"

#include "support/cmocka.h"
#include "support/dice.h"
#include "support/wait.h"
#include "waitingroom/memory.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

static void apply_one(struct position_index *index, uint64_t first, uint64_t last)
{
	struct ticket_range range = {.first = first, .last = last};
	assert_int_equal(position_index_apply(index, &range, 1), WR_OK);
}

static uint64_t position_of(const struct position_index *index, uint64_t ticket)
{
	struct index_answer answer;
	assert_int_equal(position_index_find(index, ticket, &answer), WR_OK);
	assert_true(answer.in_line);
	return answer.position;
}

static bool is_in_line(const struct position_index *index, uint64_t ticket)
{
	struct index_answer answer;
	assert_int_equal(position_index_find(index, ticket, &answer), WR_OK);
	return answer.in_line;
}

/* ---- what it means ---- */

static void a_ticket_stands_behind_all_that_are_still_before_it(void **state)
{
	(void)state;
	struct position_index *index = position_index_new();
	position_index_set_last(index, 1000);
	assert_int_equal(position_of(index, 1), 1);
	assert_int_equal(position_of(index, 1000), 1000);
	apply_one(index, 1, 10);
	apply_one(index, 20, 20);
	apply_one(index, 900, 900);
	assert_int_equal(position_of(index, 11), 1);
	assert_int_equal(position_of(index, 21), 10);
	assert_int_equal(position_of(index, 1000), 988);
	assert_false(is_in_line(index, 10));
	assert_false(is_in_line(index, 900));
	assert_int_equal(position_index_gone(index), 12);
	assert_int_equal(position_index_last(index), 1000);
	position_index_free(index);
}

static void tickets_that_were_not_given_are_not_found(void **state)
{
	(void)state;
	struct position_index *index = position_index_new();
	struct index_answer answer;
	assert_int_equal(position_index_find(index, 1, &answer), WR_NOT_FOUND);
	position_index_set_last(index, 5);
	assert_int_equal(position_index_find(index, 0, &answer), WR_NOT_FOUND);
	assert_int_equal(position_index_find(index, 6, &answer), WR_NOT_FOUND);
	assert_int_equal(position_index_find(index, UINT64_MAX, &answer), WR_NOT_FOUND);
	assert_int_equal(position_index_find(index, 5, &answer), WR_OK);
	position_index_free(index);
}

static void the_last_ticket_is_never_lowered(void **state)
{
	(void)state;
	struct position_index *index = position_index_new();
	position_index_set_last(index, 500);
	position_index_set_last(index, 400);
	assert_int_equal(position_index_last(index), 500);
	position_index_free(index);
}

static void a_departure_heard_of_twice_counts_once(void **state)
{
	(void)state;
	struct position_index *index = position_index_new();
	position_index_set_last(index, 300000);
	apply_one(index, 100, 140000);
	apply_one(index, 100, 140000);
	apply_one(index, 50, 150);
	assert_int_equal(position_index_gone(index), 140000 - 50 + 1);
	assert_int_equal(position_of(index, 300000), 300000 - (140000 - 50 + 1));
	position_index_free(index);
}

static void a_departure_may_be_heard_of_before_its_ticket(void **state)
{
	(void)state;
	struct position_index *index = position_index_new();
	uint64_t far = 3 * INDEX_CHUNK_TICKETS;
	apply_one(index, far - 1, far - 1);
	position_index_set_last(index, far);
	assert_int_equal(position_of(index, far), far - 1);
	assert_false(is_in_line(index, far - 1));
	position_index_free(index);
}

static void new_tickets_stand_behind_departures_of_before(void **state)
{
	(void)state;
	struct position_index *index = position_index_new();
	position_index_set_last(index, 100);
	apply_one(index, 1, 10);
	position_index_set_last(index, 3 * INDEX_CHUNK_TICKETS);
	assert_int_equal(position_of(index, 3 * INDEX_CHUNK_TICKETS), 3 * INDEX_CHUNK_TICKETS - 10);
	position_index_free(index);
}

static void a_range_past_the_limit_applies_nothing_of_the_call(void **state)
{
	(void)state;
	struct position_index *index = position_index_new();
	struct ticket_range ranges[] = {{1, 5}, {INDEX_TICKETS_MAX, INDEX_TICKETS_MAX + 1}};
	position_index_set_last(index, 10);
	size_t bytes = position_index_bytes(index);
	assert_int_equal(position_index_apply(index, ranges, 2), WR_LIMIT);
	ranges[1] = (struct ticket_range){7, 6};
	assert_int_equal(position_index_apply(index, ranges, 2), WR_INVALID);
	ranges[1] = (struct ticket_range){0, 6};
	assert_int_equal(position_index_apply(index, ranges, 2), WR_INVALID);
	assert_int_equal(position_index_gone(index), 0);
	assert_int_equal(position_index_bytes(index), bytes);
	uint8_t bitmap[INDEX_CHUNK_BYTES + 1] = {0};
	assert_int_equal(position_index_load_chunk(index, 0, bitmap, sizeof(bitmap)), WR_LIMIT);
	assert_int_equal(position_index_load_chunk(index, INDEX_CHUNKS_MAX, bitmap, 1), WR_LIMIT);
	position_index_free(index);
}

static void the_last_ticket_of_all_has_a_place(void **state)
{
	(void)state;
	struct position_index *index = position_index_new();
	position_index_set_last(index, UINT64_MAX);
	assert_int_equal(position_index_last(index), INDEX_TICKETS_MAX);
	apply_one(index, INDEX_CHUNK_TICKETS, INDEX_CHUNK_TICKETS + 1);
	assert_int_equal(position_of(index, INDEX_TICKETS_MAX), INDEX_TICKETS_MAX - 2);
	position_index_free(index);
}

/* ---- the low end ---- */

#define CHUNK ((uint64_t)INDEX_CHUNK_TICKETS)

static size_t drop_all(struct position_index *index)
{
	size_t count = 0;
	for (void *chunk; (chunk = position_index_drop(index)) != NULL; count++)
		free(chunk);
	return count;
}

static void chunks_that_everybody_has_left_are_dropped_and_what_they_said_stays_true(void **state)
{
	(void)state;
	struct position_index *index = position_index_new();
	position_index_set_last(index, 3 * CHUNK + 10);
	apply_one(index, 1, CHUNK - 1);
	apply_one(index, CHUNK + 1, 2 * CHUNK);
	assert_int_equal(drop_all(index), 0); /* somebody stands in the first */
	size_t bytes = position_index_bytes(index);
	apply_one(index, CHUNK, CHUNK);
	assert_int_equal(drop_all(index), 2);
	assert_true(position_index_bytes(index) < bytes * 2 / 3);
	assert_int_equal(position_index_first_chunk(index), 2);
	assert_false(is_in_line(index, 1));
	assert_false(is_in_line(index, 2 * CHUNK));
	assert_int_equal(position_of(index, 2 * CHUNK + 1), 1);
	assert_int_equal(position_of(index, 3 * CHUNK + 10), CHUNK + 10);
	assert_int_equal(position_index_gone(index), 2 * CHUNK);
	apply_one(index, 5, 2 * CHUNK + 3); /* heard of once more, with some news */
	assert_int_equal(position_index_gone(index), 2 * CHUNK + 3);
	assert_int_equal(position_of(index, 2 * CHUNK + 4), 1);
	apply_one(index, 7, 8);
	struct ticket_range ranges[] = {{1, 1}, {2 * CHUNK + 4, 2 * CHUNK + 4}, {9, 9}, {3, 4}};
	assert_int_equal(position_index_apply(index, ranges, 4), WR_OK);
	uint8_t bitmap[] = {0xff};
	assert_int_equal(position_index_load_chunk(index, 0, bitmap, 1), WR_OK);
	assert_int_equal(position_index_gone(index), 2 * CHUNK + 4);
	position_index_free(index);
}

static void the_last_chunk_is_kept_although_everybody_has_left(void **state)
{
	(void)state;
	struct position_index *index = position_index_new();
	position_index_set_last(index, CHUNK);
	apply_one(index, 1, CHUNK);
	assert_int_equal(drop_all(index), 0);
	position_index_set_last(index, CHUNK + 1);
	assert_int_equal(drop_all(index), 1);
	assert_int_equal(position_of(index, CHUNK + 1), 1);
	position_index_free(index);
}

static void an_index_may_begin_behind_ten_billion_who_have_left(void **state)
{
	(void)state;
	const uint64_t chunks = 80000, first = chunks * CHUNK + 1;
	struct position_index *index = position_index_new();
	position_index_skip(index, chunks);
	position_index_set_last(index, first + 99);
	assert_int_equal(position_index_gone(index), first - 1);
	assert_false(is_in_line(index, 1));
	assert_false(is_in_line(index, first - 1));
	assert_int_equal(position_of(index, first), 1);
	assert_int_equal(position_of(index, first + 99), 100);
	apply_one(index, 1, first + 9);
	assert_int_equal(position_of(index, first + 99), 90);
	assert_true(position_index_bytes(index) < 100000);
	/* Round the ring, and as far behind the first as there is room. */
	position_index_set_last(index, UINT64_MAX);
	assert_int_equal(position_index_last(index), chunks * CHUNK + INDEX_TICKETS_MAX);
	assert_int_equal(position_of(index, chunks * CHUNK + INDEX_TICKETS_MAX),
					 INDEX_TICKETS_MAX - 10);
	assert_int_equal(position_of(index, first + 99), 90);
	position_index_free(index);
}

static void a_loaded_chunk_has_offset_0_on_top_of_byte_0(void **state)
{
	(void)state;
	struct position_index *index = position_index_new();
	const uint8_t bitmap[] = {0x80, 0x01, 0, 0, 0, 0, 0, 0, 0x40}; /* offsets 0, 15 and 65 */
	position_index_set_last(index, 2 * INDEX_CHUNK_TICKETS);
	assert_int_equal(position_index_load_chunk(index, 1, bitmap, sizeof(bitmap)), WR_OK);
	uint64_t base = INDEX_CHUNK_TICKETS + 1;
	for (uint64_t offset = 0; offset < 80; offset++)
		assert_int_equal(is_in_line(index, base + offset),
						 offset != 0 && offset != 15 && offset != 65);
	assert_int_equal(position_of(index, base + 66), INDEX_CHUNK_TICKETS + 67 - 3);
	assert_int_equal(position_index_gone(index), 3);
	position_index_free(index);
}

static void loading_a_chunk_keeps_what_was_set_before(void **state)
{
	(void)state;
	struct position_index *index = position_index_new();
	const uint8_t bitmap[] = {0xF0};
	position_index_set_last(index, 100);
	apply_one(index, 4, 6);
	assert_int_equal(position_index_load_chunk(index, 0, bitmap, sizeof(bitmap)), WR_OK);
	assert_int_equal(position_index_load_chunk(index, 0, NULL, 0), WR_OK);
	assert_int_equal(position_index_gone(index), 6);
	assert_int_equal(position_of(index, 7), 1);
	position_index_free(index);
}

static void a_million_tickets_cost_little_more_than_a_bit_each(void **state)
{
	(void)state;
	struct position_index *index = position_index_new();
	size_t empty = position_index_bytes(index);
	uint64_t tickets = 8 * INDEX_CHUNK_TICKETS;
	position_index_set_last(index, tickets);
	double bits = 8.0 * (double)(position_index_bytes(index) - empty) / (double)tickets;
	assert_true(bits > 1.06 && bits < 1.07);
	position_index_free(index);
}

/* ---- against a model ---- */

enum { MODEL_TICKETS = 5 * 131072 / 2 };

static bool model_gone[MODEL_TICKETS + 1];

static uint64_t model_position(uint64_t ticket)
{
	uint64_t position = 1;
	for (uint64_t before = 1; before < ticket; before++)
		position += !model_gone[before];
	return position;
}

static struct ticket_range random_range(uint64_t longest)
{
	uint64_t first = 1 + dice(MODEL_TICKETS);
	uint64_t last = first + dice(dice(longest) + 1);
	return (struct ticket_range){first, last < MODEL_TICKETS ? last : MODEL_TICKETS};
}

static void apply_randomly(struct position_index *index)
{
	struct ticket_range ranges[200];
	size_t count = 1 + dice(200);
	uint64_t longest = 4; /* else everybody has left too soon */
	if (dice(8) == 0) {
		count = 1;
		longest = 20000;
	}
	for (size_t i = 0; i < count; i++) {
		ranges[i] = random_range(longest);
		memset(model_gone + ranges[i].first, true, ranges[i].last - ranges[i].first + 1);
	}
	assert_int_equal(position_index_apply(index, ranges, count), WR_OK);
}

static void load_randomly(struct position_index *index)
{
	size_t chunk = dice(2); /* the third is half used */
	uint8_t *bitmap = mem_alloc_zero(1, INDEX_CHUNK_BYTES);
	size_t bytes = 1 + dice(INDEX_CHUNK_BYTES);
	for (unsigned i = 0; i < 500; i++) {
		uint64_t offset = dice(bytes * 8);
		bitmap[offset / 8] |= (uint8_t)(0x80 >> offset % 8);
		model_gone[chunk * INDEX_CHUNK_TICKETS + offset + 1] = true;
	}
	assert_int_equal(position_index_load_chunk(index, chunk, bitmap, bytes), WR_OK);
	free(bitmap);
}

static void compare_with_model(const struct position_index *index)
{
	uint64_t gone = 0;
	for (uint64_t ticket = 1; ticket <= MODEL_TICKETS; ticket++)
		gone += model_gone[ticket];
	assert_int_equal(position_index_gone(index), gone);
	for (unsigned i = 0; i < 20; i++) {
		uint64_t ticket = 1 + dice(MODEL_TICKETS);
		struct index_answer answer;
		assert_int_equal(position_index_find(index, ticket, &answer), WR_OK);
		assert_int_equal(answer.in_line, !model_gone[ticket]);
		if (answer.in_line)
			assert_int_equal(answer.position, model_position(ticket));
	}
}

static void the_low_end_leaves(struct position_index *index)
{
	uint64_t last = 1 + dice(MODEL_TICKETS * 3 / 4);
	apply_one(index, 1, last);
	memset(model_gone + 1, true, last);
	drop_all(index);
}

static void random_histories_agree_with_the_model(void **state)
{
	(void)state;
	dice_start();
	for (unsigned history = 0; history < 3; history++) {
		struct position_index *index = position_index_new();
		memset(model_gone, 0, sizeof(model_gone));
		position_index_set_last(index, MODEL_TICKETS);
		for (unsigned step = 0; step < 25; step++) {
			if (dice(8))
				apply_randomly(index);
			else
				load_randomly(index);
			if (history > 0 && dice(4) == 0)
				the_low_end_leaves(index);
			compare_with_model(index);
		}
		position_index_free(index);
	}
}

/* ---- with readers on threads ----
 *
 * The writer publishes what it is about to apply ('will') before, and what it has applied ('did')
 * after. Everybody in front leaves in ticket order, so a ticket's position lies between
 * ticket − will (read after) and ticket − did (read before). */

enum { READERS = 2, WATCHED = 2000000, APART = 997 };

static struct {
	struct position_index *index;
	_Atomic uint64_t will, did;
	_Atomic bool over;
	_Atomic long looks, outside, grown;
} shared;

static void look_once(uint64_t ticket, uint64_t *last_position)
{
	uint64_t did = atomic_load(&shared.did);
	struct index_answer answer;
	if (position_index_find(shared.index, ticket, &answer) != WR_OK)
		return;
	uint64_t will = atomic_load(&shared.will);
	atomic_fetch_add_explicit(&shared.looks, 1, memory_order_relaxed);
	if (answer.in_line ? answer.position > ticket - did || answer.position + will < ticket
					   : ticket > will)
		atomic_fetch_add(&shared.outside, 1);
	if (!answer.in_line)
		answer.position = 0; /* and stays gone */
	if (answer.position > *last_position)
		atomic_fetch_add(&shared.grown, 1);
	*last_position = answer.position;
}

static void *watch(void *unused)
{
	(void)unused;
	uint64_t positions[WATCHED / APART];
	memset(positions, 0xff, sizeof(positions));
	while (!atomic_load(&shared.over))
		for (size_t i = 0; i < WATCHED / APART; i++)
			look_once((i + 1) * APART, &positions[i]);
	return NULL;
}

static void
positions_seen_by_readers_never_grow_and_are_never_older_or_newer_than_published(void **state)
{
	(void)state;
	dice_start();
	shared.index = position_index_new();
	position_index_set_last(shared.index, WATCHED / 2);
	pthread_t readers[READERS];
	void *dropped[WATCHED / INDEX_CHUNK_TICKETS + 1];
	size_t dropped_count = 0;
	for (int i = 0; i < READERS; i++)
		assert_int_equal(pthread_create(&readers[i], NULL, watch, NULL), 0);
	WAIT_UNTIL(10000, atomic_load(&shared.looks) > 1000, "readers look");
	for (uint64_t gone = 0; gone < WATCHED - 1;) {
		uint64_t next = gone + 1 + dice(dice(8) ? 50 : 6000);
		next = next < WATCHED ? next : WATCHED - 1;
		position_index_set_last(shared.index,
								next + WATCHED / 2 < WATCHED ? next + WATCHED / 2 : WATCHED);
		atomic_store(&shared.will, next);
		apply_one(shared.index, gone + 1, next);
		atomic_store(&shared.did, next);
		void *chunk = position_index_drop(shared.index);
		if (chunk != NULL)
			dropped[dropped_count++] = chunk; /* freed when nobody can be looking */
		gone = next;
	}
	assert_true(dropped_count > 10);
	long looks = atomic_load(&shared.looks);
	WAIT_UNTIL(10000, atomic_load(&shared.looks) > looks + 1000, "readers see the end");
	atomic_store(&shared.over, true);
	for (int i = 0; i < READERS; i++)
		pthread_join(readers[i], NULL);
	assert_int_equal(atomic_load(&shared.outside), 0);
	assert_int_equal(atomic_load(&shared.grown), 0);
	while (dropped_count > 0)
		free(dropped[--dropped_count]);
	position_index_free(shared.index);
}

static void what_the_index_has_beyond_a_bitmap_is_given_in_ranges(void **state)
{
	(void)state;
	struct position_index *index = position_index_new();
	const struct ticket_range gone[] = {{1, 3}, {8, 9}, {64, 66}, {70, 70}};
	uint8_t bitmap[2] = {0xa0, 0x80}; /* 1, 3 and 9 */
	struct ticket_range extra[4];
	position_index_set_last(index, 100);
	assert_int_equal(position_index_apply(index, gone, 4), WR_OK);
	assert_int_equal(position_index_extra(index, 0, bitmap, sizeof(bitmap), extra, 4), 4);
	const struct ticket_range expected[] = {{2, 2}, {8, 8}, {64, 66}, {70, 70}};
	assert_memory_equal(extra, expected, sizeof(expected));
	assert_int_equal(position_index_extra(index, 0, bitmap, sizeof(bitmap), extra, 3), 3);
	assert_int_equal(position_index_extra(index, 1, bitmap, sizeof(bitmap), extra, 4), 0);
	assert_int_equal(position_index_load_chunk(index, 0, bitmap, sizeof(bitmap)), WR_OK);
	position_index_free(index);
}

static void a_ticket_that_was_noted_is_the_highest_and_not_the_last(void **state)
{
	(void)state;
	struct position_index *index = position_index_new();
	struct index_answer answer;
	position_index_set_last(index, 10);
	assert_int_equal(position_index_highest(index), 10);
	position_index_note(index, 17);
	position_index_note(index, 12);
	assert_int_equal(position_index_highest(index), 17);
	assert_int_equal(position_index_last(index), 10);
	assert_int_equal(position_index_find(index, 17, &answer), WR_NOT_FOUND);
	position_index_set_last(index, 20);
	assert_int_equal(position_index_highest(index), 20);
	position_index_free(index);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_ticket_stands_behind_all_that_are_still_before_it),
		cmocka_unit_test(tickets_that_were_not_given_are_not_found),
		cmocka_unit_test(the_last_ticket_is_never_lowered),
		cmocka_unit_test(what_the_index_has_beyond_a_bitmap_is_given_in_ranges),
		cmocka_unit_test(a_ticket_that_was_noted_is_the_highest_and_not_the_last),
		cmocka_unit_test(a_departure_heard_of_twice_counts_once),
		cmocka_unit_test(a_departure_may_be_heard_of_before_its_ticket),
		cmocka_unit_test(new_tickets_stand_behind_departures_of_before),
		cmocka_unit_test(a_range_past_the_limit_applies_nothing_of_the_call),
		cmocka_unit_test(the_last_ticket_of_all_has_a_place),
		cmocka_unit_test(chunks_that_everybody_has_left_are_dropped_and_what_they_said_stays_true),
		cmocka_unit_test(the_last_chunk_is_kept_although_everybody_has_left),
		cmocka_unit_test(an_index_may_begin_behind_ten_billion_who_have_left),
		cmocka_unit_test(a_loaded_chunk_has_offset_0_on_top_of_byte_0),
		cmocka_unit_test(loading_a_chunk_keeps_what_was_set_before),
		cmocka_unit_test(a_million_tickets_cost_little_more_than_a_bit_each),
		cmocka_unit_test(random_histories_agree_with_the_model),
		cmocka_unit_test(
			positions_seen_by_readers_never_grow_and_are_never_older_or_newer_than_published),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
