/* Gate URLs: wherever a proxy says that somebody is, the redirects lead to allowed places, and once
 * without a pass an address has none.
 *
 * The first byte chooses: (s) a queue without allowed targets, anything else one with an origin.
 */
#include "waitingroom/gate_url.h"

#include <assert.h>
#include <curl/curl.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* For another parser it is on a host of these letters only, or on the allowed one. */
static void check_host(const char *text, const char *allowed)
{
	char *host = NULL;
	CURLU *url = curl_url();
	CURLUcode code = curl_url_set(url, CURLUPART_URL, text, CURLU_DISALLOW_USER);
	assert(code == CURLUE_OK);
	code = curl_url_get(url, CURLUPART_HOST, &host, 0);
	assert(code == CURLUE_OK);
	assert(!allowed || strcmp(host, allowed) == 0);
	assert(strspn(host, "abcdefghijklmnopqrstuvwxyz0123456789-_.:[]") == strlen(host));
	curl_free(host);
	curl_url_cleanup(url);
}

static void check_return(const struct queue_settings *settings, const struct gate_url *url)
{
	static char text[VISIT_TARGET_MAX_BYTES + 1], again[VISIT_TARGET_MAX_BYTES + 1];
	struct gate_url parsed;
	const char *pass;
	size_t len;
	if (!gate_url_return(settings, url, text))
		return;
	check_host(text, settings->target_count ? "good.example" : NULL);
	bool holds = gate_url_parse(text, &parsed);
	assert(holds && !gate_url_find_pass(&parsed, &pass, &len));
	holds = gate_url_return(settings, &parsed, again);
	assert(holds && strcmp(text, again) == 0);
}

static void check_room(const struct queue_settings *settings, const struct gate_url *url)
{
	static char room[GATE_ROOM_URL_BYTES], target[VISIT_TARGET_MAX_BYTES + 1],
		again[VISIT_TARGET_MAX_BYTES + 1];
	struct queue_name queue = {.tenant = "default", .queue = "demo"};
	bool has_target = false;
	if (!gate_room_url(settings, &queue, "", url, url, room, &has_target))
		return;
	check_host(room, NULL);
	const char *mark = strchr(room, '?');
	assert(has_target == (mark != NULL));
	if (!mark)
		return;
	size_t len = 0;
	bool holds = base64url_decode(mark + 3, strlen(mark + 3), target, sizeof(target) - 1, &len);
	assert(holds);
	enum wr_err err = queue_settings_rebuild_target(settings, target, len, again, NULL);
	assert(err == WR_OK && strlen(again) == len && memcmp(target, again, len) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct queue_settings settings;
	struct gate_url url;
	if (!size)
		return 0;
	char *text = malloc(size); /* the rest and a NUL: a byte read too far is seen */
	if (!text)
		abort();
	memcpy(text, data + 1, size - 1);
	text[size - 1] = '\0';
	queue_settings_default(&settings);
	if (data[0] != 's') {
		strcpy(settings.targets[0], "https://good.example");
		settings.target_count = 1;
	}
	if (gate_url_parse(text, &url)) {
		check_return(&settings, &url);
		check_room(&settings, &url);
	}
	free(text);
	return 0;
}
