/* Manual page: mdoc(7) made from the table of commands; deploy/man/wrctl.1 is what it prints. */
#include <stdio.h>
#include <string.h>

#include "commands.h"
#include "help.h"
#include "waitingroom/mdoc.h"
#include "wrctl.h"

static void put_options(FILE *file, const struct option_row *rows)
{
	if (rows == NULL || rows->name == NULL)
		return;
	mdoc_list(file);
	for (; rows->name != NULL; rows++)
		mdoc_option(file, rows->letter, rows->name, rows->word, rows->sentence);
	mdoc_list_end(file);
}

/* Words are commands, capitals are arguments, brackets are optional. */
static void put_arguments(FILE *file, const char *arguments)
{
	while (*arguments != '\0') {
		size_t len = strcspn(arguments, " ");
		bool optional = arguments[0] == '[';
		char word[64];
		snprintf(word, sizeof(word), "%.*s", (int)(len - (optional ? 2 : 0)),
				 arguments + (optional ? 1 : 0));
		char *dots = strstr(word, "…");
		if (dots != NULL)
			*dots = '\0';
		fprintf(file, " %sAr %s%s", optional ? "Op " : "", word, dots ? " ..." : "");
		arguments += len + strspn(arguments + len, " ");
	}
}

static void put_command(FILE *file, const struct command *command)
{
	fprintf(file, ".It Cm %s", command->words);
	put_arguments(file, command->arguments);
	fputc('\n', file);
	mdoc_text(file, command->sentence, false);
	if (command->role != NULL)
		fprintf(file, "Role: %s.\n", command->role);
	if (command->more != NULL) {
		fputs(".Bd -literal -compact\n", file);
		mdoc_text(file, command->more, true);
		fputs(".Ed\n", file);
	}
	put_options(file, command->options);
}

static const char head[] =
	".Sh SYNOPSIS\n"
	".Nm\n"
	".Ar command\n"
	".Op Ar option ...\n"
	".Op Ar argument ...\n"
	".Sh DESCRIPTION\n"
	".Nm\n"
	"asks the admin API of a waiting room,\n"
	"which listens on the internal port of its pods.\n"
	"A queue is named\n"
	".Ar tenant Ns / Ns Ar queue ,\n"
	"or\n"
	".Ar queue\n"
	"for one of the tenant\n"
	".Dq default .\n"
	"What cannot be undone asks for the name of the queue on a terminal, and needs\n"
	".Fl \\-yes\n"
	"without one.\n"
	".Pp\n"
	"These options are common to all commands:\n";

static const char contexts_text[] =
	".Sh CLUSTERS\n"
	"A context is a cluster: its urls, of which the first that answers is asked,\n"
	"and the file with the key.\n"
	"The file of contexts is JSON:\n"
	".Bd -literal -offset indent\n"
	"{\n"
	"  \"current\": \"prod\",\n"
	"  \"contexts\": [\n"
	"    { \"name\": \"prod\",\n"
	"      \"urls\": [\"https://10.0.0.1:9090\", \"https://10.0.0.2:9090\"],\n"
	"      \"key_file\": \"prod.key\", \"ca_file\": \"ca.pem\",\n"
	"      \"nats_url\": \"nats://10.0.0.3:4222\", \"output\": \"table\" }\n"
	"  ]\n"
	"}\n"
	".Ed\n"
	".Pp\n"
	"File names are relative to that file.\n"
	"A key is never given as an argument.\n"
	"The file that holds it must be readable by its owner only.\n"
	".Sh ENVIRONMENT\n"
	".Bl -tag -width WRCTL_NATS_URL\n"
	".It Ev WRCTL_CONFIG\n"
	"The file of contexts.\n"
	".It Ev WRCTL_CONTEXT\n"
	"The context to work in.\n"
	".It Ev WRCTL_URL\n"
	"Urls instead of those of the context, separated by commas.\n"
	".It Ev WRCTL_KEY\n"
	"The key itself.\n"
	".It Ev WRCTL_KEY_FILE\n"
	"The file with the key.\n"
	".It Ev WRCTL_NATS_URL\n"
	"The broker, for commands that follow events.\n"
	".It Ev NO_COLOR\n"
	"No colours when it is set.\n"
	".El\n"
	".Sh FILES\n"
	".Bl -tag -width Ds\n"
	".It Pa ~/.config/wrctl/contexts.json\n"
	"The contexts.\n"
	".El\n";

static const char tail[] = ".Sh EXAMPLES\n"
						   "See what a new rate would do to the people in line, and then set it:\n"
						   ".Bd -literal -offset indent\n"
						   "wrctl queue set shop/sale rate_per_minute=600 \\-\\-dry-run\n"
						   "wrctl queue set shop/sale rate_per_minute=600\n"
						   ".Ed\n"
						   ".Pp\n"
						   "Keep queues in a file beside the code:\n"
						   ".Bd -literal -offset indent\n"
						   "wrctl queue export > queues.json\n"
						   "wrctl queue apply -f queues.json\n"
						   ".Ed\n";

void help_print_man(FILE *file)
{
	mdoc_head(file, "wrctl", 1, "wrctl help --man from the table of commands",
			  "operate a waiting room");
	fputs(head, file);
	put_options(file, common_options);
	fputs(".Sh COMMANDS\n.Bl -tag -width Ds\n", file);
	for (size_t i = 0; i < command_count; i++)
		put_command(file, &commands[i]);
	fputs(".El\n", file);
	fputs(contexts_text, file);
	fputs(".Sh EXIT STATUS\n.Bl -tag -width Ds -compact\n", file);
#define EXIT_ITEM(name, number, text) fprintf(file, ".It %d\n%s\n", number, text);
	WRCTL_EXIT_TABLE(EXIT_ITEM)
#undef EXIT_ITEM
	fputs(".El\n", file);
	fputs(tail, file);
}
