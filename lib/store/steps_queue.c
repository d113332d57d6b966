/* Steps of queues: admit and reap, make, change and delete, leases, and which queues there are. */
#include "lib/store/client.h"

#include "waitingroom/memory.h"

#include <assert.h>
#include <string.h>

#define QUEUES_KEY "wr:queues"

/* ---- admit and reap ---- */

static bool answer_is(enum wr_err err, const struct reply *reply, const char *word)
{
	struct walk walk = walk_begin(err, reply);
	walk_array(&walk);
	return strcmp(walk_text(&walk, NULL), word) == 0;
}

static void admit_end(struct call *call, enum wr_err err, const struct reply *reply)
{
	struct admitted result = {.other = answer_is(err, reply, "other")};
	struct walk walk = walk_begin(err, reply);
	if (!result.other) {
		walk_expect(&walk, walk_outcome(&walk) == 7 || walk.err);
		walk_int(&walk); /* the store's time, of no use here */
		result.admitted = walk_count(&walk);
		result.set_aside = walk_count(&walk);
		result.free = walk_int(&walk);
		result.in_line = walk_count(&walk);
		result.more = walk_int(&walk) != 0;
		result.calm = walk_int(&walk) != 0;
	}
	err = walk_end(&walk, call);
	call->fn.admitted(call->ctx, err, err ? NULL : &result);
}

void store_admit(struct store *store, const struct queue_name *queue, const char *owner,
				 int64_t lease_ms, int limit, int64_t gap_ms, uint64_t extra, store_admitted_fn fn,
				 void *ctx)
{
	struct call *call = call_script(store, SCRIPT_ADMIT, queue, 6, admit_end, ctx);
	call->fn.admitted = fn;
	call_add_text(call, owner);
	call_add_int(call, lease_ms);
	call_add_int(call, limit);
	call_add_text(call, store->life);
	call_add_int(call, gap_ms);
	call_add_count(call, extra);
	call_send(call);
}

static void reap_end(struct call *call, enum wr_err err, const struct reply *reply)
{
	struct walk walk = walk_begin(err, reply);
	walk_expect(&walk, walk_outcome(&walk) == 5 || walk.err);
	walk_int(&walk); /* the store's time, of no use here */
	struct reaped result = {0};
	result.expired = walk_count(&walk);
	result.missed = walk_count(&walk);
	result.ended = walk_count(&walk);
	result.more = walk_int(&walk) != 0;
	err = walk_end(&walk, call);
	call->fn.reaped(call->ctx, err, err ? NULL : &result);
}

void store_reap(struct store *store, const struct queue_name *queue, int64_t gap_ms, int limit,
				store_reaped_fn fn, void *ctx)
{
	struct call *call = call_script(store, SCRIPT_REAP, queue, 3, reap_end, ctx);
	call->fn.reaped = fn;
	call_add_text(call, store->life);
	call_add_int(call, gap_ms);
	call_add_int(call, limit);
	call_send(call);
}

/* ---- make and change ---- */

static void put_end(struct call *call, enum wr_err err, const struct reply *reply)
{
	static const struct answer_word words[] = {
		{"created", WR_OK, PUT_CREATED},	{"changed", WR_OK, PUT_CHANGED},
		{"same", WR_OK, PUT_SAME},			{"conflict", WR_CONFLICT, PUT_SAME},
		{"noqueue", WR_NO_QUEUE, PUT_SAME}, {"busy", WR_BUSY, PUT_SAME},
		{"lane", WR_LANE_IN_USE, PUT_SAME},
	};
	struct walk walk = walk_begin(err, reply);
	walk_array(&walk);
	const struct answer_word *answer = WALK_ANSWER(&walk, words);
	bool has_version = answer->err != WR_NO_QUEUE && answer->err != WR_BUSY;
	uint64_t version = has_version ? walk_count(&walk) : 0;
	err = walk_end(&walk, call);
	if (err)
		call->fn.put(call->ctx, err, PUT_SAME, 0);
	else
		call->fn.put(call->ctx, answer->err, (enum put_result)answer->value, version);
}

