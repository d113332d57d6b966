/* Challenge: 33 bytes in base64url.
 *
 *      0      version (3 bits), difficulty in bits (5 bits)
 *      1      puzzles - 1
 *      2      kind (1 bit), 0 (7 bits)
 *      3      wait, seconds
 *      4..7   issued, seconds since 1970
 *      8..11  network, 32 bits of its hash
 *     12..20  nonce
 *     21..32  96 bits of an HMAC over "challenge" NUL "tenant/queue" NUL bytes 0..20
 *
 * The identity key also derives position ids, from "tenant/queue" NUL key; "challenge" is no
 * "tenant/queue", so no input of one is an input of the other. The network is in the text and not
 * only under the signature, so that a phone that has changed networks can be told from a forger in
 * the metrics. Both are given a fresh challenge.
 *
 * A network's join rate is per minute, so doublings are counted with a bit scan: a number between
 * two powers of two rounds down.
 */
#include "waitingroom/challenge.h"

#include <openssl/crypto.h>
#include <stdio.h>
#include <string.h>

#include "hmac.h"
#include "signer.h"

#define VERSION 1
#define PLAIN_BYTES 21
#define MAC_BYTES 12
#define ALL_BYTES (PLAIN_BYTES + MAC_BYTES)
#define WAIT_LEAST_S 5
#define WAIT_MOST_S 60
#define PUZZLE_TEXT_BYTES (CHALLENGE_CHARS + 1 + 20 + 1 + 20)

_Static_assert(BASE64URL_LEN(ALL_BYTES) == CHALLENGE_CHARS, "");
_Static_assert(BASE64URL_LEN(CHALLENGE_NONCE_BYTES) == CHALLENGE_NONCE_CHARS, "");

/* ---- the text ---- */

static void put_u32(uint8_t *out, uint32_t value)
{
	for (int i = 0; i < 4; i++)
		out[i] = (uint8_t)(value >> (24 - 8 * i));
}

static uint32_t take_u32(const uint8_t *in)
{
	return (uint32_t)in[0] << 24 | (uint32_t)in[1] << 16 | (uint32_t)in[2] << 8 | in[3];
}

static void seal(struct signer *signer, const struct queue_name *queue, const uint8_t *plain,
				 uint8_t ret_mac[HS256_BYTES])
{
	static const char purpose[] = "challenge";
	char name[QUEUE_NAME_TEXT_BYTES];
	size_t name_len = queue_name_print(queue, name);
	struct signed_part parts[] = {
		{.bytes = purpose, .len = sizeof(purpose)}, /* both with their NUL */
		{.bytes = name, .len = name_len + 1},
		{.bytes = plain, .len = PLAIN_BYTES},
	};
	signer_hs256(signer, signer_keys(signer)->first[KEY_IDENTITY], parts, 3, ret_mac);
}

void challenge_print(struct signer *signer, const struct queue_name *queue, uint64_t network,
					 const struct challenge *challenge, char ret_text[CHALLENGE_CHARS + 1])
{
	uint8_t bytes[PLAIN_BYTES + HS256_BYTES];
	bytes[0] = (uint8_t)(VERSION << 5 | challenge->bits);
	bytes[1] = (uint8_t)(challenge->puzzles - 1);
	bytes[2] = challenge->kind == CHALLENGE_CAPTCHA ? 0x80 : 0;
	bytes[3] = (uint8_t)challenge->wait_s;
	put_u32(bytes + 4, (uint32_t)challenge->issued_s);
	put_u32(bytes + 8, (uint32_t)network);
	memcpy(bytes + 12, challenge->nonce, CHALLENGE_NONCE_BYTES);
	seal(signer, queue, bytes, bytes + PLAIN_BYTES);
	ret_text[base64url_encode(bytes, ALL_BYTES, ret_text)] = '\0';
}

static bool unseal(struct signer *signer, const struct queue_name *queue, const char *text,
				   size_t len, uint8_t ret_bytes[ALL_BYTES])
{
	uint8_t mac[HS256_BYTES];
	size_t got;
	if (len != CHALLENGE_CHARS || !base64url_decode(text, len, ret_bytes, ALL_BYTES, &got))
		return false;
	seal(signer, queue, ret_bytes, mac);
	return CRYPTO_memcmp(mac, ret_bytes + PLAIN_BYTES, MAC_BYTES) == 0 &&
		   ret_bytes[0] >> 5 == VERSION;
}

