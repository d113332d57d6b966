/* Traces: what a collector is told of visitors, of requests and of admission, and what happens when
 * it does not listen.
 *
 * The collector is a strict one of our own (support/otlp_receiver.h). Everything is sampled unless
 * a test says otherwise.
 */
#include "support/api.h"
#include "support/cmocka.h"
#include "support/event_stream.h"
#include "support/fake_provider.h"
#include "support/otlp_receiver.h"
#include "support/process.h"
#include "support/wait.h"
#include "waitingroom/memory.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TRACE "4bf92f3577b34da6a3ce929d0e0e4736"
#define CALLER "00f067aa0ba902b7"
#define ENQUEUE_HEADERS "Content-Type: application/json\r\n"
#define SAMPLED                                                                                    \
	ENQUEUE_HEADERS "traceparent: 00-" TRACE "-" CALLER "-01\r\ntracestate: congo=t61\r\n"
#define NOT_SAMPLED ENQUEUE_HEADERS "traceparent: 00-" TRACE "-" CALLER "-00\r\n"
#define SPANS_SOON_MS 15000
#define HESITATES_MS 150
#define CLOCK_NS 1000000 /* between two clocks that are read one after the other */

static struct otlp_receiver *receiver;
static struct fake_provider *provider;
static char endpoint[96], turnstile[96];

static int open_receiver(void **state)
{
	(void)state;
	receiver = otlp_receiver_start();
	provider = fake_provider_start();
	snprintf(endpoint, sizeof(endpoint), "WR_TRACES_ENDPOINT=%s", otlp_receiver_url(receiver));
	snprintf(turnstile, sizeof(turnstile), "WR_TURNSTILE_URL=%s", fake_provider_url(provider));
	setenv("OTEL_BSP_SCHEDULE_DELAY", "200", 1); /* instead of five seconds */
	return 0;
}

static int close_receiver(void **state)
{
	(void)state;
	otlp_receiver_free(receiver);
	fake_provider_free(provider);
	return 0;
}

#define CAPTCHA                                                                                    \
	HELD ",\"challenge\":\"turnstile\",\"captcha_site_key\":\"public\","                           \
		 "\"captcha_secret\":\"good-secret\",\"challenge_bits_min\":2,\"challenge_bits_max\":4,"   \
		 "\"challenge_puzzles\":3"

static struct stack *stack_with(const char *ratio)
{
	return stack_start(&(struct stack_options){
		.pods = 1,
		.admitters = 1,
		.admin_keys = API_ADMIN_KEYS_FILE,
		.queues = QUEUES(
			QUEUE("demo", "\"state\":\"hold\",\"capacity\":100") "," QUEUE("captcha", CAPTCHA)),
		.env = (const char *const[]){NO_RATE_LIMITS, "WR_TRACES=on", endpoint, turnstile, ratio,
									 "WR_WORKERS=1", "WR_TRACES_PER_S=100000", "no_proxy=127.0.0.1",
									 NULL}});
}

static struct received_span await_span(const char *name, const char *parent, const char *trace)
{
	struct received_span span;
	WAIT_UNTIL(SPANS_SOON_MS, otlp_receiver_find(receiver, name, parent, trace, &span), name);
	return span;
}

static struct http_answer *join(const char *url, const char *headers)
{
	return http_call(url, "POST", "/enqueue", headers, "{\"queue_id\":\"demo\"}");
}

/* ---- a visitor's way ---- */

/* claimed_times: 0 for somebody who never comes */
static void expect_events(struct stack *stack, const char *traceparent, size_t claimed_times)
{
	struct event_stream *stream = event_stream_open(nats_url(stack->nats));
	size_t enqueued = 0, admitted = 0, claimed = 0;
	WAIT_UNTIL(10000, ({
				   event_stream_read(stream);
				   for (size_t i = enqueued = admitted = claimed = 0; i < stream->count; i++) {
					   const struct stored_event *event = &stream->events[i];
					   if (strcmp(event->traceparent, traceparent) != 0)
						   continue;
					   assert_non_null(strstr(event->body, traceparent));
					   enqueued += strstr(event->subject, ".enqueued") != NULL;
					   admitted += strstr(event->subject, ".admitted") != NULL;
					   claimed += strstr(event->subject, ".claimed") != NULL;
				   }
				   enqueued == 1 && admitted == 1 && claimed == claimed_times;
			   }),
			   "the events of the visitor");
	event_stream_close(stream);
}

