/* Admin keys in the API: listed, made, taken away.
 *
 * A key is shown once, in the answer that makes it. Whoever has a key of one tenant sees, makes and
 * takes away keys of that tenant only. A key that is taken away opens nothing from that moment on,
 * because each request looks its row up.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "admin_audit.h"
#include "admin_body.h"
#include "admin_keys.h"
#include "internal.h"
#include "waitingroom/memory.h"

#define NAME_MAX_BYTES 60
#define ROW_BYTES 1536
#define EXPIRES_MOST INT64_C(253402300799999) /* the end of the year 9999 */

/* ---- listing ---- */

static bool is_expired(const struct json_value *row, int64_t now_ms)
{
	int64_t expires_ms;
	return json_int(json_member(row, "expires_ms"), &expires_ms) && expires_ms <= now_ms;
}

static void put_key(struct json_out *out, const struct admin_notes *notes,
					const struct store_row *row, int64_t now_ms)
{
	WR_AUTO(json_free_at) struct json_value *document = NULL;
	const char *tenant;
	if (json_parse(row->row, row->row_len, &document, NULL) != WR_OK ||
		!json_string(json_member(document, "tenant"), &tenant) || !admin_may_see(notes, tenant))
		return;
	admin_row_begin(out, document, "mac");
	json_out_bool(out, "expired", is_expired(document, now_ms));
	if (row->number > 0)
		json_out_int(out, "last_used_ms", row->number);
	else
		json_out_null(out, "last_used_ms");
	json_out_object_end(out);
}

static void on_listed(void *ctx, enum wr_err err, int64_t now_ms, const struct store_row *rows,
					  size_t count)
{
	struct http_request *request = ctx;
	const struct admin_notes *notes = http_request_notes(request);
	if (err != WR_OK) {
		admin_problem(notes->internal, request, err, NULL);
		return;
	}
	size_t room = 256;
	for (size_t i = 0; i < count; i++)
		room += rows[i].row_len + 256;
	WR_AUTO(mem_free_at) char *text = mem_alloc_zero(1, room);
	struct json_out out;
	json_out_init(&out, text, room);
	json_out_object(&out, NULL);
	json_out_array(&out, "keys");
	for (size_t i = 0; i < count; i++)
		put_key(&out, notes, &rows[i], now_ms);
	json_out_array_end(&out);
	json_out_object_end(&out);
	admin_reply_json(request, 200, &out);
}

void admin_keys_serve(void *ctx, struct http_request *request, const struct route_match *match)
{
	struct internal *internal = ctx;
	(void)match;
	store_keys(internal->store, on_listed, request);
}

/* ---- making ---- */

struct wanted_key { /* texts are borrowed from the body */
	const char *name, *role, *tenant;
	struct admin_caller opens; /* role and tenant */
	int64_t expires_ms;		   /* 0: never */
};

/* Fills what it opens. */
static enum wr_err check_wanted(const struct admin_notes *notes, struct wanted_key *wanted,
								struct err_detail *ret_detail)
{
	bool all = strcmp(wanted->tenant, "*") == 0;
	if (!admin_role_parse(wanted->role, &wanted->opens.role))
		return err_say(ret_detail, WR_INVALID, "role: must be viewer, operator or admin");
	if (all && notes->caller.tenant[0] != '\0')
		return err_say(ret_detail, WR_FORBIDDEN,
					   "tenant: a key of one tenant makes no keys for all of them");
	if (!all && !name_is_valid(wanted->tenant, strlen(wanted->tenant)))
		return err_say(ret_detail, WR_INVALID,
					   "tenant: must be the name of a tenant, or \"*\" for all of them");
	if (!all &&
		(!admin_may_see(notes, wanted->tenant) || strcmp(wanted->tenant, SYSTEM_TENANT) == 0))
		return WR_NO_TENANT;
	if (wanted->expires_ms != 0 && wanted->expires_ms <= clock_wall().ms)
		return err_say(ret_detail, WR_INVALID, "expires_ms: lies in the past");
	strcpy(wanted->opens.tenant, all ? "" : wanted->tenant);
	return WR_OK;
}

