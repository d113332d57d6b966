/* Place: from a token's claims to the place object.
 *
 * Whoever is in line is answered from the position index, without the store. Whoever has left the
 * line (or is newer than the local picture, or carries a token from another life of the queue) is
 * looked up in the store: let in, set aside, ended, or unknown and then put back if the token
 * proves the place. When the store is away, the last picture is given and marked "stale".
 */
#include "place.h"

#include <string.h>

#include "credentials.h"
#include "entrance.h"
#include "noscript.h"
#include "picture.h"
#include "waitingroom/memory.h"
#include "waitingroom/pacing.h"

#define JSON_TYPE "application/json"
#define ANSWER_BYTES 28672 /* tokens, target, the message in every language, escaped */

#define OWN_BYTES 8192 /* of an answer in line: what is not common, the token above all */

static int64_t picture_age_ms(const struct worker *worker, const struct queue_snapshot *snapshot)
{
	return mono_diff_ms(snapshot->taken, loop_now(worker->loop));
}

int64_t place_store_now_ms(const struct worker *worker, const struct queue_snapshot *snapshot)
{
	return snapshot->as_of_ms + picture_age_ms(worker, snapshot);
}

/* Two pods' pictures may differ by as much as a picture that is not stale may be old. Polls that
 * come faster than that, one after the other to both, would see a number grow. */
bool place_picture_is_stale(const struct worker *worker, const struct queue_snapshot *snapshot)
{
	const struct config *config = &worker->app->config;
	int64_t limit_ms = 2 * config->sync_interval_ms; /* a pod that is well is that fresh */
	if (limit_ms < snapshot->settings->poll_min_ms)
		limit_ms = snapshot->settings->poll_min_ms;
	if (limit_ms > config->stale_after_ms)
		limit_ms = config->stale_after_ms;
	return picture_age_ms(worker, snapshot) > limit_ms;
}

enum place_source place_find(struct worker *worker, const struct position_claims *claims,
							 struct place_look *ret_look, enum wr_err *ret_err)
{
	struct app *app = worker->app;
	const struct queue_snapshot *snapshot = queue_table_find(app->queues, &claims->queue);
	if (snapshot == NULL) {
		*ret_err = app_why_no_queue(app);
		return PLACE_REFUSED;
	}
	if (revocations_holder(snapshot->revocations, claims->position_id) > claims->holder) {
		*ret_err = WR_PLACE_MOVED;
		return PLACE_REFUSED;
	}
	*ret_look =
		(struct place_look){.snapshot = snapshot,
							.lane = queue_settings_lane(snapshot->settings, claims->lane),
							.as_of_ms = snapshot->as_of_ms,
							/* Frozen pictures are of different moments in different pods. */
							.stale = snapshot->recovering || snapshot->settling ||
									 place_picture_is_stale(worker, snapshot)};
	if (!epoch_counts(claims->epoch, snapshot->epoch, snapshot->lost_epochs) || ret_look->lane < 0)
		return PLACE_FROM_STORE;
	struct index_answer answer;
	if (position_index_find(snapshot->lanes[ret_look->lane], claims->ticket, &answer) != WR_OK ||
		!answer.in_line)
		return PLACE_FROM_STORE;
	ret_look->position = answer.position;
	return PLACE_FROM_INDEX;
}

static void write_wait(struct json_out *out, struct wait_range wait)
{
	if (!wait.known) {
		json_out_null(out, "estimated_wait_s");
		return;
	}
	json_out_object(out, "estimated_wait_s");
	json_out_int(out, "low", wait.low_s);
	json_out_int(out, "high", wait.high_s);
	json_out_object_end(out);
}

static int64_t poll_after(struct worker *worker, const struct place_look *look,
						  struct wait_range wait, bool is_join)
{
	const struct queue_settings *settings = look->snapshot->settings;
	struct pacing pacing = {.poll_min_ms = settings->poll_min_ms,
							.poll_max_ms = queue_settings_poll_longest(settings),
							.first_heartbeat_ms = settings->first_heartbeat_ms,
							.waiting = look->snapshot->waiting,
							.polls_per_s_max = (uint64_t)worker->app->config.polls_per_s_max};
	if (is_join)
		return first_poll_after_ms(&pacing, worker_random(worker));
	return poll_after_ms(&pacing, look->position > 0 ? look->position - 1 : 0,
						 wait.known ? wait.low_s : -1, worker_random(worker));
}

