/* What wrbackup says to whoever calls it wrongly: which word is wrong, and what it takes. */
#include "support/cmocka.h"
#include "support/process.h"
#include "waitingroom/memory.h"

#include <string.h>

/* Nothing listens there: a call that is not refused would end with 3. */
static const char *const env[] = {"WR_STORE_URL=redis://127.0.0.1:1",
								  "WR_NATS_URL=nats://127.0.0.1:1", NULL};

static const struct wrong_use {
	const char *words[6], *said;
} wrong_uses[] = {
	{{NULL}, "a command is missing"},
	{{"sve"}, "sve: is no command"},
	{{"save"}, "--to: is required"},
	{{"save", "--to"}, "--to: needs a value"},
	{{"save", "--to", "x", "--keep", "0"}, "--keep: must be a number from 1 to 100000"},
	{{"save", "--to", "x", "--keep", "100001"}, "--keep: must be a number from 1 to 100000"},
	{{"save", "--to", "x", "--only", "keys"}, "--only: must be store or events"},
	{{"save", "--to", "x", "--from", "y"}, "--from: is no option of this command"},
	{{"save", "--to", "x", "y"}, "y: only options are taken"},
	{{"restore"}, "--from: is required"},
	{{"restore", "--from", "x", "--keep", "--replace"}, "--keep and --replace: only one of them"},
	{{"restore", "--from", "x", "--dry-rum"}, "--dry-rum: is no option of this command"},
	{{"verify"}, "verify: takes one folder"},
	{{"verify", "x", "y"}, "verify: takes one folder"},
};

static void a_wrong_use_is_answered_with_the_word_that_is_wrong(void **state)
{
	(void)state;
	WR_AUTO(mem_free_at) char *program = process_binary("wrbackup");
	for (size_t i = 0; i < sizeof(wrong_uses) / sizeof(wrong_uses[0]); i++) {
		const char *argv[8] = {program};
		memcpy(argv + 1, wrong_uses[i].words, sizeof(wrong_uses[i].words));
		struct process *process = process_start("wrbackup", argv, env);
		int code = process_wait(process, 10000);
		WR_AUTO(mem_free_at) char *said = process_log(process);
		if (code != 2 || strstr(said, wrong_uses[i].said) == NULL)
			fail_msg("not \"%s\" but %d: %s", wrong_uses[i].said, code, said);
		process_free(process);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_wrong_use_is_answered_with_the_word_that_is_wrong),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
