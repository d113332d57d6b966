/* Broker: one NATS connection, the window of messages in flight, and news of both.
 *
 *     relay thread                       library's threads
 *     broker_publish ── flight SENT ──►  on_ack: STORED or FAILED, message destroyed
 *     broker_land   ◄── settled ones ──  on_connected, on_lost, on_closed
 *
 * The ring holds a flight from publish to landing, so its size is the window: js_PublishMsgAsync is
 * never called past it and the library's own limit, which stalls its caller, is not used. Every
 * message has a time limit of its own; without one a lost ack would never be reported.
 *
 * When the connection breaks, the acks of everything in flight may be lost. broker_recall takes the
 * messages back from the library at once instead of letting their time run out. An ack that is
 * being delivered at that moment settles its flight first; both ways it is settled once.
 *
 * A connection lives until it breaks; on_closed then says so, and the relay begins a new one.
 *
 * One mutex guards the ring and the link's state. It is held for some assignments, never during a
 * call into the library.
 */
#include "broker.h"

#include "reason.h"
#include "waitingroom/log.h"
#include "waitingroom/memory.h"

#include <assert.h>
#include <pthread.h>
#include <stdlib.h>
#include <time.h>

#define RECONNECT_MS 500
#define RECONNECT_JITTER_MS 250
#define PING_MS 5000
#define PINGS_UNANSWERED 2
#define WRITE_DEADLINE_MS 3000
#define CONNECT_TIMEOUT_MS 2000
#define CLOSE_WAIT_MS 5000

enum flight_state { FLIGHT_SENT, FLIGHT_STORED, FLIGHT_FAILED };

struct flight {
	natsMsg *message; /* the library's until it is settled; only compared */
	void *tag;
	enum flight_state state;
};

struct broker {
	char *url;
	int64_t ack_wait_ms;
	natsConnection *connection; /* relay's thread only, like js */
	jsCtx *js;

	pthread_mutex_t mutex; /* guards what follows */
	pthread_cond_t news;
	uint64_t breaks;
	bool link_changed, woken;
	int open;				  /* connections whose closed callback has not run */
	struct flight *flights;	  /* ring; [first, last) are in use */
	uint32_t room;			  /* a power of two, at least 'window' */
	uint32_t window;		  /* most in flight */
	uint32_t first, last;	  /* count on and wrap */
	uint32_t next_answer;	  /* where the next ack probably belongs: they come in order */
	uint32_t settled, enough; /* enough: 0 when nobody waits for flights */
	struct err_detail last_failure;
};

/* ---- the ring; callers hold the mutex ---- */

static struct flight *flight_at(struct broker *broker, uint32_t number)
{
	return &broker->flights[number & (broker->room - 1)];
}

static void settle(struct broker *broker, struct flight *flight, bool stored)
{
	flight->state = stored ? FLIGHT_STORED : FLIGHT_FAILED;
	broker->settled++;
	if (broker->enough && broker->settled >= broker->enough)
		pthread_cond_signal(&broker->news);
}

/* Acks come in the order of publishing, except around lost ones: so the search nearly always ends
 * where it begins. */
static struct flight *find_sent(struct broker *broker, const natsMsg *message)
{
	uint32_t count = broker->last - broker->first;
	if (broker->next_answer - broker->first >= count)
		broker->next_answer = broker->first;
	uint32_t start = broker->next_answer - broker->first;
	for (uint32_t i = 0; i < count; i++) {
		uint32_t number = broker->first + (start + i) % count;
		struct flight *flight = flight_at(broker, number);
		if (flight->message == message && flight->state == FLIGHT_SENT) {
			broker->next_answer = number + 1;
			return flight;
		}
	}
	return NULL;
}

/* ---- called by the library ---- */

static void on_ack(jsCtx *js, natsMsg *message, jsPubAck *ack, jsPubAckErr *failure, void *closure)
{
	(void)js;
	struct broker *broker = closure;
	pthread_mutex_lock(&broker->mutex);
	struct flight *flight = find_sent(broker, message);
	assert(flight); /* the library answers each message once */
	if (!ack)
		err_say(&broker->last_failure, WR_OK, "%s", failure->ErrText ? failure->ErrText : "");
	settle(broker, flight, ack != NULL);
	pthread_mutex_unlock(&broker->mutex);
	natsMsg_Destroy(message);
}

