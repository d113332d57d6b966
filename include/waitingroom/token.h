/* Tokens: the signed papers that visitors carry (RFC 7515 compact form, closed profile).
 *
 *     position token  HS256, typ wr-position+jwt, checked on every heartbeat
 *     session token   ES256, typ wr-session+jwt, checked by the site's proxy with the JWKS
 *     pass            ES256, typ wr-pass+jwt, in the URL that leads to the site; good once
 *
 * Verification, cheapest refusal first: length; two dots; signature length; the encoded header
 * compared as bytes with one constant per live kid (no header is ever parsed, so there is no
 * algorithm to confuse); signature; only then the payload: one flat object, integers and strings
 * only, no duplicate or missing members; audience; times.
 *
 * What     Printing and verifying. A 'signer' holds the OpenSSL contexts of one thread.
 * Used by  cmd/api, wrload does not (tokens are opaque to clients).
 * Threads  one signer per thread; keys are shared and immutable.
 */
#ifndef WAITINGROOM_TOKEN_H
#define WAITINGROOM_TOKEN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "waitingroom/clock.h"
#include "waitingroom/err.h"
#include "waitingroom/keys.h"
#include "waitingroom/text.h"

#define TOKEN_MAX_BYTES 1024
#define TOKEN_LEEWAY_S 30
/* Only we sign, by the store's clock; a replica that takes over may have another one, and is
 * believed. */
#define TOKEN_AHEAD_MAX_S 86400
#define POSITION_ID_CHARS 16 /* 96 bits, base64url */
#define EPOCH_CHARS 11		 /* 64 bits, base64url */
#define LOST_EPOCHS_MAX 8	 /* of so many lives that were lost the tokens still count */
#define LOST_EPOCHS_BYTES (LOST_EPOCHS_MAX * (EPOCH_CHARS + 1)) /* commas between them, and a NUL */
#define TARGET_HASH_CHARS 11 /* 64 bits of SHA-256 of the target, base64url; empty: no target */
/* A place's token outlives the time that the place is held unheard by a day, and is made anew when
 * half of that day is over: who waits for days keeps a good one, who has gone does not. */
#define POSITION_TOKEN_DAY_S 86400
#define POSITION_TOKEN_LIFE_MAX_S (2 * POSITION_TOKEN_DAY_S) /* heartbeat_ttl_ms is a day at most */
#define POSITION_TOKEN_SUM_MAX_S (INT64_C(30) * 24 * 3600) /* of all of a place's, from the join */
#define PASS_ID_CHARS 16								   /* 96 random bits, base64url */
#define PASS_LIFE_S 120	 /* of a pass, from when it was made; longer ones are refused */
#define BINDING_CHARS 11 /* 64 bits, base64url; empty: bound to nothing */

struct position_claims {
	struct queue_name queue;				 /* "aud":"tenant/queue" */
	char position_id[POSITION_ID_CHARS + 1]; /* "sub" */
	char epoch[EPOCH_CHARS + 1];			 /* "epoch" */
	char lane[NAME_MAX_CHARS + 1];			 /* "lane" */
	uint64_t ticket;						 /* "ticket" */
	char target_hash[TARGET_HASH_CHARS + 1]; /* "target", absent when empty */
	uint32_t holder;						 /* "holder", absent when 0: which tab may use it */
	int64_t issued_s;						 /* "iat", seconds */
	int64_t expires_s;						 /* "exp" */
};

struct session_claims {
	struct queue_name queue;				 /* "aud" */
	char position_id[POSITION_ID_CHARS + 1]; /* "sub": the session is named like the place */
	char epoch[EPOCH_CHARS + 1];			 /* "epoch" */
	char lane[NAME_MAX_CHARS + 1];			 /* "lane" and "ticket" of the place, absent when 0: */
	uint64_t ticket;						 /* with them a lost session is put back */
	char binding[BINDING_CHARS + 1];		 /* "bnd", absent when empty */
	bool renewal;							 /* "renew" */
	int64_t issued_s;						 /* "iat" (= "nbf") */
	int64_t expires_s;						 /* "exp" */
};

struct pass_claims {
	struct queue_name queue;				 /* "aud" */
	char position_id[POSITION_ID_CHARS + 1]; /* "sub" */
	char epoch[EPOCH_CHARS + 1];			 /* "epoch" */
	char pass_id[PASS_ID_CHARS + 1];		 /* "jti" */
	char lane[NAME_MAX_CHARS + 1];			 /* "lane", "ticket", "bnd", "renew": of the session */
	uint64_t ticket;
	char binding[BINDING_CHARS + 1];
	bool renewal;
	int64_t session_expires_s; /* "sexp" */
	int64_t issued_s;		   /* "iat" (= "nbf") */
	int64_t expires_s;		   /* "exp" */
};

struct signer;
struct signer *signer_new(void); /* gives */
void signer_free(struct signer *signer);
/* Uses another table from now on (borrows it until the next call or the end). Cheap when it is the
 * table already in use. Must be called before anything else, and again after a reload. */
void signer_use_keys(struct signer *signer, const struct keys *keys);

/* Changes whenever the table does: what was verified before may not hold now. Never 0. */
uint64_t signer_generation(const struct signer *signer);

/* fills text with NUL, at most TOKEN_MAX_BYTES + 1; WR_BUG when it does not fit. */
WR_MUST_USE enum wr_err position_token_print(struct signer *signer,
											 const struct position_claims *claims,
											 char ret_text[TOKEN_MAX_BYTES + 1], size_t *ret_len);
