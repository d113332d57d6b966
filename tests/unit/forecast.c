/* What other settings would do to the waits of the people who are in line now. */
#include "waitingroom/forecast.h"
#include "support/cmocka.h"

#include <stdio.h>
#include <string.h>

#define NOW_MS 1700000000000

/* 60 a minute, 200 in line, slots free: a line that moves as its rate says. */
struct scene {
	struct queue_settings before, after;
	struct forecast_now now;
	struct forecast forecast;
};

static void set_lane(struct queue_settings *settings, uint32_t lane, const char *name,
					 uint32_t weight)
{
	struct queue_lane *row = &settings->lanes[lane];
	snprintf(row->name, sizeof(row->name), "%s", name);
	row->weight = weight;
	row->open = true;
	if (settings->lane_count <= lane)
		settings->lane_count = lane + 1;
}

static void scene_init(struct scene *scene)
{
	queue_settings_default(&scene->before);
	scene->before.rate_per_minute = 60;
	scene->before.capacity = 1000;
	scene->after = scene->before;
	scene->now = (struct forecast_now){.settings = &scene->before,
									   .now_ms = NOW_MS,
									   .active = 100,
									   .waiting = {200},
									   .model = {wait_model_assumed(1, 0)}};
}

static const struct forecast_row *row_of(const struct scene *scene, const char *lane,
										 const char *place)
{
	for (size_t i = 0; i < scene->forecast.row_count; i++)
		if (strcmp(scene->forecast.rows[i].lane, lane) == 0 &&
			strcmp(scene->forecast.rows[i].place, place) == 0)
			return &scene->forecast.rows[i];
	fail_msg("there is no %s of %s", place, lane);
	return NULL;
}

static void make(struct scene *scene)
{
	forecast_make(&scene->now, &scene->after, &scene->forecast);
}

static void expect_then(const struct scene *scene, const char *place, int64_t low_s, int64_t high_s)
{
	const struct forecast_row *row = row_of(scene, "main", place);
	assert_true(row->then.known);
	if (row->then.low_s != low_s || row->then.high_s != high_s)
		fail_msg("%s: %lld..%lld s", place, (long long)row->then.low_s,
				 (long long)row->then.high_s);
}

static void expect_not_known(const struct scene *scene)
{
	for (size_t i = 0; i < scene->forecast.row_count; i++)
		assert_false(scene->forecast.rows[i].then.known);
}

static void expect_warning(const struct scene *scene, const char *part)
{
	for (size_t i = 0; i < scene->forecast.warning_count; i++)
		if (strstr(scene->forecast.warnings[i].text, part))
			return;
	fail_msg("no warning says \"%s\"", part);
}

/* ---- the rate ---- */

static void twice_the_rate_halves_the_wait(void **state)
{
	(void)state;
	struct scene scene;
	scene_init(&scene);
	scene.after.rate_per_minute = 120;
	make(&scene);
	assert_int_equal(scene.forecast.row_count, 3);
	const struct forecast_row *tail = row_of(&scene, "main", "tail");
	assert_int_equal(tail->ahead, 199);
	struct wait_model twice = wait_model_assumed(2, 0);
	struct wait_range expected = wait_estimate(&twice, 199);
	expect_then(&scene, "tail", expected.low_s, expected.high_s);
	struct wait_model once = wait_model_assumed(1, 0);
	assert_int_equal(tail->now.high_s, wait_estimate(&once, 199).high_s);
	assert_true(tail->then.high_s < tail->now.high_s);
	assert_int_equal(row_of(&scene, "main", "head")->ahead, 0);
	assert_int_equal(row_of(&scene, "main", "middle")->ahead, 100);
	assert_int_equal(scene.forecast.warning_count, 0);
}

