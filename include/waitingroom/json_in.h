/* JSON from outside: the one place where requests and files are parsed (cJSON behind it).
 *
 * What     Strict: UTF-8, one value, nothing behind it, depth <= 16, no duplicate keys in an object,
 *          no NUL in strings, length given by the caller.
 * Used by  cmd/api, settings, keys, wrload.
 * Threads  any; a value belongs to one thread.
 */
#ifndef WAITINGROOM_JSON_IN_H
#define WAITINGROOM_JSON_IN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "waitingroom/err.h"

struct json_value; /* an element; valid until its document is freed */

/* gives a document (free with json_free); WR_MALFORMED with a reason in detail. */
WR_MUST_USE enum wr_err json_parse(const char *text, size_t len, struct json_value **ret_document,
								   struct err_detail *ret_detail);
void json_free(struct json_value *document);
void json_free_at(struct json_value **document); /* for WR_AUTO */

bool json_is_object(const struct json_value *value);
bool json_is_array(const struct json_value *value);
bool json_is_null(const struct json_value *value);
const struct json_value *json_member(const struct json_value *object,
									 const char *key); /* or NULL */
size_t json_count(const struct json_value *container);
const struct json_value *json_at(const struct json_value *container, size_t position);
/* The element behind this one in its array or object, NULL at the end: for walking along many. */
const struct json_value *json_next(const struct json_value *element);
const char *json_key(const struct json_value *member); /* name of an object's member */

/* false: not of that type. Strings are lent until the document is freed. */
bool json_string(const struct json_value *value, const char **ret_text);
bool json_int(const struct json_value *value, int64_t *ret_number); /* whole numbers up to 2^53 */
bool json_bool(const struct json_value *value, bool *ret_flag);

/* Compact text of a value; gives (free). */
char *json_print(const struct json_value *value);
/* The same for an object, leaving out one member. */
char *json_print_without(const struct json_value *object, const char *key);

#endif
