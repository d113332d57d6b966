/* Revocations: a hash table with open addressing that only grows, for one writer and lock-free
 * readers.
 *
 * An entry is two words of id, a holder, and two times. The writer fills an empty entry from back
 * to front: values, second word of the id, and last, releasing, the first word, which is what makes
 * it used. A reader who sees the first word sees the rest; one who comes too early finds nothing,
 * as if it had asked a moment before. Values of a used entry change by single stores.
 *
 * Nothing is taken out, which would need readers to be told. When three quarters are used, the
 * writer makes a new table of what is still needed, shows that one, and retires this.
 *
 * Ids are random characters (token_ids.c) and cannot be chosen, so a mix of their words is hash
 * enough.
 */
#include "waitingroom/revocations.h"

#include <stdlib.h>
#include <string.h>

#include "waitingroom/memory.h"
#include "waitingroom/token.h"

#define ROOM_MIN 64 /* entries of a table; a power of two, as all rooms */

_Static_assert(POSITION_ID_CHARS == 16, "an id is two words");

struct entry {
	_Atomic uint64_t first, second;			  /* characters of the id; first 0: not used */
	_Atomic uint32_t holder;				  /* 0: never moved */
	_Atomic uint32_t has_session;			  /* it was ended: 0 or 1 */
	uint32_t session_until_s, holder_until_s; /* only the writer looks */
};

struct revocations {
	struct revocations_head head;
	_Atomic uint32_t used;
	uint32_t room; /* 0: no entries yet */
	struct entry *entries;
};

_Static_assert(offsetof(struct revocations, head) == 0, "revocations_has_session looks there");

static struct revocations *make(uint32_t room)
{
	struct revocations *revocations = mem_alloc_zero(1, sizeof(*revocations));
	revocations->room = room;
	if (room > 0)
		revocations->entries = mem_alloc_zero(room, sizeof(struct entry));
	return revocations;
}

struct revocations *revocations_new(void)
{
	return make(0);
}

void revocations_free(struct revocations *revocations)
{
	if (revocations == NULL)
		return;
	free(revocations->entries);
	free(revocations);
}

size_t revocations_count(const struct revocations *revocations)
{
	return atomic_load_explicit(&revocations->used, memory_order_relaxed);
}

struct id_words {
	uint64_t first, second;
};

static struct id_words words_of(const char *position_id)
{
	struct id_words words;
	memcpy(&words.first, position_id, 8);
	memcpy(&words.second, position_id + 8, 8);
	return words;
}

static uint32_t place_of(struct id_words id, uint32_t room)
{
	uint64_t mixed = (id.first ^ (id.second << 1 | id.second >> 63)) * UINT64_C(0x9e3779b97f4a7c15);
	return (uint32_t)(mixed >> 32) & (room - 1);
}

/* The entry of the id, or the empty one where it would stand; a quarter is always empty. */
static struct entry *find(const struct revocations *revocations, struct id_words id,
						  bool *ret_found)
{
	uint32_t at = place_of(id, revocations->room);
	for (;; at = (at + 1) & (revocations->room - 1)) {
		struct entry *entry = &revocations->entries[at];
		uint64_t first = atomic_load_explicit(&entry->first, memory_order_acquire);
		*ret_found = first == id.first &&
					 atomic_load_explicit(&entry->second, memory_order_relaxed) == id.second;
		if (*ret_found || first == 0)
			return entry;
	}
}

/* ---- readers ---- */

bool revocations_find_session(const struct revocations *revocations, const char *position_id)
{
	bool found = false;
	if (revocations->room == 0)
		return false;
	const struct entry *entry = find(revocations, words_of(position_id), &found);
	return found && atomic_load_explicit(&entry->has_session, memory_order_relaxed) != 0;
}

uint32_t revocations_find_holder(const struct revocations *revocations, const char *position_id)
{
	bool found = false;
	if (revocations->room == 0)
		return 0;
	const struct entry *entry = find(revocations, words_of(position_id), &found);
	return found ? atomic_load_explicit(&entry->holder, memory_order_relaxed) : 0;
}

/* ---- the writer ---- */

static uint32_t seconds(int64_t s)
{
	return s < 0 ? 0 : s > UINT32_MAX ? UINT32_MAX : (uint32_t)s;
}

static void count_up(_Atomic uint32_t *number)
{
	atomic_fetch_add_explicit(number, 1, memory_order_relaxed);
}

