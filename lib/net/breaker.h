/* Circuit breaker: is it worth asking somebody who may be away? Pure; time is an argument.
 *
 *     closed ──5 failures in a row──► open ──after a while──► half open: one question goes through
 *        ▲                             ▲                              │
 *        └──────────success────────────┴──────────failure─────────────┘  (and longer each time)
 */
#ifndef NET_BREAKER_H
#define NET_BREAKER_H

#include <stdbool.h>
#include <stdint.h>

#include "waitingroom/clock.h"

#define BREAKER_FAILURES 5
#define BREAKER_PAUSE_MS 5000
#define BREAKER_PAUSE_MOST_MS 60000

struct breaker {	   /* zero: closed */
	unsigned failures; /* in a row */
	int64_t pause_ms;  /* 0: closed */
	struct mono_time open_until;
	bool on_trial; /* the one question is under way */
	uint64_t opened;
};

/* Would a question be let through? */
bool breaker_is_closed_or_due(const struct breaker *breaker, struct mono_time now);
/* Lets it through, and then breaker_done must be called; or not. */
bool breaker_try(struct breaker *breaker, struct mono_time now);
void breaker_done(struct breaker *breaker, struct mono_time now, bool succeeded);

#endif
