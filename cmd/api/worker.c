/* Worker: the thread between a visitor and the store.
 *
 * A turn of its loop: connections that are readable are served by libmicrohttpd, handlers answer
 * from the local picture or park requests in gather; replies of the store resume parked requests;
 * at the end of the turn gather sends what has come together. Between turns the thread holds no
 * pointer into shared things (quiescence_leave), so the sync thread may free old pictures.
 *
 * Drain: main sets a flag and wakes the loop. The server stops accepting and says Connection:
 * close; when the last connection has gone and gathered work has been answered, the heartbeats are
 * flushed once more and the loop ends.
 */
#include "worker.h"

#include <stdlib.h>
#include <string.h>

#include "captcha.h"
#include "endpoints.h"
#include "gather.h"
#include "page.h"
#include "tracing.h"
#include "verdicts.h"
#include "waitingroom/join_rate.h"
#include "waitingroom/json_in.h"
#include "waitingroom/log.h"
#include "waitingroom/memory.h"

#define MARK_INTERVAL_MS 1000
#define DRAIN_CHECK_MS 20
#define LISTEN_CHECK_MS 2
#define JOIN_RATE_SLOTS 8192 /* networks; 256 kB */

static void turn_begins(void *ctx)
{
	struct worker *worker = ctx;
	quiescence_enter(worker->app->quiescence, worker->reader);
	worker->turn_began = clock_mono();
	worker->wall = app_time(worker->app, worker->turn_began);
	atomic_store_explicit(&worker->turn_ms, worker->turn_began.ns / 1000000, memory_order_relaxed);
	signer_use_keys(worker->signer, atomic_load_explicit(&worker->app->keys, memory_order_acquire));
}

static void turn_ends(void *ctx)
{
	struct worker *worker = ctx;
	int64_t us = (clock_mono().ns - worker->turn_began.ns) / 1000;
	int64_t half_minute = worker->turn_began.ns / INT64_C(30000000000);
	if (half_minute != worker->half_minute) {
		int64_t last = half_minute == worker->half_minute + 1
						   ? atomic_load_explicit(&worker->longest_turn_us[0], memory_order_relaxed)
						   : 0;
		atomic_store_explicit(&worker->longest_turn_us[1], last, memory_order_relaxed);
		atomic_store_explicit(&worker->longest_turn_us[0], 0, memory_order_relaxed);
		worker->half_minute = half_minute;
	}
	if (us > atomic_load_explicit(&worker->longest_turn_us[0], memory_order_relaxed))
		atomic_store_explicit(&worker->longest_turn_us[0], us, memory_order_relaxed);
	quiescence_leave(worker->app->quiescence, worker->reader);
}

static int64_t before_wait(void *ctx)
{
	struct worker *worker = ctx;
	gather_send(worker->gather);
	return -1;
}

static void handle(void *ctx, struct http_request *request)
{
	struct worker *worker = ctx;
	chain_handle(worker->chain, request);
}

static __attribute__((noinline)) void trace_done(struct worker *worker,
												 const struct http_request *request, int status,
												 int64_t duration_us)
{
	const struct parked *notes = http_request_notes((struct http_request *)request);
	char queue[QUEUE_NAME_TEXT_BYTES];
	bool has_queue = notes->claims.queue.queue[0] != '\0';
	if (has_queue)
		queue_name_print(&notes->claims.queue, queue);
	tracing_request(worker->app, worker->chain, request, status, has_queue ? queue : NULL);
	exemplars_note(worker->app->exemplars, notes->endpoint, duration_us,
				   http_request_trace(request)->context.trace_id, worker->wall);
}

static void request_done(void *ctx, const struct http_request *request, int status,
						 int64_t duration_us)
{
	struct worker *worker = ctx;
	struct parked *notes = http_request_notes((struct http_request *)request);
	metrics_request(worker->shard, notes->endpoint, status, duration_us);
	if (http_request_trace(request) != NULL)
		trace_done(worker, request, status, duration_us);
	json_free(WR_TAKE(notes->joining.document));
	free(WR_TAKE(notes->joining.target));
	free(WR_TAKE(notes->joining.user));
	free(WR_TAKE(notes->joining.papers));
}

static void on_flush(void *ctx)
{
	struct worker *worker = ctx;
	gather_flush(worker->gather);
	loop_timer_arm(worker->flush_timer,
				   mono_add_ms(loop_now(worker->loop), worker->app->config.flush_interval_ms));
}

