/* A relay, what is before it and what is behind it. */
#include "support/relay_world.h"

#include "support/cmocka.h"
#include "support/wait.h"
#include "waitingroom/memory.h"

#include <stdio.h>
#include <stdlib.h>

#define ACK_WAIT_MS 400

struct relay *world_start_relay(struct world *world, const char *owner)
{
	const struct relay_options options = {
		.nats_url = nats_url(world->nats),
		.source = memory_outbox_source(world->outbox, owner, RELAY_WORLD_LEASE_MS),
		.ack_wait_ms = ACK_WAIT_MS,
		.max_bytes = 1 << 28,
	};
	struct relay *relay = NULL;
	struct err_detail detail = {""};
	if (relay_start(&options, &relay, &detail))
		fail_msg("relay_start: %s", detail.text);
	return relay;
}

struct world *world_new(size_t queues)
{
	struct world *world = mem_alloc_zero(1, sizeof(*world));
	world->nats = nats_start();
	world->outbox = memory_outbox_new();
	world->queues = queues;
	return world;
}

void world_free(struct world *world)
{
	relay_stop(world->relay, 1000);
	memory_outbox_free(world->outbox);
	nats_free(world->nats);
	free(world);
}

struct queue_name world_queue(size_t number)
{
	struct queue_name name = {.tenant = "default"};
	snprintf(name.queue, sizeof(name.queue), "q%zu", number);
	return name;
}

void world_add_entries(struct world *world, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		size_t queue = world->entries++ % world->queues, len = 0;
		char people[RELAY_WORLD_PEOPLE * 64];
		for (int k = 0; k < RELAY_WORLD_PEOPLE; k++) {
			unsigned long long ticket = ++world->tickets[queue];
			len += (size_t)sprintf(people + len, "%sq%zuT%013llu main %llu", k ? "\n" : "", queue,
								   ticket, ticket);
		}
		struct outbox_entry entry = {.type = "enqueued",
									 .at_ms = clock_wall().ms,
									 .epoch = "epoch-00001",
									 .people = people,
									 .people_len = len,
									 .data = ""};
		struct queue_name name = world_queue(queue);
		memory_outbox_add(world->outbox, &name, &entry);
		world->people += RELAY_WORLD_PEOPLE;
	}
}

struct relay_counts counts_of(const struct relay *relay)
{
	struct relay_counts counts;
	relay_counts(relay, &counts);
	return counts;
}

void world_await_empty_outbox(struct world *world)
{
	WAIT_UNTIL(SOON_MS, memory_outbox_length(world->outbox) == 0, "the outbox is empty");
}

void world_parse_id(const char *id, size_t *ret_queue, uint64_t *ret_ticket)
{
	int end = 0;
	unsigned long long ticket;
	if (sscanf(id, "q%zuT%13llu:enqueued%n", ret_queue, &ticket, &end) != 2 || id[end])
		fail_msg("not an id of this test: %s", id);
	*ret_ticket = ticket;
}

void world_expect_everybody_once_in_order(struct world *world, struct event_stream *stream)
{
	uint64_t last[RELAY_WORLD_QUEUES_MAX] = {0};
	event_stream_read(stream);
	for (size_t i = 0; i < stream->count; i++) {
		size_t queue;
		uint64_t ticket;
		world_parse_id(stream->events[i].id, &queue, &ticket);
		assert_in_range(queue, 0, world->queues - 1);
		assert_int_equal(ticket, ++last[queue]);
	}
	for (size_t queue = 0; queue < world->queues; queue++)
		assert_int_equal(last[queue], world->tickets[queue]);
}

void world_expect_everybody(struct world *world, struct event_stream *stream)
{
	uint64_t found = 0;
	WR_AUTO(mem_free_at) bool *seen = mem_alloc_zero(world->people + world->queues, sizeof(bool));
	event_stream_read(stream);
	for (size_t i = 0; i < stream->count; i++) {
		size_t queue;
		uint64_t ticket;
		world_parse_id(stream->events[i].id, &queue, &ticket);
		assert_in_range(ticket, 1, world->tickets[queue]);
		bool *mark = &seen[(ticket - 1) * world->queues + queue];
		found += !*mark;
		*mark = true;
	}
	assert_int_equal(found, world->people);
}
