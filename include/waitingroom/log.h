/* Log: one JSON object a line on standard error; readable lines when that is a terminal.
 *
 * What     Event name plus key=value fields. Logging never blocks long and never fails its caller.
 *          Never pass tokens, keys, user data or full client addresses.
 * Used by  cmd/ (libraries return errors instead); lib/events and lib/store say connection changes.
 * Threads  any; a line is written with one write(2).
 */
#ifndef WAITINGROOM_LOG_H
#define WAITINGROOM_LOG_H

#include <stdbool.h>
#include <stdint.h>

enum log_level { LOG_LEVEL_DEBUG, LOG_LEVEL_INFO, LOG_LEVEL_WARN, LOG_LEVEL_ERROR };

struct log_field {
	const char *key;
	const char *text; /* NULL: use number */
	int64_t number;
};

#define LOG_TEXT(key_, text_) ((struct log_field){.key = (key_), .text = (text_)})
#define LOG_NUMBER(key_, number_) ((struct log_field){.key = (key_), .number = (number_)})

/* Before other threads start. 'program' is kept (static string). */
void log_start(const char *program, enum log_level level);
void log_set_level(enum log_level level);						   /* any time */
bool log_level_parse(const char *text, enum log_level *ret_level); /* debug|info|warn|error */

void log_event_fields(enum log_level level, const char *event, const struct log_field *fields,
					  int count);

/* log_event(LOG_LEVEL_INFO, "store_connected", LOG_TEXT("address", a), LOG_NUMBER("tries", n));
 * 'event' is snake_case and stable: people grep and alert on it. */
#define log_event(level, event, ...)                                                               \
	log_event_fields(                                                                              \
		(level), (event), (const struct log_field[]){{0}, ##__VA_ARGS__} + 1,                      \
		(int)(sizeof((const struct log_field[]){{0}, ##__VA_ARGS__}) / sizeof(struct log_field)) - \
			1)

#endif
