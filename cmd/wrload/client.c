/* Client: keep-alive connections, one request at a time on each, nothing that blocks.
 *
 * Happy path: client_submit puts the request in its address's line → the line is served as long as
 * there is an idle connection or room for another → the request's bytes are written at once (they
 * fit the socket's buffer) → the answer is read, parsed by http_head, and 'done' is called → the
 * connection goes back to the idle ones and serves the line.
 *
 * Connections are used in turn, so that none idles so long that the server closes it. When one
 * breaks before any byte of an answer, and it had carried answers before, the server has most
 * likely closed an idle connection while our request was on its way: the request is sent once more
 * on another connection, as browsers do, and is no error. Everything else is told to the caller.
 *
 * All time-outs are equally long, so the list of pending requests is in order of their deadlines,
 * and one timer for its first suffices. A request that still stands in line at its deadline
 * times out like one that was sent.
 *
 * States of a connection: connecting (request set) → busy (request set) ⇄ idle; closed = freed.
 */
#include "client.h"

#include "address.h"
#include "http_head.h"
#include "waitingroom/memory.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define ANSWER_ROOM 8192  /* head and body of one answer */
#define REQUEST_ROOM 4096 /* a token is at most 1024 bytes, a key 128 */

TAILQ_HEAD(request_list, client_request);
TAILQ_HEAD(connection_list, client_connection);

struct target {
	struct client *client;
	struct address address;
	struct request_list line;
	struct connection_list idle, in_use;
	uint32_t connection_count;
};

struct client_connection {
	struct target *target;
	int fd;
	struct loop_watch *watch;
	struct client_request *request; /* NULL: idle */
	bool is_connecting;
	uint64_t answers;
	size_t out_len, out_sent;
	size_t in_len;
	TAILQ_ENTRY(client_connection) link;
	char out[REQUEST_ROOM];
	char in[ANSWER_ROOM];
};

struct client {
	struct loop *loop;
	struct target *targets;
	uint32_t target_count;
	uint32_t connections_per_target;
	struct request_list pending;
	struct loop_timer *timer;
};

static void target_serve(struct target *target);

/* ---- ends of requests and connections ---- */

static void request_finish(struct client *client, struct client_request *request,
						   enum client_outcome outcome, const struct client_answer *answer)
{
	TAILQ_REMOVE(&client->pending, request, pending_link);
	request->connection = NULL;
	request->done(request->ctx, request, outcome, answer);
}

/* Frees the connection; its request, if any, is left to the caller. */
static void connection_close(struct client_connection *connection)
{
	struct target *target = connection->target;
	TAILQ_REMOVE(connection->request ? &target->in_use : &target->idle, connection, link);
	target->connection_count--;
	loop_unwatch(connection->watch);
	close(connection->fd);
	free(connection);
}

static void connection_break(struct client_connection *connection, enum client_outcome outcome)
{
	struct target *target = connection->target;
	struct client_request *request = connection->request;
	bool was_stale = outcome == CLIENT_RESET && connection->answers && !connection->in_len;
	connection_close(connection);
	if (request && was_stale && !request->is_resent) {
		request->is_resent = true;
		request->is_queued = true;
		request->connection = NULL;
		TAILQ_INSERT_HEAD(&target->line, request, queue_link);
	} else if (request) {
		request_finish(target->client, request, outcome, NULL);
	}
	target_serve(target);
}

/* ---- sending ---- */

static bool connection_write(struct client_connection *connection)
{
	while (connection->out_sent < connection->out_len) {
		ssize_t n = send(connection->fd, connection->out + connection->out_sent,
						 connection->out_len - connection->out_sent, MSG_NOSIGNAL);
		if (n < 0)
			return errno == EAGAIN;
		connection->out_sent += (size_t)n;
	}
	return true;
}

static unsigned wanted_events(const struct client_connection *connection)
{
	bool has_more = connection->is_connecting || connection->out_sent < connection->out_len;
	return LOOP_READ | (has_more ? LOOP_WRITE : 0u);
}

