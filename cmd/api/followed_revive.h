/* Reviving a queue that the store has lost (see followed_revive.c). */
#ifndef WAITINGROOM_API_FOLLOWED_REVIVE_H
#define WAITINGROOM_API_FOLLOWED_REVIVE_H

#include "followed.h"
#include "waitingroom/config.h"
#include "waitingroom/store.h"

/* Blocks. True: this pod has done it; false: another one has, or the store is away. */
bool followed_revive(struct followed *followed, struct store *store, const struct config *config);
/* Another pod has revived the queue, or made it anew on an empty store: adds followed->former,
 * which is empty when the store has been told. Blocks. */
void followed_tell_former(struct followed *followed, struct store *store);

#endif
