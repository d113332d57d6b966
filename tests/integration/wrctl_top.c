/* wrctl top on a terminal of 80 x 24: what is seen, what keys do, and that the terminal is given
 * back. */
#include "support/api.h"
#include "support/cmocka.h"
#include "support/ctl_room.h"
#include "support/process.h"
#include "support/pty.h"
#include "support/wait.h"
#include "waitingroom/memory.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>

static int open_room(void **state)
{
	(void)state;
	stack = stack_start(&(struct stack_options){
		.pods = 1,
		.admitters = 1,
		.without_nats = true,
		.admin_keys = API_ADMIN_KEYS_FILE,
		.queues = QUEUES(QUEUE("demo", HELD) "," QUEUE("sale", "\"capacity\":7") "," QUEUE(
			"a1", "\"capacity\":5") "," QUEUE("a2", "\"capacity\":5")),
		.env = (const char *const[]){NO_RATE_LIMITS, "WR_RELAY=0", "WR_REPORT_INTERVAL_MS=200",
									 NULL}});
	return 0;
}

static struct pty *top(int lines, int columns, const char *option)
{
	struct ctl ctl = at_the_pod();
	struct pty *pty = ctl_start_on_pty(&ctl, lines, columns, "top", option, NULL);
	WAIT_UNTIL(10000, pty_sees(pty, "default/demo"), "the queues");
	return pty;
}

/* As it was before the program began. */
static void expect_given_back(struct pty *pty)
{
	assert_false(pty_is_alternate(pty));
	assert_false(pty_cursor_is_hidden(pty));
	assert_true(pty_is_canonical(pty));
	pty_free(pty);
}

static void at_80_by_24_queues_and_processes_are_seen(void **state)
{
	(void)state;
	WR_AUTO(mem_free_at) char *token = api_join(stack_url(stack, 0), "demo");
	struct pty *pty = top(24, 80, NULL);
	assert_true(pty_is_alternate(pty));
	assert_true(pty_cursor_is_hidden(pty));
	assert_false(pty_is_canonical(pty));
	WAIT_UNTIL(10000, pty_sees(pty, "4 queues   1 waiting"), "the totals");
	WAIT_UNTIL(10000, pty_sees(pty, "1 pod ok   1 admitter ok"), "the processes");
	WAIT_UNTIL(10000, pty_sees(pty, "0/7"), "active against capacity");
	assert_true(pty_sees(pty, "QUEUE"));
	assert_true(pty_was_coloured(pty));
	assert_non_null(strstr(pty_line(pty, 5), "default/demo")); /* somebody waits there: first */
	assert_non_null(strstr(pty_line(pty, 23), "q quit"));
	pty_type(pty, "q");
	assert_int_equal(pty_wait(pty, 5000), 0);
	expect_given_back(pty);
}

static void keys_change_the_view_and_scroll(void **state)
{
	(void)state;
	struct pty *pty = top(7, 80, "--no-color");
	WAIT_UNTIL(5000, pty_sees(pty, "1-1 of 4"), "one line of the list");
	pty_type(pty, "\033[B");
	WAIT_UNTIL(5000, pty_sees(pty, "2-2 of 4"), "down");
	pty_type(pty, "\033[A");
	WAIT_UNTIL(5000, pty_sees(pty, "1-1 of 4"), "up");
	pty_type(pty, "jjjjjjjj");
	WAIT_UNTIL(5000, pty_sees(pty, "4-4 of 4"), "not beyond the end");
	pty_type(pty, "p");
	WAIT_UNTIL(5000, pty_sees(pty, "PROCESS") && pty_sees(pty, "1-1 of 2"), "the processes");
	assert_false(pty_was_coloured(pty));
	pty_type(pty, "q");
	assert_int_equal(pty_wait(pty, 5000), 0);
	expect_given_back(pty);
}

