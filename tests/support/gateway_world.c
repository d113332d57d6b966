/* The world of the gateway tests: one stack with two pods, a site that echoes, one gateway. */
#include "support/gateway_world.h"

#include "support/api.h"
#include "support/process.h"
#include "support/wait.h"
#include "waitingroom/keys.h"
#include "waitingroom/memory.h"
#include "waitingroom/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define COOKIE_NAME "wr-session-demo"

static struct gateway_world world;

struct gateway_world *gateway_world(void)
{
	return &world;
}

/* ---- opening and closing ---- */

static void start_stack(int port)
{
	WR_AUTO(mem_free_at) char *public = NULL, *queues = NULL;
	if (asprintf(&public, "WR_PUBLIC_URL=http://127.0.0.1:%d/_wr", port) < 0 ||
		asprintf(&queues,
				 "{\"queues\":[{\"queue\":\"default/demo\"," DEMO_SETTINGS
				 ",\"allowed_targets\":[\"http://127.0.0.1:%d\"]}]}",
				 port) < 0)
		abort();
	world.stack = stack_start(&(struct stack_options){
		.pods = 2,
		.admitters = 1,
		.without_nats = true,
		.queues = queues,
		.admin_keys = API_ADMIN_KEYS_FILE,
		.env = (const char *const[]){NO_RATE_LIMITS, "WR_RELAY=0", "WR_TRUSTED_PROXIES=127.0.0.1",
									 "WR_CONNECTION_MEMORY_BYTES=32768", public, NULL}});
}

static void load_keys(void)
{
	struct err_detail detail;
	assert_int_equal(keys_load(world.stack->keys_file, &world.keys, &detail), WR_OK);
	world.signer = signer_new();
	signer_use_keys(world.signer, world.keys);
	WR_AUTO(http_answer_free_at)
	struct http_answer *answer =
		http_call(stack_url(world.stack, 0), "GET", "/.well-known/jwks.json", NULL, NULL);
	api_expect_status(answer, 200);
	world.jwks = mem_copy_string(answer->body);
}

static void make_session(void)
{
	WR_AUTO(http_answer_free_at) struct http_answer *admitted = get_let_in(NULL);
	world.session = http_answer_text(admitted, "session_token");
	world.position_id = api_position_id(world.session);
}

void gateway_world_open(enum gateway_kind kind)
{
	int port = free_port();
	world.kind = kind;
	start_stack(port);
	load_keys();
	world.site = site_start();
	world.gateway = gateway_start(
		kind, &(struct gateway_options){.port = port,
										.pods = {stack_url(world.stack, 0) + strlen("http://"),
												 stack_url(world.stack, 1) + strlen("http://")},
										.site = site_address(world.site),
										.keys = world.jwks});
	make_session();
}

void gateway_world_close(void)
{
	gateway_free(world.gateway);
	site_free(world.site);
	stack_free(world.stack);
	signer_free(world.signer);
	keys_free(world.keys);
	free(world.jwks);
	free(world.session);
	free(world.position_id);
}

/* ---- requests ---- */

struct http_answer *visit(const char *method, const char *path, const char *headers,
						  const char *session, const char *body)
{
	char *all;
	int failed = session ? asprintf(&all, "%sCookie: shop=1; " COOKIE_NAME "=%s; theme=dark\r\n",
									headers ? headers : "", session)
						 : asprintf(&all, "%s", headers ? headers : "");
	if (failed < 0)
		abort();
	struct http_answer *answer = http_call(gateway_url(world.gateway), method, path, all, body);
	free(all);
	return answer;
}

struct http_answer *visit_page(const char *path, const char *session)
{
	return visit("GET", path, AS_PAGE, session, NULL);
}

char *site_url(const char *path)
{
	char *url;
	if (asprintf(&url, "%s%s", gateway_url(world.gateway), path) < 0)
		abort();
	return url;
}

const char *path_of(const char *url)
{
	const char *origin = gateway_url(world.gateway);
	if (url[0] == '/')
		return url;
	if (strncmp(url, origin, strlen(origin)) != 0)
		fail_msg("\"%s\" does not lead to %s", url, origin);
	return url + strlen(origin);
}

