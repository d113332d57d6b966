/* Answers: heads and bodies as a visitor's browser would understand them. */
#include "cmd/wrload/answer.h"

#include "cmd/wrload/http_head.h"
#include "support/cmocka.h"
#include "waitingroom/memory.h"
#include "waitingroom/text.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- bodies ---- */

static const char place[] =
	"{\"status\":\"waiting\",\"queue_id\":\"default/demo\",\"position_id\":\"AbC-_123\","
	"\"position\":12,\"ahead\":11,\"waiting\":500,"
	"\"estimated_wait_s\":{\"low\":1,\"high\":5,\"token\":\"not this\"},\"paused\":false,"
	"\"message\":\"say \\\"hi\\\" } ,\\\\\",\"poll_after_ms\":1234,\"hold_ms\":300000,"
	"\"as_of_ms\":1700000000000,\"token\":\"aaa.bbb.ccc\"}";

static void assert_slice(struct slice slice, const char *text)
{
	assert_int_equal(slice.len, strlen(text));
	assert_memory_equal(slice.text, text, slice.len);
}

static void a_place_object_is_read(void **state)
{
	(void)state;
	struct answer answer;
	assert_true(answer_read(201, place, strlen(place), &answer));
	assert_int_equal(answer.http, 201);
	assert_int_equal(answer.status, ANSWER_WAITING);
	assert_slice(answer.position_id, "AbC-_123");
	assert_slice(answer.token, "aaa.bbb.ccc");
	assert_int_equal(answer.position, 12);
	assert_int_equal(answer.poll_after_ms, 1234);
	assert_int_equal(answer.hold_ms, 300000);
	assert_int_equal(answer.as_of_ms, 1700000000000);
	assert_false(answer.stale);
	assert_int_equal(answer.session_token.len, 0);
}

static void what_is_null_or_absent_is_not_given(void **state)
{
	(void)state;
	static const char text[] = " { \"position\" : null , \"status\":\"admitted\", \"stale\":true,"
							   "\"session_token\":\"s\",\"queue\":[1,{\"a\":\"]\"}] } ";
	struct answer answer;
	assert_true(answer_read(200, text, strlen(text), &answer));
	assert_int_equal(answer.status, ANSWER_ADMITTED);
	assert_int_equal(answer.position, -1);
	assert_int_equal(answer.hold_ms, -1);
	assert_true(answer.stale);
	assert_slice(answer.session_token, "s");
	assert_true(answer_read(200, "{}", 2, &answer));
	assert_int_equal(answer.status, ANSWER_NONE);
}

static void a_problem_document_is_read_by_its_code(void **state)
{
	(void)state;
	static const char text[] = "{\"type\":\"about:blank\",\"title\":\"Gone\",\"status\":410,"
							   "\"code\":\"turn_missed\",\"request_id\":\"x\"}";
	struct answer answer;
	assert_true(answer_read(410, text, strlen(text), &answer));
	assert_int_equal(answer.code, CODE_TURN_MISSED);
	assert_int_equal(answer.status, ANSWER_NONE);
	static const char unknown[] = "{\"code\":\"brand_new\"}";
	assert_true(answer_read(410, unknown, strlen(unknown), &answer));
	assert_int_equal(answer.code, CODE_OTHER);
}

static void every_cut_of_a_place_object_is_refused_and_read_safely(void **state)
{
	(void)state;
	for (size_t len = 0; len < strlen(place); len++) {
		char *cut = malloc(len ? len : 1); /* exact, so that a sanitizer sees one byte too far */
		assert_non_null(cut);
		memcpy(cut, place, len);
		struct answer answer;
		assert_false(answer_read(200, cut, len, &answer));
		assert_int_equal(answer.http, 200);
		assert_int_equal(answer.token.len, 0);
		free(cut);
	}
}

static void what_is_no_flat_object_of_the_right_types_is_refused(void **state)
{
	(void)state;
	static const char *const bad[] = {"",
									  "[]",
									  "null",
									  "<html>",
									  "{\"position\":\"12\",\"position\":1.5}",
									  "{\"position\":12x}",
									  "{\"hold_ms\":true}",
									  "{\"a\"}",
									  "{\"a\":}",
									  "{\"a\":1,}",
									  "{a:1}",
									  "{\"a\":[1,{}}",
									  "{\"a\":\"\\"};
	struct answer answer;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_false(answer_read(200, bad[i], strlen(bad[i]), &answer));
}

/* ---- session tokens ---- */

static struct session_facts facts_of_claims(const char *claims)
{
	char token[256] = "header.";
	size_t len = 7 + base64url_encode(claims, strlen(claims), token + 7);
	len += (size_t)snprintf(token + len, sizeof(token) - len, ".signature");
	return session_facts_read((struct slice){token, len});
}

