/* Admin audit, read: GET /admin/v1/audit?queue=&tenant=&action=&limit=&before=
 *
 *     which queues there are, and were ─► the newest entries of each, and of system_shard, at once
 *       ─► merged, newest first ─► what the key may see and the filters want ─► limit
 *
 * Every queue has its entries at its own shard, so one page asks all of them. A stream that gave as
 * many as it was asked for may have more behind its last: nothing older than that can be told
 * before it has been read again, so the page ends there at the latest. 'next' names where it ended;
 * a page may be short, or empty, and still have a next.
 *
 * Order: time of the entry, newest first; then the queue's name. The cursor is a place in that
 * order: "<stream id>@<tenant/queue>".
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "admin_audit.h"
#include "waitingroom/json_in.h"
#include "waitingroom/memory.h"

#define LIMIT_DEFAULT 100
#define LIMIT_MOST 500
#define READ_MOST 20000 /* entries of one page, from all queues together */
#define READ_LEAST 10	/* of each */
#define ACTION_BYTES 32

struct place { /* in the order of all entries */
	uint64_t ms, seq;
	char queue[QUEUE_NAME_TEXT_BYTES];
};

struct entry {
	struct place place;
	char *json;
};

struct reading {
	struct http_request *request;
	struct queue_name only; /* a queue; .queue "" all of them */
	char tenant[NAME_MAX_CHARS + 1], action[ACTION_BYTES];
	int64_t limit;
	bool has_before, has_end, failed;
	struct place before, end; /* where the page begins; how far all streams have been read */
	struct queue_name *names;
	size_t name_count, name_room, waiting, each;
	struct entry *entries;
	size_t count, room;
};

struct stream {
	struct reading *reading;
	struct queue_name name;
};

static void reading_free(struct reading *reading)
{
	for (size_t i = 0; i < reading->count; i++)
		free(reading->entries[i].json);
	free(reading->entries);
	free(reading->names);
	free(reading);
}

/* ---- places ---- */

static bool parse_id(const char *text, size_t len, struct place *ret_place)
{
	const char *dash = memchr(text, '-', len);
	return dash != NULL && text_to_u64(text, (size_t)(dash - text), INT64_MAX, &ret_place->ms) &&
		   text_to_u64(dash + 1, len - (size_t)(dash + 1 - text), UINT64_MAX, &ret_place->seq);
}

static bool parse_place(const char *text, struct place *ret_place)
{
	const char *at = strchr(text, '@');
	struct queue_name name;
	if (at == NULL || !parse_id(text, (size_t)(at - text), ret_place) ||
		!queue_name_parse(at + 1, strlen(at + 1), &name))
		return false;
	queue_name_print(&name, ret_place->queue);
	return true;
}

/* < 0: a comes first, it is newer */
static int compare_places(const struct place *a, const struct place *b)
{
	if (a->ms != b->ms)
		return a->ms > b->ms ? -1 : 1;
	if (a->seq != b->seq)
		return a->seq > b->seq ? -1 : 1;
	return strcmp(a->queue, b->queue);
}

static int compare_entries(const void *a, const void *b)
{
	return compare_places(&((const struct entry *)a)->place, &((const struct entry *)b)->place);
}

/* The newest id of this stream that lies behind the cursor. */
static void print_from(const struct reading *reading, const char *queue,
					   char ret_id[STREAM_ID_BYTES])
{
	struct place from = reading->before;
	if (!reading->has_before) {
		strcpy(ret_id, "+");
		return;
	}
	if (strcmp(queue, from.queue) <= 0) {
		from.ms -= from.seq == 0 && from.ms > 0;
		from.seq--; /* of 0 it is the last of the millisecond before */
	}
	snprintf(ret_id, STREAM_ID_BYTES, "%llu-%llu", (unsigned long long)from.ms,
			 (unsigned long long)from.seq);
}

/* ---- the page ---- */

static bool action_fits(const char *action, const char *wanted)
{
	size_t len = strlen(wanted);
	return len == 0 ||
		   (strncmp(action, wanted, len) == 0 && (action[len] == '\0' || action[len] == '.'));
}

static bool is_wanted(const struct reading *reading, const struct entry *entry)
{
	const struct admin_notes *notes = http_request_notes(reading->request);
	WR_AUTO(json_free_at) struct json_value *document = NULL;
	const char *tenant, *action;
	if (json_parse(entry->json, strlen(entry->json), &document, NULL) != WR_OK ||
		!json_string(json_member(document, "tenant"), &tenant) ||
		!json_string(json_member(document, "action"), &action))
		return false;
	return admin_may_see(notes, tenant) && action_fits(action, reading->action) &&
		   (reading->tenant[0] == '\0' || strcmp(reading->tenant, tenant) == 0);
}

