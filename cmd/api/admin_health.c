/* Admin health: GET /admin/v1/health. Asks the store for all that it takes, in one pipeline, and judges what
 * comes back (lib/ops/health*.c).
 *
 *     INFO · rows of the processes · admin keys · the probe for tags · last steps per queue
 *       ─► all answered, or timed out ─► facts ─► checks
 *
 * It answers 200 also when everything else is down: that is when somebody asks. Every question to the
 * store is answered within its time-out, so this is too.
 */
#include "admin_health.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "waitingroom/json_in.h"
#include "waitingroom/memory.h"

#define KEYS_KEY "wr:{system/admin}:keys"
#define DAY_MS INT64_C(86400000)

static void answered(struct health_call *call)
{
	if (--call->open > 0)
		return;
	health_call_answer(call);
	free(call->pods);
	free(call);
}

static void on_info(void *ctx, enum wr_err err, const char *text, size_t len, int64_t number)
{
	struct health_call *call = ctx;
	struct health_store *store = &call->store;
	(void)len, (void)number;
	store->reachable = err == WR_OK && text != NULL;
	store->answer_us = (clock_mono().ns - call->began.ns) / 1000;
	if (store->reachable)
		health_read_info(store, text);
	else if (text != NULL)
		snprintf(store->trouble, sizeof(store->trouble), "%s", text);
	else
		snprintf(store->trouble, sizeof(store->trouble), "no answer within %lld ms",
				 (long long)call->internal->app->config.store_timeout_ms);
	answered(call);
}

static void on_pods(void *ctx, enum wr_err err, int64_t now_ms, const struct pod_text *texts,
					size_t count)
{
	struct health_call *call = ctx;
	if (err == WR_OK) {
		call->now_ms = now_ms;
		call->clock_offset_ms = now_ms - clock_wall().ms;
		call->pods = admin_pod_rows(texts, count, &call->pod_count);
	}
	answered(call);
}

static void on_probe(void *ctx, enum wr_err err, const char *text, size_t len, int64_t number)
{
	struct health_call *call = ctx;
	(void)len, (void)number;
	call->store.refuses_tags = err != WR_OK && text != NULL && strstr(text, "undeclared") != NULL;
	answered(call);
}

struct worked_call { /* one of the questions about queues */
	struct health_call *call;
	struct worked *worked;
};

static void on_worked(void *ctx, enum wr_err err, int64_t tick_ms, int64_t flush_ms)
{
	WR_AUTO(mem_free_at) struct worked_call *question = ctx;
	if (err == WR_OK) {
		question->worked->tick_ms = tick_ms;
		question->worked->flush_ms = flush_ms;
	}
	answered(question->call);
}

/* ---- admin keys ---- */

static void look_at_key(struct health_keys *keys, const char *row, size_t len, int64_t now_ms)
{
	WR_AUTO(json_free_at) struct json_value *document = NULL;
	struct err_detail detail;
	const char *name = "";
	int64_t expires_ms = 0;
	if (json_parse(row, len, &document, &detail) != WR_OK)
		return;
	keys->entered++;
	if (!json_int(json_member(document, "expires_ms"), &expires_ms) || expires_ms == 0 ||
		expires_ms - now_ms > HEALTH_ADMIN_KEY_DAYS * DAY_MS)
		return;
	bool first = keys->expiring + keys->expired == 0 ||
				 (expires_ms > now_ms && (expires_ms - now_ms) / DAY_MS < keys->first_days);
	if (expires_ms > now_ms)
		keys->expiring++;
	else
		keys->expired++;
	if (!first)
		return;
	(void)json_string(json_member(document, "name"), &name);
	keys->first_days = (expires_ms - now_ms) / DAY_MS;
	snprintf(keys->first_name, sizeof(keys->first_name), "%s", name);
}

/* The raw answer is a line each: id, row, id, row, … */
static void on_keys(void *ctx, enum wr_err err, const char *text, size_t len, int64_t number)
{
	struct health_call *call = ctx;
	const char *line = text, *end = text != NULL ? text + len : NULL;
	(void)number;
	for (size_t i = 0; err == WR_OK && line != NULL && line < end; i++) {
		const char *stop = memchr(line, '\n', (size_t)(end - line));
		size_t line_len = (size_t)((stop != NULL ? stop : end) - line);
		if (i % 2 == 1)
			look_at_key(&call->keys, line, line_len, clock_wall().ms);
		line += line_len + 1;
	}
	answered(call);
}

/* ---- asking ---- */

static void note_queue(void *ctx, const struct queue_snapshot *snapshot)
{
	struct health_call *call = ctx;
	if (call->worked_count < WORKED_MAX)
		call->worked[call->worked_count++].name = snapshot->name;
}

static void ask_about_queues(struct health_call *call)
{
	for (size_t i = 0; i < call->worked_count; i++) {
		struct worked_call *question = mem_alloc_zero(1, sizeof(*question));
		*question = (struct worked_call){.call = call, .worked = &call->worked[i]};
		store_worked(call->internal->store, &call->worked[i].name, on_worked, question);
	}
}

static void ask(struct store *store, struct health_call *call)
{
	static const char *const info[] = {"INFO"};
	static const char *const keys[] = {"HGETALL", KEYS_KEY};
	/* Declares one key and touches another one of its tag, as every step does. */
	static const char *const probe[] = {"EVAL", "return redis.call('EXISTS', '{wr-probe}:b')", "1",
										"{wr-probe}:a"};
	call->open = 4 + call->worked_count;
	store_raw(store, 1, (const char **)info, NULL, on_info, call);
	store_pods(store, POD_KEEP_REPORTS * call->internal->app->config.report_interval_ms, on_pods,
			   call);
	store_raw(store, 2, (const char **)keys, NULL, on_keys, call);
	store_raw(store, 4, (const char **)probe, NULL, on_probe, call);
	ask_about_queues(call);
}

void admin_health_serve(void *ctx, struct http_request *request, const struct route_match *match)
{
	struct internal *internal = ctx;
	struct health_call *call = mem_alloc_zero(1, sizeof(*call));
	(void)match;
	*call = (struct health_call){.request = request, .internal = internal, .began = clock_mono()};
	call->now_ms = clock_wall().ms; /* unless the store says otherwise */
	if (!store_is_ready(internal->store)) {
		const char *trouble = store_trouble(internal->store);
		snprintf(call->store.trouble, sizeof(call->store.trouble), "%s",
				 trouble[0] != '\0' ? trouble : "no connection");
		call->open = 1;
		answered(call);
		return;
	}
	queue_table_each(internal->app->queues, note_queue, call);
	ask(internal->store, call);
}
