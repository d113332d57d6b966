/* Terminal: what standard input, output and error are, and colours for those that can show them.
 *
 * What     Colour only on a terminal, not with NO_COLOR set (no-color.org), TERM=dumb or --no-color.
 * Threads  any; plain data.
 */
#ifndef WRCTL_TERMINAL_H
#define WRCTL_TERMINAL_H

#include <stdbool.h>
#include <stddef.h>

struct terminal {
	bool in, out, err; /* is it a terminal? */
	bool colour;	   /* of standard output */
	bool err_colour;
	bool unicode; /* the locale says UTF-8 */
	int width;	  /* columns of standard output; 0: no terminal, no limit */
};

struct terminal terminal_look(bool no_color);

enum paint {
	PAINT_PLAIN,
	PAINT_BOLD,
	PAINT_DIM,
	PAINT_RED,
	PAINT_GREEN,
	PAINT_YELLOW,
	PAINT_CYAN,
};
/* The escape sequence, or "" without colour. Static. */
const char *paint(bool colour, enum paint paint);

/* Columns that a UTF-8 text takes: code points, without those that combine. */
size_t text_columns(const char *text);
/* Bytes of the longest beginning that takes at most so many columns. */
size_t text_fit(const char *text, size_t columns);

#endif
