/* The end of a pod: SIGTERM under load loses no request and no heartbeat, and ends with 0.
 *
 * Each test has a stack of its own, because the settings of draining differ. The exit code is
 * checked by process_stop() or process_wait().
 */
#include "support/api.h"
#include "support/cmocka.h"
#include "support/process.h"
#include "support/wait.h"
#include "waitingroom/memory.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PLACES 20
#define CLIENTS 8

static struct stack *start(int pods, const char *setting)
{
	return stack_start(&(struct stack_options){
		.pods = pods,
		.without_nats = true,
		.queues = QUEUES(QUEUE("line", HELD)),
		.env = (const char *const[]){NO_RATE_LIMITS, "WR_SYNC_INTERVAL_MS=50",
									 "WR_DRAIN_LIMIT_MS=2000", setting, NULL}});
}

static int readyz(const struct stack *stack, int pod)
{
	struct http_client *client = http_client_try_open(stack_internal_url(stack, pod));
	if (!client)
		return 0;
	http_client_send(client, "GET", "/readyz", NULL, NULL);
	struct http_answer *answer = http_client_try_read(client, 5000);
	int status = answer ? answer->status : 0;
	http_answer_free(answer);
	http_client_close(client);
	return status;
}

static bool says_close(const struct http_answer *answer)
{
	const char *connection = http_answer_header(answer, "Connection");
	return connection && strcasecmp(connection, "close") == 0;
}

static void the_gateway_is_told_before_connections_are_closed(void **state)
{
	(void)state;
	struct stack *stack = start(1, "WR_DRAIN_WAIT_MS=300");
	WR_AUTO(mem_free_at) char *token = api_join(stack_url(stack, 0), "line");
	struct http_client *client = http_client_open(stack_url(stack, 0));
	process_signal(stack_pod(stack, 0), SIGTERM);
	WAIT_UNTIL(5000, readyz(stack, 0) == 503, "the pod is not ready");
	/* Not ready, and everybody is still served: who comes now was sent before the gateway knew. */
	free(api_join(stack_url(stack, 0), "line"));
	int open = 0, closing = 0;
	while (!closing) {
		api_send_poll(client, "/heartbeat", token);
		WR_AUTO(http_answer_free_at) struct http_answer *answer = http_client_read(client, 5000);
		api_expect_place(answer, "waiting");
		closing = says_close(answer);
		open += !closing;
	}
	assert_true(open > 0);
	http_client_expect_close(client, 5000);
	http_client_close(client);
	assert_int_equal(process_wait(stack_pod(stack, 0), 5000), 0);
	stack_free(stack);
}

static void requests_that_wait_for_the_store_are_answered(void **state)
{
	(void)state;
	struct stack *stack = start(1, "WR_STORE_TIMEOUT_MS=5000");
	redis_pause(stack->redis);
	struct http_client *clients[CLIENTS];
	for (int i = 0; i < CLIENTS; i++) {
		clients[i] = http_client_open(stack_url(stack, 0));
		http_client_send(clients[i], "POST", "/enqueue", NULL, "{\"queue_id\":\"line\"}");
	}
	WAIT_UNTIL(5000,
			   stack_metric(stack_internal_url(stack, 0), "wr_http_requests_parked") == CLIENTS,
			   "all wait for the store");
	process_signal(stack_pod(stack, 0), SIGTERM);
	WAIT_UNTIL(5000, readyz(stack, 0) == 503, "the pod is not ready");
	redis_continue(stack->redis);
	for (int i = 0; i < CLIENTS; i++) {
		WR_AUTO(http_answer_free_at)
		struct http_answer *answer = http_client_read(clients[i], 5000);
		api_expect_status(answer, 201);
		http_client_close(clients[i]);
	}
	assert_int_equal(process_wait(stack_pod(stack, 0), 5000), 0);
	stack_free(stack);
}

static void heartbeats_that_were_gathered_reach_the_store(void **state)
{
	(void)state;
	struct stack *stack = start(1, "WR_FLUSH_INTERVAL_MS=5000");
	char *ids[PLACES];
	for (int i = 0; i < PLACES; i++) {
		WR_AUTO(mem_free_at) char *token = api_join(stack_url(stack, 0), "line");
		api_await_position(stack, 0, token);
		http_answer_free(api_poll(stack_url(stack, 0), "/heartbeat", token));
		ids[i] = api_position_id(token);
	}
	assert_true(api_score(stack, "line", ids[PLACES - 1]) < 0); /* not yet */
	process_stop(stack_pod(stack, 0), 5000);
	for (int i = 0; i < PLACES; i++) {
		assert_true(api_score(stack, "line", ids[i]) > 0);
		free(ids[i]);
	}
	stack_free(stack);
}

/* ---- a rolling restart, seen by clients ---- */

struct load {
	struct stack *stack;
	struct http_client *clients[CLIENTS];
	char *tokens[CLIENTS];
	int answered, repeated;
};

