/* Histogram of durations: log-linear, so that a microsecond and a minute are both told well.
 *
 * What     Counts per bucket; quantiles are right to 1 part in 64. Plain data, no allocation.
 * Used by  crowd (adds), report (asks).
 * Threads  one.
 */
#ifndef WRLOAD_HISTOGRAM_H
#define WRLOAD_HISTOGRAM_H

#include <stddef.h>
#include <stdint.h>

#define HISTOGRAM_SUB_BITS 6
#define HISTOGRAM_OCTAVES 32 /* up to about 2^37 µs: a day and a half */
#define HISTOGRAM_BUCKETS ((HISTOGRAM_OCTAVES + 1) << HISTOGRAM_SUB_BITS)

struct histogram { /* zero-filled is a valid start */
	uint64_t count;
	int64_t max_us;
	uint64_t buckets[HISTOGRAM_BUCKETS];
};

/* Negative durations count as 0, too long ones fall into the last bucket; max_us stays exact. */
void histogram_add(struct histogram *histogram, int64_t duration_us);
void histogram_clear(struct histogram *histogram);

/* The smallest duration, rounded up to its bucket's end, that at least 'share' (0..1) of all do not
 * exceed; never more than max_us; 0 when nothing was added. */
int64_t histogram_quantile_us(const struct histogram *histogram, double share);

#endif
