/* OTLP as text: what a collector's protobuf parser would read from it. */
#include "support/cmocka.h"
#include "waitingroom/memory.h"
#include "waitingroom/otlp.h"

#include <cjson/cJSON.h>
#include <stdlib.h>
#include <string.h>

static struct span a_span(const char *name)
{
	struct trace_context parent;
	assert_true(traceparent_parse("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
								  TRACEPARENT_CHARS, &parent));
	struct span span;
	span_init(&span, name, SPAN_SERVER, &parent);
	span.start_ns = 1700000000000000001;
	span.end_ns = 1700000000000000002;
	return span;
}

static const cJSON *at(const cJSON *value, const char *path)
{
	char *copy = strdup(path), *rest = copy;
	for (char *part; (part = strsep(&rest, ".")) != NULL;) {
		value = part[0] >= '0' && part[0] <= '9' ? cJSON_GetArrayItem(value, atoi(part))
												 : cJSON_GetObjectItemCaseSensitive(value, part);
		if (value == NULL)
			fail_msg("%s: there is no %s", path, part);
	}
	free(copy);
	return value;
}

static const char *text_at(const cJSON *value, const char *path)
{
	value = at(value, path);
	assert_true(cJSON_IsString(value));
	return value->valuestring;
}

static cJSON *printed(const struct span *spans, size_t count)
{
	static const struct otlp_pair resource[] = {{"service.name", "waitingroom-api"}};
	size_t len = 0;
	WR_AUTO(mem_free_at) char *text = otlp_print(resource, 1, spans, count, &len);
	assert_int_equal(strlen(text), len);
	cJSON *document = cJSON_ParseWithOpts(text, NULL, 1);
	assert_non_null(document);
	return document;
}

#define SPAN "resourceSpans.0.scopeSpans.0.spans.0"

static void ids_are_hex_numbers_of_64_bits_are_texts_and_enums_are_numbers(void **state)
{
	(void)state;
	struct span span = a_span("POST /enqueue");
	span_note_number(&span, "http.response.status_code", 201);
	span_note_text(&span, "wr.queue", "default/\"demo\"");
	cJSON *document = printed(&span, 1);
	const cJSON *it = at(document, SPAN);
	assert_string_equal(
		text_at(document, "resourceSpans.0.resource.attributes.0.value.stringValue"),
		"waitingroom-api");
	assert_string_equal(text_at(it, "traceId"), "4bf92f3577b34da6a3ce929d0e0e4736");
	assert_string_equal(text_at(it, "parentSpanId"), "00f067aa0ba902b7");
	assert_int_equal(strlen(text_at(it, "spanId")), 16);
	assert_string_not_equal(text_at(it, "spanId"), "00f067aa0ba902b7");
	assert_string_equal(text_at(it, "startTimeUnixNano"), "1700000000000000001");
	assert_string_equal(text_at(it, "endTimeUnixNano"), "1700000000000000002");
	assert_int_equal(at(it, "kind")->valueint, 2);
	assert_string_equal(text_at(it, "attributes.0.value.intValue"), "201");
	assert_string_equal(text_at(it, "attributes.1.value.stringValue"), "default/\"demo\"");
	cJSON_Delete(document);
}

static void a_stretch_that_is_told_twice_is_one_span(void **state)
{
	(void)state;
	static const char join[] = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
	static const char not_sampled[] = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00";
	static const struct queue_name sale = {.tenant = "shop", .queue = "sale"};
	struct trace_stretch stretch = {.position_id = "AAAAAAAAAAAAAAAA",
									.lane = "main",
									.ticket = 7,
									.from_ms = 1767225518766,
									.to_ms = 1767225600007};
	struct span first, again, other;
	assert_true(span_of_stretch("admitted", join, &sale, &stretch, &first));
	assert_true(span_of_stretch("admitted", join, &sale, &stretch, &again));
	assert_memory_equal(first.context.span_id, again.context.span_id, SPAN_ID_BYTES);
	assert_int_equal(first.end_ns - first.start_ns, INT64_C(81241000000));
	assert_int_equal(first.parent[1], 0xf0);
	stretch.to_ms++; /* let in again, after an operator has put them back */
	assert_true(span_of_stretch("admitted", join, &sale, &stretch, &other));
	assert_memory_not_equal(first.context.span_id, other.context.span_id, SPAN_ID_BYTES);
	stretch.to_ms = 0; /* the clock has stepped */
	assert_true(span_of_stretch("admitted", join, &sale, &stretch, &other));
	assert_int_equal(other.end_ns, other.start_ns);
	assert_false(span_of_stretch("admitted", not_sampled, &sale, &stretch, &other));
	assert_false(span_of_stretch("admitted", "", &sale, &stretch, &other));
}

