/* Admin version: conditional changes, so that two operators do not undo each other's work.
 *
 * Read, change, and send back with If-Match: "<version>": when somebody was faster the answer is
 * 412 and nothing is changed. If-None-Match: * makes a queue only where there is none. The
 * conditions are held against what was read; that nothing changes between this and the put is the
 * script's care.
 */
#include "admin_version.h"

#include <stdio.h>
#include <string.h>

#include "waitingroom/text.h"

void version_etag(uint64_t version, char ret_etag[VERSION_ETAG_BYTES])
{
	snprintf(ret_etag, VERSION_ETAG_BYTES, "\"%llu\"", (unsigned long long)version);
}

static const char *skip_spaces(const char *at)
{
	return at + strspn(at, " \t");
}

/* One tag; gives what follows it, or NULL. */
static const char *read_tag(const char *at, bool *ret_weak, const char **ret_text, size_t *ret_len)
{
	*ret_weak = strncmp(at, "W/", 2) == 0;
	at += *ret_weak ? 2 : 0;
	bool quoted = *at == '"';
	if (!quoted && *ret_weak)
		return NULL;
	*ret_text = at + quoted;
	*ret_len = quoted ? strcspn(*ret_text, "\"") : strspn(*ret_text, "0123456789");
	const char *end = *ret_text + *ret_len;
	if (quoted ? *end != '"' : *ret_len == 0)
		return NULL;
	return end + quoted;
}

bool version_is_named(const char *header, bool exists, uint64_t version, bool strong,
					  bool *ret_named)
{
	const char *at = skip_spaces(header);
	*ret_named = false;
	if (*at == '*') {
		*ret_named = exists;
		return *skip_spaces(at + 1) == '\0';
	}
	for (;;) {
		bool weak;
		const char *text;
		size_t len;
		uint64_t tag;
		at = read_tag(at, &weak, &text, &len);
		if (at == NULL)
			return false;
		if (exists && !(weak && strong) && text_to_u64(text, len, UINT64_MAX, &tag) &&
			tag == version)
			*ret_named = true;
		at = skip_spaces(at);
		if (*at == '\0')
			return true;
		if (*at != ',')
			return false;
		at = skip_spaces(at + 1);
	}
}

static enum wr_err say_mismatch(bool exists, uint64_t version, struct err_detail *ret_detail)
{
	if (!exists)
		return err_say(ret_detail, WR_VERSION_MISMATCH, "There is no such queue.");
	return err_say(ret_detail, WR_VERSION_MISMATCH,
				   "The queue is at version %llu; read it again and change that.",
				   (unsigned long long)version);
}

enum wr_err version_check(const struct http_request *request, bool exists, uint64_t version,
						  struct err_detail *ret_detail)
{
	const char *match = http_request_header(request, "If-Match");
	const char *none_match = http_request_header(request, "If-None-Match");
	bool named = true;
	if (match != NULL && !version_is_named(match, exists, version, true, &named))
		return err_say(ret_detail, WR_INVALID, "If-Match: must be a version, for example \"7\"");
	if (!named)
		return say_mismatch(exists, version, ret_detail);
	named = false;
	if (none_match != NULL && !version_is_named(none_match, exists, version, false, &named))
		return err_say(ret_detail, WR_INVALID,
					   "If-None-Match: must be * or a version, for example \"7\"");
	return named ? say_mismatch(exists, version, ret_detail) : WR_OK;
}
