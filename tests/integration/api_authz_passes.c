/* From the room to the site: a pass becomes one session, once, for who was let in; and a session
 * that was ended, or is handed on, passes no more.
 */
#include "support/api.h"
#include "support/cmocka.h"
#include "support/process.h"
#include "support/shared_stack.h"
#include "support/wait.h"
#include "waitingroom/memory.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SHOP "\"capacity\":1000,\"burst\":1000,\"allowed_targets\":[\"https://shop.example\"]"
#define HOME "X-Forwarded-For: 192.0.2.7\r\nUser-Agent: Mozilla/5.0 Firefox/130.0\r\n"
#define NEXT_DOOR "X-Forwarded-For: 192.0.2.200\r\nUser-Agent: Mozilla/5.0 (X11) Firefox/131.0\r\n"
#define ABROAD "X-Forwarded-For: 198.51.100.7\r\nUser-Agent: Mozilla/5.0 Firefox/130.0\r\n"
#define OTHER_BROWSER "X-Forwarded-For: 192.0.2.7\r\nUser-Agent: curl/8.0\r\n"

static const char *url;

static int open_room(void **state)
{
	(void)state;
	stack = stack_start(&(struct stack_options){
		.pods = 2,
		.without_nats = true,
		.admin_keys = API_ADMIN_KEYS_FILE,
		.env = (const char *const[]){NO_RATE_LIMITS, "WR_TRUSTED_PROXIES=127.0.0.1", "WR_WORKERS=1",
									 NULL},
		.queues = QUEUES(QUEUE("shop", SHOP) "," QUEUE("strict", SHOP ",\"sharing\":\"requeue\"") //
						 "," QUEUE("lax", SHOP ",\"sharing\":\"off\""))});
	url = stack_url(stack, 0);
	return 0;
}

/* ---- visitors ---- */

struct visitor {
	char *session; /* token */
	char *pass;
	char *position_id;
};

static void leave(struct visitor *visitor)
{
	free(visitor->session);
	free(visitor->pass);
	free(visitor->position_id);
}

/* Somebody who is let in, from HOME. */
static struct visitor enter(const char *queue)
{
	char body[128];
	snprintf(body, sizeof(body), "{\"queue_id\":\"%s\",\"target\":\"https://shop.example/\"}",
			 queue);
	WR_AUTO(http_answer_free_at)
	struct http_answer *answer = http_call(url, "POST", "/enqueue", HOME, body);
	api_expect_place(answer, "admitted");
	WR_AUTO(mem_free_at) char *redirect = http_answer_text(answer, "redirect_url");
	const char *pass = strstr(redirect, "?wr_pass=");
	assert_non_null(pass);
	return (struct visitor){.session = http_answer_text(answer, "session_token"),
							.pass = strdup(pass + strlen("?wr_pass=")),
							.position_id = http_answer_text(answer, "position_id")};
}

static struct http_answer *check(int pod, const char *queue, const char *method, const char *path,
								 const char *headers)
{
	char mount[160], all[4096];
	snprintf(mount, sizeof(mount), "/authz/forward?queue=default/%s", queue);
	snprintf(all, sizeof(all),
			 "X-Forwarded-Method: %s\r\nX-Forwarded-Proto: https\r\n"
			 "X-Forwarded-Host: shop.example\r\nX-Forwarded-Uri: %s\r\nAccept: text/html\r\n%s",
			 method, path, headers);
	return http_call(stack_url(stack, pod), "GET", mount, all, NULL);
}

/* Comes with a pass; status 200 or 302 and a cookie, or on to the room. gives the cookie or NULL */
static char *come_with_pass(int pod, const char *queue, const struct visitor *visitor,
							const char *from)
{
	char path[2048];
	snprintf(path, sizeof(path), "/a?wr_pass=%s", visitor->pass);
	WR_AUTO(http_answer_free_at) struct http_answer *answer = check(pod, queue, "GET", path, from);
	api_expect_status(answer, 302);
	const char *location = http_answer_header(answer, "Location");
	const char *cookie = http_answer_header(answer, "Set-Cookie");
	if (!cookie) {
		assert_non_null(strstr(location, "/q/default/"));
		return NULL;
	}
	assert_string_equal(location, "https://shop.example/a");
	return strndup(cookie, strcspn(cookie, ";"));
}

