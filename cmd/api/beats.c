/* Beats: heartbeats of a queue, buffered, and sent ten times a second.
 *
 *     gather_beat ─► buffer of the queue ─► flush timer ─► heartbeat.lua, 500 people a call
 *
 * A heartbeat that the store does not find may belong to somebody it has lost: the place is put
 * back from what the token said (restore.lua decides; for people who were let in or left meanwhile
 * it changes nothing). When the store is away, heartbeats are dropped: the amnesty covers them.
 */
#include <stdlib.h>
#include <string.h>

#include "gather_queue.h"
#include "waitingroom/memory.h"

#define BEATS_MAX                                                                                  \
	200000 /* a queue's buffer in one worker; more than it can serve between flushes */

#define MARK_AGAIN_MS                                                                              \
	1900 /* a little less than twice the timer's interval, so that one is not put off */

struct beat { /* beside the id: what restoring would need */
	uint64_t ticket;
	int64_t joined_ms;
	uint8_t lane;
	char epoch[EPOCH_CHARS + 1];
};

struct beat_batch {
	struct gather *gather;
	struct gather_queue *queue;
	size_t count;
	uint64_t version;
	struct mono_time first; /* its oldest heartbeat */
	store_id ids[STORE_PEOPLE_MAX];
	struct beat beats[STORE_PEOPLE_MAX];
	struct beat_batch *next_free;
};

static void on_beats_restored(void *ctx, enum wr_err err, const enum place_state *states,
							  size_t count)
{
	struct worker *worker = ctx;
	for (size_t i = 0; err == WR_OK && i < count; i++)
		if (states[i] == PLACE_WAITING)
			metrics_add(worker->shard, METRIC_RESTORED, 0, 1);
}

/* The store holds nothing for these people. Those whose token proves a place get it back. */
static void restore_missing(struct gather *gather, const struct beat_batch *batch,
							const size_t *missing, size_t missing_count)
{
	struct worker *worker = gather->worker;
	const struct queue_snapshot *snapshot =
		queue_table_find(worker->app->queues, &batch->queue->name);
	if (snapshot == NULL || snapshot->settings->version != batch->version)
		return; /* lanes may have other numbers now; the next heartbeat says it again */
	struct lost_place *people = mem_alloc_zero(missing_count, sizeof(*people));
	for (size_t i = 0; i < missing_count; i++) {
		const struct beat *beat = &batch->beats[missing[i]];
		memcpy(people[i].position_id, batch->ids[missing[i]], sizeof(store_id));
		memcpy(people[i].lane, snapshot->settings->lanes[beat->lane].name, sizeof(people[i].lane));
		memcpy(people[i].epoch, beat->epoch, sizeof(people[i].epoch));
		people[i].ticket = beat->ticket;
		people[i].joined_ms = beat->joined_ms;
	}
	store_restore(worker->store, &batch->queue->name, people, missing_count, on_beats_restored,
				  worker);
	free(people);
}

static void on_beats(void *ctx, enum wr_err err, int64_t now_ms, const size_t *missing,
					 size_t missing_count)
{
	struct beat_batch *batch = ctx;
	struct gather *gather = batch->gather;
	(void)now_ms;
	if (err == WR_OK) {
		metrics_add(gather->worker->shard, METRIC_BEATS_FLUSHED, 0, batch->count);
		if (batch->count > 0)
			timings_add(&gather->worker->shard->flush_lag,
						(clock_mono().ns - batch->first.ns) / 1000);
	} else {
		metrics_add(gather->worker->shard, METRIC_BEATS_LOST, 0, batch->count);
	}
	if (err == WR_OK && missing_count > 0)
		restore_missing(gather, batch, missing, missing_count);
	batch->queue->beats.in_flight--;
	gather->in_flight--;
	batch->next_free = gather->free_beat_batches;
	gather->free_beat_batches = batch;
}

static int64_t now_ms(const struct gather *gather)
{
	return loop_now(gather->worker->loop).ns / 1000000;
}

