/* Which servers wrctl speaks to, and as whom: the contexts file, and the environment over it. */
#include "cmd/wrctl/context.h"
#include "cmd/wrctl/file.h"
#include "support/cmocka.h"
#include "support/temp.h"
#include "waitingroom/memory.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define FILE_TEXT                                                                                  \
	"{\"current\":\"blue\",\"contexts\":["                                                         \
	"{\"name\":\"blue\",\"urls\":[\"https://a:9090/\",\"http://b\"],\"key_file\":\"blue.key\","    \
	"\"ca_file\":\"/etc/ca.pem\",\"nats_url\":\"nats://n\",\"output\":\"json\"},"                  \
	"{\"name\":\"green\",\"urls\":[\"http://c\"],\"key_file\":\"~/green.key\"}]}"

static char *path;

static int begin(void **state)
{
	static const char *const variables[] = {"WRCTL_CONTEXT", "WRCTL_URL", "WRCTL_KEY",
											"WRCTL_KEY_FILE", "WRCTL_NATS_URL"};
	(void)state;
	for (size_t i = 0; i < sizeof(variables) / sizeof(variables[0]); i++)
		unsetenv(variables[i]);
	path = temp_file("contexts.json", FILE_TEXT);
	setenv("WRCTL_CONFIG", path, 1);
	setenv("HOME", "/home/me", 1);
	return 0;
}

static int end(void **state)
{
	(void)state;
	free(path);
	return 0;
}

static struct context choose(const char *name)
{
	WR_AUTO(contexts_clear) struct contexts contexts = {0};
	struct context context = {0};
	struct err_detail detail = {""};
	assert_int_equal(contexts_load(&contexts, &detail), WR_OK);
	if (context_choose(&contexts, name, &context, &detail) != WR_OK)
		fail_msg("%s", detail.text);
	return context;
}

static void the_current_context_is_chosen_with_files_beside_it(void **state)
{
	(void)state;
	WR_AUTO(context_clear) struct context context = choose(NULL);
	WR_AUTO(mem_free_at) char *key = file_beside(path, "blue.key");
	assert_string_equal(context.name, "blue");
	assert_int_equal(context.url_count, 2);
	assert_string_equal(context.urls[0], "https://a:9090");
	assert_string_equal(context.urls[1], "http://b");
	assert_string_equal(context.key_file, key);
	assert_string_equal(context.ca_file, "/etc/ca.pem");
	assert_string_equal(context.nats_url, "nats://n");
	assert_true(context.json);
}

static void a_name_wins_over_the_environment_and_that_over_the_file(void **state)
{
	(void)state;
	WR_AUTO(context_clear) struct context named = choose("green");
	assert_string_equal(named.key_file, "/home/me/green.key");
	assert_false(named.json);
	setenv("WRCTL_CONTEXT", "green", 1);
	WR_AUTO(context_clear) struct context of_environment = choose(NULL);
	assert_string_equal(of_environment.name, "green");
	WR_AUTO(context_clear) struct context of_option = choose("blue");
	assert_string_equal(of_option.name, "blue");
}

static void single_things_of_the_environment_replace_those_of_the_context(void **state)
{
	(void)state;
	setenv("WRCTL_URL", "http://x:1/, http://y:2", 1);
	setenv("WRCTL_KEY_FILE", "/run/key", 1);
	setenv("WRCTL_NATS_URL", "nats://m", 1);
	WR_AUTO(context_clear) struct context context = choose("blue");
	assert_int_equal(context.url_count, 2);
	assert_string_equal(context.urls[0], "http://x:1");
	assert_string_equal(context.urls[1], "http://y:2");
	assert_string_equal(context.key_file, "/run/key");
	assert_string_equal(context.nats_url, "nats://m");
}

static void without_a_file_the_internal_port_of_this_machine_is_asked(void **state)
{
	(void)state;
	setenv("WRCTL_CONFIG", "/nowhere/contexts.json", 1);
	WR_AUTO(context_clear) struct context context = choose(NULL);
	assert_string_equal(context.name, "");
	assert_int_equal(context.url_count, 1);
	assert_string_equal(context.urls[0], CONTEXT_URL_DEFAULT);
	assert_null(context.key_file);
}

static void a_name_that_is_not_there_is_said(void **state)
{
	(void)state;
	WR_AUTO(contexts_clear) struct contexts contexts = {0};
	struct context context = {0};
	struct err_detail detail = {""};
	assert_int_equal(contexts_load(&contexts, &detail), WR_OK);
	assert_int_equal(context_choose(&contexts, "red", &context, &detail), WR_NOT_FOUND);
	assert_non_null(strstr(detail.text, "no context \"red\""));
	assert_null(context.name);
}

static void another_current_context_changes_nothing_else_in_the_file(void **state)
{
	(void)state;
	WR_AUTO(contexts_clear) struct contexts contexts = {0};
	struct err_detail detail = {""};
	struct stat status;
	assert_int_equal(contexts_load(&contexts, &detail), WR_OK);
	assert_int_equal(contexts_use(&contexts, "red", &detail), WR_NOT_FOUND);
	assert_int_equal(contexts_use(&contexts, "green", &detail), WR_OK);
	WR_AUTO(mem_free_at) char *text = temp_read(path, NULL);
	const char *rest = strchr(FILE_TEXT, ',');
	assert_non_null(strstr(text, "{\"current\":\"green\",\"contexts\":["));
	assert_memory_equal(strchr(text, ','), rest, strlen(rest));
	assert_int_equal(stat(path, &status), 0);
	assert_int_equal(status.st_mode & 0777, 0600);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(the_current_context_is_chosen_with_files_beside_it),
		TEST(a_name_wins_over_the_environment_and_that_over_the_file),
		TEST(single_things_of_the_environment_replace_those_of_the_context),
		TEST(without_a_file_the_internal_port_of_this_machine_is_asked),
		TEST(a_name_that_is_not_there_is_said),
		TEST(another_current_context_changes_nothing_else_in_the_file),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
