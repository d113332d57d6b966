/* Forecast: what would other settings do to the waits of the people who are in line now?
 *
 * For the head, the middle and the tail of each lane: the wait as visitors are shown it, and the
 * one that they would be shown under the other settings. What is not known (a pause, nothing
 * measured yet where the capacity decides) is not guessed.
 *
 * What     Pure: settings, the line and its wait models in, ranges and sentences out.
 * Used by  cmd/api: dry runs of the admin API.
 * Threads  any.
 */
#ifndef WAITINGROOM_FORECAST_H
#define WAITINGROOM_FORECAST_H

#include <stddef.h>
#include <stdint.h>

#include "waitingroom/err.h"
#include "waitingroom/estimate.h"
#include "waitingroom/settings.h"

struct forecast_now {
	const struct queue_settings *settings;
	int64_t now_ms; /* of the store */
	uint64_t active;
	bool recovering;						  /* nobody is let in, whatever the settings */
	uint64_t waiting[QUEUE_LANES_MAX];		  /* as the lanes in settings */
	struct wait_model model[QUEUE_LANES_MAX]; /* what visitors are shown now */
};

struct forecast_row {
	const char *lane;  /* lent by the settings of now */
	const char *place; /* "head", "middle", "tail" */
	uint64_t ahead;
	struct wait_range now, then; /* not known: null */
};
#define FORECAST_ROWS_MAX (3 * QUEUE_LANES_MAX)
#define FORECAST_WARNINGS_MAX 12

struct forecast {
	size_t row_count, warning_count;
	struct forecast_row rows[FORECAST_ROWS_MAX];
	struct err_detail warnings[FORECAST_WARNINGS_MAX]; /* what an operator may not have meant */
};
void forecast_make(const struct forecast_now *now, const struct queue_settings *then,
				   struct forecast *ret_forecast);

#endif
