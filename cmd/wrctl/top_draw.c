/* Drawing of wrctl top: facts to lines, each exactly as wide as the terminal or less.
 *
 *     waitingroom prod  http://10.0.0.1:9090               16:20:31  every 1 s
 *     3 queues   12 400 waiting   230 of 400 active   58 let in per minute
 *     2 pods ok   1 admitter ok   adm-1 silent 21 s
 *     admitter: No admitter is alive. (and 1 more: wrctl doctor)
 *     QUEUE             STATE     WAITING   RATE/MIN            ACTIVE OLDEST   WAIT
 *     default/demo      open       12 345      58/60 ###..      70/100   12 m   30 m
 *     …
 *     q quit  p processes  up/down scroll   1-18 of 40
 *
 * top_line.c builds the lines.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "actions.h"
#include "table.h"
#include "top_line.h"
#include "waitingroom/memory.h"

#define WIDE 100 /* from here on, bars and names get more room */

/* ---- the head ---- */

static void draw_title(const struct top_facts *facts, const struct top_view *view,
					   struct frame *frame)
{
	struct line line;
	struct tm now;
	time_t seconds = (time_t)(view->now.ms / 1000);
	char right[64];
	localtime_r(&seconds, &now);
	int len = snprintf(right, sizeof(right), "%02d:%02d:%02d", now.tm_hour, now.tm_min, now.tm_sec);
	if (view->keys)
		snprintf(right + len, sizeof(right) - (size_t)len, "  every %g s",
				 (double)view->every_ms / 1e3);
	line_begin(&line, view);
	line_put(&line, PAINT_BOLD, "waitingroom");
	if (view->context[0] != '\0')
		line_putf(&line, PAINT_BOLD, " %s", view->context);
	line_putf(&line, PAINT_DIM, "  %s", facts->url);
	if (line.columns + 2 + strlen(right) <= line.width)
		line_put_to(&line, line.width - strlen(right));
	else
		line_put(&line, PAINT_PLAIN, "  ");
	line_put(&line, PAINT_PLAIN, right);
	line_end(&line, frame);
}

static void draw_totals(const struct top_facts *facts, const struct top_view *view,
						struct frame *frame)
{
	int64_t waiting = 0, active = 0, capacity = 0;
	double rate = 0;
	bool measured = false;
	char number[3][NUMBER_TEXT_BYTES];
	struct line line;
	for (size_t i = 0; i < facts->queue_count; i++) {
		const struct top_queue *queue = &facts->queues[i];
		waiting += queue->waiting;
		active += queue->active;
		capacity += queue->capacity;
		rate += queue->rate > 0 ? queue->rate : 0;
		measured |= queue->rate >= 0;
	}
	line_begin(&line, view);
	line_putf(&line, PAINT_PLAIN, "%zu queue%s   ", facts->queue_count,
			  facts->queue_count == 1 ? "" : "s");
	line_put(&line, PAINT_BOLD, number_text(waiting, number[0]));
	line_putf(&line, PAINT_PLAIN, " waiting   %s of %s active", number_text(active, number[1]),
			  number_text(capacity, number[2]));
	if (measured)
		line_putf(&line, PAINT_PLAIN, "   %.0f let in per minute", rate);
	line_end(&line, frame);
}

static enum paint pod_paint(const char *state)
{
	if (strcmp(state, "ok") == 0)
		return PAINT_GREEN;
	return strcmp(state, "draining") == 0 ? PAINT_YELLOW : PAINT_RED;
}