static void report(struct broker *broker, int breaks, int closed)
{
	pthread_mutex_lock(&broker->mutex);
	broker->breaks += (uint64_t)breaks;
	broker->open -= closed;
	broker->link_changed = true;
	pthread_cond_signal(&broker->news);
	pthread_mutex_unlock(&broker->mutex);
}

static void on_connected(natsConnection *connection, void *closure)
{
	(void)connection;
	report(closure, 0, 0);
}

static void on_lost(natsConnection *connection, void *closure)
{
	(void)connection;
	report(closure, 1, 0);
}

static void on_closed(natsConnection *connection, void *closure)
{
	(void)connection;
	report(closure, 1, 1);
}

/* Without a handler the library prints to standard error. Slow consumers and the like cannot
 * happen to somebody who only publishes; what matters is told by the other callbacks. */
static void on_error(natsConnection *connection, natsSubscription *subscription, natsStatus status,
					 void *closure)
{
	(void)connection;
	(void)subscription;
	(void)status;
	(void)closure;
}

/* ---- connecting ---- */

/* Left alone, the library would give up after two minutes, notice a silent peer after four, and
 * block on a full socket without end. Its own reconnecting is off, because it keeps what is
 * published meanwhile and sends that first, ahead of what was lost with the old connection; the
 * retries of a first connect, which use the same settings, are on. */
static natsStatus set_options(natsOptions *options, struct broker *broker)
{
	natsStatus status = broker_set_servers(options, broker->url);
#define SET(call) status = status == NATS_OK ? (call) : status
	SET(natsOptions_SetName(options, "waitingroom-relay"));
	SET(natsOptions_SetTimeout(options, CONNECT_TIMEOUT_MS));
	SET(natsOptions_SetAllowReconnect(options, false));
	SET(natsOptions_SetMaxReconnect(options, -1));
	SET(natsOptions_SetReconnectWait(options, RECONNECT_MS));
	SET(natsOptions_SetReconnectJitter(options, RECONNECT_JITTER_MS, RECONNECT_JITTER_MS));
	SET(natsOptions_SetPingInterval(options, PING_MS));
	SET(natsOptions_SetMaxPingsOut(options, PINGS_UNANSWERED));
	SET(natsOptions_SetWriteDeadline(options, WRITE_DEADLINE_MS));
	SET(natsOptions_SetRetryOnFailedConnect(options, true, on_connected, broker));
	SET(natsOptions_SetDisconnectedCB(options, on_lost, broker));
	SET(natsOptions_SetClosedCB(options, on_closed, broker));
	SET(natsOptions_SetErrorHandler(options, on_error, NULL));
#undef SET
	return status;
}

static natsStatus make_context(struct broker *broker)
{
	jsOptions options;
	jsOptions_Init(&options);
	options.PublishAsync.AckHandler = on_ack;
	options.PublishAsync.AckHandlerClosure = broker;
	return natsConnection_JetStream(&broker->js, broker->connection, &options);
}

static enum wr_err say_status(struct err_detail *ret_detail, natsStatus status)
{
	return err_say(ret_detail, WR_BROKER_AWAY, "%s", reason_of(status));
}

/* Why the connection ended, when the server said so ("authorization violation"). */
static void keep_last_error(struct broker *broker)
{
	const char *reason = NULL;
	natsConnection_GetLastError(broker->connection, &reason);
	if (!reason || !reason[0])
		return;
	pthread_mutex_lock(&broker->mutex);
	err_say(&broker->last_failure, WR_OK, "%s", reason);
	pthread_mutex_unlock(&broker->mutex);
}

/* The one callback that always comes last for a connection is on_closed, from a thread of the
 * library; broker_free waits for it. */
static void discard_connection(struct broker *broker)
{
	broker_recall(broker);
	if (broker->connection) {
		keep_last_error(broker);
		natsConnection_Close(broker->connection);
	}
	jsCtx_Destroy(broker->js);
	natsConnection_Destroy(broker->connection);
	broker->js = NULL;
	broker->connection = NULL;
}

static void count_open(struct broker *broker, int change)
{
	pthread_mutex_lock(&broker->mutex);
	broker->open += change;
	pthread_mutex_unlock(&broker->mutex);
}

