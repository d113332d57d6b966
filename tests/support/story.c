/* Story: reads the events once into 'told', then walks them once per promise.
 *
 *     by event id    repeats
 *     by place       moves; makes the list of places
 *     by time        capacity (who ends goes before who comes, within a millisecond), rate, order
 */
#include "support/story.h"

#include "support/cmocka.h"
#include "waitingroom/events.h"
#include "waitingroom/memory.h"

#include <cjson/cJSON.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define BUCKET_UNITS 60000 /* of one person: rate_per_minute of them flow in per millisecond */

struct told {
	const struct stored_event *event;
	enum event_type type;
	int64_t at_ms;
	char position_id[24], lane[64], how[16]; /* or the reason */
	uint64_t ticket;
	int64_t capacity, rate_per_minute, burst; /* of queue events; -1: not told */
};

struct judge {
	const struct story_rules *rules;
	struct story *story;
	struct told *told;
	size_t count;
	char *verdict;
};

static void accuse(struct judge *judge, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
static void accuse(struct judge *judge, const char *format, ...)
{
	if (judge->verdict)
		return; /* the first says most */
	va_list args;
	va_start(args, format);
	if (vasprintf(&judge->verdict, format, args) < 0)
		abort();
	va_end(args);
}

/* ---- reading ---- */

static bool type_of_subject(const char *subject, enum event_type *ret_type)
{
	static const char *const endings[] = {
#define EVENT_ENDING(name, word, noun, event, transition, people) "." noun "." event,
		EVENT_TABLE(EVENT_ENDING)
#undef EVENT_ENDING
	};
	size_t len = strlen(subject);
	for (size_t i = 0; i < EVENT_TYPE_COUNT; i++) {
		size_t ending = strlen(endings[i]);
		if (len > ending && strcmp(subject + len - ending, endings[i]) == 0) {
			*ret_type = (enum event_type)i;
			return true;
		}
	}
	return false;
}

static void take_text(const cJSON *object, const char *name, char *ret_text, size_t room)
{
	const cJSON *value = cJSON_GetObjectItemCaseSensitive(object, name);
	snprintf(ret_text, room, "%s", cJSON_IsString(value) ? value->valuestring : "");
}

static int64_t number_in(const cJSON *object, const char *name, int64_t otherwise)
{
	const cJSON *value = cJSON_GetObjectItemCaseSensitive(object, name);
	return cJSON_IsNumber(value) ? (int64_t)value->valuedouble : otherwise;
}

/* "2026-01-31T12:34:56.789Z" */
static int64_t time_of(const cJSON *document)
{
	char text[40];
	struct tm parts = {0};
	take_text(document, "time", text, sizeof(text));
	const char *rest = strptime(text, "%Y-%m-%dT%H:%M:%S", &parts);
	return rest ? (int64_t)timegm(&parts) * 1000 + strtoll(rest + 1, NULL, 10) : 0;
}

/* False: not about this queue. */
static bool read_event(struct judge *judge, const struct stored_event *event, struct told *ret_told)
{
	char queue[QUEUE_NAME_TEXT_BYTES];
	cJSON *document = cJSON_Parse(event->body);
	const cJSON *data = cJSON_GetObjectItemCaseSensitive(document, "data");
	*ret_told = (struct told){.event = event, .at_ms = time_of(document)};
	take_text(data, "queue_id", queue, sizeof(queue));
	bool is_ours = strcmp(queue, judge->rules->queue) == 0;
	if (is_ours && (!type_of_subject(event->subject, &ret_told->type) || ret_told->at_ms <= 0))
		accuse(judge, "%s cannot be understood: %s", event->subject, event->body);
	take_text(data, "position_id", ret_told->position_id, sizeof(ret_told->position_id));
	take_text(data, "lane", ret_told->lane, sizeof(ret_told->lane));
	take_text(data, "how", ret_told->how, sizeof(ret_told->how));
	if (ret_told->how[0] == '\0')
		take_text(data, "reason", ret_told->how, sizeof(ret_told->how));
	ret_told->ticket = (uint64_t)number_in(data, "ticket", 0);
	ret_told->capacity = number_in(data, "capacity", -1);
	ret_told->rate_per_minute = number_in(data, "rate_per_minute", -1);
	ret_told->burst = number_in(data, "burst", -1);
	cJSON_Delete(document);
	return is_ours;
}

static bool is_about_people(const struct told *told)
{
	return told->position_id[0] != '\0';
}

/* ---- repeats ---- */

static int by_event_id(const void *left, const void *right)
{
	const struct told *a = left, *b = right;
	int order = strcmp(a->event->id, b->event->id);
	return order ? order : (a->event > b->event) - (a->event < b->event);
}

static void judge_repeats(struct judge *judge)
{
	qsort(judge->told, judge->count, sizeof(*judge->told), by_event_id);
	size_t kept = 0;
	for (size_t i = 0; i < judge->count; i++) {
		const struct told *told = &judge->told[i];
		const struct told *before = kept ? &judge->told[kept - 1] : NULL;
		if (!before || strcmp(before->event->id, told->event->id) != 0) {
			judge->told[kept++] = *told;
			continue;
		}
		judge->story->copies++;
		/* After a loss the same thing may happen again, at another time. */
		if (!judge->rules->store_lost && strcmp(before->event->body, told->event->body) != 0)
			accuse(judge, "%s was told twice, differently: %s and %s", told->event->id,
				   before->event->body, told->event->body);
	}
	judge->count = kept;
}

/* ---- moves ---- */

/* Where this event takes a place, and from which state. */
static enum place_state state_after(enum event_type type)
{
	switch (type) {
	case EVENT_ENQUEUED:
	case EVENT_RESTORED:
		return PLACE_WAITING;
	case EVENT_ADMITTED:
		return PLACE_ADMITTED;
	case EVENT_MISSED:
		return PLACE_MISSED;
	case EVENT_EXPIRED:
		return PLACE_EXPIRED;
	case EVENT_LEFT:
		return PLACE_LEFT;
	case EVENT_CLAIMED:
		return PLACE_CLAIMED;
	default:
		return PLACE_ENDED;
	}
}

/* Within a millisecond a place's events are in the order in which they can happen. */
static int by_place(const void *left, const void *right)
{
	const struct told *a = left, *b = right;
	int order = strcmp(a->position_id, b->position_id);
	if (!order)
		order = (a->at_ms > b->at_ms) - (a->at_ms < b->at_ms);
	return order ? order : (int)state_after(a->type) - (int)state_after(b->type);
}

static void count_event(struct story *story, const struct told *told)
{
	switch (state_after(told->type)) {
	case PLACE_WAITING:
		*(told->type == EVENT_RESTORED ? &story->restored : &story->enqueued) += 1;
		break;
	case PLACE_ADMITTED:
		story->admitted++;
		story->returned += strcmp(told->how, "returned") == 0;
		break;
	case PLACE_CLAIMED:
		story->claimed++;
		break;
	case PLACE_MISSED:
		story->missed++;
		break;
	case PLACE_EXPIRED:
		story->expired++;
		break;
	case PLACE_LEFT:
		story->left++;
		break;
	default:
		story->ended++;
	}
}

static bool may_follow(const struct judge *judge, enum place_state from, const struct told *told)
{
	if (judge->rules->store_lost && (from == PLACE_NONE || told->type == EVENT_RESTORED))
		return true;
	bool by_operator = strcmp(told->how, "operator") == 0;
	if (told->type == EVENT_RESTORED && by_operator)
		return place_state_is_terminal(from);
	if (told->type == EVENT_RESTORED)
		return from == PLACE_WAITING;
	return place_state_may_move(from, state_after(told->type));
}

static void move_place(struct judge *judge, struct story_place *place, const struct told *told)
{
	if (!may_follow(judge, place->state, told))
		accuse(judge, "%s came when the place (ticket %llu) was %s", told->event->id,
			   (unsigned long long)told->ticket, place_state_word(place->state));
	if (place->ticket != told->ticket || strcmp(place->lane, told->lane) != 0)
		accuse(judge, "%s has ticket %llu in lane %s, and had %llu in %s", told->event->id,
			   (unsigned long long)told->ticket, told->lane, (unsigned long long)place->ticket,
			   place->lane);
	place->state = state_after(told->type);
	if (told->type == EVENT_ENQUEUED)
		place->joined_ms = told->at_ms;
	if (told->type == EVENT_RESTORED)
		place->restored_ms = told->at_ms;
	if (told->type == EVENT_ADMITTED)
		place->admitted_ms = told->at_ms;
	count_event(judge->story, told);
}

static void judge_moves(struct judge *judge)
{
	struct story *story = judge->story;
	qsort(judge->told, judge->count, sizeof(*judge->told), by_place);
	story->places = mem_alloc_zero(judge->count + 1, sizeof(*story->places));
	for (size_t i = 0; i < judge->count; i++) {
		const struct told *told = &judge->told[i];
		if (!is_about_people(told))
			continue;
		struct story_place *place = &story->places[story->place_count];
		if (!story->place_count || strcmp(place[-1].position_id, told->position_id) != 0) {
			*place = (struct story_place){.ticket = told->ticket, .state = PLACE_NONE};
			strcpy(place->position_id, told->position_id);
			strcpy(place->lane, told->lane);
			story->place_count++;
			place++;
		}
		move_place(judge, place - 1, told);
	}
}

const struct story_place *story_find(const struct story *story, const char *position_id)
{
	size_t low = 0, high = story->place_count;
	while (low < high) {
		size_t middle = (low + high) / 2;
		int order = strcmp(story->places[middle].position_id, position_id);
		if (order == 0)
			return &story->places[middle];
		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return NULL;
}

/* ---- capacity, rate, order ---- */

enum turn { TURN_ENDS, TURN_SETTINGS, TURN_COMES, TURN_OTHER };

static enum turn turn_of(const struct told *told)
{
	if (!is_about_people(told))
		return TURN_SETTINGS;
	enum place_state state = state_after(told->type);
	if (state == PLACE_ENDED || state == PLACE_MISSED)
		return TURN_ENDS;
	return state == PLACE_ADMITTED ? TURN_COMES : TURN_OTHER;
}

static int by_time(const void *left, const void *right)
{
	const struct told *a = left, *b = right;
	if (a->at_ms != b->at_ms)
		return a->at_ms < b->at_ms ? -1 : 1;
	if (turn_of(a) != turn_of(b))
		return (int)turn_of(a) - (int)turn_of(b);
	return (a->ticket > b->ticket) - (a->ticket < b->ticket);
}

/* A limit that may have changed in this very millisecond: the more generous of the two counts. */
struct limit {
	int64_t now, before, changed_ms;
};

static int64_t limit_at(const struct limit *limit, int64_t at_ms)
{
	return limit->changed_ms == at_ms && limit->before > limit->now ? limit->before : limit->now;
}

static void judge_capacity(struct judge *judge)
{
	struct story *story = judge->story;
	struct limit capacity = {.now = judge->rules->capacity};
	bool is_checked = capacity.now >= 0;
	for (size_t i = 0; i < judge->count; i++) {
		const struct told *told = &judge->told[i];
		enum turn turn = turn_of(told);
		if (turn == TURN_SETTINGS && told->capacity >= 0)
			capacity = (struct limit){told->capacity, capacity.now, told->at_ms};
		if (turn == TURN_ENDS)
			story->active_last--;
		if (turn != TURN_COMES)
			continue;
		if (++story->active_last > story->active_most)
			story->active_most = story->active_last;
		if (is_checked && story->active_last > limit_at(&capacity, told->at_ms) &&
			strcmp(told->how, "passthrough") != 0)
			accuse(judge, "%s made %lld active where %lld may be", told->event->id,
				   (long long)story->active_last, (long long)limit_at(&capacity, told->at_ms));
	}
}

static void judge_rate(struct judge *judge)
{
	int64_t rate = judge->rules->rate_per_minute, burst = judge->rules->burst;
	bool is_checked = rate >= 0;
	int64_t level = burst * BUCKET_UNITS, last_ms = 0;
	for (size_t i = 0; is_checked && i < judge->count; i++) {
		const struct told *told = &judge->told[i];
		if (turn_of(told) == TURN_SETTINGS && told->rate_per_minute >= 0) {
			rate = told->rate_per_minute;
			burst = told->burst;
			level = burst * BUCKET_UNITS;
		}
		if (turn_of(told) != TURN_COMES || strcmp(told->how, "operator") == 0 ||
			strcmp(told->how, "passthrough") == 0)
			continue;
		if (last_ms)
			level += (told->at_ms - last_ms) * rate;
		if (level > burst * BUCKET_UNITS)
			level = burst * BUCKET_UNITS;
		last_ms = told->at_ms;
		level -= BUCKET_UNITS;
		if (level < 0)
			accuse(judge, "%s came too soon for %lld per minute and a burst of %lld",
				   told->event->id, (long long)rate, (long long)burst);
	}
}

/* Did somebody with a higher ticket of the lane go in from the line, after 'since' and before? */
static const struct told *overtaker(const struct judge *judge, size_t number, int64_t since)
{
	const struct told *victim = &judge->told[number];
	for (size_t i = 0; i < number; i++) {
		const struct told *other = &judge->told[i];
		if (turn_of(other) == TURN_COMES && other->ticket > victim->ticket &&
			other->at_ms > since && other->at_ms < victim->at_ms &&
			strcmp(other->lane, victim->lane) == 0 && strcmp(other->how, "returned") != 0)
			return other;
	}
	return NULL;
}

static void judge_order(struct judge *judge)
{
	uint64_t highest = 0; /* of any lane: nobody above it can have been overtaken */
	for (size_t i = 0; i < judge->count; i++) {
		const struct told *told = &judge->told[i];
		if (turn_of(told) != TURN_COMES || strcmp(told->how, "returned") == 0)
			continue;
		if (told->ticket > highest) {
			highest = told->ticket;
			continue;
		}
		const struct story_place *place = story_find(judge->story, told->position_id);
		const struct told *other = overtaker(judge, i, place ? place->restored_ms : 0);
		if (other)
			accuse(judge, "%s (ticket %llu) went in before %s (ticket %llu), who was there",
				   other->event->id, (unsigned long long)other->ticket, told->event->id,
				   (unsigned long long)told->ticket);
	}
}

char *story_judge(const struct stored_event *events, size_t count, const struct story_rules *rules,
				  struct story *ret_story)
{
	struct judge judge = {.rules = rules, .story = ret_story};
	*ret_story = (struct story){.events = 0};
	judge.told = mem_alloc_zero(count + 1, sizeof(*judge.told));
	for (size_t i = 0; i < count; i++)
		judge.count += read_event(&judge, &events[i], &judge.told[judge.count]);
	ret_story->events = judge.count;
	judge_repeats(&judge);
	judge_moves(&judge);
	qsort(judge.told, judge.count, sizeof(*judge.told), by_time);
	judge_capacity(&judge);
	judge_rate(&judge);
	judge_order(&judge);
	free(judge.told);
	return judge.verdict;
}

void story_free(struct story *story)
{
	free(story->places);
	story->places = NULL;
	story->place_count = 0;
}
