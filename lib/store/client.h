/* What the files of lib/store share: the client, a call, and the way from a call to its reply.
 *
 *     steps_*.c, sync.c, raw.c   what is asked, and what the answer means
 *       └ call.c                 one call: written, answered once, timed out, failed
 *           └ request.c          the bytes of a command
 *       └ reply.c                the reply as a flat list of items, and a walk along it
 *     link.c, greeting.c         the one connection: made, greeted, lost, made again
 *     scripts.c                  which script has which digest
 *     store.c                    the client as its owner sees it
 *
 * Threads  the loop's thread, except the counters.
 */
#ifndef WAITINGROOM_STORE_CLIENT_H
#define WAITINGROOM_STORE_CLIENT_H

#include <hiredis/async.h>
#include <stdatomic.h>
#include <sys/queue.h>

#include "waitingroom/store.h"

/* ---- addresses ---- */

struct store_endpoint {
	char host[256]; /* numeric address, or the path of a unix socket */
	int port;		/* 0: unix socket */
};
/* Fills the address to use at the 'attempt'-th try, so that a name with several addresses is tried
 * all around. False while the name has never been resolved. Any thread. */
bool store_address_pick(struct store_address *address, unsigned attempt,
						struct store_endpoint *ret_endpoint);
/* Constant after parsing; lend. "" where the URL says none. */
const char *store_address_user(const struct store_address *address);
const char *store_address_password(const struct store_address *address);
int store_address_database(const struct store_address *address);
struct tls;
const struct tls *store_address_tls(const struct store_address *address); /* NULL: none */

/* ---- scripts ---- */

#define SCRIPT_TABLE(X)                                                                            \
	X(SCRIPT_ENQUEUE, "enqueue")                                                                   \
	X(SCRIPT_HEARTBEAT, "heartbeat")                                                               \
	X(SCRIPT_VISIT, "visit")                                                                       \
	X(SCRIPT_RELEASE, "release")                                                                   \
	X(SCRIPT_RESTORE, "restore")                                                                   \
	X(SCRIPT_REDEEM, "redeem")                                                                     \
	X(SCRIPT_SESSION_RESTORE, "session_restore")                                                   \
	X(SCRIPT_ADMIT, "admit")                                                                       \
	X(SCRIPT_REAP, "reap")                                                                         \
	X(SCRIPT_SYNC, "sync")                                                                         \
	X(SCRIPT_QUEUE_PUT, "queue_put")                                                               \
	X(SCRIPT_QUEUE_DELETE, "queue_delete")                                                         \
	X(SCRIPT_QUEUE_FORGET, "queue_forget")                                                         \
	X(SCRIPT_QUEUE_EMPTY, "queue_empty")                                                           \
	X(SCRIPT_STATS, "stats")                                                                       \
	X(SCRIPT_DEPART, "depart")                                                                     \
	X(SCRIPT_STATS_NOTE, "stats_note")                                                             \
	X(SCRIPT_SUPPORT_LOOK, "support_look")                                                         \
	X(SCRIPT_SUPPORT_RESTORE, "support_restore")                                                   \
	X(SCRIPT_LEASE, "lease")                                                                       \
	X(SCRIPT_AUDIT, "audit")                                                                       \
	X(SCRIPT_ADMIN_KEY_LOOK, "admin_key_look")                                                     \
	X(SCRIPT_PODS, "pods")                                                                         \
	X(SCRIPT_ADMIN_KEY_PUT, "admin_key_put")                                                       \
	X(SCRIPT_ADMIN_KEY_DROP, "admin_key_drop")                                                     \
	X(SCRIPT_ADMIN_KEYS, "admin_keys")                                                             \
	X(SCRIPT_ADMIN_TENANTS, "admin_tenants")                                                       \
	X(SCRIPT_ADMIN_TENANT_PUT, "admin_tenant_put")                                                 \
	X(SCRIPT_ADMIN_TENANT_DROP, "admin_tenant_drop")                                               \
	X(SCRIPT_ADMIN_TENANT_CLAIM, "admin_tenant_claim")

#define SCRIPT_ENUM(name, file) name,
enum script { SCRIPT_TABLE(SCRIPT_ENUM) SCRIPT_COUNT };
#undef SCRIPT_ENUM
#define SCRIPT_NONE SCRIPT_COUNT /* a plain command */

#define SCRIPT_DIGEST_CHARS 40
const struct store_script_text *script_text(enum script script);

/* ---- replies ---- */

struct reply_item {
	int type;		/* REDIS_REPLY_* */
	size_t len;		/* of a string; elements of an array */
	size_t at;		/* of a string, in 'text' */
	int64_t number; /* of an integer */
};

/* A whole reply: its items in the order in which they arrived, an array before its elements. */
struct reply {
	redisReply view; /* first: hiredis looks at it when nobody waits for a reply (reply.c) */
	struct reply_pool *pool;
	struct reply *next_free;
	struct reply_item *items;
	size_t count, room;
	char *text; /* of all strings, each with NUL behind it */
	size_t text_len, text_room;
	bool kept; /* outlives its callback, until reply_free */
};

