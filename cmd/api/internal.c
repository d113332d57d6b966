/* Internal port: what operators and machines ask of a pod.
 *
 *     /livez        is every worker's loop turning? Nothing else: a probe on the store would restart
 *                   the whole fleet during a store outage
 *     /readyz       may the gateway send visitors here?
 *     /metrics      exposition.c
 *     /debug/state  what the pod believes, as JSON
 *     /admin/v1/…   admin_routes.h
 */
#include "internal.h"

#include <stdlib.h>
#include <string.h>

#include "gather.h"
#include "pod_report.h"
#include "sync.h"
#include "tracing.h"
#include "waitingroom/log.h"
#include "waitingroom/memory.h"
#include "waitingroom/token.h"
#include "worker.h"

#define ADMIN_PREFIX "/admin/"
#define STUCK_AFTER_MS 5000
#define DEBUG_QUEUE_BYTES 2560 /* eight lanes with the longest names */

static bool workers_turn(const struct app *app)
{
	int64_t now_ms = clock_mono().ns / 1000000;
	for (size_t i = 0; i < app->worker_count; i++)
		if (now_ms - atomic_load(&app->workers[i]->turn_ms) > STUCK_AFTER_MS)
			return false;
	return true;
}

static void answer_text(struct http_request *request, int status, const char *text)
{
	http_reply(request, status, "text/plain; charset=utf-8", text, strlen(text));
}

static void livez_serve(void *ctx, struct http_request *request, const struct route_match *match)
{
	struct internal *internal = ctx;
	(void)match;
	bool alive = workers_turn(internal->app);
	answer_text(request, alive ? 200 : 503, alive ? "ok\n" : "a worker's loop does not turn\n");
}

/* Each worker has a connection of its own: one that is still being made would refuse joins. Once
 * they have all been there the pod stays ready: while the store is away it still answers polls from
 * its picture, and a gateway that dropped every pod at once would leave visitors with nothing. */
static bool store_has_been_there(struct internal *internal)
{
	const struct app *app = internal->app;
	if (internal->was_ready)
		return true;
	bool ready = store_is_ready(internal->store);
	for (size_t i = 0; i < app->worker_count; i++) {
		struct store_counts counts;
		store_counts(app->workers[i]->store, &counts);
		ready = ready && counts.ready;
	}
	internal->was_ready = ready;
	return ready;
}

static void readyz_serve(void *ctx, struct http_request *request, const struct route_match *match)
{
	struct internal *internal = ctx;
	const struct app *app = internal->app;
	(void)match;
	if (atomic_load(&app->draining))
		answer_text(request, 503, "draining\n");
	else if (!atomic_load(&app->synced))
		answer_text(request, 503, "the queues have not been read from the store yet\n");
	else if (!store_has_been_there(internal))
		answer_text(request, 503, "no connection to the store\n");
	else
		answer_text(request, 200, "ok\n");
}

struct debug_call {
	struct json_out *out;
	struct mono_time now;
};

static void debug_queue(void *ctx, const struct queue_snapshot *snapshot)
{
	struct debug_call *call = ctx;
	char name[QUEUE_NAME_TEXT_BYTES];
	queue_name_print(&snapshot->name, name);
	json_out_object(call->out, NULL);
	json_out_string(call->out, "queue", name);
	json_out_string(call->out, "epoch", snapshot->epoch);
	json_out_bool(call->out, "recovering", snapshot->recovering);
	json_out_int(call->out, "version", (int64_t)snapshot->settings->version);
	json_out_int(call->out, "age_ms", mono_diff_ms(snapshot->taken, call->now));
	json_out_int(call->out, "waiting", (int64_t)snapshot->waiting);
	json_out_int(call->out, "active", (int64_t)snapshot->active);
	json_out_int(call->out, "absent", (int64_t)snapshot->absent);
	json_out_int(call->out, "revocations", (int64_t)revocations_count(snapshot->revocations));
	json_out_array(call->out, "lanes");
	for (uint32_t i = 0; i < snapshot->settings->lane_count; i++) {
		json_out_object(call->out, NULL);
		json_out_string(call->out, "lane", snapshot->settings->lanes[i].name);
		json_out_int(call->out, "last_ticket", (int64_t)position_index_last(snapshot->lanes[i]));
		json_out_int(call->out, "gone", (int64_t)position_index_gone(snapshot->lanes[i]));
		json_out_int(call->out, "index_bytes", (int64_t)position_index_bytes(snapshot->lanes[i]));
		json_out_object_end(call->out);
	}
	json_out_array_end(call->out);
	json_out_object_end(call->out);
}

