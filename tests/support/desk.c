/* The desk of those who operate queues: two pods, an admitter, and how they are asked. */
#include "support/desk.h"

#include "support/cmocka.h"
#include "waitingroom/memory.h"

#include <stdio.h>

#define TWO_KEYS                                                                                   \
	"{\"keys\":[{\"id\":\"tests\",\"sha256\":"                                                     \
	"\"25b50f23f69d4e4a8f2581fd98cda6581906c3471981512c1b33ca9080e32e8f\"},"                       \
	"{\"id\":\"night\",\"role\":\"operator\",\"sha256\":"                                          \
	"\"ede57e27c06ab7a0639b397c21fa2938602b6895f1ed3e29bf7ae62ab3d6811a\"}]}"

int desk_open(void **state)
{
	(void)state;
	stack = stack_start(
		&(struct stack_options){.pods = 2,
								.admitters = 1,
								.without_nats = true,
								.admin_keys = TWO_KEYS,
								.env = (const char *const[]){NO_RATE_LIMITS, "WR_RELAY=0", NULL}});
	return 0;
}

struct http_answer *desk_ask(int pod, const char *method, const char *path, const char *headers,
							 const char *body)
{
	char full[192], all[320];
	snprintf(full, sizeof(full), "/admin/v1/queues/default/%s", path);
	snprintf(all, sizeof(all), DESK_KEY_HEADER "%s", headers ? headers : "");
	return http_call(stack_internal_url(stack, pod), method, full, all, body);
}

void desk_expect(const char *method, const char *path, const char *headers, const char *body,
				 int status, const char *code)
{
	WR_AUTO(http_answer_free_at)
	struct http_answer *answer = desk_ask(0, method, path, headers, body);
	if (code)
		api_expect_problem(answer, status, code);
	else
		api_expect_status(answer, status);
}

void desk_make_queue(const char *name, const char *settings)
{
	char queue[96];
	print_into(queue, "default/%s", name);
	api_make_queue(stack, queue, settings);
}

bool desk_pod_shows(int pod, const char *name, const char *text)
{
	char queue[96];
	print_into(queue, "default/%s", name);
	return api_pod_shows(stack, pod, queue, text);
}

int64_t desk_version(const char *name)
{
	WR_AUTO(http_answer_free_at) struct http_answer *answer = desk_ask(1, "GET", name, NULL, NULL);
	char etag[32];
	api_expect_status(answer, 200);
	snprintf(etag, sizeof(etag), "\"%lld\"", (long long)http_answer_number(answer, "version"));
	assert_string_equal(http_answer_header(answer, "ETag"), etag);
	return http_answer_number(answer, "version");
}

int64_t desk_setting(const char *name, const char *member)
{
	char path[64];
	WR_AUTO(http_answer_free_at) struct http_answer *answer = desk_ask(1, "GET", name, NULL, NULL);
	snprintf(path, sizeof(path), "settings.%s", member);
	return http_answer_number(answer, path);
}