static void what_does_not_touch_the_pace_changes_no_wait(void **state)
{
	(void)state;
	struct scene scene;
	scene_init(&scene);
	scene.now.model[0] = (struct wait_model){
		.rate_low = 0.3, .rate_mid = 0.5, .rate_high = 0.6, .hazard_per_s = 0.001, .known = true};
	scene.after.session_ttl_ms = 1000;
	snprintf(scene.after.message, sizeof(scene.after.message), "Hello");
	make(&scene);
	for (size_t i = 0; i < scene.forecast.row_count; i++) {
		const struct forecast_row *row = &scene.forecast.rows[i];
		assert_true(row->now.known && row->then.known);
		assert_int_equal(row->now.low_s, row->then.low_s);
		assert_int_equal(row->now.high_s, row->then.high_s);
	}
}

static void a_rate_of_nothing_is_a_wait_that_nobody_knows(void **state)
{
	(void)state;
	struct scene scene;
	scene_init(&scene);
	scene.after.rate_per_minute = 0;
	make(&scene);
	expect_not_known(&scene);
	expect_warning(&scene, "rate_per_minute: 0 lets nobody in");
}

static void weights_share_the_rate_anew(void **state)
{
	(void)state;
	struct scene scene;
	scene_init(&scene);
	set_lane(&scene.before, 1, "vip", 1);
	scene.after = scene.before;
	set_lane(&scene.after, 1, "vip", 3);
	scene.now.waiting[1] = 50;
	scene.now.model[0] = scene.now.model[1] = wait_model_assumed(0.5, 0);
	make(&scene);
	assert_true(row_of(&scene, "main", "tail")->then.high_s >
				row_of(&scene, "main", "tail")->now.high_s);
	assert_true(row_of(&scene, "vip", "tail")->then.high_s <
				row_of(&scene, "vip", "tail")->now.high_s);
}

/* ---- the capacity ---- */

static void where_the_site_is_full_twice_the_capacity_halves_the_wait(void **state)
{
	(void)state;
	struct scene scene;
	scene_init(&scene);
	scene.before.capacity = 100;
	scene.before.rate_per_minute = scene.after.rate_per_minute = 6000;
	scene.after.capacity = 50;
	scene.now.model[0] = wait_model_assumed(0.4, 0); /* as people leave */
	make(&scene);
	struct wait_model half = wait_model_assumed(0.2, 0);
	struct wait_range expected = wait_estimate(&half, 199);
	expect_then(&scene, "tail", expected.low_s, expected.high_s);
	expect_warning(&scene, "100 people are on the site; nobody is let in before 50 of them");
}

static void where_the_site_is_full_more_rate_helps_nobody(void **state)
{
	(void)state;
	struct scene scene;
	scene_init(&scene);
	scene.before.capacity = scene.after.capacity = 100;
	scene.after.rate_per_minute = 6000;
	scene.now.model[0] = wait_model_assumed(0.4, 0);
	make(&scene);
	const struct forecast_row *tail = row_of(&scene, "main", "tail");
	expect_then(&scene, "tail", tail->now.low_s, tail->now.high_s);
	scene.after.rate_per_minute = 12; /* slower than people leave */
	make(&scene);
	tail = row_of(&scene, "main", "tail");
	assert_true(tail->then.high_s > tail->now.high_s);
}

static void where_the_site_is_full_and_nothing_was_measured_nothing_is_guessed(void **state)
{
	(void)state;
	struct scene scene;
	scene_init(&scene);
	scene.before.capacity = 100;
	scene.after.capacity = 80;
	scene.now.model[0] = (struct wait_model){.known = false};
	make(&scene);
	expect_not_known(&scene);
	scene.after.capacity = 0;
	make(&scene);
	expect_warning(&scene, "capacity: 0 lets nobody in");
}

/* ---- states ---- */

static void who_waits_at_a_pause_is_told_no_time(void **state)
{
	(void)state;
	static const enum queue_state states[] = {QUEUE_PAUSED, QUEUE_HOLD};
	for (int i = 0; i < 2; i++) {
		struct scene scene;
		scene_init(&scene);
		scene.after.state = states[i];
		make(&scene);
		expect_not_known(&scene);
		expect_warning(&scene, "nobody is let in while");
	}
}

