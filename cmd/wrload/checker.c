/* Checker: what each visitor saw, step by step, against the invariants.
 *
 * Every visitor has a record of what the service has told. An answer moves the record on, or
 * contradicts it: that is a violation. The stages of a record:
 *
 *     nobody ──► joining ──► waiting ──► admitted ──► over (released, ended)
 *                               └──────► gone (left, expired, missed)
 *
 * What is *not* a contradiction decides whether the checker can be believed:
 *   - Pods answer from pictures up to LAG_MS old: a place may look waiting for that long after
 *     another pod said otherwise.
 *   - A request without an answer may have happened or not.
 *   - Calls and returns bound the moment at which the service decided; only bounds are compared.
 *   - After trouble (no answer, 5xx, an answer marked stale) heartbeats may have been lost with a
 *     pod or a store, so for a while nobody counts as present.
 *
 * Exactly what is checked:
 *   I1  Admitted again after the session was over; in line again after an admission; a second
 *       session (another subject, or another end by more than 2 s) under one admission.
 *   I2  A place with a 2xx enqueue answers 401 or 404; "expired" although the silence, from the last
 *       answered call to this answer, was shorter than hold_ms (before the first heartbeat:
 *       than CONFIRM_MS); "left" or "ended" when the visitor did neither leave nor can have been admitted.
 *   I3  a says "waiting" in a call begun at C. Somebody b was seen admitted before C − (longest poll
 *       interval seen + 3 s), and b called enqueue more than 1 s after a had begun to be present.
 *       Present: the first heartbeat was answered, and from each answered heartbeat's call
 *       to the next one's return no more than 1.2 × poll_after − 100 ms passed (what
 *       absent_after_ms is at least, less a heartbeat's way to the store). So a had joined and been
 *       there before b came, all the time until now, and b went in first.
 *   I4  Sessions certainly active: admission seen, release not called, end more than 2 s away.
 *   I5  See pace.h.
 *   I7  Admitted after "left", "expired" or "missed"; waiting again after it, when there was no
 *       trouble since (a store that lost its last second may not know that somebody left).
 *   I8  The position is compared with the lowest told before; neither may be marked stale. An
 *       answer with a new position token begins anew: the place was entered again after a loss. A
 *       poll sent before its time may be answered from a picture with no newer as_of_ms.
 *   I9  All successful enqueues with one key name the same position id.
 */
#include "checker.h"

#include "order.h"
#include "pace.h"
#include "waitingroom/memory.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LAG_MS 2000
#define CONFIRM_MS                                                                                 \
	2400 /* first_heartbeat_ms is hardly ever less; the first poll is asked for sooner */
#define FLUSH_MS 100 /* how long a pod may keep a heartbeat before the store has it */
#define ABSENT_AFTER_MIN_MS 500
#define ORDER_MARGIN_MS 3000
#define PRESENT_MARGIN_MS 1000
#define REQUEST_MAX_MS 60000 /* no request lasts longer */
#define SESSION_MARGIN_MS 2000

enum stage { NOBODY, JOINING, WAITING, ADMITTED, OVER, GONE };

struct record {
	enum stage stage;
	char position_id[VIOLATION_ID_BYTES];
	int64_t first_called_ms;   /* of the first enqueue with this key */
	int64_t heard_called_ms;   /* of the last call that was answered well */
	int64_t heard_ms;		   /* when its answer had come */
	int64_t waiting_called_ms; /* of the last fresh answer that said waiting */
	int64_t present_since_ms;
	int64_t admitted_ms, gone_ms; /* returns */
	int64_t poll_after_ms, hold_ms;
	int64_t position;	/* lowest told; -1: none */
	int64_t picture_ms; /* as_of_ms of the answer that told it */
	int64_t active_until_ms;
	struct session_facts session;
	bool is_confirmed; /* the first heartbeat was answered */
	bool is_active;
	bool has_doubt; /* a request without an answer since the last good one */
	bool has_called_leave;
};

