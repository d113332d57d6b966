/* mdoc: whatever the text, what comes out is lines that mdoc(7) takes as text. */
#include "waitingroom/mdoc.h"

#include "support/cmocka.h"
#include "support/dice.h"
#include "waitingroom/memory.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What mdoc_text writes; gives. */
static char *written(const char *text, bool literal)
{
	char *page = NULL;
	size_t len = 0;
	FILE *file = open_memstream(&page, &len);
	mdoc_text(file, text, literal);
	fclose(file);
	return page;
}

static void expect(const char *text, bool literal, const char *wanted)
{
	WR_AUTO(mem_free_at) char *page = written(text, literal);
	assert_string_equal(page, wanted);
}

static void what_begins_a_line_is_never_a_macro(void **state)
{
	(void)state;
	expect(".Sh NAME", false, "\\&.Sh NAME\n");
	expect("'quoted'", false, "\\&'quoted'\n");
	expect("a\n.b", true, "a\n\\&.b\n");
	expect("It ends. .So it goes", false, "It ends. .So it goes\n");
	expect("It ends. So it goes", false, "It ends.\nSo it goes\n");
}

static void what_mdoc_has_another_spelling_for_is_spelled_so(void **state)
{
	(void)state;
	expect("C:\\dir", false, "C:\\edir\n");
	expect("say \"yes\" or --yes…", false, "say \\(dqyes\\(dq or \\-\\-yes\\&...\n");
}

static void lines_are_filled_but_literal_ones_stay(void **state)
{
	(void)state;
	char words[400] = "";
	for (int i = 0; i < 60; i++)
		strcat(words, "word ");
	WR_AUTO(mem_free_at) char *filled = written(words, false);
	WR_AUTO(mem_free_at) char *literal = written(words, true);
	for (const char *at = filled; *at != '\0'; at += strcspn(at, "\n") + 1)
		assert_in_range(strcspn(at, "\n"), 0, 80);
	assert_int_equal(strcspn(literal, "\n"), strlen(words));
}

/* Of the characters that matter, in any order: no line begins with a control character, and nothing
 * is lost. */
static void any_text_stays_text(void **state)
{
	(void)state;
	static const char some[] = ".'\\\" aB\n-";
	dice_start();
	for (int round = 0; round < 2000; round++) {
		char text[120];
		size_t len = dice(sizeof(text)), letters = 0, found = 0;
		for (size_t i = 0; i < len; i++) {
			text[i] = some[dice(sizeof(some) - 1)];
			letters += text[i] == 'a' || text[i] == 'B';
		}
		text[len] = '\0';
		WR_AUTO(mem_free_at) char *page = written(text, dice(2) == 1);
		for (const char *at = page; *at != '\0'; at++) {
			bool begins = at == page || at[-1] == '\n';
			assert_false(begins && (*at == '.' || *at == '\''));
			found += *at == 'a' || *at == 'B';
		}
		assert_int_equal(found, letters);
	}
}

static void a_page_has_its_head_lists_and_sections(void **state)
{
	(void)state;
	WR_AUTO(mem_free_at) char *page = NULL;
	size_t len = 0;
	FILE *file = open_memstream(&page, &len);
	mdoc_head(file, "wrthing", 1, "a test", "does things");
	mdoc_section(file, "OPTIONS");
	mdoc_list(file);
	mdoc_option(file, 'f', "file", "FILE", "What to read.");
	mdoc_option(file, 0, "quiet", NULL, "Says less.");
	mdoc_item(file, "Ev", "WR_X", "A variable.");
	mdoc_list_end(file);
	fclose(file);
	assert_memory_equal(page, ".\\\" Made by a test; not to be edited.\n.Dd ", 41);
	assert_non_null(strstr(page, "\n.Dt WRTHING 1\n.Os\n.Sh NAME\n.Nm wrthing\n.Nd does things\n"));
	assert_non_null(strstr(page, ".Sh OPTIONS\n.Bl -tag -width Ds -compact\n"
								 ".It Fl f , Fl \\-file Ar FILE\nWhat to read.\n"
								 ".It Fl \\-quiet\nSays less.\n.It Ev WR_X\nA variable.\n.El\n"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_begins_a_line_is_never_a_macro),
		cmocka_unit_test(what_mdoc_has_another_spelling_for_is_spelled_so),
		cmocka_unit_test(lines_are_filled_but_literal_ones_stay),
		cmocka_unit_test(any_text_stays_text),
		cmocka_unit_test(a_page_has_its_head_lists_and_sections),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
