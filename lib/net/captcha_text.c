/* Captcha providers: their questions and answers as text.
 *
 *     Turnstile, hCaptcha   200 {"success":true|false,"error-codes":["…"],…}
 *     Friendly Captcha v2   200 {"success":true,…}
 *                           400, 401 {"success":false,"error":{"error_code":"…"}}
 *
 * An answer that does not say clearly that the visitor passed or failed is no answer: a provider in
 * trouble must not keep people out, and its silence must not let them in.
 */
#include "captcha_text.h"

#include <stdio.h>
#include <string.h>

#include "waitingroom/json_in.h"
#include "waitingroom/memory.h"
#include "waitingroom/text.h"

#define BODY_ROOM (3 * (CAPTCHA_RESPONSE_MAX_BYTES + 1024))

#define PROVIDER_WORD(name, word, url) word,
const char *captcha_provider_word(enum captcha_provider provider)
{
	static const char *const words[] = {CAPTCHA_PROVIDER_TABLE(PROVIDER_WORD)};
	return words[provider];
}
#undef PROVIDER_WORD

const char *captcha_verdict_word(enum captcha_verdict verdict)
{
	static const char *const words[] = {
		[CAPTCHA_ACCEPTED] = "accepted",   [CAPTCHA_REFUSED] = "refused",
		[CAPTCHA_DUPLICATE] = "duplicate", [CAPTCHA_AWAY] = "away",
		[CAPTCHA_MISUSED] = "misused",
	};
	return words[verdict];
}

bool captcha_response_is_fine(const char *response)
{
	size_t len = strlen(response);
	for (size_t i = 0; i < len; i++)
		if (response[i] <= ' ' || response[i] > '~')
			return false;
	return len > 0 && len <= CAPTCHA_RESPONSE_MAX_BYTES;
}

/* ---- questions ---- */

/* application/x-www-form-urlencoded; the room is for three characters each. */
static size_t put_field(char *out, size_t len, const char *name, const char *value)
{
	static const char hex[] = "0123456789ABCDEF";
	len += (size_t)sprintf(out + len, "%s%s=", len > 0 ? "&" : "", name);
	for (const unsigned char *at = (const unsigned char *)value; *at != '\0'; at++) {
		if ((*at >= '0' && *at <= '9') || (*at >= 'A' && *at <= 'Z') ||
			(*at >= 'a' && *at <= 'z') || strchr("-._~", *at) != NULL) {
			out[len++] = (char)*at;
			continue;
		}
		out[len++] = '%';
		out[len++] = hex[*at >> 4];
		out[len++] = hex[*at & 15];
	}
	out[len] = '\0';
	return len;
}

char *captcha_body(const struct captcha_question *question)
{
	char *body = mem_alloc_zero(1, BODY_ROOM);
	if (question->provider == CAPTCHA_FRIENDLY) {
		struct json_out out;
		json_out_init(&out, body, BODY_ROOM - 1);
		json_out_object(&out, NULL);
		json_out_string(&out, "response", question->response);
		json_out_string(&out, "sitekey", question->site_key);
		json_out_object_end(&out);
		return body;
	}
	size_t len = put_field(body, 0, "secret", question->secret);
	len = put_field(body, len, "response", question->response);
	if (question->provider == CAPTCHA_HCAPTCHA)
		put_field(body, len, "sitekey", question->site_key);
	return body;
}

/* ---- answers ---- */

/* Parts of the providers' error codes, and what they mean to us. The first that fits counts. */
static const struct {
	const char *part;
	enum captcha_verdict verdict;
} codes[] = {
	{"duplicate", CAPTCHA_DUPLICATE},	 /* Turnstile timeout-or-duplicate, Friendly */
	{"already-seen", CAPTCHA_DUPLICATE}, /* hCaptcha */
	{"secret", CAPTCHA_MISUSED},		 /* missing-input-secret, sitekey-secret-mismatch */
	{"auth_", CAPTCHA_MISUSED},			 /* Friendly auth_required, auth_invalid */
	{"sitekey", CAPTCHA_MISUSED},		 /* Friendly sitekey_invalid */
	{"internal", CAPTCHA_AWAY},			 /* Turnstile internal-error */
	{"bad-request", CAPTCHA_AWAY},		 {"bad_request", CAPTCHA_AWAY},
};

static enum captcha_verdict meaning(const struct json_value *code, enum captcha_verdict before)
{
	const char *text;
	if (code == NULL || !json_string(code, &text))
		return before;
	for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++)
		if (strstr(text, codes[i].part) != NULL)
			return codes[i].verdict;
	return before;
}

static enum captcha_verdict why_not(const struct json_value *answer)
{
	const struct json_value *list = json_member(answer, "error-codes");
	const struct json_value *error = json_member(answer, "error");
	if (error != NULL && json_is_object(error))
		return meaning(json_member(error, "error_code"), CAPTCHA_REFUSED);
	enum captcha_verdict verdict = CAPTCHA_REFUSED;
	for (size_t i = 0; list != NULL && json_is_array(list) && i < json_count(list); i++)
		verdict = meaning(json_at(list, i), verdict);
	return verdict;
}

/* Turnstile hands back what the widget was given; the page gives it our challenge. */
static bool is_bound_elsewhere(const struct json_value *answer, const char *challenge)
{
	const char *bound;
	const struct json_value *member = json_member(answer, "cdata");
	return member != NULL && json_string(member, &bound) && bound[0] != '\0' &&
		   strcmp(bound, challenge) != 0;
}

enum captcha_verdict captcha_read(enum captcha_provider provider, long status, const char *body,
								  size_t len, const char *challenge)
{
	bool success;
	WR_AUTO(json_free_at) struct json_value *answer = NULL;
	bool may_mean =
		status == 200 || (provider == CAPTCHA_FRIENDLY && (status == 400 || status == 401));
	if (!may_mean || json_parse(body, len, &answer, NULL) != WR_OK || !json_is_object(answer))
		return CAPTCHA_AWAY;
	const struct json_value *member = json_member(answer, "success");
	if (member == NULL || !json_bool(member, &success))
		return CAPTCHA_AWAY;
	if (!success)
		return why_not(answer);
	if (status != 200)
		return CAPTCHA_AWAY;
	return is_bound_elsewhere(answer, challenge) ? CAPTCHA_REFUSED : CAPTCHA_ACCEPTED;
}
