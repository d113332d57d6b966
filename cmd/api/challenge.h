/* Challenges as visitors see them: giving them out, and saying what became of one. */
#ifndef WAITINGROOM_API_CHALLENGE_H
#define WAITINGROOM_API_CHALLENGE_H

#include "waitingroom/challenge.h"
#include "worker.h"

/* What a browser has to do before it joins. */
struct challenge_offer {
	enum queue_challenge kind;		/* QUEUE_CHALLENGE_OFF: nothing, and nothing else is filled */
	char text[CHALLENGE_CHARS + 1]; /* to be brought back with the join */
	unsigned puzzles, bits;			/* QUEUE_CHALLENGE_POW */
	const char *site_key;			/* of a captcha; lent by the snapshot */
	int64_t expires_in_ms;
	int64_t wait_ms; /* after that it is taken unsolved */
};

/* A fresh one. without_captcha: proof of work, whatever the queue asks for. */
void challenge_offer_make(struct worker *worker, struct http_request *request,
						  const struct queue_snapshot *snapshot, bool without_captcha,
						  struct challenge_offer *ret_offer);

/* Does a join need one at all? */
bool challenge_is_needed(const struct worker *worker, const struct queue_snapshot *snapshot);

/* Counts the outcome, and answers 403 with a fresh challenge. */
void challenge_refuse(struct worker *worker, struct http_request *request,
					  const struct queue_snapshot *snapshot, enum challenge_outcome outcome);

/* The network that a challenge is bound to. */
uint64_t challenge_network(const struct worker *worker, const struct http_request *request);

/* Has this network had too many who waited instead of solving? Counts this one if not. */
bool challenge_is_crowded(struct worker *worker, const struct queue_name *queue, uint64_t network);

#endif
