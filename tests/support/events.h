/* Events: the whole WAITINGROOM stream of a stack, read back from NATS and held against the
 * promises (story.h) and against what the store says about the same places.
 *
 * Functions fail the running test (cmocka) instead of returning errors.
 */
#ifndef SUPPORT_EVENTS_H
#define SUPPORT_EVENTS_H

#include "support/stack.h"
#include "support/story.h"

/* Waits until nothing of the queue is left in the outbox. queue "tenant/queue" */
void events_await_drained(struct stack *stack, const char *queue, int deadline_ms);

/* Once nothing happens any more in the queue (end its admitters before): waits for the outbox to
 * drain, reads the stream, judges it, and compares: each place of the store is where its events
 * leave it, no place has events only, and the store's own counts agree. After a loss of the store
 * (rules->store_lost) only the places that the store has now are compared.
 * Fills *ret_story; story_free(). */
void events_check(struct stack *stack, const struct story_rules *rules, struct story *ret_story);

#endif
