/* Backoff: pauses that grow from failure to failure, a little different in every process.
 *
 * What     Arithmetic on one small struct; the first failure of a row is the one to log.
 * Used by  relay.c, feeds.c.
 * Threads  the owner's.
 */
#ifndef EVENTS_BACKOFF_H
#define EVENTS_BACKOFF_H

#include <stdbool.h>
#include <stdint.h>

#include "waitingroom/clock.h"

struct backoff {
	uint32_t failures; /* in a row; the owner sets 0 after a success */
	struct mono_time retry_at;
	uint64_t random; /* any start but 0 */
};

/* One more failure: retry_at is 100 ms, 200 ms, … 5 s from now, give or take a quarter. */
void backoff_failed(struct backoff *backoff, struct mono_time now);
bool backoff_pauses(const struct backoff *backoff, struct mono_time now); /* not yet retry_at */

#endif
