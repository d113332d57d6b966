/* Each command of wrctl on a real room: its exit code, what it prints, and what has changed after
 * it. */
#include "support/api.h"
#include "support/cmocka.h"
#include "support/ctl_room.h"
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
		.without_nats = true,
		.admin_keys = API_ADMIN_KEYS_FILE,
		.queues = QUEUES(QUEUE("demo", HELD) "," QUEUE("sessions", HELD) "," QUEUE(
			"crowded", HELD) "," QUEUE("draining", HELD)),
		.env = (const char *const[]){NO_RATE_LIMITS, "WR_RELAY=0", NULL}});
	return 0;
}

static void make_queue(const char *path, const char *settings)
{
	WR_AUTO(http_answer_free_at)
	struct http_answer *answer = api_admin(stack, 0, "PUT", path, settings);
	api_expect_status(answer, 201);
}

/* A member of a queue's settings as text; gives. */
static char *setting(const char *path, const char *member)
{
	char name[128];
	WR_AUTO(http_answer_free_at)
	struct http_answer *answer = api_admin(stack, 0, "GET", path, NULL);
	print_into(name, "settings.%s", member);
	return http_answer_text(answer, name);
}

static void expect_state(const char *path, const char *word)
{
	WR_AUTO(mem_free_at) char *text = setting(path, "state");
	assert_string_equal(text, word);
}

static void expect_gone(const char *path)
{
	WR_AUTO(http_answer_free_at)
	struct http_answer *answer = api_admin(stack, 0, "GET", path, NULL);
	api_expect_problem(answer, 404, "no_such_queue");
}

/* ---- looking ---- */

static void lists_are_tables_names_or_the_answer_as_it_came(void **state)
{
	(void)state;
	struct ctl ctl = at_the_pod();
	RUN table = ctl_run(&ctl, "queue", "list", NULL);
	ctl_expect(&table, 0, "QUEUE", NULL);
	ctl_expect(&table, 0, "default/demo", NULL);
	RUN names = ctl_run(&ctl, "queue", "list", "--names", NULL);
	ctl_expect(&names, 0, "default/crowded\ndefault/demo\ndefault/draining\ndefault/sessions\n",
			   NULL);
	RUN json = ctl_run(&ctl, "queue", "list", "--output=json", NULL);
	assert_int_equal(json.code, 0);
	assert_non_null(json.json);
	assert_true(json_is_array(json_member(json.json, "queues")));
}

static void a_queue_is_shown_with_settings_and_version(void **state)
{
	(void)state;
	struct ctl ctl = at_the_pod();
	RUN table = ctl_run(&ctl, "queue", "get", "demo", NULL);
	ctl_expect(&table, 0, "rate_per_minute", NULL);
	ctl_expect(&table, 0, "version", NULL);
	RUN json = ctl_run(&ctl, "queue", "get", "default/demo", "-o", "json", NULL);
	assert_int_equal(json.code, 0);
	assert_non_null(json_member(json.json, "settings"));
	RUN none = ctl_run(&ctl, "queue", "get", "nowhere", NULL);
	ctl_expect(&none, 6, NULL, "no_such_queue");
	RUN problem = ctl_run(&ctl, "queue", "get", "nowhere", "-o", "json", NULL);
	ctl_expect(&problem, 6, "", "{\"type\"");
}

static void a_setting_that_was_mistyped_is_named_with_what_was_meant(void **state)
{
	(void)state;
	struct ctl ctl = at_the_pod();
	RUN near = ctl_run(&ctl, "queue", "set", "demo", "capcity=3", NULL);
	ctl_expect(&near, 1, NULL,
			   "\"capcity\" is no setting that wrctl knows of; did you mean \"capacity\"?");
	RUN begun = ctl_run(&ctl, "queue", "set", "demo", "rate=3", NULL);
	ctl_expect(&begun, 1, NULL, "did you mean \"rate_per_minute\"?");
	RUN far = ctl_run(&ctl, "queue", "create", "mistyped", "colour=3", NULL);
	ctl_expect(&far, 1, NULL, "\"colour\" is no setting that wrctl knows of.");
}

static void the_owner_of_a_key_is_told(void **state)
{
	(void)state;
	struct ctl ctl = at_the_pod();
	RUN run = ctl_run(&ctl, "whoami", NULL);
	ctl_expect(&run, 0, "role admin, all tenants", NULL);
}

