/* The promises of the design, checked on a state that store and model agree on. */
#include "support/cmocka.h"
#include "support/history.h"
#include "support/room_text.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CHUNK_BYTES 16384

static unsigned marks[MARK_COUNT];

void history_mark(enum history_mark mark)
{
	marks[mark]++;
}

void history_assert_covered(void)
{
	for (unsigned i = 0; i < MARK_COUNT; i++)
		if (!marks[i])
			fail_msg("no history has seen what mark %u stands for", i);
}

static void fail_promise(const struct history *history, const char *promise, const char *id)
{
	twin_fail(history->twin, "broken: %s (%s)", promise, id);
}

/* ---- events: legal chains, and the rate ---- */

static enum place_state state_after(enum admission_event_type type)
{
	switch (type) {
	case ADMISSION_ENQUEUED:
	case ADMISSION_RESTORED:
		return PLACE_WAITING;
	case ADMISSION_ADMITTED:
		return PLACE_ADMITTED;
	case ADMISSION_CLAIMED:
		return PLACE_CLAIMED;
	case ADMISSION_MISSED:
		return PLACE_MISSED;
	case ADMISSION_EXPIRED:
		return PLACE_EXPIRED;
	case ADMISSION_LEFT:
		return PLACE_LEFT;
	default:
		return PLACE_ENDED;
	}
}

static void mark_event(const struct admission_place *place, const struct admission_event *event)
{
	static const struct {
		const char *how;
		enum history_mark mark;
	} hows[] = {{"immediate", MARK_IMMEDIATE},	   {"line", MARK_LINE},
				{"returned", MARK_RETURNED},	   {"operator", MARK_OPERATOR},
				{"silent", MARK_SILENT},		   {"ghost", MARK_GHOST},
				{"emptied", MARK_EMPTIED},		   {"failover", MARK_RESTORED_FAILOVER},
				{"rebuilt", MARK_RESTORED_REBUILT}};
	if (event->type == ADMISSION_RESTORED && strcmp(event->how, "operator") == 0) {
		history_mark(MARK_RECALLED);
		return;
	}
	for (size_t i = 0; i < sizeof(hows) / sizeof(*hows); i++)
		if (strcmp(event->how, hows[i].how) == 0)
			history_mark(hows[i].mark);
	if (event->type == ADMISSION_MISSED)
		history_mark(MARK_MISSED);
	if (event->type == ADMISSION_ADMITTED && place->put_back > 0)
		history_mark(MARK_RECALLED_IN);
	if (event->type == ADMISSION_SESSION_EXPIRED)
		history_mark(MARK_SESSION_EXPIRED);
}

/* Every place goes through the table of moves, one event a move, and is where its events say. */
static void check_chain(struct history *history, const struct admission_event *event)
{
	const struct admission_place *place = &history->twin->model->places[event->place];
	for (size_t i = 0; i < HISTORY_PEOPLE; i++) {
		struct history_person *person = &history->people[i];
		if (strcmp(person->id, place->id) != 0)
			continue;
		enum place_state to = state_after(event->type);
		bool is_recall = event->type == ADMISSION_RESTORED && strcmp(event->how, "operator") == 0;
		if (is_recall)
			person->position = 0; /* a new time in line */
		if (!place_state_may_move(person->told, to) &&
			!(is_recall && place_state_is_terminal(person->told)))
			fail_promise(history, "events of a place follow the table of moves", person->id);
		person->told = to;
		return;
	}
}

static bool counts_against_rate(const struct admission *model, const struct admission_event *event)
{
	return event->type == ADMISSION_ADMITTED && model->settings.state != QUEUE_PASSTHROUGH &&
		   model->settings.state != QUEUE_DRAINING;
}

/* What flowed in since the last look, at most a full burst. After a clock has stepped back, time
 * goes on from there. */
void history_run_meter(struct history *history)
{
	const struct queue_settings *settings = &history->twin->model->settings;
	int64_t now_ms = history->twin->room->now_ms, full = settings->burst * 60000;
	if (now_ms > history->level_ms)
		history->level += (now_ms - history->level_ms) * settings->rate_per_minute;
	history->level_ms = now_ms;
	history->level = history->level > full ? full : history->level;
}

