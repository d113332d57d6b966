/* Asking another server: what comes back, and what is said when nothing does. */
#include "waitingroom/http_call.h"
#include "support/cmocka.h"
#include "support/http_rig.h"
#include "support/process.h"
#include "support/servers.h"
#include "support/temp.h"
#include "support/wait.h"
#include "waitingroom/memory.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define DEADLINE_MS 5000

struct world {
	struct rig *rig;
	struct http_caller *caller;
};

static int start(void **state)
{
	struct world *world = mem_alloc_zero(1, sizeof(*world));
	world->rig = rig_start(NULL);
	world->caller = http_caller_new();
	*state = world;
	return 0;
}

static int stop(void **state)
{
	struct world *world = *state;
	http_caller_free(world->caller);
	rig_stop(world->rig);
	free(world);
	return 0;
}

static struct http_call call_of(const char *method, const char *url)
{
	return (struct http_call){
		.method = method, .url = url, .deadline_ms = DEADLINE_MS, .body_max = 1 << 20};
}

static void url_of(const struct world *world, const char *path, char ret_url[256])
{
	snprintf(ret_url, 256, "http://%s%s", rig_address(world->rig), path);
}

/* ---- answers ---- */

static void an_answer_has_its_status_headers_and_body(void **state)
{
	struct world *world = *state;
	char url[256];
	url_of(world, "/big", url);
	struct http_call call = call_of("GET", url);
	WR_AUTO(http_call_answer_clear) struct http_call_answer answer = {0};
	struct err_detail detail = {""};
	assert_int_equal(http_caller_call(world->caller, &call, &answer, &detail), WR_OK);
	assert_int_equal(answer.status, 200);
	assert_int_equal(answer.body_len, strlen(answer.body));
	assert_int_equal(answer.body[0], 'b');
	assert_string_equal(http_call_answer_header(&answer, "cache-control"), "public, max-age=2");
	assert_null(http_call_answer_header(&answer, "X-Nothing"));
}

static void a_body_is_sent_whole(void **state)
{
	struct world *world = *state;
	char url[256];
	url_of(world, "/echo", url);
	struct http_call call = call_of("POST", url);
	call.body = "a\0b";
	call.body_len = 3;
	WR_AUTO(http_call_answer_clear) struct http_call_answer answer = {0};
	struct err_detail detail = {""};
	assert_int_equal(http_caller_call(world->caller, &call, &answer, &detail), WR_OK);
	assert_int_equal(answer.body_len, 3);
	assert_memory_equal(answer.body, "a\0b", 3);
}

static void headers_are_sent_with_the_request(void **state)
{
	struct world *world = *state;
	char url[256];
	url_of(world, "/cookie", url);
	const char *const headers[] = {"Cookie: place=here", NULL};
	struct http_call call = call_of("GET", url);
	call.headers = headers;
	WR_AUTO(http_call_answer_clear) struct http_call_answer answer = {0};
	struct err_detail detail = {""};
	assert_int_equal(http_caller_call(world->caller, &call, &answer, &detail), WR_OK);
	assert_string_equal(answer.body, "here");
}

static void a_status_of_an_error_is_an_answer(void **state)
{
	struct world *world = *state;
	char url[256];
	url_of(world, "/nowhere/at/all", url);
	struct http_call call = call_of("GET", url);
	WR_AUTO(http_call_answer_clear) struct http_call_answer answer = {0};
	struct err_detail detail = {""};
	assert_int_equal(http_caller_call(world->caller, &call, &answer, &detail), WR_OK);
	assert_int_equal(answer.status, 404);
}

static void one_connection_serves_many_calls(void **state)
{
	struct world *world = *state;
	char url[256];
	url_of(world, "/hello", url);
	for (int i = 0; i < 5; i++) {
		struct http_call call = call_of("GET", url);
		WR_AUTO(http_call_answer_clear) struct http_call_answer answer = {0};
		struct err_detail detail = {""};
		assert_int_equal(http_caller_call(world->caller, &call, &answer, &detail), WR_OK);
		assert_string_equal(answer.body, "hello");
	}
	assert_int_equal(rig_counts(world->rig).connections_total, 1);
}

/* ---- no answer ---- */

static void a_body_over_the_limit_is_refused(void **state)
{
	struct world *world = *state;
	char url[256];
	url_of(world, "/big", url);
	struct http_call call = call_of("GET", url);
	call.body_max = 100;
	struct http_call_answer answer = {0};
	struct err_detail detail = {""};
	assert_int_equal(http_caller_call(world->caller, &call, &answer, &detail), WR_LIMIT);
	assert_null(answer.body);
	assert_non_null(strstr(detail.text, "100 bytes"));
}

