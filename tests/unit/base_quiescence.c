/* Quiescence: nothing is freed while a reader may look at it, and everything is freed later. */
#include "support/cmocka.h"
#include "support/wait.h"
#include "waitingroom/memory.h"
#include "waitingroom/quiescence.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

static int freed;

static void count_free(void *thing)
{
	freed++;
	free(thing);
}

static int begin(void **state)
{
	freed = 0;
	*state = quiescence_new();
	return 0;
}

static void retire_one(struct quiescence *q)
{
	quiescence_retire(q, mem_alloc_zero(1, 8), count_free);
}

static void a_reader_in_its_turn_holds_back_what_is_retired(void **state)
{
	struct quiescence *q = *state;
	int reader = quiescence_add_reader(q), idle = quiescence_add_reader(q);
	assert_int_not_equal(reader, idle);
	quiescence_enter(q, reader);
	retire_one(q);
	quiescence_sweep(q);
	assert_int_equal(freed, 0);
	assert_int_equal(quiescence_pending(q), 1);
	quiescence_leave(q, reader);
	quiescence_sweep(q);
	assert_int_equal(freed, 1);
	assert_int_equal(quiescence_pending(q), 0);
	quiescence_free(q);
}

static void a_turn_that_began_after_the_retirement_holds_nothing_back(void **state)
{
	struct quiescence *q = *state;
	int reader = quiescence_add_reader(q);
	quiescence_enter(q, reader);
	retire_one(q);
	quiescence_enter(q, reader); /* a new turn without a wait between */
	retire_one(q);
	quiescence_sweep(q);
	assert_int_equal(freed, 1);
	assert_int_equal(quiescence_pending(q), 1);
	quiescence_leave(q, reader);
	quiescence_free(q);
	assert_int_equal(freed, 2);
}

static void the_slowest_reader_decides(void **state)
{
	struct quiescence *q = *state;
	int slow = quiescence_add_reader(q), quick = quiescence_add_reader(q);
	quiescence_enter(q, slow);
	for (int i = 0; i < 3; i++) {
		quiescence_enter(q, quick);
		retire_one(q);
		quiescence_leave(q, quick);
		quiescence_sweep(q);
	}
	assert_int_equal(freed, 0);
	quiescence_leave(q, slow);
	quiescence_sweep(q);
	assert_int_equal(freed, 3);
	quiescence_free(q);
}

static void there_is_a_limit_of_readers(void **state)
{
	struct quiescence *q = *state;
	for (int i = 0; i < QUIESCENCE_READERS_MAX; i++)
		assert_int_equal(quiescence_add_reader(q), i);
	assert_int_equal(quiescence_add_reader(q), -1);
	quiescence_free(q);
}

struct parent {
	struct quiescence *q;
};

static void retire_child(void *thing)
{
	retire_one(((struct parent *)thing)->q);
	free(thing);
}

static void what_is_freed_may_retire_something_itself(void **state)
{
	struct quiescence *q = *state;
	struct parent *parent = mem_alloc_zero(1, sizeof(*parent));
	parent->q = q;
	quiescence_retire(q, parent, retire_child);
	quiescence_sweep(q);
	assert_int_equal(quiescence_pending(q), 1);
	quiescence_sweep(q);
	assert_int_equal(freed, 1);
	quiescence_free(q);
}

/* ---- threads: each thing says what it is until it is freed, then it says something else ---- */

enum { ALIVE = 0x600d, DEAD = 0xdead, READERS = 3, CHANGES = 20000 };

struct thing {
	int magic;
};

static struct {
	struct quiescence *q;
	_Atomic(struct thing *) current;
	_Atomic bool over;
	_Atomic long looks, wrong;
} shared;

static void free_thing(void *thing)
{
	((struct thing *)thing)->magic = DEAD;
	free(thing);
}

static struct thing *new_thing(void)
{
	struct thing *thing = mem_alloc_zero(1, sizeof(*thing));
	thing->magic = ALIVE;
	return thing;
}

static void *read_for_a_while(void *unused)
{
	(void)unused;
	int reader = quiescence_add_reader(shared.q);
	for (long turn = 0; !atomic_load(&shared.over); turn++) {
		quiescence_enter(shared.q, reader);
		for (int look = 0; look < 8; look++) {
			struct thing *thing = atomic_load_explicit(&shared.current, memory_order_acquire);
			if (thing->magic != ALIVE)
				atomic_fetch_add(&shared.wrong, 1);
		}
		atomic_fetch_add_explicit(&shared.looks, 8, memory_order_relaxed);
		if (turn % 3)
			quiescence_leave(shared.q, reader);
	}
	quiescence_leave(shared.q, reader);
	return NULL;
}

static void readers_on_threads_never_see_a_freed_thing(void **state)
{
	shared.q = *state;
	atomic_store(&shared.current, new_thing());
	pthread_t readers[READERS];
	for (int i = 0; i < READERS; i++)
		assert_int_equal(pthread_create(&readers[i], NULL, read_for_a_while, NULL), 0);
	WAIT_UNTIL(5000, atomic_load(&shared.looks) > 1000, "readers look");
	size_t most_pending = 0;
	for (int i = 0; i < CHANGES; i++) {
		struct thing *old = atomic_exchange(&shared.current, new_thing());
		quiescence_retire(shared.q, old, free_thing);
		quiescence_sweep(shared.q);
		size_t pending = quiescence_pending(shared.q);
		most_pending = pending > most_pending ? pending : most_pending;
	}
	WAIT_UNTIL(5000, (quiescence_sweep(shared.q), quiescence_pending(shared.q) == 0),
			   "everything retired is freed while readers go on");
	atomic_store(&shared.over, true);
	for (int i = 0; i < READERS; i++)
		pthread_join(readers[i], NULL);
	assert_int_equal(atomic_load(&shared.wrong), 0);
	assert_true(most_pending > 0); /* otherwise nothing was held back and nothing was tested */
	quiescence_free(shared.q);
	free(atomic_load(&shared.current));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(a_reader_in_its_turn_holds_back_what_is_retired, begin),
		cmocka_unit_test_setup(a_turn_that_began_after_the_retirement_holds_nothing_back, begin),
		cmocka_unit_test_setup(the_slowest_reader_decides, begin),
		cmocka_unit_test_setup(there_is_a_limit_of_readers, begin),
		cmocka_unit_test_setup(what_is_freed_may_retire_something_itself, begin),
		cmocka_unit_test_setup(readers_on_threads_never_see_a_freed_thing, begin),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