static void send_beats(struct gather *gather, struct gather_queue *queue, size_t from, size_t count)
{
	struct beat_batch *batch = gather->free_beat_batches;
	if (batch != NULL)
		gather->free_beat_batches = batch->next_free;
	else
		batch = mem_alloc_zero(1, sizeof(*batch));
	struct beats *beats = &queue->beats;
	batch->gather = gather;
	batch->queue = queue;
	batch->count = count;
	batch->version = beats->version;
	batch->first = beats->first;
	if (count > 0) {
		memcpy(batch->ids, beats->ids + from, count * sizeof(store_id));
		memcpy(batch->beats, beats->list + from, count * sizeof(struct beat));
	}
	queue->beats.in_flight++;
	gather->in_flight++;
	atomic_store_explicit(&gather->worker->app->flushed_ms[queue->slot], now_ms(gather),
						  memory_order_relaxed);
	metrics_add(gather->worker->shard, METRIC_FLUSHES, 0, 1);
	store_heartbeat(gather->worker->store, &queue->name, (const store_id *)batch->ids, count,
					on_beats, batch);
}

void beats_flush(struct gather *gather, struct gather_queue *queue)
{
	struct beats *beats = &queue->beats;
	for (size_t from = 0; from < beats->count; from += STORE_PEOPLE_MAX) {
		size_t count = beats->count - from;
		send_beats(gather, queue, from, count < STORE_PEOPLE_MAX ? count : STORE_PEOPLE_MAX);
	}
	beats->count = 0;
}

void gather_beat(struct gather *gather, const struct queue_snapshot *snapshot, int lane,
				 const struct position_claims *claims)
{
	struct gather_queue *queue = gather_queue_of(gather, snapshot->slot, &snapshot->name);
	struct beats *beats = &queue->beats;
	if (beats->version != snapshot->settings->version) {
		beats_flush(gather, queue);
		beats->version = snapshot->settings->version;
	}
	if (beats->count == beats->room) {
		if (beats->room >= BEATS_MAX) {
			metrics_add(gather->worker->shard, METRIC_BEATS_LOST, 0, 1);
			return;
		}
		beats->room = beats->room > 0 ? beats->room * 2 : 512;
		beats->ids = mem_grow(beats->ids, beats->room, sizeof(store_id));
		beats->list = mem_grow(beats->list, beats->room, sizeof(struct beat));
	}
	if (beats->count == 0)
		beats->first = loop_now(gather->worker->loop);
	size_t i = beats->count++;
	memcpy(beats->ids[i], claims->position_id, sizeof(store_id));
	beats->list[i].ticket = claims->ticket;
	beats->list[i].joined_ms = claims->issued_s * 1000;
	beats->list[i].lane = (uint8_t)lane;
	memcpy(beats->list[i].epoch, claims->epoch, sizeof(beats->list[i].epoch));
}

/* With nobody to report the store is told that we are listening, by one worker of the pod: a
 * thousand queues would be a thousand calls a second from each. */
void beats_mark(struct gather *gather, struct gather_queue *queue)
{
	_Atomic int64_t *flushed_ms = &gather->worker->app->flushed_ms[queue->slot];
	int64_t last_ms = atomic_load_explicit(flushed_ms, memory_order_relaxed), now = now_ms(gather);
	int64_t again_ms = gather->worker->app->config.deaf_after_ms * 2 / 5; /* one may be lost */
	if (again_ms > MARK_AGAIN_MS)
		again_ms = MARK_AGAIN_MS;
	if (now - last_ms >= again_ms && store_is_ready(gather->worker->store) &&
		atomic_compare_exchange_strong(flushed_ms, &last_ms, now))
		send_beats(gather, queue, 0, 0);
}

bool beats_are_idle(const struct gather_queue *queue)
{
	return queue->beats.count == 0 && queue->beats.in_flight == 0;
}

void beats_clear(struct gather_queue *queue)
{
	free(queue->beats.ids);
	free(queue->beats.list);
}

void beats_free_batches(struct gather *gather)
{
	for (struct beat_batch *batch = gather->free_beat_batches; batch != NULL;) {
		struct beat_batch *next = batch->next_free;
		free(batch);
		batch = next;
	}
}
