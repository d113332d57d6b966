/* A line of wrctl top, built column by column. */
#ifndef WRCTL_TOP_LINE_H
#define WRCTL_TOP_LINE_H

#include "top.h"

#define LINE_BYTES 4096
struct line {
	char text[LINE_BYTES];
	size_t len, columns, width;
	bool colour, unicode;
};

void line_begin(struct line *line, const struct top_view *view);
/* As much of the text as still fits, without its control characters. */
void line_put(struct line *line, enum paint how, const char *text);
void line_putf(struct line *line, enum paint how, const char *format, ...) WR_PRINTF(3, 4);
/* Spaces up to a column. */
void line_put_to(struct line *line, size_t column);
/* A cell of 'width' columns; to the right when 'right'. A longer text is cut, and that is shown. */
void line_cell(struct line *line, enum paint how, size_t width, bool right, const char *text);
void line_end(struct line *line, struct frame *frame);

#define SHORT_BYTES 24
/* At most six columns: 45 s, 12 m, 3.5 h, 4 d */
const char *short_time(int64_t ms, char ret_text[SHORT_BYTES]);
/* At most five columns: 9999, 12.3k, 456k, 1.2M */
const char *short_count(int64_t number, char ret_text[SHORT_BYTES]);

#endif
