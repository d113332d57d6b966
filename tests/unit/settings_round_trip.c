/* Settings: what is right comes back unchanged from JSON and from the fields of the store. */
#include "support/cmocka.h"
#include "support/dice.h"
#include "support/settings_json.h"
#include "waitingroom/memory.h"

#include <stdio.h>
#include <string.h>

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

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
	for (size_t i = 0; i < COUNT_OF(field_cases); i++) {
		struct queue_settings settings = settings_json_good(
			"{\"burst\":3,\"message\":\"m\",\"allowed_targets\":[\"https://x\"]}");
		WR_AUTO(mem_free_at) char *before = settings_json_print(&settings);
		enum wr_err err = queue_settings_set_field(
			&settings, field_cases[i].name, field_cases[i].value, strlen(field_cases[i].value));
		WR_AUTO(mem_free_at) char *after = settings_json_print(&settings);
		bool is_unknown = strncmp(field_cases[i].name, "a_", 2) == 0;
		if (err != field_cases[i].err ||
			(strcmp(before, after) == 0) != (err != WR_OK || is_unknown))
			fail_msg("%s=\"%s\": %s", field_cases[i].name, field_cases[i].value, err_code(err));
	}
}

static void a_field_need_not_end_in_nul(void **state)
{
	(void)state;
	struct queue_settings settings = settings_json_good("{}");
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
	struct queue_settings settings = settings_json_good("{}");
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
	struct queue_settings back = settings_json_good("{}");
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
	for (unsigned round = 0; round < 500; round++) {
		struct queue_settings settings = random_settings();
		WR_AUTO(mem_free_at) char *first = settings_json_print(&settings);
		struct queue_settings read = settings_json_good(first);
		assert_memory_equal(read.targets, settings.targets, sizeof(read.targets[0]));
		assert_string_equal(read.message, settings.message);
		struct queue_settings back = through_fields(&read);
		WR_AUTO(mem_free_at) char *last = settings_json_print(&back);
		assert_string_equal(first, last);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_field_of_the_store_is_taken_whole_or_not_at_all),
		cmocka_unit_test(a_field_need_not_end_in_nul),
		cmocka_unit_test(settings_come_back_the_same_from_json_and_from_the_store),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
