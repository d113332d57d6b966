/* Support code: how the id of a place is read out over the telephone, "7QD-K3M-0WZ".
 *
 * What     The first 45 bits of the id as nine digits of Crockford's base 32 (no I, L, O, U). The page
 *          prints it by the same rule (web/room_rules.js). It is a part of the id itself, so that a
 *          place can be looked for by the beginning of its key: among ten million places there is
 *          one chance in millions that two share a code.
 * Used by  cmd/api: pages without scripts, looking places up.
 * Threads  any; pure.
 */
#ifndef WAITINGROOM_SUPPORT_CODE_H
#define WAITINGROOM_SUPPORT_CODE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SUPPORT_CODE_CHARS 11 /* with its dashes */
#define SUPPORT_CODE_PREFIX_CHARS                                                                  \
	7 /* of the id that the code says whole; the eighth it says half */

/* "": the id is none. */
void support_code_print(const char *position_id, char ret_code[SUPPORT_CODE_CHARS + 1]);

/* As people type it: small letters, O for 0, I and L for 1, dashes and spaces anywhere. false: that
 * is no code. */
bool support_code_parse(const char *text, size_t len, uint64_t *ret_bits);

bool support_code_is_of(uint64_t bits, const char *position_id);
/* What the ids of this code begin with. */
void support_code_prefix(uint64_t bits, char ret_prefix[SUPPORT_CODE_PREFIX_CHARS + 1]);

#endif
