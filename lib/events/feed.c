/* Feed: reads one queue's outbox, publishes it, and removes what JetStream has stored.
 *
 * The happy path: hold the lease; read a batch behind the cursor; expand entry by entry into
 * flights, as far as the window has room; when the last flight of an entry has landed well, put its
 * id on the done list; remove the list with one call.
 *
 * What can go wrong, and the one answer to all of it:
 *
 *     an event is refused or its ack is lost      relay.c calls feed_drop for every feed
 *     the lease is lost                           feed_lose_lease
 *     the process dies                            another relay takes the lease
 *
 * Then the batch is forgotten, and reading begins again at "0" once nothing is open any more. The
 * entries whose events were all stored are removed first, so what is read again is what is not
 * known to be stored. Its events have the same ids, so JetStream drops those that it has.
 *
 * The cursor also goes back to "0" whenever nothing is open, and at least every REWIND_MS: after a
 * failover the store may give new entries ids below those that were read before.
 *
 * Flights land in the order of publishing, so open entries are a queue: only its head can finish.
 */
#include "feed.h"

#include "malformed.h"
#include "waitingroom/log.h"
#include "waitingroom/memory.h"

#include <stdlib.h>
#include <string.h>

#define LEASE_MS 500 /* between renewals; leases must last a good deal longer */
#define PAUSE_MIN_MS 50
#define PAUSE_MAX_MS 250
#define PEEK_MS 1000
#define REWIND_MS 10000
#define REMOVE_AT_ONCE 256
#define REMOVE_AFTER_MS 20
#define DONE_MAX 4096	 /* no more is read while so many wait to be removed */
#define BATCHES_SHARED 4 /* full batches that all feeds may hold together */

/* An entry with events in flight. */
struct open_entry {
	struct open_entry *next;
	struct feed *feed;
	char id[48];
	int64_t at_ms;
	uint32_t unanswered;
	bool whole;		/* all its events have been published */
	bool abandoned; /* they will not be; or not all were stored */
};

struct feed *feed_new(struct feeds_shared *shared, const struct queue_name *name)
{
	struct feed *feed = mem_alloc_zero(1, sizeof(*feed));
	feed->shared = shared;
	feed->name = *name;
	feed->rewind = true;
	feed->pause_ms = PAUSE_MIN_MS;
	return feed;
}

static struct open_entry *pop_oldest(struct feed *feed)
{
	struct open_entry *entry = feed->oldest;
	feed->oldest = entry->next;
	if (!feed->oldest)
		feed->newest = NULL;
	feed->open--;
	entry->next = feed->shared->free;
	feed->shared->free = entry;
	return entry;
}

static void forget_batch(struct feed *feed)
{
	feed->shared->batched -= feed->batch.count - feed->batch_at;
	outbox_batch_free(&feed->batch);
	feed->batch_at = 0;
	feed->events_out = 0;
	feed->current = NULL;
}

void feed_free(struct feed *feed)
{
	if (!feed)
		return;
	forget_batch(feed);
	while (feed->oldest)
		pop_oldest(feed);
	free(feed->done);
	free(feed);
}

void feeds_shared_fini(struct feeds_shared *shared)
{
	while (shared->free) {
		struct open_entry *entry = shared->free;
		shared->free = entry->next;
		free(entry);
	}
}

/* ---- answers ---- */

static void add_done(struct feed *feed, const char id[48])
{
	if (feed->done_count == feed->done_room) {
		feed->done_room = feed->done_room ? feed->done_room * 2 : REMOVE_AT_ONCE;
		feed->done = mem_grow(feed->done, feed->done_room, sizeof(*feed->done));
	}
	if (!feed->done_count)
		feed->done_at = clock_mono();
	memcpy(feed->done[feed->done_count++], id, sizeof(*feed->done));
}

/* Finished entries at the head are stored as a whole, or will be read again. */
static void finish_entries(struct feed *feed)
{
	while (feed->oldest && !feed->oldest->unanswered &&
		   (feed->oldest->whole || feed->oldest->abandoned)) {
		const struct open_entry *entry = pop_oldest(feed);
		if (entry->abandoned) {
			memcpy(feed->again_until, entry->id, sizeof(feed->again_until));
			continue;
		}
		/* The store's clock against ours. */
		timings_add(&feed->shared->meter.lag, (clock_wall().ms - entry->at_ms) * 1000);
		add_done(feed, entry->id);
	}
}

void feed_landed(void *ctx, void *tag, bool stored)
{
	struct feeds_shared *shared = ctx;
	struct open_entry *entry = tag;
	entry->unanswered--;
	if (stored) {
		shared->answered = true;
		meter_add(&shared->meter.acked, 1);
	} else {
		shared->refused = true;
		entry->abandoned = true;
		meter_add(&shared->meter.failed, 1);
	}
	if (!entry->unanswered)
		finish_entries(entry->feed);
}

