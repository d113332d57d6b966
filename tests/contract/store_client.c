/* The client's steps of people, against the real scripts in a real Redis: what is written arrives,
 * and every kind of answer is read as what it means. */
#include "support/cmocka.h"
#include "support/demo_queue.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- helpers ---- */

static int hold_demo(void **state)
{
	shared_ask_empty(state);
	demo_put_held();
	return 0;
}

static struct join join_of(const char *id)
{
	return (struct join){.position_id = id,
						 .lane = "main",
						 .target = "",
						 .user = "",
						 .request_hash = "hash",
						 .network = ""};
}

static const struct joined *join_one(const struct join *person)
{
	const struct ask_people *answer = ask_join(ask, &demo, person, 1);
	assert_int_equal(answer->err, WR_OK);
	assert_int_equal(answer->count, 1);
	return &answer->joined[0];
}

static enum place_state state_of(const store_id id)
{
	const struct ask_people *answer = ask_visit(ask, &demo, false, (const store_id *)id, 1);
	assert_int_equal(answer->err, WR_OK);
	return answer->visits[0].state;
}

static void let_in(int count)
{
	const struct ask_queue *answer = ask_admit(ask, &demo, 500, (uint64_t)count);
	assert_int_equal(answer->err, WR_OK);
	assert_int_equal(answer->admitted.admitted, count);
}

static void assert_no_queue(enum wr_err err)
{
	assert_string_equal(err_code(err), err_code(WR_NO_QUEUE));
}

/* ---- join ---- */

static void a_new_place_waits_at_the_end_of_its_lane(void **state)
{
	(void)state;
	demo_join("main", 1, 3, false);
	struct join person = join_of("person0000000004");
	const struct joined *joined = join_one(&person);
	assert_int_equal(joined->code, JOIN_NEW);
	assert_int_equal(joined->state, PLACE_WAITING);
	assert_string_equal(joined->lane, "main");
	assert_int_equal(joined->ticket, 4);
	assert_int_equal(joined->position, 4);
	assert_int_equal(joined->joined_ms, ask->people.now_ms);
	assert_int_equal(strlen(ask->people.epoch), EPOCH_CHARS);
	assert_true(ask->people.now_ms > 1700000000000);
}

static void join_twice_keeps_the_first_place(void **state)
{
	(void)state;
	struct join person = join_of("person0000000001");
	int64_t joined_ms = join_one(&person)->joined_ms;
	demo_join("main", 2, 5, false);
	const struct joined *again = join_one(&person);
	assert_int_equal(again->code, JOIN_SAME);
	assert_int_equal(again->ticket, 1);
	assert_int_equal(again->joined_ms, joined_ms);
	assert_int_equal(again->state, PLACE_WAITING);
}

static void the_same_id_twice_in_one_batch_is_one_place(void **state)
{
	(void)state;
	struct join people[] = {join_of("person0000000001"), join_of("person0000000001")};
	const struct ask_people *answer = ask_join(ask, &demo, people, 2);
	assert_int_equal(answer->joined[0].code, JOIN_NEW);
	assert_int_equal(answer->joined[1].code, JOIN_SAME);
	assert_int_equal(answer->joined[1].ticket, answer->joined[0].ticket);
}

static void another_request_under_the_same_id_is_refused(void **state)
{
	(void)state;
	struct join person = join_of("person0000000001");
	join_one(&person);
	person.request_hash = "other";
	assert_int_equal(join_one(&person)->code, JOIN_REUSED);
}

static void a_closed_queue_takes_nobody_new(void **state)
{
	(void)state;
	struct join first = join_of("person0000000001"), second = join_of("person0000000002");
	join_one(&first);
	assert_int_equal(ask_patch(ask, &demo, "state", "closed")->err, WR_OK);
	assert_int_equal(join_one(&first)->code, JOIN_SAME);
	const struct joined *refused = join_one(&second);
	assert_int_equal(refused->code, JOIN_CLOSED);
	assert_int_equal(refused->state, PLACE_NONE);
	assert_int_equal(refused->ticket, 0);
}

static void a_full_line_takes_nobody_more(void **state)
{
	(void)state;
	ask_patch(ask, &demo, "max_waiting", "2");
	demo_join("main", 1, 2, false);
	struct join person = join_of("person0000000003");
	assert_int_equal(join_one(&person)->code, JOIN_FULL);
}

static void nobody_joins_past_the_limit_of_the_outbox(void **state)
{
	(void)state;
	struct join person = join_of("person0000000001");
	for (int i = 0; i < 3; i++)
		assert_int_equal(ask_do(ask, "XADD " DEMO "outbox * type x")->err, WR_OK);
	assert_int_equal(ask_join_limited(ask, &demo, 4, &person, 1)->joined[0].code, JOIN_BUSY);
	assert_int_equal(ask_join_limited(ask, &demo, 5, &person, 1)->joined[0].code, JOIN_NEW);
}

