/* Passes: from a session to a pass in a URL and back, and what must not be taken for one.
 *
 * A pass is signed with the same key as a session, so that the two are never taken for each other
 * hangs on the header alone; hence most of the refusals (RFC 8725 sections 3.9 to 3.12).
 */
#include "support/cmocka.h"
#include "support/es256_hand.h"
#include "support/shared_signer.h"

#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define NOW_S INT64_C(1893453000)

static const struct wall_time now = {.ms = NOW_S * 1000 + 250};

static const struct session_claims session = {
	.queue = {"acme", "demo"},
	.position_id = "abcdefghijklmnop",
	.epoch = "0123456789A",
	.lane = "vip",
	.ticket = 42,
	.binding = "AAAAAAAAAAE",
	.renewal = true,
	.issued_s = NOW_S - 600,
	.expires_s = NOW_S + 3000,
};

struct text {
	char bytes[2 * TOKEN_MAX_BYTES];
	size_t len;
};

static enum wr_err verify_at(const struct text *text, int64_t now_ms, struct pass_claims *ret_pass)
{
	return pass_token_verify(signer, text->bytes, text->len, (struct wall_time){.ms = now_ms},
							 ret_pass);
}

static enum wr_err verify(const struct text *text)
{
	struct pass_claims pass;
	return verify_at(text, now.ms, &pass);
}

static enum wr_err verify_as_session(const struct text *text)
{
	struct session_claims claims;
	return session_token_verify(signer, text->bytes, text->len, now, &claims);
}

static struct text pass_for(const struct session_claims *claims)
{
	struct pass_claims pass;
	struct text text;
	pass_for_session(claims, now, &pass);
	assert_int_equal(pass_token_print(signer, &pass, text.bytes, &text.len), WR_OK);
	return text;
}

static struct text session_text(void)
{
	struct text text;
	assert_int_equal(session_token_print(signer, &session, text.bytes, &text.len), WR_OK);
	return text;
}

static void assert_same_session(const struct session_claims *a, const struct session_claims *b)
{
	assert_true(queue_name_equal(&a->queue, &b->queue));
	assert_string_equal(a->position_id, b->position_id);
	assert_string_equal(a->epoch, b->epoch);
	assert_string_equal(a->lane, b->lane);
	assert_int_equal(a->ticket, b->ticket);
	assert_string_equal(a->binding, b->binding);
	assert_int_equal(a->renewal, b->renewal);
	assert_int_equal(a->expires_s, b->expires_s);
}

static void a_pass_carries_all_that_its_session_needs(void **state)
{
	(void)state;
	struct session_claims plain = session, back;
	plain.lane[0] = plain.binding[0] = '\0';
	plain.ticket = 0;
	plain.renewal = false;
	const struct session_claims *claims[] = {&session, &plain};
	for (size_t i = 0; i < COUNT(claims); i++) {
		struct text text = pass_for(claims[i]);
		struct pass_claims pass;
		assert_int_equal(verify_at(&text, now.ms, &pass), WR_OK);
		session_from_pass(&pass, now, &back);
		assert_same_session(&back, claims[i]);
		assert_int_equal(back.issued_s, NOW_S);
	}
}

static void each_pass_has_a_name_of_its_own(void **state)
{
	(void)state;
	struct pass_claims one, other;
	pass_for_session(&session, now, &one);
	pass_for_session(&session, now, &other);
	assert_string_not_equal(one.pass_id, other.pass_id);
	assert_true(position_id_is_valid(one.pass_id, strlen(one.pass_id)));
}

static void a_pass_is_good_for_two_minutes_and_half_a_minute_of_leeway(void **state)
{
	(void)state;
	struct text text = pass_for(&session);
	struct pass_claims pass;
	int64_t end_ms = (NOW_S + 120 + TOKEN_LEEWAY_S) * 1000;
	assert_int_equal(verify_at(&text, (NOW_S - TOKEN_AHEAD_MAX_S) * 1000 - 1, &pass), WR_BAD_TOKEN);
	assert_int_equal(verify_at(&text, (NOW_S - TOKEN_AHEAD_MAX_S) * 1000, &pass), WR_OK);
	assert_int_equal(verify_at(&text, end_ms - 1, &pass), WR_OK);
	assert_int_equal(verify_at(&text, end_ms, &pass), WR_TOKEN_EXPIRED);
}

