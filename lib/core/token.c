/* Tokens: printing and verifying (RFC 7515 compact form, one closed profile).
 *
 *     base64url(header) . base64url(claims) . base64url(signature)
 *
 * Verifying refuses in the order of cost: length, three parts, length of the signature, the
 * encoded header against one constant per key of the use, the signature, and only then what the
 * claims say. The header is never decoded. It names no algorithm that could be believed: equal
 * bytes mean one row of the table, and the row has its algorithm. A token of another type has
 * another header and another key, so it stops at the comparison.
 *
 * Nothing here allocates; OpenSSL does inside for ES256, and a little for HMAC.
 */
#include "waitingroom/token.h"

#include <openssl/crypto.h>
#include <string.h>

#include "claims.h"
#include "jws.h"
#include "signer.h"

enum token_type { TOKEN_POSITION, TOKEN_SESSION, TOKEN_PASS };

static enum key_use use_of(enum token_type type)
{
	return type == TOKEN_POSITION ? KEY_POSITION : KEY_SESSION;
}

/* ---- opening ---- */

/* Session keys sign two types of token; equal bytes tell the type as well. */
static bool begins_as(const struct key_row *row, bool is_pass, const char *text, size_t header_len)
{
	return is_pass ? row->pass_header_len == header_len &&
						 memcmp(row->pass_header, text, header_len) == 0
				   : row->header_len == header_len && memcmp(row->header, text, header_len) == 0;
}

static const struct key_row *find_row(const struct keys *keys, enum token_type type,
									  const char *text, size_t header_len)
{
	for (const struct key_row *row = keys->rows; row < keys->rows + keys->count; row++)
		if (row->use == use_of(type) && begins_as(row, type == TOKEN_PASS, text, header_len))
			return row;
	return NULL;
}

static bool hs256_holds(struct signer *signer, const struct key_row *row, const char *text,
						size_t signed_len, const uint8_t *presented)
{
	uint8_t expected[HS256_BYTES];
	signer_hs256_token(signer, row, text, signed_len, expected);
	return CRYPTO_memcmp(expected, presented, HS256_BYTES) == 0;
}

static size_t signature_bytes(enum key_use use)
{
	return use == KEY_SESSION ? ES256_BYTES : HS256_BYTES;
}

/* Everything up to the claims; fills them as JSON. */
static bool open_token(struct signer *signer, enum token_type type, const char *text, size_t len,
					   char ret_json[CLAIMS_ROOM], size_t *ret_json_len)
{
	enum key_use use = use_of(type);
	const struct keys *keys = signer_keys(signer);
	struct jws_parts parts;
	size_t bytes = signature_bytes(use);
	if (len > TOKEN_MAX_BYTES || !jws_split(text, len, &parts) ||
		parts.signature_len != BASE64URL_LEN(bytes))
		return false;
	const struct key_row *row = find_row(keys, type, text, parts.header_len);
	uint8_t signature[ES256_BYTES];
	if (!row || !base64url_decode(parts.signature, parts.signature_len, signature,
								  sizeof(signature), &bytes))
		return false;
	bool holds = use == KEY_SESSION
					 ? signer_es256_is_valid(signer, row, text, parts.signed_len, signature)
					 : hs256_holds(signer, row, text, parts.signed_len, signature);
	return holds &&
		   base64url_decode(parts.payload, parts.payload_len, ret_json, CLAIMS_ROOM, ret_json_len);
}

static enum wr_err check_times(int64_t issued_s, int64_t expires_s, struct wall_time now)
{
	/* claims are below 2^53 seconds, so their milliseconds do not overflow; 'now' may be
	 * anything */
	if ((issued_s - TOKEN_AHEAD_MAX_S) * 1000 > now.ms)
		return WR_BAD_TOKEN;
	return now.ms >= (expires_s + TOKEN_LEEWAY_S) * 1000 ? WR_TOKEN_EXPIRED : WR_OK;
}

enum wr_err position_token_verify(struct signer *signer, const char *text, size_t len,
								  struct wall_time now, struct position_claims *ret_claims)
{
	char json[CLAIMS_ROOM]
		__attribute__((uninitialized)); /* both are filled next, on every heartbeat */
	struct position_claims claims __attribute__((uninitialized));
	size_t json_len;
	if (!open_token(signer, TOKEN_POSITION, text, len, json, &json_len) ||
		!position_claims_parse(json, json_len, &claims))
		return WR_BAD_TOKEN;
	enum wr_err err = check_times(claims.issued_s, claims.expires_s, now);
	if (!err)
		*ret_claims = claims;
	return err;
}

