/* A store that is lost in the middle of a step, and a replica that has a prefix of its writes.
 *
 * DragonflyDB does not replicate a script as one: after a failover any prefix of its writes may be
 * what is there. For every step and every prefix: the step is cut there, visitors do what browsers
 * do (they repeat what was not answered, poll, and show their tokens when the store does not know
 * them), admitters go on. In the end everybody who stayed has been in exactly once and nothing is
 * left in line, in the sets, or in the counts. An event without its change may be there, but under
 * the same name as the one that comes with the change.
 *
 * The cuts are made in Lua 5.4 outside Redis (support/script_host.h).
 */
#include "support/cmocka.h"
#include "support/cut_scene.h"
#include "support/room.h"
#include "support/room_text.h"
#include "support/shared_redis.h"

#include <stdio.h>
#include <string.h>

#define CUTS_MAX 200

static struct redis_client *cutter;

static int start(void **state)
{
	shared_redis_open(state);
	cutter = redis_client_new_hosted(server, "lua5.4");
	return 0;
}

static int stop(void **state)
{
	redis_client_free(cutter);
	return shared_redis_close(state);
}

/* ---- every cut of one step ---- */

/* Runs a script up to a write; gives whether there were more. */
static bool run_cut(struct room *room, int writes, const char *script, size_t argc,
					const char *const argv[])
{
	room->client = cutter;
	redis_cut_after(cutter, writes);
	bool was_cut = strstr(room_call(room, script, argc, argv), "cut") != NULL;
	room->client = client;
	return was_cut;
}

typedef void (*scene_fn)(struct scene *scene);

static void cut_everywhere(const char *script, const char *const argv[], size_t argc,
						   scene_fn prepare)
{
	for (int writes = 0; writes < CUTS_MAX; writes++) {
		struct scene scene;
		scene_set(&scene, client);
		if (prepare)
			prepare(&scene);
		bool was_cut = run_cut(scene.room, writes, script, argc, argv);
		scene_live_on(&scene);
		scene_assert_all_is_well(&scene, script, writes);
		room_free(scene.room);
		if (!was_cut) {
			assert_in_range(writes, 1, CUTS_MAX);
			return;
		}
	}
	fail_msg("%s never comes to its end", script);
}

#define CUT_EVERYWHERE(script, prepare, ...)                                                       \
	do {                                                                                           \
		const char *const words_[] = {__VA_ARGS__};                                                \
		cut_everywhere((script), words_, sizeof(words_) / sizeof(*words_), (prepare));             \
	} while (0)

static void a_join_that_was_cut_ends_well(void **state)
{
	(void)state;
	CUT_EVERYWHERE("enqueue", NULL, "1000", "", "0", "ivy", "main", "", "", "", "", "", "jon",
				   "main", "", "", "", "", "");
}

static void empty_the_room(struct scene *scene)
{
	struct room *room = scene->room;
	room_release(room, "leave", "bob gus hal cid dan eve fay");
	for (size_t i = 0; i < 8; i++)
		scene->visitors[i].stays = false;
	room_admit(room);
}

static void walking_straight_in_ends_well_when_it_was_cut(void **state)
{
	(void)state;
	CUT_EVERYWHERE("enqueue", empty_the_room, "1000", "", "0", "ivy", "main", "", "", "", "", "",
				   "jon", "main", "", "", "", "", "");
}

static void ivy_and_jon_have_papers(struct scene *scene)
{
	scene_visitor(scene, "ivy")->join = "ivy!n:proof:600";
	scene_visitor(scene, "jon")->join = "jon!n:other:600+j:token:600";
}

static void a_join_with_papers_that_was_cut_can_be_repeated_with_them(void **state)
{
	(void)state;
	CUT_EVERYWHERE("enqueue", ivy_and_jon_have_papers, "1000", "", "0", "ivy", "main", "", "", "",
				   "", "n:proof:600", "jon", "main", "", "", "", "", "n:other:600 j:token:600");
}

static void taking_a_place_over_ends_well_when_it_was_cut(void **state)
{
	(void)state;
	CUT_EVERYWHERE("enqueue", NULL, "1000", "", "0", "dan", "main", "", "", "", "", "i:dan2", "hal",
				   "main", "", "", "", "", "i:hal2");
}

