/* Authz sessions: from a cookie to "good" or a reason why not.
 *
 *     token ─► verdict (signature, queue) ─► time, life of the queue, revoked? ─► shared?
 *
 * Only the first step is remembered; the others are cheap, and may change at any moment. Whether a
 * token is used from where it was given to is a MAC over network and browser, made once for each
 * place that a token is seen from in a row.
 */
#include "authz.h"

#include <string.h>

#include "credentials.h"
#include "gather.h"
#include "waitingroom/log.h"

#define RENEW_AGAIN_MS 5000		  /* a page's requests come together, all with the same old token */
#define LOG_SHARED_AGAIN_MS 60000 /* of one token */

static bool find_token(const struct authz_check *check, const char **ret_token, size_t *ret_len)
{
	const char *given = http_request_header(check->request, "X-WaitingRoom-Token");
	if (given != NULL) {
		*ret_token = given;
		*ret_len = strlen(given);
		return true;
	}
	return credentials_find_session_cookie(check->worker, check->request, &check->question->queue,
										   ret_token, ret_len);
}

/* ---- sharing ---- */

static __attribute__((noinline)) bool is_elsewhere(const struct authz_check *check,
												   const struct client_ip *client,
												   const char *user_agent, const char *binding)
{
	char network[NETWORK_TEXT_BYTES], here[BINDING_CHARS + 1];
	client_ip_network(client, network);
	binding_make(check->worker->signer, &check->snapshot->name, network,
				 user_agent_family(user_agent), here);
	return strcmp(here, binding) != 0;
}

bool authz_is_shared(const struct authz_check *check, const char *binding)
{
	if (check->snapshot->settings->sharing == QUEUE_SHARING_OFF || binding[0] == '\0')
		return false;
	struct client_ip client = http_request_client(check->request, check->worker->app->proxies);
	return is_elsewhere(check, &client, http_request_header(check->request, "User-Agent"), binding);
}

static __attribute__((noinline)) void log_shared(const struct authz_check *check,
												 struct verdict *verdict)
{
	char queue[QUEUE_NAME_TEXT_BYTES];
	int64_t now_ms = check->worker->wall.ms;
	if (now_ms - verdict->logged_ms < LOG_SHARED_AGAIN_MS)
		return;
	verdict->logged_ms = now_ms;
	queue_name_print(&check->snapshot->name, queue);
	log_event(LOG_LEVEL_INFO, "session_shared", LOG_TEXT("queue", queue),
			  LOG_TEXT("position_id", verdict->claims.position_id),
			  LOG_TEXT("request_id", http_request_id(check->request)));
}

/* The same question about a session, remembered as long as it comes from one place. */
static bool is_session_shared(const struct authz_check *check, struct verdict *verdict)
{
	if (check->snapshot->settings->sharing == QUEUE_SHARING_OFF ||
		verdict->claims.binding[0] == '\0')
		return false;
	struct client_ip client = http_request_client(check->request, check->worker->app->proxies);
	const char *user_agent = http_request_header(check->request, "User-Agent");
	uint64_t from = client_ip_hash(&client, 24, 48) ^
					verdicts_hash(check->worker->verdicts, user_agent != NULL ? user_agent : "");
	if (!verdict->has_from || verdict->from != from) {
		verdict->from = from;
		verdict->has_from = true;
		verdict->is_elsewhere = is_elsewhere(check, &client, user_agent, verdict->claims.binding);
	}
	return verdict->is_elsewhere;
}

/* ---- what it is worth ---- */

static enum gate_session judge(struct authz_check *check)
{
	struct worker *worker = check->worker;
	const char *token = NULL;
	size_t len = 0;
	enum wr_err err = WR_OK;
	bool was_known = false;
	if (!find_token(check, &token, &len))
		return GATE_SESSION_NONE;
	struct verdict *verdict =
		verdicts_look(worker->verdicts, worker->signer, &check->question->queue, token, len,
					  worker->wall, &err, &was_known);
	metrics_add(worker->shard, METRIC_GATE_VERDICTS, was_known ? 0 : 1, 1);
	if (verdict == NULL)
		return err == WR_TOKEN_EXPIRED ? GATE_SESSION_EXPIRED : GATE_SESSION_BAD;
	enum gate_session session = gate_session_judge(&verdict->claims, check->snapshot, worker->wall);
	if (session != GATE_SESSION_GOOD)
		return session;
	if (is_session_shared(check, verdict)) {
		log_shared(check, verdict);
		session = GATE_SESSION_SHARED;
		if (check->snapshot->settings->sharing == QUEUE_SHARING_REQUEUE)
			return session;
	}
	check->session = verdict;
	return session;
}

void authz_look_at_session(struct authz_check *check)
{
	metrics_add(check->worker->shard, METRIC_GATE_SESSIONS, judge(check), 1);
}

/* ---- using it ---- */

__attribute__((noinline)) void authz_set_session(const struct authz_check *check,
												 const struct session_claims *claims)
{
	char token[TOKEN_MAX_BYTES + 1];
	size_t len = 0;
	if (session_token_print(check->worker->signer, claims, token, &len) == WR_OK)
		credentials_set_session_cookie(check->worker, check->request, &claims->queue, token,
									   claims->expires_s - check->worker->wall.ms / 1000);
}

/* Another token with a whole life. The old one stays good for its rest, because requests with it
 * are under way. */
static void renew(const struct authz_check *check)
{
	struct verdict *verdict = check->session;
	const struct queue_snapshot *snapshot = check->snapshot;
	int64_t now_ms = check->worker->wall.ms;
	if (now_ms - verdict->renewed_ms < RENEW_AGAIN_MS)
		return;
	verdict->renewed_ms = now_ms;
	struct session_claims claims = verdict->claims;
	memcpy(claims.epoch, snapshot->epoch, sizeof(claims.epoch));
	claims.issued_s = now_ms / 1000;
	claims.expires_s = (now_ms + snapshot->settings->session_ttl_ms + 999) / 1000;
	authz_set_session(check, &claims);
	gather_renew(check->worker->gather, snapshot, claims.position_id);
}

void authz_keep_session(const struct authz_check *check)
{
	struct worker *worker = check->worker;
	const struct session_claims *claims = &check->session->claims;
	if (gather_wants_session(worker->gather, check->snapshot, claims))
		gather_reregister(worker->gather, check->snapshot, claims);
	if (gate_session_is_due(claims, check->snapshot->settings, worker->wall))
		renew(check);
}
