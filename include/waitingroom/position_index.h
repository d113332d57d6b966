/* Position index: where in its lane a ticket stands, without asking the store.
 *
 * Tickets of a lane are the consecutive numbers 1, 2, 3 … The index keeps one bit per ticket, set
 * when the ticket has left the line, and running counts:
 *
 *     position(t) = 1 + (t − 1) − (tickets before t that have left the line)
 *
 * Layout: chunks of 131072 tickets, as in the store (wr:Q:gone:<lane>:<chunk>). A chunk has its
 * bitmap (2048 words of 64 bits), a count per block of 512 bits of what left before the block in
 * this chunk, and the number that left before the chunk. A look-up is one chunk pointer, two counts
 * and at most 8 popcounts, at any size. Bits are only ever set, so a position never grows.
 *
 * A room that is always open gives out tickets for ever. Chunks at the low end of which everybody
 * has left are not kept, so memory and the limit are about the stretch from the first person in
 * line to the last ticket, not about everybody who ever came.
 *
 * What     The pod's picture of one lane. Chunk and offset of ticket t: (t-1) / 131072, (t-1) % 131072.
 * Used by  queue_table, cmd/api.
 * Threads  one writer (and anybody who notes a ticket); any number of readers, which never wait: a sequence lock around each change,
 *          all shared words are atomics. Dropped chunks and the whole are freed through
 *          quiescence.
 */
#ifndef WAITINGROOM_POSITION_INDEX_H
#define WAITINGROOM_POSITION_INDEX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "waitingroom/err.h"

#define INDEX_CHUNK_TICKETS 131072u
#define INDEX_CHUNK_BYTES (INDEX_CHUNK_TICKETS / 8)
#define INDEX_CHUNKS_MAX 4096u /* 536 million tickets a lane, from the first chunk that is kept */
#define INDEX_TICKETS_MAX ((uint64_t)INDEX_CHUNKS_MAX * INDEX_CHUNK_TICKETS)

struct position_index;

struct ticket_range {
	uint64_t first; /* inclusive, from 1 */
	uint64_t last;	/* inclusive */
};

struct position_index *position_index_new(void);
void position_index_free(struct position_index *index);

/* Writer. Marks ranges of tickets as gone, in one sequence-lock section per call of bounded length
 * (at most 4096 tickets or 64 ranges are applied per section, so that readers never wait long).
 * Bits set before stay set and are counted once. A range past the limit: WR_LIMIT; one
 * that begins at 0 or ends before it begins: WR_INVALID; nothing of the call is applied then. */
WR_MUST_USE enum wr_err position_index_apply(struct position_index *index,
											 const struct ticket_range *ranges, size_t count);

/* Writer. Sets every bit of one chunk that is set in 'bitmap' (the store's bit order: offset 0 is
 * the top bit of byte 0; may be shorter than INDEX_CHUNK_BYTES, the rest is zero). */
WR_MUST_USE enum wr_err position_index_load_chunk(struct position_index *index, uint64_t chunk,
												  const uint8_t *bitmap, size_t bytes);

/* Writer. Tickets of the chunk that have left by the index and not by 'bitmap', in order; at most
 * 'max' ranges. */
size_t position_index_extra(const struct position_index *index, uint64_t chunk,
							const uint8_t *bitmap, size_t bytes, struct ticket_range *ret_ranges,
							size_t max);

/* Writer, of an index that knows nothing yet: everybody of the first 'chunks' chunks has left. */
void position_index_skip(struct position_index *index, uint64_t chunks);
/* The first chunk that is kept; everybody before has left. */
uint64_t position_index_first_chunk(const struct position_index *index);
/* Writer. Takes the first chunk off when everybody of it has left and it is not the last one; NULL
 * otherwise. Gives it, for free(); readers may be looking at it until their turns end. */
void *position_index_drop(struct position_index *index);

/* Writer. Last ticket given out; never lowered. Tickets above it are unknown to the index. */
void position_index_set_last(struct position_index *index, uint64_t last_ticket);

/* Any thread. This ticket has been given out, which may be news for the index: of it nothing but
 * position_index_highest() knows. */
void position_index_note(struct position_index *index, uint64_t ticket);

struct index_answer {
	bool in_line;	   /* false: the ticket has left the line */
	uint64_t position; /* from 1; of a ticket that has left: where it would stand */
};

/* Reader. WR_NOT_FOUND when ticket is 0 or above the last ticket known (a fresh place that the
 * index has not heard of yet): the caller asks the store, or answers from the token. */
WR_MUST_USE enum wr_err position_index_find(const struct position_index *index, uint64_t ticket,
											struct index_answer *ret_answer);

/* Reader. Tickets gone, tickets given, people in line = given − gone. */
uint64_t position_index_gone(const struct position_index *index);
uint64_t position_index_last(const struct position_index *index);
/* Reader. The highest ticket that anybody here has heard of: what a store that has lost its last
 * moments must not give once more. */
uint64_t position_index_highest(const struct position_index *index);
size_t position_index_bytes(const struct position_index *index); /* memory held */

#endif
