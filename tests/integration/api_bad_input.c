/* Requests that are wrong in some way: the right refusal, nothing stored, and the process lives.
 *
 * Every test ends with the same look at the store as it began with, so a refused request has left
 * nothing behind; and with a request that is answered, so the process is well.
 */
#include "support/api.h"
#include "support/cmocka.h"
#include "support/process.h"
#include "support/shared_stack.h"
#include "waitingroom/memory.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define JSON "Content-Type: application/json\r\n"

static const char *url;
static char *before; /* what the store held when the test began */

static int open_room(void **state)
{
	(void)state;
	stack = stack_start(&(struct stack_options){
		.pods = 1,
		.without_nats = true,
		.env = (const char *const[]){NO_RATE_LIMITS, "WR_REQUEST_DEADLINE_MS=400", NULL},
		.queues = QUEUES(QUEUE("line", HELD))});
	url = stack_url(stack, 0);
	return 0;
}

static int look_before(void **state)
{
	(void)state;
	before = api_store_digest(stack);
	return 0;
}

static int look_after(void **state)
{
	(void)state;
	WR_AUTO(mem_free_at) char *after = api_store_digest(stack);
	assert_string_equal(before, after);
	free(before);
	WR_AUTO(http_answer_free_at)
	struct http_answer *alive =
		http_call(stack_internal_url(stack, 0), "GET", "/livez", NULL, NULL);
	api_expect_status(alive, 200);
	process_check_all();
	return 0;
}

struct row {
	const char *headers, *body;
	int status;
	const char *code;
};

static void expect_row(const char *path, const struct row *row)
{
	WR_AUTO(http_answer_free_at)
	struct http_answer *answer = http_call(url, "POST", path, row->headers, row->body);
	if (answer->status != row->status)
		print_error("%s with %s %.200s\n", path, row->headers ? row->headers : "", row->body);
	api_expect_problem(answer, row->status, row->code);
}

static void expect_rows(const char *path, const struct row *rows, size_t count)
{
	for (size_t i = 0; i < count; i++)
		expect_row(path, &rows[i]);
}

/* Bytes as they are; the first answer to them. */
static void expect_raw(const char *bytes, size_t len, int status, const char *code)
{
	struct http_client *client = http_client_open(url);
	http_client_send_raw(client, bytes, len);
	WR_AUTO(http_answer_free_at) struct http_answer *answer = http_client_read(client, 5000);
	if (code)
		api_expect_problem(answer, status, code);
	else
		api_expect_status(answer, status);
	http_client_close(client);
}

/* ---- bodies of /enqueue ---- */

static void bodies_that_are_not_json_are_malformed(void **state)
{
	(void)state;
	static const struct row rows[] = {
		{JSON, "", 400, "malformed"},
		{JSON, "{", 400, "malformed"},
		{JSON, "queue_id=line", 400, "malformed"},
		{JSON, "{\"queue_id\":\"line\"", 400, "malformed"},
		{JSON, "{\"queue_id\":\"line\"}}", 400, "malformed"},
		{JSON, "{\"queue_id\":\"line\"} x", 400, "malformed"},
		{JSON, "{\"queue_id\":\"line\",}", 400, "malformed"},
		{JSON, "{'queue_id':'line'}", 400, "malformed"},
		{JSON, "{queue_id:\"line\"}", 400, "malformed"},
		{JSON, "\xef\xbb\xbf{\"queue_id\":\"line\"}", 400, "malformed"},
		{JSON, "{\"queue_id\":\"li\xffne\"}", 400, "malformed"},
		{JSON, "{\"queue_id\":\"line\",\"user\":{\"a\":\"\xed\xa0\x80\"}}", 400, "malformed"},
		{JSON, "{\"queue_id\":\"line\",\"user\":{\"a\":\"\\ud800\"}}", 400, "malformed"},
		{JSON, "{\"queue_id\":\"line\\u0000\"}", 400, "malformed"},
		{JSON, "{\"queue_id\":\"line\",\"queue_id\":\"line\"}", 400, "malformed"},
		{JSON, "{\"queue_id\":\"line\",\"user\":{\"a\":1,\"a\":2}}", 400, "malformed"},
		{JSON, "{\"queue_id\":\"line\",\"user\":{\"a\":NaN}}", 400, "malformed"},
		{JSON, "{\"queue_id\":\"line\",\"user\":{\"a\":01}}", 400, "malformed"},
		{JSON, "[]", 400, "malformed"},
		{JSON, "null", 400, "malformed"},
		{JSON, "\"line\"", 400, "malformed"},
		{JSON, "5", 400, "malformed"},
	};
	expect_rows("/enqueue", rows, COUNT(rows));
}

