/* Steps of people: join, heartbeat, visit, restore.
 *
 * Each step is a pair: store_x writes the script's arguments, x_end unpacks its answer into the
 * client's scratch memory and calls back. scripts/<x>.lua says what is asked and answered. An
 * answer about another number of people than were asked about is garbled, never used in part.
 */
#include "lib/store/client.h"

#include <assert.h>
#include <string.h>

/* ---- join ---- */

static enum join_code take_code(struct walk *walk)
{
	static const char *const words[] = {
		[JOIN_NEW] = "new",		  [JOIN_SAME] = "same", [JOIN_REUSED] = "reused",
		[JOIN_CLOSED] = "closed", [JOIN_FULL] = "full", [JOIN_BUSY] = "busy",
		[JOIN_RATE] = "rate",	  [JOIN_LANE] = "lane", [JOIN_REPLAYED] = "replayed",
		[JOIN_USED] = "used",
	};
	return (enum join_code)WALK_WORD(walk, words);
}

/* "<holder>:<id>", or "-" for somebody without an identity. */
static void take_held(struct walk *walk, struct joined *person)
{
	size_t len;
	const char *text = walk_text(walk, &len);
	const char *colon = memchr(text, ':', len);
	uint64_t holder = 0;
	person->holder = 0;
	person->position_id[0] = '\0';
	if (!colon) {
		walk_expect(walk, len == 1 && *text == '-');
		return;
	}
	size_t id_len = len - (size_t)(colon + 1 - text);
	bool good = text_to_u64(text, (size_t)(colon - text), UINT32_MAX, &holder) &&
				id_len == POSITION_ID_CHARS;
	walk_expect(walk, good);
	if (!good)
		return;
	person->holder = (uint32_t)holder;
	memcpy(person->position_id, colon + 1, id_len);
	person->position_id[id_len] = '\0';
}

static void enqueue_end(struct call *call, enum wr_err err, const struct reply *reply)
{
	struct walk walk = walk_begin(err, reply);
	size_t left = walk_outcome(&walk);
	const char *epoch = walk_text(&walk, NULL);
	int64_t now_ms = walk_int(&walk);
	size_t count = walk_people(&walk, left, 2, 7, call->asked);
	struct joined *people = scratch_room(call->store, count, sizeof(*people));
	for (size_t i = 0; i < count; i++) {
		struct joined *person = &people[i];
		person->code = take_code(&walk);
		walk_state(&walk, &person->state);
		walk_copy(&walk, person->lane, sizeof(person->lane));
		person->ticket = walk_count(&walk);
		person->position = walk_count(&walk);
		person->joined_ms = walk_int(&walk);
		take_held(&walk, person);
	}
	err = walk_end(&walk, call);
	call->fn.joined(call->ctx, err, err ? "" : epoch, now_ms, err ? NULL : people, err ? 0 : count);
}

void store_enqueue(struct store *store, const struct queue_name *queue, uint64_t outbox_limit,
				   const char *seen_epoch, const struct seen_ticket *seen, size_t seen_count,
				   const struct join *people, size_t count, store_joined_fn fn, void *ctx)
{
	assert(count <= STORE_PEOPLE_MAX);
	struct call *call =
		call_script(store, SCRIPT_ENQUEUE, queue, 3 + 2 * seen_count + 7 * count, enqueue_end, ctx);
	call->fn.joined = fn;
	call->asked = count;
	call->confirm = true;
	call_add_count(call, outbox_limit);
	call_add_text(call, seen_epoch);
	call_add_count(call, seen_count);
	for (size_t i = 0; i < seen_count; i++) {
		call_add_text(call, seen[i].lane);
		call_add_count(call, seen[i].ticket);
	}
	for (size_t i = 0; i < count; i++) {
		const struct join *person = &people[i];
		call_add_text(call, person->position_id);
		call_add_text(call, person->lane);
		call_add_text(call, person->target);
		call_add_text(call, person->user);
		call_add_text(call, person->request_hash);
		call_add_text(call, person->network);
		call_add_text(call, person->papers);
	}
	call_send(call);
}

/* ---- heartbeat ---- */

void call_add_ids(struct call *call, const store_id *ids, size_t count)
{
	for (size_t i = 0; i < count; i++)
		call_add(call, ids[i], POSITION_ID_CHARS);
}

static void heartbeat_end(struct call *call, enum wr_err err, const struct reply *reply)
{
	struct walk walk = walk_begin(err, reply);
	size_t left = walk_outcome(&walk);
	int64_t now_ms = walk_int(&walk);
	size_t count = left > 0 ? left - 1 : 0;
	walk_expect(&walk, count <= call->asked);
	if (count > call->asked)
		count = 0;
	size_t *missing = scratch_room(call->store, count, sizeof(*missing));
	for (size_t i = 0; i < count; i++) {
		uint64_t number = walk_count(&walk); /* Lua counts from 1 */
		walk_expect(&walk, number >= 1 && number <= call->asked);
		missing[i] = (size_t)number - 1;
	}
	err = walk_end(&walk, call);
	call->fn.beats(call->ctx, err, now_ms, err ? NULL : missing, err ? 0 : count);
}

