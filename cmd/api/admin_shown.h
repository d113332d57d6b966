/* Admin shown: settings as operators read them, for whatever compares them or repeats a part of
 * them. */
#ifndef WAITINGROOM_API_ADMIN_SHOWN_H
#define WAITINGROOM_API_ADMIN_SHOWN_H

#include "waitingroom/json_in.h"
#include "waitingroom/settings.h"
#include "waitingroom/text.h"

/* The document that GET shows: without secrets. gives; NULL for NULL */
struct json_value *admin_shown(const struct queue_settings *settings);

/* A member of an object; of a value of more than max bytes only its hash and length. */
void admin_shown_put(struct json_out *out, const char *key, const char *json, size_t max);

#endif
