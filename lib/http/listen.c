/* Listening: the server's own socket, and taking in connections.
 *
 * Connections are accepted here and handed to the library, which so never sees the socket. That
 * puts three things into our hands: when the process is out of descriptors, accepting pauses for a
 * moment instead of spinning on a socket that stays readable; at the limit of connections it pauses
 * until one has ended; and the end, which costs nobody a request:
 *
 *     bound ──► listening ──► leaving: every SYN is refused ──► what is queued is taken in, closed
 *
 * Closing resets what the kernel has queued, and whoever has finished the handshake by then has
 * sent a request that nobody may repeat unasked. So nobody begins a handshake any more (a port that
 * refuses is what every gateway retries), those who have begun one may finish it, and then the
 * queue is empty for good.
 *
 * TCP sockets are SO_REUSEPORT: every worker has one on the same address, and the kernel spreads
 * new connections over them. Another process there is refused.
 */
#include "internal.h"

#include <arpa/inet.h>
#include <assert.h>
#include <errno.h>
#include <limits.h>
#include <linux/filter.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define ACCEPTS_PER_TURN 64
#define RESUME_MS 100
#define LAST_HANDSHAKES_MS 10 /* a way there and back between gateway and pod, and some more */

union listen_address {
	struct sockaddr any;
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;
	struct sockaddr_un un;
};

/* ---- addresses ---- */

static enum wr_err bad_address(const char *text, struct err_detail *ret_detail)
{
	return err_say(ret_detail, WR_BAD_CONFIG,
				   "listen: must be like 127.0.0.1:8080, [::]:8080 or unix:/path, is %.64s", text);
}

static bool parse_port(const char *text, in_port_t *ret_port)
{
	char *end;
	unsigned long port = strtoul(text, &end, 10);
	if (text[0] < '0' || text[0] > '9' || *end || port > 65535)
		return false;
	*ret_port = htons((uint16_t)port);
	return true;
}

static enum wr_err parse_inet(const char *text, union listen_address *ret_address,
							  socklen_t *ret_len, struct err_detail *ret_detail)
{
	const char *colon = strrchr(text, ':');
	char host[INET6_ADDRSTRLEN + 2];
	size_t host_len = colon ? (size_t)(colon - text) : sizeof(host);
	in_port_t port;
	if (host_len >= sizeof(host) || !parse_port(colon + 1, &port))
		return bad_address(text, ret_detail);
	memcpy(host, text, host_len);
	host[host_len] = '\0';
	memset(ret_address, 0, sizeof(*ret_address));
	if (host_len > 2 && host[0] == '[' && host[host_len - 1] == ']') {
		host[host_len - 1] = '\0';
		ret_address->v6 = (struct sockaddr_in6){.sin6_family = AF_INET6, .sin6_port = port};
		*ret_len = sizeof(ret_address->v6);
		if (inet_pton(AF_INET6, host + 1, &ret_address->v6.sin6_addr) == 1)
			return WR_OK;
	} else {
		ret_address->v4 = (struct sockaddr_in){.sin_family = AF_INET, .sin_port = port};
		*ret_len = sizeof(ret_address->v4);
		if (inet_pton(AF_INET, host, &ret_address->v4.sin_addr) == 1)
			return WR_OK;
	}
	return bad_address(text, ret_detail);
}

static enum wr_err parse_address(struct http_listener *listener, const char *text,
								 union listen_address *ret_address, socklen_t *ret_len,
								 struct err_detail *ret_detail)
{
	if (strncmp(text, "unix:", 5))
		return parse_inet(text, ret_address, ret_len, ret_detail);
	const char *path = text + 5;
	size_t len = strlen(path);
	if (path[0] != '/' || len >= sizeof(ret_address->un.sun_path))
		return bad_address(text, ret_detail);
	memset(ret_address, 0, sizeof(*ret_address));
	ret_address->un.sun_family = AF_UNIX;
	memcpy(ret_address->un.sun_path, path, len);
	memcpy(listener->unix_path, path, len + 1);
	*ret_len = sizeof(ret_address->un);
	return WR_OK;
}

