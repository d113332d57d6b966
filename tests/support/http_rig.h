/* A server in a thread of the test, with a small site behind it, for the tests of lib/http.
 *
 * The thread owns the loop and the server; the test talks to it over sockets, and asks it to do
 * things in between with rig_do(), which waits until the loop has done them.
 */
#ifndef SUPPORT_HTTP_RIG_H
#define SUPPORT_HTTP_RIG_H

#include <pthread.h>
#include <stdatomic.h>

#include "waitingroom/client_ip.h"
#include "waitingroom/http.h"
#include "waitingroom/router.h"

#define RIG_PARKED_MAX 64

struct rig {
	pthread_t thread;
	struct loop *loop;
	struct http_server *server;
	struct chain *chain;
	struct http_server_options options;
	struct trusted_proxies *proxies;
	struct http_request *parked[RIG_PARKED_MAX];
	atomic_int parked_count;
	atomic_int served;	 /* requests that reached a handler */
	atomic_int smuggled; /* those for /smuggled */
	atomic_int done, done_status;
	atomic_int turns; /* of the loop: many of them mean that it spins */
	atomic_bool stopping;
	pthread_mutex_t lock;
	pthread_cond_t finished;
	void (*work)(struct rig *rig); /* to be done by the loop's thread */
};

/* Starts a server with the default limits on a loopback port; a field of 'changes' that is not zero
 * replaces the default. */
struct rig *rig_start(const struct http_limits *changes);
struct rig *rig_start_at(const char *listen, const struct http_limits *changes);
void rig_stop(struct rig *rig); /* releases what is parked; frees */
const char *rig_address(const struct rig *rig);
void rig_do(struct rig *rig, void (*work)(struct rig *rig));
struct http_counts rig_counts(const struct rig *rig);
/* For rig_do. */
void rig_release(struct rig *rig); /* answers all that is parked */
void rig_drain(struct rig *rig);

/* A bare socket to the server. */
int rig_connect(const struct rig *rig);
void rig_send(int fd, const void *bytes, size_t len);
void rig_send_text(int fd, const char *text);
/* All that comes until the peer closes; gives, and closes fd. Fails the test when the connection is
 * still open at the deadline. */
char *rig_read_to_end(int fd, int deadline_ms);
int rig_count_text(const char *text, const char *part);

#endif