static bool passes(int pod, const char *queue, const char *cookie, const char *from)
{
	char headers[2400];
	snprintf(headers, sizeof(headers), "%sCookie: %s\r\n", from, cookie);
	WR_AUTO(http_answer_free_at)
	struct http_answer *answer = check(pod, queue, "GET", "/", headers);
	if (answer->status != 200)
		api_expect_status(answer, 302);
	return answer->status == 200;
}

static bool token_passes(int pod, const char *queue, const char *token, const char *from)
{
	char cookie[1200];
	snprintf(cookie, sizeof(cookie), "wr-session-%s=%s", queue, token);
	return passes(pod, queue, cookie, from);
}

/* ---- passes ---- */

static void a_pass_is_good_once_on_whichever_pod(void **state)
{
	(void)state;
	struct visitor visitor = enter("shop");
	WR_AUTO(mem_free_at) char *cookie = come_with_pass(1, "shop", &visitor, HOME);
	assert_non_null(cookie);
	assert_null(come_with_pass(0, "shop", &visitor, HOME));
	assert_null(come_with_pass(1, "shop", &visitor, HOME));
	assert_true(passes(0, "shop", cookie, HOME));
	assert_true(passes(1, "shop", cookie, HOME));
	WR_AUTO(mem_free_at) char *id = api_position_id(strchr(cookie, '=') + 1);
	assert_string_equal(id, visitor.position_id);
	leave(&visitor);
}

static void a_pass_into_one_queue_is_none_for_another(void **state)
{
	(void)state;
	struct visitor visitor = enter("shop");
	assert_null(come_with_pass(0, "lax", &visitor, HOME));
	WR_AUTO(mem_free_at) char *cookie = come_with_pass(0, "shop", &visitor, HOME); /* not spent */
	assert_non_null(cookie);
	leave(&visitor);
}

static void a_form_that_is_sent_with_a_pass_keeps_its_body(void **state)
{
	(void)state;
	struct visitor visitor = enter("shop");
	char path[2048];
	snprintf(path, sizeof(path), "/buy?wr_pass=%s", visitor.pass);
	WR_AUTO(http_answer_free_at) struct http_answer *answer = check(0, "shop", "POST", path, HOME);
	api_expect_status(answer, 200); /* a redirect would lose it */
	assert_non_null(http_answer_header(answer, "Set-Cookie"));
	assert_string_equal(http_answer_header(answer, "X-WaitingRoom-State"), "admitted");
	assert_string_equal(http_answer_header(answer, "X-WaitingRoom-Session"), visitor.position_id);
	leave(&visitor);
}

static void a_pass_to_an_address_that_is_not_allowed_lets_in_without_a_redirect(void **state)
{
	(void)state;
	struct visitor visitor = enter("shop");
	char headers[4096];
	snprintf(headers, sizeof(headers),
			 "X-Original-URL: https://www.shop.example/?wr_pass=%s\r\nAccept: text/html\r\n" HOME,
			 visitor.pass);
	WR_AUTO(http_answer_free_at)
	struct http_answer *answer = http_call(url, "GET", "/authz/nginx?queue=shop", headers, NULL);
	api_expect_status(answer, 200); /* back to the room would be for ever */
	assert_non_null(http_answer_header(answer, "Set-Cookie"));
	leave(&visitor);
}

/* There the place is kept, and whoever polls is given another pass. */
static void a_pass_that_the_store_cannot_confirm_leads_back_to_the_room(void **state)
{
	(void)state;
	struct visitor early = enter("shop"), later = enter("shop");
	WR_AUTO(mem_free_at) char *cookie = NULL;
	redis_pause(stack->redis);
	assert_null(come_with_pass(0, "shop", &early, HOME));
	redis_continue(stack->redis);
	WAIT_UNTIL(10000, (cookie = come_with_pass(0, "shop", &later, HOME)) != NULL, "it is back");
	leave(&early);
	leave(&later);
}

/* ---- ended before its time ---- */

static void a_session_that_was_revoked_is_refused_by_every_pod_within_a_second(void **state)
{
	(void)state;
	struct visitor visitor = enter("shop");
	char body[128];
	for (int pod = 0; pod < 2; pod++)
		assert_true(token_passes(pod, "shop", visitor.session, HOME));
	snprintf(body, sizeof(body), "{\"position_id\":\"%s\"}", visitor.position_id);
	WR_AUTO(http_answer_free_at)
	struct http_answer *answer = api_admin(stack, 0, "POST", "/default/shop/revoke", body);
	api_expect_status(answer, 200);
	for (int pod = 0; pod < 2; pod++)
		WAIT_UNTIL(1000, !token_passes(pod, "shop", visitor.session, HOME), "refused");
	assert_null(come_with_pass(1, "shop", &visitor, HOME)); /* nor does the pass help */
	leave(&visitor);
}