static void pods_are_listed_once_they_have_reported(void **state)
{
	(void)state;
	struct ctl ctl = at_the_pod();
	RUN json = ctl_run(&ctl, "pods", "--output", "json", NULL);
	assert_int_equal(json.code, 0);
	assert_true(json_is_array(json_member(json.json, "pods")));
	RUN table = ctl_run(&ctl, "pods", NULL);
	ctl_expect(&table, 0, "INSTANCE", NULL);
}

static void the_level_of_logs_is_changed(void **state)
{
	(void)state;
	struct ctl ctl = at_the_pod();
	RUN set = ctl_run(&ctl, "log-level", "debug", NULL);
	ctl_expect(&set, 0, "level debug", NULL);
	RUN wrong = ctl_run(&ctl, "log-level", "loud", NULL);
	ctl_expect(&wrong, 1, NULL, "level");
	RUN shown = ctl_run(&ctl, "log-level", NULL);
	ctl_expect(&shown, 0, "level debug", NULL);
}

static void a_preview_is_a_link(void **state)
{
	(void)state;
	struct ctl ctl = at_the_pod();
	RUN run = ctl_run(&ctl, "preview", "demo", "paused", "--lang", "de", NULL);
	ctl_expect(&run, 0, "/q/default/demo?preview=1&state=paused&lang=de", NULL);
	RUN wrong = ctl_run(&ctl, "preview", "demo", "asleep", NULL);
	ctl_expect(&wrong, 1, NULL, "state");
}

/* ---- changing ---- */

static void pausing_tells_visitors_in_their_language_and_resuming_ends_it(void **state)
{
	(void)state;
	make_queue("/default/pausing", "{}");
	struct ctl ctl = at_the_pod();
	RUN paused = ctl_run(&ctl, "queue", "pause", "pausing", "--message", "Back soon",
						 "--message-in", "de=Gleich \"weiter\"", NULL);
	ctl_expect(&paused, 0, "is paused", NULL);
	expect_state("/default/pausing", "paused");
	WR_AUTO(mem_free_at) char *message = setting("/default/pausing", "message");
	WR_AUTO(mem_free_at) char *german = setting("/default/pausing", "messages.de");
	assert_string_equal(message, "Back soon");
	assert_string_equal(german, "Gleich \"weiter\"");
	RUN wrong = ctl_run(&ctl, "queue", "pause", "pausing", "--message-in", "Gleich", NULL);
	ctl_expect(&wrong, 2, NULL, "LANGUAGE=TEXT");
	RUN resumed = ctl_run(&ctl, "queue", "resume", "pausing", NULL);
	ctl_expect(&resumed, 0, "goes on", NULL);
	expect_state("/default/pausing", "open");
}

static void a_queue_is_held_opened_closed_and_drained(void **state)
{
	(void)state;
	make_queue("/default/doors", "{}");
	struct ctl ctl = at_the_pod();
	static const char *const steps[][3] = {{"hold", "is held", "hold"},
										   {"open", "is open", "open"},
										   {"close", "is closed", "closed"},
										   {"open", "is open", "open"}};
	for (size_t i = 0; i < COUNT(steps); i++) {
		RUN run = ctl_run(&ctl, "queue", steps[i][0], "doors", NULL);
		ctl_expect(&run, 0, steps[i][1], NULL);
		expect_state("/default/doors", steps[i][2]);
	}
	RUN drained = ctl_run(&ctl, "queue", "drain", "doors", "--wait", NULL);
	ctl_expect(&drained, 0, "Nobody waits in doors any more.", NULL);
	RUN none = ctl_run(&ctl, "queue", "drain", "nowhere", NULL);
	ctl_expect(&none, 6, NULL, "no_such_queue");
}

static void waiting_for_a_drain_can_be_given_up(void **state)
{
	(void)state;
	WR_AUTO(mem_free_at) char *token = api_join_present(stack, 0, "draining");
	struct ctl ctl = at_the_pod();
	/* There is no admitter in this room: nobody is let in. */
	struct process *drain = ctl_start(&ctl, "queue", "drain", "draining", "--wait", NULL);
	WAIT_UNTIL(10000, process_log_has(drain, "draining drains"), "it drains");
	process_signal(drain, SIGINT);
	assert_int_equal(process_wait(drain, 10000), 1);
	assert_true(process_log_has(drain, "1 people are still in line; it goes on draining"));
	process_free(drain);
}

static void figures_of_the_last_hour_are_lines_of_bars(void **state)
{
	(void)state;
	struct ctl ctl = at_the_pod();
	RUN table = ctl_run(&ctl, "queue", "stats", "demo", NULL);
	ctl_expect(&table, 0, "LAST HOUR", NULL);
	ctl_expect(&table, 0, "joined", NULL);
	RUN json = ctl_run(&ctl, "queue", "stats", "demo", "-o", "json", NULL);
	assert_int_equal(json.code, 0);
	assert_non_null(json_member(json.json, "series"));
}

