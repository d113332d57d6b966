/* Feeds: the set of queues, their turns, and the pauses when the store is in trouble.
 *
 * The source lists the queues every second; a queue that is not listed any more is dropped when
 * nothing of it is held. A turn is some hundred events, so that one queue with a great rush does
 * not keep the others waiting.
 *
 * A store that fails is not asked again before the pause is over. What has been read before goes on
 * being published and answered meanwhile. One that refuses a step of one queue (a key of another
 * type, no more memory) is left alone with that queue for a while, and the others go on.
 */
#include "feeds.h"

#include "waitingroom/log.h"
#include "waitingroom/memory.h"

#include <stdlib.h>

#define LIST_EVERY_MS 1000
#define LIST_ROOM 64
#define TURN_EVENTS 256
#define REFUSED_PAUSE_MS 1000

void feeds_init(struct feeds *feeds, const struct feeds_shared *shared)
{
	*feeds = (struct feeds){.shared = *shared, .names_room = LIST_ROOM};
	feeds->names = mem_alloc_zero(feeds->names_room, sizeof(*feeds->names));
	feeds->trouble.random = (uint64_t)clock_mono().ns | 1;
}

void feeds_fini(struct feeds *feeds)
{
	for (size_t i = 0; i < feeds->count; i++)
		feed_free(feeds->all[i]);
	feeds_shared_fini(&feeds->shared);
	free(feeds->all);
	free(feeds->names);
}

/* Of a row of failures the first is logged, and the end. */
static void store_failed(struct feeds *feeds, enum wr_err err, struct mono_time now)
{
	struct backoff *trouble = &feeds->trouble;
	if (!trouble->failures)
		log_event(LOG_LEVEL_WARN, "outbox_lost", LOG_TEXT("reason", err_code(err)));
	backoff_failed(trouble, now);
}

/* Everything that was due has been done: a store that gives the list and then refuses the leases
 * does not work. */
static void store_worked(struct feeds *feeds)
{
	struct backoff *trouble = &feeds->trouble;
	if (trouble->failures)
		log_event(LOG_LEVEL_INFO, "outbox_back", LOG_NUMBER("tries", trouble->failures));
	trouble->failures = 0;
}

/* ---- the list ---- */

/* Names mostly come in the order of last time, so the search begins where the last one ended. */
static struct feed *find_feed(struct feeds *feeds, const struct queue_name *name, size_t *from)
{
	for (size_t i = 0; i < feeds->count; i++) {
		size_t at = (*from + i) % feeds->count;
		if (queue_name_equal(&feeds->all[at]->name, name)) {
			*from = at + 1;
			return feeds->all[at];
		}
	}
	return NULL;
}

static void drop_unlisted(struct feeds *feeds)
{
	size_t kept = 0;
	for (size_t i = 0; i < feeds->count; i++) {
		struct feed *feed = feeds->all[i];
		if (feed->listed || !feed_is_empty(feed))
			feeds->all[kept++] = feed;
		else
			feed_free(feed);
	}
	feeds->count = kept;
}

static void take_list(struct feeds *feeds, size_t count)
{
	for (size_t i = 0; i < feeds->count; i++)
		feeds->all[i]->listed = false;
	size_t from = 0;
	for (size_t i = 0; i < count; i++) {
		struct feed *feed = find_feed(feeds, &feeds->names[i], &from);
		if (!feed) {
			feed = feed_new(&feeds->shared, &feeds->names[i]);
			feeds->all = mem_grow(feeds->all, feeds->count + 1, sizeof(struct feed *));
			feeds->all[feeds->count++] = feed;
		}
		feed->listed = true;
	}
	drop_unlisted(feeds);
}

static enum wr_err refresh_list(struct feeds *feeds, struct mono_time now)
{
	if (now.ns < feeds->list_at.ns)
		return WR_OK;
	struct outbox_source *source = &feeds->shared.source;
	size_t count = 0;
	for (;;) {
		enum wr_err err = source->queues(source->ctx, feeds->names, feeds->names_room, &count);
		if (err)
			return err;
		if (count < feeds->names_room)
			break; /* with a full list there may be more */
		feeds->names_room *= 2;
		feeds->names = mem_grow(feeds->names, feeds->names_room, sizeof(*feeds->names));
	}
	take_list(feeds, count);
	feeds->list_at = mono_add_ms(now, LIST_EVERY_MS);
	return WR_OK;
}

/* ---- the store's part ---- */

static void give_leases_up(struct feeds *feeds)
{
	bool any = false;
	for (size_t i = 0; i < feeds->count; i++) {
		any = any || feeds->all[i]->mine;
		feed_lose_lease(feeds->all[i]);
	}
	if (any)
		feeds->shared.source.release(feeds->shared.source.ctx);
}

