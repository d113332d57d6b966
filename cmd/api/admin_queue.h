/* Admin queue: what the handlers about one queue share. Internal port's thread. */
#ifndef WAITINGROOM_API_ADMIN_QUEUE_H
#define WAITINGROOM_API_ADMIN_QUEUE_H

#include "internal.h"
#include "waitingroom/settings.h"
#include "waitingroom/store.h"

#define ADMIN_STEP_PEOPLE 500 /* of an order that goes in steps */

/* The answer to a change: what came of it, and the version with its entity tag. 201 when the queue
 * is new. */
void admin_reply_change(struct http_request *request, enum put_result result, uint64_t version);

/* Of a put or patch that is tied to the version that was read; notes->again reads and puts once
 * more. */
void admin_on_put(void *ctx, enum wr_err err, enum put_result result, uint64_t version);

/* The answer to what has changed the queue of the notes, given when this pod shows it
 * (admin_seen.c). out: NULL for an answer without a body. */
void admin_reply_seen(struct http_request *request, int status, const struct json_out *out);

/* ?dry_run=1: nothing is to be changed */
bool admin_is_dry_run(const struct http_request *request);
/* Answers what 'settings' would change, and do to those in line. answer: NULL when there is no such
 * queue. */
void admin_reply_dry_run(struct http_request *request, const struct synced *answer,
						 const struct queue_settings *settings);

#endif
