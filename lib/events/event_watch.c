/* Event watch: a connection that mends itself, and a subscription that is made anew at the right place.
 *
 *     connected, subscribed ─► next message ─► sequence remembered ─► told
 *           │ connection gone, or the consumer is (the broker restarted)
 *           ▼
 *     lost, told once ─► connected again ─► subscription from the sequence behind the last ─► back, told once
 *
 * The consumer is the library's ordered one: it lives in the broker's memory, has no acks, and is gone
 * with the connection. What it has not seen by then is read again from the stream.
 */
#include "waitingroom/event_watch.h"

#include <nats/nats.h>
#include <stdlib.h>

#include "broker.h"
#include "reason.h"
#include "stream.h"
#include "waitingroom/memory.h"

#define CONNECT_MS 3000
#define REQUEST_MS 3000
#define RECONNECT_MS 250
#define PING_MS 2000
#define PINGS_UNANSWERED 2
#define PAUSE_MS 200
#define NS_PER_MS INT64_C(1000000)

struct event_watch {
	natsConnection *connection;
	jsCtx *js;
	natsSubscription *subscription; /* NULL: to be made */
	natsMsg *message;				/* lent to the caller */
	char *subject;
	int64_t since_ms; /* until the first event; then 0 */
	uint64_t last;	  /* sequence of the last event that was told, or that was there at the start */
	uint64_t reconnects; /* when the subscription was made */
	bool lost;
};

static void on_error(natsConnection *connection, natsSubscription *subscription, natsStatus err,
					 void *closure)
{
	(void)connection, (void)subscription, (void)err, (void)closure;
	/* Seen by event_watch_next as well; the library's own handler would print it. */
}

static natsStatus set_options(natsOptions *options, const char *url)
{
	natsStatus status = broker_set_servers(options, url);
#define SET(call) status = status == NATS_OK ? (call) : status
	SET(natsOptions_SetName(options, "waitingroom-watch"));
	SET(natsOptions_SetTimeout(options, CONNECT_MS));
	SET(natsOptions_SetMaxReconnect(options, -1));
	SET(natsOptions_SetReconnectWait(options, RECONNECT_MS));
	SET(natsOptions_SetPingInterval(options, PING_MS));
	SET(natsOptions_SetMaxPingsOut(options, PINGS_UNANSWERED));
	SET(natsOptions_SetErrorHandler(options, on_error, NULL));
#undef SET
	return status;
}

static natsStatus connect_to(struct event_watch *watch, const char *url)
{
	natsOptions *options = NULL;
	natsStatus status = natsOptions_Create(&options);
	if (status == NATS_OK)
		status = set_options(options, url);
	if (status == NATS_OK)
		status = natsConnection_Connect(&watch->connection, options);
	natsOptions_Destroy(options);
	if (status == NATS_OK)
		status = natsConnection_JetStream(&watch->js, watch->connection, NULL);
	return status;
}

static uint64_t reconnects_of(const struct event_watch *watch)
{
	natsStatistics *statistics = NULL;
	uint64_t messages_in, bytes_in, messages_out, bytes_out, reconnects = 0;
	if (natsStatistics_Create(&statistics) == NATS_OK &&
		natsConnection_GetStats(watch->connection, statistics) == NATS_OK)
		(void)natsStatistics_GetCounts(statistics, &messages_in, &bytes_in, &messages_out,
									   &bytes_out, &reconnects);
	natsStatistics_Destroy(statistics);
	return reconnects;
}

/* The last sequence that the stream has given out. */
static natsStatus last_of_stream(struct event_watch *watch, uint64_t *ret_last)
{
	jsOptions options;
	jsStreamInfo *info = NULL;
	jsOptions_Init(&options);
	options.Wait = REQUEST_MS;
	natsStatus status = js_GetStreamInfo(&info, watch->js, STREAM_NAME, &options, NULL);
	if (status == NATS_OK)
		*ret_last = info->State.LastSeq;
	jsStreamInfo_Destroy(info);
	return status;
}

static void unsubscribe(struct event_watch *watch)
{
	natsSubscription_Destroy(watch->subscription);
	watch->subscription = NULL;
}

