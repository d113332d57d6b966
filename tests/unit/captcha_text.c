/* What captcha providers are asked, and what their answers mean; shapes from their
 * documentation. */
#include "lib/net/captcha_text.h"
#include "support/cmocka.h"
#include "waitingroom/memory.h"

#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static void questions_are_in_the_provider_s_form(void **state)
{
	(void)state;
	struct captcha_question question = {.provider = CAPTCHA_TURNSTILE,
										.secret = "s&e=c",
										.site_key = "k/1",
										.response = "a+b.c_~ \xc3\xab",
										.challenge = "c"};
	WR_AUTO(mem_free_at) char *turnstile = captcha_body(&question);
	assert_string_equal(turnstile, "secret=s%26e%3Dc&response=a%2Bb.c_~%20%C3%AB");
	question.provider = CAPTCHA_HCAPTCHA;
	WR_AUTO(mem_free_at) char *hcaptcha = captcha_body(&question);
	assert_string_equal(hcaptcha, "secret=s%26e%3Dc&response=a%2Bb.c_~%20%C3%AB&sitekey=k%2F1");
	question.provider = CAPTCHA_FRIENDLY;
	question.response = "a\"b";
	WR_AUTO(mem_free_at) char *friendly = captcha_body(&question);
	assert_string_equal(friendly, "{\"response\":\"a\\\"b\",\"sitekey\":\"k/1\"}");
}

static void the_longest_question_fits(void **state)
{
	(void)state;
	char response[CAPTCHA_RESPONSE_MAX_BYTES + 1], key[257];
	memset(response, '+', sizeof(response) - 1);
	response[sizeof(response) - 1] = '\0';
	memset(key, '+', sizeof(key) - 1);
	key[sizeof(key) - 1] = '\0';
	for (unsigned provider = 0; provider < CAPTCHA_PROVIDERS; provider++) {
		struct captcha_question question = {
			(enum captcha_provider)provider, key, key, response, "c", NULL};
		WR_AUTO(mem_free_at) char *body = captcha_body(&question);
		assert_true(strlen(body) > sizeof(response));
		assert_true(body[strlen(body) - 1] == (provider == CAPTCHA_FRIENDLY ? '}' : 'B'));
	}
}

static void a_response_is_visible_ascii(void **state)
{
	(void)state;
	char text[CAPTCHA_RESPONSE_MAX_BYTES + 2];
	memset(text, 'x', sizeof(text));
	text[CAPTCHA_RESPONSE_MAX_BYTES + 1] = '\0';
	assert_false(captcha_response_is_fine(text));
	text[CAPTCHA_RESPONSE_MAX_BYTES] = '\0';
	assert_true(captcha_response_is_fine(text));
	assert_false(captcha_response_is_fine(""));
	assert_false(captcha_response_is_fine("a b"));
	assert_false(captcha_response_is_fine("a\nb"));
	assert_false(captcha_response_is_fine("\xc3\xab"));
}

