/* Admission: what runs out: turns, sessions, silent places, ghosts, and lost tickets.
 *
 * No patience ends before it has had its full time from the moment since when we listen. Sessions
 * end when their token does, whether we listened or not. After a recovery window the lost tickets
 * that nobody has reported leave the line, one stretch a step.
 */
#include "admission_state.h"
#include "waitingroom/admission.h"

#include <stdlib.h>
#include <string.h>

#define STRETCH_TICKETS 4096
#define CHUNK_TICKETS 131072
#define RENEWALS_TOLD_MS 10000

struct reap_step {
	struct admission *admission;
	int64_t now_ms, since_ms;
	uint64_t limit, looked;
	struct admission_reaped *reaped;
};

static bool has_slot(const struct admission_place *place)
{
	return place->has_slot;
}

static int64_t by_slot_end(const struct admission_place *place)
{
	return place->slot_ends_ms;
}

static bool has_heartbeat(const struct admission_place *place)
{
	return place->has_heartbeat;
}

static int64_t by_heartbeat(const struct admission_place *place)
{
	return place->heartbeat_ms;
}

/* ---- slots ---- */

static bool end_slot(struct reap_step *step, struct admission_place *place)
{
	int64_t turn_ends_ms = step->since_ms + step->admission->settings.claim_ttl_ms;
	if (place->state == PLACE_ADMITTED && turn_ends_ms > step->now_ms) {
		place->slot_ends_ms = turn_ends_ms;
		return false;
	}
	int64_t ends_ms = place->session_ends_ms, told_until_ms = step->since_ms + RENEWALS_TOLD_MS;
	if (step->admission->settings.session_renewal && told_until_ms > ends_ms)
		ends_ms = told_until_ms;
	if (place->state == PLACE_CLAIMED && ends_ms > step->now_ms) {
		place->slot_ends_ms = ends_ms;
		return false;
	}
	place->has_slot = false;
	return true;
}

/* The missed are told before the sessions that have ended, so they are gone through twice. */
static void reap_slots(struct reap_step *step)
{
	struct admission *admission = step->admission;
	size_t count, due = 0;
	size_t *places = admission_sorted(admission, has_slot, by_slot_end, &count);
	while (due < count && due < step->limit &&
		   admission->places[places[due]].slot_ends_ms <= step->now_ms)
		due++;
	for (size_t i = 0; i < due; i++) {
		struct admission_place *place = &admission->places[places[i]];
		bool was_admitted = place->state == PLACE_ADMITTED;
		if (end_slot(step, place) && was_admitted) {
			admission_move(place, PLACE_MISSED);
			admission_tell(admission, ADMISSION_MISSED, places[i], 0, "");
			step->reaped->missed++;
		}
	}
	for (size_t i = 0; i < due; i++) {
		struct admission_place *place = &admission->places[places[i]];
		if (!place->has_slot && place->state == PLACE_CLAIMED) {
			admission_move(place, PLACE_ENDED);
			admission_tell(admission, ADMISSION_SESSION_EXPIRED, places[i], 0, "");
			step->reaped->ended++;
		}
	}
	step->reaped->more = due == step->limit;
	free(places);
}

/* ---- silence ---- */

static void expire(struct reap_step *step, size_t at, const char *reason)
{
	struct admission *admission = step->admission;
	struct admission_place *place = &admission->places[at];
	step->looked++;
	place->has_heartbeat = false;
	if (place->state == PLACE_WAITING) {
		if (!place->aside && !place->back)
			admission_depart(&admission->lanes[place->lane], place->ticket);
		place->is_absent = place->is_returned = place->is_restored = false;
		admission_move(place, PLACE_EXPIRED);
		admission_tell(admission, ADMISSION_EXPIRED, at, 0, reason);
		step->reaped->expired++;
	} else if (!place->has_slot &&
			   (place->state == PLACE_ADMITTED || place->state == PLACE_CLAIMED)) {
		place->has_slot = true;
		place->slot_ends_ms = place->state == PLACE_CLAIMED
								  ? place->session_ends_ms
								  : step->now_ms + admission->settings.claim_ttl_ms;
	}
}

/* Everybody whose score is from lowest to highest. */
static void expire_between(struct reap_step *step, int64_t lowest, int64_t highest,
						   const char *reason)
{
	size_t count;
	size_t *places = admission_sorted(step->admission, has_heartbeat, by_heartbeat, &count);
	uint64_t done = 0;
	for (size_t i = 0; i < count && done < step->limit; i++) {
		int64_t score = step->admission->places[places[i]].heartbeat_ms;
		if (score >= lowest && score <= highest) {
			expire(step, places[i], reason);
			done++;
		}
	}
	free(places);
}

static void reap_silent(struct reap_step *step)
{
	const struct queue_settings *settings = &step->admission->settings;
	int64_t listened_ms = step->now_ms - step->since_ms;
	if (listened_ms > settings->heartbeat_ttl_ms)
		expire_between(step, 0, step->now_ms - settings->heartbeat_ttl_ms, "silent");
	if (listened_ms > settings->first_heartbeat_ms)
		expire_between(step, settings->first_heartbeat_ms - step->now_ms, -1, "ghost");
	step->reaped->more = step->reaped->more || step->looked >= step->limit;
}

/* ---- lost tickets ---- */

static bool is_reported(const struct admission *admission, size_t lane, uint64_t ticket)
{
	for (size_t i = 0; i < admission->place_count; i++) {
		const struct admission_place *place = &admission->places[i];
		if (place->is_restored && place->lane == lane && place->ticket == ticket)
			return true;
	}
	return false;
}

static void close_stretch(struct admission *admission, size_t number)
{
	struct admission_lane *lane = &admission->lanes[number];
	struct admission_range *range = &lane->lost[0];
	uint64_t chunk_end = ((range->first - 1) / CHUNK_TICKETS + 1) * CHUNK_TICKETS;
	uint64_t last = range->first + STRETCH_TICKETS - 1;
	last = last < range->last ? last : range->last;
	last = last < chunk_end ? last : chunk_end;
	for (uint64_t ticket = range->first; ticket <= last; ticket++)
		if (!is_reported(admission, number, ticket))
			admission_depart(lane, ticket);
	if (last < range->last) {
		range->first = last + 1;
		return;
	}
	lane->lost_count--;
	memmove(lane->lost, lane->lost + 1, lane->lost_count * sizeof(*lane->lost));
}

static void end_recovery(struct reap_step *step)
{
	struct admission *admission = step->admission;
	int64_t until_ms = admission->recover_until_ms;
	/* After a total loss the pods may come later than the queue. */
	int64_t window_ms = step->since_ms + 3 * admission->settings.poll_max_ms;
	if (admission->rebuilding && window_ms > until_ms)
		until_ms = window_ms;
	if (!admission->recovering || step->now_ms < until_ms)
		return;
	for (size_t i = 0; i < admission->settings.lane_count; i++)
		if (admission->lanes[i].lost_count) {
			close_stretch(admission, i);
			step->reaped->more = true;
			return;
		}
	admission->recovering = admission->rebuilding = false;
}

void admission_reap(struct admission *admission, int64_t now_ms, uint64_t limit, const char *life,
					int64_t gap_ms, struct admission_reaped *ret_reaped)
{
	admission_begin(admission);
	*ret_reaped = (struct admission_reaped){0};
	struct reap_step step = {
		.admission = admission, .now_ms = now_ms, .limit = limit, .reaped = ret_reaped};
	step.since_ms = admission_patience(admission, now_ms, life, gap_ms);
	reap_slots(&step);
	reap_silent(&step);
	end_recovery(&step);
}
