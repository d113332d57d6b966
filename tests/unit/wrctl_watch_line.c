/* How wrctl watch writes an event, and which times it understands. */
#include "cmd/wrctl/watch.h"
#include "support/cmocka.h"
#include "waitingroom/memory.h"

#include <locale.h>
#include <stdlib.h>
#include <string.h>

static char *print(const char *body, bool colour)
{
	char *text = NULL;
	size_t len = 0;
	FILE *out = open_memstream(&text, &len);
	struct terminal terminal = {.colour = colour};
	bool printed = watch_print(body, strlen(body), &terminal, out);
	fclose(out);
	assert_true(printed || len == 0);
	return text;
}

static const char admitted[] =
	"{\"specversion\":\"1.0\",\"id\":\"x\",\"source\":\"/queues/default/demo\","
	"\"type\":\"io.waitingroom.position.admitted.v1\",\"subject\":\"jGPH3jnFb3Gy5a96\","
	"\"time\":\"2026-11-21T16:20:31.042Z\",\"data\":{\"queue_id\":\"default/demo\","
	"\"epoch\":\"IFUrVA67joI\",\"position_id\":\"jGPH3jnFb3Gy5a96\",\"lane\":\"main\","
	"\"ticket\":12,\"how\":\"line\"}}";

static void an_event_is_a_line_without_what_is_known(void **state)
{
	(void)state;
	WR_AUTO(mem_free_at) char *line = print(admitted, false);
	assert_string_equal(
		line, "16:20:31.042  position.admitted   jGPH3jnFb3Gy5a96 lane=main ticket=12 how=line\n");
}

static void colours_are_only_there_when_asked_for(void **state)
{
	(void)state;
	WR_AUTO(mem_free_at) char *line = print(admitted, true);
	assert_non_null(strstr(line, "\033[32mposition.admitted\033[0m"));
}

static void what_is_no_event_prints_nothing(void **state)
{
	(void)state;
	WR_AUTO(mem_free_at) char *no_json = print("text", false);
	WR_AUTO(mem_free_at) char *no_object = print("[1]", false);
	assert_string_equal(no_json, "");
	assert_string_equal(no_object, "");
}

static void an_event_of_a_later_version_is_shown_as_far_as_it_is_understood(void **state)
{
	(void)state;
	WR_AUTO(mem_free_at)
	char *line =
		print("{\"type\":\"org.other.thing\",\"time\":\"soon\",\"subject\":\"a\\u001b[2J\","
			  "\"data\":{\"n\":[1,2]}}",
			  false);
	assert_string_equal(line, "soon  org.other.thing     a [2J n=[1,2]\n");
}

static void times_have_a_unit(void **state)
{
	(void)state;
	int64_t ms = 0;
	assert_true(watch_since("90s", &ms));
	assert_int_equal(ms, 90000);
	assert_true(watch_since("5m", &ms));
	assert_int_equal(ms, 300000);
	assert_true(watch_since("2h", &ms));
	assert_int_equal(ms, 7200000);
	assert_true(watch_since("1d", &ms));
	assert_int_equal(ms, 86400000);
	static const char *const wrong[] = {"", "5", "m", "-5m", "5 m", "1.5h", "99999999999s", "5w"};
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		assert_false(watch_since(wrong[i], &ms));
}

int main(void)
{
	setenv("TZ", "UTC", 1);
	setlocale(LC_CTYPE, "C.UTF-8");
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_event_is_a_line_without_what_is_known),
		cmocka_unit_test(colours_are_only_there_when_asked_for),
		cmocka_unit_test(what_is_no_event_prints_nothing),
		cmocka_unit_test(an_event_of_a_later_version_is_shown_as_far_as_it_is_understood),
		cmocka_unit_test(times_have_a_unit),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
