/* The lives of a queue whose store has lost everything, perhaps more than once: whose tokens count
 * in the next one, what pods add to it that come later, and who stands where.
 */
#include "support/cmocka.h"
#include "support/room.h"
#include "support/shared_redis.h"
#include "waitingroom/memory.h"

#include <stdio.h>
#include <string.h>

#define REVIVED                                                                                    \
	"state=open lanes=main:1:open capacity=9 rate_per_minute=60000 burst=100 max_waiting=100 "     \
	"poll_max_ms=5000"

static void a_queue_that_is_lost_twice_takes_the_tokens_of_both_lives(void **state)
{
	(void)state;
	struct room *room = room_open(client, "capacity=0");
	char first[sizeof(room->epoch)], second[sizeof(room->epoch)], rest[64];
	room_join(room, "ann bob");
	memcpy(first, room->epoch, sizeof(first));
	room_lose_everything(room);
	snprintf(rest, sizeof(rest), "%s main 2", first);
	room_put(room, "revive", "", REVIVED, rest);
	room_pass(room, 1000);
	room_join(room, "cid");
	memcpy(second, room->epoch, sizeof(second));
	room_lose_everything(room);
	snprintf(rest, sizeof(rest), "%s,%s main 3", second, first);
	room_put(room, "revive", "", REVIVED, rest);
	room_pass(room, 1000);

	assert_string_equal(room_restore(room, "older", "eve:1"), "-");
	assert_string_equal(room_restore(room, second, "cid:3"), "w");
	assert_string_equal(room_restore(room, first, "bob:2 ann:1"), "w w");
	snprintf(room->seen_epoch, sizeof(room->seen_epoch), "%s", first);
	snprintf(room->seen, sizeof(room->seen), "main 7");
	assert_string_equal(room_join(room, "dan"), "new:w:8:8");
	assert_string_equal(room_admit(room), "0 in 0 aside");
	room_pass(room, 15000);
	room_beat(room, "ann bob cid dan");
	room_settle(room);
	assert_string_equal(room_look(room, "ann bob cid dan"), "a a a a");
	room_free(room);
}

static void pods_that_come_later_add_what_they_know_to_a_revived_queue(void **state)
{
	(void)state;
	struct room *room = room_of_nobody(client);
	room_put(room, "revive", "", REVIVED, "lifeb,lifea main 10");
	room_put(room, "revive", "", REVIVED, "other main 90"); /* of another queue */
	room_put(room, "revive", "", REVIVED, "lifeb,lifea main 12 nolane 7");
	room_put(room, "revive", "1", REVIVED, "lifec,lifea main 5");
	WR_AUTO(mem_free_at)
	char *lives = redis_text(client, "HGET %scounts lost_epochs", room->prefix);
	assert_string_equal(lives, "lifeb,lifea,lifec");
	room_pass(room, 1000);
	assert_string_equal(room_join(room, "dan"), "new:w:13:13");
	assert_string_equal(room_restore(room, "lifec", "cid:5"), "w");
	assert_string_equal(room_restore(room, "lifea", "ann:1"), "w");
	assert_string_equal(room_restore(room, "other", "eve:90"), "-");
	assert_int_equal(redis_number(client, "EXISTS %sticket:nolane", room->prefix), 0);
	room_free(room);
}

/* They had been let in, or set aside: nobody behind has counted them. */
static void who_had_left_the_line_comes_back_to_the_front_and_no_number_grows(void **state)
{
	(void)state;
	struct room *room = room_of_nobody(client);
	room_put(room, "revive", "", REVIVED, "lost main 5");
	assert_string_equal(room_restore(room, "lost", "^ann:1 bob:2 ^cid:3 dan:4"), "w w w w");
	assert_string_equal(room_restore(room, "lost", "^ann:1 ^dan:4"), "w w");
	assert_int_equal(room_in_line(room, "main"), 3); /* bob, dan, and 5 who has not come yet */
	room_admit(room);
	room_pass(room, 15000);
	room_beat(room, "ann bob cid dan");
	room_events(room);
	room_settle(room);
	assert_string_equal(room_events(room), "admitted ann returned, admitted cid returned, "
										   "admitted bob line, admitted dan line");
	assert_int_equal(room_in_line(room, "main"), 0);
	room_free(room);
}

static void no_more_than_eight_lives_are_kept(void **state)
{
	(void)state;
	struct room *room = room_of_nobody(client);
	room_put(room, "revive", "", REVIVED, "l7,l6,l5,l4,l3,l2,l1 main 1");
	room_put(room, "revive", "", REVIVED, "l9,l8,l7,l6 main 1");
	WR_AUTO(mem_free_at)
	char *lives = redis_text(client, "HGET %scounts lost_epochs", room->prefix);
	assert_string_equal(lives, "l7,l6,l5,l4,l3,l2,l1,l9");
	room_free(room);
}

