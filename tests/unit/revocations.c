/* The table of revocations against a plain list, and under the eyes of readers. */
#include "waitingroom/revocations.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "support/cmocka.h"
#include "support/wait.h"
#include "waitingroom/memory.h"
#include "waitingroom/token.h"

#define PEOPLE 400
#define STEPS 3000
#define READERS 3

typedef char person_id[POSITION_ID_CHARS + 1];

static void free_at(struct revocations **revocations)
{
	revocations_free(*revocations);
}

static const char *id_of(unsigned number)
{
	static person_id ids[8];
	static unsigned at;
	char *id = ids[at++ % 8];
	snprintf(id, sizeof(person_id), "person%010u", number);
	return id;
}

/* As the sync thread does it: a table that is full is replaced. */
static void add(struct revocations **table, const char *id, uint32_t holder, int64_t until_s,
				int64_t now_s)
{
	while (!(holder ? revocations_add_holder(*table, id, holder, until_s)
					: revocations_add_session(*table, id, until_s))) {
		size_t dropped = 0;
		struct revocations *copy = revocations_copy(*table, now_s, &dropped);
		assert_int_equal(dropped, 0);
		revocations_free(*table);
		*table = copy;
	}
}

static void an_empty_table_knows_nobody(void **state)
{
	(void)state;
	WR_AUTO(free_at) struct revocations *table = revocations_new();
	assert_false(revocations_has_session(table, id_of(1)));
	assert_int_equal(revocations_holder(table, id_of(1)), 0);
	assert_false(revocations_has_session(NULL, id_of(1)));
	assert_int_equal(revocations_holder(NULL, id_of(1)), 0);
	assert_int_equal(revocations_count(table), 0);
}

static void a_session_and_a_place_of_one_person_are_two_things(void **state)
{
	(void)state;
	WR_AUTO(free_at) struct revocations *table = revocations_new();
	add(&table, id_of(1), 0, 100, 0);
	add(&table, id_of(2), 7, 100, 0);
	assert_true(revocations_has_session(table, id_of(1)));
	assert_int_equal(revocations_holder(table, id_of(1)), 0);
	assert_false(revocations_has_session(table, id_of(2)));
	assert_int_equal(revocations_holder(table, id_of(2)), 7);
	add(&table, id_of(1), 9, 100, 0);
	assert_true(revocations_has_session(table, id_of(1)));
	assert_int_equal(revocations_holder(table, id_of(1)), 9);
	assert_int_equal(revocations_count(table), 2);
}

static void a_holder_only_rises(void **state)
{
	(void)state;
	WR_AUTO(free_at) struct revocations *table = revocations_new();
	add(&table, id_of(1), 7, 100, 0);
	add(&table, id_of(1), 5, 100, 0);
	assert_int_equal(revocations_holder(table, id_of(1)), 7);
	add(&table, id_of(1), 8, 100, 0);
	assert_int_equal(revocations_holder(table, id_of(1)), 8);
}

static void a_pardon_lets_the_session_through_until_it_ends_again(void **state)
{
	(void)state;
	WR_AUTO(free_at) struct revocations *table = revocations_new();
	revocations_pardon(table, id_of(1));
	add(&table, id_of(1), 0, 100, 0);
	add(&table, id_of(1), 7, 100, 0);
	add(&table, id_of(2), 0, 100, 0);
	revocations_pardon(table, id_of(1));
	revocations_pardon(table, id_of(1));
	revocations_pardon(table, id_of(3));
	assert_false(revocations_has_session(table, id_of(1)));
	assert_int_equal(revocations_holder(table, id_of(1)), 7);
	assert_true(revocations_has_session(table, id_of(2)));
	add(&table, id_of(1), 0, 100, 0);
	assert_true(revocations_has_session(table, id_of(1)));
}

struct known { /* of one person, the plain way */
	bool ended;
	uint32_t holder;
	int64_t session_until_s, holder_until_s;
};

/* What is still needed must be there; what has expired may be. What never was must not. */
static void compare(const struct revocations *table, const struct known *known, int64_t now_s)
{
	for (unsigned i = 0; i < PEOPLE; i++) {
		const struct known *k = &known[i];
		bool has = revocations_has_session(table, id_of(i));
		uint32_t holder = revocations_holder(table, id_of(i));
		if (k->ended && k->session_until_s > now_s && !has)
			fail_msg("the session of %u is not known", i);
		if (!k->ended && has)
			fail_msg("the session of %u never ended", i);
		if (k->holder_until_s > now_s && holder != k->holder)
			fail_msg("%u is held by %u, not %u", i, k->holder, holder);
		if (holder > k->holder)
			fail_msg("%u was never held by %u", i, holder);
	}
}

static void a_random_history_says_what_a_plain_list_says(void **state)
{
	(void)state;
	unsigned seed = (unsigned)time(NULL);
	print_message("# seed %u\n", seed);
	for (int history = 0; history < 8; history++) {
		WR_AUTO(free_at) struct revocations *table = revocations_new();
		struct known known[PEOPLE] = {0};
		int64_t now_s = 1000;
		unsigned people = 1 + (unsigned)rand_r(&seed) % PEOPLE;
		for (int step = 0; step < STEPS; step++) {
			unsigned i = (unsigned)rand_r(&seed) % people;
			int64_t until_s = now_s + 1 + rand_r(&seed) % 500;
			struct known *k = &known[i];
			now_s += rand_r(&seed) % 3;
			if (rand_r(&seed) % 2) {
				add(&table, id_of(i), 0, until_s, now_s);
				k->ended = true;
				k->session_until_s = until_s > k->session_until_s ? until_s : k->session_until_s;
			} else {
				uint32_t holder = 1 + (uint32_t)rand_r(&seed) % 50;
				add(&table, id_of(i), holder, until_s, now_s);
				if (k->holder_until_s <= now_s && revocations_holder(table, id_of(i)) == holder)
					k->holder = holder; /* forgotten meanwhile, or higher than before */
				k->holder = holder > k->holder ? holder : k->holder;
				k->holder_until_s = until_s > k->holder_until_s ? until_s : k->holder_until_s;
			}
			if (step % 50 == 0)
				compare(table, known, now_s);
		}
		compare(table, known, now_s);
	}
}

