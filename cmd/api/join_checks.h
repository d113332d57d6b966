/* The gates of a join that need no store: what is shown at the door.
 *
 * Cheapest first: does the queue take people, is the request in order, entry token, challenge. What
 * was shown is noted for the store, which decides whether it has been used before.
 */
#ifndef WAITINGROOM_API_JOIN_CHECKS_H
#define WAITINGROOM_API_JOIN_CHECKS_H

#include "enqueue.h"

/* Label values of METRIC_JOINS_AT_GATE. */
enum join_gate { GATE_QUEUE, GATE_REQUEST, GATE_ENTRY, GATE_CHALLENGE, GATE_COUNT };

enum gate_verdict {
	GATE_PASSED,   /* go on */
	GATE_ANSWERED, /* refused, and the request has been answered */
};

/* Challenge, with all that it needs. */
WR_MUST_USE enum gate_verdict join_check_challenge(struct worker *worker,
												   struct http_request *request,
												   const struct join_wish *wish,
												   const struct queue_snapshot *snapshot);

#endif
