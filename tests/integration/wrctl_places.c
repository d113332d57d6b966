/* One visitor's place by wrctl: found in four ways, with its timeline, and put back. */
#include <string.h>

#include "support/api.h"
#include "support/cmocka.h"
#include "support/ctl_room.h"
#include "waitingroom/memory.h"

static void a_place_is_found_by_its_id_its_code_and_its_key(void **state)
{
	(void)state;
	WR_AUTO(http_answer_free_at)
	struct http_answer *joined = api_enqueue(stack_url(stack, 0), "demo", "basket-4711");
	WR_AUTO(mem_free_at) char *id = http_answer_text(joined, "position_id");
	struct ctl ctl = at_the_pod();
	RUN by_id = ctl_run(&ctl, "place", "find", "demo", "--id", id, NULL);
	ctl_expect(&by_id, 0, id, NULL);
	ctl_expect(&by_id, 0, "joined", NULL);
	RUN by_key = ctl_run(&ctl, "place", "find", "demo", "--key", "basket-4711", NULL);
	ctl_expect(&by_key, 0, id, NULL);
	RUN json = ctl_run(&ctl, "place", "find", "demo", "--id", id, "-o", "json", NULL);
	const struct json_value *places = json_member(json.json, "places");
	assert_int_equal(json_count(places), 1);
	const char *code = "";
	assert_true(json_string(json_member(json_at(places, 0), "code"), &code));
	RUN by_code = ctl_run(&ctl, "place", "find", "demo", "--code", code, NULL);
	ctl_expect(&by_code, 0, id, NULL);
}

static void nobody_is_found_with_another_key(void **state)
{
	(void)state;
	struct ctl ctl = at_the_pod();
	RUN none = ctl_run(&ctl, "place", "find", "demo", "--key", "nobody has it", NULL);
	ctl_expect(&none, 6, NULL, "no such place");
	RUN both = ctl_run(&ctl, "place", "find", "demo", "--key", "a", "--id", "b", NULL);
	ctl_expect(&both, 2, NULL, "only one of them");
	RUN neither = ctl_run(&ctl, "place", "find", "demo", NULL);
	ctl_expect(&neither, 2, NULL, "say what to look for");
}

static void a_place_that_was_left_by_mistake_is_put_back(void **state)
{
	(void)state;
	const char *url = stack_url(stack, 0);
	WR_AUTO(mem_free_at) char *token = api_join_present(stack, 0, "demo");
	WR_AUTO(mem_free_at) char *id = api_position_id(token);
	WR_AUTO(http_answer_free_at) struct http_answer *left = api_poll(url, "/leave", token);
	api_expect_status(left, 200);
	api_await(url, token, 5000, "place_left");
	struct ctl ctl = at_the_pod();
	RUN why = ctl_run(&ctl, "place", "restore", "demo", id, NULL);
	ctl_expect(&why, 2, NULL, "--reason");
	RUN back = ctl_run(&ctl, "place", "restore", "demo", id, "--reason", "wrong button", NULL);
	ctl_expect(&back, 0, "is back in line", NULL);
	api_await(url, token, 5000, "waiting");
	RUN found = ctl_run(&ctl, "place", "find", "demo", "--id", id, NULL);
	ctl_expect(&found, 0, "restored", NULL);
	ctl_expect(&found, 0, "in line", NULL);
	ctl_expect(&found, 0, "put back", NULL);
	assert_null(strchr(found.out, '{'));
	RUN audit = ctl_run(&ctl, "audit", "--queue", "demo", "--action", "place.restore", NULL);
	ctl_expect(&audit, 0, "wrong button", NULL);
	RUN again = ctl_run(&ctl, "place", "restore", "demo", id, "--reason", "again", NULL);
	assert_int_equal(again.code, 5);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_place_is_found_by_its_id_its_code_and_its_key),
		cmocka_unit_test(nobody_is_found_with_another_key),
		cmocka_unit_test(a_place_that_was_left_by_mistake_is_put_back),
	};
	return cmocka_run_group_tests(tests, ctl_room_open, shared_stack_close);
}