/* As a gateway does it: to a pod that takes connections. */
static struct http_client *connect_somewhere(const struct load *load, int number)
{
	struct http_client *client = NULL;
	for (int pod = number; !client; pod++)
		client = http_client_try_open(stack_url(load->stack, pod % 2));
	return client;
}

/* One request. A connection that ends without a byte of an answer was closed while it was idle, and
 * the request is sent again on another; anything else must be a good answer. */
static void load_once(struct load *load, int number)
{
	for (;;) {
		if (!load->clients[number])
			load->clients[number] = connect_somewhere(load, number);
		struct http_client *client = load->clients[number];
		char headers[1200];
		int len = snprintf(headers, sizeof(headers),
						   "POST /heartbeat HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n"
						   "Authorization: Bearer %s\r\n\r\n",
						   load->tokens[number]);
		bool sent = http_client_send_raw(client, headers, (size_t)len);
		WR_AUTO(http_answer_free_at)
		struct http_answer *answer = sent ? http_client_try_read(client, 5000) : NULL;
		if (answer)
			api_expect_place(answer, "waiting");
		if (!answer || says_close(answer)) {
			http_client_close(client);
			load->clients[number] = NULL;
		}
		load->answered += answer != NULL;
		load->repeated += answer == NULL;
		if (answer)
			return;
	}
}

static void a_restart_under_load_fails_no_request(void **state)
{
	(void)state;
	struct load load = {.stack = start(2, "WR_DRAIN_WAIT_MS=100")};
	for (int i = 0; i < CLIENTS; i++) {
		load.tokens[i] = api_join(stack_url(load.stack, i % 2), "line");
		api_await_position(load.stack, 0, load.tokens[i]);
		api_await_position(load.stack, 1, load.tokens[i]);
	}
	for (int i = 0; i < 10 * CLIENTS; i++)
		load_once(&load, i % CLIENTS);
	process_signal(stack_pod(load.stack, 0), SIGTERM);
	for (int i = 0; process_is_running(stack_pod(load.stack, 0)); i++)
		load_once(&load, i % CLIENTS);
	assert_int_equal(process_wait(stack_pod(load.stack, 0), 5000), 0);
	for (int i = 0; i < 10 * CLIENTS; i++)
		load_once(&load, i % CLIENTS);
	/* At most those connections that were closed while they were idle. */
	assert_in_range(load.repeated, 0, CLIENTS);
	assert_true(load.answered > 20 * CLIENTS);
	for (int i = 0; i < CLIENTS; i++) {
		http_client_close(load.clients[i]);
		free(load.tokens[i]);
	}
	stack_free(load.stack);
}

/* ---- ends that do not wait ---- */

static void a_second_signal_ends_at_once(void **state)
{
	(void)state;
	struct stack *stack = start(1, "WR_DRAIN_WAIT_MS=60000");
	struct http_client *idle = http_client_open(stack_url(stack, 0));
	process_signal(stack_pod(stack, 0), SIGTERM);
	WAIT_UNTIL(5000, readyz(stack, 0) == 503, "the pod is not ready");
	process_signal(stack_pod(stack, 0), SIGTERM);
	assert_int_equal(process_wait(stack_pod(stack, 0), 3000), 0);
	http_client_close(idle);
	stack_free(stack);
}

static void a_client_that_never_finishes_does_not_hold_up_the_end(void **state)
{
	(void)state;
	struct stack *stack = start(1, "WR_DRAIN_LIMIT_MS=300");
	struct http_client *slow = http_client_open(stack_url(stack, 0));
	static const char half[] = "POST /enqueue HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\n{";
	http_client_send_raw(slow, half, sizeof(half) - 1);
	process_stop(stack_pod(stack, 0), 3000);
	http_client_close(slow);
	stack_free(stack);
}

static void a_store_that_is_away_does_not_hold_up_the_end(void **state)
{
	(void)state;
	struct stack *stack = start(1, "WR_STORE_TIMEOUT_MS=300");
	WR_AUTO(mem_free_at) char *token = api_join(stack_url(stack, 0), "line");
	redis_pause(stack->redis);
	http_answer_free(api_poll(stack_url(stack, 0), "/heartbeat", token));
	process_stop(stack_pod(stack, 0), 5000);
	redis_continue(stack->redis);
	stack_free(stack);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_gateway_is_told_before_connections_are_closed),
		cmocka_unit_test(requests_that_wait_for_the_store_are_answered),
		cmocka_unit_test(heartbeats_that_were_gathered_reach_the_store),
		cmocka_unit_test(a_restart_under_load_fails_no_request),
		cmocka_unit_test(a_second_signal_ends_at_once),
		cmocka_unit_test(a_client_that_never_finishes_does_not_hold_up_the_end),
		cmocka_unit_test(a_store_that_is_away_does_not_hold_up_the_end),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
