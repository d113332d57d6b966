/* Session tokens that must be refused, and tokens of one type shown as another.
 *
 * ES256 has more ways to be wrong than a MAC: numbers out of range, lengths, a second encoding.
 */
#include "support/cmocka.h"
#include "support/es256_hand.h"
#include "support/shared_signer.h"

#include <stdlib.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define NOW_S INT64_C(1893453000)

struct text {
	char bytes[TOKEN_MAX_BYTES + 16]; /* room to make it longer */
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
	char encoded[256];
	append(text, encoded, base64url_encode(bytes, len, encoded));
}

static enum wr_err verify(const struct text *text)
{
	struct position_claims claims;
	return position_token_verify(signer, text->bytes, text->len,
								 (struct wall_time){.ms = NOW_S * 1000}, &claims);
}

static enum wr_err verify_session_at(const struct text *text, int64_t now_ms)
{
	struct session_claims claims;
	return session_token_verify(signer, text->bytes, text->len, (struct wall_time){.ms = now_ms},
								&claims);
}

static enum wr_err verify_session(const struct text *text)
{
	return verify_session_at(text, NOW_S * 1000);
}

static const struct session_claims session = {
	.queue = {"default", "demo"},
	.position_id = "abcdefghijklmnop",
	.epoch = "0123456789A",
	.issued_s = NOW_S - 600,
	.expires_s = NOW_S + 3000,
};

static struct text good_session(void)
{
	struct text text;
	assert_int_equal(session_token_print(signer, &session, text.bytes, &text.len), WR_OK);
	return text;
}

static struct text good_position(void)
{
	const struct position_claims claims = {
		.queue = {"default", "demo"},
		.position_id = "abcdefghijklmnop",
		.epoch = "0123456789A",
		.lane = "main",
		.ticket = 42,
		.issued_s = NOW_S - 600,
		.expires_s = NOW_S + 3000,
	};
	struct text text;
	assert_int_equal(position_token_print(signer, &claims, text.bytes, &text.len), WR_OK);
	return text;
}

static struct text with_signature(struct text text, const char *r_hex, const char *s_hex)
{
	uint8_t signature[64];
	for (size_t i = 0; i < 64; i++) {
		const char *hex = i < 32 ? r_hex + 2 * i : s_hex + 2 * (i - 32);
		char byte[3] = {hex[0], hex[1], '\0'};
		signature[i] = (uint8_t)strtoul(byte, NULL, 16);
	}
	text.len = (size_t)(strrchr(text.bytes, '.') - text.bytes) + 1;
	append_encoded(&text, signature, sizeof(signature));
	return text;
}

#define HEX_0 "0000000000000000000000000000000000000000000000000000000000000000"
#define HEX_1 "0000000000000000000000000000000000000000000000000000000000000001"
#define HEX_N "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551"
#define HEX_N_PLUS_1 "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632552"
#define HEX_MAX "ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff"

static void es256_signatures_out_of_range_are_refused(void **state)
{
	(void)state;
	static const struct {
		const char *name, *r, *s;
	} rows[] = {
		{"all zero", HEX_0, HEX_0},		{"r zero", HEX_0, HEX_1},
		{"s zero", HEX_1, HEX_0},		{"r = n", HEX_N, HEX_1},
		{"s = n", HEX_1, HEX_N},		{"r > n", HEX_N_PLUS_1, HEX_1},
		{"s > n", HEX_1, HEX_N_PLUS_1}, {"largest", HEX_MAX, HEX_MAX},
		{"both one", HEX_1, HEX_1},
	};
	struct text good = good_session();
	assert_int_equal(verify_session(&good), WR_OK);
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct text text = with_signature(good, rows[i].r, rows[i].s);
		if (verify_session(&text) != WR_BAD_TOKEN)
			fail_msg("%s", rows[i].name);
	}
	assert_int_equal(verify_session(&good), WR_OK);
}

static void es256_signatures_of_another_length_are_refused(void **state)
{
	(void)state;
	struct text good = good_session();
	struct text text = good;
	text.len--;
	assert_int_equal(verify_session(&text), WR_BAD_TOKEN); /* 85 */
	text = good;
	append(&text, "A", 1);
	assert_int_equal(verify_session(&text), WR_BAD_TOKEN); /* 87 */
	append(&text, "AA", 2);
	assert_int_equal(verify_session(&text), WR_BAD_TOKEN);
	/* DER in place of r and s is what a naive verifier takes */
	text.len = (size_t)(strrchr(text.bytes, '.') - text.bytes) + 1;
	append_encoded(&text, "0\x06\x02\x01\x01\x02\x01\x01", 8);
	assert_int_equal(verify_session(&text), WR_BAD_TOKEN);
}

