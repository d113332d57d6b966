/* Calibration: predictions are judged when their turn comes, sampled over long waits, and void
 * after a pause. */
#include "waitingroom/calibration.h"

#include "support/cmocka.h"

#include <string.h>

static struct wait_model steady(double rate_per_s)
{
	return (struct wait_model){
		.rate_low = rate_per_s, .rate_mid = rate_per_s, .rate_high = rate_per_s, .known = true};
}

static void leave(struct position_index *index, uint64_t first, uint64_t last)
{
	struct ticket_range range = {.first = first, .last = last};
	assert_int_equal(position_index_apply(index, &range, 1), WR_OK);
}

static void a_line_as_fast_as_predicted_is_right(void **state)
{
	(void)state;
	struct calibration calibration = {.probe_count = 0};
	struct position_index *index = position_index_new();
	struct wait_model model = steady(2);
	position_index_set_last(index, 2001);
	calibration_ask(&calibration, 0, index, &model);
	leave(index, 1, 1999);
	calibration_check(&calibration, 999000, index);
	assert_int_equal(calibration.counts.within, 0); /* somebody is before it still */
	leave(index, 2000, 2000);
	calibration_check(&calibration, 1000000, index);
	assert_int_equal(calibration.counts.within, 1);
	assert_true(calibration.counts.ratio_sum > 0.99 && calibration.counts.ratio_sum < 1.01);
	assert_int_equal(calibration.counts.ratio[5], 1); /* 0.9 to 1.1 */
	position_index_free(index);
}

static void a_line_slower_and_faster_than_predicted_is_told_apart(void **state)
{
	(void)state;
	struct position_index *index = position_index_new();
	struct calibration slow = {.probe_count = 0}, fast = {.probe_count = 0};
	struct wait_model model = steady(2);
	position_index_set_last(index, 2001);
	calibration_ask(&slow, 0, index, &model);
	calibration_ask(&fast, 0, index, &model);
	leave(index, 1, 2001); /* its own holder gave up too: the line has come that far all the same */
	calibration_check(&fast, 100000, index);
	calibration_check(&slow, 3000000, index);
	assert_int_equal(fast.counts.early, 1);
	assert_int_equal(fast.counts.ratio[0], 1);
	assert_int_equal(slow.counts.late, 1);
	assert_int_equal(slow.counts.ratio[9], 1); /* 2 to 4 */
	struct calibration_counts sum = {.within = 0};
	calibration_add(&sum, &slow.counts);
	calibration_add(&sum, &fast.counts);
	assert_int_equal(sum.early + sum.late + sum.within, 2);
	position_index_free(index);
}

static void a_pause_voids_what_was_predicted_before(void **state)
{
	(void)state;
	struct calibration calibration = {.probe_count = 0};
	struct position_index *index = position_index_new();
	struct wait_model model = steady(2);
	position_index_set_last(index, 2001);
	calibration_ask(&calibration, 0, index, &model);
	assert_int_equal(calibration.probe_count, 1);
	calibration_forget(&calibration);
	leave(index, 1, 2001);
	calibration_check(&calibration, 1000, index);
	assert_int_equal(calibration.counts.within + calibration.counts.early + calibration.counts.late,
					 0);
	position_index_free(index);
}

static void unknown_and_very_short_waits_are_not_judged(void **state)
{
	(void)state;
	struct calibration calibration = {.probe_count = 0};
	struct position_index *index = position_index_new();
	struct wait_model model = steady(2), unknown = {.known = false};
	calibration_ask(&calibration, 0, index, &model); /* nobody has joined */
	position_index_set_last(index, 5);
	calibration_ask(&calibration, 0, index, &model); /* two seconds */
	position_index_set_last(index, 5000);
	calibration_ask(&calibration, 0, index, &unknown);
	assert_int_equal(calibration.probe_count, 0);
	position_index_free(index);
}

static void a_long_wait_is_sampled_over_its_whole_length(void **state)
{
	(void)state;
	struct calibration calibration = {.probe_count = 0};
	struct position_index *index = position_index_new();
	struct wait_model model = steady(1);
	const int64_t joining_ms = 4 * 3600 * 1000;
	for (int64_t now = 0; now <= joining_ms; now += 250) {
		position_index_set_last(index, 1000 + (uint64_t)now / 100);
		calibration_ask(&calibration, now, index, &model);
		assert_in_range(calibration.probe_count, 0, CALIBRATION_PROBES);
	}
	assert_in_range(calibration.probe_count, CALIBRATION_PROBES / 2, CALIBRATION_PROBES);
	assert_int_equal(calibration.probes[0].at_ms, 0);
	assert_true(calibration.probes[calibration.probe_count - 1].at_ms > joining_ms * 9 / 10);
	leave(index, 1, position_index_last(index));
	calibration_check(&calibration, joining_ms, index);
	assert_int_equal(calibration.probe_count, 0);
	position_index_free(index);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_line_as_fast_as_predicted_is_right),
		cmocka_unit_test(a_line_slower_and_faster_than_predicted_is_told_apart),
		cmocka_unit_test(a_pause_voids_what_was_predicted_before),
		cmocka_unit_test(unknown_and_very_short_waits_are_not_judged),
		cmocka_unit_test(a_long_wait_is_sampled_over_its_whole_length),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
