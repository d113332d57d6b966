/* The support code of a place: as the page prints it (tests/page/rules.test.js), and as people type
 * it. */
#include "waitingroom/support_code.h"
#include "support/cmocka.h"

#include <string.h>

static void a_code_is_the_beginning_of_the_id_in_groups_of_three(void **state)
{
	(void)state;
	static const char *const rows[][2] = {{"AAAAAAAAAAAAAAAA", "000-000-000"},
										  {"________________", "ZZZ-ZZZ-ZZZ"},
										  {"0ol-7ZNuNmyDuqFY", "TA4-QXV-CKD"}};
	char code[SUPPORT_CODE_CHARS + 1];
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		support_code_print(rows[i][0], code);
		assert_string_equal(code, rows[i][1]);
	}
	support_code_print("short", code);
	assert_string_equal(code, "");
	support_code_print("with a space in it", code);
	assert_string_equal(code, "");
}

static void a_code_is_read_as_people_type_it(void **state)
{
	(void)state;
	static const char *const same[] = {"701-2K0-QW1", "7012K0QW1", "7o1-2ko-qwi", "7OL 2KO QWL",
									   " 701  2k0--qw1 "};
	uint64_t first, bits;
	assert_true(support_code_parse(same[0], strlen(same[0]), &first));
	for (size_t i = 0; i < sizeof(same) / sizeof(same[0]); i++) {
		assert_true(support_code_parse(same[i], strlen(same[i]), &bits));
		assert_int_equal(bits, first);
	}
}

static void what_is_no_code_is_refused(void **state)
{
	(void)state;
	static const char *const bad[] = {"",
									  "701-2K0-QW",
									  "701-2K0-QW12",
									  "70U-2K0-QW1",
									  "701_2K0_QW1",
									  "701.2K0.QW1",
									  "701-2K0-QW\xc3"};
	uint64_t bits = 7;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_false(support_code_parse(bad[i], strlen(bad[i]), &bits));
	assert_false(support_code_parse("701-2K0-QW\0", 11, &bits));
	assert_int_equal(bits, 7);
}

static void a_code_finds_the_ids_that_begin_with_it(void **state)
{
	(void)state;
	static const char *const ids[] = {"0ol-7ZNuNmyDuqFY", "________________", "AAAAAAAAAAAAAAAA",
									  "-_-_-_-_-_-_-_-_"};
	for (size_t i = 0; i < sizeof(ids) / sizeof(ids[0]); i++) {
		char code[SUPPORT_CODE_CHARS + 1], prefix[SUPPORT_CODE_PREFIX_CHARS + 1];
		uint64_t bits;
		support_code_print(ids[i], code);
		assert_true(support_code_parse(code, strlen(code), &bits));
		support_code_prefix(bits, prefix);
		assert_memory_equal(prefix, ids[i], SUPPORT_CODE_PREFIX_CHARS);
		for (size_t k = 0; k < sizeof(ids) / sizeof(ids[0]); k++)
			assert_int_equal(support_code_is_of(bits, ids[k]), i == k);
	}
	uint64_t bits;
	assert_true(support_code_parse("000-000-000", 11, &bits));
	assert_true(
		support_code_is_of(bits, "AAAAAAAHzzzzzzzz")); /* three bits more are no part of it */
	assert_false(support_code_is_of(bits, "AAAAAAAIzzzzzzzz"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_code_is_the_beginning_of_the_id_in_groups_of_three),
		cmocka_unit_test(a_code_is_read_as_people_type_it),
		cmocka_unit_test(what_is_no_code_is_refused),
		cmocka_unit_test(a_code_finds_the_ids_that_begin_with_it),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
