/* Entry tokens: rooms for those who are invited, lanes by token, and one place for one person. */
#include "support/api.h"
#include "support/cmocka.h"
#include "support/entry_sign.h"
#include "support/shared_stack.h"
#include "waitingroom/clock.h"
#include "waitingroom/memory.h"

#include <stdio.h>
#include <string.h>

#define KEYS ",\"entry_keys\":" ENTRY_KEYS_JSON
#define LANES                                                                                      \
	",\"lanes\":[{\"name\":\"main\",\"weight\":1,\"open\":true},"                                  \
	"{\"name\":\"vip\",\"weight\":3,\"open\":false}]"

static const char *url;
static int last_token;

static int open_room(void **state)
{
	(void)state;
	stack = stack_start(&(struct stack_options){
		.pods = 1,
		.admitters = 1,
		.without_nats = true,
		.env = (const char *const[]){NO_RATE_LIMITS, NULL},
		.queues = QUEUES(QUEUE("invited", HELD KEYS LANES ",\"entry\":\"signed\"") "," QUEUE(
			"open",
			HELD KEYS
				LANES) "," QUEUE("person",
								 HELD
									 KEYS) "," QUEUE("acme/person",
													 HELD
														 KEYS) "," QUEUE("straight",
																		 "\"capacity\":10" KEYS))});
	url = stack_url(stack, 0);
	return 0;
}

/* A token for a queue, good for a minute and signed now; more: ",\"lane\":\"vip\"". */
static struct entry_text invite(const char *queue, const char *more)
{
	char payload[768];
	int64_t now_s = clock_wall().ms / 1000;
	int len = snprintf(payload, sizeof(payload),
					   "{\"aud\":\"%s\",\"jti\":\"t%d\",\"iat\":%lld,\"exp\":%lld%s}", queue,
					   ++last_token, (long long)now_s, (long long)now_s + 60, more);
	struct entry_text text;
	if (last_token % 2)
		entry_sign_hs256(ENTRY_HEADER_HS256, payload, (size_t)len, &text);
	else
		entry_sign_es256(ENTRY_HEADER_ES256, payload, (size_t)len, &text);
	return text;
}

/* entry NULL: none; key NULL: none; more: further members */
static struct http_answer *join(const char *queue, const char *entry, const char *key,
								const char *more)
{
	char body[2048], headers[128] = "";
	print_into(body, "{\"queue_id\":\"%s\"%s%s%s%s}", queue, entry ? ",\"entry\":\"" : "",
			   entry ? entry : "", entry ? "\"" : "", more);
	if (key)
		print_into(headers, "Idempotency-Key: %s\r\n", key);
	return http_call(url, "POST", "/enqueue", headers, body);
}

static void expect_refused(const char *queue, const char *entry, const char *key,
						   const char *sentence)
{
	WR_AUTO(http_answer_free_at) struct http_answer *answer = join(queue, entry, key, "");
	api_expect_problem(answer, 403, "entry_required");
	WR_AUTO(mem_free_at) char *detail = http_answer_text(answer, "detail");
	assert_string_equal(detail, sentence);
}

static void expect_joined(const char *queue, const char *entry, const char *key, int status)
{
	WR_AUTO(http_answer_free_at) struct http_answer *answer = join(queue, entry, key, "");
	api_expect_status(answer, status);
}

static int64_t tickets(const char *queue, const char *lane)
{
	int64_t count = api_store_number(stack, "GET wr:{default/%s}:ticket:%s", queue, lane);
	return count == INT64_MIN ? 0 : count;
}

/* ---- invited only ---- */

static void a_room_for_invited_people_takes_nobody_else(void **state)
{
	(void)state;
	struct entry_text entry = invite("default/invited", "");
	expect_refused("invited", NULL, NULL, "entry: is required here");
	expect_refused("invited", "a.b.c", NULL, "entry: is not valid here");
	expect_joined("invited", entry.bytes, NULL, 201);
}