/* Dan has left and joins again as the same person, twice when there was no answer. */
static void dan_comes_again(struct scene *scene)
{
	struct visitor *dan = scene_visitor(scene, "dan"), *again = scene_visitor(scene, "jon");
	room_release(scene->room, "leave", "dan");
	dan->stays = false;
	*again = (struct visitor){.id = "again", .stays = true, .join = "dan!i:dan3"};
}

static void a_second_place_of_a_person_ends_well_when_it_was_cut(void **state)
{
	(void)state;
	CUT_EVERYWHERE("enqueue", dan_comes_again, "1000", "", "0", "dan", "main", "", "", "", "",
				   "i:dan2");
}

static void heartbeats_that_were_cut_end_well(void **state)
{
	(void)state;
	CUT_EVERYWHERE("heartbeat", NULL, "cid", "dan");
}

static void polls_that_were_cut_end_well(void **state)
{
	(void)state;
	CUT_EVERYWHERE("visit", NULL, "poll", "bob", "gus", "hal", "cid");
}

static void cid_hal_and_bob_go(struct scene *scene)
{
	scene_visitor(scene, "cid")->stays = false;
	scene_visitor(scene, "hal")->stays = false;
	scene_visitor(scene, "bob")->stays = false;
}

static void leaving_that_was_cut_ends_well(void **state)
{
	(void)state;
	CUT_EVERYWHERE("release", cid_hal_and_bob_go, "leave", "cid", "hal", "bob");
}

static void bob_comes_in(struct scene *scene)
{
	room_poll(scene->room, "bob");
	scene_visitor(scene, "bob")->stays = false;
}

static void a_release_that_was_cut_ends_well(void **state)
{
	(void)state;
	CUT_EVERYWHERE("release", bob_comes_in, "release", "bob");
}

/* Whatever was cut: no session has ended without the pods having been told. */
static void a_session_that_ended_is_told_of_wherever_its_revocation_was_cut(void **state)
{
	(void)state;
	static const char *const argv[] = {"revoke", "bob"};
	for (int writes = 0; writes < CUTS_MAX; writes++) {
		struct scene scene;
		scene_set(&scene, client);
		bob_comes_in(&scene);
		bool was_cut = run_cut(scene.room, writes, "release", 2, argv);
		bool has_ended = *room_field(scene.room, "bob", "s") == 'e';
		bool is_told = redis_number(client, "XLEN %srevocations", scene.room->prefix) > 0;
		if (has_ended && !is_told)
			fail_msg("cut after %d: ended and not told", writes);
		scene_live_on(&scene);
		scene_assert_all_is_well(&scene, "release", writes);
		room_free(scene.room);
		if (!was_cut) {
			assert_true(has_ended);
			return;
		}
	}
	fail_msg("release never comes to its end");
}

static void make_slots(struct scene *scene)
{
	room_set(scene->room, "capacity=5");
	room_pass(scene->room, 90001);
	room_beat(scene->room, "cid eve fay hal");
}

static void letting_people_in_ends_well_when_it_was_cut(void **state)
{
	(void)state;
	CUT_EVERYWHERE("admit", make_slots, "admitter", "60000", "500", "life", "10000", "0");
}

static void go_silent(struct scene *scene)
{
	static const char *const silent[] = {"gus", "hal", "dan", "bob"};
	for (size_t i = 0; i < 4; i++)
		scene_visitor(scene, silent[i])->stays = false;
	room_pass(scene->room, 600001);
	room_beat(scene->room, "cid eve fay");
	snprintf(scene->room->life, sizeof(scene->room->life), "life");
}

static void expiry_that_was_cut_ends_well(void **state)
{
	(void)state;
	CUT_EVERYWHERE("reap", go_silent, "life", "10000", "500");
}

/* The last three are gone from the store, as after a failover. */
static void lose_the_last(struct scene *scene)
{
	static const char *const lost[] = {"dan", "eve", "fay"};
	for (size_t i = 0; i < 3; i++) {
		struct room *room = scene->room;
		redis_number(client, "DEL %sposition:%s", room->prefix, lost[i]);
		redis_number(client, "ZREM %sheartbeats %s", room->prefix, lost[i]);
		redis_number(client, "LREM %swaiting:main 1 %s", room->prefix, lost[i]);
		redis_number(client, "DECR %sticket:main", room->prefix);
	}
}

