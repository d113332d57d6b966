/* From a bar of a histogram to a trace: exemplars, as a real Prometheus takes them. */
#include "support/api.h"
#include "support/cmocka.h"
#include "support/otlp_receiver.h"
#include "support/process.h"
#include "support/temp.h"
#include "support/wait.h"
#include "waitingroom/memory.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define TRACE "0af7651916cd43dd8448eb211c80319c"
#define OPENMETRICS "Accept: application/openmetrics-text;version=1.0.0;q=0.8,text/plain;q=0.5\r\n"
#define FAMILY "wr_http_request_duration_seconds_bucket"

static struct otlp_receiver *receiver;

static struct stack *traced_stack(const char *traces)
{
	static char endpoint[96];
	snprintf(endpoint, sizeof(endpoint), "WR_TRACES_ENDPOINT=%s", otlp_receiver_url(receiver));
	return stack_start(&(struct stack_options){
		.pods = 1,
		.without_nats = true,
		.queues = QUEUES(QUEUE("demo", HELD)),
		.env = (const char *const[]){NO_RATE_LIMITS, "WR_WORKERS=1", "WR_RELAY=0", traces,
									 "WR_TRACES_RATIO=0", endpoint, NULL}});
}

static int open_receiver(void **state)
{
	(void)state;
	receiver = otlp_receiver_start();
	return 0;
}

static int close_receiver(void **state)
{
	(void)state;
	otlp_receiver_free(receiver);
	return 0;
}

static void ask(const struct stack *stack, const char *traceparent)
{
	char headers[128];
	snprintf(headers, sizeof(headers), "traceparent: %s\r\n", traceparent);
	WR_AUTO(http_answer_free_at)
	struct http_answer *answer =
		http_call(stack_url(stack, 0), "GET", "/queues/default/demo", headers, NULL);
	api_expect_status(answer, 200);
}

static struct http_answer *metrics(const struct stack *stack, const char *accept)
{
	return http_call(stack_internal_url(stack, 0), "GET", "/metrics", accept, NULL);
}

static void only_openmetrics_and_only_who_is_sampled(void **state)
{
	(void)state;
	struct stack *stack = traced_stack("WR_TRACES=on");
	WR_AUTO(http_answer_free_at) struct http_answer *before = metrics(stack, OPENMETRICS);
	assert_null(strstr(before->body, "trace_id"));
	ask(stack, "00-" TRACE "-b7ad6b7169203331-01");
	ask(stack, "00-ffffffffffffffffffffffffffffffff-b7ad6b7169203331-00");
	WR_AUTO(http_answer_free_at) struct http_answer *after = metrics(stack, OPENMETRICS);
	const char *exemplar = strstr(after->body, "# {trace_id=\"" TRACE "\"} ");
	assert_non_null(exemplar);
	assert_null(
		strstr(exemplar + strlen("# {trace_id"), "trace_id")); /* in one bucket of one endpoint */
	while (exemplar > after->body && exemplar[-1] != '\n')
		exemplar--;
	char le[16];
	double count = 0, seconds = 0, at = 0;
	assert_int_equal(sscanf(exemplar,
							FAMILY "{endpoint=\"queue\",le=\"%15[^\"]\"} %lf # {trace_id=\"" TRACE
								   "\"} %lf %lf",
							le, &count, &seconds, &at),
					 4);
	assert_true(seconds <= strtod(le, NULL)); /* +Inf is one too */
	assert_true(at > 1.7e9 && count >= 1);
	WR_AUTO(http_answer_free_at)
	struct http_answer *plain = metrics(stack, "Accept: text/plain\r\n");
	assert_null(strstr(plain->body, "trace_id"));
	stack_free(stack);
}

static void without_tracing_there_are_none(void **state)
{
	(void)state;
	struct stack *stack = traced_stack("WR_TRACES=off");
	ask(stack, "00-" TRACE "-b7ad6b7169203331-01");
	WR_AUTO(http_answer_free_at) struct http_answer *answer = metrics(stack, OPENMETRICS);
	assert_null(strstr(answer->body, "trace_id"));
	stack_free(stack);
}

/* ---- Prometheus ---- */

static struct process *start_prometheus(const char *target, int port)
{
	char text[512], listen[64];
	snprintf(text, sizeof(text),
			 "global: {scrape_interval: 1s, scrape_timeout: 1s}\n"
			 "scrape_configs:\n"
			 "  - job_name: waitingroom\n"
			 "    static_configs: [{targets: ['%s']}]\n",
			 target + strlen("http://"));
	WR_AUTO(mem_free_at) char *config = temp_file("prometheus.yml", text);
	WR_AUTO(mem_free_at) char *data = temp_path("prometheus");
	WR_AUTO(mem_free_at) char *config_flag = NULL, *data_flag = NULL;
	snprintf(listen, sizeof(listen), "--web.listen-address=127.0.0.1:%d", port);
	if (asprintf(&config_flag, "--config.file=%s", config) < 0 ||
		asprintf(&data_flag, "--storage.tsdb.path=%s", data) < 0)
		abort();
	const char *const argv[] = {
		"prometheus", config_flag, data_flag, listen, "--enable-feature=exemplar-storage", NULL};
	return process_start("prometheus", argv, NULL);
}

static struct http_answer *query_exemplars(const char *prometheus)
{
	char path[256];
	time_t now = time(NULL);
	snprintf(path, sizeof(path),
			 "/api/v1/query_exemplars?query=" FAMILY
			 "%%7Bendpoint=%%22queue%%22%%7D&start=%lld&end="
			 "%lld",
			 (long long)now - 600, (long long)now + 600);
	return http_call(prometheus, "GET", path, NULL, NULL);
}

static bool is_listening(const char *address)
{
	struct http_client *client = http_client_try_open(address);
	http_client_close(client);
	return client != NULL;
}

static void prometheus_keeps_the_trace_of_a_bar(void **state)
{
	(void)state;
	struct stack *stack = traced_stack("WR_TRACES=on");
	int port = free_port();
	char address[48];
	snprintf(address, sizeof(address), "127.0.0.1:%d", port);
	struct process *prometheus = start_prometheus(stack_internal_url(stack, 0), port);
	WAIT_UNTIL(20000, is_listening(address), "prometheus");
	ask(stack, "00-" TRACE "-b7ad6b7169203331-01");
	WAIT_UNTIL(20000, ({
				   WR_AUTO(http_answer_free_at)
				   struct http_answer *found = query_exemplars(address);
				   strstr(found->body, "\"trace_id\":\"" TRACE "\"") != NULL;
			   }),
			   "the trace in prometheus");
	process_signal(prometheus, SIGTERM);
	process_wait(prometheus, 20000);
	process_free(prometheus);
	stack_free(stack);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(only_openmetrics_and_only_who_is_sampled),
		cmocka_unit_test(without_tracing_there_are_none),
		cmocka_unit_test(prometheus_keeps_the_trace_of_a_bar),
	};
	return cmocka_run_group_tests(tests, open_receiver, close_receiver);
}
