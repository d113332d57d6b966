/* What operators do: make, read, change, pause, resume, take away queues, and let people in.
 *
 * Two pods, so that it shows what the other one knows. The relay is off: events stay in the outbox,
 * where they can be looked at.
 */
#include "support/api.h"
#include "support/cmocka.h"
#include "support/shared_stack.h"
#include "support/wait.h"
#include "waitingroom/memory.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int open_room(void **state)
{
	(void)state;
	stack = stack_start(
		&(struct stack_options){.pods = 2,
								.without_nats = true,
								.admin_keys = API_ADMIN_KEYS_FILE,
								.env = (const char *const[]){NO_RATE_LIMITS, "WR_RELAY=0", NULL}});
	api_make_tenant(stack, "acme");
	return 0;
}

static void expect_admin(const char *method, const char *path, const char *body, int status,
						 const char *code)
{
	WR_AUTO(http_answer_free_at)
	struct http_answer *answer = api_admin(stack, 0, method, path, body);
	if (code)
		api_expect_problem(answer, status, code);
	else
		api_expect_status(answer, status);
}

static void expect_detail(const char *method, const char *path, const char *body, const char *begin)
{
	WR_AUTO(http_answer_free_at)
	struct http_answer *answer = api_admin(stack, 0, method, path, body);
	if (answer->status != 422)
		print_error("%s %s %s\n", method, path, body);
	api_expect_problem(answer, 422, "invalid_value");
	WR_AUTO(mem_free_at) char *detail = http_answer_text(answer, "detail");
	if (strncmp(detail, begin, strlen(begin)) != 0)
		fail_msg("%s: \"%s\" does not begin with %s", body, detail, begin);
}

/* A held queue that every pod knows. */
static void make_queue(const char *name)
{
	char queue[96];
	print_into(queue, "default/%s", name);
	api_make_queue(stack, queue, "{" HELD "}");
}

/* ---- keys ---- */

static void without_the_key_nothing_is_done(void **state)
{
	(void)state;
	static const char *const routes[][2] = {{"GET", "/admin/v1/queues"},
											{"GET", "/admin/v1/queues/default/a"},
											{"PUT", "/admin/v1/queues/default/a"},
											{"DELETE", "/admin/v1/queues/default/a"},
											{"POST", "/admin/v1/queues/default/a/pause"},
											{"POST", "/admin/v1/queues/default/a/resume"},
											{"POST", "/admin/v1/queues/default/a/admit"}};
	static const char *const headers[] = {
		NULL,
		"Authorization: Bearer wrk_wrong\r\n",
		"Authorization: Bearer wrk_\r\n",
		"Authorization: Bearer\r\n",
		"Authorization: " API_ADMIN_KEY "\r\n",
		"Authorization: Bearer " API_ADMIN_KEY "x\r\n",
		/* the hash that the file holds is not the key */
		"Authorization: Bearer "
		"25b50f23f69d4e4a8f2581fd98cda6581906c3471981512c1b33ca9080e32e8f\r\n",
	};
	for (size_t i = 0; i < COUNT(routes); i++)
		for (size_t k = 0; k < COUNT(headers); k++) {
			bool has_body = routes[i][0][0] == 'P';
			WR_AUTO(http_answer_free_at)
			struct http_answer *answer =
				http_call(stack_internal_url(stack, 0), routes[i][0], routes[i][1], headers[k],
						  has_body ? "{}" : NULL);
			api_expect_problem(answer, 401, "bad_token");
		}
	assert_int_equal(api_store_number(stack, "EXISTS wr:{default/a}:settings"), 0);
}

/* ---- making and changing ---- */

