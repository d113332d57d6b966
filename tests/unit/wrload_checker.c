/* The checker on what one visitor was told: each planted contradiction is found, and nothing
 * else. */
#include "unit/wrload_story.h"

/* ---- stories that are fine ---- */

static void a_visit_as_it_should_be_is_fine(void **state)
{
	(void)state;
	joins(0, 0, 3);
	polls(0, 1000, 3);
	polls(0, 2000, 2);
	polls(0, 3000, 1);
	goes_in(0, 4000);
	goes_in(0, 4500);
	releases(0, 9000);
	hears_error(0, OP_HEARTBEAT, 12000, 410, CODE_SESSION_ENDED);
	expect_nothing();
	const struct checked *checked = checker_checked(checker);
	assert_int_equal(checked->positions_compared, 3);
	assert_int_equal(checked->sessions_compared, 1);
	assert_int_equal(checked->gone_places_polled, 1);
}

static void answers_that_are_lost_are_held_against_nobody(void **state)
{
	(void)state;
	hears_nothing(0, OP_ENQUEUE, 0);
	joins(0, 6000, 3);
	polls(0, 7000, 2);
	hears_nothing(0, OP_HEARTBEAT, 8000); /* let in here, and the session was over before … */
	hears_error(0, OP_HEARTBEAT, 600000, 410, CODE_SESSION_ENDED);
	joins(1, 0, 4);
	hears_nothing(1, OP_LEAVE, 100);
	hears_error(1, OP_LEAVE, 6000, 410, CODE_PLACE_LEFT);
	hears_error(1, OP_HEARTBEAT, 9000, 410, CODE_PLACE_LEFT);
	expect_nothing();
}

static void a_session_that_only_a_repeated_enqueue_heard_of_may_have_ended(void **state)
{
	(void)state;
	joins(0, 0, 3);
	polls(0, 1000, 3);
	hears_admitted(0, OP_ENQUEUE, 1500);
	hears_error(0, OP_HEARTBEAT, 600000, 410, CODE_SESSION_ENDED);
	expect_nothing();
}

static void refusals_and_outages_are_fine(void **state)
{
	(void)state;
	hears_error(0, OP_ENQUEUE, 0, 503, CODE_QUEUE_FULL);
	hears_error(0, OP_ENQUEUE, 2000, 429, CODE_RATE_LIMITED);
	joins(0, 4000, 5);
	hears_error(0, OP_HEARTBEAT, 5000, 503, CODE_OTHER);
	polls(0, 7000, 5);
	expect_nothing();
}

static void a_place_that_was_not_confirmed_may_expire(void **state)
{
	(void)state;
	joins(0, 0, 3);
	hears_error(0, OP_HEARTBEAT, 2500, 410, CODE_PLACE_EXPIRED);
	expect_nothing();
}

static void a_place_may_expire_after_a_silence_longer_than_its_hold(void **state)
{
	(void)state;
	joins(0, 0, 3);
	polls(0, 1000, 3);
	hears_error(0, OP_HEARTBEAT, 1000 + HOLD_MS, 410, CODE_PLACE_EXPIRED);
	expect_nothing();
}

static void a_turn_may_be_missed(void **state)
{
	(void)state;
	joins(0, 0, 3);
	polls(0, 1000, 3);
	hears_error(0, OP_HEARTBEAT, 2000, 410, CODE_TURN_MISSED);
	expect_nothing();
}

static void pods_may_know_of_an_admission_late(void **state)
{
	(void)state;
	joins(0, 0, 3);
	goes_in(0, 1000);
	polls(0, 1300, 1);
	goes_in(0, 2000);
	expect_nothing();
}

static void a_new_person_in_the_slot_starts_anew(void **state)
{
	(void)state;
	joins(0, 0, 3);
	goes_in(0, 1000);
	releases(0, 2000);
	checker_begin(checker, 0);
	joins(0, 9000, 50);
	polls(0, 10000, 50);
	goes_in(0, 11000);
	expect_nothing();
}

/* ---- I1 ---- */

static void an_admission_after_the_release_is_found(void **state)
{
	(void)state;
	joins(0, 0, 1);
	goes_in(0, 1000);
	releases(0, 2000);
	goes_in(0, 2500);
	expect_only(ADMITTED_ONCE, "p0");
}

