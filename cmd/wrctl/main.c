/* wrctl: operates a waiting room from a terminal or a script.
 *
 *     arguments ─► command ─► context ─► key ─► client ─► the command's function ─► exit code
 *
 * Commands that ask no server (help, completion, context) need no context and no key.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "arguments.h"
#include "client.h"
#include "commands.h"
#include "help.h"
#include "waitingroom/version.h"
#include "wrctl.h"

static int choose_output(struct wrctl *w)
{
	const char *output = wrctl_option(w, "output");
	if (output == NULL)
		return WRCTL_DONE;
	if (strcmp(output, "json") != 0 && strcmp(output, "table") != 0)
		return wrctl_misuse(w, "--output: must be table or json");
	w->json = strcmp(output, "json") == 0;
	return WRCTL_DONE;
}

static int choose_context(struct wrctl *w)
{
	struct contexts contexts = {0};
	struct err_detail detail = {""};
	enum wr_err err = contexts_load(&contexts, &detail);
	if (err == WR_OK)
		err = context_choose(&contexts, wrctl_option(w, "context"), &w->context, &detail);
	contexts_clear(&contexts);
	w->json = w->context.json;
	if (err != WR_OK)
		wrctl_say("%s", detail.text);
	return err == WR_OK ? WRCTL_DONE : WRCTL_USAGE;
}

/* Context, key and client of a command that asks a server. */
static int connect_client(struct wrctl *w)
{
	char key[CONTEXT_KEY_BYTES];
	struct err_detail detail = {""};
	int64_t timeout_s = 30;
	int code = choose_context(w);
	if (code != WRCTL_DONE)
		return code;
	if (!wrctl_number(w, "timeout", 1, 86400, &timeout_s))
		return WRCTL_USAGE;
	if (context_key(&w->context, wrctl_flag(w, "key-stdin"), key, &detail) != WR_OK) {
		wrctl_say("%s", detail.text);
		return WRCTL_NOT_ALLOWED;
	}
	w->client = client_new(&w->context, key);
	client_set_deadline(w->client, timeout_s * 1000);
	explicit_bzero(key, sizeof(key));
	return WRCTL_DONE;
}

static int run(struct wrctl *w, struct arguments *arguments)
{
	int code = WRCTL_DONE;
	if (w->command->role != NULL)
		code = connect_client(w);
	if (code == WRCTL_DONE)
		code = choose_output(w);
	if (code == WRCTL_DONE)
		code = w->command->run(w, arguments->count, arguments->list);
	client_free(w->client);
	context_clear(&w->context);
	return code;
}

/* What was printed must have arrived: a full disk is no success. */
static int finish(int code)
{
	if (fflush(stdout) != 0 || ferror(stdout)) {
		wrctl_say("the output could not be written");
		return code == WRCTL_DONE ? WRCTL_REFUSED : code;
	}
	return code;
}

int main(int argc, char **argv)
{
	struct wrctl w = {0};
	struct arguments arguments;
	struct err_detail detail = {""};
	enum wr_err err = arguments_read(&w, argc, argv, &arguments, &detail);
	w.terminal = terminal_look(wrctl_flag(&w, "no-color"));
	if (err != WR_OK)
		return wrctl_misuse(&w, "%s", detail.text);
	if (arguments.wants_help || (w.command == NULL && !arguments.wants_version)) {
		bool asked = arguments.wants_help;
		help_print(asked ? stdout : stderr, w.command, arguments.group);
		return finish(asked ? WRCTL_DONE : WRCTL_USAGE);
	}
	if (w.command == NULL) {
		puts("wrctl " WR_VERSION);
		return finish(WRCTL_DONE);
	}
	return finish(run(&w, &arguments));
}
