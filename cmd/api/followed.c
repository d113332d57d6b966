/* Followed: from the store's answers to the picture that workers read.
 *
 * A new life of the queue's data (another epoch) starts new indexes, except while the queue is
 * recovering from a total loss: then the old indexes go on answering, frozen, until everybody has
 * reported and the store's bitmap is the truth again. Of what happens meanwhile only the last
 * tickets are remembered.
 *
 * Settings, indexes and revocations that an answer replaces are still shown by the last picture,
 * for as long as the next one cannot be made: the store may go away in between. They wait in
 * 'outgoing' and are retired when the next picture is shown, not before.
 */
#include "followed.h"

#include <assert.h>
#include <math.h>
#include <string.h>

#include "picture.h"
#include "waitingroom/log.h"
#include "waitingroom/memory.h"

#include <stdlib.h>

#define RANGES_AT_ONCE 256

static void free_index(void *index)
{
	position_index_free(index);
}

static void free_settings(void *settings)
{
	queue_settings_free(settings);
}

static void free_revocations(void *revocations)
{
	revocations_free(revocations);
}

static void let_go(struct followed *followed, void *thing, void (*free_fn)(void *))
{
	struct outgoing *outgoing = mem_alloc_zero(1, sizeof(*outgoing));
	*outgoing = (struct outgoing){.next = followed->outgoing, .thing = thing, .free_fn = free_fn};
	followed->outgoing = outgoing;
}

void followed_shown(struct followed *followed, struct quiescence *quiescence)
{
	while (followed->outgoing != NULL) {
		struct outgoing *outgoing = followed->outgoing;
		followed->outgoing = outgoing->next;
		quiescence_retire(quiescence, outgoing->thing, outgoing->free_fn);
		free(outgoing);
	}
	for (size_t i = 0; i < followed->lane_count; i++)
		for (void *chunk; (chunk = position_index_drop(followed->lanes[i].index)) != NULL;)
			quiescence_retire(quiescence, chunk, free);
}

struct followed *followed_new(const struct queue_name *name, uint32_t slot)
{
	struct followed *followed = mem_alloc_zero(1, sizeof(*followed));
	followed->name = *name;
	followed->slot = slot;
	strcpy(followed->last_departure, "0");
	strcpy(followed->last_revocation, "0");
	followed->revocations = revocations_new();
	return followed;
}

void followed_free(struct followed *followed, struct quiescence *quiescence)
{
	for (size_t i = 0; i < followed->lane_count; i++)
		let_go(followed, followed->lanes[i].index, free_index);
	followed->lane_count = 0;
	if (followed->settings != NULL)
		let_go(followed, followed->settings, free_settings);
	let_go(followed, followed->revocations, free_revocations);
	followed_shown(followed, quiescence);
	free(followed);
}

/* What was measured at another rate says nothing any more, unless it was the capacity that held
 * people up. */
static void forget_pace(struct followed *followed, const struct queue_settings *settings,
						uint64_t active)
{
	const struct queue_settings *old = followed->settings;
	if (old == NULL || (int64_t)active >= old->capacity)
		return;
	for (size_t i = 0; i < followed->lane_count; i++) {
		int to = queue_settings_lane(settings, followed->lanes[i].name);
		if (to >= 0 && fabs(queue_settings_lane_rate_per_s(settings, (size_t)to) -
							queue_settings_lane_rate_per_s(old, i)) > 0)
			estimator_forget_rate(&followed->lanes[i].estimator);
	}
}

