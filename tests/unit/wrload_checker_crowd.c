/* The checker on the crowd as a whole: order, rate and capacity. */
#include "cmd/wrload/order.h"
#include "cmd/wrload/pace.h"

#include "unit/wrload_story.h"

/* ---- order (I3): slot 0 has been there all the time; slot 1 joins later ---- */

/* Longer than the longest poll interval and the checker's margin after an admission at 9000. */
#define LATE_MS 15000

static void somebody_who_overtakes_is_found(void **state)
{
	(void)state;
	joins(0, 0, 1);
	keeps_polling(0, 1000, 8000, 1);
	joins(1, 5000, 2);
	polls(1, 6000, 2);
	goes_in(1, 9000);
	keeps_polling(0, 9000, LATE_MS, 1);
	expect_only(TICKET_ORDER, "p0");
	assert_true(checker_checked(checker)->orders_compared > 0);
}

static void being_let_in_one_after_the_other_is_fine(void **state)
{
	(void)state;
	joins(0, 0, 1);
	joins(1, 5000, 2);
	joins(2, 6000, 3);
	keeps_polling(0, 1000, 8000, 1);
	goes_in(0, 9000);
	keeps_polling(1, 6000, 9000, 2);
	goes_in(1, 10000);
	keeps_polling(2, 7000, 25000, 1);
	expect_nothing();
	assert_true(checker_checked(checker)->orders_compared > 0);
}

static void noticing_the_own_turn_late_is_fine(void **state)
{
	(void)state;
	joins(0, 0, 1);
	keeps_polling(0, 1000, 8000, 1);
	joins(1, 5000, 2);
	goes_in(1, 9000);
	polls(0, 9005, 1); /* pictures that are a little old */
	polls(0, 9300, 1);
	goes_in(0, 10000);
	expect_nothing();
}

static void somebody_who_slept_may_be_overtaken(void **state)
{
	(void)state;
	joins(0, 0, 1);
	polls(0, 1000, 1);
	joins(1, 5000, 2);
	polls(1, 6000, 2);
	goes_in(1, 9000);
	keeps_polling(0, 12000, LATE_MS, 1);
	expect_nothing();
}

static void somebody_without_a_first_heartbeat_may_be_overtaken(void **state)
{
	(void)state;
	joins(0, 0, 1);
	joins(1, 3000, 2);
	goes_in(1, 9000);
	keeps_polling(0, LATE_MS, LATE_MS + 2000, 1);
	expect_nothing();
}

static void nobody_counts_as_present_before_the_first_heartbeat(void **state)
{
	(void)state;
	joins(0, 0, 1);
	joins(1, 1500, 2); /* before the other had been there for long enough */
	keeps_polling(0, 1000, 8000, 1);
	goes_in(1, 9000);
	keeps_polling(0, 9000, LATE_MS, 1);
	expect_nothing();
}

static void two_who_joined_at_the_same_time_have_no_order(void **state)
{
	(void)state;
	joins(0, 0, 2);
	joins(1, 5, 1); /* called before the other's answer was there */
	keeps_polling(0, 1000, 8000, 1);
	goes_in(1, 9000);
	keeps_polling(0, 9000, LATE_MS, 1);
	expect_nothing();
}

static void heartbeats_that_may_have_been_lost_excuse_an_overtaking(void **state)
{
	(void)state;
	joins(0, 0, 1);
	keeps_polling(0, 1000, 8000, 1);
	joins(1, 5000, 2);
	hears_nothing(2, OP_ENQUEUE, 8000);
	goes_in(1, 9000);
	keeps_polling(0, 9000, LATE_MS, 1);
	expect_nothing();
	assert_true(checker_checked(checker)->orders_excused > 0);
	assert_int_equal(checker_checked(checker)->orders_compared, 0);
}

static void overtaking_is_found_again_when_trouble_is_over(void **state)
{
	(void)state;
	hears_nothing(2, OP_ENQUEUE, 0);
	joins(0, 100, 1);
	keeps_polling(0, 1000, 19000, 1);
	joins(1, 15000, 2);
	goes_in(1, 19000);
	keeps_polling(0, 20000, 30000, 1);
	expect_only(TICKET_ORDER, "p0");
}

static void an_overtaking_is_told_once_per_victim(void **state)
{
	(void)state;
	joins(0, 0, 1);
	keeps_polling(0, 1000, 8000, 1);
	joins(1, 5000, 2);
	goes_in(1, 9000);
	keeps_polling(0, 9000, 60000, 1);
	expect_only(TICKET_ORDER, "p0");
}

static void the_youngest_of_those_noticed_before_a_moment_is_found_after_many(void **state)
{
	(void)state;
	struct order order = {0};
	for (int64_t i = 0; i < 10000; i++) {
		/* every third joined long before */
		struct order_admission admission = {.noticed_ms = i * 10, .joined_ms = i % 3 ? i : i / 2};
		order_admitted(&order, &admission);
		order_forget(&order, i * 10 - 1000);
	}
	assert_null(order_youngest(&order, 0));
	assert_int_equal(order_youngest(&order, 99500)->joined_ms, 9949);
	assert_int_equal(order_youngest(&order, 99481)->joined_ms, 9947);
	assert_int_equal(order_youngest(&order, INT64_MAX)->joined_ms, 9998);
	assert_true(order.count < 200);
	assert_true(order.room < 2000);
	order_fini(&order);
}

/* ---- rate (I5): 600 a minute are 10 a second, burst 20 ---- */

