/* Gather: parked requests by queue, sent to the store as batches.
 *
 *     gather_request ─► list of (queue, kind) ─► end of turn ─► one script call ─► answers
 *
 * A list is sent when fewer than IN_FLIGHT_MAX calls of its kind are under way; so under load the
 * batches grow instead of their number. Every call is answered by the store client within its
 * time-out, so a parked request is too.
 */
#include <stdlib.h>
#include <string.h>

#include "calm.h"
#include "endpoints.h"
#include "gather_queue.h"
#include "place.h"
#include "tracing.h"
#include "waitingroom/json_in.h"
#include "waitingroom/memory.h"

#define IN_FLIGHT_MAX 2
#define JOINS_PER_CALL 256

struct batch {
	struct gather *gather;
	struct gather_queue *queue;
	enum gather_kind kind;
	struct mono_time sent;
	size_t count;
	struct http_request *requests[STORE_PEOPLE_MAX];
	struct batch *next_free;
};

static const char *const step_words[GATHER_KINDS] = {
	[GATHER_JOIN] = "store enqueue",	[GATHER_POLL] = "store visit poll",
	[GATHER_STAY] = "store visit stay", [GATHER_LOOK] = "store visit look",
	[GATHER_RESTORE] = "store restore", [GATHER_LEAVE] = "store leave",
	[GATHER_RELEASE] = "store release", [GATHER_REDEEM] = "store redeem",
};

struct gather *gather_new(struct worker *worker)
{
	struct gather *gather = mem_alloc_zero(1, sizeof(*gather));
	gather->worker = worker;
	gather->slots = mem_alloc_zero((size_t)worker->app->config.queues_max, sizeof(*gather->slots));
	return gather;
}

static void queue_free(struct gather_queue *queue)
{
	for (size_t kind = 0; kind < GATHER_KINDS; kind++)
		free(queue->lists[kind].items);
	beats_clear(queue);
	upkeep_clear(queue);
	free(queue);
}

/* The gathering of a queue. A slot that now belongs to another queue gets a new one; the old stays
 * in 'all' until its work is answered. */
struct gather_queue *gather_queue_of(struct gather *gather, uint32_t slot,
									 const struct queue_name *name)
{
	struct gather_queue *queue = gather->slots[slot];
	if (queue != NULL && queue_name_equal(&queue->name, name))
		return queue;
	queue = mem_alloc_zero(1, sizeof(*queue));
	queue->name = *name;
	queue->slot = slot;
	queue->next = gather->all;
	gather->all = queue;
	gather->slots[slot] = queue;
	return queue;
}

static bool queue_is_idle(const struct gather_queue *queue)
{
	for (size_t kind = 0; kind < GATHER_KINDS; kind++)
		if (queue->lists[kind].count > 0 || queue->lists[kind].in_flight > 0)
			return false;
	return beats_are_idle(queue) && upkeep_is_idle(queue);
}

/* ---- requests ---- */

enum wr_err gather_request(struct gather *gather, uint32_t slot, enum gather_kind kind,
						   struct http_request *request)
{
	struct parked *notes = http_request_notes(request);
	if (!notes->is_parked && gather->parked >= (size_t)gather->worker->app->config.parked_max)
		return WR_BUSY;
	struct gather_queue *queue = gather_queue_of(gather, slot, &notes->claims.queue);
	struct list *list = &queue->lists[kind];
	if (list->count == list->room) {
		list->room = list->room > 0 ? list->room * 2 : 64;
		list->items = mem_grow(list->items, list->room, sizeof(struct http_request *));
	}
	list->items[list->count++] = request;
	calm_astir(gather->worker->app, slot);
	gather->has_work = true;
	gather->parked++;
	if (!notes->is_parked) {
		notes->is_parked = true;
		http_request_park(request);
	}
	return WR_OK;
}

