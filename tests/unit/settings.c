/* Settings: what is given is taken, what is not has its default, and every mistake is named. */
#include "support/cmocka.h"
#include "support/settings_json.h"
#include "waitingroom/memory.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

static void defaults_are_the_table_and_one_open_lane(void **state)
{
	(void)state;
	struct queue_settings settings = settings_json_good("{}");
	assert_int_equal(settings.rate_per_minute, 60);
	assert_int_equal(settings.poll_max_ms, 30000);
	assert_int_equal(settings.state, QUEUE_OPEN);
	assert_int_equal(settings.on_outage, QUEUE_ON_OUTAGE_HOLD);
	assert_false(settings.session_renewal);
	assert_int_equal(settings.lane_count, 1);
	assert_string_equal(settings.lanes[0].name, "main");
	assert_true(settings.lanes[0].open);
	assert_int_equal(settings.target_count, 0);
	assert_int_equal(settings.version, 0);
}

static void what_is_given_is_taken_and_the_rest_stays(void **state)
{
	(void)state;
	struct queue_settings settings = settings_json_good(
		"{\"burst\":7,\"state\":\"paused\",\"on_outage\":\"open\",\"session_renewal\":true,"
		"\"message\":\"Zur\xC3\xBC"
		"ck um 14:30\\nDanke\",\"version\":99,"
		"\"lanes\":[{\"name\":\"main\",\"open\":true},{\"name\":\"vip\",\"weight\":3}],"
		"\"allowed_targets\":[\"https://Shop.Example:443/tickets\",\"http://[::1]:8080\"]}");
	assert_int_equal(settings.burst, 7);
	assert_int_equal(settings.rate_per_minute, 60);
	assert_int_equal(settings.state, QUEUE_PAUSED);
	assert_int_equal(settings.on_outage, QUEUE_ON_OUTAGE_OPEN);
	assert_true(settings.session_renewal);
	assert_string_equal(settings.message, "Zur\xC3\xBC"
										  "ck um 14:30\nDanke");
	assert_int_equal(settings.lane_count, 2);
	assert_int_equal(settings.lanes[1].weight, 3);
	assert_true(settings.lanes[0].open);
	assert_false(settings.lanes[1].open); /* forgetting must not open it */
	assert_string_equal(settings.targets[0], "https://shop.example/tickets");
	assert_string_equal(settings.targets[1], "http://[::1]:8080");
	assert_int_equal(settings.version, 0);
}

/* All that the store has of settings, one "name=value" a line; gives. */
static char *fields_text(const struct queue_settings *settings)
{
	WR_AUTO(queue_fields_clear) struct queue_fields fields;
	queue_settings_to_fields(settings, &fields);
	char *text = mem_alloc_zero(1, fields.text_len + fields.count * 64 + 1);
	for (size_t i = 0; i < fields.count; i++) {
		strcat(strcat(text, fields.list[i].name), "=");
		strcat(strcat(text, fields.list[i].value), "\n");
	}
	return text;
}

static void a_change_keeps_what_it_does_not_name(void **state)
{
	(void)state;
	struct queue_settings base =
		settings_json_good("{\"burst\":7,\"lanes\":[{\"name\":\"a\"},{\"name\":\"b\"}]}");
	struct queue_settings changed;
	const char *change = "{\"capacity\":0,\"lanes\":[{\"name\":\"c\"}]}";
	base.version = 5;
	assert_int_equal(queue_settings_from_json(change, strlen(change), &base, &changed, NULL),
					 WR_OK);
	assert_int_equal(changed.burst, 7);
	assert_int_equal(changed.capacity, 0);
	assert_int_equal(changed.lane_count, 1);
	assert_int_equal(changed.version, 5);
	assert_int_equal(queue_settings_lane(&changed, "c"), 0);
	assert_int_equal(queue_settings_lane(&changed, "b"), -1);
}

