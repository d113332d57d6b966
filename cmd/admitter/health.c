/* Health: /livez (does the loop turn?), /readyz (has the store answered?), /metrics. Its own
 * thread, so that a slow scrape never holds up admission.
 */
#include "health.h"

#include <stdlib.h>
#include <string.h>

#include "report.h"
#include "tracing.h"
#include "waitingroom/memory.h"
#include "waitingroom/router.h"
#include "waitingroom/version.h"

#define STUCK_AFTER_MS 10000

struct health {
	struct admitter *admitter;
	struct relay *relay;
	pthread_t thread;
	struct loop *loop;
	struct http_server *http;
	struct chain *chain;
	struct report *report;
	atomic_bool stop;
};

static void answer(struct http_request *request, bool good, const char *otherwise)
{
	const char *text = good ? "ok\n" : otherwise;
	http_reply(request, good ? 200 : 503, "text/plain; charset=utf-8", text, strlen(text));
}

static void livez_serve(void *ctx, struct http_request *request, const struct route_match *match)
{
	const struct health *health = ctx;
	(void)match;
	int64_t age_ms = clock_mono().ns / 1000000 - atomic_load(&health->admitter->turn_ms);
	/* A round waits for the store, which is no reason to be ended. */
	int64_t patience_ms = STUCK_AFTER_MS + health->admitter->config->store_timeout_ms;
	answer(request, age_ms < patience_ms, "the loop does not turn\n");
}

static void readyz_serve(void *ctx, struct http_request *request, const struct route_match *match)
{
	const struct health *health = ctx;
	(void)match;
	answer(request, atomic_load(&health->admitter->is_ready), "the store does not answer\n");
}

static void write_ticks(struct metrics_page *page, struct metrics_shard *shard)
{
	static const char *const labels[TICK_LABELS] = {
		"kind=\"admit\",result=\"done\"", "kind=\"admit\",result=\"other\"",
		"kind=\"admit\",result=\"failed\"", "kind=\"reap\",result=\"done\"",
		"kind=\"reap\",result=\"failed\""};
	static const char *const kinds[EXPIRED_LABELS] = {"silent", "missed", "session"};
	metrics_counter(page, METRIC_ADMITTED, &shard, 1, NULL, NULL, 0);
	metrics_counter(page, METRIC_SET_ASIDE, &shard, 1, NULL, NULL, 0);
	metrics_counter(page, METRIC_EXPIRED, &shard, 1, "kind", kinds, EXPIRED_LABELS);
	for (int i = 0; i < TICK_LABELS; i++)
		metrics_value(
			page, METRIC_TICKS, labels[i],
			(double)atomic_load_explicit(&shard->counter[METRIC_TICKS][i], memory_order_relaxed));
}

static void write_store(struct metrics_page *page, const struct store *store)
{
	struct store_counts counts;
	store_counts(store, &counts);
	metrics_store(page, &(struct metrics_store_counts){.ready = counts.ready,
													   .calls = counts.calls,
													   .commands = counts.commands,
													   .failures = counts.failures,
													   .timeouts = counts.timeouts,
													   .reconnects = counts.reconnects,
													   .answers = &counts.answers});
}

static void write_relay(struct metrics_page *page, const struct relay *relay)
{
	struct relay_counts counts;
	relay_counts(relay, &counts);
	metrics_relay(page, &(struct metrics_relay_counts){.published = counts.published,
													   .acked = counts.acked,
													   .failed = counts.failed,
													   .republished = counts.republished,
													   .malformed = counts.malformed,
													   .backlog = counts.backlog,
													   .oldest_ms = counts.oldest_ms,
													   .connected = counts.connected,
													   .lag = &counts.lag});
}

static void metrics_serve(void *ctx, struct http_request *request, const struct route_match *match)
{
	const struct health *health = ctx;
	struct metrics_page *page = metrics_page_new(http_request_header(request, "Accept"));
	size_t len = 0;
	(void)match;
	metrics_value(page, METRIC_INFO, "program=\"waitingroom-admitter\",version=\"" WR_VERSION "\"",
				  1);
	write_ticks(page, health->admitter->shard);
	write_store(page, health->admitter->store);
	if (health->relay != NULL)
		write_relay(page, health->relay);
	tracing_metrics(health->admitter->tracing, page);
	metrics_log(page);
	metrics_process(page);
	const char *text = metrics_page_text(page, &len);
	http_reply(request, 200, metrics_page_type(page), text, len);
	metrics_page_free(page);
}

static const struct route routes[] = {
	{HTTP_GET, "/livez", livez_serve, ROUTE_NOT_LIMITED, false},
	{HTTP_GET, "/readyz", readyz_serve, ROUTE_NOT_LIMITED, false},
	{HTTP_GET, "/metrics", metrics_serve, ROUTE_NOT_LIMITED, false},
};

static void on_wake(void *ctx)
{
	struct health *health = ctx;
	if (atomic_load(&health->stop))
		loop_stop(health->loop);
}

static void *run(void *ctx)
{
	struct health *health = ctx;
	loop_run(health->loop);
	return NULL;
}

enum wr_err health_start(const struct config *config, struct admitter *admitter,
						 struct relay *relay, struct health **ret_health,
						 struct err_detail *ret_detail)
{
	struct health *health = mem_alloc_zero(1, sizeof(*health));
	health->admitter = admitter;
	health->relay = relay;
	health->loop = loop_new();
	struct chain_options chain = {
		.routes = routes, .route_count = sizeof(routes) / sizeof(routes[0]), .ctx = health};
	health->chain = chain_new(&chain);
	struct http_server_options options = {
		.listen = config->internal_listen, .handler = chain_handle, .ctx = health->chain};
	http_limits_default(&options.limits);
	options.limits.connections_max = 64;
	enum wr_err err = http_server_open(health->loop, &options, &health->http, ret_detail);
	if (err != WR_OK)
		return err; /* the process ends */
	loop_set_on_wake(health->loop, on_wake, health);
	health->report = report_start(&(struct report_options){
		.loop = health->loop,
		.admitter = admitter,
		.relay = relay,
		.address = http_server_address(health->http),
		.draining = &admitter->stop,
	});
	if (pthread_create(&health->thread, NULL, run, health) != 0)
		abort();
	*ret_health = health;
	return WR_OK;
}

const char *health_address(const struct health *health)
{
	return http_server_address(health->http);
}

void health_stop(struct health *health)
{
	atomic_store(&health->stop, true);
	loop_wake(health->loop);
	pthread_join(health->thread, NULL);
	report_stop(health->report);
	http_server_close(health->http);
	chain_free(health->chain);
	loop_free(health->loop);
	free(health);
}
