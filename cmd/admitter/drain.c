/* Drain: one queue, let in and cleaned up tick by tick; and taken off the list once it is deleted.
 *
 *     admit   every WR_ADMIT_INTERVAL_MS; at once again when the limit of a step ended it.
 *             Another admitter has the lease: look, with a plain command, whether it has run out.
 *             Nobody was there: not so soon. Who joins now and has to wait is not let in before the
 *             first poll, a second later, and no place in an empty room waits for a tick.
 *     reap    every WR_REAP_INTERVAL_MS; at once again while there is more.
 *
 *     sample  with an admit step, a few times a minute: how many there are, for the figures
 *
 *     clear   the queue is deleted: whatever its deleting has left undone (the pod that did it may
 *             have died) is done, then it is forgotten when the relay has emptied its outbox
 *
 * At most one step of each kind is under way. Every step is one atomic script that checks all
 * rules itself, so two admitters at once cannot let too many in: the lease only saves work.
 */
#include <stdlib.h>

#include "admitter.h"
#include "tracing.h"
#include "waitingroom/memory.h"

#define SAMPLE_INTERVAL_MS 20000
#define CALM_MAX_MS 500 /* half of the time to the first poll (pacing.c) */

struct drain {
	struct admitter *admitter;
	struct queue_name name;
	struct loop_timer *admit_timer, *reap_timer;
	bool is_other; /* another admitter had the lease when last asked */
	bool admit_open, reap_open, clear_open, sample_open, is_deleted, is_stopped, is_over;
	struct mono_time sampled; /* 0: never */
	struct mono_time admit_sent;
	struct drain *next;
};

static void clear(struct drain *drain);

static void again(struct drain *drain, struct loop_timer *timer, int64_t ms)
{
	if (!drain->is_stopped && !drain->is_deleted)
		loop_timer_arm(timer, mono_add_ms(loop_now(drain->admitter->loop), ms));
}

/* ---- a deleted queue ---- */

static void on_forgotten(void *ctx, enum wr_err err, bool forgotten)
{
	struct drain *drain = ctx;
	(void)err; /* the list still has it then, and it is met again */
	(void)forgotten;
	drain->clear_open = false;
	drain->is_over = true;
}

/* A conflict: a queue of that name was made meanwhile. It is met on the list again. */
static void on_cleared(void *ctx, enum wr_err err, bool more)
{
	struct drain *drain = ctx;
	if (err == WR_OK && more && !drain->is_stopped)
		clear(drain);
	else
		store_forget_queue(drain->admitter->store, &drain->name, on_forgotten, drain);
}

static void clear(struct drain *drain)
{
	drain->clear_open = true;
	store_delete_queue(drain->admitter->store, &drain->name,
					   (int)drain->admitter->config->admit_limit, STORE_DELETE_REST, "{}", NULL,
					   on_cleared, drain);
}

/* Both ticks may find out. */
static void deleted(struct drain *drain)
{
	if (!drain->is_deleted && !drain->is_stopped)
		clear(drain);
	drain->is_deleted = true;
}

/* ---- ticks ---- */

static void on_sampled(void *ctx, enum wr_err err)
{
	struct drain *drain = ctx;
	(void)err; /* a minute without a sample is shown as one */
	drain->sample_open = false;
}

/* By whoever has the lease. */
static void sample(struct drain *drain)
{
	struct mono_time now = loop_now(drain->admitter->loop);
	if (drain->sample_open || drain->is_stopped ||
		(drain->sampled.ns != 0 && mono_diff_ms(drain->sampled, now) < SAMPLE_INTERVAL_MS))
		return;
	drain->sampled = now;
	drain->sample_open = true;
	store_note_stats(drain->admitter->store, &drain->name, true, NULL, 0, on_sampled, drain);
}

/* Between ticks of a queue that nobody is in. The lease must not run out, nor listening be given
 * up. */
static int64_t calm_interval_ms(const struct config *config)
{
	int64_t ms =
		config->lease_ms < config->deaf_after_ms ? config->lease_ms : config->deaf_after_ms;
	ms = ms / 3 < CALM_MAX_MS ? ms / 3 : CALM_MAX_MS;
	return ms > config->admit_interval_ms ? ms : config->admit_interval_ms;
}

