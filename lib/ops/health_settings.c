/* Health of settings and keys: what is allowed and still a mistake on a busy night. */
#include <inttypes.h>
#include <string.h>

#include "waitingroom/health.h"

#define MARK_MS 1000 /* pods say so often that they listen (cmd/api/worker.c) */

/* ---- of the processes ---- */

static bool begins_with(const char *text, const char *with)
{
	return strncmp(text, with, strlen(with)) == 0;
}

/* "redis://host:port" without a password, and not on this machine. */
static bool is_open_to_a_network(const char *url)
{
	const char *host = strstr(url, "://");
	if (host == NULL || begins_with(url, "unix:") || strchr(url, '@') != NULL)
		return false;
	host += 3;
	return !begins_with(host, "127.") && !begins_with(host, "localhost") &&
		   !begins_with(host, "[::1]");
}

static void judge_config(const struct config *config, struct health_report *report)
{
	if (config->trusted_proxies[0] == '\0')
		health_add(report, "settings", HEALTH_WARN, "GateMisconfigured",
				   "Name the proxies in front in WR_TRUSTED_PROXIES.",
				   "WR_TRUSTED_PROXIES is empty: everybody seems to come from the proxy's address, "
				   "and gate checks are refused.");
	if (!config->secure_cookies && begins_with(config->public_url, "https:"))
		health_add(report, "settings", HEALTH_WARN, NULL, "Set WR_SECURE_COOKIES=1.",
				   "Visitors come by https, but cookies are not marked Secure.");
	else if (!config->secure_cookies)
		health_add(report, "settings", HEALTH_WARN, NULL,
				   "Set WR_SECURE_COOKIES=1 unless this is for development.",
				   "Cookies go over plain HTTP.");
	if (is_open_to_a_network(config->store_url))
		health_add(report, "settings", HEALTH_WARN, NULL,
				   "Give the store a password and name it in WR_STORE_URL.",
				   "The store is asked over a network without a password.");
	if (strcmp(config->log_level, "debug") == 0)
		health_add(report, "settings", HEALTH_WARN, NULL, "Set WR_LOG_LEVEL=info.",
				   "The log level is debug.");
}

/* Settings that are fine by themselves and not together. */
static void judge_intervals(const struct config *config, struct health_report *report)
{
	int64_t beat_ms = config->admit_interval_ms > MARK_MS ? config->admit_interval_ms : MARK_MS;
	if (config->deaf_after_ms < 2 * beat_ms)
		health_add(
			report, "settings", HEALTH_FAIL, NULL, "Raise WR_DEAF_AFTER_MS to several times that.",
			"Admission and pods are heard every %" PRId64 " ms and called deaf after %" PRId64
			" ms: nobody who is silent may ever expire.",
			beat_ms, config->deaf_after_ms);
	if (config->store_wait_replicas > 0 &&
		config->store_wait_timeout_ms >= config->store_timeout_ms)
		health_add(report, "settings", HEALTH_FAIL, "StoreFailing",
				   "Make WR_STORE_TIMEOUT_MS larger than WR_STORE_WAIT_TIMEOUT_MS.",
				   "A slow replica may take %" PRId64 " ms and the store %" PRId64
				   " ms: the connection is given up in between.",
				   config->store_wait_timeout_ms, config->store_timeout_ms);
	if (config->stale_after_ms < 2 * config->sync_interval_ms)
		health_add(report, "settings", HEALTH_WARN, "IndexBehind",
				   "Make WR_STALE_AFTER_MS at least twice WR_SYNC_INTERVAL_MS.",
				   "Pictures are taken every %" PRId64 " ms and called stale after %" PRId64 " ms.",
				   config->sync_interval_ms, config->stale_after_ms);
}

static void judge_room_for_queues(const struct health_facts *facts, struct health_report *report)
{
	int64_t max = facts->config->queues_max;
	if ((int64_t)facts->queues_in_all * 10 >= max * 9)
		health_add(report, "settings",
				   (int64_t)facts->queues_in_all >= max ? HEALTH_FAIL : HEALTH_WARN,
				   "PodNearItsLimits", "Raise WR_QUEUES_MAX: beyond it, queues are not served.",
				   "There are %zu queues, and room for %" PRId64 ".", facts->queues_in_all, max);
}

/* ---- of the queues ---- */

static void print_name(const struct health_queue *queue, char ret_name[QUEUE_NAME_TEXT_BYTES])
{
	queue_name_print(&queue->name, ret_name);
}

static void judge_closed_door(const struct health_queue *queue, const char *name,
							  struct health_report *report)
{
	const struct queue_settings *settings = queue->settings;
	bool lets_in = queue->state == QUEUE_OPEN || queue->state == QUEUE_CLOSED;
	if (lets_in && (settings->capacity == 0 || settings->rate_per_minute == 0))
		health_add(report, "settings", queue->waiting > 0 ? HEALTH_FAIL : HEALTH_WARN,
				   "AdmissionStalled",
				   "Raise it, or say paused or hold, so that visitors are told the truth.",
				   "%s is %s, but its %s is 0: nobody is let in (%" PRIu64 " wait).", name,
				   queue_state_word(queue->state),
				   settings->capacity == 0 ? "capacity" : "rate_per_minute", queue->waiting);
	if (queue->state == QUEUE_PAUSED && queue->waiting > 0)
		health_add(report, "settings", HEALTH_WARN, "AdmissionStalled",
				   "Resume it when the site is well again.",
				   "%s is paused and %" PRIu64 " people wait.", name, queue->waiting);
	if (queue->state == QUEUE_HOLD && settings->opens_at_ms == 0 && queue->waiting > 0)
		health_add(report, "settings", HEALTH_WARN, "AdmissionStalled",
				   "Open it, or set opens_at_ms: until then nobody is let in.",
				   "%s is on hold without an opening time, and %" PRIu64 " people wait.", name,
				   queue->waiting);
	if (queue->state == QUEUE_PASSTHROUGH)
		health_add(report, "settings", HEALTH_WARN, NULL,
				   "Set the state to open when the site needs protection.",
				   "%s lets everybody in at once (passthrough).", name);
	if (queue->state == QUEUE_OPEN && (int64_t)queue->waiting >= settings->max_waiting)
		health_add(report, "settings", HEALTH_WARN, "QueueFull",
				   "Raise max_waiting if the store has room.",
				   "%s is full: %" PRIu64 " wait, max_waiting is %" PRId64 ".", name,
				   queue->waiting, settings->max_waiting);
}

