/* Checker: holds what visitors saw against what was promised to them.
 *
 * The judge from outside: it knows only what came back over HTTP and when, accepts every history
 * that a right service can produce (lost answers, retries, pods that know different moments), and
 * names the invariant (README, "Invariants") that a wrong one broke.
 *
 * What     Pure; times in ms of one clock that starts near 0 and never steps.
 * Used by  visitor (observes), crowd (ticks), report.
 * Threads  one.
 */
#ifndef WRLOAD_CHECKER_H
#define WRLOAD_CHECKER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "answer.h"
#include "op.h"
#include "violations.h"

/* How often each check had something to compare: a run in which they stay 0 proves nothing. */
#define CHECKED_TABLE(X)                                                                           \
	X(positions_compared)                                                                          \
	X(orders_compared)                                                                             \
	X(orders_excused)                                                                              \
	X(repeats_compared)                                                                            \
	X(gone_places_polled)                                                                          \
	X(sessions_compared)

struct checked {
#define CHECKED_FIELD(name) uint64_t name;
	CHECKED_TABLE(CHECKED_FIELD)
#undef CHECKED_FIELD
};

struct checker;

struct checker_limits {
	uint32_t slots;			 /* visitors at a time */
	int64_t capacity;		 /* -1: not checked */
	int64_t rate_per_minute; /* -1: not checked */
	int64_t burst;
};
struct checker *checker_new(const struct checker_limits *limits); /* gives; limits are copied */
void checker_free(struct checker *checker);

/* Somebody new, with a new key, uses the slot from now on. */
void checker_begin(struct checker *checker, uint32_t slot);

/* This call is about to be made: from now on its effect may be there, before any answer is. */
void checker_expect(struct checker *checker, uint32_t slot, enum op op);

struct observation {
	uint32_t slot;
	enum op op;
	bool is_repeat;		 /* an enqueue sent beside the visitor's own one, with the same key */
	int64_t called_ms;	 /* not later than the first byte went out */
	int64_t returned_ms; /* not earlier than the answer was there; never decreases between calls */
	const struct answer *answer; /* borrows; http 0: nobody knows what happened */
	/* of an answer that says admitted: */
	struct session_facts session;
	int64_t session_left_ms; /* how long the session lasts from now on; INT64_MAX: not told */
};
void checker_observe(struct checker *checker, const struct observation *observation);

/* Looks at the crowd as a whole: rate and capacity. Ten times a second is meant. */
void checker_tick(struct checker *checker, int64_t now_ms);

const struct violations *checker_violations(const struct checker *checker); /* lends */
const struct checked *checker_checked(const struct checker *checker);		/* lends */

#endif