static void a_session_token_with_any_character_changed_is_refused(void **state)
{
	(void)state;
	struct text good = good_session();
	for (size_t i = 0; i < good.len; i++) {
		struct text text = good;
		text.bytes[i] = text.bytes[i] == 'A' ? 'B' : 'A';
		if (verify_session(&text) != WR_BAD_TOKEN)
			fail_msg("character %zu", i);
	}
}

static void no_token_passes_for_one_of_another_type(void **state)
{
	(void)state;
	struct text place = good_position(), pass = good_session();
	assert_int_equal(verify(&place), WR_OK);
	assert_int_equal(verify(&pass), WR_BAD_TOKEN);
	assert_int_equal(verify_session(&place), WR_BAD_TOKEN);
}

static void parts_of_two_types_do_not_make_a_token(void **state)
{
	(void)state;
	const struct text sources[2] = {good_position(), good_session()};
	for (unsigned choice = 1; choice < 7; choice++) { /* 0 and 7 are the two themselves */
		struct text mixed = {0};
		for (unsigned part = 0; part < 3; part++) {
			const char *start = sources[choice >> part & 1].bytes;
			for (unsigned i = 0; i < part; i++)
				start = strchr(start, '.') + 1;
			if (part)
				append(&mixed, ".", 1);
			append(&mixed, start, strcspn(start, "."));
		}
		assert_int_equal(verify(&mixed), WR_BAD_TOKEN);
		assert_int_equal(verify_session(&mixed), WR_BAD_TOKEN);
	}
}

static void a_session_begins_and_ends_with_half_a_minute_of_leeway(void **state)
{
	(void)state;
	struct text text = good_session();
	int64_t start_ms = (session.issued_s - TOKEN_AHEAD_MAX_S) * 1000;
	int64_t end_ms = (session.expires_s + TOKEN_LEEWAY_S) * 1000;
	assert_int_equal(verify_session_at(&text, start_ms - 1), WR_BAD_TOKEN);
	assert_int_equal(verify_session_at(&text, start_ms), WR_OK);
	assert_int_equal(verify_session_at(&text, end_ms - 1), WR_OK);
	assert_int_equal(verify_session_at(&text, end_ms), WR_TOKEN_EXPIRED);
}

static void a_session_of_more_than_seven_days_is_not_printed(void **state)
{
	(void)state;
	struct session_claims claims = session;
	struct text text;
	claims.expires_s = claims.issued_s + INT64_C(7) * 86400;
	assert_int_equal(session_token_print(signer, &claims, text.bytes, &text.len), WR_OK);
	claims.expires_s++;
	assert_int_equal(session_token_print(signer, &claims, text.bytes, &text.len), WR_BUG);
}

/* ---- payloads, signed with s1's key by another hand ---- */

static struct text signed_text(const char *header, const char *payload)
{
	struct text text = {0};
	text.len = es256_hand(header, payload, text.bytes, sizeof(text.bytes));
	return text;
}

#define HEADER "{\"alg\":\"ES256\",\"kid\":\"s1\",\"typ\":\"wr-session+jwt\"}"
#define PLACE "\"aud\":\"default/demo\",\"sub\":\"abcdefghijklmnop\",\"epoch\":\"0123456789A\""
#define ORIGIN ",\"lane\":\"main\",\"ticket\":42"
#define BINDING ",\"bnd\":\"0123456789A\""
#define TIMES ",\"iat\":1893452400,\"nbf\":1893452400,\"exp\":1893456000"

static void the_hand_that_makes_bad_sessions_also_makes_good_ones(void **state)
{
	(void)state;
	struct text text = signed_text(HEADER, "{" PLACE ",\"renew\":false" TIMES "}");
	assert_int_equal(verify_session(&text), WR_OK);
	text = signed_text(HEADER, "{" PLACE ORIGIN BINDING ",\"renew\":true" TIMES "}");
	assert_int_equal(verify_session(&text), WR_OK);
}

