/* Credentials: who says so? The token of a request, from wherever the client could put it. */
#ifndef WAITINGROOM_API_CREDENTIALS_H
#define WAITINGROOM_API_CREDENTIALS_H

#include "worker.h"

/* Order: Authorization: Bearer, a text/plain body, the cookie of the queue named by ?queue=, or the
 * only place cookie there is. A cookie counts only when the browser does not call the request
 * cross-site. WR_BAD_TOKEN, WR_TOKEN_EXPIRED, WR_FORBIDDEN. */
WR_MUST_USE enum wr_err credentials_position(struct worker *worker, struct http_request *request,
											 struct position_claims *ret_claims);
/* The same for a session, with the session's cookie. */
WR_MUST_USE enum wr_err credentials_session(struct worker *worker, struct http_request *request,
											struct session_claims *ret_claims);
/* Only the cookie of this queue. */
WR_MUST_USE enum wr_err credentials_place_cookie(struct worker *worker,
												 struct http_request *request,
												 const struct queue_name *queue,
												 struct position_claims *ret_claims);
/* Token of the session cookie of this queue, not looked at. False: there is none. */
bool credentials_find_session_cookie(const struct worker *worker,
									 const struct http_request *request,
									 const struct queue_name *queue, const char **ret_token,
									 size_t *ret_len);
/* Sets the place's cookie on the answer. */
void credentials_set_cookie(struct worker *worker, struct http_request *request,
							const struct queue_name *queue, const char *token);
void credentials_drop_cookie(struct worker *worker, struct http_request *request,
							 const struct queue_name *queue);
/* The place is lost. Its token stays with the browser under another name, in case support puts the
 * place back: a page that finds no place asks with it (claims->queue; the token is made anew). */
void credentials_retire_cookie(struct worker *worker, struct http_request *request,
							   const struct position_claims *claims);
/* The place of that cookie. queue NULL: of ?queue=. */
WR_MUST_USE enum wr_err credentials_was_cookie(struct worker *worker, struct http_request *request,
											   const struct queue_name *queue,
											   struct position_claims *ret_claims);
/* It was put back. */
void credentials_revive_cookie(struct worker *worker, struct http_request *request,
							   const struct queue_name *queue, const char *token);
/* The same for a session. */
void credentials_set_session_cookie(struct worker *worker, struct http_request *request,
									const struct queue_name *queue, const char *token,
									int64_t life_s);
void credentials_drop_session_cookie(struct worker *worker, struct http_request *request,
									 const struct queue_name *queue);

#endif
