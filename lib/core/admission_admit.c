/* Admission: letting people in.
 *
 * Those who came back from absence first, by ticket; then the lanes, each walked in ticket order
 * (its list merged with those restored after a loss), one person at a time from the lane that the
 * smooth weighted round robin picks. Somebody who has only just joined, and whose first heartbeat
 * may still be on its way, ends the walk of the lane: everybody behind joined later still. Each
 * lane's next person is found before any is taken, so the absent at the head of every lane are set
 * aside although their lane is not served. The limit counts people looked at, so that a line of
 * ghosts cannot make a step long.
 */
#include "admission_state.h"
#include "waitingroom/admission.h"

#include <assert.h>
#include <stdlib.h>

#define NEWCOMER_MS 3000 /* the first poll is asked for within 2 s of the join */

struct lane_walk {
	size_t *restored; /* by ticket */
	size_t restored_count, restored_at;
	size_t list_at;
	bool has_next, at_newcomers;
	size_t next;
};

struct admit_step {
	struct admission *admission;
	int64_t now_ms, since_ms;
	uint64_t limit, wanted, looked, taken, aside;
	const char *how; /* for those who are taken from the line */
	struct lane_walk lanes[QUEUE_LANES_MAX];
};

static bool is_returned(const struct admission_place *place)
{
	return place->is_returned;
}

static bool is_restored(const struct admission_place *place)
{
	return place->is_restored;
}

static bool is_newcomer(const struct admit_step *step, const struct admission_place *place)
{
	int64_t made_ms = place->has_heartbeat ? -place->heartbeat_ms : 0;
	if (made_ms <= 0 || made_ms > step->now_ms)
		return false;
	return step->now_ms - (made_ms > step->since_ms ? made_ms : step->since_ms) < NEWCOMER_MS;
}

static bool is_present(const struct admit_step *step, const struct admission_place *place)
{
	if (!place->has_heartbeat || place->heartbeat_ms < 0)
		return false;
	int64_t heard_ms = place->heartbeat_ms < step->since_ms ? step->since_ms : place->heartbeat_ms;
	return step->now_ms - heard_ms <= step->admission->settings.absent_after_ms;
}

static void take(struct admit_step *step, size_t at, const char *how)
{
	struct admission *admission = step->admission;
	struct admission_place *place = &admission->places[at];
	admission_move(place, PLACE_ADMITTED);
	place->has_slot = true;
	place->slot_ends_ms = step->now_ms + admission->settings.claim_ttl_ms;
	place->has_heartbeat = false;
	if (!place->is_returned)
		admission_depart(&admission->lanes[place->lane], place->ticket);
	admission->lanes[place->lane].admitted++;
	admission_tell(admission, ADMISSION_ADMITTED, at, place->joined_ms, how);
	step->taken++;
}

static void set_aside(struct admit_step *step, size_t at)
{
	struct admission_place *place = &step->admission->places[at];
	if (place->is_returned)
		place->back = false;
	else
		admission_depart(&step->admission->lanes[place->lane], place->ticket);
	place->aside = true;
	place->is_absent = true;
	if (!place->has_heartbeat) {
		place->has_heartbeat = true;
		place->heartbeat_ms = -step->now_ms;
	}
	step->aside++;
}

static void serve_returned(struct admit_step *step)
{
	size_t count;
	size_t *returned = admission_sorted(step->admission, is_returned, admission_by_ticket, &count);
	for (size_t i = 0; i < count && step->taken < step->wanted && step->looked < step->limit; i++) {
		struct admission_place *place = &step->admission->places[returned[i]];
		step->looked++;
		if (place->state == PLACE_WAITING && is_present(step, place))
			take(step, returned[i], "returned");
		else if (place->state == PLACE_WAITING)
			set_aside(step, returned[i]);
		place->is_returned = false;
	}
	free(returned);
}

/* Who stands next in the lane, in either of its two halves; false at its end. */
static bool step_forward(struct admit_step *step, size_t number, size_t *ret_place)
{
	struct lane_walk *walk = &step->lanes[number];
	const struct admission_lane *lane = &step->admission->lanes[number];
	const struct admission_place *places = step->admission->places;
	bool has_listed = walk->list_at < lane->list_end;
	bool has_restored = walk->restored_at < walk->restored_count;
	if (!has_listed && !has_restored)
		return false;
	if (has_listed) {
		const struct admission_place *listed = &places[lane->list[walk->list_at]];
		if (listed->state != PLACE_WAITING || !has_restored ||
			listed->ticket < places[walk->restored[walk->restored_at]].ticket) {
			*ret_place = lane->list[walk->list_at++];
			return true;
		}
	}
	*ret_place = walk->restored[walk->restored_at++];
	return true;
}

static void find_next(struct admit_step *step, size_t number)
{
	struct admission *admission = step->admission;
	struct lane_walk *walk = &step->lanes[number];
	struct lane_walk before = *walk;
	while (!walk->has_next && !walk->at_newcomers && step->looked < step->limit) {
		before = *walk;
		size_t at;
		if (!step_forward(step, number, &at)) {
			/* At its end a lane is empty, or tickets are still waited for. */
			const struct admission_lane *lane = &admission->lanes[number];
			assert(lane->lost_count || lane->gone == lane->ticket);
			return;
		}
		struct admission_place *place = &admission->places[at];
		bool may_go = place->state == PLACE_WAITING && !place->aside && !place->back;
		if (may_go && walk->list_at != before.list_at && is_newcomer(step, place)) {
			*walk = before;
			walk->at_newcomers = true;
			return;
		}
		step->looked++;
		if (may_go) {
			if (is_present(step, place)) {
				walk->has_next = true;
				walk->next = at;
			} else {
				set_aside(step, at);
			}
		}
	}
	/* Whoever is only next stays where they are until they are taken. */
	if (walk->has_next) {
		walk->list_at = before.list_at;
		walk->restored_at = before.restored_at;
	}
}

