/* base64url (RFC 4648 section 5) without padding, strict in both directions.
 *
 * Strict matters for tokens: with lax decoding one signature has several spellings, and whatever
 * compares or counts tokens as text could be fooled. The whole text is checked before the first
 * byte is written, so a refused text leaves the caller's buffer alone.
 */
#include "waitingroom/text.h"

static const char alphabet[64] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/* By character: its six bits with IN_ALPHABET set; 0 for all others. */
#define IN_ALPHABET 64

/* clang-format off */
static const uint8_t sextets[256] = {
	['A'] = 64, 65, 66, 67, 68, 69, 70, 71, 72, 73, 74, 75, 76,
	77, 78, 79, 80, 81, 82, 83, 84, 85, 86, 87, 88, 89,
	['a'] = 90, 91, 92, 93, 94, 95, 96, 97, 98, 99, 100, 101, 102,
	103, 104, 105, 106, 107, 108, 109, 110, 111, 112, 113, 114, 115,
	['0'] = 116, 117, 118, 119, 120, 121, 122, 123, 124, 125,
	['-'] = 126,
	['_'] = 127,
};
/* clang-format on */

static uint32_t sextet(uint8_t character)
{
	return sextets[character] & 63u;
}

size_t base64url_encode(const void *bytes, size_t len, char *ret_text)
{
	const uint8_t *in = bytes;
	char *out = ret_text;
	for (; len >= 3; len -= 3, in += 3) {
		uint32_t group = (uint32_t)in[0] << 16 | (uint32_t)in[1] << 8 | in[2];
		*out++ = alphabet[group >> 18];
		*out++ = alphabet[group >> 12 & 63];
		*out++ = alphabet[group >> 6 & 63];
		*out++ = alphabet[group & 63];
	}
	if (len) {
		uint32_t group = (uint32_t)in[0] << 16 | (len == 2 ? (uint32_t)in[1] << 8 : 0);
		*out++ = alphabet[group >> 18];
		*out++ = alphabet[group >> 12 & 63];
		if (len == 2)
			*out++ = alphabet[group >> 6 & 63];
	}
	return (size_t)(out - ret_text);
}

static bool is_canonical(const uint8_t *in, size_t len)
{
	if (len % 4 == 1)
		return false;
	uint8_t common = IN_ALPHABET;
	for (size_t i = 0; i < len; i++)
		common &= sextets[in[i]];
	if (!common)
		return false;
	/* two characters carry one byte and four spare bits, three carry two bytes and two */
	if (len % 4 == 2)
		return (sextet(in[len - 1]) & 15) == 0;
	if (len % 4 == 3)
		return (sextet(in[len - 1]) & 3) == 0;
	return true;
}

bool base64url_decode(const char *text, size_t len, void *ret_bytes, size_t room, size_t *ret_len)
{
	const uint8_t *in = (const uint8_t *)text;
	size_t bytes = len / 4 * 3 + (len % 4 ? len % 4 - 1 : 0);
	if (bytes > room || !is_canonical(in, len))
		return false;
	uint8_t *out = ret_bytes;
	for (; len >= 4; len -= 4, in += 4) {
		uint32_t group =
			sextet(in[0]) << 18 | sextet(in[1]) << 12 | sextet(in[2]) << 6 | sextet(in[3]);
		*out++ = (uint8_t)(group >> 16);
		*out++ = (uint8_t)(group >> 8);
		*out++ = (uint8_t)group;
	}
	if (len >= 2)
		*out++ = (uint8_t)(sextet(in[0]) << 2 | sextet(in[1]) >> 4);
	if (len == 3)
		*out++ = (uint8_t)(sextet(in[1]) << 4 | sextet(in[2]) >> 2);
	*ret_len = bytes;
	return true;
}