static void one_trace_leads_from_the_join_to_the_session(void **state)
{
	(void)state;
	struct stack *stack = stack_with("WR_TRACES_RATIO=0");
	const char *url = stack_url(stack, 0);
	WR_AUTO(http_answer_free_at) struct http_answer *joined = join(url, SAMPLED);
	api_expect_status(joined, 201);
	WR_AUTO(mem_free_at) char *token = http_answer_text(joined, "token");
	struct received_span enqueue = await_span("POST /enqueue", CALLER, TRACE);
	assert_int_equal(enqueue.kind, 2);
	assert_int_equal(enqueue.http_status, 201);
	assert_string_equal(enqueue.queue, "default/demo");
	assert_string_equal(enqueue.service, "waitingroom-api");
	assert_string_equal(enqueue.trace_state, "congo=t61");
	struct received_span step = await_span("store enqueue", enqueue.span_id, TRACE);
	assert_int_equal(step.kind, 3);
	assert_true(step.start_ns >= enqueue.start_ns - CLOCK_NS &&
				step.end_ns <= enqueue.end_ns + CLOCK_NS);

	api_await_position(stack, 0, token);
	WR_AUTO(http_answer_free_at)
	struct http_answer *beat = api_poll(url, "/heartbeat", token); /* not of the trace */
	api_expect_place(beat, "waiting");
	WAIT_UNTIL(10000, api_store_number(stack, "ZCOUNT wr:{default/demo}:heartbeats 0 +inf") == 1,
			   "the visitor to be there");
	api_admit(stack, "default/demo", 1);
	struct mono_time let_in = clock_mono();
	WAIT_UNTIL(5000, mono_diff_ms(let_in, clock_mono()) >= HESITATES_MS, "the visitor to hesitate");
	WR_AUTO(mem_free_at) char *headers = NULL;
	if (asprintf(&headers,
				 "Authorization: Bearer %s\r\n"
				 "traceparent: 00-aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa-bbbbbbbbbbbbbbbb-01\r\n",
				 token) < 0)
		abort();
	WAIT_UNTIL(10000, ({
				   WR_AUTO(http_answer_free_at)
				   struct http_answer *poll = http_call(url, "POST", "/heartbeat", headers, NULL);
				   strstr(poll->body, "\"admitted\"") != NULL;
			   }),
			   "the turn");
	struct received_span admitted = await_span("admitted", enqueue.span_id, TRACE);
	struct received_span claimed = await_span("claimed", enqueue.span_id, TRACE);
	assert_true(admitted.start_ns / 1000000 >= enqueue.start_ns / 1000000 - 1000);
	assert_true(admitted.end_ns == claimed.start_ns && claimed.end_ns > admitted.start_ns);
	assert_true(claimed.end_ns - claimed.start_ns >= HESITATES_MS * INT64_C(1000000));
	assert_string_equal(claimed.queue, "default/demo");
	struct received_span poll;
	WAIT_UNTIL(SPANS_SOON_MS,
			   otlp_receiver_find(receiver, "POST /heartbeat", "bbbbbbbbbbbbbbbb", NULL, &poll) &&
				   poll.http_status == 200,
			   "the poll");
	assert_int_equal(strlen(claimed.linked_span_id), 16);
	char traceparent[80];
	snprintf(traceparent, sizeof(traceparent), "00-%s-%s-01", TRACE, enqueue.span_id);
	expect_events(stack, traceparent, 1);
	stack_free(stack);
	otlp_receiver_check(receiver);
}

static size_t spans_named(const char *name, const char *trace)
{
	static struct received_span spans[4096];
	size_t count = otlp_receiver_spans(receiver, spans, COUNT(spans)), found = 0;
	for (size_t i = 0; i < count; i++)
		found += strcmp(spans[i].name, name) == 0 && strcmp(spans[i].trace_id, trace) == 0;
	return found;
}

