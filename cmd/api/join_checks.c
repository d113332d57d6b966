/* The gates of a join: what each looks at, and what it notes.
 *
 * A proof of work is checked here and noted as a paper; whether it is new, the store knows. So a
 * repeated join passes with the proof of its first try. A proof that has become too old meanwhile
 * passes too when the join has a key, noted as one that makes nobody new.
 *
 * Whoever has no script brings the challenge back unsolved, after the time that it says. That is no
 * work at all for a program, so those stand in the open lane of the lowest weight, and a
 * network has only so many of them.
 */
#include "join_checks.h"

#include <stdio.h>
#include <string.h>

#include "captcha.h"
#include "challenge.h"
#include "waitingroom/memory.h"

#define PAPERS_BYTES 160
#define NONCE_LEEWAY_S 60 /* the store remembers longer than any pod's clock lets it in */

/* ---- papers ---- */

static void add_paper(struct http_request *request, const char *paper)
{
	struct parked *notes = http_request_notes(request);
	if (notes->joining.papers == NULL)
		notes->joining.papers = mem_alloc_zero(1, PAPERS_BYTES);
	size_t len = strlen(notes->joining.papers);
	snprintf(notes->joining.papers + len, PAPERS_BYTES - len, "%s%s", len > 0 ? " " : "", paper);
}

static void add_nonce(struct http_request *request, const struct challenge *challenge,
					  struct wall_time now)
{
	char nonce[CHALLENGE_NONCE_CHARS + 1], paper[48];
	nonce[base64url_encode(challenge->nonce, CHALLENGE_NONCE_BYTES, nonce)] = '\0';
	snprintf(paper, sizeof(paper), "n:%s:%lld", nonce,
			 (long long)(challenge_left_s(challenge, now) + NONCE_LEEWAY_S));
	add_paper(request, paper);
}

/* ---- entry ---- */

void join_refuse_entry(struct worker *worker, struct http_request *request,
					   enum entry_outcome outcome)
{
#define OUTCOME_SENTENCE(name, word, sentence) sentence,
	static const char *const sentences[] = {ENTRY_OUTCOME_TABLE(OUTCOME_SENTENCE)};
#undef OUTCOME_SENTENCE
	struct err_detail detail;
	metrics_add(worker->shard, METRIC_ENTRIES, outcome, 1);
	enum wr_err err = err_say(&detail, WR_ENTRY_REQUIRED, "%s", sentences[outcome]);
	worker_problem(worker, request, err, &detail);
}

static enum entry_outcome check_entry(struct worker *worker, const struct join_wish *wish,
									  const struct queue_snapshot *snapshot,
									  struct entry_claims *ret_claims)
{
	enum wr_err err = entry_token_verify(snapshot->settings, &snapshot->name, wish->entry,
										 strlen(wish->entry), worker->wall, ret_claims);
	if (err == WR_TOKEN_EXPIRED)
		return ENTRY_EXPIRED;
	if (err != WR_OK)
		return ENTRY_BAD;
	if (ret_claims->lane[0] != '\0' &&
		queue_settings_lane(snapshot->settings, ret_claims->lane) < 0)
		return ENTRY_LANE;
	return ENTRY_ACCEPTED;
}

/* A token that is not good is refused also where none is needed: whoever holds one should learn
 * that it did not count, and can join without it. */
enum gate_verdict join_check_entry(struct worker *worker, struct http_request *request,
								   const struct join_wish *wish,
								   const struct queue_snapshot *snapshot,
								   struct entry_claims *ret_claims)
{
	*ret_claims = (struct entry_claims){.reusable = true};
	enum entry_outcome outcome = ENTRY_MISSING;
	if (wish->entry != NULL)
		outcome = check_entry(worker, wish, snapshot, ret_claims);
	else if (snapshot->settings->entry == QUEUE_ENTRY_OPEN)
		return GATE_PASSED;
	if (outcome != ENTRY_ACCEPTED) {
		metrics_add(worker->shard, METRIC_JOINS_AT_GATE, GATE_ENTRY, 1);
		join_refuse_entry(worker, request, outcome);
		return GATE_ANSWERED;
	}
	metrics_add(worker->shard, METRIC_ENTRIES, outcome, 1);
	if (!ret_claims->reusable) {
		char paper[ENTRY_ID_CHARS + 32];
		int64_t left_s = ret_claims->expires_s + TOKEN_LEEWAY_S - worker->wall.ms / 1000;
		snprintf(paper, sizeof(paper), "j:%s:%lld", ret_claims->id,
				 (long long)(left_s + NONCE_LEEWAY_S));
		add_paper(request, paper);
	}
	return GATE_PASSED;
}

void join_note_identity(struct worker *worker, struct http_request *request,
						const struct entry_claims *claims)
{
	struct parked *notes = http_request_notes(request);
	char other[POSITION_ID_CHARS + 1], paper[32];
	position_id_from_identity(worker->signer, &notes->claims.queue, claims->identity,
							  notes->claims.position_id);
	position_id_random(other);
	snprintf(paper, sizeof(paper), "i:%s", other);
	add_paper(request, paper);
}

/* ---- challenge ---- */

/* false: not a list of numbers of the right length. */
static bool read_numbers(const struct json_value *solution, size_t wanted,
						 uint64_t ret_numbers[CHALLENGE_PUZZLES_MAX])
{
	if (!json_is_array(solution) || json_count(solution) != wanted)
		return false;
	for (size_t i = 0; i < wanted; i++) {
		int64_t number;
		if (!json_int(json_at(solution, i), &number) || number < 0)
			return false;
		ret_numbers[i] = (uint64_t)number;
	}
	return true;
}

