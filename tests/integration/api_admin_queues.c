/* What operators do to a queue: conditional changes, dry runs, states, draining and emptying.
 *
 * Two pods and an admitter; the relay is off, so that events stay where they can be looked at.
 */
#include "support/api.h"
#include "support/cmocka.h"
#include "support/shared_stack.h"
#include "support/wait.h"
#include "waitingroom/memory.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define KEY_HEADER "Authorization: Bearer " API_ADMIN_KEY "\r\n"
/* An operator's key beside that of the tests, which is an admin's. "wrk_operator-for-tests" */
#define TWO_KEYS                                                                                   \
	"{\"keys\":[{\"id\":\"tests\",\"sha256\":"                                                     \
	"\"25b50f23f69d4e4a8f2581fd98cda6581906c3471981512c1b33ca9080e32e8f\"},"                       \
	"{\"id\":\"night\",\"role\":\"operator\",\"sha256\":\"" OPERATOR_SHA256 "\"}]}"
#define OPERATOR_KEY "wrk_operator-for-tests"
#define OPERATOR_SHA256 "ede57e27c06ab7a0639b397c21fa2938602b6895f1ed3e29bf7ae62ab3d6811a"

static int open_room(void **state)
{
	(void)state;
	stack = stack_start(
		&(struct stack_options){.pods = 2,
								.admitters = 1,
								.without_nats = true,
								.admin_keys = TWO_KEYS,
								.env = (const char *const[]){NO_RATE_LIMITS, "WR_RELAY=0", NULL}});
	return 0;
}

/* ---- asking ---- */

/* gives */
static struct http_answer *ask(int pod, const char *method, const char *path, const char *headers,
							   const char *body)
{
	char full[192], all[320];
	snprintf(full, sizeof(full), "/admin/v1/queues/default/%s", path);
	snprintf(all, sizeof(all), KEY_HEADER "%s", headers ? headers : "");
	return http_call(stack_internal_url(stack, pod), method, full, all, body);
}

static void expect(const char *method, const char *path, const char *headers, const char *body,
				   int status, const char *code)
{
	WR_AUTO(http_answer_free_at)
	struct http_answer *answer = ask(0, method, path, headers, body);
	if (code)
		api_expect_problem(answer, status, code);
	else
		api_expect_status(answer, status);
}

static bool info_has(int pod, const char *name, const char *text)
{
	char path[96];
	snprintf(path, sizeof(path), "/queues/default/%s", name);
	WR_AUTO(http_answer_free_at)
	struct http_answer *answer = http_call(stack_url(stack, pod), "GET", path, NULL, NULL);
	return strstr(answer->body, text);
}

/* A queue that both pods know. */
static void make_queue(const char *name, const char *settings)
{
	expect("PUT", name, NULL, settings, 201, NULL);
	for (int pod = 0; pod < 2; pod++)
		WAIT_UNTIL(5000, info_has(pod, name, "\"state\""), "the pod knows the queue");
}

static int64_t version_of(const char *name)
{
	WR_AUTO(http_answer_free_at) struct http_answer *answer = ask(1, "GET", name, NULL, NULL);
	char etag[32];
	api_expect_status(answer, 200);
	snprintf(etag, sizeof(etag), "\"%lld\"", (long long)http_answer_number(answer, "version"));
	assert_string_equal(http_answer_header(answer, "ETag"), etag);
	return http_answer_number(answer, "version");
}

static int64_t setting(const char *name, const char *member)
{
	char path[64];
	WR_AUTO(http_answer_free_at) struct http_answer *answer = ask(1, "GET", name, NULL, NULL);
	snprintf(path, sizeof(path), "settings.%s", member);
	return http_answer_number(answer, path);
}

/* ---- conditions ---- */

