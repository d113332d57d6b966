/* The request guard as a function: what passes, and what is refused for which reason. The same
 * classes go over a socket in tests/integration/http_guard_wire.c.
 */
#include "support/cmocka.h"
#include "waitingroom/guard.h"

#include <string.h>

#define HEADERS_MAX 8

struct head {
	struct guard_header headers[HEADERS_MAX];
	struct guard_request request;
};

static void add(struct head *head, const char *name, const char *value)
{
	head->headers[head->request.header_count++] = (struct guard_header){
		.name = name, .value = value, .name_len = strlen(name), .value_len = strlen(value)};
}

static void head_init(struct head *head, const char *method, const char *target)
{
	*head = (struct head){.request = {.method = method,
									  .version = "HTTP/1.1",
									  .target = target,
									  .target_len = strlen(target),
									  .headers_max = HEADERS_MAX,
									  .body_max_bytes = 4096}};
	head->request.headers = head->headers;
	add(head, "Host", "example.com");
}

static struct guard_verdict check(const char *method, const char *target, const char *name,
								  const char *value)
{
	struct head head;
	head_init(&head, method, target);
	if (name)
		add(&head, name, value);
	return guard_check(&head.request);
}

static void expect_refused(struct guard_verdict verdict, enum http_refusal reason, enum wr_err err)
{
	assert_true(verdict.refused);
	assert_string_equal(http_refusal_word(verdict.reason), http_refusal_word(reason));
	assert_string_equal(err_code(verdict.err), err_code(err));
}

static void a_plain_request_passes_with_its_method(void **state)
{
	(void)state;
	for (int i = 0; i < HTTP_METHOD_COUNT; i++) {
		enum http_method method = (enum http_method)i;
		struct guard_verdict verdict =
			check(http_method_word(method), "/status?a=%2F#x", "Accept", "*/*");
		assert_false(verdict.refused);
		assert_int_equal(verdict.method, method);
		assert_int_equal(verdict.body_bytes, 0);
	}
}

static void a_length_is_taken_up_to_the_cap(void **state)
{
	(void)state;
	struct guard_verdict at_cap = check("POST", "/a", "content-LENGTH", "4096");
	assert_false(at_cap.refused);
	assert_int_equal(at_cap.body_bytes, 4096);
	expect_refused(check("POST", "/a", "Content-Length", "4097"), REFUSED_BODY, WR_BODY_TOO_LARGE);
	expect_refused(check("PUT", "/a", "Content-Length", "18446744073709551615"), REFUSED_BODY,
				   WR_BODY_TOO_LARGE);
}

static void a_length_that_is_not_plain_digits_is_refused(void **state)
{
	(void)state;
	static const char *const lengths[] = {
		"", "+3", "-3", "3 ", " 3", "3, 3", "0x3", "3\t", "3\xc2\xa0", "18446744073709551616"};
	for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++)
		expect_refused(check("POST", "/a", "Content-Length", lengths[i]), REFUSED_CONTENT_LENGTH,
					   WR_MALFORMED);
}

static void a_body_where_none_belongs_is_refused(void **state)
{
	(void)state;
	static const char *const methods[] = {"HEAD", "DELETE", "OPTIONS"};
	for (size_t i = 0; i < sizeof(methods) / sizeof(methods[0]); i++) {
		expect_refused(check(methods[i], "/a", "Content-Length", "1"), REFUSED_BODY, WR_MALFORMED);
		assert_false(check(methods[i], "/a", "Content-Length", "0").refused);
	}
}

static void every_transfer_encoding_is_refused(void **state)
{
	(void)state;
	static const char *const codings[] = {"chunked ", "gzip", "identity", "", "chunked, chunked"};
	for (size_t i = 0; i < sizeof(codings) / sizeof(codings[0]); i++)
		expect_refused(check("POST", "/a", "Transfer-Encoding", codings[i]),
					   REFUSED_TRANSFER_ENCODING, WR_MALFORMED);
	expect_refused(check("POST", "/a", "transfer-encoding", "Chunked"), REFUSED_TRANSFER_ENCODING,
				   WR_LENGTH_REQUIRED);
}