void history_check_events(struct history *history, bool from_rate)
{
	const struct admission *model = history->twin->model;
	int64_t admitted = 0;
	for (size_t i = 0; i < model->event_count; i++) {
		mark_event(&model->places[model->events[i].place], &model->events[i]);
		check_chain(history, &model->events[i]);
		admitted += from_rate && counts_against_rate(model, &model->events[i]);
	}
	for (size_t i = 0; i < HISTORY_PEOPLE; i++) {
		const struct admission_place *place = admission_find(model, history->people[i].id);
		if (place && place->state != history->people[i].told)
			fail_promise(history, "a place is where its events say", place->id);
	}
	history_run_meter(history);
	history->level -= admitted * 60000;
	if (history->level < 0)
		fail_promise(history, "no window lets in more than burst + rate", "");
}

/* ---- capacity and order ---- */

int64_t history_active(const struct history *history)
{
	int64_t active = 0;
	for (size_t i = 0; i < history->twin->model->place_count; i++) {
		enum place_state state = history->twin->model->places[i].state;
		active += state == PLACE_ADMITTED || state == PLACE_CLAIMED;
	}
	return active;
}

void history_check_capacity(struct history *history, int64_t active_before)
{
	int64_t active = history_active(history), capacity = history->twin->model->settings.capacity;
	if (active > active_before && active > capacity &&
		history->twin->model->settings.state != QUEUE_PASSTHROUGH)
		fail_promise(history, "nobody is let in above the capacity", "");
}

bool history_waits_in_line(const struct admission_place *place)
{
	return place->state == PLACE_WAITING && !place->aside && !place->back && !place->counted_out;
}

/* Nobody who was there is passed by somebody of the same lane with a later ticket. */
void history_check_order(struct history *history)
{
	const struct admission *model = history->twin->model;
	uint64_t highest[QUEUE_LANES_MAX] = {0};
	for (size_t i = 0; i < model->event_count; i++) {
		const struct admission_event *event = &model->events[i];
		const struct admission_place *place = &model->places[event->place];
		if (strcmp(event->how, "returned") != 0 && place->ticket > highest[place->lane])
			highest[place->lane] = place->ticket;
	}
	for (size_t i = 0; i < model->place_count; i++)
		if ((history_waits_in_line(&model->places[i]) || model->places[i].counted_out) &&
			model->places[i].state == PLACE_WAITING && !model->places[i].aside &&
			model->places[i].ticket < highest[model->places[i].lane])
			fail_promise(history, "a lane is served in order", model->places[i].id);
}

/* ---- positions ---- */

static const redisReply *lanes_of(const redisReply *reply)
{
	return reply->element[10];
}

/* "main:1-3,vip:5-5" */
static void apply_ranges(struct history *history, const char *text)
{
	const struct queue_settings *settings = &history->twin->model->settings;
	char lane[NAME_MAX_CHARS + 1];
	struct ticket_range range;
	int used;
	while (sscanf(text, "%63[a-z0-9-]:%" SCNu64 "-%" SCNu64 "%n", lane, &range.first, &range.last,
				  &used) == 3) {
		int number = queue_settings_lane(settings, lane);
		assert_true(number >= 0);
		assert_int_equal(position_index_apply(history->index[number], &range, 1), WR_OK);
		text += used + (text[used] == ',');
	}
	assert_string_equal(text, "");
}

static void follow_store(struct history *history)
{
	struct room *room = history->twin->room;
	const char *argv[] = {history->last_departure, "0", "1000"};
	redisReply *reply =
		redis_script(room->client, "sync", room->settings_key, room->now_ms, 3, argv);
	assert_int_equal(reply->elements, 16);
	for (size_t i = 0; i < reply->element[14]->elements; i++)
		assert_int_equal(reply->element[14]->element[i]->integer, 0); /* what must never be */
	const redisReply *lanes = lanes_of(reply), *departures = reply->element[12];
	for (size_t i = 0; i < lanes->elements / 4; i++)
		position_index_set_last(history->index[i], (uint64_t)lanes->element[i * 4 + 1]->integer);
	for (size_t i = 0; i + 1 < departures->elements; i += 2) {
		apply_ranges(history, departures->element[i + 1]->str);
		snprintf(history->last_departure, sizeof(history->last_departure), "%s",
				 departures->element[i]->str);
	}
	freeReplyObject(reply);
}

