/* The metrics page as Prometheus reads it, and what heartbeats cost the store.
 *
 * Costs are counted, not timed: a burst of heartbeats must become a few commands, whatever the
 * speed.
 */
#include "support/api.h"
#include "support/cmocka.h"
#include "support/shared_stack.h"
#include "support/wait.h"
#include "waitingroom/memory.h"
#include "waitingroom/metrics.h"
#include "waitingroom/version.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CONNECTIONS 20
#define BURST 2000
#define FAMILIES_MAX 128

static const char *url;

static int open_room(void **state)
{
	(void)state;
	stack = stack_start(&(struct stack_options){
		.pods = 1,
		.admitters = 1,
		.queues = QUEUES(QUEUE("line", HELD) "," QUEUE("lost", HELD) "," QUEUE("acme/sale", HELD)),
		.env = (const char *const[]){NO_RATE_LIMITS, "WR_FLUSH_INTERVAL_MS=500", NULL}});
	url = stack_url(stack, 0);
	return 0;
}

/* ---- the page ---- */

struct page {
	char families[FAMILIES_MAX][80]; /* in order; each once */
	char types[FAMILIES_MAX][16];
	int count;
	bool has_help;
};

static void begin_family(struct page *page, const char *line)
{
	char name[80];
	assert_int_equal(sscanf(line, "# HELP %79s", name), 1);
	assert_true(strlen(line) > strlen("# HELP ") + strlen(name) + 1); /* a sentence */
	for (int i = 0; i < page->count; i++)
		if (strcmp(page->families[i], name) == 0)
			fail_msg("family %s stands in two places", name);
	assert_in_range(page->count, 0, FAMILIES_MAX - 1);
	strcpy(page->families[page->count], name);
	page->has_help = true;
}

static void add_type(struct page *page, const char *line)
{
	char name[80];
	assert_true(page->has_help);
	assert_int_equal(sscanf(line, "# TYPE %79s %15s", name, page->types[page->count]), 2);
	assert_string_equal(name, page->families[page->count]);
	static const char *const types[] = {"counter", "gauge", "histogram"};
	bool known = false;
	for (size_t i = 0; i < COUNT(types); i++)
		known |= strcmp(types[i], page->types[page->count]) == 0;
	assert_true(known);
	page->count++;
	page->has_help = false;
}

static bool name_belongs(const char *name, size_t len, const char *family, const char *type)
{
	static const char *const suffixes[] = {"_bucket", "_sum", "_count"};
	size_t family_len = strlen(family);
	if (len < family_len || memcmp(name, family, family_len) != 0)
		return false;
	if (strcmp(type, "histogram") != 0)
		return len == family_len;
	for (size_t i = 0; i < COUNT(suffixes); i++)
		if (len == family_len + strlen(suffixes[i]) &&
			memcmp(name + family_len, suffixes[i], strlen(suffixes[i])) == 0)
			return true;
	return false;
}

/* name{label="value",…} number */
static void check_sample(const struct page *page, const char *line)
{
	size_t len = strcspn(line, "{ ");
	assert_true(page->count > 0 && !page->has_help);
	if (!name_belongs(line, len, page->families[page->count - 1], page->types[page->count - 1]))
		fail_msg("sample outside of its family %s: %s", page->families[page->count - 1], line);
	const char *at = line + len;
	if (*at == '{') {
		do {
			at++;
			size_t label = strspn(at, "abcdefghijklmnopqrstuvwxyz_");
			if (label == 0 || at[label] != '=' || at[label + 1] != '"')
				fail_msg("labels: %s", line);
			at += label + 2;
			at += strcspn(at, "\"") + 1;
		} while (*at == ',');
		if (*at++ != '}')
			fail_msg("labels: %s", line);
	}
	char *end;
	double value = strtod(at, &end);
	if (*at != ' ' || end == at || *end != '\0')
		fail_msg("number: %s", line);
	if (value < 0 && strncmp(line, "wr_store_clock_offset_seconds", len) != 0)
		fail_msg("negative: %s", line);
}