static void a_pass_with_a_longer_life_is_not_printed(void **state)
{
	(void)state;
	struct pass_claims pass;
	struct text text;
	pass_for_session(&session, now, &pass);
	pass.expires_s++;
	assert_int_equal(pass_token_print(signer, &pass, text.bytes, &text.len), WR_BUG);
}

static void a_pass_is_never_a_session_nor_the_reverse(void **state)
{
	(void)state;
	struct text pass = pass_for(&session), session_token = session_text();
	struct position_claims place;
	assert_int_equal(verify(&pass), WR_OK);
	assert_int_equal(verify_as_session(&session_token), WR_OK);
	assert_int_equal(verify_as_session(&pass), WR_BAD_TOKEN);
	assert_int_equal(verify(&session_token), WR_BAD_TOKEN);
	assert_int_equal(position_token_verify(signer, pass.bytes, pass.len, now, &place),
					 WR_BAD_TOKEN);
}

static void parts_of_a_pass_and_a_session_do_not_make_a_token(void **state)
{
	(void)state;
	const struct text sources[2] = {pass_for(&session), session_text()};
	for (unsigned choice = 1; choice < 7; choice++) { /* 0 and 7 are the two themselves */
		struct text mixed = {.len = 0};
		for (unsigned part = 0; part < 3; part++) {
			const char *start = sources[choice >> part & 1].bytes;
			for (unsigned i = 0; i < part; i++)
				start = strchr(start, '.') + 1;
			if (part)
				mixed.bytes[mixed.len++] = '.';
			memcpy(mixed.bytes + mixed.len, start, strcspn(start, "."));
			mixed.len += strcspn(start, ".");
		}
		assert_int_equal(verify(&mixed), WR_BAD_TOKEN);
		assert_int_equal(verify_as_session(&mixed), WR_BAD_TOKEN);
	}
}

static void a_pass_with_any_character_changed_is_refused(void **state)
{
	(void)state;
	struct text good = pass_for(&session);
	for (size_t i = 0; i < good.len; i++) {
		struct text text = good;
		text.bytes[i] = text.bytes[i] == 'A' ? 'B' : 'A';
		if (verify(&text) != WR_BAD_TOKEN)
			fail_msg("character %zu", i);
	}
}

/* ---- payloads, signed by another hand ---- */

#define HEADER "{\"alg\":\"ES256\",\"kid\":\"s1\",\"typ\":\"wr-pass+jwt\"}"
#define WHO "\"aud\":\"a/b\",\"sub\":\"abcdefghijklmnop\",\"epoch\":\"0123456789A\""
#define JTI ",\"jti\":\"ABCDEFGHIJKLMNOP\""
#define RENEW ",\"renew\":false"
#define SEXP ",\"sexp\":1893456000"
#define TIMES ",\"iat\":1893452990,\"nbf\":1893452990,\"exp\":1893453110"

static void the_hand_that_makes_bad_passes_also_makes_good_ones(void **state)
{
	(void)state;
	struct text text;
	text.len = es256_hand(HEADER, "{" WHO JTI RENEW SEXP TIMES "}", text.bytes, sizeof(text.bytes));
	assert_int_equal(verify(&text), WR_OK);
}