static void on_admitted(void *ctx, enum wr_err err, const struct admitted *result)
{
	struct drain *drain = ctx;
	const struct config *config = drain->admitter->config;
	struct metrics_shard *shard = drain->admitter->shard;
	int64_t wait_ms = config->admit_interval_ms;
	drain->admit_open = false;
	drain->is_other = err == WR_OK && result->other;
	if (err == WR_NO_QUEUE) {
		deleted(drain);
	} else if (err != WR_OK) {
		metrics_add(shard, METRIC_TICKS, TICK_ADMIT_FAILED, 1);
	} else if (result->other) {
		metrics_add(shard, METRIC_TICKS, TICK_ADMIT_OTHER, 1);
		wait_ms = config->lease_ms / 4;
	} else {
		metrics_add(shard, METRIC_TICKS, TICK_ADMIT_DONE, 1);
		metrics_add(shard, METRIC_ADMITTED, 0, result->admitted);
		metrics_add(shard, METRIC_SET_ASIDE, 0, result->set_aside);
		tracing_admitted(drain->admitter->tracing, &drain->name, drain->admit_sent, result);
		if (result->more)
			wait_ms = 0;
		else if (result->calm)
			wait_ms = calm_interval_ms(config);
		sample(drain);
	}
	again(drain, drain->admit_timer, wait_ms);
}

static void step(struct drain *drain)
{
	struct admitter *admitter = drain->admitter;
	drain->admit_open = true;
	drain->admit_sent = loop_now(admitter->loop);
	store_admit(admitter->store, &drain->name, admitter->owner, admitter->config->lease_ms,
				(int)admitter->config->admit_limit, admitter->config->deaf_after_ms, 0, on_admitted,
				drain);
}

static void on_looked(void *ctx, enum wr_err err, int64_t held)
{
	struct drain *drain = ctx;
	drain->admit_open = false;
	if (drain->is_stopped || drain->is_deleted)
		return;
	if (err != WR_OK || held == 0) {
		step(drain);
		return;
	}
	metrics_add(drain->admitter->shard, METRIC_TICKS, TICK_ADMIT_OTHER, 1);
	again(drain, drain->admit_timer, drain->admitter->config->lease_ms / 4);
}

static void admit(void *ctx)
{
	struct drain *drain = ctx;
	if (drain->admit_open || drain->is_stopped || drain->is_deleted)
		return;
	if (drain->is_other) {
		drain->admit_open = true;
		store_lease_held(drain->admitter->store, &drain->name, "admit", on_looked, drain);
	} else {
		step(drain);
	}
}

static void on_reaped(void *ctx, enum wr_err err, const struct reaped *result)
{
	struct drain *drain = ctx;
	struct metrics_shard *shard = drain->admitter->shard;
	int64_t wait_ms = drain->admitter->config->reap_interval_ms;
	drain->reap_open = false;
	if (err == WR_NO_QUEUE) {
		deleted(drain);
	} else if (err != WR_OK) {
		metrics_add(shard, METRIC_TICKS, TICK_REAP_FAILED, 1);
	} else {
		metrics_add(shard, METRIC_TICKS, TICK_REAP_DONE, 1);
		metrics_add(shard, METRIC_EXPIRED, EXPIRED_SILENT, result->expired);
		metrics_add(shard, METRIC_EXPIRED, EXPIRED_MISSED, result->missed);
		metrics_add(shard, METRIC_EXPIRED, EXPIRED_SESSION, result->ended);
		if (result->more)
			wait_ms = 0;
	}
	again(drain, drain->reap_timer, wait_ms);
}

static void reap(void *ctx)
{
	struct drain *drain = ctx;
	struct admitter *admitter = drain->admitter;
	if (drain->reap_open || drain->is_stopped || drain->is_deleted)
		return;
	drain->reap_open = true;
	store_reap(admitter->store, &drain->name, admitter->config->deaf_after_ms,
			   (int)admitter->config->admit_limit, on_reaped, drain);
}

struct drain *drain_new(struct admitter *admitter, const struct queue_name *name)
{
	struct drain *drain = mem_alloc_zero(1, sizeof(*drain));
	drain->admitter = admitter;
	drain->name = *name;
	drain->admit_timer = loop_timer_new(admitter->loop, admit, drain);
	drain->reap_timer = loop_timer_new(admitter->loop, reap, drain);
	loop_timer_arm(drain->admit_timer, loop_now(admitter->loop));
	loop_timer_arm(drain->reap_timer, loop_now(admitter->loop));
	return drain;
}

void drain_free(struct drain *drain)
{
	loop_timer_free(drain->admit_timer);
	loop_timer_free(drain->reap_timer);
	free(drain);
}

const struct queue_name *drain_name(const struct drain *drain)
{
	return &drain->name;
}

struct drain *drain_next(struct drain *drain)
{
	return drain->next;
}

void drain_link(struct drain *drain, struct drain *next)
{
	drain->next = next;
}

void drain_stop(struct drain *drain)
{
	drain->is_stopped = true;
	loop_timer_disarm(drain->admit_timer);
	loop_timer_disarm(drain->reap_timer);
}

bool drain_is_idle(const struct drain *drain)
{
	return !drain->admit_open && !drain->reap_open && !drain->clear_open && !drain->sample_open;
}

bool drain_is_over(const struct drain *drain)
{
	return drain->is_over;
}