/* A pod that started with a file, on a store that had lost everything, was faster than those that
 * knew. */
static void a_queue_that_was_made_on_an_empty_store_is_revived_all_the_same(void **state)
{
	(void)state;
	struct room *room = room_of_nobody(client);
	room_put(room, "put", "", REVIVED, "");
	room_put(room, "revive", "1", REVIVED, "lost main 4");
	room_pass(room, 1000);
	assert_string_equal(room_join(room, "dan"), "new:w:5:5");
	assert_string_equal(room_restore(room, "lost", "bob:2"), "w");
	room_beat(room, "dan bob");
	assert_string_equal(room_admit(room), "0 in 0 aside");
	room_pass(room, 15000);
	room_settle(room);
	assert_string_equal(room_look(room, "bob dan"), "a a");
	room_free(room);
}

/* All pods started anew with the store: nobody knows of the queue's former life but its
 * visitors. */
static void a_token_alone_revives_a_queue_that_was_made_where_nothing_was(void **state)
{
	(void)state;
	struct room *room = room_of_nobody(client);
	room_put(room, "put", "", REVIVED, "");
	assert_string_equal(room_restore(room, "lost", "cid@nolane:3"), "-");
	static const char *const argv[] = {"0", "0", "100"};
	assert_non_null(strstr(room_call(room, "sync", 3, argv), "  0 1 ")); /* not recovering */
	assert_string_equal(room_restore(room, "lost", "cid:3 ann:1"), "w w");
	assert_non_null(strstr(room_call(room, "sync", 3, argv), " lost 1 1 "));
	assert_string_equal(room_join(room, "dan"), "busy:-:0:0");
	room_pass(room, 1000);
	assert_string_equal(room_join(room, "dan"), "new:w:4:4");
	assert_string_equal(room_admit(room), "0 in 0 aside");
	assert_string_equal(room_restore(room, "earlier", "bob:2"), "w"); /* it was lost twice */
	room_pass(room, 15000);
	room_beat(room, "ann bob cid dan");
	room_events(room);
	room_settle(room);
	assert_string_equal(room_events(room), "admitted ann line, admitted bob line, "
										   "admitted cid line, admitted dan line");
	room_free(room);
}

static void a_queue_that_has_been_there_for_long_believes_no_token_of_another_life(void **state)
{
	(void)state;
	struct room *room = room_of_nobody(client);
	room_put(room, "put", "", REVIVED, "");
	room_pass(room, 600000);
	assert_string_equal(room_restore(room, "lost", "cid:3"), "-");
	room_put(room, "revive", "1", REVIVED, "lost main 4");
	assert_string_equal(room_restore(room, "lost", "cid:3"), "-");
	room_free(room);
}

static void a_queue_that_was_deleted_and_made_anew_takes_no_tokens_of_before(void **state)
{
	(void)state;
	struct room *room = room_open(client, "capacity=9");
	char first[sizeof(room->epoch)], rest[64];
	room_join(room, "ann");
	memcpy(first, room->epoch, sizeof(first));
	static const char *const argv[] = {"500", "{}", ""};
	while (strncmp(room_call(room, "queue_delete", 3, argv), "more", 4) == 0)
		;
	room_put(room, "put", "", REVIVED, "");
	snprintf(rest, sizeof(rest), "%s main 1", first);
	room_put(room, "revive", "", REVIVED, rest);
	assert_string_equal(room_restore(room, first, "ann:1"), "-");
	assert_memory_equal(room_join(room, "bob"), "new:a:1:", 8);
	room_free(room);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_queue_that_is_lost_twice_takes_the_tokens_of_both_lives),
		cmocka_unit_test(pods_that_come_later_add_what_they_know_to_a_revived_queue),
		cmocka_unit_test(no_more_than_eight_lives_are_kept),
		cmocka_unit_test(a_queue_that_was_made_on_an_empty_store_is_revived_all_the_same),
		cmocka_unit_test(a_token_alone_revives_a_queue_that_was_made_where_nothing_was),
		cmocka_unit_test(a_queue_that_has_been_there_for_long_believes_no_token_of_another_life),
		cmocka_unit_test(a_queue_that_was_deleted_and_made_anew_takes_no_tokens_of_before),
		cmocka_unit_test(who_had_left_the_line_comes_back_to_the_front_and_no_number_grows),
	};
	return cmocka_run_group_tests(tests, shared_redis_open, shared_redis_close);
}