/* Walks the line: people who wait, and lost tickets that may still be reported. */
static uint64_t counted_position(const struct admission *model, size_t number, uint64_t ticket)
{
	const struct admission_lane *lane = &model->lanes[number];
	uint64_t ahead = 0;
	for (size_t i = 0; i < model->place_count; i++)
		ahead += model->places[i].lane == number && history_waits_in_line(&model->places[i]) &&
				 model->places[i].ticket < ticket;
	for (size_t i = 0; i < lane->lost_count; i++)
		for (uint64_t lost = lane->lost[i].first; lost <= lane->lost[i].last && lost < ticket;
			 lost++) {
			bool is_reported = false;
			for (size_t k = 0; k < model->place_count; k++)
				is_reported = is_reported ||
							  (model->places[k].lane == number && model->places[k].ticket == lost);
			ahead += !is_reported;
		}
	return ahead + 1;
}

static void check_person(struct history *history, struct history_person *person)
{
	const struct admission *model = history->twin->model;
	const struct admission_place *place = admission_find(model, person->id);
	struct index_answer answer;
	if (!place)
		return;
	assert_int_equal(position_index_find(history->index[place->lane], place->ticket, &answer),
					 WR_OK);
	if (answer.in_line != history_waits_in_line(place))
		fail_promise(history, "the index knows who is in line", person->id);
	if (!answer.in_line)
		return;
	history_mark(MARK_POSITIONS);
	if (answer.position != counted_position(model, place->lane, place->ticket))
		fail_promise(history, "the index gives the position that a walk of the line gives",
					 person->id);
	if (person->position && answer.position > person->position)
		fail_promise(history, "a position never grows", person->id);
	person->position = answer.position;
}

void history_check_index(struct history *history)
{
	follow_store(history);
	for (size_t i = 0; i < HISTORY_PEOPLE; i++)
		check_person(history, &history->people[i]);
}

static void assert_same_index(const struct position_index *before,
							  const struct position_index *after)
{
	assert_int_equal(position_index_gone(before), position_index_gone(after));
	assert_int_equal(position_index_last(before), position_index_last(after));
	for (uint64_t ticket = 1; ticket <= position_index_last(after); ticket++) {
		struct index_answer a, b;
		assert_int_equal(position_index_find(before, ticket, &a), WR_OK);
		assert_int_equal(position_index_find(after, ticket, &b), WR_OK);
		assert_int_equal(a.in_line, b.in_line);
		if (a.in_line)
			assert_int_equal(a.position, b.position);
	}
}

void history_reload_index(struct history *history, bool compare)
{
	struct room *room = history->twin->room;
	struct position_index *before[QUEUE_LANES_MAX];
	memcpy(before, history->index, sizeof(before));
	size_t lanes = history->twin->model->settings.lane_count;
	for (size_t i = 0; i < lanes; i++) {
		history->index[i] = position_index_new();
		redisReply *chunk = redis_run(room->client, "GETRANGE %sgone:%s:0 0 -1", room->prefix,
									  history->twin->model->settings.lanes[i].name);
		assert_in_range(chunk->len, 0, CHUNK_BYTES);
		assert_int_equal(position_index_load_chunk(history->index[i], 0,
												   (const uint8_t *)chunk->str, (size_t)chunk->len),
						 WR_OK);
		freeReplyObject(chunk);
	}
	/* From the beginning: ranges that the chunk has already are counted once. */
	snprintf(history->last_departure, sizeof(history->last_departure), "0");
	follow_store(history);
	for (size_t i = 0; i < lanes; i++) {
		if (compare)
			assert_same_index(before[i], history->index[i]);
		position_index_free(before[i]);
	}
}
