/* Estimate: the formula, when it says "unknown", and how right it is about simulated lines. */
#include "waitingroom/estimate.h"

#include "support/cmocka.h"
#include "support/dice.h"
#include "waitingroom/position_index.h"

#include <math.h>
#include <string.h>

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

/* ---- simulation: how right is it? ----
 *
 * 12 000 people at the start, 60 joins and 200 admissions a minute. Every minute everybody of a
 * sample is told a wait; whoever is then let in after more than a minute tells how wrong it was. */

enum {
	AT_START = 12000,
	SECONDS = 9000,
	PEOPLE = AT_START + SECONDS,
	SAMPLE = 61,
	TOLD_MAX = 400000,
	PAUSE_FROM = 1800,
	PAUSE_TO = 2400,
	HALVES_AT = 1800,
};
#define ADMISSIONS_PER_S (200.0 / 60)
#define PATIENCE_S 3600.0 /* 1/60 leave per minute */

struct scenario {
	const char *name;
	bool give_up, noisy, halves, pauses;
	int judged_from_s;					  /* nobody foresees that the rate will halve */
	double error_max, bias_max, late_max; /* in percent */
};

struct told {
	unsigned person;
	int second;
	double mean_s, plain_s; /* plain: people ahead by rate, as if nobody gave up */
	int64_t high_s;
};

static struct {
	struct position_index *index;
	int leaves[PEOPLE + 1]; /* second; or never */
	int admitted_at[PEOPLE + 1];
	bool is_gone[PEOPLE + 1];
	unsigned next_leaving[PEOPLE + 1], leaving_at[SECONDS + 1]; /* lists by second */
	unsigned joined, head;
	uint64_t admitted, gone;
	struct told told[TOLD_MAX];
	size_t told_count;
} sim;

static void sim_join(int second, bool gives_up)
{
	unsigned person = ++sim.joined;
	double patience = gives_up ? -log(1 - dice_fraction()) * PATIENCE_S : SECONDS;
	int leaves = second + 1 + (int)fmin(patience, SECONDS);
	if (leaves <= SECONDS) {
		sim.next_leaving[person] = sim.leaving_at[leaves];
		sim.leaving_at[leaves] = person;
	}
}

static void sim_go(unsigned person)
{
	struct ticket_range range = {person, person};
	assert_int_equal(position_index_apply(sim.index, &range, 1), WR_OK);
	sim.is_gone[person] = true;
	sim.gone++;
}

static void sim_admit(int second)
{
	while (sim.head <= sim.joined && sim.is_gone[sim.head])
		sim.head++;
	if (sim.head > sim.joined)
		return;
	sim.admitted_at[sim.head] = second;
	sim.admitted++;
	sim_go(sim.head);
}

static bool is_paused(const struct scenario *scenario, int second)
{
	return scenario->pauses && second >= PAUSE_FROM && second < PAUSE_TO;
}

static double rate_at(const struct scenario *scenario, int second, double noise)
{
	double rate = ADMISSIONS_PER_S * (scenario->noisy ? noise : 1);
	return scenario->halves && second >= HALVES_AT ? rate / 2 : rate;
}

static void sim_tell(const struct wait_model *model, int second)
{
	for (unsigned person = SAMPLE; model->known && person <= sim.joined; person += SAMPLE) {
		struct index_answer place;
		assert_int_equal(position_index_find(sim.index, person, &place), WR_OK);
		if (!place.in_line)
			continue;
		assert_true(sim.told_count < TOLD_MAX);
		sim.told[sim.told_count++] =
			(struct told){.person = person,
						  .second = second,
						  .mean_s = wait_mean_s(model, place.position - 1),
						  .plain_s = (double)(place.position - 1) / model->rate_mid,
						  .high_s = wait_estimate(model, place.position - 1).high_s};
	}
}

