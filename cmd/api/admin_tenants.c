/* Admin tenants: whose queues they are, and how many each may have.
 *
 * A queue can only be made in a tenant that exists; WR_QUEUES_FILE makes those that it needs.
 * 'default' is always there. A tenant with queues cannot be taken away; one without takes its keys
 * with it.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "admin_audit.h"
#include "admin_body.h"
#include "internal.h"
#include "waitingroom/memory.h"

#define TITLE_MAX_BYTES 120
#define NOTE_MAX_BYTES 1000
#define ROW_BYTES ((TITLE_MAX_BYTES + NOTE_MAX_BYTES) * 6 + 256)
#define QUEUES_MOST 65536
#define DEFAULT_TENANT "default"

/* ---- reading ---- */

/* Of 'default' there may be no row yet. */
static void put_tenant(struct json_out *out, const struct store_row *row,
					   const struct config *config)
{
	WR_AUTO(json_free_at) struct json_value *document = NULL;
	if (row->row_len > 0 && json_parse(row->row, row->row_len, &document, NULL) != WR_OK)
		document = NULL; /* of another version */
	admin_row_begin(out, document, NULL);
	if (document == NULL) {
		json_out_int(out, "queues_max", config->tenant_queues_max);
		json_out_string(out, "title", "");
		json_out_string(out, "note", "");
	}
	json_out_string(out, "tenant", row->name);
	json_out_int(out, "queues", row->number);
	json_out_object_end(out);
}

static int compare_names(const void *a, const void *b)
{
	return strcmp(((const struct store_row *)a)->name, ((const struct store_row *)b)->name);
}

static void on_listed(void *ctx, enum wr_err err, int64_t now_ms, const struct store_row *rows,
					  size_t count)
{
	struct http_request *request = ctx;
	const struct admin_notes *notes = http_request_notes(request);
	(void)now_ms;
	if (err != WR_OK) {
		admin_problem(notes->internal, request, err, NULL);
		return;
	}
	size_t room = 256;
	for (size_t i = 0; i < count; i++)
		room += rows[i].row_len + 512;
	WR_AUTO(mem_free_at) char *text = mem_alloc_zero(1, room);
	WR_AUTO(mem_free_at) struct store_row *sorted = mem_copy(rows, count * sizeof(*rows));
	qsort(sorted, count, sizeof(*sorted), compare_names);
	struct json_out out;
	json_out_init(&out, text, room);
	json_out_object(&out, NULL);
	json_out_array(&out, "tenants");
	for (size_t i = 0; i < count; i++)
		if (admin_may_see(notes, sorted[i].name))
			put_tenant(&out, &sorted[i], &notes->internal->app->config);
	json_out_array_end(&out);
	json_out_object_end(&out);
	admin_reply_json(request, 200, &out);
}

void admin_tenants_serve(void *ctx, struct http_request *request, const struct route_match *match)
{
	struct internal *internal = ctx;
	(void)match;
	store_tenants(internal->store, "", on_listed, request);
}

static void on_got(void *ctx, enum wr_err err, int64_t now_ms, const struct store_row *rows,
				   size_t count)
{
	struct http_request *request = ctx;
	const struct admin_notes *notes = http_request_notes(request);
	char text[ROW_BYTES + 512];
	struct json_out out;
	(void)now_ms;
	if (err == WR_OK && count == 0)
		err = WR_NO_TENANT;
	if (err != WR_OK) {
		admin_problem(notes->internal, request, err, NULL);
		return;
	}
	json_out_init(&out, text, sizeof(text));
	put_tenant(&out, rows, &notes->internal->app->config);
	admin_reply_json(request, 200, &out);
}

void admin_tenant_get_serve(void *ctx, struct http_request *request,
							const struct route_match *match)
{
	struct internal *internal = ctx;
	const struct admin_notes *notes = http_request_notes(request);
	(void)match;
	store_tenants(internal->store, notes->name.tenant, on_got, request);
}

/* ---- making and changing ---- */

