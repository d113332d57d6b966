/* Pod reporter: tells the others, through the store and every few seconds, how this process is
 * (pods.h).
 *
 * What     The row is whole each time, so a report that is not answered is made good by the next one. A
 *          process that ends in good order takes its row away: nobody looks for it then.
 * Used by  cmd/api, cmd/admitter.
 * Threads  the loop's; stop may be called from another one after that has ended.
 */
#ifndef WAITINGROOM_POD_REPORTER_H
#define WAITINGROOM_POD_REPORTER_H

#include "waitingroom/pods.h"
#include "waitingroom/store.h"

struct pod_reporter_options { /* loop, store and ctx are borrowed until stop */
	struct loop *loop;
	struct store *store; /* on that loop */
	int64_t every_ms;
	/* Says the rest of the row: whatever the reporter does not know itself. */
	void (*fill)(void *ctx, struct pod_row *row);
	void *ctx;
};

struct pod_reporter;
struct pod_reporter *pod_reporter_start(const struct pod_reporter_options *options); /* gives */
const char *pod_reporter_instance(const struct pod_reporter *reporter); /* our name; lends */
/* Takes the row away, and frees. */
void pod_reporter_stop(struct pod_reporter *reporter);

/* What connections to the store have done, of counters that only grow. */
struct store_use {
	uint64_t answers, answers_us, failures;
};
void store_use_add(struct store_use *use, const struct store *store);
/* Into the row, what was done between two readings. */
void store_use_tell(const struct store_use *before, const struct store_use *now,
					struct pod_row *row);

#endif
