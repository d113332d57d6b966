/* Child processes of a test: real programs that can be killed, paused and waited for.
 *
 * A child dies with the test (PR_SET_PDEATHSIG). What it prints goes to a file in the test's
 * directory and is shown only when something fails. A child that ends unasked, by a signal that
 * the test did not send, or with a sanitizer's report, fails the test.
 *
 * Functions fail the running test (cmocka) instead of returning errors. One thread only.
 */
#ifndef SUPPORT_PROCESS_H
#define SUPPORT_PROCESS_H

#include <stdbool.h>
#include <sys/types.h>

#define PROCESS_SANITIZER_EXIT 99 /* tests/run sets it in the sanitizers' options */

struct process;

/* name  for the log file and messages
 * argv  borrows; ends in NULL; argv[0] is looked up in PATH
 * env   borrows; "NAME=value" entries added to ours, ends in NULL; may be NULL itself
 * gives; process_free() */
struct process *process_start(const char *name, const char *const argv[], const char *const env[]);

/* Path of one of our programs, in WR_TEST_BIN_DIR or build/bin; gives. */
char *process_binary(const char *program);

pid_t process_pid(const struct process *process);
bool process_is_running(struct process *process);

/* Sends any signal; from now on the process may end. */
void process_signal(struct process *process, int signal);
/* SIGKILL, and waits for the end. Does nothing when it has ended. */
void process_kill(struct process *process);
/* Waits for the end; gives back the exit code, or 128 + signal when it was asked to end by one. */
int process_wait(struct process *process, int deadline_ms);
/* SIGTERM, and the exit code must be 0 within the deadline. */
void process_stop(struct process *process, int deadline_ms);
void process_pause(struct process *process); /* SIGSTOP, and waits until it has stopped */
void process_continue(struct process *process);

/* What it has printed so far; gives. */
char *process_log(const struct process *process);
bool process_log_has(const struct process *process, const char *text);

/* Kills it when it still runs. NULL is fine. */
void process_free(struct process *process);

/* Fails the test when a child has ended unasked. WAIT_UNTIL calls it. */
void process_check_all(void);
/* Prints the last lines of every child's log, for a failing test. */
void process_show_logs(void);

#endif
