/* Table: cells are kept until all are known; then widths, then lines.
 *
 * When the lines are too long for the terminal, the column that may be cut gives up what is too
 * much, down to CUT_LEAST columns; what is too long then is for the terminal to wrap.
 */
#include "table.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "waitingroom/memory.h"

#define COLUMNS_MAX 16
#define CUT_LEAST 8
#define GAP 2

struct cell {
	char *text;
	enum paint paint;
};

struct table {
	size_t columns;
	struct column {
		char *heading;
		bool right, cut;
	} column[COLUMNS_MAX];
	struct cell *cells;
	size_t cell_count;
};

static bool ends_in(const char *text, const char *end)
{
	size_t len = strlen(text), end_len = strlen(end);
	return len >= end_len && strcmp(text + len - end_len, end) == 0;
}

struct table *table_begin(const char *const headings[])
{
	struct table *table = mem_alloc_zero(1, sizeof(*table));
	for (; *headings != NULL && table->columns < COLUMNS_MAX; headings++) {
		struct column *column = &table->column[table->columns++];
		size_t len = strlen(*headings);
		column->right = ends_in(*headings, ">");
		column->cut = ends_in(*headings, "…");
		column->heading = mem_copy(*headings, len - (column->right ? 1
													 : column->cut ? strlen("…")
																   : 0));
		for (char *at = column->heading; *at != '\0'; at++)
			if (*at >= 'a' && *at <= 'z')
				*at = (char)(*at - 'a' + 'A');
	}
	return table;
}

void table_free(struct table *table)
{
	if (table == NULL)
		return;
	for (size_t i = 0; i < table->columns; i++)
		free(table->column[i].heading);
	for (size_t i = 0; i < table->cell_count; i++)
		free(table->cells[i].text);
	free(table->cells);
	free(table);
}

void table_free_at(struct table **table)
{
	table_free(*table);
}

void table_cell(struct table *table, enum paint paint, const char *format, ...)
{
	struct cell cell = {.paint = paint};
	va_list arguments;
	va_start(arguments, format);
	if (vasprintf(&cell.text, format, arguments) < 0)
		abort();
	va_end(arguments);
	/* What somebody wrote into a setting must not move our cursor. */
	for (char *at = cell.text; *at != '\0'; at++)
		if ((unsigned char)*at < ' ' || *at == 127)
			*at = ' ';
	table->cells = mem_grow(table->cells, table->cell_count + 1, sizeof(cell));
	table->cells[table->cell_count++] = cell;
}

void table_number(struct table *table, int64_t number)
{
	char text[NUMBER_TEXT_BYTES];
	table_cell(table, PAINT_PLAIN, "%s", number_text(number, text));
}

static void find_widths(const struct table *table, int terminal_width, size_t widths[COLUMNS_MAX])
{
	size_t sum = 0, cut = COLUMNS_MAX;
	for (size_t i = 0; i < table->columns; i++) {
		widths[i] = text_columns(table->column[i].heading);
		for (size_t k = i; k < table->cell_count; k += table->columns) {
			size_t columns = text_columns(table->cells[k].text);
			widths[i] = columns > widths[i] ? columns : widths[i];
		}
		sum += widths[i] + (i > 0 ? GAP : 0);
		if (table->column[i].cut)
			cut = i;
	}
	size_t limit = (size_t)terminal_width;
	if (limit == 0 || sum <= limit || cut == COLUMNS_MAX)
		return;
	size_t over = sum - limit;
	widths[cut] = widths[cut] > over + CUT_LEAST ? widths[cut] - over : CUT_LEAST;
}

static void print_cell(const char *text, size_t width, const struct column *column, bool is_last,
					   const struct terminal *terminal, enum paint colour)
{
	size_t columns = text_columns(text);
	bool is_cut = columns > width, coloured = terminal->colour && colour != PAINT_PLAIN;
	const char *dots = terminal->unicode ? "…" : ".";
	size_t bytes = is_cut ? text_fit(text, width - 1) : strlen(text);
	size_t pad = is_cut || columns >= width ? 0 : width - columns;
	printf("%*s%s%.*s%s%s", column->right ? (int)pad : 0, "", paint(coloured, colour), (int)bytes,
		   text, is_cut ? dots : "", paint(coloured, PAINT_PLAIN));
	if (!is_last)
		printf("%*s", (int)((column->right ? 0 : pad) + GAP), "");
}

void table_print(const struct table *table, const struct terminal *terminal)
{
	size_t widths[COLUMNS_MAX];
	find_widths(table, terminal->width, widths);
	for (size_t i = 0; i < table->columns; i++)
		print_cell(table->column[i].heading, widths[i], &table->column[i], i + 1 == table->columns,
				   terminal, PAINT_BOLD);
	putchar('\n');
	for (size_t k = 0; k < table->cell_count; k++) {
		size_t i = k % table->columns;
		print_cell(table->cells[k].text, widths[i], &table->column[i], i + 1 == table->columns,
				   terminal, table->cells[k].paint);
		if (i + 1 == table->columns)
			putchar('\n');
	}
}

/* ---- numbers and times for people ---- */

const char *number_text(int64_t number, char ret_text[NUMBER_TEXT_BYTES])
{
	char digits[NUMBER_TEXT_BYTES];
	int len = snprintf(digits, sizeof(digits), "%lld", (long long)number), at = 0;
	int first = number < 0 ? 1 : 0;
	for (int i = 0; i < len; i++) {
		/* Four digits are read at a glance. */
		if (i > first && (len - i) % 3 == 0 && len - first > 4)
			ret_text[at++] = ' ';
		ret_text[at++] = digits[i];
	}
	ret_text[at] = '\0';
	return ret_text;
}

const char *duration_text(int64_t ms, char ret_text[NUMBER_TEXT_BYTES])
{
	static const struct {
		int64_t s;
		const char *word;
	} units[] = {{86400, "d"}, {3600, "h"}, {60, "min"}, {1, "s"}};
	int64_t s = ms / 1000;
	size_t i = 0;
	if (s < 1) {
		snprintf(ret_text, NUMBER_TEXT_BYTES, "%lld ms", (long long)ms);
		return ret_text;
	}
	while (s < units[i].s)
		i++;
	int len = snprintf(ret_text, NUMBER_TEXT_BYTES, "%lld %s", (long long)(s / units[i].s),
					   units[i].word);
	int64_t rest = units[i].s > 1 ? s % units[i].s / units[i + 1].s : 0;
	if (rest > 0)
		snprintf(ret_text + len, NUMBER_TEXT_BYTES - (size_t)len, " %lld %s", (long long)rest,
				 units[i + 1].word);
	return ret_text;
}

const char *moment_text(int64_t at_ms, char ret_text[NUMBER_TEXT_BYTES])
{
	struct tm parts;
	time_t seconds = (time_t)(at_ms / 1000);
	if (at_ms == 0 || localtime_r(&seconds, &parts) == NULL ||
		strftime(ret_text, NUMBER_TEXT_BYTES, "%Y-%m-%d %H:%M:%S", &parts) == 0)
		strcpy(ret_text, at_ms == 0 ? "never" : "?");
	return ret_text;
}
