/* Looks: who has changed a queue asks the sync thread to look at it now.
 *
 *     internal port ─► looks_ask ─► sync: looks_take ─► picture shown ─► looks_finish ─► the answer
 *
 * Shared between threads: the names under 'lock', which is held for a copy of them; 'done' is the
 * sync thread's, and read by who has asked.
 */
#include "looks.h"

#include <string.h>

void looks_init(struct looks *looks)
{
	pthread_mutex_init(&looks->lock, NULL);
}

uint64_t looks_ask(struct looks *looks, const struct queue_name *name)
{
	pthread_mutex_lock(&looks->lock);
	if (looks->count < LOOKS_MAX) {
		looks->names[looks->count++] = *name;
		looks->asked++;
	}
	uint64_t number = looks->asked;
	pthread_mutex_unlock(&looks->lock);
	return number;
}

uint64_t looks_done(const struct looks *looks)
{
	return atomic_load_explicit(&looks->done, memory_order_acquire);
}

size_t looks_take(struct looks *looks, struct queue_name ret_names[LOOKS_MAX], uint64_t *ret_number)
{
	pthread_mutex_lock(&looks->lock);
	size_t count = looks->count;
	memcpy(ret_names, looks->names, count * sizeof(*ret_names));
	looks->count = 0;
	*ret_number = looks->asked;
	pthread_mutex_unlock(&looks->lock);
	return count;
}

void looks_finish(struct looks *looks, uint64_t number)
{
	atomic_store_explicit(&looks->done, number, memory_order_release);
}
