/* Admission: the rules of a queue as a model in memory, one function per script of the store.
 *
 * What     The decisions of lib/store/scripts/{enqueue,heartbeat,visit,release,restore,
 *          support_restore,admit,reap,queue_empty}.lua, written a second time without a store: state and time are arguments, what
 *          happened comes back as data. tests/contract/admission_model.c runs random histories on
 *          both and compares every answer and the whole state, so whoever changes a rule changes
 *          it in two places and learns at once when they differ.
 *          Not in the model, because they only save work or memory: leases, the forgetting of
 *          ended places, targets and user data.
 * Used by  tests. The programs decide in the store, where one step is atomic.
 * Threads  any; a model belongs to its caller.
 */
#ifndef WAITINGROOM_ADMISSION_H
#define WAITINGROOM_ADMISSION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "waitingroom/settings.h"
#include "waitingroom/state.h"
#include "waitingroom/token.h"

/* ---- state ---- */

struct admission_place {
	char id[POSITION_ID_CHARS + 1];
	char request_hash[32];
	enum place_state state;
	size_t lane;
	uint64_t ticket;
	int64_t joined_ms;
	int64_t session_ends_ms; /* once claimed */
	bool aside, back;		 /* stands before the line: absent, or returned */
	int64_t holder;			 /* raised when the place was taken over; 0: never */
	uint64_t put_back;		 /* by an operator, so often */
	bool counted_out;		 /* stands in line, by its ticket, which is marked as gone */
	bool emptied;			 /* expired by an operator's order */

	/* Membership of the sets, and the score there. The others are scored by ticket. */
	bool has_heartbeat, has_slot, is_absent, is_returned, is_restored;
	int64_t heartbeat_ms; /* of a ghost the negative of when it was made */
	int64_t slot_ends_ms;
};

struct admission_range {
	uint64_t first, last;
};

struct admission_lane {
	uint64_t ticket;   /* last given */
	uint64_t gone;	   /* of them have left the line */
	uint64_t admitted; /* since the beginning */
	uint64_t let_in;   /* highest ticket let in from the line's own order */
	int64_t credit;
	bool *gone_tickets; /* [ticket - 1] */
	size_t gone_room;
	size_t *list; /* places in order of arrival, the first at list_first */
	size_t list_first, list_end, list_room;
	struct admission_range *lost; /* tickets that were lost and may still be reported */
	size_t lost_count;
};

struct admission_network {
	char name[32];
	int64_t window;
	int64_t joins;
};

struct admission_proof { /* a challenge or entry token that has been redeemed */
	char kind;
	char name[32];
	char id[POSITION_ID_CHARS + 1];
};

struct admission_person { /* whose place has another id than the one derived from the identity */
	char identity[POSITION_ID_CHARS + 1];
	char id[POSITION_ID_CHARS + 1];
};

#define ADMISSION_EVENT_TABLE(X)                                                                   \
	X(ADMISSION_ENQUEUED, "enqueued")                                                              \
	X(ADMISSION_ADMITTED, "admitted")                                                              \
	X(ADMISSION_CLAIMED, "claimed")                                                                \
	X(ADMISSION_MISSED, "missed")                                                                  \
	X(ADMISSION_SESSION_EXPIRED, "session-expired")                                                \
	X(ADMISSION_SESSION_RELEASED, "session-released")                                              \
	X(ADMISSION_SESSION_REVOKED, "session-revoked")                                                \
	X(ADMISSION_EXPIRED, "expired")                                                                \
	X(ADMISSION_LEFT, "left")                                                                      \
	X(ADMISSION_RESTORED, "restored")

#define ADMISSION_EVENT_ENUM(name, word) name,
enum admission_event_type { ADMISSION_EVENT_TABLE(ADMISSION_EVENT_ENUM) ADMISSION_EVENT_TYPES };
#undef ADMISSION_EVENT_ENUM
const char *admission_event_word(enum admission_event_type type);

struct admission_event {
	enum admission_event_type type;
	size_t place;
	int64_t number;	 /* admitted: joined_ms; claimed: session end */
	const char *how; /* admitted, expired, restored: the word of the outbox; else "" */
};

struct admission {
	struct queue_settings settings;
	char epoch[EPOCH_CHARS + 1], lost_epochs[LOST_EPOCHS_BYTES];
	int64_t revived_ms;
	bool rebuilding; /* after a total loss: nobody is let in */
	bool recovering; /* lost tickets are waited for until recover_until_ms */
	int64_t recover_until_ms;

	struct admission_lane lanes[QUEUE_LANES_MAX]; /* as in settings, whose lanes must not change */
	struct admission_place *places;
	size_t place_count, place_room;

	bool has_bucket;
	int64_t units, bucket_ms; /* a person costs 60000 units */
	bool has_clock;
	int64_t tick_ms, flush_ms, since_ms;
	char life[48];

	struct admission_network *networks;
	size_t network_count;

	struct admission_proof *proofs;
	size_t proof_count;
	struct admission_person *persons;
	size_t person_count;

	struct admission_event *events; /* of the last step, in the order told */
	size_t event_count, event_room;
};

struct admission *admission_new(const struct queue_settings *settings,
								const char *epoch);					 /* gives */
struct admission *admission_copy(const struct admission *admission); /* gives */
void admission_free(struct admission *admission);
/* The place of this id, or NULL when nothing is known of it; lends until the next step. */
const struct admission_place *admission_find(const struct admission *admission, const char *id);
uint64_t admission_in_line(const struct admission *admission); /* all lanes */

