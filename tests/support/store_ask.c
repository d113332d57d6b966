/* Each callback copies what it is lent and says that it was there, exactly once. */
#include "support/store_ask.h"

#include "support/cmocka.h"
#include "support/wait.h"
#include "waitingroom/memory.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define READY_MS 10000
#define LEASE_MS 60000
#define GAP_MS 3600000 /* no amnesty, unless a test wants one */
#define WORDS_MAX 32

struct ask *ask_open_later(const char *url, const struct store_options *options)
{
	struct ask *ask = mem_alloc_zero(1, sizeof(*ask));
	struct store_options defaults;
	store_options_default(&defaults);
	defaults.timeout_ms = 5000;
	ask->loop = loop_new();
	struct err_detail detail = {0};
	if (store_address_parse(url, &ask->address, &detail))
		fail_msg("%s", detail.text);
	ask->store = store_new(ask->loop, ask->address, options ? options : &defaults);
	return ask;
}

struct ask *ask_open(const char *url, const struct store_options *options)
{
	struct ask *ask = ask_open_later(url, options);
	if (!store_wait_ready(ask->store, wait_left_ms(wait_deadline(READY_MS))))
		fail_msg("the store at %s does not get ready", url);
	return ask;
}

void ask_close(struct ask *ask)
{
	if (!ask)
		return;
	store_free(ask->store);
	store_address_free(ask->address);
	loop_free(ask->loop);
	free(ask);
}

static void people_done(struct ask_people *answer, enum wr_err err, int64_t now_ms, size_t count)
{
	assert_false(answer->done);
	answer->done = true;
	answer->err = err;
	answer->now_ms = now_ms;
	answer->count = count;
}

static void queue_done(struct ask_queue *answer, enum wr_err err)
{
	assert_false(answer->done);
	answer->done = true;
	answer->err = err;
}

/* ---- people ---- */

static struct ask_people *people_ask(struct ask *ask)
{
	memset(&ask->people, 0, sizeof(ask->people));
	return &ask->people;
}

static void on_joined(void *ctx, enum wr_err err, const char *epoch, int64_t now_ms,
					  const struct joined *people, size_t count)
{
	struct ask_people *answer = ctx;
	people_done(answer, err, now_ms, count);
	snprintf(answer->epoch, sizeof(answer->epoch), "%s", epoch);
	if (count)
		memcpy(answer->joined, people, count * sizeof(*people));
}

const struct ask_people *ask_join(struct ask *ask, const struct queue_name *queue,
								  const struct join *people, size_t count)
{
	return ask_join_limited(ask, queue, 1000000, people, count);
}

const struct ask_people *ask_join_limited(struct ask *ask, const struct queue_name *queue,
										  uint64_t outbox_limit, const struct join *people,
										  size_t count)
{
	struct ask_people *answer = people_ask(ask);
	store_enqueue(ask->store, queue, outbox_limit, "", NULL, 0, people, count, on_joined, answer);
	store_wait(ask->store, &answer->done);
	return answer;
}

const struct ask_people *ask_join_seen(struct ask *ask, const struct queue_name *queue,
									   const char *epoch, const struct seen_ticket *seen,
									   const struct join *people, size_t count)
{
	struct ask_people *answer = people_ask(ask);
	store_enqueue(ask->store, queue, 1000000, epoch, seen, 1, people, count, on_joined, answer);
	store_wait(ask->store, &answer->done);
	return answer;
}

static void on_beats(void *ctx, enum wr_err err, int64_t now_ms, const size_t *missing,
					 size_t count)
{
	struct ask_people *answer = ctx;
	people_done(answer, err, now_ms, count);
	if (count)
		memcpy(answer->missing, missing, count * sizeof(*missing));
}

const struct ask_people *ask_heartbeat(struct ask *ask, const struct queue_name *queue,
									   const store_id *ids, size_t count)
{
	struct ask_people *answer = people_ask(ask);
	store_heartbeat(ask->store, queue, ids, count, on_beats, answer);
	store_wait(ask->store, &answer->done);
	return answer;
}