static void put_next(struct json_out *out, const struct place *next)
{
	char text[sizeof(next->queue) + STREAM_ID_BYTES];
	if (next == NULL) {
		json_out_null(out, "next");
		return;
	}
	snprintf(text, sizeof(text), "%llu-%llu@%s", (unsigned long long)next->ms,
			 (unsigned long long)next->seq, next->queue);
	json_out_string(out, "next", text);
}

static void reply(struct reading *reading)
{
	size_t bytes = 1024, told = 0;
	for (size_t i = 0; i < reading->count; i++)
		bytes += strlen(reading->entries[i].json) + 1;
	WR_AUTO(mem_free_at) char *text = mem_alloc_zero(1, bytes);
	struct json_out out;
	const struct place *next = NULL;
	if (reading->count > 0)
		qsort(reading->entries, reading->count, sizeof(*reading->entries), compare_entries);
	json_out_init(&out, text, bytes);
	json_out_object(&out, NULL);
	json_out_array(&out, "entries");
	for (size_t i = 0; i < reading->count; i++) {
		const struct entry *entry = &reading->entries[i];
		if (reading->has_end && compare_places(&entry->place, &reading->end) > 0)
			break;
		if (told == (size_t)reading->limit) {
			next = &reading->entries[i - 1].place;
			break;
		}
		if (!is_wanted(reading, entry))
			continue;
		json_out_raw(&out, NULL, entry->json, strlen(entry->json));
		told++;
	}
	if (next == NULL && reading->has_end)
		next = &reading->end;
	json_out_array_end(&out);
	put_next(&out, next);
	json_out_object_end(&out);
	admin_reply_json(reading->request, 200, &out);
}

static void finish(struct reading *reading)
{
	const struct admin_notes *notes = http_request_notes(reading->request);
	if (reading->failed)
		admin_problem(notes->internal, reading->request, WR_STORE_AWAY, NULL);
	else
		reply(reading);
	reading_free(reading);
}

/* ---- reading ---- */

static void keep_entry(struct reading *reading, const char *queue, const struct audited *audited)
{
	struct entry entry = {.json = NULL};
	if (!parse_id(audited->id, strlen(audited->id), &entry.place))
		return;
	strcpy(entry.place.queue, queue);
	entry.json = mem_copy(audited->entry, audited->len);
	if (reading->count == reading->room) {
		reading->room = reading->room > 0 ? reading->room * 2 : 64;
		reading->entries = mem_grow(reading->entries, reading->room, sizeof(*reading->entries));
	}
	reading->entries[reading->count++] = entry;
}

static void on_read(void *ctx, enum wr_err err, const struct audited *entries, size_t count)
{
	WR_AUTO(mem_free_at) struct stream *stream = ctx;
	struct reading *reading = stream->reading;
	char queue[QUEUE_NAME_TEXT_BYTES];
	queue_name_print(&stream->name, queue);
	for (size_t i = 0; i < count; i++)
		keep_entry(reading, queue, &entries[i]);
	if (count == reading->each && reading->count > 0) {
		const struct place *last = &reading->entries[reading->count - 1].place;
		if (!reading->has_end || compare_places(last, &reading->end) < 0)
			reading->end = *last;
		reading->has_end = true;
	}
	reading->failed |= err != WR_OK;
	if (--reading->waiting == 0)
		finish(reading);
}

static void read_all(struct reading *reading)
{
	const struct admin_notes *notes = http_request_notes(reading->request);
	size_t each = READ_MOST / reading->name_count;
	each = each < (size_t)reading->limit ? each : (size_t)reading->limit;
	reading->each = each > READ_LEAST ? each : READ_LEAST;
	reading->waiting = reading->name_count;
	for (size_t i = 0; i < reading->name_count; i++) {
		struct stream *stream = mem_alloc_zero(1, sizeof(*stream));
		char queue[QUEUE_NAME_TEXT_BYTES], from[STREAM_ID_BYTES];
		*stream = (struct stream){.reading = reading, .name = reading->names[i]};
		queue_name_print(&stream->name, queue);
		print_from(reading, queue, from);
		store_read_audit(notes->internal->store, &stream->name, from, reading->each, on_read,
						 stream);
	}
}

static void add_name(struct reading *reading, const struct queue_name *name)
{
	if (reading->name_count == reading->name_room) {
		reading->name_room = reading->name_room > 0 ? reading->name_room * 2 : 64;
		reading->names = mem_grow(reading->names, reading->name_room, sizeof(*reading->names));
	}
	reading->names[reading->name_count++] = *name;
}