static void a_session_that_was_given_back_is_refused_by_every_pod_within_a_second(void **state)
{
	(void)state;
	struct visitor visitor = enter("shop");
	assert_true(token_passes(1, "shop", visitor.session, HOME));
	WR_AUTO(http_answer_free_at)
	struct http_answer *answer = api_poll(url, "/session/release", visitor.session);
	api_expect_status(answer, 200);
	for (int pod = 0; pod < 2; pod++)
		WAIT_UNTIL(1000, !token_passes(pod, "shop", visitor.session, HOME), "refused");
	leave(&visitor);
}

/* ---- sharing ---- */

static void a_strict_queue_requeues_who_comes_with_anothers_session(void **state)
{
	(void)state;
	struct visitor visitor = enter("strict");
	for (int i = 0; i < 2; i++) { /* whatever is remembered from the time before */
		assert_true(token_passes(0, "strict", visitor.session, HOME));
		assert_true(token_passes(0, "strict", visitor.session, NEXT_DOOR));
		assert_false(token_passes(0, "strict", visitor.session, ABROAD));
		assert_false(token_passes(0, "strict", visitor.session, OTHER_BROWSER));
	}
	leave(&visitor);
}

static void a_strict_queue_does_not_take_passes_that_were_handed_on(void **state)
{
	(void)state;
	struct visitor visitor = enter("strict");
	assert_null(come_with_pass(0, "strict", &visitor, ABROAD));
	assert_null(come_with_pass(0, "strict", &visitor, OTHER_BROWSER));
	WR_AUTO(mem_free_at) char *cookie = come_with_pass(0, "strict", &visitor, NEXT_DOOR);
	assert_non_null(cookie); /* nor are they spent by who may not */
	assert_false(passes(0, "strict", cookie, ABROAD));
	leave(&visitor);
}

static void an_ordinary_queue_lets_them_pass_and_counts(void **state)
{
	(void)state;
	static const char shared[] = "wr_gate_sessions_total{session=\"shared\"}";
	const char *internal = stack_internal_url(stack, 0);
	struct visitor visitor = enter("shop");
	double before = stack_metric(internal, shared);
	assert_true(token_passes(0, "shop", visitor.session, HOME));
	assert_true(stack_metric(internal, shared) == before);
	assert_true(token_passes(0, "shop", visitor.session, ABROAD));
	assert_true(token_passes(0, "shop", visitor.session, ABROAD));
	assert_true(stack_metric(internal, shared) == before + 2);
	WAIT_UNTIL(5000, process_log_has(stack_pod(stack, 0), "session_shared"), "a line that says so");
	leave(&visitor);
}

static void a_lax_queue_does_not_look(void **state)
{
	(void)state;
	static const char shared[] = "wr_gate_sessions_total{session=\"shared\"}";
	const char *internal = stack_internal_url(stack, 0);
	struct visitor visitor = enter("lax");
	double before = stack_metric(internal, shared);
	assert_true(token_passes(0, "lax", visitor.session, OTHER_BROWSER));
	assert_true(token_passes(0, "lax", visitor.session, ABROAD));
	assert_true(stack_metric(internal, shared) == before);
	leave(&visitor);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_pass_is_good_once_on_whichever_pod),
		cmocka_unit_test(a_pass_into_one_queue_is_none_for_another),
		cmocka_unit_test(a_form_that_is_sent_with_a_pass_keeps_its_body),
		cmocka_unit_test(a_pass_to_an_address_that_is_not_allowed_lets_in_without_a_redirect),
		cmocka_unit_test(a_session_that_was_revoked_is_refused_by_every_pod_within_a_second),
		cmocka_unit_test(a_session_that_was_given_back_is_refused_by_every_pod_within_a_second),
		cmocka_unit_test(a_strict_queue_requeues_who_comes_with_anothers_session),
		cmocka_unit_test(a_strict_queue_does_not_take_passes_that_were_handed_on),
		cmocka_unit_test(an_ordinary_queue_lets_them_pass_and_counts),
		cmocka_unit_test(a_lax_queue_does_not_look),
		cmocka_unit_test(a_pass_that_the_store_cannot_confirm_leads_back_to_the_room),
	};
	return cmocka_run_group_tests(tests, open_room, shared_stack_close);
}
