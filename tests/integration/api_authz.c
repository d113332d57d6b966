/* Gate checks beyond one question: sessions that slide, end and are given back, outages, strangers.
 * What each mount says to each question is in api_authz_<mount>.c.
 */
#include "support/api.h"
#include "support/cmocka.h"
#include "support/shared_stack.h"
#include "support/wait.h"
#include "waitingroom/memory.h"
#include "waitingroom/text.h"
#include "waitingroom/token.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ROOMY "\"capacity\":1000,\"burst\":1000"
#define PAGE "Accept: text/html\r\n"
#define AT(path) "X-Original-URL: https://shop.example" path "\r\n"

static const char *url;

static int open_room(void **state)
{
	(void)state;
	stack = stack_start(&(struct stack_options){
		.pods = 1,
		.without_nats = true,
		.admin_keys = API_ADMIN_KEYS_FILE,
		.env = (const char *const[]){NO_RATE_LIMITS, "WR_TRUSTED_PROXIES=127.0.0.1",
									 "WR_SYNC_INTERVAL_MS=50", "WR_WORKERS=1", NULL},
		.queues = QUEUES(
			QUEUE("shop", ROOMY) ","														//
			QUEUE("sliding", ROOMY ",\"session_renewal\":true,\"session_ttl_ms\":2000") "," //
			QUEUE("fixed", ROOMY ",\"session_ttl_ms\":2000") ","							//
			QUEUE("acme/shop", ROOMY) "," QUEUE(
				"targets", "\"allowed_targets\":[\"https://shop.example\"]") "," //
			QUEUE("closing", ROOMY) ","											 //
			QUEUE("open", "\"on_outage\":\"open\",\"rate_per_minute\":60,"
						  "\"burst\":3,\"capacity\":1000"))});
	url = stack_url(stack, 0);
	return 0;
}

static struct http_answer *check_at(const char *pod, const char *queue, const char *headers)
{
	char path[160];
	print_into(path, "/authz/nginx?queue=%s", queue);
	return http_call(pod, "GET", path, headers, NULL);
}

static struct http_answer *check(const char *queue, const char *headers)
{
	return check_at(url, queue, headers);
}

/* With a session cookie, as a page. */
static struct http_answer *check_with(const char *queue, const char *cookie)
{
	char headers[2048];
	print_into(headers, AT("/") PAGE "Cookie: %s\r\n", cookie);
	return check(queue, headers);
}

static int status_with(const char *queue, const char *cookie)
{
	WR_AUTO(http_answer_free_at) struct http_answer *answer = check_with(queue, cookie);
	return answer->status;
}

static void expect_state(const struct http_answer *answer, const char *word)
{
	api_expect_status(answer, 200);
	const char *given = http_answer_header(answer, "X-WaitingRoom-State");
	assert_non_null(given);
	assert_string_equal(given, word);
}

/* "wr-session-<name>=<token>" of somebody who was let in; gives */
static char *enter(const char *queue, const char *name)
{
	WR_AUTO(http_answer_free_at) struct http_answer *answer = api_enqueue(url, queue, NULL);
	api_expect_place(answer, "admitted");
	WR_AUTO(mem_free_at) char *token = http_answer_text(answer, "session_token");
	char cookie[TOKEN_MAX_BYTES + 128];
	print_into(cookie, "wr-session-%s=%s", name, token);
	return mem_copy_string(cookie);
}

/* The pair that a Set-Cookie sets; gives. NULL: there is none. */
static char *cookie_of(const struct http_answer *answer)
{
	const char *header = http_answer_header(answer, "Set-Cookie");
	return header ? strndup(header, strcspn(header, ";")) : NULL;
}

static int cookies_set(const struct http_answer *answer)
{
	int count = 0;
	for (const char *at = answer->head; (at = strcasestr(at, "\r\nSet-Cookie:")) != NULL; at += 2)
		count++;
	return count;
}

static void expect_attributes(const struct http_answer *answer)
{
	const char *attributes = strchr(http_answer_header(answer, "Set-Cookie"), ';');
	assert_true(strcmp(attributes, "; Path=/; Max-Age=2; HttpOnly; SameSite=Lax") == 0 ||
				strcmp(attributes, "; Path=/; Max-Age=3; HttpOnly; SameSite=Lax") == 0);
}

/* ---- sessions ---- */