static void values_that_are_wrong_are_named(void **state)
{
	(void)state;
	static const struct row rows[] = {
		{JSON, "{}", 422, "invalid_value"},
		{JSON, "{\"queue_id\":null}", 422, "invalid_value"},
		{JSON, "{\"queue_id\":7}", 422, "invalid_value"},
		{JSON, "{\"queue_id\":[\"line\"]}", 422, "invalid_value"},
		{JSON, "{\"queue_id\":\"\"}", 422, "invalid_value"},
		{JSON, "{\"queue_id\":\"Line\"}", 422, "invalid_value"},
		{JSON, "{\"queue_id\":\"-line\"}", 422, "invalid_value"},
		{JSON, "{\"queue_id\":\"a/b/c\"}", 422, "invalid_value"},
		{JSON, "{\"queue_id\":\"/line\"}", 422, "invalid_value"},
		{JSON, "{\"queue_id\":\"default/\"}", 422, "invalid_value"},
		{JSON, "{\"queue_id\":\"line}:settings{\"}", 422, "invalid_value"},
		{JSON, "{\"queue_id\":\"l\\nine\"}", 422, "invalid_value"},
		{JSON, "{\"queue_id\":\"line\",\"target\":7}", 422, "invalid_value"},
		{JSON, "{\"queue_id\":\"line\",\"target\":\"no-url\"}", 422, "invalid_value"},
		{JSON, "{\"queue_id\":\"line\",\"target\":\"/a\\r\\nSet-Cookie: x=y\"}", 422,
		 "invalid_value"},
		{JSON, "{\"queue_id\":\"line\",\"lane\":1}", 422, "invalid_value"},
		{JSON, "{\"queue_id\":\"line\",\"lane\":\"main main\"}", 422, "invalid_value"},
		{JSON, "{\"queue_id\":\"line\",\"user\":\"me\"}", 422, "invalid_value"},
		{JSON, "{\"queue_id\":\"line\",\"user\":[]}", 422, "invalid_value"},
		{JSON, "{\"queue_id\":\"line\",\"priority\":1}", 422, "invalid_value"},
		{JSON, "{\"Queue_id\":\"line\"}", 422, "invalid_value"},
	};
	expect_rows("/enqueue", rows, COUNT(rows));
}

static void a_long_name_is_refused_and_the_longest_one_is_only_unknown(void **state)
{
	(void)state;
	char body[128], name[65];
	memset(name, 'a', 64);
	name[64] = '\0';
	snprintf(body, sizeof(body), "{\"queue_id\":\"%s\"}", name);
	expect_row("/enqueue", &(struct row){JSON, body, 422, "invalid_value"});
	snprintf(body, sizeof(body), "{\"queue_id\":\"%s\"}", name + 1);
	expect_row("/enqueue", &(struct row){JSON, body, 404, "no_such_queue"});
}

static void json_that_is_nested_deeply_is_refused(void **state)
{
	(void)state;
	char body[4000] = "{\"queue_id\":\"line\",\"user\":{\"a\":";
	size_t len = strlen(body);
	memset(body + len, '[', 1500);
	memset(body + len + 1500, ']', 1500);
	strcpy(body + len + 3000, "}}");
	expect_row("/enqueue", &(struct row){JSON, body, 400, "malformed"});
}

