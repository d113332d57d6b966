/* What gateways that are not run here send to the waiting room, byte for byte as their contracts
 * say, and all of what it answers: a change of an answer shows here first.
 *
 * Traefik 3 (ForwardAuth) and the auth-request script of HAProxy use the forward mount; Envoy,
 * Istio and implementations of the Gateway API the envoy mount; ingress-nginx the nginx mount. The
 * site is https://shop.example, the pods are reached under names of their own.
 */
#include "support/api.h"
#include "support/cmocka.h"
#include "support/shared_stack.h"
#include "waitingroom/memory.h"
#include "waitingroom/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char *session, *position_id;

static int open_room(void **state)
{
	(void)state;
	stack = stack_start(&(struct stack_options){
		.pods = 1,
		.admitters = 1,
		.without_nats = true,
		.queues = QUEUES(QUEUE("demo", "\"rate_per_minute\":600000,\"burst\":1000,"
									   "\"allowed_targets\":[\"https://shop.example\"],"
									   "\"bypass\":[{\"path_prefix\":\"/hooks/\"}]")),
		.admin_keys = API_ADMIN_KEYS_FILE,
		.env = (const char *const[]){NO_RATE_LIMITS, "WR_RELAY=0", "WR_TRUSTED_PROXIES=127.0.0.1",
									 "WR_SECURE_COOKIES=1",
									 "WR_PUBLIC_URL=https://shop.example/_wr", NULL}});
	WR_AUTO(http_answer_free_at)
	struct http_answer *joined = api_enqueue(stack_url(stack, 0), "demo", NULL);
	WR_AUTO(mem_free_at) char *token = http_answer_text(joined, "token");
	api_await(stack_url(stack, 0), token, 5000, "admitted");
	WR_AUTO(http_answer_free_at)
	struct http_answer *admitted = api_poll(stack_url(stack, 0), "/heartbeat", token);
	session = http_answer_text(admitted, "session_token");
	position_id = api_position_id(session);
	return 0;
}

static int close_room(void **state)
{
	free(session);
	free(position_id);
	return shared_stack_close(state);
}

/* ---- comparing ---- */

/* Puts 'to' where 'from' stands, once; gives. */
static char *put_in(const char *text, const char *from, const char *to)
{
	const char *at = strstr(text, from);
	char *made;
	if (!at)
		return mem_copy_string(text);
	if (asprintf(&made, "%.*s%s%s", (int)(at - text), text, to, at + strlen(from)) < 0)
		abort();
	return made;
}

static bool is_of_the_moment(const char *line)
{
	if (strncasecmp(line, "Content-Length:", 15) == 0)
		return strcmp(line + 15, " 0") != 0; /* of a problem: it names the request */
	return strncasecmp(line, "Date:", 5) == 0 || strncasecmp(line, "X-Request-Id:", 13) == 0;
}

/* Status line and headers without those that differ each time, in the order of the answer;
 * gives. */
static char *head_of(const struct http_answer *answer)
{
	char *copy = mem_copy_string(answer->head), *rest = copy;
	char *made = mem_alloc_zero(strlen(copy) + 1, 1);
	for (char *line; (line = strsep(&rest, "\n"));) {
		line[strcspn(line, "\r")] = '\0';
		if (*line && !is_of_the_moment(line))
			strcat(strcat(made, line), "\n");
	}
	free(copy);
	return made;
}

/* {session} and {id} in both texts are those of the stack. gives the answer */
static struct http_answer *expect(const char *request, const char *wanted)
{
	WR_AUTO(mem_free_at) char *asked = put_in(request, "{session}", session);
	WR_AUTO(mem_free_at) char *with_id = put_in(wanted, "{id}", position_id);
	struct http_client *client = http_client_open(stack_url(stack, 0));
	assert_true(http_client_send_raw(client, asked, strlen(asked)));
	bool is_head = strncmp(asked, "HEAD ", 5) == 0;
	struct http_answer *answer =
		is_head ? http_client_read_head(client, 5000) : http_client_read(client, 5000);
	http_client_close(client);
	WR_AUTO(mem_free_at) char *head = head_of(answer);
	assert_string_equal(head, with_id);
	return answer;
}

static void expect_queue_url(const struct http_answer *answer, const char *wanted)
{
	WR_AUTO(mem_free_at) char *url = http_answer_text(answer, "queue_url");
	assert_string_equal(url, wanted);
	WR_AUTO(mem_free_at) char *code = http_answer_text(answer, "code");
	assert_string_equal(code, "session_required");
}