static void a_queue_is_made_changed_and_read_back(void **state)
{
	(void)state;
	static const char settings[] =
		"{\"rate_per_minute\":30,\"message\":\"Zo\xc3\xab \\\"sale\\\"\\nline "
		"two\",\"state\":\"hold\","
		"\"session_renewal\":true,\"lanes\":[{\"name\":\"all\",\"weight\":2,\"open\":true}],"
		"\"allowed_targets\":[\"https://shop.example/sale\"]}";
	WR_AUTO(http_answer_free_at)
	struct http_answer *made = api_admin(stack, 0, "PUT", "/acme/sale", settings);
	api_expect_status(made, 201);
	assert_string_equal(made->body,
						"{\"queue\":\"acme/sale\",\"result\":\"created\",\"version\":1}");
	WR_AUTO(http_answer_free_at)
	struct http_answer *same = api_admin(stack, 1, "PUT", "/acme/sale", settings);
	api_expect_status(same, 200);
	assert_string_equal(same->body,
						"{\"queue\":\"acme/sale\",\"result\":\"unchanged\",\"version\":1}");

	WR_AUTO(http_answer_free_at)
	struct http_answer *read = api_admin(stack, 1, "GET", "/acme/sale", NULL);
	api_expect_members(read, "queue:s version:n settings:o now:o");
	assert_int_equal(http_answer_number(read, "settings.rate_per_minute"), 30);
	assert_int_equal(http_answer_number(read, "settings.capacity"), 100); /* the default */
	assert_true(http_answer_flag(read, "settings.session_renewal"));
	WR_AUTO(mem_free_at) char *message = http_answer_text(read, "settings.message");
	assert_string_equal(message, "Zo\xc3\xab \"sale\"\nline two");
	assert_non_null(strstr(read->body, "{\"name\":\"all\",\"weight\":2,\"open\":true}"));
	assert_non_null(strstr(read->body, "\"https://shop.example/sale\""));

	/* PUT says everything: what it leaves out goes back to the default. */
	WR_AUTO(http_answer_free_at)
	struct http_answer *changed = api_admin(stack, 1, "PUT", "/acme/sale", "{\"capacity\":7}");
	api_expect_status(changed, 200);
	assert_string_equal(changed->body,
						"{\"queue\":\"acme/sale\",\"result\":\"changed\",\"version\":2}");
	WR_AUTO(http_answer_free_at)
	struct http_answer *reread = api_admin(stack, 0, "GET", "/acme/sale", NULL);
	assert_int_equal(http_answer_number(reread, "settings.capacity"), 7);
	assert_int_equal(http_answer_number(reread, "settings.rate_per_minute"), 60);
}

static bool list_has(int pod, const char *text)
{
	WR_AUTO(http_answer_free_at)
	struct http_answer *answer = api_admin(stack, pod, "GET", "", NULL);
	api_expect_status(answer, 200);
	return strstr(answer->body, text);
}

static void the_list_names_every_queue(void **state)
{
	(void)state;
	make_queue("listed-1");
	make_queue("listed-2");
	WAIT_UNTIL(5000, list_has(1, "\"queue\":\"default/listed-1\""), "the first is listed");
	WAIT_UNTIL(5000, list_has(1, "\"queue\":\"default/listed-2\""), "the second is listed");
}

static void what_is_wrong_with_settings_is_named(void **state)
{
	(void)state;
	static const char *const rows[][2] = {
		{"{\"rate_per_minute\":-1}", "rate_per_minute"},
		{"{\"rate_per_minute\":6000001}", "rate_per_minute"},
		{"{\"rate_per_minute\":1.5}", "rate_per_minute"},
		{"{\"rate_per_minute\":\"60\"}", "rate_per_minute"},
		{"{\"burst\":0}", "burst"},
		{"{\"capacity\":10000001}", "capacity"},
		{"{\"max_waiting\":-5}", "max_waiting"},
		{"{\"heartbeat_ttl_ms\":999}", "heartbeat_ttl_ms"},
		{"{\"heartbeat_ttl_ms\":60000,\"absent_after_ms\":60001}", "heartbeat_ttl_ms"},
		{"{\"absent_after_ms\":2399,\"poll_min_ms\":2000}", "absent_after_ms"},
		{"{\"first_heartbeat_ms\":499}", "first_heartbeat_ms"},
		{"{\"claim_ttl_ms\":null}", "claim_ttl_ms"},
		{"{\"session_ttl_ms\":true}", "session_ttl_ms"},
		{"{\"poll_min_ms\":40000,\"poll_max_ms\":39999}", "poll_min_ms"},
		{"{\"poll_max_ms\":600001}", "poll_max_ms"},
		{"{\"joins_per_network_per_minute\":[]}", "joins_per_network_per_minute"},
		{"{\"ended_keep_ms\":1}", "ended_keep_ms"},
		{"{\"session_renewal\":1}", "session_renewal"},
		{"{\"state\":\"opened\"}", "state"},
		{"{\"state\":1}", "state"},
		{"{\"on_outage\":\"\"}", "on_outage"},
		{"{\"message\":5}", "message"},
		{"{\"message\":\"\\u0007\"}", "message"},
		{"{\"lanes\":[]}", "lanes"},
		{"{\"lanes\":{}}", "lanes"},
		{"{\"lanes\":[{\"name\":\"A\"}]}", "lanes"},
		{"{\"lanes\":[{\"name\":\"a\",\"weight\":0}]}", "lanes"},
		{"{\"lanes\":[{\"name\":\"a\",\"open\":1}]}", "lanes"},
		{"{\"lanes\":[{\"name\":\"a\"},{\"name\":\"a\"}]}", "lanes"},
		{"{\"lanes\":[{\"name\":\"a\",\"size\":1}]}", "lanes"},
		{"{\"allowed_targets\":\"https://a.example\"}", "allowed_targets"},
		{"{\"allowed_targets\":[\"ftp://a.example\"]}", "allowed_targets"},
		{"{\"allowed_targets\":[\"https://u:p@a.example\"]}", "allowed_targets"},
		{"{\"rate_per_second\":1}", "member 1"},
	};
	for (size_t i = 0; i < COUNT(rows); i++)
		expect_detail("PUT", "/default/wrong", rows[i][0], rows[i][1]);
	char long_message[1024] = "{\"message\":\"";
	memset(long_message + 12, 'm', 513);
	strcpy(long_message + 12 + 513, "\"}");
	expect_detail("PUT", "/default/wrong", long_message, "message");
	expect_detail("PUT", "/Default/wrong", "{}", "tenant and queue");
	expect_detail("PUT", "/default/-wrong", "{}", "tenant and queue");
	expect_admin("PUT", "/default/wrong", "", 400, "malformed");
	expect_admin("PUT", "/default/wrong", "[]", 400, "malformed");
	expect_admin("PUT", "/default/wrong", "{\"burst\":1,\"burst\":2}", 400, "malformed");
	expect_admin("GET", "/default/wrong", NULL, 404, "no_such_queue");
}

