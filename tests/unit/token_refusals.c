/* Tokens that must be refused, one named case each.
 *
 * Sessions have a file of their own. Most cases are signed with the right key by code of this file,
 * so that what refuses them is the rule under test and not the signature. The first test shows that
 * the same hand makes tokens that verify.
 */
#include "support/cmocka.h"
#include "support/shared_signer.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define NOW_S INT64_C(1893453000)
#define HEADER "{\"alg\":\"HS256\",\"kid\":\"p1\",\"typ\":\"wr-position+jwt\"}"
#define SESSION_HEADER "{\"alg\":\"ES256\",\"kid\":\"s1\",\"typ\":\"wr-session+jwt\"}"

#define PLACE "\"aud\":\"default/demo\",\"sub\":\"abcdefghijklmnop\",\"epoch\":\"0123456789A\""
#define STAND ",\"lane\":\"main\",\"ticket\":42"
#define TIMES ",\"iat\":1893452400,\"exp\":1893456000"
#define PAYLOAD "{" PLACE STAND TIMES "}"

/* Room for tokens that are too long as well. */
struct text {
	char bytes[8192];
	size_t len;
};

static void append(struct text *text, const char *bytes, size_t len)
{
	assert_true(text->len + len < sizeof(text->bytes));
	memcpy(text->bytes + text->len, bytes, len);
	text->len += len;
	text->bytes[text->len] = '\0';
}

static void append_encoded(struct text *text, const void *bytes, size_t len)
{
	char encoded[8192];
	append(text, encoded, base64url_encode(bytes, len, encoded));
}

static void append_mac(struct text *text, const void *key, size_t key_bytes)
{
	uint8_t mac[32];
	HMAC(EVP_sha256(), key, (int)key_bytes, (const uint8_t *)text->bytes, text->len, mac, NULL);
	append(text, ".", 1);
	append_encoded(text, mac, sizeof(mac));
}

/* As p1 signs, whatever the header says. */
static struct text signed_text(const char *header, const char *payload, size_t payload_len)
{
	uint8_t secret[32];
	for (size_t i = 0; i < sizeof(secret); i++)
		secret[i] = (uint8_t)i;
	struct text text = {0};
	append_encoded(&text, header, strlen(header));
	append(&text, ".", 1);
	append_encoded(&text, payload, payload_len);
	append_mac(&text, secret, sizeof(secret));
	return text;
}

static enum wr_err verify_at(const struct text *text, int64_t now_ms)
{
	/* a copy of its exact size: the sanitizer sees a read behind it */
	char *exact = malloc(text->len ? text->len : 1);
	memcpy(exact, text->bytes, text->len);
	struct position_claims claims, before;
	memset(&claims, 0x5A, sizeof(claims));
	before = claims;
	enum wr_err err =
		position_token_verify(signer, exact, text->len, (struct wall_time){.ms = now_ms}, &claims);
	free(exact);
	if (err)
		assert_memory_equal(&claims, &before, sizeof(claims));
	return err;
}

static enum wr_err verify(const struct text *text)
{
	return verify_at(text, NOW_S * 1000);
}

static enum wr_err verify_session(const struct text *text)
{
	struct session_claims claims;
	return session_token_verify(signer, text->bytes, text->len,
								(struct wall_time){.ms = NOW_S * 1000}, &claims);
}

static void expect_refused(const char *name, const struct text *text)
{
	enum wr_err err = verify(text);
	if (err != WR_BAD_TOKEN)
		fail_msg("%s: %s", name, err_code(err));
}

static struct text good_text(void)
{
	return signed_text(HEADER, PAYLOAD, strlen(PAYLOAD));
}

static void the_hand_that_makes_bad_tokens_also_makes_good_ones(void **state)
{
	(void)state;
	static const char *const good[] = {
		PAYLOAD,
		"{" PLACE STAND ",\"target\":\"ABCDEFGHIJA\"" TIMES "}",
		"{" PLACE STAND ",\"holder\":1" TIMES "}",
		"{" PLACE STAND ",\"target\":\"ABCDEFGHIJA\",\"holder\":4294967295" TIMES "}",
	};
	for (size_t i = 0; i < COUNT(good); i++) {
		struct text text = signed_text(HEADER, good[i], strlen(good[i]));
		assert_int_equal(verify(&text), WR_OK);
	}
}