static void other_content_types_are_refused(void **state)
{
	(void)state;
	static const char body[] = "{\"queue_id\":\"line\"}";
	static const struct row rows[] = {
		{"Content-Type: application/xml\r\n", body, 415, "unsupported_media_type"},
		{"Content-Type: application/x-www-form-urlencoded\r\n", body, 415,
		 "unsupported_media_type"},
		{"Content-Type: multipart/form-data; boundary=x\r\n", body, 415, "unsupported_media_type"},
		{"Content-Type: application/jsonp\r\n", body, 415, "unsupported_media_type"},
		{"Content-Type: \r\n", body, 415, "unsupported_media_type"},
	};
	expect_rows("/enqueue", rows, COUNT(rows));
}

static void keys_that_are_not_plain_text_are_refused(void **state)
{
	(void)state;
	static const char *const keys[] = {"",	   "\"\"", "a b",		  "\"a b\"",   "\"a",
									   "a\"b", "a\\b", "caf\xc3\xa9", "\"a\\\"b\""};
	char header[256];
	struct row row = {header, "{\"queue_id\":\"line\"}", 422, "invalid_value"};
	for (size_t i = 0; i < COUNT(keys); i++) {
		snprintf(header, sizeof(header), "Idempotency-Key: %s\r\n", keys[i]);
		expect_row("/enqueue", &row);
	}
	memset(header, 'k', sizeof(header));
	memcpy(header, "Idempotency-Key: ", 17);
	strcpy(header + 17 + 129, "\r\n");
	expect_row("/enqueue", &row);
}

/* ---- sizes ---- */

static void a_body_over_4_kilobytes_is_refused_unread(void **state)
{
	(void)state;
	char *body = malloc(4098);
	memset(body, ' ', 4097);
	body[4097] = '\0';
	static const char *const paths[] = {"/enqueue", "/heartbeat", "/leave", "/session/release"};
	for (size_t i = 0; i < COUNT(paths); i++)
		expect_row(paths[i], &(struct row){JSON, body, 413, "body_too_large"});
	body[4096] = '\0'; /* just fits: blank, so not JSON */
	expect_row("/enqueue", &(struct row){JSON, body, 400, "malformed"});
	free(body);
	/* Refused by what it announces, before a byte of it comes. */
	static const char announced[] = "POST /enqueue HTTP/1.1\r\nHost: a\r\n"
									"Content-Length: 99999999999\r\n\r\n";
	expect_raw(announced, sizeof(announced) - 1, 413, "body_too_large");
	/* Where none belongs, any is one too many. */
	static const char unasked[] = "GET /challenge HTTP/1.1\r\nHost: a\r\n"
								  "Content-Length: 5\r\n\r\nhello";
	expect_raw(unasked, sizeof(unasked) - 1, 400, "malformed");
}

static void a_header_or_target_that_is_huge_is_refused(void **state)
{
	(void)state;
	size_t len = 20000;
	char *big = malloc(len + 1);
	memset(big, 'a', len);
	big[len] = '\0';
	char *request;
	int size = asprintf(
		&request, "POST /heartbeat HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer %s\r\n\r\n", big);
	assert_true(size > 0);
	expect_raw(request, (size_t)size, 431, NULL); /* by the library, without a body of ours */
	free(request);
	size = asprintf(&request, "GET /%s HTTP/1.1\r\nHost: a\r\n\r\n", big);
	assert_true(size > 0);
	expect_raw(request, (size_t)size, 414, NULL);
	free(request);
	/* What still fits into a connection's memory, but is longer than any token. */
	big[4000] = '\0';
	size = asprintf(&request, "Authorization: Bearer %s\r\n", big);
	assert_true(size > 0);
	expect_row("/heartbeat", &(struct row){request, "", 401, "bad_token"});
	free(request);
	free(big);
}

