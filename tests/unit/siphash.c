/* SipHash-1-3 with 128 bits, held to OpenSSL's. */
#include "waitingroom/siphash.h"

#include "support/cmocka.h"

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <string.h>

static void the_oracle(const uint8_t key[SIPHASH_KEY_BYTES], const uint8_t *bytes, size_t len,
					   uint8_t ret_hash[16])
{
	unsigned rounds = 1, last_rounds = 3;
	size_t size = 16;
	EVP_MAC *mac = EVP_MAC_fetch(NULL, "SIPHASH", NULL);
	EVP_MAC_CTX *context = EVP_MAC_CTX_new(mac);
	OSSL_PARAM params[] = {OSSL_PARAM_construct_uint(OSSL_MAC_PARAM_C_ROUNDS, &rounds),
						   OSSL_PARAM_construct_uint(OSSL_MAC_PARAM_D_ROUNDS, &last_rounds),
						   OSSL_PARAM_construct_size_t(OSSL_MAC_PARAM_SIZE, &size),
						   OSSL_PARAM_construct_end()};
	assert_int_equal(EVP_MAC_CTX_set_params(context, params), 1);
	assert_int_equal(EVP_MAC_init(context, key, SIPHASH_KEY_BYTES, NULL), 1);
	assert_int_equal(EVP_MAC_update(context, bytes, len), 1);
	assert_int_equal(EVP_MAC_final(context, ret_hash, &size, 16), 1);
	EVP_MAC_CTX_free(context);
	EVP_MAC_free(mac);
}

static void agrees_with_openssl_at_every_length(void **state)
{
	(void)state;
	uint8_t key[SIPHASH_KEY_BYTES], bytes[200], expected[16];
	for (size_t i = 0; i < sizeof(key); i++)
		key[i] = (uint8_t)(i * 37 + 1);
	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (uint8_t)(i * 151 + 7);
	for (size_t len = 0; len <= sizeof(bytes); len++) {
		struct siphash hash = siphash_128(key, bytes, len);
		the_oracle(key, bytes, len, expected);
		assert_memory_equal(&hash.low, expected, 8);
		assert_memory_equal(&hash.high, expected + 8, 8);
	}
}

static void another_key_gives_another_hash(void **state)
{
	(void)state;
	struct siphash one = siphash_128((const uint8_t *)"0123456789abcdef", "token", 5);
	struct siphash other = siphash_128((const uint8_t *)"0123456789abcdeg", "token", 5);
	assert_true(one.low != other.low && one.high != other.high);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(agrees_with_openssl_at_every_length),
		cmocka_unit_test(another_key_gives_another_hash),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
