/* Languages of the waiting page: one per file cmd/api/web/lang/<code>.json, a flat object of
 * strings. Adding a language is adding a file.
 *
 * Keys that begin with "_" are about the language: "_name" its own name, "_dir" ltr or rtl.
 *
 * Used by  the page; loaded once before the threads start, then read-only.
 */
#ifndef WAITINGROOM_API_LANGUAGE_H
#define WAITINGROOM_API_LANGUAGE_H

#include <stddef.h>

#include "waitingroom/json_in.h"

#define LANGUAGES_MAX 64

struct language {
	char code[16]; /* "pt", "zh-Hans" */
	struct json_value *strings;
};
struct languages {
	size_t count;
	size_t english;
	struct language all[LANGUAGES_MAX];
};

struct languages *languages_new(void); /* gives; a file that cannot be read ends the process */
void languages_free(struct languages *languages);

/* The text of a key; in English when the language lacks it, and "" when that does, too. */
const char *language_string(const struct languages *languages, size_t language, const char *key);

/* The language of a tag: the exact one, then of shorter and shorter forms of the tag (pt-BR: pt),
 * then any with the same first part (zh-CN: zh-Hans). */
bool language_find(const struct languages *languages, const char *tag, size_t len,
				   size_t *ret_language);
/* The language for a visitor: the first of these that names one of ours; English otherwise.
 * wanted    of ?lang, chosen of the cookie: a tag or NULL
 * accepted  Accept-Language or NULL: the one with the highest weight that we have */
size_t languages_choose(const struct languages *languages, const char *wanted, const char *chosen,
						const char *accepted);

#endif
