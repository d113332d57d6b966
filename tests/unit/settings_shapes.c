/* Settings of a shape of their own: entry keys, bypass rules, messages, the template; and what a
 * PUT keeps. */
#include "support/cmocka.h"
#include "support/settings_json.h"
#include "waitingroom/memory.h"

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <stdio.h>
#include <string.h>

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))
#define SECRET "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8" /* the bytes 0..31 */
#define OTHER_SECRET "HwECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8"

/* gives; a public key of a curve in PEM, as the text of a JSON string */
static char *public_key_json(const char *curve)
{
	EVP_PKEY *pair = EVP_EC_gen(curve);
	BIO *bio = BIO_new(BIO_s_mem());
	assert_true(pair && bio && PEM_write_bio_PUBKEY(bio, pair) == 1);
	char *pem, *json = mem_alloc_zero(1, 2048), *at = json;
	long len = BIO_get_mem_data(bio, &pem);
	for (long i = 0; i < len; i++)
		at = pem[i] == '\n' ? stpcpy(at, "\\n") : (*at = pem[i], at + 1);
	BIO_free(bio);
	EVP_PKEY_free(pair);
	return json;
}

/* ---- entry keys ---- */

static void an_entry_key_is_taken_apart_once(void **state)
{
	(void)state;
	char json[4096];
	WR_AUTO(mem_free_at) char *pem = public_key_json("P-256");
	snprintf(json, sizeof(json),
			 "{\"entry\":\"signed\",\"entry_keys\":[{\"kid\":\"shop-1\",\"alg\":\"HS256\","
			 "\"key\":\"" SECRET "\"},{\"kid\":\"crm\",\"alg\":\"ES256\",\"key\":\"%s\"}]}",
			 pem);
	WR_AUTO(queue_settings_clear) struct queue_settings settings = settings_json_good(json);
	assert_int_equal(settings.entry_key_count, 2);
	const struct entry_key *keys = settings.entry_keys;
	assert_string_equal(keys[0].kid, "shop-1");
	assert_int_equal(keys[0].alg, ENTRY_KEY_HS256);
	assert_int_equal(keys[0].byte_count, 32);
	for (size_t i = 0; i < 32; i++)
		assert_int_equal(keys[0].bytes[i], i);
	/* printf '\0\1…\37' | sha256sum */
	assert_string_equal(keys[0].fingerprint, "630dcd2966c43366");
	assert_int_equal(keys[1].alg, ENTRY_KEY_ES256);
	assert_int_equal(keys[1].byte_count, 64);
	assert_string_not_equal(keys[0].fingerprint, keys[1].fingerprint);
}

static void secrets_are_never_shown(void **state)
{
	(void)state;
	WR_AUTO(queue_settings_clear)
	struct queue_settings settings = settings_json_good(
		"{\"challenge\":\"turnstile\",\"captcha_site_key\":\"0x4AAA\","
		"\"captcha_secret\":\"hush-hush\","
		"\"entry_keys\":[{\"kid\":\"a\",\"alg\":\"HS256\",\"key\":\"" SECRET "\"}]}");
	WR_AUTO(mem_free_at) char *json = settings_json_print(&settings);
	assert_null(strstr(json, "hush-hush"));
	assert_null(strstr(json, "captcha_secret"));
	assert_null(strstr(json, SECRET));
	assert_non_null(strstr(json, "\"captcha_site_key\":\"0x4AAA\""));
	assert_non_null(strstr(json, "{\"kid\":\"a\",\"alg\":\"HS256\",\"fingerprint\":\"630dcd29"));
}

