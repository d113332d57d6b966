/* Sync: what a pod has to know of a queue, from one answer of scripts/sync.lua, and the bitmap
 * chunks that it loads when it starts or has fallen behind. */
#include "lib/store/client.h"

#include "waitingroom/memory.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define DELETED "deleted:" /* begins the epoch that a deleted queue leaves behind */

/* ---- departures: "main:17-17,vip-2:4-9" ---- */

struct departures {
	struct store *store;
	const struct synced *result;
	struct departure *list;
	size_t count, room;
};

static int lane_number(const struct synced *result, const char *name, size_t len)
{
	for (size_t i = 0; i < result->lane_count; i++)
		if (strlen(result->lanes[i].lane) == len && memcmp(result->lanes[i].lane, name, len) == 0)
			return (int)i;
	return -1;
}

/* "main:17-17". False when it is not of that form. */
static bool range_parse(const struct synced *result, const char *text, size_t len,
						struct departure *ret_departure)
{
	const char *colon = memchr(text, ':', len);
	if (!colon)
		return false;
	const char *first = colon + 1, *end = text + len;
	const char *dash = memchr(first, '-', (size_t)(end - first));
	if (!dash)
		return false;
	struct ticket_range *range = &ret_departure->range;
	ret_departure->lane = lane_number(result, text, (size_t)(colon - text));
	return text_to_u64(first, (size_t)(dash - first), UINT64_MAX, &range->first) &&
		   text_to_u64(dash + 1, (size_t)(end - dash) - 1, UINT64_MAX, &range->last) &&
		   range->first >= 1 && range->first <= range->last;
}

/* The ranges of one entry. A lane that the queue no longer has is passed over. */
static bool departures_add(struct departures *found, const char *text, size_t len)
{
	const char *end = text + len;
	while (text < end) {
		const char *comma = memchr(text, ',', (size_t)(end - text));
		const char *stop = comma ? comma : end;
		struct departure departure;
		if (!range_parse(found->result, text, (size_t)(stop - text), &departure))
			return false;
		if (found->count == found->room) {
			found->room = found->room ? 2 * found->room : 256;
			found->list = mem_grow(found->list, found->room, sizeof(*found->list));
		}
		if (departure.lane >= 0)
			found->list[found->count++] = departure;
		text = comma ? comma + 1 : end;
	}
	return true;
}

static void take_departures(struct walk *walk, struct synced *result, struct departures *found,
							size_t limit)
{
	size_t entries = walk_array(walk) / 2;
	for (size_t i = 0; i < entries && !walk->garbled; i++) {
		size_t len;
		walk_copy(walk, result->last_departure, sizeof(result->last_departure));
		const char *ranges = walk_text(walk, &len);
		walk_expect(walk, departures_add(found, ranges, len));
	}
	result->departures = found->list;
	result->departure_count = found->count;
	result->more = entries > 0 && entries >= limit;
}

/* ---- revocations: "s <id> <until, s>,m <id> <holder>" ---- */

struct revoked {
	struct revocation *list;
	size_t count, room;
};

/* "s <id> <number>", "m <id> <number>" or "p <id> <number>" */
static bool revocation_parse(const char *text, size_t len, struct revocation *ret_revocation)
{
	const size_t id_end = 2 + POSITION_ID_CHARS;
	uint64_t number;
	*ret_revocation = (struct revocation){.until_s = 0};
	if (len <= id_end + 1 || text[1] != ' ' || text[id_end] != ' ' ||
		!position_id_is_valid(text + 2, POSITION_ID_CHARS) ||
		!text_to_u64(text + id_end + 1, len - id_end - 1, UINT32_MAX, &number))
		return false;
	memcpy(ret_revocation->position_id, text + 2, POSITION_ID_CHARS);
	ret_revocation->is_pardon = text[0] == 'p';
	if (text[0] == 'm')
		ret_revocation->holder = (uint32_t)number;
	else
		ret_revocation->until_s = (int64_t)number;
	return strchr("smp", text[0]) && number > 0;
}

/* An item that is not understood comes from a newer version, and is passed over. */
static void revoked_add(struct revoked *found, const char *text, size_t len)
{
	for (const char *end = text + len, *stop; text < end; text = stop + 1) {
		const char *comma = memchr(text, ',', (size_t)(end - text));
		struct revocation revocation;
		stop = comma ? comma : end;
		if (!revocation_parse(text, (size_t)(stop - text), &revocation))
			continue;
		if (found->count == found->room) {
			found->room = found->room ? 2 * found->room : 64;
			found->list = mem_grow(found->list, found->room, sizeof(*found->list));
		}
		found->list[found->count++] = revocation;
	}
}

static void take_revocations(struct walk *walk, struct synced *result, struct revoked *found,
							 size_t limit)
{
	size_t entries = walk_array(walk) / 2;
	for (size_t i = 0; i < entries && !walk->garbled; i++) {
		size_t len;
		walk_copy(walk, result->last_revocation, sizeof(result->last_revocation));
		const char *items = walk_text(walk, &len);
		revoked_add(found, items, len);
	}
	result->revocations = found->list;
	result->revocation_count = found->count;
	result->more = result->more || (entries > 0 && entries >= limit);
}

/* ---- the rest of the answer ---- */

static void take_lanes(struct walk *walk, struct synced *result)
{
	size_t count = walk_array(walk);
	walk_expect(walk, count % 4 == 0 && count / 4 <= QUEUE_LANES_MAX);
	if (walk->err || walk->garbled)
		return;
	result->lane_count = count / 4;
	for (size_t i = 0; i < result->lane_count; i++) {
		struct lane_counts *lane = &result->lanes[i];
		walk_copy(walk, lane->lane, sizeof(lane->lane));
		lane->ticket = walk_count(walk);
		lane->gone = walk_count(walk);
		lane->admitted = walk_count(walk);
	}
}

