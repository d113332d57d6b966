/* The site behind the rig: one route per thing that a test wants to see.
 *
 * Work from the test is handed to the loop's thread through one slot and loop_wake(); the test
 * waits on a condition until it is done, so it may look at the rig's plain fields inside the work
 * only.
 */
#include "support/http_rig.h"

#include "support/cmocka.h"
#include "support/wait.h"
#include "waitingroom/memory.h"

#include <arpa/inet.h>
#include <assert.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define TEXT "text/plain"
#define BIG_BYTES 20000

/* ---- the site ---- */

static void reply_text(struct http_request *request, const char *text)
{
	http_reply(request, 200, TEXT, text, strlen(text));
}

static void serve_hello(void *ctx, struct http_request *request, const struct route_match *match)
{
	(void)ctx, (void)match;
	memcpy(http_reply_room(request), "hello", 5);
	http_reply_written(request, 200, TEXT, 5);
}

static void serve_smuggled(void *ctx, struct http_request *request, const struct route_match *match)
{
	(void)match;
	((struct rig *)ctx)->smuggled++;
	reply_text(request, "smuggled");
}

static void serve_echo(void *ctx, struct http_request *request, const struct route_match *match)
{
	(void)ctx, (void)match;
	size_t len;
	const char *body = http_request_body(request, &len);
	http_reply(request, 200, TEXT, body, len);
}

static void serve_park(void *ctx, struct http_request *request, const struct route_match *match)
{
	(void)match;
	struct rig *rig = ctx;
	assert(rig->parked_count < RIG_PARKED_MAX);
	strcpy(http_request_notes(request), http_request_id(request));
	http_request_park(request);
	rig->parked[rig->parked_count++] = request;
}

void rig_release(struct rig *rig)
{
	for (int i = 0; i < rig->parked_count; i++)
		reply_text(rig->parked[i], http_request_notes(rig->parked[i]));
	rig->parked_count = 0;
}

/* From within the handler of another connection, which the library must survive. */
static void serve_release(void *ctx, struct http_request *request, const struct route_match *match)
{
	(void)match;
	rig_release(ctx);
	reply_text(request, "released");
}

static void serve_nothing(void *ctx, struct http_request *request, const struct route_match *match)
{
	(void)ctx, (void)request, (void)match;
}

static void serve_query(void *ctx, struct http_request *request, const struct route_match *match)
{
	(void)ctx, (void)match;
	char value[16], text[64];
	bool found = http_request_query(request, "name", value, sizeof(value));
	snprintf(text, sizeof(text), "%s|%s", http_request_path(request), found ? value : "(none)");
	reply_text(request, text);
}

static void serve_cookie(void *ctx, struct http_request *request, const struct route_match *match)
{
	(void)ctx, (void)match;
	const char *value = "(none)";
	size_t len = strlen(value);
	(void)http_request_cookie(request, "place", &value, &len);
	http_reply(request, 200, TEXT, value, len);
}

static void serve_big(void *ctx, struct http_request *request, const struct route_match *match)
{
	(void)ctx, (void)match;
	static char big[BIG_BYTES];
	memset(big, 'b', sizeof(big));
	http_reply_header(request, "Cache-Control", "public, max-age=2");
	http_reply(request, 200, TEXT, big, sizeof(big));
}

static void serve_broken_header(void *ctx, struct http_request *request,
								const struct route_match *match)
{
	(void)ctx, (void)match;
	http_reply_header(request, "Location", "/a\r\nSet-Cookie: evil=1");
	reply_text(request, "fine");
}

static void serve_client(void *ctx, struct http_request *request, const struct route_match *match)
{
	(void)match;
	struct rig *rig = ctx;
	char network[NETWORK_TEXT_BYTES], text[128];
	struct client_ip client = http_request_client(request, rig->proxies);
	client_ip_network(&client, network);
	snprintf(text, sizeof(text), "%s %s", http_request_peer(request), network);
	reply_text(request, text);
}

static void serve_any(void *ctx, struct http_request *request, const struct route_match *match)
{
	(void)ctx;
	char text[256];
	snprintf(text, sizeof(text), "%s %.*s", http_method_word(http_request_method(request)),
			 (int)match->len[0], match->segment[0]);
	reply_text(request, text);
}

