/* OTLP as text: spans to the JSON of opentelemetry-proto's ExportTraceServiceRequest.
 *
 * What JSON makes different from plain protobuf JSON: ids are hex, not base64; enums are numbers;
 * names are lowerCamelCase; 64-bit integers are strings. Spans of one request are one scope of one
 * resource, because one process tells of itself only.
 */
#include "waitingroom/otlp.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "waitingroom/memory.h"
#include "waitingroom/text.h"
#include "waitingroom/version.h"

#define SCOPE "waitingroom"
#define STATUS_ERROR 2
#define SPAN_ROOM 8192 /* of one span at most: eight notes of escaped text and a tracestate */
#define PAIR_ROOM 1792 /* each character may become six */

/* ---- attributes ---- */

static void attribute_begin(struct json_out *out, const char *key)
{
	json_out_object(out, NULL);
	json_out_string(out, "key", key);
	json_out_object(out, "value");
}

static void attribute_end(struct json_out *out)
{
	json_out_object_end(out);
	json_out_object_end(out);
}

static void put_text_value(struct json_out *out, const char *key, const char *text)
{
	attribute_begin(out, key);
	json_out_string(out, "stringValue", text);
	attribute_end(out);
}

/* int64 in JSON is a string */
static void put_number(struct json_out *out, const char *key, int64_t number)
{
	char text[24];
	snprintf(text, sizeof(text), "%" PRId64, number);
	json_out_string(out, key, text);
}

static void put_number_value(struct json_out *out, const char *key, int64_t number)
{
	attribute_begin(out, key);
	put_number(out, "intValue", number);
	attribute_end(out);
}

static void put_notes(struct json_out *out, const struct span *span)
{
	if (span->note_count == 0)
		return;
	json_out_array(out, "attributes");
	for (size_t i = 0; i < span->note_count; i++) {
		const struct span_note *note = &span->notes[i];
		if (note->is_text)
			put_text_value(out, note->key, note->text);
		else
			put_number_value(out, note->key, note->number);
	}
	json_out_array_end(out);
}

/* ---- spans ---- */

static void put_id(struct json_out *out, const char *key, const uint8_t *id, size_t bytes)
{
	char text[TRACE_ID_CHARS + 1];
	trace_hex_print(id, bytes, text);
	json_out_string(out, key, text);
}

static bool is_there(const uint8_t *id, size_t bytes)
{
	static const uint8_t none[TRACE_ID_BYTES];
	return memcmp(id, none, bytes) != 0;
}

static void put_link(struct json_out *out, const struct trace_context *link)
{
	if (!is_there(link->span_id, SPAN_ID_BYTES))
		return;
	json_out_array(out, "links");
	json_out_object(out, NULL);
	put_id(out, "traceId", link->trace_id, TRACE_ID_BYTES);
	put_id(out, "spanId", link->span_id, SPAN_ID_BYTES);
	json_out_object_end(out);
	json_out_array_end(out);
}

static void put_span(struct json_out *out, const struct span *span)
{
	json_out_object(out, NULL);
	put_id(out, "traceId", span->context.trace_id, TRACE_ID_BYTES);
	put_id(out, "spanId", span->context.span_id, SPAN_ID_BYTES);
	if (span->tracestate[0] != '\0')
		json_out_string(out, "traceState", span->tracestate);
	if (is_there(span->parent, SPAN_ID_BYTES))
		put_id(out, "parentSpanId", span->parent, SPAN_ID_BYTES);
	json_out_string(out, "name", span->name);
	json_out_int(out, "kind", span->kind);
	put_number(out, "startTimeUnixNano", span->start_ns);
	put_number(out, "endTimeUnixNano", span->end_ns);
	put_notes(out, span);
	put_link(out, &span->link);
	if (span->failed) {
		json_out_object(out, "status");
		json_out_int(out, "code", STATUS_ERROR);
		json_out_object_end(out);
	}
	json_out_object_end(out);
}

char *otlp_print(const struct otlp_pair *resource, size_t resource_count, const struct span *spans,
				 size_t count, size_t *ret_len)
{
	struct json_out out;
	size_t room = 512 + PAIR_ROOM * resource_count + SPAN_ROOM * count;
	char *text = mem_alloc_zero(1, room);
	json_out_init(&out, text, room - 1);
	json_out_object(&out, NULL);
	json_out_array(&out, "resourceSpans");
	json_out_object(&out, NULL);
	json_out_object(&out, "resource");
	json_out_array(&out, "attributes");
	for (size_t i = 0; i < resource_count; i++)
		put_text_value(&out, resource[i].key, resource[i].text);
	json_out_array_end(&out);
	json_out_object_end(&out);
	json_out_array(&out, "scopeSpans");
	json_out_object(&out, NULL);
	json_out_object(&out, "scope");
	json_out_string(&out, "name", SCOPE);
	json_out_string(&out, "version", WR_VERSION);
	json_out_object_end(&out);
	json_out_array(&out, "spans");
	for (size_t i = 0; i < count; i++)
		put_span(&out, &spans[i]);
	json_out_array_end(&out);
	json_out_object_end(&out);
	json_out_array_end(&out);
	json_out_object_end(&out);
	json_out_array_end(&out);
	json_out_object_end(&out);
	*ret_len = out.len;
	return text;
}

/* ---- pairs of the environment ---- */

static int hex_digit(char c)
{
	static const char digits[] = "0123456789abcdefABCDEF";
	const char *at = c != '\0' ? strchr(digits, c) : NULL;
	if (at == NULL)
		return -1;
	int value = (int)(at - digits);
	return value < 16 ? value : value - 6;
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

/* text[0..len), decoded, without the blanks around it; false: a broken %xx. */
static bool decode(const char *text, size_t len, char *ret_text, size_t room)
{
	size_t used = 0;
	for (; len > 0 && is_blank(text[0]); text++)
		len--;
	while (len > 0 && is_blank(text[len - 1]))
		len--;
	for (size_t i = 0; i < len && used + 1 < room; i++) {
		if (text[i] != '%') {
			ret_text[used++] = text[i];
			continue;
		}
		int high = i + 2 < len ? hex_digit(text[i + 1]) : -1;
		int low = high >= 0 ? hex_digit(text[i + 2]) : -1;
		if (low < 0)
			return false;
		ret_text[used++] = (char)(high << 4 | low);
		i += 2;
	}
	ret_text[used] = '\0';
	return true;
}

bool otlp_pairs_parse(const char *text, struct otlp_pair ret_pairs[OTLP_PAIRS_MAX],
					  size_t *ret_count)
{
	size_t count = 0;
	while (*text != '\0') {
		size_t len = strcspn(text, ",");
		const char *equals = memchr(text, '=', len);
		if (len > 0) {
			if (equals == NULL || equals == text || count == OTLP_PAIRS_MAX)
				return false;
			struct otlp_pair *pair = &ret_pairs[count++];
			if (!decode(text, (size_t)(equals - text), pair->key, sizeof(pair->key)) ||
				!decode(equals + 1, len - (size_t)(equals + 1 - text), pair->text,
						sizeof(pair->text)))
				return false;
		}
		text += len + (text[len] == ',');
	}
	*ret_count = count;
	return true;
}
