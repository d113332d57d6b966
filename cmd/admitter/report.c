/* Report: what this admitter has done lately, as a row for wrctl top and wrctl doctor. */
#include "report.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "waitingroom/memory.h"
#include "waitingroom/pod_reporter.h"

#define STUCK_AFTER_MS 10000

struct reading { /* of counters that only grow */
	uint64_t admitted, steps;
	struct store_use store;
	struct mono_time at;
};

struct report {
	struct report_options options;
	struct store *store;
	struct pod_reporter *reporter;
	struct reading last;
};

static uint64_t counter(const struct metrics_shard *shard, enum metric metric, unsigned label)
{
	return atomic_load_explicit(&shard->counter[metric][label], memory_order_relaxed);
}

static void read_rates(struct report *report, struct pod_row *row)
{
	const struct admitter *admitter = report->options.admitter;
	struct reading now = {.at = clock_mono()}, *last = &report->last;
	now.admitted = counter(admitter->shard, METRIC_ADMITTED, 0);
	now.steps = counter(admitter->shard, METRIC_TICKS, TICK_ADMIT_DONE);
	store_use_add(&now.store, admitter->store);
	int64_t ms = mono_diff_ms(last->at, now.at);
	row->admitted_per_s = pod_rate(last->admitted, now.admitted, ms);
	row->steps_per_s = pod_rate(last->steps, now.steps, ms);
	store_use_tell(&last->store, &now.store, row);
	*last = now;
}

static void fill_row(void *ctx, struct pod_row *row)
{
	struct report *report = ctx;
	struct admitter *admitter = report->options.admitter;
	int64_t turned_ms = clock_mono().ns / 1000000 - atomic_load(&admitter->turn_ms);
	row->ready = atomic_load(&admitter->is_ready) && turned_ms < STUCK_AFTER_MS;
	row->draining = atomic_load(report->options.draining);
	row->relay = report->options.relay != NULL;
	strcpy(row->kind, "admitter");
	snprintf(row->address, sizeof(row->address), "%s", report->options.address);
	config_fingerprint(admitter->config, row->settings);
	if (row->relay) {
		struct relay_counts counts;
		relay_counts(report->options.relay, &counts);
		row->nats = counts.connected;
	}
	read_rates(report, row);
}

struct report *report_start(const struct report_options *options)
{
	struct report *report = mem_alloc_zero(1, sizeof(*report));
	const struct config *config = options->admitter->config;
	struct store_options store_options;
	store_options_default(&store_options);
	store_options.timeout_ms = (uint32_t)config->store_timeout_ms;
	report->options = *options;
	report->store = store_new(options->loop, options->admitter->address, &store_options);
	report->last.at = clock_mono();
	report->reporter =
		pod_reporter_start(&(struct pod_reporter_options){.loop = options->loop,
														  .store = report->store,
														  .every_ms = config->report_interval_ms,
														  .fill = fill_row,
														  .ctx = report});
	return report;
}

void report_stop(struct report *report)
{
	pod_reporter_stop(report->reporter);
	store_free(report->store);
	free(report);
}
