/* Tracing: the spans of a request and of a visitor's way through the line. */
#ifndef WAITINGROOM_API_TRACING_H
#define WAITINGROOM_API_TRACING_H

#include "gather.h"

WR_MUST_USE enum wr_err tracing_start(struct app *app, struct err_detail *ret_detail);
void tracing_stop(struct app *app);
/* For the options of a server; NULL: off. */
const struct http_tracing *tracing_of(const struct app *app);

/* All of these only for requests that http_request_trace() knows. */

/* It has been answered. queue: "t/q", or NULL. */
void tracing_request(struct app *app, const struct chain *chain, const struct http_request *request,
					 int status, const char *queue);
/* A step of the store has been answered, for this request and 'people' in all. step: static */
void tracing_step(struct app *app, const struct http_request *request, const char *step,
				  struct mono_time sent, size_t people);
/* The place that is being made remembers the trace (paper 't' of enqueue.lua). */
void tracing_note_place(struct http_request *request);

/* A turn was taken up: tells of it, in the trace of the join. 'request': whose poll it was. */
void tracing_turn(struct app *app, const struct http_request *request, const struct visit *visit,
				  int64_t now_ms);

#endif
