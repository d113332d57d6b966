/* Store: Redis, Valkey or DragonflyDB behind one small client; one function per script.
 *
 * A client is one pipelined, asynchronous connection on a loop. Calls are written in the order they
 * are made; each gets exactly one callback, in the loop's thread, never from inside the call
 * itself. It reconnects by itself with jittered back-off (50 ms … 2 s), sends AUTH/SELECT, loads
 * the scripts (again on NOSCRIPT), and reads the store's run id ('life').
 *
 * A call fails with WR_STORE_AWAY when there is no connection, when the connection broke before the
 * reply (ambiguous: it may have run), or when the reply took longer than the time-out: then the
 * connection is closed, because late replies would be matched to newer requests. LOADING, MISCONF,
 * OOM, READONLY and any other error reply are WR_STORE_AWAY too (and counted).
 *
 * What     The only module that knows hiredis.
 * Used by  cmd/api (workers, sync, relay, admin), cmd/admitter, tests.
 * Threads  a client belongs to its loop's thread. store_address may be shared: resolving is done by
 *          whoever calls store_address_resolve (never a worker).
 */
#ifndef WAITINGROOM_STORE_H
#define WAITINGROOM_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "waitingroom/err.h"
#include "waitingroom/loop.h"
#include "waitingroom/outbox.h"
#include "waitingroom/position_index.h"
#include "waitingroom/settings.h"
#include "waitingroom/state.h"
#include "waitingroom/stats.h"
#include "waitingroom/timeline.h"
#include "waitingroom/timings.h"
#include "waitingroom/token.h"
#include "waitingroom/trace.h"

/* ---- address ---- */
struct store_address; /* parsed URL and the numeric address last resolved; internally locked */
/* "redis://[user[:password]@]host[:port][/db]" or "unix:///path[?db=N]"; with TLS "rediss://…" and
 * "?ca=/file&cert=/file&key=/file" (the system's authorities without ca; the others where the store
 * asks for a certificate of ours), which builds with hiredis 0.14 refuse. gives; WR_BAD_CONFIG
 * names what is wrong. Host names are looked up at once. */
WR_MUST_USE enum wr_err store_address_parse(const char *url, struct store_address **ret_address,
											struct err_detail *ret_detail);
void store_address_resolve(struct store_address *address); /* blocking DNS */
void store_address_free(struct store_address *address);

/* ---- client ---- */
struct store_options {
	uint32_t timeout_ms;	  /* of one reply; 1000 */
	uint32_t wait_replicas;	  /* enqueue and visit answers wait for so many replicas; 0: none */
	uint32_t wait_timeout_ms; /* 50; fewer replicas in time: WR_STORE_AWAY */
	bool no_reconnect_jitter; /* tests */
};
void store_options_default(struct store_options *ret_options);

struct store;
/* gives; starts connecting. Borrows loop and address for its life. */
struct store *store_new(struct loop *loop, struct store_address *address,
						const struct store_options *options);
void store_free(struct store *store); /* fails what is under way, callbacks run from here */
bool store_is_ready(const struct store *store); /* connected and scripts loaded */
/* Why there is no connection at the moment: what the server or the network said last; "" nothing
 * yet. */
const char *store_trouble(const struct store *store);
/* The store's run id, "" before the first connection or where it has none; changes at a restart. */
const char *store_life(const struct store *store);
void store_on_ready(struct store *store, loop_fn fn, void *ctx); /* at each (re)connect */

struct store_counts { /* read from any thread */
	uint64_t calls, failures, reconnects, timeouts, in_flight;
	uint64_t commands; /* incl. SCRIPT LOAD, WAIT … */
	uint64_t refusals; /* attempts in vain: no answer, a replica, loading, a password */
	bool ready;
	struct timings_sum answers; /* from sending a call to its answer */
};
void store_counts(const struct store *store, struct store_counts *ret_counts);

