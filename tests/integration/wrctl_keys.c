/* Keys and tenants by wrctl: made, used, taken away; and what a key of a small role may not do. */
#include "support/api.h"
#include "support/cmocka.h"
#include "support/ctl_room.h"
#include "support/temp.h"
#include "waitingroom/memory.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Id of the key that has this name; gives. */
static char *id_of(const char *name)
{
	struct ctl ctl = at_the_pod();
	RUN run = ctl_run(&ctl, "key", "list", "-o", "json", NULL);
	const struct json_value *keys = json_member(run.json, "keys");
	for (size_t i = 0; i < json_count(keys); i++) {
		const char *found = "", *id = "";
		assert_true(json_string(json_member(json_at(keys, i), "name"), &found));
		assert_true(json_string(json_member(json_at(keys, i), "id"), &id));
		if (strcmp(found, name) == 0)
			return mem_copy_string(id);
	}
	fail_msg("there is no key named %s", name);
	return NULL;
}

static void a_key_that_is_made_works_until_it_is_deleted(void **state)
{
	(void)state;
	struct ctl ctl = at_the_pod();
	RUN made = ctl_run(&ctl, "key", "create", "night shift", "--role", "viewer", "--tenant", "*",
					   "--expires", "12h", NULL);
	ctl_expect(&made, 0, "wrk_", "shown this once");
	struct ctl other = {.url = ctl.url, .key = made.out};
	RUN mine = ctl_run(&other, "whoami", NULL);
	ctl_expect(&mine, 0, "night shift", NULL);
	RUN list = ctl_run(&ctl, "key", "list", NULL);
	ctl_expect(&list, 0, "night shift", NULL);
	assert_null(strstr(list.out, made.out));
	WR_AUTO(mem_free_at) char *id = id_of("night shift");
	RUN unasked = ctl_run(&ctl, "key", "delete", id, NULL);
	ctl_expect(&unasked, 5, NULL, "--yes");
	RUN deleted = ctl_run(&ctl, "key", "delete", id, "--yes", NULL);
	ctl_expect(&deleted, 0, "is deleted", NULL);
	RUN dead = ctl_run(&other, "whoami", NULL);
	ctl_expect(&dead, 4, NULL, "bad_token");
	RUN again = ctl_run(&ctl, "key", "delete", id, "--yes", NULL);
	ctl_expect(&again, 6, NULL, NULL);
}

static void a_key_is_saved_where_only_its_owner_reads_it(void **state)
{
	(void)state;
	WR_AUTO(mem_free_at) char *path = temp_path("night.key");
	struct ctl ctl = at_the_pod();
	RUN saved = ctl_run(&ctl, "key", "create", "saved", "--role", "operator", "--tenant", "default",
						"--save", path, NULL);
	ctl_expect(&saved, 0, path, NULL);
	assert_null(strstr(saved.out, "wrk_"));
	struct stat status;
	assert_int_equal(stat(path, &status), 0);
	assert_int_equal(status.st_mode & 0777, 0600);
	char variable[512];
	print_into(variable, "WRCTL_KEY_FILE=%s", path);
	struct ctl other = {.url = ctl.url, .variables = (const char *const[]){variable, NULL}};
	RUN mine = ctl_run(&other, "whoami", NULL);
	ctl_expect(&mine, 0, "role operator, tenant default", NULL);
	RUN again = ctl_run(&ctl, "key", "create", "again", "--role", "operator", "--tenant", "default",
						"--save", path, NULL);
	ctl_expect(&again, 2, NULL, "File exists");
}

static void nothing_is_left_of_a_key_that_was_refused(void **state)
{
	(void)state;
	WR_AUTO(mem_free_at) char *path = temp_path("refused.key");
	struct ctl ctl = at_the_pod();
	RUN role = ctl_run(&ctl, "key", "create", "x", "--role", "king", "--tenant", "*", "--save",
					   path, NULL);
	ctl_expect(&role, 1, NULL, "role");
	assert_int_equal(access(path, F_OK), -1);
	RUN time = ctl_run(&ctl, "key", "create", "x", "--role", "viewer", "--tenant", "*", "--expires",
					   "soon", NULL);
	ctl_expect(&time, 2, NULL, "30d");
	RUN none = ctl_run(&ctl, "key", "create", "x", NULL);
	ctl_expect(&none, 2, NULL, "--role and --tenant");
}

static void a_role_that_is_too_small_is_named(void **state)
{
	(void)state;
	struct ctl ctl = at_the_pod();
	RUN made =
		ctl_run(&ctl, "key", "create", "looker", "--role", "viewer", "--tenant", "default", NULL);
	assert_int_equal(made.code, 0);
	struct ctl other = {.url = ctl.url, .key = made.out};
	RUN list = ctl_run(&other, "queue", "list", NULL);
	ctl_expect(&list, 0, "default/demo", NULL);
	RUN paused = ctl_run(&other, "queue", "pause", "demo", NULL);
	ctl_expect(&paused, 4, NULL, "operator");
	RUN pods = ctl_run(&other, "pods", NULL);
	assert_true(pods.code == 4 || pods.code == 6);
}

static void a_tenant_is_made_changed_and_taken_away(void **state)
{
	(void)state;
	struct ctl ctl = at_the_pod();
	RUN made = ctl_run(&ctl, "tenant", "set", "shop", "--title", "The shop", "--note", "new", NULL);
	ctl_expect(&made, 0, "Tenant shop is made", NULL);
	RUN changed = ctl_run(&ctl, "tenant", "set", "shop", "--queues-max", "3", NULL);
	ctl_expect(&changed, 0, "is changed", NULL);
	RUN list = ctl_run(&ctl, "tenant", "list", NULL);
	ctl_expect(&list, 0, "The shop", NULL);
	RUN wrong = ctl_run(&ctl, "tenant", "set", "The Shop", NULL);
	ctl_expect(&wrong, 2, NULL, "no name of a tenant");
	RUN unasked = ctl_run(&ctl, "tenant", "delete", "shop", NULL);
	ctl_expect(&unasked, 5, NULL, "--yes");
	RUN deleted = ctl_run(&ctl, "tenant", "delete", "shop", "--yes", NULL);
	ctl_expect(&deleted, 0, "is deleted", NULL);
	RUN again = ctl_run(&ctl, "tenant", "delete", "shop", "--yes", NULL);
	ctl_expect(&again, 6, NULL, NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_key_that_is_made_works_until_it_is_deleted),
		cmocka_unit_test(a_key_is_saved_where_only_its_owner_reads_it),
		cmocka_unit_test(nothing_is_left_of_a_key_that_was_refused),
		cmocka_unit_test(a_role_that_is_too_small_is_named),
		cmocka_unit_test(a_tenant_is_made_changed_and_taken_away),
	};
	return cmocka_run_group_tests(tests, ctl_room_open, shared_stack_close);
}
