/* Settings fields: the settings as the store keeps them, a hash of short texts.
 *
 *     rate_per_minute 60 … session_renewal 0|1, state open, on_outage hold, message <text>,
 *     lanes main:1:open,vip:3:signed, allowed_targets <one a line>
 *
 * Fields are read one at a time, in the order in which the store gives them; a field that is not
 * known comes from a newer version and is left alone. What is written here was checked as a whole
 * before, so reading checks each value by itself only.
 */
#include "waitingroom/settings.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "settings_rules.h"

/* ---- writing ---- */

static char *next_field(struct queue_field *fields, size_t *count, const char *name)
{
	fields[*count].name = name;
	return fields[(*count)++].value;
}

static void print_lanes(const struct queue_settings *settings, char *text)
{
	*text = '\0';
	for (unsigned i = 0; i < settings->lane_count; i++) {
		const struct queue_lane *lane = &settings->lanes[i];
		text += sprintf(text, "%s%s:%" PRIu32 ":%s", i ? "," : "", lane->name, lane->weight,
						lane->open ? "open" : "signed");
	}
}

static void print_targets(const struct queue_settings *settings, char *text)
{
	*text = '\0';
	for (unsigned i = 0; i < settings->target_count; i++)
		text = stpcpy(stpcpy(text, i ? "\n" : ""), settings->targets[i]);
}

size_t queue_settings_to_fields(const struct queue_settings *settings,
								struct queue_field fields[QUEUE_FIELDS_MAX])
{
	size_t count = 0;
	for (size_t i = 0; i < settings_number_count; i++)
		sprintf(next_field(fields, &count, settings_numbers[i].name), "%" PRId64,
				settings_number_get(settings, &settings_numbers[i]));
	strcpy(next_field(fields, &count, "session_renewal"), settings->session_renewal ? "1" : "0");
	strcpy(next_field(fields, &count, "state"), queue_state_word(settings->state));
	strcpy(next_field(fields, &count, "on_outage"), queue_on_outage_word(settings->on_outage));
	strcpy(next_field(fields, &count, "message"), settings->message);
	print_lanes(settings, next_field(fields, &count, "lanes"));
	print_targets(settings, next_field(fields, &count, "allowed_targets"));
	if (settings->declared[0] != '\0')
		strcpy(next_field(fields, &count, "declared"), settings->declared);
	return count;
}

/* ---- reading ---- */

#define WORD_CHARS 16

/* A short word as a string; what is longer is none that we know. */
static void copy_word(const char *value, size_t len, char ret_word[WORD_CHARS + 1])
{
	size_t chars = len <= WORD_CHARS ? len : 0;
	memcpy(ret_word, value, chars);
	ret_word[chars] = '\0';
}

static enum wr_err read_number(struct queue_settings *settings,
							   const struct settings_number *number, const char *value, size_t len)
{
	int64_t parsed;
	if (!text_to_i64(value, len, number->low, number->high, &parsed))
		return WR_INVALID;
	return settings_number_set(settings, number, parsed, NULL);
}

static enum wr_err read_session_renewal(struct queue_settings *settings, const char *value,
										size_t len)
{
	if (len != 1 || (*value != '0' && *value != '1'))
		return WR_INVALID;
	settings->session_renewal = *value == '1';
	return WR_OK;
}

static enum wr_err read_state(struct queue_settings *settings, const char *value, size_t len)
{
	char word[WORD_CHARS + 1];
	copy_word(value, len, word);
	return settings_set_state(settings, word, NULL);
}

static enum wr_err read_on_outage(struct queue_settings *settings, const char *value, size_t len)
{
	char word[WORD_CHARS + 1];
	copy_word(value, len, word);
	return settings_set_on_outage(settings, word, NULL);
}

static enum wr_err read_message(struct queue_settings *settings, const char *value, size_t len)
{
	return settings_set_message(settings, value, len, NULL);
}

/* Cuts what stands before 'separator', or all there is, off the front of the text. */
static const char *cut(const char **text, size_t *len, char separator, size_t *ret_len)
{
	const char *part = *text, *end = *len ? memchr(*text, separator, *len) : NULL;
	*ret_len = end ? (size_t)(end - part) : *len;
	size_t step = *ret_len + (end != NULL);
	*text += step;
	*len -= step;
	return part;
}

static enum wr_err read_lane(struct queue_settings *settings, const char *text, size_t len)
{
	size_t name_len, weight_len;
	uint64_t weight;
	const char *name = cut(&text, &len, ':', &name_len);
	const char *weight_text = cut(&text, &len, ':', &weight_len);
	bool open = len == 4 && memcmp(text, "open", 4) == 0;
	bool is_signed = len == 6 && memcmp(text, "signed", 6) == 0;
	if (!text_to_u64(weight_text, weight_len, LANE_WEIGHT_MAX, &weight) || !(open || is_signed))
		return WR_INVALID;
	return settings_add_lane(settings, name, name_len, (int64_t)weight, open, NULL);
}

static enum wr_err read_lanes(struct queue_settings *settings, const char *value, size_t len)
{
	struct queue_settings changed = *settings;
	memset(changed.lanes, 0, sizeof(changed.lanes));
	changed.lane_count = 0;
	bool more = true;
	while (more) {
		size_t lane_len, before = len;
		const char *lane = cut(&value, &len, ',', &lane_len);
		enum wr_err err = read_lane(&changed, lane, lane_len);
		if (err != WR_OK)
			return err;
		more = lane_len < before; /* a comma was cut off with it */
	}
	*settings = changed;
	return WR_OK;
}

static enum wr_err read_allowed_targets(struct queue_settings *settings, const char *value,
										size_t len)
{
	struct queue_settings changed = *settings;
	memset(changed.targets, 0, sizeof(changed.targets));
	changed.target_count = 0;
	bool more = len > 0;
	while (more) {
		size_t target_len, before = len;
		const char *target = cut(&value, &len, '\n', &target_len);
		enum wr_err err = settings_add_target(&changed, target, target_len, NULL);
		if (err != WR_OK)
			return err;
		more = target_len < before;
	}
	*settings = changed;
	return WR_OK;
}

static enum wr_err read_declared(struct queue_settings *settings, const char *value, size_t len)
{
	if (len > QUEUE_DECLARED_CHARS)
		return WR_INVALID;
	memcpy(settings->declared, value, len);
	settings->declared[len] = '\0';
	return WR_OK;
}

static const struct {
	const char *name;
	enum wr_err (*read)(struct queue_settings *settings, const char *value, size_t len);
} readers[] = {
	{"session_renewal", read_session_renewal},
	{"state", read_state},
	{"on_outage", read_on_outage},
	{"message", read_message},
	{"lanes", read_lanes},
	{"allowed_targets", read_allowed_targets},
	{"declared", read_declared},
};

enum wr_err queue_settings_set_field(struct queue_settings *settings, const char *name,
									 const char *value, size_t len)
{
	for (size_t i = 0; i < settings_number_count; i++)
		if (strcmp(name, settings_numbers[i].name) == 0)
			return read_number(settings, &settings_numbers[i], value, len);
	for (size_t i = 0; i < sizeof(readers) / sizeof(readers[0]); i++)
		if (strcmp(name, readers[i].name) == 0)
			return readers[i].read(settings, value, len);
	return WR_OK;
}