enum challenge_outcome challenge_read(struct signer *signer, const struct queue_name *queue,
									  uint64_t network, const char *text, size_t len,
									  struct wall_time now, struct challenge *ret_challenge)
{
	uint8_t bytes[ALL_BYTES];
	if (!unseal(signer, queue, text, len, bytes))
		return CHALLENGE_FORGED;
	struct challenge challenge = {
		.kind = bytes[2] & 0x80 ? CHALLENGE_CAPTCHA : CHALLENGE_WORK,
		.bits = bytes[0] & 0x1f,
		.puzzles = bytes[1] + 1u,
		.wait_s = bytes[3],
		.issued_s = take_u32(bytes + 4),
	};
	memcpy(challenge.nonce, bytes + 12, CHALLENGE_NONCE_BYTES);
	*ret_challenge = challenge;
	if (take_u32(bytes + 8) != (uint32_t)network)
		return CHALLENGE_NETWORK;
	/* From a pod whose clock is ahead: as old as it says, as long as that is within the leeway. */
	if ((challenge.issued_s - TOKEN_LEEWAY_S) * 1000 > now.ms ||
		challenge_left_s(&challenge, now) <= 0)
		return CHALLENGE_EXPIRED;
	return CHALLENGE_SOLVED;
}

int64_t challenge_left_s(const struct challenge *challenge, struct wall_time now)
{
	return challenge->issued_s + CHALLENGE_LIFE_S - now.ms / 1000;
}

bool challenge_was_waited_for(const struct challenge *challenge, struct wall_time now)
{
	return now.ms >= (challenge->issued_s + challenge->wait_s) * 1000;
}

/* ---- puzzles ---- */

static bool begins_with_zeros(const uint8_t *digest, unsigned bits)
{
	for (; bits >= 8; bits -= 8)
		if (*digest++ != 0)
			return false;
	return bits == 0 || *digest >> (8 - bits) == 0;
}

/* '<challenge>:<puzzle>:' without NUL; returns its length. */
static size_t begin_puzzle(const char *text, unsigned puzzle, char ret_text[PUZZLE_TEXT_BYTES])
{
	size_t len = CHALLENGE_CHARS;
	memcpy(ret_text, text, len);
	ret_text[len++] = ':';
	len += text_from_u64(puzzle, ret_text + len);
	ret_text[len++] = ':';
	return len;
}

static bool number_solves(char text[PUZZLE_TEXT_BYTES], size_t begun, uint64_t number,
						  unsigned bits)
{
	uint8_t digest[HMAC_BYTES];
	sha256_digest(text, begun + text_from_u64(number, text + begun), digest);
	return begins_with_zeros(digest, bits);
}

bool challenge_is_solved(const struct challenge *challenge, const char *text,
						 const uint64_t *numbers, size_t count)
{
	char puzzle[PUZZLE_TEXT_BYTES];
	if (challenge->kind != CHALLENGE_WORK || count != challenge->puzzles)
		return false;
	for (unsigned i = 0; i < count; i++) {
		size_t begun = begin_puzzle(text, i, puzzle);
		if (numbers[i] >= CHALLENGE_NONCE_END ||
			!number_solves(puzzle, begun, numbers[i], challenge->bits))
			return false;
	}
	return true;
}

uint64_t challenge_solve_puzzle(const char text[CHALLENGE_CHARS + 1], unsigned puzzle,
								unsigned bits)
{
	char puzzle_text[PUZZLE_TEXT_BYTES];
	size_t begun = begin_puzzle(text, puzzle, puzzle_text);
	uint64_t number = 0;
	while (!number_solves(puzzle_text, begun, number, bits))
		number++;
	return number;
}

/* ---- difficulty ---- */

static unsigned doublings(uint64_t rate, uint64_t calm)
{
	unsigned count = 0;
	for (uint64_t times = rate / calm; times > 1; times /= 2)
		count++;
	return count;
}

unsigned challenge_bits(const struct queue_settings *settings, const struct challenge_load *load)
{
	unsigned network = doublings(load->network_per_minute, CHALLENGE_CALM_NETWORK);
	unsigned queue = doublings(load->queue_per_minute, CHALLENGE_CALM_QUEUE);
	int64_t bits = settings->challenge_bits_min + (network > queue ? network : queue);
	return (unsigned)(bits < settings->challenge_bits_max ? bits : settings->challenge_bits_max);
}

unsigned challenge_wait_s(const struct queue_settings *settings, unsigned bits)
{
	int64_t above = (int64_t)bits - settings->challenge_bits_min;
	unsigned wait_s = WAIT_LEAST_S;
	for (; above >= 2 && wait_s < WAIT_MOST_S; above -= 2)
		wait_s *= 2;
	return wait_s < WAIT_MOST_S ? wait_s : WAIT_MOST_S;
}

/* ---- outcomes ---- */

#define OUTCOME_WORD(name, word, sentence) word,
#define OUTCOME_SENTENCE(name, word, sentence) sentence,

const char *challenge_outcome_word(enum challenge_outcome outcome)
{
	static const char *const words[] = {CHALLENGE_OUTCOME_TABLE(OUTCOME_WORD)};
	return words[outcome];
}

const char *challenge_outcome_sentence(enum challenge_outcome outcome)
{
	static const char *const sentences[] = {CHALLENGE_OUTCOME_TABLE(OUTCOME_SENTENCE)};
	return sentences[outcome];
}
