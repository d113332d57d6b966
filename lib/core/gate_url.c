/* Gate URLs: taking wr_pass out of an address, and writing the addresses of redirects.
 *
 * Two kinds of care. What is taken out must leave the rest as it was: a site may tell "a=1&" from
 * "a=1", so nothing is decoded and nothing is sorted. And what is sent to a browser must be where
 * the queue's operator wants people: it is parsed strictly (target.c) and put together again from
 * the parts, never copied from what the proxy was told, which is what a stranger wrote.
 */
#include "waitingroom/gate_url.h"

#include <string.h>
#include <strings.h>

#include "target.h"
#include "waitingroom/token.h"

bool gate_url_parse_scheme(const char *word, bool *ret_is_https)
{
	bool is_https = strcasecmp(word, "https") == 0 || strcasecmp(word, "wss") == 0;
	if (!is_https && strcasecmp(word, "http") != 0 && strcasecmp(word, "ws") != 0)
		return false;
	*ret_is_https = is_https;
	return true;
}

void gate_url_set_path(struct gate_url *url, const char *text)
{
	url->path = text;
	url->path_len = strcspn(text, "?");
	url->query = text[url->path_len] == '?' ? text + url->path_len + 1 : NULL;
	url->query_len = url->query ? strlen(url->query) : 0;
}

bool gate_url_parse(const char *text, struct gate_url *ret_url)
{
	struct gate_url url = {.is_https = strncasecmp(text, "https://", 8) == 0};
	if (!url.is_https && strncasecmp(text, "http://", 7) != 0)
		return false;
	url.host = text + (url.is_https ? 8 : 7);
	url.host_len = strcspn(url.host, "/?#");
	if (url.host_len == 0)
		return false;
	gate_url_set_path(&url, url.host + url.host_len);
	*ret_url = url;
	return true;
}

/* ---- parameters ---- */

static size_t parameter_len(const char *text, size_t len)
{
	const char *end = memchr(text, '&', len);
	return end ? (size_t)(end - text) : len;
}

static bool is_pass(const char *parameter, size_t len)
{
	size_t name = strlen(GATE_PASS_NAME);
	return len >= name && memcmp(parameter, GATE_PASS_NAME, name) == 0 &&
		   (len == name || parameter[name] == '=');
}

bool gate_url_find_pass(const struct gate_url *url, const char **ret_pass, size_t *ret_len)
{
	size_t name = strlen(GATE_PASS_NAME);
	for (size_t at = 0; url->query && at < url->query_len;) {
		size_t len = parameter_len(url->query + at, url->query_len - at);
		if (is_pass(url->query + at, len)) {
			*ret_pass = url->query + at + (len > name ? name + 1 : name);
			*ret_len = len > name ? len - name - 1 : 0;
			return true;
		}
		at += len + 1;
	}
	return false;
}

/* The query with its "?", without passes; nothing when there were only those. ret_text has room for
 * all of it. */
static char *put_query(char *end, const struct gate_url *url)
{
	char mark = '?';
	if (!url->query)
		return end;
	for (size_t at = 0; at <= url->query_len;) {
		size_t len = parameter_len(url->query + at, url->query_len - at);
		if (!is_pass(url->query + at, len)) {
			*end++ = mark;
			end = mempcpy(end, url->query + at, len);
			mark = '&';
		}
		at += len + 1;
	}
	return end;
}

/* As it was but for the pass; 0: longer than a target may be. */
static size_t print(const struct gate_url *url, bool with_origin,
					char ret_text[VISIT_TARGET_MAX_BYTES + 1])
{
	char all[2 * VISIT_TARGET_MAX_BYTES];
	if (url->host_len + url->path_len + url->query_len + sizeof("https://?") > sizeof(all))
		return 0;
	char *end = all;
	if (with_origin) {
		end = stpcpy(end, url->is_https ? "https://" : "http://");
		end = mempcpy(end, url->host, url->host_len);
	}
	end = mempcpy(end, url->path, url->path_len);
	end = put_query(end, url);
	size_t len = (size_t)(end - all);
	if (len > VISIT_TARGET_MAX_BYTES)
		return 0;
	memcpy(ret_text, all, len);
	ret_text[len] = '\0';
	return len;
}

