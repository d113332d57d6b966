/* Repeated lines: so many of one event and level a second, the rest is counted.
 *
 * When the second is over, one line "log_repeated" says how many were not written: at the next line
 * of that event, or within a second by log_tick(). A visitor who finds a way to make us log cannot
 * fill a disk with it, nor push out of the buffer what others have to say.
 *
 * Shared between threads: the table, under 'lock', which is held for a search in a few rows. When
 * the table is full (more kinds of events in a second than there are rows), lines pass.
 */
#include "log_internal.h"

#include <pthread.h>
#include <stdatomic.h>
#include <string.h>

#define KINDS 64

struct kind {
	const char *event; /* NULL: free */
	enum log_level level;
	int64_t second;
	uint32_t passed, withheld;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct kind kinds[KINDS];
static _Atomic uint32_t lines_per_s; /* 0: no limit */
static _Atomic uint64_t withheld_total;

void log_set_limit(uint32_t lines)
{
	atomic_store_explicit(&lines_per_s, lines, memory_order_relaxed);
}

uint64_t log_limit_withheld(void)
{
	return atomic_load_explicit(&withheld_total, memory_order_relaxed);
}

static void say_withheld(const struct kind *kind)
{
	const struct log_field fields[] = {LOG_TEXT("event", kind->event),
									   LOG_NUMBER("count", kind->withheld)};
	if (kind->withheld > 0)
		log_say(&(struct log_record){
			.level = kind->level, .event = "log_repeated", .fields = fields, .count = 2});
}

bool log_once_a_minute(struct mono_time *said, struct mono_time now)
{
	if (said->ns != 0 && mono_diff_ms(*said, now) < 60000)
		return false;
	*said = now;
	return true;
}

/* The row of this kind, or a free one, or that of a kind which is silent; NULL: none of them. */
static struct kind *find(enum log_level level, const char *event, int64_t second)
{
	struct kind *free_row = NULL;
	for (size_t i = 0; i < KINDS; i++) {
		struct kind *kind = &kinds[i];
		if (kind->event != NULL && kind->level == level && strcmp(kind->event, event) == 0)
			return kind;
		if (kind->event == NULL || (kind->second < second && kind->withheld == 0))
			free_row = kind;
	}
	if (free_row != NULL)
		*free_row = (struct kind){.event = event, .level = level, .second = second};
	return free_row;
}

bool log_limit_pass(enum log_level level, const char *event, struct mono_time now)
{
	uint32_t limit = atomic_load_explicit(&lines_per_s, memory_order_relaxed);
	if (limit == 0)
		return true;
	int64_t second = now.ns / 1000000000;
	struct kind over = {.event = NULL};
	pthread_mutex_lock(&lock);
	struct kind *kind = find(level, event, second);
	bool pass = true;
	if (kind != NULL) {
		if (kind->second != second) {
			over = *kind;
			kind->second = second;
			kind->passed = kind->withheld = 0;
		}
		pass = kind->passed < limit;
		if (pass)
			kind->passed++;
		else
			kind->withheld++;
	}
	pthread_mutex_unlock(&lock);
	if (!pass)
		atomic_fetch_add_explicit(&withheld_total, 1, memory_order_relaxed);
	say_withheld(&over);
	return pass;
}

void log_limit_sweep(struct mono_time now)
{
	int64_t second = now.ns / 1000000000;
	for (size_t i = 0; i < KINDS; i++) {
		struct kind over = {.event = NULL};
		pthread_mutex_lock(&lock);
		if (kinds[i].withheld > 0 && kinds[i].second < second) {
			over = kinds[i];
			kinds[i].withheld = 0;
		}
		pthread_mutex_unlock(&lock);
		say_withheld(&over);
	}
}
