/* Forecast: the wait models of other settings.
 *
 * The rate decides as long as slots are free: the model is then the one that estimates begin with
 * after a change (estimate.c), so a dry run says what visitors will be shown. Where the capacity
 * decides, because as many are on the site as it would hold, people go in as others leave: the pace
 * at which they do now, in proportion to how many there would be (Little's law: as long as people
 * stay as long as they do, twice the people leave twice as often). The slower of the two counts.
 */
#include "waitingroom/forecast.h"

#include <math.h>
#include <string.h>

static bool lets_in(const struct queue_settings *settings, int64_t now_ms)
{
	enum queue_state state = queue_settings_state_at(settings, now_ms);
	if (state == QUEUE_CLOSED)
		return now_ms >= settings->opens_at_ms;
	return state == QUEUE_OPEN || state == QUEUE_DRAINING || state == QUEUE_PASSTHROUGH;
}

/* ---- waits ---- */

/* Nothing that the pace of this lane comes from is another: what is measured still counts. */
static bool is_same_pace(const struct forecast_now *now, uint32_t from,
						 const struct queue_settings *then, int to)
{
	return now->settings->capacity == then->capacity &&
		   queue_settings_state_at(now->settings, now->now_ms) ==
			   queue_settings_state_at(then, now->now_ms) &&
		   lets_in(now->settings, now->now_ms) == lets_in(then, now->now_ms) &&
		   !(fabs(queue_settings_lane_rate_per_s(now->settings, from) -
				  queue_settings_lane_rate_per_s(then, (size_t)to)) > 0);
}

static struct wait_model model_then(const struct forecast_now *now, uint32_t from,
									const struct queue_settings *then, int to)
{
	const struct wait_model *model = &now->model[from];
	const struct wait_model unknown = {.known = false};
	bool drains = then->state == QUEUE_DRAINING;
	double rate = drains ? INFINITY : queue_settings_lane_rate_per_s(then, (size_t)to);
	if ((int64_t)now->active >= then->capacity || drains) {
		if (!model->known || now->active == 0)
			return unknown;
		double leaving = model->rate_mid * (double)then->capacity / (double)now->active *
						 queue_settings_lane_share(then, (size_t)to) /
						 queue_settings_lane_share(now->settings, from);
		rate = fmin(rate, leaving);
	}
	return wait_model_assumed(rate, model->known ? model->hazard_per_s : 0);
}

static struct wait_range wait_then(const struct forecast_now *now, uint32_t from,
								   const struct queue_settings *then, uint64_t ahead)
{
	const struct wait_range unknown = {.known = false}, at_once = {.known = true};
	int to = queue_settings_lane(then, now->settings->lanes[from].name);
	if (to < 0 || now->recovering || !lets_in(then, now->now_ms))
		return unknown;
	if (then->state == QUEUE_PASSTHROUGH)
		return at_once;
	if (is_same_pace(now, from, then, to))
		return wait_estimate(&now->model[from], ahead);
	int64_t free_slots = then->capacity - (int64_t)now->active;
	if (then->state == QUEUE_DRAINING && free_slots > 0) {
		double share = (double)free_slots * queue_settings_lane_share(then, (size_t)to);
		if ((double)ahead < share)
			return at_once;
		ahead -= (uint64_t)share;
	}
	struct wait_model model = model_then(now, from, then, to);
	return wait_estimate(&model, ahead);
}

static void add_row(const struct forecast_now *now, uint32_t lane, const char *place,
					uint64_t ahead, const struct queue_settings *then, struct forecast *forecast)
{
	forecast->rows[forecast->row_count++] =
		(struct forecast_row){.lane = now->settings->lanes[lane].name,
							  .place = place,
							  .ahead = ahead,
							  .now = wait_estimate(&now->model[lane], ahead),
							  .then = wait_then(now, lane, then, ahead)};
}

/* ---- warnings ---- */

static struct err_detail *warning(struct forecast *forecast)
{
	return &forecast->warnings[forecast->warning_count++];
}