static void admit_evenly(uint32_t first, uint32_t count, int64_t from_ms, int64_t to_ms)
{
	for (uint32_t i = 0; i < count; i++) {
		int64_t at = from_ms + (to_ms - from_ms) * i / count;
		joins(first + i, at, 1);
		goes_in(first + i, at + REQUEST_MS);
		releases(first + i, at + 2 * REQUEST_MS);
	}
}

static void admissions_at_the_rate_after_a_burst_are_fine(void **state)
{
	(void)state;
	admit_evenly(0, 20, 60000, 60100);
	checker_tick(checker, 60200);
	admit_evenly(20, 300, 60200, 90200);
	checker_tick(checker, 90300);
	expect_nothing();
}

static void a_burst_that_is_too_large_is_found(void **state)
{
	(void)state;
	admit_evenly(0, 30, 60000, 60100);
	checker_tick(checker, 60200);
	expect_only(WITHIN_RATE, "");
}

static void a_rate_that_is_a_little_too_high_is_found_in_a_long_window(void **state)
{
	(void)state;
	admit_evenly(0, 900, 60000, 140000); /* 11.25 a second */
	checker_tick(checker, 140100);
	expect_only(WITHIN_RATE, "");
}

static void admissions_noticed_together_after_a_while_are_fine(void **state)
{
	(void)state;
	for (uint32_t i = 0; i < 90; i++)
		joins(i, 50000, 90 - i);
	for (uint32_t i = 0; i < 90; i++) /* let in one by one during ten seconds of silence */
		goes_in(i, 60000);
	checker_tick(checker, 60100);
	expect_nothing();
}

static void an_admission_counts_in_no_window_before_its_last_waiting_answer(void **state)
{
	(void)state;
	for (uint32_t i = 0; i < 90; i++) {
		joins(i, 50000, 90 - i);
		polls(i, 58000, 90 - i);
	}
	for (uint32_t i = 0; i < 90; i++)
		goes_in(i, 60000);
	checker_tick(checker, 60100);
	expect_only(WITHIN_RATE, "");
}

static void windows_longer_than_the_ring_are_forgotten(void **state)
{
	(void)state;
	struct pace pace = {0};
	struct pace_excess excess;
	for (int i = 0; i < 100; i++)
		pace_admitted(&pace, 1000, 1000);
	assert_true(pace_is_exceeded(&pace, 2000, 60, 10, &excess));
	assert_int_equal(excess.admitted, 100);
	assert_int_equal(excess.allowed, 11);
	assert_int_equal(excess.window_ms, 1000);
	assert_false(pace_is_exceeded(&pace, 1000 + PACE_BUCKETS * PACE_BUCKET_MS, 0, 10, &excess));
}

/* ---- capacity (I4): 100 ---- */

static void fill(uint32_t count, int64_t session_left_ms)
{
	for (uint32_t i = 0; i < count; i++) {
		struct answer answer = place_of(i, ANSWER_ADMITTED, -1);
		joins(i, i * 200, 1);
		told(i, OP_HEARTBEAT, i * 200 + 100, &answer, (struct session_facts){.subject_hash = i},
			 session_left_ms);
	}
}

static void a_full_site_is_fine(void **state)
{
	(void)state;
	fill(100, INT64_MAX);
	checker_tick(checker, 30000);
	expect_nothing();
}

static void one_session_too_many_is_found(void **state)
{
	(void)state;
	fill(101, INT64_MAX);
	checker_tick(checker, 30000);
	checker_tick(checker, 30100);
	expect_only(WITHIN_CAPACITY, "");
}

static void a_release_frees_the_slot_when_it_is_called(void **state)
{
	(void)state;
	fill(100, INT64_MAX);
	checker_expect(checker, 0, OP_RELEASE); /* its answer is still on the way */
	joins(100, 21000, 1);
	goes_in(100, 21100);
	checker_tick(checker, 30000);
	expect_nothing();
}

static void sessions_that_have_ended_by_time_do_not_count(void **state)
{
	(void)state;
	fill(300, 15000);
	checker_tick(checker, 60000);
	expect_nothing();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		STORY(somebody_who_overtakes_is_found),
		STORY(being_let_in_one_after_the_other_is_fine),
		STORY(noticing_the_own_turn_late_is_fine),
		STORY(somebody_who_slept_may_be_overtaken),
		STORY(somebody_without_a_first_heartbeat_may_be_overtaken),
		STORY(nobody_counts_as_present_before_the_first_heartbeat),
		STORY(two_who_joined_at_the_same_time_have_no_order),
		STORY(heartbeats_that_may_have_been_lost_excuse_an_overtaking),
		STORY(overtaking_is_found_again_when_trouble_is_over),
		STORY(an_overtaking_is_told_once_per_victim),
		cmocka_unit_test(the_youngest_of_those_noticed_before_a_moment_is_found_after_many),
		STORY(admissions_at_the_rate_after_a_burst_are_fine),
		STORY(a_burst_that_is_too_large_is_found),
		STORY(a_rate_that_is_a_little_too_high_is_found_in_a_long_window),
		STORY(admissions_noticed_together_after_a_while_are_fine),
		STORY(an_admission_counts_in_no_window_before_its_last_waiting_answer),
		cmocka_unit_test(windows_longer_than_the_ring_are_forgotten),
		STORY(a_full_site_is_fine),
		STORY(one_session_too_many_is_found),
		STORY(a_release_frees_the_slot_when_it_is_called),
		STORY(sessions_that_have_ended_by_time_do_not_count),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
