/* Settings JSON: the settings as operators write and read them.
 *
 * Reading walks over the members of the object, finds each name in a table, and changes a copy of
 * 'base'. The values are checked one by one where they stand, then as a whole; the caller's struct
 * is filled only when everything is right.
 */
#include "waitingroom/settings.h"

#include <string.h>

#include "settings_rules.h"
#include "waitingroom/json_in.h"
#include "waitingroom/memory.h"

/* ---- reading ---- */

static enum wr_err read_session_renewal(struct queue_settings *settings,
										const struct json_value *value,
										struct err_detail *ret_detail)
{
	if (!json_bool(value, &settings->session_renewal))
		return err_say(ret_detail, WR_INVALID, "session_renewal: must be true or false");
	return WR_OK;
}

/* "" is not one of the words: the error of a wrong word serves for a wrong type. */
static const char *word_in(const struct json_value *value)
{
	const char *word = "";
	return json_string(value, &word) ? word : "";
}

static enum wr_err read_template(struct queue_settings *settings, const struct json_value *value,
								 struct err_detail *ret_detail)
{
	const char *text;
	if (!json_string(value, &text))
		return err_say(ret_detail, WR_INVALID, "template: must be a string");
	return settings_set_template(settings, text, strlen(text), ret_detail);
}

/* {"name":"vip","weight":3,"open":true}. Not open unless it says so: forgetting must not open it.
 * But the first one is everybody's who names none. */
static enum wr_err read_lane(struct queue_settings *settings, const struct json_value *value,
							 struct err_detail *ret_detail)
{
	unsigned number = settings->lane_count;
	const char *name = "";
	int64_t weight = 1;
	bool open = number == 0;
	if (!json_is_object(value))
		return err_say(ret_detail, WR_INVALID,
					   "lanes[%u]: must be an object of name, weight and open", number);
	for (size_t i = 0; i < json_count(value); i++) {
		const struct json_value *member = json_at(value, i);
		const char *key = json_key(member);
		if (strcmp(key, "name") == 0) {
			name = word_in(member);
		} else if (strcmp(key, "weight") == 0) {
			if (!json_int(member, &weight))
				weight = 0; /* out of range: settings_add_lane says what it must be */
		} else if (strcmp(key, "open") == 0) {
			if (!json_bool(member, &open))
				return err_say(ret_detail, WR_INVALID, "lanes[%u].open: must be true or false",
							   number);
		} else {
			return err_say(ret_detail, WR_INVALID,
						   "lanes[%u]: must have no members but name, weight and open", number);
		}
	}
	return settings_add_lane(settings, name, strlen(name), weight, open, ret_detail);
}

static enum wr_err read_lanes(struct queue_settings *settings, const struct json_value *value,
							  struct err_detail *ret_detail)
{
	if (!json_is_array(value) || json_count(value) == 0)
		return err_say(ret_detail, WR_INVALID, "lanes: must be an array of 1..%d lanes",
					   QUEUE_LANES_MAX);
	memset(settings->lanes, 0, sizeof(settings->lanes));
	settings->lane_count = 0;
	enum wr_err err = WR_OK;
	for (size_t i = 0; i < json_count(value) && err == WR_OK; i++)
		err = read_lane(settings, json_at(value, i), ret_detail);
	return err;
}

static enum wr_err read_allowed_targets(struct queue_settings *settings,
										const struct json_value *value,
										struct err_detail *ret_detail)
{
	if (!json_is_array(value))
		return err_say(ret_detail, WR_INVALID, "allowed_targets: must be an array of strings");
	memset(settings->targets, 0, sizeof(settings->targets));
	settings->target_count = 0;
	enum wr_err err = WR_OK;
	for (size_t i = 0; i < json_count(value) && err == WR_OK; i++) {
		const char *text = word_in(json_at(value, i));
		err = settings_add_target(settings, text, strlen(text), ret_detail);
	}
	return err;
}

/* What an answer has, and a client may send back as it came. */
static enum wr_err read_version(struct queue_settings *settings, const struct json_value *value,
								struct err_detail *ret_detail)
{
	(void)settings;
	(void)value;
	(void)ret_detail;
	return WR_OK;
}

static const struct {
	const char *name;
	enum wr_err (*read)(struct queue_settings *settings, const struct json_value *value,
						struct err_detail *ret_detail);
} readers[] = {
	{"session_renewal", read_session_renewal},
	{"lanes", read_lanes},
	{"allowed_targets", read_allowed_targets},
	{"entry_keys", settings_read_entry_keys},
	{"bypass", settings_read_bypass},
	{"theme", settings_read_theme},
	{"template", read_template},
	{"messages", settings_read_messages},
	{"version", read_version},
};

static enum wr_err read_number(struct queue_settings *settings,
							   const struct settings_number *number, const struct json_value *value,
							   struct err_detail *ret_detail)
{
	int64_t whole;
	if (!json_int(value, &whole))
		return settings_number_wrong(number, ret_detail);
	return settings_number_set(settings, number, whole, ret_detail);
}

