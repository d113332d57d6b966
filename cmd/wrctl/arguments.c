/* Arguments: words of the command, options anywhere, "--" before arguments that begin with '-'.
 *
 *     wrctl [common option…] word [word] [argument | option]…
 *
 * Before the command is known only common options can be read. A key among the arguments is refused
 * before anything else: other people of the machine can see it there.
 */
#include "arguments.h"

#include <string.h>

#include "commands.h"
#include "waitingroom/token.h"

struct reading {
	struct wrctl *w;
	struct arguments *ret;
	char **next; /* ends in NULL */
	const char *first;
	bool only_arguments; /* "--" was seen */
	struct err_detail *detail;
};

static enum wr_err take(struct reading *reading, const struct option_row *row, const char *value)
{
	struct wrctl *w = reading->w;
	if (strcmp(row->name, "help") == 0)
		reading->ret->wants_help = true;
	if (strcmp(row->name, "version") == 0)
		reading->ret->wants_version = true;
	if (w->given_count == GIVEN_MAX)
		return err_say(reading->detail, WR_BAD_CONFIG, "more than %d options", GIVEN_MAX);
	w->given[w->given_count++] = (struct given_option){row->name, value};
	return WR_OK;
}

static enum wr_err value_of(struct reading *reading, const struct option_row *row,
							const char *attached)
{
	if (row->word == NULL) {
		if (attached != NULL)
			return err_say(reading->detail, WR_BAD_CONFIG, "--%s: takes no value", row->name);
		return take(reading, row, "");
	}
	if (attached == NULL)
		attached = *reading->next != NULL ? *reading->next++ : NULL;
	if (attached == NULL)
		return err_say(reading->detail, WR_BAD_CONFIG, "--%s: needs a value: --%s %s", row->name,
					   row->name, row->word);
	return take(reading, row, attached);
}

static enum wr_err read_long(struct reading *reading, const char *text)
{
	const char *equals = strchr(text, '=');
	size_t len = equals ? (size_t)(equals - text) : strlen(text);
	const struct option_row *row = command_option(reading->w->command, text, len);
	if (row == NULL && reading->w->command == NULL)
		return err_say(reading->detail, WR_BAD_CONFIG,
					   "--%.*s: is no option of every command; those of one stand behind its words",
					   (int)len, text);
	if (row == NULL)
		return err_say(reading->detail, WR_BAD_CONFIG, "--%.*s: wrctl %s has no such option",
					   (int)len, text, reading->w->command->words);
	return value_of(reading, row, equals ? equals + 1 : NULL);
}

static enum wr_err read_letters(struct reading *reading, const char *text)
{
	for (; *text != '\0'; text++) {
		const struct option_row *row = command_option_letter(reading->w->command, *text);
		if (row == NULL)
			return err_say(reading->detail, WR_BAD_CONFIG, "-%c: there is no such option", *text);
		if (row->word != NULL)
			return value_of(reading, row, text[1] != '\0' ? text + 1 : NULL);
		enum wr_err err = value_of(reading, row, NULL);
		if (err != WR_OK)
			return err;
	}
	return WR_OK;
}

static enum wr_err no_such_command(struct reading *reading, const char *words)
{
	const struct command *nearest = command_nearest(words);
	if (nearest == NULL)
		return err_say(reading->detail, WR_BAD_CONFIG, "there is no command \"%.60s\"", words);
	return err_say(reading->detail, WR_BAD_CONFIG,
				   "there is no command \"%.60s\"; did you mean \"%s\"?", words, nearest->words);
}

static enum wr_err read_word(struct reading *reading, char *word)
{
	struct wrctl *w = reading->w;
	char both[128];
	if (reading->first == NULL) {
		w->command = command_find(word, NULL);
		if (w->command == NULL && !command_is_group(word))
			return no_such_command(reading, word);
		reading->first = word;
		reading->ret->group = w->command ? NULL : word;
		return WR_OK;
	}
	w->command = command_find(reading->first, word);
	snprintf(both, sizeof(both), "%.60s %.60s", reading->first, word);
	reading->ret->group = NULL;
	return w->command ? WR_OK : no_such_command(reading, both);
}

/* Of 64 places one has an id that begins with '-', and whoever copies it does not know of "--". */
static bool is_place(const struct reading *reading, const char *text)
{
	const struct command *command = reading->w->command;
	return command != NULL && command->arguments != NULL &&
		   strcmp(command->arguments, "QUEUE ID") == 0 && reading->ret->count == 1 &&
		   position_id_is_valid(text, strlen(text));
}

static enum wr_err read_one(struct reading *reading, char *text)
{
	struct arguments *ret = reading->ret;
	if (!reading->only_arguments && strcmp(text, "--") == 0) {
		reading->only_arguments = true;
		return WR_OK;
	}
	bool may_be_option = !reading->only_arguments && !is_place(reading, text);
	if (may_be_option && strncmp(text, "--", 2) == 0)
		return read_long(reading, text + 2);
	/* "-" alone is an argument: standard input. */
	if (may_be_option && text[0] == '-' && text[1] != '\0')
		return read_letters(reading, text + 1);
	if (reading->w->command == NULL)
		return read_word(reading, text);
	if (ret->count == ARGUMENTS_MAX)
		return err_say(reading->detail, WR_BAD_CONFIG, "more than %d arguments", ARGUMENTS_MAX);
	ret->list[ret->count++] = text;
	return WR_OK;
}

static enum wr_err check_count(const struct wrctl *w, const struct arguments *arguments,
							   struct err_detail *ret_detail)
{
	const struct command *command = w->command;
	if (command == NULL || arguments->wants_help)
		return WR_OK;
	if (arguments->count < command->least)
		return err_say(ret_detail, WR_BAD_CONFIG, "wrctl %s: needs %s", command->words,
					   command->arguments);
	if (arguments->count > command->most)
		return err_say(ret_detail, WR_BAD_CONFIG, "wrctl %s: \"%.60s\" is one argument too many",
					   command->words, arguments->list[command->most]);
	return WR_OK;
}

static bool has_key(int argc, char **argv)
{
	for (int i = 1; i < argc; i++)
		if (strstr(argv[i], "wrk_") != NULL)
			return true;
	return false;
}

enum wr_err arguments_read(struct wrctl *w, int argc, char **argv, struct arguments *ret,
						   struct err_detail *ret_detail)
{
	struct reading reading = {.w = w, .ret = ret, .next = argv + 1, .detail = ret_detail};
	*ret = (struct arguments){.count = 0};
	if (has_key(argc, argv))
		return err_say(
			ret_detail, WR_BAD_CONFIG,
			"a key on the command line can be seen by others on this machine and stays in "
			"the shell's history: delete that key, and give the new one in a file "
			"(WRCTL_KEY_FILE, key_file) or with --key-stdin");
	while (*reading.next != NULL) {
		enum wr_err err = read_one(&reading, *reading.next++);
		if (err != WR_OK)
			return err;
	}
	if (ret->group != NULL && !ret->wants_help)
		return err_say(ret_detail, WR_BAD_CONFIG, "wrctl %s: needs another word", ret->group);
	return check_count(w, ret, ret_detail);
}
