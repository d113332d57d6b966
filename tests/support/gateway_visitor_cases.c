/* Visitors with and without a session: who reaches the site, who the room, and how a one-time pass
 * becomes a session.
 */
#include "support/api.h"
#include "support/gateway_cases.h"
#include "support/wait.h"
#include "waitingroom/memory.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- without a session ---- */

static void a_page_without_a_session_goes_to_the_room(void **state)
{
	(void)state;
	int seen = site_count(gateway_world()->site);
	WR_AUTO(mem_free_at) char *target = site_url("/hall?seat=1&row=%C3%A9");
	WR_AUTO(http_answer_free_at)
	struct http_answer *page = visit_page("/hall?seat=1&row=%C3%A9", NULL);
	expect_room(page, target);
	WR_AUTO(http_answer_free_at)
	struct http_answer *navigation =
		visit("GET", "/hall?seat=1&row=%C3%A9", "Accept: */*\r\nSec-Fetch-Mode: navigate\r\n", NULL,
			  NULL);
	expect_room(navigation, target);
	WR_AUTO(http_answer_free_at)
	struct http_answer *head = visit("HEAD", "/hall?seat=1&row=%C3%A9", AS_PAGE, NULL, NULL);
	expect_room(head, target);
	const char *caching = http_answer_header(page, "Cache-Control");
	assert_non_null(caching);
	assert_non_null(strstr(caching, "no-store"));
	assert_int_equal(site_count(gateway_world()->site), seen);
}

static void a_script_without_a_session_is_told_where_to_queue(void **state)
{
	(void)state;
	static const char *const methods[] = {"GET", "POST", "DELETE", "GET"};
	int seen = site_count(gateway_world()->site);
	for (size_t i = 0; i < COUNT(methods); i++) {
		WR_AUTO(http_answer_free_at)
		struct http_answer *answer = visit(methods[i], i < 3 ? "/api/cart" : "/style.css",
										   AS_SCRIPT, NULL, i == 1 ? "{\"piece\":1}" : NULL);
		api_expect_status(answer, 401);
		assert_string_equal(http_answer_header(answer, "Content-Type"), "application/problem+json");
		assert_null(http_answer_header(answer, "Location"));
		assert_int_equal(http_answer_number(answer, "status"), 401);
		WR_AUTO(mem_free_at) char *queue_url = http_answer_text(answer, "queue_url");
		assert_int_equal(strncmp(path_of(queue_url), "/_wr/q/default/demo", 19), 0);
	}
	assert_int_equal(site_count(gateway_world()->site), seen);
}

static void a_form_without_a_session_comes_back_to_its_page(void **state)
{
	(void)state;
	char headers[256];
	WR_AUTO(mem_free_at) char *referring = site_url("/checkout?piece=7");
	snprintf(headers, sizeof(headers),
			 AS_PAGE "Sec-Fetch-Mode: navigate\r\nReferer: %s\r\n"
					 "Content-Type: application/x-www-form-urlencoded\r\n",
			 referring);
	WR_AUTO(http_answer_free_at)
	struct http_answer *answer = visit("POST", "/pay", headers, NULL, "amount=145");
	expect_room(answer, referring);
}

/* ---- with one ---- */

static void a_good_session_reaches_the_site(void **state)
{
	(void)state;
	struct gateway_world *world = gateway_world();
	WR_AUTO(http_answer_free_at)
	struct http_answer *page = visit_page("/hall?seat=1", world->session);
	expect_site(page);
	expect_saw(page, "GET /hall?seat=1 HTTP/1.1\r\n");
	expect_saw(page, "\r\nX-Forwarded-For: 127.0.0.1\r\n");
	expect_saw(page, "theme=dark"); /* the site's own cookies */
	char name[64];
	snprintf(name, sizeof(name), "\r\nX-WaitingRoom-Session: %s\r\n", world->position_id);
	expect_saw(page, name);
	assert_string_equal(http_answer_header(page, "Set-Cookie"), "site=1"); /* no other */

	WR_AUTO(http_answer_free_at)
	struct http_answer *form = visit("POST", "/pay", AS_PAGE, world->session, "amount=145");
	expect_site(form);
	expect_saw(form, "POST /pay HTTP/1.1\r\n");
	expect_saw(form, "\r\n\r\namount=145");
	WR_AUTO(http_answer_free_at)
	struct http_answer *script = visit("PUT", "/api/cart", AS_SCRIPT, world->session, "[]");
	expect_site(script);
	expect_saw(script, "\r\n\r\n[]");
	WR_AUTO(http_answer_free_at)
	struct http_answer *head = visit("HEAD", "/hall", AS_PAGE, world->session, NULL);
	expect_site(head);
}

