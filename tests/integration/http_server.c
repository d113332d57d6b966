/* The HTTP server as a client sees it: what handlers can ask for and say, and what the connection
 * does in between. Time and limits are in http_deadlines.c, the guard in http_guard_wire.c.
 */
#include "support/cmocka.h"
#include "support/http.h"
#include "support/http_rig.h"
#include "support/temp.h"
#include "support/wait.h"
#include "waitingroom/memory.h"

#include <microhttpd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define DEADLINE_MS 3000
#define ANSWER WR_AUTO(http_answer_free_at) struct http_answer

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

static struct http_answer *call(struct rig *rig, const char *method, const char *path,
								const char *headers, const char *body)
{
	return http_call(rig_address(rig), method, path, headers, body);
}

static void expect_body(struct rig *rig, const char *path, const char *headers, const char *body)
{
	ANSWER *answer = call(rig, "GET", path, headers, NULL);
	assert_int_equal(answer->status, 200);
	assert_string_equal(answer->body, body);
}

/* ---- one connection, many requests ---- */

static void two_requests_share_one_connection(void **state)
{
	struct http_client *client = http_client_open(rig_address(*state));
	for (int i = 0; i < 2; i++) {
		http_client_send(client, "POST", "/echo", NULL, i ? "second" : "first");
		ANSWER *answer = http_client_read(client, DEADLINE_MS);
		assert_int_equal(answer->status, 200);
		assert_string_equal(answer->body, i ? "second" : "first");
		assert_null(http_answer_header(answer, "Connection"));
	}
	http_client_close(client);
	assert_int_equal(rig_counts(*state).connections_total, 1);
}

static void twenty_pipelined_requests_are_answered_in_order(void **state)
{
	struct http_client *client = http_client_open(rig_address(*state));
	char path[32], expected[64];
	for (int i = 0; i < 20; i++) {
		snprintf(path, sizeof(path), "/any/%d", i);
		http_client_send(client, "POST", path, NULL, i % 2 ? "with a body" : NULL);
	}
	for (int i = 0; i < 20; i++) {
		ANSWER *answer = http_client_read(client, DEADLINE_MS);
		snprintf(expected, sizeof(expected), "POST /%d", i);
		assert_string_equal(answer->body, expected);
	}
	http_client_close(client);
}

static void answers_of_changing_length_on_one_connection_are_whole(void **state)
{
	struct http_client *client = http_client_open(rig_address(*state));
	char body[64] = "";
	for (int i = 0; i < 40; i++) { /* first more lengths than are kept ready, then a few again */
		memset(body, 'a' + i % 26, sizeof(body) - 1);
		body[i < 20 ? (i * 7) % 20 : i % 3] = '\0';
		char id[64];
		snprintf(id, sizeof(id), "X-Request-Id: id-%d\r\n", i * i);
		http_client_send(client, "POST", "/echo", id, body);
		ANSWER *answer = http_client_read(client, DEADLINE_MS);
		assert_string_equal(answer->body, body);
		assert_string_equal(http_answer_header(answer, "X-Request-Id"),
							strtok(id + strlen("X-Request-Id: "), "\r"));
		assert_int_equal(rig_count_text(answer->head, "X-Request-Id"), 1);
	}
	http_client_close(client);
}

static void a_body_in_many_pieces_arrives_whole(void **state)
{
	int fd = rig_connect(*state);
	rig_send_text(fd, "POST /echo HTTP/1.1\r\nHost: a\r\nConnection: close\r\n"
					  "Content-Length: 10\r\n\r\n");
	for (const char *piece = "0123456789"; *piece; piece++)
		rig_send(fd, piece, 1);
	WR_AUTO(mem_free_at) char *got = rig_read_to_end(fd, DEADLINE_MS);
	assert_non_null(strstr(got, "\r\n\r\n0123456789"));
}

static void a_body_as_large_as_is_taken_comes_back(void **state)
{
	char body[4097];
	memset(body, 'x', sizeof(body) - 1);
	body[sizeof(body) - 1] = '\0';
	ANSWER *answer = call(*state, "POST", "/echo", NULL, body);
	assert_int_equal(answer->status, 200);
	assert_string_equal(answer->body, body);
}

