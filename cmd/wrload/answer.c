/* What the API answered: one pass over a JSON object, looking only for members that matter.
 *
 * The crowd reads tens of thousands of answers a second and needs a dozen members of each, so they
 * are picked out in place: strings are slices of the body, nothing is copied or allocated. The
 * scanner walks the members of the outermost object, hands each to 'take_member', and steps over
 * nested values by counting brackets. It is no validator (the contract tests are); it only has to
 * be safe with any bytes and right with the API's. Escapes are not undone: ids, tokens and code
 * words have none.
 */
#include "answer.h"

#include "waitingroom/text.h"

#include <string.h>

#define WORD(name, word) word,
static const char *const status_words[] = {ANSWER_STATUS_TABLE(WORD)};
static const char *const code_words[] = {ANSWER_CODE_TABLE(WORD)};
#undef WORD

const char *answer_status_word(enum answer_status status)
{
	return status_words[status];
}

const char *answer_code_word(enum answer_code code)
{
	return code_words[code];
}

/* ---- the scanner ---- */

struct scanner {
	const char *at, *end;
};

static void skip_space(struct scanner *scanner)
{
	while (scanner->at < scanner->end && strchr(" \t\r\n", *scanner->at) && *scanner->at)
		scanner->at++;
}

static bool take_char(struct scanner *scanner, char wanted)
{
	skip_space(scanner);
	if (scanner->at == scanner->end || *scanner->at != wanted)
		return false;
	scanner->at++;
	return true;
}

/* The inside of a string; the scanner stands on its opening quote. */
static bool take_string(struct scanner *scanner, struct slice *ret_text)
{
	if (!take_char(scanner, '"'))
		return false;
	const char *start = scanner->at;
	for (; scanner->at < scanner->end; scanner->at++) {
		if (*scanner->at == '"') {
			*ret_text = (struct slice){start, (size_t)(scanner->at++ - start)};
			return true;
		}
		if (*scanner->at == '\\' && ++scanner->at == scanner->end)
			return false;
	}
	return false;
}

/* An object or array with everything in it; the scanner stands on its opening bracket. */
static bool skip_nested(struct scanner *scanner)
{
	int depth = 0;
	struct slice ignored;
	while (scanner->at < scanner->end) {
		char c = *scanner->at;
		if (c == '"') {
			if (!take_string(scanner, &ignored))
				return false;
			continue;
		}
		scanner->at++;
		if (c == '{' || c == '[')
			depth++;
		if ((c == '}' || c == ']') && --depth == 0)
			return true;
	}
	return false;
}

enum value_kind { VALUE_STRING, VALUE_NESTED, VALUE_LITERAL };

/* Any value; strings without their quotes, literals (numbers, true, false, null) as written. */
static bool take_value(struct scanner *scanner, enum value_kind *ret_kind, struct slice *ret_text)
{
	skip_space(scanner);
	if (scanner->at == scanner->end)
		return false;
	const char *start = scanner->at;
	if (*start == '"') {
		*ret_kind = VALUE_STRING;
		return take_string(scanner, ret_text);
	}
	if (*start == '{' || *start == '[') {
		*ret_kind = VALUE_NESTED;
		*ret_text = (struct slice){start, 0};
		return skip_nested(scanner);
	}
	while (scanner->at < scanner->end && !strchr(",}] \t\r\n", *scanner->at))
		scanner->at++;
	*ret_kind = VALUE_LITERAL;
	*ret_text = (struct slice){start, (size_t)(scanner->at - start)};
	return ret_text->len > 0;
}

typedef bool (*member_fn)(void *ctx, struct slice key, enum value_kind kind, struct slice value);

static bool scan_object(const char *text, size_t len, member_fn fn, void *ctx)
{
	struct scanner scanner = {text, text + len};
	if (!take_char(&scanner, '{'))
		return false;
	if (take_char(&scanner, '}'))
		return true;
	do {
		struct slice key, value;
		enum value_kind kind;
		skip_space(&scanner);
		if (!take_string(&scanner, &key) || !take_char(&scanner, ':') ||
			!take_value(&scanner, &kind, &value) || !fn(ctx, key, kind, value))
			return false;
	} while (take_char(&scanner, ','));
	return take_char(&scanner, '}');
}

