/* An integrator for tests: OpenSSL's one-shot calls, apart from the code under test. */
#include "support/entry_sign.h"

#include "support/cmocka.h"
#include "waitingroom/text.h"

#include <openssl/bn.h>
#include <openssl/ecdsa.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/pem.h>
#include <string.h>

static void append(struct entry_text *text, const char *bytes, size_t len)
{
	assert_true(text->len + len < sizeof(text->bytes));
	memcpy(text->bytes + text->len, bytes, len);
	text->len += len;
	text->bytes[text->len] = '\0';
}

static void append_encoded(struct entry_text *text, const void *bytes, size_t len)
{
	char encoded[ENTRY_TEXT_ROOM];
	assert_true(BASE64URL_LEN(len) < sizeof(encoded));
	append(text, encoded, base64url_encode(bytes, len, encoded));
}

static void begin(const char *header, const char *payload, size_t payload_len,
				  struct entry_text *ret_text)
{
	ret_text->len = 0;
	append_encoded(ret_text, header, strlen(header));
	append(ret_text, ".", 1);
	append_encoded(ret_text, payload, payload_len);
}

static void end(struct entry_text *text, const void *signature, size_t len)
{
	append(text, ".", 1);
	append_encoded(text, signature, len);
}

void entry_sign_mac(const char *header, const char *payload, size_t payload_len, const void *key,
					size_t key_bytes, struct entry_text *ret_text)
{
	uint8_t mac[32];
	begin(header, payload, payload_len, ret_text);
	HMAC(EVP_sha256(), key, (int)key_bytes, (const uint8_t *)ret_text->bytes, ret_text->len, mac,
		 NULL);
	end(ret_text, mac, sizeof(mac));
}

void entry_sign_hs256(const char *header, const char *payload, size_t payload_len,
					  struct entry_text *ret_text)
{
	uint8_t secret[32];
	size_t len;
	assert_true(base64url_decode(SECRET_A, sizeof(SECRET_A) - 1, secret, sizeof(secret), &len));
	entry_sign_mac(header, payload, payload_len, secret, len, ret_text);
}

/* PEM_A with its line ends, which stand there as JSON writes them. */
static EVP_PKEY *private_key(void)
{
	char pem[512] = "";
	size_t len = 0;
	for (const char *at = PEM_A; *at; at++) {
		bool is_end = at[0] == '\\' && at[1] == 'n';
		pem[len++] = is_end ? '\n' : *at;
		at += is_end;
	}
	BIO *bio = BIO_new_mem_buf(pem, (int)len);
	EVP_PKEY *key = PEM_read_bio_PrivateKey(bio, NULL, NULL, NULL);
	BIO_free(bio);
	assert_non_null(key);
	return key;
}

void entry_sign_es256(const char *header, const char *payload, size_t payload_len,
					  struct entry_text *ret_text)
{
	uint8_t der[80], raw[64];
	size_t der_len = sizeof(der);
	begin(header, payload, payload_len, ret_text);
	EVP_PKEY *key = private_key();
	EVP_MD_CTX *context = EVP_MD_CTX_new();
	assert_int_equal(EVP_DigestSignInit_ex(context, NULL, "SHA256", NULL, NULL, key, NULL), 1);
	assert_int_equal(
		EVP_DigestSign(context, der, &der_len, (const uint8_t *)ret_text->bytes, ret_text->len), 1);
	EVP_MD_CTX_free(context);
	EVP_PKEY_free(key);
	const uint8_t *at = der;
	ECDSA_SIG *signature = d2i_ECDSA_SIG(NULL, &at, (long)der_len);
	assert_non_null(signature);
	BN_bn2binpad(ECDSA_SIG_get0_r(signature), raw, 32);
	BN_bn2binpad(ECDSA_SIG_get0_s(signature), raw + 32, 32);
	ECDSA_SIG_free(signature);
	end(ret_text, raw, sizeof(raw));
}

void entry_set_signature(struct entry_text *text, const void *bytes, size_t len)
{
	text->len = (size_t)(strrchr(text->bytes, '.') - text->bytes);
	end(text, bytes, len);
}