static void a_post_without_length_has_an_empty_body(void **state)
{
	struct http_client *client = http_client_open(rig_address(*state));
	http_client_send(client, "POST", "/echo", NULL, NULL);
	http_client_send(client, "GET", "/hello", NULL, NULL);
	ANSWER *empty = http_client_read(client, DEADLINE_MS);
	ANSWER *next = http_client_read(client, DEADLINE_MS);
	http_client_close(client);
	assert_string_equal(empty->body, "");
	assert_string_equal(next->body, "hello");
}

static void head_is_answered_without_a_body(void **state)
{
	struct http_client *client = http_client_open(rig_address(*state));
	http_client_send(client, "HEAD", "/hello", NULL, NULL);
	ANSWER *head = http_client_read_head(client, DEADLINE_MS);
	http_client_send(client, "GET", "/hello", NULL, NULL);
	ANSWER *get = http_client_read(client, DEADLINE_MS);
	http_client_close(client);
	assert_int_equal(head->status, 200);
	assert_string_equal(http_answer_header(head, "Content-Length"), "5");
	assert_string_equal(get->body, "hello");
}

static void expect_100_continue_is_answered_before_the_body(void **state)
{
	int fd = rig_connect(*state);
	rig_send_text(fd, "POST /echo HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\n"
					  "Connection: close\r\nContent-Length: 4\r\n\r\n");
	static const char go_on[] = "HTTP/1.1 100 Continue\r\n\r\n";
	char got[sizeof(go_on)] = "";
	assert_int_equal(recv(fd, got, sizeof(go_on) - 1, MSG_WAITALL), sizeof(go_on) - 1);
	assert_string_equal(got, go_on);
	rig_send_text(fd, "body");
	WR_AUTO(mem_free_at) char *rest = rig_read_to_end(fd, DEADLINE_MS);
	assert_non_null(strstr(rest, "HTTP/1.1 200 "));
	assert_non_null(strstr(rest, "\r\n\r\nbody"));
}

static void a_unix_socket_works_and_is_removed_at_the_end(void **state)
{
	(void)state;
	WR_AUTO(mem_free_at) char *path = temp_path("http.sock");
	WR_AUTO(mem_free_at) char *listen = NULL;
	assert_true(asprintf(&listen, "unix:%s", path) > 0);
	for (int i = 0; i < 2; i++) {
		struct rig *rig = rig_start_at(listen, NULL);
		assert_string_equal(rig_address(rig), listen);
		int fd = rig_connect(rig);
		rig_send_text(fd, "GET /client HTTP/1.1\r\nHost: a\r\nConnection: close\r\n"
						  "X-Forwarded-For: 192.0.2.77\r\n\r\n");
		WR_AUTO(mem_free_at) char *got = rig_read_to_end(fd, DEADLINE_MS);
		assert_non_null(strstr(got, "unix 192.0.2.0"));
		rig_stop(rig);
		assert_int_equal(access(path, F_OK), -1);
	}
}

static void an_address_that_cannot_be_listened_on_is_named(void **state)
{
	(void)state;
	struct loop *loop = loop_new();
	static const struct {
		const char *listen;
		enum wr_err err;
	} rows[] = {
		{"nonsense", WR_BAD_CONFIG},
		{"127.0.0.1", WR_BAD_CONFIG},
		{"127.0.0.1:99999", WR_BAD_CONFIG},
		{"localhost:80", WR_BAD_CONFIG},
		{"[::1:80", WR_BAD_CONFIG},
		{"unix:relative", WR_BAD_CONFIG},
		{"192.0.2.1:80", WR_IO}, /* not an address of this machine */
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct http_server_options options = {.listen = rows[i].listen};
		struct http_server *server = NULL;
		struct err_detail detail = {""};
		http_limits_default(&options.limits);
		assert_int_equal(http_server_open(loop, &options, &server, &detail), rows[i].err);
		assert_non_null(strstr(detail.text, rows[i].listen));
		assert_null(server);
	}
	loop_free(loop);
}

/* The library refuses it without saying that the request is over; a leak would be reported by
 * AddressSanitizer when the test ends. */
