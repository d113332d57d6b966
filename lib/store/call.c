/* Call: one question to the store, from its command to its one answer.
 *
 *     new ──► under way ──► answered
 *      └──────────┴───► failed ──► told in the next turn
 *
 * Calls are written in the order they are made, and the server answers in that order. Exactly one
 * 'end' is called for each, never from inside the call that asks: a call that cannot be sent waits
 * in 'failed' for a timer of the loop.
 *
 * Deadlines: 'under_way' has the oldest call first, so one timer for that one is enough. When it
 * fires the connection is closed, whatever else is under way fails with it, and no late reply can
 * be taken for the answer to a newer call. All of these are ambiguous: the script may have run.
 *
 * NOSCRIPT means that the script did not run (the server was restarted behind a proxy, or somebody
 * flushed it). It is loaded again and the same bytes are sent again, behind the load; the caller
 * sees nothing of it. The call keeps its place in 'under_way' and its deadline. Other calls made
 * meanwhile may run before it: calls under way at the same time have no order that anybody may rely
 * on.
 *
 * With replicas to wait for, WAIT goes out right behind the script on the same connection (the
 * server remembers per connection what has to be replicated), and the answer counts when both
 * replies are there.
 *
 * Ended calls are kept for reuse, with their buffers: a steady load allocates nothing here.
 */
#include "lib/store/client.h"
#include "lib/store/script_texts.h"

#include "waitingroom/log.h"
#include "waitingroom/memory.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FREE_CALLS_MAX 32
#define KEPT_BYTES_MAX (256u << 10) /* a buffer larger than this is not kept */
#define SCRIPT_TRIES_MAX 3			/* a flush may fall between the load and the repeated call */

static void send_again(struct call *call);

/* ---- making ---- */

static struct call *call_take(struct store *store, call_end_fn end, void *ctx)
{
	struct call *call = store->free_calls;
	if (call) {
		store->free_calls = call->next_free;
		store->free_call_count--;
	} else {
		call = mem_alloc_zero(1, sizeof(*call));
	}
	struct call fresh = {.store = store, .end = end, .ctx = ctx, .script = SCRIPT_NONE};
	fresh.bytes = call->bytes;
	fresh.room = call->room;
	fresh.refused = store->state != LINK_READY;
	*call = fresh;
	counter_add(&store->counters.calls, 1);
	counter_add(&store->counters.in_flight, 1);
	return call;
}

static void call_give_back(struct call *call)
{
	struct store *store = call->store;
	reply_free(call->kept);
	if (call->room > KEPT_BYTES_MAX) {
		free(call->bytes);
		call->bytes = NULL;
		call->room = 0;
	}
	if (store->free_call_count == FREE_CALLS_MAX) {
		free(call->bytes);
		free(call);
		return;
	}
	call->next_free = store->free_calls;
	store->free_calls = call;
	store->free_call_count++;
}

struct call *call_command(struct store *store, size_t arguments, call_end_fn end, void *ctx)
{
	struct call *call = call_take(store, end, ctx);
	call->arguments_left = (int)arguments;
	if (!call->refused)
		request_begin(call, (int)arguments);
	return call;
}

struct call *call_script(struct store *store, enum script script, const struct queue_name *queue,
						 size_t arguments, call_end_fn end, void *ctx)
{
	struct call *call = call_command(store, arguments + 4, end, ctx);
	call->script = script;
	call_add(call, "EVALSHA", 7);
	call_add(call, store->digests[script], SCRIPT_DIGEST_CHARS);
	call_add(call, "1", 1);
	call_add_key(call, queue, "settings");
	return call;
}

/* ---- ending ---- */

/* Calls 'end' and is done with the call. It is in no list any more. */
static void call_finish(struct call *call, enum wr_err err, const struct reply *reply)
{
	struct store *store = call->store;
	if (err)
		counter_add(&store->counters.failures, 1);
	atomic_fetch_sub_explicit(&store->counters.in_flight, 1, memory_order_relaxed);
	call->end(call, err, reply);
	call_give_back(call);
}

void call_abandon(struct call *call, enum wr_err err)
{
	call_finish(call, err, NULL);
}

/* The server is there and does not do what it was asked. What an operator would look for in vain
 * elsewhere, once a minute for each step: steps are repeated ten times a second. */