static void one_network_joins_so_often_per_minute(void **state)
{
	(void)state;
	ask_patch(ask, &demo, "joins_per_network_per_minute", "2");
	static const char *const ids[] = {"person0000000001", "person0000000002", "person0000000003",
									  "person0000000004"};
	static const char *const networks[] = {"192.0.2.0", "192.0.2.0", "192.0.2.0", "198.51.100.0"};
	static const enum join_code codes[] = {JOIN_NEW, JOIN_NEW, JOIN_RATE, JOIN_NEW};
	for (int i = 0; i < 4; i++) {
		struct join person = join_of(ids[i]);
		person.network = networks[i];
		assert_int_equal(join_one(&person)->code, codes[i]);
	}
}

static void an_unknown_lane_is_named_as_such(void **state)
{
	(void)state;
	struct join person = join_of("person0000000001");
	person.lane = "vip";
	const struct joined *joined = join_one(&person);
	assert_int_equal(joined->code, JOIN_LANE);
	assert_string_equal(joined->lane, "vip");
}

static void an_empty_room_is_invisible(void **state)
{
	(void)state;
	ask_patch(ask, &demo, "state", "open");
	struct join person = join_of("person0000000001");
	const struct joined *joined = join_one(&person);
	assert_int_equal(joined->code, JOIN_NEW);
	assert_int_equal(joined->state, PLACE_ADMITTED);
}

static void a_whole_batch_is_answered_in_its_order(void **state)
{
	(void)state;
	demo_join("main", 1, STORE_PEOPLE_MAX, false);
	for (size_t i = 0; i < STORE_PEOPLE_MAX; i++)
		assert_int_equal(ask->people.joined[i].ticket, i + 1);
}

static void long_texts_of_any_bytes_arrive_whole(void **state)
{
	(void)state;
	char target[2049], user[1024];
	memset(target, 'x', sizeof(target) - 1);
	target[sizeof(target) - 1] = '\0';
	snprintf(user, sizeof(user), "{\"name\":\"J\xc3\xb6rg\\r\\n\",\"line\":\"a\nb\r\nc\"}");
	struct join person = join_of("person0000000001");
	person.target = target;
	person.user = user;
	assert_int_equal(join_one(&person)->code, JOIN_NEW);
	ask_do(ask, "HGET " DEMO "position:person0000000001 u");
	assert_string_equal(ask->raw.text, user);
	ask_do(ask, "HGET " DEMO "position:person0000000001 g");
	assert_string_equal(ask->raw.text, target);
}

static void a_higher_ticket_seen_raises_the_counter(void **state)
{
	(void)state;
	struct join person = join_of("person0000000001");
	char epoch[EPOCH_CHARS + 1];
	strcpy(epoch, ask_sync(ask, &demo, "", 0, 10)->synced.epoch);
	struct seen_ticket seen = {.lane = "main", .ticket = 41};
	assert_int_equal(ask_join_seen(ask, &demo, "otherepoch0", &seen, &person, 1)->joined[0].ticket,
					 1);
	person.position_id = "person0000000002";
	assert_int_equal(ask_join_seen(ask, &demo, epoch, &seen, &person, 1)->joined[0].ticket, 42);
}

/* ---- heartbeat ---- */

static void a_heartbeat_names_those_whom_nobody_holds(void **state)
{
	(void)state;
	demo_join("main", 1, 4, false);
	store_id ids[] = {"person0000000001", "nobody0000000001", "person0000000003",
					  "nobody0000000002"};
	const struct ask_people *answer = ask_heartbeat(ask, &demo, ids, 4);
	assert_int_equal(answer->err, WR_OK);
	assert_int_equal(answer->count, 2);
	assert_int_equal(answer->missing[0], 1);
	assert_int_equal(answer->missing[1], 3);
	/* the same again within the same millisecond must not make anybody missing */
	assert_int_equal(ask_heartbeat(ask, &demo, ids, 4)->count, 2);
}

static void a_heartbeat_of_nobody_only_leaves_the_mark(void **state)
{
	(void)state;
	const struct ask_people *answer = ask_heartbeat(ask, &demo, NULL, 0);
	assert_int_equal(answer->err, WR_OK);
	int64_t now_ms = answer->now_ms;
	ask_do(ask, "HGET " DEMO "clock flush_ms");
	assert_int_equal(strtoll(ask->raw.text, NULL, 10), now_ms);
}

/* ---- visit ---- */

