/* State of a place: letters, words and allowed moves. */
#include "waitingroom/state.h"

#include "support/cmocka.h"
#include <string.h>

static void every_state_comes_back_from_its_letter(void **state)
{
	(void)state;
	for (unsigned i = 0; i < PLACE_STATE_COUNT; i++)
		assert_int_equal(place_state_from_letter(place_state_letter((enum place_state)i)), i);
}

static void an_unknown_letter_is_no_place(void **state)
{
	(void)state;
	assert_int_equal(place_state_from_letter('W'), PLACE_NONE);
	assert_int_equal(place_state_from_letter('\0'), PLACE_NONE);
}

static void a_number_that_is_no_state_reads_as_none(void **state)
{
	(void)state;
	enum place_state strange = (enum place_state)(PLACE_STATE_COUNT + 3);
	assert_string_equal(place_state_word(strange), "none");
	assert_int_equal(place_state_letter(strange), '-');
	assert_false(place_state_may_move(strange, PLACE_WAITING));
	assert_false(place_state_may_move(PLACE_WAITING, strange));
}

static void a_claimed_place_is_shown_as_admitted(void **state)
{
	(void)state;
	assert_string_equal(place_state_word(PLACE_CLAIMED), "admitted");
	assert_string_equal(place_state_word(PLACE_ADMITTED), "admitted");
}

static void polls_of_ended_places_get_the_reason_and_of_live_ones_none(void **state)
{
	(void)state;
	for (unsigned i = 0; i < PLACE_STATE_COUNT; i++) {
		bool terminal = place_state_is_terminal((enum place_state)i);
		enum wr_err err = place_state_poll_error((enum place_state)i);
		assert_int_equal(terminal, err != WR_OK);
		if (terminal)
			assert_int_equal(err_http_status(err), 410);
	}
	assert_int_equal(place_state_poll_error(PLACE_MISSED), WR_TURN_MISSED);
	assert_int_equal(place_state_poll_error(PLACE_LEFT), WR_PLACE_LEFT);
}

static const struct {
	char from;
	const char *to; /* letters */
} moves[] = {
	{'-', "wa"}, {'w', "alx"}, {'a', "cm"}, {'c', "e"}, {'e', ""}, {'l', ""}, {'x', ""}, {'m', ""},
};

static void only_the_moves_of_the_picture_are_allowed(void **state)
{
	(void)state;
	for (size_t i = 0; i < PLACE_STATE_COUNT; i++) {
		for (unsigned to = 0; to < PLACE_STATE_COUNT; to++) {
			bool drawn = strchr(moves[i].to, place_state_letter((enum place_state)to));
			assert_int_equal(
				place_state_may_move(place_state_from_letter(moves[i].from), (enum place_state)to),
				drawn);
		}
	}
}

static void nothing_moves_on_from_an_ended_place(void **state)
{
	(void)state;
	for (unsigned from = PLACE_WAITING; from < PLACE_STATE_COUNT; from++)
		for (unsigned to = 0; to < PLACE_STATE_COUNT; to++)
			if (place_state_is_terminal((enum place_state)from))
				assert_false(place_state_may_move((enum place_state)from, (enum place_state)to));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_state_comes_back_from_its_letter),
		cmocka_unit_test(an_unknown_letter_is_no_place),
		cmocka_unit_test(a_number_that_is_no_state_reads_as_none),
		cmocka_unit_test(a_claimed_place_is_shown_as_admitted),
		cmocka_unit_test(polls_of_ended_places_get_the_reason_and_of_live_ones_none),
		cmocka_unit_test(only_the_moves_of_the_picture_are_allowed),
		cmocka_unit_test(nothing_moves_on_from_an_ended_place),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