/* Writes the request's text into the connection's buffer. */
static void connection_fill(struct client_connection *connection)
{
	const struct client_request *request = connection->request;
	const char *bearer = request->bearer, *key = request->idempotency_key;
	const char *body = request->body ? request->body : "";
	int len = snprintf(
		connection->out, sizeof(connection->out),
		"POST %s%s HTTP/1.1\r\nHost: %s\r\nContent-Length: %zu\r\n%s%s%s%s%s%s%s\r\n%s",
		connection->target->address.prefix, request->path, connection->target->address.host,
		strlen(body), *body ? "Content-Type: application/json\r\n" : "",
		bearer ? "Authorization: Bearer " : "", bearer ? bearer : "", bearer ? "\r\n" : "",
		key ? "Idempotency-Key: \"" : "", key ? key : "", key ? "\"\r\n" : "", body);
	connection->out_sent = 0;
	/* A text that does not fit is sent cut: the server refuses it, and that is counted. */
	connection->out_len =
		(size_t)len < sizeof(connection->out) ? (size_t)len : sizeof(connection->out) - 1;
	connection->in_len = 0;
}

static void connection_send(struct client_connection *connection, struct client_request *request)
{
	struct target *target = connection->target;
	if (!connection->request && !connection->is_connecting)
		TAILQ_REMOVE(&target->idle, connection, link);
	connection->request = request;
	request->connection = connection;
	TAILQ_INSERT_TAIL(&target->in_use, connection, link);
	if (!request->sent.ns)
		request->sent = loop_now(target->client->loop);
	connection_fill(connection);
	if (!connection->is_connecting && !connection_write(connection)) {
		connection_break(connection, CLIENT_RESET);
		return;
	}
	loop_watch_events(connection->watch, wanted_events(connection));
}

/* ---- receiving ---- */

static void connection_answered(struct client_connection *connection, const struct http_head *head)
{
	struct target *target = connection->target;
	struct client_request *request = connection->request;
	struct client_answer answer = {.status = head->status,
								   .retry_after_s = head->retry_after_s,
								   .body = connection->in + head->head_len,
								   .body_len = head->body_len};
	connection->answers++;
	/* The answer lies in the connection's buffer: it must not be used again during 'done'. */
	request_finish(target->client, request, CLIENT_ANSWERED, &answer);
	if (head->must_close || connection->in_len > head->head_len + head->body_len) {
		connection_close(connection);
	} else {
		TAILQ_REMOVE(&target->in_use, connection, link);
		connection->request = NULL;
		TAILQ_INSERT_TAIL(&target->idle, connection, link);
	}
	target_serve(target);
}

static void connection_read(struct client_connection *connection)
{
	ssize_t n = recv(connection->fd, connection->in + connection->in_len,
					 sizeof(connection->in) - connection->in_len, 0);
	if (n < 0 && errno == EAGAIN)
		return;
	if (n <= 0 || !connection->request) { /* bytes that nobody asked for: not to be trusted */
		connection_break(connection, CLIENT_RESET);
		return;
	}
	connection->in_len += (size_t)n;
	struct http_head head;
	switch (http_head_read(connection->in, connection->in_len, &head)) {
	case HTTP_HEAD_WHOLE:
		connection_answered(connection, &head);
		break;
	case HTTP_HEAD_BAD:
		connection_break(connection, CLIENT_GARBLED);
		break;
	case HTTP_HEAD_PART:
		if (connection->in_len == sizeof(connection->in))
			connection_break(connection, CLIENT_GARBLED);
		break;
	}
}

static void on_connection(void *ctx, unsigned events)
{
	struct client_connection *connection = ctx;
	if (connection->is_connecting && events & LOOP_WRITE) {
		int error = 0;
		socklen_t len = sizeof(error);
		getsockopt(connection->fd, SOL_SOCKET, SO_ERROR, &error, &len);
		if (error) {
			connection_break(connection, CLIENT_REFUSED);
			return;
		}
		connection->is_connecting = false;
	}
	if (connection->request && !connection->is_connecting && events & LOOP_WRITE) {
		if (!connection_write(connection)) {
			connection_break(connection, CLIENT_RESET);
			return;
		}
		loop_watch_events(connection->watch, wanted_events(connection));
	}
	if (events & LOOP_READ && !connection->is_connecting)
		connection_read(connection);
}

/* ---- connections and the line for them ---- */

