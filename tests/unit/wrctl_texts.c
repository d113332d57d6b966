/* What wrctl prints: tables that fit, changes, numbers and times, bars, sparklines, JSON on
 * lines. */
#include "cmd/wrctl/body.h"
#include "cmd/wrctl/client.h"
#include "cmd/wrctl/diff.h"
#include "cmd/wrctl/pretty.h"
#include "cmd/wrctl/progress.h"
#include "cmd/wrctl/spark.h"
#include "cmd/wrctl/table.h"
#include "support/cmocka.h"
#include "support/temp.h"
#include "waitingroom/memory.h"

#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* ---- what is printed, caught ---- */

static FILE *caught;
static int caught_fd, kept = -1;

static void catch_output(int fd)
{
	fflush(NULL);
	caught = tmpfile();
	caught_fd = fd;
	kept = dup(fd);
	dup2(fileno(caught), fd);
}

/* gives */
static char *caught_output(void)
{
	char *text = mem_alloc_zero(1, 65536);
	fflush(NULL);
	dup2(kept, caught_fd);
	close(kept);
	rewind(caught);
	text[fread(text, 1, 65535, caught)] = '\0';
	fclose(caught);
	return text;
}

/* ---- tables ---- */

static char *printed_table(int width, bool colour)
{
	struct terminal terminal = {.width = width, .unicode = true, .colour = colour};
	WR_AUTO(table_free_at) struct table *table = table_new("queue", "waiting>", "note…");
	table_cell(table, PAINT_GREEN, "shop/sale");
	table_number(table, 1234567);
	table_cell(table, PAINT_PLAIN, "%s", "a long note\nwith a line");
	table_cell(table, PAINT_PLAIN, "b");
	table_number(table, 5);
	table_cell(table, PAINT_PLAIN, "%s", "");
	catch_output(STDOUT_FILENO);
	table_print(table, &terminal);
	return caught_output();
}

static void columns_line_up_and_numbers_stand_right(void **state)
{
	(void)state;
	WR_AUTO(mem_free_at) char *text = printed_table(0, false);
	assert_string_equal(text, "QUEUE        WAITING  NOTE\n"
							  "shop/sale  1 234 567  a long note with a line\n"
							  "b                  5  \n");
}

static void a_narrow_terminal_cuts_the_column_that_may_be_cut(void **state)
{
	(void)state;
	WR_AUTO(mem_free_at) char *text = printed_table(34, false);
	assert_string_equal(text, "QUEUE        WAITING  NOTE\n"
							  "shop/sale  1 234 567  a long note…\n"
							  "b                  5  \n");
}

static void colours_take_no_room(void **state)
{
	(void)state;
	WR_AUTO(mem_free_at) char *text = printed_table(0, true);
	assert_non_null(strstr(text, "\033[32mshop/sale\033[0m  1 234 567  a long note"));
}

static void columns_are_counted_not_bytes(void **state)
{
	(void)state;
	assert_non_null(setlocale(LC_CTYPE, "C.UTF-8"));
	assert_int_equal(text_columns("Grüße"), 5);
	assert_int_equal(text_columns("日本"), 4);
	assert_int_equal(text_columns("\xff\xfe"), 2);
	assert_int_equal(text_fit("Grüße", 3), strlen("Grü"));
	assert_int_equal(text_fit("日本", 3), strlen("日"));
}

static void numbers_and_times_are_for_people(void **state)
{
	(void)state;
	char text[NUMBER_TEXT_BYTES];
	static const struct {
		int64_t number;
		const char *shown;
	} numbers[] = {{0, "0"},
				   {-5, "-5"},
				   {9999, "9999"},
				   {10000, "10 000"},
				   {-1234567, "-1 234 567"},
				   {INT64_MIN, "-9 223 372 036 854 775 808"}};
	for (size_t i = 0; i < COUNT(numbers); i++)
		assert_string_equal(number_text(numbers[i].number, text), numbers[i].shown);
	static const struct {
		int64_t ms;
		const char *shown;
	} durations[] = {{0, "0 ms"},		   {999, "999 ms"},	 {1000, "1 s"},		   {60000, "1 min"},
					 {61000, "1 min 1 s"}, {3600000, "1 h"}, {90060000, "1 d 1 h"}};
	for (size_t i = 0; i < COUNT(durations); i++)
		assert_string_equal(duration_text(durations[i].ms, text), durations[i].shown);
	assert_string_equal(moment_text(0, text), "never");
	assert_string_equal(moment_text(1795266391228, text), "2026-11-21 13:06:31");
}

static void a_bar_is_never_longer_than_whole(void **state)
{
	(void)state;
	char text[PROGRESS_TEXT_BYTES];
	progress_text(1, 2, false, 80, text);
	assert_string_equal(text, "[###############...............]  50%");
	progress_text(7, 2, false, 80, text);
	assert_string_equal(text, "[##############################] 100%");
	progress_text(-7, 2, true, 10, text);
	assert_string_equal(text, "[░░░░]   0%");
	progress_text(0, 0, false, 10, text);
	assert_string_equal(text, "[....]   0%");
}

