/* What is shown at the door: challenges and entry tokens that are good once, and persons, who have
 * one place however often they come. */
#include "support/cmocka.h"
#include "support/room.h"
#include "support/shared_redis.h"

#include <stdlib.h>
#include <string.h>

/* Second in which a holder was raised, from the start of the room. */
static int holder_of(const char *answer)
{
	const char *at = answer;
	for (int i = 0; i < 4 && at; i++)
		at = strchr(at + 1, ':');
	return at ? (int)(strtoll(at + 1, NULL, 10) - ROOM_START_MS / 1000) : -1;
}

/* ---- proofs ---- */

static void a_proof_is_good_for_one_place(void **state)
{
	(void)state;
	struct room *room = room_open(client, "capacity=0");
	assert_string_equal(room_join(room, "ann!n:one:600"), "new:w:1:1");
	assert_string_equal(room_join(room, "bob!n:one:600"), "replayed:-:0:0");
	assert_string_equal(room_join(room, "bob!n:two:600"), "new:w:2:2");
	room_free(room);
}

static void a_proof_is_good_for_one_place_of_a_batch_too(void **state)
{
	(void)state;
	struct room *room = room_open(client, "capacity=0");
	assert_string_equal(room_join(room, "ann!n:one:600 bob!n:one:600 ann!n:one:600"),
						"new:w:1:1 replayed:-:0:0 same:w:1:1");
	room_free(room);
}

static void a_repeated_join_succeeds_with_the_proof_of_its_first_try(void **state)
{
	(void)state;
	struct room *room = room_open(client, "capacity=0");
	room_join(room, "ann!n:one:600+j:token:600");
	assert_string_equal(room_join(room, "ann!n:one:600+j:token:600"), "same:w:1:0");
	assert_string_equal(room_events(room), "enqueued ann");
	room_free(room);
}

static void a_proof_outlives_a_try_that_made_no_place(void **state)
{
	(void)state;
	struct room *room = room_open(client, "capacity=0 max_waiting=1");
	room_join(room, "ann");
	assert_string_equal(room_join(room, "bob!n:one:600"), "full:-:0:0");
	room_set(room, "max_waiting=2");
	assert_string_equal(room_join(room, "bob!n:one:600"), "new:w:2:2");
	room_free(room);
}

static void a_proof_is_forgotten_after_its_life(void **state)
{
	(void)state;
	struct room *room = room_open(client, "capacity=0");
	room_join(room, "ann!n:one:77+j:token:88");
	assert_in_range(redis_number(client, "TTL %sspent:n:one", room->prefix), 60, 77);
	assert_in_range(redis_number(client, "TTL %sspent:j:token", room->prefix), 60, 88);
	room_free(room);
}

static void proofs_of_two_queues_and_two_kinds_are_not_the_same(void **state)
{
	(void)state;
	struct room *room = room_open(client, "capacity=0"), *other = room_open(client, "capacity=0");
	room_join(room, "ann!n:one:600");
	assert_string_equal(room_join(other, "bob!n:one:600"), "new:w:1:1");
	assert_string_equal(room_join(room, "bob!j:one:600"), "new:w:2:2");
	assert_string_equal(room_join(room, "cid!j:one:600"), "used:-:0:0");
	room_free(room);
	room_free(other);
}

static void a_replayed_proof_does_not_count_against_the_network(void **state)
{
	(void)state;
	struct room *room = room_open(client, "capacity=0 joins_per_network_per_minute=2");
	room_join(room, "ann%10.0.0.0!n:one:600");
	for (int i = 0; i < 5; i++)
		assert_string_equal(room_join(room, "bob%10.0.0.0!n:one:600"), "replayed:-:0:0");
	assert_string_equal(room_join(room, "bob%10.0.0.0!n:two:600"), "new:w:2:2");
	assert_string_equal(room_join(room, "cid%10.0.0.0!n:three:600"), "rate:-:0:0");
	room_free(room);
}

