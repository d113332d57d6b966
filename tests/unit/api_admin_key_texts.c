/* Keys of the admin API: their looks, what is said about a file of them, and what a row of the
 * store takes. */
#include "cmd/api/admin_keys.h"

#include <stdio.h>
#include <string.h>

#include "support/cmocka.h"
#include "support/shared_signer.h"
#include "support/temp.h"
#include "waitingroom/memory.h"

#define HASH "\"sha256\":\"25b50f23f69d4e4a8f2581fd98cda6581906c3471981512c1b33ca9080e32e8f\""
#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static enum wr_err load(const char *content, struct admin_keys **ret_keys,
						struct err_detail *ret_detail)
{
	WR_AUTO(mem_free_at) char *path = temp_file("admin.json", content);
	enum wr_err err = admin_keys_load(path, ret_keys, ret_detail);
	remove(path);
	return err;
}

static void a_key_of_the_file_is_an_admin_of_all_unless_its_row_says_less(void **state)
{
	(void)state;
	struct admin_keys *keys = NULL;
	struct admin_caller caller;
	assert_int_equal(load("{\"keys\":[{" HASH "}]}", &keys, NULL), WR_OK);
	assert_true(admin_keys_find(keys, "wrk_for-tests-only", &caller));
	assert_string_equal(caller.id, "bootstrap");
	assert_string_equal(caller.tenant, "");
	assert_int_equal(caller.role, ADMIN_ADMIN);
	assert_false(admin_keys_find(keys, "wrk_for-tests-onl", &caller));
	assert_false(admin_keys_find(keys, "for-tests-only", &caller));
	assert_false(admin_keys_find(NULL, "wrk_for-tests-only", &caller));
	admin_keys_free(keys);
	assert_int_equal(load("{\"keys\":[{" HASH
						  ",\"id\":\"wall\",\"role\":\"viewer\",\"tenant\":\"acme\"}]}",
						  &keys, NULL),
					 WR_OK);
	assert_true(admin_keys_find(keys, "wrk_for-tests-only", &caller));
	assert_string_equal(caller.id, "wall");
	assert_string_equal(caller.tenant, "acme");
	assert_int_equal(caller.role, ADMIN_VIEWER);
	admin_keys_free(keys);
}

static void a_file_that_is_wrong_is_told_what_is(void **state)
{
	(void)state;
	static const char *const mistakes[][2] = {
		{"{\"keys\":[]}", "holds no key"},
		{"{\"keys\":{}}", "needs \"keys\""},
		{"[", "WR_ADMIN_KEYS_FILE: "},
		{"{\"keys\":[{}]}", "key 1: sha256"},
		{"{\"keys\":[{" HASH "},{\"sha256\":\"AB\"}]}", "key 2: sha256"},
		{"{\"keys\":[{" HASH ",\"role\":\"root\"}]}", "key 1: role"},
		{"{\"keys\":[{" HASH ",\"role\":1}]}", "key 1: role"},
		{"{\"keys\":[{" HASH ",\"tenant\":\"A b\"}]}", "key 1: tenant"},
		{"{\"keys\":[{" HASH ",\"tenant\":null}]}", "key 1: tenant"},
		{"{\"keys\":[{" HASH ",\"id\":7}]}", "key 1: id"},
	};
	for (size_t i = 0; i < COUNT(mistakes); i++) {
		struct admin_keys *keys = NULL;
		struct err_detail detail = {""};
		assert_int_equal(load(mistakes[i][0], &keys, &detail), WR_BAD_CONFIG);
		assert_null(keys);
		if (!strstr(detail.text, mistakes[i][1]))
			fail_msg("%s: \"%s\"", mistakes[i][0], detail.text);
	}
}

static void a_new_key_names_its_row(void **state)
{
	(void)state;
	char key[ADMIN_KEY_BYTES], other[ADMIN_KEY_BYTES];
	char id[ADMIN_KEY_ID_CHARS + 1], found[ADMIN_KEY_ID_CHARS + 1];
	admin_key_random(key, id);
	assert_true(admin_key_id(key, found));
	assert_string_equal(found, id);
	admin_key_random(other, id);
	assert_string_not_equal(key, other);
}

