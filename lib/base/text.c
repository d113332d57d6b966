/* Text: whole numbers and UTF-8, both ways and strict.
 *
 * Everything here gets a length and reads exactly that much: texts come out of requests and store
 * replies and need not end in NUL. Base64url, the JSON writer and names have files of their own.
 */
#include "waitingroom/text.h"

#include <string.h>

/* From the binary length by log10(2) = 1233/4096, off by one at most, and a table of powers. */
size_t text_u64_len(uint64_t value)
{
	static const uint64_t powers[20] = {0,
										UINT64_C(10),
										UINT64_C(100),
										UINT64_C(1000),
										UINT64_C(10000),
										UINT64_C(100000),
										UINT64_C(1000000),
										UINT64_C(10000000),
										UINT64_C(100000000),
										UINT64_C(1000000000),
										UINT64_C(10000000000),
										UINT64_C(100000000000),
										UINT64_C(1000000000000),
										UINT64_C(10000000000000),
										UINT64_C(100000000000000),
										UINT64_C(1000000000000000),
										UINT64_C(10000000000000000),
										UINT64_C(100000000000000000),
										UINT64_C(1000000000000000000),
										UINT64_C(10000000000000000000)};
	unsigned bits = 64 - (unsigned)__builtin_clzll(value | 1);
	unsigned guess = bits * 1233 >> 12;
	return guess + (value >= powers[guess]);
}

/* Two digits a step, from the last one: a heartbeat's answer holds some thirty. */
size_t text_from_u64(uint64_t value, char ret_text[20])
{
	static const char pairs[] = "00010203040506070809101112131415161718192021222324"
								"25262728293031323334353637383940414243444546474849"
								"50515253545556575859606162636465666768697071727374"
								"75767778798081828384858687888990919293949596979899";
	size_t len = text_u64_len(value);
	char *at = ret_text + len;
	for (; value >= 100; value /= 100)
		memcpy(at -= 2, pairs + value % 100 * 2, 2);
	if (value >= 10)
		memcpy(at - 2, pairs + value * 2, 2);
	else
		at[-1] = (char)('0' + value);
	return len;
}

bool text_to_u64(const char *text, size_t len, uint64_t max, uint64_t *ret_value)
{
	if (!len)
		return false;
	uint64_t value = 0;
	for (size_t i = 0; i < len; i++) {
		unsigned digit = (unsigned)(unsigned char)text[i] - '0';
		if (digit > 9 || __builtin_mul_overflow(value, 10, &value) ||
			__builtin_add_overflow(value, digit, &value))
			return false;
	}
	if (value > max)
		return false;
	*ret_value = value;
	return true;
}

bool text_to_i64(const char *text, size_t len, int64_t min, int64_t max, int64_t *ret_value)
{
	bool negative = len && text[0] == '-';
	uint64_t size;
	if (!text_to_u64(text + negative, len - negative, (uint64_t)INT64_MAX + negative, &size))
		return false;
	/* unsigned negation first: -(int64_t)2^63 would overflow */
	int64_t value = negative ? (int64_t)(0 - size) : (int64_t)size;
	if (value < min || value > max)
		return false;
	*ret_value = value;
	return true;
}

bool utf8_is_valid(const char *text, size_t len)
{
	for (size_t at = 0; at < len;) {
		size_t step = utf8_sequence_len(text + at, len - at);
		if (!step || !text[at])
			return false;
		at += step;
	}
	return true;
}

static bool is_continuation(uint8_t byte)
{
	return (byte & 0xC0) == 0x80;
}

/* The table of well-formed sequences is Unicode 15, table 3-7. */
size_t utf8_sequence_len(const char *text, size_t len)
{
	const uint8_t *in = (const uint8_t *)text;
	if (!len || in[0] >= 0xF5)
		return 0;
	if (in[0] < 0x80)
		return 1;
	if (in[0] < 0xC2) /* a continuation byte, or an overlong form of ASCII */
		return 0;
	if (in[0] < 0xE0)
		return len >= 2 && is_continuation(in[1]) ? 2 : 0;
	if (in[0] < 0xF0) {
		if (len < 3 || !is_continuation(in[1]) || !is_continuation(in[2]))
			return 0;
		bool overlong = in[0] == 0xE0 && in[1] < 0xA0;
		bool surrogate = in[0] == 0xED && in[1] > 0x9F;
		return overlong || surrogate ? 0 : 3;
	}
	if (len < 4 || !is_continuation(in[1]) || !is_continuation(in[2]) || !is_continuation(in[3]))
		return 0;
	bool overlong = in[0] == 0xF0 && in[1] < 0x90;
	bool too_high = in[0] == 0xF4 && in[1] > 0x8F;
	return overlong || too_high ? 0 : 4;
}
