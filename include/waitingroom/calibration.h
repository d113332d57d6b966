/* Calibration: were the waits that we predicted true?
 *
 * Every few seconds the last ticket of a lane is noted with the wait that its holder is shown.
 * When nobody stands before that ticket any more, the line has taken as long as it has taken,
 * whether its holder is still there or not: the actual wait is held against the prediction.
 *
 *     ratio    actual / predicted mean; 1 is right, 2 took twice as long
 *     result   against the range that is shown: within, early (sooner than 'low'), late
 *
 * A pause, other settings and a new life of the queue make predictions void; they are forgotten.
 *
 * What     Probes of one lane, and what came of them.
 * Used by  cmd/api's sync thread; the counts go into the snapshot.
 * Threads  one.
 */
#ifndef WAITINGROOM_CALIBRATION_H
#define WAITINGROOM_CALIBRATION_H

#include <stddef.h>
#include <stdint.h>

#include "waitingroom/estimate.h"
#include "waitingroom/position_index.h"

#define CALIBRATION_PROBES 32
#define CALIBRATION_BOUNDS 10
#define CALIBRATION_GAP_MS 5000	 /* between two probes; grows with the wait */
#define CALIBRATION_SHORTEST_S 3 /* shorter predictions are not worth a judgement */

extern const double calibration_bounds[CALIBRATION_BOUNDS]; /* of ratios, rising */

struct calibration_counts { /* zero-filled is empty */
	uint64_t ratio[CALIBRATION_BOUNDS + 1];
	double ratio_sum;
	uint64_t within, early, late;
};
void calibration_add(struct calibration_counts *sum, const struct calibration_counts *more);

struct calibration { /* zero-filled is a valid start */
	struct calibration_probe {
		uint64_t ticket;
		int64_t at_ms;
		double mean_s;
		int64_t low_s, high_s;
	} probes[CALIBRATION_PROBES]; /* oldest first */
	size_t probe_count;
	int64_t gap_ms; /* 0: CALIBRATION_GAP_MS */
	struct calibration_counts counts;
};

/* Notes what is predicted for the last ticket of 'index', when it is time for another probe. */
void calibration_ask(struct calibration *calibration, int64_t now_ms,
					 const struct position_index *index, const struct wait_model *model);
/* Judges the probes whose turn has come. */
void calibration_check(struct calibration *calibration, int64_t now_ms,
					   const struct position_index *index);
void calibration_forget(struct calibration *calibration); /* the probes, not the counts */

#endif