static void each_queue_has_a_cookie_of_its_own(void **state)
{
	(void)state;
	WR_AUTO(mem_free_at) char *one = enter("shop", "shop");
	WR_AUTO(mem_free_at) char *other = enter("acme/shop", "acme.shop");
	char both[2048];
	print_into(both, "%s; %s", other, one);
	assert_int_equal(status_with("default/shop", both), 200);
	assert_int_equal(status_with("acme/shop", both), 200);
	assert_int_equal(status_with("acme/shop", one), 401);
	assert_int_equal(status_with("default/shop", other), 401);
}

/* The server writes one answer over the last. */
static void answers_on_one_connection_name_each_its_own_session(void **state)
{
	(void)state;
	struct http_client *client = http_client_open(url);
	char *cookies[3], *ids[3];
	for (int i = 0; i < 3; i++) {
		cookies[i] = enter("shop", "shop");
		ids[i] = api_position_id(strchr(cookies[i], '=') + 1);
	}
	for (int i = 0; i < 12; i++) {
		char headers[2048];
		print_into(headers, AT("/") "Cookie: %s\r\n", cookies[i * 5 % 3]);
		http_client_send(client, "GET", "/authz/nginx?queue=shop", headers, NULL);
		WR_AUTO(http_answer_free_at) struct http_answer *answer = http_client_read(client, 5000);
		expect_state(answer, "admitted");
		assert_string_equal(http_answer_header(answer, "X-WaitingRoom-Session"), ids[i * 5 % 3]);
	}
	for (int i = 0; i < 3; i++) {
		free(cookies[i]);
		free(ids[i]);
	}
	http_client_close(client);
}

static void a_session_that_is_used_slides(void **state)
{
	(void)state;
	WR_AUTO(mem_free_at) char *cookie = enter("sliding", "sliding");
	struct http_answer *answer = check_with("default/sliding", cookie);
	expect_state(answer, "admitted");
	assert_int_equal(cookies_set(answer), 0); /* it is new */
	struct mono_time end = mono_add_ms(clock_mono(), 4000);
	int exchanges = 0;
	/* Twice as long as a session lasts, always with the cookie that the browser would have. */
	while (clock_mono().ns < end.ns) {
		http_answer_free(answer);
		answer = check_with("default/sliding", cookie);
		expect_state(answer, "admitted");
		char *next = cookie_of(answer);
		if (next) {
			assert_int_equal(cookies_set(answer), 1);
			expect_attributes(answer);
			free(cookie);
			cookie = next;
			exchanges++;
		}
		wait_a_little(wait_deadline(10000), 10000, "time", __FILE__, __LINE__);
	}
	http_answer_free(answer);
	assert_in_range(exchanges, 2, 8);
}

static void requests_that_come_together_exchange_a_token_once(void **state)
{
	(void)state;
	WR_AUTO(mem_free_at) char *cookie = enter("sliding", "sliding");
	WR_AUTO(mem_free_at) char *next = NULL;
	struct mono_time deadline = wait_deadline(5000);
	while (!next) {
		WR_AUTO(http_answer_free_at)
		struct http_answer *answer = check_with("default/sliding", cookie);
		next = cookie_of(answer);
		if (!next)
			wait_a_little(deadline, 5000, "a new token", __FILE__, __LINE__);
	}
	for (int i = 0; i < 5; i++) {
		WR_AUTO(http_answer_free_at)
		struct http_answer *answer = check_with("default/sliding", cookie);
		expect_state(answer, "admitted");
		assert_int_equal(cookies_set(answer), 0);
	}
}

static void a_fixed_session_is_never_exchanged(void **state)
{
	(void)state;
	WR_AUTO(mem_free_at) char *cookie = enter("fixed", "fixed");
	struct mono_time end = mono_add_ms(clock_mono(), 1500);
	while (clock_mono().ns < end.ns) {
		WR_AUTO(http_answer_free_at)
		struct http_answer *answer = check_with("default/fixed", cookie);
		expect_state(answer, "admitted");
		assert_int_equal(cookies_set(answer), 0);
		wait_a_little(wait_deadline(10000), 10000, "time", __FILE__, __LINE__);
	}
}

static void a_session_does_not_survive_its_queue(void **state)
{
	(void)state;
	WR_AUTO(mem_free_at) char *cookie = enter("closing", "closing");
	assert_int_equal(status_with("default/closing", cookie), 200);
	WR_AUTO(http_answer_free_at)
	struct http_answer *gone = api_admin(stack, 0, "DELETE", "/default/closing", NULL);
	assert_in_range(gone->status, 200, 204);
	WAIT_UNTIL(5000, status_with("default/closing", cookie) == 404, "the queue is gone");
	WR_AUTO(http_answer_free_at)
	struct http_answer *made =
		api_admin(stack, 0, "PUT", "/default/closing", "{\"capacity\":1000,\"burst\":1000}");
	assert_in_range(made->status, 200, 201);
	WAIT_UNTIL(5000, status_with("default/closing", "none=1") == 401, "it is there again");
	assert_int_equal(status_with("default/closing", cookie), 401);
}

