/* Relay: what is in the stream when all is well, when queues change hands and when the store is in
 * trouble.
 */
#include "support/cloudevent.h"
#include "support/cmocka.h"
#include "support/relay_world.h"
#include "support/wait.h"
#include "waitingroom/json_in.h"
#include "waitingroom/memory.h"

#include <stdio.h>
#include <string.h>

/* ---- when all is well ---- */

static void every_event_arrives_once_and_in_the_order_of_its_queue(void **state)
{
	(void)state;
	struct world *world = world_new(5);
	world_add_entries(world, 100);
	world->relay = world_start_relay(world, "a");
	world_add_entries(world, 101);
	world_await_empty_outbox(world);
	struct event_stream *stream = event_stream_open(nats_url(world->nats));
	world_expect_everybody_once_in_order(world, stream);
	for (size_t i = 0; i < stream->count; i++)
		expect_cloudevent(stream->events[i].body, strlen(stream->events[i].body));
	const struct stored_event *first = &stream->events[0];
	assert_string_equal(first->content_type, "application/cloudevents+json");
	size_t queue;
	uint64_t ticket;
	world_parse_id(first->id, &queue, &ticket);
	char subject[64];
	snprintf(subject, sizeof(subject), "wr.default.q%zu.position.enqueued", queue);
	assert_string_equal(first->subject, subject);
	struct relay_counts counts = counts_of(world->relay);
	assert_int_equal(counts.malformed, 0);
	if (counts.failed == 0) {
		assert_int_equal(counts.published, world->people);
		assert_int_equal(counts.acked, world->people);
		assert_int_equal(counts.republished, 0);
	} else { /* a loaded machine answered too late, and the relay started over */
		assert_true(counts.published + counts.republished >= world->people);
		assert_true(counts.acked >= world->people);
	}
	WAIT_UNTIL(SOON_MS, counts_of(world->relay).entries_removed == world->entries, "counted");
	assert_true(counts_of(world->relay).connected);
	event_stream_close(stream);
	world_free(world);
}

static void a_small_window_moves_large_entries_too(void **state)
{
	(void)state;
	struct world *world = world_new(2);
	struct relay_options options = {
		.nats_url = nats_url(world->nats),
		.source = memory_outbox_source(world->outbox, "a", RELAY_WORLD_LEASE_MS),
		.pending_max = 7,
		.batch_entries = 3,
	};
	assert_int_equal(relay_start(&options, &world->relay, NULL), WR_OK);
	world_add_entries(world, 21);
	world_await_empty_outbox(world);
	struct event_stream *stream = event_stream_open(nats_url(world->nats));
	world_expect_everybody_once_in_order(world, stream);
	event_stream_close(stream);
	world_free(world);
}

static void a_stop_first_publishes_what_is_there(void **state)
{
	(void)state;
	struct world *world = world_new(3);
	world->relay = world_start_relay(world, "a");
	WAIT_UNTIL(SOON_MS, counts_of(world->relay).connected, "connected");
	world_add_entries(world, 200);
	relay_stop(WR_TAKE(world->relay), SOON_MS);
	assert_int_equal(memory_outbox_length(world->outbox), 0);
	struct event_stream *stream = event_stream_open(nats_url(world->nats));
	world_expect_everybody_once_in_order(world, stream);
	event_stream_close(stream);
	world_free(world);
}

static void an_entry_nobody_understands_is_told_raw_and_set_aside(void **state)
{
	(void)state;
	struct world *world = world_new(1);
	world_add_entries(world, 1);
	const struct outbox_entry strange = {.type = "promoted",
										 .at_ms = 5,
										 .epoch = "epoch-00001",
										 .people = "so\"me\nbody",
										 .people_len = 10,
										 .data = "",
										 .n = 3};
	struct queue_name name = world_queue(0);
	memory_outbox_add(world->outbox, &name, &strange);
	world->relay = world_start_relay(world, "a");
	world_await_empty_outbox(world);
	struct event_stream *stream = event_stream_open(nats_url(world->nats));
	event_stream_read(stream);
	assert_int_equal(stream->count, RELAY_WORLD_PEOPLE + 1);
	const struct stored_event *event = &stream->events[RELAY_WORLD_PEOPLE];
	assert_string_equal(event->subject, "wr.system.outbox_malformed");
	expect_cloudevent(event->body, strlen(event->body));
	WR_AUTO(json_free_at) struct json_value *body = NULL;
	assert_int_equal(json_parse(event->body, strlen(event->body), &body, NULL), WR_OK);
	const char *people = NULL;
	assert_true(json_string(json_member(json_member(body, "data"), "people"), &people));
	assert_string_equal(people, "so\"me\nbody");
	assert_int_equal(counts_of(world->relay).malformed, 1);
	event_stream_close(stream);
	world_free(world);
}

