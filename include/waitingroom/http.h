/* HTTP server: libmicrohttpd driven from a loop, and what a handler may do with a request.
 *
 * One server per worker thread, each with its own SO_REUSEPORT socket on the same address. A
 * handler is called once per request, when headers and body are complete and the request guard
 * has passed. It answers at once, or parks the request and answers later from the same thread
 * (after the store's reply); resumed requests of one loop turn are sent together.
 *
 * What     Serving; the request guard; limits; deadlines; graceful stop.
 * Used by  cmd/api (public and internal port), cmd/admitter (internal port).
 * Threads  everything about a server belongs to its loop's thread.
 */
#ifndef WAITINGROOM_HTTP_H
#define WAITINGROOM_HTTP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "waitingroom/client_ip.h"
#include "waitingroom/clock.h"
#include "waitingroom/err.h"
#include "waitingroom/loop.h"
#include "waitingroom/trace.h"

/* All that is served; PATCH only because Envoy's check arrives with the site's own method. */
enum http_method {
	HTTP_GET,
	HTTP_HEAD,
	HTTP_POST,
	HTTP_PUT,
	HTTP_PATCH,
	HTTP_DELETE,
	HTTP_OPTIONS,
	HTTP_METHOD_COUNT
};
const char *http_method_word(enum http_method method);
bool http_method_parse(const char *word, enum http_method *ret_method);

struct http_server;
struct http_request;

/* Must answer (http_reply…) or park before it returns; a handler that does neither is a bug of
 * ours: the client gets 500 and it is logged (recovery.c). */
typedef void (*http_handler_fn)(void *ctx, struct http_request *request);
/* After the answer has gone out or failed: for metrics and the access log. */
typedef void (*http_done_fn)(void *ctx, const struct http_request *request, int status,
							 int64_t duration_us);

struct http_limits {
	uint32_t connections_max;		  /* per server (worker) */
	uint32_t connection_memory_bytes; /* request line + headers must fit; 4096..32768 */
	uint32_t body_max_bytes;
	uint32_t headers_max;		  /* count */
	uint32_t idle_timeout_s;	  /* no byte for so long: closed */
	uint32_t request_deadline_ms; /* from the first byte of a request to its last */
	uint32_t backlog;
};
void http_limits_default(
	struct http_limits *ret_limits); /* 10000, 7168, 4096, 64, 30, 10000, 4096 */

/* Counters that the server keeps; read from any thread (relaxed atomics inside, copied out). */
enum http_refusal { /* reasons of the request guard: metric label, what is wrong and what is right */
#define HTTP_REFUSAL_TABLE(X)                                                                      \
	X(REFUSED_TRANSFER_ENCODING, "transfer_encoding",                                              \
	  "Transfer-Encoding: is not taken here; send the body with one Content-Length.")              \
	X(REFUSED_CONTENT_LENGTH, "content_length",                                                    \
	  "Content-Length: must be given at most once, as digits.")                                    \
	X(REFUSED_HOST, "host", "Host: must be given once, as a name with an optional port.")          \
	X(REFUSED_HEADER_NAME, "header_name",                                                          \
	  "A header name must be letters, digits and !#$%&'*+-.^_`|~, with the colon right behind "    \
	  "it.")                                                                                       \
	X(REFUSED_HEADER_VALUE, "header_value", "A header value must be free of control characters.")  \
	X(REFUSED_HEADER_TWICE, "header_twice",                                                        \
	  "Authorization, Content-Type, Cookie, Idempotency-Key, Origin and Expect: at most one "      \
	  "each.")                                                                                     \
	X(REFUSED_HEADER_COUNT, "header_count", "There are too many headers; send fewer.")             \
	X(REFUSED_METHOD, "method", "The method must be a word of letters.")                           \
	X(REFUSED_VERSION, "version", "The version must be HTTP/1.0 or HTTP/1.1.")                     \
	X(REFUSED_TARGET, "target",                                                                    \
	  "The target must be a path beginning with \"/\", of visible ASCII characters without %00.")  \
	X(REFUSED_BODY, "body", "Content-Length: this method takes no body.")                          \
	X(REFUSED_DEADLINE, "deadline", "The request took too long to arrive.")
#define HTTP_REFUSAL_ENUM(name, word, sentence) name,
					HTTP_REFUSAL_TABLE(HTTP_REFUSAL_ENUM)
#undef HTTP_REFUSAL_ENUM
						HTTP_REFUSAL_COUNT
};
const char *http_refusal_word(enum http_refusal refusal);
const char *http_refusal_sentence(enum http_refusal refusal); /* for the detail of a 400 */
struct http_counts {
	uint64_t connections_now, connections_total, parked_now;
	uint64_t refused[HTTP_REFUSAL_COUNT];
	uint64_t bugs; /* handlers that neither answered nor parked */
};

struct access_log; /* access_log.h */

struct http_tracing {
	struct trace_sampler sampler;
	uint32_t per_s; /* most sampled requests in a second of one server, whatever callers say */
};

