/* Admin empty: everybody in line loses the place, after the order was given twice.
 *
 *     POST …/empty                       ─► 428 with a token and how many would go
 *     POST …/empty {"confirm":"<token>"} ─► steps until everybody who was in line is gone ─► how many went
 *
 * The token is signed with the identity key, good for a minute, and for nothing but this: it names
 * queue, life of the queue, and the key that asked. Nothing is stored for it. An order that breaks
 * off in the middle has emptied part of the line; given again it goes on.
 */
#include "admin_queue.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "admin_audit.h"
#include "waitingroom/json_in.h"
#include "waitingroom/memory.h"

#define PURPOSE "empty"
#define CONFIRM_LIFE_S 60
#define CONFIRM_BYTES (24 + LINK_MAC_CHARS)

struct emptying {
	char epoch[EPOCH_CHARS + 1];
	char how_far[EMPTIED_HOW_FAR_BYTES];
	uint64_t expired;
};

/* ---- the token ---- */

static void print_token(struct admin_notes *notes, const char *epoch, int64_t until_s,
						char ret_token[CONFIRM_BYTES])
{
	char name[QUEUE_NAME_TEXT_BYTES], mac[LINK_MAC_CHARS + 1];
	char text[QUEUE_NAME_TEXT_BYTES + EPOCH_CHARS + ADMIN_KEY_NAME_BYTES + 32];
	queue_name_print(&notes->name, name);
	int len = snprintf(text, sizeof(text), "%s\n%s\n%s\n%" PRId64, name, epoch, notes->caller.id,
					   until_s);
	link_mac(internal_signer(notes->internal), PURPOSE, text, (size_t)len, mac);
	snprintf(ret_token, CONFIRM_BYTES, "%" PRId64 ".%s", until_s, mac);
}

static bool is_good(struct admin_notes *notes, const char *epoch, int64_t now_s, const char *token)
{
	char expected[CONFIRM_BYTES];
	const char *dot = strchr(token, '.');
	int64_t until_s = 0;
	if (dot == NULL || !text_to_i64(token, (size_t)(dot - token), 0, INT64_MAX, &until_s) ||
		until_s < now_s)
		return false;
	print_token(notes, epoch, until_s, expected);
	return link_mac_is_equal(dot + 1, strchr(expected, '.') + 1);
}

/* ---- the order ---- */

static void empty_step(struct http_request *request, const struct store_audit *audit);

static void on_emptied(void *ctx, enum wr_err err, uint64_t expired, bool more, const char *how_far)
{
	struct http_request *request = ctx;
	struct admin_notes *notes = http_request_notes(request);
	struct emptying *emptying = notes->kept;
	emptying->expired += expired;
	if (err == WR_OK && more) {
		snprintf(emptying->how_far, sizeof(emptying->how_far), "%s", how_far);
		empty_step(request, NULL);
		return;
	}
	uint64_t all = emptying->expired;
	free(WR_TAKE(notes->kept));
	if (err != WR_OK) {
		struct err_detail detail = {""};
		if (err == WR_BUSY)
			(void)err_say(&detail, err, "The queue is being rebuilt; not everybody is known yet.");
		admin_problem(notes->internal, request, err, detail.text[0] != '\0' ? &detail : NULL);
		return;
	}
	char text[64];
	struct json_out out;
	json_out_init(&out, text, sizeof(text));
	json_out_object(&out, NULL);
	json_out_int(&out, "expired", (int64_t)all);
	json_out_object_end(&out);
	admin_reply_seen(request, 200, &out);
}

static void empty_step(struct http_request *request, const struct store_audit *audit)
{
	struct admin_notes *notes = http_request_notes(request);
	const struct emptying *emptying = notes->kept;
	store_empty_queue(notes->internal->store, &notes->name, ADMIN_STEP_PEOPLE, emptying->epoch,
					  emptying->how_far, audit, on_emptied, request);
}

static uint64_t people_waiting(const struct synced *answer)
{
	uint64_t waiting = answer->absent + answer->returned;
	for (size_t i = 0; i < answer->lane_count; i++)
		waiting += answer->lanes[i].ticket - answer->lanes[i].gone;
	return waiting;
}