WR_MUST_USE enum wr_err session_token_print(struct signer *signer,
											const struct session_claims *claims,
											char ret_text[TOKEN_MAX_BYTES + 1], size_t *ret_len);
WR_MUST_USE enum wr_err pass_token_print(struct signer *signer, const struct pass_claims *claims,
										 char ret_text[TOKEN_MAX_BYTES + 1], size_t *ret_len);

/* Moves the end of a place's token on when half of its day is over. False: it stays as it is.
 * hold_ms  how long the place is held without being heard */
bool position_token_extend(struct position_claims *claims, int64_t hold_ms, struct wall_time now);

/* text   borrows 'len' bytes; need not end in NUL.
 * now    wall clock; exp is compared with TOKEN_LEEWAY_S of leeway, iat with TOKEN_AHEAD_MAX_S.
 * ret    fills, only on WR_OK.
 * WR_BAD_TOKEN      does not parse, unknown kid, bad signature: deliberately not told apart.
 * WR_TOKEN_EXPIRED  good signature, too late. */
WR_MUST_USE enum wr_err position_token_verify(struct signer *signer, const char *text, size_t len,
											  struct wall_time now,
											  struct position_claims *ret_claims);
WR_MUST_USE enum wr_err session_token_verify(struct signer *signer, const char *text, size_t len,
											 struct wall_time now,
											 struct session_claims *ret_claims);
/* That it has not been used before is for the store to say (store_redeem). */
WR_MUST_USE enum wr_err pass_token_verify(struct signer *signer, const char *text, size_t len,
										  struct wall_time now, struct pass_claims *ret_claims);

/* A fresh pass into the session, good from now on; and the session that a pass was made for,
 * beginning now. 'expires_s' of that is what the store says (struct redeemed), or the pass's
 * own. */
void pass_for_session(const struct session_claims *session, struct wall_time now,
					  struct pass_claims *ret_pass);
void session_from_pass(const struct pass_claims *pass, struct wall_time now,
					   struct session_claims *ret_session);

/* The target with ?wr_pass=<pass> as the first parameter of its query, before a fragment. 'ret_url'
 * has room for the target and TARGET_PASS_BYTES more. */
#define TARGET_PASS_BYTES (TOKEN_MAX_BYTES + sizeof("?wr_pass="))
void target_add_pass(const char *target, const char *pass, char *ret_url);

/* What a session is bound to: the network (client_ip_network) and the family of the browser; HMAC
 * with the identity key, so that it says nothing to whoever reads the token. */
void binding_make(struct signer *signer, const struct queue_name *queue, const char *network,
				  const char *user_agent_family, char ret_binding[BINDING_CHARS + 1]);
/* "chrome", "firefox" …, "other", "none" for NULL; of the kind that stays the same when the browser
 * updates itself. */
const char *user_agent_family(const char *user_agent);

/* Same queue and key, same id; HMAC-SHA256 with the identity key over "tenant/queue" NUL key. */
void position_id_from_key(struct signer *signer, const struct queue_name *queue, const char *key,
						  size_t len, char ret_id[POSITION_ID_CHARS + 1]);
/* Of a person (entry_token.h). The byte 1 before it cannot stand in an Idempotency-Key, so no key
 * of anybody is somebody's identity. */
void position_id_from_identity(struct signer *signer, const struct queue_name *queue,
							   const char *identity, char ret_id[POSITION_ID_CHARS + 1]);
void position_id_random(char ret_id[POSITION_ID_CHARS + 1]);
bool position_id_is_valid(const char *text, size_t len);
void epoch_random(char ret_epoch[EPOCH_CHARS + 1]);
/* Does what was signed in the life 'epoch' of a queue still count? lost: borrows the epochs of the
 * lives that total losses of the store have ended, the last first, with commas between; "" none. */
bool epoch_counts(const char *epoch, const char *now, const char *lost);
/* Those of the next life, when the one of 'now' is lost too; the oldest are forgotten. */
void epochs_lost(const char *now, const char *lost, char ret_lost[LOST_EPOCHS_BYTES]);
void target_hash(const char *target, size_t len, char ret_hash[TARGET_HASH_CHARS + 1]);
/* hex of SHA-256, for admin keys kept hashed; 64 characters and NUL */
void sha256_hex(const char *text, size_t len, char ret_hex[65]);
/* base64 with padding, as Content-Security-Policy wants it */
void sha256_base64(const char *text, size_t len, char ret_text[45]);
/* 128 bits of HMAC-SHA256 with the identity key over purpose NUL text, base64url: signs links of
 * our own. One purpose's never hold for another's. */
#define LINK_MAC_CHARS 22
void link_mac(struct signer *signer, const char *purpose, const char *text, size_t len,
			  char ret_mac[LINK_MAC_CHARS + 1]);
/* Takes the same time wherever the first difference is. */
bool link_mac_is_equal(const char *given, const char mac[LINK_MAC_CHARS + 1]);

/* The primitive layer, for the RFC 7515 vectors in the tests: checks header.payload against the
 * signature part with the given raw key. */
bool jws_hs256_is_valid(const char *text, size_t len, const uint8_t *key, size_t key_bytes);
bool jws_es256_is_valid(const char *text, size_t len, const uint8_t x[32], const uint8_t y[32]);

#endif