struct checker {
	struct checker_limits limits;
	struct record *records;
	struct order order;
	struct pace pace;
	int64_t trouble_ms; /* the last time; far in the past: never */
	int64_t longest_poll_ms;
	int64_t active; /* records with is_active, also those past their end */
	int64_t worst_over_capacity;
	uint64_t worst_over_rate;
	struct checked checked;
	struct violations violations;
};

/* ---- life, and what was found ---- */

struct checker *checker_new(const struct checker_limits *limits)
{
	struct checker *checker = mem_alloc_zero(1, sizeof(*checker));
	checker->limits = *limits;
	checker->records = mem_alloc_zero(limits->slots, sizeof(*checker->records));
	checker->trouble_ms = INT64_MIN / 2;
	return checker;
}

void checker_free(struct checker *checker)
{
	if (!checker)
		return;
	order_fini(&checker->order);
	free(checker->records);
	free(checker);
}

const struct violations *checker_violations(const struct checker *checker)
{
	return &checker->violations;
}

const struct checked *checker_checked(const struct checker *checker)
{
	return &checker->checked;
}

static void set_active(struct checker *checker, struct record *record, bool is_active)
{
	checker->active += is_active - record->is_active;
	record->is_active = is_active;
}

void checker_begin(struct checker *checker, uint32_t slot)
{
	struct record *record = &checker->records[slot];
	set_active(checker, record, false);
	*record = (struct record){.position = -1};
}

static void record_close(struct checker *checker, struct record *record, enum stage stage,
						 int64_t now_ms)
{
	record->stage = stage;
	record->gone_ms = now_ms;
	set_active(checker, record, false);
}

/* ---- a place that is there: I1, I3, I7, I8 ---- */

/* Asked before its time, another pod may answer from an older picture, and says so in as_of_ms. Of
 * two of the same millisecond nobody knows which was first. */
static bool is_older_by_haste(const struct record *record, const struct observation *seen)
{
	return seen->called_ms < record->heard_ms + record->poll_after_ms &&
		   seen->answer->as_of_ms >= 0 && seen->answer->as_of_ms <= record->picture_ms;
}

static void check_position(struct checker *checker, struct record *record,
						   const struct observation *seen)
{
	const struct answer *answer = seen->answer;
	if (seen->op == OP_HEARTBEAT && answer->token.len)
		record->position = -1; /* entered again */
	if (answer->stale || answer->position < 0)
		return;
	bool is_comparable = record->position >= 0 && !is_older_by_haste(record, seen);
	bool has_grown = is_comparable && answer->position > record->position;
	checker->checked.positions_compared += is_comparable;
	if (has_grown)
		violations_add(&checker->violations, POSITION_FALLS, record->position_id, seen->returned_ms,
					   "position %" PRId64 " after %" PRId64 ", asked %" PRId64
					   " ms after the answer before, of a picture %" PRId64 " ms newer",
					   answer->position, record->position, seen->called_ms - record->heard_ms,
					   answer->as_of_ms - record->picture_ms);
	/* What has grown is said once: from now on it is held against the new number. */
	if (record->position < 0 || has_grown || answer->position < record->position) {
		record->position = answer->position;
		record->picture_ms = answer->as_of_ms;
	}
}

/* Must run before heard_called_ms moves on. */
static void note_presence(struct record *record, const struct observation *seen)
{
	int64_t silence_ms = seen->returned_ms - record->heard_called_ms;
	int64_t allowed_ms = record->poll_after_ms * 12 / 10;
	if (allowed_ms < ABSENT_AFTER_MIN_MS)
		allowed_ms = ABSENT_AFTER_MIN_MS;
	if (!record->is_confirmed || silence_ms > allowed_ms - FLUSH_MS)
		record->present_since_ms = seen->returned_ms;
	record->is_confirmed = true;
}

