/* Digest: SHA-256 of what comes in pieces, by OpenSSL's EVP. */
#include "waitingroom/digest.h"

#include <assert.h>
#include <openssl/evp.h>

#define DIGEST_BYTES 32

struct digest *digest_new(void)
{
	EVP_MD_CTX *context = EVP_MD_CTX_new();
	int begun = EVP_DigestInit_ex(context, EVP_sha256(), NULL);
	assert(context && begun); /* as with memory: nothing sensible can go on */
	return (struct digest *)context;
}

void digest_add(struct digest *digest, const void *bytes, size_t len)
{
	EVP_DigestUpdate((EVP_MD_CTX *)digest, bytes, len);
}

void digest_end(struct digest *digest, char ret_hex[DIGEST_HEX_BYTES])
{
	static const char hex[16] = "0123456789abcdef";
	unsigned char bytes[DIGEST_BYTES];
	EVP_DigestFinal_ex((EVP_MD_CTX *)digest, bytes, NULL);
	for (size_t i = 0; i < DIGEST_BYTES; i++) {
		ret_hex[2 * i] = hex[bytes[i] >> 4];
		ret_hex[2 * i + 1] = hex[bytes[i] & 15];
	}
	ret_hex[DIGEST_HEX_BYTES - 1] = '\0';
	digest_free(digest);
}

void digest_free(struct digest *digest)
{
	EVP_MD_CTX_free((EVP_MD_CTX *)digest);
}
