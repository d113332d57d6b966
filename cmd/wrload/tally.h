/* Tally: what happened, in numbers. One table makes the fields and the report.
 *
 * Used by  visitor, crowd (count), report (prints).
 */
#ifndef WRLOAD_TALLY_H
#define WRLOAD_TALLY_H

#include <stdint.h>

#include "client.h"
#include "histogram.h"
#include "op.h"

/* people, then requests */
#define TALLY_TABLE(X)                                                                             \
	X(arrived) /* came, whether or not they got a place */                                         \
	X(joined)  /* hold or held a place */                                                          \
	X(admitted)                                                                                    \
	X(released) /* gave the session back */                                                        \
	X(left)                                                                                        \
	X(vanished) /* stopped polling */                                                              \
	X(slept)                                                                                       \
	X(expired)	   /* were told that the place had been given up */                                \
	X(missed)	   /* were told that the turn had come and gone */                                 \
	X(ended)	   /* were told that the session was over */                                       \
	X(challenged)  /* solved a challenge before they got a place, or once more */                  \
	X(refused)	   /* were not given a place */                                                    \
	X(lost)		   /* had a place, and got an answer that makes no sense */                        \
	X(turned_back) /* did not come, for --visitors were there already (with --forever) */          \
	X(requests)                                                                                    \
	X(repeats) /* second enqueues with the same key */                                             \
	X(retries)                                                                                     \
	X(early_polls)                                                                                 \
	X(stale_answers)                                                                               \
	X(answers_2xx)                                                                                 \
	X(answers_4xx)                                                                                 \
	X(answers_429)                                                                                 \
	X(answers_5xx)                                                                                 \
	X(transport_errors)                                                                            \
	X(never_sent) /* of the time-outs: no connection came free */

#define PHASES_MAX 8

/* A stretch of the run: begins at the start or with a signal. Whoever breaks something in
 * the midst of a run compares what was before, meanwhile and after. */
struct phase {
	int64_t begun_ms;
	uint64_t requests, failed; /* without an answer, or answered with 5xx */
	struct histogram latency;
};

struct tally { /* zero-filled is a valid start */
#define TALLY_FIELD(name) uint64_t name;
	TALLY_TABLE(TALLY_FIELD)
#undef TALLY_FIELD
	uint64_t outcomes[OUTCOME_COUNT];
	struct histogram latency[OP_COUNT]; /* from the intended start to the answer or the time-out */
	struct histogram late_start;  /* from the intended start to the first byte: our own delay */
	struct histogram this_second; /* latencies since the last line of progress */
	struct phase phases[PHASES_MAX];
	int phase; /* the one that is on */
};

#endif