static void say_refused(const struct call *call, const char *reason)
{
	if (!log_once_a_minute(&call->store->refused_said[call->script], clock_mono()))
		return;
	log_event(
		LOG_LEVEL_WARN, "store_refused",
		LOG_TEXT("step", call->script == SCRIPT_NONE ? "command" : script_text(call->script)->name),
		LOG_TEXT("reason", reason));
}

enum wr_err walk_end(const struct walk *walk, const struct call *call)
{
	if (!walk->garbled)
		return walk->err;
	counter_add(&call->store->counters.failures, 1);
	say_refused(call, "the answer is not of the shape that was expected");
	return WR_STORE_AWAY;
}

static void call_fail_soon(struct call *call)
{
	struct store *store = call->store;
	TAILQ_INSERT_TAIL(&store->failed, call, link);
	if (!loop_timer_is_armed(store->failed_timer))
		loop_timer_arm(store->failed_timer, loop_now(store->loop));
}

static void finish_failed(struct store *store)
{
	/* What fails from here on waits for its own turn. */
	struct call_list failed = TAILQ_HEAD_INITIALIZER(failed);
	TAILQ_CONCAT(&failed, &store->failed, link);
	while (!TAILQ_EMPTY(&failed)) {
		struct call *call = TAILQ_FIRST(&failed);
		TAILQ_REMOVE(&failed, call, link);
		call_finish(call, WR_STORE_AWAY, NULL);
	}
}

static void on_failed_timer(void *ctx)
{
	finish_failed(ctx);
}

void calls_fail_all(struct store *store)
{
	loop_timer_disarm(store->deadline_timer);
	while (!TAILQ_EMPTY(&store->under_way)) {
		struct call *call = TAILQ_FIRST(&store->under_way);
		TAILQ_REMOVE(&store->under_way, call, link);
		call_fail_soon(call);
	}
}

/* ---- replies ---- */

static bool begins_with(const char *text, const char *word)
{
	return strncmp(text, word, strlen(word)) == 0;
}

/* Errors that say that this is not, or not yet, the server to talk to. */
static bool is_wrong_server(const struct reply *reply)
{
	const char *text = reply_text(reply);
	return begins_with(text, "READONLY") || begins_with(text, "LOADING") ||
		   begins_with(text, "MASTERDOWN") || begins_with(text, "NOAUTH");
}

/* How long it was waited for, also in vain. */
static void note_wait(const struct call *call)
{
	struct store *store = call->store;
	int64_t left_ns = call->deadline.ns - clock_mono().ns;
	timings_add(&store->counters.answers,
				(int64_t)store->options.timeout_ms * 1000 - left_ns / 1000);
}

static void call_answer(struct call *call, const struct reply *reply)
{
	struct store *store = call->store;
	TAILQ_REMOVE(&store->under_way, call, link);
	enum wr_err err = call->err;
	note_wait(call);
	char wrong_server[128] = "";
	if (!reply_is_error(reply)) {
		link_works(store);
	} else {
		err = WR_STORE_AWAY;
		if (!is_wrong_server(reply))
			say_refused(call, reply_text(reply));
		else
			snprintf(wrong_server, sizeof(wrong_server), "%s", reply_text(reply));
	}
	call_finish(call, err, reply); /* the reply may be gone after this */
	if (wrong_server[0])
		link_drop(store, wrong_server);
}

/* The reply of the script or command itself. */
static void on_reply(redisAsyncContext *connection, void *object, void *ctx)
{
	struct reply *reply = object;
	struct call *call = ctx;
	if (!reply || !connection->data) /* the connection is gone, and the call with it */
		return;
	call->due--;
	if (call->script != SCRIPT_NONE && reply_is_error(reply) &&
		begins_with(reply_text(reply), "NOSCRIPT") && call->tries < SCRIPT_TRIES_MAX) {
		call->stale_waits = call->due;
		send_again(call);
	} else if (call->due == 0) {
		call_answer(call, reply);
	} else {
		reply->kept = true;
		call->kept = reply;
	}
}