/* gives a connection that is connecting or connected; NULL: refused at once. */
static struct client_connection *connection_open(struct target *target)
{
	const struct address *address = &target->address;
	int fd = socket(address->sa.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return NULL;
	if (address->sa.ss_family != AF_UNIX)
		setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
	if (connect(fd, (const struct sockaddr *)&address->sa, address->len) && errno != EINPROGRESS) {
		close(fd);
		return NULL;
	}
	struct client_connection *connection = mem_alloc_zero(1, sizeof(*connection));
	connection->target = target;
	connection->fd = fd;
	connection->is_connecting = true; /* the first writable event tells */
	connection->watch =
		loop_watch(target->client->loop, fd, LOOP_READ | LOOP_WRITE, on_connection, connection);
	target->connection_count++;
	return connection;
}

static void target_serve(struct target *target)
{
	struct client *client = target->client;
	struct client_request *request;
	while ((request = TAILQ_FIRST(&target->line))) {
		struct client_connection *connection = TAILQ_FIRST(&target->idle);
		bool has_room = target->connection_count < client->connections_per_target;
		if (!connection && !has_room)
			return;
		TAILQ_REMOVE(&target->line, request, queue_link);
		request->is_queued = false;
		if (!connection)
			connection = connection_open(target);
		if (connection)
			connection_send(connection, request);
		else
			request_finish(client, request, CLIENT_REFUSED, NULL);
	}
}

static void on_deadline(void *ctx)
{
	struct client *client = ctx;
	struct mono_time now = loop_now(client->loop);
	struct client_request *request;
	while ((request = TAILQ_FIRST(&client->pending))) {
		struct mono_time deadline = mono_add_ms(request->submitted, REQUEST_TIMEOUT_MS);
		if (deadline.ns > now.ns) {
			loop_timer_arm(client->timer, deadline);
			return;
		}
		if (request->connection) {
			connection_break(request->connection, CLIENT_TIMED_OUT);
			continue;
		}
		TAILQ_REMOVE(&client->targets[request->address].line, request, queue_link);
		request->is_queued = false;
		request_finish(client, request, CLIENT_TIMED_OUT, NULL);
	}
}

void client_submit(struct client *client, struct client_request *request)
{
	struct target *target = &client->targets[request->address];
	request->submitted = loop_now(client->loop);
	request->sent = (struct mono_time){0};
	request->connection = NULL;
	request->is_queued = true;
	request->is_resent = false;
	TAILQ_INSERT_TAIL(&client->pending, request, pending_link);
	TAILQ_INSERT_TAIL(&target->line, request, queue_link);
	if (!loop_timer_is_armed(client->timer))
		loop_timer_arm(client->timer, mono_add_ms(request->submitted, REQUEST_TIMEOUT_MS));
	target_serve(target);
}

/* ---- life ---- */

enum wr_err client_new(struct loop *loop, const char *const *addresses, uint32_t address_count,
					   uint32_t connections, struct client **ret_client,
					   struct err_detail *ret_detail)
{
	struct client *client = mem_alloc_zero(1, sizeof(*client));
	client->loop = loop;
	client->targets = mem_alloc_zero(address_count, sizeof(*client->targets));
	client->target_count = address_count;
	client->connections_per_target = connections > address_count ? connections / address_count : 1;
	TAILQ_INIT(&client->pending);
	client->timer = loop_timer_new(loop, on_deadline, client);
	for (uint32_t i = 0; i < address_count; i++) {
		struct target *target = &client->targets[i];
		target->client = client;
		TAILQ_INIT(&target->line);
		TAILQ_INIT(&target->idle);
		TAILQ_INIT(&target->in_use);
	}
	for (uint32_t i = 0; i < address_count; i++) {
		enum wr_err err = address_resolve(addresses[i], &client->targets[i].address, ret_detail);
		if (err) {
			client_free(client);
			return err;
		}
	}
	*ret_client = client;
	return WR_OK;
}

void client_free(struct client *client)
{
	if (!client)
		return;
	for (uint32_t i = 0; i < client->target_count; i++) {
		struct client_connection *connection;
		while ((connection = TAILQ_FIRST(&client->targets[i].idle)))
			connection_close(connection);
		while ((connection = TAILQ_FIRST(&client->targets[i].in_use)))
			connection_close(connection);
	}
	loop_timer_free(client->timer);
	free(client->targets);
	free(client);
}
