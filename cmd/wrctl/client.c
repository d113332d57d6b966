/* Client: which url is asked next, and what may be asked again.
 *
 *     url ─► no connection ────────────────► next url
 *         ─► 503 draining ─────────────────► next url
 *         ─► connection, no whole answer ──► GET: next url; others: may have been done, stop
 *         ─► answer
 */
#include "client.h"

#include <stdlib.h>
#include <string.h>

#include "waitingroom/memory.h"
#include "waitingroom/version.h"

#define CONNECT_MS 3000
#define DEADLINE_MS 30000
#define ANSWER_MAX_BYTES (64 * 1024 * 1024)

struct client {
	const struct context *context;
	struct http_caller *caller;
	char authorization[CONTEXT_KEY_BYTES + 32];
	size_t at; /* of the url that answered last */
	int64_t deadline_ms;
	void (*tick)(void *ctx);
	void *ctx;
};

struct client *client_new(const struct context *context, const char *key)
{
	struct client *client = mem_alloc_zero(1, sizeof(*client));
	client->context = context;
	client->caller = http_caller_new();
	client->deadline_ms = DEADLINE_MS;
	snprintf(client->authorization, sizeof(client->authorization), "Authorization: Bearer %s", key);
	return client;
}

struct client *client_twin(const struct client *client)
{
	struct client *twin = mem_alloc_zero(1, sizeof(*twin));
	twin->context = client->context;
	twin->caller = http_caller_new();
	twin->deadline_ms = client->deadline_ms;
	twin->at = client->at;
	memcpy(twin->authorization, client->authorization, sizeof(twin->authorization));
	return twin;
}

void client_free(struct client *client)
{
	if (client == NULL)
		return;
	http_caller_free(client->caller);
	explicit_bzero(client->authorization, sizeof(client->authorization));
	free(client);
}

void client_set_deadline(struct client *client, int64_t deadline_ms)
{
	client->deadline_ms = deadline_ms;
}

int64_t client_deadline(const struct client *client)
{
	return client->deadline_ms;
}

void client_set_tick(struct client *client, void (*tick)(void *ctx), void *ctx)
{
	client->tick = tick;
	client->ctx = ctx;
}

const char *client_url(const struct client *client)
{
	return client->context->urls[client->at];
}

/* ---- answers ---- */

void reply_clear(struct reply *reply)
{
	free(reply->text);
	free(reply->etag);
	free(reply->request_id);
	free(reply->content_type);
	json_free(reply->json);
	*reply = (struct reply){0};
}

const char *reply_code(const struct reply *reply)
{
	const char *code = "";
	if (json_is_object(reply->json) && reply->status >= 400)
		(void)json_string(json_member(reply->json, "code"), &code);
	return code;
}

static char *copy_header(const struct http_call_answer *answer, const char *name)
{
	const char *value = http_call_answer_header(answer, name);
	return value ? mem_copy_string(value) : NULL;
}

static void fill_reply(struct http_call_answer *answer, struct reply *ret)
{
	struct err_detail detail;
	*ret = (struct reply){.status = answer->status,
						  .len = answer->body_len,
						  .etag = copy_header(answer, "ETag"),
						  .request_id = copy_header(answer, "X-Request-Id"),
						  .content_type = copy_header(answer, "Content-Type")};
	ret->text = WR_TAKE(answer->body);
	if (json_parse(ret->text, ret->len, &ret->json, &detail) != WR_OK)
		ret->json = NULL;
	http_call_answer_clear(answer);
}

/* ---- asking ---- */

static enum wr_err ask_one(struct client *client, const char *url, const struct request *request,
						   struct reply *ret, struct err_detail *ret_detail)
{
	WR_AUTO(mem_free_at) char *whole = NULL;
	char match[64] = "";
	const char *headers[8] = {client->authorization, "User-Agent: wrctl/" WR_VERSION,
							  "Accept: application/json"};
	size_t count = 3;
	if (request->body != NULL)
		headers[count++] = "Content-Type: application/json";
	if (request->only_new)
		headers[count++] = "If-None-Match: *";
	if (request->if_match != NULL) {
		snprintf(match, sizeof(match), "If-Match: \"%.40s\"", request->if_match);
		headers[count++] = match;
	}
	if (asprintf(&whole, "%s%s", url, request->path) < 0)
		abort();
	struct http_call call = {.method = request->method,
							 .url = whole,
							 .headers = headers,
							 .body = request->body,
							 .body_len = request->body ? strlen(request->body) : 0,
							 .connect_ms = CONNECT_MS,
							 .deadline_ms = client->deadline_ms,
							 .body_max = ANSWER_MAX_BYTES,
							 .ca_file = client->context->ca_file,
							 .tick = client->tick,
							 .ctx = client->ctx};
	struct http_call_answer answer = {0};
	struct err_detail inner = {""};
	enum wr_err err = http_caller_call(client->caller, &call, &answer, &inner);
	if (err != WR_OK)
		return err_say(ret_detail, err, "%s: %s", url, inner.text);
	fill_reply(&answer, ret);
	return WR_OK;
}

static bool may_ask_another(const struct request *request, enum wr_err err,
							const struct reply *reply)
{
	if (err == WR_OK)
		return reply->status == 503 && strcmp(reply_code(reply), "draining") == 0;
	return err == WR_IO || err == WR_BAD_CONFIG || strcmp(request->method, "GET") == 0;
}

enum wr_err client_ask(struct client *client, const struct request *request, struct reply *ret,
					   struct err_detail *ret_detail)
{
	size_t count = client->context->url_count, first = client->at;
	for (size_t tried = 1;; tried++) {
		struct reply reply = {0};
		enum wr_err err = ask_one(client, client_url(client), request, &reply, ret_detail);
		if (tried == count || !may_ask_another(request, err, &reply)) {
			if (err == WR_OK)
				*ret = reply;
			else
				client->at = first;
			return err;
		}
		reply_clear(&reply);
		client->at = (client->at + 1) % count;
	}
}

enum wr_err client_ask_url(struct client *client, size_t url, const struct request *request,
						   struct reply *ret, struct err_detail *ret_detail)
{
	return ask_one(client, client->context->urls[url], request, ret, ret_detail);
}
