/* The middleware chain over a socket: routes, CORS and the rate limit, as a browser sees them. */
#include "support/cmocka.h"
#include "support/http.h"
#include "support/http_rig.h"
#include "waitingroom/memory.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ANSWER WR_AUTO(http_answer_free_at) struct http_answer
#define FROM_SHOP "Origin: https://shop.example\r\n"
#define FROM_ELSEWHERE "Origin: https://shop.example.evil\r\n"
#define PREFLIGHT "Access-Control-Request-Method: POST\r\n"

static int start(void **state)
{
	*state = rig_start(NULL);
	return 0;
}

static int stop(void **state)
{
	rig_stop(*state);
	return 0;
}

static struct http_answer *call(void **state, const char *method, const char *path,
								const char *headers, const char *body)
{
	return http_call(rig_address(*state), method, path, headers, body);
}

static void expect_code(const struct http_answer *answer, int status, const char *code)
{
	assert_int_equal(answer->status, status);
	WR_AUTO(mem_free_at) char *got = http_answer_text(answer, "code");
	assert_string_equal(got, code);
}

static void an_unknown_path_is_404(void **state)
{
	ANSWER *answer = call(state, "GET", "/nowhere", NULL, NULL);
	expect_code(answer, 404, "not_found");
}

static void another_method_is_405_and_told_which_ones_there_are(void **state)
{
	ANSWER *answer = call(state, "DELETE", "/hello", NULL, NULL);
	expect_code(answer, 405, "method_not_allowed");
	assert_string_equal(http_answer_header(answer, "Allow"), "GET, HEAD, OPTIONS");
}

static void options_tells_the_methods(void **state)
{
	ANSWER *answer = call(state, "OPTIONS", "/echo", NULL, NULL);
	assert_int_equal(answer->status, 204);
	assert_string_equal(http_answer_header(answer, "Allow"), "POST, OPTIONS");
	ANSWER *served = call(state, "OPTIONS", "/any/x", NULL, NULL);
	assert_string_equal(served->body, "OPTIONS /x");
}

static void a_preflight_of_an_allowed_origin_is_answered_and_kept(void **state)
{
	ANSWER *answer = call(state, "OPTIONS", "/join", FROM_SHOP PREFLIGHT, NULL);
	assert_int_equal(answer->status, 204);
	static const char *const fields[][2] = {
		{"Access-Control-Allow-Origin", "https://shop.example"},
		{"Access-Control-Allow-Credentials", "true"},
		{"Access-Control-Allow-Methods", "POST, OPTIONS"},
		{"Access-Control-Max-Age", "7200"},
		{"Vary", "Origin"},
	};
	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++)
		assert_string_equal(http_answer_header(answer, fields[i][0]), fields[i][1]);
	assert_non_null(
		strstr(http_answer_header(answer, "Access-Control-Allow-Headers"), "Idempotency-Key"));
}

static void a_preflight_of_another_origin_is_refused(void **state)
{
	ANSWER *answer = call(state, "OPTIONS", "/join", FROM_ELSEWHERE PREFLIGHT, NULL);
	expect_code(answer, 403, "forbidden");
	assert_null(http_answer_header(answer, "Access-Control-Allow-Origin"));
	assert_string_equal(http_answer_header(answer, "Vary"), "Origin");
}

static void an_allowed_origin_may_read_the_answer_and_its_headers(void **state)
{
	ANSWER *answer = call(state, "GET", "/shared", FROM_SHOP, NULL);
	assert_string_equal(answer->body, "hello");
	assert_string_equal(http_answer_header(answer, "Access-Control-Allow-Origin"),
						"https://shop.example");
	const char *exposed = http_answer_header(answer, "Access-Control-Expose-Headers");
	static const char *const names[] = {"Retry-After", "RateLimit", "RateLimit-Policy",
										"X-Request-Id"};
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		assert_non_null(strstr(exposed, names[i]));
}

static void one_connection_may_change_its_origin(void **state)
{
	static const char *const from[] = {FROM_SHOP, NULL, FROM_ELSEWHERE, FROM_SHOP, FROM_SHOP, NULL};
	struct http_client *client = http_client_open(rig_address(*state));
	for (size_t i = 0; i < sizeof(from) / sizeof(from[0]); i++) {
		http_client_send(client, "GET", "/shared", from[i], NULL);
		ANSWER *answer = http_client_read(client, 3000);
		bool may_read = http_answer_header(answer, "Access-Control-Allow-Origin") != NULL;
		assert_int_equal(may_read, from[i] && !strcmp(from[i], FROM_SHOP));
		assert_int_equal(rig_count_text(answer->head, "Vary: "), 1);
	}
	http_client_close(client);
}

