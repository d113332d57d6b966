/* HTTP server: libmicrohttpd driven from a loop.
 *
 * The daemon has no thread and no socket of its own. Its epoll descriptor is watched by the loop;
 * when it is readable, MHD_run serves everything that is ready. The library can also want to run
 * although no descriptor is ready: connections on its ready list, time-outs, resumed requests. For
 * these there is one timer, so that all answers that one turn of the loop makes possible, such as
 * those of a batch from the store, go out in one run.
 *
 * What the library calls, in order, for one request:
 *
 *     on_target     the request line has come: takes a request object, copies the raw target
 *     on_request    1. headers complete: the guard. Answering here would close the connection
 *                      (the library takes it for a refusal), so only refusals are answered here.
 *                   2. pieces of the body
 *                   3. complete: the handler, which answers or parks
 *                   4. after a parked request was resumed: its answer is queued
 *     on_completed  the answer is out, or the connection is gone: gives the request back
 */
#include "internal.h"

#include "waitingroom/memory.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

void http_limits_default(struct http_limits *ret_limits)
{
	*ret_limits = (struct http_limits){
		.connections_max = 10000,
		.connection_memory_bytes = 7168,
		.body_max_bytes = 4096,
		.headers_max = 64,
		.idle_timeout_s = 30,
		.request_deadline_ms = 10000,
		.backlog = 4096,
	};
}

const char *http_refusal_word(enum http_refusal refusal)
{
#define REFUSAL_WORD(name, word, sentence) [name] = word,
	static const char *const words[HTTP_REFUSAL_COUNT] = {HTTP_REFUSAL_TABLE(REFUSAL_WORD)};
#undef REFUSAL_WORD
	return (unsigned)refusal < HTTP_REFUSAL_COUNT ? words[refusal] : "?";
}

const char *http_refusal_sentence(enum http_refusal refusal)
{
#define REFUSAL_SENTENCE(name, word, sentence) [name] = sentence,
	static const char *const sentences[HTTP_REFUSAL_COUNT] = {HTTP_REFUSAL_TABLE(REFUSAL_SENTENCE)};
#undef REFUSAL_SENTENCE
	return (unsigned)refusal < HTTP_REFUSAL_COUNT ? sentences[refusal] : "?";
}

/* ---- the daemon on the loop ---- */

static void run_daemon(void *ctx)
{
	struct http_server *server = ctx;
	loop_timer_disarm(server->run);
	MHD_run(server->daemon);
	MHD_UNSIGNED_LONG_LONG wait_ms;
	if (MHD_get_timeout(server->daemon, &wait_ms) != MHD_YES)
		return;
	if (!loop_timer_is_armed(server->run) || !wait_ms)
		loop_timer_arm(server->run, mono_add_ms(loop_now(server->loop), (int64_t)wait_ms));
}

static void daemon_is_ready(void *ctx, unsigned events)
{
	(void)events;
	run_daemon(ctx);
}

void http_server_resume(struct http_request *request)
{
	struct http_server *server = request->server;
	request->suspended = false;
	MHD_resume_connection(request->mhd);
	loop_timer_arm(server->run, loop_now(server->loop));
}

bool http_server_has_room(const struct http_server *server)
{
	return atomic_load_explicit(&server->counters.connections_now, memory_order_relaxed) <
		   server->options.limits.connections_max;
}

/* ---- callbacks of the library ---- */

/* The library does not call on_completed after some of its own refusals: when it has no memory left
 * for cookies, for example. No handler has seen such a request. */
static void abandon(struct http_connection *connection)
{
	if (connection->request)
		http_request_give_back(connection->request);
	connection->request = NULL;
}

static void on_connection(void *ctx, struct MHD_Connection *mhd, void **connection,
						  enum MHD_ConnectionNotificationCode what)
{
	if (what == MHD_CONNECTION_NOTIFY_STARTED) {
		http_connection_opened(ctx, mhd, connection);
		return;
	}
	abandon(*connection);
	http_connection_closed(*connection);
}

