/* Backoff: see the header. */
#include "backoff.h"

#define FIRST_MS 100
#define LONGEST_MS 5000

/* xorshift64: spreads the retries of several pods, nothing more. */
static uint64_t next_random(struct backoff *backoff)
{
	backoff->random ^= backoff->random << 13;
	backoff->random ^= backoff->random >> 7;
	backoff->random ^= backoff->random << 17;
	return backoff->random;
}

void backoff_failed(struct backoff *backoff, struct mono_time now)
{
	int64_t ms = FIRST_MS;
	for (uint32_t i = 0; i < backoff->failures && ms < LONGEST_MS; i++)
		ms *= 2;
	if (ms > LONGEST_MS)
		ms = LONGEST_MS;
	backoff->failures++;
	int64_t jitter = (int64_t)(next_random(backoff) % (uint64_t)(ms / 2 + 1)) - ms / 4;
	backoff->retry_at = mono_add_ms(now, ms + jitter);
}

bool backoff_pauses(const struct backoff *backoff, struct mono_time now)
{
	return backoff->failures && now.ns < backoff->retry_at.ns;
}