/* ---- blocking use, for threads that may wait (sync, relay, admin, tests) ----
 * Turns the loop until the call with this 'done' flag has been answered. Every call below answers
 * within the time-out, so this ends. Pattern:
 *     struct x_wait w = {0}; store_x(store, …, on_x_set_done, &w); store_wait(store, &w.done);     */
void store_wait(struct store *store, const bool *done);
bool store_wait_ready(struct store *store, int64_t max_ms);

/* ---- the steps; scripts/<name>.lua documents each ----
 * Strings and arrays in arguments are borrowed during the call. Arrays in callbacks are lent during
 * the callback. 'queue' selects the shard and the keys. People per call: <= STORE_PEOPLE_MAX. */
#define STORE_PEOPLE_MAX 500

/* What an operator does: goes into the audit in the same step (prelude: audit). */
struct store_audit {
	const char *entry; /* JSON object without "at_ms"; "" or a NULL struct: nothing is written */
	uint64_t keep;	   /* about so many entries of a queue stay */
	int64_t keep_s;	   /* those of a deleted queue so long */
};
#define STORE_AUDIT_BYTES 12288 /* of an entry, at most */

enum join_code {
	JOIN_NEW,
	JOIN_SAME,
	JOIN_REUSED,
	JOIN_CLOSED,
	JOIN_FULL,
	JOIN_BUSY,
	JOIN_RATE,
	JOIN_LANE,
	JOIN_REPLAYED, /* a proof that has been redeemed, or is too old for somebody new */
	JOIN_USED	   /* an entry token that has been used */
};
struct join { /* one person who wants a place */
	const char *position_id;
	const char *lane;
	const char *target; /* "" none */
	const char *user;	/* JSON or "" */
	const char *request_hash;
	/* "": not limited; "10.0.0.0", or with a hash of the address behind a space. No '{' or '}'. */
	const char *network;
	const char *papers; /* what was shown at the door, as enqueue.lua reads it; "" nothing */
};
struct joined {
	enum join_code code;
	enum place_state state;
	char lane[NAME_MAX_CHARS + 1];
	uint64_t ticket;
	uint64_t position; /* in the lane, for JOIN_NEW that waits; 0: not known here */
	int64_t joined_ms;
	/* Of somebody with an identity; else 0 and "". The id may be another than was asked for. */
	uint32_t holder;
	char position_id[POSITION_ID_CHARS + 1];
};
struct seen_ticket {
	char lane[NAME_MAX_CHARS + 1];
	uint64_t ticket;
};
/* err WR_OK, WR_STORE_AWAY or WR_NO_QUEUE; then 'people' is NULL. */
typedef void (*store_joined_fn)(void *ctx, enum wr_err err, const char *epoch, int64_t now_ms,
								const struct joined *people, size_t count);
void store_enqueue(struct store *store, const struct queue_name *queue, uint64_t outbox_limit,
				   const char *seen_epoch, const struct seen_ticket *seen, size_t seen_count,
				   const struct join *people, size_t count, store_joined_fn fn, void *ctx);

/* ids: count × POSITION_ID_CHARS+1 chars. missing: positions (from 0) in ids that nobody holds. */
typedef char store_id[POSITION_ID_CHARS + 1];
typedef void (*store_beats_fn)(void *ctx, enum wr_err err, int64_t now_ms, const size_t *missing,
							   size_t missing_count);
void store_heartbeat(struct store *store, const struct queue_name *queue, const store_id *ids,
					 size_t count, store_beats_fn fn, void *ctx);

struct visit {
	enum place_state state;
	char lane[NAME_MAX_CHARS + 1];
	uint64_t ticket;
	int64_t joined_ms, ends_ms;
	uint64_t position;	/* of who waits, 1 also before the line; 0 unknown */
	const char *target; /* "" none */
	uint32_t holder;	/* tokens with a lower one have moved */
	bool emptied;		/* expired by an operator's order */
	/* Of somebody whose join was traced, when this call took up the turn; else "" and 0. */
	char traceparent[TRACEPARENT_CHARS + 1];
	int64_t admitted_ms;
};
typedef void (*store_visits_fn)(void *ctx, enum wr_err err, int64_t now_ms,
								const struct visit *people, size_t count);