/* Refused as a page and as a script; nothing reaches the site. */
static void expect_refused(const char *session)
{
	int seen = site_count(gateway_world()->site);
	WR_AUTO(http_answer_free_at) struct http_answer *page = visit_page("/hall", session);
	WR_AUTO(mem_free_at) char *target = site_url("/hall");
	expect_room(page, target);
	WR_AUTO(http_answer_free_at)
	struct http_answer *script = visit("GET", "/hall", AS_SCRIPT, session, NULL);
	api_expect_status(script, 401);
	assert_int_equal(site_count(gateway_world()->site), seen);
}

static void an_expired_session_is_refused(void **state)
{
	(void)state;
	WR_AUTO(mem_free_at) char *good = session_like("default/demo", false, -60, 60);
	WR_AUTO(mem_free_at) char *late = session_like("default/demo", false, -120, -60);
	WR_AUTO(http_answer_free_at) struct http_answer *page = visit_page("/hall", good);
	expect_site(page);
	expect_refused(late);
}

static void a_tampered_session_is_refused(void **state)
{
	(void)state;
	WR_AUTO(mem_free_at) char *session = mem_copy_string(gateway_world()->session);
	char *signature = strrchr(session, '.') + 1;
	char *payload = strchr(session, '.') + 1;
	signature[10] = signature[10] == 'A' ? 'B' : 'A';
	expect_refused(session);
	strcpy(session, gateway_world()->session);
	payload[20] = payload[20] == 'A' ? 'B' : 'A';
	expect_refused(session);
	strcpy(session, gateway_world()->session);
	*signature = '\0';
	expect_refused(session);
	expect_refused("");
	expect_refused("eyJhbGciOiJub25lIn0.e30.");
}

static void a_session_of_another_queue_is_refused(void **state)
{
	(void)state;
	WR_AUTO(mem_free_at) char *other = session_like("default/other", false, -1, 60);
	expect_refused(other);
	WR_AUTO(mem_free_at) char *tenant = session_like("acme/demo", false, -1, 60);
	expect_refused(tenant);
}

static void the_token_of_a_place_is_no_session(void **state)
{
	(void)state;
	WR_AUTO(http_answer_free_at)
	struct http_answer *joined = visit("POST", "/_wr/enqueue", "Content-Type: application/json\r\n",
									   NULL, "{\"queue_id\":\"demo\"}");
	WR_AUTO(mem_free_at) char *token = http_answer_text(joined, "token");
	expect_refused(token);
}

static bool is_refused(const char *session)
{
	WR_AUTO(http_answer_free_at) struct http_answer *answer = visit_page("/hall", session);
	return !is_site(answer);
}

static void a_revoked_session_is_refused_within_a_second(void **state)
{
	(void)state;
	WR_AUTO(http_answer_free_at) struct http_answer *admitted = get_let_in(NULL);
	WR_AUTO(mem_free_at) char *session = http_answer_text(admitted, "session_token");
	WR_AUTO(mem_free_at) char *id = api_position_id(session);
	WR_AUTO(http_answer_free_at) struct http_answer *page = visit_page("/hall", session);
	expect_site(page);
	char body[64];
	snprintf(body, sizeof(body), "{\"position_id\":\"%s\"}", id);
	WR_AUTO(http_answer_free_at)
	struct http_answer *revoked =
		api_admin(gateway_world()->stack, 0, "POST", "/default/demo/revoke", body);
	api_expect_status(revoked, 200);
	WAIT_UNTIL(1000, is_refused(session) && is_refused(session), "the pods know of it");
	expect_refused(session);
	WR_AUTO(http_answer_free_at)
	struct http_answer *another = visit_page("/hall", gateway_world()->session);
	expect_site(another);
}

