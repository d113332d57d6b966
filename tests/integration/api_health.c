/* What is wrong, and what to do: real faults, and GET /admin/v1/health names exactly them. */
#include "support/api.h"
#include "support/cmocka.h"
#include "support/process.h"
#include "support/shared_stack.h"
#include "support/wait.h"
#include "waitingroom/json_in.h"
#include "waitingroom/memory.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int open_room(void **state)
{
	(void)state;
	stack = stack_start(&(struct stack_options){
		.pods = 2,
		.admitters = 1,
		.admin_keys = API_ADMIN_KEYS_FILE,
		.queues = QUEUES(QUEUE("demo", HELD)),
		.redis = {.append_only = true},
		.env = (const char *const[]){NO_RATE_LIMITS, "WR_REPORT_INTERVAL_MS=200",
									 "WR_STORE_TIMEOUT_MS=500", "WR_TRUSTED_PROXIES=127.0.0.1",
									 NULL}});
	return 0;
}

static struct http_answer *ask_health(int pod)
{
	struct http_answer *answer =
		api_admin_as(stack, pod, API_ADMIN_KEY, "GET", "/admin/v1/health", NULL);
	api_expect_status(answer, 200);
	return answer;
}

static const char *text_of(const struct json_value *check, const char *name)
{
	const char *text = "";
	assert_true(json_string(json_member(check, name), &text));
	return text;
}

/* A check of this name and status whose sentence or advice has the text. */
static bool finds(int pod, const char *name, const char *status, const char *text)
{
	WR_AUTO(http_answer_free_at) struct http_answer *answer = ask_health(pod);
	WR_AUTO(json_free_at) struct json_value *document = NULL;
	struct err_detail detail;
	assert_int_equal(json_parse(answer->body, answer->body_len, &document, &detail), WR_OK);
	const struct json_value *checks = json_member(document, "checks");
	for (size_t i = 0; i < json_count(checks); i++) {
		const struct json_value *check = json_at(checks, i);
		if (strcmp(text_of(check, "name"), name) == 0 &&
			strcmp(text_of(check, "status"), status) == 0 &&
			(strstr(text_of(check, "said"), text) || strstr(text_of(check, "do"), text)))
			return true;
	}
	return false;
}

/* No check fails, whatever is warned of. */
static bool nothing_fails(void)
{
	WR_AUTO(http_answer_free_at) struct http_answer *answer = ask_health(0);
	return strstr(answer->body, "\"status\":\"fail\"") == NULL;
}

static void await_health(void)
{
	WAIT_UNTIL(10000, nothing_fails(), "all is well again");
}

static void a_healthy_room_has_a_line_for_every_part(void **state)
{
	(void)state;
	static const char *const parts[] = {"store",	"broker", "clock",		"keys",
										"admitter", "outbox", "invariants", "pods"};
	await_health();
	WAIT_UNTIL(10000, finds(0, "pods", "ok", "2 pods and 1 admitters"), "the admitter is ready");
	WAIT_UNTIL(10000, finds(0, "broker", "ok", "the stream is there"), "the stream was looked at");
	/* on a busy machine the store is slow at times, and that is said */
	for (size_t i = 0; i < COUNT(parts); i++)
		WAIT_UNTIL(10000, finds(0, parts[i], "ok", ""), parts[i]);
	assert_true(finds(0, "store", "ok", "Redis 7"));
	assert_true(finds(0, "broker", "ok", "3 of 3 relays"));
	assert_true(finds(0, "queue:default/demo", "ok", "hold: 0 wait"));
	assert_true(finds(0, "settings", "warn", "WR_SECURE_COOKIES=1"));
}

static void a_paused_store_is_named_and_the_answer_still_comes(void **state)
{
	(void)state;
	redis_pause(stack->redis);
	WAIT_UNTIL(10000, finds(1, "store", "fail", "does not answer"), "the store is named");
	assert_true(finds(1, "admitter", "warn", "does not answer"));
	redis_continue(stack->redis);
	await_health();
}

static void a_killed_store_is_named_with_its_runbook(void **state)
{
	(void)state;
	redis_kill(stack->redis);
	WAIT_UNTIL(10000, finds(0, "store", "fail", "LineFrozen"), "the store is named");
	redis_restart(stack->redis);
	await_health();
}

static void a_store_that_has_become_a_replica_is_named(void **state)
{
	(void)state;
	free(redis_do(stack->redis, "REPLICAOF 127.0.0.1 1"));
	WAIT_UNTIL(10000, finds(0, "store", "fail", "the server is a replica"), "the store is named");
	free(redis_do(stack->redis, "REPLICAOF NO ONE"));
	await_health();
}

static void an_admin_key_that_ends_soon_is_named(void **state)
{
	(void)state;
	char body[160];
	snprintf(body, sizeof(body),
			 "{\"name\":\"night shift\",\"role\":\"viewer\",\"tenant\":\"*\",\"expires_ms\":%lld}",
			 (long long)(clock_wall().ms + INT64_C(3) * 86400000 + 3600000));
	WR_AUTO(http_answer_free_at)
	struct http_answer *made =
		api_admin_as(stack, 0, API_ADMIN_KEY, "POST", "/admin/v1/keys", body);
	api_expect_status(made, 201);
	WAIT_UNTIL(5000, finds(1, "keys", "warn", "\"night shift\" runs out in 3 days"), "its end");
	WR_AUTO(mem_free_at) char *id = http_answer_text(made, "id");
	char path[64];
	snprintf(path, sizeof(path), "/admin/v1/keys/%s", id);
	http_answer_free(api_admin_as(stack, 0, API_ADMIN_KEY, "DELETE", path, NULL));
	assert_false(finds(1, "keys", "warn", "runs out"));
}

