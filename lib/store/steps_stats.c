/* Steps of stats: figures by the minute are read, sampled and added to. */
#include "lib/store/client.h"

#include "waitingroom/memory.h"

#include <assert.h>
#include <string.h>

static bool find_stat(const char *word, enum stat_kind *ret_stat)
{
	for (int i = 0; i < STAT_COUNT; i++)
		if (strcmp(stat_word((enum stat_kind)i), word) == 0) {
			*ret_stat = (enum stat_kind)i;
			return true;
		}
	return false; /* of a newer version */
}

static void stats_end(struct call *call, enum wr_err err, const struct reply *reply)
{
	struct walk walk = walk_begin(err, reply);
	size_t left = walk_outcome(&walk);
	struct queue_stats *stats = scratch_room(call->store, 1, sizeof(*stats));
	queue_stats_init(stats, walk_int(&walk));
	walk_expect(&walk, left == 1 + STATS_MINUTES || walk.err);
	for (size_t minute = 0; minute < STATS_MINUTES && left > 1; minute++) {
		size_t members = walk_array(&walk);
		walk_expect(&walk, members % 2 == 0);
		for (size_t i = 0; i < members / 2 && !walk.garbled; i++) {
			enum stat_kind stat;
			bool known = find_stat(walk_text(&walk, NULL), &stat);
			int64_t number = walk_int(&walk);
			if (known)
				stats->of[stat][minute] = number;
		}
	}
	err = walk_end(&walk, call);
	call->fn.stats(call->ctx, err, err ? NULL : stats);
}

void store_stats(struct store *store, const struct queue_name *queue, store_stats_fn fn, void *ctx)
{
	struct call *call = call_script(store, SCRIPT_STATS, queue, 1, stats_end, ctx);
	call->fn.stats = fn;
	call_add_count(call, STATS_MINUTES);
	call_send(call);
}

static void noted_end(struct call *call, enum wr_err err, const struct reply *reply)
{
	struct walk walk = walk_begin(err, reply);
	walk_expect(&walk, walk_outcome(&walk) == 1 || walk.err);
	walk_int(&walk); /* the store's time, of no use here */
	call->fn.noted(call->ctx, walk_end(&walk, call));
}

void store_depart(struct store *store, const struct queue_name *queue, const char *epoch,
				  const char *lane, const struct ticket_range *ranges, size_t count,
				  store_noted_fn fn, void *ctx)
{
	struct call *call = call_script(store, SCRIPT_DEPART, queue, 2 + 2 * count, noted_end, ctx);
	call->fn.noted = fn;
	call_add_text(call, epoch);
	call_add_text(call, lane);
	for (size_t i = 0; i < count; i++) {
		call_add_count(call, ranges[i].first);
		call_add_count(call, ranges[i].last);
	}
	call_send(call);
}

void store_note_stats(struct store *store, const struct queue_name *queue, bool sample,
					  const struct stat_sum *sums, size_t count, store_noted_fn fn, void *ctx)
{
	struct call *call = call_script(store, SCRIPT_STATS_NOTE, queue, 1 + 2 * count, noted_end, ctx);
	call->fn.noted = fn;
	call_add_text(call, sample ? "sample" : "");
	for (size_t i = 0; i < count; i++) {
		call_add_text(call, stat_word(sums[i].stat));
		call_add_int(call, sums[i].n);
	}
	call_send(call);
}
