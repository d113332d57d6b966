/* What the steps keep of a place's past, for support: fields i, c, x, n and the notes in k. */
#include "support/cmocka.h"
#include "support/room.h"
#include "support/room_text.h"
#include "support/shared_redis.h"

#include <inttypes.h>
#include <string.h>

/* The room's time some ms ago, between two texts. */
static const char *at(struct room *room, const char *before, int64_t ago_ms, const char *after)
{
	return room_lend_print(room, "%s%" PRId64 "%s", before, room->now_ms - ago_ms, after);
}

static void somebody_who_waits_has_no_past(void **state)
{
	(void)state;
	struct room *room = room_open(client, "capacity=0");
	room_join(room, "ann");
	for (int i = 0; i < 5; i++) {
		room_beat(room, "ann");
		room_pass(room, 60000);
	}
	static const char *const fields[] = {"i", "c", "x", "n", "k", "a", "b"};
	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++)
		assert_string_equal(room_field(room, "ann", fields[i]), "");
	room_free(room);
}

/* When they were let in, as a look tells it: "" when it does not. */
static const char *let_in(struct room *room, const char *person)
{
	const char *argv[] = {"id", person};
	redisReply *reply =
		redis_script(room->client, "support_look", room->settings_key, room->now_ms, 2, argv);
	const char *text = room_lend_print(room, "%s", reply->element[3 + 9]->str);
	freeReplyObject(reply);
	return text;
}

static void letting_in_claiming_and_ending_are_dated(void **state)
{
	(void)state;
	struct room *room = room_open(client, "capacity=0");
	room_join(room, "ann");
	room_beat(room, "ann");
	assert_string_equal(let_in(room, "ann"), "");
	room_set(room, "capacity=1");
	assert_string_equal(room_admit(room), "1 in 0 aside");
	assert_string_equal(let_in(room, "ann"), at(room, "", 0, ""));
	room_pass(room, 1000);
	room_poll(room, "ann");
	assert_string_equal(let_in(room, "ann"), at(room, "", 1000, ""));
	assert_string_equal(room_field(room, "ann", "c"), at(room, "", 0, ""));
	room_pass(room, 2000);
	room_release(room, "release", "ann");
	assert_string_equal(room_field(room, "ann", "x"), at(room, "", 0, " released"));
	assert_string_equal(let_in(room, "ann"), at(room, "", 3000, ""));
	room_free(room);
}

static void walking_straight_in_is_dated(void **state)
{
	(void)state;
	struct room *room = room_open(client, "");
	assert_string_equal(room_join(room, "ann"), "new:a:1:0");
	room_pass(room, 1000);
	assert_string_equal(let_in(room, "ann"), at(room, "", 1000, ""));
	room_free(room);
}

static void when_a_missed_turn_came_is_kept(void **state)
{
	(void)state;
	struct room *room = room_open(client, "claim_ttl_ms=60000");
	room_join(room, "late left");
	room_pass(room, 1000);
	room_release(room, "leave", "left");
	assert_string_equal(let_in(room, "left"), at(room, "", 1000, ""));
	room_pass(room, 60000);
	assert_string_equal(room_reap(room), "0 expired 1 missed 0 ended");
	assert_string_equal(let_in(room, "late"), at(room, "", 61000, ""));
	room_free(room);
}

static void when_a_turn_came_is_kept_when_it_is_prolonged(void **state)
{
	(void)state;
	struct room *room = room_open(client, "claim_ttl_ms=60000");
	room_join(room, "ann");
	room_pass_unheard(room, 600000);
	assert_string_equal(room_reap(room), "0 expired 0 missed 0 ended"); /* our outage */
	assert_string_equal(let_in(room, "ann"), at(room, "", 600000, ""));
	room_pass(room, 60000);
	room_reap(room);
	assert_string_equal(room_field(room, "ann", "s"), "m");
	assert_string_equal(let_in(room, "ann"), at(room, "", 660000, ""));
	room_free(room);
}

