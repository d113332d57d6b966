/* Client: HTTP/1.1 for a crowd, over a pool of keep-alive connections.
 *
 * What     POST requests to one of several addresses; answers with Content-Length only. A request
 *          that finds no free connection waits in line at its address. Every request ends in
 *          exactly one call of its 'done', REQUEST_TIMEOUT_MS after it was handed over at the latest.
 * Used by  visitor, crowd.
 * Threads  the loop's.
 */
#ifndef WRLOAD_CLIENT_H
#define WRLOAD_CLIENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>

#include "waitingroom/clock.h"
#include "waitingroom/err.h"
#include "waitingroom/loop.h"

#define REQUEST_TIMEOUT_MS 5000

/* How a request ended. All but the first mean: nobody knows whether it took effect. */
#define OUTCOME_TABLE(X)                                                                           \
	X(CLIENT_ANSWERED, "answered")                                                                 \
	X(CLIENT_REFUSED, "refused")                                                                   \
	X(CLIENT_RESET, "reset")                                                                       \
	X(CLIENT_TIMED_OUT, "timed_out")                                                               \
	X(CLIENT_GARBLED, "garbled") /* not the HTTP that this client speaks */

#define OUTCOME_ENUM(name, word) name,
enum client_outcome { OUTCOME_TABLE(OUTCOME_ENUM) OUTCOME_COUNT };
#undef OUTCOME_ENUM

struct client_answer { /* lent during 'done' */
	int status;
	int64_t retry_after_s; /* -1: not given */
	const char *body;
	size_t body_len;
};

struct client_request;
/* answer is NULL unless the outcome is CLIENT_ANSWERED. May submit the same request again. */
typedef void (*client_done_fn)(void *ctx, struct client_request *request,
							   enum client_outcome outcome, const struct client_answer *answer);

struct client_connection;

struct client_request { /* lives in the caller's struct; kept by the client from submit to done */
	/* the caller's; texts are kept until done */
	const char *path;
	const char *bearer;			 /* Authorization; NULL: none */
	const char *idempotency_key; /* NULL: none */
	const char *body;			 /* JSON; NULL: none */
	uint32_t address;			 /* which of the addresses */
	client_done_fn done;
	void *ctx;
	/* the client's */
	struct mono_time submitted; /* when it was handed over; fills */
	struct mono_time sent;		/* when it first went out; 0: never; fills */
	struct client_connection *connection;
	bool is_queued, is_resent;
	TAILQ_ENTRY(client_request) queue_link, pending_link;
};

struct client;

/* Resolves "http://host:port" or "unix:/path" (blocking). connections: at most, in all, shared out
 * evenly. gives. WR_BAD_CONFIG with the address and the reason. */
WR_MUST_USE enum wr_err client_new(struct loop *loop, const char *const *addresses,
								   uint32_t address_count, uint32_t connections,
								   struct client **ret_client, struct err_detail *ret_detail);
/* Requests that are under way are forgotten: their 'done' is not called. */
void client_free(struct client *client);

/* 'done' may be called before this returns, when the connection is refused at once. */
void client_submit(struct client *client, struct client_request *request);

#endif