/* ---- headers ---- */

static const struct {
	const char *name, *header;
} headers[] = {
	{"alg none", "{\"alg\":\"none\",\"kid\":\"p1\",\"typ\":\"wr-position+jwt\"}"},
	{"alg None", "{\"alg\":\"None\",\"kid\":\"p1\",\"typ\":\"wr-position+jwt\"}"},
	{"alg missing", "{\"kid\":\"p1\",\"typ\":\"wr-position+jwt\"}"},
	{"alg ES256", "{\"alg\":\"ES256\",\"kid\":\"p1\",\"typ\":\"wr-position+jwt\"}"},
	{"alg HS512", "{\"alg\":\"HS512\",\"kid\":\"p1\",\"typ\":\"wr-position+jwt\"}"},
	{"members in another order", "{\"alg\":\"HS256\",\"typ\":\"wr-position+jwt\",\"kid\":\"p1\"}"},
	{"white space", "{\"alg\":\"HS256\", \"kid\":\"p1\",\"typ\":\"wr-position+jwt\"}"},
	{"one member more",
	 "{\"alg\":\"HS256\",\"kid\":\"p1\",\"typ\":\"wr-position+jwt\",\"crit\":[\"x\"]}"},
	{"a key of its own",
	 "{\"alg\":\"HS256\",\"kid\":\"p1\",\"typ\":\"wr-position+jwt\",\"jwk\":{\"kty\":\"oct\"}}"},
	{"typ of a session", "{\"alg\":\"HS256\",\"kid\":\"p1\",\"typ\":\"wr-session+jwt\"}"},
	{"typ JWT", "{\"alg\":\"HS256\",\"kid\":\"p1\",\"typ\":\"JWT\"}"},
	{"typ missing", "{\"alg\":\"HS256\",\"kid\":\"p1\"}"},
	{"kid unknown", "{\"alg\":\"HS256\",\"kid\":\"p9\",\"typ\":\"wr-position+jwt\"}"},
	{"kid empty", "{\"alg\":\"HS256\",\"kid\":\"\",\"typ\":\"wr-position+jwt\"}"},
	{"kid missing", "{\"alg\":\"HS256\",\"typ\":\"wr-position+jwt\"}"},
	{"kid a path", "{\"alg\":\"HS256\",\"kid\":\"../p1\",\"typ\":\"wr-position+jwt\"}"},
	{"kid of the session key", "{\"alg\":\"HS256\",\"kid\":\"s1\",\"typ\":\"wr-position+jwt\"}"},
	{"kid of the identity key", "{\"alg\":\"HS256\",\"kid\":\"i1\",\"typ\":\"wr-position+jwt\"}"},
	{"an empty object", "{}"},
};

static void a_header_that_is_not_byte_for_byte_ours_is_refused(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(headers); i++) {
		struct text text = signed_text(headers[i].header, PAYLOAD, strlen(PAYLOAD));
		expect_refused(headers[i].name, &text);
	}
}

static void a_kid_of_4_kilobytes_is_refused(void **state)
{
	(void)state;
	char header[4096 + 64];
	size_t len = (size_t)sprintf(header, "{\"alg\":\"HS256\",\"kid\":\"");
	memset(header + len, 'k', 4096);
	strcpy(header + len + 4096, "\"}");
	struct text text = signed_text(header, PAYLOAD, strlen(PAYLOAD));
	expect_refused("kid of 4 kB", &text);
}

static void hs256_over_the_public_key_of_es256_is_refused(void **state)
{
	(void)state;
	static const char pem[] = "-----BEGIN PUBLIC KEY-----\n"
							  "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAErjfIieN+ROZpkeDpsr0uqnXcoa2g\n"
							  "SgHCPc9ETqgv7eDKoj14F/EvG2KYDI570jlPnK7A2uIjlmWtr/NFB8oImQ==\n"
							  "-----END PUBLIC KEY-----\n";
	static const char *const heads[] = {SESSION_HEADER, HEADER,
										"{\"alg\":\"HS256\",\"kid\":\"s1\","
										"\"typ\":\"wr-session+jwt\"}"};
	for (size_t i = 0; i < COUNT(heads); i++) {
		struct text text = {0};
		append_encoded(&text, heads[i], strlen(heads[i]));
		append(&text, ".", 1);
		append_encoded(&text, PAYLOAD, strlen(PAYLOAD));
		append_mac(&text, pem, sizeof(pem) - 1);
		expect_refused("HS256 over the public key", &text);
		assert_int_equal(verify_session(&text), WR_BAD_TOKEN);
	}
}

