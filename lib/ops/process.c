/* Process: signals, limits, the ready file. Arguments: process_arguments.c. */
#include "waitingroom/process.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#include "waitingroom/clock.h"
#include "waitingroom/log.h"
#include "waitingroom/text.h"

static sigset_t our_signals(void)
{
	sigset_t set;
	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGHUP);
	sigaddset(&set, SIGUSR1);
	sigaddset(&set, SIGUSR2);
	return set;
}

void process_prepare(void)
{
	sigset_t set = our_signals();
	pthread_sigmask(SIG_BLOCK, &set, NULL);
	signal(SIGPIPE, SIG_IGN);
	struct rlimit none = {0, 0}, files;
	setrlimit(RLIMIT_CORE, &none);
	if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
		files.rlim_cur = files.rlim_max;
		setrlimit(RLIMIT_NOFILE, &files);
	}
}

static int wait_number(int64_t max_ms)
{
	sigset_t set = our_signals();
	struct timespec wait = {.tv_sec = max_ms / 1000, .tv_nsec = max_ms % 1000 * 1000000};
	return max_ms < 0 ? sigwaitinfo(&set, NULL) : sigtimedwait(&set, NULL, &wait);
}

enum process_signal process_wait_signal(int64_t max_ms)
{
	struct mono_time began = clock_mono();
	for (int64_t left_ms = max_ms;;) {
		int number = wait_number(left_ms);
		if (number == SIGHUP)
			return PROCESS_RELOAD;
		if (number != SIGUSR1 && number != SIGUSR2)
			return number > 0 ? PROCESS_STOP : PROCESS_NOTHING;
		log_step_level(number == SIGUSR1 ? -1 : 1);
		if (max_ms >= 0)
			left_ms = max_ms - mono_diff_ms(began, clock_mono());
		if (max_ms >= 0 && left_ms <= 0)
			return PROCESS_NOTHING;
	}
}

enum wr_err process_write_ready(const char *path, const char *listen, const char *internal,
								struct err_detail *ret_detail)
{
	if (path[0] == '\0')
		return WR_OK;
	char text[512], temporary[CONFIG_TEXT_BYTES + 8];
	struct json_out out;
	json_out_init(&out, text, sizeof(text));
	json_out_object(&out, NULL);
	json_out_string(&out, "listen", listen);
	json_out_string(&out, "internal", internal);
	json_out_object_end(&out);
	snprintf(temporary, sizeof(temporary), "%s.new", path);
	FILE *file = fopen(temporary, "w");
	if (file == NULL)
		return err_say(ret_detail, WR_IO, "WR_READY_FILE: %s cannot be made: %s", temporary,
					   strerror(errno));
	bool written = fwrite(text, 1, out.len, file) == out.len;
	written = fclose(file) == 0 && written;
	if (!written || rename(temporary, path) != 0)
		return err_say(ret_detail, WR_IO, "WR_READY_FILE: %s cannot be written", path);
	return WR_OK;
}