static void on_visits(void *ctx, enum wr_err err, int64_t now_ms, const struct visit *people,
					  size_t count)
{
	struct ask_people *answer = ctx;
	people_done(answer, err, now_ms, count);
	for (size_t i = 0; i < count; i++) {
		answer->visits[i] = people[i];
		snprintf(answer->targets[i], sizeof(answer->targets[i]), "%s", people[i].target);
		answer->visits[i].target = answer->targets[i];
	}
}

const struct ask_people *ask_visit(struct ask *ask, const struct queue_name *queue, bool claim,
								   const store_id *ids, size_t count)
{
	struct ask_people *answer = people_ask(ask);
	store_visit(ask->store, queue, claim ? VISIT_POLL : VISIT_LOOK, ids, count, on_visits, answer);
	store_wait(ask->store, &answer->done);
	return answer;
}

static void on_released(void *ctx, enum wr_err err, int64_t now_ms, const struct released *people,
						size_t count)
{
	struct ask_people *answer = ctx;
	people_done(answer, err, now_ms, count);
	if (count)
		memcpy(answer->released, people, count * sizeof(*people));
}

const struct ask_people *ask_release(struct ask *ask, const struct queue_name *queue,
									 enum store_release what, const store_id *ids, size_t count)
{
	struct ask_people *answer = people_ask(ask);
	store_release(ask->store, queue, what, ids, count, on_released, answer);
	store_wait(ask->store, &answer->done);
	return answer;
}

static void on_restored(void *ctx, enum wr_err err, const enum place_state *states, size_t count)
{
	struct ask_people *answer = ctx;
	people_done(answer, err, 0, count);
	if (count)
		memcpy(answer->states, states, count * sizeof(*states));
}

const struct ask_people *ask_restore(struct ask *ask, const struct queue_name *queue,
									 const struct lost_place *people, size_t count)
{
	struct ask_people *answer = people_ask(ask);
	store_restore(ask->store, queue, people, count, on_restored, answer);
	store_wait(ask->store, &answer->done);
	return answer;
}

/* ---- queues ---- */

static struct ask_queue *queue_ask(struct ask *ask)
{
	memset(&ask->queue, 0, sizeof(ask->queue));
	return &ask->queue;
}

static const struct ask_queue *queue_wait(struct ask *ask)
{
	store_wait(ask->store, &ask->queue.done);
	return &ask->queue;
}

static void on_admitted(void *ctx, enum wr_err err, const struct admitted *result)
{
	struct ask_queue *answer = ctx;
	queue_done(answer, err);
	if (result)
		answer->admitted = *result;
}

const struct ask_queue *ask_admit(struct ask *ask, const struct queue_name *queue, int limit,
								  uint64_t extra)
{
	store_admit(ask->store, queue, "ask", LEASE_MS, limit, GAP_MS, extra, on_admitted,
				queue_ask(ask));
	return queue_wait(ask);
}

static void on_reaped(void *ctx, enum wr_err err, const struct reaped *result)
{
	struct ask_queue *answer = ctx;
	queue_done(answer, err);
	if (result)
		answer->reaped = *result;
}

const struct ask_queue *ask_reap(struct ask *ask, const struct queue_name *queue, int limit)
{
	store_reap(ask->store, queue, GAP_MS, limit, on_reaped, queue_ask(ask));
	return queue_wait(ask);
}

static void on_synced(void *ctx, enum wr_err err, const struct synced *result)
{
	struct ask_queue *answer = ctx;
	queue_done(answer, err);
	if (!result)
		return;
	answer->synced = *result;
	assert_in_range(result->departure_count, 0, ASK_DEPARTURES_MAX);
	if (result->departure_count)
		memcpy(answer->departures, result->departures,
			   result->departure_count * sizeof(*answer->departures));
	answer->synced.departures = answer->departures;
}

const struct ask_queue *ask_sync(struct ask *ask, const struct queue_name *queue,
								 const char *last_departure, uint64_t version, int limit)
{
	char from[STREAM_ID_BYTES]; /* may be of the answer that is cleared now */
	snprintf(from, sizeof(from), "%s", last_departure);
	store_sync(ask->store, queue, from, NULL, version, limit, on_synced, queue_ask(ask));
	return queue_wait(ask);
}

