/* A random history: which step comes next, on whom, with which numbers. */
#include "support/history.h"

#include "support/cmocka.h"
#include "support/dice.h"
#include "waitingroom/memory.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct admission *model_of(const struct history *history)
{
	return history->twin->model;
}

static bool chance(uint64_t percent)
{
	return dice(100) < percent;
}

/* ---- settings ---- */

static void throw_numbers(struct queue_settings *settings)
{
	static const int64_t rates[] = {0, 60, 600, 6000, 60000};
	static const int64_t times[] = {1000, 3000, 10000, 60000};
	settings->rate_per_minute = rates[dice(5)];
	settings->burst = 1 + (int64_t)dice(8);
	settings->capacity = (int64_t)dice(10);
	settings->max_waiting = chance(70) ? 1000 : (int64_t)dice(8);
	settings->absent_after_ms = times[dice(3)];
	settings->heartbeat_ttl_ms = settings->absent_after_ms + times[dice(3)];
	settings->first_heartbeat_ms = times[dice(4)];
	settings->claim_ttl_ms = times[dice(4)];
	settings->session_ttl_ms = times[dice(4)];
	settings->poll_max_ms = 500 + (int64_t)dice(3000);
	settings->joins_per_network_per_minute = chance(60) ? 0 : 1 + (int64_t)dice(6);
	settings->joins_per_address_per_minute = chance(70) ? 0 : 1 + (int64_t)dice(4);
	settings->session_renewal = chance(50);
}

static struct queue_settings first_settings(unsigned traits)
{
	static const char *const names[] = {"main", "vip", "gold"};
	struct queue_settings settings;
	queue_settings_default(&settings);
	throw_numbers(&settings);
	settings.lane_count = traits & HISTORY_LANES ? 1 + (uint32_t)dice(3) : 1;
	for (uint32_t i = 0; i < settings.lane_count; i++) {
		snprintf(settings.lanes[i].name, sizeof(settings.lanes[i].name), "%s", names[i]);
		settings.lanes[i].weight = 1 + (uint32_t)dice(5);
		settings.lanes[i].open = true;
	}
	return settings;
}

static void change_settings(struct history *history)
{
	struct queue_settings settings = model_of(history)->settings;
	if (chance(50)) {
		static const enum queue_state states[] = {QUEUE_OPEN,		 QUEUE_OPEN,	QUEUE_OPEN,
												  QUEUE_PAUSED,		 QUEUE_HOLD,	QUEUE_CLOSED,
												  QUEUE_PASSTHROUGH, QUEUE_DRAINING};
		settings.state = states[dice(8)];
	} else if (chance(20)) {
		settings.opens_at_ms = history->twin->room->now_ms + (int64_t)dice(5000);
	} else if (chance(50)) {
		settings.capacity = (int64_t)dice(10);
	} else {
		throw_numbers(&settings);
	}
	/* The bucket is filled up at the old rate first, as a tick every 100 ms does. */
	struct admission_admitted admitted;
	int64_t before = history_active(history);
	twin_admit(history->twin, 500, 0, &admitted);
	history_check_events(history, true);
	history_check_capacity(history, before);
	twin_compare(history->twin);
	history_run_meter(history);
	twin_set(history->twin, &settings);
}

/* ---- people ---- */

static struct history_person *somebody(struct history *history)
{
	return &history->people[dice(HISTORY_PEOPLE)];
}

static size_t throw_ids(struct history *history, const char *ids[TWIN_BATCH_MAX])
{
	size_t count = 1 + dice(TWIN_BATCH_MAX - 1);
	for (size_t i = 0; i < count; i++)
		ids[i] = chance(2) ? "nobody" : somebody(history)->id;
	return count;
}

/* Somebody whose place has ended comes again, under a new key. */
static void begin_anew(struct history *history, struct history_person *person)
{
	*person = (struct history_person){.told = PLACE_NONE};
	snprintf(person->id, sizeof(person->id), "p%" PRIu64, ++history->generation);
	if (chance(30))
		memcpy(person->identity, person->id, sizeof(person->identity));
}

