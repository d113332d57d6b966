/* The judge of the scenarios: a good story passes, and each broken promise is found and named. */
#include "support/cmocka.h"
#include "support/story.h"
#include "waitingroom/memory.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define EVENTS_MAX 32

struct tale {
	struct stored_event events[EVENTS_MAX];
	size_t count;
};

static void tell(struct tale *tale, const char *kind, int at_ms, const char *data)
{
	struct stored_event *event = &tale->events[tale->count];
	int failed = asprintf(&event->subject, "wr.default.demo.%s", kind) < 0;
	failed |= asprintf(&event->id, "event-%zu", tale->count++) < 0;
	failed |= asprintf(&event->body,
					   "{\"time\":\"2026-01-31T12:00:%02d.%03dZ\","
					   "\"data\":{\"queue_id\":\"default/demo\",%s}}",
					   at_ms / 1000, at_ms % 1000, data) < 0;
	assert_false(failed);
}

static void person(struct tale *tale, const char *kind, int at_ms, int ticket, const char *how)
{
	char data[160];
	snprintf(data, sizeof(data),
			 "\"position_id\":\"person-%d\",\"lane\":\"main\",\"ticket\":%d,\"how\":\"%s\"", ticket,
			 ticket, how);
	tell(tale, kind, at_ms, data);
}

/* Capacity 2, one per second with a burst of 2: two go in, then each as another leaves. */
static void good_tale(struct tale *tale)
{
	*tale = (struct tale){.count = 0};
	tell(tale, "queue.created", 0, "\"capacity\":2,\"rate_per_minute\":60,\"burst\":2");
	for (int ticket = 1; ticket <= 4; ticket++)
		person(tale, "position.enqueued", 1000, ticket, "");
	person(tale, "position.admitted", 2000, 1, "line");
	person(tale, "position.admitted", 2000, 2, "line");
	person(tale, "session.claimed", 2500, 1, "");
	person(tale, "session.released", 3000, 1, "");
	person(tale, "position.admitted", 3000, 3, "line");
	person(tale, "position.missed", 4000, 2, "");
	person(tale, "position.left", 4000, 4, "");
}

static void forget(struct tale *tale)
{
	for (size_t i = 0; i < tale->count; i++) {
		free(tale->events[i].subject);
		free(tale->events[i].id);
		free(tale->events[i].body);
	}
}

static const struct story_rules rules = {
	.queue = "default/demo", .capacity = 2, .rate_per_minute = 60, .burst = 2};

/* NULL: the verdict must be that all is well. Otherwise it must have these words. */
static void expect(struct tale *tale, const struct story_rules *by, const char *words)
{
	struct story story;
	WR_AUTO(mem_free_at) char *verdict = story_judge(tale->events, tale->count, by, &story);
	if (!words && verdict)
		fail_msg("not all is well: %s", verdict);
	if (words && (!verdict || !strstr(verdict, words)))
		fail_msg("\"%s\" was not found: %s", words, verdict ? verdict : "all is well");
	story_free(&story);
	forget(tale);
}

static void a_good_story_is_told_in_numbers(void **state)
{
	(void)state;
	struct tale tale;
	struct story story;
	good_tale(&tale);
	assert_null(story_judge(tale.events, tale.count, &rules, &story));
	assert_int_equal(story.enqueued, 4);
	assert_int_equal(story.admitted, 3);
	assert_int_equal(story.ended + story.missed + story.left, 3);
	assert_int_equal(story.active_most, 2);
	assert_int_equal(story.active_last, 1);
	assert_int_equal(story_find(&story, "person-3")->state, PLACE_ADMITTED);
	assert_null(story_find(&story, "person-5"));
	story_free(&story);
	forget(&tale);
}

static void events_of_other_queues_are_passed_over(void **state)
{
	(void)state;
	struct tale tale;
	good_tale(&tale);
	const struct story_rules others = {.queue = "default/other"};
	struct story story;
	assert_null(story_judge(tale.events, tale.count, &others, &story));
	assert_int_equal(story.events, 0);
	story_free(&story);
	forget(&tale);
}

static void a_second_admission_is_found(void **state)
{
	(void)state;
	struct tale tale;
	good_tale(&tale);
	person(&tale, "position.admitted", 9000, 1, "line");
	expect(&tale, &rules, "came when the place");
}

static void a_second_end_is_found(void **state)
{
	(void)state;
	struct tale tale;
	good_tale(&tale);
	person(&tale, "position.expired", 9000, 4, "");
	expect(&tale, &rules, "came when the place");
}

static void a_place_without_a_beginning_is_found(void **state)
{
	(void)state;
	struct tale tale;
	good_tale(&tale);
	person(&tale, "position.left", 9000, 7, "");
	expect(&tale, &rules, "came when the place");
}

static void a_place_with_two_tickets_is_found(void **state)
{
	(void)state;
	struct tale tale;
	good_tale(&tale);
	tell(&tale, "session.claimed", 5000,
		 "\"position_id\":\"person-3\",\"lane\":\"main\",\"ticket\":9");
	expect(&tale, &rules, "has ticket 9");
}

static void one_too_many_on_the_site_is_found(void **state)
{
	(void)state;
	struct tale tale;
	good_tale(&tale);
	person(&tale, "position.enqueued", 5000, 5, "");
	person(&tale, "position.enqueued", 5000, 6, "");
	person(&tale, "position.admitted", 6000, 5, "line");
	person(&tale, "position.admitted", 9000, 6, "line");
	expect(&tale, &rules, "active where 2 may be");
}