static void a_change_is_tied_to_the_version_that_was_read(void **state)
{
	(void)state;
	make_queue("tied", "{\"state\":\"hold\"}");
	WR_AUTO(http_answer_free_at)
	struct http_answer *first = ask(0, "PUT", "tied", "If-Match: \"1\"\r\n", "{\"burst\":2}");
	api_expect_status(first, 200);
	assert_string_equal(http_answer_header(first, "ETag"), "\"2\"");
	expect("PUT", "tied", "If-Match: \"1\"\r\n", "{\"burst\":3}", 412, "version_mismatch");
	expect("PATCH", "tied", "If-Match: \"1\"\r\n", "{\"burst\":3}", 412, "version_mismatch");
	expect("PUT", "tied", "If-Match: W/\"2\"\r\n", "{\"burst\":3}", 412, "version_mismatch");
	expect("PATCH", "tied", "If-Match: \"1\", \"2\"\r\n", "{\"burst\":3}", 200, NULL);
	expect("PATCH", "tied", "If-Match: *\r\n", "{\"burst\":4}", 200, NULL);
	expect("PATCH", "tied", "If-Match: never\r\n", "{\"burst\":5}", 422, "invalid_value");
	assert_int_equal(version_of("tied"), 4);
	assert_int_equal(setting("tied", "burst"), 4);
}

static void a_queue_that_has_changed_is_not_deleted(void **state)
{
	(void)state;
	make_queue("kept", "{\"state\":\"hold\"}");
	expect("PATCH", "kept", NULL, "{\"burst\":3}", 200, NULL);
	expect("DELETE", "kept", "If-Match: \"1\"\r\n", NULL, 412, "version_mismatch");
	expect("DELETE", "kept", "If-Match: W/\"2\"\r\n", NULL, 412, "version_mismatch");
	expect("DELETE", "kept", "If-None-Match: *\r\n", NULL, 412, "version_mismatch");
	expect("DELETE", "kept", "If-Match: never\r\n", NULL, 422, "invalid_value");
	assert_int_equal(version_of("kept"), 2);
	expect("DELETE", "kept", "If-Match: \"2\"\r\n", NULL, 204, NULL);
	expect("GET", "kept", NULL, NULL, 404, "no_such_queue");
	expect("DELETE", "kept", "If-Match: \"2\"\r\n", NULL, 404, "no_such_queue");
}

static void a_queue_is_made_only_where_there_is_none(void **state)
{
	(void)state;
	expect("PUT", "fresh", "If-Match: *\r\n", "{}", 412, "version_mismatch");
	expect("PUT", "fresh", "If-Match: \"1\"\r\n", "{}", 412, "version_mismatch");
	expect("PATCH", "fresh", NULL, "{}", 404, "no_such_queue");
	WR_AUTO(http_answer_free_at)
	struct http_answer *made = ask(0, "PUT", "fresh", "If-None-Match: *\r\n", "{\"burst\":7}");
	api_expect_status(made, 201);
	assert_string_equal(http_answer_header(made, "ETag"), "\"1\"");
	expect("PUT", "fresh", "If-None-Match: *\r\n", "{\"burst\":8}", 412, "version_mismatch");
	assert_int_equal(setting("fresh", "burst"), 7);
}

struct writer {
	int pod, burst;
	int status;
	const char *url, *method, *queue;
};

static void *write_once(void *ctx)
{
	struct writer *writer = ctx;
	char body[32], path[64];
	snprintf(body, sizeof(body), "{\"burst\":%d}", writer->burst);
	snprintf(path, sizeof(path), "/admin/v1/queues/default/%s", writer->queue);
	WR_AUTO(http_answer_free_at)
	struct http_answer *answer =
		http_call(writer->url, writer->method, path, KEY_HEADER "If-Match: \"1\"\r\n",
				  strcmp(writer->method, "DELETE") == 0 ? NULL : body);
	writer->status = answer->status;
	return NULL;
}

#define WRITERS 8

/* All at once, at both pods, on the queue at version 1; the odd ones with 'odd_method'. */
static void write_at_once(const char *queue, const char *odd_method,
						  struct writer ret_writers[WRITERS])
{
	pthread_t threads[WRITERS];
	for (int i = 0; i < WRITERS; i++) {
		ret_writers[i] = (struct writer){.pod = i / 2 % 2,
										 .burst = 100 + i,
										 .url = stack_internal_url(stack, i / 2 % 2),
										 .method = i % 2 ? odd_method : "PATCH",
										 .queue = queue};
		if (pthread_create(&threads[i], NULL, write_once, &ret_writers[i]))
			abort();
	}
	for (int i = 0; i < WRITERS; i++)
		pthread_join(threads[i], NULL);
}

