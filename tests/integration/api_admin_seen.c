/* Whoever has changed a queue sees the change with the next request to that pod, whichever it is:
 * nothing is awaited here. The pods look for changes only every two seconds, so that nobody sees
 * one by chance.
 */
#include "support/api.h"
#include "support/cmocka.h"
#include "support/shared_stack.h"
#include "waitingroom/memory.h"

#include <stdio.h>
#include <string.h>

#define OPEN "\"rate_per_minute\":60000,\"burst\":1000,\"capacity\":1000"

static int open_room(void **state)
{
	(void)state;
	stack = stack_start(&(struct stack_options){
		.pods = 1,
		.without_nats = true,
		.admin_keys = API_ADMIN_KEYS_FILE,
		.env = (const char *const[]){NO_RATE_LIMITS, "WR_RELAY=0", "WR_SYNC_INTERVAL_MS=2000",
									 "WR_STALE_AFTER_MS=10000", NULL}});
	return 0;
}

static void change(const char *method, const char *path, const char *body, int status)
{
	WR_AUTO(http_answer_free_at)
	struct http_answer *answer = api_admin(stack, 0, method, path, body);
	api_expect_status(answer, status);
}

static struct http_answer *join(const char *queue)
{
	char body[100];
	print_into(body, "{\"queue_id\":\"%s\"}", queue);
	return http_call(stack_url(stack, 0), "POST", "/enqueue", NULL, body);
}

static void expect_listed(const char *text, bool listed)
{
	WR_AUTO(http_answer_free_at) struct http_answer *list = api_admin(stack, 0, "GET", "", NULL);
	api_expect_status(list, 200);
	if ((strstr(list->body, text) != NULL) != listed)
		fail_msg("%s is %sin the list: %s", text, listed ? "not " : "", list->body);
}

static void a_queue_can_be_joined_as_soon_as_it_is_made_and_not_when_it_is_deleted(void **state)
{
	(void)state;
	for (int i = 0; i < 3; i++) {
		change("PUT", "/default/now", "{" OPEN "}", 201);
		expect_listed("\"queue\":\"default/now\"", true);
		WR_AUTO(http_answer_free_at) struct http_answer *joined = join("now");
		api_expect_status(joined, 201);
		change("DELETE", "/default/now", NULL, 204);
		WR_AUTO(http_answer_free_at) struct http_answer *late = join("now");
		api_expect_problem(late, 404, "no_such_queue");
		expect_listed("\"queue\":\"default/now\"", false);
	}
}

static void a_state_is_shown_as_soon_as_it_is_ordered(void **state)
{
	(void)state;
	change("PUT", "/default/states", "{" OPEN "}", 201);
	change("POST", "/default/states/pause", "{\"message\":\"One moment.\"}", 200);
	expect_listed("\"queue\":\"default/states\",\"state\":\"paused\"", true);
	WR_AUTO(http_answer_free_at)
	struct http_answer *shown =
		http_call(stack_url(stack, 0), "GET", "/queues/default/states", NULL, NULL);
	assert_non_null(strstr(shown->body, "\"message\":\"One moment.\""));
	change("PATCH", "/default/states", "{\"state\":\"closed\"}", 200);
	WR_AUTO(http_answer_free_at) struct http_answer *late = join("states");
	api_expect_problem(late, 410, "queue_closed");
}

static void whoever_is_let_in_by_hand_is_in_at_the_next_poll(void **state)
{
	(void)state;
	change("PUT", "/default/hand", "{" HELD "}", 201);
	WR_AUTO(mem_free_at) char *token = api_join_present(stack, 0, "hand");
	change("POST", "/default/hand/admit", "{\"count\":1}", 200);
	WR_AUTO(http_answer_free_at)
	struct http_answer *in = api_poll(stack_url(stack, 0), "/heartbeat", token);
	api_expect_place(in, "admitted");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_queue_can_be_joined_as_soon_as_it_is_made_and_not_when_it_is_deleted),
		cmocka_unit_test(a_state_is_shown_as_soon_as_it_is_ordered),
		cmocka_unit_test(whoever_is_let_in_by_hand_is_in_at_the_next_poll),
	};
	return cmocka_run_group_tests(tests, open_room, shared_stack_close);
}