/* ---- the text ---- */

static void put_part(struct text *text, const char *part)
{
	append(text, part, strlen(part));
}

static void a_text_that_is_not_three_parts_is_refused(void **state)
{
	(void)state;
	struct text good = good_text();
	char header[256], payload[512];
	const char *first = strchr(good.bytes, '.'), *second = strrchr(good.bytes, '.');
	snprintf(header, sizeof(header), "%.*s", (int)(first - good.bytes), good.bytes);
	snprintf(payload, sizeof(payload), "%.*s", (int)(second - first - 1), first + 1);
	const char *mac = second + 1;
	const struct {
		const char *name;
		const char *parts[8];
	} rows[] = {
		{"nothing", {""}},
		{"dots only", {".", "."}},
		{"no dot", {header}},
		{"one dot", {header, ".", payload}},
		{"header empty", {".", payload, ".", mac}},
		{"payload empty", {header, "..", mac}},
		{"signature empty", {header, ".", payload, "."}},
		{"a fourth part", {header, ".", payload, ".", mac, ".", "AAAA"}},
		{"an empty fourth part", {header, ".", payload, ".", mac, "."}},
		{"padding behind the header", {header, "=.", payload, ".", mac}},
		{"padding behind the payload", {header, ".", payload, "=.", mac}},
		{"padding behind the signature", {header, ".", payload, ".", mac, "="}},
		{"a space in front", {" ", header, ".", payload, ".", mac}},
		{"a line feed behind", {header, ".", payload, ".", mac, "\n"}},
		{"the scheme in front", {"Bearer ", header, ".", payload, ".", mac}},
		{"signature of 42 characters", {header, ".", payload, ".", mac + 1}},
	};
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct text text = {0};
		for (size_t k = 0; k < COUNT(rows[i].parts) && rows[i].parts[k]; k++)
			put_part(&text, rows[i].parts[k]);
		expect_refused(rows[i].name, &text);
	}
}

static void every_change_of_one_character_is_refused(void **state)
{
	(void)state;
	struct text good = good_text();
	for (size_t i = 0; i < good.len; i++) {
		for (int c = 0; c < 256; c++) {
			struct text text = good;
			text.bytes[i] = (char)c;
			if (text.bytes[i] != good.bytes[i])
				expect_refused("one character changed", &text);
		}
	}
}

static void every_shorter_text_is_refused(void **state)
{
	(void)state;
	struct text text = good_text();
	while (text.len--)
		expect_refused("shortened", &text);
}