static void check_order(struct checker *checker, struct record *record,
						const struct observation *seen)
{
	int64_t slack_ms = checker->longest_poll_ms + ORDER_MARGIN_MS;
	int64_t quiet_since_ms = checker->trouble_ms + slack_ms;
	int64_t present_since_ms = record->present_since_ms + PRESENT_MARGIN_MS;
	int64_t joined_after_ms = present_since_ms > quiet_since_ms ? present_since_ms : quiet_since_ms;
	order_forget(&checker->order, seen->returned_ms - slack_ms - REQUEST_MAX_MS);
	const struct order_admission *other =
		order_youngest(&checker->order, seen->called_ms - slack_ms);
	if (!other)
		return;
	bool is_younger = other->joined_ms > record->first_called_ms;
	if (is_younger && other->joined_ms <= joined_after_ms) {
		checker->checked.orders_excused++;
		return;
	}
	checker->checked.orders_compared++;
	if (!is_younger)
		return;
	violations_add(&checker->violations, TICKET_ORDER, record->position_id, seen->returned_ms,
				   "still waiting %" PRId64 " ms after %s was admitted, who joined %" PRId64
				   " ms after this one",
				   seen->called_ms - other->noticed_ms, other->position_id,
				   other->joined_ms - record->first_called_ms);
	record->present_since_ms = seen->returned_ms; /* said once is enough */
}

static void see_waiting(struct checker *checker, struct record *record,
						const struct observation *seen)
{
	bool is_fresh = !seen->answer->stale;
	if (record->stage == ADMITTED) {
		if (is_fresh && seen->called_ms > record->admitted_ms + LAG_MS)
			violations_add(&checker->violations, ADMITTED_ONCE, record->position_id,
						   seen->returned_ms, "in line again %" PRId64 " ms after the admission",
						   seen->called_ms - record->admitted_ms);
		return;
	}
	check_position(checker, record, seen);
	if (seen->op == OP_HEARTBEAT)
		note_presence(record, seen);
	if (is_fresh) {
		record->waiting_called_ms = seen->called_ms;
		if (seen->op == OP_HEARTBEAT)
			check_order(checker, record, seen);
	}
	record->heard_called_ms = seen->called_ms;
	record->heard_ms = seen->returned_ms;
	record->has_doubt = false;
	if (seen->answer->hold_ms >= 0)
		record->hold_ms = seen->answer->hold_ms;
	if (seen->answer->poll_after_ms < 0)
		return;
	record->poll_after_ms = seen->answer->poll_after_ms;
	if (record->poll_after_ms > checker->longest_poll_ms)
		checker->longest_poll_ms = record->poll_after_ms;
}

static void admit(struct checker *checker, struct record *record, const struct observation *seen)
{
	int64_t earliest_ms = record->waiting_called_ms - LAG_MS;
	if (earliest_ms < record->first_called_ms)
		earliest_ms = record->first_called_ms;
	pace_admitted(&checker->pace, earliest_ms, seen->returned_ms);
	struct order_admission admission = {.noticed_ms = seen->returned_ms,
										.joined_ms = record->first_called_ms};
	memcpy(admission.position_id, record->position_id, sizeof(admission.position_id));
	order_admitted(&checker->order, &admission);
	record->stage = ADMITTED;
	record->admitted_ms = seen->returned_ms;
	record->session = seen->session;
	record->active_until_ms = seen->session_left_ms == INT64_MAX
								  ? INT64_MAX
								  : seen->returned_ms + seen->session_left_ms - SESSION_MARGIN_MS;
	set_active(checker, record, true);
}

static void check_session(struct checker *checker, struct record *record,
						  const struct observation *seen)
{
	checker->checked.sessions_compared++;
	int64_t moved_s = llabs(seen->session.expires_s - record->session.expires_s);
	if (seen->session.subject_hash != record->session.subject_hash)
		violations_add(&checker->violations, ADMITTED_ONCE, record->position_id, seen->returned_ms,
					   "a session of another subject %" PRId64 " ms after the first",
					   seen->returned_ms - record->admitted_ms);
	else if (moved_s * 1000 > SESSION_MARGIN_MS)
		violations_add(&checker->violations, ADMITTED_ONCE, record->position_id, seen->returned_ms,
					   "a second session that ends %" PRId64 " s away from the first", moved_s);
}

