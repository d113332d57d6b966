/* Quiescence: frees retired things when no reader can still see them.
 *
 * A counter, the epoch, is raised with every retirement. A reader writes down the epoch it saw when
 * its turn began, and 0 when it goes to wait. A thing retired as number e can be freed when every
 * reader shows 0 (it will look at the new pointer when it comes back) or at least e (its turn began
 * after the pointer was swapped).
 *
 * Who writes: each reader its own cache line; the epoch and the list of retired things under
 * 'lock', which readers never touch. The order that all of this rests on: a reader's mark must be
 * visible before its first look at a shared pointer, and the writer's swap before it reads the
 * marks; hence the two full fences.
 */
#include "waitingroom/quiescence.h"

#include "waitingroom/memory.h"

#include <assert.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>

#define CACHE_LINE_BYTES 64
#define WAITING 0 /* a reader that holds nothing */

struct retired {
	struct retired *next;
	uint64_t epoch;
	void *thing;
	void (*free_fn)(void *);
};

struct reader {
	_Alignas(CACHE_LINE_BYTES) _Atomic uint64_t seen;
};

struct quiescence {
	_Alignas(CACHE_LINE_BYTES) _Atomic uint64_t epoch;
	_Atomic int reader_count;
	pthread_mutex_t lock;
	struct retired *oldest, **next_free; /* in order of epoch */
	size_t pending;
	struct reader readers[QUIESCENCE_READERS_MAX];
};

/* ThreadSanitizer does not model fences; it models the acquire and release around them, which is
 * all that it needs to see that a free comes after the last look. */
static void full_fence(void)
{
#if defined(__SANITIZE_THREAD__)
#define HAS_THREAD_SANITIZER 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define HAS_THREAD_SANITIZER 1
#endif
#endif
#ifndef HAS_THREAD_SANITIZER
	atomic_thread_fence(memory_order_seq_cst);
#endif
}

struct quiescence *quiescence_new(void)
{
	struct quiescence *q = aligned_alloc(CACHE_LINE_BYTES, sizeof(*q));
	if (!q)
		abort();
	*q = (struct quiescence){.epoch = 1};
	q->next_free = &q->oldest;
	pthread_mutex_init(&q->lock, NULL);
	return q;
}

static void free_list(struct retired *item)
{
	while (item) {
		struct retired *next = item->next;
		item->free_fn(item->thing);
		free(item);
		item = next;
	}
}

void quiescence_free(struct quiescence *q)
{
	if (!q)
		return;
	for (int i = 0; i < q->reader_count; i++)
		assert(q->readers[i].seen == WAITING);
	free_list(q->oldest);
	pthread_mutex_destroy(&q->lock);
	free(q);
}

int quiescence_add_reader(struct quiescence *q)
{
	pthread_mutex_lock(&q->lock);
	int reader = q->reader_count < QUIESCENCE_READERS_MAX ? q->reader_count++ : -1;
	pthread_mutex_unlock(&q->lock);
	return reader;
}

void quiescence_enter(struct quiescence *q, int reader)
{
	uint64_t epoch = atomic_load_explicit(&q->epoch, memory_order_acquire);
	atomic_store_explicit(&q->readers[reader].seen, epoch, memory_order_seq_cst);
	full_fence();
}

void quiescence_leave(struct quiescence *q, int reader)
{
	atomic_store_explicit(&q->readers[reader].seen, WAITING, memory_order_release);
}

void quiescence_retire(struct quiescence *q, void *thing, void (*free_fn)(void *))
{
	struct retired *item = mem_alloc_zero(1, sizeof(*item));
	item->thing = thing;
	item->free_fn = free_fn;
	pthread_mutex_lock(&q->lock);
	item->epoch = atomic_fetch_add_explicit(&q->epoch, 1, memory_order_seq_cst) + 1;
	*q->next_free = item;
	q->next_free = &item->next;
	q->pending++;
	pthread_mutex_unlock(&q->lock);
}

/* The highest epoch whose things nobody can see any more. */
static uint64_t unseen_up_to(struct quiescence *q)
{
	full_fence();
	uint64_t lowest = UINT64_MAX;
	for (int i = 0; i < q->reader_count; i++) {
		uint64_t seen = atomic_load_explicit(&q->readers[i].seen, memory_order_seq_cst);
		if (seen != WAITING && seen < lowest)
			lowest = seen;
	}
	return lowest;
}

void quiescence_sweep(struct quiescence *q)
{
	pthread_mutex_lock(&q->lock);
	struct retired *free_these = q->oldest, **end = &free_these;
	uint64_t limit = free_these ? unseen_up_to(q) : 0;
	while (*end && (*end)->epoch <= limit) {
		end = &(*end)->next;
		q->pending--;
	}
	q->oldest = *end;
	*end = NULL;
	if (!q->oldest)
		q->next_free = &q->oldest;
	pthread_mutex_unlock(&q->lock);
	free_list(free_these); /* outside the lock: free_fn may retire something itself */
}

size_t quiescence_pending(struct quiescence *q)
{
	pthread_mutex_lock(&q->lock);
	size_t pending = q->pending;
	pthread_mutex_unlock(&q->lock);
	return pending;
}
