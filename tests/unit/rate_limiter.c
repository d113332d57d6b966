/* The sliding window: how many pass, when the next one does, and what a full table forgets. */
#include "support/cmocka.h"
#include "waitingroom/router.h"

#include <stdlib.h>
#include <time.h>

#define WINDOW_S 60
#define WINDOW_MS 60000

static uint32_t remaining, reset_s;

static bool take(struct rate_limiter *limiter, uint64_t key, int64_t now_ms)
{
	return rate_limiter_take(limiter, key, now_ms, &remaining, &reset_s);
}

static void a_burst_passes_up_to_the_limit_and_counts_down(void **state)
{
	(void)state;
	struct rate_limiter *limiter = rate_limiter_new(5, WINDOW_S, 64);
	for (uint32_t i = 0; i < 5; i++) {
		assert_true(take(limiter, 1, WINDOW_MS * 100));
		assert_int_equal(remaining, 4 - i);
		assert_int_equal(reset_s, WINDOW_S);
	}
	assert_false(take(limiter, 1, WINDOW_MS * 100));
	assert_int_equal(remaining, 0);
	rate_limiter_free(limiter);
}

static void keys_do_not_share_their_limit(void **state)
{
	(void)state;
	struct rate_limiter *limiter = rate_limiter_new(1, WINDOW_S, 64);
	assert_true(take(limiter, 1, 5));
	assert_false(take(limiter, 1, 5));
	assert_true(take(limiter, 2, 5));
	assert_true(take(limiter, 0, 5)); /* zero is a key like others */
	assert_false(take(limiter, 0, 5));
	rate_limiter_free(limiter);
}

static void the_previous_window_fades_evenly(void **state)
{
	(void)state;
	struct rate_limiter *limiter = rate_limiter_new(10, WINDOW_S, 64);
	for (int i = 0; i < 10; i++)
		assert_true(take(limiter, 7, WINDOW_MS - 1));
	/* Half into the next window, half of the ten still count. */
	int passed = 0;
	for (int i = 0; i < 10; i++)
		passed += take(limiter, 7, WINDOW_MS + WINDOW_MS / 2);
	assert_int_equal(passed, 5);
	rate_limiter_free(limiter);
}

static void two_windows_later_everything_is_forgotten(void **state)
{
	(void)state;
	struct rate_limiter *limiter = rate_limiter_new(3, WINDOW_S, 64);
	for (int i = 0; i < 3; i++)
		assert_true(take(limiter, 7, 0));
	assert_true(take(limiter, 7, 2 * WINDOW_MS));
	assert_int_equal(remaining, 2);
	rate_limiter_free(limiter);
}

static void hammering_does_not_make_the_wait_longer(void **state)
{
	(void)state;
	struct rate_limiter *limiter = rate_limiter_new(2, WINDOW_S, 64);
	assert_true(take(limiter, 7, 0));
	assert_true(take(limiter, 7, 0));
	assert_false(take(limiter, 7, 1000));
	uint32_t told_s = reset_s;
	for (int64_t ms = 1000; ms < told_s * 1000; ms += 10)
		assert_false(take(limiter, 7, ms));
	assert_true(take(limiter, 7, 1000 + told_s * 1000));
	rate_limiter_free(limiter);
}

static void whoever_waits_as_long_as_told_passes(void **state)
{
	(void)state;
	unsigned seed = (unsigned)time(NULL);
	print_message("seed %u\n", seed);
	for (int round = 0; round < 2000; round++) {
		uint32_t limit = (uint32_t)(rand_r(&seed) % 20) + 1;
		struct rate_limiter *limiter = rate_limiter_new(limit, WINDOW_S, 8);
		int64_t now_ms = rand_r(&seed) % 100000;
		bool refused = false;
		for (int i = 0; i < 200 && !refused; i++) {
			now_ms += rand_r(&seed) % 4000;
			refused = !take(limiter, 3, now_ms);
		}
		if (refused && !take(limiter, 3, now_ms + reset_s * 1000))
			fail_msg("limit %u at %lld: refused again after %u s", limit, (long long)now_ms,
					 reset_s);
		rate_limiter_free(limiter);
	}
}

/* In any window of time at most twice the limit can pass, whatever the pattern: the estimate
 * assumes that the previous window was even. */
static void a_window_never_sees_twice_the_limit(void **state)
{
	(void)state;
	unsigned seed = (unsigned)time(NULL);
	print_message("seed %u\n", seed);
	struct rate_limiter *limiter = rate_limiter_new(10, WINDOW_S, 8);
	static int64_t passed[100000];
	int count = 0;
	for (int64_t now_ms = 0; now_ms < 40 * WINDOW_MS; now_ms += rand_r(&seed) % 2000) {
		if (take(limiter, 3, now_ms))
			passed[count++] = now_ms;
	}
	for (int i = 20; i < count; i++)
		assert_true(passed[i] - passed[i - 20] > WINDOW_MS);
	assert_true(count >= 39 * 10 * 9 / 10); /* and not much less than the limit, all the time */
	rate_limiter_free(limiter);
}

static void a_full_table_forgets_the_oldest_and_counts_it(void **state)
{
	(void)state;
	struct rate_limiter *limiter = rate_limiter_new(1, WINDOW_S, 8);
	for (uint64_t key = 1; key <= 8; key++)
		assert_true(take(limiter, key, key == 1 ? 0 : WINDOW_MS));
	assert_int_equal(rate_limiter_evictions(limiter), 0);
	assert_true(take(limiter, 9, WINDOW_MS)); /* in the place of 1 */
	assert_int_equal(rate_limiter_evictions(limiter), 1);
	assert_false(take(limiter, 2, WINDOW_MS));
	rate_limiter_free(limiter);
}

static void entries_that_are_over_give_their_place_without_counting(void **state)
{
	(void)state;
	struct rate_limiter *limiter = rate_limiter_new(1, WINDOW_S, 8);
	for (uint64_t key = 1; key <= 8; key++)
		assert_true(take(limiter, key, 0));
	for (uint64_t key = 11; key <= 18; key++)
		assert_true(take(limiter, key, 3 * WINDOW_MS));
	assert_int_equal(rate_limiter_evictions(limiter), 0);
	rate_limiter_free(limiter);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_burst_passes_up_to_the_limit_and_counts_down),
		cmocka_unit_test(keys_do_not_share_their_limit),
		cmocka_unit_test(the_previous_window_fades_evenly),
		cmocka_unit_test(two_windows_later_everything_is_forgotten),
		cmocka_unit_test(hammering_does_not_make_the_wait_longer),
		cmocka_unit_test(whoever_waits_as_long_as_told_passes),
		cmocka_unit_test(a_window_never_sees_twice_the_limit),
		cmocka_unit_test(a_full_table_forgets_the_oldest_and_counts_it),
		cmocka_unit_test(entries_that_are_over_give_their_place_without_counting),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