static const struct {
	const char *name, *header, *payload;
} foreign[] = {
	{"alg none", "{\"alg\":\"none\",\"kid\":\"s1\",\"typ\":\"wr-pass+jwt\"}",
	 "{" WHO JTI RENEW SEXP TIMES "}"},
	{"alg HS256", "{\"alg\":\"HS256\",\"kid\":\"s1\",\"typ\":\"wr-pass+jwt\"}",
	 "{" WHO JTI RENEW SEXP TIMES "}"},
	{"typ of a session", "{\"alg\":\"ES256\",\"kid\":\"s1\",\"typ\":\"wr-session+jwt\"}",
	 "{" WHO JTI RENEW SEXP TIMES "}"},
	{"typ of a place", "{\"alg\":\"ES256\",\"kid\":\"s1\",\"typ\":\"wr-position+jwt\"}",
	 "{" WHO JTI RENEW SEXP TIMES "}"},
	{"no typ", "{\"alg\":\"ES256\",\"kid\":\"s1\"}", "{" WHO JTI RENEW SEXP TIMES "}"},
	{"kid of another use", "{\"alg\":\"ES256\",\"kid\":\"p1\",\"typ\":\"wr-pass+jwt\"}",
	 "{" WHO JTI RENEW SEXP TIMES "}"},
	{"claims of a session", HEADER, "{" WHO RENEW TIMES "}"},
	{"jti missing", HEADER, "{" WHO RENEW SEXP TIMES "}"},
	{"jti empty", HEADER, "{" WHO ",\"jti\":\"\"" RENEW SEXP TIMES "}"},
	{"jti too short", HEADER, "{" WHO ",\"jti\":\"ABCDEFGHIJKLMNO\"" RENEW SEXP TIMES "}"},
	{"jti too long", HEADER, "{" WHO ",\"jti\":\"ABCDEFGHIJKLMNOPQ\"" RENEW SEXP TIMES "}"},
	{"jti not of the alphabet", HEADER,
	 "{" WHO ",\"jti\":\"ABCDEFGHIJKLMN}P\"" RENEW SEXP TIMES "}"},
	{"jti twice", HEADER, "{" WHO JTI JTI RENEW SEXP TIMES "}"},
	{"aud without tenant", HEADER,
	 "{\"aud\":\"b\",\"sub\":\"abcdefghijklmnop\",\"epoch\":\"0123456789A\"" JTI RENEW SEXP TIMES
	 "}"},
	{"aud a list", HEADER,
	 "{\"aud\":[\"a/b\"],\"sub\":\"abcdefghijklmnop\",\"epoch\":\"0123456789A\"" JTI RENEW SEXP
		 TIMES "}"},
	{"epoch missing", HEADER,
	 "{\"aud\":\"a/b\",\"sub\":\"abcdefghijklmnop\"" JTI RENEW SEXP TIMES "}"},
	{"epoch too short", HEADER,
	 "{\"aud\":\"a/b\",\"sub\":\"abcdefghijklmnop\",\"epoch\":\"0123456789\"" JTI RENEW SEXP TIMES
	 "}"},
	{"renew missing", HEADER, "{" WHO JTI SEXP TIMES "}"},
	{"sexp missing", HEADER, "{" WHO JTI RENEW TIMES "}"},
	{"sexp a string", HEADER, "{" WHO JTI RENEW ",\"sexp\":\"1893456000\"" TIMES "}"},
	{"sexp negative", HEADER, "{" WHO JTI RENEW ",\"sexp\":-1" TIMES "}"},
	{"sexp before iat", HEADER, "{" WHO JTI RENEW ",\"sexp\":1893452990" TIMES "}"},
	{"a session of more than seven days", HEADER,
	 "{" WHO JTI RENEW ",\"sexp\":1894057791" TIMES "}"},
	{"a life of more than two minutes", HEADER,
	 "{" WHO JTI RENEW SEXP ",\"iat\":1893452990,\"nbf\":1893452990,\"exp\":1893453111}"},
	{"exp missing", HEADER, "{" WHO JTI RENEW SEXP ",\"iat\":1893452990,\"nbf\":1893452990}"},
	{"exp beyond 53 bits", HEADER,
	 "{" WHO JTI RENEW SEXP ",\"iat\":1893452990,\"nbf\":1893452990,\"exp\":9007199254740993}"},
	{"nbf after iat", HEADER,
	 "{" WHO JTI RENEW SEXP ",\"iat\":1893452990,\"nbf\":1893452991,\"exp\":1893453110}"},
	{"a member more", HEADER, "{" WHO JTI RENEW SEXP TIMES ",\"x\":1}"},
	{"bytes behind", HEADER, "{" WHO JTI RENEW SEXP TIMES "} "},
	{"another order", HEADER, "{" JTI "," WHO RENEW SEXP TIMES "}"},
};

static void a_pass_that_is_not_exactly_ours_is_refused(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(foreign); i++) {
		struct text text;
		text.len =
			es256_hand(foreign[i].header, foreign[i].payload, text.bytes, sizeof(text.bytes));
		if (verify(&text) != WR_BAD_TOKEN)
			fail_msg("%s", foreign[i].name);
	}
}

/* ---- into the URL ---- */

