/* Loading a lane's index: what has left without this pod having heard of it, because it is new or
 * fell behind the stream of departures. The store's bitmap has all of it, in chunks.
 *
 * Tickets are given out for ever, so a pod that comes to a room that has been open for a year must
 * not read a year's bitmaps: it first asks how many of each chunk have left, many chunks at once,
 * and begins its index at the first one where somebody may still be in line.
 *
 * And the other way round: a store that took over from one that knew more is told what has left.
 */
#include "followed_load.h"

#define COUNTS_AT_ONCE 256

struct chunk_call {
	struct position_index *index;
	uint64_t chunk;
	bool done;
	enum wr_err err;
};

static void on_chunk(void *ctx, enum wr_err err, const uint8_t *bitmap, size_t bytes)
{
	struct chunk_call *call = ctx;
	call->done = true;
	call->err =
		err == WR_OK ? position_index_load_chunk(call->index, call->chunk, bitmap, bytes) : err;
}

struct count_call {
	bool done;
	enum wr_err err;
	int64_t gone;
};

static void on_counted(void *ctx, enum wr_err err, int64_t gone)
{
	*(struct count_call *)ctx = (struct count_call){.done = true, .err = err, .gone = gone};
}

/* Of how many chunks, from the first on, has everybody left? A room that has been open for a year
 * has thousands of them, which need not be read. */
static enum wr_err count_whole_chunks(struct followed *followed, size_t lane, struct store *store,
									  uint64_t last_ticket, uint64_t *ret_count)
{
	uint64_t chunks = last_ticket / INDEX_CHUNK_TICKETS, whole = 0;
	bool more = true;
	while (more && whole < chunks) {
		struct count_call calls[COUNTS_AT_ONCE] = {0};
		size_t asked = chunks - whole < COUNTS_AT_ONCE ? chunks - whole : COUNTS_AT_ONCE;
		for (size_t i = 0; i < asked; i++)
			store_count_chunk(store, &followed->name, followed->lanes[lane].name, whole + i,
							  on_counted, &calls[i]);
		for (size_t i = 0; i < asked; i++)
			store_wait(store, &calls[i].done);
		for (size_t i = 0; more && i < asked; i++) {
			if (calls[i].err != WR_OK)
				return calls[i].err;
			more = calls[i].gone == INDEX_CHUNK_TICKETS;
			whole += more;
		}
	}
	*ret_count = whole;
	return WR_OK;
}

/* What a pod that is new does not know: first the long stretch of which nothing need be known. */
static enum wr_err begin_lane(struct followed *followed, size_t lane, struct store *store)
{
	uint64_t last_ticket = followed->lanes[lane].last_ticket;
	struct position_index *index = followed->lanes[lane].index;
	uint64_t whole = 0;
	enum wr_err err = count_whole_chunks(followed, lane, store, last_ticket, &whole);
	if (err != WR_OK)
		return err;
	position_index_skip(index, whole);
	position_index_set_last(index, last_ticket);
	followed->lanes[lane].is_loaded = true;
	return WR_OK;
}

enum wr_err followed_load_lane(struct followed *followed, size_t lane, struct store *store)
{
	struct position_index *index = followed->lanes[lane].index;
	enum wr_err err = WR_OK;
	if (!followed->lanes[lane].is_loaded)
		err = begin_lane(followed, lane, store);
	for (uint64_t chunk = position_index_first_chunk(index);
		 err == WR_OK && chunk * INDEX_CHUNK_TICKETS < position_index_last(index); chunk++) {
		struct chunk_call call = {.index = index, .chunk = chunk};
		store_read_chunk(store, &followed->name, followed->lanes[lane].name, chunk, on_chunk,
						 &call);
		store_wait(store, &call.done);
		err = call.err;
	}
	return err;
}

/* ---- what the store has forgotten ---- */

#define EXTRA_AT_ONCE 256

struct extra_call {
	struct position_index *index;
	uint64_t chunk;
	struct ticket_range ranges[EXTRA_AT_ONCE];
	size_t count;
	bool done;
	enum wr_err err;
};

static void on_chunk_to_compare(void *ctx, enum wr_err err, const uint8_t *bitmap, size_t bytes)
{
	struct extra_call *call = ctx;
	call->done = true;
	call->err = err;
	if (err == WR_OK)
		call->count = position_index_extra(call->index, call->chunk, bitmap, bytes, call->ranges,
										   EXTRA_AT_ONCE);
}

struct told_call {
	bool done;
	enum wr_err err;
};

static void on_told(void *ctx, enum wr_err err)
{
	*(struct told_call *)ctx = (struct told_call){.done = true, .err = err};
}

enum wr_err followed_tell_departures(struct followed *followed, size_t lane, struct store *store)
{
	struct position_index *index = followed->lanes[lane].index;
	enum wr_err err = WR_OK;
	for (uint64_t chunk = position_index_first_chunk(index);
		 err == WR_OK && chunk * INDEX_CHUNK_TICKETS < position_index_last(index); chunk++) {
		struct extra_call extra = {.index = index, .chunk = chunk};
		struct told_call told = {.done = false};
		store_read_chunk(store, &followed->name, followed->lanes[lane].name, chunk,
						 on_chunk_to_compare, &extra);
		store_wait(store, &extra.done);
		err = extra.err;
		if (err != WR_OK || extra.count == 0)
			continue;
		store_depart(store, &followed->name, followed->epoch, followed->lanes[lane].name,
					 extra.ranges, extra.count, on_told, &told);
		store_wait(store, &told.done);
		err = told.err;
	}
	return err;
}
