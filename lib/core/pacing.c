/* Pacing: the time until the next poll, and Retry-After.
 *
 * Three wishes, the longest wins: by distance, from the queue's minimum at the front to its maximum
 * FAR_AHEAD people away; by load, so that all who wait together do not poll faster than the service
 * wants to take. Then a wait that is nearly over halves it, and a very long one doubles it.
 *
 * Jitter is drawn around the result and must survive the limits: cutting it off at the maximum
 * would send half of a far crowd in step. So the middle is moved inwards first, by as much as the
 * jitter needs.
 */
#include "waitingroom/pacing.h"

#include <assert.h>

#define FAR_AHEAD 2000
#define NEARLY_OVER_S 120
#define VERY_LONG_S 1200
#define FIRST_POLL_MS 1000 /* a place counts only from its first poll, so that comes soon */
#define RETRY_MAX_S 86400

static int64_t max_i64(int64_t a, int64_t b)
{
	return a > b ? a : b;
}

static int64_t min_i64(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

/* Evenly from low to high, both included; low when there is nothing between. */
static int64_t draw_between(int64_t low, int64_t high, uint32_t random)
{
	if (high <= low)
		return low;
	return low + (int64_t)((uint64_t)random * (uint64_t)(high - low + 1) >> 32);
}

static int64_t by_distance_ms(const struct pacing *pacing, uint64_t ahead)
{
	int64_t distance = ahead < FAR_AHEAD ? (int64_t)ahead : FAR_AHEAD;
	return pacing->poll_min_ms + (pacing->poll_max_ms - pacing->poll_min_ms) * distance / FAR_AHEAD;
}

static int64_t by_load_ms(const struct pacing *pacing)
{
	if (pacing->polls_per_s_max == 0)
		return 0;
	double ms = (double)pacing->waiting * 1000 / (double)pacing->polls_per_s_max;
	return ms < (double)pacing->poll_max_ms ? (int64_t)ms : pacing->poll_max_ms;
}

int64_t poll_after_ms(const struct pacing *pacing, uint64_t ahead, int64_t wait_low_s,
					  uint32_t random)
{
	int64_t middle = max_i64(by_distance_ms(pacing, ahead), by_load_ms(pacing));
	if (wait_low_s >= 0 && wait_low_s < NEARLY_OVER_S)
		middle /= 2;
	else if (wait_low_s > VERY_LONG_S)
		middle *= 2;
	middle = min_i64(max_i64(middle, pacing->poll_min_ms * 5 / 4), pacing->poll_max_ms * 5 / 6);
	int64_t low = max_i64(middle * 4 / 5, pacing->poll_min_ms);
	int64_t high = min_i64(middle * 6 / 5, pacing->poll_max_ms);
	return draw_between(low, high, random);
}

int64_t first_poll_after_ms(const struct pacing *pacing, uint32_t random)
{
	int64_t high = min_i64(2 * FIRST_POLL_MS, pacing->first_heartbeat_ms * 2 / 5);
	return draw_between(high / 2, high - 1, random);
}

int64_t retry_after_s(int64_t base_s, uint32_t random)
{
	int64_t base = min_i64(max_i64(base_s, 1), RETRY_MAX_S);
	return draw_between(base, 2 * base, random);
}

/* Vigna, "An experimental exploration of Marsaglia's xorshift generators, scrambled", 2016. */
uint32_t jitter_next(uint64_t *state)
{
	uint64_t x = *state;
	assert(x != 0);
	x ^= x >> 12;
	x ^= x << 25;
	x ^= x >> 27;
	*state = x;
	return (uint32_t)(x * UINT64_C(0x2545F4914F6CDD1D) >> 32);
}
