/* Trace headers: whatever a stranger sends, what is taken of it is printed as it came, and is fit
 * for a header again.
 *
 * Up to the first NUL the input is a traceparent, behind it a tracestate.
 */
#include "waitingroom/trace.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_parent(const char *text, size_t len)
{
	struct trace_context context, again;
	char printed[TRACEPARENT_CHARS + 1];
	if (!traceparent_parse(text, len, &context))
		return;
	traceparent_print(&context, printed);
	assert(strlen(printed) == TRACEPARENT_CHARS);
	assert(memcmp(printed + 2, text + 2, TRACEPARENT_CHARS - 4) == 0); /* but version and flags */
	assert(traceparent_parse(printed, TRACEPARENT_CHARS, &again));
	assert(memcmp(again.trace_id, context.trace_id, TRACE_ID_BYTES) == 0);
	assert(memcmp(again.span_id, context.span_id, SPAN_ID_BYTES) == 0);
	assert(again.sampled == context.sampled);
}

static void check_state(const char *text)
{
	char kept[TRACESTATE_MAX_BYTES + 1];
	tracestate_take(text, kept);
	assert(strlen(kept) <= TRACESTATE_MAX_BYTES);
	assert(strncmp(kept, text, strlen(kept)) == 0);
	for (const char *at = kept; *at; at++)
		assert(*at >= 0x20 && *at <= 0x7e);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = malloc(size + 2); /* of its own size: a byte too far is found */
	memcpy(text, data, size);
	text[size] = text[size + 1] = '\0';
	size_t len = strlen(text);
	check_parent(text, len);
	check_state(len < size ? text + len + 1 : "");
	free(text);
	return 0;
}
