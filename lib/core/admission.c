/* Admission: the state of the model, and the small rules that several steps share.
 *
 * The state is what the store holds, with the sets turned inside out: a place knows the sets that
 * it is in. Places are never forgotten and only ever looked for one by one; a model serves tests
 * of some hundred people, so plain is better than fast.
 *
 * A step forgets the events of the one before (admission_begin), changes the state, and tells what
 * it did. The bucket counts in units of 1/60000 person, so that rate_per_minute units flow in per
 * millisecond and everything stays a whole number. Patience is the moment since when we listen
 * without a gap: nobody's silence is counted from before it.
 */
#include "waitingroom/admission.h"

#include "admission_state.h"
#include "waitingroom/memory.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DAY_MS 86400000

const char *admission_event_word(enum admission_event_type type)
{
#define EVENT_WORD(name, word) [name] = (word),
	static const char *const words[] = {ADMISSION_EVENT_TABLE(EVENT_WORD)};
#undef EVENT_WORD
	assert((unsigned)type < ADMISSION_EVENT_TYPES);
	return words[type];
}

/* ---- life ---- */

struct admission *admission_new(const struct queue_settings *settings, const char *epoch)
{
	struct admission *admission = mem_alloc_zero(1, sizeof(*admission));
	admission->settings = *settings;
	snprintf(admission->epoch, sizeof(admission->epoch), "%s", epoch);
	return admission;
}

static void free_content(struct admission *admission)
{
	for (size_t i = 0; i < QUEUE_LANES_MAX; i++) {
		free(admission->lanes[i].gone_tickets);
		free(admission->lanes[i].list);
		free(admission->lanes[i].lost);
	}
	free(admission->places);
	free(admission->networks);
	free(admission->proofs);
	free(admission->persons);
	free(admission->events);
}

void admission_free(struct admission *admission)
{
	if (!admission)
		return;
	free_content(admission);
	free(admission);
}

static void *copy_of(const void *items, size_t count, size_t size)
{
	return count ? mem_copy(items, count * size) : NULL;
}

struct admission *admission_copy(const struct admission *admission)
{
	struct admission *copy = mem_copy(admission, sizeof(*admission));
	for (size_t i = 0; i < QUEUE_LANES_MAX; i++) {
		struct admission_lane *lane = &copy->lanes[i];
		lane->gone_tickets = copy_of(lane->gone_tickets, lane->gone_room, sizeof(bool));
		lane->list = copy_of(lane->list, lane->list_room, sizeof(*lane->list));
		lane->lost = copy_of(lane->lost, lane->lost_count, sizeof(*lane->lost));
	}
	copy->places = copy_of(copy->places, copy->place_room, sizeof(*copy->places));
	copy->networks = copy_of(copy->networks, copy->network_count, sizeof(*copy->networks));
	copy->proofs = copy_of(copy->proofs, copy->proof_count, sizeof(*copy->proofs));
	copy->persons = copy_of(copy->persons, copy->person_count, sizeof(*copy->persons));
	copy->events = copy_of(copy->events, copy->event_room, sizeof(*copy->events));
	return copy;
}

void admission_revive(struct admission *admission, int64_t now_ms, const char *epoch,
					  const uint64_t tickets[])
{
	struct admission *fresh = admission_new(&admission->settings, epoch);
	epochs_lost(admission->epoch, admission->lost_epochs, fresh->lost_epochs);
	fresh->rebuilding = fresh->recovering = true;
	fresh->revived_ms = now_ms;
	fresh->recover_until_ms = now_ms + 3 * admission->settings.poll_max_ms;
	for (size_t i = 0; i < admission->settings.lane_count; i++)
		if (tickets[i] > 0)
			admission_raise(fresh, now_ms, i, tickets[i]);
	free_content(admission);
	*admission = *fresh;
	free(fresh);
}

/* ---- events ---- */

void admission_begin(struct admission *admission)
{
	admission->event_count = 0;
}

void admission_tell(struct admission *admission, enum admission_event_type type, size_t place,
					int64_t number, const char *how)
{
	if (admission->event_count == admission->event_room) {
		admission->event_room = admission->event_room * 2 + 16;
		admission->events =
			mem_grow(admission->events, admission->event_room, sizeof(*admission->events));
	}
	admission->events[admission->event_count++] =
		(struct admission_event){.type = type, .place = place, .number = number, .how = how};
}

/* ---- places and lanes ---- */

ptrdiff_t admission_index(const struct admission *admission, const char *id)
{
	for (size_t i = 0; i < admission->place_count; i++)
		if (strcmp(admission->places[i].id, id) == 0)
			return (ptrdiff_t)i;
	return -1;
}

const struct admission_place *admission_find(const struct admission *admission, const char *id)
{
	ptrdiff_t at = admission_index(admission, id);
	return at < 0 ? NULL : &admission->places[at];
}

size_t admission_add(struct admission *admission, const struct admission_place *place)
{
	if (admission->place_count == admission->place_room) {
		admission->place_room = admission->place_room * 2 + 64;
		admission->places =
			mem_grow(admission->places, admission->place_room, sizeof(*admission->places));
	}
	admission->places[admission->place_count] = *place;
	return admission->place_count++;
}

