/* Signers: the OpenSSL contexts of one thread, kept ready between tokens.
 *
 * Setting a context up costs several times what one short token does: fetching the algorithm by
 * name, keying, allocating. So a signer fetches once and keys one context for each row of the table
 * when the table changes; for HS256 it also hashes the header that all tokens of the row begin with
 * (hmac.h). Nothing is shared between threads but the immutable table.
 *
 * OpenSSL fails here only when memory runs out or we misuse it, and both end the process. A
 * signature that does not hold is an answer, not a failure; what OpenSSL notes about it in the
 * thread's error queue is dropped.
 */
#include "signer.h"

#include <openssl/crypto.h>
#include <openssl/err.h>
#include <stdio.h>
#include <stdlib.h>

#include "hmac.h"
#include "jws.h"
#include "waitingroom/memory.h"
#include "waitingroom/token.h"

struct signer_row {
	struct hmac keyed;	  /* HS256 */
	struct hmac begun;	  /* HS256: the same, and the header */
	EVP_PKEY_CTX *sign;	  /* ES256 */
	EVP_PKEY_CTX *verify; /* ES256 */
};

struct signer {
	EVP_MD *sha256;
	EVP_MD_CTX *digest;
	const struct keys *keys;
	uint64_t generation; /* of keys, kept apart: keys may be gone when the next table comes */
	struct signer_row rows[KEYS_MAX];
};

static void must(bool done, const char *what)
{
	if (done)
		return;
	fprintf(stderr, "waitingroom: OpenSSL: %s failed: ", what);
	ERR_print_errors_fp(stderr);
	abort();
}

struct signer *signer_new(void)
{
	struct signer *signer = mem_alloc_zero(1, sizeof(*signer));
	signer->sha256 = EVP_MD_fetch(NULL, "SHA256", NULL);
	signer->digest = EVP_MD_CTX_new();
	must(signer->sha256 && signer->digest, "fetching SHA-256");
	return signer;
}

static void drop_rows(struct signer *signer)
{
	for (size_t i = 0; i < KEYS_MAX; i++) {
		struct signer_row *row = &signer->rows[i];
		EVP_PKEY_CTX_free(row->sign);
		EVP_PKEY_CTX_free(row->verify);
		OPENSSL_cleanse(row, sizeof(*row));
	}
}

void signer_free(struct signer *signer)
{
	if (!signer)
		return;
	drop_rows(signer);
	EVP_MD_CTX_free(signer->digest);
	EVP_MD_free(signer->sha256);
	mem_free_at(&signer);
}

static void prepare_mac(struct signer_row *row, const struct key_row *key)
{
	hmac_init(&row->keyed, key->secret, key->secret_len);
	row->begun = row->keyed;
	hmac_update(&row->begun, key->header, key->header_len);
}

static void prepare_pair(const struct signer *signer, struct signer_row *row,
						 const struct key_row *key)
{
	row->sign = EVP_PKEY_CTX_new(key->pair, NULL);
	row->verify = EVP_PKEY_CTX_new(key->pair, NULL);
	must(row->sign && EVP_PKEY_sign_init(row->sign) == 1 &&
			 EVP_PKEY_CTX_set_signature_md(row->sign, signer->sha256) == 1,
		 "preparing to sign");
	must(row->verify && EVP_PKEY_verify_init(row->verify) == 1 &&
			 EVP_PKEY_CTX_set_signature_md(row->verify, signer->sha256) == 1,
		 "preparing to verify");
}

void signer_use_keys(struct signer *signer, const struct keys *keys)
{
	signer->keys = keys;
	if (signer->generation == keys->generation)
		return;
	drop_rows(signer);
	for (size_t i = 0; i < keys->count; i++) {
		if (keys->rows[i].pair)
			prepare_pair(signer, &signer->rows[i], &keys->rows[i]);
		else
			prepare_mac(&signer->rows[i], &keys->rows[i]);
	}
	signer->generation = keys->generation;
}

uint64_t signer_generation(const struct signer *signer)
{
	return signer_keys(signer)->generation;
}

const struct keys *signer_keys(const struct signer *signer)
{
	must(signer->keys, "using a signer before signer_use_keys");
	return signer->keys;
}

static struct signer_row *row_of(struct signer *signer, const struct key_row *key)
{
	return &signer->rows[key - signer->keys->rows];
}

void signer_hs256(struct signer *signer, const struct key_row *row, const struct signed_part *parts,
				  size_t count, uint8_t ret_mac[HS256_BYTES])
{
	struct hmac hmac = row_of(signer, row)->keyed;
	for (size_t i = 0; i < count; i++)
		hmac_update(&hmac, parts[i].bytes, parts[i].len);
	hmac_final(&hmac, ret_mac);
}

void signer_hs256_token(struct signer *signer, const struct key_row *row, const char *text,
						size_t len, uint8_t ret_mac[HS256_BYTES])
{
	hmac_rest(&row_of(signer, row)->begun, text + row->header_len, len - row->header_len, ret_mac);
}

static void sha256(struct signer *signer, const char *text, size_t len,
				   uint8_t ret_digest[HS256_BYTES])
{
	must(EVP_DigestInit_ex2(signer->digest, signer->sha256, NULL) == 1 &&
			 EVP_DigestUpdate(signer->digest, text, len) == 1 &&
			 EVP_DigestFinal_ex(signer->digest, ret_digest, NULL) == 1,
		 "SHA-256");
}

void signer_es256(struct signer *signer, const struct key_row *row, const char *text, size_t len,
				  uint8_t ret_signature[ES256_BYTES])
{
	uint8_t digest[HS256_BYTES], der[ES256_DER_ROOM];
	size_t der_len = sizeof(der);
	sha256(signer, text, len, digest);
	must(EVP_PKEY_sign(row_of(signer, row)->sign, der, &der_len, digest, sizeof(digest)) == 1 &&
			 es256_from_der(der, der_len, ret_signature),
		 "ECDSA");
}

bool signer_es256_is_valid(struct signer *signer, const struct key_row *row, const char *text,
						   size_t len, const uint8_t signature[ES256_BYTES])
{
	uint8_t digest[HS256_BYTES], der[ES256_DER_ROOM];
	size_t der_len = es256_to_der(signature, der);
	sha256(signer, text, len, digest);
	ERR_set_mark();
	bool valid =
		EVP_PKEY_verify(row_of(signer, row)->verify, der, der_len, digest, sizeof(digest)) == 1;
	ERR_pop_to_mark();
	return valid;
}