static bool is_let_in(const char *token, struct http_answer **answer)
{
	WR_AUTO(mem_free_at) char *bearer = NULL;
	if (asprintf(&bearer, "Authorization: Bearer %s\r\n", token) < 0)
		abort();
	http_answer_free(*answer);
	*answer = visit("POST", "/_wr/heartbeat", bearer, NULL, "");
	api_expect_status(*answer, 200);
	return http_answer_has(*answer, "session_token");
}

struct http_answer *get_let_in(const char *target)
{
	char body[512];
	if (target)
		snprintf(body, sizeof(body), "{\"queue_id\":\"demo\",\"target\":\"%s\"}", target);
	else
		snprintf(body, sizeof(body), "{\"queue_id\":\"demo\"}");
	struct http_answer *answer =
		visit("POST", "/_wr/enqueue", "Content-Type: application/json\r\n", NULL, body);
	api_expect_status(answer, 201);
	WR_AUTO(mem_free_at) char *token = http_answer_text(answer, "token");
	WAIT_UNTIL(10000, is_let_in(token, &answer), "the visitor is let in");
	return answer;
}

/* ---- answers ---- */

void expect_room(const struct http_answer *answer, const char *target)
{
	api_expect_status(answer, 302);
	const char *location = http_answer_header(answer, "Location");
	assert_non_null(location);
	char wanted[4096] = "/_wr/q/default/demo";
	if (!target) {
		if (strncmp(path_of(location), wanted, strlen(wanted)) != 0)
			fail_msg("\"%s\" is not the room", location);
		return;
	}
	strcat(wanted, "?t=");
	size_t len = strlen(wanted);
	len += base64url_encode(target, strlen(target), wanted + len);
	wanted[len] = '\0';
	assert_string_equal(path_of(location), wanted);
}

bool is_site(const struct http_answer *answer)
{
	return answer->status == 200 && http_answer_header(answer, "X-Site");
}

void expect_site(const struct http_answer *answer)
{
	api_expect_status(answer, 200);
	if (!is_site(answer))
		fail_msg("not the site's answer: %.600s", answer->head);
}

/* In any case: gateways write the names of headers as they like. */
void expect_saw(const struct http_answer *answer, const char *line)
{
	if (!strcasestr(answer->body, line))
		fail_msg("the site did not see \"%s\" but:\n%.2000s", line, answer->body);
}

void expect_not_saw(const struct http_answer *answer, const char *text)
{
	if (strcasestr(answer->body, text))
		fail_msg("the site saw \"%s\":\n%.2000s", text, answer->body);
}

/* ---- tokens and settings ---- */

char *session_like(const char *queue, bool renewal, int issued_in_s, int expires_in_s)
{
	struct session_claims claims;
	struct wall_time now = clock_wall();
	assert_int_equal(
		session_token_verify(world.signer, world.session, strlen(world.session), now, &claims),
		WR_OK);
	assert_true(queue_name_parse(queue, strlen(queue), &claims.queue));
	claims.renewal = renewal;
	claims.issued_s = now.ms / 1000 + issued_in_s;
	claims.expires_s = now.ms / 1000 + expires_in_s;
	char text[TOKEN_MAX_BYTES + 1];
	size_t len;
	assert_int_equal(session_token_print(world.signer, &claims, text, &len), WR_OK);
	return mem_copy(text, len);
}

static bool every_pod_says(const char *message)
{
	for (int pod = 0; pod < 2; pod++) {
		WR_AUTO(http_answer_free_at)
		struct http_answer *answer =
			http_call(stack_url(world.stack, pod), "GET", "/queues/default/demo", NULL, NULL);
		if (!strstr(answer->body, message))
			return false;
	}
	return true;
}

/* Each version has a message of its own, so that it shows which one a pod has. */
void set_demo(const char *members)
{
	static int versions;
	char message[32];
	WR_AUTO(mem_free_at) char *body = NULL;
	snprintf(message, sizeof(message), "\"message\":\"version %d.\"", ++versions);
	if (asprintf(&body, "{" DEMO_SETTINGS ",\"allowed_targets\":[\"%s\"],%s%s}",
				 gateway_url(world.gateway), message, members) < 0)
		abort();
	WR_AUTO(http_answer_free_at)
	struct http_answer *answer = api_admin(world.stack, 0, "PUT", "/default/demo", body);
	api_expect_status(answer, 200);
	WAIT_UNTIL(5000, every_pod_says(message), "every pod has the new settings");
}
