/* A command line of wrctl taken apart; and the table of commands that it is taken apart by. */
#include "cmd/wrctl/arguments.h"
#include "cmd/wrctl/commands.h"
#include "support/cmocka.h"

#include <stdlib.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define LINE(...) ((char *[]){"wrctl", __VA_ARGS__, NULL})

struct read {
	struct wrctl w;
	struct arguments arguments;
	struct err_detail detail;
	enum wr_err err;
};

static struct read read_line(char **argv)
{
	struct read read = {.err = WR_OK};
	int argc = 0;
	while (argv[argc] != NULL)
		argc++;
	read.err = arguments_read(&read.w, argc, argv, &read.arguments, &read.detail);
	return read;
}

static void expect_wrong(char **argv, const char *said)
{
	struct read read = read_line(argv);
	assert_int_equal(read.err, WR_BAD_CONFIG);
	if (strstr(read.detail.text, said) == NULL)
		fail_msg("\"%s\" does not say \"%s\"", read.detail.text, said);
}

static void options_stand_anywhere(void **state)
{
	(void)state;
	char **lines[] = {
		LINE("-o", "json", "queue", "admit", "demo", "5", "--context", "prod"),
		LINE("queue", "--output", "json", "admit", "--context=prod", "demo", "5"),
		LINE("queue", "admit", "-ojson", "demo", "-c", "prod", "--", "5"),
	};
	for (size_t i = 0; i < COUNT(lines); i++) {
		struct read read = read_line(lines[i]);
		assert_int_equal(read.err, WR_OK);
		assert_string_equal(read.w.command->words, "queue admit");
		assert_int_equal(read.arguments.count, 2);
		assert_string_equal(read.arguments.list[0], "demo");
		assert_string_equal(read.arguments.list[1], "5");
		assert_null(read.arguments.list[2]);
		assert_string_equal(wrctl_option(&read.w, "output"), "json");
		assert_string_equal(wrctl_option(&read.w, "context"), "prod");
		assert_false(wrctl_flag(&read.w, "no-color"));
	}
}

static void the_last_of_an_option_given_twice_counts(void **state)
{
	(void)state;
	struct read read = read_line(LINE("queue", "list", "-o", "json", "-o", "table"));
	assert_string_equal(wrctl_option(&read.w, "output"), "table");
}

static void two_dashes_end_the_options(void **state)
{
	(void)state;
	struct read read = read_line(LINE("queue", "get", "--", "--names"));
	assert_int_equal(read.err, WR_OK);
	assert_string_equal(read.arguments.list[0], "--names");
	expect_wrong(LINE("queue", "get", "--names"), "no such option");
}

static void the_id_of_a_place_may_begin_with_a_dash(void **state)
{
	(void)state;
	static const char *const ids[] = {"-jvbHPdfyY0AAAAA", "-ojsonjsonjsonjs", "--outputoutputou"};
	for (size_t i = 0; i < COUNT(ids); i++) {
		char id[32];
		strcpy(id, ids[i]);
		struct read read =
			read_line(LINE("place", "restore", "demo", id, "--reason", "wrong button"));
		assert_int_equal(read.err, WR_OK);
		assert_int_equal(read.arguments.count, 2);
		assert_string_equal(read.arguments.list[1], id);
		read = read_line(LINE("place", "find", "demo", "--id", id));
		assert_string_equal(wrctl_option(&read.w, "id"), id);
	}
	expect_wrong(LINE("place", "restore", "-jvbHPdfyY0AAAAA", "demo"), "no such option");
}

static void what_is_missing_or_too_much_is_named(void **state)
{
	(void)state;
	expect_wrong(LINE("queue", "get"), "needs QUEUE");
	expect_wrong(LINE("queue", "get", "a", "b"), "\"b\" is one argument too many");
	expect_wrong(LINE("queue", "list", "--output"), "needs a value: --output FORMAT");
	expect_wrong(LINE("queue", "list", "--names=yes"), "takes no value");
	expect_wrong(LINE("queue", "list", "-z"), "-z");
	expect_wrong(LINE("queue"), "needs another word");
	expect_wrong(LINE("--names", "queue", "list"), "no option of every command");
}

