/* Key files: what is taken, what every mistake is told, fresh files, and the published keys. */
#include "waitingroom/keys.h"
#include "support/cmocka.h"
#include "support/key_texts.h"
#include "support/temp.h"
#include "waitingroom/json_in.h"
#include "waitingroom/memory.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* clang-format off */
#define PEM_P384 \
	"-----BEGIN PRIVATE KEY-----\\n" \
	"MIG2AgEAMBAGByqGSM49AgEGBSuBBAAiBIGeMIGbAgEBBDC0f85AeUIcDgNjMBGg\\n" \
	"gHnXvYj1RW5foE60xrFlFFkDbn8zNAxLcr2IaNpj0TspajahZANiAAT+g7/gmSJU\\n" \
	"qM/g/sBLGj5Od1fLQbKZ2Gkwsdq9b+5lVj36amjvG5Qet03ITjbPk4M/FTblb7FD\\n" \
	"7XLR8/qFaShZGFFJHxvevAgZI7WSYpg/vAtSCWk9tR5iJ2+tK4Ke18Q=\\n" \
	"-----END PRIVATE KEY-----\\n"
#define PEM_ED25519 \
	"-----BEGIN PRIVATE KEY-----\\n" \
	"MC4CAQAwBQYDK2VwBCIEIK7u/1jy6EZm770VYwlHS5MvRLjWRbdBit232vPNV/XS\\n" \
	"-----END PRIVATE KEY-----\\n"
#define PEM_PUBLIC \
	"-----BEGIN PUBLIC KEY-----\\n" \
	"MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAErjfIieN+ROZpkeDpsr0uqnXcoa2g\\n" \
	"SgHCPc9ETqgv7eDKoj14F/EvG2KYDI570jlPnK7A2uIjlmWtr/NFB8oImQ==\\n" \
	"-----END PUBLIC KEY-----\\n"
#define PEM_ENCRYPTED \
	"-----BEGIN ENCRYPTED PRIVATE KEY-----\\n" \
	"MIHsMFcGCSqGSIb3DQEFDTBKMCkGCSqGSIb3DQEFDDAcBAjmcuQFsk1KAwICCAAw\\n" \
	"DAYIKoZIhvcNAgkFADAdBglghkgBZQMEAQIEEApFxJYrEhBVq2O8++PlydQEgZAe\\n" \
	"67cvu/k9bEfbUxiULarh77H271kB0/SU0v2hHcXJnNuzahSY7ahJfk8BNoWkse/w\\n" \
	"7ZyFFIe44eJ7tltuOJxx9f3z5y1nrUfTtr/T1zr3szPcJFQzL1zLbzzN83IcWnUo\\n" \
	"GbTH84tOlk6Cq7y41cgdMmviqaaoqmq2w2D3wngvJ0/aD84p2rxEb6L4X95BRTE=\\n" \
	"-----END ENCRYPTED PRIVATE KEY-----\\n"
/* PEM_A's private half with PEM_B's public half. */
#define PEM_MISMATCHED \
	"-----BEGIN PRIVATE KEY-----\\n" \
	"MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgO9CrotL4LcaloSDz\\n" \
	"3zpZH+W56PoEOYPb1nOi27dkx3qhRANCAARE54wNGNvvKXNkSJWntpI0GWuFK+Rz\\n" \
	"jrUM5g2OHyv9i0QrqdI+jRvoZ++ZXs5f5Ic0o3FQmeJSwbfPkbYrI8uu\\n" \
	"-----END PRIVATE KEY-----\\n"
#define PEM_A_SEC1 \
	"-----BEGIN EC PRIVATE KEY-----\\n" \
	"MHcCAQEEIDvQq6LS+C3GpaEg8986WR/luej6BDmD29Zzotu3ZMd6oAoGCCqGSM49\\n" \
	"AwEHoUQDQgAErjfIieN+ROZpkeDpsr0uqnXcoa2gSgHCPc9ETqgv7eDKoj14F/Ev\\n" \
	"G2KYDI570jlPnK7A2uIjlmWtr/NFB8oImQ==\\n" \
	"-----END EC PRIVATE KEY-----\\n"

#define OTHERS POSITION_ROW "," SESSION_ROW ","
/* clang-format on */

static void keys_free_at(struct keys **keys)
{
	keys_free(*keys);
}

static struct keys *parsed(const char *json)
{
	struct keys *keys = NULL;
	struct err_detail detail = {0};
	if (keys_parse(json, strlen(json), &keys, &detail) != WR_OK)
		fail_msg("%s", detail.text);
	return keys;
}

static void a_file_with_one_key_of_each_use_is_taken(void **state)
{
	(void)state;
	keys_free(parsed(KEY_FILE_OF_THREE));
}