static void every_mistake_in_an_entry_key_is_named(void **state)
{
	(void)state;
	static const struct {
		const char *keys, *said;
	} mistakes[] = {
		{"{}", "entry_keys: must be an array of at most 4 keys"},
		{"[1]", "entry_keys[0]: must be an object"},
		{"[{}]", "entry_keys[0].kid: must be 1..64 printable"},
		{"[{\"kid\":\"\"}]", "entry_keys[0].kid: must be 1..64"},
		{"[{\"kid\":\"a b\"}]", "entry_keys[0].kid: must be 1..64"},
		{"[{\"kid\":\"a\"}]", "entry_keys[0].alg: must be HS256 or ES256"},
		{"[{\"kid\":\"a\",\"alg\":\"none\",\"key\":\"x\"}]", "entry_keys[0].alg: must be HS256"},
		{"[{\"kid\":\"a\",\"alg\":\"HS256\"}]", "entry_keys[0].key: must be given: no key of this"},
		{"[{\"kid\":\"a\",\"alg\":\"HS256\",\"key\":5}]", "entry_keys[0].key: must be a string"},
		{"[{\"kid\":\"a\",\"alg\":\"HS256\",\"key\":\"AAECAwQ\"}]",
		 "entry_keys[0].key: must be 32"},
		{"[{\"kid\":\"a\",\"alg\":\"HS256\",\"key\":\"" SECRET "=\"}]",
		 "entry_keys[0].key: must be"},
		{"[{\"kid\":\"a\",\"alg\":\"ES256\",\"key\":\"" SECRET "\"}]",
		 "entry_keys[0].key: must be a P-256 public key in PEM"},
		{"[{\"kid\":\"a\",\"alg\":\"HS256\",\"key\":\"" SECRET "\"},"
		 "{\"kid\":\"a\",\"alg\":\"HS256\",\"key\":\"" SECRET "\"}]",
		 "entry_keys[1].kid: must not be that of another key"},
		{"[{\"kid\":\"a\",\"secret\":\"x\"}]", "entry_keys[0]: must have no members but kid, alg"},
		{"[{},{},{},{},{}]", "entry_keys: must be an array of at most 4"},
	};
	for (size_t i = 0; i < COUNT_OF(mistakes); i++) {
		char json[1024];
		snprintf(json, sizeof(json), "{\"entry_keys\":%s}", mistakes[i].keys);
		settings_json_refused(json, mistakes[i].said);
	}
	char json[4096];
	WR_AUTO(mem_free_at) char *other_curve = public_key_json("P-384");
	snprintf(json, sizeof(json),
			 "{\"entry_keys\":[{\"kid\":\"a\",\"alg\":\"ES256\",\"key\":\"%s\"}]}", other_curve);
	settings_json_refused(json, "entry_keys[0].key: must be a P-256 public key in PEM");
}

/* ---- what a PUT keeps ---- */

static struct queue_settings put(const char *json, const struct queue_settings *stored)
{
	struct queue_settings settings;
	struct err_detail detail = {""};
	if (queue_settings_from_put(json, strlen(json), stored, &settings, &detail) != WR_OK)
		fail_msg("%s: %s", json, detail.text);
	return settings;
}

static struct queue_settings with_secrets(void)
{
	return settings_json_good("{\"burst\":7,\"captcha_secret\":\"hush\",\"entry_keys\":["
							  "{\"kid\":\"a\",\"alg\":\"HS256\",\"key\":\"" SECRET "\"},"
							  "{\"kid\":\"b\",\"alg\":\"HS256\",\"key\":\"" OTHER_SECRET "\"}]}");
}

static void what_was_read_can_be_put_back_and_loses_no_secret(void **state)
{
	(void)state;
	WR_AUTO(queue_settings_clear) struct queue_settings stored = with_secrets();
	WR_AUTO(mem_free_at) char *read = settings_json_print(&stored);
	WR_AUTO(queue_settings_clear) struct queue_settings back = put(read, &stored);
	assert_string_equal(back.captcha_secret, "hush");
	assert_int_equal(back.entry_key_count, 2);
	assert_memory_equal(back.entry_keys, stored.entry_keys, 2 * sizeof(*back.entry_keys));
	assert_int_equal(back.burst, 7);
}

static void a_put_gives_everything_else_its_default(void **state)
{
	(void)state;
	WR_AUTO(queue_settings_clear) struct queue_settings stored = with_secrets();
	WR_AUTO(queue_settings_clear) struct queue_settings back = put("{\"capacity\":5}", &stored);
	assert_int_equal(back.burst, 10);
	assert_int_equal(back.capacity, 5);
	assert_string_equal(back.captcha_secret, "hush");
	assert_int_equal(back.entry_key_count, 0); /* keys are listed: not there, not wanted */
}

