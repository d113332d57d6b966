/* Histogram: quantiles within 1/64, whatever the size. */
#include "cmd/wrload/histogram.h"

#include "cmd/wrload/dice.h"
#include "support/cmocka.h"
#include <stdlib.h>

static struct histogram histogram;

static int begin(void **state)
{
	(void)state;
	histogram_clear(&histogram);
	return 0;
}

static void an_empty_histogram_says_0(void **state)
{
	(void)state;
	assert_int_equal(histogram_quantile_us(&histogram, 0.5), 0);
	assert_int_equal(histogram_quantile_us(&histogram, 1), 0);
}

static void a_single_duration_is_every_quantile(void **state)
{
	(void)state;
	histogram_add(&histogram, 123456);
	assert_int_equal(histogram_quantile_us(&histogram, 0), 123456);
	assert_int_equal(histogram_quantile_us(&histogram, 0.5), 123456);
	assert_int_equal(histogram_quantile_us(&histogram, 1), 123456);
}

static void small_durations_are_exact(void **state)
{
	(void)state;
	for (int64_t i = 1; i <= 100; i++)
		histogram_add(&histogram, i);
	for (int64_t i = 1; i < 64; i++)
		assert_int_equal(histogram_quantile_us(&histogram, (double)i / 100), i);
}

static int ascending(const void *a, const void *b)
{
	int64_t left = *(const int64_t *)a, right = *(const int64_t *)b;
	return (left > right) - (left < right);
}

static void quantiles_are_right_to_one_part_in_64(void **state)
{
	(void)state;
	enum { COUNT = 20000 };
	static int64_t durations[COUNT];
	uint64_t seed = 20240607, dice = seed;
	print_message("seed %lu\n", (unsigned long)seed);
	for (size_t i = 0; i < COUNT; i++) { /* all sizes up to 2^32 µs are equally likely */
		durations[i] = (int64_t)(dice_roll(&dice) >> 32 >> dice_between(&dice, 0, 31));
		histogram_add(&histogram, durations[i]);
	}
	qsort(durations, COUNT, sizeof(durations[0]), ascending);
	for (size_t i = 1; i <= COUNT; i++) {
		int64_t exact = durations[i - 1];
		int64_t told = histogram_quantile_us(&histogram, ((double)i - 0.5) / COUNT);
		assert_true(told >= exact && told <= exact + exact / 64);
	}
	assert_int_equal(histogram_quantile_us(&histogram, 1), durations[COUNT - 1]);
}

static void the_worst_of_a_thousand_shows_in_the_last_thousandth_only(void **state)
{
	(void)state;
	for (int i = 0; i < 999; i++)
		histogram_add(&histogram, 10);
	histogram_add(&histogram, 2000000);
	assert_int_equal(histogram_quantile_us(&histogram, 0.999), 10);
	assert_int_equal(histogram_quantile_us(&histogram, 0.9991), 2000000);
}

static void durations_beyond_the_last_bucket_keep_their_maximum(void **state)
{
	(void)state;
	histogram_add(&histogram, INT64_MAX);
	histogram_add(&histogram, -5);
	assert_int_equal(histogram_quantile_us(&histogram, 0.5), 0);
	assert_int_equal(histogram_quantile_us(&histogram, 1), INT64_MAX);
}

#define HISTOGRAM_TEST(test) cmocka_unit_test_setup(test, begin)
int main(void)
{
	const struct CMUnitTest tests[] = {
		HISTOGRAM_TEST(an_empty_histogram_says_0),
		HISTOGRAM_TEST(a_single_duration_is_every_quantile),
		HISTOGRAM_TEST(small_durations_are_exact),
		HISTOGRAM_TEST(quantiles_are_right_to_one_part_in_64),
		HISTOGRAM_TEST(the_worst_of_a_thousand_shows_in_the_last_thousandth_only),
		HISTOGRAM_TEST(durations_beyond_the_last_bucket_keep_their_maximum),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
