/* Drawing of wrctl top: facts to lines, each exactly as wide as the terminal or less.
 *
 *     waitingroom prod                                    16:20:31  every 1 s
 *     3 queues   12 400 waiting   230 of 400 active   58 let in per minute
 *     2 pods ok   admitters: adm-1 silent 21 s
 *     ! 2 findings: admitter: No admitter is alive.
 *
 *     QUEUE             STATE     WAITING   RATE/MIN            ACTIVE  OLDEST    WAIT
 *     default/demo      open       12 345      58/60  #####    70/100   12 m    30 m
 *     …
 *     q quit  p pods  up/down scroll
 *
 * A line is built column by column; what does not fit is cut at a whole character. Everything from the
 * API is shown without its control characters.
 */
#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "actions.h"
#include "table.h"
#include "top.h"
#include "waitingroom/memory.h"

#define LINE_BYTES 4096
#define WIDE 100 /* from here on, bars and names get more room */

/* ---- a line ---- */

struct line {
	char text[LINE_BYTES];
	size_t len, columns, width;
	bool colour, unicode;
};

static void line_begin(struct line *line, const struct top_view *view)
{
	line->text[0] = '\0';
	line->len = line->columns = 0;
	line->width = (size_t)view->width;
	line->colour = view->colour;
	line->unicode = view->unicode;
}

static void append(struct line *line, const char *text, size_t len)
{
	if (line->len + len + 1 > sizeof(line->text))
		return;
	memcpy(line->text + line->len, text, len);
	line->len += len;
	line->text[line->len] = '\0';
}

/* As much of the text as still fits. */
static void put(struct line *line, enum paint how, const char *text)
{
	char clean[TOP_TEXT_BYTES * 2];
	size_t n = 0;
	for (; text[n] != '\0' && n + 1 < sizeof(clean); n++)
		clean[n] = (unsigned char)text[n] < ' ' || text[n] == 127 ? ' ' : text[n];
	clean[n] = '\0';
	size_t fit = text_fit(clean, line->width - line->columns);
	clean[fit] = '\0';
	if (fit == 0)
		return;
	const char *sequence = paint(line->colour && how != PAINT_PLAIN, how);
	append(line, sequence, strlen(sequence));
	append(line, clean, fit);
	if (sequence[0] != '\0')
		append(line, "\033[0m", 4);
	line->columns += text_columns(clean);
}

static void put_format(struct line *line, enum paint how, const char *format, ...) WR_PRINTF(3, 4);
static void put_format(struct line *line, enum paint how, const char *format, ...)
{
	char text[TOP_TEXT_BYTES * 2];
	va_list arguments;
	va_start(arguments, format);
	vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	put(line, how, text);
}

static void put_to(struct line *line, size_t column)
{
	while (line->columns < column && line->columns < line->width)
		put(line, PAINT_PLAIN, " ");
}

/* A cell of 'width' columns; to the right when 'right'. A longer text is cut, and that is shown. */
static void cell(struct line *line, enum paint how, size_t width, bool right, const char *text)
{
	char cut[TOP_TEXT_BYTES];
	size_t begin = line->columns;
	bool is_long = text_columns(text) > width;
	snprintf(cut, sizeof(cut), "%.*s%s", (int)text_fit(text, is_long ? width - 1 : width), text,
			 !is_long		 ? ""
			 : line->unicode ? "…"
							 : "~");
	if (right)
		put_to(line, begin + width - text_columns(cut));
	put(line, how, cut);
	put_to(line, begin + width);
}

static void line_end(struct line *line, struct frame *frame)
{
	frame_add(frame, mem_copy_string(line->text));
}

/* ---- short numbers ---- */

#define SHORT_BYTES 24
/* At most five columns: 45 s, 12 m, 3.5 h, 2.1 d */
static const char *short_time(int64_t ms, char ret_text[SHORT_BYTES])
{
	if (ms < 0)
		strcpy(ret_text, "-");
	else if (ms < 100000)
		snprintf(ret_text, SHORT_BYTES, "%" PRId64 " s", ms / 1000);
	else if (ms < 100 * INT64_C(60000))
		snprintf(ret_text, SHORT_BYTES, "%" PRId64 " m", ms / 60000);
	else if (ms < 48 * INT64_C(3600000))
		snprintf(ret_text, SHORT_BYTES, "%.1f h", (double)ms / 3600000);
	else
		snprintf(ret_text, SHORT_BYTES, "%.0f d", (double)ms / 86400000);
	return ret_text;
}

