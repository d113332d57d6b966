/* Entrance: somebody's turn has come and is taken up; now they must get to the site, as themselves.
 *
 *     claimed place ─► session, bound to network and browser ─► a pass into it ─► redirect_url
 *
 * Browsers go by redirect_url: the gateway check at the site turns the pass into the session's
 * cookie. API clients take the session token. Each answer has a pass of its own, so whoever asks
 * again (a second tab, an answer that was lost) gets in as well, into the same session.
 */
#include "entrance.h"

#include <string.h>

static void describe_session(struct worker *worker, const struct http_request *request,
							 const struct position_claims *place,
							 const struct queue_snapshot *snapshot, int64_t ends_ms,
							 struct session_claims *ret_session)
{
	const struct queue_settings *settings = snapshot->settings;
	char network[NETWORK_TEXT_BYTES];
	struct client_ip ip = http_request_client(request, worker->app->proxies);
	int64_t now_s = worker->wall.ms / 1000, began_s = (ends_ms - settings->session_ttl_ms) / 1000;
	*ret_session = (struct session_claims){.queue = place->queue,
										   .ticket = place->ticket,
										   .renewal = settings->session_renewal,
										   /* not later than now when the setting has changed */
										   .issued_s = began_s < now_s ? began_s : now_s,
										   .expires_s = (ends_ms + 999) / 1000};
	memcpy(ret_session->position_id, place->position_id, sizeof(ret_session->position_id));
	memcpy(ret_session->epoch, snapshot->epoch, sizeof(ret_session->epoch));
	memcpy(ret_session->lane, place->lane, sizeof(ret_session->lane));
	client_ip_network(&ip, network);
	binding_make(worker->signer, &place->queue, network,
				 user_agent_family(http_request_header(request, "User-Agent")),
				 ret_session->binding);
}

enum wr_err entrance_make(struct worker *worker, const struct http_request *request,
						  const struct position_claims *place,
						  const struct queue_snapshot *snapshot, const struct visit *visit,
						  struct entrance *ret_entrance)
{
	char token[TOKEN_MAX_BYTES + 1];
	size_t len = 0;
	struct session_claims session;
	struct pass_claims pass;
	describe_session(worker, request, place, snapshot, visit->ends_ms, &session);
	enum wr_err err = session_token_print(worker->signer, &session, ret_entrance->session, &len);
	if (err != WR_OK)
		return err;
	ret_entrance->url[0] = '\0';
	if (visit->target[0] == '\0' || strlen(visit->target) > VISIT_TARGET_MAX_BYTES)
		return WR_OK;
	pass_for_session(&session, worker->wall, &pass);
	if (pass.session_expires_s <= pass.issued_s) { /* about to end: no way in any more */
		strcpy(ret_entrance->url, visit->target);
		return WR_OK;
	}
	err = pass_token_print(worker->signer, &pass, token, &len);
	if (err == WR_OK)
		target_add_pass(visit->target, token, ret_entrance->url);
	return err;
}