static void a_look_tells_and_changes_nothing(void **state)
{
	(void)state;
	struct join person = join_of("person0000000001");
	person.target = "https://shop.example/sale";
	join_one(&person);
	store_id ids[] = {"person0000000001", "nobody0000000001"};
	const struct ask_people *answer = ask_visit(ask, &demo, false, ids, 2);
	assert_int_equal(answer->count, 2);
	const struct visit *visit = &answer->visits[0];
	assert_int_equal(visit->state, PLACE_WAITING);
	assert_string_equal(visit->lane, "main");
	assert_int_equal(visit->ticket, 1);
	assert_true(visit->joined_ms > 0);
	assert_int_equal(visit->position, 1);
	assert_string_equal(visit->target, "https://shop.example/sale");
	assert_int_equal(answer->visits[1].state, PLACE_NONE);
	ask_do(ask, "ZSCORE " DEMO "heartbeats person0000000001");
	assert_true(ask->raw.text[0] == '-'); /* still a ghost */
}

static void a_poll_of_an_admitted_place_claims_it_once(void **state)
{
	(void)state;
	demo_join("main", 1, 1, true);
	let_in(1);
	store_id id = "person0000000001";
	const struct ask_people *look = ask_visit(ask, &demo, false, &id, 1);
	assert_int_equal(look->visits[0].state, PLACE_ADMITTED);
	assert_true(look->visits[0].ends_ms > look->now_ms);
	const struct ask_people *poll = ask_visit(ask, &demo, true, &id, 1);
	assert_int_equal(poll->visits[0].state, PLACE_CLAIMED);
	int64_t ends_ms = poll->visits[0].ends_ms;
	assert_int_equal(ends_ms, poll->now_ms + 900000);
	assert_int_equal(ask_visit(ask, &demo, true, &id, 1)->visits[0].ends_ms, ends_ms);
}

static void somebody_set_aside_comes_back_to_the_front(void **state)
{
	(void)state;
	demo_join("main", 1, 1, false); /* a ghost: absent when the turn comes */
	demo_make_older(1);
	demo_join("main", 2, 3, true);
	ask_admit(ask, &demo, 500, 1);
	assert_int_equal(ask->queue.admitted.set_aside, 1);
	assert_int_equal(ask->queue.admitted.admitted, 1);
	store_id absent = "person0000000001", second = "person0000000002";
	assert_int_equal(state_of(second), PLACE_ADMITTED);
	const struct ask_people *poll = ask_visit(ask, &demo, true, &absent, 1);
	assert_int_equal(poll->visits[0].state, PLACE_WAITING);
	assert_int_equal(poll->visits[0].position, 1);
	let_in(1);
	assert_int_equal(state_of(absent), PLACE_ADMITTED);
}

/* ---- leave, release, revoke, renew ---- */

static void each_way_of_giving_up_ends_what_it_should(void **state)
{
	(void)state;
	static const struct {
		enum place_state from;
		enum store_release what;
		enum place_state to;
	} moves[] = {
		{PLACE_WAITING, STORE_LEAVE, PLACE_LEFT},
		{PLACE_ADMITTED, STORE_LEAVE, PLACE_MISSED},
		{PLACE_CLAIMED, STORE_LEAVE, PLACE_ENDED},
		{PLACE_WAITING, STORE_RELEASE, PLACE_WAITING},
		{PLACE_ADMITTED, STORE_RELEASE, PLACE_ADMITTED},
		{PLACE_CLAIMED, STORE_RELEASE, PLACE_ENDED},
		{PLACE_WAITING, STORE_REVOKE, PLACE_WAITING},
		{PLACE_ADMITTED, STORE_REVOKE, PLACE_MISSED},
		{PLACE_CLAIMED, STORE_REVOKE, PLACE_ENDED},
	};
	for (int i = 0; i < (int)(sizeof(moves) / sizeof(moves[0])); i++) {
		store_id id;
		hold_demo(NULL);
		demo_join("main", i, i, true);
		demo_person_id(id, i);
		if (moves[i].from != PLACE_WAITING)
			let_in(1);
		if (moves[i].from == PLACE_CLAIMED)
			ask_visit(ask, &demo, true, &id, 1);
		for (int again = 0; again < 2; again++) {
			const struct ask_people *answer = ask_release(ask, &demo, moves[i].what, &id, 1);
			assert_int_equal(answer->err, WR_OK);
			assert_int_equal(answer->released[0].state, moves[i].to);
		}
		assert_int_equal(state_of(id), moves[i].to);
	}
	store_id nobody = "nobody0000000001";
	assert_int_equal(ask_release(ask, &demo, STORE_LEAVE, &nobody, 1)->released[0].state,
					 PLACE_NONE);
}

