/* Model of support_restore.lua: an operator puts back a place that was lost by mistake.
 *
 * The place gets its own ticket, which stays marked as gone: it stands among those restored after a
 * loss, by its ticket, and in nobody's count. Where admission has passed the ticket it stands
 * before the line, as somebody does who comes back from absence. It counts as heard now.
 */
#include "admission_state.h"
#include "waitingroom/admission.h"

#include <stdio.h>

/* What is known of it; NULL with the outcome when it cannot be put back. */
static struct admission_place *find_lost(struct admission *admission,
										 const struct admission_token *token,
										 struct admission_recalled *recalled)
{
	ptrdiff_t at = admission_index(admission, token->id);
	if (at >= 0) {
		struct admission_place *place = &admission->places[at];
		recalled->lane = (int)place->lane;
		recalled->ticket = place->ticket;
		recalled->state = place->state;
		recalled->outcome = ADMISSION_NOT_LOST;
		return place_state_is_terminal(place->state) ? place : NULL;
	}
	recalled->lane = token->lane;
	recalled->ticket = token->ticket;
	recalled->state = PLACE_NONE;
	recalled->outcome = ADMISSION_UNKNOWN;
	if (token->ticket == 0)
		return NULL;
	recalled->outcome = ADMISSION_OTHER_LANE;
	if (token->lane < 0)
		return NULL;
	recalled->outcome = ADMISSION_NO_TICKET;
	if (token->ticket > admission->lanes[token->lane].ticket)
		return NULL;
	struct admission_place place = {
		.lane = (size_t)token->lane, .ticket = token->ticket, .joined_ms = token->joined_ms};
	snprintf(place.id, sizeof(place.id), "%s", token->id);
	size_t made = admission_add(admission, &place); /* which may move them all */
	return &admission->places[made];
}

void admission_recall(struct admission *admission, int64_t now_ms,
					  const struct admission_token *token, struct admission_recalled *ret_recalled)
{
	admission_begin(admission);
	*ret_recalled = (struct admission_recalled){.front = false};
	struct admission_place *place = find_lost(admission, token, ret_recalled);
	if (!place)
		return;
	struct admission_lane *lane = &admission->lanes[place->lane];
	ret_recalled->outcome = ADMISSION_RECALLED;
	ret_recalled->state = place->state = PLACE_WAITING;
	ret_recalled->front = place->ticket <= lane->let_in;
	place->put_back++;
	place->aside = place->is_absent = place->has_slot = place->emptied = false;
	place->session_ends_ms = 0;
	place->back = place->is_returned = ret_recalled->front;
	place->is_restored = place->is_restored || !ret_recalled->front;
	place->counted_out = !ret_recalled->front && admission_is_gone(lane, place->ticket);
	if (ret_recalled->front)
		admission_depart(lane, place->ticket);
	place->has_heartbeat = true;
	place->heartbeat_ms = now_ms;
	admission_tell(admission, ADMISSION_RESTORED, (size_t)(place - admission->places), 0,
				   "operator");
}
