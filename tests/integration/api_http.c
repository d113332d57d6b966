/* What holds for every endpoint: methods, ids, caching, CORS, connections, limits by address.
 *
 * Two stacks: 'plain' as in most tests; 'guarded' behind a trusted proxy, with secure cookies and a
 * limit of five joins a minute from one address. A pod counts per worker, so there is one worker.
 */
#include "support/api.h"
#include "support/cmocka.h"
#include "support/wait.h"
#include "waitingroom/memory.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SHOP "https://shop.example"
#define FROM_SHOP "Origin: " SHOP "\r\n"
#define JOIN "{\"queue_id\":\"line\"}"

static struct stack *plain, *guarded;
static const char *url, *guarded_url;

static int open_rooms(void **state)
{
	(void)state;
	const char *queues = QUEUES(QUEUE("line", HELD ",\"message\":\"Soon.\""));
	plain = stack_start(&(struct stack_options){
		.pods = 1,
		.without_nats = true,
		.queues = queues,
		.env = (const char *const[]){NO_RATE_LIMITS, "WR_CORS_ORIGINS=https://other.example," SHOP,
									 NULL}});
	url = stack_url(plain, 0);
	guarded = stack_start(&(struct stack_options){
		.pods = 1,
		.without_nats = true,
		.queues = queues,
		.env = (const char *const[]){"WR_SECURE_COOKIES=1", "WR_REQUESTS_PER_ADDRESS=5",
									 "WR_TRUSTED_PROXIES=127.0.0.0/8,10.0.0.0/8", "WR_WORKERS=1",
									 NULL}});
	guarded_url = stack_url(guarded, 0);
	return 0;
}

static int close_rooms(void **state)
{
	(void)state;
	stack_free(guarded);
	stack_free(plain);
	return 0;
}

static struct http_answer *call(const char *method, const char *path, const char *headers)
{
	return http_call(url, method, path, headers, NULL);
}

static void expect_header(const struct http_answer *answer, const char *name, const char *value)
{
	const char *found = http_answer_header(answer, name);
	if (!value && found)
		fail_msg("there is a header %s: %s", name, found);
	if (value && (!found || strcmp(found, value) != 0))
		fail_msg("%s is \"%s\" instead of \"%s\"", name, found ? found : "(absent)", value);
}

/* ---- public counts ---- */

static void public_counts_name_nobody_and_may_be_cached(void **state)
{
	(void)state;
	WR_AUTO(http_answer_free_at)
	struct http_answer *answer = call("GET", "/queues/default/line", NULL);
	api_expect_status(answer, 200);
	api_expect_members(answer, "queue_id:s state:s message:s waiting:n estimated_wait_s:o0");
	expect_header(answer, "Cache-Control", "public, max-age=2, stale-while-revalidate=5");
	WR_AUTO(mem_free_at) char *word = http_answer_text(answer, "state");
	assert_string_equal(word, "hold");
	WR_AUTO(mem_free_at) char *message = http_answer_text(answer, "message");
	assert_string_equal(message, "Soon.");
}

static bool counts_have_moved(const char *headers)
{
	WR_AUTO(http_answer_free_at)
	struct http_answer *answer = call("GET", "/queues/default/line", headers);
	return answer->status == 200;
}

static void equal_counts_are_not_sent_twice(void **state)
{
	(void)state;
	WR_AUTO(http_answer_free_at)
	struct http_answer *first = call("GET", "/queues/default/line", NULL);
	char headers[128];
	snprintf(headers, sizeof(headers), "If-None-Match: W/\"other\", %s\r\n",
			 http_answer_header(first, "ETag"));
	WR_AUTO(http_answer_free_at)
	struct http_answer *same = call("GET", "/queues/default/line", headers);
	api_expect_status(same, 304);
	assert_int_equal(same->body_len, 0);
	expect_header(same, "ETag", http_answer_header(first, "ETag"));
	expect_header(same, "Cache-Control", http_answer_header(first, "Cache-Control"));
	free(api_join(url, "line"));
	WAIT_UNTIL(5000, counts_have_moved(headers), "the tag changes with the counts");
}

static void counts_of_an_unknown_queue_are_404(void **state)
{
	(void)state;
	static const char *const paths[] = {"/queues/default/none", "/queues/none/line",
										"/queues/default/LINE", "/queues/default/..",
										"/queues/default/line%20"};
	for (size_t i = 0; i < COUNT(paths); i++) {
		WR_AUTO(http_answer_free_at) struct http_answer *answer = call("GET", paths[i], NULL);
		api_expect_problem(answer, 404, "no_such_queue");
	}
}

/* ---- methods and paths ---- */

