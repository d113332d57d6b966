/* Pacing: near people ask more often, nobody outside the limits, nobody in step. */
#include "waitingroom/pacing.h"

#include "support/cmocka.h"
#include "support/dice.h"

#include <stdbool.h>
#include <string.h>

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))
#define UNKNOWN (-1)

static const struct pacing usual = {
	.poll_min_ms = 2000, .poll_max_ms = 30000, .first_heartbeat_ms = 30000, .waiting = 5000};

static int64_t earliest(const struct pacing *pacing, uint64_t ahead, int64_t wait_s)
{
	return poll_after_ms(pacing, ahead, wait_s, 0);
}

static int64_t latest(const struct pacing *pacing, uint64_t ahead, int64_t wait_s)
{
	return poll_after_ms(pacing, ahead, wait_s, UINT32_MAX);
}

static const struct {
	uint64_t ahead;
	int64_t wait_s;
	int64_t earliest_ms, latest_ms;
} table[] = {
	{0, UNKNOWN, 2000, 3000}, /* at the front: the minimum, moved inwards for the jitter */
	{0, 30, 2000, 3000},
	{500, 600, 7200, 10800}, /* a quarter of the way: 9 s ± 20 % */
	{1000, 600, 12800, 19200},
	{1000, 90, 6400, 9600},	   /* nearly over: half of that */
	{500, 3600, 14400, 21600}, /* a very long wait: twice */
	{2000, 600, 20000, 30000}, /* far: the maximum, moved inwards */
	{1000000, UNKNOWN, 20000, 30000},
	{UINT64_MAX, 90000, 20000, 30000},
};

static void polls_come_by_distance_and_wait(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(table); i++) {
		assert_int_equal(earliest(&usual, table[i].ahead, table[i].wait_s), table[i].earliest_ms);
		assert_int_equal(latest(&usual, table[i].ahead, table[i].wait_s), table[i].latest_ms);
	}
}

static void whoever_is_nearer_never_asks_less_often(void **state)
{
	(void)state;
	int64_t before = 0;
	for (uint64_t ahead = 0; ahead < 5000; ahead += 7) {
		int64_t now = earliest(&usual, ahead, UNKNOWN);
		assert_true(now >= before);
		before = now;
	}
}

static void a_crowd_polls_no_faster_than_the_service_takes(void **state)
{
	(void)state;
	struct pacing pacing = usual;
	pacing.waiting = 100000;
	pacing.polls_per_s_max = 5000; /* everybody every 20 s */
	assert_int_equal(earliest(&pacing, 0, UNKNOWN), 16000);
	assert_int_equal(latest(&pacing, 0, UNKNOWN), 24000);
	pacing.waiting = UINT64_MAX;
	assert_int_equal(latest(&pacing, 0, UNKNOWN), 30000);
	pacing.polls_per_s_max = 0; /* no opinion */
	assert_int_equal(latest(&pacing, 0, UNKNOWN), 3000);
}

static void no_poll_is_outside_the_limits_of_the_queue(void **state)
{
	(void)state;
	dice_start();
	for (unsigned round = 0; round < 100000; round++) {
		struct pacing pacing = {.poll_min_ms = 100 + (int64_t)dice(dice(2) ? 100 : 599901)};
		pacing.poll_max_ms =
			pacing.poll_min_ms + (int64_t)dice((uint64_t)(600001 - pacing.poll_min_ms));
		if (dice(4) == 0)
			pacing.poll_max_ms = pacing.poll_min_ms + (int64_t)dice(3);
		pacing.waiting = dice(10000000);
		pacing.polls_per_s_max = dice(2) * dice(10000);
		int64_t after = poll_after_ms(&pacing, dice(dice(2) ? 3000 : 10000000),
									  (int64_t)dice(5000) - 1, (uint32_t)dice(UINT64_C(1) << 32));
		assert_true(after >= pacing.poll_min_ms && after <= pacing.poll_max_ms);
	}
}

