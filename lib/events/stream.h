/* Streams: WAITINGROOM and WAITINGROOM_DLQ as they should be.
 *
 * What     Creates a stream that is not there; compares one that is, changes what the server lets
 *          be changed, and logs every other difference with both values. Never deletes.
 * Used by  broker.c, at every (re)connect and after every trouble.
 * Threads  the relay's; blocks for some seconds at most.
 */
#ifndef EVENTS_STREAM_H
#define EVENTS_STREAM_H

#include <nats/nats.h>
#include <stdbool.h>
#include <stdint.h>

#include "waitingroom/err.h"

#define STREAM_NAME "WAITINGROOM"
#define STREAM_DLQ_NAME "WAITINGROOM_DLQ"
#define STREAM_SUBJECTS "wr.>"
#define STREAM_DLQ_MAX_DELIVERIES "$JS.EVENT.ADVISORY.CONSUMER.MAX_DELIVERIES." STREAM_NAME ".>"
#define STREAM_DLQ_TERMINATED "$JS.EVENT.ADVISORY.CONSUMER.MSG_TERMINATED." STREAM_NAME ".>"

struct stream_settings {
	uint32_t replicas;
	int64_t max_age_s, max_bytes, duplicate_window_s;
};

/* Makes both streams so. WR_BROKER_AWAY with a reason in detail: WAITINGROOM is not there and could
 * not be made. Trouble with WAITINGROOM_DLQ, or a setting that cannot be changed, is only
 * logged. */
WR_MUST_USE enum wr_err streams_assert(jsCtx *js, const struct stream_settings *settings,
									   struct err_detail *ret_detail);

struct stream_look {
	bool answered; /* else nothing is known */
	bool there;
	int64_t replicas, replicas_current; /* wanted by the stream; up to date, with the leader */
};
/* Asks how WAITINGROOM is; blocks for wait_ms at most. */
void stream_look(jsCtx *js, int64_t wait_ms, struct stream_look *ret_look);

#endif