static void people_are_let_in_by_hand(void **state)
{
	(void)state;
	WR_AUTO(mem_free_at) char *token = api_join_present(stack, 0, "demo");
	struct ctl ctl = at_the_pod();
	RUN run = ctl_run(&ctl, "queue", "admit", "demo", "1", NULL);
	ctl_expect(&run, 0, "1 of 1 let in", NULL);
	api_await(stack_url(stack, 0), token, 5000, "admitted");
	RUN wrong = ctl_run(&ctl, "queue", "admit", "demo", "none", NULL);
	ctl_expect(&wrong, 2, NULL, "COUNT");
}

static void a_session_is_ended_by_the_id_of_the_place(void **state)
{
	(void)state;
	WR_AUTO(mem_free_at) char *token = api_join_present(stack, 0, "sessions");
	WR_AUTO(mem_free_at) char *id = api_position_id(token);
	struct ctl ctl = at_the_pod();
	RUN waiting = ctl_run(&ctl, "session", "revoke", "sessions", id, "--yes", NULL);
	ctl_expect(&waiting, 5, NULL, "still in line");
	api_admit(stack, "default/sessions", 1);
	RUN unasked = ctl_run(&ctl, "session", "revoke", "sessions", id, NULL);
	ctl_expect(&unasked, 5, NULL, "--yes");
	RUN revoked = ctl_run(&ctl, "session", "revoke", "sessions", id, "--yes", NULL);
	ctl_expect(&revoked, 0, "is over", NULL);
}

static void the_audit_tells_who_has_changed_what_the_newest_last(void **state)
{
	(void)state;
	make_queue("/default/audited", "{}");
	struct ctl ctl = at_the_pod();
	RUN paused = ctl_run(&ctl, "queue", "pause", "audited", NULL);
	RUN resumed = ctl_run(&ctl, "queue", "resume", "audited", NULL);
	assert_int_equal(paused.code + resumed.code, 0);
	RUN all = ctl_run(&ctl, "audit", "--queue", "audited", NULL);
	ctl_expect(&all, 0, "queue.pause", NULL);
	const char *first = strstr(all.out, "queue.pause"), *second = strstr(all.out, "queue.resume");
	assert_true(second > first);
	RUN one = ctl_run(&ctl, "audit", "--queue", "audited", "--limit", "1", NULL);
	ctl_expect(&one, 0, "queue.resume", NULL);
	assert_null(strstr(one.out, "queue.pause"));
	RUN some = ctl_run(&ctl, "audit", "--queue", "audited", "--action", "queue.pause", NULL);
	ctl_expect(&some, 0, "queue.pause", NULL);
	assert_null(strstr(some.out, "queue.resume"));
	RUN json = ctl_run(&ctl, "audit", "-o", "json", NULL);
	assert_non_null(json_member(json.json, "entries"));
}

static void the_audit_is_followed_until_it_is_interrupted(void **state)
{
	(void)state;
	make_queue("/default/followed", "{}");
	struct ctl ctl = at_the_pod();
	struct process *follower = ctl_start(&ctl, "audit", "--queue", "followed", "--follow", NULL);
	WAIT_UNTIL(10000, process_log_has(follower, "queue.put"), "what was there");
	RUN paused = ctl_run(&ctl, "queue", "pause", "followed", NULL);
	assert_int_equal(paused.code, 0);
	WAIT_UNTIL(10000, process_log_has(follower, "queue.pause"), "what is new");
	process_signal(follower, SIGINT);
	assert_int_equal(process_wait(follower, 10000), 0);
	WR_AUTO(mem_free_at) char *log = process_log(follower);
	const char *first = strstr(log, "queue.put");
	assert_null(strstr(first + 1, "queue.put")); /* once */
	process_free(follower);
}

/* ---- what cannot be undone ---- */

static void deleting_asks_for_the_name(void **state)
{
	(void)state;
	make_queue("/default/doomed", "{}");
	struct ctl ctl = at_the_pod();
	RUN unasked = ctl_run(&ctl, "queue", "delete", "doomed", NULL);
	ctl_expect(&unasked, 5, NULL, "give --yes");
	expect_state("/default/doomed", "open");
	ctl.terminal = true;
	ctl.input = "yes\n";
	RUN another = ctl_run(&ctl, "queue", "delete", "doomed", NULL);
	ctl_expect(&another, 5, "nothing was done", NULL);
	expect_state("/default/doomed", "open");
	ctl.input = "doomed\n";
	RUN typed = ctl_run(&ctl, "queue", "delete", "doomed", NULL);
	ctl_expect(&typed, 0, "is deleted", NULL);
	expect_gone("/default/doomed");
	ctl = at_the_pod();
	RUN again = ctl_run(&ctl, "queue", "delete", "doomed", "--yes", NULL);
	ctl_expect(&again, 6, NULL, "no_such_queue");
}