/* A person's place has another id than before: what was known of the other one is of no use. */
static void take_place(struct history_person *person, const struct admission_joined *joined)
{
	if (strcmp(person->id, joined->id) == 0)
		return;
	/* After a failover it may be one of old. */
	bool is_new = joined->code == ADMISSION_NEW;
	struct history_person fresh = {.told = is_new ? PLACE_NONE : joined->state};
	memcpy(fresh.id, joined->id, sizeof(fresh.id));
	memcpy(fresh.identity, person->identity, sizeof(fresh.identity));
	*person = fresh;
	history_mark(MARK_SECOND_PLACE);
}

/* Of a few, so that they come again. */
static const char *throw_proof(const struct history *history, char ret_text[32])
{
	snprintf(ret_text, 32, "%" PRIu64, history->generation / 4 + dice(3));
	return ret_text;
}

static void join(struct history *history)
{
	static const char *const hashes[] = {"", "h1", "h1", "h2"};
	static const char *const networks[] = {"", "", "n1", "n2"};
	static const char *const addresses[] = {"", "a1", "a2", "a3"};
	struct admission_join people[TWIN_BATCH_MAX];
	struct history_person *who[TWIN_BATCH_MAX];
	struct admission_joined joined[TWIN_BATCH_MAX];
	char nonces[TWIN_BATCH_MAX][32], entries[TWIN_BATCH_MAX][32], others[TWIN_BATCH_MAX][32];
	size_t count = 1 + dice(6), lanes = model_of(history)->settings.lane_count;
	for (size_t i = 0; i < count; i++) {
		who[i] = somebody(history);
		const struct admission_place *place = admission_find(model_of(history), who[i]->id);
		bool is_person = who[i]->identity[0] != '\0';
		if (place && place_state_is_terminal(place->state) && chance(is_person ? 10 : 80))
			begin_anew(history, who[i]);
		people[i] = (struct admission_join){.id = who[i]->id,
											.lane = chance(3) ? -1 : (int)dice(lanes),
											.request_hash = hashes[dice(4)],
											.network = networks[dice(4)],
											.address = addresses[dice(4)],
											.only_known = chance(3)};
		if (chance(30))
			people[i].nonce = throw_proof(history, nonces[i]);
		if (chance(10))
			people[i].entry = throw_proof(history, entries[i]);
	}
	for (size_t i = 0; i < count; i++) { /* who[i] may have begun anew after i */
		people[i].id = who[i]->id;
		if (!who[i]->identity[0])
			continue;
		snprintf(others[i], sizeof(others[i]), "p%" PRIu64, ++history->generation);
		people[i].id = who[i]->identity;
		people[i].other_id = others[i];
		people[i].request_hash = "";
	}
	bool outbox_is_full = chance(3);
	int64_t before = history_active(history);
	twin_join(history->twin, outbox_is_full, history->seen, people, count, joined);
	for (size_t i = 0; i < count; i++) {
		if (joined[i].code == ADMISSION_FULL)
			history_mark(MARK_FULL);
		if (joined[i].code == ADMISSION_RATE)
			history_mark(MARK_RATE);
		if (joined[i].code == ADMISSION_REPLAYED)
			history_mark(MARK_REPLAYED);
		if (joined[i].code == ADMISSION_USED)
			history_mark(MARK_USED);
		if (joined[i].state == PLACE_NONE)
			continue;
		if (joined[i].holder)
			history_mark(MARK_TAKEN_OVER);
		take_place(who[i], &joined[i]);
		const char *epoch = model_of(history)->epoch;
		/* One key, one place: whoever has a token of this life gets the same ticket again. */
		if (who[i]->has_token && joined[i].code != ADMISSION_NEW)
			assert_int_equal(who[i]->ticket, joined[i].ticket);
		who[i]->has_token = true;
		who[i]->lane = (int)joined[i].lane;
		who[i]->ticket = joined[i].ticket;
		who[i]->joined_ms = joined[i].joined_ms;
		snprintf(who[i]->epoch, sizeof(who[i]->epoch), "%s", epoch);
		if (joined[i].ticket > history->seen[joined[i].lane])
			history->seen[joined[i].lane] = joined[i].ticket;
	}
	history_check_events(history, true);
	history_check_capacity(history, before);
}

