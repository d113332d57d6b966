/* An outbox in memory: per queue an array of entries in order, of which the first may be gone. */
#include "support/memory_outbox.h"

#include "waitingroom/clock.h"
#include "waitingroom/memory.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define QUEUES_MAX 64
#define READERS_MAX 8

struct kept {
	struct outbox_entry entry; /* its texts are ours */
	size_t number;
	bool removed;
};

struct kept_queue {
	struct queue_name name;
	struct kept *entries;
	size_t count, first; /* everything before 'first' is removed */
	const char *holder;	 /* of the lease, or NULL */
	struct mono_time lease_end;
};

struct reader {
	struct memory_outbox *outbox;
	const char *owner;
	int64_t lease_ms;
};

struct memory_outbox {
	pthread_mutex_t mutex;
	struct kept_queue queues[QUEUES_MAX];
	size_t queue_count, added, length, calls;
	struct reader readers[READERS_MAX];
	size_t reader_count;
	bool away;
};

struct memory_outbox *memory_outbox_new(void)
{
	struct memory_outbox *outbox = mem_alloc_zero(1, sizeof(*outbox));
	pthread_mutex_init(&outbox->mutex, NULL);
	return outbox;
}

void memory_outbox_free(struct memory_outbox *outbox)
{
	for (size_t i = 0; i < outbox->queue_count; i++) {
		struct kept_queue *queue = &outbox->queues[i];
		for (size_t k = 0; k < queue->count; k++) {
			free((char *)queue->entries[k].entry.people);
			free((char *)queue->entries[k].entry.data);
		}
		free(queue->entries);
	}
	pthread_mutex_destroy(&outbox->mutex);
	free(outbox);
}

static struct kept_queue *find_queue(struct memory_outbox *outbox, const struct queue_name *name)
{
	for (size_t i = 0; i < outbox->queue_count; i++) {
		if (queue_name_equal(&outbox->queues[i].name, name))
			return &outbox->queues[i];
	}
	return NULL;
}

void memory_outbox_add(struct memory_outbox *outbox, const struct queue_name *name,
					   const struct outbox_entry *entry)
{
	pthread_mutex_lock(&outbox->mutex);
	struct kept_queue *queue = find_queue(outbox, name);
	if (!queue) {
		if (outbox->queue_count == QUEUES_MAX)
			abort();
		queue = &outbox->queues[outbox->queue_count++];
		queue->name = *name;
	}
	queue->entries = mem_grow(queue->entries, queue->count + 1, sizeof(*queue->entries));
	struct kept *kept = &queue->entries[queue->count++];
	*kept = (struct kept){.entry = *entry, .number = outbox->added++};
	snprintf(kept->entry.id, sizeof(kept->entry.id), "%zu-0", kept->number + 1);
	kept->entry.people = mem_copy(entry->people, entry->people_len);
	kept->entry.data = mem_copy_string(entry->data);
	outbox->length++;
	pthread_mutex_unlock(&outbox->mutex);
}

/* ---- the source ---- */

/* Locks; NULL and not locked when the store is away. */
static struct memory_outbox *begin(void *ctx)
{
	struct memory_outbox *outbox = ((struct reader *)ctx)->outbox;
	pthread_mutex_lock(&outbox->mutex);
	outbox->calls++;
	if (!outbox->away)
		return outbox;
	pthread_mutex_unlock(&outbox->mutex);
	return NULL;
}

static enum wr_err source_queues(void *ctx, struct queue_name *ret_names, size_t room,
								 size_t *ret_count)
{
	struct memory_outbox *outbox = begin(ctx);
	if (!outbox)
		return WR_STORE_AWAY;
	size_t count = outbox->queue_count < room ? outbox->queue_count : room;
	for (size_t i = 0; i < count; i++)
		ret_names[i] = outbox->queues[i].name;
	*ret_count = count;
	pthread_mutex_unlock(&outbox->mutex);
	return WR_OK;
}

static enum wr_err source_lease(void *ctx, const struct queue_name *name, bool *ret_mine)
{
	const struct reader *reader = ctx;
	struct memory_outbox *outbox = begin(ctx);
	if (!outbox)
		return WR_STORE_AWAY;
	struct kept_queue *queue = find_queue(outbox, name);
	struct mono_time now = clock_mono();
	bool is_free = !queue->holder || queue->lease_end.ns <= now.ns;
	*ret_mine = is_free || strcmp(queue->holder, reader->owner) == 0;
	if (*ret_mine) {
		queue->holder = reader->owner;
		queue->lease_end = mono_add_ms(now, reader->lease_ms);
	}
	pthread_mutex_unlock(&outbox->mutex);
	return WR_OK;
}

static size_t number_of(const char *id)
{
	return (size_t)strtoull(id, NULL, 10); /* "<number + 1>-0"; "0" comes before all */
}