static void keys_are_kept_by_their_kid(void **state)
{
	(void)state;
	WR_AUTO(queue_settings_clear) struct queue_settings stored = with_secrets();
	WR_AUTO(queue_settings_clear)
	struct queue_settings back =
		put("{\"captcha_secret\":\"\",\"entry_keys\":[{\"kid\":\"b\",\"alg\":\"HS256\"},"
			"{\"kid\":\"c\",\"alg\":\"HS256\",\"key\":\"" SECRET "\"},{\"kid\":\"a\"}]}",
			&stored);
	assert_string_equal(back.captcha_secret, "");
	assert_int_equal(back.entry_key_count, 3);
	assert_string_equal(back.entry_keys[0].key, OTHER_SECRET);
	assert_string_equal(back.entry_keys[1].kid, "c");
	assert_string_equal(back.entry_keys[2].key, SECRET);
	struct queue_settings none;
	struct err_detail detail = {""};
	const char *other_alg = "{\"entry_keys\":[{\"kid\":\"a\",\"alg\":\"ES256\"}]}";
	assert_int_equal(queue_settings_from_put(other_alg, strlen(other_alg), &stored, &none, &detail),
					 WR_INVALID);
	assert_string_equal(detail.text, "entry_keys[0].key: must be given: no key of this kid and alg "
									 "is known");
	assert_int_equal(queue_settings_from_put(other_alg, strlen(other_alg), NULL, &none, &detail),
					 WR_INVALID);
}

/* ---- bypass ---- */

static void bypass_rules_are_kept_in_their_plainest_form(void **state)
{
	(void)state;
	WR_AUTO(queue_settings_clear)
	struct queue_settings settings = settings_json_good(
		"{\"bypass\":[{\"methods\":[\"POST\",\"GET\"],\"extension\":\"JS\"},"
		"{\"network\":\"192.0.2.7\",\"header\":\"X-Key\",\"secret_sha256\":"
		"\"ABCDEF0000000000000000000000000000000000000000000000000000000000\"},"
		"{\"network\":\"2001:DB8:0::/32\",\"path_prefix\":\"/a\",\"user_agent\":\"a*\"}]}");
	WR_AUTO(mem_free_at) char *json = settings_json_print(&settings);
	assert_non_null(strstr(
		json, "\"bypass\":[{\"extension\":\"js\",\"methods\":[\"GET\",\"POST\"]},"
			  "{\"network\":\"192.0.2.7/32\",\"header\":\"x-key\",\"secret_sha256\":"
			  "\"abcdef0000000000000000000000000000000000000000000000000000000000\"},"
			  "{\"path_prefix\":\"/a\",\"network\":\"2001:db8::/32\",\"user_agent\":\"a*\"}]"));
}

static void every_mistake_in_a_bypass_rule_is_named(void **state)
{
	(void)state;
	static const struct {
		const char *rule, *said;
	} mistakes[] = {
		{"1", "bypass[0]: must be an object"},
		{"{}", "bypass[0]: must ask for something; state passthrough"},
		{"{\"path\":\"/a\"}", "bypass[0]: must have no members but path_prefix"},
		{"{\"path_prefix\":5}", "bypass[0].path_prefix: must be a string"},
		{"{\"path_prefix\":\"a\"}", "bypass[0].path_prefix: must begin with /"},
		{"{\"path_prefix\":\"/a/../b\"}", "bypass[0].path_prefix: must not have empty parts"},
		{"{\"path_prefix\":\"//a\"}", "bypass[0].path_prefix: must not have empty parts"},
		{"{\"path_prefix\":\"/a*\"}", "bypass[0].path_prefix: must be a plain path"},
		{"{\"path_prefix\":\"/a%20\"}", "bypass[0].path_prefix: must be a plain path"},
		{"{\"extension\":\".css\"}", "bypass[0].extension: must be 1..16 letters and digits"},
		{"{\"extension\":\"\"}", "bypass[0].extension: must be 1..16"},
		{"{\"extension\":\"12345678901234567\"}", "bypass[0].extension: must be 1..16"},
		{"{\"network\":\"192.0.2.1/24\"}", "bypass[0].network: must be an address or a network"},
		{"{\"network\":\"192.0.2.0/33\"}", "bypass[0].network: must be an address"},
		{"{\"network\":\"192.0.2\"}", "bypass[0].network: must be an address"},
		{"{\"network\":\"2001:db8::1/32\"}", "bypass[0].network: must be an address"},
		{"{\"network\":\"2001:db8::/129\"}", "bypass[0].network: must be an address"},
		{"{\"network\":\"::/\"}", "bypass[0].network: must be an address"},
		{"{\"network\":\"\"}", "bypass[0].network: must be an address"},
		{"{\"user_agent\":\"**\"}", "bypass[0].user_agent: must be a pattern"},
		{"{\"user_agent\":\"\"}", "bypass[0].user_agent: must be a pattern"},
		{"{\"user_agent\":\"\\u00e9\"}", "bypass[0].user_agent: must be printable ASCII"},
		{"{\"header\":\"x-a\"}", "bypass[0].secret_sha256: must be given"},
		{"{\"secret_sha256\":"
		 "\"0000000000000000000000000000000000000000000000000000000000000000\"}",
		 "bypass[0].header: must be given"},
		{"{\"header\":\"x a\",\"secret_sha256\":\"\"}", "bypass[0].header: must be the name of"},
		{"{\"header\":\"x\",\"secret_sha256\":\"abc\"}",
		 "bypass[0].secret_sha256: must be the SHA"},
		{"{\"methods\":[]}", "bypass[0].methods: must be an array of methods"},
		{"{\"methods\":[\"get\"]}", "bypass[0].methods: must be an array of methods"},
		{"{\"methods\":\"GET\"}", "bypass[0].methods: must be an array of methods"},
	};
	for (size_t i = 0; i < COUNT_OF(mistakes); i++) {
		char json[512];
		snprintf(json, sizeof(json), "{\"bypass\":[%s]}", mistakes[i].rule);
		settings_json_refused(json, mistakes[i].said);
	}
	settings_json_refused("{\"bypass\":{}}", "bypass: must be an array of at most 32 rules");
}

