/* Errors: one table makes the enum, the HTTP status, the problem code and the sentence.
 *
 * What     Every function that can fail for a reason returns one of these and is WR_MUST_USE.
 * Used by  everything.
 * Threads  any.
 */
#ifndef WAITINGROOM_ERR_H
#define WAITINGROOM_ERR_H

#include <stdbool.h>
#include <stddef.h>

#define WR_MUST_USE __attribute__((warn_unused_result))
#define WR_PRINTF(fmt, args) __attribute__((format(printf, fmt, args)))

/* name, HTTP status, problem code, may the same request succeed later?, sentence for the client */
#define WR_ERR_TABLE(X)                                                                            \
	X(WR_OK, 200, "ok", false, "Fine.")                                                            \
	X(WR_MALFORMED, 400, "malformed", false, "The request could not be read.")                     \
	X(WR_BAD_TOKEN, 401, "bad_token", false,                                                       \
	  "The token is missing or not valid here; send the newest one as Authorization: Bearer.")     \
	X(WR_TOKEN_EXPIRED, 401, "token_expired", false, "The token is too old; join again.")          \
	X(WR_SESSION_REQUIRED, 401, "session_required", false,                                         \
	  "A session of the waiting room is needed here; queue_url is where to get one.")              \
	X(WR_FORBIDDEN, 403, "forbidden", false, "This is not allowed.")                               \
	X(WR_CHALLENGE_REQUIRED, 403, "challenge_required", false,                                     \
	  "Solve the challenge that comes with this answer, and join again with the solution.")        \
	X(WR_ENTRY_REQUIRED, 403, "entry_required", false,                                             \
	  "This queue takes only people with an invitation that is valid and has not been used.")      \
	X(WR_NO_QUEUE, 404, "no_such_queue", false, "There is no queue of that name.")                 \
	X(WR_NO_TENANT, 404, "no_such_tenant", false, "There is no tenant of that name.")              \
	X(WR_NO_PLACE, 404, "no_such_place", false, "Nothing is known of such a place.")               \
	X(WR_NO_ROUTE, 404, "not_found", false, "There is nothing at this address.")                   \
	X(WR_BAD_METHOD, 405, "method_not_allowed", false, "This address takes another method.")       \
	X(WR_REQUEST_TIMEOUT, 408, "request_timeout", true, "The request took too long to arrive.")    \
	X(WR_CONFLICT, 409, "conflict", false, "Somebody else changed it first; read it again.")       \
	X(WR_QUOTA, 409, "limit_reached", false, "There are as many as there may be.")                 \
	X(WR_LANE_IN_USE, 409, "lane_in_use", false,                                                   \
	  "People stand in a lane that would be no more; let them in first, or empty the line.")       \
	X(WR_PLACE_MOVED, 409, "place_moved", false,                                                   \
	  "The place has been opened in another window or on another device.")                         \
	X(WR_PLACE_EXPIRED, 410, "place_expired", false,                                               \
	  "The place was given up because nothing was heard for too long; join again.")                \
	X(WR_PLACE_LEFT, 410, "place_left", false, "The place was given up on request; join again.")   \
	X(WR_TURN_MISSED, 410, "turn_missed", false, "The turn came and was not taken; join again.")   \
	X(WR_SESSION_ENDED, 410, "session_ended", false, "The session has ended; join again.")         \
	X(WR_QUEUE_CLOSED, 410, "queue_closed", false, "The queue takes nobody any more.")             \
	X(WR_VERSION_MISMATCH, 412, "version_mismatch", false,                                         \
	  "It is at another version than the request asks for.")                                       \
	X(WR_LENGTH_REQUIRED, 411, "length_required", false, "Send the body with Content-Length.")     \
	X(WR_BODY_TOO_LARGE, 413, "body_too_large", false, "The body is larger than is taken here.")   \
	X(WR_BAD_MEDIA_TYPE, 415, "unsupported_media_type", false,                                     \
	  "Send the body as application/json.")                                                        \
	X(WR_INVALID, 422, "invalid_value", false, "A value is not acceptable.")                       \
	X(WR_KEY_REUSED, 422, "idempotency_key_reused", false,                                         \
	  "This Idempotency-Key was used with another request; use a new key.")                        \
	X(WR_CONFIRMATION_REQUIRED, 428, "confirmation_required", false,                               \
	  "This cannot be undone; send the request again with the token of this answer.")              \
	X(WR_RATE_LIMITED, 429, "rate_limited", true, "Too many requests; wait as Retry-After says.")  \
	X(WR_BUG, 500, "internal", false, "Something went wrong here; it has been noted.")             \
	X(WR_STORE_AWAY, 503, "store_unavailable", true,                                               \
	  "Places cannot be given out at the moment; try again as Retry-After says.")                  \
	X(WR_BUSY, 503, "busy", true, "Too much is going on; try again as Retry-After says.")          \
	X(WR_QUEUE_FULL, 503, "queue_full", true, "The line is full; try again as Retry-After says.")  \
	X(WR_DRAINING, 503, "draining", true, "This server is going away; send the request again.")    \
	/* never shown to a visitor: */                                                                \
	X(WR_NOT_FOUND, 500, "not_found_inside", false, "A thing looked for is not there.")            \
	X(WR_BAD_CONFIG, 500, "bad_config", false, "A setting is not acceptable.")                     \
	X(WR_IO, 500, "io", true, "Reading or writing failed.")                                        \
	X(WR_TIMEOUT, 500, "timeout", true, "No answer in time.")                                      \
	X(WR_BROKER_AWAY, 500, "broker_unavailable", true, "The broker cannot be reached.")            \
	X(WR_LIMIT, 500, "limit", false, "A limit of the settings is reached.")

#define WR_ERR_ENUM(name, status, code, retry, text) name,
enum wr_err { WR_ERR_TABLE(WR_ERR_ENUM) WR_ERR_COUNT };
#undef WR_ERR_ENUM

/* All four: any thread; an unknown number gives the row of WR_BUG. Strings are static. */
int err_http_status(enum wr_err err);
const char *err_code(enum wr_err err);	   /* "bad_token" */
const char *err_sentence(enum wr_err err); /* for people */
bool err_is_retryable(enum wr_err err);

/* Why exactly: names the field and the remedy ("burst: must be 1..100000, is 0"). Filled next to
 * an error by functions that check what somebody wrote; empty when there is no more to say. Never
 * contains secrets, and of what the peer sent only field names that are known here. */
struct err_detail {
	char text[256];
};

/* fills detail (may be NULL) and returns err, so that a check is one line:
 *     return err_say(ret_detail, WR_INVALID, "burst: must be %d..%d", lo, hi);               */
enum wr_err err_say(struct err_detail *detail, enum wr_err err, const char *format, ...)
	WR_PRINTF(3, 4);

#endif