enum wr_err feed_remove(struct feed *feed, struct mono_time now, bool now_or_never)
{
	while (feed->done_count) {
		bool waited = mono_diff_ms(feed->done_at, now) >= REMOVE_AFTER_MS;
		if (feed->done_count < REMOVE_AT_ONCE && feed->oldest && !waited && !now_or_never)
			break;
		struct outbox_source *source = &feed->shared->source;
		size_t count = feed->done_count < REMOVE_AT_ONCE ? feed->done_count : REMOVE_AT_ONCE;
		const char(*ids)[48] = (const char(*)[48])feed->done;
		enum wr_err err = source->remove(source->ctx, &feed->name, ids, count);
		if (err)
			return err;
		meter_add(&feed->shared->meter.entries_removed, count);
		feed->done_count -= count;
		memmove(feed->done, feed->done + count, feed->done_count * sizeof(*feed->done));
		feed->done_at = now;
	}
	return WR_OK;
}

/* ---- giving up and beginning again ---- */

void feed_drop(struct feed *feed)
{
	if (feed->current)
		feed->current->abandoned = true;
	forget_batch(feed);
	feed->rewind = true;
	finish_entries(feed);
}

void feed_lose_lease(struct feed *feed)
{
	if (feed->mine)
		feed_drop(feed);
	feed->mine = false;
}

/* ---- reading ---- */

static enum wr_err tend_lease(struct feed *feed, struct mono_time now)
{
	struct outbox_source *source = &feed->shared->source;
	bool mine = false;
	enum wr_err err = source->lease(source->ctx, &feed->name, &mine);
	if (err)
		return err;
	feed->asked = true;
	feed->lease_at = mono_add_ms(now, LEASE_MS);
	if (!mine)
		feed_lose_lease(feed);
	else if (!feed->mine)
		feed->read_at = now;
	feed->mine = mine;
	return WR_OK;
}

static bool may_read(struct feed *feed, struct mono_time now)
{
	if (!feed->mine || feed->batch.count || now.ns < feed->read_at.ns)
		return false;
	bool nothing_open = !feed->oldest && !feed->done_count;
	if (nothing_open)
		feed->rewind = true;
	else if (mono_diff_ms(feed->rewind_at, now) >= REWIND_MS)
		feed->rewind = true; /* lets what is open run out first */
	return feed->rewind ? nothing_open : feed->done_count < DONE_MAX;
}

static size_t batch_limit(const struct feeds_shared *shared)
{
	size_t most = (size_t)shared->batch_entries * BATCHES_SHARED;
	size_t left = shared->batched < most ? most - shared->batched : 0;
	return left < shared->batch_entries ? left : shared->batch_entries;
}

static void found_nothing(struct feed *feed, struct mono_time now)
{
	feed->empty_at = now;
	feed->again_until[0] = '\0';
	feed->read_at = mono_add_ms(now, feed->pause_ms);
	feed->pause_ms = feed->pause_ms * 2 < PAUSE_MAX_MS ? feed->pause_ms * 2 : PAUSE_MAX_MS;
}

static enum wr_err read_batch(struct feed *feed, size_t limit, struct mono_time now)
{
	struct outbox_source *source = &feed->shared->source;
	if (feed->rewind) {
		strcpy(feed->cursor, "0");
		feed->rewind = false;
		feed->rewind_at = now;
	}
	enum wr_err err = source->read(source->ctx, &feed->name, feed->cursor, limit, &feed->batch);
	if (err)
		return err;
	if (!feed->batch.count) {
		outbox_batch_free(&feed->batch);
		found_nothing(feed, now);
		return WR_OK;
	}
	feed->empty_at = (struct mono_time){0};
	feed->pause_ms = PAUSE_MIN_MS;
	feed->shared->batched += feed->batch.count;
	memcpy(feed->cursor, feed->batch.entries[feed->batch.count - 1].id, sizeof(feed->cursor));
	return WR_OK;
}

enum wr_err feed_tend(struct feed *feed, struct mono_time now)
{
	feed->peeked_at_ms = 0;
	if (now.ns >= feed->lease_at.ns) {
		enum wr_err err = tend_lease(feed, now);
		if (err)
			return err;
	}
	size_t limit = batch_limit(feed->shared);
	return limit && may_read(feed, now) ? read_batch(feed, limit, now) : WR_OK;
}

enum wr_err feed_keep_lease(struct feed *feed, struct mono_time now)
{
	return feed->mine && now.ns >= feed->lease_at.ns ? tend_lease(feed, now) : WR_OK;
}

enum wr_err feed_peek(struct feed *feed, struct mono_time now)
{
	if (now.ns < feed->read_at.ns)
		return WR_OK;
	struct outbox_source *source = &feed->shared->source;
	struct outbox_batch batch = {0};
	enum wr_err err = source->read(source->ctx, &feed->name, "0", 1, &batch);
	if (err)
		return err;
	feed->read_at = mono_add_ms(now, PEEK_MS);
	feed->peeked_at_ms = batch.count ? batch.entries[0].at_ms : 0;
	outbox_batch_free(&batch);
	return WR_OK;
}

/* ---- publishing ---- */

