/* How the client follows a queue, against the real scripts in a real Redis: settings when they are
 * new, who has left, how many there are, and the bitmap of all who ever left. */
#include "support/cmocka.h"
#include "support/demo_queue.h"

#include <string.h>

static void set_key(const char *name, const char *value)
{
	assert_int_equal(ask_do(ask, "HSET " DEMO "settings %s %s", name, value)->err, WR_OK);
}

static void sync_gives_the_settings_only_when_they_are_new(void **state)
{
	(void)state;
	struct queue_settings settings = demo_held_settings();
	strcpy(settings.message, "Back at 10:00 – sorry");
	settings.target_count = 2;
	strcpy(settings.targets[0], "https://shop.example");
	strcpy(settings.targets[1], "https://shop.example/b");
	assert_int_equal(ask_put(ask, &demo, &settings, 0, NULL)->version, 1);
	const struct synced *synced = &ask_sync(ask, &demo, "", 0, 10)->synced;
	assert_int_equal(ask->queue.err, WR_OK);
	assert_true(synced->has_settings);
	assert_int_equal(synced->version, 1);
	assert_int_equal(synced->settings.version, 1);
	assert_string_equal(synced->settings.message, settings.message);
	assert_int_equal(synced->settings.rate_per_minute, 6000000);
	assert_int_equal(synced->settings.state, QUEUE_HOLD);
	assert_int_equal(synced->settings.target_count, 2);
	assert_string_equal(synced->settings.targets[1], settings.targets[1]);
	assert_int_equal(synced->settings.lane_count, 1);
	assert_int_equal(strlen(synced->epoch), EPOCH_CHARS);
	assert_string_equal(synced->lost_epochs, "");
	assert_int_equal(synced->outbox_length, 1);
	assert_false(ask_sync(ask, &demo, "", 1, 10)->synced.has_settings);
	ask_patch(ask, &demo, "message", "soon");
	assert_true(ask_sync(ask, &demo, "", 1, 10)->synced.has_settings);
}

static void a_setting_of_another_version_does_not_stop_the_rest(void **state)
{
	(void)state;
	demo_put_held();
	set_key("some_new_setting", "1");
	set_key("capacity", "lots");
	const struct synced *synced = &ask_sync(ask, &demo, "", 0, 10)->synced;
	struct queue_settings settings;
	queue_settings_default(&settings);
	assert_int_equal(ask->queue.err, WR_OK);
	assert_int_equal(synced->settings.capacity, settings.capacity);
	assert_int_equal(synced->settings.rate_per_minute, 6000000);
}

/* Bit t: ticket t is among the departures, however they are cut into ranges. */
static unsigned departed_tickets(const struct synced *synced)
{
	unsigned tickets = 0;
	for (size_t i = 0; i < synced->departure_count; i++) {
		const struct departure *departure = &synced->departures[i];
		assert_int_equal(departure->lane, 0);
		assert_in_range(departure->range.last, departure->range.first, 31);
		for (uint64_t t = departure->range.first; t <= departure->range.last; t++)
			tickets |= 1u << t;
	}
	return tickets;
}

static void sync_tells_who_left_the_line_since_last_time(void **state)
{
	(void)state;
	demo_put_held();
	demo_join("main", 1, 10, true);
	const struct synced *synced = &ask_sync(ask, &demo, "", 0, 10)->synced;
	assert_int_equal(synced->departure_count, 0);
	assert_string_equal(synced->last_departure, "");
	store_id ids[] = {"person0000000002", "person0000000007"};
	ask_admit(ask, &demo, 500, 1);
	ask_release(ask, &demo, STORE_LEAVE, ids, 2);
	ask_admit(ask, &demo, 500, 3);

	synced = &ask_sync(ask, &demo, "", 1, 10)->synced;
	assert_int_equal(departed_tickets(synced), 1 << 1 | 1 << 2 | 1 << 7 | 1 << 3 | 1 << 4 | 1 << 5);
	assert_int_equal(synced->lanes[0].ticket, 10);
	assert_int_equal(synced->lanes[0].gone, 6);
	assert_int_equal(synced->lanes[0].admitted, 4);
	assert_int_equal(synced->active, 4);
	assert_false(synced->more);
	assert_int_equal(ask_sync(ask, &demo, synced->last_departure, 1, 10)->synced.departure_count,
					 0);

	/* in steps of one entry */
	assert_true(ask_sync(ask, &demo, "", 1, 1)->synced.more);
	assert_int_equal(departed_tickets(&ask->queue.synced), 1 << 1);
	ask_sync(ask, &demo, ask->queue.synced.last_departure, 1, 1);
	assert_int_equal(departed_tickets(&ask->queue.synced), 1 << 2 | 1 << 7);
}

