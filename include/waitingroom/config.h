/* Configuration of the processes: one table makes the struct, --help, --print-config, the docs.
 *
 * What     Environment variables WR_*. Read once at start; the few reloadable ones again on SIGHUP.
 * Used by  cmd/api, cmd/admitter.
 * Threads  filled before threads start, then read-only (log level and keys are re-read by their own).
 */
#ifndef WAITINGROOM_CONFIG_H
#define WAITINGROOM_CONFIG_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "waitingroom/err.h"

#define CONFIG_TEXT_BYTES 1024

/* T: text (field, variable, default, reloadable, sentence)
 * N: number (field, variable, default, lowest, highest, unit, sentence); booleans are 0..1 "0/1" */
#define CONFIG_TABLE(T, N)                                                                         \
	T(store_url, "WR_STORE_URL", "redis://127.0.0.1:6379",                                         \
	  "Redis, Valkey or DragonflyDB: "                                                             \
	  "redis://[user:password@]host:port[/db] or unix:///path; with TLS "                          \
	  "rediss://…[?ca=/file&cert=/file&key=/file], where hiredis 1 is built in.")                  \
	T(nats_url, "WR_NATS_URL", "nats://127.0.0.1:4222", "NATS with JetStream, for the events.")    \
	T(listen, "WR_LISTEN", "0.0.0.0:8080", "Public address: visitors and gateway checks.")         \
	T(internal_listen, "WR_INTERNAL_LISTEN", "127.0.0.1:9090",                                     \
	  "Internal address: metrics, health, admin API. Never to be reached from outside.")           \
	T(token_keys_file, "WR_TOKEN_KEYS_FILE", "", "Signing keys (JSON); read again on SIGHUP.")     \
	T(admin_keys_file, "WR_ADMIN_KEYS_FILE", "",                                                   \
	  "First keys of the admin API, hashed (JSON); read again on SIGHUP. They are good while "     \
	  "the store is away, too. Without it only the keys in the store are.")                        \
	T(queues_file, "WR_QUEUES_FILE", "", "Queues to make or change at start (JSON).")              \
	T(public_url, "WR_PUBLIC_URL", "",                                                             \
	  "Where visitors' browsers reach the waiting room, without a slash at the end: "              \
	  "https://shop.example/_wr. Empty: on the origin of the site that a proxy asks about.")       \
	T(trusted_proxies, "WR_TRUSTED_PROXIES", "",                                                   \
	  "Addresses and networks of the proxies in front, separated by commas: their "                \
	  "X-Forwarded-For counts, and only they may ask gate checks.")                                \
	T(cors_origins, "WR_CORS_ORIGINS", "",                                                         \
	  "Origins whose scripts may call the public API, separated by commas.")                       \
	T(turnstile_url, "WR_TURNSTILE_URL",                                                           \
	  "https://challenges.cloudflare.com/turnstile/v0/siteverify",                                 \
	  "Where Turnstile's answers are verified.")                                                   \
	T(hcaptcha_url, "WR_HCAPTCHA_URL", "https://api.hcaptcha.com/siteverify",                      \
	  "The same for hCaptcha. Its answers may need a larger WR_BODY_MAX_BYTES.")                   \
	T(friendly_url, "WR_FRIENDLY_URL", "https://global.frcapi.com/api/v2/captcha/siteverify",      \
	  "The same for Friendly Captcha.")                                                            \
	T(instance, "WR_INSTANCE", "",                                                                 \
	  "Name of this process among all of the installation; empty: made of host name and process "  \
	  "id.")                                                                                       \
	T(log_level, "WR_LOG_LEVEL", "info",                                                           \
	  "debug, info, warn or error; see also the admin API's log-level, SIGUSR1 and SIGUSR2.")      \
	T(access_log, "WR_ACCESS_LOG", "sampled",                                                      \
	  "Which requests are logged: off, errors, sampled (errors, and one in "                       \
	  "WR_ACCESS_LOG_SAMPLE of those that went well) or all. Admin requests always, unless off.")  \
	N(access_log_sample, "WR_ACCESS_LOG_SAMPLE", 1000, 1, 1000000000, "requests",                  \
	  "One in so many requests that went well is logged.")                                         \
	T(traces, "WR_TRACES", "off",                                                                  \
	  "on: sampled requests are traced (W3C Trace Context) and sent by OTLP/HTTP. OTEL_* "         \
	  "variables say what the next three leave open.")                                             \
	T(traces_endpoint, "WR_TRACES_ENDPOINT", "",                                                   \
	  "The collector, without /v1/traces. Empty: OTEL_EXPORTER_OTLP_ENDPOINT, or "                 \
	  "http://127.0.0.1:4318.")                                                                    \
	T(traces_ratio, "WR_TRACES_RATIO", "",                                                         \
	  "Share of the requests that are traced when the caller has not decided, 0..1. Empty: "       \
	  "OTEL_TRACES_SAMPLER, or 0.01.")                                                             \
	N(traces_per_s, "WR_TRACES_PER_S", 100, 0, 100000, "requests/s",                               \
	  "Most traced requests of one worker, whatever callers decide.")                              \
	N(log_lines_per_s, "WR_LOG_LINES_PER_S", 20, 0, 100000, "lines/s",                             \
	  "Lines of one event and level that are written; the rest is counted and said once. 0: "      \
	  "all.")                                                                                      \
	T(ready_file, "WR_READY_FILE", "",                                                             \
	  "Written with the addresses in use once the process serves.")                                \
	N(workers, "WR_WORKERS", 0, 0, 128, "threads", "HTTP workers; 0: one per core.")               \
	N(secure_cookies, "WR_SECURE_COOKIES", 1, 0, 1, "0/1",                                         \
	  "Cookies are __Host- and Secure; 0 only for plain HTTP in development.")                     \
	N(connections_max, "WR_CONNECTIONS_MAX", 10000, 10, 1000000, "connections",                    \
	  "Most connections of one worker.")                                                           \
	N(connection_memory_bytes, "WR_CONNECTION_MEMORY_BYTES", 7168, 4096, 65536, "bytes",           \
	  "Memory of one connection; request line and headers must fit.")                              \
	N(body_max_bytes, "WR_BODY_MAX_BYTES", 4096, 1024, 65536, "bytes",                             \
	  "Largest body of a visitor's request.")                                                      \
	N(idle_timeout_s, "WR_IDLE_TIMEOUT_S", 75, 1, 3600, "s",                                       \
	  "A connection without a byte for so long is closed; longer than the gateway's.")             \
	N(request_deadline_ms, "WR_REQUEST_DEADLINE_MS", 10000, 100, 600000, "ms",                     \
	  "A request must have arrived whole within this time.")                                       \
	N(parked_max, "WR_PARKED_MAX", 5000, 10, 1000000, "requests",                                  \
	  "Most requests of one worker that wait for the store; above it: 503.")                       \
	N(requests_per_address, "WR_REQUESTS_PER_ADDRESS", 600, 0, 100000000, "requests/min",          \
	  "Joins and look-ups from one address (IPv4 /32, IPv6 /64) that one worker takes; 0: no "     \
	  "limit.")                                                                                    \
	N(requests_per_network, "WR_REQUESTS_PER_NETWORK", 6000, 0, 100000000, "requests/min",         \
	  "The same for a network (IPv4 /24, IPv6 /48).")                                              \
	N(session_cache, "WR_SESSION_CACHE", 32768, 64, 16777216, "sessions",                          \
	  "Verified session tokens that a worker remembers, 250 bytes each once used.")                \
	N(captcha_timeout_ms, "WR_CAPTCHA_TIMEOUT_MS", 2500, 100, 30000, "ms",                         \
	  "Longest wait for a captcha provider; then the visitor gets a proof of work.")               \
	N(store_timeout_ms, "WR_STORE_TIMEOUT_MS", 1000, 10, 60000, "ms",                              \
	  "Longest wait for a reply of the store.")                                                    \
	N(store_wait_replicas, "WR_STORE_WAIT_REPLICAS", 0, 0, 16, "replicas",                         \
	  "A place is confirmed only when so many replicas have it.")                                  \
	N(store_wait_timeout_ms, "WR_STORE_WAIT_TIMEOUT_MS", 50, 1, 10000, "ms",                       \
	  "Longest wait for the replicas.")                                                            \
	N(sync_interval_ms, "WR_SYNC_INTERVAL_MS", 250, 20, 10000, "ms",                               \
	  "How often a pod asks the store what has changed; half as often for a queue nobody is in.")  \
	N(flush_interval_ms, "WR_FLUSH_INTERVAL_MS", 100, 10, 5000, "ms",                              \
	  "How long heartbeats are gathered before they go to the store.")                             \
	N(stale_after_ms, "WR_STALE_AFTER_MS", 1000, 100, 60000, "ms",                                 \
	  "Answers from an older picture say \"stale\":true; the queue's poll_min_ms, when it is "     \
	  "shorter.")                                                                                  \
	N(polls_per_s_max, "WR_POLLS_PER_S_MAX", 0, 0, 100000000, "polls/s",                           \
	  "Polls that one queue should cause at most; long lines then poll less often. 0: no "         \
	  "opinion.")                                                                                  \
	N(queues_max, "WR_QUEUES_MAX", 1024, 1, 65536, "queues", "Most queues that a pod follows.")    \
	N(metric_queues, "WR_METRIC_QUEUES", 100, 1, 65536, "queues",                                  \
	  "Queues with metrics of their own, the first by name; the others share queue=\"other\".")    \
	N(tenants_max, "WR_TENANTS_MAX", 1000, 1, 100000, "tenants", "Most tenants.")                  \
	N(tenant_queues_max, "WR_TENANT_QUEUES_MAX", 100, 1, 65536, "queues",                          \
	  "Most queues of a tenant that says nothing else.")                                           \
	N(admin_keys_max, "WR_ADMIN_KEYS_MAX", 1000, 1, 10000, "keys",                                 \
	  "Most keys of the admin API in the store.")                                                  \
	N(audit_keep, "WR_AUDIT_KEEP", 10000, 100, 1000000, "entries",                                 \
	  "About so many entries of the audit are kept of each queue.")                                \
	N(audit_keep_days, "WR_AUDIT_KEEP_DAYS", 400, 1, 3000, "days",                                 \
	  "How long the audit of a queue that was deleted is kept.")                                   \
	N(outbox_limit, "WR_OUTBOX_LIMIT", 1000000, 1, 1000000000, "entries",                          \
	  "Above so many entries in a queue's outbox joins are refused.")                              \
	N(relay, "WR_RELAY", 1, 0, 1, "0/1", "This process helps to move the outbox to JetStream.")    \
	N(stream_replicas, "WR_STREAM_REPLICAS", 1, 1, 5, "replicas",                                  \
	  "Replicas of the JetStream streams.")                                                        \
	N(stream_max_age_s, "WR_STREAM_MAX_AGE_S", 172800, 60, 31536000, "s",                          \
	  "How long JetStream keeps events.")                                                          \
	N(stream_max_bytes, "WR_STREAM_MAX_BYTES", 4294967296, 1048576, 1099511627776, "bytes",        \
	  "How much JetStream keeps of them.")                                                         \
	N(stream_duplicate_window_s, "WR_STREAM_DUPLICATE_WINDOW_S", 600, 1, 3600, "s",                \
	  "Window in which JetStream drops repeated events.")                                          \
	N(admit_interval_ms, "WR_ADMIT_INTERVAL_MS", 100, 10, 10000, "ms",                             \
	  "Time between two admission steps of a queue; up to 500 ms while nobody is in it.")          \
	N(admit_limit, "WR_ADMIT_LIMIT", 500, 1, 500, "people",                                        \
	  "Most people of one admission or expiry step.")                                              \
	N(reap_interval_ms, "WR_REAP_INTERVAL_MS", 5000, 20, 60000, "ms",                              \
	  "Time between two expiry steps of a queue.")                                                 \
	N(lease_ms, "WR_LEASE_MS", 1200, 200, 60000, "ms",                                             \
	  "How long an admitter that died keeps others waiting.")                                      \
	N(relay_lease_ms, "WR_RELAY_LEASE_MS", 3000, 1500, 60000, "ms",                                \
	  "The same for a relay, which renews it twice a second.")                                     \
	N(deaf_after_ms, "WR_DEAF_AFTER_MS", 5000, 500, 600000, "ms",                                  \
	  "Without admission steps or heartbeat flushes for so long, nothing expires for a full "      \
	  "heartbeat_ttl_ms.")                                                                         \
	N(report_interval_ms, "WR_REPORT_INTERVAL_MS", 5000, 100, 60000, "ms",                         \
	  "How often a process tells the others how it is (wrctl top, wrctl doctor).")                 \
	N(drain_wait_ms, "WR_DRAIN_WAIT_MS", 5000, 0, 600000, "ms",                                    \
	  "After SIGTERM: time for the gateway to notice before connections are closed.")              \
	N(drain_limit_ms, "WR_DRAIN_LIMIT_MS", 20000, 0, 600000, "ms",                                 \
	  "After that: longest time to finish what is under way.")

