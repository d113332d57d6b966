/* A terminal for tests: forkpty, and a screen of characters. */
#include "support/pty.h"

#include "support/cmocka.h"
#include "support/wait.h"
#include "waitingroom/memory.h"
#include "waitingroom/text.h"

#include <errno.h>
#include <fcntl.h>
#include <pty.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#define LINES_MAX 200
#define COLUMNS_MAX 300
#define CELL_BYTES 5

struct pty {
	int master;
	pid_t pid;
	bool ended;
	int status;
	int lines, columns, line, column;
	char cells[LINES_MAX][COLUMNS_MAX][CELL_BYTES];
	char text[COLUMNS_MAX * CELL_BYTES + 1]; /* of pty_line */
	bool alternate, hidden, coloured;
	size_t printed;
	char held[256]; /* a sequence or a character that is not whole yet */
	size_t held_len;
};

static void clear_from(struct pty *pty, int line, int column)
{
	for (int i = column; i < COLUMNS_MAX; i++)
		strcpy(pty->cells[line][i], " ");
}

static void clear_all(struct pty *pty)
{
	for (int i = 0; i < LINES_MAX; i++)
		clear_from(pty, i, 0);
}

struct pty *pty_start(int lines, int columns, const char *const argv[], const char *const env[])
{
	struct pty *pty = mem_alloc_zero(1, sizeof(*pty));
	struct winsize size = {.ws_row = (unsigned short)lines, .ws_col = (unsigned short)columns};
	pty->lines = lines;
	pty->columns = columns;
	clear_all(pty);
	pty->pid = forkpty(&pty->master, NULL, NULL, &size);
	if (pty->pid < 0)
		fail_msg("no terminal: %s", strerror(errno));
	if (pty->pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		for (size_t i = 0; env[i] != NULL; i++)
			putenv((char *)env[i]);
		execv(argv[0], (char *const *)argv);
		_exit(127);
	}
	fcntl(pty->master, F_SETFL, O_NONBLOCK);
	return pty;
}

void pty_free(struct pty *pty)
{
	if (pty == NULL)
		return;
	if (!pty->ended) {
		kill(pty->pid, SIGKILL);
		waitpid(pty->pid, NULL, 0);
	}
	close(pty->master);
	free(pty);
}

/* ---- the screen ---- */

static void put_character(struct pty *pty, const char *bytes, size_t len)
{
	if (bytes[0] == '\n') {
		pty->line += pty->line + 1 < LINES_MAX;
	} else if (bytes[0] == '\r') {
		pty->column = 0;
	} else if (bytes[0] == '\b') {
		pty->column -= pty->column > 0;
	} else if (bytes[0] == '\a') {
		return;
	} else if (pty->column >= pty->columns || pty->line >= pty->lines) {
		if (pty->alternate) /* it would wrap or scroll */
			fail_msg("\"%.*s\" at line %d, column %d of %d x %d", (int)len, bytes, pty->line + 1,
					 pty->column + 1, pty->columns, pty->lines);
	} else {
		memcpy(pty->cells[pty->line][pty->column], bytes, len);
		pty->cells[pty->line][pty->column++][len] = '\0';
	}
}

/* text: between ESC [ and the letter */
static void obey(struct pty *pty, const char *text, char letter)
{
	int line = 1, column = 1;
	if (letter == 'H') {
		(void)sscanf(text, "%d;%d", &line, &column);
		pty->line = line - 1;
		pty->column = column - 1;
	} else if (letter == 'J' && strcmp(text, "2") == 0) {
		clear_all(pty);
	} else if (letter == 'K' && text[0] == '\0') {
		if (pty->line < LINES_MAX)
			clear_from(pty, pty->line, pty->column);
	} else if (letter == 'm') {
		pty->coloured |= strcmp(text, "0") != 0 && text[0] != '\0';
	} else if (strcmp(text, "?1049") == 0) {
		pty->alternate = letter == 'h';
	} else if (strcmp(text, "?25") == 0) {
		pty->hidden = letter == 'l';
	} else if (strcmp(text, "?7") != 0 && strcmp(text, "?2004") != 0 /* shells do that */) {
		fail_msg("a sequence that not every terminal knows: ESC [ %s %c", text, letter);
	}
}