/* Somebody who joins, is heard, is let in, and never comes. gives the join's answer */
static struct http_answer *be_let_in_and_stay_away(struct stack *stack, const char *headers,
												   int64_t heard)
{
	const char *url = stack_url(stack, 0);
	struct http_answer *joined = join(url, headers);
	api_expect_status(joined, 201);
	WR_AUTO(mem_free_at) char *token = http_answer_text(joined, "token");
	api_await_position(stack, 0, token);
	WR_AUTO(http_answer_free_at) struct http_answer *beat = api_poll(url, "/heartbeat", token);
	api_expect_place(beat, "waiting");
	WAIT_UNTIL(10000,
			   api_store_number(stack, "ZCOUNT wr:{default/demo}:heartbeats 0 +inf") == heard,
			   "the visitor to be there");
	api_admit(stack, "default/demo", 1);
	return joined;
}

static void who_never_comes_has_waited_too(void **state)
{
	(void)state;
	static const char trace[] = "5cf92f3577b34da6a3ce929d0e0e4736";
	struct stack *stack = stack_with("WR_TRACES_RATIO=0");
	WR_AUTO(http_answer_free_at)
	struct http_answer *traced = be_let_in_and_stay_away(
		stack, ENQUEUE_HEADERS "traceparent: 00-5cf92f3577b34da6a3ce929d0e0e4736-" CALLER "-01\r\n",
		1);
	struct received_span enqueue = await_span("POST /enqueue", CALLER, trace);
	struct received_span waited = await_span("admitted", enqueue.span_id, trace);
	assert_int_equal(waited.kind, 1);
	assert_string_equal(waited.queue, "default/demo");
	assert_true(waited.start_ns / 1000000 >= enqueue.start_ns / 1000000 - 1000);
	assert_true(waited.end_ns > waited.start_ns);
	char traceparent[80];
	snprintf(traceparent, sizeof(traceparent), "00-%s-%s-01", trace, enqueue.span_id);
	expect_events(stack, traceparent, 0);
	assert_int_equal(spans_named("admitted", trace), 1);
	assert_int_equal(spans_named("claimed", trace), 0);
	stack_free(stack);
	otlp_receiver_check(receiver);
}

static void who_is_not_sampled_leaves_nothing_anywhere(void **state)
{
	(void)state;
	static struct received_span spans[1024];
	size_t before = otlp_receiver_spans(receiver, spans, COUNT(spans));
	assert_in_range(before, 1, COUNT(spans) - 1);
	struct stack *stack = stack_with("WR_TRACES_RATIO=0");
	const char *url = stack_url(stack, 0);
	WR_AUTO(http_answer_free_at)
	struct http_answer *of_caller = be_let_in_and_stay_away(stack, NOT_SAMPLED, 1);
	WR_AUTO(http_answer_free_at) struct http_answer *of_nobody = join(url, ENQUEUE_HEADERS);
	WR_AUTO(mem_free_at) char *id = http_answer_text(of_caller, "position_id");
	api_expect_status(of_nobody, 201);
	assert_int_equal(api_store_number(stack, "HEXISTS wr:{default/demo}:position:%s tp", id), 0);
	stack_free(stack); /* sends what is there */
	assert_int_equal(otlp_receiver_spans(receiver, spans, COUNT(spans)), before);
	otlp_receiver_check(receiver);
}

/* ---- everything else ---- */

