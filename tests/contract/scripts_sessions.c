/* Sessions on the site: entered with a pass once, ended before their token, put back from it. */
#include "support/cmocka.h"
#include "support/room.h"
#include "support/room_text.h"
#include "support/shared_redis.h"

#include <stdio.h>
#include <string.h>

#define TTL_MS 900000 /* of a session, as the rooms have it */

/* What a script answers behind 'ok' and the time. */
static const char *answer_of(struct room *room, const char *script, size_t argc,
							 const char *const argv[])
{
	const char *text = room_call(room, script, argc, argv);
	char expected[40];
	snprintf(expected, sizeof(expected), "ok %lld ", (long long)room->now_ms);
	return strncmp(text, expected, strlen(expected)) == 0 ? text + strlen(expected) : text;
}

/* people: "pass:person pass:person"; gives "ok <ends, ms from now>" each. */
static const char *redeem(struct room *room, const char *people)
{
	struct room_words words;
	room_split(room, people, &words);
	const char *argv[ROOM_WORDS_MAX] = {"180000"};
	for (size_t i = 0; i < words.count; i++) {
		const char *colon = strchr(words.word[i], ':');
		argv[1 + 2 * i] =
			room_lend_print(room, "%.*s", (int)(colon - words.word[i]), words.word[i]);
		argv[2 + 2 * i] = colon + 1;
	}
	const char *answer = answer_of(room, "redeem", 1 + 2 * words.count, argv), *text = "";
	char code[16];
	long long ends;
	for (int used = 0; sscanf(answer, "%15s %lld %n", code, &ends, &used) == 2; answer += used)
		text = room_lend_print(room, "%s%s%s %lld", text, *text ? " " : "", code,
							   ends ? ends - (long long)room->now_ms : 0);
	return *text ? text : answer;
}

/* people: "ann:<ticket>:<ms to the end>"; state letters. */
static const char *put_back(struct room *room, const char *epoch, const char *people)
{
	struct room_words words;
	room_split(room, people, &words);
	const char *argv[ROOM_WORDS_MAX];
	for (size_t i = 0; i < words.count; i++) {
		char id[32];
		int ticket;
		long long left;
		assert_int_equal(sscanf(words.word[i], "%31[a-z]:%d:%lld", id, &ticket, &left), 3);
		argv[5 * i] = room_lend_print(room, "%s", id);
		argv[5 * i + 1] = epoch;
		argv[5 * i + 2] = "main";
		argv[5 * i + 3] = room_lend_print(room, "%d", ticket);
		argv[5 * i + 4] = room_lend_print(room, "%lld", (long long)room->now_ms + left);
	}
	return answer_of(room, "session_restore", 5 * words.count, argv);
}

/* Items of the stream, with times from the start of the room: "s ann 960,s bob 960 m cid 7". */
static const char *revocations(struct room *room)
{
	redisReply *entries = redis_run(client, "XRANGE %srevocations - +", room->prefix);
	const char *text = "";
	for (size_t i = 0; i < entries->elements; i++) {
		char items[256], *rest = items;
		snprintf(items, sizeof(items), "%s", entries->element[i]->element[1]->element[1]->str);
		for (char *item; (item = strsep(&rest, ","));) {
			char kind, id[32];
			long long number;
			assert_int_equal(sscanf(item, "%c %31s %lld", &kind, id, &number), 3);
			text = room_lend_print(room, "%s%s%c %s %lld", text, *text ? ", " : "", kind, id,
								   number - ROOM_START_MS / 1000);
		}
	}
	freeReplyObject(entries);
	return text;
}

/* Ann and bob are on the site, cid has been let in, dan waits. */
static struct room *room_with_people(const char *more)
{
	struct room *room = room_open(client, "");
	room_set(room, "capacity=3");
	if (*more)
		room_set(room, more);
	room_join(room, "ann bob cid dan");
	room_poll(room, "ann bob");
	room_beat(room, "dan");
	assert_string_equal(room_look(room, "ann bob cid dan"), "c c a w");
	room_events(room);
	return room;
}

/* ---- passes ---- */

