/* Settings: every mistake is named, and what is right comes back unchanged from JSON and store. */
#include "waitingroom/settings.h"

#include "support/cmocka.h"
#include "support/dice.h"
#include "waitingroom/memory.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

static struct queue_settings defaults(void)
{
	struct queue_settings settings;
	queue_settings_default(&settings);
	return settings;
}

static enum wr_err from_json(const char *json, struct queue_settings *ret_settings,
							 struct err_detail *ret_detail)
{
	struct queue_settings base = defaults();
	return queue_settings_from_json(json, strlen(json), &base, ret_settings, ret_detail);
}

static struct queue_settings good(const char *json)
{
	struct queue_settings settings;
	struct err_detail detail = {""};
	if (from_json(json, &settings, &detail) != WR_OK)
		fail_msg("%s: %s", json, detail.text);
	return settings;
}

#define JSON_ROOM QUEUE_SETTINGS_JSON_BYTES

static void to_json(const struct queue_settings *settings, char text[JSON_ROOM])
{
	struct json_out out;
	json_out_init(&out, text, JSON_ROOM - 1);
	queue_settings_to_json(settings, &out, NULL);
	assert_false(out.overflow);
	text[out.len] = '\0';
}

/* ---- single values ---- */

static void defaults_are_the_table_and_one_open_lane(void **state)
{
	(void)state;
	struct queue_settings settings = good("{}");
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
	struct queue_settings settings =
		good("{\"burst\":7,\"state\":\"paused\",\"on_outage\":\"open\",\"session_renewal\":true,"
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
		good("{\"burst\":7,\"lanes\":[{\"name\":\"a\"},{\"name\":\"b\"}]}");
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
	struct queue_settings changed =
		good("{\"rate_per_minute\":7,\"burst\":7,\"poll_min_ms\":4000,\"state\":\"paused\","
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
			assert_int_equal(from_json(json, &settings, &detail), WR_INVALID);
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
	{"{\"poll_min_ms\":40000}", WR_INVALID,
	 "poll_min_ms: must not be above poll_max_ms, which is 30000"},
	{"{\"absent_after_ms\":35999}", WR_INVALID, "absent_after_ms: must be at least 36000, 1.2"},
	{"{\"poll_max_ms\":75001}", WR_INVALID, "absent_after_ms: must be at least 90002, 1.2"},
	{"{\"heartbeat_ttl_ms\":89999}", WR_INVALID,
	 "heartbeat_ttl_ms: must be at least absent_after_ms, which is 90000"},
	{"{\"first_heartbeat_ms\":2499}", WR_INVALID, "first_heartbeat_ms: must be at least 2500"},
};

static void every_mistake_is_named_with_its_remedy(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(mistakes); i++) {
		struct queue_settings settings = {.burst = -77};
		struct err_detail detail = {""};
		enum wr_err err = from_json(mistakes[i].json, &settings, &detail);
		if (err != mistakes[i].err ||
			strncmp(detail.text, mistakes[i].said, strlen(mistakes[i].said)) != 0)
			fail_msg("%s: %s, \"%s\"", mistakes[i].json, err_code(err), detail.text);
		assert_int_equal(settings.burst, -77); /* untouched */
	}
}

static void values_that_just_go_together_are_taken(void **state)
{
	(void)state;
	good("{\"poll_min_ms\":30000,\"absent_after_ms\":36000,\"heartbeat_ttl_ms\":36000,"
		 "\"first_heartbeat_ms\":2500}");
	good("{\"poll_max_ms\":75000}");
}

static void a_text_has_a_longest_length(void **state)
{
	(void)state;
	char json[QUEUE_MESSAGE_BYTES + 100];
	struct err_detail detail = {""};
	struct queue_settings settings;
	snprintf(json, sizeof(json), "{\"message\":\"%.*s\"}", QUEUE_MESSAGE_BYTES, long_message);
	good(json);
	snprintf(json, sizeof(json), "{\"message\":\"%s\"}", long_message);
	assert_int_equal(from_json(json, &settings, &detail), WR_INVALID);
	assert_string_equal(detail.text, "message: must be at most 512 bytes");
	int path_chars = QUEUE_TARGET_BYTES - (int)strlen("https://a/");
	snprintf(json, sizeof(json), "{\"allowed_targets\":[\"https://a/%.*s\"]}", path_chars,
			 long_message);
	good(json);
	snprintf(json, sizeof(json), "{\"allowed_targets\":[\"https://a/%.*s\"]}", path_chars + 1,
			 long_message);
	assert_int_equal(from_json(json, &settings, &detail), WR_INVALID);
	assert_string_equal(detail.text, "allowed_targets[0]: must be at most 256 bytes");
}

/* ---- the store's fields ---- */

static const struct {
	const char *name, *value;
	enum wr_err err;
} field_cases[] = {
	{"burst", "5", WR_OK},
	{"burst", "", WR_INVALID},
	{"burst", "0", WR_INVALID},
	{"burst", "5 ", WR_INVALID},
	{"burst", "99999999999999999999", WR_INVALID},
	{"session_renewal", "1", WR_OK},
	{"session_renewal", "true", WR_INVALID},
	{"state", "hold", WR_OK},
	{"state", "holding", WR_INVALID},
	{"state", "a word that is too long for any of them", WR_INVALID},
	{"on_outage", "open", WR_OK},
	{"on_outage", "", WR_INVALID},
	{"message", "", WR_OK},
	{"message", "\xff", WR_INVALID},
	{"lanes", "a:1:open", WR_OK},
	{"lanes", "a:1:open,b:1000:signed", WR_OK},
	{"lanes", "", WR_INVALID},
	{"lanes", "a:1:open,", WR_INVALID},
	{"lanes", ",a:1:open", WR_INVALID},
	{"lanes", "a:1", WR_INVALID},
	{"lanes", "a:0:open", WR_INVALID},
	{"lanes", "a:1:opened", WR_INVALID},
	{"lanes", "a:1:open:", WR_INVALID},
	{"lanes", "a:1:open,a:1:open", WR_INVALID},
	{"lanes", "a:1:open,b:1:open,c:1:open,d:1:open,e:1:open,f:1:open,g:1:open,h:1:open,i:1:open",
	 WR_INVALID},
	{"allowed_targets", "", WR_OK},
	{"allowed_targets", "https://a\nhttp://b/c", WR_OK},
	{"allowed_targets", "https://a\n", WR_INVALID},
	{"allowed_targets", "https://a b", WR_INVALID},
	{"a_setting_of_the_future", "anything", WR_OK},
};

static void a_field_of_the_store_is_taken_whole_or_not_at_all(void **state)
{
	(void)state;
	char before[JSON_ROOM], after[JSON_ROOM];
	for (size_t i = 0; i < COUNT_OF(field_cases); i++) {
		struct queue_settings settings =
			good("{\"burst\":3,\"message\":\"m\",\"allowed_targets\":[\"https://x\"]}");
		to_json(&settings, before);
		enum wr_err err = queue_settings_set_field(
			&settings, field_cases[i].name, field_cases[i].value, strlen(field_cases[i].value));
		to_json(&settings, after);
		bool is_unknown = strncmp(field_cases[i].name, "a_", 2) == 0;
		if (err != field_cases[i].err ||
			(strcmp(before, after) == 0) != (err != WR_OK || is_unknown))
			fail_msg("%s=\"%s\": %s", field_cases[i].name, field_cases[i].value, err_code(err));
	}
}

static void a_field_need_not_end_in_nul(void **state)
{
	(void)state;
	struct queue_settings settings = defaults();
	assert_int_equal(queue_settings_set_field(&settings, "burst", "1234", 2), WR_OK);
	assert_int_equal(settings.burst, 12);
	assert_int_equal(queue_settings_set_field(&settings, "lanes", "a:1:open,b", 8), WR_OK);
	assert_int_equal(settings.lane_count, 1);
}

/* ---- round trip ---- */

static int64_t random_between(int64_t low, int64_t high)
{
	return low + (int64_t)dice((uint64_t)(high - low) + 1);
}

static void random_message(struct queue_settings *settings)
{
	static const char *const pieces[] = {
		"a", " ", "\"", "\\", "\n", "/", "\xC3\xBC", "\xE2\x82\xAC", "\xF0\x9F\x98\x80", "<b>"};
	settings->message[0] = '\0';
	for (uint64_t left = dice(120); left; left--)
		strcat(settings->message, pieces[dice(COUNT_OF(pieces))]);
}

static void random_lanes(struct queue_settings *settings)
{
	settings->lane_count = 1 + (uint32_t)dice(QUEUE_LANES_MAX);
	for (uint32_t i = 0; i < settings->lane_count; i++) {
		struct queue_lane *lane = &settings->lanes[i];
		int chars = snprintf(lane->name, sizeof(lane->name), "%u", i);
		for (uint64_t left = dice(NAME_MAX_CHARS); left; left--)
			lane->name[chars++] = "abz09-"[dice(6)];
		lane->name[chars] = '\0';
		lane->weight = 1 + (uint32_t)dice(1000);
		lane->open = dice(2);
	}
}

static void random_targets(struct queue_settings *settings)
{
	static const char *const hosts[] = {"a", "shop.example", "xn--bcher-kva.example", "127.0.0.1",
										"[2001:db8::1]"};
	static const char *const paths[] = {"", "/", "/shop", "/a/b%20c/", "/x;y=1"};
	settings->target_count = (uint32_t)dice(QUEUE_TARGETS_MAX + 1);
	for (uint32_t i = 0; i < settings->target_count; i++) {
		char port[8] = "";
		if (dice(2))
			snprintf(port, sizeof(port), ":%d", 1000 + (int)dice(64000));
		snprintf(settings->targets[i], sizeof(settings->targets[i]), "%s://%s%s%s",
				 dice(4) ? "https" : "http", hosts[dice(COUNT_OF(hosts))], port,
				 paths[dice(COUNT_OF(paths))]);
	}
}

static struct queue_settings random_settings(void)
{
	struct queue_settings settings = defaults();
#define THROW(name, def, low, high, unit, text) settings.name = random_between(low, high);
	QUEUE_NUMBER_TABLE(THROW)
#undef THROW
	settings.poll_max_ms = random_between(100, 600000);
	settings.poll_min_ms = random_between(100, settings.poll_max_ms);
	settings.absent_after_ms = random_between(720000, 86400000);
	settings.heartbeat_ttl_ms = random_between(settings.absent_after_ms, 86400000);
	settings.first_heartbeat_ms = random_between(2500, 3600000);
	settings.challenge_bits_min = random_between(1, settings.challenge_bits_max);
	settings.session_renewal = dice(2);
	settings.state = (enum queue_state)dice(QUEUE_STATE_COUNT);
	settings.on_outage = dice(2) ? QUEUE_ON_OUTAGE_OPEN : QUEUE_ON_OUTAGE_HOLD;
	random_message(&settings);
	random_lanes(&settings);
	random_targets(&settings);
	return settings;
}

static struct queue_settings through_fields(const struct queue_settings *settings)
{
	struct queue_fields fields;
	struct queue_settings back = defaults();
	queue_settings_to_fields(settings, &fields);
	for (size_t i = 0; i < fields.count; i++) {
		const struct queue_field *field = &fields.list[i];
		assert_int_equal(
			queue_settings_set_field(&back, field->name, field->value, strlen(field->value)),
			WR_OK);
	}
	queue_fields_clear(&fields);
	return back;
}

static void settings_come_back_the_same_from_json_and_from_the_store(void **state)
{
	(void)state;
	dice_start();
	char first[JSON_ROOM], last[JSON_ROOM];
	for (unsigned round = 0; round < 500; round++) {
		struct queue_settings settings = random_settings();
		to_json(&settings, first);
		struct queue_settings read = good(first);
		assert_memory_equal(read.targets, settings.targets, sizeof(read.targets[0]));
		assert_string_equal(read.message, settings.message);
		struct queue_settings back = through_fields(&read);
		to_json(&back, last);
		assert_string_equal(first, last);
	}
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
		cmocka_unit_test(a_text_has_a_longest_length),
		cmocka_unit_test(a_field_of_the_store_is_taken_whole_or_not_at_all),
		cmocka_unit_test(a_field_need_not_end_in_nul),
		cmocka_unit_test(settings_come_back_the_same_from_json_and_from_the_store),
		cmocka_unit_test(words_of_states_are_read_and_written),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
