/* `make run`, as somebody meets it who has just cloned the project: the shop, the room, the turn,
 * the shop.
 *
 * Runs scripts/run as the Makefile does, with ports of its own and without a crowd, and walks in by
 * HTTP: what a browser does, without a browser. In the end a pod is killed, and make is told to
 * stop, as by a program that started it: without the terminal that would tell all of its processes.
 */
#include "support/api.h"
#include "support/cmocka.h"
#include "support/process.h"
#include "support/servers.h"
#include "support/temp.h"
#include "support/wait.h"
#include "waitingroom/memory.h"

#include <cjson/cJSON.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define AS_PAGE "Accept: text/html\r\n"
#define START_DEADLINE_MS 30000
#define STOP_DEADLINE_MS 30000

static struct process *run;
static char site[40], *stack_file;

/* ---- starting ---- */

/* A port whose neighbours that the stack will use are free, too. */
static int free_port_base(void)
{
	static const int offsets[] = {1, 2, 5, 101, 102, 103, 104, 105, 106};
	for (int tries = 0; tries < 50; tries++) {
		int base = free_port();
		size_t ours = 0;
		while (ours < COUNT(offsets) && port_take(base + offsets[ours]))
			ours++;
		if (ours == COUNT(offsets))
			return base;
	}
	fail_msg("no free ports");
	return 0;
}

/* bin is <build>/bin */
static char *build_directory(void)
{
	char *path = process_binary("");
	char *bin = strstr(path, "/bin/");
	assert_non_null(bin);
	*bin = '\0';
	return path;
}

static int open_door(void **state)
{
	(void)state;
	char port[24];
	WR_AUTO(mem_free_at) char *directory = temp_path("run"), *build = build_directory();
	WR_AUTO(mem_free_at) char *run_dir = NULL, *build_env = NULL;
	int base = free_port_base();
	snprintf(port, sizeof(port), "PORT_BASE=%d", base);
	snprintf(site, sizeof(site), "http://127.0.0.1:%d", base);
	if (asprintf(&run_dir, "RUN_DIR=%s", directory) < 0 ||
		asprintf(&build_env, "BUILD=%s", build) < 0 ||
		asprintf(&stack_file, "%s/stack.json", directory) < 0)
		abort();
	WR_AUTO(mem_free_at)
	char *makefile = temp_file("run.mk", "run:\n\t@exec setpriv --pdeathsig TERM scripts/run\n");
	run = process_start("run", (const char *const[]){"make", "-f", makefile, NULL},
						(const char *const[]){port, run_dir, build_env, "CROWD=0", NULL});
	WAIT_UNTIL(START_DEADLINE_MS, access(stack_file, R_OK) == 0, "everything runs");
	return 0;
}

static int close_door(void **state)
{
	(void)state;
	process_free(run);
	free(stack_file);
	return 0;
}

/* ---- the story ---- */

static const char *path_of(const char *url)
{
	const char *path = strstr(url, "://");
	path = path ? strchr(path + 3, '/') : NULL;
	if (!path)
		fail_msg("no path in \"%s\"", url);
	return path;
}

static const char *location_of(const struct http_answer *answer)
{
	api_expect_status(answer, 302);
	return path_of(http_answer_header(answer, "Location"));
}

static bool has_turn(const char *token, struct http_answer **answer)
{
	WR_AUTO(mem_free_at) char *bearer = NULL;
	if (asprintf(&bearer, "Authorization: Bearer %s\r\n", token) < 0)
		abort();
	http_answer_free(*answer);
	*answer = http_call(site, "POST", "/_wr/heartbeat", bearer, "");
	return http_answer_has(*answer, "redirect_url");
}

/* "name=value" of the first cookie of an answer, as a header to send back; gives */
static char *cookie_of(const struct http_answer *answer)
{
	const char *cookie = http_answer_header(answer, "Set-Cookie");
	char *header;
	assert_non_null(cookie);
	if (asprintf(&header, AS_PAGE "Cookie: %.*s\r\n", (int)strcspn(cookie, ";"), cookie) < 0)
		abort();
	return header;
}

static void from_the_shop_to_the_room_and_back_with_a_turn(void **state)
{
	(void)state;
	WR_AUTO(http_answer_free_at)
	struct http_answer *outside = http_call(site, "GET", "/checkout?piece=7", AS_PAGE, NULL);
	WR_AUTO(http_answer_free_at)
	struct http_answer *room = http_call(site, "GET", location_of(outside), AS_PAGE, NULL);
	api_expect_status(room, 200);
	assert_non_null(strstr(room->body, "Saltglaze")); /* in the colours of the shop */

	char body[160];
	snprintf(body, sizeof(body), "{\"queue_id\":\"demo\",\"target\":\"%s/checkout?piece=7\"}",
			 site);
	struct http_answer *place =
		http_call(site, "POST", "/_wr/enqueue", "Content-Type: application/json\r\n", body);
	api_expect_status(place, 201);
	WR_AUTO(mem_free_at) char *token = http_answer_text(place, "token");
	WAIT_UNTIL(10000, has_turn(token, &place), "the turn has come");
	WR_AUTO(mem_free_at) char *redirect = http_answer_text(place, "redirect_url");
	http_answer_free(place);

	WR_AUTO(http_answer_free_at)
	struct http_answer *pass = http_call(site, "GET", path_of(redirect), AS_PAGE, NULL);
	assert_string_equal(location_of(pass), "/checkout?piece=7");
	WR_AUTO(mem_free_at) char *cookie = cookie_of(pass);
	WR_AUTO(http_answer_free_at)
	struct http_answer *inside = http_call(site, "GET", location_of(pass), cookie, NULL);
	api_expect_status(inside, 200);
	assert_non_null(strstr(inside->body, "Take your time"));
}

