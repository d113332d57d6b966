/* Target: a strict parser for the one kind of URL that people may be sent to.
 *
 *     https://host[:port][/path][?query][#fragment]      or      /path[?query][#fragment]
 *
 * The text is cut once, from left to right, and every later decision is made on the parts: the
 * comparison with an allowed origin, and the text that a browser is given. Nothing that the
 * parsers of browsers, proxies and sites are known to read differently gets that far:
 *
 *   bytes      printable ASCII without space, backslash, quotes and angle brackets;
 *   scheme     http or https with exactly two slashes;
 *   authority  no user information; letters, digits, "-", "_" and "." or an IPv6 address in
 *              brackets; a port without leading zeros;
 *   path       no "//" in front when there is no origin, no "." or ".." segments, also when dots
 *              or slashes are percent-encoded or a ";parameter" follows.
 */
#include "target.h"

#include <arpa/inet.h>
#include <string.h>
#include <strings.h>

#include "waitingroom/text.h"

#define HTTPS_PORT 443
#define HTTP_PORT 80
#define LABEL_CHARS 63

static const char *wrong_bytes(const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		unsigned char byte = (unsigned char)text[i];
		if (byte >= 0x80)
			return "must be ASCII: write the host in punycode (xn--) and the rest in % escapes";
		if (byte <= ' ' || byte == 0x7f)
			return "must not contain spaces or control characters";
		if (byte == '\\')
			return "must not contain a backslash";
		if (strchr("\"<>", byte))
			return "must not contain quotes or angle brackets: write them in % escapes";
	}
	return NULL;
}

static bool begins_with(const char *text, size_t len, const char *prefix)
{
	return len >= strlen(prefix) && strncasecmp(text, prefix, strlen(prefix)) == 0;
}

static bool is_one_of(char c, const char *set)
{
	return c != '\0' && strchr(set, c);
}

/* Length of what comes before the first character of 'set'. */
static size_t length_before(const char *text, size_t len, const char *set)
{
	size_t at = 0;
	while (at < len && !is_one_of(text[at], set))
		at++;
	return at;
}