static void report(struct history *history, const char *const ids[], size_t count,
				   const bool *missing)
{
	struct admission_token tokens[TWIN_BATCH_MAX];
	size_t token_count = 0;
	for (size_t i = 0; i < count; i++)
		for (size_t k = 0; k < HISTORY_PEOPLE; k++) {
			struct history_person *person = &history->people[k];
			if (missing[i] && person->has_token && strcmp(person->id, ids[i]) == 0)
				tokens[token_count++] =
					(struct admission_token){.id = person->id,
											 .lane = chance(2) ? -1 : person->lane,
											 .ticket = person->ticket,
											 .joined_ms = person->joined_ms,
											 .epoch = chance(2) ? "older" : person->epoch,
											 .front = chance(10)};
		}
	if (!token_count)
		return;
	enum place_state states[TWIN_BATCH_MAX];
	twin_compare(history->twin);
	twin_restore(history->twin, tokens, token_count, states);
	history_check_events(history, false);
}

static void beat(struct history *history)
{
	const char *ids[TWIN_BATCH_MAX];
	bool missing[TWIN_BATCH_MAX];
	size_t count = chance(10) ? 0 : throw_ids(history, ids);
	twin_heartbeat(history->twin, ids, count, missing);
	history_check_events(history, false);
	report(history, ids, count, missing);
}

/* Whoever polls and is let in holds the token of a session, whatever the store forgets. */
static void hand_out_sessions(struct history *history)
{
	for (size_t i = 0; i < HISTORY_PEOPLE; i++) {
		struct history_person *person = &history->people[i];
		const struct admission_place *place = admission_find(model_of(history), person->id);
		if (!place || place->state != PLACE_CLAIMED)
			continue;
		person->session_ends_ms = place->session_ends_ms;
		memcpy(person->session_epoch, model_of(history)->epoch, sizeof(person->session_epoch));
		person->lane = (int)place->lane;
		person->ticket = place->ticket;
	}
}

/* Seen at the gate; pods do not report sessions of whose end they have been told. */
static void report_sessions(struct history *history)
{
	struct admission_session tokens[TWIN_BATCH_MAX];
	enum place_state before[TWIN_BATCH_MAX], after[TWIN_BATCH_MAX];
	size_t count = 0;
	for (size_t thrown = 2 * HISTORY_PEOPLE; thrown > 0 && count < TWIN_BATCH_MAX; thrown--) {
		const struct history_person *person = somebody(history);
		const struct admission_place *place = admission_find(model_of(history), person->id);
		bool is_lost = !place || place->state != PLACE_CLAIMED;
		if (person->session_ends_ms == 0 || !chance(is_lost ? 50 : 5))
			continue;
		before[count] = place ? place->state : PLACE_NONE;
		tokens[count++] =
			(struct admission_session){.id = person->id,
									   .lane = chance(2) ? -1 : person->lane,
									   .ticket = person->ticket,
									   .ends_ms = person->session_ends_ms,
									   .epoch = chance(3) ? "older" : person->session_epoch};
	}
	twin_restore_sessions(history->twin, tokens, count, after);
	history_check_events(history, false);
	for (size_t i = 0; i < count; i++)
		if (before[i] == PLACE_NONE && after[i] == PLACE_CLAIMED)
			history_mark(MARK_SESSION_BACK);
}

static void visit(struct history *history)
{
	const char *ids[TWIN_BATCH_MAX];
	size_t count = throw_ids(history, ids);
	twin_visit(history->twin,
			   chance(60)	? VISIT_POLL
			   : chance(50) ? VISIT_STAY
							: VISIT_LOOK,
			   ids, count);
	history_check_events(history, false);
	hand_out_sessions(history);
}