static void a_session_is_renewed_only_where_the_queue_says_so(void **state)
{
	(void)state;
	demo_join("main", 1, 1, true);
	let_in(1);
	store_id id = "person0000000001";
	int64_t ends_ms = ask_visit(ask, &demo, true, &id, 1)->visits[0].ends_ms;
	assert_int_equal(ask_release(ask, &demo, STORE_RENEW, &id, 1)->released[0].ends_ms, ends_ms);
	ask_patch(ask, &demo, "session_renewal", "1");
	ask_patch(ask, &demo, "session_ttl_ms", "2000000");
	const struct ask_people *renewed = ask_release(ask, &demo, STORE_RENEW, &id, 1);
	assert_int_equal(renewed->released[0].state, PLACE_CLAIMED);
	assert_int_equal(renewed->released[0].ends_ms, renewed->now_ms + 2000000);
}

/* ---- restore ---- */

static void a_lost_place_comes_back_with_its_ticket(void **state)
{
	(void)state;
	demo_join("main", 1, 3, true);
	struct lost_place lost = {
		.position_id = "person0000000002", .lane = "main", .ticket = 2, .joined_ms = 1234};
	strcpy(lost.epoch,
		   ask->people.epoch[0] ? ask->people.epoch : ask_sync(ask, &demo, "", 0, 1)->synced.epoch);
	assert_int_equal(ask_restore(ask, &demo, &lost, 1)->states[0], PLACE_WAITING);
	ask_do(ask, "DEL " DEMO "position:person0000000002");
	ask_do(ask, "ZREM " DEMO "heartbeats person0000000002");
	assert_int_equal(ask_restore(ask, &demo, &lost, 1)->states[0], PLACE_WAITING);
	store_id id = "person0000000002";
	const struct ask_people *look = ask_visit(ask, &demo, false, &id, 1);
	assert_int_equal(look->visits[0].ticket, 2);
	assert_int_equal(look->visits[0].joined_ms, 1234);
	ask_admit(ask, &demo, 500, 500);
	assert_int_equal(ask->queue.admitted.admitted, 3); /* and nobody twice */
	strcpy(lost.epoch, "otherepoch0");
	ask_do(ask, "HDEL " DEMO "counts from_nothing"); /* as if it had been made long ago */
	memcpy(lost.position_id, "person0000000009", sizeof(lost.position_id));
	lost.ticket = 9;
	assert_int_equal(ask_restore(ask, &demo, &lost, 1)->states[0], PLACE_NONE);
}

/* ---- no queue ---- */

static void every_step_of_people_says_when_there_is_no_queue(void **state)
{
	(void)state;
	static const struct queue_name none = {"default", "none"};
	store_id id = "person0000000001";
	struct join person = join_of(id);
	struct lost_place lost = {.position_id = "person0000000001", .lane = "main", .ticket = 2};
	assert_no_queue(ask_join(ask, &none, &person, 1)->err);
	assert_no_queue(ask_heartbeat(ask, &none, &id, 1)->err);
	assert_no_queue(ask_visit(ask, &none, true, &id, 1)->err);
	assert_no_queue(ask_release(ask, &none, STORE_LEAVE, &id, 1)->err);
	assert_no_queue(ask_restore(ask, &none, &lost, 1)->err);
}

#define TEST(name) cmocka_unit_test_setup(name, hold_demo)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_new_place_waits_at_the_end_of_its_lane),
		TEST(join_twice_keeps_the_first_place),
		TEST(the_same_id_twice_in_one_batch_is_one_place),
		TEST(another_request_under_the_same_id_is_refused),
		TEST(a_closed_queue_takes_nobody_new),
		TEST(a_full_line_takes_nobody_more),
		TEST(nobody_joins_past_the_limit_of_the_outbox),
		TEST(one_network_joins_so_often_per_minute),
		TEST(an_unknown_lane_is_named_as_such),
		TEST(an_empty_room_is_invisible),
		TEST(a_whole_batch_is_answered_in_its_order),
		TEST(long_texts_of_any_bytes_arrive_whole),
		TEST(a_higher_ticket_seen_raises_the_counter),
		TEST(a_heartbeat_names_those_whom_nobody_holds),
		TEST(a_heartbeat_of_nobody_only_leaves_the_mark),
		TEST(a_look_tells_and_changes_nothing),
		TEST(a_poll_of_an_admitted_place_claims_it_once),
		TEST(somebody_set_aside_comes_back_to_the_front),
		TEST(each_way_of_giving_up_ends_what_it_should),
		TEST(a_session_is_renewed_only_where_the_queue_says_so),
		TEST(a_lost_place_comes_back_with_its_ticket),
		TEST(every_step_of_people_says_when_there_is_no_queue),
	};
	return cmocka_run_group_tests_name("store_client", tests, shared_ask_open, shared_ask_close);
}
