/* PATCH: single settings of a queue, by those who may, while people stand in it. */
#include "support/cmocka.h"
#include "support/desk.h"
#include "waitingroom/memory.h"

#include <string.h>

static void a_patch_keeps_what_it_does_not_name(void **state)
{
	(void)state;
	desk_make_queue("patched", "{\"state\":\"hold\",\"burst\":5,\"message\":\"Soon\","
							   "\"challenge\":\"turnstile\",\"captcha_site_key\":\"a\","
							   "\"captcha_secret\":\"hush\"}");
	desk_expect("PATCH", "patched", NULL, "{\"rate_per_minute\":600,\"capacity\":7}", 200, NULL);
	assert_int_equal(desk_setting("patched", "rate_per_minute"), 600);
	assert_int_equal(desk_setting("patched", "capacity"), 7);
	assert_int_equal(desk_setting("patched", "burst"), 5);
	assert_int_equal(
		api_store_number(stack, "HSTRLEN wr:{default/patched}:settings captcha_secret"), 4);
	assert_int_equal(desk_version("patched"), 2);
	desk_expect("PATCH", "patched", NULL, "{\"capacity\":7}", 200, NULL);
	assert_int_equal(desk_version("patched"), 2);
	WR_AUTO(http_answer_free_at)
	struct http_answer *wrong = desk_ask(0, "PATCH", "patched", NULL, "{\"capacity\":-1}");
	api_expect_problem(wrong, 422, "invalid_value");
	WR_AUTO(mem_free_at) char *detail = http_answer_text(wrong, "detail");
	assert_memory_equal(detail, "capacity: ", 10);
	desk_expect("PATCH", "patched", NULL, "[]", 400, "malformed");
	desk_expect("PATCH", "patched", NULL, "{\"poll_min_ms\":50000,\"poll_max_ms\":40000}", 422,
				"invalid_value");
}

static void what_a_patch_sets_to_null_gets_its_default_again(void **state)
{
	(void)state;
	desk_make_queue("nulled",
					"{\"state\":\"hold\",\"burst\":5,\"capacity\":7,\"message\":\"Soon\"}");
	static const char nulls[] = "{\"capacity\":null,\"message\":null}";
	WR_AUTO(http_answer_free_at)
	struct http_answer *dry = desk_ask(0, "PATCH", "nulled?dry_run=1", NULL, nulls);
	api_expect_status(dry, 200);
	assert_non_null(strstr(dry->body, "{\"field\":\"capacity\",\"before\":7,\"after\":100}"));
	assert_non_null(
		strstr(dry->body, "{\"field\":\"message\",\"before\":\"Soon\",\"after\":\"\"}"));
	assert_int_equal(desk_version("nulled"), 1);
	desk_expect("PATCH", "nulled", NULL, nulls, 200, NULL);
	assert_int_equal(desk_setting("nulled", "capacity"), 100);
	assert_int_equal(desk_setting("nulled", "burst"), 5);
	WR_AUTO(http_answer_free_at)
	struct http_answer *audit =
		http_call(stack_internal_url(stack, 0), "GET",
				  "/admin/v1/audit?queue=default/nulled&limit=1", DESK_KEY_HEADER, NULL);
	assert_non_null(strstr(audit->body, "\"before\":{\"capacity\":7,\"message\":\"Soon\"}"));
	assert_non_null(strstr(audit->body, "\"after\":{\"capacity\":100,\"message\":\"\","));
	/* A default that contradicts what is there; a name that is none; a PUT, which has defaults
	 * anyway. */
	desk_expect("PATCH", "nulled", NULL, "{\"poll_min_ms\":20000}", 200, NULL);
	desk_expect("PATCH", "nulled", NULL, "{\"absent_after_ms\":700000,\"heartbeat_ttl_ms\":null}",
				422, "invalid_value");
	desk_expect("PATCH", "nulled", NULL, "{\"no_setting\":null}", 422, "invalid_value");
	desk_expect("PUT", "nulled", NULL, nulls, 422, "invalid_value");
}

static void a_lane_with_people_in_it_is_not_taken_away(void **state)
{
	(void)state;
	desk_make_queue("lanes", "{\"state\":\"hold\"}");
	WR_AUTO(mem_free_at) char *token = api_join(stack_url(stack, 0), "lanes");
	static const char other[] = "{\"lanes\":[{\"name\":\"other\",\"open\":true}]}";
	WR_AUTO(http_answer_free_at)
	struct http_answer *dry = desk_ask(0, "PATCH", "lanes?dry_run=1", NULL, other);
	api_expect_status(dry, 200);
	assert_non_null(strstr(dry->body, "lanes: 1 people stand in the lane \\\"main\\\""));
	desk_expect("PATCH", "lanes", NULL, other, 409, "lane_in_use");
	WR_AUTO(http_answer_free_at)
	struct http_answer *leaves = api_poll(stack_url(stack, 0), "/leave", token);
	api_expect_status(leaves, 200);
	desk_expect("PATCH", "lanes", NULL, other, 200, NULL);
}

static void an_operator_sets_the_pace_and_not_the_keys(void **state)
{
	(void)state;
	desk_make_queue("night", "{\"state\":\"hold\"}");
	static const struct {
		const char *body;
		int status;
	} changes[] = {{"{\"rate_per_minute\":5,\"capacity\":6,\"message\":\"Hello\"}", 200},
				   {"{\"entry_keys\":[]}", 403},
				   {"{\"rate_per_minute\":7,\"template\":\"\"}", 403},
				   {"{\"allowed_targets\":[\"https://evil.example\"]}", 403}};
	for (size_t i = 0; i < COUNT(changes); i++) {
		WR_AUTO(http_answer_free_at)
		struct http_answer *answer =
			http_call(stack_internal_url(stack, 0), "PATCH", "/admin/v1/queues/default/night",
					  "Authorization: Bearer " DESK_OPERATOR_KEY "\r\n", changes[i].body);
		if (changes[i].status == 403)
			api_expect_problem(answer, 403, "forbidden");
		else
			api_expect_status(answer, changes[i].status);
	}
	assert_int_equal(desk_setting("night", "rate_per_minute"), 5);
	assert_int_equal(desk_version("night"), 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_patch_keeps_what_it_does_not_name),
		cmocka_unit_test(what_a_patch_sets_to_null_gets_its_default_again),
		cmocka_unit_test(a_lane_with_people_in_it_is_not_taken_away),
		cmocka_unit_test(an_operator_sets_the_pace_and_not_the_keys),
	};
	return cmocka_run_group_tests(tests, desk_open, shared_stack_close);
}
