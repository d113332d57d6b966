/* HMAC-SHA-256 that begins in the middle.
 *
 * The key fills the first block of both hashes, and all tokens of one kid begin with the same 60 to
 * 110 characters of header. Both are hashed once; a heartbeat hashes what is left, four or five
 * blocks in all. EVP_MAC hashes the header again and copies two contexts, which allocates: 320 ns
 * for a token of 240 characters, against 195 here, where a block is 44 ns. The rounds themselves
 * are libcrypto's.
 */
#include "hmac.h"

#include <assert.h>
#include <openssl/crypto.h>

#define BLOCK_BYTES SHA256_CBLOCK

static void absorb_key(SHA256_CTX *hash, const uint8_t *key, size_t key_bytes, uint8_t pad)
{
	uint8_t block[BLOCK_BYTES];
	for (size_t i = 0; i < BLOCK_BYTES; i++)
		block[i] = (i < key_bytes ? key[i] : 0) ^ pad;
	SHA256_Init(hash);
	SHA256_Update(hash, block, sizeof(block));
	OPENSSL_cleanse(block, sizeof(block));
}

void hmac_init(struct hmac *hmac, const uint8_t *key, size_t key_bytes)
{
	assert(key_bytes <= HMAC_KEY_MAX_BYTES);
	absorb_key(&hmac->inner, key, key_bytes, 0x36);
	absorb_key(&hmac->outer, key, key_bytes, 0x5c);
}

void hmac_update(struct hmac *hmac, const void *bytes, size_t len)
{
	SHA256_Update(&hmac->inner, bytes, len);
}

static void finish(SHA256_CTX *inner, SHA256_CTX *outer, uint8_t ret_mac[HMAC_BYTES])
{
	uint8_t digest[SHA256_DIGEST_LENGTH];
	SHA256_Final(digest, inner);
	SHA256_Update(outer, digest, sizeof(digest));
	SHA256_Final(ret_mac, outer);
}

void hmac_final(struct hmac *hmac, uint8_t ret_mac[HMAC_BYTES])
{
	finish(&hmac->inner, &hmac->outer, ret_mac);
}

void hmac_rest(const struct hmac *begun, const void *bytes, size_t len, uint8_t ret_mac[HMAC_BYTES])
{
	SHA256_CTX inner = begun->inner, outer = begun->outer;
	SHA256_Update(&inner, bytes, len);
	finish(&inner, &outer, ret_mac);
}

void sha256_digest(const void *bytes, size_t len, uint8_t ret_digest[HMAC_BYTES])
{
	SHA256_CTX hash;
	SHA256_Init(&hash);
	SHA256_Update(&hash, bytes, len);
	SHA256_Final(ret_digest, &hash);
}