static void *on_target(void *ctx, const char *target, struct MHD_Connection *mhd)
{
	struct http_server *server = ctx;
	struct http_request *request = http_request_take(server);
	request->mhd = mhd;
	request->connection =
		MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_SOCKET_CONTEXT)->socket_context;
	request->started = loop_now(server->loop);
	http_request_set_target(request, target);
	abandon(request->connection);
	request->connection->request = request;
	http_connection_arriving(request->connection);
	return request;
}

static enum MHD_Result on_headers(struct http_request *request, const char *method,
								  const char *version)
{
	const struct http_limits *limits = &request->server->options.limits;
	request->headers_seen = true;
	http_request_take_headers(request);
	struct guard_verdict verdict = guard_check(&(struct guard_request){
		.method = method,
		.version = version,
		.target = request->target,
		.target_len = request->target_len,
		.headers = request->headers,
		.header_count = request->header_count,
		.headers_max = limits->headers_max,
		.body_max_bytes = limits->body_max_bytes,
	});
	if (verdict.refused) {
		request_ids_pick(&request->server->ids, NULL, 0, request->id);
		return http_reply_refuse(request, verdict.reason, verdict.err);
	}
	request->method = verdict.method;
	request->body_announced = verdict.body_bytes;
	request->target[request->path_len] = '\0'; /* from here on the path; the query is behind it */
	const char *given_id = http_request_header(request, "x-request-id");
	request_ids_pick(&request->server->ids, given_id, given_id ? strlen(given_id) : 0, request->id);
	if (request->server->options.tracing)
		http_trace_begin(request);
	return MHD_YES;
}

static enum MHD_Result serve(struct http_request *request)
{
	struct http_server_options *options = &request->server->options;
	request->phase = REQUEST_SERVING;
	http_connection_serving(request->connection);
	if (request->server->closing)
		http_reply_problem(request, WR_DRAINING, NULL, 0);
	else
		options->handler(options->ctx, request);
	if (request->phase == REQUEST_SERVING)
		http_reply_recover(request);
	if (request->phase == REQUEST_ANSWERED)
		return http_reply_queue(request);
	MHD_suspend_connection(request->mhd);
	request->suspended = true;
	request->was_at_end = http_connection_is_at_end(request->connection);
	return MHD_YES;
}

static enum MHD_Result on_request(void *ctx, struct MHD_Connection *mhd, const char *url,
								  const char *method, const char *version, const char *body,
								  size_t *body_len, void **request_context)
{
	(void)ctx, (void)mhd, (void)url;
	struct http_request *request = *request_context;
	if (!request->headers_seen)
		return on_headers(request, method, version);
	if (*body_len) {
		bool fits = http_request_add_body(request, body, *body_len);
		*body_len = 0;
		return fits ? MHD_YES : MHD_NO;
	}
	if (request->phase == REQUEST_ARRIVING)
		return serve(request);
	assert(request->phase == REQUEST_ANSWERED);
	return http_reply_queue(request);
}

static void on_completed(void *ctx, struct MHD_Connection *mhd, void **request_context,
						 enum MHD_RequestTerminationCode how)
{
	(void)mhd, (void)how;
	struct http_server *server = ctx;
	struct http_request *request = *request_context;
	if (!request)
		return;
	*request_context = NULL;
	assert(request->phase != REQUEST_SERVING && request->phase != REQUEST_PARKED);
	struct mono_time now = clock_mono();
	request->connection->request = NULL;
	http_connection_quiet(request->connection, now);
	if (request->phase == REQUEST_ANSWERED && server->options.done)
		server->options.done(server->options.ctx, request, request->status,
							 (now.ns - request->started.ns) / 1000);
	struct access_log *access_log = server->options.access_log;
	if (request->status && !access_log_passes(access_log, request->status))
		access_log_look(access_log, request, now.ns - request->started.ns);
	http_request_give_back(request);
}

/* ---- opening, draining, closing ---- */

/* A daemon is used by the thread of its loop only. Newer versions would otherwise put what is added
 * in a queue that only the next event empties: connections would be taken in beyond the limit, and
 * closed. */
#if MHD_VERSION >= 0x00097707
#define SINGLE_THREADED MHD_USE_NO_THREAD_SAFETY
#else
#define SINGLE_THREADED MHD_NO_FLAG
#endif