/* A closed place that answers as if it were open. */
static void see_return(struct checker *checker, struct record *record,
					   const struct observation *seen)
{
	checker->checked.gone_places_polled++;
	int64_t since_ms = seen->called_ms - record->gone_ms;
	bool is_admitted = seen->answer->status == ANSWER_ADMITTED;
	if (since_ms <= 0)
		return;
	if (!is_admitted && (since_ms <= LAG_MS || seen->answer->stale ||
						 checker->trouble_ms >= record->gone_ms - LAG_MS))
		return;
	violations_add(&checker->violations, record->stage == OVER ? ADMITTED_ONCE : GONE_IS_GONE,
				   record->position_id, seen->returned_ms,
				   "%s %" PRId64 " ms after the place was %s",
				   is_admitted ? "admitted" : "in line again", since_ms,
				   record->stage == OVER ? "used up" : "gone");
}

static void see_place(struct checker *checker, struct record *record,
					  const struct observation *seen)
{
	if (record->stage == OVER || record->stage == GONE)
		see_return(checker, record, seen);
	else if (seen->answer->status == ANSWER_WAITING)
		see_waiting(checker, record, seen);
	else if (record->stage == WAITING)
		admit(checker, record, seen);
	else
		check_session(checker, record, seen);
}

/* ---- a place that is not there: I2 ---- */

static void check_expiry(struct checker *checker, struct record *record,
						 const struct observation *seen)
{
	int64_t silence_ms = seen->returned_ms - record->heard_called_ms + FLUSH_MS;
	int64_t hold_ms = record->hold_ms;
	if (!record->is_confirmed) {
		silence_ms = seen->returned_ms - record->first_called_ms + FLUSH_MS;
		hold_ms = hold_ms < CONFIRM_MS ? hold_ms : CONFIRM_MS;
	}
	if (silence_ms < hold_ms)
		violations_add(&checker->violations, PLACE_KEPT, record->position_id, seen->returned_ms,
					   "expired after a silence of at most %" PRId64 " ms, held for %" PRId64 " ms",
					   silence_ms, hold_ms);
}

static void see_missing(struct checker *checker, struct record *record,
						const struct observation *seen)
{
	const struct answer *answer = seen->answer;
	if (record->stage == OVER || record->stage == GONE) {
		checker->checked.gone_places_polled++;
		return;
	}
	if (record->stage == ADMITTED) {
		if (answer->code == CODE_SESSION_ENDED)
			record_close(checker, record, OVER, seen->returned_ms);
		return;
	}
	bool is_explained =
		(answer->code == CODE_PLACE_LEFT && record->has_called_leave) ||
		(answer->code == CODE_SESSION_ENDED && record->has_doubt) || /* admitted unheard */
		answer->code == CODE_TURN_MISSED;
	if (answer->code == CODE_PLACE_EXPIRED && answer->http == 410)
		check_expiry(checker, record, seen);
	else if (!is_explained)
		violations_add(&checker->violations, PLACE_KEPT, record->position_id, seen->returned_ms,
					   "answered %d %s while waiting", answer->http,
					   answer_code_word(answer->code));
	record_close(checker, record, answer->code == CODE_SESSION_ENDED ? OVER : GONE,
				 seen->returned_ms);
}

/* ---- one observation ---- */

static bool is_place(const struct answer *answer)
{
	return (answer->http == 200 || answer->http == 201) &&
		   (answer->status == ANSWER_WAITING || answer->status == ANSWER_ADMITTED);
}

static void observe_enqueue(struct checker *checker, struct record *record,
							const struct observation *seen)
{
	const struct slice *id = &seen->answer->position_id;
	if (record->stage == NOBODY) {
		record->stage = JOINING;
		record->first_called_ms = seen->called_ms;
	}
	if (seen->called_ms < record->first_called_ms)
		record->first_called_ms = seen->called_ms;
	if (!is_place(seen->answer) || !id->len)
		return;
	if (record->stage == JOINING) {
		size_t len =
			id->len < sizeof(record->position_id) ? id->len : sizeof(record->position_id) - 1;
		memcpy(record->position_id, id->text, len);
		record->stage = WAITING;
		record->heard_called_ms = record->waiting_called_ms = record->first_called_ms;
		see_place(checker, record, seen);
		return;
	}
	checker->checked.repeats_compared++;
	if (seen->answer->status == ANSWER_ADMITTED)
		record->has_doubt = true; /* the visitor goes by the heartbeats, and may hear too late */
	if (strncmp(record->position_id, id->text, id->len) || record->position_id[id->len])
		violations_add(&checker->violations, ONE_PLACE_PER_KEY, record->position_id,
					   seen->returned_ms, "the same key was also given the place %.*s",
					   (int)id->len, id->text);
}

