/* Steps of sessions: a place is given up, a session ends, is renewed, entered with a pass, put
 * back.
 *
 * As in steps_people.c: store_x writes the script's arguments, x_end unpacks its answer.
 */
#include "lib/store/client.h"

#include <assert.h>

#define PASS_KEPT_MS ((PASS_LIFE_S + 2 * TOKEN_LEEWAY_S) * 1000)

/* ---- leave, release, revoke, renew ---- */

static void release_end(struct call *call, enum wr_err err, const struct reply *reply)
{
	struct walk walk = walk_begin(err, reply);
	size_t left = walk_outcome(&walk);
	int64_t now_ms = walk_int(&walk);
	size_t count = walk_people(&walk, left, 1, 2, call->asked);
	struct released *people = scratch_room(call->store, count, sizeof(*people));
	for (size_t i = 0; i < count; i++) {
		walk_state(&walk, &people[i].state);
		people[i].ends_ms = walk_int(&walk);
	}
	err = walk_end(&walk, call);
	call->fn.released(call->ctx, err, now_ms, err ? NULL : people, err ? 0 : count);
}

void store_release(struct store *store, const struct queue_name *queue, enum store_release what,
				   const store_id *ids, size_t count, store_released_fn fn, void *ctx)
{
	static const char *const words[] = {[STORE_LEAVE] = "leave",
										[STORE_RELEASE] = "release",
										[STORE_REVOKE] = "revoke",
										[STORE_RENEW] = "renew"};
	assert(count <= STORE_PEOPLE_MAX);
	struct call *call = call_script(store, SCRIPT_RELEASE, queue, 1 + count, release_end, ctx);
	call->fn.released = fn;
	call->asked = count;
	call_add_text(call, words[what]);
	call_add_ids(call, ids, count);
	call_send(call);
}

void store_revoke(struct store *store, const struct queue_name *queue, const store_id *id,
				  const struct store_audit *audit, store_released_fn fn, void *ctx)
{
	struct call *call = call_script(store, SCRIPT_RELEASE, queue, 4, release_end, ctx);
	call->fn.released = fn;
	call->asked = 1;
	call_add_text(call, "operator");
	call_add_audit(call, audit);
	call_add_ids(call, id, 1);
	call_send(call);
}

/* ---- redeem ---- */

static enum redeem_code take_redeem_code(struct walk *walk)
{
	static const char *const words[] = {
		[REDEEM_OK] = "ok", [REDEEM_USED] = "used", [REDEEM_ENDED] = "ended"};
	return (enum redeem_code)WALK_WORD(walk, words);
}

static void redeem_end(struct call *call, enum wr_err err, const struct reply *reply)
{
	struct walk walk = walk_begin(err, reply);
	size_t left = walk_outcome(&walk);
	int64_t now_ms = walk_int(&walk);
	size_t count = walk_people(&walk, left, 1, 2, call->asked);
	struct redeemed *people = scratch_room(call->store, count, sizeof(*people));
	for (size_t i = 0; i < count; i++) {
		people[i].code = take_redeem_code(&walk);
		people[i].ends_ms = walk_int(&walk);
	}
	err = walk_end(&walk, call);
	call->fn.redeemed(call->ctx, err, now_ms, err ? NULL : people, err ? 0 : count);
}

void store_redeem(struct store *store, const struct queue_name *queue, const struct redeem *people,
				  size_t count, store_redeemed_fn fn, void *ctx)
{
	assert(count <= STORE_PEOPLE_MAX);
	struct call *call = call_script(store, SCRIPT_REDEEM, queue, 1 + 2 * count, redeem_end, ctx);
	call->fn.redeemed = fn;
	call->asked = count;
	call->confirm = true; /* a pass that a replica has forgotten is good twice */
	call_add_int(call, PASS_KEPT_MS);
	for (size_t i = 0; i < count; i++) {
		call_add(call, people[i].pass_id, PASS_ID_CHARS);
		call_add(call, people[i].position_id, POSITION_ID_CHARS);
	}
	call_send(call);
}

/* ---- put back ---- */

void store_restore_sessions(struct store *store, const struct queue_name *queue,
							const struct session_claims *sessions, size_t count,
							store_restored_fn fn, void *ctx)
{
	assert(count <= STORE_PEOPLE_MAX);
	struct call *call =
		call_script(store, SCRIPT_SESSION_RESTORE, queue, 5 * count, states_end, ctx);
	call->fn.restored = fn;
	call->asked = count;
	for (size_t i = 0; i < count; i++) {
		call_add(call, sessions[i].position_id, POSITION_ID_CHARS);
		call_add_text(call, sessions[i].epoch);
		call_add_text(call, sessions[i].lane);
		call_add_count(call, sessions[i].ticket);
		call_add_int(call, sessions[i].expires_s * 1000);
	}
	call_send(call);
}