static void take_settings(struct walk *walk, struct synced *result)
{
	size_t fields = walk_array(walk) / 2;
	if (fields == 0)
		return;
	result->has_settings = true;
	queue_settings_default(&result->settings);
	for (size_t i = 0; i < fields && !walk->garbled; i++) {
		size_t len;
		const char *name = walk_text(walk, NULL);
		const char *value = walk_text(walk, &len);
		/* A value that this version does not take leaves the default: another version wrote it,
		 * and the rest of the queue must go on working. */
		enum wr_err ignored = queue_settings_set_field(&result->settings, name, value, len);
		(void)ignored;
	}
	result->settings.version = result->version;
}

static void take_counts(struct walk *walk, struct synced *result)
{
	result->now_ms = walk_int(walk);
	walk_copy(walk, result->epoch, sizeof(result->epoch));
	walk_copy(walk, result->lost_epochs, sizeof(result->lost_epochs));
	result->recovering = walk_int(walk) != 0;
	result->version = walk_count(walk);
	result->active = walk_count(walk);
	result->absent = walk_count(walk);
	result->returned = walk_count(walk);
	result->outbox_length = walk_count(walk);
}

/* There is no such queue: deleted, or does the store know nothing of it? */
static enum wr_err why_no_queue(const struct reply *reply)
{
	struct walk walk = walk_begin(WR_OK, reply);
	walk_array(&walk);
	walk_text(&walk, NULL); /* 'noqueue' */
	const char *epoch = walk_text(&walk, NULL);
	return strncmp(epoch, DELETED, strlen(DELETED)) == 0 ? WR_NO_QUEUE : WR_NOT_FOUND;
}

static void sync_end(struct call *call, enum wr_err err, const struct reply *reply)
{
	/* Too large for the stack of a small thread: the settings alone are some 7 kB. */
	WR_AUTO(mem_free_at) struct synced *result = mem_alloc_zero(1, sizeof(*result));
	struct departures found = {.store = call->store, .result = result};
	struct revoked revoked = {.list = NULL};
	struct walk walk = walk_begin(err, reply);
	walk_expect(&walk, walk_outcome(&walk) == 15 || walk.err);
	take_counts(&walk, result);
	take_lanes(&walk, result);
	take_settings(&walk, result);
	take_departures(&walk, result, &found, call->asked);
	take_revocations(&walk, result, &revoked, call->asked);
	walk_expect(&walk, walk_array(&walk) == VIOLATION_COUNT || walk.err);
	for (int i = 0; i < VIOLATION_COUNT; i++)
		result->violations[i] = walk_count(&walk);
	result->oldest_joined_ms = walk_int(&walk);
	err = walk_end(&walk, call);
	if (err == WR_NO_QUEUE)
		err = why_no_queue(reply);
	call->fn.synced(call->ctx, err, err ? NULL : result);
	queue_settings_clear(&result->settings);
	mem_free_at(&found.list);
	mem_free_at(&revoked.list);
}

void store_sync(struct store *store, const struct queue_name *queue, const char *last_departure,
				const char *last_revocation, uint64_t version, int limit, store_synced_fn fn,
				void *ctx)
{
	struct call *call = call_script(store, SCRIPT_SYNC, queue, 4, sync_end, ctx);
	call->fn.synced = fn;
	call->asked = (size_t)limit;
	call_add_text(call, last_departure[0] ? last_departure : "0");
	call_add_count(call, version);
	call_add_int(call, limit);
	call_add_text(call, last_revocation); /* NULL is "" */
	call_send(call);
}

/* ---- chunks ---- */

static void chunk_end(struct call *call, enum wr_err err, const struct reply *reply)
{
	struct walk walk = walk_begin(err, reply);
	size_t bytes = 0;
	/* Nobody of this chunk has left yet: there is no key. */
	const char *bitmap = err || reply_is_nil(reply) ? "" : walk_text(&walk, &bytes);
	walk_expect(&walk, bytes <= INDEX_CHUNK_BYTES);
	err = walk_end(&walk, call);
	call->fn.chunk(call->ctx, err, err ? NULL : (const uint8_t *)bitmap, err ? 0 : bytes);
}

static void send_chunk(struct call *call, const char *command, const struct queue_name *queue,
					   const char *lane, uint64_t chunk)
{
	char rest[NAME_MAX_CHARS + 32];
	snprintf(rest, sizeof(rest), "gone:%s:%" PRIu64, lane, chunk);
	call_add_text(call, command);
	call_add_key(call, queue, rest);
	call_send(call);
}

void store_read_chunk(struct store *store, const struct queue_name *queue, const char *lane,
					  uint64_t chunk, store_chunk_fn fn, void *ctx)
{
	struct call *call = call_command(store, 2, chunk_end, ctx);
	call->fn.chunk = fn;
	send_chunk(call, "GET", queue, lane, chunk);
}

static void count_end(struct call *call, enum wr_err err, const struct reply *reply)
{
	struct walk walk = walk_begin(err, reply);
	int64_t count = walk_int(&walk);
	err = walk_end(&walk, call);
	call->fn.step(call->ctx, err, err ? 0 : count);
}

void store_count_chunk(struct store *store, const struct queue_name *queue, const char *lane,
					   uint64_t chunk, store_step_fn fn, void *ctx)
{
	struct call *call = call_command(store, 2, count_end, ctx);
	call->fn.step = fn;
	send_chunk(call, "BITCOUNT", queue, lane, chunk);
}
