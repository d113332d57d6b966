/* Taking a queue away, and making it anew under the same name.
 *
 * The relay is off: the final events stay in the outbox, where they can be looked at. Two pods.
 */
#include "support/api.h"
#include "support/cmocka.h"
#include "support/process.h"
#include "support/shared_stack.h"
#include "support/wait.h"
#include "waitingroom/memory.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int open_room(void **state)
{
	(void)state;
	stack = stack_start(
		&(struct stack_options){.pods = 2,
								.without_nats = true,
								.admin_keys = API_ADMIN_KEYS_FILE,
								.env = (const char *const[]){NO_RATE_LIMITS, "WR_RELAY=0",
															 "WR_SYNC_INTERVAL_MS=50", NULL}});
	return 0;
}

static void expect_admin(const char *method, const char *path, const char *body, int status)
{
	WR_AUTO(http_answer_free_at)
	struct http_answer *answer = api_admin(stack, 0, method, path, body);
	api_expect_status(answer, status);
}

static int info_status(int pod, const char *queue)
{
	char path[96];
	snprintf(path, sizeof(path), "/queues/%s", queue);
	WR_AUTO(http_answer_free_at)
	struct http_answer *answer = http_call(stack_url(stack, pod), "GET", path, NULL, NULL);
	return answer->status;
}

static void await_info(const char *queue, int status)
{
	for (int pod = 0; pod < 2; pod++)
		WAIT_UNTIL(5000, info_status(pod, queue) == status, "every pod knows");
}

/* All outbox entries of a queue as one text. */
static char *outbox_of(const char *queue)
{
	char command[400];
	snprintf(
		command, sizeof(command),
		"EVAL \"local out = {} for _, entry in ipairs(redis.call('XRANGE', 'wr:{%s}:outbox', '-', "
		"'+')) do out[#out + 1] = table.concat(entry[2], ' ') end "
		"return table.concat(out, ';')\" 0",
		queue);
	return redis_do(stack->redis, command);
}

static void expect_event(const char *outbox, const char *format, const char *position_id)
{
	char event[200];
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
	snprintf(event, sizeof(event), format, position_id);
#pragma GCC diagnostic pop
	if (!strstr(outbox, event))
		fail_msg("no \"%s\" in %s", event, outbox);
}

static void everybody_gets_a_final_event(void **state)
{
	(void)state;
	api_make_queue(stack, "default/final", "{" HELD "}");
	WR_AUTO(mem_free_at) char *inside = api_join_present(stack, 0, "final");
	WR_AUTO(mem_free_at) char *inside_id = api_position_id(inside);
	api_admit(stack, "default/final", 1);
	api_await(stack_url(stack, 0), inside, 5000, "admitted");
	http_answer_free(api_poll(stack_url(stack, 0), "/heartbeat", inside));
	WR_AUTO(mem_free_at) char *called = api_join_present(stack, 0, "final");
	WR_AUTO(mem_free_at) char *called_id = api_position_id(called);
	api_admit(stack, "default/final", 1);
	WR_AUTO(mem_free_at) char *waiting = api_join(stack_url(stack, 1), "final");
	WR_AUTO(mem_free_at) char *waiting_id = api_position_id(waiting);
	expect_admin("DELETE", "/default/final", NULL, 204);
	WR_AUTO(mem_free_at) char *outbox = outbox_of("default/final");
	expect_event(outbox, "type queue-deleted%s", "");
	expect_event(outbox, "people %s main 3 deleted", waiting_id);
	expect_event(outbox, "people %s main 1", inside_id);
	expect_event(outbox, "type session-revoked%s", "");
	expect_event(outbox, "people %s main 2", called_id);
	expect_event(outbox, "type missed%s", "");
}

static void a_deleted_queue_is_unknown_to_every_pod(void **state)
{
	(void)state;
	api_make_queue(stack, "default/gone", "{" HELD "}");
	WR_AUTO(mem_free_at) char *token = api_join(stack_url(stack, 0), "gone");
	expect_admin("DELETE", "/default/gone", NULL, 204);
	await_info("default/gone", 404);
	for (int pod = 0; pod < 2; pod++) {
		WR_AUTO(http_answer_free_at)
		struct http_answer *join = api_enqueue(stack_url(stack, pod), "gone", NULL);
		api_expect_problem(join, 404, "no_such_queue");
		WR_AUTO(http_answer_free_at)
		struct http_answer *beat = api_poll(stack_url(stack, pod), "/heartbeat", token);
		api_expect_problem(beat, 404, "no_such_queue");
		WR_AUTO(http_answer_free_at)
		struct http_answer *read = api_admin(stack, pod, "GET", "/default/gone", NULL);
		api_expect_problem(read, 404, "no_such_queue");
		WR_AUTO(http_answer_free_at)
		struct http_answer *list = api_admin(stack, pod, "GET", "", NULL);
		assert_null(strstr(list->body, "default/gone"));
	}
}

static void a_join_that_meets_the_deletion_is_refused_cleanly(void **state)
{
	(void)state;
	api_make_queue(stack, "default/race", "{" HELD "}");
	expect_admin("DELETE", "/default/race", NULL, 204);
	/* A pod whose picture is older cannot tell a deletion from a loss, and asks to try again. */
	WR_AUTO(http_answer_free_at)
	struct http_answer *join = api_enqueue(stack_url(stack, 1), "race", NULL);
	if (join->status == 503)
		api_expect_problem(join, 503, "store_unavailable");
	else
		api_expect_problem(join, 404, "no_such_queue");
	await_info("default/race", 404);
	WR_AUTO(http_answer_free_at)
	struct http_answer *later = api_enqueue(stack_url(stack, 1), "race", NULL);
	api_expect_problem(later, 404, "no_such_queue");
}

