/* Pace: admissions per window, judged by their bounds.
 *
 * Admissions are counted in a ring of 100 ms buckets by their *earliest* possible time, at the
 * moment when they are noticed. So at any time T, the sum of the buckets from x on is the number of
 * admissions that certainly happened between x and T. The check walks back from the newest
 * bucket, adding up, and compares each sum with what a token bucket can have given in T − x. Ten
 * times a second that is 6000 additions: nothing.
 */
#include "pace.h"

#include <string.h>

/* Empties the buckets between the newest one and the one of now. */
static void pace_move_on(struct pace *pace, int64_t now_ms)
{
	int64_t bucket = now_ms / PACE_BUCKET_MS;
	if (bucket - pace->newest >= PACE_BUCKETS) {
		memset(pace->admitted, 0, sizeof(pace->admitted));
		pace->newest = bucket;
	}
	while (pace->newest < bucket)
		pace->admitted[++pace->newest % PACE_BUCKETS] = 0;
}

void pace_admitted(struct pace *pace, int64_t earliest_ms, int64_t now_ms)
{
	pace_move_on(pace, now_ms);
	int64_t bucket = (earliest_ms > 0 ? earliest_ms : 0) / PACE_BUCKET_MS;
	if (bucket <= pace->newest && bucket > pace->newest - PACE_BUCKETS)
		pace->admitted[bucket % PACE_BUCKETS]++;
}

bool pace_is_exceeded(struct pace *pace, int64_t now_ms, int64_t rate_per_minute, int64_t burst,
					  struct pace_excess *ret_excess)
{
	pace_move_on(pace, now_ms);
	uint64_t admitted = 0, worst = 0;
	for (int64_t bucket = pace->newest; bucket > pace->newest - PACE_BUCKETS && bucket >= 0;
		 bucket--) {
		if (!pace->admitted[bucket % PACE_BUCKETS])
			continue;
		admitted += pace->admitted[bucket % PACE_BUCKETS];
		int64_t window_ms = now_ms - bucket * PACE_BUCKET_MS;
		uint64_t allowed = (uint64_t)(burst + (rate_per_minute * window_ms + 59999) / 60000);
		if (admitted > allowed && admitted - allowed > worst) {
			worst = admitted - allowed;
			*ret_excess = (struct pace_excess){admitted, allowed, window_ms};
		}
	}
	return worst > 0;
}