static void an_invitation_is_good_for_one_place_and_for_repeating_that_join(void **state)
{
	(void)state;
	struct entry_text entry = invite("default/invited", "");
	expect_joined("invited", entry.bytes, "once", 201);
	expect_joined("invited", entry.bytes, "once", 200);
	expect_refused("invited", entry.bytes, "twice", "entry: has been used");
	expect_refused("invited", entry.bytes, NULL, "entry: has been used");
	assert_true(
		stack_metric(stack_internal_url(stack, 0), "wr_entry_tokens_total{outcome=\"used\"}") == 2);
}

static void a_reusable_invitation_is_good_for_many(void **state)
{
	(void)state;
	struct entry_text entry = invite("default/invited", ",\"reusable\":true");
	for (int i = 0; i < 3; i++)
		expect_joined("invited", entry.bytes, NULL, 201);
}

static void an_invitation_to_another_queue_is_refused(void **state)
{
	(void)state;
	struct entry_text entry = invite("default/open", "");
	expect_refused("invited", entry.bytes, NULL, "entry: is not valid here");
	struct entry_text tenant = invite("acme/invited", "");
	expect_refused("invited", tenant.bytes, NULL, "entry: is not valid here");
}

static void an_old_invitation_is_refused(void **state)
{
	(void)state;
	char payload[256];
	int64_t now_s = clock_wall().ms / 1000;
	struct entry_text entry;
	snprintf(payload, sizeof(payload),
			 "{\"aud\":\"default/invited\",\"jti\":\"old\",\"iat\":%lld,\"exp\":%lld}",
			 (long long)now_s - 1000, (long long)now_s - 100);
	entry_sign_hs256(ENTRY_HEADER_HS256, payload, strlen(payload), &entry);
	expect_refused("invited", entry.bytes, NULL, "entry: is too old");
}

/* ---- lanes ---- */

static void a_token_opens_the_lane_that_it_names(void **state)
{
	(void)state;
	struct entry_text vip = invite("default/open", ",\"lane\":\"vip\"");
	int64_t before = tickets("open", "vip");
	expect_joined("open", vip.bytes, NULL, 201);
	assert_int_equal(tickets("open", "vip"), before + 1);
	expect_joined("open", NULL, NULL, 201);
	assert_int_equal(tickets("open", "vip"), before + 1);
}

static void a_lane_that_is_not_open_is_not_reached_by_asking(void **state)
{
	(void)state;
	struct entry_text plain = invite("default/open", "");
	WR_AUTO(http_answer_free_at)
	struct http_answer *asked = join("open", plain.bytes, NULL, ",\"lane\":\"vip\"");
	api_expect_problem(asked, 422, "invalid_value");
	struct entry_text main_lane = invite("default/open", ",\"lane\":\"main\"");
	int64_t before = tickets("open", "vip");
	WR_AUTO(http_answer_free_at)
	struct http_answer *answer = join("open", main_lane.bytes, NULL, ",\"lane\":\"vip\"");
	api_expect_status(answer, 201);
	assert_int_equal(tickets("open", "vip"), before);
}

static void a_token_for_a_lane_that_is_not_there_is_refused(void **state)
{
	(void)state;
	struct entry_text entry = invite("default/open", ",\"lane\":\"gold\"");
	expect_refused("open", entry.bytes, NULL, "entry: names a lane that the queue does not have");
}

static void a_bad_token_is_refused_also_where_none_is_needed(void **state)
{
	(void)state;
	expect_refused("open", "a.b.c", NULL, "entry: is not valid here");
	expect_joined("open", NULL, NULL, 201);
}

/* ---- persons ---- */

#define ANN ",\"identity\":\"ann@example.org\""