static void take_next(struct admit_step *step, size_t number)
{
	struct lane_walk *walk = &step->lanes[number];
	struct admission_lane *lane = &step->admission->lanes[number];
	size_t at, list_at = walk->list_at;
	if (!step_forward(step, number, &at) || at != walk->next)
		abort();
	walk->has_next = false;
	uint64_t ticket = step->admission->places[at].ticket;
	if (walk->list_at != list_at && ticket > lane->let_in)
		lane->let_in = ticket;
	take(step, at, step->how);
}

static void serve_lanes(struct admit_step *step)
{
	struct admission *admission = step->admission;
	const struct queue_settings *settings = &admission->settings;
	while (step->taken < step->wanted) {
		ptrdiff_t best = -1;
		int64_t sum = 0;
		for (size_t i = 0; i < settings->lane_count; i++) {
			if (!step->lanes[i].has_next)
				find_next(step, i);
			if (!step->lanes[i].has_next)
				continue;
			admission->lanes[i].credit += settings->lanes[i].weight;
			sum += settings->lanes[i].weight;
			if (best < 0 || admission->lanes[i].credit > admission->lanes[best].credit)
				best = (ptrdiff_t)i;
		}
		if (best < 0)
			return;
		admission->lanes[best].credit -= sum;
		take_next(step, (size_t)best);
	}
}

static void begin_walks(struct admit_step *step)
{
	struct admission *admission = step->admission;
	size_t count;
	size_t *restored = admission_sorted(admission, is_restored, admission_by_ticket, &count);
	for (size_t i = 0; i < admission->settings.lane_count; i++) {
		struct lane_walk *walk = &step->lanes[i];
		*walk = (struct lane_walk){.list_at = admission->lanes[i].list_first};
		walk->restored = calloc(count + 1, sizeof(*walk->restored));
		assert(walk->restored);
		for (size_t k = 0; k < count; k++)
			if (admission->places[restored[k]].lane == i)
				walk->restored[walk->restored_count++] = restored[k];
	}
	free(restored);
}

static void end_walks(struct admit_step *step)
{
	struct admission *admission = step->admission;
	for (size_t i = 0; i < admission->settings.lane_count; i++) {
		struct lane_walk *walk = &step->lanes[i];
		admission->lanes[i].list_first = walk->list_at;
		for (size_t k = 0; k < walk->restored_at; k++)
			admission->places[walk->restored[k]].is_restored = false;
		if (admission->settings.lane_count == 1)
			admission->lanes[i].credit = 0; /* not kept where there is no choice */
		free(walk->restored);
	}
}

static int64_t places_to_give(const struct admission *admission, int64_t now_ms, int64_t units,
							  uint64_t limit, uint64_t extra)
{
	bool is_open = now_ms >= admission->settings.opens_at_ms;
	int64_t slots = admission_free_slots(admission);
	enum queue_state state = admission->settings.state;
	int64_t places = 0;
	if (admission->rebuilding)
		return 0;
	if (state == QUEUE_PASSTHROUGH)
		return (int64_t)limit;
	if (extra > 0)
		places = (int64_t)extra;
	else if (state == QUEUE_DRAINING)
		places = slots;
	else if (is_open && (state == QUEUE_OPEN || state == QUEUE_CLOSED))
		places = units / UNITS_PER_PERSON;
	places = places < slots ? places : slots;
	places = places < (int64_t)limit ? places : (int64_t)limit;
	return places < 0 ? 0 : places;
}

static bool is_calm(const struct admission *admission, uint64_t in_line)
{
	bool calm = in_line == 0;
	for (size_t i = 0; calm && i < admission->place_count; i++) {
		const struct admission_place *place = &admission->places[i];
		calm = !place->is_absent && !place->is_returned && !place->is_restored;
	}
	return calm;
}

void admission_admit(struct admission *admission, int64_t now_ms, uint64_t limit, const char *life,
					 int64_t gap_ms, uint64_t extra, struct admission_admitted *ret_admitted)
{
	admission_begin(admission);
	bool passthrough = admission->settings.state == QUEUE_PASSTHROUGH;
	struct admit_step step = {.admission = admission, .now_ms = now_ms, .limit = limit};
	step.since_ms = admission_patience(admission, now_ms, life, gap_ms);
	bool drains = admission->settings.state == QUEUE_DRAINING;
	step.how = extra > 0 || drains ? "operator" : passthrough ? "passthrough" : "line";
	*ret_admitted = (struct admission_admitted){.in_line = admission_in_line(admission),
												.free = admission_free_slots(admission)};
	int64_t units = admission_bucket(admission, now_ms);
	step.wanted = (uint64_t)places_to_give(admission, now_ms, units, limit, extra);
	if (step.wanted > 0) {
		serve_returned(&step);
		begin_walks(&step);
		serve_lanes(&step);
		end_walks(&step);
		ret_admitted->more = step.looked >= limit || step.taken == limit;
	}
	if (extra == 0 && !passthrough && !drains)
		units -= (int64_t)step.taken * UNITS_PER_PERSON;
	admission_keep_bucket(admission, now_ms, units);
	ret_admitted->admitted = step.taken;
	ret_admitted->set_aside = step.aside;
	ret_admitted->free -= (int64_t)step.taken;
	ret_admitted->calm = is_calm(admission, ret_admitted->in_line);
}
