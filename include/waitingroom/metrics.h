/* Metrics: one table of families; counters per thread, added up when Prometheus asks.
 *
 * A thread counts into its own shard (relaxed atomics, no sharing of cache lines). What exists
 * already elsewhere (lengths, ages) is written at the time of the scrape with metrics_value.
 *
 * What     Prometheus text format 0.0.4 or OpenMetrics 1.0, base units.
 * Used by  cmd/api, cmd/admitter.
 * Threads  a shard is written by one thread and read by any.
 */
#ifndef WAITINGROOM_METRICS_H
#define WAITINGROOM_METRICS_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "waitingroom/exemplars.h"
#include "waitingroom/timings.h"

/* Families: id, where it is exported, type, name, labels, help. The documentation page is printed
 * from this table (deploy/prometheus/metrics.md); where: "api", "admitter", "both". */
#define METRIC_TABLE(X)                                                                            \
	X(METRIC_INFO, "both", "gauge", "wr_build_info", "program, version",                           \
	  "1, with the version as a label.")                                                           \
	X(METRIC_DRAINING, "api", "gauge", "wr_draining", "", "1 after SIGTERM.")                      \
	X(METRIC_REQUESTS, "api", "counter", "wr_http_requests_total", "endpoint, status",             \
	  "Answers given, by endpoint and status class.")                                              \
	X(METRIC_REQUEST_SECONDS, "api", "histogram", "wr_http_request_duration_seconds", "endpoint",  \
	  "Time from the first line of a request to its answer, by endpoint.")                         \
	X(METRIC_REFUSED, "api", "counter", "wr_http_requests_refused_total", "reason",                \
	  "Requests that the guard refused, by reason.")                                               \
	X(METRIC_CONNECTIONS, "api", "gauge", "wr_http_connections", "",                               \
	  "Open connections of visitors.")                                                             \
	X(METRIC_CONNECTIONS_MAX, "api", "gauge", "wr_http_connections_max", "",                       \
	  "Most connections that all workers together take (WR_CONNECTIONS_MAX a "                     \
	  "worker).")                                                                                  \
	X(METRIC_CONNECTIONS_TOTAL, "api", "counter", "wr_http_connections_accepted_total", "",        \
	  "Connections accepted.")                                                                     \
	X(METRIC_PARKED, "api", "gauge", "wr_http_requests_parked", "",                                \
	  "Requests waiting for the store.")                                                           \
	X(METRIC_BUGS, "api", "counter", "wr_bugs_total", "",                                          \
	  "Requests ended with 500 by a bug of ours.")                                                 \
	X(METRIC_LOOP_LAG, "api", "gauge", "wr_loop_turn_max_seconds", "worker",                       \
	  "Longest loop turn of a worker in the last half to whole minute: while it "                  \
	  "lasts nobody there is answered.")                                                           \
	X(METRIC_JOINS, "api", "counter", "wr_joins_total", "kind",                                    \
	  "Places given, by kind (new, repeated).")                                                    \
	X(METRIC_JOINS_REFUSED, "api", "counter", "wr_joins_refused_total", "reason",                  \
	  "Joins refused, by reason.")                                                                 \
	X(METRIC_JOINS_AT_GATE, "api", "counter", "wr_joins_refused_at_gate_total", "gate",            \
	  "Joins that did not pass a gate before the store, by gate (queue, request, "                 \
	  "entry, challenge).")                                                                        \
	X(METRIC_ENTRIES, "api", "counter", "wr_entry_tokens_total", "outcome",                        \
	  "What became of entry tokens, by outcome.")                                                  \
	X(METRIC_CHALLENGES, "api", "counter", "wr_challenges_total", "outcome",                       \
	  "What became of the challenges that joins brought, by outcome.")                             \
	X(METRIC_CHALLENGES_ISSUED, "api", "counter", "wr_challenges_issued_total", "kind",            \
	  "Challenges given out, by kind (pow, captcha).")                                             \
	X(METRIC_GATE_CHECKS, "api", "counter", "wr_gate_checks_total", "mount, decision",             \
	  "Gate checks decided, by mount and decision.")                                               \
	X(METRIC_GATE_SESSIONS, "api", "counter", "wr_gate_sessions_total", "session",                 \
	  "What the session of a gate check was worth.")                                               \
	X(METRIC_GATE_VERDICTS, "api", "counter", "wr_gate_tokens_total", "source",                    \
	  "Session tokens judged, by source (known: from the worker's table, "                         \
	  "verified).")                                                                                \
	X(METRIC_GATE_PASSES, "api", "counter", "wr_gate_passes_total", "outcome",                     \
	  "What became of the passes that people came with.")                                          \
	X(METRIC_GATE_BYPASSED, "api", "counter", "wr_gate_bypassed_total", "rule",                    \
	  "Gate checks that passed by a bypass rule, by its number in the queue's "                    \
	  "settings.")                                                                                 \
	X(METRIC_GATE_TROUBLE, "api", "counter", "wr_gate_trouble_total", "kind",                      \
	  "Gate checks that show a mistake in a configuration, by kind.")                              \
	X(METRIC_CAPTCHA_ASKED, "api", "counter", "wr_captcha_questions_total", "provider, verdict",   \
	  "Questions to captcha providers, by provider and verdict.")                                  \
	X(METRIC_CAPTCHA_UP, "api", "gauge", "wr_captcha_provider_up", "provider",                     \
	  "1 while a captcha provider is asked, 0 while visitors get a proof of work instead.")        \
	X(METRIC_CAPTCHA_OPENED, "api", "counter", "wr_captcha_breaker_opened_total", "provider",      \
	  "How often a captcha provider was given up for a while.")                                    \
	X(METRIC_BEATS, "api", "counter", "wr_heartbeats_total", "source",                             \
	  "Heartbeats answered, by source (index, store, stale).")                                     \
	X(METRIC_BEATS_FLUSHED, "api", "counter", "wr_heartbeats_flushed_total", "",                   \
	  "Heartbeats written to the store.")                                                          \
	X(METRIC_BEATS_LOST, "api", "counter", "wr_heartbeats_dropped_total", "",                      \
	  "Heartbeats that the store could not be told.")                                              \
	X(METRIC_FLUSHES, "api", "counter", "wr_heartbeat_flushes_total", "",                          \
	  "Heartbeat commands sent to the store.")                                                     \
	X(METRIC_FLUSH_SECONDS, "api", "histogram", "wr_heartbeat_flush_lag_seconds", "",              \
	  "From the first heartbeat of a batch to the store's confirmation of it.")                    \
	X(METRIC_RESTORED, "api", "counter", "wr_places_restored_total", "",                           \
	  "Places put back from their token after a loss.")                                            \
	X(METRIC_RENEWED, "api", "counter", "wr_sessions_renewed_total", "",                           \
	  "Renewals of sessions that the store has been told.")                                        \
	X(METRIC_SESSIONS_RESTORED, "api", "counter", "wr_sessions_restored_total", "",                \
	  "Sessions reported from their token after a loss, and active since.")                        \
	X(METRIC_REVOCATIONS, "api", "gauge", "wr_revocations", "queue",                               \
	  "Sessions ended before their token, and places moved, that this pod knows of.")              \
	X(METRIC_PLACES_LOST, "api", "counter", "wr_places_lost_total", "",                            \
	  "Must stay 0: visitors with a good token whose place the store should still "                \
	  "remember, does not, and does not take back.")                                               \
	X(METRIC_VIOLATIONS, "api", "counter", "wr_invariant_violations_total", "queue, kind",         \
	  "Must stay 0: people let in twice (double), before somebody who stood ahead "                \
	  "(inversion), or beyond the capacity (capacity). Every pod shows the "                       \
	  "store's count: aggregate with max.")                                                        \
	X(METRIC_WAITING, "api", "gauge", "wr_queue_waiting", "queue", "People in line.")              \
	X(METRIC_ACTIVE, "api", "gauge", "wr_queue_active", "queue",                                   \
	  "People admitted who hold a slot.")                                                          \
	X(METRIC_ABSENT, "api", "gauge", "wr_queue_absent", "queue",                                   \
	  "People set aside because they were not there.")                                             \
	X(METRIC_CAPACITY, "api", "gauge", "wr_queue_capacity", "queue", "Setting capacity.")          \
	X(METRIC_RATE, "api", "gauge", "wr_queue_rate_per_minute", "queue",                            \
	  "Setting rate_per_minute.")                                                                  \
	X(METRIC_ADMITTING, "api", "gauge", "wr_queue_admitting", "queue",                             \
	  "1 when the settings let people in now: not paused, held or before its "                     \
	  "opening, no recovery, rate and capacity above 0.")                                          \
	X(METRIC_RECOVERING, "api", "gauge", "wr_queue_recovering", "queue",                           \
	  "1 while the line is frozen after a total loss of the store.")                               \
	X(METRIC_LINE_JOINED, "api", "counter", "wr_queue_joined_total", "queue",                      \
	  "Tickets given out.")                                                                        \
	X(METRIC_LINE_ADMITTED, "api", "counter", "wr_queue_admitted_total", "queue",                  \
	  "People let in.")                                                                            \
	X(METRIC_LINE_GONE, "api", "counter", "wr_queue_departed_total", "queue",                      \
	  "Tickets that have left the line in any way.")                                               \
	X(METRIC_OLDEST_WAIT, "api", "gauge", "wr_queue_oldest_wait_seconds", "queue",                 \
	  "How long the person at the head of the line has waited.")                                   \
	X(METRIC_NEW_WAIT, "api", "gauge", "wr_queue_estimated_wait_seconds", "queue",                 \
	  "Wait predicted for who joins now; the longest of the lanes. NaN: not "                      \
	  "known.")                                                                                    \
	X(METRIC_ETA_RATIO, "api", "histogram", "wr_wait_estimate_ratio", "queue",                     \
	  "Actual wait divided by the predicted one, for sampled tickets that reached "                \
	  "the head; 1 is right, above 1 took longer.")                                                \
	X(METRIC_ETA, "api", "counter", "wr_wait_estimates_total", "queue, result",                    \
	  "The same tickets against the range that visitors were shown (within, "                      \
	  "early, late).")                                                                             \
	X(METRIC_QUEUE_OUTBOX, "api", "gauge", "wr_queue_outbox_entries", "queue",                     \
	  "Entries of the queue's outbox.")                                                            \
	X(METRIC_OUTBOX_LIMIT, "api", "gauge", "wr_outbox_limit_entries", "",                          \
	  "Setting WR_OUTBOX_LIMIT: above it joins are refused.")                                      \
	X(METRIC_SYNC_AGE, "api", "gauge", "wr_index_age_seconds", "queue",                            \
	  "Age of the local picture of a queue.")                                                      \
	X(METRIC_INDEX_BYTES, "api", "gauge", "wr_index_bytes", "queue",                               \
	  "Memory of the position indexes of a queue.")                                                \
	X(METRIC_SYNC_ROUNDS, "api", "counter", "wr_sync_rounds_total", "",                            \
	  "Rounds in which the store was asked what has changed.")                                     \
	X(METRIC_SYNC_FAILURES, "api", "counter", "wr_sync_failures_total", "",                        \
	  "Sync rounds of a queue that failed.")                                                       \
	X(METRIC_SYNC_RELOADS, "api", "counter", "wr_index_reloads_total", "",                         \
	  "Position indexes read anew from the store.")                                                \
	X(METRIC_REVIVALS, "api", "counter", "wr_queue_revivals_total", "",                            \
	  "Queues put back by this pod after the store had lost everything.")                          \
	X(METRIC_CLOCK_OFFSET, "api", "gauge", "wr_store_clock_offset_seconds", "",                    \
	  "The store's clock minus ours.")                                                             \
	X(METRIC_ADMITTED, "admitter", "counter", "wr_admitter_admitted_total", "",                    \
	  "People let in by this process.")                                                            \
	X(METRIC_SET_ASIDE, "admitter", "counter", "wr_admitter_set_aside_total", "",                  \
	  "People set aside by this process.")                                                         \
	X(METRIC_EXPIRED, "admitter", "counter", "wr_admitter_expired_total", "kind",                  \
	  "Places ended by this process, by kind (silent, missed, session).")                          \
	X(METRIC_TICKS, "admitter", "counter", "wr_admitter_steps_total", "kind, result",              \
	  "Steps done, by kind (admit, reap) and result (done, other, failed).")                       \
	X(METRIC_STORE_UP, "both", "gauge", "wr_store_connected", "",                                  \
	  "Connections to the store that are ready.")                                                  \
	X(METRIC_STORE_CALLS, "both", "counter", "wr_store_calls_total", "",                           \
	  "Steps asked of the store.")                                                                 \
	X(METRIC_STORE_COMMANDS, "both", "counter", "wr_store_commands_total", "",                     \
	  "Commands sent to the store.")                                                               \
	X(METRIC_STORE_FAILURES, "both", "counter", "wr_store_failures_total", "",                     \
	  "Steps that the store did not answer well.")                                                 \
	X(METRIC_STORE_TIMEOUTS, "both", "counter", "wr_store_timeouts_total", "",                     \
	  "Connections given up because a reply took longer than WR_STORE_TIMEOUT_MS.")                \
	X(METRIC_STORE_RECONNECTS, "both", "counter", "wr_store_reconnects_total", "",                 \
	  "Connections to the store that were made anew.")                                             \
	X(METRIC_STORE_SECONDS, "both", "histogram", "wr_store_call_duration_seconds", "",             \
	  "From asking the store to its answer, or to giving up.")                                     \
	X(METRIC_EVENTS, "both", "counter", "wr_events_published_total", "",                           \
	  "Events sent to JetStream.")                                                                 \
	X(METRIC_EVENTS_ACKED, "both", "counter", "wr_events_acked_total", "",                         \
	  "Events that JetStream confirmed.")                                                          \
	X(METRIC_EVENTS_FAILED, "both", "counter", "wr_events_failed_total", "",                       \
	  "Publishes that failed or timed out; they are repeated.")                                    \
	X(METRIC_EVENTS_REPUBLISHED, "both", "counter", "wr_events_republished_total", "",             \
	  "Events sent again.")                                                                        \
	X(METRIC_EVENTS_MALFORMED, "both", "counter", "wr_events_malformed_total", "",                 \
	  "Outbox entries that could not be understood and were set aside.")                           \
	X(METRIC_EVENT_LAG, "both", "histogram", "wr_event_lag_seconds", "",                           \
	  "From the change in the store to the confirmation of its events, by entry; "                 \
	  "the store's clock against ours.")                                                           \
	X(METRIC_OUTBOX, "both", "gauge", "wr_outbox_entries", "",                                     \
	  "Entries known to wait for this relay.")                                                     \
	X(METRIC_OUTBOX_AGE, "both", "gauge", "wr_outbox_oldest_seconds", "",                          \
	  "Age of the oldest entry seen by this relay.")                                               \
	X(METRIC_BROKER_UP, "both", "gauge", "wr_broker_connected", "",                                \
	  "1 when this relay has a connection to NATS.")                                               \
	X(METRIC_TRACES, "both", "counter", "wr_trace_spans_total", "result",                          \
	  "Spans of sampled requests, by result (sent; dropped: the queue was full; refused: the "     \
	  "collector did not take them).")                                                             \
	X(METRIC_LOG_DROPPED, "both", "counter", "wr_log_lines_dropped_total", "reason",               \
	  "Lines of the log that were not written, by reason (full: nobody read them fast enough; "    \
	  "repeated: too many of one event, which one line sums up).")                                 \
	X(METRIC_BACKUP_SUCCESS, "wrbackup", "gauge", "wr_backup_last_success_timestamp_seconds", "",  \
	  "When the last backup was made, Unix time (wrbackup save --metrics).")                       \
	X(METRIC_BACKUP_BYTES, "wrbackup", "gauge", "wr_backup_size_bytes", "", "How large it is.")    \
	X(METRIC_CPU, "both", "counter", "process_cpu_seconds_total", "", "CPU time of the process.")  \
	X(METRIC_RSS, "both", "gauge", "process_resident_memory_bytes", "", "Resident memory.")        \
	X(METRIC_VIRTUAL, "both", "gauge", "process_virtual_memory_bytes", "", "Virtual memory.")      \
	X(METRIC_FDS, "both", "gauge", "process_open_fds", "", "Open file descriptors.")               \
	X(METRIC_FDS_MAX, "both", "gauge", "process_max_fds", "", "Limit of open file descriptors.")   \
	X(METRIC_START, "both", "gauge", "process_start_time_seconds", "",                             \
	  "Start of the process, Unix time.")

