/* Relay: one thread that moves the outboxes of all queues to JetStream.
 *
 *               connected            streams are as they should be
 *     AWAY ───────────────► PREPARING ───────────────► FLOWING
 *      ▲ ◄──── lost ────────── │ ▲                        │  an event failed,
 *      │                         │ connected              │  or the connection broke
 *      └──── not connected ── SETTLING ◄──────────────────┘
 *
 * FLOWING is the happy path: the queues take turns in publishing while the window of unanswered
 * events has room, answers are collected, and what is stored is removed from the outbox in batches.
 *
 * Any failure is treated as the broker's, since all events go to one stream. SETTLING waits until
 * every event in flight has its answer or has run out of time; then each queue goes back to what
 * is not known to be stored, the streams are asserted again, and the flow begins anew with a small
 * window until the first answer. The pauses in between grow from 100 ms to 5 s. So a repeat never
 * overtakes what was published before it, and a broker in trouble is not hammered.
 *
 * A relay that cannot publish for GIVE_UP_MS gives its leases up, because another pod's connection
 * may be better, and from then on only looks how old the oldest entries are.
 *
 * Shared with other threads: the meter and the two fields that relay_stop writes, all atomics.
 */
#include "waitingroom/events.h"

#include "broker.h"
#include "feeds.h"
#include "waitingroom/log.h"
#include "waitingroom/memory.h"

#include <assert.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>

#define METER_EVERY_MS 100
#define PROBE_EVENTS 32 /* in flight at most, after a failure and before the next success */
#define GIVE_UP_MS 3000
#define LOOK_EVERY_MS 5000
#define LOOK_WAIT_MS 500
#define STOP_AWAY_MS 500 /* a stop waits so long for a connection that is not there */
#define WAIT_MIN_MS 1
#define WAIT_MAX_MS 100

#define BATCH_ENTRIES 256
#define PENDING_MAX 4096
#define ACK_WAIT_MS 2000
#define MAX_AGE_S (72 * 3600)
#define MAX_BYTES (INT64_C(1) << 30)
#define DUPLICATE_WINDOW_S 600

#define RELAY_STATE_TABLE(X)                                                                       \
	X(RELAY_AWAY, "away")                                                                          \
	X(RELAY_PREPARING, "preparing")                                                                \
	X(RELAY_FLOWING, "flowing")                                                                    \
	X(RELAY_SETTLING, "settling")

#define RELAY_STATE_ENUM(name, word) name,
enum relay_state { RELAY_STATE_TABLE(RELAY_STATE_ENUM) RELAY_STATE_COUNT };
#undef RELAY_STATE_ENUM

struct relay {
	pthread_t thread;
	struct feeds feeds; /* with the source and the meter */
	struct broker *broker;
	struct stream_settings streams;
	uint32_t window;

	enum relay_state state;
	struct mono_time state_at;	/* since when */
	struct mono_time flowed_at; /* last moment of FLOWING */
	uint64_t breaks;			/* of the connection, as last seen */
	struct backoff connecting;	/* attempts in a row */
	struct backoff trouble;		/* refused or lost events and streams */
	struct mono_time meter_at, look_at;

	_Atomic bool stopping;
	_Atomic int64_t stop_deadline_ns;
	struct mono_time stop_seen; /* 0: not stopping */
};

/* ---- the state ---- */

static void move(struct relay *relay, enum relay_state to, struct mono_time now)
{
	static const bool allowed[RELAY_STATE_COUNT][RELAY_STATE_COUNT] = {
		[RELAY_AWAY] = {[RELAY_PREPARING] = true},
		[RELAY_PREPARING] = {[RELAY_AWAY] = true, [RELAY_FLOWING] = true},
		[RELAY_FLOWING] = {[RELAY_SETTLING] = true},
		[RELAY_SETTLING] = {[RELAY_AWAY] = true, [RELAY_PREPARING] = true},
	};
#define RELAY_STATE_WORD(name, word) [name] = word,
	static const char *const words[] = {RELAY_STATE_TABLE(RELAY_STATE_WORD)};
#undef RELAY_STATE_WORD
	assert(allowed[relay->state][to]);
	log_event(LOG_LEVEL_DEBUG, "relay_state", LOG_TEXT("from", words[relay->state]),
			  LOG_TEXT("to", words[to]));
	if (to == RELAY_AWAY)
		log_event(LOG_LEVEL_WARN, "broker_lost");
	if (relay->state == RELAY_AWAY)
		log_event(LOG_LEVEL_INFO, "broker_connected");
	relay->state = to;
	relay->state_at = now;
}

/* The broker is of no use for now. Said once until events flow again. */
static void broker_failed(struct relay *relay, const char *reason, struct mono_time now)
{
	if (!relay->trouble.failures)
		log_event(LOG_LEVEL_WARN, "events_held", LOG_TEXT("reason", reason));
	backoff_failed(&relay->trouble, now);
}

static void settle(struct relay *relay, struct mono_time now)
{
	struct err_detail reason;
	broker_last_failure(relay->broker, &reason);
	broker_failed(relay, reason.text, now);
	feeds_drop(&relay->feeds);
	move(relay, RELAY_SETTLING, now);
}

