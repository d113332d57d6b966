/* WR_QUEUES_FILE: queues are made at the start, and operators keep the last word.
 *
 * A pod that starts in the middle of an event brings its file along. What an operator has changed
 * since the file was written must survive that, or a pause would end when a pod is replaced.
 */
#include "support/api.h"
#include "support/cmocka.h"
#include "support/process.h"
#include "support/shared_stack.h"
#include "support/temp.h"
#include "support/wait.h"
#include "waitingroom/memory.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char *file;

static void write_file(const char *content)
{
	FILE *out = fopen(file, "w");
	assert_non_null(out);
	fputs(content, out);
	fclose(out);
}

static int open_room(void **state)
{
	(void)state;
	file = temp_file("declared.json", QUEUES(QUEUE("sale", HELD ",\"capacity\":5")));
	char setting[256];
	snprintf(setting, sizeof(setting), "WR_QUEUES_FILE=%s", file);
	stack = stack_start(
		&(struct stack_options){.pods = 1,
								.without_nats = true,
								.admin_keys = API_ADMIN_KEYS_FILE,
								.env = (const char *const[]){setting, "WR_RELAY=0", NULL}});
	return 0;
}

static int close_room(void **state)
{
	free(file);
	return shared_stack_close(state);
}

static void expect_queue(const char *queue_state, int64_t capacity, int64_t version)
{
	WR_AUTO(http_answer_free_at)
	struct http_answer *answer = api_admin(stack, 0, "GET", "/default/sale", NULL);
	api_expect_status(answer, 200);
	WR_AUTO(mem_free_at) char *word = http_answer_text(answer, "settings.state");
	assert_string_equal(word, queue_state);
	assert_int_equal(http_answer_number(answer, "settings.capacity"), capacity);
	assert_int_equal(http_answer_number(answer, "version"), version);
}

static void a_queue_of_the_file_is_made_at_the_start(void **state)
{
	(void)state;
	expect_queue("hold", 5, 1);
}

static void the_same_file_again_changes_nothing(void **state)
{
	(void)state;
	stack_restart_pod(stack, 0);
	expect_queue("hold", 5, 1);
	/* Other words for the same settings. */
	write_file(
		"{ \"queues\" : [ {\"capacity\":5, \"state\":\"hold\", \"queue\":\"default/sale\"} ] }");
	stack_restart_pod(stack, 0);
	expect_queue("hold", 5, 1);
}

static void what_an_operator_has_changed_survives_a_pod_that_starts(void **state)
{
	(void)state;
	WR_AUTO(http_answer_free_at)
	struct http_answer *paused =
		api_admin(stack, 0, "POST", "/default/sale/pause", "{\"message\":\"Stop!\"}");
	api_expect_status(paused, 200);
	stack_add_pod(stack);
	expect_queue("paused", 5, 2);
	WR_AUTO(http_answer_free_at)
	struct http_answer *changed =
		api_admin(stack, 0, "PUT", "/default/sale", "{\"capacity\":7,\"state\":\"paused\"}");
	api_expect_status(changed, 200);
	stack_restart_pod(stack, 1);
	expect_queue("paused", 7, 3);
}

static void a_file_that_was_changed_is_applied_at_the_next_start(void **state)
{
	(void)state;
	write_file(QUEUES(QUEUE("sale", HELD ",\"capacity\":9") "," QUEUE("second", HELD)));
	stack_restart_pod(stack, 1);
	expect_queue("hold", 9, 4);
	WR_AUTO(http_answer_free_at)
	struct http_answer *second = api_admin(stack, 0, "GET", "/default/second", NULL);
	api_expect_status(second, 200);
}

static void a_queue_that_leaves_the_file_stays(void **state)
{
	(void)state;
	write_file(QUEUES(QUEUE("second", HELD)));
	stack_restart_pod(stack, 1);
	expect_queue("hold", 9, 4);
}

static size_t lines_with(struct process *process, const char *text, const char *also)
{
	WR_AUTO(mem_free_at) char *log = process_log(process);
	size_t count = 0;
	char *rest = log;
	for (char *line; (line = strsep(&rest, "\n")) != NULL;)
		count += strstr(line, text) != NULL && strstr(line, also) != NULL;
	return count;
}

/* Somebody stands in the lane that the file leaves out. */
static void a_queue_that_is_refused_is_said_by_name_and_the_others_are_made(void **state)
{
	(void)state;
	static const char lanes[] = "\"lanes\":[{\"name\":\"main\",\"weight\":1,\"open\":true},"
								"{\"name\":\"vip\",\"weight\":1,\"open\":true}]";
	char text[512];
	snprintf(text, sizeof(text), QUEUES(QUEUE("lanes", HELD ",%s")), lanes);
	write_file(text);
	stack_restart_pod(stack, 1);
	api_await_queue(stack, "default/lanes");
	WR_AUTO(http_answer_free_at)
	struct http_answer *joined =
		http_call(stack_url(stack, 1), "POST", "/enqueue", "Content-Type: application/json\r\n",
				  "{\"queue_id\":\"lanes\",\"lane\":\"vip\"}");
	api_expect_status(joined, 201);
	write_file(QUEUES(QUEUE("lanes", HELD) "," QUEUE("third", HELD)));
	stack_restart_pod(stack, 1);
	WR_AUTO(http_answer_free_at)
	struct http_answer *third = api_admin(stack, 0, "GET", "/default/third", NULL);
	api_expect_status(third, 200);
	WAIT_UNTIL(5000,
			   lines_with(stack_pod(stack, 1), "default/lanes", "People stand in a lane") == 1,
			   "a line that says so");
}

static void a_file_that_names_a_queue_twice_is_refused_at_the_start(void **state)
{
	(void)state;
	write_file(QUEUES(QUEUE("sale", HELD) "," QUEUE("default/sale", "\"capacity\":9")));
	WR_AUTO(mem_free_at) char *binary = process_binary("waitingroom-api");
	char setting[256], keys[256];
	snprintf(setting, sizeof(setting), "WR_QUEUES_FILE=%s", file);
	snprintf(keys, sizeof(keys), "WR_TOKEN_KEYS_FILE=%s", stack->keys_file);
	struct process *process =
		process_start("twice", (const char *const[]){binary, NULL},
					  (const char *const[]){setting, keys, "WR_LISTEN=127.0.0.1:0",
											"WR_INTERNAL_LISTEN=127.0.0.1:0", NULL});
	assert_int_not_equal(process_wait(process, 5000), 0);
	assert_int_equal(lines_with(process, "default/sale", "twice"), 1);
	process_free(process);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_queue_of_the_file_is_made_at_the_start),
		cmocka_unit_test(the_same_file_again_changes_nothing),
		cmocka_unit_test(what_an_operator_has_changed_survives_a_pod_that_starts),
		cmocka_unit_test(a_file_that_was_changed_is_applied_at_the_next_start),
		cmocka_unit_test(a_queue_that_leaves_the_file_stays),
		cmocka_unit_test(a_queue_that_is_refused_is_said_by_name_and_the_others_are_made),
		cmocka_unit_test(a_file_that_names_a_queue_twice_is_refused_at_the_start),
	};
	return cmocka_run_group_tests(tests, open_room, close_room);
}
