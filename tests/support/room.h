/* A queue whose scripts are under test, spoken to in short texts.
 *
 *     struct room *room = room_open(client, "capacity=2");
 *     assert_string_equal(room_join(room, "ann bob@vip"), "new:w:1:1 new:w:1:1");
 *     assert_string_equal(room_poll(room, "ann bob"), "w w");
 *     assert_string_equal(room_admit(room), "2 in 0 aside");
 *     assert_string_equal(room_events(room), "enqueued ann, enqueued bob, admitted ann line, …");
 *
 * People are words; they may have a lane, a request hash, a network and papers (enqueue.lua), with
 * '+' between them: "ann@vip#h1%10.0.0!n:nonce:60+i:ann2", and an address: "%10.0.0/a1". Each
 * room is a queue of its own with its own clock, which stands still until room_pass. Settings not
 * given: rate and burst that never hold anybody up, capacity 100, one lane "main".
 *
 * Every reply is checked to be of the room's time. Answers are lent for the life of the room.
 */
#ifndef SUPPORT_ROOM_H
#define SUPPORT_ROOM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "support/redis.h"

#define ROOM_START_MS 1700000000000 /* in the past: the store's stream ids are by the real clock */

struct room {
	struct redis_client *client;
	char prefix[160]; /* "wr:{tenant/queue}:" */
	char settings_key[176];
	int64_t now_ms;
	int limit; /* of admit, reap and delete: 500 */
	int64_t gap_ms;
	char life[16];
	char epoch[16];
	char seen_epoch[16]; /* what joins report as seen, and seen */
	char seen[256];		 /* "main 17 vip 3" */
	char last_event[48];
	struct room_answer *answers;
};

/* settings: "name=value name=value" or "". gives; room_free() */
struct room *room_open(struct redis_client *client, const char *settings);
/* The same without making the queue. */
struct room *room_of_nobody(struct redis_client *client);
void room_free(struct room *room);

/* Any script: its reply as text, words separated by spaces, arrays in brackets. */
const char *room_call(struct room *room, const char *script, size_t argc, const char *const argv[]);

/* how put, patch or revive; "created 1 <epoch>" … The epoch of a new queue is the next E1, E2 …
 * rest: what follows the fields for 'revive', or "". */
const char *room_put(struct room *room, const char *how, const char *expected, const char *settings,
					 const char *rest);
const char *room_delete(struct room *room);				/* one call: "more", "done" or "noqueue" */
void room_set(struct room *room, const char *settings); /* a patch that succeeds */

/* Time passes while pods and admitters listen; or while nobody does. */
void room_pass(struct room *room, int64_t ms);
void room_pass_unheard(struct room *room, int64_t ms);
/* The store has forgotten everything, or restarted with its data. */
void room_lose_everything(struct room *room);
void room_restart_store(struct room *room);

/* Many people: "a0 a1 a2 …", each with a suffix like "@vip". */
const char *room_crowd(struct room *room, const char *prefix, int from, int count,
					   const char *suffix);

/* "code:state:ticket:position" each, ":holder:id" behind those with an identity; or "noqueue" */
const char *room_join(struct room *room, const char *people);
/* Those of the people whom nobody holds; "" is as it should be. */
const char *room_beat(struct room *room, const char *people);
/* State letters; '^' behind one who stands before the line. */
const char *room_poll(struct room *room, const char *people);
const char *room_stay(struct room *room, const char *people);
const char *room_look(struct room *room, const char *people);
/* The end of the session or of the time to take up the turn, ms from now. */
int64_t room_ends_in(struct room *room, const char *person);
/* what: leave, release, revoke, renew. State letters. */
const char *room_release(struct room *room, const char *what, const char *people);
/* people: "ann@main:5", with the ticket that the token has; "^ann:5" had left the line before.
 * State letters. */
const char *room_restore(struct room *room, const char *epoch, const char *people);
const char *room_admit(struct room *room);					/* "2 in 0 aside" and " more" */
const char *room_admit_extra(struct room *room, int extra); /* the same */
const char *room_reap(struct room *room); /* "1 expired 0 missed 0 ended" and " more" */
/* Reaps and admits until neither has more to do. */
void room_settle(struct room *room);

/* What was written to the outbox since the last call: "enqueued ann, expired bob ghost, …". */
const char *room_events(struct room *room);
/* Somebody's events of all time, in order: "enqueued admitted claimed". */
const char *room_history(struct room *room, const char *person);
/* People in the lane's list, the first first. */
const char *room_list(struct room *room, const char *lane);
/* Members of a zset by score: "heartbeats", "absent", "returned", "sessions", "restored:main". */
const char *room_set_of(struct room *room, const char *name);
/* Field of a place, "" when there is none. */
const char *room_field(struct room *room, const char *person, const char *field);
/* Ticket − gone, by the counts of the store; and by its bitmap: they must be the same. */
int64_t room_in_line(struct room *room, const char *lane);
/* Departures told to pods since the start: "main:1-3,vip:1-1 main:5-5". */
const char *room_departures(struct room *room);
/* Sets a score directly, to move somebody's past. */
void room_set_score(struct room *room, const char *name, const char *person, int64_t score);

#endif
