/* Spans: the bounded queue between those who tell and the thread that sends.
 *
 * A ring behind a lock, which is held for the copy of one span, or of a batch by the thread that
 * takes. It is woken when a batch is full, not for each span.
 *
 * Shared between threads: all of struct spans but 'room' and 'ring', under 'lock'.
 */
#include "waitingroom/spans.h"

#include "waitingroom/memory.h"
#include "waitingroom/siphash.h"

#include <assert.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

struct spans {
	pthread_mutex_t lock;
	pthread_cond_t enough; /* on the monotonic clock */
	size_t room, first, count, wanted;
	bool stopped;
	struct spans_counts counts;
	struct span *ring;
};

/* ---- one span ---- */

void span_ids_make(uint8_t *ret_id, size_t bytes)
{
	ssize_t got = getrandom(ret_id, bytes, 0);
	assert(got == (ssize_t)bytes);
	ret_id[0] |= 1; /* all zero means none */
}

void span_init(struct span *ret_span, const char *name, enum span_kind kind,
			   const struct trace_context *parent)
{
	*ret_span = (struct span){.kind = kind, .context.sampled = true};
	snprintf(ret_span->name, sizeof(ret_span->name), "%s", name);
	if (parent != NULL) {
		memcpy(ret_span->context.trace_id, parent->trace_id, TRACE_ID_BYTES);
		memcpy(ret_span->parent, parent->span_id, SPAN_ID_BYTES);
	} else {
		span_ids_make(ret_span->context.trace_id, TRACE_ID_BYTES);
	}
	span_ids_make(ret_span->context.span_id, SPAN_ID_BYTES);
}

static struct span_note *add_note(struct span *span, const char *key)
{
	if (span->note_count == SPAN_NOTES_MAX)
		return NULL;
	struct span_note *note = &span->notes[span->note_count++];
	note->key = key;
	return note;
}

void span_note_text(struct span *span, const char *key, const char *text)
{
	struct span_note *note = add_note(span, key);
	if (note == NULL)
		return;
	size_t len = strlen(text);
	len = len < sizeof(note->text) ? len : sizeof(note->text) - 1;
	note->is_text = true;
	*(char *)mempcpy(note->text, text, len) = '\0';
}

void span_note_number(struct span *span, const char *key, int64_t number)
{
	struct span_note *note = add_note(span, key);
	if (note != NULL)
		note->number = number;
}

void span_times(struct span *span, struct mono_time began)
{
	span->end_ns = clock_wall_ns();
	span->start_ns = span->end_ns - (clock_mono().ns - began.ns);
}

bool span_of_stretch(const char *name, const char *traceparent, const struct queue_name *queue,
					 const struct trace_stretch *stretch, struct span *ret_span)
{
	struct trace_context join;
	char queue_text[QUEUE_NAME_TEXT_BYTES];
	char told[SPAN_TEXT_BYTES * 2];
	if (!traceparent_parse(traceparent, strlen(traceparent), &join) || !join.sampled)
		return false;
	span_init(ret_span, name, SPAN_INTERNAL, &join);
	int len = snprintf(told, sizeof(told), "%s %s %lld %lld", name, stretch->position_id,
					   (long long)stretch->from_ms, (long long)stretch->to_ms);
	struct siphash hash = siphash_128(join.trace_id, told, (size_t)len);
	memcpy(ret_span->context.span_id, &hash.low, SPAN_ID_BYTES);
	ret_span->context.span_id[0] |= 1; /* all zero means none */
	queue_name_print(queue, queue_text);
	span_note_text(ret_span, "wr.queue", queue_text);
	span_note_text(ret_span, "wr.position_id", stretch->position_id);
	span_note_text(ret_span, "wr.lane", stretch->lane);
	span_note_number(ret_span, "wr.ticket", (int64_t)stretch->ticket);
	int64_t to_ms = stretch->to_ms > stretch->from_ms ? stretch->to_ms : stretch->from_ms;
	ret_span->start_ns = stretch->from_ms * 1000000;
	ret_span->end_ns = to_ms * 1000000;
	return true;
}

/* ---- the queue ---- */

struct spans *spans_new(size_t room)
{
	struct spans *spans = mem_alloc_zero(1, sizeof(*spans));
	pthread_condattr_t monotonic;
	pthread_condattr_init(&monotonic);
	pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
	pthread_cond_init(&spans->enough, &monotonic);
	pthread_condattr_destroy(&monotonic);
	pthread_mutex_init(&spans->lock, NULL);
	spans->room = room;
	spans->ring = mem_alloc_zero(room, sizeof(*spans->ring));
	return spans;
}

void spans_free(struct spans *spans)
{
	if (spans == NULL)
		return;
	pthread_cond_destroy(&spans->enough);
	pthread_mutex_destroy(&spans->lock);
	free(spans->ring);
	free(spans);
}

void spans_put(struct spans *spans, const struct span *span)
{
	pthread_mutex_lock(&spans->lock);
	spans->counts.put++;
	if (spans->count < spans->room) {
		spans->ring[(spans->first + spans->count++) % spans->room] = *span;
		if (spans->count == spans->wanted)
			pthread_cond_signal(&spans->enough);
	} else {
		spans->counts.dropped++;
	}
	pthread_mutex_unlock(&spans->lock);
}

void spans_put_wait(void *ctx, const struct queue_name *queue, const char *traceparent,
					const struct trace_stretch *wait)
{
	struct span span;
	if (span_of_stretch("admitted", traceparent, queue, wait, &span))
		spans_put(ctx, &span);
}

static struct timespec deadline_in(int64_t ms)
{
	int64_t ns = mono_add_ms(clock_mono(), ms).ns;
	return (struct timespec){.tv_sec = ns / 1000000000, .tv_nsec = ns % 1000000000};
}

size_t spans_take(struct spans *spans, struct span *ret_spans, size_t max, int64_t max_ms)
{
	struct timespec until = deadline_in(max_ms);
	size_t taken = 0;
	pthread_mutex_lock(&spans->lock);
	spans->wanted = max < spans->room ? max : spans->room;
	for (int late = 0; spans->count < spans->wanted && !spans->stopped && late == 0;)
		late = pthread_cond_timedwait(&spans->enough, &spans->lock, &until);
	for (; taken < max && spans->count > 0; spans->count--) {
		ret_spans[taken++] = spans->ring[spans->first];
		spans->first = (spans->first + 1) % spans->room;
	}
	pthread_mutex_unlock(&spans->lock);
	return taken;
}

void spans_stop(struct spans *spans)
{
	pthread_mutex_lock(&spans->lock);
	spans->stopped = true;
	pthread_cond_signal(&spans->enough);
	pthread_mutex_unlock(&spans->lock);
}

void spans_counts(struct spans *spans, struct spans_counts *ret_counts)
{
	pthread_mutex_lock(&spans->lock);
	*ret_counts = spans->counts;
	pthread_mutex_unlock(&spans->lock);
}