#define METRIC_ENUM(id, where, type, name, labels, help) id,
enum metric { METRIC_TABLE(METRIC_ENUM) METRIC_COUNT };
#undef METRIC_ENUM

/* ---- counting ---- */
#define METRIC_LABELS_MAX 32 /* label values of a stored counter */
#define METRIC_ENDPOINTS_MAX 16

struct metrics_shard { /* one per thread */
	_Atomic uint64_t counter[METRIC_COUNT][METRIC_LABELS_MAX];
	_Atomic uint64_t requests[METRIC_ENDPOINTS_MAX][6]; /* status class 0: none, 1..5 */
	struct timings request_time[METRIC_ENDPOINTS_MAX];
	struct timings flush_lag; /* of heartbeats */
} __attribute__((aligned(128)));

/* One writer: a load and a store, no locked instruction. */
static inline void metrics_raise(_Atomic uint64_t *counter, uint64_t n)
{
	atomic_store_explicit(counter, atomic_load_explicit(counter, memory_order_relaxed) + n,
						  memory_order_relaxed);
}

static inline void metrics_add(struct metrics_shard *shard, enum metric metric, unsigned label,
							   uint64_t n)
{
	metrics_raise(&shard->counter[metric][label], n);
}
void metrics_request(struct metrics_shard *shard, unsigned endpoint, int status, int64_t us);

