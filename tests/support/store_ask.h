/* The store's client, asked and waited for: each function makes one call, turns the loop until it
 * is answered, and gives a copy of the answer.
 *
 * An answer is lent until the next question of the same kind to the same 'ask'. One thread only.
 */
#ifndef SUPPORT_STORE_ASK_H
#define SUPPORT_STORE_ASK_H

#include "waitingroom/store.h"

#define ASK_DEPARTURES_MAX 4096

struct ask_people { /* the answers about people, one kind filled */
	bool done;
	enum wr_err err;
	char epoch[EPOCH_CHARS + 1];
	int64_t now_ms;
	size_t count;
	struct joined joined[STORE_PEOPLE_MAX];
	struct visit visits[STORE_PEOPLE_MAX];
	char targets[STORE_PEOPLE_MAX][64]; /* of the visits, cut */
	struct released released[STORE_PEOPLE_MAX];
	enum place_state states[STORE_PEOPLE_MAX];
	size_t missing[STORE_PEOPLE_MAX];
};

struct ask_queue { /* the answers about queues, one kind filled */
	bool done;
	enum wr_err err;
	struct admitted admitted;
	struct reaped reaped;
	struct synced synced;
	struct departure departures[ASK_DEPARTURES_MAX]; /* synced.departures points here */
	uint8_t chunk[INDEX_CHUNK_BYTES];
	size_t chunk_bytes;
	struct queue_name names[64];
	size_t name_count;
	enum put_result put;
	uint64_t version, fence;
	bool more, mine;
};

struct ask_raw {
	bool done;
	enum wr_err err;
	char text[65536]; /* cut; "" also when there was none */
	size_t len;
	int64_t number;
};

struct ask {
	struct loop *loop;
	struct store_address *address;
	struct store *store;
	struct ask_people people;
	struct ask_queue queue;
	struct ask_raw raw;
};

/* options may be NULL. Fails the test when the store is not ready within seconds. gives */
struct ask *ask_open(const char *url, const struct store_options *options);
/* The same without waiting for the store. */
struct ask *ask_open_later(const char *url, const struct store_options *options);
void ask_close(struct ask *ask);

const struct ask_people *ask_join(struct ask *ask, const struct queue_name *queue,
								  const struct join *people, size_t count);
const struct ask_people *ask_join_limited(struct ask *ask, const struct queue_name *queue,
										  uint64_t outbox_limit, const struct join *people,
										  size_t count);
const struct ask_people *ask_join_seen(struct ask *ask, const struct queue_name *queue,
									   const char *epoch, const struct seen_ticket *seen,
									   const struct join *people, size_t count);
const struct ask_people *ask_heartbeat(struct ask *ask, const struct queue_name *queue,
									   const store_id *ids, size_t count);
const struct ask_people *ask_visit(struct ask *ask, const struct queue_name *queue, bool claim,
								   const store_id *ids, size_t count);
const struct ask_people *ask_release(struct ask *ask, const struct queue_name *queue,
									 enum store_release what, const store_id *ids, size_t count);
const struct ask_people *ask_restore(struct ask *ask, const struct queue_name *queue,
									 const struct lost_place *people, size_t count);

const struct ask_queue *ask_admit(struct ask *ask, const struct queue_name *queue, int limit,
								  uint64_t extra); /* as owner "ask" */
const struct ask_queue *ask_reap(struct ask *ask, const struct queue_name *queue, int limit);
const struct ask_queue *ask_sync(struct ask *ask, const struct queue_name *queue,
								 const char *last_departure, uint64_t version, int limit);
const struct ask_queue *ask_chunk(struct ask *ask, const struct queue_name *queue, const char *lane,
								  size_t chunk);
const struct ask_queue *ask_queues(struct ask *ask);
const struct ask_queue *ask_put(struct ask *ask, const struct queue_name *queue,
								const struct queue_settings *settings, uint64_t expected_version,
								const struct queue_revival *revival);
const struct ask_queue *ask_patch(struct ask *ask, const struct queue_name *queue,
								  const char *field, const char *value);
const struct ask_queue *ask_delete(struct ask *ask, const struct queue_name *queue, int limit);
const struct ask_queue *ask_lease(struct ask *ask, const struct queue_name *queue, const char *role,
								  const char *owner, int64_t ms);

/* A command as printf text, split at spaces. */
const struct ask_raw *ask_do(struct ask *ask, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

#endif
