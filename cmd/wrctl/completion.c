/* wrctl completion bash|zsh|fish: scripts made from the table of commands.
 *
 * bash and zsh get the table as the cases of one function (completion_bash.c); zsh runs bash's
 * script by its own bashcompinit. Names of queues, contexts, tenants and keys are asked of wrctl
 * itself when they are needed; a cluster that does not answer within two seconds offers none.
 */
#include "completion.h"

#include <stdio.h>
#include <string.h>

#include "actions.h"
#include "commands.h"
#include "waitingroom/settings.h"

#define QUICKLY " --names --timeout 2"

const char *completion_asks(const char *complete)
{
	static const struct {
		const char *complete, *command;
	} rows[] = {{COMPLETE_QUEUES, "queue list" QUICKLY},
				{COMPLETE_TENANTS, "tenant list" QUICKLY},
				{COMPLETE_KEYS, "key list" QUICKLY},
				{COMPLETE_CONTEXTS, "context list --names"}};
	for (size_t i = 0; complete != NULL && i < sizeof(rows) / sizeof(rows[0]); i++)
		if (strcmp(rows[i].complete, complete) == 0)
			return rows[i].command;
	return NULL;
}

#define PLAIN(name, ...) #name " "
#define PLAIN_CHOICE(type, name, ...) #name " "
#define ASSIGNED(name, ...) #name "= "
#define ASSIGNED_CHOICE(type, name, ...) #name "= "
#define NAMES(row, choice)                                                                         \
	QUEUE_NUMBER_TABLE(row)                                                                        \
	QUEUE_CHOICE_TABLE(choice) QUEUE_TEXT_TABLE(row) QUEUE_SHAPE_TABLE(row)

const char *completion_words(const char *complete)
{
	if (complete != NULL && strcmp(complete, COMPLETE_SETTINGS) == 0)
		return NAMES(PLAIN, PLAIN_CHOICE);
	if (complete != NULL && strcmp(complete, COMPLETE_ASSIGNMENTS) == 0)
		return NAMES(ASSIGNED, ASSIGNED_CHOICE);
	return NULL;
}

#define WORD(value, word, text) word " "
#define CHOICE(type, name, def, table, text) {#name, table(WORD)},
const struct completion_choice completion_choices[] = {
	QUEUE_CHOICE_TABLE(CHOICE){"session_renewal", "true false"}, {NULL, NULL}};

void completion_print_words(const char *group)
{
	size_t len = group ? strlen(group) : 0;
	const char *last = "";
	for (size_t i = 0; i < command_count; i++) {
		const char *words = commands[i].words;
		if (group != NULL) {
			if (strncmp(words, group, len) == 0 && words[len] == ' ')
				printf("%s ", words + len + 1);
			continue;
		}
		size_t first = strcspn(words, " ");
		if (strncmp(last, words, first) == 0 && last[first] == words[first])
			continue; /* rows of a group stand together */
		printf("%.*s ", (int)first, words);
		last = words;
	}
}

bool completion_begins_group(size_t i)
{
	size_t first = strcspn(commands[i].words, " ");
	return commands[i].words[first] == ' ' &&
		   (i == 0 || strncmp(commands[i - 1].words, commands[i].words, first + 1) != 0);
}

int wrctl_completion(struct wrctl *w, int argc, char **argv)
{
	(void)argc;
	if (strcmp(argv[0], "bash") == 0) {
		completion_print_bash();
		puts("complete -o nosort -F _wrctl wrctl");
	} else if (strcmp(argv[0], "zsh") == 0) {
		puts("#compdef wrctl\nautoload -U +X bashcompinit && bashcompinit");
		completion_print_bash();
		puts("complete -F _wrctl wrctl");
	} else if (strcmp(argv[0], "fish") == 0) {
		completion_print_fish();
	} else {
		return wrctl_misuse(
			w, "there is no completion for \"%.40s\"; for bash, zsh and fish there is", argv[0]);
	}
	return WRCTL_DONE;
}
