/* JSON Web Signature, compact form (RFC 7515): the parts of the text, and ES256's two spellings.
 *
 * Used by  token, signer.
 * Threads  any.
 */
#ifndef WAITINGROOM_CORE_JWS_H
#define WAITINGROOM_CORE_JWS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "signer.h"

struct jws_parts {
	size_t header_len; /* with its dot */
	const char *payload;
	size_t payload_len;
	size_t signed_len; /* header, dot, payload: what the signature is over */
	const char *signature;
	size_t signature_len;
};

/* false unless text is three non-empty parts. Parts lend from text. */
bool jws_split(const char *text, size_t len, struct jws_parts *ret_parts);

/* SEQUENCE { INTEGER r, INTEGER s }, as OpenSSL takes and gives it; 72 bytes at most. */
#define ES256_DER_ROOM 72
size_t es256_to_der(const uint8_t signature[ES256_BYTES], uint8_t ret_der[ES256_DER_ROOM]);
bool es256_from_der(const uint8_t *der, size_t len, uint8_t ret_signature[ES256_BYTES]);

#endif
