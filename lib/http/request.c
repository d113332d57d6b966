/* Requests: where they live, and what a handler can ask of them.
 *
 * A request object is taken when the request line has come and given back when the answer is out.
 * The objects are kept in a free list, last in first out, so that the busy ones stay in the cache
 * and nothing is allocated in the ordinary case. Header names and values are the library's own
 * memory, valid until the answer is out; the target is copied, because the library decodes it in
 * place.
 */
#include "internal.h"

#include "waitingroom/memory.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define FREE_REQUESTS_MAX 1024 /* more are freed: a storm must not hold its memory for ever */

#define FORWARDED_FOR_BYTES 1024 /* of all X-Forwarded-For headers together */

/* ---- the free list ---- */

struct http_request *http_request_take(struct http_server *server)
{
	struct http_request *request = server->free_requests;
	if (request) {
		server->free_requests = request->next_free;
		server->free_request_count--;
	} else {
		request = mem_alloc_zero(1, sizeof(*request));
		request->server = server;
		request->headers =
			mem_alloc_zero(server->options.limits.headers_max, sizeof(*request->headers));
	}
	request->phase = REQUEST_ARRIVING;
	request->headers_seen = false;
	request->suspended = false;
	request->notes_zeroed = false;
	request->trace_is_known = request->trace_is_sampled = false;
	request->header_count = 0;
	request->body_len = request->body_announced = 0;
	request->status = 0;
	request->reply_header_count = request->reply_header_bytes = 0;
	request->has_cache_control = false;
	return request;
}

void http_request_free(struct http_request *request)
{
	for (int i = 0; i < KEPT_RESPONSES; i++) {
		if (request->kept[i].response)
			MHD_destroy_response(request->kept[i].response);
	}
	if (request->target != request->target_inline)
		free(request->target);
	free(request->headers);
	free(request->body);
	free(request);
}

void http_request_give_back(struct http_request *request)
{
	struct http_server *server = request->server;
	http_reply_forget(request); /* the connection ended before it could be queued */
	if (server->free_request_count == FREE_REQUESTS_MAX) {
		http_request_free(request);
		return;
	}
	if (request->target != request->target_inline)
		free(request->target);
	request->target = NULL;
	request->next_free = server->free_requests;
	server->free_requests = request;
	server->free_request_count++;
}

/* ---- filling, as the request arrives ---- */

void http_request_set_target(struct http_request *request, const char *target)
{
	size_t len = strlen(target); /* bounded by the connection's memory */
	request->target = len < TARGET_INLINE_BYTES ? request->target_inline : mem_copy(target, len);
	if (request->target == request->target_inline)
		memcpy(request->target, target, len + 1);
	request->target_len = len;
	char *question = memchr(request->target, '?', len);
	request->path_len = question ? (size_t)(question - request->target) : len;
	request->query = question ? question + 1 : NULL;
}

static enum MHD_Result take_header(void *ctx, enum MHD_ValueKind kind, const char *name,
								   size_t name_len, const char *value, size_t value_len)
{
	(void)kind;
	struct http_request *request = ctx;
	if (request->header_count++ >= request->server->options.limits.headers_max)
		return MHD_NO;
	request->headers[request->header_count - 1] = (struct guard_header){
		.name = name, .value = value, .name_len = name_len, .value_len = value_len};
	return MHD_YES;
}

void http_request_take_headers(struct http_request *request)
{
	MHD_get_connection_values_n(request->mhd, MHD_HEADER_KIND, take_header, request);
}

bool http_request_add_body(struct http_request *request, const char *bytes, size_t len)
{
	if (len > request->body_announced - request->body_len)
		return false;
	if (!request->body)
		request->body = mem_alloc_zero(1, request->server->options.limits.body_max_bytes + 1);
	memcpy(request->body + request->body_len, bytes, len);
	request->body_len += len;
	request->body[request->body_len] = '\0';
	return true;
}

/* ---- what a handler asks ---- */

static const char *const method_words[HTTP_METHOD_COUNT] = {
	[HTTP_GET] = "GET",			[HTTP_HEAD] = "HEAD",	[HTTP_POST] = "POST",
	[HTTP_PUT] = "PUT",			[HTTP_PATCH] = "PATCH", [HTTP_DELETE] = "DELETE",
	[HTTP_OPTIONS] = "OPTIONS",
};

const char *http_method_word(enum http_method method)
{
	return (unsigned)method < HTTP_METHOD_COUNT ? method_words[method] : "?";
}

bool http_method_parse(const char *word, enum http_method *ret_method)
{
	for (int i = 0; i < HTTP_METHOD_COUNT; i++) {
		if (!strcmp(word, method_words[i])) {
			*ret_method = (enum http_method)i;
			return true;
		}
	}
	return false;
}

enum http_method http_request_method(const struct http_request *request)
{
	return request->method;
}

const char *http_request_path(const struct http_request *request)
{
	return request->target;
}

const char *http_request_header(const struct http_request *request, const char *name)
{
	size_t len = strlen(name);
	for (size_t i = 0; i < request->header_count; i++) {
		const struct guard_header *header = &request->headers[i];
		if (header->name_len == len && !strncasecmp(header->name, name, len))
			return header->value ? header->value : "";
	}
	return NULL;
}

const char *http_request_body(const struct http_request *request, size_t *ret_len)
{
	*ret_len = request->body_len;
	return request->body_len ? request->body : "";
}

const char *http_request_peer(const struct http_request *request)
{
	return http_connection_peer(request->connection);
}

static size_t join_forwarded_for(const struct http_request *request, char *text, size_t room)
{
	static const char name[] = "x-forwarded-for";
	size_t joined = 0;
	for (size_t i = 0; i < request->header_count; i++) {
		const struct guard_header *header = &request->headers[i];
		if (header->name_len != sizeof(name) - 1 ||
			strncasecmp(header->name, name, sizeof(name) - 1) || !header->value)
			continue;
		if (joined + header->value_len + 2 > room)
			return 0; /* absurd: as if there were none */
		if (joined)
			text[joined++] = ',';
		memcpy(text + joined, header->value, header->value_len);
		joined += header->value_len;
	}
	text[joined] = '\0';
	return joined;
}

struct client_ip http_request_client(const struct http_request *request,
									 const struct trusted_proxies *proxies)
{
	char forwarded_for[FORWARDED_FOR_BYTES];
	size_t len = join_forwarded_for(request, forwarded_for, sizeof(forwarded_for));
	return client_ip_find(http_request_peer(request), len ? forwarded_for : NULL, proxies);
}

const char *http_request_id(const struct http_request *request)
{
	return request->id;
}

struct mono_time http_request_started(const struct http_request *request)
{
	return request->started;
}

void *http_request_notes(struct http_request *request)
{
	if (!request->notes_zeroed)
		memset(request->notes, 0, sizeof(request->notes));
	request->notes_zeroed = true;
	return request->notes;
}

void http_request_park(struct http_request *request)
{
	assert(request->phase == REQUEST_SERVING);
	request->phase = REQUEST_PARKED;
	http_count(&request->server->counters.parked_now, 1);
}
