/* Internals of the HTTP server: what its files share. Nobody outside lib/http includes this.
 *
 *     listen.c      the listening socket and accepting
 *     connection.c  one peer: its address, its place in the deadline lists
 *     server.c      the libmicrohttpd daemon on the loop, and its callbacks
 *     request.c     one request: from the request line to the handler
 *     reply.c       the answer
 *
 * A request, always in the loop's thread:
 *
 *     ARRIVING ──► SERVING ──► ANSWERED ──► back to the free list
 *         │           └──► PARKED ──► ANSWERED
 *         └──► REFUSED (guard, or the connection ended)
 */
#ifndef WAITINGROOM_HTTP_INTERNAL_H
#define WAITINGROOM_HTTP_INTERNAL_H

#include <microhttpd.h>
#include <stdalign.h>
#include <stdatomic.h>

#include "waitingroom/access_log.h"
#include "waitingroom/guard.h"
#include "waitingroom/http.h"

/* ---- lists ---- */

struct http_link { /* in a ring; a link alone points to itself */
	struct http_link *next, *prev;
};

void http_link_init(struct http_link *link);
bool http_link_is_alone(const struct http_link *link);
void http_link_remove(struct http_link *link);
void http_link_append(struct http_link *ring, struct http_link *link); /* removes it first */

/* ---- connections ---- */

#define PEER_TEXT_BYTES 46
struct http_connection {
	struct http_link due; /* in quiet or arriving, or alone while a request is served */
	struct http_server *server;
	struct http_request *request; /* of which the library has not said that it is over */
	int fd;
	struct mono_time due_at;
	struct mono_time quiet_since; /* accepted, or the last answer went out */
	bool fresh;					  /* no request line has come yet */
	bool begun; /* the sweep saw bytes of a request whose request line is not complete */
	char peer[PEER_TEXT_BYTES];			 /* filled when first asked for */
	const struct sockaddr *peer_address; /* the library's */
};

/* Deadlines. Both lists are in the order of due_at: what joins one is always due last. */
struct http_deadlines {
	struct http_link quiet;	   /* no request begun, as far as we know: looked at now and then */
	struct http_link arriving; /* a request has begun: closed when due */
	struct loop_timer *sweep;
	struct mono_time sweep_at; /* when it is armed */
};

void http_connection_opened(struct http_server *server, struct MHD_Connection *mhd,
							void **ret_connection);
void http_connection_closed(struct http_connection *connection);
void http_connection_arriving(struct http_connection *connection); /* a request line came */
void http_connection_serving(struct http_connection *connection);  /* the request is complete */
/* Its answer is out. */
void http_connection_quiet(struct http_connection *connection, struct mono_time now);
const char *http_connection_peer(struct http_connection *connection);
/* The peer sends nothing more, and all that it sent has been read. */
bool http_connection_is_at_end(const struct http_connection *connection);
void http_deadlines_init(struct http_server *server);
void http_deadlines_fini(struct http_server *server);
void http_deadlines_drain(struct http_server *server); /* closes those that are quiet */

/* ---- listening ---- */

#define LISTEN_ADDRESS_BYTES 128
struct http_listener {
	struct http_server *server;
	int fd; /* -1: closed */
	struct loop_watch *watch;
	struct loop_timer *resume; /* armed while the process is out of descriptors */
	struct loop_timer *leave;  /* armed before the end; NULL: nobody has asked for it */
	atomic_bool is_open;
	char address[LISTEN_ADDRESS_BYTES];
	char unix_path[108]; /* as sun_path; "": not a unix socket */
};

/* Has its address then, but nobody can connect yet. */
WR_MUST_USE enum wr_err http_listener_open(struct http_server *server, const char *address,
										   struct err_detail *ret_detail);
WR_MUST_USE enum wr_err http_listener_listen(struct http_listener *listener); /* errno tells why */
/* Nobody new, and closed a moment later. */
void http_listener_leave(struct http_listener *listener);
/* At once; takes in what is queued already. */
void http_listener_close(struct http_listener *listener);
void http_listener_room(struct http_listener *listener); /* a connection has ended */

/* ---- requests ---- */

#define REQUEST_ID_MAX_CHARS 64
#define REPLY_HEADERS_MAX 24 /* 16 for the handler as http.h says, 8 for the chain */
#define REPLY_HEADER_BYTES 4608
#define TARGET_INLINE_BYTES 256

enum request_phase {
	REQUEST_ARRIVING,
	REQUEST_REFUSED,
	REQUEST_SERVING, /* the handler runs */
	REQUEST_PARKED,
	REQUEST_ANSWERED
};

struct reply_header {
	const char *name, *value; /* in reply_header_text */
};

/* A response object of the library for a body of 'len' bytes in reply_room, that can be sent again
 * with another id. See reply.c. */
#define KEPT_RESPONSES 8
#define KEPT_HEADER_BYTES 320 /* CORS headers fit */
struct kept_response {
	struct MHD_Response *response; /* NULL: none yet */
	size_t len;
	const char *content_type;
	size_t header_bytes; /* of the handler's and the chain's headers */
	char headers[KEPT_HEADER_BYTES];
	char *id; /* the library's copy of the value of X-Request-Id */
};