static enum wr_err read_text(struct queue_settings *settings, const struct settings_text *text,
							 const struct json_value *value, struct err_detail *ret_detail)
{
	const char *string;
	if (!json_string(value, &string))
		return err_say(ret_detail, WR_INVALID, "%s: must be a string", text->name);
	return settings_text_set(settings, text, string, strlen(string), ret_detail);
}

/* A value that takes the name's default again. */
static enum wr_err take_default(struct queue_settings *settings, const char *name)
{
	struct queue_settings defaults;
	WR_AUTO(queue_fields_clear) struct queue_fields fields;
	queue_settings_default(&defaults);
	queue_settings_to_fields(&defaults, &fields);
	for (size_t i = 0; i < fields.count; i++)
		if (strcmp(fields.list[i].name, name) == 0)
			return queue_settings_set_field(settings, name, fields.list[i].value,
											strlen(fields.list[i].value));
	return WR_OK; /* "version", which is not ours to set */
}

static bool is_setting(const char *name)
{
	for (size_t i = 0; i < settings_number_count; i++)
		if (strcmp(name, settings_numbers[i].name) == 0)
			return true;
	for (size_t i = 0; i < settings_choice_count; i++)
		if (strcmp(name, settings_choices[i].name) == 0)
			return true;
	for (size_t i = 0; i < settings_text_count; i++)
		if (strcmp(name, settings_texts[i].name) == 0)
			return true;
	for (size_t i = 0; i < sizeof(readers) / sizeof(readers[0]); i++)
		if (strcmp(name, readers[i].name) == 0)
			return true;
	return false;
}

static enum wr_err read_member(struct queue_settings *settings, const struct json_value *member,
							   bool takes_null, size_t number, struct err_detail *ret_detail)
{
	const char *key = json_key(member);
	if (takes_null && json_is_null(member) && is_setting(key))
		return take_default(settings, key);
	for (size_t i = 0; i < settings_number_count; i++)
		if (strcmp(key, settings_numbers[i].name) == 0)
			return read_number(settings, &settings_numbers[i], member, ret_detail);
	for (size_t i = 0; i < settings_choice_count; i++)
		if (strcmp(key, settings_choices[i].name) == 0) {
			const char *word = word_in(member);
			return settings_choice_set(settings, &settings_choices[i], word, strlen(word),
									   ret_detail);
		}
	for (size_t i = 0; i < settings_text_count; i++)
		if (strcmp(key, settings_texts[i].name) == 0)
			return read_text(settings, &settings_texts[i], member, ret_detail);
	for (size_t i = 0; i < sizeof(readers) / sizeof(readers[0]); i++)
		if (strcmp(key, readers[i].name) == 0)
			return readers[i].read(settings, member, ret_detail);
	/* By its place: what the peer sent is not repeated. */
	return err_say(ret_detail, WR_INVALID,
				   "member %zu of the settings: must have the name of a setting", number + 1);
}

/* Changes settings; what they are after an error means nothing. */
static enum wr_err read_document(const struct json_value *document, bool takes_null,
								 struct queue_settings *settings, struct err_detail *ret_detail)
{
	for (size_t i = 0; i < json_count(document); i++) {
		enum wr_err err = read_member(settings, json_at(document, i), takes_null, i, ret_detail);
		if (err != WR_OK)
			return err;
	}
	return WR_OK;
}

/* Neither given nor ever changed. */
static bool gives_way(const struct json_value *document, const char *name, int64_t value,
					  int64_t by_default)
{
	return json_member(document, name) == NULL && value == by_default;
}

/* Whoever asks for a short time need not know all those that hang on it. What is given stays as it
 * is; if it contradicts itself, settings_check_whole says so. */
static void fit_defaults(const struct json_value *document, struct queue_settings *settings)
{
	struct queue_settings defaults;
	queue_settings_default(&defaults);
#define GIVES_WAY(name) gives_way(document, #name, settings->name, defaults.name)
	bool ttl = GIVES_WAY(heartbeat_ttl_ms), absent = GIVES_WAY(absent_after_ms);
	bool poll_min = GIVES_WAY(poll_min_ms), poll_max = GIVES_WAY(poll_max_ms);
#undef GIVES_WAY
	if (absent && settings->absent_after_ms > settings->heartbeat_ttl_ms)
		settings->absent_after_ms = settings->heartbeat_ttl_ms;
	if (poll_min && settings->poll_min_ms > queue_settings_poll_longest(settings))
		settings->poll_min_ms = queue_settings_poll_longest(settings);
	if (poll_min && settings->poll_min_ms > settings->poll_max_ms)
		settings->poll_min_ms = settings->poll_max_ms;
	if (poll_max && settings->poll_max_ms < settings->poll_min_ms)
		settings->poll_max_ms = settings->poll_min_ms;
	int64_t absent_least_ms = queue_settings_absent_least(settings->poll_min_ms);
	if (absent && settings->absent_after_ms < absent_least_ms)
		settings->absent_after_ms = absent_least_ms;
	if (ttl && settings->heartbeat_ttl_ms < settings->absent_after_ms)
		settings->heartbeat_ttl_ms = settings->absent_after_ms;
}