static void serve_problem(void *ctx, struct http_request *request, const struct route_match *match)
{
	(void)ctx, (void)match;
	http_reply_problem(request, WR_STORE_AWAY, NULL, 3);
}

static const struct route routes[] = {
	{HTTP_GET, "/hello", serve_hello, ROUTE_NOT_LIMITED, false},
	{HTTP_GET, "/smuggled", serve_smuggled, ROUTE_NOT_LIMITED, false},
	{HTTP_POST, "/echo", serve_echo, ROUTE_NOT_LIMITED, false},
	{HTTP_GET, "/park", serve_park, ROUTE_NOT_LIMITED, false},
	{HTTP_POST, "/park", serve_park, ROUTE_NOT_LIMITED, false},
	{HTTP_POST, "/release", serve_release, ROUTE_NOT_LIMITED, false},
	{HTTP_GET, "/nothing", serve_nothing, ROUTE_NOT_LIMITED, false},
	{HTTP_GET, "/query", serve_query, ROUTE_NOT_LIMITED, false},
	{HTTP_GET, "/cookie", serve_cookie, ROUTE_NOT_LIMITED, false},
	{HTTP_GET, "/big", serve_big, ROUTE_NOT_LIMITED, false},
	{HTTP_GET, "/broken-header", serve_broken_header, ROUTE_NOT_LIMITED, false},
	{HTTP_GET, "/client", serve_client, ROUTE_NOT_LIMITED, false},
	{HTTP_GET, "/problem", serve_problem, ROUTE_NOT_LIMITED, false},
	{ROUTE_ANY_METHOD, "/any/{...}", serve_any, ROUTE_NOT_LIMITED, false},
	{HTTP_POST, "/join", serve_echo, ROUTE_LIMITED, true},
	{HTTP_GET, "/shared", serve_hello, ROUTE_NOT_LIMITED, true},
};

static const char *const origins[] = {"https://shop.example"};

/* ---- the thread ---- */

static void count_and_handle(void *ctx, struct http_request *request)
{
	struct rig *rig = ctx;
	rig->served++;
	chain_handle(rig->chain, request);
}

static void count_done(void *ctx, const struct http_request *request, int status,
					   int64_t duration_us)
{
	struct rig *rig = ctx;
	assert(http_request_id(request)[0] && duration_us >= 0);
	rig->done_status = status;
	rig->done++;
}

static void do_work(void *ctx)
{
	struct rig *rig = ctx;
	pthread_mutex_lock(&rig->lock);
	if (rig->work)
		rig->work(rig);
	rig->work = NULL;
	pthread_cond_signal(&rig->finished);
	pthread_mutex_unlock(&rig->lock);
}

static int64_t count_turn(void *ctx)
{
	((struct rig *)ctx)->turns++;
	return -1;
}

static void *run(void *ctx)
{
	struct rig *rig = ctx;
	while (!rig->stopping)
		loop_turn(rig->loop, -1);
	return NULL;
}

void rig_do(struct rig *rig, void (*work)(struct rig *rig))
{
	pthread_mutex_lock(&rig->lock);
	rig->work = work;
	loop_wake(rig->loop);
	while (rig->work)
		pthread_cond_wait(&rig->finished, &rig->lock);
	pthread_mutex_unlock(&rig->lock);
}

/* ---- starting and stopping ---- */

static void change(uint32_t *limit, uint32_t to)
{
	if (to)
		*limit = to;
}

static void change_limits(struct http_limits *limits, const struct http_limits *changes)
{
	change(&limits->connections_max, changes->connections_max);
	change(&limits->connection_memory_bytes, changes->connection_memory_bytes);
	change(&limits->body_max_bytes, changes->body_max_bytes);
	change(&limits->headers_max, changes->headers_max);
	change(&limits->idle_timeout_s, changes->idle_timeout_s);
	change(&limits->request_deadline_ms, changes->request_deadline_ms);
	change(&limits->backlog, changes->backlog);
}

