/* Languages of the page: who gets which, and that a missing text is said in English. */
#include "cmd/api/language.h"

#include <string.h>

#include "support/cmocka.h"

static struct languages *languages;

static int begin(void **state)
{
	(void)state;
	languages = languages_new();
	return 0;
}

static int end(void **state)
{
	(void)state;
	languages_free(languages);
	return 0;
}

static const char *chosen(const char *wanted, const char *cookie, const char *accepted)
{
	return languages->all[languages_choose(languages, wanted, cookie, accepted)].code;
}

static void the_query_wins_over_the_cookie_and_that_over_the_browser(void **state)
{
	(void)state;
	assert_string_equal(chosen("de", "fr", "ja"), "de");
	assert_string_equal(chosen(NULL, "fr", "ja"), "fr");
	assert_string_equal(chosen(NULL, NULL, "ja"), "ja");
	assert_string_equal(chosen(NULL, NULL, NULL), "en");
	assert_string_equal(chosen("tlh", "xx", "ja"), "ja");
}

static void the_browser_s_languages_count_by_their_weight(void **state)
{
	(void)state;
	assert_string_equal(chosen(NULL, NULL, "en;q=0.2, de;q=0.8, fr;q=0.5"), "de");
	assert_string_equal(chosen(NULL, NULL, "tlh, nl;q=0.1"), "nl");
	assert_string_equal(chosen(NULL, NULL, "fr, de"), "fr");
	assert_string_equal(chosen(NULL, NULL, "fr;q=0, de;q=0.001"), "de");
	assert_string_equal(chosen(NULL, NULL, "*"), "en");
	assert_string_equal(chosen(NULL, NULL, "tlh"), "en");
}

static void a_regional_form_finds_its_language(void **state)
{
	(void)state;
	assert_string_equal(chosen("pt-BR", NULL, NULL), "pt");
	assert_string_equal(chosen("DE-de-1996", NULL, NULL), "de");
	assert_string_equal(chosen(NULL, NULL, "pt-BR,pt;q=0.9,en;q=0.8"), "pt");
	assert_int_equal(strncmp(chosen("zh-CN", NULL, NULL), "zh", 2), 0);
	assert_int_equal(strncmp(chosen("zh-Hans-CN", NULL, NULL), "zh", 2), 0);
	assert_int_equal(strncmp(chosen("zh", NULL, NULL), "zh", 2), 0);
}

static void nonsense_is_no_language(void **state)
{
	static const char *const tags[] = {"",			 "-",	 "--", "d",		  "en-", "e",
									   "../lang/de", "de/x", "*",  "deutsch", "-de"};
	(void)state;
	for (size_t i = 0; i < sizeof(tags) / sizeof(tags[0]); i++)
		assert_string_equal(chosen(tags[i], NULL, NULL), "en");
	char longest[4096];
	memset(longest, 'a', sizeof(longest));
	longest[sizeof(longest) - 1] = '\0';
	assert_string_equal(chosen(longest, longest, longest), "en");
}

static void a_text_that_a_language_lacks_is_said_in_english(void **state)
{
	(void)state;
	struct languages two = {.count = 2, .english = 0};
	struct err_detail detail;
	strcpy(two.all[0].code, "en");
	strcpy(two.all[1].code, "xx");
	static const char en[] = "{\"a\":\"one\",\"b\":\"two\"}", xx[] = "{\"a\":\"eins\"}";
	assert_int_equal(json_parse(en, strlen(en), &two.all[0].strings, &detail), WR_OK);
	assert_int_equal(json_parse(xx, strlen(xx), &two.all[1].strings, &detail), WR_OK);
	assert_string_equal(language_string(&two, 1, "a"), "eins");
	assert_string_equal(language_string(&two, 1, "b"), "two");
	assert_string_equal(language_string(&two, 1, "c"), "");
	json_free(two.all[0].strings);
	json_free(two.all[1].strings);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_query_wins_over_the_cookie_and_that_over_the_browser),
		cmocka_unit_test(the_browser_s_languages_count_by_their_weight),
		cmocka_unit_test(a_regional_form_finds_its_language),
		cmocka_unit_test(nonsense_is_no_language),
		cmocka_unit_test(a_text_that_a_language_lacks_is_said_in_english),
	};
	return cmocka_run_group_tests(tests, begin, end);
}