static void a_released_session_is_refused_within_a_second(void **state)
{
	(void)state;
	WR_AUTO(http_answer_free_at) struct http_answer *admitted = get_let_in(NULL);
	WR_AUTO(mem_free_at) char *session = http_answer_text(admitted, "session_token");
	WR_AUTO(http_answer_free_at) struct http_answer *page = visit_page("/hall", session);
	expect_site(page);
	WR_AUTO(http_answer_free_at)
	struct http_answer *released =
		api_poll(stack_url(gateway_world()->stack, 1), "/session/release", session);
	api_expect_status(released, 200);
	WAIT_UNTIL(1000, is_refused(session) && is_refused(session), "the pods know of the release");
}

static void a_session_that_is_used_goes_on(void **state)
{
	(void)state;
	WR_AUTO(mem_free_at) char *half_over = session_like("default/demo", true, -40, 20);
	WR_AUTO(http_answer_free_at)
	struct http_answer *page = visit("POST", "/pay", AS_PAGE, half_over, "amount=1");
	expect_site(page);
	/* beside the site's own cookie; http_answer_header would give the first only */
	const char *renewed = strcasestr(page->head, "\r\nSet-Cookie: wr-session-demo=");
	assert_non_null(renewed);
	assert_non_null(strcasestr(page->head, "\r\nSet-Cookie: site=1"));
	renewed = strchr(renewed, '=') + 1;
	WR_AUTO(mem_free_at) char *token = mem_copy(renewed, strcspn(renewed, ";"));
	assert_string_not_equal(token, half_over);
	WR_AUTO(http_answer_free_at) struct http_answer *again = visit_page("/hall", token);
	expect_site(again);
	assert_null(strcasestr(again->head, "\r\nSet-Cookie: wr-session-demo=")); /* it is fresh */
}

/* ---- the one-time pass ---- */

/* "wr-session-demo=…" of an answer; gives the token. */
static char *session_cookie(const struct http_answer *answer)
{
	const char *cookie = strcasestr(answer->head, "\r\nSet-Cookie: wr-session-demo=");
	if (!cookie)
		fail_msg("no session cookie: %s", answer->head);
	assert_null(strcasestr(cookie + 2, "\r\nSet-Cookie:")); /* one only */
	assert_non_null(strcasestr(cookie, "; HttpOnly"));
	cookie = strchr(cookie, '=') + 1;
	return mem_copy(cookie, strcspn(cookie, ";\r"));
}

static void a_pass_becomes_a_session_and_leaves_the_address(void **state)
{
	(void)state;
	int seen = site_count(gateway_world()->site);
	WR_AUTO(mem_free_at) char *target = site_url("/hall?seat=1&row=2");
	WR_AUTO(http_answer_free_at) struct http_answer *admitted = get_let_in(target);
	WR_AUTO(mem_free_at) char *redirect = http_answer_text(admitted, "redirect_url");
	assert_non_null(strstr(redirect, "wr_pass="));
	WR_AUTO(http_answer_free_at) struct http_answer *first = visit_page(path_of(redirect), NULL);
	api_expect_status(first, 302);
	assert_string_equal(http_answer_header(first, "Location"), target);
	assert_int_equal(site_count(gateway_world()->site), seen); /* nor does the site see the pass */
	WR_AUTO(mem_free_at) char *session = session_cookie(first);
	WR_AUTO(http_answer_free_at) struct http_answer *second = visit_page(path_of(target), session);
	expect_site(second);
	expect_saw(second, "GET /hall?seat=1&row=2 HTTP/1.1\r\n");
}

static void a_pass_works_once(void **state)
{
	(void)state;
	WR_AUTO(mem_free_at) char *target = site_url("/hall");
	WR_AUTO(http_answer_free_at) struct http_answer *admitted = get_let_in(target);
	WR_AUTO(mem_free_at) char *redirect = http_answer_text(admitted, "redirect_url");
	WR_AUTO(http_answer_free_at) struct http_answer *first = visit_page(path_of(redirect), NULL);
	WR_AUTO(mem_free_at) char *session = session_cookie(first);
	/* who was sent the address has no session by it */
	WR_AUTO(http_answer_free_at) struct http_answer *other = visit_page(path_of(redirect), NULL);
	expect_room(other, target);
	assert_null(strcasestr(other->head, "wr-session-demo="));
	/* and the visitor who goes back in the browser just comes in again */
	WR_AUTO(http_answer_free_at) struct http_answer *back = visit_page(path_of(redirect), session);
	api_expect_status(back, 302);
	assert_string_equal(http_answer_header(back, "Location"), target);
}

