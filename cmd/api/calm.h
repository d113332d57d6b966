/* Calm: which queues a pod need not ask about in every round. The sync thread's, but for astir. */
#ifndef WAITINGROOM_API_CALM_H
#define WAITINGROOM_API_CALM_H

#include "app.h"
#include "followed.h"

/* Any thread. Something goes on in a queue here: its next rounds all ask about it. */
void calm_astir(struct app *app, uint32_t slot);

/* After an answer about the queue. */
void calm_note(struct followed *followed, const struct synced *answer);

/* Whether this round can do without the queue. round: their number. */
bool calm_may_wait(struct app *app, struct followed *followed, uint64_t round);

#endif
