/* Events of somebody whose join was traced: they say so, and those of others do not. */
#include "support/cmocka.h"
#include "waitingroom/events.h"

#include <stdio.h>
#include <string.h>

#define TRACE "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
#define ANN "AAAAAAAAAAAAAAAA"
#define BOB "Zz09-_Zz09-_Zz09"

struct told {
	char traceparents[4][TRACEPARENT_CHARS + 1];
	bool in_body[4];
	struct trace_stretch waits[4];
	size_t count;
};

static enum wr_err on_event(void *ctx, const struct event *event)
{
	struct told *told = ctx;
	told->waits[told->count] = event->wait;
	strcpy(told->traceparents[told->count], event->traceparent);
	told->in_body[told->count++] =
		strstr(event->body, "\"datacontenttype\":\"application/json\",\"traceparent\":\"" TRACE
							"\",\"data\":{") != NULL;
	return WR_OK;
}

static struct told expand(const char *type, const char *people)
{
	static const struct queue_name demo = {.tenant = "default", .queue = "demo"};
	struct outbox_entry entry = {.id = "1-0",
								 .at_ms = 1767225600007,
								 .epoch = "epoch-00001",
								 .people = people,
								 .people_len = strlen(people),
								 .data = ""};
	struct told told = {.count = 0};
	snprintf(entry.type, sizeof(entry.type), "%s", type);
	assert_int_equal(event_expand(&demo, &entry, on_event, &told), WR_OK);
	return told;
}

static void only_the_event_of_who_is_traced_has_a_traceparent(void **state)
{
	(void)state;
	struct told told = expand("enqueued", ANN " main 7 tp=" TRACE "\n" BOB " main 8");
	assert_int_equal(told.count, 2);
	assert_string_equal(told.traceparents[0], TRACE);
	assert_true(told.in_body[0]);
	assert_string_equal(told.traceparents[1], "");
	assert_false(told.in_body[1]);
}

static void it_stands_behind_the_columns_of_its_event_and_among_those_to_come(void **state)
{
	(void)state;
	struct told told = expand("claimed", ANN " main 7 1767226500000 tp=" TRACE);
	assert_true(told.in_body[0]);
	told = expand("admitted", ANN " main 7 1767225518766 line later=1 tp=" TRACE " last");
	assert_true(told.in_body[0]);
}

static void who_was_let_in_and_is_traced_comes_with_their_wait(void **state)
{
	(void)state;
	struct told told = expand("admitted", ANN "~2 main 7 1767225518766 line tp=" TRACE "\n" BOB
											  " vip 8 1767225518767 line");
	assert_string_equal(told.waits[0].position_id, ANN);
	assert_string_equal(told.waits[0].lane, "main");
	assert_int_equal(told.waits[0].ticket, 7);
	assert_int_equal(told.waits[0].from_ms, 1767225518766);
	assert_int_equal(told.waits[0].to_ms, 1767225600007);
	assert_string_equal(told.waits[1].position_id, "");
	told = expand("claimed", ANN " main 7 1767226500000 tp=" TRACE);
	assert_string_equal(told.waits[0].position_id, "");
}

static void what_is_not_a_traceparent_is_left_out(void **state)
{
	(void)state;
	static const char *const people[] = {
		ANN " main 7 tp=",
		ANN " main 7 tp=00-0-0-01",
		ANN " main 7 tp=00-00000000000000000000000000000000-00f067aa0ba902b7-01",
		ANN " main 7 tp=" TRACE "x",
		ANN " main 7 xtp=" TRACE,
	};
	for (size_t i = 0; i < sizeof(people) / sizeof(people[0]); i++)
		assert_string_equal(expand("enqueued", people[i]).traceparents[0], "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(only_the_event_of_who_is_traced_has_a_traceparent),
		cmocka_unit_test(it_stands_behind_the_columns_of_its_event_and_among_those_to_come),
		cmocka_unit_test(who_was_let_in_and_is_traced_comes_with_their_wait),
		cmocka_unit_test(what_is_not_a_traceparent_is_left_out),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