/* Every setting away from its default, and back by null; the names are those of the tables. */
static void what_is_null_gets_its_default_again(void **state)
{
	(void)state;
	struct queue_settings defaults;
	WR_AUTO(mem_free_at) char *changed_text = NULL;
	WR_AUTO(mem_free_at) char *default_text = NULL;
	WR_AUTO(queue_settings_clear)
	struct queue_settings changed = settings_json_good(
		"{\"rate_per_minute\":7,\"burst\":7,\"poll_min_ms\":4000,\"state\":\"paused\","
		"\"challenge\":\"turnstile\",\"captcha_site_key\":\"a\",\"captcha_secret\":\"hush\","
		"\"message\":\"Soon\",\"session_renewal\":true,\"template\":\"<!--waitingroom-->\","
		"\"lanes\":[{\"name\":\"a\"},{\"name\":\"b\"}],"
		"\"allowed_targets\":[\"https://shop.example/\"],\"messages\":{\"de\":\"Bald\"},"
		"\"bypass\":[{\"extension\":\"js\"}]}");
	char nulls[4096] = "{";
#define NULL_NUMBER(name, ...) "\"" #name "\":null,"
#define NULL_CHOICE(type, name, ...) "\"" #name "\":null,"
#define NULL_SHAPE(name, ...) "\"" #name "\":null,"
	strcat(nulls, QUEUE_NUMBER_TABLE(NULL_NUMBER) QUEUE_CHOICE_TABLE(NULL_CHOICE)
					  QUEUE_TEXT_TABLE(NULL_NUMBER) QUEUE_SHAPE_TABLE(NULL_SHAPE));
#undef NULL_NUMBER
#undef NULL_CHOICE
#undef NULL_SHAPE
	strcat(nulls, "\"version\":null}");
	changed.version = 5;
	queue_settings_default(&defaults);
	changed_text = fields_text(&changed);
	default_text = fields_text(&defaults);
	assert_string_not_equal(changed_text, default_text);
	WR_AUTO(queue_settings_clear) struct queue_settings back;
	struct err_detail detail = {""};
	if (queue_settings_from_json(nulls, strlen(nulls), &changed, &back, &detail) != WR_OK)
		fail_msg("%s", detail.text);
	free(changed_text);
	changed_text = fields_text(&back);
	assert_string_equal(changed_text, default_text);
	assert_int_equal(back.version, 5);
	const char *one = "{\"message\":null}";
	WR_AUTO(queue_settings_clear) struct queue_settings less;
	assert_int_equal(queue_settings_from_json(one, strlen(one), &changed, &less, NULL), WR_OK);
	assert_string_equal(less.message, "");
	assert_int_equal(less.burst, 7);
	struct queue_settings put;
	assert_int_equal(queue_settings_from_put(one, strlen(one), &changed, &put, &detail),
					 WR_INVALID);
	assert_string_equal(detail.text, "message: must be a string");
}

static void every_number_is_refused_just_outside_its_range_and_named(void **state)
{
	(void)state;
#define NUMBER(name, def, low, high, unit, text) {#name, low, high},
	static const struct {
		const char *name;
		int64_t low, high;
	} numbers[] = {QUEUE_NUMBER_TABLE(NUMBER)};
#undef NUMBER
	for (size_t i = 0; i < COUNT_OF(numbers); i++) {
		char said[200], json[200];
		snprintf(said, sizeof(said), "%s: must be a whole number %lld..%lld", numbers[i].name,
				 (long long)numbers[i].low, (long long)numbers[i].high);
		const long long wrong[] = {(long long)numbers[i].low - 1, (long long)numbers[i].high + 1};
		for (size_t k = 0; k < COUNT_OF(wrong); k++) {
			struct queue_settings settings;
			struct err_detail detail = {""};
			snprintf(json, sizeof(json), "{\"%s\":%lld}", numbers[i].name, wrong[k]);
			assert_int_equal(settings_json_read(json, &settings, &detail), WR_INVALID);
			assert_string_equal(detail.text, said);
		}
	}
}

static const char long_message[QUEUE_MESSAGE_BYTES + 2] = {[0 ... QUEUE_MESSAGE_BYTES] = 'm'};

