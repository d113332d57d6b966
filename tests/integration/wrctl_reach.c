/* How wrctl finds a server and shows who it is: urls, keys, contexts, and what is said when it
 * cannot. */
#include "support/api.h"
#include "support/cmocka.h"
#include "support/ctl_room.h"
#include "support/servers.h"
#include "support/temp.h"
#include "waitingroom/memory.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

/* ---- keys ---- */

static void a_key_file_that_others_may_read_is_refused_with_the_remedy(void **state)
{
	(void)state;
	WR_AUTO(mem_free_at) char *path = temp_file("open.key", API_ADMIN_KEY);
	char variable[512], remedy[512];
	print_into(variable, "WRCTL_KEY_FILE=%s", path);
	print_into(remedy, "chmod 600 %s", path);
	struct ctl ctl = at_the_pod();
	ctl.variables = (const char *const[]){variable, NULL};
	const mode_t modes[] = {0640, 0604, 0666, 0610};
	for (size_t i = 0; i < COUNT(modes); i++) {
		assert_int_equal(chmod(path, modes[i]), 0);
		RUN run = ctl_run(&ctl, "queue", "list", NULL);
		ctl_expect(&run, 4, NULL, remedy);
	}
	assert_int_equal(chmod(path, 0400), 0);
	RUN run = ctl_run(&ctl, "queue", "list", NULL);
	ctl_expect(&run, 0, "default/demo", NULL);
}

static void a_key_comes_from_the_environment_or_standard_input(void **state)
{
	(void)state;
	struct ctl ctl = at_the_pod();
	ctl.key = "";
	RUN none = ctl_run(&ctl, "queue", "list", NULL);
	ctl_expect(&none, 4, NULL, "no key");
	ctl.variables = (const char *const[]){"WRCTL_KEY=" API_ADMIN_KEY, NULL};
	RUN of_environment = ctl_run(&ctl, "queue", "list", NULL);
	ctl_expect(&of_environment, 0, "default/demo", NULL);
	ctl.variables = NULL;
	ctl.input = API_ADMIN_KEY "\n";
	RUN of_input = ctl_run(&ctl, "queue", "list", "--key-stdin", NULL);
	ctl_expect(&of_input, 0, "default/demo", NULL);
	ctl.input = "nonsense\n";
	RUN nonsense = ctl_run(&ctl, "queue", "list", "--key-stdin", NULL);
	ctl_expect(&nonsense, 4, NULL, "begins with wrk_");
}

static void a_key_on_the_command_line_is_refused(void **state)
{
	(void)state;
	struct ctl ctl = at_the_pod();
	RUN run = ctl_run(&ctl, "queue", "get", API_ADMIN_KEY, NULL);
	ctl_expect(&run, 2, NULL, "can be seen by others");
	assert_null(strstr(run.err, API_ADMIN_KEY));
}

static void a_wrong_key_is_told_from_no_server(void **state)
{
	(void)state;
	struct ctl ctl = at_the_pod();
	ctl.key = "wrk_wrong";
	RUN wrong = ctl_run(&ctl, "queue", "list", NULL);
	ctl_expect(&wrong, 4, NULL, "bad_token");
	char url[64];
	print_into(url, "http://127.0.0.1:%d", free_port());
	ctl = (struct ctl){.url = url};
	RUN nobody = ctl_run(&ctl, "queue", "list", NULL);
	ctl_expect(&nobody, 3, NULL, url);
}

/* ---- urls ---- */

static void the_second_url_is_asked_when_the_first_is_dead(void **state)
{
	(void)state;
	char urls[256];
	print_into(urls, "http://127.0.0.1:%d,%s", free_port(), stack_internal_url(stack, 0));
	struct ctl ctl = {.url = urls};
	RUN run = ctl_run(&ctl, "queue", "list", NULL);
	ctl_expect(&run, 0, "default/demo", NULL);
}

static void an_address_of_another_kind_is_a_usage_error(void **state)
{
	(void)state;
	struct ctl ctl = {.url = "ftp://127.0.0.1"};
	RUN run = ctl_run(&ctl, "queue", "list", NULL);
	ctl_expect(&run, 2, NULL, "must be http://");
}

static void something_that_is_no_waiting_room_is_recognised(void **state)
{
	(void)state;
	char url[256];
	print_into(url, "%s/nowhere", stack_url(stack, 0));
	struct ctl ctl = {.url = url};
	RUN run = ctl_run(&ctl, "queue", "list", NULL);
	ctl_expect(&run, 6, NULL, NULL);
}

/* ---- contexts ---- */

static char *contexts_file(const char *current)
{
	char text[1024];
	WR_AUTO(mem_free_at) char *key = temp_file("prod.key", API_ADMIN_KEY "\n");
	print_into(
		text,
		"{\"current\":\"%s\",\"contexts\":[{\"name\":\"dead\",\"urls\":[\"http://127.0.0.1:%d\"],"
		"\"key_file\":\"prod.key\"},{\"name\":\"prod\",\"urls\":[\"%s/\"],"
		"\"key_file\":\"prod.key\",\"output\":\"json\"}]}",
		current, free_port(), stack_internal_url(stack, 0));
	return temp_file("contexts.json", text);
}