static enum wr_err tend_one(struct feed *feed, enum feeds_mode mode, struct mono_time now)
{
	enum wr_err err = feed_remove(feed, now, false);
	if (err)
		return err;
	if (mode == FEEDS_READ)
		return feed_tend(feed, now);
	return mode == FEEDS_HOLD ? feed_keep_lease(feed, now) : feed_peek(feed, now);
}

static enum wr_err tend_all(struct feeds *feeds, enum feeds_mode mode, struct mono_time now)
{
	enum wr_err err = refresh_list(feeds, now);
	if (!err && mode == FEEDS_GIVE_UP)
		give_leases_up(feeds);
	for (size_t i = 0; !err && i < feeds->count; i++) {
		struct feed *feed = feeds->all[i];
		if (now.ns < feed->refused_until.ns)
			continue;
		err = tend_one(feed, mode, now);
		if (err == WR_IO) {
			feed->refused_until = mono_add_ms(now, REFUSED_PAUSE_MS);
			err = WR_OK;
		}
	}
	return err;
}

void feeds_tend(struct feeds *feeds, enum feeds_mode mode, struct mono_time now)
{
	if (backoff_pauses(&feeds->trouble, now))
		return;
	enum wr_err err = tend_all(feeds, mode, now);
	if (err)
		store_failed(feeds, err, now);
	else
		store_worked(feeds);
}

struct mono_time feeds_next_at(const struct feeds *feeds, struct mono_time now,
							   struct mono_time latest)
{
	if (backoff_pauses(&feeds->trouble, now))
		return feeds->trouble.retry_at.ns < latest.ns ? feeds->trouble.retry_at : latest;
	struct mono_time next = latest;
	for (size_t i = 0; i < feeds->count; i++) {
		const struct feed *feed = feeds->all[i];
		struct mono_time at =
			now.ns < feed->refused_until.ns ? feed->refused_until : feed_next_at(feed);
		next = at.ns < next.ns ? at : next;
	}
	return next;
}

/* ---- the broker's part ---- */

bool feeds_publish(struct feeds *feeds, size_t window)
{
	size_t total = 0;
	for (size_t i = 0; i < feeds->count; i++) {
		size_t in_flight = broker_in_flight(feeds->shared.broker);
		if (in_flight + window / 8 >= window)
			break; /* drops of room would cost a loop each */
		size_t room = window - in_flight < TURN_EVENTS ? window - in_flight : TURN_EVENTS;
		feeds->turn = (feeds->turn + 1) % feeds->count;
		enum wr_err err;
		total += feed_publish(feeds->all[feeds->turn], room, &err);
		if (err) {
			feeds->shared.refused = true;
			break;
		}
	}
	return total > 0;
}

void feeds_drop(struct feeds *feeds)
{
	for (size_t i = 0; i < feeds->count; i++)
		feed_drop(feeds->all[i]);
}

/* ---- looking, and the end ---- */

void feeds_update_meter(struct feeds *feeds)
{
	uint64_t backlog = 0;
	int64_t oldest_at_ms = 0;
	for (size_t i = 0; i < feeds->count; i++) {
		int64_t at_ms = feed_oldest_at_ms(feeds->all[i]);
		if (at_ms && (!oldest_at_ms || at_ms < oldest_at_ms))
			oldest_at_ms = at_ms;
		backlog += feed_backlog(feeds->all[i]);
	}
	int64_t age_ms = 0;
	if (oldest_at_ms) {
		age_ms = clock_wall().ms - oldest_at_ms; /* the store's clock against ours */
		if (age_ms < 1)
			age_ms = 1;
	}
	struct relay_meter *meter = &feeds->shared.meter;
	atomic_store_explicit(&meter->backlog, backlog, memory_order_relaxed);
	atomic_store_explicit(&meter->oldest_ms, age_ms, memory_order_relaxed);
}

void feeds_hurry(struct feeds *feeds, struct mono_time now)
{
	feeds->list_at = (struct mono_time){0};
	for (size_t i = 0; i < feeds->count; i++)
		feeds->all[i]->read_at = now;
}

bool feeds_are_drained(const struct feeds *feeds, struct mono_time since)
{
	for (size_t i = 0; i < feeds->count; i++) {
		const struct feed *feed = feeds->all[i];
		bool theirs = feed->asked && !feed->mine;
		if (!feed_is_empty(feed) || (!theirs && feed->empty_at.ns < since.ns))
			return false;
	}
	return feeds->list_at.ns != 0;
}

void feeds_finish(struct feeds *feeds, struct mono_time now)
{
	for (size_t i = 0; i < feeds->count; i++) {
		if (feed_remove(feeds->all[i], now, true) == WR_STORE_AWAY)
			break; /* they will be published once more */
	}
	feeds->shared.source.release(feeds->shared.source.ctx);
}
