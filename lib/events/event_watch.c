/* Event watch: a connection, and a consumer that is pulled; both are made anew together.
 *
 *     connected ─► consumer behind the last event ─► batch pulled ─► event told, its sequence remembered
 *           │ anything is wrong: connection, consumer, a gap
 *           ▼
 *     all given back ─► made anew ─► cannot be: lost, told once, tried again ─► back, told once
 *
 * The consumer lives in the broker's memory, has no acks, and is gone soon after us. What was not
 * told by then is read again from the stream. Why it is pulled, and why nothing is mended while the
 * connection is open: lib/README.md, D96.
 */
#include "waitingroom/event_watch.h"

#include <nats/nats.h>
#include <stdio.h>
#include <stdlib.h>

#include "broker.h"
#include "reason.h"
#include "stream.h"
#include "waitingroom/memory.h"
#include "waitingroom/token.h"

#define CONNECT_MS 3000
#define REQUEST_MS 3000
#define FAREWELL_MS 500
#define PING_MS 2000
#define PINGS_UNANSWERED 2
#define PAUSE_MS 200
#define BATCH 256
#define NS_PER_MS INT64_C(1000000)
#define CONSUMER_IDLE_NS (INT64_C(30) * 1000 * NS_PER_MS)

struct event_watch {
	natsConnection *connection; /* NULL: to be made, and all that hangs on it */
	jsCtx *js;
	natsSubscription *subscription;
	char consumer[POSITION_ID_CHARS + 16];
	natsMsgList batch;
	int told;			/* so many of the batch; the last one is lent to the caller */
	uint64_t delivered; /* sequence of the consumer */
	char *url, *subject;
	int64_t since_ms; /* until the first event; then 0 */
	uint64_t last;	  /* sequence of the last event that was told, or that was there at the start */
	bool lost;
};

/* ---- making ---- */

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
	SET(natsOptions_SetAllowReconnect(options, false));
	SET(natsOptions_SetPingInterval(options, PING_MS));
	SET(natsOptions_SetMaxPingsOut(options, PINGS_UNANSWERED));
	SET(natsOptions_SetErrorHandler(options, on_error, NULL));
#undef SET
	return status;
}

static natsStatus connect_to(struct event_watch *watch)
{
	natsOptions *options = NULL;
	natsStatus status = natsOptions_Create(&options);
	if (status == NATS_OK)
		status = set_options(options, watch->url);
	if (status == NATS_OK)
		status = natsConnection_Connect(&watch->connection, options);
	natsOptions_Destroy(options);
	jsOptions js_options;
	jsOptions_Init(&js_options);
	js_options.Wait = REQUEST_MS;
	if (status == NATS_OK)
		status = natsConnection_JetStream(&watch->js, watch->connection, &js_options);
	return status;
}

/* The last sequence that the stream has given out. */
static natsStatus last_of_stream(struct event_watch *watch, uint64_t *ret_last)
{
	jsStreamInfo *info = NULL;
	natsStatus status = js_GetStreamInfo(&info, watch->js, STREAM_NAME, NULL, NULL);
	if (status == NATS_OK)
		*ret_last = info->State.LastSeq;
	jsStreamInfo_Destroy(info);
	return status;
}

static natsStatus subscribe(struct event_watch *watch)
{
	char id[POSITION_ID_CHARS + 1];
	position_id_random(id);
	snprintf(watch->consumer, sizeof(watch->consumer), "wrwatch-%s", id);
	jsConsumerConfig config;
	jsConsumerConfig_Init(&config);
	config.Durable = watch->consumer;
	config.FilterSubject = watch->subject;
	config.AckPolicy = js_AckNone;
	config.MemoryStorage = true;
	config.InactiveThreshold = CONSUMER_IDLE_NS;
	if (watch->since_ms != 0) {
		config.DeliverPolicy = js_DeliverByStartTime;
		config.OptStartTime = watch->since_ms * NS_PER_MS;
	} else {
		config.DeliverPolicy = js_DeliverByStartSequence;
		config.OptStartSeq = watch->last + 1;
	}
	natsStatus status = js_AddConsumer(NULL, watch->js, STREAM_NAME, &config, NULL, NULL);
	if (status != NATS_OK)
		return status;
	jsSubOptions options;
	jsSubOptions_Init(&options);
	options.Stream = STREAM_NAME;
	options.Consumer = watch->consumer;
	options.Config.MemoryStorage = true; /* compared; the rest is not, where it says nothing */
	watch->delivered = 0;
	return js_PullSubscribe(&watch->subscription, watch->js, "", watch->consumer, NULL, &options,
							NULL);
}

