/* Entry token: what an integrator signs for a visitor, to be shown at the door.
 *
 *     header   {"alg":"HS256"|"ES256","typ":"wr-invite+jwt","kid":"…"}       exactly these
 *     payload  "aud"       "tenant/queue"                                      required
 *              "jti"       1..128 characters, names the token                  required
 *              "iat","exp" seconds; at most ENTRY_LIFE_MAX_S apart             required
 *              "nbf"       seconds
 *              "identity"  who it is: an account or address; one place each
 *              "lane"      where in the line
 *              "reusable"  true: good for more than one place; else once
 *
 * It is made elsewhere, so its members may stand in any order, and others that we do not know are
 * passed over when they are plain. The kid picks a row of the queue's settings, the row fixes key
 * and algorithm; what the header says must be the same.
 *
 * What     Verifying (RFC 7519, RFC 8725), pure.
 * Used by  cmd/api.
 * Threads  any.
 */
#ifndef WAITINGROOM_ENTRY_TOKEN_H
#define WAITINGROOM_ENTRY_TOKEN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "waitingroom/clock.h"
#include "waitingroom/settings.h"
#include "waitingroom/token.h"

#define ENTRY_LIFE_MAX_S (INT64_C(90) * 24 * 3600)
#define ENTRY_JTI_MAX_BYTES 128
#define ENTRY_IDENTITY_MAX_BYTES 256
#define ENTRY_ID_CHARS 32

struct entry_claims {
	char id[ENTRY_ID_CHARS + 1]; /* of the token: hex of a hash of its jti */
	/* Without white space around it, a mail address in lower case; "" none. Personal data: goes
	 * into a keyed hash and nowhere else. */
	char identity[ENTRY_IDENTITY_MAX_BYTES + 1];
	char lane[NAME_MAX_CHARS + 1]; /* "" the default */
	bool reusable;
	int64_t issued_s, expires_s;
};

/* settings  borrows; its entry_keys are those that count.
 * text      borrows 'len' bytes, at most TOKEN_MAX_BYTES; need not end in NUL.
 * ret       fills, only on WR_OK.
 *
 * WR_BAD_TOKEN      does not parse, unknown kid, another algorithm or typ, bad signature, of another
 *                   queue, not valid yet: deliberately not told apart.
 * WR_TOKEN_EXPIRED  good signature, too late. */
WR_MUST_USE enum wr_err entry_token_verify(const struct queue_settings *settings,
										   const struct queue_name *queue, const char *text,
										   size_t len, struct wall_time now,
										   struct entry_claims *ret_claims);

/* An identity as it is compared: one person, one spelling. Accounts may differ in case only, mail
 * addresses do not; spaces around it do not count. False: that is none. */
bool entry_identity_read(const char *text, char ret_identity[ENTRY_IDENTITY_MAX_BYTES + 1]);

#endif