static void an_admission_after_the_session_ended_is_found(void **state)
{
	(void)state;
	joins(0, 0, 1);
	goes_in(0, 1000);
	hears_error(0, OP_HEARTBEAT, 2000, 410, CODE_SESSION_ENDED);
	goes_in(0, 2500);
	expect_only(ADMITTED_ONCE, "p0");
}

static void being_in_line_again_after_the_admission_is_found(void **state)
{
	(void)state;
	joins(0, 0, 1);
	goes_in(0, 1000);
	polls(0, 4000, 1);
	expect_only(ADMITTED_ONCE, "p0");
}

static void a_second_session_is_found_by_its_end(void **state)
{
	(void)state;
	joins(0, 0, 1);
	goes_in(0, 1000);
	struct answer answer = place_of(0, ANSWER_ADMITTED, -1);
	told(0, OP_HEARTBEAT, 5000, &answer,
		 (struct session_facts){.subject_hash = 0, .expires_s = 1004}, INT64_MAX);
	expect_only(ADMITTED_ONCE, "p0");
}

static void a_session_of_somebody_else_is_found(void **state)
{
	(void)state;
	joins(0, 0, 1);
	goes_in(0, 1000);
	struct answer answer = place_of(0, ANSWER_ADMITTED, -1);
	told(0, OP_HEARTBEAT, 5000, &answer,
		 (struct session_facts){.subject_hash = 7, .expires_s = 1000}, INT64_MAX);
	expect_only(ADMITTED_ONCE, "p0");
}

/* ---- I2 ---- */

static void a_place_that_expires_although_polled_on_time_is_found(void **state)
{
	(void)state;
	joins(0, 0, 3);
	polls(0, 1000, 3);
	hears_error(0, OP_HEARTBEAT, 2000, 410, CODE_PLACE_EXPIRED);
	expect_only(PLACE_KEPT, "p0");
}

static void a_place_that_expires_before_its_first_poll_was_due_is_found(void **state)
{
	(void)state;
	joins(0, 0, 3);
	hears_error(0, OP_HEARTBEAT, 1000, 410, CODE_PLACE_EXPIRED);
	expect_only(PLACE_KEPT, "p0");
}

static void a_confirmed_place_that_nobody_knows_is_found(void **state)
{
	(void)state;
	joins(0, 0, 3);
	hears_error(0, OP_HEARTBEAT, 1000, 404, CODE_OTHER);
	expect_only(PLACE_KEPT, "p0");
}

static void a_token_that_is_suddenly_no_good_is_found(void **state)
{
	(void)state;
	joins(0, 0, 3);
	polls(0, 1000, 3);
	hears_error(0, OP_HEARTBEAT, 2000, 401, CODE_OTHER);
	expect_only(PLACE_KEPT, "p0");
}

static void a_place_that_somebody_else_gave_up_is_found(void **state)
{
	(void)state;
	joins(0, 0, 3);
	hears_error(0, OP_HEARTBEAT, 1000, 410, CODE_PLACE_LEFT);
	expect_only(PLACE_KEPT, "p0");
}

static void a_session_that_ended_before_it_was_given_is_found(void **state)
{
	(void)state;
	joins(0, 0, 3);
	polls(0, 1000, 3);
	hears_error(0, OP_HEARTBEAT, 2000, 410, CODE_SESSION_ENDED);
	expect_only(PLACE_KEPT, "p0");
}

static void a_lost_answer_explains_nothing_after_the_next_good_one(void **state)
{
	(void)state;
	joins(0, 0, 3);
	hears_nothing(0, OP_HEARTBEAT, 1000);
	polls(0, 7000, 3);
	hears_error(0, OP_HEARTBEAT, 8000, 410, CODE_SESSION_ENDED);
	expect_only(PLACE_KEPT, "p0");
}

/* ---- I7 ---- */

static void somebody_who_left_and_is_admitted_is_found(void **state)
{
	(void)state;
	joins(0, 0, 3);
	leaves(0, 500);
	goes_in(0, 600);
	expect_only(GONE_IS_GONE, "p0");
}