static void stack_json_says_where_things_are(void **state)
{
	(void)state;
	WR_AUTO(mem_free_at) char *text = temp_read(stack_file, NULL);
	cJSON *stack = cJSON_Parse(text);
	static const char *const members[] = {"site",  "api",  "internal",	"admitters",
										  "store", "nats", "admin_key", "queue"};
	for (size_t i = 0; i < COUNT(members); i++) {
		if (!cJSON_HasObjectItem(stack, members[i]))
			fail_msg("no \"%s\" in %s", members[i], text);
	}
	cJSON_Delete(stack);
}

/* What is indented in the text is meant to be pasted. */
static char *pasted(const char *text)
{
	char *script = mem_copy_string("set -ex\n");
	for (const char *line = text; line != NULL; line = strchr(line, '\n')) {
		line += *line == '\n';
		if (strncmp(line, "  ", 2) != 0)
			continue;
		WR_AUTO(mem_free_at) char *before = script;
		bool is_live = strncmp(line, "  wrctl top", 11) == 0; /* needs a terminal */
		if (asprintf(&script, "%s%.*s%s\n", before, (int)strcspn(line, "\n"), line,
					 is_live ? " --once" : "") < 0)
			abort();
	}
	return script;
}

static bool runs(const char *script)
{
	struct process *shell =
		process_start("paste", (const char *const[]){"bash", "-c", script, NULL}, NULL);
	int code = process_wait(shell, 20000);
	process_free(shell);
	return code == 0;
}

static void what_is_printed_can_be_pasted_into_a_shell(void **state)
{
	(void)state;
	WAIT_UNTIL(5000, process_log_has(run, "Ctrl-C stops everything"), "the text is printed");
	WR_AUTO(mem_free_at) char *text = process_log(run);
	WR_AUTO(mem_free_at) char *script = pasted(text);
	assert_non_null(strstr(script, "wrctl doctor"));
	/* wrctl doctor finds fault with programs that have only just begun. */
	WAIT_UNTIL(30000, runs(script), "all commands end well");
}

/* To kill a part and look at the others is what the stack is for. */
static void a_part_that_ends_is_said_and_the_rest_goes_on(void **state)
{
	(void)state;
	static const char kill_pod[] =
		"s=%s; at() { jq -r \"$1\" $s; }; second=$(at '.internal[1]')\n"
		"kill -9 $(curl -fsS $(at '.internal[0]')/admin/v1/pods -H \"Authorization: Bearer $(at "
		".admin_key)\" |"
		" jq -r --arg at \"${second#http://}\" '.pods[] | select(.address == $at).instance' |"
		" sed 's/.*-//')\n";
	WR_AUTO(mem_free_at) char *script = NULL;
	if (asprintf(&script, kill_pod, stack_file) < 0)
		abort();
	assert_true(runs(script));
	WAIT_UNTIL(5000, process_log_has(run, "api-2 has ended, the rest goes on"), "it is said");
	WR_AUTO(http_answer_free_at)
	struct http_answer *room = http_call(site, "GET", "/checkout", AS_PAGE, NULL);
	api_expect_status(room, 302);
}

static bool is_over(void)
{
	return access(stack_file, F_OK) != 0 && !process_is_running(run);
}

static void a_make_that_is_interrupted_stops_everything(void **state)
{
	(void)state;
	process_signal(run, SIGINT);
	WAIT_UNTIL(STOP_DEADLINE_MS, is_over(), "everything has stopped");
	assert_int_equal(process_wait(run, STOP_DEADLINE_MS), 128 + SIGINT);
	char script[160];
	snprintf(script, sizeof(script),
			 "for at in 0 1 2 5 101 103 104 105 106; do "
			 "! (exec 3<>/dev/tcp/127.0.0.1/$((%s + at))) || exit 1; done",
			 strrchr(site, ':') + 1);
	assert_true(runs(script));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(from_the_shop_to_the_room_and_back_with_a_turn),
		cmocka_unit_test(stack_json_says_where_things_are),
		cmocka_unit_test(what_is_printed_can_be_pasted_into_a_shell),
		cmocka_unit_test(a_part_that_ends_is_said_and_the_rest_goes_on),
		cmocka_unit_test(a_make_that_is_interrupted_stops_everything),
	};
	return cmocka_run_group_tests_name("front_door", tests, open_door, close_door);
}
