/* The writer: a bounded buffer and a thread that writes it to standard error.
 *
 * Whoever logs copies its line into the buffer and goes on; when there is no room the line is
 * counted and lost. The thread exchanges the full buffer for an empty one and writes without
 * holding the lock, so the lock is held for a copy of some hundred bytes and never for as long as a
 * reader of the pipe takes. One buffer for all threads: lines stay in the order in which they were
 * said, and workers log rarely enough (the access log samples) that they do not meet at the lock.
 *
 * Once a second the thread also ends level overrides and says what the limit has withheld
 * (log_tick).
 *
 * When the process dies of an assertion, what is in the buffer is the best description of why: the
 * handler of SIGABRT writes it. That is not a thing that signal handlers may do; there is nothing
 * to lose.
 *
 * Shared between threads: everything below, under 'lock'.
 */
#include "log_internal.h"

#include "waitingroom/memory.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define BUFFER_BYTES (256 * 1024)
#define TICK_MS 1000
#define LOOK_MS 100 /* between two looks whether a pipe that is full should be waited for */
#define STOP_MS 1000

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t filled; /* on the monotonic clock */
static pthread_t thread;
static char *buffers[2];
static size_t lens[2];
static int in_use; /* the buffer that lines go into */
static bool is_running, is_stopping;
static struct mono_time stop_by;

bool log_writer_put(const char *line, size_t len)
{
	pthread_mutex_lock(&lock);
	bool running = is_running;
	bool fits = running && lens[in_use] + len <= BUFFER_BYTES;
	if (fits) {
		memcpy(buffers[in_use] + lens[in_use], line, len);
		if (lens[in_use] == 0)
			pthread_cond_signal(&filled);
		lens[in_use] += len;
	}
	pthread_mutex_unlock(&lock);
	if (running && !fits)
		log_count_dropped(1);
	return running;
}

static uint64_t lines_in(const char *text, size_t len)
{
	uint64_t lines = 0;
	for (const char *end = text + len; (text = memchr(text, '\n', (size_t)(end - text))); text++)
		lines++;
	return lines;
}

/* As many whole lines as a pipe takes at once. */
static size_t piece_of(const char *text, size_t len)
{
	if (len <= PIPE_BUF)
		return len;
	const char *end = memrchr(text, '\n', PIPE_BUF);
	return end != NULL ? (size_t)(end - text) + 1 : PIPE_BUF;
}

static bool is_late(void)
{
	pthread_mutex_lock(&lock);
	bool late = is_stopping && mono_diff_ms(stop_by, clock_mono()) >= 0;
	pthread_mutex_unlock(&lock);
	return late;
}

static void write_out(const char *text, size_t len)
{
	while (len > 0) {
		struct pollfd ready = {.fd = STDERR_FILENO, .events = POLLOUT};
		size_t piece = piece_of(text, len);
		if (poll(&ready, 1, LOOK_MS) != 1) {
			if (!is_late())
				continue;
			log_count_dropped(lines_in(text, len));
			return;
		}
		ssize_t written = write(STDERR_FILENO, text, piece);
		if (written < 0 && (errno == EINTR || errno == EAGAIN))
			continue;
		if (written < 0) { /* nobody reads any more */
			log_count_dropped(lines_in(text, len));
			return;
		}
		text += written;
		len -= (size_t)written;
	}
}

/* Waits for lines, a tick at most. Returns the buffer to write, -1 when it is empty. */
static int take(bool *ret_stop)
{
	int64_t until_ns = mono_add_ms(clock_mono(), TICK_MS).ns;
	struct timespec until = {.tv_sec = until_ns / 1000000000, .tv_nsec = until_ns % 1000000000};
	pthread_mutex_lock(&lock);
	int waited = 0;
	while (lens[in_use] == 0 && !is_stopping && waited == 0)
		waited = pthread_cond_timedwait(&filled, &lock, &until);
	int full = lens[in_use] > 0 ? in_use : -1;
	if (full >= 0)
		in_use = 1 - in_use;
	*ret_stop = is_stopping && full < 0;
	if (*ret_stop) /* who logs from now on writes at once */
		is_running = false;
	pthread_mutex_unlock(&lock);
	return full;
}

static void *run(void *ctx)
{
	struct mono_time ticked = clock_mono();
	bool stop = false;
	(void)ctx;
	while (!stop) {
		int full = take(&stop);
		if (full >= 0) {
			write_out(buffers[full], lens[full]);
			pthread_mutex_lock(&lock);
			lens[full] = 0;
			pthread_mutex_unlock(&lock);
		}
		struct mono_time now = clock_mono();
		if (mono_diff_ms(ticked, now) >= TICK_MS) {
			ticked = now;
			log_tick(now);
		}
	}
	return NULL;
}

static void rescue(int signal)
{
	(void)signal;
	bool locked = pthread_mutex_trylock(&lock) == 0;
	for (int i = 0; i < 2; i++) {
		int which = i == 0 ? 1 - in_use : in_use;
		if (buffers[which] != NULL && lens[which] > 0 &&
			write(STDERR_FILENO, buffers[which], lens[which]) < 0)
			break;
	}
	if (locked)
		pthread_mutex_unlock(&lock);
}

void log_writer_start(void)
{
	pthread_condattr_t monotonic;
	pthread_condattr_init(&monotonic);
	pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
	pthread_cond_init(&filled, &monotonic);
	pthread_condattr_destroy(&monotonic);
	pthread_mutex_lock(&lock);
	for (int i = 0; i < 2; i++) {
		buffers[i] = mem_alloc_zero(1, BUFFER_BYTES);
		lens[i] = 0;
	}
	in_use = 0;
	is_stopping = false;
	is_running = true;
	pthread_mutex_unlock(&lock);
	if (pthread_create(&thread, NULL, run, NULL) != 0)
		abort();
	sigaction(SIGABRT, &(struct sigaction){.sa_handler = rescue, .sa_flags = SA_RESETHAND}, NULL);
}

void log_writer_stop(void)
{
	pthread_mutex_lock(&lock);
	bool running = is_running;
	is_stopping = true;
	stop_by = mono_add_ms(clock_mono(), STOP_MS);
	if (running)
		pthread_cond_signal(&filled);
	pthread_mutex_unlock(&lock);
	if (!running)
		return;
	pthread_join(thread, NULL);
	signal(SIGABRT, SIG_DFL);
	pthread_mutex_lock(&lock);
	for (int i = 0; i < 2; i++) {
		free(buffers[i]);
		buffers[i] = NULL;
		lens[i] = 0;
	}
	pthread_mutex_unlock(&lock);
	pthread_cond_destroy(&filled);
}
