/* The states that operators bring a queue into, each by an order. */
#include "support/cmocka.h"
#include "support/desk.h"
#include "support/wait.h"
#include "waitingroom/memory.h"

#include <stdio.h>

static void each_order_is_a_state_with_its_message(void **state)
{
	(void)state;
	static const struct {
		const char *order, *state;
	} orders[] = {{"pause", "paused"}, {"resume", "open"}, {"hold", "hold"},
				  {"close", "closed"}, {"open", "open"},   {"drain", "draining"}};
	desk_make_queue("orders", "{\"state\":\"hold\"}");
	for (size_t i = 0; i < COUNT(orders); i++) {
		char path[48], text[64];
		snprintf(path, sizeof(path), "orders/%s", orders[i].order);
		WR_AUTO(http_answer_free_at)
		struct http_answer *answer = desk_ask(
			0, "POST", path, NULL, "{\"message\":\"Hello\",\"messages\":{\"de\":\"Hallo\"}}");
		api_expect_status(answer, 200);
		assert_non_null(http_answer_header(answer, "ETag"));
		snprintf(text, sizeof(text), "\"state\":\"%s\",\"message\":\"Hello\"", orders[i].state);
		for (int pod = 0; pod < 2; pod++) {
			WAIT_UNTIL(5000, desk_pod_shows(pod, "orders", text), "the pod shows the state");
			assert_true(desk_pod_shows(pod, "orders", "\"de\":\"Hallo\""));
		}
		desk_expect("POST", path, NULL, "{\"text\":\"Hello\"}", 422, "invalid_value");
		desk_expect("POST", path, NULL, NULL, 200, NULL); /* says nothing any more */
		WAIT_UNTIL(5000, !desk_pod_shows(0, "orders", "Hello"), "the message is gone");
	}
	desk_expect("POST", "nowhere/drain", NULL, NULL, 404, "no_such_queue");
}

static void a_drained_line_goes_in_and_nobody_joins(void **state)
{
	(void)state;
	desk_make_queue("drained", "{\"state\":\"hold\",\"rate_per_minute\":0,\"capacity\":2}");
	WR_AUTO(mem_free_at) char *ann = api_join_present(stack, 0, "drained");
	WR_AUTO(mem_free_at) char *bob = api_join_present(stack, 1, "drained");
	WR_AUTO(mem_free_at) char *cid = api_join_present(stack, 0, "drained");
	desk_expect("POST", "drained/drain", NULL, NULL, 200, NULL);
	WAIT_UNTIL(5000, desk_pod_shows(0, "drained", "\"state\":\"draining\""), "the pod knows");
	WR_AUTO(http_answer_free_at)
	struct http_answer *late = api_enqueue(stack_url(stack, 0), "drained", NULL);
	api_expect_problem(late, 410, "queue_closed");
	api_await(stack_url(stack, 0), ann, 5000, "admitted");
	api_await(stack_url(stack, 0), bob, 5000, "admitted");
	assert_int_equal(api_store_number(stack, "ZCARD wr:{default/drained}:sessions"), 2);
	WR_AUTO(http_answer_free_at)
	struct http_answer *leaves = api_poll(stack_url(stack, 0), "/leave", ann);
	api_expect_status(leaves, 200);
	api_await(stack_url(stack, 0), cid, 5000, "admitted");
	desk_expect("POST", "drained/open", NULL, NULL, 200, NULL);
	WAIT_UNTIL(5000, desk_pod_shows(0, "drained", "\"state\":\"open\""), "the pod knows");
	WR_AUTO(http_answer_free_at)
	struct http_answer *again = api_enqueue(stack_url(stack, 0), "drained", NULL);
	api_expect_place(again, "waiting");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_order_is_a_state_with_its_message),
		cmocka_unit_test(a_drained_line_goes_in_and_nobody_joins),
	};
	return cmocka_run_group_tests(tests, desk_open, shared_stack_close);
}
