/* Names of tenants, queues and lanes. */
#include "support/cmocka.h"
#include "waitingroom/text.h"

#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static const char longest[] = "a23456789012345678901234567890123456789012345678901234567890123";

static void names_of_63_lower_case_characters_are_fine_and_one_more_is_not(void **state)
{
	(void)state;
	assert_int_equal(strlen(longest), NAME_MAX_CHARS);
	assert_true(name_is_valid(longest, NAME_MAX_CHARS));
	char longer[NAME_MAX_CHARS + 1];
	memset(longer, 'a', sizeof(longer));
	assert_false(name_is_valid(longer, sizeof(longer)));
	assert_true(name_is_valid("0", 1));
	assert_true(name_is_valid("a-", 2));
}

static void names_that_would_need_escaping_are_refused(void **state)
{
	(void)state;
	static const char *const wrong[] = {"",	   "-a",  "A",	 "a b", "a_b", "a.b",  "a/b",
										"a{b", "a}b", "a*b", "a>b", "a:b", "a\nb", "é"};
	for (size_t i = 0; i < COUNT(wrong); i++)
		assert_false(name_is_valid(wrong[i], strlen(wrong[i])));
	assert_false(name_is_valid("a\0b", 3));
}

static void a_bare_queue_belongs_to_the_default_tenant(void **state)
{
	(void)state;
	struct queue_name name;
	assert_true(queue_name_parse("demo", 4, &name));
	assert_string_equal(name.tenant, "default");
	assert_string_equal(name.queue, "demo");
}

static void queue_names_are_printed_as_they_are_parsed(void **state)
{
	(void)state;
	char text[QUEUE_NAME_TEXT_BYTES], back[QUEUE_NAME_TEXT_BYTES];
	memcpy(text, longest, NAME_MAX_CHARS);
	text[NAME_MAX_CHARS] = '/';
	memcpy(text + NAME_MAX_CHARS + 1, longest, NAME_MAX_CHARS + 1);
	struct queue_name name;
	assert_true(queue_name_parse(text, strlen(text), &name));
	assert_int_equal(queue_name_print(&name, back), QUEUE_NAME_TEXT_BYTES - 1);
	assert_string_equal(back, text);
}

static void queue_names_with_a_missing_or_extra_part_are_refused(void **state)
{
	(void)state;
	static const char *const wrong[] = {"",			  "/",		  "/demo", "acme/", "acme/demo/x",
										"acme//demo", "Acme/demo"};
	struct queue_name name = {.queue = "kept"};
	for (size_t i = 0; i < COUNT(wrong); i++)
		assert_false(queue_name_parse(wrong[i], strlen(wrong[i]), &name));
	assert_string_equal(name.queue, "kept");
}

static void a_queue_name_equals_only_itself(void **state)
{
	(void)state;
	struct queue_name a, b, c;
	assert_true(queue_name_parse("acme/demo", 9, &a));
	assert_true(queue_name_parse("acme/demo", 9, &b));
	assert_true(queue_name_parse("demo/acme", 9, &c));
	assert_true(queue_name_equal(&a, &b));
	assert_false(queue_name_equal(&a, &c));
	assert_true(queue_name_hash(&a) == queue_name_hash(&b));
	assert_true(queue_name_hash(&a) != queue_name_hash(&c));
	assert_true(queue_name_parse("ac/medemo", 9, &b));
	assert_true(queue_name_hash(&a) != queue_name_hash(&b));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_of_63_lower_case_characters_are_fine_and_one_more_is_not),
		cmocka_unit_test(names_that_would_need_escaping_are_refused),
		cmocka_unit_test(a_bare_queue_belongs_to_the_default_tenant),
		cmocka_unit_test(queue_names_are_printed_as_they_are_parsed),
		cmocka_unit_test(queue_names_with_a_missing_or_extra_part_are_refused),
		cmocka_unit_test(a_queue_name_equals_only_itself),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
