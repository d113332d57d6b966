/* Bypass: one request against the rules of a queue, in their order.
 *
 * The path is the dangerous part. "/static/../checkout" begins with "/static/" and is the checkout
 * for the site behind; so are the same with "%2e", with a backslash, or with "..;" before a Java
 * server. Such a path fits no rule that asks for one: the visitor goes the normal way, which is
 * never wrong.
 */
#include "waitingroom/bypass.h"

#include <arpa/inet.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <string.h>

#define USER_AGENT_BYTES 512 /* what is behind is not looked at: bounds the work */

static char lower(char c)
{
	return (char)(c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : c);
}

/* ---- path ---- */

static int hex_value(char digit)
{
	static const char digits[] = "0123456789abcdef";
	const char *at = digit ? strchr(digits, lower(digit)) : NULL;
	return at ? (int)(at - digits) : -1;
}

/* "%20" or "%c3": nothing that a server between us and the site could take for syntax. */
static bool is_harmless_escape(const char *text, size_t len)
{
	int high = len >= 3 ? hex_value(text[1]) : -1, low = high >= 0 ? hex_value(text[2]) : -1;
	int byte = high * 16 + low;
	return low >= 0 && byte >= ' ' && byte != 0x7f && !strchr("/\\.%;?#", byte);
}

/* Can it be read in one way only? */
static bool path_is_plain(const char *path, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (path[i] <= ' ' || path[i] > '~' || path[i] == '\\' || path[i] == ';' ||
			(path[i] == '%' && !is_harmless_escape(path + i, len - i)))
			return false;
	for (size_t i = 0; i < len; i++) {
		if (path[i] != '/')
			continue;
		size_t part = 0;
		while (i + 1 + part < len && path[i + 1 + part] != '/')
			part++;
		bool is_last = i + 1 + part == len;
		if ((part == 0 && !is_last) || (part == 1 && path[i + 1] == '.') ||
			(part == 2 && path[i + 1] == '.' && path[i + 2] == '.'))
			return false;
	}
	return len > 0 && path[0] == '/';
}

/* "/shop" fits "/shop" and "/shop/…", "/shop/" fits what is below it. */
static bool path_fits(const char *prefix, const char *path, size_t len)
{
	size_t chars = strlen(prefix);
	if (chars > len || memcmp(path, prefix, chars) != 0)
		return false;
	return prefix[chars - 1] == '/' || chars == len || path[chars] == '/';
}

static bool extension_fits(const char *extension, const char *path, size_t len)
{
	size_t chars = strlen(extension);
	if (len < chars + 2 || path[len - chars - 1] != '.' || path[len - chars - 2] == '/')
		return false;
	for (size_t i = 0; i < chars; i++)
		if (lower(path[len - chars + i]) != extension[i])
			return false;
	return true;
}

/* ---- user agent ---- */

static bool begins_with(const char *text, size_t len, const char *piece, size_t piece_len)
{
	if (piece_len > len)
		return false;
	for (size_t i = 0; i < piece_len; i++)
		if (lower(text[i]) != lower(piece[i]))
			return false;
	return true;
}

/* Pieces between the stars, each at the first place where it fits; the last one at the end. */
static bool glob_fits(const char *pattern, const char *text, size_t len)
{
	size_t piece = strcspn(pattern, "*");
	if (!begins_with(text, len, pattern, piece))
		return false;
	text += piece;
	len -= piece;
	pattern += piece;
	if (*pattern == '\0')
		return len == 0;
	while (*pattern == '*') {
		pattern++;
		piece = strcspn(pattern, "*");
		if (pattern[piece] == '\0') /* the last: as far behind as it goes */
			return piece <= len && begins_with(text + len - piece, piece, pattern, piece);
		while (!begins_with(text, len, pattern, piece)) {
			if (len == 0)
				return false;
			text++;
			len--;
		}
		text += piece;
		len -= piece;
		pattern += piece;
	}
	return len == 0;
}

/* ---- network and header ---- */

static bool parse_address(const char *text, uint8_t ret_bytes[16])
{
	if (strchr(text, ':') != NULL)
		return inet_pton(AF_INET6, text, ret_bytes) == 1;
	memcpy(ret_bytes, "\0\0\0\0\0\0\0\0\0\0\xff\xff", 12);
	return inet_pton(AF_INET, text, ret_bytes + 12) == 1;
}

static bool network_fits(const struct bypass_rule *rule, const uint8_t address[16])
{
	size_t bytes = rule->network_bits / 8, bits = rule->network_bits % 8;
	return memcmp(rule->network, address, bytes) == 0 &&
		   (bits == 0 || (rule->network[bytes] ^ address[bytes]) >> (8 - bits) == 0);
}

static bool secret_fits(const struct bypass_rule *rule, const struct bypass_request *request)
{
	uint8_t hash[sizeof(rule->secret_sha256)];
	const char *value = request->header ? request->header(request->ctx, rule->header) : NULL;
	return value != NULL &&
		   EVP_Q_digest(NULL, "SHA256", NULL, value, strlen(value), hash, NULL) == 1 &&
		   CRYPTO_memcmp(hash, rule->secret_sha256, sizeof(hash)) == 0;
}

static bool method_fits(const struct bypass_rule *rule, const char *method)
{
	static const char *const methods[] = {BYPASS_METHODS};
	for (size_t i = 0; i < sizeof(methods) / sizeof(methods[0]); i++)
		if (strcmp(method, methods[i]) == 0)
			return rule->methods >> i & 1;
	return false;
}

/* ---- rules ---- */

struct seen { /* what is the same for every rule, found once */
	size_t path_len, user_agent_len;
	bool path_is_plain, has_address;
	uint8_t address[16];
};

/* The dear part, a hash, comes last. */
static bool rule_fits(const struct bypass_rule *rule, const struct bypass_request *request,
					  const struct seen *seen)
{
	if (rule->methods && !(request->method && method_fits(rule, request->method)))
		return false;
	if ((rule->path_prefix[0] || rule->extension[0]) && !seen->path_is_plain)
		return false;
	if (rule->path_prefix[0] && !path_fits(rule->path_prefix, request->path, seen->path_len))
		return false;
	if (rule->extension[0] && !extension_fits(rule->extension, request->path, seen->path_len))
		return false;
	if (rule->has_network && !(seen->has_address && network_fits(rule, seen->address)))
		return false;
	if (rule->user_agent[0] &&
		!(request->user_agent &&
		  glob_fits(rule->user_agent, request->user_agent, seen->user_agent_len)))
		return false;
	return !rule->header[0] || secret_fits(rule, request);
}

int bypass_match(const struct queue_settings *settings, const struct bypass_request *request)
{
	if (settings->bypass_count == 0)
		return -1;
	struct seen seen = {.path_len = request->path ? strcspn(request->path, "?#") : 0};
	seen.path_is_plain = request->path && path_is_plain(request->path, seen.path_len);
	seen.has_address = request->address && parse_address(request->address, seen.address);
	if (request->user_agent)
		seen.user_agent_len = strnlen(request->user_agent, USER_AGENT_BYTES);
	for (unsigned i = 0; i < settings->bypass_count; i++)
		if (rule_fits(&settings->bypass[i], request, &seen))
			return (int)i;
	return -1;
}
