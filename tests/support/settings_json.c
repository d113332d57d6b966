/* Settings from JSON and to it. */
#include "support/settings_json.h"

#include "support/cmocka.h"
#include "waitingroom/memory.h"

#include <string.h>

enum wr_err settings_json_read(const char *json, struct queue_settings *ret_settings,
							   struct err_detail *ret_detail)
{
	struct queue_settings base;
	queue_settings_default(&base);
	return queue_settings_from_json(json, strlen(json), &base, ret_settings, ret_detail);
}

struct queue_settings settings_json_good(const char *json)
{
	struct queue_settings settings;
	struct err_detail detail = {""};
	if (settings_json_read(json, &settings, &detail) != WR_OK)
		fail_msg("%.200s: %s", json, detail.text);
	return settings;
}

void settings_json_refused(const char *json, const char *said)
{
	struct queue_settings settings;
	struct err_detail detail = {""};
	enum wr_err err = settings_json_read(json, &settings, &detail);
	if (err != WR_INVALID || strncmp(detail.text, said, strlen(said)) != 0)
		fail_msg("%.200s: %s, \"%s\"", json, err_code(err), detail.text);
}

char *settings_json_print(const struct queue_settings *settings)
{
	char *text = mem_alloc_zero(1, QUEUE_SETTINGS_JSON_BYTES + 1);
	struct json_out out;
	json_out_init(&out, text, QUEUE_SETTINGS_JSON_BYTES);
	queue_settings_to_json(settings, &out, NULL);
	assert_false(out.overflow);
	return text;
}
