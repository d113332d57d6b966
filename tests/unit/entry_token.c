/* Entry tokens: those of an integrator, and those of everybody else, one named case each. */
#include "waitingroom/entry_token.h"
#include "support/cmocka.h"
#include "support/entry_sign.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define NOW_S INT64_C(1893453000)
#define BODY "\"aud\":\"default/demo\",\"jti\":\"invite-1\""
#define TIMES ",\"iat\":1893452400,\"exp\":1893456000"
#define PAYLOAD "{" BODY TIMES "}"

static const struct queue_name demo = {"default", "demo"};
static struct queue_settings settings;

static int open_desk(void **state)
{
	(void)state;
	static const char json[] = "{\"entry\":\"signed\",\"entry_keys\":" ENTRY_KEYS_JSON "}";
	struct queue_settings base;
	queue_settings_default(&base);
	struct err_detail detail = {""};
	if (queue_settings_from_json(json, strlen(json), &base, &settings, &detail) != WR_OK) {
		print_error("%s\n", detail.text);
		return -1;
	}
	return 0;
}

static int close_desk(void **state)
{
	(void)state;
	queue_settings_clear(&settings);
	return 0;
}

static enum wr_err verify_bytes(const char *text, size_t len, const struct queue_name *queue,
								int64_t now_s, struct entry_claims *ret_claims)
{
	/* a copy of its exact size: the sanitizer sees a read behind it */
	char *exact = malloc(len ? len : 1);
	memcpy(exact, text, len);
	struct entry_claims claims, before;
	memset(&claims, 0x5A, sizeof(claims));
	before = claims;
	enum wr_err err = entry_token_verify(&settings, queue, exact, len,
										 (struct wall_time){.ms = now_s * 1000}, &claims);
	free(exact);
	if (err)
		assert_memory_equal(&claims, &before, sizeof(claims));
	else if (ret_claims)
		*ret_claims = claims;
	return err;
}

static enum wr_err verify(const struct entry_text *text)
{
	return verify_bytes(text->bytes, text->len, &demo, NOW_S, NULL);
}

static struct entry_text signed_text(const char *header, const char *payload)
{
	struct entry_text text;
	entry_sign_hs256(header, payload, strlen(payload), &text);
	return text;
}

static enum wr_err verify_payload(const char *payload)
{
	struct entry_text text = signed_text(ENTRY_HEADER_HS256, payload);
	return verify(&text);
}

static void expect_refused(const char *name, const struct entry_text *text)
{
	enum wr_err err = verify(text);
	if (err != WR_BAD_TOKEN)
		fail_msg("%s: %s", name, err_code(err));
}

/* ---- good ones ---- */

/* Made with Python's hmac and with the openssl command. */
static const char hs256_vector[] =
	"eyJ0eXAiOiJ3ci1pbnZpdGUrand0IiwiYWxnIjoiSFMyNTYiLCJraWQiOiJzaG9wLTEifQ."
	"eyJpc3MiOiJzaG9wIiwiYXVkIjoiZGVmYXVsdC9kZW1vIiwianRpIjoiaW52aXRlLTEiLCJpZGVudGl0eSI6IiBBbm5A"
	"RXhhbXBsZS5PUkcgIiwibGFuZSI6InZpcCIsImlhdCI6MTg5MzQ1MjQwMCwiZXhwIjoxODkzNDU2MDAwfQ."
	"XiiY8_6VFsWQtY6quBtwV0BqmisoAcKlGl7gCvjV9pg";
static const char es256_vector[] =
	"eyJhbGciOiJFUzI1NiIsImtpZCI6InNob3AtMiIsInR5cCI6IndyLWludml0ZStqd3QifQ."
	"eyJqdGkiOiJpbnZpdGUtMiIsInJldXNhYmxlIjp0cnVlLCJleHAiOjE4OTM0NTYwMDAsImlhdCI6MTg5MzQ1MjQwMCwi"
	"YXVkIjoiZGVmYXVsdC9kZW1vIn0."
	"5lWAAYENYQ0kC1eywijsIobO-hRRUkWBNLadksjkuhpmI22OzejQkSB85SQ4Ebg-W-jJ9R-sTDZuTJtTiJ2tFQ";

