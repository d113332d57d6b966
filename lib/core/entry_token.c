/* Entry token: refusing in the order of cost, as token.c does, but of a foreign issuer's spelling.
 *
 *     length, three parts ─► header ─► row of the kid ─► signature ─► payload ─► times
 *
 * The header has to be parsed before anything is known to be true. It is bounded, goes through the
 * strict parser, and may have exactly three members: there is no jku, x5u, jwk or crit to be talked
 * into. What it says picks a row and must agree with the row, and decides nothing else.
 */
#include "waitingroom/entry_token.h"

#include <string.h>

#include "jws.h"
#include "waitingroom/json_in.h"
#include "waitingroom/memory.h"

#define TYP "wr-invite+jwt"
#define HEADER_MAX_BYTES 256
#define PAYLOAD_MAX_BYTES (TOKEN_MAX_BYTES / 4 * 3)

/* ---- JSON ---- */

/* gives a flat object, or NULL. */
static struct json_value *decode_object(const char *text, size_t len, size_t most)
{
	char json[PAYLOAD_MAX_BYTES];
	size_t json_len;
	struct json_value *document = NULL;
	if (!base64url_decode(text, len, json, most, &json_len) ||
		json_parse(json, json_len, &document, NULL) != WR_OK)
		return NULL;
	bool flat = json_is_object(document);
	for (size_t i = 0; flat && i < json_count(document); i++)
		flat = !json_is_object(json_at(document, i)) && !json_is_array(json_at(document, i));
	if (!flat)
		json_free(WR_TAKE(document));
	return document;
}

static const char *string_of(const struct json_value *object, const char *name)
{
	const char *text = NULL;
	const struct json_value *member = json_member(object, name);
	return member != NULL && json_string(member, &text) ? text : NULL;
}

/* Seconds, not negative. */
static bool time_of(const struct json_value *object, const char *name, int64_t *ret_seconds)
{
	int64_t seconds;
	const struct json_value *member = json_member(object, name);
	if (member == NULL || !json_int(member, &seconds) || seconds < 0)
		return false;
	*ret_seconds = seconds;
	return true;
}

/* ---- header ---- */

static const char *alg_word(enum entry_key_alg alg)
{
	return alg == ENTRY_KEY_HS256 ? "HS256" : "ES256";
}

/* The row that the header names, or NULL. */
static const struct entry_key *find_row(const struct queue_settings *settings, const char *text,
										size_t len)
{
	WR_AUTO(json_free_at) struct json_value *header = decode_object(text, len, HEADER_MAX_BYTES);
	if (header == NULL || json_count(header) != 3)
		return NULL;
	const char *alg = string_of(header, "alg"), *typ = string_of(header, "typ"),
			   *kid = string_of(header, "kid");
	if (alg == NULL || typ == NULL || kid == NULL || strcmp(typ, TYP) != 0)
		return NULL;
	for (uint32_t i = 0; i < settings->entry_key_count; i++) {
		const struct entry_key *row = &settings->entry_keys[i];
		if (strcmp(row->kid, kid) == 0)
			return strcmp(alg_word(row->alg), alg) == 0 ? row : NULL;
	}
	return NULL;
}

static bool signature_holds(const struct entry_key *row, const char *text, size_t len)
{
	if (row->alg == ENTRY_KEY_HS256)
		return jws_hs256_is_valid(text, len, row->bytes, row->byte_count);
	return jws_es256_is_valid(text, len, row->bytes, row->bytes + P256_BYTES);
}

/* ---- payload ---- */

static bool is_space(char c)
{
	return c == ' ' || c == '\t';
}

bool entry_identity_read(const char *text, char ret_identity[ENTRY_IDENTITY_MAX_BYTES + 1])
{
	size_t len = strlen(text);
	for (; len > 0 && is_space(*text); len--)
		text++;
	while (len > 0 && is_space(text[len - 1]))
		len--;
	if (len == 0 || len > ENTRY_IDENTITY_MAX_BYTES)
		return false;
	bool is_mail = memchr(text, '@', len) != NULL;
	for (size_t i = 0; i < len; i++) {
		if ((unsigned char)text[i] < ' ')
			return false;
		bool is_upper = text[i] >= 'A' && text[i] <= 'Z';
		ret_identity[i] = is_mail && is_upper ? (char)(text[i] - 'A' + 'a') : text[i];
	}
	ret_identity[len] = '\0';
	return true;
}

/* A member that is not there is fine, one of another type is not. */
static bool read_optional(const struct json_value *payload, struct entry_claims *claims)
{
	const char *identity = string_of(payload, "identity"), *lane = string_of(payload, "lane");
	const struct json_value *reusable = json_member(payload, "reusable");
	if (json_member(payload, "identity") != NULL &&
		(identity == NULL || !entry_identity_read(identity, claims->identity)))
		return false;
	if (json_member(payload, "lane") != NULL) {
		if (lane == NULL || !name_is_valid(lane, strlen(lane)))
			return false;
		strcpy(claims->lane, lane);
	}
	return reusable == NULL || json_bool(reusable, &claims->reusable);
}

static bool read_claims(const struct json_value *payload, const struct queue_name *queue,
						struct entry_claims *claims, int64_t *ret_not_before_s)
{
	char name[QUEUE_NAME_TEXT_BYTES], hex[65];
	queue_name_print(queue, name);
	const char *audience = string_of(payload, "aud"), *jti = string_of(payload, "jti");
	if (audience == NULL || strcmp(audience, name) != 0 || jti == NULL || jti[0] == '\0' ||
		strlen(jti) > ENTRY_JTI_MAX_BYTES)
		return false;
	if (!time_of(payload, "iat", &claims->issued_s) ||
		!time_of(payload, "exp", &claims->expires_s) ||
		claims->expires_s - claims->issued_s > ENTRY_LIFE_MAX_S)
		return false;
	*ret_not_before_s = claims->issued_s;
	if (json_member(payload, "nbf") != NULL && !time_of(payload, "nbf", ret_not_before_s))
		return false;
	sha256_hex(jti, strlen(jti), hex);
	memcpy(claims->id, hex, ENTRY_ID_CHARS);
	return read_optional(payload, claims);
}

enum wr_err entry_token_verify(const struct queue_settings *settings,
							   const struct queue_name *queue, const char *text, size_t len,
							   struct wall_time now, struct entry_claims *ret_claims)
{
	struct jws_parts parts;
	if (len > TOKEN_MAX_BYTES || !jws_split(text, len, &parts))
		return WR_BAD_TOKEN;
	const struct entry_key *row = find_row(settings, text, parts.header_len - 1);
	if (row == NULL || !signature_holds(row, text, len))
		return WR_BAD_TOKEN;
	WR_AUTO(json_free_at)
	struct json_value *payload = decode_object(parts.payload, parts.payload_len, PAYLOAD_MAX_BYTES);
	struct entry_claims claims = {.reusable = false};
	int64_t not_before_s, now_s = now.ms / 1000;
	if (payload == NULL || !read_claims(payload, queue, &claims, &not_before_s) ||
		claims.issued_s > now_s + TOKEN_LEEWAY_S || not_before_s > now_s + TOKEN_LEEWAY_S)
		return WR_BAD_TOKEN;
	if (now_s >= claims.expires_s + TOKEN_LEEWAY_S)
		return WR_TOKEN_EXPIRED;
	*ret_claims = claims;
	return WR_OK;
}
