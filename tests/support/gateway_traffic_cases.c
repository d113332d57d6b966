/* What goes over the wire: websockets, long headers, headers that a visitor made up,
 * connections. */
#include "support/api.h"
#include "support/gateway_cases.h"
#include "support/wait.h"
#include "waitingroom/memory.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- websockets ---- */

/* Asks for an upgrade; gives the head of the answer. */
static struct http_answer *ask_upgrade(struct http_client *client, const char *session)
{
	char headers[TOKEN_MAX_BYTES + 512];
	snprintf(headers, sizeof(headers),
			 SITE_WEBSOCKET_HEADERS "Sec-Fetch-Mode: websocket\r\n%s%s\r\n",
			 session ? "Cookie: wr-session-demo=" : "Accept: */*", session ? session : "");
	http_client_send(client, "GET", "/live", headers, NULL);
	return http_client_read_head(client, 5000);
}

static void a_websocket_passes_through_with_a_session(void **state)
{
	(void)state;
	struct http_client *client = http_client_open(gateway_url(gateway_world()->gateway));
	WR_AUTO(http_answer_free_at)
	struct http_answer *answer = ask_upgrade(client, gateway_world()->session);
	api_expect_status(answer, 101);
	assert_string_equal(http_answer_header(answer, "Sec-WebSocket-Accept"), SITE_WEBSOCKET_ACCEPT);
	for (int round = 0; round < 3; round++) {
		/* text "Hello", masked: the example of RFC 6455 5.7 */
		static const unsigned char frame[] = {0x81, 0x85, 0x37, 0xfa, 0x21, 0x3d,
											  0x7f, 0x9f, 0x4d, 0x51, 0x58};
		static const unsigned char wanted[] = {0x81, 0x05, 'H', 'e', 'l', 'l', 'o'};
		unsigned char echo[sizeof(wanted)];
		assert_true(http_client_send_raw(client, frame, sizeof(frame)));
		assert_true(http_client_read_raw(client, echo, sizeof(echo), 5000));
		assert_memory_equal(echo, wanted, sizeof(wanted));
	}
	http_client_close(client);
}

static void a_websocket_without_a_session_is_refused(void **state)
{
	(void)state;
	struct http_client *client = http_client_open(gateway_url(gateway_world()->gateway));
	int seen = site_count(gateway_world()->site);
	WR_AUTO(http_answer_free_at) struct http_answer *answer = ask_upgrade(client, NULL);
	api_expect_status(answer, 401);
	http_client_close(client);
	assert_int_equal(site_count(gateway_world()->site), seen);
}

/* ---- long ones ---- */

/* A line "Cookie: shop=xxxx…; wr-session-demo=<session>"; gives */
static char *cookies_of(size_t bytes, const char *session)
{
	char *filling = mem_alloc_zero(bytes + 1, 1), *line;
	memset(filling, 'x', bytes);
	if (asprintf(&line, AS_PAGE "Cookie: shop=%s; wr-session-demo=%s\r\n", filling, session) < 0)
		abort();
	free(filling);
	return line;
}

static void six_kilobytes_of_cookies_are_no_trouble(void **state)
{
	(void)state;
	WR_AUTO(mem_free_at) char *cookies = cookies_of(6000, gateway_world()->session);
	WR_AUTO(http_answer_free_at)
	struct http_answer *in = visit("GET", "/hall", cookies, NULL, NULL);
	expect_site(in);
	expect_saw(in, "xxxxxxxxxx; wr-session-demo=");
	WR_AUTO(mem_free_at) char *none = cookies_of(6000, "nonsense");
	WR_AUTO(http_answer_free_at) struct http_answer *out = visit("GET", "/hall", none, NULL, NULL);
	expect_room(out, NULL);
}