static void connect_when_due(struct relay *relay, struct mono_time now)
{
	struct backoff *connecting = &relay->connecting;
	if (backoff_pauses(connecting, now) || backoff_pauses(&relay->trouble, now))
		return;
	struct err_detail reason = {""};
	enum wr_err err = broker_connect(relay->broker, &reason);
	if (!err)
		broker_last_failure(relay->broker, &reason);
	if (!connecting->failures)
		log_event(LOG_LEVEL_INFO, "broker_connecting");
	else if (connecting->failures == 1)
		log_event(LOG_LEVEL_WARN, "broker_refuses", LOG_TEXT("reason", reason.text));
	backoff_failed(connecting, now); /* so far; a connection that stands takes it back */
}

static void prepare_when_due(struct relay *relay, struct mono_time now)
{
	if (backoff_pauses(&relay->trouble, now))
		return;
	struct err_detail detail;
	if (broker_assert_streams(relay->broker, &relay->streams, &detail)) {
		broker_failed(relay, detail.text, now);
		return;
	}
	relay->feeds.shared.answered = relay->feeds.shared.refused = false;
	move(relay, RELAY_FLOWING, now);
}

static void note_answers(struct relay *relay)
{
	if (relay->feeds.shared.answered && relay->trouble.failures) {
		log_event(LOG_LEVEL_INFO, "events_flow", LOG_NUMBER("tries", relay->trouble.failures));
		relay->trouble.failures = 0;
	}
	relay->feeds.shared.answered = false;
}

/* For those who ask how the broker is (relay_counts). A server that hangs costs LOOK_WAIT_MS, at a
 * time when nothing could be published anyway. */
static void look_when_due(struct relay *relay, bool connected, struct mono_time now)
{
	struct stream_seen *seen = &relay->feeds.shared.meter.stream;
	struct stream_look look;
	if (!connected || now.ns < relay->look_at.ns)
		return;
	relay->look_at = mono_add_ms(now, LOOK_EVERY_MS);
	broker_look(relay->broker, LOOK_WAIT_MS, &look);
	if (!look.answered)
		return;
	atomic_store(&seen->there, look.there);
	atomic_store(&seen->replicas, look.replicas);
	atomic_store(&seen->replicas_current, look.replicas_current);
	atomic_store(&seen->looked, true);
}

static void step(struct relay *relay, struct mono_time now)
{
	uint64_t breaks;
	enum broker_link link = broker_link(relay->broker, &breaks);
	bool connected = link == BROKER_CONNECTED;
	bool broken = !connected || breaks != relay->breaks;
	relay->breaks = breaks;
	atomic_store_explicit(&relay->feeds.shared.meter.connected, connected, memory_order_relaxed);
	if (broken)
		broker_recall(relay->broker);
	else if (relay->state != RELAY_PREPARING)
		look_when_due(relay, connected, now);
	broker_land(relay->broker, feed_landed, &relay->feeds.shared);
	switch (relay->state) {
	case RELAY_AWAY:
		if (connected) {
			relay->connecting.failures = 0;
			move(relay, RELAY_PREPARING, now);
		} else if (link == BROKER_NONE)
			connect_when_due(relay, now);
		break;
	case RELAY_PREPARING:
		if (connected)
			prepare_when_due(relay, now);
		else
			move(relay, RELAY_AWAY, now);
		break;
	case RELAY_FLOWING:
		relay->flowed_at = now;
		if (broken || relay->feeds.shared.refused)
			settle(relay, now);
		else
			note_answers(relay);
		break;
	default: /* RELAY_SETTLING */
		if (!broker_in_flight(relay->broker))
			move(relay, connected ? RELAY_PREPARING : RELAY_AWAY, now);
	}
}

/* ---- the loop ---- */

static enum feeds_mode mode_of(const struct relay *relay, struct mono_time now)
{
	if (relay->state == RELAY_FLOWING)
		return FEEDS_READ;
	return mono_diff_ms(relay->flowed_at, now) < GIVE_UP_MS ? FEEDS_HOLD : FEEDS_GIVE_UP;
}

static bool publish(struct relay *relay)
{
	if (relay->state != RELAY_FLOWING)
		return false;
	bool probing = relay->trouble.failures && relay->window > PROBE_EVENTS;
	return feeds_publish(&relay->feeds, probing ? PROBE_EVENTS : relay->window);
}

/* Until an answer can be used, the connection changes, or something falls due. */
static void wait_for_news(struct relay *relay, struct mono_time now)
{
	struct mono_time until = mono_add_ms(now, WAIT_MAX_MS);
	const struct backoff *pause = relay->state == RELAY_AWAY ? &relay->connecting : &relay->trouble;
	if (backoff_pauses(pause, now) && pause->retry_at.ns < until.ns)
		until = pause->retry_at;
	if (relay->state == RELAY_FLOWING)
		until = feeds_next_at(&relay->feeds, now, until);
	struct mono_time soonest = mono_add_ms(now, WAIT_MIN_MS);
	/* Waking for each ack would cost more than it gives: a quarter of the window, or all. */
	size_t in_flight = broker_in_flight(relay->broker), quarter = relay->window / 4 + 1;
	broker_wait(relay->broker, in_flight < quarter ? in_flight : quarter,
				until.ns < soonest.ns ? soonest : until);
}