static void of_writers_who_read_the_same_version_one_wins(void **state)
{
	(void)state;
	make_queue("raced", "{\"state\":\"hold\"}");
	struct writer writers[WRITERS];
	write_at_once("raced", "PATCH", writers);
	int won = -1;
	for (int i = 0; i < WRITERS; i++) {
		if (writers[i].status == 200) {
			assert_int_equal(won, -1);
			won = i;
		} else {
			assert_int_equal(writers[i].status, 412);
		}
	}
	assert_true(won >= 0);
	assert_int_equal(version_of("raced"), 2);
	assert_int_equal(setting("raced", "burst"), 100 + won);
}

static void a_queue_is_either_changed_or_deleted_by_those_who_read_the_same_version(void **state)
{
	(void)state;
	for (int round = 0; round < 5; round++) {
		struct writer writers[WRITERS];
		char queue[16];
		int changed = 0, deleted = 0;
		snprintf(queue, sizeof(queue), "either%d", round);
		make_queue(queue, "{\"state\":\"hold\"}");
		write_at_once(queue, "DELETE", writers);
		for (int i = 0; i < WRITERS; i++) {
			changed += writers[i].status == 200;
			deleted += writers[i].status == 204;
		}
		assert_true(changed + deleted > 0);
		assert_true(changed == 0 || (changed == 1 && deleted == 0));
		WR_AUTO(http_answer_free_at) struct http_answer *there = ask(1, "GET", queue, NULL, NULL);
		api_expect_status(there, changed ? 200 : 404);
	}
}

/* ---- setting some ---- */

static void a_patch_keeps_what_it_does_not_name(void **state)
{
	(void)state;
	make_queue("patched", "{\"state\":\"hold\",\"burst\":5,\"message\":\"Soon\","
						  "\"challenge\":\"turnstile\",\"captcha_site_key\":\"a\","
						  "\"captcha_secret\":\"hush\"}");
	expect("PATCH", "patched", NULL, "{\"rate_per_minute\":600,\"capacity\":7}", 200, NULL);
	assert_int_equal(setting("patched", "rate_per_minute"), 600);
	assert_int_equal(setting("patched", "capacity"), 7);
	assert_int_equal(setting("patched", "burst"), 5);
	assert_int_equal(
		api_store_number(stack, "HSTRLEN wr:{default/patched}:settings captcha_secret"), 4);
	assert_int_equal(version_of("patched"), 2);
	expect("PATCH", "patched", NULL, "{\"capacity\":7}", 200, NULL);
	assert_int_equal(version_of("patched"), 2);
	WR_AUTO(http_answer_free_at)
	struct http_answer *wrong = ask(0, "PATCH", "patched", NULL, "{\"capacity\":-1}");
	api_expect_problem(wrong, 422, "invalid_value");
	WR_AUTO(mem_free_at) char *detail = http_answer_text(wrong, "detail");
	assert_memory_equal(detail, "capacity: ", 10);
	expect("PATCH", "patched", NULL, "[]", 400, "malformed");
	expect("PATCH", "patched", NULL, "{\"poll_min_ms\":50000}", 422, "invalid_value");
}

