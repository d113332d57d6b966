/* Tracing: one trace per visitor who was sampled when they joined.
 *
 *     POST /enqueue  ──► store enqueue
 *          ├── admitted    from joining to being let in
 *          └── claimed     from being let in to taking up the turn; linked with the poll that did it
 *
 * The join's traceparent lies with the place (field 'tp', only of those who were sampled). Being
 * let in is told by whoever relays the event of it, a pod or an admitter, so also of those who
 * never come; taking up the turn by the pod that is asked, which gets the traceparent with its
 * answer.
 *
 * Every other request is a span of its own trace, or of its caller's, with the steps of the store
 * below.
 */
#include "tracing.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "waitingroom/log.h"
#include "waitingroom/memory.h"
#include "waitingroom/otlp.h"
#include "worker.h"

#define QUEUE_SPANS 2048 /* four batches */
#define PAPER "t:"

enum wr_err tracing_start(struct app *app, struct err_detail *ret_detail)
{
	struct tracing_settings settings;
	enum wr_err err = tracing_settings_read(&app->config, "waitingroom-api", &settings, ret_detail);
	if (err != WR_OK || !settings.on)
		return err;
	app->spans = spans_new(QUEUE_SPANS);
	app->exemplars = exemplars_new();
	app->tracing = (struct http_tracing){.sampler = settings.sampler,
										 .per_s = (uint32_t)app->config.traces_per_s};
	struct otlp_options options = {.url = settings.url,
								   .headers = settings.headers,
								   .resource = settings.resource,
								   .service_name = settings.service_name,
								   .instance = log_instance(),
								   .batch_ms = settings.batch_ms};
	return config_blame(otlp_start(&options, app->spans, &app->otlp, ret_detail),
						"WR_TRACES_ENDPOINT", ret_detail);
}

void tracing_stop(struct app *app)
{
	otlp_stop(WR_TAKE(app->otlp));
	spans_free(WR_TAKE(app->spans));
	exemplars_free(WR_TAKE(app->exemplars));
}

const struct http_tracing *tracing_of(const struct app *app)
{
	return app->spans != NULL ? &app->tracing : NULL;
}

/* ---- requests ---- */

void tracing_request(struct app *app, const struct chain *chain, const struct http_request *request,
					 int status, const char *queue)
{
	const struct http_trace *trace = http_request_trace(request);
	const char *method = http_method_word(http_request_method(request)),
			   *route = chain_route_of(chain, request);
	struct span span;
	char name[SPAN_NAME_BYTES];
	snprintf(name, sizeof(name), "%s%s%s", method, route != NULL ? " " : "",
			 route != NULL ? route : "");
	span_init(&span, name, SPAN_SERVER, &trace->context);
	span.context = trace->context; /* others have named it as their parent */
	memcpy(span.parent, trace->parent, sizeof(span.parent));
	memcpy(span.tracestate, trace->tracestate, sizeof(span.tracestate));
	span_note_text(&span, "http.request.method", method);
	if (route != NULL)
		span_note_text(&span, "http.route", route);
	span_note_number(&span, "http.response.status_code", status);
	span_note_text(&span, "wr.request_id", http_request_id(request));
	if (queue != NULL)
		span_note_text(&span, "wr.queue", queue);
	span.failed = status >= 500;
	span_times(&span, http_request_started(request));
	spans_put(app->spans, &span);
}

void tracing_step(struct app *app, const struct http_request *request, const char *step,
				  struct mono_time sent, size_t people)
{
	struct span span;
	span_init(&span, step, SPAN_CLIENT, &http_request_trace(request)->context);
	span_note_text(&span, "db.system", "redis");
	span_note_number(&span, "wr.people", (int64_t)people);
	span_times(&span, sent);
	spans_put(app->spans, &span);
}

/* ---- a visitor's way ---- */

void tracing_note_place(struct http_request *request)
{
	struct parked *notes = http_request_notes(request);
	const char *papers = notes->joining.papers != NULL ? notes->joining.papers : "";
	size_t room = strlen(papers) + strlen(PAPER) + TRACEPARENT_CHARS + 2;
	char *with = mem_alloc_zero(1, room), parent[TRACEPARENT_CHARS + 1];
	traceparent_print(&http_request_trace(request)->context, parent);
	snprintf(with, room, "%s%s%s%s", papers, papers[0] != '\0' ? " " : "", PAPER, parent);
	free(notes->joining.papers);
	notes->joining.papers = with;
}

void tracing_turn(struct app *app, const struct http_request *request, const struct visit *visit,
				  int64_t now_ms)
{
	const struct parked *notes = http_request_notes((struct http_request *)request);
	struct span span;
	struct trace_stretch turn = {
		.ticket = notes->claims.ticket, .from_ms = visit->admitted_ms, .to_ms = now_ms};
	strcpy(turn.position_id, notes->claims.position_id);
	strcpy(turn.lane, notes->claims.lane);
	if (!span_of_stretch("claimed", visit->traceparent, &notes->claims.queue, &turn, &span))
		return;
	if (http_request_trace(request) != NULL)
		span.link = http_request_trace(request)->context;
	spans_put(app->spans, &span);
}
