/* What the threads of waitingroom-api share.
 *
 *     workers (one per core)   visitors' HTTP; read queues and keys, write nothing shared
 *     sync                     the only writer of 'queues'
 *     relay                    outbox to JetStream, lives in lib/events
 *     internal                 metrics, health, admin API
 *     captcha                  asks captcha providers, lives in lib/net; runs from the first question
 *     main                     starts, waits for signals, reloads, drains
 *
 * Meeting points: 'queues' and 'keys' are swapped by pointer and freed through 'quiescence'; the
 * flags are atomics; everything else is set before the threads start and read-only afterwards.
 */
#ifndef WAITINGROOM_API_APP_H
#define WAITINGROOM_API_APP_H

#include <stdatomic.h>
#include <stdbool.h>

#include "waitingroom/access_log.h"
#include "waitingroom/client_ip.h"
#include "waitingroom/config.h"
#include "waitingroom/events.h"
#include "waitingroom/keys.h"
#include "waitingroom/metrics.h"
#include "waitingroom/queue_table.h"
#include "waitingroom/quiescence.h"
#include "waitingroom/router.h"
#include "waitingroom/spans.h"
#include "waitingroom/store.h"
#include "waitingroom/tracing_settings.h"

#define WORKERS_MAX 128
#define ORIGINS_MAX 32

struct captcha;
struct otlp;
struct worker;
struct sync;
struct internal;
struct admin_keys;
struct languages;
struct page_cache;

struct app {
	struct config config;
	struct quiescence *quiescence;
	struct queue_table *queues;
	struct languages *languages;
	struct page_cache *pages;
	struct page *contract; /* openapi.yaml, as it is served; immutable */
	struct store_address *store_address;
	struct trusted_proxies *proxies;
	enum access_log_mode access_log;
	_Atomic int64_t *open_taken; /* by slot of a queue: gate_open_take; workers */
	atomic_bool *astir; /* by slot: something goes on here (calm.c); workers set, sync clears */
	_Atomic int64_t *flushed_ms; /* by slot: when heartbeats last left here, monotonic; workers */
	const char *origins[ORIGINS_MAX]; /* point into 'origins_text' */
	size_t origin_count;
	char origins_text[CONFIG_TEXT_BYTES];

	_Atomic(struct keys *) keys;			 /* swapped on SIGHUP */
	_Atomic(struct admin_keys *) admin_keys; /* the same; NULL: only keys of the store */
	atomic_bool synced;						 /* the queues have been read once */
	_Atomic uint32_t unread; /* queues that there are and that could not be read yet; sync's */
	_Atomic int64_t store_clock_ms; /* the store's time less our monotonic; 0: not known; sync's */
	atomic_bool draining;			/* SIGTERM was seen: /readyz says no */

	struct worker *workers[WORKERS_MAX];
	size_t worker_count;
	struct captcha *captcha;
	struct sync *sync;
	struct store_outbox *outbox; /* both NULL when switched off */
	struct relay *relay;
	struct internal *internal;
	struct http_tracing tracing; /* when there are spans */
	struct spans *spans;		 /* all NULL: nothing is traced */
	struct otlp *otlp;
	struct exemplars *exemplars;
};

/* What time is it, for tokens and everything else that another pod may have dated? The store's
 * time, as all of its scripts; our own until it has told it once. A clock that is wrong here, or is
 * set, changes nothing. */
static inline struct wall_time app_time(const struct app *app, struct mono_time now)
{
	int64_t offset_ms = atomic_load_explicit(&app->store_clock_ms, memory_order_relaxed);
	return offset_ms != 0 ? (struct wall_time){.ms = now.ns / 1000000 + offset_ms} : clock_wall();
}

/* Why is there no picture of a queue? There is none of that name, as far as that can be said
 * already. */
static inline enum wr_err app_why_no_queue(const struct app *app)
{
	return atomic_load(&app->synced) && atomic_load(&app->unread) == 0 ? WR_NO_QUEUE
																	   : WR_STORE_AWAY;
}

/* The public endpoints: one table for routes, metrics and documentation. */
#define ENDPOINT_TABLE(X)                                                                          \
	X(ENDPOINT_OTHER, "other")                                                                     \
	X(ENDPOINT_CHALLENGE, "challenge")                                                             \
	X(ENDPOINT_ENQUEUE, "enqueue")                                                                 \
	X(ENDPOINT_HEARTBEAT, "heartbeat")                                                             \
	X(ENDPOINT_STATUS, "status")                                                                   \
	X(ENDPOINT_LEAVE, "leave")                                                                     \
	X(ENDPOINT_QUEUE, "queue")                                                                     \
	X(ENDPOINT_SESSION_RELEASE, "session_release")                                                 \
	X(ENDPOINT_JWKS, "jwks")                                                                       \
	X(ENDPOINT_CONTRACT, "contract")                                                               \
	X(ENDPOINT_PAGE, "page")                                                                       \
	X(ENDPOINT_AUTHZ, "authz")
#define ENDPOINT_ENUM(id, word) id,
enum endpoint { ENDPOINT_TABLE(ENDPOINT_ENUM) ENDPOINT_COUNT };
#undef ENDPOINT_ENUM

/* Label values of stored counters, in the order of their numbers. */
enum beat_source { BEAT_INDEX, BEAT_STORE, BEAT_STALE, BEAT_SOURCES };

#endif
