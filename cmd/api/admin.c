/* Admin API: queues are read, people let in by hand. Changes: admin_change.c, admin_state.c,
 * admin_empty.c, admin_delete.c; figures: admin_stats.c.
 *
 *     admin_auth.c ─► body ─► one or more steps of the store ─► answer
 *
 * Reading one queue asks the store; the list comes from the pod's own picture, which has what was
 * changed here before that is answered (admin_seen.c). Steps that go on (admit, empty, delete)
 * repeat their script call until it says done.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "admin_audit.h"
#include "admin_queue.h"
#include "admin_version.h"
#include "waitingroom/json_in.h"
#include "waitingroom/memory.h"
#include "waitingroom/pacing.h"

#define ADMIT_MAX 1000000

void admin_problem(struct internal *internal, struct http_request *request, enum wr_err err,
				   const struct err_detail *detail)
{
	int64_t retry_s = err_is_retryable(err) ? retry_after_s(1, jitter_next(&internal->jitter)) : 0;
	http_reply_problem(request, err, detail, retry_s);
}

void admin_reply_json(struct http_request *request, int status, const struct json_out *out)
{
	http_reply(request, status, "application/json", out->text, out->len);
}

/* ---- reading ---- */

struct queue_list {
	const struct admin_notes *notes;
	struct json_out out;
};

static void list_queue(void *ctx, const struct queue_snapshot *snapshot)
{
	struct queue_list *list = ctx;
	struct json_out *out = &list->out;
	char name[QUEUE_NAME_TEXT_BYTES];
	if (!admin_may_see(list->notes, snapshot->name.tenant))
		return;
	queue_name_print(&snapshot->name, name);
	json_out_object(out, NULL);
	json_out_string(out, "queue", name);
	json_out_string(out, "state", queue_state_word(snapshot->settings->state));
	json_out_int(out, "version", (int64_t)snapshot->settings->version);
	json_out_int(out, "waiting", (int64_t)snapshot->waiting);
	json_out_int(out, "active", (int64_t)snapshot->active);
	json_out_int(out, "absent", (int64_t)snapshot->absent);
	json_out_int(out, "rate_per_minute", snapshot->settings->rate_per_minute);
	json_out_int(out, "capacity", snapshot->settings->capacity);
	json_out_bool(out, "recovering", snapshot->recovering);
	json_out_int(out, "oldest_wait_ms",
				 snapshot->oldest_joined_ms > 0 ? snapshot->as_of_ms - snapshot->oldest_joined_ms
												: 0);
	if (snapshot->new_wait_s >= 0)
		json_out_int(out, "estimated_wait_s", (int64_t)snapshot->new_wait_s);
	else
		json_out_null(out, "estimated_wait_s");
	json_out_int(out, "admitted_total", (int64_t)snapshot->admitted_total);
	json_out_int(out, "as_of_ms", snapshot->as_of_ms);
	json_out_object_end(out);
}

void admin_list_serve(void *ctx, struct http_request *request, const struct route_match *match)
{
	struct internal *internal = ctx;
	(void)match;
	size_t room = 1024 + 512 * queue_table_count(internal->app->queues);
	WR_AUTO(mem_free_at) char *text = mem_alloc_zero(1, room);
	struct queue_list list = {.notes = http_request_notes(request)};
	struct json_out *out = &list.out;
	json_out_init(out, text, room);
	json_out_object(out, NULL);
	json_out_array(out, "queues");
	queue_table_each(internal->app->queues, list_queue, &list);
	json_out_array_end(out);
	json_out_object_end(out);
	admin_reply_json(request, 200, out);
}

static void write_lanes(struct json_out *out, const struct synced *answer)
{
	json_out_array(out, "lanes");
	for (size_t i = 0; i < answer->lane_count; i++) {
		const struct lane_counts *lane = &answer->lanes[i];
		json_out_object(out, NULL);
		json_out_string(out, "lane", lane->lane);
		json_out_int(out, "waiting", (int64_t)(lane->ticket - lane->gone));
		json_out_int(out, "last_ticket", (int64_t)lane->ticket);
		json_out_int(out, "admitted", (int64_t)lane->admitted);
		json_out_object_end(out);
	}
	json_out_array_end(out);
}

