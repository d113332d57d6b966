/* Spans: what took how long within a trace, on its way to whoever collects traces.
 *
 * Whoever has something to tell fills a struct span and puts it into the queue; a thread takes them
 * out in batches and sends them (otlp.h). The queue is bounded: when nobody takes, spans are
 * dropped and counted, and nobody waits.
 *
 * What     Ids, the span, the queue. Only what is sampled gets here, so nothing of it is on a hot path.
 * Used by  cmd/api, cmd/admitter.
 * Threads  any thread may put; one takes.
 */
#ifndef WAITINGROOM_SPANS_H
#define WAITINGROOM_SPANS_H

#include "waitingroom/clock.h"
#include "waitingroom/trace.h"

/* As OTLP numbers them. */
enum span_kind { SPAN_INTERNAL = 1, SPAN_SERVER = 2, SPAN_CLIENT = 3 };

#define SPAN_NAME_BYTES 64
#define SPAN_TEXT_BYTES 72
#define SPAN_NOTES_MAX 8

struct span_note {	 /* an attribute */
	const char *key; /* static */
	bool is_text;
	int64_t number;
	char text[SPAN_TEXT_BYTES];
};

struct span {
	struct trace_context context;  /* its trace, its own id */
	uint8_t parent[SPAN_ID_BYTES]; /* zero: it has none */
	struct trace_context link;	   /* another span that it belongs with; zero: none */
	enum span_kind kind;
	bool failed;			  /* by a fault of ours */
	int64_t start_ns, end_ns; /* since 1970 */
	char name[SPAN_NAME_BYTES];
	char tracestate[TRACESTATE_MAX_BYTES + 1];
	size_t note_count;
	struct span_note notes[SPAN_NOTES_MAX];
};

/* An id from the kernel's randomness, not zero. */
void span_ids_make(uint8_t *ret_id, size_t bytes);
/* fills: a span of this name and kind with an id of its own. parent NULL: a trace begins. */
void span_init(struct span *ret_span, const char *name, enum span_kind kind,
			   const struct trace_context *parent);
/* Notes beyond SPAN_NOTES_MAX are left out, texts are cut. key: static */
void span_note_text(struct span *span, const char *key, const char *text);
void span_note_number(struct span *span, const char *key, int64_t number);
/* It began at 'began' and ends now. */
void span_times(struct span *span, struct mono_time began);

/* name         "admitted": the stretch ends when they were let in
 * traceparent  of the join. False: it is none, or not sampled.
 * The span's id is made from what it tells: told again, also by another process, it is the same
 * span. */
bool span_of_stretch(const char *name, const char *traceparent, const struct queue_name *queue,
					 const struct trace_stretch *stretch, struct span *ret_span);

/* ---- the queue ---- */
struct spans;
struct spans *spans_new(size_t room); /* gives */
void spans_free(struct spans *spans); /* nobody puts any more; NULL is fine */
void spans_put(struct spans *spans, const struct span *span);
/* Somebody was let in: puts the wait, in the trace of the join. A relay_wait_fn; ctx is the queue
 * of spans. */
void spans_put_wait(void *ctx, const struct queue_name *queue, const char *traceparent,
					const struct trace_stretch *wait);
/* Waits until there are 'max' spans, max_ms have passed or spans_stop was called; takes what is
 * there, which may be nothing. */
size_t spans_take(struct spans *spans, struct span *ret_spans, size_t max, int64_t max_ms);
void spans_stop(struct spans *spans); /* from now on spans_take does not wait */

struct spans_counts {
	uint64_t put, dropped; /* dropped: of those that were put */
};
void spans_counts(struct spans *spans, struct spans_counts *ret_counts);

#endif
