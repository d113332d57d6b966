/* Upkeep: sessions on the site that the store must hear of, and nobody waits for it.
 *
 *     gather_renew      ─► renewals ─► flush timer ─► release.lua renew
 *     gather_reregister ─► lost     ─► flush timer ─► session_restore.lua
 *
 * A session that was renewed has its new token already. So while the store is away a renewal is
 * kept and told later: else the store would end the session of somebody who is still on the site,
 * and let another in.
 *
 * A store that restarted, or whose replica took over, may have lost its last moments, with sessions
 * in them. It has another run id then ('life'), and for REPORT_MS after that, sessions are reported
 * as they are seen. Joins wait until the other pods have had time to say which numbers they gave
 * out: the store may have forgotten those, and none is given twice. After a total loss the queue
 * says so itself: it is recovering, or the token is of the lost life.
 */
#include <stdlib.h>
#include <string.h>

#include "gather_queue.h"
#include "waitingroom/memory.h"

#define RENEWALS_MAX                                                                               \
	200000 /* of a queue in one worker; more are dropped, the next renewal says it */
#define LOST_MAX 20000
#define REPORT_MS 300000
#define JOINS_HELD_MS 2000	/* the longest pause between tries to connect: by then all pods have */
#define REPORTED_SLOTS 4096 /* people remembered as reported; who is pushed out is reported again */

struct reported {
	uint64_t id; /* the first half of it; 0: nobody */
	struct mono_time at;
};

struct upkeep_batch {
	struct gather *gather;
	struct gather_queue *queue;
	size_t count;
	store_id ids[STORE_PEOPLE_MAX];
	struct upkeep_batch *next_free;
};

/* ---- batches ---- */

static struct upkeep_batch *batch_take(struct gather *gather, struct gather_queue *queue)
{
	struct upkeep_batch *batch = gather->free_upkeep_batches;
	if (batch != NULL)
		gather->free_upkeep_batches = batch->next_free;
	else
		batch = mem_alloc_zero(1, sizeof(*batch));
	batch->gather = gather;
	batch->queue = queue;
	batch->count = 0;
	queue->upkeep.in_flight++;
	gather->in_flight++;
	return batch;
}

static void batch_done(struct upkeep_batch *batch)
{
	batch->queue->upkeep.in_flight--;
	batch->gather->in_flight--;
	batch->next_free = batch->gather->free_upkeep_batches;
	batch->gather->free_upkeep_batches = batch;
}

void upkeep_free_batches(struct gather *gather)
{
	for (struct upkeep_batch *batch = gather->free_upkeep_batches; batch != NULL;) {
		struct upkeep_batch *next = batch->next_free;
		free(batch);
		batch = next;
	}
}

bool upkeep_is_idle(const struct gather_queue *queue)
{
	const struct upkeep *upkeep = &queue->upkeep;
	return upkeep->renewal_count == 0 && upkeep->lost_count == 0 && upkeep->in_flight == 0;
}

void upkeep_clear(struct gather_queue *queue)
{
	free(queue->upkeep.renewals);
	free(queue->upkeep.lost);
	free(queue->upkeep.reported);
}

/* ---- renewals ---- */

static void keep_renewal(struct upkeep *upkeep, const char *position_id)
{
	if (upkeep->renewal_count == upkeep->renewal_room) {
		if (upkeep->renewal_room >= RENEWALS_MAX)
			return;
		upkeep->renewal_room = upkeep->renewal_room > 0 ? upkeep->renewal_room * 2 : 64;
		upkeep->renewals = mem_grow(upkeep->renewals, upkeep->renewal_room, sizeof(store_id));
	}
	memcpy(upkeep->renewals[upkeep->renewal_count++], position_id, sizeof(store_id));
}

void gather_renew(struct gather *gather, const struct queue_snapshot *snapshot,
				  const char *position_id)
{
	keep_renewal(&gather_queue_of(gather, snapshot->slot, &snapshot->name)->upkeep, position_id);
}

static void on_renewed(void *ctx, enum wr_err err, int64_t now_ms, const struct released *people,
					   size_t count)
{
	struct upkeep_batch *batch = ctx;
	(void)now_ms;
	for (size_t i = 0; err == WR_OK && i < count; i++)
		if (people[i].state == PLACE_CLAIMED)
			metrics_add(batch->gather->worker->shard, METRIC_RENEWED, 0, 1);
	for (size_t i = 0; err == WR_STORE_AWAY && i < batch->count; i++)
		keep_renewal(&batch->queue->upkeep, batch->ids[i]);
	batch_done(batch);
}