static void unknown_paths_are_404(void **state)
{
	(void)state;
	static const char *const paths[] = {
		"/",	   "/nothing",		"/enqueue/",	 "//enqueue",  "/ENQUEUE",		   "/%65nqueue",
		"/queues", "/queues/a/b/c", "/queues//line", "/./enqueue", "/admin/v1/queues", "/metrics",
		"/livez",  "/debug/state"};
	for (size_t i = 0; i < COUNT(paths); i++) {
		WR_AUTO(http_answer_free_at) struct http_answer *answer = call("GET", paths[i], NULL);
		api_expect_problem(answer, 404, "not_found");
	}
}

static void other_methods_are_405_and_say_which_are_taken(void **state)
{
	(void)state;
	static const char *const rows[][3] = {
		{"GET", "/enqueue", "POST, OPTIONS"},
		{"DELETE", "/heartbeat", "POST, OPTIONS"},
		{"PUT", "/leave", "POST, OPTIONS"},
		{"POST", "/status", "GET, HEAD, OPTIONS"},
		{"PATCH", "/session/release", "POST, OPTIONS"},
		{"POST", "/queues/default/line", "GET, HEAD, OPTIONS"},
		{"POST", "/.well-known/jwks.json", "GET, HEAD, OPTIONS"},
	};
	for (size_t i = 0; i < COUNT(rows); i++) {
		WR_AUTO(http_answer_free_at)
		struct http_answer *answer = call(rows[i][0], rows[i][1], NULL);
		api_expect_problem(answer, 405, "method_not_allowed");
		expect_header(answer, "Allow", rows[i][2]);
	}
}

static void head_has_the_headers_of_get_and_no_body(void **state)
{
	(void)state;
	WR_AUTO(mem_free_at) char *token = api_join(url, "line");
	char headers[2048];
	snprintf(headers, sizeof(headers), "Authorization: Bearer %s\r\n", token);
	struct http_client *client = http_client_open(url);
	http_client_send(client, "HEAD", "/status", headers, NULL);
	WR_AUTO(http_answer_free_at) struct http_answer *head = http_client_read_head(client, 5000);
	api_expect_status(head, 200);
	expect_header(head, "Content-Type", "application/json");
	/* A body would be taken for the next answer. */
	http_client_send(client, "GET", "/status", headers, NULL);
	WR_AUTO(http_answer_free_at) struct http_answer *get = http_client_read(client, 5000);
	api_expect_place(get, "waiting");
	http_client_close(client);
}

/* ---- ids and connections ---- */

static void the_callers_request_id_comes_back_and_nonsense_does_not(void **state)
{
	(void)state;
	WR_AUTO(http_answer_free_at)
	struct http_answer *echoed = call("GET", "/nothing", "X-Request-Id: gateway_7.A-b\r\n");
	expect_header(echoed, "X-Request-Id", "gateway_7.A-b");
	WR_AUTO(mem_free_at) char *id = http_answer_text(echoed, "request_id");
	assert_string_equal(id, "gateway_7.A-b");
	WR_AUTO(http_answer_free_at)
	struct http_answer *replaced = call("GET", "/nothing", "X-Request-Id: <script>\r\n");
	assert_null(strstr(replaced->head, "<script>"));
	assert_null(strstr(replaced->body, "<script>"));
	WR_AUTO(http_answer_free_at) struct http_answer *other = call("GET", "/nothing", NULL);
	assert_string_not_equal(http_answer_header(replaced, "X-Request-Id"),
							http_answer_header(other, "X-Request-Id"));
}

static void the_contract_is_served_and_not_sent_twice(void **state)
{
	(void)state;
	WR_AUTO(http_answer_free_at) struct http_answer *first = call("GET", "/openapi.yaml", NULL);
	api_expect_status(first, 200);
	expect_header(first, "Content-Type", "application/yaml");
	assert_non_null(strstr(first->body, "\nopenapi: 3.1.0\n"));
	assert_non_null(strstr(first->body, "\n  /heartbeat:\n"));
	char known[128];
	snprintf(known, sizeof(known), "If-None-Match: %s\r\n", http_answer_header(first, "ETag"));
	WR_AUTO(http_answer_free_at) struct http_answer *again = call("GET", "/openapi.yaml", known);
	api_expect_status(again, 304);
}

static void many_requests_go_over_one_connection(void **state)
{
	(void)state;
	struct http_client *client = http_client_open(url);
	http_client_send(client, "POST", "/enqueue", NULL, JOIN);
	WR_AUTO(http_answer_free_at) struct http_answer *joined = http_client_read(client, 5000);
	api_expect_status(joined, 201);
	WR_AUTO(mem_free_at) char *token = http_answer_text(joined, "token");
	for (int i = 0; i < 20; i++) {
		api_send_poll(client, "/heartbeat", token);
		WR_AUTO(http_answer_free_at) struct http_answer *beat = http_client_read(client, 5000);
		api_expect_place(beat, "waiting");
		expect_header(beat, "Connection", NULL);
	}
	http_client_close(client);
}

