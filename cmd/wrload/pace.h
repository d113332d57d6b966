/* Pace: were more people let in than the rate allows?
 *
 * From outside an admission has no exact time, only bounds: after the last answer that said
 * "waiting", before the one that said "admitted". A window is charged only with admissions that
 * lie in it whole, so an excess found here is an excess.
 *
 * What     Pure; times in ms of one clock.
 * Used by  checker.
 * Threads  one.
 */
#ifndef WRLOAD_PACE_H
#define WRLOAD_PACE_H

#include <stdbool.h>
#include <stdint.h>

#define PACE_BUCKET_MS 100
#define PACE_BUCKETS 6000 /* windows of up to ten minutes */

struct pace {						 /* zero-filled is a valid start; about 24 kB */
	int64_t newest;					 /* number of the newest bucket that is in use */
	uint32_t admitted[PACE_BUCKETS]; /* by the earliest moment at which it can have been */
};

/* An admission at some time from 'earliest_ms' to 'now_ms'. */
void pace_admitted(struct pace *pace, int64_t earliest_ms, int64_t now_ms);

struct pace_excess {
	uint64_t admitted; /* in the window */
	uint64_t allowed;  /* burst + rate × window, rounded up */
	int64_t window_ms; /* the window ends now */
};
/* The window ending at now_ms with the largest excess; false: all are within burst + rate ×
 * window. */
bool pace_is_exceeded(struct pace *pace, int64_t now_ms, int64_t rate_per_minute, int64_t burst,
					  struct pace_excess *ret_excess);

#endif