static const struct {
	const char *name, *header, *payload;
} foreign[] = {
	{"alg HS256", "{\"alg\":\"HS256\",\"kid\":\"s1\",\"typ\":\"wr-session+jwt\"}",
	 "{" PLACE ",\"renew\":true" TIMES "}"},
	{"typ of a position", "{\"alg\":\"ES256\",\"kid\":\"s1\",\"typ\":\"wr-position+jwt\"}",
	 "{" PLACE ",\"renew\":true" TIMES "}"},
	{"kid unknown", "{\"alg\":\"ES256\",\"kid\":\"s9\",\"typ\":\"wr-session+jwt\"}",
	 "{" PLACE ",\"renew\":true" TIMES "}"},
	{"claims of a position", HEADER,
	 "{" PLACE ",\"lane\":\"main\",\"ticket\":42,\"iat\":1893452400,\"exp\":1893456000}"},
	{"claims of a pass", HEADER,
	 "{" PLACE ",\"jti\":\"abcdefghijklmnop\",\"renew\":true,\"sexp\":1893456000" TIMES "}"},
	{"typ of a pass", "{\"alg\":\"ES256\",\"kid\":\"s1\",\"typ\":\"wr-pass+jwt\"}",
	 "{" PLACE ",\"renew\":true" TIMES "}"},
	{"lane without ticket", HEADER, "{" PLACE ",\"lane\":\"main\",\"renew\":true" TIMES "}"},
	{"ticket without lane", HEADER, "{" PLACE ",\"ticket\":42,\"renew\":true" TIMES "}"},
	{"ticket 0", HEADER, "{" PLACE ",\"lane\":\"main\",\"ticket\":0,\"renew\":true" TIMES "}"},
	{"lane of no name", HEADER, "{" PLACE ",\"lane\":\"\",\"ticket\":42,\"renew\":true" TIMES "}"},
	{"binding too short", HEADER, "{" PLACE ",\"bnd\":\"0123456789\",\"renew\":true" TIMES "}"},
	{"binding empty", HEADER, "{" PLACE ",\"bnd\":\"\",\"renew\":true" TIMES "}"},
	{"binding with spare bits", HEADER,
	 "{" PLACE ",\"bnd\":\"0123456789B\",\"renew\":true" TIMES "}"},
	{"binding before origin", HEADER, "{" PLACE BINDING ORIGIN ",\"renew\":true" TIMES "}"},
	{"renew missing", HEADER, "{" PLACE TIMES "}"},
	{"renew a number", HEADER, "{" PLACE ",\"renew\":1" TIMES "}"},
	{"renew a string", HEADER, "{" PLACE ",\"renew\":\"true\"" TIMES "}"},
	{"renew null", HEADER, "{" PLACE ",\"renew\":null" TIMES "}"},
	{"renew cut short", HEADER, "{" PLACE TIMES ",\"renew\":tru"},
	{"renew twice", HEADER, "{" PLACE ",\"renew\":true,\"renew\":true" TIMES "}"},
	{"nbf missing", HEADER, "{" PLACE ",\"renew\":true,\"iat\":1893452400,\"exp\":1893456000}"},
	{"nbf after iat", HEADER,
	 "{" PLACE ",\"renew\":true,\"iat\":1893452400,\"nbf\":1893452401,\"exp\":1893456000}"},
	{"more than seven days", HEADER,
	 "{" PLACE ",\"renew\":true,\"iat\":1893452400,\"nbf\":1893452400,\"exp\":1894057201}"},
	{"aud without tenant", HEADER,
	 "{\"aud\":\"demo\",\"sub\":\"abcdefghijklmnop\",\"epoch\":\"0123456789A\",\"renew\":true" TIMES
	 "}"},
	{"sub too short", HEADER,
	 "{\"aud\":\"a/b\",\"sub\":\"abcdefghijklmno\",\"epoch\":\"0123456789A\",\"renew\":true" TIMES
	 "}"},
	{"epoch with spare bits", HEADER,
	 "{\"aud\":\"a/b\",\"sub\":\"abcdefghijklmnop\",\"epoch\":\"0123456789B\",\"renew\":true" TIMES
	 "}"},
};

static void a_session_that_is_not_exactly_ours_is_refused(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(foreign); i++) {
		struct text text = signed_text(foreign[i].header, foreign[i].payload);
		if (verify_session(&text) != WR_BAD_TOKEN)
			fail_msg("%s", foreign[i].name);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(es256_signatures_out_of_range_are_refused),
		cmocka_unit_test(es256_signatures_of_another_length_are_refused),
		cmocka_unit_test(a_session_token_with_any_character_changed_is_refused),
		cmocka_unit_test(no_token_passes_for_one_of_another_type),
		cmocka_unit_test(parts_of_two_types_do_not_make_a_token),
		cmocka_unit_test(a_session_begins_and_ends_with_half_a_minute_of_leeway),
		cmocka_unit_test(a_session_of_more_than_seven_days_is_not_printed),
		cmocka_unit_test(the_hand_that_makes_bad_sessions_also_makes_good_ones),
		cmocka_unit_test(a_session_that_is_not_exactly_ours_is_refused),
	};
	return cmocka_run_group_tests(tests, shared_signer_open, shared_signer_close);
}