static void tokens_made_elsewhere_are_read(void **state)
{
	(void)state;
	struct entry_claims claims;
	assert_int_equal(verify_bytes(hs256_vector, strlen(hs256_vector), &demo, NOW_S, &claims),
					 WR_OK);
	assert_string_equal(claims.identity, "ann@example.org");
	assert_string_equal(claims.lane, "vip");
	assert_false(claims.reusable);
	assert_int_equal(claims.issued_s, 1893452400);
	assert_int_equal(claims.expires_s, 1893456000);
	char hex[65];
	sha256_hex("invite-1", 8, hex);
	assert_memory_equal(claims.id, hex, ENTRY_ID_CHARS);
	assert_int_equal(strlen(claims.id), ENTRY_ID_CHARS);
	assert_int_equal(verify_bytes(es256_vector, strlen(es256_vector), &demo, NOW_S, &claims),
					 WR_OK);
	assert_string_equal(claims.identity, "");
	assert_string_equal(claims.lane, "");
	assert_true(claims.reusable);
}

static void the_hand_that_makes_bad_tokens_also_makes_good_ones(void **state)
{
	(void)state;
	static const char *const good[] = {
		PAYLOAD,
		" {\"exp\" : 1893456000, \"iat\":1893452400, \"jti\":\"\\u0041\",\"aud\":\"default/demo\"}",
		"{" BODY TIMES ",\"sub\":\"x\",\"iss\":\"shop\",\"custom\":null,\"n\":1.5}",
		"{" BODY TIMES ",\"nbf\":1893453030}",
		"{" BODY TIMES ",\"identity\":\"Z\xc3\xab\",\"reusable\":false,\"lane\":\"vip\"}",
	};
	for (size_t i = 0; i < COUNT(good); i++) {
		struct entry_text text = signed_text(ENTRY_HEADER_HS256, good[i]);
		if (verify(&text) != WR_OK)
			fail_msg("%s", good[i]);
		entry_sign_es256(ENTRY_HEADER_ES256, good[i], strlen(good[i]), &text);
		if (verify(&text) != WR_OK)
			fail_msg("ES256: %s", good[i]);
	}
}

static void headers_may_have_their_members_in_any_order(void **state)
{
	(void)state;
	static const char *const good[] = {
		"{\"kid\":\"shop-1\",\"typ\":\"wr-invite+jwt\",\"alg\":\"HS256\"}",
		"{ \"typ\":\"wr-invite+jwt\",\n \"kid\":\"shop-1\", \"alg\":\"HS256\" }",
	};
	for (size_t i = 0; i < COUNT(good); i++) {
		struct entry_text text = signed_text(good[i], PAYLOAD);
		assert_int_equal(verify(&text), WR_OK);
	}
}

static void identities_have_one_spelling(void **state)
{
	(void)state;
	static const char *const rows[][2] = {
		{" Ann@Example.ORG\\t", "ann@example.org"},
		{"Account-7", "Account-7"},
		{"account-7", "account-7"},
		{"a b", "a b"},
		{"\\u00c9@x.org", "\xc3\x89@x.org"},
	};
	for (size_t i = 0; i < COUNT(rows); i++) {
		char payload[256];
		struct entry_claims claims;
		snprintf(payload, sizeof(payload), "{" BODY TIMES ",\"identity\":\"%s\"}", rows[i][0]);
		struct entry_text text = signed_text(ENTRY_HEADER_HS256, payload);
		assert_int_equal(verify_bytes(text.bytes, text.len, &demo, NOW_S, &claims), WR_OK);
		assert_string_equal(claims.identity, rows[i][1]);
	}
}

/* ---- headers ---- */

