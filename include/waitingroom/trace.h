/* Trace context: which trace a request belongs to, and whether it is recorded (W3C Trace Context).
 *
 *     traceparent: 00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01
 *                  version, trace id, id of the caller's span, flags (1: sampled)
 *
 * What     Parsing and printing of traceparent; tracestate within bounds; who is sampled. Pure.
 * Used by  lib/http, lib/events, lib/net, lib/ops, cmd/.
 * Threads  any.
 */
#ifndef WAITINGROOM_TRACE_H
#define WAITINGROOM_TRACE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "waitingroom/text.h"
#include "waitingroom/token.h"

#define TRACE_ID_BYTES 16
#define SPAN_ID_BYTES 8
#define TRACE_ID_CHARS (2 * TRACE_ID_BYTES)
#define SPAN_ID_CHARS (2 * SPAN_ID_BYTES)
#define TRACEPARENT_CHARS 55
#define TRACESTATE_MAX_BYTES 256

struct trace_context {
	uint8_t trace_id[TRACE_ID_BYTES]; /* not all zero */
	uint8_t span_id[SPAN_ID_BYTES];	  /* not all zero */
	bool sampled;
};

/* A header as it came. Versions to come are read as far as this one goes (section 3.2.2). False:
 * not a traceparent; ret is untouched, and a trace begins here. */
bool traceparent_parse(const char *text, size_t len, struct trace_context *ret_context);
void traceparent_print(const struct trace_context *context, char ret_text[TRACEPARENT_CHARS + 1]);

/* 2 * count characters and NUL, lower case */
void trace_hex_print(const uint8_t *bytes, size_t count, char *ret_text);

/* The members of a tracestate that fit into TRACESTATE_MAX_BYTES, whole ones from the left; "" when
 * it is none. Visible ASCII only: it goes into headers again. */
void tracestate_take(const char *text, char ret_text[TRACESTATE_MAX_BYTES + 1]);

/* A stretch of a visitor's way through the line, which is told in the trace of their join. */
struct trace_stretch {
	char position_id[POSITION_ID_CHARS + 1], lane[NAME_MAX_CHARS + 1];
	uint64_t ticket;
	int64_t from_ms, to_ms; /* a clock may have stepped: then it ends where it begins */
};

/* ---- sampling ---- */
struct trace_sampler {
	uint64_t threshold; /* of 2^63: the share of trace ids that are taken */
	bool heeds_parent;	/* who calls with a decision has decided */
};
/* name: always_on, always_off, traceidratio, and the same behind "parentbased_"
 * (OTEL_TRACES_SAMPLER). ratio: "0".."1", for the ratio ones. False: not one of them. */
bool trace_sampler_parse(const char *name, const char *ratio, struct trace_sampler *ret_sampler);
/* parent NULL: the trace begins here. The same id gives the same answer in every process. */
bool trace_sampler_takes(const struct trace_sampler *sampler, const struct trace_context *parent,
						 const uint8_t trace_id[TRACE_ID_BYTES]);

#endif
