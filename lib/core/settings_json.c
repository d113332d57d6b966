/* Settings as JSON: what the admin API takes and gives. Errors name the field and the remedy. */
#include <inttypes.h>
#include <string.h>

#include "settings_rules.h"
#include "waitingroom/json_in.h"
#include "waitingroom/memory.h"

static enum wr_err read_lane(const struct json_value *element, struct queue_lane *ret_lane,
							 struct err_detail *ret_detail)
{
	*ret_lane = (struct queue_lane){.weight = 1, .open = false};
	if (!json_is_object(element))
		return err_say(ret_detail, WR_INVALID, "lanes: each must be an object with a name");
	for (size_t i = 0; i < json_count(element); i++) {
		const struct json_value *member = json_at(element, i);
		const char *key = json_key(member), *name = NULL;
		int64_t weight = 0;
		if (strcmp(key, "name") == 0) {
			if (!json_string(member, &name) || !name_is_valid(name, strlen(name)))
				return err_say(ret_detail, WR_INVALID,
							   "lanes: name must be 1..%d of a-z, 0-9 and -", NAME_MAX_CHARS);
			strcpy(ret_lane->name, name);
		} else if (strcmp(key, "weight") == 0) {
			if (!json_int(member, &weight) || weight < 1 || weight > 1000)
				return err_say(ret_detail, WR_INVALID,
							   "lanes: weight must be a whole number 1..1000");
			ret_lane->weight = (uint32_t)weight;
		} else if (strcmp(key, "open") == 0) {
			if (!json_bool(member, &ret_lane->open))
				return err_say(ret_detail, WR_INVALID, "lanes: open must be true or false");
		} else {
			return err_say(ret_detail, WR_INVALID, "lanes: members are name, weight and open");
		}
	}
	if (ret_lane->name[0] == '\0')
		return err_say(ret_detail, WR_INVALID, "lanes: each needs a name");
	return WR_OK;
}

static enum wr_err read_lanes(const struct json_value *list, struct queue_settings *settings,
							  struct err_detail *ret_detail)
{
	size_t count = json_count(list);
	if (!json_is_array(list) || count < 1 || count > QUEUE_LANES_MAX)
		return err_say(ret_detail, WR_INVALID, "lanes: must be an array of 1..%d lanes",
					   QUEUE_LANES_MAX);
	for (size_t i = 0; i < count; i++) {
		enum wr_err err = read_lane(json_at(list, i), &settings->lanes[i], ret_detail);
		if (err != WR_OK)
			return err;
	}
	settings->lane_count = (uint32_t)count;
	return WR_OK;
}

static enum wr_err read_targets(const struct json_value *list, struct queue_settings *settings,
								struct err_detail *ret_detail)
{
	size_t count = json_count(list);
	if (!json_is_array(list) || count > QUEUE_TARGETS_MAX)
		return err_say(ret_detail, WR_INVALID, "allowed_targets: must be an array of at most %d",
					   QUEUE_TARGETS_MAX);
	for (size_t i = 0; i < count; i++) {
		const char *text = NULL;
		if (!json_string(json_at(list, i), &text) || strlen(text) > QUEUE_TARGET_BYTES ||
			!target_rule_is_valid(text, strlen(text)))
			return err_say(ret_detail, WR_INVALID,
						   "allowed_targets: each must be like https://shop.example or "
						   "https://shop.example/tickets, at most %d bytes",
						   QUEUE_TARGET_BYTES);
		strcpy(settings->targets[i], text);
	}
	settings->target_count = (uint32_t)count;
	return WR_OK;
}