static struct http_answer *put_if_match(const char *version, const char *body)
{
	char headers[160];
	snprintf(headers, sizeof(headers),
			 "Authorization: Bearer " API_ADMIN_KEY "\r\nIf-Match: %s\r\n", version);
	return http_call(stack_internal_url(stack, 0), "PUT", "/admin/v1/queues/default/matched",
					 headers, body);
}

static void a_change_on_top_of_anothers_change_is_refused(void **state)
{
	(void)state;
	make_queue("matched");
	WR_AUTO(http_answer_free_at) struct http_answer *mine = put_if_match("\"1\"", "{\"burst\":2}");
	api_expect_status(mine, 200);
	WR_AUTO(http_answer_free_at)
	struct http_answer *theirs = put_if_match("\"1\"", "{\"burst\":3}");
	api_expect_problem(theirs, 412, "version_mismatch");
	WR_AUTO(mem_free_at) char *detail = http_answer_text(theirs, "detail");
	assert_non_null(strstr(detail, "version 2"));
	WR_AUTO(http_answer_free_at) struct http_answer *wrong = put_if_match("new", "{\"burst\":3}");
	api_expect_problem(wrong, 422, "invalid_value");
	WR_AUTO(http_answer_free_at) struct http_answer *current = put_if_match("2", "{\"burst\":3}");
	api_expect_status(current, 200);
	WR_AUTO(http_answer_free_at)
	struct http_answer *read = api_admin(stack, 0, "GET", "/default/matched", NULL);
	assert_int_equal(http_answer_number(read, "settings.burst"), 3);
}

static void a_change_is_seen_by_the_other_pod_within_a_second(void **state)
{
	(void)state;
	make_queue("watched");
	expect_admin("PUT", "/default/watched", "{\"message\":\"Changed.\"}", 200, NULL);
	WAIT_UNTIL(1000, api_pod_shows(stack, 1, "default/watched", "\"Changed.\""),
			   "the other pod knows");
}

/* ---- pausing ---- */

static bool place_is_paused(int pod, const char *token)
{
	WR_AUTO(http_answer_free_at)
	struct http_answer *answer = api_poll(stack_url(stack, pod), "/status", token);
	api_expect_place(answer, "waiting");
	return http_answer_flag(answer, "paused");
}

static void pausing_shows_the_message_to_everybody_until_it_is_resumed(void **state)
{
	(void)state;
	make_queue("paused");
	WR_AUTO(mem_free_at) char *token = api_join(stack_url(stack, 1), "paused");
	expect_admin("POST", "/default/paused/pause", "{\"message\":\"A short break.\"}", 200, NULL);
	WAIT_UNTIL(5000, place_is_paused(1, token), "the place is paused");
	WR_AUTO(http_answer_free_at)
	struct http_answer *beat = api_poll(stack_url(stack, 1), "/heartbeat", token);
	WR_AUTO(mem_free_at) char *message = http_answer_text(beat, "message");
	assert_string_equal(message, "A short break.");
	expect_admin("POST", "/default/paused/resume", NULL, 200, NULL);
	WAIT_UNTIL(5000, !place_is_paused(1, token), "the place is not paused");
	assert_true(api_pod_shows(stack, 1, "default/paused", "\"state\":\"open\",\"message\":\"\""));
}