/* ---- the place object and the problem document ---- */

static bool is_word(struct slice text, const char *word)
{
	return text.len == strlen(word) && !memcmp(text.text, word, text.len);
}

static bool take_number(enum value_kind kind, struct slice value, int64_t *ret_number)
{
	if (kind == VALUE_LITERAL && is_word(value, "null"))
		return true; /* stays "not given" */
	return kind == VALUE_LITERAL &&
		   text_to_i64(value.text, value.len, INT64_MIN, INT64_MAX, ret_number);
}

static enum answer_status status_of(struct slice word)
{
	for (int i = 1; i < ANSWER_STATUS_COUNT; i++) {
		if (is_word(word, status_words[i]))
			return (enum answer_status)i;
	}
	return ANSWER_NONE;
}

static enum answer_code code_of(struct slice word)
{
	for (int i = 1; i < ANSWER_CODE_COUNT; i++) {
		if (is_word(word, code_words[i]))
			return (enum answer_code)i;
	}
	return CODE_OTHER;
}

static bool take_string_member(struct answer *answer, struct slice key, struct slice value)
{
	if (is_word(key, "position_id"))
		answer->position_id = value;
	else if (is_word(key, "token"))
		answer->token = value;
	else if (is_word(key, "session_token"))
		answer->session_token = value;
	else if (is_word(key, "code"))
		answer->code = code_of(value);
	else if (is_word(key, "status"))
		answer->status = status_of(value);
	return true;
}

static bool take_member(void *ctx, struct slice key, enum value_kind kind, struct slice value)
{
	struct answer *answer = ctx;
	if (kind == VALUE_STRING)
		return take_string_member(answer, key, value);
	if (is_word(key, "position"))
		return take_number(kind, value, &answer->position);
	if (is_word(key, "poll_after_ms"))
		return take_number(kind, value, &answer->poll_after_ms);
	if (is_word(key, "hold_ms"))
		return take_number(kind, value, &answer->hold_ms);
	if (is_word(key, "as_of_ms"))
		return take_number(kind, value, &answer->as_of_ms);
	if (is_word(key, "stale"))
		answer->stale = is_word(value, "true");
	return true;
}

bool answer_read(int http, const char *body, size_t len, struct answer *ret_answer)
{
	const struct answer nothing = {
		.http = http, .position = -1, .poll_after_ms = -1, .hold_ms = -1, .as_of_ms = -1};
	*ret_answer = nothing;
	if (scan_object(body, len, take_member, ret_answer))
		return true;
	*ret_answer = nothing;
	return false;
}

/* ---- session tokens ---- */

static uint64_t hash_of(struct slice text)
{
	uint64_t hash = 0xcbf29ce484222325; /* FNV-1a */
	for (size_t i = 0; i < text.len; i++)
		hash = (hash ^ (unsigned char)text.text[i]) * 0x100000001b3;
	return hash;
}

static bool take_claim(void *ctx, struct slice key, enum value_kind kind, struct slice value)
{
	struct session_facts *facts = ctx;
	if (is_word(key, "sub") && kind == VALUE_STRING)
		facts->subject_hash = hash_of(value);
	if (is_word(key, "exp"))
		return take_number(kind, value, &facts->expires_s);
	return true;
}

struct session_facts session_facts_read(struct slice session_token)
{
	struct session_facts facts = {.subject_hash = hash_of(session_token)};
	const char *end = session_token.text + session_token.len;
	const char *dot = memchr(session_token.text, '.', session_token.len);
	const char *second = dot ? memchr(dot + 1, '.', (size_t)(end - dot - 1)) : NULL;
	char claims[1024];
	size_t len;
	struct session_facts told = facts;
	if (second &&
		base64url_decode(dot + 1, (size_t)(second - dot - 1), claims, sizeof(claims), &len) &&
		scan_object(claims, len, take_claim, &told))
		facts = told;
	return facts;
}