static void list_name(struct store *store, const char *command, const char *name, call_end_fn end,
					  void *ctx)
{
	struct call *call = call_command(store, 3, end, ctx);
	call_add_text(call, command);
	call_add_text(call, QUEUES_KEY);
	call_add_text(call, name);
	call_send(call);
}

static void listed_end(struct call *call, enum wr_err err, const struct reply *reply)
{
	(void)call, (void)err, (void)reply;
}

struct put_listed { /* a put whose queue is being put on the list */
	struct call *put;
	char name[QUEUE_NAME_TEXT_BYTES];
};

/* The name is in the set of queues now, or could not be put there: goes on with the queue. And puts
 * the name there once more behind it: an admitter that forgets the deleted queue of that name at
 * this moment may have taken it off between the two. */
static void name_added_end(struct call *call, enum wr_err err, const struct reply *reply)
{
	(void)reply;
	WR_AUTO(mem_free_at) struct put_listed *listed = call->ctx;
	if (err) {
		call_abandon(listed->put, err);
		return;
	}
	call_send(listed->put);
	list_name(call->store, "SADD", listed->name, listed_end, NULL);
}

static void add_expected(struct call *call, uint64_t version)
{
	if (version == UINT64_MAX)
		call_add_text(call, "");
	else
		call_add_count(call, version);
}

/* Up to the fields, which follow with whatever 'more' arguments there are. */
static struct call *put_call(struct store *store, const struct queue_name *queue, const char *how,
							 uint64_t expected, const char *event_data, size_t field_count,
							 size_t more, void *ctx)
{
	char epoch[EPOCH_CHARS + 1];
	epoch_random(epoch);
	struct call *call =
		call_script(store, SCRIPT_QUEUE_PUT, queue, 5 + 2 * field_count + more, put_end, ctx);
	call_add_text(call, how);
	add_expected(call, expected);
	call_add_text(call, epoch);
	call_add_text(call, event_data);
	call_add_count(call, field_count);
	return call;
}

static void add_fields(struct call *call, const struct queue_field *fields, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		call_add_text(call, fields[i].name);
		call_add_text(call, fields[i].value);
	}
}

void store_put_fields(struct store *store, const struct queue_name *queue,
					  const struct queue_field *fields, size_t count, uint64_t expected_version,
					  const char *event_data, const struct queue_revival *revival,
					  const struct store_audit *audit, store_put_fn fn, void *ctx)
{
	size_t more = revival ? 1 + 2 * revival->seen_count : 2;
	struct call *put = put_call(store, queue, revival ? "revive" : "put", expected_version,
								event_data, count, more, ctx);
	put->fn.put = fn;
	add_fields(put, fields, count);
	if (revival) {
		call_add_text(put, revival->lost_epochs);
		for (size_t i = 0; i < revival->seen_count; i++) {
			call_add_text(put, revival->seen[i].lane);
			call_add_count(put, revival->seen[i].ticket);
		}
	} else {
		call_add_audit(put, audit);
	}

	struct put_listed *listed = mem_alloc_zero(1, sizeof(*listed));
	listed->put = put;
	queue_name_print(queue, listed->name);
	list_name(store, "SADD", listed->name, name_added_end, listed);
}

void store_put_queue(struct store *store, const struct queue_name *queue,
					 const struct queue_settings *settings, uint64_t expected_version,
					 const char *event_data, const struct queue_revival *revival,
					 const struct store_audit *audit, store_put_fn fn, void *ctx)
{
	WR_AUTO(queue_fields_clear) struct queue_fields fields;
	queue_settings_to_fields(settings, &fields);
	store_put_fields(store, queue, fields.list, fields.count, expected_version, event_data, revival,
					 audit, fn, ctx);
}

void store_patch_queue(struct store *store, const struct queue_name *queue,
					   const struct queue_field *fields, size_t count, uint64_t expected_version,
					   const char *event_data, const struct store_audit *audit, store_put_fn fn,
					   void *ctx)
{
	struct call *call =
		put_call(store, queue, "patch", expected_version, event_data, count, 2, ctx);
	call->fn.put = fn;
	add_fields(call, fields, count);
	call_add_audit(call, audit);
	call_send(call);
}

