/* Connections: who they are, and how long they may take.
 *
 * libmicrohttpd's own time-out restarts with every byte, so a client that sends one byte now and
 * then could hold a connection for ever. Here each request has an absolute deadline: from its first
 * byte to its last, limits.request_deadline_ms. A late one gets 408 and is shut down; the library
 * then sees the end of the connection and cleans up as if the peer had gone.
 *
 * A connection is in one of three places:
 *
 *     quiet ──► arriving ──► (neither: being served, the time is ours) ──► quiet
 *
 * 'arriving' begins with the request line, which the library reports. Bytes before that it does not
 * report, so quiet connections are looked at twice per deadline: when the kernel says that
 * something has come since the last answer, a request has begun, and its clock runs from then. A
 * client that dribbles its request line therefore ends after one and a half deadlines at most,
 * without a system call on the way of a normal request. (Unix sockets cannot be asked; there the
 * deadline begins with the request line.) A connection that is really quiet is closed by the
 * library's time-out, or here when its peer has closed: the library misses an end that arrives
 * together with a request, because its epoll is edge-triggered and it stops reading when the
 * request is complete.
 *
 * While draining, quiet connections are closed, except those that were busy a moment ago: their
 * next request may be on its way already, and its answer will say Connection: close.
 */
#include "internal.h"

#include "waitingroom/memory.h"

#include <arpa/inet.h>
#include <linux/tcp.h> /* glibc's tcp_info lacks the counters of bytes */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

#define LOOKS_PER_SWEEP 256
#define SWEEPS_PER_DEADLINE 16
#define DRAIN_QUIET_MS 500
#define KERNEL_CLOCK_SLACK_MS 20 /* the kernel counts this in ticks of up to 10 ms */

static struct http_connection *due_connection(struct http_link *ring)
{
	return http_link_is_alone(ring) ? NULL : (struct http_connection *)ring->next;
}

static void arm_sweep(struct http_deadlines *deadlines, struct mono_time at)
{
	deadlines->sweep_at = at;
	loop_timer_arm(deadlines->sweep, at);
}

static void due_append(struct http_connection *connection, struct http_link *ring,
					   struct mono_time due_at)
{
	struct http_deadlines *deadlines = &connection->server->deadlines;
	connection->due_at = due_at;
	http_link_append(ring, &connection->due);
	if (!loop_timer_is_armed(deadlines->sweep) || due_at.ns < deadlines->sweep_at.ns)
		arm_sweep(deadlines, due_at);
}

static int64_t look_again_ms(const struct http_server *server)
{
	return server->draining ? DRAIN_QUIET_MS : server->options.limits.request_deadline_ms / 2;
}

/* ---- life of a connection ---- */

void http_connection_opened(struct http_server *server, struct MHD_Connection *mhd,
							void **ret_connection)
{
	struct http_connection *connection = mem_alloc_zero(1, sizeof(*connection));
	connection->server = server;
	connection->fd = MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_CONNECTION_FD)->connect_fd;
	connection->peer_address =
		MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_CLIENT_ADDRESS)->client_addr;
	connection->fresh = true;
	http_link_init(&connection->due);
	http_connection_quiet(connection, clock_mono());
	http_count(&server->counters.connections_now, 1);
	http_count(&server->counters.connections_total, 1);
	*ret_connection = connection;
}

void http_connection_closed(struct http_connection *connection)
{
	struct http_server *server = connection->server;
	http_link_remove(&connection->due);
	http_count(&server->counters.connections_now, -1);
	free(connection);
	http_listener_room(&server->listener);
}

void http_connection_quiet(struct http_connection *connection, struct mono_time now)
{
	struct http_server *server = connection->server;
	connection->quiet_since = now;
	connection->begun = false;
	due_append(connection, &server->deadlines.quiet, mono_add_ms(now, look_again_ms(server)));
}

static void start_clock(struct http_connection *connection)
{
	struct http_server *server = connection->server;
	due_append(connection, &server->deadlines.arriving,
			   mono_add_ms(loop_now(server->loop), server->options.limits.request_deadline_ms));
}

void http_connection_arriving(struct http_connection *connection)
{
	connection->fresh = false;
	if (!connection->begun) /* otherwise its clock runs already */
		start_clock(connection);
}

void http_connection_serving(struct http_connection *connection)
{
	http_link_remove(&connection->due);
}

const char *http_connection_peer(struct http_connection *connection)
{
	if (connection->peer[0])
		return connection->peer;
	const struct sockaddr *address = connection->peer_address;
	strcpy(connection->peer, "unix");
	if (address->sa_family == AF_INET) {
		inet_ntop(AF_INET, &((const struct sockaddr_in *)address)->sin_addr, connection->peer,
				  sizeof(connection->peer));
	} else if (address->sa_family == AF_INET6) {
		const struct in6_addr *v6 = &((const struct sockaddr_in6 *)address)->sin6_addr;
		bool is_mapped = IN6_IS_ADDR_V4MAPPED(v6);
		inet_ntop(is_mapped ? AF_INET : AF_INET6, is_mapped ? &v6->s6_addr[12] : v6->s6_addr,
				  connection->peer, sizeof(connection->peer));
	}
	return connection->peer;
}

/* ---- the sweep ---- */

static void cut_off(struct http_connection *connection)
{
	http_link_remove(&connection->due);
	shutdown(connection->fd, SHUT_RDWR);
}

