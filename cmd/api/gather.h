/* Gather: what the requests of one turn ask of the store, sent together.
 *
 * A request that needs the store is parked here under its queue and kind. At the end of the turn
 * each list becomes one script call, as long as fewer than two of the same kind are under way; what
 * arrives meanwhile waits for the next. So the fuller the worker, the larger the batches.
 * Heartbeats are gathered longer (WR_FLUSH_INTERVAL_MS), and nobody waits for them.
 */
#ifndef WAITINGROOM_API_GATHER_H
#define WAITINGROOM_API_GATHER_H

#include "worker.h"

/* What a parked request keeps in its notes. */
struct joining {
	struct json_value *document; /* owned */
	char *target, *user;		 /* owned; NULL none */
	char *papers;				 /* owned; for enqueue.lua; NULL none */
	bool may_be_known;			 /* by its key or identity: may be a repeated join */
	char request_hash[TARGET_HASH_CHARS + 1];
	char network[NETWORK_TEXT_BYTES + 20]; /* and a hash of the address, where it is limited */
};

struct redeeming { /* of the pass, beside what stands in the claims (authz_pass.c) */
	char pass_id[PASS_ID_CHARS + 1];
	char binding[BINDING_CHARS + 1];
	bool renewal;
};

enum gather_kind {
	GATHER_JOIN,	/* enqueue.lua */
	GATHER_POLL,	/* visit.lua: brings back, claims */
	GATHER_STAY,	/* visit.lua: brings back */
	GATHER_LOOK,	/* visit.lua: only reads */
	GATHER_RESTORE, /* restore.lua: the store does not know a place that a token proves */
	GATHER_LEAVE,	/* release.lua */
	GATHER_RELEASE, /* release.lua */
	GATHER_REDEEM,	/* redeem.lua: somebody comes to the site with a pass */
	GATHER_KINDS
};

/* A request of the page without scripts, which is answered with HTML (noscript.c). */
enum page_way { PAGE_NONE, PAGE_LOOK, PAGE_JOIN, PAGE_ENTER, PAGE_LEAVE };

struct parked { /* the notes of every request of ours */
	enum endpoint endpoint;
	bool is_parked; /* once parked, it may be gathered again */
	bool is_join;	/* the answer carries the position token */
	bool was_lost;	/* asked with the cookie of a place that was lost: most likely it still is */
	enum page_way page;
	int status;					   /* of a good answer: 200, 201 */
	struct position_claims claims; /* the place; for a session only queue, id and epoch */
	struct joining joining;		   /* GATHER_JOIN */
	struct redeeming redeeming;	   /* GATHER_REDEEM */
	uint8_t mount;				   /* GATHER_REDEEM: enum authz_mount */
};
_Static_assert(sizeof(struct parked) <= HTTP_NOTES_BYTES, "notes are too small");

struct gather;
struct gather *gather_new(struct worker *worker);
void gather_free(struct gather *gather);

/* Parks the request; its answer comes from place.c or the endpoint's own file. WR_BUSY: too many
 * are waiting already, the request is untouched. 'slot' of the queue's snapshot. */
WR_MUST_USE enum wr_err gather_request(struct gather *gather, uint32_t slot, enum gather_kind kind,
									   struct http_request *request);
/* A heartbeat: nobody waits for it. 'lane' as in the snapshot's settings. */
void gather_beat(struct gather *gather, const struct queue_snapshot *snapshot, int lane,
				 const struct position_claims *claims);

/* ---- nobody waits for these ---- */
/* The session has been given a token with a full life. Kept until the store can be told. */
void gather_renew(struct gather *gather, const struct queue_snapshot *snapshot,
				  const char *position_id);
/* May the store have lost this session, which a good token proves? After it lost everything, and
 * for a while after it restarted or another took its place. Cheap: for every check at the gate. */
bool gather_wants_session(const struct gather *gather, const struct queue_snapshot *snapshot,
						  const struct session_claims *session);
/* May the store have lost its last moments? For a while after it restarted or another took its
 * place. */
bool gather_store_may_have_lost(struct gather *gather);
/* Then it is put back, if it is lost; often a no-op, because it was reported lately. */
void gather_reregister(struct gather *gather, const struct queue_snapshot *snapshot,
					   const struct session_claims *session);

void gather_send(struct gather *gather);  /* end of a turn */
void gather_flush(struct gather *gather); /* timer: for what nobody waits */
void gather_mark(struct gather *gather);  /* timer: tells the store that we are listening */
bool gather_is_idle(const struct gather *gather);

#endif