static void send_renewals(struct gather *gather, struct gather_queue *queue)
{
	struct upkeep *upkeep = &queue->upkeep;
	for (size_t from = 0; from < upkeep->renewal_count; from += STORE_PEOPLE_MAX) {
		struct upkeep_batch *batch = batch_take(gather, queue);
		size_t left = upkeep->renewal_count - from;
		batch->count = left < STORE_PEOPLE_MAX ? left : STORE_PEOPLE_MAX;
		memcpy(batch->ids, upkeep->renewals + from, batch->count * sizeof(store_id));
		store_release(gather->worker->store, &queue->name, STORE_RENEW,
					  (const store_id *)batch->ids, batch->count, on_renewed, batch);
	}
	upkeep->renewal_count = 0;
}

/* ---- sessions that may be lost ---- */

void upkeep_watch_store(struct gather *gather)
{
	const char *life = store_life(gather->worker->store);
	if (life[0] == '\0' || strncmp(life, gather->store_life, sizeof(gather->store_life) - 1) == 0)
		return;
	if (gather->store_life[0] != '\0') {
		struct mono_time now = loop_now(gather->worker->loop);
		gather->report_until = mono_add_ms(now, REPORT_MS);
		gather->joins_from = mono_add_ms(now, JOINS_HELD_MS);
	}
	strncpy(gather->store_life, life, sizeof(gather->store_life) - 1);
}

bool upkeep_holds_joins(struct gather *gather)
{
	upkeep_watch_store(gather);
	if (loop_now(gather->worker->loop).ns >= gather->joins_from.ns)
		gather->joins_from = (struct mono_time){0};
	return gather->joins_from.ns != 0;
}

bool gather_store_may_have_lost(struct gather *gather)
{
	upkeep_watch_store(gather);
	return gather->report_until.ns > loop_now(gather->worker->loop).ns;
}

bool gather_wants_session(const struct gather *gather, const struct queue_snapshot *snapshot,
						  const struct session_claims *session)
{
	return snapshot->recovering || gather->report_until.ns > loop_now(gather->worker->loop).ns ||
		   strcmp(session->epoch, snapshot->epoch) != 0; /* of a life that was lost */
}

/* Once a session is enough, as a rule. */
static bool is_reported(struct upkeep *upkeep, const char *position_id, struct mono_time now)
{
	uint64_t id;
	memcpy(&id, position_id, sizeof(id));
	if (upkeep->reported == NULL)
		upkeep->reported = mem_alloc_zero(REPORTED_SLOTS, sizeof(*upkeep->reported));
	struct reported *slot =
		&upkeep->reported[(id * UINT64_C(0x9e3779b97f4a7c15)) >> 32 & (REPORTED_SLOTS - 1)];
	if (slot->id == id && mono_diff_ms(slot->at, now) < REPORT_MS)
		return true;
	*slot = (struct reported){.id = id, .at = now};
	return false;
}

void gather_reregister(struct gather *gather, const struct queue_snapshot *snapshot,
					   const struct session_claims *session)
{
	struct upkeep *upkeep = &gather_queue_of(gather, snapshot->slot, &snapshot->name)->upkeep;
	if (upkeep->lost_count >= LOST_MAX ||
		is_reported(upkeep, session->position_id, loop_now(gather->worker->loop)))
		return;
	if (upkeep->lost_count == upkeep->lost_room) {
		upkeep->lost_room = upkeep->lost_room > 0 ? upkeep->lost_room * 2 : 64;
		upkeep->lost = mem_grow(upkeep->lost, upkeep->lost_room, sizeof(*upkeep->lost));
	}
	upkeep->lost[upkeep->lost_count++] = *session;
}

static void on_put_back(void *ctx, enum wr_err err, const enum place_state *states, size_t count)
{
	struct upkeep_batch *batch = ctx;
	for (size_t i = 0; err == WR_OK && i < count; i++)
		if (states[i] == PLACE_CLAIMED)
			metrics_add(batch->gather->worker->shard, METRIC_SESSIONS_RESTORED, 0, 1);
	/* Not told: whoever is seen again is reported again. */
	if (err != WR_OK)
		free(WR_TAKE(batch->queue->upkeep.reported));
	batch_done(batch);
}

static void send_lost(struct gather *gather, struct gather_queue *queue)
{
	struct upkeep *upkeep = &queue->upkeep;
	for (size_t from = 0; from < upkeep->lost_count; from += STORE_PEOPLE_MAX) {
		size_t left = upkeep->lost_count - from;
		store_restore_sessions(gather->worker->store, &queue->name, upkeep->lost + from,
							   left < STORE_PEOPLE_MAX ? left : STORE_PEOPLE_MAX, on_put_back,
							   batch_take(gather, queue));
	}
	upkeep->lost_count = 0;
}

void upkeep_flush(struct gather *gather, struct gather_queue *queue)
{
	if (!store_is_ready(gather->worker->store))
		return;
	send_lost(gather, queue); /* first: what is put back may have been renewed */
	send_renewals(gather, queue);
}
