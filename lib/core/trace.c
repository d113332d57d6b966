/* Trace context: W3C's two headers, and who is sampled.
 *
 * A traceparent is taken only when all of it is right: lower case, ids that are not zero, the
 * separators in their places. One of a later version may go on after the flags, behind another '-'.
 * Whatever else comes is answered by beginning a trace of our own; that is what the recommendation
 * asks for.
 */
#include "waitingroom/trace.h"

#include <stdlib.h>
#include <string.h>

#define VERSION_AT 0
#define TRACE_ID_AT 3
#define SPAN_ID_AT (TRACE_ID_AT + TRACE_ID_CHARS + 1)
#define FLAGS_AT (SPAN_ID_AT + SPAN_ID_CHARS + 1)
#define FLAG_SAMPLED 1u
#define WHOLE (UINT64_C(1) << 63)

static int digit_of(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static bool hex_parse(const char *text, size_t count, uint8_t *ret_bytes)
{
	for (size_t i = 0; i < count; i++) {
		int high = digit_of(text[2 * i]), low = high < 0 ? -1 : digit_of(text[2 * i + 1]);
		if (low < 0)
			return false;
		ret_bytes[i] = (uint8_t)(high << 4 | low);
	}
	return true;
}

void trace_hex_print(const uint8_t *bytes, size_t count, char *ret_text)
{
	static const char digits[] = "0123456789abcdef";
	for (size_t i = 0; i < count; i++) {
		*ret_text++ = digits[bytes[i] >> 4];
		*ret_text++ = digits[bytes[i] & 15];
	}
	*ret_text = '\0';
}

static bool is_zero(const uint8_t *bytes, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (bytes[i] != 0)
			return false;
	return true;
}

bool traceparent_parse(const char *text, size_t len, struct trace_context *ret_context)
{
	struct trace_context context;
	uint8_t version, flags;
	if (len < TRACEPARENT_CHARS || text[TRACE_ID_AT - 1] != '-' || text[SPAN_ID_AT - 1] != '-' ||
		text[FLAGS_AT - 1] != '-' || !hex_parse(text + VERSION_AT, 1, &version) ||
		!hex_parse(text + TRACE_ID_AT, TRACE_ID_BYTES, context.trace_id) ||
		!hex_parse(text + SPAN_ID_AT, SPAN_ID_BYTES, context.span_id) ||
		!hex_parse(text + FLAGS_AT, 1, &flags))
		return false;
	if (version == 0xff || (version == 0 && len != TRACEPARENT_CHARS) ||
		(len > TRACEPARENT_CHARS && text[TRACEPARENT_CHARS] != '-'))
		return false;
	if (is_zero(context.trace_id, TRACE_ID_BYTES) || is_zero(context.span_id, SPAN_ID_BYTES))
		return false;
	context.sampled = (flags & FLAG_SAMPLED) != 0;
	*ret_context = context;
	return true;
}

void traceparent_print(const struct trace_context *context, char ret_text[TRACEPARENT_CHARS + 1])
{
	memcpy(ret_text, "00-", 3);
	trace_hex_print(context->trace_id, TRACE_ID_BYTES, ret_text + TRACE_ID_AT);
	ret_text[SPAN_ID_AT - 1] = '-';
	trace_hex_print(context->span_id, SPAN_ID_BYTES, ret_text + SPAN_ID_AT);
	memcpy(ret_text + FLAGS_AT - 1, context->sampled ? "-01" : "-00", 4);
}

void tracestate_take(const char *text, char ret_text[TRACESTATE_MAX_BYTES + 1])
{
	size_t len = strlen(text), kept = len;
	ret_text[0] = '\0';
	for (size_t i = 0; i < len; i++)
		if ((unsigned char)text[i] < 0x20 || (unsigned char)text[i] > 0x7e)
			return;
	while (kept > TRACESTATE_MAX_BYTES) {
		const char *comma = memrchr(text, ',', kept);
		kept = comma != NULL ? (size_t)(comma - text) : 0;
	}
	memcpy(ret_text, text, kept);
	ret_text[kept] = '\0';
}

/* ---- sampling ---- */

#define PARENTBASED "parentbased_"

/* "0.25"; false: no number of 0..1 */
static bool parse_share(const char *text, uint64_t *ret_threshold)
{
	char *end;
	if (text == NULL || text[0] == '\0' || strspn(text, "0123456789.eE-+") != strlen(text))
		return false;
	double share = strtod(text, &end);
	if (*end != '\0' || !(share >= 0 && share <= 1))
		return false;
	*ret_threshold = share >= 1 ? WHOLE : (uint64_t)(share * (double)WHOLE);
	return true;
}

bool trace_sampler_parse(const char *name, const char *ratio, struct trace_sampler *ret_sampler)
{
	struct trace_sampler sampler = {.heeds_parent =
										strncmp(name, PARENTBASED, strlen(PARENTBASED)) == 0};
	if (sampler.heeds_parent)
		name += strlen(PARENTBASED);
	if (strcmp(name, "always_on") == 0)
		sampler.threshold = WHOLE;
	else if (strcmp(name, "traceidratio") == 0) {
		if (!parse_share(ratio, &sampler.threshold))
			return false;
	} else if (strcmp(name, "always_off") != 0)
		return false;
	*ret_sampler = sampler;
	return true;
}

/* The last eight bytes are the ones that are random in every version of the recommendation. */
static uint64_t randomness_of(const uint8_t trace_id[TRACE_ID_BYTES])
{
	uint64_t value = 0;
	for (size_t i = TRACE_ID_BYTES - 8; i < TRACE_ID_BYTES; i++)
		value = value << 8 | trace_id[i];
	return value >> 1;
}

bool trace_sampler_takes(const struct trace_sampler *sampler, const struct trace_context *parent,
						 const uint8_t trace_id[TRACE_ID_BYTES])
{
	if (parent != NULL && sampler->heeds_parent)
		return parent->sampled;
	return randomness_of(trace_id) < sampler->threshold;
}