static void print_address(struct http_listener *listener)
{
	union listen_address address;
	socklen_t len = sizeof(address);
	char host[INET6_ADDRSTRLEN] = "";
	if (listener->unix_path[0]) {
		snprintf(listener->address, sizeof(listener->address), "unix:%s", listener->unix_path);
		return;
	}
	int failed = getsockname(listener->fd, &address.any, &len);
	assert(!failed);
	if (address.any.sa_family == AF_INET6) {
		inet_ntop(AF_INET6, &address.v6.sin6_addr, host, sizeof(host));
		snprintf(listener->address, sizeof(listener->address), "[%s]:%d", host,
				 ntohs(address.v6.sin6_port));
	} else {
		inet_ntop(AF_INET, &address.v4.sin_addr, host, sizeof(host));
		snprintf(listener->address, sizeof(listener->address), "%s:%d", host,
				 ntohs(address.v4.sin_port));
	}
}

/* ---- the socket ---- */

/* A socket file that nobody listens on is what a killed process left behind. */
static void remove_dead_socket(const union listen_address *address, socklen_t len)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return;
	if (connect(fd, &address->any, len) && errno == ECONNREFUSED)
		unlink(address->un.sun_path);
	close(fd);
}

/* A socket with the address; -1: errno says why not. */
static int bind_socket(const union listen_address *address, socklen_t len, bool may_share)
{
	int family = address->any.sa_family;
	int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -1;
	int on = 1, off = 0;
	bool options_set = true;
	if (family != AF_UNIX)
		options_set = !setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (may_share)
		options_set &= !setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof(on));
	if (family == AF_INET6) /* "[::]" serves IPv4 too */
		options_set &= !setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof(off));
	if (!options_set || bind(fd, &address->any, len)) {
		int error = errno;
		close(fd);
		errno = error;
		return -1;
	}
	return fd;
}

/* SO_REUSEPORT would let in another process of the same user as well, started by mistake with the
 * same address: each would get half of the visitors. Without it a bind fails when somebody
 * listens. */
static bool open_socket(struct http_listener *listener, const union listen_address *address,
						socklen_t len)
{
	bool is_inet = address->any.sa_family != AF_UNIX;
	if (!is_inet)
		remove_dead_socket(address, len);
	if (is_inet && !listener->server->options.is_shared) {
		int alone = bind_socket(address, len, false);
		if (alone < 0)
			return false;
		close(alone);
	}
	listener->fd = bind_socket(address, len, is_inet);
	return listener->fd >= 0;
}

/* ---- accepting ---- */

static void pause_accepting(struct http_listener *listener)
{
	loop_watch_events(listener->watch, 0);
}

static void resume_accepting(void *ctx)
{
	struct http_listener *listener = ctx;
	if (listener->watch)
		loop_watch_events(listener->watch, LOOP_READ);
}

static bool is_out_of_descriptors(int error)
{
	return error == EMFILE || error == ENFILE || error == ENOBUFS || error == ENOMEM;
}

/* False: nobody is waiting, or nobody can be taken in now. */
static bool accept_one(struct http_listener *listener)
{
	struct http_server *server = listener->server;
	if (!http_server_has_room(server)) {
		pause_accepting(listener); /* http_listener_room() goes on */
		return false;
	}
	union listen_address peer;
	socklen_t len = sizeof(peer);
	int fd = accept4(listener->fd, &peer.any, &len, SOCK_NONBLOCK | SOCK_CLOEXEC);
	if (fd >= 0) {
		/* Closes the descriptor itself when it fails. */
		(void)MHD_add_connection(server->daemon, fd, &peer.any, len);
		return true;
	}
	if (is_out_of_descriptors(errno)) {
		pause_accepting(listener);
		loop_timer_arm(listener->resume, mono_add_ms(loop_now(server->loop), RESUME_MS));
		return false;
	}
	return errno == ECONNABORTED || errno == EINTR; /* that one is gone, the next may be fine */
}