static void pausing_wrongly_changes_nothing(void **state)
{
	(void)state;
	make_queue("unpaused");
	expect_detail("POST", "/default/unpaused/pause", "{\"message\":7}", "message");
	expect_detail("POST", "/default/unpaused/pause", "{\"text\":\"a\"}", "message");
	expect_detail("POST", "/default/unpaused/pause", "[]", "message");
	expect_detail("POST", "/default/unpaused/pause", "{\"message\":\"\\u0007\"}", "message");
	expect_admin("POST", "/default/unpaused/pause", "{\"message\":\"\\u0000\"}", 400, "malformed");
	expect_admin("POST", "/default/unpaused/pause", "{", 400, "malformed");
	expect_admin("POST", "/default/none/pause", NULL, 404, "no_such_queue");
	expect_admin("POST", "/default/none/resume", NULL, 404, "no_such_queue");
	WR_AUTO(http_answer_free_at)
	struct http_answer *read = api_admin(stack, 0, "GET", "/default/unpaused", NULL);
	assert_int_equal(http_answer_number(read, "version"), 1);
}

/* ---- letting in ---- */

static void an_operator_lets_in_those_who_are_there(void **state)
{
	(void)state;
	make_queue("admit");
	WR_AUTO(mem_free_at) char *first = api_join_present(stack, 0, "admit");
	WR_AUTO(mem_free_at) char *second = api_join_present(stack, 1, "admit");
	WR_AUTO(mem_free_at) char *ghost = api_join(stack_url(stack, 0), "admit");
	WR_AUTO(http_answer_free_at)
	struct http_answer *one = api_admin(stack, 0, "POST", "/default/admit/admit", "{\"count\":1}");
	assert_string_equal(one->body, "{\"admitted\":1,\"free\":99}");
	api_await(stack_url(stack, 1), first, 5000, "admitted");
	WR_AUTO(http_answer_free_at)
	struct http_answer *all = api_admin(stack, 1, "POST", "/default/admit/admit", "{\"count\":50}");
	assert_string_equal(all->body, "{\"admitted\":1,\"free\":98}");
	api_await(stack_url(stack, 0), second, 5000, "admitted");
	WR_AUTO(http_answer_free_at)
	struct http_answer *left = api_poll(stack_url(stack, 0), "/status", ghost);
	api_expect_place(left, "waiting"); /* not heard of yet: no slot is spent on it */
}

static void a_count_that_is_wrong_lets_nobody_in(void **state)
{
	(void)state;
	make_queue("count");
	WR_AUTO(mem_free_at) char *token = api_join_present(stack, 0, "count");
	static const char *const bodies[] = {"{}",
										 "{\"count\":0}",
										 "{\"count\":-1}",
										 "{\"count\":1.5}",
										 "{\"count\":\"1\"}",
										 "{\"count\":1000001}",
										 "{\"count\":1,\"lane\":\"main\"}",
										 "[]",
										 "1"};
	for (size_t i = 0; i < COUNT(bodies); i++)
		expect_detail("POST", "/default/count/admit", bodies[i], "count");
	expect_admin("POST", "/default/count/admit", "", 400, "malformed");
	expect_admin("POST", "/default/none/admit", "{\"count\":1}", 404, "no_such_queue");
	assert_int_equal(api_store_number(stack, "ZCARD wr:{default/count}:sessions"), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(without_the_key_nothing_is_done),
		cmocka_unit_test(a_queue_is_made_changed_and_read_back),
		cmocka_unit_test(the_list_names_every_queue),
		cmocka_unit_test(what_is_wrong_with_settings_is_named),
		cmocka_unit_test(a_change_on_top_of_anothers_change_is_refused),
		cmocka_unit_test(a_change_is_seen_by_the_other_pod_within_a_second),
		cmocka_unit_test(pausing_shows_the_message_to_everybody_until_it_is_resumed),
		cmocka_unit_test(pausing_wrongly_changes_nothing),
		cmocka_unit_test(an_operator_lets_in_those_who_are_there),
		cmocka_unit_test(a_count_that_is_wrong_lets_nobody_in),
	};
	return cmocka_run_group_tests(tests, open_room, shared_stack_close);
}