static void warn_of_numbers(const struct forecast_now *now, const struct queue_settings *then,
							uint64_t waiting, struct forecast *forecast)
{
	const struct queue_settings *before = now->settings;
	long long active = (long long)now->active, capacity = (long long)then->capacity;
	if (then->capacity != before->capacity && capacity == 0)
		(void)err_say(warning(forecast), WR_OK, "capacity: 0 lets nobody in.");
	else if (then->capacity != before->capacity && active > capacity)
		(void)err_say(warning(forecast), WR_OK,
					  "capacity: %lld people are on the site; nobody is let in before %lld of them "
					  "have left.",
					  active, active - capacity);
	if (then->rate_per_minute != before->rate_per_minute && then->rate_per_minute == 0)
		(void)err_say(warning(forecast), WR_OK, "rate_per_minute: 0 lets nobody in.");
	if (then->max_waiting != before->max_waiting && (int64_t)waiting >= then->max_waiting)
		(void)err_say(
			warning(forecast), WR_OK,
			"max_waiting: %llu people are in line; nobody may join before there are fewer.",
			(unsigned long long)waiting);
	if (then->heartbeat_ttl_ms < before->heartbeat_ttl_ms)
		(void)err_say(warning(forecast), WR_OK,
					  "heartbeat_ttl_ms: who has not been heard of for %lld ms loses the place at "
					  "once.",
					  (long long)then->heartbeat_ttl_ms);
	if (then->opens_at_ms != before->opens_at_ms && then->opens_at_ms > now->now_ms)
		(void)err_say(warning(forecast), WR_OK, "opens_at_ms: nobody is let in for %lld seconds.",
					  (long long)(then->opens_at_ms - now->now_ms + 999) / 1000);
}

static void warn_of_state(const struct forecast_now *now, const struct queue_settings *then,
						  struct forecast *forecast)
{
	if (then->state == now->settings->state)
		return;
	if (then->state == QUEUE_PAUSED || then->state == QUEUE_HOLD)
		(void)err_say(warning(forecast), WR_OK, "state: nobody is let in while the queue is %s.",
					  queue_state_word(then->state));
	if (queue_state_is_closed(then->state))
		(void)err_say(warning(forecast), WR_OK, "state: nobody may join any more.");
	if (then->state == QUEUE_PASSTHROUGH)
		(void)err_say(warning(forecast), WR_OK,
					  "state: everybody in line is let in at once, whatever the capacity.");
}

static void warn_of_lanes(const struct forecast_now *now, const struct queue_settings *then,
						  struct forecast *forecast)
{
	for (uint32_t i = 0; i < now->settings->lane_count; i++) {
		const char *lane = now->settings->lanes[i].name;
		if (now->waiting[i] > 0 && queue_settings_lane(then, lane) < 0 &&
			forecast->warning_count < FORECAST_WARNINGS_MAX)
			(void)err_say(
				warning(forecast), WR_OK,
				"lanes: %llu people stand in the lane \"%s\"; it cannot be taken away now.",
				(unsigned long long)now->waiting[i], lane);
	}
}

void forecast_make(const struct forecast_now *now, const struct queue_settings *then,
				   struct forecast *ret_forecast)
{
	uint64_t all = 0;
	ret_forecast->row_count = ret_forecast->warning_count = 0;
	for (uint32_t i = 0; i < now->settings->lane_count; i++) {
		uint64_t waiting = now->waiting[i];
		all += waiting;
		if (waiting > 0)
			add_row(now, i, "head", 0, then, ret_forecast);
		if (waiting > 2)
			add_row(now, i, "middle", waiting / 2, then, ret_forecast);
		if (waiting > 1)
			add_row(now, i, "tail", waiting - 1, then, ret_forecast);
	}
	warn_of_numbers(now, then, all, ret_forecast);
	warn_of_state(now, then, ret_forecast);
	warn_of_lanes(now, then, ret_forecast);
}