static void write_head(struct json_out *out, const char *status,
					   const struct position_claims *claims)
{
	char name[QUEUE_NAME_TEXT_BYTES];
	size_t name_len = queue_name_print(&claims->queue, name);
	json_out_object(out, NULL);
	json_out_string(out, "status", status);
	json_out_string_n(out, "queue_id", name, name_len);
	json_out_string_n(out, "position_id", claims->position_id, POSITION_ID_CHARS);
}

static void write_waiting(struct worker *worker, struct json_out *out,
						  const struct position_claims *claims, const struct place_look *look,
						  const char *token)
{
	const struct queue_snapshot *snapshot = look->snapshot;
	struct wait_range wait = {.known = false};
	if (look->position > 0 && look->lane >= 0)
		wait = wait_estimate(&snapshot->waits[look->lane], look->position - 1);
	/* Who has just joined may not be counted in the picture yet. */
	if (look->as_of_ms == snapshot->as_of_ms && look->position <= snapshot->waiting)
		json_out_resume(out, snapshot->common, snapshot->common_len);
	else
		picture_write_common(
			snapshot, look->position > snapshot->waiting ? look->position : snapshot->waiting,
			look->as_of_ms, out);
	json_out_string_n(out, "position_id", claims->position_id, POSITION_ID_CHARS);
	if (look->position > 0) {
		json_out_int(out, "position", (int64_t)look->position);
		json_out_int(out, "ahead", (int64_t)look->position - 1);
	} else {
		json_out_null(out, "position");
		json_out_null(out, "ahead");
	}
	write_wait(out, wait);
	json_out_int(out, "poll_after_ms", poll_after(worker, look, wait, token != NULL));
	if (look->stale)
		json_out_bool(out, "stale", true);
	if (token != NULL)
		json_out_string(out, "token", token);
	json_out_object_end(out);
}

/* The answer does not fit into the request's own room: a long message, or one in many languages. */
static __attribute__((noinline)) void
reply_waiting_long(struct worker *worker, struct http_request *request, const struct parked *notes,
				   const struct place_look *look, const char *token)
{
	size_t room = look->snapshot->common_len + OWN_BYTES;
	WR_AUTO(mem_free_at) char *text = mem_alloc_zero(1, room);
	struct json_out out;
	json_out_init(&out, text, room);
	write_waiting(worker, &out, &notes->claims, look, token);
	http_reply(request, notes->status, JSON_TYPE, text, out.len);
}

static void reply_waiting(struct worker *worker, struct http_request *request,
						  const struct parked *notes, const struct place_look *look,
						  const char *token)
{
	struct json_out out;
	if (notes->page != PAGE_NONE) {
		noscript_in_line(worker, request, look);
		return;
	}
	json_out_init(&out, http_reply_room(request), HTTP_REPLY_ROOM);
	write_waiting(worker, &out, &notes->claims, look, token);
	if (out.overflow)
		reply_waiting_long(worker, request, notes, look, token);
	else
		http_reply_written(request, notes->status, JSON_TYPE, out.len);
}

static void keep_token(struct worker *worker, struct http_request *request,
					   const struct parked *notes, const char *token)
{
	if (notes->was_lost)
		credentials_revive_cookie(worker, request, &notes->claims.queue, token);
	else
		credentials_set_cookie(worker, request, &notes->claims.queue, token);
}

/* The token that enqueue gives; the same place gets the same claims as long as it is young. */
static enum wr_err join_token(struct worker *worker, const struct position_claims *claims,
							  char ret_text[TOKEN_MAX_BYTES + 1])
{
	size_t len = 0;
	return position_token_print(worker->signer, claims, ret_text, &len);
}

