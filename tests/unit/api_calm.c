/* Which rounds of the sync thread can do without a queue: those of one that nobody is in, and no
 * more. */
#include "cmd/api/calm.h"

#include <stdlib.h>

#include "support/cmocka.h"

static struct app *app;
static struct followed followed;
static struct queue_settings settings;
static struct synced nobody;

static int begin(void **state)
{
	(void)state;
	app = calloc(1, sizeof(*app));
	app->astir = calloc(4, sizeof(*app->astir));
	app->config.sync_interval_ms = 250;
	app->config.stale_after_ms = 1000;
	queue_settings_default(&settings);
	followed = (struct followed){.slot = 2, .settings = &settings};
	nobody = (struct synced){.lane_count = 2};
	nobody.lanes[0] = (struct lane_counts){.lane = "main", .ticket = 7, .gone = 7};
	nobody.lanes[1] = (struct lane_counts){.lane = "vip"};
	return 0;
}

static int end(void **state)
{
	(void)state;
	free(app->astir);
	free(app);
	return 0;
}

/* Of the next ten rounds, how many leave the queue out? */
static int rounds_left_out(void)
{
	int count = 0;
	for (uint64_t round = 0; round < 10; round++)
		count += calm_may_wait(app, &followed, round);
	return count;
}

static void answers(const struct synced *answer, int count)
{
	for (int i = 0; i < count; i++)
		calm_note(&followed, answer);
}

static void a_queue_that_was_empty_for_a_while_is_left_out_of_every_other_round(void **state)
{
	(void)state;
	assert_int_equal(rounds_left_out(), 0);
	answers(&nobody, 7);
	assert_int_equal(rounds_left_out(), 0);
	answers(&nobody, 1);
	assert_int_equal(rounds_left_out(), 5);
	for (uint64_t round = 0; round < 10; round++)
		assert_false(calm_may_wait(app, &followed, round) &&
					 calm_may_wait(app, &followed, round + 1));
}

static void half_of_the_queues_are_left_out_of_each_round(void **state)
{
	struct followed neighbour;
	(void)state;
	answers(&nobody, 8);
	neighbour = followed;
	neighbour.slot++;
	for (uint64_t round = 0; round < 10; round++)
		assert_int_not_equal(calm_may_wait(app, &followed, round),
							 calm_may_wait(app, &neighbour, round));
}

static void a_request_brings_the_queue_back_into_every_round(void **state)
{
	(void)state;
	answers(&nobody, 20);
	calm_astir(app, 1);
	assert_int_equal(rounds_left_out(), 5);
	calm_astir(app, 2);
	assert_int_equal(rounds_left_out(), 0);
	answers(&nobody, 8);
	assert_int_equal(rounds_left_out(), 5);
}

static void anybody_and_any_news_bring_the_queue_back(void **state)
{
	struct synced others[8];
	size_t count = sizeof(others) / sizeof(*others);
	(void)state;
	for (size_t i = 0; i < count; i++)
		others[i] = nobody;
	others[0].lanes[1].ticket = 1;
	others[1].active = 1;
	others[2].absent = 1;
	others[3].returned = 1;
	others[4].outbox_length = 1;
	others[5].departure_count = 1;
	others[6].revocation_count = 1;
	others[7].recovering = true;
	for (size_t i = 0; i < count; i++) {
		answers(&nobody, 8);
		assert_int_equal(rounds_left_out(), 5);
		answers(&others[i], 1);
		assert_int_equal(rounds_left_out(), 0);
	}
	answers(&nobody, 8);
	nobody.has_settings = true;
	answers(&nobody, 1);
	assert_int_equal(rounds_left_out(), 0);
}

/* An answer from a picture that is too old says so, and visitors who poll fast would be told
 * that. */
static void no_queue_is_left_out_where_its_picture_would_be_called_stale(void **state)
{
	(void)state;
	answers(&nobody, 8);
	settings.poll_min_ms = 999;
	assert_int_equal(rounds_left_out(), 0);
	settings.poll_min_ms = 1000;
	assert_int_equal(rounds_left_out(), 5);
	app->config.sync_interval_ms = 251;
	assert_int_equal(rounds_left_out(), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)
		TEST(a_queue_that_was_empty_for_a_while_is_left_out_of_every_other_round),
		TEST(half_of_the_queues_are_left_out_of_each_round),
		TEST(a_request_brings_the_queue_back_into_every_round),
		TEST(anybody_and_any_news_bring_the_queue_back),
		TEST(no_queue_is_left_out_where_its_picture_would_be_called_stale),
#undef TEST
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
