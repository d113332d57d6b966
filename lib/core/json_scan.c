/* Strict scanner over JSON text (RFC 8259), one pass, no recursion, no memory.
 *
 * It exists because the tree builder behind json_in is generous: it takes control characters in
 * strings, bytes that are not UTF-8, "01", a byte order mark, and half of a surrogate pair in some
 * places. Text that passes here is plain JSON in UTF-8, and means the same to every reader.
 *
 * Nesting is a bit set: bit n says whether level n is an object, so the depth limit is also the
 * limit of the state. Between tokens the scanner is in one of four moods (enum expect).
 */
#include "json_scan.h"

#include <stdint.h>
#include <string.h>

#include "waitingroom/text.h"

enum expect {
	EXPECT_VALUE,
	EXPECT_VALUE_OR_END, /* just behind '[' */
	EXPECT_KEY,
	EXPECT_KEY_OR_END, /* just behind '{' */
	EXPECT_COMMA_OR_END,
};

struct scan {
	const char *text;
	size_t len;
	size_t at;
	unsigned depth;
	uint32_t objects; /* bit n: level n is an object */
};

_Static_assert(JSON_DEPTH_MAX < 32, "one bit a level");

/* The next byte, or NUL at the end: NUL itself is refused everywhere, so the two need no telling
 * apart. */
static char peek(const struct scan *scan)
{
	return scan->at < scan->len ? scan->text[scan->at] : '\0';
}

static void skip_space(struct scan *scan)
{
	char c;
	while ((c = peek(scan)) == ' ' || c == '\t' || c == '\n' || c == '\r')
		scan->at++;
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* fills the value of four hex digits at 'at' */
static bool read_hex4(const struct scan *scan, size_t at, unsigned *ret_value)
{
	if (scan->len < 4 || at > scan->len - 4)
		return false;
	unsigned value = 0;
	for (size_t i = at; i < at + 4; i++) {
		char c = scan->text[i];
		char lower = (char)(c | 0x20);
		if (is_digit(c))
			value = value << 4 | (unsigned)(c - '0');
		else if (lower >= 'a' && lower <= 'f')
			value = value << 4 | (unsigned)(lower - 'a' + 10);
		else
			return false;
	}
	*ret_value = value;
	return true;
}

/* at a backslash */
static const char *scan_escape(struct scan *scan)
{
	char kind = scan->at + 1 < scan->len ? scan->text[scan->at + 1] : '\0';
	if (kind && strchr("\"\\/bfnrt", kind)) {
		scan->at += 2;
		return NULL;
	}
	unsigned unit, low;
	if (kind != 'u' || !read_hex4(scan, scan->at + 2, &unit))
		return "an escape that JSON does not know";
	if (unit == 0)
		return "a NUL character in a string";
	scan->at += 6;
	if (unit < 0xD800 || unit > 0xDFFF)
		return NULL;
	if (unit > 0xDBFF || peek(scan) != '\\' || scan->at + 1 >= scan->len ||
		scan->text[scan->at + 1] != 'u' || !read_hex4(scan, scan->at + 2, &low) || low < 0xDC00 ||
		low > 0xDFFF)
		return "half of a surrogate pair";
	scan->at += 6;
	return NULL;
}

static const char *scan_string(struct scan *scan)
{
	scan->at++;
	while (scan->at < scan->len) {
		unsigned char c = (unsigned char)scan->text[scan->at];
		if (c == '"') {
			scan->at++;
			return NULL;
		}
		if (c < 0x20)
			return "a control character in a string";
		if (c == '\\') {
			const char *wrong = scan_escape(scan);
			if (wrong)
				return wrong;
			continue;
		}
		size_t step = utf8_sequence_len(scan->text + scan->at, scan->len - scan->at);
		if (!step)
			return "bytes that are not UTF-8";
		scan->at += step;
	}
	return "a string that does not end";
}

static bool skip_digits(struct scan *scan)
{
	size_t start = scan->at;
	while (is_digit(peek(scan)))
		scan->at++;
	return scan->at > start;
}

static const char *scan_number(struct scan *scan)
{
	static const char wrong[] = "not a number as JSON writes it";
	size_t start = scan->at;
	if (peek(scan) == '-')
		scan->at++;
	if (peek(scan) == '0')
		scan->at++;
	else if (!skip_digits(scan))
		return wrong;
	if (is_digit(peek(scan)))
		return wrong;
	if (peek(scan) == '.') {
		scan->at++;
		if (!skip_digits(scan))
			return wrong;
	}
	if ((peek(scan) | 0x20) == 'e') {
		scan->at++;
		if (peek(scan) == '+' || peek(scan) == '-')
			scan->at++;
		if (!skip_digits(scan))
			return wrong;
	}
	return scan->at - start <= JSON_NUMBER_CHARS_MAX ? NULL : "a number of too many digits";
}

static const char *scan_word(struct scan *scan)
{
	static const char *const words[] = {"true", "false", "null"};
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		size_t word_len = strlen(words[i]);
		if (scan->len - scan->at >= word_len &&
			memcmp(scan->text + scan->at, words[i], word_len) == 0) {
			scan->at += word_len;
			return NULL;
		}
	}
	return scan->at < scan->len ? "not a value" : "the text ends too early";
}