static void a_tampered_pass_is_worth_nothing(void **state)
{
	(void)state;
	WR_AUTO(mem_free_at) char *target = site_url("/hall");
	WR_AUTO(http_answer_free_at) struct http_answer *admitted = get_let_in(target);
	WR_AUTO(mem_free_at) char *redirect = http_answer_text(admitted, "redirect_url");
	char *signature = strrchr(redirect, '.') + 1;
	signature[10] = signature[10] == 'A' ? 'B' : 'A';
	WR_AUTO(http_answer_free_at) struct http_answer *answer = visit_page(path_of(redirect), NULL);
	expect_room(answer, target);
	/* a session token is no pass either */
	WR_AUTO(mem_free_at) char *path = NULL;
	if (asprintf(&path, "/hall?wr_pass=%s", gateway_world()->session) < 0)
		abort();
	WR_AUTO(http_answer_free_at) struct http_answer *session = visit_page(path, NULL);
	expect_room(session, target);
	/* nor is a pass a session */
	const char *pass = strstr(redirect, "wr_pass=") + strlen("wr_pass=");
	signature[10] = signature[10] == 'A' ? 'B' : 'A';
	expect_refused(pass);
}

/* ---- what the queue is set to ---- */

static void bypass_rules_let_pass_without_a_session(void **state)
{
	(void)state;
	WR_AUTO(http_answer_free_at) struct http_answer *asset = visit_page("/assets/shop.css", NULL);
	expect_site(asset);
	expect_saw(asset, "\r\nX-WaitingRoom-State: bypass\r\n");
	WR_AUTO(http_answer_free_at) struct http_answer *near = visit_page("/assetsx", NULL);
	expect_room(near, NULL);
	WR_AUTO(http_answer_free_at)
	struct http_answer *dots = visit_page("/assets/../hall", NULL);
	assert_false(is_site(dots));
}

static void passthrough_lets_everybody_pass(void **state)
{
	(void)state;
	set_demo(",\"state\":\"passthrough\"");
	WR_AUTO(http_answer_free_at) struct http_answer *open = visit_page("/hall", NULL);
	expect_site(open);
	expect_saw(open, "\r\nX-WaitingRoom-State: passthrough\r\n");
	set_demo("");
	WR_AUTO(http_answer_free_at) struct http_answer *closed = visit_page("/hall", NULL);
	expect_room(closed, NULL);
}

const struct gateway_case gateway_visitor_cases[] = {
	GATEWAY_CASE(a_page_without_a_session_goes_to_the_room, FOR_ALL),
	GATEWAY_CASE(a_script_without_a_session_is_told_where_to_queue, FOR_ALL),
	GATEWAY_CASE(a_form_without_a_session_comes_back_to_its_page, FOR_ALL),
	GATEWAY_CASE(a_good_session_reaches_the_site, FOR_ALL),
	GATEWAY_CASE(an_expired_session_is_refused, FOR_ALL),
	GATEWAY_CASE(a_tampered_session_is_refused, FOR_ALL),
	GATEWAY_CASE(a_session_of_another_queue_is_refused, FOR_ALL),
	GATEWAY_CASE(the_token_of_a_place_is_no_session, FOR_ALL),
	GATEWAY_CASE(a_revoked_session_is_refused_within_a_second, FOR_ASKING),
	GATEWAY_CASE(a_released_session_is_refused_within_a_second, FOR_ASKING),
	GATEWAY_CASE(a_session_that_is_used_goes_on, FOR_ASKING),
	GATEWAY_CASE(a_pass_becomes_a_session_and_leaves_the_address, FOR_ALL),
	GATEWAY_CASE(a_pass_works_once, FOR_ALL),
	GATEWAY_CASE(a_tampered_pass_is_worth_nothing, FOR_ALL),
	GATEWAY_CASE(bypass_rules_let_pass_without_a_session, FOR_ASKING),
	GATEWAY_CASE(passthrough_lets_everybody_pass, FOR_ASKING),
	{.test = {0}},
};
