/* Rate limiter: a sliding window from two counters per key.
 *
 *     used = previous × (share of the previous window that the sliding one still covers) + current
 *
 * What has been refused is not counted, so hammering does not make the wait longer, and a client
 * that waits as long as it was told gets through.
 *
 * Memory is fixed: a table of small buckets. An entry whose two windows are over is as good as
 * free. When all of a bucket are in use, the oldest goes, and with it the memory of that client:
 * under a flood from more addresses than there are slots the limit becomes more generous, never the
 * reverse.
 */
#include "waitingroom/router.h"

#include "waitingroom/memory.h"

#include <assert.h>
#include <stdlib.h>

#define BUCKET_SLOTS 8

struct slot {
	uint64_t key;
	int64_t window; /* number of the current window, from 1; 0: never used */
	uint32_t current, previous;
};

struct rate_limiter {
	uint32_t limit;
	int64_t window_ms;
	uint64_t evictions;
	uint64_t bucket_mask;
	struct slot slots[];
};

struct rate_limiter *rate_limiter_new(uint32_t limit, uint32_t window_s, uint32_t slots)
{
	assert(limit && window_s);
	uint64_t buckets = 1;
	while (buckets * BUCKET_SLOTS < slots)
		buckets *= 2;
	struct rate_limiter *limiter =
		mem_alloc_zero(1, sizeof(*limiter) + buckets * BUCKET_SLOTS * sizeof(limiter->slots[0]));
	limiter->limit = limit;
	limiter->window_ms = (int64_t)window_s * 1000;
	limiter->bucket_mask = buckets - 1;
	return limiter;
}

void rate_limiter_free(struct rate_limiter *limiter)
{
	free(limiter);
}

uint64_t rate_limiter_evictions(const struct rate_limiter *limiter)
{
	return limiter->evictions;
}

static struct slot *slot_of(struct rate_limiter *limiter, uint64_t key, int64_t window)
{
	struct slot *bucket = &limiter->slots[(key & limiter->bucket_mask) * BUCKET_SLOTS];
	struct slot *oldest = bucket;
	for (struct slot *slot = bucket; slot < bucket + BUCKET_SLOTS; slot++) {
		if (slot->key == key && slot->window)
			return slot;
		if (slot->window < oldest->window)
			oldest = slot;
	}
	if (oldest->window && oldest->window >= window - 1)
		limiter->evictions++;
	*oldest = (struct slot){.key = key, .window = window};
	return oldest;
}

static void slide(struct slot *slot, int64_t window)
{
	if (slot->window == window)
		return;
	slot->previous = slot->window == window - 1 ? slot->current : 0;
	slot->current = 0;
	slot->window = window;
}

/* Milliseconds until one more fits, when 'elapsed' of the current window has passed. */
static int64_t wait_ms(const struct rate_limiter *limiter, const struct slot *slot, int64_t elapsed)
{
	int64_t window = limiter->window_ms, limit = limiter->limit;
	if (slot->current < limit) /* the previous window is in the way, and fades */
		return window - (limit - slot->current) * window / slot->previous + 1 - elapsed;
	return window - elapsed + window - limit * window / slot->current + 1;
}

bool rate_limiter_take(struct rate_limiter *limiter, uint64_t key_hash, int64_t now_ms,
					   uint32_t *ret_remaining, uint32_t *ret_reset_s)
{
	int64_t window = now_ms / limiter->window_ms + 1, elapsed = now_ms % limiter->window_ms;
	struct slot *slot = slot_of(limiter, key_hash, window);
	slide(slot, window);
	int64_t faded = slot->previous * (limiter->window_ms - elapsed) / limiter->window_ms;
	int64_t left = (int64_t)limiter->limit - faded - slot->current;
	bool passes = left > 0;
	int64_t reset_ms = passes ? limiter->window_ms - elapsed : wait_ms(limiter, slot, elapsed);
	slot->current += passes;
	*ret_remaining = passes ? (uint32_t)(left - 1) : 0;
	*ret_reset_s = (uint32_t)((reset_ms + 999) / 1000);
	return passes;
}