/* ---- streams ---- */

static void streams_are_made_as_they_should_be(void **state)
{
	(void)state;
	struct world *world = world_new(1);
	world->relay = world_start_relay(world, "a");
	world_add_entries(world, 1);
	world_await_empty_outbox(world);
	struct event_stream *stream = event_stream_open(nats_url(world->nats));
	jsStreamInfo *info = NULL;
	assert_int_equal(js_GetStreamInfo(&info, stream->js, "WAITINGROOM", NULL, NULL), NATS_OK);
	assert_int_equal(info->Config->Storage, js_FileStorage);
	assert_int_equal(info->Config->Retention, js_LimitsPolicy);
	assert_int_equal(info->Config->Discard, js_DiscardOld);
	assert_int_equal(info->Config->MaxBytes, 1 << 28);
	assert_int_equal(info->Config->MaxAge, INT64_C(72) * 3600 * 1000000000);
	assert_int_equal(info->Config->Duplicates, INT64_C(600) * 1000000000);
	assert_int_equal(info->Config->SubjectsLen, 1);
	assert_string_equal(info->Config->Subjects[0], "wr.>");
	assert_true(info->Config->AllowDirect);
	jsStreamInfo_Destroy(info);
	assert_int_equal(js_GetStreamInfo(&info, stream->js, "WAITINGROOM_DLQ", NULL, NULL), NATS_OK);
	assert_int_equal(info->Config->SubjectsLen, 2);
	assert_int_equal(info->Config->MaxAge, INT64_C(72) * 3600 * 1000000000);
	jsStreamInfo_Destroy(info);
	event_stream_close(stream);
	world_free(world);
}

/* What may be changed is, what may not be is left, and events are taken all the same. */
static void a_stream_of_other_settings_is_updated_and_used(void **state)
{
	(void)state;
	struct world *world = world_new(1);
	struct event_stream *stream = event_stream_open(nats_url(world->nats));
	const char *subjects[] = {"wr.>", "elsewhere.>"};
	jsStreamConfig config;
	jsStreamConfig_Init(&config);
	config.Name = "WAITINGROOM";
	config.Description = "made by somebody else";
	config.Subjects = subjects;
	config.SubjectsLen = 2;
	config.Storage = js_MemoryStorage;
	config.MaxAge = INT64_C(60) * 1000000000;
	config.MaxMsgs = 3;
	assert_int_equal(js_AddStream(NULL, stream->js, &config, NULL, NULL), NATS_OK);
	world->relay = world_start_relay(world, "a");
	world_add_entries(world, 3);
	world_await_empty_outbox(world);
	world_expect_everybody_once_in_order(world, stream);
	jsStreamInfo *info = NULL;
	assert_int_equal(js_GetStreamInfo(&info, stream->js, "WAITINGROOM", NULL, NULL), NATS_OK);
	assert_int_equal(info->Config->Storage, js_MemoryStorage);
	assert_int_equal(info->Config->MaxAge, INT64_C(72) * 3600 * 1000000000);
	assert_int_equal(info->Config->MaxMsgs, -1);
	assert_int_equal(info->Config->SubjectsLen, 2);
	assert_string_equal(info->Config->Description, "made by somebody else");
	jsStreamInfo_Destroy(info);
	event_stream_close(stream);
	world_free(world);
}

/* ---- leases, and trouble with the store ---- */

/* Some more work at each look, until the relay has done some of it. */
static bool has_worked_since(struct world *world, struct relay *relay, uint64_t acked)
{
	world_add_entries(world, 4);
	return counts_of(relay).acked > acked;
}

