/* Malformed: the raw fields of an entry that event_expand did not understand.
 *
 * Bytes that are not UTF-8 become U+FFFD, and what is longer than MALFORMED_RAW_MAX is cut, which
 * the event then says. Both are far from anything that the scripts write.
 */
#include "malformed.h"

#include "waitingroom/memory.h"

#include <stdio.h>
#include <string.h>

#define ESCAPED_BYTES 6		/* the longest form of one byte in JSON: \u001f */
#define ENVELOPE_BYTES 2048 /* everything but the two raw fields, escaped */

static size_t bounded(size_t len)
{
	return len < MALFORMED_RAW_MAX ? len : MALFORMED_RAW_MAX;
}

char *malformed_print(const struct queue_name *queue, const struct outbox_entry *entry,
					  char ret_id[EVENT_ID_BYTES], size_t *ret_len)
{
	char queue_id[QUEUE_NAME_TEXT_BYTES], source[QUEUE_NAME_TEXT_BYTES + 8];
	queue_name_print(queue, queue_id);
	snprintf(source, sizeof(source), "/queues/%s", queue_id);
	/* The only id of ours that comes from where the entry stood: nobody knows what happened. */
	snprintf(ret_id, EVENT_ID_BYTES, "%s:outbox_malformed:%s", queue_id, entry->id);
	size_t data_len = strlen(entry->data);
	size_t room = ENVELOPE_BYTES + ESCAPED_BYTES * (bounded(entry->people_len) + bounded(data_len));
	char *body = mem_alloc_zero(room, 1);
	struct json_out out;
	json_out_init(&out, body, room);
	json_out_object(&out, NULL);
	json_out_string(&out, "specversion", "1.0");
	json_out_string(&out, "id", ret_id);
	json_out_string(&out, "source", source);
	json_out_string(&out, "type", "io.waitingroom.system.outbox_malformed.v1");
	json_out_string(&out, "subject", queue_id);
	json_out_string(&out, "datacontenttype", "application/json");
	json_out_object(&out, "data");
	json_out_string(&out, "queue_id", queue_id);
	json_out_string(&out, "outbox_id", entry->id);
	json_out_string(&out, "type", entry->type);
	json_out_int(&out, "at_ms", entry->at_ms);
	json_out_string(&out, "epoch", entry->epoch);
	json_out_int(&out, "n", (int64_t)entry->n);
	json_out_string_n(&out, "people", entry->people, bounded(entry->people_len));
	json_out_string_n(&out, "data", entry->data, bounded(data_len));
	json_out_bool(&out, "truncated",
				  entry->people_len > MALFORMED_RAW_MAX || data_len > MALFORMED_RAW_MAX);
	json_out_object_end(&out);
	json_out_object_end(&out);
	*ret_len = out.len;
	return body;
}
