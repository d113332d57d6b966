/* Pacing: when should this visitor ask again? Decided here, never by the client.
 *
 * By distance from the front (people near it ask more often), by load (waiting people against the
 * rate of polls that the pods can take), × 2 for long waits, always within the queue's minimum and
 * maximum, with ±20 % jitter so that nobody comes in step. The first poll of a new place comes
 * within 2 s, and with time to spare before the place would expire for want of it.
 *
 * What     Pure; randomness is an argument.
 * Used by  cmd/api.
 * Threads  any.
 */
#ifndef WAITINGROOM_PACING_H
#define WAITINGROOM_PACING_H

#include <stdint.h>

struct pacing {
	int64_t poll_min_ms, poll_max_ms, first_heartbeat_ms;
	uint64_t waiting;		  /* in the whole queue */
	uint64_t polls_per_s_max; /* what the service wants to take for this queue; 0: no opinion */
};

/* ahead: people before this one; wait_low_s: the estimate, or -1; random: 32 random bits. */
int64_t poll_after_ms(const struct pacing *pacing, uint64_t ahead, int64_t wait_low_s,
					  uint32_t random);
int64_t first_poll_after_ms(const struct pacing *pacing, uint32_t random); /* 1000..1999, or less */
/* Retry-After in whole seconds, base..2*base, so that a crowd is spread. base_s >= 1 */
int64_t retry_after_s(int64_t base_s, uint32_t random);

/* xorshift64*: a fast generator for jitter only; state must not be 0. */
uint32_t jitter_next(uint64_t *state);

#endif
