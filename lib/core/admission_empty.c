/* Model of queue_empty.lua: an operator ends the wait of everybody in line, some people a step.
 *
 * Lane by lane the list, up to the last ticket that is meant, and those restored beside it; then
 * who was set aside and who came back. Whoever is looked at is taken off, waiting or not, and
 * counts towards the limit.
 */
#include "admission_state.h"
#include "waitingroom/admission.h"

#include <stdlib.h>

struct empty_step {
	struct admission *admission;
	const uint64_t *bound; /* by lane */
	uint64_t left;
	struct admission_emptied *emptied;
};

static bool is_absent(const struct admission_place *place)
{
	return place->is_absent;
}

static bool is_returned(const struct admission_place *place)
{
	return place->is_returned;
}

static bool is_restored(const struct admission_place *place)
{
	return place->is_restored;
}

static void expire(struct empty_step *step, size_t at, bool in_line)
{
	struct admission *admission = step->admission;
	struct admission_place *place = &admission->places[at];
	if (place->state != PLACE_WAITING)
		return;
	if (in_line)
		admission_depart(&admission->lanes[place->lane], place->ticket);
	place->is_absent = place->is_returned = place->has_heartbeat = false;
	admission_move(place, PLACE_EXPIRED);
	place->emptied = true;
	admission_tell(admission, ADMISSION_EXPIRED, at, 0, "emptied");
	step->emptied->expired++;
}

static void empty_list(struct empty_step *step, size_t number)
{
	struct admission_lane *lane = &step->admission->lanes[number];
	while (step->left > 0 && lane->list_first < lane->list_end) {
		size_t at = lane->list[lane->list_first];
		const struct admission_place *place = &step->admission->places[at];
		if (place->ticket > step->bound[number])
			return;
		expire(step, at, !place->aside && !place->back);
		lane->list_first++;
		step->left--;
	}
}

static void empty_restored(struct empty_step *step, size_t number)
{
	struct admission *admission = step->admission;
	size_t count;
	size_t *restored = admission_sorted(admission, is_restored, admission_by_ticket, &count);
	for (size_t i = 0; i < count && step->left > 0; i++) {
		struct admission_place *place = &admission->places[restored[i]];
		if (place->lane != number || place->ticket > step->bound[number])
			continue;
		expire(step, restored[i], true);
		place->is_restored = false;
		step->left--;
	}
	free(restored);
}

/* Of all lanes, up to the highest ticket of any. */
static void empty_front(struct empty_step *step, admission_has_fn has)
{
	struct admission *admission = step->admission;
	uint64_t highest = 0;
	size_t count;
	for (size_t i = 0; i < admission->settings.lane_count; i++)
		highest = step->bound[i] > highest ? step->bound[i] : highest;
	size_t *front = admission_sorted(admission, has, admission_by_ticket, &count);
	for (size_t i = 0; i < count && step->left > 0; i++) {
		struct admission_place *place = &admission->places[front[i]];
		if (place->ticket > highest)
			break;
		expire(step, front[i], false);
		if (has == is_absent)
			place->is_absent = false;
		else
			place->is_returned = false;
		step->left--;
	}
	free(front);
}

void admission_empty(struct admission *admission, uint64_t limit, const uint64_t bound[],
					 struct admission_emptied *ret_emptied)
{
	struct empty_step step = {
		.admission = admission, .bound = bound, .left = limit, .emptied = ret_emptied};
	admission_begin(admission);
	*ret_emptied = (struct admission_emptied){.refused = admission->rebuilding};
	if (admission->rebuilding)
		return;
	for (size_t i = 0; i < admission->settings.lane_count; i++) {
		empty_list(&step, i);
		empty_restored(&step, i);
	}
	empty_front(&step, is_absent);
	empty_front(&step, is_returned);
	ret_emptied->more = step.left == 0;
}
