/* Stack: starts servers, then programs, each told where the others are; waits until all are ready.
 *
 * Each program gets ports of its own when it is made, so that it comes back where it was after a
 * kill, as a pod behind a gateway does. It writes its addresses to a file of its own when it
 * serves; readiness is then asked of /readyz.
 */
#include "support/stack.h"

#include "support/cmocka.h"
#include "support/http.h"
#include "support/process.h"
#include "support/record.h"
#include "support/temp.h"
#include "support/wait.h"
#include "waitingroom/keys.h"
#include "waitingroom/memory.h"

#include <cjson/cJSON.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define READY_DEADLINE_MS 15000
#define STOP_DEADLINE_MS 15000

struct stack_program {
	const char *binary;
	int number, starts, port, internal_port;
	char *ready_file, *url, *internal_url;
	struct process *process;
};

/* ---- environment: later entries win, as putenv() is called in their order ---- */

static void add_env(struct stack *stack, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
static void add_env(struct stack *stack, const char *format, ...)
{
	stack->env = mem_grow(stack->env, (size_t)stack->env_count + 2, sizeof(char *));
	va_list args;
	va_start(args, format);
	if (vasprintf(&stack->env[stack->env_count++], format, args) < 0)
		abort();
	va_end(args);
	stack->env[stack->env_count] = NULL;
}

static void add_env_file(struct stack *stack, const char *variable, const char *name,
						 const char *content)
{
	if (!content)
		return;
	char file[32];
	snprintf(file, sizeof(file), "%s%d.json", name, stack->number);
	WR_AUTO(mem_free_at) char *path = temp_file(file, content);
	add_env(stack, "%s=%s", variable, path);
}

static void make_env(struct stack *stack, const struct stack_options *options)
{
	add_env(stack, "WR_STORE_URL=%s", redis_url(stack->redis));
	if (stack->nats)
		add_env(stack, "WR_NATS_URL=%s", nats_url(stack->nats));
	else
		add_env(stack, "WR_NATS_URL=nats://127.0.0.1:%d", free_port());
	add_env(stack, "WR_TOKEN_KEYS_FILE=%s", stack->keys_file);
	add_env(stack, "WR_SECURE_COOKIES=0");
	add_env(stack, "WR_DRAIN_WAIT_MS=0"); /* no gateway has to notice */
	add_env_file(stack, "WR_QUEUES_FILE", "queues", options->queues);
	add_env_file(stack, "WR_ADMIN_KEYS_FILE", "admin-keys", options->admin_keys);
	for (const char *const *extra = options->env; extra && *extra; extra++)
		add_env(stack, "%s", *extra);
}

/* ---- one program ---- */

static void set_url(char **url, const cJSON *ready, const char *member)
{
	free(*url);
	*url = NULL;
	const cJSON *address = cJSON_GetObjectItemCaseSensitive(ready, member);
	if (cJSON_IsString(address) && asprintf(url, "http://%s", address->valuestring) < 0)
		abort();
}

static bool read_ready_file(struct stack_program *program)
{
	WR_AUTO(mem_free_at) char *text = temp_read(program->ready_file, NULL);
	cJSON *ready = text ? cJSON_Parse(text) : NULL;
	if (!ready)
		return false;
	set_url(&program->url, ready, "listen");
	set_url(&program->internal_url, ready, "internal");
	cJSON_Delete(ready);
	return true;
}

static bool is_ready(const struct stack_program *program)
{
	struct http_client *client = http_client_try_open(program->internal_url);
	if (!client)
		return false;
	http_client_send(client, "GET", "/readyz", NULL, NULL);
	struct http_answer *answer = http_client_try_read(client, 1000);
	bool ready = answer && answer->status == 200;
	http_answer_free(answer);
	http_client_close(client);
	return ready;
}

static void start_program(struct stack *stack, struct stack_program *program)
{
	char name[48];
	snprintf(name, sizeof(name), "%s%d.%d.%d", program->binary, stack->number, program->number,
			 ++program->starts);
	process_free(program->process);
	unlink(program->ready_file);
	WR_AUTO(mem_free_at) char *path = process_binary(program->binary);
	char listen[48], internal[48];
	WR_AUTO(mem_free_at) char *ready_env = NULL;
	if (asprintf(&ready_env, "WR_READY_FILE=%s", program->ready_file) < 0)
		abort();
	snprintf(listen, sizeof(listen), "WR_LISTEN=127.0.0.1:%d", program->port);
	snprintf(internal, sizeof(internal), "WR_INTERNAL_LISTEN=127.0.0.1:%d", program->internal_port);
	const char **env = mem_alloc_zero((size_t)stack->env_count + 4, sizeof(*env));
	const char *const own[] = {ready_env, listen, internal};
	memcpy(env, own, sizeof(own));
	memcpy(env + 3, stack->env, (size_t)stack->env_count * sizeof(*env));
	program->process = process_start(name, (const char *const[]){path, NULL}, env);
	free(env);
}

static void await_addresses(struct stack_program *program)
{
	WAIT_UNTIL(READY_DEADLINE_MS, read_ready_file(program), program->binary);
	if (!program->internal_url)
		fail_msg("%s names no internal address", program->ready_file);
	if (program->url) { /* a pod: both its ports are in openapi.yaml */
		record_server("public", program->url);
		record_server("internal", program->internal_url);
	}
}

static void await_program(struct stack_program *program)
{
	await_addresses(program);
	WAIT_UNTIL(READY_DEADLINE_MS, is_ready(program), program->binary);
}

static struct stack_program *new_program(const struct stack *stack, const char *binary, int number)
{
	struct stack_program *program = mem_alloc_zero(1, sizeof(*program));
	program->binary = binary;
	program->number = number;
	program->port = free_port();
	program->internal_port = free_port();
	program->ready_file = temp_path("%s%d.%d.ready", binary, stack->number, number);
	return program;
}

static void free_program(struct stack_program *program)
{
	if (process_is_running(program->process))
		process_stop(program->process, STOP_DEADLINE_MS);
	process_free(program->process);
	free(program->ready_file);
	free(program->url);
	free(program->internal_url);
	free(program);
}

/* ---- the stack ---- */

/* Started but not awaited, so that several start at once. */
static struct stack_program *launch_pod(struct stack *stack)
{
	assert_in_range(stack->pod_count, 0, STACK_PODS_MAX - 1);
	struct stack_program *pod = new_program(stack, "waitingroom-api", stack->pod_count);
	stack->pods[stack->pod_count++] = pod;
	start_program(stack, pod);
	return pod;
}

static struct stack_program *launch_admitter(struct stack *stack)
{
	assert_in_range(stack->admitter_count, 0, STACK_ADMITTERS_MAX - 1);
	struct stack_program *admitter =
		new_program(stack, "waitingroom-admitter", stack->admitter_count);
	stack->admitters[stack->admitter_count++] = admitter;
	start_program(stack, admitter);
	return admitter;
}

static void make_keys(struct stack *stack)
{
	stack->keys_file = temp_path("keys%d.json", stack->number);
	struct err_detail detail;
	if (keys_generate(stack->keys_file, &detail) != WR_OK)
		fail_msg("keys_generate: %s", detail.text);
}

struct stack *stack_start(const struct stack_options *options)
{
	static int stacks;
	struct stack *stack = mem_alloc_zero(1, sizeof(*stack));
	stack->number = ++stacks;
	stack->redis = redis_start(&options->redis);
	stack->nats = options->without_nats ? NULL : nats_start();
	make_keys(stack);
	make_env(stack, options);
	for (int i = 0; i < options->pods; i++)
		launch_pod(stack);
	for (int i = 0; i < options->admitters; i++)
		launch_admitter(stack);
	for (int i = 0; i < stack->pod_count; i++)
		await_program(stack->pods[i]);
	for (int i = 0; i < stack->admitter_count; i++)
		await_program(stack->admitters[i]);
	return stack;
}

int stack_add_pod(struct stack *stack)
{
	await_program(launch_pod(stack));
	return stack->pod_count - 1;
}

int stack_add_admitter(struct stack *stack)
{
	await_program(launch_admitter(stack));
	return stack->admitter_count - 1;
}

int stack_launch_pod(struct stack *stack)
{
	await_addresses(launch_pod(stack));
	return stack->pod_count - 1;
}

int stack_launch_admitter(struct stack *stack)
{
	await_addresses(launch_admitter(stack));
	return stack->admitter_count - 1;
}

void stack_free(struct stack *stack)
{
	if (!stack)
		return;
	/* All are told before the first is waited for: they drain side by side. */
	for (int i = 0; i < stack->pod_count; i++) {
		process_continue(stack->pods[i]->process);
		process_signal(stack->pods[i]->process, SIGTERM);
	}
	for (int i = 0; i < stack->pod_count; i++)
		free_program(stack->pods[i]);
	for (int i = 0; i < stack->admitter_count; i++)
		free_program(stack->admitters[i]);
	redis_free(stack->redis);
	nats_free(stack->nats);
	for (int i = 0; i < stack->env_count; i++)
		free(stack->env[i]);
	free(stack->env);
	free(stack->keys_file);
	free(stack);
}

const char *stack_url(const struct stack *stack, int pod)
{
	return stack->pods[pod]->url;
}

const char *stack_internal_url(const struct stack *stack, int pod)
{
	return stack->pods[pod]->internal_url;
}

const char *stack_admitter_url(const struct stack *stack, int admitter)
{
	return stack->admitters[admitter]->internal_url;
}

struct process *stack_pod(const struct stack *stack, int pod)
{
	return stack->pods[pod]->process;
}

struct process *stack_admitter(const struct stack *stack, int admitter)
{
	return stack->admitters[admitter]->process;
}

void stack_restart_pod(struct stack *stack, int pod)
{
	start_program(stack, stack->pods[pod]);
	await_program(stack->pods[pod]);
}

void stack_restart_admitter(struct stack *stack, int admitter)
{
	start_program(stack, stack->admitters[admitter]);
	await_program(stack->admitters[admitter]);
}

double stack_metric(const char *internal_url, const char *name)
{
	WR_AUTO(http_answer_free_at)
	struct http_answer *answer = http_call(internal_url, "GET", "/metrics", NULL, NULL);
	assert_int_equal(answer->status, 200);
	size_t len = strlen(name);
	for (const char *line = answer->body; line && *line; line = strchr(line, '\n')) {
		line += *line == '\n';
		if (strncmp(line, name, len) == 0 && line[len] == ' ')
			return strtod(line + len, NULL);
	}
	return 0;
}
