/* Internals of the log: what its files share. Nobody outside lib/base includes this.
 *
 *     log.c         levels, and the way of a line: level → limit → print → writer or write(2)
 *     log_line.c    a line as text: JSON, or for people
 *     log_limit.c   repeated lines
 *     log_writer.c  the buffer and the thread behind it
 */
#ifndef WAITINGROOM_LOG_INTERNAL_H
#define WAITINGROOM_LOG_INTERNAL_H

#include <limits.h>
#include <stddef.h>

#include "waitingroom/clock.h"
#include "waitingroom/log.h"

/* ---- log.c ---- */

struct log_record {
	enum log_level level;
	const char *event;
	const struct log_field *fields;
	int count;
};
/* Whatever its level, past the limit. */
void log_say(const struct log_record *record);
/* Ends an override whose time is over, says what the limit has withheld. */
void log_tick(struct mono_time now);
/* Lines lost; said with the next line that gets through. */
void log_count_dropped(uint64_t lines);

/* ---- log_line.c ---- */

struct log_source {
	const char *program, *instance;
};
/* Both fill at most PIPE_BUF bytes, with the line's end, and return how many. */
size_t log_line_json(char line[PIPE_BUF], const struct log_source *source,
					 const struct log_record *record, struct wall_time now);
size_t log_line_plain(char line[PIPE_BUF], const struct log_record *record, struct wall_time now);

/* ---- log_limit.c ---- */

bool log_limit_pass(enum log_level level, const char *event, struct mono_time now);
void log_limit_sweep(struct mono_time now);
uint64_t log_limit_withheld(void);

/* ---- log_writer.c ---- */

/* false: there is no writer. A line that has no room is counted as dropped. */
bool log_writer_put(const char *line, size_t len);

#endif