/* At most five columns: 9999, 12.3k, 456k, 1.2M */
static const char *short_count(int64_t number, char ret_text[SHORT_BYTES])
{
	if (number < 10000)
		snprintf(ret_text, SHORT_BYTES, "%" PRId64, number);
	else if (number < 100000)
		snprintf(ret_text, SHORT_BYTES, "%.1fk", (double)number / 1e3);
	else if (number < 1000000)
		snprintf(ret_text, SHORT_BYTES, "%.0fk", (double)number / 1e3);
	else
		snprintf(ret_text, SHORT_BYTES, "%.1fM", (double)number / 1e6);
	return ret_text;
}

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
	put(&line, PAINT_BOLD, "waitingroom");
	if (view->context[0] != '\0')
		put_format(&line, PAINT_BOLD, " %s", view->context);
	put_format(&line, PAINT_DIM, "  %s", facts->url);
	if (line.columns + 2 + strlen(right) <= line.width)
		put_to(&line, line.width - strlen(right));
	else
		put(&line, PAINT_PLAIN, "  ");
	put(&line, PAINT_PLAIN, right);
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
	put_format(&line, PAINT_PLAIN, "%zu queue%s   ", facts->queue_count,
			   facts->queue_count == 1 ? "" : "s");
	put(&line, PAINT_BOLD, number_text(waiting, number[0]));
	put_format(&line, PAINT_PLAIN, " waiting   %s of %s active", number_text(active, number[1]),
			   number_text(capacity, number[2]));
	if (measured)
		put_format(&line, PAINT_PLAIN, "   %.0f let in per minute", rate);
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
		put(&line, PAINT_PLAIN, kind > 0 ? "   " : "");
		put_format(&line, well > 0 ? PAINT_GREEN : PAINT_RED, "%zu %s%s ok", well, names[kind],
				   well == 1 ? "" : "s");
	}
	for (size_t i = 0; i < facts->pod_count; i++) {
		const struct top_pod *pod = &facts->pods[i];
		char age[SHORT_BYTES];
		if (strcmp(pod->state, "ok") == 0)
			continue;
		put(&line, PAINT_PLAIN, "   ");
		put_format(&line, pod_paint(pod->state), "%s %s", pod->row.instance, pod->state);
		if (strcmp(pod->state, "silent") == 0)
			put_format(&line, PAINT_RED, " %s", short_time(pod->age_ms, age));
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
		put(&line, PAINT_RED, "no answer");
		if (facts->answered.ms > 0)
			put_format(&line, PAINT_RED, " for %s",
					   short_time(view->now.ms - facts->answered.ms, age));
		put_format(&line, PAINT_RED, ": %s", facts->trouble);
	} else if (facts->findings > 0) {
		enum paint how = facts->health == HEALTH_FAIL ? PAINT_RED : PAINT_YELLOW;
		put_format(&line, how, "%s", facts->finding);
		if (facts->findings > 1)
			put_format(&line, PAINT_DIM, " (and %zu more: wrctl doctor)", facts->findings - 1);
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
		put(line, i < filled ? how : PAINT_DIM,
			i < filled ? (view->unicode ? "█" : "#") : (view->unicode ? "░" : "."));
}