static void the_sites_page_gives_the_session_back_with_its_cookie(void **state)
{
	(void)state;
	WR_AUTO(mem_free_at) char *cookie = enter("shop", "shop");
	char headers[2048];
	print_into(headers, "Cookie: %s\r\nSec-Fetch-Site: cross-site\r\n", cookie);
	WR_AUTO(http_answer_free_at)
	struct http_answer *foreign = http_call(url, "POST", "/session/release", headers, "");
	api_expect_problem(foreign, 403, "forbidden");
	print_into(headers, "Cookie: %s\r\nSec-Fetch-Site: same-origin\r\n", cookie);
	WR_AUTO(http_answer_free_at)
	struct http_answer *other =
		http_call(url, "POST", "/session/release?queue=acme/shop", headers, "");
	api_expect_problem(other, 401, "bad_token");
	int64_t before = api_store_number(stack, "ZCARD wr:{default/shop}:sessions");
	WR_AUTO(http_answer_free_at)
	struct http_answer *own = http_call(url, "POST", "/session/release?queue=shop", headers, "");
	api_expect_status(own, 200);
	assert_non_null(http_answer_header(own, "Set-Cookie"));
	assert_non_null(strstr(http_answer_header(own, "Set-Cookie"), "wr-session-shop=; "));
	assert_int_equal(api_store_number(stack, "ZCARD wr:{default/shop}:sessions"), before - 1);
}

/* ---- long addresses ---- */

static void the_longest_way_back_is_told_whole(void **state)
{
	(void)state;
	char path[2100], headers[2400];
	memset(path, 'x', sizeof(path));
	path[0] = '/';
	path[2048 - strlen("https://shop.example")] = '\0';
	print_into(headers, AT("%s"), path);
	WR_AUTO(http_answer_free_at) struct http_answer *script = check("targets", headers);
	api_expect_problem(script, 401, "session_required");
	WR_AUTO(mem_free_at) char *queue_url = http_answer_text(script, "queue_url");
	assert_string_equal(queue_url, http_answer_header(script, "X-WaitingRoom-Location"));
	assert_int_equal(strlen(queue_url),
					 strlen("https://shop.example/q/default/targets?t=") + BASE64URL_LEN(2048));
	strcpy(path + strlen(path), "x"); /* one byte more has no way back */
	print_into(headers, AT("%s") PAGE, path);
	WR_AUTO(http_answer_free_at) struct http_answer *page = check("targets", headers);
	api_expect_status(page, 401);
	assert_string_equal(http_answer_header(page, "Location"),
						"https://shop.example/q/default/targets");
}

/* ---- outages ---- */

static void an_outage_lets_the_admitted_pass_and_keeps_the_others(void **state)
{
	(void)state;
	WR_AUTO(mem_free_at) char *cookie = enter("shop", "shop");
	redis_pause(stack->redis);
	WAIT_UNTIL(10000, status_with("default/open", "none=1") == 200, "the picture is stale");
	assert_int_equal(status_with("default/shop", cookie), 200);
	assert_int_equal(status_with("default/shop", "none=1"), 401);
	redis_continue(stack->redis);
	WAIT_UNTIL(10000, status_with("default/open", "none=1") == 401, "the picture is fresh again");
}

/* The cookie of somebody who is let in without one; NULL: nobody is. gives */
static char *slip_in(void)
{
	WR_AUTO(http_answer_free_at) struct http_answer *answer = check_with("default/open", "none=1");
	if (answer->status != 200)
		return NULL;
	expect_state(answer, "open");
	assert_int_equal(cookies_set(answer), 1);
	return cookie_of(answer);
}

static void an_outage_of_an_open_queue_lets_in_so_many(void **state)
{
	(void)state;
	int passed = 0;
	WR_AUTO(mem_free_at) char *cookie = NULL;
	redis_pause(stack->redis);
	WAIT_UNTIL(10000, (cookie = slip_in()) != NULL, "the picture is stale");
	/* One a second and a burst of three: a hundred at once are not let in. */
	for (int i = 0; i < 100; i++) {
		WR_AUTO(mem_free_at) char *another = slip_in();
		passed += another != NULL;
	}
	assert_in_range(passed, 0, 10);
	/* What follows the first page is the same visitor, and is not counted again. */
	for (int i = 0; i < 20; i++) {
		WR_AUTO(http_answer_free_at)
		struct http_answer *answer = check_with("default/open", cookie);
		expect_state(answer, "admitted");
		assert_int_equal(cookies_set(answer), 0);
	}
	redis_continue(stack->redis);
	assert_true(stack_metric(stack_internal_url(stack, 0),
							 "wr_gate_checks_total{mount=\"nginx\",decision=\"open\"}") > passed);
}