/* Lanes by the new settings; a lane that stays keeps its index and its history. */
static void take_settings(struct followed *followed, const struct queue_settings *settings,
						  uint64_t active)
{
	forget_pace(followed, settings, active);
	struct followed_lane old[QUEUE_LANES_MAX];
	size_t old_count = followed->lane_count;
	memcpy(old, followed->lanes, sizeof(old));
	if (followed->settings != NULL)
		let_go(followed, followed->settings, free_settings);
	followed->settings = queue_settings_new_copy(settings);
	for (size_t i = 0; i < old_count; i++)
		calibration_forget(&old[i].calibration); /* predicted for another rate, perhaps */
	followed->lane_count = settings->lane_count;
	for (size_t i = 0; i < settings->lane_count; i++) {
		struct followed_lane lane = {.index = NULL};
		memcpy(lane.name, settings->lanes[i].name, sizeof(lane.name));
		for (size_t k = 0; k < old_count; k++)
			if (old[k].index != NULL && strcmp(old[k].name, lane.name) == 0) {
				lane = old[k];
				old[k].index = NULL;
			}
		if (lane.index == NULL)
			lane.index = position_index_new();
		followed->lanes[i] = lane;
	}
	for (size_t k = 0; k < old_count; k++)
		if (old[k].index != NULL)
			let_go(followed, old[k].index, free_index);
}

static void start_new_indexes(struct followed *followed)
{
	for (size_t i = 0; i < followed->lane_count; i++) {
		let_go(followed, followed->lanes[i].index, free_index);
		followed->lanes[i].index = position_index_new();
		followed->lanes[i].is_loaded = false;
		followed->lanes[i].last_ticket = 0;
		followed->lanes[i].estimator = (struct estimator){.started = false};
		calibration_forget(&followed->lanes[i].calibration);
	}
	strcpy(followed->last_departure, "0");
}

/* 'from' numbers lanes as the answer does. */
static struct followed_lane *lane_of(struct followed *followed, const struct synced *answer,
									 int from)
{
	for (size_t i = 0; i < followed->lane_count; i++)
		if (strcmp(followed->lanes[i].name, answer->lanes[from].lane) == 0)
			return &followed->lanes[i];
	return NULL;
}

/* What a pod could not take in: 'count' of them. */
static void say_loss(const struct followed *followed, const char *event, size_t count)
{
	char name[QUEUE_NAME_TEXT_BYTES];
	queue_name_print(&followed->name, name);
	log_event(LOG_LEVEL_ERROR, event, LOG_TEXT("queue", name), LOG_NUMBER("count", (int64_t)count));
}

static void apply_departures(struct followed *followed, const struct synced *answer)
{
	for (int from = 0; from < (int)answer->lane_count; from++) {
		struct followed_lane *lane = lane_of(followed, answer, from);
		struct ticket_range ranges[RANGES_AT_ONCE];
		size_t count = 0;
		for (size_t i = 0; lane != NULL && lane->is_loaded && i <= answer->departure_count; i++) {
			bool last = i == answer->departure_count;
			if (!last && answer->departures[i].lane == from)
				ranges[count++] = answer->departures[i].range;
			if (count == RANGES_AT_ONCE || (last && count > 0)) {
				if (position_index_apply(lane->index, ranges, count) != WR_OK)
					say_loss(followed, "index_limit", count);
				count = 0;
			}
		}
	}
}

void followed_ask_revocations(struct followed *followed)
{
	strcpy(followed->last_revocation, "0");
}

static bool add_revocation(struct revocations *table, const struct revocation *revocation,
						   int64_t now_s)
{
	if (revocation->is_pardon) {
		revocations_pardon(table, revocation->position_id);
		return true;
	}
	if (revocation->holder > 0)
		return revocations_add_holder(table, revocation->position_id, revocation->holder,
									  now_s + POSITION_TOKEN_LIFE_MAX_S);
	return revocations_add_session(table, revocation->position_id, revocation->until_s);
}

static void apply_revocations(struct followed *followed, const struct synced *answer)
{
	int64_t now_s = answer->now_ms / 1000;
	for (size_t i = 0; i < answer->revocation_count; i++)
		while (!add_revocation(followed->revocations, &answer->revocations[i], now_s)) {
			size_t dropped = 0;
			struct revocations *larger = revocations_copy(followed->revocations, now_s, &dropped);
			if (dropped > 0)
				say_loss(followed, "revocations_dropped", dropped);
			let_go(followed, followed->revocations, free_revocations);
			followed->revocations = larger;
		}
	if (answer->last_revocation[0] != '\0')
		memcpy(followed->last_revocation, answer->last_revocation,
			   sizeof(followed->last_revocation));
}

