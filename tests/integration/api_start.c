/* Starting: what a program says about itself, and why it refuses to start.
 *
 * A mistake in the settings must stop a start with a sentence that names the setting, on the day
 * when it is made and not on the night of the sale.
 */
#include "support/api.h"
#include "support/cmocka.h"
#include "support/process.h"
#include "support/servers.h"
#include "support/stack.h"
#include "support/temp.h"
#include "support/wait.h"
#include "waitingroom/config.h"
#include "waitingroom/keys.h"
#include "waitingroom/memory.h"

#include <netinet/in.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#define ENV_MAX 12
static const char api[] = "waitingroom-api", admitter[] = "waitingroom-admitter";

/* Settings with which the API would start; each test spoils one. gives a static array */
static const char *const *good_env(const char *extra)
{
	static char keys[256];
	static const char *env[ENV_MAX];
	if (!keys[0]) {
		WR_AUTO(mem_free_at) char *path = temp_path("good-keys.json");
		struct err_detail detail;
		assert_int_equal(keys_generate(path, &detail), WR_OK);
		snprintf(keys, sizeof(keys), "WR_TOKEN_KEYS_FILE=%s", path);
	}
	env[0] = keys;
	env[1] = "WR_LISTEN=127.0.0.1:0";
	env[2] = "WR_INTERNAL_LISTEN=127.0.0.1:0";
	env[3] = "WR_STORE_URL=unix:///nonexistent/redis.sock";
	env[4] = "WR_RELAY=0";
	env[5] = extra;
	env[6] = NULL;
	return env;
}

/* Runs to the end; gives what it printed. */
static char *run(const char *program, const char *const arguments[], const char *const env[],
				 int *ret_code)
{
	WR_AUTO(mem_free_at) char *path = process_binary(program);
	const char *argv[6] = {path};
	for (int i = 0; arguments && arguments[i]; i++)
		argv[i + 1] = arguments[i];
	static int runs;
	char name[48];
	snprintf(name, sizeof(name), "%s.run%d", program, ++runs);
	struct process *process = process_start(name, argv, env);
	*ret_code = process_wait(process, 10000);
	char *printed = process_log(process);
	process_free(process);
	return printed;
}

static void expect_refusal(const char *program, const char *const env[], const char *sentence)
{
	int code;
	WR_AUTO(mem_free_at) char *printed = run(program, NULL, env, &code);
	assert_int_equal(code, 1);
	char begin[64];
	snprintf(begin, sizeof(begin), "%s: ", program);
	if (!strstr(printed, begin) || !strstr(printed, sentence))
		fail_msg("\"%s\" is not in what it said: %s", sentence, printed);
}

/* ---- refusals ---- */

static void without_keys_it_says_how_to_make_them(void **state)
{
	(void)state;
	expect_refusal(api, (const char *const[]){"WR_LISTEN=127.0.0.1:0", NULL},
				   "WR_TOKEN_KEYS_FILE: is not set");
	expect_refusal(api, (const char *const[]){"WR_LISTEN=127.0.0.1:0", NULL},
				   "--generate-keys FILE");
}