void admission_append(struct admission_lane *lane, size_t place)
{
	if (lane->list_end == lane->list_room) {
		lane->list_room = lane->list_room * 2 + 64;
		lane->list = mem_grow(lane->list, lane->list_room, sizeof(*lane->list));
	}
	lane->list[lane->list_end++] = place;
}

bool admission_is_gone(const struct admission_lane *lane, uint64_t ticket)
{
	return ticket >= 1 && ticket <= lane->gone_room && lane->gone_tickets[ticket - 1];
}

void admission_depart(struct admission_lane *lane, uint64_t ticket)
{
	if (admission_is_gone(lane, ticket))
		return;
	if (ticket > lane->gone_room) {
		size_t room = ticket * 2 + 64;
		lane->gone_tickets = mem_grow(lane->gone_tickets, room, sizeof(bool));
		memset(lane->gone_tickets + lane->gone_room, 0, room - lane->gone_room);
		lane->gone_room = room;
	}
	lane->gone_tickets[ticket - 1] = true;
	lane->gone++;
}

uint64_t admission_in_line(const struct admission *admission)
{
	uint64_t in_line = 0;
	for (size_t i = 0; i < admission->settings.lane_count; i++)
		in_line += admission->lanes[i].ticket - admission->lanes[i].gone;
	return in_line;
}

void admission_move(struct admission_place *place, enum place_state to)
{
	assert(place_state_may_move(place->state, to));
	place->state = to;
}

/* ---- bucket, patience, slots ---- */

int64_t admission_bucket(const struct admission *admission, int64_t now_ms)
{
	int64_t full = admission->settings.burst * UNITS_PER_PERSON;
	if (!admission->has_bucket)
		return full;
	int64_t passed = now_ms - admission->bucket_ms;
	passed = passed < 0 ? 0 : passed > DAY_MS ? DAY_MS : passed;
	int64_t units = admission->units + passed * admission->settings.rate_per_minute;
	return units > full ? full : units;
}

void admission_keep_bucket(struct admission *admission, int64_t now_ms, int64_t units)
{
	admission->has_bucket = true;
	admission->units = units;
	admission->bucket_ms = now_ms;
}

int64_t admission_patience(struct admission *admission, int64_t now_ms, const char *life,
						   int64_t gap_ms)
{
	bool same_life = admission->has_clock && strcmp(admission->life, life) == 0;
	int64_t unticked = now_ms - admission->tick_ms, unheard = now_ms - admission->flush_ms;
	if (!same_life || unticked > gap_ms || unticked < -gap_ms || unheard > gap_ms)
		admission->since_ms = now_ms;
	admission->has_clock = true;
	admission->tick_ms = now_ms;
	snprintf(admission->life, sizeof(admission->life), "%s", life);
	return admission->since_ms;
}

int64_t admission_free_slots(const struct admission *admission)
{
	int64_t taken = 0;
	for (size_t i = 0; i < admission->place_count; i++)
		taken += admission->places[i].has_slot;
	return admission->settings.capacity - taken;
}

void admission_raise(struct admission *admission, int64_t now_ms, size_t lane_number, uint64_t seen)
{
	struct admission_lane *lane = &admission->lanes[lane_number];
	if (seen <= lane->ticket)
		return;
	if (lane->lost_count && lane->lost[lane->lost_count - 1].last == lane->ticket) {
		lane->lost[lane->lost_count - 1].last = seen;
	} else {
		lane->lost = mem_grow(lane->lost, lane->lost_count + 1, sizeof(*lane->lost));
		lane->lost[lane->lost_count++] = (struct admission_range){lane->ticket + 1, seen};
	}
	lane->ticket = seen;
	admission->recovering = true;
	admission->recover_until_ms = now_ms + 3 * admission->settings.poll_max_ms;
}

/* ---- sorted sets ---- */

struct scored {
	int64_t score;
	const char *id;
	size_t place;
};

static int compare_scored(const void *left, const void *right)
{
	const struct scored *a = left, *b = right;
	if (a->score != b->score)
		return a->score < b->score ? -1 : 1;
	return strcmp(a->id, b->id);
}

size_t *admission_sorted(const struct admission *admission, admission_has_fn has,
						 admission_score_fn score, size_t *ret_count)
{
	struct scored *scored = mem_alloc_zero(admission->place_count + 1, sizeof(*scored));
	size_t count = 0;
	for (size_t i = 0; i < admission->place_count; i++) {
		const struct admission_place *place = &admission->places[i];
		if (has(place))
			scored[count++] = (struct scored){score(place), place->id, i};
	}
	qsort(scored, count, sizeof(*scored), compare_scored);
	size_t *places = mem_alloc_zero(count + 1, sizeof(*places));
	for (size_t i = 0; i < count; i++)
		places[i] = scored[i].place;
	free(scored);
	*ret_count = count;
	return places;
}

int64_t admission_by_ticket(const struct admission_place *place)
{
	return (int64_t)place->ticket;
}