struct http_request {
	struct http_request *next_free;
	struct http_server *server;
	struct http_connection *connection;
	struct MHD_Connection *mhd;
	enum request_phase phase;
	bool headers_seen;
	bool suspended;
	bool was_at_end; /* half-closed already when it was suspended */
	bool notes_zeroed;
	bool trace_is_known, trace_is_sampled; /* known: it has the id of a trace */
	enum http_method method;
	struct mono_time started;

	char *target; /* raw, NUL-terminated; target_inline, or its own allocation when longer */
	size_t target_len, path_len;
	const char *query;			  /* behind '?', or NULL */
	struct guard_header *headers; /* limits.headers_max of them */
	size_t header_count;
	char *body; /* limits.body_max_bytes and a NUL; made at the first body, then kept */
	size_t body_len, body_announced;

	int status;
	struct MHD_Response *response; /* until it is queued */
	bool response_is_kept;		   /* it is one of these */
	struct kept_response kept[KEPT_RESPONSES];
	size_t reply_header_count, reply_header_bytes;
	bool has_cache_control;
	struct reply_header reply_headers[REPLY_HEADERS_MAX];

	char id[REQUEST_ID_MAX_CHARS + 1];
	char target_inline[TARGET_INLINE_BYTES];
	char reply_header_text[REPLY_HEADER_BYTES];
	char reply_room[HTTP_REPLY_ROOM];
	alignas(16) unsigned char notes[HTTP_NOTES_BYTES];
	struct http_trace trace;
};

struct http_request *http_request_take(struct http_server *server); /* from the free list */
void http_request_give_back(struct http_request *request);
void http_request_free(struct http_request *request);
void http_request_set_target(struct http_request *request, const char *target);
void http_request_take_headers(struct http_request *request);
/* False: more than was announced, which the library should have prevented. */
bool http_request_add_body(struct http_request *request, const char *bytes, size_t len);

/* ---- request ids ---- */

#define ID_PREFIX_CHARS 10
struct request_ids {
	char prefix[ID_PREFIX_CHARS + 1];
	uint64_t count;
};
void request_ids_init(struct request_ids *ids);
/* fills id: the given one when it is acceptable, otherwise a new one. given may be NULL. */
void request_ids_pick(struct request_ids *ids, const char *given, size_t given_len,
					  char ret_id[REQUEST_ID_MAX_CHARS + 1]);

/* ---- answers ---- */

void http_reply_forget(struct http_request *request);			/* lets go of the response */
enum MHD_Result http_reply_queue(struct http_request *request); /* in the library's callback */
enum MHD_Result http_reply_refuse(struct http_request *request, enum http_refusal reason,
								  enum wr_err err);
/* reply_direct.c: writes the answer to the socket, past the library. */
void http_reply_direct(struct http_request *request, const char *body, size_t len);
/* recovery.c: the handler neither answered nor parked; a header of ours cannot be sent. */
void http_reply_recover(struct http_request *request);
void http_header_recover(struct http_request *request, const char *name);
/* problem.c: fills a problem document; request_id and member may be NULL; returns its length. */
size_t problem_print(char *text, size_t room, enum wr_err err, const struct err_detail *detail,
					 const char *request_id, int64_t retry_after_s,
					 const struct problem_member *member);
extern const char problem_content_type[];

/* ---- request_trace.c ---- */

void http_tracing_init(struct http_server *server);
void http_trace_begin(
	struct http_request *request); /* with its headers; only where tracing is on */

/* ---- access_log.c ---- */

struct access_log {
	uint32_t left; /* that may pass before one is looked at */
	uint32_t sample_left;
	struct access_log_options options;
};
/* Writes the line of an answered request, if it is one of those that are written. */
void access_log_look(struct access_log *log, const struct http_request *request,
					 int64_t duration_ns);
/* Nothing to look at: all that an ordinary request costs. */
static inline bool access_log_passes(struct access_log *log, int status)
{
	return !log || (status < 400 && --log->left != 0);
}

/* ---- the server ---- */

struct http_counters { /* one writer, the loop's thread; anybody reads */
	_Atomic uint64_t connections_now, connections_total, parked_now, bugs;
	_Atomic uint64_t refused[HTTP_REFUSAL_COUNT];
};

/* Cheaper than an atomic addition, and enough with one writer. */
static inline void http_count(_Atomic uint64_t *counter, int64_t change)
{
	uint64_t now = atomic_load_explicit(counter, memory_order_relaxed);
	atomic_store_explicit(counter, now + (uint64_t)change, memory_order_relaxed);
}

struct http_server {
	struct loop *loop;
	struct MHD_Daemon *daemon;
	struct loop_watch *watch; /* of the daemon's epoll descriptor */
	struct loop_timer *run;	  /* runs the daemon when it asked for it, or to send resumed answers */
	struct http_server_options options;
	struct http_listener listener;
	struct http_deadlines deadlines;
	struct request_ids ids;
	uint64_t trace_random; /* state of a generator, not 0 */
	int64_t trace_second;
	uint32_t traced; /* in that second */
	struct http_counters counters;
	struct http_request *free_requests;
	size_t free_request_count;
	bool draining;
	bool closing; /* nothing may be parked any more */
};

void http_server_resume(struct http_request *request);
/* May another connection be taken in now? */
bool http_server_has_room(const struct http_server *server);

#endif