/* In this order: once the connection is closed, nobody reads into the subscription any more. */
static void give_back(struct event_watch *watch)
{
	natsMsgList_Destroy(&watch->batch);
	watch->told = 0;
	natsConnection_Close(watch->connection);
	natsSubscription_Destroy(watch->subscription);
	jsCtx_Destroy(watch->js);
	natsConnection_Destroy(watch->connection);
	watch->subscription = NULL;
	watch->js = NULL;
	watch->connection = NULL;
}

/* Behind the last event; from the start, when the stream has been made anew since.
 * first  what is there already has not been missed */
static natsStatus make(struct event_watch *watch, bool first)
{
	uint64_t last = 0;
	natsStatus status = connect_to(watch);
	if (status == NATS_OK)
		status = last_of_stream(watch, &last);
	if (status != NATS_OK)
		return status;
	if (first)
		watch->last = last;
	else if (last < watch->last)
		watch->last = 0;
	return subscribe(watch);
}

enum wr_err event_watch_open(const struct event_watch_options *options,
							 struct event_watch **ret_watch, struct err_detail *ret_detail)
{
	enum wr_err err = broker_check_url(options->nats_url, ret_detail);
	if (err)
		return err;
	struct event_watch *watch = mem_alloc_zero(1, sizeof(*watch));
	watch->url = mem_copy_string(options->nats_url);
	watch->subject = mem_copy_string(options->subject);
	watch->since_ms = options->since_ms;
	natsStatus status = make(watch, true);
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
	jsOptions options;
	jsOptions_Init(&options);
	options.Wait = FAREWELL_MS;
	if (watch->subscription != NULL) /* or it goes by itself soon */
		js_DeleteConsumer(watch->js, STREAM_NAME, watch->consumer, &options, NULL);
	give_back(watch);
	free(watch->url);
	free(watch->subject);
	free(watch);
}

/* ---- reading ---- */

static enum event_watch_news make_anew(struct event_watch *watch, int64_t max_ms)
{
	give_back(watch);
	if (make(watch, false) == NATS_OK) {
		bool was_lost = watch->lost;
		watch->lost = false;
		return was_lost ? EVENT_WATCH_BACK : EVENT_WATCH_NOTHING;
	}
	give_back(watch);
	if (!watch->lost) {
		watch->lost = true;
		return EVENT_WATCH_LOST;
	}
	nats_Sleep(max_ms < PAUSE_MS ? max_ms : PAUSE_MS);
	return EVENT_WATCH_NOTHING;
}

/* false: it is not the one that should come next */
static bool take(struct event_watch *watch, natsMsg *message, struct watched_event *ret_event)
{
	jsMsgMetaData *about = NULL;
	if (natsMsg_GetMetaData(&about, message) != NATS_OK)
		return false;
	bool in_order = about->Sequence.Consumer == watch->delivered + 1;
	watch->delivered = about->Sequence.Consumer;
	uint64_t sequence = about->Sequence.Stream;
	jsMsgMetaData_Destroy(about);
	if (!in_order)
		return false;
	watch->last = sequence;
	watch->since_ms = 0;
	*ret_event = (struct watched_event){.subject = natsMsg_GetSubject(message),
										.body = natsMsg_GetData(message),
										.len = (size_t)natsMsg_GetDataLength(message)};
	return true;
}

enum event_watch_news event_watch_next(struct event_watch *watch, int64_t max_ms,
									   struct watched_event *ret_event)
{
	if (watch->connection == NULL)
		return make_anew(watch, max_ms);
	if (watch->told == watch->batch.Count) {
		natsMsgList_Destroy(&watch->batch);
		watch->told = 0;
		natsStatus status =
			natsSubscription_Fetch(&watch->batch, watch->subscription, BATCH, max_ms, NULL);
		if (status == NATS_TIMEOUT)
			return EVENT_WATCH_NOTHING;
		if (status != NATS_OK)
			return make_anew(watch, max_ms);
	}
	if (!take(watch, watch->batch.Msgs[watch->told++], ret_event))
		return make_anew(watch, max_ms);
	return EVENT_WATCH_EVENT;
}
