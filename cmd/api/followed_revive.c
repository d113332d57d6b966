/* Revival: the store has lost everything, and this pod still knows the queue.
 *
 * It makes the queue again from its memory: settings, the epoch that was lost, and the highest ticket of
 * each lane, so that no number is given twice. The rest comes from the visitors' tokens
 * (restore.lua). Several pods may try; the first one does it (queue_put.lua).
 */
#include "followed_revive.h"

#include <string.h>

#include "waitingroom/log.h"

struct put_call {
	bool done;
	enum wr_err err;
	enum put_result result;
};

static void on_put(void *ctx, enum wr_err err, enum put_result result, uint64_t version)
{
	struct put_call *call = ctx;
	(void)version;
	call->done = true;
	call->err = err;
	call->result = result;
}

/* Its tenant has gone with everything else: it has no description until an operator gives it one. */
static void on_claimed(void *ctx, enum wr_err err, int64_t number)
{
	(void)ctx, (void)err, (void)number;
}

static void say_revived(const struct followed *followed)
{
	char name[QUEUE_NAME_TEXT_BYTES];
	queue_name_print(&followed->name, name);
	log_event(LOG_LEVEL_WARN, "queue_revived", LOG_TEXT("queue", name),
			  LOG_TEXT("reason", "the store has lost everything"));
}

bool followed_revive(struct followed *followed, struct store *store, const struct config *config)
{
	struct seen_ticket seen[QUEUE_LANES_MAX];
	for (size_t i = 0; i < followed->lane_count; i++) {
		memcpy(seen[i].lane, followed->lanes[i].name, sizeof(seen[i].lane));
		seen[i].ticket = followed->lanes[i].last_ticket;
		uint64_t highest = position_index_highest(followed->lanes[i].index);
		if (seen[i].ticket < highest)
			seen[i].ticket = highest;
	}
	char lost_epochs[LOST_EPOCHS_BYTES];
	epochs_lost(followed->epoch, followed->lost_epochs, lost_epochs);
	struct queue_revival revival = {
		.lost_epochs = lost_epochs, .seen = seen, .seen_count = followed->lane_count};
	struct put_call call = {.done = false};
	store_put_queue(store, &followed->name, followed->settings, UINT64_MAX, "{\"revived\":true}",
					&revival, NULL, on_put, &call);
	store_wait(store, &call.done);
	if (call.err != WR_OK || call.result != PUT_CREATED)
		return false;
	store_claim_queue(store, &followed->name, true, (uint64_t)config->tenant_queues_max, on_claimed,
					  NULL);
	say_revived(followed);
	return true;
}