static void why_a_place_ended_is_kept(void **state)
{
	(void)state;
	struct room *room = room_open(client, "capacity=3 heartbeat_ttl_ms=60000");
	room_join(room, "miss kick time gone");
	assert_string_equal(room_poll(room, "kick time"), "c c");
	room_release(room, "revoke", "kick");
	room_release(room, "leave", "gone");
	room_set(room, "capacity=0");
	room_join(room, "hush ghost");
	room_beat(room, "hush");
	for (int i = 0; i < 100; i++) {
		room_pass(room, 10000);
		room_reap(room);
	}
	static const struct {
		const char *who, *state, *why;
	} rows[] = {{"miss", "m", "missed"},  {"kick", "e", "revoked"}, {"gone", "l", "left"},
				{"time", "e", "session"}, {"hush", "x", "silent"},	{"ghost", "x", "ghost"}};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		assert_string_equal(room_field(room, rows[i].who, "s"), rows[i].state);
		assert_string_equal(strchr(room_field(room, rows[i].who, "x"), ' ') + 1, rows[i].why);
	}
	room_free(room);
}

/* ---- gaps ---- */

static void a_gap_is_noted_when_it_is_longer_than_a_hidden_tab_takes(void **state)
{
	(void)state;
	struct room *room = room_open(client, "capacity=0");
	room_join(room, "ann bob");
	room_beat(room, "ann bob");
	room_pass(room, 75000);
	room_beat(room, "ann");
	assert_string_equal(room_field(room, "ann", "k"), "");
	room_pass(room, 1);
	room_beat(room, "bob");
	assert_string_equal(room_field(room, "bob", "k"), at(room, "g", 0, ":75001"));
	room_free(room);
}

static void polls_that_are_asked_for_less_often_have_longer_gaps(void **state)
{
	(void)state;
	struct room *room = room_open(client, "capacity=0 poll_max_ms=100000");
	room_join(room, "ann");
	room_beat(room, "ann");
	room_pass(room, 200000);
	room_beat(room, "ann");
	assert_string_equal(room_field(room, "ann", "k"), "");
	room_free(room);
}

static void a_first_heartbeat_is_no_gap(void **state)
{
	(void)state;
	struct room *room = room_open(client, "capacity=0");
	room_join(room, "ann");
	room_pass(room, 100000);
	room_beat(room, "ann");
	assert_string_equal(room_field(room, "ann", "k"), "");
	room_free(room);
}

static void nobodys_gap_is_our_outage(void **state)
{
	(void)state;
	struct room *room = room_open(client, "capacity=0");
	room_join(room, "ann bob");
	room_beat(room, "ann bob");
	room_pass_unheard(room, 600000); /* no pod, no admitter */
	room_beat(room, "ann");			 /* the first pod that is back */
	room_reap(room);				 /* the admitter is, too: patience begins anew */
	room_pass(room, 1000);
	room_beat(room, "bob");
	assert_string_equal(room_field(room, "ann", "k"), "");
	assert_string_equal(room_field(room, "bob", "k"), "");
	room_free(room);
}

/* ---- notes ---- */

static void being_set_aside_is_dated_and_noted_when_it_is_over(void **state)
{
	(void)state;
	struct room *room = room_open(client, "capacity=0");
	room_join(room, "ann");
	room_beat(room, "ann");
	room_pass(room, 90001);
	room_set(room, "capacity=1");
	assert_string_equal(room_admit(room), "0 in 1 aside");
	assert_string_equal(room_field(room, "ann", "a"), at(room, "", 0, ""));
	assert_string_equal(room_field(room, "ann", "k"), "");
	room_pass(room, 5000);
	assert_string_equal(room_poll(room, "ann ann"), "w^ w^");
	assert_string_equal(room_field(room, "ann", "a"), "");
	const char *aside = at(room, "a", 5000, "");
	assert_string_equal(room_field(room, "ann", "k"),
						room_lend_print(room, "%s %s", aside, at(room, "b", 0, "")));
	room_free(room);
}

static void a_place_that_was_taken_over_has_it_noted(void **state)
{
	(void)state;
	struct room *room = room_open(client, "capacity=0");
	room_join(room, "ann!i:ann2");
	assert_string_equal(room_field(room, "ann", "k"), "");
	room_pass(room, 1000);
	room_join(room, "ann!i:ann3");
	assert_string_equal(room_field(room, "ann", "k"), at(room, "m", 0, ""));
	room_free(room);
}