static void release(struct history *history)
{
	const char *ids[TWIN_BATCH_MAX];
	size_t count = throw_ids(history, ids);
	count = count > 3 ? 3 : count;
	twin_release(history->twin, (enum admission_release)dice(4), ids, count);
	history_check_events(history, false);
}

/* ---- the admitter ---- */

static void admit(struct history *history)
{
	struct admission_admitted admitted;
	uint64_t limit = chance(80) ? 500 : 1 + dice(5), extra = chance(90) ? 0 : 1 + dice(4);
	int64_t before = history_active(history);
	twin_admit(history->twin, limit, extra, &admitted);
	if (admitted.set_aside)
		history_mark(MARK_ASIDE);
	if (admitted.more)
		history_mark(MARK_MORE);
	history_check_events(history, extra == 0);
	history_check_capacity(history, before);
	history_check_order(history);
}

static void reap(struct history *history)
{
	struct admission_reaped reaped;
	uint64_t gone = 0, left = 0;
	const struct admission *model = model_of(history);
	bool was_recovering = model->recovering;
	for (size_t i = 0; i < model->settings.lane_count; i++)
		gone += model->lanes[i].gone;
	twin_reap(history->twin, chance(70) ? 500 : 1 + dice(5), &reaped);
	for (size_t i = 0; i < model->settings.lane_count; i++)
		left += model->lanes[i].gone - (i ? 0 : gone);
	if (was_recovering && left > reaped.expired)
		history_mark(MARK_LOST_CLOSED);
	history_check_events(history, false);
}

/* ---- time and trouble ---- */

static void pass_time(struct history *history)
{
	static const int64_t spans[] = {1, 17, 100, 700, 2500, 11000};
	struct room *room = history->twin->room;
	int64_t ms = 1 + (int64_t)dice((uint64_t)spans[dice(6)]);
	bool missing;
	if (chance(3))
		ms = -ms;
	if (chance(2))
		ms = 60000 + (int64_t)dice(60000);
	twin_say(history->twin, "%" PRId64 " %" PRId64 " ms pass", room->now_ms - ROOM_START_MS, ms);
	/* Most of the time somebody listens: pods flush, admitters tick. */
	bool heard = chance(90);
	for (int64_t passed = 0; heard && passed + room->gap_ms < ms; passed += room->gap_ms) {
		room->now_ms += room->gap_ms;
		twin_heartbeat(history->twin, NULL, 0, &missing);
		reap(history);
		twin_compare(history->twin);
		ms -= room->gap_ms;
		passed -= room->gap_ms;
	}
	room->now_ms += ms;
	if (heard)
		twin_heartbeat(history->twin, NULL, 0, &missing);
}

static void keep_replica(struct history *history)
{
	twin_keep_replica(history->twin);
	admission_free(history->kept_model);
	history->kept_model = admission_copy(model_of(history));
	memcpy(history->kept_people, history->people, sizeof(history->people));
	history->kept_level = history->level;
	history->kept_level_ms = history->level_ms;
}

static void forget_positions(struct history *history)
{
	for (size_t i = 0; i < HISTORY_PEOPLE; i++)
		history->people[i].position = 0;
}

/* Soon after a loss, as people click on: sessions are short in these histories. */
static void be_seen_at_the_gate(struct history *history)
{
	for (uint64_t times = 1 + dice(3); times > 0; times--) {
		twin_compare(history->twin);
		report_sessions(history);
	}
}

