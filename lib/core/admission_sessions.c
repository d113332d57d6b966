/* Model of session_restore.lua: a signed token proves a session that the store may have lost.
 *
 * Whoever has one was let in and has claimed, so the place is brought there from wherever it is:
 * from nowhere, from the line, from a turn that was not yet claimed. What has ended stays ended.
 */
#include "admission_state.h"
#include "waitingroom/admission.h"

#include <stdio.h>
#include <string.h>

/* Is somebody of the first 'count' brought back by an earlier token already? */
static bool is_back(const ptrdiff_t *places, size_t count, ptrdiff_t place)
{
	for (size_t i = 0; i < count; i++)
		if (places[i] == place)
			return true;
	return false;
}

/* The place of the token, made when there is none; -1: nothing comes back. */
static ptrdiff_t place_of(struct admission *admission, int64_t now_ms,
						  const struct admission_session *token)
{
	ptrdiff_t at = admission_index(admission, token->id);
	if (!epoch_counts(token->epoch, admission->epoch, admission->lost_epochs) ||
		token->ends_ms <= now_ms)
		return -1;
	if (at >= 0)
		return place_state_is_terminal(admission->places[at].state) ? -1 : at;
	if (token->lane < 0 || token->ticket == 0)
		return -1;
	struct admission_place place = {.state = PLACE_NONE,
									.lane = (size_t)token->lane,
									.ticket = token->ticket,
									.joined_ms = now_ms};
	snprintf(place.id, sizeof(place.id), "%s", token->id);
	return (ptrdiff_t)admission_add(admission, &place);
}

static void leave_the_line(struct admission_place *place)
{
	place->is_absent = place->is_returned = place->is_restored = false;
	place->has_heartbeat = false;
}

static void come_back(struct admission *admission, int64_t now_ms, size_t at, int64_t ends_ms)
{
	struct admission_place *place = &admission->places[at];
	if (place->state == PLACE_CLAIMED && place->session_ends_ms > ends_ms)
		ends_ms = place->session_ends_ms;
	if (place->state == PLACE_ADMITTED)
		admission_move(place, PLACE_CLAIMED);
	place->session_ends_ms = place->slot_ends_ms = ends_ms;
	place->has_slot = true;
	admission_raise(admission, now_ms, place->lane, place->ticket);
	admission_depart(&admission->lanes[place->lane], place->ticket);
}

/* All that were not yet let in are told before all that had not yet claimed, so there are two
 * walks. */
void admission_restore_sessions(struct admission *admission, int64_t now_ms,
								const struct admission_session *tokens, size_t count,
								enum place_state *ret_states)
{
	ptrdiff_t places[ADMISSION_BATCH_MAX];
	admission_begin(admission);
	for (size_t i = 0; i < count; i++) {
		const struct admission_place *was = admission_find(admission, tokens[i].id);
		ptrdiff_t at = was ? was - admission->places : -1;
		bool is_first = at < 0 || !is_back(places, i, at);
		ret_states[i] = !is_first ? PLACE_CLAIMED : was ? was->state : PLACE_NONE;
		places[i] = is_first ? place_of(admission, now_ms, &tokens[i]) : -1;
		if (places[i] < 0)
			continue;
		ret_states[i] = PLACE_CLAIMED;
		struct admission_place *place = &admission->places[places[i]];
		if (place->state == PLACE_NONE || place->state == PLACE_WAITING) {
			leave_the_line(place);
			admission_move(place, PLACE_ADMITTED);
			admission_tell(admission, ADMISSION_ADMITTED, (size_t)places[i], place->joined_ms,
						   "line");
		}
	}
	for (size_t i = 0; i < count; i++)
		if (places[i] >= 0) {
			bool is_claimed = admission->places[places[i]].state == PLACE_CLAIMED;
			come_back(admission, now_ms, (size_t)places[i], tokens[i].ends_ms);
			if (!is_claimed)
				admission_tell(admission, ADMISSION_CLAIMED, (size_t)places[i], tokens[i].ends_ms,
							   "");
		}
}