static void a_spare_bit_in_the_last_character_is_refused(void **state)
{
	(void)state;
	static const char alphabet[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
	struct text text = good_text();
	char *last = &text.bytes[text.len - 1];
	const char *value = strchr(alphabet, *last);
	assert_non_null(value);
	/* 43 characters are 258 bits: the same 256 bits of MAC, another spelling */
	*last = alphabet[(value - alphabet) ^ 1];
	expect_refused("spare bit", &text);
}

static void plus_and_slash_are_not_minus_and_underscore(void **state)
{
	(void)state;
	/* tokens until one holds both characters in its signature */
	for (int ticket = 1;; ticket++) {
		char payload[512];
		size_t len = (size_t)sprintf(
			payload, "{" PLACE ",\"lane\":\"main\",\"ticket\":%d" TIMES "}", ticket);
		struct text text = signed_text(HEADER, payload, len);
		char *mac = strrchr(text.bytes, '.');
		char *minus = strchr(mac, '-'), *underscore = strchr(mac, '_');
		if (!minus || !underscore)
			continue;
		assert_int_equal(verify(&text), WR_OK);
		*minus = '+';
		expect_refused("plus", &text);
		*minus = '-';
		*underscore = '/';
		expect_refused("slash", &text);
		return;
	}
}

static void one_byte_more_than_a_kilobyte_is_refused(void **state)
{
	(void)state;
	/* leading zeros of the payload's JSON would be refused anyway: only its length matters here */
	char payload[1024];
	memset(payload, ' ', sizeof(payload));
	struct text text = {0};
	for (size_t len = 600; text.len <= TOKEN_MAX_BYTES; len++)
		text = signed_text(HEADER, payload, len);
	assert_true(text.len <= TOKEN_MAX_BYTES + 2);
	expect_refused("too long", &text);
	struct text huge = {.len = sizeof(huge.bytes)};
	memset(huge.bytes, '.', sizeof(huge.bytes));
	expect_refused("8 kB of dots", &huge);
}

/* ---- payloads ---- */

static const struct {
	const char *name, *payload;
	size_t len; /* 0: strlen */
} payloads[] = {
	{"empty object", "{}", 0},
	{"not an object", "[" PLACE "]", 0},
	{"a string", "\"x\"", 0},
	{"NUL", "\0", 1},
	{"NUL behind", PAYLOAD "\0", sizeof(PAYLOAD)},
	{"NUL inside a string", "{" PLACE ",\"lane\":\"ma\0n\",\"ticket\":42" TIMES "}",
	 sizeof("{" PLACE ",\"lane\":\"main\",\"ticket\":42" TIMES "}") - 1},
	{"trailing bytes", PAYLOAD "x", 0},
	{"two objects", PAYLOAD PAYLOAD, 0},
	{"not closed", "{" PLACE STAND TIMES, 0},
	{"trailing comma", "{" PLACE STAND TIMES ",}", 0},
	{"leading comma", "{," PLACE STAND TIMES "}", 0},
	{"white space", "{" PLACE STAND TIMES " }", 0},
	{"byte order mark", "\xef\xbb\xbf" PAYLOAD, 0},
	{"members in another order",
	 "{\"exp\":1893456000,\"ticket\":1,\"lane\":\"x\",\"iat\":1893452400," PLACE "}", 0},
	{"unknown member", "{" PLACE STAND TIMES ",\"admin\":true}", 0},
	{"unknown crit", "{" PLACE STAND TIMES ",\"crit\":\"x\"}", 0},
	{"claims of a session",
	 "{" PLACE ",\"renew\":true,\"iat\":1893452400,\"nbf\":1893452400,\"exp\":1893456000}", 0},
	{"member of a session", "{" PLACE STAND TIMES ",\"renew\":true}", 0},
	{"nbf", "{" PLACE STAND TIMES ",\"nbf\":1893452400}", 0},
	{"nested", "{" PLACE STAND TIMES ",\"target\":{}}", 0},
	{"array for a string", "{" PLACE ",\"lane\":[\"main\"],\"ticket\":42" TIMES "}", 0},
	{"aud missing", "{\"sub\":\"abcdefghijklmnop\",\"epoch\":\"0123456789A\"" STAND TIMES "}", 0},
	{"sub missing", "{\"aud\":\"default/demo\",\"epoch\":\"0123456789A\"" STAND TIMES "}", 0},
	{"epoch missing", "{\"aud\":\"default/demo\",\"sub\":\"abcdefghijklmnop\"" STAND TIMES "}", 0},
	{"lane missing", "{" PLACE ",\"ticket\":42" TIMES "}", 0},
	{"ticket missing", "{" PLACE ",\"lane\":\"main\"" TIMES "}", 0},
	{"iat missing", "{" PLACE STAND ",\"exp\":1893456000}", 0},
	{"exp missing", "{" PLACE STAND ",\"iat\":1893452400}", 0},
	{"exp negative", "{" PLACE STAND ",\"iat\":1893452400,\"exp\":-1893456000}", 0},
	{"exp 2^63", "{" PLACE STAND ",\"iat\":1893452400,\"exp\":9223372036854775808}", 0},
	{"exp 2^64 and some", "{" PLACE STAND ",\"iat\":1893452400,\"exp\":18446744075602907616}", 0},
	{"exp 10^18", "{" PLACE STAND ",\"iat\":1893452400,\"exp\":1000000000000000000}", 0},
	{"exp 1e18", "{" PLACE STAND ",\"iat\":1893452400,\"exp\":1e18}", 0},
	{"exp a float", "{" PLACE STAND ",\"iat\":1893452400,\"exp\":1893456000.0}", 0},
	{"exp a string", "{" PLACE STAND ",\"iat\":1893452400,\"exp\":\"1893456000\"}", 0},
	{"exp null", "{" PLACE STAND ",\"iat\":1893452400,\"exp\":null}", 0},
	{"exp with a plus", "{" PLACE STAND ",\"iat\":1893452400,\"exp\":+1893456000}", 0},
	{"exp with a leading zero", "{" PLACE STAND ",\"iat\":1893452400,\"exp\":01893456000}", 0},
	{"exp without a value", "{" PLACE STAND ",\"iat\":1893452400,\"exp\":}", 0},
	{"exp twice", "{" PLACE STAND TIMES ",\"exp\":1893456000}", 0},
	{"exp before iat", "{" PLACE STAND ",\"iat\":1893456000,\"exp\":1893452400}", 0},
	{"exp equal to iat", "{" PLACE STAND ",\"iat\":1893452400,\"exp\":1893452400}", 0},
	{"more than 30 days", "{" PLACE STAND ",\"iat\":1893452400,\"exp\":1896044401}", 0},
	{"sub twice", "{" PLACE STAND TIMES ",\"sub\":\"abcdefghijklmnop\"}", 0},
	{"sub twice, one escaped", "{" PLACE STAND TIMES ",\"s\\u0075b\":\"abcdefghijklmnop\"}", 0},
	{"sub in capitals", "{" PLACE STAND TIMES ",\"SUB\":\"abcdefghijklmnop\"}", 0},
	{"aud without tenant",
	 "{\"aud\":\"demo\",\"sub\":\"abcdefghijklmnop\",\"epoch\":\"0123456789A\"" STAND TIMES "}", 0},
	{"aud of three parts",
	 "{\"aud\":\"a/b/c\",\"sub\":\"abcdefghijklmnop\",\"epoch\":\"0123456789A\"" STAND TIMES "}",
	 0},
	{"aud with a space",
	 "{\"aud\":\"a/b \",\"sub\":\"abcdefghijklmnop\",\"epoch\":\"0123456789A\"" STAND TIMES "}", 0},
	{"sub too short",
	 "{\"aud\":\"a/b\",\"sub\":\"abcdefghijklmno\",\"epoch\":\"0123456789A\"" STAND TIMES "}", 0},
	{"sub too long",
	 "{\"aud\":\"a/b\",\"sub\":\"abcdefghijklmnopq\",\"epoch\":\"0123456789A\"" STAND TIMES "}", 0},
	{"sub with a brace",
	 "{\"aud\":\"a/b\",\"sub\":\"abcdefgh}jklmnop\",\"epoch\":\"0123456789A\"" STAND TIMES "}", 0},
	{"epoch with spare bits",
	 "{\"aud\":\"a/b\",\"sub\":\"abcdefghijklmnop\",\"epoch\":\"0123456789B\"" STAND TIMES "}", 0},
	{"lane empty", "{" PLACE ",\"lane\":\"\",\"ticket\":42" TIMES "}", 0},
	{"lane with an escape", "{" PLACE ",\"lane\":\"m\\u0061in\",\"ticket\":42" TIMES "}", 0},
	{"lane of 64 characters",
	 "{" PLACE ",\"lane\":\"0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef\","
	 "\"ticket\":42" TIMES "}",
	 0},
	{"lone surrogate", "{" PLACE ",\"lane\":\"\\ud800\",\"ticket\":42" TIMES "}", 0},
	{"invalid UTF-8", "{" PLACE ",\"lane\":\"\xc0\xaf\",\"ticket\":42" TIMES "}", 0},
	{"valid UTF-8", "{" PLACE ",\"lane\":\"gr\xc3\xbc\x6e\",\"ticket\":42" TIMES "}", 0},
	{"holder 0", "{" PLACE STAND ",\"holder\":0" TIMES "}", 0},
	{"holder of more than 32 bits", "{" PLACE STAND ",\"holder\":4294967296" TIMES "}", 0},
	{"holder a string", "{" PLACE STAND ",\"holder\":\"1\"" TIMES "}", 0},
	{"holder before target", "{" PLACE STAND ",\"holder\":1,\"target\":\"ABCDEFGHIJA\"" TIMES "}",
	 0},
	{"target empty", "{" PLACE STAND ",\"target\":\"\"" TIMES "}", 0},
	{"target too long", "{" PLACE STAND ",\"target\":\"ABCDEFGHIJKL\"" TIMES "}", 0},
	{"ticket 0", "{" PLACE ",\"lane\":\"main\",\"ticket\":0" TIMES "}", 0},
	{"ticket 2^53", "{" PLACE ",\"lane\":\"main\",\"ticket\":9007199254740992" TIMES "}", 0},
	{"ticket negative", "{" PLACE ",\"lane\":\"main\",\"ticket\":-1" TIMES "}", 0},
	{"ticket a string", "{" PLACE ",\"lane\":\"main\",\"ticket\":\"42\"" TIMES "}", 0},
	{"ticket true", "{" PLACE ",\"lane\":\"main\",\"ticket\":true" TIMES "}", 0},
};

static void a_payload_that_is_not_exactly_ours_is_refused(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(payloads); i++) {
		size_t len = payloads[i].len ? payloads[i].len : strlen(payloads[i].payload);
		struct text text = signed_text(HEADER, payloads[i].payload, len);
		expect_refused(payloads[i].name, &text);
	}
}

