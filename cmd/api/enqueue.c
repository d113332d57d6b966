/* POST /enqueue: a visitor takes a place.
 *
 * Checks, cheapest first: type, shape, names, target. What passes is parked and joins the queue's
 * next batch; the store decides (enqueue.lua). An Idempotency-Key makes the id of the place, so a
 * repeated join finds the first one: 200 instead of 201. A place that was let in at once, or that
 * has left the line meanwhile, is polled in the same request, so that its session is in the answer.
 */
#include <ctype.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "challenge.h"
#include "credentials.h"
#include "endpoints.h"
#include "enqueue.h"
#include "join_checks.h"
#include "place.h"
#include "waitingroom/json_in.h"
#include "waitingroom/memory.h"

#define KEY_MAX_CHARS 128
#define USER_MAX_BYTES 1024

/* Quoted (structured field string) or bare, 1..128 visible characters. */
static enum wr_err read_key(const struct http_request *request, const char **ret_key,
							size_t *ret_len, struct err_detail *ret_detail)
{
	const char *key = http_request_header(request, "Idempotency-Key");
	*ret_key = NULL;
	if (key == NULL)
		return WR_OK;
	size_t len = strlen(key);
	if (len >= 2 && key[0] == '"' && key[len - 1] == '"') {
		key++;
		len -= 2;
	}
	bool good = len >= 1 && len <= KEY_MAX_CHARS;
	for (size_t i = 0; good && i < len; i++)
		good = isgraph((unsigned char)key[i]) && key[i] != '"' && key[i] != '\\';
	if (!good)
		return err_say(ret_detail, WR_INVALID,
					   "Idempotency-Key: must be 1..%d visible ASCII characters", KEY_MAX_CHARS);
	*ret_key = key;
	*ret_len = len;
	return WR_OK;
}

/* Parameters (charset) are ignored: JSON is UTF-8, and the parser insists. */
static bool is_type(const char *value, const char *type)
{
	size_t len = strlen(type);
	return strncasecmp(value, type, len) == 0 && strchr("; \t", value[len]) != NULL;
}

static enum wr_err check_type(const struct http_request *request)
{
	const char *type = http_request_header(request, "Content-Type");
	if (type == NULL || is_type(type, "application/json") || is_type(type, "text/plain"))
		return WR_OK;
	return WR_BAD_MEDIA_TYPE;
}

/* ---- the body ---- */

/* member, what it is, where in struct join_wish it goes; null is the same as not given */
#define WISH_TABLE(X)                                                                              \
	X(queue_id, SHAPE_TEXT, "a string")                                                            \
	X(target, SHAPE_TEXT, "a string")                                                              \
	X(lane, SHAPE_TEXT, "a string")                                                                \
	X(user, SHAPE_OBJECT, "an object")                                                             \
	X(challenge, SHAPE_TEXT, "a string")                                                           \
	X(solution, SHAPE_LIST, "a list of numbers")                                                   \
	X(captcha, SHAPE_TEXT, "a string")                                                             \
	X(entry, SHAPE_TEXT, "a string")
enum wish_shape { SHAPE_TEXT, SHAPE_OBJECT, SHAPE_LIST };

#define WISH_ROW(name, shape, words) {#name, shape, words, offsetof(struct join_wish, name)},
static const struct wish_row {
	const char *name;
	enum wish_shape shape;
	const char *words;
	size_t offset;
} wish_rows[] = {WISH_TABLE(WISH_ROW)};
#undef WISH_ROW
#define WISH_ROWS (sizeof(wish_rows) / sizeof(wish_rows[0]))

static const struct wish_row *wish_row(const char *name)
{
	for (size_t i = 0; i < WISH_ROWS; i++)
		if (strcmp(wish_rows[i].name, name) == 0)
			return &wish_rows[i];
	return NULL;
}

static bool read_member(const struct json_value *member, const struct wish_row *row,
						struct join_wish *wish)
{
	void *field = (char *)wish + row->offset;
	if (json_is_null(member))
		return true;
	if (row->shape == SHAPE_TEXT)
		return json_string(member, (const char **)field);
	if (row->shape == SHAPE_OBJECT ? !json_is_object(member) : !json_is_array(member))
		return false;
	*(const struct json_value **)field = member;
	return true;
}

