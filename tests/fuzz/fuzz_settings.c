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

/* The settings after a way through the store; 'settings' are let go. */
static struct queue_settings through_fields(struct queue_settings *settings)
{
	WR_AUTO(queue_fields_clear) struct queue_fields fields;
	struct queue_settings back;
	queue_settings_default(&back);
	queue_settings_to_fields(settings, &fields);
	for (size_t i = 0; i < fields.count; i++) {
		const struct queue_field *field = &fields.list[i];
		enum wr_err err =
			queue_settings_set_field(&back, field->name, field->value, strlen(field->value));
		assert(err == WR_OK);
	}
	queue_settings_clear(settings);
	return back;
}

static void try_json(const char *text, size_t len)
{
	static char first[JSON_ROOM], last[JSON_ROOM];
	struct queue_settings base, again;
	WR_AUTO(queue_settings_clear) struct queue_settings settings, back;
	struct err_detail detail = {""};
	queue_settings_default(&base);
	queue_settings_default(&settings);
	queue_settings_default(&back);
	enum wr_err err = queue_settings_from_json(text, len, &base, &settings, &detail);
	if (err != WR_OK) {
		assert(err == WR_INVALID || err == WR_MALFORMED);
		assert(detail.text[0] != '\0');
		return;
	}
	to_json(&settings, first);
	/* What is shown has no secrets: as a PUT it gets them back. */
	err = queue_settings_from_put(first, strlen(first), &settings, &again, NULL);
	assert(err == WR_OK);
	assert(strcmp(again.captcha_secret, settings.captcha_secret) == 0);
	back = through_fields(&again);
	to_json(&back, last);
	assert(strcmp(first, last) == 0);
}

/* One field: the name up to a NUL, then the value. */
static void try_field(const char *text, size_t len)
{
	static char first[JSON_ROOM], last[JSON_ROOM];
	const char *end = memchr(text, '\0', len);
	WR_AUTO(queue_settings_clear) struct queue_settings settings, back;
	queue_settings_default(&settings);
	queue_settings_default(&back);
	if (!end ||
		queue_settings_set_field(&settings, text, end + 1, len - (size_t)(end + 1 - text)) != WR_OK)
		return;
	to_json(&settings, first);
	back = through_fields(&settings);
	to_json(&back, last);
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