/* What 'wanted' says is added to the entry of the id; false: no room. */
static bool put(struct revocations *revocations, struct id_words id, const struct entry *wanted)
{
	bool found = false;
	if (revocations->room == 0)
		return false;
	struct entry *entry = find(revocations, id, &found);
	if (!found && revocations_count(revocations) >= revocations->room / 4 * 3)
		return false;
	uint32_t holder = atomic_load_explicit(&wanted->holder, memory_order_relaxed);
	uint32_t held = atomic_load_explicit(&entry->holder, memory_order_relaxed);
	if (held == 0 && holder > 0)
		count_up(&revocations->head.holders);
	if (holder > held)
		atomic_store_explicit(&entry->holder, holder, memory_order_relaxed);
	if (wanted->holder_until_s > entry->holder_until_s)
		entry->holder_until_s = wanted->holder_until_s;
	if (wanted->session_until_s > entry->session_until_s)
		entry->session_until_s = wanted->session_until_s;
	if (atomic_load_explicit(&wanted->has_session, memory_order_relaxed) != 0 &&
		atomic_exchange_explicit(&entry->has_session, 1, memory_order_relaxed) == 0)
		count_up(&revocations->head.sessions);
	if (!found) {
		atomic_store_explicit(&entry->second, id.second, memory_order_relaxed);
		atomic_store_explicit(&entry->first, id.first, memory_order_release);
		count_up(&revocations->used);
	}
	return true;
}

bool revocations_add_session(struct revocations *revocations, const char *position_id,
							 int64_t until_s)
{
	struct entry wanted = {.has_session = 1, .session_until_s = seconds(until_s)};
	return put(revocations, words_of(position_id), &wanted);
}

void revocations_pardon(struct revocations *revocations, const char *position_id)
{
	bool found = false;
	if (revocations->room == 0)
		return;
	struct entry *entry = find(revocations, words_of(position_id), &found);
	if (!found || atomic_exchange_explicit(&entry->has_session, 0, memory_order_relaxed) == 0)
		return;
	entry->session_until_s = 0;
	atomic_fetch_sub_explicit(&revocations->head.sessions, 1, memory_order_relaxed);
}

bool revocations_add_holder(struct revocations *revocations, const char *position_id,
							uint32_t holder, int64_t until_s)
{
	struct entry wanted = {.holder = holder, .holder_until_s = seconds(until_s)};
	return put(revocations, words_of(position_id), &wanted);
}

/* ---- another table ---- */

/* What of the entry still matters after 'now_s'; false: nothing. */
static bool kept_of(const struct entry *entry, uint32_t now_s, struct entry *ret_kept)
{
	*ret_kept = (struct entry){.first = 0};
	if (entry->session_until_s > now_s) {
		ret_kept->session_until_s = entry->session_until_s;
		ret_kept->has_session = 1;
	}
	if (entry->holder_until_s > now_s) {
		ret_kept->holder_until_s = entry->holder_until_s;
		ret_kept->holder = atomic_load_explicit(&entry->holder, memory_order_relaxed);
	}
	return ret_kept->has_session != 0 || ret_kept->holder != 0;
}

static uint32_t expiry(const struct entry *entry)
{
	return entry->session_until_s > entry->holder_until_s ? entry->session_until_s
														  : entry->holder_until_s;
}

static int by_time(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
	return (x > y) - (x < y);
}

static size_t count_kept(const struct revocations *revocations, uint32_t now_s)
{
	struct entry kept;
	size_t count = 0;
	for (uint32_t i = 0; i < revocations->room; i++)
		count +=
			revocations->entries[i].first != 0 && kept_of(&revocations->entries[i], now_s, &kept);
	return count;
}

/* The time at which enough have expired that the rest fits, with some to spare so that this is not
 * done for every one that comes. */
static uint32_t crowded_until(const struct revocations *revocations, uint32_t now_s, size_t count)
{
	struct entry kept;
	uint32_t *times = mem_alloc_zero(count, sizeof(*times));
	size_t at = 0;
	for (uint32_t i = 0; i < revocations->room; i++)
		if (revocations->entries[i].first != 0 && kept_of(&revocations->entries[i], now_s, &kept))
			times[at++] = expiry(&kept);
	qsort(times, count, sizeof(*times), by_time);
	uint32_t until = times[count - REVOCATIONS_MAX / 2];
	free(times);
	return until;
}

struct revocations *revocations_copy(const struct revocations *revocations, int64_t now_s,
									 size_t *ret_dropped)
{
	uint32_t from_s = seconds(now_s), room = ROOM_MIN;
	size_t count = count_kept(revocations, from_s), before = count;
	if (count >= REVOCATIONS_MAX) {
		from_s = crowded_until(revocations, from_s, count);
		count = count_kept(revocations, from_s);
	}
	*ret_dropped = before - count;
	while (room / 4 * 3 < count + count / 2 + 1)
		room *= 2;
	struct revocations *copy = make(room);
	for (uint32_t i = 0; i < revocations->room; i++) {
		const struct entry *entry = &revocations->entries[i];
		struct id_words id = {.first = entry->first, .second = entry->second};
		struct entry kept;
		if (id.first != 0 && kept_of(entry, from_s, &kept))
			put(copy, id, &kept);
	}
	return copy;
}
