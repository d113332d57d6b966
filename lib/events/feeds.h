/* Feeds: all queues that the relay serves, taking turns.
 *
 * What     Keeps the list of queues up to date, shares the window fairly between them, and makes a
 *          pause when the store is in trouble.
 * Used by  relay.c.
 * Threads  the relay's.
 */
#ifndef EVENTS_FEEDS_H
#define EVENTS_FEEDS_H

#include <stdbool.h>
#include <stddef.h>

#include "backoff.h"
#include "feed.h"

struct feeds {
	struct feeds_shared shared;
	struct feed **all;
	size_t count;
	size_t turn;			  /* whose turn it was last */
	struct queue_name *names; /* as the source listed them */
	size_t names_room;
	struct mono_time list_at; /* when to ask for the list again; 0: now */
	struct backoff trouble;	  /* of the store */
};

/* shared  source, broker and batch_entries are set */
void feeds_init(struct feeds *feeds, const struct feeds_shared *shared);
void feeds_fini(struct feeds *feeds); /* no flight may be open */

enum feeds_mode {
	FEEDS_READ,	  /* events can be published */
	FEEDS_HOLD,	  /* not now: keep the leases, read nothing */
	FEEDS_GIVE_UP /* not for a while: give the leases up, look now and then */
};
/* Whatever the store is needed for and is due. */
void feeds_tend(struct feeds *feeds, enum feeds_mode mode, struct mono_time now);

/* One turn for every queue as long as fewer than 'window' events are in flight. True: somebody
 * published. */
bool feeds_publish(struct feeds *feeds, size_t window);
/* All begin again at what is not known to be stored. */
void feeds_drop(struct feeds *feeds);

/* The earliest time at which feeds_tend has work in FEEDS_READ; not after 'latest'. */
struct mono_time feeds_next_at(const struct feeds *feeds, struct mono_time now,
							   struct mono_time latest);
void feeds_update_meter(struct feeds *feeds);

/* For a clean stop: look at every queue once more, now; has everything been told since 'since'? */
void feeds_hurry(struct feeds *feeds, struct mono_time now);
bool feeds_are_drained(const struct feeds *feeds, struct mono_time since);
/* Removes what is stored, gives all leases up. */
void feeds_finish(struct feeds *feeds, struct mono_time now);

#endif
