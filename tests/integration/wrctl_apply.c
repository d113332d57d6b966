/* Queues from a file: what is shown first, what is done, what is left alone; and single
 * settings. */
#include "support/api.h"
#include "support/cmocka.h"
#include "support/ctl_room.h"
#include "support/temp.h"
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
		&(struct stack_options){.pods = 1,
								.without_nats = true,
								.admin_keys = API_ADMIN_KEYS_FILE,
								.env = (const char *const[]){NO_RATE_LIMITS, "WR_RELAY=0",
															 "WR_STORE_TIMEOUT_MS=20000", NULL}});
	return 0;
}

static struct ctl_run apply(const char *declarations, const char *option)
{
	struct ctl ctl = at_the_pod();
	WR_AUTO(mem_free_at) char *path = temp_file("queues.json", declarations);
	return ctl_run(&ctl, "queue", "apply", "-f", path, option, NULL);
}

static struct http_answer *get(const char *path)
{
	return api_admin(stack, 0, "GET", path, NULL);
}

static int64_t number_of(const char *path, const char *member)
{
	WR_AUTO(http_answer_free_at) struct http_answer *answer = get(path);
	return http_answer_number(answer, member);
}

static bool is_there(const char *path)
{
	WR_AUTO(http_answer_free_at) struct http_answer *answer = get(path);
	return answer->status == 200;
}

static bool is_listed(const char *name)
{
	WR_AUTO(http_answer_free_at) struct http_answer *answer = get("");
	return strstr(answer->body, name) != NULL;
}

/* ---- apply ---- */

static void applying_twice_does_nothing_the_second_time(void **state)
{
	(void)state;
	static const char text[] = QUEUES(QUEUE("twice", "\"capacity\":50") "," QUEUE("two", HELD));
	RUN first = apply(text, "--yes");
	ctl_expect(&first, 0, "+ default/twice (new)", NULL);
	ctl_expect(&first, 0, "+ capacity: 50", NULL);
	ctl_expect(&first, 0, "2 to create, 0 to change, 0 to delete, 0 unchanged.", NULL);
	ctl_expect(&first, 0, "default/twice created", NULL);
	assert_int_equal(number_of("/default/twice", "settings.capacity"), 50);
	int64_t version = number_of("/default/twice", "version");
	RUN second = apply(text, "--yes");
	ctl_expect(&second, 0, "Nothing to do", NULL);
	assert_int_equal(number_of("/default/twice", "version"), version);
}

static void a_change_is_shown_before_it_is_asked_for(void **state)
{
	(void)state;
	RUN made = apply(QUEUES(QUEUE("shown", "\"capacity\":50")), "--yes");
	assert_int_equal(made.code, 0);
	static const char changed[] = QUEUES(QUEUE("shown", "\"capacity\":70"));
	RUN unasked = apply(changed, NULL);
	ctl_expect(&unasked, 5, "~ capacity: 50 → 70", "give --yes");
	RUN dry = apply(changed, "--dry-run");
	ctl_expect(&dry, 0, "~ capacity: 50 → 70", NULL);
	assert_int_equal(number_of("/default/shown", "settings.capacity"), 50);

	struct ctl ctl = at_the_pod();
	WR_AUTO(mem_free_at) char *path = temp_file("shown.json", changed);
	ctl.terminal = true;
	ctl.input = "no\n";
	RUN no = ctl_run(&ctl, "queue", "apply", "-f", path, NULL);
	ctl_expect(&no, 5, "nothing was done", NULL);
	assert_int_equal(number_of("/default/shown", "settings.capacity"), 50);
	ctl.input = "yes\n";
	RUN yes = ctl_run(&ctl, "queue", "apply", "-f", path, NULL);
	ctl_expect(&yes, 0, "\033[32m70", NULL);
	assert_int_equal(number_of("/default/shown", "settings.capacity"), 70);
}

