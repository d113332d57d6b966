/* A relay with an outbox in memory before it and a real nats-server behind it.
 *
 * Each person is told apart by queue and ticket, both written into the position id, so that the
 * stream alone says what arrived, how often and in which order.
 *
 * Functions fail the running test (cmocka) on trouble.
 */
#ifndef SUPPORT_RELAY_WORLD_H
#define SUPPORT_RELAY_WORLD_H

#include <stddef.h>
#include <stdint.h>

#include "support/event_stream.h"
#include "support/memory_outbox.h"
#include "support/servers.h"
#include "waitingroom/events.h"

#define RELAY_WORLD_QUEUES_MAX 8
#define RELAY_WORLD_PEOPLE 50 /* of an entry */
#define RELAY_WORLD_LEASE_MS 3000
#define SOON_MS 20000

struct world {
	struct nats_server *nats;
	struct memory_outbox *outbox;
	struct relay *relay;					  /* stopped by world_free; may be NULL */
	uint64_t tickets[RELAY_WORLD_QUEUES_MAX]; /* the last one of each queue */
	size_t queues, entries;
	uint64_t people;
};

struct world *world_new(size_t queues); /* gives; a server, no relay yet */
void world_free(struct world *world);
struct relay *world_start_relay(struct world *world, const char *owner); /* gives */
struct queue_name world_queue(size_t number);

/* Entries for the queues in turn, each about the next people of its line. */
void world_add_entries(struct world *world, size_t count);
void world_await_empty_outbox(struct world *world);
struct relay_counts counts_of(const struct relay *relay);

/* Which queue and ticket an event of ours is about. */
void world_parse_id(const char *id, size_t *ret_queue, uint64_t *ret_ticket);
/* Reads the stream: everybody of each queue exactly once, in the order of the line. */
void world_expect_everybody_once_in_order(struct world *world, struct event_stream *stream);
/* Reads the stream: everybody of each queue at least once, whatever the order. */
void world_expect_everybody(struct world *world, struct event_stream *stream);

#endif
