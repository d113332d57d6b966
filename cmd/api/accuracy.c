/* Accuracy: what this pod's calibration has found since it last told goes into the figures of the
 * minute, where those of all pods add up. What the store did not take is told the next time.
 */
#include "accuracy.h"

#include <string.h>

#include "waitingroom/stats.h"
#include "waitingroom/store.h"

#define TELL_INTERVAL_MS 10000

struct telling {
	bool done;
	enum wr_err err;
};

static void on_noted(void *ctx, enum wr_err err)
{
	struct telling *telling = ctx;
	telling->done = true;
	telling->err = err;
}

void accuracy_tell(struct followed *followed, struct store *store, struct mono_time now)
{
	struct calibration_counts counts = {.within = 0};
	struct stat_sum sums[STAT_SUMS_MAX];
	if (mono_diff_ms(followed->told_at, now) < TELL_INTERVAL_MS)
		return;
	followed->told_at = now;
	for (size_t i = 0; i < followed->lane_count; i++)
		calibration_add(&counts, &followed->lanes[i].calibration.counts);
	int count = queue_stats_news(&followed->told, &counts, sums);
	if (count == 0) {
		followed->told = counts;
		return;
	}
	struct telling telling = {.done = false};
	store_note_stats(store, &followed->name, false, sums, (size_t)count, on_noted, &telling);
	store_wait(store, &telling.done);
	if (telling.err == WR_OK)
		followed->told = counts;
}