/* From here on the request is being answered, or gathered again. */
static struct parked *unpark(const struct batch *batch, struct http_request *request)
{
	batch->gather->parked--;
	if (http_request_trace(request) != NULL)
		tracing_step(batch->gather->worker->app, request, step_words[batch->kind], batch->sent,
					 batch->count);
	return http_request_notes(request);
}

static struct batch *batch_take(struct gather *gather, struct gather_queue *queue,
								enum gather_kind kind, size_t limit)
{
	struct batch *batch = gather->free_batches;
	if (batch != NULL)
		gather->free_batches = batch->next_free;
	else
		batch = mem_alloc_zero(1, sizeof(*batch));
	struct list *list = &queue->lists[kind];
	batch->gather = gather;
	batch->queue = queue;
	batch->kind = kind;
	batch->sent = loop_now(gather->worker->loop);
	batch->count = list->count < limit ? list->count : limit;
	memcpy(batch->requests, list->items, batch->count * sizeof(struct http_request *));
	memmove(list->items, list->items + batch->count,
			(list->count - batch->count) * sizeof(struct http_request *));
	list->count -= batch->count;
	list->in_flight++;
	return batch;
}

static void batch_done(struct batch *batch)
{
	struct gather *gather = batch->gather;
	batch->queue->lists[batch->kind].in_flight--;
	gather->has_work = true;
	batch->next_free = gather->free_batches;
	gather->free_batches = batch;
}

/* The store does not know a queue that this pod knows: it has lost everything and the queue is
 * about to be revived, or it was deleted a moment ago. Worth another try either way. */
static enum wr_err batch_error(const struct batch *batch, enum wr_err err)
{
	bool known = err == WR_NO_QUEUE &&
				 queue_table_find(batch->gather->worker->app->queues, &batch->queue->name) != NULL;
	return known ? WR_STORE_AWAY : err;
}

/* The pictures hear of new tickets a moment later, and in a moment the store may have forgotten
 * them. */
static void note_tickets(const struct batch *batch, const char *epoch, const struct joined *people,
						 size_t count)
{
	const struct queue_snapshot *snapshot =
		queue_table_find(batch->gather->worker->app->queues, &batch->queue->name);
	if (snapshot == NULL || strcmp(snapshot->epoch, epoch) != 0)
		return;
	for (size_t i = 0; i < count; i++) {
		int lane =
			people[i].ticket > 0 ? queue_settings_lane(snapshot->settings, people[i].lane) : -1;
		if (lane >= 0)
			position_index_note(snapshot->lanes[lane], people[i].ticket);
	}
}

static void on_joined(void *ctx, enum wr_err err, const char *epoch, int64_t now_ms,
					  const struct joined *people, size_t count)
{
	struct batch *batch = ctx;
	err = batch_error(batch, err);
	if (err == WR_OK)
		note_tickets(batch, epoch, people, count);
	for (size_t i = 0; i < batch->count; i++) {
		struct http_request *request = batch->requests[i];
		unpark(batch, request);
		if (err == WR_OK && i < count)
			enqueue_answer(batch->gather->worker, request, WR_OK, epoch, now_ms, &people[i]);
		else
			enqueue_answer(batch->gather->worker, request, err != WR_OK ? err : WR_BUG, "", 0,
						   NULL);
	}
	batch_done(batch);
}