static void cookies_beyond_all_limits_are_refused_politely(void **state)
{
	(void)state;
	int seen = site_count(gateway_world()->site);
	WR_AUTO(mem_free_at) char *cookies = cookies_of(60000, gateway_world()->session);
	struct http_client *client = http_client_open(gateway_url(gateway_world()->gateway));
	/* it may answer and close before it has read all */
	http_client_send_raw(client, "GET /hall HTTP/1.1\r\nHost: shop\r\n", 32);
	http_client_send_raw(client, cookies, strlen(cookies));
	http_client_send_raw(client, "\r\n", 2);
	WR_AUTO(http_answer_free_at) struct http_answer *answer = http_client_try_read(client, 5000);
	if (answer && (answer->status < 400 || answer->status > 499))
		fail_msg("status %d", answer->status);
	http_client_close(client);
	assert_int_equal(site_count(gateway_world()->site), seen);
	WR_AUTO(http_answer_free_at)
	struct http_answer *next = visit_page("/hall", gateway_world()->session);
	expect_site(next);
}

static void a_long_address_is_no_trouble(void **state)
{
	(void)state;
	char path[4096] = "/search?q=";
	memset(path + strlen(path), 'y', 4000 - strlen(path));
	WR_AUTO(http_answer_free_at)
	struct http_answer *in = visit_page(path, gateway_world()->session);
	expect_site(in);
	expect_saw(in, path);
	WR_AUTO(http_answer_free_at) struct http_answer *out = visit_page(path, NULL);
	expect_room(out, NULL);
	/* one that still fits as a target comes back whole */
	path[1000] = '\0';
	WR_AUTO(mem_free_at) char *target = site_url(path);
	WR_AUTO(http_answer_free_at) struct http_answer *back = visit_page(path, NULL);
	expect_room(back, target);
}

/* ---- what visitors make up ---- */

#define MADE_UP                                                                                    \
	AS_PAGE "X-Original-URL: http://evil.example/assets/x.css\r\n"                                 \
			"X-Original-URI: /assets/x.css\r\nX-Original-Method: OPTIONS\r\n"                      \
			"X-Forwarded-Uri: /assets/x.css\r\nX-Forwarded-Method: OPTIONS\r\n"                    \
			"X-Forwarded-Host: evil.example\r\nX-Forwarded-Proto: gopher\r\n"                      \
			"X-Forwarded-For: 10.9.9.9\r\nX-Real-IP: 10.9.9.9\r\n"                                 \
			"Forwarded: for=10.9.9.9;host=evil.example\r\n"                                        \
			"X-WaitingRoom-Session: made-up\r\nX-WaitingRoom-State: admitted\r\n"

static void headers_that_a_visitor_made_up_open_nothing(void **state)
{
	(void)state;
	int seen = site_count(gateway_world()->site);
	WR_AUTO(mem_free_at) char *target = site_url("/hall?seat=1");
	WR_AUTO(http_answer_free_at)
	struct http_answer *page = visit("GET", "/hall?seat=1", MADE_UP, NULL, NULL);
	expect_room(page, target);
	WR_AUTO(http_answer_free_at)
	struct http_answer *forwarded_twice =
		visit("GET", "/hall?seat=1",
			  AS_PAGE "X-Forwarded-For: 10.9.9.9\r\nX-Forwarded-For: 10.9.9.8\r\n", NULL, NULL);
	expect_room(forwarded_twice, target);
	assert_int_equal(site_count(gateway_world()->site), seen);
}

static void headers_that_a_visitor_made_up_do_not_reach_the_site(void **state)
{
	(void)state;
	WR_AUTO(http_answer_free_at)
	struct http_answer *page = visit("GET", "/hall", MADE_UP, gateway_world()->session, NULL);
	expect_site(page);
	expect_not_saw(page, "made-up");
	expect_not_saw(page, "X-Forwarded-Host: evil");
	expect_not_saw(page, "gopher");
	expect_not_saw(page, "X-Forwarded-For: 10.9.9.9");
	expect_saw(page, "\r\nX-Forwarded-For: 127.0.0.1\r\n");
	WR_AUTO(http_answer_free_at)
	struct http_answer *asset = visit("GET", "/assets/a.css", MADE_UP, NULL, NULL);
	if (gateway_world()->kind != GATEWAY_HAPROXY_OFFLINE) {
		expect_site(asset);
		expect_not_saw(asset, "made-up");
	}
}

