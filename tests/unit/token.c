/* Tokens: vectors of RFC 7515, what verifies, and rotation. What is refused: token_refusals.c. */
#include "waitingroom/token.h"
#include "support/cmocka.h"
#include "support/key_texts.h"
#include "waitingroom/memory.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#define NOW_S INT64_C(1893453000)
#define WALL_S(s) ((struct wall_time){.ms = (s)*1000})
#define POSITION_ROW_2 KEY_ROW("p2", "position", "HS256", SECRET_C)
#define SESSION_ROW_2 KEY_ROW("s2", "session", "ES256", PEM_B)

/* The table, and a signer that uses it. */
struct desk {
	struct keys *keys;
	struct signer *signer;
};

static struct keys *parsed(const char *json)
{
	struct keys *keys = NULL;
	struct err_detail detail = {0};
	if (keys_parse(json, strlen(json), &keys, &detail) != WR_OK)
		fail_msg("%s", detail.text);
	return keys;
}

static struct desk desk_new(const char *json)
{
	struct desk desk = {.keys = parsed(json), .signer = signer_new()};
	signer_use_keys(desk.signer, desk.keys);
	return desk;
}

static void desk_free_at(struct desk *desk)
{
	signer_free(desk->signer);
	keys_free(desk->keys);
}

struct text {
	char bytes[TOKEN_MAX_BYTES + 1];
	size_t len;
};

static const struct position_claims position = {
	.queue = {"default", "demo"},
	.position_id = "abcdefghijklmnop",
	.epoch = "0123456789A",
	.lane = "main",
	.ticket = 42,
	.target_hash = "ABCDEFGHIJA",
	.issued_s = NOW_S - 600,
	.expires_s = NOW_S + 3000,
};

static const struct session_claims session = {
	.queue = {"default", "demo"},
	.position_id = "abcdefghijklmnop",
	.epoch = "0123456789A",
	.renewal = true,
	.issued_s = NOW_S - 600,
	.expires_s = NOW_S + 3000,
};

static struct text printed_position(struct desk *desk, const struct position_claims *claims)
{
	struct text text;
	assert_int_equal(position_token_print(desk->signer, claims, text.bytes, &text.len), WR_OK);
	assert_int_equal(strlen(text.bytes), text.len);
	return text;
}

static struct text printed_session(struct desk *desk, const struct session_claims *claims)
{
	struct text text;
	assert_int_equal(session_token_print(desk->signer, claims, text.bytes, &text.len), WR_OK);
	assert_int_equal(strlen(text.bytes), text.len);
	return text;
}

static enum wr_err verify_position(struct desk *desk, const struct text *text)
{
	struct position_claims claims;
	return position_token_verify(desk->signer, text->bytes, text->len, WALL_S(NOW_S), &claims);
}

static enum wr_err verify_session(struct desk *desk, const struct text *text)
{
	struct session_claims claims;
	return session_token_verify(desk->signer, text->bytes, text->len, WALL_S(NOW_S), &claims);
}

/* ---- vectors ---- */

static void decode(const char *text, uint8_t *ret_bytes, size_t bytes)
{
	size_t len;
	assert_true(base64url_decode(text, strlen(text), ret_bytes, bytes, &len));
	assert_int_equal(len, bytes);
}

static void the_hs256_vector_of_rfc_7515_a_1_verifies(void **state)
{
	(void)state;
	static const char text[] = "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9"
							   ".eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFt"
							   "cGxlLmNvbS9pc19yb290Ijp0cnVlfQ"
							   ".dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
	uint8_t key[64];
	decode("AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75"
		   "aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow",
		   key, sizeof(key));
	assert_true(jws_hs256_is_valid(text, strlen(text), key, sizeof(key)));
	key[63] ^= 1;
	assert_false(jws_hs256_is_valid(text, strlen(text), key, sizeof(key)));
	assert_false(jws_hs256_is_valid(text, strlen(text) - 1, key, sizeof(key)));
}