/* "2 pods ok   1 admitter ok   vm-3 silent 21 s": those that are well as a number, the others by name. */
static void draw_pods_line(const struct top_facts *facts, const struct top_view *view,
						   struct frame *frame)
{
	static const char *const kinds[] = {"api", "admitter"}, *const names[] = {"pod", "admitter"};
	struct line line;
	line_begin(&line, view);
	for (size_t kind = 0; kind < 2; kind++) {
		size_t well = 0;
		for (size_t i = 0; i < facts->pod_count; i++)
			well += strcmp(facts->pods[i].row.kind, kinds[kind]) == 0 &&
					strcmp(facts->pods[i].state, "ok") == 0;
		line_put(&line, PAINT_PLAIN, kind > 0 ? "   " : "");
		line_putf(&line, well > 0 ? PAINT_GREEN : PAINT_RED, "%zu %s%s ok", well, names[kind],
				  well == 1 ? "" : "s");
	}
	for (size_t i = 0; i < facts->pod_count; i++) {
		const struct top_pod *pod = &facts->pods[i];
		char age[SHORT_BYTES];
		if (strcmp(pod->state, "ok") == 0)
			continue;
		line_put(&line, PAINT_PLAIN, "   ");
		line_putf(&line, pod_paint(pod->state), "%s %s", pod->row.instance, pod->state);
		if (strcmp(pod->state, "silent") == 0)
			line_putf(&line, PAINT_RED, " %s", short_time(pod->age_ms, age));
	}
	line_end(&line, frame);
}

/* What is worst: no answer, or what the doctor would say first. */
static void draw_trouble(const struct top_facts *facts, const struct top_view *view,
						 struct frame *frame)
{
	struct line line;
	char age[SHORT_BYTES];
	line_begin(&line, view);
	if (facts->trouble[0] != '\0') {
		line_put(&line, PAINT_RED, "no answer");
		if (facts->answered.ms > 0)
			line_putf(&line, PAINT_RED, " for %s",
					  short_time(view->now.ms - facts->answered.ms, age));
		line_putf(&line, PAINT_RED, ": %s", facts->trouble);
	} else if (facts->findings > 0) {
		enum paint how = facts->health == HEALTH_FAIL ? PAINT_RED : PAINT_YELLOW;
		line_putf(&line, how, "%s", facts->finding);
		if (facts->findings > 1)
			line_putf(&line, PAINT_DIM, " (and %zu more: wrctl doctor)", facts->findings - 1);
	}
	line_end(&line, frame);
}

/* ---- queues ---- */

struct columns { /* widths; those of the other columns are fixed */
	size_t name, bar, active;
};

static struct columns columns_of(const struct top_facts *facts, const struct top_view *view)
{
	/* state 8, waiting 8, rate 10, oldest 6, wait 6; a space before each */
	size_t fixed = 1 + 8 + 1 + 8 + 1 + 10 + 1 + 1 + 1 + 6 + 1 + 6;
	struct columns columns = {.name = 12, .bar = 5, .active = 11};
	size_t longest = 12, width = (size_t)view->width;
	if (view->width >= WIDE)
		columns.bar = 15;
	for (size_t i = 0; i < facts->queue_count; i++)
		if (strlen(facts->queues[i].name) > longest)
			longest = strlen(facts->queues[i].name);
	if (width > fixed + columns.bar + columns.active + columns.name)
		columns.name = width - fixed - columns.bar - columns.active;
	if (columns.name > longest)
		columns.name = longest;
	return columns;
}

static void draw_bar(struct line *line, const struct top_view *view, size_t width, int64_t part,
					 int64_t whole)
{
	size_t filled = 0;
	if (whole > 0)
		filled = part >= whole ? width : (size_t)((__int128)part * (int64_t)width / whole);
	if (filled == 0 && part > 0)
		filled = 1;
	enum paint how = whole > 0 && part >= whole ? PAINT_YELLOW : PAINT_GREEN;
	for (size_t i = 0; i < width; i++)
		line_put(line, i < filled ? how : PAINT_DIM,
				 i < filled ? (view->unicode ? "█" : "#") : (view->unicode ? "░" : "."));
}

