/* HMAC-SHA-256 (RFC 2104, FIPS 180-4) whose beginning is computed once and used for many messages.
 *
 * What     A state that holds the key, and after hmac_update also the text that all messages of a
 *          kind begin with. Copy it by assignment, then update and finish the copy.
 * Used by  signer, challenge.
 * Threads  plain data.
 */
#ifndef WAITINGROOM_CORE_HMAC_H
#define WAITINGROOM_CORE_HMAC_H

/* The SHA256_* calls are deprecated in favour of EVP, whose contexts can only be copied by
 * allocating: hmac.c has the numbers. */
#define OPENSSL_SUPPRESS_DEPRECATED
#include <openssl/sha.h>
#include <stddef.h>
#include <stdint.h>

#define HMAC_BYTES 32
#define HMAC_KEY_MAX_BYTES 64 /* longer keys would be hashed first; there are none here */

struct hmac {
	SHA256_CTX inner, outer;
};

void hmac_init(struct hmac *hmac, const uint8_t *key, size_t key_bytes);
void hmac_update(struct hmac *hmac, const void *bytes, size_t len);
/* Ends it; the state is used up. */
void hmac_final(struct hmac *hmac, uint8_t ret_mac[HMAC_BYTES]);
/* The same for a message that goes on from 'begun' with one more piece; 'begun' stays as it is. */
void hmac_rest(const struct hmac *begun, const void *bytes, size_t len,
			   uint8_t ret_mac[HMAC_BYTES]);

/* Plain SHA-256 of something short, many times: without the look-ups of EVP's one-shot calls. */
void sha256_digest(const void *bytes, size_t len, uint8_t ret_digest[HMAC_BYTES]);

#endif
