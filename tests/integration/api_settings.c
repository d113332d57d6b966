/* The settings of a queue on their way: from an operator's PUT through the store to every pod. */
#include "support/api.h"
#include "support/cmocka.h"
#include "support/redis.h"
#include "support/shared_stack.h"
#include "support/wait.h"
#include "waitingroom/memory.h"
#include "waitingroom/settings.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define SECRET "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8"
#define EVERYTHING                                                                                 \
	"\"rate_per_minute\":30,\"state\":\"hold\",\"opens_at_ms\":4102444800000,"                     \
	"\"room_url\":\"https://wait.example/_wr\",\"challenge\":\"turnstile\","                       \
	"\"challenge_bits_min\":8,\"challenge_bits_max\":12,\"challenge_puzzles\":20,"                 \
	"\"captcha_site_key\":\"0x4AAA\",\"captcha_secret\":\"hush-hush\",\"entry\":\"signed\","       \
	"\"entry_keys\":[{\"kid\":\"crm\",\"alg\":\"HS256\",\"key\":\"" SECRET "\"}],"                 \
	"\"sharing\":\"requeue\",\"bypass\":[{\"path_prefix\":\"/static\",\"methods\":[\"GET\"]},"     \
	"{\"network\":\"10.0.0.0/8\"}],\"theme\":{\"name\":\"Shop\",\"colour\":\"#005fcc\","           \
	"\"texts\":{\"de\":{\"title\":\"Gleich\",\"intro\":\"sind Sie dran\"}}},"                      \
	"\"message\":\"Soon.\",\"messages\":{\"de\":\"Bald.\",\"ja\":\"もうすぐ\"},"               \
	"\"allowed_targets\":[\"https://shop.example\"],"                                              \
	"\"template\":\"<h1>Shop</h1>\\n<!--waitingroom-->\""

static int open_room(void **state)
{
	(void)state;
	stack = stack_start(
		&(struct stack_options){.pods = 2,
								.admitters = 1,
								.without_nats = true,
								.admin_keys = API_ADMIN_KEYS_FILE,
								.env = (const char *const[]){NO_RATE_LIMITS, "WR_RELAY=0", NULL}});
	api_make_tenant(stack, "acme");
	return 0;
}

static void put(const char *path, const char *body, int status)
{
	WR_AUTO(http_answer_free_at)
	struct http_answer *answer = api_admin(stack, 0, "PUT", path, body);
	api_expect_status(answer, status);
}

/* gives; "settings" of the answer, as text */
static char *settings_of(int pod, const char *path)
{
	WR_AUTO(http_answer_free_at)
	struct http_answer *answer = api_admin(stack, pod, "GET", path, NULL);
	api_expect_status(answer, 200);
	const char *begin = strstr(answer->body, "\"settings\":"), *end = strstr(begin, ",\"now\":");
	begin += strlen("\"settings\":");
	return mem_copy(begin, (size_t)(end - begin));
}

static void expect_in(const char *text, const char *part)
{
	if (!strstr(text, part))
		fail_msg("no %s in %s", part, text);
}

static void expect_stored(const char *queue, const char *field, const char *value)
{
	struct redis_client *client = redis_client_new(stack->redis);
	WR_AUTO(mem_free_at)
	char *stored = redis_text(client, "HGET wr:{%s}:settings %s", queue, field);
	redis_client_free(client);
	assert_string_equal(stored, value);
}

/* ---- the way through ---- */

