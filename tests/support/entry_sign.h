/* An integrator for tests: signs entry tokens, good ones and bad ones.
 *
 * The keys are ENTRY_KEYS_JSON in a queue's settings: "shop-1" HS256, "shop-2" ES256.
 */
#ifndef SUPPORT_ENTRY_SIGN_H
#define SUPPORT_ENTRY_SIGN_H

#include <stddef.h>

#include "support/key_texts.h"

#define ENTRY_PEM_A                                                                                \
	"-----BEGIN PUBLIC KEY-----\\n"                                                                \
	"MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAErjfIieN+ROZpkeDpsr0uqnXcoa2g\\n"                          \
	"SgHCPc9ETqgv7eDKoj14F/EvG2KYDI570jlPnK7A2uIjlmWtr/NFB8oImQ==\\n"                              \
	"-----END PUBLIC KEY-----\\n"
#define ENTRY_KEYS_JSON                                                                            \
	"[{\"kid\":\"shop-1\",\"alg\":\"HS256\",\"key\":\"" SECRET_A "\"},"                            \
	"{\"kid\":\"shop-2\",\"alg\":\"ES256\",\"key\":\"" ENTRY_PEM_A "\"}]"

#define ENTRY_HEADER_HS256 "{\"alg\":\"HS256\",\"typ\":\"wr-invite+jwt\",\"kid\":\"shop-1\"}"
#define ENTRY_HEADER_ES256 "{\"alg\":\"ES256\",\"typ\":\"wr-invite+jwt\",\"kid\":\"shop-2\"}"

#define ENTRY_TEXT_ROOM 16384
struct entry_text {
	char bytes[ENTRY_TEXT_ROOM]; /* with NUL */
	size_t len;
};

/* header '.' payload '.' signature, whatever the header says. fills */
void entry_sign_hs256(const char *header, const char *payload, size_t payload_len,
					  struct entry_text *ret_text);
void entry_sign_es256(const char *header, const char *payload, size_t payload_len,
					  struct entry_text *ret_text);
/* The same, with any key of HMAC. */
void entry_sign_mac(const char *header, const char *payload, size_t payload_len, const void *key,
					size_t key_bytes, struct entry_text *ret_text);
/* Puts other bytes in the place of the signature. */
void entry_set_signature(struct entry_text *text, const void *bytes, size_t len);

#endif
