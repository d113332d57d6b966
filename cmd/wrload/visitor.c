/* Visitor: what one person does, from the first click to the end.
 *
 *     joining ──► waiting ──► (looking in ──►) releasing ──► (looking back ──►) done
 *        │           ├──► leaving ──► (looking back ──►) done
 *        │           ├──► place gone ──► (looking back ──►) done
 *        │           └──► vanished = done
 *        └──► refused = done
 *
 * Every stage but the last sends one kind of request. A timer fires at 'due', the moment at which
 * the request is *meant* to start; it is handed to the client at once, and its latency counts from
 * 'due' even when the loop or the pool was late (facts of open-loop measuring: a stalled server
 * must not make its own victims invisible).
 *
 * No answer, 5xx, 408 and 429 leave the visitor in its stage: it tries again, on another address
 * when there is one, with the same key or token, after Retry-After or else a full-jitter back-off.
 *
 * What somebody does is rolled at arrival from the run's seed and the visitor's number. A few
 * send more than they need, for the sake of the checker: a second enqueue with the same key
 * (beside the first, or after it), a heartbeat while on the site, a heartbeat after the end.
 */
#include "visitor.h"

#include "answer.h"
#include "crowd.h"
#include "dice.h"
#include "history.h"
#include "proof.h"
#include "waitingroom/memory.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#define REPEAT_SHARE 0.02
#define LOOK_IN_SHARE 0.1
#define LOOK_BACK_SHARE 0.2
#define LOOK_BACK_MIN_MS 2500 /* later than any pod's picture is old */
#define LOOK_BACK_MAX_MS 5000
#define LOOK_IN_MAX_MS 3000 /* when the stay has no end */
#define LOOKS_TRIED_MAX 5
#define SOLVED_MAX 5
#define BACKOFF_FIRST_MS 100
#define BACKOFF_MAX_MS 10000
#define POLL_DEFAULT_MS 2000 /* when the answer does not say */

static const enum op op_of[VISITOR_STAGE_COUNT] = {
	[VISITOR_JOINING] = OP_ENQUEUE,		 [VISITOR_WAITING] = OP_HEARTBEAT,
	[VISITOR_LOOKING_IN] = OP_HEARTBEAT, [VISITOR_RELEASING] = OP_RELEASE,
	[VISITOR_LEAVING] = OP_LEAVE,		 [VISITOR_LOOKING_BACK] = OP_HEARTBEAT,
};

#define OP_PATH(name, word, path) path,
static const char *const path_of[] = {OP_TABLE(OP_PATH)};

static void on_answer(void *ctx, struct client_request *request, enum client_outcome outcome,
					  const struct client_answer *http);
static void on_repeat_answer(void *ctx, struct client_request *request, enum client_outcome outcome,
							 const struct client_answer *http);

static struct mono_time now_of(const struct visitor *visitor)
{
	return loop_now(visitor->crowd->loop);
}

/* ---- moving ---- */

static void visitor_schedule(struct visitor *visitor, struct mono_time due)
{
	visitor->due = due;
	loop_timer_arm(visitor->timer, due);
}

static void visitor_enter(struct visitor *visitor, enum visitor_stage stage)
{
	crowd_count_stage(visitor->crowd, visitor->stage, stage);
	visitor->stage = stage;
	visitor->tries = 0;
}

static void visitor_move(struct visitor *visitor, enum visitor_stage stage, int64_t wait_ms)
{
	visitor_enter(visitor, stage);
	visitor_schedule(visitor, mono_add_ms(now_of(visitor), wait_ms));
}

static void visitor_clear(struct visitor *visitor)
{
	visitor_fini(visitor);
	visitor_enter(visitor, VISITOR_NOBODY);
	crowd_slot_is_free(visitor->crowd, visitor->slot);
}

static void visitor_end(struct visitor *visitor)
{
	visitor_enter(visitor, VISITOR_DONE);
	if (!visitor->is_repeating)
		visitor_clear(visitor);
}