/* A queue that the store has lost whole: new epoch, highest tickets known by lane (0: none). */
void admission_revive(struct admission *admission, int64_t now_ms, const char *epoch,
					  const uint64_t tickets[]);

/* ---- steps; the script of the same name documents each ---- */

enum admission_code {
	ADMISSION_NEW,
	ADMISSION_SAME,
	ADMISSION_REUSED,
	ADMISSION_CLOSED,
	ADMISSION_FULL,
	ADMISSION_BUSY,
	ADMISSION_RATE,
	ADMISSION_NO_LANE,
	ADMISSION_REPLAYED,
	ADMISSION_USED,
};
struct admission_join {
	const char *id;
	int lane; /* in the settings; negative: unknown */
	const char *request_hash;
	const char *network, *address; /* "" or NULL: not limited */
	/* Papers; NULL: none. */
	const char *nonce, *entry; /* proofs, good for one place */
	bool only_known;		   /* the proof is too old for somebody new */
	const char *other_id; /* 'id' stands for a person; the one to use when its place has ended */
};
struct admission_joined {
	enum admission_code code;
	enum place_state state; /* PLACE_NONE when refused */
	size_t lane;
	uint64_t ticket, position;
	int64_t joined_ms;
	int64_t holder; /* of somebody with an identity */
	char id[POSITION_ID_CHARS + 1];
};
/* seen: by lane the highest ticket that the caller knows of, in the life seen_epoch; or NULL.
 * ret: one for each of people. */
void admission_enqueue(struct admission *admission, int64_t now_ms, bool outbox_is_full,
					   const char *seen_epoch, const uint64_t seen[],
					   const struct admission_join *people, size_t count,
					   struct admission_joined *ret_joined);

/* ret_missing: for each of ids, whether nobody holds it. */
void admission_heartbeat(struct admission *admission, int64_t now_ms, const char *const ids[],
						 size_t count, bool *ret_missing);

struct admission_visited {
	enum place_state state;
	size_t lane;
	uint64_t ticket;
	int64_t joined_ms, ends_ms;
	uint64_t position; /* of who waits, 1 also before the line; else 0 */
	int64_t holder;
	bool emptied;
};
void admission_visit(struct admission *admission, int64_t now_ms, enum visit_kind kind,
					 const char *const ids[], size_t count, struct admission_visited *ret_visited);

enum admission_release { ADMISSION_LEAVE, ADMISSION_RELEASE, ADMISSION_REVOKE, ADMISSION_RENEW };
struct admission_released {
	enum place_state state;
	int64_t ends_ms;
};
void admission_release(struct admission *admission, int64_t now_ms, enum admission_release what,
					   const char *const ids[], size_t count,
					   struct admission_released *ret_released);

struct admission_token { /* what a visitor's signed token says */
	const char *id;
	int lane; /* negative: unknown */
	uint64_t ticket;
	int64_t joined_ms;
	const char *epoch;
	bool front; /* the ticket had left the line before it was lost (restore) */
};
/* ret_states: for each token the state after the step. */
void admission_restore(struct admission *admission, int64_t now_ms,
					   const struct admission_token *tokens, size_t count,
					   enum place_state *ret_states);

#define ADMISSION_RECALL_TABLE(X)                                                                  \
	X(ADMISSION_RECALLED, "restored")                                                              \
	X(ADMISSION_NOT_LOST, "there")                                                                 \
	X(ADMISSION_UNKNOWN, "unknown")                                                                \
	X(ADMISSION_OTHER_LANE, "lane")                                                                \
	X(ADMISSION_NO_TICKET, "ticket")
#define ADMISSION_RECALL_ENUM(name, word) name,
enum admission_recall { ADMISSION_RECALL_TABLE(ADMISSION_RECALL_ENUM) };
#undef ADMISSION_RECALL_ENUM
struct admission_recalled {
	enum admission_recall outcome;
	enum place_state state;
	int lane; /* negative: unknown */
	uint64_t ticket;
	bool front;
};
/* An operator puts a place back. token: its id, and what is known of it where nothing is kept of it
 * (ticket 0: nothing; the epoch does not count). */
void admission_recall(struct admission *admission, int64_t now_ms,
					  const struct admission_token *token, struct admission_recalled *ret_recalled);

#define ADMISSION_BATCH_MAX 500 /* people; as a call of the store has */
struct admission_session {		/* what the signed token of a session says */
	const char *id;
	int lane; /* negative: unknown */
	uint64_t ticket;
	int64_t ends_ms;
	const char *epoch;
};
void admission_restore_sessions(struct admission *admission, int64_t now_ms,
								const struct admission_session *tokens, size_t count,
								enum place_state *ret_states);

struct admission_admitted {
	uint64_t admitted, set_aside, in_line;
	bool calm; /* nobody was there whom a later step could keep waiting */
	int64_t free;
	bool more;
};
void admission_admit(struct admission *admission, int64_t now_ms, uint64_t limit, const char *life,
					 int64_t gap_ms, uint64_t extra, struct admission_admitted *ret_admitted);

struct admission_reaped {
	uint64_t expired, missed, ended;
	bool more;
};
void admission_reap(struct admission *admission, int64_t now_ms, uint64_t limit, const char *life,
					int64_t gap_ms, struct admission_reaped *ret_reaped);

/* queue_empty.lua: 'bound' has by lane the last ticket that is meant. */
struct admission_emptied {
	bool refused; /* while the queue is being rebuilt */
	bool more;
	uint64_t expired;
};
void admission_empty(struct admission *admission, uint64_t limit, const uint64_t bound[],
					 struct admission_emptied *ret_emptied);

#endif
