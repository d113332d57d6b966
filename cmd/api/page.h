/* Page: what the ways of showing the waiting page share: language, headers, plain answers. */
#ifndef WAITINGROOM_API_PAGE_H
#define WAITINGROOM_API_PAGE_H

#include "html_out.h"
#include "page_build.h"
#include "worker.h"

/* The language for whoever asks: ?lang, the form's field, the cookie, Accept-Language. */
size_t page_language(const struct worker *worker, const struct http_request *request);
/* Names of the route, "tenant" and "queue". WR_NO_QUEUE, or WR_STORE_AWAY while the queues have not
 * been read; the snapshot is lent until the turn ends. */
WR_MUST_USE enum wr_err page_find_queue(const struct worker *worker,
										const struct route_match *match,
										struct queue_name *ret_name,
										const struct queue_snapshot **ret_snapshot);
/* Answers with a document about one person or of the moment: never kept by a cache. Other headers
 * (Refresh, Location, Set-Cookie) before it. */
void page_reply_static(struct worker *worker, struct http_request *request, int status,
					   const struct page_look *look, size_t language,
					   const struct page_content *content);
/* A page that says what went wrong; tells when to come again if that makes sense. */
void page_problem(struct worker *worker, struct http_request *request, enum wr_err err);
/* The document itself, or 304 when the client has it; cache: Cache-Control. */
void page_reply(struct http_request *request, const struct page *page, const char *content_type,
				const char *cache);

#endif