/* A problem as any other, with the token beside it. */
static void ask_for_confirmation(struct http_request *request, const struct synced *answer)
{
	struct admin_notes *notes = http_request_notes(request);
	char token[CONFIRM_BYTES], sentence[128], text[1024];
	uint64_t waiting = people_waiting(answer);
	struct json_out out;
	print_token(notes, answer->epoch, answer->now_ms / 1000 + CONFIRM_LIFE_S, token);
	snprintf(sentence, sizeof(sentence),
			 "%" PRIu64 " people would lose their places; send \"confirm\" to go on.", waiting);
	json_out_init(&out, text, sizeof(text));
	json_out_object(&out, NULL);
	json_out_string(&out, "type", "urn:waitingroom:problem:confirmation_required");
	json_out_string(&out, "title", "Precondition Required");
	json_out_int(&out, "status", err_http_status(WR_CONFIRMATION_REQUIRED));
	json_out_string(&out, "detail", sentence);
	json_out_string(&out, "code", err_code(WR_CONFIRMATION_REQUIRED));
	json_out_string(&out, "request_id", http_request_id(request));
	json_out_string(&out, "confirm", token);
	json_out_int(&out, "expires_in_s", CONFIRM_LIFE_S);
	json_out_int(&out, "waiting", (int64_t)waiting);
	json_out_object_end(&out);
	http_reply(request, err_http_status(WR_CONFIRMATION_REQUIRED), "application/problem+json", text,
			   out.len);
}

/* The body is optional. ret_token: "" when there is none. */
static enum wr_err read_token(const struct http_request *request, char ret_token[CONFIRM_BYTES],
							  struct err_detail *ret_detail)
{
	WR_AUTO(json_free_at) struct json_value *document = NULL;
	const char *token = "";
	size_t len = 0;
	const char *body = http_request_body(request, &len);
	ret_token[0] = '\0';
	if (len == 0)
		return WR_OK;
	enum wr_err err = json_parse(body, len, &document, ret_detail);
	if (err != WR_OK)
		return err;
	const struct json_value *member = json_member(document, "confirm");
	if (!json_is_object(document) || json_count(document) > (member != NULL) ||
		(member != NULL && !json_string(member, &token)))
		return err_say(ret_detail, WR_INVALID, "confirm: the body is {\"confirm\":\"…\"}");
	/* One that is longer is not ours: asked for again. */
	snprintf(ret_token, CONFIRM_BYTES, "%s", strlen(token) < CONFIRM_BYTES ? token : "-");
	return WR_OK;
}

static void on_read(void *ctx, enum wr_err err, const struct synced *answer)
{
	struct http_request *request = ctx;
	struct admin_notes *notes = http_request_notes(request);
	struct err_detail detail = {""};
	char token[CONFIRM_BYTES];
	if (err == WR_OK)
		err = read_token(request, token, &detail);
	if (err != WR_OK) {
		admin_problem(notes->internal, request, err == WR_NOT_FOUND ? WR_NO_QUEUE : err,
					  detail.text[0] != '\0' ? &detail : NULL);
		return;
	}
	if (!is_good(notes, answer->epoch, answer->now_ms / 1000, token)) {
		ask_for_confirmation(request, answer);
		return;
	}
	struct emptying *emptying = mem_alloc_zero(1, sizeof(*emptying));
	memcpy(emptying->epoch, answer->epoch, sizeof(emptying->epoch));
	notes->kept = emptying;
	char before[48], entry[STORE_AUDIT_BYTES];
	snprintf(before, sizeof(before), "{\"waiting\":%" PRIu64 "}", people_waiting(answer));
	admin_audit_json(notes, before, "{\"waiting\":0}", entry, sizeof(entry));
	struct store_audit audit = admin_audit_of(notes, entry);
	empty_step(request, &audit);
}

void admin_empty_serve(void *ctx, struct http_request *request, const struct route_match *match)
{
	struct internal *internal = ctx;
	const struct admin_notes *notes = http_request_notes(request);
	(void)match;
	store_sync(internal->store, &notes->name, "0", NULL, 0, 1, on_read, request);
}