/* ---- the page ---- */
struct metrics_page; /* text that grows */
/* accept: the scraper's Accept header or NULL. OpenMetrics 1.0 when it prefers that, else the text
 * format 0.0.4. */
struct metrics_page *metrics_page_new(const char *accept);
void metrics_page_free(struct metrics_page *page);
const char *metrics_page_type(const struct metrics_page *page); /* for Content-Type */
/* Ends the page; lends. */
const char *metrics_page_text(struct metrics_page *page, size_t *ret_len);
/* Samples of one family must follow each other; HELP and TYPE are written before the first.
 * labels: "queue=\"default/demo\"" or "". */
void metrics_value(struct metrics_page *page, enum metric metric, const char *labels, double value);
/* Sums of a stored counter over shards: one sample per label value ('key' NULL: label 0 only). */
void metrics_counter(struct metrics_page *page, enum metric metric,
					 struct metrics_shard *const *shards, size_t shard_count, const char *key,
					 const char *const *values, size_t value_count);
/* exemplars: shown beside the durations; may be NULL */
void metrics_requests(struct metrics_page *page, struct metrics_shard *const *shards,
					  size_t shard_count, const char *const *endpoints, size_t endpoint_count,
					  struct exemplars *exemplars);
void metrics_timings(struct metrics_page *page, enum metric metric, const char *labels,
					 const struct timings_sum *sum);