static void requests_sent_ahead_are_answered_in_order(void **state)
{
	(void)state;
	struct http_client *client = http_client_open(url);
	for (int i = 0; i < 10; i++) { /* those that ask the store, and those that do not */
		http_client_send(client, "POST", "/enqueue", NULL, JOIN);
		http_client_send(client, "GET", "/nothing", NULL, NULL);
	}
	for (int i = 0; i < 10; i++) {
		WR_AUTO(http_answer_free_at) struct http_answer *joined = http_client_read(client, 5000);
		api_expect_status(joined, 201);
		WR_AUTO(http_answer_free_at) struct http_answer *nothing = http_client_read(client, 5000);
		api_expect_status(nothing, 404);
	}
	http_client_close(client);
}

static void what_is_about_one_person_is_never_stored_by_caches(void **state)
{
	(void)state;
	WR_AUTO(mem_free_at) char *token = api_join(url, "line");
	static const char *const paths[] = {"/status", "/heartbeat", "/leave", "/heartbeat?queue=x"};
	for (size_t i = 0; i < COUNT(paths); i++) {
		WR_AUTO(http_answer_free_at) struct http_answer *answer = api_poll(url, paths[i], token);
		expect_header(answer, "Cache-Control", "no-store");
	}
}

/* ---- CORS ---- */

static void a_known_origin_may_call_and_read_what_it_needs(void **state)
{
	(void)state;
	static const char preflight[] = FROM_SHOP "Access-Control-Request-Method: POST\r\n"
											  "Access-Control-Request-Headers: authorization\r\n";
	WR_AUTO(http_answer_free_at)
	struct http_answer *asked = call("OPTIONS", "/heartbeat", preflight);
	api_expect_status(asked, 204);
	expect_header(asked, "Access-Control-Allow-Origin", SHOP);
	expect_header(asked, "Access-Control-Allow-Credentials", "true");
	expect_header(asked, "Access-Control-Max-Age", "7200");
	assert_non_null(strstr(http_answer_header(asked, "Access-Control-Allow-Methods"), "POST"));
	const char *allowed = http_answer_header(asked, "Access-Control-Allow-Headers");
	assert_true(strstr(allowed, "Authorization") && strstr(allowed, "Idempotency-Key"));

	WR_AUTO(http_answer_free_at)
	struct http_answer *joined = http_call(url, "POST", "/enqueue", FROM_SHOP, JOIN);
	api_expect_status(joined, 201);
	expect_header(joined, "Access-Control-Allow-Origin", SHOP);
	expect_header(joined, "Vary", "Origin");
	const char *exposed = http_answer_header(joined, "Access-Control-Expose-Headers");
	assert_true(strstr(exposed, "Retry-After") && strstr(exposed, "RateLimit") &&
				strstr(exposed, "X-Request-Id"));
	/* A refusal must be readable too. */
	WR_AUTO(http_answer_free_at)
	struct http_answer *refused = http_call(url, "POST", "/heartbeat", FROM_SHOP, "");
	api_expect_problem(refused, 401, "bad_token");
	expect_header(refused, "Access-Control-Allow-Origin", SHOP);
}

static void an_unknown_origin_gets_no_permission(void **state)
{
	(void)state;
	static const char *const origins[] = {"https://evil.example", "http://shop.example", "null",
										  "https://shop.example.evil.example"};
	for (size_t i = 0; i < COUNT(origins); i++) {
		char headers[256];
		snprintf(headers, sizeof(headers), "Origin: %s\r\nAccess-Control-Request-Method: POST\r\n",
				 origins[i]);
		WR_AUTO(http_answer_free_at)
		struct http_answer *asked = call("OPTIONS", "/enqueue", headers);
		expect_header(asked, "Access-Control-Allow-Origin", NULL);
		WR_AUTO(http_answer_free_at)
		struct http_answer *counts = call("GET", "/queues/default/line", headers);
		api_expect_status(counts, 200);
		expect_header(counts, "Access-Control-Allow-Origin", NULL);
		expect_header(counts, "Vary", "Origin");
	}
}

/* ---- behind a proxy ---- */

static struct http_answer *join_as(const char *forwarded_for)
{
	char headers[256];
	snprintf(headers, sizeof(headers), "X-Forwarded-For: %s\r\n", forwarded_for);
	return http_call(guarded_url, "POST", "/enqueue", headers, JOIN);
}

