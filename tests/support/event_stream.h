/* What a JetStream stream holds, read back by a client of its own.
 *
 * Functions fail the running test (cmocka) on trouble.
 */
#ifndef SUPPORT_EVENT_STREAM_H
#define SUPPORT_EVENT_STREAM_H

#include <nats/nats.h>
#include <stddef.h>

struct stored_event {
	char *subject, *id, *content_type, *traceparent, *body; /* id: the header Nats-Msg-Id */
};

struct event_stream {
	natsConnection *connection;
	jsCtx *js;
	struct stored_event *events; /* as last read, in the order of the stream */
	size_t count;
};

/* gives; waits until the server answers JetStream requests */
struct event_stream *event_stream_open(const char *url);
/* Reads all messages of WAITINGROOM anew; none when there is no such stream. */
void event_stream_read(struct event_stream *stream);
void event_stream_close(struct event_stream *stream);

#endif
