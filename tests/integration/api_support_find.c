/* Support: a place is found by its code, its id, the key that it was joined with, or who has it. */
#include "support/api.h"
#include "support/cmocka.h"
#include "support/entry_sign.h"
#include "support/shared_stack.h"
#include "waitingroom/clock.h"
#include "waitingroom/memory.h"
#include "waitingroom/support_code.h"
#include "waitingroom/token.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *url;

static int open_room(void **state)
{
	(void)state;
	stack = stack_start(&(struct stack_options){
		.pods = 1,
		.without_nats = true,
		.admin_keys = API_ADMIN_KEYS_FILE,
		.env = (const char *const[]){NO_RATE_LIMITS, "WR_RELAY=0", NULL},
		.queues = QUEUES(QUEUE("found", "\"capacity\":0,\"entry_keys\":" ENTRY_KEYS_JSON))});
	url = stack_url(stack, 0);
	return 0;
}

static struct http_answer *look(const char *queue, const char *query)
{
	char path[512];
	print_into(path, "/default/%s/places?%s", queue, query);
	return api_admin(stack, 0, "GET", path, NULL);
}

static void expect_text(const struct http_answer *answer, const char *text)
{
	if (strstr(answer->body, text) == NULL)
		fail_msg("%s is not in %s", text, answer->body);
}

static void expect_found(const char *query, const char *id)
{
	char text[64];
	WR_AUTO(http_answer_free_at) struct http_answer *answer = look("found", query);
	api_expect_status(answer, 200);
	print_into(text, "{\"places\":[{\"position_id\":\"%s\"", id);
	expect_text(answer, text);
	expect_text(answer, "\"complete\":true");
}

static void a_place_is_found_by_its_code_however_it_is_typed(void **state)
{
	(void)state;
	char code[SUPPORT_CODE_CHARS + 1], query[64];
	for (int i = 0; i < 300; i++) /* others */
		free(api_join(url, "found"));
	WR_AUTO(mem_free_at) char *token = api_join(url, "found");
	WR_AUTO(mem_free_at) char *id = api_position_id(token);
	support_code_print(id, code);
	print_into(query, "code=%s", code);
	expect_found(query, id);
	for (char *c = code; *c; c++)
		*c = *c == '0' ? 'o' : *c == '1' ? 'l' : (char)tolower(*c);
	print_into(query, "code=%%20%.3s%%20%.3s%s", code, code + 4, code + 7);
	expect_found(query, id);
	http_answer_free(api_poll(url, "/leave", token));
	expect_found(query, id); /* also once it has ended */
}

static void a_place_is_found_by_id_and_by_key(void **state)
{
	(void)state;
	WR_AUTO(http_answer_free_at)
	struct http_answer *joined = api_enqueue(url, "found", "order-4711");
	WR_AUTO(mem_free_at) char *id = http_answer_text(joined, "position_id");
	char query[64];
	print_into(query, "id=%s", id);
	expect_found(query, id);
	expect_found("key=order-4711", id);
}

/* Joins with an identity; gives the place's id. */
static char *join_as(const char *identity, const char *jti)
{
	char payload[512], body[2048];
	int64_t now_s = clock_wall().ms / 1000;
	int len = snprintf(payload, sizeof(payload),
					   "{\"aud\":\"default/found\",\"jti\":\"%s\",\"iat\":%lld,\"exp\":%lld,"
					   "\"identity\":\"%s\"}",
					   jti, (long long)now_s, (long long)now_s + 60, identity);
	struct entry_text entry;
	entry_sign_hs256(ENTRY_HEADER_HS256, payload, (size_t)len, &entry);
	print_into(body, "{\"queue_id\":\"found\",\"entry\":\"%s\"}", entry.bytes);
	WR_AUTO(http_answer_free_at)
	struct http_answer *answer = http_call(url, "POST", "/enqueue", NULL, body);
	api_expect_status(answer, 201);
	return http_answer_text(answer, "position_id");
}

static void somebody_is_found_by_who_they_are(void **state)
{
	(void)state;
	WR_AUTO(mem_free_at) char *id = join_as("ann@shop.example", "ann-1");
	expect_found("identity=ann@shop.example", id);
	expect_found("identity=%20Ann@Shop.example", id);
}

static void whom_nobody_knows_is_an_empty_list(void **state)
{
	(void)state;
	static const char *const queries[] = {"code=000-000-000", "id=AAAAAAAAAAAAAAAA",
										  "key=never-used", "identity=nobody@shop.example"};
	for (size_t i = 0; i < COUNT(queries); i++) {
		WR_AUTO(http_answer_free_at) struct http_answer *answer = look("found", queries[i]);
		api_expect_status(answer, 200);
		static const char nobody[] = "{\"places\":[],\"complete\":true,";
		assert_memory_equal(answer->body, nobody, sizeof(nobody) - 1);
	}
}

static void what_is_no_way_to_find_somebody_is_refused(void **state)
{
	(void)state;
	static const char *const queries[] = {"",		  "code=", "code=12345678", "code=UUU-UUU-UUU",
										  "id=short", "key=",  "identity=",		"name=ann"};
	for (size_t i = 0; i < COUNT(queries); i++) {
		WR_AUTO(http_answer_free_at) struct http_answer *answer = look("found", queries[i]);
		api_expect_problem(answer, 422, "invalid_value");
	}
	WR_AUTO(http_answer_free_at) struct http_answer *answer = look("nowhere", "code=000-000-000");
	api_expect_problem(answer, 404, "no_such_queue");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_place_is_found_by_its_code_however_it_is_typed),
		cmocka_unit_test(a_place_is_found_by_id_and_by_key),
		cmocka_unit_test(somebody_is_found_by_who_they_are),
		cmocka_unit_test(whom_nobody_knows_is_an_empty_list),
		cmocka_unit_test(what_is_no_way_to_find_somebody_is_refused),
	};
	return cmocka_run_group_tests(tests, open_room, shared_stack_close);
}