void store_visit(struct store *store, const struct queue_name *queue, enum visit_kind kind,
				 const store_id *ids, size_t count, store_visits_fn fn, void *ctx);

enum store_release { STORE_LEAVE, STORE_RELEASE, STORE_REVOKE, STORE_RENEW };
struct released {
	enum place_state state;
	int64_t ends_ms;
};
typedef void (*store_released_fn)(void *ctx, enum wr_err err, int64_t now_ms,
								  const struct released *people, size_t count);
void store_release(struct store *store, const struct queue_name *queue, enum store_release what,
				   const store_id *ids, size_t count, store_released_fn fn, void *ctx);
/* STORE_REVOKE of one, by an operator. */
void store_revoke(struct store *store, const struct queue_name *queue, const store_id *id,
				  const struct store_audit *audit, store_released_fn fn, void *ctx);

struct lost_place {
	store_id position_id;
	char lane[NAME_MAX_CHARS + 1];
	uint64_t ticket;
	int64_t joined_ms;
	char epoch[EPOCH_CHARS + 1];
	bool front; /* the ticket had left the line before the store lost it */
};
typedef void (*store_restored_fn)(void *ctx, enum wr_err err, const enum place_state *states,
								  size_t count);
void store_restore(struct store *store, const struct queue_name *queue,
				   const struct lost_place *people, size_t count, store_restored_fn fn, void *ctx);

enum redeem_code { REDEEM_OK, REDEEM_USED, REDEEM_ENDED };
struct redeem { /* one person who comes with a pass */
	const char *pass_id;
	const char *position_id;
};
struct redeemed {
	enum redeem_code code;
	int64_t ends_ms; /* of the session; 0 when there is none */
};
typedef void (*store_redeemed_fn)(void *ctx, enum wr_err err, int64_t now_ms,
								  const struct redeemed *people, size_t count);
void store_redeem(struct store *store, const struct queue_name *queue, const struct redeem *people,
				  size_t count, store_redeemed_fn fn, void *ctx);

/* Sessions of good tokens that the store may have lost. State after the call: PLACE_CLAIMED is
 * active. */
void store_restore_sessions(struct store *store, const struct queue_name *queue,
							const struct session_claims *sessions, size_t count,
							store_restored_fn fn, void *ctx);

struct admitted {
	bool other; /* another admitter has the lease; nothing was done */
	uint64_t admitted, set_aside, in_line;
	int64_t free;
	bool more;
	bool calm; /* nobody was in line, set aside or back from it */
};
typedef void (*store_admitted_fn)(void *ctx, enum wr_err err, const struct admitted *result);
void store_admit(struct store *store, const struct queue_name *queue, const char *owner,
				 int64_t lease_ms, int limit, int64_t gap_ms, uint64_t extra, store_admitted_fn fn,
				 void *ctx); /* 'life' is added by the client */

struct reaped {
	uint64_t expired, missed, ended;
	bool more;
};
typedef void (*store_reaped_fn)(void *ctx, enum wr_err err, const struct reaped *result);
void store_reap(struct store *store, const struct queue_name *queue, int64_t gap_ms, int limit,
				store_reaped_fn fn, void *ctx);