static void the_es256_vector_of_rfc_7515_a_3_verifies(void **state)
{
	(void)state;
	char text[] = "eyJhbGciOiJFUzI1NiJ9"
				  ".eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFt"
				  "cGxlLmNvbS9pc19yb290Ijp0cnVlfQ"
				  ".DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSA"
				  "pmWQxfKTUJqPP3-Kg6NU1Q";
	uint8_t x[32], y[32];
	decode("f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU", x, sizeof(x));
	decode("x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0", y, sizeof(y));
	assert_true(jws_es256_is_valid(text, strlen(text), x, y));
	text[25] ^= 1;
	assert_false(jws_es256_is_valid(text, strlen(text), x, y));
	text[25] ^= 1;
	y[0] ^= 1; /* no point of the curve any more */
	assert_false(jws_es256_is_valid(text, strlen(text), x, y));
}

static void our_own_vector_has_our_header_and_verifies(void **state)
{
	(void)state;
	static const char text[] =
		"eyJhbGciOiJIUzI1NiIsImtpZCI6InAxIiwidHlwIjoid3ItcG9zaXRpb24rand0In0"
		".eyJleHAiOjE4OTM0NTYwMDAsImlhdCI6MTg5MzQ1MjQwMCwianRpIjoicG9zLTEiLCJzZXEiOjQyfQ"
		".Me6fBXh4vFjMg-2VYJgI_4rt-vICx7jlljKEV7fFCx8";
	uint8_t key[32];
	decode(SECRET_A, key, sizeof(key));
	assert_true(jws_hs256_is_valid(text, strlen(text), key, sizeof(key)));
	WR_AUTO(desk_free_at) struct desk desk = desk_new(KEY_FILE_OF_THREE);
	struct text token = printed_position(&desk, &position);
	assert_memory_equal(token.bytes, text, (size_t)(strchr(text, '.') - text) + 1);
}

static void printed_tokens_verify_with_the_raw_keys(void **state)
{
	(void)state;
	WR_AUTO(desk_free_at) struct desk desk = desk_new(KEY_FILE_OF_THREE);
	uint8_t key[32], x[32], y[32];
	decode(SECRET_A, key, sizeof(key));
	decode("rjfIieN-ROZpkeDpsr0uqnXcoa2gSgHCPc9ETqgv7eA", x, sizeof(x));
	decode("yqI9eBfxLxtimAyOe9I5T5yuwNriI5Zlra_zRQfKCJk", y, sizeof(y));
	struct text token = printed_position(&desk, &position);
	assert_true(jws_hs256_is_valid(token.bytes, token.len, key, sizeof(key)));
	token = printed_session(&desk, &session);
	assert_true(jws_es256_is_valid(token.bytes, token.len, x, y));
	assert_false(jws_hs256_is_valid(token.bytes, token.len, x, sizeof(x)));
}

static void the_claims_are_written_as_others_read_them(void **state)
{
	(void)state;
	WR_AUTO(desk_free_at) struct desk desk = desk_new(KEY_FILE_OF_THREE);
	struct text token = printed_session(&desk, &session);
	const char *payload = strchr(token.bytes, '.') + 1;
	char json[TOKEN_MAX_BYTES];
	size_t len;
	assert_true(base64url_decode(payload, (size_t)(strrchr(payload, '.') - payload), json,
								 sizeof(json), &len));
	json[len] = '\0';
	assert_string_equal(json, "{\"aud\":\"default/demo\",\"sub\":\"abcdefghijklmnop\","
							  "\"epoch\":\"0123456789A\",\"renew\":true,\"iat\":1893452400,"
							  "\"nbf\":1893452400,\"exp\":1893456000}");
}

/* ---- print, then verify ---- */

static char random_of(const char *alphabet, unsigned *seed)
{
	return alphabet[(size_t)rand_r(seed) % strlen(alphabet)];
}

static void random_name(char name[NAME_MAX_CHARS + 1], unsigned *seed)
{
	size_t len = 1 + (size_t)rand_r(seed) % NAME_MAX_CHARS;
	memset(name, 0, NAME_MAX_CHARS + 1);
	for (size_t i = 0; i < len; i++)
		name[i] = random_of(i ? "abcxyz0189-" : "abcxyz0189", seed);
}

static void random_times(int64_t *ret_issued_s, int64_t *ret_expires_s, int64_t life_max_s,
						 unsigned *seed)
{
	*ret_issued_s = NOW_S + TOKEN_LEEWAY_S - rand_r(seed) % life_max_s;
	int64_t left = *ret_issued_s + life_max_s - NOW_S + TOKEN_LEEWAY_S;
	*ret_expires_s = NOW_S - TOKEN_LEEWAY_S + 1 + rand_r(seed) % left;
	if (*ret_expires_s <= *ret_issued_s)
		*ret_expires_s = *ret_issued_s + 1;
	if (*ret_expires_s > *ret_issued_s + life_max_s)
		*ret_expires_s = *ret_issued_s + life_max_s;
}