static void what_a_patch_sets_to_null_gets_its_default_again(void **state)
{
	(void)state;
	make_queue("nulled", "{\"state\":\"hold\",\"burst\":5,\"capacity\":7,\"message\":\"Soon\"}");
	static const char nulls[] = "{\"capacity\":null,\"message\":null}";
	WR_AUTO(http_answer_free_at)
	struct http_answer *dry = ask(0, "PATCH", "nulled?dry_run=1", NULL, nulls);
	api_expect_status(dry, 200);
	assert_non_null(strstr(dry->body, "{\"field\":\"capacity\",\"before\":7,\"after\":100}"));
	assert_non_null(
		strstr(dry->body, "{\"field\":\"message\",\"before\":\"Soon\",\"after\":\"\"}"));
	assert_int_equal(version_of("nulled"), 1);
	expect("PATCH", "nulled", NULL, nulls, 200, NULL);
	assert_int_equal(setting("nulled", "capacity"), 100);
	assert_int_equal(setting("nulled", "burst"), 5);
	WR_AUTO(http_answer_free_at)
	struct http_answer *audit =
		http_call(stack_internal_url(stack, 0), "GET",
				  "/admin/v1/audit?queue=default/nulled&limit=1", KEY_HEADER, NULL);
	assert_non_null(strstr(audit->body, "\"before\":{\"capacity\":7,\"message\":\"Soon\"}"));
	assert_non_null(strstr(audit->body, "\"after\":{\"capacity\":100,\"message\":\"\","));
	/* A default that contradicts what is there; a name that is none; a PUT, which has defaults anyway. */
	expect("PATCH", "nulled", NULL, "{\"poll_min_ms\":20000}", 200, NULL);
	expect("PATCH", "nulled", NULL, "{\"absent_after_ms\":700000,\"heartbeat_ttl_ms\":null}", 422,
		   "invalid_value");
	expect("PATCH", "nulled", NULL, "{\"no_setting\":null}", 422, "invalid_value");
	expect("PUT", "nulled", NULL, nulls, 422, "invalid_value");
}

static void a_lane_with_people_in_it_is_not_taken_away(void **state)
{
	(void)state;
	make_queue("lanes", "{\"state\":\"hold\"}");
	WR_AUTO(mem_free_at) char *token = api_join(stack_url(stack, 0), "lanes");
	static const char other[] = "{\"lanes\":[{\"name\":\"other\",\"open\":true}]}";
	WR_AUTO(http_answer_free_at)
	struct http_answer *dry = ask(0, "PATCH", "lanes?dry_run=1", NULL, other);
	api_expect_status(dry, 200);
	assert_non_null(strstr(dry->body, "lanes: 1 people stand in the lane \\\"main\\\""));
	expect("PATCH", "lanes", NULL, other, 409, "lane_in_use");
	WR_AUTO(http_answer_free_at)
	struct http_answer *leaves = api_poll(stack_url(stack, 0), "/leave", token);
	api_expect_status(leaves, 200);
	expect("PATCH", "lanes", NULL, other, 200, NULL);
}

static void an_operator_sets_the_pace_and_not_the_keys(void **state)
{
	(void)state;
	make_queue("night", "{\"state\":\"hold\"}");
	static const struct {
		const char *body;
		int status;
	} changes[] = {{"{\"rate_per_minute\":5,\"capacity\":6,\"message\":\"Hello\"}", 200},
				   {"{\"entry_keys\":[]}", 403},
				   {"{\"rate_per_minute\":7,\"template\":\"\"}", 403},
				   {"{\"allowed_targets\":[\"https://evil.example\"]}", 403}};
	for (size_t i = 0; i < COUNT(changes); i++) {
		WR_AUTO(http_answer_free_at)
		struct http_answer *answer =
			http_call(stack_internal_url(stack, 0), "PATCH", "/admin/v1/queues/default/night",
					  "Authorization: Bearer " OPERATOR_KEY "\r\n", changes[i].body);
		if (changes[i].status == 403)
			api_expect_problem(answer, 403, "forbidden");
		else
			api_expect_status(answer, changes[i].status);
	}
	assert_int_equal(setting("night", "rate_per_minute"), 5);
	assert_int_equal(version_of("night"), 2);
}

/* ---- dry runs ---- */

/* Settings of the queue, and how many things were told of it; gives */
static char *kept_of(const char *name)
{
	char command[320];
	snprintf(command, sizeof(command),
			 "EVAL \"return redis.sha1hex(redis.call('DUMP', 'wr:{default/%s}:settings')) .. "
			 "redis.call('XLEN', 'wr:{default/%s}:outbox')\" 0",
			 name, name);
	return redis_do(stack->redis, command);
}

