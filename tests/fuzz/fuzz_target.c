/* Targets: what is admitted leads where it is allowed to, also for another parser.
 *
 * The first byte chooses: (s) only the same site is allowed, anything else two origins, one of them
 * with a path. A target that is admitted is in its canonical form once it has been rebuilt, and
 * libcurl's parser must find an allowed origin and path in it too.
 */
#include "waitingroom/settings.h"

#include <assert.h>
#include <curl/curl.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

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
	try_target(text, size - 1,
			   data[0] == 's' ? "" : "https://good.example\nhttp://shop.example:8080/shop");
	free(text);
	return 0;
}
