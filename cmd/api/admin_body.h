/* Admin body: what operators send, as far as several handlers read the same. Every complaint names
 * the member. */
#ifndef WAITINGROOM_API_ADMIN_BODY_H
#define WAITINGROOM_API_ADMIN_BODY_H

#include "internal.h"
#include "waitingroom/json_in.h"

/* The body as a JSON object with no members but those of 'known', which ends in NULL. gives */
WR_MUST_USE enum wr_err admin_body(const struct http_request *request, const char *const *known,
								   struct json_value **ret_document, struct err_detail *ret_detail);
/* A line of text, or with 'lines' several: no control characters, 'least' to 'most' bytes. Not
 * given: "" where least is 0. lends, until the document is freed */
WR_MUST_USE enum wr_err admin_body_text(const struct json_value *document, const char *name,
										size_t least, size_t most, bool lines,
										const char **ret_text, struct err_detail *ret_detail);
/* Not given: ret_number stays as it is. */
WR_MUST_USE enum wr_err admin_body_number(const struct json_value *document, const char *name,
										  int64_t least, int64_t most, int64_t *ret_number,
										  struct err_detail *ret_detail);

/* A row as an answer has it: opens an object and puts the members of a JSON object, without
 * 'secret' (NULL: all). The caller goes on and ends it. */
void admin_row_begin(struct json_out *out, const struct json_value *row, const char *secret);

#endif
