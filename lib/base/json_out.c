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

/* Room for so many bytes at the end; NULL, and the overflow remembered, when there is not. */
static char *reserve(struct json_out *out, size_t bytes)
{
	if (out->overflow || bytes > out->room - out->len) {
		out->overflow = true;
		return NULL;
	}
	return out->text + out->len;
}

static void put(struct json_out *out, const char *bytes, size_t len)
{
	char *at = reserve(out, len);
	if (!at)
		return;
	memcpy(at, bytes, len);
	out->len += len;
}

/* Comma and key; what follows is a value. One check for all of it: a heartbeat writes a dozen. */
static char *put_member(struct json_out *out, const char *key, size_t key_len, size_t value_room)
{
	char *at = reserve(out, key_len + 4 + value_room);
	if (!at)
		return NULL;
	if (out->comma)
		*at++ = ',';
	out->comma = true;
	if (key) {
		*at++ = '"';
		memcpy(at, key, key_len);
		at += key_len;
		*at++ = '"';
		*at++ = ':';
	}
	out->len = (size_t)(at - out->text);
	return at;
}

void json_put_open(struct json_out *out, const char *key, size_t key_len, char bracket)
{
	char *at = put_member(out, key, key_len, 1);
	if (!at)
		return;
	*at = bracket;
	out->len++;
	out->comma = false;
}

void json_out_resume(struct json_out *out, const char *begun, size_t len)
{
	put(out, begun, len);
	out->comma = true;
}

static void put_close(struct json_out *out, char bracket)
{
	put(out, &bracket, 1);
	out->comma = true;
}

void json_out_object_end(struct json_out *out)
{
	put_close(out, '}');
}

void json_out_array_end(struct json_out *out)
{
	put_close(out, ']');
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

/* Printable ASCII but quote and backslash: stands for itself. */
static const bool plain[256] = {
	[' ' ... '!'] = true, ['#' ... '['] = true, [']' ... '~'] = true, [0x7F] = true};

void json_put_string(struct json_out *out, const char *key, size_t key_len, const char *value,
					 size_t len)
{
	if (!put_member(out, key, key_len, 1))
		return;
	out->text[out->len++] = '"';
	for (size_t at = 0; at < len && !out->overflow;) {
		size_t run = at;
		while (run < len && plain[(unsigned char)value[run]])
			run++;
		put(out, value + at, run - at);
		at = run;
		if (at < len)
			at += put_special(out, value + at, len - at);
	}
	put(out, "\"", 1);
}

void json_put_int(struct json_out *out, const char *key, size_t key_len, int64_t value)
{
	/* unsigned negation: the smallest number has no positive twin */
	uint64_t size = value < 0 ? 0 - (uint64_t)value : (uint64_t)value;
	size_t len = text_u64_len(size) + (value < 0);
	char *at = put_member(out, key, key_len, len);
	if (!at)
		return;
	*at = '-';
	text_from_u64(size, at + (value < 0));
	out->len += len;
}

void json_put_raw(struct json_out *out, const char *key, size_t key_len, const char *json,
				  size_t len)
{
	char *at = put_member(out, key, key_len, len);
	if (!at)
		return;
	memcpy(at, json, len);
	out->len += len;
}
