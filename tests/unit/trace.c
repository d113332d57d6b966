/* Trace context: what is taken as one, what is not, and who is sampled. */
#include "waitingroom/trace.h"
#include "support/cmocka.h"

#include <stdio.h>
#include <string.h>

#define GOOD "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"

static bool parses(const char *text, struct trace_context *ret_context)
{
	return traceparent_parse(text, strlen(text), ret_context);
}

static void what_is_printed_is_what_was_parsed(void **state)
{
	(void)state;
	struct trace_context context;
	char text[TRACEPARENT_CHARS + 1];
	assert_true(parses(GOOD, &context));
	assert_true(context.sampled);
	assert_int_equal(context.trace_id[0], 0x4b);
	assert_int_equal(context.span_id[7], 0xb7);
	traceparent_print(&context, text);
	assert_string_equal(text, GOOD);
	context.sampled = false;
	traceparent_print(&context, text);
	assert_true(parses(text, &context));
	assert_false(context.sampled);
}

static void versions_to_come_are_read_as_far_as_this_one_goes(void **state)
{
	(void)state;
	struct trace_context context;
	assert_true(
		parses("01"
			   "-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-what-the-future-will-bring",
			   &context));
	assert_true(parses("cc-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00", &context));
	assert_false(context.sampled);
	assert_true(parses("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-03", &context));
	assert_true(context.sampled); /* flags that we do not know are not ours to judge */
}

static void what_is_not_one_is_refused_and_leaves_nothing(void **state)
{
	(void)state;
	static const char *const wrong[] = {
		"",
		"00",
		"00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-0",
		"00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-",
		"00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-x",
		"01-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01x",
		"ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
		"00-00000000000000000000000000000000-00f067aa0ba902b7-01",
		"00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",
		"00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01",
		"00-4bf92f3577b34da6a3ce929d0e0e473g-00f067aa0ba902b7-01",
		"00_4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
		"00-4bf92f3577b34da6a3ce929d0e0e4736_00f067aa0ba902b7-01",
		"00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7_01",
		"0x-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
		" " GOOD,
		GOOD " ",
	};
	struct trace_context context, before;
	memset(&context, 0x5a, sizeof(context));
	before = context;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		if (parses(wrong[i], &context))
			fail_msg("taken: \"%s\"", wrong[i]);
	assert_memory_equal(&context, &before, sizeof(context));
}

static void a_tracestate_that_is_too_long_loses_members_from_its_end(void **state)
{
	(void)state;
	char text[TRACESTATE_MAX_BYTES + 1], longer[3 * TRACESTATE_MAX_BYTES] = "";
	tracestate_take("congo=t61rcWkgMzE,rojo=00f067aa0ba902b7", text);
	assert_string_equal(text, "congo=t61rcWkgMzE,rojo=00f067aa0ba902b7");
	for (int i = 0; i < 60; i++)
		sprintf(longer + strlen(longer), "%sv%02d=12345", i ? "," : "", i);
	tracestate_take(longer, text);
	assert_true(strlen(text) <= TRACESTATE_MAX_BYTES);
	assert_true(strlen(text) > TRACESTATE_MAX_BYTES - 20);
	assert_memory_equal(text, longer, strlen(text));
	assert_int_equal(longer[strlen(text)], ',');
	memset(longer, 'x', sizeof(longer) - 1);
	tracestate_take(longer, text);
	assert_string_equal(text, "");
	tracestate_take("a=b\r\nSet-Cookie: c=d", text);
	assert_string_equal(text, "");
}

static void a_sampler_has_the_names_that_others_use(void **state)
{
	(void)state;
	struct trace_sampler sampler;
	uint8_t id[TRACE_ID_BYTES] = {[15] = 2};
	struct trace_context yes = {.sampled = true}, no = {.sampled = false};
	assert_true(trace_sampler_parse("always_on", NULL, &sampler));
	assert_true(trace_sampler_takes(&sampler, &no, id));
	assert_true(trace_sampler_parse("always_off", NULL, &sampler));
	assert_false(trace_sampler_takes(&sampler, &yes, id));
	assert_true(trace_sampler_parse("parentbased_always_off", NULL, &sampler));
	assert_true(trace_sampler_takes(&sampler, &yes, id));
	assert_false(trace_sampler_takes(&sampler, NULL, id));
	assert_true(trace_sampler_parse("parentbased_traceidratio", "1", &sampler));
	assert_false(trace_sampler_takes(&sampler, &no, id));
	memset(id, 0xff, sizeof(id));
	assert_true(trace_sampler_takes(&sampler, NULL, id));
	static const char *const shares[] = {"", "-1", "1.5", "half", "0,5", "nan", "0x1", "0.1 "};
	for (size_t i = 0; i < sizeof(shares) / sizeof(shares[0]); i++)
		assert_false(trace_sampler_parse("traceidratio", shares[i], &sampler));
	assert_false(trace_sampler_parse("traceidratio", NULL, &sampler));
	assert_false(trace_sampler_parse("jaeger_remote", "1", &sampler));
	assert_false(trace_sampler_parse("", "1", &sampler));
}

static void a_ratio_takes_its_share_and_always_the_same_ids(void **state)
{
	(void)state;
	struct trace_sampler tenth, half;
	assert_true(trace_sampler_parse("traceidratio", "0.1", &tenth));
	assert_true(trace_sampler_parse("traceidratio", "5e-1", &half));
	uint64_t random = 88172645463325252u;
	int of_tenth = 0, of_half = 0;
	for (int i = 0; i < 20000; i++) {
		uint8_t id[TRACE_ID_BYTES] = {1};
		random ^= random << 13;
		random ^= random >> 7;
		random ^= random << 17;
		memcpy(id + 8, &random, sizeof(random));
		bool small = trace_sampler_takes(&tenth, NULL, id);
		bool large = trace_sampler_takes(&half, NULL, id);
		assert_false(small && !large); /* who is in the smaller share is in the larger one */
		of_tenth += small;
		of_half += large;
	}
	assert_in_range(of_tenth, 1800, 2200);
	assert_in_range(of_half, 9600, 10400);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_printed_is_what_was_parsed),
		cmocka_unit_test(versions_to_come_are_read_as_far_as_this_one_goes),
		cmocka_unit_test(what_is_not_one_is_refused_and_leaves_nothing),
		cmocka_unit_test(a_tracestate_that_is_too_long_loses_members_from_its_end),
		cmocka_unit_test(a_sampler_has_the_names_that_others_use),
		cmocka_unit_test(a_ratio_takes_its_share_and_always_the_same_ids),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
