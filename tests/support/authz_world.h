/* A pod that is asked gate checks, and the tokens that visitors show there, for golden files.
 *
 * Words: session (good, of default/shop), id (its name), other (a session of default/other),
 * tampered (the good one with a letter changed), place (a position token of default/shop), pass
 * (into default/shop, not used yet), other-pass (into default/other).
 */
#ifndef SUPPORT_AUTHZ_WORLD_H
#define SUPPORT_AUTHZ_WORLD_H

#include "support/golden.h"

int authz_world_open(void **state);
int authz_world_close(void **state);
const char *const *authz_world_address(void);
const struct golden_word *authz_world_words(void);

#endif
