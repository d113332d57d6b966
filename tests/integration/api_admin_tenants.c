/* Tenants: made, also by the first queue of theirs, changed, taken away; not more queues than one
 * may have.
 */
#include "support/api.h"
#include "support/cmocka.h"
#include "support/shared_stack.h"
#include "support/wait.h"
#include "waitingroom/memory.h"

#include <stdio.h>
#include <string.h>

#define TENANTS "/admin/v1/tenants"

static int open_room(void **state)
{
	(void)state;
	stack = stack_start(
		&(struct stack_options){.pods = 2,
								.admitters = 1,
								.without_nats = true,
								.admin_keys = API_ADMIN_KEYS_FILE,
								.queues = QUEUES(QUEUE("filed/sale", HELD)),
								.env = (const char *const[]){NO_RATE_LIMITS, "WR_TENANTS_MAX=8",
															 "WR_TENANT_QUEUES_MAX=3", NULL}});
	return 0;
}

/* gives */
static struct http_answer *ask(const char *method, const char *tenant, const char *body)
{
	char path[128];
	print_into(path, TENANTS "%s%s", tenant[0] != '\0' ? "/" : "", tenant);
	return api_admin_as(stack, 0, API_ADMIN_KEY, method, path, body);
}

static void expect(const char *method, const char *tenant, const char *body, int status,
				   const char *text)
{
	WR_AUTO(http_answer_free_at) struct http_answer *answer = ask(method, tenant, body);
	if (answer->status != status || !strstr(answer->body, text))
		fail_msg("%s %s %s: %d %s", method, tenant, body ? body : "", answer->status, answer->body);
}

static void expect_queue(const char *method, const char *path, int status, const char *text)
{
	WR_AUTO(http_answer_free_at)
	struct http_answer *answer =
		api_admin(stack, 0, method, path, method[0] == 'P' ? "{" HELD "}" : NULL);
	if (answer->status != status || !strstr(answer->body, text))
		fail_msg("%s %s: %d %s", method, path, answer->status, answer->body);
}

static void a_tenant_is_made_changed_read_and_taken_away(void **state)
{
	(void)state;
	expect("GET", "acme", NULL, 404, "no_such_tenant");
	expect("PUT", "acme", "{\"title\":\"Acme \\u00fc\",\"queues_max\":2,\"note\":\"a\\nb\"}", 201,
		   "{\"tenant\":\"acme\",\"result\":\"created\"}");
	expect("PUT", "acme", "{\"title\":\"Acme \\u00fc\",\"queues_max\":2,\"note\":\"a\\nb\"}", 200,
		   "\"unchanged\"");
	WR_AUTO(http_answer_free_at) struct http_answer *read = ask("GET", "acme", NULL);
	api_expect_members(read, "created_ms:n queues_max:n title:s note:s tenant:s queues:n");
	assert_int_equal(http_answer_number(read, "queues_max"), 2);
	expect("PUT", "acme", "{}", 200, "\"changed\"");
	expect("GET", "acme", NULL, 200, "\"queues_max\":3,\"title\":\"\",\"note\":\"\"");
	expect("DELETE", "acme", NULL, 204, "");
	expect("DELETE", "acme", NULL, 404, "no_such_tenant");
}

static void what_is_wrong_with_a_tenant_is_named(void **state)
{
	(void)state;
	expect("PUT", "acme", "{\"title\":7}", 422, "title: ");
	expect("PUT", "acme", "{\"title\":\"a\\nb\"}", 422, "title: ");
	expect("PUT", "acme", "{\"queues_max\":-1}", 422, "queues_max: ");
	expect("PUT", "acme", "{\"queues_max\":1.5}", 422, "queues_max: ");
	expect("PUT", "acme", "{\"note\":[]}", 422, "note: ");
	expect("PUT", "acme", "{\"colour\":\"red\"}", 422, "colour: ");
	expect("PUT", "acme", "{", 400, "malformed");
	expect("PUT", "Acme", "{}", 422, "tenant: ");
	expect("PUT", "system", "{}", 422, "tenant: ");
	expect("GET", "system", NULL, 404, "no_such_tenant");
	expect("DELETE", "default", NULL, 422, "tenant: ");
	expect("GET", "acme", NULL, 404, "no_such_tenant");
}

