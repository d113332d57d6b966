/* Sync: four times a second, what has changed?
 *
 *     names of queues ─► per queue sync.lua ─► followed (settings, departures, counts)
 *                          │                        └─► snapshot for the workers
 *                          └─ the index counts fewer departures than the store ─► bitmap chunks
 *
 * The only writer of the queue table. Blocks on its own store connection; nobody waits for it: when
 * the store is away, the pictures grow old and the workers' answers say "stale". Some queues are
 * asked about at once: one after the other, a thousand of them a millisecond away would take a
 * second. A queue that the store fails to tell of (a key of another type) has an old picture, and
 * the others have not.
 *
 * A queue that nobody is in is left out of every other round (calm.c).
 *
 * Between rounds it looks at single queues, for those who have changed them and want it seen
 * (looks.c).
 *
 * When a queue that was known is unknown to the store, without the tombstone that deleting leaves,
 * the store has lost everything. The pod then revives the queue from its memory: settings, and the
 * highest tickets seen. Several pods may try; the first one does it (queue_put.lua).
 */
#include "sync.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "accuracy.h"
#include "calm.h"
#include "followed.h"
#include "followed_load.h"
#include "followed_revive.h"
#include "looks.h"
#include "queues_file.h"
#include "waitingroom/log.h"
#include "waitingroom/memory.h"
#include "waitingroom/store_log.h"

#define ENTRIES_AT_ONCE 500
#define QUEUES_AT_ONCE 32
#define TRIP_MAX_MS 500
#define UNREAD_PATIENCE_MS 5000 /* of a pod that starts, with queues that cannot be read or made */
#define FILE_PAUSE_MS 5000		/* between tries of a file of which something was refused */
#define FILE_PAUSES 10			/* and as many times as long as a try took */
#define SETTLE_MS 2000			/* the longest pause between tries to connect, of other pods */
#define RESOLVE_INTERVAL_MS 5000
#define LOG_LEVEL_INTERVAL_MS 1000

struct sync {
	struct app *app;
	pthread_t thread;
	struct loop *loop;
	struct store *store;
	struct followed *all;
	bool *slot_used;
	struct sync_call *calls;			  /* QUEUES_AT_ONCE */
	struct mono_time started, file_again; /* the file: not to be tried before */
	char store_life[48];				  /* the store's, when last looked at */
	struct mono_time settled;	/* all pods have told the store, which is another, what it forgot */
	struct mono_time full_said; /* that there are too many queues; 0: never */
	bool probed, file_applied;
	struct looks looks;
	atomic_bool stop;
	_Atomic uint64_t rounds, failures, reloads, revivals;
	_Atomic int64_t clock_offset_ms;
};

/* ---- one answer of the store ---- */

struct sync_call {
	struct sync *sync;
	struct followed *followed;
	struct mono_time asked;
	bool done, reread;
	enum wr_err err;
	struct synced answer; /* without the departures, which are applied at once */
};

/* The store's time is of the middle of the way, as far as anybody knows. An answer that took long,
 * or lay here while the process was stopped, says little. */
static void note_clock(const struct sync_call *call, int64_t store_ms)
{
	struct sync *sync = call->sync;
	struct mono_time now = clock_mono();
	int64_t trip_ms = mono_diff_ms(call->asked, now);
	if (trip_ms > TRIP_MAX_MS)
		return;
	int64_t now_ms = store_ms + trip_ms / 2;
	atomic_store(&sync->clock_offset_ms, now_ms - clock_wall().ms);
	atomic_store(&sync->app->store_clock_ms, now_ms - now.ns / 1000000);
}

static void on_synced(void *ctx, enum wr_err err, const struct synced *answer)
{
	struct sync_call *call = ctx;
	struct followed *followed = call->followed;
	call->done = true;
	call->err = err;
	if (err != WR_OK)
		return;
	/* Deleted and made anew since: the same version is of other settings. */
	call->reread =
		followed->is_known && !answer->has_settings && strcmp(followed->epoch, answer->epoch) != 0;
	if (call->reread)
		return;
	if (followed->settings == NULL && !answer->has_settings) {
		call->err = WR_STORE_AWAY; /* cannot be: version 0 was asked for */
		return;
	}
	note_clock(call, answer->now_ms);
	followed_apply(followed, answer);
	call->answer = *answer;
	call->answer.departures = NULL;
	call->answer.revocations = NULL;
	queue_settings_default(&call->answer.settings); /* lent, too; followed has its own */
}

/* ---- one queue ---- */

static void forget(struct sync *sync, struct followed *followed)
{
	for (struct followed **at = &sync->all; *at != NULL; at = &(*at)->next)
		if (*at == followed) {
			*at = followed->next;
			break;
		}
	queue_table_remove(sync->app->queues, &followed->name);
	sync->slot_used[followed->slot] = false;
	followed_free(followed, sync->app->quiescence);
}

