/* Keys of the admin API: what each may, and what nobody may.
 *
 * The first tests walk the program's own table of routes, so a new route is covered as soon as it
 * is there. Two tenants: acme's keys ask, rival's things are asked for.
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

#define KEYS "/admin/v1/keys"
#define KEY_ID_BYTES 9
/* A viewer of acme, besides the key of all tests: SHA-256 of "wrk_for-acme-only". */
#define FILE_KEY "wrk_for-acme-only"
#define KEYS_FILE                                                                                  \
	"{\"keys\":[{\"id\":\"tests\",\"sha256\":"                                                     \
	"\"25b50f23f69d4e4a8f2581fd98cda6581906c3471981512c1b33ca9080e32e8f\"},"                       \
	"{\"id\":\"wall\",\"role\":\"viewer\",\"tenant\":\"acme\",\"sha256\":"                         \
	"\"d6656dd8f6fbb89013d7c902ff7041ad06c7209ea9f9a644098b2581eaa4bb2d\"}]}"

static char *acme_admin, *rival_admin, rival_id[KEY_ID_BYTES];

static int open_room(void **state)
{
	(void)state;
	stack = stack_start(&(struct stack_options){
		.pods = 2,
		.without_nats = true,
		.admin_keys = KEYS_FILE,
		.env = (const char *const[]){NO_RATE_LIMITS, "WR_RELAY=0", "WR_ADMIN_KEYS_MAX=20", NULL}});
	api_make_tenant(stack, "acme");
	api_make_tenant(stack, "rival");
	WR_AUTO(http_answer_free_at)
	struct http_answer *made = api_admin(stack, 0, "PUT", "/rival/sale", "{" HELD "}");
	api_expect_status(made, 201);
	acme_admin = api_make_key(stack, "admin", "acme", NULL);
	rival_admin = api_make_key(stack, "admin", "rival", rival_id);
	return 0;
}

static int close_room(void **state)
{
	free(acme_admin);
	free(rival_admin);
	return shared_stack_close(state);
}

/* ---- the table of routes ---- */

/* The pattern with names in place of its {}: of the tenant and the queue, or an id. */
static void fill_path(const struct admin_route *route, const char *tenant, const char *queue,
					  const char *id, char ret_path[256])
{
	bool is_named = strncmp(route->pattern, "/admin/v1/queues/", 17) == 0 ||
					strncmp(route->pattern, "/admin/v1/tenants/", 18) == 0;
	const char *names[] = {is_named ? tenant : id, queue};
	size_t next = 0;
	for (const char *at = route->pattern; *at != '\0';) {
		if (strncmp(at, "{}", 2) != 0) {
			*ret_path++ = *at++;
			continue;
		}
		assert_true(next < COUNT(names));
		ret_path = stpcpy(ret_path, names[next++]);
		at += 2;
	}
	*ret_path = '\0';
}

/* With a body where one is taken; it names the tenant, for routes that read it there. gives */
static struct http_answer *ask(const struct admin_route *route, const char *key, const char *tenant,
							   const char *queue, const char *id)
{
	char path[256], body[160];
	bool has_body =
		route->method == HTTP_POST || route->method == HTTP_PUT || route->method == HTTP_PATCH;
	bool in_body = route->scope == SCOPE_LISTING;
	fill_path(route, tenant, queue, id, path);
	print_into(body, "{\"name\":\"x\",\"role\":\"viewer\",\"tenant\":\"%s\"}", tenant);
	return api_admin_as(stack, 0, key, http_method_word(route->method), path,
						!has_body ? NULL
						: in_body ? body
								  : "{}");
}

static void say_route(const struct admin_route *route, const struct http_answer *answer)
{
	print_error("%s %s: %d %s\n", http_method_word(route->method), route->pattern, answer->status,
				answer->body);
}