/* Not as the others: each scene has another epoch, and the tokens must be of that one. */
typedef size_t (*tokens_fn)(const struct room *room, const char *argv[]);

static void put_back_and_cut(const char *script, tokens_fn tokens)
{
	for (int writes = 0; writes < CUTS_MAX; writes++) {
		struct scene scene;
		const char *argv[32];
		scene_set(&scene, client);
		lose_the_last(&scene);
		bool was_cut = run_cut(scene.room, writes, script, tokens(scene.room, argv), argv);
		scene_live_on(&scene);
		scene_assert_all_is_well(&scene, script, writes);
		room_free(scene.room);
		if (!was_cut)
			return;
	}
	fail_msg("%s never comes to its end", script);
}

static size_t of_places(const struct room *room, const char *argv[])
{
	const char *words[] = {"fay", "main", "8", "1700000000000", room->epoch, "0",
						   "dan", "main", "6", "1700000000000", room->epoch, "1"};
	memcpy(argv, words, sizeof(words));
	return sizeof(words) / sizeof(*words);
}

static void a_restoration_that_was_cut_ends_well(void **state)
{
	(void)state;
	put_back_and_cut("restore", of_places);
}

/* Eve has left by mistake; or, in front, after fay behind her was let in. */
static void eve_is_lost(struct scene *scene, bool is_passed)
{
	struct room *room = scene->room;
	room_release(room, "leave", "eve");
	if (is_passed) {
		room_beat(room, "cid dan fay");
		room_set(room, "capacity=10");
		room_admit(room);
	}
}

static void an_order_to_put_a_place_back_can_be_repeated_wherever_it_was_cut(void **state)
{
	(void)state;
	static const char *const order[] = {"eve", "", "0", "0", "{\"id\":\"a\"}", "100"};
	const size_t count = sizeof(order) / sizeof(*order);
	for (int writes = 0, was_cut = true, passed = 0; passed < 2;
		 writes = was_cut ? writes + 1 : 0) {
		struct scene scene;
		scene_set(&scene, client);
		eve_is_lost(&scene, passed == 1);
		was_cut = run_cut(scene.room, writes, "support_restore", count, order);
		passed += !was_cut;
		const char *again = room_call(scene.room, "support_restore", count, order);
		assert_non_null(strstr(again, " w main 7 "));
		scene_live_on(&scene);
		scene_assert_all_is_well(&scene, "support_restore", writes);
		scene_assert_legal(&scene, "eve~1");
		room_free(scene.room);
		assert_in_range(writes, 0, CUTS_MAX);
	}
}

/* Of fay nothing is left, bob has yet to claim, cid and hal wait again. */
static size_t of_sessions(const struct room *room, const char *argv[])
{
	const char *words[] = {"fay", room->epoch, "main", "8", "1700009000000",
						   "bob", room->epoch, "main", "2", "1700009000000",
						   "cid", room->epoch, "main", "5", "1700009000000",
						   "hal", room->epoch, "main", "4", "1700009000000"};
	memcpy(argv, words, sizeof(words));
	return sizeof(words) / sizeof(*words);
}

static void sessions_that_were_put_back_end_well_when_it_was_cut(void **state)
{
	(void)state;
	put_back_and_cut("session_restore", of_sessions);
}

/* ---- queues ---- */

static void everybody_in_line_goes(struct scene *scene)
{
	static const char *const waiting[] = {"gus", "hal", "cid", "dan", "eve", "fay"};
	for (size_t i = 0; i < sizeof(waiting) / sizeof(*waiting); i++)
		scene_visitor(scene, waiting[i])->stays = false;
}