static void fail_over(struct history *history)
{
	if (!history->kept_model)
		return;
	twin_fail_over(history->twin, WR_TAKE(history->kept_model));
	for (size_t i = 0; i < HISTORY_PEOPLE; i++) {
		const struct admission_place *place =
			admission_find(model_of(history), history->people[i].id);
		history->people[i].told = place ? place->state : PLACE_NONE;
		if (place) {
			history->people[i].lane = (int)place->lane;
			history->people[i].ticket = place->ticket;
		}
	}
	history->level = history->kept_level;
	history->level_ms = history->kept_level_ms;
	snprintf(history->twin->room->seen_epoch, sizeof(history->twin->room->seen_epoch), "%s",
			 model_of(history)->epoch);
	snprintf(history->twin->room->epoch, sizeof(history->twin->room->epoch), "%s",
			 model_of(history)->epoch);
	forget_positions(history);
	history_reload_index(history, false);
	be_seen_at_the_gate(history);
}

static void lose_everything(struct history *history)
{
	uint64_t tickets[QUEUE_LANES_MAX];
	admission_free(WR_TAKE(history->kept_model));
	for (size_t i = 0; i < model_of(history)->settings.lane_count; i++)
		tickets[i] = chance(80) ? history->seen[i] : history->seen[i] / 2;
	twin_lose_everything(history->twin, tickets);
	/* The pod still reports what it saw in the life that is lost, or in the new one. */
	struct room *room = history->twin->room;
	const char *seen = chance(50) ? model_of(history)->epoch : model_of(history)->lost_epochs;
	snprintf(room->seen_epoch, sizeof(room->seen_epoch), "%.*s", (int)strcspn(seen, ","), seen);
	for (size_t i = 0; i < HISTORY_PEOPLE; i++) {
		if (history->people[i].told != PLACE_CLAIMED)
			history->people[i].session_ends_ms = 0; /* ended, and the pods know */
		history->people[i].told = PLACE_NONE;
	}
	history->level_ms = room->now_ms;
	history->level = model_of(history)->settings.burst * 60000;
	forget_positions(history);
	history_reload_index(history, false);
	be_seen_at_the_gate(history);
}

/* ---- life ---- */

struct history *history_new(struct redis_client *client, unsigned traits)
{
	struct history *history = mem_alloc_zero(1, sizeof(*history));
	struct queue_settings settings = first_settings(traits);
	history->traits = traits;
	history->twin = twin_open(client, &settings);
	struct room *room = history->twin->room;
	snprintf(room->seen_epoch, sizeof(room->seen_epoch), "%s", room->epoch);
	for (size_t i = 0; i < HISTORY_PEOPLE; i++)
		begin_anew(history, &history->people[i]);
	history->level = settings.burst * 60000;
	history->level_ms = room->now_ms;
	history_reload_index(history, false);
	return history;
}

void history_free(struct history *history)
{
	if (!history)
		return;
	for (size_t i = 0; i < QUEUE_LANES_MAX; i++)
		position_index_free(history->index[i]);
	admission_free(history->kept_model);
	twin_free(history->twin);
	free(history);
}

void history_step(struct history *history)
{
	static const struct {
		unsigned weight;
		unsigned needs;
		void (*step)(struct history *);
	} steps[] = {
		{22, 0, join},
		{22, 0, beat},
		{10, 0, visit},
		{6, 0, release},
		{4, 0, history_recall},
		{1, 0, history_empty},
		{4, 0, report_sessions},
		{18, 0, admit},
		{8, 0, reap},
		{14, 0, pass_time},
		{3, 0, change_settings},
		{3, HISTORY_FAILOVER, keep_replica},
		{2, HISTORY_FAILOVER, fail_over},
		{1, HISTORY_TOTAL_LOSS, lose_everything},
	};
	unsigned total = 0;
	for (size_t i = 0; i < sizeof(steps) / sizeof(*steps); i++)
		total += (steps[i].needs & ~history->traits) ? 0 : steps[i].weight;
	uint64_t thrown = dice(total);
	for (size_t i = 0; i < sizeof(steps) / sizeof(*steps); i++) {
		if (steps[i].needs & ~history->traits)
			continue;
		if (thrown < steps[i].weight) {
			steps[i].step(history);
			break;
		}
		thrown -= steps[i].weight;
	}
	twin_compare(history->twin);
	history_check_index(history);
	if (chance(2))
		history_reload_index(history, true);
}
