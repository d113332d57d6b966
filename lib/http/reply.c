/* Answers: from what the handler says to what the library sends.
 *
 * The body of an ordinary answer lies in the request object, which outlives the sending; it is not
 * copied again. Only bodies larger than that room are copied. An answer given while the handler
 * runs is queued by the library's callback that called the handler; one given later resumes the
 * connection, and the library calls back to fetch it.
 *
 * Making the library's response object costs a dozen allocations, a few per cent of a whole
 * request. An ordinary answer (body in the request's room, few headers of its own) therefore uses
 * one that is kept with the request object, chosen by the length of the body, when it has the same
 * headers; only the id in it is replaced, and values that are as long as those before. Request
 * objects are reused last in first out, so a few of these serve nearly all requests.
 *
 * Every answer carries X-Request-Id. Every answer says no-store unless its handler has said
 * something else about caching: an answer about one person in a shared cache is the worst mistake
 * that a waiting room can make, so it has to be the default that is safe.
 */
#include "internal.h"

#include "waitingroom/memory.h"
#include "waitingroom/text.h"

#include <assert.h>
#include <string.h>
#include <strings.h>

/* ---- headers ---- */

static const char *keep_text(struct http_request *request, const char *text)
{
	size_t bytes = strlen(text) + 1;
	assert(bytes <= REPLY_HEADER_BYTES - request->reply_header_bytes);
	char *kept = request->reply_header_text + request->reply_header_bytes;
	memcpy(kept, text, bytes);
	request->reply_header_bytes += bytes;
	return kept;
}

void http_reply_header(struct http_request *request, const char *name, const char *value)
{
	assert(request->phase == REQUEST_SERVING || request->phase == REQUEST_PARKED);
	assert(request->reply_header_count < REPLY_HEADERS_MAX);
	struct reply_header *header = &request->reply_headers[request->reply_header_count++];
	header->name = keep_text(request, name);
	header->value = keep_text(request, value);
	if (!strcasecmp(name, MHD_HTTP_HEADER_CACHE_CONTROL))
		request->has_cache_control = true;
}

static void add_header(struct http_request *request, const char *name, const char *value)
{
	/* The library refuses what would break the framing, line ends above all. */
	if (MHD_add_response_header(request->response, name, value) != MHD_YES)
		http_header_recover(request, name);
}

static void add_headers(struct http_request *request, const char *content_type)
{
	if (content_type)
		add_header(request, MHD_HTTP_HEADER_CONTENT_TYPE, content_type);
	add_header(request, "X-Request-Id", request->id);
	if (!request->has_cache_control)
		add_header(request, MHD_HTTP_HEADER_CACHE_CONTROL, "no-store");
	for (size_t i = 0; i < request->reply_header_count; i++)
		add_header(request, request->reply_headers[i].name, request->reply_headers[i].value);
	if (request->server->draining)
		add_header(request, MHD_HTTP_HEADER_CONNECTION, "close");
}

/* ---- answering ---- */

static void make_response(struct http_request *request, const char *content_type, char *body,
						  size_t len, enum MHD_ResponseMemoryMode mode)
{
	request->response = MHD_create_response_from_buffer(len, body, mode);
	assert(request->response && "out of memory");
	add_headers(request, content_type);
}

static bool can_keep_response(const struct http_request *request)
{
	return request->reply_header_bytes <= KEPT_HEADER_BYTES && !request->server->draining;
}

static bool is_only_one(const struct http_request *request, const char *name)
{
	size_t count = 0;
	for (size_t i = 0; i < request->reply_header_count; i++)
		count += !strcmp(request->reply_headers[i].name, name);
	return count == 1;
}

/* The same headers in the same order, with values of the same length: those that differ are written
 * over, as the id is (exchange_id). A gate check names another session each time. */
