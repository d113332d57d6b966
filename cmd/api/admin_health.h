/* What GET /admin/v1/health asks the store for, and the facts that come of it. */
#ifndef WAITINGROOM_API_ADMIN_HEALTH_H
#define WAITINGROOM_API_ADMIN_HEALTH_H

#include "internal.h"
#include "waitingroom/health.h"

#define WORKED_MAX 200 /* queues whose last step is asked for: the first of the table */

struct worked { /* the store's clock; 0: never, or not known */
	struct queue_name name;
	int64_t tick_ms, flush_ms;
};

struct health_call {
	struct http_request *request;
	struct internal *internal;
	struct mono_time began;
	size_t open;	/* questions that are not answered yet */
	int64_t now_ms; /* the store's clock */
	int64_t clock_offset_ms;
	struct health_store store;
	struct health_keys keys;
	struct pod_row *pods;
	size_t pod_count;
	struct worked worked[WORKED_MAX];
	size_t worked_count;
};

/* From what was answered, and what this pod knows itself, to checks; sends the answer. In the
 * loop's thread. */
void health_call_answer(struct health_call *call);

/* Rows of store_pods that can be read; gives, sorted by kind and name. *ret_count of them. */
struct pod_row *admin_pod_rows(const struct pod_text *texts, size_t count, size_t *ret_count);

#endif