/* The place or the session is over: some look back. */
static void visitor_finish(struct visitor *visitor)
{
	if (visitor->token && dice_chance(&visitor->dice, LOOK_BACK_SHARE))
		visitor_move(visitor, VISITOR_LOOKING_BACK,
					 dice_between(&visitor->dice, LOOK_BACK_MIN_MS, LOOK_BACK_MAX_MS));
	else
		visitor_end(visitor);
}

/* ---- sending ---- */

static uint32_t visitor_pick_address(struct visitor *visitor)
{
	uint32_t count = visitor->crowd->options->url_count;
	bool must_differ = visitor->tries > 0 && count > 1;
	int64_t step = dice_between(&visitor->dice, must_differ ? 1 : 0, (int64_t)count - 1);
	return (uint32_t)((visitor->ask.address + step) % count);
}

static const char *join_body(const struct visitor *visitor)
{
	return visitor->proof ? visitor->proof : visitor->crowd->enqueue_body;
}

static void visitor_repeat(struct visitor *visitor)
{
	struct crowd *crowd = visitor->crowd;
	visitor->is_repeating = true;
	visitor->repeat = visitor->ask;
	visitor->repeat.path = path_of[OP_ENQUEUE];
	visitor->repeat.bearer = NULL;
	visitor->repeat.idempotency_key = visitor->key;
	visitor->repeat.body = join_body(visitor);
	visitor->repeat.address = (visitor->ask.address + 1) % crowd->options->url_count;
	visitor->repeat.done = on_repeat_answer;
	crowd->tally.repeats++;
	client_submit(crowd->client, &visitor->repeat);
}

static void on_due(void *ctx)
{
	struct visitor *visitor = ctx;
	struct crowd *crowd = visitor->crowd;
	enum op op = op_of[visitor->stage];
	bool is_enqueue = op == OP_ENQUEUE;
	bool repeats = is_enqueue && !visitor->tries && !visitor->is_repeating &&
				   dice_chance(&visitor->dice, REPEAT_SHARE / 2);
	visitor->ask = (struct client_request){
		.path = path_of[op],
		.bearer = is_enqueue		 ? NULL
				  : op == OP_RELEASE ? visitor->session_token
									 : visitor->token,
		.idempotency_key = is_enqueue ? visitor->key : NULL,
		.body = is_enqueue ? join_body(visitor) : NULL,
		.address = visitor_pick_address(visitor),
		.done = on_answer,
		.ctx = visitor,
	};
	checker_expect(crowd->checker, visitor->slot, op);
	client_submit(crowd->client, &visitor->ask);
	if (repeats)
		visitor_repeat(visitor);
}

static void visitor_try_again(struct visitor *visitor, const struct client_answer *http)
{
	bool is_look = visitor->stage == VISITOR_LOOKING_BACK || visitor->stage == VISITOR_LOOKING_IN;
	if (is_look && visitor->tries >= LOOKS_TRIED_MAX) {
		visitor_end(visitor);
		return;
	}
	int64_t most_ms = BACKOFF_FIRST_MS << (visitor->tries < 10 ? visitor->tries : 10);
	int64_t wait_ms =
		dice_between(&visitor->dice, 0, most_ms < BACKOFF_MAX_MS ? most_ms : BACKOFF_MAX_MS);
	if (http && http->retry_after_s >= 0) /* whole seconds: spread inside the second */
		wait_ms = http->retry_after_s * 1000 + dice_between(&visitor->dice, 0, 999);
	visitor->tries++;
	visitor->crowd->tally.retries++;
	visitor_schedule(visitor, mono_add_ms(now_of(visitor), wait_ms));
}

/* ---- hearing ---- */

static void keep_text(char **kept, struct slice text)
{
	if (!text.len)
		return;
	free(*kept);
	*kept = mem_copy(text.text, text.len);
}