static void on_chunk(void *ctx, enum wr_err err, const uint8_t *bitmap, size_t bytes)
{
	struct ask_queue *answer = ctx;
	queue_done(answer, err);
	answer->chunk_bytes = bytes;
	if (bytes)
		memcpy(answer->chunk, bitmap, bytes);
}

const struct ask_queue *ask_chunk(struct ask *ask, const struct queue_name *queue, const char *lane,
								  size_t chunk)
{
	store_read_chunk(ask->store, queue, lane, chunk, on_chunk, queue_ask(ask));
	return queue_wait(ask);
}

static void on_queues(void *ctx, enum wr_err err, const struct queue_name *names, size_t count)
{
	struct ask_queue *answer = ctx;
	queue_done(answer, err);
	answer->name_count = count;
	assert_in_range(count, 0, 64);
	if (count)
		memcpy(answer->names, names, count * sizeof(*names));
}

const struct ask_queue *ask_queues(struct ask *ask)
{
	store_queues(ask->store, on_queues, queue_ask(ask));
	return queue_wait(ask);
}

static void on_put(void *ctx, enum wr_err err, enum put_result result, uint64_t version)
{
	struct ask_queue *answer = ctx;
	queue_done(answer, err);
	answer->put = result;
	answer->version = version;
}

const struct ask_queue *ask_put(struct ask *ask, const struct queue_name *queue,
								const struct queue_settings *settings, uint64_t expected_version,
								const struct queue_revival *revival)
{
	store_put_queue(ask->store, queue, settings, expected_version, "{}", revival, NULL, on_put,
					queue_ask(ask));
	return queue_wait(ask);
}

const struct ask_queue *ask_patch(struct ask *ask, const struct queue_name *queue,
								  const char *field, const char *value)
{
	struct queue_field patch = {.name = field, .value = value};
	store_patch_queue(ask->store, queue, &patch, 1, UINT64_MAX, "{}", NULL, on_put, queue_ask(ask));
	return queue_wait(ask);
}

static void on_deleted(void *ctx, enum wr_err err, bool more)
{
	struct ask_queue *answer = ctx;
	queue_done(answer, err);
	answer->more = more;
}

const struct ask_queue *ask_delete(struct ask *ask, const struct queue_name *queue, int limit)
{
	store_delete_queue(ask->store, queue, limit, UINT64_MAX, "{}", NULL, on_deleted,
					   queue_ask(ask));
	return queue_wait(ask);
}

static void on_lease(void *ctx, enum wr_err err, bool mine, uint64_t fence)
{
	struct ask_queue *answer = ctx;
	queue_done(answer, err);
	answer->mine = mine;
	answer->fence = fence;
}

const struct ask_queue *ask_lease(struct ask *ask, const struct queue_name *queue, const char *role,
								  const char *owner, int64_t ms)
{
	store_lease(ask->store, queue, role, owner, ms, on_lease, queue_ask(ask));
	return queue_wait(ask);
}

/* ---- any command ---- */

static void on_raw(void *ctx, enum wr_err err, const char *text, size_t len, int64_t number)
{
	struct ask_raw *answer = ctx;
	assert_false(answer->done);
	answer->done = true;
	answer->err = err;
	answer->number = number;
	answer->len = len < sizeof(answer->text) ? len : sizeof(answer->text) - 1;
	if (text)
		memcpy(answer->text, text, answer->len);
}

const struct ask_raw *ask_do(struct ask *ask, const char *format, ...)
{
	char line[4096];
	va_list args;
	va_start(args, format);
	int len = vsnprintf(line, sizeof(line), format, args);
	va_end(args);
	assert_in_range(len, 1, sizeof(line) - 1);
	const char *words[WORDS_MAX];
	int count = 0;
	for (char *at = line, *word; (word = strtok_r(at, " ", &at));) {
		assert_in_range(count, 0, WORDS_MAX - 1);
		words[count++] = word;
	}
	memset(&ask->raw, 0, sizeof(ask->raw));
	store_raw(ask->store, count, words, NULL, on_raw, &ask->raw);
	store_wait(ask->store, &ask->raw.done);
	return &ask->raw;
}
