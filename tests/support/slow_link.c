/* Slow link: one thread, which takes bytes in as they come and gives them out when they are due.
 *
 * A pipe is one direction of a connection: a queue of pieces, the oldest first. The thread sleeps
 * until the first piece of any pipe is due, or something can be read. Trouble of one end, or its
 * end, ends the connection; what is on its way then is lost, as on a cable that was cut.
 */
#include "support/slow_link.h"

#include <arpa/inet.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <sys/socket.h>
#include <unistd.h>

#include "support/cmocka.h"
#include "waitingroom/clock.h"
#include "waitingroom/memory.h"

#define CONNECTIONS_MAX 64
#define PIECE_BYTES 16384

struct piece {
	TAILQ_ENTRY(piece) link;
	struct mono_time due;
	size_t len;
	char bytes[];
};

struct pipe {
	int from, to;
	TAILQ_HEAD(, piece) pieces;
};

struct connection {
	bool used;
	struct pipe pipes[2];
};

struct slow_link {
	int port, server_port, listener;
	atomic_int delay_ms;
	pthread_t thread;
	atomic_bool stop;
	struct connection connections[CONNECTIONS_MAX];
};

static struct sockaddr_in local(int port)
{
	return (struct sockaddr_in){.sin_family = AF_INET,
								.sin_port = htons((uint16_t)port),
								.sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
}

static void take_connection(struct slow_link *link)
{
	int visitor = accept(link->listener, NULL, NULL);
	int server = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct sockaddr_in address = local(link->server_port);
	struct connection *free_one = NULL;
	for (size_t i = 0; i < CONNECTIONS_MAX && free_one == NULL; i++)
		if (!link->connections[i].used)
			free_one = &link->connections[i];
	if (visitor < 0 || free_one == NULL ||
		connect(server, (struct sockaddr *)&address, sizeof(address)) != 0) {
		close(visitor);
		close(server);
		return;
	}
	free_one->used = true;
	for (int way = 0; way < 2; way++) {
		struct pipe *pipe = &free_one->pipes[way];
		pipe->from = way == 0 ? visitor : server;
		pipe->to = way == 0 ? server : visitor;
		TAILQ_INIT(&pipe->pieces);
	}
}

static void end_connection(struct connection *connection)
{
	for (int way = 0; way < 2; way++) {
		struct pipe *pipe = &connection->pipes[way];
		while (!TAILQ_EMPTY(&pipe->pieces)) {
			struct piece *piece = TAILQ_FIRST(&pipe->pieces);
			TAILQ_REMOVE(&pipe->pieces, piece, link);
			free(piece);
		}
		close(pipe->from);
	}
	connection->used = false;
}

/* false: that end is gone. */
static bool take_piece(struct pipe *pipe, int delay_ms)
{
	struct piece *piece = mem_alloc_zero(1, sizeof(*piece) + PIECE_BYTES);
	ssize_t got = recv(pipe->from, piece->bytes, PIECE_BYTES, MSG_DONTWAIT);
	if (got <= 0) {
		free(piece);
		return false;
	}
	piece->len = (size_t)got;
	piece->due = mono_add_ms(clock_mono(), delay_ms);
	TAILQ_INSERT_TAIL(&pipe->pieces, piece, link);
	return true;
}

static bool give_pieces(struct pipe *pipe)
{
	struct mono_time now = clock_mono();
	for (struct piece *piece;
		 (piece = TAILQ_FIRST(&pipe->pieces)) != NULL && piece->due.ns <= now.ns;) {
		if (send(pipe->to, piece->bytes, piece->len, MSG_NOSIGNAL) != (ssize_t)piece->len)
			return false;
		TAILQ_REMOVE(&pipe->pieces, piece, link);
		free(piece);
	}
	return true;
}

static int ms_until_due(const struct slow_link *link)
{
	int64_t wait_ms = 20; /* looks for the end meanwhile */
	for (size_t i = 0; i < CONNECTIONS_MAX; i++)
		for (int way = 0; link->connections[i].used && way < 2; way++) {
			const struct piece *piece = TAILQ_FIRST(&link->connections[i].pipes[way].pieces);
			int64_t left_ms = piece ? (piece->due.ns - clock_mono().ns) / 1000000 : wait_ms;
			wait_ms = left_ms < 0 ? 0 : left_ms < wait_ms ? left_ms : wait_ms;
		}
	return (int)wait_ms;
}

static void turn(struct slow_link *link)
{
	struct pollfd watched[1 + 2 * CONNECTIONS_MAX] = {{.fd = link->listener, .events = POLLIN}};
	for (size_t i = 0; i < CONNECTIONS_MAX; i++)
		for (int way = 0; way < 2; way++)
			watched[1 + 2 * i + (size_t)way] = (struct pollfd){
				.fd = link->connections[i].used ? link->connections[i].pipes[way].from : -1,
				.events = POLLIN};
	poll(watched, 1 + 2 * CONNECTIONS_MAX, ms_until_due(link));
	for (size_t i = 0; i < CONNECTIONS_MAX; i++) {
		struct connection *connection = &link->connections[i];
		bool good = true;
		for (int way = 0; connection->used && good && way < 2; way++)
			good = (watched[1 + 2 * i + (size_t)way].revents == 0 ||
					take_piece(&connection->pipes[way], atomic_load(&link->delay_ms))) &&
				   give_pieces(&connection->pipes[way]);
		if (!good)
			end_connection(connection);
	}
	if (watched[0].revents != 0)
		take_connection(link);
}

static void *run(void *ctx)
{
	struct slow_link *link = ctx;
	while (!atomic_load(&link->stop))
		turn(link);
	return NULL;
}

struct slow_link *slow_link_open(int port, int delay_ms)
{
	struct slow_link *link = mem_alloc_zero(1, sizeof(*link));
	struct sockaddr_in address = local(0);
	socklen_t len = sizeof(address);
	link->server_port = port;
	slow_link_set_delay(link, delay_ms);
	link->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(link->listener, (struct sockaddr *)&address, len), 0);
	assert_int_equal(listen(link->listener, CONNECTIONS_MAX), 0);
	assert_int_equal(getsockname(link->listener, (struct sockaddr *)&address, &len), 0);
	link->port = ntohs(address.sin_port);
	assert_int_equal(pthread_create(&link->thread, NULL, run, link), 0);
	return link;
}

int slow_link_port(const struct slow_link *link)
{
	return link->port;
}

void slow_link_set_delay(struct slow_link *link, int delay_ms)
{
	atomic_store(&link->delay_ms, delay_ms);
}

void slow_link_free(struct slow_link *link)
{
	if (link == NULL)
		return;
	atomic_store(&link->stop, true);
	pthread_join(link->thread, NULL);
	for (size_t i = 0; i < CONNECTIONS_MAX; i++)
		if (link->connections[i].used)
			end_connection(&link->connections[i]);
	close(link->listener);
	free(link);
}
