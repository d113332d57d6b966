/* Keys: the table of signing keys, read from one file.
 *
 *     {"keys":[
 *       {"kid":"p1","use":"position","alg":"HS256","key":"<base64url, 32+ bytes>"},
 *       {"kid":"s1","use":"session","alg":"ES256","key":"<PEM private key>"},
 *       {"kid":"i1","use":"identity","alg":"HS256","key":"<base64url, 32+ bytes>"}]}
 *
 * The first key of a use signs; every key of the use verifies; a kid fixes its algorithm. The
 * identity key derives position ids from idempotency keys and is not rotated (a new one would
 * give a retried join a second place). At most KEYS_MAX rows.
 *
 * What     Loading, checking, publishing (JWKS, RFC 7517) and making of keys (OpenSSL behind it).
 * Used by  token, cmd/api.
 * Threads  a table is immutable once loaded: any thread. Replaced whole on SIGHUP.
 */
#ifndef WAITINGROOM_KEYS_H
#define WAITINGROOM_KEYS_H

#include "waitingroom/err.h"
#include "waitingroom/text.h"

#define KEYS_MAX 16
#define KID_MAX_CHARS 32 /* [A-Za-z0-9_-] */

struct keys;

/* gives. WR_IO: cannot be read; WR_BAD_CONFIG: says in detail which row and what to do (needs at
 * least one key of each use; kids unique; HS256 keys 32..64 bytes; the file must not be readable by
 * others: mode & 007 == 0). */
WR_MUST_USE enum wr_err keys_load(const char *path, struct keys **ret_keys,
								  struct err_detail *ret_detail);
/* The same from text in memory (tests, fuzzing); no mode check. */
WR_MUST_USE enum wr_err keys_parse(const char *json, size_t len, struct keys **ret_keys,
								   struct err_detail *ret_detail);
void keys_free(struct keys *keys); /* wipes key material */

/* Writes a fresh file with one key of each use and the next session key, mode 0400; refuses to
 * replace an existing one. */
WR_MUST_USE enum wr_err keys_generate(const char *path, struct err_detail *ret_detail);

/* What may be told of them: how many there are by use, and a fingerprint that is the same for the
 * same keys in the same order. */
#define KEYS_FINGERPRINT_CHARS 16
struct keys_summary {
	size_t position, session;
	char fingerprint[KEYS_FINGERPRINT_CHARS + 1];
};
void keys_summarize(const struct keys *keys, struct keys_summary *ret_summary);

/* The public session keys as a JWK Set: {"keys":[{"kty":"EC","crv":"P-256",…}]}. */
void keys_print_jwks(const struct keys *keys, struct json_out *out);

#endif
