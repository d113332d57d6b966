/* The trace of a request: taken from its headers, or begun here.
 *
 * Whoever calls decides whether a request is sampled (when the sampler heeds that), but not how
 * many: a stranger who sends "sampled" with everything would make this pod do the work of tracing
 * for each request. So many a second are sampled by each server, the others go unrecorded.
 *
 * A trace that begins here and is not sampled costs one number from a generator that is not secret:
 * its id is never seen.
 */
#include "internal.h"

#include <string.h>
#include <sys/random.h>

#define RATE_NS INT64_C(1000000000)

void http_tracing_init(struct http_server *server)
{
	ssize_t got = getrandom(&server->trace_random, sizeof(server->trace_random), 0);
	(void)got; /* any number but 0 will do */
	server->trace_random |= 1;
}

static uint64_t next_random(uint64_t *state) /* xorshift64 */
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return *state;
}

static bool is_within_rate(struct http_server *server)
{
	int64_t second = loop_now(server->loop).ns / RATE_NS;
	if (second != server->trace_second) {
		server->trace_second = second;
		server->traced = 0;
	}
	return server->traced++ < server->options.tracing->per_s;
}

void http_trace_begin(struct http_request *request)
{
	struct http_server *server = request->server;
	struct http_trace *trace = &request->trace;
	const char *text = http_request_header(request, "traceparent");
	struct trace_context parent;
	bool has_parent = text && traceparent_parse(text, strlen(text), &parent);
	if (has_parent) {
		trace->context = parent;
	} else {
		uint64_t random[2] = {next_random(&server->trace_random),
							  next_random(&server->trace_random)};
		memcpy(trace->context.trace_id, random, sizeof(random));
	}
	request->trace_is_known = has_parent;
	if (!trace_sampler_takes(&server->options.tracing->sampler, has_parent ? &parent : NULL,
							 trace->context.trace_id) ||
		!is_within_rate(server))
		return;
	uint64_t span_id = next_random(&server->trace_random); /* never 0 */
	memset(trace->parent, 0, sizeof(trace->parent));
	if (has_parent)
		memcpy(trace->parent, parent.span_id, sizeof(trace->parent));
	memcpy(trace->context.span_id, &span_id, sizeof(span_id));
	trace->context.sampled = true;
	const char *state = has_parent ? http_request_header(request, "tracestate") : NULL;
	tracestate_take(state ? state : "", trace->tracestate);
	request->trace_is_known = request->trace_is_sampled = true;
}

const struct http_trace *http_request_trace(const struct http_request *request)
{
	return request->trace_is_sampled ? &request->trace : NULL;
}