static void a_dry_run_stores_nothing(void **state)
{
	(void)state;
	make_queue("dry", "{\"state\":\"hold\",\"captcha_secret\":\"hush\"}");
	WR_AUTO(mem_free_at) char *before = kept_of("dry");
	WR_AUTO(http_answer_free_at)
	struct http_answer *patched =
		ask(0, "PATCH", "dry?dry_run=1", NULL,
			"{\"rate_per_minute\":120,\"state\":\"open\",\"captcha_secret\":\"psst\"}");
	api_expect_status(patched, 200);
	api_expect_members(patched, "dry_run:b version:n changes:a effect:a warnings:a");
	assert_non_null(
		strstr(patched->body, "{\"field\":\"rate_per_minute\",\"before\":60,\"after\":120}"));
	assert_non_null(
		strstr(patched->body, "{\"field\":\"state\",\"before\":\"hold\",\"after\":\"open\"}"));
	assert_non_null(strstr(patched->body, "\"captcha_secret\",\"before\":\"set\""));
	assert_null(strstr(patched->body, "hush"));
	assert_null(strstr(patched->body, "psst"));
	assert_null(strstr(patched->body, "burst"));
	WR_AUTO(http_answer_free_at)
	struct http_answer *put = ask(1, "PUT", "dry?dry_run=1", NULL, "{\"capacity\":0}");
	api_expect_status(put, 200);
	assert_non_null(strstr(put->body, "capacity: 0 lets nobody in"));
	WR_AUTO(http_answer_free_at)
	struct http_answer *made = ask(1, "PUT", "dry-new?dry_run=1", NULL, "{\"capacity\":3}");
	api_expect_status(made, 200);
	assert_non_null(
		strstr(made->body, "\"changes\":[{\"field\":\"capacity\",\"before\":null,\"after\":3}]"));
	expect("PUT", "dry?dry_run=1", NULL, "{\"capacity\":-1}", 422, "invalid_value");
	expect("PUT", "dry?dry_run=1", "If-Match: \"9\"\r\n", "{}", 412, "version_mismatch");
	expect("PATCH", "dry-new?dry_run=1", NULL, "{}", 404, "no_such_queue");
	WR_AUTO(mem_free_at) char *after = kept_of("dry");
	assert_string_equal(before, after);
	assert_int_equal(api_store_number(stack, "EXISTS wr:{default/dry-new}:settings"), 0);
}

static void an_order_that_cannot_be_tried_is_not_carried_out_instead(void **state)
{
	(void)state;
	make_queue("tried", "{\"state\":\"hold\"}");
	WR_AUTO(mem_free_at) char *token = api_join_present(stack, 0, "tried");
	WR_AUTO(mem_free_at) char *before = kept_of("tried");
	WR_AUTO(http_answer_free_at)
	struct http_answer *close =
		ask(0, "POST", "tried/close?dry_run=1", NULL, "{\"message\":\"Bye\"}");
	api_expect_status(close, 200);
	assert_non_null(
		strstr(close->body, "{\"field\":\"state\",\"before\":\"hold\",\"after\":\"closed\"}"));
	assert_non_null(strstr(close->body, "nobody may join any more"));
	expect("POST", "tried/drain?dry_run=true", NULL, NULL, 200, NULL);
	expect("POST", "tried/drain?dry_run=yes", NULL, NULL, 422, "invalid_value");
	expect("DELETE", "tried?dry_run=1", NULL, NULL, 422, "invalid_value");
	expect("POST", "tried/admit?dry_run=1", NULL, "{\"count\":1}", 422, "invalid_value");
	expect("POST", "tried/empty?dry_run=1", NULL, NULL, 422, "invalid_value");
	expect("POST", "tried/drain", "If-Match: \"7\"\r\n", NULL, 412, "version_mismatch");
	WR_AUTO(mem_free_at) char *after = kept_of("tried");
	assert_string_equal(before, after);
	WR_AUTO(http_answer_free_at)
	struct http_answer *place = api_poll(stack_url(stack, 0), "/status", token);
	api_expect_place(place, "waiting");
}