/* ---- where people may be sent ---- */

static bool rebuild(const struct queue_settings *settings, const char *text, size_t len,
					char ret_url[VISIT_TARGET_MAX_BYTES + 1])
{
	struct target target;
	if (settings->target_count > 0)
		return queue_settings_rebuild_target(settings, text, len, ret_url, NULL) == WR_OK;
	if (target_parse(text, len, &target) || !target.has_origin)
		return false;
	target_print(&target, ret_url);
	return true;
}

bool gate_url_return(const struct queue_settings *settings, const struct gate_url *url,
					 char ret_url[VISIT_TARGET_MAX_BYTES + 1])
{
	char text[VISIT_TARGET_MAX_BYTES + 1];
	size_t len = print(url, true, text);
	return len > 0 && rebuild(settings, text, len, ret_url);
}

static bool parse_origin(const struct gate_url *url, struct target *ret_target)
{
	char text[sizeof("https://") + TARGET_HOST_CHARS + sizeof(":65535")];
	if (url->host_len + sizeof("https://") > sizeof(text))
		return false;
	char *end =
		mempcpy(stpcpy(text, url->is_https ? "https://" : "http://"), url->host, url->host_len);
	struct target target;
	if (target_parse(text, (size_t)(end - text), &target))
		return false;
	target.path = target.tail = "";
	*ret_target = target;
	return true;
}

static bool is_same_origin(const struct target *room, const struct gate_url *url)
{
	struct target site;
	return parse_origin(url, &site) && site.is_https == room->is_https && site.port == room->port &&
		   strcmp(site.host, room->host) == 0;
}

/* The text of the way back; 0: there is none that the queue would take. */
static size_t put_target(const struct queue_settings *settings, const struct target *room,
						 const struct gate_url *from, char ret_text[VISIT_TARGET_MAX_BYTES + 1])
{
	char text[VISIT_TARGET_MAX_BYTES + 1];
	bool is_path = settings->target_count == 0;
	if (is_path && !is_same_origin(room, from))
		return 0;
	size_t len = print(from, !is_path, text);
	if (len == 0 || queue_settings_rebuild_target(settings, text, len, ret_text, NULL) != WR_OK)
		return 0;
	return strlen(ret_text);
}

enum wr_err gate_room_check(const char *text, struct err_detail *ret_detail)
{
	struct target target;
	size_t len = strlen(text);
	if (len == 0)
		return WR_OK;
	const char *wrong =
		len > GATE_ROOM_BYTES ? "must be at most 256 bytes" : target_parse(text, len, &target);
	if (!wrong && (!target.has_origin || target.tail_len > 0))
		wrong = "must be an origin, and a path at most: https://shop.example/_wr";
	if (!wrong && text[len - 1] == '/')
		wrong = "must not end in a slash";
	return wrong ? err_say(ret_detail, WR_INVALID, "%s", wrong) : WR_OK;
}

bool gate_room_url(const struct queue_settings *settings, const struct queue_name *queue,
				   const char *public_url, const struct gate_url *url, const struct gate_url *from,
				   char ret_url[GATE_ROOM_URL_BYTES], bool *ret_has_target)
{
	struct target room;
	const char *text = settings->room_url[0] ? settings->room_url : public_url;
	if (text[0] ? target_parse(text, strlen(text), &room) != NULL : !parse_origin(url, &room))
		return false;
	char name[QUEUE_NAME_TEXT_BYTES], target[VISIT_TARGET_MAX_BYTES + 1];
	char *end = ret_url + target_print(&room, ret_url);
	end = stpcpy(end, "/q/");
	end = mempcpy(end, name, queue_name_print(queue, name));
	size_t len = from ? put_target(settings, &room, from, target) : 0;
	if (len > 0) {
		end = stpcpy(end, "?t=");
		end += base64url_encode(target, len, end);
	}
	*end = '\0';
	*ret_has_target = len > 0;
	return true;
}
