/* Support: puts a place back that was lost by mistake (support_restore.lua has the rules).
 *
 *     {"position_id":"…","reason":"…"} ─► one step: audit, event, place ─► where it stands now
 *
 * An ended place is remembered for ended_keep_ms. After that the order needs lane and ticket, which
 * the events of the place tell.
 */
#include <stdio.h>
#include <string.h>

#include "admin_audit.h"
#include "admin_queue.h"
#include "waitingroom/json_in.h"
#include "waitingroom/memory.h"
#include "waitingroom/support_code.h"

#define REASON_MAX_BYTES 200

/* ---- the order ---- */

struct order {
	struct lost_place known;
	const char *reason;
};

static enum wr_err read_known(const struct json_value *document, struct order *order,
							  struct err_detail *ret_detail)
{
	const struct json_value *lane = json_member(document, "lane");
	const struct json_value *ticket = json_member(document, "ticket");
	const struct json_value *joined = json_member(document, "joined_ms");
	const char *name = "";
	int64_t number = 0;
	order->known.joined_ms = clock_wall().ms;
	if ((lane == NULL) != (ticket == NULL))
		return err_say(ret_detail, WR_INVALID, "%s: lane and ticket have to be given together",
					   lane == NULL ? "lane" : "ticket");
	if (lane != NULL && (!json_string(lane, &name) || !name_is_valid(name, strlen(name))))
		return err_say(ret_detail, WR_INVALID, "lane: must be the name of a lane of the queue");
	if (ticket != NULL && (!json_int(ticket, &number) || number < 1))
		return err_say(ret_detail, WR_INVALID, "ticket: must be a whole number from 1");
	if (joined != NULL &&
		(!json_int(joined, &order->known.joined_ms) || order->known.joined_ms < 1))
		return err_say(ret_detail, WR_INVALID,
					   "joined_ms: must be milliseconds since 1970, a whole number");
	strcpy(order->known.lane, name);
	order->known.ticket = (uint64_t)number;
	return WR_OK;
}

static enum wr_err read_order(const struct json_value *document, struct order *order,
							  struct err_detail *ret_detail)
{
	static const char *const members[] = {"position_id", "reason", "lane", "ticket", "joined_ms"};
	const char *id;
	size_t known = 0;
	*order = (struct order){.reason = ""};
	for (size_t i = 0; i < sizeof(members) / sizeof(members[0]); i++)
		known += json_member(document, members[i]) != NULL;
	if (!json_is_object(document) || json_count(document) != known)
		return err_say(ret_detail, WR_INVALID,
					   "the body is {\"position_id\":\"…\",\"reason\":\"…\"}; lane, ticket and "
					   "joined_ms for a place that has been forgotten");
	if (!json_string(json_member(document, "position_id"), &id) ||
		!position_id_is_valid(id, strlen(id)))
		return err_say(ret_detail, WR_INVALID, "position_id: must be the id of a place");
	memcpy(order->known.position_id, id, sizeof(store_id));
	if (!json_string(json_member(document, "reason"), &order->reason) || order->reason[0] == '\0' ||
		strlen(order->reason) > REASON_MAX_BYTES)
		return err_say(ret_detail, WR_INVALID,
					   "reason: must be 1..%d bytes; it goes into the audit", REASON_MAX_BYTES);
	return read_known(document, order, ret_detail);
}

/* ---- the answer ---- */

static enum wr_err refusal(const struct recalled *result, struct err_detail *ret_detail)
{
	switch (result->outcome) {
	case RECALL_THERE:
		return err_say(ret_detail, WR_CONFLICT, "The place is not lost: it is %s.",
					   place_state_word(result->state));
	case RECALL_UNKNOWN:
		return err_say(
			ret_detail, WR_NO_PLACE,
			"Nothing is kept of this place. With lane and ticket, which its events tell, "
			"it can be put back all the same.");
	case RECALL_LANE:
		return err_say(ret_detail, WR_INVALID, "lane: the queue has none of that name");
	case RECALL_TICKET:
		return err_say(ret_detail, WR_INVALID, "ticket: was never given out in that lane");
	default:
		return WR_OK;
	}
}

static void on_restored(void *ctx, enum wr_err err, const struct recalled *result)
{
	struct http_request *request = ctx;
	struct admin_notes *notes = http_request_notes(request);
	struct err_detail detail = {""};
	if (err == WR_OK)
		err = refusal(result, &detail);
	if (err != WR_OK) {
		admin_problem(notes->internal, request, err, detail.text[0] != '\0' ? &detail : NULL);
		return;
	}
	char text[512], code[SUPPORT_CODE_CHARS + 1];
	struct json_out out;
	support_code_print(notes->position_id[0], code);
	json_out_init(&out, text, sizeof(text));
	json_out_object(&out, NULL);
	json_out_string(&out, "position_id", notes->position_id[0]);
	json_out_string(&out, "code", code);
	json_out_string(&out, "status", place_state_word(result->state));
	json_out_string(&out, "lane", result->lane);
	json_out_int(&out, "ticket", (int64_t)result->ticket);
	json_out_string(&out, "stands", result->front ? "front" : "line");
	json_out_object_end(&out);
	admin_reply_seen(request, 200, &out);
}

void admin_restore_serve(void *ctx, struct http_request *request, const struct route_match *match)
{
	struct internal *internal = ctx;
	(void)match;
	struct admin_notes *notes = http_request_notes(request);
	WR_AUTO(json_free_at) struct json_value *document = NULL;
	struct err_detail detail = {""};
	struct order order;
	size_t len = 0;
	const char *body = http_request_body(request, &len);
	enum wr_err err = json_parse(body, len, &document, &detail);
	if (err == WR_OK)
		err = read_order(document, &order, &detail);
	if (err != WR_OK) {
		admin_problem(internal, request, err, &detail);
		return;
	}
	memcpy(notes->position_id[0], order.known.position_id, sizeof(store_id));
	char after[REASON_MAX_BYTES * 6 + 128], entry[STORE_AUDIT_BYTES];
	struct json_out out;
	json_out_init(&out, after, sizeof(after) - 1);
	json_out_object(&out, NULL);
	json_out_string(&out, "position_id", notes->position_id[0]);
	json_out_string(&out, "state", "waiting");
	json_out_string(&out, "reason", order.reason);
	json_out_object_end(&out);
	after[out.len] = '\0';
	admin_audit_json(notes, "null", after, entry, sizeof(entry));
	struct store_audit audit = admin_audit_of(notes, entry);
	store_support_restore(internal->store, &notes->name, &order.known, &audit, on_restored,
						  request);
}
