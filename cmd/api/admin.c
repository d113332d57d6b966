/* Admin API: queues are made, changed, paused, resumed, taken away; people let in by hand.
 *
 *     every route ─► admin key ─► names ─► body ─► one or more steps of the store ─► answer
 *
 * Reading one queue asks the store, so that a change is seen by whoever made it; the list comes from
 * the pod's own picture. Steps that go on (delete, admit) repeat their script call until it says done.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "admin_keys.h"
#include "internal.h"
#include "queue_event.h"
#include "waitingroom/json_in.h"
#include "waitingroom/memory.h"
#include "waitingroom/pacing.h"

#define STEP_PEOPLE 500
#define ADMIT_MAX 1000000
#define PUT_TRIES 5

void admin_problem(struct internal *internal, struct http_request *request, enum wr_err err,
				   const struct err_detail *detail)
{
	int64_t retry_s = err_is_retryable(err) ? retry_after_s(1, jitter_next(&internal->jitter)) : 0;
	http_reply_problem(request, err, detail, retry_s);
}

bool admin_begin(struct internal *internal, struct http_request *request,
				 const struct route_match *match)
{
	struct admin_notes *notes = http_request_notes(request);
	notes->internal = internal;
	if (!admin_keys_allow(atomic_load_explicit(&internal->app->admin_keys, memory_order_acquire),
						  http_request_header(request, "Authorization"))) {
		admin_problem(internal, request, WR_BAD_TOKEN, NULL);
		return false;
	}
	if (match->count < 2)
		return true;
	if (!name_is_valid(match->segment[0], match->len[0]) ||
		!name_is_valid(match->segment[1], match->len[1])) {
		struct err_detail detail;
		admin_problem(
			internal, request,
			err_say(&detail, WR_INVALID,
					"tenant and queue: must be 1..63 of a-z, 0-9 and -, not beginning with -"),
			&detail);
		return false;
	}
	memcpy(notes->name.tenant, match->segment[0], match->len[0]);
	memcpy(notes->name.queue, match->segment[1], match->len[1]);
	return true;
}

static void reply_json(struct http_request *request, int status, const struct json_out *out)
{
	http_reply(request, status, "application/json", out->text, out->len);
}

/* ---- reading ---- */

static void list_queue(void *ctx, const struct queue_snapshot *snapshot)
{
	struct json_out *out = ctx;
	char name[QUEUE_NAME_TEXT_BYTES];
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
	json_out_object_end(out);
}

void admin_list_serve(void *ctx, struct http_request *request, const struct route_match *match)
{
	struct internal *internal = ctx;
	if (!admin_begin(internal, request, match))
		return;
	size_t room = 1024 + 512 * queue_table_count(internal->app->queues);
	WR_AUTO(mem_free_at) char *text = mem_alloc_zero(1, room);
	struct json_out out;
	json_out_init(&out, text, room);
	json_out_object(&out, NULL);
	json_out_array(&out, "queues");
	queue_table_each(internal->app->queues, list_queue, &out);
	json_out_array_end(&out);
	json_out_object_end(&out);
	reply_json(request, 200, &out);
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
	reply_json(request, 200, &out);
}

void admin_get_serve(void *ctx, struct http_request *request, const struct route_match *match)
{
	struct internal *internal = ctx;
	if (!admin_begin(internal, request, match))
		return;
	struct admin_notes *notes = http_request_notes(request);
	http_request_park(request);
	store_sync(internal->store, &notes->name, "0", 0, 1, on_got, request);
}

/* ---- making and changing ---- */

static void read_for_put(struct http_request *request);

