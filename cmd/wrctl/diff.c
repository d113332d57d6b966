/* Diff: what a dry run of the server says, shown to people. */
#include "diff.h"

#include <stdio.h>
#include <string.h>

#include "look.h"
#include "table.h"
#include "waitingroom/memory.h"

#define SHORT_COLUMNS 50

size_t diff_count(const struct json_value *dry_run)
{
	const struct json_value *changes = look(dry_run, "changes");
	return changes != NULL ? json_count(changes) : 0;
}

/* A value on one line of its own, cut when the terminal is narrow. */
static void print_line(const char *sign, enum paint colour, const char *field, const char *value,
					   const struct terminal *terminal)
{
	size_t used = 6 + strlen(field) + 2, width = (size_t)terminal->width;
	size_t room = width > used + 8 ? width - used : 8;
	bool is_cut = width > 0 && text_columns(value) > room;
	size_t bytes = is_cut ? text_fit(value, room - 1) : strlen(value);
	printf("%s    %s %s: %.*s%s%s\n", paint(terminal->colour, colour), sign, field, (int)bytes,
		   value, is_cut ? (terminal->unicode ? "…" : "...") : "",
		   paint(terminal->colour, PAINT_PLAIN));
}

static void print_short(const char *field, const char *before, const char *after,
						const struct terminal *terminal)
{
	printf("    %s~ %s:%s %s%s%s %s %s%s%s\n", paint(terminal->colour, PAINT_YELLOW), field,
		   paint(terminal->colour, PAINT_PLAIN), paint(terminal->colour, PAINT_RED), before,
		   paint(terminal->colour, PAINT_PLAIN), terminal->unicode ? "→" : "->",
		   paint(terminal->colour, PAINT_GREEN), after, paint(terminal->colour, PAINT_PLAIN));
}

static bool fits_one_line(const char *field, const char *before, const char *after,
						  const struct terminal *terminal)
{
	size_t values = text_columns(before) + text_columns(after), width = (size_t)terminal->width;
	return values <= SHORT_COLUMNS && (width == 0 || strlen(field) + values + 12 <= width);
}

static void make_plain(char *text)
{
	for (; *text != '\0'; text++)
		if ((unsigned char)*text < ' ' || *text == 127)
			*text = ' ';
}

void diff_print(const struct json_value *dry_run, bool is_new, const struct terminal *terminal)
{
	const struct json_value *changes = look(dry_run, "changes");
	for (size_t i = 0; changes != NULL && i < json_count(changes); i++) {
		const struct json_value *change = json_at(changes, i);
		const char *field = look_text(change, "field");
		WR_AUTO(mem_free_at) char *before = look_json(look(change, "before"));
		WR_AUTO(mem_free_at) char *after = look_json(look(change, "after"));
		make_plain(before);
		make_plain(after);
		if (is_new) {
			print_line("+", PAINT_GREEN, field, after, terminal);
		} else if (fits_one_line(field, before, after, terminal)) {
			print_short(field, before, after, terminal);
		} else {
			print_line("-", PAINT_RED, field, before, terminal);
			print_line("+", PAINT_GREEN, field, after, terminal);
		}
	}
}

/* Seconds "low" and "high" of an estimate. */
static void estimate_cell(struct table *table, const struct json_value *estimate, enum paint colour)
{
	char low[NUMBER_TEXT_BYTES], high[NUMBER_TEXT_BYTES];
	int64_t low_s = look_int(estimate, "low", -1), high_s = look_int(estimate, "high", -1);
	duration_text(low_s * 1000, low);
	duration_text(high_s * 1000, high);
	if (low_s < 0 || high_s < 0)
		table_cell(table, colour, "not known");
	else if (high_s == 0)
		table_cell(table, colour, "at once");
	else if (low_s == 0)
		table_cell(table, colour, "up to %s", high);
	else if (low_s == high_s)
		table_cell(table, colour, "%s", low);
	else
		table_cell(table, colour, "%s .. %s", low, high);
}

static enum paint colour_of(const struct json_value *row)
{
	int64_t now = look_int(row, "now.high", INT64_MAX),
			then = look_int(row, "then.high", INT64_MAX);
	return then < now ? PAINT_GREEN : then > now ? PAINT_RED : PAINT_PLAIN;
}

void diff_print_effect(const struct json_value *dry_run, const struct terminal *terminal)
{
	const struct json_value *effect = look(dry_run, "effect");
	const struct json_value *warnings = look(dry_run, "warnings");
	if (effect != NULL && json_count(effect) > 0) {
		WR_AUTO(table_free_at)
		struct table *table = table_new("    lane", "place", "ahead>", "wait now", "wait then");
		for (size_t i = 0; i < json_count(effect); i++) {
			const struct json_value *row = json_at(effect, i);
			table_cell(table, PAINT_PLAIN, "    %s", look_text(row, "lane"));
			table_cell(table, PAINT_PLAIN, "%s", look_text(row, "place"));
			table_number(table, look_int(row, "ahead", 0));
			estimate_cell(table, look(row, "now"), PAINT_PLAIN);
			estimate_cell(table, look(row, "then"), colour_of(row));
		}
		table_print(table, terminal);
	}
	for (size_t i = 0; warnings != NULL && i < json_count(warnings); i++) {
		WR_AUTO(mem_free_at) char *warning = look_shown(json_at(warnings, i));
		make_plain(warning);
		printf("    %s! %s%s\n", paint(terminal->colour, PAINT_YELLOW), warning,
			   paint(terminal->colour, PAINT_PLAIN));
	}
}