static void a_length_beside_a_transfer_encoding_is_malformed_in_either_order(void **state)
{
	(void)state;
	for (int swapped = 0; swapped < 2; swapped++) {
		struct head head;
		head_init(&head, "POST", "/a");
		add(&head, swapped ? "Content-Length" : "Transfer-Encoding", swapped ? "3" : "chunked");
		add(&head, swapped ? "Transfer-Encoding" : "Content-Length", swapped ? "chunked" : "3");
		expect_refused(guard_check(&head.request), REFUSED_TRANSFER_ENCODING, WR_MALFORMED);
	}
}

static void headers_that_mean_one_thing_may_come_once(void **state)
{
	(void)state;
	static const struct {
		const char *name, *value;
		enum http_refusal reason;
	} rows[] = {
		{"content-length", "0", REFUSED_CONTENT_LENGTH},
		{"TRANSFER-ENCODING", "chunked", REFUSED_TRANSFER_ENCODING},
		{"Authorization", "Bearer x", REFUSED_HEADER_TWICE},
		{"cookie", "a=b", REFUSED_HEADER_TWICE},
		{"Content-Type", "a/b", REFUSED_HEADER_TWICE},
		{"Idempotency-Key", "k", REFUSED_HEADER_TWICE},
		{"Origin", "https://a", REFUSED_HEADER_TWICE},
		{"Expect", "100-continue", REFUSED_HEADER_TWICE},
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct head head;
		head_init(&head, "POST", "/a");
		add(&head, rows[i].name, rows[i].value);
		add(&head, rows[i].name, rows[i].value);
		expect_refused(guard_check(&head.request), rows[i].reason, WR_MALFORMED);
	}
	struct head head;
	head_init(&head, "POST", "/a");
	add(&head, "X-Forwarded-For", "192.0.2.1");
	add(&head, "X-Forwarded-For", "192.0.2.2");
	assert_false(guard_check(&head.request).refused);
}

static void the_host_must_be_one_plausible_name(void **state)
{
	(void)state;
	static const struct {
		const char *host;
		bool passes;
	} rows[] = {
		{"a", true},
		{"example.com:8080", true},
		{"example.com:", true},
		{"127.0.0.1", true},
		{"[2001:db8::1]:80", true},
		{"[::1]", true},
		{"8080", true},
		{"_srv.a", true},
		{"", false},
		{":80", false},
		{"a b", false},
		{"a/b", false},
		{"u@a", false},
		{"a:80:80", false},
		{"::1", false},
		{"[::1", false},
		{"a\xc3\xa4", false},
		{"a?", false},
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct head head;
		head_init(&head, "GET", "/a");
		head.request.header_count = 0;
		add(&head, "Host", rows[i].host);
		if (guard_check(&head.request).refused == rows[i].passes)
			fail_msg("%s", rows[i].host);
	}
	struct head head;
	head_init(&head, "GET", "/a");
	add(&head, "HOST", "example.com");
	expect_refused(guard_check(&head.request), REFUSED_HOST, WR_MALFORMED);
}

static void only_http_1_0_may_come_without_a_host(void **state)
{
	(void)state;
	struct head head;
	head_init(&head, "GET", "/a");
	head.request.header_count = 0;
	expect_refused(guard_check(&head.request), REFUSED_HOST, WR_MALFORMED);
	head.request.version = "HTTP/1.0";
	assert_false(guard_check(&head.request).refused);
	head.request.version = "HTTP/0.9";
	expect_refused(guard_check(&head.request), REFUSED_VERSION, WR_MALFORMED);
	head.request.version = "";
	expect_refused(guard_check(&head.request), REFUSED_VERSION, WR_MALFORMED);
}

