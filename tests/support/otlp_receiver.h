/* A collector of traces for tests: takes OTLP/HTTP as JSON, strictly, and remembers the spans.
 *
 * Strictly: each member must be one of opentelemetry-proto's message and of its JSON form (hex ids
 * of the right length, enums as numbers, 64-bit integers as strings). What is wrong is remembered,
 * and fails the test in otlp_receiver_check(). A thread serves one connection after the other.
 */
#ifndef SUPPORT_OTLP_RECEIVER_H
#define SUPPORT_OTLP_RECEIVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct received_span {
	char trace_id[33], span_id[17], parent_id[17]; /* parent "": none */
	char linked_span_id[17];
	char name[80], service[64], queue[80], trace_state[257];
	int kind;
	int64_t http_status, start_ns, end_ns;
	bool failed;
};

struct otlp_receiver;
struct otlp_receiver *otlp_receiver_start(void); /* gives; answers 200 */
void otlp_receiver_free(struct otlp_receiver *receiver);
const char *otlp_receiver_url(const struct otlp_receiver *receiver); /* without a path; lends */

/* What is answered from now on. body NULL: "{}". retry_after: seconds, 0: no such header. */
void otlp_receiver_say(struct otlp_receiver *receiver, int status, int retry_after,
					   const char *body);
/* Takes requests and does not answer, until false. */
void otlp_receiver_hang(struct otlp_receiver *receiver, bool hang);

int otlp_receiver_requests(struct otlp_receiver *receiver); /* so far, whatever was answered */
/* Spans of requests that were answered with 200, in the order of their coming; at most 'room'. */
size_t otlp_receiver_spans(struct otlp_receiver *receiver, struct received_span *ret_spans,
						   size_t room);
/* The newest span of this name, perhaps with this parent and of this trace (NULL: any). False:
 * none. */
bool otlp_receiver_find(struct otlp_receiver *receiver, const char *name, const char *parent_id,
						const char *trace_id, struct received_span *ret_span);
/* Fails the test when anything that came was not as it should be. */
void otlp_receiver_check(struct otlp_receiver *receiver);

/* The parser alone: NULL, or what is wrong with this request (static). */
const char *otlp_request_trouble(const char *json, size_t len);

#endif
