/* Admin health: GET /admin/v1/health. Asks the store for all that it takes, in one pipeline, and
 * judges what comes back (lib/ops/health*.c).
 *
 *     INFO · rows of the processes · admin keys · the probe for tags · last steps per queue
 *       ─► all answered, or timed out ─► facts ─► checks
 *
 * It answers 200 also when everything else is down: that is when somebody asks. Every question to
 * the store is answered within its time-out, so this is too.
 */
#include "admin_health.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "waitingroom/json_in.h"
#include "waitingroom/memory.h"

#define DAY_MS INT64_C(86400000)

static void answered(struct health_call *call)
{
	if (--call->open > 0)
		return;
	health_call_answer(call);
	free(call->pods);
	free(call);
}

static void on_info(void *ctx, enum wr_err err, const char *text)
{
	struct health_call *call = ctx;
	struct health_store *store = &call->store;
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

static void on_tags(void *ctx, enum wr_err err, bool refuses)
{
	struct health_call *call = ctx;
	(void)err; /* on_info says so */
	call->store.refuses_tags = refuses;
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

static void on_keys(void *ctx, enum wr_err err, int64_t now_ms, const struct store_row *rows,
					size_t count)
{
	struct health_call *call = ctx;
	for (size_t i = 0; err == WR_OK && i < count; i++)
		look_at_key(&call->keys, rows[i].row, rows[i].row_len, now_ms);
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
	call->open = 4 + call->worked_count;
	store_info(store, on_info, call);
	store_pods(store, POD_KEEP_REPORTS * call->internal->app->config.report_interval_ms, on_pods,
			   call);
	store_keys(store, on_keys, call);
	store_tags(store, on_tags, call);
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
