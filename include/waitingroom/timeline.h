/* Timeline: what has happened to one place, in order, from what the store keeps of it.
 *
 * What     The store keeps times in fields of the position's hash, and what is rare as notes
 *          (_prelude.lua has the table). Of the notes the last sixteen are there.
 * Used by  cmd/api, for support.
 * Threads  any; pure.
 */
#ifndef WAITINGROOM_TIMELINE_H
#define WAITINGROOM_TIMELINE_H

#include <stddef.h>
#include <stdint.h>

#include "waitingroom/state.h"

#define TIMELINE_TABLE(X)                                                                          \
	X(TIMELINE_JOINED, "joined")                                                                   \
	X(TIMELINE_GAP, "gap")			   /* not heard for so long: detail "95 s" */                  \
	X(TIMELINE_SET_ASIDE, "set_aside") /* not there when the turn came */                          \
	X(TIMELINE_RETURNED, "returned")   /* heard again, stands before the line */                   \
	X(TIMELINE_MOVED, "moved")		   /* taken over by another window or device */                \
	X(TIMELINE_RESTORED, "restored")   /* detail: failover, rebuilt, operator */                   \
	X(TIMELINE_ADMITTED, "admitted")                                                               \
	X(TIMELINE_CLAIMED, "claimed")	 /* the turn was taken up */                                   \
	X(TIMELINE_LEFT, "left")		 /* gave the place up while in line */                         \
	X(TIMELINE_EXPIRED, "expired")	 /* detail: silent, ghost, emptied */                          \
	X(TIMELINE_MISSED, "missed")	 /* the turn was not taken up; detail: left, revoked */        \
	X(TIMELINE_RELEASED, "released") /* the visitor or the site ended the session */               \
	X(TIMELINE_REVOKED, "revoked")	 /* an operator ended it */                                    \
	X(TIMELINE_ENDED, "ended")		 /* the session's time was over */
#define TIMELINE_ENUM(id, word) id,
enum timeline_what { TIMELINE_TABLE(TIMELINE_ENUM) TIMELINE_WHAT_COUNT };
#undef TIMELINE_ENUM
const char *timeline_word(enum timeline_what what);

struct timeline_past { /* as kept; texts borrowed; 0 and "": not kept */
	enum place_state state;
	int64_t joined_ms, aside_ms, let_in_ms, claimed_ms;
	const char *ended; /* "<ms> <why>" */
	const char *notes;
};

struct timeline_entry {
	int64_t at_ms;
	enum timeline_what what;
	char detail[24]; /* "" none */
};
#define TIMELINE_MAX 24

/* Fills the entries by time, those of one moment in the order in which they happened; gives how
 * many. A note that is not understood comes from a newer version, and is passed over. */
size_t timeline_read(const struct timeline_past *past,
					 struct timeline_entry ret_entries[TIMELINE_MAX]);

#endif
