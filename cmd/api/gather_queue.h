/* The inside of 'struct gather', shared by the files that fill it.
 *
 *     gather.c   parked requests
 *     beats.c    heartbeats, for which nobody waits
 *     upkeep.c   renewals and reports of sessions, the same
 */
#ifndef WAITINGROOM_API_GATHER_QUEUE_H
#define WAITINGROOM_API_GATHER_QUEUE_H

#include "gather.h"

struct list {
	struct http_request **items;
	size_t count, room;
	unsigned in_flight;
};

struct beats { /* of a queue, since the last flush */
	store_id *ids;
	struct beat *list;
	size_t count, room;
	uint64_t version; /* settings that lane numbers refer to */
	unsigned in_flight;
	struct mono_time first; /* when the oldest of them came */
};

struct upkeep { /* of a queue's sessions, since the last flush */
	store_id *renewals;
	size_t renewal_count, renewal_room;
	struct session_claims *lost;
	size_t lost_count, lost_room;
	struct reported *reported; /* lately, so that not every request reports; NULL: none yet */
	unsigned in_flight;
};

struct gather_queue {
	struct queue_name name;
	uint32_t slot;
	struct list lists[GATHER_KINDS];
	struct beats beats;
	struct upkeep upkeep;
	struct gather_queue *next;
};

struct gather {
	struct worker *worker;
	struct gather_queue **slots;
	struct gather_queue *all;
	struct batch *free_batches;
	struct beat_batch *free_beat_batches;
	struct upkeep_batch *free_upkeep_batches;
	size_t parked, in_flight; /* the second: calls for which nobody waits */
	bool has_work;			  /* a list may be sendable */
	char store_life[48];	  /* the store's, when last looked at */
	struct mono_time report_until;
	struct mono_time joins_from; /* they are held until then; 0: they are not */
};

/* The gathering of a queue; made at its first use. */
struct gather_queue *gather_queue_of(struct gather *gather, uint32_t slot,
									 const struct queue_name *name);

/* beats.c */
void beats_flush(struct gather *gather, struct gather_queue *queue);
void beats_mark(struct gather *gather, struct gather_queue *queue);
bool beats_are_idle(const struct gather_queue *queue);
void beats_clear(struct gather_queue *queue);
void beats_free_batches(struct gather *gather);

/* upkeep.c */
void upkeep_flush(struct gather *gather, struct gather_queue *queue);
void upkeep_watch_store(struct gather *gather); /* has it restarted? */
/* Must joins wait, because the store has just come back? */
bool upkeep_holds_joins(struct gather *gather);
bool upkeep_is_idle(const struct gather_queue *queue);
void upkeep_clear(struct gather_queue *queue);
void upkeep_free_batches(struct gather *gather);

#endif
