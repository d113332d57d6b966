/* Metrics: one table of families; counters per thread, added up when Prometheus asks.
 *
 * A thread counts into its own shard (relaxed atomics, no sharing of cache lines). What exists
 * already elsewhere (lengths, ages) is written at the time of the scrape with metrics_value.
 *
 * What     Prometheus text format 0.0.4, base units.
 * Used by  cmd/api, cmd/admitter.
 * Threads  a shard is written by one thread and read by any.
 */
#ifndef WAITINGROOM_METRICS_H
#define WAITINGROOM_METRICS_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* id, type, name, help */
#define METRIC_TABLE(X)                                                                            \
	X(METRIC_REQUESTS, "counter", "wr_http_requests_total",                                        \
	  "Answers given, by endpoint and status class.")                                              \
	X(METRIC_REQUEST_SECONDS, "histogram", "wr_http_request_duration_seconds",                     \
	  "Time from the first line of a request to its answer, by endpoint.")                         \
	X(METRIC_REFUSED, "counter", "wr_http_requests_refused_total",                                 \
	  "Requests that the guard refused, by reason.")                                               \
	X(METRIC_CONNECTIONS, "gauge", "wr_http_connections", "Open connections of visitors.")         \
	X(METRIC_CONNECTIONS_TOTAL, "counter", "wr_http_connections_accepted_total",                   \
	  "Connections accepted.")                                                                     \
	X(METRIC_PARKED, "gauge", "wr_http_requests_parked", "Requests waiting for the store.")        \
	X(METRIC_BUGS, "counter", "wr_bugs_total", "Requests ended with 500 by a bug of ours.")        \
	X(METRIC_JOINS_REFUSED, "counter", "wr_joins_refused_total", "Joins refused, by reason.")      \
	X(METRIC_JOINS_AT_GATE, "counter", "wr_joins_refused_at_gate_total",                           \
	  "Joins that did not pass a gate before the store, by gate (queue, request, entry, "          \
	  "challenge).")                                                                               \
	X(METRIC_ENTRIES, "counter", "wr_entry_tokens_total",                                          \
	  "What became of entry tokens, by outcome.")                                                  \
	X(METRIC_CHALLENGES, "counter", "wr_challenges_total",                                         \
	  "What became of the challenges that joins brought, by outcome.")                             \
	X(METRIC_CHALLENGES_ISSUED, "counter", "wr_challenges_issued_total",                           \
	  "Challenges given out, by kind (pow, captcha).")                                             \
	X(METRIC_CAPTCHA_ASKED, "counter", "wr_captcha_questions_total",                               \
	  "Questions to captcha providers, by provider and verdict.")                                  \
	X(METRIC_CAPTCHA_UP, "gauge", "wr_captcha_provider_up",                                        \
	  "1 while a captcha provider is asked, 0 while visitors get a proof of work instead.")        \
	X(METRIC_CAPTCHA_OPENED, "counter", "wr_captcha_breaker_opened_total",                         \
	  "How often a captcha provider was given up for a while.")                                    \
	X(METRIC_JOINS, "counter", "wr_joins_total", "Places given, by kind (new, repeated).")         \
	X(METRIC_GATE_CHECKS, "counter", "wr_gate_checks_total",                                       \
	  "Gate checks decided, by mount and decision.")                                               \
	X(METRIC_GATE_SESSIONS, "counter", "wr_gate_sessions_total",                                   \
	  "What the session of a gate check was worth.")                                               \
	X(METRIC_GATE_VERDICTS, "counter", "wr_gate_tokens_total",                                     \
	  "Session tokens judged, by source (known: from the worker's table, verified).")              \
	X(METRIC_GATE_PASSES, "counter", "wr_gate_passes_total",                                       \
	  "What became of the passes that people came with.")                                          \
	X(METRIC_GATE_BYPASSED, "counter", "wr_gate_bypassed_total",                                   \
	  "Gate checks that passed by a bypass rule, by its number in the queue's settings.")          \
	X(METRIC_GATE_TROUBLE, "counter", "wr_gate_trouble_total",                                     \
	  "Gate checks that show a mistake in a configuration, by kind.")                              \
	X(METRIC_BEATS, "counter", "wr_heartbeats_total",                                              \
	  "Heartbeats answered, by source (index, store, stale).")                                     \
	X(METRIC_BEATS_FLUSHED, "counter", "wr_heartbeats_flushed_total",                              \
	  "Heartbeats written to the store.")                                                          \
	X(METRIC_BEATS_LOST, "counter", "wr_heartbeats_dropped_total",                                 \
	  "Heartbeats that the store could not be told.")                                              \
	X(METRIC_FLUSHES, "counter", "wr_heartbeat_flushes_total",                                     \
	  "Heartbeat commands sent to the store.")                                                     \
	X(METRIC_RESTORED, "counter", "wr_places_restored_total",                                      \
	  "Places put back from their token after a loss.")                                            \
	X(METRIC_RENEWED, "counter", "wr_sessions_renewed_total",                                      \
	  "Renewals of sessions that the store has been told.")                                        \
	X(METRIC_SESSIONS_RESTORED, "counter", "wr_sessions_restored_total",                           \
	  "Sessions reported from their token after a loss, and active since.")                        \
	X(METRIC_REVOCATIONS, "gauge", "wr_revocations",                                               \
	  "Sessions ended before their token, and places moved, that this pod knows of.")              \
	X(METRIC_STORE_CALLS, "counter", "wr_store_calls_total", "Steps asked of the store.")          \
	X(METRIC_STORE_COMMANDS, "counter", "wr_store_commands_total", "Commands sent to the store.")  \
	X(METRIC_STORE_FAILURES, "counter", "wr_store_failures_total",                                 \
	  "Steps that the store did not answer well.")                                                 \
	X(METRIC_STORE_RECONNECTS, "counter", "wr_store_reconnects_total",                             \
	  "Connections made to the store.")                                                            \
	X(METRIC_STORE_UP, "gauge", "wr_store_connected", "Connections to the store that are ready.")  \
	X(METRIC_SYNC_AGE, "gauge", "wr_index_age_seconds", "Age of the local picture of a queue.")    \
	X(METRIC_SYNC_RELOADS, "counter", "wr_index_reloads_total",                                    \
	  "Position indexes read anew from the store.")                                                \
	X(METRIC_SYNC_FAILURES, "counter", "wr_sync_failures_total",                                   \
	  "Sync rounds of a queue that failed.")                                                       \
	X(METRIC_INDEX_BYTES, "gauge", "wr_index_bytes", "Memory of the position indexes of a queue.") \
	X(METRIC_WAITING, "gauge", "wr_queue_waiting", "People in line.")                              \
	X(METRIC_ACTIVE, "gauge", "wr_queue_active", "People admitted who hold a slot.")               \
	X(METRIC_ABSENT, "gauge", "wr_queue_absent", "People set aside because they were not there.")  \
	X(METRIC_CAPACITY, "gauge", "wr_queue_capacity", "Setting capacity.")                          \
	X(METRIC_RATE, "gauge", "wr_queue_rate_per_minute", "Setting rate_per_minute.")                \
	X(METRIC_ADMITTED, "counter", "wr_admitter_admitted_total", "People let in by this process.")  \
	X(METRIC_SET_ASIDE, "counter", "wr_admitter_set_aside_total",                                  \
	  "People set aside by this process.")                                                         \
	X(METRIC_EXPIRED, "counter", "wr_admitter_expired_total",                                      \
	  "Places ended by this process, by kind (silent, missed, session).")                          \
	X(METRIC_TICKS, "counter", "wr_admitter_steps_total",                                          \
	  "Steps done, by kind (admit, reap) and result (done, other, failed).")                       \
	X(METRIC_EVENTS, "counter", "wr_events_published_total", "Events sent to JetStream.")          \
	X(METRIC_EVENTS_ACKED, "counter", "wr_events_acked_total", "Events that JetStream confirmed.") \
	X(METRIC_EVENTS_FAILED, "counter", "wr_events_failed_total",                                   \
	  "Publishes that failed or timed out; they are repeated.")                                    \
	X(METRIC_EVENTS_REPUBLISHED, "counter", "wr_events_republished_total", "Events sent again.")   \
	X(METRIC_OUTBOX, "gauge", "wr_outbox_entries", "Entries known to wait for the relay.")         \
	X(METRIC_OUTBOX_AGE, "gauge", "wr_outbox_oldest_seconds",                                      \
	  "Age of the oldest entry seen by this relay.")                                               \
	X(METRIC_BROKER_UP, "gauge", "wr_broker_connected",                                            \
	  "1 when this relay has a connection to NATS.")                                               \
	X(METRIC_LOOP_LAG, "gauge", "wr_loop_turn_max_seconds",                                        \
	  "Longest loop turn of a worker since the last scrape.")                                      \
	X(METRIC_DRAINING, "gauge", "wr_draining", "1 after SIGTERM.")                                 \
	X(METRIC_INFO, "gauge", "wr_build_info", "1, with the version as a label.")                    \
	X(METRIC_CPU, "counter", "process_cpu_seconds_total", "CPU time of the process.")              \
	X(METRIC_RSS, "gauge", "process_resident_memory_bytes", "Resident memory.")                    \
	X(METRIC_FDS, "gauge", "process_open_fds", "Open file descriptors.")                           \
	X(METRIC_FDS_MAX, "gauge", "process_max_fds", "Limit of open file descriptors.")               \
	X(METRIC_START, "gauge", "process_start_time_seconds", "Start of the process, Unix time.")