static void on_visits(void *ctx, enum wr_err err, int64_t now_ms, const struct visit *people,
					  size_t count)
{
	struct batch *batch = ctx;
	err = batch_error(batch, err);
	for (size_t i = 0; i < batch->count; i++) {
		struct http_request *request = batch->requests[i];
		const struct parked *notes = unpark(batch, request);
		struct worker *worker = batch->gather->worker;
		bool lost = batch->kind != GATHER_LOOK && err == WR_OK && i < count &&
					people[i].state == PLACE_NONE &&
					!place_has_ended(worker, &notes->claims, PLACE_NONE);
		if (lost &&
			gather_request(batch->gather, batch->queue->slot, GATHER_RESTORE, request) == WR_OK)
			continue;
		if (notes->endpoint == ENDPOINT_HEARTBEAT)
			metrics_add(worker->shard, METRIC_BEATS, err == WR_OK ? BEAT_STORE : BEAT_STALE, 1);
		if (err == WR_OK && i < count && people[i].traceparent[0] != '\0' &&
			worker->app->spans != NULL)
			tracing_turn(worker->app, request, &people[i], now_ms);
		if (err == WR_OK && i < count)
			place_answer_visit(worker, request, WR_OK, now_ms, &people[i]);
		else
			place_answer_visit(worker, request, err != WR_OK ? err : WR_BUG, 0, NULL);
	}
	batch_done(batch);
}

/* Places that ended are remembered for ended_keep_ms, so one that was given less than that ago, in
 * this life of the queue or one that a total loss has ended, cannot have been forgotten. */
static bool should_be_known(const struct worker *worker, const struct position_claims *claims)
{
	const struct queue_snapshot *snapshot = queue_table_find(worker->app->queues, &claims->queue);
	if (snapshot == NULL || queue_settings_lane(snapshot->settings, claims->lane) < 0 ||
		!epoch_counts(claims->epoch, snapshot->epoch, snapshot->lost_epochs))
		return false;
	return snapshot->as_of_ms - claims->issued_s * 1000 < snapshot->settings->ended_keep_ms;
}

static void on_restored(void *ctx, enum wr_err err, const enum place_state *states, size_t count)
{
	struct batch *batch = ctx;
	err = batch_error(batch, err);
	for (size_t i = 0; i < batch->count; i++) {
		struct http_request *request = batch->requests[i];
		struct worker *worker = batch->gather->worker;
		const struct parked *notes = unpark(batch, request);
		if (err == WR_OK && i < count && states[i] == PLACE_WAITING)
			metrics_add(worker->shard, METRIC_RESTORED, 0, 1);
		if (err == WR_OK && i < count && states[i] == PLACE_NONE &&
			should_be_known(worker, &notes->claims))
			metrics_add(worker->shard, METRIC_PLACES_LOST, 0, 1);
		place_answer_restored(worker, request, err != WR_OK || i < count ? err : WR_BUG,
							  err == WR_OK && i < count ? states[i] : PLACE_NONE);
	}
	batch_done(batch);
}

static void on_released(void *ctx, enum wr_err err, int64_t now_ms, const struct released *people,
						size_t count)
{
	struct batch *batch = ctx;
	(void)now_ms;
	err = batch_error(batch, err);
	for (size_t i = 0; i < batch->count; i++) {
		struct http_request *request = batch->requests[i];
		struct worker *worker = batch->gather->worker;
		unpark(batch, request);
		const struct released *person = err == WR_OK && i < count ? &people[i] : NULL;
		enum wr_err result = err != WR_OK || person != NULL ? err : WR_BUG;
		if (batch->kind == GATHER_LEAVE)
			leave_answer(worker, request, result, person);
		else
			session_release_answer(worker, request, result, person);
	}
	batch_done(batch);
}

static void on_redeemed(void *ctx, enum wr_err err, int64_t now_ms, const struct redeemed *people,
						size_t count)
{
	struct batch *batch = ctx;
	(void)now_ms;
	err = batch_error(batch, err);
	for (size_t i = 0; i < batch->count; i++) {
		struct http_request *request = batch->requests[i];
		struct worker *worker = batch->gather->worker;
		unpark(batch, request);
		const struct redeemed *person = err == WR_OK && i < count ? &people[i] : NULL;
		authz_redeemed(worker, request, err != WR_OK || person != NULL ? err : WR_BUG, person);
	}
	batch_done(batch);
}

/* ---- sending ---- */

