/* wrctl as a process: a shell puts its outputs into files; script(1) gives it a terminal. */
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

/* $1 output, $2 error, $3 input, the rest is the command */
#define PLAIN "out=$1 err=$2 in=$3; shift 3; exec \"$@\" >\"$out\" 2>\"$err\" <\"$in\""
/* ${*@Q} is bash's: script(1) takes one text for a shell. The first line of a typescript that -q
 * leaves out is not written with -O either. */
#define TERMINAL                                                                                   \
	"out=$1 in=$3; shift 3; : >\"$2\"; exec script -qefc \"stty cols 100; exec ${*@Q}\" "          \
	"/dev/null <\"$in\" >\"$out\""

static char *text_or_null(const char *name, const char *value)
{
	char *text;
	if (asprintf(&text, "%s=%s", name, value ? value : "") < 0)
		abort();
	return text;
}

static char *key_file(const struct ctl *ctl)
{
	const char *key = ctl->key ? ctl->key : API_ADMIN_KEY;
	return key[0] != '\0' ? temp_file("ctl.key", key) : NULL;
}

static void read_outputs(struct ctl_run *run, const char *out, const char *err)
{
	struct err_detail detail;
	run->out = temp_read(out, NULL);
	run->err = temp_read(err, NULL);
	if (run->out == NULL || run->err == NULL)
		fail_msg("wrctl left no output");
	if (json_parse(run->out, strlen(run->out), &run->json, &detail) != WR_OK)
		run->json = NULL;
}

/* first  what stands before the program's arguments, ends in NULL; 'arguments' ends in NULL, too */
static struct process *start(const struct ctl *ctl, const char *const first[], va_list arguments)
{
	WR_AUTO(mem_free_at) char *key = key_file(ctl), *nowhere = temp_path("no-contexts.json");
	WR_AUTO(mem_free_at) char *url = text_or_null("WRCTL_URL", ctl->url);
	WR_AUTO(mem_free_at) char *file = text_or_null("WRCTL_KEY_FILE", key);
	WR_AUTO(mem_free_at) char *config = text_or_null("WRCTL_CONFIG", nowhere);
	const char *argv[ARGUMENTS_MAX + 10];
	const char *env[16] = {url, file, config, "TZ=UTC", "LC_ALL=C.UTF-8", "TERM=xterm"};
	size_t argc = 0, count = 6;
	for (; *first != NULL; first++)
		argv[argc++] = *first;
	do
		argv[argc] = va_arg(arguments, const char *);
	while (argv[argc++] != NULL);
	for (const char *const *more = ctl->variables; more != NULL && *more != NULL; more++)
		env[count++] = *more;
	env[count] = NULL;
	return process_start("wrctl", argv, env);
}

struct process *ctl_start(const struct ctl *ctl, ...)
{
	WR_AUTO(mem_free_at) char *program = process_binary("wrctl");
	va_list arguments;
	va_start(arguments, ctl);
	struct process *process = start(ctl, (const char *const[]){program, NULL}, arguments);
	va_end(arguments);
	return process;
}

struct ctl_run ctl_run(const struct ctl *ctl, ...)
{
	WR_AUTO(mem_free_at) char *program = process_binary("wrctl");
	WR_AUTO(mem_free_at) char *out = temp_path("ctl.out"), *err = temp_path("ctl.err");
	WR_AUTO(mem_free_at) char *in = temp_file("ctl.in", ctl->input ? ctl->input : "");
	const char *const first[] = {
		"bash", "-c", ctl->terminal ? TERMINAL : PLAIN, "ctl", out, err, in, program, NULL};
	va_list arguments;
	va_start(arguments, ctl);
	struct process *process = start(ctl, first, arguments);
	va_end(arguments);
	struct ctl_run run = {.code = process_wait(process, DEADLINE_MS)};
	process_free(process);
	read_outputs(&run, out, err);
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