static void on_got(void *ctx, enum wr_err err, const struct synced *answer)
{
	struct http_request *request = ctx;
	struct admin_notes *notes = http_request_notes(request);
	if (err != WR_OK) {
		admin_problem(notes->internal, request, err == WR_NOT_FOUND ? WR_NO_QUEUE : err, NULL);
		return;
	}
	char name[QUEUE_NAME_TEXT_BYTES];
	size_t room = QUEUE_SETTINGS_JSON_BYTES + 8192;
	WR_AUTO(mem_free_at) char *text = mem_alloc_zero(1, room);
	struct json_out out;
	queue_name_print(&notes->name, name);
	json_out_init(&out, text, room);
	json_out_object(&out, NULL);
	json_out_string(&out, "queue", name);
	json_out_int(&out, "version", (int64_t)answer->version);
	queue_settings_to_json(&answer->settings, &out, "settings");
	json_out_object(&out, "now");
	json_out_int(&out, "active", (int64_t)answer->active);
	json_out_int(&out, "absent", (int64_t)answer->absent);
	json_out_int(&out, "returned", (int64_t)answer->returned);
	json_out_int(&out, "outbox", (int64_t)answer->outbox_length);
	json_out_bool(&out, "recovering", answer->recovering);
	write_lanes(&out, answer);
	json_out_object_end(&out);
	json_out_object_end(&out);
	char etag[VERSION_ETAG_BYTES];
	version_etag(answer->version, etag);
	http_reply_header(request, "ETag", etag);
	admin_reply_json(request, 200, &out);
}

void admin_get_serve(void *ctx, struct http_request *request, const struct route_match *match)
{
	struct internal *internal = ctx;
	(void)match;
	struct admin_notes *notes = http_request_notes(request);
	store_sync(internal->store, &notes->name, "0", NULL, 0, 1, on_got, request);
}

/* ---- revoke ---- */

static void on_revoked(void *ctx, enum wr_err err, int64_t now_ms, const struct released *person,
					   size_t count)
{
	struct http_request *request = ctx;
	struct admin_notes *notes = http_request_notes(request);
	struct err_detail detail;
	(void)now_ms;
	if (err == WR_OK && count == 1 && person->state == PLACE_WAITING)
		err = err_say(&detail, WR_CONFLICT, "The place is still in line; it has no session.");
	if (err != WR_OK) {
		admin_problem(notes->internal, request, err, err == WR_CONFLICT ? &detail : NULL);
		return;
	}
	char text[128];
	struct json_out out;
	json_out_init(&out, text, sizeof(text));
	json_out_object(&out, NULL);
	json_out_string(&out, "position_id", notes->position_id[0]);
	json_out_string(&out, "status", place_state_word(person->state));
	json_out_object_end(&out);
	admin_reply_seen(request, 200, &out);
}

/* Ends somebody's session, or the turn that they have not taken up. Whether the store knows of one
 * or not, the gate refuses the token as soon as the pods have been told. */
void admin_revoke_serve(void *ctx, struct http_request *request, const struct route_match *match)
{
	struct internal *internal = ctx;
	(void)match;
	struct admin_notes *notes = http_request_notes(request);
	WR_AUTO(json_free_at) struct json_value *document = NULL;
	struct err_detail detail = {""};
	const char *id = "";
	size_t len = 0;
	const char *body = http_request_body(request, &len);
	enum wr_err err = json_parse(body, len, &document, &detail);
	if (err == WR_OK &&
		(json_count(document) != 1 || !json_string(json_member(document, "position_id"), &id) ||
		 !position_id_is_valid(id, strlen(id))))
		err = err_say(&detail, WR_INVALID,
					  "position_id: the body is {\"position_id\":\"…\"} with the id of a place");
	if (err != WR_OK) {
		admin_problem(internal, request, err, &detail);
		return;
	}
	memcpy(notes->position_id[0], id, sizeof(store_id));
	char after[64], entry[STORE_AUDIT_BYTES];
	snprintf(after, sizeof(after), "{\"position_id\":\"%s\"}", id);
	admin_audit_json(notes, "null", after, entry, sizeof(entry));
	struct store_audit audit = admin_audit_of(notes, entry);
	store_revoke(internal->store, &notes->name, notes->position_id, &audit, on_revoked, request);
}

