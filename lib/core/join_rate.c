/* Join rate: previous × (share of the previous window that still counts) + current.
 *
 * The same arithmetic as the rate limiter's (lib/http/rate_limiter.c), which answers another
 * question: it says no above a limit and does not count what it refused; here everything counts.
 */
#include "waitingroom/join_rate.h"

#include <stdlib.h>

#include "waitingroom/memory.h"

#define WINDOW_MS 10000
#define WINDOWS_PER_MINUTE 6
#define BUCKET_SLOTS 8

struct slot {
	uint64_t key;
	int64_t window; /* 0: never used */
	uint64_t current, previous;
};

struct join_rate {
	uint64_t bucket_mask;
	struct slot slots[];
};

struct join_rate *join_rate_new(uint32_t slots)
{
	uint64_t buckets = 1;
	while (buckets * BUCKET_SLOTS < slots)
		buckets *= 2;
	struct join_rate *rate =
		mem_alloc_zero(1, sizeof(*rate) + buckets * BUCKET_SLOTS * sizeof(rate->slots[0]));
	rate->bucket_mask = buckets - 1;
	return rate;
}

void join_rate_free(struct join_rate *rate)
{
	free(rate);
}

void join_rate_add(struct join_rate *rate, uint64_t key, int64_t now_ms)
{
	struct slot *bucket = &rate->slots[(key & rate->bucket_mask) * BUCKET_SLOTS];
	struct slot *slot = bucket; /* its own, or the oldest */
	int64_t window = now_ms / WINDOW_MS + 1;
	for (struct slot *at = bucket; at < bucket + BUCKET_SLOTS; at++) {
		if (at->key == key && at->window) {
			slot = at;
			break;
		}
		if (at->window < slot->window)
			slot = at;
	}
	if (slot->key != key || slot->window < window - 1)
		*slot = (struct slot){.key = key, .window = window};
	if (slot->window < window) {
		slot->previous = slot->current;
		slot->current = 0;
		slot->window = window;
	}
	slot->current++;
}

uint64_t join_rate_per_minute(const struct join_rate *rate, uint64_t key, int64_t now_ms)
{
	const struct slot *bucket = &rate->slots[(key & rate->bucket_mask) * BUCKET_SLOTS];
	int64_t window = now_ms / WINDOW_MS + 1;
	for (const struct slot *at = bucket; at < bucket + BUCKET_SLOTS; at++) {
		if (at->key != key || !at->window || at->window < window - 1)
			continue;
		uint64_t before = at->window == window ? at->previous : at->current;
		uint64_t now = at->window == window ? at->current : 0;
		uint64_t left = (uint64_t)(WINDOW_MS - now_ms % WINDOW_MS);
		return (before * left / WINDOW_MS + now) * WINDOWS_PER_MINUTE;
	}
	return 0;
}
