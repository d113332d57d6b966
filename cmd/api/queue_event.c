/* Data of the events queue.created, updated, paused, resumed. */
#include "queue_event.h"

#include <assert.h>

void queue_event_data(const struct queue_settings *settings, const char *by,
					  char ret_json[QUEUE_EVENT_BYTES])
{
	struct json_out out;
	json_out_init(&out, ret_json, QUEUE_EVENT_BYTES - 1);
	json_out_object(&out, NULL);
	json_out_string(&out, "by", by);
	json_out_string(&out, "state", queue_state_word(settings->state));
	json_out_int(&out, "rate_per_minute", settings->rate_per_minute);
	json_out_int(&out, "burst", settings->burst);
	json_out_int(&out, "capacity", settings->capacity);
	json_out_int(&out, "max_waiting", settings->max_waiting);
	json_out_object_end(&out);
	assert(!out.overflow);
	ret_json[out.len] = '\0';
}