static void what_is_not_there_is_not_said(void **state)
{
	(void)state;
	struct span span;
	span_init(&span, "admit", SPAN_INTERNAL, NULL);
	cJSON *document = printed(&span, 1);
	const cJSON *it = at(document, SPAN);
	static const char *const names[] = {"parentSpanId", "traceState", "attributes", "links",
										"status"};
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		assert_null(cJSON_GetObjectItemCaseSensitive(it, names[i]));
	cJSON_Delete(document);
	span.failed = true;
	span.link = a_span("x").context;
	strcpy(span.tracestate, "congo=1");
	document = printed(&span, 1);
	assert_int_equal(at(document, SPAN ".status.code")->valueint, 2);
	assert_string_equal(text_at(document, SPAN ".links.0.traceId"),
						"4bf92f3577b34da6a3ce929d0e0e4736");
	assert_string_equal(text_at(document, SPAN ".traceState"), "congo=1");
	cJSON_Delete(document);
}

static void a_whole_batch_of_the_longest_spans_is_printed_whole(void **state)
{
	(void)state;
	struct span *spans = mem_alloc_zero(OTLP_BATCH_SPANS, sizeof(*spans));
	char text[SPAN_TEXT_BYTES];
	memset(text, 0x01, sizeof(text) - 1); /* six characters each */
	text[sizeof(text) - 1] = '\0';
	for (size_t i = 0; i < OTLP_BATCH_SPANS; i++) {
		spans[i] =
			a_span("a name that is much longer than the room for a name, which is sixty-four");
		memset(spans[i].tracestate, '"', TRACESTATE_MAX_BYTES);
		for (int n = 0; n < SPAN_NOTES_MAX + 1; n++) /* the last one is left out */
			span_note_text(&spans[i], "a.key.of.some.length.as.there.are.few", text);
	}
	cJSON *document = printed(spans, OTLP_BATCH_SPANS);
	const cJSON *all = at(document, "resourceSpans.0.scopeSpans.0.spans");
	assert_int_equal(cJSON_GetArraySize(all), OTLP_BATCH_SPANS);
	assert_int_equal(cJSON_GetArraySize(at(document, SPAN ".attributes")), SPAN_NOTES_MAX);
	cJSON_Delete(document);
	free(spans);
}

static void pairs_of_the_environment_are_decoded(void **state)
{
	(void)state;
	struct otlp_pair pairs[OTLP_PAIRS_MAX];
	size_t count = 99;
	assert_true(otlp_pairs_parse("", pairs, &count));
	assert_int_equal(count, 0);
	assert_true(
		otlp_pairs_parse(" deployment.environment = a%20b%2Cc ,k8s.pod.name=x,", pairs, &count));
	assert_int_equal(count, 2);
	assert_string_equal(pairs[0].key, "deployment.environment");
	assert_string_equal(pairs[0].text, "a b,c");
	assert_string_equal(pairs[1].text, "x");
	static const char *const wrong[] = {"key", "=value", "a=b,key", "a=%2", "a=%zz"};
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		assert_false(otlp_pairs_parse(wrong[i], pairs, &count));
}

static void a_full_queue_drops_and_counts(void **state)
{
	(void)state;
	struct spans *spans = spans_new(4);
	struct span span = a_span("x"), taken[8];
	struct spans_counts counts;
	for (int i = 0; i < 6; i++) {
		span.start_ns = i;
		spans_put(spans, &span);
	}
	assert_int_equal(spans_take(spans, taken, 3, 0), 3);
	assert_int_equal(taken[2].start_ns, 2); /* the first come first */
	spans_put(spans, &span);
	assert_int_equal(spans_take(spans, taken, 8, 0), 2);
	assert_int_equal(taken[0].start_ns, 3);
	assert_int_equal(spans_take(spans, taken, 8, 0), 0);
	spans_counts(spans, &counts);
	assert_int_equal(counts.put, 7);
	assert_int_equal(counts.dropped, 2);
	spans_stop(spans);
	assert_int_equal(spans_take(spans, taken, 8, 60000), 0); /* at once */
	spans_free(spans);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ids_are_hex_numbers_of_64_bits_are_texts_and_enums_are_numbers),
		cmocka_unit_test(what_is_not_there_is_not_said),
		cmocka_unit_test(a_whole_batch_of_the_longest_spans_is_printed_whole),
		cmocka_unit_test(pairs_of_the_environment_are_decoded),
		cmocka_unit_test(a_stretch_that_is_told_twice_is_one_span),
		cmocka_unit_test(a_full_queue_drops_and_counts),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
