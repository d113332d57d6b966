/* Visitors and operators for tests: requests in the shape that a browser or wrctl gives them. */
#include "support/api.h"

#include "support/cmocka.h"
#include "support/process.h"
#include "support/wait.h"
#include "waitingroom/memory.h"
#include "waitingroom/text.h"

#include <cjson/cJSON.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define JSON_HEADER "Content-Type: application/json\r\n"

/* ---- visitors ---- */

struct http_answer *api_enqueue(const char *url, const char *queue, const char *key)
{
	char body[160], headers[256];
	snprintf(body, sizeof(body), "{\"queue_id\":\"%s\"}", queue);
	int len = snprintf(headers, sizeof(headers), JSON_HEADER);
	if (key)
		snprintf(headers + len, sizeof(headers) - (size_t)len, "Idempotency-Key: %s\r\n", key);
	return http_call(url, "POST", "/enqueue", headers, body);
}

struct http_answer *api_join_answer(const char *url, const char *queue)
{
	struct http_answer *answer = api_enqueue(url, queue, NULL);
	api_expect_status(answer, 201);
	api_expect_place(answer, "waiting");
	return answer;
}

char *api_join(const char *url, const char *queue)
{
	WR_AUTO(http_answer_free_at) struct http_answer *answer = api_join_answer(url, queue);
	return http_answer_text(answer, "token");
}

void api_send_poll(struct http_client *client, const char *path, const char *token)
{
	char *headers;
	if (asprintf(&headers, "Authorization: Bearer %s\r\n", token) < 0)
		abort();
	bool is_get = strncmp(path, "/status", 7) == 0;
	http_client_send(client, is_get ? "GET" : "POST", path, headers, is_get ? NULL : "");
	free(headers);
}

struct http_answer *api_poll(const char *url, const char *path, const char *token)
{
	struct http_client *client = http_client_open(url);
	api_send_poll(client, path, token);
	struct http_answer *answer = http_client_read(client, 5000);
	http_client_close(client);
	return answer;
}

static bool status_says(const char *url, const char *token, const char *word)
{
	WR_AUTO(http_answer_free_at) struct http_answer *answer = api_poll(url, "/status", token);
	WR_AUTO(mem_free_at)
	char *said = http_answer_text(answer, answer->status == 200 ? "status" : "code");
	return strcmp(said, word) == 0;
}

void api_await(const char *url, const char *token, int deadline_ms, const char *word)
{
	WAIT_UNTIL(deadline_ms, status_says(url, token, word), word);
}

/* What a token says; not verified. gives */
static cJSON *claims_of(const char *token)
{
	const char *payload = strchr(token, '.');
	assert_non_null(payload);
	char text[2048];
	size_t len = 0;
	assert_true(
		base64url_decode(payload + 1, strcspn(payload + 1, "."), text, sizeof(text) - 1, &len));
	text[len] = '\0';
	cJSON *claims = cJSON_Parse(text);
	assert_non_null(claims);
	return claims;
}

static bool is_same(const cJSON *one, const char *member, const cJSON *other, const char *name)
{
	return cJSON_Compare(cJSON_GetObjectItemCaseSensitive(one, member),
						 cJSON_GetObjectItemCaseSensitive(other, name), true);
}

/* Does this queue of /debug/state have the ticket, in this life? */
static bool has_ticket(const cJSON *queue, const cJSON *claims)
{
	const cJSON *ticket = cJSON_GetObjectItemCaseSensitive(claims, "ticket"), *lane;
	if (!is_same(queue, "queue", claims, "aud") || !is_same(queue, "epoch", claims, "epoch"))
		return false;
	cJSON_ArrayForEach(lane, cJSON_GetObjectItemCaseSensitive(queue, "lanes"))
	{
		const cJSON *last = cJSON_GetObjectItemCaseSensitive(lane, "last_ticket");
		if (is_same(lane, "lane", claims, "lane") && last->valuedouble >= ticket->valuedouble)
			return true;
	}
	return false;
}

static bool pod_has(const struct stack *stack, int pod, const cJSON *claims)
{
	WR_AUTO(http_answer_free_at)
	struct http_answer *answer =
		http_call(stack_internal_url(stack, pod), "GET", "/debug/state", NULL, NULL);
	cJSON *document = cJSON_Parse(answer->body);
	const cJSON *queue;
	bool has = false;
	cJSON_ArrayForEach(queue, cJSON_GetObjectItemCaseSensitive(document, "queues"))
	{
		has = has || has_ticket(queue, claims);
	}
	cJSON_Delete(document);
	return has;
}

