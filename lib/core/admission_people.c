/* Admission: the steps of visitors: joining, heartbeats, polls, leaving, coming back after a loss.
 *
 * Somebody who joins is admitted at once when nobody waits and both a slot and a token are free;
 * the first who has to wait ends that for everybody behind them. A place that waits is a ghost
 * until its first heartbeat. Whatever is repeated, in a batch or later, changes nothing.
 */
#include "admission_state.h"
#include "waitingroom/admission.h"
#include "waitingroom/memory.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MINUTE_MS 60000
#define SETTLE_MS 1000 /* after a total loss: pods say which numbers they have given out */

/* ---- enqueue ---- */

static int64_t joins_in_window(const struct admission *admission, const char *network,
							   int64_t window)
{
	for (size_t i = 0; i < admission->network_count; i++)
		if (admission->networks[i].window == window &&
			strcmp(admission->networks[i].name, network) == 0)
			return admission->networks[i].joins;
	return 0;
}

static void count_join(struct admission *admission, const char *network, int64_t window)
{
	for (size_t i = 0; i < admission->network_count; i++)
		if (admission->networks[i].window == window &&
			strcmp(admission->networks[i].name, network) == 0) {
			admission->networks[i].joins++;
			return;
		}
	admission->networks =
		mem_grow(admission->networks, admission->network_count + 1, sizeof(*admission->networks));
	struct admission_network *fresh = &admission->networks[admission->network_count++];
	*fresh = (struct admission_network){.window = window, .joins = 1};
	snprintf(fresh->name, sizeof(fresh->name), "%s", network);
}

/* This minute's joins and the last one's share of a sliding window of a minute. */
static bool is_over(const struct admission *admission, int64_t now_ms, const char *network,
					int64_t limit)
{
	if (limit == 0 || !network || !*network)
		return false;
	int64_t window = now_ms / MINUTE_MS;
	int64_t before = joins_in_window(admission, network, window - 1);
	int64_t share = before * (MINUTE_MS - now_ms % MINUTE_MS) / MINUTE_MS;
	return share + joins_in_window(admission, network, window) >= limit;
}

/* A join that is over either limit counts for neither. */
static bool network_is_over(struct admission *admission, int64_t now_ms,
							const struct admission_join *join)
{
	int64_t network_limit = admission->settings.joins_per_network_per_minute;
	int64_t address_limit = admission->settings.joins_per_address_per_minute;
	if (is_over(admission, now_ms, join->network, network_limit) ||
		is_over(admission, now_ms, join->address, address_limit))
		return true;
	if (network_limit && *join->network)
		count_join(admission, join->network, now_ms / MINUTE_MS);
	if (address_limit && join->address && *join->address)
		count_join(admission, join->address, now_ms / MINUTE_MS);
	return false;
}

/* ---- papers ---- */

static bool is_spent(const struct admission *admission, char kind, const char *name, const char *id)
{
	for (size_t i = 0; name && i < admission->proof_count; i++)
		if (admission->proofs[i].kind == kind && strcmp(admission->proofs[i].name, name) == 0)
			return strcmp(admission->proofs[i].id, id) != 0;
	return false;
}

static void redeem(struct admission *admission, char kind, const char *name, const char *id)
{
	if (!name)
		return;
	for (size_t i = 0; i < admission->proof_count; i++)
		if (admission->proofs[i].kind == kind && strcmp(admission->proofs[i].name, name) == 0)
			return; /* for the same id, or it would not have been taken */
	admission->proofs =
		mem_grow(admission->proofs, admission->proof_count + 1, sizeof(*admission->proofs));
	struct admission_proof *proof = &admission->proofs[admission->proof_count++];
	*proof = (struct admission_proof){.kind = kind};
	snprintf(proof->name, sizeof(proof->name), "%s", name);
	snprintf(proof->id, sizeof(proof->id), "%s", id);
}

