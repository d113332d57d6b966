/* Who waits longer than a token is good: a room that opens on another day, a line that takes the
 * weekend. The token is made anew in time, so that nobody loses a place by having been patient.
 */
#include "support/api.h"
#include "support/cmocka.h"
#include "support/shared_signer.h"
#include "support/shared_stack.h"
#include "support/temp.h"
#include "waitingroom/memory.h"

#include <stdio.h>
#include <string.h>

#define HOUR_S 3600
#define DAY_S (24 * HOUR_S)
#define HOLD_S 300

static const char *url;

static int open_room(void **state)
{
	WR_AUTO(mem_free_at) char *file = temp_file("signing-keys.json", KEY_FILE_OF_THREE);
	char setting[256];
	snprintf(setting, sizeof(setting), "WR_TOKEN_KEYS_FILE=%s", file);
	stack = stack_start(&(struct stack_options){
		.pods = 1,
		.admitters = 1,
		.without_nats = true,
		.queues = QUEUES(QUEUE("demo", HELD)),
		.env = (const char *const[]){NO_RATE_LIMITS, "WR_RELAY=0", setting, NULL}});
	url = stack_url(stack, 0);
	return shared_signer_open(state);
}

static int close_room(void **state)
{
	shared_signer_close(state);
	return shared_stack_close(state);
}

static struct position_claims claims_of(const char *token)
{
	struct position_claims claims;
	assert_int_equal(position_token_verify(signer, token, strlen(token), clock_wall(), &claims),
					 WR_OK);
	return claims;
}

/* The same token as it would have been made so long ago. */
static void age(char *token, size_t room, int64_t seconds)
{
	struct position_claims claims = claims_of(token);
	char text[TOKEN_MAX_BYTES + 1];
	size_t len;
	claims.issued_s -= seconds;
	claims.expires_s -= seconds;
	assert_int_equal(position_token_print(signer, &claims, text, &len), WR_OK);
	assert_true(len < room);
	strcpy(token, text);
}

static void join(char ret_token[TOKEN_MAX_BYTES + 1])
{
	WR_AUTO(mem_free_at) char *token = api_join(url, "demo");
	snprintf(ret_token, TOKEN_MAX_BYTES + 1, "%s", token);
	api_await_position(stack, 0, token);
}

static void a_token_that_is_half_over_is_made_anew_with_the_next_poll(void **state)
{
	(void)state;
	char old[TOKEN_MAX_BYTES + 1];
	join(old);
	age(old, sizeof(old), 13 * HOUR_S);
	WR_AUTO(http_answer_free_at) struct http_answer *answer = api_poll(url, "/heartbeat", old);
	api_expect_place(answer, "waiting");
	assert_int_equal(http_answer_number(answer, "position"), 1);
	WR_AUTO(mem_free_at) char *fresh = http_answer_text(answer, "token");
	assert_non_null(strstr(answer->head, "wr-place-demo="));
	struct position_claims was = claims_of(old), is = claims_of(fresh);
	assert_in_range(is.expires_s - clock_wall().ms / 1000, DAY_S + HOLD_S - 10, DAY_S + HOLD_S);
	assert_int_equal(is.issued_s, was.issued_s);
	assert_int_equal(is.ticket, was.ticket);
	assert_string_equal(is.position_id, was.position_id);
	assert_string_equal(is.epoch, was.epoch);
}

static void a_young_token_is_not(void **state)
{
	(void)state;
	char token[TOKEN_MAX_BYTES + 1];
	join(token);
	age(token, sizeof(token), 11 * HOUR_S);
	WR_AUTO(http_answer_free_at) struct http_answer *answer = api_poll(url, "/heartbeat", token);
	api_expect_place(answer, "waiting");
	assert_false(http_answer_has(answer, "token"));
}

static void
a_repeated_join_of_a_place_of_the_day_before_yesterday_gets_a_token_that_is_good(void **state)
{
	(void)state;
	WR_AUTO(http_answer_free_at) struct http_answer *first = api_enqueue(url, "demo", "patience");
	api_expect_place(first, "waiting");
	WR_AUTO(mem_free_at) char *first_token = http_answer_text(first, "token");
	char command[160];
	snprintf(command, sizeof(command), "HSET wr:{default/demo}:position:%s j %lld",
			 claims_of(first_token).position_id, (long long)(clock_wall().ms - 2000LL * DAY_S));
	WR_AUTO(mem_free_at) char *reply = redis_do(stack->redis, command);
	WR_AUTO(http_answer_free_at) struct http_answer *again = api_enqueue(url, "demo", "patience");
	api_expect_status(again, 200);
	WR_AUTO(mem_free_at) char *token = http_answer_text(again, "token");
	WR_AUTO(http_answer_free_at) struct http_answer *poll = api_poll(url, "/heartbeat", token);
	api_expect_place(poll, "waiting");
	assert_int_equal(claims_of(token).ticket, claims_of(first_token).ticket);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_token_that_is_half_over_is_made_anew_with_the_next_poll),
		cmocka_unit_test(a_young_token_is_not),
		cmocka_unit_test(
			a_repeated_join_of_a_place_of_the_day_before_yesterday_gets_a_token_that_is_good),
	};
	return cmocka_run_group_tests(tests, open_room, close_room);
}
