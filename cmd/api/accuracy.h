/* Accuracy: a pod tells how good its predictions of the wait were. Sync thread only. */
#ifndef WAITINGROOM_API_ACCURACY_H
#define WAITINGROOM_API_ACCURACY_H

#include "followed.h"

/* A few times a minute, when there is something new; blocks for an answer of the store. */
void accuracy_tell(struct followed *followed, struct store *store, struct mono_time now);

#endif
