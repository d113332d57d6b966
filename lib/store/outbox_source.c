/* Outbox source: what the relay needs of the store, as blocking calls on its own client.
 *
 * A call first gives a lost connection some time to come back, because only these calls turn the
 * loop that it lives on; then it asks and waits for the answer. Leases that were taken are
 * remembered, so that a clean stop gives them up and another relay goes on at once.
 *
 * Threads  the relay's.
 */
#include "lib/store/client.h"

#include "waitingroom/memory.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define RELAY_ROLE "relay"

struct store_outbox {
	struct loop *loop;
	struct store *store;
	struct store_options options;
	char owner[64];
	int64_t lease_ms;
	struct queue_name *held; /* queues whose lease is ours, as far as we know */
	size_t held_count, held_room;
};

/* ---- one blocking call ---- */

struct answer {
	bool done;
	enum wr_err err;
	bool mine, held;
	struct queue_name *names; /* fills up to 'room' */
	size_t room, count;
	struct outbox_batch batch;
};

static bool is_connected(struct store_outbox *outbox)
{
	return store_wait_ready(outbox->store, outbox->options.timeout_ms);
}

/* Still connected: the store has answered, with an error. */
static enum wr_err outcome(const struct store_outbox *outbox, const struct answer *answer)
{
	return answer->err == WR_STORE_AWAY && store_is_ready(outbox->store) ? WR_IO : answer->err;
}

/* ---- leases ---- */

static size_t held_find(const struct store_outbox *outbox, const struct queue_name *queue)
{
	size_t i = 0;
	while (i < outbox->held_count && !queue_name_equal(&outbox->held[i], queue))
		i++;
	return i;
}

static void held_set(struct store_outbox *outbox, const struct queue_name *queue, bool mine)
{
	size_t i = held_find(outbox, queue);
	bool known = i < outbox->held_count;
	if (mine && !known) {
		if (outbox->held_count == outbox->held_room) {
			outbox->held_room = outbox->held_room ? 2 * outbox->held_room : 16;
			outbox->held = mem_grow(outbox->held, outbox->held_room, sizeof(*outbox->held));
		}
		outbox->held[outbox->held_count++] = *queue;
	} else if (!mine && known) {
		outbox->held[i] = outbox->held[--outbox->held_count];
	}
}

static void on_lease(void *ctx, enum wr_err err, bool mine, uint64_t fence)
{
	(void)fence; /* the relay is safe without: acknowledged entries are removed by id */
	struct answer *answer = ctx;
	answer->done = true;
	answer->err = err;
	answer->mine = mine;
}

static void on_held(void *ctx, enum wr_err err, int64_t held)
{
	struct answer *answer = ctx;
	answer->done = true;
	answer->err = err;
	answer->held = held != 0;
}

/* A relay that waits for another one's end asks twice a second for each queue: plainly, at a tenth
 * of what the script costs. */
static enum wr_err outbox_lease(void *ctx, const struct queue_name *queue, bool *ret_mine)
{
	struct store_outbox *outbox = ctx;
	if (!is_connected(outbox))
		return WR_STORE_AWAY;
	struct answer answer = {0};
	if (held_find(outbox, queue) == outbox->held_count) {
		store_lease_held(outbox->store, queue, RELAY_ROLE, on_held, &answer);
		store_wait(outbox->store, &answer.done);
		if (answer.err)
			return outcome(outbox, &answer);
		if (answer.held) {
			*ret_mine = false;
			return WR_OK;
		}
		answer = (struct answer){0};
	}
	store_lease(outbox->store, queue, RELAY_ROLE, outbox->owner, outbox->lease_ms, on_lease,
				&answer);
	store_wait(outbox->store, &answer.done);
	if (answer.err)
		return outcome(outbox, &answer);
	held_set(outbox, queue, answer.mine);
	*ret_mine = answer.mine;
	return WR_OK;
}

/* Leases that cannot be given up now run out by themselves. */
static void outbox_release(void *ctx)
{
	struct store_outbox *outbox = ctx;
	while (outbox->held_count > 0 && store_is_ready(outbox->store)) {
		struct answer answer = {0};
		store_lease(outbox->store, &outbox->held[--outbox->held_count], RELAY_ROLE, outbox->owner,
					0, on_lease, &answer);
		store_wait(outbox->store, &answer.done);
	}
	outbox->held_count = 0;
}

/* ---- queues ---- */

static void on_queues(void *ctx, enum wr_err err, const struct queue_name *names, size_t count)
{
	struct answer *answer = ctx;
	answer->done = true;
	answer->err = err;
	answer->names[0] = system_shard; /* on no list, and always there */
	answer->count = count < answer->room - 1 ? count : answer->room - 1;
	if (answer->count)
		memcpy(answer->names + 1, names, answer->count * sizeof(*names));
	answer->count++;
}

static enum wr_err outbox_queues(void *ctx, struct queue_name *ret_names, size_t room,
								 size_t *ret_count)
{
	struct store_outbox *outbox = ctx;
	if (!is_connected(outbox))
		return WR_STORE_AWAY;
	struct answer answer = {.names = ret_names, .room = room};
	store_queues(outbox->store, on_queues, &answer);
	store_wait(outbox->store, &answer.done);
	if (!answer.err)
		*ret_count = answer.count;
	return outcome(outbox, &answer);
}

/* ---- entries ---- */

/* Text that the entry needs after the reply is gone: into the batch's memory. */
static const char *keep_text(char **memory, const char *text, size_t len)
{
	char *kept = *memory;
	memcpy(kept, text, len);
	kept[len] = '\0';
	*memory += len + 1;
	return kept;
}

