/* Revocations: sessions that were ended before their token, and places that moved to another
 * holder.
 *
 *     store's stream wr:Q:revocations ─► sync thread ─► this table ─► gate and polls of all workers
 *
 * A token is good until it expires, whatever happened to what it stands for. So a pod keeps a list
 * of the exceptions, which is short: an entry is forgotten when every token that it speaks of has
 * expired.
 *
 * What     Position id → session ended? which holder may use the place?
 * Used by  cmd/api: the sync thread writes, workers read through the queue's snapshot.
 * Threads  one writer; any number of readers, which never wait. A reader sees an entry whole or
 *          not yet. A table that is full is replaced (revocations_copy) and the old one retired.
 */
#ifndef WAITINGROOM_REVOCATIONS_H
#define WAITINGROOM_REVOCATIONS_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define REVOCATIONS_MAX (1u << 20) /* people; with more, whose tokens expire first are forgotten */

struct revocations;
struct revocations *revocations_new(void); /* gives; empty, some 100 bytes */
void revocations_free(struct revocations *revocations);

/* ---- writer ---- */
/* 'until_s': when the last token that this is about has expired. False: there is no room; nothing
 * changed. position_id has POSITION_ID_CHARS characters. */
bool revocations_add_session(struct revocations *revocations, const char *position_id,
							 int64_t until_s);
/* The session is good after all: an operator has put the place back, and it was let in once
 * more. */
void revocations_pardon(struct revocations *revocations, const char *position_id);
/* A lower holder than the known one changes nothing. */
bool revocations_add_holder(struct revocations *revocations, const char *position_id,
							uint32_t holder, int64_t until_s);
/* gives; another table with what has not expired at 'now_s', and with room for half as many again.
 * At most REVOCATIONS_MAX: *ret_dropped others, those that would have expired first, are left
 * out. */
struct revocations *revocations_copy(const struct revocations *revocations, int64_t now_s,
									 size_t *ret_dropped);
size_t revocations_count(const struct revocations *revocations); /* people; any thread */

/* ---- readers ---- */
bool revocations_find_session(const struct revocations *revocations, const char *position_id);
uint32_t revocations_find_holder(const struct revocations *revocations, const char *position_id);

struct revocations_head { /* first in struct revocations: how many there are of each */
	_Atomic uint32_t sessions, holders;
};

/* In most queues most of the time there is none: one test. */
static inline bool revocations_has_session(const struct revocations *revocations,
										   const char *position_id)
{
	const struct revocations_head *head = (const struct revocations_head *)revocations;
	return head != NULL && atomic_load_explicit(&head->sessions, memory_order_relaxed) > 0 &&
		   revocations_find_session(revocations, position_id);
}

/* 0: never moved */
static inline uint32_t revocations_holder(const struct revocations *revocations,
										  const char *position_id)
{
	const struct revocations_head *head = (const struct revocations_head *)revocations;
	return head != NULL && atomic_load_explicit(&head->holders, memory_order_relaxed) > 0
			   ? revocations_find_holder(revocations, position_id)
			   : 0;
}

#endif