static struct admission_person *find_person(const struct admission *admission, const char *identity)
{
	for (size_t i = 0; i < admission->person_count; i++)
		if (strcmp(admission->persons[i].identity, identity) == 0)
			return &admission->persons[i];
	return NULL;
}

/* The id under which somebody's place is, or would be made. */
static const char *id_of(const struct admission *admission, const struct admission_join *join)
{
	if (!join->other_id)
		return join->id;
	const struct admission_person *person = find_person(admission, join->id);
	const char *id = person ? person->id : join->id;
	const struct admission_place *place = admission_find(admission, id);
	return (place ? place_state_is_terminal(place->state) : person != NULL) ? join->other_id : id;
}

static void keep_id(struct admission *admission, const char *identity, const char *id)
{
	if (strcmp(identity, id) == 0)
		return;
	struct admission_person *person = find_person(admission, identity);
	if (!person) {
		admission->persons =
			mem_grow(admission->persons, admission->person_count + 1, sizeof(*admission->persons));
		person = &admission->persons[admission->person_count++];
	}
	snprintf(person->identity, sizeof(person->identity), "%s", identity);
	snprintf(person->id, sizeof(person->id), "%s", id);
}

/* ---- the entrance ---- */

struct entrance {
	int64_t now_ms;
	bool is_busy;
	uint64_t waiting;
	int64_t direct; /* how many may still walk straight in */
	int64_t units;
	size_t first_new; /* places from here on were made in this step */
};

static void open_entrance(const struct admission *admission, size_t count,
						  struct entrance *entrance)
{
	entrance->waiting = admission_in_line(admission);
	entrance->first_new = admission->place_count;
	if (admission->settings.state == QUEUE_PASSTHROUGH) {
		entrance->direct = (int64_t)count;
		return;
	}
	enum queue_state state = queue_settings_state_at(&admission->settings, entrance->now_ms);
	if (state != QUEUE_OPEN || entrance->waiting || admission->rebuilding)
		return;
	for (size_t i = 0; i < admission->place_count; i++)
		if (admission->places[i].is_returned || admission->places[i].is_restored)
			return;
	entrance->units = admission_bucket(admission, entrance->now_ms);
	int64_t slots = admission_free_slots(admission);
	entrance->direct = entrance->units / UNITS_PER_PERSON;
	entrance->direct = entrance->direct < slots ? entrance->direct : slots;
}

static bool may_not_join(struct admission *admission, const struct entrance *entrance,
						 const struct admission_join *person, const char *id,
						 enum admission_code *ret_code)
{
	if (queue_state_is_closed(admission->settings.state))
		*ret_code = ADMISSION_CLOSED;
	else if (entrance->is_busy)
		*ret_code = ADMISSION_BUSY;
	else if (person->lane < 0)
		*ret_code = ADMISSION_NO_LANE;
	else if ((int64_t)entrance->waiting >= admission->settings.max_waiting && entrance->direct <= 0)
		*ret_code = ADMISSION_FULL;
	else if (is_spent(admission, 'j', person->entry, id))
		*ret_code = ADMISSION_USED;
	else if (person->only_known || is_spent(admission, 'n', person->nonce, id))
		*ret_code = ADMISSION_REPLAYED;
	else if (network_is_over(admission, entrance->now_ms, person))
		*ret_code = ADMISSION_RATE;
	else
		return false;
	return true;
}

/* Of somebody who joined in this step: nobody has left the lane since. */
static uint64_t position_of_last(const struct admission *admission,
								 const struct admission_place *place)
{
	return place->ticket - admission->lanes[place->lane].gone;
}

