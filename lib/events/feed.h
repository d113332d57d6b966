/* Feed: one queue's outbox on its way to the broker.
 *
 *     outbox ──read──► batch ──expand──► flights ──all stored──► done ──remove──► (gone)
 *
 * An entry leaves the outbox only after each of its events is known to be stored. Whatever goes
 * wrong before that, the feed forgets what it holds and reads the outbox again from the start: the
 * entries are still there, and expand to the same events with the same ids.
 *
 * What     Lease, reading, publishing, counting answers, removing; for one queue.
 * Used by  relay.c.
 * Threads  the relay's.
 */
#ifndef EVENTS_FEED_H
#define EVENTS_FEED_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "broker.h"
#include "waitingroom/clock.h"
#include "waitingroom/events.h"
#include "waitingroom/outbox.h"

/* What relay_counts gives, written by the relay's thread only. */
struct relay_meter {
	_Atomic uint64_t published, acked, failed, republished, malformed, entries_removed, backlog;
	_Atomic int64_t oldest_ms;
	_Atomic bool connected;
	struct timings lag;
	struct stream_seen { /* at the last look */
		_Atomic bool looked, there;
		_Atomic int64_t replicas, replicas_current;
	} stream;
};

static inline void meter_add(_Atomic uint64_t *counter, uint64_t count)
{
	atomic_fetch_add_explicit(counter, count, memory_order_relaxed);
}

struct open_entry;

/* What all feeds of a relay share. */
struct feeds_shared {
	struct outbox_source source;
	struct broker *broker;
	struct relay_meter meter;
	uint32_t batch_entries;
	relay_wait_fn on_wait;	 /* NULL: nobody wants to know */
	void *ctx;				 /* of on_wait */
	size_t batched;			 /* entries in the batches of all feeds */
	bool answered, refused;	 /* some flight was stored, failed, since the relay looked last */
	struct open_entry *free; /* to use again */
};

struct feed {
	struct feeds_shared *shared;
	struct queue_name name;
	bool listed;					/* for the relay: the source still names this queue */
	struct mono_time refused_until; /* the store has refused something; not asked before */

	bool mine, asked;					/* the lease; has it been asked for at all? */
	struct mono_time lease_at, read_at; /* not before */
	int64_t pause_ms;					/* between reads that find nothing */
	struct mono_time empty_at;			/* when a read found nothing; 0: the last one found some */

	char cursor[48]; /* entries up to here have been read; "0" none */
	bool rewind;	 /* read from the start, as soon as nothing is open */
	struct mono_time rewind_at;
	struct outbox_batch batch;
	size_t batch_at;			/* the entry that is being expanded */
	size_t events_out;			/* so many of its events have been published */
	struct open_entry *current; /* its record, from the first event on */

	struct open_entry *oldest, *newest; /* published in part or whole, in order */
	size_t open;
	char again_until[48]; /* entries up to here were published before; "" none */

	char (*done)[48]; /* stored, to be removed */
	size_t done_count, done_room;
	struct mono_time done_at; /* since when the first of them waits */

	int64_t peeked_at_ms; /* at_ms of the oldest entry, when nobody can publish; 0 none */
};

struct feed *feed_new(struct feeds_shared *shared, const struct queue_name *name); /* gives */
void feed_free(struct feed *feed); /* no flight may be open; NULL is fine */
void feeds_shared_fini(struct feeds_shared *shared);

/* Takes or renews the lease and reads the next batch, each when it is time. Errors are the
 * store's, here and below. */
WR_MUST_USE enum wr_err feed_tend(struct feed *feed, struct mono_time now);
/* While nothing can be published: renews a lease that is held, reads nothing. */
WR_MUST_USE enum wr_err feed_keep_lease(struct feed *feed, struct mono_time now);
/* When that lasts and the lease has been given up: looks how old the oldest entry is. */
WR_MUST_USE enum wr_err feed_peek(struct feed *feed, struct mono_time now);
/* Publishes up to 'room' events; returns how many. *ret_err WR_BROKER_AWAY: one was refused. */
size_t feed_publish(struct feed *feed, size_t room, enum wr_err *ret_err);
/* broker_landed_fn: ctx is the feeds_shared, tag the open entry. */
void feed_landed(void *ctx, void *tag, bool stored);
/* Removes what is done, when it is worth a call or 'now_or_never'. */
WR_MUST_USE enum wr_err feed_remove(struct feed *feed, struct mono_time now, bool now_or_never);
/* Forgets what is read and not yet published, and begins again from the start of the outbox when
 * the answers to what is published have come. */
void feed_drop(struct feed *feed);
void feed_lose_lease(struct feed *feed);

bool feed_is_empty(const struct feed *feed); /* holds nothing */
size_t feed_backlog(const struct feed *feed);
int64_t feed_oldest_at_ms(const struct feed *feed);		/* 0: none */
struct mono_time feed_next_at(const struct feed *feed); /* when feed_tend or feed_remove has work */

#endif
