/* The inside of 'struct keys': rows that signers turn into OpenSSL contexts.
 *
 * What     What a kid stands for: its use (which fixes the algorithm), its encoded header, its key.
 * Used by  keys, signer, token.
 * Threads  any; nothing changes after keys_parse.
 */
#ifndef WAITINGROOM_CORE_KEY_TABLE_H
#define WAITINGROOM_CORE_KEY_TABLE_H

#include <openssl/evp.h>
#include <stddef.h>
#include <stdint.h>

#include "waitingroom/keys.h"

#define KEY_SECRET_MIN_BYTES 32
#define KEY_SECRET_MAX_BYTES 64
#define P256_BYTES 32

/* use, word in the file, algorithm, typ of its tokens (NULL: signs no tokens) */
#define KEY_USE_TABLE(X)                                                                           \
	X(KEY_POSITION, "position", "HS256", "wr-position+jwt")                                        \
	X(KEY_SESSION, "session", "ES256", "wr-session+jwt")                                           \
	X(KEY_IDENTITY, "identity", "HS256", NULL)

#define PASS_TYP "wr-pass+jwt"

#define KEY_USE_ENUM(name, word, alg, typ) name,
enum key_use { KEY_USE_TABLE(KEY_USE_ENUM) KEY_USE_COUNT };
#undef KEY_USE_ENUM

/* Longest header: {"alg":"HS256","kid":"<32>","typ":"wr-position+jwt"} is 80 bytes, 107 encoded. */
#define KEY_HEADER_ROOM 120

struct key_row {
	enum key_use use;
	char kid[KID_MAX_CHARS + 1];
	char header[KEY_HEADER_ROOM];	   /* encoded JOSE header and its dot, as each token begins */
	size_t header_len;				   /* 0: signs no tokens */
	char pass_header[KEY_HEADER_ROOM]; /* of session keys: of the passes that they sign as well */
	size_t pass_header_len;
	uint8_t secret[KEY_SECRET_MAX_BYTES]; /* HS256 */
	size_t secret_len;
	EVP_PKEY *pair; /* ES256, NULL otherwise */
	uint8_t x[P256_BYTES], y[P256_BYTES];
};

struct keys {
	/* Differs between any two tables of a process: an address may be used again, this is not. */
	uint64_t generation;
	size_t count;
	struct key_row rows[KEYS_MAX];
	const struct key_row *first[KEY_USE_COUNT]; /* the rows that sign; never NULL */
};

#endif