/* ---- admit now ---- */

static void admit_step(struct http_request *request);

static void on_noted(void *ctx, enum wr_err err)
{
	(void)ctx, (void)err;
}

/* What came of it. People are in already: nobody waits for this. */
static void audit_admitted(const struct admin_notes *notes, const char *after)
{
	char entry[STORE_AUDIT_BYTES];
	admin_audit_json(notes, "null", after, entry, sizeof(entry));
	struct store_audit audit = admin_audit_of(notes, entry);
	store_audit(notes->internal->store, &notes->name, &audit, on_noted, NULL);
}

static void on_admitted(void *ctx, enum wr_err err, const struct admitted *result)
{
	struct http_request *request = ctx;
	struct admin_notes *notes = http_request_notes(request);
	if (err != WR_OK) {
		admin_problem(notes->internal, request, err, NULL);
		return;
	}
	notes->done += result->admitted;
	if (result->more && result->admitted + result->set_aside > 0 && notes->done < notes->wanted) {
		admit_step(request);
		return;
	}
	char text[128];
	struct json_out out;
	json_out_init(&out, text, sizeof(text) - 1);
	json_out_object(&out, NULL);
	json_out_int(&out, "admitted", (int64_t)notes->done);
	json_out_int(&out, "free", result->free);
	json_out_object_end(&out);
	text[out.len] = '\0';
	audit_admitted(notes, text);
	admin_reply_seen(request, 200, &out);
}

static void admit_step(struct http_request *request)
{
	struct admin_notes *notes = http_request_notes(request);
	const struct config *config = &notes->internal->app->config;
	store_admit(notes->internal->store, &notes->name, "operator", config->lease_ms,
				ADMIN_STEP_PEOPLE, config->deaf_after_ms, notes->wanted - notes->done, on_admitted,
				request);
}

/* That it was asked for is written down before anybody is let in. */
static void on_admit_noted(void *ctx, enum wr_err err)
{
	struct http_request *request = ctx;
	const struct admin_notes *notes = http_request_notes(request);
	if (err == WR_OK)
		admit_step(request);
	else
		admin_problem(notes->internal, request, err, NULL);
}

void admin_admit_serve(void *ctx, struct http_request *request, const struct route_match *match)
{
	struct internal *internal = ctx;
	(void)match;
	struct admin_notes *notes = http_request_notes(request);
	WR_AUTO(json_free_at) struct json_value *document = NULL;
	struct err_detail detail = {""};
	size_t len = 0;
	int64_t count = 0;
	const char *body = http_request_body(request, &len);
	enum wr_err err = json_parse(body, len, &document, &detail);
	if (err == WR_OK && (!json_int(json_member(document, "count"), &count) || count < 1 ||
						 count > ADMIT_MAX || json_count(document) != 1))
		err = err_say(&detail, WR_INVALID, "count: the body is {\"count\":N} with N 1..%d",
					  ADMIT_MAX);
	if (err != WR_OK) {
		admin_problem(internal, request, err, &detail);
		return;
	}
	notes->wanted = (uint64_t)count;
	char after[64], entry[STORE_AUDIT_BYTES];
	snprintf(after, sizeof(after), "{\"count\":%lld}", (long long)count);
	admin_audit_json(notes, "null", after, entry, sizeof(entry));
	struct store_audit audit = admin_audit_of(notes, entry);
	store_audit(internal->store, &notes->name, &audit, on_admit_noted, request);
}
