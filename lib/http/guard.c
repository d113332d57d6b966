/* Request guard: see include/waitingroom/guard.h for what it is for.
 *
 * One pass over the headers, no allocation. The order of the checks does not matter to the client,
 * who gets a refusal and a closed connection either way; it decides which reason is counted.
 * Each rule is stricter than the grammar of RFC 9110 and 9112 where nothing honest needs more.
 */
#include "waitingroom/guard.h"

#include "waitingroom/text.h"

#include <string.h>
#include <strings.h>

/* Headers that mean nothing certain when they come twice. */
enum single_header {
	SINGLE_CONTENT_LENGTH,
	SINGLE_TRANSFER_ENCODING,
	SINGLE_HOST,
	SINGLE_AUTHORIZATION,
	SINGLE_CONTENT_TYPE,
	SINGLE_COOKIE,
	SINGLE_IDEMPOTENCY_KEY,
	SINGLE_ORIGIN,
	SINGLE_EXPECT,
	SINGLE_COUNT
};

static const struct {
	const char *name;
	size_t len;
	enum http_refusal reason;
} singles[SINGLE_COUNT] = {
	[SINGLE_CONTENT_LENGTH] = {"content-length", 14, REFUSED_CONTENT_LENGTH},
	[SINGLE_TRANSFER_ENCODING] = {"transfer-encoding", 17, REFUSED_TRANSFER_ENCODING},
	[SINGLE_HOST] = {"host", 4, REFUSED_HOST},
	[SINGLE_AUTHORIZATION] = {"authorization", 13, REFUSED_HEADER_TWICE},
	[SINGLE_CONTENT_TYPE] = {"content-type", 12, REFUSED_HEADER_TWICE},
	[SINGLE_COOKIE] = {"cookie", 6, REFUSED_HEADER_TWICE},
	[SINGLE_IDEMPOTENCY_KEY] = {"idempotency-key", 15, REFUSED_HEADER_TWICE},
	[SINGLE_ORIGIN] = {"origin", 6, REFUSED_HEADER_TWICE},
	[SINGLE_EXPECT] = {"expect", 6, REFUSED_HEADER_TWICE},
};

struct seen_headers {
	const struct guard_header *single[SINGLE_COUNT];
};

static struct guard_verdict refuse(enum http_refusal reason, enum wr_err err)
{
	return (struct guard_verdict){.refused = true, .reason = reason, .err = err};
}

/* ---- characters ---- */

#define TOKEN 1	 /* RFC 9110 section 5.6.2 */
#define HOST 2	 /* RFC 3986 section 3.2.2, and the colon of the port */
#define TARGET 4 /* visible ASCII */
#define VALUE 8	 /* no control characters but tab */

#define ANYWHERE (TOKEN | HOST | TARGET | VALUE)
static const unsigned char classes[256] = {
	['\t'] = VALUE,
	[' '] = VALUE,
	['!'] = ANYWHERE,
	['"'] = TARGET | VALUE,
	['#'] = TOKEN | TARGET | VALUE,
	['$'] = ANYWHERE,
	['%'] = ANYWHERE,
	['&'] = ANYWHERE,
	['\''] = ANYWHERE,
	['('] = HOST | TARGET | VALUE,
	[')'] = HOST | TARGET | VALUE,
	['*'] = ANYWHERE,
	['+'] = ANYWHERE,
	[','] = HOST | TARGET | VALUE,
	['-'] = ANYWHERE,
	['.'] = ANYWHERE,
	['/'] = TARGET | VALUE,
	['0' ... '9'] = ANYWHERE,
	[':'] = HOST | TARGET | VALUE,
	[';'] = HOST | TARGET | VALUE,
	['<'] = TARGET | VALUE,
	['='] = HOST | TARGET | VALUE,
	['>'] = TARGET | VALUE,
	['?'] = TARGET | VALUE,
	['@'] = TARGET | VALUE,
	['A' ... 'Z'] = ANYWHERE,
	['['] = HOST | TARGET | VALUE,
	['\\'] = TARGET | VALUE,
	[']'] = HOST | TARGET | VALUE,
	['^'] = TOKEN | TARGET | VALUE,
	['_'] = ANYWHERE,
	['`'] = TOKEN | TARGET | VALUE,
	['a' ... 'z'] = ANYWHERE,
	['{'] = TARGET | VALUE,
	['|'] = TOKEN | TARGET | VALUE,
	['}'] = TARGET | VALUE,
	['~'] = ANYWHERE,
	[0x80 ... 0xff] = VALUE,
};

static bool all_in_class(const char *text, size_t len, unsigned char wanted)
{
	unsigned char common = wanted;
	for (size_t i = 0; i < len; i++)
		common &= classes[(unsigned char)text[i]];
	return common == wanted;
}

#define BYTES(b) (UINT64_C(0x0101010101010101) * (b))

/* The class VALUE, eight bytes at a time: tokens and cookies make values long. A word with a byte
 * below the space or with a DEL is looked at byte by byte (it may be a tab). */
static bool all_in_value_class(const char *text, size_t len)
{
	size_t at = 0;
	for (; at + 8 <= len; at += 8) {
		uint64_t word;
		memcpy(&word, text + at, sizeof(word));
		uint64_t del = word ^ BYTES(0x7F);
		uint64_t suspect = ((word - BYTES(0x20)) & ~word) | ((del - BYTES(1)) & ~del);
		if (suspect & BYTES(0x80) && !all_in_class(text + at, 8, VALUE))
			return false;
	}
	return all_in_class(text + at, len - at, VALUE);
}

