/* Site: one loop over a few connections, in a child that never execs.
 *
 * A connection begins as HTTP and may become a websocket; then only whole short frames are known,
 * which is all that a test sends.
 */
#include "support/site.h"

#include "support/cmocka.h"
#include "support/http.h"
#include "waitingroom/memory.h"

#include <arpa/inet.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define CONNECTIONS_MAX 256
#define REQUEST_BYTES 65536
#define FRAME_BYTES_MAX 125
#define COUNT_PATH "/how-many-requests"

struct site {
	pid_t pid;
	char address[32];
};

struct connection {
	int fd;
	bool is_websocket;
	size_t len;
	char bytes[REQUEST_BYTES + 1];
};

struct loop_state {
	int listener, count, requests;
	struct connection *connections[CONNECTIONS_MAX];
};

/* ---- HTTP ---- */

/* Value of a header in 'head', any case; empty when absent. Lends a pointer up to the line's
 * end. */
static const char *header(const char *head, const char *name)
{
	size_t len = strlen(name);
	for (const char *line = head; (line = strstr(line, "\r\n")) != NULL;) {
		line += 2;
		if (strncasecmp(line, name, len) == 0 && line[len] == ':')
			return line + len + 1 + strspn(line + len + 1, " ");
	}
	return "";
}

static void answer(struct connection *connection, const char *body, size_t len, bool has_body)
{
	dprintf(connection->fd,
			"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nX-Site: yes\r\n"
			"Set-Cookie: site=1\r\nContent-Length: %zu\r\n\r\n%.*s",
			len, has_body ? (int)len : 0, body);
}

static void upgrade(struct connection *connection)
{
	connection->is_websocket = true;
	dprintf(connection->fd,
			"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\n"
			"Upgrade: websocket\r\nSec-WebSocket-Accept: %s\r\n\r\n",
			SITE_WEBSOCKET_ACCEPT);
}

/* Length of a whole request at the beginning of what has arrived; 0: more is to come. */
static size_t request_bytes(const struct connection *connection)
{
	const char *end = strstr(connection->bytes, "\r\n\r\n");
	if (end == NULL)
		return 0;
	size_t len = (size_t)(end + 4 - connection->bytes) +
				 strtoul(header(connection->bytes, "Content-Length"), NULL, 10);
	return len <= connection->len ? len : 0;
}

static size_t serve_request(struct loop_state *state, struct connection *connection)
{
	size_t len = request_bytes(connection);
	if (len == 0)
		return 0;
	if (strncmp(connection->bytes, "GET " COUNT_PATH " ", strlen("GET " COUNT_PATH " ")) == 0) {
		char count[16];
		int count_len = snprintf(count, sizeof(count), "%d", state->requests);
		answer(connection, count, (size_t)count_len, true);
		return len;
	}
	state->requests++;
	if (strncasecmp(header(connection->bytes, "Upgrade"), "websocket", 9) == 0)
		upgrade(connection);
	else
		answer(connection, connection->bytes, len, strncmp(connection->bytes, "HEAD ", 5) != 0);
	return len;
}

/* ---- websocket: a masked frame of at most 125 bytes comes back without its mask ---- */

static size_t serve_frame(struct connection *connection)
{
	uint8_t *frame = (uint8_t *)connection->bytes;
	if (connection->len < 2)
		return 0;
	size_t payload = frame[1] & 0x7f;
	if (payload > FRAME_BYTES_MAX || !(frame[1] & 0x80)) {
		shutdown(connection->fd, SHUT_RDWR);
		return connection->len;
	}
	if (connection->len < 6 + payload)
		return 0;
	uint8_t back[2 + FRAME_BYTES_MAX] = {frame[0], (uint8_t)payload};
	for (size_t i = 0; i < payload; i++)
		back[2 + i] = frame[6 + i] ^ frame[2 + i % 4];
	if (write(connection->fd, back, 2 + payload) < 0)
		shutdown(connection->fd, SHUT_RDWR);
	return 6 + payload;
}

/* ---- the loop ---- */

/* False when the connection has ended. */
static bool serve(struct loop_state *state, struct connection *connection)
{
	ssize_t got = recv(connection->fd, connection->bytes + connection->len,
					   REQUEST_BYTES - connection->len, 0);
	if (got <= 0)
		return false;
	connection->len += (size_t)got;
	for (;;) {
		connection->bytes[connection->len] = '\0';
		size_t used =
			connection->is_websocket ? serve_frame(connection) : serve_request(state, connection);
		if (used == 0)
			return connection->len < REQUEST_BYTES;
		connection->len -= used;
		memmove(connection->bytes, connection->bytes + used, connection->len);
	}
}

static void take_connection(struct loop_state *state)
{
	int fd = accept(state->listener, NULL, NULL);
	if (fd < 0 || state->count == CONNECTIONS_MAX) {
		close(fd);
		return;
	}
	struct connection *connection = mem_alloc_zero(1, sizeof(*connection));
	connection->fd = fd;
	state->connections[state->count++] = connection;
}

static void drop_connection(struct loop_state *state, int i)
{
	close(state->connections[i]->fd);
	free(state->connections[i]);
	state->connections[i] = state->connections[--state->count];
}

_Noreturn static void run(int listener, pid_t parent)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	signal(SIGPIPE, SIG_IGN);
	if (getppid() != parent)
		_exit(1);
	struct loop_state state = {.listener = listener};
	for (;;) {
		struct pollfd fds[CONNECTIONS_MAX + 1];
		fds[0] = (struct pollfd){.fd = listener, .events = POLLIN};
		for (int i = 0; i < state.count; i++)
			fds[i + 1] = (struct pollfd){.fd = state.connections[i]->fd, .events = POLLIN};
		poll(fds, (nfds_t)state.count + 1, -1);
		/* from the last: dropping one moves the last into its place */
		for (int i = state.count - 1; i >= 0; i--) {
			if (fds[i + 1].revents && !serve(&state, state.connections[i]))
				drop_connection(&state, i);
		}
		if (fds[0].revents)
			take_connection(&state);
	}
}

/* ---- starting and ending ---- */

static int listen_somewhere(char ret_address[32])
{
	int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof(address);
	if (bind(listener, (struct sockaddr *)&address, len) || listen(listener, 128) ||
		getsockname(listener, (struct sockaddr *)&address, &len))
		fail_msg("no listening socket for the site");
	snprintf(ret_address, 32, "127.0.0.1:%d", ntohs(address.sin_port));
	return listener;
}

struct site *site_start(void)
{
	struct site *site = mem_alloc_zero(1, sizeof(*site));
	int listener = listen_somewhere(site->address);
	pid_t parent = getpid();
	fflush(NULL);
	site->pid = fork();
	if (site->pid < 0)
		fail_msg("no process for the site");
	if (site->pid == 0)
		run(listener, parent);
	close(listener);
	return site;
}

void site_free(struct site *site)
{
	if (!site)
		return;
	kill(site->pid, SIGKILL);
	waitpid(site->pid, NULL, 0);
	free(site);
}

const char *site_address(const struct site *site)
{
	return site->address;
}

int site_count(const struct site *site)
{
	WR_AUTO(http_answer_free_at)
	struct http_answer *said = http_call(site->address, "GET", COUNT_PATH, NULL, NULL);
	return (int)strtol(said->body, NULL, 10);
}