static void a_session_key_may_be_in_the_older_pem_form(void **state)
{
	(void)state;
	keys_free(parsed(
		KEY_FILE(POSITION_ROW "," IDENTITY_ROW "," KEY_ROW("s1", "session", "ES256", PEM_A_SEC1))));
}

/* What is wrong, and what the message must say. */
static const struct {
	const char *json;
	const char *says;
} mistakes[] = {
	{"", "keys: not JSON"},
	{"{\"keys\":[]", "keys: not JSON"},
	{"[]", "keys: must be {\"keys\":"},
	{"{}", "keys: must be {\"keys\":"},
	{"{\"keys\":{}}", "keys: must be {\"keys\":"},
	{"{\"keys\":[],\"more\":1}", "keys: must be {\"keys\":"},
	{"{\"keys\":[]}", "keys: at least one row of use \"position\""},
	{KEY_FILE(POSITION_ROW), "keys: at least one row of use \"session\""},
	{KEY_FILE(POSITION_ROW "," SESSION_ROW), "keys: at least one row of use \"identity\""},
	{KEY_FILE("7"), "keys[0]: must be an object"},
	{KEY_FILE(OTHERS "null"), "keys[2]: must be an object"},
	{KEY_FILE(OTHERS "{\"use\":\"identity\",\"alg\":\"HS256\",\"key\":\"" SECRET_B "\"}"),
	 "keys[2]: kid"},
	{KEY_FILE(OTHERS "{\"kid\":1}"), "keys[2]: kid"},
	{KEY_FILE(OTHERS KEY_ROW("", "identity", "HS256", SECRET_B)), "keys[2]: kid"},
	{KEY_FILE(OTHERS KEY_ROW("../i1", "identity", "HS256", SECRET_B)), "keys[2]: kid"},
	{KEY_FILE(OTHERS KEY_ROW("a12345678901234567890123456789012", "identity", "HS256", SECRET_B)),
	 "keys[2]: kid"},
	{KEY_FILE(OTHERS KEY_ROW("p1", "identity", "HS256", SECRET_B)), "keys[2]: kid stands twice"},
	{KEY_FILE(OTHERS KEY_ROW("i1", "other", "HS256", SECRET_B)), "keys[2]: use"},
	{KEY_FILE(OTHERS "{\"kid\":\"i1\",\"alg\":\"HS256\",\"key\":\"" SECRET_B "\"}"),
	 "keys[2]: use"},
	{KEY_FILE(OTHERS KEY_ROW("i1", "identity", "ES256", PEM_B)), "keys[2]: alg"},
	{KEY_FILE(OTHERS KEY_ROW("s2", "session", "HS256", SECRET_B)), "keys[2]: alg"},
	{KEY_FILE(OTHERS KEY_ROW("i1", "identity", "none", SECRET_B)), "keys[2]: alg"},
	{KEY_FILE(OTHERS "{\"kid\":\"i1\",\"use\":\"identity\",\"alg\":\"HS256\"}"), "keys[2]: key"},
	{KEY_FILE(OTHERS KEY_ROW("i1", "identity", "HS256", "")), "keys[2]: key must be 32 to 64"},
	{KEY_FILE(OTHERS KEY_ROW("i1", "identity", "HS256", SECRET_B "=")), "keys[2]: key must be 32"},
	{KEY_FILE(OTHERS KEY_ROW("i1", "identity", "HS256",
							 "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHg")), /* 31 bytes */
	 "keys[2]: key must be 32 to 64"},
	{KEY_FILE(OTHERS KEY_ROW("i1", "identity", "HS256", SECRET_A SECRET_B "AA")),
	 "keys[2]: key must be 32 to 64"},
	{KEY_FILE(OTHERS KEY_ROW("i1", "identity", "HS256", SECRET_A)), "keys[2]: key is the same"},
	{KEY_FILE(OTHERS KEY_ROW("s2", "session", "ES256", PEM_A)), "keys[2]: key is the same"},
	{KEY_FILE(OTHERS KEY_ROW("s2", "session", "ES256", SECRET_B)), "keys[2]: key must be an unenc"},
	{KEY_FILE(OTHERS KEY_ROW("s2", "session", "ES256", PEM_PUBLIC)), "keys[2]: key must be an une"},
	{KEY_FILE(OTHERS KEY_ROW("s2", "session", "ES256", PEM_ENCRYPTED)), "keys[2]: key must be an "},
	{KEY_FILE(OTHERS KEY_ROW("s2", "session", "ES256", PEM_P384)), "keys[2]: key must be on the c"},
	{KEY_FILE(OTHERS KEY_ROW("s2", "session", "ES256", PEM_ED25519)), "keys[2]: key must be on th"},
	{KEY_FILE(OTHERS KEY_ROW("s2", "session", "ES256", PEM_MISMATCHED)),
	 "keys[2]: the public half of the key"},
	{KEY_FILE(OTHERS "{\"kid\":\"i1\",\"use\":\"identity\",\"alg\":\"HS256\",\"key\":\"" SECRET_B
					 "\",\"exp\":1}"),
	 "keys[2]: only kid, use, alg and key"},
};

