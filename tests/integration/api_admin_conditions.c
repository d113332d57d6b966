/* Changes of a queue that are tied to the version that was read: of those who read the same one
 * wins. */
#include "support/cmocka.h"
#include "support/desk.h"
#include "waitingroom/memory.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void a_change_is_tied_to_the_version_that_was_read(void **state)
{
	(void)state;
	desk_make_queue("tied", "{\"state\":\"hold\"}");
	WR_AUTO(http_answer_free_at)
	struct http_answer *first = desk_ask(0, "PUT", "tied", "If-Match: \"1\"\r\n", "{\"burst\":2}");
	api_expect_status(first, 200);
	assert_string_equal(http_answer_header(first, "ETag"), "\"2\"");
	desk_expect("PUT", "tied", "If-Match: \"1\"\r\n", "{\"burst\":3}", 412, "version_mismatch");
	desk_expect("PATCH", "tied", "If-Match: \"1\"\r\n", "{\"burst\":3}", 412, "version_mismatch");
	desk_expect("PUT", "tied", "If-Match: W/\"2\"\r\n", "{\"burst\":3}", 412, "version_mismatch");
	desk_expect("PATCH", "tied", "If-Match: \"1\", \"2\"\r\n", "{\"burst\":3}", 200, NULL);
	desk_expect("PATCH", "tied", "If-Match: *\r\n", "{\"burst\":4}", 200, NULL);
	desk_expect("PATCH", "tied", "If-Match: never\r\n", "{\"burst\":5}", 422, "invalid_value");
	assert_int_equal(desk_version("tied"), 4);
	assert_int_equal(desk_setting("tied", "burst"), 4);
}

static void a_queue_that_has_changed_is_not_deleted(void **state)
{
	(void)state;
	desk_make_queue("kept", "{\"state\":\"hold\"}");
	desk_expect("PATCH", "kept", NULL, "{\"burst\":3}", 200, NULL);
	desk_expect("DELETE", "kept", "If-Match: \"1\"\r\n", NULL, 412, "version_mismatch");
	desk_expect("DELETE", "kept", "If-Match: W/\"2\"\r\n", NULL, 412, "version_mismatch");
	desk_expect("DELETE", "kept", "If-None-Match: *\r\n", NULL, 412, "version_mismatch");
	desk_expect("DELETE", "kept", "If-Match: never\r\n", NULL, 422, "invalid_value");
	assert_int_equal(desk_version("kept"), 2);
	desk_expect("DELETE", "kept", "If-Match: \"2\"\r\n", NULL, 204, NULL);
	desk_expect("GET", "kept", NULL, NULL, 404, "no_such_queue");
	desk_expect("DELETE", "kept", "If-Match: \"2\"\r\n", NULL, 404, "no_such_queue");
}

static void a_queue_is_made_only_where_there_is_none(void **state)
{
	(void)state;
	desk_expect("PUT", "fresh", "If-Match: *\r\n", "{}", 412, "version_mismatch");
	desk_expect("PUT", "fresh", "If-Match: \"1\"\r\n", "{}", 412, "version_mismatch");
	desk_expect("PATCH", "fresh", NULL, "{}", 404, "no_such_queue");
	WR_AUTO(http_answer_free_at)
	struct http_answer *made = desk_ask(0, "PUT", "fresh", "If-None-Match: *\r\n", "{\"burst\":7}");
	api_expect_status(made, 201);
	assert_string_equal(http_answer_header(made, "ETag"), "\"1\"");
	desk_expect("PUT", "fresh", "If-None-Match: *\r\n", "{\"burst\":8}", 412, "version_mismatch");
	assert_int_equal(desk_setting("fresh", "burst"), 7);
}

struct writer {
	int pod, burst;
	int status;
	const char *url, *method, *queue;
};

static void *write_once(void *ctx)
{
	struct writer *writer = ctx;
	char body[32], path[64];
	snprintf(body, sizeof(body), "{\"burst\":%d}", writer->burst);
	snprintf(path, sizeof(path), "/admin/v1/queues/default/%s", writer->queue);
	WR_AUTO(http_answer_free_at)
	struct http_answer *answer =
		http_call(writer->url, writer->method, path, DESK_KEY_HEADER "If-Match: \"1\"\r\n",
				  strcmp(writer->method, "DELETE") == 0 ? NULL : body);
	writer->status = answer->status;
	return NULL;
}

#define WRITERS 8

/* All at once, at both pods, on the queue at version 1; the odd ones with 'odd_method'. */
static void write_at_once(const char *queue, const char *odd_method,
						  struct writer ret_writers[WRITERS])
{
	pthread_t threads[WRITERS];
	for (int i = 0; i < WRITERS; i++) {
		ret_writers[i] = (struct writer){.pod = i / 2 % 2,
										 .burst = 100 + i,
										 .url = stack_internal_url(stack, i / 2 % 2),
										 .method = i % 2 ? odd_method : "PATCH",
										 .queue = queue};
		if (pthread_create(&threads[i], NULL, write_once, &ret_writers[i]))
			abort();
	}
	for (int i = 0; i < WRITERS; i++)
		pthread_join(threads[i], NULL);
}

static void of_writers_who_read_the_same_version_one_wins(void **state)
{
	(void)state;
	desk_make_queue("raced", "{\"state\":\"hold\"}");
	struct writer writers[WRITERS];
	write_at_once("raced", "PATCH", writers);
	int won = -1;
	for (int i = 0; i < WRITERS; i++) {
		if (writers[i].status == 200) {
			assert_int_equal(won, -1);
			won = i;
		} else {
			assert_int_equal(writers[i].status, 412);
		}
	}
	assert_true(won >= 0);
	assert_int_equal(desk_version("raced"), 2);
	assert_int_equal(desk_setting("raced", "burst"), 100 + won);
}

static void a_queue_is_either_changed_or_deleted_by_those_who_read_the_same_version(void **state)
{
	(void)state;
	for (int round = 0; round < 5; round++) {
		struct writer writers[WRITERS];
		char queue[16];
		int changed = 0, deleted = 0;
		snprintf(queue, sizeof(queue), "either%d", round);
		desk_make_queue(queue, "{\"state\":\"hold\"}");
		write_at_once(queue, "DELETE", writers);
		for (int i = 0; i < WRITERS; i++) {
			changed += writers[i].status == 200;
			deleted += writers[i].status == 204;
		}
		assert_true(changed + deleted > 0);
		assert_true(changed == 0 || (changed == 1 && deleted == 0));
		WR_AUTO(http_answer_free_at)
		struct http_answer *there = desk_ask(1, "GET", queue, NULL, NULL);
		api_expect_status(there, changed ? 200 : 404);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_change_is_tied_to_the_version_that_was_read),
		cmocka_unit_test(a_queue_that_has_changed_is_not_deleted),
		cmocka_unit_test(a_queue_is_made_only_where_there_is_none),
		cmocka_unit_test(of_writers_who_read_the_same_version_one_wins),
		cmocka_unit_test(a_queue_is_either_changed_or_deleted_by_those_who_read_the_same_version),
	};
	return cmocka_run_group_tests(tests, desk_open, shared_stack_close);
}
