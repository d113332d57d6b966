/* Emptying a line: only who has read how many would go can do it, and everybody is told why. */
#include "support/cmocka.h"
#include "support/desk.h"
#include "waitingroom/memory.h"

#include <stdio.h>

/* The token of an answer 428; gives */
static char *confirmation(int pod, const char *path, int64_t waiting)
{
	WR_AUTO(http_answer_free_at)
	struct http_answer *answer = desk_ask(pod, "POST", path, NULL, NULL);
	api_expect_problem(answer, 428, "confirmation_required");
	assert_int_equal(http_answer_number(answer, "waiting"), waiting);
	return http_answer_text(answer, "confirm");
}

/* gives */
static struct http_answer *confirm(int pod, const char *path, const char *key, const char *token)
{
	char full[96], headers[128], body[160];
	snprintf(full, sizeof(full), "/admin/v1/queues/default/%s", path);
	snprintf(headers, sizeof(headers), "Authorization: Bearer %s\r\n", key);
	snprintf(body, sizeof(body), "{\"confirm\":\"%s\"}", token);
	return http_call(stack_internal_url(stack, pod), "POST", full, headers, body);
}

static void nobody_is_sent_away_without_a_confirmation(void **state)
{
	(void)state;
	desk_make_queue("sure", "{\"state\":\"hold\"}");
	desk_make_queue("other", "{\"state\":\"hold\"}");
	WR_AUTO(mem_free_at) char *token = api_join_present(stack, 0, "sure");
	WR_AUTO(mem_free_at) char *elsewhere = confirmation(0, "other/empty", 0);
	WR_AUTO(mem_free_at) char *stale = confirmation(0, "sure/empty", 1);
	*stale = *stale == '9' ? '8' : '9'; /* another end of its life */
	const char *const wrong[] = {elsewhere, stale, "", "x", "9999999999.", "1.AAAA"};
	for (size_t i = 0; i < COUNT(wrong); i++) {
		WR_AUTO(http_answer_free_at)
		struct http_answer *answer = confirm(0, "sure/empty", API_ADMIN_KEY, wrong[i]);
		api_expect_problem(answer, 428, "confirmation_required");
	}
	desk_expect("POST", "sure/empty", NULL, "{\"confirm\":1}", 422, "invalid_value");
	desk_expect("POST", "sure/empty", NULL, "{\"sure\":true}", 422, "invalid_value");
	desk_expect("POST", "nowhere/empty", NULL, NULL, 404, "no_such_queue");
	WR_AUTO(http_answer_free_at)
	struct http_answer *place = api_poll(stack_url(stack, 0), "/status", token);
	api_expect_place(place, "waiting");
}

static void a_confirmed_order_sends_everybody_away_and_says_so(void **state)
{
	(void)state;
	desk_make_queue("gone", "{\"state\":\"hold\"}");
	WR_AUTO(mem_free_at) char *ann = api_join_present(stack, 0, "gone");
	WR_AUTO(mem_free_at) char *bob = api_join(stack_url(stack, 1), "gone");
	WR_AUTO(mem_free_at) char *sure = confirmation(0, "gone/empty", 2);
	WR_AUTO(http_answer_free_at)
	struct http_answer *done = confirm(1, "gone/empty", API_ADMIN_KEY, sure);
	api_expect_status(done, 200);
	assert_int_equal(http_answer_number(done, "expired"), 2);
	/* The making and the emptying; not that it was asked about. */
	assert_int_equal(api_store_number(stack, "XLEN wr:{default/gone}:audit"), 2);
	api_await(stack_url(stack, 0), ann, 5000, "place_expired");
	WR_AUTO(http_answer_free_at)
	struct http_answer *poll = api_poll(stack_url(stack, 0), "/heartbeat", ann);
	api_expect_problem(poll, 410, "place_expired");
	WR_AUTO(mem_free_at) char *why = http_answer_text(poll, "detail");
	assert_string_equal(why, "The line was emptied by the operator; join again.");
	api_await(stack_url(stack, 1), bob, 5000, "place_expired");
	WR_AUTO(http_answer_free_at)
	struct http_answer *again = api_enqueue(stack_url(stack, 0), "gone", NULL);
	api_expect_place(again, "waiting");
}

static void a_confirmation_is_of_the_key_and_the_life_of_the_queue(void **state)
{
	(void)state;
	desk_make_queue("bound", "{\"state\":\"hold\"}");
	WR_AUTO(mem_free_at) char *sure = confirmation(0, "bound/empty", 0);
	WR_AUTO(http_answer_free_at)
	struct http_answer *other = confirm(0, "bound/empty", DESK_OPERATOR_KEY, sure);
	api_expect_problem(other, 403, "forbidden");
	desk_expect("DELETE", "bound", NULL, NULL, 204, NULL);
	desk_expect("PUT", "bound", NULL, "{\"state\":\"hold\"}", 201, NULL);
	WR_AUTO(http_answer_free_at)
	struct http_answer *later = confirm(0, "bound/empty", API_ADMIN_KEY, sure);
	api_expect_problem(later, 428, "confirmation_required");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nobody_is_sent_away_without_a_confirmation),
		cmocka_unit_test(a_confirmed_order_sends_everybody_away_and_says_so),
		cmocka_unit_test(a_confirmation_is_of_the_key_and_the_life_of_the_queue),
	};
	return cmocka_run_group_tests(tests, desk_open, shared_stack_close);
}
