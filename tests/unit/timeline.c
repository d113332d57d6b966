/* The timeline of a place, from what the store keeps of it. */
#include "waitingroom/timeline.h"
#include "support/cmocka.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* "joined@5 gap@7(95 s) …" */
static void expect(const struct timeline_past *past, const char *wanted)
{
	struct timeline_entry entries[TIMELINE_MAX];
	char text[1024] = "";
	size_t len = 0, count = timeline_read(past, entries);
	for (size_t i = 0; i < count; i++) {
		const char *detail = entries[i].detail;
		len += (size_t)snprintf(text + len, sizeof(text) - len, "%s%s@%" PRId64 "%s%s%s",
								i > 0 ? " " : "", timeline_word(entries[i].what), entries[i].at_ms,
								*detail ? "(" : "", detail, *detail ? ")" : "");
	}
	assert_string_equal(text, wanted);
}

static struct timeline_past past_of(enum place_state state, const char *ended, const char *notes)
{
	return (struct timeline_past){.state = state, .joined_ms = 5, .ended = ended, .notes = notes};
}

static void somebody_who_just_waits_has_joined(void **state)
{
	(void)state;
	struct timeline_past past = past_of(PLACE_WAITING, "", "");
	expect(&past, "joined@5");
}

static void everything_is_told_in_order(void **state)
{
	(void)state;
	struct timeline_past past =
		past_of(PLACE_ENDED, "90 released", "g20:95000 a30 b40 m45 r50:failover a60 b65");
	past.let_in_ms = 70;
	past.claimed_ms = 80;
	expect(&past, "joined@5 gap@20(95 s) set_aside@30 returned@40 moved@45 restored@50(failover) "
				  "set_aside@60 returned@65 admitted@70 claimed@80 released@90");
}

static void who_is_set_aside_now_is_so_since_then(void **state)
{
	(void)state;
	struct timeline_past past = past_of(PLACE_WAITING, "", "g20:95000");
	past.aside_ms = 30;
	expect(&past, "joined@5 gap@20(95 s) set_aside@30");
	past.aside_ms = 1;
	expect(&past, "joined@5 gap@20(95 s)");
}

static void the_reason_of_an_end_is_said_once(void **state)
{
	(void)state;
	static const struct {
		enum place_state state;
		const char *ended, *wanted;
	} rows[] = {
		{PLACE_EXPIRED, "9 silent", "joined@5 expired@9(silent)"},
		{PLACE_EXPIRED, "9 emptied", "joined@5 expired@9(emptied)"},
		{PLACE_LEFT, "9 left", "joined@5 left@9"},
		{PLACE_MISSED, "9 missed", "joined@5 missed@9"},
		{PLACE_MISSED, "9 left", "joined@5 missed@9(left)"},
		{PLACE_MISSED, "9 revoked", "joined@5 missed@9(revoked)"},
		{PLACE_ENDED, "9 session", "joined@5 ended@9"},
		{PLACE_ENDED, "9 released", "joined@5 released@9"},
		{PLACE_ENDED, "9 left", "joined@5 released@9(left)"},
		{PLACE_ENDED, "9 revoked", "joined@5 revoked@9"},
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct timeline_past past = past_of(rows[i].state, rows[i].ended, "");
		expect(&past, rows[i].wanted);
	}
}

static void what_was_before_a_place_was_put_back_is_told(void **state)
{
	(void)state;
	struct timeline_past past =
		past_of(PLACE_WAITING, "", "i10 M20:missed r30:operator X40:silent r50:operator");
	expect(&past, "joined@5 admitted@10 missed@20 restored@30(operator) expired@40(silent) "
				  "restored@50(operator)");
	past = past_of(PLACE_ADMITTED, "", "X5:silent r5:operator");
	past.let_in_ms = 5;
	expect(&past, "joined@5 expired@5(silent) restored@5(operator) admitted@5");
}

static void notes_that_are_not_understood_are_passed_over(void **state)
{
	(void)state;
	struct timeline_past past =
		past_of(PLACE_EXPIRED, "yesterday",
				"z9 g g: g9 gx:1 9 Z9:what a-1 b10 r11:12345678901234567890123456");
	expect(&past, "joined@5 returned@10 restored@11");
	static char many[4096];
	for (size_t i = 0; i < 400; i++)
		strcat(many, "b10 ");
	past.notes = many;
	struct timeline_entry entries[TIMELINE_MAX];
	assert_int_equal(timeline_read(&past, entries), TIMELINE_MAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(somebody_who_just_waits_has_joined),
		cmocka_unit_test(everything_is_told_in_order),
		cmocka_unit_test(who_is_set_aside_now_is_so_since_then),
		cmocka_unit_test(the_reason_of_an_end_is_said_once),
		cmocka_unit_test(what_was_before_a_place_was_put_back_is_told),
		cmocka_unit_test(notes_that_are_not_understood_are_passed_over),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