static void on_mark(void *ctx)
{
	struct worker *worker = ctx;
	gather_mark(worker->gather);
	loop_timer_arm(worker->mark_timer, mono_add_ms(loop_now(worker->loop), MARK_INTERVAL_MS));
}

static void on_drain_check(void *ctx)
{
	struct worker *worker = ctx;
	if (http_server_is_idle(worker->http)) {
		gather_flush(worker->gather);
		if (gather_is_idle(worker->gather) || !store_is_ready(worker->store)) {
			loop_stop(worker->loop);
			return;
		}
	}
	loop_timer_arm(worker->drain_timer, mono_add_ms(loop_now(worker->loop), DRAIN_CHECK_MS));
}

/* A port that opens before would refuse joins and polls with 503, which not every gateway tries
 * again elsewhere, and which no gateway can know from an open port. */
static void on_listen_check(void *ctx)
{
	struct worker *worker = ctx;
	struct mono_time now = loop_now(worker->loop);
	bool can_answer = atomic_load(&worker->app->synced) && store_is_ready(worker->store);
	if (!can_answer && mono_diff_ms(worker->started, now) < WORKER_PATIENCE_MS) {
		loop_timer_arm(worker->listen_timer, mono_add_ms(now, LISTEN_CHECK_MS));
		return;
	}
	enum wr_err err = http_server_listen(worker->http);
	atomic_store(&worker->port, err == WR_OK ? PORT_OPEN : PORT_FAILED);
}

static void on_wake(void *ctx)
{
	struct worker *worker = ctx;
	captcha_desk_collect(worker->captcha_desk);
	if (atomic_load(&worker->stop)) {
		loop_stop(worker->loop);
	} else if (atomic_load(&worker->drain) && !worker->is_draining) {
		worker->is_draining = true;
		http_server_drain(worker->http);
		on_drain_check(worker);
	}
}

static void make_chain(struct worker *worker)
{
	const struct app *app = worker->app;
	struct chain_options options = {
		.routes = public_routes,
		.route_count = public_route_count,
		.cors = {.origins = app->origins, .count = app->origin_count},
		.rate_limit = {.per_address = (uint32_t)app->config.requests_per_address,
					   .per_network = (uint32_t)app->config.requests_per_network,
					   .window_s = 60,
					   .table_slots = 65536},
		.proxies = app->proxies,
		.get_with_body = "/status", /* the token as text/plain, as with a heartbeat */
		.ctx = worker,
	};
	worker->chain = chain_new(&options);
	worker->access_log = access_log_new(
		&(struct access_log_options){.mode = app->access_log,
									 .one_in = (uint32_t)app->config.access_log_sample,
									 .chain = worker->chain,
									 .proxies = app->proxies});
}

static struct http_limits limits_from(const struct config *config)
{
	struct http_limits limits;
	http_limits_default(&limits);
	limits.connections_max = (uint32_t)config->connections_max;
	limits.connection_memory_bytes = (uint32_t)config->connection_memory_bytes;
	limits.body_max_bytes = (uint32_t)config->body_max_bytes;
	limits.idle_timeout_s = (uint32_t)config->idle_timeout_s;
	limits.request_deadline_ms = (uint32_t)config->request_deadline_ms;
	return limits;
}

/* With port 0 the first worker gets a free port and the others share it. */
static const char *listen_address(const struct app *app, size_t number)
{
	return number == 0 ? app->config.listen : http_server_address(app->workers[0]->http);
}

static void worker_free(struct worker *worker)
{
	store_free(worker->store); /* answers what was under way */
	captcha_desk_free(worker->captcha_desk);
	gather_free(worker->gather);
	verdicts_free(worker->verdicts);
	http_server_close(worker->http);
	chain_free(worker->chain);
	access_log_free(worker->access_log);
	signer_free(worker->signer);
	join_rate_free(worker->join_rate);
	loop_timer_free(worker->flush_timer);
	loop_timer_free(worker->mark_timer);
	loop_timer_free(worker->drain_timer);
	loop_timer_free(worker->listen_timer);
	loop_free(worker->loop);
	free(worker->shard);
	free(worker);
}

