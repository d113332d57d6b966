/* Log lines as text: JSON in the vocabulary of log_words.h, or one for people at a terminal.
 *
 * A line is at most PIPE_BUF bytes, so lines of several threads and processes on one pipe never
 * mix. Fields that do not fit are left out, and the line says "wr.truncated".
 */
#include "log_internal.h"

#include "waitingroom/log_words.h"
#include "waitingroom/text.h"
#include "waitingroom/version.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#define LINE_END_BYTES 64 /* room kept for what closes a line */
#define OWN_PREFIX "wr."
#define KEY_BYTES 64

struct words {
	const char *word, *text, *meaning;
};

#define EVENT_ROW(word_, sentence_) {.word = (word_), .text = (sentence_)},
static const struct words events[] = {LOG_EVENT_TABLE(EVENT_ROW)};
#undef EVENT_ROW
#define FIELD_ROW(key_, name_, meaning_) {.word = (key_), .text = (name_), .meaning = (meaning_)},
static const struct words fields[] = {LOG_FIELD_TABLE(FIELD_ROW)};
#undef FIELD_ROW
#define COUNT(rows) (sizeof(rows) / sizeof((rows)[0]))

static const char *find(const struct words *rows, size_t count, const char *word)
{
	for (size_t i = 0; i < count; i++)
		if (strcmp(rows[i].word, word) == 0)
			return rows[i].text;
	return NULL;
}

/* "2026-01-31T12:34:56.789Z" (RFC 3339) */
static void print_time(char text[32], struct wall_time now)
{
	time_t seconds = (time_t)(now.ms / 1000);
	struct tm parts;
	gmtime_r(&seconds, &parts);
	size_t len = strftime(text, 32, "%Y-%m-%dT%H:%M:%S", &parts);
	snprintf(text + len, 32 - len, ".%03dZ", (int)(now.ms % 1000));
}

static void put_field(struct json_out *out, const struct log_field *field)
{
	char own[KEY_BYTES];
	const char *name = find(fields, COUNT(fields), field->key);
	if (name == NULL) {
		snprintf(own, sizeof(own), OWN_PREFIX "%s", field->key);
		name = own;
	}
	if (field->text)
		json_out_string(out, name, field->text);
	else
		json_out_int(out, name, field->number);
}

size_t log_line_json(char line[PIPE_BUF], const struct log_source *source,
					 const struct log_record *record, struct wall_time now)
{
	char when[32];
	print_time(when, now);
	const char *sentence = find(events, COUNT(events), record->event);
	struct json_out out;
	json_out_init(&out, line, PIPE_BUF - LINE_END_BYTES);
	json_out_object(&out, NULL);
	json_out_string(&out, "@timestamp", when);
	json_out_string(&out, "log.level", log_level_word(record->level));
	json_out_string(&out, "message", sentence ? sentence : record->event);
	json_out_string(&out, "ecs.version", LOG_ECS_VERSION);
	json_out_string(&out, "service.name", source->program);
	json_out_string(&out, "service.version", WR_VERSION);
	json_out_string(&out, "service.instance.id", source->instance);
	json_out_string(&out, "event.action", record->event);
	for (int i = 0; i < record->count; i++) {
		struct json_out before = out;
		put_field(&out, &record->fields[i]);
		if (out.overflow) {
			out = before;
			out.room = PIPE_BUF;
			json_out_bool(&out, OWN_PREFIX "truncated", true);
			break;
		}
	}
	out.room = PIPE_BUF;
	json_out_object_end(&out);
	line[out.len] = '\n';
	return out.len + 1;
}

/* "12:34:56.789 warn  store_lost reason=…" */
size_t log_line_plain(char line[PIPE_BUF], const struct log_record *record, struct wall_time now)
{
	char when[32];
	print_time(when, now);
	const size_t room = PIPE_BUF - 1;
	size_t len = (size_t)snprintf(line, room, "%.12s %-5s %s", when + 11,
								  log_level_word(record->level), record->event);
	for (int i = 0; i < record->count && len < room; i++) {
		const struct log_field *field = &record->fields[i];
		int added = field->text
						? snprintf(line + len, room - len, " %s=%s", field->key, field->text)
						: snprintf(line + len, room - len, " %s=%lld", field->key,
								   (long long)field->number);
		len += (size_t)added;
	}
	if (len >= room)
		len = room - 1;
	for (size_t i = 0; i < len; i++) { /* a peer's text must not steer the terminal */
		if ((unsigned char)line[i] < 0x20 || line[i] == 0x7f)
			line[i] = '?';
	}
	line[len] = '\n';
	return len + 1;
}

void log_print_markdown(FILE *out)
{
	fputs("| `event.action` | `message` |\n|---|---|\n", out);
	for (size_t i = 0; i < COUNT(events); i++)
		fprintf(out, "| `%s` | %s |\n", events[i].word, events[i].text);
	fputs("\n| field | in the code | meaning |\n|---|---|---|\n", out);
	for (size_t i = 0; i < COUNT(fields); i++)
		fprintf(out, "| `%s` | `%s` | %s |\n", fields[i].text, fields[i].word, fields[i].meaning);
}
