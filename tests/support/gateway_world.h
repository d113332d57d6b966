/* A site, a gateway of deploy/ in front of it, and the waiting room beside them: what the lists of
 * cases in gateway_cases*.c look at. One per test binary.
 *
 * The queue is default/demo, as in deploy/: everybody is let in at once, sessions slide, requests
 * under /assets/ and from 10.9.9.0/24 pass without a session.
 */
#ifndef SUPPORT_GATEWAY_WORLD_H
#define SUPPORT_GATEWAY_WORLD_H

#include <stdbool.h>

#include "support/cmocka.h"
#include "support/gateways.h"
#include "support/http.h"
#include "support/site.h"
#include "support/stack.h"
#include "waitingroom/token.h"

struct gateway_world {
	enum gateway_kind kind;
	struct stack *stack;
	struct site *site;
	struct gateway *gateway;
	char *jwks;
	char *session;	   /* token of a good session */
	char *position_id; /* its name */
	struct keys *keys; /* of the stack, to make tokens that it would not make */
	struct signer *signer;
};

/* Lends; made by gateway_world_open(). */
struct gateway_world *gateway_world(void);
void gateway_world_open(enum gateway_kind kind);
void gateway_world_close(void);

#define AS_PAGE "Accept: text/html,application/xhtml+xml\r\n"
#define AS_SCRIPT "Accept: application/json\r\nSec-Fetch-Mode: cors\r\n"
#define DEMO_SETTINGS                                                                              \
	"\"rate_per_minute\":600000,\"burst\":1000,\"capacity\":100000,\"session_ttl_ms\":60000,"      \
	"\"session_renewal\":true,\"bypass\":[{\"path_prefix\":\"/assets/\"},"                         \
	"{\"network\":\"10.9.9.0/24\"}]"

/* A request to the gateway; headers may be NULL. session NULL: none, otherwise its cookie. gives */
struct http_answer *visit(const char *method, const char *path, const char *headers,
						  const char *session, const char *body);
struct http_answer *visit_page(const char *path,
							   const char *session); /* GET, as a browser; gives */

/* "http://127.0.0.1:port/path" as the visitor types it; gives */
char *site_url(const char *path);
/* Joins through the gateway and polls until let in; gives the answer with session_token and, when
 * there is a target, redirect_url. target NULL: none */
struct http_answer *get_let_in(const char *target);
/* Path and query of a URL of the gateway; lends a part of it. Fails the test for another's URL. */
const char *path_of(const char *url);

/* What the gateway's answer must be. */
void expect_room(const struct http_answer *answer, const char *target); /* NULL: any, or none */
void expect_site(const struct http_answer *answer);
bool is_site(const struct http_answer *answer);
void expect_saw(const struct http_answer *answer, const char *line); /* the site received it */
void expect_not_saw(const struct http_answer *answer, const char *text);

/* The good session with other claims; gives the token. */
char *session_like(const char *queue, bool renewal, int issued_in_s, int expires_in_s);
/* DEMO_SETTINGS and these, "" or ",\"state\":\"…\"", from now on; every pod has them on return. */
void set_demo(const char *members);

#endif