static void of_another_tenant_there_is_nothing_at_any_route(void **state)
{
	(void)state;
	WR_AUTO(mem_free_at) char *before = api_store_digest(stack);
	size_t listings = 0, others = 0;
	for (size_t i = 0; i < admin_route_count; i++) {
		const struct admin_route *route = &admin_routes[i];
		WR_AUTO(http_answer_free_at)
		struct http_answer *answer = ask(route, acme_admin, "rival", "sale", rival_id);
		bool lists = route->scope == SCOPE_LISTING && route->method == HTTP_GET;
		if (answer->status != (lists ? 200 : 404))
			say_route(route, answer);
		assert_int_equal(answer->status, lists ? 200 : 404);
		if (lists) {
			assert_null(strstr(answer->body, "rival"));
			listings++;
			continue;
		}
		/* As for what never was. */
		WR_AUTO(http_answer_free_at)
		struct http_answer *never = ask(route, acme_admin, "nobody", "never", "aaaaaaaa");
		WR_AUTO(mem_free_at) char *code = http_answer_text(answer, "code");
		WR_AUTO(mem_free_at) char *detail = http_answer_text(answer, "detail");
		WR_AUTO(mem_free_at) char *never_code = http_answer_text(never, "code");
		WR_AUTO(mem_free_at) char *never_detail = http_answer_text(never, "detail");
		assert_int_equal(never->status, 404);
		assert_string_equal(code, never_code);
		assert_string_equal(detail, never_detail);
		others++;
	}
	assert_true(listings >= 5 && others >= 10);
	WR_AUTO(mem_free_at) char *after = api_store_digest(stack);
	assert_string_equal(before, after);
}

static void a_role_that_is_too_small_is_told_which_it_takes(void **state)
{
	(void)state;
	WR_AUTO(mem_free_at)
	char *keys[] = {api_make_key(stack, "viewer", "*", NULL),
					api_make_key(stack, "operator", "*", NULL)};
	size_t refused = 0;
	for (size_t i = 0; i < admin_route_count; i++)
		for (enum admin_role role = ADMIN_VIEWER; role < admin_routes[i].role; role++) {
			WR_AUTO(http_answer_free_at)
			struct http_answer *answer =
				ask(&admin_routes[i], keys[role], "rival", "sale", rival_id);
			if (answer->status != 403)
				say_route(&admin_routes[i], answer);
			api_expect_problem(answer, 403, "forbidden");
			WR_AUTO(mem_free_at) char *detail = http_answer_text(answer, "detail");
			assert_non_null(strstr(detail, admin_role_word(admin_routes[i].role)));
			refused++;
		}
	assert_true(refused >= 10);
	free(keys[1]);
}

static void the_role_of_the_route_suffices(void **state)
{
	(void)state;
	WR_AUTO(mem_free_at) char *viewer = api_make_key(stack, "viewer", "*", NULL);
	WR_AUTO(mem_free_at) char *operator= api_make_key(stack, "operator", "*", NULL);
	const char *keys[] = {viewer, operator, API_ADMIN_KEY };
	for (size_t i = 0; i < admin_route_count; i++) {
		const struct admin_route *route = &admin_routes[i];
		WR_AUTO(http_answer_free_at)
		struct http_answer *answer = ask(route, keys[route->role], "nobody", "never", "aaaaaaaa");
		if (answer->status == 401 || answer->status == 403 || answer->status >= 500)
			say_route(route, answer);
		assert_false(answer->status == 401 || answer->status == 403 || answer->status >= 500);
	}
}

static void expect_dead(const char *key)
{
	for (size_t i = 0; i < admin_route_count; i++) {
		WR_AUTO(http_answer_free_at)
		struct http_answer *answer = ask(&admin_routes[i], key, "acme", "sale", "aaaaaaaa");
		if (answer->status != 401)
			say_route(&admin_routes[i], answer);
		api_expect_problem(answer, 401, "bad_token");
	}
}

static int status_of(const char *key, int pod)
{
	WR_AUTO(http_answer_free_at)
	struct http_answer *answer = api_admin_as(stack, pod, key, "GET", "/admin/v1/whoami", NULL);
	return answer->status;
}