static char *drawn_progress(bool is_terminal, int64_t since_ms, int64_t total)
{
	struct terminal terminal = {.err = is_terminal, .width = 80};
	struct progress progress;
	catch_output(STDERR_FILENO);
	progress_begin(&progress, &terminal, "deleting", total);
	progress.begun.ns -= since_ms * 1000000;
	progress_set(&progress, 3);
	progress_end(&progress);
	return caught_output();
}

static void a_bar_appears_on_a_terminal_once_it_takes_long_and_is_wiped(void **state)
{
	(void)state;
	WR_AUTO(mem_free_at) char *bar = drawn_progress(true, 2000, 4);
	assert_string_equal(bar, "\r\033[Kdeleting [######################........]  75% 3 of 4"
							 "\r\033[K");
	WR_AUTO(mem_free_at) char *time = drawn_progress(true, 2000, 0);
	assert_string_equal(time, "\r\033[Kdeleting … 2 s\r\033[K");
	WR_AUTO(mem_free_at) char *quick = drawn_progress(true, 100, 4);
	assert_string_equal(quick, "");
	WR_AUTO(mem_free_at) char *file = drawn_progress(false, 2000, 4);
	assert_string_equal(file, "");
}

static void sparklines_show_shares_of_the_largest(void **state)
{
	(void)state;
	char text[SPARK_TEXT_BYTES];
	const int64_t numbers[] = {0, 1, 50, 100, 1000};
	assert_string_equal(spark_text(numbers, 5, 60, true, text), "▁▂▂▂█");
	assert_string_equal(spark_text(numbers, 5, 60, false, text), "_...#");
	const int64_t none[] = {0, 0, 0};
	assert_string_equal(spark_text(none, 3, 60, true, text), "▁▁▁");
	const int64_t late[] = {-1, -1, 0, 4};
	assert_string_equal(spark_text(late, 4, 60, true, text), "  ▁█");
	const int64_t many[] = {0, 7, 0, 0, 0, 0};
	assert_string_equal(spark_text(many, 6, 3, true, text), "█▁▁");
	assert_string_equal(spark_text(many, 0, 3, true, text), "");
}

/* ---- changes ---- */

static char *printed_diff(const char *json, bool is_new, int width)
{
	WR_AUTO(json_free_at) struct json_value *document = NULL;
	struct terminal terminal = {.width = width, .unicode = true};
	struct err_detail detail = {""};
	if (json_parse(json, strlen(json), &document, &detail) != WR_OK)
		fail_msg("%s", detail.text);
	catch_output(STDOUT_FILENO);
	diff_print(document, is_new, &terminal);
	diff_print_effect(document, &terminal);
	return caught_output();
}

static void a_short_change_is_one_line_and_a_long_one_two(void **state)
{
	(void)state;
	WR_AUTO(mem_free_at)
	char *text = printed_diff(
		"{\"changes\":[{\"field\":\"capacity\",\"before\":100,\"after\":200},"
		"{\"field\":\"message\",\"before\":\"\",\"after\":\"a text that is much too long for one "
		"line beside another\"},{\"field\":\"theme\",\"before\":null,\"after\":{}}]}",
		false, 0);
	assert_string_equal(text, "    ~ capacity: 100 → 200\n"
							  "    - message: \"\"\n"
							  "    + message: \"a text that is much too long for one line beside "
							  "another\"\n"
							  "    ~ theme: - → {}\n");
}

static void what_is_new_is_only_put_in(void **state)
{
	(void)state;
	WR_AUTO(mem_free_at)
	char *text = printed_diff(
		"{\"changes\":[{\"field\":\"capacity\",\"before\":100,\"after\":200}]}", true, 0);
	assert_string_equal(text, "    + capacity: 200\n");
}

static void a_long_value_is_cut_to_the_terminal(void **state)
{
	(void)state;
	WR_AUTO(mem_free_at)
	char *text =
		printed_diff("{\"changes\":[{\"field\":\"message\",\"before\":\"\","
					 "\"after\":\"a text that is much too long for the width of this terminal\"}]}",
					 false, 40);
	assert_non_null(strstr(text, "…"));
	for (char *rest = text, *line; (line = strsep(&rest, "\n"));)
		assert_true(text_columns(line) <= 40);
}

static void the_effect_is_a_table_and_warnings_follow(void **state)
{
	(void)state;
	WR_AUTO(mem_free_at)
	char *text = printed_diff(
		"{\"changes\":[],\"effect\":[{\"lane\":\"main\",\"place\":\"tail\",\"ahead\":4200,"
		"\"now\":{\"low\":3600,\"high\":5400},\"then\":{\"low\":420,\"high\":540}},"
		"{\"lane\":\"main\",\"place\":\"head\",\"ahead\":0,\"now\":{\"low\":0,\"high\":0},"
		"\"then\":null},{\"lane\":\"main\",\"place\":\"middle\",\"ahead\":9,\"now\":{\"low\":0,"
		"\"high\":60},\"then\":{\"low\":60,\"high\":60}}],\"warnings\":[\"Nobody is let in.\"]}",
		false, 0);
	assert_non_null(strstr(text, "main  tail     4200  1 h .. 1 h 30 min  7 min .. 9 min"));
	assert_non_null(strstr(text, "main  head        0  at once            not known"));
	assert_non_null(strstr(text, "main  middle      9  up to 1 min        1 min\n"));
	assert_non_null(strstr(text, "! Nobody is let in.\n"));
}