static enum wr_err read_wish(const struct json_value *document, struct join_wish *ret_wish,
							 struct err_detail *ret_detail)
{
	*ret_wish = (struct join_wish){.target = ""};
	if (!json_is_object(document))
		return err_say(ret_detail, WR_MALFORMED, "The body must be a JSON object.");
	for (size_t i = 0; i < json_count(document); i++) {
		const struct json_value *member = json_at(document, i);
		const struct wish_row *row = wish_row(json_key(member));
#define WISH_NAME(name, shape, words) " " #name
		if (row == NULL)
			return err_say(ret_detail, WR_INVALID,
						   "A member of the body is not known; known are:" WISH_TABLE(WISH_NAME));
#undef WISH_NAME
		if (!read_member(member, row, ret_wish))
			return err_say(ret_detail, WR_INVALID, "%s: must be %s", row->name, row->words);
	}
	if (ret_wish->queue_id == NULL)
		return err_say(ret_detail, WR_INVALID, "queue_id: is required, for example \"demo\"");
	return WR_OK;
}

/* ---- the place ---- */

/* An entry token decides where it says something. */
static enum wr_err choose_lane(const struct queue_settings *settings, const char *wanted,
							   const struct entry_claims *entry, char ret_lane[NAME_MAX_CHARS + 1],
							   struct err_detail *ret_detail)
{
	if (entry->lane[0] != '\0') {
		memcpy(ret_lane, entry->lane, NAME_MAX_CHARS + 1);
		return WR_OK;
	}
	int lane = wanted == NULL ? 0 : queue_settings_lane(settings, wanted);
	if (lane < 0)
		return err_say(ret_detail, WR_INVALID, "lane: the queue has no such lane");
	if (!settings->lanes[lane].open)
		return err_say(ret_detail, WR_INVALID, "lane: this lane needs a signed entry token");
	memcpy(ret_lane, settings->lanes[lane].name, NAME_MAX_CHARS + 1);
	return WR_OK;
}

/* Two joins with one key must want the same. Nothing to compare without a key. */
static void hash_wish(struct parked *notes, const char *target, const char *user)
{
	char text[2048 + USER_MAX_BYTES + NAME_MAX_CHARS + 8];
	int len = snprintf(text, sizeof(text), "%s\n%s\n%s", notes->claims.lane, target, user);
	target_hash(text, len > 0 && (size_t)len < sizeof(text) ? (size_t)len : sizeof(text) - 1,
				notes->joining.request_hash);
}

/* The address itself is not written down anywhere. */
static void note_network(struct worker *worker, struct http_request *request,
						 const struct queue_snapshot *snapshot)
{
	struct joining *joining = &((struct parked *)http_request_notes(request))->joining;
	struct client_ip ip = http_request_client(request, worker->app->proxies);
	client_ip_network(&ip, joining->network);
	if (snapshot->settings->joins_per_address_per_minute == 0)
		return;
	size_t len = strlen(joining->network);
	snprintf(joining->network + len, sizeof(joining->network) - len, " %016llx",
			 (unsigned long long)client_ip_hash(&ip, 32, 64));
}

/* Fills the notes from the wish; everything that can be refused without the store is. */
static enum wr_err prepare(struct worker *worker, struct http_request *request,
						   const struct join_wish *wish, const struct entry_claims *entry,
						   const struct queue_snapshot *snapshot, struct err_detail *ret_detail)
{
	struct parked *notes = http_request_notes(request);
	enum wr_err err =
		choose_lane(snapshot->settings, wish->lane, entry, notes->claims.lane, ret_detail);
	char target[VISIT_TARGET_MAX_BYTES + 1] = "";
	if (err == WR_OK && wish->target[0] != '\0')
		err = queue_settings_rebuild_target(snapshot->settings, wish->target, strlen(wish->target),
											target, ret_detail);
	if (err != WR_OK)
		return err;
	if (wish->user != NULL) {
		notes->joining.user = json_print(wish->user);
		if (strlen(notes->joining.user) > USER_MAX_BYTES)
			return err_say(ret_detail, WR_INVALID, "user: must be at most %d bytes",
						   USER_MAX_BYTES);
	}
	if (target[0] != '\0') {
		notes->joining.target = mem_copy_string(target);
		target_hash(target, strlen(target), notes->claims.target_hash);
	}
	if (entry->identity[0] != '\0') {
		join_note_identity(worker, request, entry);
	} else if (wish->key != NULL) {
		position_id_from_key(worker->signer, &notes->claims.queue, wish->key, wish->key_len,
							 notes->claims.position_id);
		hash_wish(notes, target, notes->joining.user != NULL ? notes->joining.user : "");
	} else {
		position_id_random(notes->claims.position_id);
	}
	note_network(worker, request, snapshot);
	return WR_OK;
}

