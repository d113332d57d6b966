/* People on the site have sessions that the store has lost, or could not be told of. Their next
 * request at the gate says so, and they count again: nobody is let in on top of them.
 */
#include "support/api.h"
#include "support/cmocka.h"
#include "support/process.h"
#include "support/wait.h"
#include "waitingroom/memory.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define KEY "wr:{default/demo}:"

/* One slot. A session of ten minutes, or one of four seconds that slides. */
#define DEMO                                                                                       \
	"\"capacity\":1,\"rate_per_minute\":60000,\"burst\":100,\"poll_min_ms\":200,"                  \
	"\"poll_max_ms\":800,\"first_heartbeat_ms\":15000,\"absent_after_ms\":20000"
#define SLIDING ",\"session_renewal\":true,\"session_ttl_ms\":4000"

static const char *const env[] = {NO_RATE_LIMITS, "WR_TRUSTED_PROXIES=127.0.0.0/8",
								  "WR_REAP_INTERVAL_MS=100", "WR_WORKERS=1", NULL};

struct visitor {
	char *id, *session;
};

static void visitor_free(struct visitor *visitor)
{
	mem_free_at(&visitor->id);
	mem_free_at(&visitor->session);
}

static void stack_free_at(struct stack **stack)
{
	stack_free(*stack);
}

static struct stack *start(const char *queues, bool keeps_data)
{
	return stack_start(&(struct stack_options){.pods = 2,
											   .admitters = 1,
											   .without_nats = true,
											   .env = env,
											   .redis = {.append_only = keeps_data},
											   .queues = queues});
}

static struct visitor walk_in(struct stack *stack)
{
	WR_AUTO(http_answer_free_at)
	struct http_answer *answer = api_enqueue(stack_url(stack, 0), "demo", NULL);
	api_expect_place(answer, "admitted");
	return (struct visitor){.id = http_answer_text(answer, "position_id"),
							.session = http_answer_text(answer, "session_token")};
}

/* A request for the site, as its proxy asks about it; gives. */
static struct http_answer *ask_gate(struct stack *stack, int pod, const struct visitor *visitor)
{
	char *headers;
	if (asprintf(&headers,
				 "X-Forwarded-Method: GET\r\nX-Forwarded-Proto: https\r\n"
				 "X-Forwarded-Host: shop.example\r\nX-Forwarded-Uri: /\r\n"
				 "X-WaitingRoom-Token: %s\r\n",
				 visitor->session) < 0)
		abort();
	struct http_answer *answer =
		http_call(stack_url(stack, pod), "GET", "/authz/forward?queue=default/demo", headers, NULL);
	free(headers);
	return answer;
}

static bool gate_lets_in(struct stack *stack, int pod, const struct visitor *visitor)
{
	WR_AUTO(http_answer_free_at) struct http_answer *answer = ask_gate(stack, pod, visitor);
	return answer->status == 200;
}

static bool gate_renews(struct stack *stack, const struct visitor *visitor)
{
	WR_AUTO(http_answer_free_at) struct http_answer *answer = ask_gate(stack, 0, visitor);
	assert_int_equal(answer->status, 200);
	return http_answer_header(answer, "Set-Cookie") != NULL;
}

static int64_t end_of(struct stack *stack, const struct visitor *visitor)
{
	return api_store_number(stack, "ZSCORE " KEY "sessions %s", visitor->id);
}

static int64_t active(struct stack *stack)
{
	return api_store_number(stack, "ZCARD " KEY "sessions");
}

static bool waits(struct stack *stack, const char *token)
{
	WR_AUTO(http_answer_free_at)
	struct http_answer *answer = api_poll(stack_url(stack, 1), "/heartbeat", token);
	WR_AUTO(mem_free_at) char *status = http_answer_text(answer, "status");
	return strcmp(status, "waiting") == 0;
}

static void a_session_that_slides_lasts_as_long_as_it_is_used(void **state)
{
	(void)state;
	WR_AUTO(stack_free_at) struct stack *stack = start(QUEUES(QUEUE("demo", DEMO SLIDING)), false);
	WR_AUTO(visitor_free) struct visitor ann = walk_in(stack);
	int64_t end = end_of(stack, &ann);
	WAIT_UNTIL(3000, gate_renews(stack, &ann), "a quarter of its life is over");
	WAIT_UNTIL(1000, end_of(stack, &ann) >= end + 900, "the store has been told");
	assert_int_equal(stack_metric(stack_internal_url(stack, 0), "wr_sessions_renewed_total"), 1);
}