/* The reply of the WAIT behind it: how many replicas have it. */
static void on_wait(redisAsyncContext *connection, void *object, void *ctx)
{
	const struct reply *reply = object;
	struct call *call = ctx;
	if (!reply || !connection->data)
		return;
	call->due--;
	if (call->stale_waits > 0) {
		call->stale_waits--;
		return;
	}
	struct walk walk = walk_begin(WR_OK, reply);
	if (walk_count(&walk) < call->store->options.wait_replicas) {
		call->err = WR_STORE_AWAY;
		say_refused(call, reply_is_error(reply) ? reply_text(reply)
												: "too few replicas confirmed it in time");
	}
	if (call->due == 0)
		call_answer(call, call->kept);
}

static void on_reloaded(redisAsyncContext *connection, void *object, void *ctx)
{
	struct store *store = connection->data;
	if (object && store)
		store->reloading[(enum script)(uintptr_t)ctx] = false;
}

/* ---- sending ---- */

static bool send_wait(struct call *call)
{
	struct store_options *options = &call->store->options;
	char replicas[16], timeout[16], command[96];
	int replicas_len = snprintf(replicas, sizeof(replicas), "%u", options->wait_replicas);
	int timeout_len = snprintf(timeout, sizeof(timeout), "%u", options->wait_timeout_ms);
	int len = snprintf(command, sizeof(command), "*3\r\n$4\r\nWAIT\r\n$%d\r\n%s\r\n$%d\r\n%s\r\n",
					   replicas_len, replicas, timeout_len, timeout);
	return link_send(call->store, on_wait, call, command, (size_t)len);
}

/* Writes the command and what has to follow it. */
static bool send_now(struct call *call)
{
	struct store *store = call->store;
	call->tries++;
	if (!link_send(store, on_reply, call, call->bytes, call->len))
		return false;
	call->due++;
	if (!call->confirm || store->options.wait_replicas == 0)
		return true;
	if (!send_wait(call))
		return false;
	call->due++;
	return true;
}

static bool load_script(struct store *store, enum script script)
{
	if (store->reloading[script])
		return true;
	const struct store_script_text *text = script_text(script);
	char *command = NULL;
	int len = redisFormatCommand(&command, "SCRIPT LOAD %b", text->text, text->len);
	bool sent =
		len > 0 && link_send(store, on_reloaded, (void *)(uintptr_t)script, command, (size_t)len);
	redisFreeCommand(command);
	store->reloading[script] = sent;
	return sent;
}

static void send_again(struct call *call)
{
	if (!load_script(call->store, call->script) || !send_now(call))
		link_drop(call->store, "a command could not be queued");
}

void call_send(struct call *call)
{
	struct store *store = call->store;
	assert(call->arguments_left == 0 && "fewer arguments than were announced");
	/* The loop's own time may be old: a thread that waits elsewhere does not turn it. */
	call->deadline = mono_add_ms(clock_mono(), store->options.timeout_ms);
	if (call->refused || store->state != LINK_READY) {
		call_fail_soon(call);
		return;
	}
	TAILQ_INSERT_TAIL(&store->under_way, call, link);
	if (!loop_timer_is_armed(store->deadline_timer))
		loop_timer_arm(store->deadline_timer, call->deadline);
	if (!send_now(call))
		link_drop(store, "a command could not be queued");
}

/* ---- deadlines ---- */

static void on_deadline(void *ctx)
{
	struct store *store = ctx;
	struct call *oldest = TAILQ_FIRST(&store->under_way);
	if (!oldest)
		return;
	if (oldest->deadline.ns > loop_now(store->loop).ns) {
		loop_timer_arm(store->deadline_timer, oldest->deadline);
		return;
	}
	counter_add(&store->counters.timeouts, 1);
	const struct call *call;
	TAILQ_FOREACH(call, &store->under_way, link)
	note_wait(call);
	link_drop(store, "no reply in time");
}

void calls_init(struct store *store)
{
	TAILQ_INIT(&store->under_way);
	TAILQ_INIT(&store->failed);
	store->deadline_timer = loop_timer_new(store->loop, on_deadline, store);
	store->failed_timer = loop_timer_new(store->loop, on_failed_timer, store);
}

void calls_fini(struct store *store)
{
	calls_fail_all(store);
	while (!TAILQ_EMPTY(&store->failed))
		finish_failed(store);
	loop_timer_free(store->deadline_timer);
	loop_timer_free(store->failed_timer);
	while (store->free_calls) {
		struct call *call = store->free_calls;
		store->free_calls = call->next_free;
		free(call->bytes);
		free(call);
	}
}