static void a_key_that_was_taken_away_is_dead_at_once_in_every_pod(void **state)
{
	(void)state;
	char id[KEY_ID_BYTES], path[64];
	WR_AUTO(mem_free_at) char *key = api_make_key(stack, "admin", "*", id);
	assert_int_equal(status_of(key, 0), 200);
	assert_int_equal(status_of(key, 1), 200);
	print_into(path, KEYS "/%s", id);
	WR_AUTO(http_answer_free_at)
	struct http_answer *gone = api_admin_as(stack, 1, key, "DELETE", path, NULL);
	api_expect_status(gone, 204);
	assert_int_equal(status_of(key, 1), 401);
	expect_dead(key);
	WR_AUTO(http_answer_free_at)
	struct http_answer *again = api_admin_as(stack, 0, API_ADMIN_KEY, "DELETE", path, NULL);
	api_expect_problem(again, 404, "not_found");
}

static void a_key_dies_when_its_time_is_over(void **state)
{
	(void)state;
	char body[160];
	print_into(body, "{\"name\":\"guest\",\"role\":\"admin\",\"tenant\":\"*\",\"expires_ms\":%lld}",
			   (long long)clock_wall().ms + 1500);
	WR_AUTO(http_answer_free_at)
	struct http_answer *made = api_admin_as(stack, 0, API_ADMIN_KEY, "POST", KEYS, body);
	api_expect_status(made, 201);
	WR_AUTO(mem_free_at) char *key = http_answer_text(made, "key");
	assert_int_equal(status_of(key, 0), 200);
	WAIT_UNTIL(5000, status_of(key, 0) == 401, "the key has expired");
	expect_dead(key);
	WR_AUTO(http_answer_free_at)
	struct http_answer *list = api_admin_as(stack, 0, API_ADMIN_KEY, "GET", KEYS, NULL);
	assert_non_null(strstr(list->body, "\"expired\":true"));
}

static void a_key_that_is_nearly_right_is_none(void **state)
{
	(void)state;
	WR_AUTO(mem_free_at) char *key = api_make_key(stack, "admin", "*", NULL);
	WR_AUTO(mem_free_at) char *other = mem_copy_string(key);
	char *last = other + strlen(other) - 2;
	*last = *last == 'a' ? 'b' : 'a';
	expect_dead(other);
	memcpy(other, key, strlen(key) + 1);
	memcpy(other + 4, rival_id, KEY_ID_BYTES - 1); /* somebody else's id */
	expect_dead(other);
	other[strlen(other) - 1] = '\0';
	expect_dead(other);
	expect_dead("wrk_");
}

/* ---- making and listing ---- */

static void a_key_is_shown_once_and_kept_hashed(void **state)
{
	(void)state;
	char id[KEY_ID_BYTES];
	WR_AUTO(mem_free_at) char *key = api_make_key(stack, "viewer", "acme", id);
	const char *secret = key + 4 + KEY_ID_BYTES;
	assert_int_equal(strlen(key), 56);
	assert_int_equal(status_of(key, 1), 200);
	char command[160];
	print_into(command, "HGET wr:{system/admin}:keys %s", id);
	WR_AUTO(mem_free_at) char *row = redis_do(stack->redis, command);
	assert_non_null(strstr(row, "\"mac\":\""));
	assert_null(strstr(row, secret));
	WR_AUTO(http_answer_free_at)
	struct http_answer *list = api_admin_as(stack, 0, API_ADMIN_KEY, "GET", KEYS, NULL);
	assert_non_null(strstr(list->body, id));
	assert_null(strstr(list->body, secret));
	assert_null(strstr(list->body, "mac"));
	WR_AUTO(http_answer_free_at)
	struct http_answer *audit =
		api_admin_as(stack, 0, API_ADMIN_KEY, "GET", "/admin/v1/audit?action=key&limit=500", NULL);
	assert_non_null(strstr(audit->body, id));
	assert_null(strstr(audit->body, secret));
	assert_null(strstr(audit->body, "mac"));
}