static void a_proof_that_is_too_old_is_good_for_a_place_that_is_there_already(void **state)
{
	(void)state;
	struct room *room = room_open(client, "capacity=0");
	assert_string_equal(room_join(room, "ann!x"), "replayed:-:0:0");
	room_join(room, "ann!n:one:600");
	assert_string_equal(room_join(room, "ann!x"), "same:w:1:0");
	room_free(room);
}

/* ---- traces ---- */

#define TRACE "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
#define ANOTHER_TRACE "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"

static void a_place_keeps_the_trace_that_made_it_and_others_keep_none(void **state)
{
	(void)state;
	struct room *room = room_open(client, "capacity=0");
	assert_string_equal(room_join(room, "ann!t:" TRACE " bob"), "new:w:1:1 new:w:2:2");
	assert_string_equal(room_field(room, "ann", "tp"), TRACE);
	assert_string_equal(room_field(room, "bob", "tp"), "");
	assert_string_equal(room_join(room, "ann!t:" ANOTHER_TRACE), "same:w:1:0");
	assert_string_equal(room_field(room, "ann", "tp"), TRACE);
	assert_string_equal(room_join(room, "cid!n:nonce:60+t:" ANOTHER_TRACE), "new:w:3:3");
	assert_string_equal(room_field(room, "cid", "tp"), ANOTHER_TRACE);
	assert_string_equal(room_join(room, "dan!n:nonce:60+t:" TRACE), "replayed:-:0:0");
	room_free(room);
}

/* ---- persons ---- */

static void a_person_who_comes_again_takes_the_place_over(void **state)
{
	(void)state;
	struct room *room = room_open(client, "capacity=0");
	assert_string_equal(room_join(room, "ann!i:ann2"), "new:w:1:1:0:ann");
	room_pass(room, 5000);
	const char *again = room_join(room, "ann!i:ann3");
	assert_memory_equal(again, "same:w:1:0:", 11);
	assert_int_equal(holder_of(again), 5);
	assert_string_equal(room_events(room), "enqueued ann");
	room_free(room);
}

static void a_holder_grows_also_within_one_second_and_when_the_clock_steps_back(void **state)
{
	(void)state;
	struct room *room = room_open(client, "capacity=0");
	room_join(room, "ann!i:ann2");
	assert_int_equal(holder_of(room_join(room, "ann!i:ann2")), 0);
	assert_int_equal(holder_of(room_join(room, "ann!i:ann2")), 1);
	room->now_ms -= 60000;
	assert_int_equal(holder_of(room_join(room, "ann!i:ann2")), 2);
	room_pass(room, 90000);
	assert_int_equal(holder_of(room_join(room, "ann!i:ann2")), 30);
	room_free(room);
}

static void pods_are_told_of_every_take_over(void **state)
{
	(void)state;
	struct room *room = room_open(client, "capacity=0");
	room_join(room, "ann!i:ann2 bob");
	assert_int_equal(redis_number(client, "EXISTS %srevocations", room->prefix), 0);
	room_join(room, "ann!i:ann2");
	room_join(room, "bob");
	redisReply *entries = redis_run(client, "XRANGE %srevocations - +", room->prefix);
	assert_int_equal(entries->elements, 1);
	redisReply *fields = entries->element[0]->element[1];
	assert_string_equal(fields->element[0]->str, "r");
	assert_string_equal(fields->element[1]->str, "m ann 1700000000");
	freeReplyObject(entries);
	room_free(room);
}

static void a_person_twice_in_a_batch_has_one_place_and_the_later_one_holds_it(void **state)
{
	(void)state;
	struct room *room = room_open(client, "capacity=0");
	const char *answer = room_join(room, "ann!i:ann2 ann!i:ann3");
	assert_string_equal(answer, "new:w:1:1:0:ann same:w:1:1:1700000000:ann");
	assert_string_equal(room_field(room, "ann", "h"), "1700000000");
	room_free(room);
}

