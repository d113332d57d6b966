/* The doctor among real faults: it names what is broken, says what to do, and names nothing
 * else. */
#include "support/api.h"
#include "support/cmocka.h"
#include "support/ctl.h"
#include "support/process.h"
#include "support/shared_stack.h"
#include "support/wait.h"

#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

/* A pod is silent when it has missed three reports, and forgotten when it has missed twelve. */
#define REPORTS_MS "700"
#define SILENT_S "3"

static char urls[256];

static int open_room(void **state)
{
	(void)state;
	stack = stack_start(&(struct stack_options){
		.pods = 2,
		.admitters = 1,
		.admin_keys = API_ADMIN_KEYS_FILE,
		.queues = QUEUES(QUEUE("demo", HELD)),
		.redis = {.append_only = true},
		.env = (const char *const[]){NO_RATE_LIMITS, "WR_REPORT_INTERVAL_MS=" REPORTS_MS,
									 "WR_STORE_TIMEOUT_MS=500", "WR_TRUSTED_PROXIES=127.0.0.1",
									 NULL}});
	snprintf(urls, sizeof(urls), "%s,%s", stack_internal_url(stack, 0),
			 stack_internal_url(stack, 1));
	return 0;
}

static struct ctl here(void)
{
	static const char *const plain[] = {"LC_ALL=C", NULL}; /* marks in ASCII */
	return (struct ctl){.url = urls, .variables = plain};
}

static bool says(const char *text, int code)
{
	struct ctl ctl = here();
	RUN run = ctl_run(&ctl, "doctor", NULL);
	return run.code == code && strstr(run.out, text) != NULL;
}

static void await_health(void)
{
	WAIT_UNTIL(20000, says("2 of 2 urls answered", 0) && says("+ pods", 0) && says("3 of 3", 0),
			   "all is well again");
}

static int count_lines(const char *text, char mark)
{
	int count = text[0] == mark;
	for (const char *at = strchr(text, '\n'); at; at = strchr(at + 1, '\n'))
		count += at[1] == mark;
	return count;
}

static bool is_called_healthy(void)
{
	static const char *const parts[] = {"+ store",	  "+ broker",			"+ clock",
										"+ admitter", "+ outbox",			"+ invariants",
										"+ pods",	  "queue:default/demo", NULL};
	struct ctl ctl = here();
	RUN run = ctl_run(&ctl, "doctor", NULL);
	size_t found = 0;
	while (parts[found] != NULL && strstr(run.out, parts[found]) != NULL)
		found++;
	return run.code == 0 && parts[found] == NULL && count_lines(run.out, 'x') == 0 &&
		   strstr(run.out, "2 of 2 urls answered with a report. 0 must be mended") != NULL;
}

static void a_healthy_room_is_called_so_part_by_part(void **state)
{
	(void)state;
	/* on a busy machine the store is slow at times, and that is said */
	WAIT_UNTIL(20000, is_called_healthy(), "every part is well");
}

static void warnings_fail_when_one_is_strict(void **state)
{
	(void)state;
	struct ctl ctl = here(); /* the stack's cookies are not secure */
	RUN run = ctl_run(&ctl, "doctor", "--strict", NULL);
	ctl_expect(&run, 1, "WR_SECURE_COOKIES=1", NULL);
}

static void a_dead_admitter_is_named_and_nothing_else(void **state)
{
	(void)state;
	process_kill(stack_admitter(stack, 0));
	WAIT_UNTIL(10000, says("No admitter is alive.", 1), "the doctor sees it");
	struct ctl ctl = here();
	RUN run = ctl_run(&ctl, "doctor", NULL);
	ctl_expect(&run, 1, "-> Start waitingroom-admitter", NULL);
	ctl_expect(&run, 1, "Runbook: NoAdmitter.", NULL);
	assert_int_equal(count_lines(run.out, 'x'), 1);
	stack_restart_admitter(stack, 0);
	WAIT_UNTIL(10000, says("1 admitter is alive", 0), "it is well again");
}

static void a_dead_pod_is_an_url_that_does_not_answer(void **state)
{
	(void)state;
	process_kill(stack_pod(stack, 1));
	struct ctl ctl = here();
	char expected[128];
	snprintf(expected, sizeof(expected), "No answer from %s", stack_internal_url(stack, 1));
	RUN run = ctl_run(&ctl, "doctor", NULL);
	ctl_expect(&run, 1, expected, NULL);
	ctl_expect(&run, 1, "1 of 2 urls answered", NULL);
	ctl_expect(&run, 1, "Runbook: PodDown.", NULL);
	stack_restart_pod(stack, 1);
}

