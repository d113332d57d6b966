/* Authz: gate checks. A site's proxy asks about each request: may it pass?
 *
 * Three mounts for three families of headers; each reads its own and ignores the others, because a
 * visitor can send any header, and only those of its own family are set by the proxy.
 *
 *     authz_nginx.c     X-Original-URL, or X-Original-URI with X-Forwarded-Proto and -Host
 *     authz_forward.c   X-Forwarded-Method, -Proto, -Host, -Uri
 *     authz_envoy.c     the request itself, behind a prefix
 *     authz.c           who asks, and what becomes of it
 *     authz_session.c   what the visitor's session is worth
 *     authz_pass.c      a one-time pass becomes a session
 *     authz_answer.c    what the proxy is told
 */
#ifndef WAITINGROOM_API_AUTHZ_H
#define WAITINGROOM_API_AUTHZ_H

#include "verdicts.h"
#include "waitingroom/gate.h"
#include "waitingroom/gate_url.h"
#include "worker.h"

/* name, word in metrics */
#define AUTHZ_MOUNT_TABLE(X)                                                                       \
	X(AUTHZ_NGINX, "nginx")                                                                        \
	X(AUTHZ_FORWARD, "forward")                                                                    \
	X(AUTHZ_ENVOY, "envoy")

/* Mistakes in somebody's configuration. */
#define AUTHZ_TROUBLE_TABLE(X)                                                                     \
	X(AUTHZ_UNTRUSTED, "untrusted_peer")                                                           \
	X(AUTHZ_NO_QUEUE, "no_such_queue")                                                             \
	X(AUTHZ_NOT_READY, "not_ready")                                                                \
	X(AUTHZ_NO_ADDRESS, "no_address")                                                              \
	X(AUTHZ_TARGET, "target_not_allowed") /* decided, but people will not come back to it */

/* What became of a pass. */
#define AUTHZ_PASS_TABLE(X)                                                                        \
	X(AUTHZ_PASS_REDEEMED, "redeemed")                                                             \
	X(AUTHZ_PASS_BAD, "bad")                                                                       \
	X(AUTHZ_PASS_EXPIRED, "expired")                                                               \
	X(AUTHZ_PASS_SHARED, "shared")                                                                 \
	X(AUTHZ_PASS_USED, "used")                                                                     \
	X(AUTHZ_PASS_ENDED, "ended")                                                                   \
	X(AUTHZ_PASS_UNKNOWN, "store_away")

#define AUTHZ_ENUM(name, word) name,
enum authz_mount { AUTHZ_MOUNT_TABLE(AUTHZ_ENUM) AUTHZ_MOUNTS };
enum authz_trouble { AUTHZ_TROUBLE_TABLE(AUTHZ_ENUM) AUTHZ_TROUBLES };
enum authz_pass { AUTHZ_PASS_TABLE(AUTHZ_ENUM) AUTHZ_PASSES };
#undef AUTHZ_ENUM

/* What the proxy asks about; lends from the request. */
struct authz_question {
	enum authz_mount mount;
	struct queue_name queue;
	const char *method;
	struct gate_url url;
};

/* One check under way; all lent for the turn. */
struct authz_check {
	struct worker *worker;
	struct http_request *request;
	const struct authz_question *question;
	const struct queue_snapshot *snapshot;
	struct verdict *session; /* good, or NULL */
};

/* ---- questions ---- */

/* Each fills, or says what the proxy's configuration lacks. WR_MALFORMED, WR_NO_QUEUE. */
WR_MUST_USE enum wr_err authz_read_nginx(const struct http_request *request,
										 struct authz_question *ret_question,
										 struct err_detail *ret_detail);
WR_MUST_USE enum wr_err authz_read_forward(const struct http_request *request,
										   struct authz_question *ret_question,
										   struct err_detail *ret_detail);
WR_MUST_USE enum wr_err authz_read_envoy(const struct http_request *request,
										 struct authz_question *ret_question,
										 struct err_detail *ret_detail);
/* The queue of ?queue=, for the mounts whose address the operator wrote. */
WR_MUST_USE enum wr_err authz_read_queue(const struct http_request *request,
										 struct queue_name *ret_queue,
										 struct err_detail *ret_detail);

/* The one core behind the mounts. */
void authz_serve(struct worker *worker, struct http_request *request, enum authz_mount mount);
/* The store has answered for the pass of this request: the rest of authz_serve. 'claims' are the
 * session's, or NULL: there is none. */
void authz_go_on(struct worker *worker, struct http_request *request,
				 const struct session_claims *claims);

/* ---- sessions ---- */

/* Counts, and fills check->session when it is good. */
void authz_look_at_session(struct authz_check *check);
/* Is whoever sends this request another than the one that a token was given to? Not when the queue
 * does not look at that. */
bool authz_is_shared(const struct authz_check *check, const char *binding);
/* A good session is used: slides on, and is reported if the store may have lost it. May set a
 * cookie. */
void authz_keep_session(const struct authz_check *check);
void authz_set_session(const struct authz_check *check, const struct session_claims *claims);

/* ---- passes ---- */

/* Is the pass in the address worth asking the store? Then the request keeps what it says. */
bool authz_pass_is_good(const struct authz_check *check);
/* Parks the request, and asks. False: too many are asking. */
WR_MUST_USE bool authz_redeem(const struct authz_check *check);

/* ---- answers ---- */

/* Yes. position_id: of the session, or NULL. */
void authz_answer_yes(struct http_request *request, enum gate_decision decision,
					  const char *position_id);
/* To the same address without the pass; cookies have been set before. */
void authz_answer_stripped(struct http_request *request, const struct authz_question *question,
						   const char *url);
/* To the room, in the words that who asks understands. False: the queue takes nobody back to
 * there. */
bool authz_answer_room(const struct authz_check *check);

#endif