static void every_shorter_payload_is_refused(void **state)
{
	(void)state;
	for (size_t len = 1; len < strlen(PAYLOAD); len++) {
		struct text text = signed_text(HEADER, PAYLOAD, len);
		expect_refused("payload shortened", &text);
	}
}

/* ---- times: the good token lives from 1893452400 to 1893456000 ---- */

static void a_token_expires_half_a_minute_after_its_end(void **state)
{
	(void)state;
	struct text text = good_text();
	int64_t end_ms = (INT64_C(1893456000) + TOKEN_LEEWAY_S) * 1000;
	assert_int_equal(verify_at(&text, end_ms - 1), WR_OK);
	assert_int_equal(verify_at(&text, end_ms), WR_TOKEN_EXPIRED);
	assert_int_equal(verify_at(&text, end_ms + 1000), WR_TOKEN_EXPIRED);
	assert_int_equal(verify_at(&text, INT64_MAX), WR_TOKEN_EXPIRED);
}

static void a_token_from_more_than_a_day_ahead_is_refused(void **state)
{
	(void)state;
	struct text text = good_text();
	int64_t start_ms = (INT64_C(1893452400) - TOKEN_AHEAD_MAX_S) * 1000;
	assert_int_equal(verify_at(&text, start_ms), WR_OK);
	assert_int_equal(verify_at(&text, start_ms - 1), WR_BAD_TOKEN);
	assert_int_equal(verify_at(&text, 0), WR_BAD_TOKEN);
	assert_int_equal(verify_at(&text, INT64_MIN), WR_BAD_TOKEN);
}

