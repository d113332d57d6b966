/* Tokens that are wrong in some way: refused everywhere, however they come, with nothing stored.
 *
 * The pod signs with the public keys of key_texts.h, so that this file can sign as well: what
 * refuses a token is then the rule under test and not the signature. Before and after all tests the
 * store holds the same.
 */
#include "support/api.h"
#include "support/cmocka.h"
#include "support/shared_signer.h"
#include "support/shared_stack.h"
#include "support/temp.h"
#include "waitingroom/memory.h"
#include "waitingroom/text.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DAY_S 86400
#define TOKEN_ROOM (TOKEN_MAX_BYTES + 1)

static const char *url;
static char *before, epoch[EPOCH_CHARS + 1];

static int open_room(void **state)
{
	WR_AUTO(mem_free_at) char *file = temp_file("signing-keys.json", KEY_FILE_OF_THREE);
	char setting[256];
	snprintf(setting, sizeof(setting), "WR_TOKEN_KEYS_FILE=%s", file);
	stack = stack_start(&(struct stack_options){
		.pods = 1,
		.without_nats = true,
		.queues = QUEUES(QUEUE("line", HELD) "," QUEUE("empty", "\"capacity\":5,\"burst\":5")),
		.env = (const char *const[]){NO_RATE_LIMITS, setting, NULL}});
	url = stack_url(stack, 0);
	WR_AUTO(mem_free_at) char *reply = redis_do(stack->redis, "GET wr:{default/line}:epoch");
	assert_int_equal(sscanf(reply, "$11 %11s", epoch), 1);
	/* As if it had been made long ago: a queue that is new on an empty store believes a good
	 * token. */
	free(redis_do(stack->redis, "HDEL wr:{default/line}:counts from_nothing"));
	before = api_store_digest(stack);
	return shared_signer_open(state);
}

static int close_room(void **state)
{
	WR_AUTO(mem_free_at) char *after = api_store_digest(stack);
	assert_string_equal(before, after);
	free(before);
	shared_signer_close(state);
	return shared_stack_close(state);
}

/* ---- making tokens ---- */

static struct position_claims good_claims(void)
{
	int64_t now_s = clock_wall().ms / 1000;
	struct position_claims claims = {.queue = {"default", "line"},
									 .lane = "main",
									 .ticket = 1,
									 .issued_s = now_s,
									 .expires_s = now_s + DAY_S};
	position_id_random(claims.position_id);
	memcpy(claims.epoch, epoch, sizeof(epoch));
	return claims;
}

static void print_position(const struct position_claims *claims, char ret_token[TOKEN_ROOM])
{
	size_t len;
	assert_int_equal(position_token_print(signer, claims, ret_token, &len), WR_OK);
}

static void print_good(char ret_token[TOKEN_ROOM])
{
	struct position_claims claims = good_claims();
	print_position(&claims, ret_token);
}

static void print_session(int64_t issued_s, int64_t expires_s, char ret_token[TOKEN_ROOM])
{
	struct session_claims claims = {
		.queue = {"default", "empty"}, .issued_s = issued_s, .expires_s = expires_s};
	size_t len;
	position_id_random(claims.position_id);
	memcpy(claims.epoch, epoch, sizeof(epoch));
	assert_int_equal(session_token_print(signer, &claims, ret_token, &len), WR_OK);
}

/* Another header in front of the payload of 'token', signed with HS256 and this key. */
static void sign_again(char token[TOKEN_ROOM], const char *header, const void *key,
					   size_t key_bytes)
{
	char text[2 * TOKEN_ROOM];
	uint8_t mac[32];
	size_t len = base64url_encode(header, strlen(header), text);
	const char *payload = strchr(token, '.');
	size_t payload_len = 1 + strcspn(payload + 1, ".");
	memcpy(text + len, payload, payload_len);
	len += payload_len;
	HMAC(EVP_sha256(), key, (int)key_bytes, (const uint8_t *)text, len, mac, NULL);
	text[len++] = '.';
	len += base64url_encode(mac, sizeof(mac), text + len);
	text[len] = '\0';
	assert_true(len < TOKEN_ROOM);
	strcpy(token, text);
}

/* ---- presenting them ---- */

static void expect_on(const char *path, const char *token, int status, const char *code)
{
	WR_AUTO(http_answer_free_at) struct http_answer *answer = api_poll(url, path, token);
	if (answer->status != status)
		print_error("%s with %s\n", path, token);
	api_expect_problem(answer, status, code);
}