struct config {
#define CONFIG_TEXT_FIELD(field, variable, def, text) char field[CONFIG_TEXT_BYTES];
#define CONFIG_NUMBER_FIELD(field, variable, def, low, high, unit, text) int64_t field;
	CONFIG_TABLE(CONFIG_TEXT_FIELD, CONFIG_NUMBER_FIELD)
#undef CONFIG_TEXT_FIELD
#undef CONFIG_NUMBER_FIELD
};

/* Reads the environment. WR_BAD_CONFIG names the variable, what is wrong and the range; an unknown
 * variable that begins with WR_ is refused too (a typo must not pass silently), except
 * WR_TEST_*. */
WR_MUST_USE enum wr_err config_read(struct config *ret_config, struct err_detail *ret_detail);
/* Puts the name of the variable before what a part has said about its value. Returns err. */
enum wr_err config_blame(enum wr_err err, const char *variable, struct err_detail *detail);
/* fills 16 hex digits: the same for processes whose settings agree, but for those that are each
 * one's own (addresses, names, files). */
#define CONFIG_FINGERPRINT_CHARS 16
void config_fingerprint(const struct config *config,
						char ret_fingerprint[CONFIG_FINGERPRINT_CHARS + 1]);
void config_print(const struct config *config,
				  FILE *out);		   /* VAR=value lines; passwords in URLs hidden */
void config_print_help(FILE *out);	   /* one paragraph a setting */
void config_print_markdown(FILE *out); /* a table for the documentation */
void config_print_man(FILE *out);	   /* items of a list of mdoc(7) */
void config_print_example(FILE *out);  /* every setting as a comment, for an environment file */

#endif