static void a_request_with_too_many_cookies_is_dropped_and_forgotten(void **state)
{
	struct rig *rig = *state;
	if (MHD_VERSION >= 0x01000000)
		skip(); /* has room for them */
	int fd = rig_connect(rig);
	rig_send_text(fd, "GET /hello HTTP/1.1\r\nHost: a\r\nCookie: ");
	for (int i = 0; i < 150; i++)
		rig_send_text(fd, "name=some-value;");
	rig_send_text(fd, "\r\n\r\n");
	WR_AUTO(mem_free_at) char *got = rig_read_to_end(fd, DEADLINE_MS);
	assert_int_equal(rig_count_text(got, " 200 "), 0);
	WAIT_UNTIL(DEADLINE_MS, !rig_counts(rig).connections_now, "the connection to be gone");
	assert_int_equal(rig->served, 0);
	expect_body(rig, "/hello", NULL, "hello");
}

/* ---- what a handler asks ---- */

static void the_path_is_raw_and_query_values_are_decoded(void **state)
{
	expect_body(*state, "/query?name=a+b%2Fc%3d", NULL, "/query|a b/c=");
	expect_body(*state, "/query?other=1&name=x&name=y", NULL, "/query|x");
	expect_body(*state, "/query?name=", NULL, "/query|");
	expect_body(*state, "/query?name", NULL, "/query|");
	expect_body(*state, "/query?names=1", NULL, "/query|(none)");
	expect_body(*state, "/query?name=%4", NULL, "/query|(none)");
	expect_body(*state, "/query?name=0123456789012345", NULL, "/query|(none)"); /* no room */
	expect_body(*state, "/any/%2e%2e/b", NULL, "GET /%2e%2e/b");
}

static void a_target_longer_than_the_request_holds_is_kept_whole(void **state)
{
	char path[1024] = "/any/", expected[1100];
	memset(path + 5, 'p', 150);
	strcat(path, "?");
	memset(path + strlen(path), 'q', 600);
	snprintf(expected, sizeof(expected), "GET /%.150s", path + 5);
	expect_body(*state, path, NULL, expected);
}

static void cookies_are_found_by_their_whole_name(void **state)
{
	expect_body(*state, "/cookie", NULL, "(none)");
	expect_body(*state, "/cookie", "Cookie: place=abc\r\n", "abc");
	expect_body(*state, "/cookie", "Cookie: myplace=1; place=two ;x=3\r\n", "two");
	expect_body(*state, "/cookie", "Cookie: place-b=1;place=\r\n", "");
	expect_body(*state, "/cookie", "Cookie: Place=1; places=2\r\n", "(none)");
}

static void forwarded_addresses_count_from_the_right_over_several_lines(void **state)
{
	expect_body(*state, "/client", NULL, "127.0.0.1 127.0.0.0");
	expect_body(*state, "/client", "X-Forwarded-For: 198.51.100.9, 203.0.113.7\r\n",
				"127.0.0.1 203.0.113.0");
	expect_body(*state, "/client",
				"X-Forwarded-For: 198.51.100.9\r\nx-forwarded-for: 203.0.113.7, 127.0.0.9\r\n",
				"127.0.0.1 203.0.113.0");
	expect_body(*state, "/client", "X-Forwarded-For: 203.0.113.7, nonsense\r\n",
				"127.0.0.1 127.0.0.0");
}

/* ---- what an answer carries ---- */

static void a_plain_request_id_is_kept_and_another_is_replaced(void **state)
{
	ANSWER *kept = call(*state, "GET", "/hello", "X-Request-Id: gate.way_ID-1\r\n", NULL);
	assert_string_equal(http_answer_header(kept, "X-Request-Id"), "gate.way_ID-1");
	ANSWER *odd = call(*state, "GET", "/hello", "X-Request-Id: a b\r\n", NULL);
	assert_string_not_equal(http_answer_header(odd, "X-Request-Id"), "a b");
	char header[128];
	snprintf(header, sizeof(header), "X-Request-Id: %065d\r\n", 1);
	ANSWER *first = call(*state, "GET", "/hello", header, NULL);
	ANSWER *second = call(*state, "GET", "/hello", NULL, NULL);
	assert_true(strlen(http_answer_header(first, "X-Request-Id")) < 65);
	assert_string_not_equal(http_answer_header(first, "X-Request-Id"),
							http_answer_header(second, "X-Request-Id"));
}