/* base64url of https://shop.example/hall?seat=1 and of https://shop.example/checkout */
#define ROOM "https://shop.example/_wr/q/default/demo"
#define HALL ROOM "?t=aHR0cHM6Ly9zaG9wLmV4YW1wbGUvaGFsbD9zZWF0PTE"
#define CHECKOUT ROOM "?t=aHR0cHM6Ly9zaG9wLmV4YW1wbGUvY2hlY2tvdXQ"
#define COOKIE "Cookie: theme=dark; __Host-wr-session-demo={session}\r\n"
#define FIREFOX                                                                                    \
	"User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0\r\n"
#define PAGE_HEADERS                                                                               \
	FIREFOX "Accept: text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8\r\n"          \
			"Accept-Language: nl,en;q=0.5\r\nAccept-Encoding: gzip, deflate, br, zstd\r\n"         \
			"Sec-Fetch-Dest: document\r\nSec-Fetch-Mode: navigate\r\nSec-Fetch-Site: none\r\n"     \
			"Sec-Fetch-User: ?1\r\nUpgrade-Insecure-Requests: 1\r\n"
#define SCRIPT_HEADERS                                                                             \
	FIREFOX "Accept: application/json\r\nSec-Fetch-Dest: empty\r\nSec-Fetch-Mode: cors\r\n"        \
			"Sec-Fetch-Site: same-origin\r\nReferer: https://shop.example/checkout\r\n"

/* ---- Traefik: GET to the address, all headers of the visitor, X-Forwarded-* ---- */

#define TRAEFIK                                                                                    \
	"GET /authz/forward?queue=default/demo HTTP/1.1\r\nHost: waitingroom.internal:8080\r\n"
#define TRAEFIK_SAYS(method, uri)                                                                  \
	"X-Forwarded-For: 203.0.113.7\r\nX-Forwarded-Host: shop.example\r\n"                           \
	"X-Forwarded-Method: " method "\r\nX-Forwarded-Proto: https\r\nX-Forwarded-Uri: " uri "\r\n"   \
	"\r\n"

#define NEVER_KEPT "Cache-Control: no-store\n"
#define EMPTY "Content-Length: 0\n"
#define PROBLEM "HTTP/1.1 401 Unauthorized\nContent-Type: application/problem+json\n" NEVER_KEPT

#define ADMITTED                                                                                   \
	"HTTP/1.1 200 OK\n" NEVER_KEPT                                                                 \
	"X-WaitingRoom-State: admitted\nX-WaitingRoom-Session: {id}\n" EMPTY
#define BYPASS "HTTP/1.1 200 OK\n" NEVER_KEPT "X-WaitingRoom-State: bypass\n" EMPTY
#define TO(url) "HTTP/1.1 302 Found\n" NEVER_KEPT "Location: " url "\n" EMPTY
#define NO(url) PROBLEM "X-WaitingRoom-Location: " url "\nWWW-Authenticate: Bearer\n"
/* nginx knows no other word for a redirect */
#define NGINX_TO(url) PROBLEM "Location: " url "\nWWW-Authenticate: Bearer\n"

static void traefik_lets_a_session_pass(void **state)
{
	(void)state;
	http_answer_free(
		expect(TRAEFIK PAGE_HEADERS COOKIE TRAEFIK_SAYS("GET", "/hall?seat=1"), ADMITTED));
	http_answer_free(
		expect(TRAEFIK SCRIPT_HEADERS COOKIE TRAEFIK_SAYS("DELETE", "/cart/7"), ADMITTED));
}

static void traefik_sends_a_page_to_the_room(void **state)
{
	(void)state;
	http_answer_free(expect(TRAEFIK PAGE_HEADERS TRAEFIK_SAYS("GET", "/hall?seat=1"), TO(HALL)));
}

static void traefik_sends_a_form_back_to_its_page(void **state)
{
	(void)state;
	http_answer_free(
		expect(TRAEFIK PAGE_HEADERS
			   "Content-Type: application/x-www-form-urlencoded\r\n"
			   "Referer: https://shop.example/checkout\r\n" TRAEFIK_SAYS("POST", "/pay"),
			   TO(CHECKOUT)));
}

static void traefik_tells_a_script_where_to_queue(void **state)
{
	(void)state;
	WR_AUTO(http_answer_free_at)
	struct http_answer *answer =
		expect(TRAEFIK SCRIPT_HEADERS TRAEFIK_SAYS("POST", "/hall?seat=1"), NO(HALL));
	expect_queue_url(answer, HALL);
}