static void deleting_what_is_not_there_is_404(void **state)
{
	(void)state;
	expect_admin("DELETE", "/default/never", NULL, 404);
	api_make_queue(stack, "default/twice", "{" HELD "}");
	expect_admin("DELETE", "/default/twice", NULL, 204);
	expect_admin("DELETE", "/default/twice", NULL, 404);
}

static void a_queue_made_anew_starts_a_new_life(void **state)
{
	(void)state;
	api_make_queue(stack, "default/again", "{" HELD "}");
	WR_AUTO(mem_free_at) char *old = api_join(stack_url(stack, 0), "again");
	WR_AUTO(mem_free_at) char *old_epoch = redis_do(stack->redis, "GET wr:{default/again}:epoch");
	expect_admin("DELETE", "/default/again", NULL, 204);
	await_info("default/again", 404);
	api_make_queue(stack, "default/again", "{" HELD "}");
	WR_AUTO(mem_free_at) char *epoch = redis_do(stack->redis, "GET wr:{default/again}:epoch");
	assert_string_not_equal(epoch, old_epoch);
	for (int pod = 0; pod < 2; pod++) {
		WR_AUTO(http_answer_free_at)
		struct http_answer *beat = api_poll(stack_url(stack, pod), "/heartbeat", old);
		api_expect_problem(beat, 410, "place_expired");
	}
	WR_AUTO(http_answer_free_at)
	struct http_answer *first = api_join_answer(stack_url(stack, 1), "again");
	assert_int_equal(http_answer_number(first, "position"), 1);
	/* Versions go on, so that no pod takes new settings for old ones. */
	WR_AUTO(http_answer_free_at)
	struct http_answer *read = api_admin(stack, 0, "GET", "/default/again", NULL);
	assert_int_equal(http_answer_number(read, "version"), 2);
}

static void a_queue_made_anew_at_once_has_nothing_of_the_old_one(void **state)
{
	(void)state;
	api_make_queue(stack, "default/quick", "{" HELD "}");
	WR_AUTO(mem_free_at) char *old = api_join(stack_url(stack, 0), "quick");
	api_await_position(stack, 1, old);
	/* Faster than any pod looks: to them the queue was never away. */
	expect_admin("DELETE", "/default/quick", NULL, 204);
	expect_admin("PUT", "/default/quick", "{" HELD ",\"message\":\"New.\"}", 201);
	for (int pod = 0; pod < 2; pod++) {
		api_await(stack_url(stack, pod), old, 5000, "place_expired");
		WR_AUTO(http_answer_free_at)
		struct http_answer *next = api_join_answer(stack_url(stack, pod), "quick");
		assert_int_equal(http_answer_number(next, "position"), pod + 1);
		WR_AUTO(mem_free_at) char *token = http_answer_text(next, "token");
		api_await_position(stack, pod, token);
		WR_AUTO(http_answer_free_at)
		struct http_answer *status = api_poll(stack_url(stack, pod), "/status", token);
		assert_int_equal(http_answer_number(status, "position"), pod + 1);
		assert_int_equal(http_answer_number(status, "waiting"), pod + 1);
	}
}

static bool shows(int pod, const char *queue, const char *message)
{
	char path[96];
	snprintf(path, sizeof(path), "/queues/%s", queue);
	WR_AUTO(http_answer_free_at)
	struct http_answer *answer = http_call(stack_url(stack, pod), "GET", path, NULL, NULL);
	WR_AUTO(mem_free_at)
	char *text = answer->status == 200 ? http_answer_text(answer, "message") : NULL;
	return text && strcmp(text, message) == 0;
}

/* The store loses everything, and the pod that brings the queue back knew newer settings than one
 * that slept: both call them version 1. */
static void a_pod_that_slept_through_a_loss_reads_the_settings_again(void **state)
{
	(void)state;
	api_make_queue(stack, "default/lost", "{" HELD "}");
	process_pause(stack_pod(stack, 1));
	expect_admin("PUT", "/default/lost", "{" HELD ",\"message\":\"Newer.\"}", 200);
	WAIT_UNTIL(5000, shows(0, "default/lost", "Newer."), "the change to be seen");
	free(redis_do(stack->redis, "FLUSHALL"));
	WAIT_UNTIL(5000, api_store_number(stack, "EXISTS wr:{default/lost}:settings") == 1,
			   "the queue to be brought back");
	process_signal(stack_pod(stack, 1), SIGCONT);
	WAIT_UNTIL(5000, shows(1, "default/lost", "Newer."), "the pod that slept to know");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(everybody_gets_a_final_event),
		cmocka_unit_test(a_deleted_queue_is_unknown_to_every_pod),
		cmocka_unit_test(a_join_that_meets_the_deletion_is_refused_cleanly),
		cmocka_unit_test(deleting_what_is_not_there_is_404),
		cmocka_unit_test(a_queue_made_anew_starts_a_new_life),
		cmocka_unit_test(a_queue_made_anew_at_once_has_nothing_of_the_old_one),
		cmocka_unit_test(a_pod_that_slept_through_a_loss_reads_the_settings_again),
	};
	return cmocka_run_group_tests(tests, open_room, shared_stack_close);
}
