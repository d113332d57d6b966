/* Steps of what belongs to no queue: keys of the admin API and tenants. All on the shard
 * system_shard.
 *
 * As in steps_people.c: store_x writes the script's arguments, x_end unpacks its answer.
 */
#include "lib/store/client.h"

#include <stdio.h>
#include <string.h>

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

/* ---- steps that answer with a word and a number ---- */

static void step_end(struct call *call, enum wr_err err, const struct reply *reply)
{
	static const struct answer_word words[] = {
		/* -1: the number of the answer */
		{"ok", WR_OK, -1},
		{"full", WR_QUOTA, -1},
		{"taken", WR_CONFLICT, -1},
		{"queues", WR_CONFLICT, -1},
		{"notenant", WR_NO_TENANT, -1},
		{"nokey", WR_NOT_FOUND, -1},
		{"created", WR_OK, PUT_CREATED},
		{"changed", WR_OK, PUT_CHANGED},
		{"same", WR_OK, PUT_SAME},
	};
	struct walk walk = walk_begin(err, reply);
	walk_expect(&walk, walk_array(&walk) == 2);
	const struct answer_word *answer = WALK_ANSWER(&walk, words);
	int64_t number = walk_int(&walk);
	err = walk_end(&walk, call);
	call->fn.step(call->ctx, err ? err : answer->err, answer->value >= 0 ? answer->value : number);
}

static struct call *step_call(struct store *store, enum script script, size_t arguments,
							  store_step_fn fn, void *ctx)
{
	struct call *call = call_script(store, script, &system_shard, arguments, step_end, ctx);
	call->fn.step = fn;
	return call;
}

void store_put_key(struct store *store, const char *id, const char *row, const char *tenant,
				   uint64_t keys_max, const struct store_audit *audit, store_step_fn fn, void *ctx)
{
	struct call *call = step_call(store, SCRIPT_ADMIN_KEY_PUT, 6, fn, ctx);
	call_add_text(call, id);
	call_add_text(call, row);
	call_add_text(call, tenant);
	call_add_count(call, keys_max);
	call_add_audit(call, audit);
	call_send(call);
}

void store_drop_key(struct store *store, const char *id, const struct store_audit *audit,
					store_step_fn fn, void *ctx)
{
	struct call *call = step_call(store, SCRIPT_ADMIN_KEY_DROP, 3, fn, ctx);
	call_add_text(call, id);
	call_add_audit(call, audit);
	call_send(call);
}

void store_put_tenant(struct store *store, const char *tenant, const char *row,
					  uint64_t tenants_max, const struct store_audit *audit, store_step_fn fn,
					  void *ctx)
{
	struct call *call = step_call(store, SCRIPT_ADMIN_TENANT_PUT, 5, fn, ctx);
	call_add_text(call, tenant);
	call_add_text(call, row);
	call_add_count(call, tenants_max);
	call_add_audit(call, audit);
	call_send(call);
}

void store_drop_tenant(struct store *store, const char *tenant, const struct store_audit *audit,
					   store_step_fn fn, void *ctx)
{
	struct call *call = step_call(store, SCRIPT_ADMIN_TENANT_DROP, 3, fn, ctx);
	call_add_text(call, tenant);
	call_add_audit(call, audit);
	call_send(call);
}

void store_claim_queue(struct store *store, const struct queue_name *queue, bool make,
					   uint64_t queues_max, store_step_fn fn, void *ctx)
{
	struct call *call = step_call(store, SCRIPT_ADMIN_TENANT_CLAIM, 4, fn, ctx);
	call_add_text(call, make ? "make" : "claim");
	call_add_text(call, queue->tenant);
	call_add_text(call, queue->queue);
	call_add_count(call, queues_max);
	call_send(call);
}

void store_free_claim(struct store *store, const struct queue_name *queue)
{
	char list[NAME_MAX_CHARS + sizeof("queues:")];
	struct call *call = call_command(store, 3, noted_end, NULL);
	snprintf(list, sizeof(list), "queues:%s", queue->tenant);
	call_add_text(call, "SREM");
	call_add_key(call, &system_shard, list);
	call_add_text(call, queue->queue);
	call_send(call);
}

/* ---- lists ---- */

static void rows_end(struct call *call, enum wr_err err, const struct reply *reply)
{
	struct walk walk = walk_begin(err, reply);
	size_t left = walk_outcome(&walk);
	int64_t now_ms = walk_int(&walk);
	size_t count = left > 0 ? (left - 1) / 3 : 0;
	struct store_row *rows = scratch_room(call->store, count, sizeof(*rows));
	for (size_t i = 0; i < count; i++) {
		rows[i].name = walk_text(&walk, NULL);
		rows[i].row = walk_text(&walk, &rows[i].row_len);
		rows[i].number = walk_int(&walk);
	}
	err = walk_end(&walk, call);
	call->fn.rows(call->ctx, err, now_ms, err ? NULL : rows, err ? 0 : count);
}

void store_keys(struct store *store, store_rows_fn fn, void *ctx)
{
	struct call *call = call_script(store, SCRIPT_ADMIN_KEYS, &system_shard, 0, rows_end, ctx);
	call->fn.rows = fn;
	call_send(call);
}

void store_tenants(struct store *store, const char *tenant, store_rows_fn fn, void *ctx)
{
	struct call *call = call_script(store, SCRIPT_ADMIN_TENANTS, &system_shard, 1, rows_end, ctx);
	call->fn.rows = fn;
	call_add_text(call, tenant);
	call_send(call);
}
