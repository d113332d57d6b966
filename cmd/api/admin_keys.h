/* Admin keys: what they look like, those of the file, and whether one is what the store's row says.
 *
 *     wrk_<43>         in WR_ADMIN_KEYS_FILE, as SHA-256; role admin for all tenants, or as its row says:
 *                      {"keys":[{"id":"bootstrap","sha256":"<64 hex>","role":"viewer","tenant":"acme"}]}
 *     wrk_<8>_<43>     in the store: the first part is its id, by which its row is found; the row has a
 *                      keyed hash of the whole
 *
 * A key is 256 random bits, so one hash is enough: there is nothing to guess and nothing to
 * stretch. The hash in the store is keyed and covers role, tenant and end: whoever can write to the
 * store and no more can neither make a key nor make more of one.
 */
#ifndef WAITINGROOM_API_ADMIN_KEYS_H
#define WAITINGROOM_API_ADMIN_KEYS_H

#include <stdbool.h>

#include "admin_auth.h"
#include "waitingroom/err.h"

struct admin_keys;
struct signer;

WR_MUST_USE enum wr_err admin_keys_load(const char *path, struct admin_keys **ret_keys,
										struct err_detail *ret_detail);
void admin_keys_free(void *keys);
/* Is the key one of the file? Compared in constant time. keys may be NULL: there is no file. */
bool admin_keys_find(const struct admin_keys *keys, const char *key,
					 struct admin_caller *ret_caller);

/* Writes a new file with one key, mode 0400, and fills the key itself, which is shown once. */
#define ADMIN_KEY_BYTES 64
WR_MUST_USE enum wr_err admin_keys_generate(const char *path, char ret_key[ADMIN_KEY_BYTES],
											struct err_detail *ret_detail);

/* ---- keys of the store ---- */

#define ADMIN_KEY_ID_CHARS 8 /* [a-z2-7] */
#define ADMIN_KEY_MAC_CHARS 22
/* A new one: the key, and its id. */
void admin_key_random(char ret_key[ADMIN_KEY_BYTES], char ret_id[ADMIN_KEY_ID_CHARS + 1]);
/* The id of what looks like a key of the store; false: it does not. */
bool admin_key_id(const char *key, char ret_id[ADMIN_KEY_ID_CHARS + 1]);
/* What the row keeps of the key: HMAC with the identity key over the key and what it opens, so that
 * nobody makes more of it who can only write to the store. expires_ms: 0, never. */
void admin_key_mac(struct signer *signer, const char *key, const struct admin_caller *caller,
				   int64_t expires_ms, char ret_mac[ADMIN_KEY_MAC_CHARS + 1]);
/* WR_BAD_TOKEN: it is not the key of that row, or has expired. */
WR_MUST_USE enum wr_err admin_keys_check(struct signer *signer, const char *key, const char *row,
										 size_t len, int64_t now_ms,
										 struct admin_caller *ret_caller);

#endif
