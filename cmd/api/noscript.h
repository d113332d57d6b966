/* The waiting page without scripts: forms, links and Refresh. */
#ifndef WAITINGROOM_API_NOSCRIPT_H
#define WAITINGROOM_API_NOSCRIPT_H

#include "place.h"

/* GET /q/<tenant>/<queue>?nojs=1; the notes have the queue. */
void noscript_serve(struct worker *worker, struct http_request *request,
					const struct queue_snapshot *snapshot);

/* Answers to requests whose notes name a way of the page. */
void noscript_in_line(struct worker *worker, struct http_request *request,
					  const struct place_look *look);
/* redirect_url NULL or "": the queue has no target to go to; left_ms: until the turn is missed */
void noscript_admitted(struct worker *worker, struct http_request *request,
					   const struct place_look *look, const char *redirect_url, int64_t left_ms);
void noscript_left(struct worker *worker, struct http_request *request);
/* The browser's place was lost and still is: it may join. */
void noscript_nobody(struct worker *worker, struct http_request *request);

#endif
