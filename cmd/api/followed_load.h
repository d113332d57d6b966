/* Loading a lane's index from the store's bitmap (see followed_load.c). */
#ifndef WAITINGROOM_API_FOLLOWED_LOAD_H
#define WAITINGROOM_API_FOLLOWED_LOAD_H

#include "followed.h"
#include "waitingroom/store.h"

/* Blocks. The index has then at least what had left when it was asked for.
 * WR_STORE_AWAY; what was loaded stays, and the rest is loaded the next time. */
WR_MUST_USE enum wr_err followed_load_lane(struct followed *followed, size_t lane,
										   struct store *store);

/* A store that took over from one that knew more is told which tickets have left by this pod's
 * picture: counted again here and there, they would make the numbers of those behind grow.
 * Blocks. */
enum wr_err followed_tell_departures(struct followed *followed, size_t lane, struct store *store);

#endif