/* Behind the last event; from the start, when the stream has been made anew since. */
static natsStatus subscribe(struct event_watch *watch)
{
	uint64_t last = 0;
	watch->reconnects = reconnects_of(watch);
	natsStatus status = last_of_stream(watch, &last);
	if (status != NATS_OK)
		return status;
	if (last < watch->last)
		watch->last = 0;
	jsOptions request;
	jsSubOptions options;
	jsOptions_Init(&request);
	jsSubOptions_Init(&options);
	request.Wait = REQUEST_MS;
	options.Stream = STREAM_NAME;
	options.Ordered = true;
	if (watch->since_ms != 0) {
		options.Config.DeliverPolicy = js_DeliverByStartTime;
		options.Config.OptStartTime = watch->since_ms * NS_PER_MS;
	} else {
		options.Config.DeliverPolicy = js_DeliverByStartSequence;
		options.Config.OptStartSeq = watch->last + 1;
	}
	return js_SubscribeSync(&watch->subscription, watch->js, watch->subject, &request, &options,
							NULL);
}

enum wr_err event_watch_open(const struct event_watch_options *options,
							 struct event_watch **ret_watch, struct err_detail *ret_detail)
{
	enum wr_err err = broker_check_url(options->nats_url, ret_detail);
	if (err)
		return err;
	struct event_watch *watch = mem_alloc_zero(1, sizeof(*watch));
	watch->subject = mem_copy_string(options->subject);
	watch->since_ms = options->since_ms;
	natsStatus status = connect_to(watch, options->nats_url);
	if (status == NATS_OK)
		status = last_of_stream(watch, &watch->last);
	if (status == NATS_OK)
		status = subscribe(watch);
	if (status != NATS_OK) {
		err = err_say(ret_detail, WR_BROKER_AWAY, "%s%s",
					  watch->js != NULL ? "stream " STREAM_NAME ": " : "", reason_of(status));
		event_watch_close(watch);
		return err;
	}
	*ret_watch = watch;
	return WR_OK;
}

void event_watch_close(struct event_watch *watch)
{
	if (watch == NULL)
		return;
	natsMsg_Destroy(watch->message);
	unsubscribe(watch);
	jsCtx_Destroy(watch->js);
	natsConnection_Destroy(watch->connection);
	free(watch->subject);
	free(watch);
}

/* ---- reading ---- */

/* Told once, then waited out. */
static enum event_watch_news lost(struct event_watch *watch, int64_t max_ms)
{
	if (!watch->lost) {
		watch->lost = true;
		return EVENT_WATCH_LOST;
	}
	nats_Sleep(max_ms < PAUSE_MS ? max_ms : PAUSE_MS);
	return EVENT_WATCH_NOTHING;
}

static bool take_message(struct event_watch *watch, struct watched_event *ret_event)
{
	jsMsgMetaData *about = NULL;
	if (natsMsg_GetMetaData(&about, watch->message) != NATS_OK)
		return false;
	uint64_t sequence = about->Sequence.Stream;
	jsMsgMetaData_Destroy(about);
	bool repeated = watch->since_ms == 0 && sequence <= watch->last;
	if (repeated)
		return false;
	watch->last = sequence;
	watch->since_ms = 0;
	*ret_event = (struct watched_event){.subject = natsMsg_GetSubject(watch->message),
										.body = natsMsg_GetData(watch->message),
										.len = (size_t)natsMsg_GetDataLength(watch->message)};
	return true;
}

enum event_watch_news event_watch_next(struct event_watch *watch, int64_t max_ms,
									   struct watched_event *ret_event)
{
	natsMsg_Destroy(watch->message);
	watch->message = NULL;
	if (natsConnection_Status(watch->connection) != NATS_CONN_STATUS_CONNECTED)
		return lost(watch, max_ms);
	if (watch->subscription == NULL || reconnects_of(watch) != watch->reconnects) {
		unsubscribe(watch);
		if (subscribe(watch) != NATS_OK) {
			unsubscribe(watch);
			return lost(watch, max_ms);
		}
	}
	if (watch->lost) {
		watch->lost = false;
		return EVENT_WATCH_BACK;
	}
	natsStatus status = natsSubscription_NextMsg(&watch->message, watch->subscription, max_ms);
	if (status == NATS_OK)
		return take_message(watch, ret_event) ? EVENT_WATCH_EVENT : EVENT_WATCH_NOTHING;
	if (status != NATS_TIMEOUT)
		unsubscribe(watch); /* the consumer is gone: another one next time */
	return EVENT_WATCH_NOTHING;
}