static void sim_run(const struct scenario *scenario)
{
	memset(&sim, 0, sizeof(sim));
	sim.index = position_index_new();
	sim.head = 1;
	struct estimator estimator = {.started = false};
	double allowance = 0, noise = 1;
	for (int second = 0; second < SECONDS; second++) {
		for (unsigned joins = second == 0 ? AT_START : 1; joins; joins--)
			sim_join(second, scenario->give_up);
		position_index_set_last(sim.index, sim.joined);
		for (unsigned person = sim.leaving_at[second]; person; person = sim.next_leaving[person])
			if (!sim.is_gone[person])
				sim_go(person);
		if (second % 10 == 0)
			noise = 0.4 + dice_fraction() * 1.2;
		bool paused = is_paused(scenario, second);
		allowance += paused ? 0 : rate_at(scenario, second, noise);
		for (; allowance >= 1; allowance--)
			sim_admit(second);
		estimator_observe(&estimator, second * 1000, sim.admitted, sim.gone, sim.joined - sim.gone,
						  paused);
		bool binds = scenario->halves && second >= HALVES_AT;
		struct wait_model model =
			estimator_model(&estimator, second * 1000, ADMISSIONS_PER_S, binds, paused);
		if (second % 60 == 59)
			sim_tell(&model, second);
	}
	position_index_free(sim.index);
}

struct verdict {
	double error, bias, plain_bias, late; /* percent */
};

static struct verdict sim_judge(int from_s)
{
	struct verdict verdict = {0};
	double count = 0;
	for (size_t i = 0; i < sim.told_count; i++) {
		const struct told *told = &sim.told[i];
		int actual_s = sim.admitted_at[told->person] - told->second;
		if (told->second < from_s || sim.admitted_at[told->person] == 0 || actual_s <= 60)
			continue;
		count++;
		verdict.error += fabs(told->mean_s / actual_s - 1) * 100;
		verdict.bias += (told->mean_s / actual_s - 1) * 100;
		verdict.plain_bias += (told->plain_s / actual_s - 1) * 100;
		verdict.late += actual_s > told->high_s ? 100 : 0;
	}
	assert_true(count > 300);
	return (struct verdict){verdict.error / count, verdict.bias / count, verdict.plain_bias / count,
							verdict.late / count};
}

static const struct scenario scenarios[] = {
	{.name = "steady", .error_max = 1, .bias_max = 1, .late_max = 1},
	{.name = "noisy", .noisy = true, .error_max = 10, .bias_max = 7, .late_max = 5},
	{.name = "people give up", .give_up = true, .error_max = 2, .bias_max = 2, .late_max = 1},
	{.name = "people give up, noisy",
	 .give_up = true,
	 .noisy = true,
	 .error_max = 12,
	 .bias_max = 9,
	 .late_max = 5},
	{.name = "people give up, rate halves",
	 .give_up = true,
	 .halves = true,
	 .judged_from_s = HALVES_AT + 600,
	 .error_max = 8,
	 .bias_max = 8,
	 .late_max = 1},
	{.name = "people give up, pause",
	 .give_up = true,
	 .pauses = true,
	 .judged_from_s = PAUSE_TO,
	 .error_max = 3,
	 .bias_max = 3,
	 .late_max = 1},
};

static void estimates_of_simulated_lines_are_right_within_a_few_percent(void **state)
{
	(void)state;
	dice_start();
	for (size_t i = 0; i < COUNT_OF(scenarios); i++) {
		const struct scenario *scenario = &scenarios[i];
		sim_run(scenario);
		struct verdict verdict = sim_judge(scenario->judged_from_s);
		print_message("# %s: error %.1f %%, bias %+.1f %%, later than the range %.1f %%\n",
					  scenario->name, verdict.error, verdict.bias, verdict.late);
		assert_true(verdict.error <= scenario->error_max);
		assert_true(fabs(verdict.bias) <= scenario->bias_max);
		assert_true(verdict.late <= scenario->late_max);
	}
}

static void counting_those_who_give_up_takes_the_bias_away(void **state)
{
	(void)state;
	dice_start();
	sim_run(&(struct scenario){.give_up = true});
	struct verdict verdict = sim_judge(0);
	assert_true(verdict.plain_bias > 4);
	assert_true(fabs(verdict.bias) < verdict.plain_bias / 3);
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
		cmocka_unit_test(estimates_of_simulated_lines_are_right_within_a_few_percent),
		cmocka_unit_test(counting_those_who_give_up_takes_the_bias_away),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
