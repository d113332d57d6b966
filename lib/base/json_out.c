/* JSON writer: appends to the caller's buffer, member by member, without allocating.
 *
 * One flag is all the state that the grammar needs: 'comma' says whether the next member must be
 * separated from the one before it. Keys are constants of ours and are copied as they are; values
 * are escaped (RFC 8259 section 7), and bytes that are not UTF-8 become U+FFFD, so that the result
 * is valid JSON whatever was put in. After an overflow nothing more is written, 'text' holds a
 * prefix, and the caller sees 'overflow' at the end.
 */
#include "waitingroom/text.h"

#include <string.h>

void json_out_init(struct json_out *out, char *text, size_t room)
{
	*out = (struct json_out){.text = text, .room = room};
}

static void put(struct json_out *out, const char *bytes, size_t len)
{
	if (out->overflow || len > out->room - out->len) {
		out->overflow = true;
		return;
	}
	memcpy(out->text + out->len, bytes, len);
	out->len += len;
}

static void put_char(struct json_out *out, char c)
{
	if (out->overflow || out->len == out->room) {
		out->overflow = true;
		return;
	}
	out->text[out->len++] = c;
}

/* Comma and key; what follows is a value. */
static void put_member(struct json_out *out, const char *key)
{
	if (out->comma)
		put_char(out, ',');
	out->comma = true;
	if (key) {
		put_char(out, '"');
		put(out, key, strlen(key));
		put(out, "\":", 2);
	}
}

static void put_open(struct json_out *out, const char *key, char bracket)
{
	put_member(out, key);
	put_char(out, bracket);
	out->comma = false;
}

static void put_close(struct json_out *out, char bracket)
{
	put_char(out, bracket);
	out->comma = true;
}

void json_out_object(struct json_out *out, const char *key)
{
	put_open(out, key, '{');
}

void json_out_object_end(struct json_out *out)
{
	put_close(out, '}');
}

void json_out_array(struct json_out *out, const char *key)
{
	put_open(out, key, '[');
}

void json_out_array_end(struct json_out *out)
{
	put_close(out, ']');
}

static bool is_plain(char c)
{
	unsigned char byte = (unsigned char)c;
	return byte >= 0x20 && byte < 0x80 && byte != '"' && byte != '\\';
}

static void put_escaped(struct json_out *out, unsigned char byte)
{
	static const char hex[16] = "0123456789abcdef";
	static const char short_forms[] = "\"\"\\\\\bb\ff\nn\rr\tt"; /* pairs: byte, letter */
	for (const char *pair = short_forms; *pair; pair += 2) {
		if ((unsigned char)pair[0] == byte) {
			char escape[2] = {'\\', pair[1]};
			put(out, escape, sizeof(escape));
			return;
		}
	}
	char escape[6] = {'\\', 'u', '0', '0', hex[byte >> 4], hex[byte & 15]};
	put(out, escape, sizeof(escape));
}

/* Writes what text begins with when it is not plain; returns how much of text that was. */
static size_t put_special(struct json_out *out, const char *text, size_t len)
{
	unsigned char byte = (unsigned char)text[0];
	if (byte < 0x80) {
		put_escaped(out, byte);
		return 1;
	}
	size_t sequence = utf8_sequence_len(text, len);
	if (!sequence) {
		put(out, "\\ufffd", 6);
		return 1;
	}
	put(out, text, sequence);
	return sequence;
}

void json_out_string_n(struct json_out *out, const char *key, const char *value, size_t len)
{
	put_member(out, key);
	put_char(out, '"');
	for (size_t at = 0; at < len && !out->overflow;) {
		size_t run = at;
		while (run < len && is_plain(value[run]))
			run++;
		put(out, value + at, run - at);
		at = run;
		if (at < len)
			at += put_special(out, value + at, len - at);
	}
	put_char(out, '"');
}

void json_out_string(struct json_out *out, const char *key, const char *value)
{
	json_out_string_n(out, key, value, strlen(value));
}

void json_out_int(struct json_out *out, const char *key, int64_t value)
{
	put_member(out, key);
	if (value < 0)
		put_char(out, '-');
	char digits[20];
	/* unsigned negation: the smallest number has no positive twin */
	size_t len = text_from_u64(value < 0 ? 0 - (uint64_t)value : (uint64_t)value, digits);
	put(out, digits, len);
}

void json_out_bool(struct json_out *out, const char *key, bool value)
{
	put_member(out, key);
	if (value)
		put(out, "true", 4);
	else
		put(out, "false", 5);
}

void json_out_null(struct json_out *out, const char *key)
{
	put_member(out, key);
	put(out, "null", 4);
}

void json_out_raw(struct json_out *out, const char *key, const char *json, size_t len)
{
	put_member(out, key);
	put(out, json, len);
}
