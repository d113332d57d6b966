/* Admin shown: what GET shows of settings, to be compared member by member. */
#include "admin_shown.h"

#include <stdlib.h>
#include <string.h>

#include "waitingroom/memory.h"
#include "waitingroom/token.h"

struct json_value *admin_shown(const struct queue_settings *settings)
{
	if (settings == NULL)
		return NULL;
	WR_AUTO(mem_free_at) char *text = mem_alloc_zero(1, QUEUE_SETTINGS_JSON_BYTES);
	struct json_value *document = NULL;
	struct json_out out;
	json_out_init(&out, text, QUEUE_SETTINGS_JSON_BYTES);
	queue_settings_to_json(settings, &out, NULL);
	if (out.overflow || json_parse(out.text, out.len, &document, NULL) != WR_OK)
		abort(); /* what we print we can read */
	return document;
}

void admin_shown_put(struct json_out *out, const char *key, const char *json, size_t max)
{
	size_t len = strlen(json);
	char hash[65];
	if (len <= max) {
		json_out_raw(out, key, json, len);
		return;
	}
	sha256_hex(json, len, hash);
	json_out_object(out, key);
	json_out_string(out, "sha256", hash);
	json_out_int(out, "bytes", (int64_t)len);
	json_out_object_end(out);
}
