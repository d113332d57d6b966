/* A browser without scripts, for tests: keeps cookies, fills in forms and presses their buttons.
 *
 * It knows no address but those that a test or a page gives it. Functions fail the running test
 * (cmocka) instead of returning errors.
 */
#ifndef SUPPORT_PLAIN_BROWSER_H
#define SUPPORT_PLAIN_BROWSER_H

#include "support/http.h"

struct browser {
	const char *url;	   /* of the pod */
	const char *site;	   /* Sec-Fetch-Site of what it posts; NULL: an old browser */
	char cookies[8][1200]; /* "name=value"; "" is a free one */
};

/* more: further header lines. All give answers. */
struct http_answer *browser_request(struct browser *browser, const char *method, const char *path,
									const char *more, const char *body);
struct http_answer *browser_look(struct browser *browser, const char *path);
struct http_answer *browser_post(struct browser *browser, const char *path, const char *form);
/* The fields of the form whose "do" is this, as a browser would send them; gives. NULL: none. */
char *browser_form(const struct http_answer *page, const char *what);
/* Presses the button of that form. */
struct http_answer *browser_press(struct browser *browser, const char *path,
								  const struct http_answer *page, const char *what);
/* From the first address to a place in line. */
void browser_join(struct browser *browser, const char *path);
/* The token in its place cookie; NULL: none. Lends. */
const char *browser_place(const struct browser *browser);

void page_expect(const struct http_answer *page, int status, const char *heading);
void page_expect_text(const struct http_answer *page, const char *text);
void page_expect_no_text(const struct http_answer *page, const char *text);
/* 303 to an address that begins like this. */
void page_expect_redirect(const struct http_answer *answer, const char *where);
/* To https://shop.example/checkout, with a pass, and the rest of the query as it was asked for. */
void page_expect_way_in(const struct http_answer *answer, const char *end);

#endif