/* ---- delete ---- */

static void delete_end(struct call *call, enum wr_err err, const struct reply *reply)
{
	static const struct answer_word words[] = {{"more", WR_OK, true},
											   {"done", WR_OK, false},
											   {"noqueue", WR_NO_QUEUE, false},
											   {"conflict", WR_CONFLICT, false}};
	struct walk walk = walk_begin(err, reply);
	walk_array(&walk);
	const struct answer_word *answer = WALK_ANSWER(&walk, words);
	err = walk_end(&walk, call);
	if (!err)
		err = answer->err;
	call->fn.deleted(call->ctx, err, !err && answer->value);
}

void store_delete_queue(struct store *store, const struct queue_name *queue, int limit,
						uint64_t expected_version, const char *event_data,
						const struct store_audit *audit, store_deleted_fn fn, void *ctx)
{
	struct call *call =
		call_script(store, SCRIPT_QUEUE_DELETE, queue, audit ? 6 : 3, delete_end, ctx);
	call->fn.deleted = fn;
	call_add_int(call, limit);
	call_add_text(call, event_data);
	add_expected(call, expected_version);
	if (audit) {
		audit_note_deleted(store, queue, audit->keep_s);
		call_add_audit(call, audit);
		call_add_int(call, audit->keep_s);
	}
	call_send(call);
}

/* ---- empty ---- */

static void empty_end(struct call *call, enum wr_err err, const struct reply *reply)
{
	static const struct answer_word words[] = {{"more", WR_OK, true},
											   {"done", WR_OK, false},
											   {"conflict", WR_CONFLICT, false},
											   {"recovering", WR_BUSY, false},
											   {"noqueue", WR_NO_QUEUE, false}};
	const char *how_far = "";
	uint64_t expired = 0;
	struct walk walk = walk_begin(err, reply);
	walk_array(&walk);
	const struct answer_word *answer = WALK_ANSWER(&walk, words);
	if (answer->err == WR_OK) {
		expired = walk_count(&walk);
		how_far = walk_text(&walk, NULL);
	}
	err = walk_end(&walk, call);
	if (!err)
		err = answer->err;
	call->fn.emptied(call->ctx, err, expired, !err && answer->value, how_far);
}

void store_empty_queue(struct store *store, const struct queue_name *queue, int limit,
					   const char *epoch, const char *how_far, const struct store_audit *audit,
					   store_emptied_fn fn, void *ctx)
{
	struct call *call =
		call_script(store, SCRIPT_QUEUE_EMPTY, queue, audit ? 5 : 3, empty_end, ctx);
	call->fn.emptied = fn;
	call_add_int(call, limit);
	call_add_text(call, epoch);
	call_add_text(call, how_far);
	if (audit)
		call_add_audit(call, audit);
	call_send(call);
}

/* ---- forget ---- */

struct forgetting { /* a deleted queue, while the store is asked whether it is done with */
	store_forgotten_fn fn;
	void *ctx;
	struct queue_name queue;
	char name[QUEUE_NAME_TEXT_BYTES];
};

static void forgotten(struct forgetting *forgetting, enum wr_err err, bool is_off)
{
	forgetting->fn(forgetting->ctx, err, is_off);
	mem_free_at(&forgetting);
}

static void relisted_end(struct call *call, enum wr_err err, const struct reply *reply)
{
	(void)reply;
	forgotten(call->ctx, err, false);
}

/* A queue of that name may have been made, and its name put on the list, before the name was taken
 * off. Whoever makes it later than this look puts the name there again behind its making. */
static void looked_again_end(struct call *call, enum wr_err err, const struct reply *reply)
{
	struct forgetting *forgetting = call->ctx;
	struct walk walk = walk_begin(err, reply);
	bool is_gone = walk_int(&walk) == 1;
	err = walk_end(&walk, call);
	if (!err && is_gone)
		forgotten(forgetting, WR_OK, true);
	else
		list_name(call->store, "SADD", forgetting->name, relisted_end, forgetting);
}