static void a_setting_that_is_wrong_is_named(void **state)
{
	(void)state;
	static const char *const rows[][2] = {
		{"WR_WORKER=2", "WR_WORKER: no such setting"},
		{"WR_=", "WR_: no such setting"},
		{"WR_WORKERS=-1", "WR_WORKERS: must be a whole number 0..128 (threads)"},
		{"WR_WORKERS=two", "WR_WORKERS"},
		{"WR_WORKERS=", "WR_WORKERS"},
		{"WR_BODY_MAX_BYTES=4kB", "WR_BODY_MAX_BYTES"},
		{"WR_SECURE_COOKIES=yes", "WR_SECURE_COOKIES"},
		{"WR_STORE_URL=http://localhost", "WR_STORE_URL"},
		{"WR_STORE_URL=", "WR_STORE_URL"},
		{"WR_LISTEN=everywhere", "WR_LISTEN"},
		{"WR_LISTEN=127.0.0.1:99999", "WR_LISTEN"},
		{"WR_INTERNAL_LISTEN=127.0.0.1", "WR_INTERNAL_LISTEN"},
		{"WR_LOG_LEVEL=loud", "WR_LOG_LEVEL"},
		{"WR_TRUSTED_PROXIES=10.0.0.0/8,gateway", "WR_TRUSTED_PROXIES"},
		{"WR_CORS_ORIGINS=shop.example", "WR_CORS_ORIGINS"},
		{"WR_READY_FILE=/nonexistent/ready", "WR_READY_FILE"},
		{"WR_TOKEN_KEYS_FILE=/nonexistent/keys.json", "WR_TOKEN_KEYS_FILE: "},
		{"WR_ADMIN_KEYS_FILE=/nonexistent/admin.json", "WR_ADMIN_KEYS_FILE"},
		{"WR_QUEUES_FILE=/nonexistent/queues.json", "WR_QUEUES_FILE"},
	};
	for (size_t i = 0; i < COUNT(rows); i++)
		expect_refusal(api, good_env(rows[i][0]), rows[i][1]);
	expect_refusal(api,
				   (const char *const[]){good_env(NULL)[0], "WR_LISTEN=127.0.0.1:0",
										 "WR_NATS_URL=amqp://localhost", NULL},
				   "WR_NATS_URL");
}

static void the_admitter_refuses_in_the_same_way(void **state)
{
	(void)state;
	static const char *const rows[][2] = {
		{"WR_ADMIT_INTERVALL_MS=100", "WR_ADMIT_INTERVALL_MS: no such setting"},
		{"WR_ADMIT_LIMIT=501", "WR_ADMIT_LIMIT: must be a whole number 1..500 (people)"},
		{"WR_STORE_URL=localhost", "WR_STORE_URL"},
		{"WR_LOG_LEVEL=loud", "WR_LOG_LEVEL"},
		{"WR_INTERNAL_LISTEN=everywhere", "WR_INTERNAL_LISTEN"},
	};
	for (size_t i = 0; i < COUNT(rows); i++)
		expect_refusal(admitter, good_env(rows[i][0]), rows[i][1]);
}

static void expect_file_refusal(const char *variable, const char *content, mode_t mode,
								const char *sentence)
{
	static int files;
	char name[32], setting[300];
	snprintf(name, sizeof(name), "spoilt%d.json", ++files);
	WR_AUTO(mem_free_at) char *path = temp_file(name, content);
	chmod(path, mode);
	snprintf(setting, sizeof(setting), "%s=%s", variable, path);
	expect_refusal(api, good_env(setting), sentence);
}

static void a_queues_file_that_is_wrong_is_refused_with_queue_and_field(void **state)
{
	(void)state;
	static const char *const rows[][2] = {
		{"", "WR_QUEUES_FILE"},
		{"{}", "WR_QUEUES_FILE: needs a member \"queues\""},
		{"{\"queues\":{}}", "WR_QUEUES_FILE: needs a member \"queues\""},
		{"{\"queues\":[7]}", "WR_QUEUES_FILE: each queue needs \"queue\""},
		{"{\"queues\":[{\"capacity\":1}]}", "WR_QUEUES_FILE: each queue needs \"queue\""},
		{"{\"queues\":[{\"queue\":\"A\"}]}", "WR_QUEUES_FILE: each queue needs \"queue\""},
		{QUEUES(QUEUE("one", HELD) "," QUEUE("two", "\"burst\":0")), "queue two: burst"},
		{QUEUES(QUEUE("one", "\"bursts\":1")), "queue one: "},
		{QUEUES(QUEUE("one", HELD)) "x", "WR_QUEUES_FILE"},
	};
	for (size_t i = 0; i < COUNT(rows); i++)
		expect_file_refusal("WR_QUEUES_FILE", rows[i][0], 0600, rows[i][1]);
}