struct rig *rig_start_at(const char *listen, const struct http_limits *changes)
{
	struct rig *rig = mem_alloc_zero(1, sizeof(*rig));
	struct err_detail detail = {""};
	pthread_mutex_init(&rig->lock, NULL);
	pthread_cond_init(&rig->finished, NULL);
	assert_int_equal(trusted_proxies_parse("127.0.0.0/8", &rig->proxies, &detail), WR_OK);
	rig->chain = chain_new(&(struct chain_options){
		.routes = routes,
		.route_count = sizeof(routes) / sizeof(routes[0]),
		.cors = {.origins = origins, .count = 1},
		.rate_limit = {.per_address = 3, .per_network = 5, .window_s = 60, .table_slots = 64},
		.proxies = rig->proxies,
		.ctx = rig,
	});
	struct http_server_options options = {
		.listen = listen, .handler = count_and_handle, .done = count_done, .ctx = rig};
	http_limits_default(&options.limits);
	if (changes)
		change_limits(&options.limits, changes);
	rig->loop = loop_new();
	loop_set_on_wake(rig->loop, do_work, rig);
	loop_add_before_wait(rig->loop, count_turn, rig);
	if (http_server_open(rig->loop, &options, &rig->server, &detail))
		fail_msg("%s", detail.text);
	assert_int_equal(pthread_create(&rig->thread, NULL, run, rig), 0);
	return rig;
}

struct rig *rig_start(const struct http_limits *changes)
{
	return rig_start_at("127.0.0.1:0", changes);
}

static void release_and_close(struct rig *rig)
{
	rig_release(rig);
	http_server_close(rig->server);
	rig->stopping = true;
}

void rig_stop(struct rig *rig)
{
	rig_do(rig, release_and_close);
	pthread_join(rig->thread, NULL);
	chain_free(rig->chain);
	trusted_proxies_free(rig->proxies);
	loop_free(rig->loop);
	free(rig);
}

const char *rig_address(const struct rig *rig)
{
	return http_server_address(rig->server);
}

struct http_counts rig_counts(const struct rig *rig)
{
	struct http_counts counts;
	http_server_counts(rig->server, &counts);
	return counts;
}

void rig_drain(struct rig *rig)
{
	http_server_drain(rig->server);
}

/* ---- bare sockets ---- */

int rig_connect(const struct rig *rig)
{
	const char *address = rig_address(rig);
	union {
		struct sockaddr any;
		struct sockaddr_in v4;
		struct sockaddr_un un;
	} to = {.un = {.sun_family = AF_UNIX}};
	int port;
	char ip[64];
	if (sscanf(address, "%63[0-9.]:%d", ip, &port) == 2) {
		to.v4 = (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
		inet_pton(AF_INET, ip, &to.v4.sin_addr);
	} else {
		strncpy(to.un.sun_path, address + strlen("unix:"), sizeof(to.un.sun_path) - 1);
	}
	int fd = socket(to.any.sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	socklen_t len = to.any.sa_family == AF_INET ? sizeof(to.v4) : sizeof(to.un);
	if (fd < 0 || connect(fd, &to.any, len))
		fail_msg("cannot connect to %s", address);
	return fd;
}

void rig_send(int fd, const void *bytes, size_t len)
{
	/* A server that has refused may have closed already: what it said is what counts. */
	ssize_t ignored = send(fd, bytes, len, MSG_NOSIGNAL);
	(void)ignored;
}

void rig_send_text(int fd, const char *text)
{
	rig_send(fd, text, strlen(text));
}

char *rig_read_to_end(int fd, int deadline_ms)
{
	struct mono_time deadline = wait_deadline(deadline_ms);
	struct pollfd readable = {.fd = fd, .events = POLLIN};
	size_t room = 65536, len = 0;
	char *text = mem_alloc_zero(1, room + 1);
	for (;;) {
		if (poll(&readable, 1, wait_left_ms(deadline)) != 1)
			fail_msg("still open after %d ms, received: \"%.300s\"", deadline_ms, text);
		ssize_t got = recv(fd, text + len, room - len, 0);
		if (got <= 0)
			break;
		len += (size_t)got;
		assert(len < room);
	}
	close(fd);
	return text;
}

int rig_count_text(const char *text, const char *part)
{
	int count = 0;
	for (const char *at = text; (at = strstr(at, part)); at += strlen(part))
		count++;
	return count;
}