static void a_queue_with_everything_is_the_same_on_every_pod(void **state)
{
	(void)state;
	put("/acme/all", "{" EVERYTHING "}", 201);
	WR_AUTO(mem_free_at) char *one = settings_of(0, "/acme/all");
	WR_AUTO(mem_free_at) char *other = settings_of(1, "/acme/all");
	assert_string_equal(one, other);
	expect_in(one, "\"opens_at_ms\":4102444800000");
	expect_in(one, "\"room_url\":\"https://wait.example/_wr\"");
	expect_in(one, "\"challenge\":\"turnstile\",\"entry\":\"signed\",\"sharing\":\"requeue\"");
	expect_in(one, "\"bypass\":[{\"path_prefix\":\"/static\",\"methods\":[\"GET\"]},"
				   "{\"network\":\"10.0.0.0/8\"}]");
	expect_in(one, "\"theme\":{\"name\":\"Shop\",\"logo\":\"\",\"colour\":\"#005fcc\"");
	expect_in(one, "\"de\":{\"title\":\"Gleich\",\"intro\":\"sind Sie dran\"}");
	expect_in(one, "\"template\":\"<h1>Shop</h1>\\n<!--waitingroom-->\"");
	for (int pod = 0; pod < 2; pod++)
		WAIT_UNTIL(5000,
				   api_pod_shows(stack, pod, "acme/all",
								 "\"state\":\"hold\",\"message\":\"Soon.\","
								 "\"opens_at_ms\":4102444800000,"
								 "\"messages\":{\"de\":\"Bald.\",\"ja\":\"もうすぐ\"}"),
				   "the pod shows the queue");
}

static void no_secret_is_ever_shown_and_none_is_lost_by_putting_back(void **state)
{
	(void)state;
	put("/acme/secrets", "{" EVERYTHING "}", 201);
	WR_AUTO(mem_free_at) char *read = settings_of(0, "/acme/secrets");
	assert_null(strstr(read, "hush"));
	assert_null(strstr(read, SECRET));
	expect_in(read, "\"entry_keys\":[{\"kid\":\"crm\",\"alg\":\"HS256\",\"fingerprint\":\"");
	WR_AUTO(http_answer_free_at)
	struct http_answer *back = api_admin(stack, 1, "PUT", "/acme/secrets", read);
	api_expect_status(back, 200);
	assert_string_equal(back->body,
						"{\"queue\":\"acme/secrets\",\"result\":\"unchanged\",\"version\":1}");
	expect_stored("acme/secrets", "captcha_secret", "hush-hush");
}

static void a_put_that_does_not_name_a_secret_keeps_it(void **state)
{
	(void)state;
	put("/acme/kept", "{" EVERYTHING "}", 201);
	put("/acme/kept", "{\"entry_keys\":[{\"kid\":\"crm\",\"alg\":\"HS256\"}]}", 200);
	expect_stored("acme/kept", "captcha_secret", "hush-hush");
	expect_stored("acme/kept", "entry_keys",
				  "[{\"kid\":\"crm\",\"alg\":\"HS256\",\"key\":\"" SECRET "\"}]");
	expect_stored("acme/kept", "template", ""); /* no secret: it has its default again */
	put("/acme/kept", "{\"captcha_secret\":\"\"}", 200);
	expect_stored("acme/kept", "captcha_secret", "");
	expect_stored("acme/kept", "entry_keys", "");
}

static void a_key_that_was_never_given_cannot_be_kept(void **state)
{
	(void)state;
	static const char body[] = "{\"entry_keys\":[{\"kid\":\"crm\",\"alg\":\"HS256\"}]}";
	put("/acme/keyless", "{}", 201);
	WR_AUTO(http_answer_free_at)
	struct http_answer *made = api_admin(stack, 0, "PUT", "/acme/keyless", body);
	api_expect_problem(made, 422, "invalid_value");
	WR_AUTO(mem_free_at) char *detail = http_answer_text(made, "detail");
	assert_string_equal(detail, "entry_keys[0].key: must be given: no key of this kid and alg is "
								"known");
}

