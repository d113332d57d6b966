/* Exemplars: for each bar of a histogram of requests, a trace that fell into it.
 *
 * Somebody who sees a slow bar in a panel can open a request of it. Kept only where requests are
 * traced, shown only in OpenMetrics, which has a place for them.
 *
 * Used by  cmd/api.
 * Threads  any; behind a lock, held for the copy of a few dozen bytes. Only sampled requests come here.
 */
#ifndef WAITINGROOM_EXEMPLARS_H
#define WAITINGROOM_EXEMPLARS_H

#include "waitingroom/clock.h"
#include "waitingroom/timings.h"
#include "waitingroom/trace.h"

struct exemplar {
	char trace_id[TRACE_ID_CHARS + 1]; /* "": none yet */
	int64_t us;
	struct wall_time at;
};

struct exemplars;
struct exemplars *exemplars_new(void); /* gives; empty */
void exemplars_free(struct exemplars *exemplars);
/* A sampled request of this endpoint (below METRIC_ENDPOINTS_MAX) has taken so long. */
void exemplars_note(struct exemplars *exemplars, unsigned endpoint, int64_t us,
					const uint8_t trace_id[TRACE_ID_BYTES], struct wall_time now);
/* fills those of one endpoint, by bucket; all empty when 'exemplars' is NULL. */
void exemplars_copy(struct exemplars *exemplars, unsigned endpoint,
					struct exemplar ret_exemplars[TIMINGS_BOUNDS + 1]);

#endif