static void key_files_that_are_wrong_are_refused(void **state)
{
	(void)state;
	WR_AUTO(mem_free_at) char *path = temp_path("loose-keys.json");
	struct err_detail detail;
	assert_int_equal(keys_generate(path, &detail), WR_OK);
	WR_AUTO(mem_free_at) char *good = temp_read(path, NULL);
	expect_file_refusal("WR_TOKEN_KEYS_FILE", good, 0644,
						"WR_TOKEN_KEYS_FILE: "); /* everybody could read it */
	expect_file_refusal("WR_TOKEN_KEYS_FILE", "{\"keys\":[]}", 0600, "WR_TOKEN_KEYS_FILE: ");
	expect_file_refusal("WR_ADMIN_KEYS_FILE", "{\"keys\":[]}", 0600,
						"WR_ADMIN_KEYS_FILE: holds no key");
	expect_file_refusal("WR_ADMIN_KEYS_FILE", "{\"keys\":[{\"sha256\":\"abc\"}]}", 0600,
						"WR_ADMIN_KEYS_FILE: key 1");
}

static void an_address_that_is_taken_is_named(void **state)
{
	(void)state;
	struct redis_server *holder = redis_start(&(struct redis_options){.tcp = true});
	static const char *const variables[] = {"WR_LISTEN", "WR_INTERNAL_LISTEN"};
	for (size_t i = 0; i < COUNT(variables); i++) {
		char setting[64];
		snprintf(setting, sizeof(setting), "%s=127.0.0.1:%d", variables[i], redis_port(holder));
		expect_refusal(api, good_env(setting), variables[i]);
		expect_refusal(api, good_env(setting), strchr(setting, '=') + 1);
	}
	redis_free(holder);
}

static void a_second_pod_does_not_share_the_first_ones_port(void **state)
{
	(void)state;
	struct stack *stack =
		stack_start(&(struct stack_options){.pods = 1,
											.without_nats = true,
											.queues = QUEUES(QUEUE("line", HELD)),
											.env = (const char *const[]){"WR_WORKERS=2", NULL}});
	char setting[64], internal[64];
	snprintf(setting, sizeof(setting), "WR_LISTEN=%s", stack_url(stack, 0) + strlen("http://"));
	snprintf(internal, sizeof(internal), "WR_INTERNAL_LISTEN=%s",
			 stack_internal_url(stack, 0) + strlen("http://"));
	expect_refusal(api, good_env(setting), setting + strlen("WR_LISTEN="));
	expect_refusal(api, good_env(setting), "Address already in use");
	expect_refusal(api, good_env(internal), "Address already in use");
	stack_free(stack);
}

/* ---- what it says about itself ---- */

static void help_names_every_setting(void **state)
{
	(void)state;
	int code;
	WR_AUTO(mem_free_at) char *help = run(api, (const char *const[]){"--help", NULL}, NULL, &code);
	assert_int_equal(code, 0);
	WR_AUTO(mem_free_at)
	char *table = run(api, (const char *const[]){"--print-settings-doc", NULL}, NULL, &code);
	assert_int_equal(code, 0);
	static const char *const names[] = {
#define SETTING_NAME(field, variable, ...) variable,
		CONFIG_TABLE(SETTING_NAME, SETTING_NAME)
#undef SETTING_NAME
	};
	for (size_t i = 0; i < COUNT(names); i++) {
		char row[64];
		snprintf(row, sizeof(row), "\n| `%s` |", names[i]);
		assert_non_null(strstr(help, names[i]));
		assert_non_null(strstr(table, row));
	}
}

