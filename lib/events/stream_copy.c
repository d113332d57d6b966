/* Stream copy: reading by a pull consumer of our own, writing by publishing in a window.
 *
 * Reading makes a consumer that nobody acknowledges and that the server drops by itself when we are
 * gone. It is pulled in batches, so that a large stream never waits in memory, and the sequence of
 * deliveries must have no gap: a gap would be a message that the copy lacks.
 *
 * Writing publishes with a window of unconfirmed messages. One that the server refuses stops the
 * writing; those behind it in the window may be stored already, and are recognised by their ids
 * when the copy is tried again.
 */
#include "waitingroom/stream_copy.h"

#include "broker.h"
#include "reason.h"
#include "waitingroom/memory.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define CONNECT_MS 3000
#define REQUEST_MS 5000
#define BATCH 500
#define WINDOW 1024
#define FLUSH_MS 60000
#define CONSUMER_IDLE_NS (INT64_C(60) * 1000000000)

const char *const stream_copy_names[STREAM_COPY_COUNT] = {STREAM_NAME, STREAM_DLQ_NAME};

struct stream_copy {
	natsConnection *connection;
	jsCtx *js;
	struct stream_header *headers; /* room for those of one message */
	size_t header_room;

	pthread_mutex_t mutex; /* the library's thread reports */
	bool has_failed;
	struct err_detail failure;
};

static enum wr_err away(struct err_detail *ret_detail, const char *what, natsStatus status)
{
	return err_say(ret_detail, WR_BROKER_AWAY, "the broker: %s: %s", what, reason_of(status));
}

/* ---- the connection ---- */

static void on_refused(jsCtx *js, jsPubAckErr *refused, void *closure)
{
	(void)js;
	struct stream_copy *copy = closure;
	pthread_mutex_lock(&copy->mutex);
	if (!copy->has_failed)
		err_say(&copy->failure, WR_BROKER_AWAY, "the broker did not store a message: %s",
				refused->ErrText && refused->ErrText[0] ? refused->ErrText
														: natsStatus_GetText(refused->Err));
	copy->has_failed = true;
	pthread_mutex_unlock(&copy->mutex);
}

static natsStatus connect_to(struct stream_copy *copy, const char *url)
{
	natsOptions *options = NULL;
	natsStatus status = natsOptions_Create(&options);
	if (status == NATS_OK)
		status = broker_set_servers(options, url);
	if (status == NATS_OK)
		status = natsOptions_SetName(options, "waitingroom-backup");
	if (status == NATS_OK)
		status = natsOptions_SetTimeout(options, CONNECT_MS);
	if (status == NATS_OK)
		status = natsOptions_SetAllowReconnect(options, false);
	if (status == NATS_OK)
		status = natsConnection_Connect(&copy->connection, options);
	natsOptions_Destroy(options);
	jsOptions js_options;
	jsOptions_Init(&js_options);
	js_options.Wait = REQUEST_MS;
	js_options.PublishAsync.MaxPending = WINDOW;
	js_options.PublishAsync.ErrHandler = on_refused;
	js_options.PublishAsync.ErrHandlerClosure = copy;
	if (status == NATS_OK)
		status = natsConnection_JetStream(&copy->js, copy->connection, &js_options);
	return status;
}

enum wr_err stream_copy_open(const char *url, struct stream_copy **ret_copy,
							 struct err_detail *ret_detail)
{
	enum wr_err err = broker_check_url(url, ret_detail);
	if (err)
		return err;
	struct stream_copy *copy = mem_alloc_zero(1, sizeof(*copy));
	pthread_mutex_init(&copy->mutex, NULL);
	natsStatus status = connect_to(copy, url);
	if (status != NATS_OK) {
		stream_copy_close(copy);
		return away(ret_detail, "cannot be reached", status);
	}
	*ret_copy = copy;
	return WR_OK;
}

void stream_copy_close(struct stream_copy *copy)
{
	if (!copy)
		return;
	natsConnection_Close(copy->connection); /* nobody reads any more: D96 */
	jsCtx_Destroy(copy->js);
	natsConnection_Destroy(copy->connection);
	pthread_mutex_destroy(&copy->mutex);
	free(copy->headers);
	free(copy);
}

/* ---- reading ---- */

