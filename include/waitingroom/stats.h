/* Stats: the figures of a queue by the minute, as operators look at them.
 *
 * The scripts count in wr:Q:stats:<minute> what they move; the admitters sample how many there are,
 * and the pods add how good their predicted waits were. Here: what the figures are called, and what
 * follows from an hour of them.
 *
 * What     Plain data and pure functions of it.
 * Used by  lib/store (reads and notes them), cmd/api (shows them), cmd/admitter (samples).
 * Threads  any.
 */
#ifndef WAITINGROOM_STATS_H
#define WAITINGROOM_STATS_H

#include <stdint.h>

#include "waitingroom/calibration.h"

#define STATS_MINUTES 60

/* name, figure in the store, what a minute holds in which nothing was noted */
#define STAT_TABLE(X)                                                                              \
	X(STAT_JOINED, "joined", 0)                                                                    \
	X(STAT_ADMITTED, "admitted", 0)                                                                \
	X(STAT_EXPIRED, "expired", 0)                                                                  \
	X(STAT_MISSED, "missed", 0)                                                                    \
	X(STAT_LEFT, "left", 0)                                                                        \
	X(STAT_WAITING, "waiting", STAT_UNKNOWN) /* sampled, as the next */                            \
	X(STAT_ACTIVE, "active", STAT_UNKNOWN)                                                         \
	X(STAT_ETA_WITHIN, "eta_within", 0) /* predicted waits that came true, */                      \
	X(STAT_ETA_EARLY, "eta_early", 0)	/* that were too long, */                                  \
	X(STAT_ETA_LATE, "eta_late", 0)		/* that were too short */                                  \
	X(STAT_ETA_RATIO, "eta_ratio", 0)	/* sum of actual / predicted, in thousandths */

#define STAT_UNKNOWN (-1)
#define STAT_ENUM(name, figure, otherwise) name,
enum stat_kind { STAT_TABLE(STAT_ENUM) STAT_COUNT };
#undef STAT_ENUM
const char *stat_word(enum stat_kind stat);

struct queue_stats {
	int64_t now_ms;						   /* of the store */
	int64_t from_ms;					   /* where the oldest minute begins; the last has begun */
	int64_t of[STAT_COUNT][STATS_MINUTES]; /* the oldest first */
};

/* An hour up to now in which nothing was noted. */
void queue_stats_init(struct queue_stats *ret_stats, int64_t now_ms);

int64_t queue_stats_sum(const struct queue_stats *stats, enum stat_kind stat);
/* People a minute, just now: this minute's, and of the last one the share that a sliding minute
 * has. */
double queue_stats_per_minute(const struct queue_stats *stats, enum stat_kind stat);
/* Of those who were let in within the hour, the share that did not come; negative: nobody was. */
double queue_stats_no_show_share(const struct queue_stats *stats);

/* What a pod has learnt since it last told: fills at most 4 sums and returns how many. */
struct stat_sum {
	enum stat_kind stat;
	int64_t n;
};
#define STAT_SUMS_MAX 4
int queue_stats_news(const struct calibration_counts *told, const struct calibration_counts *now,
					 struct stat_sum ret_sums[STAT_SUMS_MAX]);

#endif
