/* wrctl doctor: asks every pod of the context how all is, and adds what only somebody outside can
 * see.
 *
 *     each url ─► /livez, three times ─► no connection, no answer, slow: a finding about the url
 *              ─► /readyz ─► may visitors come here?
 *              ─► /admin/v1/health ─► findings of that pod
 *              ─► the pod cannot check the key (the store is away): /metrics still tells
 *
 * It works when everything is down: then it says of each part that it could not be reached, and how
 * that showed. Nothing is changed by it.
 */
#include "doctor.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "actions.h"
#include "client.h"
#include "look.h"
#include "progress.h"
#include "waitingroom/clock.h"
#include "waitingroom/memory.h"

#define DEADLINE_MS 5000
#define SNIPPET 120
#define LIFE_LOOKS 3

struct visit_counts {
	size_t refused; /* urls that did not take the key */
};

/* ---- without a key ---- */

/* The number behind a name at the beginning of a line of /metrics; negative: not there. */
static double metric(const char *page, const char *name)
{
	size_t len = strlen(name);
	for (const char *line = page; line != NULL; line = strchr(line, '\n')) {
		line += *line == '\n';
		if (strncmp(line, name, len) == 0 && (line[len] == ' ' || line[len] == '{'))
			return strtod(line + len + strcspn(line + len, " "), NULL);
	}
	return -1;
}

/* The pod is there and says nothing without the store: its page for Prometheus does. */
static void look_at_metrics(struct wrctl *w, size_t url, struct findings *findings)
{
	const char *name = w->context.urls[url];
	struct err_detail detail;
	struct reply reply = {0};
	if (client_ask_url(w->client, url, &(struct request){.method = "GET", .path = "/metrics"},
					   &reply, &detail) == WR_OK) {
		if (metric(reply.text, "wr_store_connected") == 0)
			findings_add(findings, "store", HEALTH_FAIL,
						 "Is it up, and can the pods reach it? Runbook: LineFrozen.",
						 "No worker of %s has a connection to the store.", name);
		if (metric(reply.text, "wr_broker_connected") == 0)
			findings_add(findings, "broker", HEALTH_FAIL,
						 "Is NATS up? Events wait in the store. Runbook: BrokerUnreachable.",
						 "The relay of %s has no connection to NATS.", name);
		reply_clear(&reply);
	}
}

/* ---- one url ---- */

static void no_answer(const struct wrctl *w, size_t url, enum wr_err err,
					  const struct err_detail *detail, struct findings *findings)
{
	if (err == WR_TIMEOUT)
		findings_add(findings, "url", HEALTH_FAIL,
					 "The pod hangs or is stopped, or a firewall drops what is sent: look at its "
					 "log and its host. Runbook: PodDown.",
					 "%s takes no notice: no answer within %" PRId64 " s.", w->context.urls[url],
					 client_deadline(w->client) / 1000);
	else
		findings_add(findings, "url", HEALTH_FAIL,
					 err == WR_BAD_CONFIG ? "Look at the context: wrctl context show."
										  : "Is the pod up, and is this its internal address "
											"(WR_INTERNAL_LISTEN)? Runbook: PodDown.",
					 "No answer from %s.", detail->text);
}

/* /livez asks nobody else: how long it takes is how busy the pod is. false: no answer. */
static bool look_at_life(struct wrctl *w, size_t url, struct findings *findings)
{
	const struct request request = {.method = "GET", .path = "/livez"};
	int64_t slowest_ms = 0;
	for (int i = 0; i < LIFE_LOOKS; i++) {
		WR_AUTO(reply_clear) struct reply reply = {0};
		struct err_detail detail = {""};
		struct mono_time sent = clock_mono();
		enum wr_err err = client_ask_url(w->client, url, &request, &reply, &detail);
		if (err != WR_OK) {
			no_answer(w, url, err, &detail, findings);
			return false;
		}
		int64_t took_ms = mono_diff_ms(sent, clock_mono());
		slowest_ms = took_ms > slowest_ms ? took_ms : slowest_ms;
		if (reply.status == 503) {
			findings_add(findings, "pods", HEALTH_FAIL,
						 "Restart it; its log may say what it hangs in. Runbook: WorkerBlocked.",
						 "%s says of itself that it hangs: %.*s.", w->context.urls[url],
						 (int)strcspn(reply.text, "\n"), reply.text);
			return true;
		}
	}
	if (slowest_ms > HEALTH_TURN_LONG_MS)
		findings_add(findings, "pods", HEALTH_WARN,
					 "Is its host busy, its CPU limit too low, or the network slow? Runbook: "
					 "WorkerBlocked.",
					 "%s is slow: it took %" PRId64 " ms to say that it is alive.",
					 w->context.urls[url], slowest_ms);
	return true;
}

static void look_at_readiness(struct wrctl *w, size_t url, struct findings *findings)
{
	WR_AUTO(reply_clear) struct reply reply = {0};
	const struct request request = {.method = "GET", .path = "/readyz"};
	struct err_detail detail;
	if (client_ask_url(w->client, url, &request, &reply, &detail) != WR_OK || reply.status != 503)
		return;
	bool draining = strncmp(reply.text, "draining", 8) == 0;
	findings_add(findings, "pods", draining ? HEALTH_WARN : HEALTH_FAIL,
				 draining ? "Fine while a new version is rolled out." : "Runbook: PodDown.",
				 "%s takes no visitors: %.*s.", w->context.urls[url],
				 (int)strcspn(reply.text, "\n"), reply.text);
}