enum wr_err broker_connect(struct broker *broker, struct err_detail *ret_detail)
{
	uint64_t breaks;
	if (broker_link(broker, &breaks) != BROKER_NONE)
		return WR_OK;
	discard_connection(broker);
	natsOptions *options = NULL;
	natsStatus status = natsOptions_Create(&options);
	if (status == NATS_OK)
		status = set_options(options, broker);
	count_open(broker, 1); /* before a callback can say closed */
	if (status == NATS_OK)
		status = natsConnection_Connect(&broker->connection, options);
	natsOptions_Destroy(options);
	if (!broker->connection)
		count_open(broker, -1);
	else
		status = make_context(broker);
	broker_wake(broker); /* a connection that is there at once is not reported */
	return status == NATS_OK ? WR_OK : say_status(ret_detail, status);
}

enum broker_link broker_link(struct broker *broker, uint64_t *ret_breaks)
{
	pthread_mutex_lock(&broker->mutex);
	*ret_breaks = broker->breaks;
	broker->link_changed = false;
	pthread_mutex_unlock(&broker->mutex);
	if (!broker->js)
		return BROKER_NONE;
	switch (natsConnection_Status(broker->connection)) {
	case NATS_CONN_STATUS_CONNECTED:
		return BROKER_CONNECTED;
	case NATS_CONN_STATUS_CLOSED:
		return BROKER_NONE;
	default:
		return BROKER_TRYING;
	}
}

enum wr_err broker_assert_streams(struct broker *broker, const struct stream_settings *settings,
								  struct err_detail *ret_detail)
{
	return streams_assert(broker->js, settings, ret_detail);
}

void broker_look(struct broker *broker, int64_t wait_ms, struct stream_look *ret_look)
{
	*ret_look = (struct stream_look){.answered = false};
	if (broker->js)
		stream_look(broker->js, wait_ms, ret_look);
}

/* ---- flights ---- */

static natsStatus make_message(natsMsg **ret_message, const struct broker_message *from)
{
	natsStatus status =
		natsMsg_Create(ret_message, from->subject, NULL, from->body, (int)from->body_len);
	if (status == NATS_OK)
		status = natsMsgHeader_Set(*ret_message, "Content-Type", "application/cloudevents+json");
	if (status == NATS_OK && from->traceparent[0] != '\0')
		status = natsMsgHeader_Set(*ret_message, "traceparent", from->traceparent);
	return status;
}

static void take_off(struct broker *broker, natsMsg *message, void *tag)
{
	pthread_mutex_lock(&broker->mutex);
	*flight_at(broker, broker->last++) = (struct flight){message, tag, FLIGHT_SENT};
	pthread_mutex_unlock(&broker->mutex);
}

/* The newest flight did not happen. Nobody else adds flights, so it still is the newest. */
static void take_back(struct broker *broker, natsStatus status)
{
	pthread_mutex_lock(&broker->mutex);
	broker->last--;
	say_status(&broker->last_failure, status);
	pthread_mutex_unlock(&broker->mutex);
}

enum wr_err broker_publish(struct broker *broker, const struct broker_message *from, void *tag)
{
	if (broker_in_flight(broker) >= broker->window)
		return WR_LIMIT;
	natsMsg *message = NULL;
	natsStatus status = make_message(&message, from);
	if (status == NATS_OK) {
		take_off(broker, message, tag); /* before the call: the ack may come before it returns */
		jsPubOptions options = {.MaxWait = broker->ack_wait_ms, .MsgId = from->id};
		status = js_PublishMsgAsync(broker->js, &message, &options);
		if (status != NATS_OK)
			take_back(broker, status);
	}
	natsMsg_Destroy(message); /* NULL when the library has taken it */
	return status == NATS_OK ? WR_OK : WR_BROKER_AWAY;
}

#define LAND_AT_ONCE 64

size_t broker_land(struct broker *broker, broker_landed_fn fn, void *ctx)
{
	struct flight landed[LAND_AT_ONCE];
	size_t total = 0, count;
	do {
		pthread_mutex_lock(&broker->mutex);
		for (count = 0; count < LAND_AT_ONCE && broker->first != broker->last; count++) {
			struct flight *flight = flight_at(broker, broker->first);
			if (flight->state == FLIGHT_SENT)
				break;
			landed[count] = *flight;
			broker->first++;
			broker->settled--;
		}
		pthread_mutex_unlock(&broker->mutex);
		for (size_t i = 0; i < count; i++)
			fn(ctx, landed[i].tag, landed[i].state == FLIGHT_STORED);
		total += count;
	} while (count == LAND_AT_ONCE);
	return total;
}

