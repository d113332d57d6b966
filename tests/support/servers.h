/* Private servers for tests: redis-server and nats-server with their data in the test's directory.
 *
 * Redis listens on a unix socket, and on a loopback port when asked; NATS on a loopback port.
 * Stopped or killed and started again, a server has the same addresses and the same data
 * directory, as a pod with a volume has. Ports are taken below the range that the kernel hands out
 * to connecting sockets: a client that retries towards a stopped server could otherwise be given
 * that very port and connect to itself.
 */
#ifndef SUPPORT_SERVERS_H
#define SUPPORT_SERVERS_H

#include <stdbool.h>

/* A loopback port that nobody listens on, and that no other test program is given while this one
 * runs. */
int free_port(void);
/* This one, for the life of the program. false: it is taken. */
bool port_take(int port);

struct redis_options {
	bool append_only;		  /* keep the data over a restart; the kernel has it, so no fsync */
	bool tcp;				  /* also a loopback port */
	const char *const *extra; /* further arguments, ends in NULL; borrowed for the server's life */
};

struct redis_server;

/* Started and answering. options may be NULL. gives; redis_free() */
struct redis_server *redis_start(const struct redis_options *options);
const char *redis_url(const struct redis_server *redis);	   /* "unix:///…/redis.sock"; lends */
const char *redis_socket(const struct redis_server *redis);	   /* its path; lends */
const char *redis_directory(const struct redis_server *redis); /* where its data is; lends */
const char *redis_tcp_url(const struct redis_server *redis);   /* "redis://127.0.0.1:port"; lends */
int redis_port(const struct redis_server *redis);			   /* 0 without tcp */
struct process *redis_process(struct redis_server *redis);	   /* to signal or look at; lends */

/* Sends an inline command ("CONFIG SET maxmemory 1mb"); gives the raw reply. */
char *redis_do(struct redis_server *redis, const char *command);

void redis_stop(struct redis_server *redis); /* in good order: SIGTERM */
void redis_kill(struct redis_server *redis); /* SIGKILL */
void redis_pause(struct redis_server *redis);
void redis_continue(struct redis_server *redis);
void redis_restart(struct redis_server *redis); /* kills it when it runs; then starts it again */
void redis_free(struct redis_server *redis);

struct nats_server;

/* With JetStream. gives; nats_free() */
struct nats_server *nats_start(void);
const char *nats_url(const struct nats_server *nats); /* "nats://127.0.0.1:port"; lends */
struct process *nats_process(struct nats_server *nats);
void nats_stop(struct nats_server *nats);
void nats_kill(struct nats_server *nats);
void nats_pause(struct nats_server *nats);
void nats_continue(struct nats_server *nats);
void nats_restart(struct nats_server *nats);
void nats_free(struct nats_server *nats);

#endif
