/* Event watch: reads events of the stream as they come, for people who look on.
 *
 * What     A consumer that leaves nothing behind in the broker. Each event is told once and in the
 *          stream's order, also when the connection broke or the broker restarted in between.
 * Used by  wrctl watch.
 * Threads  a watch belongs to one thread, which waits in event_watch_next.
 */
#ifndef WAITINGROOM_EVENT_WATCH_H
#define WAITINGROOM_EVENT_WATCH_H

#include <stddef.h>
#include <stdint.h>

#include "waitingroom/err.h"

struct event_watch;

struct event_watch_options {
	const char *nats_url; /* borrows until event_watch_open returns */
	const char *subject;  /* "wr.default.demo.>"; copied */
	int64_t since_ms;	  /* from this time on; 0: only what comes from now on */
};
/* Connects and finds the place to begin at. gives.
 * WR_BAD_CONFIG: the url; WR_BROKER_AWAY: no connection, or no stream; why is in detail. */
WR_MUST_USE enum wr_err event_watch_open(const struct event_watch_options *options,
										 struct event_watch **ret_watch,
										 struct err_detail *ret_detail);
void event_watch_close(struct event_watch *watch); /* NULL is fine */

enum event_watch_news {
	EVENT_WATCH_NOTHING, /* within the time */
	EVENT_WATCH_EVENT,
	EVENT_WATCH_LOST, /* the broker is away; told once; events are kept by it and by the outbox */
	EVENT_WATCH_BACK, /* it goes on behind the last event that was told */
};
struct watched_event { /* lent until the next call */
	const char *subject, *body;
	size_t len;
};
enum event_watch_news event_watch_next(struct event_watch *watch, int64_t max_ms,
									   struct watched_event *ret_event);

#endif
