/* Authz: from a proxy's question to a decision.
 *
 * The steady state is a visitor with a session: the question is read where it lies in the headers,
 * the queue's picture is found, the token's verdict is in the worker's table, and the answer is
 * 200. No store, no lock, no signature to check. Everything else (a first visit, a bypass
 * rule, the way to the room) is apart, so that its buffers cost the steady state nothing.
 *
 * Only a trusted proxy may ask: what it says about the request decides who passes, and
 * anybody can send headers.
 */
#include "authz.h"

#include <arpa/inet.h>
#include <string.h>

#include "credentials.h"
#include "endpoints.h"
#include "gather.h"
#include "waitingroom/bypass.h"

#define RENEW_AGAIN_MS 5000 /* a page's requests come together, all with the same old token */
#define OPEN_SESSION_MS 300000

static enum wr_err (*const read_question[AUTHZ_MOUNTS])(const struct http_request *,
														struct authz_question *,
														struct err_detail *) = {
	[AUTHZ_NGINX] = authz_read_nginx,
	[AUTHZ_FORWARD] = authz_read_forward,
	[AUTHZ_ENVOY] = authz_read_envoy,
};

/* One check under way. */
struct check {
	struct worker *worker;
	struct http_request *request;
	const struct authz_question *question;
	const struct queue_snapshot *snapshot;
	struct verdict *session; /* good, or NULL */
};

enum wr_err authz_read_queue(const struct http_request *request, struct queue_name *ret_queue,
							 struct err_detail *ret_detail)
{
	char text[QUEUE_NAME_TEXT_BYTES] __attribute__((uninitialized));
	if (!http_request_query(request, "queue", text, sizeof(text)) ||
		!queue_name_parse(text, strlen(text), ret_queue))
		return err_say(ret_detail, WR_NO_QUEUE,
					   "The address of the check must name a queue: ?queue=<tenant>/<queue>.");
	return WR_OK;
}

static void count(const struct check *check, enum gate_decision decision)
{
	metrics_add(check->worker->shard, METRIC_GATE_CHECKS,
				(unsigned)check->question->mount * GATE_DECISION_COUNT + decision, 1);
}

static void count_trouble(struct worker *worker, enum authz_trouble trouble)
{
	metrics_add(worker->shard, METRIC_GATE_TROUBLE, trouble, 1);
}

static __attribute__((noinline)) void fail(struct worker *worker, struct http_request *request,
										   enum authz_trouble trouble, enum wr_err err,
										   const struct err_detail *detail)
{
	count_trouble(worker, trouble);
	worker_problem(worker, request, err, detail);
}

/* ---- sessions ---- */

static bool find_token(const struct check *check, const char **ret_token, size_t *ret_len)
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

static enum gate_session look_at_session(struct check *check)
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
	if (session == GATE_SESSION_GOOD)
		check->session = verdict;
	return session;
}

static __attribute__((noinline)) void set_session(const struct check *check,
												  const struct session_claims *claims)
{
	char token[TOKEN_MAX_BYTES + 1];
	size_t len = 0;
	if (session_token_print(check->worker->signer, claims, token, &len) == WR_OK)
		credentials_set_session_cookie(check->worker, check->request, &claims->queue, token,
									   claims->expires_s - check->worker->wall.ms / 1000);
}

/* A session slides with use: another token with a whole life. The old one stays good for its rest,
 * because requests with it are under way. */
static void renew(const struct check *check)
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
	claims.expires_s = claims.issued_s + (snapshot->settings->session_ttl_ms + 999) / 1000;
	set_session(check, &claims);
	metrics_add(check->worker->shard, METRIC_GATE_RENEWED, 0, 1);
}

/* ---- those without ---- */

static const char *header_of(void *ctx, const char *name)
{
	return http_request_header(ctx, name);
}

static __attribute__((noinline)) int match_bypass(const struct check *check)
{
	struct http_request *request = check->request;
	const struct gate_url *url = &check->question->url;
	char path[VISIT_TARGET_MAX_BYTES + 1], address[INET6_ADDRSTRLEN];
	struct client_ip client = http_request_client(request, check->worker->app->proxies);
	inet_ntop(AF_INET6, client.bytes, address, sizeof(address));
	struct bypass_request asked = {.method = check->question->method,
								   .address = address,
								   .user_agent = http_request_header(request, "User-Agent"),
								   .header = header_of,
								   .ctx = request};
	if (url->path_len < sizeof(path)) {
		memcpy(path, url->path, url->path_len);
		path[url->path_len] = '\0';
		asked.path = path;
	}
	int rule = bypass_match(check->snapshot->settings, &asked);
	if (rule >= 0)
		metrics_add(check->worker->shard, METRIC_GATE_BYPASSED, (unsigned)rule, 1);
	return rule;
}

/* One bucket for all workers of the pod; only looked at during an outage. */
static bool take_open(const struct check *check)
{
	const struct queue_settings *settings = check->snapshot->settings;
	struct mono_time now = loop_now(check->worker->loop);
	if (settings->on_outage != QUEUE_ON_OUTAGE_OPEN ||
		mono_diff_ms(check->snapshot->taken, now) <= check->worker->app->config.stale_after_ms)
		return false;
	_Atomic int64_t *shared = &check->worker->app->open_taken[check->snapshot->slot];
	int64_t seen = atomic_load(shared), taken = seen;
	while (gate_open_take(&taken, settings, now)) {
		if (atomic_compare_exchange_weak(shared, &seen, taken))
			return true;
		taken = seen;
	}
	return false;
}

