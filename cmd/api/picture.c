/* Picture: the members of a place object that are the same for everybody in line.
 *
 * They come first, in an order of their own, because they are written once a picture and copied
 * into each answer (place.c). Only for who is newer than the picture they are written anew: the
 * store has told where they stand, and as of when.
 */
#include "picture.h"

void picture_write_common(const struct queue_snapshot *picture, uint64_t waiting, int64_t as_of_ms,
						  struct json_out *out)
{
	const struct queue_settings *settings = picture->settings;
	enum queue_state state = queue_settings_state_at(settings, as_of_ms);
	char name[QUEUE_NAME_TEXT_BYTES];
	json_out_object(out, NULL);
	json_out_string(out, "status", "waiting");
	json_out_string_n(out, "queue_id", name, queue_name_print(&picture->name, name));
	json_out_int(out, "waiting", (int64_t)waiting);
	json_out_bool(out, "paused", settings->state == QUEUE_PAUSED || picture->recovering);
	if (state != QUEUE_OPEN)
		json_out_string(out, "state", queue_state_word(state));
	json_out_string(out, "message", settings->message);
	queue_settings_write_news(settings, as_of_ms, out);
	json_out_int(out, "hold_ms", settings->heartbeat_ttl_ms);
	json_out_int(out, "as_of_ms", as_of_ms);
}