static void opening_a_queue_that_paused_goes_by_its_rate(void **state)
{
	(void)state;
	struct scene scene;
	scene_init(&scene);
	scene.before.state = QUEUE_PAUSED;
	scene.now.model[0] = (struct wait_model){.known = false};
	make(&scene);
	struct wait_model model = wait_model_assumed(1, 0);
	struct wait_range expected = wait_estimate(&model, 199);
	assert_false(row_of(&scene, "main", "tail")->now.known);
	expect_then(&scene, "tail", expected.low_s, expected.high_s);
}

static void everybody_passes_at_once_or_drains_into_the_free_slots(void **state)
{
	(void)state;
	struct scene scene;
	scene_init(&scene);
	scene.after.state = QUEUE_PASSTHROUGH;
	make(&scene);
	expect_then(&scene, "tail", 0, 0);
	expect_warning(&scene, "whatever the capacity");
	scene.after.state = QUEUE_DRAINING;
	make(&scene);
	expect_then(&scene, "tail", 0, 0); /* 900 slots for 200 people */
	expect_warning(&scene, "nobody may join");
	scene.now.active = 1000;
	make(&scene);
	struct wait_model model = wait_model_assumed(1, 0);
	struct wait_range expected = wait_estimate(&model, 199);
	expect_then(&scene, "tail", expected.low_s, expected.high_s);
}

static void a_queue_that_opens_later_or_is_rebuilt_tells_no_time(void **state)
{
	(void)state;
	struct scene scene;
	scene_init(&scene);
	scene.after.opens_at_ms = NOW_MS + 90000;
	make(&scene);
	expect_not_known(&scene);
	expect_warning(&scene, "nobody is let in for 90 seconds");
	scene_init(&scene);
	scene.now.recovering = true;
	scene.after.rate_per_minute = 600;
	make(&scene);
	expect_not_known(&scene);
}

static void a_lane_that_would_be_gone_is_warned_of(void **state)
{
	(void)state;
	struct scene scene;
	scene_init(&scene);
	set_lane(&scene.before, 1, "vip", 1);
	scene.now.waiting[1] = 7;
	make(&scene);
	assert_false(row_of(&scene, "vip", "head")->then.known);
	expect_warning(&scene, "7 people stand in the lane \"vip\"");
}

static void a_line_that_is_longer_than_allowed_is_warned_of(void **state)
{
	(void)state;
	struct scene scene;
	scene_init(&scene);
	scene.after.max_waiting = 200;
	scene.after.heartbeat_ttl_ms = 200000;
	make(&scene);
	expect_warning(&scene, "max_waiting: 200 people are in line");
	expect_warning(&scene, "heartbeat_ttl_ms: who has not been heard of for 200000 ms");
}

static void an_empty_line_has_no_waits(void **state)
{
	(void)state;
	struct scene scene;
	scene_init(&scene);
	scene.now.waiting[0] = 0;
	make(&scene);
	assert_int_equal(scene.forecast.row_count, 0);
	scene.now.waiting[0] = 1;
	make(&scene);
	assert_int_equal(scene.forecast.row_count, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(twice_the_rate_halves_the_wait),
		cmocka_unit_test(what_does_not_touch_the_pace_changes_no_wait),
		cmocka_unit_test(a_rate_of_nothing_is_a_wait_that_nobody_knows),
		cmocka_unit_test(weights_share_the_rate_anew),
		cmocka_unit_test(where_the_site_is_full_twice_the_capacity_halves_the_wait),
		cmocka_unit_test(where_the_site_is_full_more_rate_helps_nobody),
		cmocka_unit_test(where_the_site_is_full_and_nothing_was_measured_nothing_is_guessed),
		cmocka_unit_test(who_waits_at_a_pause_is_told_no_time),
		cmocka_unit_test(opening_a_queue_that_paused_goes_by_its_rate),
		cmocka_unit_test(everybody_passes_at_once_or_drains_into_the_free_slots),
		cmocka_unit_test(a_queue_that_opens_later_or_is_rebuilt_tells_no_time),
		cmocka_unit_test(a_lane_that_would_be_gone_is_warned_of),
		cmocka_unit_test(a_line_that_is_longer_than_allowed_is_warned_of),
		cmocka_unit_test(an_empty_line_has_no_waits),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
