/* base64url (RFC 4648 section 5) without padding, strict in both directions.
 *
 * Strict matters for tokens: with lax decoding one signature has several spellings, and whatever
 * compares or counts tokens as text could be fooled. Every heartbeat decodes a token, hence one
 * pass with a table: what is not in the alphabet is negative, and one negative value makes its
 * whole group, and in the end the collected groups, negative.
 */
#include "waitingroom/text.h"

static const char alphabet[64] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

#define NO -1

/* clang-format off */
static const int8_t sextets[256] = {
	NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO,
	NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO,
	NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, 62, NO, NO,
	52, 53, 54, 55, 56, 57, 58, 59, 60, 61, NO, NO, NO, NO, NO, NO,
	NO,  0,  1,  2,  3,  4,  5,  6,  7,  8,  9, 10, 11, 12, 13, 14,
	15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, NO, NO, NO, NO, 63,
	NO, 26, 27, 28, 29, 30, 31, 32, 33, 34, 35, 36, 37, 38, 39, 40,
	41, 42, 43, 44, 45, 46, 47, 48, 49, 50, 51, NO, NO, NO, NO, NO,
	NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO,
	NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO,
	NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO,
	NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO,
	NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO,
	NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO,
	NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO,
	NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO,
};
/* clang-format on */

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

bool base64url_decode(const char *text, size_t len, void *ret_bytes, size_t room, size_t *ret_len)
{
	const uint8_t *in = (const uint8_t *)text;
	size_t bytes = len / 4 * 3 + (len % 4 ? len % 4 - 1 : 0);
	if (bytes > room || len % 4 == 1)
		return false;
	uint8_t *out = ret_bytes;
	int32_t seen = 0;
	for (; len >= 4; len -= 4, in += 4, out += 3) {
		/* multiplied, as a negative number is not to be shifted */
		int32_t group = sextets[in[0]] * (1 << 18) | sextets[in[1]] * (1 << 12) |
						sextets[in[2]] * (1 << 6) | sextets[in[3]];
		seen |= group;
		out[0] = (uint8_t)(group >> 16);
		out[1] = (uint8_t)(group >> 8);
		out[2] = (uint8_t)group;
	}
	if (len >= 2) {
		int32_t group = sextets[in[0]] * (1 << 12) | sextets[in[1]] * (1 << 6);
		if (len == 3)
			group |= sextets[in[2]];
		/* two characters carry one byte and four spare bits, three carry two bytes and two */
		int32_t spare = len == 2 ? 0x3FF : 3;
		if (group & spare)
			return false;
		seen |= group;
		out[0] = (uint8_t)(group >> 10);
		if (len == 3)
			out[1] = (uint8_t)(group >> 2);
	}
	if (seen < 0)
		return false;
	*ret_len = bytes;
	return true;
}
