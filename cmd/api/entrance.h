/* Entrance: the session of a claimed place, and the way to the site with it. */
#ifndef WAITINGROOM_API_ENTRANCE_H
#define WAITINGROOM_API_ENTRANCE_H

#include "worker.h"

struct entrance {
	char session[TOKEN_MAX_BYTES + 1];						  /* token */
	char url[VISIT_TARGET_MAX_BYTES + TARGET_PASS_BYTES + 1]; /* target with a pass; "" no target */
};

/* The place is claimed; 'visit' says until when and where to. Bound to who sent the request. */
WR_MUST_USE enum wr_err entrance_make(struct worker *worker, const struct http_request *request,
									  const struct position_claims *place,
									  const struct queue_snapshot *snapshot,
									  const struct visit *visit, struct entrance *ret_entrance);

#endif
