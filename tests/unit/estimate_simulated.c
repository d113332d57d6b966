/* Estimate: how right it is about simulated lines.
 *
 * 12 000 people at the start, 60 joins and 200 admissions a minute. Every minute everybody of a
 * sample is told a wait; whoever is then let in after more than a minute tells how wrong it was.
 */
#include "waitingroom/estimate.h"

#include "support/cmocka.h"
#include "support/dice.h"
#include "waitingroom/position_index.h"

#include <math.h>
#include <string.h>

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
	for (size_t i = 0; i < sizeof(scenarios) / sizeof(scenarios[0]); i++) {
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
		cmocka_unit_test(estimates_of_simulated_lines_are_right_within_a_few_percent),
		cmocka_unit_test(counting_those_who_give_up_takes_the_bias_away),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
