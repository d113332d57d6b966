/* Exposition: the page of /metrics, gathered from all threads at the time of the scrape. */
#include <stdio.h>
#include <string.h>

#include "authz.h"
#include "exposition.h"
#include "internal.h"
#include "join_checks.h"
#include "sync.h"
#include "waitingroom/captcha.h"
#include "waitingroom/challenge.h"
#include "waitingroom/otlp.h"
#include "waitingroom/version.h"
#include "worker.h"

#define ENDPOINT_WORD(id, word) word,
static const char *const endpoint_words[] = {ENDPOINT_TABLE(ENDPOINT_WORD)};
#undef ENDPOINT_WORD
_Static_assert(ENDPOINT_COUNT <= METRIC_ENDPOINTS_MAX, "too many endpoints for a shard");

static const char *const join_reasons[] = {"",	   "",	   "key_reused", "closed",	 "full",
										   "busy", "rate", "lane",		 "replayed", "used"};
static const char *const gates[] = {"queue", "request", "entry", "challenge"};
static const char *const challenge_kinds[] = {"pow", "captcha"};
static const char *const join_kinds[] = {"new", "repeated"};
static const char *const beat_sources[] = {"index", "store", "stale"};

static void write_http(struct metrics_page *page, const struct app *app)
{
	struct http_counts sum = {0};
	for (size_t i = 0; i < app->worker_count; i++) {
		struct http_counts one;
		http_server_counts(app->workers[i]->http, &one);
		sum.connections_now += one.connections_now;
		sum.connections_total += one.connections_total;
		sum.parked_now += one.parked_now;
		sum.bugs += one.bugs;
		for (int r = 0; r < HTTP_REFUSAL_COUNT; r++)
			sum.refused[r] += one.refused[r];
	}
	metrics_value(page, METRIC_CONNECTIONS, "", (double)sum.connections_now);
	metrics_value(page, METRIC_CONNECTIONS_MAX, "",
				  (double)app->config.connections_max * (double)app->worker_count);
	metrics_value(page, METRIC_CONNECTIONS_TOTAL, "", (double)sum.connections_total);
	metrics_value(page, METRIC_PARKED, "", (double)sum.parked_now);
	for (int r = 0; r < HTTP_REFUSAL_COUNT; r++) {
		char label[64];
		snprintf(label, sizeof(label), "reason=\"%s\"", http_refusal_word((enum http_refusal)r));
		metrics_value(page, METRIC_REFUSED, label, (double)sum.refused[r]);
	}
	metrics_value(page, METRIC_BUGS, "", (double)sum.bugs);
}

#define OUTCOME_WORD(name, word, sentence) word,
static const char *const challenge_outcomes[] = {CHALLENGE_OUTCOME_TABLE(OUTCOME_WORD)};
static const char *const entry_outcomes[] = {ENTRY_OUTCOME_TABLE(OUTCOME_WORD)};
#undef OUTCOME_WORD
_Static_assert(CHALLENGE_OUTCOME_COUNT <= METRIC_LABELS_MAX, "too many outcomes for a shard");

#define TABLE_WORD(name, word) word,
static const char *const authz_mounts[] = {AUTHZ_MOUNT_TABLE(TABLE_WORD)};
static const char *const authz_troubles[] = {AUTHZ_TROUBLE_TABLE(TABLE_WORD)};
static const char *const authz_passes[] = {AUTHZ_PASS_TABLE(TABLE_WORD)};
static const char *const gate_sessions[] = {GATE_SESSION_TABLE(TABLE_WORD)};
#undef TABLE_WORD
static const char *const verdict_sources[] = {"known", "verified"};
_Static_assert(AUTHZ_MOUNTS *GATE_DECISION_COUNT <= METRIC_LABELS_MAX, "too many for a shard");
_Static_assert(QUEUE_BYPASS_MAX <= METRIC_LABELS_MAX, "too many for a shard");

static uint64_t sum_of(struct metrics_shard *const *shards, size_t n, enum metric metric,
					   unsigned label)
{
	uint64_t sum = 0;
	for (size_t i = 0; i < n; i++)
		sum += atomic_load_explicit(&shards[i]->counter[metric][label], memory_order_relaxed);
	return sum;
}

