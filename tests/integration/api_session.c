/* An empty room is invisible: who comes first is let in at once, with a session that a site's proxy
 * can verify with nothing but the published keys.
 */
#include "support/api.h"
#include "support/cmocka.h"
#include "support/shared_stack.h"
#include "waitingroom/memory.h"
#include "waitingroom/text.h"
#include "waitingroom/token.h"

#include <cjson/cJSON.h>
#include <string.h>

#define ADMITTED_MEMBERS                                                                           \
	"status:s queue_id:s position_id:s position:0 ahead:0 waiting:n estimated_wait_s:0 paused:b "  \
	"message:s poll_after_ms:n hold_ms:n enter_within_ms:n as_of_ms:n redirect_url:s0 "            \
	"session_token:s token:s"
#define ROOMY "\"capacity\":100,\"burst\":100"

static const char *url;

static int open_room(void **state)
{
	(void)state;
	stack = stack_start(&(struct stack_options){
		.pods = 1,
		.without_nats = true,
		.queues =
			QUEUES(QUEUE("empty", ROOMY ",\"message\":\"Welcome.\"") "," QUEUE(
				"targets", ROOMY ",\"allowed_targets\":[\"https://shop.example/\"]") "," //
				   QUEUE("narrow", "\"capacity\":1,\"burst\":10") "," QUEUE(
					   "slow", "\"capacity\":100,\"burst\":2,\"rate_per_"
							   "minute\":0") "," QUEUE("renewed", ROOMY ",\"session_renewal\":"
																		"true,\"session_ttl_ms\":"
																		"60000") "," QUEUE("open-"
																						   "door",
																						   "\"sta"
																						   "te\":"
																						   "\"pas"
																						   "sthro"
																						   "ugh\""
																						   ",\"ca"
																						   "pacit"
																						   "y\":"
																						   "0,"
																						   "\"rat"
																						   "e_"
																						   "per_"
																						   "minut"
																						   "e\":"
																						   "0"))});
	url = stack_url(stack, 0);
	return 0;
}

static struct http_answer *enter(const char *queue)
{
	struct http_answer *answer = api_enqueue(url, queue, NULL);
	api_expect_status(answer, 201);
	api_expect_place(answer, "admitted");
	return answer;
}

/* ---- the session token, read as a proxy would ---- */

static cJSON *decode_part(const char *part)
{
	char text[2048];
	size_t len = 0;
	assert_true(base64url_decode(part, strcspn(part, "."), text, sizeof(text) - 1, &len));
	text[len] = '\0';
	cJSON *json = cJSON_Parse(text);
	assert_non_null(json);
	return json;
}

static const char *text_of(const cJSON *object, const char *name)
{
	const cJSON *value = cJSON_GetObjectItemCaseSensitive(object, name);
	if (!cJSON_IsString(value))
		fail_msg("no string %s", name);
	return value->valuestring;
}

static int64_t number_of(const cJSON *object, const char *name)
{
	const cJSON *value = cJSON_GetObjectItemCaseSensitive(object, name);
	if (!cJSON_IsNumber(value))
		fail_msg("no number %s", name);
	return (int64_t)value->valuedouble;
}

static void decode_coordinate(const cJSON *key, const char *name, uint8_t ret_bytes[32])
{
	const char *text = text_of(key, name);
	size_t len = 0;
	assert_true(base64url_decode(text, strlen(text), ret_bytes, 32, &len));
	assert_int_equal(len, 32);
}

/* Is the token signed with the key of its kid in the key set? */
static bool verifies(const char *token)
{
	WR_AUTO(http_answer_free_at)
	struct http_answer *answer = http_call(url, "GET", "/.well-known/jwks.json", NULL, NULL);
	api_expect_status(answer, 200);
	cJSON *set = cJSON_Parse(answer->body), *header = decode_part(token), *key;
	assert_string_equal(text_of(header, "alg"), "ES256");
	assert_string_equal(text_of(header, "typ"), "wr-session+jwt");
	bool found = false, good = false;
	cJSON_ArrayForEach(key, cJSON_GetObjectItemCaseSensitive(set, "keys"))
	{
		uint8_t x[32], y[32];
		if (strcmp(text_of(key, "kid"), text_of(header, "kid")) != 0)
			continue;
		found = true;
		assert_string_equal(text_of(key, "kty"), "EC");
		assert_string_equal(text_of(key, "crv"), "P-256");
		assert_null(cJSON_GetObjectItemCaseSensitive(key, "d")); /* the private part */
		decode_coordinate(key, "x", x);
		decode_coordinate(key, "y", y);
		good = jws_es256_is_valid(token, strlen(token), x, y);
	}
	assert_true(found);
	cJSON_Delete(header);
	cJSON_Delete(set);
	return good;
}

static cJSON *claims_of(const struct http_answer *answer)
{
	WR_AUTO(mem_free_at) char *token = http_answer_text(answer, "session_token");
	return decode_part(strchr(token, '.') + 1);
}

/* ---- tests ---- */

static void who_comes_first_is_let_in_at_once(void **state)
{
	(void)state;
	WR_AUTO(http_answer_free_at) struct http_answer *answer = enter("empty");
	api_expect_members(answer, ADMITTED_MEMBERS);
	WR_AUTO(mem_free_at) char *message = http_answer_text(answer, "message");
	assert_string_equal(message, "Welcome.");
	assert_false(http_answer_has(answer, "redirect_url"));
	assert_non_null(http_answer_header(answer, "Set-Cookie"));
}