static void a_row_that_was_made_more_of_in_the_store_opens_nothing(void **state)
{
	(void)state;
	char id[KEY_ID_BYTES];
	WR_AUTO(mem_free_at) char *key = api_make_key(stack, "viewer", "acme", id);
	char command[512];
	print_into(command,
			   "EVAL \"local r=redis.call('HGET',KEYS[1],ARGV[1]) "
			   "redis.call('HSET',KEYS[1],ARGV[1],(r:gsub('viewer','admin'))) return 1\" "
			   "1 wr:{system/admin}:keys %s",
			   id);
	assert_int_equal(status_of(key, 0), 200);
	free(redis_do(stack->redis, command));
	assert_int_equal(status_of(key, 0), 401);
}

static void the_last_use_is_noted_once_a_minute(void **state)
{
	(void)state;
	char id[KEY_ID_BYTES];
	WR_AUTO(mem_free_at) char *key = api_make_key(stack, "viewer", "acme", id);
	assert_int_equal(api_store_number(stack, "HEXISTS wr:{system/admin}:keys_used %s", id), 0);
	assert_int_equal(status_of(key, 0), 200);
	WAIT_UNTIL(2000, api_store_number(stack, "HEXISTS wr:{system/admin}:keys_used %s", id) == 1,
			   "the use is noted");
	/* Long ago, and then just now. */
	api_store_number(stack, "HSET wr:{system/admin}:keys_used %s 1000", id);
	assert_int_equal(status_of(key, 0), 200);
	WAIT_UNTIL(2000, api_store_number(stack, "HGET wr:{system/admin}:keys_used %s", id) > 1000,
			   "the use is noted again");
	int64_t used = api_store_number(stack, "HGET wr:{system/admin}:keys_used %s", id);
	for (int i = 0; i < 20; i++)
		assert_int_equal(status_of(key, 0), 200);
	assert_int_equal(api_store_number(stack, "HGET wr:{system/admin}:keys_used %s", id), used);
}

static void expect_refused(const char *key, const char *body, int status, const char *code,
						   const char *begin)
{
	WR_AUTO(http_answer_free_at)
	struct http_answer *answer = api_admin_as(stack, 0, key, "POST", KEYS, body);
	api_expect_problem(answer, status, code);
	WR_AUTO(mem_free_at) char *detail = http_answer_text(answer, "detail");
	if (strncmp(detail, begin, strlen(begin)) != 0)
		fail_msg("%s: \"%s\" does not begin with %s", body, detail, begin);
}

static void what_is_wrong_with_a_wanted_key_is_named(void **state)
{
	(void)state;
	static const char *const mistakes[][2] = {
		{"{\"role\":\"viewer\",\"tenant\":\"acme\"}", "name: "},
		{"{\"name\":\"a\\u0007\",\"role\":\"viewer\",\"tenant\":\"acme\"}", "name: "},
		{"{\"name\":\"a\",\"tenant\":\"acme\"}", "role: "},
		{"{\"name\":\"a\",\"role\":\"root\",\"tenant\":\"acme\"}", "role: "},
		{"{\"name\":\"a\",\"role\":\"viewer\"}", "tenant: "},
		{"{\"name\":\"a\",\"role\":\"viewer\",\"tenant\":\"A b\"}", "tenant: "},
		{"{\"name\":\"a\",\"role\":\"viewer\",\"tenant\":\"*\",\"expires_ms\":1}", "expires_ms: "},
		{"{\"name\":\"a\",\"role\":\"viewer\",\"tenant\":\"*\",\"expires_ms\":\"soon\"}",
		 "expires_ms: "},
		{"{\"name\":\"a\",\"role\":\"viewer\",\"tenant\":\"*\",\"colour\":1}", "colour: "},
		{"[]", "The body "},
	};
	for (size_t i = 0; i < COUNT(mistakes); i++)
		expect_refused(API_ADMIN_KEY, mistakes[i][0], 422, "invalid_value", mistakes[i][1]);
	expect_refused(API_ADMIN_KEY, "{\"name\":\"a\",\"role\":\"viewer\",\"tenant\":\"no-one\"}", 404,
				   "no_such_tenant", "");
	expect_refused(API_ADMIN_KEY, "{\"name\":\"a\",\"role\":\"viewer\",\"tenant\":\"system\"}", 404,
				   "no_such_tenant", "");
	expect_refused(acme_admin, "{\"name\":\"a\",\"role\":\"viewer\",\"tenant\":\"*\"}", 403,
				   "forbidden", "tenant: ");
}