enum wr_err stream_copy_extent(struct stream_copy *copy, const char *stream,
							   struct stream_extent *ret_extent, struct err_detail *ret_detail)
{
	jsStreamInfo *info = NULL;
	natsStatus status = js_GetStreamInfo(&info, copy->js, stream, NULL, NULL);
	if (status == NATS_NOT_FOUND)
		return err_say(ret_detail, WR_NOT_FOUND, "there is no stream %s", stream);
	if (status != NATS_OK)
		return away(ret_detail, stream, status);
	*ret_extent = (struct stream_extent){info->State.Msgs, info->State.LastSeq};
	jsStreamInfo_Destroy(info);
	return WR_OK;
}

static natsStatus make_consumer(struct stream_copy *copy, const char *stream, const char *name,
								natsSubscription **ret_subscription)
{
	jsConsumerConfig config;
	jsConsumerConfig_Init(&config);
	config.Durable = name;
	config.AckPolicy = js_AckNone;
	config.DeliverPolicy = js_DeliverAll;
	config.InactiveThreshold = CONSUMER_IDLE_NS;
	natsStatus status = js_AddConsumer(NULL, copy->js, stream, &config, NULL, NULL);
	if (status != NATS_OK)
		return status;
	jsSubOptions options;
	jsSubOptions_Init(&options);
	options.Stream = stream;
	options.Consumer = name;
	return js_PullSubscribe(ret_subscription, copy->js, "", name, NULL, &options, NULL);
}

static void headers_room(struct stream_copy *copy, size_t count)
{
	if (count <= copy->header_room)
		return;
	copy->header_room = 2 * count;
	copy->headers = mem_grow(copy->headers, copy->header_room, sizeof(*copy->headers));
}

/* Fills copy->headers; gives how many. Their texts are the message's. */
static size_t read_headers(struct stream_copy *copy, natsMsg *message)
{
	const char **names = NULL;
	int name_count = 0;
	size_t count = 0;
	if (natsMsgHeader_Keys(message, &names, &name_count) != NATS_OK)
		return 0;
	for (int i = 0; i < name_count; i++) {
		const char **values = NULL;
		int value_count = 0;
		if (natsMsgHeader_Values(message, names[i], &values, &value_count) != NATS_OK)
			continue;
		headers_room(copy, count + (size_t)value_count);
		for (int k = 0; k < value_count; k++)
			copy->headers[count++] = (struct stream_header){names[i], values[k]};
		free(values);
	}
	free(names);
	return count;
}

/* When it was first stored: a message that was restored once says so itself. */
static int64_t first_time(const struct stream_header *headers, size_t count, int64_t time_ns)
{
	for (size_t i = 0; i < count; i++)
		if (strcmp(headers[i].name, STREAM_TIME_HEADER) == 0)
			return strtoll(headers[i].value, NULL, 10);
	return time_ns;
}

struct reading {
	struct stream_copy *copy;
	stream_message_fn fn;
	void *ctx;
	uint64_t delivered, last; /* sequences: of the consumer; of the stream, seen last */
	struct err_detail *detail;
};

static enum wr_err read_one(struct reading *reading, natsMsg *message)
{
	jsMsgMetaData *meta = NULL;
	natsStatus status = natsMsg_GetMetaData(&meta, message);
	if (status != NATS_OK)
		return away(reading->detail, "a message without a sequence", status);
	bool in_order = meta->Sequence.Consumer == reading->delivered + 1;
	reading->delivered = meta->Sequence.Consumer;
	reading->last = meta->Sequence.Stream;
	int64_t time_ns = meta->Timestamp;
	jsMsgMetaData_Destroy(meta);
	if (!in_order)
		return err_say(reading->detail, WR_BROKER_AWAY, "the broker left out a message");
	size_t count = read_headers(reading->copy, message);
	const struct stream_header *headers = reading->copy->headers;
	return reading->fn(reading->ctx,
					   &(struct stream_message){.sequence = reading->last,
												.time_ns = first_time(headers, count, time_ns),
												.subject = natsMsg_GetSubject(message),
												.body = natsMsg_GetData(message),
												.body_len = (size_t)natsMsg_GetDataLength(message),
												.header_count = count,
												.headers = headers});
}

static enum wr_err read_batch(struct reading *reading, natsSubscription *subscription, uint64_t end)
{
	natsMsgList list = {0};
	natsStatus status = natsSubscription_Fetch(&list, subscription, BATCH, REQUEST_MS, NULL);
	if (status != NATS_OK && status != NATS_TIMEOUT)
		return away(reading->detail, "cannot be read", status);
	if (list.Count == 0)
		return err_say(reading->detail, WR_BROKER_AWAY, "the broker gave no message for %d s",
					   REQUEST_MS / 1000);
	enum wr_err err = WR_OK;
	for (int i = 0; i < list.Count && !err && reading->last < end; i++)
		err = read_one(reading, list.Msgs[i]);
	natsMsgList_Destroy(&list);
	return err;
}

