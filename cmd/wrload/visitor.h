/* Visitor: one simulated person with a browser.
 *
 * Used by  crowd.
 * Threads  the loop's.
 */
#ifndef WRLOAD_VISITOR_H
#define WRLOAD_VISITOR_H

#include <stdbool.h>
#include <stdint.h>

#include "client.h"
#include "waitingroom/clock.h"
#include "waitingroom/loop.h"

struct crowd;

enum visitor_stage {
	VISITOR_NOBODY,		  /* the slot is free */
	VISITOR_JOINING,	  /* enqueue until there is a place */
	VISITOR_WAITING,	  /* heartbeat when told to */
	VISITOR_LOOKING_IN,	  /* on the site: one more heartbeat, as a reloaded page sends */
	VISITOR_RELEASING,	  /* on the site until the session is given back */
	VISITOR_LEAVING,	  /* gives the place up */
	VISITOR_LOOKING_BACK, /* after the end: one more heartbeat, as a forgotten tab sends */
	VISITOR_DONE,		  /* only a repeated enqueue may still be under way */
	VISITOR_STAGE_COUNT
};

enum visitor_fate { FATE_ORDINARY, FATE_VANISH, FATE_SLEEP, FATE_LEAVE };

#define VISITOR_KEY_BYTES 33
struct visitor { /* zero-filled: nobody */
	struct crowd *crowd;
	uint32_t slot;
	uint64_t number; /* in order of arrival, from 0 */
	uint64_t dice;
	enum visitor_stage stage;
	enum visitor_fate fate;
	int64_t answers_until_fate;
	struct loop_timer *timer;
	struct mono_time due; /* the intended start of the next request, or of the one under way */
	struct mono_time leaves_site;
	uint32_t tries;					   /* of the same request, so far */
	struct client_request ask, repeat; /* its own request; a second enqueue beside it */
	bool is_repeating;
	char key[VISITOR_KEY_BYTES];
	char *proof;				 /* body of the join with a solution; owned; NULL: none asked for */
	char *token, *session_token; /* owned; NULL: none */
};

/* Somebody new takes the free slot and joins at 'due' (which may be a little in the past). */
void visitor_arrive(struct visitor *visitor, struct crowd *crowd, uint32_t slot, uint64_t number,
					struct mono_time due);
/* Frees what the visitor holds; the client must not know its requests any more. */
void visitor_fini(struct visitor *visitor);

#endif
