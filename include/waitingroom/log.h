/* Log: one JSON object a line on standard error, named as the Elastic Common Schema names things;
 * readable lines when that is a terminal.
 *
 * What     Event name plus key=value fields. What they mean stands in log_words.h, once. Logging never
 *          blocks long and never fails its caller; with a writer (log_writer_start) it never blocks.
 *          Never pass tokens, keys, user data or full client addresses.
 * Used by  cmd/ (libraries return errors instead); lib/events and lib/store say connection changes.
 * Threads  any, except where a function says otherwise.
 */
#ifndef WAITINGROOM_LOG_H
#define WAITINGROOM_LOG_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "waitingroom/clock.h"

enum log_level { LOG_LEVEL_DEBUG, LOG_LEVEL_INFO, LOG_LEVEL_WARN, LOG_LEVEL_ERROR };

struct log_field {
	const char *key;
	const char *text; /* NULL: use number */
	int64_t number;
};

#define LOG_TEXT(key_, text_) ((struct log_field){.key = (key_), .text = (text_)})
#define LOG_NUMBER(key_, number_) ((struct log_field){.key = (key_), .number = (number_)})

/* ---- starting and stopping; main thread ---- */

/* Before other threads start. 'program' is kept (static string). */
void log_start(const char *program, enum log_level level);
/* From now on lines go into a bounded buffer that a thread of the log's own writes out. */
void log_writer_start(void);
/* Writes what is there, for a second at most, and ends the thread; later lines are written at
 * once. */
void log_writer_stop(void);
/* Lines of one event and level that pass in a second; the rest is counted and said once. 0: all. */
void log_set_limit(uint32_t lines_per_s);
/* Another name than "host-pid" for who writes; "" changes nothing. Before threads start. */
void log_name_instance(const char *name);
/* Who writes, on every line; lends for ever. */
const char *log_instance(void);

/* ---- levels ---- */

bool log_level_parse(const char *text, enum log_level *ret_level); /* debug|info|warn|error */
const char *log_level_word(enum log_level level);
/* The level that stays. */
void log_set_level(enum log_level level);
/* Another one for a while, then the one that stays again (noticed within a second, by the
 * writer). */
void log_override_level(enum log_level level, int64_t seconds);
void log_end_override(void);
/* -1: one level more is said; 1: one less. Changes the level that stays and ends an override; at
 * the last level it changes nothing. */
void log_step_level(int step);
enum log_level log_current_level(void);
bool log_would_say(enum log_level level);

/* ---- saying ---- */

void log_event_fields(enum log_level level, const char *event, const struct log_field *fields,
					  int count);
/* Is another line of this kind within the limit? Counts it. To be asked before making a line
 * costly. */
bool log_may_repeat(enum log_level level, const char *event);
/* True at first, then once a minute: for what is tried again and again, and lasts. 'said' is the
 * caller's, zero at the start; it has 'now' when true. */
bool log_once_a_minute(struct mono_time *said, struct mono_time now);
/* Past the limit for repeated lines: for those that count their own, as the access log. */
void log_event_unlimited(enum log_level level, const char *event, const struct log_field *fields,
						 int count);

/* log_event(LOG_LEVEL_INFO, "store_connected", LOG_TEXT("address", a), LOG_NUMBER("tries", n));
 * 'event' is snake_case and stable: people grep and alert on it. It has a row in log_words.h. */
#define log_event(level, event, ...)                                                               \
	log_event_fields(                                                                              \
		(level), (event), (const struct log_field[]){{0}, ##__VA_ARGS__} + 1,                      \
		(int)(sizeof((const struct log_field[]){{0}, ##__VA_ARGS__}) / sizeof(struct log_field)) - \
			1)

/* ---- what became of lines ---- */

struct log_counts {
	uint64_t dropped;  /* the buffer was full, or nobody read standard error */
	uint64_t withheld; /* repeated too often */
};
void log_counts(struct log_counts *ret_counts);

void log_print_markdown(FILE *out); /* events and fields, for the documentation */

#endif
