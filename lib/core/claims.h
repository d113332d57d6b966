/* Claims: the payload of a token, between a struct and one flat JSON object.
 *
 * What     A closed set of members, integers, booleans and plain strings; nothing else parses.
 * Used by  token, fuzzing.
 * Threads  any.
 */
#ifndef WAITINGROOM_CORE_CLAIMS_H
#define WAITINGROOM_CORE_CLAIMS_H

#include "waitingroom/token.h"

#define SESSION_LIFE_MAX_S (INT64_C(7) * 24 * 3600)

/* As many payload bytes as a token of TOKEN_MAX_BYTES can hold. */
#define CLAIMS_ROOM (TOKEN_MAX_BYTES / 4 * 3)

/* fills; false when the claims are not such as the parser would take back. */
bool position_claims_print(const struct position_claims *claims, char ret_json[CLAIMS_ROOM],
						   size_t *ret_len);
bool session_claims_print(const struct session_claims *claims, char ret_json[CLAIMS_ROOM],
						  size_t *ret_len);
bool pass_claims_print(const struct pass_claims *claims, char ret_json[CLAIMS_ROOM],
					   size_t *ret_len);

/* fills; what is there after false means nothing. Clocks are not looked at. */
bool position_claims_parse(const char *json, size_t len, struct position_claims *ret_claims);
bool session_claims_parse(const char *json, size_t len, struct session_claims *ret_claims);
bool pass_claims_parse(const char *json, size_t len, struct pass_claims *ret_claims);

#endif