static void answer_admitted(struct worker *worker, struct http_request *request,
							const struct parked *notes, const struct place_look *look,
							const struct visit *visit)
{
	const struct queue_settings *settings = look->snapshot->settings;
	char token[TOKEN_MAX_BYTES + 1] = "", text[ANSWER_BYTES];
	struct entrance entrance = {.session = ""};
	const char *url = visit->target;
	if ((notes->is_join || notes->was_lost) && join_token(worker, &notes->claims, token) != WR_OK) {
		worker_problem(worker, request, WR_BUG, NULL);
		return;
	}
	if (visit->state == PLACE_CLAIMED) {
		url = entrance.url;
		if (entrance_make(worker, request, &notes->claims, look->snapshot, visit, &entrance) !=
			WR_OK) {
			worker_problem(worker, request, WR_BUG, NULL);
			return;
		}
	}
	int64_t left_ms = visit->ends_ms - place_store_now_ms(worker, look->snapshot);
	if (left_ms < 0)
		left_ms = 0;
	if (visit->state == PLACE_CLAIMED && left_ms > settings->session_ttl_ms)
		left_ms =
			settings->session_ttl_ms; /* the store's clock is a moment ahead of the picture's */
	if (token[0] != '\0')
		keep_token(worker, request, notes, token);
	if (notes->page != PAGE_NONE) {
		noscript_admitted(worker, request, look, url, left_ms);
		return;
	}
	struct json_out out;
	json_out_init(&out, text, sizeof(text));
	write_head(&out, "admitted", &notes->claims);
	json_out_string(&out, "message", settings->message);
	queue_settings_write_news(settings, look->snapshot->as_of_ms, &out);
	json_out_null(&out, "position"); /* in line no more */
	json_out_null(&out, "ahead");
	json_out_int(&out, "waiting", (int64_t)look->snapshot->waiting);
	json_out_null(&out, "estimated_wait_s");
	json_out_bool(&out, "paused", settings->state == QUEUE_PAUSED);
	json_out_int(&out, "poll_after_ms", settings->poll_max_ms);
	json_out_int(&out, "hold_ms", left_ms);
	json_out_int(&out, "enter_within_ms", left_ms);
	json_out_int(&out, "as_of_ms", look->snapshot->as_of_ms);
	if (entrance.session[0] != '\0')
		json_out_string(&out, "session_token", entrance.session);
	if (url[0] != '\0')
		json_out_string(&out, "redirect_url", url);
	else
		json_out_null(&out, "redirect_url");
	if (token[0] != '\0')
		json_out_string(&out, "token", token);
	json_out_object_end(&out);
	http_reply(request, notes->status, JSON_TYPE, text, out.len);
}

/* A join gets its token. A token from before a total loss is exchanged once the line is whole
 * again: it would not outlive another loss. It also says that positions may have grown this once.
 * One that is getting old is made anew, but not while the place may have ended without our
 * knowing. */
static bool wants_token(const struct worker *worker, struct parked *notes,
						const struct place_look *look)
{
	const struct queue_snapshot *snapshot = look->snapshot;
	if (notes->is_join || notes->was_lost)
		return true;
	if (snapshot->recovering || look->stale)
		return false;
	return strcmp(notes->claims.epoch, snapshot->epoch) != 0 ||
		   position_token_extend(&notes->claims, snapshot->settings->heartbeat_ttl_ms,
								 worker->wall);
}

static __attribute__((noinline)) void reply_with_token(struct worker *worker,
													   struct http_request *request,
													   struct parked *notes,
													   const struct place_look *look)
{
	char token[TOKEN_MAX_BYTES + 1];
	if (!notes->is_join)
		memcpy(notes->claims.epoch, look->snapshot->epoch, sizeof(notes->claims.epoch));
	if (join_token(worker, &notes->claims, token) != WR_OK) {
		worker_problem(worker, request, WR_BUG, NULL);
		return;
	}
	keep_token(worker, request, notes, token);
	reply_waiting(worker, request, notes, look, token);
}

void place_answer_in_line(struct worker *worker, struct http_request *request,
						  const struct place_look *look)
{
	struct parked *notes = http_request_notes(request);
	if (wants_token(worker, notes, look))
		reply_with_token(worker, request, notes, look);
	else
		reply_waiting(worker, request, notes, look, NULL);
}

void place_take_position(struct place_look *look, uint64_t position, int64_t now_ms)
{
	look->position = position;
	look->as_of_ms = now_ms;
	look->stale = look->snapshot->recovering;
}

/* An operator has put the place back: it stands where its ticket says, which is marked as gone. */
static bool stands_outside(struct place_look *look, const struct visit *visit)
{
	struct index_answer answer;
	if (look->lane < 0 ||
		position_index_find(look->snapshot->lanes[look->lane], visit->ticket, &answer) != WR_OK)
		return false;
	look->position = answer.position;
	return !answer.in_line;
}