enum wr_err session_token_verify(struct signer *signer, const char *text, size_t len,
								 struct wall_time now, struct session_claims *ret_claims)
{
	char json[CLAIMS_ROOM];
	size_t json_len;
	struct session_claims claims;
	if (!open_token(signer, TOKEN_SESSION, text, len, json, &json_len) ||
		!session_claims_parse(json, json_len, &claims))
		return WR_BAD_TOKEN;
	enum wr_err err = check_times(claims.issued_s, claims.expires_s, now);
	if (!err)
		*ret_claims = claims;
	return err;
}

enum wr_err pass_token_verify(struct signer *signer, const char *text, size_t len,
							  struct wall_time now, struct pass_claims *ret_claims)
{
	char json[CLAIMS_ROOM];
	size_t json_len;
	struct pass_claims claims;
	if (!open_token(signer, TOKEN_PASS, text, len, json, &json_len) ||
		!pass_claims_parse(json, json_len, &claims))
		return WR_BAD_TOKEN;
	enum wr_err err = check_times(claims.issued_s, claims.expires_s, now);
	if (!err)
		*ret_claims = claims;
	return err;
}

/* ---- printing ---- */

static enum wr_err seal_token(struct signer *signer, enum token_type type, const char *json,
							  size_t json_len, char ret_text[TOKEN_MAX_BYTES + 1], size_t *ret_len)
{
	enum key_use use = use_of(type);
	const struct key_row *row = signer_keys(signer)->first[use];
	size_t bytes = signature_bytes(use);
	const char *header = type == TOKEN_PASS ? row->pass_header : row->header;
	size_t header_len = type == TOKEN_PASS ? row->pass_header_len : row->header_len;
	size_t signed_len = header_len + BASE64URL_LEN(json_len);
	if (signed_len + 1 + BASE64URL_LEN(bytes) > TOKEN_MAX_BYTES)
		return WR_BUG;
	memcpy(ret_text, header, header_len);
	base64url_encode(json, json_len, ret_text + header_len);
	uint8_t signature[ES256_BYTES];
	if (use == KEY_SESSION) {
		signer_es256(signer, row, ret_text, signed_len, signature);
	} else {
		signer_hs256_token(signer, row, ret_text, signed_len, signature);
	}
	ret_text[signed_len] = '.';
	size_t len = signed_len + 1;
	len += base64url_encode(signature, bytes, ret_text + len);
	ret_text[len] = '\0';
	*ret_len = len;
	return WR_OK;
}

bool position_token_extend(struct position_claims *claims, int64_t hold_ms, struct wall_time now)
{
	int64_t now_s = now.ms / 1000, hold_s = hold_ms / 1000;
	if (claims->expires_s - now_s > POSITION_TOKEN_DAY_S / 2 + hold_s)
		return false;
	int64_t end_s = now_s + POSITION_TOKEN_DAY_S + hold_s;
	int64_t last_s = claims->issued_s + POSITION_TOKEN_SUM_MAX_S;
	if (end_s > last_s)
		end_s = last_s;
	if (end_s <= claims->expires_s)
		return false;
	claims->expires_s = end_s;
	return true;
}

enum wr_err position_token_print(struct signer *signer, const struct position_claims *claims,
								 char ret_text[TOKEN_MAX_BYTES + 1], size_t *ret_len)
{
	char json[CLAIMS_ROOM];
	size_t json_len;
	if (!position_claims_print(claims, json, &json_len))
		return WR_BUG;
	return seal_token(signer, TOKEN_POSITION, json, json_len, ret_text, ret_len);
}

enum wr_err session_token_print(struct signer *signer, const struct session_claims *claims,
								char ret_text[TOKEN_MAX_BYTES + 1], size_t *ret_len)
{
	char json[CLAIMS_ROOM];
	size_t json_len;
	if (!session_claims_print(claims, json, &json_len))
		return WR_BUG;
	return seal_token(signer, TOKEN_SESSION, json, json_len, ret_text, ret_len);
}

enum wr_err pass_token_print(struct signer *signer, const struct pass_claims *claims,
							 char ret_text[TOKEN_MAX_BYTES + 1], size_t *ret_len)
{
	char json[CLAIMS_ROOM];
	size_t json_len;
	if (!pass_claims_print(claims, json, &json_len))
		return WR_BUG;
	return seal_token(signer, TOKEN_PASS, json, json_len, ret_text, ret_len);
}
