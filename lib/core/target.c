/* Target: where a visitor may be sent. Parsed once, strictly, and compared part by part: never by
 * prefix of the whole text, which is how open redirects happen.
 */
#include <string.h>
#include <strings.h>

#include "settings_rules.h"

#define TARGET_MAX_BYTES 2048

struct url {
	bool is_https;
	const char *host;
	size_t host_len;
	int port;
	const char *path; /* from the first '/', "" when there is none; without query and fragment */
	size_t path_len;
};

/* Visible ASCII without what browsers read in their own ways. */
static bool is_clean(const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (text[i] <= ' ' || text[i] >= 0x7f || strchr("\\\"<>^`{|}", text[i]) != NULL)
			return false;
	return true;
}

/* "." and ".." segments, also percent-encoded, would leave an allowed prefix. */
static bool has_dots(const char *path, size_t len)
{
	for (size_t at = 0; at < len;) {
		at++; /* the slash */
		size_t dots = 0, from = at;
		while (at < len && path[at] != '/') {
			if (path[at] == '.')
				dots++, at++;
			else if (len - at >= 3 && strncasecmp(path + at, "%2e", 3) == 0)
				dots++, at += 3;
			else if (len - at >= 3 && (strncasecmp(path + at, "%2f", 3) == 0 ||
									   strncasecmp(path + at, "%5c", 3) == 0))
				return true;
			else
				dots = 3, at++;
		}
		if (at > from && (dots == 1 || dots == 2))
			return true;
	}
	return false;
}

static bool read_authority(const char *text, size_t len, struct url *url)
{
	const char *colon = memchr(text, ':', len);
	url->host = text;
	url->host_len = colon != NULL ? (size_t)(colon - text) : len;
	url->port = url->is_https ? 443 : 80;
	for (size_t i = 0; i < url->host_len; i++) {
		char c = text[i];
		bool good = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
					c == '-' || c == '.';
		if (!good)
			return false;
	}
	if (url->host_len == 0 || url->host_len > 253 || text[0] == '.' || text[0] == '-' ||
		text[url->host_len - 1] == '.')
		return false;
	uint64_t port = 0;
	if (colon == NULL)
		return true;
	if (!text_to_u64(colon + 1, len - url->host_len - 1, 65535, &port) || port == 0)
		return false;
	url->port = (int)port;
	return true;
}

static bool url_parse(const char *text, size_t len, struct url *ret_url)
{
	struct url url = {.is_https = false};
	size_t scheme = 0;
	if (len > 8 && strncasecmp(text, "https://", 8) == 0) {
		url.is_https = true;
		scheme = 8;
	} else if (len > 7 && strncasecmp(text, "http://", 7) == 0) {
		scheme = 7;
	}
	if (scheme == 0 || len > TARGET_MAX_BYTES || !is_clean(text, len))
		return false;
	size_t end = scheme;
	while (end < len && text[end] != '/' && text[end] != '?' && text[end] != '#')
		end++;
	if (!read_authority(text + scheme, end - scheme, &url))
		return false;
	size_t path_end = end;
	while (path_end < len && text[path_end] != '?' && text[path_end] != '#')
		path_end++;
	url.path = text + end;
	url.path_len = path_end - end;
	*ret_url = url;
	return !has_dots(url.path, url.path_len);
}

bool target_rule_is_valid(const char *text, size_t len)
{
	struct url url;
	return url_parse(text, len, &url) && memchr(text, '?', len) == NULL &&
		   memchr(text, '#', len) == NULL;
}

/* "/shop" admits "/shop", "/shop/…", not "/shopping". */
static bool path_is_below(const struct url *url, const struct url *rule)
{
	size_t len = rule->path_len;
	while (len > 0 && rule->path[len - 1] == '/')
		len--;
	return url->path_len >= len && memcmp(url->path, rule->path, len) == 0 &&
		   (url->path_len == len || url->path[len] == '/');
}

static bool rule_allows(const char *rule_text, const struct url *url)
{
	struct url rule;
	return url_parse(rule_text, strlen(rule_text), &rule) && rule.is_https == url->is_https &&
		   rule.port == url->port && rule.host_len == url->host_len &&
		   strncasecmp(rule.host, url->host, rule.host_len) == 0 && path_is_below(url, &rule);
}

enum wr_err queue_settings_check_target(const struct queue_settings *settings, const char *target,
										size_t len, struct err_detail *ret_detail)
{
	struct url url;
	if (settings->target_count == 0) {
		size_t path = strcspn(target, "?#");
		if (len > 0 && len <= TARGET_MAX_BYTES && target[0] == '/' && (len < 2 || target[1] != '/') &&
			is_clean(target, len) && !has_dots(target, path))
			return WR_OK;
		return err_say(ret_detail, WR_INVALID,
					   "target: must be a path on this site, for example \"/shop\"; the queue allows "
					   "no other addresses");
	}
	if (url_parse(target, len, &url))
		for (uint32_t i = 0; i < settings->target_count; i++)
			if (rule_allows(settings->targets[i], &url))
				return WR_OK;
	return err_say(ret_detail, WR_INVALID,
				   "target: must be an absolute address that the queue's allowed_targets cover");
}