static void unlisted_end(struct call *call, enum wr_err err, const struct reply *reply)
{
	(void)reply;
	struct forgetting *forgetting = call->ctx;
	if (err)
		forgotten(forgetting, err, false);
	else
		call_send(call_script(call->store, SCRIPT_QUEUE_FORGET, &forgetting->queue, 0,
							  looked_again_end, forgetting));
}

static void forget_end(struct call *call, enum wr_err err, const struct reply *reply)
{
	struct forgetting *forgetting = call->ctx;
	struct walk walk = walk_begin(err, reply);
	bool may = walk_int(&walk) == 1;
	err = walk_end(&walk, call);
	if (!err && may) {
		store_free_claim(call->store, &forgetting->queue);
		list_name(call->store, "SREM", forgetting->name, unlisted_end, forgetting);
		return;
	}
	forgotten(forgetting, err, false);
}

void store_forget_queue(struct store *store, const struct queue_name *queue, store_forgotten_fn fn,
						void *ctx)
{
	struct forgetting *forgetting = mem_alloc_zero(1, sizeof(*forgetting));
	*forgetting = (struct forgetting){.fn = fn, .ctx = ctx, .queue = *queue};
	queue_name_print(queue, forgetting->name);
	call_send(call_script(store, SCRIPT_QUEUE_FORGET, queue, 0, forget_end, forgetting));
}

/* ---- leases ---- */

static void lease_end(struct call *call, enum wr_err err, const struct reply *reply)
{
	struct walk walk = walk_begin(err, reply);
	walk_expect(&walk, walk_array(&walk) == 2);
	bool mine = walk_int(&walk) != 0;
	uint64_t fence = walk_count(&walk);
	err = walk_end(&walk, call);
	call->fn.lease(call->ctx, err, !err && mine, err ? 0 : fence);
}

void store_lease(struct store *store, const struct queue_name *queue, const char *role,
				 const char *owner, int64_t ms, store_lease_fn fn, void *ctx)
{
	struct call *call = call_script(store, SCRIPT_LEASE, queue, 3, lease_end, ctx);
	call->fn.lease = fn;
	call_add_text(call, role);
	call_add_text(call, owner);
	call_add_int(call, ms);
	call_send(call);
}

static void held_end(struct call *call, enum wr_err err, const struct reply *reply)
{
	struct walk walk = walk_begin(err, reply);
	int64_t held = walk_int(&walk);
	err = walk_end(&walk, call);
	call->fn.step(call->ctx, err, err ? 0 : held);
}

void store_lease_held(struct store *store, const struct queue_name *queue, const char *role,
					  store_step_fn fn, void *ctx)
{
	struct call *call = call_command(store, 2, held_end, ctx);
	char rest[32];
	snprintf(rest, sizeof(rest), "lease:%s", role);
	call->fn.step = fn;
	call_add_text(call, "EXISTS");
	call_add_key(call, queue, rest);
	call_send(call);
}

/* ---- which queues there are ---- */

void queues_end(struct call *call, enum wr_err err, const struct reply *reply)
{
	struct walk walk = walk_begin(err, reply);
	size_t members = walk_array(&walk), count = 0;
	struct queue_name *names = scratch_room(call->store, members, sizeof(*names));
	for (size_t i = 0; i < members && !walk.garbled; i++) {
		size_t len;
		const char *text = walk_text(&walk, &len);
		count += queue_name_parse(text, len, &names[count]);
	}
	err = walk_end(&walk, call);
	call->fn.queues(call->ctx, err, err ? NULL : names, err ? 0 : count);
}

void store_queues(struct store *store, store_queues_fn fn, void *ctx)
{
	struct call *call = call_command(store, 2, queues_end, ctx);
	call->fn.queues = fn;
	call_add_text(call, "SMEMBERS");
	call_add_text(call, QUEUES_KEY);
	call_send(call);
}
