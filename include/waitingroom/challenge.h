/* Challenge: what a browser must do before it gets a place, and how much of it.
 *
 * A challenge is a short signed text. Nothing is stored when it is given out: queue, network,
 * difficulty and time are in it or under its signature, and its nonce is remembered only once it
 * has been redeemed (enqueue.lua). Of a proof of work it is also the beginning of what is hashed:
 *
 *     puzzle i, from 0, is solved by a number n below 2^53 when
 *     SHA-256("<challenge>:<i>:<n>") begins with 'bits' zero bits
 *
 * Many small puzzles instead of a large one, because the sum of many varies little: a slow phone
 * that is also unlucky would otherwise wait for minutes. Challenge, two colons and both
 * numbers fit one block of SHA-256 as long as they have no more than nine digits together.
 *
 * Whoever cannot solve it (no script) may bring it back unsolved when wait_s have passed.
 *
 * What     Printing, reading, verifying; the rule for the difficulty. Pure: times, randomness and
 *          loads are arguments.
 * Used by  cmd/api, wrload, tests.
 * Threads  any; a signer belongs to one thread.
 */
#ifndef WAITINGROOM_CHALLENGE_H
#define WAITINGROOM_CHALLENGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "waitingroom/clock.h"
#include "waitingroom/settings.h"
#include "waitingroom/token.h"

#define CHALLENGE_CHARS 44
#define CHALLENGE_NONCE_BYTES 9
#define CHALLENGE_NONCE_CHARS 12
#define CHALLENGE_PUZZLES_MAX 256
#define CHALLENGE_BITS_MAX 30
#define CHALLENGE_LIFE_S 600
#define CHALLENGE_NONCE_END (UINT64_C(1) << 53) /* of a solution's numbers; exact in JavaScript */

enum challenge_kind {
	CHALLENGE_WORK,
	CHALLENGE_CAPTCHA, /* a provider says whether it was done; there are no puzzles */
};

struct challenge {
	enum challenge_kind kind;
	unsigned bits;	  /* 1..CHALLENGE_BITS_MAX */
	unsigned puzzles; /* 1..CHALLENGE_PUZZLES_MAX */
	unsigned wait_s;  /* 0..255: after that it is taken unsolved */
	int64_t issued_s;
	uint8_t nonce[CHALLENGE_NONCE_BYTES];
};

/* Signs with the identity key. network: of the one who asked, client_ip_hash or the like; only that
 * network can redeem it. ret_text has a NUL. */
void challenge_print(struct signer *signer, const struct queue_name *queue, uint64_t network,
					 const struct challenge *challenge, char ret_text[CHALLENGE_CHARS + 1]);

/* What became of a challenge that somebody brought: word, sentence. The words are label values of
 * metrics. */
#define CHALLENGE_OUTCOME_TABLE(X)                                                                 \
	X(CHALLENGE_SOLVED, "solved", "The proof is good.")                                            \
	X(CHALLENGE_WAITED, "waited", "Not solved, but waited for long enough.")                       \
	X(CHALLENGE_VOUCHED, "vouched", "The provider vouches for the visitor.")                       \
	X(CHALLENGE_MISSING, "missing", "None was brought.")                                           \
	X(CHALLENGE_FORGED, "forged", "Not one of ours, or of another queue.")                         \
	X(CHALLENGE_NETWORK, "network", "Given to another network.")                                   \
	X(CHALLENGE_EXPIRED, "expired", "Too old.")                                                    \
	X(CHALLENGE_UNSOLVED, "unsolved", "The proof is missing, incomplete or wrong.")                \
	X(CHALLENGE_REPLAYED, "replayed", "It has been redeemed before.")                              \
	X(CHALLENGE_REFUSED, "refused", "The provider does not vouch for the visitor.")                \
	X(CHALLENGE_AWAY, "away", "The provider could not be asked.")                                  \
	X(CHALLENGE_CROWDED, "crowded", "Too many from this network have waited instead of solving.")

#define CHALLENGE_OUTCOME_ENUM(name, word, sentence) name,
enum challenge_outcome { CHALLENGE_OUTCOME_TABLE(CHALLENGE_OUTCOME_ENUM) CHALLENGE_OUTCOME_COUNT };
#undef CHALLENGE_OUTCOME_ENUM
const char *challenge_outcome_word(enum challenge_outcome outcome);
const char *challenge_outcome_sentence(enum challenge_outcome outcome);

/* Is this a challenge for this queue and network, still good? CHALLENGE_SOLVED: yes, nothing is
 * said about its solution; else FORGED, NETWORK or EXPIRED. fills ret_challenge unless FORGED. */
enum challenge_outcome challenge_read(struct signer *signer, const struct queue_name *queue,
									  uint64_t network, const char *text, size_t len,
									  struct wall_time now, struct challenge *ret_challenge);

/* Seconds from now on in which it can still be redeemed; at least 1 for one that has been read. */
int64_t challenge_left_s(const struct challenge *challenge, struct wall_time now);
bool challenge_was_waited_for(const struct challenge *challenge, struct wall_time now);

/* text: CHALLENGE_CHARS, as it was read. numbers: one for each puzzle, in their order. */
bool challenge_is_solved(const struct challenge *challenge, const char *text,
						 const uint64_t *numbers, size_t count);

/* Finds the smallest number that solves a puzzle (simulated visitors, tests). */
uint64_t challenge_solve_puzzle(const char text[CHALLENGE_CHARS + 1], unsigned puzzle,
								unsigned bits);

/* ---- difficulty ---- */

/* Joins a minute, as seen lately. What networks add that are over their own calm share is not in
 * the queue's number: they have their own difficulty already. */
struct challenge_load {
	uint64_t network_per_minute, queue_per_minute;
};
#define CHALLENGE_CALM_NETWORK 30 /* joins a minute from a /24 or /48 */
#define CHALLENGE_CALM_QUEUE 6000

/* challenge_bits_min, and a bit more for each doubling of the joins above what is calm, of the
 * network or of the queue, whichever is more; at most challenge_bits_max. */
unsigned challenge_bits(const struct queue_settings *settings, const struct challenge_load *load);
/* The wait instead of a solution: 5 s, doubled for every two bits above the lowest, 60 s at
 * most. */
unsigned challenge_wait_s(const struct queue_settings *settings, unsigned bits);

#endif