/* Let in unseen, but once: without a session each of a page's requests would be another visitor. It is
 * short, does not slide, and takes no slot: the outage is what makes it good. */
static void answer_open(const struct check *check)
{
	const struct queue_snapshot *snapshot = check->snapshot;
	int64_t life_ms = snapshot->settings->session_ttl_ms;
	struct session_claims claims = {.queue = snapshot->name,
									.issued_s = check->worker->wall.ms / 1000};
	if (life_ms > OPEN_SESSION_MS)
		life_ms = OPEN_SESSION_MS;
	claims.expires_s = claims.issued_s + (life_ms + 999) / 1000;
	position_id_random(claims.position_id);
	memcpy(claims.epoch, snapshot->epoch, sizeof(claims.epoch));
	set_session(check, &claims);
	authz_answer_yes(check->request, GATE_OPEN, claims.position_id);
}

/* ---- decisions ---- */

static __attribute__((noinline)) void answer_without_session(const struct check *check,
															 const struct gate_facts *known)
{
	struct gate_facts facts = *known;
	const struct queue_settings *settings = check->snapshot->settings;
	facts.bypass_rule = settings->bypass_count > 0 ? match_bypass(check) : -1;
	if (facts.bypass_rule < 0 && facts.state != QUEUE_PASSTHROUGH)
		facts.may_open = take_open(check);
	enum gate_decision decision = gate_decide(&facts);
	count(check, decision);
	if (decision == GATE_OPEN)
		answer_open(check);
	else if (gate_decision_passes(decision))
		authz_answer_yes(check->request, decision, NULL);
	else if (!authz_answer_room(check->worker, check->request, check->question, settings))
		count_trouble(check->worker, AUTHZ_TARGET);
}

static __attribute__((noinline)) void answer_with_pass(const struct check *check,
													   const struct gate_facts *known)
{
	struct gate_facts facts = *known;
	char url[VISIT_TARGET_MAX_BYTES + 1];
	const char *method = check->question->method;
	facts.can_strip = (strcmp(method, "GET") == 0 || strcmp(method, "HEAD") == 0) &&
					  gate_url_return(check->snapshot->settings, &check->question->url, url);
	enum gate_decision decision = gate_decide(&facts);
	if (!facts.session_is_good) {
		answer_without_session(check, &facts);
		return;
	}
	count(check, decision);
	if (decision == GATE_STRIP)
		authz_answer_stripped(check->request, check->question, url);
	else
		authz_answer_yes(check->request, decision, check->session->claims.position_id);
}

static void decide(struct check *check)
{
	const struct queue_settings *settings = check->snapshot->settings;
	const char *pass;
	size_t pass_len;
	enum gate_session session = look_at_session(check);
	metrics_add(check->worker->shard, METRIC_GATE_SESSIONS, session, 1);
	struct gate_facts facts = {.has_pass =
								   gate_url_find_pass(&check->question->url, &pass, &pass_len),
							   .session_is_good = session == GATE_SESSION_GOOD,
							   .bypass_rule = -1,
							   .state = settings->state};
	if (facts.session_is_good &&
		gate_session_is_due(&check->session->claims, settings, check->worker->wall))
		renew(check);
	if (facts.has_pass) {
		answer_with_pass(check, &facts);
	} else if (facts.session_is_good) {
		count(check, GATE_ADMITTED);
		authz_answer_yes(check->request, GATE_ADMITTED, check->session->claims.position_id);
	} else {
		answer_without_session(check, &facts);
	}
}

/* ---- questions ---- */

static __attribute__((noinline)) void refuse_peer(struct worker *worker,
												  struct http_request *request)
{
	struct err_detail detail;
	err_say(&detail, WR_FORBIDDEN,
			"Gate checks are answered to trusted proxies only, and %s is none: add the address of "
			"the proxy to WR_TRUSTED_PROXIES.",
			http_request_peer(request));
	fail(worker, request, AUTHZ_UNTRUSTED, WR_FORBIDDEN, &detail);
}

static __attribute__((noinline)) void explain(struct worker *worker, struct http_request *request,
											  enum authz_mount mount)
{
	struct authz_question question;
	struct err_detail detail = {""};
	enum wr_err err = read_question[mount](request, &question, &detail);
	fail(worker, request, err == WR_NO_QUEUE ? AUTHZ_NO_QUEUE : AUTHZ_NO_ADDRESS, err, &detail);
}

void authz_serve(struct worker *worker, struct http_request *request, enum authz_mount mount)
{
	struct app *app = worker->app;
	struct authz_question question __attribute__((uninitialized)); /* read_question fills it */
	((struct parked *)http_request_notes(request))->endpoint = ENDPOINT_AUTHZ;
	if (!trusted_proxies_have_peer(app->proxies, http_request_peer(request))) {
		refuse_peer(worker, request);
		return;
	}
	if (read_question[mount](request, &question, NULL) != WR_OK) {
		explain(worker, request, mount);
		return;
	}
	struct check check = {.worker = worker,
						  .request = request,
						  .question = &question,
						  .snapshot = queue_table_find(app->queues, &question.queue)};
	if (check.snapshot != NULL)
		decide(&check);
	else if (atomic_load(&app->synced))
		fail(worker, request, AUTHZ_NO_QUEUE, WR_NO_QUEUE, NULL);
	else
		fail(worker, request, AUTHZ_NOT_READY, WR_BUSY, NULL);
}
