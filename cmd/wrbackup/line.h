/* Line: one JSON object of a part, and the texts in it.
 *
 * A text that is UTF-8 without NUL stands there as a string, so that a backup can be read and
 * searched; any other as {"base64url":"…"}.
 *
 * Threads  one.
 */
#ifndef WRBACKUP_LINE_H
#define WRBACKUP_LINE_H

#include <stdbool.h>
#include <stddef.h>

#include "waitingroom/json_in.h"
#include "waitingroom/store_items.h"
#include "waitingroom/text.h"

/* ---- writing ---- */

struct line { /* of zeros at first; used again and again */
	struct json_out out;
	char *text;
	size_t room;
};
/* Room for a line with so many bytes of texts in so many pieces, and the object begun. */
void line_begin(struct line *line, size_t bytes, size_t pieces);
void line_text(struct line *line, const char *key, struct store_text text);
void line_end(struct line *line); /* then line->text, line->out.len */
void line_clear(struct line *line);

/* ---- reading ---- */

struct texts { /* in order; of zeros at first */
	struct store_text *list;
	size_t count, room;
	char **owned; /* those that were base64url */
	size_t owned_count;
};
void texts_clear(struct texts *texts);
void texts_add(struct texts *texts, struct store_text text); /* borrows its bytes */
/* An array of texts, or one text. False: it is something else. */
bool texts_read(const struct json_value *value, struct texts *texts);

bool store_text_equal(struct store_text a, struct store_text b);

#endif
