/* Log: formats a line on the stack and hands it over with one write(2).
 *
 * A line is at most PIPE_BUF bytes, so lines of several threads and processes on one pipe never
 * mix. When the reader of a pipe has stopped, lines are dropped after LOG_WAIT_MS instead of holding
 * up a worker, and the next line that gets through says how many were lost. Fields that do not fit
 * are left out and the line says "truncated".
 *
 * Shared between threads: the level and the count of dropped lines (atomics); the rest is set by
 * log_start() before other threads exist.
 */
#include "waitingroom/log.h"

#include "waitingroom/clock.h"
#include "waitingroom/text.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define LOG_WAIT_MS 50
#define LINE_END_BYTES 64 /* room kept for what closes a line */

static const char *log_program = "waitingroom";
static bool log_is_terminal;
static _Atomic int log_level = LOG_LEVEL_INFO;
static _Atomic int64_t log_dropped;

static const char *const level_words[] = {
	[LOG_LEVEL_DEBUG] = "debug",
	[LOG_LEVEL_INFO] = "info",
	[LOG_LEVEL_WARN] = "warn",
	[LOG_LEVEL_ERROR] = "error",
};

void log_start(const char *program, enum log_level level)
{
	log_program = program;
	log_is_terminal = isatty(STDERR_FILENO) == 1;
	log_set_level(level);
}

void log_set_level(enum log_level level)
{
	atomic_store_explicit(&log_level, (int)level, memory_order_relaxed);
}

bool log_level_parse(const char *text, enum log_level *ret_level)
{
	for (size_t i = 0; i < sizeof(level_words) / sizeof(level_words[0]); i++) {
		if (strcmp(text, level_words[i]) == 0) {
			*ret_level = (enum log_level)i;
			return true;
		}
	}
	return false;
}

/* "2026-01-31T12:34:56.789Z" (RFC 3339) */
static void print_time(char text[32])
{
	struct wall_time now = clock_wall();
	time_t seconds = (time_t)(now.ms / 1000);
	struct tm parts;
	gmtime_r(&seconds, &parts);
	size_t len = strftime(text, 32, "%Y-%m-%dT%H:%M:%S", &parts);
	snprintf(text + len, 32 - len, ".%03dZ", (int)(now.ms % 1000));
}

static void put_field(struct json_out *out, const struct log_field *field)
{
	if (field->text)
		json_out_string(out, field->key, field->text);
	else
		json_out_int(out, field->key, field->number);
}

static size_t print_json(char line[PIPE_BUF], enum log_level level, const char *event,
						 const struct log_field *fields, int count, int64_t dropped)
{
	char when[32];
	print_time(when);
	struct json_out out;
	json_out_init(&out, line, PIPE_BUF - LINE_END_BYTES);
	json_out_object(&out, NULL);
	json_out_string(&out, "ts", when);
	json_out_string(&out, "level", level_words[level]);
	json_out_string(&out, "event", event);
	json_out_string(&out, "program", log_program);
	if (dropped)
		json_out_int(&out, "lines_dropped", dropped);
	for (int i = 0; i < count; i++) {
		struct json_out before = out;
		put_field(&out, &fields[i]);
		if (out.overflow) {
			out = before;
			out.room = PIPE_BUF;
			json_out_bool(&out, "truncated", true);
			break;
		}
	}
	out.room = PIPE_BUF;
	json_out_object_end(&out);
	line[out.len] = '\n';
	return out.len + 1;
}

/* For people at a terminal: "12:34:56.789 warn  store_lost address=…" */
static size_t print_plain(char line[PIPE_BUF], enum log_level level, const char *event,
						  const struct log_field *fields, int count)
{
	char when[32];
	print_time(when);
	const size_t room = PIPE_BUF - 1;
	size_t len =
		(size_t)snprintf(line, room, "%.12s %-5s %s", when + 11, level_words[level], event);
	for (int i = 0; i < count && len < room; i++) {
		const struct log_field *field = &fields[i];
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

/* Once a line was dropped, the next ones do not wait at all until one gets through. */
static bool write_line(const char *line, size_t len, bool may_wait)
{
	struct pollfd ready = {.fd = STDERR_FILENO, .events = POLLOUT};
	if (poll(&ready, 1, may_wait ? LOG_WAIT_MS : 0) != 1 || !(ready.revents & POLLOUT))
		return false;
	ssize_t written;
	do {
		written = write(STDERR_FILENO, line, len);
	} while (written < 0 && errno == EINTR);
	return written >= 0;
}

void log_event_fields(enum log_level level, const char *event, const struct log_field *fields,
					  int count)
{
	if ((int)level < atomic_load_explicit(&log_level, memory_order_relaxed))
		return;
	int saved_errno = errno;
	char line[PIPE_BUF];
	int64_t dropped = atomic_exchange_explicit(&log_dropped, 0, memory_order_relaxed);
	size_t len = log_is_terminal ? print_plain(line, level, event, fields, count)
								 : print_json(line, level, event, fields, count, dropped);
	if (!write_line(line, len, !dropped))
		atomic_fetch_add_explicit(&log_dropped, dropped + 1, memory_order_relaxed);
	errno = saved_errno;
}
