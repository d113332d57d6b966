/* Terminal: asked once at start. A width that the terminal does not tell is COLUMNS, or 80. */
#include "terminal.h"

#include <langinfo.h>
#include <locale.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>
#include <wchar.h>

#include "waitingroom/text.h"

#define WIDTH_DEFAULT 80
#define WIDTH_LEAST 20
#define WIDTH_MOST 1000

static int width_of(int fd)
{
	struct winsize size = {0};
	const char *columns = getenv("COLUMNS");
	uint64_t number = 0;
	if (ioctl(fd, TIOCGWINSZ, &size) != 0 || size.ws_col == 0)
		number = columns && text_to_u64(columns, strlen(columns), WIDTH_MOST, &number)
					 ? number
					 : WIDTH_DEFAULT;
	else
		number = size.ws_col;
	return number < WIDTH_LEAST ? WIDTH_LEAST : (int)number;
}

struct terminal terminal_look(bool no_color)
{
	const char *no = getenv("NO_COLOR"), *term = getenv("TERM");
	bool may =
		!no_color && (no == NULL || no[0] == '\0') && !(term != NULL && strcmp(term, "dumb") == 0);
	setlocale(LC_CTYPE, "");
	struct terminal terminal = {
		.in = isatty(STDIN_FILENO),
		.out = isatty(STDOUT_FILENO),
		.err = isatty(STDERR_FILENO),
		.unicode = strcmp(nl_langinfo(CODESET), "UTF-8") == 0,
	};
	terminal.colour = terminal.out && may;
	terminal.err_colour = terminal.err && may;
	terminal.width = terminal.out ? width_of(STDOUT_FILENO) : 0;
	return terminal;
}

const char *paint(bool colour, enum paint paint)
{
	static const char *const sequences[] = {
		[PAINT_PLAIN] = "\033[0m", [PAINT_BOLD] = "\033[1m",   [PAINT_DIM] = "\033[2m",
		[PAINT_RED] = "\033[31m",  [PAINT_GREEN] = "\033[32m", [PAINT_YELLOW] = "\033[33m",
		[PAINT_CYAN] = "\033[36m",
	};
	return colour ? sequences[paint] : "";
}

/* Bytes of the next character and its columns; a byte that is not UTF-8 takes one. */
static size_t next_character(const char *text, size_t len, size_t *ret_columns)
{
	mbstate_t state = {0};
	wchar_t character = 0;
	size_t bytes = utf8_sequence_len(text, len);
	*ret_columns = 1;
	if (bytes <= 1)
		return 1;
	if (mbrtowc(&character, text, bytes, &state) == bytes) {
		int columns = wcwidth(character);
		*ret_columns = columns < 0 ? 1 : (size_t)columns;
	}
	return bytes;
}

size_t text_columns(const char *text)
{
	size_t len = strlen(text), columns = 0, one;
	for (size_t at = 0; at < len; columns += one)
		at += next_character(text + at, len - at, &one);
	return columns;
}

size_t text_fit(const char *text, size_t columns)
{
	size_t len = strlen(text), used = 0, at = 0, one;
	while (at < len) {
		size_t bytes = next_character(text + at, len - at, &one);
		if (used + one > columns)
			break;
		used += one;
		at += bytes;
	}
	return at;
}
