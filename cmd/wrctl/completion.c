/* wrctl completion bash|zsh|fish: scripts made from the table of commands.
 *
 * bash and zsh get the table as the cases of one function; zsh runs bash's script by its own
 * bashcompinit. Names of queues and contexts are asked of wrctl itself when they are needed; a
 * cluster that does not answer within two seconds offers none.
 */
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "actions.h"
#include "commands.h"

#define QUEUES_COMMAND "wrctl queue list --names --timeout 2 2>/dev/null"
#define CONTEXTS_COMMAND "wrctl context list --names 2>/dev/null"

/* ---- bash ---- */

static const char bash_head[] =
	"# bash completion of wrctl, made by: wrctl completion bash\n"
	"_wrctl() {\n"
	"\tlocal cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]}\n"
	"\tlocal command='' first='' words='' arguments=0 offer='' i word\n"
	"\t# COMP_WORDBREAKS parts --output=json into three words\n"
	"\tif [[ $cur == '=' ]]; then cur=''; elif [[ $prev == '=' ]]; then\n"
	"\t\tprev=${COMP_WORDS[COMP_CWORD-2]}\n"
	"\tfi\n"
	"\tfor ((i = 1; i < COMP_CWORD; i++)); do\n"
	"\t\tword=${COMP_WORDS[i]}\n"
	"\t\tcase $word in\n";

static void bash_value_options(const struct option_row *rows)
{
	for (; rows != NULL && rows->name != NULL; rows++) {
		if (rows->word == NULL)
			continue;
		printf("|--%s", rows->name);
		if (rows->letter != 0)
			printf("|-%c", rows->letter);
	}
}

static void bash_offer(const char *complete)
{
	if (complete == NULL)
		printf("return");
	else if (strcmp(complete, COMPLETE_FILES) == 0)
		printf("COMPREPLY=($(compgen -f -- \"$cur\")); return");
	else if (strcmp(complete, COMPLETE_QUEUES) == 0)
		printf("offer=$(" QUEUES_COMMAND ")");
	else if (strcmp(complete, COMPLETE_CONTEXTS) == 0)
		printf("offer=$(" CONTEXTS_COMMAND ")");
	else
		printf("offer='%s'", complete);
}

/* What follows an option: cases of one option each; those of a command come before the common. */
static void bash_option_cases(void)
{
	for (size_t i = 0; i <= command_count; i++) {
		bool common = i == command_count;
		const struct option_row *row = common ? common_options : commands[i].options;
		const char *words = common ? "" : commands[i].words, *any = common ? "*" : "";
		for (; row != NULL && row->name != NULL; row++) {
			if (row->word == NULL)
				continue;
			printf("\t%s\"%s --%s\"", any, words, row->name);
			if (row->letter != 0)
				printf("|%s\"%s -%c\"", any, words, row->letter);
			printf(") ");
			bash_offer(row->complete);
			puts(";;");
		}
	}
}

static void bash_options_of(const struct command *command)
{
	for (const struct option_row *row = command->options; row != NULL && row->name != NULL; row++)
		printf(" --%s", row->name);
	for (const struct option_row *row = common_options; row->name != NULL; row++)
		printf(" --%s", row->name);
}

static void bash_commands(void)
{
	for (size_t i = 0; i < command_count; i++) {
		printf("\t\"%s\")\n\t\tif [[ $cur == -* ]]; then offer='", commands[i].words);
		bash_options_of(&commands[i]);
		printf("'; elif ((arguments == 0)); then ");
		if (commands[i].complete != NULL)
			bash_offer(commands[i].complete);
		else
			printf("return");
		puts("; fi;;");
	}
}

/* Words that may stand first, or after a group's word. */
static void print_words(const char *group)
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

static void bash_groups(void)
{
	const char *last = "";
	for (size_t i = 0; i < command_count; i++) {
		size_t first = strcspn(commands[i].words, " ");
		char group[64];
		snprintf(group, sizeof(group), "%.*s", (int)first, commands[i].words);
		if (commands[i].words[first] == '\0' || strncmp(last, commands[i].words, first + 1) == 0)
			continue;
		last = commands[i].words;
		printf("\t\t%s) offer='", group);
		print_words(group);
		puts("';;");
	}
}

static void print_bash(void)
{
	fputs(bash_head, stdout);
	printf("\t\t''");
	bash_value_options(common_options);
	for (size_t i = 0; i < command_count; i++)
		bash_value_options(commands[i].options);
	puts(") ((i++)); [[ ${COMP_WORDS[i]} == '=' ]] && ((i++));;\n"
		 "\t\t-*) ;;\n"
		 "\t\t*) if [[ -z $command ]]; then\n"
		 "\t\t\t\twords=\"${words:+$words }$word\"\n"
		 "\t\t\t\tcase $words in");
	for (size_t i = 0; i < command_count; i++)
		printf("\t\t\t\t\"%s\") command=$words;;\n", commands[i].words);
	puts("\t\t\t\tesac\n"
		 "\t\t\telse ((arguments++)); fi;;\n"
		 "\t\tesac\n"
		 "\tdone\n"
		 "\tfirst=${words%% *}\n"
		 "\tCOMPREPLY=()\n"
		 "\tcase \"$command $prev\" in");
	bash_option_cases();
	puts("\t*)\n\tcase $command in\n\t'')\n\t\tcase $first in\n\t\t'') offer='");
	print_words(NULL);
	puts("';;");
	bash_groups();
	puts("\t\tesac;;");
	bash_commands();
	puts("\tesac;;\n\tesac\n\tCOMPREPLY=($(compgen -W \"$offer\" -- \"$cur\"))\n}");
}

/* ---- fish ---- */

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

static void fish_offer(const char *complete)
{
	if (complete == NULL)
		printf(" -x");
	else if (strcmp(complete, COMPLETE_FILES) == 0)
		printf(" -r -F");
	else if (strcmp(complete, COMPLETE_QUEUES) == 0)
		printf(" -x -a '(" QUEUES_COMMAND ")'");
	else if (strcmp(complete, COMPLETE_CONTEXTS) == 0)
		printf(" -x -a '(" CONTEXTS_COMMAND ")'");
	else
		printf(" -x -a '%s'", complete);
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
	if (command->complete != NULL) {
		printf("complete -c wrctl%s", condition);
		fish_offer(command->complete);
		putchar('\n');
	}
	fish_options(condition, command->options);
}

static void print_fish(void)
{
	puts("# fish completion of wrctl, made by: wrctl completion fish\ncomplete -c wrctl -f");
	fish_options("", common_options);
	for (size_t i = 0; i < command_count; i++)
		fish_command(&commands[i]);
}

int wrctl_completion(struct wrctl *w, int argc, char **argv)
{
	(void)argc;
	if (strcmp(argv[0], "bash") == 0) {
		print_bash();
		puts("complete -o nosort -F _wrctl wrctl");
	} else if (strcmp(argv[0], "zsh") == 0) {
		puts("#compdef wrctl\nautoload -U +X bashcompinit && bashcompinit");
		print_bash();
		puts("complete -F _wrctl wrctl");
	} else if (strcmp(argv[0], "fish") == 0) {
		print_fish();
	} else {
		return wrctl_misuse(
			w, "there is no completion for \"%.40s\"; for bash, zsh and fish there is", argv[0]);
	}
	return WRCTL_DONE;
}
