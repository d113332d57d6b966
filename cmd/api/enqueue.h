/* Taking a place, whoever asks: POST /enqueue with JSON, or the form of the page without
 * scripts. */
#ifndef WAITINGROOM_API_ENQUEUE_H
#define WAITINGROOM_API_ENQUEUE_H

#include "gather.h"
#include "waitingroom/captcha.h"
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

/* Parks the request for its queue's next batch (enqueue_answer answers), or has it answered by a
 * gate, or says why not. The notes have the queue already. */
WR_MUST_USE enum wr_err enqueue_try(struct worker *worker, struct http_request *request,
									const struct join_wish *wish, struct err_detail *ret_detail);

/* A join that has waited for the verdict of a captcha provider. */
void enqueue_resume(struct worker *worker, struct http_request *request,
					enum captcha_verdict verdict);

#endif