static void a_file_that_is_wrong_anywhere_changes_nothing(void **state)
{
	(void)state;
	static const struct {
		const char *text, *said;
		int code;
	} cases[] = {
		{QUEUES(QUEUE("first", HELD) "," QUEUE("second", "\"capacity\":-1")), "capacity", 1},
		{QUEUES(QUEUE("first", HELD) "," QUEUE("second", "\"colour\":1")), "colour", 1},
		{QUEUES(QUEUE("first", HELD) "," QUEUE("default/first", HELD)), "declared twice", 2},
		{QUEUES(QUEUE("first", HELD) ",{}"), "queue 2", 2},
		{QUEUES(QUEUE("first", HELD)) "]", "not JSON", 2},
		{"{\"queue\":[]}", "queues", 2},
		{QUEUES(QUEUE("first", HELD) "," QUEUE("nobody/second", HELD)), "tenant", 6},
	};
	for (size_t i = 0; i < COUNT(cases); i++) {
		RUN run = apply(cases[i].text, "--yes");
		ctl_expect(&run, cases[i].code, NULL, cases[i].said);
		assert_false(is_there("/default/first"));
	}
}

static void an_apply_that_stops_half_way_says_what_was_done(void **state)
{
	(void)state;
	struct ctl ctl = at_the_pod();
	RUN tenant = ctl_run(&ctl, "tenant", "set", "small", "--queues-max", "1", NULL);
	assert_int_equal(tenant.code, 0);
	static const char text[] = QUEUES(
		QUEUE("small/one", HELD) "," QUEUE("small/two", HELD) "," QUEUE("small/three", HELD));
	RUN half = apply(text, "--yes");
	ctl_expect(&half, 5, "small/one created", "limit_reached");
	ctl_expect(&half, 5, NULL, "done     create small/one");
	ctl_expect(&half, 5, NULL, "failed   create small/two");
	ctl_expect(&half, 5, NULL, "not done create small/three");
	RUN more = ctl_run(&ctl, "tenant", "set", "small", "--queues-max", "5", NULL);
	assert_int_equal(more.code, 0);
	RUN rest = apply(text, "--yes");
	ctl_expect(&rest, 0, "2 to create, 0 to change, 0 to delete, 1 unchanged.", NULL);
	assert_true(is_there("/small/three"));
}

static void an_apply_that_is_interrupted_ends_between_two_queues(void **state)
{
	(void)state;
	enum { QUEUES_MANY = 400 };
	struct ctl ctl = at_the_pod();
	char *text = mem_alloc_zero(QUEUES_MANY, 64), *at = text;
	at = stpcpy(at, "{\"queues\":[");
	for (int i = 0; i < QUEUES_MANY; i++)
		at += sprintf(at, "%s{\"queue\":\"many/q%03d\"}", i > 0 ? "," : "", i);
	stpcpy(at, "]}");
	WR_AUTO(mem_free_at) char *path = temp_file("many.json", text);
	free(text);
	RUN tenant = ctl_run(&ctl, "tenant", "set", "many", "--queues-max", "500", NULL);
	assert_int_equal(tenant.code, 0);
	struct process *apply = ctl_start(&ctl, "queue", "apply", "-f", path, "--yes", NULL);
	WAIT_UNTIL(20000, process_log_has(apply, "many/q000 created"), "the first is made");
	/* What is asked while the store stands still is answered when it goes on. */
	redis_pause(stack->redis);
	process_signal(apply, SIGINT);
	redis_continue(stack->redis);
	assert_int_equal(process_wait(apply, 20000), 1);
	assert_true(process_log_has(apply, "stopped between two queues"));
	assert_true(process_log_has(apply, "not done create many/q399"));
	assert_false(process_log_has(apply, "failed"));
	process_free(apply);
	RUN rest = ctl_run(&ctl, "queue", "apply", "-f", path, "--yes", NULL);
	ctl_expect(&rest, 0, "many/q399 created", NULL);
}

static void what_is_not_declared_is_deleted_only_when_asked_and_in_its_tenant(void **state)
{
	(void)state;
	struct ctl ctl = at_the_pod();
	RUN tenant = ctl_run(&ctl, "tenant", "set", "other", NULL);
	RUN shop = ctl_run(&ctl, "tenant", "set", "shop", NULL);
	assert_int_equal(tenant.code + shop.code, 0);
	RUN made = apply(
		QUEUES(QUEUE("shop/old", HELD) "," QUEUE("shop/new", HELD) "," QUEUE("other/a", HELD)),
		"--yes");
	assert_int_equal(made.code, 0);
	static const char left[] = QUEUES(QUEUE("shop/new", HELD));
	RUN kept = apply(left, "--yes");
	ctl_expect(&kept, 0, "Nothing to do", NULL);
	WR_AUTO(mem_free_at) char *path = temp_file("left.json", left);
	WAIT_UNTIL(5000, is_listed("\"shop/old\""), "the queue is in the pod's picture");
	RUN pruned = ctl_run(&ctl, "queue", "apply", "-f", path, "--prune", "--yes", NULL);
	ctl_expect(&pruned, 0, "- shop/old", NULL);
	assert_false(is_there("/shop/old"));
	assert_true(is_there("/shop/new"));
	assert_true(is_there("/other/a"));
}