static void sync_counts_the_absent_and_the_returned(void **state)
{
	(void)state;
	demo_put_held();
	demo_join("main", 1, 3, false);
	demo_make_older(3);
	ask_admit(ask, &demo, 500, 1);
	assert_int_equal(ask_sync(ask, &demo, "", 1, 10)->synced.absent, 3);
	store_id id = "person0000000001";
	ask_visit(ask, &demo, true, &id, 1);
	assert_int_equal(ask_sync(ask, &demo, "", 1, 10)->synced.absent, 2);
	assert_int_equal(ask->queue.synced.returned, 1);
}

static void a_lane_that_is_gone_is_passed_over_in_departures(void **state)
{
	(void)state;
	demo_put_held();
	ask_do(ask, "XADD " DEMO "departures * d old-lane:1-4,main:5-6");
	const struct synced *synced = &ask_sync(ask, &demo, "", 1, 10)->synced;
	assert_int_equal(ask->queue.err, WR_OK);
	assert_int_equal(synced->departure_count, 1);
	assert_int_equal(synced->departures[0].range.first, 5);
}

static void departures_that_make_no_sense_are_an_error(void **state)
{
	(void)state;
	static const char *const nonsense[] = {"main",	   "main:5",	"main:6-5",		"main:0-1",
										   "main:5-x", "main:1-2,", "main:1-2,main"};
	for (size_t i = 0; i < sizeof(nonsense) / sizeof(nonsense[0]); i++) {
		shared_ask_empty(NULL);
		demo_put_held();
		ask_do(ask, "XADD " DEMO "departures * d %s", nonsense[i]);
		enum wr_err err = ask_sync(ask, &demo, "", 1, 10)->err;
		bool trailing_comma = i == 5;
		assert_int_equal(err, trailing_comma ? WR_OK : WR_STORE_AWAY);
	}
}

static void a_chunk_is_the_bitmap_of_who_left(void **state)
{
	(void)state;
	demo_put_held();
	demo_join("main", 1, 20, true);
	assert_int_equal(ask_chunk(ask, &demo, "main", 0)->err, WR_OK);
	assert_int_equal(ask->queue.chunk_bytes, 0);
	store_id id = "person0000000018";
	ask_release(ask, &demo, STORE_LEAVE, &id, 1);
	ask_admit(ask, &demo, 500, 10);
	const struct ask_queue *answer = ask_chunk(ask, &demo, "main", 0);
	assert_int_equal(answer->chunk_bytes, 3);
	assert_int_equal(answer->chunk[0], 0xff);
	assert_int_equal(answer->chunk[1], 0xc0); /* tickets 9 and 10: from the top bit */
	assert_int_equal(answer->chunk[2], 0x40); /* 18 */
}

static void sync_tells_a_deleted_queue_from_a_lost_one(void **state)
{
	(void)state;
	assert_int_equal(ask_sync(ask, &demo, "", 0, 10)->err, WR_NOT_FOUND);
	demo_put_held();
	while (ask_delete(ask, &demo, 500)->more)
		;
	assert_int_equal(ask_sync(ask, &demo, "", 0, 10)->err, WR_NO_QUEUE);
}

#define TEST(name) cmocka_unit_test_setup(name, shared_ask_empty)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(sync_gives_the_settings_only_when_they_are_new),
		TEST(a_setting_of_another_version_does_not_stop_the_rest),
		TEST(sync_tells_who_left_the_line_since_last_time),
		TEST(sync_counts_the_absent_and_the_returned),
		TEST(a_lane_that_is_gone_is_passed_over_in_departures),
		TEST(departures_that_make_no_sense_are_an_error),
		TEST(a_chunk_is_the_bitmap_of_who_left),
		TEST(sync_tells_a_deleted_queue_from_a_lost_one),
	};
	return cmocka_run_group_tests(tests, shared_ask_open, shared_ask_close);
}
