/* Settings as large as they may be fit wherever they are written: JSON, the store's fields,
 * answers. */
#include "support/cmocka.h"
#include "support/settings_json.h"
#include "waitingroom/memory.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void add(char **at, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	*at += vsprintf(*at, format, args);
	va_end(args);
}

/* So many times two bytes of JSON that are one byte of text and are escaped again when written. */
static void add_quotes(char **at, size_t count)
{
	while (count--)
		*at = stpcpy(*at, "\\\"");
}

static void add_largest_theme(char **at)
{
	char logo[THEME_LOGO_BYTES + 1];
	strcpy(logo, "data:image/png;base64,iVBORw0KGgoA");
	size_t begin = strlen(logo);
	memset(logo + begin, 'A', sizeof(logo) - begin);
	logo[THEME_LOGO_BYTES - (THEME_LOGO_BYTES - 22) % 4] = '\0';
	add(at, "\"theme\":{\"colour\":\"#000000\",\"colour_dark\":\"#ffffff\",\"logo\":\"%s\",", logo);
	add(at, "\"name\":\"");
	add_quotes(at, THEME_NAME_BYTES);
	add(at, "\",\"texts\":{");
	for (int i = 0; i < QUEUE_LANGUAGES_MAX; i++) {
		add(at, "%s\"%c%c-1234567890ab\":{\"title\":\"", i ? "," : "", 'a' + i, 'x');
		add_quotes(at, THEME_TEXT_BYTES);
		add(at, "\",\"intro\":\"");
		add_quotes(at, THEME_TEXT_BYTES);
		add(at, "\"}");
	}
	add(at, "}},");
}

static void add_largest_rules(char **at)
{
	add(at, "\"bypass\":[");
	for (int i = 0; i < QUEUE_BYPASS_MAX; i++) {
		add(at, "%s{\"path_prefix\":\"/%0255d\",\"extension\":\"%016d\"", i ? "," : "", 1, 1);
		add(at, ",\"network\":\"2001:db8:1111:2222:3333:4444:5555:6666/128\",\"user_agent\":\"");
		add_quotes(at, BYPASS_TEXT_BYTES);
		add(at, "\",\"header\":\"%064d\",\"secret_sha256\":\"%064d\",\"methods\":[", 1, 1);
		add(at, "\"GET\",\"HEAD\",\"POST\",\"PUT\",\"PATCH\",\"DELETE\",\"OPTIONS\",\"CONNECT\","
				"\"TRACE\"]}");
	}
	add(at, "],\"entry_keys\":[");
	for (int i = 0; i < QUEUE_ENTRY_KEYS_MAX; i++) {
		char secret[BASE64URL_LEN(ENTRY_KEY_SECRET_MOST_BYTES) + 1] = "";
		memset(secret, 'A', sizeof(secret) - 1);
		add(at, "%s{\"kid\":\"%064d\",\"alg\":\"HS256\",\"key\":\"%s\"}", i ? "," : "", i, secret);
	}
	add(at, "],");
}

static void add_largest_lists(char **at)
{
	add(at, "\"lanes\":[");
	for (int i = 0; i < QUEUE_LANES_MAX; i++)
		add(at, "%s{\"name\":\"%063d\",\"weight\":1000}", i ? "," : "", i);
	add(at, "],\"allowed_targets\":[");
	for (int i = 0; i < QUEUE_TARGETS_MAX; i++)
		add(at, "%s\"https://a/%0246d\"", i ? "," : "", i);
	add(at, "],\"room_url\":\"https://a/%0246d\",", 1);
	add(at, "\"captcha_site_key\":\"%0256d\",\"captcha_secret\":\"%0256d\",", 1, 1);
}

/* gives; as large as each may be, and of bytes that are written as two */
static char *largest(void)
{
	char *json = mem_alloc_zero(1, 2 * QUEUE_SETTINGS_JSON_BYTES), *at = json;
	add(&at, "{");
	add_largest_lists(&at);
	add_largest_theme(&at);
	add_largest_rules(&at);
	add(&at, "\"message\":\"");
	add_quotes(&at, QUEUE_MESSAGE_BYTES);
	add(&at, "\",\"messages\":{");
	for (int i = 0; i < QUEUE_LANGUAGES_MAX; i++) {
		add(&at, "%s\"%cx-1234567890ab\":\"", i ? "," : "", 'a' + i);
		add_quotes(&at, QUEUE_MESSAGE_BYTES);
		add(&at, "\"");
	}
	add(&at, "},\"template\":\"" QUEUE_TEMPLATE_MARKER);
	add_quotes(&at, QUEUE_TEMPLATE_BYTES - strlen(QUEUE_TEMPLATE_MARKER));
	add(&at, "\"}");
	return json;
}

static void the_largest_settings_fit_wherever_they_are_written(void **state)
{
	(void)state;
	WR_AUTO(mem_free_at) char *json = largest();
	WR_AUTO(queue_settings_clear) struct queue_settings settings;
	struct err_detail detail = {""};
	queue_settings_default(&settings);
	if (settings_json_read(json, &settings, &detail) != WR_OK)
		fail_msg("%s", detail.text);
	assert_int_equal(strlen(settings.template_html), QUEUE_TEMPLATE_BYTES);
	WR_AUTO(mem_free_at) char *shown = settings_json_print(&settings);
	WR_AUTO(queue_fields_clear) struct queue_fields fields;
	queue_settings_to_fields(&settings, &fields);
	WR_AUTO(queue_settings_clear) struct queue_settings back;
	queue_settings_default(&back);
	for (size_t i = 0; i < fields.count; i++)
		if (queue_settings_set_field(&back, fields.list[i].name, fields.list[i].value,
									 strlen(fields.list[i].value)) != WR_OK)
			fail_msg("%s does not come back", fields.list[i].name);
	WR_AUTO(mem_free_at) char *shown_back = settings_json_print(&back);
	assert_string_equal(shown, shown_back);
	assert_string_equal(back.captcha_secret, settings.captcha_secret);
	assert_string_equal(back.entry_keys[3].key, settings.entry_keys[3].key);

	char *news = mem_alloc_zero(1, queue_settings_news_bytes(&settings));
	struct json_out out;
	settings.opens_at_ms = 253402300799000;
	json_out_init(&out, news, queue_settings_news_bytes(&settings));
	queue_settings_write_news(&settings, 0, &out);
	assert_false(out.overflow);
	free(news);
}

static void one_byte_more_is_refused(void **state)
{
	(void)state;
	WR_AUTO(mem_free_at) char *json = largest();
	memcpy(json + strlen(json) - 2, "x\"}", 4);
	struct queue_settings settings;
	struct err_detail detail = {""};
	assert_int_equal(settings_json_read(json, &settings, &detail), WR_INVALID);
	assert_string_equal(detail.text, "template: must be at most 49152 bytes, and has 49153");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_largest_settings_fit_wherever_they_are_written),
		cmocka_unit_test(one_byte_more_is_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
