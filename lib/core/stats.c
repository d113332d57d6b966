/* Stats: what follows from an hour of figures.
 *
 * A sliding minute is estimated as the join limits do it: all of the minute that has begun and of
 * the one before the share that still lies within 60 seconds. So a figure does not fall to nothing
 * each time when a minute begins.
 */
#include "waitingroom/stats.h"

#include <assert.h>
#include <math.h>

#define MINUTE_MS 60000

const char *stat_word(enum stat_kind stat)
{
#define STAT_WORD(name, figure, otherwise) figure,
	static const char *const words[] = {STAT_TABLE(STAT_WORD)};
#undef STAT_WORD
	assert((unsigned)stat < STAT_COUNT);
	return words[stat];
}

void queue_stats_init(struct queue_stats *ret_stats, int64_t now_ms)
{
#define STAT_OTHERWISE(name, figure, otherwise) otherwise,
	static const int otherwise[] = {STAT_TABLE(STAT_OTHERWISE)};
#undef STAT_OTHERWISE
	ret_stats->now_ms = now_ms;
	ret_stats->from_ms = (now_ms / MINUTE_MS - STATS_MINUTES + 1) * MINUTE_MS;
	for (int stat = 0; stat < STAT_COUNT; stat++)
		for (int i = 0; i < STATS_MINUTES; i++)
			ret_stats->of[stat][i] = otherwise[stat];
}

int64_t queue_stats_sum(const struct queue_stats *stats, enum stat_kind stat)
{
	int64_t sum = 0;
	for (int i = 0; i < STATS_MINUTES; i++)
		if (stats->of[stat][i] != STAT_UNKNOWN)
			sum += stats->of[stat][i];
	return sum;
}

double queue_stats_per_minute(const struct queue_stats *stats, enum stat_kind stat)
{
	double left = (double)(MINUTE_MS - stats->now_ms % MINUTE_MS) / MINUTE_MS;
	return (double)stats->of[stat][STATS_MINUTES - 1] +
		   (double)stats->of[stat][STATS_MINUTES - 2] * left;
}

double queue_stats_no_show_share(const struct queue_stats *stats)
{
	int64_t admitted = queue_stats_sum(stats, STAT_ADMITTED);
	if (admitted == 0)
		return -1;
	/* Whoever did not come may have been let in before the hour began. */
	return fmin(1, (double)queue_stats_sum(stats, STAT_MISSED) / (double)admitted);
}

int queue_stats_news(const struct calibration_counts *told, const struct calibration_counts *now,
					 struct stat_sum ret_sums[STAT_SUMS_MAX])
{
	/* A lane that was taken away took its counts along. */
	if (now->within < told->within || now->early < told->early || now->late < told->late)
		return 0;
	const struct stat_sum sums[STAT_SUMS_MAX] = {
		{STAT_ETA_WITHIN, (int64_t)(now->within - told->within)},
		{STAT_ETA_EARLY, (int64_t)(now->early - told->early)},
		{STAT_ETA_LATE, (int64_t)(now->late - told->late)},
		{STAT_ETA_RATIO, llround((now->ratio_sum - told->ratio_sum) * 1000)}};
	int count = 0;
	for (int i = 0; i < STAT_SUMS_MAX; i++)
		if (sums[i].n > 0)
			ret_sums[count++] = sums[i];
	return count;
}