static void draw_queue(const struct top_queue *queue, const struct top_view *view,
					   const struct columns *columns, struct frame *frame)
{
	char text[TOP_TEXT_BYTES], a[SHORT_BYTES], b[SHORT_BYTES];
	struct line line;
	line_begin(&line, view);
	line_cell(&line, PAINT_BOLD, columns->name, false, queue->name);
	line_put(&line, PAINT_PLAIN, " ");
	line_cell(&line, queue->recovering ? PAINT_RED : state_paint(queue->state), 8, false,
			  queue->recovering							 ? "rebuilt"
			  : strcmp(queue->state, "passthrough") == 0 ? "passthru"
														 : queue->state);
	line_put(&line, PAINT_PLAIN, " ");
	number_text(queue->waiting, text);
	line_cell(&line, queue->waiting > 0 ? PAINT_BOLD : PAINT_PLAIN, 8, true,
			  text_columns(text) <= 8 ? text : short_count(queue->waiting, a));
	line_put(&line, PAINT_PLAIN, " ");
	if (queue->rate < 0)
		snprintf(text, sizeof(text), "-/%s", short_count(queue->rate_limit, b));
	else
		snprintf(text, sizeof(text), "%s/%s", short_count((int64_t)(queue->rate + 0.5), a),
				 short_count(queue->rate_limit, b));
	line_cell(&line, PAINT_PLAIN, 10, true, text);
	line_put(&line, PAINT_PLAIN, " ");
	draw_bar(&line, view, columns->bar, queue->active, queue->capacity);
	line_put(&line, PAINT_PLAIN, " ");
	snprintf(text, sizeof(text), "%s/%s", short_count(queue->active, a),
			 short_count(queue->capacity, b));
	line_cell(&line, PAINT_PLAIN, columns->active, true, text);
	line_put(&line, PAINT_PLAIN, " ");
	line_cell(&line, PAINT_PLAIN, 6, true,
			  queue->waiting > 0 ? short_time(queue->oldest_ms, a) : "-");
	line_put(&line, PAINT_PLAIN, " ");
	line_cell(&line, PAINT_PLAIN, 6, true,
			  queue->estimate_s < 0 ? "-" : short_time(queue->estimate_s * 1000, a));
	line_end(&line, frame);
}

static void draw_queue_head(const struct top_view *view, const struct columns *columns,
							struct frame *frame)
{
	struct line line;
	line_begin(&line, view);
	line_cell(&line, PAINT_DIM, columns->name, false, "QUEUE");
	line_put(&line, PAINT_PLAIN, " ");
	line_cell(&line, PAINT_DIM, 8, false, "STATE");
	line_put(&line, PAINT_PLAIN, " ");
	line_cell(&line, PAINT_DIM, 8, true, "WAITING");
	line_put(&line, PAINT_PLAIN, " ");
	line_cell(&line, PAINT_DIM, 10, true, "RATE/MIN");
	line_put(&line, PAINT_PLAIN, " ");
	line_cell(&line, PAINT_DIM, columns->bar + 1 + columns->active, true, "ACTIVE");
	line_put(&line, PAINT_PLAIN, " ");
	line_cell(&line, PAINT_DIM, 6, true, "OLDEST");
	line_put(&line, PAINT_PLAIN, " ");
	line_cell(&line, PAINT_DIM, 6, true, "WAIT");
	line_end(&line, frame);
}

/* ---- processes ---- */

static void draw_pod_head(const struct top_view *view, size_t name, struct frame *frame)
{
	struct line line;
	line_begin(&line, view);
	line_cell(&line, PAINT_DIM, name, false, "PROCESS");
	line_put(&line, PAINT_DIM,
			 " KIND     STATE      SEEN  REQ/S  BEATS/S  LET IN/S  STORE MS  NATS");
	line_end(&line, frame);
}