static void on_put(void *ctx, enum wr_err err, int64_t result)
{
	static const char *const words[] = {"created", "changed", "unchanged"};
	struct http_request *request = ctx;
	const struct admin_notes *notes = http_request_notes(request);
	struct err_detail detail = {""};
	char text[256];
	struct json_out out;
	if (err == WR_QUOTA)
		(void)err_say(&detail, err, "tenants: there are %lld, as many as WR_TENANTS_MAX allows",
					  (long long)notes->internal->app->config.tenants_max);
	if (err != WR_OK) {
		admin_problem(notes->internal, request, err, detail.text[0] != '\0' ? &detail : NULL);
		return;
	}
	json_out_init(&out, text, sizeof(text));
	json_out_object(&out, NULL);
	json_out_string(&out, "tenant", notes->name.tenant);
	json_out_string(&out, "result", words[result]);
	json_out_object_end(&out);
	admin_reply_json(request, result == PUT_CREATED ? 201 : 200, &out);
}

static enum wr_err read_tenant(const struct http_request *request, int64_t queues_max,
							   char ret_row[ROW_BYTES], struct err_detail *ret_detail)
{
	static const char *const known[] = {"title", "queues_max", "note", NULL};
	WR_AUTO(json_free_at) struct json_value *document = NULL;
	const char *title = "", *note = "";
	enum wr_err err = admin_body(request, known, &document, ret_detail);
	if (err == WR_OK)
		err = admin_body_text(document, "title", 0, TITLE_MAX_BYTES, false, &title, ret_detail);
	if (err == WR_OK)
		err = admin_body_text(document, "note", 0, NOTE_MAX_BYTES, true, &note, ret_detail);
	if (err == WR_OK)
		err = admin_body_number(document, "queues_max", 0, QUEUES_MOST, &queues_max, ret_detail);
	if (err != WR_OK)
		return err;
	struct json_out out;
	json_out_init(&out, ret_row, ROW_BYTES - 1);
	json_out_object(&out, NULL);
	json_out_int(&out, "queues_max", queues_max); /* first: admin_tenant_claim.lua */
	json_out_string(&out, "title", title);
	json_out_string(&out, "note", note);
	json_out_object_end(&out);
	ret_row[out.len] = '\0';
	return WR_OK;
}

void admin_tenant_put_serve(void *ctx, struct http_request *request,
							const struct route_match *match)
{
	struct internal *internal = ctx;
	const struct admin_notes *notes = http_request_notes(request);
	const struct config *config = &internal->app->config;
	char row[ROW_BYTES], entry[STORE_AUDIT_BYTES];
	struct err_detail detail = {""};
	(void)match;
	enum wr_err err = read_tenant(request, config->tenant_queues_max, row, &detail);
	if (err != WR_OK) {
		admin_problem(internal, request, err, &detail);
		return;
	}
	admin_audit_json(notes, "null", row, entry, sizeof(entry));
	struct store_audit audit = admin_audit_of(notes, entry);
	store_put_tenant(internal->store, notes->name.tenant, row, (uint64_t)config->tenants_max,
					 &audit, on_put, request);
}

/* ---- taking away ---- */

static void on_dropped(void *ctx, enum wr_err err, int64_t number)
{
	struct http_request *request = ctx;
	const struct admin_notes *notes = http_request_notes(request);
	struct err_detail detail = {""};
	if (err == WR_CONFLICT)
		(void)err_say(&detail, err, "queues: the tenant has %lld; delete them first",
					  (long long)number);
	if (err != WR_OK)
		admin_problem(notes->internal, request, err, detail.text[0] != '\0' ? &detail : NULL);
	else
		http_reply(request, 204, NULL, "", 0);
}

void admin_tenant_delete_serve(void *ctx, struct http_request *request,
							   const struct route_match *match)
{
	struct internal *internal = ctx;
	const struct admin_notes *notes = http_request_notes(request);
	char entry[STORE_AUDIT_BYTES];
	struct err_detail detail;
	(void)match;
	if (strcmp(notes->name.tenant, DEFAULT_TENANT) == 0) {
		admin_problem(
			internal, request,
			err_say(&detail, WR_INVALID, "tenant: \"" DEFAULT_TENANT "\" cannot be taken away"),
			&detail);
		return;
	}
	admin_audit_json(notes, "null", "null", entry, sizeof(entry));
	struct store_audit audit = admin_audit_of(notes, entry);
	store_drop_tenant(internal->store, notes->name.tenant, &audit, on_dropped, request);
}
