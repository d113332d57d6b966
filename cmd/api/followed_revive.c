/* Revival: the store has lost everything, and this pod still knows the queue.
 *
 * It makes the queue again from its memory: settings, the epoch that was lost, and the highest
 * ticket of each lane, so that no number is given twice. The rest comes from the visitors' tokens
 * (restore.lua). Several pods may try; the first one does it (queue_put.lua), and the others add
 * what they know besides: the last tickets that they gave out, and lives in which the first one
 * slept.
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

/* Its tenant has gone with everything else: it has no description until an operator gives it
 * one. */
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

static enum put_result tell(struct followed *followed, struct store *store,
							const struct former_life *former, uint64_t expected_version,
							enum wr_err *ret_err)
{
	struct queue_revival revival = {
		.lost_epochs = former->epochs, .seen = former->seen, .seen_count = former->seen_count};
	struct put_call call = {.done = false};
	store_put_queue(store, &followed->name, followed->settings, expected_version,
					"{\"revived\":true}", &revival, NULL, on_put, &call);
	store_wait(store, &call.done);
	*ret_err = call.err;
	return call.result;
}

bool followed_revive(struct followed *followed, struct store *store, const struct config *config)
{
	struct former_life former;
	followed_former_life(followed, &former);
	enum wr_err err;
	if (tell(followed, store, &former, UINT64_MAX, &err) != PUT_CREATED || err != WR_OK)
		return false;
	store_claim_queue(store, &followed->name, true, (uint64_t)config->tenant_queues_max, on_claimed,
					  NULL);
	say_revived(followed);
	return true;
}

void followed_tell_former(struct followed *followed, struct store *store)
{
	enum wr_err err;
	/* At this version: when the queue is lost once more, it is not to be made from what was
	 * before. */
	tell(followed, store, &followed->former, followed->settings->version, &err);
	if (err == WR_OK)
		followed->former.epochs[0] = '\0';
}
