/* wrload: a simulated crowd for a waiting room.
 *
 * Thousands of visitors on one event loop join a queue, poll when they are told to, are let in,
 * give their session back, or leave, vanish and fall asleep as people do. What comes out is how
 * fast the service answered, measured from when each request was meant to start, and whether
 * any visitor was told something that the service promises never to say.
 *
 *     options ──► crowd ──► visitor ──► client ──► the API
 *                              │
 *                              ├──► tally ──► report
 *                              ├──► checker (order, pace) ──► violations ──► report
 *                              └──► history
 *
 * Ctrl-C ends the run early, with a report; a second one ends the program. SIGUSR1 begins a new
 * phase of the report: before, during and after something that is done to the service.
 */
#include "crowd.h"
#include "options.h"
#include "report.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <unistd.h>

enum exit_status { ALL_WELL = 0, VIOLATED = 1, WRONG_USE = 2, NOBODY_JOINED = 3 };

struct signals {
	sigset_t set;
	int fd;
	struct crowd *crowd;
};

static void on_signal(void *ctx, unsigned events)
{
	(void)events;
	struct signals *signals = ctx;
	struct signalfd_siginfo info;
	if (read(signals->fd, &info, sizeof(info)) != sizeof(info))
		return;
	if (info.ssi_signo == SIGUSR1) {
		crowd_next_phase(signals->crowd);
		return;
	}
	crowd_interrupt(signals->crowd);
	sigprocmask(SIG_UNBLOCK, &signals->set, NULL);
}

static void signals_block(struct signals *signals)
{
	sigemptyset(&signals->set);
	sigaddset(&signals->set, SIGINT);
	sigaddset(&signals->set, SIGTERM);
	sigaddset(&signals->set, SIGUSR1);
	sigprocmask(SIG_BLOCK, &signals->set, NULL);
	signals->fd = signalfd(-1, &signals->set, SFD_NONBLOCK | SFD_CLOEXEC);
	if (signals->fd < 0)
		abort();
}

static void raise_descriptor_limit(void)
{
	struct rlimit limit;
	if (getrlimit(RLIMIT_NOFILE, &limit))
		return;
	limit.rlim_cur = limit.rlim_max;
	setrlimit(RLIMIT_NOFILE, &limit); /* refused: fewer connections, and they say so */
}

/* NULL: 'path' cannot be written, and that has been said. */
static FILE *open_output(const char *path)
{
	FILE *file = fopen(path, "we");
	if (!file)
		fprintf(stderr, "wrload: %s: %s\n", path, strerror(errno));
	return file;
}

static enum exit_status finish(const struct crowd *crowd, FILE *report)
{
	if (!crowd->options->quiet)
		fputc('\n', stderr);
	report_write(crowd, report);
	if (!crowd->tally.joined) {
		fputs("wrload: nobody could join\n", stderr);
		return NOBODY_JOINED;
	}
	return checker_violations(crowd->checker)->count ? VIOLATED : ALL_WELL;
}

static enum exit_status run(const struct options *options, FILE *history, FILE *report)
{
	struct signals signals;
	signals_block(&signals);
	struct loop *loop = loop_new();
	struct err_detail detail;
	enum exit_status status = WRONG_USE;
	if (crowd_new(loop, options, history, &signals.crowd, &detail)) {
		fprintf(stderr, "wrload: %s\n", detail.text);
	} else {
		struct loop_watch *watch = loop_watch(loop, signals.fd, LOOP_READ, on_signal, &signals);
		crowd_run(signals.crowd);
		status = finish(signals.crowd, report);
		loop_unwatch(watch);
		crowd_free(signals.crowd);
	}
	loop_free(loop);
	close(signals.fd);
	return status;
}

int main(int argc, char **argv)
{
	struct options options;
	struct err_detail detail;
	if (options_parse(argc, argv, &options, &detail)) {
		fprintf(stderr, "wrload: %s\nTry wrload --help.\n", detail.text);
		return WRONG_USE;
	}
	if (options.wants_help) {
		options_print_help(stdout);
		return ALL_WELL;
	}
	if (options.wants_man) {
		options_print_man(stdout);
		return ALL_WELL;
	}
	raise_descriptor_limit();
	FILE *history = options.history ? open_output(options.history) : NULL;
	FILE *report = options.report ? open_output(options.report) : stdout;
	if (!report || (options.history && !history))
		return WRONG_USE;
	enum exit_status status = run(&options, history, report);
	if (history && fclose(history)) {
		fprintf(stderr, "wrload: %s: %s\n", options.history, strerror(errno));
		return WRONG_USE;
	}
	if (fclose(report)) {
		fprintf(stderr, "wrload: the report could not be written: %s\n", strerror(errno));
		return WRONG_USE;
	}
	return status;
}