static void two_relays_hand_queues_over_without_loss(void **state)
{
	(void)state;
	struct world *world = world_new(4);
	world->relay = world_start_relay(world, "a");
	struct relay *other = world_start_relay(world, "b");
	for (int round = 0; round < 5; round++) {
		struct relay *next = round % 2 ? world->relay : other;
		uint64_t acked = counts_of(next).acked;
		world_add_entries(world, 300); /* so that the one before is busy */
		memory_outbox_give_leases(world->outbox, round % 2 ? "a" : "b");
		WAIT_UNTIL(SOON_MS, has_worked_since(world, next, acked), "the next one publishes");
	}
	world_await_empty_outbox(world);
	relay_stop(other, 1000);
	struct event_stream *stream = event_stream_open(nats_url(world->nats));
	world_expect_everybody(world, stream);
	assert_int_equal(stream->count, world->people);
	event_stream_close(stream);
	world_free(world);
}

static void the_queues_of_a_stopped_relay_go_to_the_next_at_once(void **state)
{
	(void)state;
	struct world *world = world_new(2);
	struct relay *first = world_start_relay(world, "a");
	world_add_entries(world, 10);
	world_await_empty_outbox(world);
	relay_stop(first, 1000);
	world->relay = world_start_relay(world, "b");
	world_add_entries(world, 10);
	WAIT_UNTIL(RELAY_WORLD_LEASE_MS / 2, memory_outbox_length(world->outbox) == 0,
			   "b does not wait for a");
	world_free(world);
}

static void a_store_that_goes_away_is_asked_again_until_it_is_back(void **state)
{
	(void)state;
	struct world *world = world_new(3);
	world_add_entries(world, 300);
	world->relay = world_start_relay(world, "a");
	WAIT_UNTIL(SOON_MS, counts_of(world->relay).acked > 0, "some events are stored");
	memory_outbox_set_away(world->outbox, true);
	size_t calls = memory_outbox_calls(world->outbox);
	struct mono_time start = clock_mono();
	WAIT_UNTIL(SOON_MS, mono_diff_ms(start, clock_mono()) > 1000, "a second passes");
	assert_in_range(memory_outbox_calls(world->outbox) - calls, 0, 20);
	memory_outbox_set_away(world->outbox, false);
	world_await_empty_outbox(world);
	struct event_stream *stream = event_stream_open(nats_url(world->nats));
	world_expect_everybody_once_in_order(world, stream);
	event_stream_close(stream);
	world_free(world);
}

/* ---- starting ---- */

static void an_unusable_url_is_refused_with_a_reason(void **state)
{
	(void)state;
	static const char *const wrong[] = {
		"",
		"127.0.0.1:4222",
		"http://127.0.0.1:4222",
		"nats://",
		"nats://:4222",
		"nats://host:",
		"nats://host:0",
		"nats://host:65536",
		"nats://host:x",
		"nats://host,",
		"nats://user:secret@:4222",
	};
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		const struct relay_options options = {.nats_url = wrong[i]};
		struct relay *relay = NULL;
		struct err_detail detail = {""};
		assert_int_equal(relay_start(&options, &relay, &detail), WR_BAD_CONFIG);
		assert_null(relay);
		assert_int_equal(strncmp(detail.text, "nats url: ", 10), 0);
		assert_null(strstr(detail.text, "secret"));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_event_arrives_once_and_in_the_order_of_its_queue),
		cmocka_unit_test(a_small_window_moves_large_entries_too),
		cmocka_unit_test(a_stop_first_publishes_what_is_there),
		cmocka_unit_test(an_entry_nobody_understands_is_told_raw_and_set_aside),
		cmocka_unit_test(streams_are_made_as_they_should_be),
		cmocka_unit_test(a_stream_of_other_settings_is_updated_and_used),
		cmocka_unit_test(two_relays_hand_queues_over_without_loss),
		cmocka_unit_test(the_queues_of_a_stopped_relay_go_to_the_next_at_once),
		cmocka_unit_test(a_store_that_goes_away_is_asked_again_until_it_is_back),
		cmocka_unit_test(an_unusable_url_is_refused_with_a_reason),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
