/* Parts of a document: filling placeholders, and finding elements in the result.
 *
 * Used by  page_build.
 * Threads  any; pure.
 */
#ifndef WAITINGROOM_API_PAGE_PARTS_H
#define WAITINGROOM_API_PAGE_PARTS_H

#include <stdbool.h>

#include "page_build.h"
#include "web_file.h"

struct page_source { /* where the values of placeholders come from; all borrowed */
	const struct languages *languages;
	size_t language;
	const struct page_look *look;
	const struct html_out *content; /* NULL: none */
	const char *heading;			/* of the content */
	bool is_foreign;				/* the text is an operator's: our files are not for it */
};

/* Writes 'text' with every {{name}} that is known replaced; what comes from settings and languages
 * is escaped for the place where the names belong. Others stay as they are. */
void page_expand(struct html_out *out, const struct page_source *source, const char *text,
				 size_t len);

/* Elements whose text is not HTML, as a browser finds them: one begins behind its tag and ends at
 * "</style" or "</script", whatever stands between. */
enum page_element_kind {
	PAGE_STYLE,
	PAGE_SCRIPT,
	PAGE_DATA, /* a script element that a browser does not run */
	PAGE_NOSCRIPT
};
struct page_element {
	enum page_element_kind kind;
	const char *text;
	size_t text_len;
	const char *begin, *end; /* with its tags */
};
/* The next element behind *at; moves *at behind it. */
bool page_element_next(const char *html, size_t len, size_t *at, struct page_element *ret_element);

/* First 'word' in any case of letters; NULL: none. */
const char *page_find(const char *html, size_t len, const char *word);
/* Of a whole document: the styles, scripts and noscripts of its head; what is inside its body. */
void page_put_head_parts(struct html_out *out, const char *html, size_t len);
void page_put_body(struct html_out *out, const char *html, size_t len);

#endif
