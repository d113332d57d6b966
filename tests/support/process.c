/* Child processes: fork, exec, a log file each, and a list so that unasked deaths are noticed.
 *
 * States of a child: running (stopped by SIGSTOP or not) → ended, reaped, 'status' is final.
 * 'may_end' says that the test asked for the end; without it any end is a failure.
 */
#include "support/process.h"

#include "support/cmocka.h"
#include "support/temp.h"
#include "support/wait.h"
#include "waitingroom/memory.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#define TAIL_BYTES 4000

struct process {
	struct process *next;
	char *name, *log_path;
	pid_t pid;
	bool ended, may_end, checked, paused;
	int status; /* of waitpid, once ended */
};

static struct process *all;

/* ---- starting ---- */

static bool is_set_in(const char *variable, const char *const env[])
{
	size_t name_len = strcspn(variable, "=") + 1;
	for (; env && *env; env++)
		if (strncmp(*env, variable, name_len) == 0)
			return true;
	return false;
}

/* Ours, and those of 'env', of which the last of a name counts. gives; the texts are borrowed.
 * Made before the fork: a test may have threads, and a child of such must not allocate. */
static const char **environment_with(const char *const env[])
{
	size_t count = 1, n = 0;
	for (char **one = environ; *one; one++)
		count++;
	for (const char *const *one = env; one && *one; one++)
		count++;
	const char **all_of_them = mem_alloc_zero(count, sizeof(*all_of_them));
	for (char **one = environ; *one; one++)
		if (!is_set_in(*one, env))
			all_of_them[n++] = *one;
	for (; env && *env; env++)
		if (!is_set_in(*env, env + 1))
			all_of_them[n++] = *env;
	return all_of_them;
}

/* started  written to when exec fails; closed by it otherwise */
static void exec_child(const struct process *process, pid_t parent, int started,
					   const char *const argv[], const char *const environment[])
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent) /* it died before the line above */
		_exit(126);
	int log = open(process->log_path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	int null = open("/dev/null", O_RDONLY | O_CLOEXEC);
	dup2(null, STDIN_FILENO);
	dup2(log, STDOUT_FILENO);
	dup2(log, STDERR_FILENO);
	execvpe(argv[0], (char *const *)argv, (char *const *)environment);
	dprintf(started, "%s: %s", argv[0], strerror(errno));
	_exit(127);
}

struct process *process_start(const char *name, const char *const argv[], const char *const env[])
{
	struct process *process = mem_alloc_zero(1, sizeof(*process));
	process->name = mem_copy_string(name);
	process->log_path = temp_path("%s.log", name);
	process->next = all;
	all = process;
	fflush(NULL);
	const char **environment = environment_with(env);
	pid_t parent = getpid();
	int started[2];
	if (pipe2(started, O_CLOEXEC) || (process->pid = fork()) < 0)
		fail_msg("no process for %s: %s", name, strerror(errno));
	if (process->pid == 0)
		exec_child(process, parent, started[1], argv, environment);
	/* Until exec it is a copy of us, with cmocka's signal handlers: nobody may signal it yet. */
	free(environment);
	close(started[1]);
	char trouble[256] = {0};
	ssize_t len = read(started[0], trouble, sizeof(trouble) - 1);
	close(started[0]);
	process->checked = len > 0; /* its end is said here */
	if (len > 0)
		fail_msg("cannot run %s", trouble);
	return process;
}

char *process_binary(const char *program)
{
	const char *directory = getenv("WR_TEST_BIN_DIR");
	char *path;
	if (asprintf(&path, "%s/%s", directory ? directory : "build/bin", program) < 0)
		abort();
	return path;
}

pid_t process_pid(const struct process *process)
{
	return process->pid;
}

/* ---- logs ---- */

char *process_log(const struct process *process)
{
	char *text = temp_read(process->log_path, NULL);
	return text ? text : mem_copy_string("");
}

bool process_log_has(const struct process *process, const char *text)
{
	WR_AUTO(mem_free_at) char *log = process_log(process);
	return strstr(log, text);
}

static void show_log(const struct process *process)
{
	WR_AUTO(mem_free_at) char *log = process_log(process);
	size_t len = strlen(log);
	char *tail = len > TAIL_BYTES ? log + len - TAIL_BYTES : log;
	fprintf(stderr, "# ---- last lines of %s (pid %d) ----\n", process->name, (int)process->pid);
	/* every line is a TAP comment: what a child prints must not look like a result of ours */
	for (char *line; (line = strsep(&tail, "\n"));)
		fprintf(stderr, "# %s\n", line);
}

void process_show_logs(void)
{
	for (struct process *process = all; process; process = process->next)
		show_log(process);
}

/* ---- ends ---- */

/* Looks whether it has ended; does not wait. */
static bool reap(struct process *process)
{
	if (process->ended)
		return true;
	int status;
	if (waitpid(process->pid, &status, WNOHANG) != process->pid)
		return false;
	process->ended = true;
	process->status = status;
	return true;
}

static void check_end(struct process *process)
{
	int status = process->status;
	bool sanitizer = WIFEXITED(status) && WEXITSTATUS(status) == PROCESS_SANITIZER_EXIT;
	if (process->checked || (process->may_end && !sanitizer))
		return;
	process->checked = true; /* said once */
	process_show_logs();
	if (WIFSIGNALED(status))
		fail_msg("%s died of signal %d (%s)", process->name, WTERMSIG(status),
				 strsignal(WTERMSIG(status)));
	else
		fail_msg("%s ended with exit code %d", process->name, WEXITSTATUS(status));
}

bool process_is_running(struct process *process)
{
	return !reap(process);
}

void process_check_all(void)
{
	for (struct process *process = all; process; process = process->next) {
		if (reap(process))
			check_end(process);
	}
}

void process_signal(struct process *process, int signal)
{
	if (reap(process))
		check_end(process);
	if (signal != SIGHUP && signal != SIGUSR1 && signal != SIGUSR2)
		process->may_end = true;
	if (!process->ended)
		kill(process->pid, signal);
}

void process_kill(struct process *process)
{
	if (reap(process)) {
		check_end(process);
		return;
	}
	process->may_end = true;
	kill(process->pid, SIGKILL);
	while (waitpid(process->pid, &process->status, 0) < 0 && errno == EINTR)
		;
	process->ended = true;
}

int process_wait(struct process *process, int deadline_ms)
{
	process->may_end = true;
	WAIT_UNTIL(deadline_ms, reap(process), process->name);
	check_end(process);
	if (WIFEXITED(process->status))
		return WEXITSTATUS(process->status);
	return 128 + WTERMSIG(process->status);
}

void process_stop(struct process *process, int deadline_ms)
{
	process_continue(process);
	process_signal(process, SIGTERM);
	int code = process_wait(process, deadline_ms);
	if (code == 0)
		return;
	show_log(process);
	fail_msg("%s ended with %d after SIGTERM", process->name, code);
}

void process_pause(struct process *process)
{
	kill(process->pid, SIGSTOP);
	process->paused = true;
	int status;
	while (waitpid(process->pid, &status, WUNTRACED) < 0 && errno == EINTR)
		;
	if (WIFSTOPPED(status))
		return;
	process->ended = true;
	process->status = status;
	check_end(process);
}

void process_continue(struct process *process)
{
	if (!process->paused)
		return;
	process->paused = false;
	kill(process->pid, SIGCONT);
}

void process_free(struct process *process)
{
	if (!process)
		return;
	process_kill(process);
	struct process **link = &all;
	while (*link != process)
		link = &(*link)->next;
	*link = process->next;
	free(process->name);
	free(process->log_path);
	free(process);
}
