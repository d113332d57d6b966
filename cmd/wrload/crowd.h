/* Crowd: many visitors, one loop; who comes when, and when it is over.
 *
 * Used by  main; visitor (the parts that all visitors share).
 * Threads  the loop's.
 */
#ifndef WRLOAD_CROWD_H
#define WRLOAD_CROWD_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "checker.h"
#include "client.h"
#include "options.h"
#include "tally.h"
#include "visitor.h"
#include "waitingroom/clock.h"
#include "waitingroom/loop.h"

struct crowd {
	const struct options *options;
	struct loop *loop;
	struct client *client;
	struct checker *checker;
	FILE *history; /* NULL: none */
	struct tally tally;
	struct mono_time started, ended;
	bool was_interrupted;
	char enqueue_body[160];
	struct visitor *visitors;
	uint64_t scheduled; /* arrivals so far, those who turned back included */
	uint32_t *free_slots;
	uint32_t free_count;
	uint32_t in_stage[VISITOR_STAGE_COUNT];
	struct loop_timer *arrivals, *ticks, *seconds, *end;
	uint64_t requests_before; /* at the last line of progress */
};

/* gives. Options, loop and history are kept. WR_BAD_CONFIG: an address cannot be used. */
WR_MUST_USE enum wr_err crowd_new(struct loop *loop, const struct options *options, FILE *history,
								  struct crowd **ret_crowd, struct err_detail *ret_detail);
void crowd_free(struct crowd *crowd);

/* Until everybody is done, the time is up, nobody can be reached, or crowd_interrupt. */
void crowd_run(struct crowd *crowd);
/* Both from a callback of the loop. Of more phases than there is room for, the last takes all. */
void crowd_interrupt(struct crowd *crowd);
void crowd_next_phase(struct crowd *crowd);

/* ---- for visitor.c ---- */
int64_t crowd_ms(const struct crowd *crowd, struct mono_time at); /* since the start */
void crowd_count_stage(struct crowd *crowd, enum visitor_stage from, enum visitor_stage to);
void crowd_slot_is_free(struct crowd *crowd, uint32_t slot);

#endif