static void visitor_on_site(struct visitor *visitor, const struct answer *answer)
{
	int64_t stay_ms = visitor->crowd->options->stay_ms;
	visitor->crowd->tally.admitted++;
	keep_text(&visitor->session_token, answer->session_token);
	visitor->leaves_site = mono_add_ms(now_of(visitor), stay_ms);
	if (visitor->token && dice_chance(&visitor->dice, LOOK_IN_SHARE))
		visitor_move(visitor, VISITOR_LOOKING_IN,
					 dice_between(&visitor->dice, 0, stay_ms ? stay_ms : LOOK_IN_MAX_MS));
	else if (stay_ms && visitor->session_token)
		visitor_move(visitor, VISITOR_RELEASING, stay_ms);
	else
		visitor_end(visitor);
}

static void visitor_next_poll(struct visitor *visitor, const struct answer *answer)
{
	int64_t wait_ms = answer->poll_after_ms >= 0 ? answer->poll_after_ms : POLL_DEFAULT_MS;
	if (dice_chance(&visitor->dice, visitor->crowd->options->early_poll)) {
		visitor->crowd->tally.early_polls++;
		wait_ms = dice_between(&visitor->dice, 0, wait_ms);
	}
	visitor_schedule(visitor, mono_add_ms(now_of(visitor), wait_ms));
}

static void visitor_in_line(struct visitor *visitor, const struct answer *answer)
{
	keep_text(&visitor->token, answer->token);
	visitor->tries = 0;
	if (visitor->fate == FATE_ORDINARY || visitor->answers_until_fate-- > 0) {
		visitor_next_poll(visitor, answer);
		return;
	}
	if (visitor->fate == FATE_VANISH) {
		visitor->crowd->tally.vanished++;
		visitor_end(visitor);
	} else if (visitor->fate == FATE_LEAVE) {
		visitor_move(visitor, VISITOR_LEAVING, dice_between(&visitor->dice, 0, 1000));
	} else {
		visitor->crowd->tally.slept++;
		visitor->fate = FATE_ORDINARY;
		visitor_schedule(visitor, mono_add_ms(now_of(visitor), visitor->crowd->options->sleep_ms));
	}
}

/* The service says that there is no place any more. */
static void visitor_place_gone(struct visitor *visitor, const struct answer *answer)
{
	struct tally *tally = &visitor->crowd->tally;
	bool is_clear = answer->http == 410;
	if (is_clear && answer->code == CODE_PLACE_EXPIRED)
		tally->expired++;
	else if (is_clear && answer->code == CODE_TURN_MISSED)
		tally->missed++;
	else if (is_clear && answer->code == CODE_SESSION_ENDED)
		tally->ended++;
	else if (is_clear && answer->code == CODE_PLACE_LEFT)
		tally->left++;
	else
		tally->lost++;
	visitor_finish(visitor);
}

static void hear_joining(struct visitor *visitor, const struct answer *answer)
{
	struct tally *tally = &visitor->crowd->tally;
	bool is_waiting = answer->status == ANSWER_WAITING && answer->token.len;
	if (!is_waiting && answer->status != ANSWER_ADMITTED) {
		tally->refused++;
		visitor_end(visitor);
		return;
	}
	tally->joined++;
	bool repeats = !visitor->is_repeating && dice_chance(&visitor->dice, REPEAT_SHARE / 2);
	keep_text(&visitor->token, answer->token);
	visitor_enter(visitor, VISITOR_WAITING);
	if (is_waiting)
		visitor_in_line(visitor, answer);
	else
		visitor_on_site(visitor, answer);
	if (repeats && visitor->stage != VISITOR_NOBODY)
		visitor_repeat(visitor);
}

static void hear_looking_in(struct visitor *visitor, const struct answer *answer)
{
	int64_t left_ms = mono_diff_ms(now_of(visitor), visitor->leaves_site);
	if (answer->http == 410)
		visitor_place_gone(visitor, answer);
	else if (visitor->crowd->options->stay_ms && visitor->session_token)
		visitor_move(visitor, VISITOR_RELEASING, left_ms > 0 ? left_ms : 0);
	else
		visitor_end(visitor);
}