static void on_put(void *ctx, enum wr_err err, enum put_result result, uint64_t version)
{
	static const char *const words[] = {"created", "changed", "unchanged"};
	struct http_request *request = ctx;
	struct admin_notes *notes = http_request_notes(request);
	struct err_detail detail = {""};
	if (err == WR_CONFLICT && notes->any_version && ++notes->done < PUT_TRIES) {
		read_for_put(request);
		return;
	}
	if (err != WR_OK) {
		if (err == WR_CONFLICT)
			(void)err_say(&detail, err, "version: the queue is at version %llu; read it again",
						  (unsigned long long)version);
		if (err == WR_BUSY)
			(void)err_say(&detail, err, "The former queue of this name is still being cleared.");
		admin_problem(notes->internal, request, err, detail.text[0] != '\0' ? &detail : NULL);
		return;
	}
	char name[QUEUE_NAME_TEXT_BYTES], text[512];
	struct json_out out;
	queue_name_print(&notes->name, name);
	json_out_init(&out, text, sizeof(text));
	json_out_object(&out, NULL);
	json_out_string(&out, "queue", name);
	json_out_string(&out, "result", words[result]);
	json_out_int(&out, "version", (int64_t)version);
	json_out_object_end(&out);
	reply_json(request, result == PUT_CREATED ? 201 : 200, &out);
}

/* If-Match: "7" -> only when the queue is at version 7. */
static enum wr_err expected_version(const struct http_request *request, uint64_t *ret_version,
									struct err_detail *ret_detail)
{
	const char *text = http_request_header(request, "If-Match");
	*ret_version = UINT64_MAX;
	if (text == NULL || strcmp(text, "*") == 0)
		return WR_OK;
	size_t len = strlen(text);
	if (len >= 2 && text[0] == '"' && text[len - 1] == '"') {
		text++;
		len -= 2;
	}
	if (!text_to_u64(text, len, UINT64_MAX - 1, ret_version))
		return err_say(ret_detail, WR_INVALID, "If-Match: must be a version, for example \"7\"");
	return WR_OK;
}

/* What is there now is known: its secrets stay when they are not given again. They are those of a
 * version, so the put is tied to it; who did not ask for that gets a few tries. */
static void on_read_for_put(void *ctx, enum wr_err err, const struct synced *answer)
{
	struct http_request *request = ctx;
	struct admin_notes *notes = http_request_notes(request);
	struct internal *internal = notes->internal;
	WR_AUTO(queue_settings_clear) struct queue_settings settings;
	struct err_detail detail = {""};
	uint64_t version = 0;
	size_t len = 0;
	const char *body = http_request_body(request, &len);
	queue_settings_default(&settings);
	bool is_new = err == WR_NOT_FOUND || err == WR_NO_QUEUE;
	if (err == WR_OK || is_new)
		err = queue_settings_from_put(body, len, is_new ? NULL : &answer->settings, &settings,
									  &detail);
	if (err == WR_OK)
		err = expected_version(request, &version, &detail);
	if (err == WR_OK && version == UINT64_MAX) {
		notes->any_version = true;
		version = is_new ? 0 : answer->version;
	}
	if (err != WR_OK) {
		admin_problem(internal, request, err, detail.text[0] != '\0' ? &detail : NULL);
		return;
	}
	char data[QUEUE_EVENT_BYTES];
	queue_event_data(&settings, "admin", data);
	store_put_queue(internal->store, &notes->name, &settings, version, data, NULL, on_put, request);
}

static void read_for_put(struct http_request *request)
{
	struct admin_notes *notes = http_request_notes(request);
	store_sync(notes->internal->store, &notes->name, "0", 0, 1, on_read_for_put, request);
}

void admin_put_serve(void *ctx, struct http_request *request, const struct route_match *match)
{
	struct internal *internal = ctx;
	if (!admin_begin(internal, request, match))
		return;
	http_request_park(request);
	read_for_put(request);
}

/* ---- pause and resume ---- */