struct lane_counts {
	char lane[NAME_MAX_CHARS + 1];
	uint64_t ticket, gone, admitted;
};
struct departure {
	int lane; /* in 'lanes' */
	struct ticket_range range;
};
struct revocation {
	store_id position_id;
	uint32_t holder; /* 0: a session has ended */
	int64_t until_s; /* of a session: when its token has expired; of a place: 0 */
	bool is_pardon;	 /* sessions of the place are good again */
};
#define STREAM_ID_BYTES 48
struct synced {
	int64_t now_ms;
	char epoch[EPOCH_CHARS + 1], lost_epochs[LOST_EPOCHS_BYTES];
	bool recovering;
	uint64_t version, active, absent, returned, outbox_length;
	size_t lane_count;
	struct lane_counts lanes[QUEUE_LANES_MAX];
	bool has_settings;
	struct queue_settings
		settings; /* when has_settings; a plain copy is good during the call only */
	size_t departure_count;
	const struct departure *departures;
	char last_departure[STREAM_ID_BYTES]; /* the id to ask from next time; "" when there was none */
	size_t revocation_count;
	const struct revocation *revocations;
	char last_revocation[STREAM_ID_BYTES]; /* as last_departure */
	bool more;							   /* there are more departures or revocations */
	uint64_t violations[VIOLATION_COUNT];
	int64_t oldest_joined_ms; /* of the person at the head of the line; 0: nobody known there */
};
/* WR_NO_QUEUE: deleted (tombstone seen). WR_NOT_FOUND: the store knows nothing of it (never was, or
 * lost). */
typedef void (*store_synced_fn)(void *ctx, enum wr_err err, const struct synced *result);
/* last_revocation: NULL for none of them. */
void store_sync(struct store *store, const struct queue_name *queue, const char *last_departure,
				const char *last_revocation, uint64_t version, int limit, store_synced_fn fn,
				void *ctx);
/* One chunk of the bitmap of departed tickets, as position_index_load_chunk takes it. */
typedef void (*store_chunk_fn)(void *ctx, enum wr_err err, const uint8_t *bitmap, size_t bytes);
void store_read_chunk(struct store *store, const struct queue_name *queue, const char *lane,
					  uint64_t chunk, store_chunk_fn fn, void *ctx);
/* How many of a chunk have left. */
typedef void (*store_step_fn)(void *ctx, enum wr_err err, int64_t number);
void store_count_chunk(struct store *store, const struct queue_name *queue, const char *lane,
					   uint64_t chunk, store_step_fn fn, void *ctx);
/* Names of all queues (wr:queues); names that do not parse are skipped. */
typedef void (*store_queues_fn)(void *ctx, enum wr_err err, const struct queue_name *names,
								size_t count);
void store_queues(struct store *store, store_queues_fn fn, void *ctx);

enum put_result { PUT_CREATED, PUT_CHANGED, PUT_SAME };
/* WR_CONFLICT (version given and different), WR_NO_QUEUE (patch of none), WR_BUSY (being cleared),
 * WR_LANE_IN_USE (somebody stands in a lane that would be no more). */
typedef void (*store_put_fn)(void *ctx, enum wr_err err, enum put_result result, uint64_t version);
struct queue_revival {
	const char *lost_epochs; /* of the life that ended, and of those before it that were lost */
	const struct seen_ticket *seen;
	size_t seen_count;
};
/* expected_version: 0 must not exist, UINT64_MAX any. event_data: JSON object for the event.
 * revival: NULL for put. audit: NULL for revive. Adds the name to wr:queues first. */
void store_put_queue(struct store *store, const struct queue_name *queue,
					 const struct queue_settings *settings, uint64_t expected_version,
					 const char *event_data, const struct queue_revival *revival,
					 const struct store_audit *audit, store_put_fn fn, void *ctx);
/* The same with settings as the store has them, of whatever version wrote them (restore). */
void store_put_fields(struct store *store, const struct queue_name *queue,
					  const struct queue_field *fields, size_t count, uint64_t expected_version,
					  const char *event_data, const struct queue_revival *revival,
					  const struct store_audit *audit, store_put_fn fn, void *ctx);
/* Only these fields of an existing queue (pause, resume). */
void store_patch_queue(struct store *store, const struct queue_name *queue,
					   const struct queue_field *fields, size_t count, uint64_t expected_version,
					   const char *event_data, const struct store_audit *audit, store_put_fn fn,
					   void *ctx);
