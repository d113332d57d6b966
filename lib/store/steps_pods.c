/* Steps of processes: each tells the store how it is, and anybody may ask how they all are. Kept on
 * the shard of what belongs to no queue.
 */
#include "lib/store/client.h"

#include <string.h>

/* ---- rows ---- */

static void said_end(struct call *call, enum wr_err err, const struct reply *reply)
{
	struct walk walk = walk_begin(err, reply);
	walk_expect(&walk, walk_array(&walk) == 2 || walk.err);
	int64_t now_ms = walk_int(&walk);
	walk_array(&walk);
	err = walk_end(&walk, call);
	call->fn.pod(call->ctx, err, err ? 0 : now_ms);
}

static struct call *pods_call(struct store *store, const char *instance, const char *members,
							  int64_t keep_ms, call_end_fn end, void *ctx)
{
	struct call *call = call_script(store, SCRIPT_PODS, &system_shard, 3, end, ctx);
	call_add_text(call, instance);
	call_add_text(call, members);
	call_add_int(call, keep_ms);
	return call;
}

void store_pod_say(struct store *store, const char *instance, const char *members, int64_t keep_ms,
				   store_pod_fn fn, void *ctx)
{
	struct call *call = pods_call(store, instance, members, keep_ms, said_end, ctx);
	call->fn.pod = fn;
	call_send(call);
}

static void pods_end(struct call *call, enum wr_err err, const struct reply *reply)
{
	struct walk walk = walk_begin(err, reply);
	walk_expect(&walk, walk_array(&walk) == 2 || walk.err);
	int64_t now_ms = walk_int(&walk);
	size_t count = walk_array(&walk) / 2;
	struct pod_text *rows = scratch_room(call->store, count, sizeof(*rows));
	for (size_t i = 0; i < count && !walk.garbled; i++) {
		rows[i].instance = walk_text(&walk, NULL);
		rows[i].json = walk_text(&walk, &rows[i].len);
	}
	err = walk_end(&walk, call);
	call->fn.pods(call->ctx, err, err ? 0 : now_ms, err ? NULL : rows, err ? 0 : count);
}

void store_pods(struct store *store, int64_t keep_ms, store_pods_fn fn, void *ctx)
{
	struct call *call = pods_call(store, "", "", keep_ms, pods_end, ctx);
	call->fn.pods = fn;
	call_send(call);
}

/* ---- when somebody last worked on a queue ---- */

/* A field that is not there: nobody has worked on it yet. */
static int64_t int_or_0(struct walk *walk)
{
	const struct reply *reply = walk->reply;
	bool is_nil =
		!walk->err && walk->at < reply->count && reply->items[walk->at].type == REDIS_REPLY_NIL;
	walk->at += is_nil;
	return is_nil ? 0 : walk_int(walk);
}

static void worked_end(struct call *call, enum wr_err err, const struct reply *reply)
{
	struct walk walk = walk_begin(err, reply);
	walk_expect(&walk, walk_array(&walk) == 2 || walk.err);
	int64_t tick_ms = int_or_0(&walk), flush_ms = int_or_0(&walk);
	err = walk_end(&walk, call);
	call->fn.worked(call->ctx, err, err ? 0 : tick_ms, err ? 0 : flush_ms);
}

void store_worked(struct store *store, const struct queue_name *queue, store_worked_fn fn,
				  void *ctx)
{
	struct call *call = call_command(store, 4, worked_end, ctx);
	call->fn.worked = fn;
	call_add_text(call, "HMGET");
	call_add_key(call, queue, "clock");
	call_add_text(call, "tick_ms");
	call_add_text(call, "flush_ms");
	call_send(call);
}
