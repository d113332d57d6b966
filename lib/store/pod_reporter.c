/* Pod reporter: a timer, and one call at a time. */
#include "waitingroom/pod_reporter.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "waitingroom/log.h"
#include "waitingroom/memory.h"
#include "waitingroom/version.h"

#define SOON_MS 250 /* after the store has come back */

struct pod_reporter {
	struct pod_reporter_options options;
	struct loop_timer *timer;
	int64_t started_ms, clock_offset_ms;
	char instance[POD_INSTANCE_CHARS + 1];
	bool is_idle; /* no report is under way */
	bool goodbye;
};

static void on_said(void *ctx, enum wr_err err, int64_t now_ms)
{
	struct pod_reporter *reporter = ctx;
	reporter->is_idle = true;
	if (err == WR_OK)
		reporter->clock_offset_ms = now_ms - clock_wall().ms;
}

static void say_row(struct pod_reporter *reporter)
{
	const struct pod_reporter_options *options = &reporter->options;
	struct pod_row row = {.started_ms = reporter->started_ms,
						  .every_ms = options->every_ms,
						  .clock_offset_ms = reporter->clock_offset_ms};
	char members[POD_ROW_BYTES];
	memcpy(row.instance, reporter->instance, sizeof(row.instance));
	snprintf(row.version, sizeof(row.version), "%s", WR_VERSION);
	options->fill(options->ctx, &row);
	pod_row_print(&row, members);
	reporter->is_idle = false;
	store_pod_say(options->store, reporter->instance, members, POD_KEEP_REPORTS * options->every_ms,
				  on_said, reporter);
}

static void on_time(void *ctx)
{
	struct pod_reporter *reporter = ctx;
	const struct pod_reporter_options *options = &reporter->options;
	int64_t wait_ms = options->every_ms;
	if (!store_is_ready(options->store))
		wait_ms = wait_ms < SOON_MS ? wait_ms : SOON_MS;
	else if (reporter->is_idle)
		say_row(reporter);
	loop_timer_arm(reporter->timer, mono_add_ms(loop_now(options->loop), wait_ms));
}

struct pod_reporter *pod_reporter_start(const struct pod_reporter_options *options)
{
	struct pod_reporter *reporter = mem_alloc_zero(1, sizeof(*reporter));
	reporter->options = *options;
	reporter->started_ms = clock_wall().ms;
	reporter->is_idle = true;
	snprintf(reporter->instance, sizeof(reporter->instance), "%.*s", POD_INSTANCE_CHARS,
			 log_instance());
	reporter->timer = loop_timer_new(options->loop, on_time, reporter);
	loop_timer_arm(reporter->timer, clock_mono());
	return reporter;
}

const char *pod_reporter_instance(const struct pod_reporter *reporter)
{
	return reporter->instance;
}

static void on_goodbye(void *ctx, enum wr_err err, int64_t now_ms)
{
	struct pod_reporter *reporter = ctx;
	(void)err; /* then the row goes by itself, a minute later */
	(void)now_ms;
	reporter->goodbye = true;
}

void pod_reporter_stop(struct pod_reporter *reporter)
{
	const struct pod_reporter_options *options = &reporter->options;
	loop_timer_free(reporter->timer);
	if (store_is_ready(options->store)) {
		store_pod_say(options->store, reporter->instance, "", POD_KEEP_REPORTS * options->every_ms,
					  on_goodbye, reporter);
		store_wait(options->store, &reporter->goodbye);
	}
	store_wait(options->store, &reporter->is_idle); /* a call is answered within its time-out */
	free(reporter);
}

/* ---- the store's answers ---- */

void store_use_add(struct store_use *use, const struct store *store)
{
	struct store_counts counts;
	store_counts(store, &counts);
	use->failures += counts.failures;
	use->answers_us += counts.answers.sum_us;
	for (size_t i = 0; i <= TIMINGS_BOUNDS; i++)
		use->answers += counts.answers.count[i];
}

void store_use_tell(const struct store_use *before, const struct store_use *now,
					struct pod_row *row)
{
	if (before->answers > 0) /* not those of the start, when there was no connection yet */
		row->store_failures = (int64_t)(now->failures - before->failures);
	if (now->answers > before->answers)
		row->store_us =
			(int64_t)((now->answers_us - before->answers_us) / (now->answers - before->answers));
}
