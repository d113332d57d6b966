/* JSON Web Signature: splitting, ES256's two spellings, and checking with a raw key.
 *
 * A token writes an ES256 signature as r and s, 32 bytes each; OpenSSL wants them as DER, where an
 * integer loses its leading zeros and gains one when its top bit is set. Callers have checked the
 * length of 64 bytes before they come here, so the conversion has nothing to overflow; DER is only
 * ever read from OpenSSL's own hand, and still bounds are checked at each step.
 *
 * The checks with raw keys are the primitive under test (RFC 7515, A.1 and A.3). They set
 * everything up for one signature; a signer keeps it ready.
 */
#include "jws.h"

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <string.h>

#include "waitingroom/token.h"

bool jws_split(const char *text, size_t len, struct jws_parts *ret_parts)
{
	const char *end = text + len;
	const char *first = len ? memchr(text, '.', len) : NULL;
	if (!first || first == text)
		return false;
	const char *second = memchr(first + 1, '.', (size_t)(end - first - 1));
	if (!second || second == first + 1 || second + 1 == end)
		return false;
	/* a third dot is in no alphabet: decoding the signature refuses it */
	*ret_parts = (struct jws_parts){
		.header_len = (size_t)(first - text) + 1,
		.payload = first + 1,
		.payload_len = (size_t)(second - first - 1),
		.signed_len = (size_t)(second - text),
		.signature = second + 1,
		.signature_len = (size_t)(end - second - 1),
	};
	return true;
}

/* ---- r and s <-> DER ---- */

static uint8_t *put_integer(uint8_t *out, const uint8_t number[P256_BYTES])
{
	size_t zeros = 0;
	while (zeros < P256_BYTES - 1 && !number[zeros])
		zeros++;
	size_t sign = number[zeros] >> 7; /* else it would read as negative */
	size_t len = P256_BYTES - zeros;
	*out++ = 0x02;
	*out++ = (uint8_t)(len + sign);
	if (sign)
		*out++ = 0;
	memcpy(out, number + zeros, len);
	return out + len;
}

size_t es256_to_der(const uint8_t signature[ES256_BYTES], uint8_t ret_der[ES256_DER_ROOM])
{
	uint8_t *end = put_integer(ret_der + 2, signature);
	end = put_integer(end, signature + P256_BYTES);
	ret_der[0] = 0x30;
	ret_der[1] = (uint8_t)(end - ret_der - 2); /* at most 70: the short form of a length */
	return (size_t)(end - ret_der);
}

/* Takes an integer from the front of *der. */
static bool take_integer(const uint8_t **der, size_t *len, uint8_t ret_number[P256_BYTES])
{
	const uint8_t *in = *der;
	if (*len < 3 || in[0] != 0x02 || in[1] == 0 || in[1] > *len - 2)
		return false;
	size_t bytes = in[1];
	in += 2;
	*len -= 2 + bytes;
	*der = in + bytes;
	if (in[0] == 0) {
		in++;
		bytes--;
	}
	if (bytes > P256_BYTES)
		return false;
	memset(ret_number, 0, P256_BYTES - bytes);
	memcpy(ret_number + P256_BYTES - bytes, in, bytes);
	return true;
}

bool es256_from_der(const uint8_t *der, size_t len, uint8_t ret_signature[ES256_BYTES])
{
	if (len < 2 || der[0] != 0x30 || der[1] != len - 2)
		return false;
	der += 2;
	len -= 2;
	uint8_t signature[ES256_BYTES];
	if (!take_integer(&der, &len, signature) || !take_integer(&der, &len, signature + P256_BYTES) ||
		len)
		return false;
	memcpy(ret_signature, signature, sizeof(signature));
	return true;
}

/* ---- with raw keys ---- */

static bool decode_signature(const struct jws_parts *parts, uint8_t *ret_bytes, size_t bytes)
{
	size_t got;
	return parts->signature_len == BASE64URL_LEN(bytes) &&
		   base64url_decode(parts->signature, parts->signature_len, ret_bytes, bytes, &got);
}

bool jws_hs256_is_valid(const char *text, size_t len, const uint8_t *key, size_t key_bytes)
{
	struct jws_parts parts;
	uint8_t presented[HS256_BYTES], expected[HS256_BYTES];
	size_t expected_len;
	return jws_split(text, len, &parts) && decode_signature(&parts, presented, HS256_BYTES) &&
		   EVP_Q_mac(NULL, "HMAC", NULL, "SHA256", NULL, key, key_bytes, (const uint8_t *)text,
					 parts.signed_len, expected, sizeof(expected), &expected_len) &&
		   expected_len == HS256_BYTES && CRYPTO_memcmp(presented, expected, HS256_BYTES) == 0;
}

/* gives; NULL when x and y are no point of the curve */
static EVP_PKEY *public_key(const uint8_t x[P256_BYTES], const uint8_t y[P256_BYTES])
{
	uint8_t point[1 + 2 * P256_BYTES] = {0x04}; /* uncompressed, SEC 1 section 2.3.3 */
	memcpy(point + 1, x, P256_BYTES);
	memcpy(point + 1 + P256_BYTES, y, P256_BYTES);
	char group[] = "prime256v1";
	OSSL_PARAM params[] = {
		OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, group, 0),
		OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PUB_KEY, point, sizeof(point)),
		OSSL_PARAM_construct_end(),
	};
	EVP_PKEY *key = NULL;
	EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_name(NULL, "EC", NULL);
	if (context && EVP_PKEY_fromdata_init(context) == 1)
		EVP_PKEY_fromdata(context, &key, EVP_PKEY_PUBLIC_KEY, params);
	EVP_PKEY_CTX_free(context);
	return key;
}

bool jws_es256_is_valid(const char *text, size_t len, const uint8_t x[32], const uint8_t y[32])
{
	struct jws_parts parts;
	uint8_t presented[ES256_BYTES], der[ES256_DER_ROOM];
	if (!jws_split(text, len, &parts) || !decode_signature(&parts, presented, ES256_BYTES))
		return false;
	size_t der_len = es256_to_der(presented, der);
	ERR_set_mark();
	EVP_PKEY *key = public_key(x, y);
	EVP_MD_CTX *context = EVP_MD_CTX_new();
	bool valid =
		key && context &&
		EVP_DigestVerifyInit_ex(context, NULL, "SHA256", NULL, NULL, key, NULL) == 1 &&
		EVP_DigestVerify(context, der, der_len, (const uint8_t *)text, parts.signed_len) == 1;
	EVP_MD_CTX_free(context);
	EVP_PKEY_free(key);
	ERR_pop_to_mark();
	return valid;
}