static void a_template_of_48_kb_goes_through(void **state)
{
	(void)state;
	size_t filler = QUEUE_TEMPLATE_BYTES - strlen(QUEUE_TEMPLATE_MARKER);
	WR_AUTO(mem_free_at) char *body = mem_alloc_zero(1, 2 * QUEUE_TEMPLATE_BYTES + 64);
	char *at = stpcpy(body, "{\"template\":\"" QUEUE_TEMPLATE_MARKER);
	for (size_t i = 0; i < filler; i++)
		at = stpcpy(at, "\\\"");
	strcpy(at, "\"}");
	put("/acme/large", body, 201);
	for (int pod = 0; pod < 2; pod++) {
		WR_AUTO(mem_free_at) char *settings = settings_of(pod, "/acme/large");
		at[1] = '\0'; /* the member ends at its quote; what was before the brace is the member */
		expect_in(settings, body + 1);
		at[1] = '}';
	}
	stpcpy(at, "x\"}");
	WR_AUTO(http_answer_free_at)
	struct http_answer *larger = api_admin(stack, 0, "PUT", "/acme/large", body);
	api_expect_problem(larger, 422, "invalid_value");
}

/* Each is tied to the version that it read, without the operators knowing. */
static void puts_at_the_same_time_all_succeed(void **state)
{
	(void)state;
	enum { OPERATORS = 4 };
	struct http_client *clients[OPERATORS];
	put("/acme/busy", "{}", 201);
	for (int i = 0; i < OPERATORS; i++) {
		char body[64];
		snprintf(body, sizeof(body), "{\"capacity\":%d}", 10 + i);
		clients[i] = http_client_open(stack_internal_url(stack, i % 2));
		http_client_send(clients[i], "PUT", "/admin/v1/queues/acme/busy",
						 "Authorization: Bearer " API_ADMIN_KEY "\r\n", body);
	}
	for (int i = 0; i < OPERATORS; i++) {
		WR_AUTO(http_answer_free_at)
		struct http_answer *answer = http_client_read(clients[i], 5000);
		api_expect_status(answer, 200);
		http_client_close(clients[i]);
	}
	WR_AUTO(http_answer_free_at)
	struct http_answer *read = api_admin(stack, 0, "GET", "/acme/busy", NULL);
	assert_int_equal(http_answer_number(read, "version"), 1 + OPERATORS);
}

static void a_pause_speaks_every_language_and_leaves_nothing_standing(void **state)
{
	(void)state;
	put("/acme/pause", "{\"message\":\"Hello\",\"messages\":{\"de\":\"Hallo\"}}", 201);
	WR_AUTO(http_answer_free_at)
	struct http_answer *paused =
		api_admin(stack, 0, "POST", "/acme/pause/pause",
				  "{\"message\":\"A break.\",\"messages\":{\"fr\":\"Une pause.\"}}");
	api_expect_status(paused, 200);
	WAIT_UNTIL(2000,
			   api_pod_shows(stack, 1, "acme/pause",
							 "\"state\":\"paused\",\"message\":\"A break.\","
							 "\"messages\":{\"fr\":\"Une pause.\"}"),
			   "it is paused");
	WR_AUTO(http_answer_free_at)
	struct http_answer *resumed = api_admin(stack, 0, "POST", "/acme/pause/resume", NULL);
	api_expect_status(resumed, 200);
	WAIT_UNTIL(
		2000,
		api_pod_shows(stack, 1, "acme/pause", "\"state\":\"open\",\"message\":\"\",\"waiting\""),
		"it is open");
}

/* ---- mistakes ---- */