static void answers_are_not_stored_unless_the_handler_says_so(void **state)
{
	ANSWER *person = call(*state, "GET", "/hello", NULL, NULL);
	assert_string_equal(http_answer_header(person, "Cache-Control"), "no-store");
	ANSWER *open = call(*state, "GET", "/big", NULL, NULL);
	assert_string_equal(http_answer_header(open, "Cache-Control"), "public, max-age=2");
	assert_int_equal(open->body_len, 20000);
	assert_int_equal(rig_count_text(open->head, "Cache-Control"), 1);
}

static void a_problem_tells_what_why_and_when_to_come_back(void **state)
{
	ANSWER *answer = call(*state, "GET", "/problem", "X-Request-Id: r1\r\n", NULL);
	assert_int_equal(answer->status, 503);
	assert_string_equal(http_answer_header(answer, "Content-Type"), "application/problem+json");
	assert_string_equal(http_answer_header(answer, "Retry-After"), "3");
	assert_int_equal(http_answer_number(answer, "retry_after_ms"), 3000);
	assert_int_equal(http_answer_number(answer, "status"), 503);
	static const char *const members[][2] = {
		{"type", "https://iana.org/assignments/http-problem-types#temporary-reduced-capacity"},
		{"title", "Service Unavailable"},
		{"code", "store_unavailable"},
		{"request_id", "r1"},
	};
	for (size_t i = 0; i < sizeof(members) / sizeof(members[0]); i++) {
		WR_AUTO(mem_free_at) char *text = http_answer_text(answer, members[i][0]);
		assert_string_equal(text, members[i][1]);
	}
}

static void a_handler_that_forgets_to_answer_costs_a_500_and_is_counted(void **state)
{
	ANSWER *answer = call(*state, "GET", "/nothing", NULL, NULL);
	assert_int_equal(answer->status, 500);
	assert_int_equal(rig_counts(*state).bugs, 1);
	expect_body(*state, "/hello", NULL, "hello");
}

static void a_header_with_a_line_end_is_not_sent(void **state)
{
	ANSWER *answer = call(*state, "GET", "/broken-header", NULL, NULL);
	assert_int_equal(answer->status, 200);
	assert_null(http_answer_header(answer, "Location"));
	assert_null(http_answer_header(answer, "Set-Cookie"));
	assert_int_equal(rig_counts(*state).bugs, 1);
}

static void done_is_told_the_status_of_every_answer(void **state)
{
	struct rig *rig = *state;
	ANSWER *found = call(rig, "GET", "/hello", NULL, NULL);
	WAIT_UNTIL(DEADLINE_MS, rig->done == 1, "the first answer to be reported");
	assert_int_equal(rig->done_status, 200);
	ANSWER *missing = call(rig, "GET", "/missing", NULL, NULL);
	WAIT_UNTIL(DEADLINE_MS, rig->done == 2, "the second answer to be reported");
	assert_int_equal(rig->done_status, 404);
	assert_int_equal(found->status + missing->status, 604);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, start, stop)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(two_requests_share_one_connection),
		TEST(twenty_pipelined_requests_are_answered_in_order),
		TEST(answers_of_changing_length_on_one_connection_are_whole),
		TEST(a_body_in_many_pieces_arrives_whole),
		TEST(a_body_as_large_as_is_taken_comes_back),
		TEST(a_post_without_length_has_an_empty_body),
		TEST(head_is_answered_without_a_body),
		TEST(expect_100_continue_is_answered_before_the_body),
		cmocka_unit_test(a_unix_socket_works_and_is_removed_at_the_end),
		cmocka_unit_test(an_address_that_cannot_be_listened_on_is_named),
		TEST(a_request_with_too_many_cookies_is_dropped_and_forgotten),
		TEST(the_path_is_raw_and_query_values_are_decoded),
		TEST(a_target_longer_than_the_request_holds_is_kept_whole),
		TEST(cookies_are_found_by_their_whole_name),
		TEST(forwarded_addresses_count_from_the_right_over_several_lines),
		TEST(a_plain_request_id_is_kept_and_another_is_replaced),
		TEST(answers_are_not_stored_unless_the_handler_says_so),
		TEST(a_problem_tells_what_why_and_when_to_come_back),
		TEST(a_handler_that_forgets_to_answer_costs_a_500_and_is_counted),
		TEST(a_header_with_a_line_end_is_not_sent),
		TEST(done_is_told_the_status_of_every_answer),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