static void accept_some(void *ctx, unsigned events)
{
	(void)events;
	struct http_listener *listener = ctx;
	for (int taken = 0; taken < ACCEPTS_PER_TURN && accept_one(listener); taken++)
		;
}

void http_listener_room(struct http_listener *listener)
{
	if (listener->watch && !loop_timer_is_armed(listener->resume))
		resume_accepting(listener);
}

enum wr_err http_listener_open(struct http_server *server, const char *address,
							   struct err_detail *ret_detail)
{
	struct http_listener *listener = &server->listener;
	union listen_address parsed;
	socklen_t len = 0;
	*listener = (struct http_listener){.server = server, .fd = -1};
	enum wr_err err = parse_address(listener, address, &parsed, &len, ret_detail);
	if (err)
		return err;
	if (!open_socket(listener, &parsed, len))
		return err_say(ret_detail, WR_IO, "listen: %.100s: %s", address, strerror(errno));
	print_address(listener);
	listener->resume = loop_timer_new(server->loop, resume_accepting, listener);
	return WR_OK;
}

enum wr_err http_listener_listen(struct http_listener *listener)
{
	if (listener->fd < 0 || listener->watch)
		return WR_OK;
	struct http_server *server = listener->server;
	if (listen(listener->fd, (int)server->options.limits.backlog))
		return WR_IO;
	atomic_store(&listener->is_open, true);
	listener->watch = loop_watch(server->loop, listener->fd, LOOP_READ, accept_some, listener);
	return WR_OK;
}

/* ---- the end ---- */

/* Bound to a device that does not exist, the socket is not found by a SYN any more, which is
 * refused at once; handshakes that have begun know their socket. The kernel may still choose it for
 * the SYN that it found another worker's socket for, so a filter drops those: they are sent again a
 * second later, when all are closed. It sees segments from their TCP header on.
 *
 * Where neither can be had, as in some sandboxes, the moment between the last accept and the close
 * remains. */
static void refuse_newcomers(int fd)
{
	enum { FLAGS_AT = 13, SYN = 0x02 };
	int no_device = INT_MAX;
	(void)setsockopt(fd, SOL_SOCKET, SO_BINDTOIFINDEX, &no_device, sizeof(no_device));
	struct sock_filter steps[] = {
		BPF_STMT(BPF_LD | BPF_B | BPF_ABS, FLAGS_AT),
		BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, SYN, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, 0),
		BPF_STMT(BPF_RET | BPF_K, UINT32_MAX),
	};
	struct sock_fprog program = {.len = sizeof(steps) / sizeof(steps[0]), .filter = steps};
	(void)setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof(program));
}

static void close_by_timer(void *ctx)
{
	http_listener_close(ctx);
}

void http_listener_leave(struct http_listener *listener)
{
	if (listener->fd < 0 || listener->leave)
		return;
	if (listener->unix_path[0])
		unlink(listener->unix_path);
	else
		refuse_newcomers(listener->fd);
	struct loop *loop = listener->server->loop;
	listener->leave = loop_timer_new(loop, close_by_timer, listener);
	loop_timer_arm(listener->leave, mono_add_ms(loop_now(loop), LAST_HANDSHAKES_MS));
}

void http_listener_close(struct http_listener *listener)
{
	if (listener->fd < 0)
		return;
	http_listener_leave(listener);
	for (uint32_t queued = 0; listener->watch && queued < listener->server->options.limits.backlog;
		 queued++) {
		if (!accept_one(listener))
			break;
	}
	if (listener->watch)
		loop_unwatch(listener->watch);
	loop_timer_free(listener->resume);
	loop_timer_free(listener->leave);
	close(listener->fd);
	listener->fd = -1;
	atomic_store(&listener->is_open, false);
	listener->watch = NULL;
	listener->resume = NULL;
	listener->leave = NULL;
}