static void every_mistake_is_named_with_its_field(void **state)
{
	(void)state;
	static const struct {
		const char *body, *detail;
	} mistakes[] = {
		{"{\"opens_at_ms\":\"tomorrow\"}", "opens_at_ms: must be a whole number 0.."},
		{"{\"room_url\":\"/room\"}", "room_url: must begin with https:// or http://"},
		{"{\"challenge\":\"turnstile\"}", "captcha_site_key: must be given with the challenge"},
		{"{\"challenge_puzzles\":0}", "challenge_puzzles: must be a whole number 1..256"},
		{"{\"entry\":\"signed\"}", "entry_keys: must be at least one when entry is signed"},
		{"{\"entry_keys\":[{\"kid\":\"a\",\"alg\":\"HS256\",\"key\":\"c2hvcnQ\"}]}",
		 "entry_keys[0].key: must be 32..128 random bytes"},
		{"{\"sharing\":\"forbid\"}", "sharing: must be one of off log requeue"},
		{"{\"bypass\":[{\"methods\":[\"GET\"]},{\"network\":\"10.0.0.1/8\"}]}",
		 "bypass[1].network: must be an address or a network"},
		{"{\"theme\":{\"colour\":\"#ffcc00\"}}",
		 "theme.colour: must have a contrast of at least 4.5"},
		{"{\"theme\":{\"logo\":\"x\"}}", "theme.logo: must begin with data:image/png;base64,"},
		{"{\"template\":\"<p>\"}", "template: must have the line <!--waitingroom--> once"},
		{"{\"messages\":{\"german\":\"Hallo\"}}", "messages: name 1: must be a language"},
	};
	put("/acme/wrong", "{\"burst\":7}", 201);
	for (size_t i = 0; i < COUNT(mistakes); i++) {
		WR_AUTO(http_answer_free_at)
		struct http_answer *answer = api_admin(stack, 0, "PUT", "/acme/wrong", mistakes[i].body);
		api_expect_problem(answer, 422, "invalid_value");
		WR_AUTO(mem_free_at) char *detail = http_answer_text(answer, "detail");
		if (strncmp(detail, mistakes[i].detail, strlen(mistakes[i].detail)) != 0)
			fail_msg("%s: \"%s\"", mistakes[i].body, detail);
	}
	expect_stored("acme/wrong", "burst", "7");
}

/* ---- opening time ---- */

static int64_t store_now_ms(void)
{
	return api_store_number(stack, "EVAL \"local t = redis.call('TIME') return t[1] * 1000 + "
								   "math.floor(t[2] / 1000)\" 0");
}

static void a_queue_opens_by_itself_when_its_time_has_come(void **state)
{
	(void)state;
	int64_t opens_ms = store_now_ms() + 3000;
	char body[128];
	snprintf(body, sizeof(body),
			 "{\"capacity\":5,\"opens_at_ms\":%" PRId64 ",\"messages\":{\"de\":\"Bald.\"}}",
			 opens_ms);
	put("/acme/sale", body, 201);
	for (int pod = 0; pod < 2; pod++)
		WAIT_UNTIL(2000, api_pod_shows(stack, pod, "acme/sale", "\"state\":\"hold\""),
				   "it is on hold");
	WR_AUTO(mem_free_at) char *token = api_join_present(stack, 0, "acme/sale");
	WR_AUTO(http_answer_free_at)
	struct http_answer *early = api_poll(stack_url(stack, 1), "/status", token);
	api_expect_place(early, "waiting");
	WR_AUTO(mem_free_at) char *word = http_answer_text(early, "state");
	assert_string_equal(word, "hold");
	assert_int_equal(http_answer_number(early, "opens_at_ms"), opens_ms);
	WR_AUTO(mem_free_at) char *message = http_answer_text(early, "messages.de");
	assert_string_equal(message, "Bald.");
	api_await(stack_url(stack, 0), token, 10000, "admitted");
	assert_true(store_now_ms() >= opens_ms);
	for (int pod = 0; pod < 2; pod++)
		WAIT_UNTIL(2000, api_pod_shows(stack, pod, "acme/sale", "\"state\":\"open\""),
				   "it is open");
	assert_false(api_pod_shows(stack, 0, "acme/sale", "opens_at_ms"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_queue_with_everything_is_the_same_on_every_pod),
		cmocka_unit_test(no_secret_is_ever_shown_and_none_is_lost_by_putting_back),
		cmocka_unit_test(a_put_that_does_not_name_a_secret_keeps_it),
		cmocka_unit_test(a_key_that_was_never_given_cannot_be_kept),
		cmocka_unit_test(a_template_of_48_kb_goes_through),
		cmocka_unit_test(puts_at_the_same_time_all_succeed),
		cmocka_unit_test(a_pause_speaks_every_language_and_leaves_nothing_standing),
		cmocka_unit_test(every_mistake_is_named_with_its_field),
		cmocka_unit_test(a_queue_opens_by_itself_when_its_time_has_come),
	};
	return cmocka_run_group_tests(tests, open_room, shared_stack_close);
}