static void hear_releasing(struct visitor *visitor, const struct answer *answer)
{
	if (answer->http < 300)
		visitor->crowd->tally.released++;
	else
		visitor->crowd->tally.ended++; /* over before it was given back */
	visitor_finish(visitor);
}

static void hear_leaving(struct visitor *visitor, const struct answer *answer)
{
	if (answer->http != 200) {
		visitor_place_gone(visitor, answer);
		return;
	}
	visitor->crowd->tally.left++;
	visitor_finish(visitor);
}

static void visitor_hear(struct visitor *visitor, const struct answer *answer)
{
	switch (visitor->stage) {
	case VISITOR_JOINING:
		hear_joining(visitor, answer);
		break;
	case VISITOR_WAITING:
		if (answer->status == ANSWER_WAITING)
			visitor_in_line(visitor, answer);
		else if (answer->status == ANSWER_ADMITTED)
			visitor_on_site(visitor, answer);
		else
			visitor_place_gone(visitor, answer);
		break;
	case VISITOR_LOOKING_IN:
		hear_looking_in(visitor, answer);
		break;
	case VISITOR_RELEASING:
		hear_releasing(visitor, answer);
		break;
	case VISITOR_LEAVING:
		hear_leaving(visitor, answer);
		break;
	default: /* looking back: only the checker wanted to know */
		visitor_end(visitor);
	}
}

/* ---- answers, counted and shown to the checker ---- */

static void count_answer(struct tally *tally, enum client_outcome outcome,
						 const struct answer *answer, bool was_sent)
{
	tally->requests++;
	tally->outcomes[outcome]++;
	tally->transport_errors += outcome != CLIENT_ANSWERED;
	tally->never_sent += outcome == CLIENT_TIMED_OUT && !was_sent;
	tally->answers_2xx += answer->http >= 200 && answer->http < 300;
	tally->answers_4xx += answer->http >= 400 && answer->http < 500;
	tally->answers_429 += answer->http == 429;
	tally->answers_5xx += answer->http >= 500;
	tally->stale_answers += answer->stale;
	tally->phases[tally->phase].requests++;
	tally->phases[tally->phase].failed += outcome != CLIENT_ANSWERED || answer->http >= 500;
}

/* Refused and broken connections fail fast; counting them would make a dead server look quick. */
static void count_latency(struct tally *tally, enum op op, enum client_outcome outcome,
						  int64_t latency_us, int64_t late_us)
{
	if (outcome != CLIENT_ANSWERED && outcome != CLIENT_TIMED_OUT)
		return;
	histogram_add(&tally->latency[op], latency_us);
	histogram_add(&tally->this_second, latency_us);
	histogram_add(&tally->phases[tally->phase].latency, latency_us);
	histogram_add(&tally->late_start, late_us);
}

/* Reads the answer, and tells everybody who wants to know. Returns what it turned out to be. */
static enum client_outcome visitor_take(struct visitor *visitor, enum op op,
										const struct client_request *request,
										enum client_outcome outcome,
										const struct client_answer *http, struct answer *ret_answer)
{
	struct crowd *crowd = visitor->crowd;
	struct mono_time now = now_of(visitor);
	bool is_repeat = request == &visitor->repeat;
	*ret_answer = (struct answer){0};
	bool is_place = op == OP_ENQUEUE || op == OP_HEARTBEAT;
	if (http && !answer_read(http->status, http->body, http->body_len, ret_answer) &&
		http->status < 300 && is_place) {
		outcome = CLIENT_GARBLED;
		*ret_answer = (struct answer){0};
	}
	struct mono_time intended = is_repeat ? request->submitted : visitor->due;
	struct mono_time started = request->sent.ns ? request->sent : now;
	count_answer(&crowd->tally, outcome, ret_answer, request->sent.ns);
	count_latency(&crowd->tally, op, outcome, (now.ns - intended.ns) / 1000,
				  (started.ns - intended.ns) / 1000);
	struct observation seen = {.slot = visitor->slot,
							   .op = op,
							   .is_repeat = is_repeat,
							   .called_ms = crowd_ms(crowd, request->submitted),
							   .returned_ms = crowd_ms(crowd, now),
							   .answer = ret_answer,
							   .session_left_ms = INT64_MAX};
	if (ret_answer->session_token.len) {
		seen.session = session_facts_read(ret_answer->session_token);
		if (seen.session.expires_s)
			seen.session_left_ms = seen.session.expires_s * 1000 - clock_wall().ms;
	}
	checker_observe(crowd->checker, &seen);
	if (crowd->history)
		history_write(crowd->history, visitor->number, visitor->key, intended, started, now, &seen);
	return outcome;
}