static void judge_draining(const struct health_queue *queue, const char *name,
						   struct health_report *report)
{
	const struct queue_settings *settings = queue->settings;
	if (queue->state == QUEUE_DRAINING && settings->capacity == 0)
		health_add(report, "settings", HEALTH_FAIL, "AdmissionStalled",
				   "Raise the capacity, or empty it (`wrctl queue empty`).",
				   "%s drains, but its capacity is 0: the line stays (%" PRIu64 " wait).", name,
				   queue->waiting);
	else if (queue->state == QUEUE_DRAINING && queue->waiting == 0)
		health_add(report, "settings", HEALTH_WARN, NULL,
				   "Open it for the next people, or close or delete it.",
				   "%s has drained; nobody may join it.", name);
}

static void judge_times(const struct health_queue *queue, const char *name,
						const struct config *config, struct health_report *report)
{
	const struct queue_settings *settings = queue->settings;
	if (settings->poll_min_ms < 2 * config->sync_interval_ms)
		health_add(report, "settings", HEALTH_WARN, NULL,
				   "Make poll_min_ms at least twice WR_SYNC_INTERVAL_MS.",
				   "%s may be polled every %" PRId64 " ms and pictures are taken every %" PRId64
				   " ms: a visitor's number can grow from one pod to another.",
				   name, settings->poll_min_ms, config->sync_interval_ms);
	if (settings->poll_max_ms * 2 > settings->heartbeat_ttl_ms)
		health_add(report, "settings", HEALTH_WARN, NULL,
				   "Make heartbeat_ttl_ms several times poll_max_ms.",
				   "%s polls every %" PRId64 " ms at most and forgets a place after %" PRId64
				   " ms: one lost poll can cost it.",
				   name, settings->poll_max_ms, settings->heartbeat_ttl_ms);
	if (settings->claim_ttl_ms <= settings->poll_max_ms)
		health_add(
			report, "settings", HEALTH_WARN, NULL, "Make claim_ttl_ms larger than poll_max_ms.",
			"In %s a turn runs out after %" PRId64 " ms, and people may poll every %" PRId64 " ms.",
			name, settings->claim_ttl_ms, settings->poll_max_ms);
}

/* ---- keys ---- */

static void judge_keys(const struct health_keys *keys, struct health_report *report)
{
	size_t before = report->count;
	if (keys->session < 2)
		health_add(report, "keys", HEALTH_WARN, NULL,
				   "Add the next session key behind the first in WR_TOKEN_KEYS_FILE and send "
				   "SIGHUP, days before it signs: proxies keep the old JWKS for a while.",
				   "There is %zu session key: keys cannot be changed without sending people away.",
				   keys->session);
	if (keys->expired > 0 || keys->expiring > 0)
		health_add(report, "keys", HEALTH_WARN, NULL,
				   "Make new ones (`wrctl key create`), then delete the old.",
				   keys->expiring > 0 ? "The admin key \"%s\" runs out in %" PRId64
										" days (%zu within %d days, %zu have run out)."
									  : "The admin key \"%s\" ran out %" PRId64
										" days ago (%zu within %d days, %zu have run out).",
				   keys->first_name, keys->first_days < 0 ? -keys->first_days : keys->first_days,
				   keys->expiring, HEALTH_ADMIN_KEY_DAYS, keys->expired);
	if (keys->file_key_used)
		health_add(report, "keys", HEALTH_WARN, NULL,
				   "Make a key for each person and program, and keep the file for emergencies.",
				   "A key of WR_ADMIN_KEYS_FILE was used in the last day; the audit trail cannot "
				   "tell who that was.");
	if (report->count == before)
		health_add(report, "keys", HEALTH_OK, NULL, "",
				   "%zu position and %zu session keys; %zu admin keys in the store, none runs out "
				   "within %d days.",
				   keys->position, keys->session, keys->entered, HEALTH_ADMIN_KEY_DAYS);
}

void health_judge_settings(const struct health_facts *facts, struct health_report *report)
{
	size_t before = report->count;
	judge_config(facts->config, report);
	judge_intervals(facts->config, report);
	judge_room_for_queues(facts, report);
	for (size_t i = 0; i < facts->queue_count; i++) {
		char name[QUEUE_NAME_TEXT_BYTES];
		print_name(&facts->queues[i], name);
		judge_closed_door(&facts->queues[i], name, report);
		judge_draining(&facts->queues[i], name, report);
		judge_times(&facts->queues[i], name, facts->config, report);
	}
	if (report->count == before)
		health_add(report, "settings", HEALTH_OK, NULL, "",
				   "Nothing about the settings of %s and of %zu queues stands out.",
				   facts->instance, facts->queue_count);
	judge_keys(&facts->keys, report);
}