static void others_get_the_answer_but_may_not_read_it(void **state)
{
	static const char *const from[] = {NULL, FROM_ELSEWHERE, "Origin: null\r\n"};
	for (size_t i = 0; i < sizeof(from) / sizeof(from[0]); i++) {
		ANSWER *answer = call(state, "GET", "/shared", from[i], NULL);
		assert_string_equal(answer->body, "hello");
		assert_null(http_answer_header(answer, "Access-Control-Allow-Origin"));
		assert_string_equal(http_answer_header(answer, "Vary"), "Origin"); /* for caches */
	}
	ANSWER *closed = call(state, "GET", "/hello", FROM_SHOP, NULL);
	assert_null(http_answer_header(closed, "Access-Control-Allow-Origin"));
	assert_null(http_answer_header(closed, "Vary"));
}

static void the_fourth_join_of_an_address_is_429_and_told_when_to_come_back(void **state)
{
	for (int i = 0; i < 3; i++) {
		ANSWER *answer = call(state, "POST", "/join", NULL, "x");
		assert_int_equal(answer->status, 200);
		assert_string_equal(http_answer_header(answer, "RateLimit-Policy"),
							"\"address\";q=3;w=60, \"network\";q=5;w=60");
		char expected[32];
		snprintf(expected, sizeof(expected), "\"address\";r=%d;t=", 2 - i);
		assert_int_equal(
			strncmp(http_answer_header(answer, "RateLimit"), expected, strlen(expected)), 0);
	}
	ANSWER *answer = call(state, "POST", "/join", FROM_SHOP, "x");
	expect_code(answer, 429, "rate_limited");
	int reset_s = 0, retry_after_s = atoi(http_answer_header(answer, "Retry-After"));
	sscanf(http_answer_header(answer, "RateLimit"), "\"address\";r=0;t=%d", &reset_s);
	assert_true(reset_s > 0 && retry_after_s >= reset_s && retry_after_s <= 2 * reset_s);
	assert_int_equal(http_answer_number(answer, "retry_after_ms"), retry_after_s * 1000);
	assert_non_null(http_answer_header(answer, "Access-Control-Allow-Origin"));
}

static void neighbours_share_the_limit_of_their_network(void **state)
{
	char header[64];
	int refused = 0;
	for (int i = 0; i < 6; i++) {
		snprintf(header, sizeof(header), "X-Forwarded-For: 203.0.113.%d\r\n", i);
		ANSWER *answer = call(state, "POST", "/join", header, "x");
		refused += answer->status == 429;
		if (answer->status == 429)
			assert_int_equal(
				strncmp(http_answer_header(answer, "RateLimit"), "\"network\";r=0;", 14), 0);
	}
	assert_int_equal(refused, 1);
	ANSWER *elsewhere = call(state, "POST", "/join", "X-Forwarded-For: 198.51.100.1\r\n", "x");
	assert_int_equal(elsewhere->status, 200);
}

static void routes_without_a_limit_are_not_counted(void **state)
{
	for (int i = 0; i < 10; i++) {
		ANSWER *answer = call(state, "GET", "/hello", NULL, NULL);
		assert_int_equal(answer->status, 200);
		assert_null(http_answer_header(answer, "RateLimit"));
	}
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, start, stop)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(an_unknown_path_is_404),
		TEST(another_method_is_405_and_told_which_ones_there_are),
		TEST(options_tells_the_methods),
		TEST(a_preflight_of_an_allowed_origin_is_answered_and_kept),
		TEST(a_preflight_of_another_origin_is_refused),
		TEST(an_allowed_origin_may_read_the_answer_and_its_headers),
		TEST(one_connection_may_change_its_origin),
		TEST(others_get_the_answer_but_may_not_read_it),
		TEST(the_fourth_join_of_an_address_is_429_and_told_when_to_come_back),
		TEST(neighbours_share_the_limit_of_their_network),
		TEST(routes_without_a_limit_are_not_counted),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