static const struct {
	enum captcha_provider provider;
	long status;
	const char *body;
	enum captcha_verdict verdict;
} answers[] = {
	{CAPTCHA_TURNSTILE, 200,
	 "{\"success\":true,\"challenge_ts\":\"2022-02-28T15:14:30.096Z\",\"hostname\":\"example.com\","
	 "\"error-codes\":[],\"action\":\"login\",\"cdata\":\"\",\"metadata\":{\"x\":\"y\"}}",
	 CAPTCHA_ACCEPTED},
	{CAPTCHA_TURNSTILE, 200, "{\"success\":true,\"cdata\":\"our challenge\"}", CAPTCHA_ACCEPTED},
	{CAPTCHA_TURNSTILE, 200, "{\"success\":true,\"cdata\":\"another\"}", CAPTCHA_REFUSED},
	{CAPTCHA_TURNSTILE, 200, "{\"success\":false,\"error-codes\":[\"invalid-input-response\"]}",
	 CAPTCHA_REFUSED},
	{CAPTCHA_TURNSTILE, 200, "{\"success\":false,\"error-codes\":[\"timeout-or-duplicate\"]}",
	 CAPTCHA_DUPLICATE},
	{CAPTCHA_TURNSTILE, 200, "{\"success\":false,\"error-codes\":[\"invalid-input-secret\"]}",
	 CAPTCHA_MISUSED},
	{CAPTCHA_TURNSTILE, 200, "{\"success\":false,\"error-codes\":[\"internal-error\"]}",
	 CAPTCHA_AWAY},
	{CAPTCHA_TURNSTILE, 200, "{\"success\":false}", CAPTCHA_REFUSED},
	{CAPTCHA_HCAPTCHA, 200, "{\"success\":true,\"hostname\":\"x\",\"score\":0.1}",
	 CAPTCHA_ACCEPTED},
	{CAPTCHA_HCAPTCHA, 200,
	 "{\"success\":false,\"error-codes\":[\"invalid-or-already-seen-response\"]}",
	 CAPTCHA_DUPLICATE},
	{CAPTCHA_HCAPTCHA, 200, "{\"success\":false,\"error-codes\":[\"sitekey-secret-mismatch\"]}",
	 CAPTCHA_MISUSED},
	{CAPTCHA_HCAPTCHA, 200, "{\"success\":false,\"error-codes\":[\"expired-input-response\"]}",
	 CAPTCHA_REFUSED},
	{CAPTCHA_FRIENDLY, 200,
	 "{\"success\":true,\"data\":{\"challenge\":{\"timestamp\":\"x\",\"origin\":\"y\"}}}",
	 CAPTCHA_ACCEPTED},
	{CAPTCHA_FRIENDLY, 200,
	 "{\"success\":false,\"error\":{\"error_code\":\"response_invalid\",\"detail\":\"x\"}}",
	 CAPTCHA_REFUSED},
	{CAPTCHA_FRIENDLY, 200, "{\"success\":false,\"error\":{\"error_code\":\"response_duplicate\"}}",
	 CAPTCHA_DUPLICATE},
	{CAPTCHA_FRIENDLY, 401, "{\"success\":false,\"error\":{\"error_code\":\"auth_invalid\"}}",
	 CAPTCHA_MISUSED},
	{CAPTCHA_FRIENDLY, 400, "{\"success\":false,\"error\":{\"error_code\":\"sitekey_invalid\"}}",
	 CAPTCHA_MISUSED},
	{CAPTCHA_FRIENDLY, 400, "{\"success\":true}", CAPTCHA_AWAY},
	/* nothing that means anything */
	{CAPTCHA_TURNSTILE, 0, "", CAPTCHA_AWAY},
	{CAPTCHA_TURNSTILE, 200, "", CAPTCHA_AWAY},
	{CAPTCHA_TURNSTILE, 200, "<html>Welcome</html>", CAPTCHA_AWAY},
	{CAPTCHA_TURNSTILE, 200, "true", CAPTCHA_AWAY},
	{CAPTCHA_TURNSTILE, 200, "[true]", CAPTCHA_AWAY},
	{CAPTCHA_TURNSTILE, 200, "{}", CAPTCHA_AWAY},
	{CAPTCHA_TURNSTILE, 200, "{\"success\":\"true\"}", CAPTCHA_AWAY},
	{CAPTCHA_TURNSTILE, 200, "{\"success\":1}", CAPTCHA_AWAY},
	{CAPTCHA_TURNSTILE, 200, "{\"success\":true,\"success\":true}", CAPTCHA_AWAY},
	{CAPTCHA_TURNSTILE, 200, "{\"success\":true", CAPTCHA_AWAY},
	{CAPTCHA_TURNSTILE, 500, "{\"success\":true}", CAPTCHA_AWAY},
	{CAPTCHA_TURNSTILE, 302, "{\"success\":true}", CAPTCHA_AWAY},
	{CAPTCHA_TURNSTILE, 429, "{\"success\":false}", CAPTCHA_AWAY},
	{CAPTCHA_TURNSTILE, 400, "{\"success\":false}", CAPTCHA_AWAY},
};

static void answers_mean_what_the_provider_says_or_nothing(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(answers); i++) {
		enum captcha_verdict verdict =
			captcha_read(answers[i].provider, answers[i].status, answers[i].body,
						 strlen(answers[i].body), "our challenge");
		if (verdict != answers[i].verdict)
			fail_msg("%ld %s is %s", answers[i].status, answers[i].body,
					 captcha_verdict_word(verdict));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(questions_are_in_the_provider_s_form),
		cmocka_unit_test(the_longest_question_fits),
		cmocka_unit_test(a_response_is_visible_ascii),
		cmocka_unit_test(answers_mean_what_the_provider_says_or_nothing),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