static void an_expired_place_that_is_admitted_is_found(void **state)
{
	(void)state;
	joins(0, 0, 3);
	hears_error(0, OP_HEARTBEAT, 5000, 410, CODE_PLACE_EXPIRED);
	goes_in(0, 8000);
	expect_only(GONE_IS_GONE, "p0");
}

static void somebody_who_left_and_is_in_line_again_is_found(void **state)
{
	(void)state;
	joins(0, 0, 3);
	leaves(0, 500);
	polls(0, 4000, 2);
	expect_only(GONE_IS_GONE, "p0");
}

static void pods_may_know_of_somebody_leaving_late(void **state)
{
	(void)state;
	joins(0, 0, 3);
	leaves(0, 500);
	polls(0, 900, 3);
	expect_nothing();
}

static void being_in_line_again_after_trouble_is_not_held_against_the_service(void **state)
{
	(void)state;
	joins(0, 0, 3);
	leaves(0, 500);
	hears_nothing(1, OP_ENQUEUE, 600);
	polls(0, 9000, 2);
	expect_nothing();
}

/* ---- I8 ---- */

static void a_position_that_grows_is_found(void **state)
{
	(void)state;
	joins(0, 0, 12);
	polls(0, 1000, 10);
	polls(0, 2000, 11);
	polls(0, 3000, 11);
	expect_only(POSITION_FALLS, "p0");
}

static void a_position_that_grows_from_the_enqueue_to_the_first_poll_is_found(void **state)
{
	(void)state;
	joins(0, 0, 12);
	polls(0, 1000, 13);
	expect_only(POSITION_FALLS, "p0");
}

static void polls_of(uint32_t slot, int64_t at, int64_t position, int64_t as_of_ms)
{
	struct answer answer = place_of(slot, ANSWER_WAITING, position);
	answer.as_of_ms = as_of_ms;
	told(slot, OP_HEARTBEAT, at, &answer, (struct session_facts){0}, INT64_MAX);
}

static void an_older_picture_is_excused_when_the_poll_came_before_its_time(void **state)
{
	(void)state;
	joins(0, 0, 12);
	polls_of(0, 1000, 10, 90000);
	polls_of(0, 1100, 11, 89900);
	polls_of(0, 1150, 11, 90000);
	polls_of(0, 2000, 10, 90100);
	expect_nothing();
	polls_of(0, 2100, 11, 90101);
	expect_only(POSITION_FALLS, "p0");
}

static void an_older_picture_is_no_excuse_when_the_poll_was_due(void **state)
{
	(void)state;
	joins(0, 0, 12);
	polls_of(0, 1000, 10, 90000);
	polls_of(0, 2010, 11, 89900);
	expect_only(POSITION_FALLS, "p0");
}

static void positions_from_old_pictures_are_not_compared(void **state)
{
	(void)state;
	joins(0, 0, 12);
	polls(0, 1000, 10);
	struct answer answer = place_of(0, ANSWER_WAITING, 12);
	answer.stale = true;
	told(0, OP_HEARTBEAT, 2000, &answer, (struct session_facts){0}, INT64_MAX);
	polls(0, 3000, 10);
	expect_nothing();
}

static void a_new_token_counts_also_in_an_answer_without_a_number(void **state)
{
	(void)state;
	joins(0, 0, 12);
	polls(0, 1000, 5);
	struct answer answer = place_of(0, ANSWER_WAITING, -1);
	answer.token = (struct slice){"new", 3};
	answer.stale = true;
	told(0, OP_HEARTBEAT, 2000, &answer, (struct session_facts){0}, INT64_MAX);
	polls(0, 3000, 9);
	expect_nothing();
}

static void a_position_is_not_compared_after_the_place_was_entered_again(void **state)
{
	(void)state;
	joins(0, 0, 12);
	polls(0, 1000, 10);
	struct answer answer = place_of(0, ANSWER_WAITING, 15);
	answer.token = (struct slice){"new", 3};
	told(0, OP_HEARTBEAT, 2000, &answer, (struct session_facts){0}, INT64_MAX);
	polls(0, 3000, 15);
	expect_nothing();
	polls(0, 4000, 16);
	expect_only(POSITION_FALLS, "p0");
}

