/* One key, one place, whatever happens to the request: many at once, a pod that dies, an answer
 * that never arrives. Each test has a queue of its own, whose ticket counter tells how many places
 * there are.
 */
#include "support/api.h"
#include "support/cmocka.h"
#include "support/process.h"
#include "support/shared_stack.h"
#include "waitingroom/memory.h"

#include <stdio.h>

#define CLIENTS 50
#define KEYS 20

static int open_room(void **state)
{
	(void)state;
	stack = stack_start(&(struct stack_options){
		.pods = 2,
		.without_nats = true,
		.env = (const char *const[]){NO_RATE_LIMITS, NULL},
		.queues = QUEUES(QUEUE("at-once", HELD) "," QUEUE("killed", HELD) "," QUEUE(
			"vanished", HELD) "," QUEUE("cut", HELD))});
	return 0;
}

static void send_join(struct http_client *client, const char *queue, const char *key)
{
	char headers[96], body[96];
	snprintf(headers, sizeof(headers), "Content-Type: application/json\r\nIdempotency-Key: %s\r\n",
			 key);
	snprintf(body, sizeof(body), "{\"queue_id\":\"%s\"}", queue);
	http_client_send(client, "POST", "/enqueue", headers, body);
}

static void expect_places(const char *queue, int64_t count)
{
	assert_int_equal(api_store_number(stack, "GET wr:{default/%s}:ticket:main", queue), count);
	assert_int_equal(api_store_number(stack, "LLEN wr:{default/%s}:waiting:main", queue), count);
	assert_int_equal(api_store_number(stack, "ZCARD wr:{default/%s}:heartbeats", queue), count);
}

static void a_key_sent_by_fifty_at_once_is_one_place(void **state)
{
	(void)state;
	struct http_client *clients[CLIENTS];
	WR_AUTO(mem_free_at) char *token = NULL;
	int created = 0;
	for (int i = 0; i < CLIENTS; i++)
		clients[i] = http_client_open(stack_url(stack, i % 2));
	for (int i = 0; i < CLIENTS; i++)
		send_join(clients[i], "at-once", "the-one");
	for (int i = 0; i < CLIENTS; i++) {
		WR_AUTO(http_answer_free_at)
		struct http_answer *answer = http_client_read(clients[i], 5000);
		api_expect_place(answer, "waiting");
		created += answer->status == 201;
		WR_AUTO(mem_free_at) char *one = http_answer_text(answer, "token");
		if (!token)
			token = mem_copy_string(one);
		assert_string_equal(one, token);
		http_client_close(clients[i]);
	}
	assert_int_equal(created, 1);
	expect_places("at-once", 1);
}

static void a_place_survives_the_pod_that_gave_it(void **state)
{
	(void)state;
	WR_AUTO(http_answer_free_at)
	struct http_answer *first = api_enqueue(stack_url(stack, 0), "killed", "precious");
	api_expect_status(first, 201);
	WR_AUTO(mem_free_at) char *token = http_answer_text(first, "token");
	process_kill(stack_pod(stack, 0));
	WR_AUTO(http_answer_free_at)
	struct http_answer *again = api_enqueue(stack_url(stack, 1), "killed", "precious");
	api_expect_status(again, 200);
	WR_AUTO(mem_free_at) char *same = http_answer_text(again, "token");
	assert_string_equal(token, same);
	expect_places("killed", 1);
	stack_restart_pod(stack, 0);
	WR_AUTO(http_answer_free_at)
	struct http_answer *beat = api_poll(stack_url(stack, 0), "/heartbeat", token);
	api_expect_place(beat, "waiting");
}

/* Each key again, on the other pod: known or new, and one place in the end. */
static void repeat_all(const char *queue)
{
	for (int i = 0; i < KEYS; i++) {
		char key[16];
		snprintf(key, sizeof(key), "key-%d", i);
		WR_AUTO(http_answer_free_at)
		struct http_answer *answer = api_enqueue(stack_url(stack, 1), queue, key);
		api_expect_place(answer, "waiting");
	}
	expect_places(queue, KEYS);
}

static void send_all(const char *queue, struct http_client *clients[KEYS])
{
	for (int i = 0; i < KEYS; i++)
		clients[i] = http_client_open(stack_url(stack, 0));
	for (int i = 0; i < KEYS; i++) {
		char key[16];
		snprintf(key, sizeof(key), "key-%d", i);
		send_join(clients[i], queue, key);
	}
}

static void joins_under_way_when_a_pod_is_killed_can_be_repeated(void **state)
{
	(void)state;
	struct http_client *clients[KEYS];
	send_all("vanished", clients);
	process_kill(stack_pod(stack, 0));
	for (int i = 0; i < KEYS; i++)
		http_client_close(clients[i]);
	repeat_all("vanished");
	stack_restart_pod(stack, 0);
}

static void joins_whose_answer_nobody_reads_can_be_repeated(void **state)
{
	(void)state;
	struct http_client *clients[KEYS];
	send_all("cut", clients);
	for (int i = 0; i < KEYS; i++)
		http_client_close(clients[i]);
	repeat_all("cut");
	assert_int_equal(stack_metric(stack_internal_url(stack, 0), "wr_bugs_total"), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_key_sent_by_fifty_at_once_is_one_place),
		cmocka_unit_test(a_place_survives_the_pod_that_gave_it),
		cmocka_unit_test(joins_under_way_when_a_pod_is_killed_can_be_repeated),
		cmocka_unit_test(joins_whose_answer_nobody_reads_can_be_repeated),
	};
	return cmocka_run_group_tests(tests, open_room, shared_stack_close);
}
