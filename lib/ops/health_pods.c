/* Health of the processes: who is silent, slow, full, of another version or with other keys. */
#include <inttypes.h>
#include <string.h>

#include "waitingroom/health.h"

/* ---- one process ---- */

static void judge_load(const struct pod_row *row, struct health_report *report)
{
	if (row->loop_ms > HEALTH_TURN_LONG_MS)
		health_add(report, "pods", HEALTH_WARN, "WorkerBlocked",
				   "Is its host busy, or its CPU limit too low?",
				   "A worker of %s was busy for %" PRId64
				   " ms at a time; nobody there was answered meanwhile.",
				   row->instance, row->loop_ms);
	if (row->connections_max > 0 &&
		row->connections * 100 > row->connections_max * HEALTH_CONNECTIONS_PERCENT)
		health_add(report, "pods", HEALTH_WARN, "PodNearItsLimits",
				   "Add pods, or raise WR_CONNECTIONS_MAX.",
				   "%s has %" PRId64 " of at most %" PRId64 " connections.", row->instance,
				   row->connections, row->connections_max);
	if (row->store_us > HEALTH_STORE_SLOW_MS * 1000)
		health_add(report, "pods", HEALTH_WARN, "StoreSlow",
				   "If others are answered faster, look at its network and its host.",
				   "The store answers %s in %" PRId64 " ms.", row->instance, row->store_us / 1000);
	if (row->store_failures > 0)
		health_add(report, "pods", HEALTH_WARN, "StoreFailing",
				   "Its log says what the store answered.",
				   "Calls of %s to the store failed lately: %" PRId64 ".", row->instance,
				   row->store_failures);
	if (row->bugs > 0)
		health_add(report, "pods", HEALTH_WARN, "RequestsEndInBugs",
				   "Its log has each of them; report it.",
				   "Requests to %s that ended in a bug of ours since it started: %" PRId64 ".",
				   row->instance, row->bugs);
}

static void judge_pod(const struct pod_row *row, int64_t now_ms, struct health_report *report)
{
	switch (pod_row_state(row, now_ms)) {
	case POD_SILENT:
		health_add(report, "pods", HEALTH_WARN,
				   strcmp(row->kind, "admitter") == 0 ? "AdmitterDown" : "PodDown",
				   "Is it running, and does it reach the store? Its log says what it was doing.",
				   "%s (%s at %s) has said nothing for %" PRId64 " s.", row->instance, row->kind,
				   row->address, (now_ms - row->seen_ms) / 1000);
		return;
	case POD_NOT_READY:
		health_add(report, "pods", HEALTH_WARN,
				   strcmp(row->kind, "admitter") == 0 ? "AdmitterDown" : "PodDown",
				   "Its /readyz says why; it is of no use until that says ok.",
				   "%s (%s at %s) is not ready.", row->instance, row->kind, row->address);
		break;
	default:
		break;
	}
	judge_load(row, report);
}

/* ---- what they should have in common ---- */

enum common { COMMON_VERSION, COMMON_SETTINGS, COMMON_KEYS };

static const char *common_of(const struct pod_row *row, enum common which)
{
	return which == COMMON_VERSION	  ? row->version
		   : which == COMMON_SETTINGS ? row->settings
									  : row->keys;
}

/* The first two of a kind that differ; false: none. Admitters have no keys. */
static bool find_difference(const struct health_facts *facts, enum common which,
							const struct pod_row **ret_a, const struct pod_row **ret_b)
{
	for (size_t i = 0; i < facts->pod_count; i++)
		for (size_t k = i + 1; k < facts->pod_count; k++) {
			const struct pod_row *a = &facts->pods[i], *b = &facts->pods[k];
			if (pod_row_state(a, facts->now_ms) == POD_SILENT ||
				pod_row_state(b, facts->now_ms) == POD_SILENT ||
				(which != COMMON_VERSION && strcmp(a->kind, b->kind) != 0) ||
				strcmp(common_of(a, which), common_of(b, which)) == 0)
				continue;
			*ret_a = a;
			*ret_b = b;
			return true;
		}
	return false;
}

