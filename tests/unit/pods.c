/* Rows of processes: written, read back, and judged by their age; and the fingerprints in them. */
#include "waitingroom/pods.h"

#include "support/cmocka.h"
#include "support/key_texts.h"
#include "waitingroom/config.h"
#include "waitingroom/keys.h"
#include "waitingroom/memory.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct pod_row row_of(const char *instance)
{
	struct pod_row row = {.every_ms = 5000,
						  .ready = true,
						  .connections = 12,
						  .requests_per_s = 345,
						  .clock_offset_ms = -7,
						  .nats = true};
	strcpy(row.kind, "api");
	strcpy(row.version, "1.2.3");
	snprintf(row.instance, sizeof(row.instance), "%s", instance);
	return row;
}

static void a_row_comes_back_as_it_was_written(void **state)
{
	(void)state;
	struct pod_row row = row_of("pod \"1\" \xc3\xab"), back;
	char members[POD_ROW_BYTES], json[POD_ROW_BYTES + 64];
	pod_row_print(&row, members);
	assert_int_equal(strncmp(members, "\"kind\":\"api\"", 12), 0);
	int len = snprintf(json, sizeof(json), "{\"seen_ms\":17,%s}", members);
	assert_true(pod_row_parse(json, (size_t)len, &back));
	row.seen_ms = 17;
	assert_string_equal(back.instance, row.instance);
	assert_string_equal(back.version, "1.2.3");
	assert_int_equal(back.seen_ms, 17);
	assert_int_equal(back.connections, 12);
	assert_int_equal(back.clock_offset_ms, -7);
	assert_true(back.ready);
	assert_true(back.nats);
	assert_false(back.draining);
}

static void the_longest_row_has_room(void **state)
{
	(void)state;
	struct pod_row row;
	char members[POD_ROW_BYTES];
	memset(&row, 0, sizeof(row));
#define LONG_TEXT(name, bytes, text) memset(row.name, '"', (bytes)-1);
#define LONG_NUMBER(name, text) row.name = INT64_MIN;
#define LONG_BOOL(name, text) row.name = false;
	POD_TABLE(LONG_TEXT, LONG_NUMBER, LONG_BOOL)
#undef LONG_TEXT
#undef LONG_NUMBER
#undef LONG_BOOL
	pod_row_print(&row, members);
	assert_true(strlen(members) > 500);
}

static void what_is_no_row_is_refused_and_what_is_missing_is_nothing(void **state)
{
	(void)state;
	struct pod_row row;
	static const char *const wrong[] = {"",
										"text",
										"[]",
										"{}",
										"{\"instance\":\"a\"}",
										"{\"kind\":\"api\"}",
										"{\"kind\":1,\"instance\":\"a\"}"};
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		assert_false(pod_row_parse(wrong[i], strlen(wrong[i]), &row));
	static const char later[] =
		"{\"kind\":\"notifier\",\"instance\":\"n1\",\"new\":{\"a\":[1]},\"ready\":\"yes\"}";
	assert_true(pod_row_parse(later, sizeof(later) - 1, &row));
	assert_int_equal(row.connections, 0);
	assert_false(row.ready);
}

static void silence_counts_before_anything_else(void **state)
{
	(void)state;
	struct pod_row row = row_of("a");
	row.seen_ms = 100000;
	assert_int_equal(pod_row_state(&row, 115000), POD_OK);
	assert_int_equal(pod_row_state(&row, 115001), POD_SILENT);
	assert_int_equal(pod_row_state(&row, 99000), POD_OK); /* the store's clock went back */
	row.ready = false;
	assert_int_equal(pod_row_state(&row, 100001), POD_NOT_READY);
	row.draining = true;
	assert_int_equal(pod_row_state(&row, 100001), POD_DRAINING);
	assert_string_equal(pod_state_word(POD_NOT_READY), "not ready");
}

static void rates_are_per_second_and_never_negative(void **state)
{
	(void)state;
	assert_int_equal(pod_rate(100, 1100, 5000), 200);
	assert_int_equal(pod_rate(0, 1, 3000), 0);
	assert_int_equal(pod_rate(0, 2, 3000), 1);
	assert_int_equal(pod_rate(5, 3, 1000), 0); /* started anew */
	assert_int_equal(pod_rate(0, 10, 0), 0);
}

/* ---- fingerprints ---- */

static struct keys_summary summary_of(const char *text)
{
	struct keys *keys = NULL;
	struct err_detail detail = {""};
	struct keys_summary summary;
	assert_int_equal(keys_parse(text, strlen(text), &keys, &detail), WR_OK);
	keys_summarize(keys, &summary);
	keys_free(keys);
	return summary;
}

static void the_same_keys_have_the_same_fingerprint_and_others_another(void **state)
{
	(void)state;
	struct keys_summary first = summary_of(KEY_FILE_OF_THREE),
						again = summary_of(KEY_FILE_OF_THREE),
						other = summary_of(KEY_FILE(KEY_ROW(
							"p1", "position", "HS256", SECRET_C) "," SESSION_ROW "," IDENTITY_ROW));
	assert_int_equal(first.position, 1);
	assert_int_equal(first.session, 1);
	assert_int_equal(strlen(first.fingerprint), KEYS_FINGERPRINT_CHARS);
	assert_string_equal(first.fingerprint, again.fingerprint);
	assert_string_not_equal(first.fingerprint, other.fingerprint);
}

static void settings_differ_only_where_processes_should_agree(void **state)
{
	(void)state;
	char first[CONFIG_FINGERPRINT_CHARS + 1], second[CONFIG_FINGERPRINT_CHARS + 1];
	WR_AUTO(mem_free_at) struct config *config = mem_alloc_zero(1, sizeof(*config));
	config_fingerprint(config, first);
	strcpy(config->listen, "0.0.0.0:81");
	strcpy(config->instance, "pod-7");
	config->workers = 3;
	config_fingerprint(config, second);
	assert_string_equal(first, second);
	config->sync_interval_ms = 300;
	config_fingerprint(config, second);
	assert_string_not_equal(first, second);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_row_comes_back_as_it_was_written),
		cmocka_unit_test(the_longest_row_has_room),
		cmocka_unit_test(what_is_no_row_is_refused_and_what_is_missing_is_nothing),
		cmocka_unit_test(silence_counts_before_anything_else),
		cmocka_unit_test(rates_are_per_second_and_never_negative),
		cmocka_unit_test(the_same_keys_have_the_same_fingerprint_and_others_another),
		cmocka_unit_test(settings_differ_only_where_processes_should_agree),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