/* Also while they are not applied: they are not asked for again and again. */
static void remember_departures(struct followed *followed, const struct synced *answer)
{
	if (answer->last_departure[0] != '\0')
		memcpy(followed->last_departure, answer->last_departure, sizeof(followed->last_departure));
}

/* Also of a lane whose index does not answer for them: the store may be lost again before it
 * does. */
static void note_last_tickets(struct followed *followed, const struct synced *answer)
{
	for (int from = 0; from < (int)answer->lane_count; from++) {
		struct followed_lane *lane = lane_of(followed, answer, from);
		if (lane == NULL || lane->last_ticket >= answer->lanes[from].ticket)
			continue;
		lane->last_ticket = answer->lanes[from].ticket;
		position_index_note(lane->index, lane->last_ticket);
	}
}

void followed_former_life(const struct followed *followed, struct former_life *ret_former)
{
	epochs_lost(followed->epoch, followed->lost_epochs, ret_former->epochs);
	ret_former->seen_count = followed->lane_count;
	for (size_t i = 0; i < followed->lane_count; i++) {
		const struct followed_lane *lane = &followed->lanes[i];
		uint64_t highest = position_index_highest(lane->index);
		memcpy(ret_former->seen[i].lane, lane->name, sizeof(lane->name));
		ret_former->seen[i].ticket = lane->last_ticket > highest ? lane->last_ticket : highest;
	}
}

void followed_apply(struct followed *followed, const struct synced *answer)
{
	bool new_life = followed->is_known && strcmp(followed->epoch, answer->epoch) != 0;
	if (new_life)
		followed_former_life(followed, &followed->former);
	bool other_line =
		followed->is_known && !epoch_counts(followed->epoch, answer->epoch, answer->lost_epochs);
	bool recovered = followed->recovering && !answer->recovering;
	if (answer->has_settings)
		take_settings(followed, &answer->settings, answer->active);
	if ((new_life && !answer->recovering) || other_line || recovered)
		start_new_indexes(followed);
	followed->recovering = answer->recovering;
	memcpy(followed->epoch, answer->epoch, sizeof(followed->epoch));
	memcpy(followed->lost_epochs, answer->lost_epochs, sizeof(followed->lost_epochs));
	followed->is_known = true;
	apply_revocations(followed, answer);
	remember_departures(followed, answer);
	note_last_tickets(followed, answer);
	if (followed->recovering)
		return; /* the bitmap is not the truth yet */
	for (int from = 0; from < (int)answer->lane_count; from++) {
		struct followed_lane *lane = lane_of(followed, answer, from);
		if (lane != NULL && answer->lanes[from].gone == 0)
			lane->is_loaded = true; /* with nothing */
	}
	apply_departures(followed, answer);
	for (size_t i = 0; i < followed->lane_count; i++)
		if (followed->lanes[i].is_loaded)
			position_index_set_last(followed->lanes[i].index, followed->lanes[i].last_ticket);
}

unsigned followed_behind(const struct followed *followed, const struct synced *answer)
{
	unsigned behind = 0;
	if (followed->recovering || answer->more)
		return 0;
	for (size_t i = 0; i < followed->lane_count; i++)
		for (size_t from = 0; from < answer->lane_count; from++)
			if (strcmp(followed->lanes[i].name, answer->lanes[from].lane) == 0 &&
				position_index_gone(followed->lanes[i].index) < answer->lanes[from].gone)
				behind |= 1u << i;
	return behind;
}

/* How good are the waits that this pod predicts? */
static void calibrate(struct followed_lane *lane, struct queue_snapshot *picture, size_t number,
					  bool paused)
{
	if (paused)
		calibration_forget(&lane->calibration);
	calibration_check(&lane->calibration, picture->as_of_ms, lane->index);
	calibration_ask(&lane->calibration, picture->as_of_ms, lane->index, &picture->waits[number]);
	calibration_add(&picture->calibration, &lane->calibration.counts);
}