static void a_number_out_of_range_is_refused(void **state)
{
	(void)state;
	int64_t number = 7;
	struct read read = read_line(LINE("queue", "list", "--timeout", "0"));
	assert_false(wrctl_number(&read.w, "timeout", 1, 10, &number));
	read = read_line(LINE("queue", "list", "--timeout", "1e3"));
	assert_false(wrctl_number(&read.w, "timeout", 1, 10, &number));
	read = read_line(LINE("queue", "list"));
	assert_true(wrctl_number(&read.w, "timeout", 1, 10, &number));
	assert_int_equal(number, 7);
	read = read_line(LINE("queue", "list", "--timeout=10"));
	assert_true(wrctl_number(&read.w, "timeout", 1, 10, &number));
	assert_int_equal(number, 10);
}

static void a_key_is_not_taken_anywhere_on_the_line(void **state)
{
	(void)state;
	expect_wrong(LINE("--context=wrk_secret", "queue", "list"), "can be seen by others");
	expect_wrong(LINE("queue", "get", "--", "wrk_secret"), "can be seen by others");
	struct read read = read_line(LINE("queue", "get", "wrk_secret"));
	assert_null(strstr(read.detail.text, "wrk_secret"));
}

static void the_nearest_command_is_suggested_only_when_it_is_near(void **state)
{
	(void)state;
	static const char *const near[][2] = {{"queue lst", "queue list"},
										  {"queue admti", "queue admit"},
										  {"versoin", "version"},
										  {"qeue get", "queue get"}};
	for (size_t i = 0; i < COUNT(near); i++)
		assert_string_equal(command_nearest(near[i][0])->words, near[i][1]);
	assert_null(command_nearest("xyz"));
	assert_null(command_nearest("make coffee"));
}

/* ---- the table itself ---- */

static size_t words_in(const char *text)
{
	size_t words = 1;
	for (; *text != '\0'; text++)
		words += *text == ' ';
	return words;
}

static void every_row_of_the_table_is_whole(void **state)
{
	(void)state;
	for (size_t i = 0; i < command_count; i++) {
		const struct command *command = &commands[i];
		size_t len = strlen(command->sentence);
		assert_non_null(command->run);
		assert_int_equal(command->sentence[len - 1], '.');
		assert_in_range(words_in(command->words), 1, 2);
		assert_true(command->least <= command->most);
		assert_int_equal(command->arguments[0] == '\0', command->most == 0);
		if (command->role != NULL && strcmp(command->role, "viewer") != 0 &&
			strcmp(command->role, "operator") != 0 && strcmp(command->role, "admin") != 0)
			fail_msg("%s: there is no role %s", command->words, command->role);
		for (size_t k = 0; k < i; k++)
			assert_string_not_equal(commands[k].words, command->words);
	}
}

static void no_option_of_a_command_hides_a_common_one(void **state)
{
	(void)state;
	for (size_t i = 0; i < command_count; i++) {
		const struct option_row *row = commands[i].options;
		for (; row != NULL && row->name != NULL; row++) {
			if (command_option(NULL, row->name, strlen(row->name)) != NULL)
				fail_msg("%s: --%s is a common option", commands[i].words, row->name);
			if (row->letter != 0 && command_option_letter(NULL, row->letter) != NULL)
				fail_msg("%s: -%c is a common option", commands[i].words, row->letter);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(options_stand_anywhere),
		cmocka_unit_test(the_last_of_an_option_given_twice_counts),
		cmocka_unit_test(two_dashes_end_the_options),
		cmocka_unit_test(the_id_of_a_place_may_begin_with_a_dash),
		cmocka_unit_test(what_is_missing_or_too_much_is_named),
		cmocka_unit_test(a_number_out_of_range_is_refused),
		cmocka_unit_test(a_key_is_not_taken_anywhere_on_the_line),
		cmocka_unit_test(the_nearest_command_is_suggested_only_when_it_is_near),
		cmocka_unit_test(every_row_of_the_table_is_whole),
		cmocka_unit_test(no_option_of_a_command_hides_a_common_one),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