static const struct {
	const char *json;
	enum wr_err err;
	const char *said; /* what the detail begins with */
} mistakes[] = {
	{"", WR_MALFORMED, "not JSON"},
	{"{", WR_MALFORMED, "not JSON"},
	{"[]", WR_MALFORMED, "must be a JSON object"},
	{"null", WR_MALFORMED, "must be a JSON object"},
	{"{\"burst\":1,\"burst\":2}", WR_MALFORMED, "a name stands twice"},
	{"{\"burst\":\"10\"}", WR_INVALID, "burst: must be a whole number 1..1000000"},
	{"{\"burst\":1.5}", WR_INVALID, "burst: must be a whole number 1..1000000"},
	{"{\"burst\":1e30}", WR_INVALID, "burst: must be a whole number 1..1000000"},
	{"{\"Burst\":null}", WR_INVALID, "member 1 of the settings: must have the name"},
	{"{\"lanes\":[null]}", WR_INVALID, "lanes[0]: must be an object"},
	{"{\"poll_min_ms\":29000,\"poll_max_ms\":null,\"absent_after_ms\":null,\"declared\":null}",
	 WR_INVALID, "member 4 of the settings: must have the name"},
	{"{\"burst\":true}", WR_INVALID, "burst: must be a whole number 1..1000000"},
	{"{\"burst\":5,\"Burst\":5}", WR_INVALID, "member 2 of the settings: must have the name"},
	{"{\"rate\":5}", WR_INVALID, "member 1 of the settings: must have the name"},
	{"{\"session_renewal\":1}", WR_INVALID, "session_renewal: must be true or false"},
	{"{\"state\":\"Open\"}", WR_INVALID,
	 "state: must be one of open paused hold closed passthrough draining"},
	{"{\"state\":0}", WR_INVALID, "state: must be one of"},
	{"{\"on_outage\":\"close\"}", WR_INVALID, "on_outage: must be one of hold open"},
	{"{\"on_outage\":false}", WR_INVALID, "on_outage: must be one of hold open"},
	{"{\"message\":5}", WR_INVALID, "message: must be a string"},
	{"{\"message\":\"bell \\u0007\"}", WR_INVALID, "message: must be plain text"},
	{"{\"message\":\"\\u007f\"}", WR_INVALID, "message: must be plain text"},
	{"{\"lanes\":{}}", WR_INVALID, "lanes: must be an array of 1..8 lanes"},
	{"{\"lanes\":[]}", WR_INVALID, "lanes: must be an array of 1..8 lanes"},
	{"{\"lanes\":[\"main\"]}", WR_INVALID, "lanes[0]: must be an object"},
	{"{\"lanes\":[{}]}", WR_INVALID, "lanes[0].name: must be 1..63 of"},
	{"{\"lanes\":[{\"name\":5}]}", WR_INVALID, "lanes[0].name: must be 1..63 of"},
	{"{\"lanes\":[{\"name\":\"a\"},{\"name\":\"-b\"}]}", WR_INVALID, "lanes[1].name: must be"},
	{"{\"lanes\":[{\"name\":\"a\"},{\"name\":\"a\"}]}", WR_INVALID,
	 "lanes[1].name: must not be that of another lane"},
	{"{\"lanes\":[{\"name\":\"a\",\"weight\":0}]}", WR_INVALID, "lanes[0].weight: must be a whole"},
	{"{\"lanes\":[{\"name\":\"a\",\"weight\":1001}]}", WR_INVALID, "lanes[0].weight: must be a"},
	{"{\"lanes\":[{\"name\":\"a\",\"weight\":\"1\"}]}", WR_INVALID, "lanes[0].weight: must be a"},
	{"{\"lanes\":[{\"name\":\"a\",\"weight\":4294967297}]}", WR_INVALID, "lanes[0].weight: must"},
	{"{\"lanes\":[{\"name\":\"a\",\"open\":1}]}", WR_INVALID, "lanes[0].open: must be true or"},
	{"{\"lanes\":[{\"name\":\"a\",\"opens\":true}]}", WR_INVALID, "lanes[0]: must have no members"},
	{"{\"lanes\":[{\"name\":\"a\"},{\"name\":\"b\"},{\"name\":\"c\"},{\"name\":\"d\"},{\"name\":"
	 "\"e\"},{\"name\":\"f\"},{\"name\":\"g\"},{\"name\":\"h\"},{\"name\":\"i\"}]}",
	 WR_INVALID, "lanes: must be at most 8"},
	{"{\"allowed_targets\":\"https://a\"}", WR_INVALID, "allowed_targets: must be an array"},
	{"{\"allowed_targets\":[\"https://a\",5]}", WR_INVALID, "allowed_targets[1]: must begin with"},
	{"{\"allowed_targets\":[\"\"]}", WR_INVALID, "allowed_targets[0]: must begin with https://"},
	{"{\"allowed_targets\":[\"/shop\"]}", WR_INVALID, "allowed_targets[0]: must begin with"},
	{"{\"allowed_targets\":[\"shop.example\"]}", WR_INVALID, "allowed_targets[0]: must begin with"},
	{"{\"allowed_targets\":[\"ftp://shop.example\"]}", WR_INVALID,
	 "allowed_targets[0]: must begin"},
	{"{\"allowed_targets\":[\"https://*.example\"]}", WR_INVALID, "allowed_targets[0]: must have"},
	{"{\"allowed_targets\":[\"https://shop..example\"]}", WR_INVALID,
	 "allowed_targets[0]: must have"},
	{"{\"allowed_targets\":[\"https://.example\"]}", WR_INVALID, "allowed_targets[0]: must have"},
	{"{\"allowed_targets\":[\"https://shop.\"]}", WR_INVALID, "allowed_targets[0]: must have"},
	{"{\"allowed_targets\":[\"https://[]\"]}", WR_INVALID, "allowed_targets[0]: must have"},
	{"{\"allowed_targets\":[\"https://[\"]}", WR_INVALID, "allowed_targets[0]: must have"},
	{"{\"allowed_targets\":[\"https://u@shop.example\"]}", WR_INVALID,
	 "allowed_targets[0]: must not contain user information"},
	{"{\"allowed_targets\":[\"https://shop.example/?a\"]}", WR_INVALID,
	 "allowed_targets[0]: must not have a query"},
	{"{\"allowed_targets\":[\"https://shop.example#a\"]}", WR_INVALID,
	 "allowed_targets[0]: must not have a query"},
	{"{\"allowed_targets\":[\"https://a\",\"https://a\",\"https://a\",\"https://a\",\"https://a\","
	 "\"https://a\",\"https://a\",\"https://a\",\"https://a\",\"https://a\",\"https://a\","
	 "\"https://a\",\"https://a\",\"https://a\",\"https://a\",\"https://a\",\"https://a\"]}",
	 WR_INVALID, "allowed_targets: must be at most 16"},
	{"{\"poll_min_ms\":40000,\"poll_max_ms\":30000}", WR_INVALID,
	 "poll_min_ms: must not be above poll_max_ms, which is 30000"},
	{"{\"absent_after_ms\":1199,\"poll_min_ms\":1000}", WR_INVALID,
	 "absent_after_ms: must be at least 1200, 1.2"},
	{"{\"heartbeat_ttl_ms\":89999,\"absent_after_ms\":90000}", WR_INVALID,
	 "heartbeat_ttl_ms: must be at least absent_after_ms, which is 90000"},
};