static void cut_off_late(struct http_connection *connection)
{
	http_count(&connection->server->counters.refused[REFUSED_DEADLINE], 1);
	/* Nothing of an answer has been sent yet, so this is the answer. If the socket's buffer is
	 * full there is nobody who reads, and nothing is lost. */
	char id[REQUEST_ID_MAX_CHARS + 1], body[512], answer[1024];
	request_ids_pick(&connection->server->ids, NULL, 0, id);
	size_t body_len = problem_print(body, sizeof(body), WR_REQUEST_TIMEOUT, NULL, id, 0, NULL);
	int len = snprintf(answer, sizeof(answer),
					   "HTTP/1.1 408 Request Timeout\r\n"
					   "Connection: close\r\n"
					   "Content-Type: %s\r\n"
					   "X-Request-Id: %s\r\n"
					   "Cache-Control: no-store\r\n"
					   "Content-Length: %zu\r\n"
					   "\r\n%.*s",
					   problem_content_type, id, body_len, (int)body_len, body);
	ssize_t ignored = send(connection->fd, answer, (size_t)len, MSG_DONTWAIT | MSG_NOSIGNAL);
	(void)ignored;
	cut_off(connection);
}

/* Have bytes come since the connection became quiet? */
static bool has_begun(const struct http_connection *connection, struct mono_time now)
{
	struct tcp_info info;
	socklen_t len = sizeof(info);
	if (getsockopt(connection->fd, IPPROTO_TCP, TCP_INFO, &info, &len) ||
		len < offsetof(struct tcp_info, tcpi_bytes_received) + sizeof(info.tcpi_bytes_received))
		return false;
	if (connection->fresh)
		return info.tcpi_bytes_received > 0;
	int64_t quiet_ms = mono_diff_ms(connection->quiet_since, now);
	return (int64_t)info.tcpi_last_data_recv + KERNEL_CLOCK_SLACK_MS < quiet_ms;
}

enum waiting { NOTHING_WAITS, BYTES_WAIT, PEER_IS_GONE };

static enum waiting what_waits(const struct http_connection *connection)
{
	char byte;
	ssize_t got = recv(connection->fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT);
	return got > 0 ? BYTES_WAIT : got == 0 ? PEER_IS_GONE : NOTHING_WAITS;
}

bool http_connection_is_at_end(const struct http_connection *connection)
{
	return what_waits(connection) == PEER_IS_GONE;
}

static void look_at_quiet(struct http_connection *connection, struct mono_time now)
{
	struct http_server *server = connection->server;
	enum waiting waiting = what_waits(connection);
	if (waiting == PEER_IS_GONE || (waiting == NOTHING_WAITS && server->draining)) {
		cut_off(connection);
	} else if (!server->draining && has_begun(connection, now)) {
		connection->begun = true;
		start_clock(connection);
	} else {
		due_append(connection, &server->deadlines.quiet, mono_add_ms(now, look_again_ms(server)));
	}
}

/* At the next deadline, but not so soon that many connections make many sweeps. */
static void arm_next_sweep(struct http_server *server, struct mono_time now)
{
	struct http_deadlines *deadlines = &server->deadlines;
	struct http_connection *arriving = due_connection(&deadlines->arriving);
	struct http_connection *quiet = due_connection(&deadlines->quiet);
	if (!arriving && !quiet)
		return;
	struct mono_time soonest =
		mono_add_ms(now, server->options.limits.request_deadline_ms / SWEEPS_PER_DEADLINE);
	struct mono_time next = arriving ? arriving->due_at : quiet->due_at;
	if (quiet && quiet->due_at.ns < next.ns)
		next = quiet->due_at;
	arm_sweep(deadlines, next.ns > soonest.ns ? next : soonest);
}

static void sweep(void *ctx)
{
	struct http_server *server = ctx;
	struct http_deadlines *deadlines = &server->deadlines;
	struct mono_time now = loop_now(server->loop);
	struct http_connection *connection;
	while ((connection = due_connection(&deadlines->arriving)) && connection->due_at.ns <= now.ns)
		cut_off_late(connection);
	int looks = 0;
	while ((connection = due_connection(&deadlines->quiet)) && connection->due_at.ns <= now.ns) {
		if (looks++ == LOOKS_PER_SWEEP) { /* the rest after others have had their turn */
			arm_sweep(deadlines, now);
			return;
		}
		look_at_quiet(connection, now);
	}
	arm_next_sweep(server, now);
}

void http_deadlines_init(struct http_server *server)
{
	http_link_init(&server->deadlines.quiet);
	http_link_init(&server->deadlines.arriving);
	server->deadlines.sweep = loop_timer_new(server->loop, sweep, server);
}

void http_deadlines_fini(struct http_server *server)
{
	loop_timer_free(server->deadlines.sweep);
}

void http_deadlines_drain(struct http_server *server)
{
	struct http_deadlines *deadlines = &server->deadlines;
	struct mono_time now = loop_now(server->loop);
	struct http_link *link = deadlines->quiet.next;
	while (link != &deadlines->quiet) {
		struct http_connection *connection = (struct http_connection *)link;
		link = link->next;
		if (mono_diff_ms(connection->quiet_since, now) >= DRAIN_QUIET_MS &&
			what_waits(connection) != BYTES_WAIT)
			cut_off(connection);
		else
			connection->due_at = mono_add_ms(now, DRAIN_QUIET_MS);
	}
	arm_sweep(deadlines, now);
}
