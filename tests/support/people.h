/* People: a few visitors with names, whose places a scenario follows one by one. For a crowd that
 * nobody knows by name there is crowd.h.
 *
 * Each poll holds the answer against what the same person was told before: a position that is not
 * stale never grows, and nobody who was let in, or was turned away, waits again.
 *
 * Functions fail the running test (cmocka) instead of returning errors.
 */
#ifndef SUPPORT_PEOPLE_H
#define SUPPORT_PEOPLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "support/stack.h"

enum standing { STANDING_WAITING, STANDING_ADMITTED, STANDING_GONE, STANDING_UNKNOWN };

struct person {
	char *token, *position_id;
	uint64_t ticket;
	int64_t position;		/* lowest told; INT64_MAX: none yet */
	enum standing standing; /* by the last answer */
	bool stale;
};

struct people {
	struct stack *stack;
	char queue[128]; /* "tenant/queue" */
	size_t count;
	struct person *all; /* in the order in which they came */
};

/* 'count' people come one after the other, over all pods in turn, and wait; each sends a first
 * heartbeat and is known by the store to be there. queue "tenant/queue". gives; people_free() */
struct people *people_join(struct stack *stack, const char *queue, size_t count);
void people_free(struct people *people); /* NULL is fine */

/* Waits until every pod's picture has them. */
void people_await_known(const struct people *people);

struct poll_counts {
	size_t waiting, admitted, gone, unavailable; /* by answer; unavailable: 503, or no answer */
	size_t stale;								 /* of those waiting */
	int64_t slowest_ms;
};
/* People from..from+count-1 (to the end when count is 0) send a heartbeat each, over the pods that
 * answer. Any answer but 200, 410 and 503 fails the test. */
struct poll_counts people_poll(struct people *people, size_t from, size_t count);

/* Milliseconds, in store time, since the store last heard of them; INT64_MIN: it does not know
 * them. */
int64_t person_silence_ms(const struct people *people, const struct person *person);

#endif
