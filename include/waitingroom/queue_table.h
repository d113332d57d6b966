/* Queue table: the pod's picture of every queue, written by one thread, read by all workers.
 *
 * A worker looks a queue up by name and gets a snapshot: immutable, replaced four times a second,
 * freed through quiescence. The position indexes hang off the snapshot and change in place under
 * their sequence locks. Nothing a worker got here may be kept beyond the current turn of its loop.
 *
 * What     Name → snapshot.
 * Used by  cmd/api: the sync thread writes; workers read.
 * Threads  queue_table_put/remove: one writer. queue_table_find: any reader between
 *          quiescence_enter and quiescence_leave.
 */
#ifndef WAITINGROOM_QUEUE_TABLE_H
#define WAITINGROOM_QUEUE_TABLE_H

#include <stdbool.h>
#include <stdint.h>

#include "waitingroom/calibration.h"
#include "waitingroom/clock.h"
#include "waitingroom/estimate.h"
#include "waitingroom/position_index.h"
#include "waitingroom/quiescence.h"
#include "waitingroom/revocations.h"
#include "waitingroom/settings.h"
#include "waitingroom/state.h"
#include "waitingroom/token.h"

struct queue_snapshot {
	struct queue_name name;
	uint32_t slot; /* small number given by the writer, reused after a queue is gone: for workers'
					  own arrays */
	char epoch[EPOCH_CHARS + 1];
	char
		lost_epochs[LOST_EPOCHS_BYTES]; /* of lives before total losses, whose tokens still count */
	bool recovering;					/* line frozen until everybody has reported again */
	const struct queue_settings *settings;		   /* retired by the writer when replaced */
	struct position_index *lanes[QUEUE_LANES_MAX]; /* same order as settings->lanes */
	struct wait_model waits[QUEUE_LANES_MAX];
	const struct revocations *revocations;		/* grows in place; its readers never wait */
	uint64_t waiting, active, absent, returned; /* people */
	int64_t as_of_ms;							/* store time of this picture */
	bool
		settling; /* another server took over a moment ago, and not every pod has told it what it forgot */
	struct mono_time taken; /* when it was taken here: age = now − taken */
	uint64_t joined_total, admitted_total, departed_total; /* since the queue began */
	uint64_t outbox_length;
	uint64_t violations[VIOLATION_COUNT];
	int64_t oldest_joined_ms; /* 0: nobody in line */
	/* People wait, the settings let them in, places are free, and for so long nobody went in. */
	int64_t stalled_ms;
	double new_wait_s; /* predicted for who joins now; negative: not known */
	struct calibration_counts calibration;
	/* What every place object of this picture says alike: the beginning of a JSON object, without
	 * its end. Written once a picture instead of once a heartbeat. */
	size_t common_len;
	char common[];
};

struct queue_table;
struct queue_table *queue_table_new(struct quiescence *quiescence, size_t queues_max);
void queue_table_free(struct queue_table *table);

/* Writer. takes 'snapshot' (heap); the one it replaces is retired (the struct only: settings and
 * indexes are retired by whoever replaces them). WR_LIMIT when there are queues_max already. */
WR_MUST_USE enum wr_err queue_table_put(struct queue_table *table, struct queue_snapshot *snapshot);
void queue_table_remove(struct queue_table *table, const struct queue_name *name);

/* Reader. Lends until the turn ends; NULL: no such queue. */
const struct queue_snapshot *queue_table_find(const struct queue_table *table,
											  const struct queue_name *name);
/* Reader or writer. Calls fn for each queue. */
void queue_table_each(const struct queue_table *table,
					  void (*fn)(void *ctx, const struct queue_snapshot *snapshot), void *ctx);
size_t queue_table_count(const struct queue_table *table);

#endif