static void a_table_does_not_grow_with_what_has_expired(void **state)
{
	(void)state;
	WR_AUTO(free_at) struct revocations *table = revocations_new();
	for (unsigned i = 0; i < 50000; i++)
		add(&table, id_of(i), 0, 1000 + i / 10 + 5, 1000 + i / 10);
	assert_in_range(revocations_count(table), 50, 200); /* 50 a moment */
	assert_true(revocations_has_session(table, id_of(49999)));
	assert_false(revocations_has_session(table, id_of(0)));
}

static void a_table_that_would_grow_too_large_forgets_who_expires_first(void **state)
{
	(void)state;
	WR_AUTO(free_at) struct revocations *table = revocations_new();
	size_t dropped = 0;
	unsigned number = 0;
	while (dropped == 0 && number < 2 * REVOCATIONS_MAX) {
		if (revocations_add_session(table, id_of(number), 10 + number)) {
			number++;
			continue;
		}
		struct revocations *copy = revocations_copy(table, 0, &dropped);
		revocations_free(table);
		table = copy;
	}
	assert_true(number >= REVOCATIONS_MAX);
	assert_int_equal(revocations_count(table), number - dropped);
	assert_in_range(revocations_count(table), REVOCATIONS_MAX / 2 - 1, REVOCATIONS_MAX / 2);
	assert_true(revocations_has_session(table, id_of(number - 1)));
	assert_true(revocations_has_session(table, id_of((unsigned)dropped)));
	assert_false(revocations_has_session(table, id_of((unsigned)dropped - 1)));
	assert_false(revocations_has_session(table, id_of(0)));
}

/* ---- readers ---- */

/* Everybody below 'told' has been added before it was raised; nobody above 'begun' is being
 * added. */
static struct {
	struct revocations *table;
	_Atomic unsigned told, begun;
	_Atomic uint64_t looks, wrong;
	atomic_bool over;
} shared;

static void *read_for_a_while(void *ctx)
{
	unsigned seed = (unsigned)(uintptr_t)ctx + 1;
	while (!atomic_load(&shared.over)) {
		unsigned told = atomic_load(&shared.told), i = (unsigned)rand_r(&seed) % 40000;
		person_id id;
		snprintf(id, sizeof(id), "person%010u", i);
		bool has = revocations_has_session(shared.table, id);
		uint32_t holder = revocations_holder(shared.table, id);
		unsigned begun = atomic_load(&shared.begun);
		bool wrong = (i < told && (!has || holder != i + 1)) ||
					 (i >= begun && (has || holder != 0)) || (holder != 0 && holder != i + 1);
		atomic_fetch_add(&shared.wrong, wrong);
		atomic_fetch_add(&shared.looks, 1);
	}
	return NULL;
}

static void readers_see_what_was_told_before_and_nothing_that_was_not(void **state)
{
	(void)state;
	/* Large enough from the start: replacing is the business of followed.c and quiescence. */
	WR_AUTO(free_at) struct revocations *small = revocations_new();
	for (unsigned i = 0; i < 60000; i++)
		add(&small, id_of(1000000 + i), 1, 2, 0);
	size_t dropped = 0;
	struct revocations *table = revocations_copy(small, 1, &dropped);
	shared.table = table;
	pthread_t readers[READERS];
	for (uintptr_t i = 0; i < READERS; i++)
		assert_int_equal(pthread_create(&readers[i], NULL, read_for_a_while, (void *)i), 0);
	WAIT_UNTIL(5000, atomic_load(&shared.looks) > 1000, "readers look");
	for (unsigned i = 0; i < 20000; i++) {
		atomic_store(&shared.begun, i + 1);
		assert_true(revocations_add_holder(table, id_of(i), i + 1, 10));
		assert_true(revocations_add_session(table, id_of(i), 10));
		atomic_store(&shared.told, i + 1);
	}
	uint64_t seen = atomic_load(&shared.looks);
	WAIT_UNTIL(5000, atomic_load(&shared.looks) > seen + 1000, "readers look once more");
	atomic_store(&shared.over, true);
	for (int i = 0; i < READERS; i++)
		pthread_join(readers[i], NULL);
	assert_int_equal(atomic_load(&shared.wrong), 0);
	revocations_free(table);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_empty_table_knows_nobody),
		cmocka_unit_test(a_session_and_a_place_of_one_person_are_two_things),
		cmocka_unit_test(a_holder_only_rises),
		cmocka_unit_test(a_pardon_lets_the_session_through_until_it_ends_again),
		cmocka_unit_test(a_random_history_says_what_a_plain_list_says),
		cmocka_unit_test(a_table_does_not_grow_with_what_has_expired),
		cmocka_unit_test(a_table_that_would_grow_too_large_forgets_who_expires_first),
		cmocka_unit_test(readers_see_what_was_told_before_and_nothing_that_was_not),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
