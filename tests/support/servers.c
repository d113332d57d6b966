/* Private servers: each is a process, an address that stays, and a data directory that stays. */
#include "support/servers.h"

#include "support/cmocka.h"
#include "support/process.h"
#include "support/temp.h"
#include "support/wait.h"
#include "waitingroom/memory.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define START_DEADLINE_MS 10000
#define STOP_DEADLINE_MS 10000
#define ARGUMENTS_MAX 64
#define PORT_LOWEST 15000 /* below net.ipv4.ip_local_port_range */
#define PORT_HIGHEST 31999

/* ---- addresses ---- */

static struct sockaddr_in loopback(int port)
{
	return (struct sockaddr_in){
		.sin_family = AF_INET,
		.sin_port = htons((uint16_t)port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
}

static bool can_bind(int fd, int port)
{
	struct sockaddr_in address = loopback(port);
	return bind(fd, (struct sockaddr *)&address, sizeof(address)) == 0;
}

/* Between our look at a port and the server's bind others may look as well; and pods that share a
 * port (SO_REUSEPORT) would not even notice. The UDP port of that number, which nobody else uses,
 * says whose it is. */
bool port_take(int port)
{
	int tcp = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int udp = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	bool ours = can_bind(udp, port) && can_bind(tcp, port);
	close(tcp);
	if (!ours)
		close(udp); /* else open until the program ends */
	return ours;
}

int free_port(void)
{
	for (int tries = 0; tries < 100; tries++) {
		unsigned random;
		if (getrandom(&random, sizeof(random), 0) != sizeof(random))
			abort();
		int port = PORT_LOWEST + (int)(random % (PORT_HIGHEST - PORT_LOWEST + 1));
		if (port_take(port))
			return port;
	}
	fail_msg("no free port");
	return 0;
}

static bool port_answers(int port)
{
	struct sockaddr_in address = loopback(port);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	bool connected = connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0;
	close(fd);
	return connected;
}

/* Each server of a test binary has a number, for its directory and its log. */
static int next_number(void)
{
	static int last;
	return ++last;
}

static char *make_directory(const char *name, int number)
{
	char *path = temp_path("%s%d", name, number);
	if (mkdir(path, 0700))
		fail_msg("cannot make %s", path);
	return path;
}

/* ---- Redis ---- */

struct redis_server {
	struct redis_options options;
	int number, port, starts;
	char *directory, *socket, *url, *tcp_url;
	struct process *process;
};

static void redis_launch(struct redis_server *redis)
{
	char port[8], name[32];
	snprintf(port, sizeof(port), "%d", redis->port);
	snprintf(name, sizeof(name), "redis%d.%d", redis->number, ++redis->starts);
	const char *keep = redis->options.append_only ? "yes" : "no";
	const char *argv[ARGUMENTS_MAX] = {
		"redis-server", "--port",		 port,	  "--bind",			"127.0.0.1",
		"--unixsocket", redis->socket,	 "--dir", redis->directory, "--appendonly",
		keep,			"--appendfsync", "no",	  "--save",			"",
	};
	int count = 15;
	for (const char *const *extra = redis->options.extra; extra && *extra; extra++) {
		assert_in_range(count, 0, ARGUMENTS_MAX - 2);
		argv[count++] = *extra;
	}
	process_free(redis->process);
	redis->process = process_start(name, argv, NULL);
}

static int redis_dial(const struct redis_server *redis)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	if (strlen(redis->socket) >= sizeof(address.sun_path))
		fail_msg("too long for a socket: %s", redis->socket);
	strcpy(address.sun_path, redis->socket);
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0)
		return fd;
	close(fd);
	return -1;
}

/* Has the whole first reply arrived? Enough for status, number and bulk replies. */
static bool reply_is_whole(const char *reply, size_t len)
{
	const char *line_end = memmem(reply, len, "\r\n", 2);
	if (!line_end)
		return false;
	if (reply[0] != '$')
		return true;
	long bulk = strtol(reply + 1, NULL, 10);
	return bulk < 0 || len >= (size_t)(line_end + 2 - reply) + (size_t)bulk + 2;
}

char *redis_do(struct redis_server *redis, const char *command)
{
	int fd = redis_dial(redis);
	if (fd < 0)
		return NULL;
	char *reply = mem_alloc_zero(65536, 1);
	size_t len = 0;
	bool sent = dprintf(fd, "%s\r\n", command) > 0;
	while (sent && len < 65535 && !reply_is_whole(reply, len)) {
		ssize_t got = recv(fd, reply + len, 65535 - len, 0);
		if (got <= 0)
			break;
		len += (size_t)got;
	}
	close(fd);
	return reply;
}