static struct open_entry *open_current(struct feed *feed, const struct outbox_entry *from)
{
	struct open_entry *entry = feed->shared->free;
	if (entry)
		feed->shared->free = entry->next;
	else
		entry = mem_alloc_zero(1, sizeof(*entry));
	*entry = (struct open_entry){.feed = feed, .at_ms = from->at_ms};
	memcpy(entry->id, from->id, sizeof(entry->id));
	if (feed->newest)
		feed->newest->next = entry;
	else
		feed->oldest = entry;
	feed->newest = entry;
	feed->open++;
	return entry;
}

struct expansion {
	struct feed *feed;
	size_t skip; /* published earlier, when the room ended within this entry */
	size_t room;
	size_t published;
};

static enum wr_err publish(struct expansion *expansion, const struct broker_message *message)
{
	if (!expansion->room)
		return WR_LIMIT;
	struct feed *feed = expansion->feed;
	struct feeds_shared *shared = feed->shared;
	enum wr_err err = broker_publish(shared->broker, message, feed->current);
	if (err)
		return err;
	feed->current->unanswered++;
	feed->events_out++;
	expansion->room--;
	expansion->published++;
	return WR_OK;
}

static enum wr_err on_event(void *ctx, const struct event *event)
{
	struct expansion *expansion = ctx;
	if (expansion->skip) {
		expansion->skip--;
		return WR_OK;
	}
	const struct feeds_shared *shared = expansion->feed->shared;
	enum wr_err err =
		publish(expansion, &(struct broker_message){.subject = event->subject,
													.id = event->id,
													.body = event->body,
													.body_len = event->body_len,
													.traceparent = event->traceparent});
	if (!err && shared->on_wait && event->wait.position_id[0])
		shared->on_wait(shared->ctx, &expansion->feed->name, event->traceparent, &event->wait);
	return err;
}

static enum wr_err publish_malformed(struct expansion *expansion, const struct outbox_entry *entry)
{
	char id[EVENT_ID_BYTES];
	size_t len;
	WR_AUTO(mem_free_at)
	char *body = malformed_print(&expansion->feed->name, entry, id, &len);
	enum wr_err err = publish(expansion, &(struct broker_message){.subject = MALFORMED_SUBJECT,
																  .id = id,
																  .body = body,
																  .body_len = len,
																  .traceparent = ""});
	if (!err) {
		meter_add(&expansion->feed->shared->meter.malformed, 1);
		log_event(LOG_LEVEL_ERROR, "outbox_entry_malformed", LOG_TEXT("event_id", id),
				  LOG_TEXT("type", entry->type));
	}
	return err;
}

/* The rest of the entry at batch_at. WR_OK: all of it is published. */
static enum wr_err publish_entry(struct feed *feed, struct expansion *expansion)
{
	const struct outbox_entry *entry = &feed->batch.entries[feed->batch_at];
	if (!feed->current)
		feed->current = open_current(feed, entry);
	expansion->skip = feed->events_out;
	size_t before = expansion->published;
	enum wr_err err = event_expand(&feed->name, entry, on_event, expansion);
	if (err == WR_MALFORMED)
		err = publish_malformed(expansion, entry);
	struct relay_meter *meter = &feed->shared->meter;
	meter_add(feed->again_until[0] ? &meter->republished : &meter->published,
			  expansion->published - before);
	if (err)
		return err;
	if (strcmp(feed->again_until, entry->id) == 0)
		feed->again_until[0] = '\0';
	feed->current->whole = true;
	feed->current = NULL;
	feed->events_out = 0;
	feed->batch_at++;
	feed->shared->batched--;
	return WR_OK;
}

size_t feed_publish(struct feed *feed, size_t room, enum wr_err *ret_err)
{
	struct expansion expansion = {.feed = feed, .room = room};
	enum wr_err err = WR_OK;
	while (!err && expansion.room && feed->batch_at < feed->batch.count)
		err = publish_entry(feed, &expansion);
	if (feed->batch.count && feed->batch_at == feed->batch.count)
		forget_batch(feed);
	*ret_err = err == WR_LIMIT ? WR_OK : err;
	return expansion.published;
}

/* ---- looking ---- */

bool feed_is_empty(const struct feed *feed)
{
	return !feed->batch.count && !feed->oldest && !feed->done_count;
}

size_t feed_backlog(const struct feed *feed)
{
	size_t unpublished = feed->batch.count - feed->batch_at;
	if (feed->current)
		unpublished--; /* counted among the open ones */
	return unpublished + feed->open + feed->done_count + (feed->peeked_at_ms != 0);
}

int64_t feed_oldest_at_ms(const struct feed *feed)
{
	if (feed->oldest)
		return feed->oldest->at_ms;
	if (feed->batch_at < feed->batch.count)
		return feed->batch.entries[feed->batch_at].at_ms;
	return feed->peeked_at_ms;
}

struct mono_time feed_next_at(const struct feed *feed)
{
	struct mono_time next = feed->lease_at;
	bool waits_for_answers = feed->rewind && feed->oldest;
	if (feed->mine && !feed->batch.count && !waits_for_answers && feed->read_at.ns < next.ns)
		next = feed->read_at;
	if (feed->done_count) {
		struct mono_time remove_at = mono_add_ms(feed->done_at, REMOVE_AFTER_MS);
		next = remove_at.ns < next.ns ? remove_at : next;
	}
	return next;
}