static void every_kind_of_request_is_a_span_of_its_route(void **state)
{
	(void)state;
	struct stack *stack = stack_with("WR_TRACES_RATIO=1");
	const char *url = stack_url(stack, 0);
	WR_AUTO(http_answer_free_at) struct http_answer *joined = join(url, ENQUEUE_HEADERS);
	WR_AUTO(mem_free_at) char *token = http_answer_text(joined, "token");
	static const char *const paths[][2] = {{"GET", "/status"},
										   {"GET", "/nowhere/at/all"},
										   {"GET", "/q/default/demo"},
										   {"GET", "/authz/nginx"},
										   {"POST", "/leave"}};
	WR_AUTO(mem_free_at) char *bearer = NULL;
	if (asprintf(&bearer, "Authorization: Bearer %s\r\n", token) < 0)
		abort();
	for (size_t i = 0; i < COUNT(paths); i++) {
		WR_AUTO(http_answer_free_at)
		struct http_answer *answer = http_call(url, paths[i][0], paths[i][1], bearer, NULL);
		assert_true(answer->status > 0);
	}
	WR_AUTO(http_answer_free_at)
	struct http_answer *admin = api_admin(stack, 0, "GET", "/default/demo", NULL);
	api_expect_status(admin, 200);
	static const char *const names[] = {"POST /enqueue",
										"GET /status",
										"GET", /* no route: no name that a stranger has chosen */
										"GET /q/{}/{}",
										"GET /authz/nginx",
										"POST /leave",
										"store leave",
										"GET /admin/v1/queues/{}/{}"};
	for (size_t i = 0; i < COUNT(names); i++)
		await_span(names[i], NULL, NULL);
	WR_AUTO(http_answer_free_at) struct http_answer *second = join(url, ENQUEUE_HEADERS);
	WR_AUTO(mem_free_at) char *its_token = http_answer_text(second, "token");
	WR_AUTO(http_answer_free_at) struct http_answer *beat = api_poll(url, "/heartbeat", its_token);
	api_expect_status(beat, 200);
	WAIT_UNTIL(10000, api_store_number(stack, "ZCOUNT wr:{default/demo}:heartbeats 0 +inf") == 1,
			   "the visitor to be there");
	WR_AUTO(http_answer_free_at)
	struct http_answer *opened = api_admin(stack, 0, "POST", "/default/demo/resume", "{}");
	assert_in_range(opened->status, 200, 204);
	struct received_span step = await_span("admit", "", NULL);
	assert_string_equal(step.service, "waitingroom-admitter");
	assert_string_equal(step.queue, "default/demo");
	stack_free(stack);
	otlp_receiver_check(receiver);
}

static void a_captcha_provider_is_asked_within_the_trace(void **state)
{
	(void)state;
	struct stack *stack = stack_with("WR_TRACES_RATIO=0");
	WR_AUTO(http_answer_free_at)
	struct http_answer *challenge =
		http_call(stack_url(stack, 0), "GET", "/challenge?queue=captcha", NULL, NULL);
	WR_AUTO(mem_free_at) char *text = http_answer_text(challenge, "challenge");
	WR_AUTO(mem_free_at) char *body = NULL;
	if (asprintf(&body, "{\"queue_id\":\"captcha\",\"challenge\":\"%s\",\"captcha\":\"human\"}",
				 text) < 0)
		abort();
	WR_AUTO(http_answer_free_at)
	struct http_answer *joined = http_call(stack_url(stack, 0), "POST", "/enqueue", SAMPLED, body);
	api_expect_status(joined, 201);
	WR_AUTO(mem_free_at) char *asked = fake_provider_last(provider);
	assert_non_null(strstr(asked, "\r\ntraceparent: 00-" TRACE "-"));
	assert_null(strstr(asked, CALLER)); /* the join's own span is the provider's parent */
	stack_free(stack);
}

/* ---- a collector in trouble ---- */

static double spans_of(struct stack *stack, const char *result)
{
	char name[80];
	snprintf(name, sizeof(name), "wr_trace_spans_total{result=\"%s\"}", result);
	return stack_metric(stack_internal_url(stack, 0), name);
}

static void poll_often(const char *url, int times)
{
	struct http_client *client = http_client_open(url);
	for (int i = 0; i < times; i++) {
		struct mono_time began = clock_mono();
		http_client_send(client, "GET", "/queues/default/demo", NULL, NULL);
		WR_AUTO(http_answer_free_at) struct http_answer *answer = http_client_read(client, 5000);
		api_expect_status(answer, 200);
		assert_true(mono_diff_ms(began, clock_mono()) < 2000);
	}
	http_client_close(client);
}

static void a_collector_that_hangs_costs_spans_and_no_request(void **state)
{
	(void)state;
	otlp_receiver_hang(receiver, true);
	struct stack *stack = stack_start(&(struct stack_options){
		.pods = 1,
		.without_nats = true,
		.queues = QUEUES(QUEUE("demo", HELD)),
		.env = (const char *const[]){NO_RATE_LIMITS, "WR_TRACES=on", endpoint, "WR_WORKERS=1",
									 "WR_TRACES_RATIO=1", "WR_TRACES_PER_S=100000", NULL}});
	poll_often(stack_url(stack, 0), 6000);
	WAIT_UNTIL(10000, spans_of(stack, "dropped") > 1000, "spans to be dropped");
	WAIT_UNTIL(5000,
			   process_log_has(stack_pod(stack, 0), "\"traces_held\"") ||
				   spans_of(stack, "sent") == 0,
			   "that it is said, or nothing to be sent");
	otlp_receiver_hang(receiver, false);
	WAIT_UNTIL(20000, spans_of(stack, "sent") > 0, "spans to be sent again");
	stack_free(stack);
	otlp_receiver_check(receiver);
}