static void a_stopped_pod_takes_no_notice_and_is_silent_to_the_others(void **state)
{
	(void)state;
	await_health();
	process_pause(stack_pod(stack, 0));
	char silent[128], deaf[128];
	snprintf(silent, sizeof(silent), "(api at %s)", stack_internal_url(stack, 0) + 7);
	snprintf(deaf, sizeof(deaf), "%s takes no notice: no answer within " SILENT_S " s",
			 stack_internal_url(stack, 0));
	struct ctl ctl = here();
	RUN run = ctl_run(&ctl, "doctor", "--timeout", SILENT_S, NULL);
	ctl_expect(&run, 1, deaf, NULL);
	ctl_expect(&run, 1, silent, NULL);
	process_continue(stack_pod(stack, 0));
	await_health();
}

/* Lets the pod run for a tenth of a second at a time, until the doctor has looked. */
static bool is_called_slow(struct process *pod, const char *expected, const char *unexpected)
{
	struct ctl ctl = here();
	int child = fork();
	if (child == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		for (;;) {
			kill(process_pid(pod), SIGSTOP);
			(void)poll(NULL, 0, 400);
			kill(process_pid(pod), SIGCONT);
			(void)poll(NULL, 0, 20);
		}
	}
	RUN run = ctl_run(&ctl, "doctor", NULL);
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
	kill(process_pid(pod), SIGCONT);
	return strstr(run.out, expected) != NULL && strstr(run.out, unexpected) == NULL;
}

static void a_slow_pod_is_named_and_no_other(void **state)
{
	(void)state;
	char slow[128], well[128];
	snprintf(slow, sizeof(slow), "%s is slow: it took ", stack_internal_url(stack, 1));
	snprintf(well, sizeof(well), "%s is slow", stack_internal_url(stack, 0));
	/* again where the machine let it run too long between two stops, or the other one too little */
	WAIT_UNTIL(20000, is_called_slow(stack_pod(stack, 1), slow, well), "only that one is slow");
	WAIT_UNTIL(20000, !says(slow, 0), "it is as fast as before");
	await_health();
}

static void a_killed_broker_is_named(void **state)
{
	(void)state;
	nats_kill(stack->nats);
	WAIT_UNTIL(10000, says("None of 3 relays has a connection to NATS", 1), "the doctor sees it");
	nats_restart(stack->nats);
	await_health();
}

static void a_paused_store_is_named_also_when_the_key_is_in_it(void **state)
{
	(void)state;
	struct ctl ctl = here();
	redis_pause(stack->redis);
	WAIT_UNTIL(10000, says("The store does not answer", 1), "the doctor sees it");
	ctl.key = "wrk_abcdefgh_abcdefghijklmnopqrstuvwxyzabcdefghijklmnopq";
	RUN run = ctl_run(&ctl, "doctor", NULL);
	ctl_expect(&run, 3, "cannot ask the store, not even about this key", NULL);
	redis_continue(stack->redis);
	await_health();
}

static void when_nobody_answers_each_url_is_named(void **state)
{
	(void)state;
	struct ctl ctl = {.url = "http://127.0.0.1:1,http://127.0.0.1:2"};
	RUN run = ctl_run(&ctl, "doctor", NULL);
	ctl_expect(&run, 3, "No answer from http://127.0.0.1:1", NULL);
	ctl_expect(&run, 3, "No answer from http://127.0.0.1:2", NULL);
	ctl_expect(&run, 3, "0 of 2 urls answered", NULL);
}

static void a_wrong_key_is_no_fault_of_the_room(void **state)
{
	(void)state;
	struct ctl ctl = here();
	ctl.key = "wrk_wrong";
	RUN run = ctl_run(&ctl, "doctor", NULL);
	ctl_expect(&run, 4, "does not take this key (bad_token)", NULL);
}

static void json_has_all_of_it(void **state)
{
	(void)state;
	struct ctl ctl = here();
	RUN run = ctl_run(&ctl, "doctor", "--output", "json", NULL);
	int64_t answered = 0;
	assert_int_equal(run.code, 0);
	assert_non_null(run.json);
	assert_true(json_int(json_member(run.json, "answered"), &answered));
	assert_int_equal(answered, 2);
	assert_true(json_count(json_member(run.json, "checks")) >= 10);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_healthy_room_is_called_so_part_by_part),
		cmocka_unit_test(warnings_fail_when_one_is_strict),
		cmocka_unit_test(a_dead_admitter_is_named_and_nothing_else),
		cmocka_unit_test(a_dead_pod_is_an_url_that_does_not_answer),
		cmocka_unit_test(a_stopped_pod_takes_no_notice_and_is_silent_to_the_others),
		cmocka_unit_test(a_slow_pod_is_named_and_no_other),
		cmocka_unit_test(a_killed_broker_is_named),
		cmocka_unit_test(a_paused_store_is_named_also_when_the_key_is_in_it),
		cmocka_unit_test(when_nobody_answers_each_url_is_named),
		cmocka_unit_test(a_wrong_key_is_no_fault_of_the_room),
		cmocka_unit_test(json_has_all_of_it),
	};
	return cmocka_run_group_tests(tests, open_room, shared_stack_close);
}
