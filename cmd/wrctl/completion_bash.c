/* Completion for bash, and for zsh by its bashcompinit: the table of commands as cases of
 * functions.
 *
 * bash parts "--output=json" and "state=open" into three words, zsh does not; the beginning of
 * _wrctl makes one of both: 'key' is what stands before the "=", 'cur' what is being typed behind
 * it. A context that is given on the line is the one that is asked for names.
 */
#include <stdio.h>
#include <string.h>

#include "commands.h"
#include "completion.h"

static const char head[] =
	"_wrctl() {\n"
	"\tlocal cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]}\n"
	"\tlocal command='' first='' words='' arguments=0 offer='' key='' prefix='' i word\n"
	"\tlocal context=()\n"
	"\t# COMP_WORDBREAKS parts --output=json into three words; without '=' in it there is one\n"
	"\tif [[ $cur == '=' ]]; then\n"
	"\t\tcur='' key=$prev\n"
	"\telif [[ $prev == '=' ]]; then\n"
	"\t\tprev=${COMP_WORDS[COMP_CWORD-2]} key=${COMP_WORDS[COMP_CWORD-2]}\n"
	"\telif [[ $cur == *=* ]]; then\n"
	"\t\tkey=${cur%%=*} prev=${cur%%=*} prefix=${cur%%=*}= cur=${cur#*=}\n"
	"\tfi\n"
	"\tfor ((i = 1; i < COMP_CWORD; i++)); do\n"
	"\t\tword=${COMP_WORDS[i]}\n"
	"\t\tcase $word in\n";

static void value_options(const struct option_row *rows)
{
	for (; rows != NULL && rows->name != NULL; rows++) {
		if (rows->word == NULL)
			continue;
		printf("|--%s", rows->name);
		if (rows->letter != 0)
			printf("|-%c", rows->letter);
	}
}

/* position  of the argument, from 0; -1 for an option's value */
static void offer(const char *complete, int position)
{
	const char *asks = completion_asks(complete);
	if (complete == NULL)
		printf("return");
	else if (asks != NULL)
		printf("offer=$(wrctl \"${context[@]}\" %s 2>/dev/null)", asks);
	else if (strcmp(complete, COMPLETE_FILES) == 0)
		printf("COMPREPLY=($(compgen -P \"$prefix\" -f -- \"$cur\")); return");
	else if (strcmp(complete, COMPLETE_COMMANDS) == 0)
		printf("_wrctl_words %s", position == 0 ? "''" : "\"$prev\"");
	else if (strcmp(complete, COMPLETE_ASSIGNMENTS) == 0)
		printf("_wrctl_assignments");
	else
		printf("offer='%s'", completion_words(complete) ? completion_words(complete) : complete);
}

/* What follows an option: cases of one option each; those of a command come before the common. */
static void option_cases(void)
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
			offer(row->complete, -1);
			puts(";;");
		}
	}
}

static void options_of(const struct command *command)
{
	for (const struct option_row *row = command->options; row != NULL && row->name != NULL; row++)
		printf(" --%s", row->name);
	for (const struct option_row *row = common_options; row->name != NULL; row++)
		printf(" --%s", row->name);
}

static void command_cases(void)
{
	for (size_t i = 0; i < command_count; i++) {
		printf("\t\"%s\")\n\t\tif [[ $cur == -* ]]; then offer='", commands[i].words);
		options_of(&commands[i]);
		printf("'; elif ((arguments == 0)); then ");
		offer(commands[i].complete[0], 0);
		if (commands[i].complete[1] != NULL) {
			printf("; else ");
			offer(commands[i].complete[1], 1);
		}
		puts("; fi;;");
	}
}

/* ---- what more than one place needs ---- */

/* $1: a group's word, or '' for the words that may stand first. */
static void words_function(void)
{
	printf("_wrctl_words() {\n\tcase $1 in\n\t'') offer='");
	completion_print_words(NULL);
	puts("';;");
	for (size_t i = 0; i < command_count; i++) {
		char group[64];
		if (!completion_begins_group(i))
			continue;
		snprintf(group, sizeof(group), "%.*s", (int)strcspn(commands[i].words, " "),
				 commands[i].words);
		printf("\t%s) offer='", group);
		completion_print_words(group);
		puts("';;");
	}
	puts("\tesac\n}");
}

/* NAME=, the words that NAME takes, or a file behind NAME=@ */
static void assignments_function(void)
{
	printf("_wrctl_assignments() {\n"
		   "\tcase $key in\n"
		   "\t'') offer='%s'; compopt -o nospace 2>/dev/null;;\n",
		   completion_words(COMPLETE_ASSIGNMENTS));
	for (const struct completion_choice *row = completion_choices; row->name != NULL; row++)
		printf("\t%s) offer='%s';;\n", row->name, row->words);
	puts("\t*) if [[ $cur == @* ]]; then\n"
		 "\t\t\tprefix=$prefix@ cur=${cur#@}\n"
		 "\t\t\toffer=$(compgen -f -- \"$cur\")\n"
		 "\t\tfi;;\n"
		 "\tesac\n}");
}

/* Which command the words before the one that is typed name, and how many arguments they are. */
static void parse_loop(void)
{
	printf("\t\t''");
	value_options(common_options);
	for (size_t i = 0; i < command_count; i++)
		value_options(commands[i].options);
	puts(")\n"
		 "\t\t\t((i++)); [[ ${COMP_WORDS[i]} == '=' ]] && ((i++))\n"
		 "\t\t\t[[ $word == -c || $word == --context ]] && context=(--context "
		 "\"${COMP_WORDS[i]}\");;\n"
		 "\t\t--context=*) context=(--context \"${word#*=}\");;\n"
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
		 "\tfirst=${words%% *}");
}

void completion_print_bash(void)
{
	puts("# completion of wrctl, made by: wrctl completion");
	words_function();
	assignments_function();
	fputs(head, stdout);
	parse_loop();
	puts("\tCOMPREPLY=()\n\tcase \"$command $prev\" in");
	option_cases();
	puts("\t*)\n\tcase $command in\n\t'') _wrctl_words \"$first\";;");
	command_cases();
	puts("\tesac;;\n"
		 "\tesac\n"
		 "\tCOMPREPLY=($(compgen -P \"$prefix\" -W \"$offer\" -- \"$cur\"))\n}");
}
