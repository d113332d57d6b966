/* Screen: raw ANSI sequences that every terminal of the last thirty years knows. */
#include "screen.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include "waitingroom/memory.h"

/* Alternate screen, no cursor, no wrapping; and back. */
#define ENTER "\033[?1049h\033[?25l\033[?7l\033[H\033[2J"
#define LEAVE "\033[?7h\033[?25h\033[0m\033[?1049l"

static struct termios before;
static volatile sig_atomic_t is_open;
static char *shown[SCREEN_LINES_MAX]; /* NULL: not known */

/* ---- frames ---- */

void frame_clear(struct frame *frame)
{
	for (size_t i = 0; i < frame->count; i++)
		free(frame->lines[i]);
	free(frame->lines);
	*frame = (struct frame){.lines = NULL};
}

void frame_add(struct frame *frame, char *text)
{
	if (frame->count == frame->room) {
		frame->room = frame->room > 0 ? 2 * frame->room : 32;
		frame->lines = mem_grow(frame->lines, frame->room, sizeof(*frame->lines));
	}
	frame->lines[frame->count++] = text;
}

/* ---- the terminal ---- */

static void write_all(const char *text, size_t len)
{
	while (len > 0) {
		ssize_t put = write(STDOUT_FILENO, text, len);
		if (put <= 0)
			return; /* nobody sees it */
		text += put;
		len -= (size_t)put;
	}
}

/* Async-signal-safe: tcsetattr and write are. */
static void restore(void)
{
	if (!is_open)
		return;
	is_open = 0;
	write_all(LEAVE, sizeof(LEAVE) - 1);
	(void)tcsetattr(STDIN_FILENO, TCSAFLUSH, &before);
}

static void on_crash(int number)
{
	restore();
	raise(number); /* the handler was reset: this time it ends us */
}

static void watch_for_crashes(void)
{
	static const int crashes[] = {SIGABRT, SIGSEGV, SIGBUS, SIGFPE, SIGILL};
	struct sigaction action = {.sa_handler = on_crash, .sa_flags = (int)SA_RESETHAND};
	for (size_t i = 0; i < sizeof(crashes) / sizeof(crashes[0]); i++)
		sigaction(crashes[i], &action, NULL);
}

void screen_open(void)
{
	struct termios raw;
	if (tcgetattr(STDIN_FILENO, &before) != 0)
		return;
	raw = before;
	raw.c_lflag &= ~(tcflag_t)(ICANON | ECHO); /* Ctrl-C stays a signal */
	raw.c_cc[VMIN] = 0;
	raw.c_cc[VTIME] = 0;
	is_open = 1;
	watch_for_crashes();
	(void)tcsetattr(STDIN_FILENO, TCSAFLUSH, &raw);
	write_all(ENTER, sizeof(ENTER) - 1);
	screen_forget();
}

void screen_close(void)
{
	restore();
	screen_forget();
}

void screen_size(int *ret_width, int *ret_height)
{
	struct winsize size = {0};
	bool known = ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 && size.ws_row > 0;
	*ret_width = known ? size.ws_col : 80;
	*ret_height = known ? size.ws_row : 24;
	if (*ret_height > SCREEN_LINES_MAX)
		*ret_height = SCREEN_LINES_MAX;
}

void screen_forget(void)
{
	for (size_t i = 0; i < SCREEN_LINES_MAX; i++)
		free(WR_TAKE(shown[i]));
}

void screen_show(const struct frame *frame)
{
	char *text = NULL;
	size_t len = 0;
	FILE *out = open_memstream(&text, &len);
	if (out == NULL)
		return;
	for (size_t i = 0; i < frame->count && i < SCREEN_LINES_MAX; i++) {
		if (shown[i] != NULL && strcmp(shown[i], frame->lines[i]) == 0)
			continue;
		fprintf(out, "\033[%zu;1H%s\033[0m\033[K", i + 1, frame->lines[i]);
		free(shown[i]);
		shown[i] = mem_copy_string(frame->lines[i]);
	}
	fclose(out);
	write_all(text, len); /* at once: half a picture is never seen */
	free(text);
}
