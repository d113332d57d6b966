/* Tracing: steps of admission that let somebody in, by the sampler's share; and the waits of
 * visitors who were sampled when they joined, as the relay tells their events. */
#include "tracing.h"

#include <stdlib.h>

#include "waitingroom/log.h"
#include "waitingroom/memory.h"
#include "waitingroom/otlp.h"
#include "waitingroom/tracing_settings.h"

#define QUEUE_SPANS 1024

struct tracing {
	struct trace_sampler sampler;
	struct spans *spans;
	struct otlp *otlp;
};

enum wr_err tracing_start(const struct config *config, const char *program,
						  struct tracing **ret_tracing, struct err_detail *ret_detail)
{
	struct tracing_settings settings;
	enum wr_err err = tracing_settings_read(config, program, &settings, ret_detail);
	*ret_tracing = NULL;
	if (err != WR_OK || !settings.on)
		return err;
	struct tracing *tracing = mem_alloc_zero(1, sizeof(*tracing));
	tracing->sampler = settings.sampler;
	tracing->spans = spans_new(QUEUE_SPANS);
	*ret_tracing = tracing;
	struct otlp_options options = {.url = settings.url,
								   .headers = settings.headers,
								   .resource = settings.resource,
								   .service_name = settings.service_name,
								   .instance = log_instance(),
								   .batch_ms = settings.batch_ms};
	return config_blame(otlp_start(&options, tracing->spans, &tracing->otlp, ret_detail),
						"WR_TRACES_ENDPOINT", ret_detail);
}

void tracing_stop(struct tracing *tracing)
{
	if (tracing == NULL)
		return;
	otlp_stop(tracing->otlp);
	spans_free(tracing->spans);
	free(tracing);
}

void tracing_admitted(struct tracing *tracing, const struct queue_name *queue,
					  struct mono_time sent, const struct admitted *result)
{
	if (tracing == NULL || result->admitted + result->set_aside == 0)
		return;
	struct span span;
	span_init(&span, "admit", SPAN_CLIENT, NULL);
	if (!trace_sampler_takes(&tracing->sampler, NULL, span.context.trace_id))
		return;
	char name[QUEUE_NAME_TEXT_BYTES];
	queue_name_print(queue, name);
	span_note_text(&span, "db.system", "redis");
	span_note_text(&span, "wr.queue", name);
	span_note_number(&span, "wr.admitted", (int64_t)result->admitted);
	span_note_number(&span, "wr.set_aside", (int64_t)result->set_aside);
	span_times(&span, sent);
	spans_put(tracing->spans, &span);
}

struct spans *tracing_spans(struct tracing *tracing)
{
	return tracing != NULL ? tracing->spans : NULL;
}

void tracing_metrics(const struct tracing *tracing, struct metrics_page *page)
{
	struct spans_counts spans = {.dropped = 0};
	struct otlp_counts otlp = {.sent = 0};
	if (tracing != NULL) {
		spans_counts(tracing->spans, &spans);
		otlp_counts(tracing->otlp, &otlp);
	}
	metrics_traces(page, &(struct metrics_trace_counts){
							 .sent = otlp.sent, .dropped = spans.dropped, .refused = otlp.refused});
}
