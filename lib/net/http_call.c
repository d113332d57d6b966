/* HTTP call: one curl easy handle, one call at a time.
 *
 *     call ─► options of the handle ─► curl_easy_perform ─► head and body gathered ─► answer
 *
 * The handle is reset between calls and keeps its connections, so a program that asks every second
 * connects once. A connection that the server closed in between is curl's to notice. Head and body
 * are gathered in the answer itself; when the call fails it is cleared.
 */
#include "waitingroom/http_call.h"

#include <curl/curl.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "waitingroom/memory.h"

#define HEADERS_MAX 100
#define HEADER_BYTES_MAX 16384

struct http_caller {
	CURL *easy;
	char trouble[CURL_ERROR_SIZE];
};

struct gathering {
	struct http_call_answer answer;
	size_t body_max;
	bool too_large;
};

static pthread_once_t global_once = PTHREAD_ONCE_INIT;

static void global_begin(void)
{
	if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
		abort();
}

struct http_caller *http_caller_new(void)
{
	pthread_once(&global_once, global_begin);
	struct http_caller *caller = mem_alloc_zero(1, sizeof(*caller));
	caller->easy = curl_easy_init();
	if (caller->easy == NULL)
		abort();
	return caller;
}

void http_caller_free(struct http_caller *caller)
{
	if (caller == NULL)
		return;
	curl_easy_cleanup(caller->easy);
	free(caller);
}

/* ---- answers ---- */

static void headers_clear(struct http_call_answer *answer)
{
	for (size_t i = 0; i < answer->header_count; i++) {
		free(answer->headers[i].name);
		free(answer->headers[i].value);
	}
	free(answer->headers);
	answer->headers = NULL;
	answer->header_count = 0;
}

void http_call_answer_clear(struct http_call_answer *answer)
{
	headers_clear(answer);
	free(answer->body);
	*answer = (struct http_call_answer){0};
}

const char *http_call_answer_header(const struct http_call_answer *answer, const char *name)
{
	for (size_t i = 0; i < answer->header_count; i++)
		if (strcasecmp(answer->headers[i].name, name) == 0)
			return answer->headers[i].value;
	return NULL;
}

/* ---- what curl hands over ---- */

static size_t take_body(char *bytes, size_t size, size_t count, void *ctx)
{
	struct gathering *gathering = ctx;
	struct http_call_answer *answer = &gathering->answer;
	size_t len = size * count;
	if (len > gathering->body_max - answer->body_len) {
		gathering->too_large = true;
		return 0; /* ends the transfer */
	}
	answer->body = mem_grow(answer->body, answer->body_len + len + 1, 1);
	memcpy(answer->body + answer->body_len, bytes, len);
	answer->body_len += len;
	answer->body[answer->body_len] = '\0';
	return len;
}

static char *trimmed(const char *text, size_t len)
{
	while (len > 0 && strchr(" \t", text[0]) != NULL) {
		text++;
		len--;
	}
	while (len > 0 && strchr(" \t\r\n", text[len - 1]) != NULL)
		len--;
	return mem_copy(text, len);
}

/* One line of the head, status lines included: another one begins anew (1xx before the answer). */
static size_t take_header(char *bytes, size_t size, size_t count, void *ctx)
{
	struct gathering *gathering = ctx;
	struct http_call_answer *answer = &gathering->answer;
	size_t len = size * count;
	const char *colon = memchr(bytes, ':', len);
	if (len >= 5 && memcmp(bytes, "HTTP/", 5) == 0) {
		headers_clear(answer);
		return len;
	}
	if (colon == NULL || colon == bytes)
		return len;
	if (answer->header_count == HEADERS_MAX || len > HEADER_BYTES_MAX) {
		gathering->too_large = true;
		return 0;
	}
	size_t name_len = (size_t)(colon - bytes);
	answer->headers = mem_grow(answer->headers, answer->header_count + 1, sizeof(*answer->headers));
	answer->headers[answer->header_count++] =
		(struct http_call_header){trimmed(bytes, name_len), trimmed(colon + 1, len - name_len - 1)};
	return len;
}

/* ---- asking ---- */

static void must(CURLcode code)
{
	if (code != CURLE_OK)
		abort(); /* only when memory runs out or an option is not known to this libcurl */
}

