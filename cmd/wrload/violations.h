/* Violations: the invariants that can be judged from outside, and what was found against them.
 *
 * What     A list with a bound; one table makes the enum, the names in reports, the sentences.
 * Used by  checker (adds), report (reads).
 * Threads  one.
 */
#ifndef WRLOAD_VIOLATIONS_H
#define WRLOAD_VIOLATIONS_H

#include <stddef.h>
#include <stdint.h>

/* The numbers are those of README, "Invariants". */
#define INVARIANT_TABLE(X)                                                                         \
	X(ADMITTED_ONCE, "I1", "nobody is admitted twice")                                             \
	X(PLACE_KEPT, "I2", "no confirmed place is lost")                                              \
	X(TICKET_ORDER, "I3", "admission follows ticket order, except for those who were absent")      \
	X(WITHIN_CAPACITY, "I4", "active sessions never exceed the capacity")                          \
	X(WITHIN_RATE, "I5", "admissions in any window stay within burst + rate x window")             \
	X(GONE_IS_GONE, "I7", "an expired or left place is never admitted")                            \
	X(POSITION_FALLS, "I8", "a visitor's position never grows")                                    \
	X(ONE_PLACE_PER_KEY, "I9", "one key, one place")

#define INVARIANT_ENUM(name, word, sentence) name,
enum invariant { INVARIANT_TABLE(INVARIANT_ENUM) INVARIANT_COUNT };
#undef INVARIANT_ENUM
const char *invariant_word(enum invariant invariant); /* "I1" */
const char *invariant_sentence(enum invariant invariant);

#define VIOLATION_ID_BYTES 64
struct violation {
	enum invariant invariant;
	int64_t at_ms;
	char position_id[VIOLATION_ID_BYTES]; /* empty: about the queue as a whole */
	char what[192];
};

#define VIOLATIONS_KEPT 20 /* the first ones against each invariant; later ones are only counted */
struct violations {		   /* zero-filled is a valid start */
	uint64_t count;		   /* of all */
	uint64_t counts[INVARIANT_COUNT];
	size_t kept_count;
	struct violation kept[VIOLATIONS_KEPT * INVARIANT_COUNT];
};

/* position_id  borrows; empty: about the queue as a whole */
void violations_add(struct violations *violations, enum invariant invariant,
					const char *position_id, int64_t at_ms, const char *format, ...)
	__attribute__((format(printf, 5, 6)));

#endif