static void debug_workers(struct json_out *out, const struct app *app, struct mono_time now)
{
	json_out_array(out, "workers");
	for (size_t i = 0; i < app->worker_count; i++) {
		const struct worker *worker = app->workers[i];
		struct http_counts http;
		struct store_counts store;
		http_server_counts(worker->http, &http);
		store_counts(worker->store, &store);
		json_out_object(out, NULL);
		json_out_int(out, "turn_age_ms", now.ns / 1000000 - atomic_load(&worker->turn_ms));
		json_out_int(out, "connections", (int64_t)http.connections_now);
		json_out_int(out, "parked", (int64_t)http.parked_now);
		json_out_bool(out, "store_ready", store.ready);
		json_out_int(out, "store_in_flight", (int64_t)store.in_flight);
		json_out_object_end(out);
	}
	json_out_array_end(out);
}

static void debug_serve(void *ctx, struct http_request *request, const struct route_match *match)
{
	struct internal *internal = ctx;
	const struct app *app = internal->app;
	size_t room = 65536 + DEBUG_QUEUE_BYTES * queue_table_count(app->queues);
	WR_AUTO(mem_free_at) char *text = mem_alloc_zero(1, room);
	struct json_out out;
	(void)match;
	struct debug_call call = {.out = &out, .now = clock_mono()};
	json_out_init(&out, text, room);
	json_out_object(&out, NULL);
	json_out_bool(&out, "draining", atomic_load(&app->draining));
	json_out_bool(&out, "synced", atomic_load(&app->synced));
	json_out_int(&out, "retired", (int64_t)quiescence_pending(app->quiescence));
	debug_workers(&out, app, call.now);
	json_out_array(&out, "queues");
	queue_table_each(app->queues, debug_queue, &call);
	json_out_array_end(&out);
	json_out_object_end(&out);
	http_reply(request, 200, "application/json", text, out.len);
}

static const struct route machine_routes[] = {
	{HTTP_GET, "/livez", livez_serve, ROUTE_NOT_LIMITED, false},
	{HTTP_GET, "/readyz", readyz_serve, ROUTE_NOT_LIMITED, false},
	{HTTP_GET, "/metrics", exposition_serve, ROUTE_NOT_LIMITED, false},
	{HTTP_GET, "/debug/state", debug_serve, ROUTE_NOT_LIMITED, false},
};

#define MACHINE_ROUTES (sizeof(machine_routes) / sizeof(machine_routes[0]))

/* gives */
static struct route *all_routes(void)
{
	struct route *routes = mem_alloc_zero(MACHINE_ROUTES + admin_route_count, sizeof(*routes));
	memcpy(routes, machine_routes, sizeof(machine_routes));
	for (size_t i = 0; i < admin_route_count; i++)
		routes[MACHINE_ROUTES + i] = (struct route){.method = admin_routes[i].method,
													.pattern = admin_routes[i].pattern,
													.serve = admin_serve,
													.limit = ROUTE_NOT_LIMITED};
	return routes;
}

const struct admin_route *internal_admin_route(const struct internal *internal,
											   const struct route *route)
{
	return &admin_routes[route - internal->routes - MACHINE_ROUTES];
}