static void every_mistake_names_its_row_and_the_remedy(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(mistakes); i++) {
		struct keys *keys = NULL;
		struct err_detail detail = {0};
		enum wr_err err = keys_parse(mistakes[i].json, strlen(mistakes[i].json), &keys, &detail);
		if (err != WR_BAD_CONFIG || keys || !strstr(detail.text, mistakes[i].says))
			fail_msg("mistake %zu: want \"%s\", got %s \"%s\"", i, mistakes[i].says, err_code(err),
					 detail.text);
	}
}

static void no_message_holds_key_material(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(mistakes); i++) {
		struct keys *keys = NULL;
		struct err_detail detail = {0};
		(void)!keys_parse(mistakes[i].json, strlen(mistakes[i].json), &keys, &detail);
		assert_null(strstr(detail.text, "AAECAw"));
		assert_null(strstr(detail.text, "ICEiIy"));
		assert_null(strstr(detail.text, "MIGH"));
	}
}

static void seventeen_rows_are_too_many(void **state)
{
	(void)state;
	static const char start[] = "{\"keys\":[7";
	char json[sizeof(start) + 2 * KEYS_MAX + 2];
	strcpy(json, start);
	for (int i = 0; i < KEYS_MAX; i++)
		strcat(json, ",7");
	strcat(json, "]}");
	struct keys *keys = NULL;
	struct err_detail detail = {0};
	assert_int_equal(keys_parse(json, strlen(json), &keys, &detail), WR_BAD_CONFIG);
	assert_string_equal(detail.text, "keys: at most 16 rows, are 17");
}

/* ---- files ---- */

static enum wr_err load(const char *path, struct err_detail *detail)
{
	struct keys *keys = NULL;
	enum wr_err err = keys_load(path, &keys, detail);
	keys_free(keys);
	return err;
}

static void a_file_that_everybody_may_read_is_refused(void **state)
{
	(void)state;
	WR_AUTO(mem_free_at) char *path = temp_file("open.json", KEY_FILE_OF_THREE);
	struct err_detail detail = {0};
	assert_int_equal(load(path, &detail), WR_OK);
	for (mode_t mode = 1; mode <= 4; mode <<= 1) {
		assert_int_equal(chmod(path, 0600 | mode), 0);
		assert_int_equal(load(path, &detail), WR_BAD_CONFIG);
		assert_non_null(strstr(detail.text, "chmod 0400"));
	}
	assert_int_equal(chmod(path, 0440), 0);
	assert_int_equal(load(path, &detail), WR_OK);
}

static void what_is_no_readable_plain_file_is_refused_without_waiting(void **state)
{
	(void)state;
	struct err_detail detail = {0};
	WR_AUTO(mem_free_at) char *missing = temp_path("missing.json");
	assert_int_equal(load(missing, &detail), WR_IO);
	assert_non_null(strstr(detail.text, "No such file"));
	WR_AUTO(mem_free_at) char *pipe = temp_path("pipe");
	assert_int_equal(mkfifo(pipe, 0600), 0);
	assert_int_equal(load(pipe, &detail), WR_BAD_CONFIG);
	assert_non_null(strstr(detail.text, "plain file"));
	assert_int_equal(load(temp_dir(), &detail), WR_BAD_CONFIG);
}

static void a_file_larger_than_any_key_file_is_refused(void **state)
{
	(void)state;
	char *large = malloc(65537);
	memset(large, ' ', 65536);
	large[65536] = '\0';
	WR_AUTO(mem_free_at) char *path = temp_file("large.json", large);
	free(large);
	struct err_detail detail = {0};
	assert_int_equal(load(path, &detail), WR_BAD_CONFIG);
	assert_non_null(strstr(detail.text, "larger"));
}

static void a_fresh_file_loads_and_only_its_owner_may_read_it(void **state)
{
	(void)state;
	WR_AUTO(mem_free_at) char *path = temp_path("fresh.json");
	struct err_detail detail = {0};
	assert_int_equal(keys_generate(path, &detail), WR_OK);
	struct stat status;
	assert_int_equal(stat(path, &status), 0);
	assert_int_equal(status.st_mode & 07777, 0400);
	assert_int_equal(load(path, &detail), WR_OK);
}