static void add_names(struct reading *reading, const struct queue_name *names, size_t count)
{
	const struct admin_notes *notes = http_request_notes(reading->request);
	for (size_t i = 0; i < count; i++)
		if (admin_may_see(notes, names[i].tenant) &&
			(reading->tenant[0] == '\0' || strcmp(reading->tenant, names[i].tenant) == 0))
			add_name(reading, &names[i]);
}

static int compare_names(const void *a, const void *b)
{
	const struct queue_name *left = a, *right = b;
	int tenants = strcmp(left->tenant, right->tenant);
	return tenants != 0 ? tenants : strcmp(left->queue, right->queue);
}

/* A queue that was made again is on both lists. */
static void drop_repeated_names(struct reading *reading)
{
	size_t kept = 1;
	qsort(reading->names, reading->name_count, sizeof(*reading->names), compare_names);
	for (size_t i = 1; i < reading->name_count; i++)
		if (!queue_name_equal(&reading->names[i], &reading->names[kept - 1]))
			reading->names[kept++] = reading->names[i];
	reading->name_count = kept;
}

static void on_deleted_queues(void *ctx, enum wr_err err, const struct queue_name *names,
							  size_t count)
{
	struct reading *reading = ctx;
	if (err != WR_OK) {
		reading->failed = true;
		finish(reading);
		return;
	}
	add_names(reading, names, count);
	drop_repeated_names(reading);
	read_all(reading);
}

static void on_queues(void *ctx, enum wr_err err, const struct queue_name *names, size_t count)
{
	struct reading *reading = ctx;
	const struct admin_notes *notes = http_request_notes(reading->request);
	if (err != WR_OK) {
		reading->failed = true;
		finish(reading);
		return;
	}
	add_names(reading, names, count);
	store_deleted_queues(notes->internal->store, on_deleted_queues, reading);
}

/* ---- what is asked for ---- */

static enum wr_err read_queue(struct reading *reading, const char *text,
							  struct err_detail *ret_detail)
{
	if (text[0] != '\0' && !queue_name_parse(text, strlen(text), &reading->only))
		return err_say(ret_detail, WR_INVALID, "queue: must be tenant/queue");
	return WR_OK;
}

static enum wr_err read_asked(struct reading *reading, struct err_detail *ret_detail)
{
	const struct http_request *request = reading->request;
	char queue[256] = "", tenant[256] = "", action[256] = "", before[256] = "", limit[256] = "";
	http_request_query(request, "queue", queue, sizeof(queue));
	http_request_query(request, "before", before, sizeof(before));
	http_request_query(request, "limit", limit, sizeof(limit));
	http_request_query(request, "tenant", tenant, sizeof(tenant));
	http_request_query(request, "action", action, sizeof(action));
	reading->limit = LIMIT_DEFAULT;
	if (limit[0] != '\0' && !text_to_i64(limit, strlen(limit), 1, LIMIT_MOST, &reading->limit))
		return err_say(ret_detail, WR_INVALID, "limit: must be 1..%d", LIMIT_MOST);
	if (before[0] != '\0' && !parse_place(before, &reading->before))
		return err_say(ret_detail, WR_INVALID, "before: must be the next of an answer");
	if (tenant[0] != '\0' && strcmp(tenant, "*") != 0 && !name_is_valid(tenant, strlen(tenant)))
		return err_say(ret_detail, WR_INVALID, "tenant: must be the name of a tenant, or *");
	if (strlen(action) >= sizeof(reading->action))
		return err_say(ret_detail, WR_INVALID, "action: there is none of that name");
	reading->has_before = before[0] != '\0';
	strcpy(reading->tenant, tenant);
	strcpy(reading->action, action);
	return read_queue(reading, queue, ret_detail);
}

void admin_audit_serve(void *ctx, struct http_request *request, const struct route_match *match)
{
	struct internal *internal = ctx;
	const struct admin_notes *notes = http_request_notes(request);
	struct reading *reading = mem_alloc_zero(1, sizeof(*reading));
	struct err_detail detail = {""};
	(void)match;
	reading->request = request;
	enum wr_err err = read_asked(reading, &detail);
	if (err != WR_OK) {
		admin_problem(internal, request, err, &detail);
		reading_free(reading);
		return;
	}
	if (reading->only.queue[0] != '\0' && admin_may_see(notes, reading->only.tenant)) {
		add_name(reading, &reading->only);
		read_all(reading);
		return;
	}
	if (reading->only.queue[0] != '\0') { /* somebody else's: as one that never was */
		finish(reading);
		return;
	}
	add_name(reading, &system_shard);
	store_queues(internal->store, on_queues, reading);
}
