/* The crowd's HTTP client against a server that answers, closes, mumbles or is not there. */
#include "cmd/wrload/address.h"
#include "cmd/wrload/client.h"

#include "support/cmocka.h"
#include "support/temp.h"
#include "support/wait.h"
#include "waitingroom/memory.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define REQUESTS_MAX 64
#define PEERS_MAX 64
#define FINE "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"

/* ---- a server in the same loop: one connection is a peer ---- */

struct peer {
	int fd;
	struct loop_watch *watch;
};

static struct {
	int fd;
	struct loop_watch *watch;
	char *path;
	struct peer peers[PEERS_MAX];
	int accepted, requests;
	const char *answer;	 /* NULL: none */
	bool closes_after;	 /* after each answer */
	char last_head[512]; /* the request heard last */
} server;

static void peer_close(struct peer *peer)
{
	if (!peer->watch)
		return;
	loop_unwatch(peer->watch);
	close(peer->fd);
	peer->watch = NULL;
}

static void on_peer(void *ctx, unsigned events)
{
	(void)events;
	struct peer *peer = ctx;
	ssize_t len = recv(peer->fd, server.last_head, sizeof(server.last_head) - 1, 0);
	if (len <= 0) {
		peer_close(peer);
		return;
	}
	server.last_head[len] = '\0';
	server.requests++;
	if (server.answer)
		assert_int_equal(send(peer->fd, server.answer, strlen(server.answer), MSG_NOSIGNAL),
						 strlen(server.answer));
	if (server.closes_after)
		peer_close(peer);
}

static struct loop *loop;

static void on_listening(void *ctx, unsigned events)
{
	(void)ctx;
	(void)events;
	assert_in_range(server.accepted, 0, PEERS_MAX - 1);
	struct peer *peer = &server.peers[server.accepted++];
	peer->fd = accept4(server.fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
	assert_true(peer->fd >= 0);
	peer->watch = loop_watch(loop, peer->fd, LOOP_READ, on_peer, peer);
}

static void server_open(void)
{
	struct sockaddr_un un = {.sun_family = AF_UNIX};
	snprintf(un.sun_path, sizeof(un.sun_path), "%s", server.path);
	server.fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(server.fd, (struct sockaddr *)&un, sizeof(un)), 0);
	assert_int_equal(listen(server.fd, PEERS_MAX), 0);
	server.watch = loop_watch(loop, server.fd, LOOP_READ, on_listening, NULL);
}

static void server_hang_up(void)
{
	for (int i = 0; i < server.accepted; i++)
		peer_close(&server.peers[i]);
}

static void server_close(void)
{
	server_hang_up();
	if (!server.watch)
		return;
	loop_unwatch(server.watch);
	close(server.fd);
	unlink(server.path);
	server.watch = NULL;
}

/* ---- the client ---- */

static struct client *client;
static struct client_request requests[REQUESTS_MAX];
static int done_count, outcomes[OUTCOME_COUNT], last_status;
static int64_t last_retry_after_s;

static int begin(void **state)
{
	(void)state;
	static int runs;
	memset(&server, 0, sizeof(server));
	memset(outcomes, 0, sizeof(outcomes));
	memset(requests, 0, sizeof(requests));
	done_count = 0;
	server.answer = FINE;
	server.path = temp_path("server%d", ++runs);
	loop = loop_new();
	WR_AUTO(mem_free_at) char *url = NULL;
	assert_true(asprintf(&url, "unix:%s", server.path) > 0);
	assert_int_equal(
		client_new(loop, (const char *const[]){url}, 1, 4, &client, &(struct err_detail){{0}}),
		WR_OK);
	return 0;
}

static int end(void **state)
{
	(void)state;
	client_free(client);
	server_close();
	loop_free(loop);
	free(server.path);
	return 0;
}

static void on_done(void *ctx, struct client_request *request, enum client_outcome outcome,
					const struct client_answer *answer)
{
	assert_ptr_equal(ctx, &requests[request - requests]);
	assert_int_equal(answer != NULL, outcome == CLIENT_ANSWERED);
	done_count++;
	outcomes[outcome]++;
	last_status = answer ? answer->status : 0;
	last_retry_after_s = answer ? answer->retry_after_s : 0;
}

static void submit(int number)
{
	requests[number] = (struct client_request){
		.path = "/heartbeat", .bearer = "t.o.k", .done = on_done, .ctx = &requests[number]};
	client_submit(client, &requests[number]);
}

static void await(int count)
{
	struct mono_time deadline = wait_deadline(3000);
	while (done_count < count && clock_mono().ns < deadline.ns)
		loop_turn(loop, 10);
	assert_int_equal(done_count, count);
}

static void a_connection_is_used_again(void **state)
{
	(void)state;
	server_open();
	for (int i = 0; i < 5; i++) {
		submit(i);
		await(i + 1);
	}
	assert_int_equal(outcomes[CLIENT_ANSWERED], 5);
	assert_int_equal(server.accepted, 1);
	assert_int_equal(server.requests, 5);
}

static void a_request_says_what_it_was_given(void **state)
{
	(void)state;
	server_open();
	requests[0] = (struct client_request){.path = "/enqueue",
										  .idempotency_key = "key-1",
										  .body = "{\"queue_id\":\"demo\"}",
										  .done = on_done,
										  .ctx = &requests[0]};
	client_submit(client, &requests[0]);
	await(1);
	assert_string_equal(server.last_head, "POST /enqueue HTTP/1.1\r\nHost: localhost\r\n"
										  "Content-Length: 19\r\nContent-Type: application/json\r\n"
										  "Idempotency-Key: \"key-1\"\r\n\r\n"
										  "{\"queue_id\":\"demo\"}");
	submit(1);
	await(2);
	assert_string_equal(server.last_head,
						"POST /heartbeat HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n"
						"Authorization: Bearer t.o.k\r\n\r\n");
}

