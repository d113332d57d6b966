/* Sync: the thread that keeps the pod's picture of every queue. */
#ifndef WAITINGROOM_API_SYNC_H
#define WAITINGROOM_API_SYNC_H

#include "app.h"

struct sync;

/* gives; starts the thread. */
struct sync *sync_start(struct app *app);
void sync_stop(struct sync *sync); /* waits for the thread and frees */

/* Looks at this queue before its turn. Any thread. Gives the number of the look; it is over, and
 * the picture shown if the store has told of it, when sync_looks_done() is as high. */
uint64_t sync_look(struct sync *sync, const struct queue_name *name);
uint64_t sync_looks_done(const struct sync *sync);

struct sync_counts { /* any thread */
	uint64_t rounds, failures, reloads, revivals;
	int64_t clock_offset_ms; /* the store's clock minus ours, in the last round */
};
void sync_counts(const struct sync *sync, struct sync_counts *ret_counts);

#endif