static void send_joins(struct worker *worker, struct batch *batch)
{
	struct join people[JOINS_PER_CALL];
	struct seen_ticket seen[QUEUE_LANES_MAX];
	size_t seen_count = 0;
	const char *epoch = "";
	for (size_t i = 0; i < batch->count; i++) {
		if (http_request_trace(batch->requests[i]) != NULL)
			tracing_note_place(batch->requests[i]);
		const struct parked *notes = http_request_notes(batch->requests[i]);
		people[i] =
			(struct join){.position_id = notes->claims.position_id,
						  .lane = notes->claims.lane,
						  .target = notes->joining.target != NULL ? notes->joining.target : "",
						  .user = notes->joining.user != NULL ? notes->joining.user : "",
						  .request_hash = notes->joining.request_hash,
						  .network = notes->joining.network,
						  .papers = notes->joining.papers};
	}
	/* The highest tickets this pod has seen: the store never gives a number twice. */
	const struct queue_snapshot *snapshot =
		queue_table_find(worker->app->queues, &batch->queue->name);
	if (snapshot != NULL) {
		epoch = snapshot->epoch;
		for (uint32_t i = 0; i < snapshot->settings->lane_count; i++) {
			struct seen_ticket *lane = &seen[seen_count++];
			memcpy(lane->lane, snapshot->settings->lanes[i].name, sizeof(lane->lane));
			lane->ticket = position_index_highest(snapshot->lanes[i]);
		}
	}
	store_enqueue(worker->store, &batch->queue->name, (uint64_t)worker->app->config.outbox_limit,
				  epoch, seen, seen_count, people, batch->count, on_joined, batch);
}

/* By the picture here, which may be of before a loss. */
static bool has_left_the_line(const struct worker *worker, const struct position_claims *claims)
{
	const struct queue_snapshot *snapshot = queue_table_find(worker->app->queues, &claims->queue);
	int lane = snapshot != NULL ? queue_settings_lane(snapshot->settings, claims->lane) : -1;
	struct index_answer answer;
	return lane >= 0 && epoch_counts(claims->epoch, snapshot->epoch, snapshot->lost_epochs) &&
		   position_index_find(snapshot->lanes[lane], claims->ticket, &answer) == WR_OK &&
		   !answer.in_line;
}

static void send_restores(struct worker *worker, struct batch *batch)
{
	struct lost_place *people = mem_alloc_zero(batch->count, sizeof(*people));
	for (size_t i = 0; i < batch->count; i++) {
		const struct position_claims *claims =
			&((const struct parked *)http_request_notes(batch->requests[i]))->claims;
		memcpy(people[i].position_id, claims->position_id, sizeof(people[i].position_id));
		memcpy(people[i].lane, claims->lane, sizeof(people[i].lane));
		memcpy(people[i].epoch, claims->epoch, sizeof(people[i].epoch));
		people[i].ticket = claims->ticket;
		people[i].joined_ms = claims->issued_s * 1000;
		people[i].front = has_left_the_line(worker, claims);
	}
	store_restore(worker->store, &batch->queue->name, people, batch->count, on_restored, batch);
	free(people);
}

static void send_redeems(struct worker *worker, struct batch *batch)
{
	struct redeem people[STORE_PEOPLE_MAX];
	for (size_t i = 0; i < batch->count; i++) {
		const struct parked *notes = http_request_notes(batch->requests[i]);
		people[i] = (struct redeem){.pass_id = notes->redeeming.pass_id,
									.position_id = notes->claims.position_id};
	}
	store_redeem(worker->store, &batch->queue->name, people, batch->count, on_redeemed, batch);
}

