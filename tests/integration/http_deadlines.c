/* The HTTP server under slow, vanishing, too many and parked clients, and while it stops.
 *
 * Deadlines are short, so that the tests are; each waits for what must happen, never for a time.
 * "Does not spin" is tested by counting turns of the loop, not by measuring the processor.
 */
#include "support/cmocka.h"
#include "support/http.h"
#include "support/http_rig.h"
#include "support/wait.h"
#include "waitingroom/memory.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#define DEADLINE_MS 5000
#define SHORT_MS 200
#define ANSWER WR_AUTO(http_answer_free_at) struct http_answer
#define HELLO "GET /hello HTTP/1.1\r\nHost: a\r\n\r\n"
#define PARK "GET /park HTTP/1.1\r\nHost: a\r\n\r\n"

static int start(void **state)
{
	*state = rig_start(NULL);
	return 0;
}

static int start_impatient(void **state)
{
	*state = rig_start(&(struct http_limits){.request_deadline_ms = SHORT_MS});
	return 0;
}

static int stop(void **state)
{
	rig_stop(*state);
	return 0;
}

/* ---- slow clients ---- */

/* Sends 'text' byte by byte, more slowly than the server has patience for; gives what came back. */
static char *dribble(struct rig *rig, const char *first, char forever)
{
	int fd = rig_connect(rig);
	rig_send_text(fd, first);
	struct mono_time deadline = wait_deadline(DEADLINE_MS);
	char got[1024] = "";
	for (ssize_t len = -1; len < 0;) {
		if (!wait_left_ms(deadline))
			fail_msg("a slow client was not cut off");
		rig_send(fd, &forever, 1);
		struct timeval wait = {.tv_usec = 20000};
		setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof(wait));
		len = recv(fd, got, sizeof(got) - 1, 0);
		got[len > 0 ? len : 0] = '\0';
	}
	close(fd);
	return mem_copy_string(got);
}

static void check_cut_off(struct rig *rig, const char *first, char forever)
{
	struct mono_time before = clock_mono();
	WR_AUTO(mem_free_at) char *got = dribble(rig, first, forever);
	assert_true(mono_diff_ms(before, clock_mono()) >= SHORT_MS / 2);
	assert_non_null(strstr(got, "HTTP/1.1 408 "));
	assert_non_null(strstr(got, "\"code\":\"request_timeout\",\"request_id\":\""));
	assert_non_null(strstr(got, "Connection: close\r\n"));
	assert_int_equal(rig->served, 0);
	WAIT_UNTIL(DEADLINE_MS, !rig_counts(rig).connections_now, "the connection to be gone");
}

static void a_slow_request_line_is_cut_off(void **state)
{
	check_cut_off(*state, "GET /", 'x');
	assert_int_equal(rig_counts(*state).refused[REFUSED_DEADLINE], 1);
}

static void slow_headers_are_cut_off(void **state)
{
	check_cut_off(*state, "GET /hello HTTP/1.1\r\nHost: a\r\nX: ", 'x');
	assert_int_equal(rig_counts(*state).refused[REFUSED_DEADLINE], 1);
}

static void a_slow_body_is_cut_off(void **state)
{
	check_cut_off(*state, "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 4000\r\n\r\n", 'x');
	assert_int_equal(rig_counts(*state).refused[REFUSED_DEADLINE], 1);
}

static void a_slow_second_request_is_cut_off(void **state)
{
	struct rig *rig = *state;
	WR_AUTO(mem_free_at) char *got = dribble(rig, HELLO "GET /", 'x'); /* returns at the answer */
	assert_non_null(strstr(got, "hello"));
	int fd = rig_connect(rig);
	rig_send_text(fd, HELLO);
	char answer[512];
	assert_true(recv(fd, answer, sizeof(answer), 0) > 0);
	struct mono_time deadline = wait_deadline(DEADLINE_MS);
	while (!rig_counts(rig).refused[REFUSED_DEADLINE]) {
		assert_true(wait_left_ms(deadline) > 0);
		rig_send(fd, "x", 1);
		struct timeval wait = {.tv_usec = 20000};
		setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof(wait));
		ssize_t ignored = recv(fd, answer, sizeof(answer), MSG_PEEK);
		(void)ignored;
	}
	close(fd);
}

