/* Event watch: ended and made anew while events keep coming in. */
#include "waitingroom/event_watch.h"

#include "support/cmocka.h"
#include "support/relay_world.h"
#include "waitingroom/memory.h"

#include <string.h>

#define ENTRIES 400
#define ROUNDS 100

/* A watch that is closed behind its first event, with the library's thread busy on the next
 * ones. */
static void a_watch_can_be_closed_while_events_come_in(void **state)
{
	(void)state;
	struct world *world = world_new(1);
	world_add_entries(world, ENTRIES);
	world->relay = world_start_relay(world, "a");
	world_await_empty_outbox(world);
	const struct event_watch_options options = {
		.nats_url = nats_url(world->nats), .subject = "wr.default.q0.>", .since_ms = 1};
	for (int i = 0; i < ROUNDS; i++) {
		struct event_watch *watch = NULL;
		struct err_detail detail = {""};
		struct watched_event event = {0};
		if (event_watch_open(&options, &watch, &detail))
			fail_msg("event_watch_open: %s", detail.text);
		assert_int_equal(event_watch_next(watch, SOON_MS, &event), EVENT_WATCH_EVENT);
		assert_non_null(strstr(event.body, "q0T0000000000001"));
		event_watch_close(watch);
	}
	world_free(world);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_watch_can_be_closed_while_events_come_in),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
