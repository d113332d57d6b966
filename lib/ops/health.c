/* Health: the report, and what is judged about the installation as a whole: store, broker, clocks,
 * processes.
 *
 * Every rule is a few lines that add a finding. A part without findings gets one line that says
 * that it is well, with the numbers that show it: "no news" and "not looked at" must not look
 * alike. What cannot be known (the store is away) is not judged.
 */
#include "waitingroom/health.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "waitingroom/memory.h"

const char *health_status_word(enum health_status status)
{
	static const char *const words[] = {"ok", "warn", "fail"};
	return words[status];
}

bool health_status_parse(const char *word, enum health_status *ret_status)
{
	for (int i = HEALTH_OK; i <= HEALTH_FAIL; i++)
		if (strcmp(word, health_status_word((enum health_status)i)) == 0) {
			*ret_status = (enum health_status)i;
			return true;
		}
	return false;
}

/* ---- the report ---- */

/* Cut at a whole character: the text goes out as JSON. */
static void cut_whole(char *text)
{
	size_t len = strlen(text);
	while (len > 0 && !utf8_is_valid(text, len))
		text[--len] = '\0';
}

void health_add(struct health_report *report, const char *name, enum health_status status,
				const char *runbook, const char *act, const char *said, ...)
{
	if (report->count == report->room) {
		report->room = report->room > 0 ? 2 * report->room : 32;
		report->list = mem_grow(report->list, report->room, sizeof(*report->list));
	}
	struct health_check *check = &report->list[report->count++];
	*check = (struct health_check){.status = status};
	snprintf(check->name, sizeof(check->name), "%s", name);
	va_list arguments;
	va_start(arguments, said);
	vsnprintf(check->said, sizeof(check->said), said, arguments);
	va_end(arguments);
	snprintf(check->act, sizeof(check->act), "%s%s%s%s", act, runbook != NULL ? " Runbook: " : "",
			 runbook != NULL ? runbook : "", runbook != NULL ? "." : "");
	cut_whole(check->said);
	cut_whole(check->act);
}

void health_report_clear(struct health_report *report)
{
	free(report->list);
	*report = (struct health_report){.list = NULL};
}

enum health_status health_worst(const struct health_report *report)
{
	enum health_status worst = HEALTH_OK;
	for (size_t i = 0; i < report->count; i++)
		if (report->list[i].status > worst)
			worst = report->list[i].status;
	return worst;
}

void health_report_write(const struct health_report *report, struct json_out *out)
{
	json_out_array(out, "checks");
	for (size_t i = 0; i < report->count; i++) {
		const struct health_check *check = &report->list[i];
		json_out_object(out, NULL);
		json_out_string(out, "name", check->name);
		json_out_string(out, "status", health_status_word(check->status));
		json_out_string(out, "said", check->said);
		json_out_string(out, "do", check->act);
		json_out_object_end(out);
	}
	json_out_array_end(out);
}

/* ---- store ---- */

static void judge_memory(const struct health_store *store, struct health_report *report)
{
	if (store->max_bytes > 0 &&
		store->used_bytes * 100 > store->max_bytes * HEALTH_STORE_MEMORY_PERCENT)
		health_add(report, "store",
				   store->used_bytes * 100 > store->max_bytes * 95 ? HEALTH_FAIL : HEALTH_WARN,
				   "StoreMemoryHigh",
				   "When it is full nobody can join: give it more memory, or lower max_waiting.",
				   "The store uses %" PRId64 " of its %" PRId64 " MB of memory.",
				   store->used_bytes >> 20, store->max_bytes >> 20);
	if (store->evicts)
		health_add(report, "store", HEALTH_FAIL, "StoreMemoryHigh",
				   "Set maxmemory-policy noeviction (DragonflyDB: --cache_mode=false): otherwise "
				   "places are thrown away when memory runs short.",
				   "The store may evict keys (policy %s).",
				   store->policy[0] != '\0' ? store->policy : "cache mode");
}

