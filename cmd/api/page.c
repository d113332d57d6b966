/* GET /q/<tenant>/<queue>: the waiting page. GET /room-worker.js: its worker's script.
 *
 * One document per language, the same bytes for everybody, so that caches may keep it; who somebody
 * is and where they stand comes as JSON afterwards. ?nojs=1 is the page for browsers without
 * scripts (noscript.c), ?preview=1 shows any state to an operator (preview.c).
 */
#include "page.h"

#include <stdio.h>
#include <string.h>

#include "endpoints.h"
#include "noscript.h"
#include "page_cache.h"
#include "preview.h"
#include "waitingroom/memory.h"

#define HTML_TYPE "text/html; charset=utf-8"
#define LANGUAGE_COOKIE "wr-lang"
#define TAG_BYTES 80

size_t page_language(const struct worker *worker, const struct http_request *request)
{
	char wanted[32], chosen[32], *tag = NULL, *cookie = NULL;
	const char *value;
	size_t len;
	if (http_request_query(request, "lang", wanted, sizeof(wanted)) ||
		http_request_form(request, "lang", wanted, sizeof(wanted)))
		tag = wanted;
	if (http_request_cookie(request, LANGUAGE_COOKIE, &value, &len) && len < sizeof(chosen)) {
		memcpy(chosen, value, len);
		chosen[len] = '\0';
		cookie = chosen;
	}
	return languages_choose(worker->app->languages, tag, cookie,
							http_request_header(request, "Accept-Language"));
}

enum wr_err page_find_queue(const struct worker *worker, const struct route_match *match,
							struct queue_name *ret_name, const struct queue_snapshot **ret_snapshot)
{
	struct queue_name name = {{0}, {0}};
	if (!name_is_valid(match->segment[0], match->len[0]) ||
		!name_is_valid(match->segment[1], match->len[1]))
		return WR_NO_QUEUE;
	memcpy(name.tenant, match->segment[0], match->len[0]);
	memcpy(name.queue, match->segment[1], match->len[1]);
	const struct queue_snapshot *snapshot = queue_table_find(worker->app->queues, &name);
	if (snapshot == NULL)
		return app_why_no_queue(worker->app);
	*ret_name = name;
	*ret_snapshot = snapshot;
	return WR_OK;
}

static void put_security_headers(struct http_request *request, const char *policy)
{
	http_reply_header(request, "Content-Security-Policy", policy);
	http_reply_header(request, "Referrer-Policy", "no-referrer");
	http_reply_header(request, "X-Content-Type-Options", "nosniff");
	http_reply_header(request, "X-Robots-Tag", "noindex");
}

/* Does If-None-Match name this tag? Weak or strong is the same here (RFC 9110 section 13.1.2). */
static bool has_tag(const struct http_request *request, const char *tag)
{
	const char *known = http_request_header(request, "If-None-Match");
	return known != NULL && (strcmp(known, "*") == 0 || strstr(known, tag) != NULL);
}

void page_reply(struct http_request *request, const struct page *page, const char *content_type,
				const char *cache)
{
	enum http_coding coding = http_coding_choose(http_request_header(request, "Accept-Encoding"));
	const char *word = http_coding_word(coding);
	char tag[TAG_BYTES];
	snprintf(tag, sizeof(tag), "\"%s%s%s\"", page->tag, word != NULL ? "-" : "",
			 word != NULL ? word : "");
	http_reply_header(request, "ETag", tag);
	http_reply_header(request, "Cache-Control", cache);
	put_security_headers(request, page->policy);
	if (has_tag(request, tag)) {
		http_reply(request, 304, content_type, "", 0);
		return;
	}
	if (word != NULL)
		http_reply_header(request, "Content-Encoding", word);
	http_reply(request, 200, content_type, page->body[coding], page->len[coding]);
}

void page_reply_static(struct worker *worker, struct http_request *request, int status,
					   const struct page_look *look, size_t language,
					   const struct page_content *content)
{
	WR_AUTO(html_free) struct html_out document = {NULL};
	char policy[PAGE_POLICY_BYTES];
	page_build_static(worker->app->languages, language, look, content, &document, policy);
	put_security_headers(request, policy);
	http_reply_header(request, "Content-Language", worker->app->languages->all[language].code);
	/* Not compressed: ten kilobytes fit into a first flight as they are, and compressing each
	 * answer anew would cost many times what it takes to make it. */
	http_reply(request, status, HTML_TYPE, document.text, document.len);
}

void page_worker_serve(void *ctx, struct http_request *request, const struct route_match *match)
{
	struct worker *worker = ctx;
	struct parked *notes = http_request_notes(request);
	char version[32];
	(void)match;
	notes->endpoint = ENDPOINT_PAGE;
	const struct page *page = page_cache_worker(worker->app->pages);
	http_reply_header(request, "Vary", "Accept-Encoding");
	/* The page names the script by a hash of its text, so what was fetched by that name stays. */
	bool is_named = http_request_query(request, "v", version, sizeof(version)) &&
					strlen(version) >= 8 && strncmp(version, page->tag, strlen(version)) == 0;
	page_reply(request, page, "text/javascript; charset=utf-8",
			   is_named ? "public, max-age=31536000, immutable" : "public, max-age=60");
}

void page_serve(void *ctx, struct http_request *request, const struct route_match *match)
{
	struct worker *worker = ctx;
	struct parked *notes = http_request_notes(request);
	const struct queue_snapshot *snapshot = NULL;
	char value[32];
	notes->endpoint = ENDPOINT_PAGE;
	enum wr_err err = page_find_queue(worker, match, &notes->claims.queue, &snapshot);
	if (err != WR_OK) {
		page_problem(worker, request, err);
		return;
	}
	if (http_request_query(request, "preview", value, sizeof(value))) {
		preview_serve(worker, request, snapshot);
		return;
	}
	if (http_request_query(request, "nojs", value, sizeof(value))) {
		noscript_serve(worker, request, snapshot);
		return;
	}
	size_t language = page_language(worker, request), named;
	/* An address with the language in it may be kept whatever else the request says. */
	bool is_named = http_request_query(request, "lang", value, sizeof(value)) &&
					language_find(worker->app->languages, value, strlen(value), &named);
	http_reply_header(request, "Vary",
					  is_named ? "Accept-Encoding" : "Accept-Encoding, Accept-Language, Cookie");
	http_reply_header(request, "Content-Language", worker->app->languages->all[language].code);
	page_reply(request, page_cache_find(worker->app->pages, snapshot, language), HTML_TYPE,
			   "public, max-age=60");
}