struct reply_pool {
	struct reply *free, *reading;
};
void reply_pool_fini(struct reply_pool *pool);
/* Makes hiredis build replies of this kind on a connection; borrows the pool for its life. */
void reply_pool_use(struct reply_pool *pool, redisReader *reader);
void reply_free(struct reply *reply); /* back into its pool; NULL is fine */

bool reply_is_error(const struct reply *reply);
bool reply_is_nil(const struct reply *reply);
/* The text of a string, status or error reply, else "". lends */
const char *reply_text(const struct reply *reply);

/* A walk along a reply from front to back, to unpack it. It never leaves the reply: what is not of
 * the shape asked for reads as 0 or "" and is remembered, as is the trouble that a walk began with;
 * walk_end says so once. */
struct walk {
	const struct reply *reply;
	size_t at;
	enum wr_err err;
	bool garbled;
};
struct walk walk_begin(enum wr_err err, const struct reply *reply);
/* What most scripts answer: an array that begins with 'ok', or is only 'noqueue' (WR_NO_QUEUE).
 * Gives the number of elements behind the word. */
size_t walk_outcome(struct walk *walk);
size_t walk_array(struct walk *walk);							/* steps in; number of elements */
const char *walk_text(struct walk *walk, size_t *ret_len);		/* lends; ret_len may be NULL */
int64_t walk_int(struct walk *walk);							/* or text that is a number */
uint64_t walk_count(struct walk *walk);							/* not negative */
void walk_copy(struct walk *walk, char *ret_text, size_t room); /* text that must fit with NUL */
void walk_state(struct walk *walk, enum place_state *ret_state);
void walk_expect(struct walk *walk, bool holds); /* garbled, when it does not hold */
/* A text that must be one of these; gives which. 0 when it is none of them. */
size_t walk_word(struct walk *walk, const char *const words[], size_t count);
#define WALK_WORD(walk, words) walk_word((walk), (words), sizeof(words) / sizeof((words)[0]))
/* The same where a word says how the step went. Gives the row; one with an error when it is none of
 * them. */
struct answer_word {
	const char *word;
	enum wr_err err;
	int value; /* what the caller makes of it */
};
const struct answer_word *walk_answer(struct walk *walk, const struct answer_word words[],
									  size_t count);
#define WALK_ANSWER(walk, words) walk_answer((walk), (words), sizeof(words) / sizeof((words)[0]))
/* Does 'left' hold 'before' elements and then 'each' for everybody asked about? Gives the number of
 * people to unpack: 0 when not. */
size_t walk_people(struct walk *walk, size_t left, size_t before, size_t each, size_t asked);

/* ---- calls ---- */

struct call;
/* The call is over: says so to whoever made it. reply: whole and not an error when err is WR_OK;
 * otherwise the error reply, or NULL. */
typedef void (*call_end_fn)(struct call *call, enum wr_err err, const struct reply *reply);

union call_fn {
	store_joined_fn joined;
	store_beats_fn beats;
	store_visits_fn visits;
	store_released_fn released;
	store_restored_fn restored;
	store_redeemed_fn redeemed;
	store_admitted_fn admitted;
	store_reaped_fn reaped;
	store_synced_fn synced;
	store_chunk_fn chunk;
	store_queues_fn queues;
	store_put_fn put;
	store_deleted_fn deleted;
	store_emptied_fn emptied;
	store_stats_fn stats;
	store_noted_fn noted;
	store_lease_fn lease;
	store_pod_fn pod;
	store_pods_fn pods;
	store_worked_fn worked;
	store_kept_fn kept;
	store_scanned_fn scanned;
	store_recalled_fn recalled;
	store_raw_fn raw;
	store_key_fn key;
	store_done_fn done;
	store_step_fn step;
	store_audited_fn audited;
	store_rows_fn rows;
	void (*entries)(void *ctx, enum wr_err err, struct outbox_batch *batch);
};

struct call {
	TAILQ_ENTRY(call) link; /* in store->under_way or store->failed */
	struct call *next_free;
	struct store *store;
	enum script script;
	call_end_fn end;
	union call_fn fn;
	void *ctx;
	size_t asked; /* people or entries that the answer is about */
	bool confirm; /* replicas must have it before it counts */

	struct mono_time deadline;
	int due;		 /* replies that have not come yet */
	int stale_waits; /* of those, WAITs that followed a script that did not run */
	int tries;
	enum wr_err err;
	struct reply *kept; /* of the script, while WAIT is under way */

	bool refused; /* there was no connection: nothing is written, it fails in the next turn */
	int arguments_left;
	char *bytes; /* of the command, for a second try */
	size_t len, room;
};
TAILQ_HEAD(call_list, call);

/* Begins a call of a script, with KEYS[1] of 'queue', or of a plain command; then come exactly
 * 'arguments' arguments, then call_send. Aborts when another number of them was given. */
struct call *call_script(struct store *store, enum script script, const struct queue_name *queue,
						 size_t arguments, call_end_fn end, void *ctx);
