/* Gate: may a request that a site's proxy asks about pass, and what is it told otherwise?
 *
 * The rules, in this order:
 *   1. a one-time pass in the address, and a good session: taken out of the address (redirect);
 *   2. a pass that looks good, without a session: redeemed in the store, becomes a session;
 *   3. a good session passes;
 *   4. a bypass rule passes;
 *   5. state=passthrough passes everybody;
 *   6. on_outage=open passes a limited number while the picture is stale;
 *   7. everybody else is sent to the room.
 *
 * What     Decisions over facts; pure.
 * Used by  cmd/api: gate checks.
 * Threads  any.
 */
#ifndef WAITINGROOM_GATE_H
#define WAITINGROOM_GATE_H

#include <stdbool.h>
#include <stdint.h>

#include "waitingroom/clock.h"
#include "waitingroom/queue_table.h"
#include "waitingroom/settings.h"
#include "waitingroom/token.h"

/* name, word in X-WaitingRoom-State and in metrics */
#define GATE_DECISION_TABLE(X)                                                                     \
	X(GATE_ADMITTED, "admitted")	   /* has a session */                                         \
	X(GATE_BYPASS, "bypass")		   /* needs none */                                            \
	X(GATE_OPEN, "open")			   /* we cannot know, and the operator prefers to let in */    \
	X(GATE_PASSTHROUGH, "passthrough") /* nobody needs one */                                      \
	X(GATE_REDEEM, "redeemed")		   /* a pass becomes a session, if the store agrees */         \
	X(GATE_STRIP, "stripped")		   /* a pass that is not needed is taken out of the address */ \
	X(GATE_ROOM, "room")			   /* to the waiting room */

#define GATE_ENUM(name, word) name,
enum gate_decision { GATE_DECISION_TABLE(GATE_ENUM) GATE_DECISION_COUNT };
#undef GATE_ENUM
const char *gate_decision_word(enum gate_decision decision);
bool gate_decision_passes(enum gate_decision decision); /* the proxy is told yes */

/* What a session token is worth; also words in metrics. */
#define GATE_SESSION_TABLE(X)                                                                      \
	X(GATE_SESSION_NONE, "none")                                                                   \
	X(GATE_SESSION_GOOD, "good")                                                                   \
	X(GATE_SESSION_BAD, "bad") /* no token of ours for this queue */                               \
	X(GATE_SESSION_EXPIRED, "expired")                                                             \
	X(GATE_SESSION_OTHER_LIFE, "epoch") /* from before the queue was deleted */                    \
	X(GATE_SESSION_REVOKED, "revoked")	/* or released: checkout is done */                        \
	X(GATE_SESSION_SHARED, "shared")	/* used from elsewhere than it was given to */

#define GATE_ENUM(name, word) name,
enum gate_session { GATE_SESSION_TABLE(GATE_ENUM) GATE_SESSION_COUNT };
#undef GATE_ENUM
const char *gate_session_word(enum gate_session session);

/* Of claims whose signature holds; whether it is shared is the caller's to find out. */
enum gate_session gate_session_judge(const struct session_claims *claims,
									 const struct queue_snapshot *snapshot, struct wall_time now);
/* Is it time to hand out a new token? With less than three quarters of a
 * session's time left. */
bool gate_session_is_due(const struct session_claims *claims, const struct queue_settings *settings,
						 struct wall_time now);

/* Who asks the site: decides between a redirect and a 401. */
enum gate_asker {
	GATE_PAGE,	/* a page is being opened: can be sent elsewhere and come back */
	GATE_FORM,	/* a form is being sent: its body cannot come back, its page can */
	GATE_SCRIPT /* or a program: must be told in words */
};
/* method of the site's request; Sec-Fetch-Mode and Accept or NULL. Where a browser says
 * what it does, Accept does not count: a script may well fetch HTML. */
enum gate_asker gate_asker_of(const char *method, const char *fetch_mode, const char *accept);

struct gate_facts {
	bool has_pass;	   /* the address has a wr_pass at all */
	bool pass_is_good; /* its signature holds, it is for this queue, and it was not refused yet */
	bool can_strip;	   /* there is an address to redirect to */
	bool session_is_good;
	int bypass_rule; /* -1: none */
	enum queue_state state;
	bool may_open; /* on_outage=open, the picture is stale, and the limit has room */
};
enum gate_decision gate_decide(const struct gate_facts *facts);

/* How many may pass unseen while the gate is open: rate_per_minute, with 'burst' at once (a leaky
 * bucket as one number, the generic cell rate algorithm). taken_up_to is when all that was passed
 * so far would have passed at an even pace; starts at 0. False: no room now. */
bool gate_open_take(int64_t *taken_up_to_ns, const struct queue_settings *settings,
					struct mono_time now);

#endif