/* One step of deleting; *more: call again, for the rest. WR_NO_QUEUE: there was none. WR_CONFLICT:
 * there is one, at another version than expected (UINT64_MAX: any), or the rest was meant, which is
 * of a queue that went before: one that was made since stays. */
#define STORE_DELETE_REST 0
typedef void (*store_deleted_fn)(void *ctx, enum wr_err err, bool more);
void store_delete_queue(struct store *store, const struct queue_name *queue, int limit,
						uint64_t expected_version, const char *event_data,
						const struct store_audit *audit, store_deleted_fn fn, void *ctx);

/* One step of expiring everybody who waits, in the life 'epoch' of the queue; *more: call again,
 * with the how_far of the answer ("" at first), which is lent during the callback. WR_CONFLICT:
 * another life; WR_BUSY: not while the queue is being rebuilt. audit: with the first step, else
 * NULL. */
#define EMPTIED_HOW_FAR_BYTES ((NAME_MAX_CHARS + 24) * QUEUE_LANES_MAX)
typedef void (*store_emptied_fn)(void *ctx, enum wr_err err, uint64_t expired, bool more,
								 const char *how_far);
void store_empty_queue(struct store *store, const struct queue_name *queue, int limit,
					   const char *epoch, const char *how_far, const struct store_audit *audit,
					   store_emptied_fn fn, void *ctx);

/* Takes a deleted queue off the list of queues, once it has been cleared and its outbox is
 * empty. */
typedef void (*store_forgotten_fn)(void *ctx, enum wr_err err, bool forgotten);
void store_forget_queue(struct store *store, const struct queue_name *queue, store_forgotten_fn fn,
						void *ctx);

/* ---- figures ---- */

typedef void (*store_stats_fn)(void *ctx, enum wr_err err, const struct queue_stats *stats);
void store_stats(struct store *store, const struct queue_name *queue, store_stats_fn fn, void *ctx);
/* sample: how many there are now, too. */
typedef void (*store_noted_fn)(void *ctx, enum wr_err err);
void store_note_stats(struct store *store, const struct queue_name *queue, bool sample,
					  const struct stat_sum *sums, size_t count, store_noted_fn fn, void *ctx);

/* Tickets that have left the line by this pod's picture, and not by the store's bitmap: none over
 * the end of a chunk. */
void store_depart(struct store *store, const struct queue_name *queue, const char *epoch,
				  const char *lane, const struct ticket_range *ranges, size_t count,
				  store_noted_fn fn, void *ctx);

typedef void (*store_lease_fn)(void *ctx, enum wr_err err, bool mine, uint64_t fence);
void store_lease(struct store *store, const struct queue_name *queue, const char *role,
				 const char *owner, int64_t ms, store_lease_fn fn, void *ctx);

/* Whether somebody has a lease, 1 or 0: a plain question, for whoever only waits for its end. */
void store_lease_held(struct store *store, const struct queue_name *queue, const char *role,
					  store_step_fn fn, void *ctx);

/* Writes only an entry of the audit, of a queue or of system_shard. WR_NO_QUEUE */
typedef void (*store_done_fn)(void *ctx, enum wr_err err);
void store_audit(struct store *store, const struct queue_name *queue,
				 const struct store_audit *audit, store_done_fn fn, void *ctx);
/* The newest entries of a queue or of system_shard, newest first. from_id: "+", or the id to begin
 * with. */
struct audited {
	const char *id, *entry; /* id: in the stream; entry: JSON */
	size_t len;
};
typedef void (*store_audited_fn)(void *ctx, enum wr_err err, const struct audited *entries,
								 size_t count);
void store_read_audit(struct store *store, const struct queue_name *queue, const char *from_id,
					  size_t limit, store_audited_fn fn, void *ctx);
/* Names of deleted queues whose audit is still kept. */
void store_deleted_queues(struct store *store, store_queues_fn fn, void *ctx);