static void show_lanes(struct followed *followed, const struct synced *answer,
					   struct queue_snapshot *picture)
{
	const struct queue_settings *settings = followed->settings;
	enum queue_state state = queue_settings_state_at(settings, answer->now_ms);
	bool paused = state == QUEUE_PAUSED || state == QUEUE_HOLD || followed->recovering;
	for (size_t i = 0; i < followed->lane_count; i++) {
		struct followed_lane *lane = &followed->lanes[i];
		picture->lanes[i] = lane->index;
		uint64_t waiting = position_index_last(lane->index) - position_index_gone(lane->index);
		for (size_t from = 0; from < answer->lane_count; from++)
			if (strcmp(lane->name, answer->lanes[from].lane) == 0) {
				estimator_observe(&lane->estimator, answer->now_ms, answer->lanes[from].admitted,
								  answer->lanes[from].gone, waiting, paused);
				picture->joined_total += answer->lanes[from].ticket;
				picture->admitted_total += answer->lanes[from].admitted;
				picture->departed_total += answer->lanes[from].gone;
			}
		picture->waits[i] = estimator_model(
			&lane->estimator, answer->now_ms, queue_settings_lane_rate_per_s(settings, i),
			(int64_t)answer->active >= settings->capacity || state == QUEUE_DRAINING, paused);
		picture->waiting += waiting;
		if (picture->waits[i].known &&
			wait_mean_s(&picture->waits[i], waiting) > picture->new_wait_s)
			picture->new_wait_s = wait_mean_s(&picture->waits[i], waiting);
		calibrate(lane, picture, i, paused);
	}
}

/* Does nobody go in although people could? */
static void watch_the_line(struct followed *followed, struct queue_snapshot *picture)
{
	const struct queue_settings *settings = followed->settings;
	enum queue_state state = queue_settings_state_at(settings, picture->as_of_ms);
	bool by_rate = (state == QUEUE_OPEN || state == QUEUE_CLOSED) && settings->rate_per_minute > 0;
	bool should_move = (by_rate || state == QUEUE_DRAINING) && !followed->recovering &&
					   (int64_t)picture->active < settings->capacity &&
					   picture->waiting + picture->returned > 0;
	if (!should_move || picture->admitted_total != followed->admitted_total)
		followed->moved_ms = picture->as_of_ms;
	followed->admitted_total = picture->admitted_total;
	picture->stalled_ms = picture->as_of_ms - followed->moved_ms;
}

struct queue_snapshot *followed_snapshot(struct followed *followed, const struct synced *answer,
										 struct mono_time asked)
{
	struct queue_snapshot picture = {.name = followed->name,
									 .slot = followed->slot,
									 .recovering = followed->recovering,
									 .settings = followed->settings,
									 .revocations = followed->revocations,
									 .active = answer->active,
									 .absent = answer->absent,
									 .returned = answer->returned,
									 .outbox_length = answer->outbox_length,
									 .oldest_joined_ms = answer->oldest_joined_ms,
									 .new_wait_s = -1,
									 .as_of_ms = answer->now_ms,
									 .taken = asked};
	memcpy(picture.epoch, answer->epoch, sizeof(picture.epoch));
	memcpy(picture.lost_epochs, answer->lost_epochs, sizeof(picture.lost_epochs));
	memcpy(picture.violations, answer->violations, sizeof(picture.violations));
	show_lanes(followed, answer, &picture);
	watch_the_line(followed, &picture);
	size_t room = PICTURE_COMMON_BYTES + queue_settings_news_bytes(followed->settings);
	WR_AUTO(mem_free_at) char *common = mem_alloc_zero(1, room);
	struct json_out out;
	json_out_init(&out, common, room);
	picture_write_common(&picture, picture.waiting, picture.as_of_ms, &out);
	assert(!out.overflow);
	picture.common_len = out.len;
	struct queue_snapshot *snapshot = mem_alloc_zero(1, sizeof(*snapshot) + picture.common_len);
	*snapshot = picture;
	memcpy(snapshot->common, common, picture.common_len);
	return snapshot;
}