static void traefik_lets_a_webhook_pass_by_rule(void **state)
{
	(void)state;
	http_answer_free(
		expect(TRAEFIK "User-Agent: payments/2\r\nContent-Type: application/json\r\n" TRAEFIK_SAYS(
				   "POST", "/hooks/paid"),
			   BYPASS));
}

static void traefik_does_not_pass_on_what_a_visitor_says_to_nginx(void **state)
{
	(void)state;
	http_answer_free(expect(TRAEFIK PAGE_HEADERS
							"X-Original-URL: https://shop.example/hooks/paid\r\n"
							"X-Original-Method: POST\r\n"
							"X-Original-URI: /hooks/paid\r\n" TRAEFIK_SAYS("GET", "/hall?seat=1"),
							TO(HALL)));
}

/* The script sends HEAD, and every header but Content-Length. */
static void the_lua_script_of_haproxy_asks_with_head(void **state)
{
	(void)state;
#define LUA "HEAD /authz/forward?queue=default/demo HTTP/1.1\r\nHost: shop.example\r\n"
	http_answer_free(expect(LUA PAGE_HEADERS TRAEFIK_SAYS("GET", "/hall?seat=1"), TO(HALL)));
	http_answer_free(expect(LUA PAGE_HEADERS COOKIE TRAEFIK_SAYS("GET", "/hall?seat=1"), ADMITTED));
	http_answer_free(expect(LUA SCRIPT_HEADERS TRAEFIK_SAYS("GET", "/hall?seat=1"), NO(HALL)));
}

/* ---- Envoy, Istio, Gateway API: method, path and Host of the visitor, and the allowed headers
 * ---- */

#define ENVOY(method, path)                                                                        \
	method " /authz/envoy/default/demo" path " HTTP/1.1\r\nHost: shop.example\r\n"
/* as deploy/envoy allows; what Envoy adds by itself */
#define ENVOY_PAGE                                                                                 \
	"accept: text/html,application/xhtml+xml,*/*;q=0.8\r\nsec-fetch-mode: navigate\r\n" ENVOY_ANY
#define ENVOY_SCRIPT                                                                               \
	"accept: application/json\r\nsec-fetch-mode: cors\r\n"                                         \
	"referer: https://shop.example/checkout\r\n" ENVOY_ANY
#define ENVOY_ANY                                                                                  \
	"user-agent: Mozilla/5.0\r\nx-forwarded-for: 203.0.113.7\r\nx-forwarded-proto: https\r\n"      \
	"x-envoy-expected-rq-timeout-ms: 1000\r\ncontent-length: 0\r\n"
#define ENVOY_COOKIE "cookie: theme=dark; __Host-wr-session-demo={session}\r\n"

static void envoy_lets_a_session_pass(void **state)
{
	(void)state;
	static const char *const requests[] = {
		ENVOY("GET", "/hall?seat=1") ENVOY_PAGE ENVOY_COOKIE "\r\n",
		ENVOY("POST", "/pay") ENVOY_PAGE ENVOY_COOKIE "\r\n",
		ENVOY("PUT", "/cart/7") ENVOY_SCRIPT ENVOY_COOKIE "\r\n",
		ENVOY("DELETE", "/cart/7") ENVOY_SCRIPT ENVOY_COOKIE "\r\n",
		ENVOY("PATCH", "/cart/7") ENVOY_SCRIPT ENVOY_COOKIE "\r\n",
		ENVOY("GET", "/") ENVOY_PAGE ENVOY_COOKIE "\r\n",
		/* the visitor's query is not the operator's */
		ENVOY("GET", "/hall?queue=default/other") ENVOY_PAGE ENVOY_COOKIE "\r\n",
		/* a websocket's handshake */
		ENVOY("GET", "/live") "sec-fetch-mode: websocket\r\n" ENVOY_ANY ENVOY_COOKIE "\r\n",
	};
	for (size_t i = 0; i < COUNT(requests); i++)
		http_answer_free(expect(requests[i], ADMITTED));
	http_answer_free(expect(ENVOY("HEAD", "/hall") ENVOY_PAGE ENVOY_COOKIE "\r\n", ADMITTED));
	http_answer_free(expect(ENVOY("OPTIONS", "/cart") ENVOY_SCRIPT ENVOY_COOKIE "\r\n", ADMITTED));
}

