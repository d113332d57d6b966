/* Reads a stream back with a consumer of its own, up to the sequence that was last at the start. */
#include "support/event_stream.h"

#include "support/cmocka.h"
#include "support/wait.h"
#include "waitingroom/memory.h"

#include <stdlib.h>

#define STREAM "WAITINGROOM"
#define START_DEADLINE_MS 10000
#define MESSAGE_DEADLINE_MS 10000
#define HEARTBEAT_NS INT64_C(5000000000)

static bool answers(struct event_stream *stream)
{
	jsAccountInfo *info = NULL;
	natsStatus status = js_GetAccountInfo(&info, stream->js, NULL, NULL);
	jsAccountInfo_Destroy(info);
	return status == NATS_OK;
}

struct event_stream *event_stream_open(const char *url)
{
	struct event_stream *stream = mem_alloc_zero(1, sizeof(*stream));
	assert_int_equal(natsConnection_ConnectTo(&stream->connection, url), NATS_OK);
	assert_int_equal(natsConnection_JetStream(&stream->js, stream->connection, NULL), NATS_OK);
	WAIT_UNTIL(START_DEADLINE_MS, answers(stream), "JetStream answers");
	return stream;
}

static void forget(struct event_stream *stream)
{
	for (size_t i = 0; i < stream->count; i++) {
		free(stream->events[i].subject);
		free(stream->events[i].id);
		free(stream->events[i].content_type);
		free(stream->events[i].traceparent);
		free(stream->events[i].body);
	}
	free(stream->events);
	stream->events = NULL;
	stream->count = 0;
}

static uint64_t messages_in(struct event_stream *stream)
{
	jsStreamInfo *info = NULL;
	natsStatus status = js_GetStreamInfo(&info, stream->js, STREAM, NULL, NULL);
	if (status == NATS_NOT_FOUND)
		return 0;
	assert_int_equal(status, NATS_OK);
	uint64_t messages = info->State.Msgs;
	jsStreamInfo_Destroy(info);
	return messages;
}

static char *header(natsMsg *message, const char *name)
{
	const char *value = "";
	natsMsgHeader_Get(message, name, &value);
	return mem_copy_string(value ? value : "");
}

void event_stream_read(struct event_stream *stream)
{
	forget(stream);
	uint64_t messages = messages_in(stream);
	if (!messages)
		return;
	stream->events = mem_alloc_zero(messages, sizeof(*stream->events));
	jsSubOptions options;
	jsSubOptions_Init(&options);
	/* not the library's ordered one: see lib/README.md, D96 */
	options.Config.AckPolicy = js_AckNone;
	options.Config.DeliverPolicy = js_DeliverAll;
	options.Config.FlowControl = true;
	options.Config.Heartbeat = HEARTBEAT_NS;
	natsSubscription *subscription = NULL;
	assert_int_equal(js_SubscribeSync(&subscription, stream->js, "wr.>", NULL, &options, NULL),
					 NATS_OK);
	while (stream->count < messages) {
		natsMsg *message = NULL;
		assert_int_equal(natsSubscription_NextMsg(&message, subscription, MESSAGE_DEADLINE_MS),
						 NATS_OK);
		stream->events[stream->count++] = (struct stored_event){
			.subject = mem_copy_string(natsMsg_GetSubject(message)),
			.id = header(message, "Nats-Msg-Id"),
			.content_type = header(message, "Content-Type"),
			.traceparent = header(message, "traceparent"),
			.body = mem_copy(natsMsg_GetData(message), (size_t)natsMsg_GetDataLength(message)),
		};
		natsMsg_Destroy(message);
	}
	/* the library's thread must have done with it: see D96 as well */
	assert_int_equal(natsSubscription_Unsubscribe(subscription), NATS_OK);
	assert_int_equal(natsConnection_FlushTimeout(stream->connection, MESSAGE_DEADLINE_MS), NATS_OK);
	natsSubscription_Destroy(subscription);
}

void event_stream_close(struct event_stream *stream)
{
	forget(stream);
	natsConnection_Close(stream->connection);
	jsCtx_Destroy(stream->js);
	natsConnection_Destroy(stream->connection);
	free(stream);
}
