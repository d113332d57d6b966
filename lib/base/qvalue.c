/* Lists with weights: a lenient reader, since what it cannot understand only loses its weight. */
#include "waitingroom/qvalue.h"

#include <string.h>

#define BLANKS " \t"

/* "1", "0.5", "0.123", "1.000"; anything else weighs nothing. */
static int read_q(const char *text, size_t len)
{
	if (len == 0 || len > 5 || text[0] < '0' || text[0] > '1' || (len > 1 && text[1] != '.'))
		return 0;
	int q = (text[0] - '0') * 1000, unit = 100;
	for (size_t i = 2; i < len; i++, unit /= 10) {
		if (text[i] < '0' || text[i] > '9')
			return 0;
		q += (text[i] - '0') * unit;
	}
	return q <= 1000 ? q : 0;
}

static size_t trim(const char **text, size_t len)
{
	while (len > 0 && strchr(BLANKS, **text) != NULL) {
		(*text)++;
		len--;
	}
	while (len > 0 && strchr(BLANKS, (*text)[len - 1]) != NULL)
		len--;
	return len;
}

/* Parameters of one item; others than q are passed over. */
static int weight_of(const char *parameters, size_t len)
{
	int q = 1000;
	while (len > 0) {
		const char *text = parameters + 1; /* behind ';' */
		const char *next = memchr(text, ';', len - 1);
		size_t text_len = next != NULL ? (size_t)(next - text) : len - 1;
		parameters += text_len + 1;
		len -= text_len + 1;
		text_len = trim(&text, text_len);
		if (text_len >= 2 && (text[0] | 0x20) == 'q' && text[1] == '=')
			q = read_q(text + 2, text_len - 2);
	}
	return q;
}

bool qvalue_next(const char **rest, struct qvalue *ret_item)
{
	while (*rest != NULL && **rest != '\0') {
		const char *text = *rest;
		size_t len = strcspn(text, ",");
		*rest = text[len] != '\0' ? text + len + 1 : text + len;
		const char *semicolon = memchr(text, ';', len);
		size_t name_len = semicolon != NULL ? (size_t)(semicolon - text) : len;
		const char *name = text;
		size_t trimmed = trim(&name, name_len);
		if (trimmed == 0)
			continue;
		*ret_item = (struct qvalue){.text = name, .len = trimmed, .q = 1000};
		if (semicolon != NULL)
			ret_item->q = weight_of(semicolon, len - name_len);
		return true;
	}
	return false;
}
