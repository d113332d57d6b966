/* Admin change: queues are made and replaced (PUT), and some of their settings set (PATCH).
 *
 *     (new: may the tenant have one more?) ─►
 *     read what is there ─► conditions ─► settings of the body, over those that are there or over the
 *     defaults; secrets that it does not name stay ─► put, tied to the version that was read
 *                                                ─► somebody was faster: all over again
 *                                   dry run: ─► what would change, and what it would do
 *
 * An operator may set what the night of a sale asks for: how fast and how many, the state, what is
 * said. The rest takes an admin.
 */
#include "admin_queue.h"

#include <stdio.h>
#include <string.h>

#include "admin_audit.h"
#include "admin_version.h"
#include "queue_event.h"
#include "waitingroom/json_in.h"
#include "waitingroom/memory.h"

#define PUT_TRIES 5

void admin_reply_change(struct http_request *request, enum put_result result, uint64_t version)
{
	static const char *const words[] = {
		[PUT_CREATED] = "created", [PUT_CHANGED] = "changed", [PUT_SAME] = "unchanged"};
	const struct admin_notes *notes = http_request_notes(request);
	char name[QUEUE_NAME_TEXT_BYTES], text[512], etag[VERSION_ETAG_BYTES];
	struct json_out out;
	queue_name_print(&notes->name, name);
	version_etag(version, etag);
	json_out_init(&out, text, sizeof(text));
	json_out_object(&out, NULL);
	json_out_string(&out, "queue", name);
	json_out_string(&out, "result", words[result]);
	json_out_int(&out, "version", (int64_t)version);
	json_out_object_end(&out);
	http_reply_header(request, "ETag", etag);
	admin_reply_seen(request, result == PUT_CREATED ? 201 : 200, &out);
}

/* ---- the put ---- */

static void on_claimed_again(void *ctx, enum wr_err err, int64_t number)
{
	(void)ctx, (void)err, (void)number;
}

/* An admitter that forgot the deleted queue of that name in between has taken it off the tenant's
 * list. */
static void claim_again(const struct admin_notes *notes)
{
	store_claim_queue(notes->internal->store, &notes->name, true,
					  (uint64_t)notes->internal->app->config.tenant_queues_max, on_claimed_again,
					  NULL);
}

void admin_on_put(void *ctx, enum wr_err err, enum put_result result, uint64_t version)
{
	struct http_request *request = ctx;
	struct admin_notes *notes = http_request_notes(request);
	struct err_detail detail = {""};
	if (err == WR_CONFLICT && ++notes->done < PUT_TRIES) {
		notes->again(request); /* reads anew; the conditions may not hold any more */
		return;
	}
	if (err == WR_OK) {
		if (result == PUT_CREATED)
			claim_again(notes);
		admin_reply_change(request, result, version);
		return;
	}
	if (err == WR_CONFLICT)
		(void)err_say(&detail, err, "Somebody else is changing the queue all the time; try again.");
	if (err == WR_BUSY)
		(void)err_say(&detail, err, "The former queue of this name is still being cleared.");
	admin_problem(notes->internal, request, err, detail.text[0] != '\0' ? &detail : NULL);
}

static void claim(struct http_request *request);

static void on_tenant_made(void *ctx, enum wr_err err, int64_t number)
{
	struct http_request *request = ctx;
	const struct admin_notes *notes = http_request_notes(request);
	struct err_detail detail = {""};
	(void)number;
	if (err == WR_OK) {
		claim(request);
		return;
	}
	if (err == WR_QUOTA)
		(void)err_say(&detail, err, "tenants: there are as many as WR_TENANTS_MAX allows");
	admin_problem(notes->internal, request, err, detail.text[0] != '\0' ? &detail : NULL);
}

/* Whoever may make tenants need not make one first. (A queue is made by admins only.) */
static bool makes_tenant(struct http_request *request)
{
	const struct admin_notes *notes = http_request_notes(request);
	const struct config *config = &notes->internal->app->config;
	bool is_of_all = notes->caller.tenant[0] == '\0';
	if (!is_of_all)
		return false;
	char row[64];
	snprintf(row, sizeof(row), "{\"queues_max\":%lld,\"title\":\"\",\"note\":\"\"}",
			 (long long)config->tenant_queues_max);
	store_put_tenant(notes->internal->store, notes->name.tenant, row, (uint64_t)config->tenants_max,
					 NULL, on_tenant_made, request);
	return true;
}

/* There is a tenant, and it may have one more queue: from the beginning again, since reading and
 * putting belong together. */
static void on_claimed(void *ctx, enum wr_err err, int64_t number)
{
	struct http_request *request = ctx;
	struct admin_notes *notes = http_request_notes(request);
	struct err_detail detail = {""};
	if (err == WR_QUOTA)
		(void)err_say(&detail, err, "queues_max: the tenant has %lld queues, as many as it may",
					  (long long)number);
	if (err == WR_NO_TENANT && makes_tenant(request))
		return;
	if (err == WR_NO_TENANT)
		(void)err_say(&detail, err, "tenant: there is none of that name; make it first");
	if (err != WR_OK) {
		admin_problem(notes->internal, request, err, detail.text[0] != '\0' ? &detail : NULL);
		return;
	}
	notes->claimed = true;
	notes->again(request);
}