enum wr_err worker_new(struct app *app, size_t number, struct worker **ret_worker,
					   struct err_detail *ret_detail)
{
	struct worker *worker = mem_alloc_zero(1, sizeof(*worker));
	worker->app = app;
	worker->number = number;
	worker->shard = aligned_alloc(128, sizeof(*worker->shard));
	if (worker->shard == NULL)
		abort();
	memset(worker->shard, 0, sizeof(*worker->shard));
	worker->loop = loop_new();
	worker->reader = quiescence_add_reader(app->quiescence);
	worker->jitter = (uint64_t)clock_mono().ns * 2654435761u + number + 1;
	worker->signer = signer_new();
	make_chain(worker);
	struct http_server_options options = {.listen = listen_address(app, number),
										  .is_shared = number > 0,
										  .closed_at_first = true,
										  .limits = limits_from(&app->config),
										  .handler = handle,
										  .done = request_done,
										  .access_log = worker->access_log,
										  .tracing = tracing_of(app),
										  .ctx = worker};
	enum wr_err err = http_server_open(worker->loop, &options, &worker->http, ret_detail);
	if (err != WR_OK) {
		chain_free(worker->chain);
		access_log_free(worker->access_log);
		signer_free(worker->signer);
		loop_free(worker->loop);
		free(worker->shard);
		free(worker);
		return err;
	}
	struct store_options store_options;
	store_options_default(&store_options);
	store_options.timeout_ms = (uint32_t)app->config.store_timeout_ms;
	store_options.wait_replicas = (uint32_t)app->config.store_wait_replicas;
	store_options.wait_timeout_ms = (uint32_t)app->config.store_wait_timeout_ms;
	worker->store = store_new(worker->loop, app->store_address, &store_options);
	worker->gather = gather_new(worker);
	worker->verdicts = verdicts_new((size_t)app->config.session_cache);
	worker->captcha_desk = captcha_desk_new(worker);
	worker->join_rate = join_rate_new(JOIN_RATE_SLOTS);
	worker->flush_timer = loop_timer_new(worker->loop, on_flush, worker);
	worker->mark_timer = loop_timer_new(worker->loop, on_mark, worker);
	worker->drain_timer = loop_timer_new(worker->loop, on_drain_check, worker);
	worker->listen_timer = loop_timer_new(worker->loop, on_listen_check, worker);
	/* After the HTTP server's own hook: what its handlers gathered leaves in the same turn. */
	loop_add_before_wait(worker->loop, before_wait, worker);
	loop_set_wait_marks(worker->loop, turn_ends, turn_begins, worker);
	loop_set_on_wake(worker->loop, on_wake, worker);
	*ret_worker = worker;
	return WR_OK;
}

static void *run(void *ctx)
{
	struct worker *worker = ctx;
	turn_begins(worker);
	on_flush(worker);
	on_mark(worker);
	worker->started = loop_now(worker->loop);
	on_listen_check(worker);
	loop_run(worker->loop);
	turn_ends(worker);
	atomic_store(&worker->ended, true);
	return NULL;
}

void worker_start(struct worker *worker)
{
	/* Not stuck before its first turn. */
	atomic_store_explicit(&worker->turn_ms, clock_mono().ns / 1000000, memory_order_relaxed);
	if (pthread_create(&worker->thread, NULL, run, worker) != 0)
		abort();
}

void worker_drain(struct worker *worker)
{
	atomic_store(&worker->drain, true);
	loop_wake(worker->loop);
}

void worker_stop(struct worker *worker)
{
	atomic_store(&worker->stop, true);
	loop_wake(worker->loop);
}

void worker_join(struct worker *worker)
{
	pthread_join(worker->thread, NULL);
	worker_free(worker);
}

void worker_problem(struct worker *worker, struct http_request *request, enum wr_err err,
					const struct err_detail *detail)
{
	int64_t retry_s = err_is_retryable(err) ? retry_after_s(2, worker_random(worker)) : 0;
	if (err == WR_BUG) {
		metrics_add(worker->shard, METRIC_BUGS, 0, 1);
		const char *route = chain_route_of(worker->chain, request);
		log_event(LOG_LEVEL_ERROR, "request_bug", LOG_TEXT("request_id", http_request_id(request)),
				  LOG_TEXT("route", route != NULL ? route : "other"));
	}
	if (((struct parked *)http_request_notes(request))->page != PAGE_NONE)
		page_problem(worker, request, err);
	else
		http_reply_problem(request, err, detail, retry_s);
}