/* ---- messages and template ---- */

static void a_message_is_found_by_its_language(void **state)
{
	(void)state;
	WR_AUTO(queue_settings_clear)
	struct queue_settings settings = settings_json_good(
		"{\"message\":\"default\",\"messages\":{\"de\":\"Bald\",\"pt-BR\":\"Logo\"}}");
	assert_string_equal(queue_settings_message(&settings, "de"), "Bald");
	assert_string_equal(queue_settings_message(&settings, "de-AT"), "Bald");
	assert_string_equal(queue_settings_message(&settings, "PT-br"), "Logo");
	assert_string_equal(queue_settings_message(&settings, "pt"), "default");
	assert_string_equal(queue_settings_message(&settings, "d"), "default");
	assert_string_equal(queue_settings_message(&settings, ""), "default");
	settings_json_refused("{\"messages\":[]}",
						  "messages: must be an object of at most 14 languages");
	settings_json_refused("{\"messages\":{\"\":\"x\"}}", "messages: name 1: must be a language");
	settings_json_refused("{\"messages\":{\"de\":\"x\",\"d_\":\"x\"}}",
						  "messages: name 2: must be a");
	settings_json_refused("{\"messages\":{\"de-\":\"x\"}}", "messages: name 1: must be a language");
	settings_json_refused("{\"messages\":{\"de\":5}}", "messages.de: must be a string");
	settings_json_refused("{\"messages\":{\"de\":\"\\u0007\"}}", "messages.de: must be plain text");
}

static void a_template_has_the_place_of_the_room_once(void **state)
{
	(void)state;
	WR_AUTO(queue_settings_clear)
	struct queue_settings settings =
		settings_json_good("{\"template\":\"<h1>Us</h1>\\n<!--waitingroom-->\\t\"}");
	assert_string_equal(settings.template_html, "<h1>Us</h1>\n<!--waitingroom-->\t");
	struct queue_settings none = settings_json_good("{\"template\":\"\"}");
	assert_null(none.template_html);
	settings_json_refused("{\"template\":5}", "template: must be a string");
	settings_json_refused("{\"template\":\"<h1>\"}",
						  "template: must have the line <!--waitingroom--> once");
	settings_json_refused("{\"template\":\"<!--waitingroom--><!--waitingroom-->\"}",
						  "template: must have the line <!--waitingroom--> once");
	settings_json_refused("{\"template\":\"<!--waitingroom-->\\u0001\"}",
						  "template: must have no control characters");
}

/* ---- the rest ---- */

