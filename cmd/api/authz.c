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

#include "endpoints.h"
#include "gather.h"
#include "waitingroom/bypass.h"

#define OPEN_SESSION_MS 300000

static enum wr_err (*const read_question[AUTHZ_MOUNTS])(const struct http_request *,
														struct authz_question *,
														struct err_detail *) = {
	[AUTHZ_NGINX] = authz_read_nginx,
	[AUTHZ_FORWARD] = authz_read_forward,
	[AUTHZ_ENVOY] = authz_read_envoy,
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

static void count(const struct authz_check *check, enum gate_decision decision)
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

/* ---- those without ---- */

static const char *header_of(void *ctx, const char *name)
{
	return http_request_header(ctx, name);
}

static __attribute__((noinline)) int match_bypass(const struct authz_check *check)
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
static bool take_open(const struct authz_check *check)
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

/* Let in unseen, but once: without a session each of a page's requests would be another visitor. It
 * is short, does not slide, and takes no slot: the outage is what makes it good. */
static void answer_open(const struct authz_check *check)
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
	authz_set_session(check, &claims);
	authz_answer_yes(check->request, GATE_OPEN, claims.position_id);
}

/* ---- decisions ---- */

/* Where a browser can be sent to be where it is, without the pass. */
static bool find_way_round(const struct authz_check *check,
						   char ret_url[VISIT_TARGET_MAX_BYTES + 1])
{
	const char *method = check->question->method;
	return (strcmp(method, "GET") == 0 || strcmp(method, "HEAD") == 0) &&
		   gate_url_return(check->snapshot->settings, &check->question->url, ret_url);
}

/* The pass in the address has done its work, or is not needed. An address that nobody may be
 * redirected to passes as it is: going round by the room would end here again. */
static __attribute__((noinline)) void answer_stripped(const struct authz_check *check,
													  enum gate_decision decision,
													  const char *position_id)
{
	char url[VISIT_TARGET_MAX_BYTES + 1];
	count(check, decision);
	if (find_way_round(check, url))
		authz_answer_stripped(check->request, check->question, url);
	else
		authz_answer_yes(check->request, GATE_ADMITTED, position_id);
}

/* What only matters to somebody without a session or with a pass, in the order of its cost. */
static __attribute__((noinline)) void find_facts(const struct authz_check *check, bool may_ask,
												 struct gate_facts *facts)
{
	char url[VISIT_TARGET_MAX_BYTES + 1];
	if (facts->session_is_good) {
		facts->can_strip = find_way_round(check, url);
		return;
	}
	facts->pass_is_good = facts->has_pass && may_ask && authz_pass_is_good(check);
	if (facts->pass_is_good)
		return;
	if (check->snapshot->settings->bypass_count > 0)
		facts->bypass_rule = match_bypass(check);
	if (facts->bypass_rule < 0 && facts->state != QUEUE_PASSTHROUGH)
		facts->may_open = take_open(check);
}

/* may_ask  false: the store has been asked about the pass already, or cannot be. */
static void decide(struct authz_check *check, bool may_ask)
{
	const char *pass, *position_id = NULL;
	size_t pass_len;
	struct gate_facts facts = {.has_pass =
								   gate_url_find_pass(&check->question->url, &pass, &pass_len),
							   .session_is_good = check->session != NULL,
							   .bypass_rule = -1,
							   .state = check->snapshot->settings->state};
	if (facts.session_is_good)
		position_id = check->session->claims.position_id;
	if (!facts.session_is_good || facts.has_pass)
		find_facts(check, may_ask, &facts);
	enum gate_decision decision = gate_decide(&facts);
	switch (decision) {
	case GATE_REDEEM:
		if (!authz_redeem(check)) /* else it goes on in authz_go_on */
			decide(check, false);
		return;
	case GATE_STRIP:
		answer_stripped(check, decision, position_id);
		return;
	case GATE_OPEN:
		answer_open(check);
		break;
	case GATE_ROOM:
		if (!authz_answer_room(check))
			count_trouble(check->worker, AUTHZ_TARGET);
		break;
	default:
		authz_answer_yes(check->request, decision, position_id);
	}
	count(check, decision);
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

/* Fills all but the session; false: answered already. */
static bool begin(struct worker *worker, struct http_request *request, enum authz_mount mount,
				  struct authz_question *ret_question, struct authz_check *ret_check)
{
	struct app *app = worker->app;
	if (read_question[mount](request, ret_question, NULL) != WR_OK) {
		explain(worker, request, mount);
		return false;
	}
	*ret_check =
		(struct authz_check){.worker = worker,
							 .request = request,
							 .question = ret_question,
							 .snapshot = queue_table_find(app->queues, &ret_question->queue)};
	if (ret_check->snapshot != NULL)
		return true;
	if (app_why_no_queue(app) == WR_NO_QUEUE)
		fail(worker, request, AUTHZ_NO_QUEUE, WR_NO_QUEUE, NULL);
	else
		fail(worker, request, AUTHZ_NOT_READY, WR_STORE_AWAY, NULL);
	return false;
}

void authz_serve(struct worker *worker, struct http_request *request, enum authz_mount mount)
{
	struct authz_question question __attribute__((uninitialized)); /* read_question fills it */
	struct authz_check check;
	((struct parked *)http_request_notes(request))->endpoint = ENDPOINT_AUTHZ;
	if (!trusted_proxies_have_peer(worker->app->proxies, http_request_peer(request)))
		refuse_peer(worker, request);
	else if (begin(worker, request, mount, &question, &check)) {
		authz_look_at_session(&check);
		if (check.session != NULL)
			authz_keep_session(&check);
		decide(&check, true);
	}
}

void authz_go_on(struct worker *worker, struct http_request *request,
				 const struct session_claims *claims)
{
	struct authz_question question;
	struct authz_check check;
	const struct parked *notes = http_request_notes(request);
	if (!begin(worker, request, (enum authz_mount)notes->mount, &question, &check))
		return;
	if (claims == NULL) {
		decide(&check, false);
		return;
	}
	authz_set_session(&check, claims);
	answer_stripped(&check, GATE_REDEEM, claims->position_id);
}
