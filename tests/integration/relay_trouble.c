/* Relay and a broker that is killed, paused, absent, unwilling or has lost its stream: nothing is
 * missing afterwards, nothing is there twice, and the order of each queue is kept.
 */
#include "support/cmocka.h"
#include "support/process.h"
#include "support/relay_world.h"
#include "support/wait.h"
#include "waitingroom/memory.h"

#include <stdio.h>
#include <string.h>

static void a_killed_broker_loses_nothing_and_repeats_are_dropped(void **state)
{
	(void)state;
	struct world *world = world_new(4);
	world->relay = world_start_relay(world, "a");
	struct relay_counts counts = counts_of(world->relay);
	/* The relay may have every ack just before the kill; then nothing was in doubt: once more. */
	for (int i = 0; i < 10 && (counts.republished == 0 || counts.failed == 0); i++) {
		uint64_t acked = counts.acked;
		world_add_entries(world, 600);
		WAIT_UNTIL(SOON_MS, counts_of(world->relay).acked > acked + 2000, "some are stored");
		nats_kill(world->nats);
		world_add_entries(world, 400);
		nats_restart(world->nats);
		world_await_empty_outbox(world);
		counts = counts_of(world->relay);
	}
	struct event_stream *stream = event_stream_open(nats_url(world->nats));
	world_expect_everybody_once_in_order(world, stream);
	assert_int_not_equal(counts.republished, 0);
	assert_int_not_equal(counts.failed, 0);
	event_stream_close(stream);
	world_free(world);
}

static void an_entry_leaves_the_outbox_only_after_its_events_are_stored(void **state)
{
	(void)state;
	struct world *world =
		world_new(1); /* entry n is about the tickets from n * RELAY_WORLD_PEOPLE + 1 */
	world_add_entries(world, 6000);
	world->relay = world_start_relay(world, "a");
	WAIT_UNTIL(SOON_MS, memory_outbox_length(world->outbox) < 5800, "some entries are gone");
	nats_kill(world->nats);
	relay_stop(WR_TAKE(world->relay), 0);
	size_t left = memory_outbox_length(world->outbox);
	assert_in_range(left, 1, 5799);
	nats_restart(world->nats);
	struct event_stream *stream = event_stream_open(nats_url(world->nats));
	event_stream_read(stream);
	uint64_t last = 0;
	for (size_t i = 0; i < stream->count; i++) {
		size_t queue;
		world_parse_id(stream->events[i].id, &queue, &last);
		assert_int_equal(last, i + 1);
	}
	for (size_t entry = 0; entry < world->entries; entry++) {
		if (!memory_outbox_has(world->outbox, entry))
			assert_in_range((entry + 1) * RELAY_WORLD_PEOPLE, 1, last);
	}
	event_stream_close(stream);
	world_free(world);
}

static void a_broker_that_is_absent_is_waited_for_without_a_busy_loop(void **state)
{
	(void)state;
	struct world *world = world_new(3);
	nats_kill(world->nats);
	world_add_entries(world, 30);
	world->relay = world_start_relay(world, "a");
	WAIT_UNTIL(SOON_MS, counts_of(world->relay).oldest_ms > 0, "the backlog is seen");
	assert_false(counts_of(world->relay).connected);
	assert_int_not_equal(counts_of(world->relay).backlog, 0);
	size_t calls = memory_outbox_calls(world->outbox);
	struct mono_time start = clock_mono();
	WAIT_UNTIL(SOON_MS, mono_diff_ms(start, clock_mono()) > 1000, "a second passes");
	assert_in_range(memory_outbox_calls(world->outbox) - calls, 0, 20);
	assert_int_equal(counts_of(world->relay).published, 0);
	nats_restart(world->nats);
	world_await_empty_outbox(world);
	struct event_stream *stream = event_stream_open(nats_url(world->nats));
	world_expect_everybody_once_in_order(world, stream);
	WAIT_UNTIL(SOON_MS, counts_of(world->relay).oldest_ms == 0, "no backlog any more");
	event_stream_close(stream);
	world_free(world);
}