static void every_mistake_is_named_with_its_remedy(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(mistakes); i++) {
		struct queue_settings settings = {.burst = -77};
		struct err_detail detail = {""};
		enum wr_err err = settings_json_read(mistakes[i].json, &settings, &detail);
		if (err != mistakes[i].err ||
			strncmp(detail.text, mistakes[i].said, strlen(mistakes[i].said)) != 0)
			fail_msg("%s: %s, \"%s\"", mistakes[i].json, err_code(err), detail.text);
		assert_int_equal(settings.burst, -77); /* untouched */
	}
}

static void values_that_just_go_together_are_taken(void **state)
{
	(void)state;
	settings_json_good(
		"{\"poll_min_ms\":30000,\"absent_after_ms\":36000,\"heartbeat_ttl_ms\":36000,"
		"\"first_heartbeat_ms\":500}");
	settings_json_good("{\"poll_max_ms\":75000}");
}

static void expect_times(const char *json, int64_t poll_min_ms, int64_t poll_max_ms,
						 int64_t absent_after_ms, int64_t heartbeat_ttl_ms)
{
	struct queue_settings settings = settings_json_good(json);
	assert_int_equal(settings.poll_min_ms, poll_min_ms);
	assert_int_equal(settings.poll_max_ms, poll_max_ms);
	assert_int_equal(settings.absent_after_ms, absent_after_ms);
	assert_int_equal(settings.heartbeat_ttl_ms, heartbeat_ttl_ms);
}

