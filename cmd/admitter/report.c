/* Report: what this admitter has done lately, as a row for wrctl top and wrctl doctor. */
#include "report.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "waitingroom/log.h"
#include "waitingroom/memory.h"
#include "waitingroom/pods.h"
#include "waitingroom/version.h"

#define STUCK_AFTER_MS 10000

struct reading { /* of counters that only grow */
	uint64_t admitted, steps, answers, answers_us, failures;
	struct mono_time at;
};

struct report {
	struct report_options options;
	struct store *store;
	struct loop_timer *timer;
	struct reading last;
	int64_t started_ms, clock_offset_ms;
	char instance[POD_INSTANCE_CHARS + 1];
	bool open, goodbye;
};

static uint64_t counter(const struct metrics_shard *shard, enum metric metric, unsigned label)
{
	return atomic_load_explicit(&shard->counter[metric][label], memory_order_relaxed);
}

static void read_rates(struct report *report, struct pod_row *row)
{
	const struct admitter *admitter = report->options.admitter;
	struct reading now = {.at = clock_mono()}, *last = &report->last;
	struct store_counts store;
	store_counts(admitter->store, &store);
	now.admitted = counter(admitter->shard, METRIC_ADMITTED, 0);
	now.steps = counter(admitter->shard, METRIC_TICKS, TICK_ADMIT_DONE);
	now.failures = store.failures;
	now.answers_us = store.answers.sum_us;
	for (size_t i = 0; i <= TIMINGS_BOUNDS; i++)
		now.answers += store.answers.count[i];
	int64_t ms = mono_diff_ms(last->at, now.at);
	row->admitted_per_s = pod_rate(last->admitted, now.admitted, ms);
	row->steps_per_s = pod_rate(last->steps, now.steps, ms);
	if (last->answers > 0) /* not those of the start, when there was no connection yet */
		row->store_failures = (int64_t)(now.failures - last->failures);
	if (now.answers > last->answers)
		row->store_us =
			(int64_t)((now.answers_us - last->answers_us) / (now.answers - last->answers));
	*last = now;
}

static void fill_row(struct report *report, struct pod_row *row)
{
	struct admitter *admitter = report->options.admitter;
	int64_t turned_ms = clock_mono().ns / 1000000 - atomic_load(&admitter->turn_ms);
	*row = (struct pod_row){.started_ms = report->started_ms,
							.every_ms = admitter->config->report_interval_ms,
							.ready = atomic_load(&admitter->is_ready) && turned_ms < STUCK_AFTER_MS,
							.draining = atomic_load(report->options.draining),
							.relay = report->options.relay != NULL,
							.clock_offset_ms = report->clock_offset_ms};
	strcpy(row->kind, "admitter");
	memcpy(row->instance, report->instance, sizeof(row->instance));
	snprintf(row->version, sizeof(row->version), "%s", WR_VERSION);
	snprintf(row->address, sizeof(row->address), "%s", report->options.address);
	config_fingerprint(admitter->config, row->settings);
	if (row->relay) {
		struct relay_counts counts;
		relay_counts(report->options.relay, &counts);
		row->nats = counts.connected;
	}
	read_rates(report, row);
}

static int64_t report_every_ms(const struct report *report)
{
	return report->options.admitter->config->report_interval_ms;
}

static void on_said(void *ctx, enum wr_err err, int64_t now_ms)
{
	struct report *report = ctx;
	report->open = false;
	if (err == WR_OK)
		report->clock_offset_ms = now_ms - clock_wall().ms;
}

static void say(void *ctx)
{
	struct report *report = ctx;
	int64_t every_ms = report_every_ms(report);
	if (!report->open && store_is_ready(report->store)) {
		struct pod_row row;
		char members[POD_ROW_BYTES];
		fill_row(report, &row);
		pod_row_print(&row, members);
		report->open = true;
		store_pod_say(report->store, report->instance, members,
					  POD_KEEP_REPORTS * report_every_ms(report), on_said, report);
	} else if (!store_is_ready(report->store)) {
		every_ms = every_ms < 250 ? every_ms : 250; /* soon after it comes back */
	}
	loop_timer_arm(report->timer, mono_add_ms(loop_now(report->options.loop), every_ms));
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
	report->started_ms = clock_wall().ms;
	report->last.at = clock_mono();
	snprintf(report->instance, sizeof(report->instance), "%.*s", POD_INSTANCE_CHARS,
			 log_instance());
	report->timer = loop_timer_new(options->loop, say, report);
	loop_timer_arm(report->timer, clock_mono());
	return report;
}

static void on_goodbye(void *ctx, enum wr_err err, int64_t now_ms)
{
	struct report *report = ctx;
	(void)err; /* then the row goes by itself, a minute later */
	(void)now_ms;
	report->goodbye = true;
}

void report_stop(struct report *report)
{
	loop_timer_free(report->timer);
	if (store_is_ready(report->store)) {
		store_pod_say(report->store, report->instance, "",
					  POD_KEEP_REPORTS * report_every_ms(report), on_goodbye, report);
		store_wait(report->store, &report->goodbye);
	}
	store_free(report->store); /* answers what was under way */
	free(report);
}