static void update_meter(struct relay *relay, struct mono_time now)
{
	if (now.ns < relay->meter_at.ns)
		return;
	relay->meter_at = mono_add_ms(now, METER_EVERY_MS);
	feeds_update_meter(&relay->feeds);
}

static bool is_over(struct relay *relay, struct mono_time now)
{
	if (!atomic_load(&relay->stopping))
		return false;
	if (!relay->stop_seen.ns) {
		relay->stop_seen = now;
		feeds_hurry(&relay->feeds, now);
	}
	if (now.ns >= atomic_load(&relay->stop_deadline_ns))
		return true;
	if (relay->state == RELAY_AWAY)
		return mono_diff_ms(relay->state_at, now) >= STOP_AWAY_MS;
	return feeds_are_drained(&relay->feeds, relay->stop_seen);
}

static void *relay_main(void *arg)
{
	struct relay *relay = arg;
	struct mono_time now = clock_mono();
	relay->state_at = relay->flowed_at = now;
	while (!is_over(relay, now)) {
		enum relay_state before = relay->state;
		step(relay, now);
		feeds_tend(&relay->feeds, mode_of(relay, now), now);
		bool published = publish(relay);
		update_meter(relay, now);
		if (!published && relay->state == before)
			wait_for_news(relay, now);
		now = clock_mono();
	}
	feeds_finish(&relay->feeds, now);
	return NULL;
}

/* ---- life ---- */

static void relay_free(struct relay *relay)
{
	broker_free(relay->broker);
	feeds_fini(&relay->feeds);
	free(relay);
}

/* Signals are for the main thread: this one and those that the library makes from it take none. */
static int start_thread(struct relay *relay)
{
	sigset_t all, before;
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	int failed = pthread_create(&relay->thread, NULL, relay_main, relay);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return failed;
}

static int64_t or_default(int64_t value, int64_t default_value)
{
	return value ? value : default_value;
}

static struct relay *relay_new(const struct relay_options *options)
{
	struct relay *relay = mem_alloc_zero(1, sizeof(*relay));
	relay->window = (uint32_t)or_default(options->pending_max, PENDING_MAX);
	relay->broker = broker_new(options->nats_url, relay->window,
							   (uint32_t)or_default(options->ack_wait_ms, ACK_WAIT_MS));
	relay->trouble.random = relay->connecting.random = (uint64_t)clock_mono().ns | 1;
	relay->streams = (struct stream_settings){
		.replicas = (uint32_t)or_default(options->replicas, 1),
		.max_age_s = or_default(options->max_age_s, MAX_AGE_S),
		.max_bytes = or_default(options->max_bytes, MAX_BYTES),
		.duplicate_window_s = or_default(options->duplicate_window_s, DUPLICATE_WINDOW_S),
	};
	const struct feeds_shared shared = {
		.source = options->source,
		.broker = relay->broker,
		.batch_entries = (uint32_t)or_default(options->batch_entries, BATCH_ENTRIES),
		.on_wait = options->on_wait,
		.ctx = options->ctx,
	};
	feeds_init(&relay->feeds, &shared);
	return relay;
}

enum wr_err relay_start(const struct relay_options *options, struct relay **ret_relay,
						struct err_detail *ret_detail)
{
	enum wr_err err = broker_check_url(options->nats_url, ret_detail);
	if (err)
		return err;
	struct relay *relay = relay_new(options);
	if (start_thread(relay)) {
		relay_free(relay);
		return err_say(ret_detail, WR_LIMIT, "no more threads");
	}
	*ret_relay = relay;
	return WR_OK;
}

void relay_counts(const struct relay *relay, struct relay_counts *ret_counts)
{
	const struct relay_meter *meter = &relay->feeds.shared.meter;
#define READ(field) ret_counts->field = atomic_load_explicit(&meter->field, memory_order_relaxed)
	READ(published);
	READ(acked);
	READ(failed);
	READ(republished);
	READ(malformed);
	READ(entries_removed);
	READ(backlog);
	READ(oldest_ms);
	READ(connected);
#undef READ
	ret_counts->stream_looked = atomic_load(&meter->stream.looked);
	ret_counts->stream_there = atomic_load(&meter->stream.there);
	ret_counts->stream_replicas = atomic_load(&meter->stream.replicas);
	ret_counts->stream_replicas_current = atomic_load(&meter->stream.replicas_current);
	ret_counts->lag = (struct timings_sum){.sum_us = 0};
	timings_add_to(&meter->lag, &ret_counts->lag);
}

void relay_stop(struct relay *relay, int64_t deadline_ms)
{
	if (!relay)
		return;
	atomic_store(&relay->stop_deadline_ns, mono_add_ms(clock_mono(), deadline_ms).ns);
	atomic_store(&relay->stopping, true);
	broker_wake(relay->broker);
	pthread_join(relay->thread, NULL);
	relay_free(relay);
}