static void the_session_token_verifies_with_the_published_keys(void **state)
{
	(void)state;
	WR_AUTO(http_answer_free_at) struct http_answer *answer = enter("empty");
	WR_AUTO(mem_free_at) char *token = http_answer_text(answer, "session_token");
	assert_true(verifies(token));
	token[strlen(token) - 10] = (char)(token[strlen(token) - 10] == 'A' ? 'B' : 'A');
	assert_false(verifies(token));
}

static void the_session_is_named_after_the_place_and_lasts_as_long_as_set(void **state)
{
	(void)state;
	WR_AUTO(http_answer_free_at) struct http_answer *answer = enter("renewed");
	WR_AUTO(mem_free_at) char *id = http_answer_text(answer, "position_id");
	cJSON *claims = claims_of(answer);
	assert_string_equal(text_of(claims, "sub"), id);
	assert_string_equal(text_of(claims, "aud"), "default/renewed");
	assert_in_range(number_of(claims, "exp") - number_of(claims, "iat"), 60, 61);
	int64_t now_s = clock_wall().ms / 1000;
	assert_in_range(number_of(claims, "iat"), now_s - 10, now_s + 1);
	cJSON_Delete(claims);
}

static void a_repeated_key_finds_the_same_session(void **state)
{
	(void)state;
	WR_AUTO(http_answer_free_at) struct http_answer *first = api_enqueue(url, "empty", "again");
	WR_AUTO(http_answer_free_at) struct http_answer *again = api_enqueue(url, "empty", "again");
	api_expect_status(first, 201);
	api_expect_status(again, 200);
	cJSON *one = claims_of(first), *other = claims_of(again);
	assert_true(cJSON_Compare(one, other, true));
	cJSON_Delete(one);
	cJSON_Delete(other);
}

/* Takes the pass, which comes first in the query, out of the URL. */
static void cut_pass(char *target)
{
	char *pass = strstr(target, "?wr_pass=eyJ");
	assert_non_null(pass);
	char *rest = pass + strcspn(pass, "&");
	assert_in_range(rest - pass, 300, TOKEN_MAX_BYTES);
	if (*rest == '&')
		*rest = '?';
	memmove(pass, rest, strlen(rest) + 1);
}

static void whoever_is_let_in_is_told_where_they_wanted_to_go(void **state)
{
	(void)state;
	WR_AUTO(http_answer_free_at)
	struct http_answer *answer =
		http_call(url, "POST", "/enqueue", "Content-Type: text/plain\r\n",
				  "{\"queue_id\":\"targets\",\"target\":\"https://shop.example/sale?id=1\"}");
	api_expect_place(answer, "admitted");
	WR_AUTO(mem_free_at) char *target = http_answer_text(answer, "redirect_url");
	cut_pass(target);
	assert_string_equal(target, "https://shop.example/sale?id=1");
}

static void the_way_to_go_is_written_anew_from_what_was_checked(void **state)
{
	(void)state;
	WR_AUTO(http_answer_free_at)
	struct http_answer *answer =
		http_call(url, "POST", "/enqueue", NULL,
				  "{\"queue_id\":\"targets\",\"target\":\"HTTPS://Shop.EXAMPLE:443/Sale\"}");
	api_expect_place(answer, "admitted");
	WR_AUTO(mem_free_at) char *target = http_answer_text(answer, "redirect_url");
	cut_pass(target);
	assert_string_equal(target, "https://shop.example/Sale");
}

static void a_room_that_is_full_makes_the_next_one_wait(void **state)
{
	(void)state;
	http_answer_free(enter("narrow"));
	WR_AUTO(http_answer_free_at) struct http_answer *next = api_join_answer(url, "narrow");
	assert_int_equal(http_answer_number(next, "position"), 1);
}

static void no_more_than_the_burst_walk_in_together(void **state)
{
	(void)state;
	http_answer_free(enter("slow"));
	http_answer_free(enter("slow"));
	http_answer_free(api_join_answer(url, "slow"));
}

static void passthrough_lets_everybody_in_and_counts_them(void **state)
{
	(void)state;
	for (int i = 0; i < 5; i++)
		http_answer_free(enter("open-door"));
	assert_int_equal(api_store_number(stack, "ZCARD wr:{default/open-door}:sessions"), 5);
}

static void the_key_set_may_be_cached_but_not_for_long(void **state)
{
	(void)state;
	WR_AUTO(http_answer_free_at)
	struct http_answer *answer = http_call(url, "GET", "/.well-known/jwks.json", NULL, NULL);
	assert_string_equal(http_answer_header(answer, "Cache-Control"),
						"public, max-age=300, stale-if-error=86400");
	assert_string_equal(http_answer_header(answer, "Content-Type"), "application/jwk-set+json");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(who_comes_first_is_let_in_at_once),
		cmocka_unit_test(the_session_token_verifies_with_the_published_keys),
		cmocka_unit_test(the_session_is_named_after_the_place_and_lasts_as_long_as_set),
		cmocka_unit_test(a_repeated_key_finds_the_same_session),
		cmocka_unit_test(whoever_is_let_in_is_told_where_they_wanted_to_go),
		cmocka_unit_test(the_way_to_go_is_written_anew_from_what_was_checked),
		cmocka_unit_test(a_room_that_is_full_makes_the_next_one_wait),
		cmocka_unit_test(no_more_than_the_burst_walk_in_together),
		cmocka_unit_test(passthrough_lets_everybody_in_and_counts_them),
		cmocka_unit_test(the_key_set_may_be_cached_but_not_for_long),
	};
	return cmocka_run_group_tests(tests, open_room, shared_stack_close);
}