/* Any histogram: 'counts' by upper bound, one more than there are bounds, and the sum of what was
 * counted. */
void metrics_histogram(struct metrics_page *page, enum metric metric, const char *labels,
					   const double *bounds, size_t bound_count, const uint64_t *counts,
					   double sum);

/* ---- parts that both programs have ---- */
struct metrics_store_counts { /* summed over the connections of a process */
	uint64_t ready, calls, commands, failures, timeouts, reconnects;
	const struct timings_sum *answers;
};
void metrics_store(struct metrics_page *page, const struct metrics_store_counts *counts);
struct metrics_relay_counts {
	uint64_t published, acked, failed, republished, malformed, backlog;
	int64_t oldest_ms;
	bool connected;
	const struct timings_sum *lag;
};
void metrics_relay(struct metrics_page *page, const struct metrics_relay_counts *counts);
struct metrics_trace_counts { /* all 0 where nothing is traced */
	uint64_t sent, dropped, refused;
};
void metrics_traces(struct metrics_page *page, const struct metrics_trace_counts *counts);
void metrics_log(struct metrics_page *page);
void metrics_process(struct metrics_page *page); /* the process_* families, from /proc/self */

/* The table as a page of documentation (Markdown). */
void metrics_print_markdown(FILE *out);

#endif