static void an_emptying_that_was_cut_ends_well_ordered_again_or_not(void **state)
{
	(void)state;
	bool was_cut = true;
	for (int writes = 0; was_cut; writes++)
		for (int again = 0; again < 2; again++) {
			struct scene scene;
			scene_set(&scene, client);
			everybody_in_line_goes(&scene);
			const char *argv[] = {"500", scene.room->epoch, "", "{\"who\":1}", "100"};
			was_cut = run_cut(scene.room, writes, "queue_empty", 5, argv);
			if (again) {
				assert_non_null(strstr(room_call(scene.room, "queue_empty", 5, argv), "done "));
				assert_string_equal(room_look(scene.room, "bob cid dan eve fay"), "a x x x x");
			}
			scene_live_on(&scene);
			scene_assert_all_is_well(&scene, "queue_empty", writes);
			room_free(scene.room);
			assert_in_range(writes, 0, CUTS_MAX);
		}
}

static void a_deletion_that_was_cut_is_finished_by_the_next_call(void **state)
{
	(void)state;
	static const char *const argv[] = {"500", "{}", ""};
	for (int steps = 0; steps < 4; steps++)
		for (int writes = 0; writes < CUTS_MAX; writes++) {
			struct scene scene;
			scene_set(&scene, client);
			struct room *room = scene.room;
			for (int i = 0; i < steps; i++)
				room_delete(room);
			bool was_cut = run_cut(room, writes, "queue_delete", 3, argv);
			for (int i = 0; i < 9 && strcmp(room_delete(room), "noqueue") != 0; i++)
				continue;
			assert_string_equal(room_delete(room), "noqueue");
			assert_int_equal(redis_number(client,
										  "EXISTS %sposition:cid %swaiting:main %sgone:main:0",
										  room->prefix, room->prefix, room->prefix),
							 0);
			scene_assert_legal(&scene, "cid");
			assert_int_equal(*room_history(room, "cid") != 0, 1);
			assert_memory_equal(room_put(room, "put", "0", "state=open lanes=main:1:open", ""),
								"created 2 ", 10);
			assert_string_equal(room_join(room, "zoe"), "full:-:0:0");
			room_free(room);
			if (!was_cut)
				break;
		}
}

static void a_change_that_was_cut_is_seen_when_it_is_made_again(void **state)
{
	(void)state;
	for (int writes = 0; writes < CUTS_MAX; writes++) {
		struct scene scene;
		scene_set(&scene, client);
		static const char *const argv[] = {"patch", "", "-", "{}", "1", "capacity", "7"};
		bool was_cut = run_cut(scene.room, writes, "queue_put", 7, argv);
		room_call(scene.room, "queue_put", 7, argv);
		assert_int_equal(redis_number(client, "HGET %s capacity", scene.room->settings_key), 7);
		assert_int_equal(redis_number(client, "HGET %s version", scene.room->settings_key), 2);
		room_free(scene.room);
		if (!was_cut)
			return;
	}
	fail_msg("queue_put never comes to its end");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_join_that_was_cut_ends_well),
		cmocka_unit_test(walking_straight_in_ends_well_when_it_was_cut),
		cmocka_unit_test(a_join_with_papers_that_was_cut_can_be_repeated_with_them),
		cmocka_unit_test(taking_a_place_over_ends_well_when_it_was_cut),
		cmocka_unit_test(a_second_place_of_a_person_ends_well_when_it_was_cut),
		cmocka_unit_test(heartbeats_that_were_cut_end_well),
		cmocka_unit_test(polls_that_were_cut_end_well),
		cmocka_unit_test(leaving_that_was_cut_ends_well),
		cmocka_unit_test(a_release_that_was_cut_ends_well),
		cmocka_unit_test(a_session_that_ended_is_told_of_wherever_its_revocation_was_cut),
		cmocka_unit_test(letting_people_in_ends_well_when_it_was_cut),
		cmocka_unit_test(sessions_that_were_put_back_end_well_when_it_was_cut),
		cmocka_unit_test(expiry_that_was_cut_ends_well),
		cmocka_unit_test(a_restoration_that_was_cut_ends_well),
		cmocka_unit_test(an_order_to_put_a_place_back_can_be_repeated_wherever_it_was_cut),
		cmocka_unit_test(an_emptying_that_was_cut_ends_well_ordered_again_or_not),
		cmocka_unit_test(a_deletion_that_was_cut_is_finished_by_the_next_call),
		cmocka_unit_test(a_change_that_was_cut_is_seen_when_it_is_made_again),
	};
	return cmocka_run_group_tests(tests, start, stop);
}