static bool redis_is_ready(struct redis_server *redis)
{
	WR_AUTO(mem_free_at) char *reply = redis_do(redis, "PING");
	return reply && strncmp(reply, "+PONG", 5) == 0;
}

static void redis_await(struct redis_server *redis)
{
	WAIT_UNTIL(START_DEADLINE_MS, redis_is_ready(redis), "redis answers");
}

static void redis_set_urls(struct redis_server *redis)
{
	free(redis->url);
	free(redis->tcp_url);
	if (asprintf(&redis->url, "unix://%s", redis->socket) < 0 ||
		asprintf(&redis->tcp_url, "redis://127.0.0.1:%d", redis->port) < 0)
		abort();
}

struct redis_server *redis_start(const struct redis_options *options)
{
	struct redis_server *redis = mem_alloc_zero(1, sizeof(*redis));
	if (options)
		redis->options = *options;
	redis->number = next_number();
	redis->directory = make_directory("redis", redis->number);
	redis->socket = temp_path("redis%d.sock", redis->number);
	redis->port = redis->options.tcp ? free_port() : 0;
	redis_set_urls(redis);
	redis_launch(redis);
	redis_await(redis);
	return redis;
}

const char *redis_url(const struct redis_server *redis)
{
	return redis->url;
}

const char *redis_socket(const struct redis_server *redis)
{
	return redis->socket;
}

const char *redis_directory(const struct redis_server *redis)
{
	return redis->directory;
}

const char *redis_tcp_url(const struct redis_server *redis)
{
	assert_int_not_equal(redis->port, 0);
	return redis->tcp_url;
}

int redis_port(const struct redis_server *redis)
{
	return redis->port;
}

struct process *redis_process(struct redis_server *redis)
{
	return redis->process;
}

void redis_stop(struct redis_server *redis)
{
	process_stop(redis->process, STOP_DEADLINE_MS);
}

void redis_kill(struct redis_server *redis)
{
	process_kill(redis->process);
}

void redis_pause(struct redis_server *redis)
{
	process_pause(redis->process);
}

void redis_continue(struct redis_server *redis)
{
	process_continue(redis->process);
}

void redis_restart(struct redis_server *redis)
{
	redis_kill(redis);
	redis_launch(redis);
	redis_await(redis);
}

void redis_free(struct redis_server *redis)
{
	if (!redis)
		return;
	process_free(redis->process);
	free(redis->directory);
	free(redis->socket);
	free(redis->url);
	free(redis->tcp_url);
	free(redis);
}

/* ---- NATS ---- */

struct nats_server {
	int number, port, starts;
	char *directory, *url;
	struct process *process;
};

static void nats_launch(struct nats_server *nats)
{
	char port[8], name[32];
	snprintf(port, sizeof(port), "%d", nats->port);
	snprintf(name, sizeof(name), "nats%d.%d", nats->number, ++nats->starts);
	const char *argv[] = {"nats-server", "-a",	"127.0.0.1",	 "-p", port,
						  "-js",		 "-sd", nats->directory, NULL};
	process_free(nats->process);
	nats->process = process_start(name, argv, NULL);
	/* JetStream is restored before the port opens, so a connection means ready. */
	WAIT_UNTIL(START_DEADLINE_MS, port_answers(nats->port), "nats answers");
}

struct nats_server *nats_start(void)
{
	struct nats_server *nats = mem_alloc_zero(1, sizeof(*nats));
	nats->number = next_number();
	nats->directory = make_directory("nats", nats->number);
	nats->port = free_port();
	if (asprintf(&nats->url, "nats://127.0.0.1:%d", nats->port) < 0)
		abort();
	nats_launch(nats);
	return nats;
}

const char *nats_url(const struct nats_server *nats)
{
	return nats->url;
}

struct process *nats_process(struct nats_server *nats)
{
	return nats->process;
}

void nats_stop(struct nats_server *nats)
{
	process_signal(nats->process, SIGINT); /* at SIGTERM it would exit with 1 */
	assert_int_equal(process_wait(nats->process, STOP_DEADLINE_MS), 0);
}

void nats_kill(struct nats_server *nats)
{
	process_kill(nats->process);
}

void nats_pause(struct nats_server *nats)
{
	process_pause(nats->process);
}

void nats_continue(struct nats_server *nats)
{
	process_continue(nats->process);
}

void nats_restart(struct nats_server *nats)
{
	nats_kill(nats);
	nats_launch(nats);
}

void nats_free(struct nats_server *nats)
{
	if (!nats)
		return;
	process_free(nats->process);
	free(nats->directory);
	free(nats->url);
	free(nats);
}
