/* Admin auth: the one place where keys, roles and tenants are checked.
 *
 *     Authorization: Bearer wrk_…
 *       ─► a key of WR_ADMIN_KEYS_FILE? known without the store: for the first key, and for the
 *          night when the store is away
 *       ─► a key of the store? one look at its row, never kept: a revoked key is dead at once
 *       ─► its tenant against the path ─► its role against the row ─► names ─► the row's handler
 *
 * No key, a wrong one and one that has expired are 401 and look alike. What another tenant owns is
 * 404, exactly as if it did not exist, and that is looked at before the role: a role that is too
 * small (403) would tell that it does.
 *
 * When a key was last used is written at most once a minute, and only of a key that was right.
 */
#include "admin_auth.h"

#include <string.h>
#include <strings.h>

#include "admin_keys.h"
#include "internal.h"
#include "waitingroom/log.h"
#include "waitingroom/token.h"

#define BEARER "Bearer "
#define USED_EVERY_MS 60000

bool admin_may_see(const struct admin_notes *notes, const char *tenant)
{
	return notes->caller.tenant[0] == '\0' || strcmp(notes->caller.tenant, tenant) == 0;
}

static bool is_segment(const struct route_match *match, int i, const char *text)
{
	return match->len[i] == strlen(text) && memcmp(match->segment[i], text, match->len[i]) == 0;
}

static bool begins_with(const char *text, const char *beginning)
{
	return strncmp(text, beginning, strlen(beginning)) == 0;
}

/* How many names the path has: of a tenant, or of a tenant and a queue. */
static int names_in(const struct admin_route *route)
{
	return begins_with(route->pattern, ADMIN_QUEUE_PATTERN)	   ? 2
		   : begins_with(route->pattern, ADMIN_TENANT_PATTERN) ? 1
															   : 0;
}

/* WR_OK, or the answer that somebody gets who asks for what is not there. */
static enum wr_err check_tenant(const struct admin_notes *notes, struct err_detail *ret_detail)
{
	static const enum wr_err nothing[] = {WR_NO_ROUTE, WR_NO_TENANT, WR_NO_QUEUE};
	const char *tenant = notes->caller.tenant;
	int names = names_in(notes->route);
	if (tenant[0] == '\0' || notes->route->scope == SCOPE_LISTING)
		return WR_OK;
	if (names == 0 || !is_segment(&notes->match, 0, tenant))
		return nothing[names];
	if (notes->route->scope != SCOPE_ALL)
		return WR_OK;
	return err_say(ret_detail, WR_FORBIDDEN, "It takes a key for all tenants.");
}

static enum wr_err check_role(const struct admin_notes *notes, struct err_detail *ret_detail)
{
	if (notes->caller.role >= notes->route->role)
		return WR_OK;
	return err_say(ret_detail, WR_FORBIDDEN, "The role of this key is %s; it takes %s.",
				   admin_role_word(notes->caller.role), admin_role_word(notes->route->role));
}

/* Fills notes->name. Nobody may make anything in the tenant that is ours; there is nothing to find
 * there either. */
static enum wr_err read_names(struct admin_notes *notes, struct err_detail *ret_detail)
{
	const struct route_match *match = &notes->match;
	int names = names_in(notes->route);
	for (int i = 0; i < names; i++)
		if (!name_is_valid(match->segment[i], match->len[i]))
			return err_say(ret_detail, WR_INVALID,
						   "%s: must be 1..63 of a-z, 0-9 and -, not beginning with -",
						   names == 2 ? "tenant and queue" : "tenant");
	if (names > 0)
		memcpy(notes->name.tenant, match->segment[0], match->len[0]);
	if (names > 1)
		memcpy(notes->name.queue, match->segment[1], match->len[1]);
	if (names == 0 || strcmp(notes->name.tenant, SYSTEM_TENANT) != 0)
		return WR_OK;
	if (notes->route->method == HTTP_PUT)
		return err_say(ret_detail, WR_INVALID, "tenant: \"" SYSTEM_TENANT "\" is reserved");
	return names == 2 ? WR_NO_QUEUE : WR_NO_TENANT;
}

/* Of such a key the audit trail cannot tell whose it is; `wrctl doctor` says when one is in use. */
static void note_file_key(const struct admin_notes *notes)
{
	if (notes->route->action != NULL)
		notes->internal->file_key_ms = clock_wall().ms;
}

