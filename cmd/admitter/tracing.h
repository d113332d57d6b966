/* Tracing: the admitter's own steps, a trace each; of a visitor's way (cmd/api/tracing.c) the
 * wait. */
#ifndef WAITINGROOM_ADMITTER_TRACING_H
#define WAITINGROOM_ADMITTER_TRACING_H

#include "waitingroom/config.h"
#include "waitingroom/metrics.h"
#include "waitingroom/spans.h"
#include "waitingroom/store.h"

struct tracing;
/* gives; *ret_tracing NULL: nothing is traced. */
WR_MUST_USE enum wr_err tracing_start(const struct config *config, const char *program,
									  struct tracing **ret_tracing, struct err_detail *ret_detail);
void tracing_stop(struct tracing *tracing); /* NULL is fine */
/* A step of admission that moved somebody; when it is sampled. NULL is fine. */
void tracing_admitted(struct tracing *tracing, const struct queue_name *queue,
					  struct mono_time sent, const struct admitted *result);
struct spans *tracing_spans(struct tracing *tracing); /* lends; NULL: nothing is traced */
void tracing_metrics(const struct tracing *tracing, struct metrics_page *page); /* NULL: zeroes */

#endif
