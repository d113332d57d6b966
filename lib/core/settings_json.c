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

static enum wr_err read_state(struct queue_settings *settings, const struct json_value *value,
							  struct err_detail *ret_detail)
{
	return settings_set_state(settings, word_in(value), ret_detail);
}

static enum wr_err read_on_outage(struct queue_settings *settings, const struct json_value *value,
								  struct err_detail *ret_detail)
{
	return settings_set_on_outage(settings, word_in(value), ret_detail);
}

static enum wr_err read_message(struct queue_settings *settings, const struct json_value *value,
								struct err_detail *ret_detail)
{
	const char *text;
	if (!json_string(value, &text))
		return err_say(ret_detail, WR_INVALID, "message: must be a string");
	return settings_set_message(settings, text, strlen(text), ret_detail);
}

/* {"name":"vip","weight":3,"open":true}. Not open unless it says so: forgetting must not open it. */
static enum wr_err read_lane(struct queue_settings *settings, const struct json_value *value,
							 struct err_detail *ret_detail)
{
	unsigned number = settings->lane_count;
	const char *name = "";
	int64_t weight = 1;
	bool open = false;
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
	{"state", read_state},
	{"on_outage", read_on_outage},
	{"message", read_message},
	{"lanes", read_lanes},
	{"allowed_targets", read_allowed_targets},
	{"version", read_version},
};

static enum wr_err read_member(struct queue_settings *settings, const struct json_value *member,
							   size_t number, struct err_detail *ret_detail)
{
	const char *key = json_key(member);
	for (size_t i = 0; i < settings_number_count; i++)
		if (strcmp(key, settings_numbers[i].name) == 0) {
			int64_t value;
			if (!json_int(member, &value))
				return settings_number_wrong(&settings_numbers[i], ret_detail);
			return settings_number_set(settings, &settings_numbers[i], value, ret_detail);
		}
	for (size_t i = 0; i < sizeof(readers) / sizeof(readers[0]); i++)
		if (strcmp(key, readers[i].name) == 0)
			return readers[i].read(settings, member, ret_detail);
	/* By its place: what the peer sent is not repeated. */
	return err_say(ret_detail, WR_INVALID,
				   "member %zu of the settings: must have the name of a setting", number + 1);
}

enum wr_err queue_settings_from_json(const char *json, size_t len,
									 const struct queue_settings *base,
									 struct queue_settings *ret_settings,
									 struct err_detail *ret_detail)
{
	WR_AUTO(json_free_at) struct json_value *document = NULL;
	enum wr_err err = json_parse(json, len, &document, ret_detail);
	if (err != WR_OK)
		return err;
	if (!json_is_object(document))
		return err_say(ret_detail, WR_MALFORMED, "must be a JSON object of settings");
	struct queue_settings settings = *base;
	for (size_t i = 0; i < json_count(document); i++) {
		err = read_member(&settings, json_at(document, i), i, ret_detail);
		if (err != WR_OK)
			return err;
	}
	err = settings_check_whole(&settings, ret_detail);
	if (err == WR_OK)
		*ret_settings = settings;
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
	json_out_bool(out, "session_renewal", settings->session_renewal);
	json_out_string(out, "state", queue_state_word(settings->state));
	json_out_string(out, "on_outage", queue_on_outage_word(settings->on_outage));
	json_out_string(out, "message", settings->message);
	write_lanes(settings, out);
	json_out_array(out, "allowed_targets");
	for (unsigned i = 0; i < settings->target_count; i++)
		json_out_string(out, NULL, settings->targets[i]);
	json_out_array_end(out);
	json_out_object_end(out);
}
