/* Link: the one connection of a client, from the first attempt to the end.
 *
 *     DOWN ──timer──► CONNECTING ──socket──► GREETING ──all answers good──► READY
 *       ▲                  │                     │                            │
 *       └──────────────────┴──── link_drop ──────┴────────────────────────────┘
 *
 * A server whose greeting (greeting.c) is not as it should be, or not over within the time-out, is
 * left again.
 *
 * The next attempt comes after a random part of a span that doubles from 50 ms to 2 s, so that many
 * pods do not come back in step. The span starts again when a call has been answered, not when a
 * connection was made: a server that takes connections and then fails must not be hammered.
 *
 * hiredis 0.14 has no deadlines, and frees the context itself when it sees an error. A context that
 * we give up is therefore cut loose first (no hooks, no data) and then freed: whatever hiredis
 * still calls finds nothing to do. It looks up names while connecting, so it is only given
 * addresses.
 */
#include "lib/store/client.h"
#include "tls.h"

#include "waitingroom/log.h"
#include "waitingroom/memory.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>

#define BACKOFF_FIRST_MS 50
#define BACKOFF_LAST_MS 2000
#define GREETING_MIN_MS 500 /* shorter time-outs are meant for calls */
#define SILENCE_MAX_MS 5000 /* of a peer that has data to acknowledge */
#define KEEPALIVE_IDLE_S 5
#define KEEPALIVE_EVERY_S 1
#define KEEPALIVE_TRIES 5

/* ---- the loop's side of hiredis ---- */

static void on_ready_socket(void *ctx, unsigned events)
{
	struct store *store = ctx;
	redisAsyncContext *connection = store->connection;
	if (events & LOOP_READ)
		redisAsyncHandleRead(connection);
	/* Reading may have ended this connection, and writing must not meet the next one. */
	if (events & LOOP_WRITE && store->connection == connection)
		redisAsyncHandleWrite(connection);
}

static void watch_change(struct store *store, unsigned events)
{
	store->events = events;
	if (store->watch)
		loop_watch_events(store->watch, events);
	else if (events)
		store->watch =
			loop_watch(store->loop, store->connection->c.fd, events, on_ready_socket, store);
}

static void add_read(void *ctx)
{
	struct store *store = ctx;
	watch_change(store, store->events | LOOP_READ);
}

static void del_read(void *ctx)
{
	struct store *store = ctx;
	watch_change(store, store->events & ~(unsigned)LOOP_READ);
}

static void add_write(void *ctx)
{
	struct store *store = ctx;
	watch_change(store, store->events | LOOP_WRITE);
}

static void del_write(void *ctx)
{
	struct store *store = ctx;
	watch_change(store, store->events & ~(unsigned)LOOP_WRITE);
}

static void unwatch(void *ctx)
{
	struct store *store = ctx;
	loop_unwatch(store->watch);
	store->watch = NULL;
	store->events = 0;
}

bool link_send(struct store *store, redisCallbackFn *fn, void *ctx, const char *bytes, size_t len)
{
	if (!store->connection ||
		redisAsyncFormattedCommand(store->connection, fn, ctx, bytes, len) != REDIS_OK)
		return false;
	counter_add(&store->counters.commands, 1);
	return true;
}

/* ---- down, and up again ---- */

static uint64_t random_next(struct store *store)
{
	/* xorshift64 (Marsaglia 2003): spreads pods, protects nothing */
	store->random ^= store->random << 13;
	store->random ^= store->random >> 7;
	store->random ^= store->random << 17;
	return store->random;
}

static int64_t backoff_ms(struct store *store)
{
	unsigned doublings = store->attempts < 6 ? store->attempts : 6;
	int64_t span = (int64_t)BACKOFF_FIRST_MS << doublings;
	if (span > BACKOFF_LAST_MS)
		span = BACKOFF_LAST_MS;
	if (store->options.no_reconnect_jitter)
		return span;
	return 1 + (int64_t)(random_next(store) % (uint64_t)span);
}

/* Moves to DOWN: fails the calls, says so once, and arms the next attempt. */
static void link_lost(struct store *store, const char *reason)
{
	bool was_ready = store->state == LINK_READY;
	store->state = LINK_DOWN;
	atomic_store_explicit(&store->counters.ready, false, memory_order_relaxed);
	if (!was_ready)
		counter_add(&store->counters.refusals, 1);
	if (was_ready || !store->said_lost)
		log_event(LOG_LEVEL_WARN, was_ready ? "store_lost" : "store_unreachable",
				  LOG_TEXT("reason", reason));
	store->said_lost = true;
	snprintf(store->trouble, sizeof(store->trouble), "%s", reason);
	calls_fail_all(store);
	loop_timer_arm(store->link_timer, mono_add_ms(clock_mono(), backoff_ms(store)));
	store->attempts++;
}

/* Cuts the context loose and frees it, or has hiredis free it when its callback returns. */
static void let_go(struct store *store)
{
	redisAsyncContext *connection = store->connection;
	if (!connection)
		return;
	unwatch(store);
	store->connection = NULL;
	store->ssl = NULL;
	memset(&connection->ev, 0, sizeof(connection->ev));
	connection->onConnect = NULL;
	connection->onDisconnect = NULL;
	connection->data = NULL;
	redisAsyncFree(connection);
}

