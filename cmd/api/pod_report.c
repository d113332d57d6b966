/* Pod report: counters of all threads, read at two moments, make the rates of a row (pods.h).
 *
 * The internal port's thread does it: it looks at the workers anyway, and has a store connection of
 * its own.
 */
#include "pod_report.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "internal.h"
#include "waitingroom/memory.h"
#include "waitingroom/pod_reporter.h"
#include "worker.h"

struct reading { /* of counters that only grow */
	uint64_t requests, heartbeats;
	struct store_use store;
	struct mono_time at;
};

struct pod_report {
	struct internal *internal;
	struct pod_reporter *reporter;
	struct reading last;
};

static void read_worker(struct worker *worker, struct pod_row *row, struct reading *reading)
{
	struct http_counts http;
	const struct metrics_shard *shard = worker->shard;
	http_server_counts(worker->http, &http);
	row->connections += (int64_t)http.connections_now;
	row->bugs += (int64_t)http.bugs;
	store_use_add(&reading->store, worker->store);
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
	store_use_tell(&last->store, &now.store, row);
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

static void fill_row(void *ctx, struct pod_row *row)
{
	struct pod_report *report = ctx;
	const struct app *app = report->internal->app;
	struct keys_summary keys;
	row->ready = atomic_load(&app->synced);
	row->draining = atomic_load(&app->draining);
	row->workers = (int64_t)app->worker_count;
	row->connections_max = app->config.connections_max * (int64_t)app->worker_count;
	row->file_key_ms = report->internal->file_key_ms;
	strcpy(row->kind, "api");
	snprintf(row->address, sizeof(row->address), "%s", internal_address(report->internal));
	config_fingerprint(&app->config, row->settings);
	keys_summarize(atomic_load_explicit(&app->keys, memory_order_acquire), &keys);
	memcpy(row->keys, keys.fingerprint, sizeof(keys.fingerprint));
	read_relay(app, row);
	read_rates(report, row);
}

struct pod_report *pod_report_start(struct internal *internal)
{
	struct pod_report *report = mem_alloc_zero(1, sizeof(*report));
	report->internal = internal;
	report->last.at = clock_mono();
	report->reporter = pod_reporter_start(
		&(struct pod_reporter_options){.loop = internal->loop,
									   .store = internal->store,
									   .every_ms = internal->app->config.report_interval_ms,
									   .fill = fill_row,
									   .ctx = report});
	return report;
}

const char *pod_report_instance(const struct pod_report *report)
{
	return pod_reporter_instance(report->reporter);
}

void pod_report_stop(struct pod_report *report)
{
	pod_reporter_stop(report->reporter);
	free(report);
}