void broker_recall(struct broker *broker)
{
	if (!broker->js || !broker_in_flight(broker))
		return;
	natsMsgList list = {0};
	if (js_PublishAsyncGetPendingList(&list, broker->js) != NATS_OK)
		return;
	pthread_mutex_lock(&broker->mutex);
	err_say(&broker->last_failure, WR_OK, "connection lost");
	for (int i = 0; i < list.Count; i++) {
		struct flight *flight = find_sent(broker, list.Msgs[i]);
		assert(flight);
		settle(broker, flight, false);
	}
	pthread_mutex_unlock(&broker->mutex);
	natsMsgList_Destroy(&list);
}

/* Only the relay's thread moves the ends of the ring. */
size_t broker_in_flight(const struct broker *broker)
{
	return broker->last - broker->first;
}

void broker_last_failure(struct broker *broker, struct err_detail *ret_detail)
{
	pthread_mutex_lock(&broker->mutex);
	*ret_detail = broker->last_failure;
	pthread_mutex_unlock(&broker->mutex);
}

/* ---- waiting ---- */

static struct timespec timespec_of(struct mono_time at)
{
	return (struct timespec){.tv_sec = at.ns / 1000000000, .tv_nsec = at.ns % 1000000000};
}

/* The oldest flight decides: while it is open, nothing behind it can land. */
static bool can_land(struct broker *broker)
{
	return broker->enough && broker->settled >= broker->enough &&
		   flight_at(broker, broker->first)->state != FLIGHT_SENT;
}

void broker_wait(struct broker *broker, size_t enough, struct mono_time until)
{
	struct timespec deadline = timespec_of(until);
	pthread_mutex_lock(&broker->mutex);
	broker->enough = (uint32_t)enough;
	int timed_out = 0;
	while (!timed_out && !broker->woken && !broker->link_changed && !can_land(broker))
		timed_out = pthread_cond_timedwait(&broker->news, &broker->mutex, &deadline);
	broker->enough = 0;
	broker->woken = false;
	pthread_mutex_unlock(&broker->mutex);
}

void broker_wake(struct broker *broker)
{
	pthread_mutex_lock(&broker->mutex);
	broker->woken = true;
	pthread_cond_signal(&broker->news);
	pthread_mutex_unlock(&broker->mutex);
}

/* ---- life ---- */

struct broker *broker_new(const char *url, uint32_t flights, uint32_t ack_wait_ms)
{
	struct broker *broker = mem_alloc_zero(1, sizeof(*broker));
	broker->url = mem_copy_string(url);
	broker->ack_wait_ms = ack_wait_ms;
	broker->window = flights;
	broker->room = 1;
	while (broker->room < flights)
		broker->room *= 2;
	broker->flights = mem_alloc_zero(broker->room, sizeof(*broker->flights));
	pthread_mutex_init(&broker->mutex, NULL);
	pthread_condattr_t attributes;
	pthread_condattr_init(&attributes);
	pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
	pthread_cond_init(&broker->news, &attributes);
	pthread_condattr_destroy(&attributes);
	return broker;
}

/* Until the library's threads are done with us: every flight settled, every connection closed. */
static bool await_callbacks(struct broker *broker)
{
	struct timespec deadline = timespec_of(mono_add_ms(clock_mono(), CLOSE_WAIT_MS));
	int timed_out = 0;
	pthread_mutex_lock(&broker->mutex);
	broker->enough = 1;
	while (!timed_out && (broker->open || broker->settled != broker->last - broker->first))
		timed_out = pthread_cond_timedwait(&broker->news, &broker->mutex, &deadline);
	pthread_mutex_unlock(&broker->mutex);
	return !timed_out;
}

void broker_free(struct broker *broker)
{
	if (!broker)
		return;
	discard_connection(broker);
	if (!await_callbacks(broker)) {
		log_event(LOG_LEVEL_ERROR, "broker_not_closed"); /* and not freed: it may still be used */
		return;
	}
	pthread_cond_destroy(&broker->news);
	pthread_mutex_destroy(&broker->mutex);
	free(broker->flights);
	free(broker->url);
	free(broker);
}