static const struct {
	const char *name, *header;
} headers[] = {
	{"alg none", "{\"alg\":\"none\",\"typ\":\"wr-invite+jwt\",\"kid\":\"shop-1\"}"},
	{"alg None", "{\"alg\":\"None\",\"typ\":\"wr-invite+jwt\",\"kid\":\"shop-1\"}"},
	{"alg in lower case", "{\"alg\":\"hs256\",\"typ\":\"wr-invite+jwt\",\"kid\":\"shop-1\"}"},
	{"alg missing", "{\"typ\":\"wr-invite+jwt\",\"kid\":\"shop-1\"}"},
	{"alg of another row", "{\"alg\":\"ES256\",\"typ\":\"wr-invite+jwt\",\"kid\":\"shop-1\"}"},
	{"alg HS512", "{\"alg\":\"HS512\",\"typ\":\"wr-invite+jwt\",\"kid\":\"shop-1\"}"},
	{"alg a number", "{\"alg\":256,\"typ\":\"wr-invite+jwt\",\"kid\":\"shop-1\"}"},
	{"typ of a place", "{\"alg\":\"HS256\",\"typ\":\"wr-position+jwt\",\"kid\":\"shop-1\"}"},
	{"typ JWT", "{\"alg\":\"HS256\",\"typ\":\"JWT\",\"kid\":\"shop-1\"}"},
	{"typ missing", "{\"alg\":\"HS256\",\"kid\":\"shop-1\"}"},
	{"kid unknown", "{\"alg\":\"HS256\",\"typ\":\"wr-invite+jwt\",\"kid\":\"shop-9\"}"},
	{"kid empty", "{\"alg\":\"HS256\",\"typ\":\"wr-invite+jwt\",\"kid\":\"\"}"},
	{"kid missing", "{\"alg\":\"HS256\",\"typ\":\"wr-invite+jwt\"}"},
	{"kid a path", "{\"alg\":\"HS256\",\"typ\":\"wr-invite+jwt\",\"kid\":\"../shop-1\"}"},
	{"kid a number", "{\"alg\":\"HS256\",\"typ\":\"wr-invite+jwt\",\"kid\":1}"},
	{"kid with a NUL", "{\"alg\":\"HS256\",\"typ\":\"wr-invite+jwt\",\"kid\":\"shop-1\\u0000\"}"},
	{"kid twice",
	 "{\"alg\":\"HS256\",\"typ\":\"wr-invite+jwt\",\"kid\":\"shop-1\",\"kid\":\"shop-1\"}"},
	{"alg twice",
	 "{\"alg\":\"HS256\",\"typ\":\"wr-invite+jwt\",\"kid\":\"shop-1\",\"alg\":\"HS256\"}"},
	{"crit", "{\"alg\":\"HS256\",\"typ\":\"wr-invite+jwt\",\"kid\":\"shop-1\",\"crit\":[\"x\"]}"},
	{"jku",
	 "{\"alg\":\"HS256\",\"typ\":\"wr-invite+jwt\",\"kid\":\"shop-1\",\"jku\":\"https://x/\"}"},
	{"jwk", "{\"alg\":\"HS256\",\"typ\":\"wr-invite+jwt\",\"kid\":\"shop-1\",\"jwk\":{}}"},
	{"something behind it", "{\"alg\":\"HS256\",\"typ\":\"wr-invite+jwt\",\"kid\":\"shop-1\"}x"},
	{"no object", "[\"HS256\",\"wr-invite+jwt\",\"shop-1\"]"},
	{"an empty object", "{}"},
	{"no JSON", "alg=HS256"},
};

static void headers_that_are_not_of_the_profile_are_refused(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(headers); i++) {
		struct entry_text text = signed_text(headers[i].header, PAYLOAD);
		expect_refused(headers[i].name, &text);
	}
}

static void a_kid_of_4_kilobytes_is_refused(void **state)
{
	(void)state;
	char header[4096 + 96];
	int len = snprintf(header, sizeof(header),
					   "{\"alg\":\"HS256\",\"typ\":\"wr-invite+jwt\","
					   "\"kid\":\"");
	memset(header + len, 'k', 4096);
	strcpy(header + len + 4096, "\"}");
	struct entry_text text = signed_text(header, PAYLOAD);
	expect_refused("kid of 4 kB", &text);
}

static void hs256_over_the_public_key_of_es256_is_refused(void **state)
{
	(void)state;
	char pem[sizeof(ENTRY_PEM_A)] = "";
	size_t len = 0;
	for (const char *at = ENTRY_PEM_A; *at; at++) {
		bool is_end = at[0] == '\\' && at[1] == 'n';
		pem[len++] = is_end ? '\n' : *at;
		at += is_end;
	}
	static const char *const heads[] = {
		ENTRY_HEADER_ES256, ENTRY_HEADER_HS256,
		"{\"alg\":\"HS256\",\"typ\":\"wr-invite+jwt\",\"kid\":\"shop-2\"}"};
	for (size_t i = 0; i < COUNT(heads); i++) {
		struct entry_text text;
		entry_sign_mac(heads[i], PAYLOAD, strlen(PAYLOAD), pem, len, &text);
		expect_refused(heads[i], &text);
		entry_sign_mac(heads[i], PAYLOAD, strlen(PAYLOAD), settings.entry_keys[1].bytes, 64, &text);
		expect_refused(heads[i], &text);
	}
}

