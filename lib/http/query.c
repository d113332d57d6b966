/* Query parameters, form fields and cookies: the small formats inside a request that handlers ask
 * for.
 *
 * All are read where they are, each time they are asked for: most requests have none.
 */
#include "internal.h"

#include <string.h>
#include <strings.h>

static int hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c = (char)(c | 0x20);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* application/x-www-form-urlencoded; false: not well-formed, a NUL, or no room for the ending
 * NUL. */
static bool decode(const char *text, size_t len, char *ret_value, size_t room)
{
	size_t used = 0;
	for (size_t i = 0; i < len; i++) {
		int c = text[i] == '+' ? ' ' : (unsigned char)text[i];
		if (text[i] == '%') {
			int high = i + 2 < len ? hex_value(text[i + 1]) : -1;
			int low = i + 2 < len ? hex_value(text[i + 2]) : -1;
			c = high < 0 || low < 0 ? 0 : high * 16 + low;
			i += 2;
		}
		if (!c || used + 1 >= room)
			return false;
		ret_value[used++] = (char)c;
	}
	ret_value[used] = '\0';
	return true;
}

bool http_request_has_query(const struct http_request *request)
{
	return request->query != NULL;
}

const char *http_request_query_text(const struct http_request *request)
{
	return request->query;
}

static bool find_pair(const char *pairs, const char *name, char *ret_value, size_t room)
{
	size_t name_len = strlen(name);
	for (const char *pair = pairs; pair;) {
		size_t len = strcspn(pair, "&");
		if (len >= name_len && !memcmp(pair, name, name_len)) {
			if (len == name_len)
				return decode("", 0, ret_value, room);
			if (pair[name_len] == '=')
				return decode(pair + name_len + 1, len - name_len - 1, ret_value, room);
		}
		pair = pair[len] ? pair + len + 1 : NULL;
	}
	return false;
}

bool http_request_query(const struct http_request *request, const char *name, char *ret_value,
						size_t room)
{
	return find_pair(request->query, name, ret_value, room);
}

bool http_request_form(const struct http_request *request, const char *name, char *ret_value,
					   size_t room)
{
	static const char type[] = "application/x-www-form-urlencoded";
	const char *given = http_request_header(request, "content-type");
	if (!request->body_len || !given || strncasecmp(given, type, sizeof(type) - 1))
		return false;
	return find_pair(request->body, name, ret_value, room);
}

bool http_request_cookie(const struct http_request *request, const char *name,
						 const char **ret_value, size_t *ret_len)
{
	const char *pair = http_request_header(request, "cookie");
	size_t name_len = strlen(name);
	while (pair && *pair) {
		pair += strspn(pair, " \t;");
		size_t len = strcspn(pair, ";");
		if (len > name_len && pair[name_len] == '=' && !memcmp(pair, name, name_len)) {
			const char *value = pair + name_len + 1;
			size_t value_len = len - name_len - 1;
			while (value_len && (value[value_len - 1] == ' ' || value[value_len - 1] == '\t'))
				value_len--;
			*ret_value = value;
			*ret_len = value_len;
			return true;
		}
		pair += len;
	}
	return false;
}
