/* Crowd: brings visitors in on a schedule fixed beforehand, and knows when it is over.
 *
 * Arrival number n is due at start + n / arrive_per_s, whatever the service does meanwhile: that is
 * what makes the load open. Arrivals that are late (a busy loop) all come at once, each
 * with its own due time, from which its latency counts.
 *
 * Without --forever as many people come as there are slots, and it is over when each of them is
 * done. With --forever arrivals go on, and somebody who finds all slots taken turns back.
 *
 * Four timers run besides the visitors' own: arrivals, ticks (the checker's look at the whole, ten
 * times a second), seconds (the line of progress), end (--duration-s).
 */
#include "crowd.h"

#include "report.h"
#include "waitingroom/memory.h"

#include <math.h>
#include <stdlib.h>

#define TICK_MS 100
#define UNREACHED_MS 15000 /* no answer from anybody for so long: nobody is there */

int64_t crowd_ms(const struct crowd *crowd, struct mono_time at)
{
	return mono_diff_ms(crowd->started, at);
}

/* ---- slots ---- */

void crowd_count_stage(struct crowd *crowd, enum visitor_stage from, enum visitor_stage to)
{
	crowd->in_stage[from]--;
	crowd->in_stage[to]++;
}

static bool is_everybody_done(const struct crowd *crowd)
{
	const struct options *options = crowd->options;
	return !options->forever && crowd->tally.arrived == (uint64_t)options->visitors &&
		   crowd->in_stage[VISITOR_NOBODY] == (uint32_t)options->visitors;
}

void crowd_slot_is_free(struct crowd *crowd, uint32_t slot)
{
	if (crowd->options->forever)
		crowd->free_slots[crowd->free_count++] = slot;
	if (is_everybody_done(crowd))
		loop_stop(crowd->loop);
}

/* ---- timers ---- */

static struct mono_time arrival_due(const struct crowd *crowd, uint64_t number)
{
	double wait_ns = 1e9 / crowd->options->arrive_per_s * (double)number;
	return (struct mono_time){.ns = crowd->started.ns + (int64_t)fmin(wait_ns, 4e18)};
}

static void crowd_admit_newcomer(struct crowd *crowd, struct mono_time due)
{
	uint64_t number = crowd->scheduled;
	if (!crowd->free_count) {
		crowd->tally.turned_back++;
		return;
	}
	uint32_t slot = crowd->free_slots[--crowd->free_count];
	visitor_arrive(&crowd->visitors[slot], crowd, slot, number, due);
}

static void on_arrivals(void *ctx)
{
	struct crowd *crowd = ctx;
	struct mono_time now = loop_now(crowd->loop);
	while (crowd->options->forever || crowd->scheduled < (uint64_t)crowd->options->visitors) {
		struct mono_time due = arrival_due(crowd, crowd->scheduled);
		if (due.ns > now.ns) {
			loop_timer_arm(crowd->arrivals, due);
			return;
		}
		crowd_admit_newcomer(crowd, due);
		crowd->scheduled++;
	}
}

static void on_tick(void *ctx)
{
	struct crowd *crowd = ctx;
	struct mono_time now = loop_now(crowd->loop);
	int64_t now_ms = crowd_ms(crowd, now);
	checker_tick(crowd->checker, now_ms);
	if (!crowd->tally.outcomes[CLIENT_ANSWERED] && now_ms >= UNREACHED_MS)
		loop_stop(crowd->loop);
	loop_timer_arm(crowd->ticks, mono_add_ms(now, TICK_MS));
}

static void on_second(void *ctx)
{
	struct crowd *crowd = ctx;
	if (!crowd->options->quiet)
		report_progress(crowd, stderr);
	crowd->requests_before = crowd->tally.requests;
	histogram_clear(&crowd->tally.this_second);
	loop_timer_arm(crowd->seconds, mono_add_ms(loop_now(crowd->loop), 1000));
}

static void on_end(void *ctx)
{
	struct crowd *crowd = ctx;
	loop_stop(crowd->loop);
}

/* ---- life ---- */

static void crowd_set_up_slots(struct crowd *crowd)
{
	uint32_t slots = (uint32_t)crowd->options->visitors;
	crowd->visitors = mem_alloc_zero(slots, sizeof(*crowd->visitors));
	crowd->free_slots = mem_alloc_zero(slots, sizeof(*crowd->free_slots));
	for (uint32_t i = 0; i < slots; i++)
		crowd->free_slots[i] = slots - 1 - i; /* handed out from the end: 0, 1, 2 … */
	crowd->free_count = slots;
	crowd->in_stage[VISITOR_NOBODY] = slots;
}

enum wr_err crowd_new(struct loop *loop, const struct options *options, FILE *history,
					  struct crowd **ret_crowd, struct err_detail *ret_detail)
{
	struct client *client;
	enum wr_err err = client_new(loop, options->urls, options->url_count,
								 (uint32_t)options->connections, &client, ret_detail);
	if (err)
		return err;
	struct crowd *crowd = mem_alloc_zero(1, sizeof(*crowd));
	crowd->options = options;
	crowd->loop = loop;
	crowd->client = client;
	crowd->history = history;
	crowd->checker =
		checker_new(&(struct checker_limits){.slots = (uint32_t)options->visitors,
											 .capacity = options->capacity,
											 .rate_per_minute = options->rate_per_minute,
											 .burst = options->burst});
	snprintf(crowd->enqueue_body, sizeof(crowd->enqueue_body), "{\"queue_id\":\"%s\"}",
			 options->queue);
	crowd_set_up_slots(crowd);
	crowd->arrivals = loop_timer_new(loop, on_arrivals, crowd);
	crowd->ticks = loop_timer_new(loop, on_tick, crowd);
	crowd->seconds = loop_timer_new(loop, on_second, crowd);
	crowd->end = loop_timer_new(loop, on_end, crowd);
	*ret_crowd = crowd;
	return WR_OK;
}

void crowd_free(struct crowd *crowd)
{
	if (!crowd)
		return;
	client_free(crowd->client);
	for (int64_t i = 0; i < crowd->options->visitors; i++)
		visitor_fini(&crowd->visitors[i]);
	loop_timer_free(crowd->arrivals);
	loop_timer_free(crowd->ticks);
	loop_timer_free(crowd->seconds);
	loop_timer_free(crowd->end);
	checker_free(crowd->checker);
	free(crowd->visitors);
	free(crowd->free_slots);
	free(crowd);
}

void crowd_run(struct crowd *crowd)
{
	crowd->started = clock_mono();
	loop_timer_arm(crowd->arrivals, crowd->started);
	loop_timer_arm(crowd->ticks, mono_add_ms(crowd->started, TICK_MS));
	loop_timer_arm(crowd->seconds, mono_add_ms(crowd->started, 1000));
	if (crowd->options->duration_s > 0)
		loop_timer_arm(crowd->end, mono_add_ms(crowd->started, crowd->options->duration_s * 1000));
	loop_run(crowd->loop);
	crowd->ended = clock_mono();
	checker_tick(crowd->checker, crowd_ms(crowd, crowd->ended));
}

void crowd_interrupt(struct crowd *crowd)
{
	crowd->was_interrupted = true;
	loop_stop(crowd->loop);
}

void crowd_next_phase(struct crowd *crowd)
{
	struct tally *tally = &crowd->tally;
	if (tally->phase + 1 < PHASES_MAX)
		tally->phases[++tally->phase].begun_ms = crowd_ms(crowd, loop_now(crowd->loop));
}
