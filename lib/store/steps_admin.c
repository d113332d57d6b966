/* Steps of operators: the audit, and what belongs to no queue: the keys of the admin API, which are on the
 * shard system_shard.
 *
 * As in steps_people.c: store_x writes the script's arguments, x_end unpacks its answer.
 */
#include "lib/store/client.h"

#include <string.h>

/* ---- audit ---- */

void call_add_audit(struct call *call, const struct store_audit *audit)
{
	call_add_text(call, audit ? audit->entry : "");
	call_add_count(call, audit ? audit->keep : 0);
}

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

/* ---- keys ---- */

static void key_end(struct call *call, enum wr_err err, const struct reply *reply)
{
	struct walk walk = walk_begin(err, reply);
	size_t elements = walk_array(&walk);
	const char *word = walk_text(&walk, NULL), *row = "";
	bool none = strcmp(word, "nokey") == 0;
	int64_t now_ms = 0, used_ms = 0;
	size_t len = 0;
	if (!none) {
		walk_expect(&walk, elements == 4 && strcmp(word, "ok") == 0);
		now_ms = walk_int(&walk);
		row = walk_text(&walk, &len);
		used_ms = walk_int(&walk);
	}
	err = walk_end(&walk, call);
	call->fn.key(call->ctx, !err && none ? WR_NOT_FOUND : err, now_ms, used_ms, row, len);
}

void store_look_key(struct store *store, const char *id, store_key_fn fn, void *ctx)
{
	struct call *call = call_script(store, SCRIPT_ADMIN_KEY_LOOK, &system_shard, 1, key_end, ctx);
	call->fn.key = fn;
	call_add_text(call, id);
	call_send(call);
}

static void noted_end(struct call *call, enum wr_err err, const struct reply *reply)
{
	(void)call, (void)err, (void)reply;
}

void store_note_key_used(struct store *store, const char *id, int64_t now_ms)
{
	struct call *call = call_command(store, 4, noted_end, NULL);
	call_add_text(call, "HSET");
	call_add_key(call, &system_shard, "keys_used");
	call_add_text(call, id);
	call_add_int(call, now_ms);
	call_send(call);
}
