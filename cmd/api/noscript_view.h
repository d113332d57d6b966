/* What the page without scripts shows: its parts as HTML, in the visitor's language.
 *
 * Used by  noscript, page (errors).
 */
#ifndef WAITINGROOM_API_NOSCRIPT_VIEW_H
#define WAITINGROOM_API_NOSCRIPT_VIEW_H

#include "page.h"
#include "place.h"
#include "waitingroom/challenge.h"

#define VIEW_TARGET_CHARS 2731 /* base64url of the longest target */

struct view {
	struct worker *worker;
	struct http_request *request;
	const struct queue_snapshot *snapshot; /* NULL: there is no such queue */
	size_t language;
	/* What a visitor brought and every link and form hands on: base64url of the target, a signed
	 * entry token; "" none. */
	char target[VIEW_TARGET_CHARS + 1], entry[TOKEN_MAX_BYTES + 1];
	char challenge[CHALLENGE_CHARS + 1]; /* that forms bring back; "" none */
	const char *heading;				 /* the first one */
	bool has_form;
	struct html_out out;
};

/* From the request: query, form, or the address of the page that led here. */
void view_init(struct view *view, struct worker *worker, struct http_request *request,
			   const struct queue_snapshot *snapshot);
void view_free(struct view *view); /* for WR_AUTO */
/* What the queue does now; there must be one. */
enum queue_state view_state(const struct view *view);
const char *view_string(const struct view *view, const char *key);
/* "?nojs=1&lang=…&…" with 'more' ("&stop=1") behind it, not escaped. */
#define VIEW_LINK_BYTES (VIEW_TARGET_CHARS + TOKEN_MAX_BYTES + 96)
void view_link(const struct view *view, const char *more, char ret_link[VIEW_LINK_BYTES]);

/* Heading and sentence of a state, "missed": the keys "missed.h" and "missed.p". */
void view_page(struct view *view, const char *page);
void view_heading(struct view *view, const char *key);
void view_paragraph(struct view *view, const char *key);
void view_message(struct view *view); /* the operator's, if there is one */
void view_place(struct view *view, const struct place_look *look);
/* A button that posts: 'what' is join, enter or leave. */
void view_button(struct view *view, const char *what, const char *key);
void view_anchor(struct view *view, const char *more, const char *key);
void view_support_code(struct view *view, const char *code);
/* "{n}" in a text becomes the number. */
void view_number_paragraph(struct view *view, const char *key, int64_t number);

/* The cookie that comes with every form, and back only from our own pages. */
const char *view_form_cookie(const struct worker *worker);

/* Ends the answer. Headers before it. */
void view_reply(struct view *view, int status);

#endif
