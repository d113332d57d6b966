/* Keys: from the text of a key file to a table of rows that is right or is not there.
 *
 * Every row is checked before any is used, and the message names the row and the remedy: the
 * file is written by people, and a wrong one is found at a reload during an event. A bad row
 * refuses the whole file, so that the caller keeps the table it has.
 *
 * The use fixes the algorithm; 'alg' in the file is there for its readers and must agree. No two
 * rows may hold the same key: a token of one type would be one step from passing for another, and
 * a rotation that keeps the key is none.
 *
 * Secrets live in the document (wiped by json_free), the row (wiped by keys_free) and OpenSSL.
 */
#include "waitingroom/keys.h"

#include <openssl/bio.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <stdatomic.h>
#include <string.h>

#include "key_table.h"
#include "waitingroom/json_in.h"
#include "waitingroom/memory.h"

struct use_row {
	const char *word;
	const char *alg;
	const char *typ;
};

#define USE_ROW(name, word_, alg_, typ_) [name] = {.word = (word_), .alg = (alg_), .typ = (typ_)},
static const struct use_row uses[KEY_USE_COUNT] = {KEY_USE_TABLE(USE_ROW)};
#undef USE_ROW

/* ---- one row ---- */

/* Where a message says it is wrong: "keys[2]: …". */
struct row_place {
	size_t number;
	struct err_detail *detail;
};

static enum wr_err refuse(const struct row_place *place, const char *what)
{
	return err_say(place->detail, WR_BAD_CONFIG, "keys[%zu]: %s", place->number, what);
}

