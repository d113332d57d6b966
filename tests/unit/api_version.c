/* Which versions do If-Match and If-None-Match name? */
#include "support/cmocka.h"

#include "cmd/api/admin_version.h"

static bool names(const char *header, uint64_t version, bool strong)
{
	bool named = false;
	if (!version_is_named(header, true, version, strong, &named))
		fail_msg("%s is refused", header);
	return named;
}

static void a_tag_names_its_version_and_no_other(void **state)
{
	(void)state;
	assert_true(names("\"7\"", 7, true));
	assert_false(names("\"7\"", 8, true));
	assert_false(names("\"77\"", 7, true));
	assert_true(names("  \"7\"  ", 7, true));
	assert_true(names("7", 7, true));
	assert_true(names("\"18446744073709551615\"", UINT64_MAX, true));
	assert_false(names("\"abc\"", 7, true)); /* of somebody else */
	assert_false(names("\"\"", 0, true));
}

static void a_list_names_each_of_its_versions(void **state)
{
	(void)state;
	assert_true(names("\"5\", \"7\",\"9\"", 7, true));
	assert_true(names("\"5\", \"7\",\"9\"", 9, true));
	assert_false(names("\"5\", \"7\",\"9\"", 6, true));
}

static void a_weak_tag_is_good_enough_only_where_nothing_is_changed_by_it(void **state)
{
	(void)state;
	assert_false(names("W/\"7\"", 7, true));
	assert_true(names("W/\"7\"", 7, false));
	assert_true(names("W/\"7\", \"7\"", 7, true));
}

static void a_star_names_whatever_is_there(void **state)
{
	(void)state;
	bool named = true;
	assert_true(names("*", 7, true));
	assert_true(version_is_named("*", false, 0, true, &named));
	assert_false(named);
	assert_true(version_is_named("\"0\"", false, 0, true, &named));
	assert_false(named);
}

static void what_is_no_tag_is_refused(void **state)
{
	(void)state;
	static const char *const wrong[] = {"",		  "new",		 "\"7",		"7\"", "W/7", "\"7\",",
										",\"7\"", "\"7\" \"8\"", "* \"7\"", "**",  "-7",  "\"7\";"};
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		bool named;
		if (version_is_named(wrong[i], true, 7, true, &named))
			fail_msg("\"%s\" is taken", wrong[i]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_tag_names_its_version_and_no_other),
		cmocka_unit_test(a_list_names_each_of_its_versions),
		cmocka_unit_test(a_weak_tag_is_good_enough_only_where_nothing_is_changed_by_it),
		cmocka_unit_test(a_star_names_whatever_is_there),
		cmocka_unit_test(what_is_no_tag_is_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