static void ask(struct sync_call *call)
{
	struct followed *followed = call->followed;
	call->done = false;
	call->asked = clock_mono();
	store_sync(call->sync->store, &followed->name, followed->last_departure,
			   followed->last_revocation,
			   followed->settings != NULL && !call->reread ? followed->settings->version : 0,
			   ENTRIES_AT_ONCE, on_synced, call);
}

/* Until there is nothing more to be told. */
static enum wr_err await_all(struct sync_call *call)
{
	struct sync *sync = call->sync;
	store_wait(sync->store, &call->done);
	while (call->err == WR_OK && (call->reread || call->answer.more) && !atomic_load(&sync->stop)) {
		ask(call);
		store_wait(sync->store, &call->done);
	}
	return call->err;
}

static void tell_departures(struct sync *sync, const struct sync_call *call)
{
	struct followed *followed = call->followed;
	enum wr_err err = WR_OK;
	for (size_t i = 0; i < followed->lane_count && err == WR_OK; i++)
		for (size_t from = 0; from < call->answer.lane_count; from++)
			if (strcmp(followed->lanes[i].name, call->answer.lanes[from].lane) == 0 &&
				position_index_gone(followed->lanes[i].index) > call->answer.lanes[from].gone)
				err = followed_tell_departures(followed, i, sync->store);
	followed->tells_departures = err != WR_OK; /* again, with the next answer */
}

/* The picture is shown only when its indexes have all that the store counts: a position that is
 * too high now would be a position that grows. It is as old as the question was: the answer may
 * have been long on its way. */
static enum wr_err publish(struct sync *sync, const struct sync_call *call)
{
	struct followed *followed = call->followed;
	unsigned behind = followed_behind(followed, &call->answer);
	for (size_t i = 0; i < followed->lane_count; i++)
		if ((behind >> i & 1u) != 0) {
			atomic_fetch_add(&sync->reloads, 1);
			enum wr_err err = followed_load_lane(followed, i, sync->store);
			if (err != WR_OK)
				return err;
		}
	if (followed->tells_departures && !followed->recovering)
		tell_departures(sync, call);
	struct queue_snapshot *snapshot = followed_snapshot(followed, &call->answer, call->asked);
	snapshot->settling = call->asked.ns < sync->settled.ns;
	enum wr_err err = queue_table_put(sync->app->queues, snapshot); /* takes it, also refused */
	followed_shown(followed, sync->app->quiescence);
	return err;
}

/* Another connection may lead to another server, to which not everything had come: what it adds to
 * its stream may stand before what is known here. So the stream is read again; it is short. */
static uint64_t connections_made(const struct sync *sync)
{
	struct store_counts counts;
	store_counts(sync->store, &counts);
	return counts.reconnects;
}

static void on_tickets_told(void *ctx, enum wr_err err, const char *epoch, int64_t now_ms,
							const struct joined *people, size_t count)
{
	(void)ctx, (void)err, (void)epoch, (void)now_ms, (void)people, (void)count;
}

/* Nor may that server give out numbers that this pod has heard of: before the workers send it
 * joins, every pod says which is the highest (JOINS_HELD_MS in upkeep.c). */
static void tell_tickets(struct sync *sync, const struct followed *followed)
{
	struct former_life life;
	if (!followed->is_known)
		return;
	followed_former_life(followed, &life);
	store_enqueue(sync->store, &followed->name, UINT64_MAX, followed->epoch, life.seen,
				  life.seen_count, NULL, 0, on_tickets_told, NULL);
}

static void watch_store(struct sync *sync)
{
	const char *life = store_life(sync->store);
	if (life[0] == '\0' || strncmp(life, sync->store_life, sizeof(sync->store_life) - 1) == 0)
		return;
	if (sync->store_life[0] != '\0')
		sync->settled = mono_add_ms(loop_now(sync->loop), SETTLE_MS);
	snprintf(sync->store_life, sizeof(sync->store_life), "%s", life);
}

static void begin(struct sync *sync, struct followed *followed, struct sync_call *ret_call)
{
	watch_store(sync);
	uint64_t connections = connections_made(sync);
	if (followed->store_connections != connections) {
		followed_ask_revocations(followed);
		tell_tickets(sync, followed);
		followed->tells_departures = true;
	}
	followed->store_connections = connections;
	*ret_call = (struct sync_call){.sync = sync, .followed = followed};
	ask(ret_call);
}