static void the_plan_is_one_document_of_json(void **state)
{
	(void)state;
	struct ctl ctl = at_the_pod();
	WR_AUTO(mem_free_at) char *path = temp_file("json.json", QUEUES(QUEUE("as-json", HELD)));
	RUN dry = ctl_run(&ctl, "queue", "diff", "-f", path, "-o", "json", NULL);
	assert_int_equal(dry.code, 0);
	assert_non_null(dry.json);
	ctl_expect(&dry, 0, "\"action\":\"create\",\"result\":\"not done\"", NULL);
	RUN done = ctl_run(&ctl, "queue", "apply", "-f", path, "-o", "json", "-y", NULL);
	assert_non_null(done.json);
	ctl_expect(&done, 0, "\"action\":\"create\",\"result\":\"done\"", NULL);
	RUN again = ctl_run(&ctl, "queue", "apply", "-f", path, "-o", "json", "-y", NULL);
	ctl_expect(&again, 0, "\"action\":\"keep\",\"result\":\"nothing to do\"", NULL);
}

static void a_difference_can_be_told_by_the_exit_code(void **state)
{
	(void)state;
	struct ctl ctl = at_the_pod();
	ctl.input = QUEUES(QUEUE("coded", HELD));
	RUN plain = ctl_run(&ctl, "queue", "diff", "-f", "-", NULL);
	ctl_expect(&plain, 0, "1 to create", NULL);
	RUN coded = ctl_run(&ctl, "queue", "diff", "-f", "-", "--exit-code", NULL);
	assert_int_equal(coded.code, 1);
	RUN applied = ctl_run(&ctl, "queue", "apply", "-f", "-", "--yes", NULL);
	assert_int_equal(applied.code, 0);
	RUN same = ctl_run(&ctl, "queue", "diff", "-f", "-", "--exit-code", NULL);
	ctl_expect(&same, 0, "Nothing to do", NULL);
	RUN none = ctl_run(&ctl, "queue", "diff", NULL);
	ctl_expect(&none, 2, NULL, "-f FILE");
}

static void what_is_exported_can_be_applied_unchanged(void **state)
{
	(void)state;
	RUN made = apply(
		QUEUES(QUEUE("exported", "\"message\":\"Grüße, \\\"Freunde\\\"\",\"lanes\":[{\"name\":"
								 "\"main\"},{\"name\":\"vip\",\"weight\":3}]")),
		"--yes");
	assert_int_equal(made.code, 0);
	struct ctl ctl = at_the_pod();
	RUN one = ctl_run(&ctl, "queue", "export", "exported", NULL);
	assert_int_equal(one.code, 0);
	assert_non_null(one.json);
	ctl_expect(&one, 0, "\n\t\t\t\"capacity\": 100,\n", NULL);
	RUN again = apply(one.out, "--yes");
	ctl_expect(&again, 0, "Nothing to do", NULL);
}

/* ---- create, set ---- */

static void a_queue_is_made_once(void **state)
{
	(void)state;
	struct ctl ctl = at_the_pod();
	RUN made = ctl_run(&ctl, "queue", "create", "created", "capacity=7", "state=hold", NULL);
	ctl_expect(&made, 0, "created is made", NULL);
	assert_int_equal(number_of("/default/created", "settings.capacity"), 7);
	RUN again = ctl_run(&ctl, "queue", "create", "created", "capacity=8", NULL);
	ctl_expect(&again, 5, NULL, "is created there already?");
	assert_int_equal(number_of("/default/created", "settings.capacity"), 7);
	RUN along = ctl_run(&ctl, "queue", "create", "novel/created", NULL);
	ctl_expect(&along, 0, "novel/created is made", NULL); /* and its tenant */
	RUN tenant = ctl_run(&ctl, "tenant", "delete", "nobody", "--yes", NULL);
	ctl_expect(&tenant, 6, NULL, "wrctl tenant set makes one");
}

