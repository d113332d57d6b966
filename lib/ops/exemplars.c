/* Exemplars: the last sampled request of each endpoint and bucket. */
#include "waitingroom/exemplars.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "waitingroom/memory.h"
#include "waitingroom/metrics.h"

struct exemplars {
	pthread_mutex_t lock; /* guards the table */
	struct exemplar table[METRIC_ENDPOINTS_MAX][TIMINGS_BOUNDS + 1];
};

struct exemplars *exemplars_new(void)
{
	struct exemplars *exemplars = mem_alloc_zero(1, sizeof(*exemplars));
	pthread_mutex_init(&exemplars->lock, NULL);
	return exemplars;
}

void exemplars_free(struct exemplars *exemplars)
{
	if (exemplars == NULL)
		return;
	pthread_mutex_destroy(&exemplars->lock);
	free(exemplars);
}

void exemplars_note(struct exemplars *exemplars, unsigned endpoint, int64_t us,
					const uint8_t trace_id[TRACE_ID_BYTES], struct wall_time now)
{
	struct exemplar exemplar = {.us = us, .at = now};
	trace_hex_print(trace_id, TRACE_ID_BYTES, exemplar.trace_id);
	pthread_mutex_lock(&exemplars->lock);
	exemplars->table[endpoint][timings_bucket(us)] = exemplar;
	pthread_mutex_unlock(&exemplars->lock);
}

void exemplars_copy(struct exemplars *exemplars, unsigned endpoint,
					struct exemplar ret_exemplars[TIMINGS_BOUNDS + 1])
{
	if (exemplars == NULL) {
		memset(ret_exemplars, 0, (TIMINGS_BOUNDS + 1) * sizeof(*ret_exemplars));
		return;
	}
	pthread_mutex_lock(&exemplars->lock);
	memcpy(ret_exemplars, exemplars->table[endpoint], sizeof(exemplars->table[endpoint]));
	pthread_mutex_unlock(&exemplars->lock);
}