static bool kid_is_valid(const char *kid)
{
	size_t len = strlen(kid);
	return len && len <= KID_MAX_CHARS &&
		   strspn(kid, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-") == len;
}

static bool use_from_word(const char *word, enum key_use *ret_use)
{
	for (unsigned i = 0; i < KEY_USE_COUNT; i++) {
		if (strcmp(uses[i].word, word) == 0) {
			*ret_use = (enum key_use)i;
			return true;
		}
	}
	return false;
}

static size_t encode_header(const struct key_row *row, const char *typ,
							char ret_header[KEY_HEADER_ROOM])
{
	char json[KEY_HEADER_ROOM];
	struct json_out out;
	json_out_init(&out, json, sizeof(json));
	json_out_object(&out, NULL);
	json_out_string(&out, "alg", uses[row->use].alg);
	json_out_string(&out, "kid", row->kid);
	json_out_string(&out, "typ", typ);
	json_out_object_end(&out);
	size_t len = base64url_encode(json, out.len, ret_header);
	ret_header[len++] = '.';
	return len;
}

static void encode_headers(struct key_row *row)
{
	if (uses[row->use].typ)
		row->header_len = encode_header(row, uses[row->use].typ, row->header);
	if (row->use == KEY_SESSION)
		row->pass_header_len = encode_header(row, PASS_TYP, row->pass_header);
}

static enum wr_err read_secret(const char *text, const struct row_place *place, struct key_row *row)
{
	if (!base64url_decode(text, strlen(text), row->secret, sizeof(row->secret), &row->secret_len) ||
		row->secret_len < KEY_SECRET_MIN_BYTES)
		return refuse(place, "key must be 32 to 64 random bytes in base64url without padding; "
							 "openssl rand 32 | basenc --base64url | tr -d =");
	return WR_OK;
}

/* Instead of OpenSSL's own, which would ask at the terminal. */
static int no_passphrase(char *buffer, int size, int writing, void *context)
{
	(void)buffer, (void)size, (void)writing, (void)context;
	return -1;
}

static EVP_PKEY *parse_pem(const char *pem)
{
	BIO *bio = BIO_new_mem_buf(pem, -1);
	if (!bio)
		return NULL;
	EVP_PKEY *pair = PEM_read_bio_PrivateKey(bio, NULL, no_passphrase, NULL);
	BIO_free(bio);
	return pair;
}

static bool is_consistent_pair(EVP_PKEY *pair)
{
	EVP_PKEY_CTX *check = EVP_PKEY_CTX_new(pair, NULL);
	bool consistent = check && EVP_PKEY_check(check) == 1;
	EVP_PKEY_CTX_free(check);
	return consistent;
}

static bool read_coordinate(EVP_PKEY *pair, const char *name, uint8_t ret_bytes[P256_BYTES])
{
	BIGNUM *number = NULL;
	bool good = EVP_PKEY_get_bn_param(pair, name, &number) == 1 &&
				BN_bn2binpad(number, ret_bytes, P256_BYTES) == P256_BYTES;
	BN_free(number);
	return good;
}

static bool is_p256(EVP_PKEY *pair)
{
	char group[32] = "";
	return EVP_PKEY_is_a(pair, "EC") &&
		   EVP_PKEY_get_group_name(pair, group, sizeof(group), NULL) == 1 &&
		   strcmp(group, "prime256v1") == 0;
}

static enum wr_err read_pair(const char *pem, const struct row_place *place, struct key_row *row)
{
	ERR_set_mark();
	row->pair = parse_pem(pem);
	enum wr_err err = WR_OK;
	if (!row->pair)
		err = refuse(place, "key must be an unencrypted private key in PEM; openssl genpkey "
							"-algorithm EC -pkeyopt ec_paramgen_curve:P-256");
	else if (!is_p256(row->pair))
		err = refuse(place, "key must be on the curve P-256 (prime256v1)");
	else if (!is_consistent_pair(row->pair) ||
			 !read_coordinate(row->pair, OSSL_PKEY_PARAM_EC_PUB_X, row->x) ||
			 !read_coordinate(row->pair, OSSL_PKEY_PARAM_EC_PUB_Y, row->y))
		err = refuse(place, "the public half of the key does not belong to its private half");
	ERR_pop_to_mark(); /* what OpenSSL had to say is said above */
	return err;
}

static enum wr_err check_member_names(const struct json_value *object,
									  const struct row_place *place)
{
	static const char *const names[] = {"kid", "use", "alg", "key"};
	for (size_t i = 0; i < json_count(object); i++) {
		const char *name = json_key(json_at(object, i));
		bool known = false;
		for (size_t k = 0; k < sizeof(names) / sizeof(names[0]); k++)
			known |= strcmp(name, names[k]) == 0;
		if (!known)
			return refuse(place, "only kid, use, alg and key may stand in a row");
	}
	return WR_OK;
}

static enum wr_err read_row(const struct json_value *object, const struct row_place *place,
							struct key_row *row)
{
	const char *kid, *use, *alg, *key;
	if (!json_is_object(object))
		return refuse(place, "must be an object");
	enum wr_err err = check_member_names(object, place);
	if (err)
		return err;
	if (!json_string(json_member(object, "kid"), &kid) || !kid_is_valid(kid))
		return refuse(place, "kid must be 1 to 32 characters of A-Z a-z 0-9 _ -");
	if (!json_string(json_member(object, "use"), &use) || !use_from_word(use, &row->use))
		return refuse(place, "use must be \"position\", \"session\" or \"identity\"");
	if (!json_string(json_member(object, "alg"), &alg) || strcmp(alg, uses[row->use].alg) != 0)
		return refuse(place, "alg must be \"HS256\" for position and identity keys, \"ES256\" for "
							 "session keys");
	if (!json_string(json_member(object, "key"), &key))
		return refuse(place, "key must be a string");
	memcpy(row->kid, kid, strlen(kid) + 1);
	encode_headers(row);
	return row->use == KEY_SESSION ? read_pair(key, place, row) : read_secret(key, place, row);
}

/* ---- the table ---- */

static bool is_same_key(const struct key_row *a, const struct key_row *b)
{
	if (a->pair && b->pair)
		return memcmp(a->x, b->x, P256_BYTES) == 0;
	return !a->pair && !b->pair && a->secret_len == b->secret_len &&
		   CRYPTO_memcmp(a->secret, b->secret, a->secret_len) == 0;
}

static enum wr_err check_against_others(const struct keys *keys, const struct row_place *place)
{
	const struct key_row *row = &keys->rows[place->number];
	for (const struct key_row *other = keys->rows; other < row; other++) {
		if (strcmp(row->kid, other->kid) == 0)
			return refuse(place, "kid stands twice; a kid names one key for ever");
		if (is_same_key(row, other))
			return refuse(place, "key is the same as that of a row before it; make a new one");
	}
	return WR_OK;
}

static enum wr_err read_rows(const struct json_value *list, struct keys *keys,
							 struct err_detail *ret_detail)
{
	size_t count = json_count(list);
	if (count > KEYS_MAX)
		return err_say(ret_detail, WR_BAD_CONFIG, "keys: at most %d rows, are %zu", KEYS_MAX,
					   count);
	for (size_t i = 0; i < count; i++) {
		struct row_place place = {.number = i, .detail = ret_detail};
		struct key_row *row = &keys->rows[i];
		keys->count = i + 1; /* at once, so that keys_free sees a half-read row */
		enum wr_err err = read_row(json_at(list, i), &place, row);
		if (!err)
			err = check_against_others(keys, &place);
		if (err)
			return err;
		if (!keys->first[row->use])
			keys->first[row->use] = row;
	}
	for (unsigned use = 0; use < KEY_USE_COUNT; use++)
		if (!keys->first[use])
			return err_say(ret_detail, WR_BAD_CONFIG, "keys: at least one row of use \"%s\" needed",
						   uses[use].word);
	return WR_OK;
}

static void free_at(struct keys **keys)
{
	keys_free(*keys);
}

enum wr_err keys_parse(const char *json, size_t len, struct keys **ret_keys,
					   struct err_detail *ret_detail)
{
	WR_AUTO(json_free_at) struct json_value *document = NULL;
	struct err_detail why = {0};
	if (json_parse(json, len, &document, &why))
		return err_say(ret_detail, WR_BAD_CONFIG, "keys: %s", why.text);
	const struct json_value *list = json_member(document, "keys");
	if (!json_is_array(list) || json_count(document) != 1)
		return err_say(ret_detail, WR_BAD_CONFIG, "keys: must be {\"keys\":[…]} and nothing else");
	WR_AUTO(free_at) struct keys *keys = mem_alloc_zero(1, sizeof(*keys));
	enum wr_err err = read_rows(list, keys, ret_detail);
	if (err)
		return err;
	static _Atomic uint64_t generations;
	keys->generation = atomic_fetch_add(&generations, 1) + 1;
	*ret_keys = WR_TAKE(keys);
	return WR_OK;
}

void keys_free(struct keys *keys)
{
	if (!keys)
		return;
	for (size_t i = 0; i < keys->count; i++)
		EVP_PKEY_free(keys->rows[i].pair);
	explicit_bzero(keys, sizeof(*keys));
	mem_free_at(&keys);
}

/* RFC 7517 and RFC 7518 section 6.2. */
void keys_print_jwks(const struct keys *keys, struct json_out *out)
{
	json_out_object(out, NULL);
	json_out_array(out, "keys");
	for (const struct key_row *row = keys->rows; row < keys->rows + keys->count; row++) {
		if (!row->pair)
			continue;
		char x[BASE64URL_LEN(P256_BYTES)], y[BASE64URL_LEN(P256_BYTES)];
		json_out_object(out, NULL);
		json_out_string(out, "kty", "EC");
		json_out_string(out, "crv", "P-256");
		json_out_string(out, "alg", "ES256");
		json_out_string(out, "use", "sig");
		json_out_string(out, "kid", row->kid);
		json_out_string_n(out, "x", x, base64url_encode(row->x, P256_BYTES, x));
		json_out_string_n(out, "y", y, base64url_encode(row->y, P256_BYTES, y));
		json_out_object_end(out);
	}
	json_out_array_end(out);
	json_out_object_end(out);
}
