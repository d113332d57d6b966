/* Digest: SHA-256 (FIPS 180-4) of something long, piece by piece.
 *
 * What     For checksums of files. Tokens and requests have their own, faster ways (token.h).
 * Used by  cmd/wrbackup.
 * Threads  a digest belongs to one thread.
 */
#ifndef WAITINGROOM_DIGEST_H
#define WAITINGROOM_DIGEST_H

#include <stddef.h>

#define DIGEST_HEX_BYTES 65 /* with NUL */

struct digest;
struct digest *digest_new(void); /* gives */
void digest_add(struct digest *digest, const void *bytes, size_t len);
/* Ends it: fills, and frees the digest. */
void digest_end(struct digest *digest, char ret_hex[DIGEST_HEX_BYTES]);
void digest_free(struct digest *digest); /* without an end; NULL is fine */

#endif