/* ---- support ---- */
struct
	kept_place { /* all that is kept of a place; times in ms, 0: none; texts lent during the call */
	store_id position_id;
	struct timeline_past past;
	char lane[NAME_MAX_CHARS + 1];
	uint64_t ticket;
	uint32_t holder;   /* tokens with a lower one have moved */
	uint64_t put_back; /* by operators, so often */
	bool aside, front; /* waiting: not there when its turn came; before everybody in the line */
	bool is_ghost;	   /* never heard; then heard_ms is when it was made */
	int64_t heard_ms, ends_ms,
		kept_ms; /* ends: of session or turn; kept: for so long, once ended */
};
typedef void (*store_kept_fn)(void *ctx, enum wr_err err, int64_t now_ms,
							  const struct kept_place *places, size_t count);
/* is_person: the ids stand for persons, whose place may have another id. Of whom nothing is kept
 * there is no place in the answer. */
void store_support_look(struct store *store, const struct queue_name *queue, bool is_person,
						const store_id *ids, size_t count, store_kept_fn fn, void *ctx);

#define STORE_CURSOR_BYTES 24
/* One step of looking for the places whose ids begin with 'prefix' (base64url), for a millisecond
 * or so of the store's time: goes on from 'cursor' ("0" at first) and gives the next, "0" at the
 * end. An id may come twice. The answer is lent. */
typedef void (*store_scanned_fn)(void *ctx, enum wr_err err, const char *cursor,
								 const store_id *ids, size_t count);
void store_support_scan(struct store *store, const struct queue_name *queue, const char *prefix,
						const char *cursor, store_scanned_fn fn, void *ctx);

enum recall_outcome { /* words of support_restore.lua */
					  RECALL_RESTORED,
					  RECALL_THERE,	  /* it is not lost */
					  RECALL_UNKNOWN, /* nothing is kept, and nothing was given */
					  RECALL_LANE,	  /* there is none of that name */
					  RECALL_TICKET	  /* was never given out in that lane */
};
struct recalled {
	enum recall_outcome outcome;
	enum place_state state;
	char lane[NAME_MAX_CHARS + 1];
	uint64_t ticket;
	bool front;
};
typedef void (*store_recalled_fn)(void *ctx, enum wr_err err, const struct recalled *result);
/* Puts a lost place back. known: lane (or ""), ticket and time of joining where nothing is kept of
 * it. */
void store_support_restore(struct store *store, const struct queue_name *queue,
						   const struct lost_place *known, const struct store_audit *audit,
						   store_recalled_fn fn, void *ctx);

/* ---- what belongs to no queue (system_shard) ---- */
/* row: JSON as store_put_key was given it, with "created_ms"; used_ms: 0, never yet.
 * WR_NOT_FOUND: there is no such key. */
typedef void (*store_key_fn)(void *ctx, enum wr_err err, int64_t now_ms, int64_t used_ms,
							 const char *row, size_t len);
void store_look_key(struct store *store, const char *id, store_key_fn fn, void *ctx);
/* Nobody waits for it. */
void store_note_key_used(struct store *store, const char *id, int64_t now_ms);

/* A step tells how it went, with a number that some of them have.
 * row: JSON that begins with "tenant". number: when it was made.
 * WR_QUOTA: there are keys_max; WR_CONFLICT: that id is taken; WR_NO_TENANT. */
void store_put_key(struct store *store, const char *id, const char *row, const char *tenant,
				   uint64_t keys_max, const struct store_audit *audit, store_step_fn fn, void *ctx);
/* WR_NOT_FOUND */
void store_drop_key(struct store *store, const char *id, const struct store_audit *audit,
					store_step_fn fn, void *ctx);

struct store_row {
	const char *name, *row; /* row: JSON */
	size_t row_len;
	int64_t number; /* of a key: when it was last used; of a tenant: its queues */
};
typedef void (*store_rows_fn)(void *ctx, enum wr_err err, int64_t now_ms,
							  const struct store_row *rows, size_t count);