static void a_pass_is_good_once(void **state)
{
	(void)state;
	struct room *room = room_with_people("");
	assert_string_equal(redeem(room, "p1:ann"), "ok 900000");
	assert_string_equal(redeem(room, "p1:ann"), "used 900000");
	assert_string_equal(redeem(room, "p2:ann"), "ok 900000");
	assert_string_equal(room_events(room), "");
	room_free(room);
}

static void a_pass_that_comes_twice_in_one_batch_is_good_once(void **state)
{
	(void)state;
	struct room *room = room_with_people("");
	assert_string_equal(redeem(room, "p1:ann p2:bob p1:ann"), "ok 900000 ok 900000 used 900000");
	room_free(room);
}

static void a_used_pass_is_remembered_longer_than_it_is_good_and_not_for_ever(void **state)
{
	(void)state;
	struct room *room = room_with_people("");
	redeem(room, "p1:ann");
	assert_in_range(redis_number(client, "PTTL %spass:p1", room->prefix), 170000, 180000);
	room_free(room);
}

static void a_pass_buys_nothing_where_there_is_no_session(void **state)
{
	(void)state;
	struct room *room = room_with_people("");
	room_release(room, "release", "ann");
	assert_string_equal(redeem(room, "p1:ann p2:cid p3:dan p4:eve"),
						"ended 0 ended 0 ended 0 ended 0");
	assert_int_equal(redis_number(client, "EXISTS %spass:p2", room->prefix), 0);
	room_free(room);
}

static void a_pass_is_too_late_when_the_session_has_run_out(void **state)
{
	(void)state;
	struct room *room = room_with_people("");
	room_pass(room, TTL_MS - 1);
	assert_string_equal(redeem(room, "p1:ann"), "ok 1");
	room_pass(room, 1); /* not reaped yet */
	assert_string_equal(redeem(room, "p2:ann"), "ended 0");
	room_free(room);
}

static void passes_of_no_queue_are_refused_as_a_whole(void **state)
{
	(void)state;
	struct room *room = room_of_nobody(client);
	assert_string_equal(redeem(room, "p1:ann"), "noqueue");
	assert_string_equal(put_back(room, "E", "ann:1:1000"), "noqueue");
	room_free(room);
}

/* ---- revocations ---- */

static void sessions_that_end_before_their_token_are_told(void **state)
{
	(void)state;
	struct room *room = room_with_people("");
	room_pass(room, 60000);
	room_release(room, "release", "ann");
	room_release(room, "revoke", "bob");
	/* a renewal of this moment may not have been told: its end, and a minute for clocks */
	assert_string_equal(revocations(room), "s ann 1020, s bob 1020");
	room_free(room);
}

static void those_of_one_call_are_told_together(void **state)
{
	(void)state;
	struct room *room = room_with_people("");
	room_release(room, "leave", "ann bob cid dan eve");
	assert_string_equal(revocations(room), "s ann 960, s bob 960");
	assert_int_equal(redis_number(client, "XLEN %srevocations", room->prefix), 1);
	room_free(room);
}

static void who_has_no_session_is_not_told_of(void **state)
{
	(void)state;
	struct room *room = room_with_people("");
	room_release(room, "release", "cid dan eve");
	room_release(room, "leave", "cid dan");
	room_release(room, "release", "ann");
	room_release(room, "release", "ann");
	room_release(room, "renew", "bob");
	assert_string_equal(revocations(room), "s ann 960");
	room_free(room);
}

static void a_revocation_is_told_whatever_the_store_remembers_but_not_of_the_line(void **state)
{
	(void)state;
	struct room *room = room_with_people("");
	assert_string_equal(room_release(room, "revoke", "dan eve"), "w -");
	assert_string_equal(revocations(room), "s eve 960");
	assert_string_equal(room_events(room), "");
	room_free(room);
}

static void a_renewal_that_comes_after_the_end_is_told_as_a_revocation(void **state)
{
	(void)state;
	struct room *room = room_with_people("session_renewal=1");
	room_pass(room, TTL_MS);
	room_settle(room);
	assert_string_equal(room_look(room, "ann"), "e");
	assert_string_equal(room_release(room, "renew", "ann cid"), "e m");
	assert_string_equal(revocations(room), "s ann 1860");
	assert_string_equal(redeem(room, "p1:ann"), "ended 0");
	room_free(room);
}

