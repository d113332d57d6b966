/* OTLP: sends spans to a collector, as JSON over HTTP (OpenTelemetry protocol 1.x, OTLP/HTTP).
 *
 *     spans_take ─► batch (512 spans, or what has come in 5 s) ─► POST …/v1/traces ─► 200
 *                                                                   └─► 429, 502, 503, 504: again later
 *
 * What     A thread that sends, and the text that it sends. Everything else than those four answers is
 *          final: the batch is dropped and counted. While it tries, the queue of spans fills and drops.
 * Used by  cmd/api, cmd/admitter.
 * Threads  its own; start, stop and counts from anywhere.
 */
#ifndef WAITINGROOM_OTLP_H
#define WAITINGROOM_OTLP_H

#include "waitingroom/err.h"
#include "waitingroom/spans.h"

#define OTLP_BATCH_SPANS 512

struct otlp_options { /* texts are copied */
	const char *url;  /* all of it: "http://127.0.0.1:4318/v1/traces" */
	const char
		*headers; /* "name=value,name=value", percent-encoded (OTEL_EXPORTER_OTLP_HEADERS); "" */
	const char *service_name, *instance;
	const char *resource; /* "key=value,…", percent-encoded (OTEL_RESOURCE_ATTRIBUTES); "" */
	int64_t batch_ms;	  /* longest wait of a span for others; 0: 5000 */
	int64_t timeout_ms;	  /* of one try; 0: 5000 */
};

struct otlp;
/* gives; borrows 'spans', which must outlive it. WR_BAD_CONFIG says what is wrong with the
 * options. */
WR_MUST_USE enum wr_err otlp_start(const struct otlp_options *options, struct spans *spans,
								   struct otlp **ret_otlp, struct err_detail *ret_detail);
/* Sends what is there, once, for at most two seconds, and ends. NULL is fine. */
void otlp_stop(struct otlp *otlp);

struct otlp_counts {
	uint64_t sent, refused, retries; /* spans, spans, tries */
};
void otlp_counts(const struct otlp *otlp, struct otlp_counts *ret_counts);

/* ---- the text; otlp_text.c ---- */
struct otlp_pair {
	char key[64], text[192];
};
#define OTLP_PAIRS_MAX 32
/* "key=value,key=value", values percent-encoded. False: it is not. Those that do not fit are
 * cut. */
bool otlp_pairs_parse(const char *text, struct otlp_pair ret_pairs[OTLP_PAIRS_MAX],
					  size_t *ret_count);

/* ExportTraceServiceRequest as JSON; gives. resource: attributes of the process. */
char *otlp_print(const struct otlp_pair *resource, size_t resource_count, const struct span *spans,
				 size_t count, size_t *ret_len);

#endif