/* ---- who asks ---- */

static void who_is_no_trusted_proxy_is_refused_and_told_the_remedy(void **state)
{
	(void)state;
	struct stack *strange = stack_start(
		&(struct stack_options){.pods = 1,
								.without_nats = true,
								.env = (const char *const[]){"WR_TRUSTED_PROXIES=10.0.0.0/8", NULL},
								.queues = QUEUES(QUEUE("open-door", "\"state\":\"passthrough\""))});
	static const char headers[] = AT("/") "X-Forwarded-For: 10.0.0.1\r\n";
	WR_AUTO(http_answer_free_at)
	struct http_answer *answer = check_at(stack_url(strange, 0), "open-door", headers);
	api_expect_problem(answer, 403, "forbidden");
	WR_AUTO(mem_free_at) char *detail = http_answer_text(answer, "detail");
	assert_non_null(strstr(detail, "127.0.0.1"));
	assert_non_null(strstr(detail, "WR_TRUSTED_PROXIES"));
	assert_true(stack_metric(stack_internal_url(strange, 0),
							 "wr_gate_trouble_total{kind=\"untrusted_peer\"}") == 1);
	stack_free(strange);
}

static void a_pod_that_has_not_read_the_queues_asks_for_another_try(void **state)
{
	(void)state;
	struct stack *young = stack_start(&(struct stack_options){
		.without_nats = true, .env = (const char *const[]){"WR_TRUSTED_PROXIES=127.0.0.1", NULL}});
	redis_pause(young->redis);
	int pod = stack_launch_pod(young);
	WR_AUTO(http_answer_free_at)
	struct http_answer *answer = check_at(stack_url(young, pod), "shop", AT("/") PAGE);
	api_expect_problem(answer, 503, "store_unavailable");
	assert_non_null(http_answer_header(answer, "Retry-After"));
	redis_continue(young->redis);
	stack_free(young);
}

static void what_is_decided_is_counted(void **state)
{
	(void)state;
	const char *internal = stack_internal_url(stack, 0);
	WR_AUTO(mem_free_at) char *cookie = enter("shop", "shop");
	static const char known[] = "wr_gate_tokens_total{source=\"known\"}";
	static const char verified[] = "wr_gate_tokens_total{source=\"verified\"}";
	static const char admitted[] = "wr_gate_checks_total{mount=\"nginx\",decision=\"admitted\"}";
	static const char sent[] = "wr_gate_checks_total{mount=\"nginx\",decision=\"room\"}";
	double before[] = {stack_metric(internal, known), stack_metric(internal, verified),
					   stack_metric(internal, admitted), stack_metric(internal, sent)};
	for (int i = 0; i < 10; i++)
		assert_int_equal(status_with("default/shop", cookie), 200);
	assert_int_equal(status_with("default/shop", "none=1"), 401);
	assert_true(stack_metric(internal, known) == before[0] + 9);
	assert_true(stack_metric(internal, verified) == before[1] + 1);
	assert_true(stack_metric(internal, admitted) == before[2] + 10);
	assert_true(stack_metric(internal, sent) == before[3] + 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_queue_has_a_cookie_of_its_own),
		cmocka_unit_test(answers_on_one_connection_name_each_its_own_session),
		cmocka_unit_test(a_session_that_is_used_slides),
		cmocka_unit_test(requests_that_come_together_exchange_a_token_once),
		cmocka_unit_test(a_fixed_session_is_never_exchanged),
		cmocka_unit_test(a_session_does_not_survive_its_queue),
		cmocka_unit_test(the_sites_page_gives_the_session_back_with_its_cookie),
		cmocka_unit_test(the_longest_way_back_is_told_whole),
		cmocka_unit_test(an_outage_lets_the_admitted_pass_and_keeps_the_others),
		cmocka_unit_test(an_outage_of_an_open_queue_lets_in_so_many),
		cmocka_unit_test(who_is_no_trusted_proxy_is_refused_and_told_the_remedy),
		cmocka_unit_test(a_pod_that_has_not_read_the_queues_asks_for_another_try),
		cmocka_unit_test(what_is_decided_is_counted),
	};
	return cmocka_run_group_tests(tests, open_room, shared_stack_close);
}
