/* Settings messages: what the operator says in each language, and the template of the whole
 * page. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "settings_rules.h"
#include "waitingroom/memory.h"

/* ---- languages ---- */

static bool is_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* RFC 5646, as much as a file's name needs: two or three letters, then parts of letters and
 * digits. */
bool settings_language(const char *text, char ret_language[LANGUAGE_CHARS + 1])
{
	size_t part = 0, at = 0;
	for (; text[at] != '\0' && at < LANGUAGE_CHARS; at++) {
		bool digit = text[at] >= '0' && text[at] <= '9';
		if (text[at] == '-') {
			if (part < 2)
				return false;
			part = 0;
		} else if (is_letter(text[at]) || (digit && at > 2)) {
			part++;
		} else {
			return false;
		}
	}
	size_t first = strcspn(text, "-");
	if (text[at] != '\0' || part < 2 || first < 2 || first > 3)
		return false;
	memcpy(ret_language, text, at + 1);
	return true;
}

/* ---- messages ---- */

static enum wr_err read_message(struct queue_message *message, const struct json_value *member,
								size_t number, struct err_detail *ret_detail)
{
	const char *text = NULL;
	char field[32 + LANGUAGE_CHARS];
	if (!settings_language(json_key(member), message->language))
		return err_say(ret_detail, WR_INVALID,
					   "messages: name %zu: must be a language, for example de or zh-Hans",
					   number + 1);
	snprintf(field, sizeof(field), "messages.%s", message->language);
	if (!json_string(member, &text))
		return err_say(ret_detail, WR_INVALID, "%s: must be a string", field);
	enum wr_err err =
		settings_check_text(field, text, strlen(text), QUEUE_MESSAGE_BYTES, true, ret_detail);
	if (err == WR_OK)
		memcpy(message->text, text, strlen(text) + 1);
	return err;
}

enum wr_err settings_read_messages(struct queue_settings *settings, const struct json_value *value,
								   struct err_detail *ret_detail)
{
	size_t count = json_count(value);
	if (!json_is_object(value) || count > QUEUE_LANGUAGES_MAX)
		return err_say(ret_detail, WR_INVALID,
					   "messages: must be an object of at most %d languages, {\"de\":\"…\"}",
					   QUEUE_LANGUAGES_MAX);
	WR_AUTO(mem_free_at)
	struct queue_message *messages = count > 0 ? mem_alloc_zero(count, sizeof(*messages)) : NULL;
	for (size_t i = 0; i < count; i++) {
		enum wr_err err = read_message(&messages[i], json_at(value, i), i, ret_detail);
		if (err != WR_OK)
			return err;
	}
	settings_drop_messages(settings);
	settings->messages = WR_TAKE(messages);
	settings->message_count = (uint32_t)count;
	return WR_OK;
}

void settings_drop_messages(struct queue_settings *settings)
{
	free(settings->messages);
	settings->messages = NULL;
	settings->message_count = 0;
}

void settings_write_messages(const struct queue_settings *settings, struct json_out *out,
							 const char *key, bool secrets)
{
	(void)secrets;
	json_out_object(out, key);
	for (unsigned i = 0; i < settings->message_count; i++)
		json_out_string(out, settings->messages[i].language, settings->messages[i].text);
	json_out_object_end(out);
}

void queue_settings_write_news(const struct queue_settings *settings, int64_t now_ms,
							   struct json_out *out)
{
	if (now_ms < settings->opens_at_ms)
		json_out_int(out, "opens_at_ms", settings->opens_at_ms);
	if (settings->message_count > 0)
		settings_write_messages(settings, out, "messages", false);
}

size_t queue_settings_news_bytes(const struct queue_settings *settings)
{
	/* Escaped, a byte of a message is at most two: a quote, a backslash, a line end. */
	return 64 + settings->message_count * (2 * QUEUE_MESSAGE_BYTES + LANGUAGE_CHARS + 8);
}

static const char *find_message(const struct queue_settings *settings, const char *language,
								size_t len)
{
	for (unsigned i = 0; i < settings->message_count; i++) {
		const struct queue_message *message = &settings->messages[i];
		if (strlen(message->language) == len && strncasecmp(message->language, language, len) == 0)
			return message->text;
	}
	return NULL;
}

const char *queue_settings_message(const struct queue_settings *settings, const char *language)
{
	const char *text = find_message(settings, language, strlen(language));
	if (text == NULL)
		text = find_message(settings, language, strcspn(language, "-"));
	return text != NULL ? text : settings->message;
}

/* ---- template ---- */

enum wr_err settings_set_template(struct queue_settings *settings, const char *text, size_t len,
								  struct err_detail *ret_detail)
{
	if (len > QUEUE_TEMPLATE_BYTES)
		return err_say(ret_detail, WR_INVALID, "template: must be at most %d bytes, and has %zu",
					   QUEUE_TEMPLATE_BYTES, len);
	WR_AUTO(mem_free_at) char *copy = len > 0 ? mem_copy(text, len) : NULL;
	if (!utf8_is_valid(text, len))
		return err_say(ret_detail, WR_INVALID, "template: must be UTF-8 text");
	for (size_t i = 0; i < len; i++)
		if ((unsigned char)text[i] < ' ' && !strchr("\t\n\r", text[i]))
			return err_say(ret_detail, WR_INVALID, "template: must have no control characters");
	const char *marker = copy ? strstr(copy, QUEUE_TEMPLATE_MARKER) : NULL;
	if (copy && (!marker || strstr(marker + 1, QUEUE_TEMPLATE_MARKER)))
		return err_say(ret_detail, WR_INVALID,
					   "template: must have the line %s once, where the waiting room goes",
					   QUEUE_TEMPLATE_MARKER);
	free(settings->template_html);
	settings->template_html = WR_TAKE(copy);
	return WR_OK;
}
