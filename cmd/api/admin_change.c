/* Admin change: queues are made and replaced (PUT), paused and resumed.
 *
 *     PUT     (new: may the tenant have one more?) ─► read what is there ─► settings of the body, secrets that it does not name from there
 *             ─► put, tied to the version that was read ─► somebody was faster: again
 *     pause   state and messages only
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "admin_audit.h"
#include "internal.h"
#include "queue_event.h"
#include "waitingroom/json_in.h"
#include "waitingroom/memory.h"

#define PUT_TRIES 5

/* ---- making and replacing ---- */

static void on_claimed_again(void *ctx, enum wr_err err, int64_t number)
{
	(void)ctx, (void)err, (void)number;
}

/* An admitter that forgot the deleted queue of that name in between has taken it off the tenant's list. */
static void claim_again(const struct admin_notes *notes)
{
	store_claim_queue(notes->internal->store, &notes->name, true,
					  (uint64_t)notes->internal->app->config.tenant_queues_max, on_claimed_again,
					  NULL);
}

static void on_put(void *ctx, enum wr_err err, enum put_result result, uint64_t version)
{
	static const char *const words[] = {"created", "changed", "unchanged"};
	struct http_request *request = ctx;
	struct admin_notes *notes = http_request_notes(request);
	struct err_detail detail = {""};
	if (err == WR_CONFLICT && notes->any_version && ++notes->done < PUT_TRIES) {
		notes->again(request);
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
	if (result == PUT_CREATED)
		claim_again(notes);
	char name[QUEUE_NAME_TEXT_BYTES], text[512];
	struct json_out out;
	queue_name_print(&notes->name, name);
	json_out_init(&out, text, sizeof(text));
	json_out_object(&out, NULL);
	json_out_string(&out, "queue", name);
	json_out_string(&out, "result", words[result]);
	json_out_int(&out, "version", (int64_t)version);
	json_out_object_end(&out);
	admin_reply_json(request, result == PUT_CREATED ? 201 : 200, &out);
}

/* There is a tenant, and it may have one more queue: from the beginning again, since reading and putting
 * belong together. */
static void on_claimed(void *ctx, enum wr_err err, int64_t number)
{
	struct http_request *request = ctx;
	struct admin_notes *notes = http_request_notes(request);
	struct err_detail detail = {""};
	if (err == WR_QUOTA)
		(void)err_say(&detail, err, "queues_max: the tenant has %lld queues, as many as it may",
					  (long long)number);
	if (err == WR_NO_TENANT)
		(void)err_say(&detail, err, "tenant: there is none of that name; make it first");
	if (err != WR_OK) {
		admin_problem(notes->internal, request, err, detail.text[0] != '\0' ? &detail : NULL);
		return;
	}
	notes->claimed = true;
	notes->again(request);
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
	if (is_new && !notes->claimed) {
		store_claim_queue(internal->store, &notes->name, false,
						  (uint64_t)internal->app->config.tenant_queues_max, on_claimed, request);
		return;
	}
	char data[QUEUE_EVENT_BYTES], entry[STORE_AUDIT_BYTES];
	WR_AUTO(mem_free_at) char *before = NULL;
	WR_AUTO(mem_free_at) char *after = NULL;
	queue_event_data(&settings, "admin", data);
	admin_audit_settings(is_new ? NULL : &answer->settings, &settings, &before, &after);
	admin_audit_json(notes, before, after, entry, sizeof(entry));
	struct store_audit audit = admin_audit_of(notes, entry);
	store_put_queue(internal->store, &notes->name, &settings, version, data, NULL, &audit, on_put,
					request);
}

static void read_for_put(struct http_request *request)
{
	struct admin_notes *notes = http_request_notes(request);
	store_sync(notes->internal->store, &notes->name, "0", NULL, 0, 1, on_read_for_put, request);
}

void admin_put_serve(void *ctx, struct http_request *request, const struct route_match *match)
{
	struct admin_notes *notes = http_request_notes(request);
	(void)ctx, (void)match;
	notes->again = read_for_put;
	read_for_put(request);
}

/* ---- pause and resume ---- */

/* These fields, of the settings that were read. */
static void patch(struct http_request *request, const struct synced *read,
				  const struct queue_field *fields, size_t count, const char *event_data)
{
	struct admin_notes *notes = http_request_notes(request);
	WR_AUTO(queue_settings_clear) struct queue_settings settings;
	WR_AUTO(mem_free_at) char *before = NULL;
	WR_AUTO(mem_free_at) char *after = NULL;
	char entry[STORE_AUDIT_BYTES];
	queue_settings_copy(&read->settings, &settings);
	for (size_t i = 0; i < count; i++)
		if (queue_settings_set_field(&settings, fields[i].name, fields[i].value,
									 strlen(fields[i].value)) != WR_OK)
			abort(); /* printed by queue_settings_to_fields a moment ago */
	admin_audit_settings(&read->settings, &settings, &before, &after);
	admin_audit_json(notes, before, after, entry, sizeof(entry));
	struct store_audit audit = admin_audit_of(notes, entry);
	store_patch_queue(notes->internal->store, &notes->name, fields, count, read->version,
					  event_data, &audit, on_put, request);
}

/* The body is optional; it has "message" and "messages", with the rules of the settings. */
static enum wr_err read_messages(const struct http_request *request,
								 struct queue_settings *ret_settings, struct err_detail *ret_detail)
{
	WR_AUTO(json_free_at) struct json_value *document = NULL;
	size_t len = 0;
	const char *body = http_request_body(request, &len);
	if (len == 0)
		return WR_OK;
	enum wr_err err = json_parse(body, len, &document, ret_detail);
	if (err != WR_OK)
		return err;
	size_t known =
		(json_member(document, "message") != NULL) + (json_member(document, "messages") != NULL);
	if (!json_is_object(document) || json_count(document) > known)
		return err_say(ret_detail, WR_INVALID,
					   "message: the body is {\"message\":\"…\",\"messages\":{\"de\":\"…\"}}");
	return queue_settings_from_put(body, len, NULL, ret_settings, ret_detail);
}

static const char *field_value(const struct queue_fields *fields, const char *name)
{
	for (size_t i = 0; i < fields->count; i++)
		if (strcmp(fields->list[i].name, name) == 0)
			return fields->list[i].value;
	abort(); /* every setting has its field */
}

/* Reads what is there and changes it, tied to the version that was read: so the audit is right about
 * what was before. What was said about the former state is not left standing, in any language. */
static void on_read_for_state(void *ctx, enum wr_err err, const struct synced *answer)
{
	struct http_request *request = ctx;
	struct admin_notes *notes = http_request_notes(request);
	WR_AUTO(queue_settings_clear) struct queue_settings said;
	queue_settings_default(&said);
	if (err == WR_OK)
		err = read_messages(request, &said, NULL); /* which was good before */
	if (err != WR_OK) {
		admin_problem(notes->internal, request, err == WR_NOT_FOUND ? WR_NO_QUEUE : err, NULL);
		return;
	}
	WR_AUTO(queue_fields_clear) struct queue_fields fields;
	queue_settings_to_fields(&said, &fields);
	struct queue_field changed[] = {{"state", queue_state_word((enum queue_state)notes->wanted)},
									{"message", said.message},
									{"messages", field_value(&fields, "messages")}};
	char data[QUEUE_MESSAGE_BYTES * 6 + 64];
	struct json_out out;
	json_out_init(&out, data, sizeof(data) - 1);
	json_out_object(&out, NULL);
	json_out_string(&out, "by", "admin");
	json_out_string(&out, "message", said.message);
	json_out_object_end(&out);
	data[out.len] = '\0';
	patch(request, answer, changed, sizeof(changed) / sizeof(changed[0]), data);
}

static void read_for_state(struct http_request *request)
{
	struct admin_notes *notes = http_request_notes(request);
	store_sync(notes->internal->store, &notes->name, "0", NULL, 0, 1, on_read_for_state, request);
}

static void change_state(struct http_request *request, enum queue_state state)
{
	struct admin_notes *notes = http_request_notes(request);
	struct err_detail detail = {""};
	WR_AUTO(queue_settings_clear) struct queue_settings settings;
	queue_settings_default(&settings);
	enum wr_err err = read_messages(request, &settings, &detail);
	if (err != WR_OK) {
		admin_problem(notes->internal, request, err, &detail);
		return;
	}
	notes->wanted = state;
	notes->any_version = true;
	notes->again = read_for_state;
	read_for_state(request);
}

void admin_pause_serve(void *ctx, struct http_request *request, const struct route_match *match)
{
	(void)ctx, (void)match;
	change_state(request, QUEUE_PAUSED);
}

void admin_resume_serve(void *ctx, struct http_request *request, const struct route_match *match)
{
	(void)ctx, (void)match;
	change_state(request, QUEUE_OPEN);
}