/* The caller's from now on. */
static void hand_over(struct queue_settings *settings, struct queue_settings *ret_settings)
{
	*ret_settings = *settings;
	queue_settings_default(settings);
}

static enum wr_err parse_object(const char *json, size_t len, struct json_value **ret_document,
								struct err_detail *ret_detail)
{
	enum wr_err err = json_parse(json, len, ret_document, ret_detail);
	if (err == WR_OK && !json_is_object(*ret_document))
		return err_say(ret_detail, WR_MALFORMED, "must be a JSON object of settings");
	return err;
}

enum wr_err queue_settings_from_json(const char *json, size_t len,
									 const struct queue_settings *base,
									 struct queue_settings *ret_settings,
									 struct err_detail *ret_detail)
{
	WR_AUTO(json_free_at) struct json_value *document = NULL;
	WR_AUTO(queue_settings_clear) struct queue_settings settings;
	queue_settings_copy(base, &settings);
	enum wr_err err = parse_object(json, len, &document, ret_detail);
	if (err == WR_OK)
		err = read_document(document, true, &settings, ret_detail);
	if (err == WR_OK)
		fit_defaults(document, &settings);
	if (err == WR_OK)
		err = settings_check_whole(&settings, ret_detail);
	if (err == WR_OK)
		hand_over(&settings, ret_settings);
	return err;
}

enum wr_err queue_settings_from_put(const char *json, size_t len,
									const struct queue_settings *stored,
									struct queue_settings *ret_settings,
									struct err_detail *ret_detail)
{
	WR_AUTO(json_free_at) struct json_value *document = NULL;
	WR_AUTO(queue_settings_clear) struct queue_settings settings;
	queue_settings_default(&settings);
	enum wr_err err = parse_object(json, len, &document, ret_detail);
	if (err != WR_OK)
		return err;
	if (stored != NULL) {
		struct queue_settings secrets = settings; /* borrows */
		secrets.entry_key_count = stored->entry_key_count;
		secrets.entry_keys = stored->entry_keys;
		memcpy(secrets.captcha_secret, stored->captcha_secret, sizeof(secrets.captcha_secret));
		queue_settings_copy(&secrets, &settings);
	}
	/* The keys are there for the rows that name them; without the member there are none. */
	if (json_member(document, "entry_keys") == NULL)
		settings_drop_entry_keys(&settings);
	err = read_document(document, false, &settings, ret_detail);
	if (err == WR_OK)
		fit_defaults(document, &settings);
	if (err == WR_OK)
		err = settings_check_whole(&settings, ret_detail);
	if (err == WR_OK)
		hand_over(&settings, ret_settings);
	return err;
}

/* ---- writing ---- */

static void write_lanes(const struct queue_settings *settings, struct json_out *out)
{
	json_out_array(out, "lanes");
	for (unsigned i = 0; i < settings->lane_count; i++) {
		json_out_object(out, NULL);
		json_out_string(out, "name", settings->lanes[i].name);
		json_out_int(out, "weight", settings->lanes[i].weight);
		json_out_bool(out, "open", settings->lanes[i].open);
		json_out_object_end(out);
	}
	json_out_array_end(out);
}

void queue_settings_to_json(const struct queue_settings *settings, struct json_out *out,
							const char *key)
{
	json_out_object(out, key);
	for (size_t i = 0; i < settings_number_count; i++)
		json_out_int(out, settings_numbers[i].name,
					 settings_number_get(settings, &settings_numbers[i]));
	for (size_t i = 0; i < settings_choice_count; i++)
		json_out_string(out, settings_choices[i].name,
						settings_choice_word(settings, &settings_choices[i]));
	for (size_t i = 0; i < settings_text_count; i++)
		if (settings_texts[i].shown)
			json_out_string(out, settings_texts[i].name,
							settings_text_get(settings, &settings_texts[i]));
	json_out_bool(out, "session_renewal", settings->session_renewal);
	write_lanes(settings, out);
	json_out_array(out, "allowed_targets");
	for (unsigned i = 0; i < settings->target_count; i++)
		json_out_string(out, NULL, settings->targets[i]);
	json_out_array_end(out);
	settings_write_entry_keys(settings, out, "entry_keys", false);
	settings_write_bypass(settings, out, "bypass", false);
	settings_write_theme(settings, out, "theme", false);
	json_out_string(out, "template", settings->template_html ? settings->template_html : "");
	settings_write_messages(settings, out, "messages", false);
	json_out_object_end(out);
}
