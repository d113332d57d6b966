/* Outbox: the batch that travels from the store to the relay, and its end. */
#include "waitingroom/outbox.h"

#include <stdlib.h>

void outbox_batch_free(struct outbox_batch *batch)
{
	free(batch->entries);
	free(batch->memory);
	*batch = (struct outbox_batch){0};
}