static void a_person_whose_place_has_ended_gets_a_new_one(void **state)
{
	(void)state;
	struct room *room = room_open(client, "capacity=0");
	room_join(room, "ann!i:ann2");
	room_release(room, "leave", "ann");
	assert_string_equal(room_join(room, "ann!i:ann2"), "new:w:2:1:0:ann2");
	/* And that one from then on. */
	assert_memory_equal(room_join(room, "ann!i:ann3"), "same:w:2:0:", 11);
	assert_string_equal(room_look(room, "ann ann2 ann3"), "l w -");
	room_release(room, "leave", "ann2");
	assert_string_equal(room_join(room, "ann!i:ann4"), "new:w:3:1:0:ann4");
	room_free(room);
}

static void a_second_place_is_found_after_the_first_has_been_forgotten(void **state)
{
	(void)state;
	struct room *room = room_open(client, "capacity=0");
	room_join(room, "ann!i:ann2");
	room_release(room, "leave", "ann");
	room_join(room, "ann!i:ann2");
	redis_number(client, "DEL %sposition:ann", room->prefix);
	assert_memory_equal(room_join(room, "ann!i:ann3"), "same:w:2:0:", 11);
	room_free(room);
}

static void a_person_who_has_been_let_in_takes_the_turn_over(void **state)
{
	(void)state;
	struct room *room = room_open(client, "capacity=1");
	assert_string_equal(room_join(room, "ann!i:ann2"), "new:a:1:0:0:ann");
	assert_memory_equal(room_join(room, "ann!i:ann3"), "same:a:1:0:", 11);
	room_poll(room, "ann");
	assert_memory_equal(room_join(room, "ann!i:ann4"), "same:c:1:0:", 11);
	room_free(room);
}

static void a_used_entry_token_still_finds_the_place_of_its_person(void **state)
{
	(void)state;
	struct room *room = room_open(client, "capacity=0");
	room_join(room, "ann!j:token:600+i:ann2");
	assert_memory_equal(room_join(room, "ann!j:token:600+i:ann3"), "same:w:1:0:", 11);
	room_release(room, "leave", "ann");
	assert_string_equal(room_join(room, "ann!j:token:600+i:ann4"), "used:-:0:0");
	room_free(room);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_proof_is_good_for_one_place),
		cmocka_unit_test(a_proof_is_good_for_one_place_of_a_batch_too),
		cmocka_unit_test(a_repeated_join_succeeds_with_the_proof_of_its_first_try),
		cmocka_unit_test(a_proof_outlives_a_try_that_made_no_place),
		cmocka_unit_test(a_proof_is_forgotten_after_its_life),
		cmocka_unit_test(proofs_of_two_queues_and_two_kinds_are_not_the_same),
		cmocka_unit_test(a_replayed_proof_does_not_count_against_the_network),
		cmocka_unit_test(a_proof_that_is_too_old_is_good_for_a_place_that_is_there_already),
		cmocka_unit_test(a_place_keeps_the_trace_that_made_it_and_others_keep_none),
		cmocka_unit_test(a_person_who_comes_again_takes_the_place_over),
		cmocka_unit_test(a_holder_grows_also_within_one_second_and_when_the_clock_steps_back),
		cmocka_unit_test(pods_are_told_of_every_take_over),
		cmocka_unit_test(a_person_twice_in_a_batch_has_one_place_and_the_later_one_holds_it),
		cmocka_unit_test(a_person_whose_place_has_ended_gets_a_new_one),
		cmocka_unit_test(a_second_place_is_found_after_the_first_has_been_forgotten),
		cmocka_unit_test(a_person_who_has_been_let_in_takes_the_turn_over),
		cmocka_unit_test(a_used_entry_token_still_finds_the_place_of_its_person),
	};
	return cmocka_run_group_tests(tests, shared_redis_open, shared_redis_close);
}
