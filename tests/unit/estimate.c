/* Estimate: the formula, and when it says "unknown". How right it is says estimate_simulated.c. */
#include "waitingroom/estimate.h"

#include "support/cmocka.h"
#include "support/dice.h"

#include <math.h>

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

static void assert_near(double value, double expected, double tolerance)
{
	if (!(fabs(value - expected) <= tolerance))
		fail_msg("%g is not %g ± %g", value, expected, tolerance);
}

/* ---- the formula ---- */

static struct wait_model steady(double rate_per_s, double hazard_per_s)
{
	return (struct wait_model){.rate_low = rate_per_s,
							   .rate_mid = rate_per_s,
							   .rate_high = rate_per_s,
							   .hazard_per_s = hazard_per_s,
							   .known = true};
}

static void without_giving_up_the_wait_is_people_over_rate(void **state)
{
	(void)state;
	struct wait_model model = steady(2, 0);
	assert_near(wait_mean_s(&model, 0), 0, 0);
	assert_near(wait_mean_s(&model, 600), 300, 1e-9);
}

static void with_giving_up_the_wait_is_the_sum_over_those_ahead(void **state)
{
	(void)state;
	double rate = 3.0, hazard = 1.0 / 3600, sum = 0;
	for (unsigned k = 0; k < 12000; k++)
		sum += 1 / (rate + k * hazard);
	struct wait_model model = steady(rate, hazard);
	assert_near(wait_mean_s(&model, 12000), sum, 0.2);
	assert_true(wait_mean_s(&model, 12000) < 12000 / rate * 0.75);
}

static void the_logarithm_joins_the_plain_quotient_without_a_step(void **state)
{
	(void)state;
	struct wait_model below = steady(1, 0.000999e-3), above = steady(1, 0.001001e-3);
	double jump = wait_mean_s(&above, 1000) / wait_mean_s(&below, 1000);
	assert_near(jump, 1, 0.001);
}

static const struct {
	double rate_per_s;
	uint64_t ahead;
	int64_t low_s, high_s;
} ranges[] = {
	{1, 0, 0, 0},
	{1, 1, 0, 60},				/* 1 ± 1 s */
	{1, 400, 360, 420},			/* 380..420 */
	{1, 3000, 2700, 3300},		/* 2945..3055, fives */
	{1, 10000, 9900, 10800},	/* 9900..10100, quarters */
	{1, 86000, 85500, 86400},	/* 85706..86294 */
	{1, 1000000, 90000, 90000}, /* more than a day */
	{0.001, 500000000, 90000, 90000},
};

static void ranges_are_rounded_outward_and_capped(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(ranges); i++) {
		struct wait_model model = steady(ranges[i].rate_per_s, 0);
		struct wait_range range = wait_estimate(&model, ranges[i].ahead);
		assert_true(range.known);
		assert_int_equal(range.low_s, ranges[i].low_s);
		assert_int_equal(range.high_s, ranges[i].high_s);
	}
}

static void a_range_holds_the_mean_and_is_never_upside_down(void **state)
{
	(void)state;
	dice_start();
	for (unsigned round = 0; round < 20000; round++) {
		struct wait_model model = steady(pow(10, dice_fraction() * 7 - 4), 0);
		model.hazard_per_s = dice(2) ? 0 : pow(10, dice_fraction() * 6 - 6);
		model.rate_low /= 1 + dice_fraction() * 2;
		model.rate_high *= 1 + dice_fraction() * 2;
		uint64_t ahead = dice(dice(2) ? 100 : 10000000);
		double mean = wait_mean_s(&model, ahead);
		struct wait_range range = wait_estimate(&model, ahead);
		assert_true(range.low_s >= 0 && range.low_s <= range.high_s && range.high_s <= 90000);
		assert_true((double)range.low_s <= mean || range.low_s == 90000);
		assert_true((double)range.high_s >= mean || range.high_s == 90000);
	}
}

/* ---- known and unknown ---- */

#define RATE_PER_S 2.0

/* A line that moves evenly, RATE_PER_S people a second, observed four times a second. */
struct line {
	struct estimator estimator;
	int64_t now_ms;
	uint64_t admitted, gone, waiting;
};