static void check_page(const char *internal_url)
{
	WR_AUTO(http_answer_free_at)
	struct http_answer *answer = http_call(internal_url, "GET", "/metrics", NULL, NULL);
	api_expect_status(answer, 200);
	assert_string_equal(http_answer_header(answer, "Content-Type"),
						"text/plain; version=0.0.4; charset=utf-8");
	assert_int_equal(answer->body[answer->body_len - 1], '\n');
	struct page page = {.count = 0};
	int samples = 0;
	char *rest = answer->body;
	for (char *line; (line = strsep(&rest, "\n")) && *line;) {
		if (strncmp(line, "# HELP ", 7) == 0)
			begin_family(&page, line);
		else if (strncmp(line, "# TYPE ", 7) == 0)
			add_type(&page, line);
		else
			check_sample(&page, line), samples++;
	}
	assert_true(page.count > 15 && samples > page.count);
	assert_true(!rest || !*rest);
}

static void every_sample_stands_in_one_described_family(void **state)
{
	(void)state;
	http_answer_free(api_enqueue(url, "line", NULL));
	http_answer_free(api_enqueue(url, "nowhere", NULL));
	check_page(stack_internal_url(stack, 0));
	check_page(stack_admitter_url(stack, 0));
}

static double metric(const char *name)
{
	return stack_metric(stack_internal_url(stack, 0), name);
}

static char *page_of(const char *internal_url, const char *accept, const char *type)
{
	char header[256];
	snprintf(header, sizeof(header), "Accept: %s\r\n", accept);
	WR_AUTO(http_answer_free_at)
	struct http_answer *answer = http_call(internal_url, "GET", "/metrics", header, NULL);
	api_expect_status(answer, 200);
	assert_string_equal(http_answer_header(answer, "Content-Type"), type);
	return strdup(answer->body);
}

#define TEXT "text/plain; version=0.0.4; charset=utf-8"
#define OPEN "application/openmetrics-text; version=1.0.0; charset=utf-8"

static void every_documented_family_is_exported_where_it_is_said_to_be(void **state)
{
	(void)state;
	static const struct {
		const char *where, *name;
	} families[] = {
#define FAMILY(id, where_, type, name_, labels, help) {where_, name_},
		METRIC_TABLE(FAMILY)
#undef FAMILY
	};
	free(api_join(url, "line"));
	WAIT_UNTIL(5000, metric("wr_queue_waiting{queue=\"default/line\"}") >= 1, "somebody waits");
	WR_AUTO(mem_free_at) char *api = page_of(stack_internal_url(stack, 0), TEXT, TEXT);
	WR_AUTO(mem_free_at) char *admitter = page_of(stack_admitter_url(stack, 0), TEXT, TEXT);
	for (size_t i = 0; i < COUNT(families); i++) {
		char line[128];
		/* Of a line that is held nobody knows how long it takes. */
		if (strcmp(families[i].name, "wr_queue_estimated_wait_seconds") == 0)
			continue;
		snprintf(line, sizeof(line), "# TYPE %s ", families[i].name);
		bool both = strcmp(families[i].where, "both") == 0;
		bool by_api = both || strcmp(families[i].where, "api") == 0;
		bool by_admitter = both || strcmp(families[i].where, "admitter") == 0;
		if ((strstr(api, line) != NULL) != by_api ||
			(strstr(admitter, line) != NULL) != by_admitter)
			fail_msg("%s is not exported by: %s", families[i].name, families[i].where);
	}
}