static void a_tenants_admin_makes_keys_of_that_tenant(void **state)
{
	(void)state;
	WR_AUTO(http_answer_free_at)
	struct http_answer *made =
		api_admin_as(stack, 0, acme_admin, "POST", KEYS, "{\"name\":\"b\",\"role\":\"viewer\"}");
	api_expect_status(made, 201);
	WR_AUTO(mem_free_at) char *tenant = http_answer_text(made, "tenant");
	WR_AUTO(mem_free_at) char *id = http_answer_text(made, "id");
	assert_string_equal(tenant, "acme");
	char path[64];
	print_into(path, KEYS "/%s", id);
	WR_AUTO(http_answer_free_at)
	struct http_answer *gone = api_admin_as(stack, 0, acme_admin, "DELETE", path, NULL);
	api_expect_status(gone, 204);
}

/* ---- keys of the file ---- */

static void a_key_of_the_file_may_what_its_row_says(void **state)
{
	(void)state;
	WR_AUTO(http_answer_free_at)
	struct http_answer *who = api_admin_as(stack, 0, FILE_KEY, "GET", "/admin/v1/whoami", NULL);
	api_expect_status(who, 200);
	assert_string_equal(
		who->body, "{\"id\":\"wall\",\"name\":\"wall\",\"role\":\"viewer\",\"tenant\":\"acme\"}");
	WR_AUTO(http_answer_free_at)
	struct http_answer *keys = api_admin_as(stack, 0, FILE_KEY, "GET", KEYS, NULL);
	api_expect_problem(keys, 403, "forbidden");
}

/* Takes long: last but one. */
static void there_are_no_more_keys_than_there_may_be(void **state)
{
	(void)state;
	int status = 0;
	for (int i = 0; i < 20 && status != 409; i++) {
		WR_AUTO(http_answer_free_at)
		struct http_answer *answer =
			api_admin_as(stack, 0, API_ADMIN_KEY, "POST", KEYS,
						 "{\"name\":\"one more\",\"role\":\"viewer\",\"tenant\":\"acme\"}");
		status = answer->status;
	}
	expect_refused(API_ADMIN_KEY, "{\"name\":\"a\",\"role\":\"viewer\",\"tenant\":\"acme\"}", 409,
				   "limit_reached", "keys: ");
	assert_int_equal(api_store_number(stack, "HLEN wr:{system/admin}:keys"), 20);
}

static void keys_of_the_file_are_good_while_the_store_is_away(void **state)
{
	(void)state;
	redis_stop(stack->redis);
	WAIT_UNTIL(5000, status_of(acme_admin, 0) == 503, "the store is away");
	assert_int_equal(status_of(API_ADMIN_KEY, 0), 200);
	assert_int_equal(status_of("wrk_wrong", 0), 401);
	redis_restart(stack->redis);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(of_another_tenant_there_is_nothing_at_any_route),
		cmocka_unit_test(a_role_that_is_too_small_is_told_which_it_takes),
		cmocka_unit_test(the_role_of_the_route_suffices),
		cmocka_unit_test(a_key_that_was_taken_away_is_dead_at_once_in_every_pod),
		cmocka_unit_test(a_key_dies_when_its_time_is_over),
		cmocka_unit_test(a_key_that_is_nearly_right_is_none),
		cmocka_unit_test(a_key_is_shown_once_and_kept_hashed),
		cmocka_unit_test(a_row_that_was_made_more_of_in_the_store_opens_nothing),
		cmocka_unit_test(the_last_use_is_noted_once_a_minute),
		cmocka_unit_test(what_is_wrong_with_a_wanted_key_is_named),
		cmocka_unit_test(a_tenants_admin_makes_keys_of_that_tenant),
		cmocka_unit_test(a_key_of_the_file_may_what_its_row_says),
		cmocka_unit_test(there_are_no_more_keys_than_there_may_be),
		cmocka_unit_test(keys_of_the_file_are_good_while_the_store_is_away),
	};
	return cmocka_run_group_tests_name("api_admin_keys", tests, open_room, close_room);
}