static int64_t picture_of(const char *url, const char *token)
{
	WR_AUTO(http_answer_free_at) struct http_answer *answer = api_poll(url, "/status", token);
	api_expect_place(answer, "waiting");
	return http_answer_number(answer, "as_of_ms");
}

void api_await_position(const struct stack *stack, int pod, const char *token)
{
	cJSON *claims = claims_of(token);
	WAIT_UNTIL(5000, pod_has(stack, pod, claims), "the pod knows the place");
	cJSON_Delete(claims);
	/* The index learns of a ticket a moment before the picture that counts it is shown. */
	int64_t before = picture_of(stack_url(stack, pod), token);
	WAIT_UNTIL(5000, picture_of(stack_url(stack, pod), token) != before, "the next picture");
}

char *api_join_present(struct stack *stack, int pod, const char *queue)
{
	char *token = api_join(stack_url(stack, pod), queue);
	WR_AUTO(mem_free_at) char *id = api_position_id(token);
	WR_AUTO(http_answer_free_at)
	struct http_answer *answer = api_poll(stack_url(stack, pod), "/heartbeat", token);
	api_expect_place(answer, "waiting");
	WAIT_UNTIL(5000, api_score(stack, queue, id) > 0, "the heartbeat is in the store");
	return token;
}

/* ---- answers ---- */

void api_expect_status(const struct http_answer *answer, int status)
{
	if (answer->status == status)
		return;
	process_show_logs();
	fail_msg("status %d instead of %d: %.600s", answer->status, status, answer->body);
}

static void expect_text(const struct http_answer *answer, const char *member, const char *wanted)
{
	WR_AUTO(mem_free_at) char *text = http_answer_text(answer, member);
	if (strcmp(text, wanted) != 0)
		fail_msg("%s is \"%s\" instead of \"%s\": %d %.600s", member, text, wanted, answer->status,
				 answer->body);
}

void api_expect_problem(const struct http_answer *answer, int status, const char *code)
{
	api_expect_status(answer, status);
	const char *type = http_answer_header(answer, "Content-Type");
	assert_string_equal(type ? type : "none", "application/problem+json");
	expect_text(answer, "code", code);
	assert_int_equal(http_answer_number(answer, "status"), status);
	WR_AUTO(mem_free_at) char *problem_type = http_answer_text(answer, "type");
	WR_AUTO(mem_free_at) char *title = http_answer_text(answer, "title");
	WR_AUTO(mem_free_at) char *detail = http_answer_text(answer, "detail");
	assert_true(problem_type[0] && title[0] && detail[0]);
	const char *id = http_answer_header(answer, "X-Request-Id");
	assert_non_null(id);
	if (http_answer_has(answer, "request_id")) /* a request refused unread has none in its body */
		expect_text(answer, "request_id", id);
}

void api_expect_place(const struct http_answer *answer, const char *status)
{
	if (answer->status != 200 && answer->status != 201)
		api_expect_status(answer, 200);
	expect_text(answer, "status", status);
}

static char type_letter(const cJSON *value)
{
	if (cJSON_IsString(value))
		return 's';
	if (cJSON_IsNumber(value))
		return 'n';
	if (cJSON_IsBool(value))
		return 'b';
	if (cJSON_IsNull(value))
		return '0';
	return cJSON_IsArray(value) ? 'a' : 'o';
}

void api_expect_members(const struct http_answer *answer, const char *members)
{
	cJSON *document = cJSON_Parse(answer->body);
	int count = 0;
	WR_AUTO(mem_free_at) char *copy = mem_copy_string(members);
	char *rest = copy;
	for (char *types; (types = strsep(&rest, " ")); count++) {
		const char *name = strsep(&types, ":");
		const cJSON *value = cJSON_GetObjectItemCaseSensitive(document, name);
		if (!value || !strchr(types, type_letter(value)))
			fail_msg("%s should be of type %s: %s", name, types, answer->body);
	}
	if (cJSON_GetArraySize(document) != count)
		fail_msg("%d members instead of %d: %s", cJSON_GetArraySize(document), count, answer->body);
	cJSON_Delete(document);
}

/* ---- operators ---- */

struct http_answer *api_admin_as(const struct stack *stack, int pod, const char *key,
								 const char *method, const char *path, const char *body)
{
	char headers[160];
	print_into(headers, "Authorization: Bearer %s\r\n", key);
	return http_call(stack_internal_url(stack, pod), method, path, headers, body);
}

struct http_answer *api_admin(const struct stack *stack, int pod, const char *method,
							  const char *path, const char *body)
{
	char full[256];
	snprintf(full, sizeof(full), "/admin/v1/queues%s", path);
	return api_admin_as(stack, pod, API_ADMIN_KEY, method, full, body);
}