static void refused(struct wrctl *w, size_t url, const struct reply *reply,
					struct findings *findings, struct visit_counts *counts)
{
	const char *name = w->context.urls[url], *code = reply_code(reply);
	if (strcmp(code, "store_unavailable") == 0) {
		findings_add(findings, "store", HEALTH_FAIL,
					 "Is it up, and can the pods reach it? A key of WR_ADMIN_KEYS_FILE is checked "
					 "without the store and shows more. Runbook: LineFrozen.",
					 "%s cannot ask the store, not even about this key.", name);
		look_at_metrics(w, url, findings);
	} else if (reply->status == 401 || reply->status == 403) {
		counts->refused++;
		findings_add(findings, "key", HEALTH_FAIL,
					 "wrctl context show says which key it is; it may be deleted, expired or "
					 "mistyped.",
					 "%s does not take this key (%s).", name, code);
	} else if (reply->status == 404 && strcmp(code, "not_found") == 0) {
		counts->refused++;
		findings_add(findings, "key", HEALTH_FAIL,
					 "Use a key for all tenants; and is this an internal address?",
					 "%s does not show its health to this key.", name);
	} else if (strcmp(code, "draining") == 0) {
		findings_add(findings, "url", HEALTH_WARN, "Fine while a new version is rolled out.",
					 "%s is going away.", name);
	} else {
		findings_add(findings, "url", HEALTH_FAIL,
					 "Is this the internal address of the waiting room?",
					 "%s answered with status %d: %.*s", name, reply->status, SNIPPET,
					 reply->text != NULL ? reply->text : "");
	}
}

/* The answer's time is of its middle, as far as one can tell. */
static void look_at_own_clock(const struct json_value *report, int64_t sent_ms, int64_t got_ms,
							  struct findings *findings)
{
	int64_t theirs_ms = look_int(report, "as_of_ms", 0), ours_ms = sent_ms + (got_ms - sent_ms) / 2;
	int64_t off_ms = theirs_ms > ours_ms ? theirs_ms - ours_ms : ours_ms - theirs_ms;
	if (theirs_ms == 0 || off_ms <= HEALTH_CLOCK_MS + (got_ms - sent_ms))
		return;
	findings_add(findings, "clock", HEALTH_WARN,
				 "Set it by NTP; times that wrctl shows are wrong until then.",
				 "The clock of this machine is %" PRId64 " s %s the store's.", off_ms / 1000,
				 theirs_ms > ours_ms ? "behind" : "ahead of");
}

static void visit(struct wrctl *w, size_t url, struct findings *findings,
				  struct visit_counts *counts)
{
	WR_AUTO(reply_clear) struct reply reply = {0};
	struct err_detail detail = {""};
	struct request request = {.method = "GET", .path = "/admin/v1/health"};
	findings->urls++;
	if (!look_at_life(w, url, findings))
		return;
	look_at_readiness(w, url, findings);
	int64_t sent_ms = clock_wall().ms;
	enum wr_err err = client_ask_url(w->client, url, &request, &reply, &detail);
	if (err != WR_OK) {
		no_answer(w, url, err, &detail, findings);
		return;
	}
	size_t answered = findings->answered;
	if (reply.status != 200 || !findings_take_report(findings, reply.json))
		refused(w, url, &reply, findings, counts);
	else if (answered == 0) /* once is enough */
		look_at_own_clock(reply.json, sent_ms, clock_wall().ms, findings);
}

static void draw_progress(void *ctx)
{
	progress_draw(ctx);
}

/* One after the other: a pod that hangs costs its time-out, and people see that something is
 * done. */
static void ask_all(struct wrctl *w, struct findings *findings, struct visit_counts *counts)
{
	struct progress progress;
	progress_begin(&progress, &w->terminal, "asking the pods", (int64_t)w->context.url_count);
	client_set_tick(w->client, draw_progress, &progress);
	for (size_t url = 0; url < w->context.url_count; url++) {
		visit(w, url, findings, counts);
		progress_set(&progress, (int64_t)url + 1);
	}
	client_set_tick(w->client, NULL, NULL);
	progress_end(&progress);
}

int wrctl_doctor(struct wrctl *w, int argc, char **argv)
{
	struct findings findings = {.list = NULL};
	struct visit_counts counts = {0};
	(void)argc, (void)argv;
	if (wrctl_option(w, "timeout") == NULL)
		client_set_deadline(w->client, DEADLINE_MS);
	ask_all(w, &findings, &counts);
	if (findings.answered == 0)
		findings_add(&findings, "admitter", HEALTH_WARN, "Look again when a pod answers.",
					 "Nothing is known of store, broker, admitters and queues beyond what is said "
					 "here: no pod has given a report.");
	findings_settle(&findings);
	if (w->json)
		findings_print_json(&findings, stdout);
	else
		findings_print(&findings, &w->terminal, stdout);
	enum health_status worst = findings_worst(&findings);
	bool bad = worst == HEALTH_FAIL || (worst == HEALTH_WARN && wrctl_flag(w, "strict"));
	int code = findings.answered > 0 ? (bad ? WRCTL_REFUSED : WRCTL_DONE)
			   : counts.refused > 0	 ? WRCTL_NOT_ALLOWED
									 : WRCTL_UNREACHABLE;
	findings_clear(&findings);
	return code;
}