static void a_session_token_tells_whose_it_is_and_when_it_ends(void **state)
{
	(void)state;
	struct session_facts mine = facts_of_claims("{\"sub\":\"p1\",\"iat\":1,\"exp\":900}");
	struct session_facts again = facts_of_claims("{\"exp\":900,\"sub\":\"p1\",\"iat\":7}");
	struct session_facts other = facts_of_claims("{\"sub\":\"p2\",\"exp\":900}");
	assert_int_equal(mine.expires_s, 900);
	assert_int_equal(mine.subject_hash, again.subject_hash);
	assert_int_not_equal(mine.subject_hash, other.subject_hash);
}

static void a_session_token_of_another_kind_is_known_by_its_text(void **state)
{
	(void)state;
	struct session_facts one = session_facts_read((struct slice){"opaque-1", 8});
	struct session_facts two = session_facts_read((struct slice){"opaque-2", 8});
	assert_int_equal(one.expires_s, 0);
	assert_int_not_equal(one.subject_hash, two.subject_hash);
	assert_int_equal(session_facts_read((struct slice){"a.!.c", 5}).expires_s, 0);
}

/* ---- heads ---- */

static enum http_head_result read_head(const char *text, struct http_head *ret_head)
{
	return http_head_read(text, strlen(text), ret_head);
}

static void an_answer_is_whole_when_its_body_is(void **state)
{
	(void)state;
	static const char text[] = "HTTP/1.1 503 Busy\r\ncontent-LENGTH:  4 \r\nRetry-After: 7\r\n"
							   "X-Content-Length: 9\r\n\r\nbody";
	struct http_head head;
	for (size_t len = 0; len < strlen(text); len++) {
		char *cut = mem_copy(text, len);
		assert_int_equal(http_head_read(cut, len, &head), HTTP_HEAD_PART);
		free(cut);
	}
	assert_int_equal(read_head(text, &head), HTTP_HEAD_WHOLE);
	assert_int_equal(head.status, 503);
	assert_int_equal(head.body_len, 4);
	assert_string_equal(text + head.head_len, "body");
	assert_int_equal(head.retry_after_s, 7);
	assert_false(head.must_close);
}

static void close_and_http_1_0_end_the_connection(void **state)
{
	(void)state;
	struct http_head head;
	assert_int_equal(read_head("HTTP/1.1 204 N\r\nConnection: Close\r\n\r\n", &head),
					 HTTP_HEAD_WHOLE);
	assert_true(head.must_close);
	assert_int_equal(read_head("HTTP/1.0 200 O\r\nContent-Length: 0\r\n\r\n", &head),
					 HTTP_HEAD_WHOLE);
	assert_true(head.must_close);
}

static void a_retry_after_that_is_a_date_is_not_given(void **state)
{
	(void)state;
	struct http_head head;
	assert_int_equal(read_head("HTTP/1.1 429 T\r\nContent-Length: 0\r\n"
							   "Retry-After: Fri, 31 Dec 1999 23:59:59 GMT\r\n\r\n",
							   &head),
					 HTTP_HEAD_WHOLE);
	assert_int_equal(head.retry_after_s, -1);
}

static void answers_of_unknown_length_and_nonsense_are_bad(void **state)
{
	(void)state;
	static const char *const bad[] = {
		"HTTP/1.1 200 OK\r\n\r\n",
		"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
		"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\nx",
		"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
		"HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n",
		"HTTP/1.1 100 Continue\r\n\r\n",
		"HTTP/2 200 OK\r\nContent-Length: 0\r\n\r\n",
		"\r\n\r\n",
		"+OK hello\r\n\r\n",
	};
	struct http_head head;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(read_head(bad[i], &head), HTTP_HEAD_BAD);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_place_object_is_read),
		cmocka_unit_test(what_is_null_or_absent_is_not_given),
		cmocka_unit_test(a_problem_document_is_read_by_its_code),
		cmocka_unit_test(every_cut_of_a_place_object_is_refused_and_read_safely),
		cmocka_unit_test(what_is_no_flat_object_of_the_right_types_is_refused),
		cmocka_unit_test(a_session_token_tells_whose_it_is_and_when_it_ends),
		cmocka_unit_test(a_session_token_of_another_kind_is_known_by_its_text),
		cmocka_unit_test(an_answer_is_whole_when_its_body_is),
		cmocka_unit_test(close_and_http_1_0_end_the_connection),
		cmocka_unit_test(a_retry_after_that_is_a_date_is_not_given),
		cmocka_unit_test(answers_of_unknown_length_and_nonsense_are_bad),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