static enum wr_err read_wanted(const struct admin_notes *notes, const struct json_value *document,
							   struct wanted_key *ret_wanted, struct err_detail *ret_detail)
{
	struct wanted_key wanted = {.expires_ms = 0};
	enum wr_err err =
		admin_body_text(document, "name", 1, NAME_MAX_BYTES, false, &wanted.name, ret_detail);
	if (err == WR_OK)
		err = admin_body_text(document, "role", 0, NAME_MAX_BYTES, false, &wanted.role, ret_detail);
	if (err == WR_OK)
		err = admin_body_text(document, "tenant", 0, NAME_MAX_CHARS, false, &wanted.tenant,
							  ret_detail);
	const struct json_value *expires = json_member(document, "expires_ms");
	if (err == WR_OK && expires != NULL && !json_is_null(expires))
		err = admin_body_number(document, "expires_ms", 1, EXPIRES_MOST, &wanted.expires_ms,
								ret_detail);
	if (err == WR_OK && wanted.tenant[0] == '\0')
		wanted.tenant = notes->caller.tenant; /* its own; of a key for all there is none */
	if (err == WR_OK)
		err = check_wanted(notes, &wanted, ret_detail);
	if (err == WR_OK)
		*ret_wanted = wanted;
	return err;
}

/* The members that everybody may see; without the closing bracket. */
static void begin_row(struct json_out *out, const struct admin_notes *notes, const char *id,
					  const struct wanted_key *wanted)
{
	json_out_object(out, NULL);
	json_out_string(out, "tenant", wanted->tenant); /* first: admin_tenant_drop.lua */
	json_out_string(out, "id", id);
	json_out_string(out, "name", wanted->name);
	json_out_string(out, "role", wanted->role);
	json_out_string(out, "made_by", notes->caller.id);
	if (wanted->expires_ms != 0)
		json_out_int(out, "expires_ms", wanted->expires_ms);
	else
		json_out_null(out, "expires_ms");
}

static void end_row(struct json_out *out)
{
	json_out_object_end(out);
	if (out->overflow)
		abort(); /* every text in it is bounded */
	out->text[out->len] = '\0';
}

/* The key waits for its row to be stored; it is nowhere else. */
struct new_key {
	struct http_request *request;
	char key[ADMIN_KEY_BYTES];
	char row[ROW_BYTES]; /* as it is shown */
};

static void on_made(void *ctx, enum wr_err err, int64_t now_ms)
{
	WR_AUTO(mem_free_at) struct new_key *made = ctx;
	struct http_request *request = made->request;
	const struct admin_notes *notes = http_request_notes(request);
	struct err_detail detail = {""};
	(void)now_ms;
	if (err == WR_QUOTA)
		(void)err_say(&detail, err, "keys: there are %lld, as many as WR_ADMIN_KEYS_MAX allows",
					  (long long)notes->internal->app->config.admin_keys_max);
	if (err != WR_OK) {
		admin_problem(notes->internal, request, err, detail.text[0] != '\0' ? &detail : NULL);
		return;
	}
	char text[ROW_BYTES + 128];
	struct json_out out;
	json_out_init(&out, text, sizeof(text));
	json_out_resume(&out, made->row, strlen(made->row) - 1); /* without its closing bracket */
	json_out_string(&out, "key", made->key);
	json_out_object_end(&out);
	admin_reply_json(request, 201, &out);
}

