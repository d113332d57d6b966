/* Queue table: held to a plain list by random histories, and searched by readers on threads. */
#include "waitingroom/queue_table.h"

#include "support/cmocka.h"
#include "support/dice.h"
#include "support/wait.h"
#include "waitingroom/memory.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define QUEUES_MAX 50

struct fixture {
	struct quiescence *quiescence;
	struct queue_table *table;
};

static int begin(void **state)
{
	static struct fixture fixture;
	fixture.quiescence = quiescence_new();
	fixture.table = queue_table_new(fixture.quiescence, QUEUES_MAX);
	*state = &fixture;
	return 0;
}

static int end(void **state)
{
	struct fixture *fixture = *state;
	queue_table_free(fixture->table);
	quiescence_free(fixture->quiescence);
	return 0;
}

static struct queue_name name_of(unsigned number)
{
	struct queue_name name = {.tenant = "default"};
	snprintf(name.queue, sizeof(name.queue), "queue-%u", number);
	return name;
}

static struct queue_snapshot *snapshot_of(unsigned number, uint64_t waiting)
{
	struct queue_snapshot *snapshot = mem_alloc_zero(1, sizeof(*snapshot));
	snapshot->name = name_of(number);
	snapshot->waiting = waiting;
	return snapshot;
}

static enum wr_err put(struct queue_table *table, unsigned number, uint64_t waiting)
{
	return queue_table_put(table, snapshot_of(number, waiting));
}

static void drop(struct queue_table *table, unsigned number)
{
	struct queue_name name = name_of(number);
	queue_table_remove(table, &name);
}

static const struct queue_snapshot *find(const struct queue_table *table, unsigned number)
{
	struct queue_name name = name_of(number);
	return queue_table_find(table, &name);
}

static void a_queue_is_found_by_tenant_and_name(void **state)
{
	struct queue_table *table = ((struct fixture *)*state)->table;
	assert_int_equal(put(table, 1, 11), WR_OK);
	assert_int_equal(find(table, 1)->waiting, 11);
	struct queue_name other = {.tenant = "other", .queue = "queue-1"};
	assert_null(queue_table_find(table, &other));
	assert_null(find(table, 2));
	assert_int_equal(queue_table_count(table), 1);
}

static void a_newer_snapshot_takes_the_place_and_the_old_one_is_retired(void **state)
{
	struct fixture *fixture = *state;
	int reader = quiescence_add_reader(fixture->quiescence);
	assert_int_equal(put(fixture->table, 1, 11), WR_OK);
	quiescence_enter(fixture->quiescence, reader);
	const struct queue_snapshot *seen = find(fixture->table, 1);
	assert_int_equal(put(fixture->table, 1, 22), WR_OK);
	quiescence_sweep(fixture->quiescence);
	assert_int_equal(seen->waiting, 11); /* lent until the turn ends */
	assert_int_equal(find(fixture->table, 1)->waiting, 22);
	assert_int_equal(quiescence_pending(fixture->quiescence), 1);
	quiescence_leave(fixture->quiescence, reader);
	quiescence_sweep(fixture->quiescence);
	assert_int_equal(quiescence_pending(fixture->quiescence), 0);
	assert_int_equal(queue_table_count(fixture->table), 1);
}

static void a_removed_queue_is_not_found_and_may_come_back(void **state)
{
	struct queue_table *table = ((struct fixture *)*state)->table;
	assert_int_equal(put(table, 1, 11), WR_OK);
	drop(table, 1);
	drop(table, 1); /* not there: nothing happens */
	assert_null(find(table, 1));
	assert_int_equal(queue_table_count(table), 0);
	assert_int_equal(put(table, 1, 33), WR_OK);
	assert_int_equal(find(table, 1)->waiting, 33);
}

static void a_full_table_takes_changes_and_no_new_queue(void **state)
{
	struct queue_table *table = ((struct fixture *)*state)->table;
	for (unsigned i = 0; i < QUEUES_MAX; i++)
		assert_int_equal(put(table, i, i), WR_OK);
	assert_int_equal(put(table, QUEUES_MAX, 1), WR_LIMIT);
	assert_null(find(table, QUEUES_MAX));
	assert_int_equal(put(table, 7, 77), WR_OK);
	assert_int_equal(find(table, 7)->waiting, 77);
	drop(table, 8);
	assert_int_equal(put(table, QUEUES_MAX, 1), WR_OK);
	assert_int_equal(queue_table_count(table), QUEUES_MAX);
}

static void a_table_for_no_queues_finds_none(void **state)
{
	struct fixture *fixture = *state;
	struct queue_table *none = queue_table_new(fixture->quiescence, 0);
	assert_null(find(none, 1));
	assert_int_equal(put(none, 1, 1), WR_LIMIT);
	queue_table_free(none);
	queue_table_free(NULL);
}

/* ---- against a list ---- */

enum { NAMES = 400 };

struct model {
	bool is_there[NAMES];
	uint64_t waiting[NAMES];
	size_t count;
};

struct sum {
	uint64_t waiting;
	size_t count;
};

static void add_up(void *ctx, const struct queue_snapshot *snapshot)
{
	struct sum *sum = ctx;
	sum->waiting += snapshot->waiting;
	sum->count++;
}

