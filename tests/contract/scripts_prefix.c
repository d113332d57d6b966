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
#include "support/redis.h"
#include "support/room.h"
#include "support/room_text.h"
#include "support/servers.h"
#include "waitingroom/state.h"

#include <stdio.h>
#include <string.h>

#define CUTS_MAX 200
#define STAYING_MAX 16
#define ROUNDS 16	   /* together longer than a session and the time to take up a turn */
#define ROUND_MS 80000 /* shorter than the time after which somebody is absent */

static struct redis_server *server;
static struct redis_client *client, *cutter;

static int start(void **state)
{
	(void)state;
	server = redis_start(NULL);
	client = redis_client_new(server);
	cutter = redis_client_new_hosted(server, "lua5.4");
	return 0;
}

static int stop(void **state)
{
	(void)state;
	redis_client_free(client);
	redis_client_free(cutter);
	redis_free(server);
	return 0;
}

/* ---- the room before the step ---- */

/* Whoever goes on polling to the end, and the ticket of their token; 0: no answer yet. */
struct visitor {
	const char *id;
	int ticket;
	bool stays;
	const char *join; /* what is said when joining; NULL: the id */
};

struct scene {
	struct room *room;
	struct visitor visitors[STAYING_MAX];
};

/* Ann is in, bob may come in, gus was set aside, hal has come back, cid dan eve fay wait. */
static void set_scene(struct scene *scene)
{
	*scene = (struct scene){
		.room = room_open(client, "capacity=2"),
		.visitors = {{"ann", 1, true},
					 {"bob", 2, true},
					 {"gus", 3, true},
					 {"hal", 4, true},
					 {"cid", 5, true},
					 {"dan", 6, true},
					 {"eve", 7, true},
					 {"fay", 8, true},
					 {"ivy", 0, true},
					 {"jon", 0, true}},
	};
	struct room *room = scene->room;
	assert_string_equal(room_join(room, "ann bob gus hal"),
						"new:a:1:0 new:a:2:0 new:w:3:1 new:w:4:2");
	room_poll(room, "ann");
	room_pass(room, 5000);
	room_release(room, "leave", "ann"); /* makes a slot, so that the absent are set aside */
	assert_string_equal(room_admit(room), "0 in 2 aside");
	scene->visitors[0].stays = false;
	room_poll(room, "hal");
	room_join(room, "cid dan eve fay");
	room_beat(room, "cid dan eve fay");
	assert_string_equal(room_look(room, "bob gus hal cid"), "a w^ w^ w");
}

static struct visitor *visitor_of(struct scene *scene, const char *id)
{
	for (size_t i = 0; i < STAYING_MAX; i++)
		if (scene->visitors[i].id && strcmp(scene->visitors[i].id, id) == 0)
			return &scene->visitors[i];
	fail_msg("nobody is called %s", id);
	return NULL;
}

/* ---- life goes on ---- */

static void visitor_polls(struct scene *scene, struct visitor *visitor)
{
	struct room *room = scene->room;
	char token[64], state;
	if (!visitor->ticket) { /* no answer yet: the join is repeated under the same key */
		char code[16], id[32];
		const char *said = room_join(room, visitor->join ? visitor->join : visitor->id);
		int words = sscanf(said, "%15[a-z]:%c:%d:%*d:%*d:%31s", code, &state, &visitor->ticket, id);
		if (words < 3)
			fail_msg("%s cannot join: %s", visitor->id, said);
		if (words == 4)
			visitor->id = room_lend_print(room, "%s", id);
	}
	state = *room_poll(room, visitor->id);
	if (state == '-' || (state == 'w' && *room_beat(room, visitor->id))) {
		snprintf(token, sizeof(token), "%s:%d", visitor->id, visitor->ticket);
		room_restore(room, room->epoch, token);
	}
	if (state == 'c')
		room_release(room, "release", visitor->id);
}

static void live_on(struct scene *scene)
{
	struct room *room = scene->room;
	room_restart_store(room);
	room_set(room, "capacity=50");
	for (int round = 0; round < ROUNDS; round++) {
		room_pass(room, ROUND_MS);
		for (size_t i = 0; i < STAYING_MAX; i++)
			if (scene->visitors[i].id && scene->visitors[i].stays)
				visitor_polls(scene, &scene->visitors[i]);
		room_settle(room);
	}
}

/* ---- what must be true in the end ---- */

static enum place_state state_of(const char *event)
{
	static const struct {
		const char *event;
		enum place_state state;
	} rows[] = {{"enqueued", PLACE_WAITING},	  {"restored", PLACE_WAITING},
				{"admitted", PLACE_ADMITTED},	  {"claimed", PLACE_CLAIMED},
				{"missed", PLACE_MISSED},		  {"left", PLACE_LEFT},
				{"expired", PLACE_EXPIRED},		  {"session-released", PLACE_ENDED},
				{"session-expired", PLACE_ENDED}, {"session-revoked", PLACE_ENDED}};
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		if (strcmp(rows[i].event, event) == 0)
			return rows[i].state;
	fail_msg("an event %s", event);
	return PLACE_NONE;
}

/* Consumers drop what they have seen; what remains goes through the table of moves. */
static void assert_legal_history(struct scene *scene, const char *id)
{
	char history[512], *rest = history;
	snprintf(history, sizeof(history), "%s", room_history(scene->room, id));
	bool seen[PLACE_STATE_COUNT] = {false};
	enum place_state at = PLACE_NONE;
	for (char *event; (event = strsep(&rest, " "));) {
		if (!*event)
			continue;
		enum place_state to = state_of(event);
		if (!seen[to] && !place_state_may_move(at, to))
			fail_msg("%s: %s", id, room_history(scene->room, id));
		at = seen[to] ? at : to;
		seen[to] = true;
	}
}