static unsigned fresh_seed(void)
{
	unsigned seed = (unsigned)time(NULL);
	print_message("seed %u\n", seed);
	return seed;
}

static void whatever_is_printed_comes_back_from_a_position_token(void **state)
{
	(void)state;
	WR_AUTO(desk_free_at) struct desk desk = desk_new(KEY_FILE_OF_THREE);
	unsigned seed = fresh_seed();
	for (int round = 0; round < 5000; round++) {
		struct position_claims claims = {0}, back;
		random_name(claims.queue.tenant, &seed);
		random_name(claims.queue.queue, &seed);
		random_name(claims.lane, &seed);
		position_id_random(claims.position_id);
		epoch_random(claims.epoch);
		if (rand_r(&seed) % 2)
			target_hash(claims.lane, strlen(claims.lane), claims.target_hash);
		claims.ticket = 1 + ((uint64_t)rand_r(&seed) << 22) % ((UINT64_C(1) << 53) - 1);
		claims.holder = rand_r(&seed) % 2 ? (uint32_t)rand_r(&seed) : 0;
		random_times(&claims.issued_s, &claims.expires_s, INT64_C(30) * 86400, &seed);
		struct text token = printed_position(&desk, &claims);
		assert_int_equal(
			position_token_verify(desk.signer, token.bytes, token.len, WALL_S(NOW_S), &back),
			WR_OK);
		assert_true(queue_name_equal(&back.queue, &claims.queue));
		assert_string_equal(back.position_id, claims.position_id);
		assert_string_equal(back.epoch, claims.epoch);
		assert_string_equal(back.lane, claims.lane);
		assert_int_equal(back.ticket, claims.ticket);
		assert_string_equal(back.target_hash, claims.target_hash);
		assert_int_equal(back.holder, claims.holder);
		assert_int_equal(back.issued_s, claims.issued_s);
		assert_int_equal(back.expires_s, claims.expires_s);
	}
}

static void whatever_is_printed_comes_back_from_a_session_token(void **state)
{
	(void)state;
	WR_AUTO(desk_free_at) struct desk desk = desk_new(KEY_FILE_OF_THREE);
	unsigned seed = fresh_seed();
	for (int round = 0; round < 300; round++) {
		struct session_claims claims = {0}, back;
		random_name(claims.queue.tenant, &seed);
		random_name(claims.queue.queue, &seed);
		position_id_random(claims.position_id);
		epoch_random(claims.epoch);
		claims.renewal = rand_r(&seed) % 2;
		if (rand_r(&seed) % 2) {
			random_name(claims.lane, &seed);
			claims.ticket = 1 + (uint64_t)rand_r(&seed);
		}
		if (rand_r(&seed) % 2)
			epoch_random(claims.binding); /* as long */
		random_times(&claims.issued_s, &claims.expires_s, INT64_C(7) * 86400, &seed);
		struct text token = printed_session(&desk, &claims);
		assert_int_equal(
			session_token_verify(desk.signer, token.bytes, token.len, WALL_S(NOW_S), &back), WR_OK);
		assert_true(queue_name_equal(&back.queue, &claims.queue));
		assert_string_equal(back.position_id, claims.position_id);
		assert_string_equal(back.epoch, claims.epoch);
		assert_string_equal(back.lane, claims.lane);
		assert_int_equal(back.ticket, claims.ticket);
		assert_string_equal(back.binding, claims.binding);
		assert_int_equal(back.renewal, claims.renewal);
		assert_int_equal(back.issued_s, claims.issued_s);
		assert_int_equal(back.expires_s, claims.expires_s);
	}
}

static void the_longest_claims_fit(void **state)
{
	(void)state;
	WR_AUTO(desk_free_at)
	struct desk desk =
		desk_new(KEY_FILE(KEY_ROW("p1234567890123456789012345678901", "position", "HS256",
								  SECRET_A) "," SESSION_ROW "," IDENTITY_ROW));
	struct position_claims claims = position;
	memset(claims.queue.tenant, 'a', NAME_MAX_CHARS);
	memset(claims.queue.queue, 'b', NAME_MAX_CHARS);
	memset(claims.lane, 'c', NAME_MAX_CHARS);
	claims.ticket = (UINT64_C(1) << 53) - 1;
	struct text token = printed_position(&desk, &claims);
	assert_true(token.len <= TOKEN_MAX_BYTES);
	assert_int_equal(verify_position(&desk, &token), WR_OK);
}