static void a_store_that_is_full_or_evicts_is_named(void **state)
{
	(void)state;
	free(redis_do(stack->redis, "CONFIG SET maxmemory-policy allkeys-lru"));
	free(redis_do(stack->redis, "CONFIG SET maxmemory 1gb"));
	assert_true(finds(0, "store", "fail", "allkeys-lru"));
	free(redis_do(stack->redis, "CONFIG SET maxmemory-policy noeviction"));
	assert_false(finds(0, "store", "fail", ""));
	free(redis_do(stack->redis, "CONFIG SET maxmemory 1"));
	assert_true(finds(0, "store", "fail", "StoreMemoryHigh"));
	free(redis_do(stack->redis, "CONFIG SET maxmemory 0"));
	await_health();
}

static void a_killed_broker_is_named(void **state)
{
	(void)state;
	nats_kill(stack->nats);
	WAIT_UNTIL(10000, finds(0, "broker", "fail", "BrokerUnreachable"), "the broker is named");
	assert_false(finds(0, "store", "fail", ""));
	nats_restart(stack->nats);
	WAIT_UNTIL(15000, finds(0, "broker", "ok", "3 of 3"), "the relays are back");
}

static void a_dead_admitter_is_named(void **state)
{
	(void)state;
	process_kill(stack_admitter(stack, 0));
	WAIT_UNTIL(10000, finds(0, "admitter", "fail", "NoAdmitter"), "nobody admits");
	assert_true(finds(0, "pods", "warn", "AdmitterDown"));
	stack_restart_admitter(stack, 0);
	await_health();
}

static void a_stopped_pod_is_named_and_no_other(void **state)
{
	(void)state;
	char address[96];
	process_pause(stack_pod(stack, 1));
	snprintf(address, sizeof(address), "(api at %s) has said nothing",
			 stack_internal_url(stack, 1) + strlen("http://"));
	WAIT_UNTIL(10000, finds(0, "pods", "warn", address), "the stopped pod is named");
	snprintf(address, sizeof(address), "(api at %s) has said nothing",
			 stack_internal_url(stack, 0) + strlen("http://"));
	assert_false(finds(0, "pods", "warn", address));
	process_continue(stack_pod(stack, 1));
	WAIT_UNTIL(10000, !finds(0, "pods", "warn", "(api at"), "it reports again");
}

static void put(const char *queue, const char *settings)
{
	char path[96];
	snprintf(path, sizeof(path), "/default/%s", queue);
	WR_AUTO(http_answer_free_at)
	struct http_answer *answer = api_admin(stack, 0, "PUT", path, settings);
	api_expect_status(answer, 201);
}

static bool is_gone(const char *path)
{
	WR_AUTO(http_answer_free_at)
	struct http_answer *answer = api_admin(stack, 0, "DELETE", path, NULL);
	return answer->status == 204 || answer->status == 404;
}

static void settings_that_hold_everybody_up_are_named(void **state)
{
	(void)state;
	put("shut", "{\"capacity\":0}");
	WAIT_UNTIL(5000, finds(0, "settings", "warn", "default/shut is open, but its capacity is 0"),
			   "capacity 0");
	WR_AUTO(mem_free_at) char *token = api_join_present(stack, 0, "shut");
	WAIT_UNTIL(5000, finds(0, "settings", "fail", "default/shut"), "somebody waits there");
	put("hasty", "{\"poll_max_ms\":60000,\"absent_after_ms\":72000,\"heartbeat_ttl_ms\":80000,"
				 "\"rate_per_minute\":0}");
	WAIT_UNTIL(5000, finds(0, "settings", "warn", "default/hasty polls every 60000 ms"), "bounds");
	assert_true(finds(0, "settings", "warn", "its rate_per_minute is 0"));
	assert_true(finds(0, "keys", "warn", "WR_ADMIN_KEYS_FILE was used"));
	WAIT_UNTIL(10000, is_gone("/default/shut"), "shut is deleted");
	WAIT_UNTIL(10000, is_gone("/default/hasty"), "hasty is deleted");
}

static void a_broken_promise_is_named(void **state)
{
	(void)state;
	(void)api_store_number(stack, "HSET wr:{default/demo}:counts violated:double 2");
	WAIT_UNTIL(5000, finds(1, "invariants", "fail", "2 people were let in twice"), "the count");
	(void)api_store_number(stack, "HDEL wr:{default/demo}:counts violated:double");
	await_health();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_healthy_room_has_a_line_for_every_part),
		cmocka_unit_test(a_paused_store_is_named_and_the_answer_still_comes),
		cmocka_unit_test(a_killed_store_is_named_with_its_runbook),
		cmocka_unit_test(a_store_that_has_become_a_replica_is_named),
		cmocka_unit_test(an_admin_key_that_ends_soon_is_named),
		cmocka_unit_test(a_store_that_is_full_or_evicts_is_named),
		cmocka_unit_test(a_killed_broker_is_named),
		cmocka_unit_test(a_dead_admitter_is_named),
		cmocka_unit_test(a_stopped_pod_is_named_and_no_other),
		cmocka_unit_test(settings_that_hold_everybody_up_are_named),
		cmocka_unit_test(a_broken_promise_is_named),
	};
	return cmocka_run_group_tests(tests, open_room, shared_stack_close);
}