static void a_token_that_outlives_a_shorter_setting_is_told_of_until_its_end(void **state)
{
	(void)state;
	struct room *room = room_with_people("");
	room_set(room, "session_ttl_ms=1000");
	room_release(room, "release", "ann");
	assert_string_equal(revocations(room), "s ann 960");
	room_free(room);
}

static void what_nobody_needs_any_more_is_forgotten(void **state)
{
	(void)state;
	struct room *room = room_with_people("");
	room_release(room, "release", "ann");
	room_pass(room, 1000);
	room_release(room, "release", "bob");
	room_pass(room, 959000); /* ann's is over, bob's is not quite */
	room_settle(room);
	assert_string_equal(revocations(room), "s ann 960, s bob 961");
	room_pass(room, 1);
	room_settle(room);
	assert_string_equal(revocations(room), "s bob 961");
	room_pass(room, 1000);
	room_settle(room);
	assert_string_equal(revocations(room), "");
	room_free(room);
}

static void a_pod_is_given_revocations_in_portions_and_only_when_it_asks(void **state)
{
	(void)state;
	struct room *room = room_with_people("");
	room_release(room, "release", "ann");
	room_release(room, "release", "bob");
	static const char *const none[] = {"0", "1", "100", ""};
	static const char *const all[] = {"0", "1", "100", "0"};
	static const char *const one[] = {"0", "1", "1", "0"};
	assert_null(strstr(room_call(room, "sync", 4, none), "s ann"));
	assert_non_null(strstr(room_call(room, "sync", 4, all), "s bob "));
	const char *text = room_call(room, "sync", 4, one);
	const char *entry = strstr(text, " s ann ");
	assert_non_null(entry);
	while (entry[-1] != '[')
		entry--;
	assert_null(strstr(text, "s bob"));
	char id[32];
	assert_int_equal(sscanf(entry, "%31s s ann", id), 1);
	const char *const rest[] = {"0", "1", "100", id};
	text = room_call(room, "sync", 4, rest);
	assert_null(strstr(text, "s ann"));
	assert_non_null(strstr(text, "s bob "));
	room_free(room);
}

/* ---- lost and put back ---- */

static const char *const revived[] = {
	"state=open lanes=main:1:open capacity=3 rate_per_minute=60000 "
	"burst=100 max_waiting=100 poll_max_ms=5000 session_ttl_ms=900000",
	"lost main 4"};

static struct room *lost_room(void)
{
	struct room *room = room_of_nobody(client);
	room_put(room, "revive", "", revived[0], revived[1]);
	room_events(room);
	return room;
}

static void a_session_comes_back_after_a_total_loss_and_takes_its_slot(void **state)
{
	(void)state;
	struct room *room = lost_room();
	assert_string_equal(put_back(room, "lost", "ann:1:60000 bob:2:50000"), "c c");
	assert_string_equal(room_set_of(room, "sessions"), "bob ann");
	assert_int_equal(room_ends_in(room, "ann"), 60000);
	assert_string_equal(room_history(room, "ann"), "admitted claimed");
	assert_int_equal(room_in_line(room, "main"), 2); /* 3 and 4 may still come */
	assert_string_equal(put_back(room, "lost", "ann:1:60000"), "c");
	assert_string_equal(room_history(room, "ann"), "admitted claimed");
	room_free(room);
}

static void capacity_counts_those_who_came_back(void **state)
{
	(void)state;
	struct room *room = lost_room();
	put_back(room, "lost", "ann:1:600000 bob:2:600000");
	room_restore(room, "lost", "cid@main:3 dan@main:4");
	room_settle(room); /* somebody listens: the recovery window begins */
	room_pass(room, 14000);
	room_settle(room);
	assert_string_equal(room_look(room, "cid dan"), "w w");
	room_pass(room, 1000);
	room_settle(room);
	assert_string_equal(room_look(room, "cid dan"), "a w");
	assert_int_equal(room_in_line(room, "main"), 1);
	room_free(room);
}

static void tokens_of_other_lives_bring_nothing_back(void **state)
{
	(void)state;
	struct room *room = lost_room();
	assert_string_equal(put_back(room, "older", "ann:1:60000"), "-");
	assert_string_equal(put_back(room, "lost", "ann:1:0"), "-");	 /* over */
	assert_string_equal(put_back(room, "lost", "ann:0:60000"), "-"); /* of no place */
	assert_string_equal(room_set_of(room, "sessions"), "");
	assert_string_equal(room_events(room), "");
	room_free(room);
}

