/* Line: any bytes in and out of JSON. */
#include "line.h"

#include <stdlib.h>
#include <string.h>

#include "waitingroom/memory.h"

#define ESCAPED 6	   /* bytes that a byte becomes at most: \u00xx */
#define PIECE_BYTES 64 /* around each: quotes, commas, a key */

void line_begin(struct line *line, size_t bytes, size_t pieces)
{
	size_t needed = ESCAPED * bytes + PIECE_BYTES * (pieces + 8);
	if (needed > line->room) {
		line->room = needed;
		line->text = mem_grow(line->text, needed, 1);
	}
	json_out_init(&line->out, line->text, line->room);
	json_out_object(&line->out, NULL);
}

void line_text(struct line *line, const char *key, struct store_text text)
{
	if (utf8_is_valid(text.bytes, text.len)) {
		json_out_string_n(&line->out, key, text.bytes, text.len);
		return;
	}
	WR_AUTO(mem_free_at) char *encoded = mem_alloc_zero(BASE64URL_LEN(text.len) + 1, 1);
	size_t len = base64url_encode(text.bytes, text.len, encoded);
	json_out_object(&line->out, key);
	json_out_string_n(&line->out, "base64url", encoded, len);
	json_out_object_end(&line->out);
}

void line_end(struct line *line)
{
	json_out_object_end(&line->out);
	if (line->out.overflow)
		abort(); /* line_begin was told too little */
}

void line_clear(struct line *line)
{
	free(line->text);
	*line = (struct line){0};
}

void texts_clear(struct texts *texts)
{
	for (size_t i = 0; i < texts->owned_count; i++)
		free(texts->owned[i]);
	free(texts->owned);
	free(texts->list);
	*texts = (struct texts){0};
}

void texts_add(struct texts *texts, struct store_text text)
{
	if (texts->count == texts->room) {
		texts->room = texts->room ? 2 * texts->room : 64;
		texts->list = mem_grow(texts->list, texts->room, sizeof(*texts->list));
	}
	texts->list[texts->count++] = text;
}

static bool read_one(const struct json_value *value, struct texts *texts)
{
	const char *text;
	if (json_string(value, &text)) {
		texts_add(texts, STORE_TEXT(text));
		return true;
	}
	if (!json_is_object(value) || !json_string(json_member(value, "base64url"), &text))
		return false;
	size_t len = strlen(text), bytes_len = 0;
	char *bytes = mem_alloc_zero(len + 1, 1);
	texts->owned = mem_grow(texts->owned, texts->owned_count + 1, sizeof(*texts->owned));
	texts->owned[texts->owned_count++] = bytes;
	if (!base64url_decode(text, len, bytes, len, &bytes_len))
		return false;
	texts_add(texts, (struct store_text){bytes, bytes_len});
	return true;
}

bool texts_read(const struct json_value *value, struct texts *texts)
{
	if (!json_is_array(value))
		return read_one(value, texts);
	for (const struct json_value *at = json_at(value, 0); at; at = json_next(at))
		if (!read_one(at, texts))
			return false;
	return true;
}

bool store_text_equal(struct store_text a, struct store_text b)
{
	return a.len == b.len && memcmp(a.bytes, b.bytes, a.len) == 0;
}
