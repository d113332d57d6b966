/* HTML being written. Escaping is decided here and nowhere else. */
#include "html_out.h"

#include <stdlib.h>
#include <string.h>

#include "waitingroom/memory.h"
#include "waitingroom/text.h"

void html_free(struct html_out *out)
{
	free(out->text);
	*out = (struct html_out){.text = NULL};
}

void html_raw(struct html_out *out, const char *text, size_t len)
{
	if (len == 0)
		return;
	if (out->room - out->len < len) {
		size_t room = out->room > 0 ? out->room : 4096;
		while (room - out->len < len)
			room *= 2;
		out->text = mem_grow(out->text, room, 1);
		out->room = room;
	}
	memcpy(out->text + out->len, text, len);
	out->len += len;
}

void html_literal(struct html_out *out, const char *text)
{
	html_raw(out, text, strlen(text));
}

static const char *entity_of(char c)
{
	switch (c) {
	case '&':
		return "&amp;";
	case '<':
		return "&lt;";
	case '>':
		return "&gt;";
	case '"':
		return "&quot;";
	case '\'':
		return "&#39;";
	default:
		return NULL;
	}
}

void html_text(struct html_out *out, const char *text, size_t len)
{
	size_t from = 0;
	for (size_t i = 0; i < len; i++) {
		const char *entity = entity_of(text[i]);
		if (entity == NULL)
			continue;
		html_raw(out, text + from, i - from);
		html_literal(out, entity);
		from = i + 1;
	}
	html_raw(out, text + from, len - from);
}

void html_string(struct html_out *out, const char *text)
{
	html_text(out, text, strlen(text));
}

void html_number(struct html_out *out, long long number)
{
	char digits[20];
	if (number < 0)
		html_raw(out, "-", 1);
	html_raw(out, digits,
			 text_from_u64(number < 0 ? -(unsigned long long)number : (unsigned long long)number,
						   digits));
}

void html_script_json(struct html_out *out, const char *json, size_t len)
{
	size_t from = 0;
	for (size_t i = 0; i < len; i++) {
		const char *escape = NULL;
		size_t bytes = 1;
		if (json[i] == '<') {
			escape = "\\u003c";
		} else if (len - i >= 3 && memcmp(json + i, "\xe2\x80", 2) == 0 &&
				   (json[i + 2] == '\xa8' || json[i + 2] == '\xa9')) {
			escape = json[i + 2] == '\xa8' ? "\\u2028" : "\\u2029";
			bytes = 3;
		}
		if (escape == NULL)
			continue;
		html_raw(out, json + from, i - from);
		html_literal(out, escape);
		i += bytes - 1;
		from = i + 1;
	}
	html_raw(out, json + from, len - from);
}
