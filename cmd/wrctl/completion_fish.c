/* Completion for fish: a line of "complete" for each word, option and argument of the table of
 * commands. */
#include <stdio.h>
#include <string.h>

#include "commands.h"
#include "completion.h"

/* A text in single quotes. */
static void fish_quoted(const char *text)
{
	putchar('\'');
	for (; *text != '\0'; text++) {
		if (*text == '\'' || *text == '\\')
			putchar('\\');
		putchar(*text);
	}
	putchar('\'');
}

/* Settings whose values are words come with them. */
static void fish_assignments(void)
{
	printf(" -x -a '%s", completion_words(COMPLETE_ASSIGNMENTS));
	for (const struct completion_choice *row = completion_choices; row->name != NULL; row++)
		for (const char *word = row->words; *word != '\0'; word += strspn(word, " ")) {
			size_t len = strcspn(word, " ");
			printf(" %s=%.*s", row->name, (int)len, word);
			word += len;
		}
	putchar('\'');
}

/* All words of all commands: help takes one or two. */
static void fish_commands(void)
{
	printf(" -x -a '");
	completion_print_words(NULL);
	for (size_t i = 0; i < command_count; i++)
		if (strchr(commands[i].words, ' ') != NULL)
			printf("%s ", strchr(commands[i].words, ' ') + 1);
	putchar('\'');
}

static void fish_offer(const char *complete)
{
	const char *asks = completion_asks(complete);
	if (complete == NULL)
		printf(" -x");
	else if (strcmp(complete, COMPLETE_FILES) == 0)
		printf(" -r -F");
	else if (asks != NULL)
		printf(" -x -a '(wrctl %s 2>/dev/null)'", asks);
	else if (strcmp(complete, COMPLETE_ASSIGNMENTS) == 0)
		fish_assignments();
	else if (strcmp(complete, COMPLETE_COMMANDS) == 0)
		fish_commands();
	else
		printf(" -x -a '%s'", completion_words(complete) ? completion_words(complete) : complete);
}

static void fish_options(const char *condition, const struct option_row *rows)
{
	for (; rows != NULL && rows->name != NULL; rows++) {
		printf("complete -c wrctl%s -l %s", condition, rows->name);
		if (rows->letter != 0)
			printf(" -s %c", rows->letter);
		if (rows->word != NULL)
			fish_offer(rows->complete);
		printf(" -d ");
		fish_quoted(rows->sentence);
		putchar('\n');
	}
}

/* The first argument, and those behind it: told apart by how many words there are already. */
static void fish_arguments(const struct command *command, int first)
{
	const char *space = strchr(command->words, ' ');
	for (int i = 0; i < 2; i++) {
		if (command->complete[i] == NULL)
			continue;
		printf("complete -c wrctl -n '__fish_seen_subcommand_from %.*s%s%s; and test (count "
			   "(commandline -opc)) %s %d'",
			   first, command->words, space ? "; and __fish_seen_subcommand_from " : "",
			   space ? space + 1 : "", i == 0 ? "-eq" : "-gt", space ? 3 : 2);
		fish_offer(command->complete[i]);
		putchar('\n');
	}
}

static void fish_command(const struct command *command)
{
	char condition[160];
	const char *space = strchr(command->words, ' ');
	int first = (int)strcspn(command->words, " ");
	if (space == NULL) {
		printf("complete -c wrctl -n __fish_use_subcommand -a %s -d ", command->words);
	} else {
		printf("complete -c wrctl -n __fish_use_subcommand -a %.*s\n", first, command->words);
		printf("complete -c wrctl -n '__fish_seen_subcommand_from %.*s; and test (count "
			   "(commandline -opc)) -eq 2' -a %s -d ",
			   first, command->words, space + 1);
	}
	fish_quoted(command->sentence);
	putchar('\n');
	snprintf(condition, sizeof(condition), " -n '__fish_seen_subcommand_from %.*s%s%s'", first,
			 command->words, space ? "; and __fish_seen_subcommand_from " : "",
			 space ? space + 1 : "");
	fish_arguments(command, first);
	fish_options(condition, command->options);
}

void completion_print_fish(void)
{
	puts("# fish completion of wrctl, made by: wrctl completion fish\ncomplete -c wrctl -f");
	fish_options("", common_options);
	for (size_t i = 0; i < command_count; i++)
		fish_command(&commands[i]);
}