static struct http_answer *join_person(const char *queue, const char *name, const char *identity)
{
	char aud[96];
	print_into(aud, "%s%s", strchr(queue, '/') ? "" : "default/", queue);
	struct entry_text entry = invite(aud, identity);
	struct http_answer *answer = join(queue, entry.bytes, name, "");
	if (answer->status != 200 && answer->status != 201)
		api_expect_status(answer, 200);
	return answer;
}

static void a_person_on_two_devices_has_one_place(void **state)
{
	(void)state;
	WR_AUTO(http_answer_free_at) struct http_answer *phone = join_person("person", "phone", ANN);
	WR_AUTO(http_answer_free_at)
	struct http_answer *laptop =
		join_person("person", "laptop", ",\"identity\":\" ANN@Example.org\"");
	assert_int_equal(phone->status, 201);
	assert_int_equal(laptop->status, 200);
	WR_AUTO(mem_free_at) char *one = http_answer_text(phone, "position_id");
	WR_AUTO(mem_free_at) char *other = http_answer_text(laptop, "position_id");
	assert_string_equal(one, other);
	assert_int_equal(tickets("person", "main"), 1);
	WR_AUTO(mem_free_at) char *token = http_answer_text(laptop, "token");
	WR_AUTO(mem_free_at) char *named = api_position_id(token);
	assert_string_equal(named, one);
	WR_AUTO(http_answer_free_at) struct http_answer *beat = api_poll(url, "/heartbeat", token);
	api_expect_place(beat, "waiting");
}

static void the_older_device_is_told_that_the_place_moved_both_ways(void **state)
{
	(void)state;
	static const char eve[] = ",\"identity\":\"eve\"";
	WR_AUTO(http_answer_free_at) struct http_answer *phone = join_person("person", NULL, eve);
	WR_AUTO(mem_free_at) char *on_phone = http_answer_text(phone, "token");
	WR_AUTO(http_answer_free_at) struct http_answer *laptop = join_person("person", NULL, eve);
	WR_AUTO(mem_free_at) char *on_laptop = http_answer_text(laptop, "token");
	api_await(url, on_phone, 5000, "place_moved");
	WR_AUTO(http_answer_free_at) struct http_answer *told = api_poll(url, "/heartbeat", on_phone);
	api_expect_problem(told, 409, "place_moved");
	WR_AUTO(http_answer_free_at)
	struct http_answer *beat = api_poll(url, "/heartbeat", on_laptop);
	api_expect_place(beat, "waiting");
	/* And back. */
	WR_AUTO(http_answer_free_at) struct http_answer *again = join_person("person", NULL, eve);
	WR_AUTO(mem_free_at) char *on_phone_again = http_answer_text(again, "token");
	api_await(url, on_laptop, 5000, "place_moved");
	WR_AUTO(http_answer_free_at)
	struct http_answer *held = api_poll(url, "/heartbeat", on_phone_again);
	api_expect_place(held, "waiting");
	/* A pod that starts reads who holds what before it answers. */
	stack_restart_pod(stack, 0);
	url = stack_url(stack, 0);
	WR_AUTO(http_answer_free_at) struct http_answer *later = api_poll(url, "/heartbeat", on_laptop);
	api_expect_problem(later, 409, "place_moved");
}

static void another_person_and_another_queue_are_other_places(void **state)
{
	(void)state;
	WR_AUTO(http_answer_free_at) struct http_answer *ann = join_person("person", NULL, ANN);
	WR_AUTO(http_answer_free_at)
	struct http_answer *bob = join_person("person", NULL, ",\"identity\":\"bob@example.org\"");
	WR_AUTO(http_answer_free_at)
	struct http_answer *elsewhere = join_person("acme/person", NULL, ANN);
	assert_int_equal(bob->status, 201);
	assert_int_equal(elsewhere->status, 201);
	WR_AUTO(mem_free_at) char *ann_id = http_answer_text(ann, "position_id");
	WR_AUTO(mem_free_at) char *elsewhere_id = http_answer_text(elsewhere, "position_id");
	assert_string_not_equal(ann_id, elsewhere_id);
}