/* ---- I9 ---- */

static void repeats(uint32_t slot, const char *position_id)
{
	struct answer answer = place_of(slot, ANSWER_WAITING, 3);
	answer.position_id = (struct slice){position_id, strlen(position_id)};
	told(slot, OP_ENQUEUE, 100, &answer, (struct session_facts){0}, INT64_MAX);
}

static void a_second_place_for_one_key_is_found(void **state)
{
	(void)state;
	joins(0, 0, 3);
	repeats(0, "p1");
	expect_only(ONE_PLACE_PER_KEY, "p0");
}

static void an_id_that_only_begins_alike_is_another_place(void **state)
{
	(void)state;
	joins(10, 0, 3);
	repeats(10, "p1");
	expect_only(ONE_PLACE_PER_KEY, "p10");
}

static void the_same_place_for_one_key_is_fine(void **state)
{
	(void)state;
	joins(0, 0, 3);
	repeats(0, "p0");
	expect_nothing();
	assert_int_equal(checker_checked(checker)->repeats_compared, 1);
}

/* ---- the list ---- */

static void findings_of_one_kind_do_not_hide_another(void **state)
{
	(void)state;
	for (uint32_t i = 0; i < 500; i++) {
		joins(i, 0, 3);
		polls(i, 1000, 4);
	}
	repeats(0, "p1");
	const struct violations *found = checker_violations(checker);
	assert_int_equal(found->count, 501);
	assert_int_equal(found->counts[POSITION_FALLS], 500);
	assert_int_equal(found->kept_count, VIOLATIONS_KEPT + 1);
	assert_int_equal(found->kept[VIOLATIONS_KEPT].invariant, ONE_PLACE_PER_KEY);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		STORY(a_visit_as_it_should_be_is_fine),
		STORY(answers_that_are_lost_are_held_against_nobody),
		STORY(a_session_that_only_a_repeated_enqueue_heard_of_may_have_ended),
		STORY(refusals_and_outages_are_fine),
		STORY(a_place_that_was_not_confirmed_may_expire),
		STORY(a_place_may_expire_after_a_silence_longer_than_its_hold),
		STORY(a_turn_may_be_missed),
		STORY(pods_may_know_of_an_admission_late),
		STORY(a_new_person_in_the_slot_starts_anew),
		STORY(an_admission_after_the_release_is_found),
		STORY(an_admission_after_the_session_ended_is_found),
		STORY(being_in_line_again_after_the_admission_is_found),
		STORY(a_second_session_is_found_by_its_end),
		STORY(a_session_of_somebody_else_is_found),
		STORY(a_place_that_expires_although_polled_on_time_is_found),
		STORY(a_place_that_expires_before_its_first_poll_was_due_is_found),
		STORY(a_confirmed_place_that_nobody_knows_is_found),
		STORY(a_token_that_is_suddenly_no_good_is_found),
		STORY(a_place_that_somebody_else_gave_up_is_found),
		STORY(a_session_that_ended_before_it_was_given_is_found),
		STORY(a_lost_answer_explains_nothing_after_the_next_good_one),
		STORY(somebody_who_left_and_is_admitted_is_found),
		STORY(an_expired_place_that_is_admitted_is_found),
		STORY(somebody_who_left_and_is_in_line_again_is_found),
		STORY(pods_may_know_of_somebody_leaving_late),
		STORY(being_in_line_again_after_trouble_is_not_held_against_the_service),
		STORY(a_position_that_grows_is_found),
		STORY(a_position_that_grows_from_the_enqueue_to_the_first_poll_is_found),
		STORY(an_older_picture_is_excused_when_the_poll_came_before_its_time),
		STORY(an_older_picture_is_no_excuse_when_the_poll_was_due),
		STORY(positions_from_old_pictures_are_not_compared),
		STORY(a_new_token_counts_also_in_an_answer_without_a_number),
		STORY(a_position_is_not_compared_after_the_place_was_entered_again),
		STORY(a_second_place_for_one_key_is_found),
		STORY(an_id_that_only_begins_alike_is_another_place),
		STORY(the_same_place_for_one_key_is_fine),
		STORY(findings_of_one_kind_do_not_hide_another),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