static void write_authz(struct metrics_page *page, struct metrics_shard *const *shards, size_t n)
{
	char label[64];
	for (unsigned i = 0; i < AUTHZ_MOUNTS * GATE_DECISION_COUNT; i++) {
		snprintf(label, sizeof(label), "mount=\"%s\",decision=\"%s\"",
				 authz_mounts[i / GATE_DECISION_COUNT],
				 gate_decision_word((enum gate_decision)(i % GATE_DECISION_COUNT)));
		metrics_value(page, METRIC_GATE_CHECKS, label,
					  (double)sum_of(shards, n, METRIC_GATE_CHECKS, i));
	}
	metrics_counter(page, METRIC_GATE_SESSIONS, shards, n, "session", gate_sessions,
					GATE_SESSION_COUNT);
	metrics_counter(page, METRIC_GATE_PASSES, shards, n, "outcome", authz_passes, AUTHZ_PASSES);
	metrics_counter(page, METRIC_GATE_VERDICTS, shards, n, "source", verdict_sources, 2);
	for (unsigned rule = 0; rule < QUEUE_BYPASS_MAX; rule++) {
		uint64_t sum = sum_of(shards, n, METRIC_GATE_BYPASSED, rule);
		snprintf(label, sizeof(label), "rule=\"%u\"", rule);
		if (rule == 0 || sum > 0)
			metrics_value(page, METRIC_GATE_BYPASSED, label, (double)sum);
	}
	metrics_counter(page, METRIC_GATE_TROUBLE, shards, n, "kind", authz_troubles, AUTHZ_TROUBLES);
}

static void write_gates(struct metrics_page *page, struct metrics_shard *const *shards, size_t n)
{
	metrics_counter(page, METRIC_JOINS_AT_GATE, shards, n, "gate", gates, GATE_COUNT);
	metrics_counter(page, METRIC_ENTRIES, shards, n, "outcome", entry_outcomes,
					ENTRY_OUTCOME_COUNT);
	metrics_counter(page, METRIC_CHALLENGES, shards, n, "outcome", challenge_outcomes,
					CHALLENGE_OUTCOME_COUNT);
	metrics_counter(page, METRIC_CHALLENGES_ISSUED, shards, n, "kind", challenge_kinds, 2);
}

static void write_counters(struct metrics_page *page, const struct app *app)
{
	struct metrics_shard *shards[WORKERS_MAX];
	for (size_t i = 0; i < app->worker_count; i++)
		shards[i] = app->workers[i]->shard;
	size_t n = app->worker_count;
	metrics_requests(page, shards, n, endpoint_words, ENDPOINT_COUNT, app->exemplars);
	metrics_counter(page, METRIC_JOINS, shards, n, "kind", join_kinds, 2);
	for (unsigned r = JOIN_REUSED; r <= JOIN_USED; r++) {
		uint64_t sum = 0;
		char label[64];
		for (size_t i = 0; i < n; i++)
			sum += atomic_load_explicit(&shards[i]->counter[METRIC_JOINS_REFUSED][r],
										memory_order_relaxed);
		snprintf(label, sizeof(label), "reason=\"%s\"", join_reasons[r]);
		metrics_value(page, METRIC_JOINS_REFUSED, label, (double)sum);
	}
	write_gates(page, shards, n);
	write_authz(page, shards, n);
	metrics_counter(page, METRIC_BEATS, shards, n, "source", beat_sources, BEAT_SOURCES);
	metrics_counter(page, METRIC_BEATS_FLUSHED, shards, n, NULL, NULL, 0);
	metrics_counter(page, METRIC_BEATS_LOST, shards, n, NULL, NULL, 0);
	metrics_counter(page, METRIC_FLUSHES, shards, n, NULL, NULL, 0);
	metrics_counter(page, METRIC_RESTORED, shards, n, NULL, NULL, 0);
	metrics_counter(page, METRIC_RENEWED, shards, n, NULL, NULL, 0);
	metrics_counter(page, METRIC_SESSIONS_RESTORED, shards, n, NULL, NULL, 0);
	metrics_counter(page, METRIC_PLACES_LOST, shards, n, NULL, NULL, 0);
}

static void write_store(struct metrics_page *page, const struct app *app)
{
	struct store_counts sum = {.calls = 0};
	uint64_t ready = 0;
	for (size_t i = 0; i < app->worker_count; i++) {
		struct store_counts one;
		store_counts(app->workers[i]->store, &one);
		sum.calls += one.calls;
		sum.commands += one.commands;
		sum.failures += one.failures;
		sum.timeouts += one.timeouts;
		sum.reconnects += one.reconnects;
		ready += one.ready;
		for (size_t k = 0; k <= TIMINGS_BOUNDS; k++)
			sum.answers.count[k] += one.answers.count[k];
		sum.answers.sum_us += one.answers.sum_us;
	}
	metrics_store(page, &(struct metrics_store_counts){.ready = ready,
													   .calls = sum.calls,
													   .commands = sum.commands,
													   .failures = sum.failures,
													   .timeouts = sum.timeouts,
													   .reconnects = sum.reconnects,
													   .answers = &sum.answers});
}