static struct MHD_Daemon *start_daemon(struct http_server *server)
{
	const struct http_limits *limits = &server->options.limits;
	return MHD_start_daemon(
		MHD_USE_EPOLL | MHD_USE_NO_LISTEN_SOCKET | MHD_ALLOW_SUSPEND_RESUME | SINGLE_THREADED, 0,
		NULL, NULL, on_request, server, MHD_OPTION_CONNECTION_MEMORY_LIMIT,
		(size_t)limits->connection_memory_bytes, MHD_OPTION_CONNECTION_LIMIT,
		limits->connections_max, MHD_OPTION_CONNECTION_TIMEOUT, limits->idle_timeout_s,
		MHD_OPTION_STRICT_FOR_CLIENT, 1, MHD_OPTION_URI_LOG_CALLBACK, on_target, server,
		MHD_OPTION_NOTIFY_CONNECTION, on_connection, server, MHD_OPTION_NOTIFY_COMPLETED,
		on_completed, server, MHD_OPTION_END);
}

enum wr_err http_server_open(struct loop *loop, const struct http_server_options *options,
							 struct http_server **ret_server, struct err_detail *ret_detail)
{
	struct http_server *server = mem_alloc_zero(1, sizeof(*server));
	server->loop = loop;
	server->options = *options;
	request_ids_init(&server->ids);
	http_tracing_init(server);
	enum wr_err err = http_listener_open(server, options->listen, ret_detail);
	if (err == WR_OK && !options->closed_at_first && http_listener_listen(&server->listener)) {
		err = err_say(ret_detail, WR_IO, "listen: %.100s: %s", options->listen, strerror(errno));
		http_listener_close(&server->listener);
	}
	if (err) {
		free(server);
		return err;
	}
	server->daemon = start_daemon(server);
	if (!server->daemon) {
		http_listener_close(&server->listener);
		free(server);
		return err_say(ret_detail, WR_IO, "listen: the HTTP library cannot start");
	}
	http_deadlines_init(server);
	server->run = loop_timer_new(loop, run_daemon, server);
	int epoll_fd = MHD_get_daemon_info(server->daemon, MHD_DAEMON_INFO_EPOLL_FD)->epoll_fd;
	server->watch = loop_watch(loop, epoll_fd, LOOP_READ, daemon_is_ready, server);
	*ret_server = server;
	return WR_OK;
}

enum wr_err http_server_listen(struct http_server *server)
{
	return http_listener_listen(&server->listener);
}

const char *http_server_address(const struct http_server *server)
{
	return server->listener.address;
}

void http_server_counts(const struct http_server *server, struct http_counts *ret_counts)
{
	const struct http_counters *from = &server->counters;
	ret_counts->connections_now =
		atomic_load_explicit(&from->connections_now, memory_order_relaxed);
	ret_counts->connections_total =
		atomic_load_explicit(&from->connections_total, memory_order_relaxed);
	ret_counts->parked_now = atomic_load_explicit(&from->parked_now, memory_order_relaxed);
	ret_counts->bugs = atomic_load_explicit(&from->bugs, memory_order_relaxed);
	for (int i = 0; i < HTTP_REFUSAL_COUNT; i++)
		ret_counts->refused[i] = atomic_load_explicit(&from->refused[i], memory_order_relaxed);
}

void http_server_drain(struct http_server *server)
{
	if (server->draining)
		return;
	http_listener_leave(&server->listener); /* those it still takes in are answered, then closed */
	server->draining = true;
	http_deadlines_drain(server);
}

bool http_server_is_idle(const struct http_server *server)
{
	return !atomic_load(&server->listener.is_open) &&
		   !atomic_load_explicit(&server->counters.connections_now, memory_order_relaxed);
}

void http_server_close(struct http_server *server)
{
	if (!server)
		return;
	assert(!atomic_load_explicit(&server->counters.parked_now, memory_order_relaxed));
	http_server_drain(server);
	http_listener_close(&server->listener);
	server->closing = true;
	MHD_run(server->daemon); /* takes back what was resumed; the library must not stop before */
	loop_unwatch(server->watch);
	MHD_stop_daemon(server->daemon);
	loop_timer_free(server->run);
	http_deadlines_fini(server);
	while (server->free_requests) {
		struct http_request *request = server->free_requests;
		server->free_requests = request->next_free;
		http_request_free(request);
	}
	free(server);
}