struct call *call_command(struct store *store, size_t arguments, call_end_fn end, void *ctx);
/* raw.c: a plain command whose answer is told as store_raw tells it. */
struct call *call_raw(struct store *store, size_t arguments, store_raw_fn fn, void *ctx);
void call_add(struct call *call, const char *bytes, size_t len);
void call_add_text(struct call *call, const char *text); /* NULL is "" */
void call_add_int(struct call *call, int64_t number);
void call_add_count(struct call *call, uint64_t number);
/* "wr:{tenant/queue}:" and the rest */
void call_add_key(struct call *call, const struct queue_name *queue, const char *rest);
void call_send(struct call *call);
/* In place of call_send: it ends here, from inside another call's 'end'. */
void call_abandon(struct call *call, enum wr_err err);
/* For an 'end': how the call went, all in all. Counts a reply that made no sense. */
WR_MUST_USE enum wr_err walk_end(const struct walk *walk, const struct call *call);

void calls_init(struct store *store);
/* The connection is gone: whatever was under way fails, in the next turn. */
void calls_fail_all(struct store *store);
void calls_fini(struct store *store); /* fails the rest from here */

/* request.c: appends to 'bytes', which grows. */
void request_begin(struct call *call, int arguments);
void request_add(struct call *call, const char *bytes, size_t len);

/* steps_audit.c: an audit entry and how many are kept; two arguments. */
void call_add_audit(struct call *call, const struct store_audit *audit);
/* The queue is about to be deleted, and its audit is kept. Nobody waits for it. */
void audit_note_deleted(struct store *store, const struct queue_name *queue, int64_t keep_s);
/* An 'end' that unpacks names of queues (steps_queue.c). */
void queues_end(struct call *call, enum wr_err err, const struct reply *reply);
void call_add_ids(struct call *call, const store_id *ids, size_t count);
/* An 'end' that unpacks a state for each person, for whatever puts people back (steps_people.c). */
void states_end(struct call *call, enum wr_err err, const struct reply *reply);

/* ---- the connection ---- */

enum link_state {
	LINK_DOWN,		 /* until the timer starts the next attempt */
	LINK_CONNECTING, /* the socket */
	LINK_GREETING,	 /* who we are, who the server is, the scripts */
	LINK_READY
};

void link_init(struct store *store); /* starts connecting */
void link_fini(struct store *store);
/* Gives the connection up and comes back later. 'reason' goes into the log. */
void link_drop(struct store *store, const char *reason);
/* The server has answered a call: the next attempt need not be put off. */
void link_works(struct store *store);
/* Every answer to the greeting was good. */
void link_ready(struct store *store);
void greeting_send(struct store *store); /* ends in link_ready or link_drop */
/* Sends a command that is complete; false: it cannot be sent. */
bool link_send(struct store *store, redisCallbackFn *fn, void *ctx, const char *bytes, size_t len);

/* ---- the client ---- */

struct counters { /* written by the loop's thread, read by any; single numbers, so relaxed */
	_Atomic uint64_t calls, failures, reconnects, refusals, timeouts, commands, in_flight;
	_Atomic bool ready;
	struct timings answers;
};

struct scratch { /* where answers are unpacked; grows, used by one answer at a time */
	void *memory;
	size_t bytes;
};

struct store {
	struct loop *loop;
	struct store_address *address;
	struct store_options options;
	struct counters counters;
	loop_fn on_ready;
	void *on_ready_ctx;
	struct scratch scratch;
	struct reply_pool replies;

	/* link.c */
	enum link_state state;
	redisAsyncContext *connection; /* NULL when down */
	struct ssl_st *ssl;			   /* its; NULL without TLS */
	struct loop_watch *watch;
	unsigned events;
	struct loop_timer *link_timer; /* the next attempt, or the end of patience with this one */
	unsigned attempts;			   /* since a call was last answered */
	uint64_t random;
	char life[48];
	char digests[SCRIPT_COUNT][SCRIPT_DIGEST_CHARS + 1];
	bool reloading[SCRIPT_COUNT]; /* a SCRIPT LOAD is under way */
	int greetings_left;			  /* answers that have not come */
	bool said_lost;				  /* the log has it already */
	bool was_ready;				  /* before */
	char trouble[96];			  /* why the connection was given up last */

	/* call.c */
	struct call_list under_way; /* the oldest first */
	struct call_list failed;	/* wait for the next turn to be told */
	struct call *free_calls;	/* for reuse */
	int free_call_count;
	struct loop_timer *deadline_timer, *failed_timer;
	struct mono_time refused_said[SCRIPT_COUNT + 1]; /* when the log last had it; 0: never */
};

static inline void counter_add(_Atomic uint64_t *counter, uint64_t n)
{
	atomic_fetch_add_explicit(counter, n, memory_order_relaxed);
}

/* Room for 'count' things in the scratch; lends until the next answer is unpacked. */
void *scratch_room(struct store *store, size_t count, size_t size);

#endif