/* false: the store has not told. */
static bool finish(struct sync *sync, struct sync_call *call)
{
	struct followed *followed = call->followed;
	enum wr_err err = await_all(call);
	if (err == WR_OK)
		err = publish(sync, call);
	if (err == WR_OK && followed->former.epochs[0] != '\0')
		followed_tell_former(followed, sync->store);
	if (err == WR_OK) {
		calm_note(followed, &call->answer);
		accuracy_tell(followed, sync->store, loop_now(sync->loop));
	}
	switch (err) {
	case WR_OK:
		return true;
	case WR_NO_QUEUE:
		forget(sync, followed);
		return true;
	case WR_NOT_FOUND:
		if (!followed->is_known)
			forget(sync, followed);
		else if (followed_revive(followed, sync->store, &sync->app->config))
			atomic_fetch_add(&sync->revivals, 1);
		return true;
	case WR_LIMIT:
		return true;
	default:
		atomic_fetch_add(&sync->failures, 1);
		return false;
	}
}

static void say_full(struct sync *sync, const struct queue_name *name)
{
	char text[QUEUE_NAME_TEXT_BYTES];
	if (!log_once_a_minute(&sync->full_said, loop_now(sync->loop)))
		return;
	queue_name_print(name, text);
	log_event(LOG_LEVEL_ERROR, "too_many_queues", LOG_TEXT("setting", "WR_QUEUES_MAX"),
			  LOG_TEXT("queue", text));
}

/* NULL: there are too many. */
static struct followed *follow(struct sync *sync, const struct queue_name *name)
{
	for (struct followed *followed = sync->all; followed != NULL; followed = followed->next)
		if (queue_name_equal(&followed->name, name))
			return followed;
	for (uint32_t slot = 0; slot < (uint32_t)sync->app->config.queues_max; slot++)
		if (!sync->slot_used[slot]) {
			struct followed *followed = followed_new(name, slot);
			sync->slot_used[slot] = true;
			followed->next = sync->all;
			sync->all = followed;
			return followed;
		}
	say_full(sync, name);
	return NULL;
}

struct names_call {
	struct sync *sync;
	bool done;
	enum wr_err err;
};

static void on_names(void *ctx, enum wr_err err, const struct queue_name *names, size_t count)
{
	struct names_call *call = ctx;
	call->done = true;
	call->err = err;
	for (size_t i = 0; err == WR_OK && i < count; i++)
		(void)follow(call->sync, &names[i]);
}

enum round { ROUND_WHOLE, ROUND_WITHOUT_SOME, ROUND_ENDED };

/* ROUND_ENDED: the store cannot be asked at the moment. */
static enum round round_of(struct sync *sync)
{
	struct names_call names = {.sync = sync};
	enum round round = ROUND_WHOLE;
	store_queues(sync->store, on_names, &names);
	store_wait(sync->store, &names.done);
	if (names.err != WR_OK) {
		atomic_fetch_add(&sync->failures, 1);
		return ROUND_ENDED;
	}
	for (struct followed *followed = sync->all; followed != NULL;) {
		size_t count = 0; /* whoever is forgotten is of these, and not the next one */
		for (; followed != NULL && count < QUEUES_AT_ONCE; followed = followed->next)
			if (!calm_may_wait(sync->app, followed, atomic_load(&sync->rounds)))
				begin(sync, followed, &sync->calls[count++]);
		for (size_t i = 0; i < count; i++)
			if (!finish(sync, &sync->calls[i]))
				round = ROUND_WITHOUT_SOME;
		if (!store_is_ready(sync->store))
			return ROUND_ENDED;
	}
	return round;
}

/* Those that somebody has asked for. */
static void look(struct sync *sync)
{
	struct queue_name names[LOOKS_MAX];
	uint64_t number;
	size_t count = looks_take(&sync->looks, names, &number);
	for (size_t i = 0; i < count && store_is_ready(sync->store); i++) {
		struct followed *followed = follow(sync, &names[i]);
		if (followed == NULL)
			continue;
		begin(sync, followed, &sync->calls[0]);
		(void)finish(sync, &sync->calls[0]);
	}
	if (count > 0)
		looks_finish(&sync->looks, number);
}

static void count_unread(const struct sync *sync)
{
	uint32_t unread = 0;
	for (const struct followed *followed = sync->all; followed != NULL; followed = followed->next)
		unread += followed->settings == NULL;
	atomic_store(&sync->app->unread, unread);
}

/* A pod knows all queues before it says that one does not exist; but one that cannot be read or
 * made does not keep it from serving the others for ever. */
static bool has_synced(const struct sync *sync, enum round round)
{
	if (round == ROUND_WHOLE && sync->file_applied)
		return true;
	return round != ROUND_ENDED &&
		   mono_diff_ms(sync->started, loop_now(sync->loop)) >= UNREAD_PATIENCE_MS;
}

