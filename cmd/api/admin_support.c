/* Support: looks a place up and shows everything that is kept of it, with its timeline.
 *
 *     id, key, identity ─► the place's id ────────────────────────┐
 *     code ─► step after step along the store's keys ─► some ids ─┴► support_look.lua ─► answer
 *
 * A support code is the beginning of an id. There is no index of codes: it would cost each of a
 * million waiting people more bytes than all the rest, for a look that is rare. So the store goes
 * along its keys, a millisecond at a time with other work in between, about a second for a million
 * people. A search that takes too long is given up and says so ("complete": false).
 *
 * Only what a search needs between two steps is kept aside, until the request is answered.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "internal.h"
#include "waitingroom/entry_token.h"
#include "waitingroom/memory.h"
#include "waitingroom/support_code.h"

#define FOUND_MAX 8			  /* places that one code may mean; more than one is rare */
#define SEARCH_MAX_MS 10000	  /* then it is given up */
#define QUERY_BYTES 320		  /* the longest that is asked for: an identity */
#define KEY_MAX_CHARS 128	  /* of an Idempotency-Key (enqueue.c) */
#define PLACE_JSON_BYTES 4096 /* of one place, with its timeline */

/* ---- showing ---- */

static const char *state_word(const struct kept_place *place)
{
	return place->past.state == PLACE_CLAIMED ? "claimed" : place_state_word(place->past.state);
}

/* Where somebody stands in line, by this pod's picture; 0: not known, or not in line. */
static uint64_t position_of(const struct admin_notes *notes, const struct kept_place *place)
{
	struct index_answer answer;
	const struct queue_snapshot *snapshot =
		queue_table_find(notes->internal->app->queues, &notes->name);
	if (snapshot == NULL || place->past.state != PLACE_WAITING || place->aside)
		return 0;
	if (place->front)
		return 1;
	int lane = queue_settings_lane(snapshot->settings, place->lane);
	if (lane < 0 || position_index_find(snapshot->lanes[lane], place->ticket, &answer) != WR_OK)
		return 0;
	return answer.position;
}

static void put_time(struct json_out *out, const char *name, int64_t ms)
{
	if (ms > 0)
		json_out_int(out, name, ms);
	else
		json_out_null(out, name);
}

static void put_timeline(struct json_out *out, const struct timeline_past *past)
{
	struct timeline_entry entries[TIMELINE_MAX];
	size_t count = timeline_read(past, entries);
	json_out_array(out, "timeline");
	for (size_t i = 0; i < count; i++) {
		json_out_object(out, NULL);
		json_out_int(out, "at_ms", entries[i].at_ms);
		json_out_string(out, "what", timeline_word(entries[i].what));
		if (entries[i].detail[0] != '\0')
			json_out_string(out, "detail", entries[i].detail);
		json_out_object_end(out);
	}
	json_out_array_end(out);
}

static void put_place(struct json_out *out, const struct admin_notes *notes,
					  const struct kept_place *place)
{
	char code[SUPPORT_CODE_CHARS + 1];
	support_code_print(place->position_id, code);
	json_out_object(out, NULL);
	json_out_string(out, "position_id", place->position_id);
	json_out_string(out, "code", code);
	json_out_string(out, "state", state_word(place));
	json_out_string(out, "lane", place->lane);
	json_out_int(out, "ticket", (int64_t)place->ticket);
	if (place->past.state == PLACE_WAITING)
		json_out_string(out, "stands", place->aside ? "aside" : place->front ? "front" : "line");
	else
		json_out_null(out, "stands");
	put_time(out, "position", (int64_t)position_of(notes, place));
	put_time(out, "joined_ms", place->past.joined_ms);
	put_time(out, "heard_ms", place->is_ghost ? 0 : place->heard_ms);
	bool is_in = place->past.state == PLACE_ADMITTED || place->past.state == PLACE_CLAIMED;
	put_time(out, "ends_ms", is_in ? place->ends_ms : 0);
	put_time(out, "kept_ms", place->kept_ms);
	json_out_int(out, "put_back", (int64_t)place->put_back);
	json_out_object(out, "tokens");
	json_out_int(out, "holder", place->holder);
	json_out_object_end(out);
	put_timeline(out, &place->past);
	json_out_object_end(out);
}

static void reply_places(struct http_request *request, int64_t now_ms,
						 const struct kept_place *places, size_t count)
{
	struct admin_notes *notes = http_request_notes(request);
	size_t room = 256 + count * PLACE_JSON_BYTES;
	WR_AUTO(mem_free_at) char *text = mem_alloc_zero(1, room);
	struct json_out out;
	json_out_init(&out, text, room);
	json_out_object(&out, NULL);
	json_out_array(&out, "places");
	for (size_t i = 0; i < count; i++)
		put_place(&out, notes, &places[i]);
	json_out_array_end(&out);
	json_out_bool(&out, "complete", !notes->gave_up);
	json_out_int(&out, "as_of_ms", now_ms);
	json_out_object_end(&out);
	admin_reply_json(request, 200, &out);
}

static void on_looked(void *ctx, enum wr_err err, int64_t now_ms, const struct kept_place *places,
					  size_t count)
{
	struct http_request *request = ctx;
	struct admin_notes *notes = http_request_notes(request);
	if (err == WR_OK)
		reply_places(request, now_ms, places, count);
	else
		admin_problem(notes->internal, request, err, NULL);
}

