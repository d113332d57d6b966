/* Log: the way of a line.
 *
 *     loud enough? ─► not repeated too often? ─► printed on the stack ─► the writer's buffer
 *                                                                  └──► write(2), without a writer
 *
 * Without a writer (before it starts, after it has stopped, in tests) a line is written at once:
 * when the reader of a pipe has stopped, lines are dropped after LOG_WAIT_MS instead of holding up
 * the caller. Either way, what was lost is said with the next line that gets through.
 *
 * Levels: the one that stays, and perhaps another one for a while, which log_tick() ends. Both are
 * behind 'level_lock'; what every call looks at is the atomic 'level_now', made from them.
 *
 * Shared between threads: what is said above, and the counts (atomics); the rest is set by
 * log_start() before other threads exist.
 */
#include "log_internal.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define LOG_WAIT_MS 50
#define INSTANCE_BYTES 80

static char instance[INSTANCE_BYTES] = "?";
static struct log_source source = {.program = "waitingroom", .instance = instance};
static bool is_terminal;
static _Atomic uint64_t dropped_total, dropped_unsaid;

static _Atomic int level_now = LOG_LEVEL_INFO;
static pthread_mutex_t level_lock = PTHREAD_MUTEX_INITIALIZER;
static enum log_level level_that_stays = LOG_LEVEL_INFO, level_for_a_while;
static bool has_override;
static struct mono_time override_ends;

static const char *const level_words[] = {
	[LOG_LEVEL_DEBUG] = "debug",
	[LOG_LEVEL_INFO] = "info",
	[LOG_LEVEL_WARN] = "warn",
	[LOG_LEVEL_ERROR] = "error",
};

void log_start(const char *program, enum log_level level)
{
	char host[64] = "";
	source.program = program;
	is_terminal = isatty(STDERR_FILENO) == 1;
	gethostname(host, sizeof(host) - 1);
	snprintf(instance, sizeof(instance), "%s-%d", host[0] ? host : "host", (int)getpid());
	level_that_stays = level;
	has_override = false;
	atomic_store_explicit(&level_now, (int)level, memory_order_relaxed);
}

void log_name_instance(const char *name)
{
	if (name[0] != '\0')
		snprintf(instance, sizeof(instance), "%s", name);
}

const char *log_instance(void)
{
	return instance;
}

/* ---- levels ---- */

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

const char *log_level_word(enum log_level level)
{
	return level_words[level];
}

enum log_level log_current_level(void)
{
	return (enum log_level)atomic_load_explicit(&level_now, memory_order_relaxed);
}

bool log_would_say(enum log_level level)
{
	return (int)level >= atomic_load_explicit(&level_now, memory_order_relaxed);
}

/* Lets go of the lock; says a change, whatever the levels are. */
static void settle_and_unlock(void)
{
	enum log_level to = has_override ? level_for_a_while : level_that_stays;
	enum log_level from =
		(enum log_level)atomic_exchange_explicit(&level_now, (int)to, memory_order_relaxed);
	pthread_mutex_unlock(&level_lock);
	const struct log_field fields[] = {LOG_TEXT("from", level_words[from]),
									   LOG_TEXT("to", level_words[to])};
	if (from != to)
		log_say(&(struct log_record){
			.level = LOG_LEVEL_INFO, .event = "log_level_changed", .fields = fields, .count = 2});
}

void log_set_level(enum log_level level)
{
	pthread_mutex_lock(&level_lock);
	level_that_stays = level;
	settle_and_unlock();
}

void log_override_level(enum log_level level, int64_t seconds)
{
	pthread_mutex_lock(&level_lock);
	has_override = true;
	level_for_a_while = level;
	override_ends = mono_add_ms(clock_mono(), seconds * 1000);
	settle_and_unlock();
}

void log_end_override(void)
{
	pthread_mutex_lock(&level_lock);
	has_override = false;
	settle_and_unlock();
}

void log_step_level(int step)
{
	pthread_mutex_lock(&level_lock);
	int level = atomic_load_explicit(&level_now, memory_order_relaxed) + step;
	if (level >= LOG_LEVEL_DEBUG && level <= LOG_LEVEL_ERROR) {
		level_that_stays = (enum log_level)level;
		has_override = false;
	}
	settle_and_unlock();
}

void log_tick(struct mono_time now)
{
	log_limit_sweep(now);
	pthread_mutex_lock(&level_lock);
	if (has_override && mono_diff_ms(override_ends, now) >= 0)
		has_override = false;
	settle_and_unlock();
}

/* ---- writing ---- */

void log_count_dropped(uint64_t lines)
{
	atomic_fetch_add_explicit(&dropped_total, lines, memory_order_relaxed);
	atomic_fetch_add_explicit(&dropped_unsaid, lines, memory_order_relaxed);
}

void log_counts(struct log_counts *ret_counts)
{
	ret_counts->dropped = atomic_load_explicit(&dropped_total, memory_order_relaxed);
	ret_counts->withheld = log_limit_withheld();
}

/* Once a line was dropped, the next ones do not wait at all until one gets through. */
static bool write_at_once(const char *line, size_t len)
{
	bool may_wait = atomic_load_explicit(&dropped_unsaid, memory_order_relaxed) == 0;
	struct pollfd ready = {.fd = STDERR_FILENO, .events = POLLOUT};
	if (poll(&ready, 1, may_wait ? LOG_WAIT_MS : 0) != 1 || !(ready.revents & POLLOUT))
		return false;
	ssize_t written;
	do {
		written = write(STDERR_FILENO, line, len);
	} while (written < 0 && errno == EINTR);
	return written >= 0;
}

static void put_line(const struct log_record *record)
{
	char line[PIPE_BUF];
	struct wall_time now = clock_wall();
	size_t len =
		is_terminal ? log_line_plain(line, record, now) : log_line_json(line, &source, record, now);
	if (!log_writer_put(line, len) && !write_at_once(line, len))
		log_count_dropped(1);
}

void log_say(const struct log_record *record)
{
	int saved_errno = errno;
	uint64_t lost = atomic_exchange_explicit(&dropped_unsaid, 0, memory_order_relaxed);
	if (lost > 0) {
		const struct log_field count = LOG_NUMBER("count", (int64_t)lost);
		uint64_t before = atomic_load_explicit(&dropped_total, memory_order_relaxed);
		put_line(&(struct log_record){
			.level = LOG_LEVEL_WARN, .event = "log_lines_dropped", .fields = &count, .count = 1});
		if (atomic_load_explicit(&dropped_total, memory_order_relaxed) != before) {
			/* Not through yet: the line that said so counts for none, this one is lost as well. */
			atomic_fetch_add_explicit(&dropped_unsaid, lost, memory_order_relaxed);
			errno = saved_errno;
			return;
		}
	}
	put_line(record);
	errno = saved_errno;
}

bool log_may_repeat(enum log_level level, const char *event)
{
	return log_limit_pass(level, event, clock_mono());
}

void log_event_unlimited(enum log_level level, const char *event, const struct log_field *fields,
						 int count)
{
	if (log_would_say(level))
		log_say(&(struct log_record){level, event, fields, count});
}

void log_event_fields(enum log_level level, const char *event, const struct log_field *fields,
					  int count)
{
	if (log_would_say(level) && log_limit_pass(level, event, clock_mono()))
		log_say(&(struct log_record){level, event, fields, count});
}