static bool is_alphanumeric(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool is_host_name(const char *host, size_t len)
{
	size_t label = 0;
	for (size_t i = 0; i < len; i++) {
		if (host[i] == '.') {
			if (!label)
				return false;
			label = 0;
		} else if (!(is_alphanumeric(host[i]) || is_one_of(host[i], "-_")) ||
				   ++label > LABEL_CHARS) {
			return false;
		}
	}
	return label > 0; /* no dot at the end either: it would be another origin with the same site */
}

static bool is_ipv6_address(const char *host, size_t len)
{
	char text[INET6_ADDRSTRLEN];
	struct in6_addr address;
	if (len < 4 || len - 2 >= sizeof(text) || host[0] != '[' || host[len - 1] != ']')
		return false;
	memcpy(text, host + 1, len - 2);
	text[len - 2] = '\0';
	return inet_pton(AF_INET6, text, &address) == 1;
}

static const char *parse_port(const char *text, size_t len, uint16_t *ret_port)
{
	uint64_t port;
	if (len == 0 || text[0] == '0' || !text_to_u64(text, len, UINT16_MAX, &port))
		return "must have a port of 1..65535, or none";
	*ret_port = (uint16_t)port;
	return NULL;
}

static const char *parse_authority(const char *text, size_t len, struct target *target)
{
	if (memchr(text, '@', len))
		return "must not contain user information (\"@\" before the host)";
	size_t in_brackets = len && text[0] == '[' ? length_before(text, len, "]") : 0;
	size_t host_len = in_brackets + length_before(text + in_brackets, len - in_brackets, ":");
	if (host_len > TARGET_HOST_CHARS ||
		!(is_host_name(text, host_len) || is_ipv6_address(text, host_len)))
		return "must have a host name of letters, digits, \"-\" and \".\"";
	for (size_t i = 0; i < host_len; i++)
		target->host[i] = (char)(text[i] >= 'A' && text[i] <= 'Z' ? text[i] | 0x20 : text[i]);
	target->host[host_len] = '\0';
	target->port = target->is_https ? HTTPS_PORT : HTTP_PORT;
	if (host_len == len)
		return NULL;
	return parse_port(text + host_len + 1, len - host_len - 1, &target->port);
}

/* Bytes of the escape of 'c' at the front, or 1 when it stands there itself, or 0. */
static size_t spelled(const char *text, size_t len, char c, const char *escape)
{
	if (len && text[0] == c)
		return 1;
	return begins_with(text, len, escape) ? strlen(escape) : 0;
}

static bool ends_segment(const char *text, size_t len)
{
	return len == 0 || spelled(text, len, '/', "%2f") || spelled(text, len, ';', "%3b") ||
		   begins_with(text, len, "%5c");
}

static bool is_dot_segment(const char *text, size_t len)
{
	for (unsigned dots = 0; dots <= 2; dots++) {
		if (dots && ends_segment(text, len))
			return true;
		size_t step = spelled(text, len, '.', "%2e");
		if (!step)
			return false;
		text += step;
		len -= step;
	}
	return false;
}

static const char *wrong_path(const char *path, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (ends_segment(path + i, len - i)) {
			size_t step = path[i] == '%' ? 3 : 1;
			if (is_dot_segment(path + i + step, len - i - step))
				return "must not contain \".\" or \"..\" segments";
		}
	return NULL;
}

const char *target_parse(const char *text, size_t len, struct target *ret_target)
{
	struct target target = {.has_origin = true};
	const char *wrong = wrong_bytes(text, len);
	if (wrong)
		return wrong;
	if (begins_with(text, len, "/")) {
		if (begins_with(text, len, "//"))
			return "must not begin with \"//\"";
		target.has_origin = false;
	} else {
		target.is_https = begins_with(text, len, "https://");
		if (!target.is_https && !begins_with(text, len, "http://"))
			return "must begin with https:// (or http://, where that is allowed)";
		size_t scheme_len = target.is_https ? strlen("https://") : strlen("http://");
		text += scheme_len;
		len -= scheme_len;
		size_t authority_len = length_before(text, len, "/?#");
		wrong = parse_authority(text, authority_len, &target);
		if (wrong)
			return wrong;
		text += authority_len;
		len -= authority_len;
	}
	target.path = text;
	target.path_len = length_before(text, len, "?#");
	target.tail = text + target.path_len;
	target.tail_len = len - target.path_len;
	wrong = wrong_path(target.path, target.path_len);
	if (wrong)
		return wrong;
	*ret_target = target;
	return NULL;
}

const char *target_parse_base(const char *text, size_t len, struct target *ret_target)
{
	struct target target;
	const char *wrong = target_parse(text, len, &target);
	if (wrong)
		return wrong;
	if (!target.has_origin)
		return "must begin with https:// or http://";
	if (target.tail_len)
		return "must not have a query (\"?\") or a fragment (\"#\")";
	*ret_target = target;
	return NULL;
}

size_t target_print(const struct target *target, char *ret_text)
{
	char *end = ret_text;
	if (target->has_origin) {
		end = stpcpy(stpcpy(end, target->is_https ? "https://" : "http://"), target->host);
		if (target->port != (target->is_https ? HTTPS_PORT : HTTP_PORT)) {
			*end++ = ':';
			end += text_from_u64(target->port, end);
		}
	}
	end = mempcpy(end, target->path, target->path_len);
	end = mempcpy(end, target->tail, target->tail_len);
	*end = '\0';
	return (size_t)(end - ret_text);
}

bool target_is_within(const struct target *target, const struct target *allowed)
{
	if (target->is_https != allowed->is_https || target->port != allowed->port ||
		strcmp(target->host, allowed->host) != 0)
		return false;
	size_t prefix = allowed->path_len;
	if (prefix && allowed->path[prefix - 1] == '/')
		prefix--; /* "/shop/" means the same folder as "/shop" */
	return target->path_len >= prefix && memcmp(target->path, allowed->path, prefix) == 0 &&
		   (target->path_len == prefix || target->path[prefix] == '/');
}