/* ---- requests ---- */

static void expect_body(char *argument, const char *body)
{
	WR_AUTO(mem_free_at) char *made = NULL;
	struct err_detail detail = {""};
	assert_int_equal(body_of_settings(1, &argument, NULL, &made, &detail), WR_OK);
	assert_string_equal(made, body);
}

static void values_have_the_types_of_the_settings(void **state)
{
	(void)state;
	expect_body("capacity=200", "{\"capacity\":200}");
	expect_body("message=200", "{\"message\":\"200\"}");
	expect_body("message=", "{\"message\":\"\"}");
	expect_body("message=a=b \"c\"", "{\"message\":\"a=b \\\"c\\\"\"}");
	expect_body("state=hold", "{\"state\":\"hold\"}");
	expect_body("session_renewal=true", "{\"session_renewal\":true}");
	expect_body("lanes=[{\"name\":\"main\"}]", "{\"lanes\":[{\"name\":\"main\"}]}");
	expect_body("not_known_here=soon", "{\"not_known_here\":\"soon\"}");
	WR_AUTO(mem_free_at) char *path = temp_file("page.html", "<p>\n</p>");
	char argument[512];
	print_into(argument, "template=@%s", path);
	expect_body(argument, "{\"template\":\"<p>\\n</p>\"}");
}

static void what_is_no_setting_is_refused(void **state)
{
	(void)state;
	static const char *const wrong[][3] = {
		{"capacity=many", NULL, "whole number"},
		{"capacity", NULL, "name=value"},
		{"=5", NULL, "name=value"},
		{"Capacity\"=5", NULL, "no name"},
		{"capacity=1", "capacity=2", "twice"},
		{"template=@/nowhere/at/all", NULL, "No such file"},
	};
	for (size_t i = 0; i < COUNT(wrong); i++) {
		char *made = NULL;
		struct err_detail detail = {""};
		char *const argv[] = {(char *)wrong[i][0], (char *)wrong[i][1]};
		assert_int_not_equal(body_of_settings(wrong[i][1] ? 2 : 1, argv, NULL, &made, &detail),
							 WR_OK);
		assert_null(made);
		if (strstr(detail.text, wrong[i][2]) == NULL)
			fail_msg("\"%s\" does not say \"%s\"", detail.text, wrong[i][2]);
	}
}

static void a_text_becomes_part_of_a_url(void **state)
{
	(void)state;
	WR_AUTO(mem_free_at) char *text = url_escape("a/b c&d=é~.-_9");
	assert_string_equal(text, "a%2Fb%20c%26d%3D%C3%A9~.-_9");
}

static void json_on_lines_is_the_same_json(void **state)
{
	(void)state;
	static const char json[] =
		"{\"a\":[1,2,{\"b\":\"}],{[\\\"\"}],\"long\":\"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
		"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\",\"none\":{}}";
	char *text = NULL;
	size_t len = 0;
	FILE *file = open_memstream(&text, &len);
	pretty_print(file, json, 0);
	fclose(file);
	WR_AUTO(json_free_at) struct json_value *document = NULL;
	struct err_detail detail;
	assert_non_null(strstr(text, "{\n\t\"a\": [1,2,{"));
	assert_int_equal(json_parse(text, len, &document, &detail), WR_OK);
	WR_AUTO(mem_free_at) char *compact = json_print(document);
	assert_string_equal(compact, json);
	free(text);
}

int main(void)
{
	setenv("TZ", "UTC", 1);
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(columns_line_up_and_numbers_stand_right),
		cmocka_unit_test(a_narrow_terminal_cuts_the_column_that_may_be_cut),
		cmocka_unit_test(colours_take_no_room),
		cmocka_unit_test(columns_are_counted_not_bytes),
		cmocka_unit_test(numbers_and_times_are_for_people),
		cmocka_unit_test(a_bar_is_never_longer_than_whole),
		cmocka_unit_test(a_bar_appears_on_a_terminal_once_it_takes_long_and_is_wiped),
		cmocka_unit_test(sparklines_show_shares_of_the_largest),
		cmocka_unit_test(a_short_change_is_one_line_and_a_long_one_two),
		cmocka_unit_test(what_is_new_is_only_put_in),
		cmocka_unit_test(a_long_value_is_cut_to_the_terminal),
		cmocka_unit_test(the_effect_is_a_table_and_warnings_follow),
		cmocka_unit_test(values_have_the_types_of_the_settings),
		cmocka_unit_test(what_is_no_setting_is_refused),
		cmocka_unit_test(a_text_becomes_part_of_a_url),
		cmocka_unit_test(json_on_lines_is_the_same_json),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