static void claim(struct http_request *request)
{
	const struct admin_notes *notes = http_request_notes(request);
	store_claim_queue(notes->internal->store, &notes->name, false,
					  (uint64_t)notes->internal->app->config.tenant_queues_max, on_claimed,
					  request);
}

/* answer: what was read, NULL when there is no such queue. */
static void put(struct http_request *request, const struct synced *answer,
				const struct queue_settings *settings)
{
	const struct admin_notes *notes = http_request_notes(request);
	char data[QUEUE_EVENT_BYTES], entry[STORE_AUDIT_BYTES];
	WR_AUTO(mem_free_at) char *before = NULL;
	WR_AUTO(mem_free_at) char *after = NULL;
	queue_event_data(settings, "admin", data);
	admin_audit_settings(answer ? &answer->settings : NULL, settings, &before, &after);
	admin_audit_json(notes, before, after, entry, sizeof(entry));
	struct store_audit audit = admin_audit_of(notes, entry);
	store_put_queue(notes->internal->store, &notes->name, settings, answer ? answer->version : 0,
					data, NULL, &audit, admin_on_put, request);
}

/* ---- the settings ---- */

/* The members that an operator may give. */
static enum wr_err check_members(const struct admin_notes *notes, const char *body, size_t len,
								 struct err_detail *ret_detail)
{
	static const char *const free_to_set[] = {"rate_per_minute", "burst",	"capacity",
											  "max_waiting",	 "state",	"opens_at_ms",
											  "message",		 "messages"};
	WR_AUTO(json_free_at) struct json_value *document = NULL;
	if (notes->caller.role >= ADMIN_ADMIN)
		return WR_OK;
	enum wr_err err = json_parse(body, len, &document, ret_detail);
	for (size_t i = 0; err == WR_OK && json_is_object(document) && i < json_count(document); i++) {
		const char *key = json_key(json_at(document, i));
		size_t known = 0;
		while (known < sizeof(free_to_set) / sizeof(free_to_set[0]) &&
			   strcmp(free_to_set[known], key) != 0)
			known++;
		if (known == sizeof(free_to_set) / sizeof(free_to_set[0]))
			return err_say(ret_detail, WR_FORBIDDEN,
						   "The role of this key is %s; member %zu of the settings takes %s.",
						   admin_role_word(notes->caller.role), i + 1,
						   admin_role_word(ADMIN_ADMIN));
	}
	return err;
}

static enum wr_err read_settings(struct http_request *request, const struct synced *answer,
								 struct queue_settings *ret_settings, struct err_detail *ret_detail)
{
	const struct admin_notes *notes = http_request_notes(request);
	size_t len = 0;
	const char *body = http_request_body(request, &len);
	bool patches = http_request_method(request) == HTTP_PATCH;
	if (patches && answer == NULL)
		return WR_NO_QUEUE;
	enum wr_err err =
		version_check(request, answer != NULL, answer ? answer->version : 0, ret_detail);
	if (err != WR_OK)
		return err;
	if (!patches)
		return queue_settings_from_put(body, len, answer ? &answer->settings : NULL, ret_settings,
									   ret_detail);
	err = check_members(notes, body, len, ret_detail);
	if (err != WR_OK)
		return err;
	return queue_settings_from_json(body, len, &answer->settings, ret_settings, ret_detail);
}

static void on_read(void *ctx, enum wr_err err, const struct synced *answer)
{
	struct http_request *request = ctx;
	struct admin_notes *notes = http_request_notes(request);
	WR_AUTO(queue_settings_clear) struct queue_settings settings;
	struct err_detail detail = {""};
	queue_settings_default(&settings);
	if (err == WR_NOT_FOUND || err == WR_NO_QUEUE) {
		err = WR_OK;
		answer = NULL;
	}
	if (err == WR_OK)
		err = read_settings(request, answer, &settings, &detail);
	if (err != WR_OK) {
		admin_problem(notes->internal, request, err, detail.text[0] != '\0' ? &detail : NULL);
		return;
	}
	if (admin_is_dry_run(request)) {
		admin_reply_dry_run(request, answer, &settings);
		return;
	}
	if (answer == NULL && !notes->claimed) {
		claim(request);
		return;
	}
	put(request, answer, &settings);
}

static void read_for_change(struct http_request *request)
{
	struct admin_notes *notes = http_request_notes(request);
	store_sync(notes->internal->store, &notes->name, "0", NULL, 0, 1, on_read, request);
}

void admin_put_serve(void *ctx, struct http_request *request, const struct route_match *match)
{
	struct admin_notes *notes = http_request_notes(request);
	(void)ctx, (void)match;
	notes->again = read_for_change;
	read_for_change(request);
}

void admin_patch_serve(void *ctx, struct http_request *request, const struct route_match *match)
{
	admin_put_serve(ctx, request, match);
}
