/* The room before a step that is cut, what its people do afterwards, and what must be true in the
 * end. */
#include "support/cut_scene.h"

#include "support/cmocka.h"
#include "support/room_text.h"
#include "waitingroom/state.h"

#include <stdio.h>
#include <string.h>

#define ROUNDS 16	   /* together longer than a session and the time to take up a turn */
#define ROUND_MS 80000 /* shorter than the time after which somebody is absent */

/* ---- the room before the step ---- */

void scene_set(struct scene *scene, struct redis_client *client)
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

struct visitor *scene_visitor(struct scene *scene, const char *id)
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

void scene_live_on(struct scene *scene)
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
void scene_assert_legal(struct scene *scene, const char *id)
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

void scene_assert_all_is_well(struct scene *scene, const char *step, int writes)
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
			scene_assert_legal(scene, visitor->id);
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