static void a_renewal_that_the_store_could_not_be_told_is_told_later(void **state)
{
	(void)state;
	WR_AUTO(stack_free_at) struct stack *stack = start(QUEUES(QUEUE("demo", DEMO SLIDING)), false);
	WR_AUTO(visitor_free) struct visitor ann = walk_in(stack);
	int64_t end = end_of(stack, &ann);
	redis_pause(stack->redis);
	WAIT_UNTIL(3000, gate_renews(stack, &ann), "a quarter of its life is over");
	redis_continue(stack->redis);
	WAIT_UNTIL(3000, end_of(stack, &ann) >= end + 900, "the store has been told");
}

static void sessions_count_again_after_the_store_has_lost_everything(void **state)
{
	(void)state;
	WR_AUTO(stack_free_at) struct stack *stack = start(QUEUES(QUEUE("demo", DEMO)), false);
	WR_AUTO(visitor_free) struct visitor ann = walk_in(stack);
	WR_AUTO(mem_free_at) char *bob = api_join(stack_url(stack, 0), "demo");
	assert_true(waits(stack, bob));
	redis_restart(stack->redis); /* it keeps nothing */
	WAIT_UNTIL(10000, api_store_number(stack, "EXISTS " KEY "settings") == 1,
			   "a pod makes the queue again");
	WAIT_UNTIL(5000, gate_lets_in(stack, 1, &ann) && active(stack) == 1,
			   "her next request has put the session back");
	assert_true(end_of(stack, &ann) > 0);
	WAIT_UNTIL(10000,
			   waits(stack, bob) && api_store_number(stack, "HEXISTS " KEY "counts rebuild") == 0,
			   "the line moves again");
	assert_int_equal(active(stack), 1);
	assert_true(waits(stack, bob)); /* the slot is hers */
	assert_int_equal(stack_metric(stack_internal_url(stack, 1), "wr_sessions_restored_total"), 1);
	WR_AUTO(http_answer_free_at)
	struct http_answer *released = api_poll(stack_url(stack, 0), "/session/release", ann.session);
	api_expect_status(released, 200);
	WAIT_UNTIL(5000, !waits(stack, bob), "his turn comes when she has gone");
	WAIT_UNTIL(1000, !gate_lets_in(stack, 0, &ann) && !gate_lets_in(stack, 1, &ann),
			   "the gate knows that she has gone");
}

static void a_session_that_a_restarted_store_has_lost_counts_again(void **state)
{
	(void)state;
	WR_AUTO(stack_free_at) struct stack *stack = start(QUEUES(QUEUE("demo", DEMO)), true);
	WR_AUTO(visitor_free) struct visitor ann = walk_in(stack);
	redis_restart(stack->redis);
	/* What was not yet on its disk, or had not come to the replica. */
	assert_int_equal(api_store_number(stack, "ZREM " KEY "sessions %s", ann.id), 1);
	assert_int_equal(api_store_number(stack, "DEL " KEY "position:%s", ann.id), 1);
	WAIT_UNTIL(10000, gate_lets_in(stack, 0, &ann) && active(stack) == 1,
			   "her next request has put the session back");
	assert_true(end_of(stack, &ann) > 0);
}

static void a_session_that_was_ended_does_not_come_back(void **state)
{
	(void)state;
	WR_AUTO(stack_free_at) struct stack *stack = start(QUEUES(QUEUE("demo", DEMO)), false);
	WR_AUTO(visitor_free) struct visitor ann = walk_in(stack);
	WR_AUTO(http_answer_free_at)
	struct http_answer *released = api_poll(stack_url(stack, 0), "/session/release", ann.session);
	api_expect_status(released, 200);
	WAIT_UNTIL(1000, !gate_lets_in(stack, 0, &ann) && !gate_lets_in(stack, 1, &ann),
			   "the gate knows that she has gone");
	redis_restart(stack->redis);
	WAIT_UNTIL(10000, api_store_number(stack, "EXISTS " KEY "settings") == 1,
			   "a pod makes the queue again");
	assert_false(gate_lets_in(stack, 0, &ann));
	assert_false(gate_lets_in(stack, 1, &ann));
	assert_int_equal(active(stack), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_session_that_slides_lasts_as_long_as_it_is_used),
		cmocka_unit_test(a_renewal_that_the_store_could_not_be_told_is_told_later),
		cmocka_unit_test(sessions_count_again_after_the_store_has_lost_everything),
		cmocka_unit_test(a_session_that_a_restarted_store_has_lost_counts_again),
		cmocka_unit_test(a_session_that_was_ended_does_not_come_back),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