static void the_tenants_of_the_file_and_the_default_one_are_there(void **state)
{
	(void)state;
	expect("GET", "filed", NULL, 200, "\"queues\":1");
	expect("GET", "default", NULL, 200, "\"tenant\":\"default\"");
	WR_AUTO(http_answer_free_at) struct http_answer *list = ask("GET", "", NULL);
	const char *first = strstr(list->body, "\"default\""),
			   *second = strstr(list->body, "\"filed\"");
	assert_true(first && second && first < second); /* by name */
}

static void a_queue_brings_its_tenant_when_the_key_may_make_one(void **state)
{
	(void)state;
	expect("GET", "novel", NULL, 404, "no_such_tenant");
	expect_queue("PUT", "/novel/sale?dry_run=1", 200, "\"dry_run\":true");
	expect("GET", "novel", NULL, 404, "no_such_tenant");
	expect_queue("PUT", "/novel/sale", 201, "\"queue\":\"novel/sale\"");
	expect("GET", "novel", NULL, 200, "\"queues_max\":3");
	expect_queue("DELETE", "/novel/sale", 204, "");
}

static void names_of_the_system_are_no_queues(void **state)
{
	(void)state;
	expect_queue("PUT", "/system/sale", 422, "reserved");
	expect_queue("PUT", "/system/admin", 422, "reserved");
	expect_queue("GET", "/system/admin", 404, "no_such_queue");
	expect_queue("DELETE", "/system/admin", 404, "no_such_queue");
	assert_int_equal(api_store_number(stack, "EXISTS wr:{system/sale}:settings"), 0);
	assert_int_equal(api_store_number(stack, "SISMEMBER wr:queues system/sale"), 0);
}

static void a_tenant_has_no_more_queues_than_it_may(void **state)
{
	(void)state;
	expect("PUT", "small", "{\"queues_max\":2}", 201, "");
	expect_queue("PUT", "/small/a", 201, "");
	expect_queue("PUT", "/small/b", 201, "");
	expect_queue("PUT", "/small/c", 409, "limit_reached");
	expect_queue("PUT", "/small/c", 409, "queues_max: ");
	expect_queue("PUT", "/small/b", 200, "unchanged"); /* those that are there can be changed */
	expect("PUT", "small", "{\"queues_max\":3}", 200, "");
	expect_queue("PUT", "/small/c", 201, "");
	expect_queue("DELETE", "/small/c", 204, "");
	expect("GET", "small", NULL, 200, "\"queues\":2");
}

/* Both pods at once: the limit is the store's. */
static void many_who_make_queues_at_once_do_not_make_one_too_many(void **state)
{
	(void)state;
	enum { ASKERS = 12 };
	struct http_client *clients[ASKERS];
	char path[96];
	int made = 0;
	expect("PUT", "busy", "{\"queues_max\":4}", 201, "");
	for (int i = 0; i < ASKERS; i++) {
		clients[i] = http_client_open(stack_internal_url(stack, i % 2));
		print_into(path, "/admin/v1/queues/busy/q%d", i);
		http_client_send(clients[i], "PUT", path, "Authorization: Bearer " API_ADMIN_KEY "\r\n",
						 "{" HELD "}");
	}
	for (int i = 0; i < ASKERS; i++) {
		WR_AUTO(http_answer_free_at)
		struct http_answer *answer = http_client_read(clients[i], 5000);
		assert_true(answer->status == 201 || answer->status == 409);
		made += answer->status == 201;
		http_client_close(clients[i]);
	}
	assert_int_equal(made, 4);
	expect("GET", "busy", NULL, 200, "\"queues\":4");
}

static void a_tenant_with_queues_cannot_be_taken_away(void **state)
{
	(void)state;
	expect("PUT", "full", "{}", 201, "");
	expect_queue("PUT", "/full/a", 201, "");
	expect("DELETE", "full", NULL, 409, "queues: the tenant has 1");
	expect_queue("DELETE", "/full/a", 204, "");
	expect("DELETE", "full", NULL, 204, "");
}

