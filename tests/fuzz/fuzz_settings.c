/* Settings from JSON, from the store's fields, and targets: what is taken keeps its promises.
 *
 * The first byte chooses what the rest is: settings as (j)son, a (f)ield, a (t)arget among allowed
 * ones, a target on the same (s)ite. Settings that are taken come back the same from JSON and
 * from fields. A target that is admitted is read by another parser, libcurl's, which must find an
 * allowed origin too; and it is already in its canonical form when it has been rebuilt once.
 */
#include "waitingroom/memory.h"
#include "waitingroom/settings.h"

#include <assert.h>
#include <curl/curl.h>
#include <stdlib.h>
#include <string.h>

#define JSON_ROOM 65536

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

static void check_part(CURLU *url, CURLUPart part, unsigned flags, const char *expected)
{
	char *text = NULL;
	CURLUcode code = curl_url_get(url, part, &text, flags);
	assert(code == CURLUE_OK);
	assert(strcmp(text, expected) == 0);
	curl_free(text);
}

static void check_with_curl(const char *target)
{
	CURLU *url = curl_url();
	CURLUcode code = curl_url_set(url, CURLUPART_URL, target, CURLU_DISALLOW_USER);
	assert(code == CURLUE_OK);
	if (strncmp(target, "https://good.example", 20) == 0) {
		check_part(url, CURLUPART_HOST, 0, "good.example");
		check_part(url, CURLUPART_PORT, CURLU_DEFAULT_PORT, "443");
	} else {
		char *path = NULL;
		check_part(url, CURLUPART_HOST, 0, "shop.example");
		check_part(url, CURLUPART_PORT, CURLU_DEFAULT_PORT, "8080");
		code = curl_url_get(url, CURLUPART_PATH, &path, 0);
		assert(code == CURLUE_OK);
		assert(strncmp(path, "/shop", 5) == 0 && (path[5] == '\0' || path[5] == '/'));
		curl_free(path);
	}
	curl_url_cleanup(url);
}

static void try_target(const char *text, size_t len, const char *allowed)
{
	static char rebuilt[VISIT_TARGET_MAX_BYTES + 1], again[VISIT_TARGET_MAX_BYTES + 1];
	struct queue_settings settings;
	queue_settings_default(&settings);
	enum wr_err err =
		queue_settings_set_field(&settings, "allowed_targets", allowed, strlen(allowed));
	assert(err == WR_OK);
	if (queue_settings_rebuild_target(&settings, text, len, rebuilt, NULL) != WR_OK)
		return;
	err = queue_settings_rebuild_target(&settings, rebuilt, strlen(rebuilt), again, NULL);
	assert(err == WR_OK && strcmp(rebuilt, again) == 0);
	if (*allowed)
		check_with_curl(rebuilt);
	else
		assert(rebuilt[0] == '/' && rebuilt[1] != '/' && rebuilt[1] != '\\');
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
	switch (data[0]) {
	case 'j':
		try_json(text, size - 1);
		break;
	case 'f':
		try_field(text, size - 1);
		break;
	case 't':
		try_target(text, size - 1, "https://good.example\nhttp://shop.example:8080/shop");
		break;
	case 's':
		try_target(text, size - 1, "");
		break;
	default:
		break;
	}
	free(text);
	return 0;
}