static bool is_solved(const struct challenge *challenge, const struct join_wish *wish)
{
	uint64_t numbers[CHALLENGE_PUZZLES_MAX];
	return challenge->kind == CHALLENGE_WORK &&
		   read_numbers(wish->solution, challenge->puzzles, numbers) &&
		   challenge_is_solved(challenge, wish->challenge, numbers, challenge->puzzles);
}

/* Unless an entry token has said where to stand. */
static void use_slowest_lane(struct parked *notes, const struct queue_settings *settings)
{
	const struct queue_lane *slowest = NULL;
	for (uint32_t i = 0; i < settings->lane_count; i++)
		if (settings->lanes[i].open &&
			(slowest == NULL || settings->lanes[i].weight < slowest->weight))
			slowest = &settings->lanes[i];
	if (slowest != NULL)
		memcpy(notes->claims.lane, slowest->name, sizeof(notes->claims.lane));
}

/* Brought back without a solution. */
static enum challenge_outcome check_wait(struct worker *worker, struct http_request *request,
										 const struct entry_claims *entry,
										 const struct queue_snapshot *snapshot,
										 const struct challenge *challenge, uint64_t network)
{
	if (!challenge_was_waited_for(challenge, worker->wall))
		return CHALLENGE_UNSOLVED;
	if (challenge_is_crowded(worker, &snapshot->name, network))
		return CHALLENGE_CROWDED;
	if (entry->lane[0] == '\0')
		use_slowest_lane(http_request_notes(request), snapshot->settings);
	return CHALLENGE_WAITED;
}

/* CHALLENGE_VOUCHED: asked, and parked. What is noted next is there when the verdict comes. */
static enum challenge_outcome ask_provider(struct worker *worker, struct http_request *request,
										   const struct join_wish *wish,
										   const struct queue_snapshot *snapshot)
{
	if (!captcha_response_is_fine(wish->captcha))
		return CHALLENGE_REFUSED;
	return captcha_park(worker, request, wish, snapshot) ? CHALLENGE_VOUCHED : CHALLENGE_AWAY;
}

static enum challenge_outcome check(struct worker *worker, struct http_request *request,
									const struct join_wish *wish, const struct entry_claims *entry,
									const struct queue_snapshot *snapshot)
{
	if (wish->challenge == NULL)
		return CHALLENGE_MISSING;
	const struct parked *notes = http_request_notes(request);
	struct challenge challenge;
	uint64_t network = challenge_network(worker, request);
	enum challenge_outcome outcome =
		challenge_read(worker->signer, &snapshot->name, network, wish->challenge,
					   strlen(wish->challenge), worker->wall, &challenge);
	if (outcome == CHALLENGE_EXPIRED && notes->joining.may_be_known && wish->solution != NULL &&
		is_solved(&challenge, wish)) {
		add_paper(request, "x");
		return CHALLENGE_SOLVED;
	}
	if (outcome != CHALLENGE_SOLVED)
		return outcome;
	if (challenge.kind == CHALLENGE_CAPTCHA && wish->captcha != NULL)
		outcome = ask_provider(worker, request, wish, snapshot);
	else if (wish->solution == NULL)
		outcome = check_wait(worker, request, entry, snapshot, &challenge, network);
	else if (!is_solved(&challenge, wish))
		outcome = CHALLENGE_UNSOLVED;
	if (outcome == CHALLENGE_SOLVED || outcome == CHALLENGE_WAITED || outcome == CHALLENGE_VOUCHED)
		add_nonce(request, &challenge, worker->wall);
	return outcome;
}

static enum gate_verdict refuse(struct worker *worker, struct http_request *request,
								const struct queue_snapshot *snapshot,
								enum challenge_outcome outcome)
{
	metrics_add(worker->shard, METRIC_JOINS_AT_GATE, GATE_CHALLENGE, 1);
	challenge_refuse(worker, request, snapshot, outcome);
	return GATE_ANSWERED;
}

enum gate_verdict join_check_challenge(struct worker *worker, struct http_request *request,
									   const struct join_wish *wish,
									   const struct entry_claims *entry,
									   const struct queue_snapshot *snapshot)
{
	if (!challenge_is_needed(worker, snapshot))
		return GATE_PASSED;
	enum challenge_outcome outcome = check(worker, request, wish, entry, snapshot);
	if (outcome == CHALLENGE_SOLVED || outcome == CHALLENGE_WAITED) {
		metrics_add(worker->shard, METRIC_CHALLENGES, outcome, 1);
		return GATE_PASSED;
	}
	if (outcome == CHALLENGE_VOUCHED)
		return GATE_PARKED;
	return refuse(worker, request, snapshot, outcome);
}

/* A response that was seen before may be that of a repeated join: whoever is known passes. */
enum gate_verdict join_take_verdict(struct worker *worker, struct http_request *request,
									enum captcha_verdict verdict,
									const struct queue_snapshot *snapshot)
{
	const struct parked *notes = http_request_notes(request);
	switch (verdict) {
	case CAPTCHA_ACCEPTED:
		metrics_add(worker->shard, METRIC_CHALLENGES, CHALLENGE_VOUCHED, 1);
		return GATE_PASSED;
	case CAPTCHA_DUPLICATE:
		if (!notes->joining.may_be_known)
			break;
		add_paper(request, "x");
		return GATE_PASSED;
	case CAPTCHA_REFUSED:
		break;
	default:
		return refuse(worker, request, snapshot, CHALLENGE_AWAY);
	}
	return refuse(worker, request, snapshot, CHALLENGE_REFUSED);
}