static void observe_heartbeat(struct checker *checker, struct record *record,
							  const struct observation *seen)
{
	int http = seen->answer->http;
	if (is_place(seen->answer))
		see_place(checker, record, seen);
	else if (http == 401 || http == 404 || http == 410)
		see_missing(checker, record, seen);
}

static void observe_leave(struct checker *checker, struct record *record,
						  const struct observation *seen)
{
	if (seen->answer->http == 200 && seen->answer->status == ANSWER_LEFT)
		record_close(checker, record, GONE, seen->returned_ms);
}

static void observe_release(struct checker *checker, struct record *record,
							const struct observation *seen)
{
	if (seen->answer->http >= 200 && seen->answer->http < 300)
		record_close(checker, record, OVER, seen->returned_ms);
}

void checker_expect(struct checker *checker, uint32_t slot, enum op op)
{
	struct record *record = &checker->records[slot];
	if (op == OP_LEAVE)
		record->has_called_leave = true;
	if (op == OP_RELEASE)
		set_active(checker, record, false);
}

/* Refusing a newcomer is the service's right, and a repeated enqueue may be marked stale because a
 * pod's picture does not have the place yet. Anything else of the kind is trouble. */
static bool is_trouble(const struct observation *seen)
{
	const struct answer *answer = seen->answer;
	return !answer->http || (answer->stale && seen->op != OP_ENQUEUE) ||
		   (answer->http >= 500 && answer->code != CODE_QUEUE_FULL);
}

void checker_observe(struct checker *checker, const struct observation *seen)
{
	struct record *record = &checker->records[seen->slot];
	if (is_trouble(seen))
		checker->trouble_ms = seen->returned_ms;
	if (!seen->answer->http)
		record->has_doubt = true;
	switch (seen->op) {
	case OP_ENQUEUE:
		observe_enqueue(checker, record, seen);
		break;
	case OP_HEARTBEAT:
		observe_heartbeat(checker, record, seen);
		break;
	case OP_LEAVE:
		observe_leave(checker, record, seen);
		break;
	case OP_RELEASE:
		observe_release(checker, record, seen);
		break;
	case OP_COUNT:
		break;
	}
}

/* ---- the crowd as a whole: I4, I5 ---- */

static int64_t count_active(struct checker *checker, int64_t now_ms)
{
	for (uint32_t i = 0; i < checker->limits.slots; i++) {
		struct record *record = &checker->records[i];
		if (record->is_active && record->active_until_ms <= now_ms)
			set_active(checker, record, false);
	}
	return checker->active;
}

void checker_tick(struct checker *checker, int64_t now_ms)
{
	const struct checker_limits *limits = &checker->limits;
	if (limits->capacity >= 0 && checker->active > limits->capacity) {
		int64_t over = count_active(checker, now_ms) - limits->capacity;
		if (over > checker->worst_over_capacity) {
			checker->worst_over_capacity = over * 2; /* said again only when much worse */
			violations_add(&checker->violations, WITHIN_CAPACITY, "", now_ms,
						   "%" PRId64 " sessions are active, capacity %" PRId64, checker->active,
						   limits->capacity);
		}
	}
	struct pace_excess excess;
	if (limits->rate_per_minute >= 0 &&
		pace_is_exceeded(&checker->pace, now_ms, limits->rate_per_minute, limits->burst, &excess) &&
		excess.admitted - excess.allowed > checker->worst_over_rate) {
		checker->worst_over_rate = (excess.admitted - excess.allowed) * 2;
		violations_add(&checker->violations, WITHIN_RATE, "", now_ms,
					   "%" PRIu64 " were admitted within %" PRId64 " ms, %" PRIu64 " were allowed",
					   excess.admitted, excess.window_ms, excess.allowed);
	}
}
