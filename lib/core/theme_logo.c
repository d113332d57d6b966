/* Theme logo: is a data URI the picture that it says, and nothing but a picture?
 *
 * The page shows it in an <img>, where a browser runs no script and fetches nothing. The same bytes
 * may be shown otherwise by a template, so SVG is held to what draws: no element that runs or
 * embeds, no event attribute, no reference but to its own parts. What could hide one of those from
 * this scan (entities, escapes, a document type) is refused with it.
 */
#include <string.h>

#include "waitingroom/memory.h"
#include "waitingroom/theme.h"

/* ---- base64 (RFC 4648 section 4, with padding) ---- */

static int digit_value(char digit)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	const char *at = digit ? strchr(digits, digit) : NULL;
	return at ? (int)(at - digits) : -1;
}

/* fills at most 3/4 of len bytes. */
static bool decode(const char *text, size_t len, unsigned char *ret_bytes, size_t *ret_len)
{
	size_t padding = len >= 1 && text[len - 1] == '=' ? 1 + (len >= 2 && text[len - 2] == '=') : 0;
	size_t count = 0;
	unsigned bits = 0, word = 0;
	if (len == 0 || len % 4 != 0)
		return false;
	for (size_t i = 0; i < len - padding; i++) {
		int value = digit_value(text[i]);
		if (value < 0)
			return false;
		word = (word << 6 | (unsigned)value) & 0xffffu;
		bits += 6;
		if (bits >= 8) {
			bits -= 8;
			ret_bytes[count++] = (unsigned char)(word >> bits);
		}
	}
	*ret_len = count;
	return true;
}

/* ---- SVG ---- */

static const char svg_wrong[] =
	"must be an SVG that only draws: no script, foreignObject, on… attributes, references to "
	"anything outside, document type, numeric entities or backslashes";

static bool is_name_char(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_' || c == '.';
}

static bool is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f';
}

/* What stands behind "<": a name, perhaps with a prefix before a colon. */
static bool is_refused_element(const char *at)
{
	static const char *const refused[] = {"script", "foreignobject", "iframe", "embed",
										  "object", "audio",		 "video",  "handler",
										  "link",	"base",			 "set",	   "animate"};
	size_t len = 0;
	at += *at == '/';
	while (is_name_char(at[len]) || at[len] == ':') {
		if (at[len] == ':') {
			at += len + 1;
			len = 0;
		} else {
			len++;
		}
	}
	for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++)
		if (strlen(refused[i]) == len && memcmp(at, refused[i], len) == 0)
			return true;
	return false;
}

/* Is 'at' the value of an attribute, quote included, that names a part of the same picture? */
static bool is_own_part(const char *at)
{
	at += strspn(at, " \t\r\n\f");
	if (*at == '"' || *at == '\'')
		at++;
	return *at == '#';
}

/* An attribute whose name ends with 'name' and that refers to something else. */
static bool refers_outside(const char *text, const char *name)
{
	for (const char *at = strstr(text, name); at; at = strstr(at + 1, name)) {
		const char *behind = at + strlen(name);
		behind += strspn(behind, " \t\r\n\f");
		if (*behind == '=' && !is_own_part(behind + 1))
			return true;
	}
	return false;
}

static bool has_event_attribute(const char *text)
{
	for (const char *at = strstr(text, "on"); at; at = strstr(at + 1, "on")) {
		bool begins = at > text && (is_space(at[-1]) || strchr("\"'/:", at[-1]));
		const char *behind = at + 2;
		while (is_name_char(*behind))
			behind++;
		behind += strspn(behind, " \t\r\n\f");
		if (begins && *behind == '=')
			return true;
	}
	return false;
}

/* text: in lower case, with NUL. */
static bool only_draws(const char *text)
{
	static const char *const refused[] = {"<!doctype", "<!entity", "<?xml-stylesheet", "&#",
										  "\\",		   "@import",  "javascript:",	   "<![cdata["};
	for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++)
		if (strstr(text, refused[i]))
			return false;
	for (const char *at = strchr(text, '<'); at; at = strchr(at + 1, '<'))
		if (is_refused_element(at + 1))
			return false;
	for (const char *at = strstr(text, "url("); at; at = strstr(at + 1, "url("))
		if (!is_own_part(at + 4))
			return false;
	return !refers_outside(text, "href") && !refers_outside(text, "src") &&
		   !refers_outside(text, "xml:base") && !has_event_attribute(text);
}

static const char *check_svg(const unsigned char *bytes, size_t len)
{
	WR_AUTO(mem_free_at) char *text = mem_copy(bytes, len);
	if (!utf8_is_valid(text, len))
		return "must be an SVG in UTF-8";
	for (size_t i = 0; i < len; i++)
		if (text[i] >= 'A' && text[i] <= 'Z')
			text[i] = (char)(text[i] + ('a' - 'A'));
	const char *begin = text + strspn(text, " \t\r\n");
	if (strncmp(begin, "<svg", 4) != 0 && strncmp(begin, "<?xml", 5) != 0 &&
		strncmp(begin, "<!--", 4) != 0)
		return "must begin with <svg";
	return strstr(text, "<svg") && only_draws(text) ? NULL : svg_wrong;
}

/* ---- the URI ---- */

static const char *check_png(const unsigned char *bytes, size_t len)
{
	return len > 8 && memcmp(bytes, "\x89PNG\r\n\x1a\n", 8) == 0 ? NULL : "must hold a PNG picture";
}

static const char *check_jpeg(const unsigned char *bytes, size_t len)
{
	return len > 3 && memcmp(bytes, "\xff\xd8\xff", 3) == 0 ? NULL : "must hold a JPEG picture";
}

static const char *check_webp(const unsigned char *bytes, size_t len)
{
	return len > 12 && memcmp(bytes, "RIFF", 4) == 0 && memcmp(bytes + 8, "WEBP", 4) == 0
			   ? NULL
			   : "must hold a WebP picture";
}

static const struct {
	const char *begin;
	const char *(*check)(const unsigned char *bytes, size_t len);
} kinds[] = {
	{"data:image/png;base64,", check_png},
	{"data:image/jpeg;base64,", check_jpeg},
	{"data:image/webp;base64,", check_webp},
	{"data:image/svg+xml;base64,", check_svg},
};

const char *theme_logo_wrong(const char *uri, size_t len)
{
	_Static_assert(THEME_LOGO_BYTES == 8192, "the sentence says 8192");
	if (len > THEME_LOGO_BYTES)
		return "must be at most 8192 bytes; a smaller picture, or SVG";
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		size_t begin = strlen(kinds[i].begin), bytes_len;
		unsigned char bytes[THEME_LOGO_BYTES];
		if (len < begin || memcmp(uri, kinds[i].begin, begin) != 0)
			continue;
		if (!decode(uri + begin, len - begin, bytes, &bytes_len))
			return "must be base64 with padding and without line ends; base64 -w0 logo.svg";
		return kinds[i].check(bytes, bytes_len);
	}
	return "must begin with data:image/png;base64, or the same with svg+xml, webp or jpeg";
}
