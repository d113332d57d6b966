/* Histogram of durations: log-linear buckets.
 *
 * The first 64 buckets are one microsecond wide. After that each doubling of the duration is cut
 * into 64 equal buckets, so a bucket is never wider than 1/64 of the durations in it:
 *
 *     0 1 2 … 63 | 64 65 … 127 | 128 130 … 254 | 256 260 … 508 | …
 *
 * The bucket's number is made from the position of the highest bit (the octave) and the six bits
 * below it; nothing is searched.
 */
#include "histogram.h"

#include <math.h>
#include <string.h>

#define SUBS (1 << HISTOGRAM_SUB_BITS)

static size_t bucket_of(uint64_t duration_us)
{
	if (duration_us < SUBS)
		return duration_us;
	unsigned octave = 63u - (unsigned)__builtin_clzll(duration_us) - HISTOGRAM_SUB_BITS;
	size_t bucket = ((size_t)(octave + 1) << HISTOGRAM_SUB_BITS) + (duration_us >> octave) - SUBS;
	return bucket < HISTOGRAM_BUCKETS ? bucket : HISTOGRAM_BUCKETS - 1;
}

static int64_t bucket_last_us(size_t bucket)
{
	if (bucket < SUBS)
		return (int64_t)bucket;
	unsigned octave = (unsigned)(bucket >> HISTOGRAM_SUB_BITS) - 1;
	return (int64_t)(((bucket & (SUBS - 1)) + SUBS + 1) << octave) - 1;
}

void histogram_add(struct histogram *histogram, int64_t duration_us)
{
	if (duration_us < 0)
		duration_us = 0;
	histogram->count++;
	histogram->buckets[bucket_of((uint64_t)duration_us)]++;
	if (duration_us > histogram->max_us)
		histogram->max_us = duration_us;
}

void histogram_clear(struct histogram *histogram)
{
	if (histogram->count)
		memset(histogram, 0, sizeof(*histogram));
}

int64_t histogram_quantile_us(const struct histogram *histogram, double share)
{
	double wanted = ceil(share * (double)histogram->count - 1e-6); /* 0.07 × 100 is above 7 */
	uint64_t rank = wanted < 1 ? 1 : (uint64_t)wanted;
	uint64_t seen = 0;
	for (size_t i = 0; i < HISTOGRAM_BUCKETS; i++) {
		seen += histogram->buckets[i];
		if (seen >= rank && i < HISTOGRAM_BUCKETS - 1) {
			int64_t last_us = bucket_last_us(i);
			return last_us < histogram->max_us ? last_us : histogram->max_us;
		}
	}
	return histogram->max_us;
}