static void a_quiet_connection_outlives_the_request_deadline(void **state)
{
	struct rig *rig = *state;
	struct http_client *client = http_client_open(rig_address(rig));
	http_client_send(client, "GET", "/hello", NULL, NULL);
	ANSWER *first = http_client_read(client, DEADLINE_MS);
	struct mono_time quiet = clock_mono();
	WAIT_UNTIL(DEADLINE_MS, mono_diff_ms(quiet, clock_mono()) > 3 * SHORT_MS, "time to pass");
	http_client_send(client, "GET", "/hello", NULL, NULL);
	ANSWER *second = http_client_read(client, DEADLINE_MS);
	http_client_close(client);
	assert_string_equal(first->body, second->body);
	assert_int_equal(rig_counts(rig).connections_total, 1);
}

static void a_connection_on_which_nothing_comes_ends_without_spinning(void **state)
{
	(void)state;
	struct rig *rig = rig_start(&(struct http_limits){.idle_timeout_s = 1});
	struct http_client *client = http_client_open(rig_address(rig));
	http_client_send(client, "GET", "/hello", NULL, NULL);
	ANSWER *answer = http_client_read(client, DEADLINE_MS);
	assert_int_equal(answer->status, 200);
	int before = rig->turns;
	http_client_expect_close(client, DEADLINE_MS);
	assert_true(rig->turns - before < 100);
	http_client_close(client);
	rig_stop(rig);
}

static void a_half_closed_client_gets_its_answer_and_is_let_go(void **state)
{
	int fd = rig_connect(*state);
	rig_send_text(fd, HELLO);
	shutdown(fd, SHUT_WR);
	WR_AUTO(mem_free_at) char *got = rig_read_to_end(fd, DEADLINE_MS);
	assert_non_null(strstr(got, "hello"));
}

/* ---- parked requests ---- */

static void parked_requests_are_all_answered_with_what_they_noted(void **state)
{
	struct rig *rig = *state;
	int fds[8];
	for (int i = 0; i < 8; i++) {
		fds[i] = rig_connect(rig);
		rig_send_text(fds[i], "GET /park HTTP/1.1\r\nHost: a\r\nConnection: close\r\n"
							  "X-Request-Id: mine\r\n\r\n");
	}
	WAIT_UNTIL(DEADLINE_MS, rig->parked_count == 8, "all to be parked");
	assert_int_equal(rig_counts(rig).parked_now, 8);
	rig_do(rig, rig_release);
	for (int i = 0; i < 8; i++) {
		WR_AUTO(mem_free_at) char *got = rig_read_to_end(fds[i], DEADLINE_MS);
		assert_non_null(strstr(got, "\r\n\r\nmine")); /* it was in the notes */
	}
	assert_int_equal(rig_counts(rig).parked_now, 0);
}

static void half_close_while_parked(struct rig *rig, const char *request)
{
	int fd = rig_connect(rig);
	rig_send_text(fd, request);
	WAIT_UNTIL(DEADLINE_MS, rig->parked_count == 1, "it to be parked");
	shutdown(fd, SHUT_WR);
	rig_do(rig, rig_release);
	WR_AUTO(mem_free_at) char *got = rig_read_to_end(fd, DEADLINE_MS);
	assert_int_equal(rig_count_text(got, "HTTP/1.1 200 OK\r\n"), 1);
	assert_non_null(strstr(got, "X-Request-Id: mine\r\n"));
	assert_non_null(strstr(got, "Content-Length: 4\r\nConnection: close\r\n\r\nmine"));
	assert_int_equal(rig_counts(rig).parked_now, 0);
}

