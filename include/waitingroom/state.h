/* State of a place: one enum, one table of allowed moves.
 *
 *     waiting ──► admitted ──► claimed ──► ended
 *        │            └──────► missed
 *        ├──► left
 *        └──► expired
 *
 * What     The letters are what the store keeps (field 's' of wr:Q:position:<id>); the Lua scripts
 *          hold the same table by test. 'absent' is not a state: it is a waiting place that was not
 *          there when its turn came. Of itself nothing moves back; an operator may put a place that
 *          has ended back into line (support_restore.lua), which begins another time in line.
 * Used by  store, cmd/api, tests/model.
 * Threads  any.
 */
#ifndef WAITINGROOM_STATE_H
#define WAITINGROOM_STATE_H

#include <stdbool.h>

#include "waitingroom/err.h"

/* name, letter in the store, word in the API, terminal?, error a poll gets */
#define PLACE_STATE_TABLE(X)                                                                       \
	X(PLACE_NONE, '-', "none", true, WR_PLACE_EXPIRED) /* the store knows nothing of it */         \
	X(PLACE_WAITING, 'w', "waiting", false, WR_OK)                                                 \
	X(PLACE_ADMITTED, 'a', "admitted", false, WR_OK)                                               \
	X(PLACE_CLAIMED, 'c', "admitted", false, WR_OK) /* the visitor has the session token */        \
	X(PLACE_ENDED, 'e', "ended", true, WR_SESSION_ENDED)                                           \
	X(PLACE_LEFT, 'l', "left", true, WR_PLACE_LEFT)                                                \
	X(PLACE_EXPIRED, 'x', "expired", true, WR_PLACE_EXPIRED)                                       \
	X(PLACE_MISSED, 'm', "missed", true, WR_TURN_MISSED)

#define PLACE_STATE_ENUM(name, letter, word, terminal, err) name,
enum place_state { PLACE_STATE_TABLE(PLACE_STATE_ENUM) PLACE_STATE_COUNT };
#undef PLACE_STATE_ENUM

/* How a visitor's place is looked up (visit.lua). */
enum visit_kind {
	VISIT_LOOK, /* changes nothing */
	VISIT_POLL, /* somebody set aside comes back, somebody admitted claims */
	VISIT_STAY	/* a poll that does not claim yet */
};

char place_state_letter(enum place_state state);
enum place_state place_state_from_letter(char letter); /* PLACE_NONE when unknown */
const char *place_state_word(enum place_state state);
bool place_state_is_terminal(enum place_state state);
enum wr_err place_state_poll_error(enum place_state state);
bool place_state_may_move(enum place_state from, enum place_state to);

/* What the store counts although it must never be: enum, word in scripts and labels. */
#define VIOLATION_TABLE(X)                                                                         \
	X(VIOLATION_DOUBLE, "double")                                                                  \
	X(VIOLATION_INVERSION, "inversion")                                                            \
	X(VIOLATION_CAPACITY, "capacity")
#define VIOLATION_ENUM(id, word) id,
enum violation { VIOLATION_TABLE(VIOLATION_ENUM) VIOLATION_COUNT };
#undef VIOLATION_ENUM

#endif
