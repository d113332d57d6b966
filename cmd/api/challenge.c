/* GET /challenge?queue=tenant/queue: what a browser has to do before it joins.
 *
 *     {"kind":"pow","challenge":"…","puzzles":50,"bits":10,"expires_in_ms":600000,"wait_ms":5000}
 *
 * The same object comes with the refusal of a join whose proof is missing or not good, so a client
 * that just joins and does what it is told needs no knowledge of the queue's settings.
 *
 * How hard it is follows the challenges that were given out lately, because that is when somebody
 * could collect easy ones for later. A worker sees its share of them, and multiplies by the number
 * of workers; those of other pods are not known here, so the difficulty lags behind by a bit for
 * each doubling of pods.
 */
#include "challenge.h"

#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "captcha.h"
#include "endpoints.h"
#include "place.h"
#include "waitingroom/join_rate.h"

#define OFFER_BYTES 640
#define WAITED_PER_MINUTE 60 /* from one network, in all workers */
#define WAITED_MARK UINT64_C(0x9e3779b97f4a7c15)

/* ---- load ---- */

uint64_t challenge_network(const struct worker *worker, const struct http_request *request)
{
	struct client_ip ip = http_request_client(request, worker->app->proxies);
	return client_ip_hash(&ip, 24, 48);
}

static uint64_t rate_of(const struct worker *worker, uint64_t key, int64_t now_ms)
{
	return join_rate_per_minute(worker->join_rate, key, now_ms) * worker->app->worker_count;
}

/* Counts this one, and says how much is going on. A network that is over its calm share pays for
 * itself and is not counted against everybody else. */
static struct challenge_load count(struct worker *worker, const struct queue_name *queue,
								   uint64_t network)
{
	uint64_t queue_key = queue_name_hash(queue), network_key = queue_key ^ network;
	int64_t now_ms = loop_now(worker->loop).ns / 1000000;
	join_rate_add(worker->join_rate, network_key, now_ms);
	struct challenge_load load = {.network_per_minute = rate_of(worker, network_key, now_ms)};
	if (load.network_per_minute <= CHALLENGE_CALM_NETWORK)
		join_rate_add(worker->join_rate, queue_key, now_ms);
	load.queue_per_minute = rate_of(worker, queue_key, now_ms);
	return load;
}

bool challenge_is_crowded(struct worker *worker, const struct queue_name *queue, uint64_t network)
{
	uint64_t key = (queue_name_hash(queue) ^ network) + WAITED_MARK;
	int64_t now_ms = loop_now(worker->loop).ns / 1000000;
	if (rate_of(worker, key, now_ms) >= WAITED_PER_MINUTE)
		return true;
	join_rate_add(worker->join_rate, key, now_ms);
	return false;
}

/* ---- offers ---- */

bool challenge_is_needed(const struct worker *worker, const struct queue_snapshot *snapshot)
{
	return snapshot->settings->challenge != QUEUE_CHALLENGE_OFF &&
		   queue_settings_state_at(snapshot->settings, place_store_now_ms(worker, snapshot)) !=
			   QUEUE_PASSTHROUGH;
}

void challenge_offer_make(struct worker *worker, struct http_request *request,
						  const struct queue_snapshot *snapshot, bool without_captcha,
						  struct challenge_offer *ret_offer)
{
	const struct queue_settings *settings = snapshot->settings;
	*ret_offer = (struct challenge_offer){.kind = QUEUE_CHALLENGE_OFF};
	if (!challenge_is_needed(worker, snapshot))
		return;
	uint64_t network = challenge_network(worker, request);
	struct challenge_load load = count(worker, &snapshot->name, network);
	bool by_captcha = !without_captcha && captcha_is_there(worker, settings->challenge);
	struct challenge challenge = {.kind = by_captcha ? CHALLENGE_CAPTCHA : CHALLENGE_WORK,
								  .bits = challenge_bits(settings, &load),
								  .puzzles = (unsigned)settings->challenge_puzzles,
								  .issued_s = worker->wall.ms / 1000};
	challenge.wait_s = challenge_wait_s(settings, challenge.bits);
	if (getrandom(challenge.nonce, sizeof(challenge.nonce), 0) != sizeof(challenge.nonce))
		abort();
	challenge_print(worker->signer, &snapshot->name, network, &challenge, ret_offer->text);
	ret_offer->kind = by_captcha ? settings->challenge : QUEUE_CHALLENGE_POW;
	ret_offer->site_key = settings->captcha_site_key;
	ret_offer->bits = challenge.bits;
	ret_offer->puzzles = challenge.puzzles;
	ret_offer->expires_in_ms = challenge_left_s(&challenge, worker->wall) * 1000;
	ret_offer->wait_ms = (int64_t)challenge.wait_s * 1000;
	metrics_add(worker->shard, METRIC_CHALLENGES_ISSUED, challenge.kind, 1);
}

