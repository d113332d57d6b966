/* Finding commands: by their words, and the nearest one to what was mistyped. */
#include <stdbool.h>
#include <string.h>

#include "commands.h"

#define WORDS_MAX 64

const struct command *command_find(const char *first, const char *second)
{
	size_t len = strlen(first);
	for (size_t i = 0; i < command_count; i++) {
		const char *words = commands[i].words;
		if (strncmp(words, first, len) != 0)
			continue;
		if (second == NULL ? words[len] == '\0'
						   : words[len] == ' ' && strcmp(words + len + 1, second) == 0)
			return &commands[i];
	}
	return NULL;
}

int command_is_group(const char *first)
{
	size_t len = strlen(first);
	for (size_t i = 0; i < command_count; i++)
		if (strncmp(commands[i].words, first, len) == 0 && commands[i].words[len] == ' ')
			return true;
	return false;
}

size_t word_distance(const char *a, const char *b)
{
	size_t row[WORDS_MAX + 1], a_len = strlen(a), b_len = strlen(b);
	if (a_len > WORDS_MAX || b_len > WORDS_MAX)
		return WORDS_MAX;
	for (size_t k = 0; k <= b_len; k++)
		row[k] = k;
	for (size_t i = 1; i <= a_len; i++) {
		size_t diagonal = row[0];
		row[0] = i;
		for (size_t k = 1; k <= b_len; k++) {
			size_t best = diagonal + (a[i - 1] != b[k - 1]);
			diagonal = row[k];
			best = row[k] + 1 < best ? row[k] + 1 : best;
			row[k] = row[k - 1] + 1 < best ? row[k - 1] + 1 : best;
		}
	}
	return row[b_len];
}

/* What other tools call it: "queue show" is "queue get", and no typing error of "queue set". */
static const struct command *by_other_name(const char *words)
{
	static const char *const names[][2] = {
		{"show", "get"},	  {"info", "get"},	 {"describe", "get"}, {"ls", "list"},
		{"add", "create"},	  {"new", "create"}, {"make", "create"},  {"rm", "delete"},
		{"remove", "delete"}, {"update", "set"}, {"edit", "set"},	  {"unpause", "resume"},
		{"stop", "pause"},	  {"start", "open"}, {"clear", "empty"}};
	char first[WORDS_MAX];
	const char *space = strchr(words, ' ');
	if (space == NULL || space - words >= WORDS_MAX)
		return NULL;
	memcpy(first, words, (size_t)(space - words));
	first[space - words] = '\0';
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (strcmp(names[i][0], space + 1) == 0)
			return command_find(first, names[i][1]);
	return NULL;
}

const struct command *command_nearest(const char *words)
{
	const struct command *other = by_other_name(words);
	if (other != NULL)
		return other;
	const struct command *nearest = NULL;
	size_t least = WORD_NEAR + 1;
	for (size_t i = 0; i < command_count; i++) {
		size_t errors = word_distance(words, commands[i].words);
		/* More errors than letters that are right: chance. */
		if (errors < least && errors * 2 < strlen(commands[i].words)) {
			least = errors;
			nearest = &commands[i];
		}
	}
	return nearest;
}

static const struct option_row *find_in(const struct option_row *rows, const char *name, size_t len)
{
	for (; rows != NULL && rows->name != NULL; rows++)
		if (strlen(rows->name) == len && memcmp(rows->name, name, len) == 0)
			return rows;
	return NULL;
}

const struct option_row *command_option(const struct command *command, const char *name, size_t len)
{
	const struct option_row *row = command ? find_in(command->options, name, len) : NULL;
	return row ? row : find_in(common_options, name, len);
}

static const struct option_row *find_letter(const struct option_row *rows, char letter)
{
	for (; rows != NULL && rows->name != NULL; rows++)
		if (rows->letter == letter)
			return rows;
	return NULL;
}

const struct option_row *command_option_letter(const struct command *command, char letter)
{
	const struct option_row *row = command ? find_letter(command->options, letter) : NULL;
	return row ? row : find_letter(common_options, letter);
}
