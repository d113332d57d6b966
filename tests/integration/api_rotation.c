/* New signing keys while people wait: SIGHUP reads the files again.
 *
 *     keys 1      p1  s1
 *     keys 2  p2  p1  s2  s1      new tokens carry p2 and s2, old ones are good as before
 *     keys 3  p2      s2          the old ones are over
 */
#include "support/api.h"
#include "support/cmocka.h"
#include "support/key_texts.h"
#include "support/process.h"
#include "support/shared_stack.h"
#include "support/temp.h"
#include "support/wait.h"
#include "waitingroom/memory.h"
#include "waitingroom/text.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NEW_POSITION_ROW KEY_ROW("p2", "position", "HS256", SECRET_C)
#define NEW_SESSION_ROW KEY_ROW("s2", "session", "ES256", PEM_B)
#define KEYS_1 KEY_FILE_OF_THREE
#define KEYS_2                                                                                     \
	KEY_FILE(NEW_POSITION_ROW "," POSITION_ROW "," NEW_SESSION_ROW "," SESSION_ROW "," IDENTITY_ROW)
#define KEYS_3 KEY_FILE(NEW_POSITION_ROW "," NEW_SESSION_ROW "," IDENTITY_ROW)

static const char *url;
static char *keys_file, *admin_file;

static int open_room(void **state)
{
	(void)state;
	keys_file = temp_file("rotated.json", KEYS_1);
	admin_file = temp_file("rotated-admin.json", API_ADMIN_KEYS_FILE);
	char keys[256], admin[256];
	snprintf(keys, sizeof(keys), "WR_TOKEN_KEYS_FILE=%s", keys_file);
	snprintf(admin, sizeof(admin), "WR_ADMIN_KEYS_FILE=%s", admin_file);
	stack = stack_start(&(struct stack_options){
		.pods = 1,
		.without_nats = true,
		.queues = QUEUES(QUEUE("line", HELD) "," QUEUE("empty", "\"capacity\":50,\"burst\":50")),
		.env = (const char *const[]){NO_RATE_LIMITS, keys, admin, NULL}});
	url = stack_url(stack, 0);
	return 0;
}

static int close_room(void **state)
{
	free(keys_file);
	free(admin_file);
	return shared_stack_close(state);
}

/* ---- reloading ---- */

static void write_file(const char *path, const char *content)
{
	FILE *file = fopen(path, "w");
	assert_non_null(file);
	fputs(content, file);
	fclose(file);
}

static int count_in_log(const char *text)
{
	WR_AUTO(mem_free_at) char *log = process_log(stack_pod(stack, 0));
	int count = 0;
	for (const char *at = log; (at = strstr(at, text)); at += strlen(text))
		count++;
	return count;
}

/* 'event' "reloaded" or "reload_refused"; 'meanwhile' may be NULL. */
static void reload(const char *event, void (*meanwhile)(void))
{
	char text[64];
	snprintf(text, sizeof(text), "\"event.action\":\"%s\"", event);
	int before = count_in_log(text);
	process_signal(stack_pod(stack, 0), SIGHUP);
	WAIT_UNTIL(5000, (meanwhile ? meanwhile() : (void)0, count_in_log(text) > before), event);
}

static bool header_has(const char *token, const char *kid)
{
	char text[512], member[64];
	size_t len = 0;
	assert_true(base64url_decode(token, strcspn(token, "."), text, sizeof(text) - 1, &len));
	text[len] = '\0';
	snprintf(member, sizeof(member), "\"kid\":\"%s\"", kid);
	return strstr(text, member);
}

static void expect_kids(const char *position_kid, const char *session_kid)
{
	WR_AUTO(http_answer_free_at) struct http_answer *answer = api_enqueue(url, "empty", NULL);
	api_expect_place(answer, "admitted");
	WR_AUTO(mem_free_at) char *token = http_answer_text(answer, "token");
	WR_AUTO(mem_free_at) char *session = http_answer_text(answer, "session_token");
	assert_true(header_has(token, position_kid));
	assert_true(header_has(session, session_kid));
}

static bool publishes(const char *kid)
{
	char member[64];
	snprintf(member, sizeof(member), "\"kid\":\"%s\"", kid);
	WR_AUTO(http_answer_free_at)
	struct http_answer *answer = http_call(url, "GET", "/.well-known/jwks.json", NULL, NULL);
	api_expect_status(answer, 200);
	return strstr(answer->body, member);
}