static void an_address_that_asks_too_often_is_told_how_long_to_wait(void **state)
{
	(void)state;
	for (int i = 0; i < 5; i++) {
		WR_AUTO(http_answer_free_at) struct http_answer *answer = join_as("192.0.2.7");
		api_expect_status(answer, 201);
		assert_non_null(
			strstr(http_answer_header(answer, "RateLimit-Policy"), "\"address\";q=5;w=60"));
	}
	WR_AUTO(http_answer_free_at) struct http_answer *refused = join_as("192.0.2.7");
	api_expect_problem(refused, 429, "rate_limited");
	const char *field = http_answer_header(refused, "RateLimit");
	assert_memory_equal(field, "\"address\";r=0;t=", 16);
	long reset_s = strtol(field + 16, NULL, 10);
	assert_in_range(reset_s, 1, 120);
	assert_true(strtol(http_answer_header(refused, "Retry-After"), NULL, 10) >= reset_s);
}

static void the_client_is_the_last_address_that_is_not_a_proxy_of_ours(void **state)
{
	(void)state;
	for (int i = 0; i < 5; i++) { /* what a client claims in front changes nothing */
		char chain[96];
		snprintf(chain, sizeof(chain), "203.0.113.%d, 198.51.100.9, 10.1.2.3", i);
		http_answer_free(join_as(chain));
	}
	WR_AUTO(http_answer_free_at) struct http_answer *same = join_as("1.2.3.4, 198.51.100.9");
	api_expect_problem(same, 429, "rate_limited");
	WR_AUTO(http_answer_free_at) struct http_answer *other = join_as("198.51.100.9, 198.51.100.10");
	api_expect_status(other, 201);
}

static void heartbeats_are_not_limited_by_address(void **state)
{
	(void)state;
	WR_AUTO(http_answer_free_at) struct http_answer *joined = join_as("192.0.2.8");
	WR_AUTO(mem_free_at) char *token = http_answer_text(joined, "token");
	for (int i = 0; i < 20; i++) {
		WR_AUTO(http_answer_free_at)
		struct http_answer *answer = api_poll(guarded_url, "/heartbeat", token);
		api_expect_place(answer, "waiting");
	}
}

static void secure_cookies_are_bound_to_the_host_and_to_https(void **state)
{
	(void)state;
	WR_AUTO(http_answer_free_at) struct http_answer *joined = join_as("192.0.2.9");
	WR_AUTO(mem_free_at) char *token = http_answer_text(joined, "token");
	char cookie[2048];
	snprintf(cookie, sizeof(cookie),
			 "__Host-wr-place-line=%s; Path=/; Max-Age=172800; HttpOnly; SameSite=Lax; Secure",
			 token);
	expect_header(joined, "Set-Cookie", cookie);
	snprintf(cookie, sizeof(cookie), "Cookie: __Host-wr-place-line=%s\r\n", token);
	WR_AUTO(http_answer_free_at)
	struct http_answer *beat = http_call(guarded_url, "POST", "/heartbeat", cookie, "");
	api_expect_place(beat, "waiting");
	/* The name without the prefix could have been set by another host of the domain. */
	snprintf(cookie, sizeof(cookie), "Cookie: wr-place-line=%s\r\n", token);
	WR_AUTO(http_answer_free_at)
	struct http_answer *loose = http_call(guarded_url, "POST", "/heartbeat", cookie, "");
	api_expect_problem(loose, 401, "bad_token");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(public_counts_name_nobody_and_may_be_cached),
		cmocka_unit_test(equal_counts_are_not_sent_twice),
		cmocka_unit_test(counts_of_an_unknown_queue_are_404),
		cmocka_unit_test(unknown_paths_are_404),
		cmocka_unit_test(other_methods_are_405_and_say_which_are_taken),
		cmocka_unit_test(head_has_the_headers_of_get_and_no_body),
		cmocka_unit_test(the_callers_request_id_comes_back_and_nonsense_does_not),
		cmocka_unit_test(the_contract_is_served_and_not_sent_twice),
		cmocka_unit_test(many_requests_go_over_one_connection),
		cmocka_unit_test(requests_sent_ahead_are_answered_in_order),
		cmocka_unit_test(what_is_about_one_person_is_never_stored_by_caches),
		cmocka_unit_test(a_known_origin_may_call_and_read_what_it_needs),
		cmocka_unit_test(an_unknown_origin_gets_no_permission),
		cmocka_unit_test(an_address_that_asks_too_often_is_told_how_long_to_wait),
		cmocka_unit_test(the_client_is_the_last_address_that_is_not_a_proxy_of_ours),
		cmocka_unit_test(heartbeats_are_not_limited_by_address),
		cmocka_unit_test(secure_cookies_are_bound_to_the_host_and_to_https),
	};
	return cmocka_run_group_tests(tests, open_rooms, close_rooms);
}
