/* HMAC-SHA-256: the vectors of RFC 4231, and any beginning that is computed ahead. */
#include "lib/core/hmac.h"

#include <string.h>

#include "support/cmocka.h"

/* Test cases 1, 2 and 4 of RFC 4231, section 4: keys of at most a block. */
static const struct {
	const char *key;
	size_t key_bytes;
	const char *message;
	size_t len;
	uint8_t mac[HMAC_BYTES];
} vectors[] = {
	{"\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b",
	 20,
	 "Hi There",
	 8,
	 {0xb0, 0x34, 0x4c, 0x61, 0xd8, 0xdb, 0x38, 0x53, 0x5c, 0xa8, 0xaf,
	  0xce, 0xaf, 0x0b, 0xf1, 0x2b, 0x88, 0x1d, 0xc2, 0x00, 0xc9, 0x83,
	  0x3d, 0xa7, 0x26, 0xe9, 0x37, 0x6c, 0x2e, 0x32, 0xcf, 0xf7}},
	{"Jefe", 4, "what do ya want for nothing?", 28, {0x5b, 0xdc, 0xc1, 0x46, 0xbf, 0x60, 0x75,
													 0x4e, 0x6a, 0x04, 0x24, 0x26, 0x08, 0x95,
													 0x75, 0xc7, 0x5a, 0x00, 0x3f, 0x08, 0x9d,
													 0x27, 0x39, 0x83, 0x9d, 0xec, 0x58, 0xb9,
													 0x64, 0xec, 0x38, 0x43}},
	{"\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0a\x0b\x0c\x0d\x0e\x0f\x10\x11\x12\x13\x14\x15\x16\x17"
	 "\x18\x19",
	 25,
	 "\xcd\xcd\xcd\xcd\xcd\xcd\xcd\xcd\xcd\xcd\xcd\xcd\xcd\xcd\xcd\xcd\xcd\xcd\xcd\xcd\xcd\xcd\xcd"
	 "\xcd\xcd\xcd\xcd\xcd\xcd\xcd\xcd\xcd\xcd\xcd\xcd\xcd\xcd\xcd\xcd\xcd\xcd\xcd\xcd\xcd\xcd\xcd"
	 "\xcd\xcd\xcd\xcd",
	 50,
	 {0x82, 0x55, 0x8a, 0x38, 0x9a, 0x44, 0x3c, 0x0e, 0xa4, 0xcc, 0x81,
	  0x98, 0x99, 0xf2, 0x08, 0x3a, 0x85, 0xf0, 0xfa, 0xa3, 0xe5, 0x78,
	  0xf8, 0x07, 0x7a, 0x2e, 0x3f, 0xf4, 0x67, 0x29, 0x66, 0x5b}},
};
#define VECTORS (sizeof(vectors) / sizeof(vectors[0]))

static void the_vectors_of_rfc_4231_hold(void **state)
{
	(void)state;
	for (size_t i = 0; i < VECTORS; i++) {
		struct hmac hmac;
		uint8_t mac[HMAC_BYTES];
		hmac_init(&hmac, (const uint8_t *)vectors[i].key, vectors[i].key_bytes);
		hmac_update(&hmac, vectors[i].message, vectors[i].len);
		hmac_final(&hmac, mac);
		assert_memory_equal(mac, vectors[i].mac, sizeof(mac));
	}
}

static void a_message_may_begin_anywhere_and_the_beginning_serves_again(void **state)
{
	(void)state;
	const char *message = vectors[2].message;
	for (size_t begun_len = 0; begun_len <= vectors[2].len; begun_len++) {
		struct hmac begun;
		hmac_init(&begun, (const uint8_t *)vectors[2].key, vectors[2].key_bytes);
		hmac_update(&begun, message, begun_len);
		for (int again = 0; again < 2; again++) {
			uint8_t mac[HMAC_BYTES];
			hmac_rest(&begun, message + begun_len, vectors[2].len - begun_len, mac);
			assert_memory_equal(mac, vectors[2].mac, sizeof(mac));
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_vectors_of_rfc_4231_hold),
		cmocka_unit_test(a_message_may_begin_anywhere_and_the_beginning_serves_again),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