static void print_offer(const struct challenge_offer *offer, struct json_out *out)
{
	json_out_object(out, NULL);
	json_out_string(out, "kind", queue_challenge_word(offer->kind));
	if (offer->kind != QUEUE_CHALLENGE_OFF) {
		json_out_string(out, "challenge", offer->text);
		if (offer->kind == QUEUE_CHALLENGE_POW) {
			json_out_int(out, "puzzles", offer->puzzles);
			json_out_int(out, "bits", offer->bits);
		} else {
			json_out_string(out, "site_key", offer->site_key);
		}
		json_out_int(out, "expires_in_ms", offer->expires_in_ms);
		json_out_int(out, "wait_ms", offer->wait_ms);
	}
	json_out_object_end(out);
}

/* ---- answers ---- */

void challenge_refuse(struct worker *worker, struct http_request *request,
					  const struct queue_snapshot *snapshot, enum challenge_outcome outcome)
{
	metrics_add(worker->shard, METRIC_CHALLENGES, outcome, 1);
	if (((struct parked *)http_request_notes(request))->page != PAGE_NONE) {
		worker_problem(worker, request, WR_CHALLENGE_REQUIRED, NULL); /* with a fresh form */
		return;
	}
	char text[OFFER_BYTES];
	struct json_out out;
	struct challenge_offer offer;
	struct err_detail detail;
	json_out_init(&out, text, sizeof(text));
	challenge_offer_make(worker, request, snapshot, outcome == CHALLENGE_AWAY, &offer);
	print_offer(&offer, &out);
	(void)err_say(&detail, WR_CHALLENGE_REQUIRED, "challenge: %s %s",
				  challenge_outcome_sentence(outcome), err_sentence(WR_CHALLENGE_REQUIRED));
	struct problem_member member = {.name = "challenge", .json = text, .len = out.len};
	http_reply_problem_with(request, WR_CHALLENGE_REQUIRED, &detail, 0, &member);
}

void challenge_serve(void *ctx, struct http_request *request, const struct route_match *match)
{
	struct worker *worker = ctx;
	char name[QUEUE_NAME_TEXT_BYTES], text[OFFER_BYTES];
	struct queue_name queue;
	struct err_detail detail;
	(void)match;
	((struct parked *)http_request_notes(request))->endpoint = ENDPOINT_CHALLENGE;
	if (!http_request_query(request, "queue", name, sizeof(name)) ||
		!queue_name_parse(name, strlen(name), &queue)) {
		enum wr_err err =
			err_say(&detail, WR_INVALID, "queue: must be \"queue\" or \"tenant/queue\"");
		worker_problem(worker, request, err, &detail);
		return;
	}
	const struct queue_snapshot *snapshot = queue_table_find(worker->app->queues, &queue);
	if (snapshot == NULL) {
		worker_problem(worker, request, app_why_no_queue(worker->app), NULL);
		return;
	}
	struct json_out out;
	struct challenge_offer offer;
	json_out_init(&out, text, sizeof(text));
	challenge_offer_make(worker, request, snapshot, false, &offer);
	print_offer(&offer, &out);
	http_reply(request, 200, "application/json", text, out.len);
}