/* ---- spelling ---- */

static void parts_that_are_empty_or_too_many_are_refused(void **state)
{
	(void)state;
	struct entry_text good = signed_text(ENTRY_HEADER_HS256, PAYLOAD), text;
	const char *first = strchr(good.bytes, '.'), *second = strrchr(good.bytes, '.');
	text.len = (size_t)sprintf(text.bytes, "%s", first);
	expect_refused("no header", &text);
	text.len =
		(size_t)sprintf(text.bytes, "%.*s.%s", (int)(first - good.bytes), good.bytes, second);
	expect_refused("no payload", &text);
	text.len = (size_t)sprintf(text.bytes, "%.*s", (int)(second - good.bytes + 1), good.bytes);
	expect_refused("no signature", &text);
	text.len = (size_t)sprintf(text.bytes, "%.*s", (int)(second - good.bytes), good.bytes);
	expect_refused("two parts", &text);
	text.len = (size_t)snprintf(text.bytes, sizeof(text.bytes), "%.1024s.AAAA", good.bytes);
	expect_refused("four parts", &text);
	text.len = 0;
	expect_refused("nothing", &text);
}

static void any_changed_character_is_refused(void **state)
{
	(void)state;
	struct entry_text text = signed_text(ENTRY_HEADER_HS256, PAYLOAD);
	for (size_t i = 0; i < text.len; i++) {
		static const char others[] = "AQz9-_+/=. ";
		char kept = text.bytes[i];
		for (const char *to = others; *to; to++) {
			if (*to == kept)
				continue;
			text.bytes[i] = *to;
			expect_refused("a changed character", &text);
		}
		text.bytes[i] = kept;
	}
	assert_int_equal(verify(&text), WR_OK);
}

static void padding_and_spare_bits_are_refused(void **state)
{
	(void)state;
	struct entry_text text = signed_text(ENTRY_HEADER_HS256, PAYLOAD);
	strcpy(text.bytes + text.len++, "=");
	expect_refused("padding", &text);
	text.len--;
	text.bytes[text.len - 1]++; /* 43 characters carry two bits that must be zero */
	expect_refused("a spare bit", &text);
}

static void es256_signatures_that_are_none_are_refused(void **state)
{
	(void)state;
	static const uint8_t order[32] = {0xff, 0xff, 0xff, 0xff, 0x00, 0x00, 0x00, 0x00,
									  0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
									  0xbc, 0xe6, 0xfa, 0xad, 0xa7, 0x17, 0x9e, 0x84,
									  0xf3, 0xb9, 0xca, 0xc2, 0xfc, 0x63, 0x25, 0x51};
	struct entry_text text;
	uint8_t raw[65] = {0}, good[64];
	size_t len;
	entry_sign_es256(ENTRY_HEADER_ES256, PAYLOAD, strlen(PAYLOAD), &text);
	assert_int_equal(verify(&text), WR_OK);
	const char *last = strrchr(text.bytes, '.') + 1;
	assert_true(base64url_decode(last, strlen(last), good, sizeof(good), &len));
	entry_set_signature(&text, raw, 64);
	expect_refused("zeros", &text);
	entry_set_signature(&text, good, 63);
	expect_refused("63 bytes", &text);
	memcpy(raw, good, 64);
	entry_set_signature(&text, raw, 65);
	expect_refused("65 bytes", &text);
	memcpy(raw, order, 32);
	entry_set_signature(&text, raw, 64);
	expect_refused("r = n", &text);
	memcpy(raw, good, 32);
	memset(raw + 32, 0, 32);
	entry_set_signature(&text, raw, 64);
	expect_refused("s = 0", &text);
	memcpy(raw + 32, order, 32);
	entry_set_signature(&text, raw, 64);
	expect_refused("s = n", &text);
	entry_set_signature(&text, good, 64);
	assert_int_equal(verify(&text), WR_OK);
}

