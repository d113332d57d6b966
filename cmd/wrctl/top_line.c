/* Lines of wrctl top: what does not fit is cut at a whole character, colours do not count as
 * columns, and what comes from the API is shown without its control characters.
 */
#include "top_line.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "waitingroom/memory.h"

void line_begin(struct line *line, const struct top_view *view)
{
	line->text[0] = '\0';
	line->len = line->columns = 0;
	line->width = (size_t)view->width;
	line->colour = view->colour;
	line->unicode = view->unicode;
}

static void append(struct line *line, const char *text, size_t len)
{
	if (line->len + len + 1 > sizeof(line->text))
		return;
	memcpy(line->text + line->len, text, len);
	line->len += len;
	line->text[line->len] = '\0';
}

void line_put(struct line *line, enum paint how, const char *text)
{
	char clean[TOP_TEXT_BYTES * 2];
	size_t n = 0;
	for (; text[n] != '\0' && n + 1 < sizeof(clean); n++)
		clean[n] = (unsigned char)text[n] < ' ' || text[n] == 127 ? ' ' : text[n];
	clean[n] = '\0';
	size_t fit = text_fit(clean, line->width - line->columns);
	clean[fit] = '\0';
	if (fit == 0)
		return;
	const char *sequence = paint(line->colour && how != PAINT_PLAIN, how);
	append(line, sequence, strlen(sequence));
	append(line, clean, fit);
	if (sequence[0] != '\0')
		append(line, "\033[0m", 4);
	line->columns += text_columns(clean);
}

void line_putf(struct line *line, enum paint how, const char *format, ...)
{
	char text[TOP_TEXT_BYTES * 2];
	va_list arguments;
	va_start(arguments, format);
	vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	line_put(line, how, text);
}

void line_put_to(struct line *line, size_t column)
{
	while (line->columns < column && line->columns < line->width)
		line_put(line, PAINT_PLAIN, " ");
}

void line_cell(struct line *line, enum paint how, size_t width, bool right, const char *text)
{
	char cut[TOP_TEXT_BYTES];
	size_t begin = line->columns;
	bool is_long = text_columns(text) > width;
	snprintf(cut, sizeof(cut), "%.*s%s", (int)text_fit(text, is_long ? width - 1 : width), text,
			 !is_long		 ? ""
			 : line->unicode ? "…"
							 : "~");
	if (right)
		line_put_to(line, begin + width - text_columns(cut));
	line_put(line, how, cut);
	line_put_to(line, begin + width);
}

void line_end(struct line *line, struct frame *frame)
{
	frame_add(frame, mem_copy_string(line->text));
}

/* ---- short numbers ---- */

const char *short_time(int64_t ms, char ret_text[SHORT_BYTES])
{
	if (ms < 0)
		strcpy(ret_text, "-");
	else if (ms < 100000)
		snprintf(ret_text, SHORT_BYTES, "%" PRId64 " s", ms / 1000);
	else if (ms < 100 * INT64_C(60000))
		snprintf(ret_text, SHORT_BYTES, "%" PRId64 " m", ms / 60000);
	else if (ms < 48 * INT64_C(3600000))
		snprintf(ret_text, SHORT_BYTES, "%.1f h", (double)ms / 3600000);
	else
		snprintf(ret_text, SHORT_BYTES, "%.0f d", (double)ms / 86400000);
	return ret_text;
}

const char *short_count(int64_t number, char ret_text[SHORT_BYTES])
{
	if (number < 10000)
		snprintf(ret_text, SHORT_BYTES, "%" PRId64, number);
	else if (number < 100000)
		snprintf(ret_text, SHORT_BYTES, "%.1fk", (double)number / 1e3);
	else if (number < 1000000)
		snprintf(ret_text, SHORT_BYTES, "%.0fk", (double)number / 1e3);
	else
		snprintf(ret_text, SHORT_BYTES, "%.1fM", (double)number / 1e6);
	return ret_text;
}