/* Told to solve a challenge: joins again with the solution, a few times at most. */
static bool visitor_solves(struct visitor *visitor, const struct answer *answer,
						   const struct client_answer *http)
{
	if (visitor->stage != VISITOR_JOINING || answer->code != CODE_CHALLENGE_REQUIRED ||
		(visitor->is_repeating && visitor->proof) || visitor->tries >= SOLVED_MAX)
		return false;
	char *proof = proof_body(visitor->crowd->options->queue, http->body, http->body_len);
	if (!proof)
		return false;
	free(visitor->proof);
	visitor->proof = proof;
	visitor->tries++;
	visitor->crowd->tally.challenged++;
	visitor_schedule(visitor, now_of(visitor));
	return true;
}

static void on_answer(void *ctx, struct client_request *request, enum client_outcome outcome,
					  const struct client_answer *http)
{
	struct visitor *visitor = ctx;
	struct answer answer;
	outcome = visitor_take(visitor, op_of[visitor->stage], request, outcome, http, &answer);
	bool is_answered =
		outcome == CLIENT_ANSWERED && answer.http < 500 && answer.http != 408 && answer.http != 429;
	if (is_answered && !visitor_solves(visitor, &answer, http))
		visitor_hear(visitor, &answer);
	else if (!is_answered)
		visitor_try_again(visitor, http);
}

static void on_repeat_answer(void *ctx, struct client_request *request, enum client_outcome outcome,
							 const struct client_answer *http)
{
	struct visitor *visitor = ctx;
	struct answer answer;
	visitor_take(visitor, OP_ENQUEUE, request, outcome, http, &answer);
	visitor->is_repeating = false;
	if (visitor->stage == VISITOR_DONE)
		visitor_clear(visitor);
}

/* ---- life ---- */

static enum visitor_fate roll_fate(struct visitor *visitor)
{
	const struct options *options = visitor->crowd->options;
	double share = dice_share(&visitor->dice);
	if ((share -= options->vanish) < 0)
		return FATE_VANISH;
	if ((share -= options->sleep) < 0)
		return FATE_SLEEP;
	return share < options->leave ? FATE_LEAVE : FATE_ORDINARY;
}

void visitor_arrive(struct visitor *visitor, struct crowd *crowd, uint32_t slot, uint64_t number,
					struct mono_time due)
{
	*visitor = (struct visitor){.crowd = crowd,
								.slot = slot,
								.number = number,
								.dice = dice_of(crowd->options->seed, number)};
	uint64_t high = dice_roll(&visitor->dice), low = dice_roll(&visitor->dice);
	snprintf(visitor->key, sizeof(visitor->key), "%016" PRIx64 "%016" PRIx64, high, low);
	visitor->fate = roll_fate(visitor);
	visitor->answers_until_fate = dice_between(&visitor->dice, 0, 3);
	visitor->timer = loop_timer_new(crowd->loop, on_due, visitor);
	crowd->tally.arrived++;
	checker_begin(crowd->checker, slot);
	visitor_enter(visitor, VISITOR_JOINING);
	visitor_schedule(visitor, due);
}

void visitor_fini(struct visitor *visitor)
{
	loop_timer_free(visitor->timer);
	visitor->timer = NULL;
	free(visitor->token);
	free(visitor->session_token);
	free(visitor->proof);
	visitor->token = visitor->session_token = visitor->proof = NULL;
}
