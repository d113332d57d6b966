/* Estimate: how long will it take? A range, from how fast the line has moved lately.
 *
 * Per lane, every 10 s: how many were admitted and how many gave up. The rate μ and the hazard of
 * leaving θ are exponentially weighted; the wait of somebody with n people ahead is
 *     W = ln(1 + θ·n/μ) / θ        (n/μ when θ·n/μ is tiny)
 * the range comes from the 20th and 80th percentile of the 10 s rates of the last 15 minutes,
 * widened by ±√n/μ, rounded outward. Both averages are frozen while the queue is paused.
 * Before there is history the configured rate serves, when capacity does not bind.
 * Source of the formulas: Ibrahim & Whitt 2009; see lib/README.md.
 *
 * What     Pure functions of (n, bucket history, settings, paused).
 * Used by  cmd/api's sync thread feeds it, workers ask a snapshot.
 * Threads  estimator: one thread. wait_model: plain data, copied into the snapshot.
 */
#ifndef WAITINGROOM_ESTIMATE_H
#define WAITINGROOM_ESTIMATE_H

#include <stdbool.h>
#include <stdint.h>

#define ESTIMATE_BUCKET_MS 10000
#define ESTIMATE_BUCKETS 90

struct estimator { /* zero-filled is a valid start */
	int64_t bucket_start_ms;
	uint64_t admitted_before, gone_before; /* totals at the start of the bucket */
	uint64_t admitted_seen;				   /* total at the last observation */
	double rate_per_s;					   /* EWMA, tau 300 s */
	double hazard_per_s;				   /* EWMA, tau 300 s, per waiting person */
	uint32_t bucket_count;
	float bucket_rates[ESTIMATE_BUCKETS]; /* ring, people per second */
	int64_t last_admission_ms;
	bool started;
};

/* Called at each sync: totals since the queue began (admitted, left the line in any way), people
 * waiting now. */
void estimator_observe(struct estimator *estimator, int64_t now_ms, uint64_t admitted,
					   uint64_t gone, uint64_t waiting, bool paused);

/* The line moves by other rules from now on: what was measured of its pace is forgotten. */
void estimator_forget_rate(struct estimator *estimator);

struct wait_model {						  /* what a look-up needs, a few doubles */
	double rate_low, rate_mid, rate_high; /* people per second; 0: unknown */
	double hazard_per_s;
	bool known;
};

/* configured_rate_per_s: the lane's share of the queue's rate, 0 when nothing is let in;
 * capacity_binds: no free slot now. */
struct wait_model estimator_model(const struct estimator *estimator, int64_t now_ms,
								  double configured_rate_per_s, bool capacity_binds, bool paused);

/* Of a line that is thought to move at this rate, without measurements; not known when it is 0. */
struct wait_model wait_model_assumed(double rate_per_s, double hazard_per_s);

struct wait_range {
	bool known;			   /* false: answer null */
	int64_t low_s, high_s; /* rounded outward; capped at 90000 ("more than a day") */
};
/* Expected seconds, as they are: for measuring how good the estimates were. Model must be known. */
double wait_mean_s(const struct wait_model *model, uint64_t people_ahead);

struct wait_range wait_estimate(const struct wait_model *model, uint64_t people_ahead);

#endif