/* As bearer everywhere, as text and as cookie. */
static void expect_refused(const char *token, int status, const char *code)
{
	expect_on("/heartbeat", token, status, code);
	expect_on("/status", token, status, code);
	expect_on("/leave", token, status, code);
	char headers[TOKEN_ROOM + 64];
	snprintf(headers, sizeof(headers), "Cookie: wr-place-line=%s\r\n", token);
	WR_AUTO(http_answer_free_at)
	struct http_answer *cookie = http_call(url, "POST", "/heartbeat", headers, "");
	api_expect_problem(cookie, status, code);
	WR_AUTO(http_answer_free_at)
	struct http_answer *text =
		http_call(url, "POST", "/heartbeat", "Content-Type: text/plain\r\n", token);
	api_expect_problem(text, status, code);
}

static void expect_session_refused(const char *token, const char *code)
{
	expect_on("/session/release", token, 401, code);
}

/* ---- tests ---- */

static void without_a_token_there_is_no_place(void **state)
{
	(void)state;
	static const char *const headers[] = {
		NULL,
		"Authorization: Bearer\r\n",
		"Authorization: Bearer \r\n",
		"Authorization: Basic dXNlcjpwYXNz\r\n",
		"Authorization: \r\n",
		"Cookie: wr-place-line\r\n",
		"Cookie: wr-place-line=\r\n",
		"Cookie: wr-place-other\r\n",
		"Cookie: =;;; ;=\r\n",
		"Content-Type: text/plain\r\n",
	};
	static const char *const paths[] = {"/heartbeat", "/leave", "/session/release"};
	for (size_t i = 0; i < COUNT(headers); i++)
		for (size_t k = 0; k < COUNT(paths); k++) {
			WR_AUTO(http_answer_free_at)
			struct http_answer *answer = http_call(url, "POST", paths[k], headers[i], "");
			api_expect_problem(answer, 401, "bad_token");
		}
	WR_AUTO(http_answer_free_at)
	struct http_answer *status = http_call(url, "GET", "/status", NULL, NULL);
	api_expect_problem(status, 401, "bad_token");
}

static void garbage_is_not_a_token(void **state)
{
	(void)state;
	static const char *const tokens[] = {"x",		"..",
										 "a.b",		"a.b.c",
										 "a.b.c.d", "....",
										 "null",	"eyJhbGciOiJub25lIn0.e30.",
										 "%2e%2e",	"\xc3\xab.\xc3\xab.x"};
	for (size_t i = 0; i < COUNT(tokens); i++) {
		expect_refused(tokens[i], 401, "bad_token");
		expect_session_refused(tokens[i], "bad_token");
	}
}

static void a_good_token_with_anything_around_it_is_refused(void **state)
{
	(void)state;
	char token[TOKEN_ROOM], changed[TOKEN_ROOM + 8];
	print_good(token);
	static const char *const formats[] = {"%s=", "%s.", ".%s", "%s.e30", "\"%s\"", "x%s"};
	for (size_t i = 0; i < COUNT(formats); i++) {
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
		snprintf(changed, sizeof(changed), formats[i], token);
#pragma GCC diagnostic pop
		expect_refused(changed, 401, "bad_token");
	}
	token[strlen(token) - 1] = '\0';
	expect_refused(token, 401, "bad_token");
}

static void a_change_in_any_part_is_noticed(void **state)
{
	(void)state;
	char token[TOKEN_ROOM];
	print_good(token);
	size_t len = strlen(token);
	for (size_t i = 0; i < len; i += 7) {
		char kept = token[i];
		if (kept == '.')
			continue;
		token[i] = (char)(kept == 'A' ? 'B' : 'A');
		expect_on("/heartbeat", token, 401, "bad_token");
		token[i] = kept;
	}
	print_session(clock_wall().ms / 1000, clock_wall().ms / 1000 + 900, token);
	len = strlen(token);
	for (size_t i = 0; i < len; i += 7) {
		char kept = token[i];
		if (kept == '.')
			continue;
		token[i] = (char)(kept == 'A' ? 'B' : 'A');
		expect_session_refused(token, "bad_token");
		token[i] = kept;
	}
}

static void a_token_that_is_too_old_says_so(void **state)
{
	(void)state;
	struct position_claims claims = good_claims();
	claims.issued_s -= 2 * DAY_S;
	claims.expires_s -= DAY_S + 60;
	char token[TOKEN_ROOM];
	print_position(&claims, token);
	expect_refused(token, 401, "token_expired");
	print_session(claims.issued_s, claims.expires_s, token);
	expect_session_refused(token, "token_expired");
}

static void a_token_from_the_future_is_refused(void **state)
{
	(void)state;
	struct position_claims claims = good_claims();
	claims.issued_s += 2 * DAY_S;
	claims.expires_s += 2 * DAY_S;
	char token[TOKEN_ROOM];
	print_position(&claims, token);
	expect_refused(token, 401, "bad_token");
}

