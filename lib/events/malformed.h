/* Malformed entries: told as they are, so that nothing leaves the outbox without a trace.
 *
 * What     An event of its own, outside EVENT_TABLE: it is about our own data, not about a queue.
 * Used by  feed.c.
 * Threads  any.
 */
#ifndef EVENTS_MALFORMED_H
#define EVENTS_MALFORMED_H

#include <stddef.h>

#include "waitingroom/events.h"
#include "waitingroom/outbox.h"

#define MALFORMED_SUBJECT "wr.system.outbox_malformed"
#define MALFORMED_RAW_MAX 65536 /* bytes kept of each raw field */

/* fills the event id; gives the body (free). */
char *malformed_print(const struct queue_name *queue, const struct outbox_entry *entry,
					  char ret_id[EVENT_ID_BYTES], size_t *ret_len);

#endif
