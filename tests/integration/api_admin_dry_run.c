/* Dry runs: nothing is stored, and what they say would happen is what happens. */
#include "support/cmocka.h"
#include "support/desk.h"
#include "support/wait.h"
#include "waitingroom/memory.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Settings of the queue, and how many things were told of it; gives */
static char *kept_of(const char *name)
{
	char command[320];
	snprintf(command, sizeof(command),
			 "EVAL \"return redis.sha1hex(redis.call('DUMP', 'wr:{default/%s}:settings')) .. "
			 "redis.call('XLEN', 'wr:{default/%s}:outbox')\" 0",
			 name, name);
	return redis_do(stack->redis, command);
}

static void a_dry_run_stores_nothing(void **state)
{
	(void)state;
	desk_make_queue("dry", "{\"state\":\"hold\",\"captcha_secret\":\"hush\"}");
	WR_AUTO(mem_free_at) char *before = kept_of("dry");
	WR_AUTO(http_answer_free_at)
	struct http_answer *patched =
		desk_ask(0, "PATCH", "dry?dry_run=1", NULL,
				 "{\"rate_per_minute\":120,\"state\":\"open\",\"captcha_secret\":\"psst\"}");
	api_expect_status(patched, 200);
	api_expect_members(patched, "dry_run:b version:n changes:a effect:a warnings:a");
	assert_non_null(
		strstr(patched->body, "{\"field\":\"rate_per_minute\",\"before\":60,\"after\":120}"));
	assert_non_null(
		strstr(patched->body, "{\"field\":\"state\",\"before\":\"hold\",\"after\":\"open\"}"));
	assert_non_null(strstr(patched->body, "\"captcha_secret\",\"before\":\"set\""));
	assert_null(strstr(patched->body, "hush"));
	assert_null(strstr(patched->body, "psst"));
	assert_null(strstr(patched->body, "burst"));
	WR_AUTO(http_answer_free_at)
	struct http_answer *put = desk_ask(1, "PUT", "dry?dry_run=1", NULL, "{\"capacity\":0}");
	api_expect_status(put, 200);
	assert_non_null(strstr(put->body, "capacity: 0 lets nobody in"));
	WR_AUTO(http_answer_free_at)
	struct http_answer *made = desk_ask(1, "PUT", "dry-new?dry_run=1", NULL, "{\"capacity\":3}");
	api_expect_status(made, 200);
	assert_non_null(
		strstr(made->body, "\"changes\":[{\"field\":\"capacity\",\"before\":null,\"after\":3}]"));
	desk_expect("PUT", "dry?dry_run=1", NULL, "{\"capacity\":-1}", 422, "invalid_value");
	desk_expect("PUT", "dry?dry_run=1", "If-Match: \"9\"\r\n", "{}", 412, "version_mismatch");
	desk_expect("PATCH", "dry-new?dry_run=1", NULL, "{}", 404, "no_such_queue");
	WR_AUTO(mem_free_at) char *after = kept_of("dry");
	assert_string_equal(before, after);
	assert_int_equal(api_store_number(stack, "EXISTS wr:{default/dry-new}:settings"), 0);
}

static void an_order_that_cannot_be_tried_is_not_carried_out_instead(void **state)
{
	(void)state;
	desk_make_queue("tried", "{\"state\":\"hold\"}");
	WR_AUTO(mem_free_at) char *token = api_join_present(stack, 0, "tried");
	WR_AUTO(mem_free_at) char *before = kept_of("tried");
	WR_AUTO(http_answer_free_at)
	struct http_answer *close =
		desk_ask(0, "POST", "tried/close?dry_run=1", NULL, "{\"message\":\"Bye\"}");
	api_expect_status(close, 200);
	assert_non_null(
		strstr(close->body, "{\"field\":\"state\",\"before\":\"hold\",\"after\":\"closed\"}"));
	assert_non_null(strstr(close->body, "nobody may join any more"));
	desk_expect("POST", "tried/drain?dry_run=true", NULL, NULL, 200, NULL);
	desk_expect("POST", "tried/drain?dry_run=yes", NULL, NULL, 422, "invalid_value");
	desk_expect("DELETE", "tried?dry_run=1", NULL, NULL, 422, "invalid_value");
	desk_expect("POST", "tried/admit?dry_run=1", NULL, "{\"count\":1}", 422, "invalid_value");
	desk_expect("POST", "tried/empty?dry_run=1", NULL, NULL, 422, "invalid_value");
	desk_expect("POST", "tried/drain", "If-Match: \"7\"\r\n", NULL, 412, "version_mismatch");
	WR_AUTO(mem_free_at) char *after = kept_of("tried");
	assert_string_equal(before, after);
	WR_AUTO(http_answer_free_at)
	struct http_answer *place = api_poll(stack_url(stack, 0), "/status", token);
	api_expect_place(place, "waiting");
}