static void compare_with_model(const struct queue_table *table, const struct model *model)
{
	struct sum expected = {0}, sum = {0};
	for (unsigned i = 0; i < NAMES; i++) {
		const struct queue_snapshot *snapshot = find(table, i);
		assert_int_equal(snapshot != NULL, model->is_there[i]);
		if (!snapshot)
			continue;
		assert_int_equal(snapshot->waiting, model->waiting[i]);
		expected.waiting += model->waiting[i];
		expected.count++;
	}
	queue_table_each(table, add_up, &sum);
	assert_int_equal(sum.waiting, expected.waiting);
	assert_int_equal(sum.count, expected.count);
	assert_int_equal(queue_table_count(table), expected.count);
}

static void random_histories_agree_with_a_list(void **state)
{
	struct fixture *fixture = *state;
	struct model model = {.count = 0};
	dice_start();
	for (unsigned step = 0; step < 20000; step++) {
		unsigned number = (unsigned)dice(NAMES);
		uint64_t waiting = dice(1000);
		if (dice(2)) {
			bool fits = model.is_there[number] || model.count < QUEUES_MAX;
			assert_int_equal(put(fixture->table, number, waiting), fits ? WR_OK : WR_LIMIT);
			if (fits) {
				model.count += !model.is_there[number];
				model.is_there[number] = true;
				model.waiting[number] = waiting;
			}
		} else {
			drop(fixture->table, number);
			model.count -= model.is_there[number];
			model.is_there[number] = false;
		}
		quiescence_sweep(fixture->quiescence);
		if (step % 100 == 0)
			compare_with_model(fixture->table, &model);
	}
}

/* ---- with readers on threads ----
 *
 * Queues below ALWAYS are there all the time, with a growing count; the others come and go and fill
 * the table with tombstones. */

enum { READERS = 2, ALWAYS = 20, CHANGES = 30000 };

static struct {
	struct fixture *fixture;
	_Atomic bool over;
	_Atomic long looks, missing, wrong;
} shared;

static void look_once(unsigned number, uint64_t *last_waiting)
{
	struct queue_name name = name_of(number);
	const struct queue_snapshot *snapshot = queue_table_find(shared.fixture->table, &name);
	atomic_fetch_add_explicit(&shared.looks, 1, memory_order_relaxed);
	if (!snapshot) {
		if (number < ALWAYS)
			atomic_fetch_add(&shared.missing, 1);
		return;
	}
	if (!queue_name_equal(&snapshot->name, &name) || snapshot->waiting < *last_waiting)
		atomic_fetch_add(&shared.wrong, 1);
	*last_waiting = snapshot->waiting;
}

static void *search_for_a_while(void *unused)
{
	(void)unused;
	int reader = quiescence_add_reader(shared.fixture->quiescence);
	uint64_t waiting[NAMES] = {0};
	while (!atomic_load(&shared.over)) {
		quiescence_enter(shared.fixture->quiescence, reader);
		for (unsigned number = 0; number < 2 * ALWAYS; number++)
			look_once(number, &waiting[number]);
		quiescence_leave(shared.fixture->quiescence, reader);
	}
	return NULL;
}

static void readers_always_find_what_is_there_and_nothing_else(void **state)
{
	shared.fixture = *state;
	struct queue_table *table = shared.fixture->table;
	for (unsigned i = 0; i < ALWAYS; i++)
		assert_int_equal(put(table, i, 0), WR_OK);
	pthread_t readers[READERS];
	for (int i = 0; i < READERS; i++)
		assert_int_equal(pthread_create(&readers[i], NULL, search_for_a_while, NULL), 0);
	WAIT_UNTIL(10000, atomic_load(&shared.looks) > 1000, "readers look");
	dice_start();
	for (unsigned change = 1; change <= CHANGES; change++) {
		assert_int_equal(put(table, (unsigned)dice(ALWAYS), change), WR_OK);
		unsigned passing = ALWAYS + (unsigned)dice(NAMES - ALWAYS);
		if (queue_table_count(table) < QUEUES_MAX)
			assert_int_equal(put(table, passing, change), WR_OK);
		drop(table, ALWAYS + (unsigned)dice(NAMES - ALWAYS));
		drop(table, passing + (unsigned)dice(2));
		quiescence_sweep(shared.fixture->quiescence);
	}
	long looks = atomic_load(&shared.looks);
	WAIT_UNTIL(10000, atomic_load(&shared.looks) > looks + 1000, "readers see the end");
	atomic_store(&shared.over, true);
	for (int i = 0; i < READERS; i++)
		pthread_join(readers[i], NULL);
	assert_int_equal(atomic_load(&shared.missing), 0);
	assert_int_equal(atomic_load(&shared.wrong), 0);
}

#define WITH_TABLE(test) cmocka_unit_test_setup_teardown(test, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_TABLE(a_queue_is_found_by_tenant_and_name),
		WITH_TABLE(a_newer_snapshot_takes_the_place_and_the_old_one_is_retired),
		WITH_TABLE(a_removed_queue_is_not_found_and_may_come_back),
		WITH_TABLE(a_full_table_takes_changes_and_no_new_queue),
		WITH_TABLE(a_table_for_no_queues_finds_none),
		WITH_TABLE(random_histories_agree_with_a_list),
		WITH_TABLE(readers_always_find_what_is_there_and_nothing_else),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
