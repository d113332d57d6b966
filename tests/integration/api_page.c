/* GET /q/<tenant>/<queue>: the document, its headers, and who gets which form of it. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/api.h"
#include "support/cmocka.h"
#include "waitingroom/memory.h"
#include "waitingroom/token.h"

static struct stack *stack;
static const char *url;

static int open_room(void **state)
{
	(void)state;
	stack = stack_start(&(struct stack_options){
		.pods = 1,
		.without_nats = true,
		.admin_keys = API_ADMIN_KEYS_FILE,
		.env = (const char *const[]){NO_RATE_LIMITS, "WR_WORKERS=1", NULL},
		.queues = QUEUES(QUEUE("demo", HELD) "," QUEUE("acme/demo", HELD))});
	url = stack_url(stack, 0);
	return 0;
}

static int close_room(void **state)
{
	(void)state;
	stack_free(stack);
	return 0;
}

static struct http_answer *get(const char *path, const char *headers)
{
	return http_call(url, "GET", path, headers, NULL);
}

static void expect_header(const struct http_answer *answer, const char *name, const char *value)
{
	const char *given = http_answer_header(answer, name);
	assert_non_null(given);
	assert_string_equal(given, value);
}

static void the_page_of_a_queue_is_html_that_a_cache_may_keep(void **state)
{
	(void)state;
	WR_AUTO(http_answer_free_at) struct http_answer *answer = get("/q/default/demo", NULL);
	api_expect_status(answer, 200);
	expect_header(answer, "Content-Type", "text/html; charset=utf-8");
	expect_header(answer, "Cache-Control", "public, max-age=60");
	expect_header(answer, "Vary", "Accept-Encoding, Accept-Language, Cookie");
	expect_header(answer, "Content-Language", "en");
	assert_null(http_answer_header(answer, "Set-Cookie"));
	assert_non_null(strstr(answer->body, "<html lang=\"en\" dir=\"ltr\">"));
	assert_null(strstr(answer->body, "{{"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_page_of_a_queue_is_html_that_a_cache_may_keep),
	};
	return cmocka_run_group_tests(tests, open_room, close_room);
}
