/* wrctl watch: events of one queue as lines, live and from before, also over a broker that
 * restarts. */
#include "support/api.h"
#include "support/cloudevent.h"
#include "support/cmocka.h"
#include "support/ctl.h"
#include "support/process.h"
#include "support/shared_stack.h"
#include "support/wait.h"
#include "waitingroom/memory.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char nats[96]; /* where wrctl finds the broker */

static int open_room(void **state)
{
	(void)state;
	stack = stack_start(
		&(struct stack_options){.pods = 1,
								.admin_keys = API_ADMIN_KEYS_FILE,
								.queues = QUEUES(QUEUE("demo", HELD) "," QUEUE("other", HELD)),
								.env = (const char *const[]){NO_RATE_LIMITS, NULL}});
	/* a pod serves before its relay has found the broker */
	WAIT_UNTIL(20000, process_log_has(stack_pod(stack, 0), "\"stream_created\""), "a stream");
	print_into(nats, "WRCTL_NATS_URL=%s", nats_url(stack->nats));
	return 0;
}

static struct ctl here(const char *const *variables)
{
	return (struct ctl){.url = stack_internal_url(stack, 0), .variables = variables};
}

/* Runs until it is stopped; its output is its log. */
static struct process *watch(const char *queue, const char *option)
{
	struct ctl ctl = here((const char *const[]){nats, NULL});
	return ctl_start(&ctl, "watch", queue, option, NULL);
}

static char *join(const char *queue)
{
	WR_AUTO(mem_free_at) char *token = api_join(stack_url(stack, 0), queue);
	return api_position_id(token);
}

/* Somebody who joined while the watch was not there yet is not seen: joins until one is. */
static bool join_is_seen(struct process *process)
{
	WR_AUTO(mem_free_at) char *id = join("demo");
	(void)id;
	return process_log_has(process, "position.enqueued");
}

static void end(struct process *process)
{
	process_signal(process, SIGINT);
	assert_int_equal(process_wait(process, 5000), 0);
	process_free(process);
}

static void events_of_the_queue_are_lines_and_those_of_others_are_not(void **state)
{
	(void)state;
	struct process *process = watch("demo", NULL);
	WAIT_UNTIL(10000, join_is_seen(process), "the watch is there");
	WR_AUTO(mem_free_at) char *stranger = join("other");
	WR_AUTO(mem_free_at) char *guest = join("demo");
	WAIT_UNTIL(10000, process_log_has(process, guest), "the next one");
	assert_false(process_log_has(process, stranger));
	assert_true(process_log_has(process, "lane=main ticket="));
	end(process);
}

static void a_broker_that_restarts_is_told_of_and_nothing_is_missed_or_told_twice(void **state)
{
	(void)state;
	struct process *process = watch("demo", NULL);
	WAIT_UNTIL(10000, join_is_seen(process), "the watch is there");
	nats_kill(stack->nats);
	WAIT_UNTIL(10000, process_log_has(process, "NATS is away"), "it says so");
	char *ids[5];
	for (size_t i = 0; i < COUNT(ids); i++)
		ids[i] = join("demo");
	nats_restart(stack->nats);
	WAIT_UNTIL(15000, process_log_has(process, "NATS is back"), "it says so");
	for (size_t i = 0; i < COUNT(ids); i++)
		WAIT_UNTIL(15000, process_log_has(process, ids[i]), "what happened meanwhile");
	WR_AUTO(mem_free_at) char *last = join("demo");
	WAIT_UNTIL(15000, process_log_has(process, last), "what happens now");
	WR_AUTO(mem_free_at) char *log = process_log(process);
	for (size_t i = 0; i < COUNT(ids); i++) {
		char *first = strstr(log, ids[i]);
		if (strstr(first + 1, ids[i]))
			fail_msg("%s is there twice:\n%s", ids[i], log);
		free(ids[i]);
	}
	end(process);
}

static void what_was_before_can_be_seen_too(void **state)
{
	(void)state;
	WR_AUTO(mem_free_at) char *guest = join("demo");
	struct process *process = watch("demo", "--since=5m");
	WAIT_UNTIL(10000, process_log_has(process, guest), "somebody from before");
	end(process);
}

static void json_is_one_cloudevent_a_line(void **state)
{
	(void)state;
	struct ctl ctl = here((const char *const[]){nats, NULL});
	WR_AUTO(mem_free_at) char *guest = join("demo");
	RUN run = ctl_run(&ctl, "watch", "demo", "--since", "1h", "--count", "3", "--type", "enqueued",
					  "--output", "json", NULL);
	int lines = 0;
	ctl_expect(&run, 0, NULL, NULL);
	for (char *rest = run.out, *line; (line = strsep(&rest, "\n")) != NULL && line[0];) {
		expect_cloudevent(line, strlen(line));
		assert_non_null(strstr(line, "io.waitingroom.position.enqueued.v1"));
		lines++;
	}
	assert_int_equal(lines, 3);
	(void)guest;
}

static void what_cannot_be_watched_is_said_with_its_reason(void **state)
{
	(void)state;
	struct ctl ctl = here(NULL);
	RUN nowhere = ctl_run(&ctl, "watch", "demo", NULL);
	ctl_expect(&nowhere, 2, NULL, "WRCTL_NATS_URL");
	ctl = here((const char *const[]){nats, NULL});
	RUN unknown = ctl_run(&ctl, "watch", "nosuch", NULL);
	ctl_expect(&unknown, 6, NULL, "no_such_queue");
	RUN when = ctl_run(&ctl, "watch", "demo", "--since", "yesterday", NULL);
	ctl_expect(&when, 2, NULL, "30s, 5m, 2h or 1d");
	ctl = here((const char *const[]){"WRCTL_NATS_URL=nats://127.0.0.1:1", NULL});
	RUN nobody = ctl_run(&ctl, "watch", "demo", NULL);
	ctl_expect(&nobody, 3, NULL, "NATS cannot be watched");
	ctl = here((const char *const[]){"WRCTL_NATS_URL=http://127.0.0.1:1", NULL});
	RUN wrong = ctl_run(&ctl, "watch", "demo", NULL);
	ctl_expect(&wrong, 2, NULL, "must begin with nats://");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(events_of_the_queue_are_lines_and_those_of_others_are_not),
		cmocka_unit_test(a_broker_that_restarts_is_told_of_and_nothing_is_missed_or_told_twice),
		cmocka_unit_test(what_was_before_can_be_seen_too),
		cmocka_unit_test(json_is_one_cloudevent_a_line),
		cmocka_unit_test(what_cannot_be_watched_is_said_with_its_reason),
	};
	return cmocka_run_group_tests(tests, open_room, shared_stack_close);
}