static bool exchange_values(struct kept_response *kept, const struct http_request *request)
{
	char *at = kept->headers;
	for (size_t i = 0; i < request->reply_header_count; i++) {
		const struct reply_header *header = &request->reply_headers[i];
		if (strcmp(at, header->name))
			return false;
		at += strlen(at) + 1;
		size_t len = strlen(at);
		if (strcmp(at, header->value)) {
			if (strlen(header->value) != len || !is_only_one(request, header->name))
				return false;
			memcpy((char *)MHD_get_response_header(kept->response, header->name), header->value,
				   len);
			memcpy(at, header->value, len);
		}
		at += len + 1;
	}
	return true;
}

static bool kept_fits(struct kept_response *kept, const struct http_request *request,
					  const char *content_type, size_t len)
{
	if (!kept->response || kept->len != len || kept->content_type != content_type ||
		kept->header_bytes != request->reply_header_bytes)
		return false;
	return !memcmp(kept->headers, request->reply_header_text, kept->header_bytes) ||
		   exchange_values(kept, request);
}

/* The library lends its copy of a header for reading. Nobody reads this one now: the response is
 * here, for the next answer of this request object. Writing another id over it, as long as the last
 * one, saves taking the header out and putting it back: 0.1 µs of a heartbeat's 6. */
static void exchange_id(struct kept_response *kept, struct http_request *request)
{
	size_t len = strlen(request->id);
	if (strlen(kept->id) == len) {
		memcpy(kept->id, request->id, len);
		return;
	}
	MHD_del_response_header(kept->response, "X-Request-Id", kept->id);
	add_header(request, "X-Request-Id", request->id);
	kept->id = (char *)MHD_get_response_header(kept->response, "X-Request-Id");
}

static void use_kept_response(struct http_request *request, const char *content_type, size_t len)
{
	struct kept_response *kept = &request->kept[len % KEPT_RESPONSES];
	request->response = kept->response;
	if (kept_fits(kept, request, content_type, len)) {
		exchange_id(kept, request);
	} else {
		if (kept->response)
			MHD_destroy_response(kept->response);
		make_response(request, content_type, request->reply_room, len, MHD_RESPMEM_PERSISTENT);
		kept->response = request->response;
		kept->len = len;
		kept->content_type = content_type;
		kept->header_bytes = request->reply_header_bytes;
		memcpy(kept->headers, request->reply_header_text, kept->header_bytes);
		kept->id = (char *)MHD_get_response_header(kept->response, "X-Request-Id");
	}
	request->response_is_kept = true;
}

void http_reply_forget(struct http_request *request)
{
	if (request->response && !request->response_is_kept)
		MHD_destroy_response(request->response);
	request->response = NULL;
	request->response_is_kept = false;
}

/* body: as in the response */
static void finish(struct http_request *request, int status, const char *body, size_t len)
{
	struct http_server *server = request->server;
	request->status = status;
	if (request->phase == REQUEST_PARKED)
		http_count(&server->counters.parked_now, -1);
	request->phase = REQUEST_ANSWERED;
	if (!request->suspended)
		return;
	if (!request->was_at_end && http_connection_is_at_end(request->connection))
		http_reply_direct(request, body, len);
	http_server_resume(request);
}

char *http_reply_room(struct http_request *request)
{
	return request->reply_room;
}

void http_reply_written(struct http_request *request, int status, const char *content_type,
						size_t len)
{
	assert(request->phase == REQUEST_SERVING || request->phase == REQUEST_PARKED);
	assert(len <= HTTP_REPLY_ROOM);
	if (can_keep_response(request))
		use_kept_response(request, content_type, len);
	else
		make_response(request, content_type, request->reply_room, len, MHD_RESPMEM_PERSISTENT);
	finish(request, status, request->reply_room, len);
}