static void copy_short(char *ret_text, size_t room, const char *text)
{
	snprintf(ret_text, room, "%s", text);
}

static void take_field(struct outbox_entry *entry, const char *name, const char *value, size_t len,
					   char **memory)
{
	if (strcmp(name, "type") == 0) {
		copy_short(entry->type, sizeof(entry->type), value);
	} else if (strcmp(name, "at") == 0) {
		if (!text_to_i64(value, len, 0, INT64_MAX, &entry->at_ms))
			entry->at_ms = -1; /* no time: the relay sets the entry aside */
	} else if (strcmp(name, "epoch") == 0) {
		copy_short(entry->epoch, sizeof(entry->epoch), value);
	} else if (strcmp(name, "people") == 0) {
		entry->people = keep_text(memory, value, len);
		entry->people_len = len;
	} else if (strcmp(name, "data") == 0) {
		entry->data = keep_text(memory, value, len);
	} else if (strcmp(name, "n") == 0 && !text_to_u64(value, len, UINT64_MAX, &entry->n)) {
		entry->n = 0;
	}
}

/* One entry: id and an array of names and values. Fields of another version are passed over. */
static void take_entry(struct walk *walk, struct outbox_entry *entry, char **memory)
{
	entry->people = entry->data = "";
	walk_expect(walk, walk_array(walk) == 2);
	walk_copy(walk, entry->id, sizeof(entry->id));
	size_t fields = walk_array(walk) / 2;
	for (size_t i = 0; i < fields && !walk->garbled; i++) {
		size_t len;
		const char *name = walk_text(walk, NULL);
		const char *value = walk_text(walk, &len);
		take_field(entry, name, value, len, memory);
	}
}

static void entries_end(struct call *call, enum wr_err err, const struct reply *reply)
{
	struct walk walk = walk_begin(err, reply);
	struct outbox_batch batch = {0};
	size_t count = walk_array(&walk);
	if (count > 0) {
		/* All texts of the reply together are room enough for those that are kept. */
		char *memory = mem_alloc_zero(reply->text_len + 1, 1);
		batch.memory = memory;
		batch.entries = mem_alloc_zero(count, sizeof(*batch.entries));
		for (; batch.count < count && !walk.garbled; batch.count++)
			take_entry(&walk, &batch.entries[batch.count], &memory);
	}
	err = walk_end(&walk, call);
	if (err)
		outbox_batch_free(&batch);
	call->fn.entries(call->ctx, err, &batch);
}

static void on_entries(void *ctx, enum wr_err err, struct outbox_batch *batch)
{
	struct answer *answer = ctx;
	answer->done = true;
	answer->err = err;
	answer->batch = *batch;
}

static enum wr_err outbox_read(void *ctx, const struct queue_name *queue, const char *after_id,
							   size_t limit, struct outbox_batch *ret_batch)
{
	struct store_outbox *outbox = ctx;
	if (!is_connected(outbox))
		return WR_STORE_AWAY;
	char from[sizeof(((struct outbox_entry *)NULL)->id) + 2];
	snprintf(from, sizeof(from), "(%s", after_id);
	struct answer answer = {0};
	struct call *call = call_command(outbox->store, 6, entries_end, &answer);
	call->fn.entries = on_entries;
	call_add_text(call, "XRANGE");
	call_add_key(call, queue, "outbox");
	call_add_text(call, from);
	call_add_text(call, "+");
	call_add_text(call, "COUNT");
	call_add_count(call, limit);
	call_send(call);
	store_wait(outbox->store, &answer.done);
	if (!answer.err)
		*ret_batch = answer.batch;
	return outcome(outbox, &answer);
}

static void on_removed(void *ctx, enum wr_err err, const char *text, size_t len, int64_t number)
{
	/* How many there were does not matter: another relay may have removed some. */
	(void)text, (void)len, (void)number;
	struct answer *answer = ctx;
	answer->done = true;
	answer->err = err;
}

static enum wr_err outbox_remove(void *ctx, const struct queue_name *queue, const char (*ids)[48],
								 size_t count)
{
	struct store_outbox *outbox = ctx;
	if (count == 0)
		return WR_OK;
	if (!is_connected(outbox))
		return WR_STORE_AWAY;
	struct answer answer = {0};
	struct call *call = call_raw(outbox->store, 2 + count, on_removed, &answer);
	call_add_text(call, "XDEL");
	call_add_key(call, queue, "outbox");
	for (size_t i = 0; i < count; i++)
		call_add_text(call, ids[i]);
	call_send(call);
	store_wait(outbox->store, &answer.done);
	return outcome(outbox, &answer);
}

/* ---- the source ---- */

struct store_outbox *store_outbox_new(struct store_address *address, const char *owner,
									  int64_t lease_ms, uint32_t timeout_ms)
{
	struct store_outbox *outbox = mem_alloc_zero(1, sizeof(*outbox));
	assert(strlen(owner) < sizeof(outbox->owner));
	strcpy(outbox->owner, owner);
	outbox->lease_ms = lease_ms;
	store_options_default(&outbox->options);
	outbox->options.timeout_ms = timeout_ms;
	outbox->loop = loop_new();
	outbox->store = store_new(outbox->loop, address, &outbox->options);
	return outbox;
}

void store_outbox_free(struct store_outbox *outbox)
{
	if (!outbox)
		return;
	store_free(outbox->store);
	loop_free(outbox->loop);
	free(outbox->held);
	free(outbox);
}

struct outbox_source store_outbox_source(struct store_outbox *outbox)
{
	return (struct outbox_source){
		.ctx = outbox,
		.queues = outbox_queues,
		.lease = outbox_lease,
		.read = outbox_read,
		.remove = outbox_remove,
		.release = outbox_release,
	};
}