static void claims_that_would_not_come_back_are_not_printed(void **state)
{
	(void)state;
	WR_AUTO(desk_free_at) struct desk desk = desk_new(KEY_FILE_OF_THREE);
	struct position_claims wrong[12];
	for (size_t i = 0; i < 12; i++)
		wrong[i] = position;
	strcpy(wrong[0].queue.tenant, "");
	strcpy(wrong[1].queue.queue, "UPPER");
	strcpy(wrong[2].lane, "a\"b");
	strcpy(wrong[3].position_id, "short");
	strcpy(wrong[4].epoch, "0123456789!");
	strcpy(wrong[5].target_hash, "x");
	wrong[6].ticket = 0;
	wrong[7].ticket = UINT64_C(1) << 53;
	wrong[8].issued_s = -1;
	wrong[9].expires_s = wrong[9].issued_s;
	wrong[10].expires_s = wrong[10].issued_s + INT64_C(30) * 86400 + 1;
	wrong[11].expires_s = INT64_MAX;
	for (size_t i = 0; i < 12; i++) {
		struct text text = {.bytes = "untouched", .len = 77};
		if (position_token_print(desk.signer, &wrong[i], text.bytes, &text.len) != WR_BUG)
			fail_msg("claims %zu were printed", i);
		assert_string_equal(text.bytes, "untouched");
		assert_int_equal(text.len, 77);
	}
}

static void a_verified_token_names_its_queue_and_epoch(void **state)
{
	(void)state;
	WR_AUTO(desk_free_at) struct desk desk = desk_new(KEY_FILE_OF_THREE);
	struct position_claims of_b = position, back;
	strcpy(of_b.queue.tenant, "tenant-b");
	strcpy(of_b.epoch, "9876543210A");
	struct text token = printed_position(&desk, &of_b);
	assert_int_equal(
		position_token_verify(desk.signer, token.bytes, token.len, WALL_S(NOW_S), &back), WR_OK);
	assert_false(queue_name_equal(&back.queue, &position.queue));
	assert_string_equal(back.epoch, of_b.epoch);
}

static void two_es256_signatures_over_the_same_claims_differ(void **state)
{
	(void)state;
	WR_AUTO(desk_free_at) struct desk desk = desk_new(KEY_FILE_OF_THREE);
	struct text a = printed_session(&desk, &session), b = printed_session(&desk, &session);
	assert_string_not_equal(a.bytes, b.bytes);
	assert_int_equal(verify_session(&desk, &a), WR_OK);
	assert_int_equal(verify_session(&desk, &b), WR_OK);
}

/* ---- rotation ---- */

static void after_a_rotation_old_tokens_verify_and_new_ones_use_the_new_key(void **state)
{
	(void)state;
	WR_AUTO(desk_free_at) struct desk desk = desk_new(KEY_FILE_OF_THREE);
	struct text old_position = printed_position(&desk, &position);
	struct text old_session = printed_session(&desk, &session);
	struct keys *before = desk.keys;
	desk.keys = parsed(KEY_FILE(POSITION_ROW_2 "," POSITION_ROW "," SESSION_ROW_2 "," SESSION_ROW
											   "," IDENTITY_ROW));
	signer_use_keys(desk.signer, desk.keys);
	keys_free(before);
	assert_int_equal(verify_position(&desk, &old_position), WR_OK);
	assert_int_equal(verify_session(&desk, &old_session), WR_OK);
	struct text new_position = printed_position(&desk, &position);
	struct text new_session = printed_session(&desk, &session);
	assert_int_equal(verify_position(&desk, &new_position), WR_OK);
	assert_int_equal(verify_session(&desk, &new_session), WR_OK);
	WR_AUTO(desk_free_at) struct desk first = desk_new(KEY_FILE_OF_THREE);
	assert_int_equal(verify_position(&first, &new_position), WR_BAD_TOKEN);
	assert_int_equal(verify_session(&first, &new_session), WR_BAD_TOKEN);
}

