/* Settings entry: the keys that entry tokens of a queue are signed with.
 *
 * A key comes as text, is taken apart once, and is not shown again: its fingerprint tells an
 * operator which key it is. A row that comes without a key names one that is there already, so that
 * settings which were read can be sent back.
 */
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <stdlib.h>
#include <string.h>

#include "settings_rules.h"
#include "waitingroom/memory.h"
#include "waitingroom/token.h"

#define P256_BYTES 32

static const char *const alg_words[] = {
	[ENTRY_KEY_HS256] = "HS256",
	[ENTRY_KEY_ES256] = "ES256",
};

/* ---- one key ---- */

static bool kid_is_fine(const char *kid)
{
	size_t len = strlen(kid);
	for (size_t i = 0; i < len; i++)
		if (kid[i] <= ' ' || kid[i] > '~' || kid[i] == '"' || kid[i] == '\\')
			return false;
	return len >= 1 && len <= ENTRY_KEY_KID_CHARS;
}

static bool read_secret(struct entry_key *key)
{
	size_t len;
	if (!base64url_decode(key->key, strlen(key->key), key->bytes, sizeof(key->bytes), &len) ||
		len < ENTRY_KEY_SECRET_LEAST_BYTES)
		return false;
	key->byte_count = (uint8_t)len;
	return true;
}

static bool read_coordinate(EVP_PKEY *public, const char *name, uint8_t ret_bytes[P256_BYTES])
{
	BIGNUM *number = NULL;
	bool good = EVP_PKEY_get_bn_param(public, name, &number) == 1 &&
				BN_bn2binpad(number, ret_bytes, P256_BYTES) == P256_BYTES;
	BN_free(number);
	return good;
}

static bool is_p256(EVP_PKEY *public)
{
	char group[32] = "";
	return EVP_PKEY_is_a(public, "EC") &&
		   EVP_PKEY_get_group_name(public, group, sizeof(group), NULL) == 1 &&
		   strcmp(group, "prime256v1") == 0;
}

static bool read_public(struct entry_key *key)
{
	BIO *bio = BIO_new_mem_buf(key->key, -1);
	if (bio == NULL)
		abort();
	ERR_set_mark();
	EVP_PKEY *public = PEM_read_bio_PUBKEY(bio, NULL, NULL, NULL);
	bool good = public != NULL && is_p256(public) &&
				read_coordinate(public, OSSL_PKEY_PARAM_EC_PUB_X, key->bytes) &&
				read_coordinate(public, OSSL_PKEY_PARAM_EC_PUB_Y, key->bytes + P256_BYTES);
	key->byte_count = 2 * P256_BYTES;
	ERR_pop_to_mark(); /* the caller says what is wrong */
	EVP_PKEY_free(public);
	BIO_free(bio);
	return good;
}

static void make_fingerprint(struct entry_key *key)
{
	char hex[65];
	sha256_hex((const char *)key->bytes, key->byte_count, hex);
	memcpy(key->fingerprint, hex, ENTRY_KEY_FINGERPRINT_CHARS);
}

static enum wr_err take_key(struct entry_key *key, const char *text, unsigned number,
							struct err_detail *ret_detail)
{
	size_t len = strlen(text);
	bool fits = len <= ENTRY_KEY_TEXT_BYTES;
	if (fits)
		memcpy(key->key, text, len + 1);
	if (key->alg == ENTRY_KEY_HS256 && !(fits && read_secret(key)))
		return err_say(ret_detail, WR_INVALID,
					   "entry_keys[%u].key: must be %d..%d random bytes in base64url without "
					   "padding; openssl rand 32 | basenc --base64url | tr -d =",
					   number, ENTRY_KEY_SECRET_LEAST_BYTES, ENTRY_KEY_SECRET_MOST_BYTES);
	if (key->alg == ENTRY_KEY_ES256 && !(fits && read_public(key)))
		return err_say(ret_detail, WR_INVALID,
					   "entry_keys[%u].key: must be a P-256 public key in PEM; "
					   "openssl ec -in private.pem -pubout",
					   number);
	make_fingerprint(key);
	return WR_OK;
}

/* ---- reading ---- */

struct row {
	const char *kid, *alg, *key; /* NULL: not given */
};

static enum wr_err read_row(const struct json_value *value, unsigned number, struct row *ret_row,
							struct err_detail *ret_detail)
{
	struct row row = {NULL, NULL, NULL};
	for (size_t i = 0; i < json_count(value); i++) {
		const struct json_value *member = json_at(value, i);
		const char *name = json_key(member), *text;
		const char **part = strcmp(name, "kid") == 0   ? &row.kid
							: strcmp(name, "alg") == 0 ? &row.alg
							: strcmp(name, "key") == 0 ? &row.key
													   : NULL;
		if (part == NULL && strcmp(name, "fingerprint") == 0)
			continue; /* what an answer has, and a client may send back as it came */
		if (part == NULL)
			return err_say(ret_detail, WR_INVALID,
						   "entry_keys[%u]: must have no members but kid, alg and key", number);
		if (!json_string(member, &text))
			return err_say(ret_detail, WR_INVALID, "entry_keys[%u].%s: must be a string", number,
						   part == &row.kid	  ? "kid"
						   : part == &row.alg ? "alg"
											  : "key");
		*part = text;
	}
	*ret_row = row;
	return WR_OK;
}