/* Bytes of the sequence or character at the front of 'held'; 0: it is not whole. */
static size_t take_one(struct pty *pty)
{
	if (pty->held[0] != '\033') {
		size_t len = utf8_sequence_len(pty->held, pty->held_len);
		if (len == 0 && pty->held_len >= 4)
			fail_msg("not UTF-8");
		if (len > 0)
			put_character(pty, pty->held, len);
		return len;
	}
	for (size_t i = 2; i < pty->held_len; i++)
		if ((pty->held[i] >= 'A' && pty->held[i] <= 'Z') ||
			(pty->held[i] >= 'a' && pty->held[i] <= 'z')) {
			char text[sizeof(pty->held)];
			snprintf(text, sizeof(text), "%.*s", (int)(i - 2), pty->held + 2);
			obey(pty, text, pty->held[i]);
			return i + 1;
		}
	return 0;
}

static void take_in(struct pty *pty)
{
	char byte;
	while (read(pty->master, &byte, 1) == 1) {
		pty->printed++;
		pty->held[pty->held_len++] = byte;
		size_t taken = take_one(pty);
		if (taken > 0)
			pty->held_len = 0;
		if (pty->held_len == sizeof(pty->held))
			fail_msg("a sequence without an end");
	}
}

const char *pty_line(struct pty *pty, int number)
{
	size_t len = 0;
	for (int i = 0; i < pty->columns; i++) {
		size_t cell = strlen(pty->cells[number][i]);
		memcpy(pty->text + len, pty->cells[number][i], cell);
		len += cell;
	}
	while (len > 0 && pty->text[len - 1] == ' ')
		len--;
	pty->text[len] = '\0';
	return pty->text;
}

bool pty_sees(struct pty *pty, const char *text)
{
	take_in(pty);
	for (int i = 0; i < pty->lines; i++)
		if (strstr(pty_line(pty, i), text) != NULL)
			return true;
	return false;
}

size_t pty_printed(struct pty *pty)
{
	take_in(pty);
	return pty->printed;
}

bool pty_is_alternate(struct pty *pty)
{
	take_in(pty);
	return pty->alternate;
}

bool pty_cursor_is_hidden(struct pty *pty)
{
	take_in(pty);
	return pty->hidden;
}

bool pty_was_coloured(struct pty *pty)
{
	take_in(pty);
	return pty->coloured;
}

bool pty_is_canonical(const struct pty *pty)
{
	struct termios now;
	if (tcgetattr(pty->master, &now) != 0)
		fail_msg("the terminal cannot be asked: %s", strerror(errno));
	return (now.c_lflag & (ICANON | ECHO)) == (ICANON | ECHO);
}

/* ---- the person ---- */

void pty_type(struct pty *pty, const char *keys)
{
	if (write(pty->master, keys, strlen(keys)) != (ssize_t)strlen(keys))
		fail_msg("the terminal takes no keys");
}

void pty_resize(struct pty *pty, int lines, int columns)
{
	struct winsize size = {.ws_row = (unsigned short)lines, .ws_col = (unsigned short)columns};
	take_in(pty);
	pty->lines = lines;
	pty->columns = columns;
	ioctl(pty->master, TIOCSWINSZ, &size);
}

void pty_signal(struct pty *pty, int signal)
{
	kill(pty->pid, signal);
}

static bool has_ended(struct pty *pty)
{
	take_in(pty);
	pty->ended = pty->ended || waitpid(pty->pid, &pty->status, WNOHANG) == pty->pid;
	return pty->ended;
}

int pty_wait(struct pty *pty, int deadline_ms)
{
	WAIT_UNTIL(deadline_ms, has_ended(pty), "the program ends");
	take_in(pty);
	return WIFEXITED(pty->status) ? WEXITSTATUS(pty->status) : 128 + WTERMSIG(pty->status);
}