static size_t make_place(struct admission *admission, struct entrance *entrance,
						 const struct admission_join *person, const char *id,
						 uint64_t *ret_position)
{
	struct admission_lane *lane = &admission->lanes[person->lane];
	struct admission_place place = {.state = PLACE_WAITING,
									.lane = (size_t)person->lane,
									.ticket = ++lane->ticket,
									.joined_ms = entrance->now_ms};
	redeem(admission, 'j', person->entry, id);
	redeem(admission, 'n', person->nonce, id);
	keep_id(admission, person->id, id);
	snprintf(place.id, sizeof(place.id), "%s", id);
	snprintf(place.request_hash, sizeof(place.request_hash), "%s", person->request_hash);
	if (entrance->direct > 0) {
		entrance->direct--;
		entrance->units -= UNITS_PER_PERSON;
		admission_move(&place, PLACE_ADMITTED);
		place.has_slot = true;
		place.slot_ends_ms = entrance->now_ms + admission->settings.claim_ttl_ms;
		lane->admitted++;
		admission_depart(lane, place.ticket);
		*ret_position = 0;
		return admission_add(admission, &place);
	}
	entrance->waiting++;
	place.has_heartbeat = true;
	place.heartbeat_ms = -entrance->now_ms;
	*ret_position = position_of_last(admission, &place);
	size_t at = admission_add(admission, &place);
	admission_append(lane, at);
	return at;
}

/* Everybody enqueued is told before anybody admitted. */
static void tell_joined(struct admission *admission, const struct entrance *entrance)
{
	bool passthrough = admission->settings.state == QUEUE_PASSTHROUGH;
	int64_t admitted = 0;
	for (size_t i = entrance->first_new; i < admission->place_count; i++)
		admission_tell(admission, ADMISSION_ENQUEUED, i, 0, "");
	for (size_t i = entrance->first_new; i < admission->place_count; i++)
		if (admission->places[i].state == PLACE_ADMITTED) {
			admission_tell(admission, ADMISSION_ADMITTED, i, admission->places[i].joined_ms,
						   passthrough ? "passthrough" : "immediate");
			admitted++;
		}
	if (admitted && !passthrough)
		admission_keep_bucket(admission, entrance->now_ms, entrance->units);
}

/* Whoever holds an older token learns that the place has moved. */
static void raise_holder(struct admission_place *place, int64_t now_ms)
{
	place->holder = place->holder < now_ms / 1000 ? now_ms / 1000 : place->holder + 1;
}

void admission_enqueue(struct admission *admission, int64_t now_ms, bool outbox_is_full,
					   const char *seen_epoch, const uint64_t seen[],
					   const struct admission_join *people, size_t count,
					   struct admission_joined *ret_joined)
{
	admission_begin(admission);
	if (seen && epoch_counts(seen_epoch, admission->epoch, admission->lost_epochs))
		for (size_t i = 0; i < admission->settings.lane_count; i++)
			admission_raise(admission, now_ms, i, seen[i]);
	bool is_settling = admission->rebuilding && llabs(now_ms - admission->revived_ms) < SETTLE_MS;
	struct entrance entrance = {.now_ms = now_ms, .is_busy = outbox_is_full || is_settling};
	open_entrance(admission, count, &entrance);
	for (size_t i = 0; i < count; i++) {
		struct admission_joined *joined = &ret_joined[i];
		*joined = (struct admission_joined){.lane = (size_t)people[i].lane};
		const char *id = id_of(admission, &people[i]);
		ptrdiff_t at = admission_index(admission, id);
		if (at < 0) {
			if (may_not_join(admission, &entrance, &people[i], id, &joined->code))
				continue;
			joined->code = ADMISSION_NEW;
			at = (ptrdiff_t)make_place(admission, &entrance, &people[i], id, &joined->position);
		} else {
			const char *hash = admission->places[at].request_hash;
			bool is_same = !*hash || !strcmp(hash, people[i].request_hash);
			joined->code = is_same ? ADMISSION_SAME : ADMISSION_REUSED;
			if (people[i].other_id)
				raise_holder(&admission->places[at], now_ms);
			if ((size_t)at >= entrance.first_new && admission->places[at].state == PLACE_WAITING)
				joined->position = position_of_last(admission, &admission->places[at]);
		}
		joined->state = admission->places[at].state;
		joined->lane = admission->places[at].lane;
		joined->ticket = admission->places[at].ticket;
		joined->joined_ms = admission->places[at].joined_ms;
		joined->holder = people[i].other_id ? admission->places[at].holder : 0;
		memcpy(joined->id, admission->places[at].id, sizeof(joined->id));
	}
	tell_joined(admission, &entrance);
}

