/* Timings: durations counted by upper bound. */
#include "waitingroom/timings.h"

const int64_t timings_bound_us[TIMINGS_BOUNDS] = {
	50,	   100,	  250,	  500,	  1000,	   2500,	5000,	  10000,
	25000, 50000, 100000, 250000, 1000000, 5000000, 15000000, 60000000};

/* One writer: a load and a store, no locked instruction. */
static void raise(_Atomic uint64_t *number, uint64_t by)
{
	atomic_store_explicit(number, atomic_load_explicit(number, memory_order_relaxed) + by,
						  memory_order_relaxed);
}

unsigned timings_bucket(int64_t us)
{
	unsigned bound = 0;
	while (bound < TIMINGS_BOUNDS && us > timings_bound_us[bound])
		bound++;
	return bound;
}

void timings_add(struct timings *timings, int64_t us)
{
	raise(&timings->count[timings_bucket(us)], 1);
	raise(&timings->sum_us, us > 0 ? (uint64_t)us : 0);
}

void timings_add_to(const struct timings *timings, struct timings_sum *sum)
{
	for (unsigned i = 0; i <= TIMINGS_BOUNDS; i++)
		sum->count[i] += atomic_load_explicit(&timings->count[i], memory_order_relaxed);
	sum->sum_us += atomic_load_explicit(&timings->sum_us, memory_order_relaxed);
}