void api_make_tenant(const struct stack *stack, const char *tenant)
{
	char path[96];
	print_into(path, "/admin/v1/tenants/%s", tenant);
	WR_AUTO(http_answer_free_at)
	struct http_answer *answer = api_admin_as(stack, 0, API_ADMIN_KEY, "PUT", path, "{}");
	api_expect_status(answer, 201);
}

char *api_make_key(const struct stack *stack, const char *role, const char *tenant, char ret_id[9])
{
	char body[256];
	print_into(body, "{\"name\":\"%s of %s\",\"role\":\"%s\",\"tenant\":\"%s\"}", role, tenant,
			   role, tenant);
	WR_AUTO(http_answer_free_at)
	struct http_answer *answer =
		api_admin_as(stack, 0, API_ADMIN_KEY, "POST", "/admin/v1/keys", body);
	api_expect_status(answer, 201);
	WR_AUTO(mem_free_at) char *id = http_answer_text(answer, "id");
	if (ret_id)
		snprintf(ret_id, 9, "%s", id);
	return http_answer_text(answer, "key");
}

bool api_pod_shows(const struct stack *stack, int pod, const char *queue, const char *text)
{
	char path[160];
	print_into(path, "/queues/%s", queue);
	WR_AUTO(http_answer_free_at)
	struct http_answer *answer = http_call(stack_url(stack, pod), "GET", path, NULL, NULL);
	return answer->status == 200 && strstr(answer->body, text) != NULL;
}

void api_await_queue(const struct stack *stack, const char *queue)
{
	for (int pod = 0; pod < stack->pod_count; pod++)
		WAIT_UNTIL(5000, api_pod_shows(stack, pod, queue, ""), "the pod knows the queue");
}

void api_make_queue(const struct stack *stack, const char *queue, const char *settings)
{
	char path[160];
	print_into(path, "/%s", queue);
	WR_AUTO(http_answer_free_at)
	struct http_answer *made = api_admin(stack, 0, "PUT", path, settings);
	api_expect_status(made, 201);
	api_await_queue(stack, queue);
}

void api_admit(const struct stack *stack, const char *queue, int count)
{
	char path[160], body[48];
	snprintf(path, sizeof(path), "/%s/admit", queue);
	snprintf(body, sizeof(body), "{\"count\":%d}", count);
	WR_AUTO(http_answer_free_at)
	struct http_answer *answer = api_admin(stack, 0, "POST", path, body);
	api_expect_status(answer, 200);
	assert_int_equal(http_answer_number(answer, "admitted"), count);
}

/* ---- the store ---- */

int64_t api_store_number(struct stack *stack, const char *format, ...)
{
	char *command;
	va_list args;
	va_start(args, format);
	if (vasprintf(&command, format, args) < 0)
		abort();
	va_end(args);
	WR_AUTO(mem_free_at) char *reply = redis_do(stack->redis, command);
	free(command);
	if (!reply)
		fail_msg("the store does not answer");
	if (reply[0] == ':')
		return strtoll(reply + 1, NULL, 10);
	if (reply[0] == '$' && reply[1] == '-')
		return INT64_MIN;
	const char *line = reply[0] == '$' ? strstr(reply, "\r\n") : NULL;
	if (!line)
		fail_msg("not a number: %.200s", reply);
	return (int64_t)strtod(line + 2, NULL); /* a score; whole below 2^53 */
}

int64_t api_score(struct stack *stack, const char *queue, const char *position_id)
{
	return api_store_number(stack, "ZSCORE wr:{%s%s}:heartbeats %s",
							strchr(queue, '/') ? "" : "default/", queue, position_id);
}

char *api_store_digest(struct stack *stack)
{
	return redis_do(stack->redis,
					"EVAL \"local names, out = redis.call('KEYS', '*'), {} table.sort(names) "
					"for _, name in ipairs(names) do "
					"if not name:find(':clock') and not name:find(':lease') "
					"and not name:find(':keys_used') and not name:find(':pods') then "
					"out[#out + 1] = name .. redis.sha1hex(redis.call('DUMP', name)) end end "
					"return redis.sha1hex(table.concat(out))\" 0");
}

/* ---- tokens ---- */

char *api_position_id(const char *token)
{
	cJSON *claims = claims_of(token);
	const cJSON *id = cJSON_GetObjectItemCaseSensitive(claims, "sub");
	assert_true(cJSON_IsString(id));
	char *copy = mem_copy_string(id->valuestring);
	cJSON_Delete(claims);
	return copy;
}