/* The range that the pod shows somebody, "low..high"; gives, NULL: null */
static char *range_shown(const char *token)
{
	WR_AUTO(http_answer_free_at)
	struct http_answer *answer = api_poll(stack_url(stack, 0), "/status", token);
	if (!http_answer_has(answer, "estimated_wait_s"))
		return NULL;
	char *text;
	if (asprintf(&text, "%lld..%lld", (long long)http_answer_number(answer, "estimated_wait_s.low"),
				 (long long)http_answer_number(answer, "estimated_wait_s.high")) < 0)
		abort();
	return text;
}

static bool is_told(const char *token)
{
	WR_AUTO(mem_free_at) char *shown = range_shown(token);
	return shown != NULL;
}

static bool is_shown(const char *token, const char *range)
{
	WR_AUTO(mem_free_at) char *shown = range_shown(token);
	return shown && strcmp(shown, range) == 0;
}

/* "now" or "then" of the last row of the effect, as above; gives */
static char *range_forecast(const struct http_answer *answer, const char *which)
{
	const char *at = strstr(answer->body, "\"place\":\"tail\"");
	assert_non_null(at);
	char mark[16], *text;
	long long low, high;
	snprintf(mark, sizeof(mark), "\"%s\":", which);
	at = strstr(at, mark);
	assert_int_equal(sscanf(at + strlen(mark), "{\"low\":%lld,\"high\":%lld}", &low, &high), 2);
	if (asprintf(&text, "%lld..%lld", low, high) < 0)
		abort();
	return text;
}

static void what_a_dry_run_says_is_what_people_are_told_after_the_change(void **state)
{
	(void)state;
	/* Slow enough that nobody comes in while the test looks. */
	make_queue("told", "{\"state\":\"hold\",\"rate_per_minute\":2,\"burst\":1}");
	for (int i = 0; i < 19; i++) {
		WR_AUTO(mem_free_at) char *token = api_join(stack_url(stack, 0), "told");
	}
	WR_AUTO(mem_free_at) char *last = api_join(stack_url(stack, 0), "told");
	api_await_position(stack_url(stack, 0), last);
	expect("PATCH", "told", NULL, "{\"state\":\"open\"}", 200, NULL);
	WAIT_UNTIL(5000, is_told(last), "the wait is told");
	WR_AUTO(http_answer_free_at)
	struct http_answer *dry = ask(0, "PATCH", "told?dry_run=1", NULL, "{\"rate_per_minute\":1}");
	api_expect_status(dry, 200);
	WR_AUTO(mem_free_at) char *now = range_forecast(dry, "now");
	WR_AUTO(mem_free_at) char *then = range_forecast(dry, "then");
	assert_string_not_equal(now, then);
	assert_true(is_shown(last, now));
	expect("PATCH", "told", NULL, "{\"rate_per_minute\":1}", 200, NULL);
	WAIT_UNTIL(5000, is_shown(last, then), "people are told what was forecast");
}

/* ---- states ---- */

static void each_order_is_a_state_with_its_message(void **state)
{
	(void)state;
	static const struct {
		const char *order, *state;
	} orders[] = {{"pause", "paused"}, {"resume", "open"}, {"hold", "hold"},
				  {"close", "closed"}, {"open", "open"},   {"drain", "draining"}};
	make_queue("orders", "{\"state\":\"hold\"}");
	for (size_t i = 0; i < COUNT(orders); i++) {
		char path[48], text[64];
		snprintf(path, sizeof(path), "orders/%s", orders[i].order);
		WR_AUTO(http_answer_free_at)
		struct http_answer *answer =
			ask(0, "POST", path, NULL, "{\"message\":\"Hello\",\"messages\":{\"de\":\"Hallo\"}}");
		api_expect_status(answer, 200);
		assert_non_null(http_answer_header(answer, "ETag"));
		snprintf(text, sizeof(text), "\"state\":\"%s\",\"message\":\"Hello\"", orders[i].state);
		for (int pod = 0; pod < 2; pod++) {
			WAIT_UNTIL(5000, info_has(pod, "orders", text), "the pod shows the state");
			assert_true(info_has(pod, "orders", "\"de\":\"Hallo\""));
		}
		expect("POST", path, NULL, "{\"text\":\"Hello\"}", 422, "invalid_value");
		expect("POST", path, NULL, NULL, 200, NULL); /* says nothing any more */
		WAIT_UNTIL(5000, !info_has(0, "orders", "Hello"), "the message is gone");
	}
	expect("POST", "nowhere/drain", NULL, NULL, 404, "no_such_queue");
}

