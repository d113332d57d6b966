/* What a shell really completes: a person at a terminal types, presses Tab, and sees names that are
 * in the room. Without a server: scripts/check-wrctl. */
#include "support/api.h"
#include "support/cmocka.h"
#include "support/ctl.h"
#include "support/pty.h"
#include "support/temp.h"
#include "support/wait.h"
#include "waitingroom/memory.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static struct stack *stack;
static char *program, *url, *key, *contexts, *path;

/* The one context of the file is the one that has a room; the current one leads nowhere. */
static int open_room(void **state)
{
	(void)state;
	stack = stack_start(&(struct stack_options){
		.pods = 1,
		.without_nats = true,
		.admin_keys = API_ADMIN_KEYS_FILE,
		.queues = QUEUES(QUEUE("spring-sale", HELD) "," QUEUE("summer-sale", HELD)),
		.env = (const char *const[]){NO_RATE_LIMITS, "WR_RELAY=0", NULL}});
	program = process_binary("wrctl");
	WR_AUTO(mem_free_at) char *key_path = temp_file("complete.key", API_ADMIN_KEY);
	WR_AUTO(mem_free_at) char *json = NULL;
	if (asprintf(&json,
				 "{\"current\":\"nowhere\",\"contexts\":["
				 "{\"name\":\"nowhere\",\"urls\":[\"http://127.0.0.1:1\"]},"
				 "{\"name\":\"room\",\"urls\":[\"%s\"]}]}",
				 stack_internal_url(stack, 0)) < 0)
		abort();
	WR_AUTO(mem_free_at) char *contexts_path = temp_file("complete.json", json);
	WR_AUTO(mem_free_at)
	char *folder = mem_copy(program, (size_t)(strrchr(program, '/') - program));
	if (asprintf(&url, "WRCTL_URL=%s", stack_internal_url(stack, 0)) < 0 ||
		asprintf(&key, "WRCTL_KEY_FILE=%s", key_path) < 0 ||
		asprintf(&contexts, "WRCTL_CONFIG=%s", contexts_path) < 0 ||
		asprintf(&path, "PATH=%s:%s", folder, getenv("PATH")) < 0)
		abort();
	return 0;
}

static int close_room(void **state)
{
	(void)state;
	free(program);
	free(url);
	free(key);
	free(contexts);
	free(path);
	stack_free(stack);
	return 0;
}

/* A shell that has read its completion. with_url: names come from there, whatever the context. */
static struct pty *shell_start(const char *shell, bool with_url)
{
	const char *const bash[] = {"/bin/bash", "--noprofile", "--norc", "-i", NULL};
	const char *const zsh[] = {"/bin/zsh", "-f", "-i", NULL};
	const char *const env[] = {key,			contexts,
							   path,		"LC_ALL=C.UTF-8",
							   "PS1=$ ",	"INPUTRC=/dev/null",
							   "TERM=dumb", with_url ? url : NULL,
							   NULL};
	bool is_zsh = strcmp(shell, "zsh") == 0;
	struct pty *pty = pty_start(24, 140, is_zsh ? zsh : bash, env);
	if (is_zsh)
		pty_type(pty, "autoload -U compinit; compinit -u -D; PS1='$ '\n");
	pty_type(pty, is_zsh ? "source <(wrctl completion zsh); echo rea''dy\n"
						 : "source <(wrctl completion bash); echo rea''dy\n");
	WAIT_UNTIL(10000, pty_sees(pty, "ready"), "the shell has read the completion");
	return pty;
}

/* Types a line and a Tab, and waits for what it becomes. */
static void expect_line(struct pty *pty, const char *typed, const char *line)
{
	pty_type(pty, typed);
	pty_type(pty, "\t");
	WAIT_UNTIL(10000, pty_sees(pty, line), line);
	pty_type(pty, "\025"); /* Ctrl-U: an empty line */
}

static void end_shell(struct pty *pty)
{
	pty_type(pty, "exit\n");
	pty_wait(pty, 10000);
	pty_free(pty);
}

static void bash_completes_what_is_in_the_room(void **state)
{
	(void)state;
	struct pty *pty = shell_start("bash", true);
	expect_line(pty, "wrctl que", "$ wrctl queue");
	expect_line(pty, "wrctl queue sta", "$ wrctl queue stats");
	expect_line(pty, "wrctl queue get default/sp", "$ wrctl queue get default/spring-sale");
	expect_line(pty, "wrctl queue get default/su", "$ wrctl queue get default/summer-sale");
	expect_line(pty, "wrctl queue export default/summer-sale default/sp",
				"default/summer-sale default/spring-sale");
	expect_line(pty, "wrctl queue set default/spring-sale rate_p", "sale rate_per_minute=");
	expect_line(pty, "wrctl queue set default/spring-sale state=pau", "sale state=paused");
	expect_line(pty, "wrctl queue drain default/spring-sale --wa", "--wait");
	expect_line(pty, "wrctl audit --queue default/su", "--queue default/summer-sale");
	expect_line(pty, "wrctl audit --tenant def", "--tenant default");
	expect_line(pty, "wrctl tenant delete def", "tenant delete default");
	end_shell(pty);
}

static void bash_asks_the_context_that_is_on_the_line(void **state)
{
	(void)state;
	struct pty *pty = shell_start("bash", false);
	expect_line(pty, "wrctl --context ro", "$ wrctl --context room");
	expect_line(pty, "wrctl --context room queue get default/sp",
				"$ wrctl --context room queue get default/spring-sale");
	expect_line(pty, "wrctl -c room queue pause default/su", "pause default/summer-sale");
	end_shell(pty);
}

static void zsh_completes_the_same(void **state)
{
	(void)state;
	if (access("/bin/zsh", X_OK) != 0)
		skip();
	struct pty *pty = shell_start("zsh", true);
	expect_line(pty, "wrctl queue sta", "$ wrctl queue stats");
	expect_line(pty, "wrctl queue get default/sp", "get default/spring-sale");
	expect_line(pty, "wrctl queue set default/spring-sale state=pau", "sale state=paused");
	end_shell(pty);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bash_completes_what_is_in_the_room),
		cmocka_unit_test(bash_asks_the_context_that_is_on_the_line),
		cmocka_unit_test(zsh_completes_the_same),
	};
	return cmocka_run_group_tests_name("wrctl_completion", tests, open_room, close_room);
}
