/* Whatever an operator can do leaves an entry in the audit, under the name that the table of routes
 * gives it.
 *
 * Walks the program's own table: who adds a row with an action adds here what makes it happen. The
 * entry is looked for by the request's id, so it is of that very request.
 */
#include "cmd/api/admin_routes.h"

#include "support/api.h"
#include "support/cmocka.h"
#include "support/shared_stack.h"
#include "support/wait.h"
#include "waitingroom/memory.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ROOM "/admin/v1/queues/acme/room"
#define OTHER "/admin/v1/queues/acme/other"

static char spare_key[9]; /* to be taken away */

/* In an order in which each of them can be done. %s: what the action's own function fills in */
static const struct action {
	const char *action, *method, *path, *body;
	int status;
} actions[] = {
	{"tenant.put", "PUT", "/admin/v1/tenants/brief", "{}", 201},
	{"tenant.delete", "DELETE", "/admin/v1/tenants/brief", NULL, 204},
	{"key.make", "POST", "/admin/v1/keys", "{\"name\":\"a\",\"role\":\"viewer\",\"tenant\":\"*\"}",
	 201},
	{"key.delete", "DELETE", "/admin/v1/keys/%s", NULL, 204},
	{"log.level", "PUT", "/admin/v1/log-level", "{\"level\":\"debug\"}", 200},
	{"queue.put", "PUT", OTHER, "{" HELD "}", 201},
	{"queue.delete", "DELETE", OTHER, NULL, 204},
	{"queue.patch", "PATCH", ROOM, "{\"capacity\":7}", 200},
	{"queue.pause", "POST", ROOM "/pause", "{}", 200},
	{"queue.resume", "POST", ROOM "/resume", "{}", 200},
	{"queue.hold", "POST", ROOM "/hold", "{}", 200},
	{"queue.close", "POST", ROOM "/close", "{}", 200},
	{"queue.drain", "POST", ROOM "/drain", "{}", 200},
	{"queue.open", "POST", ROOM "/open", "{}", 200},
	{"queue.admit", "POST", ROOM "/admit", "{\"count\":1}", 200},
	{"place.revoke", "POST", ROOM "/revoke", "{\"position_id\":\"0123456789abcdef\"}", 200},
	{"place.restore", "POST", ROOM "/restore",
	 "{\"position_id\":\"0123456789abcdef\",\"reason\":\"a "
	 "mistake\",\"lane\":\"main\",\"ticket\":1}",
	 200},
	{"queue.empty", "POST", ROOM "/empty", "{\"confirm\":\"%s\"}", 200},
};

static int open_room(void **state)
{
	(void)state;
	stack = stack_start(
		&(struct stack_options){.pods = 1,
								.admitters = 1,
								.without_nats = true,
								.admin_keys = API_ADMIN_KEYS_FILE,
								.env = (const char *const[]){NO_RATE_LIMITS, "WR_RELAY=0", NULL}});
	api_make_tenant(stack, "acme");
	api_make_queue(stack, "acme/room", "{" HELD "}");
	WAIT_UNTIL(5000, api_store_number(stack, "EXISTS wr:{acme/room}:clock") == 1,
			   "an admitter knows the queue");
	free(api_make_key(stack, "viewer", "acme", spare_key));
	/* Somebody has had ticket 1. */
	WR_AUTO(mem_free_at) char *token = api_join(stack_url(stack, 0), "acme/room");
	http_answer_free(api_poll(stack_url(stack, 0), "/leave", token));
	return 0;
}

/* What stands for %s: an id, or the word that emptying wants to hear. gives */
static char *filled(const struct action *action)
{
	if (strcmp(action->action, "key.delete") == 0)
		return mem_copy_string(spare_key);
	if (strcmp(action->action, "queue.empty") != 0)
		return mem_copy_string("");
	WR_AUTO(http_answer_free_at)
	struct http_answer *asked =
		api_admin_as(stack, 0, API_ADMIN_KEY, action->method, action->path, "{}");
	api_expect_status(asked, 428);
	return http_answer_text(asked, "confirm");
}

static void print_filled(const char *pattern, const char *text, char *ret_text, size_t room)
{
	const char *at = strstr(pattern, "%s");
	if (at == NULL)
		snprintf(ret_text, room, "%s", pattern);
	else
		snprintf(ret_text, room, "%.*s%s%s", (int)(at - pattern), pattern, text, at + 2);
}

static bool is_written_down(const char *request_id, const char *action)
{
	char id[128], word[64];
	print_into(id, "\"request_id\":\"%s\"", request_id);
	print_into(word, "\"action\":\"%s\"", action);
	WR_AUTO(http_answer_free_at)
	struct http_answer *audit =
		api_admin_as(stack, 0, API_ADMIN_KEY, "GET", "/admin/v1/audit?limit=20", NULL);
	const char *at = strstr(audit->body, id);
	const char *before = at;
	while (before && before > audit->body && strncmp(before, "{\"at_ms\"", 8) != 0)
		before--;
	const char *found = before ? strstr(before, word) : NULL;
	return found && found < at;
}

static void do_action(const struct action *action)
{
	char path[160], body[512];
	WR_AUTO(mem_free_at) char *text = filled(action);
	print_filled(action->path, text, path, sizeof(path));
	print_filled(action->body ? action->body : "", text, body, sizeof(body));
	WR_AUTO(http_answer_free_at)
	struct http_answer *answer =
		api_admin_as(stack, 0, API_ADMIN_KEY, action->method, path, action->body ? body : NULL);
	if (answer->status != action->status)
		fail_msg("%s: %d %s", action->action, answer->status, answer->body);
	const char *request_id = http_answer_header(answer, "X-Request-Id");
	if (!is_written_down(request_id, action->action))
		fail_msg("%s is not in the audit", action->action);
}

static void whatever_an_operator_does_is_written_down(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(actions); i++)
		do_action(&actions[i]);
}

static void every_action_of_the_table_is_tried_here(void **state)
{
	(void)state;
	for (size_t i = 0; i < admin_route_count; i++) {
		bool is_tried = admin_routes[i].action == NULL;
		for (size_t k = 0; k < COUNT(actions) && !is_tried; k++)
			is_tried = strcmp(actions[k].action, admin_routes[i].action) == 0;
		if (!is_tried)
			fail_msg("%s: say in this file how it is done", admin_routes[i].action);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_action_of_the_table_is_tried_here),
		cmocka_unit_test(whatever_an_operator_does_is_written_down),
	};
	return cmocka_run_group_tests_name("api_admin_actions", tests, open_room, shared_stack_close);
}
