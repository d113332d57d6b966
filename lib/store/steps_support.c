/* Steps of support: what is kept of a place, which places a code may mean, putting a lost one back.
 *
 * As in steps_people.c: store_x writes the script's arguments, x_end unpacks its answer. Looking
 * for the places of a code is SCAN with a pattern: the store compares keys by itself and answers
 * with those that fit, which are none in nearly every step.
 */
#include "lib/store/client.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#define SCAN_KEYS "2000" /* looked at in a step: about a millisecond */

/* ---- look ---- */

#define KEPT_COLUMNS 17

/* A number, or "" for none. */
static int64_t take_ms(struct walk *walk)
{
	size_t len;
	int64_t number = 0;
	const char *text = walk_text(walk, &len);
	walk_expect(walk, len == 0 || text_to_i64(text, len, INT64_MIN, INT64_MAX, &number));
	return number;
}

static void take_place(struct walk *walk, struct kept_place *place)
{
	walk_copy(walk, place->position_id, sizeof(place->position_id));
	walk_state(walk, &place->past.state);
	walk_copy(walk, place->lane, sizeof(place->lane));
	place->ticket = (uint64_t)take_ms(walk);
	place->past.joined_ms = take_ms(walk);
	int64_t session_end_ms = take_ms(walk);
	place->holder = (uint32_t)take_ms(walk);
	place->past.aside_ms = take_ms(walk);
	place->aside = place->past.aside_ms != 0;
	place->front = strcmp(walk_text(walk, NULL), "1") == 0;
	place->past.let_in_ms = take_ms(walk);
	place->past.claimed_ms = take_ms(walk);
	place->past.ended = walk_text(walk, NULL);
	place->put_back = (uint64_t)take_ms(walk);
	place->past.notes = walk_text(walk, NULL);
	place->heard_ms = take_ms(walk);
	place->is_ghost = place->heard_ms < 0;
	place->heard_ms = place->is_ghost ? -place->heard_ms : place->heard_ms;
	place->ends_ms = take_ms(walk);
	if (place->ends_ms == 0)
		place->ends_ms = session_end_ms;
	place->kept_ms = take_ms(walk);
}

static void look_end(struct call *call, enum wr_err err, const struct reply *reply)
{
	struct walk walk = walk_begin(err, reply);
	size_t left = walk_outcome(&walk);
	int64_t now_ms = walk_int(&walk);
	walk_text(&walk, NULL); /* the epoch, of no use here */
	size_t count = left >= 2 ? (left - 2) / KEPT_COLUMNS : 0;
	bool is_whole = left == 2 + count * KEPT_COLUMNS && count <= 2 * call->asked;
	walk_expect(&walk, is_whole);
	count = is_whole ? count : 0;
	struct kept_place *places = scratch_room(call->store, count, sizeof(*places));
	for (size_t i = 0; i < count; i++)
		take_place(&walk, &places[i]);
	err = walk_end(&walk, call);
	call->fn.kept(call->ctx, err, now_ms, err ? NULL : places, err ? 0 : count);
}

void store_support_look(struct store *store, const struct queue_name *queue, bool is_person,
						const store_id *ids, size_t count, store_kept_fn fn, void *ctx)
{
	assert(count <= STORE_PEOPLE_MAX);
	struct call *call = call_script(store, SCRIPT_SUPPORT_LOOK, queue, 1 + count, look_end, ctx);
	call->fn.kept = fn;
	call->asked = count;
	call_add_text(call, is_person ? "person" : "id");
	call_add_ids(call, ids, count);
	call_send(call);
}

/* ---- scan ---- */

/* "wr:{tenant/queue}:position:<id>"; another key of the pattern is none of ours. */
static bool id_of_key(const char *key, size_t len, store_id ret_id)
{
	if (len <= POSITION_ID_CHARS || key[len - POSITION_ID_CHARS - 1] != ':' ||
		!position_id_is_valid(key + len - POSITION_ID_CHARS, POSITION_ID_CHARS))
		return false;
	memcpy(ret_id, key + len - POSITION_ID_CHARS, sizeof(store_id));
	return true;
}

static void scan_end(struct call *call, enum wr_err err, const struct reply *reply)
{
	char cursor[STORE_CURSOR_BYTES] = "0";
	struct walk walk = walk_begin(err, reply);
	walk_expect(&walk, walk_array(&walk) == 2);
	walk_copy(&walk, cursor, sizeof(cursor));
	size_t keys = walk_array(&walk), count = 0;
	store_id *ids = scratch_room(call->store, keys, sizeof(*ids));
	for (size_t i = 0; i < keys; i++) {
		size_t len;
		const char *key = walk_text(&walk, &len);
		count += id_of_key(key, len, ids[count]);
	}
	err = walk_end(&walk, call);
	call->fn.scanned(call->ctx, err, cursor, err ? NULL : (const store_id *)ids, err ? 0 : count);
}

void store_support_scan(struct store *store, const struct queue_name *queue, const char *prefix,
						const char *cursor, store_scanned_fn fn, void *ctx)
{
	char rest[POSITION_ID_CHARS + 16];
	assert(strlen(prefix) <= POSITION_ID_CHARS);
	snprintf(rest, sizeof(rest), "position:%s*", prefix);
	struct call *call = call_command(store, 6, scan_end, ctx);
	call->fn.scanned = fn;
	call_add_text(call, "SCAN");
	call_add_text(call, cursor);
	call_add_text(call, "MATCH");
	call_add_key(call, queue, rest);
	call_add_text(call, "COUNT");
	call_add_text(call, SCAN_KEYS);
	call_send(call);
}

/* ---- restore ---- */

static void restore_end(struct call *call, enum wr_err err, const struct reply *reply)
{
	static const char *const words[] = {[RECALL_RESTORED] = "restored",
										[RECALL_THERE] = "there",
										[RECALL_UNKNOWN] = "unknown",
										[RECALL_LANE] = "lane",
										[RECALL_TICKET] = "ticket"};
	struct recalled result = {.state = PLACE_NONE};
	struct walk walk = walk_begin(err, reply);
	walk_expect(&walk, walk_outcome(&walk) == 6 || walk.err);
	walk_int(&walk); /* the store's time, of no use here */
	result.outcome = (enum recall_outcome)WALK_WORD(&walk, words);
	walk_state(&walk, &result.state);
	walk_copy(&walk, result.lane, sizeof(result.lane));
	result.ticket = walk_count(&walk);
	result.front = walk_int(&walk) != 0;
	err = walk_end(&walk, call);
	call->fn.recalled(call->ctx, err, err ? NULL : &result);
}

void store_support_restore(struct store *store, const struct queue_name *queue,
						   const struct lost_place *known, const struct store_audit *audit,
						   store_recalled_fn fn, void *ctx)
{
	struct call *call = call_script(store, SCRIPT_SUPPORT_RESTORE, queue, 6, restore_end, ctx);
	call->fn.recalled = fn;
	call->confirm = true; /* the visitor is told on the telephone */
	call_add(call, known->position_id, POSITION_ID_CHARS);
	call_add_text(call, known->lane);
	call_add_count(call, known->ticket);
	call_add_int(call, known->joined_ms);
	call_add_audit(call, audit);
	call_send(call);
}
