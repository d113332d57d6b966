/* The request guard as a client sees it: bytes in, bytes out, over a socket.
 *
 * Each row is a request that two parsers could read differently, followed by a second request. The
 * server must refuse the first, close, and never serve what follows. Rows come from the classes
 * that were measured against the library alone; those that it refuses itself stay here too, so that
 * another version of it is held to the same.
 */
#include "support/cmocka.h"
#include "support/http_rig.h"
#include "support/wait.h"
#include "waitingroom/memory.h"

#include <microhttpd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BEHIND "GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n"

struct row {
	const char *name;
	const char *bytes;
	int status; /* of the only answer; 0: closed without one is fine */
	int reason; /* http_refusal, or -1: the library refuses it before the guard */
};

#define LIBRARY -1
static const struct row rows[] = {
	{"length and chunked together",
	 "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n"
	 "0\r\n\r\n",
	 400, REFUSED_TRANSFER_ENCODING},
	{"chunked alone is asked for a length",
	 "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 411,
	 REFUSED_TRANSFER_ENCODING},
	{"two transfer encodings",
	 "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: "
	 "chunked\r\n\r\n0\r\n\r\n",
	 400, REFUSED_TRANSFER_ENCODING},
	{"unknown transfer encoding",
	 "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: xchunked\r\n\r\n", 400,
	 REFUSED_TRANSFER_ENCODING},
	{"transfer encoding list",
	 "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked, identity\r\n\r\n", 400,
	 REFUSED_TRANSFER_ENCODING},
	{"transfer encoding in HTTP/1.0",
	 "POST /echo HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400,
	 REFUSED_TRANSFER_ENCODING},
	{"two lengths",
	 "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nContent-Length: 40\r\n\r\nabc", 400,
	 REFUSED_CONTENT_LENGTH},
	{"the same length twice",
	 "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nContent-Length: 3\r\n\r\nabc", 400,
	 REFUSED_CONTENT_LENGTH},
	{"length list", "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 3, 3\r\n\r\nabc", 400,
	 LIBRARY},
	{"signed length", "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: +3\r\n\r\nabc", 400,
	 LIBRARY},
	{"negative length", "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: -3\r\n\r\nabc", 400,
	 LIBRARY},
	{"length with letters", "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 3x\r\n\r\nabc", 400,
	 LIBRARY},
	{"length beyond 64 bits",
	 "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 18446744073709551617\r\n\r\nabc", 413,
	 LIBRARY},
	{"length above the cap", "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 4097\r\n\r\nabc",
	 413, REFUSED_BODY},
	{"space before the colon of the length",
	 "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length : 3\r\n\r\nabc", 400, REFUSED_HEADER_NAME},
	{"body on DELETE", "DELETE /hello HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc", 400,
	 REFUSED_BODY},
	{"no host", "GET /hello HTTP/1.1\r\n\r\n", 400, LIBRARY},
	{"two hosts", "GET /hello HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", 400, REFUSED_HOST},
	{"empty host", "GET /hello HTTP/1.1\r\nHost:\r\n\r\n", 400, REFUSED_HOST},
	{"host with a path", "GET /hello HTTP/1.1\r\nHost: a/b\r\n\r\n", 400, REFUSED_HOST},
	{"host with user information", "GET /hello HTTP/1.1\r\nHost: me@a\r\n\r\n", 400, REFUSED_HOST},
	{"separator in a name", "GET /hello HTTP/1.1\r\nHost: a\r\nX(y): 1\r\n\r\n", 400,
	 REFUSED_HEADER_NAME},
	{"tab in a name", "GET /hello HTTP/1.1\r\nHost: a\r\nX\ty: 1\r\n\r\n", 400,
	 REFUSED_HEADER_NAME},
	{"byte above 127 in a name", "GET /hello HTTP/1.1\r\nHost: a\r\nX\xe9: 1\r\n\r\n", 400,
	 REFUSED_HEADER_NAME},
	{"control character in a value", "GET /hello HTTP/1.1\r\nHost: a\r\nX: a\x01z\r\n\r\n", 400,
	 REFUSED_HEADER_VALUE},
	{"bare CR in a value", "GET /hello HTTP/1.1\r\nHost: a\r\nX: a\rY: z\r\n\r\n", 400,
	 REFUSED_HEADER_VALUE},
	{"line without colon", "GET /hello HTTP/1.1\r\nHost: a\r\nnonsense\r\n\r\n", 400, LIBRARY},
	{"two authorizations",
	 "GET /hello HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer a\r\nauthorization: Bearer b\r\n\r\n",
	 400, REFUSED_HEADER_TWICE},
	{"two cookies", "GET /hello HTTP/1.1\r\nHost: a\r\nCookie: a=1\r\nCookie: a=2\r\n\r\n", 400,
	 REFUSED_HEADER_TWICE},
	{"two keys",
	 "POST /echo HTTP/1.1\r\nHost: a\r\nIdempotency-Key: a\r\nIdempotency-Key: b\r\n\r\n", 400,
	 REFUSED_HEADER_TWICE},
	{"two content types",
	 "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Type: a/b\r\nContent-Type: c/d\r\n\r\n", 400,
	 REFUSED_HEADER_TWICE},
	{"TRACE", "TRACE /hello HTTP/1.1\r\nHost: a\r\n\r\n", 405, REFUSED_METHOD},
	{"CONNECT", "CONNECT /hello HTTP/1.1\r\nHost: a\r\n\r\n", 405, REFUSED_METHOD},
	{"method in small letters", "get /hello HTTP/1.1\r\nHost: a\r\n\r\n", 405, REFUSED_METHOD},
	{"no method token", "G@T /hello HTTP/1.1\r\nHost: a\r\n\r\n", 400, REFUSED_METHOD},
	{"no version", "GET /hello\r\n\r\n", 0, LIBRARY},
	{"unknown version", "GET /hello HTTP/1.2\r\nHost: a\r\n\r\n", 400, REFUSED_VERSION},
	{"version two", "GET /hello HTTP/2.0\r\nHost: a\r\n\r\n", 505, LIBRARY},
	{"bad version", "GET /hello HXTP/1.1\r\nHost: a\r\n\r\n", 400, LIBRARY},
	{"encoded NUL", "GET /hello%00x HTTP/1.1\r\nHost: a\r\n\r\n", 400, REFUSED_TARGET},
	{"control character in the target", "GET /hel\x01o HTTP/1.1\r\nHost: a\r\n\r\n", 400,
	 REFUSED_TARGET},
	{"byte above 127 in the target", "GET /hell\xf6 HTTP/1.1\r\nHost: a\r\n\r\n", 400,
	 REFUSED_TARGET},
	{"absolute target", "GET http://b/hello HTTP/1.1\r\nHost: a\r\n\r\n", 400, REFUSED_TARGET},
	{"relative target", "GET hello HTTP/1.1\r\nHost: a\r\n\r\n", 400, REFUSED_TARGET},
	{"star with GET", "GET * HTTP/1.1\r\nHost: a\r\n\r\n", 400, REFUSED_TARGET},
	{"space in the target", "GET /hel lo HTTP/1.1\r\nHost: a\r\n\r\n", 0, LIBRARY},
};

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