static void a_drained_line_goes_in_and_nobody_joins(void **state)
{
	(void)state;
	make_queue("drained", "{\"state\":\"hold\",\"rate_per_minute\":0,\"capacity\":2}");
	WR_AUTO(mem_free_at) char *ann = api_join_present(stack, 0, "drained");
	WR_AUTO(mem_free_at) char *bob = api_join_present(stack, 1, "drained");
	WR_AUTO(mem_free_at) char *cid = api_join_present(stack, 0, "drained");
	expect("POST", "drained/drain", NULL, NULL, 200, NULL);
	WAIT_UNTIL(5000, info_has(0, "drained", "\"state\":\"draining\""), "the pod knows");
	WR_AUTO(http_answer_free_at)
	struct http_answer *late = api_enqueue(stack_url(stack, 0), "drained", NULL);
	api_expect_problem(late, 410, "queue_closed");
	api_await(stack_url(stack, 0), ann, 5000, "admitted");
	api_await(stack_url(stack, 0), bob, 5000, "admitted");
	assert_int_equal(api_store_number(stack, "ZCARD wr:{default/drained}:sessions"), 2);
	WR_AUTO(http_answer_free_at)
	struct http_answer *leaves = api_poll(stack_url(stack, 0), "/leave", ann);
	api_expect_status(leaves, 200);
	api_await(stack_url(stack, 0), cid, 5000, "admitted");
	expect("POST", "drained/open", NULL, NULL, 200, NULL);
	WAIT_UNTIL(5000, info_has(0, "drained", "\"state\":\"open\""), "the pod knows");
	WR_AUTO(http_answer_free_at)
	struct http_answer *again = api_enqueue(stack_url(stack, 0), "drained", NULL);
	api_expect_place(again, "waiting");
}

/* ---- emptying ---- */

/* The token of an answer 428; gives */
static char *confirmation(int pod, const char *path, int64_t waiting)
{
	WR_AUTO(http_answer_free_at) struct http_answer *answer = ask(pod, "POST", path, NULL, NULL);
	api_expect_problem(answer, 428, "confirmation_required");
	assert_int_equal(http_answer_number(answer, "waiting"), waiting);
	return http_answer_text(answer, "confirm");
}

/* gives */
static struct http_answer *confirm(int pod, const char *path, const char *key, const char *token)
{
	char full[96], headers[128], body[160];
	snprintf(full, sizeof(full), "/admin/v1/queues/default/%s", path);
	snprintf(headers, sizeof(headers), "Authorization: Bearer %s\r\n", key);
	snprintf(body, sizeof(body), "{\"confirm\":\"%s\"}", token);
	return http_call(stack_internal_url(stack, pod), "POST", full, headers, body);
}

static void nobody_is_sent_away_without_a_confirmation(void **state)
{
	(void)state;
	make_queue("sure", "{\"state\":\"hold\"}");
	make_queue("other", "{\"state\":\"hold\"}");
	WR_AUTO(mem_free_at) char *token = api_join_present(stack, 0, "sure");
	WR_AUTO(mem_free_at) char *elsewhere = confirmation(0, "other/empty", 0);
	WR_AUTO(mem_free_at) char *stale = confirmation(0, "sure/empty", 1);
	*stale = *stale == '9' ? '8' : '9'; /* another end of its life */
	const char *const wrong[] = {elsewhere, stale, "", "x", "9999999999.", "1.AAAA"};
	for (size_t i = 0; i < COUNT(wrong); i++) {
		WR_AUTO(http_answer_free_at)
		struct http_answer *answer = confirm(0, "sure/empty", API_ADMIN_KEY, wrong[i]);
		api_expect_problem(answer, 428, "confirmation_required");
	}
	expect("POST", "sure/empty", NULL, "{\"confirm\":1}", 422, "invalid_value");
	expect("POST", "sure/empty", NULL, "{\"sure\":true}", 422, "invalid_value");
	expect("POST", "nowhere/empty", NULL, NULL, 404, "no_such_queue");
	WR_AUTO(http_answer_free_at)
	struct http_answer *place = api_poll(stack_url(stack, 0), "/status", token);
	api_expect_place(place, "waiting");
}