/* ---- searching for a code ---- */

struct search {
	struct http_request *request;
	uint64_t bits; /* of the code */
	char prefix[SUPPORT_CODE_PREFIX_CHARS + 1];
	struct mono_time began;
	store_id found[FOUND_MAX];
	size_t count;
};

static void keep_found(struct search *search, const char *position_id)
{
	for (size_t i = 0; i < search->count; i++)
		if (strcmp(search->found[i], position_id) == 0)
			return; /* the store may tell of one twice */
	if (search->count < FOUND_MAX && support_code_is_of(search->bits, position_id))
		memcpy(search->found[search->count++], position_id, sizeof(store_id));
}

static void on_scanned(void *ctx, enum wr_err err, const char *cursor, const store_id *ids,
					   size_t count)
{
	struct search *search = ctx;
	struct http_request *request = search->request;
	struct admin_notes *notes = http_request_notes(request);
	struct store *store = notes->internal->store;
	for (size_t i = 0; i < count; i++)
		keep_found(search, ids[i]);
	bool at_end = strcmp(cursor, "0") == 0;
	notes->gave_up = !at_end && mono_diff_ms(search->began, clock_mono()) >= SEARCH_MAX_MS;
	if (err == WR_OK && !at_end && !notes->gave_up) {
		store_support_scan(store, &notes->name, search->prefix, cursor, on_scanned, search);
		return;
	}
	if (err == WR_OK)
		store_support_look(store, &notes->name, false, (const store_id *)search->found,
						   search->count, on_looked, request);
	else
		admin_problem(notes->internal, request, err, NULL);
	free(search);
}

static enum wr_err search_code(struct http_request *request, const char *code,
							   struct err_detail *ret_detail)
{
	struct admin_notes *notes = http_request_notes(request);
	uint64_t bits;
	if (!support_code_parse(code, strlen(code), &bits))
		return err_say(ret_detail, WR_INVALID,
					   "code: must be nine letters and digits, for example 7QD-K3M-0WZ");
	struct search *search = mem_alloc_zero(1, sizeof(*search));
	search->request = request;
	search->bits = bits;
	search->began = clock_mono();
	support_code_prefix(bits, search->prefix);
	store_support_scan(notes->internal->store, &notes->name, search->prefix, "0", on_scanned,
					   search);
	return WR_OK;
}

/* ---- the request ---- */

static enum wr_err look_id(struct http_request *request, const char *id,
						   struct err_detail *ret_detail)
{
	struct admin_notes *notes = http_request_notes(request);
	if (!position_id_is_valid(id, strlen(id)))
		return err_say(ret_detail, WR_INVALID, "id: must be the %d characters of a position id",
					   POSITION_ID_CHARS);
	memcpy(notes->position_id[0], id, sizeof(store_id));
	store_support_look(notes->internal->store, &notes->name, false,
					   (const store_id *)notes->position_id, 1, on_looked, request);
	return WR_OK;
}

static enum wr_err look_key(struct http_request *request, const char *key,
							struct err_detail *ret_detail)
{
	struct admin_notes *notes = http_request_notes(request);
	size_t len = strlen(key);
	store_id id;
	if (len == 0 || len > KEY_MAX_CHARS || key[0] == '\1')
		return err_say(ret_detail, WR_INVALID,
					   "key: must be an Idempotency-Key of 1..%d characters", KEY_MAX_CHARS);
	position_id_from_key(internal_signer(notes->internal), &notes->name, key, len, id);
	return look_id(request, id, ret_detail);
}

static enum wr_err look_identity(struct http_request *request, const char *text,
								 struct err_detail *ret_detail)
{
	struct admin_notes *notes = http_request_notes(request);
	char identity[ENTRY_IDENTITY_MAX_BYTES + 1];
	if (!entry_identity_read(text, identity))
		return err_say(ret_detail, WR_INVALID,
					   "identity: must be 1..%d bytes, as in the person's entry token",
					   ENTRY_IDENTITY_MAX_BYTES);
	position_id_from_identity(internal_signer(notes->internal), &notes->name, identity,
							  notes->position_id[0]);
	store_support_look(notes->internal->store, &notes->name, true,
					   (const store_id *)notes->position_id, 1, on_looked, request);
	return WR_OK;
}

void admin_places_serve(void *ctx, struct http_request *request, const struct route_match *match)
{
	static const struct {
		const char *name;
		enum wr_err (*look)(struct http_request *, const char *, struct err_detail *);
	} ways[] = {
		{"code", search_code}, {"id", look_id}, {"identity", look_identity}, {"key", look_key}};
	struct internal *internal = ctx;
	(void)match;
	char value[QUERY_BYTES];
	struct err_detail detail;
	for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++) {
		if (!http_request_query(request, ways[i].name, value, sizeof(value)))
			continue;
		enum wr_err err = ways[i].look(request, value, &detail);
		if (err != WR_OK)
			admin_problem(internal, request, err, &detail);
		return;
	}
	admin_problem(internal, request,
				  err_say(&detail, WR_INVALID,
						  "code, id, identity or key: one of them has to say whose place it is"),
				  &detail);
}
