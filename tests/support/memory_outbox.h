/* An outbox in memory, in place of the store: leases, reading behind an id, removing by id.
 *
 * Several relays may use one; each gets a source of its own with its owner's name. Any thread.
 */
#ifndef SUPPORT_MEMORY_OUTBOX_H
#define SUPPORT_MEMORY_OUTBOX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "waitingroom/outbox.h"

struct memory_outbox;

struct memory_outbox *memory_outbox_new(void); /* gives */
void memory_outbox_free(struct memory_outbox *outbox);

/* A relay's view; lease_ms: how long a lease lasts without renewal. owner is kept. */
struct outbox_source memory_outbox_source(struct memory_outbox *outbox, const char *owner,
										  int64_t lease_ms);

/* Copies the entry and gives it the next id; makes the queue when it is new. */
void memory_outbox_add(struct memory_outbox *outbox, const struct queue_name *queue,
					   const struct outbox_entry *entry);

size_t memory_outbox_length(struct memory_outbox *outbox); /* entries of all queues */
size_t memory_outbox_calls(struct memory_outbox *outbox);  /* made to all sources so far */
/* Is the entry that was added as the number-th of all, from 0, still there? */
bool memory_outbox_has(struct memory_outbox *outbox, size_t number);

void memory_outbox_set_away(struct memory_outbox *outbox, bool away); /* all calls fail */
/* From now on 'owner' has the leases of all queues, whatever the others believe. */
void memory_outbox_give_leases(struct memory_outbox *outbox, const char *owner);

#endif