static void openmetrics_is_given_to_who_prefers_it(void **state)
{
	(void)state;
	const char *internal = stack_internal_url(stack, 0);
	free(page_of(internal, "*/*", TEXT));
	free(page_of(internal, "application/openmetrics-text;q=0.3,text/plain;q=0.5", TEXT));
	/* What Prometheus sends, without and with native histograms. */
	free(page_of(internal,
				 "application/openmetrics-text; version=0.0.1,text/plain;version=0.0.4;q=0.5,*/*;"
				 "q=0.1",
				 OPEN));
	WR_AUTO(mem_free_at)
	char *page = page_of(internal,
						 "application/vnd.google.protobuf;encoding=delimited,application/"
						 "openmetrics-text;version=1.0.0;q=0.8,text/plain;version=0.0.4;q=0.5",
						 OPEN);
	assert_non_null(strstr(page, "# TYPE wr_http_requests counter\n"));
	assert_non_null(strstr(page, "\nwr_http_requests_total{"));
	assert_null(strstr(page, "_total counter\n"));
	assert_string_equal(page + strlen(page) - 6, "# EOF\n");
}

static void requests_are_counted_by_endpoint_and_result(void **state)
{
	(void)state;
	double good = metric("wr_http_requests_total{endpoint=\"status\",status=\"2xx\"}");
	double bad = metric("wr_http_requests_total{endpoint=\"status\",status=\"4xx\"}");
	WR_AUTO(mem_free_at) char *token = api_join(url, "line");
	for (int i = 0; i < 3; i++)
		http_answer_free(api_poll(url, "/status", token));
	http_answer_free(api_poll(url, "/status", "x"));
	WAIT_UNTIL(5000,
			   metric("wr_http_requests_total{endpoint=\"status\",status=\"2xx\"}") == good + 3 &&
				   metric("wr_http_requests_total{endpoint=\"status\",status=\"4xx\"}") == bad + 1,
			   "the requests are counted");
	assert_true(metric("wr_http_request_duration_seconds_count{endpoint=\"status\"}") ==
				good + bad + 4);
	assert_true(
		metric("wr_http_request_duration_seconds_bucket{endpoint=\"status\",le=\"+Inf\"}") ==
		good + bad + 4);
}

static void people_in_line_are_counted_by_queue(void **state)
{
	(void)state;
	for (int i = 0; i < 4; i++)
		free(api_join(url, "acme/sale"));
	WAIT_UNTIL(5000, metric("wr_queue_waiting{queue=\"acme/sale\"}") == 4, "four people wait");
	assert_true(metric("wr_queue_capacity{queue=\"acme/sale\"}") == 100);
	assert_true(metric("wr_joins_total{kind=\"new\"}") >= 4);
	assert_true(metric("wr_store_connected") >= 1);
	assert_true(metric("wr_build_info{program=\"waitingroom-api\",version=\"" WR_VERSION "\"}") ==
				1);
}

static void refused_requests_are_counted_by_reason(void **state)
{
	(void)state;
	struct http_client *client = http_client_open(url);
	static const char two[] = "GET /status HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n";
	http_client_send_raw(client, two, sizeof(two) - 1);
	http_answer_free(http_client_read(client, 5000));
	http_client_close(client);
	assert_true(metric("wr_http_requests_refused_total{reason=\"host\"}") == 1);
	assert_true(metric("wr_bugs_total") == 0);
}

/* ---- what heartbeats cost the store ---- */

/* Calls of one kind since the server began. */
/* The store forgets a place and believes that its ticket has left, as after a failover whose
 * recovery window went by while the visitor slept. */