static const struct entry_key *find_key(const struct entry_key *keys, size_t count, const char *kid)
{
	for (size_t i = 0; i < count; i++)
		if (strcmp(keys[i].kid, kid) == 0)
			return &keys[i];
	return NULL;
}

/* One row into key; 'kept' is what was there under the same kid, or NULL. */
static enum wr_err take_row(struct entry_key *key, const struct row *row,
							const struct entry_key *kept, unsigned number,
							struct err_detail *ret_detail)
{
	if (row->alg == NULL && kept != NULL && row->key == NULL) {
		*key = *kept;
		return WR_OK;
	}
	if (row->alg == NULL || (strcmp(row->alg, "HS256") != 0 && strcmp(row->alg, "ES256") != 0))
		return err_say(ret_detail, WR_INVALID, "entry_keys[%u].alg: must be HS256 or ES256",
					   number);
	enum entry_key_alg alg = row->alg[0] == 'H' ? ENTRY_KEY_HS256 : ENTRY_KEY_ES256;
	if (row->key == NULL && (kept == NULL || kept->alg != alg))
		return err_say(ret_detail, WR_INVALID,
					   "entry_keys[%u].key: must be given: no key of this kid and alg is known",
					   number);
	if (row->key == NULL) {
		*key = *kept;
		return WR_OK;
	}
	key->alg = alg;
	memcpy(key->kid, row->kid, strlen(row->kid) + 1);
	return take_key(key, row->key, number, ret_detail);
}

static enum wr_err read_keys(const struct queue_settings *settings, const struct json_value *value,
							 struct entry_key *keys, struct err_detail *ret_detail)
{
	for (unsigned i = 0; i < json_count(value); i++) {
		struct row row = {NULL, NULL, NULL};
		if (!json_is_object(json_at(value, i)))
			return err_say(ret_detail, WR_INVALID,
						   "entry_keys[%u]: must be an object of kid, alg and key", i);
		enum wr_err err = read_row(json_at(value, i), i, &row, ret_detail);
		if (err != WR_OK)
			return err;
		if (row.kid == NULL || !kid_is_fine(row.kid))
			return err_say(ret_detail, WR_INVALID,
						   "entry_keys[%u].kid: must be 1..%d printable ASCII characters without "
						   "space, quote and backslash",
						   i, ENTRY_KEY_KID_CHARS);
		if (find_key(keys, i, row.kid) != NULL)
			return err_say(ret_detail, WR_INVALID,
						   "entry_keys[%u].kid: must not be that of another key", i);
		err = take_row(&keys[i], &row,
					   find_key(settings->entry_keys, settings->entry_key_count, row.kid), i,
					   ret_detail);
		if (err != WR_OK)
			return err;
	}
	return WR_OK;
}

static void free_keys(struct entry_key *keys, size_t count)
{
	if (keys != NULL)
		explicit_bzero(keys, count * sizeof(*keys));
	free(keys);
}

enum wr_err settings_read_entry_keys(struct queue_settings *settings,
									 const struct json_value *value, struct err_detail *ret_detail)
{
	size_t count = json_count(value);
	if (!json_is_array(value) || count > QUEUE_ENTRY_KEYS_MAX)
		return err_say(ret_detail, WR_INVALID, "entry_keys: must be an array of at most %d keys",
					   QUEUE_ENTRY_KEYS_MAX);
	struct entry_key *keys = count > 0 ? mem_alloc_zero(count, sizeof(*keys)) : NULL;
	enum wr_err err = read_keys(settings, value, keys, ret_detail);
	if (err != WR_OK) {
		free_keys(keys, count);
		return err;
	}
	settings_drop_entry_keys(settings);
	settings->entry_keys = keys;
	settings->entry_key_count = (uint32_t)count;
	return WR_OK;
}

void settings_drop_entry_keys(struct queue_settings *settings)
{
	free_keys(settings->entry_keys, settings->entry_key_count);
	settings->entry_keys = NULL;
	settings->entry_key_count = 0;
}

/* ---- writing ---- */

void settings_write_entry_keys(const struct queue_settings *settings, struct json_out *out,
							   const char *key, bool secrets)
{
	json_out_array(out, key);
	for (unsigned i = 0; i < settings->entry_key_count; i++) {
		const struct entry_key *row = &settings->entry_keys[i];
		json_out_object(out, NULL);
		json_out_string(out, "kid", row->kid);
		json_out_string(out, "alg", alg_words[row->alg]);
		if (secrets)
			json_out_string(out, "key", row->key);
		else
			json_out_string(out, "fingerprint", row->fingerprint);
		json_out_object_end(out);
	}
	json_out_array_end(out);
}
