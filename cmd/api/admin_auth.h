/* Admin auth: who asks, and may they? The one place where keys, roles and tenants are checked. */
#ifndef WAITINGROOM_API_ADMIN_AUTH_H
#define WAITINGROOM_API_ADMIN_AUTH_H

#include "admin_routes.h"
#include "waitingroom/text.h"

#define ADMIN_KEY_NAME_BYTES 64

struct admin_caller {
	char id[ADMIN_KEY_NAME_BYTES]; /* of the key */
	char name[ADMIN_KEY_NAME_BYTES];
	char tenant[NAME_MAX_CHARS + 1]; /* "": all of them */
	enum admin_role role;
};

struct admin_notes;

/* The route_fn of every row of admin_routes; ctx is the struct internal. */
void admin_serve(void *ctx, struct http_request *request, const struct route_match *match);

/* For SCOPE_LISTING: may the caller know of this tenant's things? */
bool admin_may_see(const struct admin_notes *notes, const char *tenant);

/* GET /admin/v1/whoami */
void admin_whoami_serve(void *ctx, struct http_request *request, const struct route_match *match);

#endif