static enum wr_err read_word(const char *key, const struct json_value *member,
							 struct queue_settings *settings, struct err_detail *ret_detail)
{
	const char *word = NULL;
	bool is_text = json_string(member, &word);
	if (strcmp(key, "state") == 0) {
		if (!is_text || !queue_state_parse(word, &settings->state))
			return err_say(ret_detail, WR_INVALID,
						   "state: must be open, paused, hold, closed or passthrough");
	} else if (strcmp(key, "on_outage") == 0) {
		if (!is_text || (strcmp(word, "hold") != 0 && strcmp(word, "open") != 0))
			return err_say(ret_detail, WR_INVALID, "on_outage: must be hold or open");
		settings->on_outage = word[0] == 'o' ? QUEUE_ON_OUTAGE_OPEN : QUEUE_ON_OUTAGE_HOLD;
	} else {
		if (!is_text || strlen(word) > QUEUE_MESSAGE_BYTES)
			return err_say(ret_detail, WR_INVALID, "message: must be text of at most %d bytes",
						   QUEUE_MESSAGE_BYTES);
		strcpy(settings->message, word);
	}
	return WR_OK;
}

static enum wr_err read_member(const struct json_value *member, struct queue_settings *settings,
							   struct err_detail *ret_detail)
{
	const char *key = json_key(member);
	for (size_t i = 0; i < number_row_count; i++) {
		const struct number_row *row = &number_rows[i];
		int64_t number = 0;
		if (strcmp(key, row->name) != 0)
			continue;
		if (!json_int(member, &number) || number < row->low || number > row->high)
			return err_say(ret_detail, WR_INVALID,
						   "%s: must be a whole number %" PRId64 "..%" PRId64, row->name, row->low,
						   row->high);
		*number_at(settings, row) = number;
		return WR_OK;
	}
	if (strcmp(key, "state") == 0 || strcmp(key, "on_outage") == 0 || strcmp(key, "message") == 0)
		return read_word(key, member, settings, ret_detail);
	if (strcmp(key, "session_renewal") == 0)
		return json_bool(member, &settings->session_renewal)
				   ? WR_OK
				   : err_say(ret_detail, WR_INVALID, "session_renewal: must be true or false");
	if (strcmp(key, "lanes") == 0)
		return read_lanes(member, settings, ret_detail);
	if (strcmp(key, "allowed_targets") == 0)
		return read_targets(member, settings, ret_detail);
	if (strcmp(key, "version") == 0)
		return WR_OK;
	return err_say(ret_detail, WR_INVALID,
				   "A member is not a setting of a queue; GET shows the names.");
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
		return err_say(ret_detail, WR_MALFORMED, "The settings must be a JSON object.");
	struct queue_settings settings = *base;
	for (size_t i = 0; i < json_count(document); i++) {
		err = read_member(json_at(document, i), &settings, ret_detail);
		if (err != WR_OK)
			return err;
	}
	err = settings_check(&settings, ret_detail);
	if (err == WR_OK)
		*ret_settings = settings;
	return err;
}

void queue_settings_to_json(const struct queue_settings *settings, struct json_out *out,
							const char *key)
{
	json_out_object(out, key);
	for (size_t i = 0; i < number_row_count; i++)
		json_out_int(out, number_rows[i].name, number_of(settings, &number_rows[i]));
	json_out_bool(out, "session_renewal", settings->session_renewal);
	json_out_string(out, "state", queue_state_word(settings->state));
	json_out_string(out, "on_outage",
					settings->on_outage == QUEUE_ON_OUTAGE_OPEN ? "open" : "hold");
	json_out_string(out, "message", settings->message);
	json_out_array(out, "lanes");
	for (uint32_t i = 0; i < settings->lane_count; i++) {
		json_out_object(out, NULL);
		json_out_string(out, "name", settings->lanes[i].name);
		json_out_int(out, "weight", settings->lanes[i].weight);
		json_out_bool(out, "open", settings->lanes[i].open);
		json_out_object_end(out);
	}
	json_out_array_end(out);
	json_out_array(out, "allowed_targets");
	for (uint32_t i = 0; i < settings->target_count; i++)
		json_out_string(out, NULL, settings->targets[i]);
	json_out_array_end(out);
	json_out_object_end(out);
}