static void a_half_closed_client_gets_the_answer_of_a_parked_request_too(void **state)
{
	half_close_while_parked(*state, "GET /park HTTP/1.1\r\nHost: a\r\nX-Request-Id: mine\r\n\r\n");
	half_close_while_parked(*state, "POST /park HTTP/1.1\r\nHost: a\r\nX-Request-Id: mine\r\n"
									"Content-Length: 4\r\n\r\nbody");
}

/* libmicrohttpd before 1.0.3 could skip ready connections while another was suspended. */
static void busy_connections_are_served_while_another_is_parked(void **state)
{
	struct rig *rig = *state;
	int parked = rig_connect(rig);
	rig_send_text(parked, PARK);
	WAIT_UNTIL(DEADLINE_MS, rig->parked_count == 1, "the request to be parked");
	struct http_client *clients[10];
	for (int i = 0; i < 10; i++)
		clients[i] = http_client_open(rig_address(rig));
	for (int round = 0; round < 100; round++) {
		for (int i = 0; i < 10; i++)
			http_client_send(clients[i], "GET", "/hello", NULL, NULL);
		for (int i = 0; i < 10; i++) {
			ANSWER *answer = http_client_read(clients[i], DEADLINE_MS);
			assert_int_equal(answer->status, 200);
		}
	}
	http_client_send(clients[0], "POST", "/release", NULL, NULL); /* from another's handler */
	ANSWER *released = http_client_read(clients[0], DEADLINE_MS);
	assert_string_equal(released->body, "released");
	for (int i = 0; i < 10; i++)
		http_client_close(clients[i]);
	char got[512];
	assert_true(recv(parked, got, sizeof(got), 0) > 0);
	close(parked);
}

static void a_request_behind_a_parked_one_is_served_after_it(void **state)
{
	struct rig *rig = *state;
	int fd = rig_connect(rig);
	rig_send_text(fd, "GET /park HTTP/1.1\r\nHost: a\r\nX-Request-Id: p\r\n\r\n"
					  "GET /hello HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
	WAIT_UNTIL(DEADLINE_MS, rig->parked_count == 1, "the request to be parked");
	rig_do(rig, rig_release);
	WR_AUTO(mem_free_at) char *got = rig_read_to_end(fd, DEADLINE_MS);
	assert_true(strstr(got, "\r\n\r\np") < strstr(got, "\r\n\r\nhello"));
	assert_int_equal(rig_count_text(got, "HTTP/1.1 200 "), 2);
}

static void a_client_that_vanishes_while_parked_costs_nothing_later(void **state)
{
	struct rig *rig = *state;
	struct linger reset = {.l_onoff = 1};
	for (int i = 0; i < 6; i++) {
		int fd = rig_connect(rig);
		rig_send_text(fd, PARK);
		WAIT_UNTIL(DEADLINE_MS, rig->parked_count == i + 1, "the request to be parked");
		if (i % 2)
			setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
		close(fd);
	}
	rig_do(rig, rig_release);
	WAIT_UNTIL(DEADLINE_MS, !rig_counts(rig).connections_now, "the connections to be gone");
	assert_int_equal(rig_counts(rig).parked_now, 0);
	ANSWER *answer = http_call(rig_address(rig), "GET", "/hello", NULL, NULL);
	assert_int_equal(answer->status, 200);
}

/* ---- limits ---- */

static void a_connection_beyond_the_limit_waits_until_one_ends(void **state)
{
	(void)state;
	struct rig *rig = rig_start(&(struct http_limits){.connections_max = 2});
	struct http_client *clients[3];
	for (int i = 0; i < 3; i++) {
		clients[i] = http_client_open(rig_address(rig));
		http_client_send(clients[i], "GET", "/hello", NULL, NULL);
	}
	for (int i = 0; i < 2; i++) {
		ANSWER *answer = http_client_read(clients[i], DEADLINE_MS);
		assert_int_equal(answer->status, 200);
	}
	ANSWER *early = http_client_try_read(clients[2], 50);
	assert_null(early);
	assert_int_equal(rig_counts(rig).connections_now, 2);
	http_client_close(clients[0]);
	ANSWER *late = http_client_read(clients[2], DEADLINE_MS);
	assert_int_equal(late->status, 200);
	http_client_close(clients[1]);
	http_client_close(clients[2]);
	rig_stop(rig);
}

static void running_out_of_descriptors_does_not_spin_and_passes(void **state)
{
	struct rig *rig = *state;
	struct rlimit before, none_left;
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
	int next = dup(STDERR_FILENO); /* the number that the next descriptor would get */
	close(next);
	none_left = before;
	none_left.rlim_cur = (rlim_t)next + 1; /* room for the client's end, not for the server's */
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &none_left), 0);
	struct http_client *client = http_client_open(rig_address(rig));
	http_client_send(client, "GET", "/hello", NULL, NULL);
	struct mono_time began = clock_mono();
	int turns = rig->turns;
	WAIT_UNTIL(DEADLINE_MS, rig->turns > turns + 4, "accepting to be tried again a few times");
	int64_t took_ms = mono_diff_ms(began, clock_mono());
	uint64_t accepted = rig_counts(rig).connections_total;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
	assert_true(took_ms >= 100); /* a loop that spins makes thousands of turns in that time */
	assert_int_equal(accepted, 0);
	ANSWER *answer = http_client_read(client, DEADLINE_MS);
	assert_int_equal(answer->status, 200);
	http_client_close(client);
}