static void make_key(struct http_request *request, const struct wanted_key *wanted)
{
	const struct admin_notes *notes = http_request_notes(request);
	struct internal *internal = notes->internal;
	struct new_key *made = mem_alloc_zero(1, sizeof(*made));
	char id[ADMIN_KEY_ID_CHARS + 1], mac[ADMIN_KEY_MAC_CHARS + 1];
	char row[ROW_BYTES], object[32], entry[STORE_AUDIT_BYTES];
	struct json_out shown, stored;
	made->request = request;
	admin_key_random(made->key, id);
	admin_key_mac(internal_signer(internal), made->key, &wanted->opens, wanted->expires_ms, mac);
	json_out_init(&shown, made->row, sizeof(made->row) - 1);
	begin_row(&shown, notes, id, wanted);
	end_row(&shown);
	json_out_init(&stored, row, sizeof(row) - 1);
	begin_row(&stored, notes, id, wanted);
	json_out_string(&stored, "mac", mac);
	end_row(&stored);
	snprintf(object, sizeof(object), "keys/%s", id);
	admin_audit_object(notes, NULL, object, wanted->tenant, "null", made->row, entry,
					   sizeof(entry));
	struct store_audit audit = admin_audit_of(notes, entry);
	store_put_key(internal->store, id, row, wanted->tenant,
				  (uint64_t)internal->app->config.admin_keys_max, &audit, on_made, made);
}

void admin_key_make_serve(void *ctx, struct http_request *request, const struct route_match *match)
{
	static const char *const known[] = {"name", "role", "tenant", "expires_ms", NULL};
	struct internal *internal = ctx;
	const struct admin_notes *notes = http_request_notes(request);
	WR_AUTO(json_free_at) struct json_value *document = NULL;
	struct wanted_key wanted;
	struct err_detail detail = {""};
	(void)match;
	enum wr_err err = admin_body(request, known, &document, &detail);
	if (err == WR_OK)
		err = read_wanted(notes, document, &wanted, &detail);
	if (err == WR_OK)
		make_key(request, &wanted);
	else
		admin_problem(internal, request, err, detail.text[0] != '\0' ? &detail : NULL);
}

/* ---- taking away ---- */

static void on_dropped(void *ctx, enum wr_err err, int64_t now_ms)
{
	struct http_request *request = ctx;
	const struct admin_notes *notes = http_request_notes(request);
	(void)now_ms;
	if (err != WR_OK)
		admin_problem(notes->internal, request, err == WR_NOT_FOUND ? WR_NO_ROUTE : err, NULL);
	else
		http_reply(request, 204, NULL, "", 0);
}

/* The row says whose it is, which never changes, and what the audit is told. */
static void on_looked(void *ctx, enum wr_err err, int64_t now_ms, int64_t used_ms, const char *row,
					  size_t len)
{
	struct http_request *request = ctx;
	const struct admin_notes *notes = http_request_notes(request);
	WR_AUTO(json_free_at) struct json_value *document = NULL;
	const char *tenant = "*", *id = "";
	(void)now_ms, (void)used_ms;
	if (err == WR_OK)
		err = json_parse(row, len, &document, NULL);
	if (err == WR_OK && (!json_string(json_member(document, "tenant"), &tenant) ||
						 !json_string(json_member(document, "id"), &id)))
		err = WR_BUG;
	if (err == WR_NOT_FOUND || (err == WR_OK && !admin_may_see(notes, tenant)))
		err = WR_NO_ROUTE;
	if (err != WR_OK) {
		admin_problem(notes->internal, request, err, NULL);
		return;
	}
	char object[32], entry[STORE_AUDIT_BYTES];
	WR_AUTO(mem_free_at) char *before = json_print_without(document, "mac");
	snprintf(object, sizeof(object), "keys/%s", id);
	admin_audit_object(notes, NULL, object, tenant, before, "null", entry, sizeof(entry));
	struct store_audit audit = admin_audit_of(notes, entry);
	store_drop_key(notes->internal->store, id, &audit, on_dropped, request);
}

void admin_key_delete_serve(void *ctx, struct http_request *request,
							const struct route_match *match)
{
	struct internal *internal = ctx;
	char id[ADMIN_KEY_ID_CHARS + 1];
	if (match->len[0] != ADMIN_KEY_ID_CHARS) {
		admin_problem(internal, request, WR_NO_ROUTE, NULL);
		return;
	}
	memcpy(id, match->segment[0], ADMIN_KEY_ID_CHARS);
	id[ADMIN_KEY_ID_CHARS] = '\0';
	store_look_key(internal->store, id, on_looked, request);
}