static void the_pass_comes_first_in_the_query_and_before_the_fragment(void **state)
{
	(void)state;
	static const char *const rows[][2] = {
		{"https://a.b/", "https://a.b/?wr_pass=P"},
		{"https://a.b", "https://a.b?wr_pass=P"},
		{"https://a.b/c?d=e", "https://a.b/c?wr_pass=P&d=e"},
		{"https://a.b/c?", "https://a.b/c?wr_pass=P&"},
		{"https://a.b/c#d", "https://a.b/c?wr_pass=P#d"},
		{"https://a.b/c?d=e#f?g", "https://a.b/c?wr_pass=P&d=e#f?g"},
		{"/c#?d", "/c?wr_pass=P#?d"},
		{"/?wr_pass=old&x", "/?wr_pass=P&wr_pass=old&x"},
	};
	for (size_t i = 0; i < COUNT(rows); i++) {
		char url[2 * TOKEN_MAX_BYTES];
		target_add_pass(rows[i][0], "P", url);
		assert_string_equal(url, rows[i][1]);
	}
}

/* ---- what a session is bound to ---- */

static const char *binding(const char *queue, const char *network, const char *family)
{
	static char texts[8][BINDING_CHARS + 1];
	static size_t at;
	struct queue_name name;
	assert_true(queue_name_parse(queue, strlen(queue), &name));
	char *text = texts[at++ % COUNT(texts)];
	binding_make(signer, &name, network, family, text);
	assert_int_equal(strlen(text), BINDING_CHARS);
	return text;
}

static void a_binding_is_of_queue_network_and_browser(void **state)
{
	(void)state;
	const char *one = binding("a/b", "192.0.2.0", "firefox");
	assert_string_equal(binding("a/b", "192.0.2.0", "firefox"), one);
	assert_string_not_equal(binding("a/c", "192.0.2.0", "firefox"), one);
	assert_string_not_equal(binding("a/b", "192.0.3.0", "firefox"), one);
	assert_string_not_equal(binding("a/b", "192.0.2.0", "chrome"), one);
	assert_string_not_equal(binding("a/b", "192.0.2.0f", "irefox"), one);
}

static void the_family_of_a_browser_outlives_its_updates(void **state)
{
	(void)state;
	static const char *const rows[][2] = {
		{"Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0", "firefox"},
		{"Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like "
		 "Gecko) FxiOS/127.0 Mobile/15E148 Safari/605.1.15",
		 "firefox"},
		{"Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) "
		 "Chrome/126.0.0.0 Safari/537.36",
		 "chrome"},
		{"Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) "
		 "Chrome/131.0.0.0 Safari/537.36",
		 "chrome"},
		{"Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) "
		 "Chrome/126.0.0.0 Safari/537.36 Edg/126.0.0.0",
		 "edge"},
		{"Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/125.0.0.0 "
		 "Safari/537.36 OPR/111.0.0.0",
		 "opera"},
		{"Mozilla/5.0 (Linux; Android 14; SAMSUNG SM-S911B) AppleWebKit/537.36 (KHTML, like Gecko) "
		 "SamsungBrowser/25.0 Chrome/121.0.0.0 Mobile Safari/537.36",
		 "samsung"},
		{"Mozilla/5.0 (Macintosh; Intel Mac OS X 14_5) AppleWebKit/605.1.15 (KHTML, like Gecko) "
		 "Version/17.5 Safari/605.1.15",
		 "safari"},
		{"Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like "
		 "Gecko) Mobile/15E148",
		 "safari"},
		{"curl/7.88.1", "curl"},
		{"python-requests/2.31", "other"},
		{"", "none"},
		{NULL, "none"},
	};
	for (size_t i = 0; i < COUNT(rows); i++)
		assert_string_equal(user_agent_family(rows[i][0]), rows[i][1]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_pass_carries_all_that_its_session_needs),
		cmocka_unit_test(each_pass_has_a_name_of_its_own),
		cmocka_unit_test(a_pass_is_good_for_two_minutes_and_half_a_minute_of_leeway),
		cmocka_unit_test(a_pass_with_a_longer_life_is_not_printed),
		cmocka_unit_test(a_pass_is_never_a_session_nor_the_reverse),
		cmocka_unit_test(parts_of_a_pass_and_a_session_do_not_make_a_token),
		cmocka_unit_test(a_pass_with_any_character_changed_is_refused),
		cmocka_unit_test(the_hand_that_makes_bad_passes_also_makes_good_ones),
		cmocka_unit_test(a_pass_that_is_not_exactly_ours_is_refused),
		cmocka_unit_test(the_pass_comes_first_in_the_query_and_before_the_fragment),
		cmocka_unit_test(a_binding_is_of_queue_network_and_browser),
		cmocka_unit_test(the_family_of_a_browser_outlives_its_updates),
	};
	return cmocka_run_group_tests(tests, shared_signer_open, shared_signer_close);
}