static void judge_store(const struct health_facts *facts, struct health_report *report)
{
	const struct health_store *store = &facts->store;
	size_t before = report->count;
	if (!store->reachable) {
		health_add(report, "store", HEALTH_FAIL, "LineFrozen",
				   "Is it up, and can the pods reach it? Meanwhile visitors keep their places and "
				   "nobody joins or is let in.",
				   "The store does not answer %s%s%s.", facts->instance,
				   store->trouble[0] != '\0' ? ": " : "", store->trouble);
		return;
	}
	if (store->answer_us > HEALTH_STORE_SLOW_MS * 1000)
		health_add(report, "store", HEALTH_WARN, "StoreSlow",
				   "Look for slow commands (SLOWLOG), saving, or a busy host.",
				   "The store took %" PRId64 " ms to answer.", store->answer_us / 1000);
	if (store->role[0] != '\0' && strcmp(store->role, "master") != 0)
		health_add(report, "store", HEALTH_FAIL, "StoreFailing",
				   "WR_STORE_URL must lead to the primary.", "The store is a %s.", store->role);
	if (store->refuses_tags)
		health_add(report, "store", HEALTH_FAIL, "StoreFailing",
				   "Start DragonflyDB with --cluster_mode=emulated --lock_on_hashtags.",
				   "The store refuses keys of a declared tag: no step can run.");
	judge_memory(store, report);
	if (store->saving_failed || store->appending_failed)
		health_add(report, "store", HEALTH_FAIL, "StoreFailing",
				   "Its log says why: a full disk, or not enough memory to fork. It may refuse to "
				   "write until it can save again.",
				   "The store cannot save its data (%s).",
				   store->appending_failed ? "append-only file" : "snapshot");
	if (store->replicas < facts->config->store_wait_replicas)
		health_add(report, "store", HEALTH_FAIL, "StoreFailing",
				   "Bring its replicas back, or lower WR_STORE_WAIT_REPLICAS: until then joins get "
				   "503.",
				   "The store has %" PRId64 " replicas, and joins wait for %" PRId64 ".",
				   store->replicas, facts->config->store_wait_replicas);
	if (report->count > before)
		return;
	char limit[48] = "without a limit";
	if (store->max_bytes > 0)
		snprintf(limit, sizeof(limit), "of %" PRId64 " MB", store->max_bytes >> 20);
	health_add(report, "store", HEALTH_OK, NULL, "",
			   "%s %s answers in %" PRId64 ".%" PRId64 " ms, uses %" PRId64 " MB %s, has %" PRId64
			   " replicas.",
			   store->server[0] != '\0' ? store->server : "The store", store->version,
			   store->answer_us / 1000, store->answer_us / 100 % 10, store->used_bytes >> 20, limit,
			   store->replicas);
}

/* ---- broker ---- */

struct relays {
	size_t all, connected;
	const struct pod_row *without; /* the first that has no connection */
};

static struct relays count_relays(const struct health_facts *facts)
{
	struct relays relays = {0};
	for (size_t i = 0; i < facts->pod_count; i++) {
		const struct pod_row *row = &facts->pods[i];
		if (!row->relay || pod_row_state(row, facts->now_ms) == POD_SILENT ||
			strcmp(row->instance, facts->instance) == 0)
			continue;
		relays.all++;
		relays.connected += row->nats;
		if (!row->nats && relays.without == NULL)
			relays.without = row;
	}
	relays.all += facts->broker.here; /* of this pod the news are fresher than its row */
	relays.connected += facts->broker.here && facts->broker.connected;
	return relays;
}

static void judge_stream(const struct health_broker *broker, struct health_report *report)
{
	if (!broker->looked)
		return;
	if (!broker->stream_there)
		health_add(report, "broker", HEALTH_FAIL, "EventsLate",
				   "Is JetStream on, and is there room for the stream? The relays make it as soon "
				   "as they can.",
				   "The stream WAITINGROOM is not there%s%s.", broker->trouble[0] ? ": " : "",
				   broker->trouble);
	else if (broker->replicas_current < broker->replicas)
		health_add(report, "broker", HEALTH_WARN, "EventsLate",
				   "Bring the missing NATS servers back.",
				   "Only %" PRId64 " of %" PRId64 " replicas of the stream are up to date.",
				   broker->replicas_current, broker->replicas);
	else if (broker->replicas < broker->replicas_wanted)
		health_add(report, "broker", HEALTH_WARN, "EventsLate",
				   "Run as many NATS servers as WR_STREAM_REPLICAS says.",
				   "The stream has %" PRId64 " replicas, WR_STREAM_REPLICAS says %" PRId64 ".",
				   broker->replicas, broker->replicas_wanted);
}

