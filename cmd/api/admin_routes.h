/* Admin routes: the one table of all that operators can ask for.
 *
 * A new route is one row in admin_routes.c and one handler. When the handler is called,
 *
 *     the key is known, good, of a role that suffices, and of a tenant that may;
 *     http_request_notes(request) is a struct admin_notes (internal.h) with 'internal', 'caller' and
 *     'route', for routes below /queues/{}/{} or /tenants/{} with 'name' too;
 *     the request is parked: answer now or later, never call http_request_park.
 *
 * 'match' stays good until the answer is given. tests/integration/api_admin_keys.c walks the table
 * with keys of other tenants, of too small roles, and with dead ones; a new row is covered by it as
 * soon as it is there, and has to stand in openapi.yaml.
 *
 * What     Method, pattern, least role, scope, action word of the audit (NULL: changes nothing), handler.
 * Threads  constant.
 */
#ifndef WAITINGROOM_API_ADMIN_ROUTES_H
#define WAITINGROOM_API_ADMIN_ROUTES_H

#include "waitingroom/router.h"

/* enum, word in keys and answers; each may what those before it may */
#define ADMIN_ROLE_TABLE(X)                                                                        \
	X(ADMIN_VIEWER, "viewer")                                                                      \
	X(ADMIN_OPERATOR, "operator")                                                                  \
	X(ADMIN_ADMIN, "admin")
#define ADMIN_ROLE_ENUM(id, word) id,
enum admin_role { ADMIN_ROLE_TABLE(ADMIN_ROLE_ENUM) ADMIN_ROLE_COUNT };
#undef ADMIN_ROLE_ENUM

const char *admin_role_word(enum admin_role role);
bool admin_role_parse(const char *word, enum admin_role *ret_role);

/* Whose it is. A key of another tenant gets what it would get if the thing did not exist. */
enum admin_scope {
	SCOPE_QUEUE,   /* the path names tenant and queue */
	SCOPE_TENANT,  /* the path names a tenant */
	SCOPE_ALL,	   /* only keys for all tenants, whether the path names one or not */
	SCOPE_LISTING, /* the handler asks admin_may_see() about every thing that it shows or touches */
};

/* What names a queue or a tenant begins with one of these. */
#define ADMIN_QUEUE_PATTERN "/admin/v1/queues/{}/{}"
#define ADMIN_TENANT_PATTERN "/admin/v1/tenants/{}"

struct admin_route {
	enum http_method method;
	const char *pattern;
	enum admin_role role;
	enum admin_scope scope;
	const char *action;
	route_fn serve; /* ctx is the struct internal */
};
extern const struct admin_route admin_routes[];
extern const size_t admin_route_count;

#endif
