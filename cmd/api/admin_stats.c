/* Admin stats: the figures of one queue, now and by the minute of the last hour.
 *
 *     stats.lua (the hour) ─► sync.lua (now) ─► both in one answer
 *
 * Any pod answers for all of them: the steps of the store count, the admitters sample, and the pods
 * add how good their predictions were. The last minute of the samples is what is so now.
 */
#include "admin_queue.h"

#include <stdio.h>
#include <stdlib.h>

#include "waitingroom/memory.h"
#include "waitingroom/stats.h"

#define ANSWER_BYTES (16384 + QUEUE_LANES_MAX * 256)

static void put_number(struct json_out *out, const char *key, double number)
{
	char text[32];
	int len = snprintf(text, sizeof(text), "%.3f", number);
	json_out_raw(out, key, text, (size_t)len);
}

static uint64_t put_lanes(struct json_out *out, const struct synced *now)
{
	uint64_t waiting = 0;
	json_out_array(out, "lanes");
	for (size_t i = 0; i < now->lane_count; i++) {
		uint64_t in_lane = now->lanes[i].ticket - now->lanes[i].gone;
		waiting += in_lane;
		json_out_object(out, NULL);
		json_out_string(out, "lane", now->lanes[i].lane);
		json_out_int(out, "waiting", (int64_t)in_lane);
		json_out_object_end(out);
	}
	json_out_array_end(out);
	return waiting;
}

static void put_now(struct json_out *out, const struct synced *now, struct queue_stats *stats)
{
	int64_t oldest_ms = now->oldest_joined_ms > 0 ? now->now_ms - now->oldest_joined_ms : 0;
	uint64_t waiting = put_lanes(out, now);
	json_out_int(out, "waiting", (int64_t)waiting);
	json_out_int(out, "oldest_wait_ms", oldest_ms > 0 ? oldest_ms : 0);
	json_out_int(out, "active", (int64_t)now->active);
	json_out_int(out, "capacity", now->settings.capacity);
	json_out_int(out, "absent", (int64_t)now->absent);
	stats->of[STAT_WAITING][STATS_MINUTES - 1] = (int64_t)waiting;
	stats->of[STAT_ACTIVE][STATS_MINUTES - 1] = (int64_t)now->active;
}

static void put_accuracy(struct json_out *out, const struct queue_stats *stats)
{
	int64_t within = queue_stats_sum(stats, STAT_ETA_WITHIN);
	int64_t early = queue_stats_sum(stats, STAT_ETA_EARLY);
	int64_t late = queue_stats_sum(stats, STAT_ETA_LATE);
	int64_t judged = within + early + late;
	json_out_object(out, "eta_accuracy");
	json_out_int(out, "judged", judged);
	json_out_int(out, "within", within);
	json_out_int(out, "early", early);
	json_out_int(out, "late", late);
	if (judged > 0) {
		put_number(out, "within_share", (double)within / (double)judged);
		put_number(out, "mean_ratio",
				   (double)queue_stats_sum(stats, STAT_ETA_RATIO) / 1000 / (double)judged);
	} else {
		json_out_null(out, "within_share");
		json_out_null(out, "mean_ratio");
	}
	json_out_object_end(out);
}

static void put_series(struct json_out *out, const struct queue_stats *stats)
{
	json_out_object(out, "series");
	json_out_int(out, "step_ms", 60000);
	json_out_int(out, "from_ms", stats->from_ms);
	for (int stat = STAT_JOINED; stat <= STAT_ACTIVE; stat++) {
		json_out_array(out, stat_word((enum stat_kind)stat));
		for (int i = 0; i < STATS_MINUTES; i++)
			if (stats->of[stat][i] == STAT_UNKNOWN)
				json_out_null(out, NULL);
			else
				json_out_int(out, NULL, stats->of[stat][i]);
		json_out_array_end(out);
	}
	json_out_object_end(out);
}

static void reply_stats(struct http_request *request, const struct synced *now,
						struct queue_stats *stats)
{
	static const char *const per_minute[] = {[STAT_JOINED] = "joined_per_minute",
											 [STAT_ADMITTED] = "admitted_per_minute",
											 [STAT_EXPIRED] = "expired_per_minute",
											 [STAT_MISSED] = "missed_per_minute",
											 [STAT_LEFT] = "left_per_minute"};
	const struct admin_notes *notes = http_request_notes(request);
	WR_AUTO(mem_free_at) char *text = mem_alloc_zero(1, ANSWER_BYTES);
	char name[QUEUE_NAME_TEXT_BYTES];
	struct json_out out;
	queue_name_print(&notes->name, name);
	json_out_init(&out, text, ANSWER_BYTES);
	json_out_object(&out, NULL);
	json_out_string(&out, "queue", name);
	json_out_int(&out, "as_of_ms", now->now_ms);
	put_now(&out, now, stats);
	for (int stat = STAT_JOINED; stat <= STAT_LEFT; stat++)
		put_number(&out, per_minute[stat], queue_stats_per_minute(stats, (enum stat_kind)stat));
	double no_shows = queue_stats_no_show_share(stats);
	if (no_shows < 0)
		json_out_null(&out, "no_show_share");
	else
		put_number(&out, "no_show_share", no_shows);
	put_accuracy(&out, stats);
	put_series(&out, stats);
	json_out_object_end(&out);
	admin_reply_json(request, 200, &out);
}

static void on_now(void *ctx, enum wr_err err, const struct synced *now)
{
	struct http_request *request = ctx;
	struct admin_notes *notes = http_request_notes(request);
	WR_AUTO(mem_free_at) char *kept = WR_TAKE(notes->kept);
	if (err == WR_OK)
		reply_stats(request, now, (struct queue_stats *)(void *)kept);
	else
		admin_problem(notes->internal, request, err == WR_NOT_FOUND ? WR_NO_QUEUE : err, NULL);
}

static void on_stats(void *ctx, enum wr_err err, const struct queue_stats *stats)
{
	struct http_request *request = ctx;
	struct admin_notes *notes = http_request_notes(request);
	if (err != WR_OK) {
		admin_problem(notes->internal, request, err, NULL);
		return;
	}
	notes->kept = mem_copy(stats, sizeof(*stats));
	store_sync(notes->internal->store, &notes->name, "0", NULL, 0, 1, on_now, request);
}

void admin_stats_serve(void *ctx, struct http_request *request, const struct route_match *match)
{
	struct internal *internal = ctx;
	const struct admin_notes *notes = http_request_notes(request);
	(void)match;
	store_stats(internal->store, &notes->name, on_stats, request);
}