/* Destroyed only when the library's thread has surely done with it: see lib/README.md, D96. */
static void end(struct stream_copy *copy, natsSubscription *subscription)
{
	(void)natsSubscription_Unsubscribe(subscription);
	if (natsConnection_FlushTimeout(copy->connection, REQUEST_MS) != NATS_OK)
		natsConnection_Close(copy->connection); /* it is of no use any more */
	natsSubscription_Destroy(subscription);
}

enum wr_err stream_copy_read(struct stream_copy *copy, const char *stream, stream_message_fn fn,
							 void *ctx, struct err_detail *ret_detail)
{
	struct stream_extent extent = {0};
	enum wr_err err = stream_copy_extent(copy, stream, &extent, ret_detail);
	if (err || !extent.messages)
		return err;
	char name[64];
	snprintf(name, sizeof(name), "wrbackup-%d-%" PRIx64, (int)getpid(), (uint64_t)nats_Now());
	natsSubscription *subscription = NULL;
	natsStatus status = make_consumer(copy, stream, name, &subscription);
	if (status != NATS_OK)
		return away(ret_detail, "no consumer could be made", status);
	struct reading reading = {.copy = copy, .fn = fn, .ctx = ctx, .detail = ret_detail};
	while (!err && reading.last < extent.last)
		err = read_batch(&reading, subscription, extent.last);
	end(copy, subscription);
	js_DeleteConsumer(copy->js, stream, name, NULL, NULL); /* or it goes by itself in a minute */
	return err;
}

/* ---- writing ---- */

enum wr_err stream_copy_make(struct stream_copy *copy, const struct stream_wanted *wanted,
							 struct err_detail *ret_detail)
{
	const struct stream_settings settings = {
		.replicas = wanted->replicas,
		.max_age_s = wanted->max_age_s,
		.max_bytes = wanted->max_bytes,
		.duplicate_window_s = wanted->duplicate_window_s,
	};
	return streams_assert(copy->js, &settings, ret_detail);
}

static enum wr_err failed_already(struct stream_copy *copy, struct err_detail *ret_detail)
{
	pthread_mutex_lock(&copy->mutex);
	bool has_failed = copy->has_failed;
	if (has_failed)
		*ret_detail = copy->failure;
	pthread_mutex_unlock(&copy->mutex);
	return has_failed ? WR_BROKER_AWAY : WR_OK;
}

static natsStatus fill(natsMsg *message, const struct stream_message *from)
{
	natsStatus status = NATS_OK;
	bool has_time = false;
	for (size_t i = 0; i < from->header_count && status == NATS_OK; i++) {
		has_time = has_time || strcmp(from->headers[i].name, STREAM_TIME_HEADER) == 0;
		status = natsMsgHeader_Add(message, from->headers[i].name, from->headers[i].value);
	}
	char time[24];
	snprintf(time, sizeof(time), "%" PRId64, from->time_ns);
	return status == NATS_OK && !has_time ? natsMsgHeader_Set(message, STREAM_TIME_HEADER, time)
										  : status;
}

enum wr_err stream_copy_write(struct stream_copy *copy, const struct stream_message *from,
							  struct err_detail *ret_detail)
{
	enum wr_err err = failed_already(copy, ret_detail);
	if (err)
		return err;
	natsMsg *message = NULL;
	natsStatus status =
		natsMsg_Create(&message, from->subject, NULL, from->body,
					   from->body_len > INT32_MAX ? INT32_MAX : (int)from->body_len);
	if (status == NATS_OK)
		status = fill(message, from);
	if (status == NATS_OK)
		status = js_PublishMsgAsync(copy->js, &message, NULL);
	natsMsg_Destroy(message);
	return status == NATS_OK ? WR_OK : away(ret_detail, "takes no message", status);
}

enum wr_err stream_copy_flush(struct stream_copy *copy, struct err_detail *ret_detail)
{
	jsPubOptions options;
	jsPubOptions_Init(&options);
	options.MaxWait = FLUSH_MS;
	natsStatus status = js_PublishAsyncComplete(copy->js, &options);
	enum wr_err err = failed_already(copy, ret_detail);
	if (err)
		return err;
	return status == NATS_OK ? WR_OK : away(ret_detail, "has not confirmed all messages", status);
}