static void an_expired_token_of_a_bad_signature_is_bad_and_not_expired(void **state)
{
	(void)state;
	struct text text = good_text();
	text.bytes[text.len - 2] ^= 1;
	assert_int_equal(verify_at(&text, INT64_C(1900000000000)), WR_BAD_TOKEN);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_hand_that_makes_bad_tokens_also_makes_good_ones),
		cmocka_unit_test(a_header_that_is_not_byte_for_byte_ours_is_refused),
		cmocka_unit_test(a_kid_of_4_kilobytes_is_refused),
		cmocka_unit_test(hs256_over_the_public_key_of_es256_is_refused),
		cmocka_unit_test(a_text_that_is_not_three_parts_is_refused),
		cmocka_unit_test(every_change_of_one_character_is_refused),
		cmocka_unit_test(every_shorter_text_is_refused),
		cmocka_unit_test(a_spare_bit_in_the_last_character_is_refused),
		cmocka_unit_test(plus_and_slash_are_not_minus_and_underscore),
		cmocka_unit_test(one_byte_more_than_a_kilobyte_is_refused),
		cmocka_unit_test(a_payload_that_is_not_exactly_ours_is_refused),
		cmocka_unit_test(every_shorter_payload_is_refused),
		cmocka_unit_test(a_token_expires_half_a_minute_after_its_end),
		cmocka_unit_test(a_token_from_more_than_a_day_ahead_is_refused),
		cmocka_unit_test(an_expired_token_of_a_bad_signature_is_bad_and_not_expired),
	};
	return cmocka_run_group_tests(tests, shared_signer_open, shared_signer_close);
}
