/* Steps of the audit: entries are written down, read back, and kept of queues that have gone.
 *
 * An entry lies in the stream 'audit' of its queue or of system_shard. wr:queues names the queues
 * that there are; a deleted one leaves its name in a list of system_shard until its entries have
 * expired.
 */
#include "lib/store/client.h"

#include "waitingroom/clock.h"

#include <stdio.h>

#define DELETED_KEY "audited" /* name and the second in which its entries expire */

void call_add_audit(struct call *call, const struct store_audit *audit)
{
	call_add_text(call, audit ? audit->entry : "");
	call_add_count(call, audit ? audit->keep : 0);
}

/* ---- writing ---- */

static void audit_end(struct call *call, enum wr_err err, const struct reply *reply)
{
	struct walk walk = walk_begin(err, reply);
	walk_expect(&walk, walk_outcome(&walk) == 1 || walk.err);
	call->fn.done(call->ctx, walk_end(&walk, call));
}

void store_audit(struct store *store, const struct queue_name *queue,
				 const struct store_audit *audit, store_done_fn fn, void *ctx)
{
	struct call *call = call_script(store, SCRIPT_AUDIT, queue, 2, audit_end, ctx);
	call->fn.done = fn;
	call_add_audit(call, audit);
	call_send(call);
}

/* ---- queues that have gone ---- */

static void noted_end(struct call *call, enum wr_err err, const struct reply *reply)
{
	(void)call, (void)err, (void)reply;
}

void audit_note_deleted(struct store *store, const struct queue_name *queue, int64_t keep_s)
{
	char name[QUEUE_NAME_TEXT_BYTES];
	int64_t now_s = clock_wall().ms / 1000;
	queue_name_print(queue, name);
	struct call *forget = call_command(store, 4, noted_end, NULL);
	call_add_text(forget, "ZREMRANGEBYSCORE");
	call_add_key(forget, &system_shard, DELETED_KEY);
	call_add_text(forget, "-inf");
	call_add_int(forget, now_s);
	call_send(forget);
	struct call *call = call_command(store, 4, noted_end, NULL);
	call_add_text(call, "ZADD");
	call_add_key(call, &system_shard, DELETED_KEY);
	call_add_int(call, now_s + keep_s);
	call_add_text(call, name);
	call_send(call);
}

void store_deleted_queues(struct store *store, store_queues_fn fn, void *ctx)
{
	struct call *call = call_command(store, 4, queues_end, ctx);
	call->fn.queues = fn;
	call_add_text(call, "ZRANGEBYSCORE");
	call_add_key(call, &system_shard, DELETED_KEY);
	call_add_int(call, clock_wall().ms / 1000);
	call_add_text(call, "+inf");
	call_send(call);
}

/* ---- reading ---- */

static void audited_end(struct call *call, enum wr_err err, const struct reply *reply)
{
	struct walk walk = walk_begin(err, reply);
	size_t count = walk_array(&walk);
	struct audited *entries = scratch_room(call->store, count, sizeof(*entries));
	for (size_t i = 0; i < count && !walk.garbled; i++) {
		walk_expect(&walk, walk_array(&walk) == 2);
		entries[i].id = walk_text(&walk, NULL);
		walk_expect(&walk, walk_array(&walk) == 2);
		walk_text(&walk, NULL); /* 'e', the only field */
		entries[i].entry = walk_text(&walk, &entries[i].len);
	}
	err = walk_end(&walk, call);
	call->fn.audited(call->ctx, err, err ? NULL : entries, err ? 0 : count);
}

void store_read_audit(struct store *store, const struct queue_name *queue, const char *from_id,
					  size_t limit, store_audited_fn fn, void *ctx)
{
	struct call *call = call_command(store, 6, audited_end, ctx);
	call->fn.audited = fn;
	call_add_text(call, "XREVRANGE");
	call_add_key(call, queue, "audit");
	call_add_text(call, from_id);
	call_add_text(call, "-");
	call_add_text(call, "COUNT");
	call_add_count(call, limit);
	call_send(call);
}