/* Somebody tries keys, or goes on with one that was taken away: operators want to know. What the
 * store or the request is to blame for is nobody's doing. */
static void log_refusal(const struct admin_notes *notes, enum wr_err err)
{
	if (err == WR_BAD_TOKEN || err == WR_FORBIDDEN)
		log_event(LOG_LEVEL_WARN, "admin_refused", LOG_TEXT("client", notes->address),
				  LOG_TEXT("route", notes->route->pattern), LOG_TEXT("key_id", notes->caller.id),
				  LOG_TEXT("reason", err_code(err)), LOG_TEXT("request_id", notes->request_id));
}

/* The key is good. */
static void enter(struct http_request *request)
{
	struct admin_notes *notes = http_request_notes(request);
	struct err_detail detail = {""};
	enum wr_err err = check_tenant(notes, &detail);
	if (err == WR_OK)
		err = check_role(notes, &detail);
	if (err == WR_OK)
		err = read_names(notes, &detail);
	if (err == WR_OK)
		err = admin_check_dry_run(request, &detail);
	if (err == WR_OK) {
		notes->route->serve(notes->internal, request, &notes->match);
		return;
	}
	log_refusal(notes, err);
	admin_problem(notes->internal, request, err, detail.text[0] != '\0' ? &detail : NULL);
}

static void refuse(struct http_request *request, enum wr_err err)
{
	struct admin_notes *notes = http_request_notes(request);
	static const struct err_detail which = {"The key is missing or not valid; send one of the "
											"admin API as Authorization: Bearer wrk_…"};
	log_refusal(notes, err);
	admin_problem(notes->internal, request, err, err == WR_BAD_TOKEN ? &which : NULL);
}

/* lends; NULL: there is none */
static const char *bearer(const struct http_request *request)
{
	const char *text = http_request_header(request, "Authorization");
	if (text == NULL || strncasecmp(text, BEARER, strlen(BEARER)) != 0)
		return NULL;
	return text + strlen(BEARER);
}

static void on_key(void *ctx, enum wr_err err, int64_t now_ms, int64_t used_ms, const char *row,
				   size_t len)
{
	struct http_request *request = ctx;
	struct admin_notes *notes = http_request_notes(request);
	struct internal *internal = notes->internal;
	if (err == WR_OK)
		err = admin_keys_check(internal_signer(internal), bearer(request), row, len, now_ms,
							   &notes->caller);
	if (err != WR_OK) {
		refuse(request, err == WR_NOT_FOUND ? WR_BAD_TOKEN : err);
		return;
	}
	if (now_ms - used_ms >= USED_EVERY_MS)
		store_note_key_used(internal->store, notes->caller.id, now_ms);
	enter(request);
}

void admin_serve(void *ctx, struct http_request *request, const struct route_match *match)
{
	struct internal *internal = ctx;
	struct admin_notes *notes = http_request_notes(request);
	const char *key = bearer(request);
	char id[ADMIN_KEY_ID_CHARS + 1];
	notes->internal = internal;
	notes->route = internal_admin_route(internal, match->route);
	notes->match = *match;
	notes->request_id = http_request_id(request);
	struct client_ip client = http_request_client(request, internal->app->proxies);
	client_ip_network(&client, notes->address);
	http_request_park(request);
	if (key == NULL)
		refuse(request, WR_BAD_TOKEN);
	else if (admin_keys_find(atomic_load_explicit(&internal->app->admin_keys, memory_order_acquire),
							 key, &notes->caller)) {
		note_file_key(notes);
		enter(request);
	} else if (admin_key_id(key, id))
		store_look_key(internal->store, id, on_key, request);
	else
		refuse(request, WR_BAD_TOKEN);
}

void admin_whoami_serve(void *ctx, struct http_request *request, const struct route_match *match)
{
	const struct admin_notes *notes = http_request_notes(request);
	const struct admin_caller *caller = &notes->caller;
	char text[512];
	struct json_out out;
	(void)ctx, (void)match;
	json_out_init(&out, text, sizeof(text));
	json_out_object(&out, NULL);
	json_out_string(&out, "id", caller->id);
	json_out_string(&out, "name", caller->name);
	json_out_string(&out, "role", admin_role_word(caller->role));
	json_out_string(&out, "tenant", caller->tenant[0] != '\0' ? caller->tenant : "*");
	json_out_object_end(&out);
	admin_reply_json(request, 200, &out);
}