/* The range that the pod shows somebody, "low..high"; gives, NULL: null */
static char *range_shown(const char *token)
{
	WR_AUTO(http_answer_free_at)
	struct http_answer *answer = api_poll(stack_url(stack, 0), "/status", token);
	if (!http_answer_has(answer, "estimated_wait_s"))
		return NULL;
	char *text;
	if (asprintf(&text, "%lld..%lld", (long long)http_answer_number(answer, "estimated_wait_s.low"),
				 (long long)http_answer_number(answer, "estimated_wait_s.high")) < 0)
		abort();
	return text;
}

static bool is_told(const char *token)
{
	WR_AUTO(mem_free_at) char *shown = range_shown(token);
	return shown != NULL;
}

static bool is_shown(const char *token, const char *range)
{
	WR_AUTO(mem_free_at) char *shown = range_shown(token);
	return shown && strcmp(shown, range) == 0;
}

/* "now" or "then" of the last row of the effect, as above; gives */
static char *range_forecast(const struct http_answer *answer, const char *which)
{
	const char *at = strstr(answer->body, "\"place\":\"tail\"");
	assert_non_null(at);
	char mark[16], *text;
	long long low, high;
	snprintf(mark, sizeof(mark), "\"%s\":", which);
	at = strstr(at, mark);
	assert_int_equal(sscanf(at + strlen(mark), "{\"low\":%lld,\"high\":%lld}", &low, &high), 2);
	if (asprintf(&text, "%lld..%lld", low, high) < 0)
		abort();
	return text;
}

static void what_a_dry_run_says_is_what_people_are_told_after_the_change(void **state)
{
	(void)state;
	/* Slow enough that nobody comes in while the test looks. */
	desk_make_queue("told", "{\"state\":\"hold\",\"rate_per_minute\":2,\"burst\":1}");
	for (int i = 0; i < 19; i++) {
		WR_AUTO(mem_free_at) char *token = api_join(stack_url(stack, 0), "told");
	}
	WR_AUTO(mem_free_at) char *last = api_join(stack_url(stack, 0), "told");
	api_await_position(stack, 0, last);
	desk_expect("PATCH", "told", NULL, "{\"state\":\"open\"}", 200, NULL);
	WAIT_UNTIL(5000, is_told(last), "the wait is told");
	WR_AUTO(http_answer_free_at)
	struct http_answer *dry =
		desk_ask(0, "PATCH", "told?dry_run=1", NULL, "{\"rate_per_minute\":1}");
	api_expect_status(dry, 200);
	WR_AUTO(mem_free_at) char *now = range_forecast(dry, "now");
	WR_AUTO(mem_free_at) char *then = range_forecast(dry, "then");
	assert_string_not_equal(now, then);
	assert_true(is_shown(last, now));
	desk_expect("PATCH", "told", NULL, "{\"rate_per_minute\":1}", 200, NULL);
	WAIT_UNTIL(5000, is_shown(last, then), "people are told what was forecast");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_dry_run_stores_nothing),
		cmocka_unit_test(an_order_that_cannot_be_tried_is_not_carried_out_instead),
		cmocka_unit_test(what_a_dry_run_says_is_what_people_are_told_after_the_change),
	};
	return cmocka_run_group_tests(tests, desk_open, shared_stack_close);
}