static struct curl_slist *header_list(const struct http_call *call)
{
	/* No "Expect: 100-continue": it costs a round trip, and bodies are small. */
	struct curl_slist *list = curl_slist_append(NULL, "Expect:");
	for (const char *const *header = call->headers; header != NULL && *header != NULL; header++)
		list = curl_slist_append(list, *header);
	if (list == NULL)
		abort();
	return list;
}

static void set_body(CURL *easy, const struct http_call *call)
{
	if (call->body != NULL) {
		must(curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)call->body_len));
		must(curl_easy_setopt(easy, CURLOPT_POSTFIELDS, call->body));
	} else if (strcmp(call->method, "POST") == 0 || strcmp(call->method, "PUT") == 0) {
		must(curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)0));
		must(curl_easy_setopt(easy, CURLOPT_POSTFIELDS, ""));
	} else if (strcmp(call->method, "HEAD") == 0) {
		must(curl_easy_setopt(easy, CURLOPT_NOBODY, 1L));
	}
	must(curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, call->method));
}

static int on_progress(void *ctx, curl_off_t in_all, curl_off_t in, curl_off_t out_all,
					   curl_off_t out)
{
	const struct http_call *call = ctx;
	(void)in_all, (void)in, (void)out_all, (void)out;
	call->tick(call->ctx);
	return 0; /* go on */
}

static void set_options(struct http_caller *caller, const struct http_call *call,
						struct gathering *gathering, struct curl_slist *headers)
{
	CURL *easy = caller->easy;
	curl_easy_reset(easy);
	caller->trouble[0] = '\0';
	must(curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, caller->trouble));
	must(curl_easy_setopt(easy, CURLOPT_URL, call->url));
	must(curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https"));
	must(curl_easy_setopt(easy, CURLOPT_PROXY, ""));
	must(curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L));
	must(curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, (long)call->deadline_ms));
	must(curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, (long)call->connect_ms));
	must(curl_easy_setopt(easy, CURLOPT_HTTPHEADER, headers));
	must(curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, take_body));
	must(curl_easy_setopt(easy, CURLOPT_WRITEDATA, gathering));
	must(curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, take_header));
	must(curl_easy_setopt(easy, CURLOPT_HEADERDATA, gathering));
	if (call->ca_file != NULL)
		must(curl_easy_setopt(easy, CURLOPT_CAINFO, call->ca_file));
	if (call->tick != NULL) {
		must(curl_easy_setopt(easy, CURLOPT_NOPROGRESS, 0L));
		must(curl_easy_setopt(easy, CURLOPT_XFERINFOFUNCTION, on_progress));
		must(curl_easy_setopt(easy, CURLOPT_XFERINFODATA, call));
	}
	set_body(easy, call);
}

static enum wr_err err_of(CURL *easy, CURLcode code)
{
	long sent = 0;
	switch (code) {
	case CURLE_URL_MALFORMAT:
	case CURLE_UNSUPPORTED_PROTOCOL:
	case CURLE_SSL_CACERT_BADFILE:
	case CURLE_PEER_FAILED_VERIFICATION:
		return WR_BAD_CONFIG;
	default:
		must(curl_easy_getinfo(easy, CURLINFO_REQUEST_SIZE, &sent));
		return sent > 0 ? WR_TIMEOUT : WR_IO;
	}
}

enum wr_err http_caller_call(struct http_caller *caller, const struct http_call *call,
							 struct http_call_answer *ret_answer, struct err_detail *ret_detail)
{
	struct gathering gathering = {.body_max = call->body_max};
	struct curl_slist *headers = header_list(call);
	set_options(caller, call, &gathering, headers);
	CURLcode code = curl_easy_perform(caller->easy);
	long status = 0;
	if (code == CURLE_OK)
		must(curl_easy_getinfo(caller->easy, CURLINFO_RESPONSE_CODE, &status));
	curl_slist_free_all(headers);
	if (code != CURLE_OK) {
		http_call_answer_clear(&gathering.answer);
		if (gathering.too_large)
			return err_say(ret_detail, WR_LIMIT, "the answer is larger than %zu bytes",
						   call->body_max);
		return err_say(ret_detail, err_of(caller->easy, code), "%s",
					   caller->trouble[0] != '\0' ? caller->trouble : curl_easy_strerror(code));
	}
	gathering.answer.status = (int)status;
	if (gathering.answer.body == NULL)
		gathering.answer.body = mem_copy_string("");
	*ret_answer = gathering.answer;
	return WR_OK;
}