static void judge_broker(const struct health_facts *facts, struct health_report *report)
{
	struct relays relays = count_relays(facts);
	size_t before = report->count;
	if (relays.all == 0)
		health_add(report, "broker", HEALTH_FAIL, "EventsLate",
				   "Set WR_RELAY=1 for the pods or the admitters.",
				   "No process that is alive moves events to NATS.");
	else if (relays.connected == 0)
		health_add(report, "broker", HEALTH_FAIL, "BrokerUnreachable",
				   "Is NATS up, and is WR_NATS_URL right? Events wait in the store, none is lost.",
				   "None of %zu relays has a connection to NATS.", relays.all);
	else if (facts->broker.here && !facts->broker.connected)
		health_add(report, "broker", HEALTH_WARN, "BrokerUnreachable",
				   "Others publish its events; find out why it cannot reach NATS.",
				   "%s has no connection to NATS; %zu of %zu relays have one.", facts->instance,
				   relays.connected, relays.all);
	else if (relays.without != NULL)
		health_add(report, "broker", HEALTH_WARN, "BrokerUnreachable",
				   "Others publish its events; find out why it cannot reach NATS.",
				   "%s has no connection to NATS; %zu of %zu relays have one.",
				   relays.without->instance, relays.connected, relays.all);
	if (facts->broker.connected)
		judge_stream(&facts->broker, report);
	if (facts->broker.malformed > 0)
		health_add(report, "broker", HEALTH_WARN, "EventsMalformed",
				   "Look at what was set aside; are all processes of one version?",
				   "%" PRIu64 " entries of the outbox could not be understood.",
				   facts->broker.malformed);
	if (report->count == before)
		health_add(report, "broker", HEALTH_OK, NULL, "",
				   "%zu of %zu relays have a connection to NATS%s.", relays.connected, relays.all,
				   facts->broker.looked ? "; the stream is there" : "");
}

/* ---- clocks ---- */

static bool judge_one_clock(const char *instance, int64_t offset_ms, struct health_report *report)
{
	int64_t off_ms = offset_ms < 0 ? -offset_ms : offset_ms;
	if (off_ms <= HEALTH_CLOCK_MS)
		return false;
	health_add(
		report, "clock", off_ms > 60000 ? HEALTH_FAIL : HEALTH_WARN, "ClockSkew",
		"Set the clock of its host by NTP: the room goes by the store's, but its log and sites "
		"that check sessions by themselves do not.",
		"The clock of %s is %" PRId64 ".%" PRId64 " s %s the store's.", instance, off_ms / 1000,
		off_ms / 100 % 10, offset_ms > 0 ? "behind" : "ahead of");
	return true;
}

static void judge_clocks(const struct health_facts *facts, struct health_report *report)
{
	int64_t low_ms = facts->clock_offset_ms, high_ms = facts->clock_offset_ms;
	size_t looked = 1;
	bool found = false;
	if (!facts->store.reachable) {
		health_add(report, "clock", HEALTH_WARN, NULL, "Look again when the store answers.",
				   "Clocks are compared with the store's, which does not answer.");
		return;
	}
	found = judge_one_clock(facts->instance, facts->clock_offset_ms, report);
	for (size_t i = 0; i < facts->pod_count; i++) {
		const struct pod_row *row = &facts->pods[i];
		if (strcmp(row->instance, facts->instance) == 0 ||
			pod_row_state(row, facts->now_ms) == POD_SILENT)
			continue;
		found |= judge_one_clock(row->instance, row->clock_offset_ms, report);
		low_ms = row->clock_offset_ms < low_ms ? row->clock_offset_ms : low_ms;
		high_ms = row->clock_offset_ms > high_ms ? row->clock_offset_ms : high_ms;
		looked++;
	}
	if (!found)
		health_add(report, "clock", HEALTH_OK, NULL, "",
				   "The clocks of %zu processes are within %" PRId64 " ms of each other.", looked,
				   high_ms - low_ms);
}

void health_judge(const struct health_facts *facts, struct health_report *ret_report)
{
	*ret_report = (struct health_report){.list = NULL};
	judge_store(facts, ret_report);
	judge_broker(facts, ret_report);
	judge_clocks(facts, ret_report);
	health_judge_settings(facts, ret_report);
	health_judge_pods(facts, ret_report);
	health_judge_queues(facts, ret_report);
}
