/* Reviving a queue that the store has lost (see followed_revive.c). */
#ifndef WAITINGROOM_API_FOLLOWED_REVIVE_H
#define WAITINGROOM_API_FOLLOWED_REVIVE_H

#include "followed.h"
#include "waitingroom/config.h"
#include "waitingroom/store.h"

/* Blocks. True: this pod has done it; false: another one has, or the store is away. */
bool followed_revive(struct followed *followed, struct store *store, const struct config *config);

#endif
