/* From what the store has answered, and what this pod knows itself, to facts for the judge. */
#include <stdlib.h>
#include <string.h>

#include "admin_health.h"
#include "pod_report.h"
#include "waitingroom/memory.h"

struct queue_facts {
	struct health_call *call;
	struct health_queue *list;
	size_t count, room;
	struct mono_time now;
};

static int64_t since(int64_t now_ms, int64_t then_ms)
{
	return then_ms == 0 ? -1 : now_ms > then_ms ? now_ms - then_ms : 0;
}

/* At one person a minute nobody goes in for a minute at a time, and that is as it should be. */
static int64_t stalled_ms(const struct queue_snapshot *snapshot)
{
	int64_t rate = snapshot->settings->rate_per_minute;
	int64_t pause_ms = rate > 0 ? 60000 / rate : 0;
	return snapshot->stalled_ms > pause_ms ? snapshot->stalled_ms - pause_ms : 0;
}

static int64_t oldest_ms(const struct queue_snapshot *snapshot, struct mono_time now)
{
	if (snapshot->oldest_joined_ms == 0)
		return 0;
	return snapshot->as_of_ms - snapshot->oldest_joined_ms + mono_diff_ms(snapshot->taken, now);
}

static void add_queue(void *ctx, const struct queue_snapshot *snapshot)
{
	struct queue_facts *facts = ctx;
	struct health_call *call = facts->call;
	if (facts->count == facts->room)
		return; /* made since they were counted */
	struct health_queue *queue = &facts->list[facts->count++];
	*queue = (struct health_queue){
		.name = snapshot->name,
		.settings = snapshot->settings,
		.state = queue_settings_state_at(snapshot->settings, call->now_ms),
		.waiting = snapshot->waiting,
		.active = snapshot->active,
		.absent = snapshot->absent,
		.returned = snapshot->returned,
		.outbox = snapshot->outbox_length,
		.age_ms = mono_diff_ms(snapshot->taken, facts->now),
		.oldest_ms = oldest_ms(snapshot, facts->now),
		.stalled_ms = stalled_ms(snapshot),
		.tick_ms = -1,
		.flush_ms = -1,
		.recovering = snapshot->recovering,
	};
	memcpy(queue->violations, snapshot->violations, sizeof(queue->violations));
	for (size_t i = 0; i < call->worked_count; i++)
		if (queue_name_equal(&call->worked[i].name, &snapshot->name)) {
			queue->tick_ms = since(call->now_ms, call->worked[i].tick_ms);
			queue->flush_ms = since(call->now_ms, call->worked[i].flush_ms);
		}
}

static int by_name(const void *a, const void *b)
{
	const struct health_queue *left = a, *right = b;
	int order = strcmp(left->name.tenant, right->name.tenant);
	return order != 0 ? order : strcmp(left->name.queue, right->name.queue);
}

static void fill_broker(const struct app *app, struct health_broker *broker)
{
	struct relay_counts counts;
	*broker = (struct health_broker){.here = app->relay != NULL,
									 .replicas_wanted = app->config.stream_replicas};
	if (app->relay == NULL)
		return;
	relay_counts(app->relay, &counts);
	broker->connected = counts.connected;
	broker->looked = counts.stream_looked;
	broker->stream_there = counts.stream_there;
	broker->replicas = counts.stream_replicas;
	broker->replicas_current = counts.stream_replicas_current;
	broker->oldest_ms = counts.oldest_ms;
	broker->malformed = counts.malformed;
}

static void fill_keys(const struct health_call *call, struct health_keys *keys)
{
	struct keys_summary summary;
	const struct app *app = call->internal->app;
	keys_summarize(atomic_load_explicit(&app->keys, memory_order_acquire), &summary);
	*keys = call->keys;
	keys->position = summary.position;
	keys->session = summary.session;
	int64_t used_ms = call->internal->file_key_ms;
	for (size_t i = 0; i < call->pod_count; i++)
		if (call->pods[i].file_key_ms > used_ms)
			used_ms = call->pods[i].file_key_ms;
	keys->file_key_used = used_ms > 0 && call->now_ms - used_ms < 86400000;
}

static void send_report(struct health_call *call, const struct health_report *report)
{
	size_t room = 1024 + report->count * HEALTH_CHECK_JSON_BYTES;
	WR_AUTO(mem_free_at) char *text = mem_alloc_zero(1, room);
	struct json_out out;
	json_out_init(&out, text, room);
	json_out_object(&out, NULL);
	json_out_string(&out, "status", health_status_word(health_worst(report)));
	json_out_string(&out, "instance", pod_report_instance(call->internal->report));
	json_out_int(&out, "as_of_ms", call->now_ms);
	health_report_write(report, &out);
	json_out_object_end(&out);
	admin_reply_json(call->request, 200, &out);
}

void health_call_answer(struct health_call *call)
{
	const struct app *app = call->internal->app;
	struct queue_facts queues = {
		.call = call, .room = queue_table_count(app->queues), .now = clock_mono()};
	struct health_report report;
	WR_AUTO(mem_free_at)
	struct health_queue *list = mem_alloc_zero(queues.room + 1, sizeof(*list));
	queues.list = list;
	queue_table_each(app->queues, add_queue, &queues);
	qsort(list, queues.count, sizeof(*list), by_name);
	struct health_facts facts = {.now_ms = call->now_ms,
								 .instance = pod_report_instance(call->internal->report),
								 .config = &app->config,
								 .store = call->store,
								 .clock_offset_ms = call->clock_offset_ms,
								 .pods = call->pods,
								 .pod_count = call->pod_count,
								 .queues = list,
								 .queue_count = queues.count,
								 .queues_in_all = queues.count};
	fill_broker(app, &facts.broker);
	fill_keys(call, &facts.keys);
	health_judge(&facts, &report);
	send_report(call, &report);
	health_report_clear(&report);
}
