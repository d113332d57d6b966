/* Process: what every program of ours does around its work: signals, limits, the ready file.
 *
 * What     Signals are blocked in all threads and taken one by one by the main thread.
 * Used by  cmd/api, cmd/admitter.
 * Threads  main thread.
 */
#ifndef WAITINGROOM_PROCESS_H
#define WAITINGROOM_PROCESS_H

#include <stdbool.h>
#include <stdint.h>

#include "waitingroom/config.h"
#include "waitingroom/err.h"

/* Before any thread: blocks SIGTERM, SIGINT, SIGHUP, SIGUSR1, SIGUSR2; ignores SIGPIPE; no core
 * dumps (keys are in memory); raises the limit of descriptors to what is allowed. */
void process_prepare(void);

enum process_signal { PROCESS_NOTHING, PROCESS_STOP, PROCESS_RELOAD };
/* Waits at most max_ms (-1: for ever). SIGUSR1 makes the log say more, SIGUSR2 less, on the way. */
enum process_signal process_wait_signal(int64_t max_ms);

struct process_option {					/* what a program takes besides the common arguments */
	const char *name, *word, *sentence; /* name without hyphens; word NULL: takes no value */
};
struct process_about {
	const char *program; /* "waitingroom-api" */
	const char *summary; /* what it is, without a full stop */
	const char *text;	 /* the manual's description, paragraphs parted by "\n.Pp\n" */
	const struct process_option
		*options; /* served by the program; ends with a row without a name */
};
/* Common arguments: --help, --version, --print-config, --print-man and others that print what the
 * tables say. Returns true when one of them was served (the program ends, with *ret_status); an
 * argument that is not known is one, too. */
bool process_arguments(int argc, char **argv, const struct process_about *about, int *ret_status);

/* Writes {"listen":…,"internal":…} to 'path' whole or not at all; "" does nothing. */
WR_MUST_USE enum wr_err process_write_ready(const char *path, const char *listen,
											const char *internal, struct err_detail *ret_detail);

#endif
