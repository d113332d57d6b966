/* What the API answered, as a visitor's browser would understand it.
 *
 * What     Reads the place object and the problem document (cmd/api/openapi.yaml); pure.
 * Used by  visitor, checker (words only), tests.
 * Threads  any.
 */
#ifndef WRLOAD_ANSWER_H
#define WRLOAD_ANSWER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Words of the member "status" of a place object that a visitor acts on. */
#define ANSWER_STATUS_TABLE(X)                                                                     \
	X(ANSWER_NONE, "")                                                                             \
	X(ANSWER_WAITING, "waiting")                                                                   \
	X(ANSWER_ADMITTED, "admitted")                                                                 \
	X(ANSWER_LEFT, "left")

/* Words of the member "code" of a problem document that a visitor acts on. */
#define ANSWER_CODE_TABLE(X)                                                                       \
	X(CODE_NONE, "")                                                                               \
	X(CODE_PLACE_EXPIRED, "place_expired")                                                         \
	X(CODE_PLACE_LEFT, "place_left")                                                               \
	X(CODE_TURN_MISSED, "turn_missed")                                                             \
	X(CODE_SESSION_ENDED, "session_ended")                                                         \
	X(CODE_QUEUE_FULL, "queue_full")                                                               \
	X(CODE_CHALLENGE_REQUIRED, "challenge_required")                                               \
	X(CODE_RATE_LIMITED, "rate_limited")                                                           \
	X(CODE_OTHER, "other")

#define ANSWER_ENUM(name, word) name,
enum answer_status { ANSWER_STATUS_TABLE(ANSWER_ENUM) ANSWER_STATUS_COUNT };
enum answer_code { ANSWER_CODE_TABLE(ANSWER_ENUM) ANSWER_CODE_COUNT };
#undef ANSWER_ENUM
const char *answer_status_word(enum answer_status status);
const char *answer_code_word(enum answer_code code);

struct slice { /* borrowed text without NUL; len 0: not given */
	const char *text;
	size_t len;
};

struct answer {
	int http; /* status code; 0: no answer, so nobody knows what happened */
	enum answer_status status;
	enum answer_code code;
	struct slice position_id, token, session_token;		/* borrow from the body */
	int64_t position, poll_after_ms, hold_ms, as_of_ms; /* -1: not given */
	bool stale; /* answered without the store: an older picture */
};

/* Fills 'ret_answer' from a body; 'http' is taken over. False: not a flat JSON object with the
 * right types, and only 'http' is filled. Unknown members are skipped, nested values too. */
bool answer_read(int http, const char *body, size_t len, struct answer *ret_answer);

/* A session token is a JWT; its claims tell whose session it is and when it ends. */
struct session_facts {
	uint64_t subject_hash; /* of "sub"; of the whole text when it is not a JWT */
	int64_t expires_s;	   /* "exp", seconds since 1970; 0: not told */
};
struct session_facts session_facts_read(struct slice session_token);

#endif
