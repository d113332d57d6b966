/* What the events about a queue say of its settings: the numbers that matter to a consumer. */
#ifndef WAITINGROOM_API_QUEUE_EVENT_H
#define WAITINGROOM_API_QUEUE_EVENT_H

#include "waitingroom/settings.h"

#define QUEUE_EVENT_BYTES 1024
/* by: "admin" or "file". fills a JSON object with NUL. */
void queue_event_data(const struct queue_settings *settings, const char *by,
					  char ret_json[QUEUE_EVENT_BYTES]);

#endif
