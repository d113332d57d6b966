/* Help: made from the table of commands. The man page: manpage.c. */
#include "help.h"

#include <string.h>

#include "commands.h"
#include "terminal.h"
#include "wrctl.h"

#define LEFT 34

/* 'left', and room behind it up to 'width' columns; it has an ellipsis, of one column and three
 * bytes. */
static void print_left(FILE *file, int width, const char *left)
{
	fprintf(file, "  %-*s", width + (int)(strlen(left) - text_columns(left)), left);
}

static void print_option(FILE *file, const struct option_row *row)
{
	char left[80];
	char letter[] = {'-', row->letter, ',', ' ', '\0'};
	snprintf(left, sizeof(left), "%s--%s%s%s", row->letter ? letter : "    ", row->name,
			 row->word ? " " : "", row->word ? row->word : "");
	print_left(file, LEFT - 2, left);
	fprintf(file, "%s\n", row->sentence);
}

static void print_options(FILE *file, const char *title, const struct option_row *rows)
{
	if (rows == NULL || rows->name == NULL)
		return;
	fprintf(file, "\n%s\n", title);
	for (; rows->name != NULL; rows++)
		print_option(file, rows);
}

static void print_command(FILE *file, const struct command *command)
{
	bool has_options = command->options != NULL && command->options->name != NULL;
	fprintf(file, "Usage: wrctl %s%s%s%s\n%s\n", command->words, has_options ? " [OPTION…]" : "",
			command->arguments[0] != '\0' ? " " : "", command->arguments, command->sentence);
	if (command->more != NULL)
		fprintf(file, "\n%s\n", command->more);
	print_options(file, "Options:", command->options);
	print_options(file, "Common options:", common_options);
	if (command->role != NULL)
		fprintf(file, "\nThe key needs the role %s.\n", command->role);
}

static void print_row(FILE *file, const struct command *command)
{
	char left[80];
	snprintf(left, sizeof(left), "%s%s%s", command->words, command->arguments[0] != '\0' ? " " : "",
			 command->arguments);
	print_left(file, LEFT, left);
	/* Long ones push their sentence to a line of its own. */
	if (text_columns(left) > LEFT - 2)
		fprintf(file, "\n  %*s", LEFT, "");
	fprintf(file, "%s\n", command->sentence);
}

static void print_list(FILE *file, const char *group)
{
	size_t len = group ? strlen(group) : 0;
	for (size_t i = 0; i < command_count; i++)
		if (group == NULL ||
			(strncmp(commands[i].words, group, len) == 0 && commands[i].words[len] == ' '))
			print_row(file, &commands[i]);
}

void help_print(FILE *file, const struct command *command, const char *group)
{
	if (command != NULL) {
		print_command(file, command);
		return;
	}
	fprintf(file, "Usage: wrctl %s [ARGUMENT…] [OPTION…]\n", group ? group : "COMMAND");
	if (group == NULL)
		fputs("Operates a waiting room: queues, places, keys, tenants, pods.\n", file);
	fputs("\nCommands:\n", file);
	print_list(file, group);
	print_options(file, "Common options:", common_options);
	if (group != NULL)
		return;
	fputs("\nExit status:\n", file);
#define EXIT_LINE(name, number, text) fprintf(file, "  %d  %s\n", number, text);
	WRCTL_EXIT_TABLE(EXIT_LINE)
#undef EXIT_LINE
	fputs("\nwrctl COMMAND --help says more about one; man wrctl about contexts and keys.\n", file);
}
