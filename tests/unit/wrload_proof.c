/* Solving what a refused join asks for. */
#include "cmd/wrload/proof.h"
#include "support/cmocka.h"
#include "waitingroom/challenge.h"
#include "waitingroom/json_in.h"
#include "waitingroom/memory.h"

#include <string.h>

#define TEXT "AQIDBAUGBwgJCgsMDQ4PEBESExQVFhcYGRobHB0eHyAh"
#define PROBLEM(challenge) "{\"status\":403,\"code\":\"challenge_required\"" challenge "}"

static void the_next_try_carries_the_solution(void **state)
{
	(void)state;
	static const char problem[] =
		PROBLEM(",\"challenge\":{\"kind\":\"pow\",\"challenge\":\"" TEXT
				"\",\"puzzles\":3,\"bits\":5,\"expires_in_ms\":1,\"wait_ms\":2}");
	WR_AUTO(mem_free_at) char *body = proof_body("acme/sale", problem, strlen(problem));
	assert_non_null(body);
	WR_AUTO(json_free_at) struct json_value *document = NULL;
	assert_int_equal(json_parse(body, strlen(body), &document, NULL), WR_OK);
	const char *text;
	assert_true(json_string(json_member(document, "queue_id"), &text));
	assert_string_equal(text, "acme/sale");
	assert_true(json_string(json_member(document, "challenge"), &text));
	assert_string_equal(text, TEXT);
	const struct json_value *solution = json_member(document, "solution");
	assert_int_equal(json_count(solution), 3);
	uint64_t numbers[3];
	for (size_t i = 0; i < 3; i++) {
		int64_t number;
		assert_true(json_int(json_at(solution, i), &number));
		numbers[i] = (uint64_t)number;
	}
	const struct challenge asked = {.bits = 5, .puzzles = 3};
	assert_true(challenge_is_solved(&asked, TEXT, numbers, 3));
}

static void what_a_crowd_cannot_solve_is_left_alone(void **state)
{
	(void)state;
	static const char *const problems[] = {
		"",
		"[]",
		"<html>",
		PROBLEM(""),
		PROBLEM(",\"challenge\":\"" TEXT "\""),
		PROBLEM(",\"challenge\":{\"kind\":\"off\"}"),
		PROBLEM(",\"challenge\":{\"kind\":\"turnstile\",\"challenge\":\"" TEXT "\"}"),
		PROBLEM(",\"challenge\":{\"kind\":\"pow\",\"challenge\":\"short\",\"puzzles\":1,"
				"\"bits\":1}"),
		PROBLEM(",\"challenge\":{\"kind\":\"pow\",\"challenge\":\"" TEXT "\",\"bits\":1}"),
		PROBLEM(",\"challenge\":{\"kind\":\"pow\",\"challenge\":\"" TEXT "\",\"puzzles\":0,"
				"\"bits\":1}"),
		PROBLEM(",\"challenge\":{\"kind\":\"pow\",\"challenge\":\"" TEXT "\",\"puzzles\":50,"
				"\"bits\":30}"),
		PROBLEM(",\"challenge\":{\"kind\":\"pow\",\"challenge\":\"" TEXT "\",\"puzzles\":1,"
				"\"bits\":64}"),
	};
	for (size_t i = 0; i < sizeof(problems) / sizeof(problems[0]); i++)
		if (proof_body("demo", problems[i], strlen(problems[i])))
			fail_msg("%s", problems[i]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_next_try_carries_the_solution),
		cmocka_unit_test(what_a_crowd_cannot_solve_is_left_alone),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