static struct line line_start(void)
{
	return (struct line){.now_ms = 1700000000000, .waiting = 10000};
}

static void line_go(struct line *line, int64_t seconds, double rate_per_s, bool paused)
{
	uint64_t before = line->admitted;
	for (int64_t quarter = 0; quarter <= seconds * 4; quarter++) {
		uint64_t admitted = before + (uint64_t)(rate_per_s * (double)quarter / 4);
		line->gone += admitted - line->admitted;
		line->admitted = admitted;
		estimator_observe(&line->estimator, line->now_ms + quarter * 250, line->admitted,
						  line->gone, line->waiting, paused);
	}
	line->now_ms += seconds * 1000;
}

static struct wait_model line_model(const struct line *line, double configured, bool binds)
{
	return estimator_model(&line->estimator, line->now_ms, configured, binds, false);
}

static void before_there_is_history_the_configured_rate_serves(void **state)
{
	(void)state;
	struct line line = line_start();
	line_go(&line, 1, RATE_PER_S, false);
	struct wait_model model = line_model(&line, 5, false);
	assert_true(model.known);
	assert_near(model.rate_mid, 5, 0);
	assert_false(line_model(&line, 5, true).known);	 /* capacity decides, and nothing is measured */
	assert_false(line_model(&line, 0, false).known); /* nobody is let in */
}

static void an_estimator_that_has_seen_nothing_knows_nothing(void **state)
{
	(void)state;
	struct estimator estimator = {.started = false};
	assert_false(estimator_model(&estimator, 1000, 5, false, false).known);
	assert_false(wait_estimate(&(struct wait_model){.known = false}, 5).known);
}

static void history_outweighs_the_configured_rate(void **state)
{
	(void)state;
	struct line line = line_start();
	line_go(&line, 40, RATE_PER_S, false);
	double early = line_model(&line, 4, false).rate_mid;
	line_go(&line, 860, RATE_PER_S, false);
	double late = line_model(&line, 4, false).rate_mid;
	assert_true(early > 3 && early < 4);
	assert_near(late, RATE_PER_S, 0.15);
	assert_near(line_model(&line, 4, true).rate_mid, RATE_PER_S, 0.01);
}

static void after_another_rate_was_set_it_counts_at_once(void **state)
{
	(void)state;
	struct line line = line_start();
	line_go(&line, 900, RATE_PER_S, false);
	line.gone += 3000; /* and people give up */
	line_go(&line, 10, RATE_PER_S, false);
	double hazard = line_model(&line, RATE_PER_S, false).hazard_per_s;
	assert_true(hazard > 0);
	estimator_forget_rate(&line.estimator);
	assert_false(line_model(&line, 20, false).known);
	line_go(&line, 1, 20, false);
	struct wait_model model = line_model(&line, 20, false);
	struct wait_model assumed = wait_model_assumed(20, hazard);
	assert_near(model.rate_low, assumed.rate_low, 0);
	assert_near(model.rate_mid, assumed.rate_mid, 0);
	assert_near(model.rate_high, assumed.rate_high, 0);
	assert_near(model.hazard_per_s, hazard, 0);
}

static void a_pause_freezes_both_averages(void **state)
{
	(void)state;
	struct line line = line_start();
	line_go(&line, 900, RATE_PER_S, false);
	struct wait_model before = line_model(&line, RATE_PER_S, false);
	line_go(&line, 3600, 0, true);
	assert_false(estimator_model(&line.estimator, line.now_ms, RATE_PER_S, false, true).known);
	line_go(&line, 15, RATE_PER_S, false);
	struct wait_model after = line_model(&line, RATE_PER_S, false);
	assert_true(after.known);
	assert_near(after.rate_mid, before.rate_mid, 0.01);
	assert_near(after.rate_low, before.rate_low, 0.01);
}