void store_heartbeat(struct store *store, const struct queue_name *queue, const store_id *ids,
					 size_t count, store_beats_fn fn, void *ctx)
{
	assert(count <= STORE_PEOPLE_MAX);
	struct call *call = call_script(store, SCRIPT_HEARTBEAT, queue, count, heartbeat_end, ctx);
	call->fn.beats = fn;
	call->asked = count;
	call_add_ids(call, ids, count);
	call_send(call);
}

/* ---- visit ---- */

/* "emptied", "<traceparent> <admitted, ms>" of somebody who is traced and has just taken up the
 * turn, or "-" */
static void walk_unusual(struct walk *walk, struct visit *person)
{
	size_t len = 0;
	const char *text = walk_text(walk, &len);
	person->emptied = strcmp(text, "emptied") == 0;
	person->traceparent[0] = '\0';
	person->admitted_ms = 0;
	if (len <= TRACEPARENT_CHARS || text[TRACEPARENT_CHARS] != ' ')
		return;
	memcpy(person->traceparent, text, TRACEPARENT_CHARS);
	person->traceparent[TRACEPARENT_CHARS] = '\0';
	walk_expect(walk, text_to_i64(text + TRACEPARENT_CHARS + 1, len - TRACEPARENT_CHARS - 1, 0,
								  INT64_MAX, &person->admitted_ms));
}

static void visit_end(struct call *call, enum wr_err err, const struct reply *reply)
{
	struct walk walk = walk_begin(err, reply);
	size_t left = walk_outcome(&walk);
	int64_t now_ms = walk_int(&walk);
	size_t count = walk_people(&walk, left, 1, 9, call->asked);
	struct visit *people = scratch_room(call->store, count, sizeof(*people));
	for (size_t i = 0; i < count; i++) {
		struct visit *person = &people[i];
		walk_state(&walk, &person->state);
		walk_copy(&walk, person->lane, sizeof(person->lane));
		person->ticket = walk_count(&walk);
		person->joined_ms = walk_int(&walk);
		person->ends_ms = walk_int(&walk);
		person->position = walk_count(&walk);
		person->target = walk_text(&walk, NULL);
		person->holder = (uint32_t)walk_count(&walk);
		walk_unusual(&walk, person);
	}
	err = walk_end(&walk, call);
	call->fn.visits(call->ctx, err, now_ms, err ? NULL : people, err ? 0 : count);
}

void store_visit(struct store *store, const struct queue_name *queue, enum visit_kind kind,
				 const store_id *ids, size_t count, store_visits_fn fn, void *ctx)
{
	static const char *const words[] = {
		[VISIT_LOOK] = "look", [VISIT_POLL] = "poll", [VISIT_STAY] = "stay"};
	assert(count <= STORE_PEOPLE_MAX);
	struct call *call = call_script(store, SCRIPT_VISIT, queue, 1 + count, visit_end, ctx);
	call->fn.visits = fn;
	call->asked = count;
	call->confirm = kind != VISIT_LOOK; /* a look changes nothing that a replica could lose */
	call_add_text(call, words[kind]);
	call_add_ids(call, ids, count);
	call_send(call);
}

/* ---- restore ---- */

void states_end(struct call *call, enum wr_err err, const struct reply *reply)
{
	struct walk walk = walk_begin(err, reply);
	size_t left = walk_outcome(&walk);
	walk_int(&walk); /* the store's time, of no use here */
	size_t count = walk_people(&walk, left, 1, 1, call->asked);
	enum place_state *states = scratch_room(call->store, count, sizeof(*states));
	for (size_t i = 0; i < count; i++)
		walk_state(&walk, &states[i]);
	err = walk_end(&walk, call);
	call->fn.restored(call->ctx, err, err ? NULL : states, err ? 0 : count);
}

void store_restore(struct store *store, const struct queue_name *queue,
				   const struct lost_place *people, size_t count, store_restored_fn fn, void *ctx)
{
	assert(count <= STORE_PEOPLE_MAX);
	struct call *call = call_script(store, SCRIPT_RESTORE, queue, 6 * count, states_end, ctx);
	call->fn.restored = fn;
	call->asked = count;
	for (size_t i = 0; i < count; i++) {
		call_add(call, people[i].position_id, POSITION_ID_CHARS);
		call_add_text(call, people[i].lane);
		call_add_count(call, people[i].ticket);
		call_add_int(call, people[i].joined_ms);
		call_add_text(call, people[i].epoch);
		call_add_text(call, people[i].front ? "1" : "0");
	}
	call_send(call);
}
