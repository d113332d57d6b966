/* Authz passes: somebody comes from the room with wr_pass in the address.
 *
 *     signature, queue, time, life, revoked, shared? ─► store: used already? ─► session cookie, and a
 *     redirect to the address without the pass
 *
 * The one question of a gate check that only the store can answer. When it does not, the
 * visitor goes back to the room, keeps the place there, and is given another pass when the store
 * is back: nothing is lost, and no pass is taken twice.
 */
#include "authz.h"

#include <string.h>

#include "endpoints.h"
#include "gather.h"

static void count(const struct worker *worker, enum authz_pass pass)
{
	metrics_add(worker->shard, METRIC_GATE_PASSES, pass, 1);
}

/* ---- the pass, in the notes of the request while the store is asked ---- */

static void keep(struct parked *notes, const struct pass_claims *pass)
{
	notes->claims.queue = pass->queue;
	notes->claims.ticket = pass->ticket;
	memcpy(notes->claims.position_id, pass->position_id, sizeof(pass->position_id));
	memcpy(notes->claims.epoch, pass->epoch, sizeof(pass->epoch));
	memcpy(notes->claims.lane, pass->lane, sizeof(pass->lane));
	memcpy(notes->redeeming.pass_id, pass->pass_id, sizeof(pass->pass_id));
	memcpy(notes->redeeming.binding, pass->binding, sizeof(pass->binding));
	notes->redeeming.renewal = pass->renewal;
}

static void kept_session(const struct parked *notes, struct wall_time now, int64_t ends_ms,
						 struct session_claims *ret_session)
{
	*ret_session = (struct session_claims){.queue = notes->claims.queue,
										   .ticket = notes->claims.ticket,
										   .renewal = notes->redeeming.renewal,
										   .issued_s = now.ms / 1000,
										   .expires_s = (ends_ms + 999) / 1000};
	memcpy(ret_session->position_id, notes->claims.position_id, sizeof(ret_session->position_id));
	memcpy(ret_session->epoch, notes->claims.epoch, sizeof(ret_session->epoch));
	memcpy(ret_session->lane, notes->claims.lane, sizeof(ret_session->lane));
	memcpy(ret_session->binding, notes->redeeming.binding, sizeof(ret_session->binding));
}

/* ---- before and after ---- */

/* Is it one of ours for this queue, and does its session still stand? */
static enum authz_pass judge(const struct authz_check *check, const char *text, size_t len,
							 struct pass_claims *ret_pass)
{
	const struct worker *worker = check->worker;
	struct session_claims session;
	enum wr_err err = pass_token_verify(worker->signer, text, len, worker->wall, ret_pass);
	if (err != WR_OK || !queue_name_equal(&ret_pass->queue, &check->question->queue))
		return err == WR_TOKEN_EXPIRED ? AUTHZ_PASS_EXPIRED : AUTHZ_PASS_BAD;
	session_from_pass(ret_pass, worker->wall, &session);
	if (gate_session_judge(&session, check->snapshot, worker->wall) != GATE_SESSION_GOOD)
		return AUTHZ_PASS_ENDED;
	/* Everybody who holds the place can have passes made, and hand them on. */
	if (check->snapshot->settings->sharing == QUEUE_SHARING_REQUEUE &&
		authz_is_shared(check, ret_pass->binding))
		return AUTHZ_PASS_SHARED;
	return AUTHZ_PASS_REDEEMED; /* if the store agrees */
}

bool authz_pass_is_good(const struct authz_check *check)
{
	const char *text = NULL;
	size_t len = 0;
	struct pass_claims pass;
	if (!gate_url_find_pass(&check->question->url, &text, &len))
		return false;
	enum authz_pass result = judge(check, text, len, &pass);
	if (result != AUTHZ_PASS_REDEEMED) {
		count(check->worker, result);
		return false;
	}
	keep(http_request_notes(check->request), &pass);
	return true;
}

bool authz_redeem(const struct authz_check *check)
{
	struct parked *notes = http_request_notes(check->request);
	notes->mount = (uint8_t)check->question->mount;
	if (gather_request(check->worker->gather, check->snapshot->slot, GATHER_REDEEM,
					   check->request) == WR_OK)
		return true;
	count(check->worker, AUTHZ_PASS_UNKNOWN);
	return false;
}

void authz_redeemed(struct worker *worker, struct http_request *request, enum wr_err err,
					const struct redeemed *person)
{
	struct session_claims session;
	enum authz_pass result = AUTHZ_PASS_UNKNOWN;
	if (err == WR_OK)
		result = person->code == REDEEM_OK	   ? AUTHZ_PASS_REDEEMED
				 : person->code == REDEEM_USED ? AUTHZ_PASS_USED
											   : AUTHZ_PASS_ENDED;
	count(worker, result);
	if (result != AUTHZ_PASS_REDEEMED) {
		authz_go_on(worker, request, NULL);
		return;
	}
	kept_session(http_request_notes(request), worker->wall, person->ends_ms, &session);
	authz_go_on(worker, request, &session);
}