static void a_context_says_where_and_with_which_key(void **state)
{
	(void)state;
	WR_AUTO(mem_free_at) char *path = contexts_file("dead");
	char variable[512];
	print_into(variable, "WRCTL_CONFIG=%s", path);
	struct ctl ctl = {.key = "", .variables = (const char *const[]){variable, NULL}};
	RUN dead = ctl_run(&ctl, "queue", "list", NULL);
	ctl_expect(&dead, 3, NULL, "Context dead");
	RUN named = ctl_run(&ctl, "queue", "list", "--context", "prod", NULL);
	ctl_expect(&named, 0, "{\"queues\":[", NULL);
	RUN used = ctl_run(&ctl, "context", "use", "prod", NULL);
	ctl_expect(&used, 0, "prod", NULL);
	RUN now = ctl_run(&ctl, "queue", "list", "-o", "table", NULL);
	ctl_expect(&now, 0, "QUEUE", NULL);
	RUN shown = ctl_run(&ctl, "context", "show", NULL);
	ctl_expect(&shown, 0, "prod.key", NULL);
	RUN list = ctl_run(&ctl, "context", "list", "--names", NULL);
	ctl_expect(&list, 0, "dead\nprod\n", NULL);
	RUN unknown = ctl_run(&ctl, "context", "use", "nowhere", NULL);
	ctl_expect(&unknown, 6, NULL, "no context \"nowhere\"");
}

static void a_contexts_file_that_is_wrong_names_the_place(void **state)
{
	(void)state;
	static const struct {
		const char *text, *said;
	} cases[] = {
		{"{", "not JSON"},
		{"{}", "contexts"},
		{"{\"contexts\":[{\"name\":\"a\"}]}", "context 1: urls"},
		{"{\"contexts\":[{\"name\":\"a\",\"urls\":[\"x\"]}]}", "must be http://"},
		{"{\"contexts\":[{\"name\":\"a\",\"urls\":[\"http://a\"],\"key\":\"secret\"}]}",
		 "key_file"},
		{"{\"contexts\":[{\"name\":\"a\",\"urls\":[\"http://a\"],\"colour\":\"red\"}]}", "colour"},
	};
	for (size_t i = 0; i < COUNT(cases); i++) {
		WR_AUTO(mem_free_at) char *path = temp_file("wrong.json", cases[i].text);
		char variable[512];
		print_into(variable, "WRCTL_CONFIG=%s", path);
		struct ctl ctl = {.variables = (const char *const[]){variable, NULL}};
		RUN run = ctl_run(&ctl, "queue", "list", NULL);
		ctl_expect(&run, 2, NULL, cases[i].said);
	}
}

/* ---- the command line ---- */

static void what_is_mistyped_is_answered_with_what_was_meant(void **state)
{
	(void)state;
	struct ctl ctl = at_the_pod();
	RUN near = ctl_run(&ctl, "queue", "lst", NULL);
	ctl_expect(&near, 2, NULL, "did you mean \"queue list\"?");
	RUN other = ctl_run(&ctl, "queue", "show", "demo", NULL);
	ctl_expect(&other, 2, NULL, "did you mean \"queue get\"?");
	RUN far = ctl_run(&ctl, "xyzzy", NULL);
	ctl_expect(&far, 2, NULL, "there is no command \"xyzzy\"");
	RUN option = ctl_run(&ctl, "queue", "list", "--colour", NULL);
	ctl_expect(&option, 2, NULL, "--colour");
	RUN missing = ctl_run(&ctl, "queue", "get", NULL);
	ctl_expect(&missing, 2, NULL, "needs QUEUE");
	RUN name = ctl_run(&ctl, "queue", "get", "A/b/c", NULL);
	ctl_expect(&name, 2, NULL, "no name of a queue");
	RUN nothing = ctl_run(&ctl, NULL);
	ctl_expect(&nothing, 2, NULL, "Usage: wrctl");
	RUN help = ctl_run(&ctl, "--help", NULL);
	ctl_expect(&help, 0, "Exit status", NULL);
	/* An ellipsis is one column, however many bytes. */
	assert_non_null(strstr(help.out, "\n  queue get QUEUE                   One queue"));
	assert_non_null(strstr(help.out, "\n  queue export [QUEUE…]             Queues as"));
}

static void colours_are_for_terminals_that_want_them(void **state)
{
	(void)state;
	struct ctl ctl = at_the_pod();
	RUN plain = ctl_run(&ctl, "queue", "list", NULL);
	assert_null(strchr(plain.out, '\033'));
	ctl.terminal = true;
	RUN coloured = ctl_run(&ctl, "queue", "list", NULL);
	ctl_expect(&coloured, 0, "\033[", NULL);
	RUN unwanted = ctl_run(&ctl, "queue", "list", "--no-color", NULL);
	ctl_expect(&unwanted, 0, "default/demo", NULL);
	assert_null(strchr(unwanted.out, '\033'));
	ctl.variables = (const char *const[]){"NO_COLOR=1", NULL};
	RUN no_color = ctl_run(&ctl, "queue", "list", NULL);
	ctl_expect(&no_color, 0, "default/demo", NULL);
	assert_null(strchr(no_color.out, '\033'));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_key_file_that_others_may_read_is_refused_with_the_remedy),
		cmocka_unit_test(a_key_comes_from_the_environment_or_standard_input),
		cmocka_unit_test(a_key_on_the_command_line_is_refused),
		cmocka_unit_test(a_wrong_key_is_told_from_no_server),
		cmocka_unit_test(the_second_url_is_asked_when_the_first_is_dead),
		cmocka_unit_test(an_address_of_another_kind_is_a_usage_error),
		cmocka_unit_test(something_that_is_no_waiting_room_is_recognised),
		cmocka_unit_test(a_context_says_where_and_with_which_key),
		cmocka_unit_test(a_contexts_file_that_is_wrong_names_the_place),
		cmocka_unit_test(what_is_mistyped_is_answered_with_what_was_meant),
		cmocka_unit_test(colours_are_for_terminals_that_want_them),
	};
	return cmocka_run_group_tests(tests, ctl_room_open, shared_stack_close);
}
