/* The figures by the minute: what follows from an hour of them. */
#include "waitingroom/stats.h"
#include "support/cmocka.h"

#include <string.h>

#define NOW_MS (1700000000000 / 60000 * 60000 + 15000) /* a quarter of a minute has gone */

static void assert_near(double is, double should)
{
	if (is < should - 1e-9 || is > should + 1e-9)
		fail_msg("%g is not %g", is, should);
}

static void an_hour_without_notes_has_no_people_and_no_samples(void **state)
{
	(void)state;
	struct queue_stats stats;
	queue_stats_init(&stats, NOW_MS);
	assert_int_equal(stats.from_ms, NOW_MS - 15000 - 59 * 60000);
	for (int i = 0; i < STATS_MINUTES; i++) {
		assert_int_equal(stats.of[STAT_JOINED][i], 0);
		assert_int_equal(stats.of[STAT_WAITING][i], STAT_UNKNOWN);
	}
	assert_int_equal(queue_stats_sum(&stats, STAT_WAITING), 0);
}

static void the_last_minute_counts_by_what_is_left_of_it(void **state)
{
	(void)state;
	struct queue_stats stats;
	queue_stats_init(&stats, NOW_MS);
	stats.of[STAT_JOINED][STATS_MINUTES - 1] = 10;
	stats.of[STAT_JOINED][STATS_MINUTES - 2] = 100;
	stats.of[STAT_JOINED][STATS_MINUTES - 3] = 1000;
	assert_near(queue_stats_per_minute(&stats, STAT_JOINED), 85);
	assert_int_equal(queue_stats_sum(&stats, STAT_JOINED), 1110);
}

static void no_shows_are_a_share_of_those_who_were_let_in(void **state)
{
	(void)state;
	struct queue_stats stats;
	queue_stats_init(&stats, NOW_MS);
	assert_true(queue_stats_no_show_share(&stats) < 0);
	stats.of[STAT_ADMITTED][3] = 30;
	stats.of[STAT_ADMITTED][59] = 10;
	stats.of[STAT_MISSED][40] = 4;
	assert_near(queue_stats_no_show_share(&stats), 0.1);
	stats.of[STAT_MISSED][0] = 100; /* who were let in before */
	assert_near(queue_stats_no_show_share(&stats), 1);
}

static int64_t sum_of(const struct stat_sum *sums, int count, enum stat_kind stat)
{
	for (int i = 0; i < count; i++)
		if (sums[i].stat == stat)
			return sums[i].n;
	return 0;
}

static void a_pod_tells_what_is_new_since_it_last_told(void **state)
{
	(void)state;
	struct calibration_counts told = {.within = 5, .late = 1, .ratio_sum = 6.5};
	struct calibration_counts now = {.within = 7, .late = 1, .early = 1, .ratio_sum = 9.25};
	struct stat_sum sums[STAT_SUMS_MAX];
	int count = queue_stats_news(&told, &now, sums);
	assert_int_equal(count, 3);
	assert_int_equal(sum_of(sums, count, STAT_ETA_WITHIN), 2);
	assert_int_equal(sum_of(sums, count, STAT_ETA_EARLY), 1);
	assert_int_equal(sum_of(sums, count, STAT_ETA_RATIO), 2750);
	assert_int_equal(queue_stats_news(&now, &now, sums), 0);
	assert_int_equal(queue_stats_news(&now, &told, sums), 0); /* a lane was taken away */
}

static void every_figure_has_a_name_of_its_own(void **state)
{
	(void)state;
	for (int i = 0; i < STAT_COUNT; i++)
		for (int k = 0; k < i; k++)
			assert_string_not_equal(stat_word((enum stat_kind)i), stat_word((enum stat_kind)k));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_hour_without_notes_has_no_people_and_no_samples),
		cmocka_unit_test(the_last_minute_counts_by_what_is_left_of_it),
		cmocka_unit_test(no_shows_are_a_share_of_those_who_were_let_in),
		cmocka_unit_test(a_pod_tells_what_is_new_since_it_last_told),
		cmocka_unit_test(every_figure_has_a_name_of_its_own),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