static void a_place_that_the_store_had_lost_has_it_noted(void **state)
{
	(void)state;
	struct room *room = room_open(client, "capacity=0");
	assert_string_equal(room_restore(room, room->epoch, "ann:5"), "w");
	assert_string_equal(room_field(room, "ann", "k"), at(room, "r", 0, ":failover"));
	room_free(room);
}

static void the_last_sixteen_notes_are_kept(void **state)
{
	(void)state;
	struct room *room = room_open(client, "capacity=0 heartbeat_ttl_ms=600000");
	room_join(room, "ann");
	room_beat(room, "ann");
	for (int i = 0; i < 20; i++) {
		room_pass(room, 80000 + i);
		room_beat(room, "ann");
	}
	struct room_words notes;
	room_split(room, room_field(room, "ann", "k"), &notes);
	assert_int_equal(notes.count, 16);
	assert_string_equal(notes.word[15], at(room, "g", 0, ":80019"));
	assert_non_null(strstr(notes.word[0], ":80004"));
	room_free(room);
}

static void what_was_before_an_operator_put_the_place_back_is_noted(void **state)
{
	(void)state;
	struct room *room = room_open(client, "");
	room_join(room, "ann");
	room_pass(room, 1000);
	room_poll(room, "ann");
	room_pass(room, 1000);
	room_release(room, "revoke", "ann");
	room_pass(room, 1000);
	room_call(room, "support_restore", 6, (const char *[]){"ann", "", "", "", "", ""});
	const char *notes =
		room_lend_print(room, "%s %s %s %s", at(room, "i", 3000, ""), at(room, "c", 2000, ""),
						at(room, "E", 1000, ":revoked"), at(room, "r", 0, ":operator"));
	assert_string_equal(room_field(room, "ann", "k"), notes);
	static const char *const fields[] = {"i", "c", "x", "e"};
	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++)
		assert_string_equal(room_field(room, "ann", fields[i]), "");
	room_free(room);
}

/* ---- looking ---- */

static void a_look_shows_all_that_is_kept(void **state)
{
	(void)state;
	struct room *room = room_open(client, "capacity=0");
	room_join(room, "ann");
	room_beat(room, "ann");
	const char *argv[] = {"id", "nobody", "ann"};
	assert_string_equal(
		room_call(room, "support_look", 3, argv),
		room_lend_print(room, "ok %" PRId64 " %s ann w main 1 %" PRId64 "          %" PRId64 "  ",
						room->now_ms, room->epoch, room->now_ms, room->now_ms));
	room_free(room);
}

static void a_person_is_found_under_both_ids(void **state)
{
	(void)state;
	struct room *room = room_open(client, "capacity=0");
	room_join(room, "ann!i:ann2");
	room_release(room, "leave", "ann");
	room_join(room, "ann!i:ann3");
	const char *text = room_call(room, "support_look", 2, (const char *[]){"person", "ann"});
	assert_non_null(strstr(text, " ann l main 1 "));
	assert_non_null(strstr(text, " ann3 w main 2 "));
	room_free(room);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(somebody_who_waits_has_no_past),
		cmocka_unit_test(letting_in_claiming_and_ending_are_dated),
		cmocka_unit_test(walking_straight_in_is_dated),
		cmocka_unit_test(when_a_missed_turn_came_is_kept),
		cmocka_unit_test(when_a_turn_came_is_kept_when_it_is_prolonged),
		cmocka_unit_test(why_a_place_ended_is_kept),
		cmocka_unit_test(a_gap_is_noted_when_it_is_longer_than_a_hidden_tab_takes),
		cmocka_unit_test(polls_that_are_asked_for_less_often_have_longer_gaps),
		cmocka_unit_test(a_first_heartbeat_is_no_gap),
		cmocka_unit_test(nobodys_gap_is_our_outage),
		cmocka_unit_test(being_set_aside_is_dated_and_noted_when_it_is_over),
		cmocka_unit_test(a_place_that_was_taken_over_has_it_noted),
		cmocka_unit_test(a_place_that_the_store_had_lost_has_it_noted),
		cmocka_unit_test(the_last_sixteen_notes_are_kept),
		cmocka_unit_test(what_was_before_an_operator_put_the_place_back_is_noted),
		cmocka_unit_test(a_look_shows_all_that_is_kept),
		cmocka_unit_test(a_person_is_found_under_both_ids),
	};
	return cmocka_run_group_tests(tests, shared_redis_open, shared_redis_close);
}