static void a_token_of_a_key_that_was_taken_out_is_refused(void **state)
{
	(void)state;
	WR_AUTO(desk_free_at) struct desk desk = desk_new(KEY_FILE_OF_THREE);
	struct text token = printed_position(&desk, &position);
	WR_AUTO(desk_free_at)
	struct desk later = desk_new(KEY_FILE(POSITION_ROW_2 "," SESSION_ROW "," IDENTITY_ROW));
	assert_int_equal(verify_position(&later, &token), WR_BAD_TOKEN);
}

static void another_key_under_the_same_kid_does_not_verify(void **state)
{
	(void)state;
	WR_AUTO(desk_free_at) struct desk desk = desk_new(KEY_FILE_OF_THREE);
	struct text token = printed_position(&desk, &position);
	struct text paper = printed_session(&desk, &session);
	WR_AUTO(desk_free_at)
	struct desk other = desk_new(KEY_FILE(KEY_ROW("p1", "position", "HS256", SECRET_C) "," KEY_ROW(
		"s1", "session", "ES256", PEM_B) "," IDENTITY_ROW));
	assert_int_equal(verify_position(&other, &token), WR_BAD_TOKEN);
	assert_int_equal(verify_session(&other, &paper), WR_BAD_TOKEN);
}

static void tables_that_follow_each_other_at_one_address_are_told_apart(void **state)
{
	(void)state;
	WR_AUTO(desk_free_at) struct desk desk = desk_new(KEY_FILE_OF_THREE);
	struct text token = printed_position(&desk, &position);
	/* the allocator is free to give the same address again, and without a sanitizer it does */
	keys_free(desk.keys);
	desk.keys = parsed(
		KEY_FILE(KEY_ROW("p1", "position", "HS256", SECRET_C) "," SESSION_ROW "," IDENTITY_ROW));
	signer_use_keys(desk.signer, desk.keys);
	assert_int_equal(verify_position(&desk, &token), WR_BAD_TOKEN);
}

static void a_token_is_extended_when_half_of_its_day_is_over_and_by_thirty_days_in_all(void **state)
{
	(void)state;
	const int64_t hold_ms = 7200000, day_s = POSITION_TOKEN_DAY_S, joined_s = 1800000000;
	struct position_claims claims = {.issued_s = joined_s, .expires_s = joined_s + day_s + 7200};
	struct wall_time before = {(joined_s + day_s / 2 - 1) * 1000};
	struct wall_time half = {(joined_s + day_s / 2) * 1000};
	assert_false(position_token_extend(&claims, hold_ms, before));
	assert_true(position_token_extend(&claims, hold_ms, half));
	assert_int_equal(claims.expires_s, joined_s + day_s / 2 + day_s + 7200);
	assert_false(position_token_extend(&claims, hold_ms, half));
	struct wall_time late = {(joined_s + POSITION_TOKEN_SUM_MAX_S - 3600) * 1000};
	assert_true(position_token_extend(&claims, hold_ms, late));
	assert_int_equal(claims.expires_s, joined_s + POSITION_TOKEN_SUM_MAX_S);
	assert_false(position_token_extend(&claims, hold_ms, late));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_hs256_vector_of_rfc_7515_a_1_verifies),
		cmocka_unit_test(the_es256_vector_of_rfc_7515_a_3_verifies),
		cmocka_unit_test(our_own_vector_has_our_header_and_verifies),
		cmocka_unit_test(printed_tokens_verify_with_the_raw_keys),
		cmocka_unit_test(the_claims_are_written_as_others_read_them),
		cmocka_unit_test(whatever_is_printed_comes_back_from_a_position_token),
		cmocka_unit_test(whatever_is_printed_comes_back_from_a_session_token),
		cmocka_unit_test(the_longest_claims_fit),
		cmocka_unit_test(claims_that_would_not_come_back_are_not_printed),
		cmocka_unit_test(a_verified_token_names_its_queue_and_epoch),
		cmocka_unit_test(two_es256_signatures_over_the_same_claims_differ),
		cmocka_unit_test(after_a_rotation_old_tokens_verify_and_new_ones_use_the_new_key),
		cmocka_unit_test(a_token_of_a_key_that_was_taken_out_is_refused),
		cmocka_unit_test(another_key_under_the_same_kid_does_not_verify),
		cmocka_unit_test(tables_that_follow_each_other_at_one_address_are_told_apart),
		cmocka_unit_test(
			a_token_is_extended_when_half_of_its_day_is_over_and_by_thirty_days_in_all),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
