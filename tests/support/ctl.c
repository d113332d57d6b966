/* wrctl as a process: a shell keeps its two outputs apart; script(1) gives it a terminal. */
#include "support/ctl.h"

#include "support/api.h"
#include "support/cmocka.h"
#include "support/process.h"
#include "support/temp.h"
#include "waitingroom/memory.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ARGUMENTS_MAX 40
#define DEADLINE_MS 20000

/* $1 output, $2 input, the rest is the command. The error stays in the process' log, which is shown
 * when it fails: with the report of a sanitizer nobody gets to look at the run. */
#define PLAIN "out=$1 in=$2; shift 2; exec \"$@\" >\"$out\" <\"$in\""
/* ${*@Q} is bash's: script(1) takes one text for a shell. The first line of a typescript that -q
 * leaves out is not written with -O either. */
#define TERMINAL                                                                                   \
	"out=$1 in=$2; shift 2; exec script -qefc \"stty cols 100; exec ${*@Q}\" "                     \
	"/dev/null <\"$in\" >\"$out\""

static char *text_or_null(const char *name, const char *value)
{
	char *text;
	if (asprintf(&text, "%s=%s", name, value ? value : "") < 0)
		abort();
	return text;
}

/* What is run, and the texts of which its lists are made. */
struct command {
	char *program, *url, *key_file, *config;
	const char *argv[ARGUMENTS_MAX + 10], *env[16];
};

static char *key_file(const struct ctl *ctl)
{
	const char *key = ctl->key ? ctl->key : API_ADMIN_KEY;
	WR_AUTO(mem_free_at) char *path = key[0] != '\0' ? temp_file("ctl.key", key) : NULL;
	return text_or_null("WRCTL_KEY_FILE", path);
}

/* before  borrows; what stands before the program in the list of arguments, ends in NULL
 * arguments  end in NULL, too */
static void command_init(struct command *command, const struct ctl *ctl, const char *const before[],
						 va_list arguments)
{
	WR_AUTO(mem_free_at) char *nowhere = temp_path("no-contexts.json");
	size_t argc = 0, count = 0;
	command->program = process_binary("wrctl");
	command->url = text_or_null("WRCTL_URL", ctl->url);
	command->key_file = key_file(ctl);
	command->config = text_or_null("WRCTL_CONFIG", nowhere);
	for (; *before != NULL; before++)
		command->argv[argc++] = *before;
	command->argv[argc++] = command->program;
	do
		command->argv[argc] = va_arg(arguments, const char *);
	while (command->argv[argc++] != NULL);
	const char *const env[] = {command->url, command->key_file, command->config,
							   "TZ=UTC",	 "LC_ALL=C.UTF-8",	"TERM=xterm"};
	for (; count < COUNT(env); count++)
		command->env[count] = env[count];
	for (const char *const *more = ctl->variables; more != NULL && *more != NULL; more++)
		command->env[count++] = *more;
	command->env[count] = NULL;
}

static void command_fini(struct command *command)
{
	free(command->program);
	free(command->url);
	free(command->key_file);
	free(command->config);
}

static void read_outputs(struct ctl_run *run, const char *out, const struct process *process)
{
	struct err_detail detail;
	run->out = temp_read(out, NULL);
	run->err = process_log(process);
	if (run->out == NULL)
		fail_msg("wrctl left no output");
	if (json_parse(run->out, strlen(run->out), &run->json, &detail) != WR_OK)
		run->json = NULL;
}

static struct process *start(const struct ctl *ctl, const char *const before[], va_list arguments)
{
	static int number;
	char name[32];
	print_into(name, "wrctl-%d", ++number); /* a log of its own */
	WR_AUTO(command_fini) struct command command;
	command_init(&command, ctl, before, arguments);
	return process_start(name, command.argv, command.env);
}

struct process *ctl_start(const struct ctl *ctl, ...)
{
	va_list arguments;
	va_start(arguments, ctl);
	struct process *process = start(ctl, (const char *const[]){NULL}, arguments);
	va_end(arguments);
	return process;
}

struct pty *ctl_start_on_pty(const struct ctl *ctl, int lines, int columns, ...)
{
	WR_AUTO(command_fini) struct command command;
	va_list arguments;
	va_start(arguments, columns);
	command_init(&command, ctl, (const char *const[]){NULL}, arguments);
	va_end(arguments);
	return pty_start(lines, columns, command.argv, command.env);
}

struct ctl_run ctl_run(const struct ctl *ctl, ...)
{
	WR_AUTO(mem_free_at) char *out = temp_path("ctl.out");
	WR_AUTO(mem_free_at) char *in = temp_file("ctl.in", ctl->input ? ctl->input : "");
	const char *const shell[] = {"bash", "-c", ctl->terminal ? TERMINAL : PLAIN, "ctl", out,
								 in,	 NULL};
	va_list arguments;
	va_start(arguments, ctl);
	struct process *process = start(ctl, shell, arguments);
	va_end(arguments);
	struct ctl_run run = {.code = process_wait(process, DEADLINE_MS)};
	read_outputs(&run, out, process);
	process_free(process);
	return run;
}

void ctl_end(struct ctl_run *run)
{
	free(run->out);
	free(run->err);
	json_free(run->json);
}

void ctl_expect(const struct ctl_run *run, int code, const char *out, const char *err)
{
	if (run->code == code && (out == NULL || strstr(run->out, out) != NULL) &&
		(err == NULL || strstr(run->err, err) != NULL))
		return;
	print_error("exit code %d\n---- output:\n%s---- error:\n%s----\n", run->code, run->out,
				run->err);
	fail_msg("expected exit code %d, output with \"%s\", error with \"%s\"", code, out ? out : "",
			 err ? err : "");
}