/* ---- stopping ---- */

static void draining_closes_quiet_connections_and_refuses_new_ones(void **state)
{
	struct rig *rig = *state;
	struct http_client *used = http_client_open(rig_address(rig));
	struct http_client *unused = http_client_open(rig_address(rig));
	http_client_send(used, "GET", "/hello", NULL, NULL);
	ANSWER *answer = http_client_read(used, DEADLINE_MS);
	assert_int_equal(answer->status, 200);
	WAIT_UNTIL(DEADLINE_MS, rig_counts(rig).connections_now == 2, "both to be taken in");
	rig_do(rig, rig_drain);
	assert_null(http_client_try_open(rig_address(rig)));
	http_client_expect_close(used, DEADLINE_MS);
	http_client_expect_close(unused, DEADLINE_MS);
	WAIT_UNTIL(DEADLINE_MS, http_server_is_idle(rig->server), "the server to be idle");
	http_client_close(used);
	http_client_close(unused);
}

static void draining_answers_what_is_parked_and_closes(void **state)
{
	struct rig *rig = *state;
	int fd = rig_connect(rig);
	rig_send_text(fd, PARK);
	WAIT_UNTIL(DEADLINE_MS, rig->parked_count == 1, "the request to be parked");
	rig_do(rig, rig_drain);
	assert_false(http_server_is_idle(rig->server));
	rig_do(rig, rig_release);
	WR_AUTO(mem_free_at) char *got = rig_read_to_end(fd, DEADLINE_MS);
	assert_non_null(strstr(got, "HTTP/1.1 200 "));
	assert_non_null(strstr(got, "Connection: close\r\n"));
}

/* Connections that the kernel has queued when the server drains would be reset by closing. */
static void draining_takes_in_who_is_waiting_to_be_accepted(void **state)
{
	struct rig *rig = *state;
	struct http_client *clients[20];
	pthread_mutex_lock(&rig->lock); /* the loop stops at its next piece of work */
	loop_wake(rig->loop);
	for (int i = 0; i < 20; i++) {
		clients[i] = http_client_open(rig_address(rig));
		http_client_send(clients[i], "GET", "/hello", NULL, NULL);
	}
	pthread_mutex_unlock(&rig->lock);
	rig_do(rig, rig_drain);
	for (int i = 0; i < 20; i++) {
		ANSWER *answer = http_client_read(clients[i], DEADLINE_MS);
		assert_int_equal(answer->status, 200);
		http_client_close(clients[i]);
	}
}

