/* Estimate: the rate of a lane from 10 s buckets, and the wait that follows from it.
 *
 * A bucket closes at the first observation 10 s or more after it began, and gives one sample of the
 * rate of admission and one of the hazard of giving up (people who left, per second and person in
 * line). Both go into averages: a plain mean at first, an exponential one with tau 300 s once there
 * is more history than that.
 *
 * A bucket counts only when it says something about the line. While the queue is paused, while
 * nobody waits (then people come in as they arrive, which says nothing about how fast the line
 * moves), when the totals went back (the store lost something) or the clock did, the bucket is
 * thrown away and a new one begins: the averages are frozen.
 *
 * Before there are enough buckets the configured rate serves; with each bucket it counts for less.
 */
#include "waitingroom/estimate.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define TAU_S 300.0
#define BUCKETS_FOR_RATE 3
#define BUCKETS_FOR_SPREAD 30
#define CONFIGURED_WEIGHT 6.0 /* the configured rate counts as much as this many buckets */
#define SILENCE_MS 60000	  /* nobody admitted for this long: we do not know */
#define SILENCE_INTERVALS 4	  /* but a slow line is silent between two admissions anyway */
#define SPREAD_UNKNOWN 1.25	  /* of the rate, until there are buckets enough to measure it */
#define SPREAD_MOST 3.0		  /* a slow line has buckets without anybody: not "never" */
#define NO_HAZARD 0.001		  /* below this the logarithm is n/μ to three digits */
#define MORE_THAN_A_DAY_S 90000

/* ---- watching the line ---- */

static void begin_bucket(struct estimator *estimator, int64_t now_ms, uint64_t admitted,
						 uint64_t gone)
{
	estimator->bucket_start_ms = now_ms;
	estimator->admitted_before = admitted;
	estimator->gone_before = gone;
}

/* Weight of a new sample. */
static double weight_of(uint32_t samples_before, double elapsed_s)
{
	double mean = 1.0 / (samples_before + 1.0), exponential = 1.0 - exp(-elapsed_s / TAU_S);
	return mean > exponential ? mean : exponential;
}

static void close_bucket(struct estimator *estimator, double elapsed_s, uint64_t admitted,
						 uint64_t gone, uint64_t waiting)
{
	double came_in = (double)(admitted - estimator->admitted_before);
	double went = (double)(gone - estimator->gone_before);
	double gave_up = went > came_in ? went - came_in : 0;
	double rate = came_in / elapsed_s;
	double hazard = gave_up / elapsed_s / (double)waiting;
	double weight = weight_of(estimator->bucket_count, elapsed_s);
	estimator->rate_per_s += weight * (rate - estimator->rate_per_s);
	estimator->hazard_per_s += weight * (hazard - estimator->hazard_per_s);
	estimator->bucket_rates[estimator->bucket_count % ESTIMATE_BUCKETS] = (float)rate;
	estimator->bucket_count++;
}

void estimator_observe(struct estimator *estimator, int64_t now_ms, uint64_t admitted,
					   uint64_t gone, uint64_t waiting, bool paused)
{
	bool went_back = now_ms < estimator->bucket_start_ms || admitted < estimator->admitted_before ||
					 gone < estimator->gone_before;
	if (!estimator->started || went_back || paused || waiting == 0) {
		begin_bucket(estimator, now_ms, admitted, gone);
		estimator->admitted_seen = admitted;
		estimator->last_admission_ms = now_ms;
		estimator->started = true;
		return;
	}
	if (admitted != estimator->admitted_seen) {
		estimator->admitted_seen = admitted;
		estimator->last_admission_ms = now_ms;
	}
	int64_t elapsed_ms = now_ms - estimator->bucket_start_ms;
	if (elapsed_ms < ESTIMATE_BUCKET_MS)
		return;
	close_bucket(estimator, (double)elapsed_ms / 1000, admitted, gone, waiting);
	begin_bucket(estimator, now_ms, admitted, gone);
}

/* How readily people give up does not depend on it, and stays until there is a new measurement. */
void estimator_forget_rate(struct estimator *estimator)
{
	estimator->bucket_count = 0;
	estimator->rate_per_s = 0;
	estimator->started = false;
}

/* ---- the model ---- */

static uint32_t buckets_kept(const struct estimator *estimator)
{
	return estimator->bucket_count < ESTIMATE_BUCKETS ? estimator->bucket_count : ESTIMATE_BUCKETS;
}

static int compare_rates(const void *a, const void *b)
{
	float x = *(const float *)a, y = *(const float *)b;
	return (x > y) - (x < y);
}