static size_t value_len(const struct guard_header *header)
{
	return header->value ? header->value_len : 0;
}

/* ---- the parts ---- */

static bool is_plain_target(const char *target, size_t len, const char *method)
{
	if (!len || !all_in_class(target, len, TARGET))
		return false;
	for (size_t i = 0; i + 2 < len; i++) { /* would end the path for whoever decodes it */
		if (target[i] == '%' && target[i + 1] == '0' && target[i + 2] == '0')
			return false;
	}
	return target[0] == '/' || (len == 1 && target[0] == '*' && !strcmp(method, "OPTIONS"));
}

/* Host: something in front of an optional port of digits. */
static bool is_plausible_host(const char *host, size_t len)
{
	if (!len || !all_in_class(host, len, HOST))
		return false;
	size_t port = len;
	while (port > 0 && host[port - 1] >= '0' && host[port - 1] <= '9')
		port--;
	if (port > 0 && host[port - 1] == ':') /* with a port, or an empty one */
		len = port - 1;
	if (!len)
		return false;
	bool is_literal = host[0] == '[' && host[len - 1] == ']';
	return is_literal || (!memchr(host, ':', len) && !memchr(host, '[', len));
}

/* The name is a token: setting the bit of lower case cannot turn anything else into these names. */
static bool is_named(const struct guard_header *header, const char *lower_case)
{
	unsigned char differ = 0;
	for (size_t i = 0; i < header->name_len; i++)
		differ |= (unsigned char)((header->name[i] | 0x20) ^ lower_case[i]);
	return !differ;
}

static int single_of(const struct guard_header *header)
{
	for (int i = 0; i < SINGLE_COUNT; i++) {
		if (singles[i].len == header->name_len && is_named(header, singles[i].name))
			return i;
	}
	return -1;
}

static struct guard_verdict check_headers(const struct guard_request *request,
										  struct seen_headers *ret_seen)
{
	for (size_t i = 0; i < request->header_count; i++) {
		const struct guard_header *header = &request->headers[i];
		if (!header->name_len || !all_in_class(header->name, header->name_len, TOKEN))
			return refuse(REFUSED_HEADER_NAME, WR_MALFORMED);
		if (!all_in_value_class(header->value, value_len(header)))
			return refuse(REFUSED_HEADER_VALUE, WR_MALFORMED);
		int single = single_of(header);
		if (single < 0)
			continue;
		if (ret_seen->single[single])
			return refuse(singles[single].reason, WR_MALFORMED);
		ret_seen->single[single] = header;
	}
	return (struct guard_verdict){.refused = false};
}

/* No request of ours needs a transfer coding. A proxy that streams gets told what to do instead. */
static struct guard_verdict check_transfer_encoding(const struct guard_request *request,
													const struct seen_headers *seen)
{
	const struct guard_header *header = seen->single[SINGLE_TRANSFER_ENCODING];
	bool is_streamed_body = value_len(header) == 7 && !strncasecmp(header->value, "chunked", 7) &&
							!seen->single[SINGLE_CONTENT_LENGTH] &&
							!strcmp(request->version, "HTTP/1.1");
	return refuse(REFUSED_TRANSFER_ENCODING, is_streamed_body ? WR_LENGTH_REQUIRED : WR_MALFORMED);
}

/* With GET few addresses take one (chain.c); elsewhere it is read and then refused. */
static bool takes_body(enum http_method method)
{
	return method == HTTP_POST || method == HTTP_PUT || method == HTTP_PATCH || method == HTTP_GET;
}

static struct guard_verdict check_body(const struct guard_request *request,
									   const struct seen_headers *seen, enum http_method method)
{
	struct guard_verdict fine = {.method = method};
	const struct guard_header *header = seen->single[SINGLE_CONTENT_LENGTH];
	if (!header)
		return fine;
	if (!text_to_u64(header->value, value_len(header), UINT64_MAX, &fine.body_bytes))
		return refuse(REFUSED_CONTENT_LENGTH, WR_MALFORMED);
	if (fine.body_bytes && !takes_body(method))
		return refuse(REFUSED_BODY, WR_MALFORMED);
	if (fine.body_bytes > request->body_max_bytes)
		return refuse(REFUSED_BODY, WR_BODY_TOO_LARGE);
	return fine;
}

struct guard_verdict guard_check(const struct guard_request *request)
{
	bool is_1_1 = !strcmp(request->version, "HTTP/1.1");
	if (!is_1_1 && strcmp(request->version, "HTTP/1.0"))
		return refuse(REFUSED_VERSION, WR_MALFORMED);
	if (!is_plain_target(request->target, request->target_len, request->method))
		return refuse(REFUSED_TARGET, WR_MALFORMED);
	if (request->header_count > request->headers_max)
		return refuse(REFUSED_HEADER_COUNT, WR_MALFORMED);
	struct seen_headers seen = {0};
	struct guard_verdict verdict = check_headers(request, &seen);
	if (verdict.refused)
		return verdict;
	if (seen.single[SINGLE_TRANSFER_ENCODING])
		return check_transfer_encoding(request, &seen);
	const struct guard_header *host = seen.single[SINGLE_HOST];
	if (host ? !is_plausible_host(host->value, value_len(host)) : is_1_1)
		return refuse(REFUSED_HOST, WR_MALFORMED);
	enum http_method method;
	if (!http_method_parse(request->method, &method)) {
		bool is_method = all_in_class(request->method, strlen(request->method), TOKEN);
		return refuse(REFUSED_METHOD, is_method ? WR_BAD_METHOD : WR_MALFORMED);
	}
	return check_body(request, &seen, method);
}