static const char *open_container(struct scan *scan, bool object, enum expect *expect)
{
	if (scan->depth == JSON_DEPTH_MAX)
		return "nested too deep";
	scan->depth++;
	scan->objects &= ~(1u << scan->depth);
	scan->objects |= (uint32_t)object << scan->depth;
	scan->at++;
	*expect = object ? EXPECT_KEY_OR_END : EXPECT_VALUE_OR_END;
	return NULL;
}

static const char *scan_value(struct scan *scan, enum expect *expect)
{
	char c = peek(scan);
	*expect = EXPECT_COMMA_OR_END;
	if (c == '{' || c == '[')
		return open_container(scan, c == '{', expect);
	if (c == '"')
		return scan_string(scan);
	if (c == '-' || is_digit(c))
		return scan_number(scan);
	return scan_word(scan);
}

static const char *scan_key(struct scan *scan, enum expect *expect)
{
	if (peek(scan) != '"')
		return "a name in quotes is missing";
	const char *wrong = scan_string(scan);
	if (wrong)
		return wrong;
	skip_space(scan);
	if (peek(scan) != ':')
		return "a colon is missing";
	scan->at++;
	*expect = EXPECT_VALUE;
	return NULL;
}

/* One token (a key counts with its colon). */
static const char *scan_step(struct scan *scan, enum expect *expect)
{
	bool in_object = scan->objects >> scan->depth & 1;
	char c = peek(scan);
	bool may_end = *expect != EXPECT_VALUE && *expect != EXPECT_KEY;
	if (may_end && scan->depth && c == (in_object ? '}' : ']')) {
		scan->at++;
		scan->depth--;
		*expect = EXPECT_COMMA_OR_END;
		return NULL;
	}
	if (*expect == EXPECT_COMMA_OR_END) {
		if (c != ',')
			return scan->at < scan->len ? "a comma or the end of the list is missing"
										: "the text ends too early";
		scan->at++;
		*expect = in_object ? EXPECT_KEY : EXPECT_VALUE;
		return NULL;
	}
	if (*expect == EXPECT_KEY || *expect == EXPECT_KEY_OR_END)
		return scan_key(scan, expect);
	return scan_value(scan, expect);
}

const char *json_scan(const char *text, size_t len, size_t *ret_at)
{
	struct scan scan = {.text = text, .len = len};
	enum expect expect = EXPECT_VALUE;
	const char *wrong;
	do {
		skip_space(&scan);
		wrong = scan_step(&scan, &expect);
	} while (!wrong && (scan.depth || expect != EXPECT_COMMA_OR_END));
	if (!wrong) {
		skip_space(&scan);
		if (scan.at < len)
			wrong = "something stands behind the value";
	}
	if (wrong)
		*ret_at = scan.at;
	return wrong;
}

static size_t skip_accepted_string(const char *text, size_t at)
{
	for (at++; text[at] != '"'; at++)
		if (text[at] == '\\')
			at++;
	return at + 1;
}

bool json_scan_next_number(const char *text, size_t len, size_t *at, size_t *ret_start,
						   size_t *ret_len)
{
	while (*at < len) {
		char c = text[*at];
		if (c == '"') {
			*at = skip_accepted_string(text, *at);
		} else if (c == '-' || is_digit(c)) {
			struct scan scan = {.text = text, .len = len, .at = *at};
			const char *wrong = scan_number(&scan);
			*ret_start = *at;
			*ret_len = scan.at - *at;
			*at = scan.at;
			return !wrong;
		} else {
			++*at;
		}
	}
	return false;
}