static void a_place_that_waits_again_leaves_the_line_when_its_session_is_seen(void **state)
{
	(void)state;
	struct room *room = room_with_people("");
	room_release(room, "leave", "ann bob cid"); /* in truth nobody left: a replica took over */
	room_join(room, "eve");
	room_beat(room, "dan eve");
	assert_string_equal(put_back(room, room->epoch, "dan:4:60000"), "c");
	assert_string_equal(room_history(room, "dan"), "enqueued admitted claimed");
	assert_int_equal(room_in_line(room, "main"), 1);
	assert_string_equal(room_set_of(room, "heartbeats"), "eve");
	assert_string_equal(room_admit(room), "1 in 0 aside");
	assert_string_equal(room_look(room, "dan eve"), "c a");
	assert_string_equal(room_set_of(room, "sessions"), "dan eve");
	room_free(room);
}

static void a_turn_that_was_claimed_before_the_loss_is_claimed(void **state)
{
	(void)state;
	struct room *room = room_with_people("");
	assert_string_equal(put_back(room, room->epoch, "cid:3:60000 cid:3:60000"), "c c");
	assert_string_equal(room_history(room, "cid"), "enqueued admitted claimed");
	assert_int_equal(room_ends_in(room, "cid"), 60000);
	room_free(room);
}

static void an_end_is_never_moved_towards_now(void **state)
{
	(void)state;
	struct room *room = room_with_people("");
	assert_string_equal(put_back(room, room->epoch, "ann:1:60000 bob:2:960000"), "c c");
	assert_int_equal(room_ends_in(room, "ann"), 900000);
	assert_int_equal(room_ends_in(room, "bob"), 960000);
	assert_string_equal(room_events(room), "");
	room_free(room);
}

static void a_session_that_was_ended_stays_ended(void **state)
{
	(void)state;
	struct room *room = room_with_people("");
	room_release(room, "revoke", "ann");
	room_release(room, "leave", "dan");
	room_events(room);
	assert_string_equal(put_back(room, room->epoch, "ann:1:60000 dan:4:60000"), "e l");
	assert_string_equal(room_events(room), "");
	room_free(room);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_pass_is_good_once),
		cmocka_unit_test(a_pass_that_comes_twice_in_one_batch_is_good_once),
		cmocka_unit_test(a_used_pass_is_remembered_longer_than_it_is_good_and_not_for_ever),
		cmocka_unit_test(a_pass_buys_nothing_where_there_is_no_session),
		cmocka_unit_test(a_pass_is_too_late_when_the_session_has_run_out),
		cmocka_unit_test(passes_of_no_queue_are_refused_as_a_whole),
		cmocka_unit_test(sessions_that_end_before_their_token_are_told),
		cmocka_unit_test(those_of_one_call_are_told_together),
		cmocka_unit_test(who_has_no_session_is_not_told_of),
		cmocka_unit_test(a_revocation_is_told_whatever_the_store_remembers_but_not_of_the_line),
		cmocka_unit_test(a_renewal_that_comes_after_the_end_is_told_as_a_revocation),
		cmocka_unit_test(a_token_that_outlives_a_shorter_setting_is_told_of_until_its_end),
		cmocka_unit_test(what_nobody_needs_any_more_is_forgotten),
		cmocka_unit_test(a_pod_is_given_revocations_in_portions_and_only_when_it_asks),
		cmocka_unit_test(a_session_comes_back_after_a_total_loss_and_takes_its_slot),
		cmocka_unit_test(capacity_counts_those_who_came_back),
		cmocka_unit_test(tokens_of_other_lives_bring_nothing_back),
		cmocka_unit_test(a_place_that_waits_again_leaves_the_line_when_its_session_is_seen),
		cmocka_unit_test(a_turn_that_was_claimed_before_the_loss_is_claimed),
		cmocka_unit_test(an_end_is_never_moved_towards_now),
		cmocka_unit_test(a_session_that_was_ended_stays_ended),
	};
	return cmocka_run_group_tests(tests, shared_redis_open, shared_redis_close);
}
