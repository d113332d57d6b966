/* Position ids, epochs and hashes. */
#include "support/cmocka.h"
#include "support/shared_signer.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <string.h>

static const struct queue_name demo = {"default", "demo"};

static void a_repeated_key_gives_the_same_valid_id(void **state)
{
	(void)state;
	char first[POSITION_ID_CHARS + 1], second[POSITION_ID_CHARS + 1];
	position_id_from_key(signer, &demo, "key", 3, first);
	position_id_from_key(signer, &demo, "key, longer in memory", 3, second);
	assert_string_equal(first, second);
	assert_true(position_id_is_valid(first, strlen(first)));
}

static void other_queues_tenants_and_keys_give_other_ids(void **state)
{
	(void)state;
	static const struct {
		struct queue_name queue;
		const char *key;
		size_t len;
	} rows[] = {
		{{"default", "demo"}, "key", 3},  {{"default", "demo"}, "kez", 3},
		{{"default", "demo"}, "", 0},	  {{"default", "demo"}, "key\0", 4},
		{{"default", "demok"}, "ey", 2},  {{"default", "dem"}, "okey", 4},
		{{"default", "other"}, "key", 3}, {{"tenant", "demo"}, "key", 3},
	};
	enum { ROWS = sizeof(rows) / sizeof(rows[0]) };
	char ids[ROWS][POSITION_ID_CHARS + 1];
	for (size_t i = 0; i < ROWS; i++) {
		position_id_from_key(signer, &rows[i].queue, rows[i].key, rows[i].len, ids[i]);
		for (size_t k = 0; k < i; k++)
			assert_string_not_equal(ids[i], ids[k]);
	}
}

static void an_id_is_the_front_of_the_hmac_with_the_identity_key(void **state)
{
	(void)state;
	uint8_t key[32], mac[32];
	size_t len;
	assert_true(base64url_decode(SECRET_B, strlen(SECRET_B), key, sizeof(key), &len));
	static const char input[] = "default/demo\0key";
	HMAC(EVP_sha256(), key, sizeof(key), (const uint8_t *)input, sizeof(input) - 1, mac, NULL);
	char expected[POSITION_ID_CHARS + 1] = {0}, id[POSITION_ID_CHARS + 1];
	assert_int_equal(base64url_encode(mac, 12, expected), POSITION_ID_CHARS);
	position_id_from_key(signer, &demo, "key", 3, id);
	assert_string_equal(id, expected);
}

static void the_id_of_a_key_survives_a_rotation_of_the_others(void **state)
{
	(void)state;
	static const char rotated[] = KEY_FILE(KEY_ROW("p2", "position", "HS256", SECRET_C) "," KEY_ROW(
		"s2", "session", "ES256", PEM_B) "," IDENTITY_ROW);
	char before[POSITION_ID_CHARS + 1], after[POSITION_ID_CHARS + 1];
	position_id_from_key(signer, &demo, "key", 3, before);
	struct keys *others = NULL;
	assert_int_equal(keys_parse(rotated, strlen(rotated), &others, NULL), WR_OK);
	signer_use_keys(signer, others);
	position_id_from_key(signer, &demo, "key", 3, after);
	signer_use_keys(signer, signing_keys);
	keys_free(others);
	assert_string_equal(before, after);
}

static void random_ids_are_valid_and_differ(void **state)
{
	(void)state;
	char last[POSITION_ID_CHARS + 1] = "", last_epoch[EPOCH_CHARS + 1] = "";
	for (int i = 0; i < 100; i++) {
		char id[POSITION_ID_CHARS + 1], epoch[EPOCH_CHARS + 1];
		position_id_random(id);
		epoch_random(epoch);
		assert_true(position_id_is_valid(id, strlen(id)));
		assert_int_equal(strlen(epoch), EPOCH_CHARS);
		assert_string_not_equal(id, last);
		assert_string_not_equal(epoch, last_epoch);
		memcpy(last, id, sizeof(id));
		memcpy(last_epoch, epoch, sizeof(epoch));
	}
}

static void tokens_of_a_life_that_was_lost_count(void **state)
{
	(void)state;
	assert_true(epoch_counts("now", "now", ""));
	assert_true(epoch_counts("last", "now", "last,first"));
	assert_true(epoch_counts("first", "now", "last,first"));
	static const char *const others[] = {"", "las", "ast", "last,", "irst", "last,first", "other"};
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		assert_false(epoch_counts(others[i], "now", "last,first"));
	assert_false(epoch_counts("other", "now", ""));
}

static void of_many_lives_that_were_lost_the_oldest_are_forgotten(void **state)
{
	(void)state;
	char lost[LOST_EPOCHS_BYTES] = "", lives[20][EPOCH_CHARS + 1];
	for (size_t i = 0; i < 20; i++) {
		epoch_random(lives[i]);
		for (size_t k = 0; k < i; k++)
			assert_int_equal(epoch_counts(lives[k], lives[i], lost), k + LOST_EPOCHS_MAX >= i);
		epochs_lost(lives[i], lost, lost);
		assert_memory_equal(lost, lives[i], EPOCH_CHARS);
	}
	assert_int_equal(strlen(lost), LOST_EPOCHS_BYTES - 1);
}

static void an_id_is_sixteen_characters_of_base64url(void **state)
{
	(void)state;
	assert_true(position_id_is_valid("abc-_09AZabcdefg, and more", 16));
	static const char *const wrong[] = {"",
										"abcdefghijklmno",
										"abcdefghijklmnopq",
										"abcdefghijklmno+",
										"abcdefghijklmno/",
										"abcdefghijklmno=",
										"abcdefgh{jklmnop",
										"abcdefgh jklmnop",
										"abcdefgh\njklmnop"};
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		assert_false(position_id_is_valid(wrong[i], strlen(wrong[i])));
	assert_false(position_id_is_valid("abcdefgh\0jklmnop", 16));
}

static void hashes_are_those_of_sha_256(void **state)
{
	(void)state;
	char hex[65], hash[TARGET_HASH_CHARS + 1];
	sha256_hex("abc", 3, hex); /* FIPS 180-2, B.1 */
	assert_string_equal(hex, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
	target_hash("abc", 3, hash);
	assert_string_equal(hash, "ungWv48Bz-o");
	sha256_hex("", 0, hex);
	assert_string_equal(hex, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_repeated_key_gives_the_same_valid_id),
		cmocka_unit_test(other_queues_tenants_and_keys_give_other_ids),
		cmocka_unit_test(an_id_is_the_front_of_the_hmac_with_the_identity_key),
		cmocka_unit_test(the_id_of_a_key_survives_a_rotation_of_the_others),
		cmocka_unit_test(random_ids_are_valid_and_differ),
		cmocka_unit_test(tokens_of_a_life_that_was_lost_count),
		cmocka_unit_test(of_many_lives_that_were_lost_the_oldest_are_forgotten),
		cmocka_unit_test(an_id_is_sixteen_characters_of_base64url),
		cmocka_unit_test(hashes_are_those_of_sha_256),
	};
	return cmocka_run_group_tests(tests, shared_signer_open, shared_signer_close);
}
