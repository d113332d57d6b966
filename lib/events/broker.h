/* Broker: the connection to NATS as the relay sees it.
 *
 * A message that is published becomes a flight. Flights stand in a ring in the order in which they
 * were published, and are landed in that order by broker_land: stored (the ack came) or failed
 * (refused, not answered in time, recalled). Every flight lands exactly once.
 *
 * What     The connection with its defaults changed, the window of unanswered messages, and one
 *          place to wait for news.
 * Used by  relay.c, feed.c.
 * Threads  the relay's thread makes all calls; broker_wake may be called by any. The library's
 *          threads settle flights and report the connection.
 */
#ifndef EVENTS_BROKER_H
#define EVENTS_BROKER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "stream.h"
#include "waitingroom/clock.h"
#include "waitingroom/err.h"

struct broker;

#define BROKER_SERVERS_MAX 16
/* Checks "nats://[user[:password]@]host[:port][,nats://…]". WR_BAD_CONFIG names what is wrong. */
WR_MUST_USE enum wr_err broker_check_url(const char *url, struct err_detail *ret_detail);
/* All of them into the library's options; 'url' has passed broker_check_url. */
natsStatus broker_set_servers(natsOptions *options, const char *url);

/* flights      most messages in flight
 * ack_wait_ms  after which an unanswered message has failed
 * gives; not connected yet. 'url' has passed broker_check_url. */
struct broker *broker_new(const char *url, uint32_t flights, uint32_t ack_wait_ms);
/* Closes the connection, forgets what is in flight. NULL is fine. */
void broker_free(struct broker *broker);

/* Begins to connect, when there is no connection or it has broken. From then on it is tried again
 * and again by itself until it stands. WR_BROKER_AWAY: could not even begin. */
WR_MUST_USE enum wr_err broker_connect(struct broker *broker, struct err_detail *ret_detail);

enum broker_link { BROKER_NONE, BROKER_TRYING, BROKER_CONNECTED };
/* *ret_breaks grows whenever the connection was lost: then acks are lost too. */
enum broker_link broker_link(struct broker *broker, uint64_t *ret_breaks);

WR_MUST_USE enum wr_err broker_assert_streams(struct broker *broker,
											  const struct stream_settings *settings,
											  struct err_detail *ret_detail);

/* How the stream is at the moment; blocks for wait_ms at most. */
void broker_look(struct broker *broker, int64_t wait_ms, struct stream_look *ret_look);

struct broker_message {
	const char *subject;
	const char *id; /* becomes Nats-Msg-Id */
	const char *body;
	size_t body_len;
	const char *traceparent; /* a header of its own; "" none */
};
/* tag   comes back when the flight lands
 * Borrows everything. WR_LIMIT: the window is full. WR_BROKER_AWAY: not published, no flight. */
WR_MUST_USE enum wr_err broker_publish(struct broker *broker, const struct broker_message *message,
									   void *tag);

/* Lands the oldest flights, as far as they are settled: calls fn once each. Returns how many. */
typedef void (*broker_landed_fn)(void *ctx, void *tag, bool stored);
size_t broker_land(struct broker *broker, broker_landed_fn fn, void *ctx);

/* Nobody waits for these answers any more: all flights fail now, or are stored already. */
void broker_recall(struct broker *broker);
size_t broker_in_flight(const struct broker *broker); /* not landed */

/* Why a flight failed last; fills. */
void broker_last_failure(struct broker *broker, struct err_detail *ret_detail);

/* Until 'enough' flights can be landed (0: never mind), or the connection's state has changed since
 * the last broker_link, or broker_wake was called, or it is 'until'. */
void broker_wait(struct broker *broker, size_t enough, struct mono_time until);
void broker_wake(struct broker *broker);

#endif
