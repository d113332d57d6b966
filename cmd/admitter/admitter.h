/* Admitter: ticks that let people in and end what has run out, for every queue. */
#ifndef WAITINGROOM_ADMITTER_ADMITTER_H
#define WAITINGROOM_ADMITTER_ADMITTER_H

#include <pthread.h>
#include <stdatomic.h>

#include "waitingroom/config.h"
#include "waitingroom/loop.h"
#include "waitingroom/metrics.h"
#include "waitingroom/store.h"

#define OWNER_BYTES 40

struct drain;
struct tracing;

struct admitter {
	const struct config *config;
	struct store_address *address;
	struct tracing *tracing;
	pthread_t thread;
	struct loop *loop;
	struct store *store;
	struct loop_timer *list_timer, *release_timer;
	unsigned lists;		  /* how often the list was asked for */
	struct drain *queues; /* one per queue that is followed */
	size_t queue_count;
	struct mono_time full_said; /* that there are too many queues; 0: never */
	char owner[OWNER_BYTES];	/* of the leases */
	struct metrics_shard *shard;
	atomic_bool stop;
	bool is_stopping;
	size_t leases_open;		 /* being given up at the end */
	_Atomic int64_t turn_ms; /* monotonic ms of the last list round: is it alive? */
	atomic_bool is_ready;	 /* the store has answered */
};

/* Labels of METRIC_TICKS and METRIC_EXPIRED. */
enum tick_label {
	TICK_ADMIT_DONE,
	TICK_ADMIT_OTHER,
	TICK_ADMIT_FAILED,
	TICK_REAP_DONE,
	TICK_REAP_FAILED,
	TICK_LABELS
};
enum expired_label { EXPIRED_SILENT, EXPIRED_MISSED, EXPIRED_SESSION, EXPIRED_LABELS };

/* tracing: keeps, NULL for none */
struct admitter *admitter_start(const struct config *config, struct store_address *address,
								struct tracing *tracing);
/* Gives up its leases, so that another goes on at once; waits for the thread and frees. */
void admitter_stop(struct admitter *admitter);

/* ---- drain.c: one queue ---- */
struct drain *drain_new(struct admitter *admitter, const struct queue_name *name);
void drain_free(struct drain *drain);
const struct queue_name *drain_name(const struct drain *drain);
struct drain *drain_next(struct drain *drain);
void drain_link(struct drain *drain, struct drain *next);
void drain_stop(struct drain *drain); /* no new steps */
bool drain_is_idle(const struct drain *drain);
bool drain_is_over(const struct drain *drain); /* the queue is not there any more */

#endif
