/* Looks: queues that somebody wants shown before their turn. */
#ifndef WAITINGROOM_API_LOOKS_H
#define WAITINGROOM_API_LOOKS_H

#include <pthread.h>
#include <stdatomic.h>

#include "waitingroom/text.h"

#define LOOKS_MAX 32

struct looks {
	pthread_mutex_t lock; /* of what is asked for: names, count, asked */
	struct queue_name names[LOOKS_MAX];
	size_t count;
	uint64_t asked;
	_Atomic uint64_t done;
};

void looks_init(struct looks *looks);
/* Any thread. Gives the number of the look, which is over when looks_done() is as high. When very
 * many ask at once it is that of the last one before: nobody waits longer. */
uint64_t looks_ask(struct looks *looks, const struct queue_name *name);
uint64_t looks_done(const struct looks *looks);

/* The one thread that looks. Gives how many there are to look at, and what looks_finish() is to be
 * told. */
size_t looks_take(struct looks *looks, struct queue_name ret_names[LOOKS_MAX],
				  uint64_t *ret_number);
void looks_finish(struct looks *looks, uint64_t number);

#endif