static void nobody_asks_the_questions_from_outside(void **state)
{
	(void)state;
	static const char *const paths[] = {
		"/_wr/authz/nginx?queue=default/demo",
		"/_wr/authz/forward?queue=default/demo",
		"/_wr/authz/envoy/hall?queue=default/demo",
		"/_wr/%61uthz/forward?queue=default/demo",
		"/_wr//authz/forward?queue=default/demo",
		"/_wr/./authz/forward?queue=default/demo",
		"/_wr_gate",
	};
	for (size_t i = 0; i < COUNT(paths); i++) {
		WR_AUTO(http_answer_free_at)
		struct http_answer *answer = visit_page(paths[i], gateway_world()->session);
		/* the last is a page of the site like any other */
		if (answer->status != 404 && answer->status != 400 && !is_site(answer))
			fail_msg("%s: status %d", paths[i], answer->status);
	}
}

/* ---- the room beside the site ---- */

static void the_room_is_reached_beside_the_site(void **state)
{
	(void)state;
	WR_AUTO(http_answer_free_at)
	struct http_answer *line = visit("GET", "/_wr/queues/default/demo", NULL, NULL, NULL);
	api_expect_status(line, 200);
	WR_AUTO(mem_free_at) char *queue = http_answer_text(line, "queue_id");
	assert_string_equal(queue, "default/demo");
	WR_AUTO(http_answer_free_at)
	struct http_answer *page = visit_page("/_wr/q/default/demo?t=abc", NULL);
	api_expect_status(page, 200);
	assert_int_equal(strncmp(http_answer_header(page, "Content-Type"), "text/html", 9), 0);
	/* the way back to the site is followed from where the room sent the visitor */
	WR_AUTO(http_answer_free_at) struct http_answer *refused = visit_page("/hall", NULL);
	WR_AUTO(http_answer_free_at)
	struct http_answer *room = visit_page(path_of(http_answer_header(refused, "Location")), NULL);
	api_expect_status(room, 200);
}

/* ---- connections ---- */

static double connections_to_pods(void)
{
	double sum = 0;
	for (int pod = 0; pod < 2; pod++)
		sum += stack_metric(stack_internal_url(gateway_world()->stack, pod),
							"wr_http_connections_accepted_total");
	return sum;
}

static void connections_to_the_pods_are_kept(void **state)
{
	(void)state;
	double before = connections_to_pods();
	for (int i = 0; i < 60; i++) {
		WR_AUTO(http_answer_free_at)
		struct http_answer *answer = visit_page("/hall", gateway_world()->session);
		expect_site(answer);
	}
	double opened = connections_to_pods() - before;
	if (opened > 12) /* processes or threads of the gateway times pods, and then some */
		fail_msg("%g connections for 60 requests", opened);
}

const struct gateway_case gateway_traffic_cases[] = {
	GATEWAY_CASE(a_websocket_passes_through_with_a_session, FOR_ALL),
	GATEWAY_CASE(a_websocket_without_a_session_is_refused, FOR_ALL),
	GATEWAY_CASE(six_kilobytes_of_cookies_are_no_trouble, FOR_ALL),
	GATEWAY_CASE(cookies_beyond_all_limits_are_refused_politely, FOR_ALL),
	GATEWAY_CASE(a_long_address_is_no_trouble, FOR_ALL),
	GATEWAY_CASE(headers_that_a_visitor_made_up_open_nothing, FOR_ALL),
	GATEWAY_CASE(headers_that_a_visitor_made_up_do_not_reach_the_site, FOR_ALL),
	GATEWAY_CASE(nobody_asks_the_questions_from_outside, FOR_ALL),
	GATEWAY_CASE(the_room_is_reached_beside_the_site, FOR_ALL),
	GATEWAY_CASE(connections_to_the_pods_are_kept, FOR_ASKING),
	{.test = {0}},
};