static void what_contradicts_itself_is_refused(void **state)
{
	(void)state;
	settings_json_refused("{\"challenge_bits_min\":19}",
						  "challenge_bits_min: must not be above challenge_bits_max, which is 18");
	settings_json_refused("{\"challenge\":\"hcaptcha\"}",
						  "captcha_site_key: must be given with the challenge hcaptcha");
	settings_json_refused("{\"challenge\":\"friendly\",\"captcha_site_key\":\"k\"}",
						  "captcha_secret: must be given with the challenge friendly");
	settings_json_refused("{\"entry\":\"signed\"}",
						  "entry_keys: must be at least one when entry is signed");
	settings_json_refused("{\"challenge\":\"recaptcha\"}",
						  "challenge: must be one of off pow turnstile hcaptcha friendly");
	settings_json_refused("{\"entry\":true}", "entry: must be one of open signed");
	settings_json_refused("{\"sharing\":\"\"}", "sharing: must be one of off log requeue");
	settings_json_refused("{\"captcha_site_key\":\"a\\\"b\"}",
						  "captcha_site_key: must be the key as the");
	settings_json_refused("{\"captcha_secret\":\"a b\"}",
						  "captcha_secret: must be the key as the provider");
}

static void the_address_of_a_room_is_kept_without_its_last_slash(void **state)
{
	(void)state;
	static const char *const refused[] = {"/room",		  "ftp://a",	 "https://a/?x",
										  "https://a/#x", "https://u@a", "javascript:alert(1)"};
	assert_string_equal(
		settings_json_good("{\"room_url\":\"HTTPS://Wait.Example:443/_wr/\"}").room_url,
		"https://wait.example/_wr");
	assert_string_equal(settings_json_good("{\"room_url\":\"https://wait.example/\"}").room_url,
						"https://wait.example");
	assert_string_equal(settings_json_good("{\"room_url\":\"\"}").room_url, "");
	for (size_t i = 0; i < COUNT_OF(refused); i++) {
		char json[128];
		snprintf(json, sizeof(json), "{\"room_url\":\"%s\"}", refused[i]);
		settings_json_refused(json, "room_url: must ");
	}
}

static void a_queue_holds_until_it_opens(void **state)
{
	(void)state;
	struct queue_settings settings = settings_json_good("{\"opens_at_ms\":1000}");
	assert_int_equal(queue_settings_state_at(&settings, 999), QUEUE_HOLD);
	assert_int_equal(queue_settings_state_at(&settings, 1000), QUEUE_OPEN);
	settings.state = QUEUE_PAUSED;
	assert_int_equal(queue_settings_state_at(&settings, 999), QUEUE_PAUSED);
	settings.state = QUEUE_PASSTHROUGH;
	assert_int_equal(queue_settings_state_at(&settings, 999), QUEUE_PASSTHROUGH);
}

static void a_copy_owns_what_it_has(void **state)
{
	(void)state;
	struct queue_settings settings = settings_json_good(
		"{\"template\":\"<!--waitingroom-->\",\"messages\":{\"de\":\"Bald\"},"
		"\"theme\":{\"name\":\"Shop\"},\"bypass\":[{\"methods\":[\"GET\"]}],"
		"\"entry_keys\":[{\"kid\":\"a\",\"alg\":\"HS256\",\"key\":\"" SECRET "\"}]}");
	struct queue_settings *copy = queue_settings_new_copy(&settings);
	queue_settings_clear(&settings);
	assert_null(settings.theme);
	assert_int_equal(settings.bypass_count, 0);
	assert_string_equal(copy->template_html, "<!--waitingroom-->");
	assert_string_equal(copy->messages[0].text, "Bald");
	assert_string_equal(copy->theme->name, "Shop");
	assert_int_equal(copy->bypass[0].methods, 1);
	assert_string_equal(copy->entry_keys[0].key, SECRET);
	queue_settings_free(copy);
	queue_settings_free(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_entry_key_is_taken_apart_once),
		cmocka_unit_test(secrets_are_never_shown),
		cmocka_unit_test(every_mistake_in_an_entry_key_is_named),
		cmocka_unit_test(what_was_read_can_be_put_back_and_loses_no_secret),
		cmocka_unit_test(a_put_gives_everything_else_its_default),
		cmocka_unit_test(keys_are_kept_by_their_kid),
		cmocka_unit_test(bypass_rules_are_kept_in_their_plainest_form),
		cmocka_unit_test(every_mistake_in_a_bypass_rule_is_named),
		cmocka_unit_test(a_message_is_found_by_its_language),
		cmocka_unit_test(a_template_has_the_place_of_the_room_once),
		cmocka_unit_test(what_contradicts_itself_is_refused),
		cmocka_unit_test(the_address_of_a_room_is_kept_without_its_last_slash),
		cmocka_unit_test(a_queue_holds_until_it_opens),
		cmocka_unit_test(a_copy_owns_what_it_has),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
