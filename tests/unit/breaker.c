/* The circuit breaker: when a provider is asked, and when it is spared. */
#include "lib/net/breaker.h"
#include "support/cmocka.h"

static struct mono_time at(int64_t ms)
{
	return (struct mono_time){.ns = ms * 1000000};
}

static void fail_times(struct breaker *breaker, int times, int64_t now_ms)
{
	for (int i = 0; i < times; i++) {
		assert_true(breaker_try(breaker, at(now_ms)));
		breaker_done(breaker, at(now_ms), false);
	}
}

static void some_failures_change_nothing_and_a_success_forgets_them(void **state)
{
	(void)state;
	struct breaker breaker = {0};
	fail_times(&breaker, BREAKER_FAILURES - 1, 0);
	assert_true(breaker_try(&breaker, at(0)));
	breaker_done(&breaker, at(0), true);
	fail_times(&breaker, BREAKER_FAILURES - 1, 0);
	assert_true(breaker_is_closed_or_due(&breaker, at(0)));
	assert_int_equal(breaker.opened, 0);
}

static void it_opens_after_failures_in_a_row(void **state)
{
	(void)state;
	struct breaker breaker = {0};
	fail_times(&breaker, BREAKER_FAILURES, 0);
	assert_int_equal(breaker.opened, 1);
	assert_false(breaker_is_closed_or_due(&breaker, at(0)));
	assert_false(breaker_try(&breaker, at(BREAKER_PAUSE_MS - 1)));
}

static void after_the_pause_one_question_goes_through(void **state)
{
	(void)state;
	struct breaker breaker = {0};
	fail_times(&breaker, BREAKER_FAILURES, 0);
	assert_true(breaker_is_closed_or_due(&breaker, at(BREAKER_PAUSE_MS)));
	assert_true(breaker_try(&breaker, at(BREAKER_PAUSE_MS)));
	assert_false(breaker_is_closed_or_due(&breaker, at(BREAKER_PAUSE_MS + 1)));
	assert_false(breaker_try(&breaker, at(BREAKER_PAUSE_MS + 1)));
	breaker_done(&breaker, at(BREAKER_PAUSE_MS + 2), true);
	assert_true(breaker_try(&breaker, at(BREAKER_PAUSE_MS + 3)));
	assert_true(breaker_try(&breaker, at(BREAKER_PAUSE_MS + 3)));
}

static void each_failed_trial_doubles_the_pause_up_to_a_limit(void **state)
{
	(void)state;
	struct breaker breaker = {0};
	int64_t now_ms = 0, pause_ms = BREAKER_PAUSE_MS;
	fail_times(&breaker, BREAKER_FAILURES, now_ms);
	for (int i = 0; i < 8; i++) {
		assert_false(breaker_try(&breaker, at(now_ms + pause_ms - 1)));
		now_ms += pause_ms;
		fail_times(&breaker, 1, now_ms);
		pause_ms = 2 * pause_ms < BREAKER_PAUSE_MOST_MS ? 2 * pause_ms : BREAKER_PAUSE_MOST_MS;
	}
	assert_int_equal(pause_ms, BREAKER_PAUSE_MOST_MS);
	assert_int_equal(breaker.opened, 1); /* it has been away all the time */
}

static void late_failures_of_before_do_not_lengthen_the_pause(void **state)
{
	(void)state;
	struct breaker breaker = {0};
	for (int i = 0; i < 20; i++)
		assert_true(breaker_try(&breaker, at(0)));
	for (int i = 0; i < 20; i++)
		breaker_done(&breaker, at(i), false);
	assert_int_equal(breaker.opened, 1);
	assert_true(breaker_try(&breaker, at(BREAKER_PAUSE_MS + 20)));
}

static void a_late_success_closes_it(void **state)
{
	(void)state;
	struct breaker breaker = {0};
	assert_true(breaker_try(&breaker, at(0)));
	fail_times(&breaker, BREAKER_FAILURES, 0);
	breaker_done(&breaker, at(1), true);
	assert_true(breaker_try(&breaker, at(2)));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(some_failures_change_nothing_and_a_success_forgets_them),
		cmocka_unit_test(it_opens_after_failures_in_a_row),
		cmocka_unit_test(after_the_pause_one_question_goes_through),
		cmocka_unit_test(each_failed_trial_doubles_the_pause_up_to_a_limit),
		cmocka_unit_test(late_failures_of_before_do_not_lengthen_the_pause),
		cmocka_unit_test(a_late_success_closes_it),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