static void only_what_may_work_later_is_offered_again(void **state)
{
	(void)state;
	struct stack *stack = stack_with("WR_TRACES_RATIO=1");
	int before = otlp_receiver_requests(receiver);
	otlp_receiver_say(receiver, 400, 0, NULL);
	poll_often(stack_url(stack, 0), 3);
	WAIT_UNTIL(15000, spans_of(stack, "refused") >= 3, "spans to be refused");
	WAIT_UNTIL(5000, process_log_has(stack_pod(stack, 0), "\"traces_held\""), "that it is said");
	int after = otlp_receiver_requests(receiver);
	assert_true(after > before);

	otlp_receiver_say(receiver, 503, 1, NULL);
	double refused = spans_of(stack, "refused");
	poll_often(stack_url(stack, 0), 3);
	WAIT_UNTIL(15000, otlp_receiver_requests(receiver) >= after + 2, "a second try");
	double sent = spans_of(stack, "sent");
	otlp_receiver_say(receiver, 200, 0,
					  "{\"partialSuccess\":{\"rejectedSpans\":\"1\",\"errorMessage\":\"no\"}}");
	WAIT_UNTIL(15000, spans_of(stack, "sent") > sent, "spans to be taken");
	assert_true(spans_of(stack, "refused") >= refused + 1); /* the one that was left out */
	WAIT_UNTIL(5000, process_log_has(stack_pod(stack, 0), "\"traces_flow\""), "the end of it");
	otlp_receiver_say(receiver, 200, 0, NULL);
	stack_free(stack);
	otlp_receiver_check(receiver);
}

/* ---- settings ---- */

static int threads_of(struct process *process)
{
	char path[64];
	int count = 0;
	snprintf(path, sizeof(path), "/proc/%d/task", (int)process_pid(process));
	DIR *directory = opendir(path);
	assert_non_null(directory);
	for (const struct dirent *entry; (entry = readdir(directory)) != NULL;)
		count += entry->d_name[0] != '.';
	closedir(directory);
	return count;
}

static int threads_with(const char *traces)
{
	struct stack *stack = stack_start(&(struct stack_options){
		.pods = 1,
		.without_nats = true,
		.queues = QUEUES(QUEUE("demo", HELD)),
		.env = (const char *const[]){"WR_WORKERS=1", "WR_RELAY=0", traces, NULL}});
	WR_AUTO(http_answer_free_at) struct http_answer *joined = join(stack_url(stack, 0), SAMPLED);
	WR_AUTO(mem_free_at) char *id = http_answer_text(joined, "position_id");
	bool is_kept = api_store_number(stack, "HEXISTS wr:{default/demo}:position:%s tp", id) == 1;
	assert_int_equal(is_kept, strcmp(traces, "WR_TRACES=on") == 0);
	int threads = threads_of(stack_pod(stack, 0));
	stack_free(stack);
	return threads;
}

static void without_being_asked_there_is_no_thread_and_no_trace(void **state)
{
	(void)state;
	setenv("OTEL_EXPORTER_OTLP_ENDPOINT", otlp_receiver_url(receiver), 1);
	int off = threads_with("WR_TRACES=off");
	assert_int_equal(threads_with("WR_TRACES=on"), off + 1);
	setenv("OTEL_SDK_DISABLED", "true", 1);
	struct stack *stack = stack_start(&(struct stack_options){
		.pods = 1,
		.without_nats = true,
		.queues = QUEUES(QUEUE("demo", HELD)),
		.env = (const char *const[]){"WR_WORKERS=1", "WR_RELAY=0", "WR_TRACES=on", NULL}});
	assert_int_equal(threads_of(stack_pod(stack, 0)), off);
	stack_free(stack);
	unsetenv("OTEL_SDK_DISABLED");
	unsetenv("OTEL_EXPORTER_OTLP_ENDPOINT");
}