/* ---- framing ---- */

static void requests_that_could_be_read_in_two_ways_are_refused(void **state)
{
	(void)state;
#define POST_WITH(headers) "POST /enqueue HTTP/1.1\r\nHost: a\r\n" headers "\r\n"
	static const char *const requests[] = {
		POST_WITH("Content-Length: 3\r\nTransfer-Encoding: chunked\r\n"),
		POST_WITH("Content-Length: 3\r\nContent-Length: 4\r\n"),
		POST_WITH("Content-Length : 3\r\n"),
		POST_WITH("Transfer-Encoding: xchunked\r\n"),
		POST_WITH("Content-Length: -1\r\n"),
		POST_WITH("Content-Length: 0x10\r\n"),
		POST_WITH("Authorization: Bearer a\r\nAuthorization: Bearer b\r\n"),
		POST_WITH("Idempotency-Key: a\r\nIdempotency-Key: b\r\n"),
		"GET /status HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
		"GET http://a/status HTTP/1.1\r\nHost: a\r\n\r\n",
	};
	for (size_t i = 0; i < COUNT(requests); i++) {
		struct http_client *client = http_client_open(url);
		http_client_send_raw(client, requests[i], strlen(requests[i]));
		WR_AUTO(http_answer_free_at) struct http_answer *answer = http_client_read(client, 5000);
		if (answer->status != 400)
			print_error("%s\n", requests[i]);
		api_expect_status(answer, 400);
		http_client_expect_close(client, 5000);
		http_client_close(client);
	}
}

static void a_nul_byte_in_the_body_is_malformed(void **state)
{
	(void)state;
	static const char request[] = "POST /enqueue HTTP/1.1\r\nHost: a\r\nContent-Length: 20\r\n\r\n"
								  "{\"queue_id\":\"li\0ne\"}";
	expect_raw(request, sizeof(request) - 1, 400, "malformed");
	static const char behind[] = "POST /enqueue HTTP/1.1\r\nHost: a\r\nContent-Length: 20\r\n\r\n"
								 "{\"queue_id\":\"line\"}\0";
	expect_raw(behind, sizeof(behind) - 1, 400, "malformed");
}

static void a_body_that_never_comes_whole_ends_at_the_deadline(void **state)
{
	(void)state;
	static const char request[] = "POST /enqueue HTTP/1.1\r\nHost: a\r\nContent-Length: 19\r\n\r\n"
								  "{\"queue_id\":\"line\"";
	expect_raw(request, sizeof(request) - 1, 408, "request_timeout");
	/* Closed by the client in the middle: nothing to answer, and nothing happens. */
	struct http_client *client = http_client_open(url);
	http_client_send_raw(client, request, sizeof(request) - 1);
	http_client_close(client);
}

#define GUARDED(test) cmocka_unit_test_setup_teardown(test, look_before, look_after)

int main(void)
{
	const struct CMUnitTest tests[] = {
		GUARDED(bodies_that_are_not_json_are_malformed),
		GUARDED(values_that_are_wrong_are_named),
		GUARDED(a_long_name_is_refused_and_the_longest_one_is_only_unknown),
		GUARDED(json_that_is_nested_deeply_is_refused),
		GUARDED(other_content_types_are_refused),
		GUARDED(keys_that_are_not_plain_text_are_refused),
		GUARDED(a_body_over_4_kilobytes_is_refused_unread),
		GUARDED(a_header_or_target_that_is_huge_is_refused),
		GUARDED(requests_that_could_be_read_in_two_ways_are_refused),
		GUARDED(a_nul_byte_in_the_body_is_malformed),
		GUARDED(a_body_that_never_comes_whole_ends_at_the_deadline),
	};
	return cmocka_run_group_tests(tests, open_room, shared_stack_close);
}
