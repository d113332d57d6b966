/* JSON from outside: what is taken, what is refused and why, and that values come back as sent. */
#include "waitingroom/json_in.h"
#include "support/cmocka.h"
#include "waitingroom/memory.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static struct json_value *parsed(const char *text)
{
	struct json_value *document = NULL;
	struct err_detail detail = {0};
	if (json_parse(text, strlen(text), &document, &detail) != WR_OK)
		fail_msg("%s: %s", text, detail.text);
	return document;
}

static void json_that_is_plain_is_taken_and_prints_as_it_came(void **state)
{
	(void)state;
	static const char *const fine[] = {
		"{}",
		"[]",
		"null",
		"true",
		"\"\"",
		"0",
		"-1",
		"{\"a\":[1,2,{\"b\":null}],\"A\":false}",
		"[1.5,-0.25,1000]",
		"\"\\\"\\\\\\b\\f\\n\\r\\t\"",
		"\"gr\xc3\xbc\xc3\x9f \xf0\x9f\x91\x8b\"",
	};
	for (size_t i = 0; i < COUNT(fine); i++) {
		WR_AUTO(json_free_at) struct json_value *document = parsed(fine[i]);
		WR_AUTO(mem_free_at) char *text = json_print(document);
		assert_string_equal(text, fine[i]);
	}
}

static void white_space_around_tokens_is_fine(void **state)
{
	(void)state;
	WR_AUTO(json_free_at)
	struct json_value *document =
		parsed(" \t\r\n{ \"a\" : [ 1 , 2 ] , \"b\" : \"/\\/\\u00e9\" } \n");
	const char *text;
	assert_true(json_string(json_member(document, "b"), &text));
	assert_string_equal(text, "//\xc3\xa9");
}

static const struct {
	const char *text;
	size_t len; /* 0: strlen */
	const char *why;
} refused[] = {
	{"", 0, "ends too early"},
	{" ", 0, "ends too early"},
	{"{", 0, "name in quotes"},
	{"[1", 0, "ends too early"},
	{"[1,", 0, "ends too early"},
	{"{} {}", 0, "behind the value"},
	{"{}x", 0, "behind the value"},
	{"{}\0", 3, "behind the value"},
	{"\0", 1, "not a value"},
	{"\xef\xbb\xbf{}", 0, "not a value"},
	{"[1,]", 0, "not a value"},
	{"[,1]", 0, "not a value"},
	{"[1 2]", 0, "comma"},
	{"{\"a\":1,}", 0, "name in quotes"},
	{"{a:1}", 0, "name in quotes"},
	{"{'a':1}", 0, "name in quotes"},
	{"{\"a\" 1}", 0, "colon"},
	{"{\"a\":}", 0, "not a value"},
	{"[}", 0, "not a value"},
	{"{]", 0, "name in quotes"},
	{"[1}", 0, "comma"},
	{"]", 0, "not a value"},
	{"TRUE", 0, "not a value"},
	{"nul", 0, "not a value"},
	{"truefalse", 0, "behind the value"},
	{"NaN", 0, "not a value"},
	{"Infinity", 0, "not a value"},
	{"// no\n1", 0, "not a value"},
	{"01", 0, "number"},
	{"-", 0, "number"},
	{"+1", 0, "not a value"},
	{"1.", 0, "number"},
	{".5", 0, "not a value"},
	{"1e", 0, "number"},
	{"1e+", 0, "number"},
	{"0x10", 0, "behind the value"},
	{"10000000000000000000000000000000000000000", 0, "too many digits"},
	{"\"abc", 0, "does not end"},
	{"\"a\nb\"", 0, "control character"},
	{"\"a\tb\"", 0, "control character"},
	{"\"a\0b\"", 5, "control character"},
	{"\"\\u0000\"", 0, "NUL"},
	{"\"\\x41\"", 0, "escape"},
	{"\"\\u12\"", 0, "escape"},
	{"\"\\u12g4\"", 0, "escape"},
	{"\"\\", 0, "escape"},
	{"\"\\ud800\"", 0, "surrogate"},
	{"\"\\ud800\\u0041\"", 0, "surrogate"},
	{"\"\\udc00\"", 0, "surrogate"},
	{"\"\\ud83d\\ud83d\"", 0, "surrogate"},
	{"\"\\ud800\\", 0, "surrogate"},
	{"\"\x80\"", 0, "UTF-8"},
	{"\"\xc0\xaf\"", 0, "UTF-8"},
	{"\"\xed\xa0\x80\"", 0, "UTF-8"},
	{"\"\xf5\x80\x80\x80\"", 0, "UTF-8"},
	{"\"\xe2\x82\"", 0, "UTF-8"},
	{"{\"a\":1,\"a\":1}", 0, "twice"},
	{"{\"a\":1,\"b\":2,\"\\u0061\":3}", 0, "twice"},
	{"[{\"x\":{\"k\":1,\"l\":2,\"k\":3}}]", 0, "twice"},
};

