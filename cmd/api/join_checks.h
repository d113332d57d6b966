/* The gates of a join that need no store: what is shown at the door.
 *
 * Cheapest first: does the queue take people, is the request in order, entry token, challenge. What
 * was shown is noted for the store, which decides whether it has been used before.
 */
#ifndef WAITINGROOM_API_JOIN_CHECKS_H
#define WAITINGROOM_API_JOIN_CHECKS_H

#include "enqueue.h"
#include "waitingroom/entry_token.h"

/* Label values of METRIC_JOINS_AT_GATE. */
enum join_gate { GATE_QUEUE, GATE_REQUEST, GATE_ENTRY, GATE_CHALLENGE, GATE_COUNT };

enum gate_verdict {
	GATE_PASSED,   /* go on */
	GATE_ANSWERED, /* refused, and the request has been answered */
	GATE_PARKED,   /* the request waits for a verdict; join_take_verdict */
};

/* Label values of METRIC_ENTRIES. */
#define ENTRY_OUTCOME_TABLE(X)                                                                     \
	X(ENTRY_ACCEPTED, "accepted", "The entry token is good.")                                      \
	X(ENTRY_MISSING, "missing", "entry: is required here")                                         \
	X(ENTRY_BAD, "bad", "entry: is not valid here")                                                \
	X(ENTRY_EXPIRED, "expired", "entry: is too old")                                               \
	X(ENTRY_LANE, "lane", "entry: names a lane that the queue does not have")                      \
	X(ENTRY_USED, "used", "entry: has been used")
#define ENTRY_OUTCOME_ENUM(name, word, sentence) name,
enum entry_outcome { ENTRY_OUTCOME_TABLE(ENTRY_OUTCOME_ENUM) ENTRY_OUTCOME_COUNT };
#undef ENTRY_OUTCOME_ENUM

/* The entry token that was shown, or that none is needed. fills ret_claims, all empty without
 * one. */
WR_MUST_USE enum gate_verdict join_check_entry(struct worker *worker, struct http_request *request,
											   const struct join_wish *wish,
											   const struct queue_snapshot *snapshot,
											   struct entry_claims *ret_claims);
/* Counts the outcome, and answers 403. */
void join_refuse_entry(struct worker *worker, struct http_request *request,
					   enum entry_outcome outcome);
/* The id of the place of whoever the claims name, into the notes; again after that has ended. */
void join_note_identity(struct worker *worker, struct http_request *request,
						const struct entry_claims *claims);

/* Challenge, with all that it needs. */
WR_MUST_USE enum gate_verdict join_check_challenge(struct worker *worker,
												   struct http_request *request,
												   const struct join_wish *wish,
												   const struct entry_claims *entry,
												   const struct queue_snapshot *snapshot);
/* The same once the captcha's provider has been heard. */
WR_MUST_USE enum gate_verdict join_take_verdict(struct worker *worker, struct http_request *request,
												enum captcha_verdict verdict,
												const struct queue_snapshot *snapshot);

#endif