static char *exchange(struct rig *rig, const char *bytes, size_t len)
{
	int fd = rig_connect(rig);
	rig_send(fd, bytes, len);
	return rig_read_to_end(fd, 3000);
}

/* Newer versions of the library refuse more themselves. */
static bool refused_by_library(const char *got)
{
	return MHD_VERSION >= 0x01000000 && strstr(got, "<html>");
}

static void check_row(struct rig *rig, const struct row *row, const char *got)
{
	int status = 0;
	sscanf(got, "HTTP/1.%*1[01] %3d ", &status);
	if (row->status && status != row->status)
		fail_msg("%s: %d instead of %d: %.200s", row->name, status, row->status, got);
	if (rig->smuggled)
		fail_msg("%s: what follows was served", row->name);
	if (row->reason == LIBRARY || refused_by_library(got))
		return;
	if (rig_count_text(got, "HTTP/1.1 ") != 1 || !strstr(got, "Connection: close\r\n") ||
		!strstr(got, "application/problem+json\r\n") || !strstr(got, "X-Request-Id: ") ||
		!strstr(got, "\"request_id\":\""))
		fail_msg("%s: not one whole refusal: %s", row->name, got);
	const char *sentence = http_refusal_sentence((enum http_refusal)row->reason);
	size_t plain = strcspn(sentence, "\""); /* the document escapes quotes */
	WR_AUTO(mem_free_at) char *said = mem_copy(sentence, plain);
	if (status == 400 && !strstr(got, said))
		fail_msg("%s: not said what is wrong: %s", row->name, got);
}