static void json_that_is_not_plain_is_refused_with_a_reason(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(refused); i++) {
		struct json_value *document = NULL;
		struct err_detail detail = {0};
		size_t len = refused[i].len ? refused[i].len : strlen(refused[i].text);
		enum wr_err err = json_parse(refused[i].text, len, &document, &detail);
		if (err != WR_MALFORMED || document || !strstr(detail.text, refused[i].why))
			fail_msg("%s: want \"%s\", got %s \"%s\"", refused[i].text, refused[i].why,
					 err_code(err), detail.text);
	}
}

static void the_reason_names_the_byte(void **state)
{
	(void)state;
	struct json_value *document;
	struct err_detail detail;
	assert_int_equal(json_parse("{\"a\":tru}", 9, &document, &detail), WR_MALFORMED);
	assert_string_equal(detail.text, "not JSON at byte 5: not a value");
	assert_int_equal(json_parse("x", 1, &document, NULL), WR_MALFORMED);
}

static void only_len_bytes_are_read(void **state)
{
	(void)state;
	char *exact = malloc(4); /* the sanitizer sees a read behind it */
	memcpy(exact, "[12]", 4);
	struct json_value *document = NULL;
	assert_int_equal(json_parse(exact, 3, &document, NULL), WR_MALFORMED);
	assert_int_equal(json_parse(exact, 4, &document, NULL), WR_OK);
	json_free(document);
	free(exact);
}

static void sixteen_levels_are_taken_and_seventeen_refused(void **state)
{
	(void)state;
	char text[34];
	memset(text, '[', 17);
	memset(text + 17, ']', 17);
	struct json_value *document = NULL;
	struct err_detail detail;
	assert_int_equal(json_parse(text + 1, 32, &document, &detail), WR_OK);
	json_free(document);
	assert_int_equal(json_parse(text, 34, &document, &detail), WR_MALFORMED);
	assert_non_null(strstr(detail.text, "deep"));
}

static void siblings_do_not_count_as_depth(void **state)
{
	(void)state;
	char text[2 + 3 * 100];
	size_t len = 0;
	text[len++] = '[';
	for (size_t i = 0; i < 100; i++)
		len += (size_t)sprintf(text + len, "%s", i ? ",{}" : "{}");
	text[len++] = ']';
	struct json_value *document = NULL;
	assert_int_equal(json_parse(text, len, &document, NULL), WR_OK);
	assert_int_equal(json_count(document), 100);
	json_free(document);
}

static void an_object_of_ten_thousand_members_is_checked_for_duplicates(void **state)
{
	(void)state;
	char *text = malloc(10000 * 16);
	size_t len = 0;
	for (int i = 0; i < 10000; i++)
		len += (size_t)sprintf(text + len, "%c\"m%d\":%d", i ? ',' : '{', i * 7919 % 10007, i);
	text[len] = '}';
	struct json_value *document = NULL;
	assert_int_equal(json_parse(text, len + 1, &document, NULL), WR_OK);
	json_free(document);
	len += (size_t)sprintf(text + len, ",\"m7919\":1}");
	assert_int_equal(json_parse(text, len, &document, NULL), WR_MALFORMED);
	free(text);
}

static void members_are_found_by_their_exact_name(void **state)
{
	(void)state;
	WR_AUTO(json_free_at) struct json_value *document = parsed("{\"Queue\":1,\"queue\":2}");
	int64_t number;
	assert_true(json_int(json_member(document, "queue"), &number));
	assert_int_equal(number, 2);
	assert_null(json_member(document, "QUEUE"));
	assert_null(json_member(json_at(document, 0), "queue"));
	assert_null(json_member(NULL, "queue"));
}

static void containers_are_walked_by_position(void **state)
{
	(void)state;
	WR_AUTO(json_free_at)
	struct json_value *document = parsed("{\"a\":[true,\"x\",null],\"b\":{}}");
	assert_int_equal(json_count(document), 2);
	assert_string_equal(json_key(json_at(document, 1)), "b");
	const struct json_value *list = json_member(document, "a");
	assert_true(json_is_array(list));
	assert_false(json_is_object(list));
	assert_int_equal(json_count(list), 3);
	assert_null(json_key(json_at(list, 0)));
	assert_true(json_is_null(json_at(list, 2)));
	assert_null(json_at(list, 3));
	assert_int_equal(json_count(json_at(list, 1)), 0);
	assert_null(json_at(json_at(list, 1), 0));
}