void http_reply(struct http_request *request, int status, const char *content_type,
				const char *body, size_t len)
{
	if (len > HTTP_REPLY_ROOM) { /* the library does not write to it, whatever the type says */
		assert(request->phase == REQUEST_SERVING || request->phase == REQUEST_PARKED);
		make_response(request, content_type, (char *)body, len, MHD_RESPMEM_MUST_COPY);
		finish(request, status, body, len);
		return;
	}
	if (len)
		memmove(request->reply_room, body, len);
	http_reply_written(request, status, content_type, len);
}

void http_reply_problem(struct http_request *request, enum wr_err err,
						const struct err_detail *detail, int64_t retry_after_s)
{
	http_reply_problem_with(request, err, detail, retry_after_s, NULL);
}

#define PROBLEM_BYTES 1024 /* enough for all but the member */

static void reply_long_problem(struct http_request *request, enum wr_err err,
							   const struct err_detail *detail, int64_t retry_after_s,
							   const struct problem_member *member)
{
	size_t room = PROBLEM_BYTES + member->len;
	WR_AUTO(mem_free_at) char *text = mem_alloc_zero(1, room);
	size_t len = problem_print(text, room, err, detail, request->id, retry_after_s, member);
	http_reply(request, err_http_status(err), problem_content_type, text, len);
}

void http_reply_problem_with(struct http_request *request, enum wr_err err,
							 const struct err_detail *detail, int64_t retry_after_s,
							 const struct problem_member *member)
{
	if (retry_after_s > 0) {
		char seconds[21];
		seconds[text_from_u64((uint64_t)retry_after_s, seconds)] = '\0';
		http_reply_header(request, MHD_HTTP_HEADER_RETRY_AFTER, seconds);
	}
	if (err_http_status(err) == MHD_HTTP_UNAUTHORIZED) /* RFC 9110 section 11.6.1 asks for it */
		http_reply_header(request, MHD_HTTP_HEADER_WWW_AUTHENTICATE, "Bearer");
	if (member && member->len > HTTP_REPLY_ROOM - PROBLEM_BYTES) {
		reply_long_problem(request, err, detail, retry_after_s, member);
		return;
	}
	size_t len = problem_print(request->reply_room, HTTP_REPLY_ROOM, err, detail, request->id,
							   retry_after_s, member);
	http_reply_written(request, err_http_status(err), problem_content_type, len);
}

/* ---- inside the library's callback ---- */

enum MHD_Result http_reply_queue(struct http_request *request)
{
	enum MHD_Result queued =
		MHD_queue_response(request->mhd, (unsigned)request->status, request->response);
	http_reply_forget(request); /* the connection holds it now */
	return queued;
}

static void say_why(const struct http_request *request, enum http_refusal reason, enum wr_err err,
					struct err_detail *ret_detail)
{
	if (err == WR_MALFORMED)
		err_say(ret_detail, err, "%s", http_refusal_sentence(reason));
	else if (err == WR_BODY_TOO_LARGE)
		err_say(ret_detail, err, "Content-Length: at most %u bytes are taken here.",
				(unsigned)request->server->options.limits.body_max_bytes);
}

/* Before the body has been read: the library answers, closes, and parses nothing that follows. */
enum MHD_Result http_reply_refuse(struct http_request *request, enum http_refusal reason,
								  enum wr_err err)
{
	http_count(&request->server->counters.refused[reason], 1);
	request->phase = REQUEST_REFUSED;
	request->status = err_http_status(err);
	struct err_detail detail = {""};
	say_why(request, reason, err, &detail);
	size_t len =
		problem_print(request->reply_room, HTTP_REPLY_ROOM, err, &detail, request->id, 0, NULL);
	request->response =
		MHD_create_response_from_buffer(len, request->reply_room, MHD_RESPMEM_PERSISTENT);
	assert(request->response && "out of memory");
	add_headers(request, problem_content_type);
	if (err == WR_BAD_METHOD)
		add_header(request, MHD_HTTP_HEADER_ALLOW, "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS");
	if (!request->server->draining)
		add_header(request, MHD_HTTP_HEADER_CONNECTION, "close");
	return http_reply_queue(request);
}
