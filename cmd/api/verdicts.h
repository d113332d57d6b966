/* Verdicts: session tokens that this worker has verified, so that the next check of the same
 * visitor costs a hash instead of an ES256 verification.
 *
 * Bounded: when a bucket is full, the session that ends first goes. What is here says only that the
 * signature holds and is for that queue; whether the session is still good is judged anew at
 * every check. Forgotten as a whole when the keys change.
 */
#ifndef WAITINGROOM_API_VERDICTS_H
#define WAITINGROOM_API_VERDICTS_H

#include "waitingroom/siphash.h"
#include "waitingroom/token.h"

struct verdict {
	struct siphash of; /* the token and the queue that it was shown for; 0, 0: free */
	struct session_claims claims;
	int64_t renewed_ms; /* wall clock: when this token was last exchanged; 0 never */
	int64_t logged_ms;	/* the same: when it was last noted that it is shared */
	/* Where it was seen last (authz_session.c), and whether that is elsewhere than it was given
	 * to. */
	uint64_t from;
	bool has_from, is_elsewhere;
};

struct verdicts;
/* Room for at least so many sessions. gives */
struct verdicts *verdicts_new(size_t sessions);
void verdicts_free(struct verdicts *verdicts);

/* What signs this token for this queue, from the table or from the signer. Lends until the next
 * call; NULL: it is none of ours for this queue, or is expired.
 * ret_was_known  fills: the table had it. */
struct verdict *verdicts_look(struct verdicts *verdicts, struct signer *signer,
							  const struct queue_name *queue, const char *token, size_t len,
							  struct wall_time now, enum wr_err *ret_err, bool *ret_was_known);
/* A keyed hash of a text, good for comparing within this table. */
uint64_t verdicts_hash(const struct verdicts *verdicts, const char *text);

#endif
