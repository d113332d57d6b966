/* Signers: the OpenSSL contexts of one thread, kept ready between tokens.
 *
 * Setting a context up costs several times what one short token does: fetching the algorithm by
 * name, keying, allocating. So a signer fetches once, keys one context for each row of the table
 * when the table changes, and a token only re-initialises its row's context: EVP_MAC_init with a
 * NULL key starts again from the keyed state. Nothing is shared between threads but the immutable
 * table.
 *
 * OpenSSL fails here only when memory runs out or we misuse it, and both end the process. A
 * signature that does not hold is an answer, not a failure; what OpenSSL notes about it in the
 * thread's error queue is dropped.
 */
#include "signer.h"

#include <openssl/core_names.h>
#include <openssl/err.h>
#include <stdio.h>
#include <stdlib.h>

#include "jws.h"
#include "waitingroom/memory.h"
#include "waitingroom/token.h"

struct signer_row {
	EVP_MAC_CTX *mac;	  /* HS256 */
	EVP_PKEY_CTX *sign;	  /* ES256 */
	EVP_PKEY_CTX *verify; /* ES256 */
};

struct signer {
	EVP_MAC *hmac;
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
	signer->hmac = EVP_MAC_fetch(NULL, "HMAC", NULL);
	signer->sha256 = EVP_MD_fetch(NULL, "SHA256", NULL);
	signer->digest = EVP_MD_CTX_new();
	must(signer->hmac && signer->sha256 && signer->digest, "fetching HMAC and SHA-256");
	return signer;
}

static void drop_rows(struct signer *signer)
{
	for (size_t i = 0; i < KEYS_MAX; i++) {
		struct signer_row *row = &signer->rows[i];
		EVP_MAC_CTX_free(row->mac);
		EVP_PKEY_CTX_free(row->sign);
		EVP_PKEY_CTX_free(row->verify);
		*row = (struct signer_row){0};
	}
}

void signer_free(struct signer *signer)
{
	if (!signer)
		return;
	drop_rows(signer);
	EVP_MD_CTX_free(signer->digest);
	EVP_MD_free(signer->sha256);
	EVP_MAC_free(signer->hmac);
	mem_free_at(&signer);
}

static void prepare_mac(struct signer *signer, struct signer_row *row, const struct key_row *key)
{
	char digest[] = "SHA256";
	OSSL_PARAM params[] = {
		OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0),
		OSSL_PARAM_construct_end(),
	};
	row->mac = EVP_MAC_CTX_new(signer->hmac);
	must(row->mac && EVP_MAC_init(row->mac, key->secret, key->secret_len, params) == 1,
		 "keying HMAC");
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
			prepare_mac(signer, &signer->rows[i], &keys->rows[i]);
	}
	signer->generation = keys->generation;
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
	EVP_MAC_CTX *mac = row_of(signer, row)->mac;
	size_t len;
	bool done = EVP_MAC_init(mac, NULL, 0, NULL) == 1;
	for (size_t i = 0; done && i < count; i++)
		done = EVP_MAC_update(mac, parts[i].bytes, parts[i].len) == 1;
	must(done && EVP_MAC_final(mac, ret_mac, &len, HS256_BYTES) == 1 && len == HS256_BYTES, "HMAC");
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