static void the_names_of_opentelemetry_are_honoured(void **state)
{
	(void)state;
	char url[128];
	snprintf(url, sizeof(url), "%s/v1/traces", otlp_receiver_url(receiver));
	setenv("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", url, 1);
	setenv("OTEL_SERVICE_NAME", "the-room", 1);
	setenv("OTEL_TRACES_SAMPLER", "always_on", 1);
	setenv("OTEL_RESOURCE_ATTRIBUTES", "deployment.environment=test%20bed,service.name=no", 1);
	struct stack *stack = stack_start(&(struct stack_options){
		.pods = 1,
		.without_nats = true,
		.queues = QUEUES(QUEUE("demo", HELD)),
		.env = (const char *const[]){"WR_WORKERS=1", "WR_RELAY=0", "WR_TRACES=on", NULL}});
	poll_often(stack_url(stack, 0), 1);
	stack_free(stack); /* sends what is there */
	struct received_span span = await_span("GET /queues/{}/{}", NULL, NULL);
	assert_string_equal(span.service, "the-room");
	unsetenv("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT");
	unsetenv("OTEL_SERVICE_NAME");
	unsetenv("OTEL_TRACES_SAMPLER");
	unsetenv("OTEL_RESOURCE_ATTRIBUTES");
	otlp_receiver_check(receiver);
}

static void the_collector_of_these_tests_is_strict(void **state)
{
	(void)state;
#define ONE(span) "{\"resourceSpans\":[{\"resource\":{},\"scopeSpans\":[{\"spans\":[" span "]}]}]}"
#define IDS "\"traceId\":\"" TRACE "\",\"spanId\":\"" CALLER "\""
#define REST "\"name\":\"x\",\"kind\":2,\"startTimeUnixNano\":\"1\",\"endTimeUnixNano\":\"2\""
	static const char good[] = ONE("{" IDS "," REST "}");
	if (otlp_request_trouble(good, strlen(good)) != NULL)
		fail_msg("%s", otlp_request_trouble(good, strlen(good)));
	static const char *const wrong[] = {
		"",
		"{}",
		ONE("{" IDS "," REST "}") "x",
		ONE("{" IDS "," REST ",\"trace_id\":\"\"}"),
		ONE("{" IDS ",\"name\":\"x\",\"kind\":\"SPAN_KIND_SERVER\",\"startTimeUnixNano\":\"1\","
			"\"endTimeUnixNano\":\"2\"}"),
		ONE("{" IDS
			",\"name\":\"x\",\"kind\":2,\"startTimeUnixNano\":1,\"endTimeUnixNano\":\"2\"}"),
		ONE("{\"traceId\":\"S/kvNXezTaajzpKdDg5HNg==\",\"spanId\":\"" CALLER "\"," REST "}"),
		ONE("{\"traceId\":\"" TRACE "\",\"spanId\":\"0000000000000000\"," REST "}"),
		ONE("{\"traceId\":\"" TRACE "\"," REST "}"),
		ONE("{" IDS "," REST ",\"attributes\":[{\"key\":\"k\",\"value\":{\"intValue\":1}}]}"),
		ONE("{" IDS "," REST ",\"attributes\":[{\"key\":\"k\",\"value\":{}}]}"),
		ONE("{" IDS "," REST ",\"kind\":3}"),
		ONE("{" IDS "," REST ",\"status\":{\"code\":\"STATUS_CODE_ERROR\"}}"),
	};
	for (size_t i = 0; i < COUNT(wrong); i++)
		if (otlp_request_trouble(wrong[i], strlen(wrong[i])) == NULL)
			fail_msg("taken: %s", wrong[i]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_collector_of_these_tests_is_strict),
		cmocka_unit_test(one_trace_leads_from_the_join_to_the_session),
		cmocka_unit_test(who_never_comes_has_waited_too),
		cmocka_unit_test(who_is_not_sampled_leaves_nothing_anywhere),
		cmocka_unit_test(every_kind_of_request_is_a_span_of_its_route),
		cmocka_unit_test(a_captcha_provider_is_asked_within_the_trace),
		cmocka_unit_test(a_collector_that_hangs_costs_spans_and_no_request),
		cmocka_unit_test(only_what_may_work_later_is_offered_again),
		cmocka_unit_test(without_being_asked_there_is_no_thread_and_no_trace),
		cmocka_unit_test(the_names_of_opentelemetry_are_honoured),
	};
	return cmocka_run_group_tests(tests, open_receiver, close_receiver);
}