static void a_token_over_1_kilobyte_is_refused(void **state)
{
	(void)state;
	for (size_t extra = 0; extra < 2000; extra++) {
		char payload[4096];
		int len = snprintf(payload, sizeof(payload), "{" BODY TIMES ",\"more\":\"");
		memset(payload + len, 'm', extra);
		strcpy(payload + len + extra, "\"}");
		struct entry_text text = signed_text(ENTRY_HEADER_HS256, payload);
		assert_int_equal(verify(&text), text.len <= TOKEN_MAX_BYTES ? WR_OK : WR_BAD_TOKEN);
		if (text.len > TOKEN_MAX_BYTES + 8)
			return;
	}
	fail();
}

/* ---- payloads ---- */

static const struct {
	const char *name, *payload;
} payloads[] = {
	{"aud of another queue", "{\"aud\":\"default/other\",\"jti\":\"a\"" TIMES "}"},
	{"aud of another tenant", "{\"aud\":\"acme/demo\",\"jti\":\"a\"" TIMES "}"},
	{"aud in short", "{\"aud\":\"demo\",\"jti\":\"a\"" TIMES "}"},
	{"aud a list", "{\"aud\":[\"default/demo\"],\"jti\":\"a\"" TIMES "}"},
	{"aud missing", "{\"jti\":\"a\"" TIMES "}"},
	{"aud with a NUL", "{\"aud\":\"default/demo\\u0000\",\"jti\":\"a\"" TIMES "}"},
	{"jti missing", "{\"aud\":\"default/demo\"" TIMES "}"},
	{"jti empty", "{\"aud\":\"default/demo\",\"jti\":\"\"" TIMES "}"},
	{"jti a number", "{\"aud\":\"default/demo\",\"jti\":7" TIMES "}"},
	{"exp missing", "{" BODY ",\"iat\":1893452400}"},
	{"exp negative", "{" BODY ",\"iat\":1893452400,\"exp\":-1}"},
	{"exp 2^63", "{" BODY ",\"iat\":1893452400,\"exp\":9223372036854775808}"},
	{"exp 1e18", "{" BODY ",\"iat\":1893452400,\"exp\":1e18}"},
	{"exp a fraction", "{" BODY ",\"iat\":1893452400,\"exp\":1893456000.5}"},
	{"exp a string", "{" BODY ",\"iat\":1893452400,\"exp\":\"1893456000\"}"},
	{"exp twice", "{" BODY TIMES ",\"exp\":1893456000}"},
	{"exp true", "{" BODY ",\"iat\":1893452400,\"exp\":true}"},
	{"iat missing", "{" BODY ",\"exp\":1893456000}"},
	{"iat in the future", "{" BODY ",\"iat\":1893453031,\"exp\":1893456000}"},
	{"too long a life", "{" BODY ",\"iat\":1893452400,\"exp\":1901228401}"},
	{"not valid yet", "{" BODY TIMES ",\"nbf\":1893453031}"},
	{"nbf a string", "{" BODY TIMES ",\"nbf\":\"0\"}"},
	{"identity empty", "{" BODY TIMES ",\"identity\":\"\"}"},
	{"identity of spaces", "{" BODY TIMES ",\"identity\":\"  \"}"},
	{"identity a number", "{" BODY TIMES ",\"identity\":7}"},
	{"identity with a line end", "{" BODY TIMES ",\"identity\":\"a\\nb\"}"},
	{"identity null", "{" BODY TIMES ",\"identity\":null}"},
	{"lane no name", "{" BODY TIMES ",\"lane\":\"VIP lane\"}"},
	{"lane empty", "{" BODY TIMES ",\"lane\":\"\"}"},
	{"lane a number", "{" BODY TIMES ",\"lane\":1}"},
	{"reusable a string", "{" BODY TIMES ",\"reusable\":\"true\"}"},
	{"something nested", "{" BODY TIMES ",\"more\":{}}"},
	{"something behind it", PAYLOAD "x"},
	{"invalid UTF-8", "{" BODY TIMES ",\"more\":\"\xff\"}"},
	{"a lone surrogate", "{" BODY TIMES ",\"more\":\"\\ud800\"}"},
	{"a list", "[]"},
	{"nothing", " "},
};