/* ---- heartbeat and visit ---- */

void admission_heartbeat(struct admission *admission, int64_t now_ms, const char *const ids[],
						 size_t count, bool *ret_missing)
{
	admission_begin(admission);
	admission->flush_ms = now_ms;
	for (size_t i = 0; i < count; i++) {
		ptrdiff_t at = admission_index(admission, ids[i]);
		ret_missing[i] = at < 0 || !admission->places[at].has_heartbeat;
		if (!ret_missing[i])
			admission->places[at].heartbeat_ms = now_ms;
	}
}

static void poll_place(struct admission *admission, int64_t now_ms, bool claims, size_t at)
{
	struct admission_place *place = &admission->places[at];
	if (place->state == PLACE_ADMITTED && claims) {
		admission_move(place, PLACE_CLAIMED);
		place->session_ends_ms = now_ms + admission->settings.session_ttl_ms;
		place->has_slot = true;
		place->slot_ends_ms = place->session_ends_ms;
		admission_tell(admission, ADMISSION_CLAIMED, at, place->session_ends_ms, "");
	} else if (place->state == PLACE_WAITING) {
		if (place->aside || place->back) {
			place->aside = place->is_absent = false;
			place->back = place->is_returned = true;
		} else if (!place->has_heartbeat) {
			admission_raise(admission, now_ms, place->lane, place->ticket);
			place->is_restored = true;
		}
		place->has_heartbeat = true;
		place->heartbeat_ms = now_ms;
	}
}

static uint64_t position_of(const struct admission *admission, const struct admission_place *place)
{
	if (place->state != PLACE_WAITING)
		return 0;
	if (place->aside || place->back)
		return 1;
	if (admission->rebuilding)
		return 0; /* how many are before it is not known yet */
	const struct admission_lane *lane = &admission->lanes[place->lane];
	uint64_t position = 1;
	for (uint64_t ticket = 1; ticket < place->ticket; ticket++)
		position += !admission_is_gone(lane, ticket);
	return position;
}

void admission_visit(struct admission *admission, int64_t now_ms, enum visit_kind kind,
					 const char *const ids[], size_t count, struct admission_visited *ret_visited)
{
	admission_begin(admission);
	for (size_t i = 0; i < count; i++) {
		ptrdiff_t at = admission_index(admission, ids[i]);
		ret_visited[i] = (struct admission_visited){.state = PLACE_NONE};
		if (at < 0)
			continue;
		if (kind != VISIT_LOOK)
			poll_place(admission, now_ms, kind == VISIT_POLL, (size_t)at);
		const struct admission_place *place = &admission->places[at];
		ret_visited[i] = (struct admission_visited){
			.state = place->state,
			.lane = place->lane,
			.ticket = place->ticket,
			.joined_ms = place->joined_ms,
			.ends_ms =
				place->state == PLACE_ADMITTED ? place->slot_ends_ms : place->session_ends_ms,
			.position = position_of(admission, place),
			.holder = place->holder,
			.emptied = place->emptied,
		};
	}
}

/* ---- release ---- */