static void defaults_give_way_to_times_that_are_given(void **state)
{
	(void)state;
	expect_times("{}", 2000, 30000, 90000, 300000);
	expect_times("{\"heartbeat_ttl_ms\":1000}", 833, 30000, 1000, 1000);
	expect_times("{\"absent_after_ms\":500}", 416, 30000, 500, 300000);
	expect_times("{\"absent_after_ms\":400000}", 2000, 30000, 400000, 400000);
	expect_times("{\"poll_min_ms\":100000}", 100000, 100000, 120000, 300000);
	expect_times("{\"poll_min_ms\":600000}", 600000, 600000, 720000, 720000);
	expect_times("{\"poll_max_ms\":500}", 500, 500, 90000, 300000);
}

static void nobody_is_told_to_poll_so_late_that_they_are_absent(void **state)
{
	(void)state;
	struct queue_settings settings = settings_json_good("{\"absent_after_ms\":3000}");
	assert_int_equal(settings.poll_max_ms, 30000);
	assert_int_equal(queue_settings_poll_longest(&settings), 2500);
	settings = settings_json_good("{}");
	assert_int_equal(queue_settings_poll_longest(&settings), 30000);
}

static void the_first_lane_is_open_when_it_does_not_say(void **state)
{
	(void)state;
	struct queue_settings settings =
		settings_json_good("{\"lanes\":[{\"name\":\"a\"},{\"name\":\"b\"}]}");
	assert_true(settings.lanes[0].open);
	assert_false(settings.lanes[1].open);
	settings = settings_json_good("{\"lanes\":[{\"name\":\"a\",\"open\":false}]}");
	assert_false(settings.lanes[0].open);
}

static void a_text_has_a_longest_length(void **state)
{
	(void)state;
	char json[QUEUE_MESSAGE_BYTES + 100];
	struct err_detail detail = {""};
	struct queue_settings settings;
	snprintf(json, sizeof(json), "{\"message\":\"%.*s\"}", QUEUE_MESSAGE_BYTES, long_message);
	settings_json_good(json);
	snprintf(json, sizeof(json), "{\"message\":\"%s\"}", long_message);
	assert_int_equal(settings_json_read(json, &settings, &detail), WR_INVALID);
	assert_string_equal(detail.text, "message: must be at most 512 bytes");
	int path_chars = QUEUE_TARGET_BYTES - (int)strlen("https://a/");
	snprintf(json, sizeof(json), "{\"allowed_targets\":[\"https://a/%.*s\"]}", path_chars,
			 long_message);
	settings_json_good(json);
	snprintf(json, sizeof(json), "{\"allowed_targets\":[\"https://a/%.*s\"]}", path_chars + 1,
			 long_message);
	assert_int_equal(settings_json_read(json, &settings, &detail), WR_INVALID);
	assert_string_equal(detail.text, "allowed_targets[0]: must be at most 256 bytes");
}

static void words_of_states_are_read_and_written(void **state)
{
	(void)state;
	enum queue_state parsed = QUEUE_OPEN;
	for (unsigned i = 0; i < QUEUE_STATE_COUNT; i++) {
		assert_true(queue_state_parse(queue_state_word((enum queue_state)i), &parsed));
		assert_int_equal(parsed, i);
	}
	assert_false(queue_state_parse("", &parsed));
	assert_false(queue_state_parse("unknown", &parsed));
	assert_string_equal(queue_state_word(QUEUE_STATE_COUNT), "unknown");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(defaults_are_the_table_and_one_open_lane),
		cmocka_unit_test(what_is_given_is_taken_and_the_rest_stays),
		cmocka_unit_test(a_change_keeps_what_it_does_not_name),
		cmocka_unit_test(what_is_null_gets_its_default_again),
		cmocka_unit_test(every_number_is_refused_just_outside_its_range_and_named),
		cmocka_unit_test(every_mistake_is_named_with_its_remedy),
		cmocka_unit_test(values_that_just_go_together_are_taken),
		cmocka_unit_test(defaults_give_way_to_times_that_are_given),
		cmocka_unit_test(nobody_is_told_to_poll_so_late_that_they_are_absent),
		cmocka_unit_test(the_first_lane_is_open_when_it_does_not_say),
		cmocka_unit_test(a_text_has_a_longest_length),
		cmocka_unit_test(words_of_states_are_read_and_written),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
