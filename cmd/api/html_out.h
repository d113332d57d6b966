/* HTML being written: text that grows, and the ways in which foreign text may enter it.
 *
 * What is put in is bounded by whoever puts it in; memory that cannot be had ends the process.
 */
#ifndef WAITINGROOM_API_HTML_OUT_H
#define WAITINGROOM_API_HTML_OUT_H

#include <stddef.h>

struct html_out {
	char *text; /* owned; no NUL behind it */
	size_t len, room;
};

void html_free(struct html_out *out); /* for WR_AUTO */
/* As it is: only what we wrote ourselves, or has been made safe. */
void html_raw(struct html_out *out, const char *text, size_t len);
void html_literal(struct html_out *out, const char *text);
/* Escaped for text and for attributes in quotes. */
void html_text(struct html_out *out, const char *text, size_t len);
void html_string(struct html_out *out, const char *text);
void html_number(struct html_out *out, long long number);
/* JSON inside a script element: "<" would begin a tag ("</script", "<!--"), and U+2028 and U+2029
 * end a line in older JavaScript; all may stand in strings only, where an escape says the same. */
void html_script_json(struct html_out *out, const char *json, size_t len);

#endif