static void the_store_never_holds_the_identity(void **state)
{
	(void)state;
	WR_AUTO(http_answer_free_at)
	struct http_answer *answer = join_person("person", NULL, ",\"identity\":\"zoe-secret\"");
	assert_int_equal(
		api_store_number(stack, "EVAL \"local n = 0 for _, k in ipairs(redis.call('KEYS', '*')) do "
								"if string.find(k .. redis.call('DUMP', k), 'zoe', 1, true) then "
								"n = n + 1 end end return n\" 0"),
		0);
}

static void a_person_who_left_may_come_again(void **state)
{
	(void)state;
	static const char cid[] = ",\"identity\":\"cid\"";
	WR_AUTO(http_answer_free_at) struct http_answer *first = join_person("person", NULL, cid);
	WR_AUTO(mem_free_at) char *token = http_answer_text(first, "token");
	WR_AUTO(http_answer_free_at) struct http_answer *left = api_poll(url, "/leave", token);
	api_expect_status(left, 200);
	WR_AUTO(http_answer_free_at) struct http_answer *again = join_person("person", NULL, cid);
	assert_int_equal(again->status, 201);
	WR_AUTO(mem_free_at) char *one = http_answer_text(first, "position_id");
	WR_AUTO(mem_free_at) char *other = http_answer_text(again, "position_id");
	assert_string_not_equal(one, other);
	WR_AUTO(mem_free_at) char *second = http_answer_text(again, "token");
	WR_AUTO(mem_free_at) char *named = api_position_id(second);
	assert_string_equal(named, other);
	WR_AUTO(http_answer_free_at) struct http_answer *third = join_person("person", NULL, cid);
	assert_int_equal(third->status, 200);
	WR_AUTO(mem_free_at) char *third_id = http_answer_text(third, "position_id");
	assert_string_equal(third_id, other);
}

static void a_person_who_walks_straight_in_finds_the_session_on_the_other_device(void **state)
{
	(void)state;
	static const char dan[] = ",\"identity\":\"dan\"";
	WR_AUTO(http_answer_free_at) struct http_answer *phone = join_person("straight", NULL, dan);
	WR_AUTO(http_answer_free_at) struct http_answer *laptop = join_person("straight", NULL, dan);
	api_expect_place(phone, "admitted");
	api_expect_place(laptop, "admitted");
	WR_AUTO(mem_free_at) char *one = http_answer_text(phone, "position_id");
	WR_AUTO(mem_free_at) char *other = http_answer_text(laptop, "position_id");
	assert_string_equal(one, other);
	assert_int_equal(api_store_number(stack, "ZCARD wr:{default/straight}:sessions"), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_room_for_invited_people_takes_nobody_else),
		cmocka_unit_test(an_invitation_is_good_for_one_place_and_for_repeating_that_join),
		cmocka_unit_test(a_reusable_invitation_is_good_for_many),
		cmocka_unit_test(an_invitation_to_another_queue_is_refused),
		cmocka_unit_test(an_old_invitation_is_refused),
		cmocka_unit_test(a_token_opens_the_lane_that_it_names),
		cmocka_unit_test(a_lane_that_is_not_open_is_not_reached_by_asking),
		cmocka_unit_test(a_token_for_a_lane_that_is_not_there_is_refused),
		cmocka_unit_test(a_bad_token_is_refused_also_where_none_is_needed),
		cmocka_unit_test(a_person_on_two_devices_has_one_place),
		cmocka_unit_test(the_older_device_is_told_that_the_place_moved_both_ways),
		cmocka_unit_test(another_person_and_another_queue_are_other_places),
		cmocka_unit_test(the_store_never_holds_the_identity),
		cmocka_unit_test(a_person_who_left_may_come_again),
		cmocka_unit_test(a_person_who_walks_straight_in_finds_the_session_on_the_other_device),
	};
	return cmocka_run_group_tests(tests, open_room, shared_stack_close);
}