/* Once: a DragonflyDB without its two flags would refuse every step. */
static void probe(struct sync *sync)
{
	struct err_detail detail = {""};
	if (sync->probed)
		return;
	enum wr_err err = store_probe(sync->store, &detail);
	sync->probed = err != WR_STORE_AWAY;
	if (err == WR_BAD_CONFIG)
		log_event(LOG_LEVEL_ERROR, "store_refuses_tags", LOG_TEXT("reason", detail.text));
}

static void apply_file(struct sync *sync)
{
	struct mono_time began = clock_mono();
	if (sync->file_applied || began.ns < sync->file_again.ns)
		return;
	struct err_detail detail = {""};
	enum wr_err err = queues_file_apply(&sync->app->config, sync->store, &detail);
	sync->file_applied = err != WR_STORE_AWAY;
	struct mono_time ended = clock_mono(); /* the queues are not followed meanwhile */
	int64_t pause_ms = FILE_PAUSES * mono_diff_ms(began, ended);
	if (store_is_ready(sync->store))
		sync->file_again = mono_add_ms(ended, pause_ms > FILE_PAUSE_MS ? pause_ms : FILE_PAUSE_MS);
	if (err != WR_OK && err != WR_STORE_AWAY)
		log_event(LOG_LEVEL_ERROR, "queues_file_refused", LOG_TEXT("reason", detail.text));
}

static void *run(void *ctx)
{
	struct sync *sync = ctx;
	struct mono_time resolved = clock_mono(), followed_log_level = resolved;
	while (!atomic_load(&sync->stop)) {
		struct mono_time began = clock_mono();
		if (!store_is_ready(sync->store) && mono_diff_ms(resolved, began) >= RESOLVE_INTERVAL_MS) {
			store_address_resolve(sync->app->store_address);
			resolved = began;
		}
		if (store_wait_ready(sync->store, sync->app->config.sync_interval_ms)) {
			probe(sync);
			apply_file(sync);
			if (mono_diff_ms(followed_log_level, began) >= LOG_LEVEL_INTERVAL_MS) {
				store_follow_log_level(sync->store);
				followed_log_level = began;
			}
			enum round round = round_of(sync);
			count_unread(sync); /* before anybody takes it for all there are */
			if (has_synced(sync, round))
				atomic_store(&sync->app->synced, true);
			atomic_fetch_add(&sync->rounds, 1);
		}
		quiescence_sweep(sync->app->quiescence);
		struct mono_time due = mono_add_ms(began, sync->app->config.sync_interval_ms);
		for (int64_t left = mono_diff_ms(clock_mono(), due); left > 0 && !atomic_load(&sync->stop);
			 left = mono_diff_ms(clock_mono(), due)) {
			look(sync);
			loop_turn(sync->loop, left);
		}
	}
	return NULL;
}

struct sync *sync_start(struct app *app)
{
	struct sync *sync = mem_alloc_zero(1, sizeof(*sync));
	sync->app = app;
	sync->loop = loop_new();
	looks_init(&sync->looks);
	sync->calls = mem_alloc_zero(QUEUES_AT_ONCE, sizeof(*sync->calls));
	sync->started = clock_mono();
	sync->slot_used = mem_alloc_zero((size_t)app->config.queues_max, sizeof(bool));
	sync->file_applied = app->config.queues_file[0] == '\0';
	struct store_options options;
	store_options_default(&options);
	options.timeout_ms = (uint32_t)app->config.store_timeout_ms;
	sync->store = store_new(sync->loop, app->store_address, &options);
	if (pthread_create(&sync->thread, NULL, run, sync) != 0)
		abort();
	return sync;
}

void sync_stop(struct sync *sync)
{
	if (sync == NULL)
		return;
	atomic_store(&sync->stop, true);
	loop_wake(sync->loop);
	pthread_join(sync->thread, NULL);
	while (sync->all != NULL)
		forget(sync, sync->all);
	store_free(sync->store);
	loop_free(sync->loop);
	free(sync->slot_used);
	free(sync->calls);
	free(sync);
}

uint64_t sync_look(struct sync *sync, const struct queue_name *name)
{
	uint64_t number = looks_ask(&sync->looks, name);
	loop_wake(sync->loop);
	return number;
}

uint64_t sync_looks_done(const struct sync *sync)
{
	return looks_done(&sync->looks);
}

void sync_counts(const struct sync *sync, struct sync_counts *ret_counts)
{
	*ret_counts = (struct sync_counts){.rounds = atomic_load(&sync->rounds),
									   .failures = atomic_load(&sync->failures),
									   .reloads = atomic_load(&sync->reloads),
									   .revivals = atomic_load(&sync->revivals),
									   .clock_offset_ms = atomic_load(&sync->clock_offset_ms)};
}