static void write_captcha(struct metrics_page *page, const struct app *app)
{
	struct captcha_counts counts;
	char label[96];
	captcha_counts(app->captcha, &counts);
	for (unsigned p = 0; p < CAPTCHA_PROVIDERS; p++)
		for (unsigned v = 0; v <= CAPTCHA_VERDICTS; v++) {
			bool asked = v < CAPTCHA_VERDICTS;
			snprintf(label, sizeof(label), "provider=\"%s\",verdict=\"%s\"",
					 captcha_provider_word((enum captcha_provider)p),
					 asked ? captcha_verdict_word((enum captcha_verdict)v) : "not_asked");
			metrics_value(page, METRIC_CAPTCHA_ASKED, label,
						  (double)(asked ? counts.verdicts[p][v] : counts.not_asked[p]));
		}
	static const enum metric families[] = {METRIC_CAPTCHA_UP, METRIC_CAPTCHA_OPENED};
	for (size_t f = 0; f < 2; f++)
		for (unsigned p = 0; p < CAPTCHA_PROVIDERS; p++) {
			snprintf(label, sizeof(label), "provider=\"%s\"",
					 captcha_provider_word((enum captcha_provider)p));
			metrics_value(page, families[f], label,
						  f == 0 ? (double)counts.up[p] : (double)counts.opened[p]);
		}
}

static void write_workers(struct metrics_page *page, const struct app *app)
{
	struct timings_sum lag = {.sum_us = 0};
	for (size_t i = 0; i < app->worker_count; i++) {
		struct worker *worker = app->workers[i];
		char label[32];
		int64_t this = atomic_load(&worker->longest_turn_us[0]),
				last = atomic_load(&worker->longest_turn_us[1]);
		snprintf(label, sizeof(label), "worker=\"%zu\"", i);
		metrics_value(page, METRIC_LOOP_LAG, label, (double)(this > last ? this : last) / 1e6);
		timings_add_to(&worker->shard->flush_lag, &lag);
	}
	metrics_timings(page, METRIC_FLUSH_SECONDS, "", &lag);
}

static void write_sync_and_relay(struct metrics_page *page, const struct app *app)
{
	struct sync_counts sync;
	sync_counts(app->sync, &sync);
	metrics_value(page, METRIC_SYNC_ROUNDS, "", (double)sync.rounds);
	metrics_value(page, METRIC_SYNC_RELOADS, "", (double)sync.reloads);
	metrics_value(page, METRIC_SYNC_FAILURES, "", (double)sync.failures);
	metrics_value(page, METRIC_REVIVALS, "", (double)sync.revivals);
	metrics_value(page, METRIC_CLOCK_OFFSET, "", (double)sync.clock_offset_ms / 1e3);
	metrics_value(page, METRIC_OUTBOX_LIMIT, "", (double)app->config.outbox_limit);
	if (app->relay == NULL)
		return;
	struct relay_counts relay;
	relay_counts(app->relay, &relay);
	metrics_relay(page, &(struct metrics_relay_counts){.published = relay.published,
													   .acked = relay.acked,
													   .failed = relay.failed,
													   .republished = relay.republished,
													   .malformed = relay.malformed,
													   .backlog = relay.backlog,
													   .oldest_ms = relay.oldest_ms,
													   .connected = relay.connected,
													   .lag = &relay.lag});
}

static void write_traces(struct metrics_page *page, const struct app *app)
{
	struct spans_counts spans = {.dropped = 0};
	struct otlp_counts otlp = {.sent = 0};
	if (app->spans != NULL) {
		spans_counts(app->spans, &spans);
		otlp_counts(app->otlp, &otlp);
	}
	metrics_traces(page, &(struct metrics_trace_counts){
							 .sent = otlp.sent, .dropped = spans.dropped, .refused = otlp.refused});
}

void exposition_serve(void *ctx, struct http_request *request, const struct route_match *match)
{
	const struct app *app = ((struct internal *)ctx)->app;
	struct metrics_page *page = metrics_page_new(http_request_header(request, "Accept"));
	size_t len = 0;
	(void)match;
	metrics_value(page, METRIC_INFO, "program=\"waitingroom-api\",version=\"" WR_VERSION "\"", 1);
	metrics_value(page, METRIC_DRAINING, "", atomic_load(&app->draining) ? 1 : 0);
	write_http(page, app);
	write_workers(page, app);
	write_counters(page, app);
	write_captcha(page, app);
	write_store(page, app);
	exposition_queues(page, app);
	write_sync_and_relay(page, app);
	write_traces(page, app);
	metrics_log(page);
	metrics_process(page);
	const char *text = metrics_page_text(page, &len);
	http_reply(request, 200, metrics_page_type(page), text, len);
	metrics_page_free(page);
}
