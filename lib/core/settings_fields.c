/* Settings fields: the settings as the store keeps them, a hash of short texts.
 *
 *     rate_per_minute 60 … state open, on_outage hold, message <text>, session_renewal 0|1,
 *     lanes main:1:open,vip:3:signed, allowed_targets <one a line>, theme <JSON> …
 *
 * Fields are read one at a time, in the order in which the store gives them; a field that is not
 * known comes from a newer version and is left alone. What is written here was checked as a whole
 * before, so reading checks each value by itself only.
 */
#include "waitingroom/settings.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "settings_rules.h"
#include "waitingroom/memory.h"

/* ---- writing ---- */

/* All texts of the longest settings, escaped. */
#define FIELDS_TEXT_BYTES (256 * 1024)

/* Where the value of the field goes; 'done' must follow with its length. */
static char *begin(struct queue_fields *fields, const char *name)
{
	assert(fields->count < QUEUE_FIELDS_MAX);
	char *text = fields->text + fields->text_len;
	fields->list[fields->count++] = (struct queue_field){.name = name, .value = text};
	return text;
}

static void done(struct queue_fields *fields, size_t len)
{
	fields->text_len += len;
	fields->text[fields->text_len++] = '\0';
	assert(fields->text_len < FIELDS_TEXT_BYTES);
}

static void put_text(struct queue_fields *fields, const char *name, const char *value)
{
	size_t len = strlen(value);
	memcpy(begin(fields, name), value, len);
	done(fields, len);
}

static void put_shape(struct queue_fields *fields, const struct queue_settings *settings,
					  const char *name, bool is_there,
					  void (*write)(const struct queue_settings *settings, struct json_out *out,
									const char *key, bool secrets))
{
	struct json_out out;
	char *text = begin(fields, name);
	json_out_init(&out, text, FIELDS_TEXT_BYTES - fields->text_len);
	if (is_there)
		write(settings, &out, NULL, true);
	assert(!out.overflow);
	done(fields, out.len);
}

static size_t print_lanes(const struct queue_settings *settings, char *text)
{
	const char *begin_of_text = text;
	*text = '\0';
	for (unsigned i = 0; i < settings->lane_count; i++) {
		const struct queue_lane *lane = &settings->lanes[i];
		text += sprintf(text, "%s%s:%" PRIu32 ":%s", i ? "," : "", lane->name, lane->weight,
						lane->open ? "open" : "signed");
	}
	return (size_t)(text - begin_of_text);
}

static size_t print_targets(const struct queue_settings *settings, char *text)
{
	const char *begin_of_text = text;
	*text = '\0';
	for (unsigned i = 0; i < settings->target_count; i++)
		text = stpcpy(stpcpy(text, i ? "\n" : ""), settings->targets[i]);
	return (size_t)(text - begin_of_text);
}

static void put_tables(struct queue_fields *fields, const struct queue_settings *settings)
{
	for (size_t i = 0; i < settings_number_count; i++) {
		char *text = begin(fields, settings_numbers[i].name);
		done(fields, (size_t)sprintf(text, "%" PRId64,
									 settings_number_get(settings, &settings_numbers[i])));
	}
	for (size_t i = 0; i < settings_choice_count; i++)
		put_text(fields, settings_choices[i].name,
				 settings_choice_word(settings, &settings_choices[i]));
	for (size_t i = 0; i < settings_text_count; i++)
		put_text(fields, settings_texts[i].name, settings_text_get(settings, &settings_texts[i]));
}

void queue_settings_to_fields(const struct queue_settings *settings,
							  struct queue_fields *ret_fields)
{
	*ret_fields = (struct queue_fields){.text = mem_alloc_zero(1, FIELDS_TEXT_BYTES)};
	put_tables(ret_fields, settings);
	put_text(ret_fields, "session_renewal", settings->session_renewal ? "1" : "0");
	done(ret_fields, print_lanes(settings, begin(ret_fields, "lanes")));
	done(ret_fields, print_targets(settings, begin(ret_fields, "allowed_targets")));
	put_shape(ret_fields, settings, "entry_keys", settings->entry_key_count > 0,
			  settings_write_entry_keys);
	put_shape(ret_fields, settings, "bypass", settings->bypass_count > 0, settings_write_bypass);
	put_shape(ret_fields, settings, "theme", settings->theme != NULL, settings_write_theme);
	put_text(ret_fields, "template", settings->template_html ? settings->template_html : "");
	put_shape(ret_fields, settings, "messages", settings->message_count > 0,
			  settings_write_messages);
	if (settings->declared[0] != '\0')
		put_text(ret_fields, "declared", settings->declared);
}

void queue_fields_clear(struct queue_fields *fields)
{
	if (fields->text != NULL)
		explicit_bzero(fields->text, fields->text_len);
	free(fields->text);
	*fields = (struct queue_fields){.count = 0};
}

/* ---- reading ---- */

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
	struct queue_settings changed = *settings; /* borrows what is behind pointers */
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
	struct queue_settings changed = *settings; /* borrows what is behind pointers */
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

/* One shape as JSON; "" takes it away. */
static enum wr_err read_shape(struct queue_settings *settings, const char *value, size_t len,
							  enum wr_err (*read)(struct queue_settings *settings,
												  const struct json_value *json,
												  struct err_detail *ret_detail),
							  void (*drop)(struct queue_settings *settings))
{
	WR_AUTO(json_free_at) struct json_value *document = NULL;
	if (len == 0) {
		drop(settings);
		return WR_OK;
	}
	enum wr_err err = json_parse(value, len, &document, NULL);
	return err == WR_OK ? read(settings, document, NULL) : WR_INVALID;
}

#define READ_SHAPE(name)                                                                           \
	static enum wr_err read_##name(struct queue_settings *settings, const char *value, size_t len) \
	{                                                                                              \
		return read_shape(settings, value, len, settings_read_##name, settings_drop_##name);       \
	}
READ_SHAPE(entry_keys)
READ_SHAPE(bypass)
READ_SHAPE(theme)
READ_SHAPE(messages)
#undef READ_SHAPE

static enum wr_err read_template(struct queue_settings *settings, const char *value, size_t len)
{
	return settings_set_template(settings, value, len, NULL);
}

static const struct {
	const char *name;
	enum wr_err (*read)(struct queue_settings *settings, const char *value, size_t len);
} readers[] = {
	{"session_renewal", read_session_renewal},
	{"lanes", read_lanes},
	{"allowed_targets", read_allowed_targets},
	{"entry_keys", read_entry_keys},
	{"bypass", read_bypass},
	{"theme", read_theme},
	{"template", read_template},
	{"messages", read_messages},
	{"declared", read_declared},
};

enum wr_err queue_settings_set_field(struct queue_settings *settings, const char *name,
									 const char *value, size_t len)
{
	for (size_t i = 0; i < settings_number_count; i++)
		if (strcmp(name, settings_numbers[i].name) == 0)
			return read_number(settings, &settings_numbers[i], value, len);
	for (size_t i = 0; i < settings_choice_count; i++)
		if (strcmp(name, settings_choices[i].name) == 0)
			return settings_choice_set(settings, &settings_choices[i], value, len, NULL);
	for (size_t i = 0; i < settings_text_count; i++)
		if (strcmp(name, settings_texts[i].name) == 0)
			return settings_text_set(settings, &settings_texts[i], value, len, NULL);
	for (size_t i = 0; i < sizeof(readers) / sizeof(readers[0]); i++)
		if (strcmp(name, readers[i].name) == 0)
			return readers[i].read(settings, value, len);
	return WR_OK;
}