static void nobody_who_listens_is_told_from_somebody_silent(void **state)
{
	struct world *world = *state;
	char url[256];
	struct http_call_answer answer = {0};
	struct err_detail detail = {""};
	snprintf(url, sizeof(url), "http://127.0.0.1:%d/", free_port());
	struct http_call call = call_of("GET", url);
	assert_int_equal(http_caller_call(world->caller, &call, &answer, &detail), WR_IO);
	assert_true(detail.text[0] != '\0');

	int port = free_port(), silent = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct sockaddr_in address = {.sin_family = AF_INET,
								  .sin_port = htons((uint16_t)port),
								  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	assert_int_equal(bind(silent, (struct sockaddr *)&address, sizeof(address)), 0);
	assert_int_equal(listen(silent, 8), 0);
	snprintf(url, sizeof(url), "http://127.0.0.1:%d/", port);
	call.deadline_ms = 100;
	assert_int_equal(http_caller_call(world->caller, &call, &answer, &detail), WR_TIMEOUT);
	close(silent);
}

static void an_address_that_is_none_and_another_protocol_are_refused(void **state)
{
	struct world *world = *state;
	struct http_call_answer answer = {0};
	struct err_detail detail = {""};
	struct http_call call = call_of("GET", "file:///etc/passwd");
	assert_int_equal(http_caller_call(world->caller, &call, &answer, &detail), WR_BAD_CONFIG);
	call = call_of("GET", "http://");
	assert_int_equal(http_caller_call(world->caller, &call, &answer, &detail), WR_BAD_CONFIG);
	call = call_of("GET", "https://127.0.0.1:1/");
	call.ca_file = "/nowhere/ca.pem";
	assert_int_not_equal(http_caller_call(world->caller, &call, &answer, &detail), WR_OK);
}

/* ---- TLS ---- */

static char *make_certificate(const char *name, const char *names)
{
	char subject[100];
	WR_AUTO(mem_free_at) char *key = temp_path("%s.key", name);
	char *certificate = temp_path("%s.pem", name);
	print_into(subject, "subjectAltName=%s", names);
	struct process *process = process_start(
		"openssl-req",
		(const char *[]){"openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
						 "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-subj", "/CN=x",
						 "-addext", subject, "-keyout", key, "-out", certificate, NULL},
		NULL);
	assert_int_equal(process_wait(process, DEADLINE_MS), 0);
	process_free(process);
	return certificate;
}

static struct process *serve_tls(const char *name, int port)
{
	char accept[16];
	WR_AUTO(mem_free_at) char *key = temp_path("%s.key", name);
	WR_AUTO(mem_free_at) char *certificate = temp_path("%s.pem", name);
	print_into(accept, "%d", port);
	struct process *server =
		process_start(name, /* of its log, too */
					  (const char *[]){"openssl", "s_server", "-accept", accept, "-www", "-key",
									   key, "-cert", certificate, NULL},
					  NULL);
	WAIT_UNTIL(DEADLINE_MS, process_log_has(server, "ACCEPT"), "openssl listens");
	return server;
}

static void a_certificate_counts_when_it_is_of_the_authority_and_of_the_name(void **state)
{
	struct world *world = *state;
	WR_AUTO(mem_free_at) char *good = make_certificate("good", "IP:127.0.0.1");
	WR_AUTO(mem_free_at) char *other = make_certificate("other", "DNS:elsewhere.example");
	int port = free_port();
	struct process *server = serve_tls("good", port);
	char url[64];
	print_into(url, "https://127.0.0.1:%d/", port);
	struct http_call call = call_of("GET", url);
	struct http_call_answer answer = {0};
	struct err_detail detail = {""};
	call.ca_file = good;
	assert_int_equal(http_caller_call(world->caller, &call, &answer, &detail), WR_OK);
	assert_int_equal(answer.status, 200);
	http_call_answer_clear(&answer);
	call.ca_file = other;
	assert_int_equal(http_caller_call(world->caller, &call, &answer, &detail), WR_BAD_CONFIG);
	process_free(server);

	port = free_port();
	server = serve_tls("other", port);
	print_into(url, "https://127.0.0.1:%d/", port);
	assert_int_equal(http_caller_call(world->caller, &call, &answer, &detail), WR_BAD_CONFIG);
	process_free(server);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, start, stop)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(an_answer_has_its_status_headers_and_body),
		TEST(a_body_is_sent_whole),
		TEST(headers_are_sent_with_the_request),
		TEST(a_status_of_an_error_is_an_answer),
		TEST(one_connection_serves_many_calls),
		TEST(a_body_over_the_limit_is_refused),
		TEST(nobody_who_listens_is_told_from_somebody_silent),
		TEST(an_address_that_is_none_and_another_protocol_are_refused),
		TEST(a_certificate_counts_when_it_is_of_the_authority_and_of_the_name),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