/* Counts of 10 equal parts of what came out. */
static void assert_spread_evenly(int64_t low, int64_t high, uint64_t ahead)
{
	enum { PARTS = 10, POLLS = 20000 };
	unsigned parts[PARTS] = {0};
	uint64_t random = 88172645463325252;
	for (unsigned i = 0; i < POLLS; i++) {
		int64_t after = poll_after_ms(&usual, ahead, UNKNOWN, jitter_next(&random));
		assert_true(after >= low && after <= high);
		parts[(after - low) * PARTS / (high - low + 1)]++;
	}
	for (unsigned i = 0; i < PARTS; i++)
		assert_true(parts[i] > POLLS / PARTS * 8 / 10 && parts[i] < POLLS / PARTS * 12 / 10);
}

static void jitter_spreads_polls_evenly_also_at_both_limits(void **state)
{
	(void)state;
	assert_spread_evenly(2000, 3000, 0);
	assert_spread_evenly(12800, 19200, 1000);
	assert_spread_evenly(20000, 30000, 1000000);
}

static void limits_too_close_for_jitter_are_used_up(void **state)
{
	(void)state;
	struct pacing pacing = {.poll_min_ms = 10000, .poll_max_ms = 11000};
	assert_int_equal(earliest(&pacing, 0, UNKNOWN), 10000);
	assert_in_range(latest(&pacing, 0, UNKNOWN), 10995, 11000);
	pacing.poll_max_ms = 10000;
	assert_int_equal(earliest(&pacing, 5000, UNKNOWN), 10000);
	assert_int_equal(latest(&pacing, 5000, UNKNOWN), 10000);
}

static void the_first_poll_comes_within_two_seconds(void **state)
{
	(void)state;
	assert_int_equal(first_poll_after_ms(&usual, 0), 1000);
	assert_int_equal(first_poll_after_ms(&usual, UINT32_MAX), 1999);
	assert_int_equal(first_poll_after_ms(&usual, UINT32_MAX / 2), 1499);
	struct pacing hasty = usual;
	hasty.first_heartbeat_ms = 500; /* the least there is */
	assert_int_equal(first_poll_after_ms(&hasty, 0), 100);
	assert_int_equal(first_poll_after_ms(&hasty, UINT32_MAX), 199);
}

static void retries_are_spread_over_once_to_twice_the_base(void **state)
{
	(void)state;
	bool seen[11] = {false};
	uint64_t random = 1;
	for (unsigned i = 0; i < 1000; i++) {
		int64_t after = retry_after_s(5, jitter_next(&random));
		assert_true(after >= 5 && after <= 10);
		seen[after] = true;
	}
	for (unsigned s = 5; s <= 10; s++)
		assert_true(seen[s]);
	assert_in_range(retry_after_s(0, UINT32_MAX), 1, 2);
	assert_in_range(retry_after_s(INT64_MAX, UINT32_MAX), 86400, 2 * 86400);
}

/* Vigna's reference implementation of xorshift64* with the state 1, upper half. */
static void jitter_is_the_published_generator(void **state)
{
	(void)state;
	uint64_t random = 1;
	assert_int_equal(jitter_next(&random), 0x47e4ce4b);
	assert_int_equal(jitter_next(&random), 0xabcfa6a8);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(polls_come_by_distance_and_wait),
		cmocka_unit_test(whoever_is_nearer_never_asks_less_often),
		cmocka_unit_test(a_crowd_polls_no_faster_than_the_service_takes),
		cmocka_unit_test(no_poll_is_outside_the_limits_of_the_queue),
		cmocka_unit_test(jitter_spreads_polls_evenly_also_at_both_limits),
		cmocka_unit_test(limits_too_close_for_jitter_are_used_up),
		cmocka_unit_test(the_first_poll_comes_within_two_seconds),
		cmocka_unit_test(retries_are_spread_over_once_to_twice_the_base),
		cmocka_unit_test(jitter_is_the_published_generator),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
