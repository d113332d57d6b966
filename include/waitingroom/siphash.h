/* SipHash: a keyed hash for tables whose keys strangers choose.
 *
 * What     SipHash-1-3 with 128 bits (Aumasson and Bernstein, "SipHash: a fast short-input PRF", 2012;
 *          the rounds are those that tables in Rust and Python use). With a secret key nobody can
 *          look for two texts of one hash. Not a signature.
 * Used by  cmd/api: the cache of verified tokens.
 * Threads  any.
 */
#ifndef WAITINGROOM_SIPHASH_H
#define WAITINGROOM_SIPHASH_H

#include <stddef.h>
#include <stdint.h>

#define SIPHASH_KEY_BYTES 16

struct siphash { /* 128 bits */
	uint64_t low, high;
};

struct siphash siphash_128(const uint8_t key[SIPHASH_KEY_BYTES], const void *bytes, size_t len);

#endif