static void an_existing_file_is_never_replaced(void **state)
{
	(void)state;
	WR_AUTO(mem_free_at) char *path = temp_file("used.json", "in use");
	struct err_detail detail = {0};
	assert_int_equal(keys_generate(path, &detail), WR_BAD_CONFIG);
	assert_non_null(strstr(detail.text, "exists"));
	WR_AUTO(mem_free_at) char *content = temp_read(path, NULL);
	assert_string_equal(content, "in use");
}

static void a_directory_that_is_not_there_is_an_io_error(void **state)
{
	(void)state;
	WR_AUTO(mem_free_at) char *path = temp_path("no/such/keys.json");
	struct err_detail detail = {0};
	assert_int_equal(keys_generate(path, &detail), WR_IO);
	assert_non_null(strstr(detail.text, "No such file"));
}

/* gives the text that a member of a row has */
static char *row_text(const char *json, size_t row, const char *member)
{
	struct json_value *document = NULL;
	assert_int_equal(json_parse(json, strlen(json), &document, NULL), WR_OK);
	const char *text;
	assert_true(
		json_string(json_member(json_at(json_member(document, "keys"), row), member), &text));
	char *copy = mem_copy_string(text);
	json_free(document);
	return copy;
}

static void two_fresh_files_share_neither_kids_nor_keys(void **state)
{
	(void)state;
	char *json[2];
	for (size_t i = 0; i < 2; i++) {
		WR_AUTO(mem_free_at) char *path = temp_path("fresh-%zu.json", i);
		assert_int_equal(keys_generate(path, NULL), WR_OK);
		json[i] = temp_read(path, NULL);
	}
	for (size_t row = 0; row < 3; row++) {
		for (int key = 0; key < 2; key++) {
			WR_AUTO(mem_free_at) char *a = row_text(json[0], row, key ? "key" : "kid");
			WR_AUTO(mem_free_at) char *b = row_text(json[1], row, key ? "key" : "kid");
			assert_string_not_equal(a, b);
		}
	}
	free(json[0]);
	free(json[1]);
}

/* ---- JWKS ---- */

static char *jwks_of(const char *json)
{
	WR_AUTO(keys_free_at) struct keys *keys = parsed(json);
	char text[2048];
	struct json_out out;
	json_out_init(&out, text, sizeof(text));
	keys_print_jwks(keys, &out);
	assert_false(out.overflow);
	return mem_copy(text, out.len);
}

static void the_jwks_holds_the_public_session_keys_and_nothing_else(void **state)
{
	(void)state;
	WR_AUTO(mem_free_at)
	char *jwks = jwks_of(KEY_FILE(POSITION_ROW "," SESSION_ROW "," IDENTITY_ROW
											   "," KEY_ROW("s2", "session", "ES256", PEM_B)));
	assert_string_equal(
		jwks, "{\"keys\":[{\"kty\":\"EC\",\"crv\":\"P-256\",\"alg\":\"ES256\",\"use\":\"sig\","
			  "\"kid\":\"s1\",\"x\":\"rjfIieN-ROZpkeDpsr0uqnXcoa2gSgHCPc9ETqgv7eA\","
			  "\"y\":\"yqI9eBfxLxtimAyOe9I5T5yuwNriI5Zlra_zRQfKCJk\"},"
			  "{\"kty\":\"EC\",\"crv\":\"P-256\",\"alg\":\"ES256\",\"use\":\"sig\","
			  "\"kid\":\"s2\",\"x\":\"ROeMDRjb7ylzZEiVp7aSNBlrhSvkc461DOYNjh8r_Ys\","
			  "\"y\":\"RCup0j6NG-hn75lezl_khzSjcVCZ4lLBt8-Rtisjy64\"}]}");
}

static void keys_that_are_null_are_freed_without_harm(void **state)
{
	(void)state;
	keys_free(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_file_with_one_key_of_each_use_is_taken),
		cmocka_unit_test(a_session_key_may_be_in_the_older_pem_form),
		cmocka_unit_test(every_mistake_names_its_row_and_the_remedy),
		cmocka_unit_test(no_message_holds_key_material),
		cmocka_unit_test(seventeen_rows_are_too_many),
		cmocka_unit_test(a_file_that_everybody_may_read_is_refused),
		cmocka_unit_test(what_is_no_readable_plain_file_is_refused_without_waiting),
		cmocka_unit_test(a_file_larger_than_any_key_file_is_refused),
		cmocka_unit_test(a_fresh_file_loads_and_only_its_owner_may_read_it),
		cmocka_unit_test(an_existing_file_is_never_replaced),
		cmocka_unit_test(a_directory_that_is_not_there_is_an_io_error),
		cmocka_unit_test(two_fresh_files_share_neither_kids_nor_keys),
		cmocka_unit_test(the_jwks_holds_the_public_session_keys_and_nothing_else),
		cmocka_unit_test(keys_that_are_null_are_freed_without_harm),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