static void only_the_kid_decides_about_key_and_algorithm(void **state)
{
	(void)state;
	uint8_t secret[32];
	for (size_t i = 0; i < sizeof(secret); i++)
		secret[i] = (uint8_t)i; /* SECRET_A, the key of p1 */
	static const char *const headers[] = {
		"{\"alg\":\"HS256\",\"kid\":\"p2\",\"typ\":\"wr-position+jwt\"}",
		"{\"alg\":\"HS256\",\"kid\":\"s1\",\"typ\":\"wr-position+jwt\"}",
		"{\"alg\":\"HS256\",\"kid\":\"i1\",\"typ\":\"wr-position+jwt\"}",
		"{\"alg\":\"HS384\",\"kid\":\"p1\",\"typ\":\"wr-position+jwt\"}",
		"{\"alg\":\"HS256\",\"kid\":\"../p1\",\"typ\":\"wr-position+jwt\"}",
		"{\"alg\":\"HS256\",\"kid\":\"p1\",\"typ\":\"JWT\"}",
		"{\"alg\":\"HS256\",\"kid\":\"p1\"}",
		"{\"alg\":\"HS256\",\"typ\":\"wr-position+jwt\"}",
	};
	char token[TOKEN_ROOM];
	print_good(token);
	for (size_t i = 0; i < COUNT(headers); i++) {
		sign_again(token, headers[i], secret, sizeof(secret));
		expect_refused(token, 401, "bad_token");
	}
}

static void an_unsigned_token_is_refused(void **state)
{
	(void)state;
	static const char *const headers[] = {
		"{\"alg\":\"none\",\"kid\":\"p1\",\"typ\":\"wr-position+jwt\"}",
		"{\"alg\":\"none\",\"typ\":\"wr-position+jwt\"}",
		"{\"alg\":\"NONE\",\"kid\":\"s1\",\"typ\":\"wr-session+jwt\"}",
	};
	char token[TOKEN_ROOM];
	for (size_t i = 0; i < COUNT(headers); i++) {
		print_good(token);
		sign_again(token, headers[i], "", 0);
		expect_refused(token, 401, "bad_token");
		expect_session_refused(token, "bad_token");
		strrchr(token, '.')[1] = '\0';
		expect_refused(token, 401, "bad_token");
		expect_session_refused(token, "bad_token");
	}
}

static void the_public_key_of_sessions_signs_nothing(void **state)
{
	(void)state;
	WR_AUTO(http_answer_free_at)
	struct http_answer *set = http_call(url, "GET", "/.well-known/jwks.json", NULL, NULL);
	static const char *const headers[] = {
		"{\"alg\":\"HS256\",\"kid\":\"s1\",\"typ\":\"wr-session+jwt\"}",
		"{\"alg\":\"ES256\",\"kid\":\"s1\",\"typ\":\"wr-session+jwt\"}",
	};
	char token[TOKEN_ROOM];
	int64_t now_s = clock_wall().ms / 1000;
	for (size_t i = 0; i < COUNT(headers); i++) {
		print_session(now_s, now_s + 900, token);
		sign_again(token, headers[i], set->body, set->body_len);
		expect_session_refused(token, "bad_token");
	}
}

static void a_good_token_of_an_unknown_queue_answers_404(void **state)
{
	(void)state;
	struct position_claims claims = good_claims();
	strcpy(claims.queue.queue, "nowhere");
	char token[TOKEN_ROOM];
	print_position(&claims, token);
	expect_refused(token, 404, "no_such_queue");
}

static void a_good_token_of_another_life_of_the_queue_answers_410(void **state)
{
	(void)state;
	struct position_claims claims = good_claims();
	epoch_random(claims.epoch);
	char token[TOKEN_ROOM];
	print_position(&claims, token);
	expect_on("/heartbeat", token, 410, "place_expired");
	expect_on("/status", token, 410, "place_expired");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(without_a_token_there_is_no_place),
		cmocka_unit_test(garbage_is_not_a_token),
		cmocka_unit_test(a_good_token_with_anything_around_it_is_refused),
		cmocka_unit_test(a_change_in_any_part_is_noticed),
		cmocka_unit_test(a_token_that_is_too_old_says_so),
		cmocka_unit_test(a_token_from_the_future_is_refused),
		cmocka_unit_test(only_the_kid_decides_about_key_and_algorithm),
		cmocka_unit_test(an_unsigned_token_is_refused),
		cmocka_unit_test(the_public_key_of_sessions_signs_nothing),
		cmocka_unit_test(a_good_token_of_an_unknown_queue_answers_404),
		cmocka_unit_test(a_good_token_of_another_life_of_the_queue_answers_410),
	};
	return cmocka_run_group_tests(tests, open_room, close_room);
}
