/* Strict scanner over JSON text (RFC 8259): says whether bytes are one well-formed value, and why
 * not.
 *
 * What     The grammar that json_in trusts; cJSON alone takes more than JSON. Allocates nothing.
 * Used by  json_in, fuzzing.
 * Threads  any.
 */
#ifndef WAITINGROOM_CORE_JSON_SCAN_H
#define WAITINGROOM_CORE_JSON_SCAN_H

#include <stdbool.h>
#include <stddef.h>

#define JSON_DEPTH_MAX 16
#define JSON_NUMBER_CHARS_MAX 40

/* NULL when text is one value with nothing but white space around it; else a static sentence, and
 * fills ret_at with the offset of the byte where it went wrong. */
const char *json_scan(const char *text, size_t len, size_t *ret_at);

/* Finds the next number token at or after *at in text that json_scan has accepted, moves *at behind
 * it and fills its place; false at the end. */
bool json_scan_next_number(const char *text, size_t len, size_t *at, size_t *ret_start,
						   size_t *ret_len);

#endif