/* The body is optional; "message" is its only member, with the rules of the settings. */
static enum wr_err read_message(const struct http_request *request,
								char ret_message[QUEUE_MESSAGE_BYTES + 1],
								struct err_detail *ret_detail)
{
	WR_AUTO(json_free_at) struct json_value *document = NULL;
	WR_AUTO(queue_settings_clear) struct queue_settings settings;
	queue_settings_default(&settings);
	size_t len = 0;
	const char *body = http_request_body(request, &len);
	ret_message[0] = '\0';
	if (len == 0)
		return WR_OK;
	enum wr_err err = json_parse(body, len, &document, ret_detail);
	if (err != WR_OK)
		return err;
	bool has_message = json_member(document, "message") != NULL;
	if (!json_is_object(document) || json_count(document) > (has_message ? 1u : 0u))
		return err_say(ret_detail, WR_INVALID, "message: the body is {\"message\":\"…\"}");
	err = queue_settings_from_put(body, len, NULL, &settings, ret_detail);
	if (err == WR_OK)
		strcpy(ret_message, settings.message);
	return err;
}

static void change_state(struct internal *internal, struct http_request *request,
						 enum queue_state state)
{
	struct admin_notes *notes = http_request_notes(request);
	struct err_detail detail = {""};
	char message[QUEUE_MESSAGE_BYTES + 1];
	enum wr_err err = read_message(request, message, &detail);
	if (err != WR_OK) {
		admin_problem(internal, request, err, &detail);
		return;
	}
	struct queue_field fields[] = {{"state", queue_state_word(state)}, {"message", message}};
	char data[QUEUE_MESSAGE_BYTES * 6 + 64];
	struct json_out out;
	json_out_init(&out, data, sizeof(data) - 1);
	json_out_object(&out, NULL);
	json_out_string(&out, "by", "admin");
	json_out_string(&out, "message", message);
	json_out_object_end(&out);
	data[out.len] = '\0';
	http_request_park(request);
	store_patch_queue(internal->store, &notes->name, fields, 2, data, on_put, request);
}

void admin_pause_serve(void *ctx, struct http_request *request, const struct route_match *match)
{
	if (admin_begin(ctx, request, match))
		change_state(ctx, request, QUEUE_PAUSED);
}

void admin_resume_serve(void *ctx, struct http_request *request, const struct route_match *match)
{
	if (admin_begin(ctx, request, match))
		change_state(ctx, request, QUEUE_OPEN);
}

/* ---- admit now ---- */

static void admit_step(struct http_request *request);

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
	json_out_init(&out, text, sizeof(text));
	json_out_object(&out, NULL);
	json_out_int(&out, "admitted", (int64_t)notes->done);
	json_out_int(&out, "free", result->free);
	json_out_object_end(&out);
	reply_json(request, 200, &out);
}

static void admit_step(struct http_request *request)
{
	struct admin_notes *notes = http_request_notes(request);
	const struct config *config = &notes->internal->app->config;
	store_admit(notes->internal->store, &notes->name, "operator", config->lease_ms, STEP_PEOPLE,
				config->deaf_after_ms, notes->wanted - notes->done, on_admitted, request);
}

void admin_admit_serve(void *ctx, struct http_request *request, const struct route_match *match)
{
	struct internal *internal = ctx;
	if (!admin_begin(internal, request, match))
		return;
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
	http_request_park(request);
	admit_step(request);
}

/* ---- delete ---- */

static void delete_step(struct http_request *request);

static void on_deleted(void *ctx, enum wr_err err, bool more)
{
	struct http_request *request = ctx;
	struct admin_notes *notes = http_request_notes(request);
	/* An admitter that met the queue half deleted may have done the rest before us. */
	if (err == WR_NO_QUEUE && notes->done > 0)
		err = WR_OK;
	notes->done++;
	if (err != WR_OK)
		admin_problem(notes->internal, request, err, NULL);
	else if (more)
		delete_step(request);
	else
		http_reply(request, 204, "application/json", "", 0);
}

static void delete_step(struct http_request *request)
{
	struct admin_notes *notes = http_request_notes(request);
	store_delete_queue(notes->internal->store, &notes->name, STEP_PEOPLE, "{\"by\":\"admin\"}",
					   on_deleted, request);
}

void admin_delete_serve(void *ctx, struct http_request *request, const struct route_match *match)
{
	if (!admin_begin(ctx, request, match))
		return;
	http_request_park(request);
	delete_step(request);
}