static void draw_pod(const struct top_pod *pod, const struct top_view *view, size_t name,
					 struct frame *frame)
{
	char text[TOP_TEXT_BYTES], a[SHORT_BYTES];
	bool is_api = strcmp(pod->row.kind, "api") == 0;
	struct line line;
	line_begin(&line, view);
	line_cell(&line, PAINT_BOLD, name, false, pod->row.instance);
	line_put(&line, PAINT_PLAIN, " ");
	line_cell(&line, PAINT_PLAIN, 8, false, pod->row.kind);
	line_put(&line, PAINT_PLAIN, " ");
	line_cell(&line, pod_paint(pod->state), 9, false, pod->state);
	line_cell(&line, PAINT_PLAIN, 6, true, short_time(pod->age_ms, a));
	line_cell(&line, PAINT_PLAIN, 7, true, is_api ? short_count(pod->row.requests_per_s, a) : "-");
	line_cell(&line, PAINT_PLAIN, 9, true,
			  is_api ? short_count(pod->row.heartbeats_per_s, a) : "-");
	line_cell(&line, PAINT_PLAIN, 10, true, is_api ? "-" : short_count(pod->row.admitted_per_s, a));
	snprintf(text, sizeof(text), "%.1f", (double)pod->row.store_us / 1e3);
	line_cell(&line, pod->row.store_us > HEALTH_STORE_SLOW_MS * 1000 ? PAINT_YELLOW : PAINT_PLAIN,
			  10, true, text);
	line_cell(&line, pod->row.relay && !pod->row.nats ? PAINT_RED : PAINT_PLAIN, 6, true,
			  !pod->row.relay ? "-"
			  : pod->row.nats ? "yes"
							  : "no");
	line_end(&line, frame);
}

/* ---- the picture ---- */

static void draw_foot(const struct top_view *view, size_t shown, size_t all, struct frame *frame)
{
	struct line line;
	line_begin(&line, view);
	line_putf(&line, PAINT_DIM, "q quit  p %s", view->only_pods ? "queues" : "processes");
	if (shown < all)
		line_putf(&line, PAINT_DIM, "  %s scroll   %zu-%zu of %zu",
				  view->unicode ? "↑↓" : "up/down", view->scroll + 1, view->scroll + shown, all);
	line_end(&line, frame);
}

static void draw_list(const struct top_facts *facts, const struct top_view *view, size_t from,
					  size_t count, struct frame *frame)
{
	if (view->only_pods) {
		size_t name = 14;
		for (size_t i = 0; i < facts->pod_count; i++)
			if (strlen(facts->pods[i].row.instance) > name)
				name = strlen(facts->pods[i].row.instance);
		name = view->width > 66 + 14 && name > (size_t)view->width - 66 ? (size_t)view->width - 66
			   : view->width <= 66 + 14									? 14
																		: name;
		draw_pod_head(view, name, frame);
		for (size_t i = from; i < from + count; i++)
			draw_pod(&facts->pods[i], view, name, frame);
		return;
	}
	struct columns columns = columns_of(facts, view);
	draw_queue_head(view, &columns, frame);
	for (size_t i = from; i < from + count; i++)
		draw_queue(&facts->queues[i], view, &columns, frame);
}

void top_draw(const struct top_facts *facts, struct top_view *view, struct frame *ret_frame)
{
	size_t all = view->only_pods ? facts->pod_count : facts->queue_count, shown = all;
	*ret_frame = (struct frame){.lines = NULL};
	draw_title(facts, view, ret_frame);
	draw_totals(facts, view, ret_frame);
	draw_pods_line(facts, view, ret_frame);
	draw_trouble(facts, view, ret_frame);
	if (view->height > 0) { /* the head of the list, and the last line */
		size_t taken = ret_frame->count + 1 + (view->keys ? 1 : 0);
		size_t room = (size_t)view->height > taken ? (size_t)view->height - taken : 0;
		shown = all < room ? all : room;
	}
	if (view->scroll > all - shown)
		view->scroll = all - shown;
	draw_list(facts, view, view->scroll, shown, ret_frame);
	while (view->height > 0 && view->keys && ret_frame->count + 1 < (size_t)view->height)
		frame_add(ret_frame, mem_copy_string(""));
	if (view->keys)
		draw_foot(view, shown, all, ret_frame);
}