void link_drop(struct store *store, const char *reason)
{
	if (store->state == LINK_DOWN)
		return;
	let_go(store);
	link_lost(store, reason);
}

void link_works(struct store *store)
{
	store->attempts = 0;
}

void link_ready(struct store *store)
{
	store->state = LINK_READY;
	loop_timer_disarm(store->link_timer);
	atomic_store_explicit(&store->counters.ready, true, memory_order_relaxed);
	if (store->was_ready)
		counter_add(&store->counters.reconnects, 1);
	store->was_ready = true;
	log_event(store->said_lost ? LOG_LEVEL_INFO : LOG_LEVEL_DEBUG, "store_connected",
			  LOG_TEXT("life", store->life), LOG_NUMBER("attempts", store->attempts + 1));
	store->said_lost = false;
	if (store->on_ready)
		store->on_ready(store->on_ready_ctx);
}

/* ---- connecting ---- */

static void on_connect(const redisAsyncContext *connection, int status)
{
	struct store *store = connection->data;
	if (status == REDIS_OK) {
		store->state = LINK_GREETING;
		greeting_send(store);
		return;
	}
	/* hiredis frees the context when this returns. */
	unwatch(store);
	store->connection = NULL;
	store->ssl = NULL;
	link_lost(store, connection->c.errstr);
}

static void on_disconnect(const redisAsyncContext *connection, int status)
{
	(void)status;
	struct store *store = connection->data;
	unwatch(store);
	const char *refusal = tls_refusal(store->ssl);
	store->connection = NULL;
	store->ssl = NULL;
	link_lost(store, refusal ? refusal : connection->errstr ? connection->errstr : "closed");
}

static redisAsyncContext *dial(const struct store_endpoint *endpoint)
{
	if (endpoint->port == 0)
		return redisAsyncConnectUnix(endpoint->host);
	redisAsyncContext *connection = redisAsyncConnect(endpoint->host, endpoint->port);
	if (!connection || connection->err || connection->c.fd < 0)
		return connection;
	int fd = connection->c.fd;
	/* Without these a peer that vanished would hold a connection for many minutes. They make
	 * nothing worse when they cannot be set. */
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
	setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &(int){1}, sizeof(int));
	setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &(int){KEEPALIVE_IDLE_S}, sizeof(int));
	setsockopt(fd, IPPROTO_TCP, TCP_KEEPINTVL, &(int){KEEPALIVE_EVERY_S}, sizeof(int));
	setsockopt(fd, IPPROTO_TCP, TCP_KEEPCNT, &(int){KEEPALIVE_TRIES}, sizeof(int));
	setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &(int){SILENCE_MAX_MS}, sizeof(int));
	return connection;
}

static void link_start(struct store *store)
{
	struct store_endpoint endpoint;
	store->greetings_left = 0;
	memset(store->reloading, 0, sizeof(store->reloading));
	if (!store_address_pick(store->address, store->attempts, &endpoint)) {
		link_lost(store, "the host name could not be looked up");
		return;
	}
	redisAsyncContext *connection = dial(&endpoint);
	if (!connection || connection->err) {
		link_lost(store, connection ? connection->errstr : "out of memory");
		if (connection)
			redisAsyncFree(connection);
		return;
	}
	const struct tls *tls = store_address_tls(store->address);
	if (tls && !(store->ssl = tls_begin(tls, connection))) {
		redisAsyncFree(connection);
		link_lost(store, "TLS could not be begun");
		return;
	}
	store->connection = connection;
	store->state = LINK_CONNECTING;
	connection->data = store;
	connection->c.reader->maxbuf = 0; /* keep the buffer, whatever its size */
	reply_pool_use(&store->replies, connection->c.reader);
	connection->ev.data = store;
	connection->ev.addRead = add_read;
	connection->ev.delRead = del_read;
	connection->ev.addWrite = add_write;
	connection->ev.delWrite = del_write;
	connection->ev.cleanup = unwatch;
	redisAsyncSetDisconnectCallback(connection, on_disconnect);
	redisAsyncSetConnectCallback(connection, on_connect);
	int64_t patience_ms = store->options.timeout_ms;
	if (patience_ms < GREETING_MIN_MS)
		patience_ms = GREETING_MIN_MS;
	loop_timer_arm(store->link_timer, mono_add_ms(clock_mono(), patience_ms));
}

static void on_link_timer(void *ctx)
{
	struct store *store = ctx;
	if (store->state == LINK_DOWN)
		link_start(store);
	else
		link_drop(store, "no greeting in time");
}

/* hiredis writes without MSG_NOSIGNAL. A program that has its own idea of SIGPIPE keeps it. */
static void ignore_sigpipe(void)
{
	struct sigaction now;
	if (sigaction(SIGPIPE, NULL, &now) == 0 && now.sa_handler == SIG_DFL)
		signal(SIGPIPE, SIG_IGN);
}

void link_init(struct store *store)
{
	ignore_sigpipe();
	if (getrandom(&store->random, sizeof(store->random), 0) != sizeof(store->random) ||
		store->random == 0)
		store->random = 1;
	store->link_timer = loop_timer_new(store->loop, on_link_timer, store);
	link_start(store);
}

void link_fini(struct store *store)
{
	let_go(store);
	store->state = LINK_DOWN;
	atomic_store_explicit(&store->counters.ready, false, memory_order_relaxed);
	loop_timer_free(store->link_timer);
	store->link_timer = NULL;
}
