/* Outbox: what has happened and is not yet known to be in JetStream.
 *
 * Every script that changes something writes one entry to wr:Q:outbox. An entry stands for one
 * queue change or a batch of people. Its fields in the store (all strings):
 *
 *     type    a word of EVENT_TABLE: "enqueued", "admitted", … "queue-updated"
 *     at      ms of store time
 *     epoch   life of the queue's data
 *     people  lines "id lane ticket[ extra…]" separated by \n, columns by one space; the id is followed
 *             by "~<n>" when an operator has put the place back n times; extra columns:
 *               admitted  joined_ms how       (how: line | returned | immediate | operator | passthrough)
 *               expired   reason              (silent | ghost | deleted | emptied)
 *               restored  reason              (failover | rebuilt | operator)
 *               claimed   session_ends_ms
 *               any       tp=<traceparent>, of somebody whose join is traced (W3C Trace Context)
 *     data    for queue events: a JSON object
 *     n       for queue events: a number that makes the event id unique (settings version)
 *
 * What     The entry as the relay gets it, and the two calls that the relay needs of the store;
 *          lib/store/outbox.c implements them, lib/events/relay.c uses them, neither knows the other.
 * Threads  the relay's own thread.
 */
#ifndef WAITINGROOM_OUTBOX_H
#define WAITINGROOM_OUTBOX_H

#include <stddef.h>
#include <stdint.h>

#include "waitingroom/err.h"
#include "waitingroom/text.h"

struct outbox_entry {
	char id[48]; /* stream id, only for outbox_remove */
	char type[24];
	int64_t at_ms;
	char epoch[16];
	const char *people; /* lent until the batch is freed; "" when there are none */
	size_t people_len;
	const char *data; /* JSON or "" */
	uint64_t n;
};

struct outbox_batch {
	struct outbox_entry *entries; /* malloc'd by whoever filled it */
	size_t count;
	void *memory; /* malloc'd: what the entries' pointers point into; may be NULL */
};
/* Frees 'entries' and 'memory' and leaves an empty batch. An empty batch is fine. */
void outbox_batch_free(struct outbox_batch *batch);

/* WR_STORE_AWAY of any: the store cannot be asked. WR_IO: it refuses just this; with other queues
 * it may be well. */
struct outbox_source {
	void *ctx;
	/* All queues that may have entries. Fills up to 'room' names. */
	enum wr_err (*queues)(void *ctx, struct queue_name *ret_names, size_t room, size_t *ret_count);
	/* Takes or renews the relay lease of a queue; *ret_mine false: somebody else has it. */
	enum wr_err (*lease)(void *ctx, const struct queue_name *queue, bool *ret_mine);
	/* Entries after 'after_id' ("0": from the start), oldest first, at most 'limit'; gives the
	 * batch. */
	enum wr_err (*read)(void *ctx, const struct queue_name *queue, const char *after_id,
						size_t limit, struct outbox_batch *ret_batch);
	/* Deletes exactly these entries, by id. */
	enum wr_err (*remove)(void *ctx, const struct queue_name *queue, const char (*ids)[48],
						  size_t count);
	/* Gives up all leases (clean stop). */
	void (*release)(void *ctx);
};

#endif