static void send_batch(struct worker *worker, struct batch *batch)
{
	store_id ids[STORE_PEOPLE_MAX];
	const struct queue_name *name = &batch->queue->name;
	if (batch->kind != GATHER_JOIN && batch->kind != GATHER_RESTORE)
		for (size_t i = 0; i < batch->count; i++) {
			const struct parked *notes = http_request_notes(batch->requests[i]);
			memcpy(ids[i], notes->claims.position_id, sizeof(ids[i]));
		}
	switch (batch->kind) {
	case GATHER_JOIN:
		send_joins(worker, batch);
		break;
	case GATHER_POLL:
		store_visit(worker->store, name, VISIT_POLL, ids, batch->count, on_visits, batch);
		break;
	case GATHER_STAY:
		store_visit(worker->store, name, VISIT_STAY, ids, batch->count, on_visits, batch);
		break;
	case GATHER_LOOK:
		store_visit(worker->store, name, VISIT_LOOK, ids, batch->count, on_visits, batch);
		break;
	case GATHER_RESTORE:
		send_restores(worker, batch);
		break;
	case GATHER_LEAVE:
		store_release(worker->store, name, STORE_LEAVE, ids, batch->count, on_released, batch);
		break;
	case GATHER_RELEASE:
		store_release(worker->store, name, STORE_RELEASE, ids, batch->count, on_released, batch);
		break;
	case GATHER_REDEEM:
		send_redeems(worker, batch);
		break;
	case GATHER_KINDS:
		abort();
	}
}

void gather_send(struct gather *gather)
{
	if (!gather->has_work)
		return;
	gather->has_work = false;
	for (struct gather_queue *queue = gather->all; queue != NULL; queue = queue->next)
		for (int kind = 0; kind < GATHER_KINDS; kind++) {
			struct list *list = &queue->lists[kind];
			if (kind == GATHER_JOIN && list->count > 0 && upkeep_holds_joins(gather))
				continue;
			while (list->count > 0 && list->in_flight < IN_FLIGHT_MAX)
				send_batch(gather->worker,
						   batch_take(gather, queue, (enum gather_kind)kind,
									  kind == GATHER_JOIN ? JOINS_PER_CALL : STORE_PEOPLE_MAX));
		}
}

/* ---- timers and the end ---- */

void gather_flush(struct gather *gather)
{
	gather->has_work = gather->has_work || gather->joins_from.ns != 0;
	upkeep_watch_store(gather);
	for (struct gather_queue *queue = gather->all; queue != NULL; queue = queue->next) {
		beats_flush(gather, queue);
		upkeep_flush(gather, queue);
	}
}

static void mark_queue(void *ctx, const struct queue_snapshot *snapshot)
{
	struct gather *gather = ctx;
	beats_mark(gather, gather_queue_of(gather, snapshot->slot, &snapshot->name));
}

void gather_mark(struct gather *gather)
{
	queue_table_each(gather->worker->app->queues, mark_queue, gather);
	for (struct gather_queue **at = &gather->all; *at != NULL;) {
		struct gather_queue *queue = *at;
		if (gather->slots[queue->slot] != queue && queue_is_idle(queue)) {
			*at = queue->next;
			queue_free(queue);
		} else {
			at = &queue->next;
		}
	}
}

bool gather_is_idle(const struct gather *gather)
{
	if (gather->parked > 0 || gather->in_flight > 0)
		return false;
	for (const struct gather_queue *queue = gather->all; queue != NULL; queue = queue->next)
		if (!queue_is_idle(queue))
			return false;
	return true;
}

void gather_free(struct gather *gather)
{
	if (gather == NULL)
		return;
	for (struct gather_queue *queue = gather->all; queue != NULL;) {
		struct gather_queue *next = queue->next;
		for (size_t kind = 0; kind < GATHER_KINDS; kind++)
			for (size_t i = 0; i < queue->lists[kind].count; i++)
				worker_problem(gather->worker, queue->lists[kind].items[i], WR_DRAINING, NULL);
		queue_free(queue);
		queue = next;
	}
	for (struct batch *batch = gather->free_batches; batch != NULL;) {
		struct batch *next = batch->next_free;
		free(batch);
		batch = next;
	}
	beats_free_batches(gather);
	upkeep_free_batches(gather);
	free(gather->slots);
	free(gather);
}
