/* SipHash-1-3 with 128 bits of output: one round a word, three to finish, twice.
 *
 * Words are read little end first, as the definition says; this machine's order is assumed to be
 * that (as everywhere here), so a word is a plain load.
 */
#include "waitingroom/siphash.h"

#include <string.h>

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "words are loaded as they lie in memory");

struct state {
	uint64_t v0, v1, v2, v3;
};

static inline uint64_t rotate(uint64_t word, unsigned bits)
{
	return word << bits | word >> (64 - bits);
}

static inline void mix(struct state *state)
{
	state->v0 += state->v1;
	state->v2 += state->v3;
	state->v1 = rotate(state->v1, 13) ^ state->v0;
	state->v3 = rotate(state->v3, 16) ^ state->v2;
	state->v0 = rotate(state->v0, 32) + state->v3;
	state->v2 += state->v1;
	state->v1 = rotate(state->v1, 17) ^ state->v2;
	state->v3 = rotate(state->v3, 21) ^ state->v0;
	state->v2 = rotate(state->v2, 32);
}

static inline void take(struct state *state, uint64_t word)
{
	state->v3 ^= word;
	mix(state);
	state->v0 ^= word;
}

static uint64_t finish(struct state *state)
{
	for (int round = 0; round < 3; round++)
		mix(state);
	return state->v0 ^ state->v1 ^ state->v2 ^ state->v3;
}

static inline uint64_t load(const uint8_t *bytes)
{
	uint64_t word;
	memcpy(&word, bytes, sizeof(word));
	return word;
}

struct siphash siphash_128(const uint8_t key[SIPHASH_KEY_BYTES], const void *bytes, size_t len)
{
	const uint8_t *at = bytes;
	uint64_t k0 = load(key), k1 = load(key + 8), last = (uint64_t)len << 56;
	struct state state = {.v0 = k0 ^ 0x736f6d6570736575u,
						  .v1 = k1 ^ 0x646f72616e646f6du ^ 0xee,
						  .v2 = k0 ^ 0x6c7967656e657261u,
						  .v3 = k1 ^ 0x7465646279746573u};
	for (size_t words = len / 8; words > 0; words--, at += 8)
		take(&state, load(at));
	for (size_t i = 0; i < len % 8; i++)
		last |= (uint64_t)at[i] << (8 * i);
	take(&state, last);
	state.v2 ^= 0xee;
	struct siphash hash = {.low = finish(&state)};
	state.v1 ^= 0xdd;
	hash.high = finish(&state);
	return hash;
}
