/* Building documents of the waiting page: from the files of cmd/api/web to bytes that are served.
 *
 * Used by  page_cache and page (documents that are served often), noscript (one at a time).
 * Threads  any; pure, apart from the built-in files.
 */
#ifndef WAITINGROOM_API_PAGE_BUILD_H
#define WAITINGROOM_API_PAGE_BUILD_H

#include "html_out.h"
#include "language.h"
#include "waitingroom/compress.h"
#include "waitingroom/settings.h"

/* What a queue's settings say about how its page looks; texts are lent, "" is as built in. */
struct page_look {
	const char *name, *logo, *colour; /* logo: a data URI */
	char colour_dark[COLOUR_CHARS + 1];
	const char *title, *intro; /* in the page's language */
	const char *template_html;
	const char *captcha; /* origin of the provider's scripts and frames */
};
/* The look in a language; settings NULL: as built in. */
void page_look_init(struct page_look *ret_look, const struct queue_settings *settings,
					const char *language);
bool page_look_is_plain(const struct queue_settings *settings);

#define PAGE_TAG_BYTES 32
#define PAGE_POLICY_BYTES 1024
struct page { /* immutable */
	size_t language;
	enum compress_effort effort;
	uint64_t version; /* of the settings that it was built from; 0: as built in */
	char *body[HTTP_CODING_COUNT];
	size_t len[HTTP_CODING_COUNT];
	char tag[PAGE_TAG_BYTES];		/* hash of the identity form, without quotes */
	char policy[PAGE_POLICY_BYTES]; /* Content-Security-Policy */
};

/* The document of a look; gives. */
struct page *page_build(const struct languages *languages, size_t language,
						const struct page_look *look, enum compress_effort effort);
/* A file as it is, for the worker's script; policy: "default-src 'none'; …"; gives. */
struct page *page_build_file(const char *name, const char *policy, enum compress_effort effort);
void page_free(void *page);

/* What a document without scripts says; all borrowed. */
struct page_content {
	const char *heading;		 /* plain text, for the title */
	const struct html_out *html; /* safe already */
	const char *form_targets; /* origins that its forms lead to, with spaces between them, or "" */
};
void page_build_static(const struct languages *languages, size_t language,
					   const struct page_look *look, const struct page_content *content,
					   struct html_out *ret_document, char ret_policy[PAGE_POLICY_BYTES]);

#endif