static void a_paused_broker_is_unknown_and_not_a_loss(void **state)
{
	(void)state;
	struct world *world = world_new(3);
	world->relay = world_start_relay(world, "a");
	world_add_entries(world, 300);
	WAIT_UNTIL(SOON_MS, counts_of(world->relay).acked > 1000, "some events are stored");
	nats_pause(world->nats);
	world_add_entries(world, 300);
	struct mono_time start = clock_mono();
	WAIT_UNTIL(SOON_MS, counts_of(world->relay).failed > 0, "events run out of time");
	assert_true(counts_of(world->relay).connected); /* or it was not the time that told */
	WAIT_UNTIL(SOON_MS, mono_diff_ms(start, clock_mono()) > 3000, "three seconds pass");
	nats_continue(world->nats);
	world_await_empty_outbox(world);
	struct event_stream *stream = event_stream_open(nats_url(world->nats));
	world_expect_everybody_once_in_order(world, stream);
	assert_int_not_equal(counts_of(world->relay).republished, 0);
	event_stream_close(stream);
	world_free(world);
}

static size_t occurrences(const char *text, const char *what)
{
	size_t count = 0;
	for (; (text = strstr(text, what)); text++)
		count++;
	return count;
}

static void a_broker_that_refuses_us_is_not_hammered(void **state)
{
	(void)state;
	char port[8], url[64];
	snprintf(port, sizeof(port), "%d", free_port());
	snprintf(url, sizeof(url), "nats://127.0.0.1:%s", port);
	const char *argv[] = {"nats-server", "-a", "127.0.0.1", "-p",	 port,
						  "--user",		 "u",  "--pass",	"other", NULL};
	struct process *server = process_start("nats-refuses", argv, NULL);
	WAIT_UNTIL(SOON_MS, process_log_has(server, "Server is ready"), "nats is ready");
	struct memory_outbox *outbox = memory_outbox_new();
	const struct relay_options options = {
		.nats_url = url, .source = memory_outbox_source(outbox, "a", RELAY_WORLD_LEASE_MS)};
	struct relay *relay = NULL;
	assert_int_equal(relay_start(&options, &relay, NULL), WR_OK);
	struct mono_time start = clock_mono();
	WAIT_UNTIL(SOON_MS, mono_diff_ms(start, clock_mono()) > 1500, "some time passes");
	assert_false(counts_of(relay).connected);
	relay_stop(relay, 1000);
	WR_AUTO(mem_free_at) char *log = process_log(server);
	assert_in_range(occurrences(log, "authentication error"), 1, 20);
	memory_outbox_free(outbox);
	process_free(server);
}

static void a_stream_that_was_deleted_is_made_again(void **state)
{
	(void)state;
	struct world *world = world_new(2);
	world->relay = world_start_relay(world, "a");
	world_add_entries(world, 20);
	world_await_empty_outbox(world);
	struct event_stream *stream = event_stream_open(nats_url(world->nats));
	assert_int_equal(js_DeleteStream(stream->js, "WAITINGROOM", NULL, NULL), NATS_OK);
	uint64_t before = world->tickets[0];
	world_add_entries(world, 20);
	world_await_empty_outbox(world);
	event_stream_read(stream);
	assert_int_equal(stream->count, 20 * RELAY_WORLD_PEOPLE);
	for (size_t i = 0; i < stream->count; i++) {
		size_t queue;
		uint64_t ticket;
		world_parse_id(stream->events[i].id, &queue, &ticket);
		assert_in_range(ticket, before + 1, world->tickets[queue]);
	}
	event_stream_close(stream);
	world_free(world);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_killed_broker_loses_nothing_and_repeats_are_dropped),
		cmocka_unit_test(an_entry_leaves_the_outbox_only_after_its_events_are_stored),
		cmocka_unit_test(a_broker_that_is_absent_is_waited_for_without_a_busy_loop),
		cmocka_unit_test(a_paused_broker_is_unknown_and_not_a_loss),
		cmocka_unit_test(a_broker_that_refuses_us_is_not_hammered),
		cmocka_unit_test(a_stream_that_was_deleted_is_made_again),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