static void copy_out(const struct kept *kept, struct outbox_batch *batch, char **memory)
{
	struct outbox_entry *entry = &batch->entries[batch->count++];
	*entry = kept->entry;
	entry->people = memcpy(*memory, kept->entry.people, kept->entry.people_len);
	*memory += kept->entry.people_len;
	entry->data = strcpy(*memory, kept->entry.data);
	*memory += strlen(kept->entry.data) + 1;
}

static enum wr_err source_read(void *ctx, const struct queue_name *name, const char *after_id,
							   size_t limit, struct outbox_batch *ret_batch)
{
	struct memory_outbox *outbox = begin(ctx);
	if (!outbox)
		return WR_STORE_AWAY;
	const struct kept_queue *queue = find_queue(outbox, name);
	size_t bytes = 0, after = number_of(after_id);
	struct outbox_batch batch = {.entries = mem_alloc_zero(limit, sizeof(*batch.entries))};
	for (int pass = 0; pass < 2; pass++) { /* sizes, then copies */
		char *memory = batch.memory;
		size_t found = 0;
		for (size_t i = queue->first; i < queue->count && found < limit; i++) {
			const struct kept *kept = &queue->entries[i];
			if (kept->removed || kept->number + 1 <= after)
				continue;
			found++;
			if (pass == 0)
				bytes += kept->entry.people_len + strlen(kept->entry.data) + 1;
			else
				copy_out(kept, &batch, &memory);
		}
		if (pass == 0)
			batch.memory = mem_alloc_zero(bytes, 1);
	}
	pthread_mutex_unlock(&outbox->mutex);
	*ret_batch = batch;
	return WR_OK;
}

static enum wr_err source_remove(void *ctx, const struct queue_name *name, const char (*ids)[48],
								 size_t count)
{
	struct memory_outbox *outbox = begin(ctx);
	if (!outbox)
		return WR_STORE_AWAY;
	struct kept_queue *queue = find_queue(outbox, name);
	for (size_t i = 0; i < count; i++) {
		for (size_t k = queue->first; k < queue->count; k++) {
			struct kept *kept = &queue->entries[k];
			if (kept->removed || strcmp(kept->entry.id, ids[i]) != 0)
				continue;
			kept->removed = true;
			outbox->length--;
			break;
		}
		while (queue->first < queue->count && queue->entries[queue->first].removed)
			queue->first++;
	}
	pthread_mutex_unlock(&outbox->mutex);
	return WR_OK;
}

static void source_release(void *ctx)
{
	const struct reader *reader = ctx;
	struct memory_outbox *outbox = begin(ctx);
	if (!outbox)
		return;
	for (size_t i = 0; i < outbox->queue_count; i++) {
		struct kept_queue *queue = &outbox->queues[i];
		if (queue->holder && strcmp(queue->holder, reader->owner) == 0)
			queue->holder = NULL;
	}
	pthread_mutex_unlock(&outbox->mutex);
}

struct outbox_source memory_outbox_source(struct memory_outbox *outbox, const char *owner,
										  int64_t lease_ms)
{
	pthread_mutex_lock(&outbox->mutex);
	if (outbox->reader_count == READERS_MAX)
		abort();
	struct reader *reader = &outbox->readers[outbox->reader_count++];
	*reader = (struct reader){outbox, owner, lease_ms};
	pthread_mutex_unlock(&outbox->mutex);
	return (struct outbox_source){
		.ctx = reader,
		.queues = source_queues,
		.lease = source_lease,
		.read = source_read,
		.remove = source_remove,
		.release = source_release,
	};
}

/* ---- for the test ---- */

size_t memory_outbox_length(struct memory_outbox *outbox)
{
	pthread_mutex_lock(&outbox->mutex);
	size_t length = outbox->length;
	pthread_mutex_unlock(&outbox->mutex);
	return length;
}

size_t memory_outbox_calls(struct memory_outbox *outbox)
{
	pthread_mutex_lock(&outbox->mutex);
	size_t calls = outbox->calls;
	pthread_mutex_unlock(&outbox->mutex);
	return calls;
}

bool memory_outbox_has(struct memory_outbox *outbox, size_t number)
{
	bool has = false;
	pthread_mutex_lock(&outbox->mutex);
	for (size_t i = 0; i < outbox->queue_count; i++) {
		const struct kept_queue *queue = &outbox->queues[i];
		for (size_t k = queue->first; k < queue->count; k++)
			has = has || (queue->entries[k].number == number && !queue->entries[k].removed);
	}
	pthread_mutex_unlock(&outbox->mutex);
	return has;
}

void memory_outbox_set_away(struct memory_outbox *outbox, bool away)
{
	pthread_mutex_lock(&outbox->mutex);
	outbox->away = away;
	pthread_mutex_unlock(&outbox->mutex);
}

void memory_outbox_give_leases(struct memory_outbox *outbox, const char *owner)
{
	pthread_mutex_lock(&outbox->mutex);
	for (size_t i = 0; i < outbox->queue_count; i++) {
		outbox->queues[i].holder = owner;
		outbox->queues[i].lease_end = mono_add_ms(clock_mono(), 60000);
	}
	pthread_mutex_unlock(&outbox->mutex);
}