void store_keys(struct store *store, store_rows_fn fn, void *ctx);
/* One of them, or with "" all. No row: there is no such tenant. */
void store_tenants(struct store *store, const char *tenant, store_rows_fn fn, void *ctx);
/* row: JSON that begins with "queues_max". The entry's "before" is filled by the step.
 * number: an enum put_result. WR_QUOTA: there are tenants_max. */
void store_put_tenant(struct store *store, const char *tenant, const char *row,
					  uint64_t tenants_max, const struct store_audit *audit, store_step_fn fn,
					  void *ctx);
/* With its keys. WR_CONFLICT: it has queues, number of them; WR_NO_TENANT. */
void store_drop_tenant(struct store *store, const char *tenant, const struct store_audit *audit,
					   store_step_fn fn, void *ctx);
/* The queue is about to be made. make: the tenant too where there is none, and no limit holds.
 * WR_QUOTA: the tenant has as many as it may, number; WR_NO_TENANT. */
void store_claim_queue(struct store *store, const struct queue_name *queue, bool make,
					   uint64_t queues_max, store_step_fn fn, void *ctx);
/* It has gone, or never came to be. Nobody waits for it; store_forget_queue does it too. */
void store_free_claim(struct store *store, const struct queue_name *queue);

/* ---- which processes there are (steps_pods.c) ----
 * instance  names the process; at most POD_INSTANCE_CHARS
 * members   of a JSON object (pods.h), without braces; "": the process ends, its row is taken away
 * keep_ms   rows that were not renewed for so long are dropped
 * now_ms    the store's clock; rows begin with it as "seen_ms" */
typedef void (*store_pod_fn)(void *ctx, enum wr_err err, int64_t now_ms);
void store_pod_say(struct store *store, const char *instance, const char *members, int64_t keep_ms,
				   store_pod_fn fn, void *ctx);
struct pod_text { /* lent */
	const char *instance, *json;
	size_t len;
};
typedef void (*store_pods_fn)(void *ctx, enum wr_err err, int64_t now_ms,
							  const struct pod_text *rows, size_t count);
void store_pods(struct store *store, int64_t keep_ms, store_pods_fn fn, void *ctx);

/* When an admitter last did a step of the queue, and a pod last told of heartbeats (store's clock;
 * 0: never). */
typedef void (*store_worked_fn)(void *ctx, enum wr_err err, int64_t tick_ms, int64_t flush_ms);
void store_worked(struct store *store, const struct queue_name *queue, store_worked_fn fn,
				  void *ctx);

/* Does the store accept keys of a declared tag (DragonflyDB flags)? WR_BAD_CONFIG says in detail
 * which flags are missing. Blocking. */
WR_MUST_USE enum wr_err store_probe(struct store *store, struct err_detail *ret_detail);

/* What the server says about itself (INFO), and how the probe ends, without waiting; for those who
 * ask how the store is. refuses: keys of a declared tag, as store_probe finds. */
typedef void (*store_info_fn)(void *ctx, enum wr_err err, const char *text);
void store_info(struct store *store, store_info_fn fn, void *ctx);
typedef void (*store_tags_fn)(void *ctx, enum wr_err err, bool refuses);
void store_tags(struct store *store, store_tags_fn fn, void *ctx);

/* ---- outbox source for the relay (blocking, own client on the relay's thread) ---- */
struct store_outbox; /* gives; own loop and client */
struct store_outbox *store_outbox_new(struct store_address *address, const char *owner,
									  int64_t lease_ms, uint32_t timeout_ms);
void store_outbox_free(struct store_outbox *outbox);
struct outbox_source store_outbox_source(struct store_outbox *outbox);

/* Raw command for tests and benchmarks (pipelined client): argv style; reply as text via
 * callback. */
typedef void (*store_raw_fn)(void *ctx, enum wr_err err, const char *text, size_t len,
							 int64_t number);
void store_raw(struct store *store, int argc, const char **argv, const size_t *lens,
			   store_raw_fn fn, void *ctx);

#endif
