/* State of a place: the table of include/waitingroom/state.h as data, and the moves between them.
 *
 * A place is born waiting, or admitted at once when the room is empty. From there it only moves
 * forward; nothing ever comes back to waiting by itself, so a place that ended cannot be admitted a
 * second time (invariants I1 and I7). An operator who puts a place back begins another time in
 * line. Somebody admitted who leaves, or is revoked, before taking the turn up has missed it; a
 * session ends whether it ran out, was released or was revoked. That the store has forgotten a
 * place is not a move: the row simply reads as none.
 *
 * The scripts of the store decide the same moves; a test holds them to this table.
 */
#include "waitingroom/state.h"

struct state_row {
	char letter;
	bool terminal;
	enum wr_err poll_error;
	const char *word;
};

#define STATE_ROW(name, letter_, word_, terminal_, err)                                            \
	[name] = {.letter = (letter_), .word = (word_), .terminal = (terminal_), .poll_error = (err)},
static const struct state_row state_rows[PLACE_STATE_COUNT] = {PLACE_STATE_TABLE(STATE_ROW)};
#undef STATE_ROW

#define TO(state) (1u << (state))
static const unsigned allowed_moves[PLACE_STATE_COUNT] = {
	[PLACE_NONE] = TO(PLACE_WAITING) | TO(PLACE_ADMITTED),
	[PLACE_WAITING] = TO(PLACE_ADMITTED) | TO(PLACE_LEFT) | TO(PLACE_EXPIRED),
	[PLACE_ADMITTED] = TO(PLACE_CLAIMED) | TO(PLACE_MISSED),
	[PLACE_CLAIMED] = TO(PLACE_ENDED),
};
#undef TO

static enum place_state known(enum place_state state)
{
	return (unsigned)state < PLACE_STATE_COUNT ? state : PLACE_NONE;
}

char place_state_letter(enum place_state state)
{
	return state_rows[known(state)].letter;
}

enum place_state place_state_from_letter(char letter)
{
	for (unsigned i = 0; i < PLACE_STATE_COUNT; i++)
		if (state_rows[i].letter == letter)
			return (enum place_state)i;
	return PLACE_NONE;
}

const char *place_state_word(enum place_state state)
{
	return state_rows[known(state)].word;
}

bool place_state_is_terminal(enum place_state state)
{
	return state_rows[known(state)].terminal;
}

enum wr_err place_state_poll_error(enum place_state state)
{
	return state_rows[known(state)].poll_error;
}

bool place_state_may_move(enum place_state from, enum place_state to)
{
	return (unsigned)from < PLACE_STATE_COUNT && (unsigned)to < PLACE_STATE_COUNT &&
		   (allowed_moves[from] >> to & 1u);
}
