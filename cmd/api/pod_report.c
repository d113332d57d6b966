/* Pod report: counters of all threads, read at two moments, make the rates of a row (pods.h).
 *
 * The internal port's thread does it: it looks at the workers anyway, and has a store connection of its own.
 * A report that is not answered in time is followed by the next one: the row is whole each time.
 */
#include "pod_report.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "internal.h"
#include "waitingroom/log.h"
#include "waitingroom/memory.h"
#include "waitingroom/pods.h"
#include "waitingroom/version.h"
#include "worker.h"

struct reading { /* of counters that only grow */
	uint64_t requests, heartbeats, answers, answers_us, failures;
	struct mono_time at;
};

struct pod_report {
	struct internal *internal;
	struct loop_timer *timer;
	struct reading last;
	int64_t started_ms, clock_offset_ms;
	char instance[POD_INSTANCE_CHARS + 1];
	bool open, goodbye;
};

static void read_worker(struct worker *worker, struct pod_row *row, struct reading *reading)
{
	struct http_counts http;
	struct store_counts store;
	const struct metrics_shard *shard = worker->shard;
	http_server_counts(worker->http, &http);
	store_counts(worker->store, &store);
	row->connections += (int64_t)http.connections_now;
	row->bugs += (int64_t)http.bugs;
	reading->failures += store.failures;
	reading->answers_us += store.answers.sum_us;
	for (size_t i = 0; i <= TIMINGS_BOUNDS; i++)
		reading->answers += store.answers.count[i];
	for (size_t endpoint = 0; endpoint < METRIC_ENDPOINTS_MAX; endpoint++)
		for (size_t class = 0; class < 6; class ++)
			reading->requests +=
				atomic_load_explicit(&shard->requests[endpoint][class], memory_order_relaxed);
	for (size_t source = 0; source < BEAT_SOURCES; source++)
		reading->heartbeats +=
			atomic_load_explicit(&shard->counter[METRIC_BEATS][source], memory_order_relaxed);
	row->places_lost +=
		(int64_t)atomic_load_explicit(&shard->counter[METRIC_PLACES_LOST][0], memory_order_relaxed);
	for (size_t half = 0; half < 2; half++) {
		int64_t ms = atomic_load(&worker->longest_turn_us[half]) / 1000;
		row->loop_ms = ms > row->loop_ms ? ms : row->loop_ms;
	}
}

static void read_rates(struct pod_report *report, struct pod_row *row)
{
	const struct app *app = report->internal->app;
	struct reading now = {.at = clock_mono()}, *last = &report->last;
	for (size_t i = 0; i < app->worker_count; i++)
		read_worker(app->workers[i], row, &now);
	int64_t ms = mono_diff_ms(last->at, now.at);
	row->requests_per_s = pod_rate(last->requests, now.requests, ms);
	row->heartbeats_per_s = pod_rate(last->heartbeats, now.heartbeats, ms);
	if (last->answers > 0) /* not those of the start, when there was no connection yet */
		row->store_failures = (int64_t)(now.failures - last->failures);
	if (now.answers > last->answers)
		row->store_us =
			(int64_t)((now.answers_us - last->answers_us) / (now.answers - last->answers));
	*last = now;
}

static void read_relay(const struct app *app, struct pod_row *row)
{
	struct relay_counts counts;
	row->relay = app->relay != NULL;
	if (!row->relay)
		return;
	relay_counts(app->relay, &counts);
	row->nats = counts.connected;
}

static void fill_row(struct pod_report *report, struct pod_row *row)
{
	const struct app *app = report->internal->app;
	struct keys_summary keys;
	*row = (struct pod_row){.started_ms = report->started_ms,
							.every_ms = app->config.report_interval_ms,
							.ready = atomic_load(&app->synced),
							.draining = atomic_load(&app->draining),
							.workers = (int64_t)app->worker_count,
							.connections_max =
								app->config.connections_max * (int64_t)app->worker_count,
							.clock_offset_ms = report->clock_offset_ms,
							.file_key_ms = report->internal->file_key_ms};
	strcpy(row->kind, "api");
	memcpy(row->instance, report->instance, sizeof(row->instance));
	snprintf(row->version, sizeof(row->version), "%s", WR_VERSION);
	snprintf(row->address, sizeof(row->address), "%s", internal_address(report->internal));
	config_fingerprint(&app->config, row->settings);
	keys_summarize(atomic_load_explicit(&app->keys, memory_order_acquire), &keys);
	memcpy(row->keys, keys.fingerprint, sizeof(keys.fingerprint));
	read_relay(app, row);
	read_rates(report, row);
}

static int64_t report_every_ms(const struct pod_report *report)
{
	return report->internal->app->config.report_interval_ms;
}

static void on_said(void *ctx, enum wr_err err, int64_t now_ms)
{
	struct pod_report *report = ctx;
	report->open = false;
	if (err == WR_OK)
		report->clock_offset_ms = now_ms - clock_wall().ms;
}

static void say(void *ctx)
{
	struct pod_report *report = ctx;
	struct internal *internal = report->internal;
	int64_t every_ms = report_every_ms(report);
	if (!report->open && store_is_ready(internal->store)) {
		struct pod_row row;
		char members[POD_ROW_BYTES];
		fill_row(report, &row);
		pod_row_print(&row, members);
		report->open = true;
		store_pod_say(internal->store, report->instance, members,
					  POD_KEEP_REPORTS * report_every_ms(report), on_said, report);
	} else if (!store_is_ready(internal->store)) {
		every_ms = every_ms < 250 ? every_ms : 250; /* soon after it comes back */
	}
	loop_timer_arm(report->timer, mono_add_ms(loop_now(internal->loop), every_ms));
}

struct pod_report *pod_report_start(struct internal *internal)
{
	struct pod_report *report = mem_alloc_zero(1, sizeof(*report));
	report->internal = internal;
	report->started_ms = clock_wall().ms;
	report->last.at = clock_mono();
	snprintf(report->instance, sizeof(report->instance), "%.*s", POD_INSTANCE_CHARS,
			 log_instance());
	report->timer = loop_timer_new(internal->loop, say, report);
	loop_timer_arm(report->timer, clock_mono());
	return report;
}

const char *pod_report_instance(const struct pod_report *report)
{
	return report->instance;
}

static void on_goodbye(void *ctx, enum wr_err err, int64_t now_ms)
{
	struct pod_report *report = ctx;
	(void)err; /* then the row goes by itself, a minute later */
	(void)now_ms;
	report->goodbye = true;
}

void pod_report_stop(struct pod_report *report)
{
	struct store *store = report->internal->store;
	loop_timer_free(report->timer);
	if (store_is_ready(store)) {
		store_pod_say(store, report->instance, "", POD_KEEP_REPORTS * report_every_ms(report),
					  on_goodbye, report);
		store_wait(store, &report->goodbye);
	}
	while (report->open) /* every call is answered within its time-out */
		loop_turn(report->internal->loop, -1);
	free(report);
}
