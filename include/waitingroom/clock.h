/* Clocks. Monotonic and wall-clock times are different types, so that mixing them does not compile.
 *
 * What     The only place that reads a clock. Read once per event or tick, pass 'now' down.
 * Used by  cmd/, lib/{store,events,http,ops}; lib/core takes times as arguments.
 * Threads  any.
 */
#ifndef WAITINGROOM_CLOCK_H
#define WAITINGROOM_CLOCK_H

#include <stdint.h>

struct mono_time {
	int64_t ns; /* CLOCK_MONOTONIC; only differences mean something, only inside one machine */
};

struct wall_time {
	int64_t ms; /* milliseconds since 1970-01-01 UTC; also used for the store's time */
};

struct mono_time clock_mono(void);
struct wall_time clock_wall(void);
int64_t clock_wall_ns(void); /* nanoseconds since 1970, for traces */

/* Milliseconds (rounded down) from 'from' to 'to'; negative when 'to' is earlier. */
static inline int64_t mono_diff_ms(struct mono_time from, struct mono_time to)
{
	return (to.ns - from.ns) / 1000000;
}

static inline struct mono_time mono_add_ms(struct mono_time at, int64_t ms)
{
	return (struct mono_time){.ns = at.ns + ms * 1000000};
}

#endif