static bool ends_how(const struct admission_place *place, enum admission_release what,
					 enum place_state *ret_state, enum admission_event_type *ret_event)
{
	if (place->state == PLACE_WAITING && what == ADMISSION_LEAVE) {
		*ret_state = PLACE_LEFT;
		*ret_event = ADMISSION_LEFT;
	} else if (place->state == PLACE_ADMITTED &&
			   (what == ADMISSION_LEAVE || what == ADMISSION_REVOKE)) {
		*ret_state = PLACE_MISSED;
		*ret_event = ADMISSION_MISSED;
	} else if (place->state == PLACE_CLAIMED && what != ADMISSION_RENEW) {
		*ret_state = PLACE_ENDED;
		*ret_event =
			what == ADMISSION_REVOKE ? ADMISSION_SESSION_REVOKED : ADMISSION_SESSION_RELEASED;
	} else {
		return false;
	}
	return true;
}

void admission_release(struct admission *admission, int64_t now_ms, enum admission_release what,
					   const char *const ids[], size_t count,
					   struct admission_released *ret_released)
{
	admission_begin(admission);
	for (size_t i = 0; i < count; i++) {
		ptrdiff_t at = admission_index(admission, ids[i]);
		ret_released[i] = (struct admission_released){.state = PLACE_NONE};
		if (at < 0)
			continue;
		struct admission_place *place = &admission->places[at];
		enum place_state to;
		enum admission_event_type event;
		if (ends_how(place, what, &to, &event)) {
			if (to == PLACE_LEFT) {
				admission_depart(&admission->lanes[place->lane], place->ticket);
				place->has_heartbeat = place->is_absent = false;
				place->is_returned = place->is_restored = false;
			} else {
				place->has_slot = false;
			}
			admission_move(place, to);
			admission_tell(admission, event, (size_t)at, 0, "");
		} else if (what == ADMISSION_RENEW && place->state == PLACE_CLAIMED &&
				   admission->settings.session_renewal) {
			place->session_ends_ms = now_ms + admission->settings.session_ttl_ms;
			place->has_slot = true;
			place->slot_ends_ms = place->session_ends_ms;
		}
		ret_released[i] = (struct admission_released){place->state, place->session_ends_ms};
	}
}

/* ---- restore ---- */

static bool is_of_this_queue(const struct admission *admission, const struct admission_token *token)
{
	return token->lane >= 0 && epoch_counts(token->epoch, admission->epoch, admission->lost_epochs);
}

static void put_back(struct admission *admission, int64_t now_ms,
					 const struct admission_token *token, struct admission_place *place)
{
	admission_raise(admission, now_ms, (size_t)token->lane, token->ticket);
	if (!place->aside && !place->back)
		place->is_restored = true;
	place->has_heartbeat = true;
	place->heartbeat_ms = now_ms;
}

void admission_restore(struct admission *admission, int64_t now_ms,
					   const struct admission_token *tokens, size_t count,
					   enum place_state *ret_states)
{
	admission_begin(admission);
	for (size_t i = 0; i < count; i++) {
		const struct admission_token *token = &tokens[i];
		ptrdiff_t at = admission_index(admission, token->id);
		if (at >= 0) {
			struct admission_place *place = &admission->places[at];
			if (place->state == PLACE_WAITING && !place->has_heartbeat)
				put_back(admission, now_ms, token, place);
			ret_states[i] = place->state;
			continue;
		}
		ret_states[i] = PLACE_NONE;
		if (!is_of_this_queue(admission, token) ||
			admission_is_gone(&admission->lanes[token->lane], token->ticket))
			continue;
		struct admission_place place = {.state = PLACE_WAITING,
										.lane = (size_t)token->lane,
										.ticket = token->ticket,
										.joined_ms = token->joined_ms,
										.back = token->front,
										.is_returned = token->front};
		snprintf(place.id, sizeof(place.id), "%s", token->id);
		put_back(admission, now_ms, token, &place);
		if (token->front)
			admission_depart(&admission->lanes[token->lane], token->ticket);
		admission_tell(admission, ADMISSION_RESTORED, admission_add(admission, &place), 0,
					   admission->rebuilding ? "rebuilt" : "failover");
		ret_states[i] = PLACE_WAITING;
	}
}
