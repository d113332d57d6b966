/* The inside of 'struct signer': the OpenSSL contexts of one thread, one row for each key.
 *
 * What     Raw signatures over bytes, with the rows of the key table in use.
 * Used by  token, token_ids.
 * Threads  a signer belongs to one thread.
 */
#ifndef WAITINGROOM_CORE_SIGNER_H
#define WAITINGROOM_CORE_SIGNER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "key_table.h"

#define HS256_BYTES 32
#define ES256_BYTES 64 /* r and s, 32 bytes each, big end first (RFC 7518 section 3.4) */

/* A piece of what is signed; borrows. */
struct signed_part {
	const void *bytes;
	size_t len;
};

struct signer;

/* The table in use; never NULL (signer_use_keys comes before anything else). */
const struct keys *signer_keys(const struct signer *signer);

/* 'row' is a row of signer_keys: HS256 for the first, ES256 for the other two. */
void signer_hs256(struct signer *signer, const struct key_row *row, const struct signed_part *parts,
				  size_t count, uint8_t ret_mac[HS256_BYTES]);
/* Of a token's text up to its second dot, which begins with the row's header. */
void signer_hs256_token(struct signer *signer, const struct key_row *row, const char *text,
						size_t len, uint8_t ret_mac[HS256_BYTES]);
void signer_es256(struct signer *signer, const struct key_row *row, const char *text, size_t len,
				  uint8_t ret_signature[ES256_BYTES]);
bool signer_es256_is_valid(struct signer *signer, const struct key_row *row, const char *text,
						   size_t len, const uint8_t signature[ES256_BYTES]);

#endif