static void requests_without_a_connection_wait_in_line(void **state)
{
	(void)state;
	server_open();
	for (int i = 0; i < REQUESTS_MAX; i++)
		submit(i);
	await(REQUESTS_MAX);
	assert_int_equal(outcomes[CLIENT_ANSWERED], REQUESTS_MAX);
	assert_int_equal(server.accepted, 4);
}

static void a_request_that_met_a_closing_connection_is_sent_again_unnoticed(void **state)
{
	(void)state;
	server_open();
	submit(0);
	await(1);
	server_hang_up(); /* the client has not looked yet, and sends into the closed connection */
	submit(1);
	await(2);
	assert_int_equal(outcomes[CLIENT_ANSWERED], 2);
	assert_int_equal(server.accepted, 2);
}

static void a_server_that_closes_without_an_answer_resets(void **state)
{
	(void)state;
	server_open();
	server.answer = NULL;
	server.closes_after = true;
	submit(0);
	await(1);
	assert_int_equal(outcomes[CLIENT_RESET], 1);
	assert_int_equal(server.requests, 1); /* a fresh connection: not sent again */
}

static void an_answer_that_breaks_off_resets(void **state)
{
	(void)state;
	server_open();
	server.answer = "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf";
	server.closes_after = true;
	submit(0);
	await(1);
	assert_int_equal(outcomes[CLIENT_RESET], 1);
}

static void an_answer_that_says_close_ends_the_connection(void **state)
{
	(void)state;
	server_open();
	server.answer = "HTTP/1.1 503 Busy\r\nConnection: close\r\nRetry-After: 3\r\n"
					"Content-Length: 0\r\n\r\n";
	for (int i = 0; i < 3; i++) {
		submit(i);
		await(i + 1);
	}
	assert_int_equal(outcomes[CLIENT_ANSWERED], 3);
	assert_int_equal(last_status, 503);
	assert_int_equal(last_retry_after_s, 3);
	assert_int_equal(server.accepted, 3);
}

static void what_is_not_http_is_garbled(void **state)
{
	(void)state;
	server_open();
	server.answer = "+OK ready\r\n\r\n";
	submit(0);
	await(1);
	assert_int_equal(outcomes[CLIENT_GARBLED], 1);
	server.answer = FINE "and more";
	submit(1);
	await(2);
	assert_int_equal(outcomes[CLIENT_ANSWERED], 1);
	submit(2);
	await(3);
	assert_int_equal(server.accepted, 3); /* nothing is read after bytes that nobody asked for */
}

static void nobody_listening_refuses(void **state)
{
	(void)state;
	for (int i = 0; i < 6; i++)
		submit(i);
	await(6);
	assert_int_equal(outcomes[CLIENT_REFUSED], 6);
	server_open();
	submit(6);
	await(7);
	assert_int_equal(outcomes[CLIENT_ANSWERED], 1);
}

static void the_prefix_of_a_gateway_is_part_of_the_address(void **state)
{
	(void)state;
	static const struct {
		const char *url, *host, *prefix;
	} rows[] = {{"http://127.0.0.1:80/_wr", "127.0.0.1:80", "/_wr"},
				{"http://127.0.0.1/_wr/", "127.0.0.1", "/_wr"},
				{"http://127.0.0.1:81/", "127.0.0.1:81", ""},
				{"http://127.0.0.1:81", "127.0.0.1:81", ""}};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct address address;
		assert_int_equal(address_resolve(rows[i].url, &address, &(struct err_detail){{0}}), WR_OK);
		assert_string_equal(address.host, rows[i].host);
		assert_string_equal(address.prefix, rows[i].prefix);
	}
}

static void addresses_that_cannot_be_used_are_named(void **state)
{
	(void)state;
	static const char *const bad[] = {"https://a", "http://", "http://a:1/pa th",
									  "ftp://a",   "a:80",	  "http://127.0.0.1:notaport"};
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct client *other = NULL;
		struct err_detail detail = {{0}};
		assert_int_equal(client_new(loop, &bad[i], 1, 4, &other, &detail), WR_BAD_CONFIG);
		assert_non_null(strstr(detail.text, bad[i]));
	}
}

#define CLIENT_TEST(test) cmocka_unit_test_setup_teardown(test, begin, end)
int main(void)
{
	const struct CMUnitTest tests[] = {
		CLIENT_TEST(a_connection_is_used_again),
		CLIENT_TEST(a_request_says_what_it_was_given),
		CLIENT_TEST(requests_without_a_connection_wait_in_line),
		CLIENT_TEST(a_request_that_met_a_closing_connection_is_sent_again_unnoticed),
		CLIENT_TEST(a_server_that_closes_without_an_answer_resets),
		CLIENT_TEST(an_answer_that_breaks_off_resets),
		CLIENT_TEST(an_answer_that_says_close_ends_the_connection),
		CLIENT_TEST(what_is_not_http_is_garbled),
		CLIENT_TEST(nobody_listening_refuses),
		CLIENT_TEST(the_prefix_of_a_gateway_is_part_of_the_address),
		CLIENT_TEST(addresses_that_cannot_be_used_are_named),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