static void a_place_that_the_store_should_remember_is_counted_as_lost(void **state)
{
	(void)state;
	WR_AUTO(mem_free_at) char *token = api_join(url, "lost");
	api_await_position(stack, 0, token);
	assert_true(metric("wr_places_lost_total") == 0);
	WR_AUTO(mem_free_at)
	char *reply =
		redis_do(stack->redis,
				 "EVAL \"local q = 'wr:{default/lost}:' "
				 "for _, k in ipairs(redis.call('KEYS', q .. 'position:*')) do "
				 "redis.call('DEL', k) end "
				 "redis.call('SETBIT', q .. 'gone:main:0', 0, 1) "
				 "redis.call('HINCRBY', q .. 'counts', 'gone:main', 1) "
				 "redis.call('XADD', q .. 'departures', '*', 'd', 'main:1-1') return 'done'\" 0");
	assert_non_null(strstr(reply, "done"));
	WAIT_UNTIL(5000, metric("wr_queue_waiting{queue=\"default/lost\"}") == 0,
			   "the pod hears of it");
	WR_AUTO(http_answer_free_at)
	struct http_answer *answer = api_poll(url, "/heartbeat", token);
	assert_int_equal(answer->status, 410);
	assert_true(metric("wr_places_lost_total") == 1);
}

static int64_t calls_of(const char *command)
{
	WR_AUTO(mem_free_at) char *info = redis_do(stack->redis, "INFO commandstats");
	char name[48];
	snprintf(name, sizeof(name), "cmdstat_%s:calls=", command);
	const char *at = strstr(info, name);
	return at ? strtoll(at + strlen(name), NULL, 10) : 0;
}

static void send_beats(struct http_client *clients[CONNECTIONS], char *tokens[CONNECTIONS])
{
	for (int i = 0; i < BURST / CONNECTIONS; i++) {
		for (int k = 0; k < CONNECTIONS; k++)
			api_send_poll(clients[k], "/heartbeat", tokens[k]);
		for (int k = 0; k < CONNECTIONS; k++) {
			WR_AUTO(http_answer_free_at)
			struct http_answer *answer = http_client_read(clients[k], 5000);
			api_expect_status(answer, 200);
		}
	}
}

static void a_burst_of_heartbeats_is_a_few_commands(void **state)
{
	(void)state;
	struct http_client *clients[CONNECTIONS];
	char *tokens[CONNECTIONS];
	for (int k = 0; k < CONNECTIONS; k++) {
		clients[k] = http_client_open(url);
		tokens[k] = api_join(url, "line");
	}
	api_await_position(stack, 0, tokens[CONNECTIONS - 1]);
	double flushes = metric("wr_heartbeat_flushes_total");
	double noted = metric("wr_heartbeats_flushed_total");
	double answered = metric("wr_heartbeats_total{source=\"index\"}");
	int64_t zadds = calls_of("zadd");
	send_beats(clients, tokens);
	WAIT_UNTIL(5000, metric("wr_heartbeats_flushed_total") == noted + BURST, "all are noted");
	/* None of them asked the store for its answer. */
	assert_true(metric("wr_heartbeats_total{source=\"index\"}") == answered + BURST);
	assert_true(metric("wr_heartbeat_flushes_total") > flushes);
	/* One command takes up to 500 people; what is flushed more often is flushed by time. */
	int64_t commands = calls_of("zadd") - zadds;
	assert_in_range(commands, BURST / 500,
					(int64_t)(metric("wr_heartbeat_flushes_total") - flushes));
	assert_true(commands * 20 <= BURST);
	for (int k = 0; k < CONNECTIONS; k++) {
		http_client_close(clients[k]);
		free(tokens[k]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_sample_stands_in_one_described_family),
		cmocka_unit_test(every_documented_family_is_exported_where_it_is_said_to_be),
		cmocka_unit_test(openmetrics_is_given_to_who_prefers_it),
		cmocka_unit_test(requests_are_counted_by_endpoint_and_result),
		cmocka_unit_test(people_in_line_are_counted_by_queue),
		cmocka_unit_test(refused_requests_are_counted_by_reason),
		cmocka_unit_test(a_place_that_the_store_should_remember_is_counted_as_lost),
		cmocka_unit_test(a_burst_of_heartbeats_is_a_few_commands),
	};
	return cmocka_run_group_tests(tests, open_room, shared_stack_close);
}