static void what_was_changed_while_somebody_was_asked_is_not_deleted(void **state)
{
	(void)state;
	make_queue("/default/changing", "{}");
	struct ctl ctl = at_the_pod();
	struct pty *pty = ctl_start_on_pty(&ctl, 24, 80, "queue", "delete", "changing", NULL);
	WAIT_UNTIL(10000, pty_sees(pty, "Type changing to go on"), "it asks");
	WR_AUTO(http_answer_free_at)
	struct http_answer *changed =
		api_admin(stack, 0, "PATCH", "/default/changing", "{\"state\":\"hold\"}");
	api_expect_status(changed, 200);
	pty_type(pty, "changing\n");
	WAIT_UNTIL(10000, pty_sees(pty, "version_mismatch"), "it says why not");
	assert_int_equal(pty_wait(pty, 10000), 5);
	pty_free(pty);
	expect_state("/default/changing", "hold");
}

static void emptying_tells_how_many_go_and_asks_for_the_name(void **state)
{
	(void)state;
	WR_AUTO(mem_free_at) char *first = api_join_present(stack, 0, "crowded");
	WR_AUTO(mem_free_at) char *second = api_join_present(stack, 0, "crowded");
	struct ctl ctl = at_the_pod();
	RUN unasked = ctl_run(&ctl, "queue", "empty", "crowded", NULL);
	ctl_expect(&unasked, 5, NULL, "2 people");
	RUN emptied = ctl_run(&ctl, "queue", "empty", "crowded", "--yes", NULL);
	ctl_expect(&emptied, 0, "2 people have gone", NULL);
	api_await(stack_url(stack, 0), first, 5000, "place_expired");
	api_await(stack_url(stack, 0), second, 5000, "place_expired");
	RUN none = ctl_run(&ctl, "queue", "empty", "nowhere", "--yes", NULL);
	ctl_expect(&none, 6, NULL, "no_such_queue");
}

/* ---- completion with a server behind it ---- */

static void completion_offers_the_queues_that_there_are(void **state)
{
	(void)state;
	struct ctl ctl = at_the_pod();
	RUN script = ctl_run(&ctl, "completion", "bash", NULL);
	ctl_expect(&script, 0, "complete -o nosort -F _wrctl wrctl", NULL);
	RUN names = ctl_run(&ctl, "queue", "list", "--names", "--timeout", "2", NULL);
	ctl_expect(&names, 0, "default/demo\n", NULL);
	/* The script asks exactly this. */
	assert_non_null(strstr(script.out, " queue list --names --timeout 2"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lists_are_tables_names_or_the_answer_as_it_came),
		cmocka_unit_test(a_queue_is_shown_with_settings_and_version),
		cmocka_unit_test(a_setting_that_was_mistyped_is_named_with_what_was_meant),
		cmocka_unit_test(the_owner_of_a_key_is_told),
		cmocka_unit_test(pods_are_listed_once_they_have_reported),
		cmocka_unit_test(the_level_of_logs_is_changed),
		cmocka_unit_test(a_preview_is_a_link),
		cmocka_unit_test(pausing_tells_visitors_in_their_language_and_resuming_ends_it),
		cmocka_unit_test(a_queue_is_held_opened_closed_and_drained),
		cmocka_unit_test(waiting_for_a_drain_can_be_given_up),
		cmocka_unit_test(figures_of_the_last_hour_are_lines_of_bars),
		cmocka_unit_test(people_are_let_in_by_hand),
		cmocka_unit_test(a_session_is_ended_by_the_id_of_the_place),
		cmocka_unit_test(the_audit_tells_who_has_changed_what_the_newest_last),
		cmocka_unit_test(the_audit_is_followed_until_it_is_interrupted),
		cmocka_unit_test(deleting_asks_for_the_name),
		cmocka_unit_test(what_was_changed_while_somebody_was_asked_is_not_deleted),
		cmocka_unit_test(emptying_tells_how_many_go_and_asks_for_the_name),
		cmocka_unit_test(completion_offers_the_queues_that_there_are),
	};
	return cmocka_run_group_tests(tests, open_room, shared_stack_close);
}
