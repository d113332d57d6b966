/* Admin keys: who may use the admin API.
 *
 *     {"keys":[{"id":"bootstrap","sha256":"<64 hex digits of SHA-256 of the key>"}]}
 *
 * A key is "wrk_" and 43 characters; only its hash is kept.
 */
#ifndef WAITINGROOM_API_ADMIN_KEYS_H
#define WAITINGROOM_API_ADMIN_KEYS_H

#include <stdbool.h>

#include "waitingroom/err.h"

struct admin_keys;

WR_MUST_USE enum wr_err admin_keys_load(const char *path, struct admin_keys **ret_keys,
										struct err_detail *ret_detail);
void admin_keys_free(void *keys);
/* Takes the value of the Authorization header (may be NULL). Compared in constant time. */
bool admin_keys_allow(const struct admin_keys *keys, const char *authorization);

/* Writes a new file with one key, mode 0400, and fills the key itself, which is shown once. */
#define ADMIN_KEY_BYTES 48
WR_MUST_USE enum wr_err admin_keys_generate(const char *path, char ret_key[ADMIN_KEY_BYTES],
											struct err_detail *ret_detail);

#endif