static void envoy_sends_a_page_to_the_room(void **state)
{
	(void)state;
	http_answer_free(expect(ENVOY("GET", "/hall?seat=1") ENVOY_PAGE "\r\n", TO(HALL)));
}

static void envoy_sends_a_form_back_to_its_page(void **state)
{
	(void)state;
	http_answer_free(
		expect(ENVOY("POST", "/pay") "referer: https://shop.example/checkout\r\n" ENVOY_PAGE "\r\n",
			   TO(CHECKOUT)));
}

static void envoy_tells_a_script_where_to_queue(void **state)
{
	(void)state;
	WR_AUTO(http_answer_free_at)
	struct http_answer *answer =
		expect(ENVOY("POST", "/hall?seat=1") ENVOY_SCRIPT "\r\n", NO(HALL));
	expect_queue_url(answer, HALL);
}

static void envoy_lets_a_webhook_pass_by_rule(void **state)
{
	(void)state;
	http_answer_free(expect(ENVOY("POST", "/hooks/paid") ENVOY_ANY "\r\n", BYPASS));
}

static void envoy_does_not_pass_on_what_a_visitor_says_to_others(void **state)
{
	(void)state;
	http_answer_free(expect(
		ENVOY("GET",
			  "/hall?seat=1") "X-Forwarded-Uri: /hooks/paid\r\n"
							  "X-Forwarded-Method: POST\r\n"
							  "X-Forwarded-Host: evil.example\r\n"
							  "X-Original-URL: https://evil.example/hooks/paid\r\n" ENVOY_PAGE
							  "\r\n",
		TO(HALL)));
}

/* Allowed headers were forgotten: nobody passes, and the answer says why. */
static void envoy_without_the_scheme_is_told_what_to_allow(void **state)
{
	(void)state;
	struct http_client *client = http_client_open(stack_url(stack, 0));
	http_client_send(client, "GET", "/authz/envoy/default/demo/hall", "Accept: text/html\r\n",
					 NULL);
	WR_AUTO(http_answer_free_at) struct http_answer *answer = http_client_read(client, 5000);
	http_client_close(client);
	api_expect_status(answer, 400);
	assert_non_null(strstr(answer->body, "X-Forwarded-Proto"));
}

/* ---- ingress-nginx ---- */

static void ingress_nginx_gets_a_401_with_the_address(void **state)
{
	(void)state;
#define INGRESS "GET /authz/nginx?queue=default/demo HTTP/1.1\r\nHost: waitingroom.internal\r\n"
#define INGRESS_SAYS                                                                               \
	"X-Original-URL: https://shop.example/hall?seat=1\r\nX-Original-Method: GET\r\n"               \
	"X-Sent-From: nginx-ingress-controller\r\nX-Real-IP: 203.0.113.7\r\n"                          \
	"X-Forwarded-For: 203.0.113.7\r\nX-Auth-Request-Redirect: /hall?seat=1\r\n\r\n"
	http_answer_free(expect(INGRESS PAGE_HEADERS INGRESS_SAYS, NGINX_TO(HALL)));
	http_answer_free(expect(INGRESS SCRIPT_HEADERS INGRESS_SAYS, NO(HALL)));
	http_answer_free(expect(INGRESS PAGE_HEADERS COOKIE INGRESS_SAYS, ADMITTED));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(traefik_lets_a_session_pass),
		cmocka_unit_test(traefik_sends_a_page_to_the_room),
		cmocka_unit_test(traefik_sends_a_form_back_to_its_page),
		cmocka_unit_test(traefik_tells_a_script_where_to_queue),
		cmocka_unit_test(traefik_lets_a_webhook_pass_by_rule),
		cmocka_unit_test(traefik_does_not_pass_on_what_a_visitor_says_to_nginx),
		cmocka_unit_test(the_lua_script_of_haproxy_asks_with_head),
		cmocka_unit_test(envoy_lets_a_session_pass),
		cmocka_unit_test(envoy_sends_a_page_to_the_room),
		cmocka_unit_test(envoy_sends_a_form_back_to_its_page),
		cmocka_unit_test(envoy_tells_a_script_where_to_queue),
		cmocka_unit_test(envoy_lets_a_webhook_pass_by_rule),
		cmocka_unit_test(envoy_does_not_pass_on_what_a_visitor_says_to_others),
		cmocka_unit_test(envoy_without_the_scheme_is_told_what_to_allow),
		cmocka_unit_test(ingress_nginx_gets_a_401_with_the_address),
	};
	return cmocka_run_group_tests_name("gateway_contract", tests, open_room, close_room);
}