struct http_server_options {
	const char *listen; /* "127.0.0.1:8081", "[::]:8080", "127.0.0.1:0", "unix:/path" */
	bool
		is_shared; /* with another server of this process; whoever else listens there is an error */
	bool closed_at_first; /* has its address, but refuses connections until http_server_listen() */
	struct http_limits limits;
	http_handler_fn handler;
	http_done_fn done;					/* may be NULL */
	struct access_log *access_log;		/* keeps; may be NULL */
	const struct http_tracing *tracing; /* keeps; NULL: nothing is traced */
	void *ctx;
};

/* gives. WR_IO or WR_BAD_CONFIG with the address and the reason in detail. */
WR_MUST_USE enum wr_err http_server_open(struct loop *loop,
										 const struct http_server_options *options,
										 struct http_server **ret_server,
										 struct err_detail *ret_detail);
/* Opens the port of a server that was closed at first; otherwise nothing happens. WR_IO */
WR_MUST_USE enum wr_err http_server_listen(struct http_server *server);
/* The address in use with the real port: "127.0.0.1:40123". */
const char *http_server_address(const struct http_server *server);
void http_server_counts(const struct http_server *server, struct http_counts *ret_counts);
/* Stops accepting: nobody new, and a moment later the listening socket is closed, after taking in
 * who is queued there. Every answer from now on says Connection: close; idle connections are
 * closed, those that were busy within the last half second only after that time, because their next
 * request may be on its way. */
void http_server_drain(struct http_server *server);
bool http_server_is_idle(const struct http_server *server); /* closed, and no connection left */
/* Parked requests must have been answered. */
void http_server_close(struct http_server *server);

/* ---- what a handler sees; all lent until the answer is given ---- */
enum http_method http_request_method(const struct http_request *request);
const char *http_request_path(const struct http_request *request); /* raw, not decoded, no query */
bool http_request_has_query(const struct http_request *request);   /* is there a '?' at all? */
const char *http_request_query_text(const struct http_request *request); /* raw; NULL: no '?' */
/* Decoded value of a query parameter into 'room' bytes with NUL; false: absent or does not fit. */
bool http_request_query(const struct http_request *request, const char *name, char *ret_value,
						size_t room);
/* The same for a field of a form in the body (application/x-www-form-urlencoded). */
bool http_request_form(const struct http_request *request, const char *name, char *ret_value,
					   size_t room);
const char *http_request_header(const struct http_request *request, const char *name); /* or NULL */
/* Value of a cookie; false: absent. Borrowed from the header; not NUL-terminated. */
bool http_request_cookie(const struct http_request *request, const char *name,
						 const char **ret_value, size_t *ret_len);
const char *http_request_body(const struct http_request *request, size_t *ret_len);
/* The peer's address as text, without port; "unix" for a unix socket. See client_ip.h. */
const char *http_request_peer(const struct http_request *request);
/* Who is asking when proxies stand in front: client_ip_find over the peer and all X-Forwarded-For
 * headers, joined in order (some proxies add a line of their own instead of extending the last). */
struct client_ip http_request_client(const struct http_request *request,
									 const struct trusted_proxies *proxies);
const char *http_request_id(const struct http_request *request); /* X-Request-Id of the answer */
struct http_trace {
	struct trace_context context;  /* its trace, and the span of this request */
	uint8_t parent[SPAN_ID_BYTES]; /* the caller's span; zero: the trace begins here */
	char tracestate[TRACESTATE_MAX_BYTES + 1];
};
/* NULL: not sampled, the ordinary case */
const struct http_trace *http_request_trace(const struct http_request *request);
struct mono_time http_request_started(const struct http_request *request);
/* Room for the handler's own notes while a request is parked: 'bytes' <= HTTP_NOTES_BYTES,
 * zero-filled at the start of the request, 16-byte aligned. */
#define HTTP_NOTES_BYTES 768
void *http_request_notes(struct http_request *request);

/* ---- answering; exactly one http_reply* per request, extra headers before it ---- */
/* Copies name and value; at most 16 per request, 3584 bytes in all (a token in a cookie
 * beside a long Location fits); more is a bug: aborts. */
void http_reply_header(struct http_request *request, const char *name, const char *value);
/* 'body' is copied. content_type: static string. Every answer has X-Request-Id; answers about
 * people get Cache-Control: no-store unless a Cache-Control was added by http_reply_header. */
void http_reply(struct http_request *request, int status, const char *content_type,
				const char *body, size_t len);
/* The same without copying: lends a buffer of HTTP_REPLY_ROOM bytes inside the request to write the
 * body into, then http_reply_written. The hot path. */
#define HTTP_REPLY_ROOM 2048
char *http_reply_room(struct http_request *request);
void http_reply_written(struct http_request *request, int status, const char *content_type,
						size_t len);
/* RFC 9457 application/problem+json with type, title, status, detail, code, request_id; for
 * retryable errors also Retry-After (seconds, jittered by the caller; 0: none) and retry_after_ms.
 * detail NULL: the error's sentence. */
void http_reply_problem(struct http_request *request, enum wr_err err,
						const struct err_detail *detail, int64_t retry_after_s);
/* The same with an extension member (RFC 9457 section 3.2): 'json' is a value, printed already. */
struct problem_member {
	const char *name, *json;
	size_t len;
};
void http_reply_problem_with(struct http_request *request, enum wr_err err,
							 const struct err_detail *detail, int64_t retry_after_s,
							 const struct problem_member *member);

/* The answer comes later, from this thread. */
void http_request_park(struct http_request *request);

#endif