static double clamp(double value, double low, double high)
{
	return value < low ? low : value > high ? high : value;
}

/* The 20th and 80th percentile of the recent rates, around rate_mid. */
static void fill_spread(const struct estimator *estimator, struct wait_model *model)
{
	uint32_t kept = buckets_kept(estimator);
	double mid = model->rate_mid;
	model->rate_low = mid / SPREAD_UNKNOWN;
	model->rate_high = mid * SPREAD_UNKNOWN;
	if (kept < BUCKETS_FOR_SPREAD)
		return;
	float sorted[ESTIMATE_BUCKETS];
	memcpy(sorted, estimator->bucket_rates, kept * sizeof(sorted[0]));
	qsort(sorted, kept, sizeof(sorted[0]), compare_rates);
	model->rate_low = clamp((double)sorted[kept / 5], mid / SPREAD_MOST, mid);
	model->rate_high = clamp((double)sorted[kept - 1 - kept / 5], mid, mid * SPREAD_MOST);
}

/* Measured, drawn towards the configured rate as long as there is little history. */
static double middle_rate(const struct estimator *estimator, double configured_rate_per_s,
						  bool capacity_binds)
{
	uint32_t buckets = buckets_kept(estimator);
	if (capacity_binds)
		return buckets < BUCKETS_FOR_RATE ? 0 : estimator->rate_per_s;
	if (buckets < BUCKETS_FOR_RATE)
		return configured_rate_per_s;
	return (estimator->rate_per_s * buckets + configured_rate_per_s * CONFIGURED_WEIGHT) /
		   (buckets + CONFIGURED_WEIGHT);
}

static bool has_stalled(const struct estimator *estimator, int64_t now_ms,
						double configured_rate_per_s)
{
	double patience_ms = SILENCE_INTERVALS * 1000.0 / configured_rate_per_s;
	if (patience_ms < SILENCE_MS)
		patience_ms = SILENCE_MS;
	return (double)(now_ms - estimator->last_admission_ms) > patience_ms;
}

struct wait_model estimator_model(const struct estimator *estimator, int64_t now_ms,
								  double configured_rate_per_s, bool capacity_binds, bool paused)
{
	struct wait_model model = {.known = false};
	if (paused || !estimator->started || !(configured_rate_per_s > 0) ||
		has_stalled(estimator, now_ms, configured_rate_per_s))
		return model;
	model.rate_mid = middle_rate(estimator, configured_rate_per_s, capacity_binds);
	model.hazard_per_s = estimator->hazard_per_s;
	model.known = model.rate_mid > 0;
	if (model.known)
		fill_spread(estimator, &model);
	return model;
}

struct wait_model wait_model_assumed(double rate_per_s, double hazard_per_s)
{
	return (struct wait_model){.rate_low = rate_per_s / SPREAD_UNKNOWN,
							   .rate_mid = rate_per_s,
							   .rate_high = rate_per_s * SPREAD_UNKNOWN,
							   .hazard_per_s = hazard_per_s,
							   .known = rate_per_s > 0};
}

/* ---- a wait ---- */

/* W = ln(1 + θ·n/μ) / θ, the continuous form of Σ 1/(μ + kθ) for k < n. */
static double wait_s(double people, double rate_per_s, double hazard_per_s)
{
	double patient = people / rate_per_s;
	double abandoned = hazard_per_s * patient;
	return abandoned < NO_HAZARD ? patient : log1p(abandoned) / hazard_per_s;
}

double wait_mean_s(const struct wait_model *model, uint64_t people_ahead)
{
	return wait_s((double)people_ahead, model->rate_mid, model->hazard_per_s);
}

/* Nobody plans by the second: minutes, then fives, then quarters of an hour. */
static double step_s(double wait)
{
	return wait < 600 ? 60 : wait < 3600 ? 300 : 900;
}

static int64_t capped(double wait)
{
	return wait > 86400 ? MORE_THAN_A_DAY_S : (int64_t)wait;
}

struct wait_range wait_estimate(const struct wait_model *model, uint64_t people_ahead)
{
	if (!model->known)
		return (struct wait_range){.known = false};
	double people = (double)people_ahead;
	double luck = sqrt(people) / model->rate_mid;
	double low = wait_s(people, model->rate_high, model->hazard_per_s) - luck;
	double high = wait_s(people, model->rate_low, model->hazard_per_s) + luck;
	if (low < 0)
		low = 0;
	return (struct wait_range){.known = true,
							   .low_s = capped(floor(low / step_s(low)) * step_s(low)),
							   .high_s = capped(ceil(high / step_s(high)) * step_s(high))};
}