static void a_confirmed_order_sends_everybody_away_and_says_so(void **state)
{
	(void)state;
	make_queue("gone", "{\"state\":\"hold\"}");
	WR_AUTO(mem_free_at) char *ann = api_join_present(stack, 0, "gone");
	WR_AUTO(mem_free_at) char *bob = api_join(stack_url(stack, 1), "gone");
	WR_AUTO(mem_free_at) char *sure = confirmation(0, "gone/empty", 2);
	WR_AUTO(http_answer_free_at)
	struct http_answer *done = confirm(1, "gone/empty", API_ADMIN_KEY, sure);
	api_expect_status(done, 200);
	assert_int_equal(http_answer_number(done, "expired"), 2);
	/* The making and the emptying; not that it was asked about. */
	assert_int_equal(api_store_number(stack, "XLEN wr:{default/gone}:audit"), 2);
	api_await(stack_url(stack, 0), ann, 5000, "place_expired");
	WR_AUTO(http_answer_free_at)
	struct http_answer *poll = api_poll(stack_url(stack, 0), "/heartbeat", ann);
	api_expect_problem(poll, 410, "place_expired");
	WR_AUTO(mem_free_at) char *why = http_answer_text(poll, "detail");
	assert_string_equal(why, "The line was emptied by the operator; join again.");
	api_await(stack_url(stack, 1), bob, 5000, "place_expired");
	WR_AUTO(http_answer_free_at)
	struct http_answer *again = api_enqueue(stack_url(stack, 0), "gone", NULL);
	api_expect_place(again, "waiting");
}

static void a_confirmation_is_of_the_key_and_the_life_of_the_queue(void **state)
{
	(void)state;
	make_queue("bound", "{\"state\":\"hold\"}");
	WR_AUTO(mem_free_at) char *sure = confirmation(0, "bound/empty", 0);
	WR_AUTO(http_answer_free_at)
	struct http_answer *other = confirm(0, "bound/empty", OPERATOR_KEY, sure);
	api_expect_problem(other, 403, "forbidden");
	expect("DELETE", "bound", NULL, NULL, 204, NULL);
	expect("PUT", "bound", NULL, "{\"state\":\"hold\"}", 201, NULL);
	WR_AUTO(http_answer_free_at)
	struct http_answer *later = confirm(0, "bound/empty", API_ADMIN_KEY, sure);
	api_expect_problem(later, 428, "confirmation_required");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_change_is_tied_to_the_version_that_was_read),
		cmocka_unit_test(a_queue_that_has_changed_is_not_deleted),
		cmocka_unit_test(a_queue_is_made_only_where_there_is_none),
		cmocka_unit_test(of_writers_who_read_the_same_version_one_wins),
		cmocka_unit_test(a_queue_is_either_changed_or_deleted_by_those_who_read_the_same_version),
		cmocka_unit_test(a_patch_keeps_what_it_does_not_name),
		cmocka_unit_test(what_a_patch_sets_to_null_gets_its_default_again),
		cmocka_unit_test(a_lane_with_people_in_it_is_not_taken_away),
		cmocka_unit_test(an_operator_sets_the_pace_and_not_the_keys),
		cmocka_unit_test(a_dry_run_stores_nothing),
		cmocka_unit_test(an_order_that_cannot_be_tried_is_not_carried_out_instead),
		cmocka_unit_test(what_a_dry_run_says_is_what_people_are_told_after_the_change),
		cmocka_unit_test(each_order_is_a_state_with_its_message),
		cmocka_unit_test(a_drained_line_goes_in_and_nobody_joins),
		cmocka_unit_test(nobody_is_sent_away_without_a_confirmation),
		cmocka_unit_test(a_confirmed_order_sends_everybody_away_and_says_so),
		cmocka_unit_test(a_confirmation_is_of_the_key_and_the_life_of_the_queue),
	};
	return cmocka_run_group_tests(tests, open_room, shared_stack_close);
}
