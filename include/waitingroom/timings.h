/* Timings: how long things took, as Prometheus wants it: counts by upper bound, and the sum.
 *
 * What     A histogram of durations whose bounds are the same everywhere, so that panels compare.
 * Used by  metrics, store, events, cmd/api.
 * Threads  one writer; any thread reads (relaxed: a reader may miss an event of this instant).
 */
#ifndef WAITINGROOM_TIMINGS_H
#define WAITINGROOM_TIMINGS_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#define TIMINGS_BOUNDS 16

struct timings { /* zero-filled is empty */
	_Atomic uint64_t count[TIMINGS_BOUNDS + 1];
	_Atomic uint64_t sum_us;
};

/* Upper bounds in microseconds, rising: heartbeats take tens, store steps a millisecond, trouble
 * seconds, a broker that is away minutes. 100 ms and 250 ms are what the alerts are about. */
extern const int64_t timings_bound_us[TIMINGS_BOUNDS];

/* The bucket that a time counts in: the first whose bound it does not exceed; TIMINGS_BOUNDS:
 * none. */
unsigned timings_bucket(int64_t us);
void timings_add(struct timings *timings, int64_t us); /* a negative time counts as none */

struct timings_sum { /* plain copy */
	uint64_t count[TIMINGS_BOUNDS + 1], sum_us;
};
/* Adds what is in 'timings' to *sum, which the caller has cleared. */
void timings_add_to(const struct timings *timings, struct timings_sum *sum);

#endif
