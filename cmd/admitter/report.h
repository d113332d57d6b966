/* Report: every few seconds this admitter tells, through the store, how it is (pods.h). */
#ifndef WAITINGROOM_ADMITTER_REPORT_H
#define WAITINGROOM_ADMITTER_REPORT_H

#include "admitter.h"
#include "waitingroom/events.h"

struct report;
struct report_options { /* borrows all of it */
	struct loop *loop;
	struct admitter *admitter;
	struct relay *relay;   /* NULL: none */
	const char *address;   /* of the internal port */
	atomic_bool *draining; /* the process has been asked to end */
};
/* gives; on the loop's thread from then on, with a store connection of its own: the loop that
 * admits may be what is stuck. */
struct report *report_start(const struct report_options *options);
/* After the loop's thread has ended: takes the row away and frees. */
void report_stop(struct report *report);

#endif