static void single_settings_are_changed_at_once(void **state)
{
	(void)state;
	RUN made = apply(QUEUES(QUEUE("single", "\"capacity\":50")), "--yes");
	assert_int_equal(made.code, 0);
	struct ctl ctl = at_the_pod();
	RUN dry = ctl_run(&ctl, "queue", "set", "single", "rate_per_minute=600", "--dry-run", NULL);
	ctl_expect(&dry, 0, "~ rate_per_minute: 60 → 600", NULL);
	assert_int_equal(number_of("/default/single", "settings.rate_per_minute"), 60);
	RUN set = ctl_run(&ctl, "queue", "set", "single", "rate_per_minute=600", "message=Bald", NULL);
	ctl_expect(&set, 0, "at version 2", NULL);
	assert_int_equal(number_of("/default/single", "settings.rate_per_minute"), 600);
	assert_int_equal(number_of("/default/single", "settings.capacity"), 50);
	RUN back = ctl_run(&ctl, "queue", "set", "single", "--default", "message", "capacity=60",
					   "--default", "rate_per_minute", "--dry-run", NULL);
	ctl_expect(&back, 0, "~ rate_per_minute: 600 → 60", NULL);
	ctl_expect(&back, 0, "~ capacity: 50 → 60", NULL);
	RUN alone = ctl_run(&ctl, "queue", "set", "single", "--default", "rate_per_minute", NULL);
	ctl_expect(&alone, 0, "at version 3", NULL);
	assert_int_equal(number_of("/default/single", "settings.rate_per_minute"), 60);
	RUN which = ctl_run(&ctl, "queue", "set", "single", NULL);
	ctl_expect(&which, 2, NULL, "which setting?");
	RUN twice = ctl_run(&ctl, "queue", "set", "single", "burst=5", "--default", "burst", NULL);
	ctl_expect(&twice, 2, NULL, "burst: is given twice");
	RUN wrong = ctl_run(&ctl, "queue", "set", "single", "rate_per_minute=-1", NULL);
	ctl_expect(&wrong, 1, NULL, "rate_per_minute");
	RUN none = ctl_run(&ctl, "queue", "set", "nowhere", "rate_per_minute=1", NULL);
	ctl_expect(&none, 6, NULL, "no_such_queue");
}

static void a_version_that_has_passed_is_a_conflict(void **state)
{
	(void)state;
	RUN made = apply(QUEUES(QUEUE("versions", "\"capacity\":50")), "--yes");
	assert_int_equal(made.code, 0);
	struct ctl ctl = at_the_pod();
	RUN first = ctl_run(&ctl, "queue", "set", "versions", "capacity=60", "--if-version", "1", NULL);
	ctl_expect(&first, 0, "at version 2", NULL);
	RUN late = ctl_run(&ctl, "queue", "set", "versions", "capacity=70", "--if-version", "1", NULL);
	ctl_expect(&late, 5, NULL, "version_mismatch");
	assert_int_equal(number_of("/default/versions", "settings.capacity"), 60);
	RUN wrong = ctl_run(&ctl, "queue", "set", "versions", "capacity=1", "--if-version", "x", NULL);
	ctl_expect(&wrong, 2, NULL, "--if-version");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(applying_twice_does_nothing_the_second_time),
		cmocka_unit_test(a_change_is_shown_before_it_is_asked_for),
		cmocka_unit_test(a_file_that_is_wrong_anywhere_changes_nothing),
		cmocka_unit_test(an_apply_that_stops_half_way_says_what_was_done),
		cmocka_unit_test(an_apply_that_is_interrupted_ends_between_two_queues),
		cmocka_unit_test(what_is_not_declared_is_deleted_only_when_asked_and_in_its_tenant),
		cmocka_unit_test(the_plan_is_one_document_of_json),
		cmocka_unit_test(a_difference_can_be_told_by_the_exit_code),
		cmocka_unit_test(what_is_exported_can_be_applied_unchanged),
		cmocka_unit_test(a_queue_is_made_once),
		cmocka_unit_test(single_settings_are_changed_at_once),
		cmocka_unit_test(a_version_that_has_passed_is_a_conflict),
	};
	return cmocka_run_group_tests(tests, open_room, shared_stack_close);
}