static void nothing_behind_a_refused_request_is_served(void **state)
{
	struct rig *rig = *state;
	char bytes[1024];
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct http_counts before = rig_counts(rig);
		int len = snprintf(bytes, sizeof(bytes), "%s%s", rows[i].bytes, BEHIND);
		WR_AUTO(mem_free_at) char *got = exchange(rig, bytes, (size_t)len);
		check_row(rig, &rows[i], got);
		struct http_counts after = rig_counts(rig);
		for (int reason = 0; reason < HTTP_REFUSAL_COUNT; reason++) {
			bool ours = reason == rows[i].reason && !refused_by_library(got);
			if (after.refused[reason] - before.refused[reason] != ours)
				fail_msg("%s: counted %s", rows[i].name, http_refusal_word(reason));
		}
	}
	assert_int_equal(rig->served, 0);
}

static void a_refusal_does_not_wait_for_the_body(void **state)
{
	const char *bytes = "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 100000\r\n\r\n";
	WR_AUTO(mem_free_at) char *got = exchange(*state, bytes, strlen(bytes));
	assert_non_null(strstr(got, " 413 "));
}

static void a_refused_upload_gets_no_100_continue(void **state)
{
	const char *bytes = "POST /echo HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\n"
						"Content-Length: 100000\r\n\r\n";
	WR_AUTO(mem_free_at) char *got = exchange(*state, bytes, strlen(bytes));
	assert_null(strstr(got, " 100 "));
	assert_non_null(strstr(got, " 413 "));
}

static void headers_that_do_not_fit_get_431(void **state)
{
	struct rig *rig = *state;
	char *bytes = mem_alloc_zero(1, 20000);
	strcpy(bytes, "GET /hello HTTP/1.1\r\nHost: a\r\nX: ");
	memset(bytes + strlen(bytes), 'x', 12000);
	strcat(bytes, "\r\n\r\n" BEHIND);
	WR_AUTO(mem_free_at) char *got = exchange(rig, bytes, strlen(bytes));
	free(bytes);
	assert_non_null(strstr(got, " 431 "));
	assert_int_equal(rig->smuggled, 0);
}

static void a_target_that_does_not_fit_gets_414(void **state)
{
	struct rig *rig = *state;
	char *bytes = mem_alloc_zero(1, 20000);
	strcpy(bytes, "GET /");
	memset(bytes + strlen(bytes), 'x', 12000);
	strcat(bytes, " HTTP/1.1\r\nHost: a\r\n\r\n" BEHIND);
	WR_AUTO(mem_free_at) char *got = exchange(rig, bytes, strlen(bytes));
	free(bytes);
	assert_non_null(strstr(got, " 414 "));
	assert_int_equal(rig->smuggled, 0);
}

static void too_many_headers_are_refused(void **state)
{
	struct rig *rig = *state;
	char bytes[2048] = "GET /hello HTTP/1.1\r\nHost: a\r\n";
	for (int i = 0; i < 64; i++) /* with Host one more than 64 */
		strcat(bytes, "X: y\r\n");
	strcat(bytes, "\r\n" BEHIND);
	WR_AUTO(mem_free_at) char *got = exchange(rig, bytes, strlen(bytes));
	assert_non_null(strstr(got, " 400 "));
	assert_int_equal(rig_counts(rig).refused[REFUSED_HEADER_COUNT], 1);
	assert_int_equal(rig->smuggled, 0);
}

static void a_refusal_does_not_repeat_the_id_it_was_given(void **state)
{
	const char *bytes = "GET /hello HTTP/1.1\r\nHost: a\r\nHost: b\r\nX-Request-Id: mine\r\n\r\n";
	WR_AUTO(mem_free_at) char *got = exchange(*state, bytes, strlen(bytes));
	assert_null(strstr(got, "mine"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(nothing_behind_a_refused_request_is_served, start, stop),
		cmocka_unit_test_setup_teardown(a_refusal_does_not_wait_for_the_body, start, stop),
		cmocka_unit_test_setup_teardown(a_refused_upload_gets_no_100_continue, start, stop),
		cmocka_unit_test_setup_teardown(headers_that_do_not_fit_get_431, start, stop),
		cmocka_unit_test_setup_teardown(a_target_that_does_not_fit_gets_414, start, stop),
		cmocka_unit_test_setup_teardown(too_many_headers_are_refused, start, stop),
		cmocka_unit_test_setup_teardown(a_refusal_does_not_repeat_the_id_it_was_given, start, stop),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