#define METRIC_ENUM(id, type, name, help) id,
enum metric { METRIC_TABLE(METRIC_ENUM) METRIC_COUNT };
#undef METRIC_ENUM

/* ---- counting ---- */
#define METRIC_LABELS_MAX 32 /* label values of a stored counter */
#define METRIC_ENDPOINTS_MAX 16
#define METRIC_BUCKETS 14

struct metrics_shard { /* one per thread */
	_Atomic uint64_t counter[METRIC_COUNT][METRIC_LABELS_MAX];
	_Atomic uint64_t requests[METRIC_ENDPOINTS_MAX][6]; /* status class 0: none, 1..5 */
	_Atomic uint64_t buckets[METRIC_ENDPOINTS_MAX][METRIC_BUCKETS + 1];
	_Atomic uint64_t request_us[METRIC_ENDPOINTS_MAX];
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
struct metrics_page *metrics_page_new(void);
void metrics_page_free(struct metrics_page *page);
const char *metrics_page_text(const struct metrics_page *page, size_t *ret_len);
/* Samples of one family must follow each other; HELP and TYPE are written before the first.
 * labels: "queue=\"default/demo\"" or "". */
void metrics_value(struct metrics_page *page, enum metric metric, const char *labels, double value);
/* Sums of a stored counter over shards: one sample per label value ('key' NULL: label 0 only). */
void metrics_counter(struct metrics_page *page, enum metric metric,
					 struct metrics_shard *const *shards, size_t shard_count, const char *key,
					 const char *const *values, size_t value_count);
void metrics_requests(struct metrics_page *page, struct metrics_shard *const *shards,
					  size_t shard_count, const char *const *endpoints, size_t endpoint_count);
void metrics_process(struct metrics_page *page); /* the process_* families, from /proc/self */

#endif