static void an_empty_line_says_nothing_about_its_speed(void **state)
{
	(void)state;
	struct line line = line_start();
	line_go(&line, 900, RATE_PER_S, false);
	line.waiting = 0;
	line_go(&line, 3600, RATE_PER_S / 20, false); /* people come in as they arrive */
	line.waiting = 500;
	assert_near(line_model(&line, RATE_PER_S, false).rate_mid, RATE_PER_S, 0.01);
}

static void a_line_that_stands_still_for_a_minute_is_unknown(void **state)
{
	(void)state;
	struct line line = line_start();
	line_go(&line, 300, RATE_PER_S, false);
	line_go(&line, 55, 0, false);
	assert_true(line_model(&line, RATE_PER_S, false).known);
	line_go(&line, 10, 0, false);
	assert_false(line_model(&line, RATE_PER_S, false).known);
	line_go(&line, 1, RATE_PER_S, false);
	assert_true(line_model(&line, RATE_PER_S, false).known);
}

static void a_slow_line_is_not_taken_for_one_that_stands_still(void **state)
{
	(void)state;
	struct line line = line_start();
	double one_in_two_minutes = 1 / 120.0;
	line.waiting = 20;
	line_go(&line, 1800, one_in_two_minutes, false);
	line_go(&line, 100, 0, false);
	struct wait_model model = line_model(&line, one_in_two_minutes, false);
	assert_true(model.known);
	struct wait_range range = wait_estimate(&model, 5);
	assert_true(range.low_s <= 600 && range.high_s >= 600);
	assert_true(range.high_s < 7200); /* buckets without anybody do not mean "never" */
}

static void the_range_comes_from_the_slow_and_the_quick_buckets(void **state)
{
	(void)state;
	struct line line = line_start();
	static const double rates[] = {0.5, 1, 1, 2, 2, 2, 2, 3, 3, 3.5};
	for (unsigned bucket = 0; bucket < 90; bucket++)
		line_go(&line, 10, rates[bucket % 10], false);
	struct wait_model model = line_model(&line, RATE_PER_S, false);
	assert_near(model.rate_low, 1, 0.2);
	assert_near(model.rate_mid, 2, 0.2);
	assert_near(model.rate_high, 3, 0.2);
	struct wait_range range = wait_estimate(&model, 7200);
	assert_true(range.low_s <= 2400 && range.low_s >= 1800);
	assert_true(range.high_s >= 7200 && range.high_s <= 9900);
}

static void totals_or_clocks_that_go_back_begin_a_new_bucket(void **state)
{
	(void)state;
	struct line line = line_start();
	line_go(&line, 300, RATE_PER_S, false);
	double rate = line.estimator.rate_per_s;
	line.admitted = line.gone = 10; /* the store lost everything */
	line_go(&line, 60, RATE_PER_S, false);
	assert_near(line.estimator.rate_per_s, rate, 0.02);
	line.now_ms -= 3600000;
	line_go(&line, 60, RATE_PER_S, false);
	assert_near(line.estimator.rate_per_s, rate, 0.02);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(without_giving_up_the_wait_is_people_over_rate),
		cmocka_unit_test(with_giving_up_the_wait_is_the_sum_over_those_ahead),
		cmocka_unit_test(the_logarithm_joins_the_plain_quotient_without_a_step),
		cmocka_unit_test(ranges_are_rounded_outward_and_capped),
		cmocka_unit_test(a_range_holds_the_mean_and_is_never_upside_down),
		cmocka_unit_test(before_there_is_history_the_configured_rate_serves),
		cmocka_unit_test(an_estimator_that_has_seen_nothing_knows_nothing),
		cmocka_unit_test(history_outweighs_the_configured_rate),
		cmocka_unit_test(after_another_rate_was_set_it_counts_at_once),
		cmocka_unit_test(a_pause_freezes_both_averages),
		cmocka_unit_test(an_empty_line_says_nothing_about_its_speed),
		cmocka_unit_test(a_line_that_stands_still_for_a_minute_is_unknown),
		cmocka_unit_test(a_slow_line_is_not_taken_for_one_that_stands_still),
		cmocka_unit_test(the_range_comes_from_the_slow_and_the_quick_buckets),
		cmocka_unit_test(totals_or_clocks_that_go_back_begin_a_new_bucket),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