struct crowd {
	struct rig *rig;
	atomic_int answered;
	atomic_int lost;
};

/* A keep-alive client: leaves when told to by Connection: close, and counts requests that were sent
 * and got no answer. */
static void *visit(void *ctx)
{
	struct crowd *crowd = ctx;
	int fd = rig_connect(crowd->rig);
	char got[1024];
	for (;;) {
		rig_send_text(fd, HELLO);
		ssize_t len = recv(fd, got, sizeof(got) - 1, 0);
		if (len <= 0) {
			crowd->lost++;
			break;
		}
		got[len] = '\0';
		crowd->answered++;
		if (strstr(got, "Connection: close"))
			break;
	}
	close(fd);
	return NULL;
}

static void draining_under_load_loses_no_request(void **state)
{
	struct crowd crowd = {.rig = *state};
	pthread_t threads[8];
	for (int i = 0; i < 8; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, visit, &crowd), 0);
	WAIT_UNTIL(DEADLINE_MS, crowd.answered > 2000, "some load");
	rig_do(crowd.rig, rig_drain);
	for (int i = 0; i < 8; i++)
		pthread_join(threads[i], NULL);
	assert_int_equal(crowd.lost, 0);
	assert_int_equal(crowd.rig->served, crowd.answered);
	WAIT_UNTIL(DEADLINE_MS, http_server_is_idle(crowd.rig->server), "the server to be idle");
}

static int last_client;

static void send_and_close(struct rig *rig)
{
	rig_send_text(last_client, PARK);
	http_server_close(rig->server);
	rig->server = NULL;
}

static void a_request_that_comes_while_closing_is_not_parked(void **state)
{
	struct rig *rig = *state;
	char got[512];
	last_client = rig_connect(rig);
	rig_send_text(last_client, HELLO);
	assert_true(recv(last_client, got, sizeof(got), 0) > 0);
	rig_do(rig, send_and_close);
	WR_AUTO(mem_free_at) char *rest = rig_read_to_end(last_client, DEADLINE_MS);
	assert_non_null(strstr(rest, "HTTP/1.1 503 "));
	assert_non_null(strstr(rest, "Connection: close\r\n"));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, start, stop)
#define TEST_IMPATIENT(name) cmocka_unit_test_setup_teardown(name, start_impatient, stop)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST_IMPATIENT(a_slow_request_line_is_cut_off),
		TEST_IMPATIENT(slow_headers_are_cut_off),
		TEST_IMPATIENT(a_slow_body_is_cut_off),
		TEST_IMPATIENT(a_slow_second_request_is_cut_off),
		TEST_IMPATIENT(a_quiet_connection_outlives_the_request_deadline),
		cmocka_unit_test(a_connection_on_which_nothing_comes_ends_without_spinning),
		TEST_IMPATIENT(a_half_closed_client_gets_its_answer_and_is_let_go),
		TEST(parked_requests_are_all_answered_with_what_they_noted),
		TEST(a_half_closed_client_gets_the_answer_of_a_parked_request_too),
		TEST(busy_connections_are_served_while_another_is_parked),
		TEST(a_request_behind_a_parked_one_is_served_after_it),
		TEST(a_client_that_vanishes_while_parked_costs_nothing_later),
		cmocka_unit_test(a_connection_beyond_the_limit_waits_until_one_ends),
		TEST(running_out_of_descriptors_does_not_spin_and_passes),
		TEST(draining_closes_quiet_connections_and_refuses_new_ones),
		TEST(draining_answers_what_is_parked_and_closes),
		TEST(draining_takes_in_who_is_waiting_to_be_accepted),
		TEST(draining_under_load_loses_no_request),
		TEST(a_request_that_comes_while_closing_is_not_parked),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