static void a_name_must_be_a_token(void **state)
{
	(void)state;
	for (int c = 1; c < 256; c++) {
		char name[] = {'X', (char)c, 'y', '\0'};
		bool is_token = (c >= '0' && c <= '9') || ((c | 32) >= 'a' && (c | 32) <= 'z' && c < 128) ||
						strchr("!#$%&'*+-.^_`|~", c);
		if (check("GET", "/a", name, "1").refused == is_token)
			fail_msg("byte %d", c);
	}
	expect_refused(check("GET", "/a", "", "1"), REFUSED_HEADER_NAME, WR_MALFORMED);
}

static void a_value_holds_no_control_character_but_tab(void **state)
{
	(void)state;
	for (int c = 1; c < 256; c++) {
		char value[] = {'a', (char)c, 'b', '\0'};
		bool passes = c == '\t' || (c >= ' ' && c != 127);
		if (check("GET", "/a", "X", value).refused == passes)
			fail_msg("byte %d", c);
	}
	struct head head;
	head_init(&head, "GET", "/a");
	head.headers[head.request.header_count++] =
		(struct guard_header){.name = "X", .name_len = 1, .value = "a\0b", .value_len = 3};
	expect_refused(guard_check(&head.request), REFUSED_HEADER_VALUE, WR_MALFORMED);
}

static void a_header_without_a_value_passes(void **state)
{
	(void)state;
	struct head head;
	head_init(&head, "GET", "/a");
	head.headers[head.request.header_count++] = (struct guard_header){.name = "X", .name_len = 1};
	assert_false(guard_check(&head.request).refused);
}

static void the_target_is_visible_ascii_from_the_root(void **state)
{
	(void)state;
	for (int c = 1; c < 256; c++) {
		char target[] = {'/', (char)c, '\0'};
		if (check("GET", target, NULL, NULL).refused == (c > ' ' && c < 127))
			fail_msg("byte %d", c);
	}
	static const char *const refused[] = {"", "a", "http://a/", "*", "//%00", "/a?b=%00c"};
	for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++)
		expect_refused(check("GET", refused[i], NULL, NULL), REFUSED_TARGET, WR_MALFORMED);
	assert_false(check("OPTIONS", "*", NULL, NULL).refused);
	assert_false(check("GET", "/%2500", NULL, NULL).refused);
}

static void other_methods_are_told_apart_from_nonsense(void **state)
{
	(void)state;
	static const char *const methods[] = {"TRACE", "CONNECT", "get", "PROPFIND", "GETT", "GE"};
	for (size_t i = 0; i < sizeof(methods) / sizeof(methods[0]); i++)
		expect_refused(check(methods[i], "/a", NULL, NULL), REFUSED_METHOD, WR_BAD_METHOD);
	expect_refused(check("G@T", "/a", NULL, NULL), REFUSED_METHOD, WR_MALFORMED);
}

static void headers_are_not_read_beyond_the_room_for_them(void **state)
{
	(void)state;
	struct head head;
	head_init(&head, "GET", "/a");
	head.request.header_count = HEADERS_MAX + 1;
	expect_refused(guard_check(&head.request), REFUSED_HEADER_COUNT, WR_MALFORMED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_plain_request_passes_with_its_method),
		cmocka_unit_test(a_length_is_taken_up_to_the_cap),
		cmocka_unit_test(a_length_that_is_not_plain_digits_is_refused),
		cmocka_unit_test(a_body_where_none_belongs_is_refused),
		cmocka_unit_test(every_transfer_encoding_is_refused),
		cmocka_unit_test(a_length_beside_a_transfer_encoding_is_malformed_in_either_order),
		cmocka_unit_test(headers_that_mean_one_thing_may_come_once),
		cmocka_unit_test(the_host_must_be_one_plausible_name),
		cmocka_unit_test(only_http_1_0_may_come_without_a_host),
		cmocka_unit_test(a_name_must_be_a_token),
		cmocka_unit_test(a_value_holds_no_control_character_but_tab),
		cmocka_unit_test(a_header_without_a_value_passes),
		cmocka_unit_test(the_target_is_visible_ascii_from_the_root),
		cmocka_unit_test(other_methods_are_told_apart_from_nonsense),
		cmocka_unit_test(headers_are_not_read_beyond_the_room_for_them),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
