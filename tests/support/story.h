/* Story: what a stream of events tells about a queue, held against what the service promises.
 *
 * Pure: events in, a verdict out, so that the judge itself can be tested with made-up streams.
 * Events are put in order by the store's time, which is inside them; where several carry the same
 * millisecond, the order in which the promises hold is assumed.
 */
#ifndef SUPPORT_STORY_H
#define SUPPORT_STORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "support/event_stream.h"
#include "waitingroom/state.h"

struct story_rules {
	const char *queue; /* "tenant/queue"; events of others are passed over */
	/* Until the first event of the queue itself says otherwise; -1: not checked, also later. */
	int64_t capacity, rate_per_minute, burst;
	bool
		store_lost; /* the store has lost a part: places may have no beginning, and be let in again */
};

struct story_place {
	char position_id[24], lane[64];
	uint64_t ticket;
	enum place_state state;						 /* where the place's own events leave it */
	int64_t joined_ms, admitted_ms, restored_ms; /* 0: never */
};

struct story {
	size_t events, copies; /* copies: of an event that was there already, byte for byte */
	size_t enqueued, restored, admitted, claimed, missed, expired, left, ended;
	size_t returned; /* admitted after they had been absent */
	int64_t active_most, active_last;
	struct story_place *places; /* sorted by id */
	size_t place_count;
};

/* Fills *ret_story; story_free(). Gives NULL when the events keep every promise, or the first
 * contradiction in words; free(). The promises:
 *   - an event that comes again is the same, byte for byte
 *   - each place moves as state.h allows, and so is let in and ended at most once; only an operator
 *     puts back what has ended
 *   - nobody is let in beyond the capacity in force
 *   - admissions fit a token bucket of rate and burst (an operator's order aside)
 *   - within a lane people go in by ticket, except those who had been absent or were restored
 *     after somebody behind them had gone in */
char *story_judge(const struct stored_event *events, size_t count, const struct story_rules *rules,
				  struct story *ret_story);
const struct story_place *story_find(const struct story *story, const char *position_id);
void story_free(struct story *story);

#endif