/* A closed queue tells so those who would have to solve a challenge first. */
static enum wr_err check_queue(const struct worker *worker, const struct queue_snapshot *snapshot,
							   const struct join_wish *wish)
{
	if (snapshot == NULL)
		return app_why_no_queue(worker->app);
	if (!store_is_ready(worker->store))
		return WR_STORE_AWAY;
	if (queue_state_is_closed(snapshot->settings->state) && wish->challenge == NULL &&
		snapshot->settings->challenge != QUEUE_CHALLENGE_OFF)
		return WR_QUEUE_CLOSED;
	return WR_OK;
}

enum wr_err enqueue_try(struct worker *worker, struct http_request *request,
						const struct join_wish *wish, struct err_detail *ret_detail)
{
	struct parked *notes = http_request_notes(request);
	notes->is_join = true;
	const struct queue_snapshot *snapshot =
		queue_table_find(worker->app->queues, &notes->claims.queue);
	enum wr_err err = check_queue(worker, snapshot, wish);
	if (err != WR_OK) {
		metrics_add(worker->shard, METRIC_JOINS_AT_GATE, GATE_QUEUE, 1);
		return err;
	}
	struct entry_claims entry;
	if (join_check_entry(worker, request, wish, snapshot, &entry) == GATE_ANSWERED)
		return WR_OK;
	err = prepare(worker, request, wish, &entry, snapshot, ret_detail);
	if (err != WR_OK) {
		metrics_add(worker->shard, METRIC_JOINS_AT_GATE, GATE_REQUEST, 1);
		return err;
	}
	notes->joining.may_be_known = wish->key != NULL || entry.identity[0] != '\0';
	if (join_check_challenge(worker, request, wish, &entry, snapshot) != GATE_PASSED)
		return WR_OK;
	return gather_request(worker->gather, snapshot->slot, GATHER_JOIN, request);
}

/* The queue may have changed, or gone, while the provider was asked. */
void enqueue_resume(struct worker *worker, struct http_request *request,
					enum captcha_verdict verdict)
{
	struct parked *notes = http_request_notes(request);
	const struct queue_snapshot *snapshot =
		queue_table_find(worker->app->queues, &notes->claims.queue);
	if (snapshot == NULL) {
		worker_problem(worker, request, WR_NO_QUEUE, NULL);
		return;
	}
	if (join_take_verdict(worker, request, verdict, snapshot) != GATE_PASSED)
		return;
	enum wr_err err = gather_request(worker->gather, snapshot->slot, GATHER_JOIN, request);
	if (err != WR_OK)
		worker_problem(worker, request, err, NULL);
}

/* What can be said about it goes along: a fresh challenge, the operator's message. */
static void refuse(struct worker *worker, struct http_request *request, enum wr_err err)
{
	const struct parked *notes = http_request_notes(request);
	const struct queue_snapshot *snapshot =
		queue_table_find(worker->app->queues, &notes->claims.queue);
	if (err == WR_CHALLENGE_REQUIRED && snapshot != NULL)
		challenge_refuse(worker, request, snapshot, CHALLENGE_REPLAYED);
	else if (err == WR_ENTRY_REQUIRED)
		join_refuse_entry(worker, request, ENTRY_USED);
	else if ((err == WR_QUEUE_CLOSED || err == WR_QUEUE_FULL) && notes->page == PAGE_NONE)
		queue_info_refuse(worker, request, err, snapshot);
	else
		worker_problem(worker, request, err, NULL);
}