static void the_configuration_is_printed_without_passwords(void **state)
{
	(void)state;
	const char *const env[] = {"WR_STORE_URL=redis://user:s3cret@store:6380/2", "WR_WORKERS=3",
							   NULL};
	int code;
	WR_AUTO(mem_free_at)
	char *printed = run(api, (const char *const[]){"--print-config", NULL}, env, &code);
	assert_int_equal(code, 0);
	assert_non_null(strstr(printed, "WR_STORE_URL=redis://***@store:6380/2\n"));
	assert_non_null(strstr(printed, "WR_WORKERS=3\n"));
	assert_non_null(strstr(printed, "WR_LEASE_MS=1200\n"));
	assert_null(strstr(printed, "s3cret"));
}

static void a_text_may_come_from_a_file(void **state)
{
	(void)state;
	WR_AUTO(mem_free_at) char *path = temp_file("store-url", "redis://user:s3cret@store:6380/2\n");
	char setting[256];
	snprintf(setting, sizeof(setting), "WR_STORE_URL=file:%s", path);
	int code;
	WR_AUTO(mem_free_at)
	char *printed = run(api, (const char *const[]){"--print-config", NULL},
						(const char *const[]){setting, NULL}, &code);
	assert_int_equal(code, 0);
	assert_non_null(strstr(printed, "WR_STORE_URL=redis://***@store:6380/2\n"));
}

static void a_file_that_cannot_be_read_is_named(void **state)
{
	(void)state;
	int code;
	WR_AUTO(mem_free_at)
	char *said = run(api, NULL, good_env("WR_NATS_URL=file:/nonexistent/nats-url"), &code);
	assert_int_not_equal(code, 0);
	assert_non_null(strstr(said, "WR_NATS_URL: /nonexistent/nats-url cannot be opened"));
}

static void an_argument_that_is_not_known_is_refused(void **state)
{
	(void)state;
	static const char *const programs[] = {api, admitter};
	for (size_t i = 0; i < COUNT(programs); i++) {
		int code;
		WR_AUTO(mem_free_at)
		char *said = run(programs[i], (const char *const[]){"--port=80", NULL}, NULL, &code);
		assert_int_equal(code, 2);
		assert_non_null(strstr(said, "--help"));
	}
}

static void generated_keys_serve_and_are_never_written_over(void **state)
{
	(void)state;
	WR_AUTO(mem_free_at) char *path = temp_path("made-admin.json");
	const char *const arguments[] = {"--generate-admin-key", path, NULL};
	int code;
	WR_AUTO(mem_free_at) char *key = run(api, arguments, NULL, &code);
	assert_int_equal(code, 0);
	key[strcspn(key, "\n")] = '\0';
	WR_AUTO(mem_free_at) char *content = temp_read(path, NULL);
	WR_AUTO(mem_free_at) char *refusal = run(api, arguments, NULL, &code);
	assert_int_equal(code, 1);
	assert_non_null(strstr(refusal, path));
	assert_null(strstr(content, key));
	struct stack *stack = stack_start(
		&(struct stack_options){.pods = 1, .without_nats = true, .admin_keys = content});
	char header[128];
	snprintf(header, sizeof(header), "Authorization: Bearer %s\r\n", key);
	WR_AUTO(http_answer_free_at)
	struct http_answer *list =
		http_call(stack_internal_url(stack, 0), "GET", "/admin/v1/queues", header, NULL);
	api_expect_status(list, 200);
	stack_free(stack);
}

/* ---- readiness ---- */

static void a_pod_that_says_ready_gives_places_with_every_worker(void **state)
{
	(void)state;
	struct stack *stack =
		stack_start(&(struct stack_options){.pods = 1,
											.without_nats = true,
											.queues = QUEUES(QUEUE("line", HELD)),
											.env = (const char *const[]){"WR_WORKERS=16", NULL}});
	struct http_client *clients[64]; /* the kernel spreads them over the workers */
	for (size_t i = 0; i < COUNT(clients); i++) {
		clients[i] = http_client_open(stack_url(stack, 0));
		http_client_send(clients[i], "POST", "/enqueue", NULL, "{\"queue_id\":\"line\"}");
	}
	for (size_t i = 0; i < COUNT(clients); i++) {
		WR_AUTO(http_answer_free_at)
		struct http_answer *answer = http_client_read(clients[i], 5000);
		api_expect_status(answer, 201);
		http_client_close(clients[i]);
	}
	stack_free(stack);
}

