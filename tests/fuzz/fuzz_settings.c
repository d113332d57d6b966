/* Settings from JSON and from the store's fields: what is taken comes back the same from both.
 *
 * The first byte chooses what the rest is: (f) a field, anything else JSON.
 */
#include "waitingroom/memory.h"
#include "waitingroom/settings.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#define JSON_ROOM QUEUE_SETTINGS_JSON_BYTES

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void to_json(const struct queue_settings *settings, char text[JSON_ROOM])
{
	struct json_out out;
	json_out_init(&out, text, JSON_ROOM - 1);
	queue_settings_to_json(settings, &out, NULL);
	assert(!out.overflow);
	text[out.len] = '\0';
}

static struct queue_settings through_fields(const struct queue_settings *settings)
{
	WR_AUTO(mem_free_at)
	struct queue_field *fields = mem_alloc_zero(QUEUE_FIELDS_MAX, sizeof(*fields));
	struct queue_settings back;
	queue_settings_default(&back);
	size_t count = queue_settings_to_fields(settings, fields);
	for (size_t i = 0; i < count; i++) {
		size_t len = strlen(fields[i].value);
		enum wr_err err = queue_settings_set_field(&back, fields[i].name, fields[i].value, len);
		assert(err == WR_OK);
	}
	return back;
}

static void try_json(const char *text, size_t len)
{
	static char first[JSON_ROOM], last[JSON_ROOM];
	struct queue_settings base, settings, again;
	struct err_detail detail = {""};
	queue_settings_default(&base);
	enum wr_err err = queue_settings_from_json(text, len, &base, &settings, &detail);
	if (err != WR_OK) {
		assert(err == WR_INVALID || err == WR_MALFORMED);
		assert(detail.text[0] != '\0');
		return;
	}
	to_json(&settings, first);
	err = queue_settings_from_json(first, strlen(first), &base, &again, NULL);
	assert(err == WR_OK);
	again = through_fields(&again);
	to_json(&again, last);
	assert(strcmp(first, last) == 0);
}

/* One field: the name up to a NUL, then the value. */
static void try_field(const char *text, size_t len)
{
	static char first[JSON_ROOM], last[JSON_ROOM];
	const char *end = memchr(text, '\0', len);
	struct queue_settings settings;
	queue_settings_default(&settings);
	if (!end ||
		queue_settings_set_field(&settings, text, end + 1, len - (size_t)(end + 1 - text)) != WR_OK)
		return;
	to_json(&settings, first);
	settings = through_fields(&settings);
	to_json(&settings, last);
	assert(strcmp(first, last) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (!size)
		return 0;
	/* Copied to its exact size, so that a byte read too far is seen. */
	char *text = malloc(size - 1);
	if (!text && size > 1)
		abort();
	memcpy(text, data + 1, size - 1);
	if (data[0] == 'f')
		try_field(text, size - 1);
	else
		try_json(text, size - 1);
	free(text);
	return 0;
}