void enqueue_serve(void *ctx, struct http_request *request, const struct route_match *match)
{
	struct worker *worker = ctx;
	struct parked *notes = http_request_notes(request);
	struct err_detail detail = {""};
	struct join_wish wish;
	size_t len = 0;
	(void)match;
	notes->endpoint = ENDPOINT_ENQUEUE;
	const char *body = http_request_body(request, &len);
	enum wr_err err = check_type(request);
	if (err == WR_OK)
		err = json_parse(body, len, &notes->joining.document, &detail);
	if (err == WR_OK)
		err = read_wish(notes->joining.document, &wish, &detail);
	if (err == WR_OK &&
		!queue_name_parse(wish.queue_id, strlen(wish.queue_id), &notes->claims.queue))
		err = err_say(&detail, WR_INVALID,
					  "queue_id: must be \"queue\" or \"tenant/queue\" of a-z, 0-9 and -");
	if (err == WR_OK)
		err = read_key(request, &wish.key, &wish.key_len, &detail);
	if (err == WR_OK)
		err = enqueue_try(worker, request, &wish, &detail);
	if (err != WR_OK && detail.text[0] != '\0')
		worker_problem(worker, request, err, &detail);
	else if (err != WR_OK)
		refuse(worker, request, err);
}

static enum wr_err join_error(enum join_code code)
{
	switch (code) {
	case JOIN_NEW:
	case JOIN_SAME:
		return WR_OK;
	case JOIN_REUSED:
		return WR_KEY_REUSED;
	case JOIN_CLOSED:
		return WR_QUEUE_CLOSED;
	case JOIN_FULL:
		return WR_QUEUE_FULL;
	case JOIN_BUSY:
		return WR_BUSY;
	case JOIN_RATE:
		return WR_RATE_LIMITED;
	case JOIN_LANE:
		return WR_INVALID;
	case JOIN_REPLAYED:
		return WR_CHALLENGE_REQUIRED;
	case JOIN_USED:
		return WR_ENTRY_REQUIRED;
	}
	return WR_BUG;
}

void enqueue_answer(struct worker *worker, struct http_request *request, enum wr_err err,
					const char *epoch, int64_t now_ms, const struct joined *person)
{
	struct parked *notes = http_request_notes(request);
	if (err == WR_OK) {
		err = join_error(person->code);
		if (err != WR_OK)
			metrics_add(worker->shard, METRIC_JOINS_REFUSED, (unsigned)person->code, 1);
	}
	struct place_look look;
	enum wr_err refused = WR_OK;
	if (err != WR_OK) {
		refuse(worker, request, err);
		return;
	}
	metrics_add(worker->shard, METRIC_JOINS, person->code == JOIN_NEW ? 0 : 1, 1);
	notes->status = person->code == JOIN_NEW ? 201 : 200;
	memcpy(notes->claims.epoch, epoch, strnlen(epoch, EPOCH_CHARS));
	if (person->position_id[0] != '\0') /* a person may stand under another id */
		memcpy(notes->claims.position_id, person->position_id, sizeof(person->position_id));
	memcpy(notes->claims.lane, person->lane, sizeof(notes->claims.lane));
	notes->claims.ticket = person->ticket;
	notes->claims.holder = person->holder;
	notes->claims.issued_s = person->joined_ms / 1000;
	enum place_source source = place_find(worker, &notes->claims, &look, &refused);
	if (source == PLACE_REFUSED) {
		worker_problem(worker, request, refused, NULL);
		return;
	}
	int64_t hold_ms = look.snapshot->settings->heartbeat_ttl_ms;
	notes->claims.expires_s = notes->claims.issued_s + POSITION_TOKEN_DAY_S + hold_ms / 1000;
	position_token_extend(&notes->claims, hold_ms,
						  worker->wall); /* of a place that was made long ago */
	/* In line, and the store's own count is newer than the local picture. */
	if (person->code == JOIN_NEW && person->state == PLACE_WAITING)
		place_take_position(&look, person->position, now_ms);
	else if (source == PLACE_FROM_STORE || person->state != PLACE_WAITING) {
		if (gather_request(worker->gather, look.snapshot->slot, GATHER_POLL, request) != WR_OK)
			worker_problem(worker, request, WR_BUSY, NULL);
		return;
	}
	place_answer_in_line(worker, request, &look);
}