static void payloads_that_are_not_of_the_profile_are_refused(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(payloads); i++) {
		struct entry_text text = signed_text(ENTRY_HEADER_HS256, payloads[i].payload);
		expect_refused(payloads[i].name, &text);
		entry_sign_es256(ENTRY_HEADER_ES256, payloads[i].payload, strlen(payloads[i].payload),
						 &text);
		expect_refused(payloads[i].name, &text);
	}
}

static void a_long_jti_and_a_long_identity_are_refused(void **state)
{
	(void)state;
	char payload[1024], text[300];
	memset(text, 'x', sizeof(text));
	for (int len = 127; len <= 130; len++) {
		snprintf(payload, sizeof(payload), "{\"aud\":\"default/demo\",\"jti\":\"%.*s\"" TIMES "}",
				 len, text);
		assert_int_equal(verify_payload(payload),
						 len <= ENTRY_JTI_MAX_BYTES ? WR_OK : WR_BAD_TOKEN);
	}
	for (int len = 255; len <= 258; len++) {
		snprintf(payload, sizeof(payload), "{" BODY TIMES ",\"identity\":\"%.*s\"}", len, text);
		assert_int_equal(verify_payload(payload),
						 len <= ENTRY_IDENTITY_MAX_BYTES ? WR_OK : WR_BAD_TOKEN);
	}
}

static void a_token_of_another_queue_is_refused_though_the_key_is_the_same(void **state)
{
	(void)state;
	static const struct queue_name others[] = {{"acme", "demo"}, {"default", "demo2"}};
	struct entry_text text = signed_text(ENTRY_HEADER_HS256, PAYLOAD);
	for (size_t i = 0; i < COUNT(others); i++)
		assert_int_equal(verify_bytes(text.bytes, text.len, &others[i], NOW_S, NULL), WR_BAD_TOKEN);
}

static void a_token_expires_with_leeway(void **state)
{
	(void)state;
	struct entry_text text = signed_text(ENTRY_HEADER_HS256, PAYLOAD);
	assert_int_equal(verify_bytes(text.bytes, text.len, &demo, 1893456029, NULL), WR_OK);
	assert_int_equal(verify_bytes(text.bytes, text.len, &demo, 1893456030, NULL), WR_TOKEN_EXPIRED);
	assert_int_equal(verify_bytes(text.bytes, text.len, &demo, 1893452370, NULL), WR_OK);
	assert_int_equal(verify_bytes(text.bytes, text.len, &demo, 1893452369, NULL), WR_BAD_TOKEN);
}

static void without_keys_nothing_is_good(void **state)
{
	(void)state;
	struct queue_settings none;
	queue_settings_default(&none);
	struct entry_text text = signed_text(ENTRY_HEADER_HS256, PAYLOAD);
	struct entry_claims claims;
	assert_int_equal(entry_token_verify(&none, &demo, text.bytes, text.len,
										(struct wall_time){.ms = NOW_S * 1000}, &claims),
					 WR_BAD_TOKEN);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(tokens_made_elsewhere_are_read),
		cmocka_unit_test(the_hand_that_makes_bad_tokens_also_makes_good_ones),
		cmocka_unit_test(headers_may_have_their_members_in_any_order),
		cmocka_unit_test(identities_have_one_spelling),
		cmocka_unit_test(headers_that_are_not_of_the_profile_are_refused),
		cmocka_unit_test(a_kid_of_4_kilobytes_is_refused),
		cmocka_unit_test(hs256_over_the_public_key_of_es256_is_refused),
		cmocka_unit_test(parts_that_are_empty_or_too_many_are_refused),
		cmocka_unit_test(any_changed_character_is_refused),
		cmocka_unit_test(padding_and_spare_bits_are_refused),
		cmocka_unit_test(es256_signatures_that_are_none_are_refused),
		cmocka_unit_test(a_token_over_1_kilobyte_is_refused),
		cmocka_unit_test(payloads_that_are_not_of_the_profile_are_refused),
		cmocka_unit_test(a_long_jti_and_a_long_identity_are_refused),
		cmocka_unit_test(a_token_of_another_queue_is_refused_though_the_key_is_the_same),
		cmocka_unit_test(a_token_expires_with_leeway),
		cmocka_unit_test(without_keys_nothing_is_good),
	};
	return cmocka_run_group_tests(tests, open_desk, close_desk);
}
