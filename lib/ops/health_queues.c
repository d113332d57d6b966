/* Health of the queues: does the line move, is the picture of it fresh, do its events get out? */
#include <inttypes.h>
#include <stdio.h>

#include "waitingroom/health.h"

#define WELL_LISTED 50 /* queues that are well get a line each up to here */

static void judge_outbox(const struct health_facts *facts, struct health_report *report)
{
	size_t before = report->count;
	int64_t limit = facts->config->outbox_limit;
	uint64_t entries = 0;
	for (size_t i = 0; i < facts->queue_count; i++) {
		const struct health_queue *queue = &facts->queues[i];
		entries += queue->outbox;
		if ((int64_t)queue->outbox * 100 > limit * HEALTH_OUTBOX_PERCENT)
			health_add(report, "outbox", HEALTH_FAIL, "OutboxNearlyFull",
					   "Bring NATS back, or raise WR_OUTBOX_LIMIT if the store has room: beyond it "
					   "joins are refused.",
					   "%" PRIu64 " entries of %s/%s wait to be published, at most %" PRId64
					   " may.",
					   queue->outbox, queue->name.tenant, queue->name.queue, limit);
	}
	if (facts->broker.oldest_ms > HEALTH_EVENTS_LATE_MS)
		health_add(report, "outbox", HEALTH_WARN, "EventsLate",
				   "Look at NATS and at the relays' logs; nothing is lost.",
				   "The oldest event has waited for %" PRId64 " s.",
				   facts->broker.oldest_ms / 1000);
	if (report->count == before)
		health_add(report, "outbox", HEALTH_OK, NULL, "",
				   "Entries that wait to be published: %" PRIu64 ".", entries);
}

static void judge_invariants(const struct health_facts *facts, struct health_report *report)
{
	static const char *const meaning[VIOLATION_COUNT] = {
		[VIOLATION_DOUBLE] = "let in twice",
		[VIOLATION_INVERSION] = "let in before somebody who stood ahead",
		[VIOLATION_CAPACITY] = "let in beyond the capacity"};
	size_t before = report->count;
	for (size_t i = 0; i < facts->queue_count; i++) {
		const struct health_queue *queue = &facts->queues[i];
		for (int kind = 0; kind < VIOLATION_COUNT; kind++)
			if (queue->violations[kind] > 0)
				health_add(report, "invariants", HEALTH_FAIL, "InvariantBroken",
						   "Tell us, with the events of that time. Was the store changed by hand?",
						   "In %s/%s %" PRIu64 " people were %s since the queue was made.",
						   queue->name.tenant, queue->name.queue, queue->violations[kind],
						   meaning[kind]);
	}
	if (report->count == before)
		health_add(report, "invariants", HEALTH_OK, NULL, "",
				   "Nobody was let in twice, out of order or beyond the capacity.");
}

static void judge_line(const struct health_queue *queue, const char *name,
					   struct health_report *report)
{
	if (queue->age_ms > HEALTH_FROZEN_MS)
		health_add(report, name, HEALTH_FAIL, "LineFrozen",
				   "The pod cannot ask the store: look at the store and at the pod's log.",
				   "This pod's picture of the queue is %" PRId64 " s old.", queue->age_ms / 1000);
	else if (queue->age_ms > HEALTH_PICTURE_OLD_MS)
		health_add(report, name, HEALTH_WARN, "IndexBehind", "Is the store slow, or this pod busy?",
				   "This pod's picture of the queue is %" PRId64 " s old.", queue->age_ms / 1000);
	if (queue->recovering)
		health_add(report, name, HEALTH_FAIL, "LineRecovering",
				   "Wait: admission goes on after three poll_max_ms. Find out why the store lost "
				   "its data.",
				   "The store lost everything of the queue; the line is rebuilt as people report.");
	if (queue->stalled_ms >= HEALTH_STALLED_WARN_MS)
		health_add(report, name, queue->stalled_ms >= HEALTH_STALLED_MS ? HEALTH_FAIL : HEALTH_WARN,
				   "AdmissionStalled", "Look at the admitters; let some in by hand meanwhile.",
				   "%" PRIu64 " wait, %" PRIu64 " of %" PRId64
				   " places are taken, and nobody was let in for %" PRId64 " s.",
				   queue->waiting, queue->active, queue->settings->capacity,
				   queue->stalled_ms / 1000);
	if (queue->waiting > 0 && queue->flush_ms > HEALTH_NO_FLUSH_MS)
		health_add(report, name, HEALTH_WARN, "HeartbeatsNotStored",
				   "Do the pods reach the store? Nobody loses their place meanwhile.",
				   "No pod has reported heartbeats for %" PRId64 " s.", queue->flush_ms / 1000);
	if (queue->oldest_ms > HEALTH_WAIT_LONG_MS)
		health_add(report, name, HEALTH_WARN, "SomebodyWaitsLong",
				   "Is the rate right for so many people?",
				   "Somebody has waited for %" PRId64 " h %" PRId64 " min.",
				   queue->oldest_ms / 3600000, queue->oldest_ms / 60000 % 60);
}

void health_judge_queues(const struct health_facts *facts, struct health_report *report)
{
	size_t well = 0;
	judge_outbox(facts, report);
	judge_invariants(facts, report);
	for (size_t i = 0; i < facts->queue_count; i++) {
		const struct health_queue *queue = &facts->queues[i];
		char name[QUEUE_NAME_TEXT_BYTES + 8];
		size_t before = report->count;
		snprintf(name, sizeof(name), "queue:%s/%s", queue->name.tenant, queue->name.queue);
		judge_line(queue, name, report);
		if (report->count == before && ++well <= WELL_LISTED)
			health_add(report, name, HEALTH_OK, NULL, "",
					   "%s: %" PRIu64 " wait, %" PRIu64 " of %" PRId64 " places are taken.",
					   queue_state_word(queue->state), queue->waiting, queue->active,
					   queue->settings->capacity);
	}
	if (well > WELL_LISTED)
		health_add(report, "queues", HEALTH_OK, NULL, "", "%zu more queues are well.",
				   well - WELL_LISTED);
}
