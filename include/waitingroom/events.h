/* Events: one table of what can happen, and how it looks to others.
 *
 * What     The table that makes subjects, CloudEvents types, the drift test against asyncapi.yaml.
 * Used by  lib/events, lib/store (type words), tests, wrload never.
 * Threads  any.
 */
#ifndef WAITINGROOM_EVENTS_H
#define WAITINGROOM_EVENTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "waitingroom/err.h"
#include "waitingroom/outbox.h"
#include "waitingroom/text.h"
#include "waitingroom/timings.h"
#include "waitingroom/token.h"
#include "waitingroom/trace.h"

/* enum, word in the outbox, subject noun, subject event, transition in the event id, about people?
 * Subject: wr.<tenant>.<queue>.<noun>.<event>; CloudEvents type io.waitingroom.<noun>.<event>.v1.
 * Event id: "<position id>:<transition>", for restored "<position id>:restored:<epoch>", with
 * ":<n>" behind it for a place that an operator has put back n times: all can happen once more. For
 * queue events "<tenant>/<queue>:<epoch>:<transition>:<n>". What operators do is told as
 * wr.system.audit whatever queue it is about; its id is "audit:<id>" with the entry's own. */
#define EVENT_TABLE(X)                                                                             \
	X(EVENT_ENQUEUED, "enqueued", "position", "enqueued", "enqueued", true)                        \
	X(EVENT_ADMITTED, "admitted", "position", "admitted", "admitted", true)                        \
	X(EVENT_MISSED, "missed", "position", "missed", "missed", true)                                \
	X(EVENT_EXPIRED, "expired", "position", "expired", "expired", true)                            \
	X(EVENT_LEFT, "left", "position", "left", "left", true)                                        \
	X(EVENT_RESTORED, "restored", "position", "restored", "restored", true)                        \
	X(EVENT_CLAIMED, "claimed", "session", "claimed", "claimed", true)                             \
	X(EVENT_SESSION_EXPIRED, "session-expired", "session", "expired", "session-expired", true)     \
	X(EVENT_SESSION_RELEASED, "session-released", "session", "released", "session-released", true) \
	X(EVENT_SESSION_REVOKED, "session-revoked", "session", "revoked", "session-revoked", true)     \
	X(EVENT_QUEUE_CREATED, "queue-created", "queue", "created", "created", false)                  \
	X(EVENT_QUEUE_UPDATED, "queue-updated", "queue", "updated", "updated", false)                  \
	X(EVENT_QUEUE_PAUSED, "queue-paused", "queue", "paused", "paused", false)                      \
	X(EVENT_QUEUE_RESUMED, "queue-resumed", "queue", "resumed", "resumed", false)                  \
	X(EVENT_QUEUE_DELETED, "queue-deleted", "queue", "deleted", "deleted", false)                  \
	X(EVENT_AUDIT, "audit", "system", "audit", "audit", false)

#define EVENT_ENUM(name, word, noun, event, transition, people) name,
enum event_type { EVENT_TABLE(EVENT_ENUM) EVENT_TYPE_COUNT };
#undef EVENT_ENUM

bool event_type_parse(const char *word, enum event_type *ret_type);

#define EVENT_SUBJECT_BYTES 192
#define EVENT_ID_BYTES 224
#define EVENT_BODY_BYTES 16384 /* settings with all targets and a full message, escaped */
struct event {				   /* one CloudEvent, ready to publish */
	char subject[EVENT_SUBJECT_BYTES];
	char id[EVENT_ID_BYTES];
	char traceparent[TRACEPARENT_CHARS + 1]; /* of a person whose way is traced; "" */
	struct trace_stretch wait;				 /* of admitted with a traceparent; position_id "" */
	char body[EVENT_BODY_BYTES];
	size_t body_len;
};

/* Expands an entry: calls fn once per person (once in all for queue events), in the order of the
 * lines, with byte-equal results each time. Stops and returns what fn returns when not WR_OK.
 * WR_MALFORMED: an entry that this version does not understand (logged and set aside by the
 * relay). */
typedef enum wr_err (*event_fn)(void *ctx, const struct event *event);
WR_MUST_USE enum wr_err event_expand(const struct queue_name *queue,
									 const struct outbox_entry *entry, event_fn fn, void *ctx);

/* ---- relay ---- */
/* The admitted event of somebody whose way is traced has been published; told again after trouble.
 * On the relay's thread: must not wait. */
typedef void (*relay_wait_fn)(void *ctx, const struct queue_name *queue, const char *traceparent,
							  const struct trace_stretch *wait);
struct relay_options { /* numbers: 0 takes the default that is named */
	const char *nats_url;
	struct outbox_source source; /* copied */
	uint32_t batch_entries;		 /* entries per read, 256 */
	uint32_t pending_max;		 /* events published and not yet acked, 4096 */
	uint32_t ack_wait_ms;		 /* per message, 2000 */
	uint32_t replicas;			 /* of the stream, 1 */
	int64_t max_age_s;			 /* of the stream, 72 hours */
	int64_t max_bytes;			 /* of the stream, 1 GiB; -1: no limit */
	int64_t duplicate_window_s;	 /* of the stream, 600 */
	relay_wait_fn on_wait;		 /* NULL: nobody wants to know */
	void *ctx;					 /* of on_wait */
};
struct relay_counts {
	uint64_t published, acked, failed, republished, malformed;
	uint64_t entries_removed;
	uint64_t backlog;  /* entries known to wait, all queues */
	int64_t oldest_ms; /* age of the oldest entry seen, 0: none */
	bool connected;
	struct timings_sum lag; /* of entries: from the change to the confirmation of all its events */
	/* The stream, as the relay found it in the last seconds of its connection. */
	bool stream_looked, stream_there;
	int64_t stream_replicas, stream_replicas_current; /* wanted by the stream; up to date */
};
struct relay; /* owns one thread */
/* gives; starts the thread; connects in the background (NATS may be absent). WR_BAD_CONFIG for an
 * unusable URL. */
WR_MUST_USE enum wr_err relay_start(const struct relay_options *options, struct relay **ret_relay,
									struct err_detail *ret_detail);
void relay_counts(const struct relay *relay, struct relay_counts *ret_counts); /* any thread */
/* Publishes what it can until 'deadline_ms' from now, then stops the thread and frees. */
void relay_stop(struct relay *relay, int64_t deadline_ms);

#endif