#define OPENS_ANYWAY_MS 1000

/* The status line of the first answer that anybody gets from the port. */
static void *ask_until_answered(void *ctx)
{
	const struct sockaddr_in *address = ctx;
	static const char request[] =
		"GET /queues/default/demo HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";
	static char answer[16];
	struct mono_time deadline = wait_deadline(10000);
	answer[0] = '\0';
	while (!answer[0] && wait_left_ms(deadline) > 0) {
		int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
		if (!connect(fd, (const struct sockaddr *)address, sizeof(*address)) &&
			send(fd, request, sizeof(request) - 1, MSG_NOSIGNAL) > 0 &&
			recv(fd, answer, sizeof(answer) - 1, MSG_WAITALL) <= 0)
			strcpy(answer, "cut off");
		close(fd);
	}
	return answer;
}

/* took_ms: from before its start until it was ready, which is not before the answer */
static const char *first_answer_of_a_restart(struct stack *stack, struct sockaddr_in *address,
											 int64_t *ret_took_ms)
{
	pthread_t visitor;
	void *answer;
	process_stop(stack_pod(stack, 0), 10000);
	assert_int_equal(pthread_create(&visitor, NULL, ask_until_answered, address), 0);
	struct mono_time started = clock_mono();
	stack_restart_pod(stack, 0);
	*ret_took_ms = mono_diff_ms(started, clock_mono());
	pthread_join(visitor, &answer);
	return answer;
}

static void the_first_who_gets_through_to_a_pod_gets_an_answer(void **state)
{
	(void)state;
	struct stack *stack =
		stack_start(&(struct stack_options){.pods = 1,
											.queues = QUEUES(QUEUE("demo", HELD)),
											.without_nats = true,
											.env = (const char *const[]){"WR_RELAY=0", NULL}});
	struct sockaddr_in address = {.sin_family = AF_INET,
								  .sin_port =
									  htons((uint16_t)atoi(strrchr(stack_url(stack, 0), ':') + 1)),
								  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	const char *answer = NULL;
	int64_t took_ms = 0;
	/* A pod does not wait for the store longer than a second: on a busy machine that may not be
	 * enough. */
	for (int i = 0; i < 10; i++) {
		answer = first_answer_of_a_restart(stack, &address, &took_ms);
		if (took_ms < OPENS_ANYWAY_MS || strncmp(answer, "HTTP/1.1 503", 12) != 0)
			break;
	}
	assert_string_equal(answer, "HTTP/1.1 200 OK");
	stack_free(stack);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(without_keys_it_says_how_to_make_them),
		cmocka_unit_test(a_setting_that_is_wrong_is_named),
		cmocka_unit_test(the_admitter_refuses_in_the_same_way),
		cmocka_unit_test(a_queues_file_that_is_wrong_is_refused_with_queue_and_field),
		cmocka_unit_test(key_files_that_are_wrong_are_refused),
		cmocka_unit_test(an_address_that_is_taken_is_named),
		cmocka_unit_test(a_second_pod_does_not_share_the_first_ones_port),
		cmocka_unit_test(help_names_every_setting),
		cmocka_unit_test(the_configuration_is_printed_without_passwords),
		cmocka_unit_test(a_text_may_come_from_a_file),
		cmocka_unit_test(a_file_that_cannot_be_read_is_named),
		cmocka_unit_test(an_argument_that_is_not_known_is_refused),
		cmocka_unit_test(generated_keys_serve_and_are_never_written_over),
		cmocka_unit_test(the_first_who_gets_through_to_a_pod_gets_an_answer),
		cmocka_unit_test(a_pod_that_says_ready_gives_places_with_every_worker),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
