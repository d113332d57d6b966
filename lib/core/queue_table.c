/* Queue table: a hash table of pointers to snapshots, for one writer and readers without locks.
 *
 * Open addressing, linear probing, at most half full of queues. A slot is an atomic pointer: NULL
 * (a search ends here), a snapshot, or the tombstone that a removed queue leaves (a search goes
 * on). The writer swaps the pointer of a slot and retires what was there; a reader loads it and may
 * look until its turn ends.
 *
 * Tombstones are used again by queues that are added later. When they and the queues fill three
 * quarters of the table, the writer moves the queues to fresh slots, publishes these, and retires
 * the old ones: a reader in the middle of a search goes on in the old slots, which are complete.
 */
#include "waitingroom/queue_table.h"

#include <stdatomic.h>
#include <stdlib.h>

#include "waitingroom/memory.h"

typedef _Atomic(struct queue_snapshot *) queue_slot;

struct slots {
	size_t mask;	 /* capacity − 1 */
	size_t occupied; /* queues and tombstones; the writer's own */
	queue_slot slot[];
};

struct queue_table {
	struct quiescence *quiescence; /* keeps */
	size_t queues_max;
	_Atomic size_t count;
	_Atomic(struct slots *) slots;
};

static struct queue_snapshot tombstone; /* only its address matters */

static struct slots *slots_new(size_t capacity)
{
	struct slots *slots = mem_alloc_zero(1, sizeof(*slots) + capacity * sizeof(queue_slot));
	slots->mask = capacity - 1;
	return slots;
}

static struct slots *slots_of(const struct queue_table *table)
{
	return atomic_load_explicit(&table->slots, memory_order_acquire);
}

static struct queue_snapshot *snapshot_in(const struct slots *slots, size_t at)
{
	return atomic_load_explicit(&slots->slot[at & slots->mask], memory_order_acquire);
}

struct queue_table *queue_table_new(struct quiescence *quiescence, size_t queues_max)
{
	size_t capacity = 2;
	while (capacity < 2 * queues_max)
		capacity *= 2;
	struct queue_table *table = mem_alloc_zero(1, sizeof(*table));
	table->quiescence = quiescence;
	table->queues_max = queues_max;
	atomic_init(&table->slots, slots_new(capacity));
	return table;
}

void queue_table_free(struct queue_table *table)
{
	if (!table)
		return;
	struct slots *slots = slots_of(table);
	for (size_t i = 0; i <= slots->mask; i++)
		if (snapshot_in(slots, i) != &tombstone)
			free(snapshot_in(slots, i));
	free(slots);
	free(table);
}

/* A queue's snapshot, or NULL. It is the one that the search met: to look into its slot again would
 * show what the writer has put there since, which may be another queue. Bounded also while every
 * slot is occupied. */
static struct queue_snapshot *search(const struct slots *slots, const struct queue_name *name,
									 size_t *ret_at)
{
	size_t start = (size_t)queue_name_hash(name);
	for (size_t i = 0; i <= slots->mask; i++) {
		struct queue_snapshot *snapshot = snapshot_in(slots, start + i);
		if (!snapshot)
			return NULL;
		if (snapshot != &tombstone && queue_name_equal(&snapshot->name, name)) {
			*ret_at = (start + i) & slots->mask;
			return snapshot;
		}
	}
	return NULL;
}

static void show(struct slots *slots, size_t at, struct queue_snapshot *snapshot)
{
	atomic_store_explicit(&slots->slot[at & slots->mask], snapshot, memory_order_release);
}

/* Puts a queue that is not there yet into the first slot that is free or has a tombstone; half of
 * them are. */
static void insert(struct slots *slots, struct queue_snapshot *snapshot)
{
	size_t at = (size_t)queue_name_hash(&snapshot->name);
	while (snapshot_in(slots, at) && snapshot_in(slots, at) != &tombstone)
		at++;
	if (!snapshot_in(slots, at))
		slots->occupied++;
	show(slots, at, snapshot);
}

static void leave_tombstones_behind(struct queue_table *table)
{
	struct slots *old = slots_of(table);
	if (old->occupied * 4 < (old->mask + 1) * 3)
		return;
	struct slots *fresh = slots_new(old->mask + 1);
	for (size_t i = 0; i <= old->mask; i++) {
		struct queue_snapshot *snapshot = snapshot_in(old, i);
		if (snapshot && snapshot != &tombstone)
			insert(fresh, snapshot);
	}
	atomic_store_explicit(&table->slots, fresh, memory_order_release);
	quiescence_retire(table->quiescence, old, free);
}

enum wr_err queue_table_put(struct queue_table *table, struct queue_snapshot *snapshot)
{
	size_t at;
	struct queue_snapshot *old = search(slots_of(table), &snapshot->name, &at);
	if (old) {
		show(slots_of(table), at, snapshot);
		quiescence_retire(table->quiescence, old, free);
		return WR_OK;
	}
	if (queue_table_count(table) >= table->queues_max) {
		free(snapshot);
		return WR_LIMIT;
	}
	leave_tombstones_behind(table);
	insert(slots_of(table), snapshot);
	table->count++;
	return WR_OK;
}

void queue_table_remove(struct queue_table *table, const struct queue_name *name)
{
	size_t at;
	struct queue_snapshot *old = search(slots_of(table), name, &at);
	if (!old)
		return;
	show(slots_of(table), at, &tombstone);
	quiescence_retire(table->quiescence, old, free);
	table->count--;
}

const struct queue_snapshot *queue_table_find(const struct queue_table *table,
											  const struct queue_name *name)
{
	size_t at;
	return search(slots_of(table), name, &at);
}

void queue_table_each(const struct queue_table *table,
					  void (*fn)(void *ctx, const struct queue_snapshot *snapshot), void *ctx)
{
	const struct slots *slots = slots_of(table);
	for (size_t i = 0; i <= slots->mask; i++) {
		struct queue_snapshot *snapshot = snapshot_in(slots, i);
		if (snapshot && snapshot != &tombstone)
			fn(ctx, snapshot);
	}
}

size_t queue_table_count(const struct queue_table *table)
{
	return atomic_load_explicit(&table->count, memory_order_relaxed);
}