/* ---- a load that goes on meanwhile ---- */

static char *old_token;
static struct http_client *old_client;
static int beats;

static void beat(void)
{
	api_send_poll(old_client, "/heartbeat", old_token);
	WR_AUTO(http_answer_free_at) struct http_answer *answer = http_client_read(old_client, 5000);
	api_expect_place(answer, "waiting");
	beats++;
}

static void keys_are_exchanged_without_anybody_noticing(void **state)
{
	(void)state;
	expect_kids("p1", "s1");
	WR_AUTO(http_answer_free_at) struct http_answer *entered = api_enqueue(url, "empty", NULL);
	WR_AUTO(mem_free_at) char *old_session = http_answer_text(entered, "session_token");
	old_token = api_join(url, "line");
	old_client = http_client_open(url);
	write_file(keys_file, KEYS_2);
	reload("reloaded", beat);
	assert_true(beats > 0);
	expect_kids("p2", "s2");
	assert_true(publishes("s1") && publishes("s2"));
	beat();
	WR_AUTO(http_answer_free_at)
	struct http_answer *released = api_poll(url, "/session/release", old_session);
	api_expect_status(released, 200);
	http_client_close(old_client);
}

static void a_repeated_key_keeps_its_place_over_the_exchange(void **state)
{
	(void)state;
	/* p2 signs, and the identity key is the same: the place is the one of before. */
	WR_AUTO(http_answer_free_at) struct http_answer *before = api_enqueue(url, "line", "kept");
	api_expect_status(before, 201);
	reload("reloaded", NULL);
	WR_AUTO(http_answer_free_at) struct http_answer *after = api_enqueue(url, "line", "kept");
	api_expect_status(after, 200);
}

static void a_file_that_is_wrong_changes_nothing(void **state)
{
	(void)state;
	static const char *const contents[] = {"", "{", "{\"keys\":[]}", KEY_FILE(POSITION_ROW),
										   KEY_FILE(POSITION_ROW "," SESSION_ROW)};
	for (size_t i = 0; i < COUNT(contents); i++) {
		write_file(keys_file, contents[i]);
		reload("reload_refused", NULL);
		expect_kids("p2", "s2");
	}
	assert_int_equal(count_in_log("WR_TOKEN_KEYS_FILE"), COUNT(contents));
}

static void a_key_that_is_taken_out_is_good_no_more(void **state)
{
	(void)state;
	write_file(keys_file, KEYS_3);
	reload("reloaded", NULL);
	WR_AUTO(http_answer_free_at)
	struct http_answer *answer = api_poll(url, "/heartbeat", old_token);
	api_expect_problem(answer, 401, "bad_token");
	assert_true(publishes("s2") && !publishes("s1"));
	expect_kids("p2", "s2");
	free(old_token);
}

static void admin_keys_are_read_again_too(void **state)
{
	(void)state;
	WR_AUTO(http_answer_free_at) struct http_answer *good = api_admin(stack, 0, "GET", "", NULL);
	api_expect_status(good, 200);
	write_file(admin_file,
			   "{\"keys\":[{\"sha256\":"
			   "\"0000000000000000000000000000000000000000000000000000000000000000\"}]}");
	reload("reloaded", NULL);
	WR_AUTO(http_answer_free_at) struct http_answer *refused = api_admin(stack, 0, "GET", "", NULL);
	api_expect_problem(refused, 401, "bad_token");
}

static void when_one_file_is_wrong_neither_is_taken(void **state)
{
	(void)state;
	write_file(keys_file, KEYS_1);
	write_file(admin_file, "{");
	reload("reload_refused", NULL);
	expect_kids("p2", "s2");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(keys_are_exchanged_without_anybody_noticing),
		cmocka_unit_test(a_repeated_key_keeps_its_place_over_the_exchange),
		cmocka_unit_test(a_file_that_is_wrong_changes_nothing),
		cmocka_unit_test(a_key_that_is_taken_out_is_good_no_more),
		cmocka_unit_test(admin_keys_are_read_again_too),
		cmocka_unit_test(when_one_file_is_wrong_neither_is_taken),
	};
	return cmocka_run_group_tests(tests, open_room, close_room);
}
