/* The harness itself: a child that dies unasked fails the test, and no child outlives it.
 *
 * Each story is a cmocka test of its own that is meant to fail; this program runs itself with the
 * story's name and looks at how that ended.
 */
#include "support/cmocka.h"
#include "support/process.h"
#include "support/temp.h"
#include "support/wait.h"
#include "waitingroom/memory.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char *const patient[] = {"tail", "-f", "/dev/null", NULL};

/* ---- stories ---- */

static void child_killed_by_a_stranger(void **state)
{
	(void)state;
	struct process *child = process_start("child", patient, NULL);
	kill(process_pid(child), SIGSEGV);
	WAIT_UNTIL(20000, false, "something that never happens");
}

static void child_reports_a_sanitizer_error(void **state)
{
	(void)state;
	struct process *child = process_start(
		"child", (const char *const[]){"sh", "-c", "echo found; exit 99", NULL}, NULL);
	process_wait(child, 20000);
}

static void child_exits_by_itself(void **state)
{
	(void)state;
	struct process *child =
		process_start("child", (const char *const[]){"sh", "-c", "echo last words", NULL}, NULL);
	WAIT_UNTIL(20000, process_log_has(child, "last words") && !process_is_running(child), "an end");
	process_check_all();
}

static void condition_never_comes(void **state)
{
	(void)state;
	WAIT_UNTIL(20, false, "pigs fly");
}

static void child_is_left_behind(void **state)
{
	(void)state;
	struct process *child = process_start("child", patient, NULL);
	fprintf(stderr, "left=%d\n", (int)process_pid(child));
}

static const struct CMUnitTest stories[] = {
	cmocka_unit_test(child_killed_by_a_stranger), cmocka_unit_test(child_reports_a_sanitizer_error),
	cmocka_unit_test(child_exits_by_itself),	  cmocka_unit_test(condition_never_comes),
	cmocka_unit_test(child_is_left_behind),
};

static int tell_story(const char *name)
{
	cmocka_set_test_filter(name);
	return cmocka_run_group_tests(stories, NULL, NULL);
}

/* Runs a story; its exit code is the number of failed tests. gives what it printed. */
static char *hear_story(const char *name, int expected_code)
{
	WR_AUTO(mem_free_at) char *directory = NULL; /* what a failed story leaves goes with ours */
	if (asprintf(&directory, "TMPDIR=%s", temp_dir()) < 0)
		abort();
	struct process *self = process_start(name, (const char *const[]){"/proc/self/exe", name, NULL},
										 (const char *const[]){directory, NULL});
	int code = process_wait(self, 30000);
	char *heard = process_log(self);
	process_free(self);
	if (code != expected_code)
		fail_msg("%s ended with %d: %s", name, code, heard);
	return heard;
}

static void expect_failure(const char *story, const char *because)
{
	WR_AUTO(mem_free_at) char *heard = hear_story(story, 1);
	if (!strstr(heard, because))
		fail_msg("\"%s\" is not in: %s", because, heard);
}

/* ---- tests ---- */

static void a_death_by_an_unexpected_signal_fails_the_test(void **state)
{
	(void)state;
	expect_failure("child_killed_by_a_stranger", "child died of signal 11");
}

static void a_report_of_a_sanitizer_fails_the_test_and_is_shown(void **state)
{
	(void)state;
	expect_failure("child_reports_a_sanitizer_error", "found");
}

static void an_unasked_exit_fails_the_test_also_with_code_0(void **state)
{
	(void)state;
	expect_failure("child_exits_by_itself", "child ended with exit code 0");
}

static void a_passed_deadline_fails_the_test_and_says_what_was_missing(void **state)
{
	(void)state;
	expect_failure("condition_never_comes", "not within 20 ms: pigs fly");
}

static bool is_gone(int pid)
{
	char path[32];
	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	WR_AUTO(mem_free_at) char *stat = temp_read(path, NULL);
	return !stat || strstr(stat, ") Z "); /* a zombie that nobody has fetched */
}

static void a_child_dies_with_its_test(void **state)
{
	(void)state;
	WR_AUTO(mem_free_at) char *heard = hear_story("child_is_left_behind", 0);
	const char *left = strstr(heard, "left=");
	assert_non_null(left);
	int pid = atoi(left + strlen("left="));
	WAIT_UNTIL(5000, is_gone(pid), "the child has died");
}

static void a_paused_process_goes_on_when_told(void **state)
{
	(void)state;
	struct process *child = process_start(
		"counter", (const char *const[]){"sh", "-c", "while :; do echo x; done", NULL}, NULL);
	WAIT_UNTIL(5000, process_log_has(child, "x"), "it counts");
	process_pause(child);
	WR_AUTO(mem_free_at) char *before = process_log(child);
	WR_AUTO(mem_free_at) char *after = process_log(child);
	assert_int_equal(strlen(before), strlen(after));
	process_continue(child);
	WR_AUTO(mem_free_at) char *later = NULL;
	WAIT_UNTIL(5000, (free(later), later = process_log(child), strlen(later) > strlen(after)),
			   "it counts again");
	process_kill(child);
	assert_false(process_is_running(child));
	process_free(child);
}

static void the_environment_given_reaches_the_child(void **state)
{
	(void)state;
	struct process *child = process_start(
		"env", (const char *const[]){"sh", "-c", "echo \"$WR_TEST_A$WR_TEST_B\"; exit 3", NULL},
		(const char *const[]){"WR_TEST_A=1", "WR_TEST_B=2", "WR_TEST_A=3", NULL});
	assert_int_equal(process_wait(child, 5000), 3);
	assert_true(process_log_has(child, "32"));
	process_free(child);
}

int main(int argc, char **argv)
{
	if (argc == 2)
		return tell_story(argv[1]);
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_death_by_an_unexpected_signal_fails_the_test),
		cmocka_unit_test(a_report_of_a_sanitizer_fails_the_test_and_is_shown),
		cmocka_unit_test(an_unasked_exit_fails_the_test_also_with_code_0),
		cmocka_unit_test(a_passed_deadline_fails_the_test_and_says_what_was_missing),
		cmocka_unit_test(a_child_dies_with_its_test),
		cmocka_unit_test(a_paused_process_goes_on_when_told),
		cmocka_unit_test(the_environment_given_reaches_the_child),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