static void the_keys_of_a_tenant_go_with_it(void **state)
{
	(void)state;
	expect("PUT", "brief", "{}", 201, "");
	WR_AUTO(mem_free_at) char *key = api_make_key(stack, "admin", "brief", NULL);
	WR_AUTO(http_answer_free_at)
	struct http_answer *good = api_admin_as(stack, 1, key, "GET", TENANTS "/brief", NULL);
	api_expect_status(good, 200);
	/* Its own admin sees it, and does not decide about it. */
	WR_AUTO(http_answer_free_at)
	struct http_answer *own = api_admin_as(stack, 1, key, "PUT", TENANTS "/brief", "{}");
	api_expect_problem(own, 403, "forbidden");
	expect("DELETE", "brief", NULL, 204, "");
	WR_AUTO(http_answer_free_at)
	struct http_answer *dead = api_admin_as(stack, 1, key, "GET", TENANTS "/brief", NULL);
	api_expect_problem(dead, 401, "bad_token");
	expect("PUT", "brief", "{}", 201, ""); /* a new one of that name is somebody else's */
	WR_AUTO(http_answer_free_at)
	struct http_answer *still = api_admin_as(stack, 1, key, "GET", TENANTS "/brief", NULL);
	api_expect_problem(still, 401, "bad_token");
	expect("DELETE", "brief", NULL, 204, "");
}

static void a_queue_that_never_came_to_be_does_not_count(void **state)
{
	(void)state;
	expect("PUT", "lost", "{}", 201, "");
	/* A pod died between the tenant's list and the queue. */
	api_store_number(stack, "SADD wr:{system/admin}:queues:lost ghost");
	expect("DELETE", "lost", NULL, 409, "");
	expect_queue("DELETE", "/lost/ghost", 404, "no_such_queue");
	WAIT_UNTIL(2000, api_store_number(stack, "SCARD wr:{system/admin}:queues:lost") == 0,
			   "the name is off the list");
	expect("DELETE", "lost", NULL, 204, "");
}

static void there_are_no_more_tenants_than_there_may_be(void **state)
{
	(void)state;
	char name[16];
	int status = 201;
	for (int i = 0; i < 9 && status == 201; i++) {
		print_into(name, "more%d", i);
		WR_AUTO(http_answer_free_at) struct http_answer *answer = ask("PUT", name, "{}");
		status = answer->status;
	}
	assert_int_equal(status, 409);
	expect("PUT", "yet-one-more", "{}", 409, "tenants: there are 8");
	assert_int_equal(api_store_number(stack, "HLEN wr:{system/admin}:tenants"), 8);
}

static bool is_answered(const char *tenant)
{
	WR_AUTO(http_answer_free_at) struct http_answer *answer = ask("GET", tenant, NULL);
	return answer->status == 200;
}

/* Last: nothing is left of what the others have made. */
static void a_tenant_comes_back_with_its_queues_when_the_store_has_lost_everything(void **state)
{
	(void)state;
	expect("GET", "small", NULL, 200, "\"queues\":2");
	api_await_queue(stack, "small/a");
	api_await_queue(stack, "small/b");
	redis_restart(stack->redis); /* it keeps nothing */
	WAIT_UNTIL(15000,
			   api_store_number(stack, "SISMEMBER wr:{system/admin}:queues:small a") == 1 &&
				   api_store_number(stack, "SISMEMBER wr:{system/admin}:queues:small b") == 1,
			   "the pods have put the queues back");
	WAIT_UNTIL(5000, is_answered("small"), "the admin API has its connection back");
	expect("GET", "small", NULL, 200, "\"queues_max\":3");
	expect_queue("GET", "/small/a", 200, "small/a");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_tenant_is_made_changed_read_and_taken_away),
		cmocka_unit_test(what_is_wrong_with_a_tenant_is_named),
		cmocka_unit_test(the_tenants_of_the_file_and_the_default_one_are_there),
		cmocka_unit_test(a_queue_brings_its_tenant_when_the_key_may_make_one),
		cmocka_unit_test(names_of_the_system_are_no_queues),
		cmocka_unit_test(a_tenant_has_no_more_queues_than_it_may),
		cmocka_unit_test(many_who_make_queues_at_once_do_not_make_one_too_many),
		cmocka_unit_test(a_tenant_with_queues_cannot_be_taken_away),
		cmocka_unit_test(the_keys_of_a_tenant_go_with_it),
		cmocka_unit_test(a_queue_that_never_came_to_be_does_not_count),
		cmocka_unit_test(there_are_no_more_tenants_than_there_may_be),
		cmocka_unit_test(a_tenant_comes_back_with_its_queues_when_the_store_has_lost_everything),
	};
	return cmocka_run_group_tests_name("api_admin_tenants", tests, open_room, shared_stack_close);
}