static void a_lowered_capacity_counts_from_the_next_admission(void **state)
{
	(void)state;
	struct tale tale;
	good_tale(&tale);
	tell(&tale, "queue.updated", 5000, "\"capacity\":1,\"rate_per_minute\":60,\"burst\":2");
	person(&tale, "position.enqueued", 6000, 5, "");
	person(&tale, "position.admitted", 9000, 5, "line");
	expect(&tale, &rules, "active where 1 may be");
}

static void an_admission_before_its_time_is_found(void **state)
{
	(void)state;
	struct tale tale;
	good_tale(&tale);
	person(&tale, "position.enqueued", 3500, 5, "");
	person(&tale, "position.admitted", 4500, 5, "line");
	person(&tale, "session.claimed", 4600, 5, "");
	person(&tale, "session.released", 4700, 5, "");
	person(&tale, "position.enqueued", 4700, 6, "");
	person(&tale, "position.admitted", 4800, 6, "line");
	expect(&tale, &rules, "came too soon");
}

static void somebody_overtaken_is_found(void **state)
{
	(void)state;
	struct tale tale;
	good_tale(&tale);
	person(&tale, "position.enqueued", 5000, 5, "");
	person(&tale, "position.enqueued", 5000, 6, "");
	person(&tale, "position.admitted", 6000, 6, "line");
	person(&tale, "session.claimed", 6500, 6, "");
	person(&tale, "session.released", 7000, 6, "");
	person(&tale, "position.admitted", 9000, 5, "line");
	expect(&tale, &rules, "went in before");
}

static void somebody_who_was_absent_is_not_overtaken(void **state)
{
	(void)state;
	struct tale tale;
	good_tale(&tale);
	person(&tale, "position.enqueued", 5000, 5, "");
	person(&tale, "position.enqueued", 5000, 6, "");
	person(&tale, "position.admitted", 6000, 6, "line");
	person(&tale, "session.claimed", 6500, 6, "");
	person(&tale, "session.released", 7000, 6, "");
	person(&tale, "position.admitted", 9000, 5, "returned");
	expect(&tale, &rules, NULL);
}

static void a_repeated_event_must_be_the_same(void **state)
{
	(void)state;
	for (int different = 0; different < 2; different++) {
		struct tale tale;
		good_tale(&tale);
		person(&tale, "position.left", different ? 4001 : 4000, 4, "");
		strcpy(tale.events[tale.count - 1].id, "event-11"); /* the one before */
		expect(&tale, &rules, different ? "was told twice" : NULL);
	}
}

/* Ticket 5 expires and is put back; 6 joined later. */
static void put_back_tale(struct tale *tale, const char *reason)
{
	good_tale(tale);
	person(tale, "position.enqueued", 5000, 5, "");
	person(tale, "position.enqueued", 5000, 6, "");
	person(tale, "position.expired", 6000, 5, "silent");
	tell(tale, "position.restored", 7000,
		 strcmp(reason, "operator") == 0
			 ? "\"position_id\":\"person-5\",\"lane\":\"main\",\"ticket\":5,\"reason\":\"operator\""
			 : "\"position_id\":\"person-5\",\"lane\":\"main\",\"ticket\":5,\"reason\":"
			   "\"failover\"");
}

static void only_an_operator_puts_back_what_had_ended(void **state)
{
	(void)state;
	struct tale tale;
	put_back_tale(&tale, "operator");
	person(&tale, "position.admitted", 8000, 5, "line");
	person(&tale, "session.claimed", 8500, 5, "");
	expect(&tale, &rules, NULL);
	put_back_tale(&tale, "failover");
	expect(&tale, &rules, "came when the place (ticket 5) was expired");
}

static void whoever_was_put_back_must_not_be_overtaken(void **state)
{
	(void)state;
	struct tale tale;
	put_back_tale(&tale, "operator");
	person(&tale, "position.admitted", 8000, 6, "line");
	person(&tale, "session.claimed", 8200, 6, "");
	person(&tale, "session.released", 8500, 6, "");
	person(&tale, "position.admitted", 9500, 5, "line");
	expect(&tale, &rules, "went in before");
}

static void only_a_store_that_lost_something_lets_people_in_again(void **state)
{
	(void)state;
	struct tale tale;
	const struct story_rules after_a_loss = {
		.queue = "default/demo", .capacity = -1, .rate_per_minute = -1, .store_lost = true};
	good_tale(&tale);
	person(&tale, "position.restored", 9000, 3, "");
	expect(&tale, &rules, "came when the place");
	good_tale(&tale);
	person(&tale, "position.restored", 9000, 3, "");
	person(&tale, "position.admitted", 9500, 3, "line");
	expect(&tale, &after_a_loss, NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_good_story_is_told_in_numbers),
		cmocka_unit_test(events_of_other_queues_are_passed_over),
		cmocka_unit_test(a_second_admission_is_found),
		cmocka_unit_test(a_second_end_is_found),
		cmocka_unit_test(a_place_without_a_beginning_is_found),
		cmocka_unit_test(a_place_with_two_tickets_is_found),
		cmocka_unit_test(one_too_many_on_the_site_is_found),
		cmocka_unit_test(a_lowered_capacity_counts_from_the_next_admission),
		cmocka_unit_test(an_admission_before_its_time_is_found),
		cmocka_unit_test(somebody_overtaken_is_found),
		cmocka_unit_test(somebody_who_was_absent_is_not_overtaken),
		cmocka_unit_test(a_repeated_event_must_be_the_same),
		cmocka_unit_test(only_an_operator_puts_back_what_had_ended),
		cmocka_unit_test(whoever_was_put_back_must_not_be_overtaken),
		cmocka_unit_test(only_a_store_that_lost_something_lets_people_in_again),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