void place_answer_over(struct worker *worker, struct http_request *request, enum wr_err err,
					   const struct err_detail *detail)
{
	const struct parked *notes = http_request_notes(request);
	if (!notes->was_lost)
		worker_problem(worker, request, err, detail);
	else if (notes->page != PAGE_NONE)
		noscript_nobody(worker, request);
	else
		http_reply(request, 204, NULL, "", 0);
}

const struct queue_snapshot *place_beat(struct worker *worker, struct http_request *request)
{
	const struct parked *notes = http_request_notes(request);
	struct place_look look;
	enum wr_err err = WR_OK;
	enum place_source source = place_find(worker, &notes->claims, &look, &err);
	if (notes->was_lost && source == PLACE_FROM_INDEX)
		source = PLACE_FROM_STORE; /* the picture may not have heard of it */
	switch (source) {
	case PLACE_FROM_INDEX:
		gather_beat(worker->gather, look.snapshot, look.lane, &notes->claims);
		metrics_add(worker->shard, METRIC_BEATS, look.stale ? BEAT_STALE : BEAT_INDEX, 1);
		place_answer_in_line(worker, request, &look);
		return NULL;
	case PLACE_FROM_STORE:
		return look.snapshot;
	case PLACE_REFUSED:
		place_answer_over(worker, request, err, NULL);
	}
	return NULL;
}

void place_ask(struct worker *worker, struct http_request *request,
			   const struct queue_snapshot *snapshot, enum gather_kind kind)
{
	enum wr_err err = gather_request(worker->gather, snapshot->slot, kind, request);
	if (err != WR_OK)
		worker_problem(worker, request, err, NULL);
}

bool place_has_ended(const struct worker *worker, const struct position_claims *claims,
					 enum place_state state)
{
	const struct queue_snapshot *snapshot = queue_table_find(worker->app->queues, &claims->queue);
	if (snapshot == NULL || !revocations_has_session(snapshot->revocations, claims->position_id))
		return false;
	bool is_in = state == PLACE_ADMITTED || state == PLACE_CLAIMED;
	return state == PLACE_NONE || (is_in && gather_store_may_have_lost(worker->gather));
}

void place_answer_visit(struct worker *worker, struct http_request *request, enum wr_err err,
						int64_t now_ms, const struct visit *visit)
{
	struct parked *notes = http_request_notes(request);
	struct place_look look;
	enum wr_err refused = WR_OK;
	enum place_source source = place_find(worker, &notes->claims, &look, &refused);
	if (source == PLACE_REFUSED) {
		place_answer_over(worker, request, refused, NULL);
		return;
	}
	if (err != WR_OK) {
		/* Joins must be sure; polls get the last picture. */
		if (notes->is_join || notes->was_lost) {
			worker_problem(worker, request, err, NULL);
			return;
		}
		look.stale = true;
		place_answer_in_line(worker, request, &look);
		return;
	}
	if (place_has_ended(worker, &notes->claims, visit->state)) {
		place_answer_over(worker, request, WR_SESSION_ENDED, NULL);
		return;
	}
	static const struct err_detail emptied = {"The line was emptied by the operator; join again."};
	if (visit->holder > notes->claims.holder) { /* this pod has not heard of it yet */
		place_answer_over(worker, request, WR_PLACE_MOVED, NULL);
		return;
	}
	switch (visit->state) {
	case PLACE_WAITING:
		if (source == PLACE_FROM_STORE && visit->position > 0)
			place_take_position(&look, visit->position, now_ms);
		else if (source == PLACE_FROM_STORE && !stands_outside(&look, visit))
			look.stale = true;
		place_answer_in_line(worker, request, &look);
		return;
	case PLACE_ADMITTED:
	case PLACE_CLAIMED:
		answer_admitted(worker, request, notes, &look, visit);
		return;
	default:
		if (!notes->was_lost)
			credentials_retire_cookie(worker, request, &notes->claims);
		place_answer_over(worker, request, place_state_poll_error(visit->state),
						  visit->emptied ? &emptied : NULL);
	}
}

void place_answer_restored(struct worker *worker, struct http_request *request, enum wr_err err,
						   enum place_state state)
{
	struct visit visit = {.state = state, .target = ""};
	/* Let in meanwhile: what it is entitled to comes with the next poll. */
	if (err == WR_OK && (state == PLACE_ADMITTED || state == PLACE_CLAIMED))
		err = WR_STORE_AWAY;
	place_answer_visit(worker, request, err, 0, &visit);
}