static void judge_common(const struct health_facts *facts, struct health_report *report)
{
	const struct pod_row *a = NULL, *b = NULL;
	if (find_difference(facts, COMMON_VERSION, &a, &b))
		health_add(report, "pods", HEALTH_WARN, NULL,
				   "Fine while a new version is rolled out; else finish the rollout.",
				   "%s runs version %s, %s runs %s.", a->instance, a->version, b->instance,
				   b->version);
	if (find_difference(facts, COMMON_SETTINGS, &a, &b))
		health_add(report, "settings", HEALTH_WARN, NULL,
				   "Compare `--print-config` of both; restart the one with the old settings.",
				   "%s and %s run with different settings.", a->instance, b->instance);
	if (find_difference(facts, COMMON_KEYS, &a, &b))
		health_add(report, "keys", HEALTH_FAIL, "PlacesLost",
				   "Give all pods the same WR_TOKEN_KEYS_FILE and send SIGHUP: a place given by "
				   "one is not known to the other.",
				   "%s and %s have different token keys.", a->instance, b->instance);
}

/* ---- admitters ---- */

static void judge_admitters(const struct health_facts *facts, struct health_report *report)
{
	size_t alive = 0, late = 0;
	const struct health_queue *first = NULL;
	for (size_t i = 0; i < facts->pod_count; i++)
		alive += strcmp(facts->pods[i].kind, "admitter") == 0 &&
				 pod_row_state(&facts->pods[i], facts->now_ms) != POD_SILENT;
	for (size_t i = 0; i < facts->queue_count; i++)
		if (facts->queues[i].tick_ms > HEALTH_NO_TICK_MS) {
			first = first != NULL ? first : &facts->queues[i];
			late++;
		}
	if (!facts->store.reachable)
		health_add(report, "admitter", HEALTH_WARN, NULL, "Look again when the store answers.",
				   "What the admitters do is seen in the store, which does not answer.");
	else if (alive == 0)
		health_add(report, "admitter", HEALTH_FAIL, "NoAdmitter",
				   "Start waitingroom-admitter; nobody is let in without one.",
				   "No admitter is alive.");
	else if (first != NULL)
		health_add(
			report, "admitter", HEALTH_FAIL, "NoAdmitter",
			"The admitters' logs say why; restart one.",
			"%zu admitters are alive, but none has tried to let people into %s/%s for %" PRId64
			" s (%zu queues in all).",
			alive, first->name.tenant, first->name.queue, first->tick_ms / 1000, late);
	else
		health_add(report, "admitter", HEALTH_OK, NULL, "", "%zu admitter%s alive%s.", alive,
				   alive == 1 ? " is" : "s are",
				   alive == 1 ? "; a second one would take over when it dies" : "");
}

void health_judge_pods(const struct health_facts *facts, struct health_report *report)
{
	size_t before = report->count, apis = 0;
	int64_t lost = 0;
	for (size_t i = 0; i < facts->pod_count; i++) {
		judge_pod(&facts->pods[i], facts->now_ms, report);
		apis += strcmp(facts->pods[i].kind, "api") == 0;
		lost += facts->pods[i].places_lost;
	}
	if (report->count == before && facts->store.reachable)
		health_add(report, "pods", HEALTH_OK, NULL, "",
				   "%zu pods and %zu admitters report; none is slow or full.", apis,
				   facts->pod_count - apis);
	if (!facts->store.reachable)
		health_add(report, "pods", HEALTH_WARN, NULL, "Look again when the store answers.",
				   "Processes report through the store, which does not answer.");
	judge_common(facts, report);
	if (lost > 0)
		health_add(report, "invariants", HEALTH_FAIL, "PlacesLost",
				   "Compare with the store's log at that time.",
				   "%" PRId64 " polls came with a good token whose place was not to be found.",
				   lost);
	judge_admitters(facts, report);
}