static void a_value_reads_only_as_its_own_type(void **state)
{
	(void)state;
	WR_AUTO(json_free_at) struct json_value *document = parsed("[\"1\",1,true,null,[]]");
	const char *text = "untouched";
	int64_t number = 42;
	bool flag = true;
	for (size_t i = 0; i < 5; i++) {
		const struct json_value *value = json_at(document, i);
		assert_int_equal(json_string(value, &text), i == 0);
		assert_int_equal(json_int(value, &number), i == 1);
		assert_int_equal(json_bool(value, &flag), i == 2);
	}
	assert_false(json_string(NULL, &text));
	assert_false(json_int(NULL, &number));
	assert_false(json_bool(NULL, &flag));
}

static void whole_numbers_are_exact_up_to_2_to_the_53(void **state)
{
	(void)state;
	static const struct {
		const char *text;
		bool whole;
		int64_t number;
	} rows[] = {
		{"9007199254740992", true, INT64_C(9007199254740992)},
		{"9007199254740991", true, INT64_C(9007199254740991)},
		{"-9007199254740992", true, -INT64_C(9007199254740992)},
		{"9007199254740993", false, 0},
		{"9007199254740994", false, 0},
		{"-9007199254740993", false, 0},
		{"9223372036854775808", false, 0},
		{"1e300", false, 0},
		{"0.99999999999999999999", false, 0},
		{"1.5", false, 0},
		{"1e-1", false, 0},
		{"1.0", true, 1},
		{"1e3", true, 1000},
		{"-0", true, 0},
		{"0e9", true, 0},
	};
	for (size_t i = 0; i < COUNT(rows); i++) {
		WR_AUTO(json_free_at) struct json_value *document = parsed(rows[i].text);
		int64_t number = 0;
		if (json_int(document, &number) != rows[i].whole || number != rows[i].number)
			fail_msg("%s reads as %lld", rows[i].text, (long long)number);
	}
}

static void numbers_that_a_double_would_change_print_as_they_came(void **state)
{
	(void)state;
	static const char text[] =
		"{\"-1\":\"\\\\\\\"7\",\"id\":12345678901234567890,\"l\":[3,9007199254740993,"
		"1e-400,0.1000000000000000055],\"n\":7}";
	WR_AUTO(json_free_at) struct json_value *document = parsed(text);
	WR_AUTO(mem_free_at) char *printed = json_print(document);
	assert_string_equal(printed, text);
}

static void numbers_that_no_double_can_hold_are_refused(void **state)
{
	(void)state;
	static const char *const texts[] = {"1e400", "-1e999", "{\"a\":[1,{\"b\":1e999}]}"};
	for (size_t i = 0; i < COUNT(texts); i++) {
		struct json_value *document = NULL;
		struct err_detail detail = {""};
		assert_int_equal(json_parse(texts[i], strlen(texts[i]), &document, &detail), WR_MALFORMED);
		assert_string_equal(detail.text, "a number is too large");
	}
}

static void freeing_nothing_is_fine(void **state)
{
	(void)state;
	json_free(NULL);
	struct json_value *none = NULL;
	json_free_at(&none);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(json_that_is_plain_is_taken_and_prints_as_it_came),
		cmocka_unit_test(white_space_around_tokens_is_fine),
		cmocka_unit_test(json_that_is_not_plain_is_refused_with_a_reason),
		cmocka_unit_test(the_reason_names_the_byte),
		cmocka_unit_test(only_len_bytes_are_read),
		cmocka_unit_test(sixteen_levels_are_taken_and_seventeen_refused),
		cmocka_unit_test(siblings_do_not_count_as_depth),
		cmocka_unit_test(an_object_of_ten_thousand_members_is_checked_for_duplicates),
		cmocka_unit_test(members_are_found_by_their_exact_name),
		cmocka_unit_test(containers_are_walked_by_position),
		cmocka_unit_test(a_value_reads_only_as_its_own_type),
		cmocka_unit_test(whole_numbers_are_exact_up_to_2_to_the_53),
		cmocka_unit_test(numbers_that_a_double_would_change_print_as_they_came),
		cmocka_unit_test(numbers_that_no_double_can_hold_are_refused),
		cmocka_unit_test(freeing_nothing_is_fine),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
