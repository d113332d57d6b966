#include "support/es256_hand.h"

#include "support/cmocka.h"
#include "support/key_texts.h"
#include "waitingroom/text.h"

#include <openssl/ecdsa.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <string.h>

/* PEM_A as a key file writes it has the two characters \\n for each line feed. */
static EVP_PKEY *session_pair(void)
{
	char pem[] = PEM_A;
	size_t len = 0;
	for (size_t i = 0; pem[i]; i++, len++) {
		bool line_feed = pem[i] == '\\' && pem[i + 1] == 'n';
		pem[len] = line_feed ? '\n' : pem[i];
		i += line_feed;
	}
	BIO *bio = BIO_new_mem_buf(pem, (int)len);
	EVP_PKEY *pair = PEM_read_bio_PrivateKey(bio, NULL, NULL, NULL);
	BIO_free(bio);
	assert_non_null(pair);
	return pair;
}

static void sign(const char *text, size_t len, uint8_t ret_signature[64])
{
	uint8_t der[80];
	size_t der_len = sizeof(der);
	EVP_PKEY *pair = session_pair();
	EVP_MD_CTX *context = EVP_MD_CTX_new();
	assert_int_equal(EVP_DigestSignInit(context, NULL, EVP_sha256(), NULL, pair), 1);
	assert_int_equal(EVP_DigestSign(context, der, &der_len, (const uint8_t *)text, len), 1);
	EVP_MD_CTX_free(context);
	EVP_PKEY_free(pair);
	const uint8_t *at = der;
	ECDSA_SIG *numbers = d2i_ECDSA_SIG(NULL, &at, (long)der_len);
	assert_int_equal(BN_bn2binpad(ECDSA_SIG_get0_r(numbers), ret_signature, 32), 32);
	assert_int_equal(BN_bn2binpad(ECDSA_SIG_get0_s(numbers), ret_signature + 32, 32), 32);
	ECDSA_SIG_free(numbers);
}

size_t es256_hand(const char *header, const char *payload, char *ret_token, size_t room)
{
	uint8_t signature[64];
	assert_true(BASE64URL_LEN(strlen(header)) + BASE64URL_LEN(strlen(payload)) + 90 < room);
	size_t len = base64url_encode(header, strlen(header), ret_token);
	ret_token[len++] = '.';
	len += base64url_encode(payload, strlen(payload), ret_token + len);
	sign(ret_token, len, signature);
	ret_token[len++] = '.';
	len += base64url_encode(signature, sizeof(signature), ret_token + len);
	ret_token[len] = '\0';
	return len;
}
