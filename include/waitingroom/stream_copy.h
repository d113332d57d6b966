/* Stream copy: the messages of our JetStream streams, out of one broker and into another.
 *
 * A message is copied with its subject, headers and payload. Its time cannot be given back to
 * JetStream, which sets its own: it goes on in the header STREAM_TIME_HEADER.
 *
 * What     Reading from the first to the last, writing in order. Makes streams that are missing.
 * Used by  cmd/wrbackup.
 * Threads  one; every call blocks, for some seconds at most when the broker does not answer.
 */
#ifndef WAITINGROOM_STREAM_COPY_H
#define WAITINGROOM_STREAM_COPY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "waitingroom/err.h"

#define STREAM_TIME_HEADER "Wr-Stored-Ns" /* nanoseconds since 1970 */
#define STREAM_ID_HEADER "Nats-Msg-Id"
#define STREAM_COPY_COUNT 2
extern const char *const stream_copy_names[STREAM_COPY_COUNT];

struct stream_copy; /* a connection */
/* url as in WR_NATS_URL. gives. WR_BAD_CONFIG; WR_BROKER_AWAY. */
WR_MUST_USE enum wr_err stream_copy_open(const char *url, struct stream_copy **ret_copy,
										 struct err_detail *ret_detail);
void stream_copy_close(struct stream_copy *copy); /* NULL is fine */

struct stream_extent {
	uint64_t messages, last; /* last: sequence of the newest */
};
/* WR_NOT_FOUND: there is no such stream. WR_BROKER_AWAY. */
WR_MUST_USE enum wr_err stream_copy_extent(struct stream_copy *copy, const char *stream,
										   struct stream_extent *ret_extent,
										   struct err_detail *ret_detail);

struct stream_header {
	const char *name, *value;
};
struct stream_message {
	uint64_t sequence;
	int64_t time_ns; /* when it was first stored */
	const char *subject, *body;
	size_t body_len, header_count;
	const struct stream_header *headers; /* a name may come several times */
};
/* Lends during the call. Anything but WR_OK ends the reading and is returned. */
typedef enum wr_err (*stream_message_fn)(void *ctx, const struct stream_message *message);
/* Everything up to what is newest at the start, in order. WR_BROKER_AWAY; what fn returned. */
WR_MUST_USE enum wr_err stream_copy_read(struct stream_copy *copy, const char *stream,
										 stream_message_fn fn, void *ctx,
										 struct err_detail *ret_detail);

struct stream_wanted { /* as the settings WR_STREAM_* say */
	uint32_t replicas;
	int64_t max_age_s, max_bytes, duplicate_window_s;
};
/* Both streams, where they are missing. WR_BROKER_AWAY. */
WR_MUST_USE enum wr_err stream_copy_make(struct stream_copy *copy,
										 const struct stream_wanted *wanted,
										 struct err_detail *ret_detail);
/* Writes go out in order and are confirmed later; WR_BROKER_AWAY may be about an earlier one. The
 * message is borrowed; STREAM_TIME_HEADER is added where it is missing. */
WR_MUST_USE enum wr_err stream_copy_write(struct stream_copy *copy,
										  const struct stream_message *message,
										  struct err_detail *ret_detail);
/* Until all of them are stored. */
WR_MUST_USE enum wr_err stream_copy_flush(struct stream_copy *copy, struct err_detail *ret_detail);

#endif
