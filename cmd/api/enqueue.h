/* Taking a place, whoever asks: POST /enqueue with JSON, or the form of the page without scripts. */
#ifndef WAITINGROOM_API_ENQUEUE_H
#define WAITINGROOM_API_ENQUEUE_H

#include "gather.h"
#include "waitingroom/json_in.h"

struct join_wish { /* what was asked for, checked for shape; texts are lent by the request */
	const char *queue_id, *target, *lane; /* target "": none; lane NULL: the default lane */
	const struct json_value *user;		  /* or NULL */
	const char *key;					  /* of idempotency; NULL: none */
	size_t key_len;
	/* Shown at the door; NULL: not given. */
	const char *challenge, *captcha, *entry;
	const struct json_value *solution;
};

/* Parks the request for its queue's next batch, or says why not; enqueue_answer answers. The notes
 * have the queue already. */
WR_MUST_USE enum wr_err enqueue_try(struct worker *worker, struct http_request *request,
									const struct join_wish *wish, struct err_detail *ret_detail);

#endif