static void what_does_not_look_like_a_key_asks_no_store(void **state)
{
	(void)state;
	char key[ADMIN_KEY_BYTES], id[ADMIN_KEY_ID_CHARS + 1];
	admin_key_random(key, id);
	char wrong[ADMIN_KEY_BYTES + 1];
	static const struct {
		size_t at;
		char letter;
	} changes[] = {{0, 'W'}, {3, '-'}, {4, 'A'}, {5, '1'}, {11, '_'}, {12, '-'}};
	for (size_t i = 0; i < COUNT(changes); i++) {
		strcpy(wrong, key);
		wrong[changes[i].at] = changes[i].letter;
		assert_false(admin_key_id(wrong, id));
	}
	snprintf(wrong, sizeof(wrong), "%sa", key);
	assert_false(admin_key_id(wrong, id));
	key[strlen(key) - 1] = '\0';
	assert_false(admin_key_id(key, id));
	assert_false(admin_key_id("", id));
}

/* ---- rows ---- */

static void make_row(const char *role, const char *tenant, const char *expires, const char *mac,
					 char ret_row[512])
{
	snprintf(ret_row, 512,
			 "{\"created_ms\":1,\"tenant\":\"%s\",\"id\":\"aaaaaaaa\",\"name\":\"a\","
			 "\"role\":\"%s\",\"expires_ms\":%s,\"mac\":\"%s\"}",
			 tenant, role, expires, mac);
}

static enum wr_err check(const char *key, const char *row, int64_t now_ms)
{
	struct admin_caller caller;
	return admin_keys_check(signer, key, row, strlen(row), now_ms, &caller);
}

static void a_row_takes_its_key_for_what_was_signed(void **state)
{
	(void)state;
	char key[ADMIN_KEY_BYTES], other[ADMIN_KEY_BYTES], id[ADMIN_KEY_ID_CHARS + 1];
	char mac[ADMIN_KEY_MAC_CHARS + 1], row[512];
	struct admin_caller opens = {.tenant = "acme", .role = ADMIN_OPERATOR};
	admin_key_random(key, id);
	admin_key_random(other, id);
	admin_key_mac(signer, key, &opens, 5000, mac);
	make_row("operator", "acme", "5000", mac, row);
	assert_int_equal(check(key, row, 4999), WR_OK);
	assert_int_equal(check(key, row, 5000), WR_BAD_TOKEN);
	assert_int_equal(check(other, row, 1), WR_BAD_TOKEN);
	make_row("admin", "acme", "5000", mac, row);
	assert_int_equal(check(key, row, 1), WR_BAD_TOKEN);
	make_row("operator", "*", "5000", mac, row);
	assert_int_equal(check(key, row, 1), WR_BAD_TOKEN);
	make_row("operator", "acme", "6000", mac, row);
	assert_int_equal(check(key, row, 1), WR_BAD_TOKEN);
	make_row("operator", "acme", "null", mac, row);
	assert_int_equal(check(key, row, 1), WR_BAD_TOKEN);
	admin_key_mac(signer, key, &opens, 0, mac);
	make_row("operator", "acme", "null", mac, row);
	assert_int_equal(check(key, row, INT64_MAX), WR_OK);
}

static void a_row_that_cannot_be_read_takes_nothing(void **state)
{
	(void)state;
	static const char *const rows[] = {
		"", "{", "{}", "[]",
		"{\"tenant\":\"acme\",\"id\":\"a\",\"name\":\"a\",\"role\":\"viewer\"}"};
	char key[ADMIN_KEY_BYTES], id[ADMIN_KEY_ID_CHARS + 1];
	admin_key_random(key, id);
	for (size_t i = 0; i < COUNT(rows); i++)
		assert_int_equal(check(key, rows[i], 1), WR_BAD_TOKEN);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_key_of_the_file_is_an_admin_of_all_unless_its_row_says_less),
		cmocka_unit_test(a_file_that_is_wrong_is_told_what_is),
		cmocka_unit_test(a_new_key_names_its_row),
		cmocka_unit_test(what_does_not_look_like_a_key_asks_no_store),
		cmocka_unit_test(a_row_takes_its_key_for_what_was_signed),
		cmocka_unit_test(a_row_that_cannot_be_read_takes_nothing),
	};
	return cmocka_run_group_tests(tests, shared_signer_open, shared_signer_close);
}