static void draw_queue(const struct top_queue *queue, const struct top_view *view,
					   const struct columns *columns, struct frame *frame)
{
	char text[TOP_TEXT_BYTES], a[SHORT_BYTES], b[SHORT_BYTES];
	struct line line;
	line_begin(&line, view);
	cell(&line, PAINT_BOLD, columns->name, false, queue->name);
	put(&line, PAINT_PLAIN, " ");
	cell(&line, queue->recovering ? PAINT_RED : state_paint(queue->state), 8, false,
		 queue->recovering							? "rebuilt"
		 : strcmp(queue->state, "passthrough") == 0 ? "passthru"
													: queue->state);
	put(&line, PAINT_PLAIN, " ");
	number_text(queue->waiting, text);
	cell(&line, queue->waiting > 0 ? PAINT_BOLD : PAINT_PLAIN, 8, true,
		 text_columns(text) <= 8 ? text : short_count(queue->waiting, a));
	put(&line, PAINT_PLAIN, " ");
	if (queue->rate < 0)
		snprintf(text, sizeof(text), "-/%s", short_count(queue->rate_limit, b));
	else
		snprintf(text, sizeof(text), "%s/%s", short_count((int64_t)(queue->rate + 0.5), a),
				 short_count(queue->rate_limit, b));
	cell(&line, PAINT_PLAIN, 10, true, text);
	put(&line, PAINT_PLAIN, " ");
	draw_bar(&line, view, columns->bar, queue->active, queue->capacity);
	put(&line, PAINT_PLAIN, " ");
	snprintf(text, sizeof(text), "%s/%s", short_count(queue->active, a),
			 short_count(queue->capacity, b));
	cell(&line, PAINT_PLAIN, columns->active, true, text);
	put(&line, PAINT_PLAIN, " ");
	cell(&line, PAINT_PLAIN, 6, true, queue->waiting > 0 ? short_time(queue->oldest_ms, a) : "-");
	put(&line, PAINT_PLAIN, " ");
	cell(&line, PAINT_PLAIN, 6, true,
		 queue->estimate_s < 0 ? "-" : short_time(queue->estimate_s * 1000, a));
	line_end(&line, frame);
}

static void draw_queue_head(const struct top_view *view, const struct columns *columns,
							struct frame *frame)
{
	struct line line;
	line_begin(&line, view);
	cell(&line, PAINT_DIM, columns->name, false, "QUEUE");
	put(&line, PAINT_PLAIN, " ");
	cell(&line, PAINT_DIM, 8, false, "STATE");
	put(&line, PAINT_PLAIN, " ");
	cell(&line, PAINT_DIM, 8, true, "WAITING");
	put(&line, PAINT_PLAIN, " ");
	cell(&line, PAINT_DIM, 10, true, "RATE/MIN");
	put(&line, PAINT_PLAIN, " ");
	cell(&line, PAINT_DIM, columns->bar + 1 + columns->active, true, "ACTIVE");
	put(&line, PAINT_PLAIN, " ");
	cell(&line, PAINT_DIM, 6, true, "OLDEST");
	put(&line, PAINT_PLAIN, " ");
	cell(&line, PAINT_DIM, 6, true, "WAIT");
	line_end(&line, frame);
}

/* ---- processes ---- */

static void draw_pod_head(const struct top_view *view, size_t name, struct frame *frame)
{
	struct line line;
	line_begin(&line, view);
	cell(&line, PAINT_DIM, name, false, "PROCESS");
	put(&line, PAINT_DIM, " KIND     STATE      SEEN  REQ/S  BEATS/S  LET IN/S  STORE MS  NATS");
	line_end(&line, frame);
}

static void draw_pod(const struct top_pod *pod, const struct top_view *view, size_t name,
					 struct frame *frame)
{
	char text[TOP_TEXT_BYTES], a[SHORT_BYTES];
	bool is_api = strcmp(pod->row.kind, "api") == 0;
	struct line line;
	line_begin(&line, view);
	cell(&line, PAINT_BOLD, name, false, pod->row.instance);
	put(&line, PAINT_PLAIN, " ");
	cell(&line, PAINT_PLAIN, 8, false, pod->row.kind);
	put(&line, PAINT_PLAIN, " ");
	cell(&line, pod_paint(pod->state), 9, false, pod->state);
	cell(&line, PAINT_PLAIN, 6, true, short_time(pod->age_ms, a));
	cell(&line, PAINT_PLAIN, 7, true, is_api ? short_count(pod->row.requests_per_s, a) : "-");
	cell(&line, PAINT_PLAIN, 9, true, is_api ? short_count(pod->row.heartbeats_per_s, a) : "-");
	cell(&line, PAINT_PLAIN, 10, true, is_api ? "-" : short_count(pod->row.admitted_per_s, a));
	snprintf(text, sizeof(text), "%.1f", (double)pod->row.store_us / 1e3);
	cell(&line, pod->row.store_us > HEALTH_STORE_SLOW_MS * 1000 ? PAINT_YELLOW : PAINT_PLAIN, 10,
		 true, text);
	cell(&line, pod->row.relay && !pod->row.nats ? PAINT_RED : PAINT_PLAIN, 6, true,
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
	put_format(&line, PAINT_DIM, "q quit  p %s", view->only_pods ? "queues" : "processes");
	if (shown < all)
		put_format(&line, PAINT_DIM, "  %s scroll   %zu-%zu of %zu",
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