static void another_size_is_painted_at_once(void **state)
{
	(void)state;
	struct pty *pty = top(24, 80, NULL);
	pty_resize(pty, 12, 120);
	WAIT_UNTIL(5000, pty_sees(pty, "QUEUE") && strstr(pty_line(pty, 11), "q quit"),
			   "the last line is at the new end");
	pty_resize(pty, 10, 60);
	WAIT_UNTIL(5000, pty_sees(pty, "QUEUE") && strstr(pty_line(pty, 9), "q quit"),
			   "the same, narrower");
	pty_signal(pty, SIGINT);
	assert_int_equal(pty_wait(pty, 5000), 0);
	expect_given_back(pty);
}

static void only_lines_that_change_are_painted(void **state)
{
	(void)state;
	struct pty *pty = top(24, 80, NULL);
	WAIT_UNTIL(10000, pty_sees(pty, "1 pod ok"), "the processes");
	size_t first = pty_printed(pty);
	char clock[16];
	snprintf(clock, sizeof(clock), "%.8s", strstr(pty_line(pty, 0), "  every") - 8);
	for (int i = 0; i < 2; i++) { /* two more pictures */
		WAIT_UNTIL(5000, !pty_sees(pty, clock), "the next second");
		snprintf(clock, sizeof(clock), "%.8s", strstr(pty_line(pty, 0), "  every") - 8);
	}
	assert_true(pty_printed(pty) - first < first); /* the first was painted whole */
	pty_type(pty, "q");
	assert_int_equal(pty_wait(pty, 5000), 0);
	expect_given_back(pty);
}

static void the_terminal_is_given_back_on_every_way_out(void **state)
{
	(void)state;
	static const struct {
		int signal, code;
	} ways[] = {
		{SIGINT, 0}, {SIGTERM, 128 + SIGTERM}, {SIGHUP, 128 + SIGHUP}, {SIGABRT, 128 + SIGABRT}};
	for (size_t i = 0; i < COUNT(ways); i++) {
		struct pty *pty = top(24, 80, NULL);
		pty_signal(pty, ways[i].signal);
		assert_int_equal(pty_wait(pty, 5000), ways[i].code);
		expect_given_back(pty);
	}
}

static void no_answer_is_said_and_a_key_still_ends_it(void **state)
{
	(void)state;
	struct pty *pty = top(24, 80, NULL);
	process_pause(stack_pod(stack, 0));
	WAIT_UNTIL(15000, pty_sees(pty, "no answer for"), "it says so");
	assert_true(pty_sees(pty, "default/demo")); /* what was known last */
	pty_type(pty, "q");
	assert_int_equal(pty_wait(pty, 2000), 0); /* although an answer is waited for */
	process_continue(stack_pod(stack, 0));
	expect_given_back(pty);
}

static void once_prints_a_picture_into_a_pipe(void **state)
{
	(void)state;
	struct ctl ctl = at_the_pod();
	RUN run = ctl_run(&ctl, "top", "--once", NULL);
	ctl_expect(&run, 0, "4 queues", NULL);
	ctl_expect(&run, 0, "default/sale", NULL);
	assert_null(strchr(run.out, '\033'));
	assert_null(strstr(run.out, "q quit"));
	RUN json = ctl_run(&ctl, "top", "--once", "--output", "json", NULL);
	assert_int_equal(json_count(json_member(json.json, "queues")), 4);
	RUN piped = ctl_run(&ctl, "top", NULL);
	ctl_expect(&piped, 2, NULL, "--once");
	ctl.url = "http://127.0.0.1:1";
	RUN nobody = ctl_run(&ctl, "top", "--once", NULL);
	ctl_expect(&nobody, 3, NULL, "no answer");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(at_80_by_24_queues_and_processes_are_seen),
		cmocka_unit_test(keys_change_the_view_and_scroll),
		cmocka_unit_test(another_size_is_painted_at_once),
		cmocka_unit_test(only_lines_that_change_are_painted),
		cmocka_unit_test(the_terminal_is_given_back_on_every_way_out),
		cmocka_unit_test(no_answer_is_said_and_a_key_still_ends_it),
		cmocka_unit_test(once_prints_a_picture_into_a_pipe),
	};
	return cmocka_run_group_tests(tests, open_room, shared_stack_close);
}