struct signer *internal_signer(struct internal *internal)
{
	signer_use_keys(internal->signer,
					atomic_load_explicit(&internal->app->keys, memory_order_acquire));
	return internal->signer;
}

static void handle(void *ctx, struct http_request *request)
{
	struct internal *internal = ctx;
	chain_handle(internal->chain, request);
}

static void request_done(void *ctx, const struct http_request *request, int status,
						 int64_t duration_us)
{
	struct internal *internal = ctx;
	(void)duration_us;
	if (http_request_trace(request) != NULL)
		tracing_request(internal->app, internal->chain, request, status, NULL);
}

static void turn_begins(void *ctx)
{
	struct internal *internal = ctx;
	quiescence_enter(internal->app->quiescence, internal->reader);
}

static void turn_ends(void *ctx)
{
	struct internal *internal = ctx;
	quiescence_leave(internal->app->quiescence, internal->reader);
}

static void on_wake(void *ctx)
{
	struct internal *internal = ctx;
	if (atomic_load(&internal->stop))
		loop_stop(internal->loop);
}

static void *run(void *ctx)
{
	struct internal *internal = ctx;
	turn_begins(internal);
	loop_run(internal->loop);
	pod_report_stop(internal->report);
	turn_ends(internal);
	return NULL;
}

static void internal_free(struct internal *internal)
{
	chain_free(internal->chain);
	access_log_free(internal->access_log);
	free(internal->routes);
	signer_free(internal->signer);
	loop_free(internal->loop);
	free(internal);
}

enum wr_err internal_start(struct app *app, struct internal **ret_internal,
						   struct err_detail *ret_detail)
{
	struct internal *internal = mem_alloc_zero(1, sizeof(*internal));
	internal->app = app;
	internal->loop = loop_new();
	internal->jitter = (uint64_t)clock_mono().ns | 1;
	internal->routes = all_routes();
	internal->signer = signer_new();
	struct chain_options chain = {.routes = internal->routes,
								  .route_count = MACHINE_ROUTES + admin_route_count,
								  .ctx = internal};
	internal->chain = chain_new(&chain);
	internal->access_log = access_log_new(
		&(struct access_log_options){.mode = app->access_log,
									 .one_in = (uint32_t)app->config.access_log_sample,
									 .never_sampled = ADMIN_PREFIX,
									 .chain = internal->chain});
	struct http_server_options options = {.listen = app->config.internal_listen,
										  .handler = handle,
										  .done = request_done,
										  .access_log = internal->access_log,
										  .tracing = tracing_of(app),
										  .ctx = internal};
	http_limits_default(&options.limits);
	options.limits.connections_max = 256;
	options.limits.body_max_bytes = 256 * 1024; /* settings with a template and a logo */
	enum wr_err err = http_server_open(internal->loop, &options, &internal->http, ret_detail);
	if (err != WR_OK) {
		internal_free(internal);
		return err;
	}
	struct store_options store_options;
	store_options_default(&store_options);
	store_options.timeout_ms = (uint32_t)app->config.store_timeout_ms;
	internal->store = store_new(internal->loop, app->store_address, &store_options);
	internal->reader = quiescence_add_reader(app->quiescence);
	loop_set_wait_marks(internal->loop, turn_ends, turn_begins, internal);
	loop_set_on_wake(internal->loop, on_wake, internal);
	internal->report = pod_report_start(internal);
	admin_seen_start(internal);
	if (pthread_create(&internal->thread, NULL, run, internal) != 0)
		abort();
	*ret_internal = internal;
	return WR_OK;
}

const char *internal_address(const struct internal *internal)
{
	return http_server_address(internal->http);
}

void internal_stop(struct internal *internal)
{
	if (internal == NULL)
		return;
	atomic_store(&internal->stop, true);
	loop_wake(internal->loop);
	pthread_join(internal->thread, NULL);
	store_free(internal->store); /* answers what was under way */
	admin_seen_stop(internal);
	http_server_close(internal->http);
	internal_free(internal);
}