static void assert_all_is_well(struct scene *scene, const char *step, int writes)
{
	struct room *room = scene->room;
	for (size_t i = 0; i < STAYING_MAX; i++) {
		const struct visitor *visitor = &scene->visitors[i];
		if (!visitor->id)
			continue;
		if (visitor->stays && *room_field(room, visitor->id, "s") != 'e')
			fail_msg("%s cut after %d: %s has stayed and is %s (%s)", step, writes, visitor->id,
					 room_field(room, visitor->id, "s"), room_history(room, visitor->id));
		if (visitor->stays)
			assert_legal_history(scene, visitor->id);
		else if (!strchr("elmx", *room_field(room, visitor->id, "s")))
			fail_msg("%s cut after %d: %s has gone and is %s", step, writes, visitor->id,
					 room_field(room, visitor->id, "s"));
	}
	static const char *const sets[] = {"heartbeats", "absent", "returned", "sessions",
									   "restored:main"};
	for (size_t i = 0; i < sizeof(sets) / sizeof(*sets); i++)
		if (*room_set_of(room, sets[i]))
			fail_msg("%s cut after %d: %s has %s", step, writes, sets[i],
					 room_set_of(room, sets[i]));
	if (*room_list(room, "main"))
		fail_msg("%s cut after %d: the list has %s", step, writes, room_list(room, "main"));
	if (room_in_line(room, "main") != 0)
		fail_msg("%s cut after %d: %lld are counted in line", step, writes,
				 (long long)room_in_line(room, "main"));
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
		set_scene(&scene);
		if (prepare)
			prepare(&scene);
		bool was_cut = run_cut(scene.room, writes, script, argc, argv);
		live_on(&scene);
		assert_all_is_well(&scene, script, writes);
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
	visitor_of(scene, "ivy")->join = "ivy!n:proof:600";
	visitor_of(scene, "jon")->join = "jon!n:other:600+j:token:600";
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
	struct visitor *dan = visitor_of(scene, "dan"), *again = visitor_of(scene, "jon");
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
	visitor_of(scene, "cid")->stays = false;
	visitor_of(scene, "hal")->stays = false;
	visitor_of(scene, "bob")->stays = false;
}

static void leaving_that_was_cut_ends_well(void **state)
{
	(void)state;
	CUT_EVERYWHERE("release", cid_hal_and_bob_go, "leave", "cid", "hal", "bob");
}

static void bob_comes_in(struct scene *scene)
{
	room_poll(scene->room, "bob");
	visitor_of(scene, "bob")->stays = false;
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
		set_scene(&scene);
		bob_comes_in(&scene);
		bool was_cut = run_cut(scene.room, writes, "release", 2, argv);
		bool has_ended = *room_field(scene.room, "bob", "s") == 'e';
		bool is_told = redis_number(client, "XLEN %srevocations", scene.room->prefix) > 0;
		if (has_ended && !is_told)
			fail_msg("cut after %d: ended and not told", writes);
		live_on(&scene);
		assert_all_is_well(&scene, "release", writes);
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
		visitor_of(scene, silent[i])->stays = false;
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
		set_scene(&scene);
		lose_the_last(&scene);
		bool was_cut = run_cut(scene.room, writes, script, tokens(scene.room, argv), argv);
		live_on(&scene);
		assert_all_is_well(&scene, script, writes);
		room_free(scene.room);
		if (!was_cut)
			return;
	}
	fail_msg("%s never comes to its end", script);
}

static size_t of_places(const struct room *room, const char *argv[])
{
	const char *words[] = {"fay", "main", "8", "1700000000000", room->epoch,
						   "dan", "main", "6", "1700000000000", room->epoch};
	memcpy(argv, words, sizeof(words));
	return sizeof(words) / sizeof(*words);
}

static void a_restoration_that_was_cut_ends_well(void **state)
{
	(void)state;
	put_back_and_cut("restore", of_places);
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

static void a_deletion_that_was_cut_is_finished_by_the_next_call(void **state)
{
	(void)state;
	static const char *const argv[] = {"500", "{}"};
	for (int steps = 0; steps < 4; steps++)
		for (int writes = 0; writes < CUTS_MAX; writes++) {
			struct scene scene;
			set_scene(&scene);
			struct room *room = scene.room;
			for (int i = 0; i < steps; i++)
				room_delete(room);
			bool was_cut = run_cut(room, writes, "queue_delete", 2, argv);
			for (int i = 0; i < 9 && strcmp(room_delete(room), "noqueue") != 0; i++)
				continue;
			assert_string_equal(room_delete(room), "noqueue");
			assert_int_equal(redis_number(client,
										  "EXISTS %sposition:cid %swaiting:main %sgone:main:0",
										  room->prefix, room->prefix, room->prefix),
							 0);
			assert_legal_history(&scene, "cid");
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
		set_scene(&scene);
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
		cmocka_unit_test(a_deletion_that_was_cut_is_finished_by_the_next_call),
		cmocka_unit_test(a_change_that_was_cut_is_seen_when_it_is_made_again),
	};
	return cmocka_run_group_tests(tests, start, stop);
}
