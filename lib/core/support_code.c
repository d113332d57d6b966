/* Support code: 45 bits of a position id in nine digits that cannot be misheard or misread.
 *
 * Crockford's base 32 leaves out I, L, O and U; who types one of the first three means 1 or 0.
 */
#include "waitingroom/support_code.h"

#include <string.h>

#include "waitingroom/text.h"

#define DIGITS 9
#define BITS 45
#define BYTES 6	   /* that the bits are taken from */
#define ID_CHARS 8 /* that those bytes are in */

static const char digits[] = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";

static bool bits_of(const char *position_id, uint64_t *ret_bits)
{
	uint8_t bytes[BYTES];
	size_t len;
	if (strnlen(position_id, ID_CHARS) < ID_CHARS ||
		!base64url_decode(position_id, ID_CHARS, bytes, sizeof(bytes), &len))
		return false;
	uint64_t bits = 0;
	for (size_t i = 0; i < BYTES; i++)
		bits = bits << 8 | bytes[i];
	*ret_bits = bits >> (8 * BYTES - BITS);
	return true;
}

void support_code_print(const char *position_id, char ret_code[SUPPORT_CODE_CHARS + 1])
{
	uint64_t bits;
	ret_code[0] = '\0';
	if (!bits_of(position_id, &bits))
		return;
	char *at = ret_code + SUPPORT_CODE_CHARS;
	*at = '\0';
	for (int i = 0; i < DIGITS; i++, bits >>= 5) {
		if (i == 3 || i == 6)
			*--at = '-';
		*--at = digits[bits & 31];
	}
}

static int value_of(char c)
{
	if (c >= 'a' && c <= 'z')
		c = (char)(c - 'a' + 'A');
	if (c == 'O')
		c = '0';
	if (c == 'I' || c == 'L')
		c = '1';
	const char *at = c != '\0' ? strchr(digits, c) : NULL;
	return at != NULL ? (int)(at - digits) : -1;
}

bool support_code_parse(const char *text, size_t len, uint64_t *ret_bits)
{
	uint64_t bits = 0;
	int count = 0;
	for (size_t i = 0; i < len; i++) {
		if (text[i] == '-' || text[i] == ' ')
			continue;
		int value = value_of(text[i]);
		if (value < 0 || ++count > DIGITS)
			return false;
		bits = bits << 5 | (unsigned)value;
	}
	if (count != DIGITS)
		return false;
	*ret_bits = bits;
	return true;
}

bool support_code_is_of(uint64_t bits, const char *position_id)
{
	uint64_t own;
	return bits_of(position_id, &own) && own == bits;
}

void support_code_prefix(uint64_t bits, char ret_prefix[SUPPORT_CODE_PREFIX_CHARS + 1])
{
	uint8_t bytes[BYTES];
	char text[ID_CHARS];
	bits <<= 8 * BYTES - BITS;
	for (size_t i = 0; i < BYTES; i++)
		bytes[i] = (uint8_t)(bits >> 8 * (BYTES - 1 - i));
	base64url_encode(bytes, sizeof(bytes), text);
	memcpy(ret_prefix, text, SUPPORT_CODE_PREFIX_CHARS);
	ret_prefix[SUPPORT_CODE_PREFIX_CHARS] = '\0';
}
